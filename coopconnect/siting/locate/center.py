"""p-center: the smallest radius within which p sites serve everybody."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from coopconnect.siting.locate.capacity import Placed
from coopconnect.siting.locate.highs import Model, minimise
from coopconnect.siting.locate.proof import quick, root
from coopconnect.siting.locate.rows import Rows, covering_rows
from coopconnect.siting.locate.types import LocateError, Matrix


def center(matrix: Matrix, p: int, seconds: float, seed: int) -> Placed:
    """Minimise the largest cost from a demand to its nearest chosen site, weights aside.

    The answer is one of the stored costs. Between a radius that is proven too small and one that a set achieves,
    halve: first with the quick covering alone (an answer at once), then with the proofs: the Lagrangian bound on how
    many demands p sites can cover, else HiGHS on the set cover.
    """
    ends = time.perf_counter() + seconds
    lengths = np.diff(matrix.start)
    if (lengths == 0).any():
        raise LocateError(f"cost: demand {int(np.argmin(lengths))} has no link to any site")
    radii = np.unique(matrix.value)
    nearest = np.minimum.reduceat(matrix.value, matrix.start[:-1])
    least = int(np.searchsorted(radii, nearest.max()))
    low, high, sites = least, radii.size, None
    while low < high and (sites is None or time.perf_counter() < ends):
        middle = (low + high) // 2
        found = quick(_unit_rows(matrix, float(radii[middle])), p, 0.05 * seconds, seed, most_starts=4)
        if found.value >= matrix.n_demand - 0.5:
            sites = np.flatnonzero(found.chosen)
            high = min(middle, int(np.searchsorted(radii, _radius(matrix, sites))))
        else:
            low = middle + 1
    low, high, sites = _halved(matrix, p, radii, least, high, sites, ends, seed)
    if low >= radii.size:
        raise LocateError("cost: no set of that many sites is linked to every demand")
    if sites is None:
        return Placed(None, math.inf, float(radii[low]))
    return Placed(_filled(sites, p, matrix.n_sites), float(radii[high]), float(radii[low]))


def _halved(
    matrix: Matrix, p: int, radii: np.ndarray, low: int, high: int, sites: np.ndarray | None, ends: float, seed: int
) -> tuple[int, int, np.ndarray | None]:
    """Halve with proofs. A question not settled in its time is stepped over, upwards then downwards."""
    doubt_low, doubt_high = low, high  # between them no question has been left open
    while low < high and time.perf_counter() < ends:
        middle = (doubt_low + doubt_high) // 2 if doubt_low < doubt_high else (low + doubt_low) // 2
        left = ends - time.perf_counter()
        better, settled = _covered(matrix, p, float(radii[middle]), 0.5 * left, seed)
        if better is not None:
            sites = better
            high = min(middle, int(np.searchsorted(radii, _radius(matrix, sites))))
            doubt_low, doubt_high = min(doubt_low, high), min(doubt_high, high)
        elif settled:
            low = middle + 1
            doubt_low, doubt_high = max(doubt_low, low), max(doubt_high, low)
        elif middle + 1 < doubt_high:
            doubt_low = middle + 1
        else:
            doubt_low, doubt_high = low, middle
            if low >= middle:
                break
    return low, high, sites


def _unit_rows(matrix: Matrix, radius: float) -> Rows:
    return covering_rows(replace(matrix, weight=np.ones(matrix.n_demand)), radius)


def _filled(sites: np.ndarray, p: int, n_sites: int) -> np.ndarray:
    """The set with sites added, lowest first, until there are p: they can only bring somebody nearer."""
    others = np.setdiff1d(np.arange(n_sites), sites)
    return np.sort(np.concatenate([sites, others[: p - sites.size]]))


def _radius(matrix: Matrix, sites: np.ndarray) -> float:
    mask = np.zeros(matrix.n_sites, bool)
    mask[sites] = True
    cost = np.where(mask[matrix.site], matrix.value, np.inf)
    return float(np.minimum.reduceat(cost, matrix.start[:-1]).max())


def _cover(matrix: Matrix, radius: float) -> csr_array:
    """1 where the site serves the demand within the radius."""
    row = np.repeat(np.arange(matrix.n_demand), np.diff(matrix.start))
    keep = matrix.value <= radius
    shape = (matrix.n_demand, matrix.n_sites)
    return csr_array((np.ones(int(keep.sum())), (row[keep], matrix.site[keep])), shape=shape)


def _covered(
    matrix: Matrix, p: int, radius: float, seconds: float, seed: int
) -> tuple[np.ndarray | None, bool]:  # fmt: skip
    """At most p sites that cover everybody within the radius, or None; and whether the question is settled."""
    ends = time.perf_counter() + seconds
    n, m = matrix.n_demand, matrix.n_sites
    rows = _unit_rows(matrix, radius)
    first = quick(rows, p, 0.1 * seconds, seed, most_starts=6)
    for found in root(rows, p, first, 0.15 * seconds, seed):
        if found.value >= n - 0.5:
            return np.flatnonzero(found.chosen), True
        if found.bound < n - 0.5:
            return None, True
    model = Model(
        cost=np.ones(m), low=np.zeros(m), high=np.ones(m), whole=np.ones(m, bool), matrix=_cover(matrix, radius),
        row_low=np.ones(n), row_high=np.full(n, np.inf),
    )  # fmt: skip
    solution = minimise(model, ends - time.perf_counter(), target=float(p))
    if solution.x is not None:
        sites = np.flatnonzero(solution.x > 0.5)
        if sites.size <= p and _radius(matrix, sites) <= radius:
            return sites, True
    return None, solution.bound > p + 1e-6
