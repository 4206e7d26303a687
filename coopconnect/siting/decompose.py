"""The tight bound: each home zone chooses its own hubs at a price, and the prices are moved until zones agree.

Give every zone its own copy of the openings, and price their agreement (Lagrangian decomposition). For any prices
pi_ik of zone i for site k,

    L = sum over zones of max over subsets P of its sites in reach (worth_i(P) - sum of pi_ik over P)
        + the best openings at sum over zones of pi_ik

is at least the worth of any plan. It is the bound of the concave closure of each zone's worth: nothing separable by zone
is tighter. The subsets are searched with pruning; where a search is cut short, its own upper bound stands in.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import njit

from coopconnect.siting import kernels
from coopconnect.siting.bound import ROUNDING, best_openings
from coopconnect.siting.kernels import term
from coopconnect.siting.locate.types import PROVED
from coopconnect.siting.search import Problem, State

MOST_NODES = 3000
_STACK = 512
_WIDEST = 64
STEPS = 12
_PATIENCE = 8
LOSS = 0.3


@njit(cache=True, nogil=True, error_model="numpy")
def most_gain(
    zone_start: np.ndarray, odds: np.ndarray, cost: np.ndarray, whole: np.ndarray, flow_start: np.ndarray,
    office: np.ndarray, office_share: np.ndarray, home: np.ndarray, days: np.ndarray, avoided: np.ndarray,
    constant: np.ndarray, unsuitable: float, out: np.ndarray,
) -> None:  # fmt: skip
    """The most that a pair can add to its zone once T is at least the g-th step of `whole`: out (n_pairs, STEPS).

    Adding odds h at cost a to sums T and M gains m h ((b - a) D + M - a T) / ((D + T) (D + T + h)), and M <= a_max T.
    Between two steps of T, numerator and denominator are each taken at their better end. whole: T of a zone when all
    its sites are open; step g is whole * (g / STEPS) ** 2.
    """
    for i in range(zone_start.size - 1):
        dearest = -np.inf
        for p in range(zone_start[i], zone_start[i + 1]):
            dearest = max(dearest, cost[p])
        for p in range(zone_start[i], zone_start[i + 1]):
            h, a = odds[p], cost[p]
            for g in range(STEPS - 1, -1, -1):
                low, high = whole[i] * (g / STEPS) ** 2, whole[i] * ((g + 1) / STEPS) ** 2
                total = 0.0
                for f in range(flow_start[i], flow_start[i + 1]):
                    for segment in range(2):
                        m, b, d = term(segment, f, i, office, office_share, home, days, avoided, constant, unsuitable)
                        above = (b - a) * d + (dearest - a) * high
                        at = low if above > 0.0 else high
                        total += m * above / ((d + at) * (d + at + h))
                out[p, g] = max(0.0, total * h)
                if g + 1 < STEPS:
                    out[p, g] = max(out[p, g], out[p, g + 1])


@njit(cache=True, nogil=True)
def _rest(order: np.ndarray, r: int, most: np.ndarray, price: np.ndarray, g: int) -> float:
    """What the pairs from rank r on can still add at step g, prices paid."""
    total = 0.0
    for q in range(r, order.size):
        total += max(0.0, most[order[q], g] - price[order[q]])
    return total


@njit(cache=True, nogil=True)
def choose_subsets(
    zone_start: np.ndarray, odds: np.ndarray, cost: np.ndarray, price: np.ndarray, most: np.ndarray,
    usable: np.ndarray, whole: np.ndarray, base_total: np.ndarray, base_spent: np.ndarray, flow_start: np.ndarray,
    office: np.ndarray, office_share: np.ndarray, home: np.ndarray, days: np.ndarray, avoided: np.ndarray,
    constant: np.ndarray, unsuitable: float, most_nodes: int, taken: np.ndarray,
) -> float:  # fmt: skip
    """Sum over zones of the best worth less prices; `taken` marks the pairs of the subset found in each zone.

    Depth first over the pairs of a zone, those of largest possible gain first; a branch is left where the gains still
    possible cannot beat the best. After `most_nodes` the largest bound of a branch still open counts.
    """
    total = 0.0
    at, at_t, at_m, at_v = np.empty(_STACK, np.int64), np.empty(_STACK), np.empty(_STACK), np.empty(_STACK)
    at_c = np.empty(_STACK)
    picked = np.zeros((_STACK, _WIDEST), dtype=np.bool_)
    for i in range(zone_start.size - 1):
        first, last = zone_start[i], zone_start[i + 1]
        taken[first:last] = False
        keys = np.empty(last - first)
        n = 0
        for p in range(first, last):
            keys[p - first] = np.inf
            if usable[p] and most[p, 0] > price[p]:
                keys[p - first] = price[p] - most[p, 0]
                n += 1
        order = np.argsort(keys)[:n] + first
        base = kernels.zone_worth(
            i, base_total[i], base_spent[i], flow_start, office, office_share, home, days, avoided, constant, unsuitable
        )  # fmt: skip
        if n > _WIDEST:  # too many to search: the gains added up bound it
            total += base + _rest(order, 0, most, price, 0)
            continue
        best, cut, nodes, top = base, -np.inf, 0, 1
        at[0], at_t[0], at_m[0], at_c[0], at_v[0] = 0, base_total[i], base_spent[i], 0.0, base
        picked[0, :] = False
        while top > 0:
            top -= 1
            r, t, m, c, value = at[top], at_t[top], at_m[top], at_c[top], at_v[top]
            g = min(STEPS - 1, int(STEPS * np.sqrt(t / whole[i]) * (1.0 - 1e-9))) if whole[i] > 0.0 else 0
            possible = value + _rest(order, r, most, price, g)
            if r == n or possible <= best:
                continue
            if nodes >= most_nodes or top + 2 >= _STACK:
                cut = max(cut, possible)
                continue
            nodes += 1
            p = order[r]
            t2, m2, c2 = t + odds[p], m + odds[p] * cost[p], c + price[p]
            new = kernels.zone_worth(
                i, t2, m2, flow_start, office, office_share, home, days, avoided, constant, unsuitable
            ) - c2  # fmt: skip
            picked[top + 1, :n] = picked[top, :n]
            picked[top + 1, r] = True
            at[top] = r + 1
            at[top + 1], at_t[top + 1], at_m[top + 1], at_c[top + 1], at_v[top + 1] = r + 1, t2, m2, c2, new
            if new > best:
                best = new
                for q in range(n):
                    taken[order[q]] = picked[top + 1, q]
            top += 2
        total += max(best, cut)
    return total


class Decomposition:
    """Prices of one problem and the bound they give; each round tightens it."""

    def __init__(self, problem: Problem, chosen: np.ndarray, possible: np.ndarray) -> None:
        self.problem, self.possible = problem, possible.copy()
        n = problem.network
        self.odds, self.cost = n.odds[n.order], n.cost[n.order]
        self.choice: tuple[Any, ...] = (*n.flows, n.avoided, n.constant, n.unsuitable)
        self.zone = np.repeat(np.arange(n.zone_start.size - 1), np.diff(n.zone_start))
        self.whole = np.bincount(self.zone, weights=self.odds, minlength=n.zone_start.size - 1)
        self.most = np.empty((self.odds.size, STEPS))
        most_gain(n.zone_start, self.odds, self.cost, self.whole, *self.choice, self.most)  # type: ignore[call-arg]
        fixed = problem.fixed[n.zone_site]
        zones = n.zone_start.size - 1
        self.base_total = np.bincount(self.zone[fixed], weights=self.odds[fixed], minlength=zones)
        self.base_spent = np.bincount(
            self.zone[fixed], weights=self.odds[fixed] * self.cost[fixed], minlength=zones
        )  # fmt: skip
        self.free = ~fixed
        start = self._marginal(chosen)
        self.price = np.where(self.free, np.where(start < 0.0, LOSS * start, start), 0.0)
        self.best, self.best_price = np.inf, self.price.copy()
        self.theta, self.idle = 0.6, 0
        self.direction = np.zeros(self.price.size)

    def _marginal(self, chosen: np.ndarray) -> np.ndarray:
        """What each pair adds to its zone beside the set at hand: where the prices start."""
        n = self.problem.network
        state = State(self.problem, chosen)
        inside = chosen[n.zone_site]
        sign = np.where(inside, -1.0, 1.0)
        total, spent = state.total[self.zone], state.spent[self.zone]
        worth = np.empty(self.zone.size)
        pair_worths(  # type: ignore[call-arg]
            self.zone, total + sign * self.odds, spent + sign * self.odds * self.cost, *self.choice, worth
        )  # fmt: skip
        return np.asarray(sign * (worth - state.worth[self.zone]))

    def round(self, value: float, fix: bool) -> float:
        """One step of the prices; returns the best bound so far and keeps the sites that a better set may hold."""
        n, p = self.problem.network, self.problem
        usable = self.free & self.possible[n.zone_site]
        taken = np.zeros(self.price.size, bool)
        zones = choose_subsets(  # type: ignore[call-arg]
            n.zone_start, self.odds, self.cost, self.price, self.most, usable, self.whole, self.base_total, self.base_spent,
            *self.choice, MOST_NODES, taken,
        )  # fmt: skip
        earned_by = np.bincount(n.zone_site, weights=np.where(self.free, self.price, 0.0), minlength=n.n_sites)
        earned, y = best_openings(p, self.possible, earned_by)
        bound = float(zones + earned) + ROUNDING * (abs(zones) + abs(earned))
        if fix:
            self._leave_out(earned_by, bound, value)
        self.idle = 0 if bound < self.best * (1.0 - 1e-7) else self.idle + 1
        if bound < self.best:
            self.best, self.best_price = bound, self.price.copy()
        if self.idle >= _PATIENCE:
            self.idle, self.theta = 0, 0.6 * self.theta
            self.price, self.direction = self.best_price.copy(), np.zeros_like(self.direction)
            return self.best
        slope = np.where(usable, y[n.zone_site] - taken, 0.0)
        self.direction = slope + 0.4 * self.direction
        norm = float(self.direction @ self.direction)
        if norm > 0.0:
            self.price = self.price - self.theta * max(bound - value, 1e-9 * abs(value)) / norm * self.direction
        return self.best

    def _leave_out(self, earned_by: np.ndarray, bound: float, value: float) -> None:
        p = self.problem
        left = p.most_new - int((p.fixed & ~p.existing).sum())
        free = np.flatnonzero(self.possible & ~p.fixed)
        if np.isfinite(p.budget) or free.size <= left or left <= 0:
            return
        last = max(float(np.sort(earned_by[free])[-left]), 0.0)
        gone = bound - last + np.minimum(earned_by[free], last) < value * (1.0 + PROVED)
        self.possible[free[gone]] = False


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


def tight_bound(
    problem: Problem,
    chosen: np.ndarray,
    value: float,
    possible: np.ndarray,
    ends: float,
    fix: bool = True,
) -> Iterator[tuple[float, np.ndarray]]:
    """Tighter and tighter bounds, with the sites still possible in a set better than `value` (all where not `fix`)."""
    search = Decomposition(problem, chosen, possible)
    while time.perf_counter() < ends and search.theta > 1e-3:
        yield search.round(value, fix), search.possible
        if search.best <= value * (1.0 + PROVED):
            return
