"""Altitudes of communes, and the graph on which the way between two of them is looked for (`territory.paths`).

GeoNames gives the altitude of places of at least 500 people (its model of the ground: SRTM 3", else GTOPO30). A commune has
that of its largest place; one without any place has the mean of the nearest places, weighing 1 / km^2.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import Delaunay, cKDTree

from coopconnect.territory import travel
from coopconnect.territory.paths import FAR_KM, Paths

NEAREST_PLACES = 6
LEAST_KM = 0.5
"""A place weighs no more when it is nearer than this."""
HOMES_PER_BLOCK = 2000
"""Communes whose far ways are looked for together: all at once would take gigabytes."""
LOOKED_AT = 16
"""Points looked at along an edge, to tell how much of it lies outside all communes."""
USUAL_FROM_KM = 45.0
"""The usual way of a commune is the mean of those to the communes from here to `paths.FAR_KM`."""


def altitudes_m(
    places: pd.DataFrame, codes: pd.Series, xy_km: tuple[np.ndarray, np.ndarray], places_xy_km: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Metres above the sea of each commune, (n,) int16, and whether it is that of a place of its own, (n,) bool.

    places: columns commune_code ('' outside France), population, altitude_m. xy_km, places_xy_km: plane coordinates.
    """
    largest = places[places["commune_code"] != ""].sort_values(["population", "altitude_m"], kind="stable")
    own = largest.drop_duplicates("commune_code", keep="last").set_index("commune_code")["altitude_m"]
    known = own.reindex(codes).to_numpy(float)
    km, near = cKDTree(np.column_stack(places_xy_km)).query(np.column_stack(xy_km), k=NEAREST_PLACES)
    weight = 1.0 / np.maximum(km, LEAST_KM) ** 2
    around = (weight * places["altitude_m"].to_numpy(float)[near]).sum(axis=1) / weight.sum(axis=1)
    has = np.isfinite(known)
    return np.round(np.where(has, known, around)).astype(np.int16), has


def neighbours(
    zones: pd.DataFrame, xy_km: tuple[np.ndarray, np.ndarray], polygons: np.ndarray, values: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges of the triangulation of the points of communes: rows a < b, and their cost.

    cost = (km inside + path_climb * km of difference in altitude) * exp(-path_density * mean of ln(1 + people per km2) of both
    ends, each at most path_density_most) + path_outside * km outside all communes (sea, lake, abroad). zones: columns
    population, area_km2, altitude_m. polygons: of the communes, Lambert-93 metres. values: parameters `travel_path_*`.
    """
    xy = np.column_stack(xy_km)
    corner = Delaunay(xy).simplices
    sides = np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]], corner[:, [0, 2]]])
    a, b = np.unique(np.sort(sides, axis=1), axis=0).T
    km = np.maximum(np.hypot(*(xy[a] - xy[b]).T), travel.MIN_CROW_KM)
    near = km <= FAR_KM
    a, b, km = a[near], b[near], km[near]
    outside = _km_outside(xy[a], xy[b], km, polygons)
    density = travel.log_density(zones["population"].to_numpy(), zones["area_km2"].to_numpy())
    density = np.minimum(density, values["travel_path_density_most"])
    altitude_km = zones["altitude_m"].to_numpy(float) / 1000.0
    flat = km - outside + values["travel_path_climb"] * np.abs(altitude_km[a] - altitude_km[b])
    cost = flat * np.exp(-values["travel_path_density"] * (density[a] + density[b]) / 2.0)
    cost += values["travel_path_outside"] * outside
    return a.astype(np.int32), b.astype(np.int32), cost.astype(np.float32)


def usual_ways(
    zones: pd.DataFrame, xy_km: tuple[np.ndarray, np.ndarray], paths: Paths, most: float, rows: np.ndarray | None = None
) -> np.ndarray:  # fmt: skip
    """(n,) mean R (`territory.paths`) of the ways of each commune to those `USUAL_FROM_KM` to `FAR_KM` away; `most` where there
    is none. zones: columns lon, lat. rows: those that are wanted (all if not given); the others stay at `most`."""
    xy = np.column_stack(xy_km)
    tree = cKDTree(xy)
    lon, lat = zones["lon"].to_numpy(), zones["lat"].to_numpy()
    total, count = np.zeros(len(zones)), np.zeros(len(zones))
    wanted = np.arange(len(zones)) if rows is None else rows
    for block in np.array_split(wanted, 1 + len(wanted) // HOMES_PER_BLOCK):
        near = cKDTree(xy[block]).sparse_distance_matrix(tree, FAR_KM, output_type="ndarray")
        near = near[near["v"] > USUAL_FROM_KM - 1.0]  # the plane and the sphere differ by less
        a, b = block[near["i"]], near["j"].astype(np.int64)
        crow = travel.crow_km(lon[a], lat[a], lon[b], lat[b])
        far = (crow >= USUAL_FROM_KM) & (crow <= FAR_KM)
        a, b = a[far], b[far]
        total += np.bincount(a, paths.ratio(a, b, crow[far], np.zeros(len(zones)), most), len(zones))
        count += np.bincount(a, minlength=len(zones))
    return np.round(np.where(count > 0, total / np.maximum(count, 1), most), 3)


def _km_outside(one: np.ndarray, two: np.ndarray, km: np.ndarray, polygons: np.ndarray) -> np.ndarray:
    """Km of each straight edge that lie in no polygon (Lambert-93 metres), by points along it."""
    share = (np.arange(LOOKED_AT) + 0.5) / LOOKED_AT
    points = 1000.0 * (one[:, None] * (1.0 - share)[:, None] + two[:, None] * share[:, None])
    inside = np.zeros(points.shape[0] * LOOKED_AT, bool)
    tree = shapely.STRtree(polygons)
    inside[tree.query(shapely.points(points.reshape(-1, 2)), predicate="intersects")[0]] = True
    return np.asarray(km * (1.0 - inside.reshape(-1, LOOKED_AT).mean(axis=1)))
