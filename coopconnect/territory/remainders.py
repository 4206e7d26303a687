"""The workers whose workplace is in no shipped pair: how many of each home go how far."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq


@dataclass(frozen=True, eq=False)
class Remainders:
    """A few lines for each home, nearest first: the share of its remainder that goes so far.

    start: (n + 1,) first line of each home. share: their sum over a home is 1. crow_km, drive_min: means of the line. One line
    alone would do for what is proportional to the way; whether one comes to a hub is not.
    """

    start: np.ndarray
    share: np.ndarray
    crow_km: np.ndarray
    drive_min: np.ndarray

    @classmethod
    def load(cls, data_dir: Path, n: int) -> Remainders:
        """Those that are shipped (`build.flows`), of n communes in the order of their table."""
        table = pq.read_table(data_dir / "remainders.parquet")
        home, amount = table["home_row"].to_numpy(), table["workers"].to_numpy().astype(float)
        if home.size and home[-1] >= n:
            raise ValueError(
                "remainders.parquet and communes.parquet are not of the same build: run `python -m coopconnect data build`"
            )
        share = amount / np.bincount(home, amount, n)[home]
        start = np.concatenate([[0], np.cumsum(np.bincount(home, minlength=n))])
        return cls(start, share, table["crow_km"].to_numpy(), table["drive_min"].to_numpy())
