"""One person's week: by hand, anywhere in France, and what must always hold."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coopconnect.model.personal import MEASURES, Person, cost_per_km_of, emission_of, weeks_of
from coopconnect.parameters import DATA_DIR, Parameters
from coopconnect.scenario import Scenario, parameter_values
from coopconnect.territory.anywhere import Anywhere, Drive, load_anywhere
from coopconnect.territory.types import Territory

FAR, NEAR = Drive(30.0, 35.0, False), Drive(5.0, 8.0, False)


@pytest.fixture(scope="module")
def anywhere(parameters: Parameters) -> Anywhere:
    return load_anywhere(DATA_DIR / "territory", parameters.value("circuity"), parameters.values_with({}))


def test_a_week_by_hand(reference: Scenario, parameters: Parameters) -> None:
    """30 km and 35 min from work, hub at 5 km and 8 min, two days a week; 46 weeks, peak 1.2, 6.4 L, 1.75 EUR/L, 0.10 EUR/km.

    today 5 * 2 * 35 * 1.2 / 60 = 7 h and 300 km; home 3/5 of it: 4.2 h, 180 km
    hub   4.2 + 2 * 2 * 8 / 60 = 4.7333 h; 180 + 20 = 200 km
    a km costs 0.064 * 1.75 + 0.10 = 0.212 EUR: kept 100 * 0.212 * 46 = 975.2 EUR, 2.26667 * 46 = 104.27 h a year
    """
    found = weeks_of(Person(FAR, NEAR, 2, "thermal"), reference, parameters)
    assert found.week["today", "hours"].value == pytest.approx(7.0)
    assert found.week["home", "hours"].value == pytest.approx(4.2)
    assert found.week["hub", "hours"].value == pytest.approx(4.2 + 32 / 60)
    assert [found.week[way, "km"].value for way in ("today", "hub", "home")] == pytest.approx([300, 200, 180])
    assert found.kept["hub", "eur"].value == pytest.approx(975.2)
    assert found.kept["hub", "hours"].value == pytest.approx((7.0 - 4.2 - 32 / 60) * 46)
    assert found.year["today", "km"].value == pytest.approx(300 * 46)
    price = 2 * reference.day_price_eur
    assert found.price_week is not None and found.price_week.value == pytest.approx(price)
    assert found.left_year is not None and found.left_year.value == pytest.approx(975.2 - 46 * price)


def test_an_electric_car_by_hand(reference: Scenario, parameters: Parameters) -> None:
    values = parameter_values(reference, parameters)
    assert cost_per_km_of("electric", reference, values) == pytest.approx(0.04 + 0.10)
    assert emission_of("electric", values) == pytest.approx(0.019)
    today = values["electric_share_today"]
    mix = (1 - today) * emission_of("thermal", values) + today * emission_of("electric", values)
    assert mix == pytest.approx(values["fleet_emission_kg_per_km"])


def test_the_range_of_a_week_by_hand(reference: Scenario, parameters: Parameters) -> None:
    """Hours of today's week: peak (1.0 to 1.33 around 1.2) and the time of the trip (0.86 to 1.14), in quadrature."""
    found = weeks_of(Person(FAR, NEAR, 2, "thermal"), reference, parameters).week["today", "hours"]
    low = ((7 - 7 / 1.2) ** 2 + (7 * 0.14) ** 2) ** 0.5
    high = ((7 * 1.33 / 1.2 - 7) ** 2 + (7 * 0.14) ** 2) ** 0.5
    assert (found.low, found.high) == pytest.approx((7 - low, 7 + high))
    routed = weeks_of(Person(Drive(30.0, 35.0, True), None, 2, "thermal"), reference, parameters)
    assert routed.week["today", "km"].low == routed.week["today", "km"].high == pytest.approx(300.0)
    assert routed.week["today", "hours"].low == pytest.approx(7 / 1.2)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    km=st.floats(0.5, 300), minutes=st.floats(1, 240), hub_km=st.floats(0.5, 60), hub_min=st.floats(1, 60),
    days=st.integers(0, 5), car=st.sampled_from(["thermal", "electric", "none"]), fuel=st.floats(1.15, 3.0),
)  # fmt: skip
def test_what_always_holds(
    reference: Scenario, parameters: Parameters, km: float, minutes: float, hub_km: float, hub_min: float, days: int,
    car: str, fuel: float,
) -> None:  # fmt: skip
    scenario = reference.with_values(fuel_price_eur_per_l=fuel)
    person = Person(Drive(km, minutes, False), Drive(hub_km, hub_min, False), days, car)
    found = weeks_of(person, scenario, parameters)
    measures = ["hours"] if car == "none" else list(MEASURES)
    assert {m for _, m in found.week} == set(measures)
    for table in (found.week, found.year, found.kept):
        assert all(r.low <= r.value <= r.high for r in table.values())
    for m in measures:
        assert found.kept["home", m].value >= found.kept["hub", m].value
        assert (found.kept["home", m].value == 0) == (days == 0)
        assert found.week["today", m].value >= found.week["home", m].value >= 0
    peak = parameters.value("commute_peak_factor")
    if days and abs(hub_min - minutes * peak) > 1e-9:
        assert (found.kept["hub", "hours"].value < 0) == (hub_min > minutes * peak)
    assert (found.left_year is None) == (car == "none")


def test_without_a_hub_there_are_two_weeks(reference: Scenario, parameters: Parameters) -> None:
    found = weeks_of(Person(FAR, None, 7, "thermal"), reference, parameters)
    assert {way for way, _ in found.week} == {"today", "home"}
    assert found.price_week is None and found.left_year is None
    assert found.days == 5 and found.week["home", "km"].value == 0.0


def test_a_trip_is_the_one_of_the_territory(paca: Territory, anywhere: Anywhere) -> None:
    zones = paca.zones["zone_code"].to_numpy(object)
    for site in (0, 200, 900):
        for pair in range(int(paca.access_start[site]), int(paca.access_start[site + 1])):
            drive = anywhere.drive(zones[paca.access_zone[pair]], zones[paca.site_zone[site]])
            assert drive.drive_min == pytest.approx(float(paca.access_drive_min[pair]), rel=1e-6)
            assert drive.road_km == pytest.approx(float(paca.access_road_km[pair]), rel=1e-6)
            assert not drive.routed


def test_anywhere_in_france(anywhere: Anywhere) -> None:
    across = anywhere.drive("35238", "35093")  # Rennes to Dinard, in another region than the default one
    assert 55 < across.road_km < 110 and 45 < across.drive_min < 100
    own = anywhere.drive("84003", "84003")
    assert 0.3 < own.road_km < 10
    with pytest.raises(KeyError):
        anywhere.drive("97411", "84003")
