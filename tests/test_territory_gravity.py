"""Gravity: margins hold, neighbourhoods are those of a naive double loop, CPC behaves as a share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopconnect.territory import gravity, travel
from coopconnect.territory.build.flows import pair_kernel
from coopconnect.territory.fitted import fitted_values
from coopconnect.territory.paths import Paths


def points(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 50, n), rng.uniform(0, 50, n)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 60), st.floats(0.5, 60.0))
def test_pairs_within_is_the_naive_double_loop(seed: int, n: int, limit: float) -> None:
    x, y = points(seed, n)
    start, column = gravity.pairs_within(x, y, limit)
    for i in range(n):
        near = [j for j in range(n) if (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2 <= limit**2]
        assert column[start[i] : start[i + 1]].tolist() == near


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 60), st.floats(1.0, 20.0))
def test_potential_is_the_naive_sum(seed: int, n: int, scale: float) -> None:
    x, y = points(seed, n)
    amount = np.random.default_rng(seed).uniform(0, 100, n)
    distance = np.hypot(x[:, None] - x, y[:, None] - y)
    weight = np.where(distance <= 3 * scale, np.exp(-distance / scale), 0.0)
    assert gravity.potential(x, y, amount, scale) == pytest.approx(weight @ amount)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 40))
def test_both_margins_hold(seed: int, n: int) -> None:
    x, y = points(seed, n)
    rng = np.random.default_rng(seed)
    workers, jobs = rng.uniform(1, 1000, n), rng.uniform(1, 1000, n)
    jobs *= workers.sum() / jobs.sum()
    start, column = gravity.pairs_within(x, y, 100.0)
    row = np.repeat(np.arange(n), np.diff(start))
    kernel = np.exp(-0.05 * np.hypot(x[row] - x[column], y[row] - y[column]))
    a, b, arrivals = gravity.balance(start, column, kernel, workers, jobs, 300)
    flow = a[row] * kernel * b[column]
    assert np.bincount(row, flow, n) == pytest.approx(workers, rel=1e-6)
    assert np.bincount(column, flow, n) == pytest.approx(arrivals, rel=1e-6)
    assert arrivals == pytest.approx(jobs, rel=0.02, abs=0.5)


def test_margins_that_differ_are_refused() -> None:
    start, column = gravity.pairs_within(np.zeros(2), np.zeros(2), 1.0)
    with pytest.raises(ValueError, match="scale jobs first"):
        gravity.balance(start, column, np.ones(4), np.array([1.0, 1.0]), np.array([3.0, 1.0]), 5)


def test_cpc_known_by_hand() -> None:
    # min sums to 2 + 1 = 3, both sum to 4 + 4 = 8: 2 * 3 / 8 = 0.75.
    assert gravity.common_part_of_commuters(np.array([2.0, 2.0]), np.array([3.0, 1.0])) == 0.75
    assert gravity.common_part_of_commuters(np.array([5.0]), np.array([5.0])) == 1.0
    assert gravity.common_part_of_commuters(np.array([5.0, 0.0]), np.array([0.0, 5.0])) == 0.0


def test_deterrence_falls_with_time_and_less_between_dense_places() -> None:
    law = gravity.Deterrence.from_parameters(fitted_values())
    minutes = np.array([5.0, 15.0, 45.0])
    rural, dense = law.kernel(minutes, np.full(3, 8.0)), law.kernel(minutes, np.full(3, 15.0))
    assert (np.diff(rural) < 0).all()
    assert dense[2] / dense[0] > rural[2] / rural[0]


def test_pair_kernel_is_the_naive_double_loop() -> None:
    rng = np.random.default_rng(3)
    n = 30
    zones = pd.DataFrame(
        {
            "workers": rng.uniform(10, 900, n),
            "jobs": rng.uniform(10, 900, n),
            "population": rng.uniform(50, 5000, n),
            "area_km2": rng.uniform(3, 40, n),
            "second_homes": rng.uniform(0, 100, n),
            "dwellings": rng.uniform(100, 900, n),
            "people_10_km": rng.uniform(1000, 90_000, n),
            "gap_km": rng.uniform(0.5, 6.0, n),
            "usual_path": np.zeros(n),
            "lon": rng.uniform(5.0, 5.5, n),
            "lat": rng.uniform(45.0, 45.3, n),
        }
    )
    values = fitted_values()
    law, deterrence = travel.TravelLaw.from_parameters(values), gravity.Deterrence.from_parameters(values)
    start, work = gravity.pairs_within(np.zeros(n), np.zeros(n), 1.0)
    every = np.arange(n)
    paths = Paths.of(n, every[:-1], every[1:], np.full(n - 1, 2.0, np.float32))
    found = pair_kernel(zones, start, work, law, deterrence, paths).reshape(n, n)
    density = np.log1p(zones["population"] / zones["area_km2"]).to_numpy()
    ends = travel.Ends.of(travel.settlement(zones), law)
    for i in range(n):
        for j in range(n):
            if i == j:
                zone = zones.iloc[[i]]
                want = deterrence.own_kernel(zone["area_km2"], zone["workers"], zone["jobs"]).item()
            else:
                crow = travel.crow_km(*zones.loc[i, ["lon", "lat"]], *zones.loc[j, ["lon", "lat"]])
                both = density[i] + density[j]
                way = np.minimum(np.log(2.0 * abs(i - j) / crow), law.path_most)
                minutes = ends.drive_min(crow, np.array(i), np.array(j), np.round(way, 3), law)
                want = deterrence.kernel(minutes, both)
            assert found[i, j] == pytest.approx(float(want), rel=1e-5)
