"""What a classical location model reads and answers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

MODELS = ("p-median", "maximal-covering", "p-center", "max-benefit")

PROVED = 1e-9
"""Relative gap below which an answer is the optimum, up to the rounding of floating-point sums."""


class LocateError(ValueError):
    """The matrix or what was asked of it cannot be used; the message lists every problem, one a line."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """Costs or benefits between demands (rows) and sites (columns), stored by row.

    kind: 'cost' or 'benefit'. start: (n_demand + 1,) int64; site: (n_pairs,) int32; value: (n_pairs,) float64; the
    pairs of demand i are start[i]:start[i + 1]. A pair that is not stored is no link (a cost), or no benefit.
    weight: (n_demand,), what the model sums; demand: (n_demand,), what a site's capacity serves; capacity:
    (n_sites,) in the unit of demand, or None.
    """

    kind: str
    n_sites: int
    start: np.ndarray
    site: np.ndarray
    value: np.ndarray
    weight: np.ndarray
    demand: np.ndarray
    capacity: np.ndarray | None = None

    @property
    def n_demand(self) -> int:
        """Number of demands."""
        return int(self.start.size - 1)


@dataclass(frozen=True)
class Answer:
    """What a model answers. sites: column indices, sorted. bound: no set of sites can do better; gap:
    |objective - bound| / |objective|, 0 where the answer is proven best, infinite where nothing is proven."""

    model: str
    objective: float
    bound: float
    gap: float
    sites: tuple[int, ...]
    seconds: float


def gap_of(objective: float, bound: float) -> float:
    """|objective - bound| over |objective|; 0 where they are the same up to rounding."""
    if not (math.isfinite(objective) and math.isfinite(bound)):
        return math.inf
    difference = abs(objective - bound)
    if difference <= PROVED * max(abs(objective), abs(bound)):
        return 0.0
    return difference / abs(objective) if objective else math.inf
