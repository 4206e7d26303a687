"""Shortest times on the road graph, with SciPy's Dijkstra, and the km of the fastest way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from coopconnect.territory.roads.graph import Graph
from coopconnect.territory.roads.snap import Snapped

TINY_MIN = 1e-6
ARRAYS = ("data", "indices", "indptr", "km", "end_point", "state", "share", "reverse", "minutes", "length")


@dataclass(frozen=True)
class Network:
    """The graph with its points as extra states: `points` sources, then starts and ends on the road.

    Rows of the matrix are states; a weight is the minutes to turn into and drive the next state. km: per state, of
    the states with the extra ones. end_point: per state, the point that it ends at or -1.
    """

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    km: np.ndarray
    end_point: np.ndarray
    state: np.ndarray
    share: np.ndarray
    reverse: np.ndarray
    minutes: np.ndarray
    length: np.ndarray

    @property
    def source(self) -> int:
        """First source state: point p leaves from `source + p`."""
        return len(self.minutes)

    def save(self, folder: Path) -> None:
        """One .npy for each array, which the processes share as memory maps."""
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Network:
        """What `save` wrote."""
        return cls(**{name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS})


def join(graph: Graph, at: Snapped) -> Network:
    """Add the points to the graph; every point of `at` must be on a road."""
    states, points = len(graph.km), len(at.state)
    point = np.arange(points)
    back = graph.reverse[at.state]
    two = back >= 0
    on = np.concatenate([at.state, back[two]])
    who = np.concatenate([point, point[two]])
    done = np.concatenate([at.share, 1 - at.share[two]])
    start = states + points + np.arange(len(on))
    end = start + len(on)
    clone, clones = _clones(graph.turn_from, on)
    leave = (start[clone], graph.turn_to[clones], graph.turn_min[clones] + graph.minutes[graph.turn_to[clones]])
    end_of, arriving = _clones(graph.turn_to, on)
    drive = done[end_of] * graph.minutes[on[end_of]]
    arrive = (graph.turn_from[arriving], end[end_of], graph.turn_min[arriving] + drive)
    begin = (states + who, start, (1 - done) * graph.minutes[on])
    plain = (graph.turn_from, graph.turn_to, graph.turn_min + graph.minutes[graph.turn_to])
    short = _start_to_end(graph, on, done, start, end)
    row, column, weight = (np.concatenate(parts) for parts in zip(plain, leave, arrive, begin, short, strict=True))
    size = states + points + 2 * len(on)
    matrix = csr_matrix((np.maximum(weight, TINY_MIN), (row, column)), shape=(size, size))
    matrix.sort_indices()
    ends = np.full(size, -1, dtype=np.int32)
    ends[end] = who
    extra = np.concatenate([np.zeros(points), (1 - done) * graph.km[on], done * graph.km[on]])
    return Network(
        data=matrix.data,
        indices=matrix.indices.astype(np.int32),
        indptr=matrix.indptr.astype(np.int32),
        km=np.concatenate([graph.km, extra]),
        end_point=ends,
        state=at.state,
        share=at.share,
        reverse=graph.reverse,
        minutes=graph.minutes,
        length=graph.km,
    )


def _clones(column: np.ndarray, on: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each k, the arcs whose `column` is on[k]: index k, repeated, and the arcs."""
    order = np.argsort(column, kind="stable")
    begin = np.searchsorted(column[order], on, side="left")
    count = np.searchsorted(column[order], on, side="right") - begin
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(begin, count)
    return np.repeat(np.arange(len(on)), count), order[place]


def _start_to_end(
    graph: Graph, on: np.ndarray, done: np.ndarray, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arcs from the start on one stretch to the end on the next."""
    first, turn = _clones(graph.turn_from, on)
    second, which = _clones(on, graph.turn_to[turn])
    row, column = start[first[second]], end[which]
    weight = graph.turn_min[turn[second]] + done[which] * graph.minutes[on[which]]
    return row, column, weight


def matrix_of(network: Network) -> csr_matrix:
    """The sparse matrix of the network, without a copy."""
    size = len(network.km)
    return csr_matrix((network.data, network.indices, network.indptr), shape=(size, size), copy=False)


def one_origin(
    network: Network, matrix: csr_matrix, origin: int, limit_min: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points within `limit_min` of one point: their numbers, minutes and km, the point itself left out."""
    source = network.source + origin
    minutes, before = dijkstra(matrix, indices=source, limit=limit_min, return_predecessors=True)
    end = np.flatnonzero((network.end_point >= 0) & np.isfinite(minutes))
    km = _km_back(network, before, end, source)
    points = len(network.state)
    best, length = np.full(points, np.inf), np.zeros(points)
    for state, value in zip(end, km, strict=True):
        target = network.end_point[state]
        if minutes[state] < best[target]:
            best[target], length[target] = minutes[state], value
    _same_stretch(network, origin, best, length)
    best[origin] = np.inf
    found = np.flatnonzero(best <= limit_min)
    return found, best[found], length[found]


def _km_back(network: Network, before: np.ndarray, end: np.ndarray, source: int) -> np.ndarray:
    """km of the fastest way to each end state, all walked back together."""
    km, at = np.zeros(len(end)), end.copy()
    moving = np.arange(len(end))
    while len(moving):
        km[moving] += network.km[at[moving]]
        at[moving] = before[at[moving]]
        moving = moving[at[moving] != source]
    return km


def _same_stretch(network: Network, origin: int, best: np.ndarray, length: np.ndarray) -> None:
    """Points further along the same stretch are reached without leaving it."""
    state = int(network.state[origin])
    for on, share in ((network.state, network.share), (network.reverse[network.state], 1 - network.share)):
        for here, begin in ((state, network.share[origin]), (int(network.reverse[state]), 1 - network.share[origin])):
            if here < 0:
                continue
            ahead = np.flatnonzero((on == here) & (share >= begin))
            part = share[ahead] - begin
            better = part * network.minutes[here] < best[ahead]
            best[ahead[better]] = np.maximum(part * network.minutes[here], TINY_MIN)[better]
            length[ahead[better]] = (part * network.length[here])[better]
