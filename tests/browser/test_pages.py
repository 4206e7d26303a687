"""The whole app in a real browser: cold links, levers, selection both ways, history, phone, nothing leaves."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="needs playwright (requirements-dev.txt)")
from app_browser import DESKTOP, MARKS, ROOT, STAGE, WAIT_MS, Visit, complaints, start_server, visit_of
from playwright.sync_api import Browser, WebSocketRoute

pytestmark = MARKS

FILLS = """() => {
  const map = window.__coopconnect?.maps?.get('map');
  const layer = map?.deck?.layerManager?.layers?.find((one) => one.id.startsWith('zones'));
  const fills = layer?.getAttributeManager?.()?.attributes?.fillColors?.value;
  if (!fills) return 0;
  const seen = new Set();
  for (let at = 0; at + 3 < fills.length; at += 4) seen.add(`${fills[at]},${fills[at + 1]},${fills[at + 2]}`);
  return seen.size;
}"""
"""How many fill colours deck.gl holds for the zones."""


def test_first_visitor_of_a_deep_link(browser: Browser) -> None:
    """A server that has just started answers a deep link: the page file runs without app.py."""
    process, url = start_server()
    try:
        visit = visit_of(browser, url, DESKTOP)
        visit.open("decider?v=1&fuel_price_eur_per_l=2.25&telework_days_per_week=2")
        assert visit.line() == "2,25 €/L · aujourd'hui · 2,0 j/sem"
        visit.stage()
        visit.page.get_by_role("link", name="Hypothèses").click()
        visit.page.wait_for_selector("h1", timeout=WAIT_MS)
        visit.page.get_by_role("link", name="Décider").click()
        visit.page.wait_for_selector(".scenario .line", timeout=WAIT_MS)
        assert visit.line() == "2,25 €/L · aujourd'hui · 2,0 j/sem"
        assert complaints(visit) == []
        visit.page.close()
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_a_lever_redraws_the_map_and_writes_the_address(visit: Visit) -> None:
    visit.open("decider")
    before = visit.stage()["picture"]
    lever = visit.page.locator("#lever-fuel_price_eur_per_l")
    lever.focus()
    lever.press("End")
    visit.until("(wanted) => location.search.includes('fuel_price_eur_per_l=3')")
    visit.until(f"() => {{ const s = ({STAGE})(); return s && s.picture !== '{before}'; }}")
    assert visit.line().startswith("3,00 €/L")
    assert lever.get_attribute("aria-valuetext") == "3,00\u00a0€/L, crise"


def test_undo_redo_and_projector_by_keys(visit: Visit) -> None:
    visit.open("decider")
    visit.stage()
    lever = visit.page.locator("#lever-telework_days_per_week")
    lever.focus()
    lever.press("Home")
    visit.until("() => location.search.includes('telework_days_per_week=0')")
    visit.page.wait_for_selector(".st-key-undo button:not([disabled])", timeout=WAIT_MS)
    visit.page.locator("h2.title").first.click()
    visit.page.keyboard.press("u")
    visit.until("() => !location.search.includes('telework')")
    visit.page.wait_for_selector(".st-key-redo button:not([disabled])", timeout=WAIT_MS)
    visit.page.keyboard.press("y")
    visit.until("() => location.search.includes('telework_days_per_week=0')")
    visit.page.keyboard.press("p")
    visit.until("() => document.documentElement.classList.contains('coop-projector')")
    bar = visit.page.locator(".st-key-topbar").bounding_box()
    assert bar is not None
    for button in visit.page.locator(".st-key-scenariobar button:visible").all():  # none lies under the way out
        box = button.bounding_box()
        assert box is not None and (box["x"] + box["width"] <= bar["x"] or box["y"] >= bar["y"] + bar["height"])
    visit.page.keyboard.press("p")
    visit.until("() => !document.documentElement.classList.contains('coop-projector')")
    link = visit.page.locator(".st-key-topbar a").first
    link.focus()  # after a key: as by Tab. The tint alone is that of the page one is on
    assert link.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"


def test_a_move_lost_on_the_way_is_told_again(visit: Visit) -> None:
    lost: list[str | bytes] = []

    def lose_the_first_move(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            if b"telework_days_per_week" in message_bytes(message) and not lost:
                lost.append(message)
            else:
                server.send(message)

        socket.on_message(pass_on)
        server.on_message(socket.send)

    visit.page.route_web_socket("**/_stcore/stream", lose_the_first_move)
    visit.open("decider")
    visit.page.locator("#lever-telework_days_per_week").press("Home")
    visit.until("() => location.search.includes('telework_days_per_week=0')")
    assert len(lost) == 1


def test_visitors_at_once_see_their_own_scenario(browser: Browser, server: str) -> None:
    """The short form of benchmarks/visitors.py."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from visitors import measure
    finally:
        sys.path.pop(0)
    found = measure(browser, server, visitors=2, moves=2)
    assert (found["without_new_picture"], found["wrong_addresses"], found["complaints"]) == (0, 0, [])


def message_bytes(message: str | bytes) -> bytes:
    return message if isinstance(message, bytes) else message.encode()


def test_map_and_ranking_select_each_other(visit: Visit) -> None:
    visit.open("decider?near=84003")
    visit.stage()
    rows = visit.page.locator("[role=option]")
    rows.first.wait_for(timeout=WAIT_MS)
    assert 3 <= rows.count() <= 60
    rows.nth(1).click()
    visit.until(f"() => {{ const s = ({STAGE})(); return s && s.selected !== ''; }}")
    code = visit.stage()["selected"]
    visit.until(f"() => location.search.includes('site={code}')")
    visit.page.wait_for_selector(".site h2", timeout=WAIT_MS)
    canvas = visit.page.locator("canvas").first.bounding_box()
    assert canvas is not None
    visit.page.mouse.click(canvas["x"] + canvas["width"] * 0.62, canvas["y"] + canvas["height"] * 0.5)
    visit.until(f"() => {{ const s = ({STAGE})(); return s && s.selected && s.selected !== '{code}'; }}")
    other = visit.stage()["selected"]
    visit.until(f"() => location.search.includes('site={other}')")
    visit.page.locator("[role=option][aria-selected=true]").wait_for(timeout=WAIT_MS)


def test_charts_come_when_one_comes_near_them(visit: Visit) -> None:
    visit.open("decider?site=84003")
    visit.stage()
    visit.page.wait_for_selector(".site h2", timeout=WAIT_MS)
    assert visit.page.locator(".js-plotly-plot").count() == 0
    visit.scroll_to_the_end()
    visit.until("() => document.querySelectorAll('.js-plotly-plot').length === 3")
    assert visit.page.locator(".chart h3").count() == 3


def test_apt_from_the_first_page_to_excel(visit: Visit) -> None:
    """The question a first-time user brings, answered by clicks alone."""
    visit.open("")
    visit.page.get_by_role("button", name="Luberon").click()
    visit.page.wait_for_selector(".scenario .line", timeout=WAIT_MS)
    visit.stage()
    assert visit.line() == "2,25 €/L · aujourd'hui · 2,0 j/sem"
    visit.page.get_by_label("Près de").fill("apt")
    visit.page.keyboard.press("Enter")
    visit.until("() => location.search.includes('near=84003')")
    visit.page.locator("[role=option]").first.click()
    visit.page.wait_for_selector(".site h2", timeout=WAIT_MS)
    assert "h" in visit.page.inner_text(".figures")
    with visit.page.expect_download(timeout=WAIT_MS) as download:
        visit.page.get_by_role("button", name="Excel").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    assert Path(download.value.path()).stat().st_size > 20_000


def test_a_link_opens_the_same_again_and_the_last_one_is_resumed(visit: Visit) -> None:
    visit.open("decider?v=1&fuel_price_eur_per_l=2.5&climate=tracc_2050&site=84003&lang=fr")
    visit.stage()
    assert visit.line().startswith("2,50 €/L · +2,7 °C (2050)")
    visit.until("() => localStorage.getItem('coopconnect.last')")
    visit.open("")
    resume = visit.page.locator("button.resume")
    resume.wait_for(timeout=WAIT_MS)
    resume.click()
    visit.page.wait_for_selector(".scenario .line", timeout=WAIT_MS)
    assert visit.line().startswith("2,50 €/L · +2,7 °C (2050)")


def test_a_wrong_file_is_explained(visit: Visit, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[differences]\nfuel_price_eur_per_l = 12\nnonsense = 1\n[plan]\nsites = -3\n", encoding="utf-8")
    visit.open("")
    visit.page.locator("input[type=file]").set_input_files(str(wrong))
    visit.page.get_by_text("fuel_price_eur_per_l) : permis").wait_for(timeout=WAIT_MS)
    visit.page.get_by_text("(plan.sites) :").wait_for(timeout=WAIT_MS)
    right = tmp_path / "right.toml"
    right.write_text(
        'title = "Essai"\n[differences]\nfuel_price_eur_per_l = 2\n[plan]\nsites = 4\nforbidden = ["04088"]\n',
        encoding="utf-8",
    )
    visit.page.locator("input[type=file]").set_input_files(str(right))
    visit.page.get_by_text("Essai").wait_for(timeout=WAIT_MS)
    visit.page.get_by_role("button", name="Ouvrir", exact=True).click()
    visit.page.wait_for_url("**plan=n4~x04088**", timeout=WAIT_MS)


def test_a_map_started_early_gets_its_colours(visit: Visit) -> None:
    """The second visit finds the contours at hand: deck.gl starts with them, before there is anything to colour."""
    for _ in range(2):
        visit.open("decider")
        visit.stage()
        visit.until(f"() => ({FILLS})() > 4")
    assert complaints(visit) == []
