"""Surveys open on this server: answers from phones wait here, in memory, until the page Robustesse takes them.

An answer is its five values and nothing else: no address, no time, no name. Who holds a room's code may answer, and
may take the answers too: nobody loses any, since each visitor takes what he has not taken yet.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from coopconnect.problem import Problem
from coopconnect.ui.jobs import Shelf
from coopconnect.uncertainty.survey import MOST_ANSWERS, Answer, SurveyError, answer_of

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without those that are read for one another from the back of a hall: I, L, O, 0, 1."""
CODE_LETTERS = 6
MOST_ROOMS = 100


@dataclass(eq=False)
class Room:
    """An open survey. asked: who answers it (`ASKED_OF`); most: answers it takes; stop: set once it is closed."""

    code: str
    asked: str
    most: int = MOST_ANSWERS
    stop: threading.Event = field(default_factory=threading.Event)
    _answers: list[Answer] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def open(self) -> bool:
        """True while phones may answer."""
        return not self.stop.is_set()

    @property
    def count(self) -> int:
        """Answers received."""
        return len(self._answers)

    def add(self, answer: Answer) -> None:
        """Keep one more answer. Raises `SurveyError` where the room is closed or full."""
        with self._lock:
            if not self.open:
                raise SurveyError(Problem("survey_room", name=self.code))
            if self.count >= self.most:
                raise SurveyError(Problem("survey_long", name=self.code, most=self.most, count=self.count))
            self._answers.append(answer)

    def since(self, taken: int) -> list[Answer]:
        """The answers after the first `taken`."""
        with self._lock:
            return self._answers[taken:]

    def close(self) -> None:
        """No further answer: none is still on its way in once this returns."""
        with self._lock:
            self.stop.set()


@st.cache_resource(show_spinner=False)
def _rooms() -> Shelf[str, Room]:
    """Rooms of this server; beyond `MOST_ROOMS` the one that was longest without an answer is closed and forgotten."""
    return Shelf(MOST_ROOMS)


def open_room(asked: str) -> Room:
    """A new room under a code that no other has."""
    shelf = _rooms()
    while True:
        code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS))
        made = Room(code, asked)
        if shelf.take(code, lambda made=made: made) is made:  # type: ignore[misc]
            return made


def find_room(code: str) -> Room | None:
    """The room of a code as one types it; None where there is none. A closed one may still hold answers."""
    return _rooms().find("".join(code.split()).upper())


def forget_room(code: str) -> None:
    """Close a room and forget its answers."""
    _rooms().drop(code)


def answer(code: str, cells: Sequence[str]) -> None:
    """One phone's five texts, in the order of `COLUMNS`, by the rules of the import. Raises `SurveyError` with all that is wrong."""
    found, problems = answer_of(cells)
    if found is None:
        raise SurveyError(*problems)
    room = find_room(code)
    if room is None:
        raise SurveyError(Problem("survey_room", name=code))
    room.add(found)
    _rooms().touch(room.code)
