"""The one form that p-median, covering and maximum benefit share: the sum over rows of the best value at hand.

    value(S) = sum over rows i of max(0, max over k in S of v_ik)        v_ik = weight_i * benefit_ik >= 0

Costs become benefits by `ceiling_i - cost_ik`; the ceiling of a row is what it costs when no site of S is linked to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from coopconnect.siting.locate.kernels import falling
from coopconnect.siting.locate.types import LocateError, Matrix


@dataclass(frozen=True, eq=False)
class Rows:
    """Values by row, best first, and the same by column. What a set is worth to the user: sign * value + offset.

    start, site, value: rows (demands), each sorted by falling value (ties: lower site first). column_start, row,
    column_value: columns (sites). sign: -1 where the user minimises a cost. fixed, allowed: (n_sites,) bool, sites
    that must be and may be chosen. needed: what `value` exceeds where every row has a link, or 0 where none is needed.
    """

    n_sites: int
    start: np.ndarray
    site: np.ndarray
    value: np.ndarray
    column_start: np.ndarray
    row: np.ndarray
    column_value: np.ndarray
    fixed: np.ndarray
    allowed: np.ndarray
    sign: float = 1.0
    offset: float = 0.0
    needed: float = 0.0

    def objective(self, value: float) -> float:
        """What the user asked about, from a value (or a bound on it)."""
        return self.sign * value + self.offset


def rows_of(n_sites: int, start: np.ndarray, site: np.ndarray, value: np.ndarray, **more: object) -> Rows:
    """`Rows` from pairs by row: pairs worth nothing are dropped, rows sorted, columns made."""
    row = np.repeat(np.arange(start.size - 1, dtype=np.int32), np.diff(start))
    keep = value > 0.0
    row, site, value = row[keep], site[keep].astype(np.int32), value[keep]
    starts = _starts(row, start.size - 1)
    order = falling(starts, site, value)
    site, value = site[order], np.ascontiguousarray(value[order], dtype=float)
    by_column = csr_array((np.arange(1, site.size + 1), site, starts), shape=(start.size - 1, n_sites)).tocsc()
    position = by_column.data - 1
    usual = {"fixed": np.zeros(n_sites, bool), "allowed": np.ones(n_sites, bool)}
    return Rows(
        n_sites=n_sites,
        start=starts, site=site, value=value,
        column_start=by_column.indptr.astype(np.int64), row=row[position], column_value=value[position],
        **{**usual, **more},  # type: ignore[arg-type]
    )  # fmt: skip


def _starts(key: np.ndarray, n: int) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.bincount(key, minlength=n))]).astype(np.int64)


def median_rows(matrix: Matrix) -> Rows:
    """p-median: minimise the sum over demands of weight * cost to the nearest chosen site.

    value_ik = w_i (c_i - c_ik), c_i the dearest of the row. Where some pairs are no link, every linked pair is worth
    the same bonus besides, above any difference of cost, so that a set that serves everybody always comes first.
    """
    lengths = np.diff(matrix.start)
    if (lengths == 0).any():
        raise LocateError(f"cost: demand {int(np.argmin(lengths))} has no link to any site")
    highest = np.maximum.reduceat(matrix.value, matrix.start[:-1])
    lowest = np.minimum.reduceat(matrix.value, matrix.start[:-1])
    row = np.repeat(np.arange(matrix.n_demand), lengths)
    value = matrix.weight[row] * (highest[row] - matrix.value)
    whole = bool((lengths == matrix.n_sites).all())
    bonus = 0.0 if whole else float(matrix.weight @ (highest - lowest)) + 1.0
    offset = float(matrix.weight @ highest) + bonus * matrix.n_demand
    needed = 0.0 if whole else bonus * (matrix.n_demand - 0.5)
    return rows_of(
        matrix.n_sites, matrix.start, matrix.site, value + bonus, sign=-1.0, offset=offset, needed=needed
    )  # fmt: skip


def benefit_rows(matrix: Matrix) -> Rows:
    """Maximum benefit: maximise the sum over demands of weight * the best benefit among chosen sites.

    In a whole matrix benefits may be negative: each row counts from its worst one. In a sparse one a pair that is
    not stored is worth 0.
    """
    lengths = np.diff(matrix.start)
    row = np.repeat(np.arange(matrix.n_demand), lengths)
    if (lengths == matrix.n_sites).all() and matrix.n_demand:
        lowest = np.minimum.reduceat(matrix.value, matrix.start[:-1])
        value = matrix.weight[row] * (matrix.value - lowest[row])
        return rows_of(matrix.n_sites, matrix.start, matrix.site, value, offset=float(matrix.weight @ lowest))
    if (matrix.value < 0.0).any():
        raise LocateError("benefit: negative values are read in a whole matrix only, not in sparse parts")
    return rows_of(matrix.n_sites, matrix.start, matrix.site, matrix.weight[row] * matrix.value)


def covering_rows(matrix: Matrix, radius: float) -> Rows:
    """Maximal covering: maximise the weight of the demands with a chosen site at a cost of at most `radius`."""
    row = np.repeat(np.arange(matrix.n_demand), np.diff(matrix.start))
    value = np.where(matrix.value <= radius, matrix.weight[row], 0.0)
    return rows_of(matrix.n_sites, matrix.start, matrix.site, value)
