"""One place for every file that the command line and the app give: the ending says which, or the name of the maker."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coopconnect.dossier import Dossier
from coopconnect.export import gis, tables
from coopconnect.export.argument_facts import scenario_words
from coopconnect.export.arguments import KINDS, argument_pdf, day_words
from coopconnect.export.html_map import map_html
from coopconnect.export.images import chart_image
from coopconnect.export.map_image import map_image
from coopconnect.export.plan_files import add_plan_layers
from coopconnect.export.sheet_comparison import Compared
from coopconnect.export.sheet_robust import futures_fields
from coopconnect.export.workbook import Included, groups_of, workbook
from coopconnect.model import site_sheet
from coopconnect.model.assessment import response
from coopconnect.model.attribution import attribute, central, differing, most_exact
from coopconnect.model.household_groups import household_groups
from coopconnect.model.types import Assessment
from coopconnect.parameters import Parameters
from coopconnect.scenario_file import to_toml
from coopconnect.show import charts, compare_charts, household_charts, site_charts
from coopconnect.show.compare_charts import LETTERS, Shown
from coopconnect.show.describe import colon
from coopconnect.show.ground import contours_of, geometry_of
from coopconnect.show.maps import MapSpec, map_texts, score_map
from coopconnect.show.words import number, say
from coopconnect.siting.types import SitePlan
from coopconnect.territory.hosts import assessed_scenario, hosts_of
from coopconnect.territory.official.status import shipped_beside
from coopconnect.territory.types import Provenance, Territory
from coopconnect.uncertainty.cases import groups_of_draws, household_layout
from coopconnect.uncertainty.plan_futures import PlanFutures
from coopconnect.uncertainty.plans import Further
from coopconnect.uncertainty.results import results
from coopconnect.uncertainty.run import Ensemble

RESPONSE_POINTS = 13
MAP_DISCS = 30
"""Sites drawn as discs on the stand-alone map, best first."""


def map_of(assessment: Assessment, language: str, rural_only: bool = False) -> MapSpec:
    """The map of scores of an assessment, without a selection."""
    sites = assessment.sites
    shown = sites["available"].to_numpy(bool) & (sites["rural"].to_numpy(bool) | (not rural_only))
    score = sites["score"].to_numpy(float)
    best = np.flatnonzero(shown)
    best = best[np.argsort(-score[best], kind="stable")][:MAP_DISCS]
    texts = map_texts(language) | ({"none": say("map.not_listed", language)} if rural_only else {})
    return score_map(
        score, texts=texts, score_low=sites["score_low"].to_numpy(float),
        score_high=sites["score_high"].to_numpy(float), users=sites["users"].to_numpy(float),
        hours_per_year=sites["hours_per_year"].to_numpy(float), flagged=sites["red_flag"].to_numpy(bool) & shown,
        missing=~shown, site_zone=best, legend_note=say("kind.modelled", language),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Taken:
    """What files are made of: a territory, its assessment, that of the reference, the dossier, the words, the day.

    assessment: of the scenario with the answers of its hosts (which change no figure, but are told). link: full address of the scenario, '' where it has none. site_code: the site that charts and arguments are about
    (the best available one where it is ''). rural_only: as on the screen. hosts: as `hosts_of` gives them; home: the
    territory on which the choice is calibrated, where it is another one. ensemble: futures of this scenario, all drawn.
    compared: scenarios put aside; plan: sites to open together (a GeoPackage holds them as two more layers), or why
    those that were asked cannot be. further: what further runs say beside the ensemble. beside: where fuel prices and
    hosts come from, as `status.beside` tells.
    """

    territory: Territory
    assessment: Assessment
    reference: Assessment
    parameters: Parameters
    language: str
    on: date
    link: str = ""
    site_code: str = ""
    dossier: Dossier = field(default_factory=Dossier)
    rural_only: bool = False
    hosts: pd.DataFrame | None = None
    home: Territory | None = None
    ensemble: Ensemble | None = None
    compared: tuple[Compared, ...] = ()
    plan: SitePlan | tuple[str, ...] = ()
    further: Further | None = None
    beside: tuple[Provenance, ...] = field(default_factory=shipped_beside)

    @property
    def sources(self) -> tuple[Provenance, ...]:
        """Where every number comes from: the tables of the territory, then fuel prices and hosts."""
        return (*self.territory.provenance, *self.beside)

    def say(self, key: str, **values: object) -> str:
        """A text of what is taken home."""
        return say(key, self.language, **values)


def site_of(t: Taken) -> str:
    """Code of the site that the files are about. ValueError where the code is unknown or no site is available."""
    sites = t.assessment.sites
    if t.site_code:
        if t.assessment.site(t.site_code) is None:
            raise ValueError(f"site {t.site_code}: not a commune of {t.territory.name}; allowed its INSEE codes")
        return t.site_code
    ranked = sites[sites["rank"] > 0]
    if ranked.empty:
        raise ValueError(f"{t.territory.name}: every site was refused; give a site by its INSEE code")
    return str(ranked.loc[ranked["rank"].idxmin(), "zone_code"])


def argument_bytes(t: Taken, kind: str) -> bytes:
    """One of the three arguments, as PDF."""
    return argument_pdf(
        kind, t.assessment, t.reference, t.territory, t.parameters, site_of(t), t.dossier, t.language, t.link, t.on,
        t.hosts, t.home,
    )  # fmt: skip


def workbook_bytes(t: Taken) -> bytes:
    """The workbook, with the sheet of the site, who gains and who loses, scenarios put aside and the plan.

    Hosts' answers stand there as what they change: the communes refused, as on the screen.
    """
    now = as_assessed(t)
    groups = groups_of(t.territory, t.assessment.scenario, t.parameters, t.home, t.hosts)
    if groups is not None and t.further is not None and t.further.households is not None:
        found = t.further.households
        layout = household_layout(groups, found.setup, len(found.values))
        groups = groups_of_draws(groups, layout, found.found)
    return workbook(
        now, t.reference, t.parameters, t.sources, t.language, t.site_code or None, t.link,
        on=t.on, title=t.dossier.title, rural_only=t.rural_only,
        included=Included(t.territory, t.home, groups, t.compared, t.dossier, t.ensemble, t.plan, t.further),
    )  # fmt: skip


def _ranges_told(t: Taken) -> str:
    """What the lows and highs of these files are."""
    drawn = t.assessment.drawn
    key = "take.readme_ranges_drawn" if drawn else "take.readme_ranges"
    return t.say(key, draws=number(float(drawn), t.language))


def as_assessed(t: Taken) -> Assessment:
    """The assessment under the scenario as the model reads it: hosts' answers as communes refused, so that two
    scenarios differ by what changes figures."""
    scenario = t.assessment.scenario
    if not scenario.hosts:
        return t.assessment
    hosts = hosts_of(t.territory.zones) if t.hosts is None else t.hosts
    return replace(t.assessment, scenario=assessed_scenario(scenario, hosts))


def map_html_bytes(t: Taken) -> bytes:
    """The map that opens by a double click, with the scenario in words, the model's version, the day and the link."""
    stamp = say("argument.stamp", t.language, version=t.assessment.model_version, date=day_words(t.on, t.language))
    subtitle = " · ".join(
        part.strip(". ") for part in (scenario_words(t.assessment.scenario, t.language), stamp, t.link) if part
    )
    title = t.say("take.map_title", territory=t.territory.name)
    return map_html(map_of(t.assessment, t.language, t.rural_only), geometry_of(t.territory), title, subtitle)


def map_image_bytes(t: Taken, kind: str) -> bytes:
    """The map as a picture, with the scenario above it and its sources under it."""
    return map_image(
        map_of(t.assessment, t.language, t.rural_only), geometry_of(t.territory), kind,
        title=t.say("take.map_title", territory=t.territory.name), subtitle=scenario_words(t.assessment.scenario, t.language),
        note=map_note(t),
    )  # fmt: skip


def map_note(t: Taken) -> str:
    """What stands under the map: kind of result, contours and their year, model version, day."""
    contours = next((p for p in t.territory.provenance if p.table == "contours"), None)
    ground = (
        "" if contours is None else t.say("take.contours", source=contours.source_in(t.language), year=contours.year)
    )
    stamp = say("argument.stamp", t.language, version=t.assessment.model_version, date=day_words(t.on, t.language))
    return f"{charts.source_note(t.assessment, t.language)}\n{ground} · {stamp}".strip("· \n")


def charts_of(t: Taken) -> dict[str, go.Figure]:
    """The charts of the screens, by name: Décider, Fiche site and Ménages about one site, Comparer where scenarios are
    put aside."""
    code = site_of(t)
    site = t.assessment.site(code)
    assert site is not None
    return {
        "hours": charts.household_hours(t.assessment, t.language, site_code=code),
        "components": charts.score_components(t.assessment, t.language, selected_code=code),
        "response": _fuel_response(t, site),
        **_sheet_charts(t, site),
        **_household_charts(t, site),
        **(_compare_charts(t) if t.compared else {}),
    }


def _fuel_response(t: Taken, site: pd.Series) -> go.Figure:
    """Answer of the site to the price of fuel."""
    lever, scenario = t.parameters["fuel_price_eur_per_l"], t.assessment.scenario
    low, high = lever.bounds()
    levels = np.linspace(low, high, RESPONSE_POINTS)
    answered = response(t.territory, scenario, t.parameters, str(site["zone_code"]), lever.key, levels, t.home)
    return charts.lever_response(
        answered, lever, str(site["name"]), t.assessment, t.language, current=scenario.fuel_price_eur_per_l,
        reference=lever.value,
    )  # fmt: skip


def _sheet_charts(t: Taken, site: pd.Series) -> dict[str, go.Figure]:
    """The score taken apart; income and cost by users and by price; the price of telepresence."""
    scenario, name, code = t.assessment.scenario, str(site["name"]), str(site["zone_code"])
    by_price = site_sheet.break_even_by_price(t.territory, scenario, t.parameters, code, t.home)
    trigger = site_sheet.telepresence_trigger(t.territory, scenario, t.parameters, code, t.home)
    parts, score = site_sheet.waterfall(site, scenario), site_sheet.span(site, "score")
    by_users = site_sheet.break_even_by_users(site, scenario, t.parameters)
    price = scenario.telepresence_price_eur_per_month
    return {
        "waterfall": site_charts.score_waterfall(parts, score, name, t.assessment, t.language),
        "users": site_charts.break_even_users(by_users, name, t.assessment, t.language),
        "price": site_charts.break_even_price(by_price, name, t.assessment, t.language),
        "telepresence": site_charts.telepresence_price(trigger, price, name, t.assessment, t.language),
    }


def _household_charts(t: Taken, site: pd.Series) -> dict[str, go.Figure]:
    """Who gains and who loses among the users of the site, an average day: hours, euros, by distance and density."""
    code, name = str(site["zone_code"]), str(site["name"])
    groups = household_groups(t.territory, as_assessed(t).scenario, t.parameters, code, t.home)
    return {
        "gains": household_charts.gains(groups, "hours", False, name, t.language),
        "gains_eur": household_charts.gains(groups, "eur", False, name, t.language),
        "bands": household_charts.by_distance(groups, "hours", False, name, t.language),
        "density": household_charts.by_density(groups, "hours", False, name, t.language),
    }


def _compare_charts(t: Taken) -> dict[str, go.Figure]:
    """Hours of every scenario on one axis; what each lever does to the communes that break even, from the first put aside."""
    now = as_assessed(t)
    titles = [t.dossier.title or say("compare.on_screen", t.language), *(one.title for one in t.compared)]
    assessed = [now, *(one.assessment for one in t.compared)]
    shown = [Shown(letter, title, found) for letter, title, found in zip(LETTERS, titles, assessed, strict=False)]
    charts_made = {"spread": compare_charts.hours_overlaid(shown, t.language)}
    base = shown[1]
    keys = differing(base.assessment.scenario, now.scenario)
    if keys and base.assessment.territory_code == now.territory_code:
        found = attribute(
            base.assessment.scenario, now.scenario,
            lambda s: central(t.territory, s, t.parameters, t.home).totals["viable_rural_sites"],
            most_exact(len(now.sites)),
        )  # fmt: skip
        charts_made["levers"] = compare_charts.lever_shares(
            found, "viable_rural_sites", base, shown[0], t.parameters, t.language
        )
    return charts_made


def gis_bytes(t: Taken, ending: str) -> bytes:
    """Contours and results, '.gpkg' or '.geojson'."""
    codes = t.assessment.sites["zone_code"].tolist()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sites{ending}"
        gis.write_gis(path, t.assessment, codes, contours_of(codes), t.language, t.on, fields_of(t.ensemble))
        if isinstance(t.plan, SitePlan) and ending == ".gpkg":
            add_plan_layers(
                path, t.plan, t.territory, contours_of(site_codes(t.territory)), t.language, t.on,
                t.further.network if t.further else None,
            )  # fmt: skip
        return path.read_bytes()


def plan_gpkg_bytes(
    plan: SitePlan, territory: Territory, language: str, on: date, futures: PlanFutures | None = None
) -> bytes:  # fmt: skip
    """The GeoPackage of a plan alone, with the ranges of its futures where there are some."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.gpkg"
        add_plan_layers(path, plan, territory, contours_of(site_codes(territory)), language, on, futures)
        return path.read_bytes()


def site_codes(territory: Territory) -> list[str]:
    """INSEE codes of the communes that may hold a site, in the order of the territory's sites."""
    return list(territory.zones["zone_code"].to_numpy(object)[territory.site_zone])


def fields_of(ensemble: Ensemble | None) -> pd.DataFrame | None:
    """Probabilities of every site for a GIS layer; None without an ensemble that has a solution."""
    found = None if ensemble is None else results(ensemble)
    return None if found is None else futures_fields(found)


def csv_bytes(t: Taken) -> bytes:
    """The sites for French Excel."""
    return tables.csv_bytes(tables.sites_table(t.assessment))


def scenario_bytes(t: Taken) -> bytes:
    """The scenario as a small file, with its title, why, the plan asked, and the dossier."""
    asked = t.plan.question if isinstance(t.plan, SitePlan) else None
    return to_toml(t.assessment.scenario, t.parameters, t.dossier, asked).encode("utf-8")


def kit_bytes(t: Taken) -> bytes:
    """Everything for a council meeting in one ZIP: three arguments, workbook, maps, scenario, and what is modelled.

    The same arguments give the same bytes.
    """
    return _zipped(
        t,
        {
            t.say("take.file.readme"): lambda: readme(t).encode("utf-8-sig"),
            **{t.say(f"take.file.{kind}"): partial(argument_bytes, t, kind) for kind in KINDS},
            t.say("take.file.workbook"): lambda: workbook_bytes(t),
            t.say("take.file.map_html"): lambda: map_html_bytes(t),
            t.say("take.file.map_png"): lambda: map_image_bytes(t, "png"),
            t.say("take.file.scenario"): lambda: scenario_bytes(t),
            **chart_files(t, ("png", "csv"), f"{t.say('take.folder')}/"),
        },
    )


def charts_bytes(t: Taken) -> bytes:
    """Every chart as PNG, SVG and CSV, in one ZIP."""
    return _zipped(t, chart_files(t, ("png", "svg", "csv")))


def chart_files(t: Taken, kinds: Sequence[str], folder: str = "") -> dict[str, Callable[[], bytes]]:
    """The charts as files by name: pictures, and what they draw as CSV."""
    return {
        f"{folder}{t.say(f'take.chart.{name}')}.{kind}": partial(_chart_file, figure, kind, t.language)
        for name, figure in charts_of(t).items()
        for kind in kinds
    }


def _chart_file(figure: go.Figure, kind: str, language: str) -> bytes:
    if kind == "csv":
        return tables.csv_bytes(tables.chart_table(figure, language))
    return chart_image(figure, kind)


def _zipped(t: Taken, parts: Mapping[str, Callable[[], bytes]]) -> bytes:
    """A ZIP of files made one after another, dated of the day of issue."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, made in parts.items():
            entry = zipfile.ZipInfo(name, (t.on.year, t.on.month, t.on.day, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, made())
    return out.getvalue()


def readme(t: Taken) -> str:
    """What the kit holds, for which scenario, with its link, and which of its tables are modelled. Lines end as on Windows."""
    site = t.assessment.site(site_of(t))
    assert site is not None
    tables_told = [
        t.say("take.readme_table", table=say(f"table.{p.table}", t.language), kind=say(f"kind.{p.kind}", t.language),
              source=p.source_in(t.language), year=p.year)
        for p in t.sources
    ]  # fmt: skip
    names = ("elected", "employers", "state", "workbook", "map_html", "map_png", "scenario")
    told = [(t.say(f"take.file.{name}"), t.say(f"take.about.{name}")) for name in names]
    told.append((f"{t.say('take.folder')}/", t.say("take.about.charts")))
    files = [f"- {name}{colon(t.language)}{about}" for name, about in told]
    lines = [
        t.say("take.readme_title", name=str(site["name"]), territory=t.territory.name), t.dossier.title, "",
        scenario_words(t.assessment.scenario, t.language), t.link, "", t.say("take.readme_files"), *files, "",
        t.say("take.readme_data"), *tables_told, "", _ranges_told(t),
        say("argument.stamp", t.language, version=t.assessment.model_version, date=day_words(t.on, t.language)),
    ]  # fmt: skip
    return "\r\n".join(line for line in lines if line is not None) + "\r\n"


ENDINGS = (".xlsx", ".pdf", ".html", ".png", ".svg", ".geojson", ".gpkg", ".csv", ".zip")
CHARTS = (
    "map", "hours", "components", "response", "waterfall", "users", "price", "telepresence", "gains", "gains_eur", "bands",
    "density",
)  # fmt: skip
"""What a picture of one scenario may show."""


def export_bytes(t: Taken, ending: str, argument: str = "elected", chart: str = "map") -> bytes:
    """The file of an ending, one of `ENDINGS`. argument: which PDF; chart: which picture (one of `CHARTS`).

    ValueError for another ending, argument or chart.
    """
    made: dict[str, Callable[[], bytes]] = {
        ".xlsx": lambda: workbook_bytes(t), ".pdf": lambda: argument_bytes(t, argument),
        ".html": lambda: map_html_bytes(t), ".csv": lambda: csv_bytes(t), ".zip": lambda: kit_bytes(t),
        ".png": lambda: _picture(t, "png", chart), ".svg": lambda: _picture(t, "svg", chart),
        ".geojson": lambda: gis_bytes(t, ".geojson"), ".gpkg": lambda: gis_bytes(t, ".gpkg"),
    }  # fmt: skip
    if ending not in made:
        raise ValueError(f"{ending}: allowed endings {', '.join(ENDINGS)}")
    return made[ending]()


def _picture(t: Taken, kind: str, chart: str) -> bytes:
    if chart == "map":
        return map_image_bytes(t, kind)
    if chart not in CHARTS:
        raise ValueError(f"chart: allowed {', '.join(CHARTS)}; not {chart!r}")
    return chart_image(charts_of(t)[chart], kind)


def export_file(target: Path, t: Taken, argument: str = "elected", chart: str = "map") -> None:
    """Write `target` by its ending: see `export_bytes`."""
    target.write_bytes(export_bytes(t, target.suffix.lower(), argument, chart))
