"""Is a downloaded file what it should be: whole, openable, of its format, with its checksum, not a login page."""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import zipfile
import zlib
from pathlib import Path

from coopconnect.territory.official.catalogue import Entry
from coopconnect.territory.official.fetch_types import FetchError

__all__ = ["check_file", "looks_like_html", "sha256_of"]

_CHUNK = 1 << 20
_HEAD = 1 << 16


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def looks_like_html(head: bytes) -> bool:
    """True where the first bytes are those of a web page (captive portal, error page)."""
    start = head[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")) or (
        start.startswith((b"<?xml", b"<!--")) and b"<html" in start
    )


def login_page(entry: Entry) -> FetchError:
    """The error for a web page that came in place of the file."""
    page_fr = f" Sinon l'adresse a changé : {entry.page}"
    return FetchError(
        "login_page",
        f"{entry.named_fr} : une page web est arrivée à la place du fichier. Sur un wifi public, ouvrez un navigateur, "
        f"acceptez les conditions, puis recommencez.{page_fr}",
        f"{entry.named_en}: a web page came instead of the file. On a public wifi, open a browser, accept the conditions, "
        f"then try again. Otherwise the address has changed: {entry.page}",
    )


def check_file(path: Path, entry: Entry) -> str:
    """Check a file against its entry and return its sha256. FetchError says what is wrong and what to do."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise _altered(entry, "le fichier est vide", "the file is empty")
    if looks_like_html(head):
        raise login_page(entry)
    digest = sha256_of(path)
    if entry.sha256 and digest != entry.sha256:
        raise _altered(
            entry,
            f"empreinte sha256 {digest[:12]}..., attendue {entry.sha256[:12]}...",
            f"sha256 {digest[:12]}..., expected {entry.sha256[:12]}...",
        )
    if entry.format in ("zip", "xlsx"):
        _check_zip(path, entry)
    elif entry.format == "csv.gz":
        _check_gzip(path, entry)
    elif entry.format == "parquet":
        _check_parquet(path, head, entry)
    else:
        _check_csv(head, entry)
    return digest


def _altered(entry: Entry, fr: str, en: str) -> FetchError:
    return FetchError(
        "altered",
        f"{entry.named_fr} : fichier refusé, {fr}. Le fichier déjà en place n'a pas changé. Recommencez, ou regardez "
        f"{entry.page}",
        f"{entry.named_en}: file refused, {en}. The file already in place has not changed. Try again, or see {entry.page}",
    )


def _check_zip(path: Path, entry: Entry) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
            names = archive.namelist()
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise _altered(entry, f"archive illisible ({error})", f"the archive cannot be read ({error})") from None
    if bad is not None:
        raise _altered(entry, f"{bad} est abîmé dans l'archive", f"{bad} is damaged in the archive")
    wanted = "[content_types].xml" if entry.format == "xlsx" else entry.member.lower()
    last = [name.lower().rsplit("/", 1)[-1] for name in names]
    if wanted and not any(name == wanted or fnmatch.fnmatchcase(name, wanted) for name in last):
        inside = ", ".join(names[:5])
        raise _altered(
            entry, f"{wanted} n'est pas dans l'archive ({inside})", f"{wanted} is not in the archive ({inside})"
        )


def _check_gzip(path: Path, entry: Entry) -> None:
    try:
        with gzip.open(path) as file:
            head = file.read(_HEAD)
            while file.read(_CHUNK):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise _altered(entry, f"compression illisible ({error})", f"the compression cannot be read ({error})") from None
    _check_csv(head, entry)


def _check_parquet(path: Path, head: bytes, entry: Entry) -> None:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4))
        if head[:4] != b"PAR1" or file.read(4) != b"PAR1":
            raise _altered(entry, "ce n'est pas un fichier parquet entier", "it is not a whole parquet file")


def _check_csv(head: bytes, entry: Entry) -> None:
    """A text with a header in which at least one expected column is; the import asks about the others."""
    if b"\0" in head or head[:2] == b"PK":
        raise _altered(entry, "ce n'est pas un fichier csv", "it is not a csv file")
    if not entry.columns:
        return
    header = head.decode("utf-8-sig", errors="replace").splitlines()[0].lower()
    names = [name.strip(' "') for name in header.replace(";", ",").replace("\t", ",").split(",")]
    if not any(fnmatch.fnmatchcase(name, wanted.lower()) for name in names for wanted in entry.columns):
        found, expected = ", ".join(names[:6])[:120], ", ".join(entry.columns)
        raise _altered(
            entry, f"colonnes lues : {found} ; attendues : {expected}", f"columns read: {found}; expected: {expected}"
        )
