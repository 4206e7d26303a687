"""Five components from 0 to 100 with fixed anchors, and the weighted score."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from coopconnect.model.choice import Prepared, Values, cost_per_km_eur, detour_factor, vehicle_share
from coopconnect.scenario import Scenario


def _points(value: np.ndarray, anchor: float) -> np.ndarray:
    """100 * value / anchor between 0 and 100. The raw value beside it is never clipped."""
    return np.clip(100.0 * value / anchor, 0.0, 100.0)


def per_cost_points(value: np.ndarray, cost_eur: np.ndarray, anchor_per_1000_eur: float) -> np.ndarray:
    """Points of a yearly quantity for each 1,000 EUR of yearly cost."""
    return _points(1000.0 * value / cost_eur, anchor_per_1000_eur)


def viability_points(ratio: np.ndarray, users: np.ndarray, core_users: float) -> np.ndarray:
    """100 points at a ratio of 1, in proportion to the users below the core that a place needs.

    A contribution alone could balance an empty hub; an empty hub has no points.
    """
    return _points(ratio, 1.0) * np.clip(users / core_users, 0.0, 1.0)


def resilience_points(
    vulnerable_share: np.ndarray, hot_days: np.ndarray, road_days: float, scenario: Scenario, values: Values
) -> np.ndarray:
    """Mean of three: fuel-vulnerable households, hot days where the hub is cooled, days with a cut road."""
    cool = _points(hot_days, values["anchor_hot_days"]) if scenario.hub_cooled else np.zeros_like(hot_days)
    roads = _points(np.full_like(hot_days, road_days), values["anchor_road_days"])
    return (_points(vulnerable_share, values["anchor_vulnerable_share"]) + cool + roads) / 3.0


def score(components: tuple[np.ndarray, ...], scenario: Scenario) -> np.ndarray:
    """Weighted mean of the five components, 0 to 100; weights are taken in proportion to their sum."""
    weights = np.asarray(scenario.weights())
    return np.asarray(np.tensordot(weights / weights.sum(), np.stack(components), axes=1))


def vulnerable_share(prepared: Prepared, scenario: Scenario, values: Values) -> np.ndarray:
    """Share of households of each zone whose commuting energy exceeds the effort threshold, (n_zones,).

    Effort = energy of the commutes of a household's workers (all working days) over its income. Around the mean
    commute of the commune and the median income (living standard times consumption units), efforts are log-normal:
    share = P(effort > threshold). Modelled: no income by commune is bundled.
    """
    t = prepared.territory
    km = t.flow_road_km.astype(float) * detour_factor(t, values)
    vehicle = 2.0 * km * vehicle_share(km, prepared.rural[prepared.flow_zone], values)
    per_zone = np.bincount(prepared.flow_zone, weights=t.flow_workers * vehicle, minlength=prepared.workers.size)
    energy = cost_per_km_eur(scenario, values) - values["non_fuel_cost_eur_per_km"]
    spend = per_zone * values["working_days_per_year"] * energy / np.maximum(prepared.households, 1.0)
    income = values["living_standard_median_eur"] * values["consumption_units_per_household"]
    needed = np.maximum(spend, 1e-9) / values["vulnerability_threshold_share"]
    return np.asarray(ndtr(np.log(needed / income) / values["effort_log_spread"]))
