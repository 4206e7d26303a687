"""Location models here and in spopt: same instances, same machine, seconds and objectives side by side.

    python benchmarks/siting.py [--full] [--demands 946] [--raced 100] [--spopt-seconds 15] [--capacitated FILE.npz:P ...]

The p-median of the goal: points uniform(0, 200), weights round(lognormal(6, 1)), Euclidean, seed 7, p = 10, at most 20 s
here, at `--demands`. The race is run at `--raced` demands, so that the whole takes about a minute; `--full` races at
`--demands`. spopt builds its model first (no limit can be put on that: a minute at 946), then HiGHS may search for
`--spopt-seconds`. Each figure is printed as it comes.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from coopconnect.siting.locate.read import matrix_from, read_matrix  # noqa: E402
from coopconnect.siting.locate.rows import median_rows  # noqa: E402
from coopconnect.siting.locate.solve import improving, locate  # noqa: E402


@dataclass(frozen=True)
class Race:
    """One model on one instance: seconds and objective of each, None where spopt found nothing."""

    model: str
    seconds: float
    objective: float
    gap: float
    spopt_seconds: float
    spopt_objective: float | None

    def line(self) -> str:
        """One row of the table."""
        theirs = "nothing found" if self.spopt_objective is None else f"{self.spopt_objective:,.2f}"
        return (
            f"{self.model:<18}{self.seconds:>9.2f} s {self.objective:>18,.2f}  gap {100 * self.gap:7.4f} %   "
            f"spopt {self.spopt_seconds:>8.2f} s {theirs:>18}   {self.spopt_seconds / self.seconds:>6.1f} x"
        )


def instance(n: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Costs (n, n) and weights of the goal's instance, at any size."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 200, (n, 2))
    weight = np.round(rng.lognormal(6, 1, n))
    return np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)), weight


def spopt_answer(
    model: str, cost: np.ndarray, weight: np.ndarray, p: int, radius: float, seconds: float
) -> float | None:
    """Objective of the sites that spopt chooses, or None."""
    import pulp
    from spopt.locate import MCLP, PCenter, PMedian

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        built = {
            "p-median": lambda: PMedian.from_cost_matrix(cost, weight, p_facilities=p),
            "maximal-covering": lambda: MCLP.from_cost_matrix(cost, weight, radius, p_facilities=p),
            "p-center": lambda: PCenter.from_cost_matrix(cost, p_facilities=p),
        }[model]()
        try:
            built.solve(pulp.HiGHS(msg=False, timeLimit=seconds), results=False)
        except Exception:  # spopt raises a bare one where the solver stopped without a solution
            return None
    chosen = [k for k, v in enumerate(built.fac_vars) if (v.value() or 0.0) > 0.5]
    if len(chosen) != p:
        return None
    near = cost[:, chosen].min(axis=1)
    values = {"p-median": weight @ near, "p-center": near.max(), "maximal-covering": weight @ (near <= radius)}
    return float(values[model])


def race(
    model: str, n: int, p: int, seconds: float, spopt_seconds: float, radius: float = 20.0, told: bool = False
) -> Race:  # fmt: skip
    """The same instance to both; `told` prints the answer found here before spopt starts."""
    cost, weight = instance(n)
    answer = locate(
        matrix_from({"cost": cost, "weight": weight}, "cost"), model, p, radius if model == "maximal-covering" else None,
        seconds=seconds,
    )  # fmt: skip
    if told:
        print(f"{model}, {n} demands: {answer.objective:,.2f} here in {answer.seconds:.2f} s; spopt starts", flush=True)
    started = time.perf_counter()
    theirs = spopt_answer(model, cost, weight, p, radius, spopt_seconds)
    return Race(model, answer.seconds, answer.objective, answer.gap, time.perf_counter() - started, theirs)


def goal(n: int) -> None:
    """When the first answer comes, and when the gap passes 1 %, on the p-median of the goal."""
    cost, weight = instance(n)
    matrix = matrix_from({"cost": cost, "weight": weight}, "cost")
    list(improving(median_rows(matrix), 10, 1.0, 0))  # compiles
    started = time.perf_counter()
    rows = median_rows(matrix)
    first = 0.0
    for step in improving(rows, 10, 20.0, 0):
        now = time.perf_counter() - started
        if not first:
            first = now
            print(f"first answer {rows.objective(step.value):,.0f} after {now:.2f} s", flush=True)
        gap = (rows.objective(step.value) - rows.objective(step.bound)) / rows.objective(step.value)
        if gap <= 0.01:
            print(f"proven within {100 * gap:.2f} % after {now:.2f} s: {rows.objective(step.value):,.0f}", flush=True)
            break
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demands", type=int, default=946)
    parser.add_argument("--raced", type=int, default=100, help="demands of the race with spopt (100)")
    parser.add_argument("--full", action="store_true", help="race at --demands: many minutes and gigabytes for spopt")
    parser.add_argument("--spopt-seconds", type=float, default=15.0)
    parser.add_argument("--capacitated", nargs="*", default=[], help="npz files with capacity, as FILE.npz:P")
    args = parser.parse_args()
    goal(args.demands)
    for model in ("p-median", "maximal-covering", "p-center"):
        size = args.demands if args.full else args.raced
        print(race(model, size, 10, 20.0, args.spopt_seconds, told=True).line(), flush=True)
    for text in args.capacitated:
        name, _, sites = text.rpartition(":")
        answer = locate(read_matrix(Path(name), "cost"), "p-median", int(sites), capacity=True)
        print(
            f"{Path(name).stem}: {answer.objective:g}, gap {100 * answer.gap:.4f} %, {answer.seconds:.2f} s", flush=True
        )


if __name__ == "__main__":
    main()
