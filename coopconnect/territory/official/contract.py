"""The tables that official or user's files are turned into, each with its columns and units.

One table is one parquet file of the store (`coopconnect.territory.official.store`), with a `Label` in its metadata.
Codes are those of today's communes (`former_codes.parquet` maps the others); what could not be placed is counted
in the label.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TABLES", "Label", "Table"]


@dataclass(frozen=True)
class Table:
    """A kind of table: its columns with their meaning and unit, those that may be missing, and the key of a row."""

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]
    optional: tuple[str, ...] = ()


@dataclass(frozen=True)
class Label:
    """Where the rows of a stored table come from.

    kind: 'official' (a publisher's file), 'own' (the user's figures) or 'partly' (gathered from both). source: title for a reader. year: of the
    figures. loaded_on: ISO date. file_name, file_sha256: of the file that was read. rows: rows kept. placed,
    unplaced: amount (workers for flows, workers or else jobs for margins, rows elsewhere) put in communes of today and left out. notes_fr, notes_en:
    what a reader should know (codes mapped, pairs left out). source_en, licence_en: where `source` or `licence` is French, its English.
    """

    table: str
    kind: str
    source: str
    year: str
    licence: str
    url: str
    loaded_on: str
    file_name: str
    file_sha256: str
    rows: int
    placed: float
    unplaced: float
    notes_fr: tuple[str, ...] = ()
    notes_en: tuple[str, ...] = ()
    source_en: str = ""
    licence_en: str = ""

    def source_in(self, language: str) -> str:
        """The source as the language says it."""
        return self.source_en if language == "en" and self.source_en else self.source

    def licence_in(self, language: str) -> str:
        """The licence as the language says it."""
        return self.licence_en if language == "en" and self.licence_en else self.licence


_CODE = "INSEE code of a commune of today, string of 5 characters"

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "flows",
            {
                "home_code": f"{_CODE}: residence",
                "work_code": f"{_CODE}: workplace; empty where it is abroad or overseas",
                "workers": "commuters, persons (float: census weights)",
            },
            ("home_code", "work_code"),
        ),
        Table(
            "margins",
            {
                "zone_code": _CODE,
                "workers": "employed residents",
                "jobs": "jobs at the place of work",
                "population": "inhabitants",
                "households": "main residences",
            },
            ("zone_code",),
            ("workers", "jobs", "population", "households"),
        ),
        Table(
            "density", {"zone_code": _CODE, "level": "density level, 1 (urban) to 7 (very dispersed)"}, ("zone_code",)
        ),
        Table(
            "travel",
            {
                "from_code": _CODE,
                "to_code": _CODE,
                "road_km": "km by road, one way; missing where the file has minutes only",
                "drive_min": "minutes by car, one way, free flow",
            },
            ("from_code", "to_code"),
            ("road_km",),
        ),
        Table(
            "places",
            {
                "place_id": "stable id: kind, publisher and its own number",
                "zone_code": _CODE,
                "name": "name as published",
                "kind": "town_hall, france_services, tiers_lieu, library, post_office, school or other",
                "lon": "degrees WGS84; missing where unknown",
                "lat": "degrees WGS84; missing where unknown",
                "address": "address as published, may be empty",
                "itinerant": "True for a bus or a service that moves",
                "list_source": "source of the list it was last read in, as its label says it",
                "list_year": "year of that list, may be empty",
            },
            ("place_id",),
            ("lon", "lat", "list_source", "list_year"),
        ),
        Table(
            "fuel",
            {
                "week": "Monday of the week, date",
                "petrol_eur_per_l": "SP95-E10 or SP95, EUR/L with tax",
                "diesel_eur_per_l": "diesel, EUR/L with tax",
            },
            ("week",),
            ("petrol_eur_per_l", "diesel_eur_per_l"),
        ),
        Table(
            "climate",
            {
                "area_code": "commune (5 characters) or département (2 or 3)",
                "horizon": "reference, h1, h2 or h3",
                "scenario": "rcp26, rcp45, rcp85 or reference",
                "hot_days": "days a year above 35 degrees C",
                "heat_wave_days": "heat-wave days a year",
            },
            ("area_code", "scenario", "horizon"),
            ("hot_days", "heat_wave_days"),
        ),
    )
}
