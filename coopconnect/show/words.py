"""Words and numbers, in French and in English.

Texts live in `coopconnect/show/words/*.toml`, one entry a table: `[key]` with `fr` and `en`. A key may have dots
(`[decide.title]`). `say` fills the `{placeholders}`; the other functions write numbers as each language does
(French: `12 345,6` with a narrow no-break space; `1 h 05`; `1,75 €`).
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

from babel.numbers import format_decimal

LANGUAGES = ("fr", "en")
DEFAULT_LANGUAGE = "fr"
WORDS_DIR = Path(__file__).resolve().parent / "words"
NOTHING = "–"
"""Written in the place of a number that is missing."""

_NBSP = "\u00a0"
_NARROW = "\u202f"
_JOINER = "\u2060"
"""A line may break after a dash even where a no-break space follows: this, which has no width, holds it."""
_HOURS_WITH_MINUTES_BELOW = 10.0  # above, minutes would claim a precision that no figure here has


class WordsError(ValueError):
    """A file of words is wrong; the message lists every problem with its file and key."""


def _entries(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every entry of a file, with its dotted key. A table that holds tables only is a family of keys."""
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()):
            yield from _entries(value, f"{key}.")
        else:
            yield key, value


def placeholders(text: str) -> set[str]:
    """Names between braces in a text."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _problem_of(entry: object) -> str | None:
    if not isinstance(entry, dict) or set(entry) != set(LANGUAGES):
        return "should hold fr and en, and nothing else"
    if not all(isinstance(entry[name], str) and entry[name].strip() for name in LANGUAGES):
        return "fr and en should be texts that are not empty"
    try:
        names = [placeholders(entry[name]) for name in LANGUAGES]
    except ValueError as error:
        return f"braces do not match ({error})"
    return None if names[0] == names[1] else f"fr and en have different placeholders: {names[0]} and {names[1]}"


_BEFORE = re.compile(r"(?<=[^\s|\[]) (?=[;?!](?:\s|$|[»)\]]))")
_COLON = re.compile(r"(?<=[^\s|\[]) (?=[:»](?:\s|$|[.,;)\]]))|(?<=«) ")
_UNIT = re.compile(r"(?<=[\d}]) (?=(?:€|°C|h|km|min|kg|m²|t)(?![\w{]))")


def kept_together(text: str, french: bool) -> str:
    """The text with the spaces that do not break at the end of a line: before a unit and, in French, some signs."""
    text = _UNIT.sub(_NBSP, text)
    return _COLON.sub(_NBSP, _BEFORE.sub(_NARROW, text)) if french else text


def read_words(directory: Path = WORDS_DIR) -> dict[str, dict[str, str]]:
    """All entries of all files of a directory, by key.

    Raises `WordsError` with all problems at once: a file that is not TOML, a key written twice, a language missing,
    placeholders that differ.
    """
    words: dict[str, dict[str, str]] = {}
    problems: list[str] = []
    for path in sorted(directory.glob("*.toml")):
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            problems.append(f"{path.name}: not valid TOML: {error}")
            continue
        for key, entry in _entries(raw):
            problem = "is written twice" if key in words else _problem_of(entry)
            if problem:
                problems.append(f"{path.name}: [{key}] {problem}")
            else:
                words[key] = {"fr": kept_together(entry["fr"], True), "en": kept_together(entry["en"], False)}
    if problems:
        raise WordsError("\n".join(problems))
    return words


@lru_cache(maxsize=1)
def all_words() -> dict[str, dict[str, str]]:
    """Entries of the project, read once."""
    return read_words()


def known(key: str) -> bool:
    """True where `key` has an entry."""
    return key in all_words()


def say(key: str, language: str, /, **values: object) -> str:
    """Text of `key` in 'fr' or 'en', with its placeholders filled. Unknown keys and values raise `KeyError`.

    '{users} [usager|usagers]' takes the first word for one (in French for anything below two), else the second.
    """
    entry = all_words().get(key)
    if entry is None:
        raise KeyError(f"no text named {key!r} in {WORDS_DIR.name}/*.toml")
    text = entry[language if language in LANGUAGES else DEFAULT_LANGUAGE]
    return _agreed(text, language, values).format(**values) if values else text


_AGREES = re.compile(r"\[([^\[\]|{}]*)\|([^\[\]|{}]*)\]")
_NUMBER = re.compile(r"[+−-]?\d[\d\s.,]*")


def _agreed(text: str, language: str, values: Mapping[str, object]) -> str:
    """The text with the words that agree with the last value named before them."""

    def choose(found: re.Match[str]) -> str:
        names = [name for _, name, _, _ in Formatter().parse(text[: found.start()]) if name]
        return found[1] if names and _is_one(str(values[names[-1]]), language) else found[2]

    return _AGREES.sub(choose, text) if "|" in text else text


def _is_one(written: str, language: str) -> bool:
    found = _NUMBER.match(written)
    if found is None:
        return False
    digits = re.sub(r"\s", "", found[0]).replace("−", "-")
    digits = digits.replace(",", "") if language == "en" else digits.replace(",", ".")
    try:
        size = abs(float(digits))
    except ValueError:
        return False
    return size == 1.0 if language == "en" else size < 2.0


def _missing(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


@lru_cache(maxsize=4096)
def _decimal(value: float, locale: str, decimals: int) -> str:
    pattern = "#,##0." + "0" * decimals if decimals else "#,##0"
    return format_decimal(value, format=pattern, locale=locale)


def number(value: float | None, language: str, decimals: int = 0, signed: bool = False) -> str:
    """A number: 12345.6 is '12 345,6' in French (narrow no-break space) and '12,345.6' in English.

    A missing value is `NOTHING`; what rounds to zero has no sign; a minus is U+2212; `signed` writes the plus.
    """
    if value is None or _missing(value):
        return NOTHING
    rounded = round(float(value), decimals)
    text = _decimal(abs(rounded), "en" if language == "en" else "fr", decimals)
    if rounded < 0:
        return f"−{text}"
    return f"+{text}" if signed and rounded > 0 else text


def hours(value_h: float | None, language: str, signed: bool = False) -> str:
    """Hours: 1.083 is '1 h 05'; from ten hours up, whole hours ('18 h')."""
    if value_h is None or _missing(value_h):
        return NOTHING
    minutes = round(abs(value_h) * 60)
    if minutes >= _HOURS_WITH_MINUTES_BELOW * 60:
        return f"{number(value_h, language, signed=signed)}{_NBSP}h"
    sign = "" if minutes == 0 else "−" if value_h < 0 else "+" if signed else ""
    whole, rest = divmod(minutes, 60)
    if whole == 0:
        return f"{sign}{rest}{_NBSP}min"
    return f"{sign}{whole}{_NBSP}h{_NBSP}{rest:02d}"


def euros(value: float | None, language: str, decimals: int = 0, signed: bool = False) -> str:
    """Euros: '1 234 €' in French, '€1,234' in English."""
    if value is None or _missing(value):
        return NOTHING
    text = number(value, language, decimals, signed)
    if language != "en":
        return f"{text}{_NBSP}€"
    return f"{text[0]}€{text[1:]}" if text[:1] in "+−" else f"€{text}"


def percent(share: float | None, language: str, decimals: int = 0, signed: bool = False) -> str:
    """A share from 0 to 1 as per cent: '12 %' in French, '12%' in English."""
    if share is None or _missing(share):
        return NOTHING
    return f"{number(share * 100, language, decimals, signed)}{'' if language == 'en' else _NARROW}%"


def at_most(share: float, language: str) -> str:
    """A share that is not passed, as per cent: rounded up, with two decimals under 10 %, never 0 where there is something."""
    decimals = 2 if share < 0.1 else 0
    unit = 10.0 ** (decimals + 2)
    return percent(math.ceil(share * unit * (1.0 - 1e-12)) / unit, language, decimals)


def with_unit(value: float | None, unit: str, language: str, decimals: int = 0, signed: bool = False) -> str:
    """A number and its unit, which do not part at the end of a line."""
    return f"{number(value, language, decimals, signed)}{_NBSP}{unit_name(unit, language)}".rstrip(_NBSP)


def unit_name(unit: str, language: str) -> str:
    """A unit of `parameters.toml` as it is written on the screen; itself where it needs no translation."""
    key = f"unit.{unit}"
    return say(key, language) if known(key) else unit


def with_range(
    low: float | None,
    value: float | None,
    high: float | None,
    formatter: Callable[[float | None], str],
    wraps: bool = True,
) -> str:
    """A central value with its range: '18 h (9 h – 31 h)'. Without a range, the value alone. `between` says what wraps is."""
    if low is None or high is None or _missing(low) or _missing(high):
        return formatter(value)
    return f"{formatter(value)} ({between(formatter(low), formatter(high), wraps)})"


def between(low: str, high: str, wraps: bool = True) -> str:
    """Two ends that stay on one line: '9 – 31'.

    wraps: text of a page. In what is drawn or may become a file (a chart, a table with cells), where no line breaks,
    no sign that has no width is put in.
    """
    return f"{low}{_NBSP}–{_JOINER if wraps else ''}{_NBSP}{high}"
