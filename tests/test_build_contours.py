"""Contours: gaps closed, overlaps settled, borders shared, enclaves and islands kept."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from coopconnect.parameters import DATA_DIR
from coopconnect.territory.build import contours

FOLDER = DATA_DIR / "territory"
KM = 1000.0


def box(x: float, y: float, width: float = 1.0, height: float = 1.0) -> shapely.Polygon:
    """A box in km on the Lambert-93 plane, near its origin in central France."""
    return shapely.box(700e3 + x * KM, 6600e3 + y * KM, 700e3 + (x + width) * KM, 6600e3 + (y + height) * KM)


def test_slivers_and_overlaps_become_one_shared_border() -> None:
    drawn = pd.Series({"01001": box(0, 0), "01002": box(1.00002, 0), "01003": box(0, 0.99995)})
    coverage = contours.make_coverage(drawn, {})
    assert shapely.coverage_is_valid(coverage.polygons)
    assert shapely.area(coverage.polygons).sum() == pytest.approx(3 * KM**2, rel=1e-3)
    assert contours.shared_border_pairs(coverage.polygons) == [(0, 1), (0, 2), (1, 2)]


def test_a_hole_goes_to_who_absorbed_the_commune() -> None:
    ring = shapely.difference(box(0, 0, 3, 3), box(1, 1))
    west, east = shapely.intersection(ring, box(0, 0, 1.5, 3)), shapely.intersection(ring, box(1.5, 0, 1.5, 3))
    coverage = contours.make_coverage(pd.Series({"01001": west, "01002": east}), {"01002": ["01009"]})
    assert shapely.area(coverage.polygons[1]) == pytest.approx(5 * KM**2)
    assert coverage.patches == ["01002: hole of 1.0 km2 filled"]


def test_foreign_land_stays_a_hole() -> None:
    ring = shapely.difference(box(0, 0, 3, 3), box(1, 1))
    coverage = contours.make_coverage(pd.Series({"66001": ring}), {})
    assert len(contours.holes_of(coverage.polygons)) == 1
    assert "foreign land" in coverage.patches[0]


def test_an_enclave_is_not_a_hole() -> None:
    ring = shapely.difference(box(0, 0, 3, 3), box(1, 1))
    coverage = contours.make_coverage(pd.Series({"26001": ring, "84138": box(1, 1)}), {"26001": ["26009"]})
    assert coverage.patches == []
    assert shapely.area(coverage.polygons).tolist() == pytest.approx([8 * KM**2, KM**2])


def test_a_hole_with_an_island_leaves_the_island() -> None:
    ring = shapely.difference(box(0, 0, 9, 9), box(1, 1, 7, 7))
    coverage = contours.make_coverage(pd.Series({"62447": ring, "62448": box(4, 4)}), {"62447": ["62461"]})
    assert shapely.area(coverage.polygons).tolist() == pytest.approx([80 * KM**2, KM**2])


def test_a_missing_contour_is_made_of_its_parts() -> None:
    communes = pd.DataFrame({"geometry": [None, box(2, 0)]}, index=["12218", "12001"])
    parts = pd.DataFrame({"parent": ["12218", "12218"], "geometry": [box(0, 0), box(1, 0)]})
    drawn, patches = contours.contours_with_parts(communes, parts)
    assert drawn["12218"].area == pytest.approx(2 * KM**2)
    assert patches == ["12218: contour made of its 2 former communes"]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 0.5))
def test_simplified_neighbours_still_share_every_vertex(seed: int, wobble: float) -> None:
    """A grid of cells with crooked shared edges stays a valid coverage whatever the simplification drops."""
    rng = np.random.default_rng(seed)
    node = {
        (i, j): np.array([700e3 + i * 2000, 6600e3 + j * 2000]) + rng.uniform(-400, 400, 2)
        for i in range(5)
        for j in range(5)
    }

    def edge(a: tuple[int, int], b: tuple[int, int]) -> list[np.ndarray]:
        first, last = min(a, b), max(a, b)
        local = np.random.default_rng([seed, *first, *last])
        middle = [
            node[first] + (node[last] - node[first]) * t + local.uniform(-wobble, wobble, 2) * 300
            for t in (0.25, 0.5, 0.75)
        ]
        path = [node[first], *middle]
        return path if a == first else [node[last], *reversed(middle)]

    cells = []
    for i in range(4):
        for j in range(4):
            corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1), (i, j)]
            ring = [p for a, b in itertools.pairwise(corners) for p in edge(a, b)]
            cells.append(shapely.Polygon(ring))
    light = contours.simplify(np.array(cells), 500.0)
    assert shapely.coverage_is_valid(light)
    assert len(contours.holes_of(light)) == 0


@pytest.fixture(scope="module")
def shipped() -> tuple[np.ndarray, np.ndarray]:
    table = pq.read_table(FOLDER / "contours.parquet")
    return np.array(table["zone_code"].to_pylist()), shapely.from_wkb(table["geometry"].to_numpy())


def test_the_shipped_contours_share_their_borders(shipped: tuple[np.ndarray, np.ndarray]) -> None:
    codes, polygons = shipped
    assert shapely.is_valid(polygons).all()
    assert shapely.coverage_is_valid(polygons)
    assert len(codes) == len(set(codes)) > 34_600


def test_llivia_is_the_only_hole(shipped: tuple[np.ndarray, np.ndarray]) -> None:
    holes = contours.holes_of(shipped[1])
    assert len(holes) == 1
    assert shapely.contains(holes[0], shapely.Point(1.98, 42.465))


def test_valreas_is_an_enclave_of_vaucluse(shipped: tuple[np.ndarray, np.ndarray]) -> None:
    codes, polygons = shipped
    vaucluse = shapely.coverage_union_all(polygons[np.char.startswith(codes, "84")])
    assert len(shapely.get_parts(vaucluse)) == 2
    enclave = next(p for p in shapely.get_parts(vaucluse) if p.contains(shapely.Point(4.99, 44.385)))
    held = [c for c, p in zip(codes, polygons, strict=True) if enclave.contains(p.representative_point())]
    assert held == ["84053", "84097", "84138", "84150"]  # Grillon, Richerenches, Valréas, Visan


def test_islands_are_kept(shipped: tuple[np.ndarray, np.ndarray]) -> None:
    codes, polygons = shipped
    by_code = dict(zip(codes, polygons, strict=True))
    assert by_code["83069"].geom_type == "MultiPolygon"  # Hyères with Porquerolles
    assert "29155" in by_code  # Ouessant


def test_departement_lines_follow_the_communes() -> None:
    table = pq.read_table(FOLDER / "outlines.parquet")
    left, right = table["left"].to_pylist(), table["right"].to_pylist()
    assert ("26", "84") in set(zip(left, right, strict=True))
    assert shapely.is_valid(shapely.from_wkb(table["geometry"].to_numpy())).all()
