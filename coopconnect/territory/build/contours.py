"""Contours of the communes: one coverage without gaps or overlaps, then simplified with its shared borders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyproj
import shapely

LAMBERT_93 = 2154
WGS84 = 4326
SNAP_M = 1.0
SLIVER_WIDTH_M = 100.0
SLIVER_AREA_KM2 = 0.2
SIMPLIFY_M = 300.0
"""Visvalingam tolerance: a vertex goes when its triangle is smaller than the square of this length."""
DEGREE_DECIMALS = 5
NOTCHES = ("25390",)
"""Communes that absorbed others lying on the frontier, which the source does not draw: the notch is closed."""
ALREADY_DRAWN = ("86247",)
"""Communes whose contour already holds what they absorbed (seen against the official areas of 2018)."""
NOTCH_CLOSING_M = 2000.0
NOTCH_REACH_M = 25_000.0


@dataclass(frozen=True)
class Coverage:
    """Contours in Lambert-93 as one valid coverage; what was patched to get there, in plain words."""

    codes: np.ndarray
    polygons: np.ndarray
    patches: list[str]


def to_lambert(geometry: np.ndarray) -> np.ndarray:
    """Project geometries from degrees WGS84 to metres Lambert-93."""
    return _transform(geometry, WGS84, LAMBERT_93)


def to_degrees(geometry: np.ndarray) -> np.ndarray:
    """Project geometries from metres Lambert-93 to degrees WGS84."""
    return _transform(geometry, LAMBERT_93, WGS84)


def _transform(geometry: np.ndarray, source: int, target: int) -> np.ndarray:
    projection = pyproj.Transformer.from_crs(source, target, always_xy=True)
    return shapely.transform(geometry, lambda c: np.column_stack(projection.transform(c[:, 0], c[:, 1])))


def polygons_only(geometry: np.ndarray) -> np.ndarray:
    """The same areas, valid, without the lines and points that a repair may leave."""
    repaired = shapely.make_valid(geometry)
    for k in np.flatnonzero(~np.isin(shapely.get_type_id(repaired), (3, 6))):
        parts = shapely.get_parts(repaired[k])
        repaired[k] = shapely.union_all(parts[np.isin(shapely.get_type_id(parts), (3, 6))])
    return repaired


def contours_with_parts(communes: pd.DataFrame, parts: pd.DataFrame) -> tuple[pd.Series, list[str]]:
    """Contour of each commune in Lambert-93, the union of its parts where the source gives it none.

    communes: index code, column geometry (shapely or None, Lambert-93). parts: columns parent, geometry.
    Returns the contours that could be made, and a line for each one made from parts.
    """
    contours = communes["geometry"].copy()
    patches = []
    for code in contours.index[contours.isna()]:
        pieces = parts.loc[parts["parent"] == code, "geometry"].dropna()
        if len(pieces):
            contours[code] = shapely.union_all(polygons_only(pieces.to_numpy()))
            patches.append(f"{code}: contour made of its {len(pieces)} former communes")
    return contours.dropna(), patches


def make_coverage(contours: pd.Series, absorbed: dict[str, list[str]]) -> Coverage:
    """One valid coverage: neighbours share their border to the vertex, no overlap, no hole but a foreign one.

    contours: index code, polygons in Lambert-93. absorbed: for each commune, the former communes that joined it
    since the source drew its contours; the hole that such a former commune leaves goes to the one that
    absorbed it.
    """
    codes = contours.index.to_numpy()
    clean = shapely.coverage_clean(
        polygons_only(contours.to_numpy()), gap_width=SLIVER_WIDTH_M, snapping_distance=SNAP_M
    )
    filled, patches = fill_holes(codes, clean, absorbed)
    for code in sorted(set(NOTCHES) & set(codes)):
        filled, line = close_notch(codes, filled, code)
        patches.append(line)
    return Coverage(codes, filled, patches)


def close_notch(codes: np.ndarray, polygons: np.ndarray, code: str) -> tuple[np.ndarray, str]:
    """Give a commune the notch of the outer border that it touches (closing of `NOTCH_CLOSING_M`)."""
    row = int(np.flatnonzero(codes == code)[0])
    union = shapely.coverage_union_all(polygons[shapely.distance(polygons, polygons[row]) < NOTCH_REACH_M])
    closed = shapely.buffer(shapely.buffer(union, NOTCH_CLOSING_M), -NOTCH_CLOSING_M)
    parts = shapely.get_parts(shapely.difference(closed, union))
    parts = parts[shapely.intersects(parts, polygons[row])]
    notch = _largest(shapely.multipolygons(parts))
    result = polygons.copy()
    result[row] = shapely.union(polygons[row], notch)
    clean = shapely.coverage_clean(result, gap_width=0.0, snapping_distance=SNAP_M)
    return clean, f"{code}: notch of {round(notch.area / 1e6, 2)} km2 at the frontier closed by a straight line"


def holes_of(polygons: np.ndarray) -> np.ndarray:
    """Polygons of the interior holes of a coverage (areas that no member covers), islands in them left out."""
    union = shapely.coverage_union_all(polygons)
    rings = [ring for part in shapely.get_parts(union) for ring in shapely.get_rings(part)[1:]]
    if not rings:
        return np.array([], dtype=object)
    return np.array([_largest(shapely.difference(hole, union)) for hole in shapely.polygons(rings)])


def _largest(geometry: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(geometry)
    return parts[int(np.argmax(shapely.area(parts)))]


def fill_holes(codes: np.ndarray, polygons: np.ndarray, absorbed: dict[str, list[str]]) -> tuple[np.ndarray, list[str]]:
    """Give each hole to the neighbour that absorbed a former commune.

    Neighbours of the département that holds most of the border come first, then the longest border. A commune that absorbed k former communes takes k holes before others with credit left are preferred.
    Holes under `SLIVER_AREA_KM2` go to the longest border. A hole whose neighbours absorbed nobody is foreign
    land (Llívia) and stays. Returns new polygons and a line per hole.
    """
    holes = holes_of(polygons)
    if len(holes) == 0:
        return polygons, []
    tree = shapely.STRtree(polygons)
    credit = {code: len(former) for code, former in absorbed.items() if code not in ALREADY_DRAWN}
    candidates = []
    for hole in holes:
        near = tree.query(hole, predicate="intersects")
        border = shapely.length(shapely.intersection(shapely.boundary(hole), polygons[near]))
        home = pd.Series(border).groupby([codes[j][:2] for j in near]).sum().idxmax()
        order = np.lexsort((-border, np.array([codes[j][:2] != home for j in near])))
        ranked = [(int(near[j]), float(border[j])) for j in order if border[j] > 0]
        fit = [z for z, _ in ranked if codes[z] in credit]
        candidates.append(fit if fit else ([ranked[0][0]] if hole.area < SLIVER_AREA_KM2 * 1e6 else []))
    result, patches = polygons.copy(), []
    areas = shapely.area(holes)
    for h in sorted(range(len(holes)), key=lambda h: (len(candidates[h]), -areas[h])):
        km2 = round(float(areas[h]) / 1e6, 2)
        if not candidates[h]:
            patches.append(f"hole of {km2} km2 kept: no neighbour absorbed a commune (foreign land)")
            continue
        with_credit = [z for z in candidates[h] if credit.get(codes[z], 0) > 0]
        taker = (with_credit or candidates[h])[0]
        credit[codes[taker]] = credit.get(codes[taker], 0) - 1
        result[taker] = shapely.union(result[taker], holes[h])
        patches.append(f"{codes[taker]}: hole of {km2} km2 filled")
    return result, sorted(patches)


def simplify(polygons: np.ndarray, tolerance_m: float = SIMPLIFY_M) -> np.ndarray:
    """Simplify a coverage in Lambert-93 and give it in degrees rounded to 1e-5 (about 1 m), borders shared."""
    light = to_degrees(shapely.coverage_simplify(polygons, tolerance_m))
    rounded = shapely.transform(light, lambda c: np.round(c, DEGREE_DECIMALS))
    bad = ~shapely.is_valid(rounded)
    if bad.any():
        rounded = shapely.coverage_clean(rounded, snapping_distance=0.0)
    return rounded


def border_lines(polygons: np.ndarray, groups: np.ndarray) -> pd.DataFrame:
    """Lines between groups of a coverage (départements, regions), and the outer line, each drawn once.

    polygons: a valid coverage. groups: the group of each polygon. Returns columns left, right (group codes,
    right empty on the outer border), geometry (lines).
    """
    names = np.array(sorted(set(groups)))
    areas = np.array([shapely.coverage_union_all(polygons[groups == name]) for name in names])
    lines = shapely.boundary(areas)
    tree = shapely.STRtree(areas)
    rows = []
    shared: dict[str, list] = {name: [] for name in names}
    for k, name in enumerate(names):
        for j in sorted(tree.query(areas[k], predicate="touches")):
            if j <= k:
                continue
            common = shapely.intersection(lines[k], lines[j])
            parts = shapely.get_parts(common)
            common = shapely.line_merge(shapely.union_all(parts[shapely.get_type_id(parts) == 1]))
            if shapely.is_empty(common):
                continue
            rows.append((name, names[j], common))
            shared[name].append(common)
            shared[names[j]].append(common)
    for k, name in enumerate(names):
        outer = shapely.difference(lines[k], shapely.union_all(shared[name])) if shared[name] else lines[k]
        if not shapely.is_empty(outer):
            rows.append((name, "", shapely.line_merge(outer)))
    return pd.DataFrame(rows, columns=["left", "right", "geometry"])


def shared_border_pairs(polygons: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of neighbours (touching along a line or at a point) of a coverage, lower row first."""
    tree = shapely.STRtree(polygons)
    left, right = tree.query(polygons, predicate="touches")
    return sorted({(min(a, b), max(a, b)) for a, b in zip(left.tolist(), right.tolist(), strict=True) if a != b})
