"""The table of communes on a small country: vintages, splits, points, sums; then every check, one problem each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from coopconnect.territory.build import checks, communes, contours
from coopconnect.territory.build.inputs import INPUTS, BuildError, Sources, verify
from coopconnect.territory.build.run import make_zones
from coopconnect.territory.geoparquet import write_geoparquet

KM = 1000.0
CENSUS = (
    "pop",
    "pop_0_19",
    "pop_20_64",
    "pop_65p",
    "logements",
    "res_principales",
    "res_secondaires",
    "logements_vacants",
    "appartements",
    "rp_en_appartement",
)


def cell(column: float) -> shapely.Polygon:
    return shapely.box(700e3 + column * 5 * KM, 6600e3, 700e3 + (column + 1) * 5 * KM, 6605e3)


def wkb(geometry: shapely.Geometry) -> str:
    return shapely.to_wkb(contours.to_degrees(np.array([geometry]))[0], hex=True)


def iris_row(code: str, people: int, kind: str = "Z") -> dict[str, object]:
    counts = dict.fromkeys(CENSUS, people // 2) | {"pop": people, "logements": people}
    return {"com": code, "typ_iris": kind, **counts}


@pytest.fixture
def sources() -> Sources:
    """Four communes in a row: 01001 (absorbed 01009), 01002 split from 01003, Lyon with two districts."""
    far = shapely.Point(0.0, 0.0)
    units = pd.DataFrame(
        [
            ("1", "01001", "COM", None, wkb(cell(0)), wkb(cell(0).centroid)),
            ("2", "01002", "COM", None, wkb(cell(1)), shapely.to_wkb(far, hex=True)),
            ("3", "01003", "COM", None, wkb(cell(2)), None),
            ("4", "69123", "COM", None, wkb(cell(3)), wkb(shapely.Point(cell(3).bounds[2] + 800, 6602e3))),
            ("5", "01009", "COMD", "1", None, None),
            ("6", "69381", "ARM", "4", wkb(cell(3)), None),
            ("7", "69382", "ARM", "4", wkb(cell(3)), None),
        ],
        columns=["id", "code", "type", "commune_parent_id", "geometry", "mairie_localisation"],
    )
    iris = pd.DataFrame(
        [
            iris_row("01001", 600),
            iris_row("01009", 400),
            iris_row("01003", 900),
            iris_row("69381", 3000, "H"),
            iris_row("69382", 2000, "A"),
        ]
    )
    official = pd.DataFrame(
        [
            ("01001", "Un", "01", "84", 1000, None),
            ("01002", "Deux", "01", "84", 300, None),
            ("01003", "Trois", "01", "84", 600, None),
            ("69123", "Lyon", "69", "84", 5000, None),
        ],
        columns=["code", "nom", "departement", "region", "population", "anciensCodes"],
    ).assign(type="commune-actuelle", zone="metro")
    return Sources(
        units=units,
        iris=iris,
        communes=official,
        departements=pd.DataFrame({"code": ["01", "69"], "nom": ["Ain", "Rhône"], "chefLieu": ["01001", "69123"]}),
        regions=pd.DataFrame({"code": ["84"], "nom": ["Auvergne-Rhône-Alpes"], "chefLieu": ["69123"]}),
        districts=pd.DataFrame({"chefLieu": ["01001", "01003", "69123"]}),
        epci=[{"code": "200000001", "nom": "CC Trois", "membres": [{"code": "01002"}, {"code": "01003"}]}],
        places=pd.DataFrame({"commune_code": [], "lon": [], "lat": [], "population": [], "altitude_m": []}),
        rows={},
    )


@pytest.fixture
def zones(sources: Sources) -> pd.DataFrame:
    coverage, vintage, _ = make_zones(sources)
    return communes.communes_table(sources, vintage, coverage.codes, coverage.polygons)


def test_census_is_brought_to_the_communes_of_today(sources: Sources, zones: pd.DataFrame) -> None:
    people = zones.set_index("zone_code")["population"]
    # 01009 joined 01001: 600 + 400. 01002 split from 01003: 900 shared 300 : 600. Districts make Lyon.
    assert people.to_dict() == {"01001": 1000, "01002": 300, "01003": 600, "69123": 5000}
    assert zones["population"].sum() == sources.iris["pop"].sum()
    assert zones["households"].sum() == sources.iris["res_principales"].sum()
    assert zones.set_index("zone_code")["activity_iris"].to_dict()["69123"] == 1


def test_a_newcomer_without_contour_stays_with_its_parent(sources: Sources) -> None:
    sources.units.loc[sources.units["code"] == "01002", "geometry"] = None
    coverage, vintage, notes = make_zones(sources)
    table = communes.communes_table(sources, vintage, coverage.codes, coverage.polygons)
    assert table.set_index("zone_code")["population"].to_dict() == {"01001": 1000, "01003": 900, "69123": 5000}
    assert "01002: no contour in the source, counted with 01003" in notes


def test_points_are_town_halls_where_they_are_plausible(zones: pd.DataFrame) -> None:
    kind = zones.set_index("zone_code")["point_source"].to_dict()
    # Sound; in the ocean; absent; 800 m out of its commune, within the tolerance.
    assert kind == {"01001": "town_hall", "01002": "inside", "01003": "inside", "69123": "town_hall"}
    point = contours.to_lambert(shapely.points(zones["lon"], zones["lat"]))
    assert shapely.within(point[1], cell(1)) and shapely.within(point[2], cell(2))


def test_two_town_halls_at_one_address_are_not_both_believed(sources: Sources) -> None:
    first = sources.units["code"] == "01001"
    halls = sources.units.loc[first, "mairie_localisation"].iloc[0]
    near_border = wkb(shapely.Point(cell(0).bounds[2] - 100, 6602e3))
    sources.units.loc[first | (sources.units["code"] == "01002"), "mairie_localisation"] = near_border
    coverage, vintage, _ = make_zones(sources)
    table = communes.communes_table(sources, vintage, coverage.codes, coverage.polygons)
    assert halls != near_border
    assert table["point_source"].tolist()[:2] == ["town_hall", "inside"]


def test_names_epci_and_rank(zones: pd.DataFrame) -> None:
    table = zones.set_index("zone_code")
    assert table["chef_lieu_rank"].to_dict() == {"01001": 2, "01002": 0, "01003": 1, "69123": 3}
    assert table["epci_name"].to_dict() == {"01001": "", "01002": "CC Trois", "01003": "CC Trois", "69123": ""}
    assert table.loc["01001", "area_km2"] == pytest.approx(25.0, rel=1e-3)


SMALL = checks.Published(
    communes={"84": 4}, population={"84": 6900}, households={"84": 3450}, metropolitan_communes=(1, 10)
)


def test_a_sound_table_passes(sources: Sources, zones: pd.DataFrame) -> None:
    coverage, vintage, _ = make_zones(sources)
    checks.check_zones(sources, zones, contours.simplify(coverage.polygons), vintage, SMALL)


def test_every_problem_is_reported_at_once(sources: Sources, zones: pd.DataFrame) -> None:
    coverage, vintage, _ = make_zones(sources)
    light = contours.simplify(coverage.polygons)
    light[0] = shapely.buffer(light[0], 0.001)
    zones["zone_code"] = ["1001", "01002", "01002", "69381"]
    zones.loc[0, "lon"] = 100.0
    zones["households"] = [10**6, 0, 0, 0]
    zones["second_homes"] = zones["second_homes"].astype(float)
    zones.loc[1, "second_homes"] = np.nan
    with pytest.raises(BuildError) as error:
        checks.check_zones(sources, zones, light, vintage, SMALL)
    for word in (
        "leading zero",
        "occur twice",
        "districts of 69123",
        "1 empty values",
        "more main residences",
        "households: 1,000,000 in the communes",
        "published 3,450",
        "borders are not shared",
        "out of their commune",
    ):
        assert word in str(error.value)


def test_inputs_that_changed_are_refused(tmp_path: Path) -> None:
    (tmp_path / INPUTS[0].filename).write_bytes(b"something else")
    with pytest.raises(BuildError) as error:
        verify(tmp_path)
    assert "sha256" in str(error.value)
    assert all(item.filename in str(error.value) for item in INPUTS)


def test_the_same_table_gives_the_same_bytes(zones: pd.DataFrame, tmp_path: Path) -> None:
    points = shapely.to_wkb(shapely.points(zones["lon"], zones["lat"]))
    for name in ("a", "b"):
        write_geoparquet(tmp_path / name, zones.copy(), points, (0.0, 0.0, 1.0, 1.0), ["Point"])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_geoparquet_opens_in_geopandas(zones: pd.DataFrame, tmp_path: Path) -> None:
    geopandas = pytest.importorskip("geopandas")
    points = shapely.to_wkb(shapely.points(zones["lon"], zones["lat"]))
    write_geoparquet(tmp_path / "z.parquet", zones, points, (0.0, 0.0, 1.0, 1.0), ["Point"])
    frame = geopandas.read_parquet(tmp_path / "z.parquet")
    assert frame.crs.to_epsg() == 4326 or "84" in frame.crs.name
    assert frame["zone_code"].tolist() == zones["zone_code"].tolist()


def test_an_unknown_geometry_type_is_refused(zones: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allowed are"):
        write_geoparquet(tmp_path / "z", zones, np.array([b""] * len(zones)), (0, 0, 1, 1), ["Circle"])
