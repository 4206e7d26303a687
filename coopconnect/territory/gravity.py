"""Commuting flows by doubly-constrained gravity: deterrence, balancing, comparison with observed flows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numba
import numpy as np

DENSITY_SUM_REFERENCE = 10.0
"""Sum of ln(1 + inhabitants per km2) of two ends at which the rate is the parameter itself (148 each)."""


@dataclass(frozen=True)
class Deterrence:
    """Tanner deterrence in minutes, f(t) = t^-power * exp(-rate * t), and what a commune keeps.

    rate = rate_per_min * exp(rate_density * (D - 10)), D the sum of ln(1 + inhabitants per km2) of the two
    ends. own_*: logarithm of the kernel inside a commune, own_constant + own_area * ln(km2) +
    own_workers * ln(1 + workers) + own_jobs * ln(1 + jobs).
    """

    power: float
    rate_per_min: float
    rate_density: float
    own_constant: float
    own_area: float
    own_workers: float
    own_jobs: float

    @classmethod
    def from_parameters(cls, values: Mapping[str, float]) -> Deterrence:
        """Read the deterrence from parameter values (keys `flow_*`); KeyError names a missing one."""
        return cls(**{name: values[f"flow_{name}"] for name in cls.__dataclass_fields__})

    def own_kernel(self, area_km2: np.ndarray, workers: np.ndarray, jobs: np.ndarray) -> np.ndarray:
        """Kernel of each commune with itself."""
        return np.exp(
            self.own_constant
            + self.own_area * np.log(area_km2)
            + self.own_workers * np.log1p(workers)
            + self.own_jobs * np.log1p(jobs)
        )

    def kernel(self, minutes: np.ndarray, density_sum: np.ndarray) -> np.ndarray:
        """Kernel between two different communes (arrays of one shape)."""
        rate = self.rate_per_min * np.exp(self.rate_density * (density_sum - DENSITY_SUM_REFERENCE))
        return minutes**-self.power * np.exp(-rate * minutes)


def common_part_of_commuters(model: np.ndarray, observed: np.ndarray) -> float:
    """CPC = 2 sum(min(model, observed)) / sum(model + observed): 1 when equal, 0 when disjoint."""
    total = float(np.sum(model) + np.sum(observed))
    return 2.0 * float(np.minimum(model, observed).sum()) / total if total > 0 else float("nan")


def balance(
    kernel_start: np.ndarray,
    kernel_work: np.ndarray,
    kernel: np.ndarray,
    workers: np.ndarray,
    jobs: np.ndarray,
    iterations: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Balancing factors a, b such that a_i K_ij b_j has margins workers and jobs (Furness, rows last).

    kernel_start, kernel_work, kernel: the kernel in compressed rows, symmetrical. workers, jobs: (n,) with
    the same total. Returns a, b and the sums of the columns, which near `jobs` as iterations grow (the rows are
    met exactly). ValueError if totals differ.
    """
    if not np.isclose(workers.sum(), jobs.sum(), rtol=1e-6):
        raise ValueError(f"workers sum to {workers.sum():.0f} and jobs to {jobs.sum():.0f}: scale jobs first")
    b = np.ones(len(jobs))
    for _ in range(iterations):
        a = _over(workers, _times(kernel_start, kernel_work, kernel, b))
        b = _over(jobs, _times(kernel_start, kernel_work, kernel, a))
    a = _over(workers, _times(kernel_start, kernel_work, kernel, b))
    return a, b, b * _times(kernel_start, kernel_work, kernel, a)


def _over(total: np.ndarray, accessible: np.ndarray) -> np.ndarray:
    return np.divide(total, accessible, out=np.zeros_like(total), where=accessible > 0)


@numba.njit(cache=True)
def _times(start: np.ndarray, column: np.ndarray, value: np.ndarray, vector: np.ndarray) -> np.ndarray:
    result = np.zeros(len(start) - 1)
    for i in range(len(start) - 1):
        total = 0.0
        for k in range(start[i], start[i + 1]):
            total += value[k] * vector[column[k]]
        result[i] = total
    return result


@numba.njit(cache=True)
def pairs_within(x_km: np.ndarray, y_km: np.ndarray, limit_km: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of points at most `limit_km` apart, each point with itself included, as compressed rows.

    x_km, y_km: (n,) plane coordinates. Returns start (n + 1,) int64 and column int32, columns in order.
    """
    n = len(x_km)
    order = np.argsort(x_km)
    rank = np.empty(n, np.int64)
    for k in range(n):
        rank[order[k]] = k
    start = np.zeros(n + 1, np.int64)
    for fill in range(2):
        if fill == 0:
            column = np.empty(0, np.int32)
        else:
            for i in range(n):
                start[i + 1] += start[i]
            column = np.empty(start[n], np.int32)
        for i in range(n):
            count = 0
            for step in (-1, 1):
                k = rank[i] + (step if step == -1 else 0)
                while 0 <= k < n and abs(x_km[order[k]] - x_km[i]) <= limit_km:
                    j = order[k]
                    if (x_km[j] - x_km[i]) ** 2 + (y_km[j] - y_km[i]) ** 2 <= limit_km**2:
                        if fill == 1:
                            column[start[i] + count] = j
                        count += 1
                    k += step
            if fill == 0:
                start[i + 1] = count
            else:
                column[start[i] : start[i + 1]] = np.sort(column[start[i] : start[i + 1]])
    return start, column


@numba.njit(cache=True)
def potential(x_km: np.ndarray, y_km: np.ndarray, amount: np.ndarray, scale_km: float) -> np.ndarray:
    """Sum of `amount` around each point weighted by exp(-km / scale_km), cut at three times the scale."""
    n = len(x_km)
    order = np.argsort(x_km)
    xs, ys, amounts = x_km[order], y_km[order], amount[order]
    total = np.zeros(n)
    for k in range(n):
        total[k] += amounts[k]
        for j in range(k + 1, n):
            dx = xs[j] - xs[k]
            if dx > 3 * scale_km:
                break
            distance = np.sqrt(dx**2 + (ys[j] - ys[k]) ** 2)
            if distance <= 3 * scale_km:
                weight = np.exp(-distance / scale_km)
                total[k] += weight * amounts[j]
                total[j] += weight * amounts[k]
    result = np.empty(n)
    result[order] = total
    return result
