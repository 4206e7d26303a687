"""Writing and reading GeoParquet without geopandas: plain Arrow tables with the standard `geo` metadata."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

GEOMETRY_TYPES = ("Point", "LineString", "Polygon", "MultiLineString", "MultiPolygon")


def write_geoparquet(
    path: Path,
    table: pd.DataFrame,
    geometry_wkb: np.ndarray,
    bbox: tuple[float, float, float, float],
    geometry_types: list[str],
) -> None:
    """Write `table` and its geometry (WKB, degrees WGS84) as GeoParquet 1.1, the same bytes for the same input.

    table: plain columns, one row per geometry. geometry_wkb: (n,) bytes. bbox: west, south, east, north.
    geometry_types: subset of `GEOMETRY_TYPES`. Raises ValueError when a geometry type is unknown.
    """
    unknown = sorted(set(geometry_types) - set(GEOMETRY_TYPES))
    if unknown:
        raise ValueError(f"geometry types {unknown}: allowed are {', '.join(GEOMETRY_TYPES)}")
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    arrow = arrow.append_column("geometry", pa.array(list(geometry_wkb), type=pa.binary()))
    geo = {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {
            "geometry": {
                "encoding": "WKB",
                "geometry_types": sorted(geometry_types),
                "bbox": [round(float(v), 6) for v in bbox],
            },
        },
    }
    write_table(path, arrow.replace_schema_metadata({"geo": json.dumps(geo, sort_keys=True)}))


def write_table(path: Path, table: pa.Table, **options: object) -> None:
    """Write an Arrow table with fixed settings (zstd, one row group order), so that bytes can be compared.

    The file appears whole or not at all.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    settings: dict[str, object] = {"compression": "zstd", "compression_level": 19, "row_group_size": 1 << 22}
    settings.update(options)
    partial = path.with_name(path.name + ".part")
    pq.write_table(table, partial, **settings)
    partial.replace(path)
