"""Does a site pay for itself: desks, cost, revenue, break-even."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import ndtri, pdtri

from coopconnect.model.choice import Values, telepresence_installed
from coopconnect.scenario import Scenario

MOST_USERS = 300
"""Users up to which a break-even is sought."""

_MOST_DESKS = 2000


def annuity(capital_eur: float, rate: float, years: float) -> float:
    """Constant yearly payment that repays a capital.

    capital * rate / (1 - (1 + rate) ** -years); capital / years at a zero rate. Example: 20,000 EUR at 4 % over
    15 years cost 1,799 EUR a year.
    """
    if rate == 0.0:
        return capital_eur / years
    return capital_eur * rate / (1.0 - (1.0 + rate) ** -years)


@lru_cache(maxsize=16)
def _desk_limits(service_share: float) -> np.ndarray:
    """Largest mean of daily users that 0, 1, 2 ... desks serve on that share of days: P(Poisson <= d) = share."""
    return np.asarray(pdtri(np.arange(_MOST_DESKS), service_share))


def desks(hub_days_per_year: np.ndarray, values: Values) -> np.ndarray:
    """Desks that suffice on `desk_service_share` of working days, (n,).

    Daily users are taken as Poisson with the mean of hub days over working days: the smallest d with
    P(users <= d) at least the wanted share, at least one where anybody comes. Above `_MOST_DESKS`, the normal law.
    """
    days = values["weeks_per_year"] * values["working_days_per_week"]
    mean = np.maximum(hub_days_per_year, 0.0) / days
    wanted = values["desk_service_share"]
    found = np.searchsorted(_desk_limits(wanted), mean).astype(float)
    found = np.where(found < _MOST_DESKS, found, np.ceil(mean + ndtri(wanted) * np.sqrt(mean)))
    return np.where(mean > 0.0, np.maximum(found, 1.0), 0.0)


def yearly_cost_eur(desk_count: np.ndarray, scenario: Scenario, values: Values) -> np.ndarray:
    """Running cost and annualised investment of a site, (n,).

    A small hub of `desks_per_small_hub` desks is the unit that the evidence prices; beyond, each further desk costs
    `marginal_desk_cost_share` of the mean cost of a desk of that unit. A telepresence room is added where its price
    is under the threshold.
    """
    running, investment = _unit_cost_eur(scenario, values)
    return _size(desk_count, values) * (running + investment) + _room_eur(scenario, values)


def cost_parts_eur(desk_count: np.ndarray, scenario: Scenario, values: Values) -> tuple[np.ndarray, ...]:
    """`yearly_cost_eur` taken apart, each (n,): running cost, annualised investment, telepresence room."""
    size = _size(desk_count, values)
    running, investment = _unit_cost_eur(scenario, values)
    return size * running, size * investment, np.full_like(size, _room_eur(scenario, values))


def _unit_cost_eur(scenario: Scenario, values: Values) -> tuple[float, float]:
    """Running cost and annuity of one small hub."""
    kind = scenario.premises
    capital = values[f"capex_{kind}_eur"]
    return values[f"opex_{kind}_eur_per_year"], annuity(capital, values["discount_rate"], values["capex_life_years"])


def _size(desk_count: np.ndarray, values: Values) -> np.ndarray:
    """Cost of a site of so many desks over that of a small hub."""
    beyond = np.maximum(desk_count / values["desks_per_small_hub"] - 1.0, 0.0)
    return np.asarray(1.0 + values["marginal_desk_cost_share"] * beyond)


def _room_eur(scenario: Scenario, values: Values) -> float:
    return 12.0 * scenario.telepresence_price_eur_per_month if telepresence_installed(scenario, values) else 0.0


def break_even_users(days_per_user: float, scenario: Scenario, values: Values) -> float:
    """The smallest number of users at which revenue and contribution cover the cost, infinite where there is none.

    More users need more desks, which cost more: the cost is that of the desks that so many users need. The answer is
    the same for every site of a scenario. Sought up to `MOST_USERS`, to half a user.
    """
    users = np.linspace(0.0, MOST_USERS, 2 * MOST_USERS + 1)
    days = users * days_per_user
    cost = yearly_cost_eur(desks(days, values), scenario, values)
    income = days * scenario.day_price_eur + scenario.council_contribution_eur_per_year
    enough = np.flatnonzero(income >= cost)
    return float(users[enough[0]]) if enough.size else float("inf")
