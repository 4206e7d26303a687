"""The page Fiche site, opened cold in both languages, answered and undone; its charts; no browser needed."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from coopconnect.dossier import CHECKLIST, Photo, SiteNotes
from coopconnect.model import site_sheet as sheet
from coopconnect.model.site_sheet import BesideExisting, ScorePart, Span
from coopconnect.model.types import Assessment
from coopconnect.parameters import Parameters, load_parameters
from coopconnect.scenario import Scenario, reference_scenario
from coopconnect.scenario_file import from_toml, to_toml
from coopconnect.show import site_charts
from coopconnect.territory.types import Territory
from coopconnect.ui import cached, site_around, site_dossier, site_page, state, takeaway
from coopconnect.ui.frame import Page
from coopconnect.ui.gates import gates_html, gates_sentence
from coopconnect.ui.state import Session, View

ROOT = Path(__file__).resolve().parents[1]
APT = "84003"


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "site.py"), default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def texts(app: AppTest) -> str:
    return "\n".join(str(node.body) for node in app.main if getattr(node, "type", "") == "html")


def widget(app: AppTest, kind: str, name: str) -> Any:
    """The widget of a kind whose key begins so: its end says what value it starts from."""
    return next(w for w in getattr(app, kind) if str(w.key).startswith(name))


def session(app: AppTest) -> Session:
    found = app.session_state[state.KEY]
    assert isinstance(found, Session)
    return found


@pytest.mark.parametrize(
    "query",
    [
        {"lang": "fr"},
        {"lang": "en"},
        {"lang": "en", "projector": "1"},
        {"telework_days_per_week": "0"},
        {"premises": "own", "day_price_eur": "0", "council_contribution_eur_per_year": "0"},
        {"telepresence_price_eur_per_month": "100", "access_max_min": "5"},
        {"refused": APT},
        {"territory": "84003,84102"},
    ],
)
def test_the_sheet_of_a_site_opens_cold(query: dict[str, str]) -> None:
    app = opened(site=APT, v="1", **query)
    assert not app.exception
    assert [e.value for e in app.error] == []
    page = texts(app)
    assert "<h1>Apt</h1>" in page
    assert "{" not in page.split("</style>")[-1]


def test_languages_differ_and_both_are_whole() -> None:
    french, english = texts(opened(site=APT)), texts(opened(site=APT, lang="en"))
    assert "Prêt à ouvrir" in french
    assert "Ready to open?" in english
    for word in ("Pilotage", "usagers", "Équilibre à"):
        assert word not in english


def test_without_a_site_one_is_found_by_name_or_among_the_best() -> None:
    app = opened()
    assert not app.exception
    assert len([b for b in app.button if b.key and b.key.startswith("best_")]) == site_page.BEST_LISTED
    app.text_input(key="sheet_search").set_value("nulle part").run()
    assert "nulle part" in app.warning[0].value
    app.text_input(key="sheet_search").set_value("apt").run()
    assert session(app).view.selected == APT
    assert "<h1>Apt</h1>" in texts(app)
    assert not app.exception


def test_a_code_that_is_no_site_is_told() -> None:
    app = opened(site="99999")
    assert not app.exception
    assert "99999" in app.warning[0].value


def test_neighbours_in_the_ranking() -> None:
    app = opened(site=APT)
    now = cached.assessment(session(app).scenario)
    place = sheet.standing(now, APT)
    app.button(key="sheet_after").click().run()
    assert session(app).view.selected == place.after
    app.button(key="sheet_before").click().run()
    assert session(app).view.selected == APT


def test_answers_notes_and_named_users_are_kept_and_undone() -> None:
    app = opened(site=APT)
    widget(app, "segmented_control", f"answer_fibre_{APT}").set_value("yes").run()
    widget(app, "segmented_control", f"answer_welcome_{APT}").set_value("partly").run()
    widget(app, "text_input", f"remark_welcome_{APT}").set_value("médiathèque, le mardi").run()
    widget(app, "number_input", f"named_users_{APT}").set_value(9).run()
    widget(app, "text_area", f"site_notes_{APT}").set_value("vu le maire").run()
    notes = session(app).dossier.site(APT)
    assert (notes.answer("fibre"), notes.answer("welcome"), notes.named_users) == ("yes", "partly", 9)
    assert (notes.remark("welcome"), notes.notes) == ("médiathèque, le mardi", "vu le maire")
    assert "0 acquis et 1 en partie sur 5" in texts(app)
    assert widget(app, "text_area", f"site_notes_{APT}").value == "vu le maire"
    app.button(key="undo").click().run()
    assert session(app).dossier.site(APT).notes == ""
    assert widget(app, "text_area", f"site_notes_{APT}").value == ""
    app.button(key="redo").click().run()
    assert widget(app, "text_area", f"site_notes_{APT}").value == "vu le maire"
    app.button(key="sheet_after").click().run()
    other = session(app).view.selected
    assert widget(app, "text_area", f"site_notes_{other}").value == ""
    assert session(app).dossier.site(APT).notes == "vu le maire"
    assert not app.exception


def test_an_answer_is_taken_back_by_a_second_click() -> None:
    app = opened(site=APT)
    widget(app, "segmented_control", f"answer_lead_{APT}").set_value("no").run()
    assert session(app).dossier.site(APT).answer("lead") == "no"
    widget(app, "segmented_control", f"answer_lead_{APT}").set_value(None).run()
    assert session(app).dossier.site(APT).empty


def test_the_threshold_of_telepresence_moves_permission() -> None:
    app = opened(site=APT)
    assert "il faudrait" in texts(app)
    widget(app, "slider", "sheet_telepresence_threshold_eur_per_month").set_value(400.0).run()
    assert dict(session(app).scenario.changed) == {"telepresence_threshold_eur_per_month": 400.0}
    assert "elle est installée dans ce scénario" in texts(app)
    widget(app, "slider", "sheet_telepresence_price_eur_per_month").set_value(150.0).run()
    assert session(app).scenario.telepresence_price_eur_per_month == 150.0
    assert not app.exception


# --- pieces -------------------------------------------------------------------------------------------------------


def page_of(scenario: Scenario, notes: SiteNotes | None = None, language: str = "fr") -> Page:
    found = Session(scenario, View(language=language, selected=APT))
    if notes is not None:
        found = found.with_dossier(found.dossier.with_site(notes))
    return Page("site", found, load_parameters())


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return reference_scenario(load_parameters())


def test_ready_only_when_the_four_gates_are_passed(scenario: Scenario) -> None:
    notes = SiteNotes(APT, named_users=8).with_answer("fibre", "yes").with_answer("lead", "yes")
    waiting = page_of(scenario, notes)
    html = gates_html(waiting, APT)
    assert html.count('class="passed"') == 3
    assert "bâtiment dont l" in html
    ready = page_of(scenario.with_values(hosts=((f"m{APT}", "agreed"),)), notes)
    assert gates_html(ready, APT).count('class="passed"') == 4
    assert "Prêt : les quatre" in gates_html(ready, APT).replace("\u00a0", " ")
    refused = page_of(scenario.with_values(refused=(APT,)), notes)
    assert gates_html(refused, APT).count('class="failed"') == 1


def test_what_is_missing_is_said_apart_from_what_is_to_be_checked(scenario: Scenario) -> None:
    page = page_of(scenario, SiteNotes(APT, named_users=5))
    said = gates_sentence(page, {"fibre": None, "host": False, "users": False, "lead": True}, APT)
    said = said.replace("\u00a0", " ")
    assert said.startswith("Pas prêt : il manque un bâtiment dont l'hôte est d'accord, 3 futurs usagers nommés")
    assert said.endswith("À vérifier : la fibre à l'adresse.")


def test_the_three_arguments_are_those_of_this_site(scenario: Scenario) -> None:
    page = page_of(scenario, SiteNotes(APT, named_users=5))
    given = takeaway.taken(page, APT, "")
    assert takeaway.site_for(page, cached.assessment(scenario), page.view.selected) == APT
    assert given.dossier.site(APT).named_users == 5
    argument = next(offer for offer in takeaway.offers()["pdf"] if offer.name == "elected")
    assert argument.about_site
    assert takeaway.made(page, argument, APT, "").startswith(b"%PDF")


def test_names_and_answers_are_escaped(scenario: Scenario) -> None:
    now = cached.assessment(scenario)
    site = now.sites.iloc[0].copy()
    site["name"] = site["epci_name"] = '<img src=x onerror="alert(1)">'
    assert "<img" not in site_page.header_html(page_of(scenario), site)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_progress_counts_the_answers(scenario: Scenario, language: str) -> None:
    notes = SiteNotes(APT)
    for question, answer in zip(CHECKLIST, ("yes", "yes", "partly", "no", ""), strict=True):
        notes = notes.with_answer(question, answer)
    html = site_dossier.progress_html(page_of(scenario, notes, language), notes)
    assert html.count('class="yes"') == 2
    assert html.count('class="none"') == 1


def test_photos_travel_with_the_file(scenario: Scenario, parameters: Parameters) -> None:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(out, "JPEG")
    notes = SiteNotes(APT, photos=(Photo("salle.jpg", out.getvalue(), "La salle"),))
    dossier = page_of(scenario, notes).session.dossier
    assert from_toml(to_toml(scenario, parameters, dossier), parameters).dossier.site(APT) == notes


def _beside(**changes: float) -> BesideExisting:
    usual = {
        "alone_users": 12.0, "beside_users": 9.0, "taken_users": 3.0, "added_users": 6.0, "added_hours_per_year": -20.0,
        "alone_hours_per_year": 100.0, "added_kg_co2e_per_year": 5.0, "existing_users": 8.0, "viability_alone": 1.1,
        "viability_beside": 1.02, "shared_users": 8.5, "viability_shared": 1.0,
    }  # fmt: skip
    return BesideExisting(("84100",), **{**usual, **changes})


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, "open"),
        ({"shared_users": 7.0}, "depends"),
        ({"viability_shared": 0.9}, "depends"),
        ({"beside_users": 7.0}, "reinforce"),
        ({"viability_beside": 0.9}, "reinforce"),
        ({"viability_beside": 0.9, "viability_alone": 0.95}, "neither"),
        ({"beside_users": 5.0, "alone_users": 7.0}, "neither"),
    ],
)
def test_advice_follows_the_conditions_of_a_site(changes: dict[str, float], wanted: str) -> None:
    assert sheet.advice(_beside(**changes), 8.0) == wanted


def test_hubs_that_exist_are_compared_where_the_list_is_loaded(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of(scenario)
    drawn: list[str] = []
    monkeypatch.setattr(site_around.st, "html", drawn.append)
    store = cached.store()
    monkeypatch.setattr(type(store), "label", lambda self, kind: object())
    now = cached.assessment(scenario)
    runs = cached.site_sheet(scenario, APT, ("84047",))
    existing = pd.DataFrame({"name": ["Le <Lieu>"], "drive_min": [9.0], "zone_code": ["84047"]})
    site = now.site(APT)
    assert site is not None
    site_around.draw_existing(page, site, existing, runs)
    text = "\n".join(drawn)
    assert "Le &lt;Lieu&gt;" in text
    assert "viendraient de ceux-ci" in text
    assert "{" not in text


# --- charts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("projector", [False, True])
def test_every_chart_has_a_title_and_a_summary(
    scenario: Scenario, parameters: Parameters, paca: Territory, language: str, projector: bool
) -> None:
    now: Assessment = cached.assessment(scenario)
    for code in (APT, "05001"):
        site = now.site(code)
        assert site is not None
        runs = cached.site_sheet(scenario, code, ())
        name = '<b onmouseover="x">Lieu'
        figures = (
            site_charts.score_waterfall(
                sheet.waterfall(site, scenario), sheet.span(site, "score"), name, now, language, projector
            ),
            site_charts.break_even_users(
                sheet.break_even_by_users(site, scenario, parameters), name, now, language, projector
            ),
            site_charts.break_even_price(runs.by_price, name, now, language, projector),
            site_charts.telepresence_price(runs.telepresence, 400.0, name, now, language, projector),
        )  # fmt: skip
        for figure in figures:
            meta = figure.layout.meta
            assert meta["title"]
            assert meta["title"] in meta["summary"].replace("<b>", "")
            assert "<b onmouseover" not in figure.to_json()
            assert figure.layout.font.size == (20 if projector else 13)


def test_bars_of_the_waterfall_end_where_the_next_begins(scenario: Scenario) -> None:
    now = cached.assessment(scenario)
    site = now.site(APT)
    assert site is not None
    figure = site_charts.score_waterfall(sheet.waterfall(site, scenario), sheet.span(site, "score"), "Apt", now)
    bars = figure.data[1]
    ends = [start + length for start, length in zip(bars.base, bars.x, strict=True)]
    assert list(bars.base[1:-1]) == pytest.approx(ends[:-2])
    assert ends[-2] == pytest.approx(ends[-1])
    assert ends[-1] == pytest.approx(float(site["score"]))


def test_a_score_that_is_missing_draws_nothing(scenario: Scenario) -> None:
    now = cached.assessment(scenario)
    nothing = Span(math.nan, math.nan, math.nan)
    parts = (ScorePart("time", 1.0, nothing, nothing, 100.0),)
    assert len(site_charts.score_waterfall(parts, nothing, "Apt", now).data) == 0


def test_titles_of_curves_that_never_cross(scenario: Scenario, parameters: Parameters) -> None:
    poor = scenario.with_values(premises="own", council_contribution_eur_per_year=0.0)
    now = cached.assessment(poor)
    site = now.site(APT)
    assert site is not None
    users = site_charts.break_even_users(sheet.break_even_by_users(site, poor, parameters), "Apt", now)
    price = site_charts.break_even_price(cached.site_sheet(poor, APT, ()).by_price, "Apt", now)
    assert users.layout.meta["title"].startswith("Aucun nombre d'usagers")
    assert price.layout.meta["title"].startswith("Aucun prix")
