"""A quick bound by prices (`prices`): the most of each zone from its sum of hub odds, cut into stretches.

With T and M as in `kernels`, a zone is worth A(T) - w(T) M, where A = sum m b T / (D + T) is concave (terms whose b is
below 0 are put into their chord) and w = sum m / (D + T) falls. On a stretch low <= T <= high, A lies under its tangent
at the middle and w between its two ends, so that the worth less prices is at most a linear function of the openings: its
most, with T kept in the stretch, is a knapsack in parts. The stretch that promises most is cut again, round after round.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

from coopconnect.siting.kernels import term
from coopconnect.siting.prices import Prices
from coopconnect.siting.search import Problem

MOST_STRETCHES = 28
"""Into how many stretches the sum of odds of a zone is cut at most."""

_FIRST_STRETCHES = 4
_CUTS_A_ROUND = 3
_THREADS = 2
NEAR = 1e-3
"""Share of a zone's worth within which a stretch is not cut again."""


@njit(cache=True, nogil=True, error_model="numpy")
def _piece(
    low: float, high: float, i: int, flow_start: np.ndarray, office: np.ndarray, office_share: np.ndarray,
    home: np.ndarray, days: np.ndarray, avoided: np.ndarray, constant: np.ndarray, unsuitable: float,
) -> tuple[float, float, float, float]:  # fmt: skip
    """A at T = 0 by its tangent, its slope, w at both ends."""
    middle = 0.5 * (low + high)
    value = slope = first = last = 0.0
    for f in range(flow_start[i], flow_start[i + 1]):
        for segment in range(2):
            m, b, d = term(segment, f, i, office, office_share, home, days, avoided, constant, unsuitable)
            at_low, at_high = m / (d + low), m / (d + high)
            first += at_low
            last += at_high
            if b >= 0.0:
                r = 1.0 / (d + middle)
                value += m * b * middle * middle * r * r  # A(c) - c A'(c)
                slope += m * b * d * r * r
            else:
                slope += b * at_high
    return value, slope, first, last


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(
    low: float, high: float, base_total: float, base_spent: float, n: int, odds: np.ndarray, cost: np.ndarray,
    price: np.ndarray, pieces: np.ndarray, gain: np.ndarray, part: np.ndarray,
) -> float:  # fmt: skip
    """The most of the linear function with T in the stretch; `part` is what is opened of each pair."""
    value, slope, first, last = pieces[0], pieces[1], pieces[2], pieces[3]
    best = value + slope * base_total - (last if base_spent > 0.0 else first) * base_spent
    total = base_total
    for q in range(n):
        gain[q] = odds[q] * (slope - (last if cost[q] > 0.0 else first) * cost[q]) - price[q]
        part[q] = 1.0 if gain[q] > 0.0 else 0.0
        if gain[q] > 0.0:
            best += gain[q]
            total += odds[q]
    while total > high or total < low:
        above = total > high
        found, least = -1, np.inf
        for q in range(n):
            if (part[q] == 1.0) == above and (part[q] == 0.0) != above:
                loss = gain[q] / odds[q] if above else -gain[q] / odds[q]
                if loss < least:
                    found, least = q, loss
        if found < 0:  # rounding
            break
        move = min(1.0, (total - high if above else low - total) / odds[found])
        part[found] = 1.0 - move if above else move
        best -= move * odds[found] * least
        total += -move * odds[found] if above else move * odds[found]
        if move < 1.0:
            break
    return best


@njit(cache=True, nogil=True, error_model="numpy")
def first_stretches(
    base_total: np.ndarray, whole: np.ndarray, flow_start: np.ndarray, office: np.ndarray, office_share: np.ndarray,
    home: np.ndarray, days: np.ndarray, avoided: np.ndarray, constant: np.ndarray, unsuitable: float,
    ends: np.ndarray, pieces: np.ndarray,
) -> None:  # fmt: skip
    """By zone, the first stretches from `base_total` to `whole`: ends (n_zones, MOST_STRETCHES, 2), `_piece` of each."""
    for i in range(whole.size):
        for g in range(_FIRST_STRETCHES):
            for side in range(2):
                share = ((g + side) / _FIRST_STRETCHES) ** 2
                ends[i, g, side] = base_total[i] + max(0.0, whole[i] - base_total[i]) * share
            pieces[i, g, 0], pieces[i, g, 1], pieces[i, g, 2], pieces[i, g, 3] = _piece(
                ends[i, g, 0], ends[i, g, 1], i, flow_start, office, office_share, home, days, avoided, constant, unsuitable
            )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def choose_parts(
    first_zone: int, last_zone: int, zone_start: np.ndarray, odds: np.ndarray, cost: np.ndarray, price: np.ndarray,
    usable: np.ndarray, base_total: np.ndarray, base_spent: np.ndarray, ends: np.ndarray, pieces: np.ndarray,
    count: np.ndarray, flow_start: np.ndarray, office: np.ndarray, office_share: np.ndarray, home: np.ndarray,
    days: np.ndarray, avoided: np.ndarray, constant: np.ndarray, unsuitable: float, taken: np.ndarray,
) -> float:  # fmt: skip
    """Sum over zones of at least the worth less prices of any subset of their usable pairs; `taken` is what is opened
    of each pair where that most lies. Stretches that are too coarse there are cut for the rounds to come."""
    total = 0.0
    widest = 1
    for i in range(first_zone, last_zone):
        widest = max(widest, zone_start[i + 1] - zone_start[i])
    h, a, cash, gain = np.empty(widest), np.empty(widest), np.empty(widest), np.empty(widest)
    parts, mosts = np.empty((MOST_STRETCHES, widest)), np.empty(MOST_STRETCHES)
    at = np.empty(widest, np.int64)
    for i in range(first_zone, last_zone):
        n = 0
        reach, base, spent = base_total[i], base_total[i], base_spent[i]
        for p in range(zone_start[i], zone_start[i + 1]):
            taken[p] = 0.0
            if usable[p]:
                at[n], h[n], a[n], cash[n] = p, odds[p], cost[p], price[p]
                reach += odds[p]
                n += 1
        for g in range(count[i]):
            mosts[g] = -np.inf
            if ends[i, g, 0] <= reach * (1.0 + 1e-9):
                mosts[g] = _fill(
                    ends[i, g, 0], ends[i, g, 1], base, spent, n, h, a, cash, pieces[i, g], gain, parts[g]
                )  # fmt: skip
        cuts = 0
        while True:
            g = int(np.argmax(mosts[: count[i]]))
            moved, t = spent, base
            for q in range(n):
                moved += parts[g, q] * h[q] * a[q]
                t += parts[g, q] * h[q]
            loose = (pieces[i, g, 2] - pieces[i, g, 3]) * abs(moved)
            worth = pieces[i, g, 0] + pieces[i, g, 1] * t
            if cuts == _CUTS_A_ROUND or count[i] == MOST_STRETCHES or loose <= NEAR * worth:
                break
            cuts += 1
            new = count[i]
            count[i] += 1
            middle = 0.5 * (ends[i, g, 0] + ends[i, g, 1])
            ends[i, new, 0], ends[i, new, 1], ends[i, g, 1] = middle, ends[i, g, 1], middle
            for k in (g, new):
                pieces[i, k, 0], pieces[i, k, 1], pieces[i, k, 2], pieces[i, k, 3] = _piece(
                    ends[i, k, 0], ends[i, k, 1], i, flow_start, office, office_share, home, days, avoided, constant,
                    unsuitable,
                )  # fmt: skip
                mosts[k] = -np.inf
                if ends[i, k, 0] <= reach * (1.0 + 1e-9):
                    mosts[k] = _fill(
                        ends[i, k, 0], ends[i, k, 1], base, spent, n, h, a, cash, pieces[i, k], gain, parts[k]
                    )  # fmt: skip
        total += mosts[g]
        for q in range(n):
            taken[at[q]] = parts[g, q]
    return total


class Stretches(Prices):
    """Prices of a territory too large for subsets to be searched."""

    step, fading, memory, patience = 1.2, 0.975, 0.5, 5

    def __init__(self, problem: Problem, chosen: np.ndarray, possible: np.ndarray) -> None:
        super().__init__(problem, chosen, possible)
        zones = self.whole.size
        self.ends, self.pieces = np.zeros((zones, MOST_STRETCHES, 2)), np.zeros((zones, MOST_STRETCHES, 4))
        self.count = np.full(zones, _FIRST_STRETCHES)
        first_stretches(self.base_total, self.whole, *self.choice, self.ends, self.pieces)  # type: ignore[call-arg]
        start = problem.network.zone_start
        self.shares = np.searchsorted(start, np.linspace(0, start[-1], _THREADS + 1))
        self.shares[0], self.shares[-1] = 0, zones

    def zones(self, usable: np.ndarray, taken: np.ndarray) -> float:
        """See `Prices.zones`."""

        def part(first: int, last: int) -> float:
            return float(choose_parts(  # type: ignore[call-arg]
                first, last, self.problem.network.zone_start, self.odds, self.cost, self.price, usable, self.base_total,
                self.base_spent, self.ends, self.pieces, self.count, *self.choice, taken,
            ))  # fmt: skip

        with ThreadPoolExecutor(_THREADS) as threads:
            return sum(threads.map(part, self.shares[:-1], self.shares[1:]))
