"""National commuting flows: balanced gravity, the pairs that are shipped and the remainders of both margins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coopconnect.territory import gravity, travel

LIMIT_KM = 100.0
"""Pairs of communes farther apart than this, as the crow flies, exchange nobody in the model."""
SHIPPED_FROM_WORKERS = 1.0
TENTHS = 10
ITERATIONS = 60
HOMES_PER_BLOCK = 2000


@dataclass(frozen=True)
class Flows:
    """Flows that are shipped, and what is left of each margin.

    home, work: (n_pairs,) rows of the table of communes, sorted by home then work. tenths: commuters in
    tenths, rounded down. home_rest, work_rest: (n,) workers and jobs not in a shipped pair. home_rest_km,
    home_rest_min: (n,) mean crow-fly km and minutes of the pairs left out. jobs: (n,) what the balanced flows
    bring to each commune. moved_share: share of the jobs that this moved (a region cannot fill more jobs than
    its residents and neighbours allow, so the columns are met to about a hundredth, the rows exactly).
    """

    home: np.ndarray
    work: np.ndarray
    tenths: np.ndarray
    home_rest: np.ndarray
    home_rest_km: np.ndarray
    home_rest_min: np.ndarray
    work_rest: np.ndarray
    jobs: np.ndarray
    moved_share: float


def national_flows(
    zones: pd.DataFrame,
    xy_km: tuple[np.ndarray, np.ndarray],
    law: travel.TravelLaw,
    deterrence: gravity.Deterrence,
) -> Flows:
    """Balance workers and jobs over all pairs within `LIMIT_KM` and keep what is worth shipping.

    zones: columns workers, jobs (same total), lon, lat and those of `travel.settlement`.
    """
    workers, jobs = zones["workers"].to_numpy(float), zones["jobs"].to_numpy(float)
    area = zones["area_km2"].to_numpy(float)
    start, work = gravity.pairs_within(*xy_km, LIMIT_KM)
    ends = travel.Ends.of(travel.settlement(zones), law)
    lon, lat = np.radians(zones["lon"].to_numpy()), np.radians(zones["lat"].to_numpy())
    kernel = pair_kernel(zones, start, work, law, deterrence)
    a, b, arrivals = gravity.balance(start, work, kernel, workers, jobs, ITERATIONS)
    moved = float(np.abs(arrivals - jobs).sum() / 2 / jobs.sum())
    arrivals = np.round(arrivals, 1)
    own_km = travel.own_crow_km(area, law)
    return _split(start, work, kernel, a, b, lon, lat, ends, own_km, law, arrivals, workers, moved)


def pair_kernel(
    zones: pd.DataFrame,
    start: np.ndarray,
    work: np.ndarray,
    law: travel.TravelLaw,
    deterrence: gravity.Deterrence,
) -> np.ndarray:
    """Kernel of each pair in compressed rows (start, work), float32; a block of homes at a time.

    zones: columns workers, jobs, lon, lat and those of `travel.settlement`.
    """
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
        minutes = ends.drive_min(crow, home, work[part], law)
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
    own_km: np.ndarray,
    law: travel.TravelLaw,
    jobs: np.ndarray,
    workers: np.ndarray,
    moved: float,
) -> Flows:
    """Cut the flows at `SHIPPED_FROM_WORKERS`; the rest keeps its number and its mean distance and time."""
    homes, works, tenths = [], [], []
    rest_km, rest_min = np.zeros(len(a)), np.zeros(len(a))
    for i in range(len(a)):
        part = slice(start[i], start[i + 1])
        j = work[part]
        flow = a[i] * kernel[part] * b[j]
        shipped = flow >= SHIPPED_FROM_WORKERS
        homes.append(np.full(int(shipped.sum()), i, dtype=np.int32))
        works.append(j[shipped])
        tenths.append(np.floor(flow[shipped] * TENTHS + 1e-6).astype(np.int32))
        left = np.where(shipped, flow - np.floor(flow * TENTHS) / TENTHS, flow)
        if left.sum() > 0:
            crow = travel.crow_km(*(np.degrees(v) for v in (lon[i], lat[i], lon[j], lat[j])))
            crow[j == i] = own_km[i]
            minutes = ends.drive_min(crow, np.full(len(j), i), j, law)
            rest_km[i] = (left * crow).sum() / left.sum()
            rest_min[i] = (left * minutes).sum() / left.sum()
    home, column = np.concatenate(homes), np.concatenate(works)
    amount = np.concatenate(tenths)
    home_rest = workers - np.bincount(home, amount / TENTHS, len(a))
    work_rest = jobs - np.bincount(column, amount / TENTHS, len(a))
    return Flows(
        home, column, amount, np.maximum(home_rest, 0.0), rest_km, rest_min, np.maximum(work_rest, 0.0), jobs, moved
    )
