"""The worth of sets of sites in an objective that is measured site by site, each set beside one it hardly differs from."""

from __future__ import annotations

import numpy as np
from numba import njit

from coopconnect.model.runs import Surroundings
from coopconnect.siting import measure
from coopconnect.siting.network import Network

_FEW_CHANGES = 3
"""Sites opened or closed beyond which the set becomes the one that others are measured beside."""


@njit(cache=True, nogil=True)
def _touched(
    changed: np.ndarray, chosen: np.ndarray, access_start: np.ndarray, access_zone: np.ndarray, zone_start: np.ndarray,
    zone_site: np.ndarray, zone_odds: np.ndarray, total: np.ndarray, mark: np.ndarray,
) -> None:  # fmt: skip
    """T, summed afresh, of the zones within reach of `changed` sites; `mark` the open sites that share them."""
    for k in changed:
        for p in range(access_start[k], access_start[k + 1]):
            i = access_zone[p]
            total[i] = 0.0
            for q in range(zone_start[i], zone_start[i + 1]):
                if chosen[zone_site[q]]:
                    total[i] += zone_odds[q]
                    mark[zone_site[q]] = True


class Measured:
    """What open sites are worth together, `objective` as `measure.results` gives it.

    A site's figures depend on the open sites that share a home zone with it alone: only those whose neighbours have changed
    since the set before are measured again.
    """

    def __init__(self, network: Network, around: Surroundings, objective: str, desks: int) -> None:
        self.network, self.around, self.desks = network, around, desks
        self.result = measure.RESULT_OF[objective]
        self.zone_odds = network.odds[network.order]
        n = network.n_sites
        self.chosen, self.worth = np.zeros(n, bool), np.zeros(n)
        self.total = np.zeros(len(network.territory.zones))

    def of(self, chosen: np.ndarray) -> np.ndarray:
        """What each site of a set, (n_sites,) bool, is worth beside the others, (n_sites,), 0 where not open."""
        changed = np.flatnonzero(chosen != self.chosen)
        if not changed.size:
            return self.worth
        n = self.network
        t = n.prepared.territory
        total, worth, mark = self.total.copy(), self.worth.copy(), np.zeros(chosen.size, bool)
        _touched(  # type: ignore[call-arg]
            changed, chosen, t.access_start, t.access_zone, n.zone_start, n.zone_site, self.zone_odds, total, mark
        )  # fmt: skip
        mark[changed] |= chosen[changed]
        again = np.flatnonzero(mark)
        found, _ = measure.results(n, self.around, again, total, self.desks)
        worth[changed] = 0.0
        worth[again] = found[self.result]
        if changed.size > _FEW_CHANGES:
            self.chosen, self.total, self.worth = chosen.copy(), total, worth
        return worth
