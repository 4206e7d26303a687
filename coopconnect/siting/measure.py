"""What open hubs do, site by site, with the demand shared; and the objectives that only this can measure."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from coopconnect.model import impact, viability
from coopconnect.model.choice import Values
from coopconnect.model.runs import Surroundings, site_results, surroundings
from coopconnect.model.viability import telepresence_installed
from coopconnect.scenario import Scenario
from coopconnect.siting import kernels
from coopconnect.siting.network import Network, entries_of

RESULT_OF = {"hours": "hours_per_year", "money": "eur_per_year", "co2": "kg_co2e_per_year", "users": "users",
             "score": "score"}  # fmt: skip
_DESK_VALUES = ("weeks_per_year", "working_days_per_week", "desk_service_share")


def sums_of(network: Network, sites: np.ndarray, total: np.ndarray) -> impact.Sums:
    """The six sums a year of each of `sites`, days shared by its odds over `total`, T of each zone."""
    n = network
    t = n.prepared.territory
    out = np.zeros((sites.size, 6))
    kernels.shared_sums(  # type: ignore[call-arg]
        sites, t.access_start, t.access_zone, n.odds, total, *n.flows, n.commute_min, n.commute_km, n.access_min,
        n.access_km, n.constant, n.unsuitable, out,
    )  # fmt: skip
    return impact.Sums(*np.ascontiguousarray(out.T))


def alone(network: Network) -> impact.Sums:
    """The sums of every site, each as the only hub."""
    n = network
    t = n.prepared.territory
    out = np.zeros((n.n_sites, 6))
    total = np.zeros(len(t.zones))
    for k in range(n.n_sites):
        span = slice(int(t.access_start[k]), int(t.access_start[k + 1]))
        total[t.access_zone[span]] = n.odds[span]
        kernels.shared_sums(  # type: ignore[call-arg]
            np.array([k]), t.access_start, t.access_zone, n.odds, total, *n.flows, n.commute_min, n.commute_km,
            n.access_min, n.access_km, n.constant, n.unsuitable, out[k : k + 1],
        )  # fmt: skip
    return impact.Sums(*np.ascontiguousarray(out.T))


def around_of(network: Network) -> Surroundings:
    """Surroundings of every site."""
    return surroundings(network.prepared, network.scenario, network.values)


def _at(around: Surroundings, sites: np.ndarray) -> Surroundings:
    return replace(
        around, workers=around.workers[sites], households=around.households[sites],
        population=around.population[sites], vulnerable=around.vulnerable[sites], hot_days=around.hot_days[sites],
    )  # fmt: skip


def results(
    network: Network, around: Surroundings, sites: np.ndarray, total: np.ndarray, desks: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Yearly figures of `sites` by name (as `assess` gives them), and the share of days turned away for want of desks.

    With `desks`, a site serves at most the daily mean that so many desks serve on the wanted share of days; who is
    turned away does as if there were no hub.
    """
    sums = sums_of(network, sites, total)
    kept = np.ones(sites.size)
    if desks:
        most = most_days(desks, network.values)
        kept = np.minimum(1.0, most / np.maximum(sums.hub_days, 1e-12))
        sums = impact.Sums(*(getattr(sums, f) * kept for f in impact.Sums.__dataclass_fields__))
    return site_results(sums, _at(around, sites), network.scenario, network.values), 1.0 - kept


def shared(network: Network, chosen: np.ndarray) -> tuple[Network, np.ndarray]:
    """The network in which the open hubs within reach of a home have, together, only the people of the best of them, each in
    proportion to its odds; and T of each zone for the set.

    The logit gives each further hub people of its own (red bus, blue bus): what it says of neighbours is the most, this
    the least. With M the largest of the odds of the open hubs, odds become odds * M / T, so that T becomes M.
    """
    t = network.prepared.territory
    total = network.zone_sums(chosen)
    pairs = entries_of(t.access_start, np.flatnonzero(chosen))
    best = np.zeros(total.size)
    np.maximum.at(best, t.access_zone[pairs], network.odds[pairs])
    factor = np.divide(best, total, out=np.zeros(total.size), where=total > 0.0)
    return replace(network, odds=network.odds * factor[t.access_zone]), best


def most_days(desks: int, values: Values) -> float:
    """Hub days a year that `desks` desks serve on the wanted share of working days."""
    return _most_days(desks, *(values[name] for name in _DESK_VALUES))


@lru_cache(maxsize=64)
def _most_days(desks: int, *of_values: float) -> float:
    values = dict(zip(_DESK_VALUES, of_values, strict=True))
    low, high = 0.0, float(desks) * values["weeks_per_year"] * values["working_days_per_week"]
    for _ in range(60):
        middle = 0.5 * (low + high)
        if float(viability.desks(np.array([middle]), values)[0]) <= desks:
            low = middle
        else:
            high = middle
    return low


def costs(hub_days: np.ndarray, scenario: Scenario, values: Values) -> tuple[np.ndarray, np.ndarray]:
    """Euros of opening (investment) and of each year (running) of sites with so many hub days."""
    desk_count = viability.desks(hub_days, values)
    beyond = np.maximum(desk_count / values["desks_per_small_hub"] - 1.0, 0.0)
    size = 1.0 + values["marginal_desk_cost_share"] * beyond
    room = 12.0 * scenario.telepresence_price_eur_per_month if telepresence_installed(scenario, values) else 0.0
    kind = scenario.premises
    return size * values[f"capex_{kind}_eur"], size * values[f"opex_{kind}_eur_per_year"] + room
