"""`make run`: the app, with what the first visitor will need at hand when the browser asks for it.

The server answers first; while the browser fetches Streamlit's own page, a thread loads what the first picture shows
and, once that is out, the engine (`warm`). `coopconnect.ui.early` tells the browser what to fetch ahead.

`streamlit run app.py` gives the same app; its first visitor waits some seconds longer.
"""

from __future__ import annotations

import gc
import logging
import sys
import threading
import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from streamlit.starlette import App

from coopconnect.ui.early import EarlyHead, static_route
from coopconnect.ui.static_assets import STATIC_FOLDER

TURN_S = 0.0005
ROOT = Path(__file__).resolve().parents[2]


def warm() -> None:
    """Load what the first picture shows, then, when it has been drawn, the engine.

    Meanwhile threads take turns every half millisecond instead of five: the server answers as if it were alone.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(TURN_S)
    try:
        from coopconnect.ui import cached, decide  # noqa: F401  what the first page imports

        cached.load_start()
        gc.enable()
        cached.load_engine()
    except Exception:  # the page will meet the same error and tell it; starting must go on
        logging.getLogger(__name__).exception("warm-up failed")
    finally:
        gc.enable()
        sys.setswitchinterval(usual)


@asynccontextmanager
async def _warming(app: App) -> AsyncIterator[None]:
    """The warm-up begins when the server is about to answer."""
    threading.Thread(target=warm, name="warm-up", daemon=True).start()
    yield


def options_of(arguments: Sequence[str]) -> dict[str, Any]:
    """Options of Streamlit by name, from `--server.port 8501` or `--server.port=8501`. Ends the program where one is odd."""
    words = [part for word in arguments for part in word.split("=", 1)]
    names, values = words[::2], words[1::2]
    if len(names) != len(values) or any(not name.startswith("--") for name in names):
        sys.exit(f"{' '.join(arguments)}: give options of Streamlit with a value each, as --server.port 8501")
    return {name.removeprefix("--"): _value_of(text) for name, text in zip(names, values, strict=True)}


def _value_of(text: str) -> Any:
    """A number or a truth value where it reads as one, else the text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until stopped; `arguments` are options of `streamlit run`."""
    gc.disable()  # nothing that starting makes is garbage: `warm` turns it on again
    options = options_of(sys.argv[1:] if arguments is None else arguments)
    static = ROOT / STATIC_FOLDER
    app = App(
        ROOT / "app.py", lifespan=_warming, routes=[static_route(static)],
        middleware=[Middleware(EarlyHead, static=static)],
    )  # fmt: skip
    sys.argv = [str(ROOT / "app.py")]  # Streamlit looks for its configuration beside the script that was launched
    app.run(config=options)


if __name__ == "__main__":
    main()
