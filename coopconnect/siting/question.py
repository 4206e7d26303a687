"""Whether a territory can answer what a plan is asked."""

from __future__ import annotations

import numpy as np

from coopconnect.problem import Problem
from coopconnect.question import PlanError, Question, wrong_in
from coopconnect.territory.types import Territory


def check(question: Question, territory: Territory) -> None:
    """Raise `PlanError` with everything that is wrong with a question for a territory."""
    n = territory.site_zone.size
    known = set(territory.zones["zone_code"].to_numpy(object)[territory.site_zone])
    problems = wrong_in(question)
    for name in ("forced", "forbidden", "existing"):
        wrong = sorted(set(getattr(question, name)) - known)
        if wrong:
            problems.append(Problem("plan_no_site", name, territory=territory.code, given=", ".join(wrong[:8])))
    there = len(set(question.existing))
    if question.sites > n - there:
        problems.append(Problem("plan_possible", "sites", count=n, existing=there, given=str(question.sites)))
    if problems:
        raise PlanError(*problems)


def mask_of(territory: Territory, codes: tuple[str, ...]) -> np.ndarray:
    """(n_sites,) bool, True for the sites with these codes."""
    return np.isin(territory.zones["zone_code"].to_numpy(object)[territory.site_zone], codes)
