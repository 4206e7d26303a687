"""Classical location models against brute force, against spopt, and on what is wrong with an input."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coopconnect.cli import FAILED, main
from coopconnect.siting.locate.read import matrix_from
from coopconnect.siting.locate.rows import median_rows
from coopconnect.siting.locate.solve import improving, locate
from coopconnect.siting.locate.types import LocateError, Matrix

EASY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def table(seed: int, n: int = 9, m: int = 7, whole: bool = False) -> dict[str, np.ndarray]:
    """A small random question: costs, weights, demands and capacities that fit."""
    rng = np.random.default_rng(seed)
    cost = rng.uniform(0.0, 50.0, (n, m))
    weight = rng.integers(0, 9, n).astype(float)
    demand = rng.integers(1, 6, n).astype(float)
    capacity = rng.integers(8, 20, m).astype(float)
    return {"cost": np.round(cost) if whole else cost, "weight": weight, "demand": demand, "capacity": capacity}


def sets(m: int, p: int) -> list[list[int]]:
    return [list(c) for c in itertools.combinations(range(m), p)]


def brute(parts: dict[str, np.ndarray], model: str, p: int, radius: float) -> float:
    """The best value of every set of p sites, one after the other."""
    cost, weight = parts["cost"], parts["weight"]
    values = []
    for chosen in sets(cost.shape[1], p):
        near, best = cost[:, chosen].min(axis=1), cost[:, chosen].max(axis=1)
        values.append({
            "p-median": weight @ near, "p-center": near.max(), "maximal-covering": weight @ (near <= radius),
            "max-benefit": weight @ best,
        }[model])  # fmt: skip
    return float(min(values) if model in ("p-median", "p-center") else max(values))


def ask(parts: dict[str, np.ndarray], model: str, p: int, **more: object):  # type: ignore[no-untyped-def]
    names = dict(parts)
    if model == "max-benefit":
        names["benefit"] = names.pop("cost")
    return locate(matrix_from(names, "cost"), model, p, seconds=20.0, **more)  # type: ignore[arg-type]


@EASY
@given(
    seed=st.integers(0, 10_000), p=st.integers(1, 6),
    model=st.sampled_from(["p-median", "p-center", "maximal-covering", "max-benefit"]), whole=st.booleans(),
)  # fmt: skip
def test_every_model_is_as_good_as_brute_force(seed: int, p: int, model: str, whole: bool) -> None:
    parts = table(seed, whole=whole)
    answer = ask(parts, model, p, radius=15.0 if model == "maximal-covering" else None)
    best = brute(parts, model, p, 15.0)
    assert answer.objective == pytest.approx(best, rel=1e-9, abs=1e-9)
    assert answer.bound == pytest.approx(best, rel=1e-9, abs=1e-9)
    assert answer.gap == 0.0
    assert len(set(answer.sites)) == p


def served(parts: dict[str, np.ndarray], chosen: list[int], radius: float | None) -> float | None:
    """Every way of giving each demand whole to one of the chosen sites (or to none, with a radius)."""
    cost, size = parts["cost"], parts["demand"]
    best: float | None = None
    for places in itertools.product([*chosen, -1] if radius is not None else chosen, repeat=size.size):
        load = np.zeros(cost.shape[1])
        total = 0.0
        for i, k in enumerate(places):
            if k >= 0:
                if radius is not None and cost[i, k] > radius:
                    break
                load[k] += size[i]
                total += parts["weight"][i] * (cost[i, k] if radius is None else 1.0)
        else:
            if (load <= parts["capacity"]).all() and (
                best is None or (total < best if radius is None else total > best)
            ):
                best = total
    return best


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("radius", [None, 30.0])
def test_capacity_against_brute_force(seed: int, radius: float | None) -> None:
    parts = table(seed, n=6, m=4)
    parts["capacity"] = np.random.default_rng(seed).integers(9, 14, 4).astype(float)
    model = "p-median" if radius is None else "maximal-covering"
    values = [v for chosen in sets(4, 2) if (v := served(parts, chosen, radius)) is not None]
    if not values:
        with pytest.raises(LocateError, match="capacity"):
            ask(parts, model, 2, capacity=True, radius=radius)
        return
    answer = ask(parts, model, 2, capacity=True, radius=radius)
    best = min(values) if radius is None else max(values)
    assert answer.objective == pytest.approx(best, rel=1e-6)
    assert answer.bound == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_split_demands_are_never_dearer_than_whole_ones(seed: int) -> None:
    parts = table(seed, n=8, m=5)
    whole, split = (ask(parts, "p-median", 3, capacity=True, split=flag) for flag in (False, True))
    assert split.objective <= whole.objective * (1 + 1e-9)
    plain = ask(parts, "p-median", 3)
    assert plain.objective <= split.objective * (1 + 1e-9)


@EASY
@given(seed=st.integers(0, 10_000), p=st.integers(1, 12), seconds=st.sampled_from([0.0, 0.05, 1.0]))
def test_every_bound_on_the_way_holds_and_only_tightens(seed: int, p: int, seconds: float) -> None:
    parts = table(seed, n=40, m=25)
    rows = median_rows(matrix_from(parts, "cost"))
    steps = list(improving(rows, p, seconds, seed))
    best = ask(parts, "p-median", p).objective
    for step in steps:
        assert rows.objective(step.value) >= best - 1e-7
        assert rows.objective(step.bound) <= best + 1e-7
    bounds = [step.bound for step in steps]
    assert bounds == sorted(bounds, reverse=True)


@pytest.mark.parametrize("model", ["p-median", "p-center", "maximal-covering", "max-benefit"])
def test_the_order_of_the_input_never_matters(model: str) -> None:
    parts = table(3, n=30, m=20)
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(30), rng.permutation(20)
    other = {"cost": parts["cost"][rows][:, columns], "weight": parts["weight"][rows]}
    radius = 10.0 if model == "maximal-covering" else None
    one, two = ask(parts, model, 4, radius=radius), ask(other, model, 4, radius=radius)
    assert one.objective == pytest.approx(two.objective, rel=1e-12)
    assert one.bound == pytest.approx(two.bound, rel=1e-9)
    if model == "p-median":
        assert set(one.sites) == {int(columns[k]) for k in two.sites}


def test_seeds_repeat_and_more_sites_are_never_worse() -> None:
    parts = table(5, n=40, m=20)
    assert ask(parts, "p-median", 5, seed=3).sites == ask(parts, "p-median", 5, seed=3).sites
    found = [ask(parts, "p-median", p).objective for p in range(1, 21)]
    assert found == sorted(found, reverse=True)
    covered = [ask(parts, "maximal-covering", p, radius=8.0).objective for p in range(1, 21)]
    assert covered == sorted(covered)


def test_by_hand() -> None:
    """Villages at km 0, 1, 10, 11 with 1, 2, 3, 4 people. One site: at 10, 10 + 18 + 0 + 4 = 32 against 35 at 11 and
    36 at 1. Two sites: 1 and 11, 1 + 3 = 4. Two sites serve everybody within 1 km; one covers 7 people within 1 km.
    """
    at = np.array([0.0, 1.0, 10.0, 11.0])
    parts = {"cost": np.abs(at[:, None] - at), "weight": np.array([1.0, 2.0, 3.0, 4.0])}
    one, two = ask(parts, "p-median", 1), ask(parts, "p-median", 2)
    assert (one.objective, one.sites) == (32.0, (2,))
    assert (two.objective, two.sites) == (4.0, (1, 3))
    assert ask(parts, "p-center", 2).objective == 1.0
    assert ask(parts, "maximal-covering", 1, radius=1.0).objective == 7.0


def test_sparse_parts_say_the_same(tmp_path: Path) -> None:
    """A table, its csr parts, its csc file of SciPy and named parts; the zeros that SciPy drops are put back."""
    rng = np.random.default_rng(2)
    xy = rng.uniform(0, 10, (12, 2))
    cost = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    weight = np.ones(12)
    sparse = scipy.sparse.csr_matrix(cost)
    csr = {"data": sparse.data, "indices": sparse.indices, "indptr": sparse.indptr, "shape": np.array(sparse.shape)}
    want = locate(matrix_from({"cost": cost, "weight": weight}, "cost"), "p-median", 3)
    for parts in (csr, {f"cost_{k}": v for k, v in csr.items()}):
        assert locate(matrix_from({**parts, "weight": weight}, "cost"), "p-median", 3).sites == want.sites
    scipy.sparse.save_npz(tmp_path / "c.npz", scipy.sparse.csc_matrix(cost))
    with np.load(tmp_path / "c.npz") as file:
        found = locate(matrix_from(dict(file), "cost"), "p-median", 3)
    assert found.objective == pytest.approx(want.objective)


def test_links_that_are_not_there() -> None:
    """Two islands: one site cannot serve both, whatever it costs; two can."""
    parts = {"data": np.array([1.0, 2.0, 5.0]), "indices": np.array([0, 0, 1]), "indptr": np.array([0, 1, 2, 3]),
             "shape": np.array([3, 2])}  # fmt: skip
    matrix = matrix_from(parts, "cost")
    assert locate(matrix, "p-median", 2).objective == 8.0
    with pytest.raises(LocateError, match="linked to every demand"):
        locate(matrix, "p-median", 1)
    with pytest.raises(LocateError, match="linked to every demand"):
        locate(matrix, "p-center", 1)


def write(path: Path, **parts: object) -> Path:
    np.savez(path, **parts)  # type: ignore[arg-type]
    return path


def test_locate_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "m.npz", **table(1, n=30, m=20))
    for words in (["p-median"], ["p-median", "--capacity"], ["maximal-covering", "--radius", "12"], ["p-center"]):
        sites = "18" if "--capacity" in words else "3"
        assert main(["locate", "--model", *words, "--matrix", str(file), "--sites", sites, "--json"]) == 0
        out = capsys.readouterr().out
        document = json.loads(out)
        assert set(document) == {"model", "objective", "bound", "gap", "sites", "seconds"}
        assert document["model"] == words[0]
        assert document["gap"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("parts", "words", "messages"),
    [
        ({"cost": np.full((3, 2), np.nan), "weight": np.ones(4)}, [], ["6 values are not numbers", "weight: should have 3"]),
        ({"cost": np.ones((3, 2)), "weight": -np.ones(3)}, [], ["weight: 3 values are negative"]),
        ({"cost": np.ones((3, 2)), "weight": np.ones(3)}, ["--sites", "3"], ["allowed from 1 to 2"]),
        ({"cost": np.ones((3, 2)), "weight": np.ones(3)}, ["--sites", "0", "--capacity"], ["not 0", "holds no `capacity`"]),
        ({"cost": np.ones((3, 2)), "weight": np.ones(3), "capacity": np.array([-1.0, 2.0])}, [], ["capacity: 1 values"]),
        ({"cost": np.ones((3, 2)), "weight": np.ones(3), "capacity": np.ones(2)}, ["--capacity"], ["under the total demand"]),
        ({"cost": np.ones((3, 2)), "weight": np.ones(3)}, ["--model", "maximal-covering"], ["needs one"]),
        ({"cost": np.ones((3, 2)), "weight": np.ones(3)}, ["--model", "max-benefit"], ["reads `benefit`"]),
        ({"weight": np.ones(3)}, [], ["should hold `cost` or `benefit`"]),
        ({"cost": np.ones(3)}, [], ["demand x sites"]),
        ({"cost": np.full((3, 2), 1e308), "weight": np.ones(3)}, [], ["too large to be summed"]),
        ({"data": np.ones((1, 2)), "format": np.array(b"dia"), "shape": np.array([2, 2])}, [], ["csr, csc, coo; not 'dia'"]),
        ({"cost": np.array([["a"]])}, [], ["table of numbers"]),
        ({"data": np.ones(2), "indices": np.array([0, 9]), "indptr": np.array([0, 2]), "shape": np.array([1, 2])}, [],
         ["do not fit together"]),
    ],
)  # fmt: skip
def test_wrong_input_lists_every_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], parts: dict[str, np.ndarray], words: list[str], messages: list[str]
) -> None:  # fmt: skip
    file = write(tmp_path / "m.npz", **parts)
    assert main(["locate", "--model", "p-median", "--matrix", str(file), "--sites", "1", *words, "--json"]) == 2
    out = capsys.readouterr()
    assert out.out == ""
    assert len(out.err.strip().splitlines()) == 1
    for message in messages:
        assert message in out.err


def test_files_that_are_no_matrix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.npz").write_text("hello", encoding="utf-8")
    write(tmp_path / "object.npz", cost=np.array([[{}]], dtype=object))
    for name in ("text.npz", "object.npz", "nowhere.npz"):
        assert main(["locate", "--model", "p-median", "--matrix", str(tmp_path / name), "--sites", "1"]) == 2
        assert name in capsys.readouterr().err
    huge = write(
        tmp_path / "huge.npz",
        data=np.ones(1),
        indices=np.zeros(1),
        indptr=np.array([0, 1]),
        shape=np.array([1, 10**15]),
    )
    assert main(["locate", "--model", "p-median", "--matrix", str(huge), "--sites", "1"]) == FAILED
    assert "too large for the memory" in capsys.readouterr().err


def test_a_large_question_keeps_to_its_time_and_its_gap() -> None:
    """The shape of the goal at a third of its size: an answer, and a proof within 1 %, in the time given."""
    rng = np.random.default_rng(7)
    xy = rng.uniform(0, 200, (320, 2))
    cost = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    matrix: Matrix = matrix_from({"cost": cost, "weight": np.round(rng.lognormal(6, 1, 320))}, "cost")
    answer = locate(matrix, "p-median", 10, seconds=15.0)
    assert answer.gap <= 0.01
    assert answer.bound <= answer.objective
