"""Territories as they load: published totals, contract, halo, errors, and what is never imported."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from coopconnect.parameters import DATA_DIR, Parameters
from coopconnect.territory.check import check_territory
from coopconnect.territory.load import contours_for, list_territories, load_territory, outlines_for
from coopconnect.territory.official.kinds import import_file
from coopconnect.territory.official.reading import ReadingError
from coopconnect.territory.official.store import Store
from coopconnect.territory.remainders import Remainders
from coopconnect.territory.types import ACCESS_TABLE_MAX_MIN, Territory

FOLDER = DATA_DIR / "territory"


def test_paca_has_the_published_totals(paca: Territory) -> None:
    inside = paca.zones[paca.zones["in_territory"]]
    assert len(inside) == 946
    assert inside["population"].sum() == 5_127_861
    assert inside["households"].sum() == 2_383_124
    assert sorted(inside["departement"].unique()) == ["04", "05", "06", "13", "83", "84"]


def test_paca_holds_its_contract(paca: Territory) -> None:
    assert check_territory(paca) == []


def test_the_halo_is_who_can_come(paca: Territory) -> None:
    halo = paca.zones[~paca.zones["in_territory"]]
    assert 50 < len(halo) < 500
    assert not set(halo["departement"]) & {"04", "05", "06", "13", "83", "84"}


def test_a_site_reaches_its_own_commune_first_or_soon(paca: Territory) -> None:
    apt = int(np.flatnonzero(paca.zones["zone_code"] == "84003")[0])
    reach = slice(paca.access_start[apt], paca.access_start[apt + 1])
    names = paca.zones["name"].to_numpy()[paca.access_zone[reach]]
    assert "Apt" in names[:3] and "Gargas" in names
    assert paca.access_drive_min[reach].max() <= ACCESS_TABLE_MAX_MIN


def test_flows_of_a_zone_sum_to_its_workers_and_go_to_known_places(paca: Territory) -> None:
    apt = int(np.flatnonzero(paca.zones["zone_code"] == "84003")[0])
    part = slice(paca.flow_start[apt], paca.flow_start[apt + 1])
    assert paca.flow_workers[part].sum() == pytest.approx(paca.zones["workers"].iloc[apt], abs=0.5)
    ends = paca.places["name"].to_numpy()[paca.flow_work[part][paca.flow_work[part] >= 0]]
    assert {"Apt", "Cavaillon"} <= set(ends)


def test_every_table_says_where_it_comes_from(paca: Territory) -> None:
    kinds = {p.table: p.kind for p in paca.provenance}
    flows = next(p for p in paca.provenance if p.table == "flows")
    assert "fitted on" in flows.source_in("en") and "ajustée sur" in flows.source_in("fr")
    assert kinds["flows"] == kinds["jobs"] == kinds["workers"] == "modelled"
    assert kinds["rural"] == kinds["travel"] == "estimated"
    assert kinds["population"] == "official"


def test_hot_days_grow_with_warming(paca: Territory) -> None:
    """Vaucluse: DRIAS reference 2.08, H1 6.69; today, at (2026 - 1990.5) / 45 of the way: 2.08 + 0.789 * 4.61 = 5.72."""
    assert (np.diff(paca.hot_days, axis=1) >= 0).all()
    assert paca.hot_days[paca.zones["departement"] == "84"][0].tolist() == pytest.approx([5.72, 6.69, 9.26, 27.24])


@pytest.mark.parametrize(("code", "count"), [("d04", 198), ("94", 360), ("200040624", 25)])
def test_other_territories_load(code: str, count: int) -> None:
    territory = load_territory(code, FOLDER, 1.36)
    assert check_territory(territory) == []
    assert len(territory.site_zone) == count


def test_france_loads_with_every_commune_once() -> None:
    france = load_territory("FR", FOLDER, 1.36)
    assert check_territory(france) == []
    codes = france.zones["zone_code"]
    assert 34_600 < len(codes) < 34_900
    assert {"75056", "69123", "13055"} <= set(codes)
    assert not codes.str.match(r"751\d\d|6938\d|132(0|1)[1-6]$").any()
    assert france.zones["population"].sum() == 65_505_265


def test_a_file_of_codes_loads(tmp_path: Path) -> None:
    path = tmp_path / "luberon.txt"
    path.write_text("84003\n84047\n84003\n", encoding="utf-8")
    territory = load_territory(str(path), FOLDER, 1.36)
    assert territory.name == "luberon"
    assert territory.zones["zone_code"][:2].tolist() == ["84003", "84047"]


@pytest.mark.parametrize("text", ["99999\n84003\n", "4003\n", "", "=1+1\n", "84003\x00\n"])
def test_a_bad_file_of_codes_says_what_is_wrong(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="commune code"):
        load_territory(str(path), FOLDER, 1.36)


@pytest.mark.parametrize(
    ("code", "near"), [("PACA", "93"), ("D04", "d04"), ("Vaucluse", "d84"), ("Luberon", "200040624"), ("2A", "d2A")]
)
def test_a_wrong_code_names_what_is_near(code: str, near: str) -> None:
    with pytest.raises(ValueError, match="Allowed: a region") as error:
        load_territory(code, FOLDER, 1.36)
    assert f"{near} (" in str(error.value)


def test_missing_data_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="data build"):
        load_territory(
            "93",
            tmp_path,
            1.36,
            {
                "travel_constant": 1.0,
                "travel_log_km": 1.0,
                "travel_log_km_squared": 0.0,
                "travel_density": 0.0,
                "travel_density_log_km": 0.0,
                "travel_own_km_per_radius": 0.5,
            },
        )


def test_circuity_moves_kilometres_and_not_minutes() -> None:
    straight, winding = (load_territory("d05", FOLDER, circuity) for circuity in (1.2, 1.6))
    assert winding.access_road_km == pytest.approx(straight.access_road_km * 1.6 / 1.2, rel=1e-5)
    assert np.array_equal(winding.access_drive_min, straight.access_drive_min)


def test_loading_never_imports_geopandas_or_streamlit() -> None:
    code = (
        "import sys; from pathlib import Path; from coopconnect.territory.load import load_territory; "
        f"load_territory('d05', Path({str(FOLDER)!r}), 1.36); "
        "bad = {'geopandas', 'shapely', 'streamlit', 'pyproj'} & set(sys.modules); assert not bad, bad"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=DATA_DIR.parent, check=False
    )
    assert result.returncode == 0, result.stderr


def test_list_of_territories() -> None:
    areas = list_territories(FOLDER)
    assert areas["kind"].value_counts().loc[["country", "region", "departement"]].tolist() == [1, 13, 96]
    assert areas.set_index("code").loc["93", "communes"] == 946


def test_contours_and_outlines(paca: Territory) -> None:
    codes, wkb = contours_for(paca.zones["zone_code"].tolist(), FOLDER)
    assert set(codes) == set(paca.zones["zone_code"])
    assert shapely.coverage_is_valid(shapely.from_wkb(wkb))
    lines = outlines_for(FOLDER)
    assert set(lines["kind"]) == {"departement", "region", "outer"}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"flow_workers": "half"}, "do not sum to workers"),
        ({"access_drive_min": "reverse"}, "nearest first"),
        ({"site_zone": "shift"}, "site_zone"),
        ({"hot_days": "drop"}, "hot_days"),
    ],
)
def test_a_broken_territory_is_told(small: Territory, change: dict[str, str], word: str) -> None:
    spoil = {
        "half": lambda a: a / 2,
        "reverse": lambda a: a[::-1].copy(),
        "shift": lambda a: a + 1,
        "drop": lambda a: a[:, :2],
    }
    field, how = next(iter(change.items()))
    broken = replace(small, **{field: spoil[how](getattr(small, field))})
    assert any(word in line for line in check_territory(broken))


def test_national_margins_hold() -> None:
    communes = pq.read_table(FOLDER / "communes.parquet").to_pandas().set_index("zone_code")
    flows = pq.read_table(FOLDER / "flows.parquet").to_pandas()
    amount = flows["workers_tenths"] / 10
    for end, margin, rest in (
        ("home_code", "workers", "home_rest_workers"),
        ("work_code", "jobs", "work_rest_workers"),
    ):
        sums = amount.groupby(flows[end].astype(str)).sum().reindex(communes.index).fillna(0) + communes[rest]
        assert (sums - communes[margin]).abs().max() < 0.11
    assert communes["workers"].sum() == pytest.approx(communes["jobs"].sum(), rel=1e-4)
    assert flows["workers_tenths"].min() >= 10


def test_remainders_stand_in_bands_of_distance(paca: Territory) -> None:
    """What is in no shipped pair: as many workers as the home has left, nearest first, some near and some far."""
    rest = paca.flow_work < 0
    zone = np.repeat(np.arange(len(paca.zones)), np.diff(paca.flow_start))[rest]
    left = pq.read_table(FOLDER / "communes.parquet", columns=["zone_code", "home_rest_workers"]).to_pandas()
    left = left.set_index("zone_code")["home_rest_workers"].reindex(paca.zones["zone_code"])
    assert np.bincount(zone, paca.flow_workers[rest], len(left)) == pytest.approx(left.to_numpy(), abs=0.01)
    km = paca.flow_road_km[rest] / paca.circuity
    same = np.diff(zone) == 0
    assert (np.diff(km)[same] > 0).all()
    assert np.bincount(zone).max() == 5
    assert np.average(km < 10, weights=paca.flow_workers[rest]) > 0.02
    assert np.average(km > 60, weights=paca.flow_workers[rest]) > 0.02
    lines = Remainders.load(FOLDER, pq.read_metadata(FOLDER / "communes.parquet").num_rows)
    share = np.add.reduceat(lines.share, lines.start[:-1][np.diff(lines.start) > 0])
    assert share == pytest.approx(np.ones_like(share))


def test_remainders_of_another_build_are_refused() -> None:
    with pytest.raises(ValueError, match="not of the same build"):
        Remainders.load(FOLDER, 100)


def test_shipped_files_are_small() -> None:
    size = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert size["flows.parquet"] < 15e6
    assert size["contours.parquet"] < 6e6
    assert sum(size.values()) < 25e6


def test_the_official_grid_replaces_the_estimate(tmp_path: Path, parameters: Parameters) -> None:
    found = import_file(b"CODGEO;DENS\n84003;7\n13055;1\n", "grille.csv")
    assert found.frame is not None
    store = Store(tmp_path)
    store.save(found.frame, replace(found.label, kind="official"))
    loaded = load_territory("93", FOLDER, parameters.value("circuity"), official=store.official())
    flag = loaded.zones.set_index("zone_code")["rural"]
    assert flag["84003"] and not flag["13055"]
    assert flag.dtype == bool
    grid = next(p for p in loaded.provenance if p.table == "rural")
    assert grid.kind == "partly" and "still estimated" in grid.note_en


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "CODGEO,DENS\n84003,9\n", "CODGEO,DENS\n84003,rural\n"])
def test_a_bad_density_grid_says_what_is_wrong(text: str) -> None:
    try:
        found = import_file(text.encode(), "grille.csv")
    except ReadingError as error:
        assert "density grid" in error.message_en
    else:
        assert not found.usable
        assert "level from 1 to 7" in found.problems[0].reason_en


def test_no_commune_shares_its_point_with_another() -> None:
    points = pd.read_parquet(FOLDER / "communes.parquet", columns=["lon", "lat"])
    assert not points.duplicated().any()
