"""Small drawings of the three arguments, as plain shapes that the page's template draws: vectors, in its own typeface.

Nothing relies on hue: what is lost is pale with a dark edge, what is kept is dark; each drawing has its words. Widths
are per cent of the column, heights are points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from coopconnect.show.charts import quantile

Plot = dict[str, Any]

_WHOLE = 80.0
"""Width of a whole bar, per cent of the column: its figure stands beside."""

BIN_H = 12
"""Hours of one bar of the distribution (three bins of the model)."""

_LETTER = 2.2
"""Mean width of a small letter, per cent of the column."""

_LINE_PT = 9.0
"""Room of one line of small type."""


def _plot(title: str, height: float, alt: str) -> Plot:
    return {"title": title, "height": height, "alt": alt, "rects": [], "lines": [], "dots": [], "texts": []}


def _rect(plot: Plot, x0: float, x1: float, y: float, height: float, style: str) -> None:
    left, right = sorted((x0, x1))
    if right > left:
        plot["rects"].append({"x": left, "y": y, "w": right - left, "h": height, "style": style})


def _text(plot: Plot, x: float, y: float, text: str, align: str = "center", style: str = "soft") -> None:
    plot["texts"].append({"x": x, "y": y, "text": text, "align": align, "style": style})


def _label(plot: Plot, x: float, y: float, text: str, style: str = "soft") -> None:
    """A text centred at `x`, pushed inward where it would leave the column."""
    half = _LETTER * len(text) / 2.0
    align, at = ("left", 0.0) if x - half < 0.0 else ("right", 100.0) if x + half > 100.0 else ("center", x)
    _text(plot, at, y, text, align, style)


def range_strip(
    title: str, low: float, value: float, high: float, write: Callable[[float], str], alt: str, *,
    marks: Sequence[tuple[float, str]] = (), zero: bool = True,
) -> Plot:  # fmt: skip
    """A value between its low and high on a line; `marks` are limits to compare with, below the line.

    What is under zero is drawn as a loss.
    """
    shown = [low, value, high, *(at for at, _ in marks), *([0.0] if zero else [])]
    start, end = min(shown), max(shown)
    span = max(end - start, 1e-9)

    def x(at: float) -> float:
        return 100.0 * (at - start) / span

    plot = _plot(title, 27.0 + (_LINE_PT if marks else 0.0), alt)
    middle = 15.0
    plot["lines"].append({"x0": 0, "x1": 100, "y0": middle, "y1": middle, "style": "axis"})
    _rect(plot, x(max(low, 0.0)), x(max(high, 0.0)), middle - 3.5, 7.0, "gain")
    _rect(plot, x(min(low, 0.0)), x(min(high, 0.0)), middle - 3.5, 7.0, "loss")
    if low < 0.0:
        plot["lines"].append({"x0": x(0.0), "x1": x(0.0), "y0": middle - 7, "y1": middle + 7, "style": "zero"})
    plot["dots"].append({"x": x(value), "y": middle})
    _label(plot, x(low), 0.0, write(low))
    if abs(x(high) - x(low)) > 25:
        _label(plot, x(high), 0.0, write(high))
    for at, label in marks:
        plot["lines"].append({"x0": x(at), "x1": x(at), "y0": middle - 6, "y1": middle + 10, "style": "mark"})
        _label(plot, x(at), middle + 10.5, label, "strong")
    return plot


def hours_bars(
    title: str,
    edges: np.ndarray,
    shares: np.ndarray,
    alt: str,
    losing: str,
    keeping: str,
    write: Callable[[float], str],
) -> Plot:
    """Distribution of hours kept by the users of a site: pale below zero (lost), dark above (kept)."""
    edges, shares = _coarser(edges, shares)
    low, high = min(quantile(edges, shares, 0.01), 0.0), max(quantile(edges, shares, 0.985), 1.0)
    inside = (edges[1:] > low) & (edges[:-1] < high)
    left, right, share = edges[:-1][inside], edges[1:][inside], shares[inside]
    span = float(right[-1] - left[0])
    body, top = 46.0, 11.0
    plot = _plot(title, top + body + 13.0, alt)

    def x(at: float) -> float:
        return 100.0 * (at - float(left[0])) / span

    tallest = max(float(share.max()), 1e-12)
    for a, b, s in zip(left, right, share, strict=True):
        height = body * float(s) / tallest
        if height > 0.15:
            style = "loss" if a < 0 else "gain"
            _rect(plot, x(a) + 0.12, x(b) - 0.12, top + body - height, height, style)
    plot["lines"].append({"x0": 0, "x1": 100, "y0": top + body, "y1": top + body, "style": "axis"})
    plot["lines"].append({"x0": x(0.0), "x1": x(0.0), "y0": 2, "y1": top + body + 3, "style": "zero"})
    step = next(s for s in (10, 20, 25, 50, 100) if span / s <= 7)
    for tick in range(math.ceil(left[0] / step) * step, int(right[-1]) + 1, step):
        _label(plot, x(tick), top + body + 4, write(float(tick)))
    here = x(0.0)
    if here > 30:
        _text(plot, here - 1.5, 0.0, losing, "right", "warn")
        _text(plot, here + 1.5, 0.0, keeping, "left", "strong")
    else:
        _text(plot, here + 1.5, 0.0, f"{losing} · {keeping}", "left", "strong")
    return plot


def _coarser(edges: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distribution in bars of `BIN_H` hours that begin at zero, so that none holds both losses and gains."""
    first, last = (BIN_H * math.floor(edges[0] / BIN_H), BIN_H * math.ceil(edges[-1] / BIN_H))
    wide = np.arange(first, last + 1.0, BIN_H)
    cumulated = np.interp(wide, edges, np.concatenate([[0.0], np.cumsum(shares)]))
    return wide, np.diff(cumulated)


def ladder(title: str, steps: Sequence[tuple[str, float, str]], alt: str) -> Plot:
    """Bars one under another, (label, part of the whole from 0 to 1, written size), each before its whole."""
    row = 23.0
    plot = _plot(title, row * len(steps) - 2, alt)
    for number, (label, size, written) in enumerate(steps):
        y = row * number
        width = max(_WHOLE * size, 0.6)
        _text(plot, 0, y, label, "left")
        _rect(plot, 0, _WHOLE, y + 10.5, 8.0, "track")
        _rect(plot, 0, width, y + 10.5, 8.0, "gain")
        _text(plot, _WHOLE + 2.0, y + 9.8, written, "left", "strong")
    return plot
