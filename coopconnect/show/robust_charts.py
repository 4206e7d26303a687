"""Charts of an ensemble; the reference case stands on each. See `coopconnect.show.charts` for what they share."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from scipy.stats import beta

from coopconnect.parameters import Parameters
from coopconnect.show.charts import _layout, _plain, _rule
from coopconnect.show.colours import GAIN, INK, LOSS, MUTED_INK, PAPER
from coopconnect.show.describe import colon
from coopconnect.show.robust_words import label_of, value_of, what_of
from coopconnect.show.words import number, percent, say, unit_name
from coopconnect.uncertainty.drivers import Driver
from coopconnect.uncertainty.results import Results, rank_frequency
from coopconnect.uncertainty.survey import Belief
from coopconnect.uncertainty.tipping import Tipping

ASSUMED_COLOUR, SEEN_COLOUR, LEVER_COLOUR = "#d98e04", "#0b4f8a", "#7b8790"
SITES, PLACES, BARS = 12, 15, 8
_SHORT, _LINE = 24, 27


def _shown(text: str) -> str:
    return _plain(text if len(text) <= _SHORT else text[: _SHORT - 1].rstrip() + "…")


def _in_two_lines(driver: Driver, parameters: Parameters, language: str) -> str:
    """Name of what is drawn in at most two short lines, with the mark of an assumption."""
    lines = textwrap.wrap(label_of(driver.key, parameters, language), _LINE)
    if len(lines) > 2:
        lines[1:] = [lines[1][: _LINE - 1].rstrip() + "…"]
    mark = " *" if driver.status not in ("choice", "retrieved") else ""
    return "<br>".join(_plain(line) for line in lines) + mark


def _apart(names: list[str]) -> list[str]:
    """Names that stay distinct as categories once cut short: a space without width more for each."""
    return [name + "\u200b" * k for k, name in enumerate(names)]


def _status_colour(status: str) -> str:
    return {"choice": LEVER_COLOUR, "retrieved": SEEN_COLOUR}.get(status, ASSUMED_COLOUR)


def _name_above(layout: dict[str, Any], x: float, text: str, anchor: str = "center") -> None:
    """Name a vertical line at `x`, above the picture, which grows by as much. anchor: of the name to the line."""
    size = layout["font"]["size"]
    layout["annotations"].append(
        {
            "x": x,
            "y": 1.0,
            "yref": "paper",
            "yanchor": "bottom",
            "xanchor": anchor,
            "showarrow": False,
            "text": text,
            "font": {"color": LOSS, "size": size},
        }
    )
    layout["margin"]["t"] += size * 1.4
    layout["height"] += size * 1.4


def rank_heatmap(found: Results, central: np.ndarray, language: str = "fr", projector: bool = False) -> go.Figure:
    """How often each leading site holds each place; a ring marks its place in the reference case.

    central: (n_sites,) rank of each site in the reference case.
    """
    share = rank_frequency(found, SITES, PLACES)
    order = found.order[:SITES]
    names = _apart([_shown(str(name)) for name in found.sites["name"].to_numpy(object)[order]])
    places = np.arange(1, PLACES + 1)
    leaders = int((found.sites["tie_group"].to_numpy()[order] == 1).sum())
    title = say(
        "chart.ranks.title" if leaders > 1 else "chart.ranks.title_one",
        language,
        count=leaders,
        name=names[0].strip("\u200b"),
    )
    layout = _layout(
        title, say("chart.ranks.subtitle", language), say("chart.futures", language, draws=number(found.usable, language)),
        language, projector, x=say("chart.ranks.x", language), left=13.5, height=720 if projector else 470,
    )  # fmt: skip
    layout["yaxis"] |= {"autorange": "reversed", "type": "category", "showgrid": False}
    layout["xaxis"] |= {"dtick": 1, "showgrid": False, "range": [0.5, PLACES + 0.5]}
    words = [[percent(v, language) if v >= 0.03 else "" for v in row] for row in share]
    cells = go.Heatmap(
        z=100.0 * share, x=places, y=names, text=words, texttemplate="%{text}", showscale=False, xgap=2, ygap=2,
        colorscale=[[0.0, "#f4f7f9"], [0.3, "#9cc6e4"], [1.0, "#0b4f8a"]], zmin=0.0, zmax=max(40.0, 100.0 * share.max()),
        hovertemplate="%{y} · %{x} · %{z:.0f} %<extra></extra>",
    )  # fmt: skip
    here = central[order]
    inside = (here >= 1) & (here <= PLACES)
    ring = go.Scatter(
        x=here[inside], y=[n for n, k in zip(names, inside, strict=True) if k], mode="markers",
        marker={"symbol": "circle-open", "size": 26 if projector else 20, "line": {"width": 2.5}, "color": LOSS},
        hovertemplate=say("chart.reference", language) + " : %{x}<extra></extra>",
    )  # fmt: skip
    return go.Figure(data=[cells, ring], layout=layout)


def viability_spread(
    ratio: np.ndarray, central: float, name: str, language: str = "fr", projector: bool = False
) -> go.Figure:
    """Histogram of the viability of one site over the futures, red under 1; the reference case is a line."""
    top = float(np.quantile(ratio, 0.99)) * 1.05
    edges = np.linspace(0.0, max(top, 1.3, central * 1.05), 41)
    count, _ = np.histogram(np.minimum(ratio, edges[-1]), edges)
    share = 100.0 * count / ratio.size
    middle = 0.5 * (edges[1:] + edges[:-1])
    enough = percent(float((ratio >= 1.0).mean()), language)
    layout = _layout(
        say("chart.spread.title", language, name=_plain(name), share=enough), say("chart.spread.subtitle", language),
        say("chart.futures", language, draws=number(ratio.size, language)), language, projector,
        x=say("chart.spread.x", language), y=say("chart.spread.y", language),
    )  # fmt: skip
    layout["shapes"] = [_rule(1.0, INK, width=2.0), _rule(central, LOSS, "dash", 2.5)]
    _name_above(layout, central, say("chart.reference", language))
    layout["bargap"] = 0.05
    bars = go.Bar(
        x=middle, y=share, marker={"color": [LOSS if m < 1.0 else GAIN for m in middle]},
        hovertemplate="%{x:.2f} · %{y:.1f} %<extra></extra>",
    )  # fmt: skip
    return go.Figure(data=[bars], layout=layout)


def _bars_height(count: int, projector: bool, lines: int = 2) -> int:
    """Height in pixels of a chart of so many bars, each named in so many lines: bars as thick whatever their number."""
    return 230 + (80 + 30 * (lines - 2)) * count if projector else 175 + (42 + 16 * (lines - 2)) * count


def _told(drivers: tuple[Driver, ...]) -> tuple[Driver, ...]:
    """The strongest, without those of which the interval holds zero: chance alone could have made them."""
    return tuple(d for d in drivers if d.sure)[:BARS] or drivers[:1]


def driver_bars(
    drivers: tuple[Driver, ...], reference: Mapping[str, float], parameters: Parameters, runs: int,
    language: str = "fr", projector: bool = False,
) -> go.Figure:  # fmt: skip
    """Share of the doubt that each quantity carries, with its 95 % interval; assumptions in ochre, marked.

    A share of a variance has no place for one future: the reference case stands as the value of each quantity in it.
    reference: by key; runs: from how many runs of the model the shares come.
    """
    shown = _told(drivers)
    totals = shown[0].total is not None
    names = _apart([_in_two_lines(d, parameters, language) for d in shown])
    first = 100.0 * np.clip([d.first for d in shown], 0.0, 1.0)
    lead = what_of(shown[0].key, parameters, language)
    layout = _layout(
        say("chart.drivers.title", language, what=_plain(lead), share=percent(first[0] / 100.0, language)),
        say("chart.drivers.sobol" if totals else "chart.drivers.few", language, runs=number(float(runs), language)),
        say("chart.drivers.note", language),
        language, projector, x=say("chart.drivers.x", language), left=14.5, height=_bars_height(len(shown), projector, 3),
    )  # fmt: skip
    layout["yaxis"] |= {"autorange": "reversed", "type": "category", "showgrid": False}
    layout["xaxis"] |= {"rangemode": "tozero", "ticksuffix": " %"}
    told = [_reference_of(d.key, reference, parameters, language) for d in shown]
    layout["yaxis"] |= {
        "tickvals": names,
        "ticktext": [f"{name}<br>{text}" if text else name for name, text in zip(names, told, strict=True)],
    }

    def sure(name: str, share: float, half: float) -> str:
        """The share and the half of its line, in words."""
        shares = {"share": percent(share, language), "half": percent(half, language)}
        return say("chart.drivers.sure", language, name=name, **shares)

    bars = [
        go.Bar(
            x=first, y=names, orientation="h", marker={"color": [_status_colour(d.status) for d in shown]},
            error_x={"type": "data", "array": [100.0 * d.first_half_width for d in shown], "color": INK, "thickness": 1.2},
            hovertext=[
                sure(_plain(label_of(d.key, parameters, language)), x / 100.0, d.first_half_width)
                for d, x in zip(shown, first, strict=True)
            ],
            hoverinfo="text",
        )
    ]  # fmt: skip
    if totals:
        bars.append(
            go.Scatter(
                x=[100.0 * (d.total or 0.0) for d in shown], y=names, mode="markers",
                marker={"symbol": "diamond", "size": 11, "color": INK},
                error_x={"type": "data", "array": [100.0 * (d.total_half_width or 0.0) for d in shown], "color": INK},
                hovertext=[
                    sure(say("chart.drivers.total", language), d.total or 0.0, d.total_half_width or 0.0) for d in shown
                ],
                hoverinfo="text",
            )
        )  # fmt: skip
    return go.Figure(data=bars, layout=layout)


def _reference_of(key: str, reference: Mapping[str, float], parameters: Parameters, language: str) -> str:
    """'référence : 25 000 €' of a quantity; '' of one that has no value of its own (the climate, a weight)."""
    if key not in reference or key not in parameters:
        return ""
    return say("chart.drivers.reference", language, value=value_of(key, reference[key], parameters, language))


def tornado(
    drivers: tuple[Driver, ...], columns: dict[str, np.ndarray], viable: np.ndarray, parameters: Parameters,
    central: bool, language: str = "fr", projector: bool = False,
) -> go.Figure:  # fmt: skip
    """How often the site is viable in the lowest and in the highest quarter of each quantity, around all futures.

    columns: drawn values by key, (usable,); viable: (usable,) bool; central: is it viable in the reference case.
    """
    shown = _told(drivers)
    base = float(viable.mean())
    ends = []
    for driver in shown:
        x = columns[driver.key]
        low, high = np.quantile(x, [0.25, 0.75])
        ends.append((float(viable[x <= low].mean()), float(viable[x >= high].mean()), low, high))
    wide = np.argsort([-abs(b - a) for a, b, _, _ in ends], kind="stable")
    shown, ends = tuple(shown[k] for k in wide), [ends[k] for k in wide]
    names = _apart([_in_two_lines(d, parameters, language) for d in shown])
    layout = _layout(
        say("chart.tornado.title", language, low=percent(min(ends[0][:2]), language), high=percent(max(ends[0][:2]), language)),
        say("chart.tornado.subtitle", language, share=percent(base, language)),
        say("chart.drivers.note", language), language, projector, x=say("chart.tornado.x", language), left=14.5,
        height=_bars_height(len(shown), projector),
    )  # fmt: skip
    layout["yaxis"] |= {
        "autorange": "reversed",
        "type": "category",
        "showgrid": False,
        "tickvals": names,
        "ticktext": names,
    }
    layout["xaxis"] |= {"range": [-3.0, 103.0], "ticksuffix": " %"}
    layout["barmode"] = "overlay"
    here = 100.0 if central else 0.0  # one future is viable or is not
    layout["shapes"] = [_rule(100.0 * base, INK, width=2.0), _rule(here, LOSS, "dash", 2.5)]
    word = say("chart.viable" if central else "chart.not_viable", language)
    _name_above(
        layout, here, f"{say('chart.reference', language)}{colon(language)}{word}", "right" if central else "left"
    )
    data = []
    for side, colour in ((0, "#9cc6e4"), (1, "#0b4f8a")):
        words = [
            say(f"chart.tornado.{'low' if side == 0 else 'high'}", language,
                value=value_of(d.key, e[2 + side], parameters, language), share=percent(e[side], language))
            for d, e in zip(shown, ends, strict=True)
        ]  # fmt: skip
        data.append(
            go.Bar(
                base=100.0 * base, x=[100.0 * (e[side] - base) for e in ends], y=names, orientation="h",
                marker={"color": colour}, hovertext=words, hovertemplate="%{y}<br>%{hovertext}<extra></extra>",
            )
        )  # fmt: skip
    return go.Figure(data=data, layout=layout)


def tipping_curve(
    found: Tipping, name: str, parameters: Parameters, language: str = "fr", projector: bool = False
) -> go.Figure:
    """Viability along one lever or assumption, the level needed, the value in use and the tipping points."""
    label = label_of(found.key, parameters, language)
    if found.nearest is None:
        title = say("chart.tip.always" if found.margin[0] >= 0.0 else "chart.tip.never", language, what=_plain(label))
    else:
        title = say("chart.tip.title", language, what=_plain(label), value=value_of(found.key, found.nearest, parameters, language))  # fmt: skip
    unit = unit_name(parameters[found.key].unit, language)
    layout = _layout(
        title, say("chart.tip.subtitle", language, name=_plain(name)), say("chart.tip.note", language), language, projector,
        x=_plain(f"{label} ({unit})" if unit else label), y=say("chart.spread.x", language),
    )  # fmt: skip
    viable = found.margin >= 0.0
    layout["shapes"] = [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 1.0, "y1": 1.0, "line": {"color": MUTED_INK, "dash": "dot"}},
        _rule(found.now, LOSS, "dash", 2.0),
        *(_rule(point, INK, "solid", 2.0) for point in found.points),
    ]  # fmt: skip
    _name_above(layout, found.now, say("chart.now", language))
    layout["yaxis"] |= {"rangemode": "tozero"}
    curve = go.Scatter(
        x=found.levels, y=found.viability, mode="lines+markers", line={"color": "#0b4f8a", "width": 3},
        marker={"size": 8, "color": [GAIN if v else LOSS for v in viable], "line": {"color": PAPER, "width": 1}},
        hovertemplate="%{x:,.3~r} · %{y:.2f}<extra></extra>",
    )  # fmt: skip
    return go.Figure(data=[curve], layout=layout)


def before_after(
    before: Belief, after: Belief | None, parameters: Parameters, language: str = "fr", projector: bool = False
) -> go.Figure:
    """What was believed of a share before a survey, and after; the value in use in the reference case is a line."""
    item = parameters[before.key]
    shown = after or before
    low, high = shown.interval()
    key = "chart.belief.title" if after else "chart.belief.before_only"
    layout = _layout(
        say(key, language, what=_plain(item.label(language)), low=percent(low, language, 1), high=percent(high, language, 1)),
        say("chart.belief.subtitle", language), say("chart.belief.note", language), language, projector,
        x=say("chart.belief.x", language), height=480 if projector else 320,
    )  # fmt: skip
    ends = max(before.interval()[1], shown.interval()[1], item.high)
    x = np.linspace(0.0, min(1.0, ends * 1.15), 300)[1:-1]
    layout["yaxis"] |= {"visible": False}
    layout["xaxis"] |= {"ticksuffix": " %"}
    layout["shapes"] = [_rule(100.0 * item.value, LOSS, "dash", 2.0)]
    data = [
        go.Scatter(
            x=100.0 * x, y=beta.pdf(x, before.a, before.b), mode="lines", line={"color": MUTED_INK, "width": 2.5, "dash": "dot"},
            hovertemplate=say("chart.belief.before", language) + " %{x:.1f} %<extra></extra>",
        )
    ]  # fmt: skip
    if after:
        data.append(
            go.Scatter(
                x=100.0 * x, y=beta.pdf(x, after.a, after.b), mode="lines", fill="tozeroy", fillcolor="rgba(11,79,138,0.15)",
                line={"color": "#0b4f8a", "width": 3},
                hovertemplate=say("chart.belief.after", language) + " %{x:.1f} %<extra></extra>",
            )
        )  # fmt: skip
    return go.Figure(data=data, layout=layout)
