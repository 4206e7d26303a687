"""What is read from draws: ranks, quantiles, ties, drivers, boxes, tipping points, against brute force and theory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from SALib.test_functions import Ishigami
from spaces import plain

from coopconnect.model.assessment import assess
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.show.robust_words import (
    box_words,
    failing_sentence,
    headline,
    learn_sentence,
    plans_sentence,
    tipping_note,
)
from coopconnect.territory.types import Territory
from coopconnect.uncertainty import drivers, prim, tipping
from coopconnect.uncertainty.drivers import Driver
from coopconnect.uncertainty.engine import KEPT, Setup, run_draw
from coopconnect.uncertainty.laws import Law, design, latin_hypercube, law_of, laws_of
from coopconnect.uncertainty.plans import Candidate, compared, plan_worths
from coopconnect.uncertainty.prim import Box, Limit
from coopconnect.uncertainty.results import (
    plan_regret,
    rank_frequency,
    rank_matrix,
    results,
    site_regret,
    tie_groups,
    viable,
)
from coopconnect.uncertainty.run import CHUNK, Ensemble, gather, nothing_gathered, run, threads
from coopconnect.uncertainty.site import SiteFutures, around, margin_rows


@pytest.fixture(scope="module")
def ensemble(small: Territory, reference: Scenario, parameters: Parameters) -> Ensemble:
    scenario = reference.with_values(refused=("10003",))
    return run(Setup(small, small, scenario, parameters, laws_of(scenario, parameters)), 120, 1, workers=2)


def test_probabilities_and_quantiles_by_brute_force(ensemble: Ensemble) -> None:
    found = results(ensemble)
    assert found is not None
    score, users, ratio = (ensemble.figure(name) for name in ("score", "users", "viability"))
    for s in (0, 7, 21):
        row = found.sites.iloc[s]
        assert row["p_viable"] == np.mean([r >= 1 and u >= 8 for r, u in zip(ratio[:, s], users[:, s], strict=True)])
        assert row["score_p95"] == pytest.approx(np.percentile(score[:, s], 95))
        ranks = [1 + sum(score[d, k] > score[d, s] for k in range(30) if k != 3) for d in range(120)]
        assert row["rank_p50"] == np.percentile(ranks, 50)
        assert row["p_top10"] == np.mean(np.array(ranks) <= 10)
    assert viable(ensemble).shape == score.shape


def test_a_refused_commune_has_no_rank(ensemble: Ensemble) -> None:
    found = results(ensemble)
    assert found is not None
    row = found.sites.iloc[3]
    assert not row["available"]
    assert (row["rank_p50"], row["p_top10"], row["tie_group"]) == (0, 0, 0)
    assert 3 not in found.order


def test_rank_frequencies_sum_to_one(ensemble: Ensemble) -> None:
    found = results(ensemble)
    assert found is not None
    np.testing.assert_allclose(rank_frequency(found, found.order.size, found.order.size).sum(axis=0), 1.0)
    np.testing.assert_allclose(rank_frequency(found, found.order.size, found.order.size).sum(axis=1), 1.0)


def test_ranks_and_ties_by_hand() -> None:
    """Three sites, ten draws: the first beats the second in 8 of 10, the third always."""
    score = np.tile([9.0, 5.0, 1.0], (10, 1))
    score[:2, 1] = 10.0
    ranks = rank_matrix(score, np.ones(3, bool))
    assert ranks[0].tolist() == [2, 1, 3]
    assert ranks[5].tolist() == [1, 2, 3]
    order = np.array([0, 1, 2])
    assert tie_groups(score, order, 0.9).tolist() == [1, 1, 2]
    assert tie_groups(score, order, 0.8).tolist() == [1, 2, 3]


def test_regret_by_hand(ensemble: Ensemble) -> None:
    worth = np.array([[5.0, 2.0, 0.0], [-1.0, -3.0, 0.0]])
    np.testing.assert_allclose(plan_regret(worth)[0], [0.5, 3.0, 2.5])
    np.testing.assert_allclose(plan_regret(worth)[2], [1.0, 3.0, 5.0])
    net = np.delete(ensemble.figure("net_benefit_eur_per_year"), 3, axis=1)
    best = np.maximum(net.max(axis=1), 0.0)
    assert site_regret(ensemble)[0] == pytest.approx((best - net[:, 0]).mean())


def _uniform(n: int) -> tuple[Law, ...]:
    return tuple(Law(f"x{k}", -np.pi, 0.0, np.pi, "assumption", peak=0.0) for k in range(n))


def test_sobol_against_the_analytic_indices_of_ishigami(
    small: Territory, reference: Scenario, parameters: Parameters
) -> None:
    """a = 7, b = 0.1: S1 = 0.314, 0.442, 0; ST = 0.558, 0.442, 0.244 (Ishigami and Homma 1990)."""
    setup = Setup(small, small, reference, parameters, _uniform(3))
    x = drivers.saltelli(setup, 1024, seed=1)
    found = {d.key: d for d in drivers.sobol(setup.laws, x, Ishigami.evaluate(x))}
    for key, first, total in (("x0", 0.314, 0.558), ("x1", 0.442, 0.442), ("x2", 0.0, 0.244)):
        assert found[key].first == pytest.approx(first, abs=0.03)
        assert found[key].total == pytest.approx(total, abs=0.03)
        assert abs(found[key].total - total) <= 2.0 * found[key].total_half_width + 0.01


def test_sobol_leaves_out_blocks_without_a_solution(
    small: Territory, reference: Scenario, parameters: Parameters
) -> None:
    setup = Setup(small, small, reference, parameters, _uniform(3))
    x = drivers.saltelli(setup, 512, seed=1)
    y = Ishigami.evaluate(x)
    y[7] = np.nan
    assert drivers.sobol(setup.laws, x, y)[0].total == pytest.approx(0.558, abs=0.06)


def test_drivers_from_a_latin_hypercube() -> None:
    """y = 3 a - b + noise of c: order and signs; the first-order index of a linear model is its share of variance."""
    rng = np.random.default_rng(0)
    x = rng.random((800, 3))
    y = 3.0 * x[:, 0] - x[:, 1] + 0.1 * x[:, 2]
    found = drivers.from_draws(_uniform(3), x, y)
    assert [d.key for d in found] == ["x0", "x1", "x2"]
    assert found[0].first == pytest.approx(9.0 / 10.01, abs=0.06)
    assert found[0].sign > 0.9 > -0.9 > found[1].sign
    assert all(d.total is None for d in found)


def test_no_driver_is_named_where_nothing_moves() -> None:
    x = np.random.default_rng(0).random((100, 2))
    assert drivers.from_draws(_uniform(2), x, np.ones(100)) == ()
    assert drivers.from_draws(_uniform(2), x[:20], x[:20, 0]) == ()


def test_prim_finds_a_planted_box() -> None:
    rng = np.random.default_rng(3)
    x = rng.random((2000, 5))
    fails = (x[:, 1] < 0.4) & (x[:, 3] > 0.5)
    fails ^= rng.random(2000) < 0.02
    box = prim.failing_box(x, fails)
    assert box is not None
    assert {limit.column for limit in box.limits} == {1, 3}
    ends = {limit.column: limit for limit in box.limits}
    assert ends[1].low is None and ends[1].high == pytest.approx(0.4, abs=0.05)
    assert ends[3].high is None and ends[3].low == pytest.approx(0.5, abs=0.05)
    assert box.density > 0.9
    assert box.coverage > 0.85
    assert all(limit.p < 1e-6 for limit in box.limits)


def test_prim_is_silent_where_there_is_nothing_to_say() -> None:
    x = np.random.default_rng(3).random((300, 3))
    assert prim.failing_box(x, np.zeros(300, bool)) is None
    assert prim.failing_box(x, np.ones(300, bool)) is None


def test_the_tipping_point_of_a_lever_is_where_viability_crosses(
    small: Territory, reference: Scenario, parameters: Parameters
) -> None:
    scenario = reference.with_values(changed=(("hub_share_reference", 0.011),))
    table = assess(small, scenario, parameters).sites
    code = str(table.loc[table["users"].idxmax(), "zone_code"])
    found = {t.key: t for t in tipping.lever_tipping(small, scenario, parameters, code)}
    contribution = found["council_contribution_eur_per_year"]
    assert contribution.nearest is not None
    for shift, wanted in ((-200.0, False), (200.0, True)):
        moved = scenario.with_values(council_contribution_eur_per_year=contribution.nearest + shift)
        site = assess(small, moved, parameters).site(code)
        assert site is not None
        assert bool(site["viability"] >= 1.0) == wanted


def test_the_tipping_point_of_an_assumption(small: Territory, reference: Scenario, parameters: Parameters) -> None:
    table = assess(small, reference, parameters).sites
    code = str(table.loc[table["users"].idxmax(), "zone_code"])
    setup = Setup(small, small, reference, parameters, laws_of(reference, parameters))
    (found,) = tipping.assumption_tipping(setup, code, ("opex_shared_eur_per_year",))
    assert found.viability[0] > found.viability[-1]  # dearer premises
    assert np.all(np.diff(found.margin) <= 1e-9)


def test_results_wait_for_a_draw(ensemble: Ensemble) -> None:
    assert results(replace(ensemble, done=np.zeros(ensemble.draws, bool))) is None


def test_one_hub_alone_is_worth_what_its_draw_says(
    small: Territory, reference: Scenario, parameters: Parameters
) -> None:
    """A plan shares demand: one site is worth its own net benefit, two near ones less than the sum, nothing 0."""
    laws = laws_of(reference, parameters)
    setup = Setup(small, small, reference, parameters, laws)
    row = design(laws, 20, 3)[7]
    alone = run_draw(setup, row)[KEPT.index("net_benefit_eur_per_year")].astype(float)
    users = run_draw(setup, row)[KEPT.index("users")].astype(float)
    plans = (Candidate("nothing", ()), Candidate("one", (2,)), Candidate("all", tuple(range(users.size))))
    worth = plan_worths(setup, row, plans)
    assert worth[0] == 0.0
    assert worth[1] == pytest.approx(alone[2], rel=1e-5)
    assert worth[2] != pytest.approx(alone.sum(), rel=1e-3)
    others = tuple(range(2)) + tuple(range(3, users.size))
    stands = (Candidate("nothing", (), 0, (2,)), Candidate("all", others, 0, (2,)))  # a hub that exists is no choice
    assert plan_worths(setup, row, stands) == pytest.approx([0.0, worth[2] - worth[1]])


def test_a_limit_that_chance_could_make_is_left_out() -> None:
    """200 draws of 42 quantities, one of which tells: the 41 others are noise and none of them is in the box."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x = rng.random((200, 42))
        box = prim.failing_box(x, (x[:, 5] > 0.6) & (rng.random(200) < 0.8))
        assert box is not None
        assert [limit.column for limit in box.limits] == [5]
        assert prim.failing_box(rng.random((200, 42)), rng.random(200) < 0.3) is None
        assert box.limits[0].p < prim.DOUBTFUL


def test_the_limits_of_a_box_are_joined_in_true_french(parameters: Parameters, reference: Scenario) -> None:
    laws = laws_of(reference, parameters)
    at = [law.key for law in laws].index
    keys = ("opex_shared_eur_per_year", "hub_share_reference", "hub_days_per_user_per_week")
    limits = tuple(prim.Limit(at(key), None, 1.5, 0.0) for key in keys)
    words = box_words(prim.Box(limits, 0.8, 0.8, 0.3), laws, parameters, "fr")
    assert ", que moins de" in words
    assert " et qu'un usager vient" in words
    assert ", fewer than" in box_words(prim.Box(limits, 0.8, 0.8, 0.3), laws, parameters, "en")


def test_regret_of_plans_by_hand() -> None:
    """Three futures, the last without a solution: nothing is best in the first, the plan in the second."""
    plans = (Candidate("nothing", ()), Candidate("network", (0, 1)))
    nothing, plan = compared(plans, np.array([[0.0, -30.0], [0.0, 50.0], [np.nan, np.nan]]))
    assert (nothing.regret_eur, nothing.regret_worst_eur, nothing.p_best) == (25.0, 50.0, 0.5)
    assert (plan.regret_eur, plan.regret_worst_eur, plan.worth_eur, plan.p_gains) == (15.0, 30.0, 10.0, 0.5)
    said = plans_sentence((nothing, plan), "fr")
    assert "le plan de Réseau" in said
    assert "ne rien ouvrir" not in said  # the same plan has the smaller mean and the smaller worst


def test_what_is_gathered_goes_on_where_it_stopped(
    small: Territory, reference: Scenario, parameters: Parameters
) -> None:
    laws = laws_of(reference, parameters)
    alone = around(Setup(small, small, reference, parameters, laws), "10003")
    values = design(laws, 3 * CHUNK, 5)
    whole, part = (nothing_gathered(alone, values, 1) for _ in range(2))
    assert list(gather(whole, threads(2, margin_rows)))[-1] == 3 * CHUNK
    first = gather(part, threads(1, margin_rows))
    assert next(first) == CHUNK
    first.close()
    assert list(gather(part, threads(1, margin_rows))) == [2 * CHUNK, 3 * CHUNK]
    assert part.found.tobytes() == whole.found.tobytes()


def _village(parameters: Parameters, **values: object) -> SiteFutures:
    law = law_of(parameters["opex_shared_eur_per_year"], 15_000.0, (4.0, 1.0))
    usual = {"p_viable": 0.62, "p_first": 0.41, "p_top10": 0.7, "box": None, "draws": 200, "most_users": 30.0,
             "most_covered": 2.0, "core": 8.0}  # fmt: skip
    return SiteFutures(
        code="1", name="A", ranks=(1.0, 2.0, 3.0), robust=False, tied=False, laws=(law,), drivers=(),
        learn=Driver(law.key, "assumption", -0.8, 0.75, 0.1), **{**usual, **values},  # type: ignore[arg-type]
    )  # fmt: skip


def _told(parameters: Parameters, language: str, **values: object) -> tuple[str, str, str]:
    site = _village(parameters, **values)
    found = (
        headline(site, language),
        failing_sentence(site, parameters, language),
        learn_sentence(site, parameters, language),
    )
    return tuple(plain(text) for text in found)  # type: ignore[return-value]


def test_what_is_said_of_a_village_says_something_in_every_case(parameters: Parameters) -> None:
    box = Box((Limit(0, 18_184.0, None, 0.0),), 0.762, 0.853, 0.2)
    first, fails, learn = _told(parameters, "fr", box=box)
    assert first == "Viable dans 62 % des futurs ; premier dans 41 % ; parmi les dix premiers dans 70 %."
    assert fails == (
        "Il échoue quand le fonctionnement d'un petit lieu en local partagé coûte plus de 18 200 €/an : 76 % de ses échecs sont là, "
        "et il échoue alors dans 85 % des futurs."
    )
    assert learn.startswith("La chose à apprendre d'abord") and "75 %" in learn
    never = _told(parameters, "fr", p_viable=0.0, p_first=0.0, p_top10=0.0, most_users=1.6)
    assert never[0] == "Jamais viable dans les futurs tirés ; jamais parmi les dix premiers."
    assert never[1] == "Même le futur le plus favorable ne lui donne que 1,6 usager ; il en faut 8."
    assert never[2].startswith("Rien à apprendre d'abord")
    poor = _told(parameters, "en", p_viable=0.0, most_covered=0.81)[1]
    assert poor == "Even in the best of them, revenue and contribution cover only 81% of its cost."
    assert "both enough users and enough income" in _told(parameters, "en", p_viable=0.0)[1]
    always = _told(parameters, "en", p_viable=1.0)
    assert always[0].startswith("Always viable") and always[1] == "It fails in none of the futures drawn."
    assert _told(parameters, "en", p_viable=0.98)[1] == "It fails in 4 of 200 futures drawn, too few to say when."
    assert (
        "il tient dans 3 sur 200" in _told(parameters, "fr", p_viable=0.015, holds=box)[1]
    )  # of three, nothing is told
    assert _told(parameters, "fr", p_viable=0.2, holds=box)[1].startswith(
        "Il ne tient guère que quand le fonctionnement d'un petit lieu"
    )
    assert "No simple combination" in _told(parameters, "en")[1]
    rare = _told(parameters, "fr", p_viable=0.005, p_first=0.0, p_top10=0.0001)[0]
    assert rare == "Viable dans moins de 1 % des futurs ; jamais premier, parmi les dix premiers dans moins de 1 %."


def test_a_tipping_point_is_told_from_the_limit_of_the_failing_futures(parameters: Parameters) -> None:
    box = Box((Limit(0, 14_878.4, None, 0.0),), 0.89, 0.79, 0.3)
    key = "opex_shared_eur_per_year"
    site = _village(parameters, box=box)
    said = plain(tipping_note(site, {key: 18_616.0}, parameters, "fr"))
    assert "tout le reste au cas de référence" in said
    assert (
        "le seuil de la phrase du haut, 14 900 €/an, est autre chose" in said and "échoue dans 79 % des futurs" in said
    )
    assert "14 900" not in plain(tipping_note(site, {}, parameters, "fr"))
    assert "sentence above" not in tipping_note(replace(site, box=None), {key: 18_616.0}, parameters, "en")


def test_chance_alone_drives_nothing(parameters: Parameters) -> None:
    """Forty quantities and a result that none of them makes: the largest of their indices is not told."""
    law = law_of(parameters["opex_shared_eur_per_year"], 15_000.0, (4.0, 1.0))
    laws = tuple(replace(law, key=f"q{k}") for k in range(40))
    told = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        x = latin_hypercube(40, 200, seed)
        noise = rng.normal(size=200)
        assert not [d.key for d in drivers.from_draws(laws, x, noise, seed) if d.sure]
        told.append([d.key for d in drivers.from_draws(laws, x, noise + 8.0 * x[:, 7], seed) if d.sure])
    assert told == [["q7"]] * 4
    assert drivers.among(1) == 1.0 and 1.96 * drivers.among(40) == pytest.approx(3.227, abs=1e-3)
