"""The travel estimate: distances known by hand, a law that never goes backwards."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopconnect.parameters import DATA_DIR
from coopconnect.territory import travel
from coopconnect.territory.build import models
from coopconnect.territory.build.near import furthest_crow_km
from coopconnect.territory.fitted import fitted_values

BY_HAND = travel.TravelLaw(
    1.0, 0.5, 0.1, -0.05, -0.02, 0.01, 0.4, -0.2, 0.03, -0.04, -0.1, 0.05,
    density_apart=0.06, density_apart_log_km=-0.02, path=0.3, path_log_km=0.1, path_most=0.7,
    path_density=0.2, path_density_most=9.0, own_km_per_radius=0.5,
)  # fmt: skip
USUAL = np.array(-0.6)
"""R of a usual way."""


@pytest.fixture(scope="module")
def law() -> travel.TravelLaw:
    return travel.TravelLaw.from_parameters(fitted_values())


def test_crow_km_known_by_hand() -> None:
    # One degree of latitude is pi / 180 * 6371.0088 km = 111.195 km; on the 60th parallel one degree of longitude
    # is half of that at the scale of a few metres.
    assert travel.crow_km(2.0, 45.0, 2.0, 46.0) == pytest.approx(111.195, abs=0.001)
    assert travel.crow_km(0.0, 60.0, 0.01, 60.0) == pytest.approx(1.11195 / 2, rel=1e-5)


def test_drive_min_follows_its_formula() -> None:
    # ln t = 1 + E + (0.5 + S) L + 0.1 P^2 - 0.05 P^3 with E = -0.1, S = 0.2. At e km, L = P = 1: 1 - 0.1 + 0.7 + 0.05 = 1.65.
    # At exp(-1) km, L = -1 and P = 0: 1 - 0.1 - 0.7 = 0.2.
    km, level, slope = np.array([np.e, 1 / np.e]), np.full(2, -0.1), np.full(2, 0.2)
    assert travel.drive_min(km, level, slope, BY_HAND) == pytest.approx(np.exp([1.65, 0.2]))


def test_ends_follow_how_communes_are_settled() -> None:
    # 99 people on 1 km2: ln 100; 5 second homes of 20 dwellings: 0.25; 999 people within 10 km: ln 1000; gap of e km: 1.
    zones = pd.DataFrame({"population": [99], "area_km2": [1.0], "second_homes": [5], "dwellings": [20],
                          "people_10_km": [999], "gap_km": [np.e]})  # fmt: skip
    ends = travel.Ends.of(travel.settlement(zones), BY_HAND)
    assert ends.level[0] == pytest.approx(-0.02 * np.log(100) + 0.4 * 0.25 + 0.03 * np.log(1000) - 0.1)
    assert ends.slope[0] == pytest.approx(0.01 * np.log(100) - 0.2 * 0.25 - 0.04 * np.log(1000) + 0.05)
    both = travel.drive_min(np.array([3.0]), 2 * ends.level, 2 * ends.slope, BY_HAND)
    assert ends.drive_min(np.array([3.0]), np.array([0]), np.array([0]), np.array(0.0), BY_HAND) == pytest.approx(both)
    assert ends.own_path(BY_HAND)[0] == pytest.approx(-0.2 * np.log(100))


def test_unlike_ends_and_the_way_between_them_move_level_and_slope() -> None:
    # At e km, L = 1. Densities ln 100 and ln 10 apart by ln 10: 0.06 ln 10 - 0.02 ln 10. A way R of 0.5: 0.3 * 0.5 + 0.1 * 0.5.
    zones = pd.DataFrame({"population": [99, 9], "area_km2": 1.0, "second_homes": 0, "dwellings": 1, "people_10_km": 0,
                          "gap_km": 1.0})  # fmt: skip
    ends = travel.Ends.of(travel.settlement(zones), BY_HAND)
    km, a, b = np.array([np.e]), np.array([0]), np.array([1])
    plain = travel.drive_min(km, ends.level[a] + ends.level[b], ends.slope[a] + ends.slope[b], BY_HAND)
    found = ends.drive_min(km, a, b, np.array([0.5]), BY_HAND)
    assert np.log(found / plain) == pytest.approx(0.04 * np.log(10) + 0.2)
    assert found == pytest.approx(ends.drive_min(km, b, a, np.array([0.5]), BY_HAND))


def test_what_stands_around_is_the_naive_double_loop() -> None:
    rng = np.random.default_rng(5)
    x, y, people = rng.uniform(0, 40, 60), rng.uniform(0, 40, 60), rng.integers(50, 5000, 60).astype(float)
    found = models.around(people, (x, y))
    km = np.hypot(x[:, None] - x, y[:, None] - y)
    assert found["people_10_km"].tolist() == [int(people[row <= 10.0].sum()) for row in km]
    assert found["gap_km"] == pytest.approx(np.sort(km, axis=1)[:, 1:4].mean(axis=1), abs=0.0006)


def test_own_trip_is_half_the_radius() -> None:
    law = BY_HAND
    assert travel.own_crow_km(np.array([np.pi * 16.0]), law)[0] == pytest.approx(2.0)


def test_a_detour_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="circuity"):
        travel.road_km(np.array([10.0]), 0.9)


@pytest.fixture(scope="module")
def ends(law: travel.TravelLaw) -> travel.Ends:
    """Every commune that is shipped."""
    columns = ["population", "area_km2", "second_homes", "dwellings", "people_10_km", "gap_km"]
    zones = pq.read_table(DATA_DIR / "territory" / "communes.parquet", columns=columns).to_pandas()
    return travel.Ends.of(travel.settlement(zones), law)


def test_farther_never_takes_less_time(law: travel.TravelLaw, ends: travel.Ends) -> None:
    """Between two ends like any commune of the country, from 300 m to 100 km."""
    steepest, flattest = ends.slope.argmax(), ends.slope.argmin()
    km = np.geomspace(0.3, 100.0, 400)
    for row, way in itertools.product((steepest, flattest), (USUAL, np.array(-1.8), np.array(0.7))):
        assert (np.diff(ends.drive_min(km, np.array(row), np.array(row), way, law)) > 0).all()


@settings(max_examples=50)
@given(st.floats(-4, 8), st.floats(42, 51), st.floats(-4, 8), st.floats(42, 51))
def test_crow_km_is_symmetrical(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> None:
    there = travel.crow_km(lon_a, lat_a, lon_b, lat_b)
    assert there == pytest.approx(travel.crow_km(lon_b, lat_b, lon_a, lat_a), abs=1e-6)
    assert there >= 0


def test_speeds_are_those_of_roads(law: travel.TravelLaw, ends: travel.Ends) -> None:
    """Between middling communes 5 to 40 km apart, the implied speed on the road (detour 1.36) is 20 to 90 km/h."""
    km = np.array([5.0, 10.0, 20.0, 40.0])
    level, slope = (np.full(4, 2 * np.median(v)) for v in (ends.level, ends.slope))
    level, slope = level + law.path * USUAL, slope + law.path_log_km * USUAL
    speed = 1.36 * km / travel.drive_min(km, level, slope, law) * 60
    assert (speed > 20).all() and (speed < 90).all() and (np.diff(speed) > 0).all()


def test_a_million_pairs_take_no_time_worth_noting(law: travel.TravelLaw) -> None:
    km = np.random.default_rng(1).uniform(1, 60, 1_000_000)
    assert np.isfinite(travel.drive_min(km, np.full(len(km), 1.0), np.zeros(len(km)), law)).all()


def test_furthest_crow_km_bounds_every_pair(law: travel.TravelLaw, ends: travel.Ends) -> None:
    bound = furthest_crow_km(30.0, ends, law)
    every = np.arange(len(ends.level))
    for km in (bound, 1.5 * bound, 60.0):
        assert ends.drive_min(np.full(len(every), km), every, every, np.array(-1.81), law).min() > 30.0
