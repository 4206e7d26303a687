"""Checks of a build: every problem is found before anything is written, and all are reported together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from coopconnect.territory.build.communes import PARTS_OF_A_CITY, TOWN_HALL_TOLERANCE_M, Vintage
from coopconnect.territory.build.contours import holes_of, to_lambert
from coopconnect.territory.build.flows import Flows
from coopconnect.territory.build.inputs import BuildError, Sources

FOREIGN_HOLES = 1
"""Llívia, in Spain, is the only hole in France."""
SIMPLIFIED_TOLERANCE_M = 500.0
"""The contours that are shipped are simplified, so a point may leave them by this much more."""


@dataclass(frozen=True)
class Published:
    """Published totals (INSEE RP 2021) that a build must find again, by name of the place."""

    communes: Mapping[str, int]
    population: Mapping[str, int]
    households: Mapping[str, int]
    metropolitan_communes: tuple[int, int]


PUBLISHED = Published(
    communes={"93": 946},
    population={"93": 5_127_861},
    households={"93": 2_383_124},
    metropolitan_communes=(34_600, 34_900),
)


def check_zones(
    sources: Sources, zones: pd.DataFrame, light: np.ndarray, vintage: Vintage, published: Published = PUBLISHED
) -> None:
    """Raise BuildError with every problem of the communes and their contours.

    zones: table of communes in the order of `light`, their simplified contours in degrees.
    """
    problems = [
        *code_problems(zones),
        *null_problems(zones),
        *total_problems(sources, zones, published),
        *contour_problems(zones, light),
        *point_problems(zones, light),
        *(f"commune {code}: no place found for it among the codes of today" for code in vintage.unplaced),
    ]
    if problems:
        raise BuildError("the build stops, nothing is written:\n  " + "\n  ".join(problems))


def code_problems(zones: pd.DataFrame) -> list[str]:
    """Codes are strings of five characters with leading zeros, unique, and count Paris, Lyon, Marseille once."""
    codes = zones["zone_code"].astype(str)
    bad = [c for c in codes if not re.fullmatch(r"(\d{2}|2[AB])\d{3}", c)]
    problems = []
    if bad:
        problems.append(f"{len(bad)} commune codes are not five characters with a leading zero: {bad[:5]}")
    if codes.duplicated().any():
        problems.append(f"commune codes occur twice: {sorted(codes[codes.duplicated()])[:5]}")
    for prefix, city in PARTS_OF_A_CITY.items():
        parts = [c for c in codes if c.startswith(prefix) and c != city and _is_district(c)]
        if parts:
            problems.append(f"districts of {city} are counted beside it: {parts[:5]}")
    wrong = zones[[str(d) != c[:2] for c, d in zip(codes, zones["departement"], strict=True)]]
    if len(wrong):
        problems.append(f"département does not match the code: {wrong['zone_code'].tolist()[:5]}")
    return problems


def _is_district(code: str) -> bool:
    number = int(code[2:])
    return {"75": 101 <= number <= 120, "69": 381 <= number <= 389, "13": 201 <= number <= 216}.get(code[:2], False)


def null_problems(zones: pd.DataFrame) -> list[str]:
    """Nothing is null; counts are not negative; no area is zero."""
    problems = [f"column {c}: {int(n)} empty values" for c, n in zones.isna().sum().items() if n]
    counts = ["population", "pop_20_64", "households", "second_homes", "dwellings"]
    problems += [f"column {c}: negative values" for c in counts if (zones[c] < 0).any()]
    if (zones["area_km2"] <= 0).any():
        problems.append(f"no area: {zones.loc[zones['area_km2'] <= 0, 'zone_code'].tolist()[:5]}")
    more = zones["households"] > zones["dwellings"]
    if more.any():
        problems.append(f"more main residences than dwellings: {zones.loc[more, 'zone_code'].tolist()[:5]}")
    return problems


def total_problems(sources: Sources, zones: pd.DataFrame, published: Published) -> list[str]:
    """Nobody is lost between the census and the communes; published totals are met to the unit."""
    problems = []
    for census, column in (("pop", "population"), ("res_principales", "households")):
        before, after = int(sources.iris[census].sum()), int(zones[column].sum())
        if before != after:
            problems.append(f"{column}: {after:,} in the communes, {before:,} in the census file")
    low, high = published.metropolitan_communes
    if not low <= len(zones) <= high:
        problems.append(f"{len(zones)} communes; metropolitan France has between {low} and {high}")
    for name, expected in (
        ("communes", published.communes),
        ("population", published.population),
        ("households", published.households),
    ):
        for region, total in expected.items():
            inside = zones[zones["region"] == region]
            found = len(inside) if name == "communes" else int(inside[name].sum())
            if found != total:
                problems.append(f"region {region}: {found:,} {name}, published {total:,}")
    return problems


def contour_problems(zones: pd.DataFrame, light: np.ndarray) -> list[str]:
    """Contours exist, are valid, share their borders without gap or overlap, and leave foreign holes only."""
    problems = []
    empty = shapely.is_missing(light) | shapely.is_empty(light)
    if empty.any():
        problems.append(f"no contour: {zones['zone_code'][empty].tolist()[:5]}")
        return problems
    invalid = ~shapely.is_valid(light)
    if invalid.any():
        problems.append(f"invalid contour: {zones['zone_code'][invalid].tolist()[:5]}")
    if not shapely.coverage_is_valid(light):
        edges = shapely.coverage_invalid_edges(light)
        where = zones["zone_code"][~shapely.is_empty(edges)].tolist()
        problems.append(f"borders are not shared: {where[:5]}")
    elif (holes := len(holes_of(light))) > FOREIGN_HOLES:
        problems.append(f"{holes} holes in the country, {FOREIGN_HOLES} expected (Llívia)")
    return problems


def point_problems(zones: pd.DataFrame, light: np.ndarray) -> list[str]:
    """Each commune's point lies in its contour, within the tolerance."""
    point = to_lambert(shapely.points(zones["lon"], zones["lat"]))
    distance = shapely.distance(point, to_lambert(light))
    far = ~(distance <= TOWN_HALL_TOLERANCE_M + SIMPLIFIED_TOLERANCE_M)
    if not far.any():
        return []
    worst = zones.loc[far, "zone_code"].tolist()[:5]
    return [f"{int(far.sum())} points are out of their commune by more than 1 km: {worst}"]


def check_models(zones: pd.DataFrame, found: Flows) -> None:
    """Raise BuildError when what is modelled is not finite, or a margin of the flows does not hold."""
    problems = []
    n = len(zones)
    for column in ("workers", "jobs", "density_class", "home_rest_workers", "work_rest_workers"):
        values = zones[column].to_numpy(float)
        if not np.isfinite(values).all() or (values < 0).any():
            problems.append(f"column {column}: empty or negative values")
    if (zones["workers"] > zones["pop_20_64"]).any():
        problems.append("more employed residents than inhabitants aged 20-64")
    homes = np.bincount(found.home, found.tenths / 10, n) + zones["home_rest_workers"].to_numpy(float)
    works = np.bincount(found.work, found.tenths / 10, n) + zones["work_rest_workers"].to_numpy(float)
    for label, sums, margin in (("workers", homes, zones["workers"]), ("jobs", works, zones["jobs"])):
        gap = np.abs(sums - margin.to_numpy(float))
        if (gap > 0.11).any():
            worst = zones["zone_code"].to_numpy()[np.argsort(-gap)[:5]].tolist()
            problems.append(f"flows do not sum to {label}: gap up to {gap.max():.1f} in {worst}")
    if problems:
        raise BuildError("the build stops, nothing is written:\n  " + "\n  ".join(problems))
