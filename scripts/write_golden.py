"""Write tests/golden_paca.json again: figures of a few communes in the reference scenario.

Run it only when a change of results is wanted, and say in CHANGELOG.md what moved and why.
"""

from __future__ import annotations

import json
from pathlib import Path

from coopconnect.model.assessment import assess
from coopconnect.parameters import DATA_DIR, load_parameters
from coopconnect.scenario import reference_scenario
from coopconnect.territory.load import load_territory

ROOT = Path(__file__).resolve().parents[1]
SITES = ("84003", "84118", "04088", "13055", "05061", "06088")
FIELDS = ("score", "users", "hours_per_year", "eur_per_year", "kg_co2e_per_year", "viability", "desks")


def main() -> None:
    parameters = load_parameters()
    territory = load_territory("93", DATA_DIR / "territory", circuity=parameters.value("circuity"))
    result = assess(territory, reference_scenario(parameters), parameters)
    sites = result.sites.set_index("zone_code")
    golden = {code: {name: round(float(sites.loc[code, name]), 4) for name in FIELDS} for code in SITES}
    document = {"model_version": result.model_version, "sites": golden}
    (ROOT / "tests" / "golden_paca.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
