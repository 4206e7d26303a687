"""Quantiles of the draws in place of ranges: an assessment whose lows and highs are 5 and 95 % of an ensemble.

Every reader of an assessment (cards, maps, charts, workbook, PDF, GIS) shows them without knowing of ensembles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from coopconnect.model import score, viability
from coopconnect.model.choice import hub_days_per_user
from coopconnect.model.runs import per
from coopconnect.model.types import Assessment, Range
from coopconnect.scenario import COMPONENTS, parameter_values
from coopconnect.uncertainty.engine import drawn_scenario
from coopconnect.uncertainty.results import available_sites, results, viable
from coopconnect.uncertainty.run import Ensemble

ENDS = (0.05, 0.95)
"""What stands for low and high: nine draws in ten lie between."""

Pair = tuple[np.ndarray, np.ndarray]


def _ends(values: np.ndarray) -> Pair:
    low, high = np.quantile(values, ENDS, axis=0)
    return np.asarray(low, dtype=float), np.asarray(high, dtype=float)


def _site_figures(ensemble: Ensemble) -> Iterator[tuple[str, np.ndarray]]:
    """The `RANGED` figures in each usable draw, (usable, n_sites), one after the other so that few are held at once.

    What the draws do not hold follows from what they do: days from users, desks from days, points from quantities a
    year and the cost, resilience from the score.
    """
    s = ensemble.setup
    kept = {name: ensemble.figure(name) for name in ("users", "viability", "yearly_cost_eur", "score")}
    users, cost = kept["users"], kept["yearly_cost_eur"]
    yield from kept.items()
    values = []
    for row in ensemble.drawn():
        scenario, drawn = drawn_scenario(s, row)
        values.append((scenario, {**parameter_values(scenario, s.parameters), **drawn}))
    days = users * np.array([hub_days_per_user(scenario, v) for scenario, v in values])[:, None]
    yield "hub_days_per_year", days
    yield "desks", np.stack([viability.desks(one, v) for one, (_, v) in zip(days, values, strict=True)])
    fixed = values[0][1]  # anchors and the core are not drawn
    points = score.viability_points(kept["viability"], users, fixed["core_users_gate"])
    yield "component_viability", points
    weights = np.array([scenario.weights() for scenario, _ in values])
    weights /= weights.sum(axis=1)[:, None]
    left = kept["score"] - weights[:, [0]] * points
    anchors = ("anchor_hours_per_1000_eur", "anchor_eur_per_1000_eur", "anchor_co2_kg_per_1000_eur")
    names = ("hours_per_year", "eur_per_year", "kg_co2e_per_year")
    for k, (name, anchor) in enumerate(zip(names, anchors, strict=True), start=1):
        figure = ensemble.figure(name)
        points = score.per_cost_points(figure, cost, fixed[anchor])
        left = left - weights[:, [k]] * points
        yield name, figure
        yield f"{name.removesuffix('_per_year')}_per_participating_household", per(figure, users)
        yield f"component_{COMPONENTS[k]}", points
    yield "benefit_cost", ensemble.figure("net_benefit_eur_per_year") / cost + 1.0
    if (weights[:, 4] > 0.0).all():
        yield f"component_{COMPONENTS[4]}", np.clip(left / weights[:, [4]], 0.0, 100.0)


@lru_cache(maxsize=4)
def site_bands(ensemble: Ensemble) -> dict[str, Pair]:
    """5 and 95 % of each ranged figure and of the rank of each site, (n_sites,) each; {} where no draw has a solution."""
    found = results(ensemble)
    if found is None:
        return {}
    ranks = found.sites["rank_p05"].to_numpy(float), found.sites["rank_p95"].to_numpy(float)
    return {**{name: _ends(values) for name, values in _site_figures(ensemble)}, "rank": ranks}


@lru_cache(maxsize=4)
def _totals_by_draw(ensemble: Ensemble) -> dict[str, np.ndarray]:
    """The figures of the territory in each usable draw, (usable,) each; names as in `TOTALS`."""
    territory, available = ensemble.setup.territory, available_sites(ensemble)
    rural = territory.zones["rural"].to_numpy(bool)[territory.site_zone] & available
    pool = rural if rural.any() else available
    holds, users = viable(ensemble), ensemble.figure("users")[:, pool]
    found = {
        "viable_sites": holds[:, available].sum(axis=1),
        "viable_rural_sites": holds[:, rural].sum(axis=1),
        "median_users": np.median(users, axis=1),
    }
    if pool.any():
        for name, column in (("median_score", "score"), ("median_hours_per_year", "hours_per_year")):
            found[name] = np.median(ensemble.figure(column)[:, pool], axis=1)
    total = found["users"] = users.sum(axis=1)
    for name in ("hours", "eur", "kg_co2e"):
        figure = ensemble.figure(f"{name}_per_year")[:, pool].sum(axis=1)
        found[f"{name}_per_participating_household"] = per(figure, total)
    return found


def _total_bands(ensemble: Ensemble) -> dict[str, tuple[float, float]]:
    """5 and 95 % of the figures of the territory, each worked out within each draw."""
    found = _totals_by_draw(ensemble)
    return {name: (float(low), float(high)) for name, values in found.items() for low, high in [_ends(values)]}


def same_draws(before: Ensemble, after: Ensemble) -> bool:
    """Whether row k of both ensembles is one future: the same quantities at the same probabilities."""
    keys = [[law.key for law in e.setup.laws] for e in (before, after)]
    same = keys[0] == keys[1] and (before.seed, before.draws) == (after.seed, after.draws)
    return same and bool((before.usable & after.usable).any())


@lru_cache(maxsize=8)
def difference_bands(before: Ensemble, after: Ensemble) -> dict[str, tuple[float, float]]:
    """5 and 95 % of what each figure of the territory gains from one scenario to the other, future by future.

    Over the futures that have a solution in both; {} where their draws are not the same ones (`same_draws`).
    """
    if not same_draws(before, after):
        return {}
    both = before.usable & after.usable
    was, now = ({name: values[both[e.usable]] for name, values in _totals_by_draw(e).items()} for e in (before, after))
    bands = {name: _ends(now[name] - was[name]) for name in was if name in now}
    return {name: (float(low), float(high)) for name, (low, high) in bands.items()}


@lru_cache(maxsize=4)
def with_quantiles(assessment: Assessment, ensemble: Ensemble) -> Assessment:
    """The assessment with 5 and 95 % of the draws as its lows and highs, widened to hold the value of the reference case.

    The ensemble must be of the scenario of the assessment, on its territory. Ties are those of the draws: sites that they
    do not separate, as on Robustesse. Central values and ranks in use stay. What the draws do not hold keeps the range of assumptions moved one at a time.
    """
    bands = site_bands(ensemble)
    if not bands:
        return assessment
    sites = assessment.sites
    columns = {}
    for name, (low, high) in bands.items():
        value = sites[name].to_numpy()
        if name == "rank":
            low, high = np.rint(low), np.rint(high)
        columns[f"{name}_low"] = np.minimum(low, value).astype(sites[f"{name}_low"].dtype)
        columns[f"{name}_high"] = np.maximum(high, value).astype(sites[f"{name}_high"].dtype)
    found = results(ensemble)
    if found is not None:
        columns["tie_group"], columns["tied"] = (found.sites[name].to_numpy() for name in ("tie_group", "tied"))
    totals = dict(assessment.totals)
    ends = dict(_total_bands(ensemble))
    fewest, users = ends.pop("users")
    counted = (sites["rural"] & sites["available"]).to_numpy(bool)
    counted = counted if counted.any() else sites["available"].to_numpy(bool)
    within = max(float(sites["workers_within_reach"].to_numpy(float)[counted].sum()), 1e-9)
    ends["users_share"] = fewest / within, users / within
    for name, (least, most) in ends.items():
        middle = totals[name].value
        totals[name] = Range(min(least, middle), middle, max(most, middle))
    return replace(
        assessment, sites=sites.assign(**columns), totals=totals, drawn=int(ensemble.usable.sum())
    )  # fmt: skip
