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
import pandas as pd

from coopconnect.model import viability
from coopconnect.model.choice import day_costs, hub_days_per_user
from coopconnect.model.household_groups import (
    HOUSEHOLD_RANGES,
    MEANS,
    TOLD,
    GroupEnds,
    HouseholdGroups,
    Layout,
    bars_of,
    group_figures,
    layout_of,
    rural_pool,
    told_of,
)
from coopconnect.model.personal import PERSONAL_RANGES, Person, Weeks, figures_of, gathered
from coopconnect.model.ranges import BEHAVIOUR_RANGES
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
    return _beside(ensemble, keys)[ensemble.usable]


def _beside(ensemble: Ensemble, keys: Sequence[str]) -> np.ndarray:
    """The same in every draw, (draws, keys)."""
    s = ensemble.setup
    used = s.parameters.values_with(dict(s.scenario.changed))
    peaks = used["ensemble_peak_known"], used["ensemble_peak_assumed"]
    u = latin_hypercube(max(len(keys), 1), ensemble.draws, ensemble.seed + 1)
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


HOUSEHOLDS_BESIDE = tuple(key for key in HOUSEHOLD_RANGES if key not in BEHAVIOUR_RANGES)
"""What may move a household and no figure of a site: drawn beside the ensemble where it is not drawn there."""

COMMUNE_ROWS_MOST = 5_000_000
"""Communes times draws above which the figures of each commune are not kept (180 MB)."""


def household_values(ensemble: Ensemble) -> tuple[tuple[str, ...], np.ndarray]:
    """What is drawn beside an ensemble for households, and the design with its values as further columns."""
    known = {law.key for law in ensemble.setup.laws}
    more = tuple(key for key in HOUSEHOLDS_BESIDE if key not in known)
    found = np.concatenate([ensemble.values, _beside(ensemble, more)], axis=1) if more else ensemble.values
    return more, found


def household_layout(groups: HouseholdGroups, setup: Setup, draws: int) -> Layout:
    """What is kept of the households in each draw: the figures of communes too, unless they are too many."""
    return layout_of(groups, setup.territory, len(groups.communes) * draws <= COMMUNE_ROWS_MOST)


def group_rows(layout: Layout, more: tuple[str, ...], site_code: str, setup: Setup, rows: np.ndarray) -> np.ndarray:
    """Figures of the households in each row of a design, (rows, `layout.columns`); NaN where there is no solution.

    more: what the last columns of the rows are (`household_values`). site_code: that of the one site of the setup
    (`site.around`), '' for the pool of rural sites.
    """
    found = np.full((len(rows), layout.columns), np.nan, dtype=np.float32)
    pool = np.ones(1, dtype=bool) if site_code else rural_pool(setup.territory, setup.scenario)
    for k, row in enumerate(rows):
        scenario, drawn = drawn_scenario(setup, row[: len(setup.laws)])
        drawn |= zip(more, map(float, row[len(setup.laws) :]), strict=True)
        calibration = drawn_calibration(setup, scenario, drawn)  # undoes who pays for the day, at the reference price
        if calibration is not None:
            values = {**parameter_values(scenario, setup.parameters), **drawn}
            prepared = setup.reach(scenario.access_max_min)
            costs = day_costs(prepared, scenario, values)
            found[k] = group_figures(layout, prepared, scenario, calibration, values, costs, pool)
    return found


def groups_of_draws(groups: HouseholdGroups, layout: Layout, found: np.ndarray) -> HouseholdGroups:
    """The households with 5 and 95 % of the draws as lows and highs of what is told of them.

    found: (draws, `layout.columns`) of `group_rows`; as they are where no draw has a solution.
    """
    usable = found[np.isfinite(found[:, 0])]
    if not len(usable):
        return groups
    ends = np.quantile(usable, ENDS, axis=0)
    middle = _central(groups, layout)
    low, high = layout.parts(np.minimum(ends[0], middle)), layout.parts(np.maximum(ends[1], middle))
    totals = {
        name: Range(float(low["totals"][k]), groups.totals[name].value, float(high["totals"][k]))
        for k, name in enumerate(layout.names)
    }
    both = _ends(layout, low), _ends(layout, high)
    return replace(groups, totals=totals, ranged=True, drawn=len(usable), ends=both)


def _central(groups: HouseholdGroups, layout: Layout) -> np.ndarray:
    """The reference case in the places of `layout`."""
    measures = [name.removesuffix("_per_user") for name in MEANS]
    parts = [
        np.array([groups.totals[name].value for name in layout.names]),
        groups.deciles[measures].to_numpy(float),
        told_of(groups.bands),
        told_of(groups.density),
        *(bars_of(groups, measure, kind)[1] for measure, kind in layout.edges),
        told_of(groups.communes, ("users", *MEANS))[: layout.zones.size],
    ]
    return np.concatenate([part.ravel() for part in parts])


def _ends(layout: Layout, parts: dict[str, np.ndarray]) -> GroupEnds:
    """One end of the draws as tables."""
    sizes = [edges.size - 1 for edges in layout.edges.values()]
    return GroupEnds(
        pd.DataFrame(parts["deciles"], columns=[name.removesuffix("_per_user") for name in MEANS]),
        pd.DataFrame(parts["bands"], columns=TOLD),
        pd.DataFrame(parts["density"], columns=TOLD),
        pd.DataFrame(parts["communes"], columns=("users", *MEANS)) if layout.zones.size else None,
        dict(zip(layout.edges, np.split(parts["bars"], np.cumsum(sizes)[:-1]), strict=True)),
    )
