"""One attempt at one address over HTTP, into a `.part` file, resumed where an earlier attempt was cut.

A part is resumed only with a validator of its content (a strong ETag or Last-Modified, sent as If-Range): a file that
has changed meanwhile, or a server without ranges, restarts from the first byte.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import requests

from coopconnect.territory.official.catalogue import Entry
from coopconnect.territory.official.fetch_check import login_page, looks_like_html
from coopconnect.territory.official.fetch_types import (
    FetchCancelled,
    FetchError,
    Progress,
    ProgressCallback,
    human_size,
)

__all__ = ["Moved", "NotModified", "Received", "Transfer", "disk_error"]

_CHUNK = 1 << 14
_PROGRESS_EVERY_S = 0.1
_DISK_MARGIN = 10_000_000
_GONE = (404, 410)
_WAIT_STATUS = (408, 425, 429, 500, 502, 503, 504)


class NotModified(Exception):
    """The server says that the file on disk is still the newest."""


class Moved(FetchError):
    """404 or 410: the address no longer answers; another one may."""


@dataclass(frozen=True)
class Received:
    """What arrived: the validators of the content and the bytes that an earlier attempt had left."""

    etag: str
    last_modified: str
    resumed_from_bytes: int


@dataclass
class Transfer:
    """The setting of a download: session, entry, part file, time-outs, callbacks."""

    session: requests.Session
    entry: Entry
    part: Path
    timeout_s: tuple[float, float]
    progress: ProgressCallback | None
    cancel: threading.Event | None

    @property
    def _state_file(self) -> Path:
        return self.part.with_name(self.part.name + ".json")

    def discard(self) -> None:
        """Forget what has arrived."""
        self.part.unlink(missing_ok=True)
        self._state_file.unlink(missing_ok=True)

    def receive(self, url: str, known: dict[str, str]) -> Received:
        """Bring the whole of `url` into the part file.

        known: validators ('etag', 'last_modified') of the good file on disk, or {}. Raises NotModified, Moved,
        FetchError (with wait_s where another try makes sense), and the errors of requests.
        """
        state = self._state(url)
        have = self.part.stat().st_size if state else 0
        headers = {"Accept-Encoding": "identity", "User-Agent": "Coop-connect (data fetch)"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": state["validator"]}
        elif known.get("etag"):
            headers["If-None-Match"] = known["etag"]
        elif known.get("last_modified"):
            headers["If-Modified-Since"] = known["last_modified"]
        with self.session.get(url, headers=headers, stream=True, timeout=self.timeout_s) as answer:
            return self._take(answer, url, have, state)

    def _take(self, answer: requests.Response, url: str, have: int, state: dict[str, str]) -> Received:
        if answer.status_code == 304:
            raise NotModified
        if answer.status_code == 416:  # the part is longer than the file: it is not the same file
            self.discard()
            raise _server(self.entry, 416, wait_s=0.0)
        _raise_for_status(answer, self.entry)
        etag, last = answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
        first, total = _range_of(answer)
        if answer.status_code == 206 and (first != have or _differs(state, etag, last, total)):
            self.discard()
            raise _server(self.entry, 206, wait_s=0.0)
        if answer.status_code != 206:
            have = 0
        self._check_room(total, have)
        validator = etag if etag and not etag.startswith("W/") else last
        encoded = answer.headers.get("Content-Encoding", "identity") != "identity"
        if not have:
            self.discard()
            if validator and not encoded:
                state = {"url": url, "validator": validator, "etag": etag, "last": last, "total": str(total or "")}
                self._state_file.write_text(json.dumps(state), encoding="utf-8")
        self._write(answer, have, None if encoded else total)
        return Received(etag, last, have)

    def _write(self, answer: requests.Response, have: int, total: int | None) -> None:
        started = told = time.monotonic()
        done = have
        try:
            with self.part.open("ab" if have else "wb") as file:
                for chunk in answer.iter_content(_CHUNK):
                    if done == 0 and looks_like_html(chunk):
                        raise login_page(self.entry)
                    file.write(chunk)
                    done += len(chunk)
                    now = time.monotonic()
                    if self.progress and now - told >= _PROGRESS_EVERY_S:
                        told = now
                        self.progress(Progress(self.entry.key, done, total, now - started, have))
                    if self.cancel is not None and self.cancel.is_set():
                        raise FetchCancelled
                file.flush()
                os.fsync(file.fileno())
        except requests.RequestException:  # an IOError too, but not of the disk
            raise
        except OSError as error:
            raise disk_error(self.entry, self.part, error) from None
        if total is not None and done != total:
            raise FetchError(
                "network",
                f"{self.entry.named_fr} : {done} octets reçus sur {total}.",
                f"{self.entry.named_en}: {done} bytes received of {total}.",
                wait_s=1.0,
            )
        if self.progress:
            self.progress(Progress(self.entry.key, done, done, time.monotonic() - started, have))

    def _state(self, url: str) -> dict[str, str]:
        """The state of a part that may be resumed; empty where there is none."""
        try:
            state = json.loads(self._state_file.read_text(encoding="utf-8"))
            fits = state["url"] == url and state["validator"] and self.part.stat().st_size > 0
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return state if fits else {}

    def _check_room(self, total: int | None, have: int) -> None:
        free = shutil.disk_usage(self.part.parent).free
        if total is not None and total - have + _DISK_MARGIN > free:
            need = total - have + _DISK_MARGIN
            raise FetchError(
                "disk",
                f"{self.entry.named_fr} : pas assez de place dans {self.part.parent} : il faut {human_size(need)}, il reste "
                f"{human_size(free)}. Libérez de la place ou donnez un autre dossier (COOPCONNECT_OFFICIAL).",
                f"{self.entry.named_en}: not enough room in {self.part.parent}: {human_size(need, 'en')} needed, "
                f"{human_size(free, 'en')} left. Free some room or name another folder (COOPCONNECT_OFFICIAL).",
            )


def _range_of(answer: requests.Response) -> tuple[int, int | None]:
    """First byte and total size that the answer announces; total None where it does not say."""
    if answer.status_code == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", "").strip())
        if not found:
            return -1, None
        return int(found[1]), None if found[2] == "*" else int(found[2])
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _differs(state: dict[str, str], etag: str, last: str, total: int | None) -> bool:
    """True where the file announced is not the one the part was cut from (a server may ignore If-Range)."""
    return (
        bool(etag and state.get("etag") and etag != state["etag"])
        or bool(last and state.get("last") and last != state["last"])
        or bool(total and state.get("total") and str(total) != state["total"])
    )


def _raise_for_status(answer: requests.Response, entry: Entry) -> None:
    status = answer.status_code
    if status in (200, 206):
        return
    if status in _GONE:
        raise Moved(
            "moved",
            f"{entry.named_fr} : l'adresse ne répond plus ({status}). Cherchez le fichier sur {entry.page} puis chargez-le "
            f"sur la page Données, ou mettez-le, sous le nom {entry.file_name}, sur un miroir ou une clé USB.",
            f"{entry.named_en}: the address no longer answers ({status}). Look for the file on {entry.page} and load it on the "
            f"Data page, or put it, as {entry.file_name}, on a mirror or a USB stick.",
        )
    wait = answer.headers.get("Retry-After", "")
    raise _server(entry, status, wait_s=(float(wait) if wait.isdigit() else 1.0) if status in _WAIT_STATUS else None)


def _server(entry: Entry, status: int, wait_s: float | None) -> FetchError:
    return FetchError(
        "server",
        f"{entry.named_fr} : le serveur a répondu {status}. Réessayez plus tard, ou regardez {entry.page}",
        f"{entry.named_en}: the server answered {status}. Try again later, or see {entry.page}",
        wait_s=wait_s,
    )


def disk_error(entry: Entry, path: Path, error: OSError) -> FetchError:
    """The error of a disk that is full or may not be written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    fr = "le disque est plein" if full else f"écriture impossible ({error.strerror})"
    en = "the disk is full" if full else f"cannot write ({error.strerror})"
    return FetchError(
        "disk",
        f"{entry.named_fr} : {fr}, dans {path.parent}. Libérez de la place ou donnez un autre dossier "
        "(COOPCONNECT_OFFICIAL) ; le téléchargement reprendra.",
        f"{entry.named_en}: {en}, in {path.parent}. Free some room or name another folder (COOPCONNECT_OFFICIAL); the "
        "download will resume.",
    )
