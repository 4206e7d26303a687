"""The built-in travel estimate: from a crow-fly distance to road kilometres and free-flow minutes.

It stands in for a routing engine where no table is loaded. Road kilometres are the crow-fly distance times
`circuity`. Minutes follow a log-quadratic law of the crow-fly distance, with a speed that falls where the two
ends are densely settled; its coefficients are fitted (data/parameters.toml, group 'travel').
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

EARTH_RADIUS_KM = 6371.0088
MIN_CROW_KM = 0.3
"""Two distinct communes are never nearer than this: town halls may share a building."""


@dataclass(frozen=True)
class TravelLaw:
    """Coefficients of ln(minutes) = c0 + c1 L + c2 L^2 + c3 D + c4 D L, L = ln(crow km), D = sum of ln densities.

    The density of an end is ln(1 + inhabitants per km2). own_km_per_radius: crow-fly km of a trip within a
    commune, as a share of the radius of the disc of the same area.
    """

    constant: float
    log_km: float
    log_km_squared: float
    density: float
    density_log_km: float
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


def drive_min(crow: np.ndarray, density_sum: np.ndarray, law: TravelLaw) -> np.ndarray:
    """Free-flow minutes one way. crow: km; density_sum: sum of `log_density` of the two ends; same shape."""
    length = np.log(np.maximum(crow, MIN_CROW_KM))
    slope = law.log_km + law.density_log_km * density_sum
    return np.exp(law.constant + law.density * density_sum + (slope + law.log_km_squared * length) * length)


def road_km(crow: np.ndarray, circuity: float) -> np.ndarray:
    """Road km one way: crow-fly km (at least `MIN_CROW_KM`) times the detour factor `circuity` (above 1)."""
    if circuity < 1:
        raise ValueError(f"circuity is {circuity}: a road is never shorter than the crow flies; give 1 or more")
    return np.maximum(crow, MIN_CROW_KM) * circuity
