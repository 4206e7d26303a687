"""The scenario as an address, a file and a set of keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopconnect.dossier import Dossier
from coopconnect.parameters import Parameters, load_parameters
from coopconnect.scenario import (
    CLIMATES,
    Scenario,
    ScenarioError,
    differences,
    from_query,
    reference_scenario,
    set_all,
    set_value,
    to_query,
)
from coopconnect.scenario_file import from_toml, to_toml


def scenarios() -> st.SearchStrategy[Scenario]:
    base = reference_scenario(load_parameters())
    return st.builds(
        base.with_values,
        fuel_price_eur_per_l=st.floats(1.15, 3.0).map(lambda x: round(x, 2)),
        telework_days_per_week=st.floats(0, 5).map(lambda x: round(x, 1)),
        climate=st.sampled_from(CLIMATES),
        premises=st.sampled_from(("shared", "own")),
        hub_cooled=st.booleans(),
        changed=st.sampled_from([(), (("circuity", 1.4),), (("circuity", 1.3), ("rebound_share", 0.3))]),
        refused=st.sampled_from([(), ("84003",), ("04070", "84003")]),
    )


@given(scenarios())
def test_an_address_brings_the_scenario_back(scenario: Scenario) -> None:
    parameters = load_parameters()
    assert from_query(to_query(scenario, parameters), parameters) == (scenario, [])


@given(scenarios(), st.text(max_size=40), st.text(max_size=40))
def test_a_file_brings_the_scenario_back(scenario: Scenario, title: str, why: str) -> None:
    parameters = load_parameters()
    dossier = Dossier(title, why)
    found = from_toml(to_toml(scenario, parameters, dossier), parameters)
    assert (found.scenario, found.dossier, found.migrated_from) == (scenario, dossier, "")


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=5))
def test_any_address_gives_a_scenario(query: dict[str, str]) -> None:
    scenario, problems = from_query(query, load_parameters())
    assert scenario.weights()
    assert all(isinstance(p, str) for p in problems)


def test_the_reference_has_no_difference(reference: Scenario, parameters: Parameters) -> None:
    assert differences(reference, reference) == {}
    assert to_query(reference, parameters) == {"v": "1"}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("fuel_price_eur_per_l", "9", "allowed from 1.15 to 3 €/L; '9' is outside"),
        ("fuel_price_eur_per_l", "dear", "'dear' is not a number"),
        ("fuel_price_eur_per_l", "nan", "outside"),
        ("climate", "hot", "allowed today, tracc_2030"),
        ("hub_cooled", "maybe", "allowed true or false"),
        ("circuity", "3", "allowed from 1.2 to 1.6 ratio"),
        ("fuel", "2", "unknown; allowed: territory"),
        ("travel_constant", "2", "fitted on data"),
        ("fuel_price_eur_per_l", "٢", "is not a number"),
    ],
)
def test_a_wrong_value_is_explained(
    reference: Scenario, parameters: Parameters, key: str, value: str, message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        set_value(reference, key, value, parameters)


def test_all_problems_come_at_once(reference: Scenario, parameters: Parameters) -> None:
    with pytest.raises(ScenarioError) as error:
        set_all(reference, {"fuel": "1", "climate": "x", "premises": "own"}, parameters)
    assert len(str(error.value).splitlines()) == 2


def test_what_can_be_read_of_an_old_link_is_kept(parameters: Parameters) -> None:
    scenario, problems = from_query({"v": "0", "premises": "own", "gone": "1"}, parameters)
    assert scenario.premises == "own"
    assert len(problems) == 2


def test_french_decimal_comma_is_understood(reference: Scenario, parameters: Parameters) -> None:
    assert set_value(reference, "fuel_price_eur_per_l", "2,25", parameters).fuel_price_eur_per_l == 2.25


def test_putting_an_assumption_back_forgets_the_change(reference: Scenario, parameters: Parameters) -> None:
    moved = set_value(reference, "circuity", 1.4, parameters)
    assert moved.changed == (("circuity", 1.4),)
    assert set_value(moved, "circuity", parameters.value("circuity"), parameters) == reference


def test_no_weight_at_all_is_refused(reference: Scenario, parameters: Parameters) -> None:
    zero = {f"weight_{c}": 0 for c in ("viability", "time", "money", "co2", "resilience")}
    with pytest.raises(ScenarioError, match="at least one of the five"):
        set_all(reference, zero, parameters)


def test_a_hostile_file_is_explained(parameters: Parameters) -> None:
    for text in ("a = " + "[" * 100_000, "\x00", "differences = 3", "[differences]\ncircuity = inf"):
        with pytest.raises(ScenarioError):
            from_toml(text, parameters)
