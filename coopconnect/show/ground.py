"""The ground of the maps: contours of a territory's communes and the lines of its départements."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from coopconnect.parameters import DATA_DIR
from coopconnect.show.geometry import Geometry, ZoneLabels, pack_contours
from coopconnect.territory.load import list_territories
from coopconnect.territory.types import Territory

TERRITORY_DIR = DATA_DIR / "territory"


def geometry_of(territory: Territory, data_dir: Path = TERRITORY_DIR) -> Geometry:
    """Contours of the communes of a territory, in the order of its sites, with the lines of the départements."""
    zones = territory.zones.iloc[territory.site_zone]
    codes = zones["zone_code"].tolist()
    shapes = contours_of(codes, data_dir)
    departements = zones["departement"].tolist()
    names = departement_names(data_dir)
    labels = ZoneLabels(
        codes, zones["name"].tolist(), departements,
        zones["lon"].to_numpy(float), zones["lat"].to_numpy(float), zones["population"].to_numpy(float),
        {d: names.get(d, d) for d in sorted(set(departements))},
    )  # fmt: skip
    return pack_contours(shapes, labels, _outlines(territory.code, set(departements), shapes, data_dir))


def contours_of(codes: list[str], data_dir: Path = TERRITORY_DIR) -> np.ndarray:
    """Shipped contours of communes, (n,) of shapely geometries, in the order asked. Unknown codes: KeyError."""
    table = pq.read_table(data_dir / "contours.parquet")
    wanted = pc.index_in(np.array(codes, dtype=object), value_set=table["zone_code"])
    if wanted.null_count:
        raise KeyError(f"contours.parquet: no contour for {wanted.null_count} communes; rebuild the data")
    return np.asarray(shapely.from_wkb(table["geometry"].take(wanted).to_numpy()), dtype=object)


def departement_names(data_dir: Path = TERRITORY_DIR) -> dict[str, str]:
    """Names of the départements, by code."""
    areas = list_territories(data_dir)
    kept = areas[areas["kind"] == "departement"]
    return dict(zip(kept["code"].str.removeprefix("d"), kept["name"], strict=True))


def _outlines(code: str, departements: set[str], shapes: np.ndarray, data_dir: Path) -> np.ndarray:
    """Lines of the départements; of a smaller territory (an EPCI, a list of communes), its own outline."""
    if code != "FR" and len(code) > len("d2A"):
        return np.array([shapely.coverage_union_all(shapes)], dtype=object)
    table = pq.read_table(data_dir / "outlines.parquet")
    sides = zip(table["left"].to_pylist(), table["right"].to_pylist(), strict=True)
    inside = np.array([left in departements or right in departements for left, right in sides])
    return np.asarray(shapely.from_wkb(table["geometry"].to_numpy()[inside]), dtype=object)
