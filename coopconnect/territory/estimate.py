"""Minutes and km of any trip between two communes: a routed table where there is one, else the built-in estimate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coopconnect.territory import travel
from coopconnect.territory.official.tables import RoutedTrips

SITES_PER_CHUNK = 2000


@dataclass(frozen=True, eq=False)
class Trips:
    """One-way trips by pair: road km and free-flow minutes, float32, and which of them a routed table gave."""

    road_km: np.ndarray
    drive_min: np.ndarray
    routed: np.ndarray


@dataclass(frozen=True, eq=False)
class Estimate:
    """What is needed to time a trip between two rows of the table of communes."""

    communes: pd.DataFrame
    ends: travel.Ends
    law: travel.TravelLaw
    circuity: float
    routed: RoutedTrips | None = None

    def crow_km(self, origin: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Crow-fly km of pairs; inside a commune, the distance that its area stands for."""
        lon, lat = self.communes["lon"].to_numpy(), self.communes["lat"].to_numpy()
        crow = travel.crow_km(lon[origin], lat[origin], lon[target], lat[target])
        own = origin == target
        crow[own] = travel.own_crow_km(self.communes["area_km2"].to_numpy()[origin[own]], self.law)
        return np.asarray(crow)

    def trips(self, origin: np.ndarray, target: np.ndarray) -> Trips:
        """Km and minutes of pairs of rows (same length, any order)."""
        crow = self.crow_km(origin, target)
        minutes = self.ends.drive_min(crow, origin, target, self.law)
        return self._routed(origin, target, crow, minutes)

    def _routed(self, origin: np.ndarray, target: np.ndarray, crow: np.ndarray, minutes: np.ndarray) -> Trips:
        km = travel.road_km(crow, self.circuity).astype(np.float32)
        minutes = minutes.astype(np.float32)
        if self.routed is None:
            return Trips(km, minutes, np.zeros(origin.size, bool))
        by_road_min, by_road_km, found = self.routed.find(origin, target)
        km = np.where(found & np.isfinite(by_road_km), by_road_km, km)
        return Trips(km, np.where(found, by_road_min, minutes), found)

    def access(self, sites: np.ndarray, limit_min: float) -> tuple[np.ndarray, np.ndarray, Trips]:
        """Every (site, zone) within `limit_min`, own commune included, by site, then minutes, then zone."""
        site, zone = self._near(sites, limit_min)
        if self.routed is not None:
            origin, target = self.routed.within(limit_min)
            wanted = np.isin(target, sites)
            site, zone = np.concatenate([site, target[wanted]]), np.concatenate([zone, origin[wanted]])
            pair = np.unique(site.astype(np.int64) * len(self.communes) + zone)
            site, zone = pair // len(self.communes), pair % len(self.communes)
        found = self.trips(zone, site)
        keep = (found.drive_min <= limit_min) | (site == zone)
        site, zone = site[keep], zone[keep]
        found = Trips(found.road_km[keep], found.drive_min[keep], found.routed[keep])
        order = np.lexsort((zone, found.drive_min, site))
        return site[order], zone[order], Trips(found.road_km[order], found.drive_min[order], found.routed[order])

    def _near(self, sites: np.ndarray, limit_min: float) -> tuple[np.ndarray, np.ndarray]:
        """Candidates: what the law puts within the limit."""
        from scipy.spatial import cKDTree  # 0.3 s that a start from what is kept on disk does without

        lon, lat = np.radians(self.communes["lon"].to_numpy()), np.radians(self.communes["lat"].to_numpy())
        sphere = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
        tree = cKDTree(sphere)
        chord = 2 * np.sin(furthest_crow_km(limit_min, self.ends, self.law) / travel.EARTH_RADIUS_KM / 2)
        parts = []
        for first in range(0, len(sites), SITES_PER_CHUNK):
            some = sites[first : first + SITES_PER_CHUNK]
            near = cKDTree(sphere[some]).sparse_distance_matrix(tree, chord, output_type="ndarray")
            site, zone = some[near["i"]], near["j"].astype(np.int64)
            crow = 2 * travel.EARTH_RADIUS_KM * np.arcsin(near["v"] / 2)
            minutes = self.ends.drive_min(crow, site, zone, self.law)
            keep = (minutes <= limit_min) | (site == zone)
            parts.append((site[keep], zone[keep]))
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def furthest_crow_km(minutes: float, ends: travel.Ends, law: travel.TravelLaw) -> float:
    """Crow-fly km beyond which no pair of communes is within `minutes`: as if both ends were the quickest there is."""
    km = np.arange(1.0, 2.0 * minutes + 1.0)
    quickest = np.array([(ends.level + ends.slope * length).min() for length in np.log(km)])
    within = travel.drive_min(km, 2 * quickest, np.zeros(len(km)), law) <= minutes
    return float(km[within].max() + 1.0) if within.any() else 1.0
