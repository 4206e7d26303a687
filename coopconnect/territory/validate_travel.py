"""Estimated driving times against a file of routed ones: `python -m coopconnect validate travel`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from coopconnect.territory import travel
from coopconnect.territory.estimate import Estimate
from coopconnect.territory.official.codes import CodeMap
from coopconnect.territory.official.kinds import import_file
from coopconnect.territory.official.tables import rows_of
from coopconnect.territory.paths import Paths

BANDS_MIN = ((3, 10), (10, 20), (20, 40), (40, 60), (60, 120))
LEAST_MIN = 0.5


def validate_travel(observed: Path, data_dir: Path, values: Mapping[str, float]) -> dict[str, object]:
    """The built-in estimate against a square table or a list of trips (see `data import`).

    values: the parameters. Keys: pairs, codes_not_placed (lines), median_error, p90_error, bias (median ratio less
    1), and `bands`: for each band of observed minutes the same figures, and bias_estimated, the bias of the pairs whose
    *estimate* is in the band. Sorting by what was observed makes short trips look over-estimated (who is there is
    there by luck as well); sorting by the estimate says what a reader of an estimate may expect. ReadingError, OSError.
    """
    found = import_file(observed, observed.name, "travel", codes=CodeMap.load(data_dir))
    assert found.frame is not None
    communes = pq.read_table(data_dir / "communes.parquet").to_pandas()
    law = travel.TravelLaw.from_parameters(values)
    ends, paths = travel.Ends.of(travel.settlement(communes), law), Paths.load(data_dir, len(communes))
    estimate = Estimate(communes, ends, law, float(values["circuity"]), paths)
    frame = found.frame[found.frame["from_code"] != found.frame["to_code"]]
    origin, target = rows_of(frame["from_code"], communes), rows_of(frame["to_code"], communes)
    seen = frame["drive_min"].to_numpy(float)
    keep = (origin >= 0) & (target >= 0) & (seen >= LEAST_MIN)
    seen, guess = seen[keep], estimate.trips(origin[keep], target[keep]).drive_min.astype(float)
    bands = [
        {"from_min": low, "to_min": high, **_figures(seen, guess, seen, low, high),
         "bias_estimated": _figures(seen, guess, guess, low, high)["bias"]}
        for low, high in BANDS_MIN
    ]  # fmt: skip
    whole = _figures(seen, guess, seen, 0.0, np.inf)
    return {**whole, "codes_not_placed": sum(p.count for p in found.problems if "commune" in p.reason_en),
            "bands": bands}  # fmt: skip


def _figures(
    seen: np.ndarray, guess: np.ndarray, sorted_by: np.ndarray, low: float, high: float
) -> dict[str, float | int | None]:
    """Errors of the pairs that `sorted_by` puts between `low` and `high` minutes; None where there is none."""
    rows = (sorted_by >= low) & (sorted_by < high)
    if not rows.any():
        return {"pairs": 0, "median_error": None, "p90_error": None, "bias": None}
    ratio = pd.Series(guess[rows] / seen[rows])
    error = (ratio - 1).abs()
    return {
        "pairs": int(rows.sum()), "median_error": float(error.median()), "p90_error": float(error.quantile(0.9)),
        "bias": float(ratio.median() - 1),
    }  # fmt: skip
