"""The session of a visitor: history, address, filters, scenarios opened; no browser needed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spaces import plain

from coopconnect.parameters import Parameters, load_parameters
from coopconnect.scenario import CLIMATES, COMPONENTS, Scenario, reference_scenario
from coopconnect.show import describe
from coopconnect.show.problem_words import told
from coopconnect.territory.types import Territory
from coopconnect.ui import filters, home, levers, places, state
from coopconnect.ui.state import Session, View

PARAMETERS = load_parameters()


def test_undo_and_redo_walk_the_history(reference: Scenario) -> None:
    dear = reference.with_values(fuel_price_eur_per_l=2.25)
    hot = dear.with_values(climate="tracc_2050")
    session = Session(reference).with_scenario(dear).with_scenario(hot)
    assert session.undone().scenario == dear
    assert session.undone().undone().scenario == reference
    assert session.undone().undone().undone().scenario == reference
    assert session.undone().redone() == dataclasses.replace(session, gesture="")
    assert session.undone().with_scenario(reference).future == ()


def test_one_gesture_is_one_step_back(reference: Scenario) -> None:
    session = Session(reference)
    for price in (1.8, 1.85, 1.9):
        session = session.with_scenario(reference.with_values(fuel_price_eur_per_l=price), gesture="fuel:1")
    assert len(session.past) == 1
    assert session.undone().scenario == reference


@given(
    price=st.sampled_from([1.15, 1.75, 2.25, 3.0]),
    days=st.sampled_from([0.0, 1.9, 2.0, 5.0]),
    climate=st.sampled_from(CLIMATES),
    refused=st.lists(st.sampled_from(["84003", "04001", "2A004"]), unique=True),
    share=st.sampled_from([0.002, 0.005, 0.011]),
    view=st.builds(
        View, language=st.sampled_from(["fr", "en"]), selected=st.sampled_from(["", "84003"]),
        projector=st.booleans(), all_communes=st.booleans(), departement=st.sampled_from(["", "84", "2A"]),
        near=st.sampled_from(["", "84003"]), near_min=st.integers(1, 30), viable_only=st.booleans(),
    ),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_an_address_gives_the_session_back(
    price: float, days: float, climate: str, refused: list[str], share: float, view: View
) -> None:
    changed = () if share == PARAMETERS.value("hub_share_reference") else (("hub_share_reference", share),)
    scenario = reference_scenario(PARAMETERS).with_values(
        fuel_price_eur_per_l=price, telework_days_per_week=days, climate=climate, refused=tuple(sorted(refused)),
        changed=changed,
    )  # fmt: skip
    session = Session(scenario, view)
    again = state.session_from_query(state.address(session, PARAMETERS), PARAMETERS)
    assert (again.scenario, again.view, again.problems) == (scenario, view, ())


def test_the_reference_has_a_bare_address(reference: Scenario) -> None:
    assert state.address(Session(reference), PARAMETERS) == {}


def test_a_wrong_address_is_told_and_the_rest_is_kept() -> None:
    query = {
        "fuel_price_eur_per_l": "2.25",
        "climate": "boiling",
        "lang": "de",
        "minutes": "-4",
        "near": "<b>",
        "x": "1",
        "plan": "n4~z9",
    }
    session = state.session_from_query(query, PARAMETERS)
    assert session.scenario.fuel_price_eur_per_l == 2.25
    assert session.view == View()
    assert len(session.problems) == 6
    french = [plain(told(problem, PARAMETERS, "fr")) for problem in session.problems]
    assert all(" : " in text and "allowed" not in text for text in french)
    assert "plan : partie inconnue 'z9'" in french
    assert "minutes : permis : nombres entiers de 1 à 30 ; pas '-4'" in french


@given(st.sampled_from(COMPONENTS), st.floats(0.0, 100.0))
@settings(max_examples=80, deadline=None)
def test_weights_always_sum_to_100(name: str, points: float) -> None:
    scenario = state.rebalanced(reference_scenario(PARAMETERS), f"weight_{name}", points)
    assert sum(scenario.weights()) == pytest.approx(100.0, abs=1e-6)
    assert min(scenario.weights()) >= 0.0


def test_weights_recover_from_all_on_one(reference: Scenario) -> None:
    alone = state.rebalanced(reference, "weight_time", 100.0)
    assert state.rebalanced(alone, "weight_time", 20.0).weights() == (20.0, 20.0, 20.0, 20.0, 20.0)


def test_the_line_of_the_reference(reference: Scenario, parameters: Parameters) -> None:
    assert describe.scenario_line(reference, parameters, "fr") == "1,75\u00a0€/L · aujourd'hui · 1,9\u00a0j/sem"
    assert describe.scenario_line(reference, parameters, "en") == "1.75\u00a0€/L · today · 1.9\u00a0d/week"
    assert describe.changes(reference, parameters, "fr") == []


def test_changes_are_named_with_their_reference(reference: Scenario, parameters: Parameters) -> None:
    scenario = reference.with_values(
        fuel_price_eur_per_l=2.25, premises="own", refused=("84003",), changed=(("rebound_share", 0.3),)
    )
    found = describe.changes(scenario, parameters, "fr")
    assert ("Prix du carburant", "2,25\u00a0€/L", "1,75\u00a0€/L") in found
    assert len(found) == 4


def test_every_lever_is_drawn_once(parameters: Parameters) -> None:
    from coopconnect.scenario import NUMERIC_LEVERS

    order = levers.order()
    assert len(order) == len(set(order))
    assert set(order) == {*NUMERIC_LEVERS, *levers.CHOICES}
    assert tuple(order[:3]) == levers.FIRST
    assert all(parameters[key].lever is not None for key in NUMERIC_LEVERS)


def test_worked_scenarios_open_and_speak_both_languages() -> None:
    found = home.examples()
    assert len(found) >= 3
    for example in found:
        assert all(example.title[lang] and example.why[lang] for lang in ("fr", "en"))
        assert example.title["fr"] != example.title["en"]
        assert example.scenario != reference_scenario(PARAMETERS)


def test_communes_are_found_by_name_code_and_part(small: Territory) -> None:
    assert filters.find_commune("commune 3", small) == "10003"
    assert filters.find_commune("10007", small) == "10007"
    assert filters.find_commune("  ", small) == ""
    assert filters.find_commune("Atlantis", small) == ""
    assert filters.plain("L'Isle-sur-la-Sorgue") == "l isle sur la sorgue"
    assert filters.plain("Œuilly-Évêque") == "oeuilly eveque"


def test_minutes_to_a_commune_are_those_of_the_access_table(small: Territory) -> None:
    code = str(small.zones["zone_code"].iloc[4])
    found = filters.minutes_to(small, code)
    for site, start in enumerate(small.access_start[:-1]):
        zones = small.access_zone[start : small.access_start[site + 1]]
        rows = np.flatnonzero(zones == 4)
        wanted = small.access_drive_min[start + rows[0]] if rows.size else np.inf
        assert found[site] == pytest.approx(wanted)


def test_lists_of_codes_become_a_territory() -> None:
    assert places.communes_code("84107 84003,2a004\nnothing 123") == "2A004,84003,84107"
    assert places.communes_code("") == ""


def test_validation_figures_are_those_of_the_documentation() -> None:
    from pathlib import Path

    from coopconnect.ui.assumptions import reached, validation_figures, written

    docs = Path(__file__).resolve().parents[1] / "docs"
    text = "".join((docs / f"{name}.md").read_text(encoding="utf-8") for name in ("territory", "flows", "travel"))
    for figure in validation_figures():
        assert set(figure) == {"what_fr", "what_en", "value", "goal"}
        assert figure["value"] in text, f"{figure['what_en']}: {figure['value']} is not in docs/"
        assert figure["goal"] == "" or figure["goal"][0] in "≤≥"
    assert written("91.9 %", "fr") == "91,9\u202f%"
    assert not reached("21 %", "≤ 20 %") and reached("0.938", "≥ 0.93") and not reached("0.811", "≥ 0.84")


def test_a_long_plan_is_read_whole() -> None:
    asked = "n4~x" + ".".join(f"{code:05d}" for code in range(4000, 4900))
    view, problems = state.view_from_query({"plan": asked})
    assert view.plan == asked
    assert problems == []


def test_the_details_of_a_parameter_are_sentences_and_their_date_stays_whole(parameters: Parameters) -> None:
    from types import SimpleNamespace

    from coopconnect.show.words import say
    from coopconnect.ui.assumptions import details

    page = SimpleNamespace(language="fr", parameters=parameters, say=lambda key, **values: say(key, "fr", **values))
    text = details(page, parameters["hub_share_reference"])  # type: ignore[arg-type]
    assert ". Hypothèse. " in text
    assert "2027\u201105\u201131" in text
