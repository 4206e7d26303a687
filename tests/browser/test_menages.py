"""Ménages in a real browser: search a home, read the figures, take the card home; projector, phone, choice of a commune."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="needs playwright (requirements-dev.txt)")
from app_browser import MARKS, PHONE, WAIT_MS, Visit, complaints, visit_of
from playwright.sync_api import Browser
from spaces import plain

pytestmark = MARKS
LINK = "menages?home=84047&work=84007&site=84003"


def _see_everyone(visit: Visit) -> None:
    """Bring the second half of the page into the window, and wait for its charts."""
    visit.page.wait_for_selector(".st-key-gainchoices", timeout=WAIT_MS)
    visit.until(
        """() => {
          const main = document.querySelector('[data-testid=stMain]');  // the page grows while it is read: scroll until there
          main.scrollTo(0, main.scrollHeight);
          return document.querySelector('.counts');
        }"""
    )


def test_from_a_name_to_a_card(visit: Visit, tmp_path: Path) -> None:
    visit.open("menages")
    for label, typed, found in (("J'habite à", "gargas", "home=84047"), ("Je travaille à", "84000", "work=84007")):
        field = visit.page.get_by_label(label)
        field.fill(typed)
        field.press("Enter")
        visit.until("({ found }) => location.search.includes(found)", found=found)
    visit.page.wait_for_selector(".weeks", timeout=WAIT_MS)
    weeks = plain(visit.page.inner_text(".weeks"))
    assert "606 km" in weeks and "Prix du lieu" in weeks
    visit.page.locator(".week.hub details.row summary").nth(1).click()
    assert "jusqu'au bureau" in plain(visit.page.inner_text(".week.hub details.row[open]"))
    with visit.page.expect_download(timeout=WAIT_MS) as started:
        visit.page.get_by_role("button", name="Ma carte (PDF)").click()
    path = tmp_path / "card.pdf"
    started.value.save_as(path)
    if shutil.which("pdftotext") is None:
        pytest.skip("needs poppler-utils")
    told = plain(subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout)
    assert "De Gargas (84) à Avignon (84)" in told and "606 km" in told and "1,75 €/L" in told
    fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    assert fonts and all("SourceSansPro" in line and " yes yes " in line for line in fonts)


def test_a_lever_moves_my_week_without_leaving_the_page(visit: Visit) -> None:
    visit.open(LINK)
    visit.page.wait_for_selector(".weeks", timeout=WAIT_MS)
    before = visit.page.inner_text(".week.hub")
    lever = visit.page.locator("#lever-fuel_price_eur_per_l")
    lever.focus()
    lever.press("End")
    visit.until("() => location.search.includes('fuel_price_eur_per_l=3')")
    visit.until("({ before }) => document.querySelector('.week.hub').innerText !== before", before=before)


def test_winners_and_losers_in_two_readings(visit: Visit) -> None:
    visit.open(LINK)
    _see_everyone(visit)
    average = visit.page.inner_text(".counts .up .number")
    visit.page.get_by_role("radio", name="Qui remplace vraiment chaque trajet").or_(
        visit.page.get_by_role("button", name="Qui remplace vraiment chaque trajet")
    ).click()
    visit.until("({ before }) => document.querySelector('.counts .up .number').innerText !== before", before=average)
    visit.until("() => location.search.includes('truly=1')")
    visit.page.wait_for_selector(".js-plotly-plot", timeout=WAIT_MS)
    visit.page.get_by_role("button", name="Voir tous les lieux ruraux").click()
    visit.until("() => !location.search.includes('site=')")
    visit.until("() => /communes rurales/.test(document.querySelector('.scope').innerText)")


@pytest.mark.parametrize("more", ["", "&lang=en&car=none"])
def test_a_phone_reads_it_all_without_sideways_scroll(browser: Browser, server: str, more: str) -> None:
    visit = visit_of(browser, server, PHONE)
    visit.open(LINK + more)
    visit.page.wait_for_selector(".weeks", timeout=WAIT_MS)
    _see_everyone(visit)
    visit.page.wait_for_selector(".js-plotly-plot", timeout=WAIT_MS)
    assert visit.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= PHONE["width"]
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert visit.outside == [] and complaints(visit) == []
    visit.page.close()


def test_projector_mode_shows_the_three_weeks_large(visit: Visit) -> None:
    visit.open(f"{LINK}&projector=1")
    visit.page.wait_for_selector(".weeks", timeout=WAIT_MS)
    visit.until("() => document.documentElement.classList.contains('coop-projector')")
    size = visit.page.evaluate("parseFloat(getComputedStyle(document.querySelector('.week .number')).fontSize)")
    assert size >= 30
    assert re.search(r"\d", visit.page.inner_text(".week.today"))
