"""Derive data/territory/fuel_years.csv from the weekly pump prices of the EU Weekly Oil Bulletin.

    python scripts/derive_fuel.py [--shared ../shared]

One row per year: mean, low and high of the weekly prices of petrol (Euro 95) and diesel in France, EUR/L with tax, the
number of weeks and the last of them. It is what the fuel lever shows behind it while no weekly table is loaded.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from coopconnect.territory.build.sources_page import refresh  # noqa: E402
from coopconnect.territory.official.kinds import import_file  # noqa: E402


def derive(file: Path) -> pd.DataFrame:
    """year, {petrol, diesel}_{mean, low, high}, weeks, last_week."""
    frame = import_file(file, file.name, "fuel").frame
    assert frame is not None
    year = frame["week"].dt.year
    table = pd.DataFrame({"year": sorted(year.unique())}).set_index("year")
    for name in ("petrol", "diesel"):
        by_year = frame.groupby(year)[f"{name}_eur_per_l"]
        for what, value in (("mean", by_year.mean()), ("low", by_year.min()), ("high", by_year.max())):
            table[f"{name}_{what}"] = value.round(4)
    table["weeks"] = frame.groupby(year).size()
    table["last_week"] = frame.groupby(year)["week"].max().dt.strftime("%Y-%m-%d")
    return table.reset_index()


def main() -> None:
    """Write data/territory/fuel_years.csv and its line in data/SOURCES.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    options = parser.parse_args()
    folder = ROOT / "data" / "territory"
    table = derive(options.shared / "data" / "fuel" / "france_weekly_prices_2005_2025.csv")
    table.to_csv(folder / "fuel_years.csv", index=False, lineterminator="\n")
    refresh(ROOT / "data" / "SOURCES.md", folder)


if __name__ == "__main__":
    main()
