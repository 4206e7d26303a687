"""Territories one can choose: régions, départements, EPCI, lists of communes."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from coopconnect.parameters import DATA_DIR, Parameters
from coopconnect.territory.load import load_territory, shipped_areas
from coopconnect.territory.official.tables import NOTHING, Official
from coopconnect.territory.types import Territory

TERRITORY_DIR = DATA_DIR / "territory"
_CODE = re.compile(r"\d{5}|2[AB]\d{3}")
MAX_LISTED = 3000
"""Communes that a list may hold: it travels in the address."""


@lru_cache(maxsize=4)
def choices(kind: str) -> dict[str, str]:
    """Name by territory code of all 'region', 'departement' or 'epci', in the order of their names."""
    found = {
        code: f"{name} ({code[1:]})" if kind == "departement" else name
        for code, k, name in shipped_areas()
        if k == kind
    }
    return dict(sorted(found.items(), key=lambda item: item[1].casefold()))


@lru_cache(maxsize=1)
def departement_names() -> dict[str, str]:
    """Name of each département by its code, '84' for Vaucluse."""
    return {code[1:]: name for code, kind, name in shipped_areas() if kind == "departement"}


def communes_code(text: str) -> str:
    """Territory code of a list of INSEE codes written by hand: the codes, sorted, joined by commas."""
    codes = re.findall(r"\b(?:\d{5}|2[AaBb]\d{3})\b", text)
    return ",".join(sorted({code.upper() for code in codes}))


def load_place(code: str, parameters: Parameters, official: Official = NOTHING) -> Territory:
    """Load a territory by the code that an address may carry: one of `list_territories`, or commune codes.

    `official`: the official tables that are loaded. Unlike the command line, an address never names a file of this machine. Raises ValueError with what is allowed.
    """
    circuity, values = parameters.value("circuity"), parameters.values_with({})
    listed = code.split(",")
    if all(_CODE.fullmatch(part) for part in listed):
        if len(listed) > MAX_LISTED:
            raise ValueError(f"territory: {len(listed)} communes; at most {MAX_LISTED} can be listed")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "communes.txt"
            path.write_text("\n".join(listed), encoding="utf-8")
            found = load_territory(str(path), TERRITORY_DIR, circuity, values, official)
        return replace(found, code=code, name=f"{len(listed)} communes")
    if not re.fullmatch(r"[0-9A-Za-z]{1,12}", code):
        raise ValueError("territory: allowed a région (93), a département (d84), an EPCI (nine figures), FR, or codes")
    return load_territory(code, TERRITORY_DIR, circuity, values, official)
