"""Hours kept a year by participating households, as distributions."""

from __future__ import annotations

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
    if per_user > 0.0:
        o = run.odds
        hours_histogram(
            t.access_start, t.access_zone, o.hub_suitable, o.hub_unsuitable,
            t.flow_start, o.office, o.office_share, o.home, o.days, o.unsuitable_share,
            run.costs.commute_min, run.costs.access_min, per_user,
            float(HISTOGRAM_EDGES[0]), float(HISTOGRAM_EDGES[1] - HISTOGRAM_EDGES[0]), out,
        )  # fmt: skip
    return out


def quantile_of(histogram: np.ndarray, level: float) -> np.ndarray:
    """Quantile of each row of a histogram, linear inside its bin, (n,); 0 where the row is empty."""
    total = histogram.sum(axis=1)
    cumulated = np.cumsum(histogram, axis=1)
    wanted = level * total
    bin_index = np.minimum((cumulated < wanted[:, None]).sum(axis=1), histogram.shape[1] - 1)
    rows = np.arange(histogram.shape[0])
    inside = histogram[rows, bin_index]
    before = cumulated[rows, bin_index] - inside
    share = np.divide(wanted - before, inside, out=np.zeros_like(wanted), where=inside > 0.0)
    width = HISTOGRAM_EDGES[1] - HISTOGRAM_EDGES[0]
    return np.where(total > 0.0, HISTOGRAM_EDGES[bin_index] + share * width, 0.0)


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
    deciles = pd.DataFrame(
        {"decile": levels, "hours_rural": [float(quantile_of(pooled[None, :], q / 100)[0]) for q in levels]}
    )
    return households, deciles
