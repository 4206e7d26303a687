"""A made-up territory and its assessment: seeded, small or as large as PACA, with the awkward cases in it.

Negative hours and CO2, sites without users (missing medians), refused sites (rank 0), communes without EPCI and
without a site within reach. Values are drawn, not computed by the model: for tests of what shows and exports.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from coopconnect.model.score import resilience_points
from coopconnect.model.types import RANGED, SITE_COLUMNS, TOTALS, ZONE_COLUMNS, Assessment, Calibration, Range
from coopconnect.model.viability import break_even_users
from coopconnect.parameters import load_parameters
from coopconnect.scenario import CLIMATES, COMPONENTS, Scenario, parameter_values, reference_scenario
from coopconnect.territory.types import Provenance, Territory

SEED = 20260101
HUB_DAYS_PER_USER = 1.9 * 46
LEADERS = 4
"""Sites of the leading tie group; each of the others is alone in its own."""

DEPARTEMENTS = ("04", "05", "06", "13", "83", "84")
EDGES = np.arange(-60.0, 181.0, 10.0)

PROVENANCE = (
    Provenance("zones", "official", "INSEE, recensement de la population", "2021", "Licence Ouverte 2.0"),
    Provenance("flows", "modelled", "Coop-connect, doubly-constrained gravity", "2021", "MIT",
               "Flux modélisés, pas observés.", "Modelled flows, not observed ones."),
    Provenance("travel", "estimated", "Coop-connect, crow-fly distance and detour", "2021", "MIT"),
    Provenance("climate", "estimated", "Météo-France, DRIAS-2020", "2020", "Licence Ouverte"),
)  # fmt: skip


def _codes(count: int) -> tuple[list[str], list[str]]:
    departements = [DEPARTEMENTS[n % len(DEPARTEMENTS)] for n in range(count)]
    return [f"{d}{n // len(DEPARTEMENTS) + 1:03d}" for n, d in enumerate(departements)], departements


def _zones(count: int, rng: np.random.Generator) -> pd.DataFrame:
    codes, departements = _codes(count)
    population = np.round(np.exp(rng.normal(6.6, 1.3, count))) + 20
    has_epci = rng.random(count) > 0.05
    group = rng.integers(0, 12, count)
    workers = np.round(population * rng.uniform(0.35, 0.45, count))
    return pd.DataFrame({
        "zone_code": codes, "name": [f"Commune-d'essai-{n + 1}" for n in range(count)],
        "departement": departements,
        "epci_code": [f"24000{g:04d}" if ok else "" for g, ok in zip(group, has_epci, strict=True)],
        "epci_name": [f"CC du Pays {g}" if ok else "" for g, ok in zip(group, has_epci, strict=True)],
        "population": population, "households": np.round(population / 2.2), "workers": workers,
        "jobs": np.round(workers * rng.uniform(0.2, 1.3, count)), "rural": rng.random(count) < 0.8,
        "area_km2": rng.uniform(3, 80, count), "lon": rng.uniform(4.3, 7.6, count),
        "lat": rng.uniform(43.0, 45.0, count), "in_territory": np.arange(count) < count,
    })  # fmt: skip


def synthetic_territory(count: int = 40, seed: int = SEED) -> Territory:
    """A territory of `count` communes, all inside it, each with flows to its followers and a remainder."""
    rng = np.random.default_rng(seed)
    zones = _zones(count, rng)
    n_flows, n_access = min(5, count), min(4, count)
    work = (np.arange(count)[:, None] + np.arange(n_flows)) % count
    work[:, -1] = -1
    reach = (np.arange(count)[:, None] + np.arange(n_access)) % count
    f32 = np.float32
    return Territory(
        code="93", name="Provence-Alpes-Côte d'Azur", zones=zones, site_zone=np.arange(count, dtype=np.int32),
        flow_start=np.arange(count + 1, dtype=np.int64) * n_flows, flow_work=work.ravel().astype(np.int32),
        flow_workers=rng.uniform(1, 90, work.size).astype(f32),
        flow_road_km=rng.uniform(1, 60, work.size).astype(f32),
        flow_drive_min=rng.uniform(2, 70, work.size).astype(f32),
        access_start=np.arange(count + 1, dtype=np.int64) * n_access, access_zone=reach.ravel().astype(np.int32),
        access_road_km=rng.uniform(1, 20, reach.size).astype(f32),
        access_drive_min=rng.uniform(2, 29, reach.size).astype(f32),
        hot_days=rng.uniform(0, 30, (count, len(CLIMATES))).astype(f32),
        places=zones[["zone_code", "name", "lon", "lat"]].copy(), provenance=PROVENANCE,
    )  # fmt: skip


def _sites(territory: Territory, scenario: Scenario, rng: np.random.Generator) -> pd.DataFrame:
    count = territory.site_zone.size
    sites = territory.zones.loc[
        territory.site_zone, ["zone_code", "name", "departement", "epci_name", "rural", "lon", "lat", "population"]
    ].reset_index(drop=True)
    users = np.round(np.exp(rng.normal(2.0, 1.0, count)), 2)
    users[:: max(count // 5, 2)] = 0.0
    days = users * HUB_DAYS_PER_USER
    hours_each = rng.normal(18, 16, count)
    cost = rng.uniform(15_000, 20_000, count)
    drawn = {
        "users": users, "hub_days_per_year": days,
        "substitution_share": rng.uniform(0.3, 0.7, count), "desks": np.ceil(users / 2), "yearly_cost_eur": cost,
        "hours_per_year": users * hours_each, "eur_per_year": users * hours_each * 9,
        "kg_co2e_per_year": users * (hours_each - 4) * 7, "vehicle_km_per_year": users * hours_each * 45,
        "hours_if_all_replaced": hours_each * 4,
        "hours_d1": hours_each - 25, "hours_d5": hours_each - 2, "hours_d9": hours_each + 40,
        "losing_share": rng.uniform(0, 0.4, count), "workers_within_reach": rng.uniform(100, 30_000, count),
        "households_within_reach": rng.uniform(100, 35_000, count),
        "population_within_reach": rng.uniform(300, 70_000, count), "revenue_eur_per_year": days * scenario.day_price_eur,
        "contribution_eur_per_year": np.full(count, scenario.council_contribution_eur_per_year),
        "vulnerable_share": rng.uniform(0.05, 0.3, count), "hot_days": rng.uniform(0, 25, count),
        "road_disruption_days": np.full(count, 2.0),
    }  # fmt: skip
    sites = sites.assign(**drawn)
    sites["viability"] = (sites["revenue_eur_per_year"] + sites["contribution_eur_per_year"]) / cost
    sites = _worked_out(sites, scenario)
    empty = users == 0
    missing = ["hours_d1", "hours_d5", "hours_d9", "losing_share"]
    sites.loc[empty, missing] = np.nan
    sites["red_flag"] = (sites[["hours_per_year", "eur_per_year", "kg_co2e_per_year"]] < 0).any(axis=1)
    return _ranked(_ranged(sites, rng), scenario)


def _per(total: pd.Series, count: pd.Series) -> np.ndarray:
    total, count = total.to_numpy(float), count.to_numpy(float)
    return np.divide(total, count, out=np.zeros_like(total), where=count > 0)


def _worked_out(sites: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """Ratios, components and score that follow from the drawn columns, by the formulas of the model."""
    values = parameter_values(scenario, load_parameters())
    cost, revenue = sites["yearly_cost_eur"], sites["revenue_eur_per_year"]
    hours, eur, kg = sites["hours_per_year"], sites["eur_per_year"], sites["kg_co2e_per_year"]
    for key, total in (("hours", hours), ("eur", eur), ("kg_co2e", kg)):
        sites[f"{key}_per_participating_household"] = _per(total, sites["users"])
    sites["hours_per_catchment_household"] = _per(hours, sites["households_within_reach"])
    sites["users_share"] = _per(sites["users"], sites["workers_within_reach"])
    sites["net_public_cost_per_day_eur"] = _per(cost - revenue, sites["hub_days_per_year"])
    core = values["core_users_gate"]
    sites["enough_users"] = sites["users"] >= core
    sites["component_viability"] = (100 * sites["viability"]).clip(0, 100) * (sites["users"] / core).clip(0, 1)
    price = HUB_DAYS_PER_USER * scenario.day_price_eur * (1 - values["employer_paid_share"])
    sites["price_paid_per_participating_household_eur"] = price
    sites["eur_after_price_per_participating_household"] = sites["eur_per_participating_household"] - price
    anchors = {"time": (hours, "hours_per_1000_eur"), "money": (eur, "eur_per_1000_eur"),
               "co2": (kg, "co2_kg_per_1000_eur")}  # fmt: skip
    for name, (total, anchor) in anchors.items():
        sites[f"component_{name}"] = (100_000 * total / cost / values[f"anchor_{anchor}"]).clip(0, 100)
    sites["component_resilience"] = resilience_points(
        sites["vulnerable_share"].to_numpy(), sites["hot_days"].to_numpy(), float(sites["road_disruption_days"].iloc[0]),
        scenario, values,
    )  # fmt: skip
    weights = np.array(scenario.weights()) / sum(scenario.weights())
    sites["score"] = sites[[f"component_{c}" for c in COMPONENTS]].to_numpy() @ weights
    worth = eur + hours * values["value_of_time_eur_per_h"] + kg / 1000 * scenario.carbon_value_eur_per_t
    sites["benefit_cost"] = worth / cost
    sites["break_even_users"] = break_even_users(HUB_DAYS_PER_USER, scenario, values)
    return sites


def _ranged(sites: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    bounds = {}
    for name in RANGED:
        spread = np.abs(sites[name].to_numpy()) * rng.uniform(0.1, 0.5, len(sites))
        low, high = sites[name] - spread, sites[name] + spread
        if name == "score" or name.startswith("component_"):
            low, high = low.clip(0), high.clip(upper=100)
        bounds[f"{name}_low"], bounds[f"{name}_high"] = low, high
    return pd.concat([sites, pd.DataFrame(bounds)], axis=1)


def _ranked(sites: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    available = ~sites["zone_code"].isin(scenario.refused).to_numpy()
    order = sites["score"].where(available).rank(ascending=False, method="first")
    sites["available"] = available
    sites["rank"] = order.fillna(0).astype(int)
    sites["rank_low"] = (sites["rank"] - 3).clip(1)
    sites["rank_high"] = (sites["rank"] + 4).clip(upper=len(sites))
    sites["tie_group"] = (sites["rank"] - LEADERS + 1).clip(1).where(available, 0)
    sites["tied"] = available & (sites["rank"] <= LEADERS)
    sites.loc[~available, ["rank_low", "rank_high"]] = 0
    extra = [f"{name}_{end}" for name in RANGED for end in ("low", "high")]
    return sites[[*SITE_COLUMNS, *extra]]


def _zone_results(territory: Territory, sites: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    zones = territory.zones.loc[territory.zones["in_territory"]].reset_index(drop=True)
    count = len(zones)
    hours = rng.normal(40, 60, count)
    best = rng.integers(0, len(sites), count)
    none = rng.random(count) < 0.1
    zones = zones.assign(
        commute_km=rng.uniform(3, 40, count), commute_min=rng.uniform(6, 50, count),
        remote_hours_per_worker=rng.uniform(2, 15, count), remote_hours_per_household=rng.uniform(2, 18, count),
        vulnerable_share=rng.uniform(0.05, 0.3, count),
        best_site_code=np.where(none, "", sites["zone_code"].to_numpy()[best]),
        best_site_name=np.where(none, "", sites["name"].to_numpy()[best]),
        hub_users=np.where(none, 0, rng.uniform(0, 9, count)), hub_hours_per_year=np.where(none, 0, hours),
        hub_hours_per_household=np.where(none, 0, hours / zones["households"].to_numpy()),
    )  # fmt: skip
    return zones[list(ZONE_COLUMNS)]


def synthetic_assessment(
    count: int = 40, seed: int = SEED, scenario: Scenario | None = None, territory: Territory | None = None
) -> Assessment:
    """Results of `count` communes, drawn. The reference scenario with its first two sites refused by default."""
    rng = np.random.default_rng(seed + 1)
    territory = territory or synthetic_territory(count, seed)
    if scenario is None:
        refused = tuple(territory.zones["zone_code"][:2])
        scenario = reference_scenario(load_parameters()).with_values(refused=refused)
    sites = _sites(territory, scenario, rng)
    zones = _zone_results(territory, sites, rng)
    middle = (EDGES[:-1] + EDGES[1:]) / 2
    shape = np.exp(-(((middle - 18) / 40) ** 2))
    shares = shape / shape.sum()
    cumulated = np.concatenate([[0], np.cumsum(shares)])
    deciles = np.arange(10, 100, 10)
    access_site = np.repeat(np.arange(len(sites)), 2)
    return Assessment(
        model_version="0.0-test", scenario=scenario, territory_code=territory.code,
        territory_name=territory.name, sites=sites, zones=zones,
        households=pd.DataFrame({"hours_from": EDGES[:-1], "hours_to": EDGES[1:], "users_share": shares}),
        deciles=pd.DataFrame({"decile": deciles, "hours_rural": np.interp(deciles / 100, cumulated, EDGES)}),
        histogram=sites["users"].to_numpy()[:, None] * rng.dirichlet(np.ones(middle.size), len(sites)),
        histogram_edges=EDGES, totals=_totals(sites, zones, scenario), access_site=access_site,
        access_zone=access_site.copy(), pair_users=rng.uniform(0, 3, access_site.size),
        pair_hours=rng.normal(10, 20, access_site.size), calibration=_calibration(),
        modelled=("flows", "jobs", "workers", "travel"), seconds=0.05,
    )  # fmt: skip


def _totals(sites: pd.DataFrame, zones: pd.DataFrame, scenario: Scenario) -> dict[str, Range]:
    """Totals as the model defines them, over the rural sites that are available."""
    free = sites[sites["available"]]
    pool = free[free["rural"]]
    core = parameter_values(scenario, load_parameters())["core_users_gate"]

    def weighted(value: str, weight: str) -> float:
        return float((pool[value] * pool[weight]).sum() / max(pool[weight].sum(), 1e-9))

    def viable(rows: pd.DataFrame, end: str) -> float:
        return float(((rows[f"viability{end}"] >= 1) & (rows[f"users{end}"] >= core)).sum())

    def median(name: str) -> Range:
        return three(lambda end: float(pool[f"{name}{end}"].median()) if len(pool) else 0.0)

    def three(of: Callable[[str], float]) -> Range:
        return Range(of("_low"), of(""), of("_high"))

    remote = float((zones["remote_hours_per_worker"] * zones["workers"]).sum() / zones["workers"].sum())
    reach = max(float(pool["workers_within_reach"].sum()), 1e-9)
    totals = {
        "sites": Range(len(free), len(free), len(free)),
        "viable_sites": three(lambda end: viable(free, end)),
        "viable_rural_sites": three(lambda end: viable(pool, end)),
        "median_score": median("score"),
        "median_users": median("users"),
        "median_hours_per_year": median("hours_per_year"),
        **{
            f"{key}_per_participating_household": three(
                lambda end, key=key: weighted(f"{key}_per_participating_household{end}", "users")
            )
            for key in ("hours", "eur", "kg_co2e")
        },
        "users_share": three(lambda end: float(pool[f"users{end}"].sum()) / reach),
        "substitution_share": Range(*[weighted("substitution_share", "hub_days_per_year")] * 3),
        "remote_hours_per_worker": Range(remote, remote, remote),
    }
    assert tuple(totals) == TOTALS
    return totals


def _calibration() -> Calibration:
    return Calibration(
        eligible_share=0.3, permission_share=0.77, scale_per_eur=0.08, home_constant=-1.0,
        hub_constant_suitable=-4.0, hub_constant_unsuitable=-4.5,
        targets={"hub_share": 0.005, "substitution": 0.5}, reached={"hub_share": 0.005, "substitution": 0.52},
    )  # fmt: skip


def synthetic_response(lever: str = "fuel_price_eur_per_l", points: int = 9) -> pd.DataFrame:
    """What `response` gives: one row per value of the lever, hours crossing zero."""
    item = load_parameters()[lever]
    low, high = item.bounds()
    value = np.linspace(low, high, points)
    part = np.linspace(0, 1, points)
    return pd.DataFrame({
        "value": value, "score": 38 + 9 * part, "users": 6 + 3 * part, "hours_per_year": -40 + 160 * part,
        "eur_per_year": 900 * part, "kg_co2e_per_year": -90 + 300 * part, "viability": 0.8 + 0.3 * part,
    })  # fmt: skip
