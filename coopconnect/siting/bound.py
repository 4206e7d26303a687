"""Bounds on what any set of sites can be worth, whatever the search found.

The worth of a home zone is a sum of terms m (b T - M) / (D + T), T the sum of hub odds and M the sum of odds times
access cost of its open hubs. With a0 the least access cost of the zone and Tmax the largest T that the constraints
admit, each term is at most

    m (b - a0)+ T / (D + T)                 concave in T
    - m (a0 - b)+ T / (D + Tmax)            linear: T / (D + T) is concave, its chord from 0 lies below
    - m (M - a0 T) / (D + Tmax)             linear: M - a0 T >= 0

The sum U is concave in the openings y, 0 <= y <= 1, so that for any y its tangent bounds it everywhere: the best
openings of the tangent give a proven bound, and moving y towards them (Frank and Wolfe) tightens it. Sites that no
better set can hold are then left out, which lowers Tmax and raises a0, and the bound tightens again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from coopconnect.siting import kernels
from coopconnect.siting.locate.types import PROVED
from coopconnect.siting.network import envelope_of
from coopconnect.siting.search import Problem

ROUNDING = 1e-10
_STEPS = 60


class Ceiling:
    """U for the sites still possible: its value and slope at any openings."""

    def __init__(self, problem: Problem, possible: np.ndarray) -> None:
        self.problem, self.possible = problem, possible
        n = problem.network
        t = n.prepared.territory
        self.zones = len(t.zones)
        keep = possible[n.prepared.access_site]
        self.zone, self.site = t.access_zone[keep], n.prepared.access_site[keep]
        self.odds, self.cost = n.odds[keep], n.cost[keep]
        most = self.most()
        least = np.full(self.zones, np.inf)
        np.minimum.at(least, self.zone, self.cost)
        self.least = np.where(np.isfinite(least), least, 0.0)
        convex, share = envelope_of(n, most, self.least)
        extra = self.odds * (convex[self.zone] - (self.cost - self.least[self.zone]) * share[self.zone])
        self.linear = np.bincount(self.site, weights=extra, minlength=n.n_sites)
        if problem.toll.size:
            self.linear += problem.toll

    def most(self) -> np.ndarray:
        """Largest T of each zone: fixed sites, and the largest odds of as many others as may open."""
        p = self.problem
        fixed = p.fixed[self.site]
        base = np.bincount(self.zone[fixed], weights=self.odds[fixed], minlength=self.zones)
        zone, odds = self.zone[~fixed], self.odds[~fixed]
        order = np.lexsort((-odds, zone))
        zone, odds = zone[order], odds[order]
        first = np.concatenate([[0], np.cumsum(np.bincount(zone, minlength=self.zones))])[:-1]
        rank = np.arange(zone.size) - first[zone]
        left = p.most_new - int((p.fixed & ~p.existing).sum())
        top = rank < left
        return np.asarray(base + np.bincount(zone[top], weights=odds[top], minlength=self.zones))

    def at(self, y: np.ndarray) -> tuple[float, np.ndarray]:
        """U and its slope in each opening."""
        n = self.problem.network
        total = np.bincount(self.zone, weights=self.odds * y[self.site], minlength=self.zones)
        value, slope = np.zeros(self.zones), np.zeros(self.zones)
        kernels.concave_part(  # type: ignore[call-arg]
            total, self.least, *n.flows, n.avoided, n.constant, n.unsuitable, value, slope
        )  # fmt: skip
        by_site = np.bincount(self.site, weights=self.odds * slope[self.zone], minlength=n.n_sites) + self.linear
        return float(value.sum() + self.linear @ y), by_site


def best_openings(problem: Problem, possible: np.ndarray, slope: np.ndarray) -> tuple[float, np.ndarray]:
    """The most that openings 0 <= y <= 1 can earn at these slopes, and such openings.

    Number and money are each a constraint; where both bind the better bound of the two is taken. Distances count with
    the number alone.
    """
    fixed = problem.fixed.astype(float)
    base = float(slope @ fixed)
    free = np.flatnonzero(possible & ~problem.fixed & (slope > 0.0))
    order = _falling(problem, free, slope)
    by_number = fixed.copy()
    by_number[order[: _new_left(problem)]] = 1.0
    number = base + float(slope @ (by_number - fixed))
    if not np.isfinite(problem.budget):
        return number, by_number
    money = problem.budget - float(problem.price[problem.fixed].sum())
    by_money = fixed.copy()
    order = free[np.argsort(-slope[free] / np.maximum(problem.price[free], 1e-9), kind="stable")]
    spent = np.concatenate([[0.0], np.cumsum(problem.price[order])])
    part = np.clip((money - spent[:-1]) / np.maximum(problem.price[order], 1e-9), 0.0, 1.0)
    by_money[order] = part
    earned = base + float(slope[order] @ part)
    return (earned, by_money) if earned < number else (number, by_number)


def _new_left(problem: Problem) -> int:
    """How many sites may open besides the fixed ones."""
    return problem.most_new - int((problem.fixed & ~problem.existing).sum())


def _falling(problem: Problem, free: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """`free` by falling slope. Of sites that may not be open with one another only the first is left: a set holds one
    of them at most, and it is worth no more."""
    order = free[np.argsort(-slope[free], kind="stable")]
    if not problem.conflict_site.size:
        return order
    first = np.zeros(slope.size, bool)
    kernels.first_of_each(order, problem.conflict_start, problem.conflict_site, first)  # type: ignore[call-arg]
    return order[first[order]]


def demand_bound(problem: Problem, chosen: np.ndarray, value: float, ends: float) -> Iterator[tuple[float, np.ndarray]]:
    """Tighter and tighter bounds of the demand's worth, each with the sites still possible in a better set.

    `value` is the worth of the set at hand, `chosen`.
    """
    possible = (problem.allowed | problem.fixed).copy()
    y = chosen.astype(float)
    best = np.inf
    while True:
        ceiling = Ceiling(problem, possible)
        before = int(possible.sum())
        for step in range(_STEPS):
            u, slope = ceiling.at(y)
            earned, target = best_openings(problem, possible, slope)
            bound = u - float(slope @ y) + earned
            bound += ROUNDING * (abs(u) + abs(earned))
            best = min(best, bound)
            possible = still_possible(problem, possible, slope, bound, value)
            yield best, possible
            if best <= value * (1.0 + PROVED) or time.perf_counter() >= ends or bound - u <= 1e-6 * abs(u):
                break
            y = y + _length(ceiling, y, target - y, step) * (target - y)
        if best <= value * (1.0 + PROVED) or time.perf_counter() >= ends or possible.sum() > 0.98 * before:
            return
        y = np.where(possible, y, 0.0)


def _length(ceiling: Ceiling, y: np.ndarray, direction: np.ndarray, step: int) -> float:
    """How far to go: where the slope along the way vanishes, found by one secant; all the way where it never does."""
    _, end = ceiling.at(y + direction)
    _, here = ceiling.at(y)
    a, b = float(here @ direction), float(end @ direction)
    if b >= 0.0 or a <= 0.0:
        return 1.0 if a > 0.0 else 2.0 / (step + 2.0)
    return a / (a - b)


def still_possible(
    problem: Problem, possible: np.ndarray, slope: np.ndarray, bound: float, value: float
) -> np.ndarray:  # fmt: skip
    """Sites that a set better than `value` may still hold, by what each earns where the best openings give `bound`."""
    left = _new_left(problem)
    free = np.flatnonzero(possible & ~problem.fixed)
    if np.isfinite(problem.budget) or free.size <= left or left <= 0:
        return possible
    order = _falling(problem, free, slope)
    last = max(float(slope[order[left - 1]]), 0.0) if order.size >= left else 0.0
    found = possible.copy()
    found[free[bound - last + np.minimum(slope[free], last) < value * (1.0 + PROVED)]] = False
    return found
