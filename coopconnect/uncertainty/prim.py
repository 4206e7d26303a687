"""The futures in which a site fails, as a box: the patient rule induction method (Friedman and Fisher 1999).

Written here because it is what the sentence of the product is made of, and small. The EMA workbench has the same
method; it comes with a dozen packages that nothing else here needs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import binom, mannwhitneyu

PEEL = 0.05
"""Share of the draws taken off at each step."""

DOUBTFUL = 0.05
"""Chance from which what tells failures may be an accident of the draws, and is left out."""

LEAST_SHARE = 0.03
MOST_LIMITS = 3
"""Limits in a box: more cannot be said in a sentence."""

DENSITY = 0.75
"""Share of failures within a box from which it is worth saying."""


@dataclass(frozen=True)
class Limit:
    """One side of a box: the quantity `column` stays above `low` or below `high` (None: free on that side).

    p: how likely chance alone is to give the box this density without the limit (binomial).
    """

    column: int
    low: float | None
    high: float | None
    p: float


@dataclass(frozen=True)
class Box:
    """Limits, strongest first. coverage: share of all failures that lie inside; density: share of failures inside."""

    limits: tuple[Limit, ...]
    coverage: float
    density: float
    share: float


def _inside(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.asarray(((x >= low) & (x <= high)).all(axis=1))


def _peel(x: np.ndarray, fails: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[int, bool, float] | None:
    """The side whose peeling raises the density most: column, True for the low side, the new limit."""
    kept = _inside(x, low, high)
    best, found = -1.0, None
    inside, failed = x[kept], fails[kept]
    count = max(int(PEEL * kept.sum()), 1)
    for column in range(x.shape[1]):
        order = np.argsort(inside[:, column], kind="stable")
        values = inside[order, column]
        for low_side in (True, False):
            edge = values[count] if low_side else values[-count - 1]
            rest = inside[:, column] >= edge if low_side else inside[:, column] <= edge
            if rest.all() or not rest.any():
                continue
            # gain a draw: patience is rewarded where many draws share one value and a peel takes them all
            gain = (failed[rest].mean() - failed.mean()) / (1.0 - rest.mean())
            if gain > best:
                best, found = gain, (column, low_side, float(edge))
    return found


def _paste(x: np.ndarray, fails: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Widen each side while that does not lower the density, in steps of a twentieth of the box."""
    improved = True
    while improved:
        improved = False
        density = fails[_inside(x, low, high)].mean()
        for column in range(x.shape[1]):
            for ends, sign in ((low, -1.0), (high, 1.0)):
                if not np.isfinite(ends[column]):
                    continue
                others = low.copy(), high.copy()
                (others[0] if sign < 0 else others[1])[column] = sign * np.inf
                outside = x[_inside(x, *others) & ((x[:, column] - ends[column]) * sign > 0), column]
                if outside.size == 0:
                    ends[column] = sign * np.inf
                    continue
                step = max(int(PEEL * _inside(x, low, high).sum()), 1)
                nearest = np.sort(outside * sign)[:step]
                before = ends[column]
                ends[column] = sign * nearest[-1]
                if fails[_inside(x, low, high)].mean() > density:
                    improved = True
                    density = fails[_inside(x, low, high)].mean()
                else:
                    ends[column] = before


def telling(x: np.ndarray, fails: np.ndarray) -> np.ndarray:
    """Columns of x that differ between failures and the rest more than chance would make any of them differ.

    Mann and Whitney's test of each, its level divided by their number (Bonferroni): among forty quantities and few
    draws, peeling would else find a limit in noise. What acts only together with another is not seen.
    """
    p = mannwhitneyu(x[fails], x[~fails], axis=0).pvalue
    return np.flatnonzero(p <= DOUBTFUL / x.shape[1])


def failing_box(x: np.ndarray, fails: np.ndarray) -> Box | None:
    """The box of at most `MOST_LIMITS` quantities that best tells failures from the rest; None where nothing does.

    x: (draws, quantities); fails: (draws,) bool. Among the boxes met while peeling whose density reaches `DENSITY` (or
    the midpoint between the base rate and 1, if higher), the one with the best harmonic mean of coverage and density;
    the densest where none reaches it. Only `telling` columns are peeled.
    """
    base = float(fails.mean()) if fails.size else 0.0
    if base in (0.0, 1.0) or fails.size < 2.0 / PEEL:
        return None
    columns = telling(x, fails)
    return _box(x[:, columns], fails, columns, base) if columns.size else None


def _box(x: np.ndarray, fails: np.ndarray, columns: np.ndarray, base: float) -> Box | None:
    """`failing_box` on telling columns only; `columns`: their numbers among all."""
    low, high = np.full(x.shape[1], -np.inf), np.full(x.shape[1], np.inf)
    wanted = max(DENSITY, (1.0 + base) / 2.0)
    met: list[tuple[float, float, np.ndarray, np.ndarray]] = []
    while True:
        kept = _inside(x, low, high)
        met.append((float(fails[kept].mean()), float(fails[kept].sum() / fails.sum()), low.copy(), high.copy()))
        if met[-1][0] == 1.0 or kept.mean() <= LEAST_SHARE + PEEL * kept.mean():
            break
        step = _peel(x, fails, low, high)
        if step is None:
            break
        (low if step[1] else high)[step[0]] = step[2]
    dense = [m for m in met if m[0] >= wanted]
    chosen = max(dense, key=lambda m: m[0] * m[1] / (m[0] + m[1])) if dense else max(met, key=lambda m: m[0])
    low, high = _strongest(x, fails, chosen[2], chosen[3])
    _paste(x, fails, low, high)
    limits = _limits(x, fails, low, high)
    while limits and max(limit.p for limit in limits) > DOUBTFUL:
        low, high = _without(low, high, max(limits, key=lambda limit: limit.p).column)
        _paste(x, fails, low, high)
        limits = _limits(x, fails, low, high)
    kept = _inside(x, low, high)
    density = float(fails[kept].mean())
    if not limits or density <= base:
        return None
    named = tuple(replace(limit, column=int(columns[limit.column])) for limit in limits)
    return Box(named, float(fails[kept].sum() / fails.sum()), density, float(kept.mean()))


def _without(low: np.ndarray, high: np.ndarray, column: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = low.copy(), high.copy()
    low[column], high[column] = -np.inf, np.inf
    return low, high


def _strongest(x: np.ndarray, fails: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The box with the limits whose removal costs most density, at most `MOST_LIMITS`."""
    while True:
        held = np.flatnonzero(np.isfinite(low) | np.isfinite(high))
        density = fails[_inside(x, low, high)].mean()
        loss = {int(c): density - fails[_inside(x, *_without(low, high, int(c)))].mean() for c in held}
        if not loss:
            return low, high
        weakest = min(loss, key=lambda c: loss[c])
        if len(loss) <= MOST_LIMITS and loss[weakest] > 0.02:
            return low, high
        if len(loss) == 1:
            return low, high
        low, high = _without(low, high, weakest)


def _limits(x: np.ndarray, fails: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[Limit, ...]:
    kept = _inside(x, low, high)
    count, failed = int(kept.sum()), int(fails[kept].sum())
    found = []
    for column in np.flatnonzero(np.isfinite(low) | np.isfinite(high)):
        rate = float(fails[_inside(x, *_without(low, high, int(column)))].mean())
        p = float(binom.sf(failed - 1, count, rate))
        ends = [float(end[column]) if np.isfinite(end[column]) else None for end in (low, high)]
        found.append((rate, Limit(int(column), ends[0], ends[1], p)))
    return tuple(limit for _, limit in sorted(found, key=lambda pair: pair[0]))
