"""Two assessments side by side."""

from __future__ import annotations

import pytest

from coopconnect.model.assessment import assess
from coopconnect.model.compare import compare
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.territory.types import Territory


def test_an_assessment_does_not_differ_from_itself(
    small: Territory, parameters: Parameters, reference: Scenario
) -> None:
    result = assess(small, reference, parameters)
    found = compare(result, result)
    assert (found.gained, found.lost) == (0, 0)
    assert found.top_kept == found.top
    assert found.rank_correlation == pytest.approx(1.0)
    assert all(before == after for before, after in found.totals.values())
    assert found.sites["rural"].all() and found.same


def test_what_is_gained_one_way_is_lost_the_other(
    small: Territory, parameters: Parameters, reference: Scenario
) -> None:
    cheap = assess(small, reference, parameters)
    dear = assess(small, reference.with_values(council_contribution_eur_per_year=20000.0), parameters)
    there, back = compare(cheap, dear, rural_only=False), compare(dear, cheap, rural_only=False)
    assert (there.gained, there.lost) == (back.lost, back.gained) and not there.same
    assert len(there.sites) == len(cheap.sites)
    movers = there.movers(5)
    moved = (movers["score_after"] - movers["score_before"]).abs()
    assert moved.is_monotonic_decreasing


def test_a_commune_that_has_refused_has_no_place(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    before = assess(small, reference, parameters)
    best = str(before.sites.loc[before.sites["rank"] == 1, "zone_code"].iloc[0])
    after = assess(small, reference.with_values(refused=(best,)), parameters)
    found = compare(before, after, rural_only=False)
    lost = found.sites.set_index("zone_code").loc[best]
    assert (lost["rank_before"], lost["rank_after"]) == (1, len(found.sites))
    assert lost["available_before"] and not lost["available_after"]
    second = found.sites.loc[found.sites["rank_before"] == 2].iloc[0]
    assert second["rank_after"] == 1 and found.climber()["zone_code"] == second["zone_code"]
    assert best not in set(compare(after, after, top=len(found.sites), rural_only=False).leaders()["zone_code"])
