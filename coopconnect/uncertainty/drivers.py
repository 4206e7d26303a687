"""What drives a result: Sobol indices where the design allows, a cheaper measure from the draws at hand elsewhere.

Both through SALib. From a Latin hypercube: the first-order index (share of the variance that goes when one quantity is
known) by RBD-FAST (Tarantola et al. 2006, with Tissot and Prieur's correction of the bias) with a bootstrap interval,
and the partial rank correlation for its sign. What quantities do together is then what the first-order indices do not
sum to; who does it needs total indices, hence Saltelli's design of draws * (laws + 2) runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from SALib.analyze import rbd_fast
from SALib.analyze import sobol as sobol_indices
from SALib.sample import sobol as sobol_sample
from scipy.stats import norm, rankdata

from coopconnect.uncertainty.engine import Setup
from coopconnect.uncertainty.laws import Law, values_at

CONFIDENCE = 0.95
RESAMPLES = 60
WITH_INTERVAL = 12
"""Strongest quantities of the quick measure that are given an interval: more than any chart or sheet shows."""

_RESAMPLED = 0.5
"""Part of the draws in each bootstrap sample of SALib's RBD-FAST: the error of all of them is smaller by its root."""

ENOUGH_DRAWS = 50
"""Under this many draws nothing is said of what drives the result."""


@dataclass(frozen=True)
class Driver:
    """One quantity and its part in a result. first, total: Sobol indices with the half width of their 95 % interval.

    total is None where the design does not give it; first_half_width is NaN for the weak ones of the quick measure. sign: partial rank correlation, -1 to 1. status: that of the
    parameter. strict: by how much the interval is widened before it is asked whether it holds zero (`among`).
    """

    key: str
    status: str
    sign: float
    first: float
    first_half_width: float
    total: float | None = None
    total_half_width: float | None = None
    strict: float = 1.0

    @property
    def weight(self) -> float:
        """What the drivers are sorted by."""
        return self.first if self.total is None else self.total

    @property
    def sure(self) -> bool:
        """True where the interval of what it is sorted by, widened as `strict` says, stays above zero."""
        width = self.first_half_width if self.total is None else self.total_half_width or 0.0
        return self.weight > self.strict * width


def among(quantities: int) -> float:
    """By how much a 95 % interval widens where it is one of so many that are looked at for the largest (Bonferroni)."""
    tail = (1.0 - CONFIDENCE) / 2.0
    return float(norm.ppf(1.0 - tail / quantities) / norm.ppf(1.0 - tail))


def _problem(laws: tuple[Law, ...]) -> dict[str, object]:
    return {"num_vars": len(laws), "names": [law.key for law in laws], "bounds": [[0.0, 1.0]] * len(laws)}


def partial_rank_correlation(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """PRCC of each column of x (draws, laws) with y: correlation of what the ranks of the others leave unexplained."""
    ranked = np.column_stack([rankdata(column) for column in x.T])
    ranked = (ranked - ranked.mean(axis=0)) / np.maximum(ranked.std(axis=0), 1e-12)
    target = rankdata(y)
    spread = target.std()
    if spread == 0.0:
        return np.zeros(x.shape[1])
    both = np.column_stack([ranked, (target - target.mean()) / spread])
    inverse = np.linalg.pinv(np.corrcoef(both, rowvar=False))
    scale = np.sqrt(np.maximum(np.abs(inverse[-1, -1] * np.diag(inverse)[:-1]), 1e-12))
    return np.asarray(-inverse[-1, :-1] / scale)


def from_draws(laws: tuple[Law, ...], x: np.ndarray, y: np.ndarray, seed: int = 0) -> tuple[Driver, ...]:
    """Drivers of y (draws,) from the draws at hand, strongest first; empty where y does not move or draws are few."""
    if y.size < ENOUGH_DRAWS or float(np.ptp(y)) == 0.0:
        return ()
    first = np.array(rbd_fast.analyze(_problem(laws), x, y, num_resamples=2, conf_level=CONFIDENCE, seed=seed)["S1"])
    width = np.full(len(laws), np.nan)
    strongest = np.argsort(-first, kind="stable")[
        :WITH_INTERVAL
    ]  # each index stands alone: the others need no bootstrap
    some = _problem(tuple(laws[k] for k in strongest))
    again = rbd_fast.analyze(some, x[:, strongest], y, num_resamples=RESAMPLES, conf_level=CONFIDENCE, seed=seed)
    width[strongest] = np.array(again["S1_conf"], dtype=float) * _RESAMPLED**0.5
    sign = partial_rank_correlation(x, y)
    drivers = [
        Driver(law.key, law.status, float(sign[k]), float(first[k]), float(width[k]), strict=among(len(laws)))
        for k, law in enumerate(laws)
    ]
    return tuple(sorted(drivers, key=lambda d: -d.weight))


def saltelli(setup: Setup, base: int, seed: int = 0) -> np.ndarray:
    """Values of Saltelli's design, (base * (laws + 2), laws); base should be a power of two."""
    u = sobol_sample.sample(_problem(setup.laws), base, calc_second_order=False, seed=seed)
    return values_at(setup.laws, u)


def sobol(laws: tuple[Law, ...], x: np.ndarray, y: np.ndarray, seed: int = 0) -> tuple[Driver, ...]:
    """First-order and total Sobol indices from the results y of a whole `saltelli` design x, strongest first.

    Blocks of laws + 2 runs in which one has no solution (NaN) are left out whole.
    """
    width = len(laws) + 2
    whole = np.isfinite(y.reshape(-1, width)).all(axis=1).repeat(width)
    x, y = x[whole], y[whole]
    if y.size < ENOUGH_DRAWS or float(np.ptp(y)) == 0.0:
        return ()
    found = sobol_indices.analyze(
        _problem(laws), (y - y.mean()) / y.std(), calc_second_order=False, num_resamples=RESAMPLES,
        conf_level=CONFIDENCE, seed=seed,
    )  # fmt: skip
    sign = partial_rank_correlation(x, y)
    drivers = [
        Driver(law.key, law.status, float(sign[k]), float(found["S1"][k]), float(found["S1_conf"][k]),
               float(found["ST"][k]), float(found["ST_conf"][k]))
        for k, law in enumerate(laws)
    ]  # fmt: skip
    return tuple(sorted(drivers, key=lambda d: -d.weight))
