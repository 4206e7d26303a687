"""From a set of sites to a plan that can be read: order, substitutes, near-equal plans, curve, who is left out."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from coopconnect.question import Question
from coopconnect.siting import measure
from coopconnect.siting.network import Network
from coopconnect.siting.search import More, Problem, State, greedy, largest, until
from coopconnect.siting.types import LEAST, Alternative, PlannedSite, SitePlan, Substitute

NEARLY = 0.01
"""Share of the worth within which another plan is nearly as good."""

MOST_ALTERNATIVES = 8
_TRIED = 3

_FURTHER_S = 5.0
"""Most time for the sites beyond the plan in the curve."""

Value = Callable[[np.ndarray], float]


def report(
    network: Network,
    problem: Problem,
    question: Question,
    chosen: np.ndarray,
    value_of: Value,
    bound: float,
    proof: str,
    liking: np.ndarray | None = None,
    more: More = lambda: True,
) -> SitePlan:
    """The plan of a set. Its scenario, model version and time are filled in by the caller.

    liking: for an objective that must be measured, which other sites are looked at first. more: once it says no, what is
    not yet measured of order, curve and substitutes is left out, and named in `missing`.
    """
    value = value_of(chosen)
    missing = []
    order, gains = opening_order(problem, chosen, value_of, liking, more)
    if not more() and liking is not None:
        missing.append("order")
    curve, further, whole = curve_of(problem, chosen, order, gains, value_of, liking, more)
    if not whole:
        missing.append("curve")
    told = exchanges(network, problem, chosen, value, value_of, liking, more)
    if told is None:
        missing.append("substitutes")
    substitutes, alternatives = told or (None, ())
    covered, left_out = who_is_left_out(network, chosen)
    sites, totals = planned(network, question, problem, order, gains, substitutes, chosen)
    totals["people_covered"] = float(network.prepared.population[covered].sum())
    totals["people_left_out"] = float(left_out["population"].sum())
    return SitePlan(
        question=question, scenario=network.scenario, model_version="", territory_code=network.territory.code,
        territory_name=network.territory.name, sites=sites, value=value, bound=max(bound, value), chosen=chosen,
        alternatives=alternatives, curve=curve, knee=knee_of(curve), left_out=left_out, covered=covered,
        refusals_cost=0.0, totals=totals, proof=proof, seconds=0.0, missing=tuple(missing), further=further,
    )  # fmt: skip


def _candidates(free: np.ndarray, gains: np.ndarray, liking: np.ndarray | None) -> np.ndarray:
    """The sites of `free` worth a look: those that add most and, where it must be measured, those best liked."""
    first = largest(free, gains, _TRIED)
    if liking is None:
        return first
    return np.unique(np.concatenate([first, largest(free, liking, 2 * _TRIED)]))


def opening_order(
    problem: Problem, chosen: np.ndarray, value_of: Value, liking: np.ndarray | None, more: More
) -> tuple[list[int], list[float]]:  # fmt: skip
    """The new sites, each the one that adds most to those opened before it; and what each adds."""
    within = replace(
        problem, allowed=chosen, fixed=problem.existing, budget=np.inf, most_new=int(chosen.sum()),
        conflict_start=np.zeros_like(problem.conflict_start), conflict_site=problem.conflict_site[:0],
    )  # fmt: skip
    if liking is not None:
        return _measured_order(within, chosen, value_of, more)
    state = State(within, problem.existing)
    order = greedy(state, np.ones(chosen.size), False, lambda: True)
    order += [int(k) for k in np.flatnonzero(chosen & ~state.chosen)]
    state = State(within, problem.existing)
    gains = []
    for k in order:
        before = state.value
        state.turn(k, True)
        gains.append(state.value - before)
    return order, gains


def _measured_order(
    problem: Problem, chosen: np.ndarray, value_of: Value, more: More
) -> tuple[list[int], list[float]]:  # fmt: skip
    """The same where gains must be measured: each is looked at again only when it comes to the top; in haste, only to
    say what it adds there."""
    opened = problem.existing.copy()
    value = value_of(opened)

    def gain(k: int) -> float:
        other = opened.copy()
        other[k] = True
        return value_of(other) - value

    heap = [(-gain(int(k)), int(k), 0) for k in np.flatnonzero(chosen & ~opened)]
    heapq.heapify(heap)
    order: list[int] = []
    gains: list[float] = []
    while heap:
        negative, k, step = heapq.heappop(heap)
        if step < len(order) and not more():
            negative = -gain(k)
        elif step < len(order):
            heapq.heappush(heap, (-gain(k), k, len(order)))
            continue
        opened[k] = True
        value -= negative
        order.append(k)
        gains.append(-negative)
    return order, gains


def exchanges(
    network: Network,
    problem: Problem,
    chosen: np.ndarray,
    value: float,
    value_of: Value,
    liking: np.ndarray | None,
    more: More,
) -> tuple[dict[int, tuple[float, Substitute | None]], tuple[Alternative, ...]] | None:
    """For each new site: what the plan loses without it, the best site in its place, and the plans nearly as good. None
    where `more` has said no before the last."""
    names = network.territory.zones["name"].to_numpy(object)[network.territory.site_zone]
    codes = network.territory.zones["zone_code"].to_numpy(object)[network.territory.site_zone]
    state = State(problem, chosen)
    gains = np.zeros(network.n_sites)
    state.gains(np.flatnonzero(problem.allowed & ~chosen), gains)
    found: dict[int, tuple[float, Substitute | None]] = {}
    nearly: list[Alternative] = []
    for k in np.flatnonzero(chosen & ~problem.existing):
        if not more():
            return None
        near = state.problem.near(int(k))
        before = gains[near].copy()
        full = state.value
        state.turn(int(k), False)
        outside = near[problem.allowed[near] & ~state.chosen[near]]
        state.gains(outside, gains)
        free = np.flatnonzero(state.may_open() & (problem.price <= state.money_left()))
        free = free[free != k]
        best = _candidates(free, gains, liking)
        others = [
            (value - (state.value + float(gains[j]) + value - full if liking is None else _value_with(state, j, value_of)), int(j))
            for j in best
        ]  # fmt: skip
        others.sort()
        alone = value - (state.value + value - full if liking is None else value_of(state.chosen))
        substitute = Substitute(codes[others[0][1]], names[others[0][1]], others[0][0]) if others else None
        found[int(k)] = (alone, substitute)
        if not problem.fixed[k]:
            nearly += [
                Alternative(codes[k], names[k], codes[j], names[j], loss) for loss, j in others
                if loss <= NEARLY * abs(value)
            ]  # fmt: skip
        state.turn(int(k), True)
        gains[near] = before
    nearly.sort(key=lambda a: (a.loss, a.out_code, a.in_code))
    return found, tuple(nearly[:MOST_ALTERNATIVES])


def _value_with(state: State, j: int, value_of: Value) -> float:
    """Measured worth of the set of `state` with site j too."""
    other = state.chosen.copy()
    other[j] = True
    return value_of(other)


def curve_of(
    problem: Problem, chosen: np.ndarray, order: list[int], gains: list[float], value_of: Value,
    liking: np.ndarray | None, more: More,
) -> tuple[tuple[tuple[int, float], ...], tuple[int, ...], bool]:  # fmt: skip
    """Worth by number of new sites: those of the plan in their order, then what the next best would add; these; and
    whether `more` left the time for them."""
    base = value_of(problem.existing) if problem.existing.any() else 0.0
    worths = [base, *(base + np.cumsum(gains))]
    beyond = int(min(max(5, len(order) // 2), 30))
    wider = replace(problem, budget=np.inf, most_new=len(order) + beyond)
    state = State(wider, chosen)
    time_left = until(time.perf_counter() + _FURTHER_S, lambda: not more())
    if liking is not None:
        further, found = _measured_further(state, value_of, liking, worths[-1], time_left)
        return tuple((n, float(w)) for n, w in enumerate([*worths, *found])), tuple(further), more()
    further = greedy(state, np.ones(chosen.size), False, time_left)
    state = State(wider, chosen)
    for k in further:
        before = state.value
        state.turn(k, True)
        worths.append(worths[-1] + state.value - before)
    return tuple((n, float(w)) for n, w in enumerate(worths)), tuple(int(k) for k in further), more()


def _measured_further(
    state: State, value_of: Value, liking: np.ndarray, value: float, more: More
) -> tuple[list[int], list[float]]:  # fmt: skip
    """The best of the sites worth a look, one after another, until none adds anything; and the worth as each opens."""
    opened: list[int] = []
    worths: list[float] = []
    gains = np.zeros(liking.size)
    state.gains(np.flatnonzero(state.may_open()), gains)
    while state.new_left() > 0 and more():
        free = np.flatnonzero(state.may_open())
        found = [(_value_with(state, j, value_of), int(j)) for j in _candidates(free, gains, liking)]
        if not found or max(found)[0] <= value:
            break
        value, j = max(found)
        state.turn(j, True)
        opened.append(j)
        worths.append(value)
        near = state.problem.near(j)
        state.gains(near[state.problem.allowed[near] & ~state.chosen[near]], gains)
    return opened, worths


def knee_of(curve: tuple[tuple[int, float], ...]) -> int:
    """The number of sites farthest above the straight line from the first point of the curve to the last."""
    if len(curve) < 3:
        return curve[-1][0]
    worth = np.array([w for _, w in curve])
    line = np.linspace(worth[0], worth[-1], worth.size)
    return int(np.argmax(worth - line))


def who_is_left_out(network: Network, chosen: np.ndarray) -> tuple[np.ndarray, pd.DataFrame]:
    """Zones with an open site within reach, and the communes of the territory without, with their nearest open site."""
    t = network.territory
    n = len(t.zones)
    covered = network.zone_sums(chosen) > 0.0
    site = np.repeat(np.arange(network.n_sites), np.diff(t.access_start))
    open_pairs = np.flatnonzero(chosen[site])
    order = open_pairs[np.argsort(-t.access_drive_min[open_pairs], kind="stable")]
    nearest = np.full(n, -1, dtype=np.int64)
    nearest[t.access_zone[order]] = order
    out = np.flatnonzero(~covered & t.zones["in_territory"].to_numpy(bool))
    names = t.zones["name"].to_numpy(object)
    has = nearest[out] >= 0
    pair = np.where(has, nearest[out], 0)
    frame = pd.DataFrame(
        {
            **{c: t.zones[c].to_numpy()[out] for c in ("zone_code", "name", "population", "workers")},
            "nearest": np.where(has, names[t.site_zone[site[pair]]] if site.size else "", ""),
            "nearest_min": np.where(has, t.access_drive_min[pair] if site.size else np.nan, np.nan),
        }
    )
    return covered & t.zones["in_territory"].to_numpy(bool), frame.sort_values(
        ["population", "zone_code"], ascending=[False, True], ignore_index=True
    )


def planned(
    network: Network, question: Question, problem: Problem, order: list[int], gains: list[float],
    substitutes: dict[int, tuple[float, Substitute | None]] | None, chosen: np.ndarray,
) -> tuple[tuple[PlannedSite, ...], dict[str, float]]:  # fmt: skip
    """The open sites with their figures, existing ones first, and the sums over all and over the new ones. What a refusal
    loses is not a number where `substitutes` were not measured."""
    t = network.territory
    names = t.zones["name"].to_numpy(object)[t.site_zone]
    codes = t.zones["zone_code"].to_numpy(object)[t.site_zone]
    sites = np.concatenate([np.flatnonzero(problem.existing), np.array(order, dtype=np.int64)]).astype(np.int64)
    around = measure.around_of(network)
    figures, turned = measure.results(network, around, sites, network.zone_sums(chosen), question.desks)
    sharing, best = measure.shared(network, chosen)
    least, _ = measure.results(sharing, around, sites, best, question.desks)
    opening, yearly = measure.costs(figures["hub_days_per_year"], network.scenario, network.values)
    rows = []
    n_existing = int(problem.existing.sum())
    for r, k in enumerate(sites):
        rank = max(0, r - n_existing + 1)
        lost, substitute = (substitutes or {}).get(int(k), (np.nan if rank and substitutes is None else 0.0, None))
        per_year = question.openings_per_year
        rows.append(PlannedSite(
            code=str(codes[k]), name=str(names[k]), row=int(k), rank=rank,
            year=0 if not rank else 1 + (rank - 1) // per_year if per_year else 1,
            gain=gains[rank - 1] if rank else 0.0, lost_if_refused=lost, substitute=substitute,
            existing=not rank, forced=bool(problem.fixed[k] and rank),
            opening_eur=float(opening[r]) if rank else 0.0, yearly_cost_eur=float(yearly[r]),
            turned_away_share=float(turned[r]),
            **{name: float(figures[name][r]) for name in (
                "users", "hub_days_per_year", "desks", "hours_per_year", "eur_per_year", "kg_co2e_per_year", "score")},
        ))  # fmt: skip
    summed = ("users", "hours_per_year", "eur_per_year", "kg_co2e_per_year")
    totals = {name: float(figures[name].sum()) for name in summed}
    totals |= {f"{name}_least": float(least[name].sum()) for name in LEAST}
    totals["opening_eur"] = sum(s.opening_eur for s in rows)
    totals["yearly_cost_eur"] = sum(s.yearly_cost_eur for s in rows if not s.existing)
    totals["budget_used_eur"] = float(problem.price[chosen].sum())
    may_open = problem.allowed & ~problem.existing
    totals["least_price_eur"] = float(problem.price[may_open].min()) if may_open.any() else 0.0
    return tuple(rows), totals
