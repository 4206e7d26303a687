"""What plans can be worth at most where each site has so many desks.

A site turns away the same share of all who come, so that its days keep their mean worth: it cannot serve the best of its
people alone. With S what its N days are worth, C the days that its desks serve, and any toll mu >= 0 a day,

    min(1, C / N) S  =  mu min(N, C) + min(1, C / N) (S - mu N)  <=  mu C + max(0, S - mu N)

By site: S - mu N is bounded zone by zone on a few stretches of what the plan may open (`lines`). The toll is moved to where the
bound is least.

Together: max(0, S - mu N) is at most S - mu N + loss, loss the most that mu N - S can be. The sum of S - mu N over the open
sites is the worth, without desks, of a network whose hub days cost mu more: its bound, with mu C + loss added for each open
site, holds for any tolls. At mu = 0 it is the bound without desks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numba import njit

from coopconnect.siting.bound import ROUNDING
from coopconnect.siting.lines import CHORD, ENDS, OF_KINDS, TANGENT, Lines
from coopconnect.siting.search import Problem

_HALVINGS = 40


@njit(cache=True, nogil=True, error_model="numpy")
def _tolled(
    sign: float, k: int, toll: float, access_start: np.ndarray, access_zone: np.ndarray, odds: np.ndarray,
    cost: np.ndarray, base: np.ndarray, fixed: np.ndarray, tables: np.ndarray,
) -> tuple[float, float]:  # fmt: skip
    """At least the most of sign (S - toll N) of site k, and the days N where it lies."""
    total = number = 0.0
    for p in range(access_start[k], access_start[k + 1]):
        i = access_zone[p]
        least = base[i] + (0.0 if fixed[k] else odds[p])
        c = cost[p] + toll
        q_at = OF_KINDS if sign > 0.0 else OF_KINDS + 2  # chords lie above, tangents below
        p_at = TANGENT if sign * c >= 0.0 else CHORD
        best, days = -np.inf, 0.0
        for g in range(tables.shape[1]):
            low, high = tables[i, g, ENDS], tables[i, g, ENDS + 1]
            if high < least and g + 1 < tables.shape[1]:
                continue
            first = min(1.0, max(0.0, least - low) / (high - low)) if high > low else 0.0
            for side in range(2):
                u = 1.0 if side else first
                worth = (1.0 - u) * tables[i, g, q_at] + u * tables[i, g, q_at + 1]
                served = (1.0 - u) * tables[i, g, p_at] + u * tables[i, g, p_at + 1]
                if sign * (worth - c * served) > best:
                    best, days = sign * (worth - c * served), served
        total += odds[p] * best
        number += odds[p] * days
    return total, number


@njit(cache=True, nogil=True, error_model="numpy")
def _most_of_each(
    sites: np.ndarray, most_days: float, dearest: float, access_start: np.ndarray, access_zone: np.ndarray,
    odds: np.ndarray, cost: np.ndarray, base: np.ndarray, fixed: np.ndarray, tables: np.ndarray, out: np.ndarray, tolls: np.ndarray,
) -> None:  # fmt: skip
    """Halve between tolls at which the desks are still full and at which they are not."""
    for r in range(sites.size):
        low, high, toll = 0.0, dearest, 0.0
        out[r] = np.inf
        for _ in range(_HALVINGS):
            gain, days = _tolled(1.0, sites[r], toll, access_start, access_zone, odds, cost, base, fixed, tables)
            value = toll * most_days + max(0.0, gain)
            if value < out[r]:
                out[r], tolls[r] = value, toll
            if gain > 0.0 and days > most_days:
                low = toll
            else:
                high = toll
            toll = 0.5 * (low + high)


@njit(cache=True, nogil=True, error_model="numpy")
def _loss_of_each(
    tolls: np.ndarray, access_start: np.ndarray, access_zone: np.ndarray, odds: np.ndarray, cost: np.ndarray,
    base: np.ndarray, fixed: np.ndarray, tables: np.ndarray, out: np.ndarray,
) -> None:  # fmt: skip
    for k in range(out.size):
        out[k] = max(0.0, _tolled(-1.0, k, tolls[k], access_start, access_zone, odds, cost, base, fixed, tables)[0])


class Desks:
    """Bounds of a problem whose sites serve `most_days` hub days a year at most, in the unit of the problem.

    most: (n_sites,) what each site is worth at most, whatever else is open; tolls: a day, where that is least.
    """

    def __init__(self, problem: Problem, most_days: float) -> None:
        self.problem, self.most_days = problem, most_days
        n = problem.network
        self.lines = Lines(problem, n.avoided[None])
        self.dearest = float(n.avoided.max(initial=0.0) - n.cost.min(initial=0.0))
        self.most, self.tolls = self._most(np.arange(n.n_sites), problem.fixed)

    def beside(self, sites: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        """What each of `sites` is worth at most where the sites of `fixed` are open, (sites,)."""
        return self._most(sites, fixed)[0]

    def _most(self, sites: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        out, tolls = np.zeros(sites.size), np.zeros(sites.size)
        _most_of_each(  # type: ignore[call-arg]
            sites, self.most_days, self.dearest, *self._reach(sites, fixed), out, tolls
        )  # fmt: skip
        return out * (1.0 + ROUNDING), tolls

    def _reach(self, sites: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, ...]:
        start, zone, odds, *rest = self.lines.beside(sites, fixed)
        return start, zone, odds, self.problem.network.cost, *rest

    def tolled(self, share: float) -> Problem:
        """The problem without desks whose bound holds with them, each toll at `share` of its own."""
        n = self.problem.network
        tolls = share * self.tolls
        loss = np.zeros(tolls.size)
        _loss_of_each(tolls, *self._reach(np.arange(n.n_sites), self.problem.fixed), loss)  # type: ignore[call-arg]
        network = replace(n, cost=n.cost + tolls[n.prepared.access_site])
        return replace(self.problem, network=network, toll=tolls * self.most_days + loss * (1.0 + ROUNDING))
