"""A bound on plans that counts the neighbours: sites are opened and left out one by one, the most promising first.

A node keeps some sites open and leaves others out; every other site may open, and is worth at most what it can be worth beside
those kept open. The best openings at these ceilings bound every set of the node. The site whose neighbourhood loses most when
the best openings are measured is opened in one child, where the ceilings around it fall, and left out in the other. The bound is
the largest over the nodes left; the measured openings are sets as good as any, and the best of them is kept.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from coopconnect.siting.apart import Exclusive
from coopconnect.siting.bound import ROUNDING, best_openings
from coopconnect.siting.locate.types import PROVED
from coopconnect.siting.search import Problem

Ceilings = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(sites, open sites (n_sites,) bool) -> what each of `sites` can be worth at most beside the open ones, (sites,)."""

Worths = Callable[[np.ndarray], np.ndarray]
"""(open sites (n_sites,) bool) -> what each open one is worth, in their order."""

TOGETHER = 1e-6
"""Share of the worth within which HiGHS has to prove that a node holds nothing better."""


@dataclass(frozen=True, eq=False)
class _Node:
    """What a node changes in its parent: a site opened, with the ceilings of the sites near it, or left out; and its best
    openings. Whole sets would fill the memory of a long search."""

    parent: _Node | None
    site: int
    opened: bool
    near: np.ndarray
    most: np.ndarray
    best: np.ndarray


_NONE = np.zeros(0, dtype=np.int32)


class Tree:
    """The search of one problem. chosen, value: the best set found so far; bound: on every set."""

    def __init__(self, problem: Problem, ceilings: Ceilings, worths: Worths, chosen: np.ndarray, value: float) -> None:
        self.problem, self.ceilings, self.worths = problem, ceilings, worths
        bound_together = (problem.conflict_site.size or np.isfinite(problem.budget)) and problem.few
        self._openings = Exclusive(problem).openings if bound_together else best_openings
        self._met = TOGETHER if bound_together else PROVED
        self._dropped = -np.inf
        self.chosen, self.value = chosen, value
        self._nodes: list[tuple[float, int, _Node]] = []
        self._count = itertools.count()
        self._near: dict[int, np.ndarray] = {}
        self._possible = problem.allowed | problem.fixed
        self._most = np.zeros(self._possible.size)
        sites = np.flatnonzero(self._possible)
        self._most[sites] = ceilings(sites, problem.fixed)
        self._keep(None, -1, False, _NONE, problem.fixed, self._possible, self._most)

    @property
    def bound(self) -> float:
        """What no set passes."""
        return max(self.value, self._dropped, -self._nodes[0][0] if self._nodes else -np.inf)

    def bounds(self, ends: float) -> Iterator[float]:
        """Falling bounds until the best set is proven best, or time is up."""
        yield self.bound
        while self._nodes and time.perf_counter() < ends and self.bound > self.value * (1.0 + PROVED):
            self._part(heapq.heappop(self._nodes)[2])
            yield self.bound

    def _keep(
        self, parent: _Node | None, site: int, opened: bool, near: np.ndarray, fixed: np.ndarray, possible: np.ndarray,
        most: np.ndarray,
    ) -> None:  # fmt: skip
        """Add a node, unless none of its sets can be better."""
        earned, y = self._openings(replace(self.problem, fixed=fixed), possible, most)
        if earned <= self.value + self._met * abs(self.value):
            self._dropped = max(self._dropped, earned)
        else:  # also where the bound is no number
            best = np.flatnonzero(y > 0.0).astype(np.int32)
            node = _Node(parent, site, opened, near.astype(np.int32), most[near], best)
            heapq.heappush(self._nodes, (-earned, next(self._count), node))

    def _whole(self, node: _Node) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sites open in a node, those that may be, and their ceilings."""
        fixed, possible, most = self.problem.fixed.copy(), self._possible.copy(), self._most.copy()
        steps = []
        step: _Node | None = node
        while step is not None and step.parent is not None:
            steps.append(step)
            step = step.parent
        for step in reversed(steps):
            if step.opened:
                fixed[step.site] = True
                possible[self.problem.conflicts(step.site)] = False
                most[step.near] = step.most
            else:
                possible[step.site] = False
        return fixed, possible, most

    def _part(self, node: _Node) -> None:
        """Measure the best openings of a node, and part it by one of their sites."""
        fixed, possible, most = self._whole(node)
        sites = node.best
        best = np.zeros(fixed.size, bool)
        best[sites] = True
        worths = self.worths(best)
        worth = float(worths.sum())
        if self.problem.allows(best) and worth > self.value + ROUNDING * abs(self.value):
            self.chosen, self.value = best, worth
        free = sites[~fixed[sites]]
        if not free.size:
            free = self._relief(fixed, possible, sites[np.argsort(worths - most[sites], kind="stable")])
        if not free.size:
            return
        k = self._dividing(most, sites, most[sites] - worths, free)
        possible[k] = False
        self._keep(node, k, False, _NONE, fixed, possible, most)
        possible[k] = fixed[k] = True
        possible[self.problem.conflicts(k)] = False
        near = self._near_to(k)
        near = near[possible[near]]
        most[near] = np.minimum(most[near], self.ceilings(near, fixed))
        if self.problem.allows(fixed):
            self._keep(node, k, True, near, fixed, possible, most)

    def _relief(self, fixed: np.ndarray, possible: np.ndarray, sites: np.ndarray) -> np.ndarray:
        """Sites worth nothing themselves that may still open beside one of `sites` and take from it who loses, for the first
        of them that has any; none once the number is reached."""
        if int((fixed & ~self.problem.existing).sum()) < self.problem.most_new:
            for k in sites:
                near = self._near_to(int(k))
                near = near[possible[near] & ~fixed[near]]
                if near.size:
                    return near
        return _NONE

    def _dividing(self, most: np.ndarray, sites: np.ndarray, lost: np.ndarray, free: np.ndarray) -> int:
        """The free site around which most of the ceilings is lost; where nothing is, the one with the highest ceiling."""
        loss = np.zeros(most.size)
        loss[sites] = lost
        around = np.array([loss[self._near_to(int(k))].sum() for k in free])
        order = np.lexsort((free, -most[free], -np.round(around, 9)))
        return int(free[order[0]])

    def _near_to(self, k: int) -> np.ndarray:
        """Sites that share home zones with site k, itself among them."""
        if k not in self._near:
            self._near[k] = self.problem.near(k)
        return self._near[k]
