"""What a run on roads gives back, whichever engine found the trips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from coopconnect.territory.official.contract import Label


@dataclass(frozen=True)
class RoadsResult:
    """table: the contract's 'travel'. label: its source. unsnapped: zone_code, lon, lat of the points too far from a
    road. isolated: codes of points on a road that no other point reaches nor is reached from within the limit.
    pairs_asked, pairs_routed: ordered pairs between two communes; those missing are beyond the limit, cut off or not
    on a road, and are not invented."""

    table: pd.DataFrame
    label: Label
    unsnapped: pd.DataFrame
    isolated: tuple[str, ...]
    pairs_asked: int
    pairs_routed: int


def check_points(zones: pd.DataFrame, limit_min: float) -> None:
    """ValueError unless `zones` has one row for each zone_code, with lon and lat, and the limit is above 0."""
    missing = [name for name in ("zone_code", "lon", "lat") if name not in zones]
    if missing or zones["zone_code"].duplicated().any():
        what = f"columns {', '.join(missing)}" if missing else "one row for each zone_code"
        raise ValueError(f"communes: {what} needed")
    if not limit_min > 0:
        raise ValueError(f"limit_min is {limit_min}: it must be above 0")


def result_of(zones: pd.DataFrame, on: np.ndarray, trips: Mapping[str, np.ndarray], label: Label) -> RoadsResult:
    """Trips between the points `on` a road (rows of `zones`) as a table of the contract.

    trips: origin and target (places in `on`), drive_min, road_km. label: its rows, placed, unplaced and notes are set
    here.
    """
    codes = zones["zone_code"].to_numpy(str)[on]
    table = pd.DataFrame(
        {
            "from_code": codes[trips["origin"]],
            "to_code": codes[trips["target"]],
            "road_km": trips["road_km"].round(3).astype(np.float32),
            "drive_min": trips["drive_min"].round(3).astype(np.float32),
        }
    )
    off = np.setdiff1d(np.arange(len(zones)), on)
    met = np.union1d(trips["origin"], trips["target"])
    isolated = tuple(codes[np.setdiff1d(np.arange(len(codes)), met)])
    asked = len(zones) * (len(zones) - 1)
    counted = replace(
        label,
        rows=len(table),
        placed=float(len(table)),
        unplaced=float(asked - len(table)),
        notes_fr=(f"{len(off)} communes trop loin d'une route ; {asked - len(table)} paires non calculées.",),
        notes_en=(f"{len(off)} communes too far from a road; {asked - len(table)} pairs not routed.",),
    )
    return RoadsResult(table, counted, zones.loc[off, ["zone_code", "lon", "lat"]], isolated, asked, len(table))
