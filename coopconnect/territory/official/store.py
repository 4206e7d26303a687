"""Where official tables are kept: one parquet file a table, with its label inside, replaced whole or not at all.

The folder is `data/official`, or that of the variable COOPCONNECT_OFFICIAL. A table and where it comes from are one
file, so that neither can be there without the other. The one before is kept, to go back to.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from coopconnect.parameters import DATA_DIR
from coopconnect.territory.official.climate import lacking
from coopconnect.territory.official.contract import TABLES, Label, Table
from coopconnect.territory.official.tables import USED, Official

FOLDER_VARIABLE = "COOPCONNECT_OFFICIAL"
_LABEL_KEY, _CHECK_KEY = b"coopconnect.label", b"coopconnect.check"
_CODE = re.compile(r"(\d{2}|2[AB])\d{3}")
_CODES = ("zone_code", "home_code", "work_code", "from_code", "to_code")
_MAY_BE_EMPTY = {("flows", "work_code"), ("places", "zone_code")}
_TEXTS = (
    "place_id",
    "name",
    "kind",
    "address",
    "list_source",
    "list_year",
    "area_code",
    "horizon",
    "scenario",
    *_CODES,
)
GATHERED = ("places", "climate")
"""Tables that publishers give in several files: one load adds to the one before."""
Stamp = tuple[tuple[str, int, int], ...]


class StoreError(ValueError):
    """A table that does not keep its contract (the message lists every breach), or a folder that cannot be written."""

    def __init__(self, message: str, message_fr: str = "") -> None:
        super().__init__(message)
        self.message_en, self.message_fr = message, message_fr or message


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """What the disk refuses, as a StoreError that says where and what to do; the tables that are there stay."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        fr = "le disque est plein" if full else f"écriture impossible ({error.strerror or error})"
        en = "the disk is full" if full else f"cannot write ({error.strerror or error})"
        raise StoreError(
            f"{en}, in {folder}. Nothing has changed. Free some room or name another folder ({FOLDER_VARIABLE}).",
            f"{fr}, dans {folder}. Rien n'a changé. Libérez de la place ou donnez un autre dossier ({FOLDER_VARIABLE}).",
        ) from None


class Store:
    """The official tables of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def default(cls) -> Store:
        """The project's store."""
        given = os.environ.get(FOLDER_VARIABLE)
        return cls(Path(given) if given else DATA_DIR / "official")

    @property
    def downloads(self) -> Path:
        """Where files of publishers are kept as they came."""
        return self.folder / "downloads"

    def path(self, table: str) -> Path:
        """The file of a table."""
        return self.folder / f"{table}.parquet"

    def add(self, frame: pd.DataFrame, label: Label, gather: bool = False) -> None:
        """`save`, joined to what is there for tables that come in several files (`GATHERED`) or parts (`gather`): new rows win."""
        if label.table == "places":
            frame = frame.assign(list_source=label.source, list_year=label.year)
        before = self.load(label.table) if gather or label.table in GATHERED else None
        if before is not None:
            old, old_label = before
            again = old_label.source == label.source and label.kind == "official"  # its only list, read again
            if label.kind == "official" and "list_source" in old:  # a new edition: what it no longer holds has closed
                old = old[old["list_source"] != label.source]
            key = list(TABLES[label.table].key)
            frame = pd.concat([frame, old], ignore_index=True).drop_duplicates(key, keep="first")
            told = [
                (fr, en)
                for one in ((label,) if again else (old_label, label))
                for fr, en in zip(one.notes_fr, one.notes_en, strict=True)
            ]
            if label.table == "climate":  # what one workbook lacked, the other may have brought
                told = lacking(frame)
            told = list(dict.fromkeys(told))
            sources = dict.fromkeys([*old_label.source.split(" + "), label.source])
            english = dict.fromkeys([*old_label.source_in("en").split(" + "), label.source_in("en")])
            licences = {
                language: " + ".join(
                    dict.fromkeys(t for one in (old_label, label) for t in one.licence_in(language).split(" + ") if t)
                )
                for language in ("fr", "en")
            }
            years = dict.fromkeys(y for y in (*(() if again else old_label.year.split(", ")), label.year) if y)
            label = replace(
                label, source=" + ".join(sources), source_en=" + ".join(english), year=", ".join(years),
                licence=licences["fr"], licence_en=licences["en"], rows=len(frame),
                kind=label.kind if again or label.kind == old_label.kind else "partly", placed=float(len(frame)),
                unplaced=label.unplaced + (0.0 if again else old_label.unplaced),
                notes_fr=tuple(fr for fr, _ in told), notes_en=tuple(en for _, en in told),
            )  # fmt: skip
        self.save(frame, label)

    def _previous(self, table: str) -> Path:
        return self.folder / f"{table}.previous"

    def save(self, frame: pd.DataFrame, label: Label) -> None:
        """Keep a table with its label; the one before can be restored.

        StoreError lists every breach of the contract, or says what the disk refuses.
        """
        problems = breaches(frame, TABLES[label.table])
        if problems:
            raise StoreError(f"{label.table}: " + "; ".join(problems))
        wanted = [c for c in TABLES[label.table].columns if c in frame.columns]
        table = pa.Table.from_pandas(frame[wanted], preserve_index=False)
        told = json.dumps(asdict(label), ensure_ascii=False).encode("utf-8")
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), _LABEL_KEY: told})
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), _CHECK_KEY: _check(table.schema)})
        with writing(self.folder):
            self._replace(label.table, table)
            self._write_log("loaded", label.table, label.source, label.loaded_on)

    def _replace(self, name: str, table: pa.Table) -> None:
        """Write a table beside the one that is there, then put it in its place."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=f".{name}-", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                pq.write_table(table, file, compression="zstd", write_page_checksum=True)
                file.flush()
                os.fsync(file.fileno())
            with self._lock():
                self._keep_previous(name)
                Path(temporary).replace(self.path(name))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def load(self, table: str) -> tuple[pd.DataFrame, Label] | None:
        """A table and its label; None where there is none or the file cannot be read (`problems` says so)."""
        label = self.label(table)
        if label is None:
            return None
        try:
            return self._read(table).to_pandas(), label
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):  # a wrong byte may be in the footer too
            return None

    def _read(self, table: str) -> pa.Table:
        """The whole file, the checksum of each page verified, and that of the names and label that stand after them."""
        found = pq.ParquetFile(self.path(table), page_checksum_verification=True).read()
        _checked(found.schema)
        return found

    def _lock(self) -> FileLock:
        """Held while files are exchanged, by one program at a time; the system frees it if the program dies."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / ".lock", timeout=30)

    def _keep_previous(self, table: str) -> None:
        """Copy a table aside (by a link where the disk has them): the table itself never leaves its place."""
        if not self.path(table).exists():
            return
        aside = self.folder / f".{table}.aside"
        aside.unlink(missing_ok=True)
        try:
            os.link(self.path(table), aside)
        except OSError:
            shutil.copyfile(self.path(table), aside)
        aside.replace(self._previous(table))

    def label(self, table: str) -> Label | None:
        """Where a table comes from; None where there is none."""
        try:
            found = json.loads(_checked(pq.read_schema(self.path(table))).metadata[_LABEL_KEY])
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
            return None
        notes = {name: tuple(found.get(name, ())) for name in ("notes_fr", "notes_en")}
        try:
            return Label(**{**found, **notes})
        except TypeError:
            return None

    def labels(self) -> dict[str, Label]:
        """Labels of all tables that are there and can be read."""
        return {name: label for name in TABLES if (label := self.label(name)) is not None}

    def problems(self) -> list[str]:
        """Names of files of tables that are there and cannot be read to their end."""
        return [self.path(name).name for name in TABLES if self.path(name).exists() and self.load(name) is None]

    def remove(self, table: str) -> bool:
        """Put a table aside (see `restore`); True where there was one. StoreError where the disk refuses."""
        if not self.path(table).exists():
            return False
        with writing(self.folder):
            with self._lock():
                self.path(table).replace(self._previous(table))
            self._write_log("removed", table, "", "")
        return True

    def can_restore(self, table: str) -> bool:
        """True where an earlier version of a table is kept."""
        return self._previous(table).exists()

    def restore(self, table: str) -> bool:
        """Exchange a table and the one before it; True where there was one before. StoreError where the disk refuses."""
        before, now = self._previous(table), self.path(table)
        if not before.exists():
            return False
        with writing(self.folder):
            with self._lock():
                aside = self.folder / f".{table}.swap"
                before.replace(aside)
                self._keep_previous(table)
                aside.replace(now)
            self._write_log("restored", table, "", "")
        return True

    def stamp(self) -> Stamp:
        """Names, sizes and dates of the tables: changes when any of them does. Cheap: one look at the folder."""
        try:
            with os.scandir(self.folder) as entries:
                found = [
                    (e.name, e.stat().st_size, e.stat().st_mtime_ns) for e in entries if e.name.endswith(".parquet")
                ]
        except OSError:
            return ()
        return tuple(sorted(found))

    def official(self, names: Iterable[str] = USED) -> Official:
        """The tables that enter a territory."""
        loaded = {name: found for name in names if (found := self.load(name)) is not None}
        return Official({n: f for n, (f, _) in loaded.items()}, {n: label for n, (_, label) in loaded.items()})

    def log(self) -> list[dict[str, str]]:
        """What was loaded, removed and restored, oldest first."""
        try:
            lines = (self.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        found = []
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:  # a line cut by a program that stopped
                continue
            if isinstance(entry, dict):
                found.append(entry)
        return found

    def _write_log(self, what: str, table: str, source: str, day: str) -> None:
        entry = json.dumps({"what": what, "table": table, "source": source, "on": day}, ensure_ascii=False)
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(entry + "\n")


def _check(schema: pa.Schema) -> bytes:
    """SHA-256 of what a parquet file says of its pages, which their checksums do not cover: names, types, label."""
    told = sorted((key, value) for key, value in (schema.metadata or {}).items() if key != _CHECK_KEY)
    columns = [(field.name, str(field.type)) for field in schema]
    return hashlib.sha256(repr((columns, told)).encode("utf-8")).hexdigest().encode("ascii")


def _checked(schema: pa.Schema) -> pa.Schema:
    """The schema as it was written; ValueError where it was altered since (a file of before the check has none)."""
    if (schema.metadata or {}).get(_CHECK_KEY) not in (None, _check(schema)):
        raise ValueError("names of columns or label altered on the disk")
    return schema


def breaches(frame: pd.DataFrame, table: Table) -> list[str]:
    """What of a table does not keep the contract, each in one line."""
    needed = [c for c in table.columns if c not in table.optional]
    problems = [f"column {c} is missing" for c in needed if c not in frame.columns]
    if problems:
        return problems
    if len(frame) == 0:
        return ["no row"]
    for column in (c for c in table.columns if c in frame.columns):
        if column in _CODES:
            codes = frame[column].astype(str)
            wrong = codes[~codes.str.fullmatch(_CODE)]
            if (table.name, column) in _MAY_BE_EMPTY:
                wrong = wrong[wrong != ""]
            if len(wrong):
                problems.append(
                    f"{column}: {len(wrong)} values are not commune codes ({', '.join(wrong.unique()[:3])})"
                )
        elif column not in _TEXTS and column not in ("week", "itinerant"):
            if not pd.api.types.is_numeric_dtype(frame[column]):
                problems.append(f"{column}: not numbers")
            elif column not in ("lon", "lat") and (frame[column] < 0).any():
                problems.append(f"{column}: negative values")
    twice = int(frame.duplicated(list(table.key)).sum())
    if twice:
        problems.append(f"{twice} rows have the same {', '.join(table.key)} as another")
    return problems
