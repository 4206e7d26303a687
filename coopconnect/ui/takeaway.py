"""What one takes home of the screen: three arguments, workbook, maps, charts, data, the kit for a council.

Each file is made when it is asked for, in a thread of the server, while the button shows that it works; nothing is
made, nor even listed, while the menu is closed.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from coopconnect.model.types import Assessment
from coopconnect.scenario import Scenario
from coopconnect.territory.official.status import beside
from coopconnect.ui import cached
from coopconnect.ui.frame import Page, guard, query_of
from coopconnect.ui.futures import drawn_for, further_for, with_quantiles

if TYPE_CHECKING:
    from coopconnect.export.files import Taken

PDF, ZIP = "application/pdf", "application/zip"
WITH_MORE = ("workbook", "kit", "gpkg", "charts")
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Offer:
    """One file on the menu: `name` names its words, `make` makes it, `about_site`: it needs a site."""

    name: str
    mime: str
    make: Callable[[Taken], bytes]
    about_site: bool = False


def offers() -> dict[str, tuple[Offer, ...]]:
    """The menu, by group. The makers' libraries load on the first export only."""
    from coopconnect.export import files

    return {
        "kit": (Offer("kit", ZIP, files.kit_bytes, True),),
        "pdf": tuple(
            Offer(kind, PDF, partial(files.argument_bytes, kind=kind), True) for kind in ("elected", "employers", "state")
        ),
        "map": (
            Offer("map_html", "text/html", files.map_html_bytes),
            Offer("map_png", "image/png", partial(files.map_image_bytes, kind="png")),
            Offer("map_svg", "image/svg+xml", partial(files.map_image_bytes, kind="svg")),
            Offer("charts", ZIP, files.charts_bytes, True),
        ),
        "data": (
            Offer("workbook", EXCEL, files.workbook_bytes),
            Offer("gpkg", "application/geopackage+sqlite3", partial(files.gis_bytes, ending=".gpkg")),
            Offer("geojson", "application/geo+json", partial(files.gis_bytes, ending=".geojson")),
            Offer("csv", "text/csv", files.csv_bytes),
            Offer("scenario", "application/toml", files.scenario_bytes),
        ),
    }  # fmt: skip


@st.fragment
def draw_takeaway(page: Page, site_code: str = "") -> None:
    """The menu "Emporter": what there is to take home of the scenario and of one site (the best listed by default)."""
    menu = st.popover(page.say("take.title"), key="takeaway", on_change="rerun", type="primary")
    if not menu.open:
        return
    with menu, st.container(key="takeaway_menu"), guard(page):
        code = site_for(page, cached.assessment(page.scenario), site_code)
        _draw_menu(page, code)


def site_for(page: Page, now: Assessment, site_code: str) -> str:
    """The site that the files are about: the one given, else the best available (rural unless all are listed)."""
    if site_code and now.site(site_code) is not None:
        return site_code
    sites = now.sites[now.sites["rank"] > 0]
    rural = sites[sites["rural"]]
    listed = sites if page.view.all_communes or rural.empty else rural
    return "" if listed.empty else str(listed.loc[listed["rank"].idxmin(), "zone_code"])


def _draw_menu(page: Page, code: str) -> None:
    site = cached.assessment(page.scenario).site(code) if code else None
    name = "" if site is None else str(site["name"])
    told = page.say("take.about_site", name=name) if name else page.say("take.no_site")
    st.html(f'<p class="take">{html.escape(told)}</p>')
    link = link_to(page, code)
    for group, listed in offers().items():
        st.html(f'<h3 class="take">{html.escape(page.say(f"take.group.{group}"))}</h3>')
        with st.container(key=f"takegroup_{group}", horizontal=True):
            for offer in listed:
                _draw_offer(page, offer, code, link, name)
    if link:
        st.html(f'<h3 class="take">{html.escape(page.say("take.link"))}</h3>')
        st.code(link, language=None, wrap_lines=True)


def _draw_offer(page: Page, offer: Offer, code: str, link: str, name: str) -> None:
    main = offer.name == "kit"
    st.download_button(
        page.say(f"take.{offer.name}"), data=partial(made, page, offer, code, link), mime=offer.mime,
        file_name=page.say(f"take.file.{offer.name}").format(name=file_word(name)), key=f"take_{offer.name}",
        on_click="ignore", type="primary" if main else "secondary", disabled=offer.about_site and not code,
        help=page.say("take.kit_help") if main else None,
    )  # fmt: skip


def made(page: Page, offer: Offer, code: str, link: str) -> bytes:
    """One file of the menu, as it is asked for; a workbook holds the scenarios put aside and the plan, a GeoPackage the plan."""
    return offer.make((taken_with_more if offer.name in WITH_MORE else taken)(page, code, link))


def taken_with_more(page: Page, code: str, link: str) -> Taken:
    """The same with the scenarios put aside and the plan, which may have to be worked out."""
    from coopconnect.ui.included import compared_of
    from coopconnect.ui.network_page import plan_of

    made, plan = taken(page, code, link), plan_of(page)
    further = further_for(page, made.ensemble, code, None if isinstance(plan, tuple) else plan)
    return replace(made, compared=compared_of(page), plan=plan, further=further)


def taken(page: Page, code: str, link: str) -> Taken:
    """What the files are made of, from what the server keeps."""
    from coopconnect.export.files import Taken

    place = page.scenario.territory
    return Taken(
        cached.territory(place), with_answers(with_quantiles(page, cached.assessment(page.scenario)), page.scenario),
        cached.reference_assessment(place), page.parameters, page.language, date.today(), link, code,
        page.session.dossier, not page.view.all_communes, cached.hosts(place), cached.home_territory(place), drawn_for(page),
        beside=beside(cached.store().labels()),
    )  # fmt: skip


def with_answers(now: Assessment, scenario: Scenario) -> Assessment:
    """The assessment under the scenario as the visitor wrote it: hosts' answers are told, and saved, in the files."""
    return replace(now, scenario=scenario)


def link_to(page: Page, code: str) -> str:
    """The full address of the scenario with the site selected, '' where the server does not know its own."""
    here = (st.context.url or "").partition("?")[0]
    view = replace(page.view, selected=code, projector=False)
    return f"{here}?{query_of(replace(page.session, view=view))}" if here else ""


def file_word(name: str) -> str:
    """A commune's name as part of a file's name: small letters, digits and hyphens."""
    import unicodedata

    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(c if c.isalnum() else " " for c in bare).split())
