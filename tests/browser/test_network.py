"""Réseau in a real browser: a link opened cold gives its plan, its order, what a refusal costs, a file; on a phone too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from app_browser import MARKS, PHONE, WAIT_MS, Visit, complaints, visit_of
from playwright.sync_api import Browser

pytestmark = [*MARKS, pytest.mark.timeout(400)]

PLAN = "reseau?territory=d04&v=1&plan=n4~r1~e04112~x04152"

IN_ONE_SCREEN = """['.network_answer', '.st-key-network_map'].every((name) => {
  const box = document.querySelector(name)?.getBoundingClientRect();
  return box && document.documentElement.classList.contains('coop-projector') && box.top >= 0 && box.bottom <= innerHeight;
})"""


def _opened(visit: Visit) -> None:
    visit.open(PLAN)
    visit.page.get_by_role("button", name="Télécharger le plan (CSV)").wait_for(timeout=3 * WAIT_MS)


def test_a_link_opened_cold_gives_the_plan_and_its_order(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    _opened(visit)
    text = page.inner_text("[data-testid=stMain]")
    assert "Les refus coûtent" in text
    assert "c'est prouvé" in text or "encore inconnu" in text
    assert re.findall(r"[≤≥] \d+", page.inner_text(".cc-disc-key")) == ["≤ 49", "≥ 345"]
    before = visit.stage()["picture"]
    order = page.get_by_role("slider").last
    assert order.input_value() == "4"
    order.press("ArrowLeft")
    for _ in range(60):
        if visit.stage()["picture"] != before:
            break
        page.wait_for_timeout(500)
    assert visit.stage()["picture"] != before
    assert order.input_value() == "3"
    with page.expect_download(timeout=WAIT_MS) as got:
        page.get_by_role("button", name="Télécharger le plan (CSV)").click()
    file = tmp_path / "reseau.csv"
    got.value.save_as(file)
    lines = file.read_text("utf-8-sig").splitlines()
    assert len(lines) >= 6
    assert any("Manosque" in line for line in lines)
    assert not any("Pierrevert" in line.split(";")[1] for line in lines if ";" in line)
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.get_by_role("button", name="Projeter").click()
    visit.until(f"() => {IN_ONE_SCREEN}")


def _points(text: str) -> int:
    """The number at the head of the answer."""
    return int("".join(filter(str.isdigit, text)))


def test_a_search_goes_on_to_its_end_while_one_looks_and_stops_when_told(visit: Visit) -> None:
    page = visit.page
    visit.open("reseau?territory=d04&v=1&plan=n12~a15~oequity")
    page.get_by_role("button", name="Chercher mieux").click(timeout=3 * WAIT_MS)
    page.get_by_text("allée à son terme").wait_for(timeout=3 * WAIT_MS)
    page.get_by_role("button", name="Chercher mieux").wait_for(state="detached", timeout=WAIT_MS)
    visit.open("reseau?territory=93&v=1&plan=n150~oscore")  # so many lie within so little: it lasts its whole minute
    answer = page.locator(".network_answer b").first
    page.get_by_role("button", name="Chercher mieux").click(timeout=3 * WAIT_MS)
    page.get_by_text("Recherche en cours : au plus à").wait_for(timeout=WAIT_MS)
    worth = _points(answer.inner_text())
    page.get_by_role("button", name="Arrêter").click()
    page.get_by_role("button", name="Arrêter").wait_for(state="detached", timeout=10_000)
    page.get_by_role("button", name="Chercher mieux").wait_for(timeout=WAIT_MS)
    assert page.get_by_text("allée à son terme").count() == 0
    assert _points(answer.inner_text()) >= worth > 0


def test_a_phone_shows_it_without_sideways_scroll(browser: Browser, server: str) -> None:
    visit = visit_of(browser, server, PHONE)
    try:
        _opened(visit)
        wide = visit.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
        assert wide <= PHONE["width"]
        assert complaints(visit) == []
        assert visit.outside == []
    finally:
        visit.page.close()
