"""One trip by car between any two communes of metropolitan France, as the territories have it, loaded or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coopconnect.territory.estimate import Estimate
from coopconnect.territory.load import national_estimate, read_communes
from coopconnect.territory.official.tables import NOTHING, Official

LONGEST_KM = 150.0
"""Beyond this the built-in estimate has not been checked against roads, and drives too fast."""


@dataclass(frozen=True)
class Drive:
    """One way, free flow: km by road, minutes, and whether a table computed on roads gave them (else estimated)."""

    road_km: float
    drive_min: float
    routed: bool


@dataclass(frozen=True, eq=False)
class Anywhere:
    """Every commune with its row, and what times a trip between two of them."""

    estimate: Estimate
    row_of: Mapping[str, int]

    def drive(self, origin: str, target: str) -> Drive:
        """The trip between two INSEE codes; within one commune, the one that its area stands for.

        Raises KeyError for a code that is not a commune of metropolitan France.
        """
        rows = [np.array([self.row_of[code]]) for code in (origin, target)]
        found = self.estimate.trips(*rows)
        return Drive(float(found.road_km[0]), float(found.drive_min[0]), bool(found.routed[0]))


def load_anywhere(
    data_dir: Path, circuity: float, values: Mapping[str, float], official: Official = NOTHING
) -> Anywhere:
    """What `load_territory` times its trips with, for the whole country (same arguments)."""
    communes = read_communes(data_dir)
    rows = {code: k for k, code in enumerate(communes["zone_code"])}
    return Anywhere(national_estimate(communes, circuity, values, official, data_dir), rows)
