"""Models with capacity: each demand goes whole to one site (or may be split), and a site serves at most its capacity."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from coopconnect.siting.locate.assign import (
    assign,
    fractional_items,
    fractional_knapsacks,
    knapsack_items,
    knapsacks,
)
from coopconnect.siting.locate.highs import Model, minimise
from coopconnect.siting.locate.types import LocateError, Matrix

_LARGEST_ROOM = 20_000
"""Up to this capacity, in whole units, knapsacks are solved exactly."""

_ROUNDS = 400


@dataclass(frozen=True, eq=False)
class Placed:
    """A set of sites, what it costs (or covers) and the bound; sites is None where none was found in time."""

    sites: np.ndarray | None
    objective: float
    bound: float


def capacitated_median(matrix: Matrix, p: int, seconds: float, split: bool) -> Placed:
    """Minimise the sum of weight * cost with every demand served: Lagrangian bound first, then HiGHS on what is left."""
    ends = time.perf_counter() + seconds
    lagrangian = _Lagrangian(matrix, p, split)
    lagrangian.run(min(ends, time.perf_counter() + 0.25 * seconds))
    if not lagrangian.proven():
        lagrangian.polish(min(ends, time.perf_counter() + 0.1 * seconds))
    model = _model(matrix, p, split, lagrangian.useful(), serve_all=True)
    return _finished(matrix, model, lagrangian, ends)


def capacitated_covering(matrix: Matrix, p: int, radius: float, seconds: float, split: bool) -> Placed:
    """Maximise the weight served by sites within `radius`; who finds no room within reach is not covered."""
    row = np.repeat(np.arange(matrix.n_demand), np.diff(matrix.start))
    useful = (matrix.value <= radius) & (split | (matrix.demand[row] <= _room(matrix)[matrix.site]))
    model = _model(matrix, p, split, useful, serve_all=False)
    found = minimise(model, seconds)
    everything = float(matrix.weight.sum())
    bound = min(everything, -found.bound)
    if found.x is None:
        return Placed(None, -math.inf, bound)
    sites = np.flatnonzero(found.x[-matrix.n_sites :] > 0.5)
    objective = float(-(model.cost @ np.where(model.whole, np.round(found.x), found.x)))
    return Placed(sites, objective, objective if found.done else max(bound, objective))


def _room(matrix: Matrix) -> np.ndarray:
    assert matrix.capacity is not None
    return matrix.capacity


def _model(matrix: Matrix, p: int, split: bool, useful: np.ndarray, serve_all: bool) -> Model:
    """Variables: x for each useful pair, then y for each site. sum x = 1 (or at most 1), x <= y, demand within room."""
    row = np.repeat(np.arange(matrix.n_demand), np.diff(matrix.start))[useful]
    site, value = matrix.site[useful], matrix.value[useful]
    n, m, pairs = matrix.n_demand, matrix.n_sites, row.size
    at = np.arange(pairs)
    ones, everyone = np.ones(pairs), np.arange(m)
    rows = np.concatenate([row, n + site, n + everyone, n + m + at, n + m + at, np.full(m, n + m + pairs)])
    columns = np.concatenate([at, at, pairs + everyone, at, pairs + site, pairs + everyone])
    data = np.concatenate([ones, matrix.demand[row], -_room(matrix), ones, -ones, np.ones(m)])
    height = n + m + pairs + 1
    low = np.concatenate([np.full(n, 1.0 if serve_all else 0.0), np.full(m + pairs, -np.inf), [p]])
    high = np.concatenate([np.ones(n), np.zeros(m + pairs), [p]])
    worth = matrix.weight[row] * value if serve_all else -matrix.weight[row]
    return Model(
        cost=np.concatenate([worth, np.zeros(m)]),
        low=np.zeros(pairs + m), high=np.ones(pairs + m),
        whole=np.concatenate([np.full(pairs, not split), np.ones(m, bool)]),
        matrix=csr_array(coo_array((data, (rows, columns)), shape=(height, pairs + m))),
        row_low=low, row_high=high,
    )  # fmt: skip


def _finished(matrix: Matrix, model: Model, known: _Lagrangian, ends: float) -> Placed:
    """HiGHS on the pairs that a better answer may use; with nothing better there, the answer at hand is the best."""
    left = ends - time.perf_counter()
    if known.proven() or left <= 0.0:
        return Placed(known.sites, known.cost, min(known.bound, known.cost))
    found = minimise(model, left, cutoff=known.cost)
    objective, sites = known.cost, known.sites
    if found.x is not None:
        x = np.where(model.whole, np.round(found.x), found.x)
        if float(model.cost @ x) < objective:
            objective, sites = float(model.cost @ x), np.flatnonzero(x[-matrix.n_sites :] > 0.5)
    if found.done and sites is None:
        raise LocateError("capacity: no set of that many sites can serve every demand")
    bound = objective if found.done else max(known.bound, min(found.bound, objective))
    return Placed(sites, objective, min(bound, objective))


class _Lagrangian:
    """min sum w c x with sum_k x_ik = 1 priced: bound = sum price - the p largest knapsack profits."""

    def __init__(self, matrix: Matrix, p: int, split: bool) -> None:
        self.matrix, self.p = matrix, p
        row = np.repeat(np.arange(matrix.n_demand), np.diff(matrix.start))
        self.row = row
        self.table = np.full((matrix.n_demand, matrix.n_sites), np.inf)
        self.table[row, matrix.site] = matrix.weight[row] * matrix.value
        self.sites: np.ndarray | None = None
        self.cost, self.bound = math.inf, -math.inf
        whole = (matrix.demand % 1.0 == 0.0).all() and _room(matrix).max(initial=0.0) <= _LARGEST_ROOM and not split
        self.whole = bool(whole and (matrix.demand > 0.0).all())
        kind = np.int64 if self.whole else float
        self.size = matrix.demand.astype(kind)
        self.room = (np.floor(_room(matrix)) if self.whole else _room(matrix)).astype(kind)
        stored = self.table[row, matrix.site]
        self.whole_costs = bool((stored % 1.0 == 0.0).all()) and not split
        self.best_price = np.zeros(matrix.n_demand)
        self.profit = np.zeros(matrix.n_sites)

    def _profits(self, price: np.ndarray) -> np.ndarray:
        profit = np.zeros(self.matrix.n_sites)
        loop = knapsacks if self.whole else fractional_knapsacks
        loop(self.table, price, self.size, self.room, profit)
        return profit

    def _taken(self, price: np.ndarray, liked: np.ndarray) -> np.ndarray:
        """How many of the p sites take each demand."""
        taken = np.zeros(self.matrix.n_demand)
        for k in liked:
            items = knapsack_items if self.whole else fractional_items
            items(self.table, price, self.size, self.room[k], int(k), taken)
        return taken

    def run(self, ends: float) -> None:
        """Subgradient rounds until the time is up; each also tries the p sites that it likes."""
        cheapest = np.sort(self.table, axis=1)
        rank = min(self.table.shape[1] - 1, max(1, self.table.shape[1] // max(self.p, 1) // 2))
        price = np.where(np.isfinite(cheapest[:, rank]), cheapest[:, rank], cheapest[:, 0])
        theta, idle, direction = 1.0, 0, np.zeros_like(price)
        for _ in range(_ROUNDS):
            profit = self._profits(price)
            liked = np.argsort(-profit, kind="stable")[: self.p]
            bound = float(price.sum() - profit[liked].sum())
            bound -= 1e-12 * float(np.abs(price).sum() + profit[liked].sum())
            if self.whole_costs:
                bound = math.ceil(bound - 1e-6)
            idle = 0 if bound > self.bound else idle + 1
            if bound > self.bound:
                self.bound, self.best_price, self.profit = bound, price.copy(), profit
            self._try(liked)
            if self.proven() or time.perf_counter() >= ends or theta < 1e-3:
                return
            if idle >= 15:
                idle, theta, price, direction = 0, theta * 0.5, self.best_price.copy(), np.zeros_like(price)
                continue
            direction = (1.0 - self._taken(price, liked)) + 0.4 * direction
            target = self.cost if math.isfinite(self.cost) else bound + 0.05 * abs(bound) + 1.0
            price = price + theta * max(target - bound, 1e-9) / max(float(direction @ direction), 1e-9) * direction

    def polish(self, ends: float) -> None:
        """Exchange one site for another, those that the bound likes first, while the cost falls."""
        order = np.argsort(-self.profit, kind="stable")
        better = self.sites is not None
        while better:
            better = False
            for k in order:
                if time.perf_counter() >= ends or self.sites is None:
                    return
                if k in self.sites:
                    continue
                before = self.cost
                for gone in tuple(self.sites):
                    self._try(np.append(self.sites[self.sites != gone], k))
                    if self.cost < before:
                        better = True
                        break

    def _try(self, liked: np.ndarray) -> None:
        place = np.empty(self.matrix.n_demand, dtype=np.int64)
        cost = float(assign(self.table, self.matrix.demand, _room(self.matrix), liked, place))
        if cost < self.cost:
            self.cost, self.sites = cost, np.sort(liked)

    def proven(self) -> bool:
        """True where the bound meets the cost."""
        return math.isfinite(self.cost) and self.cost - self.bound <= 1e-9 * abs(self.cost)

    def useful(self) -> np.ndarray:
        """Pairs that an answer better than the one at hand may use, by their reduced cost.

        With pair (i, k) used, site k is open and earns at most profit_k - (cost_ik - price_i)+.
        """
        if not math.isfinite(self.cost) or self.matrix.n_sites <= self.p:
            return np.ones(self.row.size, bool)
        last = np.sort(self.profit)[-self.p]
        opened = self.bound + np.maximum(last - self.profit, 0.0)
        pair_cost = self.table[self.row, self.matrix.site]
        least = opened[self.matrix.site] + np.maximum(pair_cost - self.best_price[self.row], 0.0)
        return np.asarray(least <= self.cost + 1e-9 * abs(self.cost))
