"""A browser and a server for all tests of the pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("playwright", reason="needs playwright (requirements-dev.txt)")
from app_browser import ARGS, CHROMIUM, DESKTOP, Visit, complaints, start_server, visit_of
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="module")  # two Playwrights cannot run in one process: other modules start their own
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    process, url = start_server()
    yield url
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Visit]:
    found = visit_of(browser, server, DESKTOP)
    yield found
    found.page.close()
    assert found.outside == []
    assert complaints(found) == []
