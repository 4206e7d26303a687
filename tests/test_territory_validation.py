"""What is modelled, against real files that the models did not see: the figures of docs/territory.md."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from coopconnect.parameters import DATA_DIR, PARAMETERS_FILE
from coopconnect.territory import gravity, travel
from coopconnect.territory.build import models
from coopconnect.territory.density import read_density_grid
from coopconnect.territory.fitted import fitted_values

sys.path.insert(0, str(DATA_DIR.parent / "scripts"))
import derive_climate
import fit_territory as fit

FOLDER = DATA_DIR / "territory"


@pytest.fixture(scope="module")
def zones() -> pd.DataFrame:
    return pq.read_table(FOLDER / "communes.parquet").to_pandas().set_index("zone_code")


@pytest.fixture(scope="module")
def current(zones: pd.DataFrame) -> dict[str, str]:
    former = pq.read_table(FOLDER / "former_codes.parquet").to_pandas()
    return {**dict(zip(former["code_2021"], former["zone_code"], strict=True)), **{c: c for c in zones.index}}


@pytest.fixture(scope="module")
def seen(zones: pd.DataFrame, current: dict[str, str], shared_data: Path) -> pd.DataFrame:
    return fit.comparator(shared_data.parent, current).reindex(zones.index)


@pytest.fixture(scope="module")
def isere(zones: pd.DataFrame, current: dict[str, str], shared_data: Path) -> fit.Isere:
    return fit.read_isere(shared_data.parent, zones, current)


def test_workers_are_within_seven_percent_at_the_median(zones: pd.DataFrame, seen: pd.DataFrame) -> None:
    _, figures = fit.fit_workers(zones, seen["workers"])
    assert figures["workers_median_error_france"] <= 0.07
    assert figures["workers_median_error_paca"] <= 0.07
    assert figures["workers_total_paca_ratio"] == pytest.approx(1.0, abs=0.04)


def test_jobs_reach_the_goal_on_paca_when_fitted_elsewhere(zones: pd.DataFrame, seen: pd.DataFrame) -> None:
    workers = models.employed_residents(zones, fitted_values())
    _, figures = fit.fit_jobs(zones, workers, seen["jobs"], models.plane_km(zones))
    assert figures["jobs_log_r2_paca_closed"] >= 0.93
    assert figures["jobs_total_ratio_paca_closed"] == pytest.approx(1.0, abs=0.06)


def test_shipped_jobs_are_close_to_the_census(zones: pd.DataFrame, seen: pd.DataFrame) -> None:
    paca = (zones["region"] == "93") & (seen["jobs"] > 0)
    r2 = fit.r_squared(np.log(zones.loc[paca, "jobs"].to_numpy()), np.log(seen.loc[paca, "jobs"].to_numpy()))
    assert r2 >= 0.92


def test_rural_agrees_with_the_official_grid(zones: pd.DataFrame, shared_data: Path) -> None:
    grid = read_density_grid(shared_data / "anct" / "densite.csv.gz").reindex(zones.index)
    same = (grid >= 5) == zones["rural"]
    assert same[zones["region"] == "93"].mean() >= 0.90
    assert same.mean() >= 0.95


def test_travel_error_on_communes_that_the_fit_did_not_see(isere: fit.Isere) -> None:
    _, figures = fit.fit_travel(isere)
    ceilings = {"3_10": 0.45, "10_20": 0.20, "20_40": 0.16, "40_60": 0.15}
    for band, ceiling in ceilings.items():
        assert figures[f"travel_error_{band}_min"] <= ceiling


def test_flows_on_isere_beat_the_first_try(isere: fit.Isere) -> None:
    values = fitted_values()
    law = travel.TravelLaw.from_parameters(values)
    minutes = travel.drive_min(isere.crow_km, isere.density_sum, law)
    workers, jobs = isere.flows.sum(axis=1), isere.flows.sum(axis=0)
    deterrence = gravity.Deterrence.from_parameters(values)
    z = np.array(
        [
            np.sqrt(deterrence.power),
            np.log(deterrence.rate_per_min),
            deterrence.rate_density,
            deterrence.own_constant,
            deterrence.own_area,
            deterrence.own_workers,
            deterrence.own_jobs,
        ]
    )
    model = fit.flow_model(z, minutes, isere, workers, jobs, 100)
    assert model.sum(axis=1) == pytest.approx(workers, rel=1e-6)
    assert gravity.common_part_of_commuters(model, isere.flows) >= 0.80
    assert fit.first_try(isere, workers, jobs) < 0.75


def test_communes_have_their_official_area(zones: pd.DataFrame, current: dict[str, str], shared_data: Path) -> None:
    """Contours against SUPERF: the holes of merged communes went to the right one."""
    import zipfile

    with zipfile.ZipFile(shared_data / "insee" / "base_cc_comparateur_csv.zip") as archive:
        table = pd.read_csv(archive.open("base_cc_comparateur.CSV"), sep=";", dtype={"CODGEO": str})
    official = table.groupby(table["CODGEO"].map(current))["SUPERF"].sum()
    for code in ("25390", "79307", "86247", "42084", "61275", "22241", "12218", "49126"):
        assert zones.loc[code, "area_km2"] == pytest.approx(official[code], rel=0.05), code
    ratio = (zones["area_km2"] / official.reindex(zones.index)).dropna()
    assert ((ratio - 1).abs() < 0.1).mean() > 0.98


def test_climate_is_what_the_workbooks_say(shared_data: Path) -> None:
    shipped = pd.read_csv(FOLDER / "climate.csv", dtype={"departement": str})
    pd.testing.assert_frame_equal(derive_climate.derive(shared_data.parent), shipped)


def test_the_fitted_block_has_what_the_engine_reads() -> None:
    values = fitted_values(PARAMETERS_FILE)
    needed = [f"jobs_{t}" for t in models.JOB_TERMS] + [f"workers_{t}" for t in models.WORKER_TERMS]
    assert set(needed) <= set(values)


def test_writing_the_block_leaves_the_rest_alone(tmp_path: Path) -> None:
    path = tmp_path / "parameters.toml"
    path.write_text(f"# head\n{fit.BEGIN} (x) ---\nold\n{fit.END} ---\ntail = 1\n", encoding="utf-8")
    fit.write_block(path, "new = 2\n")
    fit.write_block(path, "new = 3\n")
    assert path.read_text(encoding="utf-8") == f"# head\n{fit.BEGIN} (x) ---\nnew = 3\n{fit.END} ---\ntail = 1\n"
