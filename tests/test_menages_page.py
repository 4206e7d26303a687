"""The page Ménages without a browser: cold links, search, hubs, losses, the card, who gains and who loses."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from spaces import plain
from streamlit.testing.v1 import AppTest

from coopconnect.model.household_groups import KINDS, MEASURES, HouseholdGroups, household_groups
from coopconnect.parameters import Parameters, load_parameters
from coopconnect.scenario import Scenario, reference_scenario
from coopconnect.show import household_charts
from coopconnect.show.words import placeholders, read_words
from coopconnect.territory.types import Territory
from coopconnect.ui import cached, calculator, communes, households, state, take_home
from coopconnect.ui.frame import Page
from coopconnect.ui.state import Session, View
from coopconnect.uncertainty.cases import group_rows, groups_of_draws, household_layout, household_values
from coopconnect.uncertainty.engine import Setup
from coopconnect.uncertainty.laws import laws_of
from coopconnect.uncertainty.run import blank
from coopconnect.uncertainty.site import around

ROOT = Path(__file__).resolve().parents[1]
APT, GARGAS, AVIGNON = "84003", "84047", "84007"


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "menages.py"), default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception and [e.value for e in app.error] == []
    return app


def widget(app: AppTest, kind: str, name: str) -> Any:
    """The widget whose key starts with `name`: the rest of the key follows its value."""
    return next(item for item in app.get(kind) if str(item.key).startswith(f"{name}_"))


def texts(app: AppTest) -> str:
    """All the words of a page, with plain spaces."""
    found = "\n".join(str(node.body) for node in app.main if getattr(node, "type", "") == "html")
    words = plain(html.unescape(re.sub(r"<[^>]+>", " ", found)))
    return re.sub(r"\s+", " ", words)


def page_of(**view: object) -> Page:
    return Page("menages", Session(reference_scenario(load_parameters()), View(**view)), load_parameters())  # type: ignore[arg-type]


def test_a_cold_link_gives_the_three_weeks() -> None:
    told = texts(opened(home=GARGAS, work=AVIGNON, mydays="2", site=APT))
    for wanted in ("Ma semaine aujourd'hui", "3 j à Avignon, 2 j à Apt", "En télétravail chez moi", "606 km par semaine",
                   "remplaçant vraiment 2 j", "L'utilisateur moyen du lieu", "Prix du lieu, à part"):  # fmt: skip
        assert wanted in told, wanted
    assert 'class="kept bad"' not in told


def test_fields_start_from_the_link_and_not_from_the_state_of_a_session() -> None:
    """Each value is its widget's default: nothing is told through the session state, which a second run could lose."""
    app = opened(home=GARGAS, work=AVIGNON, mydays="3", car="electric", site=APT, gain="kg_co2e", truly="1")
    for kind, name, default in (
        ("button_group", "my_days", [3]), ("button_group", "car", [1]), ("button_group", "gain", [3]),
        ("button_group", "truly", [1]), ("text_input", "home_text", "Gargas (84)"), ("text_input", "work_text", "Avignon (84)"),
    ):  # fmt: skip
        proto = widget(app, kind, name).proto
        assert (list(proto.default) if kind == "button_group" else proto.default) == default, name
        assert not proto.set_value, name
    hub = widget(app, "selectbox", "hub")
    assert hub.value == APT and not hub.proto.set_value
    assert hub.proto.options[hub.proto.default].startswith("Apt")
    widget(app, "button_group", "my_days").set_value(4).run()
    assert app.session_state[state.KEY].view == View(
        home=GARGAS, work=AVIGNON, my_days=4, car="electric", selected=APT, gain="kg_co2e", truly=True
    )


def test_an_empty_page_says_what_to_do_and_shows_an_example() -> None:
    app = opened()
    assert "Dites où vous habitez" in texts(app)
    app.button(key="example").click().run()
    assert "606 km" in texts(app)
    session = app.session_state[state.KEY]
    assert (session.view.home, session.view.work) == calculator.EXAMPLE


def test_a_search_finds_without_accents_and_keeps_what_is_unknown() -> None:
    app = opened(work=AVIGNON)
    widget(app, "text_input", "home_text").set_value("evreux").run()
    assert app.session_state[state.KEY].view.home == "27229"
    assert widget(app, "text_input", "home_text").value == "Évreux (27)"
    assert "hors de Provence-Alpes-Côte d'Azur" in texts(app) or "Au-delà de 150 km" in texts(app)
    widget(app, "text_input", "home_text").set_value("Sagnion").run()
    assert app.session_state[state.KEY].view.home == ""
    assert widget(app, "text_input", "home_text").value == "Sagnion"
    assert "Aucune commune" in texts(app) and "Saignon (84)" in texts(app)
    widget(app, "text_input", "home_text").set_value("Saint-Martin (84)").run()
    app.button(key="home_84112").click().run()
    assert app.session_state[state.KEY].view.home == "84112"


def test_english_is_complete() -> None:
    told = texts(opened(home=GARGAS, work=AVIGNON, lang="en"))
    for wanted in ("My week today", "Working from home", "The average user", "a week"):
        assert wanted in told
    assert not re.search(r"\b(semaine|par an|ménages|bureau)\b", told)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"home": APT, "work": APT}, "dans la même commune"),
        ({"home": APT, "work": APT, "site": GARGAS}, "plus loin que votre bureau"),
        ({"home": "35238", "work": "35093"}, "Aucun lieu possible"),
        ({"home": APT, "work": "34172"}, "Au-delà de 150 km"),
        ({"home": APT, "work": AVIGNON, "car": "none"}, "non calculé"),
        ({"home": APT, "work": AVIGNON, "car": "none"}, "ne sont pas modélisés"),
        ({"home": APT, "work": AVIGNON, "mydays": "0"}, "les trois semaines sont les mêmes"),
        ({"home": APT, "work": AVIGNON, "site": "06088"}, "au-delà de l'accès maximal"),
        ({"home": APT, "work": "30189"}, "Nîmes est hors de"),
        ({"home": "97411", "work": AVIGNON}, "n'est pas en France métropolitaine"),
        ({"work": AVIGNON}, "Il reste à dire où vous habitez"),
        ({"home": APT}, "Il reste à dire où vous travaillez"),
        ({"home": APT, "work": GARGAS}, "le lieu coûte plus cher que la route"),
    ],
)  # fmt: skip
def test_every_odd_case_is_told(query: dict[str, str], wanted: str) -> None:
    assert wanted in texts(opened(**query))


def test_a_wrong_link_is_told_and_the_rest_is_kept() -> None:
    app = opened(home=GARGAS, work=AVIGNON, mydays="9", car="horse", gain="gold")
    assert all(word in app.warning[0].value for word in ("mydays", "horse", "gold"))
    assert "606 km" in texts(app)


def test_the_best_hub_is_rural_nearer_than_the_office_and_not_the_work_place() -> None:
    page = page_of(home=GARGAS, work=AVIGNON)
    now = cached.assessment(page.scenario)
    found = calculator.hubs_within_reach(page, now)
    assert all(item.near and item.minutes <= page.scenario.access_max_min for item in found)
    assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)
    best = calculator.best_hub(page, found, now)
    assert best is not None
    site = now.site(best.code)
    assert site is not None and bool(site["rural"])
    there = page_of(home=GARGAS, work=best.code)
    assert calculator.best_hub(there, found, now) != best


def test_the_link_holds_the_calculation_and_nothing_private() -> None:
    page = page_of(home=GARGAS, work=AVIGNON, my_days=3, car="electric", near=APT, search="secret", departement="84")
    kept = (state.Kept("Madame Untel", page.scenario),)
    scenario = page.scenario.with_values(fuel_price_eur_per_l=2.25, hosts=(("fs-7", "asked"),))
    page = Page("menages", Session(scenario, page.view, kept=kept), page.parameters)
    query = parse_qs(take_home.query_of(take_home.own_session(page, calculator.Reach(APT, "Apt", 9.0, 70.0, True))))
    assert query == {"v": ["1"], "fuel_price_eur_per_l": ["2.25"], "home": [GARGAS], "work": [AVIGNON], "mydays": ["3"], "car": ["electric"], "site": [APT]}  # fmt: skip


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_card_is_made_from_the_page(language: str) -> None:
    page = page_of(home=GARGAS, work=AVIGNON, selected=APT, language=language)
    now = cached.assessment(page.scenario)
    hub = next(item for item in calculator.hubs_within_reach(page, now) if item.code == APT)
    found = calculator.calculate(page, hub)
    assert found is not None
    pdf = take_home.card(page, found, "http://exemple.fr/menages?home=84047")
    assert pdf.startswith(b"%PDF-") and len(pdf) > 10_000


@pytest.fixture(scope="module")
def groups(paca: Territory, parameters: Parameters) -> HouseholdGroups:
    return household_groups(paca, reference_scenario(parameters), parameters, APT)


def test_counts_tell_winners_losers_and_the_rest(groups: HouseholdGroups) -> None:
    page = page_of(selected=APT)
    told = html.unescape(re.sub(r"<[^>]+>", " ", households.counts_html(page, groups)))
    assert "Ménages utilisateurs" in told and "Y gagnent" in told and "rien ne change" in told
    up, down = household_charts.gained_and_lost(groups, "hours", truly=False)
    assert up + down == pytest.approx(groups.totals["users"].value)
    early = households.counts_html(page, replace(groups, ranged=False))
    assert early.count("fourchette en cours de calcul") == 4 and "entre " not in early


def test_a_large_territory_shows_its_figures_before_their_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached, "LARGE_SITES", 0)
    cached._households.clear()
    drawn: list[bool] = []
    scenario = reference_scenario(load_parameters(), "200040624")
    found = cached.households(scenario, "", first=lambda groups: drawn.append(groups.ranged))
    assert (drawn, found.ranged) == ([False], True)
    cached.households(scenario, "", first=lambda groups: drawn.append(groups.ranged))
    assert drawn == [False]  # kept: nothing is drawn early again


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("truly", [False, True])
def test_charts_count_every_household(groups: HouseholdGroups, measure: str, truly: bool, language: str) -> None:
    users = groups.totals["users"].value
    asked = (groups, measure, truly, "Apt <b>", language)
    bars = household_charts.gains(*asked).data[0]
    assert np.sum(bars.y) == pytest.approx(users)
    assert 0.0 in np.round(np.asarray(bars.x, float) - np.asarray(bars.width, float) / 1.88, 6) or bars.x[0] > 0
    for draw in (household_charts.by_distance, household_charts.by_density):
        figure = draw(*asked, projector=True)
        assert sum(float(np.abs(trace.x).sum()) for trace in figure.data if trace.type == "bar") == pytest.approx(users)
        assert "Apt &lt;b&gt;" in figure.layout.meta["summary"]
        assert figure.data[0].marker.color != figure.data[1].marker.color
        assert plain(figure.layout.meta["note"]).startswith(
            {"fr": "Cas de référence", "en": "Reference case"}[language]
        )


def test_ranges_of_the_draws_stand_in_charts_and_tables(
    groups: HouseholdGroups, paca: Territory, parameters: Parameters
) -> None:
    """Whiskers around the reference case, deciles and communes between the same two ends."""
    scenario = reference_scenario(parameters)
    place = around(Setup(paca, paca, scenario, parameters, laws_of(scenario, parameters)), APT)
    ensemble = blank(place, 12, 1)
    layout, (more, values) = household_layout(groups, place, 12), household_values(ensemble)
    drawn = groups_of_draws(groups, layout, group_rows(layout, more, APT, place, values))
    assert drawn.ends is not None
    asked = (drawn, "eur_after_price", False, "Apt")
    figure = household_charts.gains(*asked)
    bars = figure.data[0]
    low, high = (end.bars["eur_after_price", ""] for end in drawn.ends)
    assert np.asarray(bars.y) + bars.error_y.array == pytest.approx(high, rel=1e-6)
    assert np.asarray(bars.y) - bars.error_y.arrayminus == pytest.approx(low, rel=1e-6)
    assert figure.layout.yaxis.range[1] > high.max() and "90 % des futurs" in plain(bars.hovertext[0])
    for draw in (household_charts.by_distance, household_charts.by_density):
        figure = draw(*asked)
        down, up = figure.data[:2]
        most = [np.abs(np.asarray(t.x)) + side for t, side in ((down, down.error_x.arrayminus), (up, up.error_x.array))]
        assert figure.layout.xaxis.range[1] > max(map(np.max, most))
        assert all(np.abs(t.x) == pytest.approx(ends, abs=1e-6) for t, ends in zip(figure.data[2:], most, strict=True))
        assert "traits : 5 et 95 % de 12 futurs" in plain(figure.layout.meta["note"])
        assert re.search(r"[\d,]+ \([\d,]+ – [\d,]+\) y gagnent", plain(up.hovertext[0]))
    told = html.unescape(re.sub(r"<[^>]+>", " ", households.deciles_html(page_of(selected=APT), drawn)))
    assert plain(told).count(" à ") >= 18 and "Fourchettes : 5 et 95 % de 12 futurs" in plain(told)
    assert "Cas de référence" in plain(households.deciles_html(page_of(selected=APT), groups))
    rows = households.commune_rows(drawn, "hours", False)
    assert (rows["users_low"] <= rows["users"]).all() and (rows["mean"] <= rows["mean_high"]).all()
    assert "users_low" not in households.commune_rows(groups, "hours", False)


def test_a_chart_without_users_says_so(paca: Territory, reference: Scenario, parameters: Parameters) -> None:
    nobody = household_groups(paca, reference.with_values(telework_days_per_week=0.0), parameters, APT)
    for draw in (household_charts.gains, household_charts.by_distance, household_charts.by_density):
        assert len(draw(nobody, "hours", False, "Apt").data) == 0


def test_the_table_of_communes_is_the_model_s(groups: HouseholdGroups) -> None:
    for kind in KINDS:
        rows = households.commune_rows(groups, "hours", bool(kind))
        assert rows["users"].is_monotonic_decreasing
        assert rows["users"].sum() == pytest.approx(groups.totals["users"].value, abs=0.06 * len(rows))
        assert set(rows["zone_code"]) == set(groups.communes["zone_code"])


@pytest.mark.parametrize(
    ("text", "first"),
    [("apt", APT), ("84400", APT), ("84003", APT), ("Apt (84)", APT), ("l isle sur la sorgue", "84054"), ("St Rémy de Provence", "13100"),
     ("2a004", "2A004"), ("PARIS", "75056")],
)  # fmt: skip
def test_communes_are_found_as_people_write_them(text: str, first: str) -> None:
    assert communes.find(text)[0].code == first


def test_a_text_that_names_nothing() -> None:
    assert communes.find("zzzzzz") == communes.find("  ") == () == communes.near("zzzzzz")
    assert communes.commune("99999") is None


def test_every_word_of_the_page_is_used() -> None:
    """No text that no screen asks for: keys are whole, or made of a family and a name."""
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("coopconnect/ui", "coopconnect/show", "coopconnect/export")
        for path in (ROOT / folder).rglob("*.py")
    )
    made = re.compile(
        r"house\.(home_days|car|measure|reading|chart\.(gain|lose|x|subtitle|legend|scope|up|down|rural|urban)|formula|with|card|kept|hub|note)"
    )
    for key in read_words():
        if key.startswith("house."):
            last = key.removeprefix("house.")
            assert f'{key}"' in source or f"{key}'" in source or made.match(key) or f'"{last}"' in source, key
    assert placeholders("{a} {b}") == {"a", "b"}


def test_the_code_of_the_link_is_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit takes a drawing that stands in HTML out of it."""
    monkeypatch.setattr(take_home, "link_of", lambda *_: "https://hub.example/menages?home=84047")
    found = opened(home=GARGAS, work=AVIGNON).main
    markup = "".join(str(node.body) for node in found if getattr(node, "type", "") == "html")
    assert '<div class="qr"><img alt="Code QR' in markup
    assert "<svg" not in markup
