"""The map of scores as a picture to print or to project: contours, discs, names, legend, scale and source, all vector."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from coopconnect.export.images import FORMATS, ImageError, drawing, rendered
from coopconnect.show.colours import INK, MUTED_INK, PAPER
from coopconnect.show.geometry import Contours, Geometry, to_mercator, unpack_contours
from coopconnect.show.maps import CLASS_FLAG, CLASS_NONE, FLAG_COLOUR, FLAG_INK, NO_DATA_COLOUR, MapSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN, HEIGHT_IN = 11.0, 7.8
"""Landscape, the shape of an A4 page inside its margins."""

PNG_DPI = 180
NAMES = 22
LEGEND_LETTERS = 27
EARTH_KM = 40_075.0
_GROUND = "#e9edf0"
_LARGEST_DISC_PT = 15.0
_NICE_KM = (1, 2, 5, 10, 20, 50, 100, 200)


def map_image(spec: MapSpec, geometry: Geometry, kind: str, *, title: str, subtitle: str, note: str) -> bytes:
    """The map as 'png' (180 dpi), 'svg' or 'pdf'. title, subtitle: above it; note: sources, under it.

    The same map gives the same bytes. Raises `ImageError` for another format.
    """
    if kind not in FORMATS:
        raise ImageError(f"images: allowed {', '.join(FORMATS)}; not {kind!r}")
    contours = unpack_contours(geometry.data)
    with drawing():
        return rendered(draw_map(spec, contours, title, subtitle, note), kind, PNG_DPI)


def draw_map(spec: MapSpec, contours: Contours, title: str, subtitle: str, note: str) -> Figure:
    """The matplotlib figure of the map; to be called inside `drawing()`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), facecolor=PAPER)
    axes = figure.add_axes((0.02, 0.085, 0.74, 0.80))
    axes.set_axis_off()
    axes.set_aspect("equal", adjustable="box", anchor="C")
    _draw_zones(axes, spec, contours)
    _draw_outlines(axes, contours)
    if spec.arcs is not None and spec.selected is not None:
        _draw_arcs(axes, spec, contours)
    _draw_discs(axes, spec, contours)
    _frame(axes, contours)
    _draw_names(axes, contours, spec.selected)
    _draw_scale(figure, axes, contours)
    figure.text(0.03, 0.965, title, fontsize=17, fontweight="bold", color=INK, va="top")
    figure.text(0.03, 0.918, subtitle, fontsize=10.5, color=MUTED_INK, va="top")
    figure.text(0.03, 0.022, note, fontsize=8, color=MUTED_INK, va="bottom", linespacing=1.35)
    _draw_legend(figure, spec)
    return figure


def _plane(contours: Contours, vertex: np.ndarray) -> np.ndarray:
    """Quantised vertices as they stand on the picture: Web Mercator steps, y upwards."""
    return vertex.astype(np.float64) * (1.0, -1.0)


def _spots(contours: Contours) -> np.ndarray:
    """The point of each zone on the picture, (zones, 2); NaN where there is none."""
    header = contours.header
    lonlat = np.array([header["lon"], header["lat"]], dtype=np.float64).T
    xy = to_mercator(np.nan_to_num(lonlat))
    found = (xy - (header["x0"], header["y0"])) * header["scale"] * (1.0, -1.0)
    return np.where(np.isfinite(lonlat), found, np.nan)


def _pieces(points: np.ndarray, start: np.ndarray) -> list[np.ndarray]:
    return [points[a:b] for a, b in zip(start[:-1].astype(int), start[1:].astype(int), strict=True)]


def _draw_zones(axes: Axes, spec: MapSpec, contours: Contours) -> None:
    """Fills by class (the flag is hatched, not only coloured), then thin borders."""
    from matplotlib.collections import LineCollection, PolyCollection

    plane = _plane(contours, contours.vertex)
    rings = _pieces(plane, contours.ring_start)
    classes = spec.zone_class[contours.ring_zone]
    for number in np.unique(classes).tolist():
        paint = {CLASS_FLAG: FLAG_COLOUR, CLASS_NONE: NO_DATA_COLOUR}.get(number) or spec.colours[number]
        kept = [ring for ring, c in zip(rings, classes.tolist(), strict=True) if c == number]
        fill = PolyCollection(kept, facecolors=paint, edgecolors=paint, linewidths=0.25)
        axes.add_collection(fill)
        if number == CLASS_FLAG:
            hatched = PolyCollection(kept, facecolors="none", edgecolors=FLAG_INK, linewidths=0.0, hatch="/////")
            axes.add_collection(hatched)
    axes.add_collection(LineCollection(_pieces(plane, contours.line_start), colors="white", linewidths=0.3))


def _draw_outlines(axes: Axes, contours: Contours) -> None:
    from matplotlib.collections import LineCollection

    lines = _pieces(_plane(contours, contours.outline_vertex), contours.outline_start)
    axes.add_collection(LineCollection(lines, colors="#46525c", linewidths=0.9))


def _frame(axes: Axes, contours: Contours) -> None:
    low, high = contours.vertex.min(axis=0).astype(float), contours.vertex.max(axis=0).astype(float)
    air = 0.02 * float((high - low).max())
    axes.set_xlim(low[0] - air, high[0] + air)
    axes.set_ylim(-high[1] - air, -low[1] + air)


def _draw_arcs(axes: Axes, spec: MapSpec, contours: Contours) -> None:
    """From the selected site to the homes of its users, thicker where more come from."""
    from matplotlib.collections import LineCollection

    assert spec.arcs is not None and spec.selected is not None
    here = _spots(contours)[spec.selected]
    header = contours.header
    ends = to_mercator(np.column_stack([spec.arcs.lon, spec.arcs.lat]))
    ends = (ends - (header["x0"], header["y0"])) * header["scale"] * (1.0, -1.0)
    share = spec.arcs.people / max(float(np.max(spec.arcs.people, initial=0.0)), 1e-9)
    lines = LineCollection([np.array([here, end]) for end in ends], colors=INK, alpha=0.55)
    lines.set_linewidth((0.4 + 2.2 * share).tolist())
    axes.add_collection(lines)


def _draw_discs(axes: Axes, spec: MapSpec, contours: Contours) -> None:
    """Sites: the area of a disc follows its users; the selected one is ringed."""
    spots = _spots(contours)
    if spec.sites is not None and len(spec.sites.zone):
        at = spots[spec.sites.zone]
        share = np.sqrt(spec.sites.users / max(float(spec.sites.users.max()), 1e-9))
        axes.scatter(
            at[:, 0], at[:, 1], s=(2.5 + _LARGEST_DISC_PT * share) ** 2, facecolors=(1, 1, 1, 0.5), edgecolors=INK,
            linewidths=0.9, zorder=4,
        )  # fmt: skip
    if spec.selected is not None:
        x, y = spots[spec.selected]
        axes.scatter([x], [y], s=90, facecolors="white", edgecolors="#111111", linewidths=2.4, zorder=5)


def _draw_names(axes: Axes, contours: Contours, selected: int | None) -> None:
    """The largest towns, and the selected commune; those that would touch another are left out."""
    import matplotlib.patheffects as effects

    header = contours.header
    spots = _spots(contours)
    order = np.argsort(-np.nan_to_num(np.asarray(header["population"], dtype=float)), kind="stable").tolist()
    if selected is not None:
        order = [selected, *(row for row in order if row != selected)]
    span = axes.get_xlim()[1] - axes.get_xlim()[0]
    taken: list[tuple[float, float, float]] = []
    for row in order:
        x, y = spots[row]
        half = 0.0052 * span * len(header["names"][row])
        clash = any(abs(x - a) < half + b and abs(y - c) < 0.034 * span for a, c, b in taken)
        if not np.isfinite(x) or clash:
            continue
        taken.append((x, y, half))
        axes.annotate(
            header["names"][row], (x, y), xytext=(0, 8 if row == selected else 6), textcoords="offset points", ha="center",
            fontsize=10.5 if row == selected else 8, fontweight="bold" if row == selected else "normal", color=INK,
            zorder=6, annotation_clip=False, path_effects=[effects.withStroke(linewidth=2.2, foreground="white")],
        )  # fmt: skip
        if len(taken) == NAMES:
            return


def _draw_scale(figure: Figure, axes: Axes, contours: Contours) -> None:
    """A bar of a round number of kilometres, at the latitude of the middle of the map."""
    _, south, _, north = contours.header["bounds"]
    steps_per_km = contours.header["scale"] / (EARTH_KM * np.cos(np.radians((south + north) / 2.0)))
    low, high = axes.get_xlim()
    km = max((k for k in _NICE_KM if k * steps_per_km <= (high - low) / 5.0), default=_NICE_KM[0])
    bottom, top = axes.get_ylim()
    x, y = high - km * steps_per_km, bottom + 0.015 * (top - bottom)
    axes.plot([x, high], [y, y], color=INK, linewidth=2.0, solid_capstyle="butt", zorder=7, clip_on=False)
    axes.annotate(
        f"{km} km", ((x + high) / 2.0, y), xytext=(0, 4), textcoords="offset points", ha="center", fontsize=8.5, color=INK,
        zorder=7, annotation_clip=False,
    )  # fmt: skip


def _draw_legend(figure: Figure, spec: MapSpec) -> None:
    """Classes of the scale, deepest first, what is hatched or grey, and what the discs are."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    present = set(np.unique(spec.zone_class).tolist())
    handles: list[Any] = []
    labels: list[str] = []
    for entry in spec.legend.entries:
        if (entry.kind == "flag" and CLASS_FLAG not in present) or (entry.kind == "none" and CLASS_NONE not in present):
            continue
        ink: dict[str, Any] = {"edgecolor": "#9aa6ae"}
        if entry.kind == "flag":
            ink = {"hatch": "/////", "edgecolor": FLAG_INK}
        handles.append(Patch(facecolor=entry.colour, linewidth=0.5, **ink))
        labels.append(textwrap.fill(entry.label, LEGEND_LETTERS))
    if spec.sites is not None and len(spec.sites.zone):
        handles.append(
            Line2D([], [], marker="o", linestyle="none", markersize=9, markerfacecolor="white", markeredgecolor=INK)
        )
        labels.append(textwrap.fill(spec.texts["site"], LEGEND_LETTERS))
    legend = figure.legend(
        handles, labels, loc="upper left", bbox_to_anchor=(0.775, 0.86), frameon=False, fontsize=9.5, labelspacing=0.55,
        title=f"{spec.legend.title} {spec.legend.unit}", title_fontproperties={"weight": "bold", "size": 10.5}, alignment="left",
        handlelength=1.5, handleheight=1.1,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_color(INK)
