"""`site_plan(territory, scenario, parameters, question)`: which sites together, in which order, and how good it is."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from coopconnect import MODEL_VERSION
from coopconnect.model.runs import Surroundings, site_results
from coopconnect.parameters import Parameters
from coopconnect.problem import Problem as Refusal
from coopconnect.question import PlanError, Question
from coopconnect.scenario import Scenario
from coopconnect.siting import measure
from coopconnect.siting.bound import demand_bound
from coopconnect.siting.capacity import Desks
from coopconnect.siting.covering import constrained_covering
from coopconnect.siting.decompose import Subsets
from coopconnect.siting.locate.cover import improved_covering
from coopconnect.siting.locate.proof import Found
from coopconnect.siting.locate.rows import Rows
from coopconnect.siting.measured import Measured
from coopconnect.siting.network import (
    Network,
    equity_rows,
    in_unit,
    network_of,
    no_rows,
    people_rows,
    scaled,
    scaled_rows,
    without_demand,
)
from coopconnect.siting.question import check, mask_of
from coopconnect.siting.report import report
from coopconnect.siting.scores import Scores
from coopconnect.siting.search import NOTHING, More, Problem, State, largest, never, quick, until
from coopconnect.siting.stretch import Stretches
from coopconnect.siting.tree import Ceilings, Tree
from coopconnect.siting.types import BRANCHES, BY_SITE, PROVEN, SitePlan
from coopconnect.territory.types import ACCESS_TABLE_MAX_MIN, Territory

Watch = Callable[[float, float], bool]
"""Told (value, bound) as search and proof go on, infinite where not yet known; returns False to stop at once."""

GRACE_S = 0.3
"""After a stop, what can be measured in so short a time is measured all the same."""

_LOOKED_AT = 12
"""Sites best liked that are measured in place of each open one."""

_AT_ONCE = 4_000
"""Sites whose ceilings are made between two looks at whether one has said to stop."""

PRICES_SHARE = 0.7
"""Share of the time to prove that prices may take before sites are opened and left out one by one."""

TOLL_SHARES = (0.0, 0.5)
"""Shares of the tolls of full desks (`capacity`) at which the plan as a whole is bounded."""


@dataclass(frozen=True, eq=False)
class Setting:
    """A question made ready: the network, what the search sees of it, and how a set is measured."""

    question: Question
    network: Network
    problem: Problem
    measured: bool

    def value(self, chosen: np.ndarray) -> float:
        """Worth of a set in the unit of the objective."""
        if not self.measured:
            return State(self.problem, chosen).exact()
        return float(self.worths(chosen).sum())

    def worths(self, chosen: np.ndarray) -> np.ndarray:
        """What each open site of a set is worth in an objective that is a sum over sites, beside the others."""
        return self._measured.of(chosen)[chosen]

    @cached_property
    def _measured(self) -> Measured:
        return Measured(self.network, self._around, self.question.objective, self.question.desks)

    @cached_property
    def _around(self) -> Surroundings:
        return measure.around_of(self.network)

    @cached_property
    def desks(self) -> Desks:
        """What bounds a plan with desks; where there are none, every day of the territory is served."""
        desks, n = self.question.desks, self.network
        return Desks(self.problem, measure.most_days(desks, n.values) if desks else float(n.days.sum()))

    @cached_property
    def liking(self) -> np.ndarray:
        """What makes a site worth a look in a measured objective: its score alone; with desks, the most that it can be
        worth."""
        if self.question.objective != "score":
            return self.desks.most
        found = site_results(measure.alone(self.network), self._around, self.network.scenario, self.network.values)
        return np.asarray(found["score"])

    @cached_property
    def ceilings(self) -> Ceilings:
        """What sites can be worth at most in such an objective, beside those that are open."""
        if self.question.objective != "score":
            return self.desks.beside
        desks = self.question.desks
        most_days = measure.most_days(desks, self.network.values) if desks else np.inf
        return Scores(self.problem, self.network, self._around, most_days).beside


def site_plan(
    territory: Territory, scenario: Scenario, parameters: Parameters, question: Question,
    home: Territory | None = None, seconds: float = 1.0, seed: int = 0, watch: Watch | None = None,
    known: SitePlan | None = None,
) -> SitePlan:  # fmt: skip
    """The plan that answers a question, with its proven bound, after at most about `seconds` (a first answer is
    always given). Raises `PlanError` with every problem of the question.

    The objective is maximised under the model's own demand: a new hub takes users from its neighbours. Communes that
    the scenario says have refused are forbidden. Seeds repeat. known: a plan that answers the same; it is told again where the
    search finds no better. Once `watch` has said to stop, what would take long to measure is left out (`SitePlan.missing`).
    """
    started = time.perf_counter()
    check(question, territory)
    network = network_of(territory, scenario, parameters, home)
    stopped = never if watch is None else lambda: not watch(-np.inf, np.inf)
    more = _soon_after(stopped)
    setting = setting_of(network, question, stopped)
    first = first_answer(setting, 0.4 * seconds, seed, stopped)
    told = time.perf_counter()
    if known is not None and setting.value(first) <= setting.value(known.chosen) * (1.0 + NOTHING):
        first = known.chosen
    plan = _told(setting, first, known, seed, stopped, more)
    again = time.perf_counter() - told if question.objective == "people" else 0.0  # a covering may find a better set
    ends = max(started + seconds - again, time.perf_counter() + min(0.6, 0.6 * seconds))  # time to prove, always
    chosen, bound, proof = first, np.inf, ""
    if watch is None or watch(plan.value, np.inf):
        chosen, bound, proof = proven(setting, first, ends, seed, watch)
    if not np.array_equal(chosen, first):
        plan = _told(setting, chosen, plan, seed, stopped, more)
    return replace(
        plan, bound=max(bound, plan.value), proof=proof, seconds=time.perf_counter() - started,
    )  # fmt: skip


def completed(
    territory: Territory, parameters: Parameters, plan: SitePlan, home: Territory | None = None, seed: int = 0,
    watch: Watch | None = None,
) -> SitePlan:  # fmt: skip
    """The same sites with what a stop had left out (`SitePlan.missing`), unless `watch` says to stop again."""
    stopped = never if watch is None else lambda: not watch(-np.inf, np.inf)
    setting = setting_of(network_of(territory, plan.scenario, parameters, home), plan.question, stopped)
    found = _told(setting, plan.chosen, None, seed, stopped, _soon_after(stopped))
    return replace(found, bound=max(plan.bound, found.value), proof=plan.proof, seconds=plan.seconds)


def _soon_after(stopped: More) -> More:
    """True until some time after one has said to stop: what is quick to measure is measured all the same."""
    ends = np.inf

    def more() -> bool:
        nonlocal ends
        if np.isinf(ends) and stopped():
            ends = time.perf_counter() + GRACE_S
        return time.perf_counter() < ends

    return more


def _told(
    setting: Setting, chosen: np.ndarray, known: SitePlan | None, seed: int, stopped: More, more: More
) -> SitePlan:  # fmt: skip
    """The plan of a set, its bound still unknown: `known` where it is that of this set; what refusals cost is known from it."""
    if known is not None and not known.missing and np.array_equal(chosen, known.chosen):
        return known
    liking = None
    if setting.measured:
        haste = stopped() and not setting.problem.few  # even what to look at would take seconds to find
        liking, more = (np.zeros(chosen.size), never) if haste else (setting.liking, more)
    plan = report(setting.network, setting.problem, setting.question, chosen, setting.value, np.inf, "", liking, more)
    if known is not None and "refusals" not in known.missing:
        cost = max(0.0, known.refusals_cost - (plan.value - known.value)) if known.refusals_cost else 0.0
    else:
        cost = _refusals_cost(setting, plan.value, seed, stopped)
        if stopped() and _refused(setting).any():
            plan = replace(plan, missing=(*plan.missing, "refusals"))
    return replace(plan, scenario=setting.network.scenario, model_version=MODEL_VERSION, refusals_cost=cost)


def setting_of(network: Network, question: Question, stopped: More = never) -> Setting:
    """What the search and the proofs work on."""
    q = question
    base = _problem(network, q)
    if q.objective == "people":
        problem = replace(base, network=without_demand(network), rows=people_rows(network))
        return Setting(q, network, problem, False)
    if q.objective == "equity":
        return _equity(network, q, base, stopped)
    unit = in_unit(network, "hours" if q.objective == "score" else q.objective)
    problem = replace(base, network=unit)
    return Setting(q, network, problem, q.objective == "score" or q.desks > 0)


def _equity(network: Network, q: Question, base: Problem, stopped: More) -> Setting:
    """(1 - equity) * hours over the most hours + equity * nearness over the most nearness, each at its quick best."""
    hours = replace(base, network=in_unit(network, "hours"))
    near = replace(base, network=without_demand(network), rows=equity_rows(network))
    tops = [max(State(p, quick(p, 2.0, 0, 2, stopped)).exact(), 1e-9) for p in (hours, near)]
    first = replace(hours, network=scaled(hours.network, (1.0 - q.equity) / tops[0]))
    rows = scaled_rows(near.rows, max(q.equity, 1e-12) / tops[1])
    return Setting(q, network, replace(first, rows=rows), False)


def _problem(network: Network, q: Question) -> Problem:
    """Number, money, distances and codes of the question, with no objective yet."""
    territory, n = network.territory, network.n_sites
    existing = mask_of(territory, q.existing)
    fixed = existing | mask_of(territory, q.forced)
    forbidden = mask_of(territory, (*q.forbidden, *network.scenario.refused))
    if (both := fixed & ~existing & forbidden).any():
        codes = territory.zones["zone_code"].to_numpy(object)[territory.site_zone]
        raise PlanError(Refusal("plan_refused", "forced", given=", ".join(codes[both])))
    price, budget = np.zeros(n), np.inf
    if q.budget_eur:
        opening, yearly = measure.costs(measure.alone(network).hub_days, network.scenario, network.values)
        price, budget = np.where(existing, 0.0, opening + q.years * yearly), q.budget_eur
    start, near = _conflicts(territory, q.apart_min)
    rural = network.prepared.rural[territory.site_zone] | (not q.rural)
    allowed = ~forbidden & ~existing & rural
    for k in np.flatnonzero(fixed):
        others = near[start[k] : start[k + 1]]
        if fixed[others].any() and not existing[k]:
            raise PlanError(Refusal("plan_close", "forced", given=", ".join(q.forced), minutes=float(q.apart_min)))
        allowed[others] = False
    most = q.sites or int((allowed | fixed & ~existing).sum())
    if np.isfinite(budget):
        affordable = int(np.searchsorted(np.cumsum(np.sort(price[allowed | fixed & ~existing])), budget, side="right"))
        most = min(most, affordable)
        if float(price[fixed].sum()) > budget:
            cost, limit = f"{price[fixed].sum():.0f}", f"{budget:.0f}"
            raise PlanError(Refusal("plan_cost", "budget", cost=cost, budget=limit))
    return Problem(network, no_rows(network), allowed | fixed, fixed, existing, most, price, budget, start, near)


def _conflicts(territory: Territory, apart_min: float) -> tuple[np.ndarray, np.ndarray]:
    """By site, the other sites within `apart_min` minutes of it, either way (the access table reaches 30 minutes)."""
    n = territory.site_zone.size
    if apart_min <= 0.0:
        return np.zeros(n + 1, dtype=np.int64), np.zeros(0, dtype=np.int32)
    if apart_min > ACCESS_TABLE_MAX_MIN:
        raise PlanError(Refusal("between", "apart", low=0, high=float(ACCESS_TABLE_MAX_MIN), given=f"{apart_min:g}"))
    site_of = np.full(len(territory.zones), -1)
    site_of[territory.site_zone] = np.arange(n)
    one = np.repeat(np.arange(n), np.diff(territory.access_start))
    two = site_of[territory.access_zone]
    keep = (territory.access_drive_min <= apart_min) & (two >= 0) & (one != two)
    pairs = np.unique(
        np.concatenate([np.stack([one[keep], two[keep]]), np.stack([two[keep], one[keep]])], axis=1), axis=1
    )
    start = np.concatenate([[0], np.cumsum(np.bincount(pairs[0], minlength=n))]).astype(np.int64)
    return start, pairs[1].astype(np.int32)


def first_answer(setting: Setting, seconds: float, seed: int, stopped: More = never) -> np.ndarray:
    """The quick search; for objectives that must be measured site by site, followed by exchanges so measured, from what
    it found and from the sites that can be worth most side by side (with desks: those whose days are worth most)."""
    chosen = quick(setting.problem, max(seconds, 0.05), seed, stopped=stopped)
    if not setting.measured or stopped():
        return chosen
    more = until(time.perf_counter() + seconds, stopped)
    starts = sorted((chosen, _of_most(setting, stopped)), key=setting.value, reverse=True)
    return max((_exchanged(setting, start, more) for start in starts), key=setting.value)


def _of_most(setting: Setting, stopped: More) -> np.ndarray:
    """As many sites as the question allows, each the one that can be worth most beside those before it; a ceiling is looked
    at again only when its site comes to the top (they rarely rise)."""
    problem = setting.problem
    state = State(problem, problem.fixed)
    free = np.flatnonzero(state.may_open())
    heap = []
    for part in np.array_split(free, 1 + free.size // _AT_ONCE):
        if stopped():
            return state.chosen
        heap += [(-most, int(k), 0) for most, k in zip(setting.ceilings(part, problem.fixed), part, strict=True)]
    heapq.heapify(heap)
    left, money, step = state.new_left(), state.money_left(), 0
    while heap and left > 0 and not stopped():
        negative, k, when = heapq.heappop(heap)
        if problem.price[k] > money or state.chosen[problem.conflicts(k)].any():
            continue
        if when < step:
            negative = -float(setting.ceilings(np.array([k]), state.chosen)[0])
            heapq.heappush(heap, (negative, k, step))
            continue
        if negative >= 0.0:
            break
        state.turn(k, True)
        left, money, step = left - 1, money - float(problem.price[k]), step + 1
    return state.chosen


def _exchanged(setting: Setting, chosen: np.ndarray, more: More) -> np.ndarray:
    """Open sites that look best for the measured objective, or exchange others for them, while it rises."""
    problem = setting.problem
    value, state = setting.value(chosen), State(problem, chosen)
    better = True
    while better and more():
        better = False
        for k in (-1, *np.flatnonzero(state.chosen & ~problem.fixed)):  # -1: none is closed
            if k >= 0:
                state.turn(int(k), False)
            opened = _opened(setting, state, value) if state.new_left() else (-1, value)
            if opened[0] >= 0:
                better, value = True, opened[1]
            if (last := opened[0] if opened[0] >= 0 else int(k)) >= 0:
                state.turn(last, True)
            if not more():
                break
    return state.chosen


def _opened(setting: Setting, state: State, value: float) -> tuple[int, float]:
    """The first of the best liked sites with which the set of `state` is worth more than `value`, and its worth; -1: none."""
    free = np.flatnonzero(state.may_open() & (setting.problem.price <= state.money_left()))
    for j in largest(free, setting.liking, _LOOKED_AT):
        other = state.chosen.copy()
        other[j] = True
        if (found := setting.value(other)) > value * (1.0 + NOTHING):
            return int(j), found
    return -1, value


def proven(
    setting: Setting, chosen: np.ndarray, ends: float, seed: int, watch: Watch | None
) -> tuple[np.ndarray, float, str]:
    """The best set known, a bound on every set, and how the bound was found."""
    value = setting.value(chosen)
    if setting.measured:
        return _measured_bound(setting, chosen, value, ends, watch)
    problem = setting.problem
    if setting.question.objective == "people":
        return _covering_bound(problem, chosen, value, ends, seed, watch)
    bound, proof = np.inf, "demand"
    by_site = not problem.rows.row.size and problem.few
    now = time.perf_counter()
    for found in _demand_bounds(problem, chosen, value, now + (PRICES_SHARE if by_site else 1.0) * (ends - now)):
        bound = min(bound, found)
        if watch is not None and not watch(value, bound):
            return chosen, max(bound, value), proof
    if by_site and bound - value > PROVEN * abs(value):
        tree = Tree(problem, setting.ceilings, setting.worths, chosen, value)
        for found in tree.bounds(ends):
            if found < bound:
                bound, proof = found, BRANCHES
            if watch is not None and not watch(tree.value, bound):
                break
        chosen, value = tree.chosen, tree.value
    return chosen, max(bound, value), proof


def _demand_bounds(problem: Problem, chosen: np.ndarray, value: float, ends: float) -> Iterator[float]:
    """Tighter and tighter bounds: first the concave function (it knows no rows), then prices."""
    left = problem.allowed | problem.fixed
    if not problem.rows.row.size:
        now = time.perf_counter()
        for bound, possible in demand_bound(
            problem, chosen, value, now + (0.3 if problem.few else 0.05) * (ends - now)
        ):
            left = possible
            yield bound
            if bound <= value * (1.0 + NOTHING):
                return
    prices = Subsets if problem.few else Stretches
    yield from prices(problem, chosen, left).bounds(value, ends)


def _framed(rows: Rows, problem: Problem) -> Rows:
    return replace(rows, fixed=problem.fixed, allowed=problem.allowed | problem.fixed)


def _covering_bound(
    problem: Problem, chosen: np.ndarray, value: float, ends: float, seed: int, watch: Watch | None
) -> tuple[np.ndarray, float, str]:
    """People: the covering is solved exactly where number alone limits it, and where the model with a budget or distances is
    small; beyond, prices bound it, and with a distance the covering without it too."""
    plain = not np.isfinite(problem.budget) and not problem.conflict_site.size
    bound = np.inf
    if not plain and problem.few:
        left, stopped = ends - time.perf_counter(), lambda: watch is not None and not watch(value, bound)
        chosen, value, bound = constrained_covering(problem, chosen, value, left, stopped)
        return chosen, bound, "covering"
    if not plain:
        now = time.perf_counter()
        share = 1.0 if np.isfinite(problem.budget) else 0.5
        for found_bound in _demand_bounds(problem, chosen, value, now + share * (ends - now)):
            bound = min(bound, found_bound)
            if watch is not None and not watch(value, bound):
                return chosen, max(bound, value), "covering"
        if np.isfinite(problem.budget) or bound <= value * (1.0 + NOTHING):
            return chosen, max(bound, value), "covering"
    p = min(problem.most_new, int((problem.allowed | problem.fixed).sum())) + int(problem.existing.sum())
    padded = _padded(problem, chosen, p)
    found = Found(padded, State(problem, padded).exact() if plain else value, np.inf)
    left, stopped = ends - time.perf_counter(), lambda: watch is not None and not watch(value, bound)
    for step in improved_covering(_framed(problem.rows, problem), p, found, left, seed, stopped):
        bound = min(bound, max(step.bound, step.value))
        if plain and step.value > value * (1.0 + NOTHING):
            chosen, value = step.chosen.copy(), step.value
        if watch is not None and not watch(value, bound):
            break
    return chosen, max(bound, value), "covering"


def _padded(problem: Problem, chosen: np.ndarray, p: int) -> np.ndarray:
    """The set filled up to p sites: the covering model opens exactly p."""
    free = np.flatnonzero(problem.allowed & ~chosen)
    full = chosen.copy()
    full[free[: max(0, p - int(chosen.sum()))]] = True
    return full


def _measured_bound(
    setting: Setting, chosen: np.ndarray, value: float, ends: float, watch: Watch | None
) -> tuple[np.ndarray, float, str]:
    """Score, or desks that run out: site by site, then with the neighbours; with desks, the plan as a whole too."""
    desks = setting.question.objective != "score"
    now = time.perf_counter()
    tree = Tree(setting.problem, setting.ceilings, setting.worths, chosen, value)
    bound = first = tree.bound
    for bound in tree.bounds(now + 0.5 * (ends - now) if desks else ends):
        if watch is not None and not watch(tree.value, bound):
            break
    proof = BY_SITE if bound > tree.value and bound > first * (1.0 - NOTHING) else BRANCHES
    if not desks or bound <= tree.value * (1.0 + NOTHING) or (watch is not None and not watch(tree.value, bound)):
        return tree.chosen, bound, proof
    for turn, share in enumerate(TOLL_SHARES):
        now = time.perf_counter()
        until_then = now + (ends - now) / (len(TOLL_SHARES) - turn)
        for found in _demand_bounds(setting.desks.tolled(share), tree.chosen, tree.value, until_then):
            if found < bound:
                bound, proof = found, "demand"
            if watch is not None and not watch(tree.value, bound):
                return tree.chosen, max(bound, tree.value), proof
    return tree.chosen, max(bound, tree.value), proof


def _refused(setting: Setting) -> np.ndarray:
    """Sites that are forbidden or have refused."""
    return mask_of(setting.network.territory, (*setting.question.forbidden, *setting.network.scenario.refused))


def _refusals_cost(setting: Setting, value: float, seed: int, stopped: More) -> float:
    """What the sites that are forbidden or have refused cost: the quick answer to the same question without refusals, less
    the plan. A refusal that the other constraints make idle (not rural, too near a forced site) costs nothing."""
    problem, network = setting.problem, setting.network
    if not _refused(setting).any() or stopped():
        return 0.0
    willing = replace(network, scenario=network.scenario.with_values(refused=()))
    free = _problem(willing, replace(setting.question, forbidden=()))
    if np.array_equal(free.allowed, problem.allowed):
        return 0.0
    other = replace(setting, problem=replace(problem, allowed=free.allowed, most_new=free.most_new))
    chosen = first_answer(other, 0.4, seed, stopped)
    return max(0.0, other.value(chosen) - value)
