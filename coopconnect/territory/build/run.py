"""`python -m coopconnect data build`: from registry archives to the files of data/territory."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from coopconnect.parameters import DATA_DIR, PARAMETERS_FILE
from coopconnect.territory import gravity, travel
from coopconnect.territory.build import checks, communes, contours, flows, models, near, relief, rural
from coopconnect.territory.build.inputs import Progress, Sources, fetch, read_sources, verify
from coopconnect.territory.build.sources_page import sources_page
from coopconnect.territory.estimate import Estimate
from coopconnect.territory.fitted import fitted_values
from coopconnect.territory.geoparquet import write_geoparquet, write_table
from coopconnect.territory.paths import THOUSANDTHS, Paths
from coopconnect.territory.types import ACCESS_TABLE_MAX_MIN

FILES = (
    "communes.parquet",
    "contours.parquet",
    "outlines.parquet",
    "neighbours.parquet",
    "near.parquet",
    "flows.parquet",
    "remainders.parquet",
    "former_codes.parquet",
    "areas.csv",
)
CLIMATE = "climate.csv"
"""Derived once by scripts/derive_climate.py, not by the build: its workbooks are not in a registry."""
LINE_SIMPLIFY_M = 500.0


@dataclass(frozen=True)
class BuildReport:
    """What a build wrote and what it had to decide: files, rows, lines for a reader."""

    files: tuple[Path, ...]
    rows: dict[str, int]
    notes: tuple[str, ...]


def build(
    destination: Path,
    inputs: Path | None = None,
    parameters: Path | None = None,
    progress: Progress = print,
) -> BuildReport:
    """Build the territory files of metropolitan France into `destination`.

    inputs: folder that holds the archives; fetched into .cache/inputs with pip and npm when not given.
    parameters: parameters.toml with the fitted block (that of the project when not given). progress: called
    with one line per step. Raises BuildError with every problem found; nothing is written then.
    """
    destination = destination.resolve()
    values = fitted_values(parameters or PARAMETERS_FILE)
    if inputs is None:
        inputs = Path(".cache") / "inputs"
        fetch(inputs, progress)
    verify(inputs)
    progress("lecture / reading")
    sources = read_sources(inputs)
    progress("contours")
    coverage, vintage, notes = make_zones(sources)
    zones = communes.communes_table(sources, vintage, coverage.codes, coverage.polygons)
    light = contours.simplify(coverage.polygons)
    checks.check_zones(sources, zones, light, vintage)
    progress("actifs, emplois / workers, jobs")
    zones, xy_km = add_models(zones, values)
    progress("altitudes, voisins / altitudes, neighbours")
    places_xy_km = models.plane_km(sources.places)
    altitude, own = relief.altitudes_m(sources.places, zones["zone_code"], xy_km, places_xy_km)
    zones = zones.assign(altitude_m=altitude)
    notes.append(f"altitudes: {own.mean():.0%} of the communes have a place of their own, the others those around them")
    edges = relief.neighbours(zones, xy_km, coverage.polygons, values)
    paths = Paths.of(len(zones), *edges)
    zones = zones.assign(usual_path=relief.usual_ways(zones, xy_km, paths, values["travel_path_most"]))
    progress("flux / flows")
    law = travel.TravelLaw.from_parameters(values)
    ends = travel.Ends.of(travel.settlement(zones), law)
    close = near.near_pairs(Estimate(zones, ends, law, 1.0, paths), ACCESS_TABLE_MAX_MIN)
    found = flows.national_flows(zones, xy_km, law, gravity.Deterrence.from_parameters(values), paths)
    zones = add_remainders(zones, found)
    checks.check_models(zones, found)
    progress("écriture / writing")
    rows = write_files(destination, zones, coverage, light, found, vintage, edges, close)
    areas = communes.areas_table(sources, zones)
    areas.to_csv(destination / "areas.csv", index=False, lineterminator="\n")
    rows["areas.csv"] = len(areas)
    notes.append(f"flows: {100 * found.moved_share:.1f} % of the jobs were moved so that both margins hold")
    if not (destination / CLIMATE).exists():
        shutil.copyfile(DATA_DIR / "territory" / CLIMATE, destination / CLIMATE)
    page = sources_page(destination, rows, sources.rows, notes)
    beside = destination.parent if destination.parent == DATA_DIR else destination
    (beside / "SOURCES.md").write_text(page, encoding="utf-8")
    return BuildReport(tuple(destination / name for name in FILES), rows, tuple(notes))


def make_zones(sources: Sources) -> tuple[contours.Coverage, communes.Vintage, list[str]]:
    """Contours as one coverage and the match of the census to the codes of today, with notes for the reader."""
    units = sources.units[sources.units["type"].isin(["COM", "COMD", "COMA"])].copy()
    wkb = [w if isinstance(w, str) and w else None for w in units["geometry"]]
    units["geometry"] = contours.to_lambert(shapely.from_wkb(wkb))
    units["parent"] = units["commune_parent_id"].map(sources.units.set_index("id")["code"])
    whole = units[units["type"] == "COM"].set_index("code").sort_index()
    drawn, notes = contours.contours_with_parts(whole, units[units["type"] != "COM"].sort_values("code"))
    current = communes.former_to_current(sources)
    coverage = contours.make_coverage(drawn, communes.absorbed_since(sources, current))
    neighbours: dict[str, set[str]] = {}
    for left, right in contours.shared_border_pairs(coverage.polygons):
        a, b = coverage.codes[left], coverage.codes[right]
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    vintage = communes.match_vintages(sources, drawn, neighbours)
    notes += coverage.patches
    notes += [
        f"{parent}: split since 2021, its census is shared with {', '.join(c for c in part if c != parent)}"
        for parent, part in sorted(vintage.shared.items())
    ]
    notes += [
        f"{child}: no contour in the source, counted with {parent}"
        for child, parent in sorted(vintage.merged_back.items())
    ]
    notes += [f"{code}: not placed" for code in vintage.unplaced]
    return coverage, vintage, notes


def add_models(zones: pd.DataFrame, values: dict[str, float]) -> tuple[pd.DataFrame, tuple[np.ndarray, np.ndarray]]:
    """Add workers, jobs (scaled to the same total), density_class, rural, people_10_km and gap_km; give the plane
    coordinates."""
    xy_km = models.plane_km(zones)
    workers = np.round(models.employed_residents(zones, values))
    jobs = models.jobs_at_work(zones, workers, *xy_km, values)
    density_class = rural.density_class(zones, xy_km, values)
    zones = zones.assign(
        workers=workers,
        jobs=jobs * workers.sum() / jobs.sum(),
        density_class=density_class,
        rural=density_class >= rural.FIRST_RURAL_CLASS,
        **models.around(zones["population"].to_numpy(float), xy_km),
    )
    return zones, xy_km


def add_remainders(zones: pd.DataFrame, found: flows.Flows) -> pd.DataFrame:
    """Put the jobs that the flows meet and both remainders into the table of communes."""
    return zones.assign(
        workers=zones["workers"].astype("int32"),
        jobs=np.round(found.jobs, 1),
        home_rest_workers=np.round(found.home_rest, 1),
        work_rest_workers=np.round(found.work_rest, 1),
    )


def write_files(
    destination: Path,
    zones: pd.DataFrame,
    coverage: contours.Coverage,
    light: np.ndarray,
    found: flows.Flows,
    vintage: communes.Vintage,
    edges: tuple[np.ndarray, np.ndarray, np.ndarray],
    close: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> dict[str, int]:
    """Write every file of `FILES`; returns the rows of each."""
    west, south, east, north = (float(v) for v in shapely.total_bounds(light))
    bounds = (west, south, east, north)
    points = shapely.to_wkb(shapely.points(zones["lon"], zones["lat"]))
    write_geoparquet(destination / "communes.parquet", zones, points, bounds, ["Point"])
    codes = pd.DataFrame({"zone_code": coverage.codes.astype(str)})
    write_geoparquet(
        destination / "contours.parquet", codes, shapely.to_wkb(light), bounds, ["Polygon", "MultiPolygon"]
    )
    lines = outlines(coverage, zones)
    write_geoparquet(
        destination / "outlines.parquet",
        lines.drop(columns="geometry"),
        shapely.to_wkb(lines["geometry"].to_numpy()),
        bounds,
        ["LineString", "MultiLineString"],
    )
    code = pa.array(zones["zone_code"].to_list())
    columns = {
        "home_code": pa.DictionaryArray.from_arrays(pa.array(found.home), code),
        "work_code": pa.DictionaryArray.from_arrays(pa.array(found.work), code),
        "workers_tenths": pa.array(found.tenths),
        "path_thousandths": pa.array(found.path_thousandths),
    }
    write_table(
        destination / "flows.parquet",
        pa.table(columns),
        use_dictionary=["home_code", "work_code"],
        column_encoding={"workers_tenths": "DELTA_BINARY_PACKED", "path_thousandths": "DELTA_BINARY_PACKED"},
    )
    rest = pa.table(
        {
            "home_row": pa.array(found.rest.home.astype(np.int32)),
            **{
                name: pa.array(np.round(getattr(found.rest, name), decimals).astype(np.float32))
                for name, decimals in (("workers", 3), ("crow_km", 2), ("drive_min", 2))
            },
        }
    )
    write_table(
        destination / "remainders.parquet", rest, use_dictionary=[], column_encoding={"home_row": "DELTA_BINARY_PACKED"}
    )
    thousandths = np.round(close[2] * THOUSANDTHS).astype(np.int16)
    for name, columns in (
        ("neighbours.parquet", {"a_row": edges[0], "b_row": edges[1], "cost_km": edges[2]}),
        ("near.parquet", {"a_row": close[0], "b_row": close[1], "path_thousandths": thousandths}),
    ):
        whole = [column for column in columns if column != "cost_km"]
        table = pa.table({column: pa.array(values) for column, values in columns.items()})
        packed = dict.fromkeys(whole, "DELTA_BINARY_PACKED")
        write_table(destination / name, table, use_dictionary=[], column_encoding=packed)
    former = {**{k: v for k, v in vintage.current.items() if k != v}, **vintage.merged_back}
    write_table(
        destination / "former_codes.parquet",
        pa.table({"code_2021": sorted(former), "zone_code": [former[k] for k in sorted(former)]}),
    )
    return {
        "communes.parquet": len(zones),
        "contours.parquet": len(codes),
        "outlines.parquet": len(lines),
        "neighbours.parquet": len(edges[0]),
        "near.parquet": len(close[0]),
        "flows.parquet": len(found.home),
        "remainders.parquet": len(found.rest.home),
        "former_codes.parquet": len(former),
    }


def outlines(coverage: contours.Coverage, zones: pd.DataFrame) -> pd.DataFrame:
    """Lines between départements and the coast or frontier: kind (departement, region, outer), left, right."""
    by_code = zones.set_index("zone_code")
    light = shapely.coverage_simplify(coverage.polygons, LINE_SIMPLIFY_M)
    lines = contours.border_lines(light, by_code["departement"].reindex(coverage.codes).to_numpy(str))
    region = by_code.drop_duplicates("departement").set_index("departement")["region"].to_dict()
    same = [region[a] == region.get(b) for a, b in zip(lines["left"], lines["right"], strict=True)]
    lines["kind"] = np.where(lines["right"] == "", "outer", np.where(same, "departement", "region"))
    degrees = contours.to_degrees(lines["geometry"].to_numpy())
    lines["geometry"] = shapely.transform(degrees, lambda c: np.round(c, contours.DEGREE_DECIMALS))
    return lines[["kind", "left", "right", "geometry"]].sort_values(["left", "right"]).reset_index(drop=True)
