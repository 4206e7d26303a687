"""Who gains and who loses, written a second time: plain loops, one kind of user at a time, no code of the model."""

from __future__ import annotations

import math
from typing import Any

from naive_model import _vehicle_share

from coopconnect.model.types import Calibration
from coopconnect.scenario import Scenario
from coopconnect.territory.types import CLIMATES, Territory


def naive_users(t: Territory, s: int, sc: Scenario, c: Calibration, v: dict[str, float]) -> list[dict[str, Any]]:
    """One entry for each home, work and segment of site `s`: users, and what one of them keeps a year."""
    found = []
    year = sc.climate.replace("tracc_", "")
    now, then, clean = v["electric_share_today"], v[f"electric_share_{year}"], v["electric_emission_kg_per_km"]
    per_km = (1 - now) * v["consumption_l_per_100_km"] / 100 * sc.fuel_price_eur_per_l
    per_km += now * v["electric_cost_eur_per_km"] + v["non_fuel_cost_eur_per_km"]
    kg_per_km = (1 - then) * (v["fleet_emission_kg_per_km"] - now * clean) / (1 - now) + then * clean
    minute, b = v["value_of_time_eur_per_h"] / 60, v["home_unsuitable_share"]
    warm = v["warming_today_c"] if year == "today" else v[f"warming_tracc_{year}_c"]
    cut = v["road_disruption_days"] * (1 + v["extreme_rain_per_degree"] * (warm - v["warming_today_c"])) / 365
    paid = sc.day_price_eur * (1 - v["employer_paid_share"])
    days = v["weeks_per_year"] * v["hub_days_per_user_per_week"]
    days *= sc.telework_days_per_week / v["telework_days_reference"]
    for p in range(t.access_start[s], t.access_start[s + 1]):
        if t.access_drive_min[p] > sc.access_max_min:
            continue
        i = int(t.access_zone[p])
        rural = bool(t.zones["rural"].iloc[i])
        to_hub, hub_road = 2 * float(t.access_drive_min[p]), float(t.access_road_km[p])
        hub_km = 2 * hub_road * _vehicle_share(hub_road, rural, v)
        heat = float(t.hot_days[i, CLIMATES.index(sc.climate)]) / 365 * v["heat_discomfort_eur_per_day"]
        hub = to_hub * minute + hub_km * per_km + paid + (0 if sc.hub_cooled else heat)
        home = math.exp(c.home_constant - c.scale_per_eur * heat * (1 - v["home_cooled_share"]))
        for f in range(t.flow_start[i], t.flow_start[i + 1]):
            road = float(t.flow_road_km[f])
            km = 2 * road * _vehicle_share(road, rural, v)
            minutes = 2 * float(t.flow_drive_min[f]) * v["commute_peak_factor"]
            felt = max(1.0, road / v["cost_damping_from_km"]) ** -v["cost_damping_exponent"]
            cost = (minutes * minute + km * per_km) * felt + cut * v["road_disruption_cost_eur_per_day"]
            office = math.exp(-c.scale_per_eur * cost)
            people = float(t.flow_workers[f]) * v["teleworkable_share"] * c.permission_share
            people *= sc.telework_days_per_week * v["weeks_per_year"] / days
            one = math.exp(c.hub_constant_suitable - c.scale_per_eur * hub)
            two = math.exp(c.hub_constant_unsuitable - c.scale_per_eur * hub)
            kinds = (
                ("suitable", people * (1 - b) * one / (office + home + one), office / (office + home)),
                ("unsuitable", people * b * two / (office + two), 1.0),
            )
            for segment, users, replaced in kinds:
                row: dict[str, Any] = {
                    "zone": i,
                    "work": int(t.flow_work[f]),
                    "segment": segment,
                    "users": users,
                    "km": road,
                }
                for kind, w in (("", replaced), ("_if_replaced", 1.0)):
                    saved = days * (w * km * (1 - v["rebound_share"]) - hub_km)
                    row[f"hours{kind}"] = days * (w * minutes - to_hub) / 60
                    row[f"eur{kind}"] = saved * per_km
                    row[f"eur_after_price{kind}"] = saved * per_km - days * paid
                    row[f"kg_co2e{kind}"] = saved * kg_per_km
                found.append(row)
    return found
