"""The model written a second time, naively: plain Python loops, one commuter pair at a time, no arrays.

It shares no code with `coopconnect.model`; it takes the calibrated constants as given.
"""

from __future__ import annotations

import math
from typing import Any

from coopconnect.model.types import Calibration
from coopconnect.scenario import Scenario
from coopconnect.territory.types import CLIMATES, Territory


def _vehicle_share(km: float, rural: bool, v: dict[str, float]) -> float:
    if km < 5:
        car = v["car_share_under_5_km"]
    elif rural:
        car = v["car_share_rural"]
    elif km < 15:
        car = v["car_share_5_to_15_km"]
    else:
        car = v["car_share_over_15_km"]
    return car / v["occupancy_commute"]


def _poisson_desks(mean: float, wanted: float) -> int:
    if mean <= 0:
        return 0
    term = total = math.exp(-mean)
    desks = 0
    while total < wanted:
        desks += 1
        term *= mean / desks
        total += term
    return max(desks, 1)


def naive_site(t: Territory, s: int, sc: Scenario, c: Calibration, v: dict[str, float]) -> dict[str, Any]:
    """All yearly figures of site `s`."""
    year = sc.climate.replace("tracc_", "")
    electric, now = v[f"electric_share_{year}"], v["electric_share_today"]
    energy = (1 - now) * v["consumption_l_per_100_km"] / 100 * sc.fuel_price_eur_per_l
    energy += now * v["electric_cost_eur_per_km"]
    per_km = energy + v["non_fuel_cost_eur_per_km"]
    clean = v["electric_emission_kg_per_km"]
    thermal = (v["fleet_emission_kg_per_km"] - now * clean) / (1 - now)
    kg_per_km = (1 - electric) * thermal + electric * clean
    permission = c.permission_share
    telepresence = sc.telepresence_price_eur_per_month <= v["telepresence_threshold_eur_per_month"]
    if telepresence:
        permission += max(0.0, 1 - permission) * v["telepresence_permission_uplift"]
    eligible = v["teleworkable_share"] * permission
    warm = v["warming_today_c"] if year == "today" else v[f"warming_tracc_{year}_c"]
    road_days = v["road_disruption_days"] * (1 + v["extreme_rain_per_degree"] * (warm - v["warming_today_c"]))
    minute = v["value_of_time_eur_per_h"] / 60
    b = v["home_unsuitable_share"]
    zones = t.zones
    hub_days = avoided = avoided_min = avoided_km = access_min = access_km = 0.0
    households = vulnerable = hot_total = 0.0
    for p in range(t.access_start[s], t.access_start[s + 1]):
        if t.access_drive_min[p] > sc.access_max_min:
            continue
        i = int(t.access_zone[p])
        rural = bool(zones["rural"].iloc[i])
        to_hub_min = 2 * float(t.access_drive_min[p])
        to_hub_km = 2 * float(t.access_road_km[p]) * _vehicle_share(float(t.access_road_km[p]), rural, v)
        hot = float(t.hot_days[i, CLIMATES.index(sc.climate)])
        discomfort = hot / 365 * v["heat_discomfort_eur_per_day"]
        hub = to_hub_min * minute + to_hub_km * per_km + sc.day_price_eur * (1 - v["employer_paid_share"])
        if not sc.hub_cooled:
            hub += discomfort
        home = math.exp(c.home_constant - c.scale_per_eur * discomfort * (1 - v["home_cooled_share"]))
        hub_a = math.exp(c.hub_constant_suitable - c.scale_per_eur * hub)
        hub_b = math.exp(c.hub_constant_unsuitable - c.scale_per_eur * hub)
        commute_energy = 0.0
        for f in range(t.flow_start[i], t.flow_start[i + 1]):
            one_km = float(t.flow_road_km[f])
            km = 2 * one_km * _vehicle_share(one_km, rural, v)
            minutes = 2 * float(t.flow_drive_min[f]) * v["commute_peak_factor"]
            felt = 1.0
            if one_km > v["cost_damping_from_km"]:
                felt = (one_km / v["cost_damping_from_km"]) ** -v["cost_damping_exponent"]
            cost = (minutes * minute + km * per_km) * felt
            cost += road_days / 365 * v["road_disruption_cost_eur_per_day"]
            office = math.exp(-c.scale_per_eur * cost)
            days = float(t.flow_workers[f]) * eligible * v["weeks_per_year"] * sc.telework_days_per_week
            p_office_before = office / (office + home)
            p_office_after = office / (office + home + hub_a)
            p_hub = hub_a / (office + home + hub_a)
            pair_days = days * ((1 - b) * p_hub + b * hub_b / (office + hub_b))
            pair_avoided = days * ((1 - b) * (p_office_before - p_office_after) + b * (1 - office / (office + hub_b)))
            hub_days += pair_days
            avoided += pair_avoided
            avoided_min += pair_avoided * minutes
            avoided_km += pair_avoided * km
            access_min += pair_days * to_hub_min
            access_km += pair_days * to_hub_km
            commute_energy += float(t.flow_workers[f]) * km
        h = float(zones["households"].iloc[i])
        spend = commute_energy * v["working_days_per_year"] * (per_km - v["non_fuel_cost_eur_per_km"]) / h
        income = v["living_standard_median_eur"] * v["consumption_units_per_household"]
        z = math.log(max(spend, 1e-9) / v["vulnerability_threshold_share"] / income) / v["effort_log_spread"]
        households += h
        vulnerable += h * 0.5 * (1 + math.erf(z / math.sqrt(2)))
        hot_total += h * hot
    hours = (avoided_min - access_min) / 60
    km = avoided_km * (1 - v["rebound_share"]) - access_km
    working = v["weeks_per_year"] * v["working_days_per_week"]
    desks = _poisson_desks(hub_days / working, v["desk_service_share"])
    rate, years = v["discount_rate"], v["capex_life_years"]
    yearly_capex = v[f"capex_{sc.premises}_eur"] * rate / (1 - (1 + rate) ** -years)
    more = max(0.0, desks / v["desks_per_small_hub"] - 1)
    cost = (1 + v["marginal_desk_cost_share"] * more) * (v[f"opex_{sc.premises}_eur_per_year"] + yearly_capex)
    if telepresence:
        cost += 12 * sc.telepresence_price_eur_per_month
    ratio = (hub_days * sc.day_price_eur + sc.council_contribution_eur_per_year) / cost

    a_week = v["hub_days_per_user_per_week"] * sc.telework_days_per_week / v["telework_days_reference"]
    per_user = v["weeks_per_year"] * a_week
    users = hub_days / per_user if per_user else 0.0

    def points(x: float, anchor: float) -> float:
        return min(100.0, max(0.0, 100 * x / anchor))

    resilience = points(vulnerable / households, v["anchor_vulnerable_share"])
    resilience += points(hot_total / households, v["anchor_hot_days"]) if sc.hub_cooled else 0.0
    resilience += points(road_days, v["anchor_road_days"])
    parts = [
        points(ratio, 1.0) * min(1.0, users / v["core_users_gate"]),
        points(1000 * hours / cost, v["anchor_hours_per_1000_eur"]),
        points(1000 * km * per_km / cost, v["anchor_eur_per_1000_eur"]),
        points(1000 * km * kg_per_km / cost, v["anchor_co2_kg_per_1000_eur"]),
        resilience / 3,
    ]
    weights = [sc.weight_viability, sc.weight_time, sc.weight_money, sc.weight_co2, sc.weight_resilience]
    return {
        "hub_days_per_year": hub_days,
        "users": users,
        "hours_per_year": hours,
        "eur_per_year": km * per_km,
        "kg_co2e_per_year": km * kg_per_km,
        "desks": desks,
        "yearly_cost_eur": cost,
        "viability": ratio,
        "score": sum(w * x for w, x in zip(weights, parts, strict=True)) / sum(weights),
        "component_resilience": resilience / 3,
        "substitution_share": avoided / hub_days if hub_days else 0.0,
    }


def naive_hours(t: Territory, s: int, sc: Scenario, c: Calibration, v: dict[str, float]) -> list[tuple[float, float]]:
    """(hours a year, users) of every kind of user of site `s`: one entry for each flow and segment.

    The choice is worked out again here, in the shortest way: see `naive_site` for the costs spelled out.
    """
    found = []
    minute, b = v["value_of_time_eur_per_h"] / 60, v["home_unsuitable_share"]
    energy = (1 - v["electric_share_today"]) * v["consumption_l_per_100_km"] / 100 * sc.fuel_price_eur_per_l
    per_km = energy + v["electric_share_today"] * v["electric_cost_eur_per_km"] + v["non_fuel_cost_eur_per_km"]
    days_a_user = v["weeks_per_year"] * v["hub_days_per_user_per_week"]
    for p in range(t.access_start[s], t.access_start[s + 1]):
        if t.access_drive_min[p] > sc.access_max_min:
            continue
        i = int(t.access_zone[p])
        rural = bool(t.zones["rural"].iloc[i])
        access = 2 * float(t.access_drive_min[p])
        one_km = float(t.access_road_km[p])
        hub = access * minute + 2 * one_km * _vehicle_share(one_km, rural, v) * per_km + sc.day_price_eur
        hot = float(t.hot_days[i, 0]) / 365 * v["heat_discomfort_eur_per_day"] * (1 - v["home_cooled_share"])
        home = math.exp(c.home_constant - c.scale_per_eur * hot)
        for f in range(t.flow_start[i], t.flow_start[i + 1]):
            km, one_way = float(t.flow_road_km[f]), float(t.flow_drive_min[f]) * v["commute_peak_factor"]
            felt = max(1.0, km / v["cost_damping_from_km"]) ** -v["cost_damping_exponent"]
            cost = (2 * one_way * minute + 2 * km * _vehicle_share(km, rural, v) * per_km) * felt
            cost += v["road_disruption_days"] / 365 * v["road_disruption_cost_eur_per_day"]
            office = math.exp(-c.scale_per_eur * cost)
            people = float(t.flow_workers[f]) * v["teleworkable_share"] * c.permission_share
            people *= sc.telework_days_per_week * v["weeks_per_year"] / days_a_user
            suits = math.exp(c.hub_constant_suitable - c.scale_per_eur * hub)
            other = math.exp(c.hub_constant_unsuitable - c.scale_per_eur * hub)
            drives = office / (office + home)
            found.append(
                (
                    days_a_user * (drives * 2 * one_way - access) / 60,
                    people * (1 - b) * suits / (office + home + suits),
                )
            )
            found.append((days_a_user * (2 * one_way - access) / 60, people * b * other / (office + other)))
    return found
