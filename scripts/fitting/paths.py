"""The shortest path over neighbouring communes, fitted on the OSRM table of Isère.

Gauss-Newton: paths with the coefficients of the moment, the derivative of each path's minutes summed along it, a
weighted step on the logarithms (weights 1 / |gap|, so that medians are fitted), and again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.cluster.vq import kmeans2
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from coopconnect.territory import travel, travel_graph
from fitting.common import FOLDS, SEED, Fitted, Isere

AROUND_KM = 35.0
ROUNDS = 7
BLOCKS = 6
LEAST_GAP = 0.05
WEIGHT_POWER = 1.5
LONGEST_MIN = 90.0
BANDS_MIN = ((3, 10), (10, 20), (20, 40), (40, 60))
NAMES = tuple(travel_graph.PathLaw.__dataclass_fields__)
EDGE_NAMES, END_NAMES = NAMES[:6], NAMES[6:9]
START = (1.9, 0.75, 0.0, 0.03, 0.0, 0.1)
NAMES_FR = dict(
    zip(
        NAMES,
        (
            "arête, constante",
            "arête, distance (log)",
            "arête, distance (log, carré)",
            "arête, densité",
            "arête, densité x distance",
            "arête, dénivelé par km",
            "accès au réseau à chaque bout",
            "accès au réseau, densité",
            "accès au réseau, population",
            "trajet, constante",
            "trajet, puissance",
            "trajet, courbure",
        ),
        strict=True,
    )
)


@dataclass(frozen=True)
class Cut:
    """The graph around Isère and the pairs of the OSRM table, i < j, as vectors."""

    node: np.ndarray
    a: np.ndarray
    b: np.ndarray
    terms: np.ndarray
    count: int
    ends: np.ndarray
    i: np.ndarray
    j: np.ndarray
    minutes: np.ndarray
    crow_km: np.ndarray
    xy_km: np.ndarray


def cut_graph(zones: pd.DataFrame, edges: pd.DataFrame, pairs: Isere, xy_km: tuple[np.ndarray, np.ndarray]) -> Cut:
    """The part of the graph within `AROUND_KM` of the communes of `pairs`."""
    x, y = xy_km
    own = zones.index.get_indexer(pairs.codes)
    box = (x > x[own].min() - AROUND_KM) & (x < x[own].max() + AROUND_KM)
    box &= (y > y[own].min() - AROUND_KM) & (y < y[own].max() + AROUND_KM)
    rank = np.cumsum(box) - 1
    inside = box[edges["a_row"]] & box[edges["b_row"]]
    a, b = edges["a_row"].to_numpy()[inside], edges["b_row"].to_numpy()[inside]
    lon, lat = zones["lon"].to_numpy(), zones["lat"].to_numpy()
    people = zones["population"].to_numpy(float)
    density = travel.log_density(people, zones["area_km2"].to_numpy())
    crow = travel.crow_km(lon[a], lat[a], lon[b], lat[b])
    climb = edges["climb_m_per_km"].to_numpy(float)[inside]
    i, j = np.triu_indices(len(own), 1)
    ends = np.column_stack(
        [
            np.full(len(i), 2.0),
            density[own[i]] + density[own[j]] - travel_graph.DENSITY_SUM_CENTRE,
            np.log1p(people[own[i]]) + np.log1p(people[own[j]]) - travel_graph.LOG_PEOPLE_SUM_CENTRE,
        ]
    )
    return Cut(
        rank[own],
        rank[a],
        rank[b],
        travel_graph.edge_terms(crow, density[a] + density[b], climb),
        int(box.sum()),
        ends,
        i,
        j,
        pairs.osrm_min[i, j],
        pairs.crow_km[i, j],
        np.column_stack([x[own], y[own]]),
    )


def path_sums(cut: Cut, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minutes of the path of each pair, and their derivative by each coefficient of the edges."""
    weight = np.exp(cut.terms @ edge)
    n = cut.count
    graph = csr_matrix((np.r_[weight, weight], (np.r_[cut.a, cut.b], np.r_[cut.b, cut.a])), shape=(n, n))
    number = csr_matrix(
        (np.tile(np.arange(1, len(weight) + 1), 2), (np.r_[cut.a, cut.b], np.r_[cut.b, cut.a])), shape=(n, n)
    )
    distance, before = dijkstra(graph, indices=cut.node, return_predecessors=True)
    slope = np.zeros((len(cut.node), len(cut.node), len(edge)), dtype=np.float32)
    for s in range(len(cut.node)):
        order = np.argsort(distance[s], kind="stable")
        order = order[np.isfinite(distance[s][order])][1:]
        last = before[s][order]
        used = np.asarray(number[last, order]).ravel() - 1
        step = (weight[used, None] * cut.terms[used]).astype(np.float32)
        slope[s] = tree_sums(order, last, step, n, int(cut.node[s]))[cut.node]
    return distance[:, cut.node][cut.i, cut.j], slope[cut.i, cut.j]


def tree_sums(order: np.ndarray, last: np.ndarray, step: np.ndarray, n: int, source: int) -> np.ndarray:
    """Sum of `step` from the source to each node, by doubling along the predecessors."""
    total = np.zeros((n, step.shape[1]), dtype=np.float32)
    total[order] = step
    jump = np.full(n, source)
    jump[order] = last
    while (jump != source).any():
        total += total[jump] * (np.arange(n) != source)[:, None]
        jump = jump[jump]
    return total


def fit_once(cut: Cut, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients in the order of `NAMES` fitted on the pairs `rows`, and the minutes of every pair."""
    coefficient = np.concatenate([START, np.zeros(len(END_NAMES))])
    k = len(EDGE_NAMES)
    weight = np.maximum(cut.crow_km, 1.0) ** -WEIGHT_POWER
    observed = np.log(np.maximum(cut.minutes, 0.5))
    for round_ in range(ROUNDS):
        path, slope = path_sums(cut, coefficient[:k])
        through = np.maximum(path + cut.ends @ coefficient[k:], travel_graph.LEAST_MIN)
        x = np.column_stack([slope, cut.ends])[rows] / through[rows, None]
        step = reweighted(x, (observed - np.log(through))[rows], weight[rows], 1)
        coefficient += step * (min(1.0, 0.5 / np.abs(step[:k]).max()) if round_ < 3 else 1.0)
    path, _ = path_sums(cut, coefficient[:k])
    through = np.maximum(path + cut.ends @ coefficient[k:], travel_graph.LEAST_MIN)
    m = np.log(through) - travel_graph.LOG_MIN_CENTRE
    x = np.column_stack([np.ones(len(m)), m, m**2])
    trip = reweighted(x[rows], observed[rows], weight[rows], 10)
    law = travel_graph.PathLaw(*(float(v) for v in np.concatenate([coefficient, trip])))
    return np.concatenate([coefficient, trip]), law.trip_min(through)


def reweighted(x: np.ndarray, y: np.ndarray, weight: np.ndarray, rounds: int) -> np.ndarray:
    """Least absolute deviations by weighted least squares; the first round starts from gaps of `y`."""
    result = np.zeros(x.shape[1])
    for _ in range(rounds):
        w = weight / np.maximum(np.abs(y - x @ result), LEAST_GAP)
        a = x.T @ (x * w[:, None])
        result = np.linalg.solve(a + 1e-6 * np.diag(np.diag(a)), x.T @ (y * w))
    return result


def fit_paths(cut: Cut) -> tuple[list[Fitted], dict[str, float]]:
    """The law on all pairs; errors on communes held out at random and by block, no end of a pair in the fit."""
    usable = (cut.minutes > 1.0) & (cut.minutes < LONGEST_MIN) & (cut.crow_km > 0)
    n = len(cut.node)
    random = np.random.default_rng(SEED).integers(0, FOLDS, n)
    _, block = kmeans2(cut.xy_km, BLOCKS, seed=3, minit="++")
    figures: dict[str, float] = {}
    spread = []
    for label, fold in (("random", random), ("blocks", block)):
        seen, guess = [], []
        for f in range(fold.max() + 1):
            out = fold == f
            coefficient, minutes = fit_once(cut, usable & ~out[cut.i] & ~out[cut.j])
            test = usable & out[cut.i] & out[cut.j]
            seen.append(cut.minutes[test])
            guess.append(minutes[test])
            spread.append(coefficient)
        figures |= band_figures(np.concatenate(seen), np.concatenate(guess), f"path_{label}")
    coefficient, _ = fit_once(cut, usable)
    error = np.std(spread, axis=0)
    units = dict.fromkeys(NAMES, "ln") | dict.fromkeys(END_NAMES, "min") | {"trip_power": "ratio"}
    source = "OSRM, 512 communes de l'Isère, (c) contributeurs OpenStreetMap, ODbL"
    fitted = [
        Fitted(
            f"path_{name}",
            float(value),
            float(e),
            units[name],
            f"temps de route par le graphe des communes : {NAMES_FR[name]}",
            f"driving time along the graph of communes: {name.replace('_', ' ')}",
            "fitted_travel",
            source,
        )
        for name, value, e in zip(NAMES, coefficient, error, strict=True)
    ]
    return fitted, figures


def band_figures(seen: np.ndarray, guess: np.ndarray, prefix: str) -> dict[str, float]:
    """Median and 90th percentile error by band of observed minutes; bias = median ratio less 1, in bands of
    observed, of estimated minutes, and of their geometric mean (which pulls neither way)."""
    figures: dict[str, float] = {}
    ratio = guess / seen
    middle = np.sqrt(guess * seen)
    for low, high in BANDS_MIN:
        band = (seen >= low) & (seen < high)
        key = f"{low}_{high}_min"
        figures[f"{prefix}_pairs_{key}"] = int(band.sum())
        figures[f"{prefix}_median_error_{key}"] = float(np.median(np.abs(ratio[band] - 1)))
        figures[f"{prefix}_p90_error_{key}"] = float(np.quantile(np.abs(ratio[band] - 1), 0.9))
        for label, sorted_by in (("observed", seen), ("estimated", guess), ("middle", middle)):
            rows = (sorted_by >= low) & (sorted_by < high)
            figures[f"{prefix}_bias_{label}_{key}"] = float(np.median(ratio[rows]) - 1)
    return figures
