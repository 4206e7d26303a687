"""What a plan is asked: how many sites or how much money, to what end, under which constraints."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopconnect.problem import Problem, ProblemsError, quoted
from coopconnect.territory.types import Territory

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


def from_text(text: str) -> Question:
    """The question of such a text. Raises `PlanError` where it holds something else."""
    found: dict[str, Any] = {}
    for part in filter(None, text.split("~")):
        name = _WORDS.get(part[0])
        if name is None:
            raise PlanError(Problem("plan_part", "plan", given=quoted(part)))
        kind = type(getattr(Question(), name))
        try:
            found[name] = tuple(filter(None, part[1:].split("."))) if kind is tuple else (
                part[1:] == "1" if kind is bool else kind(part[1:])
            )  # fmt: skip
        except ValueError:
            raise PlanError(Problem("plan_value", "plan", name=name, given=quoted(part[1:]))) from None
    return Question(**found)


def check(question: Question, territory: Territory) -> None:
    """Raise `PlanError` with everything that is wrong with a question for a territory."""
    n = territory.site_zone.size
    known = set(territory.zones["zone_code"].to_numpy(object)[territory.site_zone])
    q = question
    problems: list[Problem] = []
    if q.objective not in OBJECTIVES:
        problems.append(Problem("choice", "objective", allowed=", ".join(OBJECTIVES), given=quoted(q.objective)))
    numbers = {"sites": q.sites, "budget": q.budget_eur, "apart": q.apart_min, "desks": q.desks,
               "openings per year": q.openings_per_year}  # fmt: skip
    problems += [
        Problem("from_zero", name, given=str(v)) for name, v in numbers.items() if not (math.isfinite(v) and v >= 0)
    ]
    if q.sites == 0 and q.budget_eur == 0:
        problems.append(Problem("plan_limit", "sites, budget"))
    if q.years < 1:
        problems.append(Problem("from_one", "years", given=str(q.years)))
    if not 0.0 <= q.equity <= 1.0:
        problems.append(Problem("between", "equity", low=0, high=1, given=str(q.equity)))
    for name in ("forced", "forbidden", "existing"):
        wrong = sorted(set(getattr(q, name)) - known)
        if wrong:
            problems.append(Problem("plan_no_site", name, territory=territory.code, given=", ".join(wrong[:8])))
    both = sorted((set(q.forced) | set(q.existing)) & set(q.forbidden))
    if both:
        problems.append(Problem("plan_both", "forbidden", given=", ".join(both[:8])))
    forced = set(q.forced) - set(q.existing)
    if q.sites and len(forced) > q.sites:
        problems.append(Problem("plan_forced", "forced", count=len(forced), most=q.sites))
    if q.sites > n - len(set(q.existing)):
        there = len(set(q.existing))
        problems.append(Problem("plan_possible", "sites", count=n, existing=there, given=str(q.sites)))
    if problems:
        raise PlanError(*problems)


def mask_of(territory: Territory, codes: tuple[str, ...]) -> np.ndarray:
    """(n_sites,) bool, True for the sites with these codes."""
    return np.isin(territory.zones["zone_code"].to_numpy(object)[territory.site_zone], codes)
