"""The five questions on a phone: one form, one button, thanks. No territory is loaded and nothing but the answers is kept."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace

import streamlit as st

from coopconnect.problem import Problem
from coopconnect.show.problem_words import told
from coopconnect.show.words import number, say
from coopconnect.ui import state
from coopconnect.ui.frame import Page, plain_text
from coopconnect.ui.survey_rooms import CODE_LETTERS, answer, find_room
from coopconnect.uncertainty import survey

SENT = "survey_phone"
DAYS = ("0", "0.5", "1", "1.5", "2", "2.5", "3", "4", "5", "6", "7")
"""Hub days a week that one may touch, up to the most that the import takes."""


@dataclass(frozen=True)
class Sent:
    """What this phone has sent: how often, whether thanks are on the screen, what was wrong at the last try."""

    times: int = 0
    thanked: bool = False
    problems: tuple[Problem, ...] = ()


def _sent() -> Sent:
    found = st.session_state.setdefault(SENT, Sent())
    assert isinstance(found, Sent)
    return found


def draw_questions(page: Page) -> None:
    """The survey of the code in the address, or a sentence where none is open under it."""
    other = "en" if page.language == "fr" else "fr"
    code = st.query_params.get("room", "")
    with st.container(key="phone"):
        st.button(  # before the questions: what was not sent yet is not kept by a change of language
            say("bar.switch", other), key="language", type="tertiary", help=say("bar.switch_help", other),
            on_click=state.look, kwargs={"language": other},
        )  # fmt: skip
        st.html(f"<h1>{html.escape(page.say('phone.title'))}</h1>")
        room, sent = find_room(code), _sent()
        if sent.thanked:
            _thanks(page, sent)
        elif room is None or not room.open:
            st.html(f'<p class="hint">{html.escape(page.say("phone.none"))}</p>')
            st.text_input(page.say("phone.code"), key="phone_code", max_chars=2 * CODE_LETTERS, on_change=_go_to)
        else:
            words = (page.say(f"phone.{room.asked}"), page.say("phone.private"))
            st.html("".join(f"<p>{html.escape(text)}</p>" for text in words))
            _form(page, room.code, sent)


def _form(page: Page, code: str, sent: Sent) -> None:
    n = sent.times  # the next answer starts from empty fields; a wrong one keeps what was typed
    with st.form("phone_form", border=False, enter_to_submit=False):
        st.pills(
            page.say("survey.q_days"), DAYS, key=f"phone_days_{n}",
            format_func=lambda text: number(float(text), page.language, 1 if "." in text else 0),
        )  # fmt: skip
        st.radio(
            page.say("survey.q_instead"), list(survey.INSTEAD), index=None, key=f"phone_instead_{n}",
            format_func=lambda k: page.say(f"survey.instead_{k}"),
        )  # fmt: skip
        with st.container(key="phone_km"):  # text: a field for numbers reads "25,5" as 255 in some browsers
            for key in ("work", "hub"):
                st.text_input(page.say(f"survey.q_{key}"), key=f"phone_{key}_{n}", placeholder=page.say("phone.km"))
        st.radio(
            page.say("survey.q_mode"), list(survey.MODES), index=None, key=f"phone_mode_{n}",
            format_func=lambda k: page.say(f"survey.mode_{k}"),
        )  # fmt: skip
        st.caption(page.say("phone.answer_or_none"))
        if sent.problems:
            lines = "\n".join(f"- {plain_text(told(text, page.parameters, page.language))}" for text in sent.problems)
            st.error(f"{page.say('phone.wrong')}\n\n{lines}", icon=None)
        st.form_submit_button(
            page.say("phone.send"), key="phone_send", type="primary", width="stretch", on_click=_send, args=(code, n)
        )


def _thanks(page: Page, sent: Sent) -> None:
    st.success(page.say("phone.thanks"), icon=None)
    st.html(f"<p>{html.escape(page.say('phone.again_why', count=number(sent.times, page.language)))}</p>")
    st.button(page.say("phone.again"), key="phone_again", width="stretch", on_click=_again)


def _send(code: str, n: int) -> None:
    """Give the five texts to the room; what is wrong is told and all stays in its field."""
    names = ("days", "instead", "work", "hub", "mode")  # in the order of `survey.COLUMNS`
    sent = _sent()
    try:
        answer(code, [str(st.session_state[f"phone_{name}_{n}"] or "").strip() for name in names])
    except survey.SurveyError as error:
        st.session_state[SENT] = replace(sent, problems=tuple(error.problems))
    else:
        st.session_state[SENT] = Sent(sent.times + 1, thanked=True)


def _again() -> None:
    st.session_state[SENT] = replace(_sent(), thanked=False)


def _go_to() -> None:
    st.session_state[SENT] = replace(_sent(), problems=())
    st.query_params["room"] = str(st.session_state["phone_code"]).strip().upper()
