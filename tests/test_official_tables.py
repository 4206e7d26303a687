"""Official tables in a territory: used as they are, modelled figures only where they say nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopconnect.territory.official.tables import (
    FlowPairs,
    RoutedTrips,
    balanced,
    official_shares,
    with_density,
    with_margins,
    with_official_flows,
)
from coopconnect.territory.travel import COMMUTE_LIMIT_KM


def communes() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "zone_code": ["01001", "01002", "01003"],
            "workers": [100.0, 50.0, 30.0],
            "jobs": [120.0, 40.0, 20.0],
            "rural": [False, True, True],
            "work_rest_workers": [4.0, 2.0, 0.0],
            "lon": [5.0, 5.2, 5.1],
            "lat": [46.0, 46.0, 46.1],
        }
    )


def modelled() -> FlowPairs:
    """Rows: 0 -> 0 and 1, 1 -> 0, 2 -> 0; five workers of commune 0 and ten of commune 2 in remainders."""
    return FlowPairs(
        np.array([0, 0, 1, 2]), np.array([0, 1, 0, 0]), np.array([70, 25, 50, 20], np.float32),
        np.array([5, 0, 10], np.float32),
    )  # fmt: skip


def test_margins_replace_what_they_hold_and_nothing_else() -> None:
    table = pd.DataFrame({"zone_code": ["01002", "99999"], "workers": [60.0, 5.0], "jobs": [np.nan, 7.0]})
    changed = with_margins(communes(), table)
    assert changed["workers"].tolist() == [100.0, 60.0, 30.0]
    assert changed["jobs"].tolist() == [120.0, 40.0, 20.0]
    assert official_shares(changed) == pytest.approx({"workers": 60.0 / 190.0, "jobs": 0.0})
    assert communes()["workers"].tolist() == [100.0, 50.0, 30.0]


def test_density_levels_from_five_are_rural() -> None:
    changed = with_density(communes(), pd.DataFrame({"zone_code": ["01001", "01002"], "level": [7, 4]}))
    assert changed["rural"].tolist() == [True, False, True]
    assert official_shares(changed) == pytest.approx({"rural": 2 / 3})


def test_official_flows_are_used_as_they_are_and_modelled_ones_fill_the_rest() -> None:
    table = pd.DataFrame(
        {"home_code": ["01001", "01001", "01002"], "work_code": ["01003", "", "01002"], "workers": [80.5, 9.0, 41.0]}
    )
    changed, pairs = with_official_flows(communes(), modelled(), table)
    assert list(zip(pairs.home.tolist(), pairs.work.tolist(), pairs.workers.tolist(), strict=True)) == [
        (0, 2, 80.5), (1, 1, 41.0), (2, 0, 20.0),
    ]  # fmt: skip
    assert pairs.rest.tolist() == [0.0, 0.0, 10.0]
    assert changed["workers"].tolist() == [80.5, 41.0, 30.0]  # the nine who work abroad have no trip here
    assert official_shares(changed) == pytest.approx({"flows": 121.5 / 151.5})
    assert changed["jobs"].to_numpy() == pytest.approx(
        np.array([20.0, 41.0, 80.5]) + np.array([4.0, 2.0, 0.0]) * 30.0 / 151.5
    )


def test_who_works_too_far_to_drive_each_day_has_no_trip() -> None:
    """As in the modelled flows; a home whose workers are all far off is observed all the same."""
    far = communes().assign(lat=[46.0, 46.0, 46.0 + 1.01 * COMMUTE_LIMIT_KM / 111.2])
    table = pd.DataFrame(
        {
            "home_code": ["01001", "01001", "01003"],
            "work_code": ["01003", "01002", "01001"],
            "workers": [8.0, 60.0, 3.0],
        }
    )
    changed, pairs = with_official_flows(far, modelled(), table)
    kept = list(zip(pairs.home.tolist(), pairs.work.tolist(), pairs.workers.tolist(), strict=True))
    assert kept == [(0, 1, 60.0), (1, 0, 50.0)]
    assert changed["workers"].tolist() == [60.0, 50.0, 0.0] and pairs.rest.tolist() == [0.0, 0.0, 0.0]
    assert changed["official_flows"].tolist() == [True, False, True]
    near, _ = with_official_flows(communes(), modelled(), table)
    assert near["workers"].tolist() == [68.0, 50.0, 3.0]


def test_without_official_tables_nothing_changes() -> None:
    before, pairs = communes(), modelled()
    assert with_margins(before, None) is before
    assert with_density(before, None) is before
    assert with_official_flows(before, pairs, None) == (before, pairs)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(10.0, 1000.0), min_size=3, max_size=3), st.lists(st.floats(10.0, 1000.0), min_size=3, max_size=3)
)
def test_balanced_flows_meet_the_workers_exactly(workers: list[float], jobs: list[float]) -> None:
    zones = communes().assign(workers=workers, jobs=jobs)
    pairs = balanced(zones, modelled(), zones["work_rest_workers"].to_numpy(float))
    found = np.bincount(pairs.home, pairs.workers, 3) + pairs.rest
    assert found == pytest.approx(np.array(workers), rel=1e-5)
    assert (pairs.workers >= 0).all()


def test_margins_that_hold_already_leave_the_flows_alone() -> None:
    zones = communes().assign(jobs=[148.0, 32.0, 0.0])
    pairs = balanced(zones, modelled(), np.array([8.0, 7.0, 0.0]))
    assert pairs.workers == pytest.approx(modelled().workers, rel=1e-6)


def test_routed_trips_are_found_by_pair_and_missing_ones_are_said() -> None:
    table = pd.DataFrame(
        {
            "from_code": ["01001", "01002", "01001", "77777"],
            "to_code": ["01002", "01001", "01001", "01001"],
            "road_km": [7.5, np.nan, 1.0, 3.0],
            "drive_min": [9.0, 10.0, 2.0, 4.0],
        }
    )
    trips = RoutedTrips(table, communes())
    assert len(trips) == 3
    minutes, km, found = trips.find(np.array([0, 1, 0, 2]), np.array([1, 0, 2, 0]))
    assert found.tolist() == [True, True, False, False]
    assert minutes[:2].tolist() == [9.0, 10.0]
    assert km[0] == 7.5
    assert np.isnan(km[1])
    origin, target = trips.within(9.0)
    assert list(zip(origin.tolist(), target.tolist(), strict=True)) == [(0, 0), (0, 1)]


def test_an_empty_travel_table_finds_nothing() -> None:
    empty = pd.DataFrame({"from_code": [], "to_code": [], "drive_min": []})
    assert not RoutedTrips(empty, communes()).find(np.array([0]), np.array([1]))[2].any()
