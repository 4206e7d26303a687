"""What an ensemble says of each site: probability of being viable, quantiles, ranks, ties, badge, regret."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from coopconnect.uncertainty.engine import KEPT, run_draw
from coopconnect.uncertainty.run import Ensemble

QUANTILES = (0.05, 0.5, 0.95)
TOP = 10


@dataclass(frozen=True, eq=False)
class Results:
    """sites: one row a site, in the order of the territory; `order`: rows of available sites, best mean rank first;
    ranks: (usable draws, n_sites), 0 where not available. `rank_reference` and `viable_reference` are of the reference case."""

    sites: pd.DataFrame
    order: np.ndarray
    ranks: np.ndarray
    draws: int
    usable: int

    def row(self, code: str) -> int | None:
        """Row of a site, None where the territory has no such site."""
        found = np.flatnonzero(self.sites["zone_code"].to_numpy(object) == code)
        return int(found[0]) if found.size else None


def viable(ensemble: Ensemble) -> np.ndarray:
    """(usable, n_sites) bool: revenue and contribution cover the cost, and the core of users is there."""
    gate = ensemble.setup.parameters.values_with(dict(ensemble.setup.scenario.changed))["core_users_gate"]
    return holds(ensemble.figure("viability"), ensemble.figure("users"), gate)


def holds(ratio: np.ndarray, users: np.ndarray, gate: float) -> np.ndarray:
    """Whether revenue and contribution are `ratio` >= 1 times the cost and users reach the core of `gate`; bool, as the arrays."""
    return (ratio >= 1.0) & (users >= gate)


def available_sites(ensemble: Ensemble) -> np.ndarray:
    """(n_sites,) bool: not every host has refused."""
    territory, refused = ensemble.setup.territory, ensemble.setup.scenario.refused
    codes = territory.zones["zone_code"].to_numpy(object)[territory.site_zone]
    return ~np.isin(codes, refused) if refused else np.ones(codes.size, dtype=bool)


def rank_matrix(score: np.ndarray, available: np.ndarray) -> np.ndarray:
    """Rank of each available site in each draw, 1 best, equal scores in the order of the territory; 0 elsewhere."""
    rows = np.flatnonzero(available)
    order = np.argsort(-score[:, rows], axis=1, kind="stable")
    ranks = np.zeros(score.shape, dtype=np.int32)
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(1, rows.size + 1)[None, :], axis=1)
    ranks[:, rows] = places
    return ranks


def tie_groups(score: np.ndarray, order: np.ndarray, enough: float) -> np.ndarray:
    """Group of each site of `order` (best first), counted from 1.

    A group opens with the best site left and holds those it does not beat in at least `enough` of the draws, up to
    the first that it does: within it the draws cannot separate the sites, and their ranks are shown as one.
    """
    group = np.empty(order.size, dtype=np.int64)
    first, number = 0, 1
    while first < order.size:
        ahead = score[:, order[first], None] > score[:, order[first:]]
        apart = np.flatnonzero(ahead.mean(axis=0)[1:] >= enough)
        last = first + 1 + (int(apart[0]) if apart.size else order.size - first - 1)
        group[first:last] = number
        first, number = last, number + 1
    return group


def quantiles(ensemble: Ensemble, name: str) -> np.ndarray:
    """5 %, 50 % and 95 % of one of `KEPT` over the usable draws, (3, n_sites)."""
    return np.asarray(np.quantile(ensemble.figure(name), QUANTILES, axis=0))


def site_regret(ensemble: Ensemble, name: str = "net_benefit_eur_per_year") -> np.ndarray:
    """Mean over the draws of what is lost by keeping each site rather than the best one of that draw, (n_sites,).

    Opening nowhere counts among the alternatives, at 0: regret = mean(max(0, best site) - this site).
    """
    figure = ensemble.figure(name)
    best = np.maximum(figure[:, available_sites(ensemble)].max(axis=1), 0.0)
    return np.asarray((best[:, None] - figure).mean(axis=0))


def plan_regret(worth: np.ndarray) -> np.ndarray:
    """Mean, 95 % and largest regret of each plan, (3, plans), from what each is worth in each draw (draws, plans).

    A plan may be 'open nowhere': a column of zeros. Savage's regret: the best plan of the draw less this one.
    """
    lost = worth.max(axis=1)[:, None] - worth
    return np.stack([lost.mean(axis=0), np.quantile(lost, 0.95, axis=0), lost.max(axis=0)])


@lru_cache(maxsize=8)
def central_figures(ensemble: Ensemble) -> np.ndarray:
    """Figures of the reference case, (len(KEPT), n_sites): everything that is drawn stands at its value."""
    return run_draw(ensemble.setup, np.array([law.value for law in ensemble.setup.laws])).astype(float)


@lru_cache(maxsize=4)
def results(ensemble: Ensemble) -> Results | None:
    """All tables of an ensemble; None while no draw has a solution."""
    usable = int(ensemble.usable.sum())
    if not usable:
        return None
    setup = ensemble.setup
    values = setup.parameters.values_with(dict(setup.scenario.changed))
    host = setup.territory.zones.iloc[setup.territory.site_zone]
    score, available = ensemble.figure("score"), available_sites(ensemble)
    ranks = rank_matrix(score, available)
    columns: dict[str, np.ndarray] = {
        name: host[name].to_numpy(object if name != "rural" else bool)
        for name in ("zone_code", "name", "departement", "rural")
    }
    columns["available"] = available
    columns["p_viable"] = viable(ensemble).mean(axis=0)
    for label, rank in zip(("p05", "p50", "p95"), np.quantile(ranks, QUANTILES, axis=0), strict=True):
        columns[f"rank_{label}"] = rank
    columns["p_first"] = (ranks == 1).mean(axis=0)
    columns["p_top10"] = ((ranks >= 1) & (ranks <= TOP)).mean(axis=0)
    for name in KEPT:
        for label, found in zip(("p05", "p50", "p95"), quantiles(ensemble, name), strict=True):
            columns[f"{name}_{label}"] = found
    columns["regret_eur_per_year"] = site_regret(ensemble)
    central = dict(zip(KEPT, central_figures(ensemble), strict=True))
    columns["rank_reference"] = rank_matrix(central["score"][None], available)[0]
    columns["viable_reference"] = holds(central["viability"], central["users"], values["core_users_gate"])
    rows = np.flatnonzero(available)
    order = rows[np.lexsort((-score.mean(axis=0)[rows], ranks.mean(axis=0)[rows]))]
    group = np.zeros(available.size, dtype=np.int64)
    group[order] = tie_groups(score, order, values["tie_probability_share"])
    columns["tie_group"] = group
    columns["tied"] = (group > 0) & (np.bincount(group)[group] > 1)
    enough = values["robust_probability_share"]
    columns["robust"] = available & (columns["p_viable"] >= enough) & (columns["p_top10"] >= enough)
    return Results(pd.DataFrame(columns), order, ranks, ensemble.draws, usable)


def rank_frequency(found: Results, sites: int, places: int) -> np.ndarray:
    """Share of the draws in which each of the first `sites` holds each of the first `places`, (sites, places)."""
    top = found.ranks[:, found.order[:sites]]
    return np.stack([(top == place).mean(axis=0) for place in range(1, places + 1)], axis=1)
