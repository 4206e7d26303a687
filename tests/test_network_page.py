"""The page Réseau opened cold, in both languages; its question in the address."""

from __future__ import annotations

import html
import math
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from spaces import plain
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import NumberInput

from coopconnect.parameters import Parameters, load_parameters
from coopconnect.question import PlanError, Question, from_text, to_text
from coopconnect.scenario import Scenario
from coopconnect.siting.plan import site_plan
from coopconnect.siting.types import BRANCHES, BY_SITE
from coopconnect.ui import cached, network_search, plan_jobs, robust_further, robust_jobs, state
from coopconnect.ui.frame import Page
from coopconnect.ui.futures import plan_in_draws
from coopconnect.ui.network_page import _amount, _map, _table, plan_of
from coopconnect.ui.state import Session

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
    told = {"fr": "lieux qui existent ; les nouveaux ajoutent", "en": "the hubs that exist alone; the new ones add"}[
        language
    ]
    assert any(told in plain(str(part.body)) for part in app.get("html"))


def test_once_futures_are_drawn_every_figure_of_the_plan_has_its_range() -> None:
    """The button draws them, then the plan is worked out in each; figures stay the reference case, ranges stand beside."""
    app = AppTest.from_file(str(ROOT / "pages" / "reseau.py"), default_timeout=120)
    app.query_params["v"] = "1"
    app.query_params["territory"] = "d04"
    app.query_params["fuel_price_eur_per_l"] = "1.83"  # of which no other test has futures
    app.query_params["plan"] = "n2~r1~e04112"
    app.run()
    before = app.dataframe[0].value
    assert any("sans fourchette" in plain(str(part.body)) for part in app.get("html"))
    app.button(key="network_draw").click().run()
    for jobs in (robust_jobs._jobs(), robust_further._jobs()):
        while any(job.running for job in jobs.jobs.values()):
            time.sleep(0.05)
        app.run()
    assert not app.exception and not app.error
    assert "network_draw" not in {b.key for b in app.button}
    after = app.dataframe[0].value
    for name in ("Usagers", "Postes"):
        for was, now in zip(before[name], after[name], strict=True):
            assert re.fullmatch(re.escape(was) + r" \([\d\s]+ – [\d\s]+\)", plain(now)), now
            assert "\u2060" not in now  # the table can be taken away as a file
    assert after["Viable (futurs)"].str.contains("%").all()
    told = plain(html.unescape(" ".join(str(part.body) for part in app.get("html"))))
    assert re.search(r"usagers \(au moins [\d ]+ si des voisins se les partagent\)", told)
    assert "5 à 95 % de 200 futurs" in told and "Ce qu'ajoutent les nouveaux lieux" in told
    assert re.search(r"h/an \([\d −]+ – [\d −]+\)", told)
    page = Page("reseau", app.session_state[state.KEY], load_parameters())
    plan = plan_of(page)
    assert not isinstance(plan, tuple)
    futures = plan_in_draws(page, plan, ask=False)
    assert futures is not None and futures.worth is not None and futures.worth.value == plan.value
    columns = _table(page, plan, futures, apart=True).columns  # numbers stay numbers in a file
    assert {"Usagers", "Usagers, 5 % des futurs", "Usagers, 95 % des futurs"} <= set(map(plain, columns))


def test_a_wrong_question_is_told() -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "reseau.py"), default_timeout=120)
    app.query_params["v"] = "1"
    app.query_params["territory"] = "d04"
    app.query_params["plan"] = "n4~f04112~x04112"
    app.run()
    assert not app.exception
    assert "Manosque (04112) est aussi imposé ou existant" in app.error[0].value
    session = app.session_state[state.KEY]
    assert [plain(str(p)) for p in plan_of(Page("reseau", session, load_parameters()))] == [
        "Communes qui refusent : Manosque (04112) est aussi imposé ou existant ; gardez l'un des deux"
    ]


def test_a_forced_site_that_another_would_better_is_told_so() -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "reseau.py"), default_timeout=120)
    for name, text in {"v": "1", "territory": "d04", "plan": "n3~f04226"}.items():
        app.query_params[name] = text
    app.run()
    table = app.dataframe[0].value.set_index("Commune")
    assert table.loc["Uvernet-Fours", "Ordre"] == "3 (imposé)"
    assert plain(table.loc["Uvernet-Fours", "Effet sur le plan"]).startswith("+")
    assert any("ce lieu est imposé" in caption.value for caption in app.caption)


def test_a_budget_that_opens_nothing_says_what_the_least_would_be() -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "reseau.py"), default_timeout=120)
    for name, text in {"v": "1", "territory": "d04", "plan": "n0~b1000~y3"}.items():
        app.query_params[name] = text
    app.run()
    assert not app.exception and not app.error
    answer = next(
        plain(html.unescape(block.proto.body)) for block in app.get("html") if "network_answer" in block.proto.body
    )
    assert "Aucun lieu n'ouvre : le moins cher demande" in answer
    assert "sur 3 ans, plus que le budget" in answer
    budget = next(field for field in app.number_input if field.label == "Budget, en €")
    budget.set_value(1000.5).run()  # cents are kept
    assert next(field for field in app.number_input if field.label == "Budget, en €").value == 1000.5
    assert app.session_state[state.KEY].view.plan == "n0~b1000.5~y3"


def test_a_part_of_a_whole_number_is_rounded_with_a_word() -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "reseau.py"), default_timeout=120)
    app.query_params["v"] = "1"
    app.query_params["territory"] = "d04"
    app.query_params["plan"] = "n4~r1"

    def field() -> NumberInput:
        return next(one for one in app.number_input if one.label.startswith("Nombre de lieux"))

    app.run()
    field().set_value(2.5).run()
    assert field().value == 3.0 and app.session_state[state.KEY].view.question.sites == 3
    assert "2,5 est arrondi à 3" in plain(" ".join(str(one.value) for one in (*app.error, *app.warning, *app.info)))
    field().set_value(3.2).run()  # rounded to what it was: the field says so too
    assert field().value == 3.0 and app.session_state[state.KEY].view.question.sites == 3


def test_the_hubs_that_exist_are_named_on_the_map(reference: Scenario) -> None:
    session = Session(reference.with_values(territory="d04"))
    page = Page("reseau", session, load_parameters())
    territory = cached.territory("d04")
    plan = site_plan(territory, page.scenario, page.parameters, Question(sites=2, existing=("04112",)), seconds=0.3)
    rows = [one.row for one in plan.sites]
    spec = _map(page, plan, rows, territory, None)
    assert spec.sites is not None and spec.sites.labels == ("E", "1", "2")
    assert spec.zone_note == {rows[0]: "Ce lieu existe et reste."}
    assert "E : existe déjà" in plain(spec.legend.note)


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


def test_a_search_goes_on_in_the_background_and_stops(reference: Scenario, parameters: Parameters) -> None:
    scenario = reference.with_values(territory="d04")
    question = Question(sites=6, apart_min=15.0, rural=True)
    found = site_plan(cached.territory("d04"), scenario, parameters, question, cached.home_territory("d04"), 0.2)
    known = replace(found, bound=math.inf)  # nothing proven yet
    key = scenario, question
    assert plan_jobs.find(key) is None
    plan_jobs.start(key, known)
    job = plan_jobs.find(key)
    assert job is not None
    assert job.gap == known.gap
    while job.running and math.isinf(job.bound):
        time.sleep(0.01)
    between = job.gap
    assert 0.0 < between < math.inf
    job.stop.set()
    assert job.thread is not None
    job.thread.join(timeout=60)
    assert not job.error
    assert job.plan is not None
    assert job.gap <= between
    best = plan_jobs.better(known, job.plan)
    assert best.value >= known.value
    assert best.value <= best.bound <= best.value * (1.0 + between) * (1.0 + 1e-9)


def test_the_page_shows_a_search_that_goes_on_and_stops_it(reference: Scenario) -> None:
    key = reference, from_text("n30~oscore")
    job = plan_jobs._jobs().take(key, lambda: plan_jobs.PlanJob(key, value=100.0, bound=112.0))
    job.begin(lambda: job.stop.wait(60.0) and None, "plan")
    app = AppTest.from_file(str(ROOT / "pages" / "reseau.py"), default_timeout=120)
    for name, text in {"v": "1", "plan": "n30~oscore"}.items():
        app.query_params[name] = text
    app.run()
    assert not app.exception
    assert not [b for b in app.button if b.key == "network_better"]
    next(b for b in app.button if b.key == "network_stop").click().run()
    assert job.stop.is_set()
    assert isinstance(job.thread, threading.Thread)
    job.thread.join(timeout=10)
    app.run()
    assert [b for b in app.button if b.key == "network_better"]


def test_a_proof_that_counts_no_neighbour_says_so(reference: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(network_search.st, "caption", said.append)
    monkeypatch.setattr(network_search.st, "button", lambda *_, **__: None)
    page = Page("reseau", Session(reference), load_parameters())
    scenario = reference.with_values(territory="d04")
    found = site_plan(
        cached.territory("d04"), scenario, page.parameters, Question(sites=2), cached.home_territory("d04"), 0.1
    )
    for proof in (BRANCHES, BY_SITE):
        plan = replace(found, proof=proof, bound=1.2 * found.value)
        network_search.draw_search(page, (plan.scenario, plan.question), plan)
    assert [plain(s) for s in said] == [plain(page.say("network.loose"))]
    said.clear()
    network_search.draw_search(page, (plan.scenario, plan.question), replace(found, missing=("curve", "substitutes")))
    rest = "ce qu'apporteraient d'autres lieux, les remplaçants et les plans presque aussi bons"
    assert plain(said[0]) == f"Recherche arrêtée : il reste à mesurer {rest}."
    plan_jobs.complete((scenario, found.question), replace(found, missing=("curve",)))
    job = plan_jobs.find((scenario, found.question))
    assert job is not None and job.thread is not None
    job.thread.join(timeout=60)
    assert job.plan is not None and job.plan.missing == () and job.plan.curve == found.curve


def test_few_points_have_a_decimal_and_one_is_singular(reference: Scenario) -> None:
    page = Page("reseau", Session(reference), load_parameters())
    told = [plain(_amount(page, value, "score")) for value in (0.84, 1.0, 4.0, 391.2)]
    assert told == ["0,8 point", "1,0 point", "4,0 points", "391 points"]
    assert [plain(_amount(page, 1.0, o)) for o in ("hours", "users", "equity")] == [
        "1 h/an", "1 usager", "1,000 part du meilleur possible"
    ]  # fmt: skip
