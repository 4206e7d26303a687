"""The compiled inner loops: every commuter's choice between the office, home and one hub.

Plain loops over sparse rows, compiled by numba without the GIL, so that several runs share the cores in threads.
Written for the vector units: slices (an index that may be negative is not vectorised) and numpy's division (Python's
would test each divisor); together they halve the time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_FAST = {"reassoc", "contract", "nsz"}

N_SUMS = 5
"""Columns of the pair sums: hub days, office days avoided, commute minutes and vehicle km avoided (return trips
of the avoided office days), commute minutes of every hub day, as if each replaced a drive."""


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def pair_sums(
    access_start: np.ndarray, access_zone: np.ndarray,
    hub_odds_suitable: np.ndarray, hub_odds_unsuitable: np.ndarray,
    flow_start: np.ndarray, office_odds: np.ndarray, office_share: np.ndarray, home_odds: np.ndarray,
    days: np.ndarray, unsuitable_share: float,
    commute_min: np.ndarray, commute_km: np.ndarray, out: np.ndarray,
) -> None:  # fmt: skip
    """Fill `out` (n_access, N_SUMS) for every access pair, one hub open at a time.

    For the flow f of a home zone with office odds O, home odds A, and a hub with odds H (exponentials of utility):
    suitable homes    P(hub) = H / (O + A + H), of which office_share = O / (O + A) would have gone to the office
    unsuitable homes  P(hub) = H / (O + H), all of which would have gone to the office
    days are the allowed days a year of the flow; commute_min and commute_km are those of the return trip.
    """
    suitable_share = 1.0 - unsuitable_share
    for s in range(access_start.size - 1):
        for p in range(access_start[s], access_start[s + 1]):
            i = access_zone[p]
            hs, hu = hub_odds_suitable[p], hub_odds_unsuitable[p]
            a = home_odds[i] + hs
            from_suitable = from_unsuitable = avoided = minutes = km = minutes_suitable = minutes_unsuitable = 0.0
            first, last = flow_start[i], flow_start[i + 1]
            office, share, allowed = office_odds[first:last], office_share[first:last], days[first:last]
            return_min, return_km = commute_min[first:last], commute_km[first:last]
            for f in range(office.size):
                o = office[f]
                suitable = allowed[f] / (o + a)
                unsuitable = allowed[f] / (o + hu)
                away = suitable_share * hs * suitable * share[f] + unsuitable_share * hu * unsuitable
                from_suitable += suitable
                from_unsuitable += unsuitable
                minutes_suitable += suitable * return_min[f]
                minutes_unsuitable += unsuitable * return_min[f]
                avoided += away
                minutes += away * return_min[f]
                km += away * return_km[f]
            weight_suitable, weight_unsuitable = suitable_share * hs, unsuitable_share * hu
            out[p, 0] = weight_suitable * from_suitable + weight_unsuitable * from_unsuitable
            out[p, 1] = avoided
            out[p, 2] = minutes
            out[p, 3] = km
            out[p, 4] = weight_suitable * minutes_suitable + weight_unsuitable * minutes_unsuitable


@njit(cache=True, nogil=True, error_model="numpy")
def flow_odds(
    flow_start: np.ndarray, office_eur: np.ndarray, scale: float, home_odds: np.ndarray,
    office_odds: np.ndarray, office_share: np.ndarray,
) -> None:  # fmt: skip
    """Fill, per flow, O = exp(-scale * office_eur) and O / (O + A), A the home odds of its zone."""
    for i in range(flow_start.size - 1):
        for f in range(flow_start[i], flow_start[i + 1]):
            o = np.exp(-scale * office_eur[f])
            office_odds[f] = o
            office_share[f] = o / (o + home_odds[i])


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def site_sums(
    access_start: np.ndarray, access_zone: np.ndarray,
    hub_odds_suitable: np.ndarray, hub_odds_unsuitable: np.ndarray,
    flow_start: np.ndarray, office_odds: np.ndarray, office_share: np.ndarray, home_odds: np.ndarray,
    workers: np.ndarray, unsuitable_share: float, drive_min: np.ndarray, commute_km: np.ndarray,
    access_min: np.ndarray, access_km: np.ndarray, out: np.ndarray,
) -> None:  # fmt: skip
    """The sums of `pair_sums` by site, `out` (n_sites, 6): hub days, office days avoided, their minutes and km, and
    the minutes and km of the hub days. The same loop without the pairs, for the runs of the ranges, in single
    precision inside a home zone (half the time, 1e-6 of the result); sums over zones are double. Days are per day
    allowed to a worker, minutes those of `drive_min` (one way, as stored): the caller scales both.
    """
    one = np.float32(1.0)
    for s in range(access_start.size - 1):
        for p in range(access_start[s], access_start[s + 1]):
            i = access_zone[p]
            hs, hu = np.float32(hub_odds_suitable[p]), np.float32(hub_odds_unsuitable[p])
            a = np.float32(home_odds[i]) + hs
            from_suitable = (one - np.float32(unsuitable_share)) * hs
            from_unsuitable = np.float32(unsuitable_share) * hu
            hub = avoided = minutes = km = np.float32(0.0)
            first, last = flow_start[i], flow_start[i + 1]
            office, share, allowed = office_odds[first:last], office_share[first:last], workers[first:last]
            one_way_min, return_km = drive_min[first:last], commute_km[first:last]
            for f in range(office.size):
                o = office[f]
                suitable = from_suitable * allowed[f] / (o + a)
                unsuitable = from_unsuitable * allowed[f] / (o + hu)
                away = suitable * share[f] + unsuitable
                hub += suitable + unsuitable
                avoided += away
                minutes += away * one_way_min[f]
                km += away * return_km[f]
            out[s, 0] += hub
            out[s, 1] += avoided
            out[s, 2] += minutes
            out[s, 3] += km
            out[s, 4] += hub * access_min[p]
            out[s, 5] += hub * access_km[p]


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def hours_histogram(
    access_start: np.ndarray, access_zone: np.ndarray,
    hub_odds_suitable: np.ndarray, hub_odds_unsuitable: np.ndarray,
    flow_start: np.ndarray, office_odds: np.ndarray, office_share: np.ndarray, home_odds: np.ndarray,
    days: np.ndarray, unsuitable_share: float, commute_min: np.ndarray, access_min: np.ndarray,
    days_per_user: float, first_edge: float, bin_width: float, out: np.ndarray,
) -> None:  # fmt: skip
    """Users of each site by the hours a year they keep: `out` (n_sites, n_bins) is added to, in users.

    The two segments are two kinds of users. One whose home does not suit replaces a drive each time and keeps
    days_per_user * (commute_min - access_min) / 60 hours; one whose home suits would have driven on office_share of
    the days only: days_per_user * (office_share * commute_min - access_min) / 60. Minutes are return trips. The first
    and last bins hold what lies beyond.
    """
    last = out.shape[1] - 1
    suitable_share = 1.0 - unsuitable_share
    for s in range(access_start.size - 1):
        for p in range(access_start[s], access_start[s + 1]):
            i = access_zone[p]
            hs, hu = hub_odds_suitable[p], hub_odds_unsuitable[p]
            a = home_odds[i] + hs
            lost = access_min[p]
            for f in range(flow_start[i], flow_start[i + 1]):
                o = office_odds[f]
                users = days[f] / days_per_user
                suitable = days_per_user * (office_share[f] * commute_min[f] - lost) / 60.0
                b = min(max(int((suitable - first_edge) / bin_width), 0), last)
                out[s, b] += users * suitable_share * hs / (o + a)
                unsuitable = days_per_user * (commute_min[f] - lost) / 60.0
                b = min(max(int((unsuitable - first_edge) / bin_width), 0), last)
                out[s, b] += users * unsuitable_share * hu / (o + hu)


@njit(cache=True, nogil=True)
def row_sums(start: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    """Sum the rows of `values` (n, c) into `out` (len(start) - 1, c), row by row of a sparse table."""
    for s in range(start.size - 1):
        for p in range(start[s], start[s + 1]):
            for c in range(values.shape[1]):
                out[s, c] += values[p, c]


@njit(cache=True, nogil=True)
def mean_office_share(
    scale: float, constant: float, office_eur: np.ndarray, home_eur: np.ndarray, flow_zone: np.ndarray,
    weight: np.ndarray,
) -> tuple[float, float, float]:  # fmt: skip
    """Weighted mean of P(office) of suitable homes, no hub open, and its slopes in the home constant and the scale.

    P = 1 / (1 + exp(constant - scale * gap)), gap = home - office in euros; slopes -mean of P (1 - P), and
    mean of P (1 - P) gap. office_eur, flow_zone, weight: per flow; home_eur: per zone. A loop, because the
    calibration asks for it several times and arrays made and dropped in a server's thread cost more than the sum.
    """
    total = slope = in_scale = norm = 0.0
    for f in range(office_eur.size):
        gap = home_eur[flow_zone[f]] - office_eur[f]
        odds = constant - scale * gap
        norm += weight[f]
        if odds < 700.0:
            office = 1.0 / (1.0 + np.exp(odds))
            total += weight[f] * office
            part = weight[f] * office * (1.0 - office)
            slope -= part
            in_scale += part * gap
    return total / norm, slope / norm, in_scale / norm


@njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def gained_days(
    access_start: np.ndarray, access_zone: np.ndarray, hub_odds: np.ndarray, factor: float,
    flow_start: np.ndarray, rest: np.ndarray, days: np.ndarray,
) -> tuple[float, float]:  # fmt: skip
    """Sum over all access pairs of days * H / (rest + H), H = factor * hub_odds, and its slope in ln(factor).

    rest, days: per flow; hub_odds: per access pair. One hub open at a time, as in `pair_sums`.
    """
    total = slope = 0.0
    for s in range(access_start.size - 1):
        for p in range(access_start[s], access_start[s + 1]):
            i = access_zone[p]
            h = factor * hub_odds[p]
            first, last = flow_start[i], flow_start[i + 1]
            others, allowed = rest[first:last], days[first:last]
            gained = kept = 0.0
            for f in range(others.size):
                share = 1.0 / (others[f] + h)
                gained += allowed[f] * share
                kept += allowed[f] * share * share * others[f]
            total += h * gained
            slope += h * kept
    return total, slope


@njit(cache=True, nogil=True)
def widen(
    base: np.ndarray, first: np.ndarray, second: np.ndarray, counts: np.ndarray, tiny: float,
    fall: np.ndarray, rise: np.ndarray,
) -> None:  # fmt: skip
    """Add to `fall` and `rise` the squares of the largest fall and rise from `base` to `first` or `second`.

    All (figures, n_sites). Rows where `counts` is True are compared in logarithms (of at least `tiny`); `base` holds
    the logarithms of these rows already.
    """
    for row in range(base.shape[0]):
        for s in range(base.shape[1]):
            one, two = first[row, s], second[row, s]
            if counts[row]:
                one, two = np.log(max(one, tiny)), np.log(max(two, tiny))
            one, two = one - base[row, s], two - base[row, s]
            fall[row, s] += min(one, two, 0.0) ** 2
            rise[row, s] += max(one, two, 0.0) ** 2
