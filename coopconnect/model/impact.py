"""What a hub changes, from days to hours, euros and kilograms. Nothing here is clipped at zero."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from coopconnect.model.choice import Values, cost_per_km_eur, electric_share
from coopconnect.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums a year, each (n,), over whatever was grouped: a site, or an access pair.

    hub_days; avoided_days (office days avoided); avoided_min, avoided_km (return trips of those days);
    access_min, access_km (return trips of the hub days).
    """

    hub_days: np.ndarray
    avoided_days: np.ndarray
    avoided_min: np.ndarray
    avoided_km: np.ndarray
    access_min: np.ndarray
    access_km: np.ndarray


def scaled(sums: Sums, factor: float) -> Sums:
    """Every sum times a factor."""
    return Sums(*(getattr(sums, item.name) * factor for item in fields(Sums)))


def emission_kg_per_km(scenario: Scenario, values: Values) -> float:
    """Emission of a vehicle km, kg CO2e, with the fleet of the scenario's year.

    The thermal part is what today's fleet figure leaves once today's electric cars are taken out; the electric
    share then grows with the year, so that a saving of 2050 is not counted with the cars of today.
    """
    then = electric_share(scenario.climate, values)
    return (1.0 - then) * thermal_emission_kg_per_km(values) + then * values["electric_emission_kg_per_km"]


def thermal_emission_kg_per_km(values: Values) -> float:
    """Emission of a km of a thermal car: what the fleet figure leaves once today's electric cars are taken out."""
    today = electric_share("today", values)
    clean = today * values["electric_emission_kg_per_km"]
    return float((values["fleet_emission_kg_per_km"] - clean) / (1.0 - today))


def hours(sums: Sums) -> np.ndarray:
    """Hours kept a year: minutes of the avoided commutes less minutes to the hub, over 60."""
    return (sums.avoided_min - sums.access_min) / 60.0


def vehicle_km(sums: Sums, values: Values) -> np.ndarray:
    """Vehicle km avoided a year: avoided commutes less the rebound, less the drive to the hub."""
    return sums.avoided_km * (1.0 - values["rebound_share"]) - sums.access_km


def euros(km: np.ndarray, scenario: Scenario, values: Values) -> np.ndarray:
    """Euros kept a year, marginal cost of the avoided km; the price of the hub is shown apart."""
    return km * cost_per_km_eur(scenario, values)


def kg_co2e(km: np.ndarray, scenario: Scenario, values: Values) -> np.ndarray:
    """kg CO2e avoided a year."""
    return km * emission_kg_per_km(scenario, values)
