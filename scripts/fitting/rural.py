"""The rural score: a logistic regression on the official density grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from coopconnect.territory.build import rural
from fitting.common import TEST_REGION, Fitted, with_constant

RIDGE = 1.0
NEWTON_STEPS = 25


def logistic(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regression (constant first in x, ridge of `RIDGE`), Newton steps; coefficients and errors."""
    coefficient = np.zeros(x.shape[1])
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ coefficient, -30, 30)))
        hessian = x.T @ (x * (p * (1 - p))[:, None]) + RIDGE * np.eye(x.shape[1])
        coefficient += np.linalg.solve(hessian, x.T @ (y - p) - RIDGE * coefficient)
    return coefficient, np.sqrt(np.diag(np.linalg.inv(hessian)))


def official_density(shared: Path, zones: pd.DataFrame) -> pd.Series:
    """Official level of each commune, 1 to 7, from the grid that ANCT publishes."""
    table = pd.read_csv(shared / "data/anct/densite.csv.gz", dtype=str, encoding="utf-8-sig")
    level = {name: k for k, name in enumerate(rural.CLASSES_FR, start=1)}
    table["level"] = table["niveau_densite"].str.strip().map(level)
    return table.drop_duplicates("insee_com").set_index("insee_com")["level"].reindex(zones.index)


def fit_rural(
    zones: pd.DataFrame, xy_km: tuple[np.ndarray, np.ndarray], level: pd.Series
) -> tuple[list[Fitted], dict[str, float]]:
    """Rural score fitted on all communes; the agreement on PACA is that of a fit on the other regions."""
    x = with_constant(rural.rural_terms(zones, *xy_km))
    known = level.notna().to_numpy()
    is_rural = (level >= rural.FIRST_RURAL_CLASS).to_numpy()
    region = (zones["region"] == TEST_REGION).to_numpy()
    elsewhere, _ = logistic(x[known & ~region], is_rural[known & ~region].astype(float))
    agree = (x @ elsewhere > 0) == is_rural
    c, spread = logistic(x[known], is_rural[known].astype(float))
    score = x @ c
    count = np.cumsum(level[known].value_counts().sort_index().to_numpy())
    ordered = np.sort(score[known])
    cuts = dict(zip(rural.CUTS, (float(ordered[count[k]]) for k in (0, 1, 2, 4, 5)), strict=True))
    values = {f"rural_{n}": v for n, v in zip(("constant", *rural.RURAL_TERMS), c, strict=True)}
    values |= {f"rural_{n}": v for n, v in cuts.items()}
    estimated = rural.density_class(zones, xy_km, values)
    figures = {
        "rural_agreement_paca_held_out": float(agree[known & region].mean()),
        "rural_agreement_france": float(((score > 0) == is_rural)[known].mean()),
        "density_class_agreement_france": float((estimated == level.to_numpy())[known].mean()),
        "density_class_within_one_france": float((np.abs(estimated - level.to_numpy()) <= 1)[known].mean()),
    }
    source = "grille de densité INSEE (ANCT), RP 2021"
    fitted = [
        Fitted(
            f"rural_{name}",
            value,
            s,
            "logit",
            "fitted_rural",
            source,
        )
        for name, value, s in zip(("constant", *rural.RURAL_TERMS), c, spread, strict=True)
    ]
    fitted += [
        Fitted(
            f"rural_{name}",
            value,
            0.0,
            "logit",
            "fitted_rural",
            source,
            value - 0.3,
            value + 0.3,
        )
        for name, value in cuts.items()
    ]
    return fitted, figures
