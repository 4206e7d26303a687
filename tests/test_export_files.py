"""CSV, parquet, GeoPackage and GeoJSON: the agreed columns, French Excel's habits, hostile text, and back again."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
import shapely
from fixtures_assessment import synthetic_assessment
from fixtures_assessment import synthetic_territory as territory_with_results

from coopconnect.export import gis, tables
from coopconnect.model.types import RANGED, SITE_COLUMNS


@pytest.fixture(scope="module")
def territory():
    return territory_with_results()


@pytest.fixture(scope="module")
def assessment(territory):
    return synthetic_assessment(territory=territory)


def squares(codes) -> np.ndarray:
    """A square with a hole, wound the wrong way, for each code."""
    outer = shapely.box(5.0, 44.0, 5.1, 44.1, ccw=False)
    hole = shapely.box(5.03, 44.03, 5.06, 44.06)
    return np.array([shapely.difference(outer, hole) for _ in codes], dtype=object)


def test_tables_have_the_agreed_columns(territory, assessment):
    assert list(tables.zones_table(territory)) == [
        "zone_code", "name", "population", "households", "workers", "jobs", "rural", "lon", "lat"
    ]  # fmt: skip
    flows = ["home_code", "work_code", "workers", "road_km", "drive_min", "source"]
    assert list(tables.flows_table(territory)) == flows
    assert list(tables.access_table(territory)) == ["zone_code", "site_code", "road_km", "drive_min"]
    assert list(tables.sites_table(assessment))[: len(SITE_COLUMNS)] == list(SITE_COLUMNS)
    assert all(f"{n}_low" in tables.sites_table(assessment) for n in RANGED)


def test_flows_add_up_and_name_the_remainder(territory):
    flows = tables.flows_table(territory)
    assert flows["workers"].sum() == pytest.approx(float(territory.flow_workers.sum()), rel=1e-6)
    assert (flows["work_code"] == "").sum() == (territory.flow_work == -1).sum()
    assert set(flows["source"]) == {"modelled"}
    first = flows.iloc[0]
    assert (first["home_code"], first["work_code"]) == ("04001", "04001")


def test_communes_outside_the_territory_are_left_out(territory):
    zones = territory.zones.assign(in_territory=np.arange(len(territory.zones)) < 30)
    smaller = replace(territory, zones=zones)
    assert len(tables.zones_table(smaller)) == 30
    assert tables.flows_table(smaller)["home_code"].nunique() == 30


def test_sites_come_best_first(assessment):
    rank = tables.sites_table(assessment)["rank"].tolist()
    ranked = [r for r in rank if r > 0]
    assert ranked == sorted(ranked)
    assert rank[len(ranked) :] == [0, 0]


def test_csv_leaves_the_infinite_empty():
    frame = pd.DataFrame({"break_even_users": [12.5, np.inf], "tied": [True, False]})
    assert tables.csv_bytes(frame).decode("utf-8-sig").splitlines() == ["break_even_users;tied", "12,5;1", ";0"]


def test_csv_opens_in_french_excel(assessment):
    sites = tables.sites_table(assessment)
    sites.loc[0, "name"] = '=1+1;"x"'
    content = tables.csv_bytes(sites)
    assert content.startswith(b"\xef\xbb\xbf") and b"\r\n" in content
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0]["name"] == '\'=1+1;"x"'
    assert float(rows[0]["score"].replace(",", ".")) == pytest.approx(sites["score"].iloc[0], rel=1e-5)
    assert "," in rows[0]["score"] and "." not in rows[0]["score"]
    assert {row["rural"] for row in rows} <= {"0", "1"}
    assert {len(row["zone_code"]) for row in rows} == {5}
    back = pd.read_csv(io.BytesIO(content), sep=";", decimal=",", dtype={"zone_code": str}, encoding="utf-8-sig")
    assert back["hours_per_year"].tolist() == pytest.approx(sites["hours_per_year"].tolist(), rel=1e-5)


@pytest.mark.parametrize("name", tables.TABLES)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_every_table_is_written_and_read_back(tmp_path, territory, assessment, name, ending):
    frame = getattr(tables, f"{name}_table")(assessment if name == "sites" else territory)
    path = tmp_path / f"{name}.{ending}"
    assert tables.write_table(frame, path) == len(frame) > 0
    if ending == "parquet":
        pd.testing.assert_frame_equal(pd.read_parquet(path), frame, check_dtype=False)


def test_another_ending_is_refused_with_a_way_out(tmp_path, territory, assessment):
    with pytest.raises(ValueError, match=r"x\.xls: allowed endings \.csv, \.parquet"):
        tables.write_table(tables.zones_table(territory), tmp_path / "x.xls")
    with pytest.raises(ValueError, match=r"x\.shp: allowed endings \.gpkg, \.geojson"):
        gis.write_gis(tmp_path / "x.shp", assessment, [], np.array([]))


def test_geopackage_reads_back_with_described_fields(tmp_path, assessment):
    import geopandas

    codes = list(assessment.sites["zone_code"])[::-1]
    path = tmp_path / "sites.gpkg"
    for _ in range(2):  # the second write replaces the first
        assert gis.write_gis(path, assessment, codes, squares(codes), "fr", date(2026, 11, 22)) == len(codes)
    read = geopandas.read_file(path, layer=gis.LAYER)
    assert read.crs.to_epsg() == 4326
    assert len(read) == len(codes) and read.geometry.is_valid.all()
    expected = tables.sites_table(assessment)
    assert read["zone_code"].tolist() == expected["zone_code"].tolist()
    assert read["kg_co2e_per_year"].tolist() == pytest.approx(expected["kg_co2e_per_year"].tolist())
    assert read["hours_d5"].isna().tolist() == expected["hours_d5"].isna().tolist()
    with closing(sqlite3.connect(path)) as file:
        rows = file.execute("SELECT column_name, title, description FROM gpkg_data_columns").fetchall()
        stamp = file.execute("SELECT last_change, description FROM gpkg_contents").fetchone()
    titles = {name: (title, text) for name, title, text in rows}
    assert set(titles) == set(expected.columns)
    assert titles["hours_per_year_low"][0] == "Heures gardées (bas)"
    assert "h/an" in titles["hours_per_year"][1] and "modélisé" in titles["hours_per_year"][1]
    assert stamp[0].startswith("2026-11-22")
    assert "modélisés" in stamp[1]


def test_gdal_accepts_the_schema_tables(tmp_path, assessment):
    import pyogrio

    codes = list(assessment.sites["zone_code"])
    path = tmp_path / "sites.gpkg"
    gis.write_gis(path, assessment, codes, squares(codes), "en")
    assert pyogrio.read_info(path, layer=gis.LAYER)["features"] == len(codes)


def test_geojson_is_valid_and_says_what_it_holds(tmp_path, assessment):
    codes = list(assessment.sites["zone_code"])
    path = tmp_path / "sites.geojson"
    assert gis.write_gis(path, assessment, codes, squares(codes), "en") == len(codes)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["model_version"] == assessment.model_version
    assert "Modelled" in document["note"]
    assert document["fields"]["hours_per_year"]["title"] == "Hours kept"
    first = document["features"][0]
    assert first["properties"]["rank"] == 1
    ring = shapely.LinearRing(first["geometry"]["coordinates"][0])
    assert ring.is_ccw  # RFC 7946: outer rings run against the clock
    missing = [f["properties"]["hours_d5"] for f in document["features"]]
    assert missing.count(None) == int(assessment.sites["hours_d5"].isna().sum())


def test_contours_may_be_wkb(assessment):
    codes = list(assessment.sites["zone_code"])
    shapes = squares(codes)
    layers = [gis.site_layer(assessment, codes, c) for c in (shapes, shapely.to_wkb(shapes))]
    assert layers[0].geometry.geom_equals(layers[1].geometry).all()


def test_a_site_without_contour_is_named(assessment):
    codes = list(assessment.sites["zone_code"])[1:]
    with pytest.raises(ValueError, match="no contour for 1 of 40 sites"):
        gis.site_layer(assessment, codes, squares(codes))
