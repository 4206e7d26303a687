"""Derive data/territory/postcodes.parquet from the official table of communes (@etalab/decoupage-administratif).

    python scripts/derive_postcodes.py [--inputs .cache/inputs]

One row per pair of a postcode and a commune of today, and one more for each other name under which it is addressed (its
districts, the communes it absorbed); name is empty for the commune's own. Public lists of places give a postcode and a name rather
than an INSEE code, and the summer indicators of DRIAS are by postcode.
"""

from __future__ import annotations

import argparse
import json
import tarfile
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]


def derive(archive: Path, communes: pd.DataFrame) -> pd.DataFrame:
    """Columns postcode, zone_code, name ('' for the commune's own); sorted. communes: zone_code and name of today."""
    with tarfile.open(archive) as packed:
        member = packed.extractfile("package/data/communes.json")
        assert member is not None
        rows = json.load(member)
    known = dict(zip(communes["zone_code"], communes["name"], strict=True))
    found = set()
    postcodes_of = {row["code"]: row.get("codesPostaux", []) for row in rows if row["type"] == "commune-actuelle"}
    for row in rows:
        parent = row.get("chefLieu") or row.get("commune") or row["code"]
        if parent in known:
            postcodes = row.get("codesPostaux") or postcodes_of.get(parent, [])
            name = "" if row["nom"] == known[parent] else row["nom"]
            found |= {(postcode, parent, name) for postcode in postcodes}
    return pd.DataFrame(sorted(found), columns=["postcode", "zone_code", "name"])


def main() -> None:
    """Write data/territory/postcodes.parquet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=Path, default=ROOT / ".cache" / "inputs")
    options = parser.parse_args()
    territory = ROOT / "data" / "territory"
    communes = pq.read_table(territory / "communes.parquet", columns=["zone_code", "name"]).to_pandas()
    (archive,) = options.inputs.glob("etalab-decoupage-administratif-*.tgz")
    derive(archive, communes).to_parquet(
        territory / "postcodes.parquet", index=False, compression="zstd", compression_level=19
    )


if __name__ == "__main__":
    main()
