"""What we assume: every parameter with its unit, its range, its source and the date of its next review.

`load_parameters` reads `data/parameters.toml` and refuses, all at once and by line, whatever lacks a unit, a
source or a bound. Values are plain floats; the file is the only place where they are written.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

DATA_DIR = Path(__file__).resolve().parent.parent / "data"
PARAMETERS_FILE = DATA_DIR / "parameters.toml"

STATUSES = ("retrieved", "memory", "assumption", "fitted")
REQUIRED = {
    "label_fr": str, "label_en": str, "unit": str, "value": float, "low": float, "high": float,
    "source": str, "url": str, "status": str, "valid_from": date, "review_by": date, "group": str,
}  # fmt: skip
OPTIONAL = {"source_fr": str, "note_fr": str, "note_en": str, "lever": dict}


class ParameterError(ValueError):
    """The parameter file is wrong; the message lists every problem with its line."""


@dataclass(frozen=True)
class Lever:
    """Bounds of a slider on the screen; `stops` are the named positions."""

    minimum: float
    maximum: float
    step: float
    stops: tuple[tuple[float, str, str], ...] = ()


@dataclass(frozen=True)
class Parameter:
    """One assumption. `low` and `high` bound what is credible, `lever` (if any) what the screen lets one try."""

    key: str
    label_fr: str
    label_en: str
    unit: str
    value: float
    low: float
    high: float
    source: str
    url: str
    status: str
    valid_from: date
    review_by: date
    group: str
    source_fr: str = ""
    note_fr: str = ""
    note_en: str = ""
    lever: Lever | None = None

    def label(self, language: str) -> str:
        """Its name in 'fr' or 'en'."""
        return self.label_en if language == "en" else self.label_fr

    def source_in(self, language: str) -> str:
        """Its source in 'fr' or 'en': titles stay as they are, what is a sentence is told in French too."""
        return self.source if language == "en" or not self.source_fr else self.source_fr

    def note(self, language: str) -> str:
        """Its caveat in 'fr' or 'en'."""
        return self.note_en if language == "en" else self.note_fr

    def bounds(self) -> tuple[float, float]:
        """What a user may enter: the lever's bounds where there is a lever, else low and high."""
        return (self.lever.minimum, self.lever.maximum) if self.lever else (self.low, self.high)


class Parameters(Mapping[str, Parameter]):
    """All parameters, by key. `p.value("circuity")` is the central value."""

    def __init__(self, items: Mapping[str, Parameter]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: str) -> Parameter:
        if key not in self._items:
            raise KeyError(f"no parameter named {key!r} in {PARAMETERS_FILE.name}")
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)  # one object per file: the identity keys the caches

    def value(self, key: str) -> float:
        """Central value of a parameter."""
        return self[key].value

    def values_with(self, changes: Mapping[str, float]) -> dict[str, float]:
        """Central values with `changes` put over them; unknown keys raise KeyError."""
        values = {key: item.value for key, item in self._items.items()}
        for key, value in changes.items():
            values[self[key].key] = float(value)
        return values


def _line_of(lines: list[str], key: str, field: str | None = None) -> int:
    """Line (from 1) of the table `[key]`, or of `field` inside it."""
    start = next((n for n, line in enumerate(lines) if line.strip() == f"[{key}]"), 0)
    if field is None:
        return start + 1
    for n in range(start + 1, len(lines)):
        if re.match(r"\s*\[[^\[]", lines[n]):
            break
        if re.match(rf"\s*{re.escape(field)}\s*=", lines[n]):
            return n + 1
    return start + 1


def _read_lever(raw: Mapping[str, object]) -> Lever:
    stops = tuple((float(v), str(fr), str(en)) for v, fr, en in raw.get("stops", ()))  # type: ignore[attr-defined]
    return Lever(float(raw["min"]), float(raw["max"]), float(raw["step"]), stops)  # type: ignore[arg-type]


def _type_problem(field: str, value: object, expected: type) -> str | None:
    if expected is float:
        ok = isinstance(value, (int, float)) and not isinstance(value, bool)
    else:
        ok = isinstance(value, expected)
    return None if ok else f"{field} should be a {expected.__name__}, not {value!r}"


def _problems_of(key: str, raw: Mapping[str, object], lines: list[str]) -> list[str]:
    """Every problem of one table, each with its line."""
    found: list[str] = []

    def say(field: str | None, text: str) -> None:
        found.append(f"line {_line_of(lines, key, field)}: [{key}] {text}")

    for field, expected in REQUIRED.items():
        if field not in raw:
            say(None, f"lacks {field}; every parameter has {', '.join(REQUIRED)}")
        elif problem := _type_problem(field, raw[field], expected):
            say(field, problem)
    for field in raw:
        if field not in REQUIRED and field not in OPTIONAL:
            say(field, f"unknown field {field}; allowed: {', '.join([*REQUIRED, *OPTIONAL])}")
        elif field in OPTIONAL and (problem := _type_problem(field, raw[field], OPTIONAL[field])):
            say(field, problem)
    if found:
        return found
    for field in ("unit", "source", "label_fr", "label_en", "group"):
        if not str(raw[field]).strip():
            say(field, f"{field} is empty")
    for field in OPTIONAL:
        if field in raw and isinstance(raw[field], str) and not str(raw[field]).strip():
            say(field, f"{field} is empty: leave it out")
    if raw["status"] not in STATUSES:
        say("status", f"status {raw['status']!r} is not one of {', '.join(STATUSES)}")
    low, value, high = (float(raw[f]) for f in ("low", "value", "high"))  # type: ignore[arg-type]
    if not low <= value <= high:
        say("value", f"value {value:g} is not between low {low:g} and high {high:g}")
    if raw["review_by"] <= raw["valid_from"]:  # type: ignore[operator]
        say("review_by", "review_by is not after valid_from")
    return found


def read_parameters(text: str) -> Parameters:
    """Parse the TOML text of a parameter file.

    Raises `ParameterError` with all problems, one a line, each with its line number.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"the parameter file is not valid TOML: {error}") from None
    lines = text.splitlines()
    problems: list[str] = []
    items: dict[str, Parameter] = {}
    for key, table in raw.items():
        if not isinstance(table, dict):
            problems.append(f"line {_line_of(lines, key, key)}: {key} stands outside any table")
            continue
        found = _problems_of(key, table, lines)
        problems += found
        if not found:
            fields: dict[str, Any] = {
                k: float(v) if REQUIRED.get(k) is float else v for k, v in table.items() if k != "lever"
            }
            lever = _read_lever(table["lever"]) if "lever" in table else None
            items[key] = Parameter(key=key, lever=lever, **fields)
    if problems:
        raise ParameterError("\n".join(problems))
    return Parameters(items)


@lru_cache(maxsize=4)
def load_parameters(path: Path = PARAMETERS_FILE) -> Parameters:
    """Parameters of a file, `data/parameters.toml` by default."""
    return read_parameters(path.read_text(encoding="utf-8"))


def overdue(parameters: Parameters, today: date) -> list[Parameter]:
    """Parameters past their review date, oldest first."""
    late = [p for p in parameters.values() if p.review_by < today]
    return sorted(late, key=lambda p: p.review_by)
