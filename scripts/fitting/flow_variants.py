"""Research: other laws of distance for the flows, each fitted on Isère with official margins. docs/flows.md tells what came out.

    python scripts/fitting/flow_variants.py [--shared ../shared] [--osrm] [--only WORDS] [--beyond]

Prints for each the CPC on communes held out at random (two halves), on four blocks of territory held out, and fitted on
everything. --osrm: with the minutes of OSRM in place of those of the built-in estimate. --only: variants whose name holds this.
--beyond: what the shipped form gains from boosting on what it leaves, and from sending its smallest flows to none, instead.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import shapely
from scipy.cluster.vq import kmeans2
from scipy.optimize import minimize

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from coopconnect.territory import gravity, travel  # noqa: E402
from coopconnect.territory.build import models  # noqa: E402
from coopconnect.territory.fitted import fitted_values  # noqa: E402
from fitting.common import SEED, Isere, read_isere  # noqa: E402
from fitting.flows import LEAST_MIN, isere_min  # noqa: E402

BLOCKS = 4
ROUNDS = 16
"""Of the balance and of its derivative at each step of the search; both go on from the step before."""
FINAL_ROUNDS = 60
SMOOTH = 0.25
"""Commuters within which the smaller of two flows is taken smoothly, for the search only."""
MEAN_WEIGHT = 0.5
STEPS_LIKELIHOOD, STEPS_CPC = 60, 100
STARTS = 2
"""Of the search on CPC, each from where the one before stood: a balance that is not ended misleads it at times."""
START_RATE_PER_MIN = 0.13
START_OWN = 4.0
RIDGE = 1e-6
ACCESS_MIN = 10.0
HURDLES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
"""Commuters under which a modelled flow is none, the margins being met again; the best one on the residents fitted on."""
LEAST_BOOSTED = 0.02
"""Modelled commuters under which a pair is left out of the boosting."""
CENTRES = ("local", "intermédiaire", "structurant", "majeur")


@dataclass
class Variant:
    """ln K = sum of coefficient * term - exp(constant + sum of coefficient * rate) * minutes between two communes, and
    constant + sum of coefficient * own inside one. terms, rates: (n, n); own: (n,). with_rate: whether there is a rate."""

    name: str
    terms: list[np.ndarray] = field(default_factory=list)
    rates: list[np.ndarray] = field(default_factory=list)
    own: list[np.ndarray] = field(default_factory=list)
    with_rate: bool = True


class Search:
    """The coefficients with the best CPC, by gradient: the derivative through the balance is exact (each term less its
    means by row and column, weighted by the flows)."""

    def __init__(self, variant: Variant, minutes: np.ndarray, flows: np.ndarray) -> None:
        n = len(flows)
        self.flows, self.minutes, self.own_pair = flows, minutes, np.eye(n, dtype=bool)
        self.workers, self.jobs = flows.sum(axis=1), flows.sum(axis=0)
        self.with_rate = variant.with_rate
        self.terms = self._standard(variant.terms)
        self.rates = self._standard(variant.rates)
        own = [(v - v.mean()) / (v.std() + 1e-9) for v in variant.own]
        self.own = np.stack([np.ones(n), *own])
        self.b = np.ones(n)

    def _standard(self, arrays: list[np.ndarray]) -> np.ndarray:
        out, result = ~self.own_pair, []
        for value in arrays:
            full = np.broadcast_to(value, self.own_pair.shape).astype(float)
            full = (full - full[out].mean()) / (full[out].std() + 1e-9)
            result.append(np.where(out, full, 0.0).ravel())
        return np.array(result).reshape(len(arrays), self.own_pair.size)

    def start(self) -> np.ndarray:
        """Nothing known: a rate of 0.13 a minute, or the first term falling, and a commune that keeps some of its own."""
        z = np.zeros(len(self.terms) + 1 + len(self.rates) + len(self.own))
        if not self.with_rate:
            z[0] = -2.0
        z[len(self.terms)] = np.log(START_RATE_PER_MIN)
        z[len(self.terms) + 1 + len(self.rates)] = START_OWN if not self.with_rate else 0.0
        return z

    def flow(self, z: np.ndarray, rounds: int) -> tuple[np.ndarray, np.ndarray]:
        """Commuters, and the rate times the minutes of each pair."""
        first, last = len(self.terms), len(self.terms) + 1 + len(self.rates)
        shape = self.own_pair.shape
        log_kernel = (z[:first] @ self.terms).reshape(shape)
        fall = np.zeros(shape)
        if self.with_rate:
            spread = (z[first + 1 : last] @ self.rates).reshape(shape)
            fall = np.where(self.own_pair, 0.0, np.exp(np.clip(z[first] + spread, -8.0, 3.0)) * self.minutes)
        log_kernel = log_kernel - fall
        log_kernel[self.own_pair] = z[last:] @ self.own
        log_kernel -= log_kernel.max(axis=1, keepdims=True)
        kernel = np.exp(np.maximum(log_kernel, -60.0))
        for _ in range(rounds):
            a = self.workers / np.maximum(kernel @ self.b, 1e-300)
            self.b = self.jobs / np.maximum(kernel.T @ a, 1e-300)
        a = self.workers / np.maximum(kernel @ self.b, 1e-300)
        return a[:, None] * kernel * self.b, fall

    def back(self, slope: np.ndarray, fall: np.ndarray) -> np.ndarray:
        """Derivative by coefficient of what has the derivative `slope` by ln K."""
        of_terms = self.terms @ slope.ravel()
        of_rates = np.concatenate([[0.0], np.zeros(len(self.rates))])
        if self.with_rate:
            pushed = -(slope * fall).ravel()
            of_rates = np.concatenate([[pushed.sum()], self.rates @ pushed])
        return np.concatenate([of_terms, of_rates, self.own @ slope[self.own_pair]])

    def likelihood(self, z: np.ndarray, rows: np.ndarray) -> tuple[float, np.ndarray]:
        """Poisson, by commuter: where the search begins."""
        model, fall = self.flow(z, ROUNDS)
        seen, weight = self.flows, rows[:, None] / self.flows[rows].sum()
        value = -float((weight * seen * np.log(np.maximum(model, 1e-9))).sum())
        return value + RIDGE * z @ z, self.back(weight * (model - seen), fall) + 2 * RIDGE * z

    def loss(self, z: np.ndarray, rows: np.ndarray) -> tuple[float, np.ndarray]:
        """CPC of the residents of `rows`, less, and how far their mean commute is from what is observed."""
        model, fall = self.flow(z, ROUNDS)
        share = rows[:, None] / self.flows[rows].sum()
        gap = model - self.flows
        wide = np.sqrt(gap**2 + SMOOTH**2)
        value = -float((share * (model + self.flows - wide)).sum())
        slope = -share * (1 - gap / wide)
        out = ~self.own_pair & rows[:, None]
        asked = (self.flows * self.minutes)[out].sum() / self.flows[out].sum()
        mean = (model * self.minutes)[out].sum() / model[out].sum()
        off = mean / asked - 1
        size = np.sqrt(off**2 + 1e-6)
        value += MEAN_WEIGHT * size
        slope = slope + MEAN_WEIGHT * off / size * out * (self.minutes - mean) / (model[out].sum() * asked)
        weighted = model * slope
        by_row, by_column = (np.maximum(model.sum(axis=k), 1e-12) for k in (1, 0))
        u, v = np.zeros(len(model)), np.zeros(len(model))
        for _ in range(ROUNDS):
            u = (weighted.sum(axis=1) - model @ v) / by_row
            v = (weighted.sum(axis=0) - model.T @ u) / by_column
        through = weighted - model * (u[:, None] + v)
        return value + RIDGE * z @ z, self.back(through, fall) + 2 * RIDGE * z

    def best(self, rows: np.ndarray) -> np.ndarray:
        """Commuters of the law fitted on the residents of `rows`, for everybody."""
        self.b = np.ones(len(self.flows))
        z = self.start()
        for goal, steps in ((self.likelihood, STEPS_LIKELIHOOD), *[(self.loss, STEPS_CPC)] * STARTS):
            z = minimize(goal, z, args=(rows,), jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 30}).x
        return self.flow(z, FINAL_ROUNDS)[0]


def main() -> None:
    """Fit every variant, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--osrm", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--beyond", action="store_true")
    options = parser.parse_args()
    zones = pq.read_table(ROOT / "data/territory/communes.parquet").to_pandas().set_index("zone_code")
    former = pq.read_table(ROOT / "data/territory/former_codes.parquet").to_pandas()
    current = dict(zip(former["code_2021"], former["zone_code"], strict=True)) | {c: c for c in zones.index}
    pairs = read_isere(options.shared, zones, current)
    part = zones.loc[pairs.codes]
    law = travel.TravelLaw.from_parameters(fitted_values())
    minutes = np.maximum(pairs.osrm_min, LEAST_MIN) if options.osrm else isere_min(pairs, law)
    folds = held_out(np.column_stack(models.plane_km(part)))
    area = areas(options.shared, part, current)
    centre = centres(options.shared, part, current)
    if options.beyond:
        beyond(pairs, part, minutes, area, centre, folds)
        return
    for variant in variants(pairs, part, minutes, area, centre):
        if options.only in variant.name:
            tell(variant, minutes, pairs.flows, folds)


def held_out(xy_km: np.ndarray) -> dict[str, list[np.ndarray]]:
    """Rows to fit on: two halves of the communes at random, and all but one of the blocks of territory."""
    n = len(xy_km)
    half = np.random.default_rng(SEED).permutation(n) < n // 2
    _, block = kmeans2(xy_km, BLOCKS, seed=3, minit="++")
    return {"halves": [half, ~half], "blocks": [block != k for k in range(BLOCKS)]}


def areas(shared: Path, part: pd.DataFrame, current: dict[str, str]) -> pd.DataFrame:
    """EPCI, bassin de vie, zone d'emploi and aire d'attraction of each commune (2022)."""
    table = pd.read_excel(shared / "data/insee/table-appartenance-geo-communes-22.xlsx", skiprows=5, dtype=str)
    table["zone_code"] = table["CODGEO"].map(current)
    return table.drop_duplicates("zone_code").set_index("zone_code").reindex(part.index)


def centres(shared: Path, part: pd.DataFrame, current: dict[str, str]) -> np.ndarray:
    """Level of equipment of each commune (ANCT), 0 (no centre) to 4; the highest of its former communes."""
    table = pd.read_csv(shared / "data/anct/centralite.csv.gz", dtype=str, encoding="utf-8-sig")
    level = sum((k + 1) * table["niveau_centralite"].str.contains(word, na=False) for k, word in enumerate(CENTRES))
    return level.groupby(table["insee_com"].map(current)).max().reindex(part.index).fillna(0).to_numpy(float)


def beyond(
    pairs: Isere, part: pd.DataFrame, minutes: np.ndarray, area: pd.DataFrame, centre: np.ndarray,
    folds: dict[str, list[np.ndarray]],
) -> None:  # fmt: skip
    """CPC held out of the shipped form, of boosting on what it leaves, each also with its smallest flows sent to none."""
    flows, out = pairs.flows, ~np.eye(len(pairs.codes), dtype=bool)
    every = {v.name: v for v in variants(pairs, part, minutes, area, centre)}
    search = Search(every["Tanner, rate by density (shipped form)"], minutes, flows)
    features = pair_features(pairs, part, minutes, area, centre)
    for kind, found in folds.items():
        got: dict[str, list[float]] = {}
        total, asked = 0.0, 0.0
        for rows in found:
            model = search.best(rows)
            held = ~rows
            total += float(flows[held].sum())
            asked += float((flows * minutes)[held][out[held]].sum())
            boosted = balanced(model * boosted_ratio(features, model, flows, rows), flows)
            for name, flow in {"shipped form": model, "boosting on what it leaves": boosted}.items():
                cut = {h: balanced(np.where(flow < h, 0.0, flow), flows) for h in HURDLES}
                best = max(HURDLES, key=lambda h: gravity.common_part_of_commuters(cut[h][rows], flows[rows]))
                for label, value in ((name, flow), (f"{name}, none under {{}}", cut[best])):
                    entry = got.setdefault(label, [0.0, 0.0, 0.0])
                    entry[0] += float(np.minimum(value, flows)[held].sum())
                    entry[1] += float((value * minutes)[held][out[held]].sum())
                    entry[2] += best / len(found)
        for name, (common, time, cut_at) in got.items():
            print(
                f"{kind:8s} {name.format(f'{cut_at:.1f}'):44s} CPC {common / total:.3f}  minutes travelled {time / asked:.3f}",
                flush=True,
            )


def pair_features(
    pairs: Isere, part: pd.DataFrame, t: np.ndarray, area: pd.DataFrame, centre: np.ndarray
) -> np.ndarray:
    """(n, n, features): minutes, km, sizes and densities of both ends, what is nearer, borders, centres."""
    n, flows = len(pairs.codes), pairs.flows
    workers, jobs = flows.sum(axis=1), flows.sum(axis=0)
    density = travel.log_density(part["population"].to_numpy(float), pairs.area_km2)
    near = np.exp(-np.where(np.eye(n, dtype=bool), 0.0, t) / ACCESS_MIN)
    home = [np.log1p(workers), np.log(near @ jobs), density, centre, np.log(pairs.area_km2), np.log1p(jobs)]
    work = [np.log1p(jobs), np.log(near @ workers), density, centre, np.log1p(workers)]
    same = [part["epci_code"].to_numpy(str), *(area[k].to_numpy(str) for k in ("BV2012", "ZE2020", "AAV2020"))]
    square = (n, n)
    return np.stack(
        [
            np.where(np.eye(n, dtype=bool), 0.0, t), pairs.crow_km, np.log1p(nearer(t, jobs)), np.log1p(nearer(t.T, workers).T),
            larger(t, jobs), touching(part.index), *(np.equal.outer(v, v).astype(float) for v in same),
            *(np.broadcast_to(v[:, None], square) for v in home), *(np.broadcast_to(v[None], square) for v in work),
        ],
        axis=-1,
    ).astype(np.float32)  # fmt: skip


def boosted_ratio(features: np.ndarray, model: np.ndarray, flows: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Observed / modelled commuters of every pair, learnt on the residents of `rows` (Poisson, by modelled commuters)."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # slow to import, and no other variant needs it

    used = rows[:, None] & (model > LEAST_BOOSTED)
    learner = HistGradientBoostingRegressor(
        loss="poisson", max_iter=80, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=200, l2_regularization=20.0,
        random_state=SEED,
    ).fit(features[used], flows[used] / model[used], sample_weight=model[used])  # fmt: skip
    ratio = np.ones_like(model)
    known = model > LEAST_BOOSTED
    ratio[known] = learner.predict(features[known])
    return ratio


def balanced(kernel: np.ndarray, flows: np.ndarray) -> np.ndarray:
    """The kernel brought to the margins of `flows`."""
    b = np.ones(len(flows))
    for _ in range(FINAL_ROUNDS):
        a = flows.sum(axis=1) / np.maximum(kernel @ b, 1e-12)
        b = flows.sum(axis=0) / np.maximum(kernel.T @ a, 1e-12)
    a = flows.sum(axis=1) / np.maximum(kernel @ b, 1e-12)
    return a[:, None] * kernel * b


def tell(variant: Variant, minutes: np.ndarray, flows: np.ndarray, folds: dict[str, list[np.ndarray]]) -> None:
    """One line: CPC held out, of each kind of fold, and fitted on everything."""
    search = Search(variant, minutes, flows)
    line = []
    for kind, found in folds.items():
        common, total = 0.0, 0.0
        for rows in found:
            model = search.best(rows)[~rows]
            common += float(np.minimum(model, flows[~rows]).sum())
            total += float(flows[~rows].sum())
        line.append(f"{kind} {common / total:.3f}")
    everything = search.best(np.ones(len(flows), dtype=bool))
    print(
        f"{variant.name:56s} {'  '.join(line)}  all {gravity.common_part_of_commuters(everything, flows):.3f}",
        flush=True,
    )


def variants(pairs: Isere, part: pd.DataFrame, t: np.ndarray, area: pd.DataFrame, centre: np.ndarray) -> list[Variant]:
    """What is tried, the shipped law among them. t: minutes between communes; centre: level of equipment."""
    flows, n = pairs.flows, len(pairs.codes)
    workers, jobs = flows.sum(axis=1), flows.sum(axis=0)
    ln_workers, ln_jobs = np.log1p(workers), np.log1p(jobs)
    people = part["population"].to_numpy(float)
    density = travel.log_density(people, pairs.area_km2)
    ln_t = np.log(t)
    ln_km = np.log(np.maximum(pairs.crow_km, travel.MIN_CROW_KM))
    near = np.exp(-np.where(np.eye(n, dtype=bool), 0.0, t) / ACCESS_MIN)
    access_jobs, access_workers = np.log(near @ jobs), np.log(near @ workers)
    jobs_nearer, workers_nearer = nearer(t, jobs), nearer(t.T, workers).T
    radiation = (
        ln_workers[:, None]
        + ln_jobs
        - np.log((workers[:, None] + jobs_nearer) * (workers[:, None] + jobs + jobs_nearer) + 1)
    )
    own = [np.log(pairs.area_km2), ln_workers, ln_jobs]
    d = [pairs.density_sum]
    crossed = [np.log1p(jobs_nearer), np.log1p(workers_nearer)]
    by_jobs = [ln_jobs[None], ln_workers[:, None], access_jobs[:, None]]
    touch = touching(part.index)
    same = {name: np.equal.outer(v, v).astype(float) for name, v in
            {"EPCI": part["epci_code"].to_numpy(str), **{k: area[k].to_numpy(str) for k in ("BV2012", "ZE2020", "AAV2020")}}.items()}  # fmt: skip
    return [
        Variant("power", [ln_t], own=own, with_rate=False),
        Variant("exponential of the square root", [np.sqrt(t)], own=own, with_rate=False),
        Variant("log-normal", [ln_t, ln_t**2], own=own, with_rate=False),
        Variant("exponential", own=own),
        Variant("Tanner (power and exponential)", [ln_t], own=own),
        Variant("exponential, rate by density", rates=d, own=own),
        Variant("Tanner, rate by density (shipped form)", [ln_t], d, own),
        Variant("power of crow-fly km, rate by density", [ln_km], d, own),
        Variant("density at home and at work apart", [], [density[:, None], density[None]], own),
        Variant("rate by density, its square", [], [*d, pairs.density_sum**2], own),
        Variant("rate by density and population of each end", [], [*d, np.log(people)[:, None], np.log(people)[None]], own),
        Variant("rate by jobs at work, workers and accessible jobs", [], by_jobs, own),
        Variant("rate by density and these", [], [*d, *by_jobs, access_workers[None]], own),
        Variant("t, ln t, their squares", [ln_t, t**2, ln_t**2], d, own),
        Variant("inside: population", [], d, [own[0], np.log(people)]),
        Variant("inside: accessible jobs and workers, density", [], d, [*own, access_jobs, access_workers, density]),
        Variant("inside: jobs by worker, square of ln area", [], d, [*own, (ln_jobs - ln_workers) ** 2, own[0] ** 2]),
        Variant("communes that touch", [touch], d, own),
        *(Variant(f"same {name}", [value], d, own) for name, value in same.items()),
        Variant("rate by density and level of equipment at work", [], [*d, centre[None]], own),
        Variant("the same, and at home", [], [*d, centre[None], centre[:, None]], own),
        Variant("level of equipment: home above or under work", [centre[None] - centre[:, None] > 0, centre[None] == centre[:, None]], d, own),
        Variant("inside: level of equipment", [], d, [*own, centre]),
        Variant("same EPCI, bassin de vie and zone d'emploi", [same["EPCI"], same["BV2012"], same["ZE2020"]], d, own),
        Variant("log-normal, rate by density", [ln_t, ln_t**2], d, own),
        Variant("jobs nearer than the job", crossed[:1], d, own),
        Variant("the same, and workers nearer to the job", crossed, d, own),
        Variant("largest place of work so far", [larger(t, jobs)], d, own),
        Variant("radiation times exponential by density", [radiation], d, own),
        Variant("many together", [ln_t, ln_km, touch, same["EPCI"], *crossed, larger(t, jobs)],
                [*d, *by_jobs, access_workers[None]], [*own, access_jobs, access_workers, density]),
    ]  # fmt: skip


def nearer(minutes: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """(n, n): what of `amount` stands nearer to i than j does, i's own counted."""
    result = np.zeros_like(minutes)
    for i, row in enumerate(ordered(minutes)):
        result[i, row] = np.cumsum(amount[row]) - amount[row]
    return result


def larger(minutes: np.ndarray, jobs: np.ndarray) -> np.ndarray:
    """(n, n): ln of the jobs at j over those of the largest place nearer to i, never under a hundredth: centres stand out."""
    result = np.zeros_like(minutes)
    for i, row in enumerate(ordered(minutes)):
        before = np.concatenate([[1.0], np.maximum.accumulate(jobs[row])[:-1]])
        result[i, row] = np.log(np.maximum(jobs[row] / np.maximum(before, 1.0), 0.01))
    return result


def ordered(minutes: np.ndarray) -> np.ndarray:
    """Communes by minutes from each, itself first."""
    own = np.eye(len(minutes), dtype=bool)
    return np.argsort(np.where(own, -1.0, minutes), axis=1, kind="stable")


def touching(codes: pd.Index) -> np.ndarray:
    """(n, n): 1 where two communes share a border."""
    table = pq.read_table(ROOT / "data/territory/contours.parquet").to_pandas().set_index("zone_code")
    shapes = shapely.from_wkb(table["geometry"].reindex(codes).to_numpy())
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    result = np.zeros((len(codes), len(codes)))
    result[left, right] = 1.0
    return result


if __name__ == "__main__":
    main()
