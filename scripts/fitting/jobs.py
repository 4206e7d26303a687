"""Jobs at the place of work, in logs on census terms, fitted on RP 2018."""

from __future__ import annotations

import numpy as np
import pandas as pd

from coopconnect.territory.build import models
from fitting.common import TEST_REGION, Fitted, least_squares, r_squared, with_constant

LABOUR_AREA_KM = 25.0
CLOSURE = 0.5


def fit_jobs(
    zones: pd.DataFrame, workers: np.ndarray, jobs: pd.Series, xy_km: tuple[np.ndarray, np.ndarray]
) -> tuple[list[Fitted], dict[str, float]]:
    """Jobs in logs; the figures on PACA come from a fit on the other regions of metropolitan France."""
    terms = with_constant(models.job_terms(zones, workers, *xy_km))
    known = (jobs > 0).to_numpy()
    region = (zones["region"] == TEST_REGION).to_numpy()
    weight = np.clip(zones["population"].to_numpy(float), 100.0, 1e5) ** 0.3
    log_jobs = np.log(jobs.where(known, 1.0)).to_numpy(float)
    train = known & ~region
    figures: dict[str, float] = {"jobs_communes_fitted": int(train.sum())}
    coefficient, _ = least_squares(terms[train], log_jobs[train], weight[train])
    raw = np.exp(terms @ coefficient)
    closed = models.close_labour_areas(raw, workers, *xy_km, LABOUR_AREA_KM, CLOSURE)
    for label, estimate in (("raw", raw), ("closed", closed)):
        for place, rows in (("paca", known & region), ("rest", train)):
            gap = np.abs(estimate - jobs.to_numpy())[rows].sum() / jobs[rows].sum()
            figures[f"jobs_log_r2_{place}_{label}"] = r_squared(np.log(estimate[rows]), log_jobs[rows])
            figures[f"jobs_total_ratio_{place}_{label}"] = float(estimate[rows].sum() / jobs[rows].sum())
            figures[f"jobs_weighted_error_{place}_{label}"] = float(gap)
        error = np.abs(estimate[known & region] / jobs[known & region] - 1)
        figures[f"jobs_median_error_paca_{label}"] = float(np.median(error))
    coefficient, spread = least_squares(terms[known], log_jobs[known], weight[known])
    source = "INSEE RP 2018 (P18_EMPLT), RP 2021"
    fitted = [
        Fitted(
            f"jobs_{name}",
            value,
            s,
            "ln",
            "fitted_jobs",
            source,
        )
        for name, value, s in zip(("constant", *models.JOB_TERMS), coefficient, spread, strict=True)
    ]
    fitted.append(
        Fitted(
            "jobs_labour_area_km",
            LABOUR_AREA_KM,
            0.0,
            "km",
            "fitted_jobs",
            source,
            15.0,
            35.0,
        )
    )
    fitted.append(
        Fitted(
            "jobs_closure",
            CLOSURE,
            0.0,
            "ratio",
            "fitted_jobs",
            source,
            0.3,
            1.0,
        )
    )
    return fitted, figures
