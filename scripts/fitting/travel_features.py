"""Research: what a straight line crosses, settlement graphs and valleys, as features of a trip, and what boosting makes of them.

    python scripts/fitting/travel_features.py [--shared ../shared] [--select | --best | --relief | --around]

Prints the median error by band of OSRM minutes, on whole communes held out at random and on six spatial blocks, for the
former law (log-quadratic, density alone), the shipped one, linear models and gradient boosting; with --select, of features
added to the former law one by one; with --best, of the few terms that bring most on top of the shipped law, and of boosting on
top of them, on the folds on which they were chosen and on others; with --relief, of the shipped law without its way, and of ways
of other costs; with --around, of what people nearer and farther, and the line between both communes, add to the shipped law, with
the minutes of trips elsewhere in France. "Shipped law" of the first three modes is the one before the way was in it.
docs/travel.md tells what came out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import shapely
from scipy.cluster.vq import kmeans2
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Delaunay, cKDTree
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from coopconnect.territory import travel  # noqa: E402
from coopconnect.territory.build import models  # noqa: E402
from coopconnect.territory.paths import Paths  # noqa: E402
from fitting.common import FOLDS, PATH_VALUES, SEED, Isere, paths_of, read_isere  # noqa: E402
from fitting.travel import TRAVEL_WEIGHT_POWER, least_deviations  # noqa: E402

BANDS_MIN = ((3, 10), (10, 20), (20, 40), (40, 60))
LONG_MIN = (60, 100)
"""A band beyond those that are asked for, to see whether a term holds there."""
SAMPLES = 24
"""Places looked at along a straight line."""
BLOCKS = 6
OTHER_DRAWS = (101, 102, 103)
"""Seeds of folds on which no term was chosen."""
OTHER_BLOCKS = ((6, 5), (7, 6), (9, 9))
"""The same in space: how many blocks, seed."""
LEAST_RESIDUAL = 0.03
"""Of ln(minutes), under which a pair weighs no more in the least absolute deviations."""
REWEIGHTINGS = 6
BOOSTED_SHARE = 0.2
"""Of the pairs, on which boosting is fitted with --best: it takes a quarter of an hour on all."""
AXIS_NEIGHBOURS = 8
STEPS = 8
THIN = np.random.default_rng(SEED).random(200_000) < 0.2
"""Pairs on which a candidate feature is fitted while choosing (the figures printed use all)."""


def main() -> None:
    """Build the features, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--select", action="store_true", help="add features one by one to the law instead")
    parser.add_argument("--best", action="store_true", help="the best few terms, on other folds too, instead")
    parser.add_argument("--relief", action="store_true", help="ways of several costs instead")
    parser.add_argument("--around", action="store_true", help="people nearer and farther, the line between, instead")
    options = parser.parse_args()
    zones = pq.read_table(ROOT / "data/territory/communes.parquet").to_pandas().set_index("zone_code")
    former = pq.read_table(ROOT / "data/territory/former_codes.parquet").to_pandas()
    current = dict(zip(former["code_2021"], former["zone_code"], strict=True)) | {c: c for c in zones.index}
    pairs = read_isere(options.shared, zones, current)
    xy = np.column_stack(models.plane_km(zones))
    if options.relief:
        ways(zones, pairs, xy[zones.index.get_indexer(pairs.codes)])
        return
    if options.around:
        around(zones, pairs, xy)
        return
    near = np.unique(np.concatenate(cKDTree(xy).query_ball_point(xy[zones.index.get_indexer(pairs.codes)], 25.0)))
    part, xy = zones.iloc[near], xy[near]
    at = part.index.get_indexer(pairs.codes)
    features = features_of(part, xy, at, contours(part.index))
    known_then = {k: v for k, v in features.items() if k not in ("same_epci", "wide_people_low", "wide_people_high")}
    if options.select:
        select(known_then, pairs.osrm_min, pairs.crow_km, xy[at])
    elif options.best:
        best(features, pairs.osrm_min, pairs.crow_km, xy[at])
    else:
        report(known_then, pairs.osrm_min, pairs.crow_km, xy[at])


def contours(codes: pd.Index) -> np.ndarray:
    """Polygons of the communes, degrees."""
    table = pq.read_table(ROOT / "data/territory/contours.parquet").to_pandas().set_index("zone_code")
    return np.asarray(shapely.from_wkb(table.loc[codes, "geometry"].to_numpy()))


def features_of(zones: pd.DataFrame, xy: np.ndarray, at: np.ndarray, shape: np.ndarray) -> dict[str, np.ndarray]:
    """Square tables (pairs of `at`), symmetric, by name."""
    density = travel.log_density(zones["population"].to_numpy(), zones["area_km2"].to_numpy())
    area = np.log(zones["area_km2"].to_numpy())
    crow = np.maximum(np.hypot(*(xy[at][:, None] - xy[at][None]).transpose(2, 0, 1)), travel.MIN_CROW_KM)
    found = {"log_km": np.log(crow)}
    tree = cKDTree(xy)
    gaps = tree.query(xy, k=6)[0]
    middle = np.column_stack([shapely.get_x(shapely.centroid(shape)), shapely.get_y(shapely.centroid(shape))])
    scale = np.array([np.cos(np.radians(zones["lat"].mean())), 1.0]) * 111.195
    offset = (zones[["lon", "lat"]].to_numpy() - middle) * scale
    compact = 4 * np.pi * shapely.area(shape) / shapely.length(shape) ** 2
    ends = {
        "density": density, "area": area, "gap_1": np.log(gaps[:, 1] + 0.1), "gap_3": np.log(gaps[:, 1:4].mean(axis=1)),
        "gap_5": np.log(gaps[:, 1:6].mean(axis=1)), "compact": compact, "people": np.log1p(zones["population"].to_numpy()),
        "offset": np.hypot(*offset.T) / np.sqrt(zones["area_km2"].to_numpy()),
        "second": (zones["second_homes"] / zones["dwellings"]).fillna(0.0).to_numpy(),
        "near_people": near_density(xy, zones["population"].to_numpy(float), 3.0),
        "far_people": near_density(xy, zones["population"].to_numpy(float), 10.0),
        "wide_people": near_density(xy, zones["population"].to_numpy(float), 20.0),
    }  # fmt: skip
    for name, value in ends.items():
        v = value[at]
        found[f"{name}_low"], found[f"{name}_high"] = np.minimum.outer(v, v), np.maximum.outer(v, v)
    found |= along_line(xy, at, tree, density, area, zones["population"].to_numpy(float), shape, scale, zones)
    found |= graph_paths(xy, at, density, crow)
    found |= valley(xy, at, tree, crow)
    epci = zones["epci_code"].to_numpy(str)[at]
    found["same_epci"] = np.equal.outer(epci, epci).astype(float)
    shift = crow_between(middle[at] * scale)
    found["middle_ratio"] = np.log((shift + 0.3) / (crow + 0.3))
    return found


def near_density(xy: np.ndarray, people: np.ndarray, km: float) -> np.ndarray:
    """ln(1 + people within km)."""
    return np.log1p([people[rows].sum() for rows in cKDTree(xy).query_ball_point(xy, km)])


def crow_between(xy: np.ndarray) -> np.ndarray:
    """Distances between all points."""
    return np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))


def along_line(
    xy: np.ndarray, at: np.ndarray, tree: cKDTree, density: np.ndarray, area: np.ndarray, people: np.ndarray,
    shape: np.ndarray, scale: np.ndarray, zones: pd.DataFrame,
) -> dict[str, np.ndarray]:  # fmt: skip
    """What lies along the straight line: distance to the nearest town hall, density, area and number of communes crossed."""
    n = len(at)
    share = (np.arange(SAMPLES) + 0.5) / SAMPLES
    a = xy[at]
    place = a[:, None, None] * (1 - share)[:, None] + a[None, :, None] * share[:, None]
    far, nearest = tree.query(place.reshape(-1, 2))
    far, nearest = far.reshape(n, n, SAMPLES), nearest.reshape(n, n, SAMPLES)
    lonlat = zones[["lon", "lat"]].to_numpy()[at]
    spot = lonlat[:, None, None] * (1 - share)[:, None] + lonlat[None, :, None] * share[:, None]
    upper = np.triu_indices(n, 1)
    spots = spot[upper].reshape(-1, 2)
    inside = nearest[upper].reshape(-1).copy()
    which, polygon = shapely.STRtree(shape).query(shapely.points(spots), predicate="intersects").astype(np.int64)
    inside[which] = polygon
    inside = inside.reshape(-1, SAMPLES)
    found = {
        "line_far_mean": far.mean(axis=2), "line_far_max": far.max(axis=2),
        "line_far_rms": np.sqrt((far**2).mean(axis=2)),
        "line_far_share": far.max(axis=2) / np.maximum(crow_between(a), 0.3),
    }  # fmt: skip
    ranked = np.sort(inside, axis=1)
    crossed = 1 + (np.diff(ranked, axis=1) != 0).sum(axis=1)
    other = (inside != at[upper[0]][:, None]) & (inside != at[upper[1]][:, None])
    for name, value in {
        "line_density_mean": density[inside].mean(axis=1), "line_density_low": density[inside].min(axis=1),
        "line_density_high": density[inside].max(axis=1), "line_empty": (density[inside] < np.log1p(20)).mean(axis=1),
        "line_sparse": (density[inside] < np.log1p(60)).mean(axis=1), "line_dense": (density[inside] > np.log1p(500)).mean(axis=1),
        "line_area_mean": area[inside].mean(axis=1), "line_area_max": area[inside].max(axis=1),
        "line_crossed": np.log(crossed), "line_third": other.mean(axis=1),
    }.items():  # fmt: skip
        table = np.zeros((n, n))
        table[upper] = value
        found[name] = table + table.T
    return found


def graph_paths(xy: np.ndarray, at: np.ndarray, density: np.ndarray, crow: np.ndarray) -> dict[str, np.ndarray]:
    """Shortest paths over the triangulation of town halls: long hops cost more than their length, dense ends less speed."""
    corner = Delaunay(xy).simplices
    edge = np.unique(np.sort(np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]], corner[:, [0, 2]]]), axis=1), axis=0)
    km = np.hypot(*(xy[edge[:, 0]] - xy[edge[:, 1]]).T)
    edge, km = edge[(km < 20) & (km > 0)], km[(km < 20) & (km > 0)]
    mean = density[edge].mean(axis=1)
    costs = {
        "path_1": km, "path_15": km**1.5, "path_2": km**2, "path_sparse": km * np.exp(-0.25 * mean),
        "path_sparse_15": km**1.5 * np.exp(-0.25 * mean), "path_dense": km * np.exp(0.15 * mean),
    }  # fmt: skip
    found = {}
    for name, cost in costs.items():
        graph = csr_matrix((cost, edge.T), shape=(len(xy), len(xy)))
        total = np.maximum(dijkstra(graph, directed=False, indices=at)[:, at], 0.1)
        total = (total + total.T) / 2
        found[name] = np.log(total) - np.log(crow)
    return found


def valley(xy: np.ndarray, at: np.ndarray, tree: cKDTree, crow: np.ndarray) -> dict[str, np.ndarray]:
    """How far the line runs along the axis on which the towns around each end stand."""
    rows = tree.query(xy[at], k=AXIS_NEIGHBOURS + 1)[1]
    around = xy[rows] - xy[rows].mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(np.einsum("nki,nkj->nij", around, around))
    long = 1 - np.sqrt(values[:, 0] / values[:, 1])
    way = (xy[at][None] - xy[at][:, None]) / np.maximum(crow, 0.3)[..., None]
    cosine = np.abs(np.einsum("nmi,ni->nm", way, vectors[:, :, 1]))
    along = long[:, None] * (cosine**2 - 0.5)
    return {
        "valley_sum": along + along.T, "valley_low": np.minimum(along, along.T),
        "axis_low": np.minimum.outer(long, long), "axis_high": np.maximum.outer(long, long),
    }  # fmt: skip


def report(features: dict[str, np.ndarray], osrm: np.ndarray, crow: np.ndarray, xy: np.ndarray) -> None:
    """Held-out figures of each model on each kind of fold."""
    n = len(osrm)
    upper = np.triu_indices(n, 1)
    x = pd.DataFrame({name: table[upper] for name, table in features.items()})
    seen, km = osrm[upper], crow[upper]
    use = (seen > 0.5) & (km > 0) & (seen < 100)
    random = np.random.default_rng(SEED).integers(0, FOLDS, n)
    blocks = kmeans2(xy, BLOCKS, seed=SEED, minit="++")[1]
    law = pd.DataFrame({"l": x["log_km"], "l2": x["log_km"] ** 2})
    law["d"] = x["density_low"] + x["density_high"]
    law["dl"] = law["d"] * law["l"]
    wide = pd.concat([law, x.drop(columns="log_km")], axis=1)
    crossed = pd.concat([wide, wide.drop(columns=["l", "l2", "dl"]).mul(law["l"], axis=0).add_suffix("*l")], axis=1)
    beyond = np.maximum(x["log_km"], 0.0)
    shipped = law.drop(columns="l2").assign(l2=beyond**2, l3=beyond**3)
    for name in ("second", "far_people", "gap_3"):
        shipped[name] = x[f"{name}_low"] + x[f"{name}_high"]
        shipped[f"{name}*l"] = shipped[name] * law["l"]
    models_ = {
        "former law": (law, "ridge"), "shipped law": (shipped, "ridge"), "all, linear": (wide, "ridge"), "all and by ln km, linear": (crossed, "ridge"),
        "boosting on the law's terms": (x[["log_km", "density_low", "density_high"]], "boost"),
        "boosting on all": (x, "boost"), "boosting on all, absolute": (x, "boost_l1"),
    }  # fmt: skip
    weight = np.maximum(km, 1.0) ** -1.5
    for kind, fold in (("communes at random", random), ("six blocks", blocks)):
        for name, (table, how) in models_.items():
            guess = np.full(len(seen), np.nan)
            for f in np.unique(fold):
                out_a, out_b = fold[upper[0]] == f, fold[upper[1]] == f
                train, test = use & ~out_a & ~out_b, use & out_a & out_b
                model = fitted(table[train], np.log(seen[train]), weight[train], how)
                guess[test] = np.exp(model.predict(table[test]))
            tell(f"{kind} | {name}", seen, guess)


def best(features: dict[str, np.ndarray], osrm: np.ndarray, crow: np.ndarray, xy: np.ndarray) -> None:
    """The shipped law and a few terms more, least squares and least absolute deviations, then boosting on what is left."""
    n = len(osrm)
    upper = np.triu_indices(n, 1)
    x = {name: table[upper] for name, table in features.items()}
    seen, km, length = osrm[upper], crow[upper], x["log_km"]
    use = np.flatnonzero((seen > 0.5) & (km > 0) & (seen < 100))
    beyond = np.maximum(length, 0.0)
    law = [np.ones(len(seen)), length, beyond**2, beyond**3]
    for name in ("density", "second", "far_people", "gap_3"):
        both = x[f"{name}_low"] + x[f"{name}_high"]
        law += [both, both * length]
    apart = x["density_high"] - x["density_low"]
    wide = [x["wide_people_low"] + x["wide_people_high"], x["wide_people_high"] - x["wide_people_low"]]
    more = {
        "density of one end less the other": [apart, apart * length],
        "and people within 20 km": wide,
        "and path through dense land": [x["path_sparse"], x["path_sparse"] * length],
        "and third communes": [x["line_third"]],
        "and same EPCI": [x["same_epci"], x["same_epci"] * length, x["same_epci"] * beyond**2],
    }
    tables, columns = {"shipped law": law}, law
    for name, extra in more.items():
        columns = columns + extra
        tables[name] = columns
    draws = [np.random.default_rng(s).integers(0, FOLDS, n) for s in (SEED, *OTHER_DRAWS)]
    blocks = [kmeans2(xy, k, seed=s, minit="++")[1] for k, s in ((BLOCKS, SEED), *OTHER_BLOCKS)]
    y, weight = np.log(np.maximum(seen, 0.1)), np.maximum(km, 1.0) ** -1.5
    everything = np.stack([v for name, v in x.items()], 1)
    for kind, folds in (("at random", draws), ("blocks", blocks)):
        for name, some in tables.items():
            for loss, again in (("squares", 0), ("absolute", REWEIGHTINGS)):
                guesses = [held_guess(np.stack(some, 1), y, weight, use, fold, upper, again) for fold in folds]
                tell(f"{kind} | {name}, {loss}", seen, np.exp(guesses[0]))
                tell(
                    f"{kind} | the same, other folds",
                    np.tile(seen, len(folds) - 1),
                    np.exp(np.concatenate(guesses[1:])),
                )
        for name in ("shipped law", "and same EPCI"):
            guess = held_guess(np.stack(tables[name], 1), y, weight, use, folds[0], upper, REWEIGHTINGS, everything)
            tell(f"{kind} | {name}, absolute, boosting on what is left", seen, np.exp(guess))


WAYS = {
    "density 0.15, climb 12": (0.15, 12.0), "density 0.15, climb 20": (0.15, 20.0), "density 0.2, no climb": (0.2, 0.0),
    "density 0.2, climb 12": (0.2, 12.0), "density 0.2, climb 20": (0.2, 20.0), "density 0.2, climb 35": (0.2, 35.0),
    "density 0.25, climb 20": (0.25, 20.0), "no density, climb 20": (0.0, 20.0),
}  # fmt: skip
"""Costs of the way that were tried: effect of ln(1 + people per km2), km that a km of climb costs."""


def ways(zones: pd.DataFrame, pairs: Isere, xy: np.ndarray) -> None:
    """The law without the way, with altitudes alone, and with ways of several costs, on folds of communes and of blocks."""
    n = len(pairs.codes)
    upper = np.triu_indices(n, 1)
    seen, km = pairs.osrm_min[upper], np.maximum(pairs.crow_km, travel.MIN_CROW_KM)[upper]
    length = np.log(km)
    beyond = np.maximum(length, 0.0)
    law = [np.ones(len(km)), length, beyond**2, beyond**3]
    for value in pairs.settlement.values():
        both = (value[:, None] + value[None])[upper]
        law += [both, both * length]
    height = zones["altitude_m"].to_numpy(float)[zones.index.get_indexer(pairs.codes)] / 1000.0
    density = pairs.settlement["density"]
    apart, climb = (np.abs(v[:, None] - v[None])[upper] for v in (density, height))
    tables = {
        "without the way": law, "and densities apart": [*law, apart, apart * length],
        "the same and altitudes apart": [*law, apart, apart * length, climb, climb * length],
    }  # fmt: skip
    for name, (by_density, by_climb) in WAYS.items():
        values = {**PATH_VALUES, "travel_path_density": by_density, "travel_path_climb": by_climb}
        way = paths_of(zones, pairs.codes, pairs.crow_km, values)[upper]
        tables[f"way: {name}"] = [*law, apart, apart * length, way, way * length]
    use = np.flatnonzero((seen > 0.5) & (km > 0) & (seen < 100))
    y, weight = np.log(np.maximum(seen, 0.1)), np.maximum(km, 1.0) ** -1.5
    draws = [np.random.default_rng(s).integers(0, FOLDS, n) for s in (SEED, *OTHER_DRAWS)]
    blocks = [kmeans2(xy, k, seed=s, minit="++")[1] for k, s in ((BLOCKS, SEED), *OTHER_BLOCKS)]
    for kind, folds in (("at random", draws), ("blocks", blocks)):
        for name, some in tables.items():
            columns = np.stack(some, 1)
            guesses = [held_guess(columns, y, weight, use, fold, upper, REWEIGHTINGS) for fold in folds]
            tell(f"{kind} | {name}", np.tile(seen, len(folds)), np.exp(np.concatenate(guesses)))


AROUND_KM = (3.0, 20.0)
ELSEWHERE = (
    ("84003", "84007"), ("84003", "84105"), ("04088", "04112"), ("05023", "05061"), ("04019", "04070"), ("13055", "13001"),
    ("06163", "06088"), ("28085", "45234"), ("75056", "77284"), ("75056", "28085"), ("2B033", "2A004"),
)  # fmt: skip
"""Trips outside Isère whose minutes are printed: Apt - Avignon and Saignon, Forcalquier - Manosque, Briançon - Gap,
Barcelonnette - Digne, Marseille - Aix, Tende - Nice, Chartres - Orléans, Paris - Meaux and Chartres, Bastia - Ajaccio."""


def around(zones: pd.DataFrame, pairs: Isere, xy: np.ndarray) -> None:
    """The shipped law and terms on top of it, with its own pairs and weights: errors held out, then trips elsewhere."""
    people = np.log1p(models.neighbourhood(xy[:, 0], xy[:, 1], zones["population"].to_numpy(float), AROUND_KM)[0])
    rows = zones.index.get_indexer(pairs.codes)
    upper = np.triu_indices(len(rows), 1)
    seen, km = pairs.osrm_min[upper], pairs.crow_km[upper]
    tables = laws(zones, people, rows[upper[0]], rows[upper[1]], km, pairs.path[upper])
    use = np.flatnonzero((seen > 0.5) & (km > 0) & (km < 100))
    y, weight = np.log(np.maximum(seen, 0.5)), np.maximum(km, 1.0) ** -TRAVEL_WEIGHT_POWER
    draws = [np.random.default_rng(s).integers(0, FOLDS, len(rows)) for s in (SEED, *OTHER_DRAWS)]
    blocks = [kmeans2(xy[rows], k, seed=s, minit="++")[1] for k, s in ((BLOCKS, SEED), *OTHER_BLOCKS)]
    for kind, folds in (("at random", draws), ("blocks", blocks)):
        for name, columns in tables.items():
            guesses = [held_guess(columns, y, weight, use, fold, upper, REWEIGHTINGS) for fold in folds]
            tell(
                f"{kind} | {name}",
                np.tile(seen, len(folds)),
                np.exp(np.concatenate(guesses)),
                (*BANDS_MIN, LONG_MIN),
            )
    a, b = (zones.index.get_indexer([trip[end] for trip in ELSEWHERE]) for end in (0, 1))
    lon, lat = zones["lon"].to_numpy(), zones["lat"].to_numpy()
    crow = travel.crow_km(lon[a], lat[a], lon[b], lat[b])
    paths = Paths.load(ROOT / "data/territory", len(zones))
    way = paths.ratio(a, b, crow, zones["usual_path"].to_numpy(), PATH_VALUES["travel_path_most"])
    there = laws(zones, people, a, b, crow, way)
    for name, columns in tables.items():
        c, _ = least_deviations(columns[use], y[use], weight[use])
        told = zip(zones["name"].iloc[a], zones["name"].iloc[b], crow, np.exp(there[name] @ c), strict=True)
        print(f"{name}: " + ", ".join(f"{one} - {two} ({line:.0f} km) {m:.1f}" for one, two, line, m in told))


def laws(
    zones: pd.DataFrame, people: np.ndarray, a: np.ndarray, b: np.ndarray, km: np.ndarray, way: np.ndarray
) -> dict[str, np.ndarray]:
    """Columns of each law for trips between rows a and b of `zones`, km apart as the crow flies, with their way R.

    people: (n, 2), ln(1 + people within each of `AROUND_KM`).
    """

    def both(value: np.ndarray) -> np.ndarray:
        return np.asarray(value[a] + value[b])

    def apart(value: np.ndarray) -> np.ndarray:
        return np.abs(value[a] - value[b])

    km = np.maximum(km, travel.MIN_CROW_KM)
    length = np.log(km)
    beyond = np.maximum(length, 0.0)
    settlement = travel.settlement(zones)
    shipped = [np.ones(len(km)), length, beyond**2, beyond**3]
    for value in settlement.values():
        shipped += [both(value), both(value) * length]
    for value in (apart(settlement["density"]), way):
        shipped += [value, value * length]
    between = np.maximum(1.0 - both(np.sqrt(zones["area_km2"].to_numpy(float) / np.pi)) / km, 0.0)
    near, wide = people.T
    three = [both(near), both(near) * length]
    more = {
        "shipped": [],
        "people within 3 km": three,
        "line between both communes": [between],
        "both of these": [*three, between],
        "and people within 20 km": [*three, between, both(wide)],
        "and how far apart in people within 20 km": [*three, between, both(wide), apart(wide)],
    }
    return {name: np.stack([*shipped, *terms], 1) for name, terms in more.items()}


def held_guess(
    columns: np.ndarray, y: np.ndarray, weight: np.ndarray, use: np.ndarray, fold: np.ndarray,
    upper: tuple[np.ndarray, ...], again: int, boosted: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """ln(minutes) of each pair of `use` both ends of which are in one fold, by a fit that saw neither; else NaN.

    again: how often the squares are weighted anew towards absolute deviations. boosted: features on which boosting learns
    what the fit leaves, on a share of the pairs.
    """
    guess = np.full(len(y), np.nan)
    for f in np.unique(fold):
        out_a, out_b = fold[upper[0]][use] == f, fold[upper[1]][use] == f
        train, test = use[~out_a & ~out_b], use[out_a & out_b]
        a, w = columns[train], weight[train].copy()
        c = np.linalg.lstsq((a * w[:, None]).T @ a, (a * w[:, None]).T @ y[train], rcond=None)[0]
        for _ in range(again):
            w = weight[train] / np.maximum(np.abs(a @ c - y[train]), LEAST_RESIDUAL)
            c = np.linalg.lstsq((a * w[:, None]).T @ a, (a * w[:, None]).T @ y[train], rcond=None)[0]
        guess[test] = columns[test] @ c
        if boosted is not None:
            some = train[np.random.default_rng(SEED).random(len(train)) < BOOSTED_SHARE]
            model = HistGradientBoostingRegressor(
                loss="absolute_error", max_iter=60, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=150,
                l2_regularization=10.0, max_features=0.3, random_state=SEED,
            ).fit(boosted[some], (y - columns @ c)[some], sample_weight=weight[some])  # fmt: skip
            guess[test] += model.predict(boosted[test])
    return guess


def select(features: dict[str, np.ndarray], osrm: np.ndarray, crow: np.ndarray, xy: np.ndarray) -> None:
    """Add to the law, one by one, the feature (or pair low and high) that lowers the held-out error of both folds most."""
    n = len(osrm)
    upper = np.triu_indices(n, 1)
    x = {name: table[upper] for name, table in features.items() if name != "log_km"}
    seen, km, length = osrm[upper], crow[upper], features["log_km"][upper]
    use = (seen > 0.5) & (km > 0) & (seen < 100)
    d = x["density_low"] + x["density_high"]
    base = [np.ones(len(seen)), length, length**2, d, d * length]
    groups = {
        name.removesuffix("_low"): [x[name], x[name.replace("_low", "_high")]]
        for name in x
        if name.endswith("_low") and name.replace("_low", "_high") in x
    }
    taken = {part for name in groups for part in (f"{name}_low", f"{name}_high")}
    groups |= {name: [value] for name, value in x.items() if name not in taken}
    sums = {f"{name}, sum": [value[0] + value[1]] for name, value in groups.items() if len(value) == 2}
    groups = sums | {name: value for name, value in groups.items() if len(value) == 1}
    groups |= {f"{name} by ln km": [value[0], value[0] * length] for name, value in groups.items()}
    weight = np.maximum(km, 1.0) ** -1.5
    folds = []
    for fold in (np.random.default_rng(SEED).integers(0, FOLDS, n), kmeans2(xy, BLOCKS, seed=SEED, minit="++")[1]):
        for f in np.unique(fold):
            out_a, out_b = fold[upper[0]] == f, fold[upper[1]] == f
            folds.append((use & ~out_a & ~out_b, use & out_a & out_b, len(folds) >= FOLDS))
    chosen: list[str] = []
    columns = list(base)
    for _ in range(STEPS):
        scores = {
            name: held_out(columns + more, np.log(seen), weight, folds)
            for name, more in groups.items()
            if name not in chosen
        }
        best = min(scores, key=lambda name: scores[name])
        chosen.append(best)
        columns += groups[best]
        print(f"{len(chosen)} + {best}: {scores[best]:.4f}", flush=True)
        for blocks in (False, True):
            guess = np.full(len(seen), np.nan)
            for train, test, kind in folds:
                if kind == blocks:
                    guess[test] = np.exp(
                        np.stack([c[test] for c in columns], 1) @ solved(columns, np.log(seen), weight, train)
                    )
            tell("   six blocks" if blocks else "   at random", seen, guess)


def solved(columns: list[np.ndarray], y: np.ndarray, weight: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Weighted least squares on some rows."""
    a = np.stack([c[rows] for c in columns], 1)
    w = weight[rows][:, None]
    return np.linalg.lstsq((a * w).T @ a, (a * w).T @ y[rows], rcond=None)[0]


def held_out(
    columns: list[np.ndarray], y: np.ndarray, weight: np.ndarray, folds: list[tuple[np.ndarray, np.ndarray, bool]]
) -> float:
    """Weighted root mean square error of ln(minutes) on what each fold kept aside, random and blocks alike (one pair of five)."""
    total = []
    for blocks in (False, True):
        squares, weights = 0.0, 0.0
        for train, test, kind in folds:
            if kind != blocks:
                continue
            some = train & THIN[: len(train)]
            error = y[test] - np.stack([c[test] for c in columns], 1) @ solved(columns, y, weight, some)
            squares, weights = squares + float(weight[test] @ error**2), weights + float(weight[test].sum())
        total.append(np.sqrt(squares / weights))
    return float(np.mean(total))


def fitted(x: pd.DataFrame, y: np.ndarray, weight: np.ndarray, how: str):  # type: ignore[no-untyped-def]
    """A model of ln(minutes)."""
    if how == "ridge":
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(StandardScaler(), Ridge(1.0)).fit(x, y, ridge__sample_weight=weight)
    return HistGradientBoostingRegressor(
        loss="absolute_error" if how == "boost_l1" else "squared_error", max_iter=300, learning_rate=0.06,
        max_leaf_nodes=24, min_samples_leaf=200, l2_regularization=5.0, random_state=SEED,
    ).fit(x, y, sample_weight=weight)  # fmt: skip


def tell(
    name: str, seen: np.ndarray, guess: np.ndarray, bands_min: tuple[tuple[int, int], ...] = BANDS_MIN
) -> None:  # fmt: skip
    """One line: median error by observed band, bias by estimated band."""
    known = np.isfinite(guess)
    seen, guess = seen[known], guess[known]
    error, bias = [], []
    for low, high in bands_min:
        band, mine = (seen >= low) & (seen < high), (guess >= low) & (guess < high)
        error.append(f"{100 * np.median(np.abs(guess[band] / seen[band] - 1)):5.1f}")
        bias.append(f"{100 * np.median(guess[mine] / seen[mine]) - 100:+5.1f}")
    print(f"{name:50s} median error {' '.join(error)}   bias by estimate {' '.join(bias)}", flush=True)


if __name__ == "__main__":
    main()
