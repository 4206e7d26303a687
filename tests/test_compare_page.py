"""The page Comparer and scenarios put aside: nothing is lost, wrong links and files are explained."""

from __future__ import annotations

import dataclasses
import html
import re
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from spaces import plain
from streamlit.testing.v1 import AppTest

from coopconnect.dossier import Dossier, SiteNotes
from coopconnect.export.images import chart_image
from coopconnect.model.attribution import attribute, central
from coopconnect.parameters import Parameters, load_parameters
from coopconnect.scenario import Scenario
from coopconnect.scenario_file import from_toml
from coopconnect.show import compare_words
from coopconnect.show.compare_charts import Shown, hours_overlaid, lever_waterfall, rebinned
from coopconnect.show.maps import CLASS_FLAG, SEQUENTIAL_COLOURS, classify
from coopconnect.show.static_map import map_svg
from coopconnect.show.words import hours, number
from coopconnect.ui import cached, compare_page, compare_parts, missing_futures, robust_jobs, state
from coopconnect.ui.compare_parts import Future, ordinal
from coopconnect.ui.frame import Page
from coopconnect.ui.futures import with_draws
from coopconnect.ui.state import Kept, Session, View
from coopconnect.uncertainty import bands
from coopconnect.uncertainty.results import viable

ROOT = Path(__file__).resolve().parents[1]
PARAMETERS = load_parameters()


def kept_query(*items: tuple[str, dict[str, str]]) -> dict[str, str]:
    """Parameters of an address that holds scenarios put aside."""
    return {f"k{n}": urlencode({"t": title, "v": "1", **values}) for n, (title, values) in enumerate(items, 1)}


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "comparer.py"), default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def words(app: AppTest) -> str:
    """All the text of the page, without its tags, with plain spaces."""
    found = " ".join(str(node.body) for node in app.main if getattr(node, "type", "") == "html")
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", found)))


def sound(app: AppTest) -> None:
    assert not app.exception
    assert [e.value for e in app.error] == []


def test_two_put_aside_are_compared_differences_first() -> None:
    app = opened(
        v="1", fuel_price_eur_per_l="2.25",
        **kept_query(("Aujourd'hui", {}), ("Crise", {"fuel_price_eur_per_l": "3", "rebound_share": "0.2"})),
    )  # fmt: skip
    sound(app)
    text = words(app)
    assert "Prix du carburant : 1,75 → 2,25 €/L" in text
    assert re.search(r"communes rurales à l'équilibre en plus \(\d+ → \d+\)", text)
    assert "valeur de Shapley" not in text  # a single lever differs between the usual pair
    assert "Un seul levier diffère" in text
    close = opened(
        vs="2", v="1", **kept_query(("A", {}), ("Crise", {"fuel_price_eur_per_l": "3", "rebound_share": "0.2"}))
    )
    sound(close)
    assert "valeur de Shapley, 4 calculs" in words(close)


def test_nothing_put_aside_compares_with_the_reference() -> None:
    app = opened(v="1", fuel_price_eur_per_l="2.25")
    sound(app)
    assert "rien n'est encore mis de côté" in " ".join(c.value for c in app.caption)
    alone = opened()
    sound(alone)
    assert "Le scénario à l'écran est la référence" in words(alone)


def test_the_futures_of_the_compared_scenarios_are_drawn_by_a_button_and_are_their_ranges() -> None:
    query = {"v": "1", "territory": "d04", "day_price_eur": "11"}
    kept = kept_query(("Cher", {"territory": "d04", "fuel_price_eur_per_l": "3", "day_price_eur": "11"}))
    app = opened(**query, **kept)
    assert "Fourchettes de A, B : hypothèses bougées une à la fois." in words(app)
    app.button(key="compare_draw").click().run()
    jobs = [job for job in robust_jobs._jobs().jobs.values() if job.ensemble.setup.scenario.day_price_eur == 11.0]
    assert len(jobs) == 2 and all(job.done or job.running for job in jobs)
    missing_futures._stop(jobs)
    for job in jobs:
        assert job.thread is not None
        job.thread.join()
    if not all(job.complete for job in jobs):
        app.run()
        app.button(key="compare_draw").click().run()  # goes on where it was
        for job in jobs:
            assert job.thread is not None
            job.thread.join()
    app.run()
    sound(app)
    told = words(app)
    assert "Fourchettes de A, B : 5 et 95 % de 200 futurs tirés." in told
    assert "compare_draw" not in {b.key for b in app.button}
    first = jobs[0].ensemble
    rural = first.setup.territory.zones["rural"].to_numpy(bool)[first.setup.territory.site_zone]
    low, high = (number(float(q), "fr") for q in np.quantile(viable(first)[:, rural].sum(axis=1), [0.05, 0.95]))
    assert f"entre {low} et {high} dans 90 % de 200 tirages" in told
    assert "Les écarts sont comptés futur par futur" in told
    gained = bands.difference_bands(jobs[1].ensemble, first)["hours_per_participating_household"]
    low, high = (plain(hours(end, "fr", signed=True)) for end in gained)
    assert f"écart de {low} à {high} dans 90 %" in plain(told) and plain(told).count("dans 90 % des mêmes tirages") == 7
    sites = with_draws(cached.assessment(first.setup.scenario), first).sites
    assert set(sites["tie_group"]) != set(cached.assessment(first.setup.scenario).sites["tie_group"])


def test_two_territories_compare_what_can_be() -> None:
    app = opened(v="1", territory="d84", **kept_query(("Région", {})))
    sound(app)
    text = words(app)
    assert "Part des communes rurales à l'équilibre" in text
    assert "L'effet de chaque levier ne se sépare pas de celui du territoire" in text
    assert "sont dans les deux" in text


def test_an_unknown_territory_is_told_and_can_be_removed() -> None:
    app = opened(v="1", fuel_price_eur_per_l="2", **kept_query(("Perdu", {"territory": "zz99"})))
    assert not app.exception
    assert len(app.error) == 1
    assert "Perdu" in app.error[0].value
    app.button(key="drop_broken_0").click().run()
    sound(app)
    assert "k1" not in app.query_params


def test_swap_rename_remove_and_undo() -> None:
    app = opened(v="1", fuel_price_eur_per_l="2.25", **kept_query(("Crise", {"fuel_price_eur_per_l": "3"})))
    app.button(key="swap_0").click().run()
    sound(app)
    session = app.session_state[state.KEY]
    assert session.scenario.fuel_price_eur_per_l == 3.0
    assert session.kept[0].scenario.fuel_price_eur_per_l == 2.25
    assert session.dossier.title == "Crise"
    next(t for t in app.text_input if str(t.key).startswith("title_0_")).set_value("Avant la crise").run()
    assert app.session_state[state.KEY].kept[0].title == "Avant la crise"
    assert "Avant" in str(app.query_params["k1"])
    app.button(key="drop_0").click().run()
    assert app.session_state[state.KEY].kept == ()
    app.button(key="undo").click().run()
    assert app.session_state[state.KEY].kept[0].title == "Avant la crise"


def test_a_link_is_added_and_a_wrong_one_explained() -> None:
    app = opened(v="1", fuel_price_eur_per_l="2.25")
    app.text_input(key="link").set_value("https://example.org/").run()
    app.button(key="link_add").click().run()
    assert "ne contient pas de scénario" in app.warning[0].value
    assert app.text_input(key="link").value == "https://example.org/"
    app.text_input(key="link").set_value(
        "https://example.org/decider?v=1&fuel_price_eur_per_l=99&telework_days_per_week=x"
    ).run()
    app.button(key="link_add").click().run()
    assert app.warning[0].value.count("\n- ") == 2
    assert app.session_state[state.KEY].kept == ()
    app.text_input(key="link").set_value("https://example.org/decider?v=1&day_price_eur=12&site=84003").run()
    app.button(key="link_add").click().run()
    assert app.session_state[state.KEY].kept[0].scenario.day_price_eur == 12.0
    assert app.text_input(key="link").value == ""


def test_a_fifth_scenario_is_refused_with_a_sentence() -> None:
    app = opened(v="1", fuel_price_eur_per_l="2.25", **kept_query(("B", {}), ("C", {"day_price_eur": "9"})))
    app.button(key="add_reference").click().run()
    assert len(app.session_state[state.KEY].kept) == 3
    assert "retirez-en un" in words(app)
    assert app.button(key="put_aside").disabled


class Given:
    """A file as the uploader gives it."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self._text = name, text

    def getvalue(self) -> bytes:
        return self._text.encode()


def test_dropped_files(monkeypatch: pytest.MonkeyPatch, reference: Scenario) -> None:
    good = 'title = "Plein"\nversion = "2"\n[differences]\nday_price_eur = 12\n[sites.84003]\nnotes = "=toit"\n'
    old = 'title = "Vieux"\nversion = "1"\n[differences]\nfuel_price_eur_per_l = 2\n'
    bad = 'title = "Faux"\nversion = "2"\n\n[differences]\nfuel_price_eur_per_l = 99\nnothing = 1\n'
    store: dict[str, object] = {
        state.KEY: Session(reference),
        "files_0": [Given("a.toml", good), Given("b.toml", old), Given("c.toml", bad)],
    }
    monkeypatch.setattr(state.st, "session_state", store)
    page = Page("comparer", Session(reference), PARAMETERS)
    compare_page._add_files(page, 0)
    session = state.current()
    assert [item.title for item in session.kept] == ["Plein", "Vieux"]
    assert session.kept[0].dossier.site("84003").notes == "=toit"
    told = plain("\n".join(session.problems))
    assert "version antérieure (1)" in told
    assert "c.toml : ligne 5 : Prix du carburant (fuel_price_eur_per_l) : permis : de 1,15 à 3 €/L" in told
    assert "c.toml : ligne 6 : nothing : nom inconnu" in told
    assert store["compare_round"] == 1
    state.swap_kept(0)
    assert state.current().dossier.site("84003").notes == "=toit"
    state.undo()
    assert state.current().kept[0].dossier.site("84003").notes == "=toit"


def test_notes_stay_on_the_screen_when_a_variant_is_brought_back(
    monkeypatch: pytest.MonkeyPatch, reference: Scenario
) -> None:
    notes = Dossier("Mien", "parce que", (SiteNotes("84003", notes="visite"),))
    dear = reference.with_values(fuel_price_eur_per_l=2.5)
    store = {state.KEY: Session(reference, dossier=notes, kept=(Kept("Cher", dear),))}
    monkeypatch.setattr(state.st, "session_state", store)
    state.swap_kept(0)
    session = state.current()
    assert (session.scenario, session.dossier.title) == (dear, "Cher")
    assert session.dossier.site("84003").notes == "visite"
    assert (session.kept[0].title, session.kept[0].dossier.why) == ("Mien", "parce que")
    state.swap_kept(0)
    assert state.current().dossier == notes


def test_the_address_carries_what_is_put_aside(reference: Scenario) -> None:
    session = Session(
        reference, View(base="2", against="1", outcome="score"),
        kept=(Kept("Été & co", reference.with_values(climate="tracc_2050")), Kept("", reference)),
    )  # fmt: skip
    found = state.session_from_query(state.address(session, PARAMETERS), PARAMETERS)
    assert found == session
    assert found.problems == ()


def test_files_keep_title_why_and_scenario(reference: Scenario) -> None:
    dear = reference.with_values(fuel_price_eur_per_l=2.5)
    session = Session(dear, dossier=Dossier("Été", "pour voir"))
    page = Page("comparer", session, PARAMETERS)
    future = Future(0, compare_parts.ON_SCREEN, "Été", "pour voir", dear, cached.assessment(dear))
    read = from_toml(compare_page._file_of(page, future).decode(), PARAMETERS)
    assert (read.scenario, read.dossier.title, read.dossier.why) == (dear, "Été", "pour voir")
    assert compare_page.file_name("Crise : 3 € le litre !") == "crise-3-le-litre.toml"
    assert compare_page.file_name("…") == "scenario.toml"


def test_what_differs_is_found_from_either_side(reference: Scenario) -> None:
    changed = reference.with_values(changed=(("rebound_share", 0.3),), climate="tracc_2050")
    keys = ["climate", "rebound_share"]
    assert compare_words.differing_keys([reference, changed]) == keys
    assert compare_words.differing_keys([changed, reference]) == keys
    assert compare_words.value_in(reference, "rebound_share", PARAMETERS) == PARAMETERS.value("rebound_share")


def test_places_in_words() -> None:
    assert [ordinal(n, "fr") for n in (1, 2)] == ["1re", "2e"]
    assert [ordinal(n, "en") for n in (1, 2, 3, 4, 11, 12, 23, 112)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "23rd", "112th",
    ]  # fmt: skip


def test_the_small_map_draws_each_class_once(reference: Scenario) -> None:
    geometry, sites = cached.geometry("93"), cached.assessment(reference).sites
    classes = classify(sites["score"].to_numpy(float), flagged=sites["red_flag"].to_numpy(bool))
    svg = map_svg(geometry, classes, SEQUENTIAL_COLOURS)
    assert svg == map_svg(geometry, classes, SEQUENTIAL_COLOURS)
    assert svg.count("<path") == len(set(classes.tolist())) + 2  # one for the hatching, one for the outlines
    assert "url(#hatch)" in svg
    assert (classes == CLASS_FLAG).any()
    assert len(svg) < 250_000
    assert "url(#hatch)" not in map_svg(geometry, classes * 0, SEQUENTIAL_COLOURS)


def test_distributions_share_one_axis_and_sum_to_one(reference: Scenario, parameters: Parameters) -> None:
    usual = cached.assessment(reference)
    dear = cached.assessment(reference.with_values(fuel_price_eur_per_l=3.0))
    curve = rebinned(usual)
    assert curve is not None
    assert curve[1].sum() == pytest.approx(1.0)
    figure = hours_overlaid([Shown("A", "<b>=1+1", usual), Shown("B", "Cher", dear)])
    assert [line.name for line in figure.data] == ["A · &lt;b&gt;=1+1", "B · Cher"]
    assert figure.data[0].line.dash != figure.data[1].line.dash
    nobody = dataclasses.replace(usual, households=usual.households.assign(users_share=0.0))
    assert not hours_overlaid([Shown("A", "vide", nobody)]).data


def test_the_waterfall_ends_where_the_second_scenario_stands(
    small, reference: Scenario, parameters: Parameters
) -> None:  # type: ignore[no-untyped-def]
    other = reference.with_values(fuel_price_eur_per_l=2.5, council_contribution_eur_per_year=2000.0)
    found = attribute(reference, other, lambda s: central(small, s, parameters).totals["median_score"])
    figure = lever_waterfall(
        found, ["Carburant", "Contribution"], "Score", "note", lambda v, signed=False: f"{v:.1f}", ("B", "A")
    )
    x, start = list(figure.data[0].x), list(figure.data[0].base)
    assert sum(x[:-1]) == pytest.approx(found.after) == pytest.approx(x[-1])
    assert start == pytest.approx([0.0, x[0], x[0] + x[1], 0.0])
    assert abs(x[1]) >= abs(x[2])
    assert chart_image(figure, "svg").startswith(b"<?xml")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_both_languages_and_every_outcome(language: str) -> None:
    for outcome in compare_parts.OUTCOME_OF:
        app = opened(
            lang=language, figure=outcome, v="1", fuel_price_eur_per_l="2.25", weight_time="40", weight_money="0",
            weight_co2="20", **kept_query(("Un", {})),
        )  # fmt: skip
        sound(app)
        chosen = next(item for item in app.get("button_group") if str(item.key).startswith("outcome_"))
        titles = [item for item in app.text_input if str(item.key).startswith(("title_", "why_"))]
        assert (chosen.value, len(titles)) == (outcome, 3)
        assert not any(item.proto.set_value for item in (chosen, *titles))  # from the link, not from the session state
    text = words(app)
    assert ("Poids du score" if language == "fr" else "Weights of the score") in text
