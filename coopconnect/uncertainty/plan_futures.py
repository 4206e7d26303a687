"""The figures of one plan over the futures drawn: each hub beside the others, the plan as a whole, what a refusal costs.

The hubs and their opening order are those of the plan at the reference case, in every future. The commuters are not held:
in each future the choice is calibrated again and each chooses anew between office, home and the hubs that are open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopconnect.model.types import Range
from coopconnect.siting import measure
from coopconnect.siting.measured import Measured
from coopconnect.siting.types import SitePlan
from coopconnect.uncertainty.bands import ENDS
from coopconnect.uncertainty.engine import Setup, net_benefit_eur
from coopconnect.uncertainty.plans import figures_of, network_in
from coopconnect.uncertainty.results import holds

SITE_FIGURES = (
    "users", "hub_days_per_year", "desks", "hours_per_year", "eur_per_year", "kg_co2e_per_year", "score", "opening_eur",
    "yearly_cost_eur", "net_benefit_eur_per_year", "viability",
)  # fmt: skip
"""Of each open hub in each future, named as in `PlannedSite`. opening, yearly: investment and running cost; net benefit:
euros, hours and tonnes at their values less the yearly cost, investment spread over its life included."""

SUMMED = (
    "users", "hours_per_year", "eur_per_year", "kg_co2e_per_year", "opening_eur", "yearly_cost_eur",
    "net_benefit_eur_per_year",
)  # fmt: skip
"""Those that add up over the hubs of a plan."""

_ONLY_NEW = ("opening_eur", "yearly_cost_eur")
"""What is not asked of hubs that exist."""

Swap = tuple[int, int]
"""Row of a site of the plan that does not open, and of the one that opens in its place (-1 for none)."""


@dataclass(frozen=True)
class PlanCase:
    """What of a plan is worked out in each future. existing, new (in opening order), further: rows of sites, `further`
    being those that the curve adds beyond the plan; objective: '' where no draw moves its worth."""

    existing: tuple[int, ...]
    new: tuple[int, ...]
    further: tuple[int, ...]
    swaps: tuple[Swap, ...]
    objective: str
    desks: int

    @property
    def rows(self) -> tuple[int, ...]:
        """Open sites, in the order of `SitePlan.sites`."""
        return (*self.existing, *self.new)

    @property
    def worths(self) -> int:
        """Sets of which the worth is told: the curve, then the swaps."""
        return len(self.new) + len(self.further) + 1 + len(self.swaps) if self.objective else 0

    @property
    def columns(self) -> int:
        """Figures in one future."""
        return (len(self.rows) + 1) * len(SITE_FIGURES) + self.worths

    def sets(self, n_sites: int) -> Iterator[np.ndarray]:
        """(n_sites,) bool of each set of which the worth is told."""
        chosen = np.zeros(n_sites, dtype=bool)
        chosen[list(self.existing)] = True
        yield chosen
        for row in (*self.new, *self.further):
            chosen = chosen.copy()
            chosen[row] = True
            yield chosen
        for out, other in self.swaps:
            swapped = np.zeros(n_sites, dtype=bool)
            swapped[list(self.rows)] = True
            swapped[out] = False
            if other >= 0:
                swapped[other] = True
            yield swapped


def codes_of(setup: Setup) -> np.ndarray:
    """INSEE codes of the communes that may hold a site, in the territory's order."""
    return np.asarray(setup.territory.zones["zone_code"].to_numpy(object)[setup.territory.site_zone])


def case_of(plan: SitePlan, setup: Setup) -> PlanCase:
    """What is worked out of a plan in each future, on the territory of the draws.

    The people within reach move with no draw; the share of the best of the objective 'equity' would need a new best in each.
    """
    row = {str(code): k for k, code in enumerate(codes_of(setup))}
    swaps: list[Swap] = []
    for site in plan.sites:
        if not site.existing and np.isfinite(site.lost_if_refused):
            swaps.append((site.row, -1))
        if site.substitute is not None:
            swaps.append((site.row, row[site.substitute.code]))
    swaps += [(row[a.out_code], row[a.in_code]) for a in plan.alternatives]
    objective = plan.question.objective if plan.question.objective in measure.RESULT_OF else ""
    return PlanCase(
        plan.rows_of(existing=True), plan.rows_of(existing=False), plan.further, tuple(dict.fromkeys(swaps)), objective,
        plan.question.desks,
    )  # fmt: skip


def plan_figures(setup: Setup, row: np.ndarray, case: PlanCase) -> np.ndarray:
    """Figures of a plan in one future, (case.columns,): those of each hub, the sums of the existing hubs alone, the worths.

    NaN where the draw has no solution. Units are those of `PlannedSite` and of the objective, a year.
    """
    future = network_in(setup, row)
    if future is None:
        return np.full(case.columns, np.nan)
    network, around = future

    def of(rows: tuple[int, ...]) -> np.ndarray:
        if not rows:
            return np.zeros((len(SITE_FIGURES), 0))
        found = figures_of(network, around, rows, case.desks)
        opening, running = measure.costs(found["hub_days_per_year"], network.scenario, network.values)
        found |= {
            "net_benefit_eur_per_year": net_benefit_eur(found),
            "opening_eur": opening,
            "yearly_cost_eur": running,
        }
        return np.stack([found[name] for name in SITE_FIGURES])

    sites = of(case.rows)
    sites[SITE_FIGURES.index("opening_eur"), : len(case.existing)] = 0.0
    kept = of(case.existing).sum(axis=1)
    worths = np.zeros(case.worths)
    if case.objective:
        measured = Measured(network, around, case.objective, case.desks)
        worths[:] = [measured.of(chosen).sum() for chosen in case.sets(network.n_sites)]
    return np.concatenate([sites.ravel(), kept, worths])


def plan_figure_rows(case: PlanCase, setup: Setup, rows: np.ndarray) -> np.ndarray:
    """`plan_figures` of each row of a design, (rows, case.columns)."""
    return np.stack([plan_figures(setup, row, case) for row in rows])


@dataclass(frozen=True, eq=False)
class PlanFutures:
    """A plan over its futures: each `Range` is 5 %, the reference case and 95 %, widened to hold the reference case.

    draws: futures that have a solution. sites: of each hub in the order of `SitePlan.sites`, figures by name; viable: share
    of the futures in which each holds its accounts and its core of users, beside the others. total: sums over the plan as in
    `SitePlan.totals`; added: what the new hubs add to those that exist, future by future. curve: worth by number of new
    sites; gained: what the new ones add to the hubs that exist, None where none does; gains: of each site in its turn;
    lost, substituted: what the plan loses without each site, nothing or its substitute in its place, None where not measured;
    alternatives: what is lost by each near-equal plan, and the share of the futures in which it does better. These are ()
    or None where no draw moves the objective. p_gains: share of the futures in which the new hubs' net benefit is above 0;
    p_over: share in which opening and running the new hubs passes the budget, None without one.
    """

    draws: int
    sites: tuple[dict[str, Range], ...]
    viable: tuple[float, ...]
    total: dict[str, Range]
    added: dict[str, Range]
    curve: tuple[Range, ...]
    gained: Range | None
    gains: tuple[Range | None, ...]
    lost: tuple[Range | None, ...]
    substituted: tuple[Range | None, ...]
    alternatives: tuple[tuple[Range, float], ...]
    p_gains: float
    p_over: float | None

    @property
    def worth(self) -> Range | None:
        """Worth of the plan in the unit of its objective."""
        return self.curve[sum(gain is not None for gain in self.gains)] if self.curve else None

    @property
    def kept(self) -> Range | None:
        """Worth of the existing hubs alone."""
        return self.curve[0] if self.curve and self.gained is not None else None


def reference_row(setup: Setup) -> np.ndarray:
    """The row of a design at which everything that is drawn stands at its value."""
    return np.array([law.value for law in setup.laws])


def plan_futures(plan: SitePlan, setup: Setup, found: np.ndarray) -> PlanFutures | None:
    """What the futures say of a plan, from `plan_figure_rows`; None where none has a solution."""
    case = case_of(plan, setup)
    found = found[np.isfinite(found).all(axis=1)]
    if not len(found):
        return None
    central = plan_figures(setup, reference_row(setup), case)[None]
    n, figures = len(case.rows), len(SITE_FIGURES)

    def parts(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        end = n * figures
        return (
            values[:, :end].reshape(len(values), figures, n),
            values[:, end : end + figures],
            values[:, end + figures :],
        )

    (sites, kept, worths), (site_now, kept_now, _) = parts(found), parts(central)
    at = {name: k for k, name in enumerate(SITE_FIGURES)}
    total, added = {}, {}
    for name in SUMMED:
        first = len(case.existing) if name in _ONLY_NEW else 0
        sums, now = (values[:, at[name], first:].sum(axis=1) for values in (sites, site_now))
        total[name] = ranged(sums, plan.totals.get(name, float(now[0])))
        less, less_now = (0.0, 0.0) if name in _ONLY_NEW else (kept[:, at[name]], float(kept_now[0, at[name]]))
        added[name] = ranged(sums - less, float(now[0]) - less_now)
    rows = tuple(
        {
            name: ranged(sites[:, at[name], k], float(getattr(site, name, site_now[0, at[name], k])))
            for name in SITE_FIGURES
        }
        for k, site in enumerate(plan.sites)
    )
    gate = setup.parameters.values_with(dict(setup.scenario.changed))["core_users_gate"]
    viable = holds(sites[:, at["viability"]], sites[:, at["users"]], gate).mean(axis=0)
    new = slice(len(case.existing), n)
    paid = (sites[:, at["opening_eur"], new] + plan.question.years * sites[:, at["yearly_cost_eur"], new]).sum(axis=1)
    net = sites[:, at["net_benefit_eur_per_year"]].sum(axis=1) - kept[:, at["net_benefit_eur_per_year"]]
    budget, before = plan.question.budget_eur, plan.kept_value
    gained = None
    if case.objective and before is not None:
        gained = ranged(worths[:, len(case.new)] - worths[:, 0], plan.value - before)
    return PlanFutures(
        draws=len(found), sites=rows, viable=tuple(map(float, viable)), total=total, added=added,
        **_worths(plan, case, codes_of(setup), worths), gained=gained, p_gains=float((net > 0.0).mean()),
        p_over=float((paid > budget).mean()) if budget else None,
    )  # fmt: skip


def _worths(
    plan: SitePlan, case: PlanCase, codes: np.ndarray, worths: np.ndarray
) -> dict[str, tuple[Any, ...]]:  # fmt: skip
    """What `PlanFutures` says by hub and by set, in the unit of the objective."""
    if not case.objective:
        nothing = (None,) * len(case.rows)
        return {"curve": (), "gains": nothing, "lost": nothing, "substituted": nothing, "alternatives": ()}
    points = len(case.new) + len(case.further) + 1
    curve, whole = worths[:, :points], worths[:, len(case.new)]
    place = {swap: points + k for k, swap in enumerate(case.swaps)}
    row = {str(code): k for k, code in enumerate(codes)}
    row[""] = -1

    def loss(out: int, code: str) -> np.ndarray:
        return np.asarray(whole - worths[:, place[out, row[code]]])

    steps = np.diff(curve[:, : len(case.new) + 1], axis=1)
    return {
        "curve": tuple(
            ranged(curve[:, k], plan.value if k == len(case.new) else worth) for k, (_, worth) in enumerate(plan.curve)
        ),
        "gains": tuple(None if s.existing else ranged(steps[:, s.rank - 1], s.gain) for s in plan.sites),
        "lost": tuple(
            ranged(loss(s.row, ""), s.lost_if_refused) if (s.row, -1) in place else None for s in plan.sites
        ),
        "substituted": tuple(
            ranged(loss(s.row, s.substitute.code), s.substitute.loss) if s.substitute else None for s in plan.sites
        ),
        "alternatives": tuple(
            (ranged(lost := loss(row[a.out_code], a.in_code), a.loss), float((lost < 0.0).mean()))
            for a in plan.alternatives
        ),
    }  # fmt: skip


def ranged(values: np.ndarray, middle: float) -> Range:
    """5 and 95 % of the futures around the reference case, widened to hold it."""
    low, high = np.quantile(values, ENDS)
    return Range(min(float(low), middle), middle, max(float(high), middle))
