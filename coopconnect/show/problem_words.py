"""Problems of an address or a file, in the language of the screen."""

from __future__ import annotations

from coopconnect.problem import Problem
from coopconnect.show.words import number, say, unit_name


def told(problem: str, language: str) -> str:
    """A problem in 'fr' or 'en': line, key, what is allowed, what was given. A text that is no `Problem` stays as it is."""
    if not isinstance(problem, Problem):
        return problem
    text = say(f"problem.{problem.code}", language, **{k: _written(k, v, language) for k, v in problem.values.items()})
    if problem.key:
        text = say("problem.of_key", language, key=problem.key, text=text)
    return say("problem.of_line", language, row=problem.line, text=text) if problem.line else text


def _written(name: str, value: object, language: str) -> str:
    if name == "unit":
        return unit_name(str(value), language)
    if isinstance(value, float):
        decimals = len(f"{value:.10g}".partition(".")[2])
        return number(value, language, decimals)
    return str(value)
