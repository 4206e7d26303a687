"""Each page against axe-core (WCAG 2.1 A and AA, and axe's best practices): no serious or critical violation of ours."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytest.importorskip("playwright", reason="needs playwright (requirements-dev.txt)")
pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python (requirements-dev.txt)")
from app_browser import MARKS, WAIT_MS, Visit
from axe_playwright_python.sync_playwright import Axe

from coopconnect.ui.frame import PAGES

pytestmark = MARKS

GRAVE = ("serious", "critical")
LOOKS = 3
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


@pytest.mark.parametrize("path", PAGES)
def test_no_grave_violation(visit: Visit, path: str) -> None:
    visit.open(path)
    if path == "decider":
        visit.stage()
        visit.scroll_to_the_end()
        visit.page.wait_for_selector(".js-plotly-plot", timeout=WAIT_MS)
    settled(visit)
    for _ in range(LOOKS):  # what is being redrawn is paler for a moment: what stays is a defect
        if not found(visit):
            return
        settled(visit)
    assert found(visit) == []
