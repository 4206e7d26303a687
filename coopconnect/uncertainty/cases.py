"""The draws pushed through what an ensemble does not keep: one person's week, the two kinds of premises of a site, and
who gains and who loses among households.

What such a case needs and the ensemble does not draw (it moves no figure of a site) is drawn beside it, from the law of
its range, by a Latin hypercube of its own with a seed of its own. Lows and highs are 5 and 95 % of the usable draws,
widened to hold the value of the reference case.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from coopconnect.model import viability
from coopconnect.model.choice import day_costs, hub_days_per_user
from coopconnect.model.household_groups import HouseholdGroups, group_totals, rural_pool
from coopconnect.model.personal import PERSONAL_RANGES, Person, Weeks, figures_of, gathered
from coopconnect.model.site_sheet import PremisesCase, PremisesComparison, Span
from coopconnect.model.types import Range
from coopconnect.scenario import Scenario, parameter_values
from coopconnect.uncertainty.bands import ENDS
from coopconnect.uncertainty.engine import Setup, drawn_calibration, drawn_scenario
from coopconnect.uncertainty.laws import latin_hypercube, law_of, quantile
from coopconnect.uncertainty.run import Ensemble

_TRIP_ERROR = "trip_time_error"
_TRIPS = ("commute", "hub")


def further_values(ensemble: Ensemble, keys: Sequence[str]) -> np.ndarray:
    """Values of parameters beside those of the ensemble, (usable, keys); a key told twice is drawn twice.

    One without a range keeps its value.
    """
    s = ensemble.setup
    used = s.parameters.values_with(dict(s.scenario.changed))
    peaks = used["ensemble_peak_known"], used["ensemble_peak_assumed"]
    u = latin_hypercube(max(len(keys), 1), ensemble.draws, ensemble.seed + 1)[ensemble.usable]
    found = np.empty((len(u), len(keys)))
    for k, key in enumerate(keys):
        law = law_of(s.parameters[key], used[key], peaks)
        found[:, k] = quantile(law, u[:, k]) if law.high > law.low else law.value
    return found


def _futures(ensemble: Ensemble, more: Sequence[str]) -> Iterator[tuple[Scenario, dict[str, float], np.ndarray]]:
    """Scenario and values of each usable draw, those of `more` with them, and what was drawn of `more`."""
    s = ensemble.setup
    for row, others in zip(ensemble.drawn(), further_values(ensemble, more), strict=True):
        scenario, drawn = drawn_scenario(s, row)
        beside = dict(zip(more, map(float, others), strict=True))
        yield scenario, {**parameter_values(scenario, s.parameters), **beside, **drawn}, others


def _widened(values: np.ndarray, middle: float) -> tuple[float, float]:
    low, high = np.quantile(values, ENDS)
    return min(float(low), middle), max(float(high), middle)


@lru_cache(maxsize=4)
def weeks_of_draws(person: Person, ensemble: Ensemble) -> Weeks:
    """`personal.weeks_of` with 5 and 95 % of the draws as its lows and highs.

    Drawn beside them: what of `PERSONAL_RANGES` they leave, and the time of each estimated trip (`trip_time_error`).
    """
    s = ensemble.setup
    known = {law.key for law in s.laws}
    more = (*(key for key in PERSONAL_RANGES if key not in known), *(_TRIP_ERROR for _ in _TRIPS))
    usual, values = s.parameters.value("circuity"), parameter_values(s.scenario, s.parameters)
    central = figures_of(person, s.scenario, values, usual)
    rows = [
        figures_of(person, scenario, drawn, usual, dict(zip(_TRIPS, map(float, others[-2:]), strict=True)))
        for scenario, drawn, others in _futures(ensemble, more)
    ]
    ranges = {}
    for name, middle in central.items():
        low, high = _widened(np.array([row[name] for row in rows]), middle)
        ranges[name] = Range(low, middle, high)
    return gathered(ranges, person, values, len(rows))


@lru_cache(maxsize=4)
def premises_of_draws(found: PremisesComparison, ensemble: Ensemble, row: int) -> PremisesComparison:
    """The two kinds of premises of a site with 5 and 95 % of the draws as lows and highs of cost and viability.

    row: of the site in the territory of the ensemble. Same users in both: what they draw is that of the ensemble; cost
    and investment of the kind that is not the scenario's are drawn beside it.
    """
    if not ensemble.usable.any():
        return found
    users = ensemble.figure("users")[:, row]

    def drawn(case: PremisesCase) -> PremisesCase:
        kind = case.premises
        cost, ratio = [], []
        more = (f"opex_{kind}_eur_per_year", f"capex_{kind}_eur")
        for one, (scenario, values, _) in zip(users, _futures(ensemble, more), strict=True):
            moved = scenario.with_values(premises=kind)
            days = np.array([one * hub_days_per_user(moved, values)])
            spent = float(viability.yearly_cost_eur(viability.desks(days, values), moved, values)[0])
            income = float(days[0]) * moved.day_price_eur + moved.council_contribution_eur_per_year
            cost.append(spent)
            ratio.append(income / spent)
        spans = []
        for span, values_drawn in ((case.cost_eur, cost), (case.viability, ratio)):
            low, high = _widened(np.array(values_drawn), span.value)
            spans.append(Span(low, span.value, high))
        return replace(case, cost_eur=spans[0], viability=spans[1])

    return replace(found, shared=drawn(found.shared), own=drawn(found.own), drawn=users.size)


def group_rows(names: tuple[str, ...], site_code: str, setup: Setup, rows: np.ndarray) -> np.ndarray:
    """Totals of `household_groups` by name in each row of a design, (rows, names); NaN where there is no solution.

    site_code: that of the one site of the setup (`site.around`), '' for the pool of rural sites.
    """
    found = np.full((len(rows), len(names)), np.nan)
    pool = np.ones(1, dtype=bool) if site_code else rural_pool(setup.territory, setup.scenario)
    for k, row in enumerate(rows):
        scenario, drawn = drawn_scenario(setup, row)
        calibration = drawn_calibration(setup, scenario, drawn)
        if calibration is not None:
            values = {**parameter_values(scenario, setup.parameters), **drawn}
            prepared = setup.reach(scenario.access_max_min)
            costs = day_costs(prepared, scenario, values)
            totals = group_totals(prepared, scenario, calibration, values, costs, pool)
            found[k] = [totals[name] for name in names]
    return found


def groups_of_draws(groups: HouseholdGroups, found: np.ndarray) -> HouseholdGroups:
    """The households with 5 and 95 % of the draws as lows and highs of their totals.

    found: (draws, totals) of `group_rows`, in the order of `groups.totals`; as they are where no draw has a solution.
    """
    usable = found[np.isfinite(found).all(axis=1)]
    if not len(usable):
        return groups
    totals = {}
    for k, (name, now) in enumerate(groups.totals.items()):
        low, high = _widened(usable[:, k], now.value)
        totals[name] = Range(low, now.value, high)
    return replace(groups, totals=totals, ranged=True, drawn=len(usable))
