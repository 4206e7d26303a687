"""Robustesse in a real browser: the sentence comes by itself, more draws can be asked, stopped and taken up again."""

from __future__ import annotations

import pytest
from app_browser import MARKS, WAIT_MS, Visit, complaints

pytestmark = [*MARKS, pytest.mark.timeout(300)]


def test_draws_come_stop_and_go_on(visit: Visit) -> None:
    page = visit.page
    visit.open("robustesse?territory=d04&site=04070")
    page.wait_for_selector("section.robust .say", timeout=2 * WAIT_MS)
    assert "Viable dans" in page.inner_text("section.robust .say")
    page.get_by_role("radio", name="4").last.click()
    page.get_by_role("button", name="Tirer ces futurs").click()
    page.get_by_role("button", name="Arrêter").click(timeout=WAIT_MS)
    page.get_by_role("button", name="Reprendre").wait_for(timeout=WAIT_MS)
    page.get_by_role("radio", name="200").click()
    page.wait_for_selector("section.robust .say", timeout=WAIT_MS)
    assert complaints(visit) == []
    assert visit.outside == []
