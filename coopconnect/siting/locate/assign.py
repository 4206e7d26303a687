"""Compiled loops of the capacitated p-median: whole demands to sites of limited capacity."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def knapsacks(cost: np.ndarray, price: np.ndarray, size: np.ndarray, room: np.ndarray, profit: np.ndarray) -> None:
    """Fill profit_k, the most that site k can earn: max sum of (price_i - cost_ik) over demands whose sizes fit.

    Exact by dynamic programming where sizes and rooms are whole numbers (`size`, `room` int64 and positive).
    """
    best = np.empty(room.max() + 1)
    for k in range(room.size):
        best[:] = 0.0
        for i in range(size.size):
            gain = price[i] - cost[i, k]
            if gain > 0.0 and size[i] <= room[k]:
                for q in range(room[k], size[i] - 1, -1):
                    best[q] = max(best[q], best[q - size[i]] + gain)
        profit[k] = best[room[k]]


@njit(cache=True, nogil=True)
def knapsack_items(
    cost: np.ndarray, price: np.ndarray, size: np.ndarray, room: int, k: int, taken: np.ndarray
) -> None:  # fmt: skip
    """Add 1 to taken_i for each demand of the best knapsack of site k (whole sizes)."""
    best = np.zeros(room + 1)
    used = np.zeros((size.size, room + 1), dtype=np.bool_)
    for i in range(size.size):
        gain = price[i] - cost[i, k]
        if gain > 0.0 and size[i] <= room:
            for q in range(room, size[i] - 1, -1):
                if best[q - size[i]] + gain > best[q]:
                    best[q] = best[q - size[i]] + gain
                    used[i, q] = True
    q = room
    for i in range(size.size - 1, -1, -1):
        if used[i, q]:
            taken[i] += 1.0
            q -= size[i]


@njit(cache=True, nogil=True)
def fractional_items(
    cost: np.ndarray, price: np.ndarray, size: np.ndarray, room: float, k: int, taken: np.ndarray
) -> None:  # fmt: skip
    """The same for the knapsack whose last demand is cut."""
    n = size.size
    rate = np.empty(n)
    for i in range(n):
        gain = price[i] - cost[i, k]
        rate[i] = gain / max(size[i], 1e-12) if gain > 0.0 else -1.0
    for i in np.argsort(-rate):
        if rate[i] <= 0.0 or room <= 0.0:
            return
        part = min(1.0, room / size[i]) if size[i] > 0.0 else 1.0
        taken[i] += part
        room -= part * size[i]


@njit(cache=True, nogil=True)
def fractional_knapsacks(
    cost: np.ndarray, price: np.ndarray, size: np.ndarray, room: np.ndarray, profit: np.ndarray
) -> None:
    """The same with the last demand cut (Dantzig's bound): at least what whole demands can earn, any sizes."""
    n = size.size
    for k in range(room.size):
        rate = np.empty(n)
        for i in range(n):
            gain = price[i] - cost[i, k]
            rate[i] = gain / max(size[i], 1e-12) if gain > 0.0 else -1.0
        left, total = room[k], 0.0
        for i in np.argsort(-rate):
            if rate[i] <= 0.0:
                break
            gain = price[i] - cost[i, k]
            if size[i] <= left:
                left -= size[i]
                total += gain
            else:
                total += gain * left / size[i]
                break
        profit[k] = total


@njit(cache=True, nogil=True)
def assign(cost: np.ndarray, size: np.ndarray, room: np.ndarray, sites: np.ndarray, place: np.ndarray) -> float:
    """Give each demand to one of `sites`: largest regret first, then moves and exchanges while the cost falls.

    Fills place (n,) with the rank in `sites`; returns the cost, infinite where it found no room.
    """
    n, p = size.size, sites.size
    left = np.empty(p)
    for r in range(p):
        left[r] = room[sites[r]]
    place[:] = -1
    for _ in range(n):
        pick, where, most = -1, -1, -np.inf
        for i in range(n):
            if place[i] >= 0:
                continue
            one, two, best = np.inf, np.inf, -1
            for r in range(p):
                if size[i] <= left[r]:
                    c = cost[i, sites[r]]
                    if c < one:
                        one, two, best = c, one, r
                    elif c < two:
                        two = c
            if best < 0:
                return np.inf
            regret = (two - one) if two < np.inf else 1e18
            regret += 1e-6 * size[i]
            if regret > most:
                pick, where, most = i, best, regret
        place[pick] = where
        left[where] -= size[pick]
    better = True
    while better:
        better = False
        for i in range(n):
            a = place[i]
            for r in range(p):
                if size[i] <= left[r] and cost[i, sites[r]] < cost[i, sites[a]] - 1e-12:
                    left[a] += size[i]
                    left[r] -= size[i]
                    place[i] = a = r
                    better = True
            for j in range(i):
                b = place[j]
                if b == a or size[i] > left[b] + size[j] or size[j] > left[a] + size[i]:
                    continue
                now = cost[i, sites[a]] + cost[j, sites[b]]
                if cost[i, sites[b]] + cost[j, sites[a]] < now - 1e-12:
                    left[a] += size[i] - size[j]
                    left[b] += size[j] - size[i]
                    place[i], place[j] = b, a
                    a = b
                    better = True
    total = 0.0
    for i in range(n):
        total += cost[i, sites[place[i]]]
    return total
