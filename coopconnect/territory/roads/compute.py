"""From an OpenStreetMap extract to the travel table: read, build, snap, route in parallel, resume."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from coopconnect.territory.official.contract import Label
from coopconnect.territory.roads.graph import build_graph
from coopconnect.territory.roads.osm import read_roads
from coopconnect.territory.roads.profile import CarProfile
from coopconnect.territory.roads.result import RoadsResult, check_points, result_of
from coopconnect.territory.roads.route import Network, join, matrix_of, one_origin
from coopconnect.territory.roads.snap import Snapped, snap
from coopconnect.territory.roads.store import (
    ProgressCallback,
    ProgressClock,
    RoadsError,
    read_checked,
    run_folder,
    sha256_of,
    write_checked,
)

ORIGINS_PER_CHUNK = 16
VERSION = "2"


def compute_roads(
    pbf: Path,
    communes: pd.DataFrame,
    *,
    rows: np.ndarray | None = None,
    profile: CarProfile,
    limit_min: float = 60.0,
    work_dir: Path,
    processes: int = 1,
    progress: ProgressCallback | None = None,
    resume: bool = True,
) -> RoadsResult:
    """Minutes and km by car in free flow, one way, between the points of `communes` (zone_code, lon, lat).

    rows: rows of `communes` to route between (territory and halo); all if not given. Pairs beyond `limit_min` are
    left out. Same table, to the bit, with any number of processes and after a resume. Raises RoadsError.
    """
    zones = communes.iloc[np.arange(len(communes)) if rows is None else np.asarray(rows)].reset_index(drop=True)
    check_points(zones, limit_min)
    if processes < 1:
        raise ValueError(f"processes is {processes}: it must be above 0")
    if not pbf.is_file():
        raise RoadsError(f"{pbf} : fichier introuvable.", f"{pbf}: no such file.")
    digest = sha256_of(pbf)
    points = zones[["zone_code", "lon", "lat"]].to_csv(index=False)
    key = "|".join((VERSION, digest, profile.key(), repr(limit_min), points))
    folder = run_folder(work_dir, key, resume)
    meta = _prepare(pbf, zones, folder, profile, progress)
    on = np.flatnonzero(meta["state"] >= 0)
    if not len(on):
        raise RoadsError(
            f"{pbf.name} : aucune commune à moins de {profile.snap_max_km:g} km d'une route ; l'extrait couvre-t-il le territoire ?",
            f"{pbf.name}: no commune within {profile.snap_max_km:g} km of a road; does the extract cover the territory?",
        )
    chunks = _route(folder, len(on), limit_min, processes, progress)
    off_km = meta["off_km"][on]
    trips = _with_ends(chunks, off_km, profile.off_road_kmh, limit_min)
    return result_of(zones, on, trips, _label(pbf, digest, str(meta["date"])))


def _prepare(
    pbf: Path,
    zones: pd.DataFrame,
    folder: Path,
    profile: CarProfile,
    progress: ProgressCallback | None,
) -> dict[str, np.ndarray]:
    """Graph and places of the points, built once and kept in `folder`; meta.bin is written last."""
    meta = read_checked(folder / "meta.bin")
    if meta is not None:
        return meta
    clock = ProgressClock(progress, "read", 1)
    roads = read_roads(pbf, profile)
    clock.step(1)
    clock = ProgressClock(progress, "graph", 1)
    graph = build_graph(roads, profile)
    at = snap(graph, zones["lon"].to_numpy(float), zones["lat"].to_numpy(float), profile.snap_max_km)
    on = at.state >= 0
    join(graph, Snapped(at.state[on], at.share[on], at.off_km[on])).save(folder)
    meta = {"state": at.state, "off_km": at.off_km, "date": np.array(roads.date)}
    write_checked(folder / "meta.bin", meta)
    clock.step(1)
    return meta


def _route(
    folder: Path, points: int, limit_min: float, processes: int, progress: ProgressCallback | None
) -> list[dict[str, np.ndarray]]:
    """All chunks of origins, those on disk as they are."""
    firsts = range(0, points, ORIGINS_PER_CHUNK)
    chunks = {first: read_checked(_chunk(folder, first)) for first in firsts}
    todo = [first for first, chunk in chunks.items() if chunk is None]
    size = {first: min(ORIGINS_PER_CHUNK, points - first) for first in firsts}
    clock = ProgressClock(progress, "routes", points, sum(size[f] for f in firsts if chunks[f] is not None))
    for first in _compute(folder, todo, points, limit_min, processes):
        chunks[first] = read_checked(_chunk(folder, first))
        clock.step(size[first])
    return [chunk for first in firsts if (chunk := chunks[first]) is not None]


def _compute(folder: Path, todo: list[int], points: int, limit_min: float, processes: int) -> Iterator[int]:
    """Compute chunks, in this process or in several; yields each as it is on disk."""
    if processes == 1 or len(todo) < 2:
        network = Network.load(folder) if todo else None
        for first in todo:
            yield _one_chunk(folder, first, points, limit_min, network)
        return
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            jobs = [pool.submit(_one_chunk, folder, first, points, limit_min) for first in todo]
            for job in as_completed(jobs):
                yield job.result()
    except BrokenProcessPool as error:
        raise RoadsError(
            "Un processus a été arrêté, souvent faute de mémoire. Relancez avec moins de processus : ce qui est fait est gardé.",
            "A process was stopped, often for lack of memory. Run again with fewer processes: what is done is kept.",
        ) from error


def _chunk(folder: Path, first: int) -> Path:
    return folder / f"origins-{first:06d}.bin"


def _one_chunk(folder: Path, first: int, points: int, limit_min: float, network: Network | None = None) -> int:
    network = network or Network.load(folder)
    matrix = matrix_of(network)
    parts = []
    for origin in range(first, min(first + ORIGINS_PER_CHUNK, points)):
        found, minutes, km = one_origin(network, matrix, origin, limit_min)
        parts.append((np.full(len(found), origin, np.int32), found.astype(np.int32), minutes, km))
    origin_, target, minutes, km = (np.concatenate(column) for column in zip(*parts, strict=True))
    arrays = {"origin": origin_, "target": target, "drive_min": minutes, "road_km": km}
    write_checked(_chunk(folder, first), arrays)
    return first


def _with_ends(
    chunks: list[dict[str, np.ndarray]], off_km: np.ndarray, off_road_kmh: float, limit_min: float
) -> dict[str, np.ndarray]:
    """All trips with the way between each point and its road, those beyond the limit left out."""
    whole = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
    more_km = off_km[whole["origin"]] + off_km[whole["target"]]
    whole["road_km"] = whole["road_km"] + more_km
    whole["drive_min"] = whole["drive_min"] + 60.0 * more_km / off_road_kmh
    keep = whole["drive_min"] <= limit_min
    return {name: values[keep] for name, values in whole.items()}


def _label(pbf: Path, digest: str, day: str) -> Label:
    return Label(
        table="travel",
        kind="own",
        source=f"Routes OpenStreetMap, calculées ici depuis {pbf.name}",
        source_en=f"OpenStreetMap roads, computed here from {pbf.name}",
        year=day[:4],
        licence="ODbL, (c) contributeurs OpenStreetMap",
        licence_en="ODbL, (c) OpenStreetMap contributors",
        url="https://www.openstreetmap.org/copyright",
        loaded_on=date.today().isoformat(),
        file_name=pbf.name,
        file_sha256=digest,
        rows=0,
        placed=0.0,
        unplaced=0.0,
    )
