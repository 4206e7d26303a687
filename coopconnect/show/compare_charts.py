"""Charts of the page Comparer: distributions on one axis, and what each lever does in a difference.

Same conventions as `charts`: data in, a Plotly figure out, titles say the message, units on the axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from coopconnect.model.attribution import Attribution, as_table
from coopconnect.model.types import Assessment
from coopconnect.parameters import Parameters
from coopconnect.show.charts import _layout, _plain, _rule, nothing, quantile, share_below, source_note
from coopconnect.show.colours import GAIN, INK, LOSS, MUTED_INK, SCENARIO_COLOURS, SCENARIO_DASHES
from coopconnect.show.compare_words import change_text, formatter_of
from coopconnect.show.words import hours, number, percent, say

LETTERS = "ABCD"
"""Names of two to four scenarios."""

BIN_HOURS = 10.0
"""Width of a class of hours, wide enough for curves that can be told apart."""

BAR_WIDTH = 0.4
"""Width of a step, of the room that a lever has: the rest holds its name."""

THIN_SHARE = 0.004
"""Tails thinner than this share of users, in every scenario, are left outside the picture."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A scenario as the charts name it: 'A', its title, its results."""

    letter: str
    title: str
    assessment: Assessment


def rebinned(assessment: Assessment) -> tuple[np.ndarray, np.ndarray] | None:
    """Edges at multiples of `BIN_HOURS` and shares of users that sum to 1; None where nobody comes."""
    table = assessment.households
    edges = np.append(table["hours_from"].to_numpy(float), table["hours_to"].to_numpy(float)[-1:])
    shares = table["users_share"].to_numpy(float)
    total = float(shares.sum())
    if not total > 0.0:
        return None
    coarse = np.arange(np.floor(edges[0] / BIN_HOURS), np.ceil(edges[-1] / BIN_HOURS) + 1) * BIN_HOURS
    below = np.interp(coarse, edges, np.concatenate([[0.0], np.cumsum(shares / total)]))
    return coarse, np.diff(below)


def hours_overlaid(shown: Sequence[Shown], language: str = "fr", projector: bool = False) -> go.Figure:
    """Distribution of hours kept per participating household, one line for each scenario, on one axis.

    Lines differ in colour and in dashes. Below zero are those who lose time. Shares are per class of 10 hours.
    """
    found = [(one, rebinned(one.assessment)) for one in shown]
    drawn = [(one, *curve) for one, curve in found if curve is not None]
    if not drawn:
        return nothing("no_users", language, projector)
    parts = [_median_words(one.letter, edges, shares, language) for one, edges, shares in drawn]
    layout = _layout(
        say("compare.chart.hours", language), " · ".join(parts), source_note(drawn[0][0].assessment, language), language,
        projector, x=say("chart.hours.x", language), y=say("compare.chart.hours_y", language, width=f"{BIN_HOURS:g}"),
    )  # fmt: skip
    low = min(_end(edges, shares, first=True) for _, edges, shares in drawn)
    high = max(_end(edges, shares, first=False) for _, edges, shares in drawn)
    layout["xaxis"] |= {"range": [min(low, 0.0), high], "tickformat": ",.0f", "showgrid": False}
    layout["yaxis"] |= {"rangemode": "tozero", "tickformat": ",.1~f"}
    layout["shapes"] = [_rule(0.0, INK, width=2.0)]
    layout |= {
        "showlegend": True,
        "legend": {"x": 0.99, "xanchor": "right", "y": 0.99, "bgcolor": "rgba(255,255,255,0.8)"},
    }
    lines = [_line(one, edges, shares, shown.index(one), language) for one, edges, shares in drawn]
    return go.Figure(data=lines, layout=layout)


def _median_words(letter: str, edges: np.ndarray, shares: np.ndarray, language: str) -> str:
    return say(
        "compare.chart.hours_part", language, letter=letter, median=hours(quantile(edges, shares, 0.5), language),
        losers=percent(share_below(edges, shares, 0.0), language),
    )  # fmt: skip


def _end(edges: np.ndarray, shares: np.ndarray, *, first: bool) -> float:
    thick = np.flatnonzero(shares > THIN_SHARE)
    return float(edges[thick[0]] if first else edges[thick[-1] + 1])


def _line(one: Shown, edges: np.ndarray, shares: np.ndarray, at: int, language: str) -> dict[str, object]:
    hover = [
        say("chart.hours.hover", language, low=number(a, language), high=number(b, language), share=percent(s, language, 1))
        for a, b, s in zip(edges[:-1], edges[1:], shares, strict=True)
    ]  # fmt: skip
    return {
        "type": "scatter", "mode": "lines", "x": (edges[:-1] + edges[1:]) / 2.0, "y": shares * 100.0,
        "name": f"{one.letter} · {_plain(one.title)}", "hovertext": [f"{one.letter} · {text}" for text in hover],
        "hoverinfo": "text",
        "line": {"color": SCENARIO_COLOURS[at], "dash": SCENARIO_DASHES[at], "width": 3, "shape": "hvh"},
    }  # fmt: skip


def lever_waterfall(
    found: Attribution,
    names: Sequence[str],
    title: str,
    note: str,
    formatter: Callable[..., str],
    ends: tuple[str, str],
    language: str = "fr",
    projector: bool = False,
) -> go.Figure:
    """From the figure of one scenario to that of another, one step for each lever, largest first.

    names: of `found.keys`, in their order, with their values. ends: names of the two scenarios. formatter: writes the figure, and a change with
    `signed=True`. The steps add up to the difference exactly.
    """
    table = as_table(found)
    order = [found.keys.index(key) for key in table["key"]]
    labels = [_plain(ends[0]), *(_plain(names[k]) for k in order), _plain(ends[1])]
    effects = table["effect"].to_numpy(float)
    values = [found.before, *effects, found.after]
    texts = [formatter(found.before), *(formatter(e, signed=True) for e in effects), formatter(found.after)]
    layout = _layout(title, "", note, language, projector, left=1.0)
    rows = len(labels)
    size = layout["font"]["size"]
    running = np.concatenate([[found.before], found.before + np.cumsum(effects), [found.after, 0.0]])
    starts = [0.0, *(float(v) for v in running[: len(effects)]), 0.0]
    span = float(running.max() - running.min()) or 1.0
    layout["height"] = round(size * (9.0 + 4.0 * rows))
    layout["yaxis"] |= {
        "autorange": "reversed",
        "showgrid": False,
        "ticks": "",
        "showticklabels": False,
        "showline": False,
        "tickvals": list(range(rows)),
        "ticktext": labels,
    }
    layout["xaxis"] |= {
        "range": [float(running.min()) - 0.02 * span, float(running.max()) + 0.16 * span],
        "tickformat": ",.4~r",
    }
    layout["annotations"] += [
        {
            "x": 0, "xref": "paper", "xanchor": "left", "y": row - BAR_WIDTH / 2.0, "yanchor": "bottom", "yshift": 1, "text": label,
            "showarrow": False, "font": {"size": size, "color": INK},
        }
        for row, label in enumerate(labels)
    ]  # fmt: skip
    bars = {
        "type": "bar", "orientation": "h", "base": starts, "x": values, "y": list(range(rows)), "text": texts,
        "textposition": "outside", "width": BAR_WIDTH,
        "marker": {"color": [INK, *(GAIN if effect >= 0.0 else LOSS for effect in effects), INK]},
        "hovertext": [f"{label} : {text}" for label, text in zip(labels, texts, strict=True)], "hoverinfo": "text",
        "cliponaxis": False,
    }  # fmt: skip
    ends_at = [found.before, *(start + effect for start, effect in zip(starts[1:-1], effects, strict=True))]
    layout["shapes"] = [
        {"type": "line", "x0": x, "x1": x, "y0": row, "y1": row + 1, "layer": "below", "line": {"color": MUTED_INK, "width": 1}}
        for row, x in enumerate(ends_at)
    ]  # fmt: skip
    layout["meta"]["summary"] = f"{title}. " + ", ".join(f"{a} {b}" for a, b in zip(labels, texts, strict=True)) + "."
    layout["meta"]["values"] = values
    return go.Figure(data=[bars], layout=layout)


def lever_shares(
    found: Attribution, outcome: str, before: Shown, after: Shown, parameters: Parameters, language: str = "fr",
    projector: bool = False, site: str = "",
) -> go.Figure:  # fmt: skip
    """`lever_waterfall` of a total of the assessment, or of the score of `site`, with its title and its levers in words."""
    write = formatter_of(outcome, language)
    label = say(f"compare.total.{outcome}", language, name=site)
    title = say("compare.waterfall_title", language, figure=label, before=write(found.before), after=write(found.after))
    scenarios = before.assessment.scenario, after.assessment.scenario
    return lever_waterfall(
        found, [change_text(key, *scenarios, parameters, language) for key in found.keys], title,
        source_note(after.assessment, language), write,
        (f"{before.letter} · {before.title}", f"{after.letter} · {after.title}"), language, projector,
    )  # fmt: skip
