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
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq, root_scalar

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
from coopconnect.model.kernel import N_SUMS, mean_office_share, pair_sums
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
_SCALE_BOUNDS = (0.001, 5.0)  # per euro


class CalibrationError(ValueError):
    """The targets admit no solution at all; the message says which, and what to change."""


def _office_share(scale: float, home_constant: float, costs: DayCosts, prepared: Prepared) -> np.ndarray:
    """P(office) per flow of people whose home suits, no hub open."""
    home = home_constant - scale * costs.home_eur[prepared.flow_zone]
    return 1.0 / (1.0 + np.exp(np.clip(home + scale * costs.office_eur, -700.0, 700.0)))


def _solve_home_constant(
    scale: float, target: float, costs: DayCosts, prepared: Prepared, start: float | None = None
) -> float:
    """Home constant for which the worker-weighted mean of P(office) of suitable homes is `target`.

    Newton from `start` where one is near at hand, else (and where Newton does not settle) between bounds.
    """

    def miss(constant: float) -> tuple[float, float]:
        share, slope = _mean_office(scale, constant, costs, prepared)
        return share - target, min(slope, -_TINY)  # far off, the curve is flat to the last digit

    if start is not None:
        found = root_scalar(miss, x0=start, fprime=True, method="newton", xtol=1e-10, maxiter=12)
        if found.converged and abs(miss(found.root)[0]) < 1e-9:
            return float(found.root)
    low, high = _CONSTANT_BOUNDS
    return float(brentq(lambda c: miss(c)[0], low - scale * float(costs.office_eur.max()), high, xtol=1e-9))


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
    is an answer for values close by: from it a secant settles in a few steps.
    """

    # the cost at which office and home are chosen alike: it hardly moves with the scale
    even_eur = None if near is None else -near[1] / near[0]

    def constant_of(scale: float) -> float:
        nonlocal even_eur
        start = None if even_eur is None else -scale * even_eur
        constant = _solve_home_constant(scale, office_share, costs, prepared, start)
        even_eur = -constant / scale
        return constant

    def miss(scale: float) -> float:
        return commuter_elasticity(scale, constant_of(scale), commuter) - target

    if near is not None:
        found = root_scalar(miss, x0=near[0], x1=near[0] * 1.01, method="secant", xtol=1e-11, maxiter=20)
        low, high = _SCALE_BOUNDS
        if found.converged and low < found.root < high:
            return float(found.root), constant_of(float(found.root))
    scale = float(brentq(miss, *_SCALE_BOUNDS, xtol=1e-9))
    return scale, constant_of(scale)


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


def _rural_totals(prepared: Prepared, o: Odds, costs: DayCosts) -> Callable[[float, float], np.ndarray]:
    """A function of the two hub constants giving the pair sums over rural homes, (N_SUMS,)."""
    t = prepared.territory

    def totals(suitable: float, unsuitable: float) -> np.ndarray:
        out = np.zeros((t.access_zone.size, N_SUMS))
        pair_sums(
            t.access_start, t.access_zone,
            o.hub_suitable * np.exp(suitable), o.hub_unsuitable * np.exp(unsuitable),
            t.flow_start, o.office, o.office_share, o.home, o.days, o.unsuitable_share,
            costs.commute_min, costs.commute_km, out,
        )  # fmt: skip
        return np.asarray(out.sum(axis=0))

    return totals


def _solve_hub_constants(
    totals: Callable[[float, float], np.ndarray], wanted_days: float, substitution: float
) -> tuple[float, float, bool]:
    """Hub constants of both segments, and whether the substitution could be met."""

    def home_days(constant: float) -> float:
        sums = totals(constant, -700.0)
        return float(sums[4] - sums[1])

    low, high = _CONSTANT_BOUNDS
    from_home = (1.0 - substitution) * wanted_days
    if home_days(high) <= from_home:
        raise CalibrationError(
            "hub_share_reference is more than all remote days can give; lower it, or raise telework_regular_share"
        )
    suitable = _constant_for(home_days, from_home) if home_days(low) < from_home else -700.0
    rest = wanted_days - float(totals(suitable, -700.0)[4])
    if rest <= 0.0:  # even alone, the suitable segment substitutes more than asked: keep the hub share
        return _constant_for(lambda c: float(totals(c, -700.0)[4]), wanted_days), -700.0, False

    def other_days(constant: float) -> float:
        return float(totals(-700.0, constant)[5])

    if other_days(high) <= rest:
        raise CalibrationError(
            "substitution_reference needs more days than people without a suitable home have; lower it, "
            "or raise home_unsuitable_share"
        )
    return suitable, _constant_for(other_days, rest), True


def _constant_for(days_of: Callable[[float], float], wanted: float) -> float:
    """Constant at which the days reach `wanted`.

    While few days move, they grow as the exponential of the constant: in logarithms a secant settles in a few steps;
    where it does not, brentq between bounds.
    """

    def miss(constant: float) -> float:
        return float(np.log(max(days_of(constant), _TINY) / max(wanted, _TINY)))

    low, high = _CONSTANT_BOUNDS
    first = miss(_FIRST_CONSTANT)
    found = root_scalar(
        miss, x0=_FIRST_CONSTANT, x1=_FIRST_CONSTANT - (first or _TINY), method="secant", xtol=1e-11, maxiter=30
    )
    if found.converged and low < found.root < high:
        return float(found.root)
    return float(brentq(lambda c: days_of(c) - wanted, low, high, xtol=1e-9))


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


def calibrate(territory: Territory, parameters: Parameters, values: Values) -> Calibration:
    """Constants of the choice for a territory (that of the evidence: Provence-Alpes-Côte d'Azur).

    `values` are parameter values, levers at their reference. Raises `CalibrationError` where no constants exist.
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
    totals = _rural_totals(prepared, o, costs)
    exposed = float(prepared.workers[prepared.territory.access_zone].sum())
    per_user = hub_days_per_user(scenario, values)
    wanted = values["hub_share_reference"] * exposed * per_user
    suitable, other, met = _solve_hub_constants(totals, wanted, values["substitution_reference"])
    sums = totals(suitable, other)
    reached = {
        "telework_regular_share": eligible * (1.0 - values["office_day_share_reference"]),
        "office_day_share_reference": (1.0 - unsuitable) * _mean_office(scale, home_constant, costs, prepared)[0]
        + unsuitable,
        "fuel_price_elasticity": commuter_elasticity(scale, home_constant, commuter),
        "fuel_price_elasticity_all_rural": _rural_elasticity(scale, home_constant, costs, prepared, unsuitable),
        "hub_share_reference": float(sums[0]) / per_user / exposed,
        "substitution_reference": float(sums[1] / sums[0]),
    }
    fr, en = _messages(permission, met)
    found = Calibration(
        eligible, permission, scale, home_constant, suitable, other,
        {key: float(values[key]) for key in TARGETS}, reached, tuple(fr), tuple(en),
    )  # fmt: skip
    reached.update(reference_user(found, commuter, values, per_user))
    return found


def _mean_office(scale: float, constant: float, costs: DayCosts, prepared: Prepared) -> tuple[float, float]:
    """Mean share of office days of suitable homes, and its slope in the home constant."""
    workers = prepared.territory.flow_workers
    share, slope = mean_office_share(
        scale, constant, costs.office_eur, costs.home_eur, prepared.flow_zone, workers
    )  # fmt: skip
    return float(share), float(slope)


@lru_cache(maxsize=256)
def calibration_for(
    territory: Territory, parameters: Parameters, changes: tuple[tuple[str, float], ...]
) -> Calibration:
    """`calibrate`, remembered by territory and changed assumptions."""
    return calibrate(territory, parameters, parameters.values_with(dict(changes)))
