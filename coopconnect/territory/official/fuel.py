"""Weekly pump prices: what the fuel lever is set against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from coopconnect.parameters import DATA_DIR
from coopconnect.territory.official.codes import CodeMap
from coopconnect.territory.official.readers import column_problems, numbers
from coopconnect.territory.official.reading import Problem, RawTable

PLAUSIBLE_EUR_PER_L = (0.2, 6.0)
"""Prices outside are taken for another unit (per 1,000 L) or an error, and told."""
_EXCEL_EPOCH = pd.Timestamp("1899-12-30")
"""Day 0 of a workbook whose dates are written as numbers, as the bulletin's may be."""
_HEADS = frozenset({"date", "prices in force on"})
"""What the bulletin writes over its dates on the lines of product names and units."""


def read(
    raw: RawTable, mapping: Mapping[str, str], _codes: CodeMap
) -> tuple[pd.DataFrame, list[Problem], list[tuple[str, str]]]:
    """Rows of the table 'fuel': Monday of the week, petrol and diesel, EUR/L with tax. Prices per 1,000 L are divided."""
    text = raw.frame[mapping["week"]].str.strip()
    day = pd.to_datetime(text, errors="coerce", format="ISO8601")
    day = day.fillna(pd.to_datetime(text, errors="coerce", format="%d/%m/%Y"))
    day = day.fillna(
        _EXCEL_EPOCH + pd.to_timedelta(pd.to_numeric(text.where(text.str.fullmatch(r"[345]\d{4}"))), unit="D")
    )
    text = text.where(~text.str.lower().isin(_HEADS) | day.notna(), "")
    problems = column_problems(text, day.isna() & (text != ""), mapping["week"], "n'est pas une date", "is not a date")
    frame = pd.DataFrame({"week": day - pd.to_timedelta(day.dt.day_of_week, unit="D")})
    notes: list[tuple[str, str]] = []
    low, high = PLAUSIBLE_EUR_PER_L
    for name in ("petrol_eur_per_l", "diesel_eur_per_l"):
        if name not in mapping:
            continue
        value, wrong = numbers(raw.frame[mapping[name]])
        wrong &= text != ""
        if value.median() > 100.0 * low:
            value = value / 1000.0
            notes.append((f"{mapping[name]} : lu en € pour 1 000 L", f"{mapping[name]}: read as EUR per 1,000 L"))
        wrong |= value.notna() & ~value.between(low, high)
        problems += column_problems(
            raw.frame[mapping[name]], wrong, mapping[name], "n'est pas un prix en €/L", "is not a price in EUR/L"
        )
        frame[name] = value.where(value.between(low, high))
    prices = [c for c in frame.columns if c != "week"]
    dateless = int((frame["week"].isna() & (text == "") & frame[prices].notna().any(axis=1)).sum())
    if dateless:
        notes.append(
            (
                f"lignes avec un prix et sans date, laissées : {dateless}",
                f"lines with a price and no date, left out: {dateless}",
            )
        )
    frame = frame[frame["week"].notna() & frame[prices].notna().any(axis=1)]
    frame = frame.groupby("week", sort=True)[prices].mean().reset_index()
    return frame, problems, notes


@dataclass(frozen=True)
class History:
    """Prices behind the lever: one per year (shipped) or per week (loaded), mean of petrol and diesel, EUR/L.

    first, last: '2005' or an ISO date. weekly: True where there is one per week.
    """

    prices: tuple[float, ...]
    first: str
    last: str
    weekly: bool

    def share_below(self, price: float) -> float:
        """Part of the record that is under a price, 0 to 1."""
        return float(np.mean(np.array(self.prices) < price)) if self.prices else 0.0


def history_of(frame: pd.DataFrame) -> History:
    """The record of a loaded table: the mean of petrol and diesel of each week."""
    prices = frame[[c for c in ("petrol_eur_per_l", "diesel_eur_per_l") if c in frame]].mean(axis=1)
    weeks = pd.to_datetime(frame["week"])
    return History(
        tuple(float(p) for p in prices), weeks.min().date().isoformat(), weeks.max().date().isoformat(), True
    )


@lru_cache(maxsize=1)
def shipped_history(path: Path = DATA_DIR / "territory" / "fuel_years.csv") -> History:
    """The record that is shipped: the mean of each year (scripts/derive_fuel.py)."""
    table = pd.read_csv(path)
    prices = table[["petrol_mean", "diesel_mean"]].mean(axis=1)
    return History(tuple(float(p) for p in prices), str(table["year"].iloc[0]), str(table["last_week"].iloc[-1]), False)
