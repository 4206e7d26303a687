"""Several visitors at once: each moves levers of its own in a real Chromium, and must see its own scenario.

    python benchmarks/visitors.py --visitors 4 --moves 20          starts the app itself, on a free port
    python benchmarks/visitors.py --visitors 8 --moves 200         a soak of some ten minutes

Each visitor has its own session and its own levels of the fuel price; a visitor waits for its picture before the next
move. Prints one JSON document: milliseconds to the picture, moves without a picture, addresses that do not say what
the visitor asked, complaints of the browsers, and the memory of the server after the first and the last round.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from slider import CHROMIUM_ARGS, MOVE, VIEWPORT, WATCH, free_port, levels, start_app

ANSWER_MAX_MS = 30_000
MEGABYTE = 1_048_576
FAILURE = "[data-testid=stException], [data-testid=stAlertContentError]"


def resident_megabytes(process_id: int) -> float:
    """Resident memory of the server and of what it started."""
    server = psutil.Process(process_id)
    found = [server, *server.children(recursive=True)]
    return sum(p.memory_info().rss for p in found) / MEGABYTE


def wait_for_picture(page: Page) -> float | None:
    """Milliseconds from the release of the lever to the picture; None where none came."""
    try:
        page.wait_for_function("window.__bench.drawn > 0", timeout=ANSWER_MAX_MS, polling=20)
    except Exception:
        return None
    return float(page.evaluate("window.__bench.drawn - window.__bench.started"))


def says(page: Page, value: float) -> bool:
    """Whether the address carries the price that this visitor asked for."""
    try:
        page.wait_for_function(
            "v => Number(new URLSearchParams(location.search).get('fuel_price_eur_per_l')) === v",
            arg=value, timeout=ANSWER_MAX_MS,
        )  # fmt: skip
    except Exception:
        return False
    return True


def measure(browser: Browser, url: str, visitors: int, moves: int, process_id: int = 0) -> dict[str, Any]:
    """Let `visitors` move the fuel price `moves` times each, all at once, round by round.

    process_id: of the server, whose memory is then reported too.
    """
    complaints: list[str] = []
    times: list[float | None] = []
    memory: list[float] = []
    wrong = 0
    pages = [browser.new_context(viewport=VIEWPORT).new_page() for _ in range(visitors)]  # type: ignore[arg-type]
    for page in pages:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{url}/decider")
        page.wait_for_function(WATCH, timeout=120_000, polling=50)
    all_levels = levels(moves + visitors)
    for number in range(moves):
        asked = all_levels[number : number + visitors]
        for page, value in zip(pages, asked, strict=True):
            page.evaluate(MOVE, value)
        times += [wait_for_picture(page) for page in pages]
        wrong += sum(not says(page, value) for page, value in zip(pages, asked, strict=True))
        for page in pages:
            complaints += page.locator(FAILURE).all_inner_texts()
        memory += [resident_megabytes(process_id)] if process_id else []
    for page in pages:
        page.context.close()
    seen = sorted(t for t in times if t is not None)
    return {
        "visitors": visitors, "moves": moves, "without_new_picture": len(times) - len(seen), "wrong_addresses": wrong,
        "complaints": complaints, "median_ms": round(statistics.median(seen), 1) if seen else None,
        "p95_ms": round(seen[int(0.95 * (len(seen) - 1))], 1) if seen else None,
        **({"resident_first_round_mb": round(memory[0]), "resident_last_round_mb": round(memory[-1])} if memory else {}),
    }  # fmt: skip


def main() -> int:
    """Command line: see the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=4)
    parser.add_argument("--moves", type=int, default=20)
    options = parser.parse_args()
    port = free_port()
    process = start_app(port)
    try:
        started = time.perf_counter()
        with sync_playwright() as play:
            browser = play.chromium.launch(
                executable_path=shutil.which("chromium") or shutil.which("chromium-browser"), args=CHROMIUM_ARGS
            )
            result = measure(browser, f"http://127.0.0.1:{port}", options.visitors, options.moves, process.pid)
            browser.close()
        print(json.dumps(result | {"seconds": round(time.perf_counter() - started, 1)}))
    finally:
        process.terminate()
        process.wait(timeout=20)
    return int(bool(result["wrong_addresses"] or result["complaints"] or result["without_new_picture"]))


if __name__ == "__main__":
    sys.exit(main())
