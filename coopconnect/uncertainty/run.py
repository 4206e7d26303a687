"""Many draws: in chunks, on this machine or on a cluster, stopped and resumed, the same to the bit every way.

A chunk is a slice of the design, which depends on the seed alone. Each draw stands alone, starts its calibration from
the reference answer and is written at its own place: neither the number of workers nor the order of arrival matters.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from coopconnect import MODEL_VERSION
from coopconnect.uncertainty.engine import KEPT, Setup, run_rows
from coopconnect.uncertainty.laws import design

CHUNK = 20
"""Draws handed out at a time: half a second of work on a region, so that a stop is quick and a loss is small."""

Chunk = tuple[int, np.ndarray]
"""Number of a chunk and its figures, (rows, len(KEPT), n_sites)."""

Backend = Callable[[Setup, np.ndarray, list[int]], Iterator[Chunk]]
"""Works through the chunks of a design that are asked for, in any order."""

RowsWork = Callable[[Setup, np.ndarray], np.ndarray]
"""What is made of the rows of a chunk, (rows, ...): `run_rows` for the figures of every site."""


class EnsembleError(ValueError):
    """An ensemble cannot run or resume; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class Ensemble:
    """What the draws gave. values: (draws, laws); figures: (draws, len(KEPT), n_sites), NaN where `done` is False or
    where the drawn targets leave no solution. seconds: of work, resumed parts included."""

    setup: Setup
    seed: int
    values: np.ndarray
    figures: np.ndarray
    done: np.ndarray
    seconds: float = 0.0
    workers: int = 1

    @property
    def draws(self) -> int:
        """Number of draws asked."""
        return int(self.done.size)

    def figure(self, name: str) -> np.ndarray:
        """One of `KEPT` in the usable draws, (usable, n_sites), double precision."""
        return self.figures[self.usable, KEPT.index(name)].astype(float)

    @property
    def usable(self) -> np.ndarray:
        """Draws that are done and have a solution, (draws,) bool."""
        return self.done & np.isfinite(self.figures[:, 0, 0])

    def drawn(self) -> np.ndarray:
        """Values of the usable draws, (usable, laws)."""
        return self.values[self.usable]


def rows_of(chunk: int, draws: int) -> slice:
    """Rows of the design of a chunk."""
    return slice(chunk * CHUNK, min((chunk + 1) * CHUNK, draws))


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads(workers: int, made: RowsWork | None = None) -> Backend:
    """A backend of threads: the compiled loops run without the GIL."""

    def work(setup: Setup, values: np.ndarray, todo: list[int]) -> Iterator[Chunk]:
        with ThreadPoolExecutor(workers) as pool:
            yield from _as_they_come(
                todo, lambda k: pool.submit(made or run_rows, setup, values[rows_of(k, len(values))]), 2 * workers
            )

    return work


_inherited: tuple[RowsWork, Setup, np.ndarray] | None = None
"""What forked workers find in their memory: nothing of a territory is sent to them."""


def _inherited_chunk(chunk: int) -> np.ndarray:
    if _inherited is None:
        raise RuntimeError("a worker that was not forked by `processes` has no territory")
    made, setup, values = _inherited
    return made(setup, values[rows_of(chunk, len(values))])


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def processes(workers: int, made: RowsWork | None = None) -> Backend:
    """A backend of forked processes, which share the territory's memory: no lock of the interpreter between them.

    For a program that has no other thread (a fork copies one thread only); elsewhere `threads`. Raises `EnsembleError`
    where a worker was killed, after which what is done can be resumed.
    """

    def work(setup: Setup, values: np.ndarray, todo: list[int]) -> Iterator[Chunk]:
        global _inherited
        _inherited = (made or run_rows, setup, values)
        try:
            with ProcessPoolExecutor(
                workers, multiprocessing.get_context("fork"), _leave_interrupts_to_the_parent
            ) as pool:
                yield from _as_they_come(todo, lambda k: pool.submit(_inherited_chunk, k), 2 * workers)
        except BrokenProcessPool:
            raise EnsembleError(
                "a worker of this machine was killed (out of memory?); run the same command again with --resume FOLDER "
                "or with fewer --workers"
            ) from None
        finally:
            _inherited = None

    return work


def local(workers: int, made: RowsWork | None = None) -> Backend:
    """This machine's cores: processes where forking is safe (Linux, a program of one thread), else threads."""
    alone = threading.active_count() == 1 and os.uname().sysname == "Linux" if hasattr(os, "uname") else False
    return processes(workers, made) if alone and workers > 1 else threads(workers, made)


def _as_they_come(todo: list[int], submit: Callable[[int], Future[np.ndarray]], ahead: int) -> Iterator[Chunk]:
    """Chunks as they end, at most `ahead` handed out at a time, so that a stop leaves little behind."""
    waiting = list(todo)
    running: dict[Future[np.ndarray], int] = {}
    try:
        while waiting or running:
            while waiting and len(running) < ahead:
                k = waiting.pop(0)
                running[submit(k)] = k
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(ended, key=lambda f: running[f]):
                yield running.pop(future), future.result()
    finally:
        for future in running:
            future.cancel()


def fingerprint(setup: Setup, draws: int, seed: int) -> str:
    """What a folder of results belongs to: model, territories, scenario, laws, draws and seed."""
    words = [
        MODEL_VERSION, setup.territory.code, setup.territory.flow_workers.size, setup.territory.access_zone.size,
        float(setup.territory.flow_workers.sum()), float(setup.home.flow_workers.sum()), repr(setup.scenario),
        sorted((p.key, p.value) for p in setup.parameters.values()), [repr(law) for law in setup.laws], draws, seed, KEPT,
    ]  # fmt: skip
    return hashlib.sha256(repr(words).encode()).hexdigest()


class Store:
    """The folder of an ensemble: one file a chunk, and what it belongs to."""

    def __init__(self, folder: Path, mark: str, draws: int, seed: int) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        plan = folder / "plan.json"
        if plan.exists():
            try:
                found = json.loads(plan.read_text(encoding="utf-8"))
            except json.JSONDecodeError:
                found = {}
            if found.get("mark") != mark:
                raise EnsembleError(
                    f"{folder}: holds another ensemble ({found.get('draws', '?')} draws, seed {found.get('seed', '?')}); "
                    "ask for the same scenario, draws and seed, or give an empty folder"
                )
        elif any(folder.iterdir()):
            raise EnsembleError(f"{folder}: is not empty and holds no ensemble; give an empty folder")
        else:
            plan.write_text(json.dumps({"mark": mark, "draws": draws, "seed": seed}), encoding="utf-8")

    def _path(self, chunk: int) -> Path:
        return self.folder / f"chunk_{chunk:06d}.npy"

    def read(self, chunk: int, shape: tuple[int, ...]) -> np.ndarray | None:
        """Figures of a chunk, None where they are not there or were cut short."""
        try:
            found = np.load(self._path(chunk))
        except (OSError, ValueError, EOFError):
            return None
        return found if found.shape == shape else None

    def write(self, chunk: int, figures: np.ndarray) -> None:
        """Keep a chunk; a file appears whole or not at all."""
        part = self._path(chunk).with_suffix(".part")
        with part.open("wb") as file:
            np.save(file, figures)
        part.replace(self._path(chunk))


def blank(setup: Setup, draws: int, seed: int, values: np.ndarray | None = None) -> Ensemble:
    """An ensemble of which nothing is done yet. `values` replaces the Latin hypercube (a design for Sobol indices)."""
    if draws < 1:
        raise EnsembleError(f"draws: should be a whole number from 1, not {draws}")
    values = design(setup.laws, draws, seed) if values is None else values
    shape = (draws, len(KEPT), setup.territory.site_zone.size)
    return Ensemble(setup, seed, values, np.full(shape, np.nan, dtype=np.float32), np.zeros(draws, dtype=bool))


def stream(
    started: Ensemble, backend: Backend, workers: int, folder: Path | None = None
) -> Generator[Ensemble, None, None]:
    """The ensemble as it fills, after each chunk; its arrays are the same objects throughout.

    What `started` or the folder already holds is not run again. Closing the iterator stops the work.
    """
    draws = started.draws
    store = Store(folder, fingerprint(started.setup, draws, started.seed), draws, started.seed) if folder else None
    todo = []
    for k in range(-(-draws // CHUNK)):
        rows = rows_of(k, draws)
        kept = None if store is None else store.read(k, started.figures[rows].shape)
        if kept is not None:
            started.figures[rows], started.done[rows] = kept, True
        elif not started.done[rows].all():
            todo.append(k)
    begun, before = time.perf_counter(), started.seconds
    yield replace(started, workers=workers)
    with closing(backend(started.setup, started.values, todo)) as chunks:  # type: ignore[type-var]
        for k, figures in chunks:
            rows = rows_of(k, draws)
            started.figures[rows], started.done[rows] = figures, True
            if store is not None:
                store.write(k, figures)
            yield replace(started, workers=workers, seconds=before + time.perf_counter() - begun)


def run(
    setup: Setup, draws: int, seed: int = 0, workers: int | None = None, backend: Backend | None = None,
    folder: Path | None = None, progress: Callable[[int, int], None] | None = None, values: np.ndarray | None = None,
) -> Ensemble:  # fmt: skip
    """All draws, on this machine's cores unless another backend is given. progress(done, draws) after each chunk."""
    workers = workers or cores()
    started = found = blank(setup, draws, seed, values)
    for found in stream(started, backend or local(workers), workers, folder):
        if progress:
            progress(int(found.done.sum()), draws)
    return found


@dataclass(eq=False)
class Gathered:
    """A few figures of each run of a design, without keeping what each site does in it.

    values: (runs, laws); found: (runs, k), NaN where there is no solution; done: (runs,) bool. It fills in place.
    """

    setup: Setup
    values: np.ndarray
    found: np.ndarray
    done: np.ndarray

    @property
    def share(self) -> float:
        """Part of the runs that is there, 0 to 1."""
        return float(self.done.mean()) if self.done.size else 1.0


def nothing_gathered(setup: Setup, values: np.ndarray, columns: int, kept: type[np.floating] = np.float64) -> Gathered:
    """A design of which nothing has run yet, with so many figures a run, kept in that precision."""
    return Gathered(
        setup, values, np.full((len(values), columns), np.nan, dtype=kept), np.zeros(len(values), dtype=bool)
    )


def gather(started: Gathered, backend: Backend) -> Generator[int]:
    """Fill what is missing, chunk by chunk, with the (rows, k) that the backend makes of the rows of each; yields the
    number of runs there are. Closing it stops the work.
    """
    runs = len(started.values)
    todo = [k for k in range(-(-runs // CHUNK)) if not started.done[rows_of(k, runs)].all()]
    with closing(backend(started.setup, started.values, todo)) as chunks:  # type: ignore[type-var]
        for k, figures in chunks:
            rows = rows_of(k, runs)
            started.found[rows], started.done[rows] = figures, True
            yield int(started.done.sum())
