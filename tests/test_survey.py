"""A survey: what is read, kept and learned, and what ten more answers are worth."""

from __future__ import annotations

import io
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import beta
from spaces import plain

from coopconnect.dossier import Dossier, SurveySums
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario, ScenarioError
from coopconnect.scenario_file import from_toml, to_toml
from coopconnect.show.problem_words import told
from coopconnect.show.robust_words import worth_sentence
from coopconnect.uncertainty.laws import law_of, laws_of, quantile
from coopconnect.uncertainty.survey import (
    REPLACE,
    USE,
    Answer,
    Belief,
    SurveyError,
    added,
    changed_values,
    counts,
    effective_answers,
    learned,
    posterior,
    prior,
    read_answers,
    sample_worth,
    sums_of,
    worth_of_answers,
)

CSV = """Jours;Sinon;km travail;km lieu;Mode
2;bureau;25,5;4;voiture
1;maison;18;3;vélo
0;;12;;
3;Bureau;;6;covoiturage
"""


def _sums(asked: str = "users") -> SurveySums:
    return sums_of(read_answers("a.csv", CSV.encode()), asked)


def test_a_spreadsheet_in_french_is_read() -> None:
    found = read_answers("reponses.csv", CSV.encode("cp1252"))
    assert found[0] == Answer(2.0, "office", 25.5, 4.0, "car")
    assert found[2] == Answer(0.0, "other", 12.0, None, "other")
    frame = pd.read_csv(io.StringIO(CSV), sep=";")
    out = io.BytesIO()
    frame.to_excel(out, index=False)
    assert read_answers("reponses.xlsx", out.getvalue()) == found


def test_every_problem_is_told_at_once(parameters: Parameters) -> None:
    bad = "a;b;c;d;e\n9;bureau;1;1;voiture\n2;piscine;1;1;voiture\n1;bureau;loin;1;fusée\n"
    with pytest.raises(SurveyError) as error:
        read_answers("x.csv", bad.encode())
    lines = str(error.value).splitlines()
    french = plain(told(error.value.problems[1], parameters, "fr"))
    assert french.startswith("ligne 3 : sinon : permis : bureau (office), maison (home)") and "'piscine'" in french
    assert [line.split(":")[0] for line in lines] == ["line 2", "line 3", "line 4", "line 4"]
    assert "from 0 to 7" in lines[0] and "'piscine'" in lines[1] and "home_work_km" in lines[2]
    for content in (b"", b"a;b\n1;2\n", b"\x00\x01", b"a;b;c;d;e\n"):
        with pytest.raises(SurveyError):
            read_answers("x.csv", content)


def test_only_sums_are_kept() -> None:
    sums = _sums()
    assert asdict(sums) == {
        "asked": "users", "answers": 4, "users": 3, "days": 6.0, "days_squared": 14.0, "replaced_days": 5.0,
        "car_days": 2.0, "commute_km": 2 * 25.5 + 18.0, "commute_days": 3.0, "access_km": 8.0 + 3.0 + 18.0,
        "access_days": 6.0,
    }  # fmt: skip
    assert effective_answers(sums) == pytest.approx(36.0 / 14.0)
    twice = added(sums, sums)
    assert (twice.answers, twice.days) == (8, 12.0)
    with pytest.raises(SurveyError, match="keep the two apart"):
        added(sums, _sums("residents"))


def test_the_prior_has_the_moments_of_the_law_drawn(parameters: Parameters) -> None:
    for key in (USE, REPLACE):
        item = parameters[key]
        belief = prior(key, parameters)
        drawn = quantile(law_of(item, item.value, (4.0, 1.0)), (np.arange(50_000) + 0.5) / 50_000)
        assert belief.mean == pytest.approx(drawn.mean(), rel=1e-3)
        assert beta.std(belief.a, belief.b) == pytest.approx(drawn.std(), rel=1e-2)


def test_bayes_rule_by_hand(parameters: Parameters) -> None:
    """Beta(2, 2) and 7 yes of 10: Beta(9, 5), mean 9 / 14."""
    belief = Belief(REPLACE, 2.0, 2.0).updated(7.0, 10.0)
    assert (belief.a, belief.b, belief.mean) == (9.0, 5.0, 9.0 / 14.0)
    before = prior(REPLACE, parameters)
    after = posterior(REPLACE, _sums(), parameters)
    n = 36.0 / 14.0
    assert after.a == pytest.approx(before.a + n * 5.0 / 6.0)
    assert after.b == pytest.approx(before.b + n / 6.0)


def test_users_teach_nothing_of_how_many_use_a_hub(parameters: Parameters) -> None:
    assert counts(_sums("users"), USE) == (0.0, 0.0)
    assert counts(_sums("residents"), USE) == (3.0, 4.0)
    assert [key for key, _, _ in learned(_sums("users"), parameters)] == [REPLACE]
    assert learned(None, parameters) == ()


def test_the_scenario_keeps_the_means_within_their_range(parameters: Parameters) -> None:
    many = SurveySums("residents", 1000, 900, 900.0, 900.0, 890.0)
    assert changed_values(many, parameters) == {USE: parameters[USE].high, REPLACE: parameters[REPLACE].high}


def test_a_share_that_reaches_beyond_its_range_is_the_mean_of_what_is_drawn(
    reference: Scenario, parameters: Parameters
) -> None:
    item = parameters[USE]
    sums = SurveySums("residents", 200, 10, 10.0, 10.0, 5.0)
    known = posterior(USE, sums, parameters)
    law = beta(known.a, known.b)
    inside = quad(law.pdf, item.low, item.high)[0]
    by_hand = quad(lambda x: x * law.pdf(x), item.low, item.high)[0] / inside
    assert changed_values(sums, parameters)[USE] == pytest.approx(by_hand, rel=1e-6)
    drawn = next(law for law in laws_of(reference, parameters, posterior=learned(sums, parameters)) if law.key == USE)
    assert quantile(drawn, (np.arange(4000) + 0.5) / 4000).mean() == pytest.approx(by_hand, rel=1e-3)
    assert by_hand < item.high < law.mean()


def test_the_ensemble_draws_from_what_was_learned(reference: Scenario, parameters: Parameters) -> None:
    known = learned(SurveySums("users", 200, 200, 200.0, 200.0, 120.0), parameters)
    before, after = (
        next(law for law in laws_of(reference, parameters, posterior=p) if law.key == REPLACE) for p in ((), known)
    )
    u = (np.arange(2000) + 0.5) / 2000
    assert quantile(after, u).std() < 0.3 * quantile(before, u).std()
    assert quantile(after, u).mean() == pytest.approx(0.6, abs=0.02)
    assert quantile(after, u).min() >= after.low


def test_the_survey_travels_with_the_scenario(reference: Scenario, parameters: Parameters) -> None:
    dossier = Dossier(survey=_sums())
    text = to_toml(reference, parameters, dossier)
    assert from_toml(text, parameters).dossier == dossier
    for wrong in ("asked = 'dogs'", "users = 9", "name = 'Anne'"):
        broken = text.replace('asked = "users"', wrong) if "asked" in wrong else text + f"\n{wrong}\n"
        broken = broken.replace("users = 3\n", "") if wrong.startswith("users") else broken
        with pytest.raises(ScenarioError, match="survey"):
            from_toml(broken, parameters)


def test_worth_of_answers_by_hand() -> None:
    """Two equally likely futures: share 0 loses 10, share 1 gains 6. One answer tells which.

    Today: do not open, 0. With one answer: open in half of the cases, 3. Perfect information: 3 too.
    """
    payoff, share = np.array([-10.0, 6.0]), np.array([0.0, 1.0])
    assert sample_worth(payoff, share, 1) == pytest.approx(3.0)
    worth = worth_of_answers(payoff, share)
    assert (worth.now, worth.opens, worth.everything) == (0.0, False, 3.0)
    assert worth.enough == 5


def test_what_answers_are_worth_says_to_whom() -> None:
    """Nothing to society, something to the accounts of the hub: the sentence is of society only, and says so."""
    payoff, share = np.array([-9.0, -1.0]), np.array([0.0, 1.0])
    worths = {
        ("substitution_reference", "net_benefit_eur_per_year"): worth_of_answers(payoff, share),
        ("substitution_reference", "balance_eur_per_year"): worth_of_answers(payoff + 6.0, share),
    }
    assert plain(worth_sentence(worths, 20.0, "fr")).startswith("Pour la société, les dix prochaines réponses ne")
    assert worth_sentence(worths, 20.0, "en").startswith("For society, the next ten answers would not")


def test_worth_of_answers_by_enumeration() -> None:
    """Three futures, two answers: each outcome's decision written out."""
    payoff, share = np.array([-4.0, 1.0, 5.0]), np.array([0.2, 0.5, 0.8])
    wanted = 0.0
    for yes, ways in ((0, 1), (1, 2), (2, 1)):
        p = [ways * s**yes * (1 - s) ** (2 - yes) for s in share]
        wanted += max(sum(w * v for w, v in zip(p, payoff, strict=True)), 0.0) / 3.0
    assert sample_worth(payoff, share, 2) == pytest.approx(wanted - payoff.mean())


@pytest.mark.parametrize("seed", range(5))
def test_worth_is_never_negative_nor_above_perfect_information(seed: int) -> None:
    rng = np.random.default_rng(seed)
    share = rng.beta(2.0, 2.0, 400)
    payoff = 1000.0 * (share - rng.uniform(0.2, 0.8)) + rng.normal(0.0, 300.0, 400)
    worth = worth_of_answers(payoff, share)
    values = [v for _, v in worth.answers]
    assert all(0.0 <= v <= worth.everything for v in [*values, worth.one_share])
    assert all(np.diff(values) >= -1e-9)  # more answers never hurt
    assert values[-1] <= worth.one_share + 1e-9


def test_the_worth_of_a_share_is_that_of_theory() -> None:
    """payoff = 100 (share - 0.5) + noise, share uniform on [0, 1]: knowing the share is worth 100 * E[(s - 0.5)+] = 12.5.

    The noise, which no answer tells of, adds nothing to it, and 300 draws are enough.
    """
    rng = np.random.default_rng(2)
    share = (rng.permutation(300) + 0.5) / 300
    worth = worth_of_answers(100.0 * (share - 0.5) + rng.normal(0.0, 60.0, 300), share)
    assert worth.one_share == pytest.approx(12.5, abs=2.5)
    assert worth.everything > 1.5 * worth.one_share
    assert 0.5 * worth.one_share < worth.of(10) < worth.one_share


def test_halving_the_doubt() -> None:
    belief = Belief(REPLACE, 6.0, 5.0)
    more = belief.updated(belief.halving * belief.mean, belief.halving)
    assert beta.std(more.a, more.b) == pytest.approx(0.5 * beta.std(belief.a, belief.b), rel=1e-3)
