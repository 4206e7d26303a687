"""What each lever does in the difference between two scenarios of one territory: shares that add up exactly.

With few levers the shares are Shapley values: the effect of a lever, averaged over every order in which the levers
could be moved. With many, the mean of one stated order and of its reverse; both add up too, and the two orders are kept
so that a reader sees how much the order matters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from coopconnect.model.assessment import host_columns
from coopconnect.model.calibration import calibration_for
from coopconnect.model.choice import within_reach
from coopconnect.model.runs import run_kernel, site_results, surroundings
from coopconnect.parameters import Parameters
from coopconnect.scenario import COMPONENTS, Scenario, parameter_values
from coopconnect.territory.types import Territory

OUTCOMES = (
    "viable_rural_sites",
    "median_score",
    "median_hours_per_year",
    "median_users",
    "hours_per_participating_household",
)
"""Figures that are broken down, by their names in `Assessment.totals`; `SITE` is the score of one site."""

SITE = "site_score"

MOST_EXACT = 8
"""Levers up to which all orders are averaged: 2 ** 8 runs of the central model, some 2 s on a région."""

MOST_EXACT_LARGE = 4
"""The same for a territory of more than `LARGE_SITES` sites."""

LARGE_SITES = 5_000


@dataclass(frozen=True, eq=False)
class Central:
    """Central results of one scenario, without ranges: totals by name, and scores in the order of the sites."""

    totals: dict[str, float]
    codes: np.ndarray
    scores: np.ndarray

    def outcome(self, name: str, site_code: str = "") -> float:
        """One of `OUTCOMES`, or the score of a site (`SITE`; nan where there is no such site)."""
        if name != SITE:
            return self.totals[name]
        found = np.flatnonzero(self.codes == site_code)
        return float(self.scores[found[0]]) if found.size else math.nan


@dataclass(frozen=True, eq=False)
class Attribution:
    """Share of each lever in a difference.

    keys: what differs, in the order of the scenario's fields, then assumptions by name. effects: shares, which sum to
    after - before. alone: the change if this lever alone moved; last: its effect when all others have moved already.
    Where the two differ, levers act on one another. exact: True for Shapley values over all
    orders, False for the mean of one order and its reverse.
    """

    keys: tuple[str, ...]
    before: float
    after: float
    effects: np.ndarray
    alone: np.ndarray
    last: np.ndarray
    exact: bool

    @property
    def interaction(self) -> float:
        """What the levers do together beyond the sum of what each does alone."""
        return self.after - self.before - float(self.alone.sum())


def differing(before: Scenario, after: Scenario) -> tuple[str, ...]:
    """What differs between two scenarios of one territory, each a lever of the breakdown.

    The five weights are one ('weights'): only their proportions count. So are refusals and answers of hosts ('hosts').
    """
    found: list[str] = []
    for field in fields(Scenario):
        if field.name in ("territory", "changed") or getattr(before, field.name) == getattr(after, field.name):
            continue
        found.append(_group(field.name))
    mine, theirs = dict(before.changed), dict(after.changed)
    found += [key for key in sorted({*mine, *theirs}) if mine.get(key) != theirs.get(key)]
    return tuple(dict.fromkeys(found))


def _group(name: str) -> str:
    if name.startswith("weight_"):
        return "weights"
    return "hosts" if name in ("refused", "hosts") else name


def mixed(before: Scenario, after: Scenario, keys: Sequence[str]) -> Scenario:
    """The first scenario with the levers `keys` moved to where the second has them."""
    taken: dict[str, object] = {}
    changed = dict(before.changed)
    theirs = dict(after.changed)
    names = {field.name for field in fields(Scenario)}
    for key in keys:
        if key == "weights":
            taken |= {f"weight_{c}": getattr(after, f"weight_{c}") for c in COMPONENTS}
        elif key == "hosts":
            taken |= {"refused": after.refused, "hosts": after.hosts}
        elif key in names:
            taken[key] = getattr(after, key)
        elif key in theirs:
            changed[key] = theirs[key]
        else:
            changed.pop(key, None)
    return before.with_values(**taken, changed=tuple(sorted(changed.items())))


def central(territory: Territory, scenario: Scenario, parameters: Parameters, home: Territory | None = None) -> Central:
    """Central results of a scenario: those of `assess`, without the runs that give the ranges (some 7 ms on PACA).

    Raises `CalibrationError` where the assumptions admit no constants.
    """
    prepared = within_reach(territory, scenario.access_max_min)
    values = parameter_values(scenario, parameters)
    calibration = calibration_for(home or territory, parameters, scenario.changed)
    run = run_kernel(prepared, scenario, calibration, values)
    found = site_results(run.sites, surroundings(prepared, scenario, values), scenario, values)
    host = host_columns(territory)
    available = ~np.isin(host["zone_code"], scenario.refused)
    rural = host["rural"].astype(bool) & available
    pool = rural if rural.any() else available
    viable = (found["viability"] >= 1.0) & (found["users"] >= values["core_users_gate"])
    users = found["users"][pool]
    total = float(users.sum())
    hours = float(found["hours_per_participating_household"][pool] @ users / total) if total > 0.0 else 0.0

    def median(name: str) -> float:
        return float(np.median(found[name][pool])) if pool.any() else 0.0

    totals = {
        "viable_rural_sites": float((viable & rural).sum()),
        "median_score": median("score"),
        "median_hours_per_year": median("hours_per_year"),
        "median_users": median("users"),
        "hours_per_participating_household": hours,
    }
    return Central(totals, host["zone_code"], found["score"])


def most_exact(sites: int) -> int:
    """Levers up to which a breakdown over a territory of so many sites averages all orders."""
    return MOST_EXACT_LARGE if sites > LARGE_SITES else MOST_EXACT


def runs_needed(keys: Sequence[str], most: int = MOST_EXACT) -> int:
    """How many scenarios a breakdown looks at."""
    n = len(keys)
    return 2**n if n <= most else 4 * n


def attribute(
    before: Scenario,
    after: Scenario,
    outcome: Callable[[Scenario], float],
    most: int = MOST_EXACT,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Attribution:
    """Break the difference of an outcome between two scenarios down by lever.

    `outcome` gives the figure of a scenario; `progress` is told after each new one. Raises ValueError where the two
    are of different territories: there the place itself differs, and no lever can be blamed.
    """
    if before.territory != after.territory:
        raise ValueError("a breakdown by lever needs two scenarios of the same territory")
    keys = differing(before, after)
    total, known = runs_needed(keys, most), dict[int, float]()

    def value(mask: int) -> float:
        if mask not in known:
            chosen = [key for k, key in enumerate(keys) if mask >> k & 1]
            known[mask] = outcome(mixed(before, after, chosen))
            progress(len(known), total)
        return known[mask]

    n, everything = len(keys), (1 << len(keys)) - 1
    exact = n <= most
    effects = _shapley(n, value) if exact else _two_orders(n, value)
    alone = np.array([value(1 << k) - value(0) for k in range(n)])
    last = np.array([value(everything) - value(everything & ~(1 << k)) for k in range(n)])
    return Attribution(keys, value(0), value(everything), effects, alone, last, exact)


def _shapley(n: int, value: Callable[[int], float]) -> np.ndarray:
    """Mean effect of each of n levers over all orders: each subset weighs |S|! (n - |S| - 1)! / n!."""
    weights = [math.factorial(s) * math.factorial(n - s - 1) / math.factorial(n) for s in range(n)]
    effects = np.zeros(n)
    for mask in range(1 << n):
        size = mask.bit_count()
        for k in range(n):
            if not mask >> k & 1:
                effects[k] += weights[size] * (value(mask | 1 << k) - value(mask))
    return effects


def _two_orders(n: int, value: Callable[[int], float]) -> np.ndarray:
    """Mean of two ways: levers moved from the first to the last, and from the last to the first."""
    effects = np.zeros(n)
    for order in (range(n), range(n - 1, -1, -1)):
        mask = 0
        for k in order:
            effects[k] += (value(mask | 1 << k) - value(mask)) / 2.0
            mask |= 1 << k
    return effects


def as_table(found: Attribution) -> pd.DataFrame:
    """The breakdown as a table, largest effect first: key, effect, alone, last."""
    table = pd.DataFrame({"key": list(found.keys), "effect": found.effects, "alone": found.alone, "last": found.last})
    order = np.argsort(-np.abs(found.effects), kind="stable")
    return table.iloc[order].reset_index(drop=True)
