"""People within reach under a budget or distances: the covering model itself, by HiGHS."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array

from coopconnect.siting.locate.highs import Model, minimise
from coopconnect.siting.search import Problem, State


def constrained_covering(
    problem: Problem, chosen: np.ndarray, value: float, seconds: float, stopped: Callable[[], bool]
) -> tuple[np.ndarray, float, float]:
    """The best set found, its worth and a bound on every set, for rows whose values are all equal.

    max sum w_r z_r, z_r <= sum of the x of its sites, sum of the new x <= number, sum of price x <= budget,
    x_i + x_j <= 1 for two that are too close, 0 <= z <= 1, x 0 or 1. `chosen` is a set to begin with, of worth `value`.
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
    one = np.repeat(np.arange(problem.allowed.size), np.diff(problem.conflict_start))
    two = problem.conflict_site
    close = (one < two) & (column[one] >= 0) & (column[two] >= 0) & ~(problem.existing[one] & problem.existing[two])
    one, two = column[one[close]], column[two[close]]
    new = np.flatnonzero(~problem.existing[sites])
    rich = np.isfinite(problem.budget)
    lines = [np.arange(n), line, np.full(new.size, n), np.full(m if rich else 0, n + 1)]
    columns = [np.arange(n), n + column[rows.site[usable]], n + new, n + np.arange(m if rich else 0)]
    data = [np.ones(n), -np.ones(line.size), np.ones(new.size), problem.price[sites] if rich else np.zeros(0)]
    pairs = n + 1 + int(rich) + np.arange(one.size)
    lines += [pairs, pairs]
    columns += [n + one, n + two]
    data += [np.ones(one.size), np.ones(one.size)]
    count = n + 1 + int(rich) + one.size
    money = [problem.budget] if rich else []
    limits = np.concatenate([np.zeros(n), [problem.most_new], np.asarray(money, dtype=float), np.ones(one.size)])
    inside = chosen[sites].astype(float)
    reached = np.minimum(np.bincount(line, weights=inside[column[rows.site[usable]]], minlength=n), 1.0)
    solution = minimise(
        Model(
            cost=np.concatenate([-weight, np.zeros(m)]),
            low=np.concatenate([np.zeros(n), problem.fixed[sites].astype(float)]), high=np.ones(n + m),
            whole=np.concatenate([np.zeros(n, bool), np.ones(m, bool)]),
            matrix=csr_array(
                (np.concatenate(data), (np.concatenate(lines), np.concatenate(columns))), shape=(count, n + m)
            ),
            row_low=np.full(count, -np.inf), row_high=limits,
        ),
        seconds, np.concatenate([reached, inside]), stopped=stopped,
    )  # fmt: skip
    if solution.x is not None:
        other = np.zeros(chosen.size, bool)
        other[sites[solution.x[n:] > 0.5]] = True
        worth = State(problem, other).exact()
        if worth > value and float(problem.price[other].sum()) <= problem.budget:
            chosen, value = other, worth
    return chosen, value, value if solution.done else max(value, -solution.bound)
