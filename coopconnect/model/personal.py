"""One person's week: at the office, with a hub, with days at home. Somebody who truly replaces the drive.

No choice is modelled here: this person says where they live and work, how many days a week they do not go to the office,
and with what car. The average user of the model is another reading (`household_groups`); they are never mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coopconnect.model.choice import Values
from coopconnect.model.impact import thermal_emission_kg_per_km
from coopconnect.model.types import Range
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario, parameter_values
from coopconnect.territory.anywhere import Drive

WAYS = ("today", "hub", "home")
"""Every day at the office; some days at the hub instead; those days at home instead."""

MEASURES = ("km", "hours", "eur", "kg_co2e")

PERSONAL_RANGES = (
    "commute_peak_factor", "weeks_per_year", "consumption_l_per_100_km", "non_fuel_cost_eur_per_km",
    "electric_cost_eur_per_km", "fleet_emission_kg_per_km", "electric_emission_kg_per_km", "employer_paid_share",
    "circuity",
)  # fmt: skip
"""Parameters that stand in turn at their low and high; besides, the time of each estimated trip (`trip_time_error`)."""

Figures = dict[str, float]


@dataclass(frozen=True)
class Person:
    """commute, hub: trips by car from home, one way (hub None where none is chosen); days: a week away from the
    office; car: 'thermal', 'electric', or 'none' (then only hours are known, as if driven by somebody)."""

    commute: Drive
    hub: Drive | None
    days: int
    car: str


@dataclass(frozen=True)
class Weeks:
    """What the three weeks are made of, each a `Range`. Missing where unknown (no hub, no car).

    week, year: by (way, measure). kept: by (way, measure) of 'hub' and 'home', a year: today less that way; negative
    where that way costs more. price_week, price_year: what the person pays for the hub; left_year: euros kept once it
    is paid. days: those counted, at most the working days of a week. drawn: draws of which 5 and 95 % are the lows and
    highs; 0 where they are the ends of assumptions.
    """

    week: Mapping[tuple[str, str], Range]
    year: Mapping[tuple[str, str], Range]
    kept: Mapping[tuple[str, str], Range]
    price_week: Range | None
    price_year: Range | None
    left_year: Range | None
    days: int
    drawn: int = 0


def weeks_of(person: Person, scenario: Scenario, parameters: Parameters) -> Weeks:
    """The person's three weeks.

    With n working days and d of them away from the office, a day at the office is a return commute (minutes times the
    peak), a day at the hub a return trip to it, a day at home none:
        hours = (days at the office * 2 * min * peak + days at the hub * 2 * min) / 60
        km    = the same with road km, the person driving alone; eur = km * (energy + wear); kg = km * emission of the car
    A year is `weeks_per_year` weeks. Low and high: each parameter of `PERSONAL_RANGES` and each estimated time in turn at
    both ends, falls and rises added in quadrature (differences are taken within each run).
    """
    values = parameter_values(scenario, parameters)
    usual = parameters.value("circuity")
    central = figures_of(person, scenario, values, usual)
    fall, rise = dict.fromkeys(central, 0.0), dict.fromkeys(central, 0.0)
    for key in PERSONAL_RANGES:
        item = parameters[key]
        ends = (min(item.low, values[key]), max(item.high, values[key]))
        _widen(central, [figures_of(person, scenario, {**values, key: end}, usual) for end in ends], fall, rise)
    error = parameters["trip_time_error"]
    for trip in ("commute", "hub"):
        moved = [figures_of(person, scenario, values, usual, {trip: end}) for end in (error.low, error.high)]
        _widen(central, moved, fall, rise)
    ranges = {name: Range(v - fall[name] ** 0.5, v, v + rise[name] ** 0.5) for name, v in central.items()}
    return gathered(ranges, person, values)


def cost_per_km_of(car: str, scenario: Scenario, values: Values) -> float:
    """Marginal cost of a km of this car, EUR: energy and wear (the car is kept)."""
    if car == "electric":
        return values["electric_cost_eur_per_km"] + values["non_fuel_cost_eur_per_km"]
    fuel = values["consumption_l_per_100_km"] / 100.0 * scenario.fuel_price_eur_per_l
    return fuel + values["non_fuel_cost_eur_per_km"]


def emission_of(car: str, values: Values) -> float:
    """Emission of a km of this car, kg CO2e."""
    return values["electric_emission_kg_per_km"] if car == "electric" else thermal_emission_kg_per_km(values)


def _widen(central: Figures, ends: list[Figures], fall: Figures, rise: Figures) -> None:
    for name, value in central.items():
        changes = [end[name] - value for end in ends]
        fall[name] += min(*changes, 0.0) ** 2
        rise[name] += max(*changes, 0.0) ** 2


def _days(person: Person, values: Values) -> int:
    return min(person.days, int(values["working_days_per_week"]))


def figures_of(
    person: Person, scenario: Scenario, values: Values, usual_circuity: float, errors: Mapping[str, float] | None = None
) -> Figures:
    """Every figure of `Weeks` by 'what.way.measure', in one run. errors: real over estimated time, by trip."""
    errors = errors or {}

    def of(drive: Drive, trip: str, peak: float) -> dict[str, float]:
        detour = 1.0 if drive.routed else values["circuity"] / usual_circuity
        error = 1.0 if drive.routed else errors.get(trip, 1.0)
        hours = 2.0 * drive.drive_min * peak * error / 60.0
        if person.car == "none":
            return {"hours": hours}
        km = 2.0 * drive.road_km * detour
        eur, kg = km * cost_per_km_of(person.car, scenario, values), km * emission_of(person.car, values)
        return {"km": km, "hours": hours, "eur": eur, "kg_co2e": kg}

    working, away = values["working_days_per_week"], _days(person, values)
    office = of(person.commute, "commute", values["commute_peak_factor"])
    week = {("today", m): working * v for m, v in office.items()}
    week |= {("home", m): (working - away) * v for m, v in office.items()}
    found: Figures = {}
    weeks = values["weeks_per_year"]
    if person.hub is not None:
        hub = of(person.hub, "hub", 1.0)
        week |= {("hub", m): week["home", m] + away * v for m, v in hub.items()}
        price = away * scenario.day_price_eur * (1.0 - values["employer_paid_share"])
        found |= {"price.week": price, "price.year": weeks * price}
        if person.car != "none":
            found["left"] = weeks * (week["today", "eur"] - week["hub", "eur"] - price)
    for (way, measure), value in week.items():
        found |= {f"week.{way}.{measure}": value, f"year.{way}.{measure}": weeks * value}
        found[f"kept.{way}.{measure}"] = weeks * (week["today", measure] - value)
    return found


def gathered(ranges: Mapping[str, Range], person: Person, values: Values, drawn: int = 0) -> Weeks:
    """`Weeks` from the ranges of `figures_of`. drawn: as in `Weeks`."""

    def family(name: str, ways: tuple[str, ...]) -> dict[tuple[str, str], Range]:
        keys = [(way, measure) for way in ways for measure in MEASURES]
        return {key: ranges[".".join((name, *key))] for key in keys if ".".join((name, *key)) in ranges}

    return Weeks(
        family("week", WAYS), family("year", WAYS), family("kept", ("hub", "home")),
        ranges.get("price.week"), ranges.get("price.year"), ranges.get("left"), _days(person, values), drawn,
    )  # fmt: skip
