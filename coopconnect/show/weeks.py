"""One person's three weeks in words: what the page and the card to take home both write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coopconnect.model.choice import Values
from coopconnect.model.personal import MEASURES, WAYS, Person, Weeks, cost_per_km_of, emission_of
from coopconnect.model.types import Range
from coopconnect.scenario import Scenario
from coopconnect.show.words import NOTHING, euros, hours, number, say

Write = Callable[..., str]
_BELOW = 0.5
"""A yearly difference that would be written 0 (in minutes for hours) is told as none."""


@dataclass(frozen=True)
class Cell:
    """One measure of one way in words. week, year: values, '–' where unknown; between: range of the week; kept, kept_between:
    difference with today a year and its range ('' for today); bad: the difference is a loss; known: there is a value."""

    measure: str
    label: str
    week: str
    between: str
    year: str
    kept: str = ""
    kept_between: str = ""
    bad: bool = False
    known: bool = True


def writer(measure: str, language: str) -> Write:
    """How a measure is written: '12 h', '640 €', '310 kg', '1 200 km'."""
    if measure.startswith("hours"):
        return lambda value, signed=False: hours(value, language, signed=signed)
    if measure.startswith("eur"):
        return lambda value, signed=False: euros(value, language, signed=signed)
    unit = "km" if measure == "km" else "kg"
    return lambda value, signed=False: f"{number(value, language, signed=signed)}\u00a0{unit}"


def range_text(found: Range, write: Write, language: str) -> str:
    """'de 9 h à 31 h', '' where both ends read the same."""
    low, high = write(found.low), write(found.high)
    return "" if low == high else say("house.range", language, low=low, high=high)


def cells(weeks: Weeks, way: str, language: str) -> list[Cell]:
    """The four measures of one of `WAYS`, in order; unknown ones say so."""
    return [_cell(weeks, way, measure, language) for measure in MEASURES]


def _cell(weeks: Weeks, way: str, measure: str, language: str) -> Cell:
    write, label = writer(measure, language), say(f"house.{measure}", language)
    week, year = weeks.week.get((way, measure)), weeks.year.get((way, measure))
    if week is None or year is None:
        return Cell(measure, label, NOTHING, say("house.unknown_value", language), NOTHING, known=False)
    kept = weeks.kept.get((way, measure))
    texts = (measure, label, write(week.value), range_text(week, write, language), write(year.value))
    if kept is None:
        return Cell(*texts)
    return Cell(*texts, kept_text(kept, measure, language), range_text(kept, write, language), is_loss(kept, measure))


def is_loss(kept: Range, measure: str) -> bool:
    """True for a loss that shows once rounded."""
    return kept.value * (60.0 if measure == "hours" else 1.0) <= -_BELOW


def kept_text(kept: Range, measure: str, language: str, family: str = "kept") -> str:
    """'92 h de moins par an', '12 h de plus par an', 'rien ne change'; with `family` 'card' without 'par an'."""
    write = writer(measure, language)
    if abs(kept.value) * (60.0 if measure == "hours" else 1.0) < _BELOW:
        return say("house.kept_same", language)
    return say(f"house.{family}_{'less' if kept.value > 0 else 'more'}", language, value=write(abs(kept.value)))


@dataclass(frozen=True)
class Paid:
    """What the hub is paid, in words. price: a week and a year; left: what is left of the euros a year once it is paid,
    '' where unknown; between: its range; bad: nothing is left; reason: why, '' where something is."""

    price: str
    left: str = ""
    between: str = ""
    bad: bool = False
    reason: str = ""


def paid(weeks: Weeks, scenario: Scenario, language: str) -> Paid | None:
    """The price of the hub and what is left, None where it has none."""
    if weeks.price_week is None or weeks.price_year is None:
        return None
    week, year = euros(weeks.price_week.value, language), euros(weeks.price_year.value, language)
    price = say("house.price_line", language, week=week, year=year)
    if weeks.left_year is None:
        return Paid(price)
    left = say("house.left_value", language, value=euros(weeks.left_year.value, language, signed=True))
    bad = is_loss(weeks.left_year, "eur")
    reason = say("house.reason_price", language, price=euros(scenario.day_price_eur, language)) if bad else ""
    return Paid(price, left, range_text(weeks.left_year, writer("eur", language), language), bad, reason)


def title_of(way: str, language: str) -> str:
    """Heading of one of `WAYS`."""
    return say("house.today" if way == WAYS[0] else f"house.with_{way}", language)


def days_line(way: str, weeks: Weeks, values: Values, work: str, hub: str, language: str) -> str:
    """'3 j à Avignon, 2 j à Apt'."""
    working = int(values["working_days_per_week"])
    office = working if way == WAYS[0] else working - weeks.days
    key = "house.today_days" if way == WAYS[0] else f"house.{way}_days"
    return say(key, language, **{"office": office, "work": work, **_if(way != WAYS[0], away=weeks.days), **_if(way == "hub", hub=hub)})  # fmt: skip


def _if(wanted: bool, **values: object) -> dict[str, object]:
    return values if wanted else {}


def formula(
    measure: str, way: str, person: Person, weeks: Weeks, scenario: Scenario, values: Values, language: str
) -> str:
    """How a week's figure is made, with the numbers that made it."""
    working = int(values["working_days_per_week"])
    office = working if way == WAYS[0] else working - weeks.days
    if measure in ("eur", "kg_co2e"):
        km = number(weeks.week[way, "km"].value, language)
        if measure == "eur":
            cost = euros(cost_per_km_of(person.car, scenario, values), language, 3)
            return say("house.formula.eur", language, km=km, cost=cost)
        return say("house.formula.kg_co2e", language, km=km, kg=number(emission_of(person.car, values), language, 3))
    commute, hub = person.commute, person.hub
    if measure == "km":
        parts = [say("house.formula.office_km", language, office=office, km=number(commute.road_km, language, 1))]
    else:
        peak = number(values["commute_peak_factor"], language, 2)
        minutes = number(commute.drive_min, language, 1)
        parts = [say("house.formula.office_hours", language, office=office, min=minutes, peak=peak)]
    if way == "hub" and hub is not None:
        if measure == "km":
            parts.append(say("house.formula.hub_km", language, away=weeks.days, km=number(hub.road_km, language, 1)))
        else:
            parts.append(
                say("house.formula.hub_hours", language, away=weeks.days, min=number(hub.drive_min, language, 1))
            )
    return " + ".join(parts)
