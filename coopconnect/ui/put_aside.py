"""The small menu that puts the scenario on the screen aside, under a title, to be compared later."""

from __future__ import annotations

import html

import streamlit as st

from coopconnect.dossier import Dossier
from coopconnect.show.describe import scenario_line
from coopconnect.ui import state
from coopconnect.ui.frame import Page
from coopconnect.ui.state import KEPT_NAMES

_KEY = "aside_title"


def draw_put_aside(page: Page) -> None:
    """Title and button; what has been put aside already, and the way to compare."""
    kept = page.session.kept
    label = page.say("compare.put_aside")
    with st.popover(f"{label} ({len(kept)})" if kept else label, key="aside", help=page.say("compare.put_aside_help")):
        if len(kept) < len(KEPT_NAMES):
            usual = page.session.dossier.title or scenario_line(page.scenario, page.parameters, page.language)
            st.text_input(page.say("compare.put_aside_title"), key=_KEY, placeholder=usual, max_chars=80)
            st.button(label, key="aside_do", type="primary", on_click=_put_aside, args=(usual,))
        else:
            st.html(f'<p class="hint">{html.escape(page.say("compare.full_hint"))}</p>')
        if kept:
            items = "".join(f"<li>{html.escape(item.title or page.say('compare.untitled'))}</li>" for item in kept)
            st.html(f"<ul>{items}</ul>")
            if st.button(page.say("compare.put_aside_open"), key="aside_open"):
                st.switch_page("pages/comparer.py")


def _put_aside(usual: str) -> None:
    title = str(st.session_state.get(_KEY) or "").strip() or usual
    session = state.current()
    state.put_aside(title, session.scenario, Dossier(title, session.dossier.why))
    st.session_state[_KEY] = ""
