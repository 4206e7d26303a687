"""One run: every commuter's choice for every site, summed by site and turned into yearly figures."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import numpy as np

from coopconnect.model import impact, score, viability
from coopconnect.model.choice import (
    DayCosts,
    Odds,
    Prepared,
    Values,
    day_costs,
    days_per_worker,
    hot_days,
    hub_days_per_user,
    odds,
    road_disruption_days,
    trips,
)
from coopconnect.model.kernel import N_SUMS, flow_odds, pair_sums, row_sums, site_sums
from coopconnect.model.types import Calibration
from coopconnect.scenario import COMPONENTS, Scenario


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
        t.flow_start, o.office, o.office_share, o.home, o.days, o.unsuitable_share,
        costs.commute_min, costs.commute_km, pairs,
    )  # fmt: skip
    columns = np.column_stack([pairs[:, :4], pairs[:, 0] * costs.access_min, pairs[:, 0] * costs.access_km])
    out = np.zeros((t.site_zone.size, columns.shape[1]))
    row_sums(t.access_start, columns, out)
    return Run(pairs, impact.Sums(*np.ascontiguousarray(out.T)), costs, o)


def start_sites(
    prepared: Prepared,
    scenario: Scenario,
    calibration: Calibration,
    values: Values,
    costs: DayCosts,
    pool: Executor,
) -> Future[impact.Sums]:
    """`site_sums_of`, its loops in a thread of `pool`.

    What needs Python is done here and now; the thread holds the compiled loops only, which work without the GIL.
    Threads that each did a bit of Python would wait for one another longer than the loops take.
    """
    return pool.submit(_site_loops(prepared, scenario, calibration, values, costs))


def site_sums_of(
    prepared: Prepared, scenario: Scenario, calibration: Calibration, values: Values, costs: DayCosts
) -> impact.Sums:
    """The site sums of `run_kernel` alone, what ranges and ensembles need."""
    return _site_loops(prepared, scenario, calibration, values, costs)()


def _site_loops(
    prepared: Prepared, scenario: Scenario, calibration: Calibration, values: Values, costs: DayCosts
) -> Callable[[], impact.Sums]:
    t = prepared.territory
    hub = np.exp(-calibration.scale_per_eur * costs.hub_eur)
    suitable = np.exp(calibration.hub_constant_suitable) * hub
    unsuitable = np.exp(calibration.hub_constant_unsuitable) * hub
    home = np.exp(calibration.home_constant - calibration.scale_per_eur * costs.home_eur)
    days = days_per_worker(scenario, calibration, values)
    minutes = days * 2.0 * values["commute_peak_factor"]
    to_days = np.array([days, days, minutes, days, days, days])
    commute_km = trips(prepared, values).commute_km_single

    def loops() -> impact.Sums:
        office, share = np.empty((2, costs.office_eur.size), dtype=np.float32)
        flow_odds(t.flow_start, costs.office_eur, calibration.scale_per_eur, home, office, share)
        out = np.zeros((t.site_zone.size, 6))
        site_sums(
            t.access_start, t.access_zone, suitable, unsuitable, t.flow_start, office, share, home,
            t.flow_workers, values["home_unsuitable_share"], t.flow_drive_min, commute_km,
            costs.access_min, costs.access_km, out,
        )  # fmt: skip
        return impact.Sums(*np.ascontiguousarray((out * to_days).T))

    return loops


def pair_impact_sums(run: Run) -> impact.Sums:
    """The same sums by access pair instead of by site."""
    p = run.pairs
    return impact.Sums(
        p[:, 0], p[:, 1], p[:, 2], p[:, 3], p[:, 0] * run.costs.access_min, p[:, 0] * run.costs.access_km
    )


def hours_if_all_replaced(run: Run, access_start: np.ndarray, per_user: float) -> np.ndarray:
    """Hours a year of a user of each site, were every hub day of every user a drive less, (n_sites,); 0 without users.

    Days of a user * (commutes of all hub days - their trips to the hub) / hub days: the same people as in the mean user.
    """
    days = run.sites.hub_days
    commutes = np.zeros((days.size, 1))
    row_sums(access_start, np.ascontiguousarray(run.pairs[:, 4:5]), commutes)
    return per(commutes[:, 0] - run.sites.access_min, days) / 60.0 * per_user


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
        score.viability_points(ratio, users, values["core_users_gate"]),
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
        "hours_per_participating_household": per(hours, users),
        "eur_per_participating_household": per(eur, users),
        "kg_co2e_per_participating_household": per(kg, users),
        "price_paid_per_participating_household_eur": np.full_like(
            cost, per_user * scenario.day_price_eur * (1.0 - values["employer_paid_share"])
        ),
        "benefit_cost": worth / cost,
        "net_public_cost_per_day_eur": per(cost - revenue, sums.hub_days),
        "substitution_share": per(sums.avoided_days, sums.hub_days),
    }  # fmt: skip


def per(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.divide(total, count, out=np.zeros_like(total), where=count > 0.0)
