"""The survey in a hall: the page Robustesse opens a room, shows its QR code and takes the answers of the phones."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from coopconnect.dossier import SurveySums
from coopconnect.export.card import qr_svg
from coopconnect.export.link import is_local
from coopconnect.problem import Problem, quoted
from coopconnect.show.static_map import svg_image
from coopconnect.show.words import DEFAULT_LANGUAGE, number, say
from coopconnect.ui import state
from coopconnect.ui.frame import PHONE_PAGE, Page
from coopconnect.ui.survey_rooms import CODE_LETTERS, Room, find_room, forget_room, open_room
from coopconnect.uncertainty.survey import SurveyError, sums_of

HELD = "survey_room"
POLL_S = 2.0


@dataclass(frozen=True)
class Held:
    """The room of this visitor, and how many of its answers he has taken."""

    code: str
    taken: int = 0


def _held() -> tuple[Held, Room] | None:
    held = st.session_state.get(HELD)
    room = find_room(held.code) if held is not None else None
    return None if held is None or room is None else (held, room)


def holds_room() -> bool:
    """True while this visitor has a room, open or with answers to take."""
    return _held() is not None


def draw_room(page: Page, asked: str, keep: Callable[[SurveySums], None]) -> None:
    """The button that opens a room, or the room. keep: adds sums to the scenario's survey, may raise `SurveyError`."""
    found = _held()
    if found is None:
        with st.container(horizontal=True, vertical_alignment="bottom", key="survey_room_ask"):
            st.button(
                page.say("survey.room_open"), key="survey_room_open", help=page.say("survey.room_open_help"),
                on_click=_open, args=(asked,),
            )  # fmt: skip
            st.text_input(
                page.say("survey.room_code"), key="survey_room_code", max_chars=2 * CODE_LETTERS, on_change=_take_up
            )
        return
    _, room = found
    st.html(room_html(room, link_of(st.context.url or "", room.code, page.language), page.language))
    _received(page, room, keep)


def link_of(here: str, code: str, language: str) -> str:
    """Address of the phone's page beside the page at `here`, '' where the server does not know its own."""
    if not here:
        return ""
    at = urlsplit(here)
    query = {"room": code} | ({} if language == DEFAULT_LANGUAGE else {"lang": language})
    return urlunsplit((at.scheme, at.netloc, f"{at.path.rpartition('/')[0]}/{PHONE_PAGE}", urlencode(query), ""))


def room_html(room: Room, link: str, language: str) -> str:
    """QR code, code and link of a room, to be read from the back of a hall; no QR code of an address that phones cannot open."""
    if not room.open:
        return f'<p class="hint">{html.escape(say("survey.room_closed", language))}</p>'
    code = "" if is_local(link) else qr_svg(link)
    words = "room_scan" if code else "room_local" if link else "room_by_hand"
    picture = svg_image(code, html.escape(say("survey.room_alt", language))) if code else ""
    return (
        f'<div class="room">{picture}<div><p>{html.escape(say(f"survey.{words}", language))}</p>'
        f'<p class="who">{html.escape(say(f"phone.{room.asked}", language))}</p>'
        f'<p class="code"><small>{html.escape(say("survey.room_code_is", language))}</small> {room.code}</p>'
        + (f'<p class="link"><a href="{html.escape(link, quote=True)}" target="_blank">{html.escape(link)}</a></p>' if link else "")
        + "</div></div>"
    )  # fmt: skip


def _received(page: Page, room: Room, keep: Callable[[SurveySums], None]) -> None:
    """How many have answered, read again every two seconds while the room is open; only this part of the page runs."""
    was_open = room.open

    @st.fragment(run_every=POLL_S if was_open else None)
    def shown() -> None:
        found = _held()
        if found is None or room.open != was_open:  # closed or taken away elsewhere: the whole block has changed
            st.rerun()
        fresh = room.count - found[0].taken
        said = page.say(
            "survey.room_count", count=number(room.count, page.language), fresh=number(fresh, page.language)
        )
        st.html(f'<p class="hint" role="status">{html.escape(said)}</p>')
        with st.container(horizontal=True):
            if st.button(page.say("survey.room_take"), key="survey_room_take", type="primary", disabled=fresh < 1):
                _take(room, keep)
                st.rerun()
            last = "survey.room_close" if room.open else "survey.room_leave"
            if st.button(page.say(last), key="survey_room_close"):
                _close(room)
                st.rerun()

    shown()


def _open(asked: str) -> None:
    st.session_state[HELD] = Held(open_room(asked).code)


def _take_up() -> None:
    """Take up a room by its code, after a reload: its answers are all to be taken, as the new page has none."""
    typed = str(st.session_state["survey_room_code"])
    room = find_room(typed)
    if room is not None:
        st.session_state[HELD] = Held(room.code)
    elif typed.strip():
        state.tell(Problem("survey_room", name=quoted(typed)))


def _take(room: Room, keep: Callable[[SurveySums], None]) -> None:
    """Add the answers not taken yet to the survey of the scenario; where it refuses them, they stay in the room."""
    found = _held()
    answers = room.since(found[0].taken) if found is not None else []
    if found is None or not answers:
        return
    try:
        keep(sums_of(answers, room.asked))
    except SurveyError as error:
        state.tell(*error.problems)
        return
    st.session_state[HELD] = replace(found[0], taken=found[0].taken + len(answers))
    if not room.open:
        forget_room(room.code)


def _close(room: Room) -> None:
    """Close the room to phones; it is forgotten once nothing in it waits to be taken, or at the second press."""
    found = _held()
    was_open = room.open
    room.close()
    if found is not None and (not was_open or room.count == found[0].taken):
        forget_room(room.code)
