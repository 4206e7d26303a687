"""Contours to binary and back: areas, holes, islands, shared borders, sizes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from coopconnect.show.geometry import (
    QUANTUM_MAX,
    Contours,
    Geometry,
    ZoneLabels,
    from_mercator,
    keyhole,
    pack_contours,
    signed_area,
    to_mercator,
    unpack_contours,
    vertex_lonlat,
)


def labels_of(count: int) -> ZoneLabels:
    codes = [f"{84000 + k:05d}" for k in range(count)]
    points = np.full(count, 5.0)
    return ZoneLabels(codes, [f"Évry {k}" for k in range(count)], ["84"] * count, points, points + 39, points)


def pack(*contours: shapely.Geometry | None, outlines: np.ndarray | None = None) -> Geometry:
    return pack_contours(np.array(contours, dtype=object), labels_of(len(contours)), outlines)


def zone_area(contours: Contours, zone: int) -> float:
    """Signed area of all rings of a zone, in squared steps: bridges count for nothing."""
    rings = np.flatnonzero(contours.ring_zone == zone)
    spans = [(int(contours.ring_start[r]), int(contours.ring_start[r + 1])) for r in rings]
    return sum(signed_area(contours.vertex[a:b].astype(np.int64)) for a, b in spans)


def inside(ring: np.ndarray, point: np.ndarray) -> bool:
    """Even-odd rule, as the browser applies it."""
    (ax, ay), (bx, by) = ring[:-1].T, ring[1:].T
    spans = (ay > point[1]) != (by > point[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = (bx - ax) * (point[1] - ay) / (by - ay) + ax
    return bool(np.count_nonzero(spans & (point[0] < crossing)) % 2)


def steps_of(contours: Contours, geometry: shapely.Geometry) -> shapely.Geometry:
    """A geometry in degrees as one in quantised steps, not rounded."""
    header = contours.header
    origin = np.array([header["x0"], header["y0"]])
    return shapely.transform(geometry, lambda lonlat: (to_mercator(lonlat) - origin) * header["scale"])


@st.composite
def star_with_holes(draw: st.DrawFn) -> shapely.Polygon:
    """A star-shaped polygon around (5, 44) with up to four holes, none of them touching."""
    corners = draw(st.integers(5, 24))
    radii = draw(st.lists(st.floats(0.55, 1.0), min_size=corners, max_size=corners))
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    outer = np.column_stack([5 + np.cos(turn) * radii, 44 + np.sin(turn) * radii])
    holes = []
    for quarter in draw(st.sets(st.integers(0, 3), max_size=4)):
        size = draw(st.floats(0.02, 0.09))
        x, y = 5 + 0.16 * (1 if quarter % 2 else -1), 44 + 0.16 * (1 if quarter // 2 else -1)
        sides = draw(st.integers(3, 8))
        angle = np.linspace(0, 2 * np.pi, sides, endpoint=False) + draw(st.floats(0, 3))
        holes.append(np.column_stack([x + size * np.cos(angle), y + size * np.sin(angle)]))
    return shapely.Polygon(outer, holes)


@settings(max_examples=120, deadline=None)
@given(star_with_holes())
def test_a_polygon_keeps_its_area_and_its_holes(polygon: shapely.Polygon) -> None:
    contours = unpack_contours(pack(polygon).data)
    exact = steps_of(contours, polygon)
    # Rounding moves each vertex by at most half a step: the area by at most half the perimeter.
    assert zone_area(contours, 0) == pytest.approx(exact.area, abs=exact.length)
    ring = contours.vertex.astype(float)
    for hole in exact.interiors:
        lake = shapely.Polygon(hole)
        if lake.buffer(-2).is_empty:
            continue
        point = shapely.get_coordinates(shapely.point_on_surface(lake.buffer(-2)))[0]
        assert not inside(ring, point + 0.013)
    land = exact.buffer(-3)
    point = shapely.get_coordinates(shapely.point_on_surface(land))[0]
    assert inside(ring, point + 0.013)


@settings(max_examples=120, deadline=None)
@given(star_with_holes())
def test_border_lines_never_draw_a_bridge(polygon: shapely.Polygon) -> None:
    contours = unpack_contours(pack(polygon).data)
    drawn = 0.0
    for first, last in zip(contours.line_start[:-1], contours.line_start[1:], strict=True):
        steps = np.diff(contours.vertex[int(first) : int(last)].astype(float), axis=0)
        drawn += float(np.sum(np.hypot(steps[:, 0], steps[:, 1])))
    exact = steps_of(contours, polygon)
    assert drawn == pytest.approx(exact.length, abs=2.0 * shapely.get_num_coordinates(polygon))


@settings(max_examples=80, deadline=None)
@given(star_with_holes())
def test_bridges_cross_no_edge(polygon: shapely.Polygon) -> None:
    # A joined ring that crosses itself would have another area under the even-odd rule than by its sign.
    contours = unpack_contours(pack(polygon).data)
    ring = contours.vertex.astype(float)
    built = shapely.make_valid(shapely.Polygon(ring), method="linework")
    assert built.area == pytest.approx(abs(signed_area(contours.vertex.astype(np.int64))), rel=1e-9, abs=1.0)


def test_a_hole_by_hand() -> None:
    # Square of side 10 with a hole of side 2: area 100 - 4. Cuts: where the hole begins, and where it ends.
    outer = np.array([[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]])
    hole = np.array([[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]])
    ring, cuts = keyhole([outer, hole])
    assert signed_area(ring) == 96.0
    assert len(ring) == 5 + 5 + 1  # the outer ring, the closed hole, and the way back
    assert cuts == [1, 6]
    assert ring[0].tolist() == ring[5 + 1].tolist()


def test_islands_are_rings_of_one_zone() -> None:
    islands = shapely.union_all([shapely.box(5, 44, 5.1, 44.1), shapely.box(5.3, 44, 5.4, 44.1)])
    contours = unpack_contours(pack(shapely.box(6, 44, 6.2, 44.2), islands).data)
    assert contours.ring_zone.tolist() == [0, 1, 1]
    assert contours.header["zones"] == 2


def test_a_shared_border_stays_shared() -> None:
    west = shapely.box(5, 44, 5.5, 45)
    east = shapely.Polygon([(5.5, 44), (6, 44), (6, 45), (5.5, 45)])
    contours = unpack_contours(pack(west, east).data)
    rings = [
        contours.vertex[int(a) : int(b)] for a, b in zip(contours.ring_start, contours.ring_start[1:], strict=False)
    ]
    shared = {tuple(v) for v in rings[0].tolist()} & {tuple(v) for v in rings[1].tolist()}
    assert len(shared) == 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 9), st.floats(41, 51)), min_size=3, max_size=40))
def test_positions_come_back_within_half_a_step(points: list[tuple[float, float]]) -> None:
    lonlat = np.array(points)
    assert np.allclose(from_mercator(to_mercator(lonlat)), lonlat, atol=1e-9)
    hull = shapely.MultiPoint(lonlat).convex_hull.buffer(0.2)
    contours = unpack_contours(pack(hull).data)
    back = vertex_lonlat(contours, contours.vertex)
    half_step_degrees = 360 / contours.header["scale"]
    near = shapely.distance(hull.boundary, shapely.points(back))
    assert float(near.max()) <= half_step_degrees
    assert int(contours.vertex.max()) == QUANTUM_MAX


def test_size_is_that_of_its_sections() -> None:
    lines = np.array([shapely.LineString([(5, 44), (5.5, 44.5), (6, 45)])])
    geometry = pack(shapely.box(5, 44, 6, 45), outlines=lines)
    contours = unpack_contours(geometry.data)
    header = int(np.frombuffer(geometry.data, "<u4", 1)[0])
    assert header % 4 == 0
    # ring_start 2, ring_zone 1, line_start 2, outline_start 2 (uint32); 5 + 3 vertices (two uint16).
    assert len(geometry.data) == 4 + header + 4 * 7 + 4 * 8
    assert contours.outline_vertex.shape == (3, 2)
    assert contours.header["names"] == ["Évry 0"]


def test_the_same_input_gives_the_same_bytes_and_name() -> None:
    assert pack(shapely.box(5, 44, 6, 45)) == pack(shapely.box(5, 44, 6, 45))
    assert pack(shapely.box(5, 44, 6, 45)).digest != pack(shapely.box(5, 44, 6, 46)).digest


def test_a_zone_without_contour_is_listed_and_draws_nothing() -> None:
    contours = unpack_contours(pack(None, shapely.box(5, 44, 6, 45), shapely.Polygon()).data)
    assert contours.header["zones"] == 3
    assert contours.ring_zone.tolist() == [1]


def test_refusals_say_what_to_do() -> None:
    square = shapely.box(5, 44, 6, 45)
    with pytest.raises(ValueError, match="zone 84001 is a Point: a contour is a Polygon"):
        pack(square, shapely.Point(5, 44))
    with pytest.raises(ValueError, match="1 contours for 2 zones"):
        pack_contours(np.array([square], dtype=object), labels_of(2))
    with pytest.raises(ValueError, match="nothing to draw"):
        pack(shapely.Polygon())
    data = pack(square).data
    for broken in (b"", data[:10], data[:-3], b"\x00" * 40):
        with pytest.raises(ValueError, match="make it again with pack_contours"):
            unpack_contours(broken)


def test_paca_is_small_and_whole() -> None:
    """The real contours: 946 communes in at most 250 KB, areas kept to a thousandth."""
    table = pytest.importorskip("pyarrow.parquet")
    from coopconnect.parameters import DATA_DIR

    path = DATA_DIR / "territory" / "contours.parquet"
    if not path.is_file():
        pytest.skip("needs data/territory/contours.parquet (python -m coopconnect data build)")
    rows = table.read_table(path).to_pylist()
    paca = [row for row in rows if row["zone_code"][:2] in {"04", "05", "06", "13", "83", "84"}]
    shapes = np.array(shapely.from_wkb([row["geometry"] for row in paca]), dtype=object)
    contours = unpack_contours(pack_contours(shapes, labels_of(len(shapes))).data)
    assert len(shapes) == 946
    assert 4 * len(contours.vertex) < 160_000
    exact = np.array([steps_of(contours, shape).area for shape in shapes])
    packed = np.array([zone_area(contours, zone) for zone in range(len(shapes))])
    assert np.sum(packed) == pytest.approx(np.sum(exact), rel=1e-4)
    assert np.all(np.abs(packed - exact) <= np.maximum(0.02 * exact, 5000))
