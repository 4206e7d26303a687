"""Charts of one site's sheet: its score taken apart, income and cost along users or price, the price of telepresence.

Data in (`coopconnect.model.site_sheet`), a plotly `Figure` out, as in `charts.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coopconnect.model.site_sheet import BreakEven, ScorePart, Span, TelepresenceTrigger
from coopconnect.model.types import Assessment
from coopconnect.show.charts import ROOM_FOR_WORDS, _layout, _mark, _plain, _rule, ends_of, nothing, source_note
from coopconnect.show.colours import COMPONENT_COLOURS, GAIN, INK, LOSS, MUTED_INK, PAPER
from coopconnect.show.words import between, euros, number, percent, say, with_unit

_PALE = "rgba(86,99,110,0.13)"
_TOTAL = "#9aa5ae"
"""Bar of the whole score: light enough for the black line of its range to be seen on it."""
_BAND = "rgba(44,106,155,0.12)"


# --- the score taken apart ----------------------------------------------------------------------------------------


def score_waterfall(
    parts: Sequence[ScorePart], score: Span, site_name: str, assessment: Assessment, language: str = "fr",
    projector: bool = False,
) -> go.Figure:  # fmt: skip
    """The score as steps: each component starts where the one before ends; the last bar is the score.

    Pale: what the component could bring at most. Black lines: low to high, of each part and of the score.
    """
    if not math.isfinite(score.value):
        return nothing("no_sites", language, projector)
    starts = np.concatenate([[0.0], np.cumsum([part.points.value for part in parts])[:-1]])
    labels = [say(f"chart.component.{part.component}", language) for part in parts]
    total = say("chart.sheet.total", language)
    rows = [*labels, f"<b>{total}</b>"]
    layout = _layout(
        _waterfall_title(parts, score, site_name, language),
        say("chart.sheet.waterfall_subtitle", language, ends=ends_of(assessment.drawn, language)),
        source_note(assessment, language), language, projector, x=say("chart.components.x", language),
        height=560 if projector else 360, left=0.62 * max(len(text) for text in (*labels, total)) + 1.4,
    )  # fmt: skip
    layout |= {"barmode": "overlay", "bargap": 0.28}
    places = list(range(len(rows)))
    layout["yaxis"] |= {
        "tickmode": "array", "tickvals": places, "ticktext": rows, "showgrid": False, "ticks": "",
        "range": [len(rows) - 0.45, -0.55], "title": None,
    }  # fmt: skip
    layout["xaxis"] |= {"range": [0, 102]}
    values = [*(part.points for part in parts), score]
    base = [*starts, 0.0]
    hover = [*(_part_hover(part, language) for part in parts), number(score.value, language, 1)]
    hover = [
        say(
            "chart.ends.between", language, text=text, low=number(v.low, language, 1), high=number(v.high, language, 1),
            ends=ends_of(assessment.drawn, language),
        )
        for text, v in zip(hover, values, strict=True)
    ]  # fmt: skip
    most = {
        "type": "bar", "orientation": "h", "y": places[:-1], "base": list(starts), "x": [p.most for p in parts],
        "marker": {"color": _PALE}, "hoverinfo": "skip",
    }  # fmt: skip
    bars = {
        "type": "bar", "orientation": "h", "y": places, "base": base, "x": [v.value for v in values],
        "marker": {"color": [*(COMPONENT_COLOURS[p.component] for p in parts), _TOTAL]},
        "hovertext": hover,
        "hoverinfo": "text",
    }  # fmt: skip
    return go.Figure(data=[most, bars, *_whiskers(base, values, places, language, projector)], layout=layout)


def _waterfall_title(parts: Sequence[ScorePart], score: Span, name: str, language: str) -> str:
    """Score, and the component that leaves most points aside."""
    worst = max(parts, key=lambda part: part.most - part.points.value)
    return say(
        "chart.sheet.waterfall_title", language, name=_plain(name), score=number(score.value, language),
        component=say(f"chart.component.{worst.component}", language).lower(),
        points=number(worst.points.value, language), most=number(worst.most, language),
    )  # fmt: skip


def _span_text(values: Span, language: str, decimals: int = 0) -> str:
    low, value, high = (number(v, language, decimals) for v in (values.low, values.value, values.high))
    return f"{value} ({between(low, high, wraps=False)})"


def _part_hover(part: ScorePart, language: str) -> str:
    return say(
        "chart.sheet.part_hover", language, component=say(f"chart.component.{part.component}", language),
        points=number(part.points.value, language, 1), most=number(part.most, language, 1),
        raw=_span_text(part.raw, language), weight=number(100.0 * part.weight_share, language),
    )  # fmt: skip


def _whiskers(
    base: Sequence[float], values: Sequence[Span], places: Sequence[int], language: str, projector: bool
) -> list[dict[str, Any]]:
    """Low to high over each bar, and its points written after them."""
    ends = [start + value.value for start, value in zip(base, values, strict=True)]
    ups = [value.high - value.value for value in values]
    line = {
        "type": "scatter", "mode": "markers", "x": ends, "y": list(places), "hoverinfo": "skip",
        "marker": {"color": PAPER, "size": 11 if projector else 7, "line": {"color": INK, "width": 2}},
        "error_x": {
            "type": "data", "symmetric": False, "array": ups, "arrayminus": [v.value - v.low for v in values],
            "color": INK, "thickness": 3 if projector else 1.6, "width": 8 if projector else 4,
        },
    }  # fmt: skip
    after = [end + up + 1.2 for end, up in zip(ends, ups, strict=True)]
    inside = [x < 90.0 for x in after]
    text = {
        "type": "scatter", "mode": "text", "x": [x if ok else 101.0 for x, ok in zip(after, inside, strict=True)],
        "y": list(places), "text": [f"<b>{number(v.value, language, 0)}</b>" for v in values], "hoverinfo": "skip",
        "textposition": ["middle right" if ok else "top left" for ok in inside], "cliponaxis": False,
    }  # fmt: skip
    return [line, text]


# --- income and cost ----------------------------------------------------------------------------------------------


def break_even_users(
    curve: BreakEven, site_name: str, assessment: Assessment, language: str = "fr", projector: bool = False
) -> go.Figure:
    """Income (a line) and cost (a stair of desks) against the number of users; the site's users with their range."""
    table, now = curve.table, curve.now

    def users(value: float) -> str:
        return number(value, language, 0 if float(value).is_integer() else 1)

    ends = {"now": number(now.value, language), "low": number(now.low, language), "high": number(now.high, language)}
    if math.isfinite(curve.crossing):
        title = say("chart.sheet.users_title", language, even=users(curve.crossing), **ends)
    else:
        title = say("chart.sheet.users_none", language, **ends)
    layout = _layout(
        title, say("chart.sheet.users_subtitle", language, name=_plain(site_name)),
        source_note(assessment, language), language, projector, x=say("chart.sheet.users_x", language),
        y=say("chart.sheet.money_y", language), left=6.2, over=1.9,
    )  # fmt: skip
    _money_axes(layout, table)
    size = layout["font"]["size"]
    layout["shapes"] = [_band(now), _rule(now.value, INK)]
    here = f"<b>{say('chart.sheet.users_now', language, users=ends['now'])}</b>"
    _point_out(layout, table, now.value, here, INK, size, 0.0)
    if math.isfinite(curve.crossing):
        layout["shapes"].append(_rule(curve.crossing, MUTED_INK, "dot"))
        text = say("chart.sheet.users_even", language, users=users(curve.crossing))
        _point_out(layout, table, curve.crossing, text, MUTED_INK, size, 1.5)
    traces = _money_traces(table, language, projector, users, say("chart.sheet.users_unit", language), stair=True)
    return go.Figure(data=traces, layout=layout)


def break_even_price(
    curve: BreakEven, site_name: str, assessment: Assessment, language: str = "fr", projector: bool = False
) -> go.Figure:
    """Income and cost against the price of a day: a dearer day sells fewer, so both bend."""
    table, price = curve.table, curve.now.value

    def write(value: float) -> str:
        return euros(value, language, 0 if float(value).is_integer() else 2)

    if curve.crossing <= table["value"].iloc[0]:
        title = say("chart.sheet.price_always", language, price=write(float(table["value"].iloc[0])))
    elif math.isfinite(curve.crossing):
        title = say("chart.sheet.price_title", language, even=write(curve.crossing), now=write(price))
    else:
        title = say("chart.sheet.price_none", language)
    first, last = table.iloc[0], table.iloc[-1]
    subtitle = say(
        "chart.sheet.price_subtitle", language, name=_plain(site_name), first=write(first["value"]),
        many=number(first["users"], language), last=write(last["value"]), few=number(last["users"], language),
    )  # fmt: skip
    layout = _layout(
        title, subtitle, source_note(assessment, language), language, projector, left=6.2, over=1.9,
        x=say("chart.sheet.price_x", language), y=say("chart.sheet.money_y", language),
    )  # fmt: skip
    _money_axes(layout, table)
    size = layout["font"]["size"]
    layout["shapes"] = [_rule(price, INK)]
    here = f"<b>{say('chart.response.current', language, value=write(price))}</b>"
    _point_out(layout, table, price, here, INK, size, 0.0)
    if math.isfinite(curve.crossing) and curve.crossing != price:
        layout["shapes"].append(_rule(curve.crossing, MUTED_INK, "dot"))
        text = say("chart.sheet.price_even", language, price=write(curve.crossing))
        _point_out(layout, table, curve.crossing, text, MUTED_INK, size, 1.5)
    traces = _money_traces(table, language, projector, write, "", stair=False)
    return go.Figure(data=traces, layout=layout)


def _band(values: Span) -> dict[str, Any]:
    """Low to high as a pale band over the whole height."""
    return {
        "type": "rect", "x0": values.low, "x1": values.high, "xref": "x", "y0": 0, "y1": 1, "yref": "paper",
        "fillcolor": _BAND, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _money_axes(layout: dict[str, Any], table: pd.DataFrame) -> None:
    first, last = float(table["value"].iloc[0]), float(table["value"].iloc[-1])
    top = float(table[["income_eur", "cost_eur"]].to_numpy().max())
    layout["xaxis"] |= {"range": [first, last], "showgrid": False, "tickformat": ",.2~f"}
    layout["yaxis"] |= {"range": [0.0, top * 1.24], "tickformat": ",.0f"}
    layout |= {"showlegend": True, "legend": {
        "orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom",
        "itemclick": False, "itemdoubleclick": False,
    }}  # fmt: skip


def _point_out(
    layout: dict[str, Any], table: pd.DataFrame, at: float, text: str, colour: str, size: float, lines: float
) -> None:
    """A label at the top of the rule at `at`, `lines` lower, turned inward near the right edge."""
    first, last = float(table["value"].iloc[0]), float(table["value"].iloc[-1])
    late = (at - first) / (last - first) > 1.0 - ROOM_FOR_WORDS
    side = {"xanchor": "right", "xshift": -5} if late else {"xanchor": "left", "xshift": 5}
    layout["annotations"].append(_mark(at, text, colour, size, yshift=-size * lines, **side))


def _money_traces(
    table: pd.DataFrame, language: str, projector: bool, write: Callable[[float], str], unit: str, *, stair: bool
) -> list[dict[str, Any]]:
    """Cost and income as lines, each told apart by its dash too; hover tells both, with users and desks."""
    hover = [
        say(
            "chart.sheet.money_hover", language, at=f"{write(row.value)} {unit}".strip(),
            income=euros(row.income_eur, language), cost=euros(row.cost_eur, language),
            users=number(row.users, language, 1), desks=number(row.desks, language),
        )
        for row in table.itertuples()
    ]  # fmt: skip
    shape = "hv" if stair else "linear"
    width = 5 if projector else 3
    common = {"type": "scatter", "mode": "lines", "x": table["value"], "hovertext": hover, "hoverinfo": "text"}
    return [
        {
            **common, "y": table["cost_eur"], "name": say("chart.sheet.cost", language),
            "line": {"color": LOSS, "width": width, "dash": "dash", "shape": shape},
        },
        {
            **common, "y": table["income_eur"], "name": say("chart.sheet.income", language),
            "line": {"color": GAIN, "width": width},
        },
    ]  # fmt: skip


# --- telepresence -------------------------------------------------------------------------------------------------


def telepresence_price(
    trigger: TelepresenceTrigger, current: float, site_name: str, assessment: Assessment, language: str = "fr",
    projector: bool = False,
) -> go.Figure:  # fmt: skip
    """Viability along the price of a telepresence room, with the step where it is installed."""
    table, threshold = trigger.table, trigger.threshold_eur_per_month

    def write(value: float) -> str:
        return with_unit(value, "€/month", language)

    before, after = trigger.without, trigger.with_room
    pays = trigger.extra_balance_eur_per_year
    key = "chart.sheet.tele_title_pays" if pays >= 0.0 else "chart.sheet.tele_title"
    title = say(key, language, threshold=write(threshold), eur=euros(abs(pays), language))
    permission = [percent(float(row["permission_share"]), language, 1) for row in (before, after)]
    users = [number(float(row["users"]), language, 1) for row in (before, after)]
    subtitle = say(
        "chart.sheet.tele_subtitle", language, before=permission[0], after=permission[1], few=users[0], many=users[1],
        name=_plain(site_name),
    )  # fmt: skip
    layout = _layout(
        title, subtitle, source_note(assessment, language), language, projector, left=5.2,
        x=say("chart.sheet.tele_x", language), y=say("chart.sheet.tele_y", language),
    )  # fmt: skip
    ratio = table["viability"].to_numpy(float) * 100.0
    layout["xaxis"] |= {
        "range": [float(table["value"].iloc[0]), float(table["value"].iloc[-1])], "showgrid": False,
        "tickformat": ",.0f",
    }  # fmt: skip
    layout["yaxis"] |= {"range": [0.0, max(float(ratio.max()), 100.0) * 1.3], "tickformat": ",.0f"}
    size = layout["font"]["size"]
    even = {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": 100, "y1": 100, "yref": "y",
            "line": {"color": MUTED_INK, "width": 1, "dash": "dash"}}  # fmt: skip
    layout["shapes"] = [even, _rule(threshold, LOSS, "dot"), _rule(current, INK)]
    _point_out(layout, table, threshold, say("chart.sheet.tele_threshold", language), LOSS, size, 1.5)
    here = f"<b>{say('chart.response.current', language, value=write(current))}</b>"
    _point_out(layout, table, current, here, INK, size, 0.0)
    hover = [
        say(
            "chart.sheet.tele_hover", language, at=write(row.value), ratio=percent(row.viability, language),
            users=number(row.users, language, 1), permission=percent(row.permission_share, language, 1),
        )
        for row in table.itertuples()
    ]  # fmt: skip
    cheap = table["value"].to_numpy(float) <= threshold
    traces = [
        {
            "type": "scatter", "mode": "lines", "x": table["value"][side], "y": ratio[side],
            "hovertext": [text for text, ok in zip(hover, side, strict=True) if ok], "hoverinfo": "text",
            "line": {"color": colour, "width": 5 if projector else 3},
        }
        for side, colour in ((cheap, GAIN), (~cheap, MUTED_INK))
    ]  # fmt: skip
    return go.Figure(data=traces, layout=layout)
