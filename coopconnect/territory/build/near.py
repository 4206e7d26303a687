"""The pairs of communes that are near by road, and the way between them: searched once for the country, not at each load."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from coopconnect.territory import travel
from coopconnect.territory.estimate import Estimate

SITES_PER_CHUNK = 2000
MARGIN = 1.1
"""Pairs a tenth beyond the limit are kept too: official populations move the estimate of a trip a little."""


def near_pairs(estimate: Estimate, limit_min: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows a < b of the pairs within `limit_min` * `MARGIN` of one another, sorted, and their R (`territory.paths`)."""
    ends, law = estimate.ends, estimate.law
    within = limit_min * MARGIN
    sphere = _sphere(estimate.communes)
    tree = cKDTree(sphere)
    chord = 2 * np.sin(furthest_crow_km(within, ends, law) / travel.EARTH_RADIUS_KM / 2)
    easiest = np.asarray(-law.path_density * law.path_density_most)
    parts = []
    for first in range(0, len(sphere), SITES_PER_CHUNK):
        found = cKDTree(sphere[first : first + SITES_PER_CHUNK]).sparse_distance_matrix(
            tree, chord, output_type="ndarray"
        )
        found = found[found["j"] > found["i"] + first]
        a, b = found["i"].astype(np.int64) + first, found["j"].astype(np.int64)
        crow = estimate.crow_km(a, b)
        maybe = ends.drive_min(crow, a, b, easiest, law) <= within
        a, b, crow = a[maybe], b[maybe], crow[maybe]
        path = estimate.path(a, b, crow)
        keep = ends.drive_min(crow, a, b, path, law) <= within
        parts.append((a[keep], b[keep], path[keep]))
    a, b, path = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((b, a))
    return a[order].astype(np.int32), b[order].astype(np.int32), path[order]


def _sphere(communes: pd.DataFrame) -> np.ndarray:
    """Points on the sphere of radius 1."""
    lon, lat = np.radians(communes["lon"].to_numpy()), np.radians(communes["lat"].to_numpy())
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def furthest_crow_km(minutes: float, ends: travel.Ends, law: travel.TravelLaw) -> float:
    """Crow-fly km beyond which no pair of communes is within `minutes`: as if both ends were the quickest there is, as unlike
    as is best, and the way the easiest."""
    km = np.arange(1.0, 2.0 * minutes + 1.0)
    within = np.zeros(km.size, bool)
    for k, length in enumerate(np.log(km)):
        quickest = 2 * (ends.level + ends.slope * length).min()
        apart = law.density_apart + law.density_apart_log_km * length
        quickest += min(0.0, float(np.ptp(ends.density)) * apart)
        way = law.path + law.path_log_km * length
        quickest += min(way * -law.path_density * law.path_density_most, way * law.path_most)
        within[k] = travel.drive_min(km[k : k + 1], np.array([quickest]), np.zeros(1), law)[0] <= minutes
    return float(km[within].max() + 1.0) if within.any() else 1.0
