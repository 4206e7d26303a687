"""The contract of a `Territory`, checked: `check_territory` lists every problem at once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from coopconnect.territory.types import ACCESS_TABLE_MAX_MIN, CLIMATES, ZONE_COLUMNS, Territory

MARGIN_TOLERANCE = 0.5
"""Commuters by which the flows of a zone may differ from its workers (flows are stored in tenths)."""


def check_territory(territory: Territory) -> list[str]:
    """Problems of a territory against its contract, each in one line; an empty list when it is sound."""
    problems = _zone_problems(territory.zones)
    if problems:
        return problems
    return [*_shape_problems(territory), *_flow_problems(territory), *_access_problems(territory)]


def _zone_problems(zones: pd.DataFrame) -> list[str]:
    missing = [c for c in ZONE_COLUMNS if c not in zones.columns]
    if missing:
        return [f"zones: columns {', '.join(missing)} are missing"]
    if len(zones) == 0:
        return ["zones: no commune"]
    problems = [f"zones: {n} empty values in {c}" for c, n in zones[list(ZONE_COLUMNS)].isna().sum().items() if n]
    codes = zones["zone_code"].astype(str)
    if not codes.str.fullmatch(r"(\d{2}|2[AB])\d{3}").all():
        problems.append("zones: codes are not five characters with their leading zero")
    if codes.duplicated().any():
        problems.append(f"zones: codes occur twice: {sorted(codes[codes.duplicated()])[:3]}")
    counts = ("population", "households", "workers", "jobs")
    problems += [f"zones: {column} is negative somewhere" for column in counts if (zones[column] < 0).any()]
    if (zones["area_km2"] <= 0).any():
        problems.append("zones: an area is not positive")
    if not (zones["lon"].between(-6, 11).all() and zones["lat"].between(41, 52).all()):
        problems.append("zones: a point is out of metropolitan France")
    inside = zones["in_territory"].to_numpy(bool)
    if not inside.any() or (np.diff(inside.astype(int)) > 0).any():
        problems.append("zones: the communes of the territory do not come first")
    return problems


def _shape_problems(territory: Territory) -> list[str]:
    problems = []
    n, sites = len(territory.zones), len(territory.site_zone)
    inside = np.flatnonzero(territory.zones["in_territory"].to_numpy(bool))
    if not np.array_equal(territory.site_zone, inside):
        problems.append("site_zone: sites are not the communes of the territory, in order")
    if territory.hot_days.shape != (n, len(CLIMATES)):
        problems.append(f"hot_days: shape {territory.hot_days.shape}, expected {(n, len(CLIMATES))}")
    elif not np.isfinite(territory.hot_days).all() or (territory.hot_days < 0).any():
        problems.append("hot_days: empty or negative values")
    for name, start, count, tables in (
        (
            "flow",
            territory.flow_start,
            n,
            (territory.flow_work, territory.flow_workers, territory.flow_road_km, territory.flow_drive_min),
        ),
        (
            "access",
            territory.access_start,
            sites,
            (territory.access_zone, territory.access_road_km, territory.access_drive_min),
        ),
    ):
        if len(start) != count + 1 or start[0] != 0 or (np.diff(start) < 0).any():
            problems.append(f"{name}_start: {len(start)} bounds for {count} rows, or not increasing")
        if any(len(table) != start[-1] for table in tables):
            problems.append(f"{name}: columns have {[len(t) for t in tables]} rows, bounds say {start[-1]}")
        if not all(np.isfinite(table).all() for table in tables):
            problems.append(f"{name}: empty values")
    if not territory.provenance:
        problems.append("provenance: empty; every table says where it comes from")
    return problems


def _flow_problems(territory: Territory) -> list[str]:
    problems = []
    if (territory.flow_work < -1).any() or (territory.flow_work >= len(territory.places)).any():
        problems.append("flow_work: rows that are not in places")
    for name, values in (
        ("flow_workers", territory.flow_workers),
        ("flow_road_km", territory.flow_road_km),
        ("flow_drive_min", territory.flow_drive_min),
    ):
        if (values < 0).any():
            problems.append(f"{name}: negative values")
    zone = np.repeat(np.arange(len(territory.zones)), np.diff(territory.flow_start))
    sums = np.bincount(zone, territory.flow_workers, len(territory.zones))
    workers = territory.zones["workers"].to_numpy(float)
    gap = np.abs(sums - workers)
    if (gap > MARGIN_TOLERANCE + 1e-4 * workers).any():
        worst = territory.zones["zone_code"].iloc[int(gap.argmax())]
        problems.append(f"flows do not sum to workers: {gap.max():.1f} commuters in {worst}")
    return problems


def _access_problems(territory: Territory) -> list[str]:
    problems = []
    site = np.repeat(np.arange(len(territory.site_zone)), np.diff(territory.access_start))
    own = territory.access_zone == territory.site_zone[site]
    if np.bincount(site[own], minlength=len(territory.site_zone)).min(initial=1) < 1:
        problems.append("access: a site does not reach its own commune")
    if (territory.access_drive_min[~own] > ACCESS_TABLE_MAX_MIN).any():
        problems.append(f"access: pairs longer than {ACCESS_TABLE_MAX_MIN:.0f} min")
    falls = np.diff(territory.access_drive_min) < 0
    if (falls & (np.diff(site) == 0)).any():
        problems.append("access: zones are not sorted nearest first")
    reached = np.unique(territory.access_zone)
    halo = np.flatnonzero(~territory.zones["in_territory"].to_numpy(bool))
    if not np.isin(halo, reached).all():
        problems.append("zones: a neighbour is kept that no site reaches")
    return problems
