"""The best p sites of `Rows`: an answer at once, then a bound that tightens until the answer is proven."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from coopconnect.siting.locate import kernels
from coopconnect.siting.locate.rows import Rows, rows_of
from coopconnect.siting.locate.types import PROVED

ROUNDING = 1e-12
"""Relative margin put on every Lagrangian bound for the rounding of its sums."""

_ROOT_ROUNDS, _ROOT_PATIENCE = 60, 20
_NODE_ROUNDS, _NODE_PATIENCE = 60, 8


@dataclass(frozen=True, eq=False)
class Found:
    """A set of sites and what is known of it: chosen (n_sites,) bool, its value, and a bound on every set's value."""

    chosen: np.ndarray
    value: float
    bound: float

    @property
    def proven(self) -> bool:
        """True where no set can be better, up to rounding."""
        return self.bound <= self.value + PROVED * abs(self.value)


def _value(rows: Rows, chosen: np.ndarray) -> float:
    return float(kernels.set_value(rows.start, rows.site, rows.value, chosen))


def _climb(rows: Rows, chosen: np.ndarray, rng: np.random.Generator, most_columns: int) -> float:
    order = rng.permutation(np.flatnonzero(rows.allowed & ~rows.fixed))
    if not order.size:
        return _value(rows, chosen)
    return float(kernels.interchange(
        rows.start, rows.site, rows.value, rows.column_start, rows.row, rows.column_value,
        rows.allowed, rows.fixed, chosen, order, most_columns,
    ))  # fmt: skip


def _greedy(rows: Rows, chosen: np.ndarray, p: int, noise: np.ndarray) -> None:
    kernels.greedy(
        rows.start, rows.site, rows.value, rows.column_start, rows.row, rows.column_value,
        rows.allowed, chosen, p, noise,
    )  # fmt: skip


def quick(rows: Rows, p: int, seconds: float, seed: int, most_starts: int = 30) -> Found:
    """Greedy, then fast interchange from it and from disturbed copies of the best set, within `seconds`.

    The number of starts is fixed, so that a seed repeats; `seconds` only stops a large matrix early.
    """
    ends = time.perf_counter() + seconds
    rng = np.random.default_rng(seed)
    chosen = rows.fixed.copy()
    _greedy(rows, chosen, p, np.ones(rows.n_sites))
    most = max(1, int(4e9 / max(rows.row.size / max(rows.n_sites, 1), 1.0) / 100.0))
    value = _climb(rows, chosen, rng, most)
    for start in range(most_starts):
        if time.perf_counter() >= ends:
            break
        other = _disturbed(rows, chosen, p, rng, fresh=start % 3 == 2)
        found = _climb(rows, other, rng, most)
        if found > value:
            chosen, value = other, found
    return Found(chosen, value, np.inf)


def _disturbed(rows: Rows, chosen: np.ndarray, p: int, rng: np.random.Generator, fresh: bool) -> np.ndarray:
    """Another start: a noisy greedy, or the best set with some sites given up and filled again with noise."""
    other = rows.fixed.copy()
    if not fresh:
        movable = np.flatnonzero(chosen & ~rows.fixed)
        gone = rng.choice(movable, size=max(1, movable.size // 3), replace=False) if movable.size else movable
        other = chosen.copy()
        other[gone] = False
    _greedy(rows, other, p, rng.uniform(0.6, 1.4, rows.n_sites))
    return other


def root(rows: Rows, p: int, found: Found, seconds: float, seed: int, search: Search | None = None) -> Iterator[Found]:
    """The Lagrangian bound at the root alone, tighter at each step."""
    ends = time.perf_counter() + seconds
    rng = np.random.default_rng(seed)
    search = search or Search(rows, p, found)
    took = 0.0
    while not search.root_done and not search.found().proven and time.perf_counter() + took < ends:
        began = time.perf_counter()
        search.tighten_root(rng)
        took = time.perf_counter() - began
        yield search.found()


def improved(
    rows: Rows, p: int, found: Found, seconds: float, seed: int, search: Search | None = None
) -> Iterator[Found]:  # fmt: skip
    """Tighter and tighter answers, each at most some tenths of a second after the other, until proven or out of time.

    First the Lagrangian bound at the root. Sites that no better set can hold (or lack) are then fixed by their reduced
    value, and a best-first tree on the sites left closes the gap, each node with its own Lagrangian bound. search: one that
    has begun, to go on with.
    """
    ends = time.perf_counter() + seconds
    search = search or Search(rows, p, found)
    yield search.found()
    began, took = time.perf_counter(), 0.0
    for step in root(rows, p, found, seconds, seed, search):
        took, began = time.perf_counter() - began, time.perf_counter()
        yield step
    if time.perf_counter() + took >= ends:  # another step would be late
        return
    search.plant()
    said = time.perf_counter()
    while search.tree and not search.found().proven and time.perf_counter() < ends:
        search.branch()
        if time.perf_counter() - said > 0.2:
            said = time.perf_counter()
            yield search.found()
    yield search.found()


class Search:
    """The state of one proof: the best set so far, the best prices, and the open nodes of the tree.

    kept, small: once the tree is planted, the sites that a better set may hold, and the rows with their columns only.
    """

    def __init__(self, rows: Rows, p: int, found: Found) -> None:
        self.rows, self.p = rows, p
        self.chosen, self.value = found.chosen.copy(), found.value
        self.state = np.where(rows.fixed, 1, np.where(rows.allowed, 0, -1)).astype(np.int8)
        self.best = self._trivial()
        self.price = self._first_price()
        self.best_price = self.price.copy()
        self.frequency = np.zeros(rows.n_sites)
        self.theta, self.root_done = 1.0, False
        self.tree: list[tuple[float, int, np.ndarray, np.ndarray, np.ndarray]] = []
        self.count = 0
        self.kept, self.small = np.arange(rows.n_sites), rows

    def value_of(self, chosen: np.ndarray) -> float:
        """Value of a set of sites."""
        return _value(self.rows, chosen)

    def tree_state(self) -> np.ndarray:
        """What the root fixed among the sites kept: 1 chosen, 0 free."""
        return self.tree[0][2]

    def _trivial(self) -> float:
        """Every row gets its best."""
        filled = np.diff(self.rows.start) > 0
        return float(self.rows.value[self.rows.start[:-1][filled]].sum()) * (1.0 + ROUNDING)

    def _first_price(self) -> np.ndarray:
        """Prices between the best and the second best value of the set at hand."""
        n = self.rows.start.size - 1
        first, one, two = np.empty(n, dtype=np.int32), np.empty(n), np.empty(n)
        for i in range(n):
            kernels.best_two(self.rows.start, self.rows.site, self.rows.value, self.chosen, i, first, one, two)
        return np.maximum(0.5 * (one + two), 0.0)

    def found(self) -> Found:
        """What is known now: the largest bound of an open node, never under the value at hand."""
        bound = self.best if not self.count else max([-self.tree[0][0]] if self.tree else [self.value])
        return Found(self.chosen, self.value, max(min(bound, self.best), self.value))

    def _run(self, rows: Rows, state: np.ndarray, price: np.ndarray, frequency: np.ndarray, rounds: int, patience: int,
             theta: float) -> tuple[float, float, np.ndarray]:  # fmt: skip
        best_price = price.copy()
        bound, theta = kernels.dual(
            rows.start, rows.site, rows.value, state, self.p, self.value, price, best_price, frequency, rounds,
            theta, patience,
        )  # fmt: skip
        return float(bound) + ROUNDING * abs(float(bound)), float(theta), best_price

    def tighten_root(self, rng: np.random.Generator) -> None:
        """Some more rounds at the root, and a climb from the sites that it likes."""
        bound, self.theta, best_price = self._run(
            self.rows, self.state, self.price, self.frequency, _ROOT_ROUNDS, _ROOT_PATIENCE, self.theta
        )
        if bound < self.best:
            self.best, self.best_price = bound, best_price
        self.price = self.best_price.copy()
        self.theta *= 0.8
        self.root_done = self.theta < 2e-3
        self._try(self.frequency + 1e-9 * rng.random(self.rows.n_sites), rng)

    def _try(self, liking: np.ndarray, rng: np.random.Generator) -> None:
        """The p sites most liked, climbed from, in place of the best set where they are better."""
        liking = np.where(self.rows.fixed, np.inf, np.where(self.rows.allowed, liking, -np.inf))
        chosen = np.zeros(self.rows.n_sites, bool)
        chosen[np.argsort(-liking, kind="stable")[: self.p]] = True
        self._keep(chosen, _climb(self.rows, chosen, rng, 20 * self.rows.n_sites))

    def _keep(self, chosen: np.ndarray, value: float) -> None:
        if value > self.value:
            self.chosen, self.value = chosen.copy(), value

    def plant(self) -> None:
        """Fix what the root proves, keep only the sites left, and open the tree; again where the root has gone on since."""
        self.count = 1
        state = self.state.copy()
        self._fix(self.rows, state, self.best_price, self.best)
        self.kept = np.flatnonzero(state >= 0)
        self.small = _columns(self.rows, self.kept)
        self.tree = [(-self.best, 0, state[self.kept], self.best_price.copy(), self.frequency[self.kept])]

    def _fix(self, rows: Rows, state: np.ndarray, price: np.ndarray, bound: float) -> None:
        """Fix in `state` the sites whose other state is worth less than the set at hand: their reduced values say."""
        rho = np.empty(state.size)
        kernels.reduced_values(rows.start, rows.site, rows.value, price, rho)
        free = np.flatnonzero(state == 0)
        left = self.p - int((state == 1).sum())
        if free.size <= left or left <= 0:
            return
        order = free[np.argsort(-rho[free], kind="stable")]
        inside, outside = order[:left], order[left:]
        lowest, next_best = rho[inside[-1]], rho[outside[0]]
        enough = self.value + PROVED * abs(self.value)
        margin = 2.0 * ROUNDING * abs(bound)
        state[outside[bound - lowest + rho[outside] + margin < enough]] = -1
        state[inside[bound - rho[inside] + next_best + margin < enough]] = 1

    def branch(self) -> None:
        """Split the open node of the largest bound on the site of which it is least sure."""
        negative, _, state, price, frequency = heapq.heappop(self.tree)
        if -negative <= self.value + PROVED * abs(self.value):
            return
        free = np.flatnonzero(state == 0)
        if not free.size:
            return
        pick = free[np.argmin(np.abs(frequency[free] - 0.5))]
        for side in (1, -1):
            child = state.copy()
            child[pick] = side
            self._open(child, price, frequency, -negative)

    def _open(self, state: np.ndarray, price: np.ndarray, frequency: np.ndarray, parent: float) -> None:
        inside, possible = int((state == 1).sum()), int((state >= 0).sum())
        if inside > self.p or possible < self.p:
            return
        if inside == self.p or possible == self.p:
            chosen = np.zeros(self.rows.n_sites, bool)
            chosen[self.kept[state == 1 if inside == self.p else state >= 0]] = True
            self._keep(chosen, _value(self.rows, chosen))
            return
        here, often = price.copy(), frequency.copy()
        bound, _, best_price = self._run(self.small, state, here, often, _NODE_ROUNDS, _NODE_PATIENCE, 0.3)
        bound = min(bound, parent)
        if bound <= self.value + PROVED * abs(self.value):
            return
        liked = np.argsort(-np.where(state == 1, np.inf, np.where(state == 0, often, -np.inf)), kind="stable")[: self.p]
        chosen = np.zeros(self.rows.n_sites, bool)
        chosen[self.kept[liked]] = True
        self._keep(chosen, _value(self.rows, chosen))
        self._fix(self.small, state, best_price, bound)
        self.count += 1
        heapq.heappush(self.tree, (-bound, self.count, state, best_price, often))


def _columns(rows: Rows, kept: np.ndarray) -> Rows:
    """The same rows with the columns `kept` only."""
    place = np.full(rows.n_sites, -1)
    place[kept] = np.arange(kept.size)
    row = np.repeat(np.arange(rows.start.size - 1, dtype=np.int32), np.diff(rows.start))
    keep = place[rows.site] >= 0
    counts = np.bincount(row[keep], minlength=rows.start.size - 1)
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    small = rows_of(kept.size, start, place[rows.site[keep]], rows.value[keep])
    return replace(small, fixed=rows.fixed[kept], allowed=rows.allowed[kept])
