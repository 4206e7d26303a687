"""From a routing server to the travel table: blocks of points near each other, asked one by one, resumable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from coopconnect.territory.official.contract import Label
from coopconnect.territory.roads.result import RoadsResult, check_points, result_of
from coopconnect.territory.roads.server import (
    NoRoadError,
    Patience,
    Server,
    TooLargeError,
    block_of_trips,
    find_server,
    off_road_km,
)
from coopconnect.territory.roads.store import (
    ProgressCallback,
    ProgressClock,
    RoadsError,
    read_checked,
    run_folder,
    write_checked,
)
from coopconnect.territory.travel import crow_km

TABLE_SIZE = 100
"""Points in one question: OSRM takes 100 by default, Valhalla 2,500 pairs, which is 50 and 50."""
COLUMNS = ("origin", "target", "drive_min", "road_km")
VERSION = "1"


@dataclass(frozen=True)
class _Run:
    """What one run asks: points in degrees, blocks of them, and for each block those near enough to be asked."""

    server: Server
    lon: np.ndarray
    lat: np.ndarray
    blocks: list[np.ndarray]
    near: list[np.ndarray]
    folder: Path


def compute_router(
    url: str,
    communes: pd.DataFrame,
    *,
    rows: np.ndarray | None = None,
    limit_min: float = 60.0,
    fastest_kmh: float,
    snap_max_km: float,
    table_size: int = TABLE_SIZE,
    work_dir: Path,
    proxy: str | None = None,
    patience: Patience | None = None,
    progress: ProgressCallback | None = None,
    resume: bool = True,
) -> RoadsResult:
    """Minutes and km by car, one way, between the points of `communes`, from an OSRM or Valhalla server.

    rows: rows of `communes` to ask for (all if not given). Pairs that `fastest_kmh` in a straight line does not join
    within `limit_min` are not asked. snap_max_km: a point that the server puts further is not on its map. table_size:
    points in one question; halved while the server finds it too large. What has arrived is kept in `work_dir` and a
    run that was stopped goes on. Raises RoadsError.
    """
    zones = communes.iloc[np.arange(len(communes)) if rows is None else np.asarray(rows)].reset_index(drop=True)
    check_points(zones, limit_min)
    if table_size < 2 or not len(zones):
        raise ValueError(f"table_size is {table_size} for {len(zones)} communes: 2 or more, for one or more")
    lon, lat = zones["lon"].to_numpy(float), zones["lat"].to_numpy(float)
    server = find_server(url, lon[0], lat[0], proxy, patience)
    reach_km = limit_min / 60.0 * fastest_kmh
    half = table_size // 2
    while True:
        points = zones[["zone_code", "lon", "lat"]].to_csv(index=False)
        key = "|".join(
            (VERSION, server.url, server.kind, server.data, repr(reach_km), repr(snap_max_km), str(half), points)
        )
        try:
            run, on = _prepare(server, lon, lat, half, reach_km, snap_max_km, run_folder(work_dir, key, resume))
            trips = _trips(run, limit_min, progress)
        except TooLargeError:
            if half == 1:
                raise _too_small(server) from None
            half //= 2
            continue
        return result_of(zones, on, trips, _label(server))


def _prepare(
    server: Server, lon: np.ndarray, lat: np.ndarray, half: int, reach_km: float, snap_max_km: float, folder: Path
) -> tuple[_Run, np.ndarray]:
    """The points that are on the server's roads, in blocks, and which blocks are near each other."""
    meta = read_checked(folder / "meta.bin")
    if meta is None:
        parts = np.array_split(np.arange(len(lon)), -(-len(lon) // half))
        meta = {"off_km": np.concatenate([off_road_km(server, lon[part], lat[part]) for part in parts])}
        write_checked(folder / "meta.bin", meta)
    on = np.flatnonzero(meta["off_km"] <= snap_max_km)
    if not len(on):
        raise RoadsError(
            f"{server.shown_url} : aucune commune à moins de {snap_max_km:g} km d'une route ; ses cartes couvrent-elles le territoire ?",
            f"{server.shown_url}: no commune within {snap_max_km:g} km of a road; do its maps cover the territory?",
        )
    blocks = blocks_of(lon[on], lat[on], half)
    near = _near(lon[on], lat[on], blocks, reach_km)
    return _Run(server, lon[on], lat[on], blocks, near, folder), on


def blocks_of(lon: np.ndarray, lat: np.ndarray, size: int) -> list[np.ndarray]:
    """Points cut into compact blocks of at most `size`, by halves along the longer side; the same for the same points."""
    wide = np.column_stack([lon * np.cos(np.radians(lat.mean())), lat])
    todo, done = [np.arange(len(lon))], []
    while todo:
        part = todo.pop()
        if len(part) <= size:
            done.append(np.sort(part))
            continue
        side = int(np.argmax(np.ptp(wide[part], axis=0)))
        order = part[np.argsort(wide[part, side], kind="stable")]
        todo += [order[len(order) // 2 :], order[: len(order) // 2]]
    return done


def _near(lon: np.ndarray, lat: np.ndarray, blocks: list[np.ndarray], reach_km: float) -> list[np.ndarray]:
    """For each block, the blocks of which a point may be within `reach_km` of one of its points (circles round both)."""
    middle = np.array([(lon[block].mean(), lat[block].mean()) for block in blocks])
    radius = np.array([crow_km(lon[b], lat[b], *at).max() for b, at in zip(blocks, middle, strict=True)])
    apart = crow_km(middle[:, None, 0], middle[:, None, 1], middle[None, :, 0], middle[None, :, 1])
    return [np.flatnonzero(row <= reach_km) for row in apart - radius[:, None] - radius[None]]


def _trips(run: _Run, limit_min: float, progress: ProgressCallback | None) -> dict[str, np.ndarray]:
    """All trips within the limit; rows of blocks that are on disk are not asked again."""
    files = [run.folder / f"block-{k:06d}.bin" for k in range(len(run.blocks))]
    kept = [read_checked(file) for file in files]
    resumed = sum(len(near) for near, chunk in zip(run.near, kept, strict=True) if chunk is not None)
    clock = ProgressClock(progress, "router", sum(map(len, run.near)), resumed)
    chunks = []
    for k, chunk in enumerate(kept):
        if chunk is None:
            chunk = _row_of_blocks(run, k, clock)
            write_checked(files[k], chunk)
        chunks.append(chunk)
    whole = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in COLUMNS}
    keep = whole["drive_min"] <= limit_min
    order = np.lexsort((whole["target"][keep], whole["origin"][keep]))
    return {name: values[keep][order] for name, values in whole.items()}


def _row_of_blocks(run: _Run, k: int, clock: ProgressClock) -> dict[str, np.ndarray]:
    """Trips from one block to all blocks near it."""
    parts = []
    for other in run.near[k]:
        origin, target = run.blocks[k], run.blocks[other]
        minutes, km = _asked(run, origin, target)
        row, column = np.nonzero(np.isfinite(minutes) & (origin[:, None] != target[None]))
        parts.append((origin[row], target[column], minutes[row, column], km[row, column]))
        clock.step(1)
    return {name: np.concatenate(column) for name, column in zip(COLUMNS, zip(*parts, strict=True), strict=True)}


def _asked(run: _Run, origin: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minutes and km of a block; one that is refused for a point without a road is cut until that point is alone."""
    lon, lat = run.lon, run.lat
    try:
        return block_of_trips(run.server, (lon[origin], lat[origin]), (lon[target], lat[target]))
    except NoRoadError:
        if len(origin) == len(target) == 1:
            return np.full((1, 1), np.nan), np.full((1, 1), np.nan)
    along = 0 if len(origin) >= len(target) else 1
    halves = np.array_split(origin if along == 0 else target, 2)
    found = [_asked(run, half, target) if along == 0 else _asked(run, origin, half) for half in halves]
    return np.concatenate([f[0] for f in found], axis=along), np.concatenate([f[1] for f in found], axis=along)


def _too_small(server: Server) -> RoadsError:
    return RoadsError(
        f"{server.shown_url} : le serveur {server.name} refuse même deux points à la fois ; augmentez sa limite (max-table-size).",
        f"{server.shown_url}: the {server.name} server refuses even two points at a time; raise its limit (max-table-size).",
    )


def _label(server: Server) -> Label:
    year = server.data[:4] if server.data[:4].isdigit() else ""
    return Label(
        table="travel",
        kind="own",
        source=f"Serveur de trajets {server.name}, {server.shown_url}",
        source_en=f"{server.name} routing server, {server.shown_url}",
        year=year,
        licence="celle des cartes du serveur (OpenStreetMap : ODbL)",
        licence_en="that of the server's maps (OpenStreetMap: ODbL)",
        url=server.shown_url,
        loaded_on=date.today().isoformat(),
        file_name="",
        file_sha256="",
        rows=0,
        placed=0.0,
        unplaced=0.0,
    )
