"""`assess(territory, scenario, parameters)`: every commune as the place of one hub, with low, central and high."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd

from coopconnect import MODEL_VERSION
from coopconnect.model import impact
from coopconnect.model.calibration import calibration_for
from coopconnect.model.choice import Prepared, Values, detour_factor, hub_days_per_user, within_reach
from coopconnect.model.households import (
    HISTOGRAM_EDGES,
    histogram_of,
    households_table,
    losing_share,
    quantiles_of,
)
from coopconnect.model.ranges import Context, ranks, spread
from coopconnect.model.runs import (
    Run,
    Surroundings,
    hours_if_all_replaced,
    pair_impact_sums,
    per,
    run_kernel,
    site_results,
    surroundings,
)
from coopconnect.model.types import Assessment, Range
from coopconnect.model.viability import break_even_users
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario, parameter_values
from coopconnect.territory.types import Territory


def _zone_table(
    prepared: Prepared,
    run: Run,
    around: Surroundings,
    scenario: Scenario,
    values: Values,
    available: np.ndarray,
) -> pd.DataFrame:
    """One row per home commune of the territory: its commute, remote work at all, and its best hub."""
    t = prepared.territory
    n = len(t.zones)
    workers = np.maximum(prepared.workers, 1e-9)

    def mean_by_zone(per_flow: np.ndarray) -> np.ndarray:
        return np.bincount(prepared.flow_zone, weights=per_flow * t.flow_workers, minlength=n) / workers

    o = run.odds
    at_home = o.days * (1.0 - o.unsuitable_share) * (1.0 - o.office_share)
    remote = np.bincount(prepared.flow_zone, weights=at_home * run.costs.commute_min, minlength=n) / 60.0
    pair_hours = impact.hours(pair_impact_sums(run))
    best = _best_pair(t, np.where(available[prepared.access_site], pair_hours, -np.inf), n)
    has = best >= 0
    site = np.append(prepared.access_site, 0)[best]  # -1, no site, reads what is appended: there may be no pair at all
    codes = t.zones["zone_code"].to_numpy(object)
    names = t.zones["name"].to_numpy(object)
    per_user = max(hub_days_per_user(scenario, values), 1e-9)
    households = np.maximum(prepared.households, 1.0)
    hub_hours = np.append(pair_hours, 0.0)[best]
    keep = t.zones["in_territory"].to_numpy(bool)
    table = pd.DataFrame(
        {
            **{c: t.zones[c].to_numpy() for c in ("zone_code", "name", "departement", "rural", "population")},
            "households": prepared.households,
            "workers": prepared.workers,
            "commute_km": mean_by_zone(t.flow_road_km * detour_factor(t, values)),
            "commute_min": mean_by_zone(t.flow_drive_min) * values["commute_peak_factor"],
            "remote_hours_per_worker": remote / workers,
            "remote_hours_per_household": remote / households,
            "vulnerable_share": around.zone_vulnerable,
            "best_site_code": np.where(has, codes[t.site_zone[site]], ""),
            "best_site_name": np.where(has, names[t.site_zone[site]], ""),
            "hub_users": np.append(run.pairs[:, 0], 0.0)[best] / per_user,
            "hub_hours_per_year": hub_hours,
            "hub_hours_per_household": hub_hours / households,
        }
    )
    return table[keep].reset_index(drop=True)


def _best_pair(t: Territory, pair_hours: np.ndarray, n_zones: int) -> np.ndarray:
    """For each zone the access pair that keeps most hours, -1 where none within reach keeps any."""
    keeps = np.flatnonzero(pair_hours > 0.0)
    order = keeps[np.argsort(pair_hours[keeps], kind="stable")]
    best = np.full(n_zones, -1, dtype=np.int64)
    best[t.access_zone[order]] = order
    return best


def _weighted(value: np.ndarray, weight: np.ndarray) -> float:
    total = float(weight.sum())
    return float(value @ weight / total) if total > 0.0 else 0.0


def _totals(sites: pd.DataFrame, zones: pd.DataFrame, core_users: float) -> dict[str, Range]:
    """Headline figures of the territory, over the rural sites (all sites where none is rural)."""
    rural = sites["rural"].to_numpy(bool) & sites["available"].to_numpy(bool)
    pool = rural if rural.any() else sites["available"].to_numpy(bool)

    def column(name: str) -> np.ndarray:
        return sites[name].to_numpy(float)

    def ranged(name: str) -> Range:
        users = column("users")[pool]
        return Range(*(_weighted(column(name + end)[pool], users) for end in ("_low", "", "_high")))

    def viable(mask: np.ndarray) -> Range:
        def count(end: str) -> float:
            enough = column("users" + end)[mask] >= core_users
            return float(((column("viability" + end)[mask] >= 1.0) & enough).sum())

        return Range(count("_low"), count(""), count("_high"))

    def median(name: str) -> Range:
        found = (float(np.median(column(name + end)[pool])) if pool.any() else 0.0 for end in ("_low", "", "_high"))
        return Range(*found)

    def same(value: float) -> Range:
        return Range(value, value, value)

    reach = np.maximum(column("workers_within_reach")[pool], 1e-9)
    share = Range(*(_weighted(column("users" + end)[pool] / reach, reach) for end in ("_low", "", "_high")))
    remote = _weighted(zones["remote_hours_per_worker"].to_numpy(float), zones["workers"].to_numpy(float))
    return {
        "sites": same(float(sites["available"].sum())),
        "viable_sites": viable(sites["available"].to_numpy(bool)),
        "viable_rural_sites": viable(rural),
        "median_score": median("score"),
        "median_users": median("users"),
        "median_hours_per_year": median("hours_per_year"),
        "hours_per_participating_household": ranged("hours_per_participating_household"),
        "eur_per_participating_household": ranged("eur_per_participating_household"),
        "kg_co2e_per_participating_household": ranged("kg_co2e_per_participating_household"),
        "users_share": share,
        "substitution_share": same(_weighted(column("substitution_share")[pool], column("hub_days_per_year")[pool])),
        "remote_hours_per_worker": same(remote),
    }


@lru_cache(maxsize=8)
def host_columns(territory: Territory) -> dict[str, np.ndarray]:
    """What the table of sites says of the commune of each site."""
    names = ("zone_code", "name", "departement", "epci_name", "rural", "lon", "lat", "population")
    host = territory.zones.iloc[territory.site_zone]
    return {name: host[name].to_numpy(object if host[name].dtype.kind not in "bif" else None) for name in names}


def _sites_table(
    prepared: Prepared, around: Surroundings, central: dict[str, np.ndarray], bounds: dict[str, np.ndarray],
    variant_scores: list[np.ndarray], histogram: np.ndarray, replaced: np.ndarray, scenario: Scenario, values: Values,
) -> pd.DataFrame:  # fmt: skip
    t = prepared.territory
    host = host_columns(t)
    available = ~np.isin(host["zone_code"], scenario.refused) if scenario.refused else np.ones(t.site_zone.size, bool)
    flag = (central["hours_per_year"] < 0) | (central["eur_per_year"] < 0) | (central["kg_co2e_per_year"] < 0)
    return pd.DataFrame(
        {
            **host,
            **ranks(central["score"], variant_scores, available),
            "available": available,
            "red_flag": flag,
            **central,
            **bounds,
            "hours_if_all_replaced": replaced,
            "enough_users": central["users"] >= values["core_users_gate"],
            "eur_after_price_per_participating_household": central["eur_per_participating_household"]
            - central["price_paid_per_participating_household_eur"],
            "break_even_users": np.full(
                available.size, break_even_users(hub_days_per_user(scenario, values), scenario, values)
            ),
            "users_share": per(central["users"], around.workers),
            "hours_per_catchment_household": per(central["hours_per_year"], around.households),
            **dict(zip(("hours_d1", "hours_d5", "hours_d9"), quantiles_of(histogram, (0.1, 0.5, 0.9)), strict=True)),
            "losing_share": losing_share(histogram),
            "workers_within_reach": around.workers,
            "households_within_reach": around.households,
            "population_within_reach": around.population,
            "vulnerable_share": around.vulnerable,
            "hot_days": around.hot_days,
            "road_disruption_days": np.full(available.size, around.road_days),
        },
        copy=False,
    )


def assess(
    territory: Territory, scenario: Scenario, parameters: Parameters, home: Territory | None = None
) -> Assessment:
    """Every commune of the territory as the place of one hub.

    `home` is the territory on which the choice is calibrated (that of the evidence); the territory itself by
    default. The territory is never changed. Raises `CalibrationError` where the assumptions admit no constants.
    """
    started = time.perf_counter()
    home = home or territory
    prepared = within_reach(territory, scenario.access_max_min)
    values = parameter_values(scenario, parameters)
    calibration = calibration_for(home, parameters, scenario.changed)
    run = run_kernel(prepared, scenario, calibration, values)
    around = surroundings(prepared, scenario, values)
    central = site_results(run.sites, around, scenario, values)
    context = Context(prepared, home, scenario, parameters, values, around, run.costs)
    gathered = spread(context, central, run.sites)
    histogram = histogram_of(prepared, scenario, run, values)
    replaced = hours_if_all_replaced(run, prepared.territory.access_start, hub_days_per_user(scenario, values))
    sites = _sites_table(
        prepared, around, central, gathered.bounds(), gathered.scores, histogram, replaced, scenario, values
    )
    available = sites["available"].to_numpy(bool)
    zones = _zone_table(prepared, run, around, scenario, values, available)
    households, deciles = households_table(histogram, sites["rural"].to_numpy(bool) & available)
    per_user = max(hub_days_per_user(scenario, values), 1e-9)
    return Assessment(
        model_version=MODEL_VERSION,
        scenario=scenario,
        territory_code=territory.code,
        territory_name=territory.name,
        sites=sites,
        zones=zones,
        households=households,
        deciles=deciles,
        histogram=histogram,
        histogram_edges=HISTOGRAM_EDGES,
        totals=_totals(sites, zones, values["core_users_gate"]),
        access_site=prepared.access_site,
        access_zone=prepared.territory.access_zone,
        pair_users=run.pairs[:, 0] / per_user,
        pair_hours=impact.hours(pair_impact_sums(run)),
        calibration=calibration,
        modelled=tuple(p.table for p in territory.provenance if p.kind != "official"),
        seconds=time.perf_counter() - started,
    )


@lru_cache(maxsize=64)
def around_site(territory: Territory, site_code: str) -> Territory:
    """The territory cut down to one site and the homes within its reach: a run takes under a millisecond.

    Raises KeyError where no site has this code.
    """
    codes = territory.zones["zone_code"].to_numpy(object)[territory.site_zone]
    found = np.flatnonzero(codes == site_code)
    if not found.size:
        raise KeyError(f"no site {site_code!r} in territory {territory.code}")
    s = int(found[0])
    span = slice(int(territory.access_start[s]), int(territory.access_start[s + 1]))
    keep = territory.access_zone[span]
    starts, ends = territory.flow_start[keep], territory.flow_start[keep + 1]
    flows = np.concatenate([np.arange(a, b) for a, b in zip(starts, ends, strict=True)])
    return replace(
        territory,
        zones=territory.zones.iloc[keep].reset_index(drop=True),
        site_zone=np.flatnonzero(keep == territory.site_zone[s]).astype(np.int32),
        flow_start=np.concatenate([[0], np.cumsum(ends - starts)]).astype(np.int64),
        flow_work=territory.flow_work[flows],
        flow_workers=territory.flow_workers[flows],
        flow_road_km=territory.flow_road_km[flows],
        flow_drive_min=territory.flow_drive_min[flows],
        access_start=np.array([0, keep.size], dtype=np.int64),
        access_zone=np.arange(keep.size, dtype=np.int32),
        access_road_km=territory.access_road_km[span],
        access_drive_min=territory.access_drive_min[span],
        hot_days=territory.hot_days[keep],
    )


def response(
    territory: Territory, scenario: Scenario, parameters: Parameters, site_code: str, lever: str,
    levels: Iterable[float], home: Territory | None = None,
) -> pd.DataFrame:  # fmt: skip
    """How one site answers one lever: central figures at each level of `lever` (a numeric lever of `Scenario`)."""
    home = home or territory
    cut = around_site(territory, site_code)
    calibration = calibration_for(home, parameters, scenario.changed)
    rows = []
    for level in levels:
        moved = scenario.with_values(**{lever: float(level)})
        prepared = within_reach(cut, moved.access_max_min)
        values = parameter_values(moved, parameters)
        sums = run_kernel(prepared, moved, calibration, values).sites
        result = site_results(sums, surroundings(prepared, moved, values), moved, values)
        rows.append({"value": float(level), **{k: float(v[0]) for k, v in result.items()}})
    return pd.DataFrame(rows)
