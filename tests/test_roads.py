"""Trips on OpenStreetMap roads: a real extract (Monaco), and small made-up streets for the rules of the road."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

osmium = pytest.importorskip("osmium", reason="needs osmium (requirements-roads.txt)")

from coopconnect.parameters import Parameters, load_parameters  # noqa: E402
from coopconnect.territory.official.store import Store  # noqa: E402
from coopconnect.territory.roads import CarProfile, RoadsError, RoadsResult  # noqa: E402
from coopconnect.territory.roads import compute_roads as compute_with  # noqa: E402
from coopconnect.territory.travel import crow_km  # noqa: E402

STEP = 0.01
"""Degrees between two nodes of the made-up streets, about 0.8 km east and 1.1 km north."""


CAR = CarProfile.from_parameters(load_parameters().values_with({}))
compute_roads = partial(compute_with, profile=CAR)


@pytest.fixture(scope="module")
def monaco(shared_data: Path) -> Path:
    return shared_data / "roads" / "monaco.osm.pbf"


@pytest.fixture(scope="module")
def points() -> pd.DataFrame:
    """Thirty places of the town, and one at sea."""
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(7.412, 7.435, 30), rng.uniform(43.731, 43.75, 30)
    return pd.DataFrame(
        {"zone_code": [f"{98000 + k}" for k in range(30)] + ["06999"], "lon": [*lon, 7.9], "lat": [*lat, 43.5]}
    )


@pytest.fixture(scope="module")
def routed(monaco: Path, points: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> RoadsResult:
    return compute_roads(monaco, points, work_dir=tmp_path_factory.mktemp("roads"))


def test_a_real_town(routed: RoadsResult, points: pd.DataFrame, tmp_path: Path) -> None:
    table = routed.table
    assert routed.unsnapped["zone_code"].tolist() == ["06999"]  # the one at sea
    assert routed.pairs_asked == 31 * 30
    assert len(table) == routed.pairs_routed == 30 * 29
    at = points.set_index("zone_code")
    a, b = at.loc[table["from_code"]], at.loc[table["to_code"]]
    crow = crow_km(a["lon"].to_numpy(), a["lat"].to_numpy(), b["lon"].to_numpy(), b["lat"].to_numpy())
    far = crow > 1.0
    assert (table["road_km"].to_numpy() > 0.95 * crow).all()  # the way from the point to its road is in it
    assert 1.2 < np.median(table["road_km"].to_numpy()[far] / crow[far]) < 3.5  # a town on a cliff
    speed = table["road_km"] / (table["drive_min"] / 60.0)
    assert 15.0 < speed[far].median() < 50.0
    Store(tmp_path).save(table, routed.label)
    assert "OpenStreetMap" in routed.label.licence + routed.label.source


def test_no_detour_is_shorter_in_time(routed: RoadsResult) -> None:
    square = routed.table.pivot_table(index="from_code", columns="to_code", values="drive_min").to_numpy(copy=True)
    np.fill_diagonal(square, 0.0)
    best = (square[:, :, None] + square[None]).min(axis=1)
    assert (square <= best + 1.0).all()  # turns and lights at the point in between: under a minute


def test_processes_and_resumption_give_the_same_to_the_bit(
    monaco: Path, points: pd.DataFrame, routed: RoadsResult, tmp_path: Path
) -> None:
    two = compute_roads(monaco, points, work_dir=tmp_path, processes=2)
    pd.testing.assert_frame_equal(two.table, routed.table, check_exact=True)
    chunks = sorted(tmp_path.rglob("origins-*.bin"))
    assert len(chunks) >= 2
    chunks[0].unlink()
    content = chunks[1].read_bytes()
    chunks[1].write_bytes(content[: len(content) // 2])
    again = compute_roads(monaco, points, work_dir=tmp_path)
    pd.testing.assert_frame_equal(again.table, routed.table, check_exact=True)


def test_the_limit_leaves_out_and_never_invents(
    monaco: Path, points: pd.DataFrame, routed: RoadsResult, tmp_path: Path
) -> None:
    near = compute_roads(monaco, points, work_dir=tmp_path, limit_min=3.0)
    expected = routed.table[routed.table["drive_min"] <= 3.0].reset_index(drop=True)
    assert 0 < len(expected) < len(routed.table)
    pd.testing.assert_frame_equal(near.table, expected, check_exact=True)


# ---- rules of the road, on made-up streets ----


def write_streets(
    path: Path, ways: list[tuple[list[int], dict[str, str]]], gates: dict[int, dict[str, str]] | None = None
) -> Path:
    """A grid of nodes 0..8 (three by three) and the ways given, as an .osm.pbf file."""
    used = {n for nodes, _ in ways for n in nodes}
    with osmium.SimpleWriter(str(path)) as writer:
        for n in sorted(used):
            place = (7.0 + STEP * (n % 3), 44.0 + STEP * (n // 3))
            writer.add_node(osmium.osm.mutable.Node(id=n + 1, location=place, tags=(gates or {}).get(n, {})))
        for k, (nodes, tags) in enumerate(ways, start=1):
            writer.add_way(osmium.osm.mutable.Way(id=k, nodes=[n + 1 for n in nodes], tags=tags))
    return path


def trips(path: Path, tmp_path: Path, nodes: tuple[int, ...]) -> pd.DataFrame:
    zones = pd.DataFrame(
        {
            "zone_code": [f"0400{n}" for n in nodes],
            "lon": [7.0 + STEP * (n % 3) for n in nodes],
            "lat": [44.0 + STEP * (n // 3) for n in nodes],
        }
    )
    table = compute_roads(path, zones, work_dir=tmp_path / "work").table
    table["trip"] = [f"{a[-1]}-{b[-1]}" for a, b in zip(table["from_code"], table["to_code"], strict=True)]
    return table.set_index("trip")


ROAD = {"highway": "tertiary"}
SQUARE = [([0, 1, 2], ROAD), ([2, 5, 8], ROAD), ([8, 7, 6], ROAD), ([6, 3, 0], ROAD)]


def test_both_ways_alike_on_a_plain_road(tmp_path: Path) -> None:
    found = trips(write_streets(tmp_path / "plain.osm.pbf", SQUARE), tmp_path, (0, 2))
    assert found.loc["0-2", "road_km"] == pytest.approx(
        crow_km(*(np.array([v]) for v in (7.0, 44.0, 7.02, 44.0)))[0], rel=0.01
    )
    assert found.loc["0-2", "drive_min"] == pytest.approx(found.loc["2-0", "drive_min"], rel=0.01)


def test_a_one_way_street_sends_the_return_round(tmp_path: Path) -> None:
    ways = [([0, 1, 2], {**ROAD, "oneway": "yes"}), *SQUARE[1:]]
    found = trips(write_streets(tmp_path / "oneway.osm.pbf", ways), tmp_path, (0, 2))
    assert found.loc["2-0", "road_km"] > 2.5 * found.loc["0-2", "road_km"]


@pytest.mark.parametrize("tags", [{"highway": "footway"}, {**ROAD, "access": "no"}, {**ROAD, "motor_vehicle": "no"}])
def test_a_closed_street_is_not_taken(tmp_path: Path, tags: dict[str, str]) -> None:
    ways = [([0, 1, 2], tags), *SQUARE[1:]]
    found = trips(write_streets(tmp_path / "closed.osm.pbf", ways), tmp_path, (0, 2))
    assert found.loc["0-2", "road_km"] > 4.0


def test_a_bollard_stops_cars(tmp_path: Path) -> None:
    path = write_streets(tmp_path / "bollard.osm.pbf", SQUARE, {1: {"barrier": "bollard"}})
    assert trips(path, tmp_path, (0, 2)).loc["0-2", "road_km"] > 4.0


def test_a_faster_road_is_preferred_and_a_lower_limit_is_slower(tmp_path: Path) -> None:
    slow = trips(write_streets(tmp_path / "a.osm.pbf", [([0, 1, 2], {**ROAD, "maxspeed": "30"})]), tmp_path, (0, 2))
    fast = trips(write_streets(tmp_path / "b.osm.pbf", [([0, 1, 2], {**ROAD, "maxspeed": "80"})]), tmp_path, (0, 2))
    assert slow.loc["0-2", "drive_min"] > 1.5 * fast.loc["0-2", "drive_min"]


def test_speeds_come_from_the_parameters(tmp_path: Path, parameters: Parameters) -> None:
    assert CAR.speed_kmh["secondary"] == parameters.value("road_speed_secondary_kmh")
    assert CAR.speeds({"highway": "secondary"}) == (CAR.speed_kmh["secondary"],) * 2
    assert CAR.speeds({"highway": "secondary", "maxspeed": "FR:rural"})[0] == pytest.approx(
        parameters.value("road_limit_rural_kmh") * parameters.value("road_limit_share")
    )
    slower = CarProfile.from_parameters(parameters.values_with({"road_speed_tertiary_kmh": 20.0}))
    assert slower.key() != CAR.key()
    path = write_streets(tmp_path / "plain.osm.pbf", SQUARE)
    zones = pd.DataFrame({"zone_code": ["04000", "04002"], "lon": [7.0, 7.02], "lat": [44.0, 44.0]})
    usual = compute_roads(path, zones, work_dir=tmp_path).table["drive_min"]
    late = compute_with(path, zones, work_dir=tmp_path, profile=slower).table["drive_min"]
    ratio = CAR.speed_kmh["tertiary"] / slower.speed_kmh["tertiary"]
    assert late.to_numpy() == pytest.approx(ratio * usual.to_numpy(), rel=0.01)
    with pytest.raises(KeyError, match="road_turn_s"):
        CarProfile.from_parameters({k: v for k, v in parameters.values_with({}).items() if k != "road_turn_s"})


def test_a_point_further_than_the_parameter_is_on_no_road(tmp_path: Path) -> None:
    path = write_streets(tmp_path / "plain.osm.pbf", SQUARE)
    zones = pd.DataFrame(
        {"zone_code": ["04000", "04002", "04009"], "lon": [7.0, 7.02, 7.0], "lat": [44.0, 44.0, 43.99]}
    )
    near = compute_with(path, zones, work_dir=tmp_path, profile=replace(CAR, snap_max_km=0.5))
    assert near.unsnapped["zone_code"].tolist() == ["04009"]
    assert compute_roads(path, zones, work_dir=tmp_path).unsnapped.empty


# ---- what is not a road file ----


@pytest.mark.parametrize("content", [b"", b"not a pbf at all", b"\x00" * 500])
def test_a_bad_file_gets_one_sentence_in_two_languages(tmp_path: Path, points: pd.DataFrame, content: bytes) -> None:
    path = tmp_path / "bad.osm.pbf"
    path.write_bytes(content)
    with pytest.raises(RoadsError) as caught:
        compute_roads(path, points, work_dir=tmp_path / "work")
    assert caught.value.text("fr") != caught.value.text("en")


def test_an_extract_of_elsewhere_is_told(monaco: Path, tmp_path: Path) -> None:
    zones = pd.DataFrame({"zone_code": ["75056"], "lon": [2.35], "lat": [48.86]})
    with pytest.raises(RoadsError, match="cover the territory"):
        compute_roads(monaco, zones, work_dir=tmp_path)
