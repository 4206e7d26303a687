"""Modelled jobs against a file of observed ones: `python -m coopconnect validate jobs`."""

from __future__ import annotations

from pathlib import Path

from coopconnect.parameters import DATA_DIR
from coopconnect.territory.validate_margins import compare_margin


def validate_jobs(observed: Path, data_dir: Path = DATA_DIR / "territory") -> dict[str, float | int]:
    """Errors of the shipped jobs (see `validate_margins.compare_margin`); OSError, ReadingError (both languages)."""
    return compare_margin(observed, "jobs", data_dir)
