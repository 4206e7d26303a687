"""The calibration: targets are met together, or the calibration says which cannot hold and what it kept."""

from __future__ import annotations

import numpy as np
import pytest

from coopconnect.model.assessment import assess
from coopconnect.model.calibration import TARGETS, CalibrationError, calibrate, reference_scale_per_eur
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
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


def test_the_scale_by_hand(parameters: Parameters, reference: Scenario) -> None:
    """Return trip 34.6 km * 0.9 / 1.1 = 28.31 vehicle km; fuel 0.971 * 6.4 / 100 * 1.75 = 0.10875 EUR/km: 3.079 EUR.

    Elasticity -0.3 with a quarter of days at the office: 0.3 / (3.079 * 0.75) = 0.1299 per euro.
    """
    values = parameters.values_with({})
    assert reference_scale_per_eur(-0.3, 0.25, reference, values) == pytest.approx(0.1299, abs=1e-4)


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


def test_the_assessment_reproduces_the_targets(
    small: Territory, parameters: Parameters, reference: Scenario
) -> None:
    """Users over employed residents of rural homes within reach, summed from the pairs of the assessment itself."""
    result = assess(small, reference, parameters)
    rural = small.zones["rural"].to_numpy(bool)[result.access_zone]
    workers = small.zones["workers"].to_numpy(float)[result.access_zone]
    share = result.pair_users[rural].sum() / workers[rural].sum()
    assert share == pytest.approx(parameters.value("hub_share_reference"), rel=1e-6)
