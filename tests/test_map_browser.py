"""The map and the ranking in a real Chromium: drawn, chosen by hand and by keyboard, quiet, offline, without WebGL."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from test_maps import grid, spec_of

from coopconnect.export.html_map import map_html
from coopconnect.show.maps import SEQUENTIAL_COLOURS, top_arcs

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (requirements-dev.txt)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on this machine (apt-get install chromium)")

PAGE = Path(__file__).parent / "browser" / "map_page.py"
ARGS = [
    "--headless=new", "--no-sandbox", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-quic",
]  # fmt: skip
SOFTWARE_GL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
NO_GL = ["--disable-gpu", "--disable-3d-apis"]
STAGE = ".cc-stage[data-picture]"
WAIT_MS = 60_000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(static: bool) -> Iterator[str]:
    """The test page, served by a real Streamlit on a free port."""
    port = free_port()
    options = {
        "server.port": port, "server.headless": "true", "server.address": "127.0.0.1", "server.fileWatcherType": "none",
        "browser.serverAddress": "127.0.0.1", "browser.gatherUsageStats": "false",
        "server.enableStaticServing": str(static).lower(),
    }  # fmt: skip
    command = [sys.executable, "-m", "streamlit", "run", str(PAGE)]
    command += [f"--{name}={value}" for name, value in options.items()]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=PAGE.parent)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(150):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(10)


class Visitor:
    """A browser page that keeps what it was told and what it asked for."""

    def __init__(self, page: playwright.Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.abroad: list[str] = []
        page.set_default_timeout(WAIT_MS)
        page.on("console", lambda m: self.errors.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: self.errors.append(str(e)))
        page.on("request", lambda r: None if self._is_home(r.url) else self.abroad.append(r.url))

    @staticmethod
    def _is_home(url: str) -> bool:
        return url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "blob:", "data:", "file:"))

    def open(self, address: str, waiting_for: str = STAGE) -> None:
        self.page.goto(address)
        self.page.locator(waiting_for).first.wait_for()

    def selected(self, code: str) -> None:
        """Wait until page, map and ranking all agree on the choice ('None': no choice)."""
        self.page.get_by_text(f"Choisie : {code}", exact=True).wait_for()
        shown = "" if code == "None" else code
        self.page.locator(f".cc-stage[data-selected='{shown}']").wait_for()
        self.page.locator(f".cc-ranking[data-selected='{shown}']").wait_for()

    def quiet(self) -> None:
        assert self.errors == []
        assert self.abroad == []


@pytest.fixture(scope="module")
def play() -> Iterator[playwright.Playwright]:
    with playwright.sync_playwright() as running:
        yield running


@contextmanager
def visiting(play: playwright.Playwright, gl: list[str], **context: object) -> Iterator[Visitor]:
    browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGS + gl, env={**os.environ, "LANG": "fr"})
    try:
        yield Visitor(browser.new_context(**context).new_page())
    finally:
        browser.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(static=True) as where:
        yield where


@pytest.fixture(scope="module")
def visitor(play: playwright.Playwright, address: str) -> Iterator[Visitor]:
    with visiting(play, SOFTWARE_GL, viewport={"width": 1280, "height": 860}) as someone:
        someone.open(address)
        yield someone


def colour_counts(png: bytes) -> dict[str, int]:
    """How many pixels have each colour, as '#rrggbb'."""
    image = pytest.importorskip("PIL.Image").open(BytesIO(png)).convert("RGB")
    colours, count = np.unique(np.asarray(image).reshape(-1, 3), axis=0, return_counts=True)
    return {"#{:02x}{:02x}{:02x}".format(*c): int(n) for c, n in zip(colours.tolist(), count, strict=True)}


def test_the_map_is_drawn_in_its_own_colours(visitor: Visitor) -> None:
    ground = "#e9edf0"
    for _ in range(20):  # a busy machine may still be drawing
        visitor.page.wait_for_timeout(300)
        counts = colour_counts(visitor.page.locator(".cc-stage").screenshot())
        lacking = [c for c in SEQUENTIAL_COLOURS[:6] if counts.get(c, 0) <= 1_000]
        lacking += [ground] if counts.get(ground, 0) <= 5_000 else []
        if not lacking:
            break
    most = sorted(counts, key=lambda c: -counts[c])[:12]
    assert not lacking, f"not on the map: {lacking}; most of it: {[(c, counts[c]) for c in most]}"
    assert visitor.page.locator(".cc-legend li:not(.cc-break)").count() == len(SEQUENTIAL_COLOURS) + 2
    assert visitor.page.locator(".cc-map").get_attribute("lang") == "fr"


def test_a_lake_is_ground_and_belongs_to_nobody(visitor: Visitor) -> None:
    stage = visitor.page.locator(".cc-stage")
    box = stage.bounding_box()
    assert box is not None
    # The first commune of the test page, in the south-west corner, has a lake in its middle half.
    found = visitor.page.evaluate(
        """() => {
          const map = [...window.__coopconnect.maps.values()][0];
          const { width, height } = map.size(), scale = 512 * 2 ** map.view.zoom;
          const X = (lon) => lon / 360 + 0.5;
          const Y = (lat) => 0.5 - Math.asinh(Math.tan(lat * Math.PI / 180)) / (2 * Math.PI);
          const at = (lon, lat) => [(X(lon) - X(map.view.longitude)) * scale + width / 2,
                                    (Y(lat) - Y(map.view.latitude)) * scale + height / 2];
          return [[5.04, 43.54], [5.01, 43.54], [5.115, 43.54], [5.15, 43.54]].map((p) => map.zoneAtPixel(...at(...p)));
        }"""
    )
    assert found == [-1, 0, -1, 1]  # lake, shore, water between the islands, island


def test_hovering_says_name_and_numbers(visitor: Visitor) -> None:
    stage = visitor.page.locator(".cc-stage")
    box = stage.bounding_box()
    assert box is not None
    visitor.page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.5)
    card = visitor.page.locator(".cc-card")
    card.wait_for()
    assert "Score" in card.inner_text()
    assert card.locator("strong").inner_text().startswith(("Évry", "L'Île"))


def test_a_click_chooses_and_a_second_click_lets_go(visitor: Visitor) -> None:
    box = visitor.page.locator(".cc-stage").bounding_box()
    assert box is not None
    where = (box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.5)
    visitor.page.mouse.click(*where)
    visitor.page.locator(".cc-stage[data-selected^='84']").wait_for()
    code = visitor.page.locator(".cc-stage").get_attribute("data-selected")
    assert code
    visitor.selected(code)
    visitor.page.mouse.click(*where)
    visitor.selected("None")


def test_the_list_chooses_with_the_keyboard_alone(visitor: Visitor) -> None:
    page = visitor.page
    page.locator(".cc-list").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    code = page.locator(".cc-list .cc-row").nth(1).get_attribute("data-code")
    assert code
    visitor.selected(code)
    page.keyboard.type("evry-1-2")  # accents are not needed
    active = page.locator(".cc-list .cc-row.active")
    assert active.locator("b").first.inner_text() == "Évry-1-2"
    page.keyboard.press("Escape")
    visitor.selected("None")


def test_the_map_answers_the_keyboard(visitor: Visitor) -> None:
    page = visitor.page
    page.locator(".cc-stage").focus()
    page.keyboard.press("Enter")  # the commune under the cross
    page.locator(".cc-stage[data-selected^='84']").wait_for()
    page.keyboard.press("Escape")
    visitor.selected("None")
    zoom = "() => [...window.__coopconnect.maps.values()][0].view.zoom"
    before = page.evaluate(zoom)
    page.keyboard.press("+")
    page.wait_for_timeout(700)
    assert page.evaluate(zoom) > before + 0.3
    page.keyboard.press("0")
    page.wait_for_timeout(700)
    assert page.evaluate(zoom) == pytest.approx(before, abs=0.02)


def test_a_departement_can_be_zoomed_to(visitor: Visitor) -> None:
    view = "() => [...window.__coopconnect.maps.values()][0].view.latitude"
    before = visitor.page.evaluate(view)
    visitor.page.locator(".cc-select").select_option("04")
    visitor.page.wait_for_timeout(800)
    assert visitor.page.evaluate(view) > before + 0.1
    visitor.page.locator(".cc-select").select_option("")
    visitor.page.wait_for_timeout(800)


def test_a_lever_redraws_the_map_and_loads_nothing(visitor: Visitor) -> None:
    page, asked = visitor.page, []
    page.on("request", lambda r: asked.append(r.url))
    old = page.locator(".cc-stage").get_attribute("data-picture")
    page.locator("[data-testid=stSlider] input").first.focus()
    page.keyboard.press("ArrowRight")
    page.locator(f".cc-stage[data-picture]:not([data-picture='{old}'])").wait_for()
    assert asked == []


def test_contours_that_come_after_deck_gl_are_drawn_without_a_complaint(visitor: Visitor) -> None:
    """A map started out of sight before its contours were known, then given them, then other ones: as on a page change."""
    visitor.page.wait_for_function("() => [...window.__coopconnect.maps.values()][0]?.deck")
    drawn = visitor.page.evaluate(
        """() => {
          const map = [...window.__coopconnect.maps.values()][0];
          const other = new map.constructor(map.shared, "started early");
          const holder = document.createElement("div");
          holder.style.cssText = "position:fixed;left:-9999px;top:0;width:800px;height:600px";
          document.body.append(holder);
          try {
            other.startEarly(map.library, null, holder);
            other.spec = map.spec;
            other.take(map.geometry);
            other.show();
            const hatched = other.hatchData.length;
            other.take({ ...map.geometry, header: { ...map.geometry.header } });
            const waits = other.zoneClass === undefined;
            other.setView({ ...other.view, zoom: other.view.zoom + 2 });
            other.show();
            return { hatched, waits, zones: other.zoneClass.length === map.geometry.header.zones };
          } finally {
            other.stop();
            holder.remove();
          }
        }"""
    )
    assert drawn["hatched"] > 0 and drawn["waits"] and drawn["zones"]


def test_nothing_was_wrong_and_nobody_else_was_asked(visitor: Visitor) -> None:
    visitor.quiet()


def test_on_a_phone_and_on_a_projector(play: playwright.Playwright, address: str) -> None:
    with visiting(play, SOFTWARE_GL, viewport={"width": 390, "height": 844}, has_touch=True) as phone:
        phone.open(f"{address}/?lang=en")
        assert phone.page.locator(".cc-map.narrow").count() == 1
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert "Score out of 100" in (phone.page.locator(".cc-map").inner_text().replace("\n", " "))
        phone.page.set_viewport_size({"width": 1280, "height": 720})
        phone.open(f"{address}/?projector=1")
        size = phone.page.evaluate(
            "() => parseFloat(getComputedStyle([...window.__coopconnect.maps.values()][0].parts.legend).fontSize)"
        )
        assert size >= 20
        phone.quiet()


def test_without_static_files_the_message_carries_them(play: playwright.Playwright) -> None:
    with serving(static=False) as where, visiting(play, SOFTWARE_GL) as someone:
        someone.open(where)
        old = someone.page.locator(".cc-stage").get_attribute("data-picture")
        someone.page.locator("[data-testid=stSlider] input").first.focus()
        someone.page.keyboard.press("ArrowRight")
        someone.page.locator(f".cc-stage[data-picture]:not([data-picture='{old}'])").wait_for()
        someone.quiet()


def test_without_webgl_a_simpler_picture_says_why(play: playwright.Playwright, address: str) -> None:
    with visiting(play, NO_GL, viewport={"width": 1280, "height": 860}) as someone:
        someone.open(address, waiting_for=".js-plotly-plot .main-svg")
        assert someone.page.get_by_text("Ce navigateur n'a pas WebGL").count() == 1
        someone.page.wait_for_timeout(500)
        counts = colour_counts(someone.page.locator(".js-plotly-plot").screenshot())
        assert counts.get(SEQUENTIAL_COLOURS[3], 0) > 1_000
        assert someone.abroad == []


def test_the_exported_page_opens_without_any_network(play: playwright.Playwright, tmp_path: Path) -> None:
    geometry, labels = grid(12)
    score = np.linspace(0, 99, 144)
    arcs = top_arcs(labels.lon[:9], labels.lat[:9], np.arange(1.0, 10.0))
    spec = spec_of(score, users=score, flagged=score < 8, site_zone=np.arange(130, 144), selected=60, arcs=arcs)
    path = tmp_path / "carte.html"
    path.write_bytes(map_html(spec, geometry, "Où un tiers-lieu aurait du sens", "1,75 €/L · 2 j/sem"))
    with visiting(play, SOFTWARE_GL, viewport={"width": 1280, "height": 800}, offline=True) as someone:
        someone.open(path.as_uri(), waiting_for="html[data-drawn]")
        someone.page.wait_for_timeout(1500)
        counts = colour_counts(someone.page.screenshot())
        assert sum(counts.get(colour, 0) > 1_000 for colour in SEQUENTIAL_COLOURS) >= 6
        someone.page.mouse.move(700, 300)
        someone.page.wait_for_timeout(1500)
        assert "Évry (84)" in someone.page.locator(".deck-tooltip").inner_text()
        someone.quiet()
        someone.page.set_viewport_size({"width": 390, "height": 844})
        someone.open(path.as_uri(), waiting_for="html[data-drawn]")
        above, shown, below = (someone.page.locator(part).bounding_box() for part in ("header", "#map", "#legend"))
        assert above and shown and below
        assert above["y"] + above["height"] <= shown["y"] < shown["y"] + shown["height"] <= below["y"]
        someone.quiet()
