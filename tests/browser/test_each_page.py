"""Each page: against axe-core (no serious or critical violation of ours), on a phone's width, in both languages."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

pytest.importorskip("playwright", reason="needs playwright (requirements-dev.txt)")
pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python (requirements-dev.txt)")
from app_browser import DESKTOP, MARKS, PHONE, WAIT_MS, Visit
from axe_playwright_python.sync_playwright import Axe

from coopconnect.ui.frame import PAGES
from coopconnect.ui.own_labels import own_labels

pytestmark = MARKS

GRAVE = ("serious", "critical")
LOOKS = 3
FITS = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  return window.innerWidth === 390 && main.scrollWidth <= 390 && document.documentElement.scrollWidth <= 390;
}"""
STACKED = """() => [...document.querySelectorAll('table.stacked')].every((table) =>
  table.parentElement.scrollWidth <= table.parentElement.clientWidth && getComputedStyle(table.rows[1]).display === 'block')"""
"""Of the closed groups too, which a browser lays out when asked."""
SAID = """() => [...document.querySelectorAll('body *')].flatMap((node) => [
  ...['aria-label', 'title', 'placeholder'].map((name) => node.getAttribute(name)),
  ...(node.matches('style, script, textarea') ? [] : [...node.childNodes].filter((n) => n.nodeType === 3).map((n) => n.nodeValue)),
]).filter(Boolean).map((text) => text.trim())"""
"""Every text and name of the page."""
INACTIVE_INK = "#a2a7ab"
"""Ink of Streamlit's label of a field that is disabled: WCAG 1.4.3 asks nothing of inactive parts, but axe cannot tell that this
label belongs to one."""


def found(visit: Visit) -> list[str]:
    """Grave violations, each with its rule, its element and what axe says of it."""
    result: dict[str, Any] = Axe().run(visit.page, options={"resultTypes": ["violations"]}).response
    assert result["passes"], "axe looked at nothing"
    return [
        f"{violation['id']}: {node['target']}: {node['html'][:160]}: {node['failureSummary'][:200]}"
        for violation in result["violations"]
        for node in violation["nodes"]
        if violation["impact"] in GRAVE and INACTIVE_INK not in node["failureSummary"]
    ]


def settled(visit: Visit) -> None:
    """Wait until nothing is being redrawn, and has stopped fading in."""
    visit.until("() => !document.querySelector('[data-stale=\"true\"]')")
    time.sleep(2.0)


def labels_in(visit: Visit, side: int) -> list[str]:
    """Of Streamlit's labels, those that the page says in English (0) or as we write them in French (1)."""
    shapes = [re.sub(r"\\{\w+\\}", ".+", re.escape(pair[side])) for pair in own_labels("fr")]
    any_of = re.compile("|".join(f"(?:{shape})" for shape in shapes))
    return [text for text in visit.page.evaluate(SAID) if any_of.fullmatch(text)]


def labels_left(visit: Visit, side: int) -> list[str]:
    """Those of `labels_in` that stay: a page is drawn again part by part, and these words are put in as they come."""
    for _ in range(LOOKS):
        if not labels_in(visit, side):
            break
        settled(visit)
    return labels_in(visit, side)


@pytest.mark.parametrize("path", PAGES)
def test_a_page(visit: Visit, path: str) -> None:
    """Opened once, on a desk, then as narrow as a phone, then in English: a page costs seconds to open."""
    visit.open(path)
    visit.until("() => document.documentElement.lang === 'fr'")
    if path == "decider":
        visit.stage()
        visit.scroll_to_the_end()
        visit.page.wait_for_selector(".js-plotly-plot", timeout=WAIT_MS)
    settled(visit)
    for _ in range(LOOKS):  # what is being redrawn is paler for a moment: what stays is a defect
        grave = found(visit)
        if not grave:
            break
        settled(visit)
    assert grave == []
    assert labels_left(visit, 0) == []
    if path == "donnees":  # each row's button says what it downloads to who hears the page, not to the eye
        name = "Télécharger Flux domicile-travail entre communes, recensement 2022"
        row = visit.page.get_by_role("button", name=name, exact=True).locator("p span").bounding_box()
        assert row is not None and row["width"] <= 1.0

    visit.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    visit.until(FITS)
    visit.until(STACKED)
    assert not visit.page.locator(".st-key-projector").is_visible()

    visit.page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    visit.page.get_by_role("button", name="English").click()
    visit.until("() => document.documentElement.lang === 'en' && location.search.includes('lang=en')")
    visit.page.get_by_role("button", name="Français").wait_for(timeout=WAIT_MS)
    assert labels_left(visit, 1) == []
    if path == "reseau":
        assert "Increment" in labels_in(visit, 0)
    if path == "hypotheses":
        field = visit.page.locator("input[type=number]").first  # per cent
        field.fill("")
        field.press_sequentially("0,75")
        field.press("Enter")
        visit.until("() => location.search.includes('hub_share_reference=0.0075')")
