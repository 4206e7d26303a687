"""The five questions as fields, the same on a phone and on the page Robustesse; what was wrong is told under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from coopconnect.problem import Problem
from coopconnect.show.problem_words import told
from coopconnect.show.words import number
from coopconnect.ui.frame import Page, plain_text
from coopconnect.uncertainty import survey

DAYS = ("0", "0.5", "1", "1.5", "2", "2.5", "3", "4", "5", "6", "7")
"""Hub days a week that one may touch, up to the most that the import takes."""

_FIELDS = ("days", "instead", "work", "hub", "mode")
"""In the order of `survey.COLUMNS`."""


@dataclass(frozen=True)
class Sent:
    """What was sent from here: how often, whether thanks are on the screen, what was wrong at the last try."""

    times: int = 0
    thanked: bool = False
    problems: tuple[Problem, ...] = ()


def draw_fields(page: Page, name: str, n: int) -> None:
    """The five fields of the answer number `n`, empty at first. name: that of the form, in the keys of its fields.

    Kilometres are text: a field for numbers reads "25,5" as 255 in Chromium, in French too.
    """
    st.pills(
        page.say("survey.q_days"), DAYS, key=f"{name}_days_{n}",
        format_func=lambda text: number(float(text), page.language, 1 if "." in text else 0),
    )  # fmt: skip
    st.radio(
        page.say("survey.q_instead"), list(survey.INSTEAD), index=None, key=f"{name}_instead_{n}",
        format_func=lambda k: page.say(f"survey.instead_{k}"),
    )  # fmt: skip
    with st.container(key=f"{name}_km"):
        for key in ("work", "hub"):
            st.text_input(page.say(f"survey.q_{key}"), key=f"{name}_{key}_{n}", placeholder=page.say("phone.km"))
    st.radio(
        page.say("survey.q_mode"), list(survey.MODES), index=None, key=f"{name}_mode_{n}",
        format_func=lambda k: page.say(f"survey.mode_{k}"),
    )  # fmt: skip
    st.caption(page.say("phone.answer_or_none"))


def draw_problems(page: Page, problems: Sequence[Problem], lead: str) -> None:
    """What is to be mended, all at once, under a sentence; nothing where nothing is wrong."""
    if problems:
        lines = "\n".join(f"- {plain_text(told(text, page.parameters, page.language))}" for text in problems)
        st.error(f"{lead}\n\n{lines}", icon=None)


def cells_of(name: str, n: int) -> list[str]:
    """The five texts of a form that was sent, as `survey.answer_of` reads them."""
    return [str(st.session_state[f"{name}_{field}_{n}"] or "").strip() for field in _FIELDS]


def keep_fields(name: str, n: int) -> None:
    """Write each field back to itself: it is then kept where its labels change with the language."""
    for field in _FIELDS:
        key = f"{name}_{field}_{n}"
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]
