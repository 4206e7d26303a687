"""Maximal covering finished by HiGHS on what the Lagrangian bound leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from scipy.sparse import csr_array

from coopconnect.siting.locate.highs import Model, minimise
from coopconnect.siting.locate.proof import Found, Search, improved, root
from coopconnect.siting.locate.rows import Rows

LARGEST_PAIRS = 100_000
"""Pairs left up to which the model is given to HiGHS; beyond, the tree of Lagrangian bounds goes on (HiGHS hears no stop, and
knows no bound, until its first linear problem is solved)."""


def improved_covering(
    rows: Rows, p: int, found: Found, seconds: float, seed: int, stopped: Callable[[], bool] = lambda: False
) -> Iterator[Found]:  # fmt: skip
    """Tighter answers of a covering problem (all values of a row are equal), until proven or out of time. HiGHS, which gives
    its answer at the end only, asks `stopped` on its way."""
    ends = time.perf_counter() + seconds
    search = Search(rows, p, found)
    began, took = time.perf_counter(), 0.0
    for step in root(rows, p, found, 0.4 * seconds, seed, search):
        took, began = time.perf_counter() - began, time.perf_counter()
        found = step
        yield found
    if found.proven or time.perf_counter() + took >= ends:  # another step would be late
        return
    search.plant()
    if search.small.row.size > LARGEST_PAIRS:
        yield from improved(rows, p, found, ends - time.perf_counter(), seed, search)
        return
    yield _exact(rows, search, p, found, ends, stopped)


def _exact(
    rows: Rows, search: Search, p: int, found: Found, ends: float, stopped: Callable[[], bool]
) -> Found:  # fmt: skip
    """max sum w_i z_i, z_i <= sum of the y of its sites, sum y = p, on the sites that a better set may hold."""
    small = search.small
    filled = np.flatnonzero(np.diff(small.start) > 0)
    n, m = filled.size, small.n_sites
    lengths = np.diff(small.start)[filled]
    weight = small.value[small.start[filled]]
    line = np.repeat(np.arange(n), lengths)
    data = np.concatenate([np.ones(n), -np.ones(line.size), np.ones(m)])
    lines = np.concatenate([np.arange(n), line, np.full(m, n)])
    columns = np.concatenate([np.arange(n), n + small.site, n + np.arange(m)])
    state = search.tree_state()
    model = Model(
        cost=np.concatenate([-weight, np.zeros(m)]),
        low=np.concatenate([np.zeros(n), (state == 1).astype(float)]), high=np.ones(n + m),
        whole=np.concatenate([np.zeros(n, bool), np.ones(m, bool)]),
        matrix=csr_array((data, (lines, columns)), shape=(n + 1, n + m)),
        row_low=np.concatenate([np.full(n, -np.inf), [p]]), row_high=np.concatenate([np.zeros(n), [p]]),
    )  # fmt: skip
    inside = found.chosen[search.kept].astype(float)
    reached = np.minimum(np.bincount(line, weights=inside[small.site], minlength=n), 1.0)
    start = np.concatenate([reached, inside]) if inside.sum() == p else None
    solution = minimise(model, ends - time.perf_counter(), start, stopped=stopped)
    chosen, value = found.chosen, found.value
    if solution.x is not None:
        other = np.zeros(rows.n_sites, bool)
        other[search.kept[solution.x[n:] > 0.5]] = True
        other_value = search.value_of(other)
        if other.sum() == p and other_value > value:
            chosen, value = other, other_value
    bound = value if solution.done else min(found.bound, max(value, -solution.bound))
    return Found(chosen, value, bound)
