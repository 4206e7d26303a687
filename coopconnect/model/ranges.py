"""Low and high of every figure, and ranks: each uncertain assumption in turn at both ends of its range."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from coopconnect.model import impact
from coopconnect.model.calibration import CalibrationError, calibration_for
from coopconnect.model.choice import DayCosts, Prepared, Values, day_costs
from coopconnect.model.kernel import widen
from coopconnect.model.runs import Surroundings, site_results, start_sites
from coopconnect.model.types import RANGED
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.territory.types import Territory

BEHAVIOUR_RANGES = (
    "hub_share_reference", "substitution_reference", "home_unsuitable_share", "fuel_price_elasticity",
    "hub_days_per_user_per_week", "value_of_time_eur_per_h", "commute_peak_factor", "cost_damping_exponent",
)  # fmt: skip
"""Parameters whose low and high need a new calibration and a new run of the kernel."""

_COST_RANGES = ("value_of_time_eur_per_h", "commute_peak_factor", "cost_damping_exponent")
"""Those of them that also change the costs of the day."""

PHYSICAL_RANGES = (
    "rebound_share", "fleet_emission_kg_per_km", "consumption_l_per_100_km", "non_fuel_cost_eur_per_km",
    "weeks_per_year", "opex_{premises}_eur_per_year", "capex_{premises}_eur", "desks_per_small_hub",
    "marginal_desk_cost_share",
)  # fmt: skip
"""Parameters whose low and high only change what is made of the days (the choice is kept)."""

COUNTS = ("users", "hub_days_per_year", "desks", "viability", "yearly_cost_eur")
"""Ranged columns that are never negative: their ranges are ratios."""

_TINY = 1e-12

THREADS = 2
"""Runs at a time: the kernel works without the GIL, and the machines in view have two cores."""

Figures = dict[str, np.ndarray]
Pair = tuple[np.ndarray, np.ndarray]
"""The `RANGED` figures, (len(RANGED), n_sites), with one parameter at its low and at its high."""


@dataclass(frozen=True, eq=False)
class Context:
    """What all the runs of one assessment share."""

    prepared: Prepared
    home: Territory
    scenario: Scenario
    parameters: Parameters
    values: Values
    around: Surroundings
    costs: DayCosts

    def levels(self, key: str) -> tuple[float, float]:
        """Low and high of a parameter, widened to hold the value in use."""
        item, value = self.parameters[key], self.values[key]
        return min(item.low, value), max(item.high, value)


def _kept(figures: Figures) -> np.ndarray:
    return np.stack([figures[name] for name in RANGED])


def _start(context: Context, key: str, level: float, pool: Executor) -> Future[impact.Sums] | None:
    """A run with one behavioural parameter moved, with a calibration of its own, started in a thread.

    None where the targets cannot hold with this value (changed assumptions may leave no constants).
    """
    changes = tuple(sorted({**dict(context.scenario.changed), key: level}.items()))
    try:
        calibration = calibration_for(context.home, context.parameters, changes)
    except CalibrationError:
        return None
    values = {**context.values, key: level}
    costs = day_costs(context.prepared, context.scenario, values) if key in _COST_RANGES else context.costs
    return start_sites(context.prepared, context.scenario, calibration, values, costs, pool)


def behaviour_variants(context: Context) -> Iterator[Pair]:
    """Results at the low and high of each of `BEHAVIOUR_RANGES`.

    The two ends of a parameter run side by side, and while they run the parameter before is made of its days.
    """
    with ThreadPoolExecutor(THREADS) as pool:

        def start(key: str) -> list[tuple[float, Future[impact.Sums] | None]]:
            return [(level, _start(context, key, level, pool)) for level in context.levels(key)]

        ahead = start(BEHAVIOUR_RANGES[0])
        for key, following in zip(BEHAVIOUR_RANGES, (*BEHAVIOUR_RANGES[1:], None), strict=True):
            started, ahead = ahead, start(following) if following else []
            ends = [
                _kept(site_results(run.result(), context.around, context.scenario, {**context.values, key: level}))
                for level, run in started
                if run is not None  # an end without a solution adds nothing to the range
            ]
            if ends:
                yield ends[0], ends[-1]


def physical_variants(context: Context, sums: impact.Sums, desks: np.ndarray) -> Iterator[Pair]:
    """Results at the low and high of each of `PHYSICAL_RANGES`, from the sums of the central run."""
    for name in PHYSICAL_RANGES:
        key = name.format(premises=context.scenario.premises)
        low, high = (_physical_run(context, sums, desks, key, level) for level in context.levels(key))
        yield low, high


def _physical_run(context: Context, sums: impact.Sums, desks: np.ndarray, key: str, level: float) -> np.ndarray:
    if key == "weeks_per_year":  # every sum is a yearly one; the days of a week, hence the desks, stay
        sums = impact.scaled(sums, level / context.values[key])
    values = {**context.values, key: level}
    return _kept(site_results(sums, context.around, context.scenario, values, desks))


class Spread:
    """Gathers the falls and rises of all figures as the variants come, without keeping the variants.

    Each parameter in turn stands at its low and its high; the largest fall (rise) that it causes is kept, and the
    falls (rises) of all parameters are added in quadrature, as independent errors are: in logarithms for counts and
    ratios that cannot be negative (`COUNTS`), in their own unit for the others. One at a time: interactions are left
    to the ensemble, and the band is not a probability.
    """

    def __init__(self, central: Figures) -> None:
        self.central = _kept(central)
        self.counts = np.isin(RANGED, COUNTS)
        self.base = self.central.copy()
        self.base[self.counts] = np.log(np.maximum(self.central[self.counts], _TINY))
        self.fall = np.zeros_like(self.central)
        self.rise = np.zeros_like(self.central)
        self.scores: list[np.ndarray] = []

    def add(self, pair: Pair) -> None:
        """Count one parameter's two runs."""
        widen(self.base, *pair, self.counts, _TINY, self.fall, self.rise)
        self.scores += [figures[RANGED.index("score")] for figures in pair]

    def bounds(self) -> Figures:
        """`<name>_low` and `<name>_high` of every ranged figure; scores stay within 0 and 100."""
        low, high = self.base - np.sqrt(self.fall), self.base + np.sqrt(self.rise)
        for ends in (low, high):
            ends[self.counts] = np.where(self.central[self.counts] > 0.0, np.exp(ends[self.counts]), 0.0)
        found: Figures = {}
        for row, name in enumerate(RANGED):
            if name == "score" or name.startswith("component_"):
                low[row], high[row] = np.maximum(low[row], 0.0), np.minimum(high[row], 100.0)
            found[f"{name}_low"], found[f"{name}_high"] = low[row], high[row]
        return found


def spread(context: Context, central: Figures, sums: impact.Sums) -> Spread:
    """Low and high of the site figures, and the scores of every variant run."""
    gathered = Spread(central)
    for pair in behaviour_variants(context):
        gathered.add(pair)
    for pair in physical_variants(context, sums, central["desks"]):
        gathered.add(pair)
    return gathered


def ranks(value: np.ndarray, variants: list[np.ndarray], available: np.ndarray) -> dict[str, np.ndarray]:
    """Rank (1 best; 0 where not available), best and worst rank over all variant runs, and groups of ties.

    Sites are compared within each run, since an assumption moves all sites together. From the best down, a group
    holds the sites that beat the group's first site in some run, until one that never does. `tie_group` counts from
    1 (0 where not available); a site alone in its group is not tied.
    """
    n = value.size
    out = {k: np.zeros(n, dtype=np.int64) for k in ("rank", "rank_low", "rank_high", "tie_group")}
    tied = np.zeros(n, dtype=bool)
    rows = np.flatnonzero(available)
    if rows.size:
        order = _order(value, rows)
        place = np.arange(1, order.size + 1)
        low, high = place.copy(), place.copy()
        theirs = np.empty(n, dtype=np.int64)
        with ThreadPoolExecutor(THREADS) as pool:
            for variant in pool.map(lambda other: _order(other, rows), variants):
                theirs[variant] = place
                low, high = np.minimum(low, theirs[order]), np.maximum(high, theirs[order])
        group = _tie_groups(np.stack([value[order], *(other[order] for other in variants)]))
        out["rank"][order], out["rank_low"][order], out["rank_high"][order] = place, low, high
        out["tie_group"][order] = group
        tied[order] = np.bincount(group)[group] > 1
    return {**out, "tied": tied}


def _tie_groups(variants: np.ndarray) -> np.ndarray:
    """Group of each site, (n,), from the scores of all runs, (runs, n), sites best first."""
    n = variants.shape[1]
    group = np.empty(n, dtype=np.int64)
    first, number = 0, 1
    while first < n:
        beats = np.any(variants[:, first:] > variants[:, first, None], axis=0)
        apart = np.flatnonzero(~beats[1:])
        last = first + 1 + (int(apart[0]) if apart.size else n - first - 1)
        group[first:last] = number
        first, number = last, number + 1
    return group


def _order(value: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows from the best value to the worst, equal ones in their own order."""
    return rows[np.argsort(-value[rows], kind="stable")]
