"""Charts: an `Assessment` or a table in, a plotly `Figure` out. Nothing is drawn here, nothing is fetched.

Titles say the message, axes bear their unit, a footnote says what is modelled. Each takes `language` ('fr' or 'en')
and `projector` (type that is read from the back of a hall). Graph objects only: plotly express is twenty times slower.
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coopconnect.model.types import Assessment
from coopconnect.parameters import Parameter
from coopconnect.scenario import COMPONENTS
from coopconnect.show.colours import COMPONENT_COLOURS, GAIN, GRID, INK, LOSS, MUTED_INK, PAPER
from coopconnect.show.words import euros, hours, known, number, percent, say, unit_name, with_unit

TOP = 10
"""Rows of the chart of components."""

MEASURES = ("score", "users", "hours_per_year", "eur_per_year", "kg_co2e_per_year", "viability")
"""Columns of `response` that the chart of a lever can show."""

LONGEST_NAME = 26
"""Letters of a commune's name beside a bar; the rest is in the hover."""

SHOWN_SHARE = 0.002
"""Tails of the distribution thinner than this share are left outside the picture."""

LEAST_WINNERS = 0.05
"""Share of users who keep time below which they are not told apart from the many who lose some."""

AXIS_TITLE_LETTERS = 36
"""An axis title longer than this takes several lines: a phone has no room for more."""

ROOM_FOR_WORDS = 0.36
"""Part of the width that a label beside a line needs."""

LEGEND_ENTRY = 5.4
"""Room for one word of a legend, in sizes of the type: words further apart than their own spaces."""

FLAT_SCORE_POINTS = 1.0
FLAT_SHARE = 0.02
"""Changes below one point of score, or 2 % of the largest value, read as 'almost nothing'."""

FRENCH_LOCALE: dict[str, Any] = {
    "dictionary": {
        "Autoscale": "Échelle automatique", "Download plot": "Télécharger l'image",
        "Download plot as a png": "Télécharger en PNG", "Download plot as a PNG": "Télécharger en PNG",
        "Download plot as a svg": "Télécharger en SVG", "Pan": "Déplacer", "Reset": "Réinitialiser",
        "Reset axes": "Réinitialiser les axes", "Zoom": "Zoomer", "Zoom in": "Agrandir", "Zoom out": "Réduire",
        "Double-click to zoom back out": "Double-cliquez pour tout voir",
        "Taking snapshot - this may take a few seconds": "Image en préparation",
        "Snapshot succeeded": "Image prête",
    },
    "format": {"decimal": ",", "thousands": "\u202f", "grouping": [3], "currency": ["", "\u00a0€"]},
}  # fmt: skip
"""Words and separators that Plotly shows itself (its French file is not in the page, and none is fetched)."""


def chart_config(language: str, name: str = "coopconnect") -> dict[str, Any]:
    """Plotly's `config`: French tool tips, no logo, an SVG download under `name`."""
    config: dict[str, Any] = {
        "displaylogo": False, "responsive": True, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
        "toImageButtonOptions": {"format": "svg", "filename": name},
    }  # fmt: skip
    if language != "en":
        config |= {"locale": "fr", "locales": {"fr": FRENCH_LOCALE}}
    return config


def _plain(text: object) -> str:
    """Text that Plotly shows as it is: it reads a few HTML tags otherwise."""
    return html.escape(str(text), quote=False)


def _bare(text: str) -> str:
    """Text without the bold tags of this module."""
    return text.replace("<b>", "").replace("</b>", "")


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of about the same length, none much longer than `width`."""
    even = math.ceil(len(text) / max(math.ceil(len(text) / width), 1)) + 6
    return textwrap.wrap(text, min(width, even), break_long_words=False, break_on_hyphens=False) or [""]


def source_note(assessment: Assessment, language: str) -> str:
    """What is drawn: a modelled result at the reference case, from which inputs, and the model's version.

    Bars, points and curves are that case on every chart; a range that is drawn beside says so.
    """
    names = [
        say(f"chart.table.{table}", language) if known(f"chart.table.{table}") else table
        for table in dict.fromkeys(assessment.modelled)
    ]
    kind = "modelled" if names else "official"
    origin = say("chart.origin.modelled", language, tables=", ".join(names)) if names else say(
        f"chart.origin.{kind}", language
    )  # fmt: skip
    return say("chart.source", language, origin=origin, version=assessment.model_version)


def ends_of(drawn: int, language: str) -> str:
    """What a whisker goes over: 5 to 95 % of so many futures, or assumptions moved one at a time (0)."""
    return say("chart.ends.drawn" if drawn else "chart.ends.moved", language, draws=number(float(drawn), language))


def _layout(
    title: str, subtitle: str, note: str, language: str, projector: bool, *, height: int = 0, x: str = "", y: str = "",
    left: float = 4.6, over: float = 0.0,
) -> dict[str, Any]:  # fmt: skip
    """What all charts share: type, titles, footnote, axes, separators.

    `left`: left margin; `over`: room between plot and heading; both in sizes of the type. `meta` holds the title and a
    summary in words, for a caption or a screen reader.
    """
    size = 20 if projector else 13
    titles, subtitles, notes = _wrapped(title, 58), _wrapped(subtitle, 80), _wrapped(note, 96)
    under = _wrapped(x, AXIS_TITLE_LETTERS)
    below = size * (3.7 + 1.3 * (len(under) - 1))
    small, tiny = round(size * 0.92), round(size * 0.78)
    heading = f"<b>{'<br>'.join(titles)}</b>"
    if subtitle:
        heading += f"<br><span style='font-size:{small}px;color:{MUTED_INK}'>{'<br>'.join(subtitles)}</span>"
    room = size * (1.3 * 1.3 * len(titles) + 1.7 * len(subtitles))
    top = room + size * (1.2 + over)
    axis = {
        "gridcolor": GRID, "zeroline": False, "linecolor": MUTED_INK, "showline": True, "ticks": "outside",
        "tickcolor": GRID, "fixedrange": True, "tickfont": {"size": small},
        "exponentformat": "none", "separatethousands": True,  # Plotly writes 5k where a page says 5 000
    }  # fmt: skip
    # Heading and footnote are annotations: Plotly pushes titles of several lines above the top of the picture.
    aside = {"showarrow": False, "x": 0, "xref": "paper", "xanchor": "left", "xshift": -size * (left - 0.8),
             "yref": "paper", "align": "left"}  # fmt: skip
    axis_title = {"font": {"size": size, "color": INK}, "standoff": size * 0.5}
    return {
        "template": None,
        "font": {"family": "system-ui, 'Segoe UI', Arial, sans-serif", "size": size, "color": INK},
        "paper_bgcolor": PAPER, "plot_bgcolor": PAPER, "separators": ".," if language == "en" else ",\u202f",
        "margin": {"l": size * left, "r": size * 1.6, "t": top, "b": below + size * (0.7 + len(notes)), "pad": 0},
        "hovermode": "closest", "showlegend": False, "height": height or (640 if projector else 400),
        "hoverlabel": {"font": {"size": size, "color": INK}, "bgcolor": PAPER, "bordercolor": MUTED_INK},
        "xaxis": {**axis, "title": {**axis_title, "text": "<br>".join(under)}},
        "yaxis": {**axis, "title": {**axis_title, "text": y}},
        "annotations": [
            {
                **aside, "name": "heading", "text": heading, "y": 1, "yanchor": "bottom",
                "yshift": size * (0.6 + over), "font": {"size": round(size * 1.3), "color": INK},
            },
            {
                **aside, "name": "source", "text": "<br>".join(notes), "y": 0, "yanchor": "top",
                "yshift": -below, "font": {"size": tiny, "color": MUTED_INK},
            },
        ],
        "meta": {
            "title": _bare(title), "summary": f"{title}. {subtitle}." if subtitle else f"{title}.",
            "heading_px": room, "note": note, "note_px": size * len(notes) if note else 0,
        },
    }  # fmt: skip


def without_heading(figure: go.Figure) -> go.Figure:
    """The same chart without heading and footnote and the room they take, for a page that writes both as text.

    Text of a page wraps to the width of a phone; Plotly's does not.
    """
    layout = figure.to_plotly_json()["layout"]
    margin = layout["margin"]
    room = min(layout["meta"]["heading_px"], margin["t"])
    foot = min(layout["meta"]["note_px"], margin["b"])
    layout["annotations"] = [note for note in layout["annotations"] if note.get("name") not in ("heading", "source")]
    layout["margin"] = {**margin, "t": margin["t"] - room, "b": margin["b"] - foot}
    layout["height"] -= room + foot
    return go.Figure(data=figure.data, layout=layout)


def nothing(reason: str, language: str, projector: bool = False) -> go.Figure:
    """An empty chart that says why: `reason` is 'no_users', 'no_sites' or 'no_response'."""
    layout = _layout(
        say("chart.nothing.title", language), say(f"chart.nothing.{reason}", language), "", language, projector
    )
    layout["xaxis"] = layout["yaxis"] = {"visible": False, "fixedrange": True}
    return go.Figure(data=[], layout=layout)


# --- hours kept by household --------------------------------------------------------------------------------------


def _distribution(assessment: Assessment, site_code: str | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Edges (n + 1,) and shares (n,) that sum to 1: of one site, or of the rural sites together; None if no users."""
    table = assessment.households
    edges = np.append(table["hours_from"].to_numpy(float), table["hours_to"].to_numpy(float)[-1:])
    users = table["users_share"].to_numpy(float)
    if site_code is not None:
        rows = np.flatnonzero((assessment.sites["zone_code"] == site_code).to_numpy())
        if not rows.size:
            raise KeyError(f"no site {site_code!r} in territory {assessment.territory_code}")
        edges, users = np.asarray(assessment.histogram_edges, float), assessment.histogram[rows[0]]
    total = float(users.sum())
    return (edges, np.asarray(users) / total) if total > 0.0 and math.isfinite(total) else None


def share_below(edges: np.ndarray, shares: np.ndarray, level: float) -> float:
    """Share of a binned distribution below `level` (0 to 1), linear inside a bin."""
    return float(np.interp(level, edges, np.concatenate([[0.0], np.cumsum(shares)])))


def quantile(edges: np.ndarray, shares: np.ndarray, level: float) -> float:
    """Value below which the share `level` of a binned distribution lies, linear inside a bin."""
    return float(np.interp(level, np.concatenate([[0.0], np.cumsum(shares)]), edges))


def _shown_range(edges: np.ndarray, shares: np.ndarray) -> tuple[float, float]:
    """Span of the x axis: what holds all but the thin tails, zero included, one bin of air on each side."""
    low, high = quantile(edges, shares, SHOWN_SHARE), quantile(edges, shares, 1.0 - SHOWN_SHARE)
    width = float(edges[1] - edges[0])
    return min(low, 0.0) - 2 * width, max(high, 0.0) + 2 * width


def _mark(x: float, text: str, colour: str, size: float, **place: Any) -> dict[str, Any]:
    """An annotation at the top of the plot, at `x`."""
    return {
        "x": x, "xref": "x", "y": 1.0, "yref": "paper", "yanchor": "top", "xanchor": "left", "xshift": 5,
        "text": text, "showarrow": False, "font": {"color": colour, "size": size}, "bgcolor": "rgba(255,255,255,0.85)",
        **place,
    }  # fmt: skip


def _rule(x: float, colour: str, dash: str = "solid", width: float = 1.5) -> dict[str, Any]:
    """A vertical line over the whole plot at `x`."""
    line = {"color": colour, "dash": dash, "width": width}
    return {"type": "line", "x0": x, "x1": x, "xref": "x", "y0": 0, "y1": 1, "yref": "paper", "line": line}


def household_hours(
    assessment: Assessment, language: str = "fr", projector: bool = False, site_code: str | None = None
) -> go.Figure:
    """Distribution of hours kept a year per participating household; those who lose time lie below zero, in red.

    All rural sites together, or one site (`site_code`; KeyError where there is none). Bars are shares of users in
    per cent, by bin of hours; median and share of losers are annotated. Where most lose and some keep time, the
    median alone would hide the second kind: the title and a third annotation give what they keep.
    """
    found = _distribution(assessment, site_code)
    if found is None:
        return nothing("no_users", language, projector)
    edges, shares = found
    median, losing = quantile(edges, shares, 0.5), share_below(edges, shares, 0.0)
    losers = percent(losing, language)
    title = _hours_title(edges, shares, language)
    subtitle = say("chart.hours.subtitle", language, losers=losers)
    if site_code is not None:
        name = _plain(assessment.sites.loc[assessment.sites["zone_code"] == site_code, "name"].iloc[0])
        subtitle = say("chart.hours.subtitle_site", language, losers=losers, name=name)
    layout = _layout(
        title, subtitle, source_note(assessment, language), language, projector,
        x=say("chart.hours.x", language), y=say("chart.hours.y", language),
    )  # fmt: skip
    size = layout["font"]["size"]
    layout["xaxis"] |= {"range": list(_shown_range(edges, shares)), "tickformat": ",.0f", "showgrid": False}
    layout["yaxis"] |= {"range": [0.0, float(shares.max()) * 118.0], "tickformat": ",.1~f"}
    layout["bargap"] = 0.04
    layout["shapes"] = [_rule(0.0, INK, width=2.0), _rule(median, INK, "dash", 2.0)]
    layout["annotations"] += [
        _mark(median, say("chart.hours.median", language, median=hours(median, language)), INK, size),
        _mark(
            0.0, say("chart.hours.losers", language, losers=losers), LOSS, size, yshift=-size * 1.7,
            **_beside_zero(layout["xaxis"]["range"]),
        ),
    ]  # fmt: skip
    if _two_kinds(edges, shares):
        kept = hours(kept_by_winners(edges, shares), language)
        text = say("chart.hours.winners", language, winners=percent(1.0 - losing, language), median=kept)
        layout["annotations"].append(_mark(0.0, text, GAIN, size, yshift=-size * 3.4))
    return go.Figure(data=[_hours_bars(edges, shares, language)], layout=layout)


def kept_by_winners(edges: np.ndarray, shares: np.ndarray) -> float:
    """Median hours of those who keep time, of a binned distribution."""
    return quantile(edges, shares, (1.0 + share_below(edges, shares, 0.0)) / 2.0)


def _two_kinds(edges: np.ndarray, shares: np.ndarray) -> bool:
    """True where most users lose time and enough others keep some to be told."""
    return quantile(edges, shares, 0.5) < 0.0 and share_below(edges, shares, 0.0) <= 1.0 - LEAST_WINNERS


def _hours_title(edges: np.ndarray, shares: np.ndarray, language: str) -> str:
    median = quantile(edges, shares, 0.5)
    if _two_kinds(edges, shares):
        losers = percent(share_below(edges, shares, 0.0), language)
        kept = hours(kept_by_winners(edges, shares), language)
        return say("chart.hours.title_two_kinds", language, losers=losers, kept=kept)
    key = "chart.hours.title_negative" if median < 0.0 else "chart.hours.title"
    return say(key, language, median=hours(median, language))


def _beside_zero(span: Sequence[float]) -> dict[str, Any]:
    """Left of zero where there is room for a few words, else right of it."""
    if -span[0] >= ROOM_FOR_WORDS * (span[1] - span[0]):
        return {"xanchor": "right", "xshift": -5}
    return {"xanchor": "left", "xshift": 5}


def _hours_bars(edges: np.ndarray, shares: np.ndarray, language: str) -> dict[str, Any]:
    middle, width = (edges[:-1] + edges[1:]) / 2.0, np.diff(edges)
    hover = [
        say(
            "chart.hours.hover", language, low=number(low, language), high=number(high, language),
            share=percent(share, language, 1),
        )
        for low, high, share in zip(edges[:-1], edges[1:], shares, strict=True)
    ]  # fmt: skip
    return {
        "type": "bar", "x": middle, "y": shares * 100.0, "width": width * 0.96, "hovertext": hover,
        "hoverinfo": "text", "marker": {"color": np.where(middle < 0.0, LOSS, GAIN)},
    }  # fmt: skip


# --- what the scores are made of ----------------------------------------------------------------------------------


_COMPONENT_COLUMNS = [
    "zone_code", "name", "rank", "tie_group", "score", "score_low", "score_high", *(f"component_{name}" for name in COMPONENTS)
]  # fmt: skip


def _shown_sites(
    assessment: Assessment, top: int, codes: Sequence[str] | None, selected_code: str | None
) -> pd.DataFrame:
    """The rows to show, best first: `top` available sites (among `codes` if given), and the selected one."""
    sites = assessment.sites
    rank, code = sites["rank"].to_numpy(), sites["zone_code"].to_numpy(object)
    wanted = rank > 0
    if codes is not None:
        wanted &= np.isin(code, np.asarray(list(codes), dtype=object))
    rows = np.flatnonzero(wanted)
    rows = rows[np.argsort(rank[rows], kind="stable")][:top]
    selected = np.flatnonzero(code == selected_code)
    rows = np.concatenate([rows, selected[~np.isin(selected, rows)]])
    return sites[_COMPONENT_COLUMNS].iloc[rows].reset_index(drop=True)


def _tied_with(assessment: Assessment, first: pd.Series, codes: Sequence[str] | None) -> int:
    """Other available sites (among `codes` if given) that share the tie group of the first."""
    sites = assessment.sites
    others = (sites["rank"].to_numpy() > 0) & (sites["zone_code"].to_numpy(object) != first["zone_code"])
    if codes is not None:
        others &= np.isin(sites["zone_code"].to_numpy(object), np.asarray(list(codes), dtype=object))
    return int((others & (sites["tie_group"].to_numpy() == first["tie_group"])).sum())


def _components_title(first: pd.Series, tied: int, language: str) -> str:
    name, score = _plain(first["name"]), number(first["score"], language)
    if tied < 2:
        key = "chart.components.title_tied_one" if tied else "chart.components.title"
        return say(key, language, name=name, score=score)
    return say("chart.components.title_tied", language, name=name, score=score, count=number(tied, language))


def score_components(
    assessment: Assessment, language: str = "fr", projector: bool = False, *, top: int = TOP,
    codes: Sequence[str] | None = None, selected_code: str | None = None,
) -> go.Figure:  # fmt: skip
    """What makes up the scores of the best sites: stacked bars of weight * component, and low to high of the score.

    Points of component c: component_c * weight_c / sum of weights, so that a bar is as long as its score. `codes`
    keeps some sites only (rural ones, those of a département); the selected site is added if it is not among them.
    """
    rows = _shown_sites(assessment, top, codes, selected_code)
    if rows.empty:
        return nothing("no_sites", language, projector)
    labels = [
        _site_label(name, rank, code == selected_code)
        for name, rank, code in zip(rows["name"], rows["rank"], rows["zone_code"], strict=True)
    ]
    positions = list(range(len(rows)))
    layout = _layout(
        _components_title(rows.iloc[0], _tied_with(assessment, rows.iloc[0], codes), language),
        say("chart.components.subtitle", language, ends=ends_of(assessment.drawn, language)),
        source_note(assessment, language), language, projector, x=say("chart.components.x", language),
        height=_components_height(len(rows), projector), over=3.6,
        left=0.62 * max(len(_bare(text)) for text in labels) + 1.2,
    )  # fmt: skip
    layout["barmode"], layout["showlegend"], layout["bargap"] = "relative", True, 0.3
    layout["legend"] = {
        "orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom", "traceorder": "normal",
        "font": {"size": round(layout["font"]["size"] * 0.92)}, "itemclick": False, "itemdoubleclick": False,
        "entrywidth": layout["font"]["size"] * LEGEND_ENTRY, "entrywidthmode": "pixels",
    }  # fmt: skip
    layout["yaxis"] |= {
        "tickmode": "array", "tickvals": positions, "ticktext": labels, "showgrid": False, "ticks": "",
        "range": [len(rows) - 0.4, -0.6], "title": None,
    }  # fmt: skip
    reach = float(np.nanmax(rows["score_high"])) * 1.04
    layout["xaxis"] |= {"range": [min(0.0, float(rows["score_low"].min())), min(max(reach, 10.0), 104.0)]}
    data = _component_bars(rows, assessment.scenario.weights(), positions, language)
    return go.Figure(
        data=[*data, _score_whiskers(rows, positions, assessment.drawn, language, projector)], layout=layout
    )


def _components_height(rows: int, projector: bool) -> int:
    return (260 + 46 * rows) if projector else (180 + 27 * rows)


def _site_label(name: str, rank: int, selected: bool) -> str:
    text = _plain(textwrap.shorten(name, LONGEST_NAME, placeholder="…"))
    text = f"{rank}. {text}" if rank > 0 else text
    return f"<b>{text} ◄</b>" if selected else text


def _component_bars(
    rows: pd.DataFrame, weights: Sequence[float], positions: list[int], language: str
) -> list[dict[str, Any]]:
    total = sum(weights)
    bars = []
    for name, weight in zip(COMPONENTS, weights, strict=True):
        raw = rows[f"component_{name}"].to_numpy(float)
        label = say(f"chart.component.{name}", language)
        hover = [
            say(
                "chart.components.hover", language, component=label, points=number(r * weight / total, language, 1),
                raw=number(r, language), weight=number(100.0 * weight / total, language),
            )
            for r in raw
        ]  # fmt: skip
        bars.append({
            "type": "bar", "orientation": "h", "x": raw * (weight / total), "y": positions, "name": label,
            "marker": {"color": COMPONENT_COLOURS[name], "line": {"color": PAPER, "width": 1}},
            "hovertext": hover, "hoverinfo": "text",
        })  # fmt: skip
    return bars


def _score_whiskers(
    rows: pd.DataFrame, positions: list[int], drawn: int, language: str, projector: bool
) -> dict[str, Any]:  # fmt: skip
    score, low, high = (rows[c].to_numpy(float) for c in ("score", "score_low", "score_high"))
    hover = [
        say(
            "chart.ends.between", language, low=number(a, language, 1), high=number(b, language, 1),
            ends=ends_of(drawn, language),
            text=say("chart.components.hover_total", language, name=_plain(name), score=number(s, language, 1)),
        )
        for name, s, a, b in zip(rows["name"], score, low, high, strict=True)
    ]  # fmt: skip
    width = 3 if projector else 2
    return {
        "type": "scatter", "mode": "markers", "x": score, "y": positions, "name": say("chart.components.total", language),
        "marker": {"color": PAPER, "size": 13 if projector else 9, "line": {"color": INK, "width": width}},
        "error_x": {
            "type": "data", "symmetric": False, "array": high - score, "arrayminus": score - low, "color": INK,
            "thickness": width, "width": 9 if projector else 5,
        },
        "hovertext": hover, "hoverinfo": "text", "cliponaxis": False,
    }  # fmt: skip


# --- how one site answers one lever -------------------------------------------------------------------------------


def _formatter(measure: str, language: str) -> Callable[[float], str]:
    """How a value of `measure` is written in a sentence."""
    written: dict[str, Callable[[float], str]] = {
        "score": lambda v: say("chart.points", language, value=number(v, language, 1)),
        "users": lambda v: say("chart.users", language, value=number(v, language, 1)),
        "hours_per_year": lambda v: with_unit(v, "h", language),
        "eur_per_year": lambda v: euros(v, language),
        "kg_co2e_per_year": lambda v: with_unit(v, "kg", language),
        "viability": lambda v: number(v, language, 2),
    }
    return written[measure]


def _lever_decimals(lever: Parameter) -> int:
    step = lever.lever.step if lever.lever else 0.0
    return 0 if step <= 0.0 or step >= 1.0 else max(0, math.ceil(-math.log10(step) - 1e-9))


def _response_title(
    x: np.ndarray, y: np.ndarray, measure: str, name: str, write_x: Callable[[float], str], language: str
) -> str:
    write, what = _formatter(measure, language), say(f"chart.measure.{measure}", language)
    change, best = float(y[-1] - y[0]), int(np.argmax(y))
    flat = FLAT_SCORE_POINTS if measure == "score" else FLAT_SHARE * float(np.abs(y).max())
    if float(np.ptp(y)) <= flat:
        first, last = write(float(y.min())), write(float(y.max()))
        return say("chart.response.title_flat", language, site=name, measure=what, first=first, last=last)
    if 0 < best < y.size - 1 and float(y[best] - max(y[0], y[-1])) > max(flat, 0.1 * float(np.ptp(y))):
        at, top = write_x(float(x[best])), write(float(y[best]))
        return say("chart.response.title_peak", language, site=name, measure=what, at=at, best=top)
    key = "chart.response.title_up" if change > 0 else "chart.response.title_down"
    low, high = write_x(float(x[0])), write_x(float(x[-1]))
    return say(key, language, site=name, measure=what, change=write(abs(change)), low=low, high=high)


def lever_response(
    response: pd.DataFrame, lever: Parameter, site_name: str, assessment: Assessment, language: str = "fr",
    projector: bool = False, *, current: float | None = None, reference: float | None = None, measure: str = "score",
) -> go.Figure:  # fmt: skip
    """How one site answers one lever: a line of `measure` (one of `MEASURES`) over the values of the lever.

    response: columns `value` and `measure`, as `coopconnect.model.assessment.response` gives them. `current` and
    `reference` mark positions of the lever. What is negative is filled in red under a zero line.
    """
    if measure not in MEASURES:
        raise ValueError(f"measure: allowed {', '.join(MEASURES)}; not {measure!r}")
    table = response[["value", measure]].dropna().sort_values("value") if len(response) else response
    if len(table) < 2:
        return nothing("no_response", language, projector)
    x, y = table["value"].to_numpy(float), table[measure].to_numpy(float)
    decimals = _lever_decimals(lever)

    def write_x(value: float) -> str:
        whole = not lever.unit.startswith("€") and float(value).is_integer()  # 2 days, but 2.00 euros
        return with_unit(value, lever.unit, language, 0 if whole else decimals)

    layout = _layout(
        _response_title(x, y, measure, _plain(site_name), write_x, language),
        say("chart.response.subtitle", language, lever=_plain(lever.label(language))),
        source_note(assessment, language), language, projector,
        x=f"{_plain(lever.label(language))} ({unit_name(lever.unit, language)})",
        y=say(f"chart.measure_axis.{measure}", language),
    )  # fmt: skip
    layout["xaxis"] |= {"tickformat": f",.{decimals}~f", "showgrid": False, "range": _padded(x, 0.03)}
    layout["yaxis"] |= {"tickformat": ",.2~f", "range": _measure_range(y, measure)}
    _mark_levels(layout, current, reference, language, write_x)
    traces = _response_traces(x, y, _formatter(measure, language), write_x, projector)
    if y.min() < 0.0:
        traces.insert(0, _negative_fill(x, y))
        layout["yaxis"] |= {"zeroline": True, "zerolinecolor": INK, "zerolinewidth": 2}
        layout["annotations"].append(_below_zero(y, language))
    if current is not None and x[0] <= current <= x[-1]:
        traces.append(_current_point(current, float(np.interp(current, x, y)), projector))
    return go.Figure(data=traces, layout=layout)


def _below_zero(y: np.ndarray, language: str) -> dict[str, Any]:
    """A word under the zero line, at the edge where the line is above it."""
    at = {"x": 1, "xanchor": "right"} if y[-1] >= 0.0 else {"x": 0, "xanchor": "left", "xshift": 6}
    return {
        **at, "xref": "paper", "y": 0, "yref": "y", "yanchor": "top", "showarrow": False, "font": {"color": LOSS},
        "text": say("chart.response.negative", language),
    }  # fmt: skip


def _padded(values: np.ndarray, share: float) -> list[float]:
    air = max(float(np.ptp(values)), 1e-9) * share
    return [float(values.min()) - air, float(values.max()) + air]


def _measure_range(y: np.ndarray, measure: str) -> list[float]:
    """Span of the y axis: zero is always in it, so that a small change looks small."""
    low, high = min(float(y.min()), 0.0), max(float(y.max()), 0.0)
    if measure == "score":
        return [low, min(max(high * 1.3, 10.0), 105.0)]
    air = 0.16 * max(high - low, 1e-9)
    return [low - air if low < 0.0 else 0.0, high + air]


def _mark_levels(
    layout: dict[str, Any], current: float | None, reference: float | None, language: str,
    write_x: Callable[[float], str],
) -> None:  # fmt: skip
    """Rules and labels of the current position and of the reference; labels turn inward near the right edge."""
    size, span = layout["font"]["size"], layout["xaxis"]["range"]
    layout["shapes"] = []

    def side(value: float) -> dict[str, Any]:
        place = (value - span[0]) / (span[1] - span[0])
        before = place > 1.0 - ROOM_FOR_WORDS or (current is not None and value < current and place > ROOM_FOR_WORDS)
        return {"xanchor": "right", "xshift": -5} if before else {"xanchor": "left", "xshift": 5}

    if reference is not None and reference != current:
        layout["shapes"].append(_rule(reference, MUTED_INK, "dot"))
        text = say("chart.response.reference", language)
        layout["annotations"].append(_mark(reference, text, MUTED_INK, size, yshift=-size * 1.7, **side(reference)))
    if current is not None:
        layout["shapes"].append(_rule(current, INK, "solid"))
        text = "<b>" + say("chart.response.current", language, value=write_x(current)) + "</b>"
        layout["annotations"].append(_mark(current, text, INK, size, **side(current)))


def _response_traces(
    x: np.ndarray, y: np.ndarray, write: Callable[[float], str], write_x: Callable[[float], str], projector: bool
) -> list[dict[str, Any]]:
    hover = [f"{write_x(float(a))} : {write(float(b))}" for a, b in zip(x, y, strict=True)]
    return [{
        "type": "scatter", "mode": "lines+markers", "x": x, "y": y, "hovertext": hover, "hoverinfo": "text",
        "line": {"color": GAIN, "width": 5 if projector else 3},
        "marker": {"size": 10 if projector else 6, "color": np.where(y < 0.0, LOSS, GAIN)},
    }]  # fmt: skip


def _negative_fill(x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """The area between zero and what is negative, with the crossings put in so that it ends where the line does."""
    flips = np.flatnonzero(np.sign(y[:-1]) * np.sign(y[1:]) < 0)
    crossing = x[flips] - y[flips] * (x[flips + 1] - x[flips]) / (y[flips + 1] - y[flips])
    order = np.argsort(np.concatenate([x, crossing]), kind="stable")
    at = np.concatenate([x, crossing])[order]
    below = np.minimum(np.concatenate([y, np.zeros(crossing.size)])[order], 0.0)
    return {
        "type": "scatter", "mode": "lines", "x": at, "y": below, "fill": "tozeroy", "hoverinfo": "skip",
        "line": {"width": 0, "color": LOSS}, "fillcolor": "rgba(200,68,27,0.28)",
    }  # fmt: skip


def _current_point(x: float, y: float, projector: bool) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "x": [x], "y": [y], "hoverinfo": "skip",
        "marker": {
            "size": 20 if projector else 13, "color": LOSS if y < 0 else PAPER,
            "line": {"color": INK, "width": 4 if projector else 3},
        },
    }  # fmt: skip
