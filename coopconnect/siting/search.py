"""An answer at once: lazy greedy, then exchanges, on the sparse tables of the network."""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coopconnect.siting import kernels
from coopconnect.siting.locate.rows import Rows
from coopconnect.siting.network import Network

FEW_PAIRS = 100_000
"""Access pairs up to which subsets of zones, branches and small models are searched; beyond, one step of them takes too long."""

NOTHING = 1e-9
"""Gains under this share of the worth at hand are rounding."""

FEW_SETS = 600
"""So many sets are looked at one by one."""


More = Callable[[], bool]
"""Asked again and again while one searches: True while there is time."""


def until(ends: float, stopped: More) -> More:
    """True until the clock says `ends` (`time.perf_counter`) or `stopped`."""
    return lambda: time.perf_counter() < ends and not stopped()


def never() -> bool:
    """Nobody stops the search."""
    return False


@dataclass(frozen=True, eq=False)
class Problem:
    """What to maximise and what is allowed.

    network, rows: the worth is their sum. fixed: sites that must be open (forced or existing); existing among them.
    most_new: how many sites may open besides the existing; price: euros of opening each, budget: their limit.
    conflict_start, conflict_site: by site, the sites that may not be open with it. toll: by site, what opening it brings
    whatever else is open, for bounds alone (the search and the worth do without; none where empty).
    """

    network: Network
    rows: Rows
    allowed: np.ndarray
    fixed: np.ndarray
    existing: np.ndarray
    most_new: int
    price: np.ndarray
    budget: float
    conflict_start: np.ndarray
    conflict_site: np.ndarray
    toll: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def conflicts(self, k: int) -> np.ndarray:
        """Sites that may not be open with site k."""
        return self.conflict_site[self.conflict_start[k] : self.conflict_start[k + 1]]

    def allows(self, chosen: np.ndarray) -> bool:
        """Whether a set keeps to number, budget and distances."""
        new = np.flatnonzero(chosen & ~self.existing)
        return (
            new.size <= self.most_new
            and float(self.price[chosen].sum()) <= self.budget
            and not any(chosen[self.conflicts(int(k))].any() for k in new)
        )

    @property
    def few(self) -> bool:
        """Whether the territory is small enough for what takes every pair at each step."""
        return self.network.odds.size <= FEW_PAIRS

    def near(self, k: int) -> np.ndarray:
        """Sites that share somebody with site k, itself among them."""
        n, rows = self.network, self.rows
        t = n.prepared.territory
        mark = np.zeros(n.n_sites, bool)
        mark[k] = True
        kernels.neighbours(  # type: ignore[call-arg]
            k, t.access_start, t.access_zone, n.zone_start, n.zone_site, rows.column_start, rows.row, rows.start,
            rows.site, mark,
        )  # fmt: skip
        return np.flatnonzero(mark)


class State:
    """A set of open sites with what each zone and each row gets from it; moves are undone by their contrary."""

    def __init__(self, problem: Problem, chosen: np.ndarray) -> None:
        self.problem = problem
        n = problem.network
        zones = len(n.territory.zones)
        self.chosen = np.zeros(n.n_sites, bool)
        self.total, self.spent, self.worth = np.zeros(zones), np.zeros(zones), np.zeros(zones)
        self.best = np.zeros(zones)
        self.zone_odds, self.zone_cost = n.odds[n.order], n.cost[n.order]
        t = n.prepared.territory
        self._access: tuple[Any, ...] = (t.access_start, t.access_zone)
        self._rows: tuple[Any, ...] = (problem.rows.column_start, problem.rows.row)
        self._choice: tuple[Any, ...] = (*n.flows, n.avoided, n.constant, n.unsuitable)
        self.value = 0.0
        for k in np.flatnonzero(chosen):
            self.turn(int(k), True)

    def turn(self, k: int, on: bool) -> None:
        """Open or close site k."""
        n, rows = self.problem.network, self.problem.rows
        self.chosen[k] = on
        self.value += kernels.refresh(  # type: ignore[call-arg]
            k, self.chosen, *self._access, n.zone_start, n.zone_site, self.zone_odds, self.zone_cost, self.total,
            self.spent, self.worth, *self._choice, *self._rows, rows.start, rows.site, rows.value, self.best,
        )  # fmt: skip

    def gains(self, sites: np.ndarray, out: np.ndarray) -> None:
        """What opening each of `sites` adds, into `out`."""
        n, rows = self.problem.network, self.problem.rows
        kernels.gains_of(  # type: ignore[call-arg]
            sites, *self._access, n.odds, n.cost, self.total, self.spent, self.worth, *self._choice, rows.column_start,
            rows.row, rows.column_value, self.best, out,
        )  # fmt: skip

    def exact(self) -> float:
        """The worth summed afresh: the one that is reported."""
        self.value = float(self.worth.sum() + self.best.sum())
        return self.value

    def may_open(self) -> np.ndarray:
        """Sites that may join, whatever number and money say."""
        p = self.problem
        free = p.allowed & ~self.chosen
        for k in np.flatnonzero(self.chosen) if p.conflict_site.size else ():
            free[p.conflicts(int(k))] = False
        return free

    def money_left(self) -> float:
        """Euros of the budget not yet spent."""
        return self.problem.budget - float(self.problem.price[self.chosen].sum())

    def new_left(self) -> int:
        """How many more sites may open."""
        return self.problem.most_new - int((self.chosen & ~self.problem.existing).sum())


def greedy(state: State, noise: np.ndarray, per_euro: bool, more: More) -> list[int]:
    """Open the site of largest gain (per euro) until number, money or gains end; gains are looked at again only when
    a site comes to the top (they rarely rise)."""
    problem = state.problem
    gains = np.zeros(problem.network.n_sites)
    free = np.flatnonzero(state.may_open())
    state.gains(free, gains)
    weight = noise / np.maximum(problem.price, 1e-9) if per_euro else noise
    heap = [(-gains[k] * weight[k], int(k), 0) for k in free]
    heapq.heapify(heap)
    step, left, money = 0, state.new_left(), state.money_left()
    blocked = np.zeros(problem.network.n_sites, bool)
    opened: list[int] = []
    while heap and left > 0 and more():
        negative, k, when = heapq.heappop(heap)
        if blocked[k] or problem.price[k] > money:
            continue
        if when < step:
            state.gains(np.array([k]), gains)
            heapq.heappush(heap, (-gains[k] * weight[k], k, step))
            continue
        if negative >= -NOTHING * abs(state.value) * weight[k]:
            break
        state.turn(k, True)
        opened.append(k)
        blocked[problem.conflicts(k)] = True
        step, left, money = step + 1, left - 1, money - problem.price[k]
    return opened


def exchange(state: State, more: More) -> None:
    """Exchange one open site for one outside while the worth rises; close a site that takes more than it gives."""
    problem = state.problem
    gains = np.zeros(problem.network.n_sites)
    state.gains(np.flatnonzero(problem.allowed & ~state.chosen), gains)
    better = True
    while better and more():
        better = False
        for k in np.flatnonzero(state.chosen & ~problem.fixed):
            if not more():
                return
            better |= _exchange_one(state, int(k), gains)


def _exchange_one(state: State, k: int, gains: np.ndarray) -> bool:
    """Put the best site in place of k where that is better; `gains` are kept true."""
    near = state.problem.near(k)
    before, value = gains[near].copy(), state.value
    state.turn(k, False)
    candidates = near[state.problem.allowed[near] & ~state.chosen[near]]
    state.gains(candidates, gains)
    j = best_candidate(state, gains)
    reached = state.value + (gains[j] if j >= 0 else 0.0)
    if j == k or reached <= value + NOTHING * abs(value) or (j < 0 and state.value <= value + NOTHING * abs(value)):
        state.turn(k, True)
        gains[near] = before
        return False
    if j >= 0 and gains[j] > 0.0:
        state.turn(j, True)
        again = state.problem.near(j)
        state.gains(again[state.problem.allowed[again] & ~state.chosen[again]], gains)
    return True


def largest(sites: np.ndarray, worth: np.ndarray, n: int) -> np.ndarray:
    """The n of `sites` of largest `worth`, best first; of equals, those that stand first."""
    found = worth[sites]
    if sites.size > n:
        sites = sites[found >= np.partition(found, -n)[-n]]
    return sites[np.argsort(-worth[sites], kind="stable")[:n]]


def best_candidate(state: State, gains: np.ndarray) -> int:
    """The site that may open now with the largest gain, -1 where none."""
    free = state.may_open() & (state.problem.price <= state.money_left())
    if state.new_left() <= 0 or not free.any():
        return -1
    return int(np.argmax(np.where(free, gains, -np.inf)))


def _every_set(problem: Problem) -> np.ndarray | None:
    """The best of all sets where they are few, None where they are not."""
    free = np.flatnonzero(problem.allowed & ~problem.fixed)
    left = min(problem.most_new - int((problem.fixed & ~problem.existing).sum()), free.size)
    if sum(math.comb(free.size, size) for size in range(left + 1)) > FEW_SETS:
        return None
    best = State(problem, problem.fixed)
    for size in range(1, left + 1):
        for sites in itertools.combinations(free, size):
            chosen = problem.fixed.copy()
            chosen[list(sites)] = True
            if not problem.allows(chosen):
                continue
            state = State(problem, chosen)
            best = state if state.value > best.value else best
    return best.chosen.copy()


def quick(problem: Problem, seconds: float, seed: int, starts: int = 6, stopped: More = never) -> np.ndarray:
    """The best set found: greedy and exchanges, then from disturbed copies. (n_sites,) bool.

    The number of starts is fixed, so that a seed repeats; `seconds` only stops a large territory early. The first
    greedy set is finished, however slow or cold the machine, unless one says to stop: then it is what it is.
    """
    every = _every_set(problem)
    if every is not None:
        return every
    ends = time.perf_counter() + seconds
    rng = np.random.default_rng(seed)
    plain = np.ones(problem.network.n_sites)
    state = State(problem, problem.fixed)
    greedy(state, plain, False, lambda: not stopped())
    more = until(
        max(ends, time.perf_counter() + 0.5 * seconds), stopped
    )  # loops compiled on the way do not take it all
    if np.isfinite(problem.budget):
        other = State(problem, problem.fixed)
        greedy(other, plain, True, more)
        state = other if other.value > state.value else state
    exchange(state, more)
    for _ in range(starts):
        if not more():
            break
        movable = np.flatnonzero(state.chosen & ~problem.fixed)
        if movable.size < 2:
            break
        kept = state.chosen.copy()
        kept[rng.choice(movable, size=max(1, movable.size // 4), replace=False)] = False
        other = State(problem, kept)
        greedy(other, rng.uniform(0.7, 1.3, plain.size), False, more)
        exchange(other, more)
        if other.value > state.value * (1.0 + NOTHING):
            state = other
    return state.chosen.copy()
