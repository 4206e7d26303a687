"""INSEE codes of other years brought to the communes of today (COG 2026), and what kind each code is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

ABROAD = re.compile(r"(BE|CH|DE|LU|MC|IT|ES|AD|GB|UK)[\dX]*|[A-Z]{2}X{3}|99\d{3}|Z{5}|Y{5}|MONAC")
"""Codes of places abroad. A word ("TOTAL", the name of a commune) is not one: it would count as work abroad."""
OVERSEAS = re.compile(r"9[78]\d{3}")
DISTRICTS = {
    **{f"751{k:02d}": "75056" for k in range(1, 21)},
    **{f"6938{k}": "69123" for k in range(1, 10)},
    **{f"132{k:02d}": "13055" for k in range(1, 17)},
}
"""Districts of Paris, Lyon and Marseille, with their city."""
SPLIT_SINCE = {"60694": "60054", "85165": "85084", "85212": "85084"}
"""Communes that left another one after the census of 2021, with the one they left: a file of before has their figures under its
code. Source: COG 2021 to 2026, as data/SOURCES.md lists them (a test holds the two together)."""
KINDS = ("today", "former", "district", "overseas", "abroad", "unknown")


@dataclass(frozen=True, eq=False)
class CodeMap:
    """Codes of today, and the commune of today of each former one."""

    current: frozenset[str]
    former: Mapping[str, str]

    @classmethod
    def load(cls, data_dir: Path) -> CodeMap:
        """From the shipped tables of communes and of former codes."""
        current = pq.read_table(data_dir / "communes.parquet", columns=["zone_code"])["zone_code"].to_pylist()
        table = pq.read_table(data_dir / "former_codes.parquet")
        former = dict(zip(table["code_2021"].to_pylist(), table["zone_code"].to_pylist(), strict=True))
        return cls(frozenset(current), former)

    def one(self, code: str) -> str:
        """The commune of today of a code, '' where it has none."""
        code = clean(code)
        if code in self.current:
            return code
        return self.former.get(code) or DISTRICTS.get(code, "")

    def kind(self, code: str) -> str:
        """One of `KINDS`."""
        code = clean(code)
        if code in self.current:
            return "today"
        if code in DISTRICTS:
            return "district"
        if code in self.former:
            return "former"
        if OVERSEAS.fullmatch(code):
            return "overseas"
        return "abroad" if ABROAD.fullmatch(code) else "unknown"

    def today(self, codes: pd.Series) -> pd.Series:
        """Commune of today of each code, '' where it has none. Works on the distinct codes only."""
        return self._by_distinct(codes, self.one)

    def kinds(self, codes: pd.Series) -> pd.Series:
        """Kind of each code."""
        return self._by_distinct(codes, self.kind)

    def left_with(self, today: pd.Series) -> dict[str, tuple[str, ...]]:
        """Communes of a file that still hold those that left them since: {code: those without a line of their own}."""
        present = set(today)
        found: dict[str, tuple[str, ...]] = {}
        for child, parent in SPLIT_SINCE.items():
            if parent in present and child not in present:
                found[parent] = (*found.get(parent, ()), child)
        return found

    @staticmethod
    def _by_distinct(codes: pd.Series, what) -> pd.Series:  # type: ignore[no-untyped-def]
        place, distinct = pd.factorize(codes.astype(object).fillna(""))
        found = pd.Series([what(str(code)) for code in distinct], dtype=object)
        return pd.Series(found.to_numpy()[place], index=codes.index, dtype=object)


def clean(code: str) -> str:
    """A code as INSEE writes it: upper case, five characters.

    A spreadsheet may have lost the leading zero, written 84003.0, or kept ="84003".
    """
    code = code.strip().strip("='\"").strip().upper().removesuffix(".0")
    return code.zfill(5) if code.isdigit() and len(code) == 4 else code
