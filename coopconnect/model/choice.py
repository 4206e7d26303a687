"""What a commuter does on a day when remote work is allowed: office, home, or a hub within reach.

Multinomial logit on the generalised cost of the day, in euros, for two segments: people whose home suits remote
work (office, home, hub) and people whose home does not (office, hub). `ARCHITECTURE.md` and `docs/model.md` state
the formulas; every constant comes from `data/parameters.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from coopconnect.model.types import Calibration
from coopconnect.scenario import CLIMATES, Scenario
from coopconnect.territory.types import Territory

DAYS_PER_YEAR = 365.0  # calendar, not an assumption

Values = Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What of a territory does not depend on the scenario: one array per flow, per access pair or per zone."""

    territory: Territory
    flow_zone: np.ndarray
    access_site: np.ndarray
    rural: np.ndarray
    workers: np.ndarray
    households: np.ndarray
    population: np.ndarray


@lru_cache(maxsize=8)
def prepare(territory: Territory) -> Prepared:
    """Scenario-free arrays of a territory, computed once."""
    zones = territory.zones
    return Prepared(
        territory=territory,
        flow_zone=np.repeat(np.arange(len(zones), dtype=np.int32), np.diff(territory.flow_start)),
        access_site=np.repeat(np.arange(territory.site_zone.size, dtype=np.int32), np.diff(territory.access_start)),
        rural=zones["rural"].to_numpy(bool),
        workers=zones["workers"].to_numpy(float),
        households=zones["households"].to_numpy(float),
        population=zones["population"].to_numpy(float),
    )


def keep_access(territory: Territory, keep: np.ndarray) -> Territory:
    """The territory with only the access pairs of the mask `keep`, (n_access,) bool."""
    counted = np.concatenate([[0], np.cumsum(keep)])
    return replace(
        territory,
        access_start=counted[territory.access_start].astype(np.int64),
        access_zone=territory.access_zone[keep],
        access_road_km=territory.access_road_km[keep],
        access_drive_min=territory.access_drive_min[keep],
    )


@lru_cache(maxsize=8)
def within_reach(territory: Territory, access_max_min: float) -> Prepared:
    """The territory, prepared, with the access pairs of at most `access_max_min` minutes."""
    return prepare(keep_access(territory, territory.access_drive_min <= access_max_min))


def electric_share(climate: str, values: Values) -> float:
    """Electric share of the car fleet in the year that the climate lever stands for."""
    return float(values[f"electric_share_{climate.removeprefix('tracc_')}"])


def cost_per_km_eur(scenario: Scenario, values: Values) -> float:
    """Marginal cost of a vehicle km, in euros.

    (1 - electric) * consumption / 100 * fuel price + electric * its energy cost + wear. Marginal, not full, cost:
    the household keeps its car. The fleet is that of today whatever the climate: only emissions follow the year,
    so that the climate lever does not pass off an assumption on electric cars as an effect of the climate.
    """
    electric = electric_share("today", values)
    thermal = values["consumption_l_per_100_km"] / 100.0 * scenario.fuel_price_eur_per_l
    energy = (1.0 - electric) * thermal + electric * values["electric_cost_eur_per_km"]
    return energy + values["non_fuel_cost_eur_per_km"]


def fuel_cost_per_km_eur(scenario: Scenario, values: Values) -> float:
    """The part of `cost_per_km_eur` that moves with the price of fuel."""
    electric = electric_share("today", values)
    return (1.0 - electric) * values["consumption_l_per_100_km"] / 100.0 * scenario.fuel_price_eur_per_l


def vehicle_share(road_km: np.ndarray, rural: np.ndarray, values: Values) -> np.ndarray:
    """Vehicle km per person km: car share by distance (and rural home) over occupancy. Shapes follow `road_km`."""
    far = np.where(road_km >= 15.0, values["car_share_over_15_km"], values["car_share_5_to_15_km"])
    share = np.where(rural, values["car_share_rural"], far)
    share = np.where(road_km < 5.0, values["car_share_under_5_km"], share)
    return share / values["occupancy_commute"]


def eligible_share(scenario: Scenario, calibration: Calibration, values: Values) -> float:
    """Share of employed residents who may work remotely: teleworkable jobs * employers' permission.

    Telepresence under its threshold price lifts part of the refusals: p + (1 - p) * uplift.
    """
    permission = calibration.permission_share
    if telepresence_installed(scenario, values):
        permission += max(0.0, 1.0 - permission) * values["telepresence_permission_uplift"]
    return values["teleworkable_share"] * permission


def telepresence_installed(scenario: Scenario, values: Values) -> bool:
    """True where a telepresence room is cheap enough to be installed."""
    return scenario.telepresence_price_eur_per_month <= values["telepresence_threshold_eur_per_month"]


def warming_c(climate: str, values: Values) -> float:
    """Warming of France of a climate stop, in degrees C above the pre-industrial level."""
    key = "warming_today_c" if climate == "today" else f"warming_{climate}_c"
    return float(values[key])


def road_disruption_days(scenario: Scenario, values: Values) -> float:
    """Days a year when the road is cut: today's number, times extreme rain per degree of further warming."""
    more = warming_c(scenario.climate, values) - warming_c("today", values)
    return values["road_disruption_days"] * (1.0 + values["extreme_rain_per_degree"] * more)


def hot_days(territory: Territory, scenario: Scenario) -> np.ndarray:
    """Days above 35 degrees C of each zone under the climate of the scenario, (n_zones,)."""
    return territory.hot_days[:, CLIMATES.index(scenario.climate)].astype(float)


def damping(road_km: np.ndarray, values: Values) -> np.ndarray:
    """Weight of the cost of a commute in the choice: (km / from)^-exponent beyond `cost_damping_from_km`, else 1.

    Who lives far has settled with the distance (train, second home, few days): an hour more weighs less at 80 km
    than at 20. Without it a few commutes over 60 km would fill the hubs. Hours, euros and CO2 are not damped.
    """
    beyond = np.maximum(road_km / values["cost_damping_from_km"], 1.0)
    return np.asarray(beyond ** -values["cost_damping_exponent"])


_DAMPING_VALUES = ("circuity", "cost_damping_from_km", "cost_damping_exponent")


@lru_cache(maxsize=4)
def _felt(prepared: Prepared, *given: float) -> np.ndarray:
    """`damping` of every commute, remembered: no lever of the screen moves it."""
    values = dict(zip(_DAMPING_VALUES, given, strict=True))
    t = prepared.territory
    return damping(t.flow_road_km.astype(float) * detour_factor(t, values), values)


def detour_factor(territory: Territory, values: Values) -> float:
    """What the road km of the territory are multiplied by: the detour asked over the one they were estimated with."""
    return values["circuity"] / territory.circuity if territory.circuity > 0.0 else 1.0


@dataclass(frozen=True, eq=False)
class DayCosts:
    """Generalised costs of a day, in euros, and the return trips behind them.

    office_eur, commute_min, commute_km, fuel_eur: per flow (the euros damped: what the choice feels). home_eur: per
    zone. hub_eur, access_min, access_km: per access pair. Minutes are of the person, km of the vehicle (car share over occupancy), both for the return trip.
    """

    office_eur: np.ndarray
    fuel_eur: np.ndarray
    commute_min: np.ndarray
    commute_km: np.ndarray
    home_eur: np.ndarray
    hub_eur: np.ndarray
    access_min: np.ndarray
    access_km: np.ndarray


_TRIP_VALUES = (
    "circuity", "car_share_under_5_km", "car_share_5_to_15_km", "car_share_over_15_km", "car_share_rural",
    "occupancy_commute",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Trips:
    """Trips that no lever moves: commute_km per flow, access_min and access_km per access pair.

    Minutes are of the person, km of the vehicle, for the return trip. commute_km_single: commute_km in single precision, for the runs of the ranges.
    """

    commute_km: np.ndarray
    commute_km_single: np.ndarray
    access_min: np.ndarray
    access_km: np.ndarray


def trips(prepared: Prepared, values: Values) -> Trips:
    """Km of commutes and of trips to a hub, remembered: they change with the detour and the car shares only."""
    return _trips(prepared, tuple(float(values[key]) for key in _TRIP_VALUES))


@lru_cache(maxsize=4)
def _trips(prepared: Prepared, given: tuple[float, ...]) -> Trips:
    values = dict(zip(_TRIP_VALUES, given, strict=True))
    territory = prepared.territory
    detour = detour_factor(territory, values)
    km_one_way = territory.flow_road_km.astype(float) * detour
    access_one_way = territory.access_road_km.astype(float) * detour
    rural_home, access_rural = prepared.rural[prepared.flow_zone], prepared.rural[territory.access_zone]
    commute_km = 2.0 * km_one_way * vehicle_share(km_one_way, rural_home, values)
    return Trips(
        commute_km,
        commute_km.astype(np.float32),
        2.0 * territory.access_drive_min.astype(float),
        2.0 * access_one_way * vehicle_share(access_one_way, access_rural, values),
    )


def day_costs(prepared: Prepared, scenario: Scenario, values: Values) -> DayCosts:
    """Costs of the three alternatives (model.md, section 4).

    office = 2 * (min / 60 * value of time + vehicle km * cost per km) * damping + share of cut-road days * cost
    hub    = the same with the access trip (no peak) + the part of the day price that the worker pays
    home   = share of hot days * discomfort, where the home is not cooled
    """
    territory = prepared.territory
    per_km = cost_per_km_eur(scenario, values)
    per_min = values["value_of_time_eur_per_h"] / 60.0
    t = trips(prepared, values)
    commute_min = 2.0 * values["commute_peak_factor"] * territory.flow_drive_min.astype(float)
    cut_road = road_disruption_days(scenario, values) / DAYS_PER_YEAR
    felt = _felt(prepared, *(float(values[key]) for key in _DAMPING_VALUES))
    office = (commute_min * per_min + t.commute_km * per_km) * felt
    office += cut_road * values["road_disruption_cost_eur_per_day"]
    price = scenario.day_price_eur * (1.0 - values["employer_paid_share"])
    hub = t.access_min * per_min + t.access_km * per_km + price
    hot = hot_days(territory, scenario) / DAYS_PER_YEAR
    home = hot * values["heat_discomfort_eur_per_day"] * (1.0 - values["home_cooled_share"])
    if not scenario.hub_cooled:
        hub = hub + (hot * values["heat_discomfort_eur_per_day"])[territory.access_zone]
    fuel = t.commute_km * fuel_cost_per_km_eur(scenario, values) * felt
    return DayCosts(office, fuel, commute_min, t.commute_km, home, hub, t.access_min, t.access_km)


@dataclass(frozen=True, eq=False)
class Odds:
    """Exponentials of utilities and allowed days a year, ready for the kernel (shapes as in `DayCosts`).

    office_share: O / (O + A) of each flow, what the suitable homes do when no hub is open.
    """

    office: np.ndarray
    office_share: np.ndarray
    home: np.ndarray
    hub_suitable: np.ndarray
    hub_unsuitable: np.ndarray
    days: np.ndarray
    unsuitable_share: float


def odds(prepared: Prepared, costs: DayCosts, scenario: Scenario, calibration: Calibration, values: Values) -> Odds:
    """exp(V) of each alternative, and the days a year on which remote work is allowed."""
    scale = calibration.scale_per_eur
    days = days_per_worker(scenario, calibration, values)
    office = np.exp(-scale * costs.office_eur)
    home = np.exp(calibration.home_constant - scale * costs.home_eur)
    hub = np.exp(-scale * costs.hub_eur)
    return Odds(
        office=office,
        office_share=office / (office + home[prepared.flow_zone]),
        home=home,
        hub_suitable=np.exp(calibration.hub_constant_suitable) * hub,
        hub_unsuitable=np.exp(calibration.hub_constant_unsuitable) * hub,
        days=days * prepared.territory.flow_workers.astype(float),
        unsuitable_share=values["home_unsuitable_share"],
    )


def days_per_worker(scenario: Scenario, calibration: Calibration, values: Values) -> float:
    """Days a year on which remote work is allowed, per employed resident."""
    weeks = eligible_share(scenario, calibration, values) * values["weeks_per_year"]
    return float(weeks * scenario.telework_days_per_week)


def hub_days_per_user(scenario: Scenario, values: Values) -> float:
    """Hub days a year of one user: weeks * days a week, in proportion to the days allowed.

    `hub_days_per_user_per_week` holds at the reference number of allowed days; a user allowed more comes more often,
    so that the lever moves days, not the number of people, who can never exceed those eligible.
    """
    reference_days = values["telework_days_reference"]
    share = min(
        values["hub_days_per_user_per_week"] / reference_days, 1.0
    )  # nobody comes on more days than are allowed
    return float(values["weeks_per_year"] * share * scenario.telework_days_per_week)
