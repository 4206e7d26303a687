"""Charts of the page Ménages: who gains in blue, who loses in orange-red, in numbers of households.

Counts are for one site: the one chosen, or an average one of the pool (`HouseholdGroups` sums over the pool).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coopconnect import MODEL_VERSION
from coopconnect.model.household_groups import HouseholdGroups, edges_of, per_site, quantiles, users_by
from coopconnect.show.charts import _layout, _mark, _plain, _rule, nothing
from coopconnect.show.colours import GAIN, INK, LOSS
from coopconnect.show.weeks import writer
from coopconnect.show.words import number, say

BARS = 44
"""About so many bars in a distribution."""

SHOWN_SHARE = 0.003
"""Tails thinner than this share are left outside the picture."""

_NICE = (1.0, 2.0, 5.0)


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
    edges, users = _bars(groups, measure, kind_of(truly))
    up, down = gained_and_lost(groups, measure, truly)
    gain, lose = (
        say(f"house.chart.{end}_{measure}", language, count=count(v, language))
        for end, v in (("gain", up), ("lose", down))
    )
    title = say("house.chart.title", language, users=count(up + down, language), gain=gain, lose=lose)
    layout = _layout(
        title, _subtitle(truly, name, language), _note(language), language, projector,
        x=say(f"house.chart.x_{measure}", language), y=say("house.chart.y", language),
    )  # fmt: skip
    layout["meta"]["subtitle"] = _subtitle(truly, name, language)
    size = layout["font"]["size"]
    raw = edges_of(groups, measure)
    median = float(quantiles(raw, users_by(groups, measure, kind_of(truly)), np.array([0.5]))[0])
    layout["xaxis"] |= {"range": [edges[0], edges[-1]], "tickformat": ",.0f", "showgrid": False}
    layout["yaxis"] |= {"range": [0.0, float(users.max()) * 1.4], "tickformat": ",.2~f"}
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
    return go.Figure(data=[_histogram(edges, users, write, language)], layout=layout)


def _inside(x: float, edges: np.ndarray) -> dict[str, Any]:
    """Words beside a line, on the side that has more room."""
    right = x < (edges[0] + edges[-1]) / 2.0
    return {"xanchor": "left" if right else "right", "xshift": 6 if right else -6}


def _bars(groups: HouseholdGroups, measure: str, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Edges of round width with one at zero, and households in each, for one site of the pool; tails in the end bars."""
    edges, users = edges_of(groups, measure), users_by(groups, measure, kind) / max(len(groups.site_codes), 1)
    low, high = quantiles(edges, users, np.array([SHOWN_SHARE, 1.0 - SHOWN_SHARE]))
    low, high = min(low, 0.0), max(high, 0.0)
    width = _round_width((high - low) / BARS)
    shown = np.arange(np.floor(low / width) - 1.0, np.ceil(high / width) + 2.0) * width
    cumulated = np.interp(shown, edges, np.concatenate([[0.0], np.cumsum(users)]))
    cumulated[0], cumulated[-1] = 0.0, users.sum()
    return shown, np.diff(cumulated)


def _round_width(width: float) -> float:
    """The next of 1, 2, 5, 10, 20 ..."""
    base = 10.0 ** np.floor(np.log10(max(width, 1.0)))
    return float(next(step * base for step in (*_NICE, 10.0) if step * base >= width))


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


def _note(language: str) -> str:
    return say("house.chart.note", language, version=MODEL_VERSION)


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
    return _groups(groups, table, labels, measure, truly, (title, subtitle), language, projector)


def by_density(
    groups: HouseholdGroups, measure: str, truly: bool, name: str, language: str = "fr", projector: bool = False
) -> go.Figure:
    """The same for rural and urban communes of residence."""
    labels = [say(f"house.chart.{kind}", language) for kind in ("rural", "urban")]
    words = (
        say("house.chart.density_title", language),
        _subtitle(truly, name, language, "house.chart.density_subtitle"),
    )
    return _groups(groups, groups.density, labels, measure, truly, words, language, projector)


def _groups(
    groups: HouseholdGroups, table: pd.DataFrame, labels: list[str], measure: str, truly: bool, words: tuple[str, str],
    language: str, projector: bool,
) -> go.Figure:  # fmt: skip
    """Horizontal bars: those who lose to the left of zero, those who gain to the right, each with its number."""
    if groups.totals["users"].value <= 0.0:
        return nothing("no_users", language, projector)
    name = f"{measure}{kind_of(truly)}"
    up, down = per_site(table, f"{name}_up_users"), per_site(table, f"{name}_down_users")
    users = table["users"].to_numpy(float)
    means = np.divide(table[f"{name}_per_year"].to_numpy(float), users, out=np.zeros(users.size), where=users > 0.0)
    write = writer(measure, language)
    hover = [
        say(
            "house.chart.bands_hover",
            language,
            group=label,
            up=count(u, language),
            down=count(d, language),
            mean=write(m),
        )
        for label, u, d, m in zip(labels, up, down, means, strict=True)
    ]
    layout = _layout(
        *words, _note(language), language, projector, x=say("house.chart.y", language),
        left=0.62 * max(map(len, labels)) + 1.2, height=(250 + 62 * len(labels)) if projector else (165 + 40 * len(labels)),
    )  # fmt: skip
    layout["meta"]["subtitle"] = words[1]
    size, reach = layout["font"]["size"], float(max(up.max(), down.max(), 1e-6))
    layout["xaxis"] |= {"range": [-reach * 1.3, reach * 1.3], "showticklabels": False, "ticks": "", "showgrid": False}
    layout["yaxis"] |= {
        "tickmode": "array", "tickvals": list(range(len(labels))), "ticktext": labels, "ticks": "", "showgrid": False,
        "range": [len(labels) - 0.4, -0.6], "title": None, "showline": False,
    }  # fmt: skip
    layout["barmode"], layout["bargap"] = "relative", 0.3
    layout["shapes"] = [_rule(0.0, INK, width=2.0)]
    data = [
        {
            "type": "bar", "orientation": "h", "x": sign * values, "y": list(range(len(labels))), "hovertext": hover,
            "hoverinfo": "text", "marker": {"color": colour}, "name": say(f"house.chart.legend_{end}", language),
            "text": [count(v, language) for v in values], "textposition": "outside", "cliponaxis": False,
            "textfont": {"size": size, "color": colour},
        }
        for end, sign, values, colour in (("down", -1.0, down, LOSS), ("up", 1.0, up, GAIN))
    ]  # fmt: skip
    layout["annotations"] += [
        _mark(0.0, f"◀ {say('house.chart.legend_down', language)}", LOSS, size * 0.92, xanchor="right", xshift=-6, yanchor="bottom"),
        _mark(0.0, f"{say('house.chart.legend_up', language)} ▶", GAIN, size * 0.92, yanchor="bottom"),
    ]  # fmt: skip
    layout["margin"]["t"] += size * 1.6
    layout["annotations"][0]["yshift"] += size * 1.6
    layout["height"] += round(size * 1.6)
    layout["meta"]["summary"] += " " + " ".join(f"{text}." for text in hover)
    return go.Figure(data=data, layout=layout)
