"""Employed residents: the employment rate of the 20-64 on census shares, fitted on RP 2018."""

from __future__ import annotations

import numpy as np
import pandas as pd

from coopconnect.territory.build import models
from fitting.common import FOLDS, TEST_REGION, Fitted, folds_by, least_squares, with_constant


def fit_workers(zones: pd.DataFrame, observed: pd.Series) -> tuple[list[Fitted], dict[str, float]]:
    """Employment rate of the 20-64 in logs on census shares; error on départements that the fit did not see."""
    known = (observed > 0) & (zones["pop_20_64"] > 0)
    zones, observed = zones[known], observed[known]
    x = with_constant(models.shares(zones)[list(models.WORKER_TERMS)])
    y = np.log(observed / zones["pop_20_64"]).to_numpy()
    weight = np.sqrt(np.minimum(zones["pop_20_64"].to_numpy(float), 20000.0))
    held_out, fold = np.zeros(len(y)), folds_by(zones["departement"], FOLDS)
    for f in range(FOLDS):
        coefficient, _ = least_squares(x[fold != f], y[fold != f], weight[fold != f])
        held_out[fold == f] = x[fold == f] @ coefficient
    error = np.abs(np.exp(held_out - y) - 1)
    region = (zones["region"] == TEST_REGION).to_numpy()
    ratio = (np.exp(held_out) * zones["pop_20_64"])[region].sum() / observed[region].sum()
    figures = {
        "workers_median_error_france": float(np.median(error)),
        "workers_median_error_paca": float(np.median(error[region])),
        "workers_total_paca_ratio": float(ratio),
        "workers_communes": len(y),
    }
    coefficient, spread = least_squares(x, y, weight)
    source = "INSEE RP 2018 (P18_ACT1564 - P18_CHOM1564), RP 2021"
    names = ("constant", *models.WORKER_TERMS)
    fitted = [
        Fitted(
            f"workers_{name}",
            value,
            s,
            "ln",
            "fitted_workers",
            source,
        )
        for name, value, s in zip(names, coefficient, spread, strict=True)
    ]
    return fitted, figures
