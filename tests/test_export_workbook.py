"""The workbook: cached values, live formulas, safe text, tables and names; and LibreOffice's own opinion of it."""

from __future__ import annotations

import io
import math
import re
import shutil
import subprocess
import time
import zipfile
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from fixtures_assessment import PROVENANCE, synthetic_assessment

from coopconnect.export.columns import PAID, SITE_SHEET_COLUMNS
from coopconnect.export.sheet_sites import FIRST_ROW, HEADER_ROW
from coopconnect.export.sheet_tables import grouped_households
from coopconnect.export.workbook import workbook
from coopconnect.model.types import RANGED, SITE_COLUMNS, TOTALS
from coopconnect.parameters import load_parameters
from coopconnect.scenario import COMPONENTS
from coopconnect.show.words import say

ON = date(2026, 11, 22)
LINK = "http://127.0.0.1:8501/?v=1&fuel_price_eur_per_l=2.25"
HOSTILE = ('=HYPERLINK("http://x","y")', "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "Normal & <b>")
ERRORS = re.compile(r"^(Err:\d+|#REF!|#NAME\?|#VALUE!|#DIV/0!|#N/A|#NUM!|#NULL!)")
SECONDS_PACA, MEGABYTES_PACA = 3.0, 5.0
FRENCH_SHEETS = ["Synthèse", "Équilibre", "Sites", "Communes", "Ménages", "Hypothèses", "Sources"]

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")


def make(assessment=None, reference=None, language="fr", **more) -> bytes:
    reference = reference or synthetic_assessment()
    if assessment is None:
        moved = reference.scenario.with_values(
            fuel_price_eur_per_l=2.25, council_contribution_eur_per_year=13_000.0, changed=(("circuity", 1.5),)
        )
        assessment = synthetic_assessment(scenario=moved)
    values = {"link": LINK, "on": ON, "title": "Autour d'Apt", **more}
    return workbook(assessment, reference, load_parameters(), PROVENANCE, language, **values)


def opened(content: bytes, values: bool = True) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content), data_only=values)


def column_of(name: str) -> int:
    """Column (from 1) of the sheet Sites."""
    return [c.name for c in SITE_SHEET_COLUMNS].index(name) + 1


def site_values(book: openpyxl.Workbook, name: str, count: int, sheet: str = "Sites") -> list:
    column = column_of(name)
    return [book[sheet].cell(FIRST_ROW + 1 + row, column).value for row in range(count)]


def row_of(sheet, label: str) -> int:
    """Row in which column A holds a label."""
    return next(r for r in range(1, sheet.max_row + 1) if sheet.cell(r, 1).value == label)


def test_sheets_in_both_languages():
    assert opened(make()).sheetnames == FRENCH_SHEETS
    english = opened(make(language="en")).sheetnames
    assert english == ["Summary", "Break-even", "Sites", "Communes", "Households", "Assumptions", "Sources"]


def test_every_result_column_is_there():
    names = [c.name for c in SITE_SHEET_COLUMNS]
    assert len(names) == len(set(names))
    wanted = [*SITE_COLUMNS, *(f"{n}_{end}" for n in RANGED for end in ("low", "high"))]
    assert [n for n in wanted if n not in names] == []
    for name in RANGED:
        at = names.index(name)
        assert names[at + 1 : at + 3] == [f"{name}_low", f"{name}_high"]


def test_cached_values_are_those_of_the_assessment():
    assessment = synthetic_assessment()
    book = opened(make(assessment))
    sites = assessment.sites.assign(order=assessment.sites["rank"].where(assessment.sites["rank"] > 0, 10**6))
    sites = sites.sort_values("order", kind="stable")
    for name in ("zone_code", "score", "rank", "users", "hours_per_year", "kg_co2e_per_year_low", "viability"):
        assert site_values(book, name, len(sites)) == pytest.approx(sites[name].tolist()), name
    summary = book["Synthèse"]
    for key in TOTALS:
        row = row_of(summary, say(f"export.total.{key}", "fr"))
        total = assessment.totals[key]
        shown = [summary.cell(row, c).value for c in (2, 3, 4)]
        assert shown == pytest.approx([total.value, total.low, total.high])
        assert summary.cell(row, 7).value == pytest.approx(0.0)


def test_missing_values_stay_empty():
    assessment = synthetic_assessment()
    medians = site_values(opened(make(assessment)), "hours_d5", len(assessment.sites))
    assert medians.count(None) == int(assessment.sites["hours_d5"].isna().sum()) > 0


def test_break_even_is_live_and_empty_where_there_is_none():
    assessment = synthetic_assessment()
    count = len(assessment.sites)
    content = make(assessment)
    users = assessment.sites["break_even_users"].iloc[0]
    assert site_values(opened(content), "break_even_users", count) == pytest.approx([users] * count)
    assert set(site_values(opened(content, values=False), "break_even_users", count)) == {"=usagers_equilibre"}
    endless = replace(assessment, sites=assessment.sites.assign(break_even_users=math.inf))
    assert set(site_values(opened(make(endless)), "break_even_users", count)) <= {None, ""}


def test_euros_are_shown_before_and_after_the_price_of_the_hub():
    assessment = synthetic_assessment()
    content = make(assessment)
    book, formulas = opened(content), opened(content, values=False)
    first = column_of("eur_per_participating_household")
    names = [c.name for c in SITE_SHEET_COLUMNS][first - 1 :][:5]
    assert [n for n in names if not n.endswith(("_low", "_high"))] == list(PAID)
    after = column_of(PAID[2])
    place = formulas["Sites"].cell(FIRST_ROW + 1, after).coordinate
    assert formulas["Sites"][place].value.startswith("=")
    assert any(place in r.sqref and r.rules[0].operator == "lessThan" for r in formulas["Sites"].conditional_formatting)
    summary = book["Synthèse"]
    row = row_of(summary, say("export.total.eur_after_price", "fr"))
    total, price = assessment.totals[PAID[0]], assessment.sites[PAID[1]].iloc[0]
    shown = [summary.cell(row, c).value for c in (2, 3, 4)]
    assert shown == pytest.approx([total.value - price, total.low - price, total.high - price])
    best = assessment.sites.set_index("rank").loc[1]
    for key in PAID:
        assert summary.cell(row_of(summary, say(f"export.site.{key}", "fr")), 2).value == pytest.approx(best[key])


def test_text_of_users_is_never_a_formula():
    reference = synthetic_assessment()
    sites = reference.sites.copy()
    sites.loc[: len(HOSTILE) - 1, "name"] = HOSTILE
    assessment = replace(reference, sites=sites, territory_name="=1+1 & co")
    for title in HOSTILE:
        book = opened(make(assessment, title=title), values=False)
        cell = book["Synthèse"]["A2"]
        assert cell.data_type == "s" and cell.value == title.strip()
    names = [book["Sites"].cell(FIRST_ROW + 1 + r, column_of("name")) for r in range(len(sites))]
    shown = {c.value: c for c in names}
    for text in HOSTILE:
        assert shown[text].data_type == "s"
        assert shown[text].quotePrefix == text.startswith(("=", "+", "-", "@", "\t"))


@pytest.mark.parametrize("link", ["?v=1", "=cmd()", "javascript:alert(1)", "https://x.fr/?" + "a" * 3000, ""])
def test_only_web_addresses_are_links(link):
    sheet = opened(make(link=link), values=False)["Synthèse"]
    assert sheet["A5"].hyperlink is None
    assert sheet["A5"].data_type != "f"


def test_the_scenario_can_be_opened_again():
    assert opened(make(), values=False)["Synthèse"]["A5"].hyperlink.target == LINK


def test_long_names_fit_the_header():
    assessment = replace(synthetic_assessment(), territory_name="Communes & choisies " * 30)
    assert len(opened(make(assessment))["Sites"].oddHeader.left.text) < 200


def test_long_and_odd_text_is_kept_in_bounds():
    book = opened(make(title="é\x01\U0001f600" + "x" * 40_000))
    assert len(book["Synthèse"]["A2"].value) <= 32_767


def test_formulas_live_where_a_reader_would_check():
    book = opened(make(), values=False)
    sites = book["Sites"]
    for name in ("score", "rank", "viability", "component_time", "hours_per_participating_household", "score_change"):
        assert str(sites.cell(FIRST_ROW + 1, column_of(name)).value).startswith("="), name
    for component in COMPONENTS:
        name = say(f"export.name.weight_{component}", "fr")
        assert name in sites.cell(FIRST_ROW + 1, column_of("score")).value
        assert book.defined_names[name].attr_text.startswith("'Synthèse'!$B$")


def test_no_formula_reads_a_clock_or_chance():
    book = opened(make(), values=False)
    formulas = [str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"]
    assert len(formulas) > 500
    assert not [f for f in formulas if re.search(r"\b(NOW|TODAY|RAND|RANDBETWEEN|OFFSET|INDIRECT)\(", f)]


def test_same_arguments_same_cells():
    first, second = (zipfile.ZipFile(io.BytesIO(make())) for _ in range(2))
    for name in first.namelist():
        assert first.read(name) == second.read(name), name


def test_tables_names_panes_print_and_properties():
    book = opened(make(), values=False)
    tables = {name: table for sheet in book for name, table in sheet.tables.items()}
    assert {"TableSites", "TableCommunes", "TableMenages", "TableHypotheses", "TableSources"} <= set(tables)
    for sheet in book:
        for table in sheet.tables.values():
            heads = [c.value for c in sheet[table.ref][0]]
            assert heads == [column.name for column in table.tableColumns]
            assert len({h.lower() for h in heads}) == len(heads)
        assert sheet.freeze_panes
        assert sheet.print_area
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert "0.0-test" in sheet.oddFooter.left.text and "22/11/2026" in sheet.oddFooter.left.text
    assert book.properties.creator == "Coop-connect"
    assert book.properties.created == datetime(2026, 11, 22)
    assert "Autour d'Apt" in book.properties.title
    for name, defined in book.defined_names.items():
        sheet, cell = defined.attr_text.split("!")
        assert book[sheet.strip("'")][cell.replace("$", "")].value is not None, name


def test_charts_are_native():
    files = zipfile.ZipFile(io.BytesIO(make())).namelist()
    assert len([f for f in files if f.startswith("xl/charts/chart")]) >= 3
    assert not [f for f in files if f.startswith("xl/media/")]


def test_weights_are_validated():
    sheet = opened(make(), values=False)["Synthèse"]
    row = row_of(sheet, "Viabilité")
    rules = [v for v in sheet.data_validations.dataValidation if f"B{row}" in str(v.sqref)]
    assert [(r.type, float(r.formula1), float(r.formula2)) for r in rules] == [("decimal", 0.0, 100.0)]


def test_assumptions_sheet_has_every_parameter():
    parameters = load_parameters()
    sheet = opened(make())["Hypothèses"]
    keys = [sheet.cell(FIRST_ROW + 1 + n, 15).value for n in range(len(parameters))]
    assert keys == list(parameters)
    row = FIRST_ROW + 1 + keys.index("circuity")
    values = [sheet.cell(row, c).value for c in range(2, 8)]
    item = parameters["circuity"]
    assert values == [1.5, item.value, item.low, item.high, "ratio", "changé"] or values[:4] == [
        1.5, item.value, item.low, item.high
    ]  # fmt: skip
    assert values[5] == "changé"
    assert sheet.cell(row, 10).value.date() == item.review_by


def test_sources_sheet_has_provenance_and_link():
    sheet = opened(make())["Sources"]
    seen = " ".join(str(c.value) for row in sheet.iter_rows() for c in row if c.value)
    assert LINK in seen
    for item in PROVENANCE:
        assert item.source in seen
    assert "officiel" in seen and "modélisé" in seen and "estimé" in seen


def test_classes_of_hours_keep_zero_as_a_limit():
    edges = np.arange(-100.0, 301.0, 4.0)
    table = pd.DataFrame({"hours_from": edges[:-1], "hours_to": edges[1:], "users_share": 0.01})
    grouped = grouped_households(table)
    assert len(grouped) <= 28
    assert grouped["users_share"].sum() == pytest.approx(1.0)
    assert 0.0 in grouped["hours_from"].tolist()
    below = table.loc[table["hours_to"] <= 0, "users_share"].sum()
    assert grouped.loc[grouped["hours_to"] <= 0, "users_share"].sum() == pytest.approx(below)
    assert (grouped["hours_from"].to_numpy()[1:] == grouped["hours_to"].to_numpy()[:-1]).all()


def test_every_column_says_official_or_modelled():
    loaded = [replace(PROVENANCE[0], table="rural"), replace(PROVENANCE[0], table="climate", kind="own")]
    others = [item for item in PROVENANCE if item.table != "climate"]
    reference = synthetic_assessment()
    book = opened(
        workbook(reference, reference, load_parameters(), [*others, *loaded], "fr", link=LINK, on=ON, title="t")
    )
    sheet = book["Sites"]
    over = [sheet.cell(3, n + 1).value for n in range(len(SITE_SHEET_COLUMNS))]
    assert set(over) <= {"officiel", "modélisé", "estimé", "choisi", "modélisé ƒx", "fichier de l'utilisateur"}
    assert (over[column_of("rural") - 1], over[column_of("hot_days") - 1]) == ("officiel", "fichier de l'utilisateur")
    told = [row[1] for row in book["Sources"].iter_rows(values_only=True) if row[0] == "Sites"]
    assert told == over  # the dictionary of columns says of each what stands over it


def nobody_agrees(count: int = 8):
    """A territory in which every host has refused."""
    everyone = tuple(synthetic_assessment(count).sites["zone_code"])
    return synthetic_assessment(count, scenario=synthetic_assessment(count).scenario.with_values(refused=everyone))


def test_a_territory_without_available_site_still_exports():
    assessment = nobody_agrees()
    assert site_values(opened(make(assessment, assessment)), "rank", 8) == [0] * 8


def test_a_country_keeps_its_best_sites_and_its_totals(monkeypatch):
    monkeypatch.setattr("coopconnect.export.sheet_sites.MOST_SITES", 10)
    assessment = synthetic_assessment()
    content = make(assessment, assessment)
    book, formulas = opened(content), opened(content, values=False)
    assert site_values(book, "rank", 11)[:10] == list(range(1, 11))
    assert site_values(book, "zone_code", 11)[10] is None
    assert "10 premières communes sur 40" in book["Sites"]["D2"].value  # right of the columns of every page
    assert "A1:C2" in {
        str(span) for span in book["Sites"].merged_cells.ranges
    }  # the title, whole on each band of pages
    summary = book["Synthèse"]
    row = row_of(summary, say("export.total.sites", "fr"))
    assert summary.cell(row, 2).value == assessment.totals["sites"].value
    assert not str(formulas["Synthèse"].cell(row, 2).value).startswith("=")


def test_paca_is_quick_and_small():
    reference = synthetic_assessment(946)
    seconds = []
    for _ in range(3):  # time of this process alone: the machines of the tests are shared
        started = time.process_time()
        content = make(reference, reference)
        seconds.append(time.process_time() - started)
    assert min(seconds) < SECONDS_PACA
    assert len(content) < MEGABYTES_PACA * 1e6


# --- LibreOffice ----------------------------------------------------------------------------------------------

RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item></oor:items>"""


@pytest.fixture(scope="module")
def soffice(tmp_path_factory):
    """A function that converts a file with LibreOffice in a profile of its own, all formulas computed again."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.skip("needs LibreOffice (soffice), which is not installed here")
    profile = tmp_path_factory.mktemp("profile")
    (profile / "user").mkdir()
    (profile / "user" / "registrymodifications.xcu").write_text(RECALCULATE, encoding="utf-8")

    return Office(program, profile)


class Office:
    """LibreOffice with a profile of its own; called, it converts one file."""

    def __init__(self, program: str, profile: Path) -> None:
        self.command = [program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to"]

    def __call__(self, content: bytes, form: str, folder: Path) -> Path:
        return self.together([content], form, folder)[0]

    def together(self, contents: list[bytes], form: str, folder: Path) -> list[Path]:
        """Several files in one start of the program, which takes longer than a file."""
        (folder / "in").mkdir(parents=True, exist_ok=True)
        names = ["workbook", *(f"workbook{n}" for n in range(1, len(contents)))]
        sources = [folder / "in" / f"{name}.xlsx" for name in names]
        for source, content in zip(sources, contents, strict=True):
            source.write_bytes(content)
        subprocess.run(
            [*self.command, form, "--outdir", str(folder), *map(str, sources)],
            check=True,
            capture_output=True,
            timeout=400,
        )
        return [folder / f"{name}.{form}" for name in names]


def problems_between(before: openpyxl.Workbook, after: openpyxl.Workbook) -> list[str]:
    """Cells that are errors, or that differ, after LibreOffice has computed everything again."""
    found = []
    for sheet in before:
        for row in sheet.iter_rows():
            for cell in row:
                mine, theirs = cell.value, after[sheet.title][cell.coordinate].value
                place = f"{sheet.title}!{cell.coordinate}"
                if isinstance(theirs, str) and ERRORS.match(theirs):
                    found.append(f"{place}: {theirs}")
                elif mine in (None, "") and theirs in (None, ""):
                    continue
                elif isinstance(mine, (int, float)) and isinstance(theirs, (int, float)):
                    if not math.isclose(mine, theirs, rel_tol=1e-6, abs_tol=1e-6):
                        found.append(f"{place}: {mine} became {theirs}")
                elif mine != theirs and not (isinstance(mine, str) and mine.strip() == str(theirs).strip()):
                    found.append(f"{place}: {mine!r} became {theirs!r}")
    return found


@pytest.mark.parametrize(("language", "rural_only"), [("fr", False), ("fr", True), ("en", False)])
def test_libreoffice_computes_the_same_without_error(soffice, tmp_path, language, rural_only):
    content = make(language=language, rural_only=rural_only)
    computed = openpyxl.load_workbook(soffice(content, "xlsx", tmp_path), data_only=True)
    assert problems_between(opened(content), computed) == []


def test_libreoffice_accepts_a_territory_without_available_site(soffice, tmp_path):
    content = make(nobody_agrees(), nobody_agrees())
    computed = openpyxl.load_workbook(soffice(content, "xlsx", tmp_path), data_only=True)
    assert problems_between(opened(content), computed) == []


def test_libreoffice_agrees_with_the_real_engine(soffice, tmp_path, small, parameters, reference):
    """The formulas of the sheets are those of the model: any drift between the two shows here."""
    from coopconnect.model.assessment import assess

    usual = assess(small, reference, parameters)
    moved = reference.with_values(
        fuel_price_eur_per_l=2.5, day_price_eur=12.0, premises="own", refused=(small.zones["zone_code"][3],),
        weight_viability=10.0, changed=(("anchor_hours_per_1000_eur", 80.0),),
    )  # fmt: skip
    content = make(assess(small, moved, parameters), usual)
    computed = openpyxl.load_workbook(soffice(content, "xlsx", tmp_path), data_only=True)
    assert problems_between(opened(content), computed) == []


def changed_workbook(content: bytes, cells: dict[tuple[str, str], object]) -> bytes:
    """The file with some cells changed by hand. openpyxl drops all cached values on the way."""
    book = opened(content, values=False)
    for (sheet, cell), value in cells.items():
        book[sheet][cell] = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_changed_weight_changes_score_rank_and_summary(soffice, tmp_path):
    content = make()
    before = opened(content)
    names = opened(content, values=False).defined_names
    cell = {c: names[say(f"export.name.weight_{c}", "fr")].attr_text.split("!")[1].replace("$", "") for c in COMPONENTS}
    edited = changed_workbook(content, {("Synthèse", cell["viability"]): 0, ("Synthèse", cell["resilience"]): 90})
    after = openpyxl.load_workbook(soffice(edited, "xlsx", tmp_path), data_only=True)
    count = len(synthetic_assessment().sites)
    points = {c: site_values(before, f"component_{c}", count) for c in COMPONENTS}
    weights = {"viability": 0.0, "time": 20.0, "money": 20.0, "co2": 20.0, "resilience": 90.0}
    expected = np.sum([np.array(points[c]) * w for c, w in weights.items()], axis=0) / 150.0
    score = np.array(site_values(after, "score", count), float)
    assert score == pytest.approx(expected, abs=1e-6)
    available = np.array(site_values(after, "available", count)) == "oui"
    rank = np.array(site_values(after, "rank", count))
    order = np.argsort(-np.where(available, score, -1.0), kind="stable")
    assert list(rank[order[: available.sum()]]) == list(range(1, available.sum() + 1))
    assert set(rank[~available]) == {0}
    best = site_values(after, "name", count)[order[0]]
    summary = after["Synthèse"]
    assert summary.cell(row_of(summary, "Commune") + 1, 1).value == best
    row = row_of(summary, "Total des poids")
    assert summary.cell(row, 2).value == 150
    assert "ne font pas 100" in summary.cell(row, 3).value


def test_a_changed_contribution_moves_viability_and_totals(soffice, tmp_path):
    content = make()
    name = opened(content, values=False).defined_names["contribution_collectivite"]
    cell = name.attr_text.split("!")[1].replace("$", "")
    edited = changed_workbook(content, {("Synthèse", cell): 60_000})
    after = openpyxl.load_workbook(soffice(edited, "xlsx", tmp_path), data_only=True)
    count = len(synthetic_assessment().sites)
    cost, revenue = (site_values(after, k, count) for k in ("yearly_cost_eur", "revenue_eur_per_year"))
    expected = [(r + 60_000) / c for r, c in zip(revenue, cost, strict=True)]
    assert site_values(after, "viability", count) == pytest.approx(expected)
    summary = after["Synthèse"]
    available, users = (site_values(after, k, count) for k in ("available", "users"))
    core = load_parameters()["core_users_gate"].value
    expected = sum(a == "oui" and u >= core for a, u in zip(available, users, strict=True))
    row = row_of(summary, say("export.total.viable_sites", "fr"))
    assert 0 < summary.cell(row, 2).value == expected < available.count("oui")


def test_a_changed_core_of_users_moves_points_and_totals(soffice, tmp_path):
    content = make()
    sheet, cell = opened(content, values=False).defined_names["noyau_usagers"].attr_text.replace("$", "").split("!")
    edited = changed_workbook(content, {(sheet.strip("'"), cell): 15})
    after = openpyxl.load_workbook(soffice(edited, "xlsx", tmp_path), data_only=True)
    count = len(synthetic_assessment().sites)
    ratio, users, free = (np.array(site_values(after, k, count)) for k in ("viability", "users", "available"))
    expected = 100 * np.clip(ratio, 0, 1) * np.clip(users / 15, 0, 1)
    assert site_values(after, "component_viability", count) == pytest.approx(expected)
    assert site_values(after, "enough_users", count) == np.where(users >= 15, "oui", "non").tolist()
    summary = after["Synthèse"]
    row = row_of(summary, say("export.total.viable_sites", "fr"))
    assert summary.cell(row, 2).value == int(((free == "oui") & (ratio >= 1) & (users >= 15)).sum())


def test_libreoffice_prints_it(soffice, tmp_path):
    made = soffice(make(), "pdf", tmp_path)
    assert made.read_bytes().startswith(b"%PDF")
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("needs pdftotext, which is not installed here")
    text = subprocess.run([reader, "-layout", str(made), "-"], check=True, capture_output=True).stdout.decode()
    for word in ("Coop-connect", "Ce que donne ce scénario", "Modèle 0.0-test", "Page 1"):
        assert word in text
    assert not re.search(r"Err:\d|#REF!|#NAME\?|#VALUE!|###", text)


def test_header_row_is_where_the_table_starts():
    book = opened(make(), values=False)
    assert book["Sites"].tables["TableSites"].ref.startswith(f"A{HEADER_ROW + 1}:")
