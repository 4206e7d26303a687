"""Loading a territory: zones with their halo, flows, access, climate, in one `Territory` that never changes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from coopconnect.parameters import DATA_DIR
from coopconnect.territory import travel
from coopconnect.territory.check import check_territory
from coopconnect.territory.estimate import Estimate, Near, Trips
from coopconnect.territory.fitted import fitted_values
from coopconnect.territory.official.climate import hot_days
from coopconnect.territory.official.tables import (
    NOTHING,
    FlowPairs,
    Official,
    RoutedTrips,
    balanced,
    official_shares,
    with_density,
    with_margins,
    with_official_flows,
)
from coopconnect.territory.paths import THOUSANDTHS, Paths
from coopconnect.territory.provenance import provenance_with
from coopconnect.territory.remainders import Remainders
from coopconnect.territory.types import ACCESS_TABLE_MAX_MIN, CLIMATES, ZONE_COLUMNS, Territory

__all__ = ["check_territory", "contours_for", "list_territories", "load_territory", "national_estimate", "outlines_for"]

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
    "second_homes",
    "dwellings",
    "people_10_km",
    "gap_km",
    "usual_path",
    "lon",
    "lat",
    "home_rest_workers",
    "work_rest_workers",
)


def load_territory(
    code: str,
    data_dir: Path,
    circuity: float,
    values: Mapping[str, float] | None = None,
    official: Official = NOTHING,
) -> Territory:
    """Load a territory and its halo.

    code: '93' a region, 'd04' a département, nine figures an EPCI, 'FR' metropolitan France, or the path of a
    text file with one commune code a line. data_dir: the folder data/territory. circuity: road km per crow-fly
    km. values: parameters by key, of which those of the travel laws are read; those of the project if not given.
    official: official tables, used as they are; what is shipped fills what they lack (nothing official by default).
    Raises ValueError with what is allowed and what is near when the code is unknown.
    """
    values = fitted_values() if values is None else values
    communes = with_margins(read_communes(data_dir), official.get("margins"))
    communes = with_density(communes, official.get("density"))
    name, inside = select_communes(code, communes, data_dir)
    communes, pairs = _commuters(communes, official, data_dir)
    estimate = replace(
        national_estimate(communes, circuity, values, official, data_dir), near=Near.load(data_dir, len(communes))
    )
    site, near, access = estimate.access(inside, ACCESS_TABLE_MAX_MIN)
    halo = np.setdiff1d(np.unique(near), inside)
    rows = np.concatenate([inside, halo]).astype(np.int64)
    row_of = np.full(len(communes), -1, dtype=np.int32)
    row_of[rows] = np.arange(len(rows), dtype=np.int32)
    zones = communes.iloc[rows].reset_index(drop=True)
    zones["in_territory"] = np.arange(len(rows)) < len(inside)
    left = Remainders.load(data_dir, len(communes))
    flow_start, flow_work, flow_workers, trips = _flows(rows, pairs, estimate, left)
    access_start = np.zeros(len(inside) + 1, dtype=np.int64)
    np.cumsum(np.bincount(np.searchsorted(inside, site), minlength=len(inside)), out=access_start[1:])
    shares = official_shares(zones)
    heat, shares["climate"] = hot_days(zones, official.get("climate"), _hot_days(zones["departement"], data_dir))
    shares["travel"] = float(access.routed.mean()) if access.routed.size else 0.0
    return Territory(
        code=code,
        name=name,
        zones=zones[list(ZONE_COLUMNS)],
        site_zone=np.arange(len(inside), dtype=np.int32),
        flow_start=flow_start,
        flow_work=flow_work,
        flow_workers=flow_workers,
        flow_road_km=trips.road_km,
        flow_drive_min=trips.drive_min,
        access_start=access_start,
        access_zone=row_of[near],
        access_road_km=access.road_km,
        access_drive_min=access.drive_min,
        hot_days=heat,
        places=communes[["zone_code", "name", "lon", "lat"]],
        provenance=provenance_with(official.labels, shares),
        circuity=circuity,
    )


def national_estimate(
    communes: pd.DataFrame, circuity: float, values: Mapping[str, float], official: Official, data_dir: Path
) -> Estimate:
    """The built-in estimate, with the routed table before it where one is loaded; it knows no near pairs yet."""
    table = official.get("travel")
    law = travel.TravelLaw.from_parameters(values)
    return Estimate(
        communes,
        travel.Ends.of(travel.settlement(communes), law),
        law,
        circuity,
        Paths.load(data_dir, len(communes)),
        routed=None if table is None else RoutedTrips(table, communes),
    )


def _commuters(communes: pd.DataFrame, official: Official, data_dir: Path) -> tuple[pd.DataFrame, FlowPairs]:
    """Official flows where there are some; else the modelled ones, brought to official workers and jobs if loaded."""
    home, work, workers, path = _shipped_flows(communes, data_dir)
    rest = communes["home_rest_workers"].to_numpy(np.float32)
    pairs = FlowPairs(home, work, workers, rest, path)
    if official.get("margins") is not None:
        pairs = balanced(communes, pairs, communes["work_rest_workers"].to_numpy(float))
    return with_official_flows(communes, pairs, official.get("flows"))


def read_communes(data_dir: Path) -> pd.DataFrame:
    """The table of communes, sorted by code; FileNotFoundError says how to make it."""
    path = data_dir / "communes.parquet"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `python -m coopconnect data build` to make it again")
    return pq.read_table(path, columns=list(COMMUNE_COLUMNS)).to_pandas()


def list_territories(data_dir: Path) -> pd.DataFrame:
    """What `load_territory` takes: code, kind (country, region, departement, epci), name, communes."""
    return pd.read_csv(data_dir / "areas.csv", dtype={"code": str}, keep_default_na=False)


@lru_cache(maxsize=1)
def shipped_areas() -> tuple[tuple[str, str, str], ...]:
    """Code, kind and name of every territory that is shipped."""
    table = list_territories(DATA_DIR / "territory")
    return tuple(zip(table["code"], table["kind"], table["name"], strict=True))


def name_of_territory(code: str) -> str:
    """Name of a région, département, EPCI or country; '' for a list of communes or an unknown code."""
    return next((name for known, _, name in shipped_areas() if known == code), "")


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


def _flows(
    rows: np.ndarray, pairs: FlowPairs, estimate: Estimate, left: Remainders
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Trips]:
    """Flows of the zones `rows` (national rows), each followed by its remainder: start, work, workers, trips."""
    zone, source = _lines(pairs.home, rows)
    there = np.flatnonzero(pairs.rest[rows] > 0)
    rest_zone, rest_line = _lines_from(left.start, rows[there])
    rest_zone = there[rest_zone]
    order = np.argsort(np.concatenate([zone, rest_zone]), kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(np.concatenate([zone, rest_zone]), minlength=len(rows)))])
    found = estimate.trips(rows[zone], pairs.work[source], None if pairs.path is None else pairs.path[source])

    def of_both(pair: np.ndarray, rest: np.ndarray | int | bool, kind: type) -> np.ndarray:
        return np.concatenate([pair, np.broadcast_to(rest, rest_zone.shape)])[order].astype(kind)

    trips = Trips(
        of_both(found.road_km, travel.road_km(left.crow_km[rest_line], estimate.circuity), np.float32),
        of_both(found.drive_min, left.drive_min[rest_line], np.float32),
        of_both(found.routed, False, bool),
    )
    workers = of_both(pairs.workers[source], pairs.rest[rows[rest_zone]] * left.share[rest_line], np.float32)
    return start.astype(np.int64), of_both(pairs.work[source], -1, np.int32), workers, trips


def _lines(sorted_rows: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of a table sorted by row: for each of its lines that belong to `rows`, the place in `rows` and the line."""
    return _lines_from(np.searchsorted(sorted_rows, np.arange(rows.max(initial=-1) + 2)), rows)


def _lines_from(start: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same, where the first line of each row is known."""
    count = start[rows + 1] - start[rows]
    place = np.repeat(np.arange(len(rows)), count)
    return place, np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - start[rows], count)


def _shipped_flows(communes: pd.DataFrame, data_dir: Path) -> tuple[np.ndarray, ...]:
    """Home row, work row (national), commuters and R (`paths`) of each shipped pair, sorted by home."""
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
    path = table["path_thousandths"].to_numpy() / THOUSANDTHS
    return ends[0], ends[1], tenths / np.float32(TENTHS), path


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
