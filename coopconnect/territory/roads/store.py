"""Chunks of a long computation on disk: written beside, checked when read, so that a killed run goes on."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CHECK_BYTES = 32


class RoadsError(Exception):
    """What went wrong and what to do, in French and English; `str` is the English text."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(en)
        self.fr, self.en = fr, en

    def text(self, language: str = "fr") -> str:
        """The message in one language."""
        return self.fr if language == "fr" else self.en


@dataclass(frozen=True)
class RoadsProgress:
    """Where a run is. stage: 'read', 'graph', 'routes' or 'router'; done, total: steps (origins or blocks); resumed:
    steps found on disk; seconds since the stage began."""

    stage: str
    done: int
    total: int
    seconds: float
    resumed: int = 0

    @property
    def left_s(self) -> float | None:
        """Seconds left at the mean pace of this run; None while unknown."""
        fresh = self.done - self.resumed
        return (self.total - self.done) * self.seconds / fresh if fresh > 0 else None

    def text(self, language: str = "fr") -> str:
        """One line for the terminal and the page."""
        names = {
            "read": ("lecture des routes", "reading roads"),
            "graph": ("graphe des routes", "road graph"),
            "routes": ("trajets, communes de départ", "trips, communes of departure"),
            "router": ("serveur, blocs", "server, blocks"),
        }
        french = language == "fr"
        name = names[self.stage][0 if french else 1]
        left = "" if self.left_s is None else f", {self.left_s:.0f} s {'restantes' if french else 'left'}"
        return f"{name}{' : ' if french else ': '}{self.done}/{self.total}{left}"


ProgressCallback = Callable[[RoadsProgress], None]


class ProgressClock:
    """Calls `progress` with steps done since it was made; silent without a callback."""

    def __init__(self, progress: ProgressCallback | None, stage: str, total: int, resumed: int = 0) -> None:
        self._call, self._stage, self._total, self._resumed = progress, stage, total, resumed
        self._done, self._start = resumed, time.monotonic()
        self.step(0)

    def step(self, steps: int) -> None:
        """Count steps and report."""
        self._done += steps
        if self._call:
            seconds = time.monotonic() - self._start
            self._call(RoadsProgress(self._stage, self._done, self._total, seconds, self._resumed))


def run_folder(work_dir: Path, key: str, resume: bool) -> Path:
    """The folder of one run, named by what decides its result; emptied when not resuming."""
    folder = work_dir / hashlib.sha256(key.encode()).hexdigest()[:16]
    if folder.exists() and not resume:
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_checked(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays with a checksum in front: beside, flushed, then renamed over `path`."""
    import io

    body = io.BytesIO()
    np.savez(body, **arrays)  # type: ignore[arg-type]
    data = body.getvalue()
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    with beside.open("wb") as file:
        file.write(hashlib.sha256(data).digest() + data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read_checked(path: Path) -> dict[str, np.ndarray] | None:
    """Arrays of `write_checked`; None where the file is missing, cut or altered (it is then removed)."""
    import io

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(data) <= CHECK_BYTES or hashlib.sha256(data[CHECK_BYTES:]).digest() != data[:CHECK_BYTES]:
        path.unlink(missing_ok=True)
        return None
    with np.load(io.BytesIO(data[CHECK_BYTES:]), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def sha256_of(path: Path) -> str:
    """Checksum of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
