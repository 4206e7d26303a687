"""A plan over the futures: at the reference it says what the page says; one hub is that site; same draws, same figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coopconnect.parameters import Parameters
from coopconnect.question import Question
from coopconnect.scenario import Scenario
from coopconnect.siting.measure import RESULT_OF
from coopconnect.siting.plan import site_plan
from coopconnect.siting.types import SitePlan
from coopconnect.territory.types import Territory
from coopconnect.uncertainty.bands import site_bands
from coopconnect.uncertainty.engine import Setup
from coopconnect.uncertainty.laws import laws_of
from coopconnect.uncertainty.plan_futures import (
    SITE_FIGURES,
    case_of,
    codes_of,
    plan_figure_rows,
    plan_figures,
    plan_futures,
    reference_row,
)
from coopconnect.uncertainty.plans import Candidate, plan_worths
from coopconnect.uncertainty.run import Ensemble, run

DRAWS = 40


@pytest.fixture(scope="module")
def ensemble(small: Territory, reference: Scenario, parameters: Parameters) -> Ensemble:
    return run(Setup(small, small, reference, parameters, laws_of(reference, parameters)), DRAWS, 5, workers=1)


def _plan(setup: Setup, **asked: object) -> SitePlan:
    question = Question(**{"sites": 3, "rural": False, **asked})  # type: ignore[arg-type]
    return site_plan(setup.territory, setup.scenario, setup.parameters, question, seconds=0.3)


@pytest.mark.parametrize("objective", [*RESULT_OF, "people", "equity"])
def test_at_the_reference_it_says_what_the_plan_says(ensemble: Ensemble, objective: str) -> None:
    """Every figure of the plan, hubs that exist and desks included, from the row at which nothing is drawn."""
    setup = ensemble.setup
    first, second = codes_of(setup)[[4, 9]]
    plan = _plan(setup, objective=objective, existing=(first,), forced=(second,), desks=6)
    case = case_of(plan, setup)
    found = plan_figures(setup, reference_row(setup), case)
    n = len(case.rows)
    for name, values in zip(SITE_FIGURES, found[: n * len(SITE_FIGURES)].reshape(-1, n), strict=True):
        if hasattr(plan.sites[0], name):
            assert values == pytest.approx([getattr(s, name) for s in plan.sites], rel=1e-9), name
    said = plan_futures(plan, setup, found[None])
    assert said is not None
    for name, value in said.total.items():
        assert value.low == pytest.approx(value.high, rel=1e-9), name  # one future, the reference: no width
        assert value.value == plan.totals.get(name, value.value)
    if objective not in RESULT_OF:
        assert said.worth is None and not said.curve and said.gained is None
        return
    worths = found[(n + 1) * len(SITE_FIGURES) :]
    assert worths[: len(plan.curve)] == pytest.approx([worth for _, worth in plan.curve], rel=1e-9)
    assert worths[len(case.new)] == pytest.approx(plan.value, rel=1e-9)
    assert said.worth is not None and said.kept is not None and said.gained is not None
    for of in (*said.curve, *said.gains, *said.lost, *said.substituted, *(loss for loss, _ in said.alternatives)):
        assert of is None or of.low == pytest.approx(of.high, rel=1e-7, abs=1e-7 * abs(plan.value))
    assert [gain is None for gain in said.gains] == [site.existing for site in plan.sites]


def test_one_hub_has_the_quantiles_of_its_site(ensemble: Ensemble) -> None:
    setup = ensemble.setup
    plan = _plan(setup, sites=1)
    site, row = plan.sites[0], plan.sites[0].row
    rows = plan_figure_rows(case_of(plan, setup), setup, ensemble.values)
    said = plan_futures(plan, setup, rows)
    assert said is not None and said.draws == int(ensemble.usable.sum())
    bands = site_bands(ensemble)
    for name in ("users", "hours_per_year", "eur_per_year", "kg_co2e_per_year", "desks", "score"):
        low, high = bands[name][0][row], bands[name][1][row]
        assert said.sites[0][name].low == pytest.approx(min(low, getattr(site, name)), rel=1e-4), name
        assert said.sites[0][name].high == pytest.approx(max(high, getattr(site, name)), rel=1e-4), name
    assert said.worth is not None and said.worth.low == pytest.approx(said.sites[0]["hours_per_year"].low, rel=1e-9)


def test_a_plan_that_opens_nothing_has_futures_too(
    small: Territory, reference: Scenario, parameters: Parameters
) -> None:
    """Without a day of remote work no hub keeps an hour: none opens, and each future says so."""
    none = reference.with_values(telework_days_per_week=0.0)
    setup = Setup(small, small, none, parameters, laws_of(none, parameters))
    plan = _plan(setup)
    assert plan.sites == ()
    case = case_of(plan, setup)
    found = plan_futures(plan, setup, plan_figure_rows(case, setup, np.stack([reference_row(setup)] * 2)))
    assert found is not None and found.draws == 2 and found.sites == () and found.p_gains == 0.0
    assert found.worth is not None and found.worth.high == 0.0


def test_what_the_new_ones_add_is_counted_future_by_future(ensemble: Ensemble) -> None:
    """Against `plan_worths` of the regret, and by subtracting the hub that exists within each future."""
    setup = ensemble.setup
    plan = _plan(setup, existing=(codes_of(setup)[4],), budget_eur=400_000.0)
    case = case_of(plan, setup)
    rows = plan_figure_rows(case, setup, ensemble.values)
    said = plan_futures(plan, setup, rows)
    assert said is not None and said.gained is not None and said.p_over is not None
    net = np.array(
        [plan_worths(setup, row, (Candidate("", case.new, 0, case.existing),))[0] for row in ensemble.values]
    )
    low, high = np.quantile(net, (0.05, 0.95))
    added = said.added["net_benefit_eur_per_year"]
    assert (added.low, added.high) == pytest.approx((min(low, added.value), max(high, added.value)))
    assert said.p_gains == (net > 0.0).mean()
    alone = replace(case, new=(), further=(), swaps=())
    kept = plan_figure_rows(alone, setup, ensemble.values)[:, -1]
    worth = rows[:, (len(case.rows) + 1) * len(SITE_FIGURES) + len(case.new)]
    low, high = np.quantile(worth - kept, (0.05, 0.95))
    assert said.gained.low == pytest.approx(min(low, said.gained.value))
    assert said.gained.high == pytest.approx(max(high, said.gained.value))
    assert said.gained.value == pytest.approx(said.added["hours_per_year"].value)
    assert (plan_figure_rows(case, setup, ensemble.values) == rows).all()  # the same futures, to the bit


def test_futures_without_a_solution_are_left_out(ensemble: Ensemble) -> None:
    setup = ensemble.setup
    plan = _plan(setup, sites=2)
    case = case_of(plan, setup)
    rows = plan_figure_rows(case, setup, ensemble.values[:3])
    rows[1] = np.nan
    said = plan_futures(plan, setup, rows)
    assert said is not None and said.draws == 2
    assert plan_futures(plan, setup, np.full_like(rows, np.nan)) is None
