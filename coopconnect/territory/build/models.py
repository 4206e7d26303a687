"""What is modelled on top of the census: rural communes, employed residents, jobs. Every coefficient is a
parameter fitted by scripts/fit_territory.py and read from data/parameters.toml."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyproj
from scipy.spatial import cKDTree

from coopconnect.territory.gravity import pairs_within, potential

AROUND_KM = 10.0
NEIGHBOURS = 3
CENTRALITY_KM = (10.0, 20.0)
CLOSURE_ROUNDS = 3
WORKER_TERMS = ("share_65", "vacant_share", "flat_share", "second_home_share")
JOB_TERMS = (
    "workers",
    "above_300",
    "above_2000",
    "above_20000",
    "centrality_10",
    "centrality_20",
    "largest_within_10",
    "flats",
    "flat_share",
    "home_flats",
    "home_flat_share",
    "area",
    "vacant_share",
    "share_19",
    "share_65",
    "household_size",
    "activity",
    "second_homes",
    "second_home_share",
    "prefecture",
)


def plane_km(communes: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Plane coordinates in km (Lambert-93) of the point of each commune."""
    projection = pyproj.Transformer.from_crs(4326, 2154, always_xy=True)
    x, y = projection.transform(communes["lon"].to_numpy(), communes["lat"].to_numpy())
    return x / 1000, y / 1000


def around(people: np.ndarray, xy_km: tuple[np.ndarray, np.ndarray]) -> dict[str, np.ndarray]:
    """What stands round each commune, (n,): people_10_km, inhabitants of the communes whose point is within 10 km (its
    own included), and gap_km, mean km to the three nearest points."""
    xy = np.column_stack(xy_km)
    tree = cKDTree(xy)
    near = tree.query_ball_point(xy, AROUND_KM)
    gap = tree.query(xy, k=NEIGHBOURS + 1)[0][:, 1:].mean(axis=1)
    return {
        "people_10_km": np.array([int(people[rows].sum()) for rows in near], dtype=np.int32),
        "gap_km": np.round(gap, 3),
    }


def shares(communes: pd.DataFrame) -> pd.DataFrame:
    """Shares of the census that the models read, 0 where there is nobody or no dwelling."""
    people = communes["population"].clip(lower=1)
    dwellings = communes["dwellings"].clip(lower=1)
    homes = communes["households"].clip(lower=1)
    return pd.DataFrame(
        {
            "share_65": communes["pop_65p"] / people,
            "share_19": communes["pop_0_19"] / people,
            "vacant_share": communes["vacant_dwellings"] / dwellings,
            "flat_share": communes["flats"] / dwellings,
            "second_home_share": communes["second_homes"] / dwellings,
            "home_flat_share": communes["home_flats"] / homes,
            "household_size": people / homes,
        }
    )


def employed_residents(communes: pd.DataFrame, values: Mapping[str, float]) -> np.ndarray:
    """Employed residents: population aged 20-64 times exp(constant + sum of coefficient * share).

    communes: census columns. values: parameters `workers_*`. Never more than the population aged 20-64.
    """
    table = shares(communes)
    rate = linear(table[list(WORKER_TERMS)], values, "workers")
    return communes["pop_20_64"].to_numpy(float) * np.minimum(1.0, np.exp(rate))


def linear(terms: pd.DataFrame, values: Mapping[str, float], prefix: str) -> np.ndarray:
    """Constant plus the sum of coefficient * term; coefficients are the parameters `<prefix>_<term>`."""
    coefficients = np.array([values[f"{prefix}_{term}"] for term in terms.columns])
    return values[f"{prefix}_constant"] + terms.to_numpy(float) @ coefficients


def job_terms(communes: pd.DataFrame, workers: np.ndarray, x_km: np.ndarray, y_km: np.ndarray) -> pd.DataFrame:
    """Explanatory terms of the jobs model, columns `JOB_TERMS` (logarithms unless a share or a flag)."""
    people = communes["population"].to_numpy(float)
    table = shares(communes)
    terms = pd.DataFrame({"workers": np.log(np.maximum(workers, 1.0))}, index=communes.index)
    log_people = np.log(np.maximum(people, 1.0))
    for knot in (300, 2000, 20000):
        terms[f"above_{knot}"] = np.maximum(log_people - np.log(knot), 0.0)
    near, largest = neighbourhood(x_km, y_km, people, CENTRALITY_KM)
    for k, radius in enumerate(CENTRALITY_KM):
        terms[f"centrality_{radius:.0f}"] = np.log(np.maximum(people, 1.0) / np.maximum(near[:, k], 1.0))
    terms["largest_within_10"] = (people >= largest[:, 0]).astype(float)
    terms["flats"] = np.log1p(communes["flats"])
    terms["home_flats"] = np.log1p(communes["home_flats"])
    terms["second_homes"] = np.log1p(communes["second_homes"])
    terms["area"] = np.log(communes["area_km2"])
    terms["activity"] = np.log1p(communes["activity_iris"])
    terms["prefecture"] = (communes["chef_lieu_rank"] >= 2).astype(float)
    for share in (
        "flat_share",
        "home_flat_share",
        "vacant_share",
        "share_19",
        "share_65",
        "household_size",
        "second_home_share",
    ):
        terms[share] = table[share]
    return terms[list(JOB_TERMS)]


def neighbourhood(
    x_km: np.ndarray, y_km: np.ndarray, people: np.ndarray, radii_km: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Inhabitants within each radius (itself included), and those of the largest other commune within it."""
    total = np.zeros((len(people), len(radii_km)))
    largest = np.zeros_like(total)
    for k, radius in enumerate(radii_km):
        start, column = pairs_within(x_km, y_km, radius)
        row = np.repeat(np.arange(len(people)), np.diff(start))
        total[:, k] = np.bincount(row, people[column], len(people))
        others = np.where(row == column, 0.0, people[column])
        largest[:, k] = np.maximum.reduceat(others, start[:-1])
    return total, largest


def jobs_at_work(
    communes: pd.DataFrame,
    workers: np.ndarray,
    x_km: np.ndarray,
    y_km: np.ndarray,
    values: Mapping[str, float],
) -> np.ndarray:
    """Jobs at the place of work: a log-linear model, then the closure of labour areas.

    jobs = exp(constant + sum of coefficient * term); then, `CLOSURE_ROUNDS` times, each commune is scaled by
    (workers around / jobs around)^closure, where around means weighted by exp(-km / labour_area_km): a labour
    area has about as many jobs as employed residents. values: parameters `jobs_*`.
    """
    terms = job_terms(communes, workers, x_km, y_km)
    return close_labour_areas(
        np.exp(linear(terms, values, "jobs")),
        workers,
        x_km,
        y_km,
        values["jobs_labour_area_km"],
        values["jobs_closure"],
    )


def close_labour_areas(
    jobs: np.ndarray, workers: np.ndarray, x_km: np.ndarray, y_km: np.ndarray, scale_km: float, closure: float
) -> np.ndarray:
    """Pull the jobs of each labour area towards its employed residents (see `jobs_at_work`)."""
    around_workers = potential(x_km, y_km, workers, scale_km)
    result = jobs.copy()
    for _ in range(CLOSURE_ROUNDS):
        around_jobs = potential(x_km, y_km, result, scale_km)
        result *= (around_workers / np.maximum(around_jobs, 1e-9)) ** closure
    return result
