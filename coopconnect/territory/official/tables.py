"""What of the official store a territory is made with: one object, loaded once, and how it enters the zones and flows.

Official figures are used as they are; the modelled ones only fill what is missing. Each function marks the communes
whose figure is official (columns `official_*`), so that the screen and the workbook can say which share is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from coopconnect.territory import travel
from coopconnect.territory.official.contract import Label

USED = ("margins", "flows", "density", "travel", "climate")
"""Tables of the store that change a territory (places and fuel prices are read by the screens that show them)."""
FIRST_RURAL_LEVEL = 5
BALANCE_STEPS = 20


@dataclass(frozen=True, eq=False)
class Official:
    """Tables of the contract by name (only those of `USED` that are loaded), and their labels."""

    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    labels: Mapping[str, Label] = field(default_factory=dict)

    def get(self, name: str) -> pd.DataFrame | None:
        """The table, None where it is not loaded."""
        return self.tables.get(name)


NOTHING = Official()


def rows_of(codes: pd.Series | np.ndarray, communes: pd.DataFrame) -> np.ndarray:
    """Row of each code in the table of communes, -1 where it has none, (n,) int64."""
    return np.asarray(pd.Index(communes["zone_code"]).get_indexer(pd.Index(codes)), dtype=np.int64)


def with_margins(communes: pd.DataFrame, margins: pd.DataFrame | None) -> pd.DataFrame:
    """Communes with the official workers and jobs, marked in `official_workers` and `official_jobs`.

    Population and main residences keep the census that is shipped: years are not mixed inside one column.
    """
    if margins is None:
        return communes
    row = rows_of(margins["zone_code"], communes)
    known = row >= 0
    communes = communes.copy()
    for name in ("workers", "jobs"):
        if name not in margins:
            continue
        value = margins[name].to_numpy(float)
        keep = known & np.isfinite(value)
        column = communes[name].to_numpy(float).copy()
        column[row[keep]] = value[keep]
        communes[name] = column
        communes[f"official_{name}"] = _marked(row[keep], len(communes))
    return communes


def _marked(rows: np.ndarray, count: int) -> np.ndarray:
    mark = np.zeros(count, dtype=bool)
    mark[rows] = True
    return mark


def with_density(communes: pd.DataFrame, density: pd.DataFrame | None) -> pd.DataFrame:
    """Communes with the official rural flag (levels 5 to 7), marked in `official_rural`."""
    if density is None:
        return communes
    row = rows_of(density["zone_code"], communes)
    known = row >= 0
    rural = communes["rural"].to_numpy(bool).copy()
    rural[row[known]] = density["level"].to_numpy()[known] >= FIRST_RURAL_LEVEL
    return communes.assign(rural=rural, official_rural=_marked(row[known], len(communes)))


@dataclass(frozen=True, eq=False)
class FlowPairs:
    """Commuters by pair of communes (rows of the table of communes), sorted by home then work.

    rest: (n,) workers of each home whose workplace is not in a pair (the remainder of the modelled flows; how far they go is
    in `Remainders`). path: R of each pair (`paths`) where it is known already.
    """

    home: np.ndarray
    work: np.ndarray
    workers: np.ndarray
    rest: np.ndarray
    path: np.ndarray | None = None


def with_official_flows(
    communes: pd.DataFrame, modelled: FlowPairs, flows: pd.DataFrame | None
) -> tuple[pd.DataFrame, FlowPairs]:
    """Official flows for the homes that have some, modelled ones for the others; workers and jobs follow the flows.

    Homes with official flows are marked in `official_flows`.

    Commuters whose workplace is abroad or overseas have no trip in the model: they are in the label, not here. No more have
    those beyond `travel.COMMUTE_LIMIT_KM`, as in the modelled flows. communes: with lon, lat (degrees WGS84).
    """
    if flows is None:
        return communes, modelled
    home, work = rows_of(flows["home_code"], communes), rows_of(flows["work_code"], communes)
    keep = (home >= 0) & (work >= 0) & (flows["workers"].to_numpy(float) > 0.0)
    home, work = home[keep], work[keep]
    amount = flows["workers"].to_numpy(np.float32)[keep]
    observed = np.zeros(len(communes), dtype=bool)
    observed[home] = True
    lon, lat = communes["lon"].to_numpy(float), communes["lat"].to_numpy(float)
    daily = travel.crow_km(lon[home], lat[home], lon[work], lat[work]) <= travel.COMMUTE_LIMIT_KM
    home, work, amount = home[daily], work[daily], amount[daily]
    fill = ~observed[modelled.home]
    all_home = np.concatenate([home, modelled.home[fill]])
    all_work = np.concatenate([work, modelled.work[fill]])
    workers = np.concatenate([amount, modelled.workers[fill]])
    rest = np.where(observed, np.float32(0.0), modelled.rest)
    order = np.lexsort((all_work, all_home))
    n = len(communes)
    by_home = np.bincount(all_home, workers, n) + rest
    by_work = np.bincount(all_work, workers, n)
    unplaced = communes["work_rest_workers"].to_numpy(float) if "work_rest_workers" in communes else np.zeros(n)
    modelled_share = float(by_home[~observed].sum() / max(by_home.sum(), 1e-9))
    changed = communes.assign(
        workers=np.where(observed, by_home, communes["workers"].to_numpy(float)),
        jobs=by_work + unplaced * modelled_share,
        official_flows=observed,
    )
    return changed, FlowPairs(all_home[order], all_work[order], workers[order], rest)


def balanced(communes: pd.DataFrame, modelled: FlowPairs, work_rest: np.ndarray) -> FlowPairs:
    """Modelled flows brought to the workers and jobs of `communes` (Furness on the pairs and both remainders).

    a_i (sum_j M_ij b_j + rest_i) = workers_i and b_j (sum_i a_i M_ij + work_rest_j) = jobs_j, jobs scaled to the total
    of the workers; rows are met exactly, columns as near as `BALANCE_STEPS` rounds bring them.
    """
    n = len(communes)
    workers, jobs = communes["workers"].to_numpy(float), communes["jobs"].to_numpy(float)
    jobs = jobs * workers.sum() / max(jobs.sum(), 1e-9)
    amount = modelled.workers.astype(float)
    a, b = np.ones(n), np.ones(n)
    for _ in range(BALANCE_STEPS):
        a = _ratio(workers, np.bincount(modelled.home, amount * b[modelled.work], n) + modelled.rest)
        b = _ratio(jobs, np.bincount(modelled.work, amount * a[modelled.home], n) + work_rest)
    a = _ratio(workers, np.bincount(modelled.home, amount * b[modelled.work], n) + modelled.rest)
    flow = (amount * a[modelled.home] * b[modelled.work]).astype(np.float32)
    return FlowPairs(modelled.home, modelled.work, flow, (a * modelled.rest).astype(np.float32), modelled.path)


def _ratio(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    return np.divide(wanted, found, out=np.zeros_like(wanted), where=found > 0.0)


def official_shares(zones: pd.DataFrame) -> dict[str, float]:
    """Share of `flows`, `workers`, `jobs` (of the people or jobs) and `rural` (of the communes) that is official."""
    weights = {
        "flows": zones["workers"].to_numpy(float), "workers": zones["workers"].to_numpy(float),
        "jobs": zones["jobs"].to_numpy(float), "rural": np.ones(len(zones)),
    }  # fmt: skip
    marks = {f"official_{name}": weight for name, weight in weights.items()}
    return {
        mark.removeprefix("official_"): float(weight[zones[mark].to_numpy(bool)].sum() / max(weight.sum(), 1e-9))
        for mark, weight in marks.items()
        if mark in zones
    }


class RoutedTrips:
    """The travel table by pair of rows of the communes: what it holds replaces the estimate, pair by pair."""

    def __init__(self, travel: pd.DataFrame, communes: pd.DataFrame) -> None:
        origin, target = rows_of(travel["from_code"], communes), rows_of(travel["to_code"], communes)
        minutes = travel["drive_min"].to_numpy(float)
        keep = (origin >= 0) & (target >= 0) & np.isfinite(minutes)
        self._n = len(communes)
        key = origin[keep] * self._n + target[keep]
        order = np.argsort(key, kind="stable")
        self._key, self._min = key[order], minutes[keep][order].astype(np.float32)
        km = travel["road_km"].to_numpy(float) if "road_km" in travel else np.full(len(travel), np.nan)
        self._km = km[keep][order].astype(np.float32)

    def __len__(self) -> int:
        return int(self._key.size)

    def find(self, origin: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Minutes and km one way of each pair, and where the table holds it (km may still be missing there)."""
        if not self._key.size:
            return (
                np.zeros(origin.size, np.float32),
                np.full(origin.size, np.nan, np.float32),
                np.zeros(origin.size, bool),
            )
        key = origin.astype(np.int64) * self._n + target
        at = np.minimum(np.searchsorted(self._key, key), self._key.size - 1)
        found = self._key[at] == key
        return self._min[at], self._km[at], found

    def within(self, limit_min: float) -> tuple[np.ndarray, np.ndarray]:
        """Origin and target of the pairs of at most `limit_min` minutes."""
        near = self._key[self._min <= limit_min]
        return near // self._n, near % self._n
