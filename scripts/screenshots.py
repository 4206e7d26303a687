"""Screenshots of the README: starts the app, opens the pages in a real Chromium, writes docs/images/*.png."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PORT = 18478
CHROMIUM_ARGS = [
    "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic",
]  # fmt: skip
ASKED = "v=1&fuel_price_eur_per_l=2.25&telework_days_per_week=2"
SHOTS = {
    "decider": (f"decider?{ASKED}", 1440, 1100),
    "decider-projecteur": (f"decider?{ASKED}&projector=1", 1920, 1080),
    "decider-telephone": (f"decider?{ASKED}", 390, 844),
    "accueil": ("", 1440, 900),
    "site": (f"site?{ASKED}&site=84047", 1440, 1300),
    "menages": (f"menages?{ASKED}&home=84047&work=84007", 1440, 1300),
    "comparer": (f"comparer?{ASKED}", 1440, 1300),
    "reseau": (f"reseau?{ASKED}", 1440, 1100),
    "robustesse": (f"robustesse?{ASKED}", 1440, 900),
    "hypotheses": ("hypotheses", 1440, 900),
    "donnees": ("donnees", 1440, 900),
}
DRAWN = """() => [...document.querySelectorAll("*")].some(
    (host) => host.shadowRoot && host.shadowRoot.querySelector("[data-picture]"))"""
"""True once the map has drawn a picture: the map component then marks its stage."""
AT_REST = """() => document.querySelector("[data-testid=stApp]")?.getAttribute("data-test-script-state") === "notRunning"
  && !document.querySelector("[data-testid=stSpinner], [data-stale='true']")"""
"""True once the page is whole."""


def _serve() -> subprocess.Popen[bytes]:
    server = subprocess.Popen(
        [sys.executable, "-m", "coopconnect.ui.serve", "--server.port", str(PORT), "--server.headless", "true"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/_stcore/health", timeout=1)
            return server
        except OSError:
            time.sleep(0.1)
    server.terminate()
    raise TimeoutError("the app did not start within a minute")


def _shoot(page: Page, name: str, path: str, folder: Path) -> None:
    page.goto(f"http://127.0.0.1:{PORT}/{path}")
    if name.startswith("decider"):
        page.wait_for_function(DRAWN, timeout=60_000)
    page.wait_for_timeout(2000)
    page.wait_for_function(AT_REST, timeout=120_000)
    page.wait_for_timeout(1500)
    page.screenshot(path=str(folder / f"{name}.png"))
    print(folder / f"{name}.png")


def main(folder: Path = ROOT / "docs" / "images") -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("needs Chromium (package chromium)")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[1:] or list(SHOTS)
    server = _serve()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
            for name in wanted:
                path, width, height = SHOTS[name]
                page = browser.new_page(viewport={"width": width, "height": height})
                _shoot(page, name, path, folder)
                page.close()
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=10)


if __name__ == "__main__":
    main()
