"""The best openings where some sites exclude one another or money is short, by HiGHS."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from coopconnect.siting.bound import best_openings
from coopconnect.siting.locate.highs import Model, minimise
from coopconnect.siting.search import Problem

LONGEST_S = 2.0
"""Seconds given to one model; what it has proven by then still bounds the openings."""


def limits(problem: Problem) -> tuple[csr_array, np.ndarray]:
    """Rows over all sites, and what each sum may not pass: groups of sites of which one may be open, number, money."""
    groups = _groups(problem)
    sites = np.arange(problem.allowed.size)
    lines = [np.repeat(np.arange(len(groups)), [len(g) for g in groups]), np.full(sites.size, len(groups))]
    columns = [np.array([k for g in groups for k in g], dtype=np.int64), sites]
    data = [np.ones(lines[0].size), (~problem.existing).astype(float)]
    high = [np.ones(len(groups)), np.array([problem.most_new], dtype=float)]
    if np.isfinite(problem.budget):
        lines.append(np.full(sites.size, len(groups) + 1))
        columns.append(sites)
        data.append(problem.price)
        high.append(np.array([problem.budget]))
    most = np.concatenate(high)
    where = (np.concatenate(lines), np.concatenate(columns))
    return csr_array((np.concatenate(data), where), shape=(most.size, sites.size)), most


class Exclusive:
    """Openings of a problem with distances or a budget: sites that all exclude one another share one constraint."""

    def __init__(self, problem: Problem) -> None:
        self.matrix, self.high = limits(problem)

    def openings(self, problem: Problem, possible: np.ndarray, slope: np.ndarray) -> tuple[float, np.ndarray]:
        """What `best_openings` gives, with every constraint at once: at least the most that sites 0 or 1 can earn, and such
        sites. problem: this one with other sites fixed."""
        fixed = problem.fixed
        usable = possible & (fixed | (slope > 0.0))
        columns = np.flatnonzero(usable)
        solution = minimise(
            Model(
                cost=-slope[columns], low=fixed[columns].astype(float), high=np.ones(columns.size),
                whole=np.ones(columns.size, bool), matrix=csr_array(self.matrix[:, columns]),
                row_low=np.full(self.high.size, -np.inf), row_high=self.high,
            ),
            LONGEST_S,
        )  # fmt: skip
        loose, y = best_openings(problem, possible, slope)
        if solution.x is not None:
            y = np.zeros(slope.size)
            y[columns[solution.x > 0.5]] = 1.0
        return min(loose, -solution.bound), y


def _groups(problem: Problem) -> list[list[int]]:
    """Sites that exclude one another, in groups that hold every such pair; sites that stay whatever is asked are left aside."""
    near = [set(problem.conflicts(k).tolist()) for k in range(problem.allowed.size)]
    seen: set[tuple[int, int]] = set()
    groups = []
    for k in range(problem.allowed.size):
        for j in sorted(near[k]):
            if j < k or (k, j) in seen or (problem.existing[k] and problem.existing[j]):
                continue
            group = [k, j]
            for other in sorted(near[k] & near[j], key=lambda o: (-len(near[o]), o)):
                if not problem.existing[other] and near[other].issuperset(group):
                    group.append(other)
            group.sort()
            seen.update((a, b) for r, a in enumerate(group) for b in group[r + 1 :])
            groups.append(group)
    return groups
