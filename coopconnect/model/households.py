"""Hours kept a year by participating households, as distributions."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from coopconnect.model.choice import Prepared, Values, hub_days_per_user
from coopconnect.model.kernel import hours_histogram
from coopconnect.model.runs import Run, per
from coopconnect.scenario import Scenario

HISTOGRAM_EDGES = np.arange(-100.0, 301.0, 4.0)
"""Edges of the distribution of hours a year per participating household; the end bins hold what lies beyond."""


def histogram_of(prepared: Prepared, scenario: Scenario, run: Run, values: Values) -> np.ndarray:
    """Users of each site by hours kept a year, (n_sites, len(HISTOGRAM_EDGES) - 1)."""
    t = prepared.territory
    out = np.zeros((t.site_zone.size, HISTOGRAM_EDGES.size - 1))
    per_user = hub_days_per_user(scenario, values)
    if per_user <= 0.0:
        return out
    o = run.odds

    def part(first: int, last: int) -> None:
        hours_histogram(
            t.access_start[first : last + 1], t.access_zone, o.hub_suitable, o.hub_unsuitable,
            t.flow_start, o.office, o.office_share, o.home, o.days, o.unsuitable_share,
            run.costs.commute_min, run.costs.access_min, per_user,
            float(HISTOGRAM_EDGES[0]), float(HISTOGRAM_EDGES[1] - HISTOGRAM_EDGES[0]), out[first:last],
        )  # fmt: skip

    middle = int(np.searchsorted(t.access_start, t.access_start[-1] // 2))
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(part, middle, t.site_zone.size)
        part(0, middle)
        other.result()
    return out


def quantiles_of(histogram: np.ndarray, levels: Sequence[float] | np.ndarray) -> np.ndarray:
    """Quantiles of each row of a histogram, linear inside their bin, (len(levels), n); 0 where the row is empty."""
    cumulated = np.cumsum(histogram, axis=1)
    total = cumulated[:, -1]
    rows = np.arange(histogram.shape[0])
    width = HISTOGRAM_EDGES[1] - HISTOGRAM_EDGES[0]
    found = np.zeros((len(levels), rows.size))
    for k, level in enumerate(levels):
        wanted = level * total
        bin_index = np.minimum((cumulated < wanted[:, None]).sum(axis=1), histogram.shape[1] - 1)
        inside = histogram[rows, bin_index]
        share = per(wanted - (cumulated[rows, bin_index] - inside), inside)
        found[k] = np.where(total > 0.0, HISTOGRAM_EDGES[bin_index] + share * width, 0.0)
    return found


def losing_share(histogram: np.ndarray) -> np.ndarray:
    """Share of the users of each row who lose time (bins below zero), (n,)."""
    below = histogram[:, HISTOGRAM_EDGES[1:] <= 0.0].sum(axis=1)
    return per(below, histogram.sum(axis=1))


def households_table(histogram: np.ndarray, rural: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Distribution and deciles of hours per participating household, rural sites together."""
    pooled = histogram[rural].sum(axis=0) if rural.any() else histogram.sum(axis=0)
    total = max(float(pooled.sum()), 1e-12)
    households = pd.DataFrame(
        {"hours_from": HISTOGRAM_EDGES[:-1], "hours_to": HISTOGRAM_EDGES[1:], "users_share": pooled / total}
    )
    levels = np.arange(10, 100, 10)
    hours = quantiles_of(pooled[None, :], levels / 100.0)[:, 0]
    deciles = pd.DataFrame({"decile": levels, "hours_rural": hours})
    return households, deciles
