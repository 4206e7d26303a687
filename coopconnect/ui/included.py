"""The scenarios put aside, as the workbook compares them."""

from __future__ import annotations

from coopconnect.export.sheet_comparison import Compared
from coopconnect.ui import cached
from coopconnect.ui.frame import Page
from coopconnect.ui.futures import drawn_of, with_draws


def compared_of(page: Page) -> tuple[Compared, ...]:
    """Scenarios put aside, assessed; one whose territory cannot be read is left out."""
    compared = []
    for item in page.session.kept:
        try:
            drawn = drawn_of(page, item.scenario, item.dossier.survey)
            now = with_draws(cached.assessment(item.scenario), drawn)
            compared.append(Compared(item.title or page.say("compare.untitled"), now, drawn))
        except (ValueError, KeyError, FileNotFoundError):
            continue  # the page Comparer tells it, with what to do
    return tuple(compared)
