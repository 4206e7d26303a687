"""The draws of an ensemble: their laws, their seeds, their bits."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import beta, kstest

from coopconnect.model.assessment import assess
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.territory.types import Territory
from coopconnect.uncertainty import run as running
from coopconnect.uncertainty.engine import KEPT, Setup, drawn_scenario, run_draw, run_rows
from coopconnect.uncertainty.laws import (
    ASSUMED,
    Law,
    design,
    in_logarithms,
    latin_hypercube,
    laws_of,
    pert_shape,
    quantile,
)
from coopconnect.uncertainty.run import CHUNK, EnsembleError, blank, processes, run, stream, threads


@pytest.fixture(scope="module")
def setup(small: Territory, reference: Scenario, parameters: Parameters) -> Setup:
    return Setup(small, small, reference, parameters, laws_of(reference, parameters))


def test_draws_stay_within_their_ranges(reference: Scenario, parameters: Parameters) -> None:
    laws = laws_of(reference, parameters, levers=True, weights=True)
    values = design(laws, 500, 3)
    assert {law.key for law in laws} >= {"hub_share_reference", "opex_shared_eur_per_year", "climate", "weight_co2"}
    for k, law in enumerate(laws):
        if law.kind != "weight":
            assert law.low <= values[:, k].min() <= values[:, k].max() <= law.high, law.key
        if law.key in parameters and law.status != "choice":
            assert (law.low, law.high) == (parameters[law.key].low, parameters[law.key].high), law.key


def test_every_quantity_drawn_moves_a_site(reference: Scenario, parameters: Parameters, paca: Territory) -> None:
    scenario = reference.with_values(climate="tracc_2100", telepresence_price_eur_per_month=200.0, day_price_eur=12.0)
    laws = laws_of(scenario, parameters)
    assert {"teleworkable_share", "warming_tracc_2100_c", "circuity", "capex_life_years"} <= {law.key for law in laws}
    setup = Setup(paca, paca, scenario, parameters, laws)
    row = np.array([0.95 if law.key == "electric_share_2100" else law.value for law in laws])
    for k, law in enumerate(laws):
        low, high = row.copy(), row.copy()
        low[k], high[k] = law.low, law.high
        assert (run_draw(setup, low) != run_draw(setup, high)).any(), law.key


def test_a_range_that_is_not_drawn_is_explained(reference: Scenario, parameters: Parameters) -> None:
    told = (Path(__file__).resolve().parents[1] / "docs" / "uncertainty.md").read_text(encoding="utf-8")
    drawn = {law.key for law in laws_of(reference, parameters, levers=True, weights=True)}
    other = "own" if reference.premises == "shared" else "shared"
    left = [
        p.key for p in parameters.values()
        if p.high > p.low and p.key not in drawn and f"_{other}_" not in p.key
        and p.group not in ("argument", "roads") and not p.group.startswith("fitted_")
    ]  # fmt: skip
    assert [key for key in left if f"`{key}`" not in told] == []
    usual = [law.key for law in laws_of(reference, parameters)]
    assert f"{len(usual)} in the reference" in told.replace("\n", " ")


def test_marginals_follow_their_law(reference: Scenario, parameters: Parameters) -> None:
    """Against the distribution function written out here, and stratified: one point in each slice."""
    laws = laws_of(reference, parameters)
    values = design(laws, 400, 1)
    for k, law in enumerate(laws):
        ends = np.array([law.low, law.value, law.high])
        low, mode, high = np.log(ends) if law.logarithmic else ends
        x = np.log(values[:, k]) if law.logarithmic else values[:, k]
        a = 1.0 + law.peak * (mode - low) / (high - low)
        b = 1.0 + law.peak * (high - mode) / (high - low)
        found = kstest((x - low) / (high - low), beta(a, b).cdf)
        assert found.statistic < 1.0 / 400 + 1e-9, law.key
    slices = np.floor(latin_hypercube(3, 50, 9) * 50)
    assert all(sorted(column) == list(range(50)) for column in slices.T)


def test_the_classic_pert_law_by_hand() -> None:
    """Mean (low + 4 value + high) / 6 at a peak of 4; the uniform law at 0."""
    law = Law("x", 2.0, 3.0, 8.0, "retrieved", peak=4.0)
    u = (np.arange(20000) + 0.5) / 20000
    assert quantile(law, u).mean() == pytest.approx((2.0 + 4 * 3.0 + 8.0) / 6.0, rel=1e-4)
    assert pert_shape(2.0, 3.0, 8.0, 0.0) == (1.0, 1.0)


def test_assumptions_are_drawn_wider(reference: Scenario, parameters: Parameters) -> None:
    """Same range, same value: the standard deviation of an assumption is larger, by a third where it is symmetric."""
    u = (np.arange(20000) + 0.5) / 20000
    peaks = {law.assumed: law.peak for law in laws_of(reference, parameters)}
    wide, narrow = (
        quantile(Law("x", 0.0, 5.0, 10.0, status, peak=peaks[status in ASSUMED]), u).std()
        for status in ("assumption", "retrieved")
    )
    assert wide / narrow == pytest.approx(np.sqrt(28.0 / 16.0), rel=1e-3)


def test_the_scale_is_the_one_on_which_the_value_is_in_the_middle() -> None:
    assert in_logarithms(0.002, 0.005, 0.011)
    assert not in_logarithms(5.0, 15.0, 25.0)
    assert not in_logarithms(0.0, 1.0, 9.0)  # no logarithm of zero
    assert not in_logarithms(-0.4, -0.3, -0.2)


def test_a_changed_assumption_is_the_most_likely_value(reference: Scenario, parameters: Parameters) -> None:
    scenario = reference.with_values(changed=(("substitution_reference", 0.7),))
    law = next(law for law in laws_of(scenario, parameters) if law.key == "substitution_reference")
    assert (law.low, law.value, law.high) == (0.25, 0.7, 0.8)


def test_weights_are_uniform_over_all_splits(reference: Scenario, parameters: Parameters, small: Territory) -> None:
    laws = laws_of(reference, parameters, weights=True)
    setup = Setup(small, small, reference, parameters, laws)
    drawn = [drawn_scenario(setup, row)[0].weights() for row in design(laws, 400, 5)]
    assert np.allclose(np.sum(drawn, axis=1), 100.0)
    first = np.array(drawn)[:, 0] / 100.0
    assert kstest(first, beta(1, 4).cdf).pvalue > 0.01  # a share of a flat Dirichlet of five


def test_the_central_draw_is_the_assessment(setup: Setup, small: Territory) -> None:
    """With every quantity at its value the engine gives what `assess` gives: one model, not two."""
    row = np.array([law.value for law in setup.laws])
    found = run_draw(setup, row)
    result = assess(small, setup.scenario, setup.parameters).sites
    for name in KEPT[:7]:
        np.testing.assert_allclose(found[KEPT.index(name)], result[name], rtol=2e-5, atol=1e-3)
    surplus = result["revenue_eur_per_year"] + result["contribution_eur_per_year"] - result["yearly_cost_eur"]
    np.testing.assert_allclose(found[KEPT.index("surplus_eur_per_year")], surplus, rtol=2e-5, atol=1e-2)
    net = (result["benefit_cost"] - 1.0) * result["yearly_cost_eur"]
    np.testing.assert_allclose(found[KEPT.index("net_benefit_eur_per_year")], net, rtol=2e-5, atol=1e-2)


def test_seeds_repeat_and_differ(setup: Setup) -> None:
    first, again, other = (run(setup, 30, seed, workers=1) for seed in (4, 4, 5))
    assert first.figures.tobytes() == again.figures.tobytes()
    assert first.figures.tobytes() != other.figures.tobytes()


def test_the_number_of_workers_does_not_change_a_bit(setup: Setup) -> None:
    one, two, five = (run(setup, 3 * CHUNK + 7, 1, workers=n) for n in (1, 2, 5))
    assert one.figures.tobytes() == two.figures.tobytes() == five.figures.tobytes()
    assert one.done.all()


def test_draws_stand_alone(setup: Setup) -> None:
    """Any order, any neighbours: the answer of a draw depends on its row only."""
    values = design(setup.laws, 12, 2)
    order = np.array([7, 3, 11, 0, 5])
    np.testing.assert_array_equal(run_rows(setup, values)[order], run_rows(setup, values[order]))


def test_resume_from_a_folder_to_the_bit(setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = 4 * CHUNK
    whole = run(setup, draws, 8, workers=1)
    work = stream(blank(setup, draws, 8), threads(1), 1, tmp_path)
    for _ in range(3):  # nothing, then two chunks
        part = next(work)
    work.close()
    assert 0 < part.done.sum() < draws
    kept = sorted(tmp_path.glob("chunk_*.npy"))
    kept[0].write_bytes(kept[0].read_bytes()[:50])  # a disk that was full
    ran: list[int] = []
    monkeypatch.setattr(running, "run_rows", lambda s, rows: ran.append(len(rows)) or run_rows(s, rows))
    resumed = run(setup, draws, 8, workers=2, backend=threads(2), folder=tmp_path)
    assert resumed.figures.tobytes() == whole.figures.tobytes()
    assert sum(ran) == draws - (len(kept) - 1) * CHUNK


def _killed(setup: Setup, rows: np.ndarray) -> np.ndarray:
    os.kill(os.getpid(), signal.SIGKILL)
    return rows


@pytest.mark.skipif(sys.platform != "linux", reason="forked workers are for Linux")
def test_forked_workers_give_the_same_bits_and_one_that_is_killed_is_told(setup: Setup, tmp_path: Path) -> None:
    whole = run(setup, 3 * CHUNK, 8, backend=threads(1))
    forked = run(setup, 3 * CHUNK, 8, backend=processes(2), folder=tmp_path)
    assert forked.figures.tobytes() == whole.figures.tobytes()
    with pytest.raises(EnsembleError, match="was killed"):
        run(setup, 2 * CHUNK, 8, backend=processes(2, _killed))


def test_a_folder_of_another_ensemble_is_refused(setup: Setup, tmp_path: Path) -> None:
    run(setup, 5, 1, workers=1, folder=tmp_path)
    with pytest.raises(EnsembleError, match=r"another ensemble \(5 draws, seed 1\)"):
        run(setup, 5, 2, workers=1, folder=tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("x")
    with pytest.raises(EnsembleError, match="not empty"):
        run(setup, 5, 2, workers=1, folder=tmp_path / "mine")


def test_a_draw_without_a_solution_is_set_aside(setup: Setup) -> None:
    """Everyone unsuited at home and the office share below: no constants, no figures, no crash."""
    laws = tuple(
        replace(law, low=0.55, value=0.6, high=0.65) if law.key == "home_unsuitable_share" else law
        for law in setup.laws
    )
    found = run(replace(setup, laws=laws), 3, 0, workers=1)
    assert found.done.all()
    assert not found.usable.any()


def test_levers_move_the_scenario(setup: Setup, reference: Scenario, parameters: Parameters) -> None:
    laws = laws_of(reference, parameters, levers=True)
    free = replace(setup, laws=laws, within={})
    rows = design(laws, 40, 0)
    scenarios = [drawn_scenario(free, row)[0] for row in rows]
    assert len({s.fuel_price_eur_per_l for s in scenarios}) == 40
    assert {s.climate for s in scenarios} == {"today", "tracc_2030", "tracc_2050", "tracc_2100"}
    assert all(float(s.access_max_min).is_integer() for s in scenarios)
    assert np.isfinite(run_rows(free, rows[:4])).all()
