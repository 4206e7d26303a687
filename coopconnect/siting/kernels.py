"""Compiled loops of a plan: what a set of open hubs is worth when each home shares its days among those in reach.

For a home zone, only two sums over its open hubs matter: T, the sum of hub odds, and M, the sum of hub odds times what
a hub day costs (its access). With O and A the odds of office and home, c the odds constant of each segment:

    suitable homes    hub share  c T / (O + A + c T), of which O / (O + A) would have gone to the office
    unsuitable homes  hub share  c T / (O + c T), all of which would have gone to the office
    worth = sum over flows of days * share * (worth of an office day avoided) - hub days * M / T
"""

from __future__ import annotations

import numpy as np
from numba import njit

_FAST = {"reassoc", "contract", "nsz"}


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def zone_worth(
    i: int, total: float, cost: float, flow_start: np.ndarray, office: np.ndarray, office_share: np.ndarray,
    home: np.ndarray, days: np.ndarray, avoided: np.ndarray, constant: np.ndarray, unsuitable: float,
) -> float:  # fmt: skip
    """Worth of zone i with sums T = `total` and M = `cost`. constant: (2,), odds constants of suitable, unsuitable."""
    if total <= 0.0:
        return 0.0
    first, last = flow_start[i], flow_start[i + 1]
    o, share, d, b = office[first:last], office_share[first:last], days[first:last], avoided[first:last]
    suitable_odds, unsuitable_odds = constant[0] * total, constant[1] * total
    at_home = home[i] + suitable_odds
    gain = hub = 0.0
    for f in range(o.size):
        s = (1.0 - unsuitable) * suitable_odds * d[f] / (o[f] + at_home)
        u = unsuitable * unsuitable_odds * d[f] / (o[f] + unsuitable_odds)
        gain += b[f] * (s * share[f] + u)
        hub += s + u
    return gain - hub * cost / total


@njit(cache=True, nogil=True)
def sums_of(
    zone_start: np.ndarray, zone_site: np.ndarray, zone_odds: np.ndarray, zone_cost: np.ndarray, chosen: np.ndarray,
    i: int,
) -> tuple[float, float]:  # fmt: skip
    """T and M of zone i for the set `chosen`."""
    total = cost = 0.0
    for p in range(zone_start[i], zone_start[i + 1]):
        if chosen[zone_site[p]]:
            total += zone_odds[p]
            cost += zone_odds[p] * zone_cost[p]
    return total, cost


@njit(cache=True, nogil=True)
def best_of(row_start: np.ndarray, row_site: np.ndarray, row_value: np.ndarray, chosen: np.ndarray, i: int) -> float:
    """Best value of row i among chosen sites (rows are sorted, best first)."""
    for p in range(row_start[i], row_start[i + 1]):
        if chosen[row_site[p]]:
            return row_value[p]
    return 0.0


@njit(cache=True, nogil=True)
def site_gain(
    j: int, access_start: np.ndarray, access_zone: np.ndarray, odds: np.ndarray, cost: np.ndarray,
    total: np.ndarray, spent: np.ndarray, worth: np.ndarray, flow_start: np.ndarray, office: np.ndarray,
    office_share: np.ndarray, home: np.ndarray, days: np.ndarray, avoided: np.ndarray, constant: np.ndarray,
    unsuitable: float, column_start: np.ndarray, column_row: np.ndarray, column_value: np.ndarray, best: np.ndarray,
) -> float:  # fmt: skip
    """What opening site j adds, given the state of each zone (total, spent, worth) and each row (best)."""
    gain = 0.0
    for p in range(access_start[j], access_start[j + 1]):
        i = access_zone[p]
        new = zone_worth(
            i, total[i] + odds[p], spent[i] + odds[p] * cost[p], flow_start, office, office_share, home, days, avoided,
            constant, unsuitable,
        )  # fmt: skip
        gain += new - worth[i]
    for q in range(column_start[j], column_start[j + 1]):
        gain += max(0.0, column_value[q] - best[column_row[q]])
    return gain


@njit(cache=True, nogil=True)
def refresh(
    k: int, chosen: np.ndarray, access_start: np.ndarray, access_zone: np.ndarray,
    zone_start: np.ndarray, zone_site: np.ndarray, zone_odds: np.ndarray, zone_cost: np.ndarray,
    total: np.ndarray, spent: np.ndarray, worth: np.ndarray, flow_start: np.ndarray, office: np.ndarray,
    office_share: np.ndarray, home: np.ndarray, days: np.ndarray, avoided: np.ndarray, constant: np.ndarray,
    unsuitable: float, column_start: np.ndarray, column_row: np.ndarray, row_start: np.ndarray, row_site: np.ndarray,
    row_value: np.ndarray, best: np.ndarray,
) -> float:  # fmt: skip
    """Set the state of every zone and row that site k touches from `chosen`; return by how much the worth moved."""
    moved = 0.0
    for p in range(access_start[k], access_start[k + 1]):
        i = access_zone[p]
        total[i], spent[i] = sums_of(zone_start, zone_site, zone_odds, zone_cost, chosen, i)
        new = zone_worth(
            i, total[i], spent[i], flow_start, office, office_share, home, days, avoided, constant, unsuitable
        )  # fmt: skip
        moved += new - worth[i]
        worth[i] = new
    for q in range(column_start[k], column_start[k + 1]):
        i = column_row[q]
        new = best_of(row_start, row_site, row_value, chosen, i)
        moved += new - best[i]
        best[i] = new
    return moved


@njit(cache=True, nogil=True)
def neighbours(
    k: int, access_start: np.ndarray, access_zone: np.ndarray, zone_start: np.ndarray, zone_site: np.ndarray,
    column_start: np.ndarray, column_row: np.ndarray, row_start: np.ndarray, row_site: np.ndarray, mark: np.ndarray,
) -> None:  # fmt: skip
    """Set `mark` (n_sites,) True for the sites that share a home zone or a row with site k."""
    for p in range(access_start[k], access_start[k + 1]):
        i = access_zone[p]
        for q in range(zone_start[i], zone_start[i + 1]):
            mark[zone_site[q]] = True
    for p in range(column_start[k], column_start[k + 1]):
        i = column_row[p]
        for q in range(row_start[i], row_start[i + 1]):
            mark[row_site[q]] = True


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def shared_sums(
    sites: np.ndarray, access_start: np.ndarray, access_zone: np.ndarray, odds: np.ndarray, total: np.ndarray,
    flow_start: np.ndarray, office: np.ndarray, office_share: np.ndarray, home: np.ndarray, days: np.ndarray,
    commute_min: np.ndarray, commute_km: np.ndarray, access_min: np.ndarray, access_km: np.ndarray,
    constant: np.ndarray, unsuitable: float, out: np.ndarray,
) -> None:  # fmt: skip
    """The six sums a year of each of `sites` (`impact.Sums`), each zone's days shared by its hub odds over `total`."""
    for r in range(sites.size):
        k = sites[r]
        for p in range(access_start[k], access_start[k + 1]):
            i = access_zone[p]
            if total[i] <= 0.0:
                continue
            hub = avoided = minutes = km = 0.0
            suitable_odds, unsuitable_odds = constant[0] * total[i], constant[1] * total[i]
            for f in range(flow_start[i], flow_start[i + 1]):
                s = (1.0 - unsuitable) * suitable_odds * days[f] / (office[f] + home[i] + suitable_odds)
                u = unsuitable * unsuitable_odds * days[f] / (office[f] + unsuitable_odds)
                away = s * office_share[f] + u
                hub += s + u
                avoided += away
                minutes += away * commute_min[f]
                km += away * commute_km[f]
            part = odds[p] / total[i]
            out[r, 0] += part * hub
            out[r, 1] += part * avoided
            out[r, 2] += part * minutes
            out[r, 3] += part * km
            out[r, 4] += part * hub * access_min[p]
            out[r, 5] += part * hub * access_km[p]


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def term(
    segment: int, f: int, i: int, office: np.ndarray, office_share: np.ndarray, home: np.ndarray, days: np.ndarray,
    avoided: np.ndarray, constant: np.ndarray, unsuitable: float,
) -> tuple[float, float, float]:  # fmt: skip
    """m, b and D of m (b T - M) / (D + T), what a flow f of zone i brings: segment 0 may work at home, 1 may not.

    m: days of the flow in that segment; b: what a day avoids; D = (office + home odds) / constant.
    """
    if segment == 0:
        return (1.0 - unsuitable) * days[f], avoided[f] * office_share[f], (office[f] + home[i]) / constant[0]
    return unsuitable * days[f], avoided[f], office[f] / constant[1]


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def envelope(
    most: np.ndarray, least_cost: np.ndarray, flow_start: np.ndarray, office: np.ndarray, office_share: np.ndarray,
    home: np.ndarray, days: np.ndarray, avoided: np.ndarray, constant: np.ndarray, unsuitable: float,
    convex: np.ndarray, hub_share: np.ndarray,
) -> None:  # fmt: skip
    """Per zone, at the largest possible T (`most`): hub_share = sum m / (D + most), what a unit of odds weighs at
    least, and convex = sum m min(0, b - least cost) / (D + most), the linear part of terms that lose.

    In each term m (b T - M) / (D + T), D is (office + home odds) / constant, m days.
    """
    for i in range(most.size):
        convex[i] = hub_share[i] = 0.0
        for f in range(flow_start[i], flow_start[i + 1]):
            for segment in range(2):
                m, b, d = term(segment, f, i, office, office_share, home, days, avoided, constant, unsuitable)
                hub_share[i] += m / (d + most[i])
                convex[i] += m * min(0.0, b - least_cost[i]) / (d + most[i])


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def concave_part(
    total: np.ndarray, least_cost: np.ndarray, flow_start: np.ndarray, office: np.ndarray, office_share: np.ndarray,
    home: np.ndarray, days: np.ndarray, avoided: np.ndarray, constant: np.ndarray, unsuitable: float,
    value: np.ndarray, slope: np.ndarray,
) -> None:  # fmt: skip
    """Per zone, sum over the terms that gain of m (b - least cost) T / (D + T), and its slope in T."""
    for i in range(total.size):
        v = s = 0.0
        for f in range(flow_start[i], flow_start[i + 1]):
            for segment in range(2):
                m, b, d = term(segment, f, i, office, office_share, home, days, avoided, constant, unsuitable)
                m *= max(0.0, b - least_cost[i])
                r = 1.0 / (d + total[i])
                v += m * total[i] * r
                s += m * d * r * r
        value[i], slope[i] = v, s


@njit(cache=True, nogil=True)
def gains_of(
    sites: np.ndarray, access_start: np.ndarray, access_zone: np.ndarray, odds: np.ndarray, cost: np.ndarray,
    total: np.ndarray, spent: np.ndarray, worth: np.ndarray, flow_start: np.ndarray, office: np.ndarray,
    office_share: np.ndarray, home: np.ndarray, days: np.ndarray, avoided: np.ndarray, constant: np.ndarray,
    unsuitable: float, column_start: np.ndarray, column_row: np.ndarray, column_value: np.ndarray, best: np.ndarray,
    gains: np.ndarray,
) -> None:  # fmt: skip
    """`site_gain` of each of `sites`, written in `gains` (n_sites,)."""
    for r in range(sites.size):
        gains[sites[r]] = site_gain(
            sites[r], access_start, access_zone, odds, cost, total, spent, worth, flow_start, office, office_share, home,
            days, avoided, constant, unsuitable, column_start, column_row, column_value, best,
        )  # fmt: skip


@njit(cache=True, nogil=True)
def first_of_each(order: np.ndarray, conflict_start: np.ndarray, conflict_site: np.ndarray, first: np.ndarray) -> None:
    """Part the sites of `order` into groups that all exclude one another, each begun by the first site that has no group
    yet; set `first` (n_sites,) True for those. A group takes the sites in order. conflict_site is sorted by site."""
    n = first.size
    rank = np.full(n, n)
    for r in range(order.size):
        rank[order[r]] = r
    taken = np.zeros(n, dtype=np.bool_)
    for k in order:
        if taken[k]:
            continue
        first[k] = taken[k] = True
        others = conflict_site[conflict_start[k] : conflict_start[k + 1]]
        mine = [k]
        for j in others[np.argsort(rank[others])]:
            if taken[j] or rank[j] == n:
                continue
            near = conflict_site[conflict_start[j] : conflict_start[j + 1]]
            fits = True
            for m in mine:
                at = np.searchsorted(near, m)
                if at == near.size or near[at] != m:
                    fits = False
                    break
            if fits:
                mine.append(j)
                taken[j] = True
