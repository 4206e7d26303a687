"""Fit the coefficients of the territory models on public files and write them to data/parameters.toml.

    python scripts/fit_territory.py [--shared ../shared] [--inputs .cache/inputs] [--write] [--report FILE]

Reads data/territory/communes.parquet (run `python -m coopconnect data build` first) and, under --shared, the
INSEE comparator (RP 2018), the commuting flows inside Isère (RP 2017) and the OSRM table of 512 communes of
Isère. Prints every figure that docs/territory.md quotes, each on data that the fit did not see.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fitting.common import BEGIN, END, SEED, Fitted, Isere, comparator, r_squared, read_isere, to_toml, write_block  # noqa: E402, F401
from fitting.flows import first_try, fit_flows, flow_model, isere_min  # noqa: E402, F401
from fitting.jobs import fit_jobs  # noqa: E402
from fitting.rural import fit_rural, official_density  # noqa: E402
from fitting.travel import fit_travel  # noqa: E402
from fitting.workers import fit_workers  # noqa: E402

from coopconnect.territory import travel  # noqa: E402
from coopconnect.territory.build import models  # noqa: E402


def main() -> None:
    """Fit everything, print the figures as JSON, write the block when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--data", type=Path, default=ROOT / "data")
    parser.add_argument("--write", action="store_true", help="write the block of data/parameters.toml")
    parser.add_argument("--report", type=Path, help="write the figures there as JSON")
    options = parser.parse_args()
    fitted, figures = fit_all(options.shared, options.data / "territory")
    print(json.dumps(figures, indent=1))
    if options.report:
        options.report.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if options.write:
        write_block(options.data / "parameters.toml", to_toml(fitted, date.today()))


def fit_all(shared: Path, folder: Path) -> tuple[list[Fitted], dict[str, float]]:
    """Workers, jobs, travel and flows in turn; each uses what the one before found."""
    zones = pq.read_table(folder / "communes.parquet").to_pandas().set_index("zone_code")
    former = pq.read_table(folder / "former_codes.parquet").to_pandas()
    current = dict(zip(former["code_2021"], former["zone_code"], strict=True))
    current.update({code: code for code in zones.index})
    xy_km = models.plane_km(zones)
    seen = comparator(shared, current).reindex(zones.index)
    worker_fit, figures = fit_workers(zones, seen["workers"])
    values = {p.key: p.value for p in worker_fit}
    workers = models.employed_residents(zones, values)
    job_fit, found = fit_jobs(zones, workers, seen["jobs"], xy_km)
    figures |= found
    values |= {p.key: p.value for p in job_fit}
    jobs = models.jobs_at_work(zones, workers, *xy_km, values)
    rural_fit, found = fit_rural(zones, xy_km, official_density(shared, zones))
    figures |= found
    pairs = read_isere(shared, zones, current)
    travel_fit, found = fit_travel(pairs)
    figures |= found
    law = travel.TravelLaw.from_parameters({p.key: p.value for p in travel_fit})
    rows = zones.index.get_indexer(pairs.codes)
    flow_fit, found = fit_flows(pairs, law, jobs[rows], workers[rows])
    return worker_fit + job_fit + rural_fit + travel_fit + flow_fit, figures | found


if __name__ == "__main__":
    main()
