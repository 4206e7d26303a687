"""What an ensemble gives to take away: the sheet, a table, fields for GIS, files of the command line."""

from __future__ import annotations

import html
import io
import json
import sqlite3
import textwrap
from contextlib import closing
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from spaces import plain
from test_export_workbook import opened, problems_between, soffice

from coopconnect import cli
from coopconnect.export import gis
from coopconnect.export.sheet_robust import FIELDS, futures_fields, futures_table, robust_workbook
from coopconnect.export.tables import csv_bytes
from coopconnect.export.workbook import Included, workbook
from coopconnect.model.assessment import assess
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.show.robust_charts import driver_bars, tornado
from coopconnect.show.words import LANGUAGES, say
from coopconnect.territory.types import Territory
from coopconnect.uncertainty.bands import with_quantiles
from coopconnect.uncertainty.drivers import Driver
from coopconnect.uncertainty.engine import Setup
from coopconnect.uncertainty.laws import laws_of
from coopconnect.uncertainty.results import results
from coopconnect.uncertainty.run import Ensemble, blank, run

__all__ = ["soffice"]
pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
DAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def ensemble(small: Territory, reference: Scenario, parameters: Parameters) -> Ensemble:
    scenario = reference.with_values(refused=("10003",))
    return run(Setup(small, small, scenario, parameters, laws_of(scenario, parameters)), 60, 1, workers=2)


def _rows(sheet) -> list[dict[str, object]]:  # type: ignore[no-untyped-def]
    """The table of sites of the sheet, by its headings: it begins under the only line with a heading in column I."""
    head = next(r for r in range(1, 80) if sheet.cell(r, 9).value in ("Solide", "Robust"))
    names = [c.value for c in sheet[head]]
    return [
        dict(zip(names, [c.value for c in row], strict=True))
        for row in sheet.iter_rows(min_row=head + 1)
        if row[1].value
    ]


def test_the_sheet_holds_what_the_draws_say(ensemble: Ensemble) -> None:
    found = results(ensemble)
    assert found is not None
    content = robust_workbook(ensemble, "fr", DAY, "10009")
    assert content == robust_workbook(ensemble, "fr", DAY, "10009")
    sheet = opened(content)["Robustesse"]
    rows = _rows(sheet)
    assert [r["Code"] for r in rows] == found.sites["zone_code"].to_numpy(object)[found.order].tolist()
    assert "10003" not in {r["Code"] for r in rows}  # refused: no rank
    row = found.sites.iloc[found.order[0]]
    assert rows[0]["Viable (part des futurs)"] == pytest.approx(row["p_viable"])
    assert rows[0]["Usagers, 95 %"] == pytest.approx(row["users_p95"])
    ensemble_now = assess(ensemble.setup.territory, ensemble.setup.scenario, ensemble.setup.parameters).sites
    by_code = ensemble_now.set_index("zone_code")
    assert [r["Rang, cas de référence"] for r in rows] == by_code.loc[[r["Code"] for r in rows], "rank"].tolist()
    holds = (by_code["viability"] >= 1.0) & by_code["enough_users"]
    assert [r["Viable, cas de référence"] == "oui" for r in rows] == holds.loc[[r["Code"] for r in rows]].tolist()
    assert [r["Solide"] for r in rows] == ["oui" if flag else "non" for flag in found.sites["robust"].iloc[found.order]]
    head = next(r for r in range(1, 80) if sheet.cell(r, 9).value == "Solide")
    assert sheet.print_title_rows == f"${head}:${head}"  # on each of the pages that the table runs over
    text = " ".join(str(c.value) for line in sheet.iter_rows() for c in line if c.value is not None)
    assert "Viable dans" in text
    assert "Ce qui fait douter, à " + str(found.sites["name"].iloc[9]) in text
    assert len(opened(content, values=False)["Robustesse"]._charts) == 1


def test_the_limit_of_robust_is_live(soffice, tmp_path: Path, ensemble: Ensemble) -> None:  # type: ignore[no-untyped-def]
    content = robust_workbook(ensemble, "fr", DAY)
    same = openpyxl.load_workbook(soffice(content, "xlsx", tmp_path), data_only=True)
    assert problems_between(opened(content), same) == []
    book = openpyxl.load_workbook(io.BytesIO(content))
    label = next(c for c in book["Robustesse"]["A"] if str(c.value).startswith("«\u00a0Solide\u00a0»"))
    book["Robustesse"].cell(label.row, 2).value = 0.0
    out = io.BytesIO()
    book.save(out)
    moved = openpyxl.load_workbook(soffice(out.getvalue(), "xlsx", tmp_path), data_only=True)["Robustesse"]
    assert {r["Solide"] for r in _rows(moved)} == {"oui"}
    assert moved.cell(label.row + 2, 2).value == len(_rows(moved))


def test_the_workbook_has_the_sheet_where_futures_are_drawn(
    ensemble: Ensemble, small: Territory, parameters: Parameters
) -> None:
    now = assess(small, ensemble.setup.scenario, parameters)
    names = {}
    for given in (None, ensemble, blank(ensemble.setup, 20, 0)):
        content = workbook(now, now, parameters, (), "en", on=DAY, included=Included(ensemble=given))
        names[given] = opened(content).sheetnames
    assert [("Robustness" in found) for found in names.values()] == [False, True, False]
    drawn = with_quantiles(now, ensemble)
    book = opened(workbook(drawn, now, parameters, (), "en", on=DAY, included=Included(ensemble=ensemble)))
    text = " ".join(str(c.value) for c in book["Sites"][2])
    assert f"5 and 95% of {drawn.drawn} futures drawn" in text
    total = next(row for row in book.worksheets[0].iter_rows() if "participating household" in str(row[0].value))
    hours = drawn.totals["hours_per_participating_household"]
    assert [c.value for c in total[1:4]] == pytest.approx([hours.value, hours.low, hours.high])


def test_the_reference_case_is_on_the_charts_of_what_drives(parameters: Parameters) -> None:
    """On the bars of a variance, as the value of each quantity; on the tornado, as the future that it is."""
    key = "opex_shared_eur_per_year"
    driver = Driver(key, "assumption", -0.8, 0.6, 0.1)
    bars = driver_bars((driver,), {key: 15_000.0}, parameters, 200)
    assert plain(html.unescape(bars.layout.yaxis.ticktext[0])) == (
        "Fonctionnement annuel d'un<br>petit lieu en local partagé *<br>référence : 15 000 €/an"
    )
    rng = np.random.default_rng(0)
    columns, viable = {key: rng.random(100)}, rng.random(100) < 0.6
    for central, x, word in ((True, 100.0, "viable"), (False, 0.0, "non viable")):
        figure = tornado((driver,), columns, viable, parameters, central)
        assert [shape.x0 for shape in figure.layout.shapes] == pytest.approx([100.0 * viable.mean(), x])
        assert plain(figure.layout.annotations[-1].text) == f"cas de référence : {word}"


def test_csv_for_french_excel(ensemble: Ensemble) -> None:
    found = results(ensemble)
    assert found is not None
    lines = csv_bytes(futures_table(found)).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("name;zone_code;")
    assert len(lines) == len(found.order) + 1


def test_probabilities_are_fields_of_the_maps(tmp_path: Path, ensemble: Ensemble, parameters: Parameters) -> None:
    import shapely

    found = results(ensemble)
    assert found is not None
    s = ensemble.setup
    now = assess(s.territory, s.scenario, parameters)
    codes = now.sites["zone_code"].tolist()
    squares = np.array([shapely.box(k, 44, k + 1, 45) for k in range(len(codes))])
    fields = futures_fields(found)
    document = json.loads(gis.geojson_bytes(now, codes, squares, "fr", fields))
    for feature in document["features"]:
        told = feature["properties"]
        assert told["p_viable"] == pytest.approx(fields.loc[feature["id"], "p_viable"], abs=1e-5)
    assert set(FIELDS) <= set(document["fields"])
    assert document["fields"]["rank_p95"]["title"] == "Rang, 95 %"
    path = tmp_path / "sites.gpkg"
    gis.write_geopackage(path, now, codes, squares, "en", DAY, fields)
    with closing(sqlite3.connect(path)) as file:
        kept = dict(file.execute("SELECT zone_code, p_top10 FROM sites"))
        titles = dict(file.execute("SELECT column_name, title FROM gpkg_data_columns"))
    assert kept == pytest.approx(fields["p_top10"].to_dict())
    assert titles["p_viable"] == "Viable (share of futures)"
    assert "p_viable" not in json.loads(gis.geojson_bytes(now, codes, squares))["fields"]


@pytest.mark.parametrize("ending", [".xlsx", ".csv", ".gpkg"])
def test_the_command_writes_a_file(ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / f"futures{ending}"
    assert cli.main(["ensemble", "--territory", "d04", "--draws", "20", "--to", str(target), "--json"]) == 0
    capsys.readouterr()
    assert target.stat().st_size > 5_000


def test_the_command_refuses_another_ending(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ensemble", "--territory", "d04", "--draws", "20", "--to", str(tmp_path / "a.pdf")]) == 2
    assert "allowed endings .xlsx, .csv, .gpkg" in capsys.readouterr().err


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_heads_of_the_plans_stand_in_their_row(language: str) -> None:
    """Columns of 12 characters under a row of three lines: a fourth line of a head would be cut."""
    for key in ("sites", "worth", "gains", "best", "regret", "p95", "worst"):
        head = plain(say(f"export.robust.plan_{key}", language))
        assert len(textwrap.wrap(head, 12)) <= 3, head
