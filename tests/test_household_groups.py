"""Who gains and who loses: against naive loops, by hand, and what must always hold."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive_households import naive_users
from synthetic import synthetic_territory

from coopconnect.model.assessment import assess
from coopconnect.model.calibration import calibration_for
from coopconnect.model.household_groups import (
    BANDS_KM,
    GROUP_COLUMNS,
    HOURS_EDGES,
    HOUSEHOLD_RANGES,
    KINDS,
    KM_EDGES,
    MEASURES,
    HouseholdGroups,
    band_of,
    edges_of,
    household_groups,
    household_users,
    per_site,
    quantiles,
    users_by,
)
from coopconnect.model.household_kernel import N_COLUMNS, group_sums
from coopconnect.parameters import Parameters
from coopconnect.scenario import CLIMATES, Scenario, parameter_values
from coopconnect.territory.types import Territory

SUMMED = [name for name in GROUP_COLUMNS if name not in ("sites", "workers")]


def _expected(rows: list[dict[str, Any]], keep: Callable[[dict[str, Any]], bool]) -> dict[str, float]:
    """The summed columns of naive rows."""
    rows = [row for row in rows if keep(row)]
    found = {"users": sum(row["users"] for row in rows)}
    for kind in KINDS:
        for measure in MEASURES:
            name = f"{measure}{kind}"
            found[f"{name}_per_year"] = sum(row["users"] * row[name] for row in rows)
            found[f"{name}_up_users"] = sum(row["users"] for row in rows if row[name] > 0)
            found[f"{name}_down_users"] = sum(row["users"] for row in rows if row[name] <= 0)
    return found


def _all_rows(t: Territory, sites: Iterable[int], scenario: Scenario, parameters: Parameters) -> list[dict[str, Any]]:
    values = parameter_values(scenario, parameters)
    calibration = calibration_for(t, parameters, scenario.changed)
    return [row for s in sites for row in naive_users(t, s, scenario, calibration, values)]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 50), fuel=st.floats(1.15, 3.0), days=st.sampled_from([0.5, 1.9, 4.0]),
    access=st.floats(5.0, 30.0), climate=st.sampled_from(CLIMATES), cooled=st.booleans(), price=st.floats(0.0, 30.0),
)  # fmt: skip
def test_agrees_with_naive_loops(
    parameters: Parameters, reference: Scenario, seed: int, fuel: float, days: float, access: float, climate: str,
    cooled: bool, price: float,
) -> None:  # fmt: skip
    t = synthetic_territory(12, seed=seed, flows_per_zone=5, side_km=40.0, halo=3)
    scenario = reference.with_values(
        fuel_price_eur_per_l=fuel, telework_days_per_week=days, access_max_min=access, climate=climate,
        hub_cooled=cooled, day_price_eur=price,
    )  # fmt: skip
    groups = household_groups(t, scenario, parameters)
    codes = t.zones["zone_code"].tolist()
    sites = [s for s in range(t.site_zone.size) if codes[t.site_zone[s]] in groups.site_codes]
    rows = _all_rows(t, sites, scenario, parameters)
    ends = [*BANDS_KM[1:], math.inf]
    for k, (low, high) in enumerate(zip(BANDS_KM, ends, strict=True)):
        _same(groups.bands.iloc[k], _expected(rows, lambda r, low=low, high=high: low <= r["km"] < high))
    for _, row in groups.communes.iterrows():
        _same(row, _expected(rows, lambda r, code=row["zone_code"]: codes[r["zone"]] == code))
    rural = t.zones["rural"].to_numpy(bool)
    for k, kind in enumerate((True, False)):
        _same(groups.density.iloc[k], _expected(rows, lambda r, kind=kind: rural[r["zone"]] == kind))


def _same(row: Any, expected: dict[str, float]) -> None:
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, rel=1e-6, abs=1e-6), name


def test_the_users_of_a_site_are_the_rows_of_its_tables(
    small: Territory, reference: Scenario, parameters: Parameters
) -> None:
    code = str(small.zones["zone_code"].iloc[small.site_zone[3]])
    users = household_users(small, reference, parameters, code)
    naive = _all_rows(small, [3], reference, parameters)
    assert len(users) == len(naive)
    works = {c: k for k, c in enumerate(small.zones["zone_code"])}
    mine = sorted(zip(users["home_code"].map(works), users["work_code"].map(works), users["segment"], users["users"], users["hours"], users["kg_co2e"], strict=True))  # fmt: skip
    theirs = sorted((r["zone"], r["work"], r["segment"], r["users"], r["hours"], r["kg_co2e"]) for r in naive)
    assert [m[:3] for m in mine] == [n[:3] for n in theirs]
    assert np.array([m[3:] for m in mine]) == pytest.approx(np.array([n[3:] for n in theirs]), rel=1e-6)
    groups = household_groups(small, reference, parameters, code)
    weighted = {name: float((users["users"] * users[name]).sum()) for name in ("hours", "eur_if_replaced")}
    assert groups.totals["hours_per_year"].value == pytest.approx(weighted["hours"])
    assert groups.totals["eur_if_replaced_per_year"].value == pytest.approx(weighted["eur_if_replaced"])


def test_one_household_by_hand() -> None:
    """One commuter, one hub: every odds is 1, 120 allowed days, 60 hub days a user, a third of homes do not suit.

    everyone = 120 / 60 = 2 users if all came. Suitable: 2 * 2/3 * 1/3 = 4/9; unsuitable: 2 * 1/3 * 1/2 = 1/3.
    suitable    replaces half: 60 * (0.5 * 60 - 40) / 60 = -10 h; km 60 * (0.5 * 0.75 * 80 - 10) = 1,200
    unsuitable  replaces all:  60 * (60 - 40) / 60       = +20 h; km 60 * (0.75 * 80 - 10)       = 3,000
    The hub costs what 2,000 km cost: the second keeps euros once it is paid, the first does not.
    """
    one = np.ones(1)
    by_zone, by_site, histogram = np.zeros((1, 1, N_COLUMNS)), np.zeros((1, N_COLUMNS)), np.zeros((4, 1200))
    group_sums(
        np.array([0, 1]), np.array([0]), np.array([True]), one, one, np.array([0, 1]), one, 0.5 * one, one,
        120 * one, np.array([0]), 1 / 3, 60 * one, 80 * one, 40 * one, 10 * one, 0.25, 60.0, 2000.0,
        -300.0, 1.0, -20_000.0, 50.0, by_zone, by_site, histogram,
    )  # fmt: skip
    a, b = 4 / 9, 1 / 3
    all_km = (a + b) * 3000
    expected = [a + b, -10 * a + 20 * b, 1200 * a + 3000 * b, b, a + b, b, 20 * (a + b), all_km, a + b, a + b, a + b]
    assert by_site[0] == pytest.approx(expected)
    assert by_zone[0, 0] == pytest.approx(expected)
    assert histogram[0, 290] == pytest.approx(a)
    assert histogram[0, 320] == pytest.approx(b)
    assert histogram[1, (1200 + 20_000) // 50] == pytest.approx(a)
    assert histogram[2, 320] == pytest.approx(a + b)
    assert histogram.sum(axis=1) == pytest.approx(a + b)


@pytest.fixture(scope="module")
def paca_groups(paca: Territory, reference: Scenario, parameters: Parameters) -> HouseholdGroups:
    return household_groups(paca, reference, parameters)


def test_communes_bands_density_and_sites_add_up_to_the_assessment(
    paca: Territory, reference: Scenario, parameters: Parameters, paca_groups: HouseholdGroups
) -> None:
    g = paca_groups
    sites = assess(paca, reference, parameters).sites.set_index("zone_code").loc[list(g.site_codes)]
    for name in SUMMED:
        total = g.sites[name].sum()
        for table in (g.communes, g.bands, g.density):
            assert table[name].sum() == pytest.approx(total, rel=1e-9, abs=1e-6), name
        assert g.totals[name].value == pytest.approx(total, rel=1e-9)
    for mine, theirs in (
        ("users", "users"),
        *((f"{m}_per_year", f"{m}_per_year") for m in ("hours", "eur", "kg_co2e")),
    ):
        assert g.sites[mine].to_numpy() == pytest.approx(sites[theirs].to_numpy(), rel=1e-9, abs=1e-7)
    replaced = sites["hours_if_all_replaced"] * sites["users"]  # the same people on both pages
    assert g.sites["hours_if_replaced_per_year"].to_numpy() == pytest.approx(replaced.to_numpy(), rel=1e-9, abs=1e-6)
    after = sites["eur_after_price_per_participating_household"] * sites["users"]
    assert g.sites["eur_after_price_per_year"].to_numpy() == pytest.approx(after.to_numpy(), rel=1e-9, abs=1e-6)
    assert g.totals["households"].value == pytest.approx(float(sites["households_within_reach"].sum()))
    assert g.totals["workers"].value == pytest.approx(float(sites["workers_within_reach"].sum()), rel=1e-5)
    assert g.communes["households"].sum() == pytest.approx(g.totals["households"].value)
    assert g.bands["workers"].sum() == pytest.approx(g.totals["workers"].value, rel=1e-6)


def test_the_range_holds_the_central_value_and_the_assessment_s_range(
    paca: Territory, reference: Scenario, parameters: Parameters, paca_groups: HouseholdGroups
) -> None:
    for name, found in paca_groups.totals.items():
        assert found.low <= found.value + 1e-9 and found.value <= found.high + 1e-9, name
    code = "84003"
    one = household_groups(paca, reference, parameters, code).totals
    row = assess(paca, reference, parameters).site(code)
    assert row is not None
    for mine, theirs in (
        ("users", "users"),
        ("hours_per_year", "hours_per_year"),
        ("kg_co2e_per_year", "kg_co2e_per_year"),
    ):
        assert one[mine].low == pytest.approx(row[f"{theirs}_low"], rel=2e-3, abs=1e-3)
        assert one[mine].high == pytest.approx(row[f"{theirs}_high"], rel=2e-3, abs=1e-3)


def test_golden_values_of_the_territory(paca_groups: HouseholdGroups) -> None:
    """What was on the screen when it was first looked at, PACA, reference scenario: rural sites, one at a time."""
    g = paca_groups
    assert len(g.site_codes) == 751
    share = g.totals["hours_up_users"].value / g.totals["users"].value
    assert share == pytest.approx(0.341, abs=0.002)
    assert g.totals["hours_per_user"].value == pytest.approx(20.98, abs=0.05)
    assert g.totals["hours_if_replaced_per_user"].value == pytest.approx(57.93, abs=0.1)
    assert g.deciles["hours"].iloc[4] == pytest.approx(-14.5, abs=0.3)


def test_a_user_who_replaces_every_drive_never_keeps_less(paca_groups: HouseholdGroups) -> None:
    for measure in MEASURES:
        assert (paca_groups.deciles[f"{measure}_if_replaced"] >= paca_groups.deciles[measure] - 1e-9).all()
        up, replaced = (paca_groups.bands[f"{measure}{kind}_up_users"] for kind in KINDS)
        assert (replaced >= up - 1e-9).all()
    assert (paca_groups.bands["hours_per_year"].diff().iloc[3] > 0) and paca_groups.bands["hours_per_year"].iloc[0] < 0


def test_histograms_hold_every_user_and_agree_with_the_counts(paca_groups: HouseholdGroups) -> None:
    g = paca_groups
    assert HOURS_EDGES.size == KM_EDGES.size
    for measure in MEASURES:
        for kind in KINDS:
            users, edges = users_by(g, measure, kind), edges_of(g, measure)
            assert users.sum() == pytest.approx(g.totals["users"].value)
            assert np.all(np.diff(edges) > 0)
            middle = (edges[:-1] + edges[1:]) / 2
            mean = float(users @ middle / users.sum())
            assert mean == pytest.approx(g.totals[f"{measure}{kind}_per_user"].value, abs=0.6 * (edges[1] - edges[0]))
            up = float(users[edges[:-1] >= 0].sum())
            straddling = float(users[(edges[:-1] < 0) & (edges[1:] > 0)].sum())
            assert up - 1e-6 <= g.totals[f"{measure}{kind}_up_users"].value <= up + straddling + 1e-6


def test_no_days_no_users(small: Territory, reference: Scenario, parameters: Parameters) -> None:
    g = household_groups(small, reference.with_values(telework_days_per_week=0.0), parameters)
    assert g.totals["users"].value == 0.0 == g.totals["hours_per_user"].value
    assert (g.deciles.drop(columns="decile") == 0.0).all(axis=None)
    assert g.communes["users"].sum() == 0.0
    users = household_users(small, reference.with_values(telework_days_per_week=0.0), parameters, g.site_codes[0])
    assert users["users"].sum() == 0.0


def test_an_unknown_site_is_named(small: Territory, reference: Scenario, parameters: Parameters) -> None:
    for call in (household_groups, household_users):
        with pytest.raises(KeyError, match="99999"):
            call(small, reference, parameters, "99999")


def test_a_refused_site_leaves_the_pool(small: Territory, reference: Scenario, parameters: Parameters) -> None:
    before = household_groups(small, reference, parameters)
    gone = before.site_codes[0]
    after = household_groups(small, reference.with_values(refused=(gone,)), parameters)
    assert set(before.site_codes) - set(after.site_codes) == {gone}
    lost = before.sites.loc[before.sites["zone_code"] == gone, "users"].iloc[0]
    assert after.totals["users"].value == pytest.approx(before.totals["users"].value - lost)


def test_where_no_site_is_rural_all_are_counted(small: Territory, reference: Scenario, parameters: Parameters) -> None:
    town = dataclasses.replace(small, zones=small.zones.assign(rural=False))
    g = household_groups(town, reference, parameters, home=small)
    assert len(g.site_codes) == small.site_zone.size
    assert g.density["users"].iloc[0] == 0.0
    assert per_site(g.bands, "users").sum() == pytest.approx(g.totals["users"].value / len(g.site_codes))


def test_bands_and_quantiles_by_hand() -> None:
    assert band_of(np.array([0.0, 4.9, 5.0, 29.9, 30.0, 400.0])).tolist() == [0, 0, 1, 2, 3, 4]
    edges, weights = np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 0.0, 1.0])
    assert quantiles(edges, weights, np.array([0.25, 0.75])).tolist() == [0.5, 2.5]
    assert quantiles(edges, np.zeros(3), np.array([0.5])).tolist() == [0.0]


def test_the_passes_are_told_as_they_are_made(small: Territory, reference: Scenario, parameters: Parameters) -> None:
    heard: list[tuple[int, int]] = []
    site = str(small.zones["zone_code"].iloc[small.site_zone[0]])
    early: list[HouseholdGroups] = []
    found = household_groups(
        small, reference, parameters, site, tell=lambda done, total: heard.append((done, total)), first=early.append
    )
    assert (len(early), early[0].ranged, found.ranged) == (1, False, True)
    assert {k: v.value for k, v in early[0].totals.items()} == {k: v.value for k, v in found.totals.items()}
    assert all(r.low == r.value == r.high for r in early[0].totals.values())
    assert heard == [(k, len(heard)) for k in range(1 + 2 * len(HOUSEHOLD_RANGES))]
