"""`assess(territory, scenario, parameters)`: every commune as the place of one hub, with low, central and high."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from coopconnect import MODEL_VERSION
from coopconnect.model import impact, score, viability
from coopconnect.model.calibration import calibration_for
from coopconnect.model.choice import (
    DayCosts,
    Odds,
    Prepared,
    Values,
    day_costs,
    hot_days,
    hub_days_per_user,
    odds,
    road_disruption_days,
    within_reach,
)
from coopconnect.model.kernel import N_SUMS, hours_histogram, pair_sums, row_sums
from coopconnect.model.types import RANGED, Assessment, Calibration, Range
from coopconnect.parameters import Parameters
from coopconnect.scenario import COMPONENTS, Scenario, parameter_values
from coopconnect.territory.types import Territory

BEHAVIOUR_RANGES = (
    "hub_share_reference", "substitution_reference", "home_unsuitable_share", "fuel_price_elasticity",
)  # fmt: skip
"""Parameters whose low and high need a new calibration and a new run of the kernel."""

PHYSICAL_RANGES = (
    "rebound_share", "fleet_emission_kg_per_km", "consumption_l_per_100_km", "non_fuel_cost_eur_per_km",
    "hub_days_per_user_per_week", "value_of_time_eur_per_h", "weeks_per_year",
    "opex_{premises}_eur_per_year", "capex_{premises}_eur", "desks_per_small_hub",
)  # fmt: skip
"""Parameters whose low and high only change what is made of the days (the choice is kept)."""

COUNTS = ("users", "hub_days_per_year", "desks", "viability", "yearly_cost_eur")
"""Ranged columns for which a low below zero has no meaning."""

HISTOGRAM_EDGES = np.arange(-100.0, 301.0, 4.0)
"""Edges of the distribution of hours a year per participating household; the end bins hold what lies beyond."""

THREADS = 2


@dataclass(frozen=True, eq=False)
class Run:
    """One run of the kernel: pair sums (n_access, N_SUMS), site sums, and what went in."""

    pairs: np.ndarray
    sites: impact.Sums
    costs: DayCosts
    odds: Odds


def run_kernel(
    prepared: Prepared,
    scenario: Scenario,
    calibration: Calibration,
    values: Values,
    costs: DayCosts | None = None,
) -> Run:
    """Choice of every commuter for every site, one hub at a time."""
    t = prepared.territory
    costs = costs or day_costs(prepared, scenario, values)
    o = odds(prepared, costs, scenario, calibration, values)
    pairs = np.zeros((t.access_zone.size, N_SUMS))
    pair_sums(
        t.access_start, t.access_zone, o.hub_suitable, o.hub_unsuitable,
        t.flow_start, o.office, o.home, o.days_suitable, o.days_unsuitable,
        costs.commute_min, costs.commute_km, pairs,
    )  # fmt: skip
    columns = np.column_stack([pairs[:, :4], pairs[:, 0] * costs.access_min, pairs[:, 0] * costs.access_km])
    out = np.zeros((t.site_zone.size, columns.shape[1]))
    row_sums(t.access_start, columns, out)
    return Run(pairs, impact.Sums(*np.ascontiguousarray(out.T)), costs, o)


def pair_impact_sums(run: Run) -> impact.Sums:
    """The same sums by access pair instead of by site."""
    p = run.pairs
    return impact.Sums(
        p[:, 0], p[:, 1], p[:, 2], p[:, 3], p[:, 0] * run.costs.access_min, p[:, 0] * run.costs.access_km
    )


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What of the catchment of each site depends on the access limit and the climate, not on who comes."""

    workers: np.ndarray
    households: np.ndarray
    population: np.ndarray
    vulnerable: np.ndarray
    hot_days: np.ndarray
    road_days: float
    zone_vulnerable: np.ndarray


def surroundings(prepared: Prepared, scenario: Scenario, values: Values) -> Surroundings:
    """Totals and household-weighted means over the zones within reach of each site."""
    t = prepared.territory
    zone_vulnerable = score.vulnerable_share(prepared, scenario, values)
    zone_hot = hot_days(t, scenario)
    h = prepared.households
    by_zone = np.column_stack([prepared.workers, h, prepared.population, h * zone_vulnerable, h * zone_hot])
    out = np.zeros((t.site_zone.size, by_zone.shape[1]))
    row_sums(t.access_start, by_zone[t.access_zone], out)
    people = np.maximum(out[:, 1], 1e-9)
    return Surroundings(
        out[:, 0], out[:, 1], out[:, 2], out[:, 3] / people, out[:, 4] / people,
        road_disruption_days(scenario, values), zone_vulnerable,
    )  # fmt: skip


def site_results(
    sums: impact.Sums,
    around: Surroundings,
    scenario: Scenario,
    values: Values,
    desk_count: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """All yearly figures of the sites, by column name, from their sums. Division by no users gives 0.

    `desk_count` spares the desks where they are known.
    """
    per_user = hub_days_per_user(scenario, values)
    users = sums.hub_days / per_user if per_user > 0.0 else np.zeros_like(sums.hub_days)
    hours = impact.hours(sums)
    km = impact.vehicle_km(sums, values)
    eur = impact.euros(km, scenario, values)
    kg = impact.kg_co2e(km, scenario, values)
    desk_count = viability.desks(sums.hub_days, values) if desk_count is None else desk_count
    cost = viability.yearly_cost_eur(desk_count, scenario, values)
    revenue = sums.hub_days * scenario.day_price_eur
    contribution = np.full_like(cost, scenario.council_contribution_eur_per_year)
    ratio = (revenue + contribution) / cost
    components = (
        score.viability_points(ratio),
        score.per_cost_points(hours, cost, values["anchor_hours_per_1000_eur"]),
        score.per_cost_points(eur, cost, values["anchor_eur_per_1000_eur"]),
        score.per_cost_points(kg, cost, values["anchor_co2_kg_per_1000_eur"]),
        score.resilience_points(around.vulnerable, around.hot_days, around.road_days, scenario, values),
    )
    worth = eur + hours * values["value_of_time_eur_per_h"] + kg / 1000.0 * scenario.carbon_value_eur_per_t
    return {
        "score": score.score(components, scenario),
        **{f"component_{name}": points for name, points in zip(COMPONENTS, components, strict=True)},
        "users": users, "hub_days_per_year": sums.hub_days, "desks": desk_count,
        "hours_per_year": hours, "eur_per_year": eur, "kg_co2e_per_year": kg, "vehicle_km_per_year": km,
        "viability": ratio, "yearly_cost_eur": cost, "revenue_eur_per_year": revenue,
        "contribution_eur_per_year": contribution,
        "break_even_users": viability.break_even_users(cost, per_user, scenario),
        "hours_per_participating_household": _per(hours, users),
        "eur_per_participating_household": _per(eur, users),
        "kg_co2e_per_participating_household": _per(kg, users),
        "benefit_cost": worth / cost,
        "net_public_cost_per_day_eur": _per(cost - revenue, sums.hub_days),
        "substitution_share": _per(sums.avoided_days, sums.hub_days),
        "hours_if_all_replaced": _per(sums.avoided_min, sums.avoided_days) / 60.0 * per_user
        - _per(sums.access_min, sums.hub_days) / 60.0 * per_user,
    }  # fmt: skip


def _per(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.divide(total, count, out=np.zeros_like(total), where=count > 0.0)


def _variant_values(values: Values, key: str, level: float) -> dict[str, float]:
    return {**values, key: level}


def _levels(parameters: Parameters, values: Values, key: str) -> Iterable[float]:
    """Low and high of a parameter, widened to hold the value in use."""
    item = parameters[key]
    return (min(item.low, values[key]), max(item.high, values[key]))


def _scaled_sums(sums: impact.Sums, factor: float) -> impact.Sums:
    return impact.Sums(*(getattr(sums, f) * factor for f in impact.Sums.__dataclass_fields__))


def _behaviour_variants(
    prepared: Prepared, scenario: Scenario, parameters: Parameters, values: Values, around: Surroundings,
    home: Territory, costs: DayCosts,
) -> list[tuple[str, list[dict[str, np.ndarray]]]]:  # fmt: skip
    """Site results at the low and high of each behavioural parameter, each with its own calibration."""

    def one(job: tuple[str, float]) -> dict[str, np.ndarray]:
        key, level = job
        changes = tuple(sorted({**dict(scenario.changed), key: level}.items()))
        calibration = calibration_for(home, parameters, changes)
        changed = _variant_values(values, key, level)
        return site_results(
            run_kernel(prepared, scenario, calibration, changed, costs).sites, around, scenario, changed
        )

    jobs = [(key, level) for key in BEHAVIOUR_RANGES for level in _levels(parameters, values, key)]
    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(one, jobs))
    return [(key, results[2 * n : 2 * n + 2]) for n, key in enumerate(BEHAVIOUR_RANGES)]


def _physical_variants(
    sums: impact.Sums,
    central: dict[str, np.ndarray],
    around: Surroundings,
    scenario: Scenario,
    parameters: Parameters,
    values: Values,
) -> list[tuple[str, list[dict[str, np.ndarray]]]]:
    """Site results at the low and high of the parameters that leave the choice as it is."""
    found = []
    for name in PHYSICAL_RANGES:
        key = name.format(premises=scenario.premises)
        runs = []
        for level in _levels(parameters, values, key):
            factor = level / values[key] if key == "weeks_per_year" else 1.0
            scaled = _scaled_sums(sums, factor) if factor != 1.0 else sums
            changed = _variant_values(values, key, level)
            runs.append(site_results(scaled, around, scenario, changed, central["desks"]))
        found.append((key, runs))
    return found


def ranges(
    central: dict[str, np.ndarray], variants: list[tuple[str, list[dict[str, np.ndarray]]]]
) -> dict[str, np.ndarray]:
    """Low and high of the `RANGED` columns.

    Each parameter in turn stands at its low and its high; the largest fall (rise) that it causes is kept, and the
    falls (rises) of all parameters are added in quadrature, as independent errors are. The ranges of the score and
    its components stay within 0 and 100. One at a time: interactions are left to the ensemble.
    """
    base = np.stack([central[name] for name in RANGED])
    runs = np.stack([[[run[name] for name in RANGED] for run in pair] for _, pair in variants]) - base
    low = base - np.sqrt((np.minimum(runs.min(axis=1), 0.0) ** 2).sum(axis=0))
    high = base + np.sqrt((np.maximum(runs.max(axis=1), 0.0) ** 2).sum(axis=0))
    found: dict[str, np.ndarray] = {}
    for k, name in enumerate(RANGED):
        if name == "score" or name.startswith("component_"):
            low[k], high[k] = np.maximum(low[k], 0.0), np.minimum(high[k], 100.0)
        elif name in COUNTS:
            low[k] = np.maximum(low[k], 0.0)
        found[f"{name}_low"], found[f"{name}_high"] = low[k], high[k]
    return found


def ranks(value: np.ndarray, variants: list[np.ndarray], available: np.ndarray) -> dict[str, np.ndarray]:
    """Rank (1 best; 0 where not available), best and worst rank over all variant runs, and ties.

    Sites are compared within each run, since an assumption moves all sites together. A site is tied with the one
    ranked just before it where at least one run puts them the other way round (or makes them equal).
    """
    n = value.size
    out = {k: np.zeros(n, dtype=np.int64) for k in ("rank", "rank_low", "rank_high")}
    tied = np.zeros(n, dtype=bool)
    rows = np.flatnonzero(available)
    if rows.size:
        order = _order(value, rows)
        place = np.arange(1, order.size + 1)
        out["rank"][order] = place
        low, high = place.copy(), place.copy()
        swapped = value[order[1:]] == value[order[:-1]]
        for other in variants:
            theirs = np.empty(n, dtype=np.int64)
            theirs[_order(other, rows)] = place
            low, high = np.minimum(low, theirs[order]), np.maximum(high, theirs[order])
            swapped |= other[order[1:]] >= other[order[:-1]]
        out["rank_low"][order], out["rank_high"][order] = low, high
        tied[order[1:]] |= swapped
        tied[order[:-1]] |= swapped
    return {**out, "tied": tied}


def _order(value: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows from the best value to the worst, equal ones in their own order."""
    return rows[np.argsort(-value[rows], kind="stable")]


def histogram_of(prepared: Prepared, scenario: Scenario, run: Run, values: Values) -> np.ndarray:
    """Users of each site by hours kept a year, (n_sites, len(HISTOGRAM_EDGES) - 1)."""
    t = prepared.territory
    out = np.zeros((t.site_zone.size, HISTOGRAM_EDGES.size - 1))
    per_user = hub_days_per_user(scenario, values)
    if per_user > 0.0:
        o = run.odds
        hours_histogram(
            t.access_start, t.access_zone, o.hub_suitable, o.hub_unsuitable,
            t.flow_start, o.office, o.home, o.days_suitable, o.days_unsuitable,
            run.costs.commute_min, run.costs.access_min, per_user,
            float(HISTOGRAM_EDGES[0]), float(HISTOGRAM_EDGES[1] - HISTOGRAM_EDGES[0]), out,
        )  # fmt: skip
    return out


def quantile_of(histogram: np.ndarray, level: float) -> np.ndarray:
    """Quantile of each row of a histogram, linear inside its bin, (n,); 0 where the row is empty."""
    total = histogram.sum(axis=1)
    cumulated = np.cumsum(histogram, axis=1)
    wanted = level * total
    bin_index = np.minimum((cumulated < wanted[:, None]).sum(axis=1), histogram.shape[1] - 1)
    rows = np.arange(histogram.shape[0])
    inside = histogram[rows, bin_index]
    before = cumulated[rows, bin_index] - inside
    share = np.divide(wanted - before, inside, out=np.zeros_like(wanted), where=inside > 0.0)
    width = HISTOGRAM_EDGES[1] - HISTOGRAM_EDGES[0]
    return np.where(total > 0.0, HISTOGRAM_EDGES[bin_index] + share * width, 0.0)


def losing_share(histogram: np.ndarray) -> np.ndarray:
    """Share of the users of each row who lose time (bins below zero), (n,)."""
    below = histogram[:, HISTOGRAM_EDGES[1:] <= 0.0].sum(axis=1)
    return _per(below, histogram.sum(axis=1))


def _households_table(histogram: np.ndarray, rural: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Distribution and deciles of hours per participating household, rural sites together."""
    pooled = histogram[rural].sum(axis=0) if rural.any() else histogram.sum(axis=0)
    total = max(float(pooled.sum()), 1e-12)
    households = pd.DataFrame(
        {"hours_from": HISTOGRAM_EDGES[:-1], "hours_to": HISTOGRAM_EDGES[1:], "users_share": pooled / total}
    )
    levels = np.arange(10, 100, 10)
    deciles = pd.DataFrame(
        {"decile": levels, "hours_rural": [float(quantile_of(pooled[None, :], q / 100)[0]) for q in levels]}
    )
    return households, deciles


def _zone_table(
    prepared: Prepared, run: Run, around: Surroundings, scenario: Scenario, values: Values
) -> pd.DataFrame:
    """One row per home commune of the territory: its commute, remote work at all, and its best hub."""
    t = prepared.territory
    n = len(t.zones)
    workers = np.maximum(prepared.workers, 1e-9)

    def mean_by_zone(per_flow: np.ndarray) -> np.ndarray:
        return np.bincount(prepared.flow_zone, weights=per_flow * t.flow_workers, minlength=n) / workers

    o = run.odds
    at_home = o.days_suitable * _home_share(o, prepared)
    remote = np.bincount(prepared.flow_zone, weights=at_home * run.costs.commute_min, minlength=n) / 60.0
    pair_hours = impact.hours(pair_impact_sums(run))
    best = _best_pair(t, pair_hours, n)
    has = best >= 0
    site = prepared.access_site[np.where(has, best, 0)]
    codes = t.zones["zone_code"].to_numpy(object)
    names = t.zones["name"].to_numpy(object)
    per_user = max(hub_days_per_user(scenario, values), 1e-9)
    households = np.maximum(prepared.households, 1.0)
    hub_hours = np.where(has, pair_hours[best], 0.0)
    keep = t.zones["in_territory"].to_numpy(bool)
    table = pd.DataFrame(
        {
            **{c: t.zones[c].to_numpy() for c in ("zone_code", "name", "departement", "rural", "population")},
            "households": prepared.households,
            "workers": prepared.workers,
            "commute_km": mean_by_zone(t.flow_road_km),
            "commute_min": mean_by_zone(t.flow_drive_min) * values["commute_peak_factor"],
            "remote_hours_per_worker": remote / workers,
            "remote_hours_per_household": remote / households,
            "vulnerable_share": around.zone_vulnerable,
            "best_site_code": np.where(has, codes[t.site_zone[site]], ""),
            "best_site_name": np.where(has, names[t.site_zone[site]], ""),
            "hub_users": np.where(has, run.pairs[best, 0] / per_user, 0.0),
            "hub_hours_per_year": hub_hours,
            "hub_hours_per_household": hub_hours / households,
        }
    )
    return table[keep].reset_index(drop=True)


def _home_share(o: Odds, prepared: Prepared) -> np.ndarray:
    """P(home) of suitable homes, no hub open, per flow."""
    home = o.home[prepared.flow_zone]
    return home / (o.office + home)


def _best_pair(t: Territory, pair_hours: np.ndarray, n_zones: int) -> np.ndarray:
    """For each zone the access pair that keeps most hours, -1 where none is within reach."""
    order = np.argsort(pair_hours, kind="stable")
    best = np.full(n_zones, -1, dtype=np.int64)
    best[t.access_zone[order]] = order
    return best


def _weighted(value: np.ndarray, weight: np.ndarray) -> float:
    total = float(weight.sum())
    return float(value @ weight / total) if total > 0.0 else 0.0


def _totals(sites: pd.DataFrame, zones: pd.DataFrame) -> dict[str, Range]:
    """Headline figures of the territory, over the rural sites (all sites where none is rural)."""
    rural = sites["rural"].to_numpy(bool) & sites["available"].to_numpy(bool)
    pool = rural if rural.any() else sites["available"].to_numpy(bool)

    def column(name: str) -> np.ndarray:
        return sites[name].to_numpy(float)

    def ranged(name: str) -> Range:
        users = column("users")[pool]
        return Range(*(_weighted(column(name + end)[pool], users) for end in ("_low", "", "_high")))

    def viable(mask: np.ndarray) -> Range:
        return Range(
            *(float((column("viability" + end)[mask] >= 1.0).sum()) for end in ("_low", "", "_high"))
        )

    def same(value: float) -> Range:
        return Range(value, value, value)

    reach = np.maximum(column("workers_within_reach")[pool], 1e-9)
    share = Range(*(_weighted(column("users" + end)[pool] / reach, reach) for end in ("_low", "", "_high")))
    remote = _weighted(zones["remote_hours_per_worker"].to_numpy(float), zones["workers"].to_numpy(float))
    score_range = Range(
        *(
            float(np.median(column("score" + end)[pool])) if pool.any() else 0.0
            for end in ("_low", "", "_high")
        )
    )
    return {
        "sites": same(float(sites["available"].sum())),
        "viable_sites": viable(sites["available"].to_numpy(bool)),
        "viable_rural_sites": viable(rural),
        "median_score": score_range,
        "hours_per_participating_household": ranged("hours_per_participating_household"),
        "eur_per_participating_household": ranged("eur_per_participating_household"),
        "kg_co2e_per_participating_household": ranged("kg_co2e_per_participating_household"),
        "users_share": share,
        "substitution_share": same(
            _weighted(column("substitution_share")[pool], column("hub_days_per_year")[pool])
        ),
        "remote_hours_per_worker": same(remote),
    }


@lru_cache(maxsize=8)
def host_columns(territory: Territory) -> dict[str, np.ndarray]:
    """What the table of sites says of the commune of each site."""
    names = ("zone_code", "name", "departement", "epci_name", "rural", "lon", "lat", "population")
    host = territory.zones.iloc[territory.site_zone]
    return {
        name: host[name].to_numpy(object if host[name].dtype.kind not in "bif" else None) for name in names
    }


def _sites_table(
    prepared: Prepared, around: Surroundings, central: dict[str, np.ndarray], bounds: dict[str, np.ndarray],
    variant_scores: list[np.ndarray], histogram: np.ndarray, scenario: Scenario, values: Values,
) -> pd.DataFrame:  # fmt: skip
    t = prepared.territory
    host = host_columns(t)
    available = (
        ~np.isin(host["zone_code"], scenario.refused) if scenario.refused else np.ones(t.site_zone.size, bool)
    )
    flag = (central["hours_per_year"] < 0) | (central["eur_per_year"] < 0) | (central["kg_co2e_per_year"] < 0)
    return pd.DataFrame(
        {
            **host,
            **ranks(central["score"], variant_scores, available),
            "available": available,
            "red_flag": flag,
            **central,
            **bounds,
            "enough_users": central["users"] >= values["core_users_gate"],
            "users_share": _per(central["users"], around.workers),
            "hours_per_catchment_household": _per(central["hours_per_year"], around.households),
            "hours_d1": quantile_of(histogram, 0.1),
            "hours_d5": quantile_of(histogram, 0.5),
            "hours_d9": quantile_of(histogram, 0.9),
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
    variants = _behaviour_variants(prepared, scenario, parameters, values, around, home, run.costs)
    variants += _physical_variants(run.sites, central, around, scenario, parameters, values)
    histogram = histogram_of(prepared, scenario, run, values)
    scores = [run["score"] for _, runs in variants for run in runs]
    bounds = ranges(central, variants)
    sites = _sites_table(prepared, around, central, bounds, scores, histogram, scenario, values)
    zones = _zone_table(prepared, run, around, scenario, values)
    households, deciles = _households_table(histogram, sites["rural"].to_numpy(bool))
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
        totals=_totals(sites, zones),
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
