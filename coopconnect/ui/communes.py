"""Any commune of metropolitan France by a part of its name or its postcode, accents and capitals apart."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import lru_cache

import pyarrow.parquet as pq

from coopconnect.ui.filters import plain
from coopconnect.ui.places import TERRITORY_DIR

MOST_FOUND = 8
_LABEL = re.compile(r"(?P<name>.*?)\s*\((?P<departement>\d{2}|2[ABab])\)\s*")


@dataclass(frozen=True)
class Commune:
    """A commune, and its name with its département, which `find` takes back: 'Apt (84)'."""

    code: str
    name: str
    departement: str
    population: int

    @property
    def label(self) -> str:
        """'Apt (84)'."""
        return f"{self.name} ({self.departement})"


@dataclass(frozen=True, eq=False)
class _Index:
    by_code: dict[str, Commune]
    names: list[tuple[str, Commune]]
    by_postcode: dict[str, list[str]]


@lru_cache(maxsize=1)
def _index() -> _Index:
    table = pq.read_table(
        TERRITORY_DIR / "communes.parquet", columns=["zone_code", "name", "departement", "population"]
    )
    found = [
        Commune(c, n, d, int(p)) for c, n, d, p in zip(*(column.to_pylist() for column in table.columns), strict=True)
    ]
    found.sort(key=lambda commune: -commune.population)
    posts = pq.read_table(TERRITORY_DIR / "postcodes.parquet", columns=["postcode", "zone_code"])
    by_postcode: dict[str, list[str]] = {}
    for post, code in zip(*(column.to_pylist() for column in posts.columns), strict=True):
        by_postcode.setdefault(post, []).append(code)
    return _Index({c.code: c for c in found}, [(_key(c.name), c) for c in found], by_postcode)


def _key(text: str) -> str:
    """`plain`, with the usual shortening of 'saint' written out."""
    words = plain(text).split()
    return " ".join({"st": "saint", "ste": "sainte"}.get(word, word) for word in words)


def commune(code: str) -> Commune | None:
    """A commune by its INSEE code, None where there is none."""
    return _index().by_code.get(code)


@lru_cache(maxsize=512)
def find(text: str) -> tuple[Commune, ...]:
    """Communes that a text names, best first: by INSEE code or postcode; by name (whole, then its start, then a part of
    it), the larger first. 'Apt (84)' keeps one département. At most `MOST_FOUND`."""
    index, text = _index(), text.strip()
    if text.upper() in index.by_code and text.upper() not in index.by_postcode:
        return (index.by_code[text.upper()],)
    if text in index.by_postcode:
        found = [index.by_code[code] for code in index.by_postcode[text] if code in index.by_code]
        return tuple(sorted(found, key=lambda c: -c.population)[:MOST_FOUND])
    label = _LABEL.fullmatch(text)
    wanted = _key(label["name"] if label else text)
    if not wanted:
        return ()
    departement = label["departement"].upper() if label else ""
    ranks: list[list[Commune]] = [[], [], []]
    for name, item in index.names:
        if wanted in name and (not departement or item.departement == departement):
            ranks[0 if name == wanted else 1 if name.startswith(wanted) else 2].append(item)
    if label and ranks[0]:
        return tuple(ranks[0][:MOST_FOUND])
    return tuple((ranks[0] + ranks[1] + ranks[2])[:MOST_FOUND])


@lru_cache(maxsize=64)
def near(text: str) -> tuple[str, ...]:
    """Labels of communes whose names look like a text that names none."""
    names: dict[str, Commune] = {}
    for name, item in _index().names:
        names.setdefault(name, item)
    return tuple(names[name].label for name in difflib.get_close_matches(_key(text), names, n=3, cutoff=0.7))
