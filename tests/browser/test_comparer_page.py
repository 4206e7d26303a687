"""Comparer in a real browser: put two aside, compare, drop a file, read it on a phone; nothing leaves."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="needs playwright (requirements-dev.txt)")
from app_browser import MARKS, PHONE, STAGE, WAIT_MS, Visit, complaints, visit_of
from playwright.sync_api import Browser

pytestmark = MARKS

CRISIS = "v=1&fuel_price_eur_per_l=3&telework_days_per_week=3"


def put_aside(visit: Visit, title: str) -> None:
    """From Décider: open the menu, write a title, put aside."""
    visit.page.locator(".st-key-aside button").first.click()
    box = visit.page.locator(".st-key-aside_title input")
    box.wait_for(timeout=WAIT_MS)
    box.fill(title)
    box.press("Enter")
    visit.page.locator(".st-key-aside_do button").click()


def maps_drawn(visit: Visit, count: int) -> None:
    visit.until("v => document.querySelectorAll('.smallmaps img').length >= v.count", count=count)


def test_put_two_aside_and_compare(visit: Visit, tmp_path: Path) -> None:
    visit.open("decider?" + CRISIS)
    visit.stage()
    put_aside(visit, "Crise")
    visit.until("() => location.search.includes('k1=')")
    before = visit.stage()["picture"]
    lever = visit.page.locator("#lever-fuel_price_eur_per_l")
    lever.focus()
    lever.press("Home")
    visit.until("() => !location.search.includes('fuel_price_eur_per_l=3&')")
    visit.until(f"value => ({STAGE})()?.picture !== value.before", before=before)
    visit.page.get_by_role("link", name="Comparer").click()
    maps_drawn(visit, 4)  # two scenarios, two maps of what changes
    assert "Crise" in visit.page.inner_text(".pair h3")
    visit.page.wait_for_selector(".js-plotly-plot", timeout=WAIT_MS)

    dropped = tmp_path / "cher.toml"
    dropped.write_text('title = "Cher"\nversion = "1"\n[differences]\nday_price_eur = 14\n', encoding="utf-8")
    visit.page.get_by_text("Ajouter un scénario").click()
    visit.page.locator("input[type=file]").set_input_files(str(dropped))
    visit.page.get_by_text("version antérieure").wait_for(timeout=WAIT_MS)
    maps_drawn(visit, 5)
    visit.until("() => location.search.includes('k2=')")
    query = visit.page.evaluate("location.search")

    again = visit_of(visit.page.context.browser, visit.url, {"width": 1440, "height": 900})  # type: ignore[arg-type]
    again.open("comparer" + query)
    maps_drawn(again, 5)
    assert "Cher" in again.page.inner_text(".st-key-future_C h2")
    assert complaints(again) == []
    assert again.outside == []
    again.page.close()
    assert complaints(visit) == []
    assert visit.outside == []


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, server: str) -> None:
    visit = visit_of(browser, server, PHONE)
    visit.open("comparer?" + CRISIS)
    maps_drawn(visit, 4)
    visit.page.wait_for_selector(".js-plotly-plot", timeout=WAIT_MS)
    time.sleep(1.0)
    assert visit.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= PHONE["width"]
    assert complaints(visit) == []
    assert visit.outside == []
    visit.page.close()
