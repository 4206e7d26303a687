"""`make run`: the server answers, and what the first visitor needs is loaded beside it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from coopconnect.scenario import DEFAULT_TERRITORY
from coopconnect.ui import cached, serve

ROOT = Path(__file__).resolve().parents[1]
WAIT_S = 60.0


def test_the_warm_up_leaves_contours_and_reference_at_hand() -> None:
    usual = sys.getswitchinterval()
    serve.warm()
    geometry = cached.geometry_at_hand(DEFAULT_TERRITORY)
    assert geometry is not None
    assert len(geometry.codes) == len(cached.territory(DEFAULT_TERRITORY).site_zone)
    assert sys.getswitchinterval() == usual


def test_contours_of_a_territory_that_nobody_opened_are_not_waited_for() -> None:
    assert cached.geometry_at_hand("d999") is None


def test_the_app_starts_and_answers() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "coopconnect.ui.serve", "--server.port", str(port), "--server.headless", "true"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as answer:
                    assert answer.status == 200
                    break
            except OSError:
                assert server.poll() is None, "the server stopped"
                assert time.monotonic() < deadline, "the server did not answer"
                time.sleep(0.1)
    finally:
        server.terminate()
        output, _ = server.communicate(timeout=20)
    assert b"Traceback" not in output
