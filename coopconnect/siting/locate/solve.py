"""`locate`: one call for every classical model, on any matrix."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import numpy as np

from coopconnect.siting.locate.capacity import Placed, capacitated_covering, capacitated_median
from coopconnect.siting.locate.center import center
from coopconnect.siting.locate.cover import improved_covering
from coopconnect.siting.locate.proof import Found, improved, quick
from coopconnect.siting.locate.rows import Rows, benefit_rows, covering_rows, median_rows
from coopconnect.siting.locate.types import Answer, LocateError, Matrix, gap_of

QUICK_S = 0.6
"""Most time for the first answer, before any proof."""


class OutOfTime(RuntimeError):
    """No set of sites was found in the time given."""


def locate(
    matrix: Matrix, model: str, sites: int, radius: float | None = None, capacity: bool = False,
    split: bool = False, seconds: float = 60.0, seed: int = 0,
) -> Answer:  # fmt: skip
    """The best `sites` columns under a model, with a proven bound; it stops when proven or after `seconds`.

    p-median          minimise    sum of weight * cost to the nearest chosen site
    maximal-covering  maximise    sum of weight of the demands with a chosen site within `radius`
    p-center          minimise    the largest cost to the nearest chosen site (weights aside)
    max-benefit       maximise    sum of weight * the best benefit among chosen sites

    With `capacity` (p-median and maximal-covering) a site serves at most its capacity, in the unit of `demand`, and
    each demand goes whole to one site, or to several with `split`. Raises `LocateError` with every problem of what
    was asked, and `OutOfTime` where no answer was found.
    """
    started = time.perf_counter()
    check_question(matrix, model, sites, radius, capacity)
    if capacity:
        left = seconds - (time.perf_counter() - started)
        if model == "p-median":
            placed = capacitated_median(matrix, sites, left, split)
        else:
            placed = capacitated_covering(matrix, sites, float(radius or 0.0), left, split)
    elif model == "p-center":
        placed = center(matrix, sites, seconds - (time.perf_counter() - started), seed)
    else:
        rows = _rows(matrix, model, radius)
        left = seconds - (time.perf_counter() - started)
        found = list(improving(rows, sites, left, seed, model == "maximal-covering"))[-1]
        placed = _placed(rows, found)
    if placed.sites is None:
        raise OutOfTime(f"no set of {sites} sites was found in {seconds:g} s: give more --seconds")
    return Answer(
        model, float(placed.objective), float(placed.bound), gap_of(placed.objective, placed.bound),
        tuple(int(k) for k in np.sort(placed.sites)), time.perf_counter() - started,
    )  # fmt: skip


def improving(rows: Rows, p: int, seconds: float, seed: int, covering: bool = False) -> Iterator[Found]:
    """The first answer, then tighter and tighter ones until proven or out of time."""
    ends = time.perf_counter() + seconds
    found = quick(rows, p, min(QUICK_S, 0.3 * seconds), seed)
    follow = improved_covering if covering else improved
    yield found
    yield from follow(rows, p, found, ends - time.perf_counter(), seed)


def _rows(matrix: Matrix, model: str, radius: float | None) -> Rows:
    if model == "p-median":
        return median_rows(matrix)
    if model == "max-benefit":
        return benefit_rows(matrix)
    return covering_rows(matrix, float(radius or 0.0))


def _placed(rows: Rows, found: Found) -> Placed:
    if rows.needed and found.bound < rows.needed:
        raise LocateError("cost: no set of that many sites is linked to every demand")
    if rows.needed and found.value < rows.needed:
        return Placed(None, math.inf, rows.objective(found.bound))
    value = found.value
    bound = value if found.proven else found.bound
    return Placed(np.flatnonzero(found.chosen), rows.objective(value), rows.objective(bound))


def check_question(matrix: Matrix, model: str, sites: int, radius: float | None, capacity: bool) -> None:
    """Raise `LocateError` with everything that is wrong with the question."""
    problems = []
    wanted = "benefit" if model == "max-benefit" else "cost"
    if matrix.kind != wanted:
        problems.append(f"matrix: {model} reads `{wanted}`, the file holds `{matrix.kind}`")
    if sites < 1 or sites > matrix.n_sites:
        problems.append(f"sites: allowed from 1 to {matrix.n_sites} (the columns of the matrix); not {sites}")
    if model == "maximal-covering" and radius is None:
        problems.append("radius: maximal-covering needs one")
    if radius is not None and not (math.isfinite(radius) and radius >= 0.0):
        problems.append(f"radius: should be a finite number from 0; not {radius}")
    if capacity:
        problems += _capacity_problems(matrix, model, sites)
    if problems:
        raise LocateError("\n".join(problems))


def _capacity_problems(matrix: Matrix, model: str, sites: int) -> list[str]:
    if model not in ("p-median", "maximal-covering"):
        return [f"capacity: p-median and maximal-covering take it, {model} does not"]
    if matrix.capacity is None:
        return ["capacity: the file holds no `capacity`"]
    if model == "maximal-covering":
        return []
    room = float(np.sort(matrix.capacity)[::-1][:sites].sum())
    total = float(matrix.demand.sum())
    if room < total * (1.0 - 1e-12):
        return [f"capacity: the {sites} largest sites hold {room:g}, under the total demand of {total:g}"]
    return []
