"""Driving minutes along a graph of neighbouring communes: villages are where the roads are.

An edge joins two communes that touch, or that have a neighbour in common. Its minutes follow its crow-fly km, the
density of its ends and the climb along it; a trip is the shortest path, plus the time to reach the network at both
ends, bent by a last curve. Coefficients are fitted on OSRM in Isère (data/parameters.toml, keys `path_*`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from coopconnect.territory import travel

EDGES_FILE = "edges.parquet"
LOG_KM_CENTRE = 1.5
DENSITY_SUM_CENTRE = 10.0
LOG_PEOPLE_SUM_CENTRE = 13.0
LOG_MIN_CENTRE = 3.0
LEAST_MIN = 1.0
"""Two different communes are never nearer than this, in minutes."""
CLIMB_SCALE = 0.02
"""The climb counts as ln(1 + 0.02 * metres up and down per km)."""
FAR_MIN = 240.0
"""Paths are not followed beyond this; the crow-fly law answers there."""


@dataclass(frozen=True)
class PathLaw:
    """Coefficients of the estimate.

    Edge: ln(minutes) = edge_constant + edge_log_km l + edge_log_km_squared l^2 + edge_density d
    + edge_density_log_km d l + edge_climb ln(1 + 0.02 climb), l = ln(km) - 1.5, d = sum of ln densities - 10,
    climb in metres up and down per km. Ends: p = path + 2 end_min + end_density d + end_people q, q = sum of
    ln(1 + inhabitants) - 13. Trip: ln(minutes) = trip_constant + trip_power m + trip_curve m^2, m = ln(p) - 3.
    """

    edge_constant: float
    edge_log_km: float
    edge_log_km_squared: float
    edge_density: float
    edge_density_log_km: float
    edge_climb: float
    end_min: float
    end_density: float
    end_people: float
    trip_constant: float
    trip_power: float
    trip_curve: float

    @classmethod
    def from_parameters(cls, values: Mapping[str, float]) -> PathLaw:
        """Read the law from parameter values (keys `path_*`); KeyError names a missing one."""
        return cls(**{name: values[f"path_{name}"] for name in cls.__dataclass_fields__})

    def trip_min(self, through_min: np.ndarray) -> np.ndarray:
        """Minutes of a trip from the minutes of its path with both ends; grows with them, never below 1."""
        m = np.log(np.maximum(through_min, LEAST_MIN)) - LOG_MIN_CENTRE
        if self.trip_curve < 0:
            m = np.minimum(m, -self.trip_power / (2 * self.trip_curve))
        return np.maximum(np.exp(self.trip_constant + (self.trip_power + self.trip_curve * m) * m), LEAST_MIN)


def edge_terms(crow: np.ndarray, density_sum: np.ndarray, climb_m_per_km: np.ndarray) -> np.ndarray:
    """Columns of the edge law, in the order of its coefficients: (n_edges, 6)."""
    length = np.log(np.maximum(crow, travel.MIN_CROW_KM)) - LOG_KM_CENTRE
    density = density_sum - DENSITY_SUM_CENTRE
    climb = np.log1p(CLIMB_SCALE * climb_m_per_km)
    return np.column_stack([np.ones(len(length)), length, length**2, density, density * length, climb])


@dataclass(frozen=True, eq=False)
class Network:
    """The graph ready for use: compressed rows (start, column, edge_min), minutes at each end, and both laws."""

    start: np.ndarray
    column: np.ndarray
    edge_min: np.ndarray
    end_min: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    density: np.ndarray
    law: PathLaw
    crow_law: travel.TravelLaw

    def minutes(self, from_rows: np.ndarray, to_rows: np.ndarray) -> np.ndarray:
        """Minutes by car between pairs of different communes, free flow, float32; symmetrical.

        from_rows, to_rows: rows of the table of communes, same length, any order. Where no path exists (Corsica
        and the mainland) or it is longer than `FAR_MIN`, the crow-fly law answers. A pair of a commune with
        itself has no path here: use `travel.own_crow_km` with the crow-fly law.
        """
        low, high = np.minimum(from_rows, to_rows), np.maximum(from_rows, to_rows)
        order = np.lexsort((high, low))
        a, b = low[order].astype(np.int64), high[order].astype(np.int64)
        path = _between(self.start, self.column, self.edge_min, a, b, FAR_MIN)
        through = path + self.end_min[a] + self.end_min[b]
        found = np.isfinite(path)
        result = np.empty(len(a))
        result[found] = self.law.trip_min(through[found])
        i, j = a[~found], b[~found]
        crow = travel.crow_km(self.lon[i], self.lat[i], self.lon[j], self.lat[j])
        result[~found] = travel.drive_min(crow, self.density[i] + self.density[j], self.crow_law)
        back = np.empty(len(a), dtype=np.float32)
        back[order] = result
        return back

    def reach(self, origins: np.ndarray, limit_min: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Communes within `limit_min` of each origin, the origin left out: rows of both ends and minutes."""
        longest = self._path_limit(limit_min)
        origin, other, path = _reach(self.start, self.column, self.edge_min, origins.astype(np.int64), longest)
        minutes = self.law.trip_min(path + self.end_min[origin] + self.end_min[other])
        keep = minutes <= limit_min
        return origin[keep], other[keep], minutes[keep]

    def _path_limit(self, limit_min: float) -> float:
        """Minutes of path beyond which no trip is within `limit_min`."""
        tries = np.arange(1.0, 3 * limit_min + 30.0, 0.25)
        return float(tries[self.law.trip_min(tries) <= limit_min].max(initial=1.0) - 2 * self.end_min.min() + 0.25)


def build_network(communes: pd.DataFrame, edges: pd.DataFrame, law: PathLaw, crow_law: travel.TravelLaw) -> Network:
    """The graph of `communes` (columns lon, lat, population, area_km2) with `edges` (a_row, b_row, climb_m_per_km)."""
    lon, lat = communes["lon"].to_numpy(), communes["lat"].to_numpy()
    population = communes["population"].to_numpy(float)
    density = travel.log_density(population, communes["area_km2"].to_numpy())
    a, b = edges["a_row"].to_numpy(np.int64), edges["b_row"].to_numpy(np.int64)
    if len(edges) and max(a.max(), b.max()) >= len(communes):
        raise ValueError(
            f"{EDGES_FILE} and communes.parquet are not of one build: run `python -m coopconnect data build`"
        )
    crow = travel.crow_km(lon[a], lat[a], lon[b], lat[b])
    terms = edge_terms(crow, density[a] + density[b], edges["climb_m_per_km"].to_numpy(float))
    weights = np.array([getattr(law, name) for name in list(PathLaw.__dataclass_fields__)[:6]])
    start, column, minutes = compressed(len(communes), a, b, np.exp(terms @ weights))
    return Network(start, column, minutes, end_minutes(population, density, law), lon, lat, density, law, crow_law)


def end_minutes(population: np.ndarray, density: np.ndarray, law: PathLaw) -> np.ndarray:
    """Minutes between a commune's point and the network, half of the terms of the ends; not below a tenth."""
    return np.maximum(
        law.end_min
        + law.end_density * (density - DENSITY_SUM_CENTRE / 2)
        + law.end_people * (np.log1p(population) - LOG_PEOPLE_SUM_CENTRE / 2),
        0.1,
    )


def compressed(n: int, a: np.ndarray, b: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both directions of each edge as compressed rows, columns in order."""
    row, column, both = np.r_[a, b], np.r_[b, a], np.r_[value, value]
    order = np.lexsort((column, row))
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))]).astype(np.int64)
    return start, column[order].astype(np.int32), both[order]


def read_network(data_dir: Path, communes: pd.DataFrame, values: Mapping[str, float]) -> Network | None:
    """The graph of the shipped territory; None where the folder was built before the graph existed."""
    path = data_dir / EDGES_FILE
    if not path.exists():
        return None
    crow_law = travel.TravelLaw.from_parameters(values)
    return build_network(communes, pq.read_table(path).to_pandas(), PathLaw.from_parameters(values), crow_law)


@numba.njit(cache=True)
def _push(key: np.ndarray, item: np.ndarray, size: int, k: float, v: int) -> int:
    i = size
    while i > 0:
        parent = (i - 1) // 2
        if key[parent] <= k:
            break
        key[i], item[i] = key[parent], item[parent]
        i = parent
    key[i], item[i] = k, v
    return size + 1


@numba.njit(cache=True)
def _pop(key: np.ndarray, item: np.ndarray, size: int) -> int:
    size -= 1
    k, v = key[size], item[size]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and key[child + 1] < key[child]:
            child += 1
        if key[child] >= k:
            break
        key[i], item[i] = key[child], item[child]
        i = child
    key[i], item[i] = k, v
    return size


@numba.njit(cache=True, nogil=True)
def _search(
    start: np.ndarray,
    column: np.ndarray,
    weight: np.ndarray,
    source: int,
    limit: float,
    wanted: np.ndarray,
    left: int,
    distance: np.ndarray,
    settled: np.ndarray,
    touched: np.ndarray,
    key: np.ndarray,
    item: np.ndarray,
) -> int:
    """Dijkstra from `source` to `limit`, or until the `left` wanted nodes are settled; number of nodes touched."""
    distance[source] = 0.0
    touched[0] = source
    count = 1
    size = _push(key, item, 0, 0.0, source)
    while size > 0:
        d, u = key[0], item[0]
        size = _pop(key, item, size)
        if settled[u]:
            continue
        if d > limit:
            break
        settled[u] = True
        if wanted[u]:
            left -= 1
            if left == 0:
                break
        for e in range(start[u], start[u + 1]):
            v = column[e]
            new = d + weight[e]
            if new < distance[v]:
                if distance[v] == np.inf:
                    touched[count] = v
                    count += 1
                distance[v] = new
                size = _push(key, item, size, new, v)
    return count


@numba.njit(cache=True, nogil=True)
def _between(
    start: np.ndarray, column: np.ndarray, weight: np.ndarray, a: np.ndarray, b: np.ndarray, limit: float
) -> np.ndarray:
    """Path minutes of pairs sorted by `a`; infinite where there is none within `limit`."""
    n = len(start) - 1
    result = np.full(len(a), np.inf)
    distance, settled, wanted = np.full(n, np.inf), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    touched, key, item = np.empty(n, np.int64), np.empty(len(column) + 1), np.empty(len(column) + 1, np.int64)
    first = 0
    while first < len(a):
        last = first
        left = 0
        while last < len(a) and a[last] == a[first]:
            if not wanted[b[last]]:
                wanted[b[last]] = True
                left += 1
            last += 1
        count = _search(start, column, weight, a[first], limit, wanted, left, distance, settled, touched, key, item)
        for k in range(first, last):
            if settled[b[k]]:
                result[k] = distance[b[k]]
        for k in range(first, last):
            wanted[b[k]] = False
        for k in range(count):
            distance[touched[k]] = np.inf
            settled[touched[k]] = False
        first = last
    return result


@numba.njit(cache=True, nogil=True)
def _reach(
    start: np.ndarray, column: np.ndarray, weight: np.ndarray, origins: np.ndarray, limit: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every node within `limit` of each origin, the origin left out: origin, node, path minutes."""
    n = len(start) - 1
    distance, settled, wanted = np.full(n, np.inf), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    touched, key, item = np.empty(n, np.int64), np.empty(len(column) + 1), np.empty(len(column) + 1, np.int64)
    size = 64 * len(origins) + 64
    origin, node, path = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size)
    filled = 0
    for s in range(len(origins)):
        count = _search(start, column, weight, origins[s], limit, wanted, -1, distance, settled, touched, key, item)
        if filled + count > size:
            size = 2 * (filled + count)
            more_origin, more_node, more_path = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size)
            more_origin[:filled], more_node[:filled], more_path[:filled] = origin[:filled], node[:filled], path[:filled]
            origin, node, path = more_origin, more_node, more_path
        for k in range(count):
            v = touched[k]
            if settled[v] and v != origins[s]:
                origin[filled], node[filled], path[filled] = origins[s], v, distance[v]
                filled += 1
            distance[v] = np.inf
            settled[v] = False
    return origin[:filled].copy(), node[:filled].copy(), path[:filled].copy()
