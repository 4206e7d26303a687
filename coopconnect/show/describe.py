"""A scenario in words: its line, what differs from the reference, each lever's value as it is read aloud."""

from __future__ import annotations

from typing import Any

from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario, differences, reference_scenario
from coopconnect.show.words import known, number, percent, say, unit_name
from coopconnect.territory.load import name_of_territory

_DECIMALS_OF_STEP = ((1.0, 0), (0.1, 1), (0.0, 2))


def decimals_for(step: float) -> int:
    """Decimals that show a step of a slider."""
    return next(d for limit, d in _DECIMALS_OF_STEP if step >= limit)


def level(value: float, language: str, decimals: int | None = None) -> str:
    """A number with the decimals it needs (at most four) or those asked."""
    if decimals is not None:
        return number(value, language, decimals)
    needed = next((d for d in range(5) if abs(round(value, d) - value) < 1e-9), 4)
    return number(value, language, needed)


def with_parameter_unit(value: float, key: str, parameters: Parameters, language: str) -> str:
    """A value of a parameter with its unit: shares as per cent, prices with two decimals."""
    item = parameters[key]
    if item.unit == "share":
        return percent(value, language, 0 if abs(value * 100 - round(value * 100)) < 1e-9 else 1)
    if item.unit == "ratio":
        return level(value, language)
    decimals = decimals_for(item.lever.step) if item.lever else None
    if item.unit.startswith("€/L"):
        decimals = 2
    return f"{level(value, language, decimals)}\u00a0{unit_name(item.unit, language)}"


def climate_name(climate: str, language: str) -> str:
    """'aujourd'hui', '+2,0 °C (2030)' ..."""
    return say(f"climate.{climate}", language)


def scenario_line(scenario: Scenario, parameters: Parameters, language: str) -> str:
    """The scenario in one line: '1,75 €/L · aujourd'hui · 1,9 j/sem'."""
    return " · ".join(
        (
            with_parameter_unit(scenario.fuel_price_eur_per_l, "fuel_price_eur_per_l", parameters, language),
            climate_name(scenario.climate, language),
            with_parameter_unit(scenario.telework_days_per_week, "telework_days_per_week", parameters, language),
        )
    )


def value_text(key: str, value: Any, parameters: Parameters, language: str) -> str:
    """Any value of a scenario, as read on the screen."""
    if key in parameters:
        return with_parameter_unit(float(value), key, parameters, language)
    if key == "climate":
        return climate_name(str(value), language)
    if key in ("refused", "hosts"):
        return str(len(value))
    if key == "territory":
        return name_of_territory(str(value)) or say("choice.communes", language, count=len(str(value).split(",")))
    choice = f"choice.{key}.{str(value).lower()}"
    return say(choice, language) if known(choice) else str(value)


def name_of(key: str, parameters: Parameters, language: str) -> str:
    """Name of a lever or an assumption on the screen: a short one where its full name is a sentence."""
    if known(f"short.{key}"):
        return say(f"short.{key}", language)
    return parameters[key].label(language) if key in parameters else say(f"lever.{key}", language)


def changes(scenario: Scenario, parameters: Parameters, language: str) -> list[tuple[str, str, str]]:
    """What differs from the reference of the same territory: name, value, reference value."""
    reference = reference_scenario(parameters, scenario.territory)
    found = []
    for key, value in differences(scenario, reference).items():
        usual = getattr(reference, key) if hasattr(reference, key) else parameters.value(key)
        before = value_text(key, usual, parameters, language)
        found.append((name_of(key, parameters, language), value_text(key, value, parameters, language), before))
    return found


def colon(language: str) -> str:
    """What stands between a name and its value: French puts a space before the colon."""
    return ": " if language == "en" else "\u00a0: "
