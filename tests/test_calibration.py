"""The calibration: targets are met together, or the calibration says which cannot hold and what it kept."""

from __future__ import annotations

import numpy as np
import pytest

from coopconnect.model.assessment import assess
from coopconnect.model.calibration import TARGETS, CalibrationError, calibrate, reference_commuter
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario, reference_scenario
from coopconnect.territory.types import Territory


def _calibrate(territory: Territory, parameters: Parameters, **changes: float):  # type: ignore[no-untyped-def]
    return calibrate(territory, parameters, parameters.values_with(changes))


def test_all_targets_are_met_together(small: Territory, parameters: Parameters) -> None:
    found = _calibrate(small, parameters)
    for key in TARGETS:
        assert found.reached[key] == pytest.approx(found.targets[key], rel=1e-6), key
    assert found.messages_fr == found.messages_en == ()
    assert found.eligible_share == pytest.approx(0.32)
    assert found.permission_share == pytest.approx(0.32 / 0.39)


def test_the_elasticity_of_the_reference_commuter_is_met(small: Territory, parameters: Parameters) -> None:
    """By finite difference on the calibrated choice: the price of fuel up by 0.1 %, all else equal."""
    values = parameters.values_with({})
    found = calibrate(small, parameters, values)

    def office_share(price: float) -> float:
        scenario = reference_scenario(parameters).with_values(fuel_price_eur_per_l=price)
        cost = reference_commuter(scenario, values).office_eur
        return 1.0 / (1.0 + np.exp(found.home_constant + found.scale_per_eur * cost))

    price = parameters.value("fuel_price_eur_per_l")
    elasticity = np.log(office_share(price * 1.001) / office_share(price)) / np.log(1.001)
    assert elasticity == pytest.approx(-0.3, abs=1e-3)


def test_the_reference_commuter_by_hand(parameters: Parameters, reference: Scenario) -> None:
    """Return trip 50 min * 13 / 60 = 10.83 EUR; 34.6 km * 0.9 / 1.1 = 28.31 vehicle km * 0.20991 = 5.94 EUR.

    Hub: 12 min = 2.60 EUR; 8 km * 0.6 / 1.1 = 4.36 vehicle km = 0.92 EUR; day 8 EUR: 11.52 EUR.
    """
    commuter = reference_commuter(reference, parameters.values_with({}))
    assert commuter.office_eur == pytest.approx(16.78, abs=0.01)
    assert commuter.hub_eur == pytest.approx(11.52, abs=0.01)


def test_the_elasticity_of_all_rural_km_is_smaller(small: Territory, parameters: Parameters) -> None:
    """What docs/model.md says: people without a suitable home and long commutes answer less."""
    found = _calibrate(small, parameters)
    assert found.targets["fuel_price_elasticity"] < found.reached["fuel_price_elasticity_all_rural"] < 0.0


def test_a_substitution_that_is_too_low_is_said(small: Territory, parameters: Parameters) -> None:
    """Even a hub that only draws on people who could stay at home replaces some drives."""
    found = _calibrate(small, parameters, substitution_reference=0.02)
    assert found.reached["hub_share_reference"] == pytest.approx(0.005, rel=1e-6)
    assert found.reached["substitution_reference"] > 0.02
    assert len(found.messages_fr) == len(found.messages_en) == 1


def test_more_hub_days_than_remote_days_is_refused(small: Territory, parameters: Parameters) -> None:
    with pytest.raises(CalibrationError, match=r"lower it"):
        _calibrate(small, parameters, hub_share_reference=0.9)


def test_fewer_office_days_than_people_without_a_home_office_is_refused(
    small: Territory, parameters: Parameters
) -> None:
    with pytest.raises(CalibrationError, match="must be above home_unsuitable_share"):
        _calibrate(small, parameters, office_day_share_reference=0.3)


def test_more_eligible_than_teleworkable_is_said(small: Territory, parameters: Parameters) -> None:
    found = _calibrate(small, parameters, telework_regular_share=0.25)
    assert found.permission_share > 1.0
    assert "teleworkable" in found.messages_en[0]


def test_the_whole_range_of_the_four_numbers_calibrates(small: Territory, parameters: Parameters) -> None:
    keys = ("hub_share_reference", "substitution_reference", "home_unsuitable_share", "fuel_price_elasticity")
    for key in keys:
        for level in (parameters[key].low, parameters[key].high):
            found = _calibrate(small, parameters, **{key: level})
            assert np.isfinite([found.scale_per_eur, found.home_constant, found.hub_constant_suitable]).all()


def test_the_assessment_reproduces_the_targets(small: Territory, parameters: Parameters, reference: Scenario) -> None:
    """Users over employed residents of rural homes within reach, summed from the pairs of the assessment itself."""
    result = assess(small, reference, parameters)
    rural = small.zones["rural"].to_numpy(bool)[result.access_zone]
    workers = small.zones["workers"].to_numpy(float)[result.access_zone]
    share = result.pair_users[rural].sum() / workers[rural].sum()
    assert share == pytest.approx(parameters.value("hub_share_reference"), rel=1e-6)
