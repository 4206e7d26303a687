"""Density classes of communes: a stand-in for the official grid, estimated from communes alone.

The official grid of INSEE counts inhabitants in cells of 1 km; communes are classed by where their cells fall.
Without cells, a logistic score of what communes show (population, density, density within 3 km, share of homes
in flats) tells rural from urban; cuts of the same score give the seven levels in their national proportions.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from coopconnect.territory.build import models

CLASSES_FR = (
    "Grands centres urbains",
    "Centres urbains intermédiaires",
    "Petites villes",
    "Ceintures urbaines",
    "Bourgs ruraux",
    "Rural à habitat dispersé",
    "Rural à habitat très dispersé",
)
FIRST_RURAL_CLASS = 5
AROUND_KM = 3.0
RURAL_TERMS = ("people", "density", "density_3_km", "home_flat_share")
CUTS = ("cut_1_2", "cut_2_3", "cut_3_4", "cut_5_6", "cut_6_7")


def rural_terms(zones: pd.DataFrame, x_km: np.ndarray, y_km: np.ndarray) -> pd.DataFrame:
    """Terms of the rural score: ln(1 + inhabitants), ln(1 + inhabitants per km2) here and within 3 km, flats."""
    people = zones["population"].to_numpy(float)
    area = zones["area_km2"].to_numpy(float)
    near_people, _ = models.neighbourhood(x_km, y_km, people, (AROUND_KM,))
    near_area, _ = models.neighbourhood(x_km, y_km, area, (AROUND_KM,))
    return pd.DataFrame(
        {
            "people": np.log1p(people),
            "density": np.log1p(people / area),
            "density_3_km": np.log1p(near_people[:, 0] / near_area[:, 0]),
            "home_flat_share": models.shares(zones)["home_flat_share"].to_numpy(),
        },
        index=zones.index,
    )


def rural_score(zones: pd.DataFrame, xy_km: tuple[np.ndarray, np.ndarray], values: Mapping[str, float]) -> np.ndarray:
    """Logistic score, above 0 where the commune is more likely rural than urban; values: `rural_*`."""
    return models.linear(rural_terms(zones, *xy_km)[list(RURAL_TERMS)], values, "rural")


def density_class(zones: pd.DataFrame, xy_km: tuple[np.ndarray, np.ndarray], values: Mapping[str, float]) -> np.ndarray:
    """Estimated level of the density grid, 1 (large urban centres) to 7 (very dispersed rural), int8."""
    score = rural_score(zones, xy_km, values)
    cuts = [values[f"rural_{cut}"] for cut in CUTS]
    return (1 + np.searchsorted([*cuts[:3], 0.0, *cuts[3:]], score, side="right")).astype(np.int8)
