"""Plans of several sites in the futures drawn: what each is worth in each, and what is regretted of it.

Unlike the figures by site, which open one hub at a time, a plan opens all its hubs: they share the commuters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from coopconnect.model.runs import Surroundings
from coopconnect.scenario import parameter_values
from coopconnect.siting import measure
from coopconnect.siting.network import Network, network_with
from coopconnect.uncertainty.drivers import Driver
from coopconnect.uncertainty.engine import Setup, drawn_calibration, drawn_scenario, net_benefit_eur
from coopconnect.uncertainty.results import plan_regret
from coopconnect.uncertainty.run import Gathered

if TYPE_CHECKING:
    from coopconnect.uncertainty.plan_futures import PlanFutures


@dataclass(frozen=True)
class Candidate:
    """A set of sites to compare. rows: of the sites of the territory that would open; desks: the most at one site, 0
    for any number; existing: rows of hubs that stand whatever is decided, also where nothing opens."""

    name: str
    rows: tuple[int, ...]
    desks: int = 0
    existing: tuple[int, ...] = ()


@dataclass(frozen=True)
class CandidateFutures:
    """What the futures say of a plan, in euros a year of net benefit.

    worth: mean; p_gains: share of the futures in which it is above 0; p_best: in which no other plan does better;
    regret: mean, 95 % and largest of what is lost against the best plan of each future.
    """

    name: str
    sites: int
    worth_eur: float
    p_gains: float
    p_best: float
    regret_eur: float
    regret_p95_eur: float
    regret_worst_eur: float


def network_in(setup: Setup, row: np.ndarray) -> tuple[Network, Surroundings] | None:
    """The network of one future, its choice calibrated again, and what is around its sites; None where the draw has no
    solution."""
    scenario, drawn = drawn_scenario(setup, row)
    calibration = drawn_calibration(setup, scenario, drawn)
    if calibration is None:
        return None
    values = {**parameter_values(scenario, setup.parameters), **drawn}
    prepared = setup.reach(scenario.access_max_min)
    network = network_with(setup.territory, prepared, scenario, values, calibration)
    return network, measure.around_of(network)


def figures_of(network: Network, around: Surroundings, rows: tuple[int, ...], desks: int) -> dict[str, np.ndarray]:
    """Yearly figures of the sites of `rows`, in that order, the demand shared among them (`measure.results`)."""
    chosen = np.zeros(network.n_sites, dtype=bool)
    chosen[list(rows)] = True
    return measure.results(network, around, np.array(rows, dtype=np.int64), network.zone_sums(chosen), desks)[0]


def plan_worths(setup: Setup, row: np.ndarray, plans: tuple[Candidate, ...]) -> np.ndarray:
    """Net benefit a year of each plan in one future, (plans,), euros; NaN where the draw has no solution.

    Sum over the open sites of euros + hours * value of time + tonnes * value of carbon - yearly cost, the demand
    shared among them, less the same sum for the existing hubs alone: what opening adds to them, their users who move
    counted once. A plan that opens nothing is worth 0.
    """
    future = network_in(setup, row)
    if future is None:
        return np.full(len(plans), np.nan)
    network, around = future

    @cache
    def of_set(rows: tuple[int, ...], desks: int) -> float:
        if not rows:
            return 0.0
        return float(net_benefit_eur(figures_of(network, around, rows, desks)).sum())

    return np.array([
        of_set((*p.existing, *p.rows), p.desks) - of_set(p.existing, p.desks) if p.rows else 0.0 for p in plans
    ])  # fmt: skip


def plan_rows(plans: tuple[Candidate, ...], setup: Setup, rows: np.ndarray) -> np.ndarray:
    """`plan_worths` of each row of a design, (rows, plans)."""
    return np.stack([plan_worths(setup, row, plans) for row in rows])


def compared(plans: tuple[Candidate, ...], worth: np.ndarray) -> tuple[CandidateFutures, ...]:
    """What the futures say of each plan, from `plan_worths` of each; futures without a solution are left out."""
    worth = worth[np.isfinite(worth).all(axis=1)]
    if not worth.size:
        return ()
    regret = plan_regret(worth)
    best = worth >= worth.max(axis=1)[:, None]
    return tuple(
        CandidateFutures(
            plan.name, len(plan.rows), float(worth[:, k].mean()), float((worth[:, k] > 0.0).mean()),
            float(best[:, k].mean()), *(float(r) for r in regret[:, k]),
        )
        for k, plan in enumerate(plans)
    )  # fmt: skip


@dataclass(frozen=True)
class Further:
    """What further runs say beside an ensemble, where they were asked.

    sobol: drivers of the margin of the site `code` with total indices, from `runs` runs; plans: what is regretted of each.
    households: what is told of the households of the rural sites in each draw, as `cases.group_rows` has it. network: the
    plan of Réseau over the draws.
    """

    code: str = ""
    sobol: tuple[Driver, ...] = ()
    runs: int = 0
    plans: tuple[CandidateFutures, ...] = ()
    households: Gathered | None = field(default=None, compare=False, repr=False)
    network: PlanFutures | None = field(default=None, compare=False, repr=False)
