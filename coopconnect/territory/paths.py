"""How straight, flat and built-up the way between two communes is: the shortest path over a graph of neighbouring points.

A km of the graph costs less between dense communes, where roads are many, and a climb costs km (`build.relief`). What the
travel law reads is R = ln(cost of the path / crow-fly km), in thousandths: negative through dense flat land, higher across a
ridge, round a bay or where there is no way. A path from one point stops once it has met all the points that are asked, which is
why it is not SciPy's (0.4 s for Provence-Alpes-Côte d'Azur within 60 km; SciPy's Dijkstra, limited, takes two to five times that).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

FAR_KM = 60.0
"""Crow-fly km beyond which no path is looked for: the mean of the usual ways of both ends stands for it."""
THOUSANDTHS = 1000.0
WORKERS = max(1, os.cpu_count() or 1)
WORTH_SHARING = 200
"""Origins from which on the cores share them."""


@dataclass(frozen=True, eq=False)
class Paths:
    """A graph without direction in compressed rows: the neighbours of row k stand from start[k] to start[k + 1].

    cost: of each edge, in km of flat land that nobody lives on.
    """

    start: np.ndarray
    neighbour: np.ndarray
    cost: np.ndarray

    @classmethod
    def of(cls, n: int, a: np.ndarray, b: np.ndarray, cost: np.ndarray) -> Paths:
        """The graph of n points whose edges join a and b, each edge given once."""
        one, two = np.concatenate([a, b]), np.concatenate([b, a])
        order = np.lexsort((two, one))
        start = np.concatenate([[0], np.cumsum(np.bincount(one, minlength=n))]).astype(np.int64)
        return cls(start, two[order].astype(np.int32), np.concatenate([cost, cost])[order].astype(np.float64))

    @classmethod
    def load(cls, data_dir: Path, n: int) -> Paths:
        """The graph that is shipped, of n communes in the order of their table."""
        a, b, cost = read_pairs(data_dir, "neighbours.parquet", "cost_km", n)
        return cls.of(n, a, b, cost)

    def ratio(self, a: np.ndarray, b: np.ndarray, crow: np.ndarray, usual: np.ndarray, most: float) -> np.ndarray:
        """R of each pair of rows (same length, any order), crow km apart, at most `most` (there may be no way at all). usual:
        (n,) of each row, the R that stands for the way beyond `FAR_KM` and within one row (`build.relief.usual_ways`)."""
        found = 0.5 * (usual[a] + usual[b])
        near = np.flatnonzero((crow <= FAR_KM) & (a != b))
        if near.size:
            one, two = a[near].astype(np.int64), b[near].astype(np.int64)
            if np.unique(two).size < np.unique(one).size:  # the way back is as long: from the fewer ends
                one, two = two, one
            order = np.argsort(one, kind="stable")
            origins, first = np.unique(one[order], return_index=True)
            out = self._costs(origins, np.append(first, near.size), two[order])
            with np.errstate(divide="ignore"):
                found[near[order]] = np.minimum(np.log(out / crow[near[order]]), most)
        return np.asarray(np.round(found * THOUSANDTHS) / THOUSANDTHS)

    def _costs(self, origins: np.ndarray, first: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Cost of the cheapest path from origins[r] to each target from first[r] to first[r + 1], on several cores."""
        from coopconnect.territory.path_search import search  # numba: a start from what is kept on disk does without

        out = np.empty(targets.size)
        parts = np.array_split(np.arange(origins.size), min(WORKERS, origins.size))

        def found(part: np.ndarray) -> None:
            rows = slice(part[0], part[-1] + 2)
            search(origins[part[0] : part[-1] + 1], first[rows], targets, self.start, self.neighbour, self.cost, out)  # type: ignore[call-arg]

        if origins.size < WORTH_SHARING:
            found(np.arange(origins.size))
        else:
            with ThreadPoolExecutor(WORKERS) as pool:
                list(pool.map(found, parts))
        return out


def read_pairs(data_dir: Path, name: str, column: str, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows a and b of the pairs of a shipped file, and what `column` says of them. Raises ValueError where they are not of a
    table of n communes."""
    table = pq.read_table(data_dir / name)
    a, b, value = (table[key].to_numpy() for key in ("a_row", "b_row", column))
    if max(a.max(), b.max()) >= n:
        raise ValueError(
            f"{name} and communes.parquet are not of the same build: run `python -m coopconnect data build`"
        )
    return a, b, value
