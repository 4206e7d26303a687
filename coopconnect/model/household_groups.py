"""Who gains and who loses: households by home commune, distance of the commute and density, counted, not only averaged.

One site, or a pool of sites (the rural ones that are available). **One hub at a time**: in a pool every site is worked
out as if it were alone, so the sums over a pool count a household once for each site within its reach. `sites` says by
how many sites to divide to read "for one site of the pool, on average"; per-user figures and shares need no division.

Asked for by the page Ménages and the exports; `assess` does not call it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from coopconnect.model import household_kernel as kernel
from coopconnect.model.assessment import around_site
from coopconnect.model.calibration import CalibrationError, calibration_for
from coopconnect.model.choice import (
    DayCosts,
    Odds,
    Prepared,
    Values,
    cost_per_km_eur,
    day_costs,
    detour_factor,
    hub_days_per_user,
    odds,
    within_reach,
)
from coopconnect.model.impact import emission_kg_per_km
from coopconnect.model.ranges import BEHAVIOUR_RANGES
from coopconnect.model.runs import per
from coopconnect.model.types import Calibration, Range
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario, parameter_values
from coopconnect.territory.types import Territory

BANDS_KM = (0.0, 5.0, 15.0, 30.0, 60.0)
"""Lower ends of the bands of commuting distance, road km one way; the last one is open."""

HOURS_EDGES = np.arange(-300.0, 901.0, 1.0)
KM_EDGES = np.arange(-20_000.0, 40_001.0, 50.0)
"""Edges of the distributions a year; as many bins of hours as of vehicle km; the end bins hold what lies beyond."""

MEASURES = ("hours", "eur", "eur_after_price", "kg_co2e")
"""What is kept a year: hours; EUR before and after the hub is paid; kg CO2e."""

KINDS = ("", "_if_replaced")
"""Two readings of the same users: as the model has them (part of their hub days replaces a drive, the rest a day at
home), and as if every hub day of each of them replaced a drive."""

HOUSEHOLD_RANGES = (
    *BEHAVIOUR_RANGES, "rebound_share", "fleet_emission_kg_per_km", "consumption_l_per_100_km",
    "non_fuel_cost_eur_per_km", "weeks_per_year", "employer_paid_share",
)  # fmt: skip
"""Parameters that stand in turn at their low and high for the ranges of `totals`. Who pays for the day moves what is
left once it is paid, not who comes: at the reference price the calibration undoes it."""

MEANS = tuple(f"{measure}{kind}_per_user" for kind in KINDS for measure in MEASURES)
"""Each measure and kind a year for one user, on average."""

BARS = 44
"""About so many bars in a distribution that is shown."""

SHOWN_SHARE = 0.003
"""Tails thinner than this share stand in the end bars."""

_NICE = (1.0, 2.0, 5.0)

GROUP_COLUMNS: dict[str, str] = {
    "users": "regular users, one per household",
    **{
        f"{measure}{kind}_per_year": f"{measure} kept a year by all of them{', were every hub day a drive less' if kind else ''}"
        for kind in KINDS
        for measure in MEASURES
    },
    **{
        f"{measure}{kind}_{end}_users": f"users who {'keep' if end == 'up' else 'lose'} {measure}"
        f"{', were every hub day a drive less' if kind else ''}"
        for kind in KINDS
        for measure in MEASURES
        for end in ("up", "down")
    },
    "sites": "sites of the pool whose users these are (within reach of the commune, for a commune)",
    "workers": "employed residents of the group within reach, once for each site",
}
"""Columns of every table of `HouseholdGroups`. Sums over the pool: divide by `sites` for one site on average."""

_SUMS = tuple(name for name in GROUP_COLUMNS if name not in ("sites", "workers"))

TOLD = ("users", *MEANS, *(name for name in _SUMS if name.endswith(("_up_users", "_down_users"))))
"""What is told of a band of distance or of a kind of home: users, each mean, who gains and who loses."""

LEVELS = np.arange(10, 100, 10)
"""Deciles, in percent."""


@dataclass(frozen=True, eq=False)
class GroupEnds:
    """One end, low or high, of what charts and tables tell of `HouseholdGroups`, row by row as they are there.

    deciles: its measures and kinds. bands, density: users, `MEANS` and who gains and loses (`TOLD`); sums over the pool.
    communes: users and `MEANS`, None where they were not drawn. bars: users in each of `bars_of`, by measure and kind.
    """

    deciles: pd.DataFrame
    bands: pd.DataFrame
    density: pd.DataFrame
    communes: pd.DataFrame | None
    bars: dict[tuple[str, str], np.ndarray]


@dataclass(frozen=True, eq=False)
class HouseholdGroups:
    """Distributions and counts of one site, or of a pool of sites, under one scenario.

    site_code: '' for a pool; site_codes: the sites counted, one hub at a time.
    communes: by home commune (`zone_code`, `name`, `departement`, `rural`, `in_territory`, `households`, then
        `GROUP_COLUMNS`), those with users only; bands: by distance (`km_from`, `km_to`, infinite for the last);
        density: rural homes, then urban ones (`rural`, `households`); sites: by site (`zone_code`).
        households: main residences of the group within reach, once for each site.
    totals: `Range` by name: every `GROUP_COLUMNS` name, `households`, and `<measure><kind>_per_user`,
        `<measure><kind>_per_household` (of the catchment). Low and high: each parameter of `HOUSEHOLD_RANGES` at its
        ends in turn, added in quadrature.
    deciles: `decile` (10 to 90) and one column per measure and kind, per participating household.
    histogram: (4, bins) users by hours, km, hours if replaced, km if replaced (`HOURS_EDGES`, `KM_EDGES`).
    eur_per_km, kg_per_km, price_eur_per_user: what turns km into euros and kg, and what a user pays for the hub a year.
    ranged: False where the ranges are not worked out yet: low and high are then the central values. drawn: draws of
    which 5 and 95 % are the lows and highs; 0 where they are the ends of assumptions. ends: low and high of what is not
    in `totals`, from the same draws; None without draws.
    """

    scenario: Scenario
    site_code: str
    site_codes: tuple[str, ...]
    communes: pd.DataFrame
    bands: pd.DataFrame
    density: pd.DataFrame
    sites: pd.DataFrame
    totals: dict[str, Range]
    deciles: pd.DataFrame
    histogram: np.ndarray
    eur_per_km: float
    kg_per_km: float
    price_eur_per_user: float
    ranged: bool = True
    drawn: int = 0
    ends: tuple[GroupEnds, GroupEnds] | None = None


@dataclass(frozen=True, eq=False)
class _Choice:
    """What the loop reads: the choice of everyone, kept while the physical parameters move."""

    prepared: Prepared
    pool: np.ndarray
    costs: DayCosts
    odds: Odds


@dataclass(frozen=True, eq=False)
class _Sums:
    by_zone: np.ndarray
    by_site: np.ndarray
    histogram: np.ndarray


Tell = Callable[[int, int], None]
"""Called before each pass of the loop with the passes done and all of them."""


def household_groups(
    territory: Territory, scenario: Scenario, parameters: Parameters, site_code: str = "", home: Territory | None = None,
    tell: Tell = lambda done, total: None, first: Callable[[HouseholdGroups], None] | None = None,
) -> HouseholdGroups:  # fmt: skip
    """Winners, losers and distributions of the users of one site, or of all rural sites one at a time.

    For each kind of user (home, work, segment, hub), with d hub days a year, w of them a drive less (see
    `household_kernel.group_sums`), in hours, and from the vehicle km:
        eur = km * cost per km;  eur_after_price = eur - d * what the worker pays a day;  kg_co2e = km * fleet factor.
    site_code: INSEE code of a site; '' for the available rural sites (all available ones where none is rural).
    home: the territory of the calibration, as in `assess`. tell: hears of the passes over all users, the central one
    and two for each of `HOUSEHOLD_RANGES`. first: hears of the central figures, before their ranges. Raises KeyError for an unknown site, `CalibrationError`.
    """
    home = home or territory
    place = around_site(territory, site_code) if site_code else territory
    prepared = within_reach(place, scenario.access_max_min)
    values = parameter_values(scenario, parameters)
    calibration = calibration_for(home, parameters, scenario.changed)
    pool = np.ones(1, dtype=bool) if site_code else rural_pool(place, scenario)
    costs = day_costs(prepared, scenario, values)
    choice = _Choice(prepared, pool, costs, odds(prepared, costs, scenario, calibration, values))
    tell(0, 1 + 2 * len(HOUSEHOLD_RANGES))
    sums = _run(choice, scenario, values)
    reach = _Reach.of(choice, values)
    central = _totals(sums, reach, scenario, values)
    codes = place.zones["zone_code"].to_numpy(object)[place.site_zone]
    found = HouseholdGroups(
        scenario, site_code, tuple(codes[pool]),
        _communes(sums, reach, scenario, values), _bands(sums, reach, scenario, values),
        _density(sums, reach, scenario, values),
        pd.DataFrame({"zone_code": codes[pool], **_columns(sums.by_site[pool], scenario, values)}),
        {name: Range(value, value, value) for name, value in central.items()},
        _deciles(sums.histogram, scenario, values), sums.histogram,
        cost_per_km_eur(scenario, values), emission_kg_per_km(scenario, values), _price(scenario, values),
        ranged=False,
    )  # fmt: skip
    if first is not None:
        first(found)
    return replace(found, totals=_ranges(choice, home, scenario, parameters, values, central, reach, tell), ranged=True)


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each figure of one run stands in a row of figures (`group_figures`), and what it is counted in.

    names: of the totals; edges: of the bars, by measure and kind; zones: rows, in the territory, of the communes whose
    figures are kept, none where they are not.
    """

    names: tuple[str, ...]
    edges: dict[tuple[str, str], np.ndarray]
    zones: np.ndarray

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each part, in the order of the row."""
        return {
            "totals": (len(self.names),),
            "deciles": (LEVELS.size, len(MEANS)),
            "bands": (len(BANDS_KM), len(TOLD)),
            "density": (2, len(TOLD)),
            "bars": (sum(edges.size - 1 for edges in self.edges.values()),),
            "communes": (self.zones.size, 1 + len(MEANS)),
        }

    @property
    def columns(self) -> int:
        """Figures of a row."""
        return sum(int(np.prod(shape)) for shape in self.shapes.values())

    def parts(self, row: np.ndarray) -> dict[str, np.ndarray]:
        """The parts of a row, (columns,), each in its shape."""
        sizes = [int(np.prod(shape)) for shape in self.shapes.values()]
        pieces = np.split(row, np.cumsum(sizes)[:-1])
        return {name: piece.reshape(shape) for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)}


def layout_of(groups: HouseholdGroups, territory: Territory, communes: bool = True) -> Layout:
    """The layout of the figures that stand beside those of `groups`; territory: the one the runs are made on.

    communes: False where there are too many to keep theirs.
    """
    edges = {(m, kind): bars_of(groups, m, kind)[0] for kind in KINDS for m in MEASURES}
    codes = groups.communes["zone_code"] if communes else []
    return Layout(tuple(groups.totals), edges, _rows_of(codes, territory))


def _rows_of(codes: Sequence[str], territory: Territory) -> np.ndarray:
    return pd.Index(territory.zones["zone_code"]).get_indexer(pd.Index(codes))


def group_figures(
    layout: Layout, prepared: Prepared, scenario: Scenario, calibration: Calibration, values: Values, costs: DayCosts,
    pool: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Central figures of the sites of `pool`, (n_sites,) bool, in one pass, as a row of `layout`, (columns,)."""
    choice = _Choice(prepared, pool, costs, odds(prepared, costs, scenario, calibration, values))
    sums, reach = _run(choice, scenario, values), _Reach.of(choice, values)
    totals = _totals(sums, reach, scenario, values)
    deciles = _decile_columns(sums.histogram, scenario, values)
    rural = reach.zones["rural"].to_numpy(bool)
    by_zone = sums.by_zone.sum(axis=1)
    density = np.stack([by_zone[mask].sum(axis=0) for mask in (rural, ~rural)])
    scale = cost_per_km_eur(scenario, values), emission_kg_per_km(scenario, values), _price(scenario, values)
    bars = [
        _in_bars(edges, _edges(measure, *scale), sums.histogram[_histogram_row(measure, kind)], reach.pool_size)
        for (measure, kind), edges in layout.edges.items()
    ]
    parts = [
        np.array([totals[name] for name in layout.names]),
        np.stack([deciles[name.removesuffix("_per_user")] for name in MEANS], axis=-1),
        _told(_columns(sums.by_zone.sum(axis=0), scenario, values), TOLD),
        _told(_columns(density, scenario, values), TOLD),
        *bars,
        _told(_columns(by_zone[layout.zones], scenario, values), ("users", *MEANS)),
    ]
    return np.concatenate([part.ravel() for part in parts])


def told_of(table: Mapping[str, Any], names: Sequence[str] | None = None) -> np.ndarray:
    """Users, means per user and counts (`TOLD`) of a table of `GROUP_COLUMNS`, (rows, names); means 0 without users."""
    return _told({name: np.asarray(table[name], dtype=float) for name in _SUMS}, names or TOLD)


def _told(columns: dict[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    users = columns["users"]
    means = {
        name: np.divide(
            columns[f"{name.removesuffix('_per_user')}_per_year"], users, out=np.zeros(users.shape), where=users > 0.0
        )
        for name in MEANS
    }
    return np.stack([{**columns, **means}[name] for name in names], axis=-1)


def household_users(
    territory: Territory, scenario: Scenario, parameters: Parameters, site_code: str, home: Territory | None = None
) -> pd.DataFrame:
    """Every kind of user of one site: `home_code`, `work_code` ('' for the remainder of a commune), `segment`
    ('suitable' or 'unsuitable' home), `commute_km` (one way, road), `users`, and each measure and kind a year per user.

    The rows whose weighted sums `household_groups(..., site_code)` tabulates. Raises KeyError for an unknown site.
    """
    place = around_site(territory, site_code)
    prepared = within_reach(place, scenario.access_max_min)
    values = parameter_values(scenario, parameters)
    calibration = calibration_for(home or territory, parameters, scenario.changed)
    costs = day_costs(prepared, scenario, values)
    o = odds(prepared, costs, scenario, calibration, values)
    t, d = prepared.territory, hub_days_per_user(scenario, values)
    size = np.diff(t.flow_start)[t.access_zone]
    pair = np.repeat(np.arange(t.access_zone.size), size)
    flow = np.concatenate([np.arange(t.flow_start[i], t.flow_start[i + 1]) for i in t.access_zone])
    zone, everyone = t.access_zone[pair], o.days[flow] / d if d > 0.0 else np.zeros(flow.size)
    suitable, unsuitable = o.hub_suitable[pair], o.hub_unsuitable[pair]
    users = (
        everyone * (1.0 - o.unsuitable_share) * suitable / (o.office[flow] + o.home[zone] + suitable),
        everyone * o.unsuitable_share * unsuitable / (o.office[flow] + unsuitable),
    )
    places, codes = t.places["zone_code"].to_numpy(object), t.zones["zone_code"].to_numpy(object)
    works = np.where(t.flow_work[flow] >= 0, places[t.flow_work[flow]], "")
    tables = []
    for segment, found, replaced in zip(("suitable", "unsuitable"), users, (o.office_share[flow], 1.0), strict=True):
        kept = {"home_code": codes[zone], "work_code": works, "segment": segment, "users": found}
        kept["commute_km"] = t.flow_road_km[flow].astype(float) * detour_factor(t, values)
        for kind, w in zip(KINDS, (replaced, 1.0), strict=True):
            hours = d * (w * costs.commute_min[flow] - costs.access_min[pair]) / 60.0
            km = d * (w * (1.0 - values["rebound_share"]) * costs.commute_km[flow] - costs.access_km[pair])
            kept |= {f"{name}{kind}": v for name, v in _measures(hours, km, 1.0, scenario, values).items()}
        tables.append(pd.DataFrame(kept))
    return pd.concat(tables, ignore_index=True)


def rural_pool(territory: Territory, scenario: Scenario) -> np.ndarray:
    """The sites that the headline figures speak of: rural and available, else available; mask (n_sites,)."""
    host = territory.zones.iloc[territory.site_zone]
    available = ~host["zone_code"].isin(scenario.refused).to_numpy(bool)
    rural = host["rural"].to_numpy(bool) & available
    return rural if rural.any() else available


def band_of(road_km: np.ndarray) -> np.ndarray:
    """Row of `BANDS_KM` of each distance, road km one way."""
    return (np.searchsorted(np.asarray(BANDS_KM), road_km, side="right") - 1).clip(0).astype(np.int64)


def _run(choice: _Choice, scenario: Scenario, values: Values) -> _Sums:
    """The loop, in two threads."""
    t, o, costs = choice.prepared.territory, choice.odds, choice.costs
    bands = band_of(t.flow_road_km.astype(float) * detour_factor(t, values))
    per_user = hub_days_per_user(scenario, values)
    cost = cost_per_km_eur(scenario, values)
    paid_km = _price(scenario, values) / cost if cost > 0.0 else np.inf

    def empty() -> _Sums:
        return _Sums(
            np.zeros((len(t.zones), len(BANDS_KM), kernel.N_COLUMNS)), np.zeros((t.site_zone.size, kernel.N_COLUMNS)),
            np.zeros((4, HOURS_EDGES.size - 1)),
        )  # fmt: skip

    def part(first: int, last: int) -> _Sums:
        found = empty()
        kernel.group_sums(
            t.access_start[first : last + 1], t.access_zone, choice.pool[first:last], o.hub_suitable, o.hub_unsuitable,
            t.flow_start, o.office, o.office_share, o.home, o.days, bands, o.unsuitable_share,
            costs.commute_min, costs.commute_km, costs.access_min, costs.access_km,
            values["rebound_share"], per_user, paid_km,
            float(HOURS_EDGES[0]), float(HOURS_EDGES[1] - HOURS_EDGES[0]),
            float(KM_EDGES[0]), float(KM_EDGES[1] - KM_EDGES[0]),
            found.by_zone, found.by_site[first:last], found.histogram,
        )  # fmt: skip
        return found

    if per_user <= 0.0:
        return empty()
    middle = int(np.searchsorted(t.access_start, t.access_start[-1] // 2))
    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(part, middle, t.site_zone.size)
        one, two = part(0, middle), other.result()
    return _Sums(one.by_zone + two.by_zone, one.by_site + two.by_site, one.histogram + two.histogram)


def _price(scenario: Scenario, values: Values) -> float:
    """What a user pays for the hub a year: d * day price * (1 - share that employers pay)."""
    return hub_days_per_user(scenario, values) * scenario.day_price_eur * (1.0 - values["employer_paid_share"])


def _measures(
    hours: np.ndarray, km: np.ndarray, users: np.ndarray | float, scenario: Scenario, values: Values
) -> dict[str, np.ndarray]:
    """The four measures from hours and vehicle km, of one user or of many (`users` pay for the hub)."""
    eur = km * cost_per_km_eur(scenario, values)
    kg = km * emission_kg_per_km(scenario, values)
    return dict(zip(MEASURES, (hours, eur, eur - users * _price(scenario, values), kg), strict=True))


def _columns(sums: np.ndarray, scenario: Scenario, values: Values) -> dict[str, np.ndarray]:
    """`GROUP_COLUMNS` but `sites` and `workers`, from the sums of the loop, (..., columns)."""
    users = sums[..., kernel.USERS]
    found = {"users": users}
    columns = ((kernel.HOURS, kernel.HOURS_UP), (kernel.HOURS_ALL, kernel.HOURS_ALL_UP))
    for kind, (first, _) in zip(KINDS, columns, strict=True):
        kept = _measures(sums[..., first], sums[..., first + 1], users, scenario, values)
        found |= {f"{name}{kind}_per_year": v for name, v in kept.items()}
    for kind, (_, up) in zip(KINDS, columns, strict=True):
        gained = dict(zip(MEASURES, (sums[..., up + k] for k in (0, 1, 2, 1)), strict=True))
        for name, count in gained.items():
            found |= {f"{name}{kind}_up_users": count, f"{name}{kind}_down_users": users - count}
    return found


@dataclass(frozen=True, eq=False)
class _Reach:
    """Whom the sites of the pool can reach: sites within reach of each zone, workers by zone and band."""

    zones: pd.DataFrame
    sites: np.ndarray
    workers: np.ndarray
    households: np.ndarray
    pool_size: int

    @classmethod
    def of(cls, choice: _Choice, values: Values) -> _Reach:
        t = choice.prepared.territory
        bands = band_of(t.flow_road_km.astype(float) * detour_factor(t, values))
        cell = choice.prepared.flow_zone.astype(np.int64) * len(BANDS_KM) + bands
        workers = np.bincount(cell, weights=t.flow_workers, minlength=len(t.zones) * len(BANDS_KM))
        reached = t.access_zone[choice.pool[choice.prepared.access_site]]
        return cls(
            t.zones, np.bincount(reached, minlength=len(t.zones)), workers.reshape(len(t.zones), len(BANDS_KM)),
            choice.prepared.households, int(choice.pool.sum()),
        )  # fmt: skip


def _communes(sums: _Sums, reach: _Reach, scenario: Scenario, values: Values) -> pd.DataFrame:
    by_zone = sums.by_zone.sum(axis=1)
    names = ("zone_code", "name", "departement", "rural", "in_territory")
    table = pd.DataFrame(
        {
            **{name: reach.zones[name].to_numpy() for name in names},
            "households": reach.households * reach.sites,
            **_columns(by_zone, scenario, values),
            "sites": reach.sites,
            "workers": reach.workers.sum(axis=1) * reach.sites,
        }
    )
    return table[reach.sites > 0].reset_index(drop=True)


def _bands(sums: _Sums, reach: _Reach, scenario: Scenario, values: Values) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "km_from": BANDS_KM,
            "km_to": (*BANDS_KM[1:], np.inf),
            **_columns(sums.by_zone.sum(axis=0), scenario, values),
            "sites": reach.pool_size,
            "workers": (reach.workers * reach.sites[:, None]).sum(axis=0),
        }
    )


def _density(sums: _Sums, reach: _Reach, scenario: Scenario, values: Values) -> pd.DataFrame:
    by_zone, rural = sums.by_zone.sum(axis=1), reach.zones["rural"].to_numpy(bool)
    workers = reach.workers.sum(axis=1) * reach.sites
    masks = (rural, ~rural)
    return pd.DataFrame(
        {
            "rural": [True, False],
            "households": [float((reach.households * reach.sites)[m].sum()) for m in masks],
            **_columns(np.stack([by_zone[m].sum(axis=0) for m in masks]), scenario, values),
            "sites": reach.pool_size,
            "workers": [float(workers[m].sum()) for m in masks],
        }
    )


def _totals(sums: _Sums, reach: _Reach, scenario: Scenario, values: Values) -> dict[str, float]:
    found = {name: float(v) for name, v in _columns(sums.by_site.sum(axis=0), scenario, values).items()}
    households = float((reach.households * reach.sites).sum())
    for kind in KINDS:
        for measure in MEASURES:
            total = found[f"{measure}{kind}_per_year"]
            found[f"{measure}{kind}_per_user"] = total / found["users"] if found["users"] > 0.0 else 0.0
            found[f"{measure}{kind}_per_household"] = total / households if households > 0.0 else 0.0
    workers = float((reach.workers.sum(axis=1) * reach.sites).sum())
    return {**found, "sites": float(reach.pool_size), "workers": workers, "households": households}


def _ranges(
    choice: _Choice, home: Territory, scenario: Scenario, parameters: Parameters, values: Values,
    central: dict[str, float], reach: _Reach, tell: Tell,
) -> dict[str, Range]:  # fmt: skip
    """Low and high: falls and rises of each parameter, in quadrature; counts in logarithms, as `ranges.Spread`."""
    names = list(central)
    counts = np.array([name == "users" or name.endswith("_users") for name in names])
    base = np.array(list(central.values()))
    fall, rise = np.zeros_like(base), np.zeros_like(base)
    for k, key in enumerate(HOUSEHOLD_RANGES):
        item, value = parameters[key], values[key]
        ends: list[dict[str, float] | None] = []
        for level in (min(item.low, value), max(item.high, value)):
            tell(1 + 2 * k + len(ends), 1 + 2 * len(HOUSEHOLD_RANGES))
            ends.append(_variant(choice, home, scenario, parameters, values, reach, key, level))
        moved = np.stack([np.array([end[name] for name in names]) if end else base for end in ends])
        logs = np.log(np.maximum(moved, _TINY)) - np.log(np.maximum(base, _TINY))
        change = np.where(counts, logs, moved - base)
        fall += np.minimum(change.min(axis=0), 0.0) ** 2
        rise += np.maximum(change.max(axis=0), 0.0) ** 2
    low, high = -np.sqrt(fall), np.sqrt(rise)
    lows = np.where(counts, base * np.exp(np.where(counts, low, 0.0)), base + low)
    highs = np.where(counts, base * np.exp(np.where(counts & (base > 0.0), high, 0.0)), base + high)
    return {name: Range(*map(float, ends)) for name, *ends in zip(names, lows, base, highs, strict=True)}


_TINY = 1e-9


def _variant(
    choice: _Choice, home: Territory, scenario: Scenario, parameters: Parameters, values: Values, reach: _Reach,
    key: str, level: float,
) -> dict[str, float] | None:  # fmt: skip
    """Totals with one parameter moved; None where the calibration has no solution with it."""
    moved = {**values, key: level}
    if key in BEHAVIOUR_RANGES:
        changes = tuple(sorted({**dict(scenario.changed), key: level}.items()))
        try:
            calibration = calibration_for(home, parameters, changes)
        except CalibrationError:
            return None
        costs = day_costs(choice.prepared, scenario, moved)
        found = odds(choice.prepared, costs, scenario, calibration, moved)
        choice = _Choice(choice.prepared, choice.pool, costs, found)
    elif key == "weeks_per_year":
        o, factor = choice.odds, level / values[key]
        scaled = Odds(
            o.office, o.office_share, o.home, o.hub_suitable, o.hub_unsuitable, o.days * factor, o.unsuitable_share
        )
        choice = _Choice(choice.prepared, choice.pool, choice.costs, scaled)
    return _totals(_run(choice, scenario, moved), reach, scenario, moved)


def edges_of(groups: HouseholdGroups, measure: str) -> np.ndarray:
    """Edges of the distribution of a measure a year: hours as they are, the others scaled from vehicle km."""
    return _edges(measure, groups.eur_per_km, groups.kg_per_km, groups.price_eur_per_user)


def _edges(measure: str, eur_per_km: float, kg_per_km: float, price_eur: float) -> np.ndarray:
    if measure == "hours":
        return HOURS_EDGES
    factor = kg_per_km if measure == "kg_co2e" else eur_per_km
    return KM_EDGES * factor - (price_eur if measure == "eur_after_price" else 0.0)


def users_by(groups: HouseholdGroups, measure: str, kind: str = "") -> np.ndarray:
    """Users in each bin of `edges_of(groups, measure)`; sums over the pool, one hub at a time."""
    return np.asarray(groups.histogram[_histogram_row(measure, kind)])


def _histogram_row(measure: str, kind: str) -> int:
    rows = (kernel.HOURS_ALL_ROW, kernel.KM_ALL_ROW) if kind else (kernel.HOURS_ROW, kernel.KM_ROW)
    return rows[0] if measure == "hours" else rows[1]


def _deciles(histogram: np.ndarray, scenario: Scenario, values: Values) -> pd.DataFrame:
    """Deciles of every measure and kind per participating household, linear inside a bin; 0 without users."""
    return pd.DataFrame({"decile": LEVELS, **_decile_columns(histogram, scenario, values)})


def _decile_columns(histogram: np.ndarray, scenario: Scenario, values: Values) -> dict[str, np.ndarray]:
    table: dict[str, np.ndarray] = {}
    for kind in KINDS:
        hours, km = (
            quantiles(edges, histogram[_histogram_row(name, kind)], LEVELS / 100.0)
            for edges, name in ((HOURS_EDGES, "hours"), (KM_EDGES, "eur"))
        )
        users = np.ones_like(km) if histogram.sum() > 0.0 else np.zeros_like(km)
        table |= {f"{name}{kind}": v for name, v in _measures(hours, km, users, scenario, values).items()}
    return table


def bars_of(groups: HouseholdGroups, measure: str, kind: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Edges of round width with one at zero, and households in each bar, for one site of the pool; tails in the end bars."""
    edges, users, sites = edges_of(groups, measure), users_by(groups, measure, kind), max(len(groups.site_codes), 1)
    low, high = quantiles(edges, users, np.array([SHOWN_SHARE, 1.0 - SHOWN_SHARE]))
    low, high = min(low, 0.0), max(high, 0.0)
    width = _round_width((high - low) / BARS)
    shown = np.arange(np.floor(low / width) - 1.0, np.ceil(high / width) + 2.0) * width
    return shown, _in_bars(shown, edges, users, sites)


def _in_bars(shown: np.ndarray, edges: np.ndarray, users: np.ndarray, sites: int) -> np.ndarray:
    """Users of a binned distribution in other bins, for one of so many sites; what lies beyond in the end ones."""
    cumulated = np.interp(shown, edges, np.concatenate([[0.0], np.cumsum(users)]))
    cumulated[0], cumulated[-1] = 0.0, users.sum()
    return np.diff(cumulated) / max(sites, 1)


def _round_width(width: float) -> float:
    """The next of 1, 2, 5, 10, 20 ..."""
    base = 10.0 ** np.floor(np.log10(max(width, 1.0)))
    return float(next(step * base for step in (*_NICE, 10.0) if step * base >= width))


def quantiles(edges: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Values below which the shares `levels` of a binned distribution lie, linear inside a bin; 0 where it is empty."""
    cumulated = np.concatenate([[0.0], np.cumsum(weights)])
    if cumulated[-1] <= 0.0:
        return np.zeros(levels.size)
    keep = np.concatenate([[True], np.diff(cumulated) > 0.0])  # a flat stretch would take its far end
    keep[:-1] |= keep[1:]
    return np.interp(levels, cumulated[keep] / cumulated[-1], edges[keep])


def per_site(table: pd.DataFrame, name: str) -> np.ndarray:
    """A summed column for one site of the pool, on average."""
    return per(table[name].to_numpy(float), table["sites"].to_numpy(float))
