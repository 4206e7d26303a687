"""Putting points on the nearest road where a trip may begin or end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopconnect.territory.roads.graph import Graph

KM_PER_DEGREE = 111.195


@dataclass(frozen=True)
class Snapped:
    """For each point: state (-1: no road near), share of the state already driven (0 to 1), km to the road
    (infinite beyond the search)."""

    state: np.ndarray
    share: np.ndarray
    off_km: np.ndarray


def snap(graph: Graph, lon: np.ndarray, lat: np.ndarray, max_km: float) -> Snapped:
    """Nearest place on a road for each point in degrees, at most `max_km` away (flat earth around each point)."""
    order = np.argsort(graph.lat_a, kind="stable")
    north = graph.lat_a[order]
    reach = max_km / KM_PER_DEGREE + float(np.abs(graph.lat_b - graph.lat_a).max(initial=0.0))
    state = np.full(len(lon), -1, dtype=np.int64)
    share, off = np.zeros(len(lon)), np.full(len(lon), np.inf)
    for k in range(len(lon)):
        low, high = np.searchsorted(north, [lat[k] - reach, lat[k] + reach])
        near = order[low:high]
        if not len(near):
            continue
        link, along, distance = _nearest(graph, near, lon[k], lat[k])
        if distance <= max_km:
            state[k] = graph.link_state[link]
            whole = graph.km[state[k]]
            done = graph.link_from_km[link] + along * graph.link_km[link]
            share[k] = min(1.0, max(0.0, done / whole)) if whole > 0 else 0.0
            off[k] = distance
    return Snapped(state, share, off)


def _nearest(graph: Graph, near: np.ndarray, lon: float, lat: float) -> tuple[int, float, float]:
    """Link, share along it and km of the place nearest to a point; the first link wins a tie."""
    wide = KM_PER_DEGREE * np.cos(np.radians(lat))
    ax, ay = (graph.lon_a[near] - lon) * wide, (graph.lat_a[near] - lat) * KM_PER_DEGREE
    dx = (graph.lon_b[near] - lon) * wide - ax
    dy = (graph.lat_b[near] - lat) * KM_PER_DEGREE - ay
    square = dx * dx + dy * dy
    along = np.clip(-(ax * dx + ay * dy) / np.where(square > 0, square, 1.0), 0.0, 1.0)
    distance = np.hypot(ax + along * dx, ay + along * dy)
    best = int(np.argmin(distance))
    return int(near[best]), float(along[best]), float(distance[best])
