"""The map as one HTML file that opens anywhere: deck.gl, contours, legend and words inside, no network.

pydeck describes the layers. Its own HTML template asks four other hosts for styles and libraries even with
`offline=True`, so the page around the layers is ours; a content security policy forbids it any request.
"""

from __future__ import annotations

import html
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pydeck
import shapely
from pydeck.types import String

from coopconnect.show.geometry import Contours, Geometry, from_mercator, unpack_contours, vertex_lonlat
from coopconnect.show.maps import (
    CLASS_FLAG,
    CLASS_NONE,
    FLAG_COLOUR,
    FLAG_INK,
    NO_DATA_COLOUR,
    MapSpec,
    hover_lines,
)

COORDINATE_DECIMALS = 4
"""Decimals of degrees kept in the file: about 10 m."""
HATCH_STEPS = 220
"""Diagonals over the width of the territory."""
NAMES_KEPT, NAMES_AT_FIRST = 1500, 40
"""Largest towns whose names are in the file, and those shown on the whole territory at most; nearer, the page shows more."""
DISC_PX = 1.4
"""Radius of a disc in pixels = DISC_PX * square root of users, as on the screen."""

_TEMPLATE = Path(__file__).with_name("html_map.html")


def map_html(spec: MapSpec, geometry: Geometry, title: str, subtitle: str = "") -> bytes:
    """A stand-alone page (UTF-8) with the map of `spec`, its legend and its hover.

    geometry: the contours of the same zones in the same order. title, subtitle: plain text (the scenario in one
    line, say). Raises ValueError where zones differ, FileNotFoundError where pydeck has no deck.gl bundle.
    """
    if len(spec.zone_class) != len(geometry.codes):
        raise ValueError(
            f"The map has {len(geometry.codes)} contours and {len(spec.zone_class)} classes: "
            "give the geometry of the same zones, in the same order."
        )
    contours = unpack_contours(geometry.data)
    locale = spec.texts.get("locale", "fr-FR")
    page = _TEMPLATE.read_text(encoding="utf-8")
    parts = {
        "LANG": html.escape(locale[:2]),
        "TITLE": html.escape(title),
        "SUBTITLE": html.escape(subtitle),
        "LEGEND": _legend(spec),
        "NO_WEBGL": html.escape(spec.texts.get("no_webgl_file", "WebGL ?")),
        "DECK": _script_safe(_bundle()),
        "INPUT": _script_safe(_compact(describe_deck(spec, contours))),
        "BORDERS": _script_safe(json.dumps(_cut_borders(contours), separators=(",", ":"))),
        "HATCH_STEPS": str(HATCH_STEPS),
        "NAMES_AT_FIRST": str(NAMES_AT_FIRST),
        "BOUNDS": json.dumps(contours.header["bounds"]),
    }
    pieces = page.split("%%")
    return "".join(parts[piece] if k % 2 else piece for k, piece in enumerate(pieces)).encode("utf-8")


def describe_deck(spec: MapSpec, contours: Contours) -> pydeck.Deck:
    """The layers as a pydeck Deck without any map provider. The data of layer 'borders' is filled in by the page
    from that of layer 'zones', so that contours are written once."""
    layers = [
        pydeck.Layer(
            "SolidPolygonLayer", id="zones", data=_zone_rows(spec, contours), get_polygon="p", get_fill_color="c",
            pickable=True, auto_highlight=True, highlight_color=[22, 32, 42, 60],
        ),
        _lines("hatch", _hatch(spec, contours), _rgb(FLAG_INK), 1.2),
        _lines("borders", [], [255, 255, 255, 190], 0.6),
        _lines("outlines", _outlines(contours), [52, 64, 76], 1.2),
        *_site_layers(spec, contours),
        _names(contours),
    ]  # fmt: skip
    return pydeck.Deck(
        layers=layers, map_provider=None, views=[pydeck.View(type="MapView", controller=True)],
        initial_view_state=pydeck.ViewState(longitude=0, latitude=0, zoom=1),
    )  # fmt: skip


def _compact(deck: pydeck.Deck) -> str:
    """pydeck's JSON without its line breaks and indents: a third of the size."""
    description = json.loads(deck.to_json())
    description.pop("mapStyle", None)  # a placeholder that means nothing without a map provider
    return json.dumps(description, separators=(",", ":"), ensure_ascii=False)


def _lines(name: str, rows: list[dict[str, Any]], colour: list[int], width: float) -> pydeck.Layer:
    return pydeck.Layer(
        "PathLayer", id=name, data=rows, get_path="p", get_color=colour, get_width=width,
        width_units=String("pixels"), joint_rounded=True, cap_rounded=True,
    )  # fmt: skip


def _rgb(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _path(lonlat: np.ndarray) -> list[list[float]]:
    return np.round(lonlat, COORDINATE_DECIMALS).tolist()


def _zone_rows(spec: MapSpec, contours: Contours) -> list[dict[str, Any]]:
    """One row per ring: contour, colour, text of the hover; `k` marks a ring with a bridge to a hole."""
    palette = [*spec.colours, *[NO_DATA_COLOUR] * (256 - len(spec.colours))]
    palette[CLASS_FLAG], palette[CLASS_NONE] = FLAG_COLOUR, NO_DATA_COLOUR
    texts = ["\n".join(hover_lines(spec, contours.header, row)) for row in range(len(spec.zone_class))]
    degrees = vertex_lonlat(contours, contours.vertex)
    line_count = np.diff(np.searchsorted(contours.line_start, contours.ring_start))
    rows = []
    for ring, zone in enumerate(contours.ring_zone.tolist()):
        part = slice(int(contours.ring_start[ring]), int(contours.ring_start[ring + 1]))
        row = {"p": _path(degrees[part]), "c": _rgb(palette[int(spec.zone_class[zone])]), "t": texts[zone]}
        rows.append({**row, "k": 1} if line_count[ring] > 1 else row)
    return rows


def _cut_borders(contours: Contours) -> list[dict[str, Any]]:
    """Border lines of the rings that have bridges, without the bridges."""
    degrees = vertex_lonlat(contours, contours.vertex)
    first = np.searchsorted(contours.line_start, contours.ring_start)
    rows = []
    for ring in np.flatnonzero(np.diff(first) > 1):
        for line in range(first[ring], first[ring + 1]):
            part = slice(int(contours.line_start[line]), int(contours.line_start[line + 1]))
            rows.append({"p": _path(degrees[part])})
    return rows


def _outlines(contours: Contours) -> list[dict[str, Any]]:
    degrees = vertex_lonlat(contours, contours.outline_vertex)
    cuts = contours.outline_start[1:-1].astype(np.int64)
    return [{"p": _path(line)} for line in np.split(degrees, cuts) if len(line) > 1]


def _hatch(spec: MapSpec, contours: Contours) -> list[dict[str, Any]]:
    """Diagonals over the flagged zones, cut out of one grid for the whole map; `d` is the number of the diagonal, by which
    the page thins them out on a small screen."""
    rings = np.flatnonzero(spec.zone_class[contours.ring_zone] == CLASS_FLAG)
    if not len(rings):
        return []
    polygons = []
    for ring in rings:
        part = slice(int(contours.ring_start[ring]), int(contours.ring_start[ring + 1]))
        if part.stop - part.start > 3:
            polygons.append(shapely.make_valid(shapely.Polygon(contours.vertex[part].astype(float))))
    area = shapely.union_all(shapely.get_parts(np.array(polygons, dtype=object)))
    west, north, east, south = shapely.bounds(area)
    step = 65_535 / HATCH_STEPS
    sums = np.arange(np.ceil((west + north) / step), np.floor((east + south) / step) + 1) * step
    high = south - north
    diagonals = shapely.linestrings([[(s - north, north), (s - north - high, south)] for s in sums])
    cut = shapely.get_parts(shapely.get_parts(shapely.intersection(diagonals, area)))
    lines = cut[(shapely.get_type_id(cut) == 1) & ~shapely.is_empty(cut)]
    header = contours.header
    origin = np.array([header["x0"], header["y0"]])
    rows = []
    for line in lines:
        points = shapely.get_coordinates(line)
        diagonal = int(np.rint(points[0].sum() / step))
        rows.append({"p": _path(from_mercator(origin + points / header["scale"])), "d": diagonal})
    return rows


def _site_layers(spec: MapSpec, contours: Contours) -> list[pydeck.Layer]:
    """Discs of the sites, and lines from the selected one to the homes of its users."""
    header = contours.header
    layers = []
    if spec.arcs is not None and spec.selected is not None and header["lon"][spec.selected] is not None:
        site = [header["lon"][spec.selected], header["lat"][spec.selected]]
        most = max(float(np.max(spec.arcs.people, initial=0.0)), 1e-9)
        ends = zip(spec.arcs.lon.tolist(), spec.arcs.lat.tolist(), spec.arcs.people.tolist(), strict=True)
        rows = [{"a": [lon, lat], "b": site, "w": 1 + 3.2 * (people / most) ** 0.5} for lon, lat, people in ends]
        layers.append(
            pydeck.Layer(
                "LineLayer", id="arcs", data=rows, get_source_position="a", get_target_position="b", get_width="w",
                get_color=[122, 31, 92],
            )
        )  # fmt: skip
    if spec.sites is not None:
        rows = [
            {"p": [header["lon"][zone], header["lat"][zone]], "r": max(2.5, DISC_PX * users**0.5)}
            for zone, users in zip(spec.sites.zone.tolist(), spec.sites.users.tolist(), strict=True)
            if users > 0 and header["lon"][zone] is not None
        ]
        layers.append(
            pydeck.Layer(
                "ScatterplotLayer", id="sites", data=rows, get_position="p", get_radius="r",
                radius_units=String("pixels"), get_fill_color=[255, 255, 255, 128], stroked=True,
                get_line_color=[22, 32, 42], get_line_width=1.1, line_width_units=String("pixels"),
            )
        )  # fmt: skip
    return layers


def _names(contours: Contours) -> pydeck.Layer:
    """Names of the largest towns, largest first; the page leaves out those that would touch a larger one."""
    header = contours.header
    largest = np.argsort(-np.asarray(header["population"]), kind="stable").tolist()
    kept = [row for row in largest if header["lon"][row] is not None][:NAMES_KEPT]
    rows = [{"p": [header["lon"][row], header["lat"][row]], "t": header["names"][row]} for row in kept]
    return pydeck.Layer(
        "TextLayer", id="names", data=rows, get_position="p", get_text="t", get_size=13, get_color=[22, 32, 42],
        character_set=String("auto"), font_family=String("system-ui, sans-serif"), font_weight=600,
        font_settings={"sdf": True, "fontSize": 48, "buffer": 8}, outline_width=4,
        outline_color=[255, 255, 255, 230],
    )  # fmt: skip


def _legend(spec: MapSpec) -> str:
    """The legend as HTML, every word escaped."""
    legend = spec.legend
    lines = "".join(
        f'<li><span class="swatch {html.escape(entry.kind)}" style="--fill:{html.escape(entry.colour)};'
        f'--ink:{FLAG_INK}"></span>{html.escape(entry.label)}</li>'
        for entry in legend.entries
    )
    note = f"<p>{html.escape(legend.note)}</p>" if legend.note else ""
    title, unit = html.escape(legend.title), html.escape(legend.unit)
    return f"<h2>{title} <small>{unit}</small></h2><ul>{lines}</ul>{note}"


def _script_safe(code: str) -> str:
    """Code that may stand inside a script element: nothing in it can close that element or open a comment."""
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _bundle() -> str:
    """deck.gl out of the installed pydeck package."""
    spec = importlib.util.find_spec("pydeck")
    origin = Path(spec.origin) if spec is not None and spec.origin else Path("pydeck")
    bundle = origin.parent / "nbextension" / "static" / "index.js"
    if not bundle.is_file():
        raise FileNotFoundError("pydeck is installed without its deck.gl bundle: reinstall it (`make setup`).")
    return bundle.read_text(encoding="utf-8")
