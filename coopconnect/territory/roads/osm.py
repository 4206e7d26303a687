"""Roads read from an OpenStreetMap extract (.osm.pbf) with pyosmium."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from coopconnect.territory.roads.profile import CarProfile, blocks_cars
from coopconnect.territory.roads.store import RoadsError

INSTALL = "pip install -r requirements-roads.txt"


@dataclass
class Roads:
    """Ways open to cars. Positions are the nodes of the ways, one way after the other.

    ref, lon, lat: per position. start: (ways + 1,) first position of each way. way_id, ahead_kmh, back_kmh (0: not
    allowed), stop (a trip may begin or end on it): per way. signals, blocked: node ids. turns: (from way, via node,
    to way, 1 for the only turn allowed or 0 for a forbidden one).
    """

    ref: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    start: np.ndarray
    way_id: np.ndarray
    ahead_kmh: np.ndarray
    back_kmh: np.ndarray
    stop: np.ndarray
    signals: np.ndarray
    blocked: np.ndarray
    turns: list[tuple[int, int, int, int]]
    date: str = ""


@dataclass
class _Reading:
    ref: array = field(default_factory=lambda: array("q"))
    lon: array = field(default_factory=lambda: array("d"))
    lat: array = field(default_factory=lambda: array("d"))
    start: array = field(default_factory=lambda: array("q", [0]))
    way_id: array = field(default_factory=lambda: array("q"))
    ahead: array = field(default_factory=lambda: array("f"))
    back: array = field(default_factory=lambda: array("f"))
    stop: array = field(default_factory=lambda: array("b"))
    signals: array = field(default_factory=lambda: array("q"))
    blocked: array = field(default_factory=lambda: array("q"))
    turns: list[tuple[int, int, int, int]] = field(default_factory=list)


def import_osmium() -> Any:
    """The pyosmium module; RoadsError says how to install it."""
    try:
        import osmium
    except ImportError as error:
        raise RoadsError(
            f"Lire un extrait OpenStreetMap demande pyosmium : {INSTALL}",
            f"Reading an OpenStreetMap extract needs pyosmium: {INSTALL}",
        ) from error
    return osmium


def read_roads(pbf: Path, profile: CarProfile) -> Roads:
    """Read the roads open to cars; RoadsError when the file is missing, cut, not a pbf or without roads."""
    osmium = import_osmium()
    if not pbf.is_file():
        raise RoadsError(f"{pbf} : fichier introuvable.", f"{pbf}: no such file.")
    got = _Reading()
    try:
        reader = osmium.FileProcessor(str(pbf)).with_locations()
        for item in reader.with_filter(osmium.filter.KeyFilter("highway", "barrier", "restriction")):
            if item.is_node():
                _node(item, got)
            elif item.is_way():
                _way(item, got, profile)
            elif item.is_relation():
                _relation(item, got)
        date = osmium.io.Reader(str(pbf)).header().get("osmosis_replication_timestamp") or ""
    except (RuntimeError, ValueError) as error:
        raise RoadsError(
            f"{pbf.name} : lecture impossible ({error}). Il faut un extrait .osm.pbf entier : téléchargez-le à nouveau.",
            f"{pbf.name}: cannot be read ({error}). A whole .osm.pbf extract is needed: download it again.",
        ) from error
    if not got.way_id:
        raise RoadsError(f"{pbf.name} : aucune route pour voitures.", f"{pbf.name}: no road open to cars.")
    return _arrays(got, date)


def _arrays(got: _Reading, date: str) -> Roads:
    def as_array(values: array, kind: str) -> np.ndarray:
        return np.array(values, dtype=kind)

    return Roads(
        ref=as_array(got.ref, "i8"),
        lon=as_array(got.lon, "f8"),
        lat=as_array(got.lat, "f8"),
        start=as_array(got.start, "i8"),
        way_id=as_array(got.way_id, "i8"),
        ahead_kmh=as_array(got.ahead, "f8"),
        back_kmh=as_array(got.back, "f8"),
        stop=as_array(got.stop, "?"),
        signals=np.unique(as_array(got.signals, "i8")),
        blocked=np.unique(as_array(got.blocked, "i8")),
        turns=got.turns,
        date=date,
    )


def _node(node: Any, got: _Reading) -> None:
    if node.tags.get("highway") == "traffic_signals":
        got.signals.append(node.id)
    if "barrier" in node.tags and blocks_cars(dict(node.tags)):
        got.blocked.append(node.id)


def _way(way: Any, got: _Reading, profile: CarProfile) -> None:
    if way.tags.get("highway") not in profile.speed_kmh:
        return
    tags = dict(way.tags)
    ahead, back = profile.speeds(tags)
    points = [(node.ref, node.lon, node.lat) for node in way.nodes if node.location.valid()]
    if not (ahead or back) or len(points) < 2:
        return
    for ref, lon, lat in points:
        got.ref.append(ref)
        got.lon.append(lon)
        got.lat.append(lat)
    got.start.append(len(got.ref))
    got.way_id.append(way.id)
    got.ahead.append(ahead)
    got.back.append(back)
    got.stop.append(not tags["highway"].startswith("motorway") and tags.get("tunnel", "no") == "no")


def _relation(relation: Any, got: _Reading) -> None:
    kind = relation.tags.get("restriction", "")
    if not kind.startswith(("no_", "only_")) or "motorcar" in relation.tags.get("except", ""):
        return
    ends: dict[str, list[int]] = {"from": [], "via": [], "to": []}
    for member in relation.members:
        if member.role in ends and member.type == ("n" if member.role == "via" else "w"):
            ends[member.role].append(member.ref)
    if len(ends["via"]) == 1:
        only = int(kind.startswith("only_"))
        got.turns += [(a, ends["via"][0], b, only) for a in ends["from"] for b in ends["to"]]
