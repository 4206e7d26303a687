"""A map as one small SVG picture, drawn on the server: for small multiples, print and screens without WebGL.

Contours come from the same packed geometry as the map on the screen. They are laid on a grid of whole numbers, so that
neighbours still share their borders, and zones of one class are one path: four maps of a région are some 400 kB.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from coopconnect.show.geometry import Geometry, unpack_contours
from coopconnect.show.maps import CLASS_FLAG, CLASS_NONE, FLAG_COLOUR, FLAG_INK, NO_DATA_COLOUR

GRID_WIDTH = 1000
"""Units of the drawing along its longer side: finer than a pixel of a small multiple."""

_BORDER = "#ffffff"
_OUTLINE = "#5c6a72"


@lru_cache(maxsize=4)
def _drawing(geometry: Geometry) -> tuple[tuple[str, ...], str, tuple[int, int]]:
    """Path of each zone, path of the outlines, width and height of the drawing."""
    contours = unpack_contours(geometry.data)
    low, high = contours.vertex.min(axis=0).astype(float), contours.vertex.max(axis=0).astype(float)
    span = np.maximum(high - low, 1.0)
    scale = GRID_WIDTH / float(span.max())
    points = np.rint((contours.vertex - low) * scale).astype(np.int64)
    paths = [""] * int(contours.header["zones"])
    for ring, zone in enumerate(contours.ring_zone):
        paths[zone] += _path(points[contours.ring_start[ring] : contours.ring_start[ring + 1]], closed=True)
    lines = np.rint((contours.outline_vertex - low) * scale).astype(np.int64)
    starts = contours.outline_start
    outline = "".join(_path(lines[a:b], closed=False) for a, b in itertools.pairwise(starts))
    width, height = (max(int(side), 1) for side in np.ceil(span * scale))
    return tuple(paths), outline, (width, height)


def _path(points: np.ndarray, *, closed: bool) -> str:
    """One ring or line as steps from point to point; points that fall on one another are one."""
    if not len(points):
        return ""
    steps = np.diff(points, axis=0)
    steps = steps[(steps != 0).any(axis=1)]
    start = f"M{points[0, 0]} {points[0, 1]}"
    if not len(steps):
        return ""
    return f"{start}l{' '.join(f'{x} {y}' for x, y in steps.tolist())}{'z' if closed else ''}"


def map_svg(
    geometry: Geometry, zone_class: np.ndarray, colours: Sequence[str], hatched: Sequence[int] = (), *,
    ringed: Sequence[int] = (), ring_colour: str = FLAG_INK,
) -> str:  # fmt: skip
    """The picture as SVG text.

    zone_class: (zones,) uint8 in the order of the geometry, as `maps.classify` gives it. colours: '#rrggbb' per class.
    hatched: classes drawn with hatching over their colour, beside red flags: told apart without colour. ringed: zones with a thick line of `ring_colour` round them, above the fills.
    """
    paths, outline, (width, height) = _drawing(geometry)
    classes = np.asarray(zone_class, dtype=np.uint8)
    fills, patterns = [], []
    for value in np.unique(classes).tolist():
        colour = {CLASS_FLAG: FLAG_COLOUR, CLASS_NONE: NO_DATA_COLOUR}.get(value) or colours[value]
        shape = "".join(paths[k] for k in np.flatnonzero(classes == value))
        fills.append(f'<path fill="{colour}" d="{shape}"/>')
        if value == CLASS_FLAG or value in hatched:
            fills.append(f'<path fill="url(#hatch)" d="{shape}"/>')
            patterns = [_HATCH]
    rings = "".join(paths[k] for k in ringed)
    ring = (
        f'<path fill="none" stroke="{ring_colour}" stroke-width="3.2" stroke-linejoin="round" d="{rings}"/>'
        if rings
        else ""
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 {width + 8} {height + 8}">{"".join(patterns)}'
        f'<g stroke="{_BORDER}" stroke-width="0.7" stroke-linejoin="round">{"".join(fills)}</g>'
        f'<path fill="none" stroke="{_OUTLINE}" stroke-width="1.6" d="{outline}"/>{ring}</svg>'
    )


_HATCH = (
    '<defs><pattern id="hatch" width="16" height="16" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="5" height="16" fill="{FLAG_INK}"/></pattern></defs>'
)


def svg_image(svg: str, words: str) -> str:
    """The picture as an HTML image that holds it whole; `words` (escaped already) say what it shows."""
    data = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    return f'<img alt="{words}" src="data:image/svg+xml;base64,{data}">'
