"""Plans searched further in the background: the bound tightens while the page shows the plan it has."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import streamlit as st

from coopconnect.question import Question
from coopconnect.scenario import Scenario
from coopconnect.siting.types import SitePlan
from coopconnect.ui import cached
from coopconnect.ui.jobs import Job, Shelf

Key = tuple[Scenario, Question]
"""The scenario as the model reads it (refusals, no hosts), and the question."""

SEARCH_S = 60.0
MOST_JOBS = 6


@dataclass(eq=False)
class PlanJob(Job):
    """One question: the best worth and bound so far, in the unit of the objective, and the plan once it stops.

    ended: the search has done all that it can, or used its time; the same again would find the same. measuring: it does not
    search, it measures what a stop had left out.
    """

    key: Key
    value: float = -math.inf
    bound: float = math.inf
    plan: SitePlan | None = None
    began: float = 0.0
    ended: bool = False
    measuring: bool = False

    @property
    def gap(self) -> float:
        """(bound - value) / |value|; infinite while nothing is proven."""
        known = math.isfinite(self.bound) and self.value not in (0.0, -math.inf)
        return max(0.0, self.bound - self.value) / abs(self.value) if known else math.inf

    @property
    def share(self) -> float:
        """Part of the time it may take that has gone, 0 to 1."""
        return min(1.0, (time.monotonic() - self.began) / SEARCH_S) if self.began else 0.0

    def told(self, value: float, bound: float) -> bool:
        """Keep what search and proof have reached; False once the job should stop."""
        self.value, self.bound = max(self.value, value), min(self.bound, bound)
        return not self.stop.is_set()


@st.cache_resource(show_spinner=False)
def _jobs() -> Shelf[Key, PlanJob]:
    """Plans searched further on this server."""
    return Shelf(MOST_JOBS)


def find(key: Key) -> PlanJob | None:
    """The job of a question if it was ever started."""
    return _jobs().find(key)


def start(key: Key, known: SitePlan) -> None:
    """Search further than `known`, in a thread of its own; nothing where that goes on already."""
    job = _jobs().take(key, lambda: PlanJob(key))
    job.told(known.value, known.bound)
    scenario, question = key
    territory, home = cached.territory(scenario.territory), cached.home_territory(scenario.territory)
    parameters = cached.parameters()

    def work() -> None:
        from coopconnect.siting.plan import site_plan

        found = site_plan(territory, scenario, parameters, question, home, SEARCH_S, watch=job.told, known=known)
        job.told(found.value, found.bound)
        job.plan = better(job.plan, found)
        job.ended = not job.stop.is_set()

    if not job.running:
        job.began, job.measuring = time.monotonic(), False
    job.begin(work, "plan")


def complete(key: Key, plan: SitePlan) -> None:
    """Measure what a stop left out of `plan`, in a thread of its own; nothing where one works already."""
    job = _jobs().take(key, lambda: PlanJob(key))
    code = key[0].territory
    territory, home, parameters = cached.territory(code), cached.home_territory(code), cached.parameters()

    def work() -> None:
        from coopconnect.siting.plan import completed

        job.plan = completed(territory, parameters, plan, home, watch=job.told)

    if not job.running:
        job.began, job.measuring = time.monotonic(), True
    job.begin(work, "plan")


def better(one: SitePlan | None, other: SitePlan) -> SitePlan:
    """The plan of larger worth under the lower of the two bounds; both answer the same question."""
    if one is None:
        return other
    best, second = (other, one) if other.value >= one.value else (one, other)
    bound, proof = (second.bound, second.proof) if second.bound < best.bound else (best.bound, best.proof)
    without = max(one.value + one.refusals_cost, other.value + other.refusals_cost)  # the best with those who refused
    known = any(plan.refusals_cost > 0.0 for plan in (one, other))
    return replace(
        best, bound=max(bound, best.value), proof=proof, refusals_cost=max(0.0, without - best.value) if known else 0.0
    )  # fmt: skip
