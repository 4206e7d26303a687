"""The `Assessment`: what maps, charts, tables and workbooks read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coopconnect.scenario import COMPONENTS, Scenario

RANGED = (
    "score", "users", "hub_days_per_year", "desks", "hours_per_year", "eur_per_year", "kg_co2e_per_year",
    "viability", "yearly_cost_eur", "hours_per_participating_household", "eur_per_participating_household",
    "kg_co2e_per_participating_household", "benefit_cost",
    *(f"component_{name}" for name in COMPONENTS),
)  # fmt: skip
"""Site columns that also have `<name>_low` and `<name>_high`."""

SITE_COLUMNS: dict[str, str] = {
    "zone_code": "INSEE code of the commune that hosts the hub",
    "name": "its name",
    "departement": "code of the département",
    "epci_name": "name of the EPCI",
    "rural": "True where the commune is rural",
    "lon": "degrees WGS84",
    "lat": "degrees WGS84",
    "population": "inhabitants of the commune",
    "rank": "rank among available sites of the territory, 1 is best; 0 where not available",
    "rank_low": "best rank over the low and high of every assumption, one at a time",
    "rank_high": "worst rank over the same",
    "tie_group": "sites that beat the first of their group under some assumption; 1 is the leading group",
    "tied": "True where another site shares the group",
    "available": "False where every host has refused",
    "red_flag": "True where hours, euros or CO2 are negative: the hub adds driving",
    "score": "0 to 100, weighted mean of the five components",
    "component_viability": "0 to 100, 100 = revenue and contribution cover the cost",
    "component_time": "0 to 100, hours kept per 1,000 EUR of yearly cost against its anchor",
    "component_money": "0 to 100, EUR kept per 1,000 EUR of yearly cost against its anchor",
    "component_co2": "0 to 100, kg avoided per 1,000 EUR of yearly cost against its anchor",
    "component_resilience": "0 to 100, mean of vulnerable households, hot days if cooled, cut roads",
    "users": "regular users (one per household)",
    "enough_users": "True where the central number of users reaches the core that a place needs before opening",
    "users_share": "users over employed residents within reach",
    "hub_days_per_year": "days worked at the hub a year",
    "substitution_share": "share of hub days that replace a drive to the office",
    "desks": "desks that suffice on the wanted share of working days",
    "hours_per_year": "hours kept a year by all users; negative when the hub adds travel",
    "eur_per_year": "EUR kept a year by all users, before the price of the hub",
    "kg_co2e_per_year": "kg CO2e avoided a year; negative when the hub adds emissions",
    "vehicle_km_per_year": "vehicle km avoided a year, net of rebound and of the drive to the hub",
    "hours_per_participating_household": "hours kept a year per user, all users together (the average user)",
    "hours_if_all_replaced": "hours kept a year per user, were every hub day of every user a drive less",
    "eur_per_participating_household": "EUR kept a year per user, before the price of the hub",
    "price_paid_per_participating_household_eur": "EUR a year that a user pays for the hub",
    "eur_after_price_per_participating_household": "EUR kept a year per user once the hub is paid; often negative",
    "kg_co2e_per_participating_household": "kg CO2e avoided a year per user",
    "hours_per_catchment_household": "hours kept a year over all households within reach",
    "hours_d1": "first decile of hours kept a year among users",
    "hours_d5": "median of hours kept a year among users",
    "hours_d9": "ninth decile of hours kept a year among users",
    "losing_share": "share of users who lose time",
    "workers_within_reach": "employed residents within the access limit",
    "households_within_reach": "households within the access limit",
    "population_within_reach": "inhabitants within the access limit",
    "yearly_cost_eur": "running cost and annualised investment",
    "revenue_eur_per_year": "days sold times the day price",
    "contribution_eur_per_year": "what the council gives",
    "break_even_users": "smallest number of users at which revenue and contribution cover the cost; infinite if none",
    "viability": "(revenue + contribution) / cost; 1 = break-even",
    "benefit_cost": "(EUR + hours * value of time + t * value of carbon) / yearly cost; beside the score",
    "net_public_cost_per_day_eur": "(cost - revenue) / hub days; what the public pays per day used",
    "vulnerable_share": "households of the catchment above the fuel effort threshold (modelled)",
    "hot_days": "days a year above 35 C in the catchment",
    "road_disruption_days": "days a year with a cut road",
}
"""Columns of `Assessment.sites` (the `RANGED` ones also with `_low` and `_high`), with their meaning."""

ZONE_COLUMNS: dict[str, str] = {
    "zone_code": "INSEE code of the home commune",
    "name": "its name",
    "departement": "code of the département",
    "rural": "True where the commune is rural",
    "population": "inhabitants",
    "households": "main residences",
    "workers": "employed residents (modelled unless official data are loaded)",
    "commute_km": "mean one-way road km of its employed residents",
    "commute_min": "mean one-way drive, minutes, peak",
    "remote_hours_per_worker": "hours a year that remote work at all saves, per employed resident",
    "remote_hours_per_household": "the same per household",
    "vulnerable_share": "households above the fuel effort threshold (modelled)",
    "best_site_code": "the site within reach that keeps most hours for this commune; empty if none",
    "best_site_name": "its name",
    "hub_users": "users of that site who live here",
    "hub_hours_per_year": "hours a year that site adds for residents of this commune",
    "hub_hours_per_household": "the same per household of the commune",
}

TOTALS = (
    "sites", "viable_sites", "viable_rural_sites", "median_score", "median_users", "median_hours_per_year",
    "hours_per_participating_household",
    "eur_per_participating_household", "kg_co2e_per_participating_household", "users_share",
    "substitution_share", "remote_hours_per_worker",
)  # fmt: skip


@dataclass(frozen=True)
class Range:
    """A central value between a low and a high."""

    low: float
    value: float
    high: float


@dataclass(frozen=True, eq=False)
class Calibration:
    """Constants of the choice and how well they meet their targets. See `coopconnect.model.calibration`.

    reached: what the calibrated model gives for each target; targets: what was asked; messages_fr and messages_en
    say which target could not hold and what was kept.
    """

    eligible_share: float
    permission_share: float
    scale_per_eur: float
    home_constant: float
    hub_constant_suitable: float
    hub_constant_unsuitable: float
    targets: dict[str, float]
    reached: dict[str, float]
    messages_fr: tuple[str, ...] = ()
    messages_en: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Assessment:
    """Every commune of a territory as the place of one hub, under one scenario.

    sites: one row per site (`SITE_COLUMNS`), in the order of `Territory.site_zone`.
    zones: one row per home commune of the territory (`ZONE_COLUMNS`).
    households: hours a year per participating household, rural sites together: columns `hours_from`, `hours_to`,
        `users_share` (a distribution that sums to 1).
    deciles: columns `decile` (10 to 90), `hours_rural` (all rural sites together), hours per participating household.
    totals: by the names of `TOTALS`.
    access_site, access_zone: for each access pair within reach, the row of `sites` and the row of
        `Territory.zones`; pair_users, pair_hours: users and hours a year of that pair.
    drawn: draws of an ensemble of which 5 and 95 % are the lows and highs; 0 where they are the ends of assumptions
        moved one at a time.
    """

    model_version: str
    scenario: Scenario
    territory_code: str
    territory_name: str
    sites: pd.DataFrame
    zones: pd.DataFrame
    households: pd.DataFrame
    deciles: pd.DataFrame
    histogram: np.ndarray
    histogram_edges: np.ndarray
    totals: dict[str, Range]
    access_site: np.ndarray
    access_zone: np.ndarray
    pair_users: np.ndarray
    pair_hours: np.ndarray
    calibration: Calibration
    modelled: tuple[str, ...]
    seconds: float = 0.0
    drawn: int = 0

    def site(self, code: str) -> pd.Series | None:
        """Row of a site by the INSEE code of its commune, or None."""
        found = self.sites.index[self.sites["zone_code"] == code]
        return None if found.empty else self.sites.loc[found[0]]
