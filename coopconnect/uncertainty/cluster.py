"""The same chunks on a Dask cluster: an address of a scheduler, wherever its workers are.

The setup (territory, scenario, laws) goes once to each worker as a plugin, hence also to those that join or restart
later; a chunk carries its rows only. Dask runs the chunks of a lost worker again on another. Needs `distributed`
(requirements-cluster.txt), here and on the workers, with the same version of this package.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import numpy as np

from coopconnect.uncertainty.engine import Setup, run_rows
from coopconnect.uncertainty.run import Backend, Chunk, EnsembleError, RowsWork, fingerprint, rows_of

RETRIES = 5
"""Times a chunk is begun again where its worker dies or fails."""

_AHEAD = 3
"""Chunks handed out for each thread of the cluster: enough to keep it busy, few enough to hold in memory."""


def _connect(address: str, wait_s: float) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise EnsembleError(
            "--scheduler: needs the package distributed; pip install -r requirements-cluster.txt"
        ) from None
    try:
        return Client(address, timeout=wait_s, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise EnsembleError(
            f"--scheduler {address}: no Dask scheduler answers within {wait_s:g} s ({type(error).__name__}); "
            "start one with `dask scheduler` and give its address (tcp://host:8786)"
        ) from None


def _plugin(mark: str, setup: Setup) -> Any:
    from distributed import WorkerPlugin

    class Carrier(WorkerPlugin):  # type: ignore[misc]
        """Holds the setup on a worker."""

        def __init__(self) -> None:
            self.name = mark
            self.carried: Setup = setup

    return Carrier()


def _on_worker(mark: str, rows: np.ndarray, made: RowsWork) -> np.ndarray:
    from distributed import get_worker

    carrier: Any = get_worker().plugins[mark]
    return made(carrier.carried, rows)


def workers_of(address: str, wait_s: float = 10.0) -> int:
    """Threads that the cluster offers now. Raises `EnsembleError` where nothing answers or there is no worker."""
    with _connect(address, wait_s) as client:
        threads = sum(client.nthreads().values())
    if not threads:
        raise EnsembleError(
            f"--scheduler {address}: the cluster has no worker; start some with `dask worker {address}`"
        )
    return threads


def dask(address: str, wait_s: float = 10.0, made: RowsWork = run_rows) -> Backend:
    """A backend that works on the cluster at `address`."""

    def work(setup: Setup, values: np.ndarray, todo: list[int]) -> Iterator[Chunk]:
        from distributed import as_completed

        draws = len(values)
        mark = f"ensemble-{fingerprint(setup, draws, 0)[:12]}-{secrets.token_hex(4)}"  # two sessions, two plugins
        with _connect(address, wait_s) as client:
            client.register_plugin(_plugin(mark, setup), name=mark)
            waiting = list(todo)

            def submit() -> Any:
                k = waiting.pop(0)
                rows = np.array(values[rows_of(k, draws)])
                future = client.submit(_on_worker, mark, rows, made, pure=False, retries=RETRIES)
                chunk_of[future.key] = k
                return future

            chunk_of: dict[Any, int] = {}
            ahead = max(_AHEAD * sum(client.nthreads().values()), 1)
            arriving = as_completed([submit() for _ in range(min(ahead, len(waiting)))], loop=client.loop)
            try:
                for future in arriving:
                    yield chunk_of[future.key], future.result()
                    if waiting:
                        arriving.add(submit())
            finally:
                client.cancel(list(arriving.futures))
                client.unregister_worker_plugin(mark)

    return work
