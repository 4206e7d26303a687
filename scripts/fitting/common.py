"""What the fits share: a coefficient and its place in data/parameters.toml, regressions, public files."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import shapely

from coopconnect.territory import travel
from coopconnect.territory.build import models, relief
from coopconnect.territory.build.communes import PARTS_OF_A_CITY
from coopconnect.territory.build.contours import to_lambert
from coopconnect.territory.paths import Paths
from fitting.labels import labels_of

TEST_REGION = "93"
FOLDS = 5
SEED = 20260101
CONTOURS = Path(__file__).resolve().parents[2] / "data/territory/contours.parquet"
PATH_VALUES = {
    "travel_path_density": 0.2,
    "travel_path_density_most": 9.05,
    "travel_path_climb": 20.0,
    "travel_path_outside": 3.0,
    "travel_path_most": 0.7,
}
"""What the graph of ways is made with: chosen on a few values each (`travel_features.py --relief`, docs/travel.md). The densest
commune of Isère has ln(1 + people per km2) = 9.05: beyond, nothing was seen."""
BEGIN = "# --- fitted: begin"
END = "# --- fitted: end"


@dataclass(frozen=True)
class Fitted:
    """One coefficient: its value, standard error (0 when searched for), unit and origin; `labels_of` names it."""

    key: str
    value: float
    error: float
    unit: str
    group: str
    source: str
    low: float | None = None
    high: float | None = None
    source_fr: str = ""


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


@dataclass(frozen=True)
class Isere:
    """Pairs of communes of Isère: crow-fly km, sum of log densities, OSRM minutes, observed commuters; how each is
    settled (`travel.settlement`), R of the way (`territory.paths`)."""

    codes: list[str]
    crow_km: np.ndarray
    density_sum: np.ndarray
    osrm_min: np.ndarray
    flows: np.ndarray
    area_km2: np.ndarray
    settlement: dict[str, np.ndarray]
    path: np.ndarray


def read_isere(shared: Path, zones: pd.DataFrame, current: dict[str, str]) -> Isere:
    """Bring the OSRM table and the flows of Isère to the communes of today, in one order."""
    osrm = pd.read_csv(shared / "data/travel_time/isere_512_communes_osrm_car_seconds.csv", dtype={"id": str})
    osrm = osrm.set_index("id")
    codes = [code for code in osrm.index if code in zones.index]
    around = models.around(zones["population"].to_numpy(float), models.plane_km(zones))
    part = zones.assign(**around).loc[codes]
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
        codes, crow, density[:, None] + density[None], (minutes + minutes.T) / 2, flows, part["area_km2"].to_numpy(),
        travel.settlement(part), paths_of(zones, codes, crow, PATH_VALUES),
    )  # fmt: skip


def paths_of(zones: pd.DataFrame, codes: list[str], crow: np.ndarray, values: dict[str, float]) -> np.ndarray:
    """R between communes of Isère on the graph of all communes, square. values: what the graph is made with."""
    shapes = pq.read_table(CONTOURS).to_pandas().set_index("zone_code").loc[zones.index, "geometry"]
    polygons = to_lambert(shapely.from_wkb(shapes.to_numpy()))
    xy_km = models.plane_km(zones)
    edges = relief.neighbours(zones, xy_km, polygons, values)
    paths = Paths.of(len(zones), *edges)
    rows = zones.index.get_indexer(codes)
    usual = relief.usual_ways(zones, xy_km, paths, values["travel_path_most"], rows)
    n = len(rows)
    one, two = np.repeat(rows, n), np.tile(rows, n)
    return paths.ratio(one, two, crow.ravel(), usual, values["travel_path_most"]).reshape(n, n)


def to_toml(fitted: list[Fitted], today: date) -> str:
    """The fitted block of data/parameters.toml."""
    lines = []
    for p in fitted:
        label_fr, label_en = labels_of(p.key)
        spread = 2 * p.error if p.error > 0 else 0.0
        low = p.value - spread if p.low is None else p.low
        high = p.value + spread if p.high is None else p.high
        lines += [
            f"[{p.key}]",
            f"label_fr = {json.dumps(label_fr, ensure_ascii=False)}",
            f"label_en = {json.dumps(label_en, ensure_ascii=False)}",
            f'unit = "{p.unit}"',
            f"value = {p.value:.6g}",
            f"low = {low:.6g}",
            f"high = {high:.6g}",
            f"source = {json.dumps(p.source, ensure_ascii=False)}",
            *([f"source_fr = {json.dumps(p.source_fr, ensure_ascii=False)}"] if p.source_fr else []),
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
