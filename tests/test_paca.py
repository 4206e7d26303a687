"""The engine on the real communes of Provence-Alpes-Côte d'Azur: golden values, targets, and the question of the tour."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from naive_model import naive_site

from coopconnect.model.assessment import assess
from coopconnect.model.calibration import TARGETS, calibrate
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario, parameter_values
from coopconnect.territory.types import Territory

GOLDEN = Path(__file__).parent / "golden_paca.json"
GOLDEN_SITES = ("84003", "84118", "04088", "13055", "05061", "06088")
GOLDEN_FIELDS = ("score", "users", "hours_per_year", "eur_per_year", "kg_co2e_per_year", "viability", "desks")


def test_paca_meets_its_targets(paca: Territory, parameters: Parameters, reference: Scenario) -> None:
    result = assess(paca, reference, parameters)
    assert len(result.sites) == 946
    for key in TARGETS:
        assert result.calibration.reached[key] == pytest.approx(result.calibration.targets[key], rel=1e-6), key
    assert result.calibration.messages_en == ()


def test_docs_model_says_what_the_calibration_gives(paca: Territory, parameters: Parameters) -> None:
    """The reference user, and where the four numbers to argue about cannot hold together."""
    text = " ".join((Path(__file__).parents[1] / "docs" / "model.md").read_text(encoding="utf-8").split())
    usual = calibrate(paca, parameters, parameters.values_with({})).reached
    user, hours = (usual[f"reference_user_{name}"] for name in ("substitution", "hours"))
    assert f"a substitution of {user:.2f} and **{hours:.0f} h**" in text
    assert f"keeps {usual['reference_user_hours_if_all_replaced']:.0f} h." in text
    assert f"that elasticity is {usual['fuel_price_elasticity_all_rural']:.2f};".replace("-", "−") in text
    keys = ("home_unsuitable_share", "hub_share_reference", "substitution_reference", "fuel_price_elasticity")
    corners = itertools.product(*((parameters[key].low, parameters[key].high) for key in keys))
    found = [
        calibrate(paca, parameters, parameters.values_with(dict(zip(keys, c, strict=True))), report=False)
        for c in corners
    ]
    unmet = sum(bool(calibration.messages_en) for calibration in found)
    assert f"of their {len(found)} joint extremes, {('none', 'one', 'two', 'three', 'four')[unmet]} cannot" in text
    least = calibrate(paca, parameters, parameters.values_with({"substitution_reference": 0.05})).reached
    assert f"cannot fall under {least['substitution_reference']:.2f} at" in text


def test_golden_values(paca: Territory, parameters: Parameters, reference: Scenario) -> None:
    """A change of these is a change of results: say it in CHANGELOG.md and write them again (see the file)."""
    sites = assess(paca, reference, parameters).sites.set_index("zone_code")
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))["sites"]
    assert set(golden) == set(GOLDEN_SITES)
    for code, fields in golden.items():
        for name, value in fields.items():
            assert sites.loc[code, name] == pytest.approx(value, rel=1e-4, abs=1e-3), (code, name)


def test_paca_agrees_with_the_naive_model(paca: Territory, parameters: Parameters, reference: Scenario) -> None:
    scenario = reference.with_values(fuel_price_eur_per_l=2.25, telework_days_per_week=2.0, climate="tracc_2050")
    result = assess(paca, scenario, parameters)
    values = parameter_values(scenario, parameters)
    for s in (0, 300, 797, 945):
        expected = naive_site(paca, s, scenario, result.calibration, values)
        for name, value in expected.items():
            assert result.sites[name].iloc[s] == pytest.approx(value, rel=1e-6, abs=1e-6), (s, name)


def test_rural_communes_near_apt(paca: Territory, parameters: Parameters, reference: Scenario) -> None:
    """The question of the tour: at 2.25 EUR/L with two days, which rural communes near Apt would work?"""
    scenario = reference.with_values(fuel_price_eur_per_l=2.25, telework_days_per_week=2.0)
    sites = assess(paca, scenario, parameters).sites
    apt = sites[sites["zone_code"] == "84003"].iloc[0]
    km = np.hypot((sites["lon"] - apt["lon"]) * 80.0, (sites["lat"] - apt["lat"]) * 111.2)
    near = sites[sites["rural"] & (km < 15.0)]
    assert len(near) >= 10
    works = near[(near["viability"] >= 1.0) & near["enough_users"] & ~near["red_flag"]]
    assert 3 <= len(works) < len(near)
    assert (works["hours_per_participating_household"] > 0).all()


def test_dearer_fuel_keeps_more_euros(paca: Territory, parameters: Parameters, reference: Scenario) -> None:
    cheap = assess(paca, reference.with_values(fuel_price_eur_per_l=1.15), parameters).totals
    dear = assess(paca, reference.with_values(fuel_price_eur_per_l=3.0), parameters).totals
    key = "eur_per_participating_household"
    assert dear[key].value > cheap[key].value > 0
