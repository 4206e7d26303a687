"""One call for every file that the command line and the app give: the ending says which."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np

from coopconnect.export import gis, tables
from coopconnect.export.html_map import map_html
from coopconnect.export.workbook import workbook
from coopconnect.model.types import Assessment
from coopconnect.parameters import Parameters
from coopconnect.show.ground import contours_of, geometry_of
from coopconnect.show.maps import MapSpec, map_texts, score_map
from coopconnect.show.words import say
from coopconnect.territory.types import Territory

MAP_DISCS = 30
"""Sites drawn as discs on the stand-alone map, best first."""


def map_of(assessment: Assessment, language: str, rural_only: bool = False) -> MapSpec:
    """The map of scores of an assessment, without a selection."""
    sites = assessment.sites
    shown = sites["available"].to_numpy(bool) & (sites["rural"].to_numpy(bool) | (not rural_only))
    score = sites["score"].to_numpy(float)
    best = np.flatnonzero(shown)
    best = best[np.argsort(-score[best], kind="stable")][:MAP_DISCS]
    return score_map(
        score, texts=map_texts(language), score_low=sites["score_low"].to_numpy(float),
        score_high=sites["score_high"].to_numpy(float), users=sites["users"].to_numpy(float),
        hours_per_year=sites["hours_per_year"].to_numpy(float), flagged=sites["red_flag"].to_numpy(bool) & shown,
        missing=~shown, site_zone=best, legend_note=say("kind.modelled", language),
    )  # fmt: skip


def export_file(
    target: Path, territory: Territory, assessment: Assessment, reference: Assessment, parameters: Parameters,
    language: str, link: str = "", on: date | None = None,
) -> None:  # fmt: skip
    """Write `target` by its ending: .xlsx, .html, .geojson, .gpkg or .csv. ValueError for another ending."""
    on = on or date.today()
    ending = target.suffix.lower()
    if ending == ".xlsx":
        target.write_bytes(
            workbook(assessment, reference, parameters, territory.provenance, language, link=link, on=on)
        )
    elif ending == ".html":
        title = f"Coop-connect · {territory.name}"
        subtitle = f"{assessment.model_version} · {on.isoformat()} · {link}"
        target.write_bytes(map_html(map_of(assessment, language), geometry_of(territory), title, subtitle))
    elif ending == ".csv":
        tables.write_table(tables.sites_table(assessment), target)
    elif ending in (".geojson", ".gpkg"):
        codes = assessment.sites["zone_code"].tolist()
        gis.write_gis(target, assessment, codes, contours_of(codes), language, on)
    else:
        raise ValueError(f"{target.name}: allowed endings .xlsx, .html, .geojson, .gpkg, .csv")
