"""The travel estimate: distances known by hand, a law that never goes backwards."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopconnect.territory import travel
from coopconnect.territory.estimate import furthest_crow_km
from coopconnect.territory.fitted import fitted_values


@pytest.fixture(scope="module")
def law() -> travel.TravelLaw:
    return travel.TravelLaw.from_parameters(fitted_values())


def test_crow_km_known_by_hand() -> None:
    # One degree of latitude is pi / 180 * 6371.0088 km = 111.195 km; on the 60th parallel one degree of longitude
    # is half of that at the scale of a few metres.
    assert travel.crow_km(2.0, 45.0, 2.0, 46.0) == pytest.approx(111.195, abs=0.001)
    assert travel.crow_km(0.0, 60.0, 0.01, 60.0) == pytest.approx(1.11195 / 2, rel=1e-5)


def test_drive_min_follows_its_formula() -> None:
    # ln t = 1 + 0.5 L + 0.1 L^2 - 0.02 D, crow e km so L = 1, D = 5: ln t = 1 + 0.5 + 0.1 - 0.1 = 1.5.
    law = travel.TravelLaw(1.0, 0.5, 0.1, -0.02, 0.0, 0.5)
    assert travel.drive_min(np.array([np.e]), np.array([5.0]), law)[0] == pytest.approx(np.exp(1.5))


def test_own_trip_is_half_the_radius() -> None:
    law = travel.TravelLaw(1.0, 0.5, 0.1, -0.02, 0.0, 0.5)
    assert travel.own_crow_km(np.array([np.pi * 16.0]), law)[0] == pytest.approx(2.0)


def test_a_detour_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="circuity"):
        travel.road_km(np.array([10.0]), 0.9)


@given(st.floats(0.5, 90.0), st.floats(1.01, 1.5), st.floats(2.0, 20.0))
def test_farther_never_takes_less_time(km: float, stretch: float, density: float) -> None:
    law = travel.TravelLaw.from_parameters(fitted_values())
    near, far = travel.drive_min(np.array([km, km * stretch]), np.full(2, density), law)
    assert far >= near


@settings(max_examples=50)
@given(st.floats(-4, 8), st.floats(42, 51), st.floats(-4, 8), st.floats(42, 51))
def test_crow_km_is_symmetrical(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> None:
    there = travel.crow_km(lon_a, lat_a, lon_b, lat_b)
    assert there == pytest.approx(travel.crow_km(lon_b, lat_b, lon_a, lat_a), abs=1e-6)
    assert there >= 0


def test_speeds_are_those_of_roads(law: travel.TravelLaw) -> None:
    """Between villages 5 to 40 km apart, the implied speed on the road (detour 1.36) is 20 to 75 km/h."""
    km = np.array([5.0, 10.0, 20.0, 40.0])
    speed = 1.36 * km / travel.drive_min(km, np.full(4, 8.0), law) * 60
    assert (speed > 20).all() and (speed < 75).all() and (np.diff(speed) > 0).all()


def test_a_million_pairs_take_no_time_worth_noting(law: travel.TravelLaw) -> None:
    km = np.random.default_rng(1).uniform(1, 60, 1_000_000)
    assert np.isfinite(travel.drive_min(km, np.full(len(km), 9.0), law)).all()


def test_furthest_crow_km_bounds_every_pair(law: travel.TravelLaw) -> None:
    density = np.array([0.5, 9.0])
    bound = furthest_crow_km(30.0, density, law)
    for both in (1.0, 9.5, 18.0):
        assert travel.drive_min(np.array([bound]), np.array([both]), law)[0] > 30.0
