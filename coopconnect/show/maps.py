"""What the map shows: plain arrays in, a `MapSpec` out; nothing here knows of screens or browsers.

A `MapSpec` holds everything that may change when a lever moves: one class per zone, the numbers of the hover,
sites, arcs, selection and words. `payload` turns it into the small JSON that the map component receives on each
move. Contours never travel with it: see `geometry`.
"""

from __future__ import annotations

import base64
import itertools
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go

from coopconnect.show.geometry import Contours, vertex_lonlat

SCORE_BREAKS = (20.0, 30.0, 40.0, 55.0, 70.0, 85.0)
"""Limits between classes of a score from 0 to 100. Fixed: a colour means the same in every meeting. They tell
rural PACA apart in the reference scenario (scores 16 to 90, median 27) and still do at 3 €/L and four days of
telework (16 to 92, median 46)."""

SEQUENTIAL_COLOURS = ("#fbf3cf", "#d0dfa8", "#98c9a9", "#5caaa9", "#3788a3", "#2a6292", "#263c78")
"""Pale to deep; lightness falls evenly, so the order survives colour blindness, grey printing and weak lamps."""

FLAG_COLOUR = "#f6d9c8"
FLAG_INK = "#c8441b"
"""Red flag: pale ground under hatching; told apart by its pattern, never by its hue alone."""

NO_DATA_COLOUR = "#d3d7db"

CLASS_FLAG = 254
CLASS_NONE = 255
"""Classes outside the scale: 0 ... 253 are positions in it."""

MAX_HOVER_RANGE_ZONES = 5_000
"""Above this many zones the hover shows central values only, to keep each move small."""

FALLBACK_MAX_ZONES = 5_000
"""Above this many zones the picture without WebGL draws the best zones as points, not every contour."""


FALLBACK_TOP = 500
"""How many zones are then drawn."""


@dataclass(frozen=True)
class LegendEntry:
    """One line of the legend. kind: 'class' (a colour of the scale), 'flag' (hatched) or 'none'."""

    label: str
    colour: str
    kind: str = "class"


@dataclass(frozen=True)
class Legend:
    """Title, unit and lines; note: one sentence under it (what is modelled, for which scenario)."""

    title: str
    unit: str
    entries: tuple[LegendEntry, ...]
    note: str = ""


@dataclass(frozen=True)
class HoverRow:
    """One line of the hover: a number per zone, with its range if there is one; NaN where there is none."""

    label: str
    values: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    unit: str = ""
    decimals: int = 0


@dataclass(frozen=True)
class Sites:
    """Discs: row of each site's zone, and its users per week or year (they set the area of the disc), and what is written
    in it (a disc with a label is at least as large as its text)."""

    zone: np.ndarray
    users: np.ndarray
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arcs:
    """From the selected site to the homes of its users: longitude, latitude and people of each end."""

    lon: np.ndarray
    lat: np.ndarray
    people: np.ndarray


@dataclass(frozen=True)
class MapSpec:
    """What one picture of the map shows.

    zone_class: (zones,) uint8; 0 ... n - 1 in the colours, CLASS_FLAG or CLASS_NONE.
    colours: '#rrggbb' per class. zone_note: optional text per zone number, shown in the hover (why flagged).
    selected: row of the selected zone, or None. projector: big type and high contrast.
    focus: rows that the view moves to when they change; None for the whole territory.
    """

    zone_class: np.ndarray
    colours: tuple[str, ...]
    legend: Legend
    hover: tuple[HoverRow, ...] = ()
    zone_note: Mapping[int, str] = field(default_factory=dict)
    sites: Sites | None = None
    arcs: Arcs | None = None
    selected: int | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    projector: bool = False
    height_px: int = 560
    focus: np.ndarray | None = None


def classify(
    values: np.ndarray,
    breaks: Sequence[float] = SCORE_BREAKS,
    flagged: np.ndarray | None = None,
    missing: np.ndarray | None = None,
) -> np.ndarray:
    """Class of each value, (n,) uint8: class k holds breaks[k - 1] <= value < breaks[k].

    A value on a limit belongs to the class above it. Flagged zones get CLASS_FLAG; missing ones, and those
    without a finite value, CLASS_NONE. Raises ValueError where limits do not rise or are too many for a byte.
    """
    limits = np.asarray(breaks, dtype=np.float64)
    if np.any(np.diff(limits) <= 0):
        raise ValueError(f"Class limits must rise: got {tuple(breaks)}.")
    if len(limits) >= CLASS_FLAG:
        raise ValueError(f"At most {CLASS_FLAG - 1} class limits fit in a byte: got {len(limits)}.")
    values = np.asarray(values, dtype=np.float64)
    out = np.searchsorted(limits, values, side="right").astype(np.uint8)
    if flagged is not None:
        out[np.asarray(flagged, dtype=bool)] = CLASS_FLAG
    out[~np.isfinite(values)] = CLASS_NONE
    if missing is not None:
        out[np.asarray(missing, dtype=bool)] = CLASS_NONE
    return out


def score_legend(texts: Mapping[str, str], breaks: Sequence[float] = SCORE_BREAKS, note: str = "") -> Legend:
    """Legend of a score out of 100, deepest class first, then the flag and the zones without a score."""
    edges = [f"{edge:g}" for edge in breaks]
    labels = [f"< {edges[0]}", *(f"{a} – {b}" for a, b in itertools.pairwise(edges)), f"≥ {edges[-1]}"]
    entries = [LegendEntry(text, colour) for text, colour in zip(labels, SEQUENTIAL_COLOURS, strict=False)]
    entries.reverse()
    entries.append(LegendEntry(texts["flag"], FLAG_COLOUR, "flag"))
    entries.append(LegendEntry(texts["none"], NO_DATA_COLOUR, "none"))
    return Legend(texts["legend_title"], texts["legend_unit"], tuple(entries), note)


def score_map(
    score: np.ndarray,
    *,
    texts: Mapping[str, str],
    score_low: np.ndarray | None = None,
    score_high: np.ndarray | None = None,
    users: np.ndarray | None = None,
    hours_per_year: np.ndarray | None = None,
    flagged: np.ndarray | None = None,
    missing: np.ndarray | None = None,
    breaks: Sequence[float] = SCORE_BREAKS,
    site_zone: np.ndarray | None = None,
    arcs: Arcs | None = None,
    selected: int | None = None,
    zone_note: Mapping[int, str] | None = None,
    legend_note: str = "",
    projector: bool = False,
    height_px: int = 560,
    focus: np.ndarray | None = None,
) -> MapSpec:
    """The map of scores: (zones,) arrays in the order of the geometry, score 0 to 100, NaN where there is none.

    texts: words of `map_texts`. site_zone: rows drawn as discs (their area follows `users`). focus: see `MapSpec`.
    """
    hover = [HoverRow(texts["score"], score, score_low, score_high, texts["score_unit"])]
    if users is not None:
        hover.append(HoverRow(texts["users"], users))
    if hours_per_year is not None:
        hover.append(HoverRow(texts["hours"], hours_per_year, unit=texts["hours_unit"]))
    sites = None
    if site_zone is not None:
        rows = np.asarray(site_zone, dtype=np.int64)
        sites = Sites(rows, np.zeros(len(rows)) if users is None else np.asarray(users)[rows])
    return MapSpec(
        zone_class=classify(score, breaks, flagged, missing),
        colours=SEQUENTIAL_COLOURS[: len(breaks) + 1],
        legend=score_legend(texts, breaks, legend_note),
        hover=tuple(hover),
        zone_note=zone_note or {},
        sites=sites,
        arcs=arcs,
        selected=selected,
        texts=texts,
        projector=projector,
        height_px=height_px,
        focus=focus,
    )


def top_arcs(lon: np.ndarray, lat: np.ndarray, people: np.ndarray, limit: int = 40) -> Arcs:
    """The `limit` largest flows, largest last (drawn on top); flows without people or without a place go."""
    lon, lat, people = (np.asarray(values, dtype=np.float64) for values in (lon, lat, people))
    kept = np.flatnonzero((people > 0) & np.isfinite(lon) & np.isfinite(lat))
    kept = kept[np.argsort(people[kept], kind="stable")][-limit:]
    return Arcs(lon[kept], lat[kept], people[kept])


def payload(spec: MapSpec) -> dict[str, Any]:
    """The JSON of one move: one byte per zone for the colours, the fewest bytes that hold each number."""
    zone_class = np.ascontiguousarray(spec.zone_class, dtype=np.uint8)
    ranges = len(zone_class) <= MAX_HOVER_RANGE_ZONES
    legend = spec.legend
    return {
        "classes": _base64(zone_class),
        "picture": zlib.crc32(zone_class.tobytes()),
        "colours": list(spec.colours),
        "flag": [FLAG_COLOUR, FLAG_INK],
        "none": NO_DATA_COLOUR,
        "legend": {
            "title": legend.title,
            "unit": legend.unit,
            "note": legend.note,
            "entries": [[entry.label, entry.colour, entry.kind] for entry in legend.entries],
        },
        "hover": [_hover_payload(row, ranges) for row in spec.hover],
        "notes": {str(zone): note for zone, note in spec.zone_note.items()},
        "sites": None if spec.sites is None else _sites_payload(spec.sites),
        "arcs": None if spec.arcs is None else _arcs_payload(spec.arcs),
        "selected": -1 if spec.selected is None else int(spec.selected),
        "texts": dict(spec.texts),
        "projector": spec.projector,
        "height": spec.height_px,
        "focus": [] if spec.focus is None else np.asarray(spec.focus).tolist(),
    }


def pack_numbers(values: np.ndarray, decimals: int = 0) -> dict[str, Any]:
    """Numbers as base64 of the narrowest signed integers that hold them, times 10^decimals.

    The lowest value of the type stands for "none" (NaN, infinite). Numbers beyond 32 bits are held at its ends.
    """
    scaled = np.rint(np.asarray(values, dtype=np.float64) * 10.0**decimals)
    finite = np.isfinite(scaled)
    largest = float(np.max(np.abs(scaled[finite]), initial=0.0))
    bits = next((b for b in (8, 16) if largest < 2 ** (b - 1)), 32)
    top = 2 ** (bits - 1) - 1
    whole = np.where(finite, np.clip(np.where(finite, scaled, 0.0), -top, top), -top - 1)
    return {"bits": bits, "decimals": decimals, "data": _base64(whole.astype(f"int{bits}"))}


def unpack_numbers(packed: Mapping[str, Any]) -> np.ndarray:
    """What the browser reads out of `pack_numbers`: float64, NaN for "none"."""
    bits = int(packed["bits"])
    whole = np.frombuffer(base64.b64decode(packed["data"]), f"<i{bits // 8}").astype(np.float64)
    return np.where(whole == -(2 ** (bits - 1)), np.nan, whole / 10.0 ** packed["decimals"])


def _base64(values: np.ndarray) -> str:
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    return base64.b64encode(little.tobytes()).decode("ascii")


def _hover_payload(row: HoverRow, ranges: bool) -> dict[str, Any]:
    out: dict[str, Any] = {"label": row.label, "unit": row.unit, "values": pack_numbers(row.values, row.decimals)}
    if ranges and row.low is not None and row.high is not None:
        out["low"] = pack_numbers(row.low, row.decimals)
        out["high"] = pack_numbers(row.high, row.decimals)
    return out


def _sites_payload(sites: Sites) -> dict[str, Any]:
    found: dict[str, Any] = {"zone": pack_numbers(sites.zone), "users": pack_numbers(sites.users, decimals=1)}
    return {**found, "labels": list(sites.labels)} if sites.labels else found


def _arcs_payload(arcs: Arcs) -> dict[str, Any]:
    return {
        "lon": pack_numbers(arcs.lon, decimals=4),
        "lat": pack_numbers(arcs.lat, decimals=4),
        "people": pack_numbers(arcs.people, decimals=1),
    }


MAP_TEXTS: dict[str, dict[str, str]] = {
    "fr": {
        "locale": "fr-FR",
        "label": "Carte des scores par commune",
        "keys": "Flèches : déplacer. + et − : zoomer. 0 : tout voir. Échap : ne plus sélectionner.",
        "zoom_in": "Zoomer",
        "zoom_out": "Dézoomer",
        "reset": "Voir tout le territoire",
        "zoom_to": "Aller à un département",
        "everything": "Tout le territoire",
        "legend": "Légende",
        "legend_title": "Score",
        "legend_unit": "sur 100",
        "flag": "Effet négatif : voir la raison",
        "none": "Non évaluée",
        "score": "Score",
        "score_unit": "/ 100",
        "users": "Usagers",
        "hours": "Heures gardées",
        "hours_unit": "h/an",
        "no_value": "non évaluée",
        "site": "Surface du disque : usagers",
        "arcs": "Arcs : d'où viennent les usagers",
        "loading": "La carte se dessine…",
        "people": "usagers",
        "no_webgl": (
            "Ce navigateur n'a pas WebGL (carte graphique désactivée ou pilote absent) : voici une carte "
            "simplifiée. Le classement et les chiffres sont les mêmes. Pour la carte complète, activez "
            "l'accélération matérielle du navigateur, ou ouvrez cette page dans un autre navigateur."
        ),
        "no_map": "La carte ne peut pas être dessinée ici : {reason} Le classement reste complet.",
        "no_webgl_file": (
            "Ce navigateur n'a pas WebGL : la carte ne peut pas être dessinée. Ouvrez ce fichier dans un autre "
            "navigateur, ou activez l'accélération matérielle."
        ),
        "fallback_top": "Territoire trop grand pour la carte simplifiée : les {count} meilleures communes en points.",
    },
    "en": {
        "locale": "en-GB",
        "label": "Map of scores by commune",
        "keys": "Arrows: pan. + and −: zoom. 0: see all. Escape: clear the selection.",
        "zoom_in": "Zoom in",
        "zoom_out": "Zoom out",
        "reset": "See the whole territory",
        "zoom_to": "Go to a département",
        "everything": "Whole territory",
        "legend": "Legend",
        "legend_title": "Score",
        "legend_unit": "out of 100",
        "flag": "Negative effect: see why",
        "none": "Not assessed",
        "score": "Score",
        "score_unit": "/ 100",
        "users": "Users",
        "hours": "Hours kept",
        "hours_unit": "h/year",
        "no_value": "not assessed",
        "site": "Area of the disc: users",
        "arcs": "Arcs: where users come from",
        "loading": "Drawing the map…",
        "people": "users",
        "no_webgl": (
            "This browser has no WebGL (graphics switched off, or no driver): here is a simplified map. The "
            "ranking and the figures are the same. For the full map, switch the browser's hardware acceleration "
            "on, or open this page in another browser."
        ),
        "no_map": "The map cannot be drawn here: {reason} The ranking is complete.",
        "no_webgl_file": (
            "This browser has no WebGL: the map cannot be drawn. Open this file in another browser, or switch "
            "hardware acceleration on."
        ),
        "fallback_top": "Too many zones for the simplified map: the best {count} communes as points.",
    },
}


def map_texts(language: str) -> dict[str, str]:
    """All the words of the map, 'fr' or 'en'; a copy, to be changed at will."""
    if language not in MAP_TEXTS:
        raise ValueError(f"The map speaks {', '.join(MAP_TEXTS)}: not {language!r}.")
    return dict(MAP_TEXTS[language])


def fallback_figure(spec: MapSpec, contours: Contours, *, top: int = FALLBACK_TOP) -> go.Figure:
    """The same picture without WebGL: a Plotly figure in plain SVG, contours filled by class.

    Each zone also has a transparent mark at its point that carries the hover and the INSEE code (`customdata`).
    Above FALLBACK_MAX_ZONES zones, only the `top` zones of the first hover row are drawn, as points.
    """
    figure = go.Figure()
    many = len(spec.zone_class) > FALLBACK_MAX_ZONES
    if not many:
        for number, entry in _fallback_fills(spec):
            figure.add_trace(_fill_trace(contours, spec.zone_class == number, entry))
    figure.add_trace(_outline_trace(contours))
    figure.add_trace(_mark_trace(spec, contours, top if many else None))
    west, south, east, north = contours.header["bounds"]
    stretch = 1.0 / np.cos(np.radians((south + north) / 2.0))
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        height=spec.height_px,
        plot_bgcolor="#e9edf0",
        dragmode="pan",
        hoverlabel={"align": "left"},
        legend={
            "title": {"text": f"{_escape(spec.legend.title)} {_escape(spec.legend.unit)}"},
            "x": 0.01, "y": 0.01, "xanchor": "left", "yanchor": "bottom", "bgcolor": "rgba(255,255,255,0.9)",
            "itemclick": False, "itemdoubleclick": False,
        },
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[west, east])
    figure.update_yaxes(visible=False, range=[south, north], scaleanchor="x", scaleratio=stretch)
    return figure


def _fallback_fills(spec: MapSpec) -> list[tuple[int, LegendEntry]]:
    """Class and legend line of each fill that is present, in the order of the legend."""
    number_of = {colour: number for number, colour in enumerate(spec.colours)}
    numbers = {"flag": CLASS_FLAG, "none": CLASS_NONE}
    present = set(np.unique(spec.zone_class).tolist())
    fills = [(numbers.get(entry.kind, number_of.get(entry.colour, -1)), entry) for entry in spec.legend.entries]
    return [(number, entry) for number, entry in fills if number in present]


def _fill_trace(contours: Contours, wanted: np.ndarray, entry: LegendEntry) -> go.Scatter:
    """All rings of the wanted zones as one filled trace, rings apart by a gap."""
    rings = np.flatnonzero(wanted[contours.ring_zone])
    start, end = contours.ring_start[rings].astype(np.int64), contours.ring_start[rings + 1].astype(np.int64)
    points = [vertex_lonlat(contours, contours.vertex[a:b]).round(4) for a, b in zip(start, end, strict=True)]
    gap = np.array([[np.nan, np.nan]])
    path = np.concatenate([piece for ring in points for piece in (ring, gap)])
    return go.Scatter(
        x=path[:, 0],
        y=path[:, 1],
        mode="lines",
        fill="toself",
        fillcolor=entry.colour,
        fillpattern={"shape": "/", "fgcolor": FLAG_INK, "bgcolor": entry.colour, "size": 6, "solidity": 0.2}
        if entry.kind == "flag"
        else None,
        line={"color": "#ffffff", "width": 0.4},
        hoverinfo="skip",
        connectgaps=False,
        name=_escape(entry.label),
        showlegend=True,
    )


def _outline_trace(contours: Contours) -> go.Scatter:
    points = vertex_lonlat(contours, contours.outline_vertex)
    path = np.insert(points, contours.outline_start[1:-1].astype(np.int64), np.nan, axis=0)
    return go.Scatter(
        x=path[:, 0], y=path[:, 1], mode="lines", line={"color": "#46525c", "width": 1.1}, hoverinfo="skip",
        showlegend=False,
    )  # fmt: skip


def _mark_trace(spec: MapSpec, contours: Contours, top: int | None) -> go.Scatter:
    """One mark per zone: transparent over contours, coloured where contours are not drawn."""
    header = contours.header
    rows = np.arange(len(spec.zone_class))
    if top is not None and spec.hover:
        values = np.nan_to_num(np.asarray(spec.hover[0].values, dtype=np.float64), nan=-np.inf)
        rows = np.argsort(-values, kind="stable")[:top]
    palette = {**dict(enumerate(spec.colours)), CLASS_FLAG: FLAG_INK, CLASS_NONE: NO_DATA_COLOUR}
    lines = [2.5 if row == spec.selected else 0.0 for row in rows]
    return go.Scatter(
        x=[header["lon"][row] for row in rows],
        y=[header["lat"][row] for row in rows],
        mode="markers",
        marker={
            "size": [15 if row == spec.selected else 9 for row in rows],
            "color": [palette[int(spec.zone_class[row])] for row in rows],
            "opacity": [1.0 if top is not None or row == spec.selected else 0.0 for row in rows],
            "line": {"width": lines, "color": "#111111"},
        },
        text=[_hover_text(spec, header, int(row)) for row in rows],
        customdata=[header["codes"][row] for row in rows],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )


def hover_lines(spec: MapSpec, header: Mapping[str, Any], row: int) -> list[str]:
    """Name and numbers of a zone, one line each, as plain text: what a hover says where there is no component."""
    lines = [f"{header['names'][row]} ({header['departements'][row]})"]
    if spec.zone_class[row] == CLASS_NONE:
        return [*lines, spec.texts["no_value"]]
    for item in spec.hover:
        value = float(item.values[row])
        text = f"{item.label} : {_number(value, item.decimals, spec)} {item.unit}".rstrip()
        if item.low is not None and item.high is not None and np.isfinite(value):
            low, high = (_number(float(bound[row]), item.decimals, spec) for bound in (item.low, item.high))
            text += f" ({low} – {high})"
        lines.append(text)
    note = spec.zone_note.get(row)
    return [*lines, note] if note else lines


def _number(value: float, decimals: int, spec: MapSpec) -> str:
    """A number as the language of the map writes it."""
    if not np.isfinite(value):
        return "–"
    text = f"{value:,.{decimals}f}"
    if spec.texts.get("locale", "fr").startswith("fr"):
        return text.replace(",", "\u202f").replace(".", ",")
    return text


def _hover_text(spec: MapSpec, header: Mapping[str, Any], row: int) -> str:
    """The same for Plotly, which reads tags: every word is escaped."""
    first, *rest = (_escape(line) for line in hover_lines(spec, header, row))
    return "<br>".join([f"<b>{first}</b>", *rest])


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
