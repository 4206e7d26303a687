"""What a plan answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coopconnect.question import Question
from coopconnect.scenario import Scenario
from coopconnect.siting.locate.types import gap_of

UNITS = {
    "hours": "h/yr", "score": "points", "people": "inhabitants", "money": "EUR/yr", "co2": "kg CO2e/yr",
    "users": "users", "equity": "share of the best",
}  # fmt: skip


PROVEN = 1e-5
"""Gap up to which a plan is told as proven best."""

LEAST = ("users", "hours_per_year")
"""Totals told besides as if neighbouring hubs shared the people of the best of them (`measure.shared`)."""

WORTH_TELLING = 0.005
"""Share of the users under which the least is as good as the total."""

MISSING = ("order", "curve", "substitutes", "refusals")
"""What a plan may lack once its search was stopped."""

BY_SITE = "by site"
"""The proof that takes each site by itself: its neighbours are not counted."""

BRANCHES = "branches"
"""The proof that opens sites and leaves them out one by one (`tree`)."""


@dataclass(frozen=True)
class Substitute:
    """What would take the place of a site if its mayor said no, and what that costs in the unit of the objective."""

    code: str
    name: str
    loss: float


@dataclass(frozen=True)
class PlannedSite:
    """One open site, with the demand shared among all.

    rank: 1 for the first to open; 0 for one that exists. year: of opening, from 1. gain: what it adds to those opened
    before it, in the unit of the objective. lost_if_refused: what the plan loses without it, nothing in its place.
    """

    code: str
    name: str
    row: int
    rank: int
    year: int
    gain: float
    lost_if_refused: float
    substitute: Substitute | None
    existing: bool
    forced: bool
    users: float
    hub_days_per_year: float
    desks: float
    hours_per_year: float
    eur_per_year: float
    kg_co2e_per_year: float
    score: float
    opening_eur: float
    yearly_cost_eur: float
    turned_away_share: float


@dataclass(frozen=True)
class Alternative:
    """A plan nearly as good: one site in place of another."""

    out_code: str
    out_name: str
    in_code: str
    in_name: str
    loss: float


@dataclass(frozen=True, eq=False)
class SitePlan:
    """Chosen sites in opening order (existing ones first), what they are worth, and how far from the best possible.

    value, bound: in the unit of the objective, existing sites included. curve: (number of new sites, worth) from
    none, the plan's own first, then what further sites would add (`further`: their rows, in order). knee: the number of new sites after which a further
    one adds little. left_out: communes with no open site within reach (`zone_code`, `name`, `population`, `workers`,
    `nearest`, `nearest_min`). covered: (n_zones,) bool. refusals_cost: what the forbidden and refused sites cost.
    totals: sums over the sites; `users_least`, `hours_per_year_least`: the same if the hubs within reach of a home shared the
    people of the best of them (`measure.shared`).
    missing: what a stop left unmeasured among `MISSING`: 'order' (the last sites stand by what each would add to those known),
    'curve' (nothing beyond the plan), 'substitutes' (nor near-equal plans), 'refusals'; `plan.completed` measures it.
    """

    question: Question
    scenario: Scenario
    model_version: str
    territory_code: str
    territory_name: str
    sites: tuple[PlannedSite, ...]
    value: float
    bound: float
    chosen: np.ndarray
    alternatives: tuple[Alternative, ...]
    curve: tuple[tuple[int, float], ...]
    knee: int
    left_out: pd.DataFrame
    covered: np.ndarray
    refusals_cost: float
    totals: dict[str, float]
    proof: str
    seconds: float
    missing: tuple[str, ...] = ()
    further: tuple[int, ...] = ()

    @property
    def kept_value(self) -> float | None:
        """What the sites that exist are worth before any new one opens, in the unit of the objective; None where none does."""
        first = self.curve[0] if self.curve else (-1, 0.0)
        return first[1] if first[0] == 0 and any(site.existing for site in self.sites) else None

    @property
    def neighbours_share(self) -> bool:
        """Whether open hubs have homes within reach in common, enough for the least to be told."""
        users = self.totals.get("users", 0.0)
        return self.totals.get("users_least", users) < (1.0 - WORTH_TELLING) * users

    @property
    def gap(self) -> float:
        """(bound - value) / |value|; 0 where the plan is proven best, infinite where nothing is proven."""
        return gap_of(self.value, self.bound)

    @property
    def unit(self) -> str:
        """Unit of value, bound and gains."""
        return UNITS[self.question.objective]

    def rows_of(self, *, existing: bool) -> tuple[int, ...]:
        """Rows of the hubs that exist, or of the new ones in opening order."""
        return tuple(site.row for site in sorted(self.sites, key=lambda site: site.rank) if site.existing == existing)
