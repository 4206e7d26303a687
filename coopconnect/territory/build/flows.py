"""National commuting flows: balanced gravity, the pairs that are shipped and the remainders of both margins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coopconnect.territory import gravity, travel
from coopconnect.territory.paths import THOUSANDTHS, Paths

SHIPPED_FROM_WORKERS = 1.0
TENTHS = 10
ITERATIONS = 60
HOMES_PER_BLOCK = 2000
REST_BANDS_KM = (10.0, 20.0, 35.0, 60.0)
"""Crow-fly km where the lines of what is not shipped are cut."""
LEAST_REST_WORKERS = 1e-3
"""A line of fewer is left to the others of its home."""


@dataclass(frozen=True)
class Rest:
    """What is left out of the pairs, a line for each home and band of distance that has some, sorted.

    home: rows. workers: number, of which only the proportions within a home are read. crow_km, drive_min: means.
    """

    home: np.ndarray
    workers: np.ndarray
    crow_km: np.ndarray
    drive_min: np.ndarray


@dataclass(frozen=True)
class Flows:
    """Flows that are shipped, and what is left of each margin.

    home, work: (n_pairs,) rows of the table of communes, sorted by home then work. tenths: commuters in
    tenths, rounded down. home_rest, work_rest: (n,) workers and jobs not in a shipped pair. rest: how far those
    of the homes go. jobs: (n,) what the balanced flows bring to each commune. moved_share: share of the jobs that this moved (a region cannot fill more jobs than
    its residents and neighbours allow, so the columns are met to about a hundredth, the rows exactly). path_thousandths:
    (n_pairs,) R of each shipped pair (`territory.paths`).
    """

    home: np.ndarray
    work: np.ndarray
    tenths: np.ndarray
    home_rest: np.ndarray
    rest: Rest
    work_rest: np.ndarray
    jobs: np.ndarray
    moved_share: float
    path_thousandths: np.ndarray


def national_flows(
    zones: pd.DataFrame,
    xy_km: tuple[np.ndarray, np.ndarray],
    law: travel.TravelLaw,
    deterrence: gravity.Deterrence,
    paths: Paths,
) -> Flows:
    """Balance workers and jobs over all pairs within `travel.COMMUTE_LIMIT_KM` and keep what is worth shipping.

    zones: columns workers, jobs (same total), lon, lat, usual_path and those of `travel.settlement`.
    """
    workers, jobs = zones["workers"].to_numpy(float), zones["jobs"].to_numpy(float)
    area = zones["area_km2"].to_numpy(float)
    start, work = gravity.pairs_within(*xy_km, travel.COMMUTE_LIMIT_KM)
    ends = travel.Ends.of(travel.settlement(zones), law)
    lon, lat = np.radians(zones["lon"].to_numpy()), np.radians(zones["lat"].to_numpy())
    kernel = pair_kernel(zones, start, work, law, deterrence, paths)
    a, b, arrivals = gravity.balance(start, work, kernel, workers, jobs, ITERATIONS)
    moved = float(np.abs(arrivals - jobs).sum() / 2 / jobs.sum())
    arrivals = np.round(arrivals, 1)
    own_km = travel.own_crow_km(area, law)
    return _split(
        start,
        work,
        kernel,
        a,
        b,
        lon,
        lat,
        ends,
        paths,
        zones["usual_path"].to_numpy(),
        own_km,
        law,
        arrivals,
        workers,
        moved,
    )


def pair_kernel(
    zones: pd.DataFrame,
    start: np.ndarray,
    work: np.ndarray,
    law: travel.TravelLaw,
    deterrence: gravity.Deterrence,
    paths: Paths,
    rows: np.ndarray | None = None,
) -> np.ndarray:
    """Kernel of each pair in compressed rows (start, work), float32; a block of homes at a time.

    zones: columns workers, jobs, lon, lat, usual_path and those of `travel.settlement`. rows: where each zone stands in
    `paths`, where they are not all of its points.
    """
    rows = np.arange(len(zones)) if rows is None else rows
    usual = np.zeros(paths.start.size - 1)
    usual[rows] = zones["usual_path"].to_numpy()
    area = zones["area_km2"].to_numpy(float)
    own = deterrence.own_kernel(area, zones["workers"].to_numpy(float), zones["jobs"].to_numpy(float))
    density = travel.log_density(zones["population"].to_numpy(), area)
    ends = travel.Ends.of(travel.settlement(zones), law)
    lon, lat = zones["lon"].to_numpy(), zones["lat"].to_numpy()
    kernel = np.empty(len(work), dtype=np.float32)
    for first in range(0, len(zones), HOMES_PER_BLOCK):
        last = min(first + HOMES_PER_BLOCK, len(zones))
        part = slice(start[first], start[last])
        home = np.repeat(np.arange(first, last), np.diff(start[first : last + 1]))
        crow = travel.crow_km(lon[home], lat[home], lon[work[part]], lat[work[part]])
        path = paths.ratio(rows[home], rows[work[part]], crow, usual, law.path_most)
        minutes = ends.drive_min(crow, home, work[part], path, law)
        value = deterrence.kernel(minutes, density[home] + density[work[part]])
        kernel[part] = np.where(home == work[part], own[home], value)
    return kernel


def _split(
    start: np.ndarray,
    work: np.ndarray,
    kernel: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    lon: np.ndarray,
    lat: np.ndarray,
    ends: travel.Ends,
    paths: Paths,
    usual: np.ndarray,
    own_km: np.ndarray,
    law: travel.TravelLaw,
    jobs: np.ndarray,
    workers: np.ndarray,
    moved: float,
) -> Flows:
    """Cut the flows at `SHIPPED_FROM_WORKERS`; the rest keeps its number and, by band, its mean distance and time."""
    homes, works, tenths, paths_of = [], [], [], []
    bands = len(REST_BANDS_KM) + 1
    rest_workers, rest_km, rest_min = (np.zeros(len(a) * bands) for _ in range(3))
    own_path = ends.own_path(law)
    for first in range(0, len(a), HOMES_PER_BLOCK):
        part = slice(start[first], start[min(first + HOMES_PER_BLOCK, len(a))])
        i = np.repeat(
            np.arange(first, min(first + HOMES_PER_BLOCK, len(a))), np.diff(start[first : first + HOMES_PER_BLOCK + 1])
        )
        j = work[part]
        crow = travel.crow_km(*(np.degrees(v) for v in (lon[i], lat[i], lon[j], lat[j])))
        own = i == j
        path = paths.ratio(i, j, crow, usual, law.path_most)
        path[own], crow[own] = own_path[i[own]], own_km[i[own]]
        flow = a[i] * kernel[part] * b[j]
        shipped = flow >= SHIPPED_FROM_WORKERS
        homes.append(i[shipped].astype(np.int32))
        works.append(j[shipped])
        tenths.append(np.floor(flow[shipped] * TENTHS + 1e-6).astype(np.int32))
        paths_of.append(np.round(path[shipped] * THOUSANDTHS).astype(np.int16))
        left = np.where(shipped, flow - np.floor(flow * TENTHS) / TENTHS, flow)
        minutes = ends.drive_min(crow, i, j, path, law)
        line = i * bands + np.searchsorted(REST_BANDS_KM, crow, side="right")
        for total, value in ((rest_workers, left), (rest_km, left * crow), (rest_min, left * minutes)):
            total += np.bincount(line, value, total.size)
    home, column = np.concatenate(homes), np.concatenate(works)
    amount = np.concatenate(tenths)
    home_rest = workers - np.bincount(home, amount / TENTHS, len(a))
    work_rest = jobs - np.bincount(column, amount / TENTHS, len(a))
    some = np.flatnonzero(rest_workers > LEAST_REST_WORKERS)
    return Flows(
        home,
        column,
        amount,
        np.maximum(home_rest, 0.0),
        Rest(
            some // bands, rest_workers[some], rest_km[some] / rest_workers[some], rest_min[some] / rest_workers[some]
        ),
        np.maximum(work_rest, 0.0),
        jobs,
        moved,
        np.concatenate(paths_of),
    )
