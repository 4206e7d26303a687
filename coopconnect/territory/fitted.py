"""The fitted coefficients of data/parameters.toml (status 'fitted'), as plain numbers by key."""

from __future__ import annotations

import tomllib
from pathlib import Path

from coopconnect.parameters import PARAMETERS_FILE


def fitted_values(path: Path = PARAMETERS_FILE) -> dict[str, float]:
    """Values of the fitted parameters by key; ValueError says how to make them when there is none."""
    with path.open("rb") as file:
        table = tomllib.load(file)
    values = {
        key: float(entry["value"])
        for key, entry in table.items()
        if isinstance(entry, dict) and entry.get("status") == "fitted"
    }
    if not values:
        raise ValueError(f"{path.name}: no fitted parameter. Run `python scripts/fit_territory.py --write`.")
    return values
