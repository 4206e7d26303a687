"""What the workbook holds beside the scenario on the screen: households, scenarios put aside, notes, plan."""

from __future__ import annotations

from coopconnect.export.sheet_comparison import Compared
from coopconnect.export.workbook import Included, groups_of
from coopconnect.ui import cached
from coopconnect.ui.frame import Page
from coopconnect.ui.futures import drawn_for
from coopconnect.ui.network_page import plan_of


def included_of(page: Page) -> Included:
    """Worked out when a workbook is asked for."""
    code = page.scenario.territory
    territory, home = cached.territory(code), cached.home_territory(code)
    groups = groups_of(
        territory, page.scenario, page.parameters, home, cached.hosts(code) if page.scenario.hosts else None
    )
    return Included(territory, home, groups, compared_of(page), page.session.dossier, drawn_for(page), plan_of(page))


def compared_of(page: Page) -> tuple[Compared, ...]:
    """Scenarios put aside, assessed; one whose territory cannot be read is left out."""
    compared = []
    for item in page.session.kept:
        try:
            compared.append(Compared(item.title or page.say("compare.untitled"), cached.assessment(item.scenario)))
        except (ValueError, KeyError, FileNotFoundError):
            continue  # the page Comparer tells it, with what to do
    return tuple(compared)
