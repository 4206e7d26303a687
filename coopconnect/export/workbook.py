"""The Excel workbook of what is on the screen: native charts, live formulas with their cached values, safe text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import pandas as pd
import xlsxwriter

from coopconnect.dossier import Dossier
from coopconnect.export import book as b
from coopconnect.export.book import Book
from coopconnect.export.sheet_break_even import write_break_even
from coopconnect.export.sheet_comparison import Compared, write_comparison
from coopconnect.export.sheet_groups import write_groups
from coopconnect.export.sheet_network import write_network
from coopconnect.export.sheet_robust import NOTHING_FURTHER, write_robust
from coopconnect.export.sheet_site import write_site
from coopconnect.export.sheet_sites import sites_layout, write_sites
from coopconnect.export.sheet_summary import Summary, write_summary
from coopconnect.export.sheet_tables import (
    write_assumptions,
    write_households,
    write_sources,
    write_zones,
    zone_ranges,
)
from coopconnect.model.attribution import LARGE_SITES
from coopconnect.model.household_groups import HouseholdGroups, household_groups
from coopconnect.model.types import Assessment
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.siting.types import SitePlan
from coopconnect.territory.hosts import assessed_scenario
from coopconnect.territory.types import Provenance, Territory
from coopconnect.uncertainty.plans import Further
from coopconnect.uncertainty.run import Ensemble

_OPTIONS = {
    "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    "nan_inf_to_errors": False, "default_date_format": "dd/mm/yyyy",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Included:
    """What else goes in, where there is some.

    territory: that of the assessment, with `home` (the one of its calibration), for the sheet of the chosen site and the
    shares by lever. groups: winners and losers, beside the sheet Ménages. compared: scenarios put aside. dossier: answers,
    remarks and notes. ensemble: futures of this scenario, all drawn. plan: sites to open together, or why
    those that were asked cannot be (() where none were asked). further: what further runs say beside the ensemble.
    """

    territory: Territory | None = None
    home: Territory | None = None
    groups: HouseholdGroups | None = None
    compared: tuple[Compared, ...] = ()
    dossier: Dossier = field(default_factory=Dossier)
    ensemble: Ensemble | None = None
    plan: SitePlan | tuple[str, ...] = ()
    further: Further | None = None


NOTHING_MORE = Included()


def groups_of(
    territory: Territory, scenario: Scenario, parameters: Parameters, home: Territory | None, hosts: pd.DataFrame | None
) -> HouseholdGroups | None:
    """Winners and losers for a workbook; None for more than `LARGE_SITES` communes, where they take minutes."""
    if len(territory.site_zone) > LARGE_SITES:
        return None
    if scenario.hosts and hosts is not None:
        scenario = assessed_scenario(scenario, hosts)
    return household_groups(territory, scenario, parameters, "", home)


def workbook(
    assessment: Assessment, reference: Assessment, parameters: Parameters, provenance: Sequence[Provenance],
    language: str, selected_code: str | None = None, link: str = "", *, on: date, title: str = "",
    rural_only: bool = False, included: Included = NOTHING_MORE,
) -> bytes:  # fmt: skip
    """The workbook as bytes, ready to download.

    reference: the same territory under the reference scenario. provenance: of the territory's tables. language: 'fr'
    or 'en'. selected_code: site shown in detail (the best one otherwise). link: address of the scenario. on: date of
    issue; nothing in the file reads a clock, so the same arguments give the same cells. title: name of the scenario,
    as the user wrote it (text whatever it begins with). rural_only: rank rural communes only in the summary; it can
    be changed in the file, like the weights. included: what else goes in.
    """
    out = io.BytesIO()
    file = xlsxwriter.Workbook(out, _OPTIONS)
    book = Book(file, language, on, assessment.model_version, assessment.territory_name)
    file.set_calc_mode("auto")
    file.set_size(2400, 1400)
    _properties(book, title, link)
    kinds = {item.table: item.kind for item in provenance}
    if "climate" in kinds:
        kinds["hot_days"] = kinds["climate"]
    sites = sites_layout(book, assessment, reference, rural_only)
    summary = Summary(
        assessment, reference, parameters, sites, zone_ranges(book, assessment), selected_code, rural_only, title, link
    )
    sheet, name = b.add_sheet(book, "summary")
    write_summary(book, sheet, name, summary)
    if included.compared:
        write_comparison(
            book, assessment, included.compared, parameters, included.territory, included.home, included.ensemble
        )
    if included.territory is not None and selected_code is not None and assessment.site(selected_code) is not None:
        write_site(
            book,
            sites,
            assessment,
            selected_code,
            parameters,
            included.territory,
            included.home,
            included.dossier,
            included.ensemble,
        )
    if included.ensemble is not None:
        write_robust(book, included.ensemble, selected_code or "", included.further or NOTHING_FURTHER)
    if included.plan:
        write_network(book, included.plan, included.further.network if included.further else None)
    write_break_even(book, assessment, parameters)
    write_sites(book, sites, kinds)
    write_zones(book, assessment, kinds)
    write_households(book, assessment)
    if included.groups is not None:
        write_groups(book, included.groups)
    write_assumptions(book, parameters, assessment)
    write_sources(book, provenance, link, kinds)
    file.close()
    return out.getvalue()


def _properties(book: Book, title: str, link: str) -> None:
    """Document properties: what an archive shows of the file."""
    name = b.words(book, "say.title", territory=book.territory)
    book.file.set_properties({
        "title": f"{name} · {title}" if title else name, "subject": b.words(book, "say.subject"),
        "author": "Coop-connect", "company": "Coop-connect", "comments": link, "category": b.words(book, "kind.modelled"),
        "created": datetime(book.on.year, book.on.month, book.on.day),
        "keywords": b.words(book, "say.stamp", version=book.version, date=b.day(book)),
    })  # fmt: skip
