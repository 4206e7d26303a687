"""The catalogue of publishers' files, read from `data/catalogue.toml` and checked; all problems are told at once."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from coopconnect.parameters import DATA_DIR
from coopconnect.territory.official.contract import TABLES, Label

__all__ = ["CATALOGUE_FILE", "Catalogue", "Entry", "also_feeding", "choose", "load_catalogue"]

CATALOGUE_FILE = DATA_DIR / "catalogue.toml"
FORMATS = ("zip", "xlsx", "csv", "csv.gz", "parquet")
CHECKED = ("issue", "evidence", "search", "not checked")
REFRESH_DAYS = {"weekly": 7, "monthly": 31, "yearly": 366, "never": 0}


@dataclass(frozen=True)
class Entry:
    """One file of a publisher. `feeds` names a table of the contract, `url` is empty where no address is known.

    file_name is what the file is called on a mirror or in a folder (`*` allowed where the date is in the name).
    member is the file inside a zip. columns are those the import uses (`*` allowed). size_mb is 0 where unknown.
    checked says how the address is known: 'issue', 'evidence', 'search' or 'not checked'.
    """

    key: str
    feeds: str
    title_fr: str
    title_en: str
    url: str
    page: str
    file_name: str
    format: str
    columns: tuple[str, ...]
    year: str
    publisher: str
    licence: str
    size_mb: float
    size_note: str
    refresh: str
    default: bool
    checked: str
    alternatives: tuple[str, ...] = ()
    separator: str = ""
    member: str = ""
    sha256: str = ""

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses to try, in order."""
        return tuple(url for url in (self.url, *self.alternatives) if url)

    @property
    def named_fr(self) -> str:
        """What a message calls it: its title, then its key, by which the command line asks for it."""
        return f"{self.title_fr} ({self.key})"

    @property
    def named_en(self) -> str:
        """`named_fr` in English."""
        return f"{self.title_en} ({self.key})"

    @property
    def source_fr(self) -> str:
        """The source of what is read of it, as a label says it."""
        return f"{self.publisher}, {self.title_fr}"

    @property
    def source_en(self) -> str:
        """`source_fr` in English."""
        return f"{self.publisher}, {self.title_en}"

    @property
    def refresh_days(self) -> int:
        """Days after which a newer edition is likely; 0 for a file that does not change."""
        return REFRESH_DAYS[self.refresh]


Catalogue = dict[str, Entry]


@lru_cache(maxsize=4)
def _load(path: Path, _mtime_ns: int) -> Catalogue:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} cannot be read as TOML: {error}") from None
    problems: list[str] = []
    catalogue = {}
    for key, values in tables.items():
        found = _problems_of(key, values)
        problems += [f"{path.name}, entry {key}: {problem}" for problem in found]
        if not found:
            lists: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
            catalogue[key] = Entry(key=key, **lists)
    if problems:
        raise ValueError("\n".join(problems))
    return catalogue


def load_catalogue(path: Path = CATALOGUE_FILE) -> Catalogue:
    """Entries by key. ValueError lists every problem, each with file, entry and field; FileNotFoundError."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: it lists the files to fetch and comes with the project")
    return dict(_load(path, path.stat().st_mtime_ns))


def choose(catalogue: Mapping[str, Entry], only: Iterable[str] = ()) -> list[Entry]:
    """Entries named in `only` (keys, or names of tables: the default files that feed it, all where none is), else the default ones.

    ValueError names what is unknown, what is near and what is allowed.
    """
    chosen: dict[str, Entry] = {}
    unknown = []
    wanted = list(only)
    for name in wanted:
        if name in catalogue:
            chosen[name] = catalogue[name]
        elif name in TABLES:
            feeding = [entry for entry in catalogue.values() if entry.feeds == name]
            chosen.update((e.key, e) for e in [e for e in feeding if e.default] or feeding)
        else:
            near = difflib.get_close_matches(name, [*catalogue, *TABLES], n=3, cutoff=0.4)
            unknown.append(f"{name!r} is not in the catalogue" + (f" (near: {', '.join(near)})" if near else ""))
    if unknown:
        raise ValueError("; ".join(unknown) + f". Allowed: {', '.join(catalogue)}.")
    return list(chosen.values()) if wanted else [entry for entry in catalogue.values() if entry.default]


def also_feeding(
    catalogue: Mapping[str, Entry], only: Iterable[str], chosen: Iterable[Entry], labels: Mapping[str, Label]
) -> list[Entry]:
    """Entries that would add to a table named in `only`: not `chosen`, nor loaded already, nor an edition that is over.

    labels: of the tables that are loaded.
    """
    wanted, had = set(only) & set(TABLES), {entry.key for entry in chosen}
    open_ones = [e for e in catalogue.values() if e.feeds in wanted and e.key not in had and e.refresh_days]
    return [e for e in open_ones if e.feeds not in labels or e.source_fr not in labels[e.feeds].source]


def _problems_of(key: str, values: Any) -> list[str]:
    if not isinstance(values, dict):
        return ["is not a table; write [key] and its fields below"]
    known = {field.name: field for field in fields(Entry) if field.name != "key"}
    problems = [f"field {name} is unknown" + _near(name, known) for name in values if name not in known]
    for name, field in known.items():
        if name not in values:
            if field.default is MISSING:
                problems.append(f"field {name} is missing")
            continue
        if not _type_is_right(field.type, values[name]):
            problems.append(f"field {name} is {values[name]!r}; allowed: {_TYPES[str(field.type)][1]}")
    return problems if problems else _wrong_values(values)


def _near(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (near: {close[0]})" if close else ""


_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "a text"),
    "bool": ((bool,), "true or false"),
    "float": ((int, float), "a number"),
    "tuple[str, ...]": ((list,), "a list of texts"),
}


def _type_is_right(annotation: Any, value: Any) -> bool:
    kinds, _ = _TYPES[str(annotation)]
    if isinstance(value, bool) and bool not in kinds:
        return False
    return isinstance(value, kinds) and (not isinstance(value, list) or all(isinstance(v, str) for v in value))


def _wrong_values(values: Mapping[str, Any]) -> list[str]:
    problems = []
    for name, allowed in (
        ("feeds", tuple(TABLES)),
        ("format", FORMATS),
        ("checked", CHECKED),
        ("refresh", tuple(REFRESH_DAYS)),
        ("separator", ("", ";", ",", "\t")),
    ):
        if values.get(name, "") not in allowed:
            problems.append(f"field {name} is {values[name]!r}; allowed: {', '.join(map(repr, allowed))}")
    for name, address in [("url", values["url"]), ("page", values["page"])] + [
        ("alternatives", address) for address in values.get("alternatives", [])
    ]:
        if (address or name != "url") and urlsplit(address).scheme not in ("https", "http"):
            problems.append(f"field {name} is {address!r}; allowed: an address that starts with https://")
    texts = ("title_fr", "title_en", "file_name", "year", "publisher", "licence")
    problems += [f"field {name} is empty" for name in texts if not values[name].strip()]
    if "/" in values["file_name"] or "\\" in values["file_name"]:
        problems.append(f"field file_name is {values['file_name']!r}; allowed: a name without a folder")
    if values.get("sha256") and (len(values["sha256"]) != 64 or set(values["sha256"]) - set("0123456789abcdef")):
        problems.append("field sha256 is not 64 figures of 0-9, a-f")
    if values["size_mb"] < 0:
        problems.append(f"field size_mb is {values['size_mb']}; allowed: 0 (unknown) or more")
    return problems
