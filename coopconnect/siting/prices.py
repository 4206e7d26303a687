"""Bounds by prices: each home zone and each row chooses its own hubs at a price, and the prices are moved until they agree.

Give every zone its own copy of the openings, and price their agreement (Lagrangian decomposition); give every row a price
u_r for being served. For any prices pi_ik of zone i for site k, and any u_r >= 0,

    L = sum over zones of at least the most over subsets P of its sites in reach (worth_i(P) - sum of pi_ik over P)
        + sum over rows of u_r
        + the best openings at sum over zones of pi_ik + sum over rows of max(0, v_rk - u_r)

is at least the worth of any plan. How the most of a zone is found is left to `decompose` (its subsets searched) and to
`stretch` (a quick ceiling of them).
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import njit

from coopconnect.siting import kernels
from coopconnect.siting.bound import ROUNDING, best_openings, still_possible
from coopconnect.siting.locate.types import PROVED
from coopconnect.siting.search import Problem, State

LOSS = 0.3
_LEAST_STEP = 1e-3


@njit(cache=True, nogil=True, error_model="numpy")
def pair_worths(
    zone: np.ndarray, total: np.ndarray, spent: np.ndarray, flow_start: np.ndarray, office: np.ndarray,
    office_share: np.ndarray, home: np.ndarray, days: np.ndarray, avoided: np.ndarray, constant: np.ndarray,
    unsuitable: float, out: np.ndarray,
) -> None:  # fmt: skip
    """Worth of the zone of each pair at the sums given; nothing where T is only rounding."""
    for p in range(zone.size):
        out[p] = 0.0
        if total[p] > 1e-15:
            out[p] = kernels.zone_worth(
                zone[p], total[p], spent[p], flow_start, office, office_share, home, days, avoided, constant, unsuitable
            )  # fmt: skip


class Prices(ABC):
    """Prices of one problem and the bound they give; each round tightens it."""

    step, fading, memory, patience = 1.0, 1.0, 0.4, 8
    """First length of a step, by how much each is shorter, how much of the last direction is kept, rounds without
    progress before the step is cut."""

    def __init__(self, problem: Problem, chosen: np.ndarray, possible: np.ndarray) -> None:
        self.problem, self.possible = problem, possible.copy()
        n = problem.network
        zones = n.zone_start.size - 1
        self.odds, self.cost = n.odds[n.order], n.cost[n.order]
        self.choice: tuple[Any, ...] = (*n.flows, n.avoided, n.constant, n.unsuitable)
        self.zone = np.repeat(np.arange(zones), np.diff(n.zone_start))
        self.whole = np.bincount(self.zone, weights=self.odds, minlength=zones) * (1.0 + ROUNDING)
        fixed = problem.fixed[n.zone_site]
        self.base_total = np.bincount(self.zone[fixed], weights=self.odds[fixed], minlength=zones)
        self.base_spent = np.bincount(
            self.zone[fixed], weights=self.odds[fixed] * self.cost[fixed], minlength=zones
        )  # fmt: skip
        self.free = ~fixed
        self.row = np.repeat(np.arange(problem.rows.start.size - 1), np.diff(problem.rows.start))
        self.price, self.fee = self._first(chosen)
        self.best, self.kept = np.inf, (self.price, self.fee)
        self.theta, self.idle = self.step, 0
        self.direction, self.fee_direction = np.zeros(self.price.size), np.zeros(self.fee.size)

    @abstractmethod
    def zones(self, usable: np.ndarray, taken: np.ndarray) -> float:
        """Sum over zones of at least the most that a subset of `usable` pairs is worth less prices; `taken` is what is
        opened of each pair there."""

    def _first(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the prices start: what each pair adds to its zone beside the set at hand, and between the best and the
        second best of each row."""
        n, rows = self.problem.network, self.problem.rows
        state = State(self.problem, chosen)
        sign = np.where(chosen[n.zone_site], -1.0, 1.0)
        total, spent = state.total[self.zone], state.spent[self.zone]
        worth = np.empty(self.zone.size)
        pair_worths(  # type: ignore[call-arg]
            self.zone, total + sign * self.odds, spent + sign * self.odds * self.cost, *self.choice, worth
        )  # fmt: skip
        start = sign * (worth - state.worth[self.zone])
        price = np.where(self.free, np.where(start < 0.0, LOSS * start, start), 0.0)
        open_value = np.where(chosen[rows.site], rows.value, 0.0)
        second = np.zeros(state.best.size)
        below = open_value < state.best[self.row]
        np.maximum.at(second, self.row[below], open_value[below])
        return price, 0.5 * (state.best + second)[: rows.start.size - 1]

    def round(self, value: float, fix: bool) -> float:
        """One step of the prices; returns the best bound so far and keeps the sites that a better set may hold."""
        n, rows, p = self.problem.network, self.problem.rows, self.problem
        usable = self.free & self.possible[n.zone_site]
        taken = np.zeros(self.price.size)
        zones = self.zones(usable, taken)
        served = rows.value - self.fee[self.row]
        earned_by = np.bincount(n.zone_site, weights=np.where(self.free, self.price, 0.0), minlength=n.n_sites)
        earned_by += np.bincount(rows.site, weights=np.maximum(served, 0.0), minlength=n.n_sites)
        if p.toll.size:
            earned_by += p.toll
        earned, y = best_openings(p, self.possible, earned_by)
        bound = zones + float(self.fee.sum()) + earned
        bound += ROUNDING * (abs(zones) + float(self.fee.sum()) + abs(earned))
        if fix:
            self.possible = still_possible(p, self.possible, earned_by, bound, value)
        self.idle = 0 if bound < self.best * (1.0 - 1e-7) else self.idle + 1
        if bound < self.best:
            self.best, self.kept = bound, (self.price, self.fee)
        self.theta *= self.fading
        if self.idle >= self.patience:
            self.idle, self.theta = 0, 0.6 * self.theta
            self.price, self.fee = self.kept
            self.direction, self.fee_direction = np.zeros(self.price.size), np.zeros(self.fee.size)
            return self.best
        self._move(
            np.where(usable, y[n.zone_site] - taken, 0.0), np.where(served > 0.0, y[rows.site], 0.0), bound - value
        )
        return self.best

    def _move(self, slope: np.ndarray, served: np.ndarray, above: float) -> None:
        """Lower each price where its site opens more at large than in the zone, raise it where it opens less."""
        fee_slope = 1.0 - np.bincount(self.row, weights=served, minlength=self.fee.size)
        fee_slope = np.where((self.fee <= 0.0) & (fee_slope > 0.0), 0.0, fee_slope)
        self.direction = slope + self.memory * self.direction
        self.fee_direction = fee_slope + self.memory * self.fee_direction
        norm = float(self.direction @ self.direction + self.fee_direction @ self.fee_direction)
        if norm > 0.0:
            length = self.theta * max(above, 1e-9 * abs(self.best)) / norm
            self.price = self.price - length * self.direction
            self.fee = np.maximum(self.fee - length * self.fee_direction, 0.0)

    def bounds(self, value: float, ends: float) -> Iterator[float]:
        """Tighter and tighter bounds, until `value` is proven best, the steps are too short to matter, or time is up."""
        took = 0.0
        while time.perf_counter() + took < ends and self.theta > _LEAST_STEP:
            began = time.perf_counter()
            yield self.round(value, True)
            if self.best <= value * (1.0 + PROVED):
                return
            took = time.perf_counter() - began
