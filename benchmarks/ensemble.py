"""Ensembles: cost of a draw, whether it stays flat, what a second worker brings, cost of a plan's draw. Prints JSON.

`python benchmarks/ensemble.py [--draws 300]`. `ratio` is figure over goal: under 1 is met. On a machine that does other
work the clock says more of that work than of this; the CPU seconds do not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from coopconnect.parameters import DATA_DIR, load_parameters
from coopconnect.question import Question
from coopconnect.scenario import reference_scenario
from coopconnect.siting.plan import site_plan
from coopconnect.territory.load import load_territory
from coopconnect.uncertainty.engine import Setup
from coopconnect.uncertainty.laws import design, laws_of
from coopconnect.uncertainty.plan_futures import case_of, plan_figure_rows
from coopconnect.uncertainty.run import run

GOAL_S = 15.0
GOAL_EFFICIENCY = 0.85
PLAN_SITES, PLAN_DRAWS = 10, 60


def _timed(setup: Setup, draws: int, workers: int, repeats: int = 3) -> tuple[float, float]:
    """Shortest clock and CPU seconds of that many draws."""
    clocks, cpus = [], []
    for _ in range(repeats):
        clock, cpu = time.perf_counter(), sum(os.times()[:4])
        run(setup, draws, 0, workers)
        clocks.append(time.perf_counter() - clock)
        cpus.append(sum(os.times()[:4]) - cpu)  # children included
    return min(clocks), min(cpus)


def _plan_ms(setup: Setup) -> float:
    """CPU milliseconds of one draw of the plan of ten hubs."""
    plan = site_plan(setup.territory, setup.scenario, setup.parameters, Question(sites=PLAN_SITES, rural=True))
    case, rows = case_of(plan, setup), design(setup.laws, PLAN_DRAWS, 0)
    plan_figure_rows(case, setup, rows[:2])
    cpu = time.process_time()
    plan_figure_rows(case, setup, rows)
    return 1000.0 * (time.process_time() - cpu) / PLAN_DRAWS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=300)
    draws = parser.parse_args().draws
    parameters = load_parameters()
    territory = load_territory("93", DATA_DIR / "territory", circuity=parameters.value("circuity"))
    scenario = reference_scenario(parameters)
    setup = Setup(territory, territory, scenario, parameters, laws_of(scenario, parameters))
    run(setup, 20)
    few, _ = _timed(setup, draws // 3, 1)
    one, cpu_one = _timed(setup, draws, 1)
    two, cpu_two = _timed(setup, draws, 2)
    thousand = two * 1000.0 / draws
    efficiency = one / (2.0 * two)
    print(json.dumps({
        "draws": draws, "cpu_ms_per_draw": round(1000.0 * cpu_one / draws, 2),
        "cpu_ms_per_draw_two_workers": round(1000.0 * cpu_two / draws, 2),
        "flat_cost_ratio": round((one / draws) / (few / (draws // 3)), 3),
        "thousand_draws_two_workers_s": round(thousand, 2), "ratio": round(thousand / GOAL_S, 3),
        "efficiency_two_workers": round(efficiency, 3), "efficiency_ratio": round(GOAL_EFFICIENCY / efficiency, 3),
        "plan_cpu_ms_per_draw": round(_plan_ms(setup), 2),
        "load_average": round(os.getloadavg()[0], 1),
    }, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
