"""Problems of an address or a file, in the language of the screen."""

from __future__ import annotations

from coopconnect.parameters import Parameters
from coopconnect.problem import Problem, emptied
from coopconnect.show.describe import name_of
from coopconnect.show.words import known, number, say, unit_name

_CHOICES = {
    "objective": "network.objective_{}", "premises": "choice.premises.{}", "climate": "climate.{}", "car": "house.car_{}",
    "gain": "house.measure_{}", "hosts": "hosts.status.{}",
}  # fmt: skip
"""Where the words of the screen are for what is chosen among a few keys."""


def told(problem: str, parameters: Parameters, language: str) -> str:
    """A problem in 'fr' or 'en': line, lever or assumption, what is allowed, what was given.

    A lever has its name on the screen, with its key after it where a file has to be mended at a line. A text that is no
    `Problem` stays as it is.
    """
    if not isinstance(problem, Problem):
        return problem
    values = {k: _written(k, v, language) for k, v in problem.values.items()}
    if problem.code == "choice":
        values["allowed"] = _choices(problem.key.rpartition(".")[2], values["allowed"], language)
    text = say(f"problem.{problem.code}", language, **values)
    empty, it_is_empty = (say(f"problem_empty.{key}", language) for key in ("word", "clause"))
    text = emptied(text, problem.values.get("given"), empty, it_is_empty)
    if problem.key:
        text = say("problem.of_key", language, key=_named(problem, parameters, language), text=text)
    return say("problem.of_line", language, row=problem.line, text=text) if problem.line else text


def _named(problem: Problem, parameters: Parameters, language: str) -> str:
    """What is wrong, as the screen names it; a key that the screen does not name stays as it is."""
    path, _, key = problem.key.rpartition(".")
    if path.partition(".")[0] != "sites" and (key in parameters or known(f"lever.{key}")):
        where = key if problem.line else path.removeprefix("differences")  # 'k1': a scenario put aside, in an address
        name = name_of(key, parameters, language)
        return f"{name} ({where})" if where else name
    if path == "plan" and known(f"network.{key}"):
        name = say(f"network.{key}", language)
        return f"{name} ({problem.key})" if problem.line else name
    return say(f"problem_named.{key}", language) if not path and known(f"problem_named.{key}") else problem.key


def _choices(key: str, allowed: str, language: str) -> str:
    """'Heures gardées par an (hours), ...': the words of the screen, each with what an address or a file takes."""
    name = _CHOICES.get(key, "")
    words = ((choice, name.format(choice)) for choice in allowed.split(", "))
    return ", ".join(f"{say(word, language)} ({choice})" if known(word) else choice for choice, word in words)


def _written(name: str, value: object, language: str) -> str:
    if name == "unit":
        return unit_name(str(value), language)
    if isinstance(value, float):
        decimals = len(f"{value:.10g}".partition(".")[2])
        return number(value, language, decimals)
    return str(value)
