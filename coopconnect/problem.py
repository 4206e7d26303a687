"""What is wrong in an address, a file or a command: a text in English that also knows its code and its values.

The command line prints the text. A screen says the same from the code, in its own language
(`coopconnect.show.problem_words`, `show/words/problems.toml`).
"""

from __future__ import annotations

import re
from typing import Any

ENGLISH = {
    "number": "allowed from {low} to {high} {unit}; {given} is not a number",
    "outside": "allowed from {low} to {high} {unit}; {given} is outside",
    "choice": "allowed {allowed}; not {given}",
    "flag": "allowed true or false; not {given}",
    "whole": "allowed whole numbers from {low} to {high}; not {given}",
    "letters": "allowed letters and digits; not {given}",
    "communes": "allowed commune codes of five characters (84003, 2A004); not {given}",
    "hosts": "allowed a table of lists by status, or 'y.m84003~n.fs-7'; not {given}",
    "host_id": "allowed letters, digits, - and _ (64 at most) in an id; not {given}",
    "host_twice": "{host} has two statuses, {first} and {second}",
    "fitted": "fitted on data and built into the shipped tables; rebuild them to change it",
    "unknown": "unknown; allowed: {allowed}",
    "unknown_key": "unknown; allowed: {allowed}, or the key of a parameter",
    "no_weight": "at least one of the five must be above 0",
    "link_version": "this version reads links of version {version}, not {given}",
    "file_version": "allowed {allowed}; not {given} (a newer Coop-connect may read it)",
    "not_toml": "not a scenario file (TOML): it cannot be read at line {row}, column {column}",
    "not_toml_end": "not a scenario file (TOML): its end is missing, or it is another kind of file",
    "not_utf8": "not a text in UTF-8; choose a .toml file saved by Coop-connect",
    "too_large": "a scenario weighs at most {count} MB; take photos out",
    "too_deep": "not a scenario file: brackets within brackets without end",
    "table": "should be a table",
    "table_of": "should be a table of {allowed}",
    "differences": "should be a table [differences]",
    "sites": "should be tables [sites.84003]",
    "questions": "should be a table of question = text",
    "answer": "allowed {allowed} to {questions}; not {given}",
    "question": "{given} is not a question",
    "photos": "allowed a list of at most {count} pictures",
    "photo_keys": "picture {count} should hold {allowed}",
    "photo_base64": "picture {count} is not base64",
    "photos_full": "{name}: not taken; a site keeps {count} pictures at most",
    "photo_large": "{name}: allowed pictures of at most {count} million pixels",
    "photo_kind": "{name}: not a picture that can be read; allowed JPEG, PNG, WebP",
    "survey_table": "{name}: not a table that can be read; allowed CSV and Excel (.xlsx)",
    "survey_columns": "{name}: holds {count} of the five columns: hub days, instead, home-work km, home-hub km, mode",
    "survey_long": "{name}: allowed at most {most} answers; holds {count}",
    "survey_empty": "{name}: holds no answer",
    "survey_room": "{name}: no survey is open under this code; read it again from the screen, or ask for another",
    "survey_large": "allowed files of at most {count} MB",
    "survey_apart": "the answers kept are of other people (users, or residents); forget them first, or keep the two apart",
    "sums": "allowed numbers from 0",
    "sums_order": "users above answers, or days above all days",
    "plan_part": "unknown part {given}",
    "plan_value": "{name} cannot be {given}",
    "from_zero": "should be a number from 0; not {given}",
    "from_one": "should be at least 1; not {given}",
    "between": "allowed from {low} to {high}; not {given}",
    "plan_limit": "a number above 0, or a budget, is needed",
    "plan_no_site": "no site in territory {territory} with code {given}",
    "plan_both": "{given} is also forced or existing; keep one",
    "plan_forced": "{count} sites, but only {most} may open",
    "plan_possible": "the territory has {count} possible sites, {existing} exist already; not {given}",
    "plan_refused": "{given} is forced but has refused in the scenario; keep one of the two",
    "plan_close": "{given} hold two sites within {minutes} minutes of each other",
    "plan_cost": "the forced sites alone cost {cost} EUR, over {budget}",
}
"""Text of each code. Numbers are written as `g` does, other values as they are."""

EMPTY, IT_IS_EMPTY = "empty", "it is empty"

_LONGEST_GIVEN = 80


class Problem(str):
    """One problem. Its text: 'line 3: climate: allowed today, ...; not 'hot''.

    code: a key of `ENGLISH`; values: what its placeholders take; key: the dotted path of what is wrong, '' for the
    whole; line: its line in the file, 0 where there is none; detail: what a library says of it, in English.
    """

    code: str
    key: str
    line: int
    detail: str
    values: dict[str, Any]

    def __new__(cls, code: str, key: str = "", line: int = 0, detail: str = "", **values: Any) -> Problem:
        """Raises `KeyError` for a code that is not known or a value that is missing."""
        written = {name: f"{value:g}" if isinstance(value, float) else value for name, value in values.items()}
        text = emptied(ENGLISH[code].format(**written), values.get("given"), EMPTY, IT_IS_EMPTY)
        head = (f"line {line}: " if line else "") + (f"{key}: " if key else "")
        problem = super().__new__(cls, f"{head}{text}{f' ({detail})' if detail else ''}")
        problem.code, problem.key, problem.line, problem.detail, problem.values = code, key, line, detail, values
        return problem

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What makes it again: it can be copied and kept."""
        return (self.code, self.key, self.line, self.detail), self.values

    def under(self, *path: str) -> Problem:
        """The same problem, of something that is part of `path`."""
        key = ".".join([*path, *([self.key] if self.key else [])])
        return Problem(self.code, key, self.line, self.detail, **self.values)

    def in_text(self, text: str) -> Problem:
        """The same problem with the number of the line that holds its key, where the text writes that key."""
        if self.line or not self.key:
            return self
        *tables, key = self.key.split(".")
        lines = text.splitlines()
        start = next(
            (n for n, line in enumerate(lines) if tables and line.strip().startswith(f"[{'.'.join(tables)}")), 0
        )
        for n, line in enumerate(lines[start:], start + 1):
            if re.match(rf"""\s*(\[+[\w.]*)?["']?{re.escape(key)}["']?\s*[=\].]""", line):
                return Problem(self.code, self.key, n, self.detail, **self.values)
        return self


class ProblemsError(ValueError):
    """Something cannot be taken as it is; `problems` lists all that is wrong, the message is their texts."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def emptied(text: str, given: object, empty: str, it_is_empty: str) -> str:
    """A text about nothing at all: "allowed hours, score; not ''" told as 'allowed hours, score; it is empty'."""
    nothing = quoted("")
    if given != nothing or nothing not in text:
        return text
    allowed, mark, told = text.rpartition("; ")
    return f"{allowed}{mark}{it_is_empty}" if mark and nothing in told else text.replace(nothing, empty)


def quoted(given: object) -> str:
    """What was given, between quotes, cut where it is long."""
    text = repr(given)
    return text if len(text) <= _LONGEST_GIVEN else f"{text[: _LONGEST_GIVEN - 1]}…"
