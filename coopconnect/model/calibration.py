"""Four constants from four targets: how the choice model is tied to what is observed.

Targets, all in the reference scenario (central levers, climate of today):

1. `telework_regular_share` of employed residents telework, while `office_day_share_reference` of the days on which
   remote work is allowed stay at the office. Regular teleworkers are eligible_share * (1 - office share), so
   eligible_share = telework_regular_share / (1 - office_day_share_reference), and employers' permission is
   eligible_share / teleworkable_share. The home constant makes the office share hold over the whole territory.
2. `fuel_price_elasticity`: on those days, the drives of the reference commuter (`reference_commute_km`, a home that
   suits) answer the price of fuel with this elasticity. That fixes the scale (per euro) of the logit, together with
   the home constant. Asked of all rural vehicle km instead, the same figure has no solution: see docs/model.md.
3. `hub_share_reference` of the employed residents of rural communes use a hub within reach: mean over every pair of
   a rural home commune and a commune within `access_max_min`, one hub at a time, weighted by employed residents.
4. `substitution_reference` of those hub days replace a drive to the office. Because people whose home does not suit
   have no third alternative, all their hub days replace a drive; the split between the segments does the rest.

The segments are independent, so 3 and 4 solve one after the other: with T the wanted hub days, the suitable segment
must move (1 - substitution) * T days away from home, which gives its constant; the other segment gives the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq

from coopconnect.model.choice import (
    DayCosts,
    Odds,
    Prepared,
    Values,
    cost_per_km_eur,
    damping,
    day_costs,
    fuel_cost_per_km_eur,
    hub_days_per_user,
    keep_access,
    odds,
    prepare,
    vehicle_share,
)
from coopconnect.model.kernel import N_SUMS, gained_days, mean_office_share, pair_sums
from coopconnect.model.types import Calibration
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario, reference_scenario
from coopconnect.territory.types import Territory

TARGETS = (
    "telework_regular_share", "office_day_share_reference", "fuel_price_elasticity",
    "hub_share_reference", "substitution_reference",
)  # fmt: skip

_CONSTANT_BOUNDS = (-30.0, 30.0)
_TINY = 1e-12
_FIRST_CONSTANT = -3.0  # where the search begins, not an assumption
_NEWTON_STEPS = 25
_SCALE_BOUNDS = (0.001, 5.0)  # per euro


class CalibrationError(ValueError):
    """The targets admit no solution at all; the message says which, and what to change."""


def _office_share(scale: float, home_constant: float, costs: DayCosts, prepared: Prepared) -> np.ndarray:
    """P(office) per flow of people whose home suits, no hub open."""
    home = home_constant - scale * costs.home_eur[prepared.flow_zone]
    return 1.0 / (1.0 + np.exp(np.clip(home + scale * costs.office_eur, -700.0, 700.0)))


def _solve_home_constant(scale: float, target: float, costs: DayCosts, prepared: Prepared) -> float:
    """Home constant for which the worker-weighted mean of P(office) of suitable homes is `target`."""

    def miss(constant: float) -> float:
        return _mean_office(scale, constant, costs, prepared)[0] - target

    low, high = _CONSTANT_BOUNDS
    return float(brentq(miss, low - scale * float(costs.office_eur.max()), high, xtol=1e-9))


@dataclass(frozen=True)
class Commuter:
    """One person's return trips: minutes, vehicle km, fuel and generalised cost of the commute; the same to a hub."""

    commute_min: float
    commute_km: float
    fuel_eur: float
    office_eur: float
    access_min: float
    hub_eur: float


def reference_commuter(scenario: Scenario, values: Values) -> Commuter:
    """The reference commuter of the evidence: `reference_commute_km` and `_min` (peak included), a hub nearby.

    Costs as in `day_costs`, rural home, no day with a cut road.
    """
    share = values["car_share_rural"] / values["occupancy_commute"]
    per_min = values["value_of_time_eur_per_h"] / 60.0
    per_km = cost_per_km_eur(scenario, values)
    felt = float(damping(np.array([values["reference_commute_km"]]), values)[0])
    minutes, km = 2.0 * values["reference_commute_min"], 2.0 * values["reference_commute_km"] * share
    hub_km = values["reference_access_km"]
    access_share = float(vehicle_share(np.array([hub_km]), np.array([True]), values)[0])
    access_min = 2.0 * values["reference_access_min"]
    price = scenario.day_price_eur * (1.0 - values["employer_paid_share"])
    return Commuter(
        minutes,
        km,
        km * fuel_cost_per_km_eur(scenario, values) * felt,
        (minutes * per_min + km * per_km) * felt,
        access_min,
        access_min * per_min + 2.0 * hub_km * access_share * per_km + price,
    )


def commuter_elasticity(scale: float, home_constant: float, commuter: Commuter) -> float:
    """d ln P(office) / d ln(fuel price) of a commuter whose home suits: -scale * fuel * (1 - P(office))."""
    office = 1.0 / (1.0 + np.exp(home_constant + scale * commuter.office_eur))
    return -scale * commuter.fuel_eur * float(1.0 - office)


def _solve_scale(
    target: float, office_share: float, commuter: Commuter, costs: DayCosts, prepared: Prepared,
    near: tuple[float, float] | None = None,
) -> tuple[float, float]:  # fmt: skip
    """Scale and home constant for which the reference commuter has the elasticity `target`, both at once.

    The elasticity grows with the scale, so there is one answer between the bounds; brentq says so otherwise. `near`
    is an answer for values close by: from it Newton's method in both unknowns settles in a few steps.
    """
    if near is not None:
        found = _newton(target, office_share, commuter, costs, prepared, near)
        if found is not None:
            return found

    def constant_of(scale: float) -> float:
        return _solve_home_constant(scale, office_share, costs, prepared)

    def miss(scale: float) -> float:
        return commuter_elasticity(scale, constant_of(scale), commuter) - target

    scale = float(brentq(miss, *_SCALE_BOUNDS, xtol=1e-9))
    return scale, constant_of(scale)


def _newton(
    target: float, office_share: float, commuter: Commuter, costs: DayCosts, prepared: Prepared,
    near: tuple[float, float],
) -> tuple[float, float] | None:  # fmt: skip
    """The two equations of `_solve_scale` by Newton from `near`; None where it does not settle within the bounds."""
    scale, constant = near
    for _ in range(_NEWTON_STEPS):
        share, in_constant, in_scale = _mean_office(scale, constant, costs, prepared)
        office = 1.0 / (1.0 + np.exp(min(constant + scale * commuter.office_eur, 700.0)))
        wave = office * (1.0 - office)
        first = share - office_share
        second = -scale * commuter.fuel_eur * (1.0 - office) - target
        two_in_constant = -scale * commuter.fuel_eur * wave
        two_in_scale = -commuter.fuel_eur * (1.0 - office + scale * wave * commuter.office_eur)
        determinant = in_scale * two_in_constant - in_constant * two_in_scale
        if abs(determinant) < _TINY:
            return None
        step_scale = (first * two_in_constant - second * in_constant) / determinant
        step_constant = (second * in_scale - first * two_in_scale) / determinant
        scale, constant = scale - step_scale, constant - step_constant
        if not _SCALE_BOUNDS[0] < scale < _SCALE_BOUNDS[1]:
            return None
        if abs(step_scale) < 1e-9 * scale and abs(step_constant) < 1e-9:
            return float(scale), float(constant)
    return None


_HUB_TARGETS = ("hub_share_reference", "substitution_reference", "hub_days_per_user_per_week")
"""What the hub constants alone depend on: three ranges in eight need no new scale."""


@lru_cache(maxsize=64)
def _scale_and_constant(
    prepared: Prepared, scenario: Scenario, given: tuple[tuple[str, float], ...], usual: tuple[tuple[str, float], ...]
) -> tuple[float, float]:
    """`_solve_scale`, remembered by all values but `_HUB_TARGETS`.

    Sought from the answer for the usual values, whatever was asked before: the same values give the same digits.
    """
    near = None if given == usual else _scale_and_constant(prepared, scenario, usual, usual)
    values = dict(given)
    costs = day_costs(prepared, scenario, values)
    commuter = reference_commuter(scenario, values)
    share = _office_share_suitable(values)
    return _solve_scale(values["fuel_price_elasticity"], share, commuter, costs, prepared, near)


def _office_share_suitable(values: Values) -> float:
    """Share of allowed days at the office of people whose home suits: the others are always there."""
    unsuitable = values["home_unsuitable_share"]
    share = (values["office_day_share_reference"] - unsuitable) / (1.0 - unsuitable)
    if not 0.0 < share < 1.0:
        raise CalibrationError(
            f"office_day_share_reference {values['office_day_share_reference']:g} must be above "
            f"home_unsuitable_share {unsuitable:g}: people without a suitable home stay at the office"
        )
    return share


def _without_hub_targets(values: Values) -> tuple[tuple[str, float], ...]:
    return tuple((key, float(value)) for key, value in values.items() if key not in _HUB_TARGETS)


def reference_user(calibration: Calibration, commuter: Commuter, values: Values, days: float) -> dict[str, float]:
    """What the calibrated choice gives the reference commuter with the reference hub open.

    Substitution of their hub days (both segments), hours kept a year by a user, and by one who replaces every drive.
    """
    scale = calibration.scale_per_eur
    office = np.exp(-scale * commuter.office_eur)
    home = np.exp(calibration.home_constant)
    hub = np.exp(-scale * commuter.hub_eur)
    unsuitable = values["home_unsuitable_share"]
    suits = np.exp(calibration.hub_constant_suitable) * hub
    other = np.exp(calibration.hub_constant_unsuitable) * hub
    from_suitable = (1.0 - unsuitable) * suits / (office + home + suits)
    from_other = unsuitable * other / (office + other)
    avoided = from_suitable * office / (office + home) + from_other
    substitution = float(avoided / (from_suitable + from_other))
    return {
        "reference_user_substitution": substitution,
        "reference_user_hours": days * (substitution * commuter.commute_min - commuter.access_min) / 60.0,
        "reference_user_hours_if_all_replaced": days * (commuter.commute_min - commuter.access_min) / 60.0,
    }


def _rural_elasticity(scale: float, constant: float, costs: DayCosts, prepared: Prepared, unsuitable: float) -> float:
    """d ln(vehicle km to the office on allowed days) / d ln(fuel price), all rural homes, no hub open.

    Smaller than that of the reference commuter: people without a suitable home do not answer, and those who live
    far already stay at home. Reported, not targeted.
    """
    share = _office_share(scale, constant, costs, prepared)
    weight = prepared.territory.flow_workers * costs.commute_km * prepared.rural[prepared.flow_zone]
    moved = (1.0 - unsuitable) * scale * costs.fuel_eur * share * (1.0 - share)
    return -float(weight @ moved) / float(weight @ ((1.0 - unsuitable) * share + unsuitable))


def _rural_sums(prepared: Prepared, o: Odds, costs: DayCosts, suitable: float, unsuitable: float) -> np.ndarray:
    """The pair sums over rural homes with these hub constants, (N_SUMS,)."""
    t = prepared.territory
    out = np.zeros((t.access_zone.size, N_SUMS))
    pair_sums(
        t.access_start, t.access_zone,
        o.hub_suitable * np.exp(suitable), o.hub_unsuitable * np.exp(unsuitable),
        t.flow_start, o.office, o.office_share, o.home, o.days, o.unsuitable_share,
        costs.commute_min, costs.commute_km, out,
    )  # fmt: skip
    return np.asarray(out.sum(axis=0))


Days = Callable[[float], tuple[float, float]]
"""Days a year by hub constant, and their slope."""


def _days_of(prepared: Prepared, hub_odds: np.ndarray, rest: np.ndarray, days: np.ndarray) -> Days:
    t = prepared.territory

    def found(constant: float) -> tuple[float, float]:
        total, slope = gained_days(
            t.access_start, t.access_zone, hub_odds, np.exp(constant), t.flow_start, rest, days
        )  # fmt: skip
        return float(total), float(slope)

    return found


def _solve_hub_constants(
    prepared: Prepared, o: Odds, wanted_days: float, substitution: float
) -> tuple[float, float, bool]:
    """Hub constants of both segments, and whether the substitution could be met."""
    rest = o.office + o.home[prepared.flow_zone]
    suitable_days = (1.0 - o.unsuitable_share) * o.days
    home_days = _days_of(prepared, o.hub_suitable, rest, suitable_days * (1.0 - o.office_share))
    all_days = _days_of(prepared, o.hub_suitable, rest, suitable_days)
    other_days = _days_of(prepared, o.hub_unsuitable, o.office, o.unsuitable_share * o.days)
    low, high = _CONSTANT_BOUNDS
    from_home = (1.0 - substitution) * wanted_days
    if home_days(high)[0] <= from_home:
        raise CalibrationError(
            "hub_share_reference is more than all remote days can give; lower it, or raise telework_regular_share"
        )
    suitable = _constant_for(home_days, from_home) if home_days(low)[0] < from_home else -700.0
    left = wanted_days - all_days(suitable)[0]
    if left <= 0.0:  # even alone, the suitable segment substitutes more than asked: keep the hub share
        return _constant_for(all_days, wanted_days), -700.0, False
    if other_days(high)[0] <= left:
        raise CalibrationError(
            "substitution_reference needs more days than people without a suitable home have; lower it, "
            "or raise home_unsuitable_share"
        )
    return suitable, _constant_for(other_days, left), True


def _constant_for(days_of: Days, wanted: float) -> float:
    """Constant at which the days reach `wanted`.

    While few days move, they grow as the exponential of the constant: in logarithms Newton settles in a few steps;
    where it does not, brentq between bounds.
    """
    low, high = _CONSTANT_BOUNDS
    constant = _FIRST_CONSTANT
    for _ in range(_NEWTON_STEPS):
        days, slope = days_of(constant)
        if days < _TINY or slope < _TINY:
            break
        step = float(np.log(days / max(wanted, _TINY))) * days / slope
        constant -= step
        if not low < constant < high:
            break
        if abs(step) < 1e-9:
            return constant
    return float(brentq(lambda c: days_of(c)[0] - wanted, low, high, xtol=1e-9))


def _messages(permission: float, met: bool) -> tuple[list[str], list[str]]:
    fr: list[str] = []
    en: list[str] = []
    if permission > 1.0:
        fr.append("Il y aurait plus d'éligibles que d'emplois télétravaillables : la part de télétravail est gardée.")
        en.append("More people would be eligible than jobs are teleworkable: the telework share is kept.")
    if not met:
        fr.append("La substitution demandée ne peut pas être aussi basse : l'usage du tiers-lieu est gardé.")
        en.append("The wanted substitution cannot be that low: the hub share is kept.")
    return fr, en


@lru_cache(maxsize=4)
def _rural_reach(territory: Territory, access_max_min: float) -> Prepared:
    """The territory with the access pairs of rural homes within the limit."""
    rural = territory.zones["rural"].to_numpy(bool)[territory.access_zone]
    return prepare(keep_access(territory, rural & (territory.access_drive_min <= access_max_min)))


def calibrate(territory: Territory, parameters: Parameters, values: Values, report: bool = True) -> Calibration:
    """Constants of the choice for a territory (that of the evidence: Provence-Alpes-Côte d'Azur).

    `values` are parameter values, levers at their reference. `report=False` leaves `reached` empty, which spares a
    third of the time: an ensemble calibrates once a draw. Raises `CalibrationError` where no constants exist.
    """
    scenario = reference_scenario(parameters, territory.code)
    prepared = _rural_reach(territory, values["access_max_min"])
    costs = day_costs(prepared, scenario, values)
    eligible = values["telework_regular_share"] / (1.0 - values["office_day_share_reference"])
    unsuitable = values["home_unsuitable_share"]
    commuter = reference_commuter(scenario, values)
    _office_share_suitable(values)
    usual = _without_hub_targets(parameters.values_with({}))
    scale, home_constant = _scale_and_constant(prepared, scenario, _without_hub_targets(values), usual)
    permission = eligible / values["teleworkable_share"]
    start = Calibration(eligible, permission, scale, home_constant, 0.0, 0.0, {}, {})
    o = odds(prepared, costs, scenario, start, values)
    exposed = float(prepared.workers[prepared.territory.access_zone].sum())
    per_user = hub_days_per_user(scenario, values)
    wanted = values["hub_share_reference"] * exposed * per_user
    suitable, other, met = _solve_hub_constants(prepared, o, wanted, values["substitution_reference"])
    fr, en = _messages(permission, met)
    found = Calibration(
        eligible, permission, scale, home_constant, suitable, other,
        {key: float(values[key]) for key in TARGETS}, {}, tuple(fr), tuple(en),
    )  # fmt: skip
    if not report:
        return found
    sums = _rural_sums(prepared, o, costs, suitable, other)
    reached = {
        "telework_regular_share": eligible * (1.0 - values["office_day_share_reference"]),
        "office_day_share_reference": (1.0 - unsuitable) * _mean_office(scale, home_constant, costs, prepared)[0]
        + unsuitable,
        "fuel_price_elasticity": commuter_elasticity(scale, home_constant, commuter),
        "fuel_price_elasticity_all_rural": _rural_elasticity(scale, home_constant, costs, prepared, unsuitable),
        "hub_share_reference": float(sums[0]) / per_user / exposed,
        "substitution_reference": float(sums[1] / sums[0]),
    }
    reached.update(reference_user(found, commuter, values, per_user))
    return replace(found, reached=reached)


def _mean_office(scale: float, constant: float, costs: DayCosts, prepared: Prepared) -> tuple[float, float, float]:
    """Mean share of office days of suitable homes, and its slopes in the home constant and in the scale."""
    workers = prepared.territory.flow_workers
    share, slope, in_scale = mean_office_share(
        scale, constant, costs.office_eur, costs.home_eur, prepared.flow_zone, workers
    )  # fmt: skip
    return float(share), float(slope), float(in_scale)


@lru_cache(maxsize=256)
def calibration_for(
    territory: Territory, parameters: Parameters, changes: tuple[tuple[str, float], ...]
) -> Calibration:
    """`calibrate`, remembered by territory and changed assumptions."""
    return calibrate(territory, parameters, parameters.values_with(dict(changes)))
