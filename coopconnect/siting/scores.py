"""The most that a site can score, whatever else is open.

A score adds points for hours, euros and kg CO2e a year over the yearly cost of the site, points for users, and points that no
neighbour changes (`model.score`). Neighbours take users; they can also raise the hours that are left, where they take those
who lose. For a band of hub days N, low < N <= high, the site costs at least what `low` days need, and for any toll mu a day

    S <= mu high + most (S - mu N), mu >= 0        S <= mu low + most (S - mu N), mu < 0

S a sum of points times cost, most found zone by zone on a few stretches of T (`lines`). The components that are above nothing
are not known beforehand: the bound is the largest over the sets that they can be, and of each set the least over those that
are at 100 points. The most over the bands, from the days that the site has alone down to none, is the most that it can score.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from coopconnect.model import score, viability
from coopconnect.model.choice import cost_per_km_eur
from coopconnect.model.impact import emission_kg_per_km
from coopconnect.model.runs import Surroundings
from coopconnect.siting.bound import ROUNDING
from coopconnect.siting.lines import CHORD, ENDS, OF_KINDS, TANGENT, Lines
from coopconnect.siting.network import Network, in_unit
from coopconnect.siting.search import Problem

_BANDS = np.concatenate([0.98 ** np.arange(60), 0.98**59 * 0.85 ** np.arange(1, 20), [0.0]])
"""Edges of the bands, as shares of the days that a site has alone: narrow near the top, where the most is found; wide below."""
_TOLLS = np.concatenate([-np.geomspace(1.0, 1.0 / 64.0, 10), [0.0], np.geomspace(1.0 / 256.0, 1.0, 24)])
"""Tolls tried, as shares of the most that an avoided day can be worth: any toll bounds, the least of them is kept."""
_AT_ONCE = 2000
"""Sites whose bands are worked out together: all of France at once would take half a gigabyte."""
_SETS = ("h", "mc", "hm", "hc", "hmc")
"""Hours, money, CO2e: sets whose sum is bounded. Money and CO2e follow the same km, so that each is a share of `mc`."""


@njit(cache=True, nogil=True, error_model="numpy")
def _tolled(
    sites: np.ndarray, weights: np.ndarray, tolls: np.ndarray, access_start: np.ndarray, access_zone: np.ndarray,
    odds: np.ndarray, base: np.ndarray, fixed: np.ndarray, hours: np.ndarray, km: np.ndarray, tables: np.ndarray, most: np.ndarray,
    days: np.ndarray,
) -> None:  # fmt: skip
    """most (sites, sets, tolls): at least the most of S - toll N; days (sites,): of N. weights: (sets, 2), of hours and km."""
    sets, stretches = weights.shape[0], tables.shape[1]
    at = np.empty((2 * stretches, 4))
    for r in range(sites.size):
        most[r] = 0.0
        days[r] = 0.0
        for p in range(access_start[sites[r]], access_start[sites[r] + 1]):
            i = access_zone[p]
            least = base[i] + (0.0 if fixed[sites[r]] else odds[p])
            n = 0
            for g in range(stretches):
                low, high = tables[i, g, ENDS], tables[i, g, ENDS + 1]
                if high < least and g + 1 < stretches:
                    continue
                first = min(1.0, max(0.0, least - low) / (high - low)) if high > low else 0.0
                for side in range(2):
                    u = 1.0 if side else first
                    for column, place in ((0, CHORD), (1, TANGENT), (2, OF_KINDS), (3, OF_KINDS + 4)):
                        at[n, column] = (1.0 - u) * tables[i, g, place] + u * tables[i, g, place + 1]
                    n += 1
            days[r] += odds[p] * at[0, 0]
            for s in range(sets):
                cost = weights[s, 0] * hours[p] + weights[s, 1] * km[p]
                for m in range(tolls.shape[1]):
                    c = cost + tolls[s, m]
                    served = 1 if c >= 0.0 else 0
                    best = -np.inf
                    for q in range(n):
                        worth = weights[s, 0] * at[q, 2] + weights[s, 1] * at[q, 3] - c * at[q, served]
                        best = max(best, worth)
                    most[r, s, m] += odds[p] * best


@njit(cache=True, nogil=True, error_model="numpy")
def _by_band(most: np.ndarray, tolls: np.ndarray, low: np.ndarray, high: np.ndarray, out: np.ndarray) -> None:
    """out (sites, bands, sets): at least the most of S where low < N <= high."""
    for r in range(out.shape[0]):
        for b in range(out.shape[1]):
            for s in range(out.shape[2]):
                best = np.inf
                for m in range(tolls.shape[1]):
                    toll = tolls[s, m]
                    best = min(best, most[r, s, m] + toll * (high[r, b] if toll >= 0.0 else low[r, b]))
                out[r, b, s] = max(0.0, best)


class Scores:
    """Bounds of the score of each site. most_days: hub days a year that its desks serve, infinite where they do not run out."""

    def __init__(self, problem: Problem, network: Network, around: Surroundings, most_days: float) -> None:
        self.network, self.around, self.most_days = network, around, most_days
        scenario, values = network.scenario, network.values
        weights = np.asarray(scenario.weights())
        self.share = weights / weights.sum()
        kept = 1.0 - values["rebound_share"]
        self.lines = Lines(problem, np.stack([network.commute_min / 60.0, kept * network.commute_km]))
        self.hours = in_unit(network, "hours").cost
        points = 100.0 * 1000.0 * self.share[1:4] / np.array(
            [values[f"anchor_{name}_per_1000_eur"] for name in ("hours", "eur", "co2_kg")]
        )  # fmt: skip
        per = {
            "h": np.array([points[0], 0.0]), "m": np.array([0.0, points[1] * cost_per_km_eur(scenario, values)]),
            "c": np.array([0.0, points[2] * emission_kg_per_km(scenario, values)]),
        }  # fmt: skip
        self.weights = np.stack([sum((per[c] for c in name), np.zeros(2)) for name in _SETS])
        self.money_of_km = per["m"][1] / max(per["m"][1] + per["c"][1], 1e-300)
        worth = self.weights @ self.lines.avoided.max(axis=1, initial=0.0)
        self.tolls = worth[:, None] * _TOLLS

    def beside(self, sites: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        """The most that each of `sites` can score where the sites of `fixed` are open, (sites,)."""
        *reach, tables = self.lines.beside(sites, fixed)
        parts = np.array_split(sites, 1 + sites.size // _AT_ONCE)
        return np.concatenate([self._most(part, (*reach, tables)) for part in parts])

    def _most(self, sites: np.ndarray, lines: tuple[np.ndarray, ...]) -> np.ndarray:
        *reach, tables = lines
        tolled, days = np.zeros((sites.size, len(_SETS), self.tolls.shape[1])), np.zeros(sites.size)
        _tolled(  # type: ignore[call-arg]
            sites, self.weights, self.tolls, *reach, self.hours, self.network.access_km, tables,
            tolled, days,
        )  # fmt: skip
        edges = days[:, None] * (1.0 + ROUNDING) * _BANDS
        high, low = edges[:, :-1], edges[:, 1:]
        sums = np.zeros((*high.shape, len(_SETS)))
        _by_band(tolled, self.tolls, low, high, sums)  # type: ignore[call-arg]
        scenario, values = self.network.scenario, self.network.values
        served = np.minimum(high, self.most_days)
        cost = viability.yearly_cost_eur(
            np.maximum(viability.desks(np.minimum(low, self.most_days), values), 1.0), scenario, values
        )  # fmt: skip
        ratio = (served * scenario.day_price_eur + scenario.council_contribution_eur_per_year) / cost
        users = score.viability_points(ratio, served / self.network.days_per_user, values["core_users_gate"])
        kept = np.minimum(1.0, self.most_days / np.maximum(low, 1e-12))  # full desks turn the same share of all away
        points = self._together(sums * (kept / cost)[:, :, None]) + self.share[0] * users
        a = self.around
        steady = score.resilience_points(
            a.vulnerable[sites], a.hot_days[sites], a.road_days, scenario, values
        )  # fmt: skip
        return np.asarray((points.max(axis=1) + self.share[4] * steady) * (1.0 + ROUNDING))

    def _together(self, sums: np.ndarray) -> np.ndarray:
        """At least the points of hours, money and CO2e together, from the sums of `_SETS`, (sites, bands)."""
        h, mc, hm, hc, hmc = np.moveaxis(sums, 2, 0)
        m, c = self.money_of_km * mc, (1.0 - self.money_of_km) * mc
        top_h, top_m, top_c = 100.0 * self.share[1:4]
        least = np.minimum.reduce
        hours = np.minimum(h, top_h)
        km = least([np.full_like(h, top_m + top_c), top_m + c, m + top_c, mc])
        all_three = least(
            [top_h + km, hours + top_m + top_c, hm + top_c, hc + top_m, hmc]
        )  # fmt: skip
        return np.maximum.reduce([np.zeros_like(h), hours, km, all_three])
