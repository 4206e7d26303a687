"""The breakdown of a difference by lever: it adds up, it is fair, and it is the engine's own figures."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from coopconnect.model.assessment import assess
from coopconnect.model.attribution import (
    OUTCOMES,
    SITE,
    as_table,
    attribute,
    central,
    differing,
    mixed,
    most_exact,
    runs_needed,
)
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.territory.types import Territory


@pytest.fixture(scope="module")
def other(reference: Scenario) -> Scenario:
    return reference.with_values(
        fuel_price_eur_per_l=2.6, telework_days_per_week=3.0, council_contribution_eur_per_year=9000.0,
        weight_time=40.0, weight_money=0.0, changed=(("rebound_share", 0.4),),
    )  # fmt: skip


def test_central_results_are_those_of_the_assessment(small: Territory, parameters: Parameters, other: Scenario) -> None:
    scenario = other.with_values(refused=("10003",))
    whole, quick = assess(small, scenario, parameters), central(small, scenario, parameters)
    for name in OUTCOMES:
        assert quick.totals[name] == pytest.approx(whole.totals[name].value), name
    assert quick.outcome(SITE, "10004") == pytest.approx(float(whole.sites["score"].iloc[4]))
    assert np.isnan(quick.outcome(SITE, "nowhere"))


def test_what_differs_is_named_once_and_in_one_order(reference: Scenario, other: Scenario) -> None:
    keys = (
        "fuel_price_eur_per_l",
        "telework_days_per_week",
        "council_contribution_eur_per_year",
        "weights",
        "rebound_share",
    )
    assert differing(reference, other) == differing(other, reference) == keys
    assert differing(other, other) == ()
    assert mixed(reference, other, keys) == other
    assert mixed(other, reference, keys) == reference
    assert mixed(reference, other, ()) == reference
    refused = reference.with_values(refused=("10003",), hosts=(("fs-7", "refused"),))
    assert differing(reference, refused) == ("hosts",)


@pytest.mark.parametrize("name", [*OUTCOMES, SITE])
def test_shares_sum_to_the_difference(
    small: Territory, parameters: Parameters, reference: Scenario, other: Scenario, name: str
) -> None:
    told: list[tuple[int, int]] = []
    found = attribute(
        reference, other, lambda s: central(small, s, parameters).outcome(name, "10004"),
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert found.exact
    assert found.effects.sum() == pytest.approx(found.after - found.before, abs=1e-9)
    assert found.interaction == pytest.approx(found.after - found.before - found.alone.sum())
    assert told[-1] == (32, 32)
    assert len(told) == runs_needed(found.keys) == 32


def test_shares_are_the_mean_over_all_orders(reference: Scenario, other: Scenario) -> None:
    """Against brute force: every order of five levers walked through, on a figure where levers act on one another."""

    def figure(s: Scenario) -> float:
        extra = dict(s.changed).get("rebound_share", 0.1)
        return s.fuel_price_eur_per_l * s.telework_days_per_week * (1.0 - extra) + s.weight_time**0.5

    found = attribute(reference, other, figure)
    sums = dict.fromkeys(found.keys, 0.0)
    orders = list(itertools.permutations(found.keys))
    for order in orders:
        for k, key in enumerate(order):
            sums[key] += figure(mixed(reference, other, order[: k + 1])) - figure(mixed(reference, other, order[:k]))
    for key, effect in zip(found.keys, found.effects, strict=True):
        assert effect == pytest.approx(sums[key] / len(orders)), key
    council = found.effects[found.keys.index("council_contribution_eur_per_year")]
    assert council == 0.0  # a lever without effect gets nothing
    assert as_table(found)["effect"].abs().is_monotonic_decreasing


def test_there_and_back_are_opposite(reference: Scenario, other: Scenario) -> None:
    def figure(s: Scenario) -> float:
        return s.fuel_price_eur_per_l * s.telework_days_per_week + s.weight_time

    there, back = attribute(reference, other, figure), attribute(other, reference, figure)
    assert there.effects == pytest.approx(-back.effects)


def test_many_levers_are_walked_both_ways(reference: Scenario, other: Scenario) -> None:
    def figure(s: Scenario) -> float:
        return s.fuel_price_eur_per_l * s.telework_days_per_week + s.weight_time

    found = attribute(reference, other, figure, most=2)
    assert not found.exact
    assert found.effects.sum() == pytest.approx(found.after - found.before)
    fuel, days = other.fuel_price_eur_per_l, other.telework_days_per_week
    was_fuel, was_days = reference.fuel_price_eur_per_l, reference.telework_days_per_week
    assert found.effects[0] == pytest.approx((fuel - was_fuel) * (days + was_days) / 2)
    assert found.effects[0] != pytest.approx(found.alone[0])


def test_alike_scenarios_have_nothing_to_break_down(reference: Scenario) -> None:
    found = attribute(reference, reference, lambda s: s.fuel_price_eur_per_l)
    assert found.keys == ()
    assert found.before == found.after
    assert found.interaction == 0.0


def test_two_territories_are_not_broken_down(reference: Scenario) -> None:
    with pytest.raises(ValueError, match="same territory"):
        attribute(reference, reference.with_values(territory="d84"), lambda s: 0.0)


def test_a_large_territory_takes_fewer_runs() -> None:
    assert most_exact(946) > most_exact(35_000)
    assert runs_needed(tuple("abcde"), most_exact(35_000)) < runs_needed(tuple("abcde"))
