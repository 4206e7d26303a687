"""Loading a territory: zones with their halo, flows, access, climate, in one `Territory` that never changes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.spatial import cKDTree

from coopconnect.territory import travel
from coopconnect.territory.check import check_territory
from coopconnect.territory.fitted import fitted_values
from coopconnect.territory.provenance import shipped_provenance
from coopconnect.territory.types import ACCESS_TABLE_MAX_MIN, CLIMATES, ZONE_COLUMNS, Territory

__all__ = ["check_territory", "contours_for", "list_territories", "load_territory", "outlines_for"]

SITES_PER_CHUNK = 2000
TENTHS = 10
COMMUNE_COLUMNS = (
    "zone_code",
    "name",
    "departement",
    "region",
    "epci_code",
    "epci_name",
    "population",
    "households",
    "workers",
    "jobs",
    "rural",
    "area_km2",
    "lon",
    "lat",
    "home_rest_workers",
    "home_rest_crow_km",
    "home_rest_drive_min",
)


@dataclass(frozen=True)
class _Pairs:
    """Access pairs: site and zone as rows of the national table, crow-fly km and minutes, by site then minutes."""

    site: np.ndarray
    zone: np.ndarray
    crow_km: np.ndarray
    drive_min: np.ndarray


def load_territory(code: str, data_dir: Path, circuity: float, values: Mapping[str, float] | None = None) -> Territory:
    """Load a territory and its halo.

    code: '93' a region, 'd04' a département, nine figures an EPCI, 'FR' metropolitan France, or the path of a
    text file with one commune code a line. data_dir: the folder data/territory. circuity: road km per crow-fly
    km. values: parameters by key, of which those of the travel law are read; those of the project if not given.
    Raises ValueError with what is allowed and what is near when the code is unknown.
    """
    law = travel.TravelLaw.from_parameters(fitted_values() if values is None else values)
    communes = read_communes(data_dir)
    name, inside = select_communes(code, communes, data_dir)
    density = travel.log_density(communes["population"].to_numpy(), communes["area_km2"].to_numpy())
    pairs = _access_pairs(inside, communes, density, law)
    halo = np.setdiff1d(np.unique(pairs.zone), inside)
    rows = np.concatenate([inside, halo]).astype(np.int64)
    row_of = np.full(len(communes), -1, dtype=np.int32)
    row_of[rows] = np.arange(len(rows), dtype=np.int32)
    zones = communes.iloc[rows].reset_index(drop=True)
    zones["in_territory"] = np.arange(len(rows)) < len(inside)
    flow_start, flow_work, flow_workers, flow_crow, flow_min = _flows(rows, communes, density, law, data_dir)
    access_start = np.zeros(len(inside) + 1, dtype=np.int64)
    np.cumsum(np.bincount(np.searchsorted(inside, pairs.site), minlength=len(inside)), out=access_start[1:])
    return Territory(
        code=code,
        name=name,
        zones=zones[list(ZONE_COLUMNS)],
        site_zone=np.arange(len(inside), dtype=np.int32),
        flow_start=flow_start,
        flow_work=flow_work,
        flow_workers=flow_workers,
        flow_road_km=travel.road_km(flow_crow, circuity).astype(np.float32),
        flow_drive_min=flow_min,
        access_start=access_start,
        access_zone=row_of[pairs.zone],
        access_road_km=travel.road_km(pairs.crow_km, circuity).astype(np.float32),
        access_drive_min=pairs.drive_min,
        hot_days=_hot_days(zones["departement"], data_dir),
        places=communes[["zone_code", "name", "lon", "lat"]],
        provenance=shipped_provenance(),
        circuity=circuity,
    )


def read_communes(data_dir: Path) -> pd.DataFrame:
    """The table of communes, sorted by code; FileNotFoundError says how to make it."""
    path = data_dir / "communes.parquet"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `python -m coopconnect data build` to make it again")
    return pq.read_table(path, columns=list(COMMUNE_COLUMNS)).to_pandas()


def list_territories(data_dir: Path) -> pd.DataFrame:
    """What `load_territory` takes: code, kind (country, region, departement, epci), name, communes."""
    return pd.read_csv(data_dir / "areas.csv", dtype={"code": str}, keep_default_na=False)


def select_communes(code: str, communes: pd.DataFrame, data_dir: Path) -> tuple[str, np.ndarray]:
    """Name of the territory and the rows of its communes; ValueError when the code is unknown."""
    areas = list_territories(data_dir)
    found = areas[areas["code"] == code]
    if len(found):
        kind, name = str(found["kind"].iloc[0]), str(found["name"].iloc[0])
        if kind == "country":
            return name, np.arange(len(communes))
        column, value = {
            "region": ("region", code),
            "departement": ("departement", code[1:]),
            "epci": ("epci_code", code),
        }[kind]
        return name, np.flatnonzero((communes[column] == value).to_numpy())
    path = Path(code)
    if path.suffix and path.is_file():
        return path.stem, _communes_of_file(path, communes)
    raise ValueError(_unknown_code(code, areas))


def _communes_of_file(path: Path, communes: pd.DataFrame) -> np.ndarray:
    lines = path.read_text(encoding="utf-8-sig").replace(";", "\n").replace(",", "\n").splitlines()
    wanted = sorted({line.strip().strip('"') for line in lines if line.strip()})
    unknown = sorted(set(wanted) - set(communes["zone_code"]))
    if unknown:
        near = {c: difflib.get_close_matches(c, communes["zone_code"], n=2) for c in unknown[:5]}
        hints = "; ".join(f"{c} (near: {', '.join(n) or 'nothing'})" for c, n in near.items())
        raise ValueError(
            f"{path.name}: {len(unknown)} of {len(wanted)} lines are not commune codes of metropolitan France: "
            f"{hints}. One INSEE code of five characters a line, for example 84003."
        )
    if not wanted:
        raise ValueError(f"{path.name}: no commune code. One INSEE code of five characters a line, as 84003.")
    return np.flatnonzero(communes["zone_code"].isin(wanted).to_numpy())


def _unknown_code(code: str, areas: pd.DataFrame) -> str:
    wanted = code.casefold()
    codes, names = areas["code"].to_list(), areas["name"].to_list()
    by_text = {text.casefold(): k for column in (codes, names) for k, text in enumerate(column)}
    initials = {
        "".join(c for c in name if c.isupper()).casefold(): k
        for k, name in enumerate(names)
        if areas["kind"].iloc[k] == "region"
    }
    by_text = {**initials, **by_text}
    close = difflib.get_close_matches(wanted, list(by_text), n=4, cutoff=0.5)
    close += [text for text in by_text if len(wanted) > 2 and wanted in text][:4]
    rows = list(dict.fromkeys(by_text[text] for text in close))[:4]
    near = ", ".join(f"{codes[k]} ({names[k]})" for k in rows)
    regions = ", ".join(areas.loc[areas["kind"] == "region", "code"])
    return (
        f"territory {code!r} is unknown. Allowed: a region ({regions}), a département (d01 to d95, d2A, d2B), "
        f"the nine figures of an EPCI, FR, or a text file of commune codes." + (f" Near: {near}." if near else "")
    )


def _access_pairs(inside: np.ndarray, communes: pd.DataFrame, density: np.ndarray, law: travel.TravelLaw) -> _Pairs:
    """Zones within `ACCESS_TABLE_MAX_MIN` of each site (own commune included), by site, then by minutes."""
    lon, lat = np.radians(communes["lon"].to_numpy()), np.radians(communes["lat"].to_numpy())
    sphere = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    own_km = travel.own_crow_km(communes["area_km2"].to_numpy(), law)
    tree = cKDTree(sphere)
    chord = 2 * np.sin(furthest_crow_km(ACCESS_TABLE_MAX_MIN, density, law) / travel.EARTH_RADIUS_KM / 2)
    parts = []
    for first in range(0, len(inside), SITES_PER_CHUNK):
        sites = inside[first : first + SITES_PER_CHUNK]
        near = cKDTree(sphere[sites]).sparse_distance_matrix(tree, chord, output_type="ndarray")
        site, zone = sites[near["i"]], near["j"]
        crow = 2 * travel.EARTH_RADIUS_KM * np.arcsin(near["v"] / 2)
        crow = np.where(site == zone, own_km[zone], crow)
        minutes = travel.drive_min(crow, density[site] + density[zone], law)
        keep = (minutes <= ACCESS_TABLE_MAX_MIN) | (site == zone)
        site, zone, crow, minutes = site[keep], zone[keep], crow[keep], minutes[keep]
        order = np.lexsort((zone, minutes, site))
        parts.append(
            (
                site[order].astype(np.int32),
                zone[order].astype(np.int32),
                crow[order].astype(np.float32),
                minutes[order].astype(np.float32),
            )
        )
    return _Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def furthest_crow_km(minutes: float, density: np.ndarray, law: travel.TravelLaw) -> float:
    """Crow-fly km beyond which no pair of communes is within `minutes`, at any density that occurs."""
    km = np.arange(1.0, 2.0 * minutes + 1.0)
    sums = np.linspace(2 * density.min(), 2 * density.max(), 25)
    within = (travel.drive_min(km[None], sums[:, None], law) <= minutes).any(axis=0)
    return float(km[within].max() + 1.0) if within.any() else 1.0


def _flows(
    rows: np.ndarray, communes: pd.DataFrame, density: np.ndarray, law: travel.TravelLaw, data_dir: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Flows of the zones `rows` (national rows), each followed by its remainder: start, work, workers, km, min."""
    home, work, workers = _shipped_flows(communes, data_dir)
    count = np.bincount(home, minlength=len(communes))
    first = np.concatenate([[0], np.cumsum(count)])
    rest = communes["home_rest_workers"].to_numpy(np.float32)[rows]
    size = count[rows] + (rest > 0)
    start = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    zone = np.repeat(np.arange(len(rows)), count[rows])
    source = np.arange(len(zone)) - np.repeat(np.cumsum(count[rows]) - count[rows], count[rows])
    source += np.repeat(first[rows], count[rows])
    target = np.arange(len(zone)) + np.repeat(start[:-1] - (np.cumsum(count[rows]) - count[rows]), count[rows])
    i, j = rows[zone], work[source]
    lon, lat = communes["lon"].to_numpy(), communes["lat"].to_numpy()
    crow = travel.crow_km(lon[i], lat[i], lon[j], lat[j])
    own = i == j
    crow[own] = travel.own_crow_km(communes["area_km2"].to_numpy()[i[own]], law)
    flow_work = np.full(start[-1], -1, dtype=np.int32)
    flow_workers, flow_crow, flow_min = (np.zeros(start[-1], dtype=np.float32) for _ in range(3))
    flow_work[target], flow_workers[target], flow_crow[target] = j, workers[source], crow
    flow_min[target] = travel.drive_min(crow, density[i] + density[j], law)
    last = start[1:][rest > 0] - 1
    flow_workers[last] = rest[rest > 0]
    flow_crow[last] = communes["home_rest_crow_km"].to_numpy(np.float32)[rows][rest > 0]
    flow_min[last] = communes["home_rest_drive_min"].to_numpy(np.float32)[rows][rest > 0]
    return start, flow_work, flow_workers, flow_crow, flow_min


def _shipped_flows(communes: pd.DataFrame, data_dir: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Home row, work row (national) and commuters of each shipped pair, sorted by home."""
    table = pq.read_table(data_dir / "flows.parquet", read_dictionary=["home_code", "work_code"]).combine_chunks()
    codes = communes["zone_code"].to_numpy(str)
    ends = []
    for column in ("home_code", "work_code"):
        chunk = table[column].combine_chunks()
        chunk = chunk.chunk(0) if isinstance(chunk, pa.ChunkedArray) else chunk
        names = np.array(chunk.dictionary.to_pylist(), dtype=str)
        row = np.searchsorted(codes, names)
        if not np.array_equal(codes[np.minimum(row, len(codes) - 1)], names):
            raise ValueError(
                "flows.parquet and communes.parquet are not of the same build: run `python -m coopconnect data build`"
            )
        ends.append(row[chunk.indices.to_numpy(zero_copy_only=False)])
    tenths = pc.cast(table["workers_tenths"], pa.float32()).to_numpy()
    return ends[0], ends[1], tenths / np.float32(TENTHS)


def _hot_days(departement: pd.Series, data_dir: Path) -> np.ndarray:
    table = pd.read_csv(data_dir / "climate.csv", dtype={"departement": str}).set_index("departement")
    return table.reindex(departement)[list(CLIMATES)].to_numpy(np.float32)


def contours_for(zone_codes: list[str], data_dir: Path) -> tuple[list[str], np.ndarray]:
    """Contours of communes as WKB (degrees WGS84): the codes found, in the order of the file, and their bytes."""
    table = pq.read_table(data_dir / "contours.parquet", filters=[("zone_code", "in", list(zone_codes))])
    return table["zone_code"].to_pylist(), table["geometry"].to_numpy()


def outlines_for(data_dir: Path) -> pd.DataFrame:
    """Lines of the départements and regions: kind, left, right, geometry (WKB, degrees WGS84)."""
    return pq.read_table(data_dir / "outlines.parquet").to_pandas()
