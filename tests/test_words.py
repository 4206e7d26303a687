"""Words: every entry in both languages with the same placeholders; numbers as each language writes them."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest
from spaces import plain

from coopconnect.parameters import Parameters
from coopconnect.problem import ENGLISH, Problem, quoted
from coopconnect.question import OBJECTIVES
from coopconnect.scenario import CLIMATES, HOST_STATUSES, PREMISES
from coopconnect.show.problem_words import told
from coopconnect.show.words import (
    NOTHING,
    WORDS_DIR,
    WordsError,
    all_words,
    at_most,
    euros,
    hours,
    known,
    number,
    percent,
    placeholders,
    read_words,
    say,
    with_range,
    with_unit,
)
from coopconnect.ui.state import CARS, GAINS

ROOT = Path(__file__).resolve().parents[1]
CALL = re.compile(r"""\bsay\(\s*(?:f?)(["'])(?P<key>[^"'{}]+)\1""")


def test_all_files_load_with_both_languages_and_the_same_placeholders() -> None:
    assert len(all_words()) > 100


def test_problems_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[x]\nfr = "a {n}"\nen = "b {m}"\n[y]\nfr = "seul"\n[z]\nfr = "z"\nen = "z"\n')
    (tmp_path / "b.toml").write_text('[z]\nfr = "encore"\nen = "again"\n')
    (tmp_path / "c.toml").write_text("not toml = = 1")
    with pytest.raises(WordsError) as told:
        read_words(tmp_path)
    text = str(told.value)
    assert all(part in text for part in ("[x]", "[y]", "b.toml: [z] is written twice", "c.toml"))


def test_every_text_that_the_screens_ask_for_exists() -> None:
    missing = [
        f"{path.name}: {found['key']}"
        for folder in ("coopconnect/ui", "coopconnect/show", "coopconnect/export", "pages")
        for path in (ROOT / folder).rglob("*.py")
        for found in CALL.finditer(path.read_text(encoding="utf-8"))
        if "." in found["key"] and not known(found["key"])
    ]
    assert not missing


def test_unknown_keys_and_missing_values_raise() -> None:
    with pytest.raises(KeyError, match=r"nothing\.like\.this"):
        say("nothing.like.this", "fr")
    with pytest.raises(KeyError):
        say("bar.before", "fr", wrong=1)


def test_every_unit_of_the_parameters_is_written_in_both_languages(parameters: Parameters) -> None:
    neutral = re.compile(r"[€%°A-Za-z0-9/ ]{1,10}")
    english = re.compile(r"\b(d|day|week|month|year|yr|weeks|share|desks|users|inhabitants|units|points|ratio)\b")
    for item in parameters.values():
        if english.search(item.unit) and not known(f"unit.{item.unit}") and item.unit != "ratio":
            pytest.fail(f'[{item.key}] unit {item.unit!r} needs [unit."{item.unit}"] in {WORDS_DIR.name}/ui.toml')
        assert neutral or item.unit


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (number(12345.6, "fr", 1), "12\u202f345,6"),
        (number(12345.6, "en", 1), "12,345.6"),
        (number(-0.4, "fr"), "0"),
        (number(3.0, "fr", signed=True), "+3"),
        (number(-3.0, "fr"), "−3"),
        (number(None, "fr"), NOTHING),
        (number(float("nan"), "en"), NOTHING),
        (hours(1.0834, "fr"), "1\u00a0h\u00a005"),
        (hours(0.5, "en"), "30\u00a0min"),
        (hours(-2.0, "fr"), "−2\u00a0h\u00a000"),
        (hours(9.999, "fr"), "10\u00a0h"),
        (hours(18.4, "fr", signed=True), "+18\u00a0h"),
        (euros(1234.0, "fr"), "1\u202f234\u00a0€"),
        (euros(-1234.0, "en"), "−€1,234"),
        (euros(1.75, "fr", 2), "1,75\u00a0€"),
        (percent(0.123, "fr", 1), "12,3\u202f%"),
        (percent(0.5, "en"), "50%"),
        (with_unit(1.9, "d/week", "fr", 1), "1,9\u00a0j/sem"),
        (with_range(9.0, 18.0, 31.0, lambda v: number(v, "fr")), "18 (9\u00a0–\u2060\u00a031)"),
        (with_range(9.0, 18.0, 31.0, lambda v: number(v, "fr"), wraps=False), "18 (9\u00a0–\u00a031)"),
        (with_range(None, 18.0, 31.0, lambda v: number(v, "fr")), "18"),
    ],
)
def test_numbers_are_written_as_each_language_does(written: str, wanted: str) -> None:
    assert written == wanted


def test_one_household_is_written_in_the_singular() -> None:
    assert say("house.chart.gain_hours", "fr", count="1") == "1 gagne du temps"
    assert say("house.chart.up", "fr", count="0,5") == "<b>0,5</b> y gagne"
    assert say("compare.swapped", "en", gained="1", lost="2") == "of which 1 now does and 2 no longer do"
    assert say("choice.communes", "fr", count=1) == "1 commune"


def test_every_problem_is_told_in_both_languages_and_in_english_as_the_command_line_does() -> None:
    written = {key.removeprefix("problem.") for key in all_words() if key.startswith("problem.")}
    assert written - {"of_key", "of_line"} == set(ENGLISH)
    for code, text in ENGLISH.items():
        entry = all_words()[f"problem.{code}"]
        assert entry["en"] == text and entry["fr"] != text, code


def test_a_problem_speaks_the_language_of_the_screen_and_can_be_copied(parameters: Parameters) -> None:
    problem = Problem("outside", "fuel", 3, low=1.15, high=3.0, unit="d/week", given="'9'").under("k1")
    assert problem == "line 3: k1.fuel: allowed from 1.15 to 3 d/week; '9' is outside"
    assert (
        plain(told(problem, parameters, "fr")) == "ligne 3 : k1.fuel : permis : de 1,15 à 3 j/sem ; '9' est en dehors"
    )
    price = Problem("flag", "fuel_price_eur_per_l", given="9")
    assert plain(told(price, parameters, "fr")).startswith("Prix du carburant : permis")
    assert plain(told(price.under("k1"), parameters, "fr")).startswith("Prix du carburant (k1) : permis")
    in_file = price.in_text("[differences]\nfuel_price_eur_per_l = 9")
    assert told(in_file, parameters, "en").startswith("line 2: Fuel price (fuel_price_eur_per_l): allowed")
    again = copy.deepcopy(problem)
    assert (again, again.code, again.values) == (problem, "outside", problem.values)
    assert told("as it is", parameters, "fr") == "as it is"
    nothing = Problem("choice", "objective", allowed="hours, score", given=quoted("")).under("plan")
    assert nothing == "plan.objective: allowed hours, score; it is empty"
    assert plain(told(nothing, parameters, "fr")).endswith(
        "permis : Heures gardées par an (hours), Somme des scores des lieux ouverts (score) ; rien n'est écrit"
    )
    for key, choices in {
        "objective": OBJECTIVES, "premises": PREMISES, "climate": CLIMATES, "car": CARS, "gain": GAINS, "hosts": HOST_STATUSES,
    }.items():  # fmt: skip
        for language in ("fr", "en"):
            text = told(Problem("choice", key, allowed=", ".join(choices), given=quoted("x")), parameters, language)
            assert all(f" ({choice})" in text for choice in choices), text  # each with its word
    assert Problem("plan_value", "plan", name="years", given=quoted("")) == "plan: years cannot be empty"


@pytest.mark.parametrize(
    ("language", "value", "wanted"),
    [("fr", "1", "1 usager"), ("fr", "1,9", "1,9 usager"), ("fr", "+2", "+2 usagers"), ("fr", "1\u202f200", "1\u202f200 usagers"),
     ("fr", "0", "0 usager"), ("en", "1", "1 user"), ("en", "1.9", "1.9 users"), ("en", "1,200", "1,200 users"),
     ("en", NOTHING, f"{NOTHING} users")],
)  # fmt: skip
def test_a_word_agrees_with_the_number_before_it(language: str, value: str, wanted: str) -> None:
    assert say("site.break_even_value", language, users=value) == wanted
    assert say("chart.sheet.users_title", "en", even="1", now="2", low="[a|b]", high="3").endswith(
        "(between [a|b] and 3)"
    )


def test_no_text_that_agrees_goes_out_with_its_choices() -> None:
    for key, entry in all_words().items():
        for language, text in entry.items():
            if re.search(r"\[[^\[\]]*\|", text):
                values = dict.fromkeys(placeholders(text), "1")
                assert values and "|" not in say(key, language, **values), key


def test_a_sign_or_a_unit_never_begins_a_line() -> None:
    """French puts a space before ; : ? ! and inside « »: none of them, nor a unit, may be left alone at a line's start."""
    for key, entry in all_words().items():
        assert not re.search(r"[^\s|\[] [;:?!»](\s|$)|« ", entry["fr"]), key
        assert not re.search(r"\d (€|°C|km|min|kg)(?!\w)", entry["fr"] + " · " + entry["en"]), key


def test_a_share_that_is_not_passed_is_rounded_up() -> None:
    found = [at_most(share, "en") for share in (0.0, 2e-5, 0.0123, 0.01231, 0.0999, 0.181)]
    assert found == ["0.00%", "0.01%", "1.23%", "1.24%", "9.99%", "19%"]
