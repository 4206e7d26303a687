"""The sheet of one site: score taken apart, break-even, premises, refusal, telepresence, hubs that exist nearby."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from fixtures_assessment import synthetic_assessment

from coopconnect.model import site_sheet as sheet
from coopconnect.model.assessment import around_site, assess
from coopconnect.model.calibration import calibration_for
from coopconnect.model.choice import day_costs, hub_days_per_user, odds, within_reach
from coopconnect.model.types import Assessment
from coopconnect.model.viability import annuity, break_even_users
from coopconnect.parameters import Parameters
from coopconnect.scenario import COMPONENTS, Scenario, parameter_values
from coopconnect.territory.hosts import existing_nearby, host_agreed
from coopconnect.territory.types import Territory


@pytest.fixture(scope="module")
def assessed(small: Territory, reference: Scenario, parameters: Parameters) -> Assessment:
    return assess(small, reference, parameters)


@pytest.fixture(scope="module")
def code(assessed: Assessment) -> str:
    """The site with most users."""
    return str(assessed.sites.loc[assessed.sites["users"].idxmax(), "zone_code"])


def row(**changes: object) -> pd.Series:
    """A site whose figures are round, with ranges of 10 % either way."""
    ranged = {
        "users": 10.0, "viability": 1.2, "hours_per_year": 100.0, "yearly_cost_eur": 20_000.0, "score": 41.0,
        "component_viability": 80.0, "component_time": 30.0, "component_money": 20.0, "component_co2": 10.0,
        "component_resilience": 60.0,
    }  # fmt: skip
    found: dict[str, object] = {"available": True, "red_flag": False}
    for name, value in {**ranged, **{k: v for k, v in changes.items() if k in ranged}}.items():
        found |= {name: value, f"{name}_low": 0.9 * float(str(value)), f"{name}_high": 1.1 * float(str(value))}
    return pd.Series({**found, **{k: v for k, v in changes.items() if k not in ranged}})


def test_waterfall_by_hand(reference: Scenario) -> None:
    parts = sheet.waterfall(row(), reference)  # weights 25, 20, 20, 20, 15
    assert [p.component for p in parts] == list(COMPONENTS)
    assert [p.points.value for p in parts] == pytest.approx([20.0, 6.0, 4.0, 2.0, 9.0])
    assert parts[0].points.low == pytest.approx(18.0)
    assert sum(p.most for p in parts) == pytest.approx(100.0)


def test_waterfall_sums_to_the_score_of_every_site(assessed: Assessment, reference: Scenario) -> None:
    for _, site in assessed.sites.iterrows():
        parts = sheet.waterfall(site, reference)
        assert sum(p.points.value for p in parts) == pytest.approx(float(site["score"]))
        assert all(p.points.low <= p.points.value <= p.points.high for p in parts)


def test_standing_counts_ties_and_neighbours() -> None:
    found = synthetic_assessment(12)
    ranked = found.sites[found.sites["rank"] > 0].sort_values("rank")
    codes = ranked["zone_code"].tolist()
    first, second = sheet.standing(found, codes[0]), sheet.standing(found, codes[1])
    assert (first.rank, first.before, first.after, first.sites) == (1, "", codes[1], 10)
    assert second.before == codes[0]
    assert first.tied_with == int((ranked["tie_group"] == 1).sum()) - 1
    refused = sheet.standing(found, found.scenario.refused[0])
    assert (refused.rank, refused.tied_with, refused.before, refused.after) == (0, 0, "", "")
    with pytest.raises(KeyError, match="99999"):
        sheet.standing(found, "99999")


@pytest.mark.parametrize(
    ("changes", "level", "weak"),
    [
        ({}, "yes", ()),
        ({"users": 8.5}, "fragile", ("users_low",)),
        ({"viability": 1.05}, "fragile", ("viability_low",)),
        ({"users": 6.0, "viability": 0.7}, "no", ("users", "viability")),
        ({"red_flag": True, "viability": 0.7}, "no", ("adds_driving", "viability")),
        ({"available": False}, "no", ("refused",)),
    ],
)
def test_verdict_says_the_weak_point_first(changes: dict[str, object], level: str, weak: tuple[str, ...]) -> None:
    found = sheet.verdict(row(**changes), core_users=8.0)
    assert (found.level, found.weak) == (level, weak)
    missing = 6_000.0 if changes.get("viability") == 0.7 else 0.0
    assert found.missing_eur_per_year == pytest.approx(missing)


def test_break_even_by_hand(assessed: Assessment, reference: Scenario, parameters: Parameters, code: str) -> None:
    """15,000 a year and 20,000 over 15 years at 4 % less 10,000 given leave 6,799: 850 days at 8, 9.7 users of 87.4."""
    found = sheet.break_even_by_users(assessed.site(code), reference, parameters)  # type: ignore[arg-type]
    assert found.crossing == 10.0
    at_ten = found.table.loc[found.table["value"] == 10.0].iloc[0]
    assert at_ten["income_eur"] == pytest.approx(10 * 46 * 1.9 * 8 + 10_000)
    assert at_ten["cost_eur"] == pytest.approx(15_000 + annuity(20_000, 0.04, 15))
    assert at_ten["desks"] == 7.0  # a mean of 3.8 a day: P(Poisson <= 7) = 0.96, P(<= 6) = 0.91


@pytest.mark.parametrize(
    "changes", [{}, {"day_price_eur": 15.0}, {"premises": "own"}, {"council_contribution_eur_per_year": 20_000.0}]
)
def test_break_even_is_that_of_the_model(
    small: Territory, reference: Scenario, parameters: Parameters, code: str, changes: dict[str, object]
) -> None:
    scenario = reference.with_values(**changes)
    site = sheet.site_alone(small, scenario, parameters, code)
    found = sheet.break_even_by_users(site, scenario, parameters)
    table = found.table
    values = parameter_values(scenario, parameters)
    assert found.crossing == break_even_users(hub_days_per_user(scenario, values), scenario, values)
    enough = table["value"][table["income_eur"] >= table["cost_eur"]]
    assert (float(enough.iloc[0]) if len(enough) else math.inf) == found.crossing
    assert (np.diff(table["desks"]) >= 0).all()
    assert float(table["value"].iloc[-1]) >= found.now.high


def test_price_curve_holds_the_scenario_and_loses_users(
    small: Territory, reference: Scenario, parameters: Parameters, code: str
) -> None:
    scenario = reference.with_values(day_price_eur=9.0)
    found = sheet.break_even_by_price(small, scenario, parameters, code)
    assert (np.diff(found.table["users"]) < 0).all()
    site = sheet.site_alone(small, scenario, parameters, code)
    now = found.table.loc[found.table["value"] == 9.0].iloc[0]
    assert now["users"] == pytest.approx(float(site["users"]))
    assert now["income_eur"] / now["cost_eur"] == pytest.approx(float(site["viability"]))
    below = found.table[found.table["value"] < found.crossing]
    assert (below["income_eur"] < below["cost_eur"]).all()


def test_a_site_alone_has_the_figures_of_the_whole_run(
    small: Territory, assessed: Assessment, reference: Scenario, parameters: Parameters, code: str
) -> None:
    alone, whole = sheet.site_alone(small, reference, parameters, code), assessed.site(code)
    assert whole is not None
    for name in ("score", "users_low", "users_high", "viability_low", "viability_high", "hours_per_year", "desks"):
        assert alone[name] == pytest.approx(whole[name], rel=1e-5), name


def test_a_shared_room_is_never_dearer(small: Territory, reference: Scenario, parameters: Parameters) -> None:
    for site_code in small.zones["zone_code"].iloc[:8]:
        found = sheet.premises_comparison(small, reference, parameters, site_code)
        shared, own = found.shared, found.own
        assert shared.cost_eur.value < own.cost_eur.value
        assert found.saving_eur_per_year == pytest.approx(own.balance_eur_per_year * -1 + shared.balance_eur_per_year)
        assert shared.break_even_users <= own.break_even_users
        for case in (shared, own):
            assert case.parts.total_eur == pytest.approx(case.cost_eur.value)
            assert case.cost_eur.low <= case.cost_eur.value <= case.cost_eur.high


def test_the_premises_of_the_scenario_are_one_of_the_two(
    small: Territory, assessed: Assessment, reference: Scenario, parameters: Parameters, code: str
) -> None:
    site = assessed.site(code)
    assert site is not None
    shared = sheet.premises_comparison(small, reference, parameters, code).shared
    assert shared.viability.value == pytest.approx(float(site["viability"]))
    assert shared.viability.low == pytest.approx(float(site["viability_low"]), rel=1e-5)


def test_refusal_goes_to_the_best_that_shares_homes(assessed: Assessment) -> None:
    seen = 0
    for n, site_code in enumerate(assessed.sites["zone_code"]):
        homes = set(assessed.access_zone[assessed.access_site == n])
        sharing = {int(s) for s, z in zip(assessed.access_site, assessed.access_zone, strict=True) if z in homes}
        rivals = assessed.sites.loc[sorted(sharing - {n})]
        rivals = rivals[rivals["available"]]
        found = sheet.refusal_cost(assessed, site_code)
        assert (found is None) == rivals.empty
        if found is not None:
            best = rivals.loc[rivals["zone_code"] == found.substitute_code].iloc[0]
            assert float(best["score"]) == rivals["score"].max()
            assert found.score_lost == pytest.approx(float(assessed.sites["score"].iloc[n]) - float(best["score"]))
            seen += 1
    assert seen > 10


def test_telepresence_lifts_permission_at_its_threshold(
    small: Territory, reference: Scenario, parameters: Parameters, code: str
) -> None:
    found = sheet.telepresence_trigger(small, reference, parameters, code)
    values = parameter_values(reference, parameters)
    before, after = float(found.without["permission_share"]), float(found.with_room["permission_share"])
    assert found.threshold_eur_per_month == values["telepresence_threshold_eur_per_month"]
    assert not found.installed  # 400 EUR a month in the reference, over 200
    assert after == pytest.approx(before + (1 - before) * values["telepresence_permission_uplift"])
    assert found.with_room["users"] / found.without["users"] == pytest.approx(after / before)
    cheap, dear = found.table["value"] <= 200.0, found.table["value"] > 200.0
    assert found.table.loc[cheap, "permission_share"].nunique() == 1
    assert found.table.loc[dear, "users"].nunique() == 1
    cost = float(found.with_room["yearly_cost_eur"] - found.without["yearly_cost_eur"])
    assert cost >= 12 * 200.0 - 1e-6


def test_the_threshold_moves_with_the_scenario(
    small: Territory, reference: Scenario, parameters: Parameters, code: str
) -> None:
    moved = reference.with_values(changed=(("telepresence_threshold_eur_per_month", 400.0),))
    found = sheet.telepresence_trigger(small, moved, parameters, code)
    assert found.installed
    assert float(found.with_room["value"]) == 400.0


def test_home_communes_hold_all_the_users(assessed: Assessment, small: Territory, code: str) -> None:
    site = assessed.site(code)
    assert site is not None
    table = sheet.home_communes(assessed, small, code, top=100)
    assert table["users"].sum() == pytest.approx(float(site["users"]))
    assert table["users_share"].sum() == pytest.approx(1.0)
    assert table["hours_per_year"].sum() == pytest.approx(float(site["hours_per_year"]))
    assert (np.diff(table["users"]) <= 0).all()
    assert (table["drive_min"] <= assessed.scenario.access_max_min).all()
    assert len(sheet.home_communes(assessed, small, code, top=1)) == 1


def test_no_existing_hub_changes_nothing(
    small: Territory, assessed: Assessment, reference: Scenario, parameters: Parameters, code: str
) -> None:
    site = assessed.site(code)
    assert site is not None
    found = sheet.beside_existing(small, reference, parameters, code, ())
    assert found.shared_users == pytest.approx(float(site["users"]))
    assert found.beside_users == pytest.approx(float(site["users"]))
    assert found.added_hours_per_year == pytest.approx(float(site["hours_per_year"]))
    assert found.added_kg_co2e_per_year == pytest.approx(float(site["kg_co2e_per_year"]))
    assert found.viability_beside == pytest.approx(float(site["viability"]))
    assert (found.taken_users, found.existing_users, found.taken_share) == pytest.approx((0.0, 0.0, 0.0))


def _users_with(
    territory: Territory, scenario: Scenario, parameters: Parameters, open_codes: tuple[str, ...], homes: set[str]
) -> tuple[dict[str, float], float]:
    """Users by hub and office days, all hubs of `open_codes` in the choice: plain loops over every commuter."""
    values = parameter_values(scenario, parameters)
    calibration = calibration_for(territory, parameters, scenario.changed)
    offers: dict[str, dict[str, tuple[float, float]]] = {}
    for hub in open_codes:
        prepared = within_reach(around_site(territory, hub), scenario.access_max_min)
        o = odds(prepared, day_costs(prepared, scenario, values), scenario, calibration, values)
        names = prepared.territory.zones["zone_code"].to_numpy(object)[prepared.territory.access_zone]
        offers[hub] = {n: (float(a), float(b)) for n, a, b in zip(names, o.hub_suitable, o.hub_unsuitable, strict=True)}
    prepared = within_reach(territory, scenario.access_max_min)
    o = odds(prepared, day_costs(prepared, scenario, values), scenario, calibration, values)
    users, office_days = dict.fromkeys(open_codes, 0.0), 0.0
    for f, zone in enumerate(prepared.flow_zone):
        name = str(territory.zones["zone_code"].iloc[zone])
        if name not in homes:
            continue
        shares = ((1.0 - o.unsuitable_share, float(o.home[zone]), 0), (o.unsuitable_share, 0.0, 1))
        for share, home, segment in shares:
            hubs = {hub: offers[hub].get(name, (0.0, 0.0))[segment] for hub in open_codes}
            everything = float(o.office[f]) + home + sum(hubs.values())
            days = share * float(o.days[f])
            office_days += days * float(o.office[f]) / everything
            for hub, odd in hubs.items():
                users[hub] += days * odd / everything / hub_days_per_user(scenario, values)
    return users, office_days


def test_two_hubs_share_the_same_people(
    small: Territory, assessed: Assessment, reference: Scenario, parameters: Parameters, code: str
) -> None:
    """Against the same logit written a second time in plain loops."""
    other = sheet.refusal_cost(assessed, code)
    assert other is not None
    rival = other.substitute_code
    mine = within_reach(around_site(small, code), reference.access_max_min).territory
    homes = set(mine.zones["zone_code"].to_numpy(object)[mine.access_zone])
    before, _ = _users_with(small, reference, parameters, (rival,), homes)
    after, _ = _users_with(small, reference, parameters, (rival, code), homes)
    found = sheet.beside_existing(small, reference, parameters, code, (rival, rival))
    assert found.existing_codes == (rival,)
    assert found.existing_users == pytest.approx(before[rival])
    assert found.beside_users == pytest.approx(after[code])
    assert found.taken_users == pytest.approx(before[rival] - after[rival])
    assert found.added_users == pytest.approx(after[code] + after[rival] - before[rival])
    assert 0.0 < found.taken_users < found.beside_users < found.alone_users
    assert 0.0 < found.shared_users < found.beside_users
    assert found.viability_beside < found.viability_alone


def _hosts(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Hosts from (id, commune, kind)."""
    return pd.DataFrame([
        {"host_id": i, "zone_code": zone, "name": i, "kind": kind, "sources": (i,)} for i, zone, kind in rows
    ])  # fmt: skip


def test_existing_hubs_are_those_within_reach_nearest_first(small: Territory) -> None:
    codes = small.zones["zone_code"].to_numpy(object)
    n = int(np.argmax(np.diff(small.access_start)))
    span = slice(int(small.access_start[n]), int(small.access_start[n + 1]))
    near, minutes = codes[small.access_zone[span]], small.access_drive_min[span]
    far = str(next(c for c in codes if c not in set(near)))
    hosts = _hosts(
        ("last", str(near[-1]), "tiers_lieu"), ("here", str(codes[n]), "tiers_lieu"), ("far", far, "tiers_lieu"),
        ("hall", str(near[0]), "town_hall"),
    )  # fmt: skip
    found = existing_nearby(small, hosts, str(codes[n]), 60.0)
    assert sorted(found["host_id"]) == ["here", "last"]
    assert found["drive_min"].is_monotonic_increasing
    short = existing_nearby(small, hosts, str(codes[n]), float(minutes.max()) - 0.01)
    assert "last" not in set(short["host_id"])
    assert existing_nearby(small, hosts.iloc[3:], str(codes[n]), 60.0).empty
    with pytest.raises(KeyError, match="99999"):
        existing_nearby(small, hosts, "99999", 60.0)


@pytest.mark.parametrize(
    ("statuses", "wanted"),
    [
        ((), None),
        ((("a", "asked"),), None),
        ((("a", "refused"),), None),
        ((("a", "refused"), ("b", "refused")), False),
        ((("a", "refused"), ("b", "agreed")), True),
    ],
)
def test_a_host_agreed_or_all_refused(
    reference: Scenario, statuses: tuple[tuple[str, str], ...], wanted: bool | None
) -> None:
    hosts = _hosts(("a", "1", "town_hall"), ("b", "1", "library"))
    assert host_agreed(reference.with_values(hosts=statuses), hosts) is wanted
