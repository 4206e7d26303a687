"""The five questions on a phone: one form, one button, thanks. No territory is loaded and nothing but the answers is kept."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from coopconnect.show.words import number, say
from coopconnect.ui import state
from coopconnect.ui.frame import Page
from coopconnect.ui.survey_form import Sent, cells_of, draw_fields, draw_problems, keep_fields
from coopconnect.ui.survey_rooms import CODE_LETTERS, Room, answer, find_room
from coopconnect.uncertainty import survey

SENT = "survey_phone"
FORM = "phone"
"""Name of the form, in the keys of its fields."""


def _sent() -> Sent:
    found = st.session_state.setdefault(SENT, Sent())
    assert isinstance(found, Sent)
    return found


def draw_questions(page: Page) -> None:
    """The survey of the code in the address, or a sentence where none is open under it."""
    code = st.query_params.get("room", "")
    with st.container(key="phone"):
        room, sent = find_room(code), _sent()
        if room is not None and room.open and not sent.thanked:
            _form(page, room, sent)
            return
        _language(page, st.button)
        _title(page)
        if sent.thanked:
            _thanks(page, sent)
        else:
            st.html(f'<p class="hint">{html.escape(page.say("phone.none"))}</p>')
            st.text_input(page.say("phone.code"), key="phone_code", max_chars=2 * CODE_LETTERS, on_change=_go_to)


def _title(page: Page) -> None:
    st.html(f"<h1>{html.escape(page.say('phone.title'))}</h1>")


def _language(page: Page, button: Callable[..., bool], n: int | None = None) -> None:
    """The switch of language. n: number of the answer in whose form it stands; what is chosen there is kept."""
    other = "en" if page.language == "fr" else "fr"
    button(
        say("bar.switch", other), key="language", type="tertiary", help=say("bar.switch_help", other),
        on_click=_switch, args=(other, n),
    )  # fmt: skip


def _switch(language: str, n: int | None) -> None:
    if n is not None:
        keep_fields(FORM, n)
    state.look(language=language)


def _form(page: Page, room: Room, sent: Sent) -> None:
    n = sent.times  # the next answer starts from empty fields; a wrong one keeps what was typed
    with st.form("phone_form", border=False, enter_to_submit=False):
        _language(page, st.form_submit_button, n)  # in the form: what was chosen and not sent yet comes with it
        _title(page)
        words = (page.say(f"phone.{room.asked}"), page.say("phone.private"))
        st.html("".join(f"<p>{html.escape(text)}</p>" for text in words))
        draw_fields(page, FORM, n)
        draw_problems(page, sent.problems, page.say("phone.wrong"))
        st.form_submit_button(
            page.say("phone.send"), key="phone_send", type="primary", width="stretch", on_click=_send,
            args=(room.code, n),
        )  # fmt: skip


def _thanks(page: Page, sent: Sent) -> None:
    st.success(page.say("phone.thanks"), icon=None)
    st.html(f"<p>{html.escape(page.say('phone.again_why', count=number(sent.times, page.language)))}</p>")
    st.button(page.say("phone.again"), key="phone_again", width="stretch", on_click=_again)


def _send(code: str, n: int) -> None:
    """Give the five texts to the room; what is wrong is told and all stays in its field."""
    sent = _sent()
    try:
        answer(code, cells_of(FORM, n))
    except survey.SurveyError as error:
        st.session_state[SENT] = replace(sent, problems=tuple(error.problems))
    else:
        st.session_state[SENT] = Sent(sent.times + 1, thanked=True)


def _again() -> None:
    st.session_state[SENT] = replace(_sent(), thanked=False)


def _go_to() -> None:
    st.session_state[SENT] = replace(_sent(), problems=())
    st.query_params["room"] = str(st.session_state["phone_code"]).strip().upper()
