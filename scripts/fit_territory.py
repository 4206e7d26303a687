"""Fit the coefficients of the territory models on public files and write them to data/parameters.toml.

    python scripts/fit_territory.py [--shared ../shared] [--inputs .cache/inputs] [--write] [--report FILE]

Reads data/territory/communes.parquet (run `python -m coopconnect data build` first) and, under --shared, the
INSEE comparator (RP 2018), the commuting flows inside Isère (RP 2017) and the OSRM table of 512 communes of
Isère. Prints every figure that docs/territory.md quotes, each on data that the fit did not see.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy.optimize import minimize

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from coopconnect.territory import gravity, travel  # noqa: E402
from coopconnect.territory.build import models, rural  # noqa: E402
from coopconnect.territory.build.communes import PARTS_OF_A_CITY  # noqa: E402

TEST_REGION = "93"
FOLDS = 5
SEED = 20260101
BANDS_MIN = ((3, 10), (10, 20), (20, 40), (40, 60))
BEGIN = "# --- fitted: begin"
END = "# --- fitted: end"


TERMS_FR = {
    "constant": "constante",
    "share_65": "part des 65 ans et plus",
    "share_19": "part des moins de 20 ans",
    "vacant_share": "part de logements vacants",
    "flat_share": "part d'appartements",
    "second_home_share": "part de résidences secondaires",
    "workers": "actifs occupés",
    "above_300": "population au-delà de 300",
    "above_2000": "population au-delà de 2 000",
    "above_20000": "population au-delà de 20 000",
    "centrality_10": "part de la population à 10 km",
    "centrality_20": "part de la population à 20 km",
    "largest_within_10": "plus grande commune à 10 km",
    "flats": "appartements",
    "home_flats": "résidences principales en appartement",
    "home_flat_share": "part des résidences principales en appartement",
    "area": "superficie",
    "household_size": "taille des ménages",
    "activity": "IRIS d'activité",
    "second_homes": "résidences secondaires",
    "prefecture": "préfecture",
    "people": "population",
    "density": "densité",
    "density_3_km": "densité à 3 km",
    "log_km": "distance (log)",
    "log_km_squared": "distance (log, carré)",
    "density_log_km": "densité x distance",
    "power": "puissance",
    "rate_per_min": "taux par minute",
    "rate_density": "effet de la densité sur le taux",
    "own_constant": "dans la commune, constante",
    "own_area": "dans la commune, superficie",
    "own_workers": "dans la commune, actifs",
    "own_jobs": "dans la commune, emplois",
    "cut_1_2": "1-2",
    "cut_2_3": "2-3",
    "cut_3_4": "3-4",
    "cut_5_6": "5-6",
    "cut_6_7": "6-7",
}
"""What each term is called in French on the Assumptions page."""


@dataclass(frozen=True)
class Fitted:
    """One coefficient: its value, standard error (0 when searched for), unit and names."""

    key: str
    value: float
    error: float
    unit: str
    label_fr: str
    label_en: str
    group: str
    source: str
    low: float | None = None
    high: float | None = None


def least_squares(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted least squares with a constant column first in x: coefficients and their standard errors."""
    root = np.sqrt(weight / weight.mean())
    a, b = x * root[:, None], y * root
    coefficient, *_ = np.linalg.lstsq(a, b, rcond=None)
    residual = b - a @ coefficient
    covariance = np.linalg.pinv(a.T @ a) * (residual @ residual) / (len(y) - x.shape[1])
    return coefficient, np.sqrt(np.maximum(np.diag(covariance), 0.0))


def with_constant(table: pd.DataFrame) -> np.ndarray:
    """The table as an array, a column of ones first."""
    return np.column_stack([np.ones(len(table)), table.to_numpy(float)])


def r_squared(model: np.ndarray, observed: np.ndarray) -> float:
    """Share of the variance of `observed` that `model` explains."""
    return 1.0 - float(((observed - model) ** 2).sum() / ((observed - observed.mean()) ** 2).sum())


def folds_by(groups: pd.Series, count: int) -> np.ndarray:
    """Fold of each row, whole groups together, in the order of the names."""
    names = sorted(groups.unique())
    return groups.map({name: k % count for k, name in enumerate(names)}).to_numpy()


def comparator(shared: Path, current: dict[str, str]) -> pd.DataFrame:
    """RP 2018 by commune of today: workers (active less unemployed) and jobs; districts of cities dropped."""
    with zipfile.ZipFile(shared / "data/insee/base_cc_comparateur_csv.zip") as archive:
        table = pd.read_csv(archive.open("base_cc_comparateur.CSV"), sep=";", dtype={"CODGEO": str})
    district = (
        table["CODGEO"].str.startswith(tuple(PARTS_OF_A_CITY))
        & table["CODGEO"].map(current).isin(PARTS_OF_A_CITY.values())
        & ~table["CODGEO"].isin(PARTS_OF_A_CITY.values())
    )
    table = table[~district]
    table["workers"] = table["P18_ACT1564"] - table["P18_CHOM1564"]
    table["zone_code"] = table["CODGEO"].map(current)
    return table.groupby("zone_code")[["workers", "P18_EMPLT"]].sum().rename(columns={"P18_EMPLT": "jobs"})


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
            f"actifs occupés / 20-64 ans : {TERMS_FR[name]}",
            f"employed residents / aged 20-64: {name.replace('_', ' ')}",
            "fitted_workers",
            source,
        )
        for name, value, s in zip(names, coefficient, spread, strict=True)
    ]
    return fitted, figures


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
            f"emplois au lieu de travail : {TERMS_FR[name]}",
            f"jobs at the place of work: {name.replace('_', ' ')}",
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
            "portée d'un bassin d'emploi",
            "reach of a labour area",
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
            "fermeture des bassins d'emploi",
            "closure of labour areas",
            "fitted_jobs",
            source,
            0.3,
            1.0,
        )
    )
    return fitted, figures


LABOUR_AREA_KM = 25.0
CLOSURE = 0.5


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
            f"score rural : {TERMS_FR[name]}",
            f"rural score: {name.replace('_', ' ')}",
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
            f"score rural, coupure entre niveaux : {TERMS_FR[name]}",
            f"rural score, cut between levels: {name.replace('_', ' ')}",
            "fitted_rural",
            source,
            value - 0.3,
            value + 0.3,
        )
        for name, value in cuts.items()
    ]
    return fitted, figures


@dataclass(frozen=True)
class Isere:
    """Pairs of communes of Isère: crow-fly km, sum of log densities, OSRM minutes, observed commuters."""

    codes: list[str]
    crow_km: np.ndarray
    density_sum: np.ndarray
    osrm_min: np.ndarray
    flows: np.ndarray
    area_km2: np.ndarray


def read_isere(shared: Path, zones: pd.DataFrame, current: dict[str, str]) -> Isere:
    """Bring the OSRM table and the flows of Isère to the communes of today, in one order."""
    osrm = pd.read_csv(shared / "data/travel_time/isere_512_communes_osrm_car_seconds.csv", dtype={"id": str})
    osrm = osrm.set_index("id")
    codes = [code for code in osrm.index if code in zones.index]
    part = zones.loc[codes]
    minutes = osrm.loc[codes, codes].to_numpy(float) / 60
    lon, lat = part["lon"].to_numpy(), part["lat"].to_numpy()
    crow = travel.crow_km(lon[:, None], lat[:, None], lon[None], lat[None])
    density = travel.log_density(part["population"].to_numpy(), part["area_km2"].to_numpy())
    observed = pd.read_csv(
        shared / "data/insee/flux_domicile_travail_isere_2017.csv", dtype={"CODGEO": str, "DCLT": str}
    )
    row = {code: k for k, code in enumerate(codes)}
    flows = np.zeros((len(codes), len(codes)))
    home = observed["CODGEO"].map(current).map(row)
    work = observed["DCLT"].map(current).map(row)
    keep = home.notna() & work.notna()
    np.add.at(
        flows, (home[keep].astype(int), work[keep].astype(int)), observed.loc[keep, "NBFLUX_C17_ACTOCC15P"].to_numpy()
    )
    return Isere(
        codes, crow, density[:, None] + density[None], (minutes + minutes.T) / 2, flows, part["area_km2"].to_numpy()
    )


TRAVEL_WEIGHT_POWER = 1.5
"""Short pairs are few and matter most (access to a hub): each pair weighs km^-1.5."""
TRAVEL_TERMS = ("constant", "log_km", "log_km_squared", "density", "density_log_km")


def fit_travel(pairs: Isere) -> tuple[list[Fitted], dict[str, float]]:
    """Travel law on pairs of Isère; error by band on pairs of which no end was in the fit."""
    n = len(pairs.codes)
    length = np.log(np.maximum(pairs.crow_km, travel.MIN_CROW_KM))
    d = pairs.density_sum
    columns = np.stack([np.ones((n, n)), length, length**2, d, d * length], axis=-1)
    usable = (pairs.osrm_min > 0.5) & (pairs.crow_km > 0) & (pairs.crow_km < 100)
    log_min = np.log(np.maximum(pairs.osrm_min, 0.5))
    weight = np.maximum(pairs.crow_km, 1.0) ** -TRAVEL_WEIGHT_POWER
    fold = np.random.default_rng(SEED).integers(0, FOLDS, n)
    observed, estimated = [], []
    for f in range(FOLDS):
        out = fold == f
        train = usable & ~out[:, None] & ~out[None]
        test = usable & out[:, None] & out[None]
        c, _ = least_squares(columns[train], log_min[train], weight[train])
        observed.append(pairs.osrm_min[test])
        estimated.append(np.exp(columns[test] @ c))
    seen, guess = np.concatenate(observed), np.concatenate(estimated)
    figures: dict[str, float] = {}
    for low, high in BANDS_MIN:
        band = (seen >= low) & (seen < high)
        figures[f"travel_pairs_{low}_{high}_min"] = int(band.sum())
        figures[f"travel_error_{low}_{high}_min"] = float(np.abs(guess[band] / seen[band] - 1).mean())
        figures[f"travel_median_error_{low}_{high}_min"] = float(np.median(np.abs(guess[band] / seen[band] - 1)))
        figures[f"travel_bias_{low}_{high}_min"] = float((guess[band] / seen[band]).mean() - 1)
    c, spread = least_squares(columns[usable], log_min[usable], weight[usable])
    source = "OSRM, 512 communes de l'Isère, (c) contributeurs OpenStreetMap, ODbL"
    clustered = np.sqrt(n)
    fitted = [
        Fitted(
            f"travel_{name}",
            value,
            s * clustered,
            "ln",
            f"temps de route estimé : {TERMS_FR[name]}",
            f"estimated driving time: {name.replace('_', ' ')}",
            "fitted_travel",
            source,
        )
        for name, value, s in zip(TRAVEL_TERMS, c, spread, strict=True)
    ]
    fitted.append(
        Fitted(
            "travel_own_km_per_radius",
            0.5,
            0.0,
            "ratio",
            "trajet interne à la commune, part du rayon",
            "trip within a commune, share of radius",
            "fitted_travel",
            "assumption: homes gather round the centre (2/3 if they did not)",
            0.3,
            0.9,
        )
    )
    return fitted, figures


FLOW_START = (0.0, np.log(0.13), -0.05, 1.6, -0.45, 1.15, -1.12)
FLOW_ITERATIONS = 25


def flow_model(
    z: np.ndarray,
    minutes: np.ndarray,
    pairs: Isere,
    workers: np.ndarray,
    jobs: np.ndarray,
    iterations: int = FLOW_ITERATIONS,
) -> np.ndarray:
    """Commuters between the communes of Isère for the deterrence `z` (power squared, ln rate, then as is)."""
    law = deterrence(z)
    kernel = law.kernel(minutes, pairs.density_sum)
    np.fill_diagonal(kernel, law.own_kernel(pairs.area_km2, workers, jobs))
    b = np.ones(len(workers))
    for _ in range(iterations):
        a = workers / np.maximum(kernel @ b, 1e-12)
        b = jobs / np.maximum(kernel.T @ a, 1e-12)
    a = workers / np.maximum(kernel @ b, 1e-12)
    return a[:, None] * kernel * b[None]


def deterrence(z: np.ndarray) -> gravity.Deterrence:
    """The deterrence that the search vector stands for; power is z0 squared, never negative."""
    return gravity.Deterrence(float(z[0] ** 2), float(np.exp(z[1])), *(float(v) for v in z[2:]))


def search_flows(minutes: np.ndarray, pairs: Isere, rows: np.ndarray) -> np.ndarray:
    """Deterrence with the best CPC on the residents of `rows`, their mean commute held to what is observed."""
    workers, jobs = pairs.flows.sum(axis=1), pairs.flows.sum(axis=0)
    out = ~np.eye(len(workers), dtype=bool)[rows]
    seen = pairs.flows[rows]
    mean_min = (seen * minutes[rows])[out].sum() / seen[out].sum()

    def loss(z: np.ndarray) -> float:
        model = flow_model(z, minutes, pairs, workers, jobs)[rows]
        mean = (model * minutes[rows])[out].sum() / model[out].sum()
        return -gravity.common_part_of_commuters(model, seen) + 0.5 * abs(mean / mean_min - 1)

    z = np.array(FLOW_START, dtype=float)
    for _ in range(3):
        simplex = np.vstack([z, *(z + 0.25 * step for step in np.eye(len(z)))])
        z = minimize(loss, z, method="Nelder-Mead", options={"maxfev": 350, "initial_simplex": simplex}).x
    return z


def fit_flows(
    pairs: Isere, law: travel.TravelLaw, modelled_jobs: np.ndarray, modelled_workers: np.ndarray
) -> tuple[list[Fitted], dict[str, float]]:
    """Deterrence on half of the communes, judged on the other half, then fitted on all of them."""
    minutes = travel.drive_min(pairs.crow_km, pairs.density_sum, law)
    n = len(pairs.codes)
    workers, jobs = pairs.flows.sum(axis=1), pairs.flows.sum(axis=0)
    half = np.random.default_rng(SEED).permutation(n) < n // 2
    halves, figures = [], {}
    held = []
    for rows in (half, ~half):
        z = search_flows(minutes, pairs, rows)
        halves.append(z)
        model = flow_model(z, minutes, pairs, workers, jobs, 100)
        held.append((gravity.common_part_of_commuters(model[~rows], pairs.flows[~rows]), pairs.flows[~rows].sum()))
    figures["cpc_held_out"] = float(np.average([c for c, _ in held], weights=[w for _, w in held]))
    figures["cpc_held_out_low"], figures["cpc_held_out_high"] = (min(c for c, _ in held), max(c for c, _ in held))
    z = search_flows(minutes, pairs, np.ones(n, dtype=bool))
    model = flow_model(z, minutes, pairs, workers, jobs, 100)
    out = ~np.eye(n, dtype=bool)
    figures["cpc_official_margins"] = gravity.common_part_of_commuters(model, pairs.flows)
    figures["cpc_between_communes"] = gravity.common_part_of_commuters(model[out], pairs.flows[out])
    figures["own_commune_ratio"] = float(np.diag(model).sum() / np.diag(pairs.flows).sum())
    figures["mean_min_model"] = float((model * minutes)[out].sum() / model[out].sum())
    figures["mean_min_observed"] = float((pairs.flows * minutes)[out].sum() / pairs.flows[out].sum())
    scaled = modelled_jobs * modelled_workers.sum() / modelled_jobs.sum()
    model = flow_model(z, minutes, pairs, modelled_workers, scaled, 100)
    model *= pairs.flows.sum() / model.sum()
    figures["cpc_modelled_margins"] = gravity.common_part_of_commuters(model, pairs.flows)
    figures["cpc_first_try_crow_fly"] = first_try(pairs, workers, jobs)
    return flow_coefficients(z, halves), figures


def first_try(pairs: Isere, workers: np.ndarray, jobs: np.ndarray) -> float:
    """CPC of the first try of the design: crow-fly km, power 1.5, 0.05 per km, boost 1.5 inside a commune."""
    km = np.maximum(pairs.crow_km, travel.MIN_CROW_KM)
    np.fill_diagonal(km, np.sqrt(pairs.area_km2 / np.pi))
    kernel = km**-1.5 * np.exp(-0.05 * km)
    np.fill_diagonal(kernel, 1.5 * np.diag(kernel))
    b = np.ones(len(workers))
    for _ in range(100):
        a = workers / (kernel @ b)
        b = jobs / (kernel.T @ a)
    return gravity.common_part_of_commuters(a[:, None] * kernel * b, pairs.flows)


def flow_coefficients(z: np.ndarray, halves: list[np.ndarray]) -> list[Fitted]:
    """Coefficients of the deterrence; the range is that of the two halves, widened by half."""
    units = ("ratio", "1/min", "ln", "ln", "ln", "ln", "ln")
    found = [list(deterrence(v).__dict__.values()) for v in (z, *halves)]
    result = []
    for k, name in enumerate(gravity.Deterrence.__dataclass_fields__):
        values = [f[k] for f in found]
        margin = 0.25 * (max(values) - min(values)) + 0.02 * abs(values[0])
        floor = 0.0 if name == "power" else -np.inf
        result.append(
            Fitted(
                f"flow_{name}",
                values[0],
                0.0,
                units[k],
                f"frein de la distance : {TERMS_FR[name]}",
                f"deterrence of distance: {name.replace('_', ' ')}",
                "fitted_flows",
                "INSEE flux domicile-travail RP 2017, Isère",
                max(floor, min(values) - margin),
                max(values) + margin,
            )
        )
    return result


def to_toml(fitted: list[Fitted], today: date) -> str:
    """The fitted block of data/parameters.toml."""
    lines = []
    for p in fitted:
        spread = 2 * p.error if p.error > 0 else 0.0
        low = p.value - spread if p.low is None else p.low
        high = p.value + spread if p.high is None else p.high
        lines += [
            f"[{p.key}]",
            f"label_fr = {json.dumps(p.label_fr, ensure_ascii=False)}",
            f"label_en = {json.dumps(p.label_en, ensure_ascii=False)}",
            f'unit = "{p.unit}"',
            f"value = {p.value:.6g}",
            f"low = {low:.6g}",
            f"high = {high:.6g}",
            f"source = {json.dumps(p.source, ensure_ascii=False)}",
            'url = ""',
            'status = "fitted"',
            f"valid_from = {today.isoformat()}",
            f"review_by = {today.replace(year=today.year + 2, day=1).isoformat()}",
            f'group = "{p.group}"',
            "",
        ]
    return "\n".join(lines)


def write_block(path: Path, block: str) -> None:
    """Replace what stands between the fitted markers of `path`, and nothing else."""
    text = path.read_text(encoding="utf-8")
    begin = text.index("\n", text.index(BEGIN)) + 1
    end = text.index(END)
    path.write_text(text[:begin] + block + text[end:], encoding="utf-8")


def main() -> None:
    """Fit everything, print the figures as JSON, write the block when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--data", type=Path, default=ROOT / "data")
    parser.add_argument("--write", action="store_true", help="write the block of data/parameters.toml")
    parser.add_argument("--report", type=Path, help="write the figures there as JSON")
    options = parser.parse_args()
    fitted, figures = fit_all(options.shared, options.data / "territory")
    print(json.dumps(figures, indent=1))
    if options.report:
        options.report.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if options.write:
        write_block(options.data / "parameters.toml", to_toml(fitted, date.today()))


def fit_all(shared: Path, folder: Path) -> tuple[list[Fitted], dict[str, float]]:
    """Workers, jobs, travel and flows in turn; each uses what the one before found."""
    zones = pq.read_table(folder / "communes.parquet").to_pandas().set_index("zone_code")
    former = pq.read_table(folder / "former_codes.parquet").to_pandas()
    current = dict(zip(former["code_2021"], former["zone_code"], strict=True))
    current.update({code: code for code in zones.index})
    xy_km = models.plane_km(zones)
    seen = comparator(shared, current).reindex(zones.index)
    worker_fit, figures = fit_workers(zones, seen["workers"])
    values = {p.key: p.value for p in worker_fit}
    workers = models.employed_residents(zones, values)
    job_fit, found = fit_jobs(zones, workers, seen["jobs"], xy_km)
    figures |= found
    values |= {p.key: p.value for p in job_fit}
    jobs = models.jobs_at_work(zones, workers, *xy_km, values)
    rural_fit, found = fit_rural(zones, xy_km, official_density(shared, zones))
    figures |= found
    pairs = read_isere(shared, zones, current)
    travel_fit, found = fit_travel(pairs)
    figures |= found
    law = travel.TravelLaw.from_parameters({p.key: p.value for p in travel_fit})
    rows = zones.index.get_indexer(pairs.codes)
    flow_fit, found = fit_flows(pairs, law, jobs[rows], workers[rows])
    return worker_fit + job_fit + rural_fit + travel_fit + flow_fit, figures | found


if __name__ == "__main__":
    main()
