"""What a plan is asked: how many sites or how much money, to what end, under which constraints; as text and as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from coopconnect.problem import Problem, ProblemsError, quoted
from coopconnect.scenario import COMMUNE_CODE

OBJECTIVES = ("hours", "score", "people", "money", "co2", "users", "equity")
"""What a plan can maximise. `docs/siting.md` defines each."""


class PlanError(ProblemsError):
    """What was asked cannot be planned; the message lists every problem, one a line."""


@dataclass(frozen=True)
class Question:
    """A plan to make. Scalars and codes only, so that it can key a cache and stand in an address.

    sites: how many new sites at most, or 0 where the budget alone decides. budget_eur: what opening and running the
    new sites for `years` may cost, or 0 for no limit. equity: for the objective 'equity', 0 = total hours, 1 = the
    worst served. forced, forbidden, existing: INSEE codes; existing sites stay, cost nothing and are not counted.
    apart_min: no two sites within so many minutes by car, 0 for any. desks: a site serves what so many desks can, 0
    for any number. openings_per_year: 0 where all open in the first year. rural: only rural communes may be new sites.
    """

    sites: int = 10
    budget_eur: float = 0.0
    years: int = 5
    objective: str = "hours"
    equity: float = 0.5
    forced: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    existing: tuple[str, ...] = ()
    apart_min: float = 0.0
    desks: int = 0
    openings_per_year: int = 0
    rural: bool = False

    @property
    def equity_share(self) -> float:
        """Weight of the worst served in the objective."""
        return self.equity if self.objective == "equity" else 0.0


_WORDS = {"n": "sites", "b": "budget_eur", "y": "years", "o": "objective", "q": "equity", "f": "forced",
          "x": "forbidden", "e": "existing", "a": "apart_min", "d": "desks", "u": "openings_per_year", "r": "rural"}  # fmt: skip


def to_text(question: Question) -> str:
    """What differs from the usual question, as letters, digits, dots and tildes: 'n12~opeople~f04070.04112'."""
    usual, parts = Question(), []
    for letter, name in _WORDS.items():
        value = getattr(question, name)
        if value != getattr(usual, name):
            written = (
                ".".join(value) if isinstance(value, tuple) else str(int(value)) if name == "rural" else f"{value}"
            )
            parts.append(letter + written.removesuffix(".0"))
    return "~".join(parts)


def address_of(question: Question) -> str:
    """The text that an address carries: never empty, for an empty one asks nothing."""
    return to_text(question) or f"n{question.sites}"


def from_text(text: str) -> Question:
    """The question of such a text. Raises `PlanError` with everything in it that is something else."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for part in filter(None, text.split("~")):
        name = _WORDS.get(part[0])
        if name is None:
            problems.append(Problem("plan_part", "plan", given=quoted(part)))
            continue
        kind = type(getattr(Question(), name))
        try:
            found[name] = tuple(filter(None, part[1:].split("."))) if kind is tuple else (
                part[1:] == "1" if kind is bool else kind(part[1:])
            )  # fmt: skip
        except ValueError:
            problems.append(Problem("plan_value", "plan", name=name, given=quoted(part[1:])))
    if problems:
        raise PlanError(*problems)
    return Question(**found)


def to_table(question: Question) -> dict[str, Any]:
    """The question as a table of a scenario file: how many sites, and what differs from the usual question."""
    usual = Question()
    table = {f.name: getattr(question, f.name) for f in fields(Question)}
    kept = {name: value for name, value in table.items() if name == "sites" or value != getattr(usual, name)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}


def from_table(raw: object) -> tuple[Question | None, list[Problem]]:
    """The question of such a table, and everything that is wrong in it; None where something is."""
    if not isinstance(raw, Mapping):
        return None, [Problem("table", "plan")]
    usual, found = Question(), {}
    known = [f.name for f in fields(Question)]
    problems = [Problem("unknown", key, allowed=", ".join(known)) for key in raw if key not in known]
    for name in known:
        if name in raw:
            value, problem = _read(name, raw[name], type(getattr(usual, name)))
            problems += [problem] if problem else []
            found[name] = value
    if not problems:
        problems = wrong_in(Question(**found))
    if problems:
        return None, [problem.under("plan") for problem in problems]
    return Question(**found), []


def _read(name: str, value: Any, kind: type) -> tuple[Any, Problem | None]:
    """A value of the kind that a field holds, or what is wrong with it."""
    if kind is tuple:
        codes = value if isinstance(value, list) else [value]
        wrong = [code for code in codes if not (isinstance(code, str) and COMMUNE_CODE.fullmatch(code))]
        problem = Problem("communes", name, given=quoted(", ".join(map(str, wrong[:8])))) if wrong else None
        return tuple(sorted({str(code) for code in codes})), problem
    if kind is bool:
        return value, None if isinstance(value, bool) else Problem("flag", name, given=quoted(value))
    if kind is str:
        return str(value), None
    number = not isinstance(value, bool) and isinstance(value, int if kind is int else (int, float))
    return (kind(value), None) if number else (value, Problem("from_zero", name, given=quoted(value)))


def wrong_in(question: Question) -> list[Problem]:
    """What is wrong with a question whatever the territory."""
    q = question
    problems: list[Problem] = []
    if q.objective not in OBJECTIVES:
        problems.append(Problem("choice", "objective", allowed=", ".join(OBJECTIVES), given=quoted(q.objective)))
    numbers = {"sites": q.sites, "budget_eur": q.budget_eur, "apart_min": q.apart_min, "desks": q.desks,
               "openings_per_year": q.openings_per_year}  # fmt: skip
    problems += [
        Problem("from_zero", name, given=str(v)) for name, v in numbers.items() if not (math.isfinite(v) and v >= 0)
    ]
    if q.sites == 0 and q.budget_eur == 0:
        problems.append(Problem("plan_limit", "sites"))
    if q.years < 1:
        problems.append(Problem("from_one", "years", given=str(q.years)))
    if not 0.0 <= q.equity <= 1.0:
        problems.append(Problem("between", "equity", low=0, high=1, given=str(q.equity)))
    both = sorted((set(q.forced) | set(q.existing)) & set(q.forbidden))
    if both:
        problems.append(Problem("plan_both", "forbidden", given=", ".join(both[:8])))
    forced = set(q.forced) - set(q.existing)
    if q.sites and len(forced) > q.sites:
        problems.append(Problem("plan_forced", "forced", count=len(forced), most=q.sites))
    return problems
