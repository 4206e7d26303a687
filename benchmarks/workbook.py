"""Time and size of the workbook of PACA with everything in it. `python benchmarks/workbook.py` prints JSON.

Seconds are those of this process (a shared machine would be measured otherwise), households included; `ratio` is figure over goal.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from coopconnect.export.sheet_comparison import Compared  # noqa: E402
from coopconnect.export.workbook import Included, groups_of, workbook  # noqa: E402
from coopconnect.model.assessment import assess  # noqa: E402
from coopconnect.parameters import DATA_DIR, load_parameters  # noqa: E402
from coopconnect.scenario import reference_scenario  # noqa: E402
from coopconnect.territory.load import load_territory  # noqa: E402

SECONDS, MEGABYTES = 3.0, 5.0
SITE = "84047"


def main() -> None:
    """Three workbooks; the quickest counts."""
    parameters = load_parameters()
    place = load_territory("93", DATA_DIR / "territory", parameters.value("circuity"), parameters.values_with({}))
    usual = reference_scenario(parameters)
    moved = usual.with_values(
        fuel_price_eur_per_l=2.25, telework_days_per_week=2.5, council_contribution_eur_per_year=12e3
    )
    now, reference = assess(place, moved, parameters), assess(place, usual, parameters)
    crisis = assess(place, usual.with_values(fuel_price_eur_per_l=3.0, telework_days_per_week=3.0), parameters)
    compared = (Compared("Reference", reference), Compared("Crisis", crisis))
    seconds, content = [], b""
    for _ in range(3):
        started = time.process_time()
        groups = groups_of(place, moved, parameters, None, None)
        included = Included(place, None, groups, compared)
        content = workbook(
            now, reference, parameters, place.provenance, "fr", SITE, on=date(2026, 1, 1), included=included
        )
        seconds.append(time.process_time() - started)
    found = {
        "workbook_seconds": {"figure": round(min(seconds), 2), "goal": SECONDS, "ratio": round(min(seconds) / SECONDS, 2)},
        "workbook_megabytes": {"figure": round(len(content) / 1e6, 2), "goal": MEGABYTES, "ratio": round(len(content) / 1e6 / MEGABYTES, 2)},
    }  # fmt: skip
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
