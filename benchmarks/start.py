"""From `make run` to the first picture of PACA in a real Chromium, and the memory of the server. Prints JSON.

Goals: 6 s and 400 MB. The picture is the map's first drawing (the map component then marks its stage). Memory is that of
the server once a lever has moved and all is loaded, not only what the first picture needs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PORT = 18477
CHROMIUM_ARGS = [
    "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic",
]  # fmt: skip
MOVED = "fuel_price_eur_per_l=2.25&telework_days_per_week=2"
ENGINE_S = 6.0
"""Seconds until all that a start loads behind the first picture is loaded."""
DRAWN = """() => [...document.querySelectorAll("*")].some(
    (host) => host.shadowRoot && host.shadowRoot.querySelector("[data-picture]"))"""
"""True once the map has drawn a picture: the map component then marks its stage."""


def _wait_for_server(deadline: float) -> None:
    while time.perf_counter() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/_stcore/health", timeout=1)
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("the server did not answer within a minute")


def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("needs Chromium (package chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        started = time.perf_counter()
        server = subprocess.Popen(
            [sys.executable, "-m", "coopconnect.ui.serve", "--server.port", str(PORT), "--server.headless", "true"],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait_for_server(started + 60)
            ready_s = time.perf_counter() - started
            page.goto(f"http://127.0.0.1:{PORT}/decider")
            page.wait_for_function(DRAWN, timeout=60_000)
            picture_s = time.perf_counter() - started
            time.sleep(2)
            shown_mb = psutil.Process(server.pid).memory_info().rss / 2**20
            page.goto(f"http://127.0.0.1:{PORT}/decider?{MOVED}")  # the engine loads, if it has not
            page.wait_for_function(DRAWN, timeout=60_000)
            time.sleep(ENGINE_S)
            memory_mb = psutil.Process(server.pid).memory_info().rss / 2**20
        finally:
            server.terminate()
            server.wait(timeout=10)
        browser.close()
    print(json.dumps({
        "server_ready_s": round(ready_s, 2), "first_picture_s": round(picture_s, 2), "goal_s": 6.0,
        "ratio": round(picture_s / 6.0, 2), "resident_at_picture_mb": round(shown_mb), "resident_mb": round(memory_mb), "goal_mb": 400,
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
