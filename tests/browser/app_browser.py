"""The app in a real browser, for the tests of every page: a server, a Chromium, a visit that lets nothing leave."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from spaces import plain

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGS = [
    "--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    "--disable-quic", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-gpu-compositing",
]  # fmt: skip
"""The map has its WebGL, by software; the page around it is put together without: a quarter of the work less."""
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
WAIT_MS = 60_000
STAGE = """() => {
  for (const host of document.querySelectorAll('*')) {
    const stage = host.shadowRoot && host.shadowRoot.querySelector('[data-picture]');
    if (stage) return { picture: stage.dataset.picture, selected: stage.dataset.selected || '' };
  }
  return null;
}"""


@dataclass
class Visit:
    """A page of the browser, what it complained of, and what it asked of other hosts."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to a page and wait until it shows something of its own."""
        self.page.goto(f"{self.url}/{path.removeprefix('accueil')}")  # the first page has no name in the address
        mark = ".scenario .line" if path.startswith("decider") else "h1"
        self.page.wait_for_selector(mark, timeout=WAIT_MS)

    def stage(self) -> dict[str, str]:
        """State of the map, once it has drawn."""
        self.page.wait_for_function(STAGE, timeout=WAIT_MS)
        return dict(self.page.evaluate(STAGE))

    def until(self, test: str, **values: object) -> None:
        """Wait until a line of JavaScript is true."""
        self.page.wait_for_function(test, arg=values, timeout=WAIT_MS)

    def scroll_to_the_end(self) -> None:
        """Bring the foot of the page into the window."""
        self.page.wait_for_selector(".st-key-below", timeout=WAIT_MS)
        self.page.eval_on_selector("[data-testid=stMain]", "node => node.scrollTo(0, node.scrollHeight)")

    def line(self) -> str:
        """The scenario in one line, with plain spaces."""
        return plain(self.page.inner_text(".scenario .line"))


def start_server() -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (ROOT / "static").mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(240):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2).close()
            return process, f"http://127.0.0.1:{port}"
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    process.terminate()
    raise RuntimeError("the app did not answer within a minute")


def visit_of(browser: Browser, url: str, viewport: dict[str, int]) -> Visit:
    """A new tab of a visitor who kept nothing. The browser keeps its files from one visit to the next, as at home:
    to fetch and compile them anew takes longer than most tests. No name is found but this machine's (ARGS)."""
    context = browser.contexts[0] if browser.contexts else browser.new_context(accept_downloads=True, locale="fr-FR")
    page = context.new_page()
    page.set_viewport_size(viewport)  # type: ignore[arg-type]
    context.new_cdp_session(page).send(
        "Storage.clearDataForOrigin", {"origin": url, "storageTypes": "local_storage,cookies"}
    )
    visit = Visit(page, url)
    inside = (url, url.replace("http", "ws", 1), "data:", "blob:")

    def note(address: str) -> None:
        if not address.startswith(inside):
            visit.outside.append(address)

    page.on("request", lambda request: note(request.url))
    page.on("websocket", lambda socket: note(socket.url))
    page.on("console", lambda m: visit.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: visit.complaints.append(str(e)))
    return visit


def complaints(visit: Visit) -> list[str]:
    """Errors of the console, but for two look-ups of Streamlit's own: it asks `<page>/_stcore/...` first."""
    return [text for text in visit.complaints if "404" not in text]


MARKS = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.flaky(reruns=1),
]
"""Marks of every module of browser tests. One that fails on a machine that does other work has a second chance; the summary says so."""
