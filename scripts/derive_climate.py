"""Derive data/territory/climate.csv from the DRIAS-2020 workbooks of Météo-France by département.

    python scripts/derive_climate.py [--shared ../shared]

Days a year above 35 degrees C (NORTX35): today by straight line between the reference (1976-2005) and the horizon H1
(2021-2050) of RCP8.5, at 2026 between the middles of the two periods; then H1, H2 (2041-2070) and H3 (2071-2100),
taken as analogues of the French trajectory (TRACC) in 2030, 2050 and 2100. One climate model stands behind these
workbooks, and DRIAS and TRACC do not share their reference period: the figures are estimates, an order of magnitude.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from coopconnect.territory.official.climate import H1_MIDDLE, REFERENCE_MIDDLE, TODAY  # noqa: E402

COLUMNS = {
    "NORTX35_REF": "reference",
    "NORTX35_H1": "tracc_2030",
    "NORTX35_H2": "tracc_2050",
    "NORTX35_H3": "tracc_2100",
}


def derive(shared: Path) -> pd.DataFrame:
    """One row per metropolitan département: departement and the four stops, days a year."""
    folder = shared / "data" / "climate"
    tables = [
        pd.read_excel(folder / name, dtype={"INSEE_DEP": str}).set_index("INSEE_DEP")
        for name in ("DRIAS_2020_REFERENCE_DEPARTEMENTS.xlsx", "DRIAS_2020_8_5_DEPARTEMENTS.xlsx")
    ]
    table = pd.concat([t[[c for c in COLUMNS if c in t.columns]] for t in tables], axis=1)
    table = table.rename(columns=COLUMNS).sort_index()
    passed = (TODAY - REFERENCE_MIDDLE) / (H1_MIDDLE - REFERENCE_MIDDLE)
    table.insert(0, "today", table["reference"] + passed * (table["tracc_2030"] - table["reference"]))
    table = table.drop(columns="reference").round(2)
    table.index.name = "departement"
    return table.reset_index()


def main() -> None:
    """Write data/territory/climate.csv."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    options = parser.parse_args()
    derive(options.shared).to_csv(ROOT / "data" / "territory" / "climate.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
