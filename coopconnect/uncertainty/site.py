"""All that an ensemble says of one site: how often it is viable, when it fails, what drives it, what to find out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coopconnect.model.assessment import around_site
from coopconnect.uncertainty.drivers import Driver, from_draws
from coopconnect.uncertainty.engine import KEPT, Setup, run_rows
from coopconnect.uncertainty.laws import CLIMATE, Law
from coopconnect.uncertainty.prim import Box, failing_box
from coopconnect.uncertainty.results import Results, viable
from coopconnect.uncertainty.run import Ensemble

WORTH_SAYING = 0.5
"""Share of successes within a box from which it is worth saying when a site holds."""


@dataclass(frozen=True)
class SiteFutures:
    """One site. p_viable, p_first, p_top10: shares of the usable draws; ranks: 5 %, 50 %, 95 %.

    box: the futures in which it is not viable (columns are those of `laws`), None where no simple box tells them; holds:
    there, of a site that fails in most futures, those in which it is viable. draws: usable ones. most_users,
    most_covered: the most users and the largest share of the cost covered in any of them; core: users needed.
    drivers: of the margin to viability, strongest first; learn: the strongest of those that can be found out.
    """

    code: str
    name: str
    p_viable: float
    p_first: float
    p_top10: float
    ranks: tuple[float, float, float]
    robust: bool
    tied: bool
    box: Box | None
    laws: tuple[Law, ...]
    drivers: tuple[Driver, ...]
    learn: Driver | None
    holds: Box | None = None
    draws: int = 0
    most_users: float = 0.0
    most_covered: float = 0.0
    core: float = 0.0

    @property
    def always(self) -> bool:
        """Viable in every draw."""
        return self.p_viable == 1.0

    @property
    def never(self) -> bool:
        """Viable in no draw."""
        return self.p_viable == 0.0


def core_users(setup: Setup) -> float:
    """Users without whom a site is not viable."""
    return setup.parameters.values_with(dict(setup.scenario.changed))["core_users_gate"]


def margins(setup: Setup, figures: np.ndarray) -> np.ndarray:
    """The lesser of viability - 1 and users / core - 1, viable where at least 0; figures: (draws, len(KEPT), n_sites)."""
    core = core_users(setup)
    ratio, users = (figures[:, KEPT.index(name)].astype(float) for name in ("viability", "users"))
    return np.asarray(np.minimum(ratio - 1.0, users / core - 1.0))


def margin_rows(setup: Setup, rows: np.ndarray) -> np.ndarray:
    """`margins` of each row of a design, (rows, n_sites)."""
    return margins(setup, run_rows(setup, rows))


def margin(ensemble: Ensemble, site: int) -> np.ndarray:
    """`margins` of one site in each usable draw."""
    return margins(ensemble.setup, ensemble.figures[ensemble.usable][:, :, [site]])[:, 0]


def counted(laws: tuple[Law, ...]) -> list[int]:
    """Columns that a limit can be put on: weights change no account, and the climate has stops, not a scale."""
    return [k for k, law in enumerate(laws) if law.kind != "weight" and law.key != CLIMATE]


def around(setup: Setup, code: str) -> Setup:
    """The setup cut down to one site, for further runs of it alone; weights, which move no account, are not drawn."""
    laws = tuple(law for law in setup.laws if law.kind != "weight")
    return replace(setup, territory=around_site(setup.territory, code), laws=laws, within={})


def site_futures(ensemble: Ensemble, found: Results, code: str) -> SiteFutures | None:
    """What the ensemble says of the site of a commune; None where the territory has no such site."""
    site = found.row(code)
    if site is None:
        return None
    row = found.sites.iloc[site]
    columns = counted(ensemble.setup.laws)
    laws = tuple(ensemble.setup.laws[k] for k in columns)
    x, fails = ensemble.drawn()[:, columns], ~viable(ensemble)[:, site]
    drivers = from_draws(laws, x, margin(ensemble, site), ensemble.seed)
    learn = next((d for d in drivers if d.status != "choice" and d.sure), None)
    box = failing_box(x, fails)
    holds = failing_box(x, ~fails) if box is None and fails.mean() > 0.5 else None
    if holds is not None and holds.density < WORTH_SAYING:
        holds = None
    users, covered = (float(ensemble.figure(name)[:, site].max()) for name in ("users", "viability"))
    return SiteFutures(
        code, str(row["name"]), float(row["p_viable"]), float(row["p_first"]), float(row["p_top10"]),
        (float(row["rank_p05"]), float(row["rank_p50"]), float(row["rank_p95"])),
        bool(row["robust"]), bool(row["tied"]), box, laws, drivers, learn, holds, int(fails.size),
        users, covered, core_users(ensemble.setup),
    )  # fmt: skip
