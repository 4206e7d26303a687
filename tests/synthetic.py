"""Small made-up territories for the tests of the model: seeded, consistent, quick."""

from __future__ import annotations

import numpy as np
import pandas as pd

from coopconnect.territory.types import ACCESS_TABLE_MAX_MIN, Provenance, Territory


def synthetic_territory(
    n_zones: int = 30, seed: int = 7, side_km: float = 60.0, flows_per_zone: int = 8, halo: int = 0
) -> Territory:
    """A square country of `n_zones` communes with gravity-like flows; the last `halo` zones are neighbours."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0.0, side_km, (n_zones, 2))
    population = np.round(rng.lognormal(6.5, 1.0, n_zones) + 50.0)
    inside = np.arange(n_zones) < n_zones - halo
    zones = pd.DataFrame(
        {
            "zone_code": [f"{10000 + k:05d}" for k in range(n_zones)],
            "name": [f"Commune {k}" for k in range(n_zones)],
            "departement": "10",
            "epci_code": "200000000",
            "epci_name": "CC d'essai",
            "population": population,
            "households": np.round(population * 0.46),
            "workers": np.round(population * 0.41),
            "jobs": np.round(population * 0.38),
            "rural": population < np.quantile(population, 0.8),
            "area_km2": rng.uniform(5.0, 40.0, n_zones),
            "lon": 5.0 + xy[:, 0] / 80.0,
            "lat": 44.0 + xy[:, 1] / 111.0,
            "in_territory": inside,
        }
    )
    crow = np.hypot(*(xy[:, None, :] - xy[None, :, :]).transpose(2, 0, 1)) + np.diag(rng.uniform(0.8, 2.5, n_zones))
    road = 1.36 * crow
    minutes = 2.0 + road / (0.5 + 0.01 * road)
    minutes = np.where(np.eye(n_zones, dtype=bool), 3.0, minutes)
    flows = _flows(rng, zones, road, minutes, flows_per_zone)
    access = _access(np.flatnonzero(inside), road, minutes)
    return Territory(
        code="test", name="Territoire d'essai", zones=zones,
        site_zone=np.flatnonzero(inside).astype(np.int32), **flows, **access,
        hot_days=np.outer(rng.uniform(0.5, 8.0, n_zones), [1.0, 2.0, 3.0, 6.0]).astype(np.float32),
        places=zones[["zone_code", "name", "lon", "lat"]].copy(),
        provenance=(Provenance("flows", "modelled", "test", "2021"), Provenance("zones", "official", "test", "2021")),
    )  # fmt: skip


def _flows(
    rng: np.random.Generator, zones: pd.DataFrame, road: np.ndarray, minutes: np.ndarray, per_zone: int
) -> dict[str, np.ndarray]:
    n = len(zones)
    pull = zones["jobs"].to_numpy() * np.exp(-0.06 * minutes) * rng.lognormal(0.0, 0.4, (n, n))
    work = np.argsort(-pull, axis=1)[:, :per_zone]
    rows = np.arange(n)[:, None]
    chosen = pull[rows, work]
    workers = zones["workers"].to_numpy()[:, None] * chosen / chosen.sum(axis=1, keepdims=True)
    return {
        "flow_start": np.arange(0, n * per_zone + 1, per_zone, dtype=np.int64),
        "flow_work": work.ravel().astype(np.int32),
        "flow_workers": workers.ravel().astype(np.float32),
        "flow_road_km": road[rows, work].ravel().astype(np.float32),
        "flow_drive_min": minutes[rows, work].ravel().astype(np.float32),
    }


def _access(sites: np.ndarray, road: np.ndarray, minutes: np.ndarray) -> dict[str, np.ndarray]:
    start, zone = [0], []
    for s in sites:
        near = np.flatnonzero(minutes[s] <= ACCESS_TABLE_MAX_MIN)
        near = near[np.argsort(minutes[s, near], kind="stable")]
        zone.append(near)
        start.append(start[-1] + near.size)
    site = np.repeat(sites, np.diff(start))
    z = np.concatenate(zone).astype(np.int32)
    return {
        "access_start": np.asarray(start, dtype=np.int64),
        "access_zone": z,
        "access_road_km": road[site, z].astype(np.float32),
        "access_drive_min": minutes[site, z].astype(np.float32),
    }
