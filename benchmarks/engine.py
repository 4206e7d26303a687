"""Time and memory of the engine: PACA and all of France. `python benchmarks/engine.py [--france]` prints JSON.

Each figure stands beside its goal; `ratio` is figure over goal, so under 1 is met. The kernel is also raced against the
naive Python model of the tests on the same site, as a ratio of seconds for each pair evaluation.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from naive_model import naive_site  # noqa: E402

from coopconnect.model.assessment import assess  # noqa: E402
from coopconnect.model.calibration import calibration_for  # noqa: E402
from coopconnect.model.choice import within_reach  # noqa: E402
from coopconnect.model.runs import run_kernel  # noqa: E402
from coopconnect.parameters import DATA_DIR, load_parameters  # noqa: E402
from coopconnect.scenario import parameter_values, reference_scenario  # noqa: E402
from coopconnect.territory.load import load_territory  # noqa: E402


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _evaluations(territory, prepared) -> int:  # type: ignore[no-untyped-def]
    import numpy as np

    return int(np.diff(territory.flow_start)[prepared.territory.access_zone].sum())


def run(code: str, repeats: int, goal_s: float, home=None) -> dict[str, float]:  # type: ignore[no-untyped-def]
    """Load a territory and assess it `repeats` times after warm-up, moving the fuel price each time."""
    parameters = load_parameters()
    started = time.perf_counter()
    territory = load_territory(code, DATA_DIR / "territory", circuity=parameters.value("circuity"))
    load_s = time.perf_counter() - started
    scenario = reference_scenario(parameters, code)
    started = time.perf_counter()
    assess(territory, scenario, parameters, home=home)
    first_s = time.perf_counter() - started
    seconds = []
    for k in range(repeats):
        moved = scenario.with_values(fuel_price_eur_per_l=1.2 + 1.7 * k / repeats)
        started = time.perf_counter()
        assess(territory, moved, parameters, home=home)
        seconds.append(time.perf_counter() - started)
    median = statistics.median(seconds)
    values = parameter_values(scenario, parameters)
    calibration = calibration_for(home or territory, parameters, ())
    prepared = within_reach(territory, scenario.access_max_min)
    started = time.perf_counter()
    run_kernel(prepared, scenario, calibration, values)
    kernel_s = time.perf_counter() - started
    pairs = _evaluations(territory, prepared)
    result = {
        "communes": int(territory.site_zone.size), "flows": int(territory.flow_work.size), "load_s": round(load_s, 3),
        "first_s": round(first_s, 3), "assess_s": round(median, 4), "goal_s": goal_s,
        "ratio": round(median / goal_s, 3), "pair_evaluations": pairs, "one_run_s": round(kernel_s, 4),
        "peak_mb": round(_peak_mb()),
    }  # fmt: skip
    if code == "93":
        site = int(territory.site_zone.size // 2)
        started = time.perf_counter()
        naive_site(territory, site, scenario, calibration, values)
        naive_s = time.perf_counter() - started
        mine = int(_site_evaluations(territory, scenario.access_max_min, site))
        result["naive_over_kernel_per_pair"] = round((naive_s / mine) / (kernel_s / pairs))
    return result


def _site_evaluations(territory, limit: float, site: int) -> int:  # type: ignore[no-untyped-def]
    import numpy as np

    span = slice(int(territory.access_start[site]), int(territory.access_start[site + 1]))
    zones = territory.access_zone[span][territory.access_drive_min[span] <= limit]
    return int(np.diff(territory.flow_start)[zones].sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--france", action="store_true", help="also all of France (some seconds, under 1 GB)")
    args = parser.parse_args()
    parameters = load_parameters()
    results = {"paca": run("93", 30, 0.060)}
    if args.france:
        home = load_territory("93", DATA_DIR / "territory", circuity=parameters.value("circuity"))
        results["france"] = run("FR", 5, 1.5, home)
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
