"""Charts as PNG, SVG or PDF without a browser and without a network: our Plotly figures drawn again by matplotlib.

One converter serves every chart of every page: what a figure says (bars, lines, points, error bars, fills, shapes,
annotations, axes, legend) is read from its description and drawn in the same colours, with the typeface of the app.
What it cannot draw is refused by name, never left out in silence.
"""

from __future__ import annotations

import html
import io
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from coopconnect.show.colours import GAIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
FAMILIES = ("Source Sans Pro", "DejaVu Sans")
"""The typeface of the app; the second, which comes with matplotlib, for the few signs that the first lacks."""

PX_PER_INCH = 96.0
PNG_DPI = 200
CHART_WIDTH_PX = 860
_PT_PER_PX = 72.0 / PX_PER_INCH
_FACES = ("Regular", "It", "Bold")
_LOCK = threading.Lock()
_DASHES: dict[str, Any] = {
    "solid": "-",
    "dash": (0, (5, 3)),
    "dot": (0, (1, 2)),
    "dashdot": (0, (5, 2, 1, 2)),
    "longdash": (0, (8, 3)),
}
_MARKERS = {
    "circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "triangle-down": "v", "triangle-left": "<",
    "triangle-right": ">", "x": "x", "cross": "P", "star": "*", "line-ns": "|", "line-ew": "_",
}  # fmt: skip
_STEPS = {"hv": "steps-post", "vh": "steps-pre", "hvh": "steps-mid"}
_TRACES = ("bar", "scatter")
_FILLS = (None, "none", "tozeroy", "tozerox", "toself", "tonexty")


class ImageError(ValueError):
    """A chart holds something that cannot be drawn here: what, and what is allowed."""


def chart_image(figure: go.Figure, kind: str, width_px: int = CHART_WIDTH_PX, height_px: int | None = None) -> bytes:
    """A Plotly figure as 'png' (200 dpi), 'svg' or 'pdf', of the figure's own height unless another is given.

    In SVG and PDF everything is vector and looks the same on any machine (letters are outlines in SVG, an embedded
    typeface in PDF). The same figure gives the same bytes. Raises `ImageError` for another format or for a kind of
    trace, fill or axis that is not drawn.
    """
    if kind not in FORMATS:
        raise ImageError(f"images: allowed {', '.join(FORMATS)}; not {kind!r}")
    with drawing():
        drawn = draw_chart(figure, width_px, height_px)
        return rendered(drawn, kind)


@contextmanager
def drawing(text_as_text: bool = False) -> Iterator[None]:
    """What matplotlib draws inside is in the app's typeface, repeatable, one thread at a time.

    text_as_text: letters of an SVG stay text (for Typst, which has the typeface), instead of outlines.
    """
    import matplotlib as mpl

    _register_fonts()
    settings: dict[Any, Any] = {
        "font.family": list(FAMILIES), "svg.fonttype": "none" if text_as_text else "path", "svg.hashsalt": "coopconnect",
        "pdf.fonttype": 42, "axes.unicode_minus": True, "text.usetex": False, "text.parse_math": False,
    }  # fmt: skip
    with _LOCK, mpl.rc_context(settings):
        yield


@lru_cache(maxsize=1)
def _register_fonts() -> None:
    """Make the packaged Source Sans Pro known to matplotlib."""
    import font_source_sans_pro
    from matplotlib import font_manager

    folder = Path(font_source_sans_pro.__file__).parent / "files"
    for face in _FACES:
        font_manager.fontManager.addfont(folder / f"SourceSansPro-{face}.ttf")


def rendered(figure: Figure, kind: str, dpi: int = PNG_DPI) -> bytes:
    """A drawn figure as bytes, without a date, so that the same picture is the same file."""
    out = io.BytesIO()
    metadata: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None, "ModDate": None}}.get(kind, {})
    figure.savefig(out, format=kind, dpi=dpi, metadata=metadata, facecolor=figure.get_facecolor())
    return out.getvalue()


def draw_chart(figure: go.Figure, width_px: float, height_px: float | None = None) -> Figure:
    """The matplotlib figure of a Plotly one; to be called inside `drawing()`."""
    from matplotlib.figure import Figure

    layout = figure.layout.to_plotly_json()
    traces = [trace.to_plotly_json() for trace in figure.data]
    _refuse_unknown(traces)
    height = float(height_px or layout.get("height") or 400)
    drawn = Figure(figsize=(width_px / PX_PER_INCH, height / PX_PER_INCH), facecolor=_paper(layout, "paper_bgcolor"))
    places = _Places(drawn, layout, traces, width_px, height)
    for pair in places.axes:
        mine = [t for t in traces if _pair(t) == pair]
        _draw_traces(places.axes[pair], mine, layout)
        _dress_axes(places.axes[pair], layout, pair)
    for shape in layout.get("shapes", ()):
        _draw_shape(places, shape)
    _draw_legend(places, traces, layout)
    for note in layout.get("annotations", ()):
        if note.get("visible", True):
            _draw_note(places, note)
    return drawn


def _refuse_unknown(traces: Sequence[Mapping[str, Any]]) -> None:
    for trace in traces:
        if trace.get("type", "scatter") not in _TRACES:
            raise ImageError(f"images: allowed traces {', '.join(_TRACES)}; not {trace['type']!r}")
        if trace.get("fill") not in _FILLS:
            raise ImageError(f"images: allowed fills {', '.join(map(str, _FILLS))}; not {trace['fill']!r}")


def _paper(layout: Mapping[str, Any], key: str) -> Any:
    return colour(layout.get(key)) or "white"


def colour(text: Any) -> Any:
    """A CSS colour as matplotlib reads it: '#rrggbb', a name, 'rgb(...)' or 'rgba(...)'; None stays None."""
    found = re.fullmatch(r"rgba?\(([^)]*)\)", str(text).replace(" ", "")) if isinstance(text, str) else None
    if not found:
        return text
    parts = [float(p) for p in found.group(1).split(",")]
    return (*(p / 255.0 for p in parts[:3]), parts[3] if len(parts) > 3 else 1.0)


def _colours(value: Any, count: int) -> list[Any]:
    """One colour for each mark, whether one or many are given, or none."""
    value = GAIN if value is None else value
    listed = _array(value)
    if isinstance(value, str) or listed.ndim == 0:
        return [colour(value)] * count
    return [colour(c) for c in listed.tolist()]


def _array(value: Any) -> np.ndarray:
    """Values of a trace, whether they are a list, an array or Plotly's packed form."""
    if isinstance(value, Mapping) and "bdata" in value:
        import base64

        return np.frombuffer(base64.b64decode(value["bdata"]), np.dtype(value["dtype"]))
    return np.asarray(value if value is not None else [])


def _pair(trace: Mapping[str, Any]) -> tuple[str, str]:
    return str(trace.get("xaxis", "x")), str(trace.get("yaxis", "y"))


def _axis_key(name: str) -> str:
    """'x2' is 'xaxis2' in a layout."""
    return f"{name[0]}axis{name[1:]}"


class _Places:
    """Where things stand: the frame of the plot in the picture, and one matplotlib Axes for each pair of axes."""

    def __init__(
        self, drawn: Figure, layout: Mapping[str, Any], traces: Sequence[Mapping[str, Any]], width: float, height: float
    ) -> None:
        margin = {"l": 80, "r": 80, "t": 100, "b": 80, **layout.get("margin", {})}
        self.drawn, self.layout, self.width, self.height = drawn, layout, width, height
        self.left, self.bottom = margin["l"], margin["b"]
        self.inner = (width - margin["l"] - margin["r"], height - margin["t"] - margin["b"])
        pairs = list(dict.fromkeys(_pair(t) for t in traces)) or [("x", "y")]
        self.axes: dict[tuple[str, str], Axes] = {}
        for pair in pairs:
            self.axes[pair] = drawn.add_axes(self._box(pair))

    def _box(self, pair: tuple[str, str]) -> tuple[float, float, float, float]:
        spans = [self.layout.get(_axis_key(name), {}).get("domain", (0.0, 1.0)) for name in pair]
        (x0, y0), size = (self.point(spans[0][0], spans[1][0])), self.inner
        return (
            x0,
            y0,
            (spans[0][1] - spans[0][0]) * size[0] / self.width,
            (spans[1][1] - spans[1][0]) * size[1] / self.height,
        )

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A position of Plotly's 'paper' (0 to 1 over the plot) as a part of the picture."""
        return (self.left + x * self.inner[0]) / self.width, (self.bottom + y * self.inner[1]) / self.height

    def axes_of(self, item: Mapping[str, Any]) -> Axes:
        """The axes that a shape or an annotation is tied to, the first otherwise."""
        wanted = [str(item.get(f"{n}ref", n)).split()[0] for n in "xy"]
        for pair, axes in self.axes.items():
            if wanted[0] in (pair[0], "paper") and wanted[1] in (pair[1], "paper"):
                return axes
        return next(iter(self.axes.values()))

    def where(self, item: Mapping[str, Any], x: Any, y: Any, default: str = "data") -> tuple[float, float]:
        """A position in the picture (0 to 1) of a point given in data, in 'paper' or in the domain of an axis."""
        axes = self.axes_of(item)
        inverse = self.drawn.transFigure.inverted()
        at = [0.0, 0.0]
        for n, (name, value) in enumerate((("x", x), ("y", y))):
            ref = str(item.get(f"{name}ref", "paper" if default == "paper" else name))
            if ref == "paper":
                at[n] = self.point(float(value), float(value))[n]
            elif ref.endswith("domain"):
                at[n] = inverse.transform(axes.transAxes.transform((float(value), float(value))))[n]
            else:
                both = (value, axes.get_ylim()[0]) if n == 0 else (axes.get_xlim()[0], value)
                number = (axes.convert_xunits(both[0]), axes.convert_yunits(both[1]))
                at[n] = inverse.transform(axes.transData.transform(number))[n]
        return at[0], at[1]


# --- traces ---------------------------------------------------------------------------------------------------------


def _draw_traces(axes: Axes, traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> None:
    bars = [t for t in traces if t.get("type") == "bar"]
    stacks: dict[tuple[Any, bool], float] = {}
    for number, trace in enumerate(bars):
        _draw_bars(axes, trace, layout, stacks, number, len(bars))
    before: np.ndarray | None = None
    for trace in traces:
        if trace.get("type", "scatter") == "scatter" and trace.get("visible", True) is True:
            before = _draw_scatter(axes, trace, before)


def _draw_bars(
    axes: Axes, trace: Mapping[str, Any], layout: Mapping[str, Any], stacks: dict[tuple[Any, bool], float], number: int,
    count: int,
) -> None:  # fmt: skip
    """Bars, beside each other or stacked ('relative': what is negative stacks below zero)."""
    flat = trace.get("orientation") == "h"
    at, length = (_array(trace.get(k)) for k in (("y", "x") if flat else ("x", "y")))
    stacked, mode = layout.get("barmode") in ("relative", "stack"), layout.get("barmode", "group")
    width = _bar_widths(trace, at, layout, 1 if stacked or mode == "overlay" else count)
    base, shift = _bar_starts(trace, at, length, stacks if stacked else None), np.zeros(len(at))
    if mode == "group" and count > 1 and at.dtype.kind in "fiu" and trace.get("width") is None:
        shift = (number - (count - 1) / 2.0) * width
    marker = trace.get("marker", {})
    line = marker.get("line", {})
    place: Any = at + shift if at.dtype.kind in "fiu" else at
    draw = axes.barh if flat else axes.bar
    patches = draw(
        place, length, width, base, color=_colours(marker.get("color"), len(at)),
        alpha=trace.get("opacity", marker.get("opacity")), edgecolor=colour(line.get("color")) or "none",
        linewidth=float(line.get("width", 0) or 0) * _PT_PER_PX, label=trace.get("name", "_"), zorder=2,
    )  # fmt: skip
    hatch = marker.get("pattern", {}).get("shape")
    for n, patch in enumerate(patches):
        shape = hatch[n] if isinstance(hatch, (list, tuple)) else hatch
        if shape:
            patch.set_hatch(str(shape) * 3)
    _error_bars(axes, trace, length + base if flat else place, place if flat else length + base)
    _bar_texts(axes, trace, place, base + length, flat)


def _bar_widths(trace: Mapping[str, Any], at: np.ndarray, layout: Mapping[str, Any], beside: int) -> np.ndarray:
    given = _array(trace.get("width")).astype(float)
    if given.size:
        return np.broadcast_to(given, at.shape).astype(float)
    step = float(np.min(np.diff(np.unique(at)))) if at.dtype.kind in "fiu" and len(np.unique(at)) > 1 else 1.0
    return np.full(len(at), step * (1.0 - float(layout.get("bargap", 0.2))) / beside)


def _bar_starts(
    trace: Mapping[str, Any], at: np.ndarray, length: np.ndarray, stacks: dict[tuple[Any, bool], float] | None
) -> np.ndarray:
    """Where each bar begins: at zero, at `base`, or on top of those before it."""
    base = _array(trace.get("base")).astype(float)
    if base.size:
        return np.broadcast_to(base, length.shape).astype(float)
    if stacks is None:
        return np.zeros(len(length))
    starts = []
    for where, value in zip(at.tolist(), length.tolist(), strict=True):
        key = (where, value < 0)
        starts.append(stacks.get(key, 0.0))
        stacks[key] = stacks.get(key, 0.0) + (float(value) if np.isfinite(value) else 0.0)
    return np.array(starts)


def _bar_texts(axes: Axes, trace: Mapping[str, Any], place: Any, end: np.ndarray, flat: bool) -> None:
    texts = _array(trace.get("text"))
    if not texts.size or trace.get("textposition") == "none":
        return
    font = trace.get("textfont", {})
    for at, stop, text in zip(place, end, np.broadcast_to(texts, np.shape(end)), strict=True):
        spot = (stop, at) if flat else (at, stop)
        left = "right" if stop < 0 else "left"
        axes.annotate(
            _bare(str(text)), spot, xytext=(4 if stop >= 0 else -4, 0) if flat else (0, 3), textcoords="offset points",
            ha=left if flat else "center", va="center" if flat else "bottom", color=colour(font.get("color")) or "black",
            fontsize=float(font.get("size", 12)) * _PT_PER_PX, annotation_clip=False,
        )  # fmt: skip


def _draw_scatter(axes: Axes, trace: Mapping[str, Any], before: np.ndarray | None) -> np.ndarray:
    """A line, points, their error bars, the fill under them; returns the y of this trace for the next one's fill."""
    x, y = _array(trace.get("x")), _array(trace.get("y"))
    mode = str(trace.get("mode", "lines"))
    line, marker = trace.get("line", {}), trace.get("marker", {})
    over = 5 if "markers" in mode else 3
    label = trace.get("name", "_") or "_"
    _draw_fill(axes, trace, x, y, before)
    if "lines" in mode and float(line.get("width", 2)) > 0:
        style = _STEPS.get(str(line.get("shape")), "default")
        axes.plot(
            x, y, color=_colours(line.get("color", marker.get("color")), 1)[0], linewidth=float(line.get("width", 2)) * _PT_PER_PX,
            linestyle=_DASHES.get(str(line.get("dash", "solid")), "-"), drawstyle=style, zorder=3,
            label="_" if "markers" in mode else label, alpha=trace.get("opacity"),
        )  # fmt: skip
    _error_bars(axes, trace, x, y)
    if "markers" in mode and len(x):
        edge = marker.get("line", {})
        size = np.broadcast_to(_array(marker.get("size", 6)).astype(float), (len(x),)) * _PT_PER_PX
        axes.scatter(
            x, y, s=size**2, c=_colours(marker.get("color"), len(x)), marker=_MARKERS.get(str(marker.get("symbol", "circle")).removesuffix("-open"), "o"),
            edgecolors=_colours(edge.get("color"), len(x)) if edge.get("width") else "none",
            linewidths=np.max(_array(edge.get("width", 0)).astype(float), initial=0.0) * _PT_PER_PX, zorder=over, label=label,
            alpha=marker.get("opacity", trace.get("opacity")), clip_on=trace.get("cliponaxis", True),
        )  # fmt: skip
    if "text" in mode:
        _point_texts(axes, trace, x, y)
    return y


_TEXT_SIDES = {
    "top": ("center", "bottom", 0, 5), "bottom": ("center", "top", 0, -5), "middle": ("center", "center", 0, 0),
    "left": ("right", "center", -6, 0), "right": ("left", "center", 6, 0),
}  # fmt: skip


def _point_texts(axes: Axes, trace: Mapping[str, Any], x: np.ndarray, y: np.ndarray) -> None:
    font = trace.get("textfont", {})
    places = trace.get("textposition", "middle center")
    places = [places] * len(x) if isinstance(places, str) else list(places)
    for a, b, text, place in zip(x, y, np.broadcast_to(_array(trace.get("text")), x.shape), places, strict=True):
        up, side = [*str(place).split(), "center"][:2]
        ha, _, dx, _ = _TEXT_SIDES.get(side, _TEXT_SIDES["middle"])
        _, va, _, dy = _TEXT_SIDES.get(up, _TEXT_SIDES["middle"])
        axes.annotate(
            _bare(str(text)), (a, b), xytext=(dx, dy), textcoords="offset points", ha=ha, va=va, annotation_clip=False,
            color=colour(font.get("color")) or "black", fontsize=float(font.get("size", 12)) * _PT_PER_PX, zorder=6,
            fontweight="bold" if "<b>" in str(text) else "normal",
        )  # fmt: skip


def _draw_fill(axes: Axes, trace: Mapping[str, Any], x: np.ndarray, y: np.ndarray, before: np.ndarray | None) -> None:
    fill, inside = trace.get("fill"), colour(trace.get("fillcolor"))
    if fill in (None, "none") or not len(x):
        return
    if fill == "toself":
        axes.fill(x, y, color=inside, linewidth=0, zorder=1)
    elif fill == "tozerox":
        axes.fill_betweenx(y.astype(float), x.astype(float), 0.0, color=inside, linewidth=0, zorder=1)
    else:
        other = before if fill == "tonexty" and before is not None and len(before) == len(y) else np.zeros(len(y))
        axes.fill_between(x, y.astype(float), other.astype(float), color=inside, linewidth=0, zorder=1)


def _error_bars(axes: Axes, trace: Mapping[str, Any], x: Any, y: Any) -> None:
    for name in ("x", "y"):
        error = trace.get(f"error_{name}")
        if not error or error.get("visible") is False or error.get("array") is None:
            continue
        plus = _array(error["array"]).astype(float)
        minus = (
            plus
            if error.get("symmetric", error.get("arrayminus") is None)
            else _array(error["arrayminus"]).astype(float)
        )
        sizes = np.abs(np.vstack([np.nan_to_num(minus), np.nan_to_num(plus)]))
        axes.errorbar(
            x, y, fmt="none", ecolor=colour(error.get("color")) or "black", zorder=4, label="_", clip_on=False,
            elinewidth=float(error.get("thickness", 2)) * _PT_PER_PX, capthick=float(error.get("thickness", 2)) * _PT_PER_PX,
            capsize=float(error.get("width", 4)) * _PT_PER_PX, **({"xerr": sizes} if name == "x" else {"yerr": sizes}),
        )  # fmt: skip


# --- axes -----------------------------------------------------------------------------------------------------------


def _dress_axes(axes: Axes, layout: Mapping[str, Any], pair: tuple[str, str]) -> None:
    """Ranges, ticks, grid, titles and lines of both axes."""
    axes.set_facecolor(_paper(layout, "plot_bgcolor"))
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for name, at in (("x", pair[0]), ("y", pair[1])):
        _dress_axis(axes, name, layout.get(_axis_key(at), {}), layout)


def _dress_axis(axes: Axes, name: str, told: Mapping[str, Any], layout: Mapping[str, Any]) -> None:
    from matplotlib.ticker import FuncFormatter

    axis = axes.xaxis if name == "x" else axes.yaxis
    spine = axes.spines["bottom" if name == "x" else "left"]
    font = {**layout.get("font", {}), **told.get("tickfont", {})}
    if told.get("type") == "log":
        getattr(axes, f"set_{name}scale")("log")
    if told.get("range") is not None:
        span = [10.0 ** float(v) if told.get("type") == "log" else v for v in told["range"]]
        getattr(axes, f"set_{name}lim")(*span)
    elif told.get("autorange") == "reversed":
        axis.set_inverted(True)
    elif told.get("rangemode") == "tozero":
        low, high = getattr(axes, f"get_{name}lim")()
        getattr(axes, f"set_{name}lim")(min(low, 0.0) if low < 0 < high else 0.0, high)
    if told.get("visible") is False:
        axis.set_visible(False)
        spine.set_visible(False)
        return
    ink = colour(told.get("linecolor")) or "black"
    spine.set_visible(bool(told.get("showline", False)))
    spine.set_color(ink)
    if told.get("showgrid", True) and told.get("gridcolor"):
        axis.grid(True, color=colour(told["gridcolor"]), linewidth=0.8)
    if told.get("zeroline") and told.get("zerolinecolor"):
        rule = axes.axvline if name == "x" else axes.axhline
        rule(
            0.0,
            color=colour(told["zerolinecolor"]),
            linewidth=float(told.get("zerolinewidth", 1)) * _PT_PER_PX,
            zorder=2,
        )
    _ticks(axis, told, layout, font)
    if told.get("tickvals") is None and told.get("type") != "category" and axis.have_units() is False:
        write = number_writer(str(told.get("tickformat", "")), str(layout.get("separators", ".,")))
        suffix = str(told.get("ticksuffix", ""))
        axis.set_major_formatter(FuncFormatter(lambda v, _: write(v) + suffix))
    title = told.get("title") or {}
    words = title if isinstance(title, str) else title.get("text")
    if words:
        size = (title.get("font", {}) if isinstance(title, Mapping) else {}).get("size", font.get("size", 13))
        axis.set_label_text(
            _bare(str(words)), fontsize=float(size) * _PT_PER_PX, color=colour(layout.get("font", {}).get("color"))
        )
        axis.labelpad = 6.0


def _ticks(axis: Any, told: Mapping[str, Any], layout: Mapping[str, Any], font: Mapping[str, Any]) -> None:
    size, ink = (
        float(font.get("size", 12)) * _PT_PER_PX,
        colour(font.get("color") or layout.get("font", {}).get("color")),
    )
    out = told.get("ticks") == "outside"
    if told.get("tickvals") is not None:
        texts = told.get("ticktext")
        axis.set_ticks(_array(told["tickvals"]).tolist(), None if texts is None else [_bare(str(t)) for t in texts])
    elif told.get("dtick") is not None and told.get("type") != "log":
        from matplotlib.ticker import MultipleLocator

        axis.set_major_locator(MultipleLocator(float(told["dtick"])))
    elif re.search(r"\.0~?f$", str(told.get("tickformat", ""))) and told.get("type") != "log":
        from matplotlib.ticker import MaxNLocator

        axis.set_major_locator(MaxNLocator(nbins=8, integer=True))  # no tick that its own label would round away
    axis.set_tick_params(
        length=4 if out else 0, color=colour(told.get("tickcolor")) or "black", labelsize=size, labelcolor=ink or "black",
        labelleft=told.get("showticklabels", True), labelbottom=told.get("showticklabels", True),
    )  # fmt: skip
    for label, text in zip(axis.get_ticklabels(), told.get("ticktext") or (), strict=False):
        label.set_fontweight("bold" if "<b>" in str(text) else "normal")


def number_writer(pattern: str, separators: str = ".,") -> Any:
    """A function that writes numbers as d3's `pattern` says ('' picks what is needed), with Plotly's `separators`."""
    found = re.fullmatch(r"(\+)?(,)?(?:\.(\d+))?(~)?([f%dr]?)", pattern)
    if not found:
        raise ImageError(f"images: number format {pattern!r} is not one of ',.1f', ',.2~f', '.0%' ...")
    sign, comma, decimals, trim, kind = found.groups()
    point, thousands = separators[0], separators[1:2]

    def write(value: float, _: Any = None) -> str:
        scaled = value * 100.0 if kind == "%" else value
        if kind == "r":  # significant digits
            scaled = float(f"{scaled:.{decimals or 6}g}")
        text = f"{scaled:{sign or ''},.{10 if kind in ('', 'r') else decimals or 0}f}"
        if (trim or kind in ("", "r")) and "." in text:
            text = text.rstrip("0").rstrip(".")
        text = (
            text.replace("-", "−")
            .replace(",", "\0")
            .replace(".", point)
            .replace("\0", thousands if comma or not kind else "")
        )
        return ("0" if text in ("−0", "") else text) + (
            "\u202f%" if kind == "%" and point == "," else "%" if kind == "%" else ""
        )

    return write


# --- shapes, legend, annotations ------------------------------------------------------------------------------------


def _draw_shape(places: _Places, shape: Mapping[str, Any]) -> None:
    """A line or a rectangle, tied to data, to the plot or to a mix of both."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle

    kind = shape.get("type", "rect")
    if kind not in ("line", "rect"):
        raise ImageError(f"images: allowed shapes line, rect; not {kind!r}")
    (x0, y0), (x1, y1) = (places.where(shape, shape[f"x{n}"], shape[f"y{n}"]) for n in (0, 1))
    line = shape.get("line", {})
    width = float(line.get("width", 2)) * _PT_PER_PX
    low = shape.get("layer") == "below"
    axes, transform = places.axes_of(shape), places.drawn.transFigure
    if kind == "line":
        axes.add_artist(Line2D(
            [x0, x1], [y0, y1], transform=transform, color=colour(line.get("color")) or "black", linewidth=width,
            linestyle=_DASHES.get(str(line.get("dash", "solid")), "-"), zorder=1 if low else 2.5, clip_on=False,
        ))  # fmt: skip
        return
    axes.add_artist(Rectangle(
        (x0, y0), x1 - x0, y1 - y0, transform=transform, facecolor=colour(shape.get("fillcolor")) or "none",
        edgecolor=colour(line.get("color")) or "none", linewidth=width if line.get("color") else 0, clip_on=False,
        alpha=shape.get("opacity"), zorder=0.5 if low else 2.5,
    ))  # fmt: skip


def _draw_legend(places: _Places, traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> None:
    told = layout.get("legend", {})
    if not layout.get("showlegend", len(traces) > 1):
        return
    hidden = {t.get("name") for t in traces if t.get("showlegend") is False}
    handles, labels = [], []
    for axes in places.axes.values():
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            if label not in hidden and label not in labels:
                handles.append(handle)
                labels.append(label)
    if not handles:
        return
    order = [str(t.get("name")) for t in traces]
    ranked = sorted(range(len(labels)), key=lambda n: order.index(labels[n]))
    handles, labels = [handles[n] for n in ranked], [labels[n] for n in ranked]
    font = {**layout.get("font", {}), **told.get("font", {})}
    sides = {"left": "left", "right": "right", "center": "center", "auto": "left"}
    ups = {"top": "upper", "bottom": "lower", "middle": "center", "auto": "upper"}
    up, side = ups[told.get("yanchor", "auto")], sides[told.get("xanchor", "auto")]
    loc: Any = "center" if (up, side) == ("center", "center") else f"{up} {side}"
    at = places.point(float(told.get("x", 1.02)), float(told.get("y", 1.0)))
    legend = places.drawn.legend(
        handles, [_bare(x) for x in labels], loc=loc, bbox_to_anchor=at, frameon=False, borderaxespad=0.2,
        ncols=len(handles) if told.get("orientation") == "h" else 1, fontsize=float(font.get("size", 12)) * _PT_PER_PX,
        handlelength=1.1, handleheight=0.9, handletextpad=0.4, columnspacing=1.2,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_color(colour(font.get("color")) or "black")


_ALIGN = {"left": 0.0, "center": 0.5, "right": 1.0, "bottom": 0.0, "middle": 0.5, "top": 1.0}


def _draw_note(places: _Places, note: Mapping[str, Any]) -> None:
    """An annotation: its lines, bold and coloured pieces, ground, shift, and an arrow where it has one."""
    from matplotlib.offsetbox import AnnotationBbox, HPacker, TextArea, VPacker

    font = {"size": 12, "color": "black", **places.layout.get("font", {}), **note.get("font", {})}
    lines: list[Any] = [
        HPacker(children=[TextArea(text, textprops=style) for text, style in pieces], pad=0, sep=0, align="baseline")
        for pieces in rich_lines(str(note.get("text", "")), float(font["size"]), font["color"])
    ]
    side = note.get("align", "center")
    box = VPacker(children=lines, pad=0, sep=2.0, align=side)
    arrow = bool(note.get("showarrow", True))
    shift = (float(note.get("ax", 0)), -float(note.get("ay", -30))) if arrow else (0.0, 0.0)
    offset = (
        (float(note.get("xshift", 0)) + shift[0]) * _PT_PER_PX,
        (float(note.get("yshift", 0)) + shift[1]) * _PT_PER_PX,
    )
    anchors = (_anchor(note, "x", note.get("x", 0)), _anchor(note, "y", note.get("y", 0)))
    ground = colour(note.get("bgcolor"))
    placed = AnnotationBbox(
        box, places.where(note, note.get("x", 0), note.get("y", 0)), xycoords="figure fraction", xybox=offset,
        boxcoords="offset points", box_alignment=anchors, pad=0.15 if ground is not None else 0.0, frameon=ground is not None,
        bboxprops={"facecolor": ground or "none", "edgecolor": "none", "linewidth": 0},
        arrowprops={"arrowstyle": "-|>", "color": colour(note.get("arrowcolor") or font["color"]), "lw": 1.0} if arrow else None,
        annotation_clip=False,
    )  # fmt: skip
    placed.set_zorder(7)
    places.drawn.add_artist(placed)


def _anchor(note: Mapping[str, Any], name: str, value: Any) -> float:
    """Alignment of an annotation, 0 to 1. Plotly's 'auto' follows the third of the plot for 'paper', else centres."""
    told = note.get(f"{name}anchor", "auto")
    if told != "auto":
        return _ALIGN[told]
    if note.get(f"{name}ref") == "paper" and not note.get("showarrow", True):
        return 0.0 if float(value) < 1 / 3 else 1.0 if float(value) > 2 / 3 else 0.5
    return 0.5


def rich_lines(text: str, size_px: float, ink: Any) -> list[list[tuple[str, dict[str, Any]]]]:
    """Pieces of text with their style, line by line, out of the few tags that Plotly reads (br, b, i, span, sup, sub)."""
    lines: list[list[tuple[str, dict[str, Any]]]] = [[]]
    bold = italic = 0
    spans: list[tuple[float, Any]] = [(size_px, ink)]
    for part in re.split(r"(<[^>]+>)", text):
        tag = part.strip("<>/ ").split(" ")[0].lower() if part.startswith("<") else ""
        closing = part.startswith("</")
        if tag == "br":
            lines.append([])
        elif tag in ("b", "strong"):
            bold += -1 if closing else 1
        elif tag in ("i", "em"):
            italic += -1 if closing else 1
        elif tag == "span":
            if closing and len(spans) > 1:
                spans.pop()
            elif not closing:
                spans.append(_span(part, spans[-1]))
        elif part and not tag:
            px, paint = spans[-1]
            style = {"size": px * _PT_PER_PX, "color": colour(paint), "weight": "bold" if bold > 0 else "normal",
                     "style": "italic" if italic > 0 else "normal", "family": list(FAMILIES)}  # fmt: skip
            lines[-1].append((html.unescape(part), style))
    empty = {"size": size_px * _PT_PER_PX, "family": list(FAMILIES)}
    return [line or [(" ", empty)] for line in lines]


def _span(tag: str, around: tuple[float, Any]) -> tuple[float, Any]:
    size, paint = around
    found = re.search(r"font-size:\s*([\d.]+)px", tag)
    ink = re.search(r"(?<![-\w])color:\s*([^;'\"]+)", tag)
    return float(found.group(1)) if found else size, ink.group(1).strip() if ink else paint


def _bare(text: str) -> str:
    """Text without tags, a new line for each `<br>`."""
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<br\s*/?>", "\n", text)))
