"""The page Fiche site: what the project holder knows and writes. Gates, hosts, human checklist, notes, photos.

Every answer goes into the session's dossier as it is given; one undo takes it back. Nothing here moves a figure.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import streamlit as st

from coopconnect.dossier import (
    ANSWERS,
    ASKED_GATES,
    CHECKLIST,
    MOST_NOTES,
    MOST_PHOTOS,
    DossierError,
    Photo,
    SiteNotes,
    shrunk_photo,
)
from coopconnect.problem import Problem
from coopconnect.show.words import number
from coopconnect.ui import state
from coopconnect.ui.decide import Decision
from coopconnect.ui.frame import Page
from coopconnect.ui.gates import core_users, gates_html
from coopconnect.ui.hosts import draw_hosts
from coopconnect.ui.widget_key import key_for

MOST_NAMED = 999
PHOTO_COLUMNS = 3


def draw_gates(page: Page, decision: Decision, site: pd.Series) -> None:
    """Ready or not, the questions that decide it, and the hosts."""
    code = str(site["zone_code"])
    notes = page.session.dossier.site(code)
    st.html(f'<h2 class="part" id="ready">{html.escape(page.say("sheet.gates"))}</h2>')
    st.html(gates_html(page, code))
    left, right = st.columns(2, gap="large")
    with left, st.container(key="gatequestions"):
        for gate in ASKED_GATES:
            _draw_answer(page, notes, gate, page.say(f"sheet.ask.{gate}"), page.say("sheet.gate_answer_partly"))
        key = key_for(f"named_users_{code}", notes.named_users)
        st.number_input(
            page.say("sheet.named", core=number(core_users(page), page.language)), 0, MOST_NAMED,
            value=notes.named_users, key=key, help=page.say("sheet.named_help"), on_change=_write_named,
            args=(code, key), width=320,
        )  # fmt: skip
    with right, st.container(key="hosts"):
        draw_hosts(page, site, decision.now)


def draw_checklist(page: Page, site: pd.Series) -> None:
    """The human side: five questions, what each means, an answer and a remark."""
    notes = page.session.dossier.site(str(site["zone_code"]))
    st.html(f'<h2 class="part" id="people">{html.escape(page.say("sheet.people"))}</h2>')
    st.html(progress_html(page, notes))
    for question in CHECKLIST:
        with st.container(key=f"check_{question}"):
            words, given = st.columns([1.2, 1], gap="medium", vertical_alignment="center")
            title, means = page.say(f"sheet.check.{question}"), page.say(f"sheet.check_means.{question}")
            words.html(f'<p class="check"><b>{html.escape(title)}</b><br>{html.escape(means)}</p>')
            with given:
                _draw_answer(page, notes, question, title, page.say("sheet.answer.partly"), hidden=True)


def progress_html(page: Page, notes: SiteNotes) -> str:
    """How many of the five hold, are under way, are answered; as words and as five marks."""
    given = [notes.answer(question) for question in CHECKLIST]
    marks = "".join(f'<i class="{answer or "none"}"></i>' for answer in given)
    text = page.say(
        "sheet.progress", yes=given.count("yes"), partly=given.count("partly"), all=len(CHECKLIST),
        left=given.count(""),
    )  # fmt: skip
    return f'<div class="progress"><span aria-hidden="true">{marks}</span> {html.escape(text)}</div>'


def _draw_answer(
    page: Page, notes: SiteNotes, question: str, label: str, partly: str, hidden: bool = False
) -> None:  # fmt: skip
    """Yes, partly or no, and a remark; a second click on the answer takes it back."""
    code, given, said = notes.zone_code, notes.answer(question) or None, notes.remark(question)
    key, remark = key_for(f"answer_{question}_{code}", given), key_for(f"remark_{question}_{code}", said)
    words = {name: page.say(f"sheet.answer.{name}") for name in ANSWERS} | {"partly": partly}
    st.segmented_control(
        label, ANSWERS, default=given, key=key, format_func=lambda name: words[name],
        label_visibility="collapsed" if hidden else "visible", on_change=_write_answer, args=(code, question, key),
    )  # fmt: skip
    st.text_input(
        page.say("sheet.remark_of", question=label), value=said, key=remark, label_visibility="collapsed",
        max_chars=MOST_NOTES, placeholder=page.say("sheet.remark"), on_change=_write_remark,
        args=(code, question, remark),
    )  # fmt: skip


def draw_notes(page: Page, site: pd.Series) -> None:
    """Notes and photos, kept with the scenario file and nowhere else."""
    code = str(site["zone_code"])
    notes = page.session.dossier.site(code)
    st.html(f'<h2 class="part" id="notes">{html.escape(page.say("sheet.notes"))}</h2>')
    st.caption(page.say("sheet.notes_kept"))
    left, right = st.columns([1, 1.35], gap="large")
    with left:
        key = key_for(f"site_notes_{code}", notes.notes)
        st.text_area(
            page.say("sheet.notes_label", name=str(site["name"])), value=notes.notes, key=key, height=220,
            max_chars=MOST_NOTES, placeholder=page.say("sheet.notes_example"), on_change=_write_text, args=(code, key),
        )  # fmt: skip
    with right:
        _draw_photos(page, notes)


def _draw_photos(page: Page, notes: SiteNotes) -> None:
    code, room = notes.zone_code, MOST_PHOTOS - len(notes.photos)
    columns = st.columns(PHOTO_COLUMNS) if notes.photos else []
    for k, photo in enumerate(notes.photos):
        with columns[k % PHOTO_COLUMNS], st.container(key=f"photo_{k}"):
            st.image(photo.content, caption=photo.caption or None)
            key = key_for(f"caption_{k}_{code}", (photo.caption, len(photo.content)))
            st.text_input(
                page.say("sheet.caption_of", number=k + 1), value=photo.caption, key=key,
                label_visibility="collapsed", placeholder=page.say("sheet.caption"), max_chars=200,
                on_change=_write_caption, args=(code, k, key),
            )  # fmt: skip
            st.button(
                page.say("sheet.photo_delete"), key=f"delete_{k}_{code}", type="tertiary",
                help=page.say("sheet.photo_delete_help"), on_click=_write,
                args=(lambda n, k=k: replace(n, photos=(*n.photos[:k], *n.photos[k + 1 :])), code),
            )  # fmt: skip
    if not room:
        st.caption(page.say("sheet.photos_full", most=MOST_PHOTOS))
        return
    key = f"photos_{code}_{sum(len(photo.content) for photo in notes.photos)}"  # a new box once its files are taken
    st.file_uploader(
        page.say("sheet.photos", room=room), type=["jpg", "jpeg", "png", "webp"], accept_multiple_files=True, key=key,
        on_change=_add_photos, args=(code, key),
    )  # fmt: skip


def _add_photos(code: str, key: str) -> None:
    """Keep the pictures that can be read, as many as there is room for; tell of the others."""
    room = MOST_PHOTOS - len(state.current().dossier.site(code).photos)
    added: list[Photo] = []
    problems: list[Problem] = []
    for given in st.session_state[key] or []:
        try:
            if len(added) >= room:
                raise DossierError(Problem("photos_full", name=given.name, count=MOST_PHOTOS))
            added.append(shrunk_photo(given.name, given.getvalue()))
        except DossierError as error:
            problems += error.problems
    if added:
        _write(lambda notes: replace(notes, photos=(*notes.photos, *added)), code)
    state.keep(replace(state.current(), problems=tuple(problems)))


def _write(change: Callable[[SiteNotes], SiteNotes], code: str) -> None:
    state.write_notes(change, code)


def _write_answer(code: str, question: str, key: str) -> None:
    _write(lambda notes: notes.with_answer(question, str(st.session_state[key] or "")), code)


def _write_remark(code: str, question: str, key: str) -> None:
    _write(lambda notes: notes.with_remark(question, str(st.session_state[key])), code)


def _write_named(code: str, key: str) -> None:
    _write(lambda notes: replace(notes, named_users=int(st.session_state[key] or 0)), code)


def _write_text(code: str, key: str) -> None:
    _write(lambda notes: replace(notes, notes=str(st.session_state[key])), code)


def _write_caption(code: str, k: int, key: str) -> None:
    def change(notes: SiteNotes) -> SiteNotes:
        named = replace(notes.photos[k], caption=str(st.session_state[key]).strip())
        return replace(notes, photos=(*notes.photos[:k], named, *notes.photos[k + 1 :]))

    _write(change, code)
