"""Reading a table as its publisher or its user gives it: csv in any dress, zip, xlsx or parquet, as text, by line.

Nothing is converted here. What cannot be read is told with its line, and the rest is kept.
"""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

MAX_MB = 900
"""Largest table that is read, unpacked: INSEE's largest of interest is under 300 MB."""
SEPARATORS = (";", ",", "\t")
SNIFFED_LINES = 60
TABLE_ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".parquet")
NOT_DATA = ("meta", "varmod", "lisez", "readme", "dictionnaire", "documentation")
_SYSTEM = re.compile(r"(^|/)(__MACOSX/|\._|~\$)")
"""What a computer adds to an archive by itself."""
HEADER_WITHIN = 20
SHOWN_RAGGED = 6
CELL_LINES = 20


class ReadingError(ValueError):
    """A file that cannot be read as a table at all; `message_fr` and `message_en` say why and what to do."""

    def __init__(self, message_fr: str, message_en: str) -> None:
        super().__init__(message_en)
        self.message_fr, self.message_en = message_fr, message_en


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a file. line: 1 is the first of the file, None for the whole file; fatal: nothing is usable.

    count: how many lines have it, `line` being the first.
    """

    line: int | None
    column: str
    value: str
    reason_fr: str
    reason_en: str
    fatal: bool = False
    count: int = 1


@dataclass(frozen=True, eq=False)
class RawTable:
    """A table as text: `frame` holds strings, its index is the line in the file (the header is `first_line`)."""

    file_name: str
    sha256: str
    frame: pd.DataFrame
    encoding: str = ""
    separator: str = ""
    sheet: str = ""
    first_line: int = 1
    problems: tuple[Problem, ...] = field(default_factory=tuple)
    inside: str = ""
    """Member of the archive that was read, '' where the file is the table."""
    left: tuple[str, ...] = ()
    """Other tables of the same file (members, sheets) that were not read."""
    notes: tuple[tuple[str, str], ...] = ()
    """What a reader should know of how it was read (French, English)."""
    year: str = ""
    """Year that the rows themselves say, '' where they say none."""


Prefer = Callable[[RawTable], bool]


def read_raw(source: Path | bytes, file_name: str, member: str | None = None, prefer: Prefer | None = None) -> RawTable:
    """Read a file or its bytes; `member` names (or patterns) the file wanted inside a zip.

    prefer: of several members or sheets, the largest of which it is true is read; the largest where it never is.
    ReadingError where it is not a table; lines that do not fit are in `problems`, the others are kept.
    """
    content = source.read_bytes() if isinstance(source, Path) else source
    digest = hashlib.sha256(content).hexdigest()
    first: RawTable | ReadingError | None = None
    for part, inner, inside, left in _unpacked(content, file_name, member):
        try:
            for raw in _tables_of(part, inner, file_name, digest):
                raw = replace(raw, inside=inside, left=raw.left or left)
                if prefer is None or prefer(raw):
                    return raw
                first = raw if not isinstance(first, RawTable) else first
        except ReadingError as error:
            first = first or error
    if isinstance(first, RawTable):
        return first
    assert first is not None  # a file that holds nothing has raised
    raise first


def _tables_of(content: bytes, inner: str, file_name: str, digest: str) -> Iterator[RawTable]:
    """The tables of one file, the largest first: one, or the sheets of a workbook."""
    if not content.strip():
        raise ReadingError(f"{file_name} est vide.", f"{file_name} is empty.")
    if content[:4] == b"PAR1":
        yield _from_parquet(content, file_name, digest)
    elif content[:4] == b"PK\x03\x04":
        yield from _from_workbook(content, file_name, digest)
    else:
        yield _from_text(content, inner, file_name, digest)


def _from_parquet(content: bytes, file_name: str, digest: str) -> RawTable:
    """A parquet file as text; its unpacked size is known before it is read."""
    try:
        held = pq.ParquetFile(io.BytesIO(content))
        groups = range(held.metadata.num_row_groups)
        if sum(held.metadata.row_group(k).total_byte_size for k in groups) > MAX_MB * 2**20:
            raise too_large(file_name)
        table = held.read().to_pandas().astype("string").fillna("").astype(object)
    except (pa.ArrowException, OSError) as error:
        raise ReadingError(
            f"{file_name} est abîmé : il ne s'ouvre pas comme un fichier parquet ({type(error).__name__}).",
            f"{file_name} is damaged: it does not open as a parquet file ({type(error).__name__}).",
        ) from None
    table.columns = pd.Index(_unique([str(name) for name in table.columns]))
    table.index = pd.RangeIndex(2, len(table) + 2)
    return RawTable(file_name, digest, table)


def preview(raw: RawTable, rows: int = 20) -> pd.DataFrame:
    """The first rows, as they are in the file, with their line."""
    head = raw.frame.head(rows)
    return head.set_axis([str(line) for line in head.index], axis=0)


def too_large(file_name: str) -> ReadingError:
    """The error for a table that is larger than what is read."""
    return ReadingError(
        f"{file_name} dépasse {MAX_MB} Mo une fois ouvert : trop grand pour être lu.",
        f"{file_name} is over {MAX_MB} MB once unpacked: too large to be read.",
    )


def _unpacked(content: bytes, file_name: str, member: str | None) -> Iterator[tuple[bytes, str, str, tuple[str, ...]]]:
    """Content out of gz and zip: bytes, name inside, member that it is ('' where none), other members."""
    if content[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(content)) as packed:
                content = packed.read(MAX_MB * 2**20 + 1)
        except (OSError, EOFError) as error:
            raise damaged(file_name, error) from None
        if len(content) > MAX_MB * 2**20:
            raise too_large(file_name)
        yield content, file_name.removesuffix(".gz"), "", ()
        return
    if content[:4] != b"PK\x03\x04":
        if len(content) > MAX_MB * 2**20:
            raise too_large(file_name)
        yield content, file_name, "", ()
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise damaged(file_name, error) from None
    if "[Content_Types].xml" in archive.namelist():
        _check_size(archive.infolist(), file_name)
        yield content, file_name, "", ()
        return
    members = _members_of(archive, file_name, member)
    for info in members:
        _check_size([info], file_name)
        left = tuple(other.filename for other in members if other is not info)
        yield _opened(archive, info, file_name), info.filename, info.filename, left


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file_name: str) -> bytes:
    try:
        return archive.read(info)
    except (RuntimeError, NotImplementedError, zipfile.BadZipFile, OSError) as error:
        raise ReadingError(
            f"{file_name} : {info.filename} ne s'ouvre pas ({error}). Sans mot de passe, et entier ?",
            f"{file_name}: {info.filename} does not open ({error}). Without a password, and whole?",
        ) from None


def _check_size(members: Sequence[zipfile.ZipInfo], file_name: str) -> None:
    if sum(info.file_size for info in members) > MAX_MB * 2**20:
        raise too_large(file_name)


def damaged(file_name: str, error: Exception) -> ReadingError:
    """The error for a file whose packing does not open to its end."""
    return ReadingError(f"{file_name} est abîmé ({error}).", f"{file_name} is damaged ({error}).")


def _members_of(archive: zipfile.ZipFile, file_name: str, member: str | None) -> list[zipfile.ZipInfo]:
    """The tables inside an archive, largest first: those asked for, else those that look like data."""
    tables = [
        i
        for i in archive.infolist()
        if i.filename.lower().endswith(TABLE_ENDINGS) and not i.is_dir() and not _SYSTEM.search(i.filename)
    ]
    if member:
        asked = [i for i in tables if fnmatch.fnmatch(i.filename.rsplit("/", 1)[-1].lower(), member.lower())]
        tables = asked or tables
    data = [i for i in tables if not any(word in i.filename.lower() for word in NOT_DATA)] or tables
    if not data:
        names = ", ".join(archive.namelist()[:5]) or "-"
        raise ReadingError(
            f"{file_name} ne contient pas de table (csv, xlsx ou parquet) : {names}.",
            f"{file_name} holds no table (csv, xlsx or parquet): {names}.",
        )
    return sorted(data, key=lambda info: info.file_size, reverse=True)


def _from_workbook(content: bytes, file_name: str, digest: str) -> Iterator[RawTable]:
    """Each sheet that holds a table, the largest first; values, never formulas; title lines above the header are skipped."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            _check_size(parts.infolist(), file_name)
        sheets = pd.read_excel(io.BytesIO(content), sheet_name=None, header=None, dtype=object, engine="openpyxl")
    except ReadingError:
        raise
    except Exception as error:  # openpyxl raises whatever the damaged part raises
        raise ReadingError(
            f"{file_name} ne s'ouvre pas comme un classeur ({type(error).__name__}).",
            f"{file_name} does not open as a workbook ({type(error).__name__}).",
        ) from None
    usable = {str(name): table for name, table in sheets.items() if table.shape[0] > 1 and table.shape[1] > 1}
    if not usable:
        raise ReadingError(f"{file_name} : aucune feuille ne contient de table.", f"{file_name}: no sheet has a table.")
    for name in sorted(usable, key=lambda key: usable[key].size, reverse=True):
        left = tuple(other for other in usable if other != name)
        yield _from_sheet(usable[name], name, left, file_name, digest)


def _from_sheet(table: pd.DataFrame, name: str, left: tuple[str, ...], file_name: str, digest: str) -> RawTable:
    filled = table.notna().sum(axis=1)
    head = filled.iloc[:HEADER_WITHIN]
    wide = [k for k in head.index if head[k] >= 0.6 * filled.max()]
    at = int(_short_names(table, wide))
    frame = table.iloc[at + 1 :].copy()
    frame.columns = pd.Index(_unique([_text(v) for v in table.iloc[at]]))
    frame = frame.map(_text)
    frame.index = pd.RangeIndex(at + 2, at + 2 + len(frame))
    named = [column for column in frame.columns if not column.startswith("colonne ")]
    frame = frame.loc[(frame != "").any(axis=1)]
    frame = frame[named or list(frame.columns)]
    return RawTable(file_name, digest, frame, sheet=name, first_line=at + 1, left=left)


def _short_names(table: pd.DataFrame, rows: list[int]) -> int:
    """Of neighbouring header rows (labels, then codes) the one of codes: INSEE puts labels above them."""
    if len(rows) > 1 and rows[1] == rows[0] + 1:
        first, second = (table.iloc[k].dropna().astype(str) for k in rows[:2])
        if second.str.fullmatch(r"[A-Z][A-Z0-9_]{1,24}").mean() > 0.8 > first.str.fullmatch(r"[A-Z0-9_]+").mean():
            return rows[1]
    return rows[0]


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _unique(names: list[str]) -> list[str]:
    """Column names, empty ones numbered, repeated ones told apart."""
    seen: Counter[str] = Counter()
    found = []
    for k, name in enumerate(names, start=1):
        name = name.strip().strip('"') or f"colonne {k}"
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def _decoded(content: bytes, file_name: str) -> tuple[str, str]:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace"), "utf-16"
    if b"\x00" in content[:65536] or content[:5] == b"%PDF-":
        raise ReadingError(
            f"{file_name} n'est pas un fichier de texte. Formats lus : csv, zip, xlsx, parquet.",
            f"{file_name} is not a text file. Formats read: csv, zip, xlsx, parquet.",
        )
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        text = content.decode("utf-8-sig", errors="replace")
        broken = text.count("\ufffd")
        if len(content) - len(text) > 2 * broken:  # many characters of several bytes, few broken ones
            return text, "utf-8"
        return content.decode("cp1252", errors="replace"), "cp1252"


def _from_text(content: bytes, inner: str, file_name: str, digest: str) -> RawTable:
    text, encoding = _decoded(content, file_name)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ReadingError(f"{file_name} est vide.", f"{file_name} is empty.")
    lines = text[:200_000].split("\n")[:SNIFFED_LINES]
    separator, at = _layout(lines)
    if lines and lines[0].lstrip()[:1] == "<":
        raise ReadingError(
            f"{file_name} est une page web, pas une table. Le lien a peut-être changé.",
            f"{file_name} is a web page, not a table. The link may have moved.",
        )
    body = text.split("\n", at)[-1] if at else text
    names = _unique(cells_of(lines[at], separator))
    if len(names) < 2:
        raise ReadingError(
            f"{inner} n'a qu'une colonne : séparez-les par ; , ou une tabulation.",
            f"{inner} has one column only: separate columns by ; , or a tab.",
        )
    names = _with_trailing(names, lines[at + 1 :], separator)
    body, mended = _mended(body, separator, len(names))
    refused: list[pa_csv.InvalidRow] = []

    def skip(row: pa_csv.InvalidRow) -> str:
        refused.append(row)
        return "skip"

    try:
        table = pa_csv.read_csv(
            io.BytesIO(body.encode("utf-8")),
            pa_csv.ReadOptions(column_names=names, skip_rows=1, use_threads=False, block_size=8 * 2**20),
            pa_csv.ParseOptions(
                delimiter=separator, invalid_row_handler=skip, ignore_empty_lines=False, newlines_in_values=False
            ),
            pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise ReadingError(
            f"{inner} ne se lit pas comme un csv ({error}).", f"{inner} cannot be read as csv ({error})."
        ) from None
    bad = {int(row.number): row for row in refused if row.number is not None and row.text.strip()}
    blank = {int(row.number) for row in refused if row.number is not None and not row.text.strip()}
    total = table.num_rows + len(bad) + len(blank)
    kept = [k for k in range(2, total + 2) if k not in bad and k not in blank]
    frame = table.to_pandas(strings_to_categorical=False)
    frame.index = pd.Index([line + at for line in kept])
    if re.search(r"\n[ \t;,]*\n", body):
        frame = frame.loc[(frame != "").any(axis=1)]
    problems = [*_ragged({line + at: row for line, row in bad.items()}), *_quote_problems(mended, at)]
    problems.sort(key=lambda problem: problem.line or 0)
    return RawTable(file_name, digest, frame, encoding, separator, first_line=at + 1, problems=tuple(problems))


def _ragged(bad: dict[int, pa_csv.InvalidRow]) -> list[Problem]:
    """Lines with too few or too many values: the first ones of each width by line, the rest counted together."""
    by_width: dict[int, list[int]] = {}
    for line in sorted(bad):
        by_width.setdefault(bad[line].actual_columns, []).append(line)
    found = []
    for lines in by_width.values():
        for k, line in enumerate(lines[: SHOWN_RAGGED + 1]):
            row = bad[line]
            found.append(
                Problem(
                    line, "", row.text[:60],
                    f"{row.actual_columns} valeurs au lieu de {row.expected_columns}",
                    f"{row.actual_columns} values instead of {row.expected_columns}",
                    count=1 if k < SHOWN_RAGGED else len(lines) - SHOWN_RAGGED,
                )
            )  # fmt: skip
    return found


def _quote_problems(mended: list[tuple[int, str]], at: int) -> list[Problem]:
    """Lines whose quote never closes: the first ones by line, the rest counted together."""
    return [
        Problem(
            line + at, "", text[:60],
            "guillemet qui ne se ferme pas : lu sans les guillemets de la ligne",
            "a quote that never closes: read without the quotes of the line",
            count=1 if k < SHOWN_RAGGED else len(mended) - SHOWN_RAGGED,
        )
        for k, (line, text) in enumerate(mended[: SHOWN_RAGGED + 1])
    ]  # fmt: skip


def _with_trailing(names: list[str], lines: list[str], separator: str) -> list[str]:
    """One column more where every line, but not the header, ends with a separator."""
    rows = [cells_of(line, separator) for line in lines if line.strip()]
    if rows and all(len(cells) == len(names) + 1 and not cells[-1].strip() for cells in rows):
        return _unique([*names, ""])
    return names


def _mended(body: str, separator: str, width: int) -> tuple[str, list[tuple[int, str]]]:
    """Text where a cell holds no end of line, each line keeping its number; and the lines with a quote left open.

    A parser takes a quote left open for a cell that goes on, to the end of the file if need be: lines would be lost.
    A quote that closes within `CELL_LINES` lines into a row of the right width is a cell of several lines.
    """
    if body.count('"') == 0:
        return body, []
    lines = body.split("\n")
    odd = [k for k, line in enumerate(lines) if line.count('"') % 2]
    if not odd:
        return body, []
    left_open: list[tuple[int, str]] = []
    k = 0
    while k < len(odd):
        start, end = odd[k], odd[k + 1] if k + 1 < len(odd) else None
        if end is not None and end - start <= CELL_LINES:
            joined = " ".join(lines[start : end + 1])
            if len(cells_of(joined, separator)) == width:
                lines[start : end + 1] = [joined, *[""] * (end - start)]
                k += 2
                continue
        left_open.append((start + 1, lines[start]))
        lines[start] = lines[start].replace('"', "")
        k += 1
    return "\n".join(lines), left_open


def _layout(lines: list[str]) -> tuple[str, int]:
    """Separator, and how many title lines stand above the header: the most regular reading wins."""
    best = (0.0, ";", 0)
    for separator in SEPARATORS:
        widths = [len(cells_of(line, separator)) for line in lines]
        if not widths:
            continue
        usual = Counter(w for w in widths if w > 1).most_common(1)
        if not usual:
            continue
        width, count = usual[0]
        full = (sum(bool(cell.strip('" \r')) for cell in cells_of(line, separator)) for line in lines)
        start = next((k for k, filled in enumerate(full) if filled >= 0.6 * width), 0)
        score = count / len(widths) * (1.0 + min(width, 50) / 1000.0)
        if score > best[0]:
            best = (score, separator, start)
    return best[1], best[2]


def cells_of(line: str, separator: str) -> list[str]:
    """Cells of one line, quotes respected."""
    cells, quoted, start = [], False, 0
    for k, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character == separator and not quoted:
            cells.append(line[start:k])
            start = k + 1
    return [*cells, line[start:].rstrip("\r")]
