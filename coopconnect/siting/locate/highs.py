"""HiGHS on a sparse mixed-integer model, with a strict time limit and a bound that is never on the wrong side."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from highspy._core import _Highs, cb
from scipy.sparse import csr_array

TOLERANCE = 1e-7
"""Relative margin put on a bound of HiGHS: its constraints hold within 1e-7 only."""

SHORTEST_S = 0.02
"""Under so little time left, HiGHS is not called."""


@dataclass(frozen=True, eq=False)
class Model:
    """minimise cost @ x, row_low <= matrix @ x <= row_high, low <= x <= high, x whole where `whole`."""

    cost: np.ndarray
    low: np.ndarray
    high: np.ndarray
    whole: np.ndarray
    matrix: csr_array
    row_low: np.ndarray
    row_high: np.ndarray


@dataclass(frozen=True, eq=False)
class Solution:
    """x: the best point found or None; bound: no point costs less (-inf where nothing is known); done: the model
    was solved, or proven to have no point (then `bound` is +inf)."""

    x: np.ndarray | None
    bound: float
    done: bool


def minimise(
    model: Model, seconds: float, start: np.ndarray | None = None, cutoff: float = math.inf,
    target: float = -math.inf, stopped: Callable[[], bool] | None = None,
) -> Solution:  # fmt: skip
    """Solve within `seconds`. `start` is a point to begin with; points that cost more than `cutoff` are not looked
    for; one that costs at most `target` is enough; `stopped` is asked between two linear problems of the tree."""
    if seconds < SHORTEST_S:
        return Solution(None, -math.inf, False)
    solver = _Highs()  # not its Python wrapper, which prints a banner on standard output
    options = {
        "output_flag": False, "time_limit": float(seconds), "mip_rel_gap": 0.0, "mip_abs_gap": 1e-9,
        "mip_feasibility_tolerance": 1e-7, "primal_feasibility_tolerance": 1e-7, "threads": 1, "random_seed": 1,
    }  # fmt: skip
    for name, value in options.items():
        solver.setOptionValue(name, value)
    if math.isfinite(cutoff):
        solver.setOptionValue("objective_bound", float(cutoff))
    if math.isfinite(target):
        solver.setOptionValue("objective_target", float(target))
    solver.passModel(_lp(model))
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        solver.setSolution(solution)
    if stopped is not None:
        _heed(solver, stopped)
    if solver.run() == highspy.HighsStatus.kError:  # another library started HiGHS's threads with another number
        _Highs.resetGlobalScheduler(True)
        solver.run()
    return _read(solver, model)


def _heed(solver: _Highs, stopped: Callable[[], bool]) -> None:
    """Have HiGHS ask `stopped` as it goes."""

    def ask(kind: object, message: str, known: object, answer: Any, data: object) -> None:
        if stopped():
            answer.user_interrupt = True

    solver.setCallback(ask, None)
    solver.startCallback(cb.HighsCallbackType.kCallbackMipInterrupt)


def _lp(model: Model) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = model.cost.size, model.row_low.size
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = model.cost, model.low, model.high
    lp.row_lower_, lp.row_upper_ = model.row_low, model.row_high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = model.matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = model.matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = model.matrix.data.astype(float)
    if model.whole.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(w)] for w in model.whole]
    return lp


def _read(solver: _Highs, model: Model) -> Solution:
    status, info = solver.getModelStatus(), solver.getInfo()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return Solution(None, math.inf, True)
    optimal = status == highspy.HighsModelStatus.kOptimal
    bound = info.mip_dual_bound if model.whole.any() else (info.objective_function_value if optimal else -math.inf)
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    x = np.asarray(solver.getSolution().col_value) if feasible else None
    if not math.isfinite(bound) or abs(bound) >= highspy.kHighsInf:
        bound = -math.inf
    return Solution(x, bound - TOLERANCE * abs(bound) if math.isfinite(bound) else bound, optimal)
