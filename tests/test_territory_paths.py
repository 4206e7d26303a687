"""The way between two communes: shortest paths against SciPy's, altitudes and edges by hand, what is shipped worked out again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from coopconnect.parameters import DATA_DIR, load_parameters
from coopconnect.territory import travel
from coopconnect.territory.build.near import MARGIN, furthest_crow_km, near_pairs
from coopconnect.territory.build.relief import altitudes_m, neighbours, usual_ways
from coopconnect.territory.estimate import Estimate, Near
from coopconnect.territory.fitted import fitted_values
from coopconnect.territory.load import national_estimate, read_communes
from coopconnect.territory.official.tables import NOTHING
from coopconnect.territory.paths import FAR_KM, THOUSANDTHS, Paths
from coopconnect.territory.types import ACCESS_TABLE_MAX_MIN

FOLDER = DATA_DIR / "territory"
MOST = 0.7


def graph(seed: int, n: int, share: float) -> tuple[Paths, np.ndarray]:
    """A random graph, and the same as a square table of costs (infinite: no edge)."""
    rng = np.random.default_rng(seed)
    a, b = np.triu_indices(n, 1)
    kept = rng.random(a.size) < share
    cost = rng.uniform(1.0, 20.0, kept.sum()).astype(np.float32)
    table = csr_array((cost.astype(float), (a[kept], b[kept])), shape=(n, n))
    return Paths.of(n, a[kept], b[kept], cost), dijkstra(table, directed=False)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 30), st.floats(0.02, 0.5))
def test_paths_are_those_of_scipy(seed: int, n: int, share: float) -> None:
    paths, cost = graph(seed, n, share)
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, n, 80), rng.integers(0, n, 80)
    crow = rng.uniform(0.5, 1.2 * FAR_KM, 80)
    with np.errstate(divide="ignore"):
        want = np.minimum(np.log(cost[a, b] / crow), MOST)
    usual = rng.uniform(-1.0, 0.5, n)
    want = np.where((crow > FAR_KM) | (a == b), (usual[a] + usual[b]) / 2, want)
    found = paths.ratio(a, b, crow, usual, MOST)
    assert found == pytest.approx(want, abs=0.51 / THOUSANDTHS)
    assert np.array_equal(found, paths.ratio(b, a, crow, usual, MOST))


def test_many_origins_are_shared_between_the_cores_and_give_the_same() -> None:
    paths, _ = graph(4, 400, 0.02)
    a, b = np.divmod(np.arange(400 * 400), 400)
    crow = np.full(a.size, 10.0)
    usual = np.zeros(400)
    together = paths.ratio(a, b, crow, usual, MOST)
    parts = [slice(k, k + 400) for k in range(0, a.size, 400)]
    apart = np.concatenate([paths.ratio(a[part], b[part], crow[part], usual, MOST) for part in parts])
    assert np.array_equal(together, apart)


def test_altitudes_known_by_hand() -> None:
    places = pd.DataFrame({"commune_code": ["A", "A", "", *"CDEFG"], "population": [900, 600, 0, 1, 1, 1, 1, 1],
                           "altitude_m": [500, 900, 100, 0, 0, 0, 0, 0]})  # fmt: skip
    where = (np.array([0.0, 3.0, 10.0, 1e4, 1e4, 1e4, 1e4, 1e4]), np.zeros(8))
    found, own = altitudes_m(places, pd.Series(["A", "B"]), (np.array([0.0, 8.0]), np.zeros(2)), where)
    # A: its larger place. B: 500, 900 and 100 m at 8, 5 and 2 km, weighing 1/64, 1/25 and 1/4 (the others are too far to count).
    assert own.tolist() == [True, False]
    assert found.tolist() == [500, round((500 / 64 + 900 / 25 + 100 / 4) / (1 / 64 + 1 / 25 + 1 / 4))]


def test_an_edge_costs_its_km_its_climb_less_through_dense_land_and_more_at_sea() -> None:
    # Corners of a square of 4 km, one 500 m higher, two dense (99 and 1e9 people on 1 km2: ln 100, and the most that counts).
    xy = (np.array([0.0, 4.0, 0.0, 4.001]), np.array([0.0, 0.0, 4.0, 4.0]))
    zones = pd.DataFrame({"population": [0, 0, 99, 1e9], "area_km2": 1.0, "altitude_m": [0, 500, 0, 0]})
    values = {
        "travel_path_density": 0.2,
        "travel_path_density_most": 9.0,
        "travel_path_climb": 20.0,
        "travel_path_outside": 3.0,
    }

    def found(land: shapely.Geometry) -> dict[tuple[int, int], float]:
        a, b, cost = neighbours(zones, xy, np.array([land]), values)
        return dict(zip(zip(a.tolist(), b.tolist(), strict=True), cost.tolist(), strict=True))

    everywhere, west = found(shapely.box(-1e4, -1e4, 1e4, 1e4)), found(shapely.box(-1e4, -1e4, 1000, 1e4))
    assert everywhere[0, 1] == pytest.approx(4.0 + 20.0 * 0.5)
    assert everywhere[0, 2] == pytest.approx(4.0 * np.exp(-0.2 * np.log(100.0) / 2)) == pytest.approx(west[0, 2])
    assert everywhere[2, 3] == pytest.approx(4.001 * np.exp(-0.2 * (np.log(100.0) + 9.0) / 2))
    assert west[0, 1] == pytest.approx(1.0 + 20.0 * 0.5 + 3.0 * 3.0)  # three km of its four at sea


def test_the_usual_way_of_a_commune_is_the_mean_of_its_far_ones() -> None:
    # A line of points 10 km apart whose edges cost 5: to those 50 and 60 km away (on the sphere), R is ln(cost / km).
    n, step = 13, 10.0 / travel.EARTH_RADIUS_KM * 180.0 / np.pi
    zones = pd.DataFrame({"lon": 2.0, "lat": 45.0 + step * np.arange(n)})
    paths = Paths.of(n, np.arange(n - 1), np.arange(1, n), np.full(n - 1, 5.0))
    found = usual_ways(zones, (np.zeros(n), 10.0 * np.arange(n) * 0.9999), paths, MOST)
    assert found == pytest.approx(np.log(0.5), abs=0.001)
    assert usual_ways(
        zones.iloc[:3], (np.zeros(3), np.arange(3.0)), Paths.of(3, *[np.array([0])] * 2, np.ones(1)), MOST
    ) == (pytest.approx(MOST))


@pytest.fixture(scope="module")
def estimate() -> Estimate:
    """What the application times its trips with."""
    values = fitted_values()
    found = national_estimate(read_communes(FOLDER), load_parameters().value("circuity"), values, NOTHING, FOLDER)
    return replace(found, near=Near.load(FOLDER, len(found.communes)))


def test_the_shipped_pairs_are_all_those_that_are_near(estimate: Estimate) -> None:
    rows = np.random.default_rng(6).choice(len(estimate.communes), 12, replace=False)
    one, two = estimate.near.pairs
    everywhere = np.arange(len(estimate.communes))
    for row in rows:
        there = np.full(everywhere.size, row)
        crow = estimate.crow_km(there, everywhere)
        maybe = everywhere[(crow < 90.0) & (everywhere != row)]
        found = estimate.trips(there[maybe], maybe)
        want = maybe[found.drive_min <= ACCESS_TABLE_MAX_MIN * MARGIN - 0.001]
        known = np.sort(np.concatenate([two[one == row], one[two == row]]))
        assert np.isin(want, known).all() and known.size <= want.size + 1
    some = np.random.default_rng(7).choice(one.size, 300, replace=False)
    path = estimate.path(one[some], two[some], estimate.crow_km(one[some], two[some]))
    assert path == pytest.approx(estimate.near.path[some], abs=1.01 / THOUSANDTHS)


def test_the_way_of_the_shipped_flows_is_the_one_that_is_found_again(estimate: Estimate) -> None:
    table = pq.read_table(FOLDER / "flows.parquet").to_pandas().sample(300, random_state=5)
    row = pd.Series(np.arange(len(estimate.communes)), index=estimate.communes["zone_code"])
    home, work = (row[table[name]].to_numpy() for name in ("home_code", "work_code"))
    path = estimate.path(home, work, estimate.crow_km(home, work))
    assert path == pytest.approx(table["path_thousandths"].to_numpy() / THOUSANDTHS, abs=1.01 / THOUSANDTHS)


def test_the_search_for_near_pairs_misses_none() -> None:
    rng = np.random.default_rng(8)
    n = 60
    zones = pd.DataFrame(
        {"lon": rng.uniform(5.0, 6.5, n), "lat": rng.uniform(44.0, 45.0, n), "population": rng.integers(50, 9000, n),
         "area_km2": rng.uniform(3, 40, n), "second_homes": 10.0, "dwellings": 100.0, "people_10_km": 9000.0, "gap_km": 3.0,
         "usual_path": -0.5}
    )  # fmt: skip
    law = travel.TravelLaw.from_parameters(fitted_values())
    a, b = np.triu_indices(n, 1)
    crow = travel.crow_km(*(zones[axis].to_numpy()[k] for k in (a, b) for axis in ("lon", "lat")))
    kept = crow < 25.0
    paths = Paths.of(n, a[kept], b[kept], (0.4 * crow[kept]).astype(np.float32))
    built = Estimate(zones, travel.Ends.of(travel.settlement(zones), law), law, 1.3, paths)
    one, two, path = near_pairs(built, 20.0)
    minutes = built.ends.drive_min(crow, a, b, built.path(a, b, crow), law)
    want = minutes <= 20.0 * MARGIN
    assert np.array_equal(one, a[want]) and np.array_equal(two, b[want])
    assert np.array_equal(path, built.path(a, b, crow)[want])
    assert furthest_crow_km(20.0 * MARGIN, built.ends, law) >= crow[want].max()


def test_a_graph_of_another_build_is_refused(tmp_path: Path) -> None:
    (tmp_path / "neighbours.parquet").write_bytes((FOLDER / "neighbours.parquet").read_bytes())
    with pytest.raises(ValueError, match="same build"):
        Paths.load(tmp_path, 10)
    with pytest.raises(ValueError, match=r"near\.parquet.*same build"):
        Near.load(FOLDER, 10)


def test_the_step_at_60_km_is_small(estimate: Estimate) -> None:
    """The usual way, which stands for the way from there on, put in its place from 57 to 60 km (figures of docs/travel.md)."""
    origins = np.random.default_rng(3).choice(len(estimate.communes), 80, replace=False)
    a, b = np.repeat(origins, len(estimate.communes)), np.tile(np.arange(len(estimate.communes)), origins.size)
    crow = estimate.crow_km(a, b)
    last = (crow > 57.0) & (crow < FAR_KM)
    a, b, crow = a[last], b[last], crow[last]
    usual = estimate.communes["usual_path"].to_numpy()
    way = estimate.ends.drive_min(crow, a, b, estimate.path(a, b, crow), estimate.law)
    stands = estimate.ends.drive_min(crow, a, b, (usual[a] + usual[b]) / 2, estimate.law)
    low, high = np.quantile(stands / way - 1, [0.05, 0.95])
    assert np.median(np.abs(stands / way - 1)) < 0.045
    assert -0.10 < low < 0 < high < 0.13


@pytest.mark.parametrize(
    ("one", "two", "low", "high"),
    [
        ("05023", "05061", 80, 105),  # Briançon - Gap: 64 km as the crow flies, one valley and a pass
        ("13055", "13001", 26, 36),  # Marseille - Aix-en-Provence, motorway
        ("01143", "74281", 45, 70),  # Divonne - Thonon: round the lake of Geneva
        ("28085", "45234", 60, 80),  # Chartres - Orléans, on the plain
        ("2B050", "2B033", 80, 125),  # Calvi - Bastia, whose neighbours lie across water
    ],
)
def test_drives_that_one_knows(estimate: Estimate, one: str, two: str, low: float, high: float) -> None:
    row = {code: k for k, code in enumerate(estimate.communes["zone_code"])}
    minutes = estimate.trips(np.array([row[one]]), np.array([row[two]])).drive_min[0]
    assert low <= minutes <= high
