"""The sheets Équilibre, Comparaison, Fiche and Gagnants: text stays text, sums are sums, LibreOffice agrees."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from fixtures_assessment import PROVENANCE
from spaces import plain
from test_export_workbook import changed_workbook, problems_between, soffice

from coopconnect.dossier import Dossier, SiteNotes
from coopconnect.export.sheet_comparison import Compared
from coopconnect.export.workbook import Included, workbook
from coopconnect.model.assessment import assess
from coopconnect.model.choice import hub_days_per_user
from coopconnect.model.household_groups import household_groups
from coopconnect.model.viability import break_even_users
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario, parameter_values
from coopconnect.show.words import say
from coopconnect.territory.types import Territory

__all__ = ["soffice"]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
SITE = "10004"
HOSTILE = '=HYPERLINK("http://x","y")\ndeux lignes'


@pytest.fixture(scope="module")
def moved(reference: Scenario) -> Scenario:
    return reference.with_values(
        fuel_price_eur_per_l=2.5, council_contribution_eur_per_year=11_000.0, day_price_eur=11.0,
        changed=(("rebound_share", 0.3),),
    )  # fmt: skip


@pytest.fixture(scope="module")
def content(small: Territory, parameters: Parameters, reference: Scenario, moved: Scenario) -> dict[str, bytes]:
    """The whole workbook in each language, with hostile titles, remarks and notes."""
    now, usual = assess(small, moved, parameters), assess(small, reference, parameters)
    dossier = Dossier("=1+1", "", (SiteNotes(SITE, (("fibre", "yes"),), (("lead", HOSTILE),), 4, "+note " * 60),))
    leader = str(now.sites[now.sites["rural"]].nsmallest(1, "rank")["zone_code"].iloc[0])
    crisis = reference.with_values(fuel_price_eur_per_l=3.0, refused=(leader,))
    compared = (
        Compared("=Crise", assess(small, crisis, parameters)),
        Compared("@Référence", usual),
    )
    included = Included(small, None, household_groups(small, moved, parameters), compared, dossier)
    return {
        language: workbook(
            now, usual, parameters, PROVENANCE, language, SITE, on=date(2026, 11, 25), title="=1+1", included=included
        )
        for language in ("fr", "en")
    }


def opened(content: bytes, values: bool = True) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content), data_only=values)


def row_of(sheet, label: str) -> int:  # type: ignore[no-untyped-def]
    return next(r for r in range(1, sheet.max_row + 1) if sheet.cell(r, 1).value == label)


def test_without_remote_work_the_sheet_of_a_site_closes(
    small: Territory, parameters: Parameters, reference: Scenario
) -> None:
    """No day allowed, no day at the hub: no users, not a division by none."""
    none = assess(small, reference.with_values(telework_days_per_week=0.0), parameters)
    book = workbook(none, none, parameters, PROVENANCE, "fr", SITE, on=date(2026, 11, 25), included=Included(small))
    sheet, formulas = opened(book)["Fiche"], opened(book, values=False)["Fiche"]
    row = row_of(sheet, say("export.site_sheet.travel_users_of", "fr"))
    assert sheet.cell(row, 2).value == 0.0 and formulas.cell(row, 2).value.startswith("=IF(")


def test_the_sheets_and_their_order(content: dict[str, bytes]) -> None:
    assert opened(content["fr"]).sheetnames == [
        "Synthèse", "Comparaison", "Fiche", "Équilibre", "Sites", "Communes", "Ménages", "Gagnants", "Hypothèses", "Sources",
    ]  # fmt: skip
    assert opened(content["en"]).sheetnames[1:4] == ["Comparison", "Site", "Break-even"]
    assert row_of(opened(content["fr"])["Gagnants"], "Déciles, par ménage participant (cas de référence)")


def test_no_text_of_a_user_is_a_formula(content: dict[str, bytes]) -> None:
    book = opened(content["fr"], values=False)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    formula = getattr(cell.value, "text", cell.value)
                    assert "HYPERLINK" not in formula and "Crise" not in formula and formula != "=1+1"
    texts = {c.value for row in book["Fiche"].iter_rows() for c in row if isinstance(c.value, str)}
    assert HOSTILE in texts
    titles = [c.value for row in book["Comparaison"].iter_rows() for c in row if c.value in ("=Crise", "@Référence")]
    assert len(titles) >= 4


def test_the_axis_of_the_comparison_holds_its_error_bars(content: dict[str, bytes]) -> None:
    """LibreOffice ends an axis of its own by the bars, and cuts what reaches further."""
    with zipfile.ZipFile(io.BytesIO(content["fr"])) as parts:
        charts = [parts.read(n).decode() for n in parts.namelist() if n.startswith("xl/charts/chart")]
    chart = next(text for text in charts if "errBars" in text and "Comparaison!" in text)
    sheet = opened(content["fr"])["Comparaison"]
    row = next(r for r in range(1, sheet.max_row + 1) if "dont communes rurales" in str(sheet.cell(r, 1).value))
    most = max(sheet.cell(row, 2 + 3 * at + 2).value for at in range(3))
    assert most <= float(re.findall(r'<c:max val="([\d.]+)"', chart)[0]) <= 2.0 * max(most, 1.0)


def test_shares_by_lever_sum_to_the_difference(content: dict[str, bytes]) -> None:
    sheet = opened(content["fr"])["Comparaison"]
    formulas = opened(content["fr"], values=False)["Comparaison"]
    rows = [r for r in range(1, sheet.max_row + 1) if sheet.cell(r, 1).value == "Somme des parts"]
    assert len(rows) == 2
    for row in rows:
        first = int(str(formulas.cell(row, 2).value).partition("$B$")[2].partition(":")[0])
        for column in (2, 3, 4):
            parts = [sheet.cell(r, column).value for r in range(first, row)]
            assert sheet.cell(row, column).value == pytest.approx(sum(parts), abs=1e-6)


def test_hours_euros_and_kg_of_the_site_close_step_by_step(content: dict[str, bytes]) -> None:
    """What a tax inspector retraces: from days and minutes to the figures of the sheet Sites, by formulas."""
    book = opened(content["fr"])
    sheet, sites = book["Fiche"], book["Sites"]
    formulas = opened(content["fr"], values=False)["Fiche"]
    heads = [plain(str(c.value)) for c in sites[row_of(sites, "Rang")]]
    name = plain(str(sheet.cell(1, 1).value)).split(" : ")[0]
    line = next(row for row in sites.iter_rows(values_only=True) if plain(str(row[2])) == name)
    for label, column in (
        ("Usagers = ménages participants", "Usagers"), ("Heures gardées", "Heures gardées"),
        ("Heures par ménage participant", "Heures par ménage participant"),
        ("Euros gardés, avant prix", "Euros gardés, avant prix"), ("CO₂e évité (kg)", "CO₂ évité"),
    ):  # fmt: skip
        row = row_of(sheet, label)
        assert str(formulas.cell(row, 2).value).startswith("="), label
        assert sheet.cell(row, 2).value == pytest.approx(line[heads.index(column)], rel=1e-6), label


def test_a_refused_commune_has_no_place_in_the_comparison(content: dict[str, bytes]) -> None:
    sheet = opened(content["fr"])["Comparaison"]
    row = next(r for r in range(1, sheet.max_row + 1) if sheet.cell(r, 3).value == "refusée")
    assert sheet.cell(row, 2).value == 1 and sheet.cell(row, 4).value is None


def test_shares_are_written_as_per_cent(content: dict[str, bytes], parameters: Parameters) -> None:
    sheet = opened(content["fr"])["Hypothèses"]
    row = row_of(sheet, parameters["hub_share_reference"].label_fr)
    assert all(sheet.cell(row, column).number_format.endswith("%") for column in range(2, 6))
    assert sheet.cell(row, 6).value in ("", None)


def test_headline_figures_have_notes_with_sources(content: dict[str, bytes]) -> None:
    sheet = opened(content["fr"], values=False)["Synthèse"]
    notes = [c.comment.text for row in sheet.iter_rows() for c in row if c.comment]
    assert len(notes) >= 9
    assert all("Repose surtout sur" in note and "•" in note for note in notes)


def test_libreoffice_computes_every_sheet_the_same(soffice, tmp_path: Path, content) -> None:  # type: ignore[no-untyped-def]
    languages = ("fr", "en")
    for language, file in zip(
        languages, soffice.together([content[n] for n in languages], "xlsx", tmp_path), strict=True
    ):
        computed = openpyxl.load_workbook(file, data_only=True)
        assert problems_between(opened(content[language]), computed) == [], language


def test_break_even_follows_price_contribution_and_cost(  # type: ignore[no-untyped-def]
    soffice, tmp_path: Path, content, moved: Scenario, parameters: Parameters
) -> None:
    """Against the model itself, desk steps included."""
    sheet = opened(content["fr"])["Équilibre"]
    price, opex = (row_of(sheet, label) for label in ("Prix d'une journée", "Fonctionnement d'un petit lieu"))
    summary = opened(content["fr"], values=False)
    place = summary.defined_names["contribution_collectivite"].attr_text.split("!")[1].replace("$", "")
    answer = row_of(sheet, "Usagers à l'équilibre")
    cases = ((6.0, 9000.0, 16_000.0), (14.0, 0.0, 22_500.0), (8.0, 0.0, 40_000.0), (3.0, 30_000.0, 22_500.0))
    changed = [
        changed_workbook(content["fr"], {
            ("Équilibre", f"B{price}"): day_price, ("Équilibre", f"B{opex}"): running, ("Synthèse", place): contribution,
        })
        for day_price, contribution, running in cases
    ]  # fmt: skip
    files = soffice.together(changed, "xlsx", tmp_path)
    for (day_price, contribution, running), file in zip(cases, files, strict=True):
        computed = openpyxl.load_workbook(file, data_only=True, read_only=True)
        wanted_scenario = moved.with_values(day_price_eur=day_price, council_contribution_eur_per_year=contribution)
        values = {**parameter_values(wanted_scenario, parameters), "opex_shared_eur_per_year": running}
        wanted = break_even_users(hub_days_per_user(wanted_scenario, values), wanted_scenario, values)
        found = next(computed["Équilibre"].iter_rows(answer, answer, 2, 2, values_only=True))[0]
        assert (float("inf") if found in (None, "") else found) == pytest.approx(wanted), (
            day_price,
            contribution,
            running,
        )


def test_everything_is_printed(soffice, tmp_path: Path, content) -> None:  # type: ignore[no-untyped-def]
    pdf = soffice(content["fr"], "pdf", tmp_path)
    assert pdf.read_bytes()[:5] == b"%PDF-"
