"""Files to take home: every ending, the kit, names, hosts' answers, and the map that opens without a network."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from PIL import Image

from coopconnect import cli
from coopconnect.cli import main
from coopconnect.dossier import Dossier
from coopconnect.export import files, tables
from coopconnect.export.arguments import KINDS, day_words
from coopconnect.export.files import CHARTS, ENDINGS, Taken, export_bytes, kit_bytes, readme, site_of
from coopconnect.export.sheet_comparison import Compared
from coopconnect.model.assessment import assess
from coopconnect.parameters import DATA_DIR, Parameters
from coopconnect.scenario import reference_scenario
from coopconnect.scenario_file import from_toml
from coopconnect.show.words import say
from coopconnect.territory.hosts import hosts_of
from coopconnect.territory.load import load_territory
from coopconnect.territory.official.contract import Label
from coopconnect.territory.official.status import beside, shipped_beside

ON = date(2026, 11, 25)
STARTS = {
    ".xlsx": b"PK", ".pdf": b"%PDF", ".html": b"<!", ".png": b"\x89PNG", ".svg": b"<?xml", ".geojson": b"{",
    ".gpkg": b"SQLite", ".csv": b"\xef\xbb\xbf", ".zip": b"PK",
}  # fmt: skip


@pytest.fixture(scope="module")
def taken(parameters: Parameters, paca) -> Taken:
    territory = load_territory("200040624", DATA_DIR / "territory", circuity=parameters.value("circuity"))
    scenario = reference_scenario(parameters, territory.code).with_values(hosts=(("m84003", "asked"),))
    found = replace(assess(territory, scenario, parameters, home=paca), scenario=scenario)
    dossier = Dossier(title='=HYPERLINK("x")', why="Pourquoi")
    link = "https://coop-connect.example/decider?v=1&site=84003"
    return Taken(territory, found, found, parameters, "fr", ON, link, "84003", dossier, home=paca)


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending_gives_its_file(taken: Taken, ending: str) -> None:
    content = export_bytes(taken, ending)
    assert content.startswith(STARTS[ending]) and len(content) > 1_000


@pytest.mark.parametrize("chart", CHARTS)
def test_every_chart_is_a_picture(taken: Taken, chart: str) -> None:
    picture = Image.open(io.BytesIO(export_bytes(taken, ".png", chart=chart)))
    assert picture.width > 1_700
    assert export_bytes(taken, ".svg", chart=chart).startswith(b"<?xml")


def test_the_command_line_knows_every_argument_and_chart() -> None:
    assert cli.CHARTS == CHARTS and tuple(KINDS) == cli.ARGUMENTS


def test_wrong_asks_are_told(taken: Taken) -> None:
    with pytest.raises(ValueError, match=r"\.docx: allowed endings \.xlsx, \.pdf"):
        export_bytes(taken, ".docx")
    with pytest.raises(ValueError, match="chart: allowed map, hours"):
        export_bytes(taken, ".png", chart="pie")
    with pytest.raises(ValueError, match="site 99999: not a commune"):
        export_bytes(replace(taken, site_code="99999"), ".pdf")
    sites = taken.assessment.sites.assign(rank=0)
    nobody = replace(taken, site_code="", assessment=replace(taken.assessment, sites=sites))
    with pytest.raises(ValueError, match="every site was refused"):
        site_of(nobody)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_kit_has_everything_and_says_what_is_modelled(taken: Taken, language: str) -> None:
    kit = zipfile.ZipFile(io.BytesIO(kit_bytes(replace(taken, language=language))))
    names = ("readme", "elected", "employers", "state", "workbook", "map_html", "map_png", "scenario")
    charts = {say(f"take.chart.{name}", language) for name in CHARTS[1:]}
    folder = say("take.folder", language)
    assert kit.namelist()[: len(names)] == [say(f"take.file.{name}", language) for name in names]
    pictures = {f"{folder}/{chart}.{kind}" for chart in charts for kind in ("png", "csv")}
    assert set(kit.namelist()[len(names) :]) == pictures
    assert kit.testzip() is None
    text = kit.read(kit.namelist()[0]).decode("utf-8-sig")
    assert taken.link in text and say("kind.modelled", language) in text and "\r\n" in text
    for name in (*kit.namelist()[1 : len(names)], f"{folder}/"):
        assert name in text
    for table in (*taken.territory.provenance, *shipped_beside()):
        assert table.source_in(language) in text
    read = from_toml(kit.read("scenario.toml").decode(), taken.parameters)
    assert read.scenario == taken.assessment.scenario and read.dossier.title == taken.dossier.title


@pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
def test_the_workbook_holds_the_scenarios_put_aside_and_says_why_there_is_no_plan(taken: Taken) -> None:
    dear = taken.assessment.scenario.with_values(fuel_price_eur_per_l=3.0, hosts=())
    other = assess(taken.territory, dear, taken.parameters, home=taken.home)
    assert files.as_assessed(taken).scenario.hosts == ()
    lists = Label(
        "places", "partly", "INSEE, Bibliothèques + liste.csv", "2025", "Licence Ouverte 2.0", "", "", "", "", 9, 9, 0
    )
    more = replace(taken, compared=(Compared("Crise", other),), plan=("pas de plan",), beside=beside({"places": lists}))
    book = openpyxl.load_workbook(io.BytesIO(files.workbook_bytes(more)))
    assert {"Comparaison", "Réseau"} <= set(book.sheetnames)
    told = {row[0]: row[1:5] for row in book["Sources"].iter_rows(values_only=True) if row[0]}
    assert told["Lieux"] == ("en partie officiel", lists.source, "2025", lists.licence)  # what is loaded
    prices = next(p for p in shipped_beside() if p.table == "fuel")
    assert told["Prix des carburants"] == ("officiel", prices.source, prices.year, prices.licence)  # what is shipped
    figures = files.charts_of(replace(taken, compared=(Compared("Crise", other),)))
    bands = tables.csv_bytes(tables.chart_table(figures["bands"], "fr")).decode("utf-8-sig").splitlines()
    assert bands[0] == "série;ménages;y;lecture" and re.match(
        r"Y perdent;-?[\d,]+;0 à 5\s+km;0 à 5\s+km\s:\s", bands[1]
    )
    spread = tables.chart_table(figures["spread"], "fr")
    assert set(spread["série"]) == {'A · =HYPERLINK("x")', "B · Crise"}
    assert figures["levers"].layout.meta["title"].startswith("Communes rurales à l'équilibre\u00a0: de ")
    words = {cell.value for row in book["Comparaison"].iter_rows() for cell in row}
    assert "Crise" in words and not any("host" in str(word) for word in words)


@pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
def test_a_workbook_tells_hosts_refusals_by_commune_compared_or_not(taken: Taken) -> None:
    hosts = hosts_of(taken.territory.zones)
    answers = tuple(sorted((ids[0], "refused") for ids in hosts.loc[hosts["zone_code"] == "84003", "sources"]))
    assert answers
    told = replace(taken.assessment, scenario=taken.assessment.scenario.with_values(hosts=answers))
    other = Compared("Autre", taken.reference)
    for compared in ((), (other,)):
        content = files.workbook_bytes(replace(taken, assessment=told, compared=compared))
        summary = openpyxl.load_workbook(io.BytesIO(content))["Synthèse"]
        row = next(r for r in summary.iter_rows() if r[0].value == say("export.say.refused", "fr"))
        assert row[1].value == 1, compared


def test_the_kit_twice_is_the_same_file(taken: Taken) -> None:
    assert kit_bytes(taken) == kit_bytes(taken)


def test_the_answers_of_hosts_are_told_in_the_council_page(taken: Taken) -> None:
    from coopconnect.export.argument_facts import facts_of
    from coopconnect.export.arguments import page_data
    from coopconnect.territory.hosts import hosts_of

    zones = taken.territory.zones
    facts = facts_of(
        taken.assessment, taken.reference, taken.territory, taken.parameters, "84003", taken.dossier, hosts_of(zones),
        "fr", taken.home,
    )  # fmt: skip
    items = [item["text"] for item in page_data("elected", facts, taken.link, ON)[0]["actions"]["items"]]
    assert items[0].startswith("Obtenir la réponse attendue") and "Mairie (Apt)" in items[0]


def test_only_an_address_gets_a_code(taken: Taken) -> None:
    from coopconnect.export.argument_facts import facts_of
    from coopconnect.export.arguments import page_data
    from coopconnect.territory.hosts import hosts_of

    facts = facts_of(
        taken.assessment, taken.reference, taken.territory, taken.parameters, "84003", taken.dossier,
        hosts_of(taken.territory.zones), "fr", taken.home,
    )  # fmt: skip
    assert page_data("state", facts, "?v=1", ON)[1] == {}
    assert set(page_data("state", facts, taken.link, ON)[1]) == {"code.svg"}
    data, files = page_data("state", facts, "http://localhost:8501/decider?v=1", ON)
    assert (data["code"], files) == (False, {}) and "seulement sur l'ordinateur" in data["shown_link"]


def test_the_readme_of_a_title_is_plain_text(taken: Taken) -> None:
    assert '=HYPERLINK("x")' in readme(taken)


def test_the_map_file_asks_nobody(taken: Taken) -> None:
    page = files.map_html_bytes(taken).decode()
    assert "default-src 'none'" in page
    assert "Carburant" in page and day_words(ON, "fr") in page  # the scenario and the day, in words
    kept = files.map_html_bytes(replace(taken, rural_only=True)).decode()
    assert "Hors du filtre" in kept and "Non évaluée" not in kept  # a town was assessed: it is only not listed


def test_the_command_line_gives_an_argument_and_the_kit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--territory", "200040624"]
    assert main(["export", *where, "--to", str(tmp_path / "a.pdf"), "--site", "84003", "--argument", "state"]) == 0
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert main(["export", *where, "--to", str(tmp_path / "a.svg"), "--chart", "components", "--language", "en"]) == 0
    assert main(["export", *where, "--to", str(tmp_path / "a.pdf"), "--site", "75056"]) == 2
    assert main(["export", *where, "--to", str(tmp_path / "a.docx")]) == 2
    errors = capsys.readouterr().err
    assert "site 75056: not a commune" in errors and "allowed endings .xlsx, .pdf" in errors
