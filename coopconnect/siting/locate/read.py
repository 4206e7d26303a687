"""Reading a matrix from an npz file, with every problem of the file reported at once."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array, csc_array, csr_array, sparray

from coopconnect.siting.locate.types import LocateError, Matrix

PARTS = ("data", "indices", "indptr", "shape")
KINDS = ("cost", "benefit")
FORMATS = ("csr", "csc", "coo")
_LARGEST = 1e100


def read_matrix(path: Path, kind: str) -> Matrix:
    """The matrix of an npz file: `cost` or `benefit` (demand x sites), `weight`, and `demand`, `capacity` if there.

    A matrix is a table, or SciPy's sparse parts `data`, `indices`, `indptr`, `shape` (as `scipy.sparse.save_npz`
    writes them, csr or csc), alone (then it is of `kind`) or named `cost_data`, `cost_indices` ...
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            parts = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, AttributeError, EOFError) as error:
        raise LocateError(f"{path}: not an npz file of numbers ({type(error).__name__})") from None
    return matrix_from(parts, kind)


def matrix_from(parts: dict[str, np.ndarray], kind: str) -> Matrix:
    """`Matrix` from named arrays. Raises `LocateError` with every problem, one a line."""
    problems: list[str] = []
    found, table = _table(parts, kind, problems)
    if table is None:
        raise LocateError("\n".join(problems))
    n, m = table.shape
    matrix = _stored(table)
    values = matrix[2]
    if n == 0 or m == 0:
        problems.append(f"{found}: should have at least one row and one column; it is {n} x {m}")
    if np.isnan(values).any():
        problems.append(f"{found}: {int(np.isnan(values).sum())} values are not numbers (NaN)")
    elif np.isinf(values).any():
        problems.append(
            f"{found}: {int(np.isinf(values).sum())} values are infinite; leave such pairs out of a sparse matrix"
        )
    weight = _vector(parts, "weight", n, "rows", problems, np.ones(n))
    if not problems and weight is not None and not _summable(values, weight):
        problems.append(
            f"{found}: the values times the weights are too large to be summed; count them in a larger unit"
        )
    demand = _vector(parts, "demand", n, "rows", problems, weight)
    capacity = _vector(parts, "capacity", m, "columns", problems, None)
    if problems:
        raise LocateError("\n".join(problems))
    assert weight is not None and demand is not None
    return Matrix(found, m, *matrix, weight, demand, capacity)


def _summable(values: np.ndarray, weight: np.ndarray) -> bool:
    """Whether no sum of weighted values that a model makes can overflow: half of the exponents is kept for it."""
    largest = float(np.abs(values).max(initial=0.0))
    return largest <= _LARGEST and float(weight.max(initial=0.0)) <= _LARGEST


def _table(
    parts: dict[str, np.ndarray], kind: str, problems: list[str]
) -> tuple[str, np.ndarray | sparray | None]:  # fmt: skip
    """The kind of matrix of the file and its table, or None with the problem told."""
    for name in sorted(KINDS, key=lambda k: k != kind):
        if name in parts:
            table = parts[name]
            if table.ndim != 2 or table.dtype.kind not in "biuf":
                problems.append(f"{name}: should be a table of numbers, demand x sites; it has {table.ndim} dimensions "
                                f"of {table.dtype}")  # fmt: skip
                return name, None
            return name, table.astype(float)
        if f"{name}_data" in parts:
            return name, _sparse({k: parts[f"{name}_{k}"] for k in PARTS if f"{name}_{k}" in parts}, "csr", problems)
    if "data" in parts:
        written = parts.get("format", np.array("csr")).item()
        style = written.decode() if isinstance(written, bytes) else str(written)
        names = (*PARTS, "row", "col")
        return kind, _sparse({k: parts[k] for k in names if k in parts}, style, problems)
    problems.append(
        "the file should hold `cost` or `benefit` (demand x sites), or the sparse parts data, indices, indptr, shape; "
        f"it holds {', '.join(sorted(parts)) or 'nothing'}"
    )
    return kind, None


def _sparse(parts: dict[str, np.ndarray], style: str, problems: list[str]) -> sparray | None:
    kinds = {"csr": csr_array, "csc": csc_array}
    if style not in FORMATS:
        problems.append(f"format: allowed {', '.join(FORMATS)}; not {style!r} (convert it in SciPy with .tocsr())")
        return None
    try:
        shape = tuple(int(n) for n in parts["shape"])
        data = parts["data"].astype(float)
        if style == "coo":
            table = coo_array((data, (parts["row"], parts["col"])), shape=shape)
        else:
            table = kinds[style]((data, parts["indices"], parts["indptr"]), shape=shape)
            table.check_format()
        if len(shape) != 2:
            raise ValueError("shape should hold two numbers")
        return table
    except (KeyError, ValueError, TypeError, IndexError) as error:
        problems.append(f"the sparse parts do not fit together: {error}")
        return None


def _stored(table: np.ndarray | sparray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start, site and value of the pairs by row; duplicates of a sparse matrix are added up, as SciPy does.

    SciPy drops zeros when it makes a sparse matrix from a table: in a square one none of whose diagonal is stored, the
    diagonal is put back as zeros (from a place to itself).
    """
    n, m = table.shape
    if isinstance(table, np.ndarray):
        site = np.tile(np.arange(m, dtype=np.int32), n)
        return np.arange(n + 1, dtype=np.int64) * m, site, np.ascontiguousarray(table).ravel()
    found = table.tocsr()
    found.sum_duplicates()
    row = np.repeat(np.arange(n), np.diff(found.indptr))
    site, value = found.indices, found.data
    if n == m and not (row == site).any():
        row, site = np.concatenate([row, np.arange(n)]), np.concatenate([site, np.arange(n)])
        value = np.concatenate([value, np.zeros(n)])
        order = np.lexsort((site, row))
        row, site, value = row[order], site[order], value[order]
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))]).astype(np.int64)
    return start, site.astype(np.int32), value.astype(float)


def _vector(
    parts: dict[str, np.ndarray], name: str, size: int, what: str, problems: list[str], usual: np.ndarray | None
) -> np.ndarray | None:
    """A vector of the file, checked: right length, finite, not negative; `usual` where it is not there."""
    if name not in parts:
        return usual
    vector = parts[name]
    if vector.dtype.kind not in "biuf":
        problems.append(f"{name}: should be numbers, not {vector.dtype}")
        return usual
    if vector.shape != (size,):
        shape = " x ".join(str(n) for n in vector.shape) or "a single number"
        problems.append(f"{name}: should have {size} numbers, one for each of the {what}; it has {shape}")
        return usual
    vector = vector.astype(float)
    bad = ~np.isfinite(vector)
    if bad.any():
        problems.append(f"{name}: {int(bad.sum())} values are not finite numbers")
    elif (vector < 0.0).any():
        problems.append(f"{name}: {int((vector < 0.0).sum())} values are negative")
    return vector
