"""The `Territory`: everything the model reads about a place, loaded once and never changed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from coopconnect.scenario import CLIMATES

__all__ = ["ACCESS_TABLE_MAX_MIN", "CLIMATES", "ZONE_COLUMNS", "Provenance", "Territory"]

ACCESS_TABLE_MAX_MIN = 30.0
"""Access pairs longer than this are not kept: it is the top of the access lever, in free-flow minutes."""

ZONE_COLUMNS: dict[str, str] = {
    "zone_code": "INSEE code, string of 5 characters with its leading zero",
    "name": "official name",
    "departement": "code of the département, string (01 ... 2A, 2B ... 95)",
    "epci_code": "SIREN of the EPCI, empty where there is none",
    "epci_name": "name of the EPCI",
    "population": "inhabitants",
    "households": "main residences",
    "workers": "employed residents",
    "jobs": "jobs at the place of work",
    "rural": "True where the commune is rural",
    "area_km2": "area, km2",
    "lon": "longitude of the commune's point, degrees WGS84",
    "lat": "latitude of the commune's point, degrees WGS84",
    "in_territory": "True inside the territory; False for a neighbour whose residents may use its hubs",
}


@dataclass(frozen=True)
class Provenance:
    """Where one table comes from: `kind` is 'official', 'modelled' or 'estimated'; `source_en` and `licence_en`
    where `source` or `licence` is French, not a name."""

    table: str
    kind: str
    source: str
    year: str
    licence: str = ""
    note_fr: str = ""
    note_en: str = ""
    source_en: str = ""
    licence_en: str = ""

    def source_in(self, language: str) -> str:
        """The source as the language says it."""
        return self.source_en if language == "en" and self.source_en else self.source

    def licence_in(self, language: str) -> str:
        """The licence as the language says it."""
        return self.licence_en if language == "en" and self.licence_en else self.licence


@dataclass(frozen=True, eq=False)
class Territory:
    """Zones, flows and access of one territory. Compared and hashed by identity, so that it can key a cache.

    zones: one row per commune (`ZONE_COLUMNS`), first those of the territory, then its halo of neighbours.
    site_zone: (n_sites,) int32, row of `zones` of each possible site; the communes of the territory, in order.
    flow_start: (n_zones + 1,) int64; the flows of zone i are rows flow_start[i]:flow_start[i + 1].
    flow_work: (n_flows,) int32, row of `places`; -1 for the remainder of a zone (all its pairs too small to
        be shipped, as one row with their mean distance).
    flow_workers, flow_road_km, flow_drive_min: (n_flows,) float32; one way, free flow.
    access_start: (n_sites + 1,) int64; the zones within reach of site s are rows
        access_start[s]:access_start[s + 1], nearest first (the site's own commune included).
    access_zone: (n_access,) int32, row of `zones`; access_road_km, access_drive_min: (n_access,) float32.
    hot_days: (n_zones, len(CLIMATES)) float32, days a year above 35 degrees C.
    places: zone_code, name, lon, lat of every commune of the country, for the ends of arcs.
    circuity: road km per crow-fly km with which the road km were estimated; 0 where they come from a road network.
    """

    code: str
    name: str
    zones: pd.DataFrame
    site_zone: np.ndarray
    flow_start: np.ndarray
    flow_work: np.ndarray
    flow_workers: np.ndarray
    flow_road_km: np.ndarray
    flow_drive_min: np.ndarray
    access_start: np.ndarray
    access_zone: np.ndarray
    access_road_km: np.ndarray
    access_drive_min: np.ndarray
    hot_days: np.ndarray
    places: pd.DataFrame
    provenance: tuple[Provenance, ...] = field(default_factory=tuple)
    circuity: float = 0.0
