"""What the workbook holds beside the scenario on the screen: households, scenarios put aside, notes, plan."""

from __future__ import annotations

from coopconnect.export.sheet_comparison import Compared
from coopconnect.export.workbook import Included, groups_of
from coopconnect.ui import cached
from coopconnect.ui.frame import Page
from coopconnect.ui.futures import drawn_for
from coopconnect.ui.network_page import plan_of


def included_of(page: Page) -> Included:
    """Worked out when a workbook is asked for. A scenario put aside whose territory cannot be read is left out."""
    code = page.scenario.territory
    territory, home = cached.territory(code), cached.home_territory(code)
    compared = []
    for item in page.session.kept:
        try:
            compared.append(Compared(item.title or page.say("compare.untitled"), cached.assessment(item.scenario)))
        except (ValueError, KeyError, FileNotFoundError):
            continue  # the page Comparer tells it, with what to do
    groups = groups_of(
        territory, page.scenario, page.parameters, home, cached.hosts(code) if page.scenario.hosts else None
    )
    return Included(territory, home, groups, tuple(compared), page.session.dossier, drawn_for(page), plan_of(page))
