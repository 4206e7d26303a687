"""The levers: one component that draws every slider and choice from the parameters.

Label, unit, bounds, step, named stops and help come from `data/parameters.toml`; a lever added there and in
`scenario.NUMERIC_LEVERS` appears here by itself. A lever speaks on release, and while it is dragged as often as
the page answers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from coopconnect.parameters import Parameter
from coopconnect.scenario import CLIMATES, NUMERIC_LEVERS, PREMISES, reference_scenario
from coopconnect.show.describe import climate_name, decimals_for, name_of, with_parameter_unit
from coopconnect.show.words import known, number, say, unit_name
from coopconnect.ui import cached, state
from coopconnect.ui.frame import Page

_HERE = Path(__file__).parent
_LEVERS = st.components.v2.component(
    "coopconnect_levers",
    js=(_HERE / "levers.js").read_text(encoding="utf-8"),
    css=(_HERE / "levers.css").read_text(encoding="utf-8"),
)
FIRST = ("fuel_price_eur_per_l", "climate", "telework_days_per_week")
"""Levers that are always in sight; the others wait behind 'more'."""

MARKS = 120
"""At most so many past prices are drawn under the slider."""

CHOICES = {"climate": CLIMATES, "premises": PREMISES, "hub_cooled": (True, False)}
"""Levers that are not numbers, with what they may be."""


def order() -> list[str]:
    """All levers in the order of the screen: the three of the first look, the site, the choices, the weights."""
    numeric = [key for key in NUMERIC_LEVERS if key not in FIRST]
    weights = [key for key in numeric if key.startswith("weight_")]
    site = [key for key in numeric if key not in weights]
    return [*FIRST, *site, "premises", "hub_cooled", *weights]


def draw_levers(page: Page) -> None:
    """Draw the levers; what is moved goes into the scenario before the next run begins."""
    _LEVERS(key="levers", data=lever_data(page), on_move_change=_moved)


def lever_data(page: Page) -> dict[str, Any]:
    """What the component draws: one entry per lever, and the few words around them."""
    keys = order()
    return {
        "locale": "en-GB" if page.language == "en" else "fr-FR",
        "levers": [_choice(page, key) if key in CHOICES else _slider(page, key) for key in keys],
        "first": len(FIRST),
        "gesture": page.session.gesture,
        "texts": {name: page.say(f"lever.{name}") for name in ("more", "reference", "weights", "usual")},
    }


def help_text(item: Parameter, language: str) -> str:
    """What a lever rests on: source, status and range, in a sentence."""
    status = say(f"status.{item.status}", language)
    label = item.label(language)
    parts = [
        f"{label}." if known(f"short.{item.key}") else "",
        item.note(language),
        say("lever.help", language, source=item.source_in(language), status=status),
    ]
    return " ".join(part for part in parts if part)


def _slider(page: Page, key: str) -> dict[str, Any]:
    item = page.parameters[key]
    lever = item.lever
    if lever is None:
        raise ValueError(f"parameters.toml: [{key}] has no lever, but it is one of scenario.NUMERIC_LEVERS")
    language = page.language
    stops = [[v, en if language == "en" else fr] for v, fr, en in lever.stops]
    price = item.unit.startswith("€/L")
    return {
        "key": key, "kind": "range", "label": name_of(key, page.parameters, language), "unit": unit_name(item.unit, language),
        "min": lever.minimum, "max": lever.maximum, "step": lever.step, "value": getattr(page.scenario, key),
        "usual": item.value, "usual_text": with_parameter_unit(item.value, key, page.parameters, language),
        "low": item.low, "high": item.high, "decimals": 2 if price else decimals_for(lever.step),
        "stops": stops, "help": help_text(item, language), "weight": key.startswith("weight_"),
        **(_history(page) if key == "fuel_price_eur_per_l" else {}),
    }  # fmt: skip


def _history(page: Page) -> dict[str, Any]:
    """Past prices as marks under the slider, and where the lever stands among them (the browser fills in the share)."""
    record = cached.fuel_history()
    words = "lever.history_weeks" if record.weekly else "lever.history_years"
    ends = (record.first, record.last if record.weekly else record.last[:4])
    return {
        "marks": sorted(round(p, 3) for p in record.prices)[:: max(1, len(record.prices) // MARKS)],
        "marks_text": page.say(words, first=ends[0], last=ends[1], below="{below}"),
    }


def _hot_days(page: Page) -> str:
    """Days above 35 degrees C of the territory, today and under the climate chosen, weighted by inhabitants."""
    if not cached.is_loaded(page.scenario.territory):
        return ""
    territory = cached.territory(page.scenario.territory)
    inside = territory.zones["in_territory"].to_numpy(bool)
    people = territory.zones["population"].to_numpy(float)[inside]
    days = people @ territory.hot_days[inside] / max(people.sum(), 1.0)
    now, today = (float(days[CLIMATES.index(name)]) for name in (page.scenario.climate, "today"))
    return page.say("lever.hot_days", now=number(now, page.language, 1), today=number(today, page.language, 1))


def _choice(page: Page, key: str) -> dict[str, Any]:
    language = page.language
    usual = getattr(reference_scenario(page.parameters), key)

    def label(option: object) -> str:
        if key == "climate":
            return climate_name(str(option), language)
        return page.say(f"choice.{key}.{str(option).lower()}")

    return {
        "key": key, "kind": "choice", "label": page.say(f"lever.{key}"), "help": page.say(f"lever.{key}_help"),
        "options": [[_text(option), label(option)] for option in CHOICES[key]],
        "value": _text(getattr(page.scenario, key)), "usual": _text(usual), "usual_text": label(usual),
        "note": _hot_days(page) if key == "climate" else "",
    }  # fmt: skip


def _text(option: object) -> str:
    return str(option).lower() if isinstance(option, bool) else str(option)


def _moved() -> None:
    """A lever was moved: write it into the scenario (called before the run)."""
    moved = st.session_state["levers"].get("move")
    if isinstance(moved, dict) and moved.get("key") in order():
        state.move(str(moved["key"]), moved.get("value"), gesture=str(moved.get("gesture", "")))
