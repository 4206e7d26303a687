"""Every page opened cold, in both languages, without a browser; exports and answers behind the buttons."""

from __future__ import annotations

import io
import re
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from spaces import plain
from streamlit.testing.v1 import AppTest

from coopconnect.model.types import Assessment
from coopconnect.parameters import Parameters, load_parameters
from coopconnect.question import Question
from coopconnect.scenario import Scenario, reference_scenario
from coopconnect.scenario_file import from_toml
from coopconnect.ui import cached, decide, figures, filters, state
from coopconnect.ui.frame import PAGES, Page, reason_of
from coopconnect.ui.provenance import notes_once
from coopconnect.ui.site_panel import site_html
from coopconnect.ui.state import Session, View
from coopconnect.ui.widget_key import key_for

ROOT = Path(__file__).resolve().parents[1]
APT = "84003"
FRENCH_WORDS = re.compile(r"\b(le|les|des|une|par|pour)\b", re.IGNORECASE)


def opened(name: str, **query: str) -> AppTest:
    """A page run on its own, as the first visitor of a deep link does."""
    app = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def texts(app: AppTest) -> str:
    """All the HTML and Markdown of a page."""
    return "\n".join(str(node.body) for node in app.main if getattr(node, "type", "") == "html") + "\n".join(
        str(node.value) for kind in (app.title, app.subheader, app.caption, app.markdown) for node in kind
    )


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opened_cold_draws_without_error(name: str, language: str) -> None:
    app = opened(name, lang=language)
    assert not app.exception
    assert [e.value for e in app.error] == []
    assert [w.value for w in app.warning] == []
    assert "<svg" not in texts(app)  # Streamlit takes drawings out of HTML: they are images


@pytest.mark.parametrize("name", PAGES)
def test_titles_change_with_the_language(name: str) -> None:
    french, english = opened(name), opened(name, lang="en")
    assert french.button(key="language").label == "English"
    assert english.button(key="language").label == "Français"
    if name != "decider":
        assert texts(french) != texts(english)


def test_the_entry_point_opens_the_first_page() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    assert not app.exception
    assert not app.error


def test_a_link_is_read_and_its_problems_are_told() -> None:
    app = opened("decider", fuel_price_eur_per_l="2.25", climate="boiling", near=APT)
    assert not app.exception
    assert "boiling" in app.warning[0].value
    session = app.session_state[state.KEY]
    assert session.scenario.fuel_price_eur_per_l == 2.25
    assert session.view.near == APT


@pytest.mark.parametrize("code", ["zz", "../../etc/passwd", "/etc/hosts", "99999", "d00"])
def test_an_unknown_territory_is_told_not_raised(code: str) -> None:
    app = opened("decider", territory=code)
    assert not app.exception
    assert app.error
    assert "root:" not in app.error[0].value


def test_undo_redo_and_reset_by_their_buttons() -> None:
    app = opened("decider", fuel_price_eur_per_l="2.25")
    app.button(key="reset").click().run()
    assert app.session_state[state.KEY].scenario.fuel_price_eur_per_l == 1.75
    app.button(key="undo").click().run()
    assert app.session_state[state.KEY].scenario.fuel_price_eur_per_l == 2.25
    app.button(key="redo").click().run()
    assert app.session_state[state.KEY].scenario.fuel_price_eur_per_l == 1.75
    assert not app.exception


def test_filters_by_their_widgets() -> None:
    app = opened("decider")
    app.text_input(key=key_for("near", "")).set_value("apt").run()
    assert app.session_state[state.KEY].view.near == APT
    app.toggle(key=key_for("rural_only", True)).set_value(False).run()
    assert app.session_state[state.KEY].view.all_communes
    app.text_input(key=key_for("near", "Apt")).set_value("nulle part du tout").run()
    assert app.session_state[state.KEY].view.near == ""
    assert "nulle part du tout" in app.warning[0].value
    assert not app.exception


def test_refusing_takes_a_commune_out_of_the_ranking() -> None:
    app = opened("decider", site=APT)
    app.toggle(key=key_for(f"refused_{APT}", False)).set_value(True).run()
    scenario = app.session_state[state.KEY].scenario
    assert scenario.refused == (APT,)
    assert cached.assessment(scenario).site(APT)["rank"] == 0
    assert not app.exception


def test_an_assumption_edited_in_its_field_is_in_the_scenario() -> None:
    app = opened("hypotheses")
    app.number_input(key=key_for("assume_substitution_reference", 50.0)).set_value(60.0).run()
    assert dict(app.session_state[state.KEY].scenario.changed) == {"substitution_reference": 0.6}
    app.button(key="reset_substitution_reference").click().run()
    assert app.session_state[state.KEY].scenario.changed == ()
    assert not app.exception


def test_every_parameter_is_on_the_page_hypotheses(parameters: Parameters) -> None:
    app = opened("hypotheses")
    page = texts(app)
    for item in parameters.values():
        assert item.label_fr.replace("'", "&#x27;").replace("<", "&lt;").replace(">", "&gt;") in page, item.key
    assert "8 des dix premiers le restent" in plain(page)  # what the modelled data change in the result


def page_of(scenario: Scenario, **view: object) -> Page:
    """A page as the drawing functions get it, outside of any run."""
    return Page("decider", Session(scenario, View(**view)), load_parameters())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def apt_scenario() -> Scenario:
    return reference_scenario(load_parameters()).with_values(fuel_price_eur_per_l=2.25, telework_days_per_week=2.0)


@pytest.fixture(scope="module")
def apt_assessment(apt_scenario: Scenario) -> Assessment:
    return cached.assessment(apt_scenario)


def test_which_rural_communes_near_apt_would_work(apt_scenario: Scenario, apt_assessment: Assessment) -> None:
    page = page_of(apt_scenario, near=APT)
    territory = cached.territory(apt_scenario.territory)
    found = filters.listed(apt_assessment, territory, page.view)
    assert 3 <= found.mask.sum() <= 60
    assert apt_assessment.sites.loc[found.mask, "rural"].all()
    assert found.near_name == "Apt"
    assert found.place is not None and found.place[found.mask].all() and found.place.sum() >= found.mask.sum()
    assert filters.listed(apt_assessment, territory, page_of(apt_scenario).view).place is None
    named = filters.listed(apt_assessment, territory, page_of(apt_scenario, search="apt").view)
    assert named.left_out == (
        "Apt",
    )  # a town: searched for by its name, it is not silently missing from the rural list
    decision = decide.Decision(territory, apt_assessment, cached.reference_assessment("93"), found)
    rows = decide.ranking_rows(page, decision)
    assert [row.rank for row in rows] == sorted(row.rank for row in rows)
    cards = figures.figures_html(page, figures.site_figures(page, apt_assessment.site(rows[0].code), None), territory)
    cards += figures.figures_html(
        page, figures.territory_figures(page, apt_assessment, cached.reference_assessment("93")), territory
    )
    assert "remplace vraiment chaque trajet" in cards
    assert "{" not in cards  # a text whose placeholders were not filled


def test_names_are_escaped(apt_scenario: Scenario, apt_assessment: Assessment) -> None:
    site = apt_assessment.sites.iloc[0].copy()
    site["name"] = '<img src=x onerror="alert(1)">'
    assert "<img" not in site_html(page_of(apt_scenario), site, 10)


@pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")  # openpyxl drops data bars, saying so
def test_the_workbook_of_the_button_opens(apt_scenario: Scenario) -> None:
    content = decide.excel(page_of(apt_scenario, selected=APT), "http://localhost:8501/decider?v=1")
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert len(book.sheetnames) >= 5


def test_the_saved_file_opens_again(apt_scenario: Scenario, parameters: Parameters) -> None:
    found = from_toml(decide.saved(page_of(apt_scenario, plan="n4~r1~x84003")).decode(), parameters)
    assert found.scenario == apt_scenario
    assert found.plan == Question(sites=4, rural=True, forbidden=("84003",))
    assert from_toml(decide.saved(page_of(apt_scenario)).decode(), parameters).plan is None


def test_nothing_changes_a_cached_assessment(apt_scenario: Scenario, apt_assessment: Assessment) -> None:
    before = apt_assessment.sites.copy(deep=True)
    zones = cached.territory("93").zones.copy(deep=True)
    opened("decider", fuel_price_eur_per_l="2.25", telework_days_per_week="2", near=APT, site=APT, viable="1", all="1")
    decide.excel(page_of(apt_scenario, selected=APT), "")
    pd.testing.assert_frame_equal(apt_assessment.sites, before)
    pd.testing.assert_frame_equal(cached.territory("93").zones, zones)


def test_errors_are_told_without_paths() -> None:
    error = FileNotFoundError(2, "No such file", "/some/where/flows.parquet")
    assert reason_of(error) == "FileNotFoundError flows.parquet"
    assert reason_of(ValueError("price: allowed 1 to 3")) == "price: allowed 1 to 3"
    assert reason_of(ValueError("cannot read /some/where")) == "ValueError"


@pytest.mark.parametrize(
    "query",
    [
        {"telework_days_per_week": "0"},
        {"telework_days_per_week": "5", "fuel_price_eur_per_l": "3", "climate": "tracc_2100"},
        {"access_max_min": "5"},
        {"access_max_min": "30", "premises": "own", "hub_cooled": "false"},
        {"day_price_eur": "0", "council_contribution_eur_per_year": "0"},
        {"hub_share_reference": "0.011", "substitution_reference": "0.8", "home_unsuitable_share": "0.44"},
        {"hub_share_reference": "0.002", "substitution_reference": "0.25", "home_unsuitable_share": "0.2"},
        {"territory": "84003,84102", "all": "1"},
        {"territory": "200040624"},
        {"near": "84003", "dep": "06"},
        {"site": "99999"},
        {"site": APT, "projector": "1", "lang": "en"},
    ],
)
def test_the_ends_of_the_levers_draw_too(query: dict[str, str]) -> None:
    app = opened("decider", **query)
    assert not app.exception
    assert [e.value for e in app.error] == []


def test_a_remark_of_two_tables_is_said_once() -> None:
    parameters = load_parameters()
    page = Page("donnees", Session(reference_scenario(parameters)), parameters)
    long = {"note_fr": "Longue remarque.", "note_en": "Long note."}
    rows = [{"table": "workers", **long}, {"table": "rural", "note_fr": "", "note_en": ""}, {"table": "jobs", **long},
            {"table": "climate", "note_fr": "", "note_en": ""}]  # fmt: skip
    told = [re.sub(r"\s", " ", note) for note in notes_once(page, rows)]
    assert told == ["Longue remarque.", "", "Comme « Actifs occupés ».", ""]
