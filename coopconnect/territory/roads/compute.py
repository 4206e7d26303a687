"""From an OpenStreetMap extract to the travel table: read, build, snap, route in parallel, resume."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from coopconnect.territory.official.contract import Label
from coopconnect.territory.roads.graph import build_graph
from coopconnect.territory.roads.osm import read_roads
from coopconnect.territory.roads.profile import CarProfile
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
VERSION = "1"


@dataclass(frozen=True)
class RoadsResult:
    """table: the contract's 'travel'. label: its source. unsnapped: zone_code, lon, lat of the points too far from a
    road. isolated: codes of points on a road that no other point reaches nor is reached from within the limit.
    pairs_asked, pairs_routed: ordered pairs between two communes; those missing are beyond the limit, cut off or not
    on a road, and are not invented."""

    table: pd.DataFrame
    label: Label
    unsnapped: pd.DataFrame
    isolated: tuple[str, ...]
    pairs_asked: int
    pairs_routed: int


def compute_roads(
    pbf: Path,
    communes: pd.DataFrame,
    *,
    rows: np.ndarray | None = None,
    limit_min: float = 60.0,
    max_snap_km: float = 2.0,
    work_dir: Path,
    processes: int = 1,
    progress: ProgressCallback | None = None,
    resume: bool = True,
    profile: CarProfile | None = None,
) -> RoadsResult:
    """Minutes and km by car in free flow, one way, between the points of `communes` (zone_code, lon, lat).

    rows: rows of `communes` to route between (territory and halo); all if not given. Pairs beyond `limit_min` are
    left out. Same table, to the bit, with any number of processes and after a resume. Raises RoadsError.
    """
    profile = profile or CarProfile()
    zones = communes.iloc[np.arange(len(communes)) if rows is None else np.asarray(rows)].reset_index(drop=True)
    _check(zones, limit_min, processes)
    if not pbf.is_file():
        raise RoadsError(f"{pbf} : fichier introuvable.", f"{pbf}: no such file.")
    digest = sha256_of(pbf)
    points = zones[["zone_code", "lon", "lat"]].to_csv(index=False)
    key = "|".join((VERSION, digest, profile.key(), repr(limit_min), repr(max_snap_km), points))
    folder = run_folder(work_dir, key, resume)
    meta = _prepare(pbf, zones, folder, profile, max_snap_km, progress)
    on = np.flatnonzero(meta["state"] >= 0)
    if not len(on):
        raise RoadsError(
            f"{pbf.name} : aucune commune à moins de {max_snap_km} km d'une route ; l'extrait couvre-t-il le territoire ?",
            f"{pbf.name}: no commune within {max_snap_km} km of a road; does the extract cover the territory?",
        )
    chunks = _route(folder, len(on), limit_min, processes, progress)
    off_km = meta["off_km"][on]
    return _result(
        pbf, digest, zones, on, str(meta["date"]), _with_ends(chunks, off_km, profile.off_road_kmh, limit_min)
    )


def _check(zones: pd.DataFrame, limit_min: float, processes: int) -> None:
    missing = [name for name in ("zone_code", "lon", "lat") if name not in zones]
    if missing or zones["zone_code"].duplicated().any():
        what = f"columns {', '.join(missing)}" if missing else "one row for each zone_code"
        raise ValueError(f"communes: {what} needed")
    if not limit_min > 0 or processes < 1:
        raise ValueError(f"limit_min is {limit_min} and processes {processes}: both must be above 0")


def _prepare(
    pbf: Path,
    zones: pd.DataFrame,
    folder: Path,
    profile: CarProfile,
    max_snap_km: float,
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
    at = snap(graph, zones["lon"].to_numpy(float), zones["lat"].to_numpy(float), max_snap_km)
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


def _result(
    pbf: Path, digest: str, zones: pd.DataFrame, on: np.ndarray, day: str, whole: dict[str, np.ndarray]
) -> RoadsResult:
    codes = zones["zone_code"].to_numpy(str)[on]
    table = pd.DataFrame(
        {
            "from_code": codes[whole["origin"]],
            "to_code": codes[whole["target"]],
            "road_km": whole["road_km"].round(3).astype(np.float32),
            "drive_min": whole["drive_min"].round(3).astype(np.float32),
        }
    )
    off = np.setdiff1d(np.arange(len(zones)), on)
    met = np.union1d(whole["origin"], whole["target"])
    isolated = tuple(codes[np.setdiff1d(np.arange(len(codes)), met)])
    asked = len(zones) * (len(zones) - 1)
    label = Label(
        table="travel",
        kind="own",
        source=f"Routes OpenStreetMap, calculées ici depuis {pbf.name}",
        year=day[:4],
        licence="ODbL, (c) OpenStreetMap contributors",
        url="https://www.openstreetmap.org/copyright",
        loaded_on=date.today().isoformat(),
        file_name=pbf.name,
        file_sha256=digest,
        rows=len(table),
        placed=float(len(table)),
        unplaced=float(asked - len(table)),
        notes_fr=(f"{len(off)} communes trop loin d'une route ; {asked - len(table)} paires non calculées.",),
        notes_en=(f"{len(off)} communes too far from a road; {asked - len(table)} pairs not routed.",),
    )
    return RoadsResult(table, label, zones.loc[off, ["zone_code", "lon", "lat"]], isolated, asked, len(table))
