"""Contours with the results of each site, as GeoPackage or GeoJSON, for QGIS and other GIS.

Fields keep their technical names (those of `SITE_COLUMNS`); each file says what they mean, in the chosen language.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from coopconnect.export.columns import SITE_SHEET_COLUMNS, Column
from coopconnect.export.sheet_robust import FIELDS as FUTURES_FIELDS
from coopconnect.export.tables import sites_table
from coopconnect.model.types import Assessment
from coopconnect.show.words import number, say

if TYPE_CHECKING:
    import geopandas

LAYER = "sites"
WGS84 = 4326
DEGREE_DECIMALS = 5
"""About one metre: finer than the contours are."""

_ENDS = {"_low": "low", "_high": "high"}


def field_descriptions(language: str, drawn: int = 0) -> dict[str, tuple[str, str]]:
    """Title and description (unit, official or modelled, what lows and highs are) of every field, by its name.

    drawn: as in the assessment.
    """
    found = {c.name: _described(c, language, drawn) for c in SITE_SHEET_COLUMNS}
    kind = say("export.kind.modelled", language)
    for name in FUTURES_FIELDS:
        key, _, end = name.partition("_p")
        ranked = key == "rank" and end
        title = say(f"export.robust.{key if ranked else name}", language)
        found[name] = f"{title}, {say(f'export.robust.p{end}', language)}" if ranked else title, kind
    return found


def _described(column: Column, language: str, drawn: int) -> tuple[str, str]:
    ends = ""
    title = say(f"export.site.{column.key}", language)
    if column.end in _ENDS:
        title = say(f"export.{_ENDS[column.end]}", language, name=title)
        key = "export.say.ends_drawn" if drawn else "export.say.ends"
        ends = say(key, language, draws=number(float(drawn), language)).rstrip(".")
    unit = say(f"export.unit.{column.unit}", language) if column.unit else ""
    kind = "modelled" if column.kind == "computed" else column.kind
    return title, " · ".join(part for part in (unit, say(f"export.kind.{kind}", language), ends) if part)


def site_layer(
    assessment: Assessment, codes: Sequence[str], contours: np.ndarray, futures: pd.DataFrame | None = None
) -> geopandas.GeoDataFrame:
    """One row per site with its contour, degrees WGS84, best first.

    codes, contours: INSEE codes and polygons (shapely, or WKB as `contours_for` gives them), one each, in any order;
    more communes than needed are fine. futures: further fields by INSEE code (`sheet_robust.futures_fields`).
    Raises ValueError naming the sites that have no contour.
    """
    import geopandas  # two seconds of imports that only a GIS export needs

    table = sites_table(assessment)
    if futures is not None:
        table = table.join(futures, on="zone_code")
    shapes = pd.Series(np.asarray(contours, dtype=object), index=pd.Index(list(codes), dtype=object))
    shapes = shapes[~shapes.index.duplicated()]
    missing = [code for code in table["zone_code"] if code not in shapes.index]
    if missing:
        raise ValueError(
            f"no contour for {len(missing)} of {len(table)} sites ({', '.join(missing[:5])} ...): "
            "give contours of the same year as the territory, by INSEE code"
        )
    wanted = shapes.reindex(table["zone_code"]).tolist()
    polygons = shapely.from_wkb(wanted) if wanted and isinstance(wanted[0], bytes) else np.asarray(wanted, dtype=object)
    found = shapely.orient_polygons(polygons)
    found = shapely.transform(found, lambda c: np.round(c, DEGREE_DECIMALS))
    return geopandas.GeoDataFrame(table, geometry=found, crs=WGS84)


def geojson_bytes(
    assessment: Assessment, codes: Sequence[str], contours: np.ndarray, language: str = "fr",
    futures: pd.DataFrame | None = None,
) -> bytes:  # fmt: skip
    """GeoJSON (RFC 7946), with the model's version, the scenario and the meaning of fields beside the features."""
    layer = site_layer(assessment, codes, contours, futures)
    records = layer.drop(columns="geometry").to_dict("records")
    features = [
        {"type": "Feature", "id": record["zone_code"], "properties": {k: _plain(v) for k, v in record.items()},
         "geometry": json.loads(geometry)}
        for record, geometry in zip(records, shapely.to_geojson(layer.geometry.to_numpy()), strict=True)
    ]  # fmt: skip
    fields = {
        name: {"title": title, "description": text}
        for name, (title, text) in field_descriptions(language, assessment.drawn).items() if name in layer.columns
    }  # fmt: skip
    document = {
        "type": "FeatureCollection", "name": LAYER, "model_version": assessment.model_version,
        "territory": assessment.territory_name, "note": say("export.say.modelled", language), "fields": fields,
        "features": features,
    }  # fmt: skip
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _plain(value: Any) -> Any:
    """A value that JSON has: what is missing or infinite is null; six figures are enough."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return str(value)


def write_geopackage(
    path: Path, assessment: Assessment, codes: Sequence[str], contours: np.ndarray, language: str = "fr",
    on: date | None = None, futures: pd.DataFrame | None = None,
) -> int:  # fmt: skip
    """A GeoPackage with one layer of contours and results; titles and descriptions of fields in its schema.

    on: date written in the file (the clock's otherwise). Returns the number of sites. An existing file is replaced.
    """
    layer = site_layer(assessment, codes, contours, futures)
    path.unlink(missing_ok=True)
    write_layer(path, LAYER, layer.replace([np.inf, -np.inf], np.nan), _layer_options(language), on)
    described = field_descriptions(language, assessment.drawn)
    describe_fields(path, LAYER, {c: described[c] for c in layer.columns if c in described})
    return len(layer)


def _layer_options(language: str) -> dict[str, str]:
    return {"IDENTIFIER": say("export.say.sites_title", language), "DESCRIPTION": say("export.say.modelled", language)}


_SCHEMA_TABLE = """
CREATE TABLE IF NOT EXISTS gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,
  constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
  CONSTRAINT gdc_tn UNIQUE (table_name, name))
"""
_CONSTRAINT_TABLE = """
CREATE TABLE IF NOT EXISTS gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN,
  max NUMERIC, max_is_inclusive BOOLEAN, description TEXT, CONSTRAINT gdcc_ntv UNIQUE
  (constraint_name, constraint_type, value))
"""


def write_layer(
    path: Path, name: str, layer: geopandas.GeoDataFrame, options: dict[str, str], on: date | None = None
) -> None:
    """Write a layer in a GeoPackage, beside those that it holds. on: date written in the file (the clock's otherwise)."""
    import pyogrio

    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{on.isoformat()}T00:00:00.000Z" if on else None})
    try:
        pyogrio.write_dataframe(layer, path, layer=name, driver="GPKG", layer_options=options)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


_EXTENSION = ("gpkg_schema", "http://www.geopackage.org/spec121/#extension_schema", "read-write")


def describe_fields(path: Path, layer: str, described: dict[str, tuple[str, str]]) -> None:
    """Titles and descriptions by the Schema extension of GeoPackage, which QGIS and GDAL read as aliases."""
    rows = [(layer, name, name, *words) for name, words in described.items()]
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(_SCHEMA_TABLE)
        file.execute(_CONSTRAINT_TABLE)
        file.execute(
            "CREATE TABLE IF NOT EXISTS gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL,"
            " definition TEXT NOT NULL, scope TEXT NOT NULL, UNIQUE (table_name, column_name, extension_name))"
        )
        for table in ("gpkg_data_columns", "gpkg_data_column_constraints"):
            file.execute("INSERT OR REPLACE INTO gpkg_extensions VALUES (?, NULL, ?, ?, ?)", (table, *_EXTENSION))
        file.executemany(
            "INSERT OR REPLACE INTO gpkg_data_columns (table_name, column_name, name, title, description)"
            " VALUES (?, ?, ?, ?, ?)", rows,
        )  # fmt: skip


def write_gis(
    path: Path, assessment: Assessment, codes: Sequence[str], contours: np.ndarray, language: str = "fr",
    on: date | None = None, futures: pd.DataFrame | None = None,
) -> int:  # fmt: skip
    """Write contours and results by the ending of `path`, .gpkg or .geojson; return the number of sites.

    Raises ValueError for another ending or a site without contour.
    """
    ending = path.suffix.lower()
    if ending == ".gpkg":
        return write_geopackage(path, assessment, codes, contours, language, on, futures)
    if ending in (".geojson", ".json"):
        path.write_bytes(geojson_bytes(assessment, codes, contours, language, futures))
        return len(assessment.sites)
    raise ValueError(f"{path.name}: allowed endings .gpkg, .geojson; give the file one of them")
