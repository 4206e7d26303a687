"""Fiche site in a real browser: answers, notes and photos are kept, undone, saved and opened again."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="needs playwright (requirements-dev.txt)")
from app_browser import MARKS, WAIT_MS, Visit
from PIL import Image
from playwright.sync_api import expect

pytestmark = MARKS

APT = "84003"
NOTE = "Vu le maire : d'accord pour la salle du conseil."


def picture(folder: Path) -> Path:
    """A photo as a phone takes it: large, with a place and a camera in its hidden data."""
    hidden = Image.Exif()
    hidden[0x0110] = "Appareil secret"
    path = folder / "salle.jpg"
    Image.new("RGB", (2400, 1600), "seagreen").save(path, "JPEG", exif=hidden)
    return path


def test_answers_notes_and_photos_are_kept_and_undone(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    visit.open(f"site?site={APT}")
    gates = page.locator(".gates li")
    gates.first.wait_for(timeout=WAIT_MS)
    page.locator("#homes").wait_for(timeout=WAIT_MS)
    page.locator("nav.parts a").nth(1).focus()
    page.keyboard.press("Enter")  # the menu of the page: to the gates, by the keyboard
    expect(page.locator("#ready")).to_be_in_viewport(timeout=WAIT_MS)
    page.locator(".st-key-gatequestions").get_by_role("radio", name="oui").first.click()
    expect(page.locator(".gates li.passed")).to_have_count(1, timeout=WAIT_MS)

    note = page.get_by_label("Notes sur Apt")
    note.fill(NOTE)
    page.get_by_role("heading", name="Le côté humain").click()  # leaves the field, which writes it
    expect(page.get_by_role("button", name="Annuler")).to_be_enabled(timeout=WAIT_MS)
    time.sleep(0.5)  # a person takes seconds to choose a picture: the note is written and the page drawn by then
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=WAIT_MS)

    page.locator("input[type=file]").set_input_files(str(picture(tmp_path)))
    photo = page.locator("[class*=st-key-photo_] img")
    expect(photo).to_have_count(1, timeout=WAIT_MS)
    page.get_by_label("Légende de la photo 1").fill("La salle")
    page.get_by_role("heading", name="Le côté humain").click()
    expect(page.get_by_text("La salle", exact=True)).to_have_count(1, timeout=WAIT_MS)

    caption = page.locator("input[aria-label='Légende de la photo 1'][value='La salle']")
    page.get_by_role("button", name="Annuler").click()
    expect(caption).to_have_count(0, timeout=WAIT_MS)
    page.get_by_role("button", name="Annuler").click()
    expect(photo).to_have_count(0, timeout=WAIT_MS)
    page.get_by_role("button", name="Rétablir").click()
    expect(photo).to_have_count(1, timeout=WAIT_MS)
    page.get_by_role("button", name="Rétablir").click()
    expect(caption).to_have_count(1, timeout=WAIT_MS)
    expect(page.get_by_label("Notes sur Apt")).to_have_value(NOTE, timeout=WAIT_MS)
    assert "secret" not in page.url
    assert "maire" not in page.url

    with page.expect_download(timeout=WAIT_MS) as download:
        page.get_by_role("button", name="Enregistrer").click()
    saved = tmp_path / "scenario.toml"
    download.value.save_as(saved)
    assert b"Appareil secret" not in saved.read_bytes()

    visit.open("")
    page.locator("input[type=file]").set_input_files(str(saved))
    page.get_by_role("button", name="Ouvrir", exact=True).click(timeout=WAIT_MS)
    page.wait_for_selector(".scenario .line", timeout=WAIT_MS)
    page.get_by_role("link", name="Fiche site").first.click()
    search = page.get_by_label("Chercher une commune")
    search.fill("apt")
    search.press("Enter")
    expect(page.get_by_label("Notes sur Apt")).to_have_value(NOTE, timeout=WAIT_MS)
    expect(page.locator("[class*=st-key-photo_] img")).to_have_count(1, timeout=WAIT_MS)
    expect(page.locator(".gates li.passed")).to_have_count(1, timeout=WAIT_MS)


def test_what_is_no_picture_is_told_and_nothing_is_lost(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    visit.open(f"site?site={APT}")
    page.get_by_label("Notes sur Apt").fill(NOTE)
    wrong = tmp_path / "photo.jpg"
    wrong.write_bytes(io.BytesIO(b"not a picture").getvalue())
    page.locator("input[type=file]").set_input_files(str(wrong))
    page.get_by_text("pas une image lisible").wait_for(timeout=WAIT_MS)
    expect(page.get_by_label("Notes sur Apt")).to_have_value(NOTE, timeout=WAIT_MS)


def test_the_browser_asks_before_it_forgets_notes(visit: Visit) -> None:
    page, asked = visit.page, []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    visit.open(f"site?site={APT}")
    page.reload()
    page.get_by_label("Notes sur Apt").fill(NOTE)
    assert asked == []
    page.get_by_role("heading", name="Le côté humain").click()
    expect(page.get_by_role("button", name="Annuler")).to_be_enabled(timeout=WAIT_MS)
    page.wait_for_timeout(1000)
    page.reload()
    assert asked == ["beforeunload"]


def test_a_cold_link_moves_nothing_by_itself(visit: Visit) -> None:
    """Widgets that start from stored values send nothing back, even where runs follow each other at once."""
    for query in ("&projector=1", "", "&lang=en&projector=1"):
        visit.open(f"site?site={APT}{query}")
        visit.page.locator(".gates li").first.wait_for(timeout=WAIT_MS)
        visit.page.locator("[class*=st-key-sheet_telepresence_price]").first.wait_for(timeout=WAIT_MS)
        visit.page.wait_for_timeout(1500)
        assert "telepresence" not in visit.page.url
        undo = "Undo" if "lang=en" in query else "Annuler"
        assert visit.page.get_by_role("button", name=undo).is_disabled()


def test_from_the_panel_of_decide_to_the_sheet(visit: Visit) -> None:
    visit.open(f"decider?site={APT}")
    visit.stage()
    visit.page.get_by_role("link", name="Ouvrir la fiche du site").click(timeout=WAIT_MS)
    visit.page.locator(".gates li").first.wait_for(timeout=WAIT_MS)
    visit.until(f"() => location.pathname.endsWith('site') && location.search.includes('site={APT}')")
