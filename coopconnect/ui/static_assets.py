"""Files that a browser loads once: deck.gl, our own component code, contours.

They are written into `static/` beside the app, which Streamlit serves at `app/static/` when
`server.enableStaticServing` is on. Names carry a hash of the content, so a file never changes once written, and
browsers may keep it. deck.gl is copied out of the installed pydeck package: no third-party code is committed, and
nothing is fetched from another host.

Where the disk is read-only or static serving is off, an asset has no address; the components then pass its content
in the message, once.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from coopconnect.files import write_once

STATIC_ROUTE = "app/static"
STATIC_FOLDER = "static"
PAGES_FOLDER = "pages"
DECK_BUNDLE = "nbextension/static/index.js"
COMPONENTS = {
    "map": ("geometry.js", "hatch.js", "overlay.js", "layers.js", "panel.js", "map.js"),
    "ranking": ("ranking.js",),
}
"""Scripts of each component, in order, in the folder of its name, where its style sheet lies too."""


@dataclass(frozen=True)
class Asset:
    """Content with a name that changes when it does, and its address relative to the app (None: no address)."""

    name: str
    url: str | None
    content: bytes


def static_root() -> Path | None:
    """The folder that Streamlit serves, beside the main script; None where it serves none."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or not st.get_option("server.enableStaticServing"):
        return None
    home = Path(context.main_script_path).resolve().parent
    # A page opened on its own (a test, or the first visitor of a deep link) lies one folder below the app.
    return (home.parent if home.name == PAGES_FOLDER else home) / STATIC_FOLDER


def publish(stem: str, suffix: str, content: bytes, digest: str | None = None, root: Path | None = None) -> Asset:
    """Put content where the browser can load it; never fails, an asset without an address is passed by message.

    digest: a hash of the content if it is known, else one is computed. root: the folder, else `static_root()`.
    """
    digest = digest or hashlib.sha256(content).hexdigest()[:16]
    name = f"{stem}-{digest}{suffix}"
    folder = root if root is not None else static_root()
    written = folder is not None and write_once(folder / name, content)
    return Asset(name, f"{STATIC_ROUTE}/{name}" if written else None, content)


def component_loader() -> str:
    """The few lines that Streamlit sends with every run; they load the component's real code once."""
    return (Path(__file__).parent / "map" / "loader.js").read_text(encoding="utf-8")


@lru_cache(maxsize=4)
def component_code(component: str) -> bytes:
    """The code of one of `COMPONENTS` as one module: its scripts in order, its style sheet inside as `STYLE`."""
    folder, scripts = Path(__file__).parent / component, COMPONENTS[component]
    css = (folder / f"{component}.css").read_text(encoding="utf-8")
    parts = [f"const STYLE = {json.dumps(css)};"]
    parts += [(folder / name).read_text(encoding="utf-8") for name in scripts]
    return "\n".join(parts).encode("utf-8")


def publish_code(component: str, root: Path | None = None) -> Asset:
    """The code of one of `COMPONENTS` where the browser can load it."""
    return publish(component, ".js", component_code(component), root=root)


def publish_deck(root: Path | None = None) -> Asset:
    """deck.gl where the browser can load it."""
    return publish("deck", ".js", deck_bundle(), deck_digest(), root=root)


def assets_message(assets: dict[str, Asset], key: str) -> dict[str, Any]:
    """What a message says of the files of a component: name and address of each part.

    Where the browser could not load them (it said so: `keep_status`), or there is no address, their content goes
    with the first message of the session instead, and again whenever the browser asks.
    """
    status = st.session_state.get(status_key(key), {})
    inline = bool(status.get("inline")) or any(asset.url is None for asset in assets.values())
    message: dict[str, Any] = {
        part: {"name": asset.name, "url": None if inline else asset.url} for part, asset in assets.items()
    }
    if inline:
        sent = st.session_state.setdefault(f"{key}_sent", {})
        fresh = [asset for asset in assets.values() if sent.get(asset.name) != status.get("asked", 0)]
        sent.update({asset.name: status.get("asked", 0) for asset in fresh})
        message["inline"] = {asset.name: _as_text(asset) for asset in fresh}
    return message


def keep_status(key: str) -> Callable[[], None]:
    """Callback for a component's report (no WebGL, files not loaded): it outlives the component's own state."""

    def keep() -> None:
        status = st.session_state[key].get("status")
        if isinstance(status, dict):
            st.session_state[status_key(key)] = {**st.session_state.get(status_key(key), {}), **status}

    return keep


def status_key(key: str) -> str:
    """Where the report of a component is kept in the session."""
    return f"{key}_status"


def chosen_callback(key: str, on_select: Callable[[str | None], None] | None) -> Callable[[], None]:
    """Callback that tells a choice made in a component (an INSEE code; None when cleared) before the page runs."""

    def tell() -> None:
        chosen = st.session_state[key].get("select")
        if on_select is not None and chosen is not None:
            on_select(str(chosen) or None)

    return tell


def _as_text(asset: Asset) -> str:
    """Scripts as they are, anything else in base64."""
    if asset.name.endswith(".js"):
        return asset.content.decode("utf-8")
    return base64.b64encode(asset.content).decode("ascii")


@lru_cache(maxsize=1)
def deck_bundle() -> bytes:
    """deck.gl as one script, out of the installed pydeck package (found without importing it).

    Raises FileNotFoundError where pydeck is not installed with its bundle.
    """
    spec = importlib.util.find_spec("pydeck")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("pydeck is not installed: run `make setup`, the map draws with its deck.gl.")
    bundle = Path(spec.origin).parent / DECK_BUNDLE
    if not bundle.is_file():
        raise FileNotFoundError(f"pydeck is installed without {DECK_BUNDLE}: reinstall pydeck (`make setup`).")
    return bundle.read_bytes()


@lru_cache(maxsize=1)
def deck_digest() -> str:
    """Hash of the bundle, computed once."""
    return hashlib.sha256(deck_bundle()).hexdigest()[:16]
