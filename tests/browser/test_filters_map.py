"""The map goes where the filters are, and stays where it is when a lever moves."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright", reason="needs playwright (requirements-dev.txt)")
from app_browser import MARKS, WAIT_MS, Visit

pytestmark = MARKS

CLOSER = """() => {
  const map = window.__coopconnect?.maps?.get('map');
  return map?.view ? map.view.zoom - map.fitZoom : null;
}"""
"""Levels of zoom between the view and that of the whole territory."""


def test_the_map_follows_the_filters_and_not_the_levers(visit: Visit) -> None:
    visit.open("decider?near=84003")
    visit.stage()
    visit.until(f"() => ({CLOSER})() > 2")
    near = visit.page.evaluate(
        "[window.__coopconnect.maps.get('map').view.longitude, window.__coopconnect.maps.get('map').view.latitude]"
    )
    assert abs(near[0] - 5.4) < 0.25 and abs(near[1] - 43.88) < 0.15
    visit.page.evaluate("window.__coopconnect.maps.get('map').fit(() => true, false)")
    before = visit.stage()["picture"]
    lever = visit.page.locator("#lever-fuel_price_eur_per_l")
    lever.focus()
    lever.press("End")
    visit.until("(wanted) => location.search.includes('fuel_price_eur_per_l=3')")
    visit.page.wait_for_function(
        "(old) => [...document.querySelectorAll('*')].some((host) => {"
        " const stage = host.shadowRoot?.querySelector('[data-picture]');"
        " return stage && stage.dataset.picture !== old; })", arg=before, timeout=WAIT_MS,
    )  # fmt: skip
    assert abs(visit.page.evaluate(CLOSER)) < 0.01
    field = visit.page.get_by_label("Près de")
    field.fill("Gap")
    field.press("Enter")
    visit.until(f"() => ({CLOSER})() > 1")
    visit.page.wait_for_function("() => window.__coopconnect.maps.get('map').view.latitude > 44.3", timeout=WAIT_MS)
    field.fill("")
    field.press("Enter")
    visit.until(f"() => Math.abs(({CLOSER})()) < 0.01")
