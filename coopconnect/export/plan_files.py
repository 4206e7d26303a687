"""A plan as files: its sites as a table, as a workbook, and as layers of a GeoPackage or a GeoJSON."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
import xlsxwriter

from coopconnect.export import gis, tables
from coopconnect.export.book import Book
from coopconnect.export.sheet_network import write_network
from coopconnect.show.words import say
from coopconnect.siting.types import SitePlan
from coopconnect.territory.types import Territory
from coopconnect.uncertainty.plan_futures import PlanFutures

if TYPE_CHECKING:
    import geopandas

ENDINGS = (".xlsx", ".csv", ".gpkg", ".geojson")
SITES, COMMUNES = "plan_sites", "plan_communes"
_KEPT = (
    "rank", "year", "name", "existing", "forced", "gain", "lost_if_refused", "users", "hub_days_per_year", "desks",
    "hours_per_year", "eur_per_year", "kg_co2e_per_year", "score", "opening_eur", "yearly_cost_eur", "turned_away_share",
)  # fmt: skip
RANGED = (
    "users", "hub_days_per_year", "desks", "hours_per_year", "eur_per_year", "kg_co2e_per_year", "score", "opening_eur",
    "yearly_cost_eur",
)  # fmt: skip
"""Figures of a site that have `_low` and `_high` once futures are drawn."""

_WORDS = {
    "rank": "rank", "year": "year", "name": "commune", "gain": "adds", "lost_if_refused": "lost_if_refused",
    "users": "users", "desks": "desks_column", "substitute": "if_refused", "substitute_loss": "lost_with_substitute",
    "covered": "served", "existing": "exists", "forced": "forced",
}  # fmt: skip


def plan_table(plan: SitePlan, futures: PlanFutures | None = None) -> pd.DataFrame:
    """Open sites, existing ones first, then in opening order. gain, losses: in the unit of the objective.

    futures: adds p_viable and, of each figure, what 5 and 95 % of them hold (`_low`, `_high`).
    """
    rows = [
        {
            "zone_code": s.code,
            **{key: getattr(s, key) for key in _KEPT},
            "substitute_code": s.substitute.code if s.substitute else "",
            "substitute": s.substitute.name if s.substitute else "",
            "substitute_loss": s.substitute.loss if s.substitute else np.nan,
        }
        for s in plan.sites
    ]
    table = pd.DataFrame(rows, columns=["zone_code", *_KEPT, "substitute_code", "substitute", "substitute_loss"])
    return table if futures is None else table.assign(**_ends_of(futures))


def _ends_of(futures: PlanFutures) -> dict[str, list[float]]:
    """Columns of what the futures hold of each site; not a number where none moves the figure."""
    found = {"p_viable": list(futures.viable)}
    of_sites = {name: [site[name] for site in futures.sites] for name in RANGED}
    worths = {"gain": futures.gains, "lost_if_refused": futures.lost, "substitute_loss": futures.substituted}
    for name, values in (*worths.items(), *of_sites.items()):
        for end in ("low", "high"):
            found[f"{name}_{end}"] = [np.nan if v is None else getattr(v, end) for v in values]
    return found


def communes_table(plan: SitePlan, territory: Territory) -> pd.DataFrame:
    """Communes of the territory that may hold a site: whether an open one is within reach."""
    zones = territory.zones.iloc[territory.site_zone]
    table = zones[["zone_code", "name", "population"]].reset_index(drop=True)
    return table.assign(covered=plan.covered[territory.site_zone])


def plan_layers(
    plan: SitePlan, territory: Territory, contours: np.ndarray, futures: PlanFutures | None = None
) -> dict[str, geopandas.GeoDataFrame]:  # fmt: skip
    """Communes covered or left out, and the open sites, each with its contour in degrees WGS84.

    contours: shapely polygons of the communes that may hold a site, in the order of the territory's sites.
    """
    import geopandas

    shapes = shapely.transform(contours, lambda c: np.round(c, gis.DEGREE_DECIMALS))
    rows = [s.row for s in plan.sites]
    return {
        COMMUNES: geopandas.GeoDataFrame(communes_table(plan, territory), geometry=shapes, crs=gis.WGS84),
        SITES: geopandas.GeoDataFrame(plan_table(plan, futures), geometry=shapes[rows], crs=gis.WGS84),
    }


def add_plan_layers(
    path: Path, plan: SitePlan, territory: Territory, contours: np.ndarray, language: str, on: date,
    futures: PlanFutures | None = None,
) -> None:  # fmt: skip
    """Write both layers in a GeoPackage, beside the layers that it holds; the fields have titles. on: date written."""
    titles = _titles(plan, language, futures)
    about = {"DESCRIPTION": proof_words(plan, language)}
    for name, layer in plan_layers(plan, territory, contours, futures).items():
        gis.write_layer(path, name, layer, {"IDENTIFIER": name, **about}, on)
        gis.describe_fields(path, name, {k: v for k, v in titles.items() if k in layer.columns})


def proof_words(plan: SitePlan, language: str) -> str:
    """What the plan is worth and the most that any plan can be worth, in one line."""
    unit = say(f"network.unit_{plan.question.objective}", language)
    bound = f" <= {plan.bound:.6g}" if np.isfinite(plan.bound) else ""
    return f"{plan.territory_name} · {plan.value:.6g}{bound} {unit} · {plan.model_version}"


def _titles(plan: SitePlan, language: str, futures: PlanFutures | None = None) -> dict[str, tuple[str, str]]:
    kind, unit = say("export.kind.modelled", language), say(f"network.unit_{plan.question.objective}", language)
    found = gis.field_descriptions(language)
    for name, key in _WORDS.items():
        own = name in ("gain", "lost_if_refused", "substitute_loss")
        found[name] = say(f"network.{key}", language), f"{unit} · {kind}" if own else kind
    if futures is not None:
        found["p_viable"] = say("network.viable_column", language), kind
        for name in ("gain", "lost_if_refused", "substitute_loss", *RANGED):
            title, about = found.get(name, (name, kind))
            for end in ("low", "high"):
                found[f"{name}_{end}"] = f"{title}, {say(f'network.col_{end}', language)}", about
    return found


def plan_geojson(
    plan: SitePlan, territory: Territory, contours: np.ndarray, language: str, futures: PlanFutures | None = None
) -> bytes:  # fmt: skip
    """The open sites as GeoJSON (RFC 7946), worth and bound beside the features."""
    layer = plan_layers(plan, territory, contours, futures)[SITES]
    document = {
        **json.loads(layer.to_json(na="null", drop_id=True)), "name": SITES, "model_version": plan.model_version,
        "territory": plan.territory_name, "note": proof_words(plan, language),
    }  # fmt: skip
    document.pop("crs", None)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def plan_workbook(plan: SitePlan, language: str, on: date, futures: PlanFutures | None = None) -> bytes:
    """A workbook of the sheet Réseau alone."""
    out = io.BytesIO()
    file = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    file.set_properties(
        {"title": proof_words(plan, language), "author": "Coop-connect", "created": pd.Timestamp(on).to_pydatetime()}
    )
    write_network(Book(file, language, on, plan.model_version, plan.territory_name), plan, futures)
    file.close()
    return out.getvalue()


def write_plan(
    path: Path, plan: SitePlan, territory: Territory, contours: np.ndarray | None, language: str, on: date,
    futures: PlanFutures | None = None,
) -> None:  # fmt: skip
    """Write a plan, with the ranges of its futures where there are some, by the ending of `path`, one of `ENDINGS`;
    contours are needed by the two maps only."""
    ending = path.suffix.lower()
    if ending == ".csv":
        tables.write_table(plan_table(plan, futures), path)
    elif ending == ".xlsx":
        path.write_bytes(plan_workbook(plan, language, on, futures))
    elif ending in (".gpkg", ".geojson") and contours is not None:
        if ending == ".gpkg":
            path.unlink(missing_ok=True)
            add_plan_layers(path, plan, territory, contours, language, on, futures)
        else:
            path.write_bytes(plan_geojson(plan, territory, contours, language, futures))
    else:
        raise ValueError(f"{path.name}: allowed endings {', '.join(ENDINGS)}")
