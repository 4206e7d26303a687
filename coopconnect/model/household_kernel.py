"""The compiled loop over every kind of user: who gains, who loses, by home commune, distance and site.

Apart from `kernel.py`: it is asked for by the page Ménages and the exports, never by a lever of Décider.
"""

from __future__ import annotations

import numpy as np
from numba import njit

USERS, HOURS, KM, HOURS_UP, KM_UP, PAID_UP, HOURS_ALL, KM_ALL, HOURS_ALL_UP, KM_ALL_UP, PAID_ALL_UP = range(11)
N_COLUMNS = 11
"""Columns of the sums: users; their hours and vehicle km a year; users whose hours, km, and euros once the hub is paid
are above zero; the same six for people who would have driven on every hub day."""

HOURS_ROW, KM_ROW, HOURS_ALL_ROW, KM_ALL_ROW = range(4)
"""Rows of the histograms."""


@njit(cache=True, nogil=True, error_model="numpy")
def _add(row: np.ndarray, users: float, hours: float, km: float, paid_km: float, first: int) -> None:
    """Add users to the totals at `first` (hours, km) and to the counts of those who gain, three columns on."""
    row[first] += users * hours
    row[first + 1] += users * km
    up = first + 2
    if hours > 0.0:
        row[up] += users
    if km > 0.0:
        row[up + 1] += users
    if km > paid_km:
        row[up + 2] += users


@njit(cache=True, nogil=True, error_model="numpy")
def _bin(value: float, first: float, width: float, last: int) -> int:
    return min(max(int(np.floor((value - first) / width)), 0), last)


@njit(cache=True, nogil=True, error_model="numpy")
def group_sums(
    access_start: np.ndarray, access_zone: np.ndarray, pool: np.ndarray,
    hub_odds_suitable: np.ndarray, hub_odds_unsuitable: np.ndarray,
    flow_start: np.ndarray, office_odds: np.ndarray, office_share: np.ndarray, home_odds: np.ndarray,
    days: np.ndarray, flow_band: np.ndarray, unsuitable_share: float,
    commute_min: np.ndarray, commute_km: np.ndarray, access_min: np.ndarray, access_km: np.ndarray,
    rebound: float, days_per_user: float, paid_km: float,
    hours_first: float, hours_width: float, km_first: float, km_width: float,
    by_zone: np.ndarray, by_site: np.ndarray, histogram: np.ndarray,
) -> None:  # fmt: skip
    """Add every kind of user of the sites of `pool` to `by_zone` (zones, bands, columns), `by_site` (sites, columns)
    and `histogram` (4, bins).

    A kind is a flow, a segment and a hub. Of its d = days_per_user hub days, w replace a drive: w = office_share where
    the home suits, 1 where it does not; 1 for both among those who replace every drive. Hours are
    d * (w * commute_min - access_min) / 60, vehicle km d * (w * (1 - rebound) * commute_km - access_km), return trips.
    paid_km: the km whose cost is the price of the hub. The first and last bins hold what lies beyond.
    """
    last = histogram.shape[1] - 1
    for s in range(access_start.size - 1):
        if not pool[s]:
            continue
        for p in range(access_start[s], access_start[s + 1]):
            i = access_zone[p]
            hs, hu = hub_odds_suitable[p], hub_odds_unsuitable[p]
            for f in range(flow_start[i], flow_start[i + 1]):
                o = office_odds[f]
                everyone = days[f] / days_per_user
                hours_all = days_per_user * (commute_min[f] - access_min[p]) / 60.0
                km_all = days_per_user * ((1.0 - rebound) * commute_km[f] - access_km[p])
                for segment in range(2):
                    if segment == 0:
                        users = everyone * (1.0 - unsuitable_share) * hs / (o + home_odds[i] + hs)
                        w = office_share[f]
                    else:
                        users = everyone * unsuitable_share * hu / (o + hu)
                        w = 1.0
                    hours = days_per_user * (w * commute_min[f] - access_min[p]) / 60.0
                    km = days_per_user * (w * (1.0 - rebound) * commute_km[f] - access_km[p])
                    for row in (by_zone[i, flow_band[f]], by_site[s]):
                        row[USERS] += users
                        _add(row, users, hours, km, paid_km, HOURS)
                        _add(row, users, hours_all, km_all, paid_km, HOURS_ALL)
                    histogram[HOURS_ROW, _bin(hours, hours_first, hours_width, last)] += users
                    histogram[KM_ROW, _bin(km, km_first, km_width, last)] += users
                    histogram[HOURS_ALL_ROW, _bin(hours_all, hours_first, hours_width, last)] += users
                    histogram[KM_ALL_ROW, _bin(km_all, km_first, km_width, last)] += users
