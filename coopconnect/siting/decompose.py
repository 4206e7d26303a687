"""The tight bound by prices (`prices`): the subsets of each zone are searched.

It is the bound of the concave closure of each zone's worth: nothing separable by zone is tighter. The search prunes;
where it is cut short, its own upper bound stands in.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from coopconnect.siting import kernels
from coopconnect.siting.kernels import term
from coopconnect.siting.prices import Prices
from coopconnect.siting.search import Problem

MOST_NODES = 3000
_STACK = 512
_WIDEST = 64
STEPS = 12


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
        taken[first:last] = 0.0
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
                    taken[order[q]] = 1.0 if picked[top + 1, q] else 0.0
            top += 2
        total += max(best, cut)
    return total


class Subsets(Prices):
    """Prices of a territory small enough for the subsets of its zones to be searched."""

    step = 0.6

    def __init__(self, problem: Problem, chosen: np.ndarray, possible: np.ndarray) -> None:
        super().__init__(problem, chosen, possible)
        self.most = np.empty((self.odds.size, STEPS))
        most_gain(problem.network.zone_start, self.odds, self.cost, self.whole, *self.choice, self.most)  # type: ignore[call-arg]

    def zones(self, usable: np.ndarray, taken: np.ndarray) -> float:
        """See `Prices.zones`."""
        return float(choose_subsets(  # type: ignore[call-arg]
            self.problem.network.zone_start, self.odds, self.cost, self.price, self.most, usable, self.whole,
            self.base_total, self.base_spent, *self.choice, MOST_NODES, taken,
        ))  # fmt: skip
