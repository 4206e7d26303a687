"""What lies below the window is drawn when one comes near it.

Charts are the costliest part of a page for a browser. While nobody can see them, a lever moves the map without waiting
for them.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_SIGHT = st.components.v2.component("coopconnect_sight", js=(Path(__file__).parent / "sight.js").read_text("utf-8"))
MARGIN_PX = 120
"""How near the window, below it, a mark must be."""


def in_sight(key: str, words: str, height_px: int) -> bool:
    """Place a mark; True where what stands under it can be seen, so that it is worth drawing.

    words, height_px: what keeps the place meanwhile. The browser tells once when that changes, and the page runs again.
    """
    near = bool(st.session_state.get(key, {}).get("near"))
    data = {"near": near, "words": words, "height": height_px, "margin": MARGIN_PX}
    _SIGHT(key=key, data=data, on_near_change=_told)
    return near


def _told() -> None:
    """Declares the event; its value is read at the next run."""
