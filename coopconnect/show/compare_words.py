"""Two scenarios in words: which levers differ, from what to what, and how the figures that differ are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.show.describe import colon, name_of, value_text
from coopconnect.show.words import euros, hours, number, percent, say

Formatter = Callable[..., str]


def differing_keys(scenarios: Sequence[Scenario]) -> list[str]:
    """Fields and assumptions in which any of the scenarios differ: in the order of the fields, then by name."""
    names = [field.name for field in fields(Scenario) if field.name != "changed"]
    found = [name for name in names if len({getattr(s, name) for s in scenarios}) > 1]
    changed = [dict(s.changed) for s in scenarios]
    every = sorted({key for own in changed for key in own})
    return found + [key for key in every if len({own.get(key) for own in changed}) > 1]


def value_in(scenario: Scenario, key: str, parameters: Parameters) -> object:
    """Value of a field or an assumption in a scenario."""
    if hasattr(scenario, key):
        return getattr(scenario, key)
    return dict(scenario.changed).get(key, parameters.value(key))


def change_text(key: str, before: Scenario, after: Scenario, parameters: Parameters, language: str) -> str:
    """'Carburant 1,75 → 2,25 €/L'."""
    name = name_of_key(key, parameters, language)
    was, now = (lever_text(key, s, parameters, language) for s in (before, after))
    unit = now.partition("\u00a0")[2]
    if unit and was.endswith(f"\u00a0{unit}") and key not in ("climate", "premises"):
        was = was.removesuffix(f"\u00a0{unit}")
    return say("compare.arrow", language, name=f"{name}{colon(language).rstrip()}", before=was, after=now)


def name_of_key(key: str, parameters: Parameters, language: str) -> str:
    """Name of a lever, of an assumption, or of a lever of the breakdown that gathers several."""
    if key in ("weights", "hosts"):
        return say(f"compare.{key}", language)
    return name_of(key, parameters, language)


def lever_text(key: str, scenario: Scenario, parameters: Parameters, language: str) -> str:
    """Value of a lever, an assumption or what a breakdown gathers, as read on the screen."""
    if key == "weights":
        return " / ".join(number(weight, language) for weight in scenario.weights())
    if key == "hosts":
        return str(len(scenario.refused) + len(scenario.hosts))
    return value_text(key, value_in(scenario, key, parameters), parameters, language)


def formatter_of(name: str, language: str) -> Formatter:
    """How a total is written, and its change with `signed=True`."""
    if name.startswith("hours_per"):
        return lambda value, signed=False: hours(value, language, signed=signed)
    if name.startswith("eur"):
        return lambda value, signed=False: euros(value, language, signed=signed)
    if name.startswith("kg"):
        return lambda value, signed=False: f"{number(value, language, signed=signed)}\u00a0kg"
    if name == "viable_share":
        return lambda value, signed=False: percent(value, language, 1, signed)
    if name == "median_hours_per_year":
        return lambda value, signed=False: f"{number(value, language, signed=signed)}\u00a0h"
    decimals = 1 if name in ("median_score", "median_users", "site_score") else 0
    return lambda value, signed=False: number(value, language, decimals, signed)
