"""What workers and jobs have in common when they are set against a file: reading it, and the figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from coopconnect.territory.official.codes import CodeMap
from coopconnect.territory.official.kinds import Imported, import_file
from coopconnect.territory.official.reading import ReadingError


def read_observed(observed: Path, table: str, data_dir: Path) -> tuple[Imported, pd.DataFrame]:
    """The rows of a file that are usable; OSError when it cannot be opened, ReadingError when nothing is usable."""
    imported = import_file(observed, observed.name, table=table, codes=CodeMap.load(data_dir))
    if imported.frame is None or not imported.usable:
        raise ReadingError(
            f"{observed.name} : aucune ligne utilisable. Il faut des codes de communes et des nombres.",
            f"{observed.name}: no usable line. Commune codes and numbers are needed.",
        )
    return imported, imported.frame


def codes_not_placed(imported: Imported) -> int:
    """Lines of the file whose commune code nobody knows."""
    return sum(p.count for p in imported.problems if "code" in p.reason_en)


def compare_margin(observed: Path, column: str, data_dir: Path) -> dict[str, float | int]:
    """Modelled `column` (workers or jobs) of the shipped communes against a file (INSEE comparator or like it).

    Keys: n (communes compared, those above zero in the file), median_error and weighted_error (shares; weighted =
    sum of gaps / sum observed), log_r2 (nan under two communes), total_ratio (modelled / observed),
    observed_total (persons or jobs), codes_not_placed (lines).
    """
    imported, frame = read_observed(observed, "margins", data_dir)
    if column not in frame.columns:
        fr, en = {
            "jobs": ("emplois au lieu de travail (P##_EMPLT)", "jobs at the place of work (P##_EMPLT)"),
            "workers": ("actifs et chômeurs (P##_ACT1564, P##_CHOM1564)", "active and unemployed (P##_ACT1564, ...)"),
        }[column]
        raise ReadingError(f"{observed.name} : il manque les {fr}.", f"{observed.name}: {en} missing.")
    shipped = pq.read_table(data_dir / "communes.parquet", columns=["zone_code", column]).to_pandas()
    both = shipped.merge(frame[["zone_code", column]], on="zone_code", suffixes=("", "_seen"))
    both = both[both[f"{column}_seen"] > 0]
    model, seen = both[column].to_numpy(float), both[f"{column}_seen"].to_numpy(float)
    if not len(seen):
        raise ReadingError(
            f"{observed.name} : aucune commune commune avec les données livrées.",
            f"{observed.name}: no commune in common with the shipped data.",
        )
    logs = np.log(np.maximum(model, 0.1)), np.log(seen)
    spread = float(((logs[1] - logs[1].mean()) ** 2).sum())
    return {
        "n": len(seen),
        "median_error": float(np.median(np.abs(model / seen - 1))),
        "weighted_error": float(np.abs(model - seen).sum() / seen.sum()),
        "log_r2": 1 - float(((logs[1] - logs[0]) ** 2).sum()) / spread if spread > 0 else float("nan"),
        "total_ratio": float(model.sum() / seen.sum()),
        "observed_total": float(seen.sum()),
        "codes_not_placed": codes_not_placed(imported),
    }
