"""Charts of the page Ménages: who gains in blue, who loses in orange-red, in numbers of households.

Counts are for one site: the one chosen, or an average one of the pool (`HouseholdGroups` sums over the pool).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coopconnect import MODEL_VERSION
from coopconnect.model.household_groups import TOLD, HouseholdGroups, bars_of, edges_of, quantiles, told_of, users_by
from coopconnect.model.runs import per
from coopconnect.show.charts import _layout, _mark, _plain, _rule, nothing
from coopconnect.show.colours import GAIN, INK, LOSS
from coopconnect.show.weeks import writer
from coopconnect.show.words import number, say, with_range

_THIN = "\u2009"
"""Between the end of a bar and its number."""


def count(households: float, language: str) -> str:
    """A number of households: one decimal below ten, whole above."""
    return number(households, language, 1 if abs(households) < 10.0 else 0)


def kind_of(truly: bool) -> str:
    """Suffix of the columns of `HouseholdGroups` for one of the two readings."""
    return "_if_replaced" if truly else ""


def gained_and_lost(groups: HouseholdGroups, measure: str, truly: bool) -> tuple[float, float]:
    """Households that gain and that lose, for one site of the pool."""
    sites = max(len(groups.site_codes), 1)
    name = f"{measure}{kind_of(truly)}"
    up, down = (groups.totals[f"{name}_{end}_users"].value / sites for end in ("up", "down"))
    return up, down


def gains(
    groups: HouseholdGroups, measure: str, truly: bool, name: str, language: str = "fr", projector: bool = False
) -> go.Figure:
    """Households by what they keep a year of a measure; losers left of zero, in the colour of losses.

    name: of the site, '' for the pool.
    """
    if groups.totals["users"].value <= 0.0:
        return nothing("no_users", language, projector)
    edges, users = bars_of(groups, measure, kind_of(truly))
    lowest, highest = (users, users) if groups.ends is None else (e.bars[measure, kind_of(truly)] for e in groups.ends)
    up, down = gained_and_lost(groups, measure, truly)
    gain, lose = (
        say(f"house.chart.{end}_{measure}", language, count=count(v, language))
        for end, v in (("gain", up), ("lose", down))
    )
    title = say("house.chart.title", language, users=count(up + down, language), gain=gain, lose=lose)
    layout = _layout(
        title, _subtitle(truly, name, language), _note(groups, language), language, projector,
        x=say(f"house.chart.x_{measure}", language), y=say("house.chart.y", language),
    )  # fmt: skip
    layout["meta"]["subtitle"] = _subtitle(truly, name, language)
    size = layout["font"]["size"]
    raw = edges_of(groups, measure)
    median = float(quantiles(raw, users_by(groups, measure, kind_of(truly)), np.array([0.5]))[0])
    layout["xaxis"] |= {"range": [edges[0], edges[-1]], "tickformat": ",.0f", "showgrid": False}
    layout["yaxis"] |= {"range": [0.0, float(highest.max()) * 1.4], "tickformat": ",.2~f"}
    layout["bargap"] = 0.04
    layout["shapes"] = [_rule(0.0, INK, width=2.0), _rule(median, INK, "dash", 1.5)]
    write = writer(measure, language)
    marks = [(0.0, "down", down, LOSS, "right"), (0.0, "up", up, GAIN, "left")]
    layout["annotations"] += [
        _mark(x, say(f"house.chart.{end}", language, count=count(v, language)), colour, size, xanchor=side,
              xshift=-6 if side == "right" else 6)
        for x, end, v, colour, side in marks
        if v > 0.0
    ]  # fmt: skip
    words = say("house.chart.median", language, value=write(median))
    layout["annotations"].append(_mark(median, words, INK, size * 0.9, yshift=-size * 1.9, **_inside(median, edges)))
    bars = _histogram(edges, users, write, language)
    if groups.ends is not None:
        bars["error_y"] = _whiskers(users, lowest, highest)
        bars["hovertext"] = [
            say(
                "house.chart.between", language, text=text, low=number(low, language, 2), high=number(high, language, 2)
            )
            for text, low, high in zip(bars["hovertext"], lowest, highest, strict=True)
        ]
    return go.Figure(data=[bars], layout=layout)


def _whiskers(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict[str, Any]:
    """From 5 to 95 % of the draws, on a bar that is the reference case."""
    return {
        "type": "data", "symmetric": False, "array": high - values, "arrayminus": values - low, "color": INK,
        "thickness": 1.2, "width": 2,
    }  # fmt: skip


def _inside(x: float, edges: np.ndarray) -> dict[str, Any]:
    """Words beside a line, on the side that has more room."""
    right = x < (edges[0] + edges[-1]) / 2.0
    return {"xanchor": "left" if right else "right", "xshift": 6 if right else -6}


def _histogram(edges: np.ndarray, users: np.ndarray, write: Any, language: str) -> dict[str, Any]:
    middle, width = (edges[:-1] + edges[1:]) / 2.0, np.diff(edges)
    hover = [
        say("house.chart.hover", language, low=write(low), high=write(high), users=number(v, language, 2))
        for low, high, v in zip(edges[:-1], edges[1:], users, strict=True)
    ]
    return {
        "type": "bar", "x": middle, "y": users, "width": width * 0.94, "hovertext": hover, "hoverinfo": "text",
        "marker": {"color": np.where(middle < 0.0, LOSS, GAIN)},
    }  # fmt: skip


def _subtitle(truly: bool, name: str, language: str, key: str = "") -> str:
    scope = (
        say("house.chart.scope_site", language, name=_plain(name)) if name else say("house.chart.scope_pool", language)
    )
    key = key or f"house.chart.subtitle_{'truly' if truly else 'average'}"
    return say(key, language, scope=scope)


def _note(groups: HouseholdGroups, language: str) -> str:
    """What bars and whiskers are, then the version of the model."""
    drawn = number(groups.drawn, language)
    kind = say("house.chart.reference" if groups.ends is None else "house.chart.drawn", language, draws=drawn)
    return f"{kind} {say('house.chart.note', language, version=MODEL_VERSION)}"


def by_distance(
    groups: HouseholdGroups, measure: str, truly: bool, name: str, language: str = "fr", projector: bool = False
) -> go.Figure:
    """Households that gain (up) and lose (down) by band of distance to work, with their numbers."""
    table = groups.bands
    labels = [
        say("house.chart.band", language, low=f"{low:.0f}", high=f"{high:.0f}")
        if np.isfinite(high)
        else say("house.chart.band_last", language, low=f"{low:.0f}")
        for low, high in zip(table["km_from"], table["km_to"], strict=True)
    ]
    up, down = (table[f"{measure}{kind_of(truly)}_{end}_users"].to_numpy(float) for end in ("up", "down"))
    far = bool(up[:2].sum() < down[:2].sum() and up[3:].sum() > down[3:].sum())
    title = say("house.chart.bands_title" if far else "house.chart.bands_title_plain", language)
    subtitle = _subtitle(truly, name, language, "house.chart.bands_subtitle")
    return _groups(groups, "bands", labels, measure, truly, (title, subtitle), language, projector)


def by_density(
    groups: HouseholdGroups, measure: str, truly: bool, name: str, language: str = "fr", projector: bool = False
) -> go.Figure:
    """The same for rural and urban communes of residence."""
    labels = [say(f"house.chart.{kind}", language) for kind in ("rural", "urban")]
    words = (
        say("house.chart.density_title", language),
        _subtitle(truly, name, language, "house.chart.density_subtitle"),
    )
    return _groups(groups, "density", labels, measure, truly, words, language, projector)


def _groups(
    groups: HouseholdGroups, part: str, labels: list[str], measure: str, truly: bool, words: tuple[str, str],
    language: str, projector: bool,
) -> go.Figure:  # fmt: skip
    """Horizontal bars: those who lose to the left of zero, those who gain to the right, each with its number."""
    if groups.totals["users"].value <= 0.0:
        return nothing("no_users", language, projector)
    name, write = f"{measure}{kind_of(truly)}", writer(measure, language)
    table: pd.DataFrame = getattr(groups, part)
    now = pd.DataFrame(told_of(table), columns=TOLD)
    low, high = (now, now) if groups.ends is None else (getattr(end, part) for end in groups.ends)

    def households(told: pd.DataFrame, end: str) -> np.ndarray:
        return per(told[f"{name}_{end}_users"].to_numpy(float), table["sites"].to_numpy(float))

    up, down = households(now, "up"), households(now, "down")

    def told(end: str) -> list[str]:
        ends = zip(households(now, end), households(low, end), households(high, end), strict=True)
        drawn = groups.ends is not None
        write = lambda x: count(float(x or 0.0), language)  # noqa: E731
        return [with_range(a if drawn else None, v, b, write, wraps=False) for v, a, b in ends]

    hover = [
        say("house.chart.bands_hover", language, group=label, up=u, down=d, mean=write(m))
        for label, u, d, m in zip(labels, told("up"), told("down"), now[f"{name}_per_user"], strict=True)
    ]
    if groups.ends is not None:
        hover = [
            say("house.chart.between", language, text=text, low=write(a), high=write(b))
            for text, a, b in zip(hover, low[f"{name}_per_user"], high[f"{name}_per_user"], strict=True)
        ]
    layout = _layout(
        *words, _note(groups, language), language, projector, x=say("house.chart.y", language),
        left=0.62 * max(map(len, labels)) + 1.2, height=(250 + 62 * len(labels)) if projector else (165 + 40 * len(labels)),
    )  # fmt: skip
    layout["meta"]["subtitle"] = words[1]
    size, reach = layout["font"]["size"], float(max(*(households(high, end).max() for end in ("up", "down")), 1e-6))
    layout["xaxis"] |= {"range": [-reach * 1.5, reach * 1.5], "showticklabels": False, "ticks": "", "showgrid": False}
    layout["yaxis"] |= {
        "tickmode": "array", "tickvals": list(range(len(labels))), "ticktext": labels, "ticks": "", "showgrid": False,
        "range": [len(labels) - 0.4, -0.6], "title": None, "showline": False,
    }  # fmt: skip
    layout["barmode"], layout["bargap"] = "relative", 0.3
    layout["shapes"] = [_rule(0.0, INK, width=2.0)]
    bars: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    for end, sign, values, colour in (("down", -1.0, down, LOSS), ("up", 1.0, up, GAIN)):
        lowest, highest = households(low, end), households(high, end)
        bar: dict[str, Any] = {
            "type": "bar", "orientation": "h", "x": sign * values, "y": list(range(len(labels))), "hovertext": hover,
            "hoverinfo": "text", "marker": {"color": colour}, "name": say(f"house.chart.legend_{end}", language),
        }  # fmt: skip
        if groups.ends is not None:  # below zero the longer end of a whisker is its other side
            least, most = (lowest, highest) if sign > 0.0 else (-highest, -lowest)
            bar["error_x"] = _whiskers(sign * values, least, most)
        bars.append(bar)
        texts.append(
            {
                "type": "scatter", "mode": "text", "x": sign * highest, "y": list(range(len(labels))),
                "text": [f"{_THIN}{count(v, language)}{_THIN}" for v in values], "cliponaxis": False, "hoverinfo": "skip",
                "textposition": f"middle {'right' if sign > 0.0 else 'left'}", "textfont": {"size": size, "color": colour},
            }
        )  # fmt: skip
    layout["annotations"] += [
        _mark(0.0, f"◀ {say('house.chart.legend_down', language)}", LOSS, size * 0.92, xanchor="right", xshift=-6, yanchor="bottom"),
        _mark(0.0, f"{say('house.chart.legend_up', language)} ▶", GAIN, size * 0.92, yanchor="bottom"),
    ]  # fmt: skip
    layout["margin"]["t"] += size * 1.6
    layout["annotations"][0]["yshift"] += size * 1.6
    layout["height"] += round(size * 1.6)
    layout["meta"]["summary"] += " " + " ".join(f"{text}." for text in hover)
    return go.Figure(data=[*bars, *texts], layout=layout)
