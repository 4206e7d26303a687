"""Robustesse in a real browser: the sentence comes by itself, more draws can be asked, stopped and taken up again; a phone answers."""

from __future__ import annotations

import pytest
from app_browser import MARKS, PHONE, WAIT_MS, Visit, complaints

FITS = "() => document.querySelector('[data-testid=stMain]').scrollWidth <= 390"
TOUCHED = """() => Math.min(...[...document.querySelectorAll(
  '.st-key-phone [data-testid=stRadioOption], .st-key-phone [role=radio], .st-key-phone form button[kind], .st-key-phone input[type=text]'
)].map((node) => node.closest('[data-testid=stTextInputRootElement]') ?? node).map((node) => node.getBoundingClientRect().height))"""
"""Height in pixels of the least of what a thumb touches."""

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
    _a_phone_answers(visit)
    assert complaints(visit) == []
    assert visit.outside == []


def _a_phone_answers(visit: Visit) -> None:
    """The survey is opened here, answered in another tab as narrow as a phone, and the answer is counted and taken here."""
    page = visit.page
    page.get_by_text("Ajouter des réponses").click()
    page.get_by_role("button", name="Ouvrir le sondage sur téléphone").click()
    link = page.get_attribute(".room .link a", "href", timeout=WAIT_MS)
    assert link is not None and link.startswith(f"{visit.url}/sondage?room=")
    assert "Pas de code QR" in page.inner_text(".room")  # an address of this computer
    phone = page.context.new_page()
    phone.set_viewport_size(PHONE)  # type: ignore[arg-type]
    phone.goto(link)
    phone.get_by_role("button", name="Envoyer").click(timeout=WAIT_MS)
    phone.get_by_role("alert").filter(has_text="À corriger").wait_for(timeout=WAIT_MS)
    phone.wait_for_function(FITS, timeout=WAIT_MS)
    assert phone.evaluate(TOUCHED) >= 44
    phone.get_by_role("radio", name="2,5").click()
    phone.get_by_text("Aller au bureau").click()
    phone.get_by_role("button", name="English").click()  # nothing was sent yet: all that was chosen stays
    phone.get_by_label("Home to work").fill("25,5")
    assert phone.get_by_role("radio", name="2.5").get_attribute("aria-checked") == "true"
    assert phone.get_by_label("Go to the office").is_checked()
    phone.get_by_role("button", name="Français").click()
    phone.get_by_role("button", name="Envoyer").wait_for(timeout=WAIT_MS)
    assert phone.get_by_label("Distance domicile-travail").get_attribute("inputmode") == "decimal"
    phone.get_by_role("button", name="Envoyer").click()
    phone.get_by_text("Merci").wait_for(timeout=WAIT_MS)
    phone.close()
    page.get_by_text("1 à prendre").wait_for(timeout=WAIT_MS)
    page.get_by_role("button", name="Prendre ces réponses").click()
    page.get_by_text("0 à prendre").wait_for(timeout=WAIT_MS)
    assert page.locator(".room .code").is_visible()  # the draws that begin again close nothing
