"""Downloading a publisher's file: resumed after a cut, tried again, checked, and put in place only when it is sound.

`requests` does the transfer (it comes with Streamlit). pooch was weighed: it checks and renames, but starts again from
the first byte after a cut, which on a village line is what fails. What stands here is the resuming and the checks.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests

from coopconnect.territory.official.catalogue import Entry
from coopconnect.territory.official.fetch_check import check_file, sha256_of
from coopconnect.territory.official.fetch_http import Moved, NotModified, Received, Transfer, disk_error
from coopconnect.territory.official.fetch_types import (
    PROXY_EN,
    PROXY_FR,
    Fetched,
    FetchError,
    ProgressCallback,
    is_proxy_silent,
)

__all__ = ["MIRROR_VARIABLE", "downloaded", "fetch"]

MIRROR_VARIABLE = "COOPCONNECT_MIRROR"
TRIES = 4
CONNECT_S, READ_S = 10.0, 30.0
LONGEST_WAIT_S = 20.0


def fetch(
    entry: Entry,
    folder: Path,
    *,
    mirror: str | None = None,
    proxy: str | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    tries: int = TRIES,
    timeout_s: tuple[float, float] = (CONNECT_S, READ_S),
    sleep: Callable[[float], None] = time.sleep,
    today: date | None = None,
) -> Fetched:
    """Bring the file of `entry` into `folder`, checked; a file already there is only ever replaced by a sound one.

    mirror: address or folder under which `entry.file_name` is found (else the variable COOPCONNECT_MIRROR). proxy:
    address of a proxy (else the usual variables of the environment). Raises FetchError, with what to do.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(entry, _part(folder, entry), error) from None
    started = time.monotonic()
    mirror = mirror or os.environ.get(MIRROR_VARIABLE, "")
    if mirror and not _is_web(mirror):
        return _from_folder(entry, folder, mirror, today, started)
    urls = (f"{mirror.rstrip('/')}/{entry.file_name}",) if mirror else entry.urls
    if not urls or (mirror and "*" in entry.file_name):
        raise _by_hand(entry)
    with requests.Session() as session:
        if proxy:
            session.proxies.update({"http": proxy, "https": proxy})
            session.trust_env = False
        transfer = Transfer(session, entry, _part(folder, entry), timeout_s, progress, cancel)
        failure: FetchError | None = None
        for url in urls:
            try:
                return _from_address(transfer, url, folder, tries, sleep, today, started)
            except Moved as moved:
                failure = _not_there(entry, mirror) if mirror else moved
    assert failure is not None  # there is an address, and each either returned, raised, or moved
    raise failure


def downloaded(entry: Entry, folder: Path) -> Path | None:
    """The good file of an entry, None where there is none."""
    path = _target(folder, entry)
    return path if path.is_file() else None


def _from_address(
    transfer: Transfer,
    url: str,
    folder: Path,
    tries: int,
    sleep: Callable[[float], None],
    today: date | None,
    started: float,
) -> Fetched:
    """Up to `tries` attempts; each goes on where the one before was cut."""
    entry, target = transfer.entry, _target(folder, transfer.entry)
    known = _known(target)
    if known.get("url") != url or not _is_sound(target, known):
        known = {}  # ask for the whole file
    for attempt in range(1, tries + 1):
        try:
            received = transfer.receive(url, known)
            return _put_in_place(entry, transfer.part, target, url, received, today, started, transfer.discard)
        except NotModified:
            return _fetched(entry, target, known, started, unchanged=True)
        except requests.RequestException as error:
            problem = _network(entry, error)
        except FetchError as error:
            if error.wait_s is None:
                raise
            problem = error
        if attempt == tries:
            raise problem
        sleep(min((problem.wait_s or 0.0) * 2 ** (attempt - 1), LONGEST_WAIT_S))
    raise AssertionError("unreachable")


def _put_in_place(
    entry: Entry, part: Path, target: Path, url: str, received: Received, today: date | None, started: float,
    discard: Callable[[], None],
) -> Fetched:  # fmt: skip
    try:
        digest = check_file(part, entry)
    except FetchError:
        discard()  # whole and wrong: nothing to resume from
        raise
    before = _known(target)
    first = before.get("first_sha256") or digest
    state = {
        "url": url, "sha256": digest, "etag": received.etag, "last_modified": received.last_modified,
        "fetched_on": (today or date.today()).isoformat(), "first_sha256": first,
        "first_on": before.get("first_on") or (today or date.today()).isoformat(),
    }  # fmt: skip
    try:
        part.replace(target)
    except OSError as error:
        raise disk_error(entry, target, error) from None
    discard()
    _state_file(target).write_text(json.dumps(state), encoding="utf-8")
    return _fetched(entry, target, state, started, received.resumed_from_bytes)


def _fetched(
    entry: Entry, target: Path, state: dict[str, str], started: float, resumed: int = 0, unchanged: bool = False
) -> Fetched:
    changed = state.get("first_on", "") if state.get("first_sha256") != state.get("sha256") else ""
    return Fetched(
        entry.key, entry.feeds, target, state.get("url", ""), state.get("sha256", ""), target.stat().st_size,
        state.get("fetched_on", ""), time.monotonic() - started, resumed, unchanged, changed,
    )  # fmt: skip


def _from_folder(entry: Entry, folder: Path, mirror: str, today: date | None, started: float) -> Fetched:
    """The newest file of that name in a folder (a USB stick), copied beside, checked, renamed."""
    place = Path(unquote(urlsplit(mirror).path)) if mirror.lower().startswith("file:") else Path(mirror)
    found = sorted(place.rglob(entry.file_name)) if place.is_dir() else []
    if not found:
        raise _not_there(entry, str(place))
    part, target = _part(folder, entry), _target(folder, entry)
    try:
        shutil.copyfile(found[-1], part)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)  # a copy does not resume: what is there only takes room
        raise disk_error(entry, part, error) from None
    return _put_in_place(
        entry,
        part,
        target,
        found[-1].as_uri(),
        Received("", "", 0),
        today,
        started,
        lambda: part.unlink(missing_ok=True),
    )


def _not_there(entry: Entry, place: str) -> FetchError:
    return FetchError(
        "mirror",
        f"{entry.named_fr} : {entry.file_name} n'est pas dans {place}. Mettez-y le fichier pris sur {entry.page}",
        f"{entry.named_en}: {entry.file_name} is not in {place}. Put the file from {entry.page} there",
    )


def _is_web(mirror: str) -> bool:
    return mirror.lower().startswith(("http://", "https://"))


def _target(folder: Path, entry: Entry) -> Path:
    return folder / f"{entry.key}.{entry.format}"


def _part(folder: Path, entry: Entry) -> Path:
    return folder / f"{entry.key}.{entry.format}.part"


def _is_sound(target: Path, known: dict[str, str]) -> bool:
    """True where the file in place is the one that was checked; a file altered since is fetched again."""
    return target.is_file() and sha256_of(target) == known.get("sha256")


def _state_file(target: Path) -> Path:
    return target.with_name(target.name + ".json")


def _known(target: Path) -> dict[str, str]:
    """What is known of the good file in place."""
    try:
        state = json.loads(_state_file(target).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {k: str(v) for k, v in state.items()} if isinstance(state, dict) else {}


def _network(entry: Entry, error: Exception) -> FetchError:
    kind = type(error).__name__
    proxy = is_proxy_silent(error)
    fr = PROXY_FR if proxy else f"pas de réponse ({kind}). Vérifiez la connexion (ou le proxy)"
    en = PROXY_EN if proxy else f"no answer ({kind}). Check the connection (or the proxy)"
    return FetchError(
        "network",
        f"{entry.named_fr} : {fr} et recommencez : ce qui est arrivé est gardé.",
        f"{entry.named_en}: {en} and try again: what has arrived is kept.",
        wait_s=1.0,
    )


def _by_hand(entry: Entry) -> FetchError:
    return FetchError(
        "by_hand",
        f"{entry.named_fr} : pas d'adresse fixe. Prenez le fichier sur {entry.page} et chargez-le (page Données, ou `data import`).",
        f"{entry.named_en}: no fixed address. Take the file from {entry.page} and load it (page Données, or `data import`).",
    )
