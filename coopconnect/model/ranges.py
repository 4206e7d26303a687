"""Low and high of every figure, and ranks: each uncertain assumption in turn at both ends of its range."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from coopconnect.model import impact
from coopconnect.model.calibration import CalibrationError, calibration_for
from coopconnect.model.choice import DayCosts, Prepared, Values, day_costs
from coopconnect.model.runs import Surroundings, run_sites, site_results
from coopconnect.model.types import RANGED
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.territory.types import Territory

BEHAVIOUR_RANGES = (
    "hub_share_reference", "substitution_reference", "home_unsuitable_share", "fuel_price_elasticity",
    "hub_days_per_user_per_week", "value_of_time_eur_per_h", "commute_peak_factor", "cost_damping_exponent",
)  # fmt: skip
"""Parameters whose low and high need a new calibration and a new run of the kernel."""

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
Pair = tuple[Figures, Figures]


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


def _kept(figures: Figures) -> Figures:
    return {name: figures[name] for name in RANGED}


def _behaviour_run(context: Context, key: str, level: float) -> Figures | None:
    """Site results with one behavioural parameter moved: a calibration and a run of the kernel of its own.

    None where the targets cannot hold with this value (changed assumptions may leave no constants).
    """
    scenario = context.scenario
    changes = tuple(sorted({**dict(scenario.changed), key: level}.items()))
    try:
        calibration = calibration_for(context.home, context.parameters, changes)
    except CalibrationError:
        return None
    values = {**context.values, key: level}
    moves_costs = key in ("value_of_time_eur_per_h", "commute_peak_factor", "cost_damping_exponent")
    costs = day_costs(context.prepared, scenario, values) if moves_costs else context.costs
    sums = run_sites(context.prepared, scenario, calibration, values, costs)
    return _kept(site_results(sums, context.around, scenario, values))


def behaviour_variants(context: Context) -> list[Pair]:
    """Results at the low and high of each of `BEHAVIOUR_RANGES`."""
    jobs = [(key, level) for key in BEHAVIOUR_RANGES for level in context.levels(key)]
    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(lambda job: _behaviour_run(context, *job), jobs))
    pairs = []
    for low, high in zip(results[::2], results[1::2], strict=True):
        if low is not None or high is not None:  # an end that has no solution adds nothing to the range
            pairs.append((low or high, high or low))
    return pairs  # type: ignore[return-value]


def physical_variants(context: Context, sums: impact.Sums, desks: np.ndarray) -> Iterator[Pair]:
    """Results at the low and high of each of `PHYSICAL_RANGES`, from the sums of the central run."""
    for name in PHYSICAL_RANGES:
        key = name.format(premises=context.scenario.premises)
        low, high = (_physical_run(context, sums, desks, key, level) for level in context.levels(key))
        yield low, high


def _physical_run(context: Context, sums: impact.Sums, desks: np.ndarray, key: str, level: float) -> Figures:
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
        self.central = central
        self.log = {name: np.log(np.maximum(central[name], _TINY)) for name in COUNTS}
        self.fall = {name: np.zeros_like(central[name]) for name in RANGED}
        self.rise = {name: np.zeros_like(central[name]) for name in RANGED}
        self.scores: list[np.ndarray] = []

    def add(self, pair: Pair) -> None:
        """Count one parameter's two runs."""
        for name in RANGED:
            if name in COUNTS:
                first, second = (
                    np.log(np.maximum(figures[name], _TINY)) - self.log[name] for figures in pair
                )
            else:
                first, second = (figures[name] - self.central[name] for figures in pair)
            self.fall[name] += np.minimum(np.minimum(first, second), 0.0) ** 2
            self.rise[name] += np.maximum(np.maximum(first, second), 0.0) ** 2
        self.scores += [figures["score"] for figures in pair]

    def bounds(self) -> Figures:
        """`<name>_low` and `<name>_high` of every ranged figure; scores stay within 0 and 100, counts above 0."""
        found: Figures = {}
        for name in RANGED:
            if name in COUNTS:
                low = self.central[name] * np.exp(-np.sqrt(self.fall[name]))
                high = self.central[name] * np.exp(np.sqrt(self.rise[name]))
            else:
                low = self.central[name] - np.sqrt(self.fall[name])
                high = self.central[name] + np.sqrt(self.rise[name])
            if name == "score" or name.startswith("component_"):
                low, high = np.maximum(low, 0.0), np.minimum(high, 100.0)
            found[f"{name}_low"], found[f"{name}_high"] = low, high
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
        for other in variants:
            theirs = np.empty(n, dtype=np.int64)
            theirs[_order(other, rows)] = place
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
        beats = (variants[:, first:] > variants[:, first, None]).any(axis=0)
        apart = np.flatnonzero(~beats[1:])
        last = first + 1 + (int(apart[0]) if apart.size else n - first - 1)
        group[first:last] = number
        first, number = last, number + 1
    return group


def _order(value: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows from the best value to the worst, equal ones in their own order."""
    return rows[np.argsort(-value[rows], kind="stable")]
