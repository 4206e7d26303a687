"""The sheet Réseau of the workbook: the plan's figures, live sums, chart; the same in LibreOffice."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas
import numpy as np
import openpyxl
import pytest
import shapely
from fixtures_assessment import PROVENANCE
from test_export_workbook import problems_between, soffice

from coopconnect.export.plan_files import ENDINGS, write_plan
from coopconnect.export.workbook import Included, workbook
from coopconnect.model.assessment import assess
from coopconnect.parameters import Parameters
from coopconnect.question import Question
from coopconnect.scenario import Scenario
from coopconnect.show.words import number, say
from coopconnect.siting.plan import site_plan
from coopconnect.siting.types import LEAST, SitePlan
from coopconnect.territory.types import Territory
from coopconnect.uncertainty.engine import Setup
from coopconnect.uncertainty.laws import design, laws_of
from coopconnect.uncertainty.plan_futures import case_of, plan_figure_rows, plan_futures

__all__ = ["soffice"]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
NAMES = {"fr": "Réseau", "en": "Network"}


@pytest.fixture(scope="module")
def plan(small: Territory, parameters: Parameters, reference: Scenario) -> SitePlan:
    codes = list(small.zones["zone_code"].to_numpy(object)[small.site_zone])
    question = Question(sites=3, objective="people", existing=(codes[0],), forbidden=(codes[1],))
    return site_plan(small, reference, parameters, question)


@pytest.fixture(scope="module")
def content(small: Territory, parameters: Parameters, reference: Scenario, plan: SitePlan) -> dict[str, bytes]:
    now = assess(small, reference, parameters)
    return {
        language: workbook(
            now, now, parameters, PROVENANCE, language, on=date(2026, 3, 2), included=Included(small, plan=plan)
        )
        for language in NAMES
    }  # fmt: skip


def cells(content: bytes, name: str) -> list[tuple[object, ...]]:
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    return list(book[name].iter_rows(values_only=True))


def test_the_sheet_says_the_least_of_neighbours(
    small: Territory, parameters: Parameters, reference: Scenario, plan: SitePlan
) -> None:
    now = assess(small, reference, parameters)
    halves = {f"{name}_least": 0.5 * plan.totals[name] for name in LEAST}
    near = replace(plan, totals={**plan.totals, **halves})
    assert near.neighbours_share and not plan.neighbours_share
    written = [
        [row[0] for row in cells(
            workbook(now, now, parameters, PROVENANCE, "fr", on=date(2026, 3, 2), included=Included(small, plan=one)),
            NAMES["fr"],
        )]
        for one in (plan, near)
    ]  # fmt: skip
    users, hours = (number(halves[f"{name}_least"], "fr") for name in LEAST)
    told = say("network.least_sheet", "fr", users=users, hours=hours)
    assert [told in rows for rows in written] == [False, True]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_sheet_holds_the_plan(content: dict[str, bytes], plan: SitePlan, language: str) -> None:
    rows = cells(content[language], NAMES[language])
    new = [s for s in plan.sites if not s.existing]
    assert new
    listed = [row for row in rows if row[1] in {s.name for s in plan.sites} and row[4] is not None]
    assert [row[1] for row in listed] == [s.name for s in plan.sites]
    assert listed[-1][3] == pytest.approx(plan.curve[len(new)][1])
    assert [row[2] for row in listed[1:]] == pytest.approx([s.gain for s in new])
    assert any(row[1] == pytest.approx(plan.value) for row in rows if isinstance(row[1], (int, float)))
    with zipfile.ZipFile(io.BytesIO(content[language])) as parts:
        charts = [parts.read(n).decode() for n in parts.namelist() if n.startswith("xl/charts/chart")]
    assert any(f"{NAMES[language]}!" in text and "scatterChart" in text for text in charts)


def test_no_plan_no_sheet(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    now = assess(small, reference, parameters)
    content = workbook(now, now, parameters, PROVENANCE, "fr", on=date(2026, 3, 2))
    assert NAMES["fr"] not in openpyxl.load_workbook(io.BytesIO(content)).sheetnames
    why = Included(plan=("forbidden : 04112",))
    told = workbook(now, now, parameters, PROVENANCE, "fr", on=date(2026, 3, 2), included=why)
    rows = [str(row[0]) for row in cells(told, NAMES["fr"]) if row[0]]
    assert rows[-1] == "forbidden : 04112" and "ne peut pas être fait" in rows[-2]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_libreoffice_computes_the_same(soffice, tmp_path: Path, content, language: str) -> None:  # type: ignore[no-untyped-def]
    computed = openpyxl.load_workbook(soffice(content[language], "xlsx", tmp_path), data_only=True)
    assert problems_between(openpyxl.load_workbook(io.BytesIO(content[language]), data_only=True), computed) == []


def test_the_plan_as_files(small: Territory, plan: SitePlan, tmp_path: Path) -> None:
    n = small.site_zone.size
    contours = shapely.box(np.arange(n), 44.0, np.arange(n) + 1.0, 45.0)
    for ending in ENDINGS:
        write_plan(tmp_path / f"plan{ending}", plan, small, contours, "fr", date(2026, 3, 2))
    sites = geopandas.read_file(tmp_path / "plan.gpkg", layer="plan_sites")
    assert sites["zone_code"].tolist() == [s.code for s in plan.sites]
    assert sites["gain"].tolist() == pytest.approx([s.gain for s in plan.sites])
    assert sites.geometry.iloc[0].equals(contours[plan.sites[0].row])
    communes = geopandas.read_file(tmp_path / "plan.gpkg", layer="plan_communes")
    covered = communes.loc[communes["covered"], "population"].sum()
    assert covered == pytest.approx(plan.totals["people_covered"])
    with closing(sqlite3.connect(tmp_path / "plan.gpkg")) as file:
        titles = dict(file.execute("SELECT column_name, title FROM gpkg_data_columns WHERE table_name = 'plan_sites'"))
        dates = {day[:10] for (day,) in file.execute("SELECT last_change FROM gpkg_contents")}
    assert titles["substitute"] == "Si le maire dit non"
    # what the screen calls the effect on the plan has the other sign
    assert titles["substitute_loss"] == "Ce que le plan perd avec le remplaçant"
    assert dates == {"2026-03-02"}
    features = json.loads((tmp_path / "plan.geojson").read_text("utf-8"))["features"]
    assert [f["properties"]["rank"] for f in features] == [s.rank for s in plan.sites]
    assert len((tmp_path / "plan.csv").read_text("utf-8-sig").splitlines()) == len(plan.sites) + 1
    assert "Réseau" in openpyxl.load_workbook(tmp_path / "plan.xlsx").sheetnames
    with pytest.raises(ValueError, match="allowed endings"):
        write_plan(tmp_path / "plan.pdf", plan, small, None, "fr", date(2026, 3, 2))


def test_files_hold_the_ranges_of_the_futures(
    small: Territory, parameters: Parameters, reference: Scenario, tmp_path: Path
) -> None:  # fmt: skip
    codes = list(small.zones["zone_code"].to_numpy(object)[small.site_zone])
    plan = site_plan(small, reference, parameters, Question(sites=2, existing=(codes[0],)), seconds=0.3)
    setup = Setup(small, small, reference, parameters, laws_of(reference, parameters))
    rows = plan_figure_rows(case_of(plan, setup), setup, design(setup.laws, 8, 1))
    futures = plan_futures(plan, setup, rows)
    assert futures is not None and futures.worth is not None
    n = small.site_zone.size
    contours = shapely.box(np.arange(n), 44.0, np.arange(n) + 1.0, 45.0)
    for ending in (".xlsx", ".gpkg"):
        write_plan(tmp_path / f"plan{ending}", plan, small, contours, "fr", date(2026, 3, 2), futures)
    table = [tuple(row) for row in cells((tmp_path / "plan.xlsx").read_bytes(), "Réseau")]
    figures = {row[0]: row[1:4] for row in table if row[0] and isinstance(row[3], float)}
    users = futures.added["users"]
    assert figures["Usagers réguliers"] == pytest.approx((users.value, users.low, users.high))
    worth = futures.worth
    name = next(key for key in figures if str(key).startswith("Ce que vaut le plan, avec les lieux qui existent"))
    assert figures[name] == pytest.approx((plan.value, worth.low, worth.high))
    new = [row for row in table if row[1] == plan.sites[1].name and isinstance(row[8], float)]
    assert futures.gains[1] is not None and new[-1][3:5] == pytest.approx((futures.gains[1].low, futures.gains[1].high))
    sites = geopandas.read_file(tmp_path / "plan.gpkg", layer="plan_sites")
    assert sites["p_viable"].tolist() == pytest.approx(list(futures.viable))
    assert sites["users_high"].tolist() == pytest.approx([site["users"].high for site in futures.sites])
    assert np.isnan(sites["gain_low"].iloc[0]) and sites["gain_low"].iloc[1] == pytest.approx(futures.gains[1].low)
