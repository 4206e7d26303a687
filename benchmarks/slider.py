"""Slider to picture: how long from the release of a lever to the map's new picture, in a real Chromium.

The whole page is measured as a visitor has it (levers, map, ranking, figures, charts), with software rendering:

    python benchmarks/slider.py --moves 40            starts the app itself, on a free port
    python benchmarks/slider.py --url http://...      measures an app that runs

Prints one JSON document: milliseconds at the median and at p95 from the key that moves the fuel price to the moment
the map has drawn other colours, and the time from opening the page to the first picture.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM_ARGS = [
    "--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    "--disable-quic",
]  # fmt: skip
VIEWPORT = {"width": 1440, "height": 900}

WATCH = """() => {
  const find = (test) => {
    for (const host of document.querySelectorAll('*')) {
      const node = host.shadowRoot && host.shadowRoot.querySelector(test);
      if (node) return node;
    }
    return null;
  };
  const stage = find('[data-picture]');
  const slider = find('#lever-fuel_price_eur_per_l');
  if (!stage || !slider) return false;
  window.__bench = { stage, slider, drawn: 0, picture: stage.dataset.picture };
  new MutationObserver(() => {
    if (stage.dataset.picture === window.__bench.picture) return;
    window.__bench.picture = stage.dataset.picture;
    window.__bench.drawn = performance.now();
  }).observe(stage, { attributes: true, attributeFilter: ['data-picture'] });
  return true;
}"""
MOVE = """(value) => {
  const bench = window.__bench;
  bench.drawn = 0;
  bench.started = performance.now();
  bench.slider.value = value;
  bench.slider.dispatchEvent(new Event('input', { bubbles: true }));
  bench.slider.dispatchEvent(new Event('change', { bubbles: true }));
}"""


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_app(port: int) -> subprocess.Popen[bytes]:
    """The app on `port`, once it answers. Raises RuntimeError after a minute without an answer."""
    (ROOT / "static").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(240):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
            return process
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    process.terminate()
    raise RuntimeError("the app did not answer within a minute")


def one_move(page: Page, value: float) -> float | None:
    """Milliseconds from the release of the slider at `value` to the new picture; None without a new picture."""
    page.evaluate(MOVE, value)
    try:
        page.wait_for_function("window.__bench.drawn > 0", timeout=8000, polling=10)
    except Exception:
        return None
    return float(page.evaluate("window.__bench.drawn - window.__bench.started"))


def levels(moves: int) -> list[float]:
    """Positions of the fuel price, each unlike the one before and, but for long runs, unlike all before."""
    steps = [round(1.15 + 0.05 * n, 2) for n in range(38)]
    return [steps[(n * 23 + 5) % len(steps)] for n in range(moves)]


def measure(url: str, moves: int, pause_s: float) -> dict[str, object]:
    """Open Décider at `url`, move the fuel price `moves` times, and sum up."""
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"), args=CHROMIUM_ARGS
        )
        page = browser.new_page(viewport=VIEWPORT)
        started = time.perf_counter()
        page.goto(f"{url}/decider")
        page.wait_for_function(WATCH, timeout=60_000, polling=50)
        first = time.perf_counter() - started
        time.sleep(2.0)
        page.evaluate(WATCH)
        times = []
        for value in levels(moves):
            times.append(one_move(page, value))
            time.sleep(pause_s)
        browser.close()
    seen = sorted(t for t in times if t is not None)
    return {
        "moves": moves,
        "without_new_picture": moves - len(seen),
        "first_picture_s": round(first, 2),
        "median_ms": round(statistics.median(seen), 1) if seen else None,
        "p95_ms": round(seen[int(0.95 * (len(seen) - 1))], 1) if seen else None,
        "min_ms": round(seen[0], 1) if seen else None,
        "max_ms": round(seen[-1], 1) if seen else None,
        "viewport": VIEWPORT,
    }


def main() -> int:
    """Command line: see the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=30)
    parser.add_argument("--pause", type=float, default=0.7, help="seconds between two moves")
    parser.add_argument("--url", default="", help="an app that runs; by default one is started")
    options = parser.parse_args()
    process = None
    url = options.url.rstrip("/")
    if not url:
        port = free_port()
        process = start_app(port)
        url = f"http://127.0.0.1:{port}"
    try:
        print(json.dumps(measure(url, options.moves, options.pause)))
    finally:
        if process is not None:
            process.terminate()
            process.wait(timeout=10)
    return 0


if __name__ == "__main__":
    sys.exit(main())
