"""INSEE's permanent facilities base (BPE), one line a facility: of its millions of lines, the libraries, as places that could host.

Columns and codes are those of the editions 2024 and 2025 as public programs that read them tell them (F307: "BIBLIOTHÈQUE";
QUALITE_XY M: "Mauvaise"; QUALITE_GEOLOC 33: "Voie inconnue, position aléatoire dans la commune"). The csv of 2025 holds 1.5 GB:
it is read as it unpacks, and only the lines wanted are kept.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from coopconnect.territory.official.reading import (
    MAX_MB,
    RawTable,
    ReadingError,
    cells_of,
    damaged,
    read_raw,
    too_large,
)

LIBRARY = "F307"
"""Code of a library in `TYPEQU`."""
_NAMED = {"TYPEQU", "DEPCOM", "NOMRS"}
_POINTS = ({"LONGITUDE", "LATITUDE"}, {"LAMBERT_X", "LAMBERT_Y"})
_STREET = ("NUMVOIE", "INDREP", "TYPVOIE", "LIBVOIE")
_KEPT = ("NOMRS", "ADRESSE", "DEPCOM", "LIBCOM", "CODPOS", "TYPEQU", "LONGITUDE", "LATITUDE", "ITINERANCE", "AN")
_BLANK = frozenset({"", "_U", "_Z"})
"""How the base writes: nothing, unknown, without object."""
_FAR_OFF = {"QUALITE_XY": ("M", "MAUVAISE"), "QUALITE_GEOLOC": ("33",)}
"""Qualities of a point that may be over 500 m off, or drawn at random in the commune."""
_LAMBERT_93 = 2154
_MAX_UNPACKED_MB = 4000
_BLOCK = 8 * 2**20
_HEAD = 2**16
_BROKEN = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError, EOFError)


def libraries(source: Path | bytes, file_name: str) -> RawTable | None:
    """The libraries of a file of the base, by line, with the columns that a list of places has; None where it is not that base.

    A point that the base says to be far off or drawn at random is left blank. ReadingError where the file is of the base and
    names no building (counts by commune, older editions), is damaged, or is too large.
    """
    with _opened(source) as stream:
        magic = stream.read(4)
        stream.seek(0)
        if magic == b"PAR1":
            return _of_parquet(stream, source, file_name)
        try:
            inner, inside = _inner(stream, magic)
            head = inner.readline(_HEAD) if inner is not None else b""
        except _BROKEN:
            return None  # told by the reader of any file
        names = next((n for separator in ";,\t" if _is_base(n := _names(head, separator), file_name)), None)
        if inner is None or names is None:
            return None
        try:
            kept, total = _lines_of(inner, file_name)
        except _BROKEN as error:
            raise damaged(file_name, error) from None
    raw = read_raw(b"".join([head.rstrip(b"\r\n"), b"\n", *(text + b"\n" for text in kept.values())]), file_name)
    line = dict(enumerate(kept, start=2))
    frame = raw.frame.set_axis([line[k] for k in raw.frame.index], axis=0)
    problems = tuple(replace(p, line=line.get(p.line, p.line) if p.line else None) for p in raw.problems)
    return _as_places(replace(raw, frame=frame, problems=problems, sha256=_digest(source), inside=inside), total)


@contextmanager
def _opened(source: Path | bytes) -> Iterator[IO[bytes]]:
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as stream:
        yield stream


def _digest(source: Path | bytes) -> str:
    with _opened(source) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _inner(stream: IO[bytes], magic: bytes) -> tuple[IO[bytes] | None, str]:
    """The text of a file, unpacked as it is read, and the member of the archive that it is: the largest csv."""
    if magic[:2] == b"\x1f\x8b":
        return io.BufferedReader(gzip.GzipFile(fileobj=stream)), ""  # type: ignore[arg-type]
    if magic != b"PK\x03\x04":
        return stream, ""
    archive = zipfile.ZipFile(stream)
    tables = [info for info in archive.infolist() if info.filename.lower().endswith((".csv", ".txt"))]
    if not tables:
        return None, ""
    largest = max(tables, key=lambda info: info.file_size)
    return archive.open(largest), largest.filename


def _names(head: bytes, separator: str) -> set[str]:
    return {name.strip().strip('"').upper() for name in cells_of(head.decode("utf-8-sig", "replace"), separator)}


def _is_base(names: set[str], file_name: str) -> bool:
    """True for a header of the base that names its facilities; ReadingError where it is of the base and does not."""
    if names >= _NAMED and any(names >= point for point in _POINTS):
        return True
    counts = {"GEO", "FACILITY_TYPE"} <= names
    if counts or ({"DEPCOM", "TYPEQU"} <= names and not names & {"NOMRS", "NOM", "NAME", "LIBELLE"}):
        raise ReadingError(
            f"{file_name} : cette base permanente des équipements ne nomme aucun bâtiment (des nombres par commune, ou une "
            "édition sans NOMRS). Prenez le fichier détail géolocalisé, édition 2024 ou suivante : "
            "https://www.insee.fr/fr/statistiques/8217525",
            f"{file_name}: this permanent facilities base names no building (counts by commune, or an edition without NOMRS). "
            "Take the geolocated detail file, edition of 2024 or later: https://www.insee.fr/fr/statistiques/8217525",
        )
    return False


def _lines_of(stream: IO[bytes], file_name: str) -> tuple[dict[int, bytes], int]:
    """Lines that may be libraries, by number (the header is 1), and how many lines there are below the header."""
    wanted, kept = LIBRARY.encode(), dict[int, bytes]()
    number, rest, read, held = 1, b"", 0, 0
    while block := stream.read(_BLOCK):
        read += len(block)
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        for text in lines:
            number += 1
            if wanted in text:
                kept[number] = text.rstrip(b"\r")
                held += len(text)
        if read > _MAX_UNPACKED_MB * 2**20 or held > MAX_MB * 2**20 or len(rest) > _BLOCK:
            raise too_large(file_name)
    if rest.strip():
        number += 1
        if wanted in rest:
            kept[number] = rest.rstrip(b"\r")
    return kept, number - 1


def _of_parquet(stream: IO[bytes], source: Path | bytes, file_name: str) -> RawTable | None:
    """The same of a parquet file, group by group."""
    try:
        held = pq.ParquetFile(stream)
        names = {str(name).upper(): str(name) for name in held.schema_arrow.names}
        if not _is_base(set(names), file_name):
            return None
        wanted = [names[n] for n in (*_KEPT, *_STREET, "LAMBERT_X", "LAMBERT_Y", "EPSG", *_FAR_OFF) if n in names]
        parts, start = [], 2
        for batch in held.iter_batches(columns=wanted):
            at = np.flatnonzero(
                pc.equal(batch[names["TYPEQU"]].cast(pa.string()), LIBRARY).fill_null(False).to_numpy(False)
            )
            part = batch.take(pa.array(at)).to_pandas().set_axis(at + start, axis=0)
            parts.append(part.astype("string").fillna("").astype(object))
            start += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise damaged(file_name, error) from None
    frame = pd.concat(parts) if parts else pd.DataFrame(columns=wanted, dtype=object)
    return _as_places(RawTable(file_name, _digest(source), frame), start - 2)


def _as_places(raw: RawTable, total: int) -> RawTable:
    """The libraries with an address in one column, degrees where the base has metres, and a name where it has none."""
    frame = raw.frame.set_axis([str(name).upper() for name in raw.frame.columns], axis=1)
    frame = frame[frame["TYPEQU"].str.strip() == LIBRARY]
    frame = frame.apply(lambda column: column.str.strip().mask(lambda text: text.isin(_BLANK), ""))
    frame = frame.reindex(
        columns=list(dict.fromkeys([*frame.columns, "LIBCOM", "LONGITUDE", "LATITUDE", *_STREET])), fill_value=""
    )
    street = [frame[name] for name in _STREET]
    frame["ADRESSE"] = pd.Series(
        [" ".join(filter(None, parts)) for parts in zip(*street, strict=True)], index=frame.index, dtype=object
    )
    nameless = frame["NOMRS"].eq("")
    frame["NOMRS"] = frame["NOMRS"].mask(
        nameless, "Bibliothèque (" + frame["LIBCOM"].where(frame["LIBCOM"].ne(""), frame["DEPCOM"]) + ")"
    )
    frame = _with_degrees(frame)
    far = pd.Series(False, index=frame.index)
    for column, values in _FAR_OFF.items():
        if column in frame:
            far |= frame[column].str.upper().isin(values)
    far &= frame["LONGITUDE"].ne("")
    frame.loc[far, ["LONGITUDE", "LATITUDE"]] = ""
    notes = [(f"{len(frame)} bibliothèques ({LIBRARY}) lues parmi {total} équipements",
              f"{len(frame)} libraries ({LIBRARY}) read among {total} facilities")]  # fmt: skip
    if far.any():
        notes.append((f"{int(far.sum())} points que l'INSEE dit incertains (plus de 500 m, ou au hasard dans la commune) : placés à la commune",
                      f"{int(far.sum())} points that INSEE calls uncertain (over 500 m off, or at random in the commune): put at the commune"))  # fmt: skip
    if nameless.any():
        notes.append((f"{int(nameless.sum())} bibliothèques sans nom : appelées « Bibliothèque (commune) »",
                      f"{int(nameless.sum())} libraries without a name: called “Bibliothèque (commune)”"))  # fmt: skip
    years = sorted(set(frame.get("AN", pd.Series(dtype=object))) - {""})
    kept = [name for name in _KEPT if name in frame]
    return replace(raw, frame=frame[kept], notes=tuple(notes), year=years[-1] if years else "")


def _with_degrees(frame: pd.DataFrame) -> pd.DataFrame:
    """Longitude and latitude from the metres of Lambert 93 where they are missing."""
    lacking = frame["LONGITUDE"].eq("") & frame.get("LAMBERT_X", pd.Series("", index=frame.index)).ne("")
    if not lacking.any():
        return frame
    from pyproj import Transformer

    x, y = (pd.to_numeric(frame[c].str.replace(",", "."), errors="coerce") for c in ("LAMBERT_X", "LAMBERT_Y"))
    codes = (
        pd.to_numeric(frame.get("EPSG", pd.Series("", index=frame.index)), errors="coerce")
        .fillna(_LAMBERT_93)
        .astype(int)
    )
    lacking &= x.notna() & y.notna()
    rows = lacking & codes.eq(_LAMBERT_93)  # another projection is overseas, which is left out
    lon, lat = Transformer.from_crs(_LAMBERT_93, 4326, always_xy=True).transform(x[rows].to_numpy(), y[rows].to_numpy())
    frame.loc[rows, "LONGITUDE"] = [f"{value:.6f}" for value in lon]
    frame.loc[rows, "LATITUDE"] = [f"{value:.6f}" for value in lat]
    return frame
