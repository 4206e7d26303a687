"""The page Robustesse without a browser: draws come, what they say is on the page, a survey changes what is believed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from spaces import plain
from streamlit.testing.v1 import AppTest

from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.ui import robust_further, robust_jobs

ROOT = Path(__file__).resolve().parents[1]


def _opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "robustesse.py"), default_timeout=120)
    for key, value in {"territory": "d04", **query}.items():
        app.query_params[key] = value
    app.run()
    for _ in range(200):
        if not any(job.running for job in robust_jobs._jobs().jobs.values()):
            break
        time.sleep(0.1)
    return app.run()


def _texts(app: AppTest) -> str:
    return "\n".join(str(node.body) for node in app.main if getattr(node, "type", "") == "html")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", ("Viable dans", "La chose à apprendre d'abord", "Où la décision bascule", "dix prochaines réponses")),
        ("en", ("Viable in", "worth finding out", "Where the decision tips", "next ten answers")),
    ],
)
def test_a_link_opened_cold_answers(language: str, words: tuple[str, ...]) -> None:
    app = _opened(lang=language)
    assert not app.exception
    assert [e.value for e in (*app.error, *app.warning)] == []
    shown = _texts(app)
    assert app.selectbox(key="robust_tip").value == "opex_shared_eur_per_year"  # what is worth finding out first
    for text in words:
        assert text.replace("'", "&#x27;") in shown or text in shown, text


def test_further_runs_come_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robust_further, "SOBOL_BASE", 2)
    app = _opened(lang="fr", plan="n4~r1", site="04112")
    for key in ("robust_sobol_start", "robust_plans_start"):
        app.button(key=key).click().run()
        while any(job.running for job in robust_further._jobs().jobs.values()):
            time.sleep(0.05)
        app.run()
        assert [e.value for e in (*app.error, *app.warning)] == []
        assert key not in {b.key for b in app.button}
    shown = _texts(app)
    assert "Mesure complète, 88 calculs (Sobol)" in shown.replace("\u202f", " ")
    for text in ("Le moins regretté en moyenne", "ne rien ouvrir", "la première moitié du plan", "le plan de Réseau"):
        assert text in shown


def test_a_job_stops_and_goes_on_where_it_was(reference: Scenario, parameters: Parameters) -> None:
    key = robust_jobs.key_of(reference.with_values(territory="d04"), 400, False, False, ())
    job = robust_jobs.job_of(key)
    robust_jobs.start(job)
    while job.done == 0:
        time.sleep(0.01)
    job.stop.set()
    assert job.thread is not None
    job.thread.join()
    before = job.done
    assert 0 < before < 400
    assert robust_jobs.finished(key) is None
    other = robust_jobs.key_of(reference.with_values(territory="d04", day_price_eur=9.0), 400, False, False, ())
    assert robust_jobs.job_of(other) is not job
    assert robust_jobs.job_of(key) is job  # a lever moved and moved back loses nothing
    robust_jobs.start(job)
    job.thread.join()
    assert job.complete
    assert robust_jobs.finished(key) is not None


def test_an_answer_typed_changes_the_scenario() -> None:
    app = _opened()
    app.button_group(key="survey_typed_days_0").set_value("2")
    app.radio(key="survey_typed_instead_0").set_value("office")
    app.text_input(key="survey_typed_work_0").set_value("25,5 km")
    next(b for b in app.button if b.label == "Ajouter cette réponse").click().run()
    assert app.session_state["coopconnect"].dossier.survey is None
    assert "'25,5 km'" in plain(app.error[0].value) and "n'est pas comptée" in app.error[0].value
    app.text_input(key="survey_typed_work_0").set_value("25,5")
    next(b for b in app.button if b.label == "Ajouter cette réponse").click().run()
    session = app.session_state["coopconnect"]
    assert session.dossier.survey.commute_km == 51.0
    assert not app.error and app.text_input(key="survey_typed_work_1").value == ""
    assert session.dossier.survey.answers == 1
    assert dict(session.scenario.changed)["substitution_reference"] > 0.5
    app.button(key="survey_forget").click().run()
    session = app.session_state["coopconnect"]
    assert session.dossier.survey is None
    assert "substitution_reference" not in dict(session.scenario.changed)


def test_the_map_says_who_refused_and_follows_the_share_that_is_enough() -> None:
    shown = _texts(_opened(lang="fr", refused="04070", robust_probability_share="0.7"))
    assert "Tous les hôtes ont refusé" in shown
    assert "Hors du filtre" not in shown
    assert "dans au moins 70\u202f% des futurs" in shown or "dans au moins 70 % des futurs" in shown
