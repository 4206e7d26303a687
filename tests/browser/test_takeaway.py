"""The menu "Emporter" in a real browser: every file comes down, on a desk and on a phone; the HTML map opens from a disk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="needs playwright (requirements-dev.txt)")
from app_browser import MARKS, PHONE, WAIT_MS, Visit, complaints, visit_of
from playwright.sync_api import Browser

pytestmark = MARKS

STARTS = {
    "kit": b"PK", "elected": b"%PDF", "employers": b"%PDF", "state": b"%PDF", "map_html": b"<!", "map_png": b"\x89PNG",
    "map_svg": b"<?xml", "charts": b"PK", "workbook": b"PK", "gpkg": b"SQLite", "geojson": b"{", "csv": b"\xef\xbb\xbf",
    "scenario": b"",
}  # fmt: skip


def open_menu(visit: Visit, path: str) -> None:
    visit.open(path)
    visit.stage()
    visit.page.get_by_role("button", name=re.compile("Emporter|Take home")).first.click()
    visit.page.wait_for_selector(".st-key-takegroup_data button", timeout=WAIT_MS)


def test_every_file_comes_down(visit: Visit, tmp_path: Path) -> None:
    open_menu(visit, "decider?v=1&fuel_price_eur_per_l=2.25&site=84003")
    for name, start in STARTS.items():
        with visit.page.expect_download(timeout=WAIT_MS) as download:
            visit.page.locator(f".st-key-take_{name} button").first.click()
        found = download.value
        path = tmp_path / found.suggested_filename
        found.save_as(path)
        content = path.read_bytes()
        assert content.startswith(start) and content, name
    assert "2.25" in (tmp_path / "scenario.toml").read_text(encoding="utf-8")
    assert (tmp_path / "conseil-apt.zip").is_file()
    assert visit.page.locator(".st-key-takeaway_menu code").inner_text().find("site=84003") > 0


def test_the_map_file_opens_from_a_disk(browser: Browser, visit: Visit, tmp_path: Path) -> None:
    open_menu(visit, "decider?v=1&territory=d84&lang=en")
    with visit.page.expect_download(timeout=WAIT_MS) as download:
        visit.page.locator(".st-key-take_map_html button").first.click()
    path = tmp_path / "map.html"
    download.value.save_as(path)
    context = browser.new_context(offline=True)
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri(), timeout=WAIT_MS)
    page.wait_for_selector("canvas", timeout=WAIT_MS)
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    context.close()


def test_the_menu_fits_a_phone(browser: Browser, server: str) -> None:
    visit = visit_of(browser, server, PHONE)
    open_menu(visit, "decider?v=1&site=84003")
    box = visit.page.locator(".st-key-takeaway_menu").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
    assert complaints(visit) == []
    visit.page.close()
