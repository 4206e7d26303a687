"""Dijkstra from each of many points until it has met all those that are asked of it."""

from __future__ import annotations

import heapq

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def search(
    origins: np.ndarray, first: np.ndarray, targets: np.ndarray, start: np.ndarray, neighbour: np.ndarray,
    cost: np.ndarray, out: np.ndarray,
) -> None:  # fmt: skip
    """out: cost of the cheapest path from origins[r] to each target from first[r] to first[r + 1]; infinite without one."""
    n = start.size - 1
    known = np.full(n, np.inf)
    wanted = np.zeros(n, np.uint8)  # 1: asked, 2: met
    touched = np.empty(n, np.int64)
    for r in range(origins.size):
        left, count = 0, 1
        for p in range(first[r], first[r + 1]):
            if wanted[targets[p]] == 0:
                wanted[targets[p]] = 1
                left += 1
        known[origins[r]] = 0.0
        touched[0] = origins[r]
        heap = [(0.0, origins[r])]
        while left > 0 and len(heap) > 0:
            so_far, u = heapq.heappop(heap)
            if so_far > known[u]:
                continue
            if wanted[u] == 1:
                wanted[u] = 2
                left -= 1
            for q in range(start[u], start[u + 1]):
                v = np.int64(neighbour[q])
                total = so_far + cost[q]
                if total < known[v]:
                    if known[v] == np.inf:
                        touched[count] = v
                        count += 1
                    known[v] = total
                    heapq.heappush(heap, (total, v))
        for p in range(first[r], first[r + 1]):
            out[p] = known[targets[p]] if wanted[targets[p]] == 2 else np.inf
        for p in range(first[r], first[r + 1]):
            wanted[targets[p]] = 0
        for k in range(count):
            known[touched[k]] = np.inf
