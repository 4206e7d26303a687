"""Names of levers and assumptions on the screen."""

from __future__ import annotations

from coopconnect.parameters import Parameters
from coopconnect.show.words import known, say


def name_of(key: str, parameters: Parameters, language: str) -> str:
    """Name of a lever or an assumption on the screen: a short one where its full name is a sentence."""
    if known(f"short.{key}"):
        return say(f"short.{key}", language)
    return parameters[key].label(language) if key in parameters else say(f"lever.{key}", language)
