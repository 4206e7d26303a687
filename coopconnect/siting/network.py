"""The model's demand as the plan needs it: per home zone and per site, ready for the compiled loops."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from coopconnect.model.calibration import calibration_for
from coopconnect.model.choice import (
    Prepared,
    Values,
    cost_per_km_eur,
    day_costs,
    hub_days_per_user,
    odds,
    within_reach,
)
from coopconnect.model.impact import emission_kg_per_km
from coopconnect.model.types import Calibration
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario, parameter_values
from coopconnect.siting import kernels
from coopconnect.siting.locate.rows import Rows, rows_of
from coopconnect.territory.types import ACCESS_TABLE_MAX_MIN, Territory


@dataclass(frozen=True, eq=False)
class Network:
    """Arrays of a territory under a scenario.

    By access pair in reach, site by site: odds (exp(-scale * cost), without the constant of a segment), access_min,
    access_km. By zone: zone_start, zone_site, and `order`, the access pair of each. avoided: per flow, what an office
    day avoided is worth; cost: per access pair, what a hub day costs; both in the unit of the objective.
    """

    territory: Territory
    prepared: Prepared
    scenario: Scenario
    values: Values
    odds: np.ndarray
    zone_start: np.ndarray
    zone_site: np.ndarray
    order: np.ndarray
    office: np.ndarray
    office_share: np.ndarray
    home: np.ndarray
    days: np.ndarray
    constant: np.ndarray
    unsuitable: float
    commute_min: np.ndarray
    commute_km: np.ndarray
    access_min: np.ndarray
    access_km: np.ndarray
    days_per_user: float
    avoided: np.ndarray
    cost: np.ndarray

    @property
    def n_sites(self) -> int:
        """Number of possible sites."""
        return int(self.territory.site_zone.size)

    @property
    def flows(self) -> tuple[Any, ...]:
        """What the loops need of the flows, in their order."""
        return (self.prepared.territory.flow_start, self.office, self.office_share, self.home, self.days)

    def zone_sums(self, chosen: np.ndarray) -> np.ndarray:
        """T of each zone for a set."""
        t = self.prepared.territory
        pairs = entries_of(t.access_start, np.flatnonzero(chosen))
        return np.bincount(t.access_zone[pairs], weights=self.odds[pairs], minlength=len(t.zones))


def entries_of(start: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Entries of some rows of a table whose row r holds those from start[r] to start[r + 1]."""
    first = start[rows].astype(np.int64)
    count = start[rows + 1] - first
    return np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())


def network_of(
    territory: Territory, scenario: Scenario, parameters: Parameters, home: Territory | None = None
) -> Network:
    """The network of a scenario; its worth is in hub days (see `in_unit` for the others)."""
    values = parameter_values(scenario, parameters)
    calibration = calibration_for(home or territory, parameters, scenario.changed)
    return network_with(territory, within_reach(territory, scenario.access_max_min), scenario, values, calibration)


def network_with(
    territory: Territory, prepared: Prepared, scenario: Scenario, values: Values, calibration: Calibration
) -> Network:
    """The network under given parameter values and constants of the choice (a draw has its own)."""
    costs = day_costs(prepared, scenario, values)
    o = odds(prepared, costs, scenario, calibration, values)
    t = prepared.territory
    hub = np.exp(-calibration.scale_per_eur * costs.hub_eur)
    n = len(t.zones)
    by_zone = csr_array(
        (np.arange(1, t.access_zone.size + 1), t.access_zone, t.access_start), shape=(t.site_zone.size, n)
    ).tocsc()
    order = (by_zone.data - 1).astype(np.int64)
    return Network(
        territory=territory, prepared=prepared, scenario=scenario, values=values, odds=hub,
        zone_start=by_zone.indptr.astype(np.int64), zone_site=by_zone.indices.astype(np.int32), order=order,
        office=o.office, office_share=o.office_share, home=o.home, days=o.days,
        constant=np.exp([calibration.hub_constant_suitable, calibration.hub_constant_unsuitable]),
        unsuitable=o.unsuitable_share, commute_min=costs.commute_min, commute_km=costs.commute_km,
        access_min=costs.access_min, access_km=costs.access_km,
        days_per_user=max(hub_days_per_user(scenario, values), 1e-9),
        avoided=np.zeros(costs.office_eur.size), cost=np.full(hub.size, -1.0),
    )  # fmt: skip


def in_unit(network: Network, objective: str) -> Network:
    """The network whose worth is in the unit of an objective: hours, euros, kg CO2e or users a year."""
    n = network
    if objective == "hours":
        return replace(n, avoided=n.commute_min / 60.0, cost=n.access_min / 60.0)
    if objective == "users":
        per_day = 1.0 / n.days_per_user
        return replace(n, avoided=np.zeros_like(n.commute_min), cost=np.full_like(n.access_min, -per_day))
    if objective in ("money", "co2"):
        per_km = (
            cost_per_km_eur(n.scenario, n.values) if objective == "money" else emission_kg_per_km(n.scenario, n.values)
        )
        kept = 1.0 - n.values["rebound_share"]
        return replace(n, avoided=n.commute_km * kept * per_km, cost=n.access_km * per_km)
    raise KeyError(objective)


def without_demand(network: Network) -> Network:
    """The network whose days are worth nothing: for objectives that look at distance alone."""
    n = network
    return replace(n, avoided=np.zeros_like(n.commute_min), cost=np.zeros_like(n.access_min))


def scaled(network: Network, factor: float) -> Network:
    """The same worth times a factor."""
    return replace(network, avoided=network.avoided * factor, cost=network.cost * factor)


def people_rows(network: Network) -> Rows:
    """Inhabitants of the territory by the sites within the access limit of their home."""
    t = network.prepared.territory
    inside = t.zones["in_territory"].to_numpy(bool)
    people = np.where(inside, network.prepared.population, 0.0)
    return rows_of(network.n_sites, network.zone_start, network.zone_site, people[t.access_zone[network.order]])


def equity_rows(network: Network) -> Rows:
    """What being near a site is worth to the worst served: inhabitants * (1 - (minutes / limit) ^ exponent).

    The limit is the reach of the access table; the exponent is `equity_exponent`: the higher, the more it is those
    who live farthest that count.
    """
    t = network.territory
    n = len(t.zones)
    inside = t.zones["in_territory"].to_numpy(bool)
    people = np.where(inside, t.zones["population"].to_numpy(float), 0.0)
    near = 1.0 - (t.access_drive_min.astype(float) / ACCESS_TABLE_MAX_MIN) ** network.values["equity_exponent"]
    value = people[t.access_zone] * np.maximum(near, 0.0)
    by_zone = csr_array((value, t.access_zone, t.access_start), shape=(t.site_zone.size, n)).tocsc()
    return rows_of(network.n_sites, by_zone.indptr.astype(np.int64), by_zone.indices, by_zone.data)


def no_rows(network: Network) -> Rows:
    """Nothing by rows: for objectives of the demand alone."""
    n = len(network.territory.zones)
    return rows_of(network.n_sites, np.zeros(n + 1, dtype=np.int64), np.zeros(0, dtype=np.int32), np.zeros(0))


def scaled_rows(rows: Rows, factor: float) -> Rows:
    """The same rows times a factor above 0."""
    return replace(rows, value=rows.value * factor, column_value=rows.column_value * factor)


def envelope_of(network: Network, most: np.ndarray, least_cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(convex, hub_share) of each zone: see `kernels.envelope`."""
    convex, share = np.zeros(most.size), np.zeros(most.size)
    kernels.envelope(  # type: ignore[call-arg]
        most, least_cost, *network.flows, network.avoided, network.constant, network.unsuitable, convex, share
    )
    return convex, share
