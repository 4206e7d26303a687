"""Lines above and below what the zones of a site bring, over the openings that a plan may still make.

What site k brings is a sum over the home zones in its reach of odds (Q - cost P), Q = sum m b / (D + T), P = sum m / (D + T)
(`kernels.term`), and T lies between what is open whatever the plan and the most that the plan may open. Q and P are convex in
T: on each of a few stretches of T they lie under their chord and above their tangent at the middle. Whatever is linear in Q
and P is at its most at an end of a stretch.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from coopconnect.siting.bound import Ceiling
from coopconnect.siting.kernels import term
from coopconnect.siting.network import entries_of
from coopconnect.siting.search import Problem

STRETCHES = 12
"""With 40, the ten highest ceilings of Provence-Alpes-Côte d'Azur are 0.01 % lower by score, 0.04 % by hours with 8 desks, and
take two to three times as long."""

ENDS, CHORD, TANGENT, OF_KINDS = 0, 2, 4, 6
"""Where a table holds T, P's chord and P's tangent at the two ends of a stretch; then Q's of each kind, as many."""


@njit(cache=True, nogil=True, error_model="numpy")
def _lines_of(
    zones: np.ndarray, base: np.ndarray, most: np.ndarray, flow_start: np.ndarray, office: np.ndarray,
    office_share: np.ndarray, home: np.ndarray, days: np.ndarray, avoided: np.ndarray, constant: np.ndarray,
    unsuitable: float, tables: np.ndarray,
) -> None:  # fmt: skip
    """Fill the tables of `zones`, T from `base` to `most`; avoided: (kinds, flows)."""
    kinds = avoided.shape[0]
    for i in zones:
        tables[i] = 0.0
        for g in range(tables.shape[1]):
            for side in range(2):
                tables[i, g, ENDS + side] = base[i] + max(0.0, most[i] - base[i]) * ((g + side) / tables.shape[1]) ** 2
            middle = 0.5 * (tables[i, g, ENDS] + tables[i, g, ENDS + 1])
            for f in range(flow_start[i], flow_start[i + 1]):
                for segment in range(2):
                    m, _, d = term(segment, f, i, office, office_share, home, days, avoided[0], constant, unsuitable)
                    share = office_share[f] if segment == 0 else 1.0
                    r = 1.0 / (d + middle)
                    for side in range(2):
                        t = tables[i, g, ENDS + side]
                        chord, tangent = m / (d + t), m * r * (1.0 - (t - middle) * r)
                        tables[i, g, CHORD + side] += chord
                        tables[i, g, TANGENT + side] += tangent
                        for q in range(kinds):
                            tables[i, g, OF_KINDS + 4 * q + side] += avoided[q, f] * share * chord
                            tables[i, g, OF_KINDS + 4 * q + 2 + side] += avoided[q, f] * share * tangent


class Lines:
    """Tables of a problem for some kinds of worth of an avoided office day (avoided: (kinds, flows))."""

    def __init__(self, problem: Problem, avoided: np.ndarray) -> None:
        self.problem, self.avoided = problem, np.ascontiguousarray(avoided)
        self.most = Ceiling(problem, problem.allowed | problem.fixed).most()
        self.tables = np.zeros((self.most.size, STRETCHES, OF_KINDS + 4 * self.avoided.shape[0]))

    def beside(self, sites: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, ...]:
        """access_start, access_zone, odds, T of what is open by zone, `fixed` and the tables, for the zones that `sites`
        reach where the sites of `fixed` are open, (n_sites,) bool; the tables are theirs until the next call."""
        n = self.problem.network
        t = n.prepared.territory
        reached = t.access_zone if sites.size == n.n_sites else t.access_zone[entries_of(t.access_start, sites)]
        zones = np.flatnonzero(np.bincount(reached, minlength=self.most.size))
        pairs = entries_of(n.zone_start, zones)
        pairs = pairs[fixed[n.zone_site[pairs]]]
        at = n.order[pairs]
        base = np.bincount(t.access_zone[at], weights=n.odds[at], minlength=self.most.size)
        _lines_of(  # type: ignore[call-arg]
            zones, base, self.most, *n.flows, self.avoided, n.constant, n.unsuitable, self.tables
        )  # fmt: skip
        return t.access_start, t.access_zone, n.odds, base, fixed, self.tables
