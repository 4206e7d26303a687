"""The engine against a naive second model, golden values worked out by hand, and invariants."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive_model import naive_hours, naive_site
from synthetic import synthetic_territory

from coopconnect.model import impact, viability
from coopconnect.model.assessment import assess, response
from coopconnect.model.calibration import calibration_for
from coopconnect.model.choice import cost_per_km_eur, day_costs, hub_days_per_user, within_reach
from coopconnect.model.households import HISTOGRAM_EDGES, quantiles_of
from coopconnect.model.ranges import BEHAVIOUR_RANGES, Context, behaviour_variants, ranks
from coopconnect.model.runs import run_kernel, site_results, surroundings
from coopconnect.model.types import RANGED, SITE_COLUMNS, TOTALS, ZONE_COLUMNS
from coopconnect.parameters import Parameters
from coopconnect.scenario import CLIMATES, PREMISES, Scenario, parameter_values
from coopconnect.territory.types import Territory

COMPARED = (
    "hub_days_per_year", "users", "hours_per_year", "eur_per_year", "kg_co2e_per_year", "desks",
    "yearly_cost_eur", "viability", "score", "component_resilience", "substitution_share",
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 50),
    fuel=st.floats(1.15, 3.0),
    days=st.floats(0.0, 5.0).map(lambda x: round(x, 1)),
    access=st.floats(5.0, 30.0),
    climate=st.sampled_from(CLIMATES),
    premises=st.sampled_from(PREMISES),
    cooled=st.booleans(),
    telepresence=st.sampled_from([0.0, 150.0, 400.0]),
)
def test_agrees_with_the_naive_model(
    parameters: Parameters, reference: Scenario, seed: int, fuel: float, days: float, access: float,
    climate: str, premises: str, cooled: bool, telepresence: float,
) -> None:  # fmt: skip
    territory = synthetic_territory(12, seed=seed, flows_per_zone=5, side_km=30.0, halo=3)
    scenario = reference.with_values(
        fuel_price_eur_per_l=fuel, telework_days_per_week=days, access_max_min=access, climate=climate,
        premises=premises, hub_cooled=cooled, telepresence_price_eur_per_month=telepresence,
    )  # fmt: skip
    result = assess(territory, scenario, parameters)
    values = parameter_values(scenario, parameters)
    for s in range(territory.site_zone.size):
        expected = naive_site(territory, s, scenario, result.calibration, values)
        for name in COMPARED:
            assert result.sites[name].iloc[s] == pytest.approx(expected[name], rel=1e-6, abs=1e-6), name


def test_one_commuter_by_hand() -> None:
    """One person, 30 km and 30 min from work, hub at 5 km and 6 min, 100 hub days of which 50 replace a drive.

    minutes kept = 50 * 60 - 100 * 12 = 1,800 min = 30 h
    vehicle km   = 50 * 60 * (1 - 0.25) - 100 * 10 = 2,250 - 1,000 = 1,250 km
    """
    sums = impact.Sums(*(np.array([x]) for x in (100.0, 50.0, 50 * 60.0, 50 * 60.0, 100 * 12.0, 100 * 10.0)))
    assert impact.hours(sums)[0] == pytest.approx(30.0)
    assert impact.vehicle_km(sums, {"rebound_share": 0.25})[0] == pytest.approx(1250.0)


def test_cost_and_emission_by_hand(parameters: Parameters, reference: Scenario) -> None:
    """0.971 * 6.4 / 100 * 1.75 + 0.029 * 0.04 + 0.10 = 0.1088 + 0.0012 + 0.10 = 0.2099 EUR/km; today 0.188 kg/km."""
    values = parameter_values(reference, parameters)
    assert cost_per_km_eur(reference, values) == pytest.approx(0.20991, abs=1e-5)
    assert impact.emission_kg_per_km(reference, values) == pytest.approx(0.188)
    later = reference.with_values(climate="tracc_2050")
    assert impact.emission_kg_per_km(later, values) < 0.07


def test_nobody_comes_on_more_days_than_are_allowed(parameters: Parameters, reference: Scenario) -> None:
    values = parameter_values(reference, parameters)
    weeks = values["weeks_per_year"]
    for wanted, allowed, days in ((1.0, 1.9, 1.0), (1.9, 1.9, 1.9), (2.1, 1.9, 1.9), (2.1, 3.8, 3.8), (1.0, 3.8, 2.0)):
        scenario = reference.with_values(telework_days_per_week=allowed)
        found = hub_days_per_user(scenario, {**values, "hub_days_per_user_per_week": wanted})
        assert found == pytest.approx(days * weeks), (wanted, allowed)


def test_annuity_and_desks_by_hand(parameters: Parameters) -> None:
    """20,000 EUR, 4 %, 15 years: 20,000 * 0.04 / (1 - 1.04 ** -15) = 800 / 0.444735 = 1,798.82.

    Poisson of mean 2: P(<= 4) = 0.947, P(<= 5) = 0.983: five desks for 95 % of days.
    """
    assert viability.annuity(20000.0, 0.04, 15.0) == pytest.approx(1798.82, abs=0.01)
    assert viability.annuity(1500.0, 0.0, 15.0) == pytest.approx(100.0)
    values = {"weeks_per_year": 46.0, "working_days_per_week": 5.0, "desk_service_share": 0.95}
    found = viability.desks(np.array([0.0, 2.0 * 230, 0.01 * 230, 900.0 * 230]), values)
    assert found[:3].tolist() == [0.0, 5.0, 1.0]
    assert found[3] == pytest.approx(900 + 1.645 * 30, abs=2)


def test_reference_user_by_hand(small: Territory, parameters: Parameters) -> None:
    """17.3 km and 25 min (peak included) from work, hub at 6 min, 46 * 1.9 = 87.4 days a year.

    Who replaces every drive keeps 87.4 * (50 - 12) / 60 = 55.4 h. The average user keeps 87.4 * (share * 50 - 12) / 60
    with the share that the calibrated choice gives, not one that is assumed.
    """
    reached = calibration_for(small, parameters, ()).reached
    assert reached["reference_user_hours_if_all_replaced"] == pytest.approx(55.35, abs=0.01)
    share = reached["reference_user_substitution"]
    assert reached["reference_user_hours"] == pytest.approx(87.4 * (share * 50 - 12) / 60)
    assert 0.0 < share < 1.0


def test_distribution_keeps_the_two_kinds_of_users_apart(
    small: Territory, parameters: Parameters, reference: Scenario
) -> None:
    """The histogram, its share of losers and its median against the naive list of users."""
    result = assess(small, reference, parameters)
    values = parameter_values(reference, parameters)
    for s in (0, 7, 19):
        users = naive_hours(small, s, reference, result.calibration, values)
        total = sum(n for _, n in users)
        assert result.histogram[s].sum() == pytest.approx(total, rel=1e-6)
        losing = sum(n for h, n in users if h < 0) / total
        assert result.sites["losing_share"].iloc[s] == pytest.approx(losing, abs=1e-6)
        median = sorted(users)[int(np.searchsorted(np.cumsum([n for _, n in sorted(users)]), total / 2))][0]
        width = HISTOGRAM_EDGES[1] - HISTOGRAM_EDGES[0]
        assert result.sites["hours_d5"].iloc[s] == pytest.approx(median, abs=width)


def test_contract(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    result = assess(small, reference, parameters)
    ends = [name + end for name in RANGED for end in ("_low", "_high")]
    assert set(result.sites.columns) == {*SITE_COLUMNS, *ends}
    assert set(result.zones.columns) == set(ZONE_COLUMNS)
    assert tuple(result.totals) == TOTALS
    assert not result.sites.drop(columns=["break_even_users"]).isna().any().any()
    assert result.households["users_share"].sum() == pytest.approx(1.0)


def test_by_zone_sums_are_by_site_sums(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    result = assess(small, reference, parameters)
    users = np.bincount(result.access_site, weights=result.pair_users, minlength=len(result.sites))
    hours = np.bincount(result.access_site, weights=result.pair_hours, minlength=len(result.sites))
    np.testing.assert_allclose(users, result.sites["users"], rtol=1e-9)
    np.testing.assert_allclose(hours, result.sites["hours_per_year"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(result.histogram.sum(axis=1), result.sites["users"], rtol=1e-9)


def test_no_remote_day_no_change(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    sites = assess(small, reference.with_values(telework_days_per_week=0.0), parameters).sites
    for name in ("users", "hub_days_per_year", "hours_per_year", "eur_per_year", "kg_co2e_per_year", "desks"):
        assert (sites[name] == 0.0).all(), name
    assert np.isfinite(sites["score"]).all()


def test_free_travel_saves_no_euro(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    """No fuel, wear or electricity cost: no euro kept, though hours are."""
    home = calibration_for(small, parameters, ())
    values = parameter_values(reference, parameters)
    values.update(consumption_l_per_100_km=0.0, electric_cost_eur_per_km=0.0, non_fuel_cost_eur_per_km=0.0)
    prepared = within_reach(small, reference.access_max_min)
    run = run_kernel(prepared, reference, home, values)
    central = site_results(run.sites, surroundings(prepared, reference, values), reference, values)
    np.testing.assert_allclose(central["eur_per_year"], 0.0, atol=1e-9)
    assert (np.abs(central["hours_per_year"]) > 0).any()


def test_the_nearer_of_two_hubs_never_has_fewer_users(parameters: Parameters, reference: Scenario) -> None:
    """Two sites with the same homes in reach, the second farther from each: it cannot attract more."""
    base = synthetic_territory(10, seed=3, flows_per_zone=6, side_km=20.0)
    n = int(base.access_start[1])
    twin = dataclasses.replace(
        base,
        site_zone=np.array([0, 1], dtype=np.int32),
        access_start=np.array([0, n, 2 * n]),
        access_zone=np.tile(base.access_zone[:n], 2),
        access_road_km=np.concatenate([base.access_road_km[:n], base.access_road_km[:n] * 1.2]),
        access_drive_min=np.concatenate([base.access_drive_min[:n], base.access_drive_min[:n] * 1.2]),
    )
    sites = assess(twin, reference, parameters).sites
    assert sites["users"].iloc[0] >= sites["users"].iloc[1] > 0


def test_negative_savings_are_shown(parameters: Parameters, reference: Scenario) -> None:
    """Everyone works next door and the hub is far: hours, euros and CO2 are negative, flagged and not clipped."""
    base = synthetic_territory(10, seed=5, flows_per_zone=4, side_km=15.0)
    near = dataclasses.replace(
        base,
        flow_drive_min=np.full_like(base.flow_drive_min, 3.0),
        flow_road_km=np.full_like(base.flow_road_km, 1.5),
        access_drive_min=np.maximum(base.access_drive_min, 12.0),
        access_road_km=np.maximum(base.access_road_km, 10.0),
    )
    result = assess(near, reference, parameters, home=synthetic_territory())
    assert (result.sites["hours_per_year"] < 0).all()
    assert (result.sites["kg_co2e_per_year"] < 0).all()
    assert result.sites["red_flag"].all()
    assert (result.sites["component_co2"] == 0).all()


def test_central_lies_in_its_range(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    sites = assess(small, reference, parameters).sites
    for name in RANGED:
        assert (sites[f"{name}_low"] <= sites[name] + 1e-9).all(), name
        assert (sites[f"{name}_high"] >= sites[name] - 1e-9).all(), name
    assert (sites["users_high"] > sites["users"]).all()


def test_assess_changes_nothing(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    before = {f.name: _copy(getattr(small, f.name)) for f in dataclasses.fields(small)}
    first = assess(small, reference, parameters)
    assess(small, reference.with_values(fuel_price_eur_per_l=3.0, climate="tracc_2100"), parameters)
    again = assess(small, reference, parameters)
    for name, value in before.items():
        now = getattr(small, name)
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(value, now)
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, now)
    pd.testing.assert_frame_equal(first.sites, again.sites)


def _copy(value: object) -> object:
    return value.copy() if isinstance(value, (np.ndarray, pd.DataFrame)) else value


def test_a_refused_site_is_not_available(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    code = small.zones["zone_code"].iloc[4]
    result = assess(small, reference.with_values(refused=(code,)), parameters)
    row = result.site(code)
    assert row is not None
    assert not row["available"]
    assert row["rank"] == 0
    assert sorted(result.sites.loc[result.sites["available"], "rank"]) == list(range(1, len(result.sites)))


def test_weights_move_the_score_only(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    names = ("viability", "time", "money", "co2", "resilience")
    only = reference.with_values(**{f"weight_{n}": 100.0 * (n == "time") for n in names})
    a, b = assess(small, reference, parameters).sites, assess(small, only, parameters).sites
    np.testing.assert_allclose(b["score"], b["component_time"])
    np.testing.assert_allclose(a["users"], b["users"])


def test_telepresence_under_its_threshold_brings_users(
    small: Territory, parameters: Parameters, reference: Scenario
) -> None:
    threshold = parameters.value("telepresence_threshold_eur_per_month")
    dear = assess(small, reference.with_values(telepresence_price_eur_per_month=threshold + 1), parameters).sites
    cheap = assess(small, reference.with_values(telepresence_price_eur_per_month=threshold), parameters).sites
    assert (cheap["users"] > dear["users"]).all()


def test_response_is_the_assessment_at_each_level(
    small: Territory, parameters: Parameters, reference: Scenario
) -> None:
    levels = [1.15, 1.75, 2.25, 3.0]
    code = small.zones["zone_code"].iloc[0]
    table = response(small, reference, parameters, code, "fuel_price_eur_per_l", levels)
    assert table["value"].tolist() == levels
    for row, level in enumerate(levels):
        full = assess(small, reference.with_values(fuel_price_eur_per_l=level), parameters).site(code)
        assert full is not None
        for name in ("users", "score", "hours_per_year", "viability"):
            assert table[name].iloc[row] == pytest.approx(full[name]), (name, level)


def test_dearer_fuel_keeps_more_hours_per_user(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    """Dearer fuel sends longer commutes to the hub: the average user keeps more, over all sites together."""
    hours = [
        assess(small, reference.with_values(fuel_price_eur_per_l=level), parameters)
        .totals["hours_per_participating_household"]
        .value
        for level in (1.15, 1.75, 2.25, 3.0)
    ]
    assert hours == sorted(hours)
    assert hours[-1] > hours[0]


def test_unknown_site_is_named(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    with pytest.raises(KeyError, match="no site '99999'"):
        response(small, reference, parameters, "99999", "fuel_price_eur_per_l", [1.0])


def test_quantiles_of_a_known_histogram() -> None:
    h = np.zeros((2, HISTOGRAM_EDGES.size - 1))
    b = int(np.searchsorted(HISTOGRAM_EDGES, 0.0))
    h[0, b : b + 10] = 1.0  # uniform from 0 to 40 hours
    middle, first = quantiles_of(h, (0.5, 0.1))
    assert middle.tolist() == pytest.approx([20.0, 0.0])
    assert first[0] == pytest.approx(4.0)


def test_ranks_and_ties() -> None:
    """Everything rises together in one run; in another, the second and the third change places."""
    value = np.array([50.0, 80.0, 49.0, 10.0])
    together, swap = value + 15.0, np.array([48.0, 80.0, 49.0, 10.0])
    found = ranks(value, [together, swap], np.array([True, True, True, True]))
    assert found["rank"].tolist() == [2, 1, 3, 4]
    assert found["tie_group"].tolist() == [2, 1, 2, 3]
    assert found["tied"].tolist() == [True, False, True, False]
    assert found["rank_low"].tolist() == [2, 1, 2, 4]
    assert found["rank_high"].tolist() == [3, 1, 3, 4]


def test_annuity_never_below_straight_line() -> None:
    for rate in (0.01, 0.04, 0.1):
        assert viability.annuity(1000.0, rate, 10.0) > 100.0
    assert math.isclose(viability.annuity(0.0, 0.04, 15.0), 0.0)


def test_a_range_end_is_the_run_with_that_value(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    """Each behavioural run of the ranges is what changing that assumption by hand gives, calibration included.

    The runs of the ranges are in single precision: five digits are asked, a thousandth of an hour or of a point.
    """
    values = parameter_values(reference, parameters)
    prepared = within_reach(small, reference.access_max_min)
    around = surroundings(prepared, reference, values)
    context = Context(prepared, small, reference, parameters, values, around, day_costs(prepared, reference, values))
    pairs = list(behaviour_variants(context))
    assert len(pairs) == len(BEHAVIOUR_RANGES)
    for key, pair in zip(BEHAVIOUR_RANGES, pairs, strict=True):
        for level, figures in zip(context.levels(key), pair, strict=True):
            changed = ((key, level),) if level != parameters.value(key) else ()
            sites = assess(small, reference.with_values(changed=changed), parameters).sites
            for name in ("users", "hours_per_year", "score", "viability"):
                found = figures[RANGED.index(name)]
                np.testing.assert_allclose(found, sites[name], rtol=1e-5, atol=1e-3, err_msg=f"{key} {name}")


def test_an_empty_hub_has_no_viability_points(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    """A contribution can balance an empty hub; it does not make it a site that works."""
    empty = reference.with_values(telework_days_per_week=0.0, council_contribution_eur_per_year=30000.0)
    result = assess(small, empty, parameters)
    assert (result.sites["viability"] > 1.0).all()
    assert (result.sites["component_viability"] == 0.0).all()
    assert result.totals["viable_sites"].value == 0.0


def test_break_even_by_hand(parameters: Parameters, reference: Scenario) -> None:
    """Ten free desks: cost 16,798.82, contribution 10,000, 87.4 days at 8 EUR = 699.2 EUR a user.

    6,798.82 / 699.2 = 9.72 users, 10 to the half; they need 7 desks of the 9 of a small hub, so the cost is that of the unit.
    """
    values = parameter_values(reference, parameters)
    assert viability.break_even_users(46 * 1.9, reference, values) == pytest.approx(10.0)
    free = reference.with_values(day_price_eur=0.0)
    assert viability.break_even_users(46 * 1.9, free, values) == math.inf
    paid = reference.with_values(council_contribution_eur_per_year=20000.0)
    assert viability.break_even_users(46 * 1.9, paid, values) == 0.0


def test_the_climate_moves_no_behaviour_but_heat_and_roads(
    small: Territory, parameters: Parameters, reference: Scenario
) -> None:
    """The fleet of 2050 changes emissions only: the hours of the hot scenario stay near those of today."""
    today = assess(small, reference, parameters)
    later = assess(small, reference.with_values(climate="tracc_2050"), parameters)
    key = "hours_per_participating_household"
    assert later.totals[key].value == pytest.approx(today.totals[key].value, rel=0.1)
    assert later.sites["kg_co2e_per_year"].abs().sum() < 0.5 * today.sites["kg_co2e_per_year"].abs().sum()


def test_a_refused_site_is_nobody_s_best(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    best = assess(small, reference, parameters).zones["best_site_code"]
    code = best[best != ""].mode()[0]
    again = assess(small, reference.with_values(refused=(code,)), parameters).zones
    assert code not in set(again["best_site_code"])
    assert (again.loc[again["best_site_code"] != "", "hub_hours_per_year"] > 0).all()


def test_a_longer_detour_lengthens_every_estimated_km(parameters: Parameters, reference: Scenario) -> None:
    base = synthetic_territory(10, seed=2)
    estimated = dataclasses.replace(base, circuity=parameters.value("circuity"))
    changed = reference.with_values(changed=(("circuity", 1.5),))
    before = assess(estimated, reference, parameters).zones["commute_km"]
    after = assess(estimated, changed, parameters).zones["commute_km"]
    np.testing.assert_allclose(after, before * 1.5 / parameters.value("circuity"))
    routed = assess(base, changed, parameters).zones["commute_km"]
    np.testing.assert_allclose(routed, before)
