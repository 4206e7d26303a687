"""The built-in travel estimate: from a crow-fly distance to road kilometres and free-flow minutes.

It stands in for a routing engine where no table is loaded. Road kilometres are the crow-fly distance times
`circuity`. Minutes follow a law of the logarithm of the crow-fly distance whose level and slope depend on how each end
is settled (density, second homes, people within 10 km, gap to the next town halls), on how unlike both ends are, and on
the way between them (`paths`). The coefficients are fitted (data/parameters.toml, group 'fitted_travel').
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

EARTH_RADIUS_KM = 6371.0088
COMMUTE_LIMIT_KM = 100.0
"""Crow-fly km beyond which nobody is taken to drive to work, whatever table says where they work. INSEE takes commutes of up to
150 km (IP2021) or 200 km (IP1605) by road for daily ones; these are 136 at the usual detour. Who is registered further off has a second
home, a mission or an employer's seat there: one in a hundred of them, driving each day, would more than double the hours of villages."""
MIN_CROW_KM = 0.3
"""Two distinct communes are never nearer than this: town halls may share a building."""


@dataclass(frozen=True)
class TravelLaw:
    """Coefficients of ln(minutes) = constant + E + (log_km + S) L + log_km_squared P^2 + log_km_cubed P^3.

    L = ln(crow km), P = max(L, 0): under 1 km the law is a straight line in logarithms. E and S are sums over both ends
    of the terms of `settlement`, of the gap between both ends in density (`density_apart`) and of R (`path`), each times its coefficient (for S, the one that ends in _log_km). R = ln(cost of the shortest path / crow km)
    (`paths.Paths`), at most path_most; the graph is built with the coefficients path_* that are left. own_km_per_radius: crow-fly km of a trip within a commune, as a share of the radius of the disc of the same area.
    """

    constant: float
    log_km: float
    log_km_squared: float
    log_km_cubed: float
    density: float
    density_log_km: float
    second_home_share: float
    second_home_share_log_km: float
    people_10_km: float
    people_10_km_log_km: float
    gap: float
    gap_log_km: float
    density_apart: float
    density_apart_log_km: float
    path: float
    path_log_km: float
    path_most: float
    path_density: float
    path_density_most: float
    own_km_per_radius: float

    @classmethod
    def from_parameters(cls, values: Mapping[str, float]) -> TravelLaw:
        """Read the law from parameter values (keys `travel_*`); KeyError names a missing one."""
        return cls(**{name: values[f"travel_{name}"] for name in cls.__dataclass_fields__})


def crow_km(lon_a: np.ndarray, lat_a: np.ndarray, lon_b: np.ndarray, lat_b: np.ndarray) -> np.ndarray:
    """Great-circle distance in km between points in degrees (haversine; arrays broadcast)."""
    lat1, lat2 = np.radians(lat_a), np.radians(lat_b)
    half_lat = np.sin((lat2 - lat1) / 2) ** 2
    half_lon = np.sin(np.radians(np.subtract(lon_b, lon_a)) / 2) ** 2
    chord = np.sqrt(np.minimum(1.0, half_lat + np.cos(lat1) * np.cos(lat2) * half_lon))
    return 2 * EARTH_RADIUS_KM * np.arcsin(chord)


def own_crow_km(area_km2: np.ndarray, law: TravelLaw) -> np.ndarray:
    """Crow-fly km of a trip that stays in a commune: `own_km_per_radius` * sqrt(area / pi)."""
    return law.own_km_per_radius * np.sqrt(np.asarray(area_km2, dtype=float) / np.pi)


def log_density(population: np.ndarray, area_km2: np.ndarray) -> np.ndarray:
    """ln(1 + inhabitants per km2), the settlement term of the travel law."""
    return np.log1p(np.asarray(population, dtype=float) / np.asarray(area_km2, dtype=float))


def settlement(zones: pd.DataFrame) -> dict[str, np.ndarray]:
    """How each commune is settled, (n,) by name: density, second_home_share, people_10_km, gap.

    density: `log_density`. second_home_share: second homes / dwellings. people_10_km: ln(1 + inhabitants of the
    communes whose point is within 10 km). gap: ln of the mean km to the three nearest points, at least `MIN_CROW_KM`.
    zones: columns population, area_km2, second_homes, dwellings, people_10_km, gap_km.
    """
    dwellings = np.maximum(zones["dwellings"].to_numpy(float), 1.0)
    return {
        "density": log_density(zones["population"].to_numpy(), zones["area_km2"].to_numpy()),
        "second_home_share": zones["second_homes"].to_numpy(float) / dwellings,
        "people_10_km": np.log1p(zones["people_10_km"].to_numpy(float)),
        "gap": np.log(np.maximum(zones["gap_km"].to_numpy(float), MIN_CROW_KM)),
    }


@dataclass(frozen=True, eq=False)
class Ends:
    """What each commune adds to the law, (n,): level to ln(minutes), slope to its growth with ln(km); and the density
    (`settlement`) by which two of them are compared."""

    level: np.ndarray
    slope: np.ndarray
    density: np.ndarray

    @classmethod
    def of(cls, terms: Mapping[str, np.ndarray], law: TravelLaw) -> Ends:
        """Ends of communes whose `settlement` is `terms`."""
        level = np.sum([getattr(law, name) * value for name, value in terms.items()], axis=0)
        slope = np.sum([getattr(law, f"{name}_log_km") * value for name, value in terms.items()], axis=0)
        return cls(level, slope, terms["density"])

    def drive_min(
        self, crow: np.ndarray, a: np.ndarray, b: np.ndarray, path: np.ndarray, law: TravelLaw
    ) -> np.ndarray:  # fmt: skip
        """Free-flow minutes one way between rows a and b, crow km apart, path R (arrays broadcast)."""
        density = np.abs(self.density[a] - self.density[b])
        level = self.level[a] + self.level[b] + law.density_apart * density + law.path * path
        slope = self.slope[a] + self.slope[b] + law.density_apart_log_km * density + law.path_log_km * path
        return drive_min(crow, level, slope, law)

    def own_path(self, law: TravelLaw) -> np.ndarray:
        """R of a trip that stays in a commune, (n,): as if all its way were as dense as the commune."""
        return -law.path_density * np.minimum(self.density, law.path_density_most)


def drive_min(crow: np.ndarray, level: np.ndarray, slope: np.ndarray, law: TravelLaw) -> np.ndarray:
    """Free-flow minutes one way. crow: km; level, slope: what both ends and the way between them add; same shape."""
    length = np.log(np.maximum(crow, MIN_CROW_KM))
    beyond = np.maximum(length, 0.0)
    curve = (law.log_km_squared + law.log_km_cubed * beyond) * beyond**2
    return np.exp(law.constant + level + (law.log_km + slope) * length + curve)


def road_km(crow: np.ndarray, circuity: float) -> np.ndarray:
    """Road km one way: crow-fly km (at least `MIN_CROW_KM`) times the detour factor `circuity` (above 1)."""
    if circuity < 1:
        raise ValueError(f"circuity is {circuity}: a road is never shorter than the crow flies; give 1 or more")
    return np.maximum(crow, MIN_CROW_KM) * circuity
