"""The road graph: one state for each stretch of road and direction, one arc for each turn that is allowed.

Turns rather than crossings carry the arcs, so that forbidden turns, barriers and time lost in turning are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from coopconnect.territory.roads.osm import Roads
from coopconnect.territory.roads.profile import CarProfile
from coopconnect.territory.travel import crow_km

MAIN_PART_STATES = 1000
FREE_TURN_DEG, FULL_TURN_DEG = 45.0, 135.0


@dataclass(frozen=True)
class Graph:
    """States (a stretch in one direction) and turns between them.

    minutes, km: (states,) to drive a state. turn_from, turn_to, turn_min: (turns,). reverse: (states,) the same
    stretch the other way, -1 on a one-way. Links are pieces of straight line on which a point may be put: lon_a ...
    lat_b in degrees, link_state the state along the link, link_from_km and link_km its place on the stretch.
    """

    minutes: np.ndarray
    km: np.ndarray
    reverse: np.ndarray
    turn_from: np.ndarray
    turn_to: np.ndarray
    turn_min: np.ndarray
    lon_a: np.ndarray
    lat_a: np.ndarray
    lon_b: np.ndarray
    lat_b: np.ndarray
    link_state: np.ndarray
    link_from_km: np.ndarray
    link_km: np.ndarray


def build_graph(roads: Roads, profile: CarProfile) -> Graph:
    """States and turns of the roads; stretches run between crossings, ends, lights, barriers and restricted nodes."""
    nodes, node = np.unique(roads.ref, return_inverse=True)
    way = np.repeat(np.arange(len(roads.way_id)), np.diff(roads.start))
    linked = way[1:] == way[:-1]
    km = np.where(linked, crow_km(roads.lon[:-1], roads.lat[:-1], roads.lon[1:], roads.lat[1:]), 0.0)
    bearing = _bearing(roads.lon, roads.lat)
    cut = np.bincount(node, minlength=len(nodes))[node] > 1
    cut[roads.start[:-1]] = cut[roads.start[1:] - 1] = True
    via = np.array([turn[1] for turn in roads.turns], dtype=np.int64)
    special = np.isin(nodes, np.concatenate([roads.signals, roads.blocked, via]))
    cut |= special[node]
    at = np.flatnonzero(cut)
    inside = way[at[:-1]] == way[at[1:]]
    first, last = at[:-1][inside], at[1:][inside]
    along = np.concatenate([[0.0], np.cumsum(km)])
    length = along[last] - along[first]
    states = _states(roads, way, node, first, last, length, bearing)
    turns = _turns(states, nodes, roads, profile)
    keep = _main_part(len(states["km"]), *turns[:2])
    links = np.flatnonzero(linked & roads.stop[way[:-1]])
    segment = np.searchsorted(first, links, side="right") - 1
    ahead, back = states["of_segment"][:, segment]
    state = np.where((ahead >= 0) & keep[ahead], ahead, -1)
    only_back = (state < 0) & (back >= 0) & keep[back]
    ok = (state >= 0) | only_back
    links, segment, flip = links[ok], segment[ok], only_back[ok]
    a, b = np.where(flip, links + 1, links), np.where(flip, links, links + 1)
    offset = np.where(flip, along[last[segment]] - along[links + 1], along[links] - along[first[segment]])
    return Graph(
        minutes=states["minutes"],
        km=states["km"],
        reverse=states["reverse"],
        turn_from=turns[0],
        turn_to=turns[1],
        turn_min=turns[2],
        lon_a=roads.lon[a],
        lat_a=roads.lat[a],
        lon_b=roads.lon[b],
        lat_b=roads.lat[b],
        link_state=np.where(state >= 0, state, back)[ok].astype(np.int32),
        link_from_km=offset,
        link_km=km[links],
    )


def _bearing(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Degrees from east of each position to the next."""
    east = np.diff(lon) * np.cos(np.radians(lat[:-1]))
    return np.degrees(np.arctan2(np.diff(lat), east))


def _states(
    roads: Roads,
    way: np.ndarray,
    node: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    length: np.ndarray,
    bearing: np.ndarray,
) -> dict[str, np.ndarray]:
    of = way[first]
    ahead, back = np.flatnonzero(roads.ahead_kmh[of] > 0), np.flatnonzero(roads.back_kmh[of] > 0)
    number = np.full((2, len(first)), -1, dtype=np.int64)
    number[0, ahead] = np.arange(len(ahead))
    number[1, back] = len(ahead) + np.arange(len(back))
    kmh = np.concatenate([roads.ahead_kmh[of[ahead]], roads.back_kmh[of[back]]])
    km = np.concatenate([length[ahead], length[back]])
    return {
        "tail": np.concatenate([node[first[ahead]], node[last[back]]]),
        "head": np.concatenate([node[last[ahead]], node[first[back]]]),
        "out": np.concatenate([bearing[first[ahead]], bearing[last[back] - 1] + 180]),
        "in": np.concatenate([bearing[last[ahead] - 1], bearing[first[back]] + 180]),
        "way": np.concatenate([of[ahead], of[back]]),
        "reverse": np.concatenate([number[1, ahead], number[0, back]]),
        "of_segment": number,
        "km": km,
        "minutes": km / kmh * 60.0,
    }


def _turns(
    states: dict[str, np.ndarray], nodes: np.ndarray, roads: Roads, profile: CarProfile
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Allowed turns: from, to, minutes lost."""
    tail, head = states["tail"], states["head"]
    order = np.argsort(tail, kind="stable")
    begin = np.searchsorted(tail[order], head, side="left")
    count = np.searchsorted(tail[order], head, side="right") - begin
    count[np.isin(nodes[head], roads.blocked)] = 0
    source = np.repeat(np.arange(len(head)), count)
    place = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(begin, count)
    target = order[place]
    back = target == states["reverse"][source]
    keep = (~back | (count[source] == 1)) & ~_forbidden(source, target, states, nodes, roads)
    source, target, back = source[keep], target[keep], back[keep]
    angle = np.abs((states["out"][target] - states["in"][source] + 180) % 360 - 180)
    share = np.clip((angle - FREE_TURN_DEG) / (FULL_TURN_DEG - FREE_TURN_DEG), 0, 1)
    crossing = count[source] > 2
    seconds = np.where(back, profile.u_turn_s, np.where(crossing, profile.turn_s * share, 0.0))
    seconds += np.where(np.isin(nodes, roads.signals)[head[source]], profile.signal_s, 0.0)
    return source, target, seconds / 60.0


def _forbidden(
    source: np.ndarray, target: np.ndarray, states: dict[str, np.ndarray], nodes: np.ndarray, roads: Roads
) -> np.ndarray:
    """Which turns a restriction forbids; restrictions whose ways or node are not in the graph are ignored."""
    wrong = np.zeros(len(source), dtype=bool)
    rules: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for start, via, end, only in roads.turns:
        rules.setdefault((start, via), []).append((end, only))
    vias = np.array(sorted({via for _, via in rules}), dtype=np.int64)
    ids = nodes[states["head"][source]]
    for k in np.flatnonzero(np.isin(ids, vias)):
        rule = rules.get((int(roads.way_id[states["way"][source[k]]]), int(ids[k])), [])
        end = int(roads.way_id[states["way"][target[k]]])
        wanted = {way for way, only in rule if only}
        wrong[k] = (end, 0) in rule or bool(wanted and end not in wanted)
    return wrong


def _main_part(n: int, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """States of the parts within which every state reaches every other, unless the part is tiny."""
    ones = np.ones(len(source), dtype=np.int8)
    _, part = connected_components(csr_matrix((ones, (source, target)), shape=(n, n)), connection="strong")
    size = np.bincount(part)
    return size[part] >= min(MAIN_PART_STATES, int(size.max()))
