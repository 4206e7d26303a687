"""The frame of every page: one call sets the page up, draws the bar at the top and returns what the page needs.

A page may be the first file that runs after the server starts, without `app.py` (a link to it is opened first).
So nothing here relies on `app.py` having run.
"""

from __future__ import annotations

import html
import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException

from coopconnect.parameters import Parameters, load_parameters
from coopconnect.scenario import Scenario
from coopconnect.show.describe import changes, colon, scenario_line
from coopconnect.show.problem_words import told
from coopconnect.show.words import say
from coopconnect.ui import cached, state
from coopconnect.ui.own_labels import own_labels
from coopconnect.ui.state import Session, View

_HERE = Path(__file__).parent
_STYLE = f"<style>{(_HERE / 'frame.css').read_text(encoding='utf-8')}</style>"
_FRAME = st.components.v2.component(
    "coopconnect_frame",
    js=(_HERE / "frame.js").read_text(encoding="utf-8"),
    css=(_HERE / "frame_component.css").read_text(encoding="utf-8"),
)
PAGES = ("accueil", "decider", "site", "reseau", "menages", "comparer", "robustesse", "hypotheses", "donnees")
PHONE_PAGE = "sondage"
"""In no menu: opened from a QR code."""
USUAL_HEIGHT_PX = 900
_LOG = logging.getLogger(__name__)
_FAILURES = itertools.count()


@dataclass(frozen=True)
class Page:
    """What a page works with, the same for one whole run."""

    key: str
    session: Session
    parameters: Parameters
    top: DeltaGenerator | None = None

    @property
    def scenario(self) -> Scenario:
        """The scenario of this run."""
        return self.session.scenario

    @property
    def view(self) -> View:
        """How it is looked at."""
        return self.session.view

    @property
    def language(self) -> str:
        """'fr' or 'en'."""
        return self.session.view.language

    def say(self, key: str, **values: object) -> str:
        """A text in the visitor's language."""
        return say(key, self.language, **values)


def begin_page(key: str, bar_later: bool = False) -> Page:
    """Set the page up: title, style, language, top bar, what was wrong with the address. Call it first.

    bar_later: only the place of the top bar is taken; the page fills it with `draw_top_bar` once it has drawn what
    one waits for (the bar takes some 20 ms).
    """
    session = state.current()
    _set_up(key, session.view.language)
    page = Page(
        key, session, load_parameters(), st.container(key="topbar", horizontal=True, vertical_alignment="center")
    )
    with guard(page):
        cached.follow_store()
        if not bar_later:
            draw_top_bar(page)
        state.write_address()
        # Its place is there from the start: what came after would move, and lose what is being typed.
        with st.empty():
            if session.problems:
                _problems(page)
    return page


def begin_light(key: str) -> Page:
    """A page without a menu for a phone: title, style, language. It loads no territory and leaves the address alone."""
    page = Page(key, state.current(), load_parameters())
    _set_up(key, page.language)
    mount_frame(page)
    return page


def _set_up(key: str, language: str) -> None:
    st.set_page_config(
        page_title=f"{say(f'page.{key}', language)} – {say('app.title', language)}",
        page_icon=str(_HERE / "icon.png"),
        layout="wide",
        initial_sidebar_state="collapsed",
    )
    st.html(_STYLE)


@contextmanager
def guard(page: Page) -> Iterator[None]:
    """Whatever fails inside is told in a sentence, with what to do; the details go to the log, never to the screen."""
    try:
        yield
    except Exception as error:  # the last net: a visitor never sees a traceback
        _LOG.exception("page %s failed", page.key)
        st.error(page.say("error.page", reason=plain_text(reason_of(error))), icon=None)
        number = next(_FAILURES)  # a page may fail in several places: keys must differ
        with st.container(horizontal=True):
            st.button(page.say("error.reset"), key=f"error_reset_{number}", on_click=state.reset)
            if page.session.past:
                st.button(page.say("error.undo"), key=f"error_undo_{number}", on_click=state.undo)


def reason_of(error: Exception) -> str:
    """What a visitor is told of an error: our own messages as they are, files by their name, else its kind."""
    if isinstance(error, OSError) and error.filename:
        return f"{type(error).__name__} {Path(str(error.filename)).name}"
    if isinstance(error, ValueError) and "/" not in str(error):
        return str(error)
    return type(error).__name__


def query_of(session: Session) -> str:
    """The address of a session, after the question mark."""
    return urlencode(state.address(session, load_parameters()))


def frame_data(page: Page) -> dict[str, Any]:
    """What the frame's script always needs."""
    return {
        "lang": page.language, "projector": page.view.projector, "query": query_of(page.session),
        "height": screen_height_px(), "labels": own_labels(page.language),
        "dossier": f"{hash(page.session.dossier):x}" if page.session.dossier.sites else "",
    }  # fmt: skip


def screen_height_px() -> int:
    """Height of the visitor's screen in projector mode, once it is known."""
    told = st.session_state.get("frame", {}).get("height")
    return int(told) if isinstance(told, (int, float)) and 200 < told < 10_000 else USUAL_HEIGHT_PX


def mount_frame(page: Page, remember: bool = False, copy: bool = False, link_query: str = "") -> None:
    """The script around the page: language, projector, last scenario; with `copy`, the button that copies the link.

    link_query: what the copied link says, if not the whole session.
    """
    data = frame_data(page) | {"link": link_query}
    if remember:
        data["remember"] = scenario_line(page.scenario, page.parameters, page.language)
    if copy:
        words = ("copy", "copied", "not_copied", "copy_help")
        data |= {name: page.say(f"bar.{name}") for name in words}
    _FRAME(key="frame", data=data, width="content", on_height_change=_no_change)


def draw_resume(page: Page) -> None:
    """The button that takes up the last scenario of this browser."""
    words = ("resume", "resume_none", "resume_none_why")
    result = _FRAME(key="resume", data={name: page.say(f"home.{name}") for name in words}, on_resume_change=_no_change)
    if result.get("resume"):
        query = dict(part.partition("=")[::2] for part in str(result["resume"]).split("&"))
        state.keep(state.session_from_query(_unquoted(query), page.parameters))
        st.switch_page("pages/decider.py")


def _unquoted(query: dict[str, str]) -> dict[str, str]:
    from urllib.parse import unquote_plus

    return {unquote_plus(k): unquote_plus(v) for k, v in query.items() if k}


def _no_change() -> None:
    """Declares an event of a component; its value is read from the result."""


def draw_top_bar(page: Page) -> None:
    """Name, pages, language, projector, in the place that `begin_page` took at the top."""
    other = "en" if page.language == "fr" else "fr"
    with page.top or st.container():
        st.html(f'<div class="brand">{html.escape(page.say("app.title"))}</div>', width="content")
        for key in PAGES:
            link_to(page, key)
        st.button(
            say("bar.switch", other), key="language", type="tertiary", help=say("bar.switch_help", other),
            on_click=state.look, kwargs={"language": other},
        )  # fmt: skip
        label = "bar.projector_off" if page.view.projector else "bar.projector_on"
        st.button(page.say(label), key="projector", type="tertiary", shortcut="p", on_click=state.toggle_projector)


def link_to(page: Page, key: str, label: str = "") -> None:
    """A link to a page; a plain one where Streamlit does not know the pages (a page run on its own)."""
    label = label or page.say(f"page.{key}")
    try:
        st.page_link(f"pages/{key}.py", label=label)
    except StreamlitAPIException:
        st.html(f'<a href="{key}?{html.escape(query_of(page.session))}" target="_self">{html.escape(label)}</a>')


def scenario_html(page: Page) -> str:
    """The scenario in one line, and each difference from the reference."""
    line = html.escape(scenario_line(page.scenario, page.parameters, page.language))
    found = changes(page.scenario, page.parameters, page.language)
    if not found:
        detail = f'<span class="same">{html.escape(page.say("bar.same"))}</span>'
    else:
        shown = "".join(
            f'<span class="chip" title="{html.escape(page.say("bar.before", value=before))}">'
            f"{html.escape(name)}{colon(page.language)}<b>{html.escape(value)}</b></span>"
            for name, value, before in found
        )
        detail = f'<span class="diff">{html.escape(page.say("bar.differs"))}</span>{shown}'
    return f'<div class="scenario"><div class="line">{line}</div><div class="chips">{detail}</div></div>'


def _problems(page: Page) -> None:
    """What an address or a file asked that cannot be, without losing the rest."""
    shown = "\n".join(f"- {plain_text(told(text, page.parameters, page.language))}" for text in page.session.problems)
    st.warning(f"{page.say('error.some')}\n\n{shown}", icon=None)


def plain_text(text: str) -> str:
    """Text of a user or a file, with nothing that Markdown would act on."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+!|~$:" else c for c in text)
