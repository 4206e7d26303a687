"""People within reach under a budget or distances: the covering model itself, by HiGHS."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import block_array, csr_array, eye_array

from coopconnect.siting.apart import limits
from coopconnect.siting.locate.highs import Model, minimise
from coopconnect.siting.search import Problem, State


def constrained_covering(
    problem: Problem, chosen: np.ndarray, value: float, seconds: float, stopped: Callable[[], bool]
) -> tuple[np.ndarray, float, float]:
    """The best set found, its worth and a bound on every set, for rows whose values are all equal.

    max sum w_r z_r, z_r <= sum of the x of its sites, number, budget and distances as `limits` has them, 0 <= z <= 1,
    x 0 or 1. `chosen` is a set to begin with, of worth `value`.
    """
    rows = problem.rows
    sites = np.flatnonzero(problem.allowed | problem.fixed)
    column = np.full(problem.allowed.size, -1)
    column[sites] = np.arange(sites.size)
    usable = column[rows.site] >= 0
    row = np.repeat(np.arange(rows.start.size - 1), np.diff(rows.start))[usable]
    filled, line = np.unique(row, return_inverse=True)
    weight = np.zeros(filled.size)
    weight[line] = rows.value[usable]
    n, m = filled.size, sites.size
    most, high = limits(problem)
    inside = chosen[sites].astype(float)
    reached = np.minimum(np.bincount(line, weights=inside[column[rows.site[usable]]], minlength=n), 1.0)
    served = csr_array((-np.ones(line.size), (line, column[rows.site[usable]])), shape=(n, m))
    solution = minimise(
        Model(
            cost=np.concatenate([-weight, np.zeros(m)]),
            low=np.concatenate([np.zeros(n), problem.fixed[sites].astype(float)]), high=np.ones(n + m),
            whole=np.concatenate([np.zeros(n, bool), np.ones(m, bool)]),
            matrix=block_array([[eye_array(n), served], [None, most[:, sites]]], format="csr"),
            row_low=np.full(n + high.size, -np.inf), row_high=np.concatenate([np.zeros(n), high]),
        ),
        seconds, np.concatenate([reached, inside]), stopped=stopped,
    )  # fmt: skip
    if solution.x is not None:
        other = np.zeros(chosen.size, bool)
        other[sites[solution.x[n:] > 0.5]] = True
        worth = State(problem, other).exact()
        if worth > value and problem.allows(other):
            chosen, value = other, worth
    return chosen, value, value if solution.done else max(value, -solution.bound)
