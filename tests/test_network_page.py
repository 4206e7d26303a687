"""The page Réseau opened cold, in both languages; its question in the address."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from coopconnect.parameters import load_parameters
from coopconnect.siting.question import PlanError, Question, from_text, to_text
from coopconnect.ui import state
from coopconnect.ui.frame import Page
from coopconnect.ui.network_page import plan_of

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(("language", "words"), [("fr", "ordre d'ouverture"), ("en", "opening order")])
def test_the_page_opened_cold(language: str, words: str) -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "reseau.py"), default_timeout=120)
    app.query_params["lang"] = language
    app.query_params["v"] = "1"
    app.query_params["territory"] = "d04"
    app.query_params["plan"] = "n4~r1~e04112~x04088"
    app.run()
    assert not app.exception
    assert not app.error
    assert words in app.slider[0].label
    table = app.dataframe[0].value
    assert len(table) == 5
    assert "Manosque" in set(table.iloc[:, 1])
    assert "Forcalquier" not in set(table.iloc[:, 1])


def test_a_wrong_question_is_told() -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "reseau.py"), default_timeout=120)
    app.query_params["v"] = "1"
    app.query_params["territory"] = "d04"
    app.query_params["plan"] = "n4~f04112~x04112"
    app.run()
    assert not app.exception
    assert "04112 est aussi imposé ou existant" in app.error[0].value
    session = app.session_state[state.KEY]
    assert plan_of(Page("reseau", session, load_parameters())) == (
        "forbidden : 04112 est aussi imposé ou existant ; gardez l'un des deux",
    )


def test_the_question_travels_as_text() -> None:
    question = Question(
        sites=0, budget_eur=250000.0, objective="equity", equity=0.25, forced=("04070",), forbidden=("2A004", "04088"),
        apart_min=12.0, rural=True,
    )  # fmt: skip
    assert from_text(to_text(question)) == question
    assert to_text(Question()) == ""
    for text in ("z9", "nx"):
        with pytest.raises(PlanError):
            from_text(text)
