"""What plans can be worth at most where each site has so many desks.

A site turns away the same share of all who come, so that its days keep their mean worth: it cannot serve the best of its
people alone. With S what its N days are worth, C the days that its desks serve, and any toll mu >= 0 a day,

    min(1, C / N) S  =  mu min(N, C) + min(1, C / N) (S - mu N)  <=  mu C + max(0, S - mu N)

By site: S - mu N is a sum over the home zones in reach of odds (Q - (access cost + mu) P), Q = sum m b / (D + T),
P = sum m / (D + T) (`kernels`), and T lies between what is open whatever the plan and the most that the plan may open. Q
and P are convex in T: on each of a few stretches of T, Q lies under its chord and P above its tangent, so that the most is
at an end of one. The toll is moved to where the bound is least.

Together: max(0, S - mu N) is at most S - mu N + loss, loss the most that mu N - S can be. The sum of S - mu N over the open
sites is the worth, without desks, of a network whose hub days cost mu more: its bound, with mu C + loss added for each open
site, holds for any tolls. At mu = 0 it is the bound without desks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numba import njit

from coopconnect.siting.bound import ROUNDING, Ceiling
from coopconnect.siting.kernels import term
from coopconnect.siting.search import Problem

_STRETCHES = 12
_HALVINGS = 40


@njit(cache=True, nogil=True, error_model="numpy")
def _zone_tables(
    base: np.ndarray, most: np.ndarray, flow_start: np.ndarray, office: np.ndarray, office_share: np.ndarray,
    home: np.ndarray, days: np.ndarray, avoided: np.ndarray, constant: np.ndarray, unsuitable: float, tables: np.ndarray,
) -> None:  # fmt: skip
    """By zone and stretch of T from `base` to `most`: its two ends; then, at each end, Q, Q's tangent at the middle, P and
    P's tangent."""
    for i in range(base.size):
        for g in range(tables.shape[1]):
            for side in range(2):
                share = ((g + side) / tables.shape[1]) ** 2
                tables[i, g, side] = base[i] + max(0.0, most[i] - base[i]) * share
            middle = 0.5 * (tables[i, g, 0] + tables[i, g, 1])
            for f in range(flow_start[i], flow_start[i + 1]):
                for segment in range(2):
                    m, b, d = term(segment, f, i, office, office_share, home, days, avoided, constant, unsuitable)
                    r = 1.0 / (d + middle)
                    for side in range(2):
                        t = tables[i, g, side]
                        chord, tangent = m / (d + t), m * r * (1.0 - (t - middle) * r)
                        tables[i, g, 2 + side] += b * chord
                        tables[i, g, 4 + side] += b * tangent
                        tables[i, g, 6 + side] += chord
                        tables[i, g, 8 + side] += tangent


@njit(cache=True, nogil=True, error_model="numpy")
def _tolled(
    sign: float, k: int, toll: float, access_start: np.ndarray, access_zone: np.ndarray, odds: np.ndarray,
    cost: np.ndarray, least: np.ndarray, tables: np.ndarray,
) -> tuple[float, float]:  # fmt: skip
    """At least the most of sign (S - toll N) of site k, and the days N where it lies."""
    total = number = 0.0
    for p in range(access_start[k], access_start[k + 1]):
        i = access_zone[p]
        c = cost[p] + toll
        q_at = 2 if sign > 0.0 else 4  # chords lie above, tangents below
        p_at = 8 if sign * c >= 0.0 else 6
        best, days = -np.inf, 0.0
        for g in range(tables.shape[1]):
            low, high = tables[i, g, 0], tables[i, g, 1]
            if high < least[p] and g + 1 < tables.shape[1]:
                continue
            first = min(1.0, max(0.0, least[p] - low) / (high - low)) if high > low else 0.0
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
    most_days: float, dearest: float, access_start: np.ndarray, access_zone: np.ndarray, odds: np.ndarray,
    cost: np.ndarray, least: np.ndarray, tables: np.ndarray, out: np.ndarray, tolls: np.ndarray,
) -> None:  # fmt: skip
    """Halve between tolls at which the desks are still full and at which they are not."""
    for k in range(out.size):
        low, high, toll = 0.0, dearest, 0.0
        out[k] = np.inf
        for _ in range(_HALVINGS):
            gain, days = _tolled(1.0, k, toll, access_start, access_zone, odds, cost, least, tables)
            value = toll * most_days + max(0.0, gain)
            if value < out[k]:
                out[k], tolls[k] = value, toll
            if gain > 0.0 and days > most_days:
                low = toll
            else:
                high = toll
            toll = 0.5 * (low + high)


@njit(cache=True, nogil=True, error_model="numpy")
def _loss_of_each(
    tolls: np.ndarray, access_start: np.ndarray, access_zone: np.ndarray, odds: np.ndarray, cost: np.ndarray,
    least: np.ndarray, tables: np.ndarray, out: np.ndarray,
) -> None:  # fmt: skip
    for k in range(out.size):
        out[k] = max(0.0, _tolled(-1.0, k, tolls[k], access_start, access_zone, odds, cost, least, tables)[0])


class Desks:
    """Bounds of a problem whose sites serve `most_days` hub days a year at most, in the unit of the problem.

    most: (n_sites,) what each site is worth at most, whatever else is open; tolls: a day, where that is least.
    """

    def __init__(self, problem: Problem, most_days: float) -> None:
        self.problem, self.most_days = problem, most_days
        n = problem.network
        t = n.prepared.territory
        fixed = problem.fixed[n.prepared.access_site]
        base = np.bincount(t.access_zone[fixed], weights=n.odds[fixed], minlength=len(t.zones))
        tables = np.zeros((base.size, _STRETCHES, 10))
        most = Ceiling(problem, problem.allowed | problem.fixed).most()
        _zone_tables(base, most, *n.flows, n.avoided, n.constant, n.unsuitable, tables)  # type: ignore[call-arg]
        least = base[t.access_zone] + np.where(fixed, 0.0, n.odds)
        self.reach = (t.access_start, t.access_zone, n.odds, n.cost, least, tables)
        dearest = float(n.avoided.max(initial=0.0) - n.cost.min(initial=0.0))
        self.most, self.tolls = np.zeros(n.n_sites), np.zeros(n.n_sites)
        _most_of_each(most_days, dearest, *self.reach, self.most, self.tolls)  # type: ignore[call-arg]
        self.most *= 1.0 + ROUNDING

    def tolled(self, share: float) -> Problem:
        """The problem without desks whose bound holds with them, each toll at `share` of its own."""
        n = self.problem.network
        tolls = share * self.tolls
        loss = np.zeros(tolls.size)
        _loss_of_each(tolls, *self.reach, loss)  # type: ignore[call-arg]
        network = replace(n, cost=n.cost + tolls[n.prepared.access_site])
        return replace(self.problem, network=network, toll=tolls * self.most_days + loss * (1.0 + ROUNDING))
