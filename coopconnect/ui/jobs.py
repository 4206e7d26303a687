"""Work in the background: one thread a job, kept on the server under what was asked, told to stop between two steps.

Moving a lever starts another job and loses none: asked again, the first is found where it was.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from coopconnect.model.calibration import CalibrationError

Found = TypeVar("Found")

TOLD = (CalibrationError, ValueError, MemoryError)
"""What may end a job; its words are kept in `error`, for the page to tell."""


@dataclass(eq=False)
class Job:
    """What every job has; each kind adds what it makes. It changes while it runs, and only its thread changes it."""

    thread: threading.Thread | None = field(default=None, kw_only=True)
    stop: threading.Event = field(default_factory=threading.Event, kw_only=True)
    error: str = field(default="", kw_only=True)

    @property
    def running(self) -> bool:
        """True while its thread works."""
        return self.thread is not None and self.thread.is_alive()

    def begin(self, work: Callable[[], None], name: str) -> None:
        """Run `work` in a thread of its own; nothing where it runs already."""
        if self.running:
            return
        self.stop.clear()
        self.error = ""
        self.thread = threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
        self.thread.start()

    def steps(self, work: Generator[Found, None, None]) -> Iterator[Found]:
        """What `work` gives, until its end or until the job is told to stop; it is closed either way."""
        with closing(work):
            for found in work:
                yield found
                if self.stop.is_set():
                    return

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except TOLD as error:
            self.error = str(error)


class Stoppable(Protocol):
    """What a shelf holds: told to stop when it is dropped."""

    @property
    def stop(self) -> threading.Event:
        """Set once it is dropped."""


Key = TypeVar("Key")
Kind = TypeVar("Kind", bound=Stoppable)


class Shelf(Generic[Key, Kind]):
    """Jobs of this server by what was asked, the last used at the end; beyond `most` the oldest is stopped and dropped."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.jobs: dict[Key, Kind] = {}
        self.lock = threading.Lock()

    def find(self, key: Key) -> Kind | None:
        """The job of a key if there is one; nothing is made."""
        return self.jobs.get(key)

    def take(self, key: Key, make: Callable[[], Kind]) -> Kind:
        """The job of a key, as far as it is; made, not started, where it is new."""
        with self.lock:
            job = self.jobs.pop(key, None)
            if job is None:
                job = make()
            self.jobs[key] = job
            for old in list(self.jobs)[: -self.most]:
                self.jobs.pop(old).stop.set()
        return job

    def touch(self, key: Key) -> None:
        """Count a job as just used; nothing where there is none."""
        with self.lock:
            if (job := self.jobs.pop(key, None)) is not None:
                self.jobs[key] = job

    def drop(self, key: Key) -> None:
        """Stop a job and forget it."""
        with self.lock:
            job = self.jobs.pop(key, None)
        if job is not None:
            job.stop.set()
