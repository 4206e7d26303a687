"""Minutes and km of any trip between two communes: a routed table where there is one, else the built-in estimate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from coopconnect.territory import travel
from coopconnect.territory.official.tables import RoutedTrips
from coopconnect.territory.paths import THOUSANDTHS, Paths, read_pairs


@dataclass(frozen=True, eq=False)
class Trips:
    """One-way trips by pair: road km and free-flow minutes, float32, and which of them a routed table gave."""

    road_km: np.ndarray
    drive_min: np.ndarray
    routed: np.ndarray


@dataclass(frozen=True, eq=False)
class Near:
    """Pairs of rows that are near by road, each once, and their R (`paths`)."""

    pairs: tuple[np.ndarray, np.ndarray]
    path: np.ndarray

    @classmethod
    def load(cls, data_dir: Path, n: int) -> Near:
        """Those that are shipped (`build.near`), of n communes in the order of their table."""
        a, b, path = read_pairs(data_dir, "near.parquet", "path_thousandths", n)
        return cls((a, b), path / THOUSANDTHS)


NONE_NEAR = Near((np.zeros(0, np.int32), np.zeros(0, np.int32)), np.zeros(0))
"""For an estimate of which no access table is asked."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """What is needed to time a trip between two rows of the table of communes."""

    communes: pd.DataFrame
    ends: travel.Ends
    law: travel.TravelLaw
    circuity: float
    paths: Paths
    near: Near = NONE_NEAR
    routed: RoutedTrips | None = None

    def crow_km(self, origin: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Crow-fly km of pairs; inside a commune, the distance that its area stands for."""
        lon, lat = self.communes["lon"].to_numpy(), self.communes["lat"].to_numpy()
        crow = travel.crow_km(lon[origin], lat[origin], lon[target], lat[target])
        own = origin == target
        crow[own] = travel.own_crow_km(self.communes["area_km2"].to_numpy()[origin[own]], self.law)
        return np.asarray(crow)

    def path(self, origin: np.ndarray, target: np.ndarray, crow: np.ndarray) -> np.ndarray:
        """R of pairs of rows (`paths`), that of its own density inside a commune."""
        usual = self.communes["usual_path"].to_numpy()
        found = self.paths.ratio(origin, target, crow, usual, self.law.path_most)
        own = origin == target
        found[own] = self.ends.own_path(self.law)[origin[own]]
        return found

    def trips(self, origin: np.ndarray, target: np.ndarray, path: np.ndarray | None = None) -> Trips:
        """Km and minutes of pairs of rows (same length, any order). path: their R where it is known already."""
        crow = self.crow_km(origin, target)
        path = self.path(origin, target, crow) if path is None else path
        minutes = self.ends.drive_min(crow, origin, target, path, self.law)
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
        inside = np.zeros(len(self.communes), bool)
        inside[sites] = True
        (one, two), forth, back = self.near.pairs, inside[self.near.pairs[0]], inside[self.near.pairs[1]]
        site, zone = np.concatenate([sites, one[forth], two[back]]), np.concatenate([sites, two[forth], one[back]])
        path: np.ndarray | None = np.concatenate(
            [self.ends.own_path(self.law)[sites], self.near.path[forth], self.near.path[back]]
        )
        if self.routed is not None:
            origin, target = self.routed.within(limit_min)
            wanted = np.isin(target, sites)
            site, zone = np.concatenate([site, target[wanted]]), np.concatenate([zone, origin[wanted]])
            pair = np.unique(site.astype(np.int64) * len(self.communes) + zone)
            site, zone, path = pair // len(self.communes), pair % len(self.communes), None
        found = self.trips(zone, site, path)
        keep = (found.drive_min <= limit_min) | (site == zone)
        site, zone = site[keep], zone[keep]
        found = Trips(found.road_km[keep], found.drive_min[keep], found.routed[keep])
        order = np.lexsort((zone, found.drive_min, site))
        return site[order], zone[order], Trips(found.road_km[order], found.drive_min[order], found.routed[order])
