"""The survey by phone: rooms of the server, the page that opens them, the page that a phone shows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from spaces import plain
from streamlit.testing.v1 import AppTest

from coopconnect.dossier import SurveySums
from coopconnect.problem import Problem
from coopconnect.ui import cached, survey_host, survey_rooms
from coopconnect.ui.survey_host import Held, link_of, room_html
from coopconnect.ui.survey_rooms import LETTERS, Room, answer, find_room, forget_room, open_room
from coopconnect.uncertainty.survey import Answer, SurveyError, added, read_answers, sums_of

ROOT = Path(__file__).resolve().parents[1]
CELLS = (("2", "bureau", "25,5", "4", "voiture"), ("1", "maison", "18", "3", "vélo"), ("0", "", "12", "", ""))


@pytest.fixture
def room() -> Iterator[Room]:
    made = open_room("users")
    yield made
    forget_room(made.code)


def test_answers_of_a_room_are_those_of_the_import(room: Room) -> None:
    for cells in CELLS:
        answer(f" {room.code.lower()} ", cells)
    table = "a;b;c;d;e\n" + "\n".join(";".join(cells) for cells in CELLS)
    assert room.since(0) == read_answers("a.csv", table.encode())
    assert sums_of(room.since(1), "users") == sums_of(read_answers("a.csv", table.encode())[1:], "users")
    assert set(room.code) <= set(LETTERS) and room.code != open_room("users").code


def test_a_wrong_answer_is_told_whole_and_not_kept(room: Room) -> None:
    with pytest.raises(SurveyError) as told:
        answer(room.code, ("9", "piscine", "900", "", ""))
    assert [problem.key for problem in told.value.problems] == ["hub_days", "instead", "home_work_km"]
    assert all(problem.line == 0 for problem in told.value.problems)
    assert room.count == 0


def test_many_at_once_lose_nothing_and_the_limit_holds() -> None:
    room = Room("AAAAAA", "users", most=150)
    refused: list[str] = []

    def send() -> None:
        for _ in range(50):
            try:
                room.add(Answer(1.0, "office", None, None, "car"))
            except SurveyError as error:
                refused.append(error.problems[0].code)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert room.count == 150
    assert refused == ["survey_long"] * 50


def test_a_closed_or_unknown_room_takes_nothing_and_keeps_what_it_has(room: Room) -> None:
    answer(room.code, CELLS[0])
    room.close()
    for code in (room.code, "ZZZZZZ"):
        with pytest.raises(SurveyError, match="no survey is open"):
            answer(code, CELLS[1])
    assert room.count == 1
    forget_room(room.code)
    assert find_room(room.code) is None


def test_the_room_longest_without_an_answer_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = survey_rooms.Shelf[str, Room](2)
    monkeypatch.setattr(survey_rooms, "_rooms", lambda: shelf)
    first, second = open_room("users"), open_room("users")
    answer(first.code, CELLS[0])
    open_room("users")
    assert (first.open, second.open) == (True, False)
    assert find_room(second.code) is None


def test_the_link_is_beside_the_page_and_an_address_of_this_computer_has_no_qr() -> None:
    room = Room("ABCDEF", "residents")
    link = link_of("https://hub.example/app/robustesse?lang=en&territory=d04", room.code, "en")
    assert link == "https://hub.example/app/sondage?room=ABCDEF&lang=en"
    shown = room_html(room, link, "en")
    assert "<img" in shown and "ABCDEF</p>" in shown and "whether they come or not" in shown
    for own in ("http://localhost:8501/robustesse", "http://127.0.0.1:8501/robustesse", ""):
        shown = room_html(room, link_of(own, room.code, "fr"), "fr")
        assert "<img" not in shown and "ABCDEF</p>" in shown
        assert ("sondage?room=ABCDEF" in shown and "Pas de code QR" in shown) is bool(own)


def _phone(code: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "sondage.py"), default_timeout=60)
    for key, value in {"room": code, **query}.items():
        app.query_params[key] = value
    return app.run()


def _texts(app: AppTest) -> str:
    return plain("\n".join(str(node.body) for node in app.main if getattr(node, "type", "") == "html"))


def _send(app: AppTest) -> AppTest:
    return next(b for b in app.button if b.label in ("Envoyer", "Send")).click().run()


def test_a_phone_answers_is_told_what_is_wrong_and_may_answer_for_another(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        pytest.fail("a phone loads no territory")

    for name in ("territory", "follow_store", "assessment"):
        monkeypatch.setattr(cached, name, never)
    app = _phone(room.code)
    assert not app.exception and not app.error
    app.text_input(key="phone_work_0").set_value("900")
    _send(app)
    told = plain(app.error[0].value)
    assert "jours par semaine au lieu" in told and "km domicile" in told and "'900'" in told
    assert app.text_input(key="phone_work_0").value == "900"
    assert room.count == 0
    app.text_input(key="phone_work_0").set_value("25,5")
    app.button_group(key="phone_days_0").set_value("2.5")
    app.radio(key="phone_instead_0").set_value("office")
    app.button(key="language").click().run()
    assert "Send" in [b.label for b in app.button]
    assert (app.text_input(key="phone_work_0").value, app.radio(key="phone_instead_0").value) == ("25,5", "office")
    _send(app)
    assert room.since(0) == [Answer(2.5, "office", 25.5, None, "other")]
    assert "Thank you" in app.success[0].value and "1 answer sent" in _texts(app)
    app.button(key="phone_again").click().run()
    assert app.text_input(key="phone_work_1").value == ""
    room.close()
    app.button_group(key="phone_days_1").set_value("0")
    _send(app)
    assert room.count == 1
    assert "This survey is closed" in _texts(app)


def test_an_unknown_room_is_told_and_its_code_can_be_typed(room: Room) -> None:
    app = _phone("<b>", lang="en")
    assert not app.exception and "This survey is closed" in _texts(app)
    app.text_input(key="phone_code").set_value(room.code.lower()).run()
    assert "For those who come to an open hub" in _texts(app)
    assert app.query_params["room"] in (room.code, [room.code])


def _host(room: Room) -> AppTest:
    """The block of Robustesse on its own, with what the page gives it."""

    def block() -> None:
        from coopconnect.parameters import load_parameters
        from coopconnect.ui import robust_page, state, survey_host
        from coopconnect.ui.frame import Page

        survey_host.draw_room(Page("robustesse", state.current(), load_parameters()), "users", robust_page._keep)

    app = AppTest.from_function(block, default_timeout=60).run()
    app.text_input(key="survey_room_code").set_value(room.code).run()
    return app


def test_answers_are_taken_once_by_the_code_of_the_import_and_undone(room: Room) -> None:
    app = _host(room)
    assert app.session_state[survey_host.HELD] == Held(room.code)
    assert app.button(key="survey_room_take").disabled
    for cells in CELLS[:2]:
        answer(room.code, cells)
    app.run()
    assert "2 réponses reçues ; 2 à prendre" in _texts(app)
    app.button(key="survey_room_take").click().run()
    session = app.session_state["coopconnect"]
    first = sums_of(room.since(0), "users")
    assert session.dossier.survey == first
    assert "substitution_reference" in dict(session.scenario.changed)
    assert session.undone().dossier.survey is None
    answer(room.code, CELLS[2])
    app.button(key="survey_room_close").click().run()  # closed, with one answer left to take
    assert not room.open and "Sondage fermé" in _texts(app)
    app.button(key="survey_room_take").click().run()
    assert app.session_state["coopconnect"].dossier.survey == added(first, sums_of(room.since(2), "users"))
    assert find_room(room.code) is None
    assert app.button(key="survey_room_open")


def test_answers_of_other_people_than_those_kept_stay_in_the_room(room: Room) -> None:
    app = _host(room)
    answer(room.code, CELLS[0])
    session = app.session_state["coopconnect"]
    kept = SurveySums("residents", 5, 1, 1.0, 1.0, 1.0)
    app.session_state["coopconnect"] = session.with_dossier(type(session.dossier)(survey=kept))
    app.run()
    app.button(key="survey_room_take").click().run()
    session = app.session_state["coopconnect"]
    assert session.dossier.survey == kept
    assert [problem.code for problem in session.problems if isinstance(problem, Problem)] == ["survey_apart"]
    assert app.session_state[survey_host.HELD] == Held(room.code)
