"""Contours of zones as one small quantised binary, and back.

A browser draws thousands of communes fast when it gets their contours once, as plain arrays, and afterwards
only one byte per commune. This module makes those arrays. Layout, little endian, every section aligned:

    uint32                    length of the header, in bytes (padded with spaces to a multiple of 4)
    header                    JSON: counts, origin and scale, and what never moves (names, points, population)
    uint32 ring_start         (rings + 1)     first vertex of each ring
    uint32 ring_zone          (rings)         zone of each ring
    uint32 line_start         (lines + 1)     first vertex of each border line
    uint32 outline_start      (outlines + 1)  first vertex of each outline, counted from the first outline vertex
    uint16 vertex             (vertices + outline_vertices, 2)

A vertex is a Web Mercator position: x = x0 + vertex_x / scale, in units of the world's width, y downwards.
Two zones that share a border share its vertices after quantisation too, so no gap can open between them.

Islands are rings of their own with the same zone. Holes: the browser's triangulation takes binary polygons
without holes only, so each hole is joined to its outer ring by a "keyhole", a bridge walked there and back.
The bridge has no area: the fill leaves the hole empty (a lake or a foreign enclave stays ground). Border lines
are the same vertices cut at the bridges, so no bridge is ever drawn. This costs two vertices a hole, where
shipping triangles would treble the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

FORMAT_NAME = "coopconnect-contours"
FORMAT_VERSION = 1
QUANTUM_MAX = 65_535
"""Largest coordinate of a vertex: uint16. PACA is 350 km wide, so one step is about 5 m."""
MAX_LATITUDE_DEG = 85.0


@dataclass(frozen=True)
class ZoneLabels:
    """What the map knows of each zone besides its contour; it never changes while levers move.

    All sequences have one entry per zone: INSEE code, name, département code, longitude and latitude of the
    zone's point (degrees WGS84) and inhabitants (they decide which town names are written first).
    """

    codes: Sequence[str]
    names: Sequence[str]
    departements: Sequence[str]
    lon: np.ndarray
    lat: np.ndarray
    population: np.ndarray
    departement_names: dict[str, str] | None = None


@dataclass(frozen=True)
class Geometry:
    """A packed geometry: the bytes, their digest (name of the file), zone codes in order, bounds in degrees."""

    data: bytes
    digest: str
    codes: tuple[str, ...]
    bounds: tuple[float, float, float, float]


@dataclass(frozen=True)
class Contours:
    """The arrays inside a packed geometry; `vertex` and `outline_vertex` are (n, 2) uint16."""

    header: dict[str, Any]
    ring_start: np.ndarray
    ring_zone: np.ndarray
    line_start: np.ndarray
    outline_start: np.ndarray
    vertex: np.ndarray
    outline_vertex: np.ndarray


def to_mercator(lonlat: np.ndarray) -> np.ndarray:
    """(n, 2) degrees WGS84 to (n, 2) Web Mercator in units of the world's width, y downwards."""
    lonlat = np.asarray(lonlat, dtype=np.float64)
    lat = np.radians(np.clip(lonlat[:, 1], -MAX_LATITUDE_DEG, MAX_LATITUDE_DEG))
    return np.column_stack([lonlat[:, 0] / 360.0 + 0.5, 0.5 - np.arcsinh(np.tan(lat)) / (2.0 * np.pi)])


def from_mercator(xy: np.ndarray) -> np.ndarray:
    """(n, 2) Web Mercator in units of the world's width to (n, 2) degrees WGS84."""
    xy = np.asarray(xy, dtype=np.float64)
    lat = np.degrees(np.arctan(np.sinh((0.5 - xy[:, 1]) * 2.0 * np.pi)))
    return np.column_stack([(xy[:, 0] - 0.5) * 360.0, lat])


def pack_contours(contours: np.ndarray, labels: ZoneLabels, outlines: np.ndarray | None = None) -> Geometry:
    """Pack the contours of zones (and, if given, outlines of départements) into one binary.

    contours: one shapely Polygon or MultiPolygon per zone, degrees WGS84, in the order of `labels`; None or
        empty for a zone without a contour (it is listed, and drawn as nothing).
    outlines: shapely geometries, lines or polygons, drawn as thin lines above the zones.
    Raises ValueError where a contour is not a polygon, counts differ, or nothing is left to draw.
    """
    contours = np.asarray(contours, dtype=object)
    if len(contours) != len(labels.codes):
        raise ValueError(
            f"The map got {len(contours)} contours for {len(labels.codes)} zones: give one contour per zone, "
            "in the same order (None where a zone has none)."
        )
    parts, part_zone = _polygon_parts(contours, labels.codes)
    outline_lines = _outline_parts(outlines)
    origin, scale = _quantisation(np.concatenate([parts, outline_lines]))
    rings = [_ring_of(polygon, origin, scale) for polygon in parts]
    lines = [_quantise_line(shapely.get_coordinates(line), origin, scale) for line in outline_lines]
    return _assemble(rings, part_zone, lines, origin, scale, labels, shapely.total_bounds(parts))


def unpack_contours(data: bytes) -> Contours:
    """Read a packed geometry back. Raises ValueError where the bytes are not one, or are cut short."""
    try:
        header_length = int(np.frombuffer(data, "<u4", 1)[0])
        header = json.loads(data[4 : 4 + header_length])
        if header["format"] != FORMAT_NAME or header["version"] != FORMAT_VERSION:
            raise ValueError(f"format {header['format']} version {header['version']}")
        offset = 4 + header_length
        sections: list[np.ndarray] = []
        counts = (header["rings"] + 1, header["rings"], header["lines"] + 1, header["outlines"] + 1)
        for count in counts:
            sections.append(np.frombuffer(data, "<u4", count, offset))
            offset += 4 * count
        vertices = np.frombuffer(data, "<u2", 2 * (header["vertices"] + header["outline_vertices"]), offset).reshape(
            -1, 2
        )
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(
            f"These {len(data)} bytes are not a geometry of format {FORMAT_NAME} version {FORMAT_VERSION} "
            f"({error}): make it again with pack_contours."
        ) from error
    cut = header["vertices"]
    ring_start, ring_zone, line_start, outline_start = sections
    return Contours(header, ring_start, ring_zone, line_start, outline_start, vertices[:cut], vertices[cut:])


def vertex_lonlat(contours: Contours, vertex: np.ndarray) -> np.ndarray:
    """Degrees WGS84, (n, 2), of quantised vertices."""
    header = contours.header
    origin = np.array([header["x0"], header["y0"]])
    return from_mercator(origin + vertex.astype(np.float64) / header["scale"])


def keyhole(rings: list[np.ndarray]) -> tuple[np.ndarray, list[int]]:
    """Join the holes of a polygon to its outer ring.

    rings: the outer ring, then its holes; (n, 2) integers, closed (last vertex = first).
    Returns the joined ring (closed) and the positions at which it must be cut to draw borders only: the parts
    between cuts are runs of the original rings. Signed area of the result = outer area - sum of hole areas.
    """
    merged = _wind(np.asarray(rings[0], dtype=np.int64), positive=True)
    cuts = np.zeros(len(merged), dtype=bool)
    holes = [_wind(np.asarray(ring, dtype=np.int64), positive=False) for ring in rings[1:]]
    holes.sort(key=lambda ring: (ring[:, 0].min(), ring[:, 1].min()))
    while holes:
        hole = holes.pop(0)
        first = int(np.lexsort((hole[:-1, 1], hole[:-1, 0]))[0])
        hole = np.concatenate([hole[first:-1], hole[: first + 1]])
        at = _visible_vertex(merged, hole, holes)
        merged = np.concatenate([merged[: at + 1], hole, merged[at:]])
        middle = np.zeros(len(hole), dtype=bool)
        middle[0] = True
        tail = cuts[at:].copy()
        tail[0] = True
        cuts = np.concatenate([cuts[: at + 1], middle, tail])
    return merged, [int(position) for position in np.flatnonzero(cuts)]


def _polygon_parts(contours: np.ndarray, codes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Every polygon of every zone, and the zone of each."""
    kind = shapely.get_type_id(contours)
    wrong = np.flatnonzero((kind != 3) & (kind != 6) & (kind != -1) & ~shapely.is_empty(contours))
    if len(wrong):
        raise ValueError(
            f"The contour of zone {codes[wrong[0]]} is a {contours[wrong[0]].geom_type}: "
            "a contour is a Polygon or a MultiPolygon."
        )
    parts, zone = shapely.get_parts(contours, return_index=True)
    kept = ~shapely.is_empty(parts)
    if not kept.any():
        raise ValueError("None of the zones has a contour: there is nothing to draw.")
    return parts[kept], zone[kept]


def _outline_parts(outlines: np.ndarray | None) -> np.ndarray:
    """Outlines as plain lines: polygons become their boundaries."""
    if outlines is None:
        return np.empty(0, dtype=object)
    geometries = np.asarray(outlines, dtype=object)
    polygonal = np.isin(shapely.get_type_id(geometries), (3, 6))
    geometries = np.where(polygonal, shapely.boundary(geometries), geometries)
    parts = shapely.get_parts(shapely.line_merge(geometries))
    return parts[shapely.get_num_coordinates(parts) > 1]


def _quantisation(geometries: np.ndarray) -> tuple[np.ndarray, float]:
    """Origin and scale that spread the bounds over 0 ... QUANTUM_MAX, the same in x and y."""
    west, south, east, north = shapely.total_bounds(geometries)
    corner = to_mercator(np.array([[west, north], [east, south]]))
    extent = float(max(np.ptp(corner[:, 0]), np.ptp(corner[:, 1]), 1e-9))
    return corner.min(axis=0), QUANTUM_MAX / extent


def _quantise_line(lonlat: np.ndarray, origin: np.ndarray, scale: float) -> np.ndarray:
    """Quantised vertices of a line without immediate repetitions (at least its two ends)."""
    steps = np.rint((to_mercator(lonlat) - origin) * scale)
    vertex = np.clip(steps, 0, QUANTUM_MAX).astype(np.int64)
    moved = np.any(np.diff(vertex, axis=0) != 0, axis=1)
    kept = vertex[np.concatenate([[True], moved])]
    return kept if len(kept) > 1 else vertex[[0, -1]]


def _ring_of(polygon: shapely.Polygon, origin: np.ndarray, scale: float) -> tuple[np.ndarray, list[int]]:
    """One closed, quantised ring for a polygon, its holes joined, with the cuts of its border lines."""
    outer = _quantise_line(shapely.get_coordinates(polygon.exterior), origin, scale)
    holes = [_quantise_line(shapely.get_coordinates(ring), origin, scale) for ring in polygon.interiors]
    return keyhole([outer, *(hole for hole in holes if len(hole) > 3)])


def _wind(ring: np.ndarray, *, positive: bool) -> np.ndarray:
    """The ring, turned round where its signed area has the other sign."""
    return ring if (signed_area(ring) >= 0) == positive else ring[::-1]


def signed_area(ring: np.ndarray) -> float:
    """Shoelace area of a closed ring, in squared steps; negative when it turns the other way."""
    x, y = ring[:, 0].astype(np.int64), ring[:, 1].astype(np.int64)
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2.0


def _visible_vertex(merged: np.ndarray, hole: np.ndarray, others: list[np.ndarray]) -> int:
    """Row of the vertex of `merged` nearest to hole[0] whose bridge crosses no edge.

    Vertices that already carry a bridge come last: two bridges from one vertex may have to cross. If rounding
    leaves no free line of sight, the nearest vertex is taken (a sliver of one step at worst).
    """
    start = hole[0]
    rings = [merged, hole, *others]
    edge_from = np.concatenate([ring[:-1] for ring in rings])
    edge_to = np.concatenate([ring[1:] for ring in rings])
    candidates = merged[:-1]
    _, inverse, count = np.unique(candidates, axis=0, return_inverse=True, return_counts=True)
    repeated = count[inverse.ravel()] > 1
    distance = np.sum((candidates - start) ** 2, axis=1)
    order = np.lexsort((distance, repeated))
    for row in order:
        if not _crosses(start, candidates[row], edge_from, edge_to):
            return int(row)
    return int(np.argmin(distance))


def _crosses(start: np.ndarray, end: np.ndarray, edge_from: np.ndarray, edge_to: np.ndarray) -> bool:
    """Does the segment start-end meet an edge that does not itself begin or end at one of its ends?"""
    side_from, side_to = _side(start, end, edge_from), _side(start, end, edge_to)
    side_start, side_end = _side(edge_from, edge_to, start), _side(edge_from, edge_to, end)
    meets = (side_from * side_to <= 0) & (side_start * side_end <= 0)
    low, high = np.minimum(start, end), np.maximum(start, end)
    apart = np.any((np.maximum(edge_from, edge_to) < low) | (np.minimum(edge_from, edge_to) > high), axis=1)
    shares_end = np.zeros(len(edge_from), dtype=bool)
    for point in (start, end):
        shares_end |= np.all(edge_from == point, axis=1) | np.all(edge_to == point, axis=1)
    # An edge that shares an end is harmless unless its other end lies on the bridge itself.
    inside_from = (side_from == 0) & _strictly_between(start, end, edge_from)
    inside_to = (side_to == 0) & _strictly_between(start, end, edge_to)
    return bool(np.any(meets & ~apart & ~shares_end) or np.any(inside_from | inside_to))


def _side(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Sign of the turn a -> b -> c, exact on integers."""
    a, b, c = np.atleast_2d(a), np.atleast_2d(b), np.atleast_2d(c)
    return np.sign((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]))


def _strictly_between(start: np.ndarray, end: np.ndarray, point: np.ndarray) -> np.ndarray:
    """For points on the line start-end: do they lie between the two, ends excluded?"""
    along = np.sum((point - start) * (end - start), axis=1)
    return (along > 0) & (along < np.sum((end - start) ** 2))


def _starts(lengths: Sequence[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype("<u4")


def _assemble(
    rings: list[tuple[np.ndarray, list[int]]],
    ring_zone: np.ndarray,
    outlines: list[np.ndarray],
    origin: np.ndarray,
    scale: float,
    labels: ZoneLabels,
    bounds: np.ndarray,
) -> Geometry:
    """Header and sections, joined."""
    ring_start = _starts([len(vertex) for vertex, _ in rings])
    line_start = np.concatenate(
        [[int(first) + cut for cut in (0, *cuts)] for first, (_, cuts) in zip(ring_start, rings, strict=False)]
        + [ring_start[-1:]]
    ).astype("<u4")
    outline_start = _starts([len(vertex) for vertex in outlines])
    vertices = np.concatenate([*(vertex for vertex, _ in rings), *outlines]).astype("<u2")
    box = tuple(round(float(value), 5) for value in bounds)
    header = {
        "format": FORMAT_NAME,
        "version": FORMAT_VERSION,
        "zones": len(labels.codes),
        "rings": len(rings),
        "lines": len(line_start) - 1,
        "outlines": len(outlines),
        "vertices": int(ring_start[-1]),
        "outline_vertices": int(outline_start[-1]),
        "x0": float(origin[0]),
        "y0": float(origin[1]),
        "scale": float(scale),
        "bounds": box,
        **_label_lists(labels),
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    data = b"".join(
        [
            np.array([len(text)], "<u4").tobytes(),
            text,
            ring_start.tobytes(),
            np.asarray(ring_zone, "<u4").tobytes(),
            line_start.tobytes(),
            outline_start.tobytes(),
            vertices.tobytes(),
        ]
    )
    codes = tuple(str(code) for code in labels.codes)
    return Geometry(data, hashlib.sha256(data).hexdigest()[:16], codes, (box[0], box[1], box[2], box[3]))


def _label_lists(labels: ZoneLabels) -> dict[str, Any]:
    """The labels as JSON lists; a missing point is null."""
    lon = [round(float(value), 4) if np.isfinite(value) else None for value in labels.lon]
    lat = [round(float(value), 4) if np.isfinite(value) else None for value in labels.lat]
    return {
        "codes": [str(value) for value in labels.codes],
        "names": [str(value) for value in labels.names],
        "departements": [str(value) for value in labels.departements],
        "departement_names": dict(labels.departement_names or {}),
        "lon": lon,
        "lat": lat,
        "population": [int(value) for value in np.nan_to_num(np.asarray(labels.population, dtype=float))],
    }
