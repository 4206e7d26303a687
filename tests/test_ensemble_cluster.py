"""The same ensemble on a real Dask cluster of local processes: same bits, whoever dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from distributed import LocalCluster

from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.territory.types import Territory
from coopconnect.uncertainty.cluster import dask, workers_of
from coopconnect.uncertainty.engine import Setup
from coopconnect.uncertainty.laws import laws_of
from coopconnect.uncertainty.plans import Candidate, plan_rows
from coopconnect.uncertainty.run import (
    CHUNK,
    Ensemble,
    EnsembleError,
    blank,
    gather,
    nothing_gathered,
    run,
    stream,
    threads,
)

pytestmark = pytest.mark.filterwarnings("default")  # Dask's own warnings at start and stop are not ours


@pytest.fixture(scope="module")
def setup(small: Territory, reference: Scenario, parameters: Parameters) -> Setup:
    return Setup(small, small, reference, parameters, laws_of(reference, parameters))


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as started:
        yield started


@pytest.fixture(scope="module")
def local(setup: Setup) -> Ensemble:
    return run(setup, 12 * CHUNK, 1, workers=1)


def test_the_cluster_gives_the_same_bits(setup: Setup, cluster: LocalCluster, local: Ensemble) -> None:
    address = cluster.scheduler_address
    assert workers_of(address) == 2
    found = run(setup, local.draws, 1, backend=dask(address), workers=2)
    assert found.figures.tobytes() == local.figures.tobytes()
    made = partial(plan_rows, (Candidate("nothing", ()), Candidate("two", (3, 8))))
    here, there = (nothing_gathered(setup, local.values[:CHUNK], 2) for _ in range(2))
    assert list(gather(here, threads(1, made))) == [CHUNK]
    assert list(gather(there, dask(address, made=made))) == [CHUNK]
    assert here.found.tobytes() == there.found.tobytes()


def test_the_territory_is_sent_once_to_each_worker(setup: Setup, cluster: LocalCluster, local: Ensemble) -> None:
    """Each process that holds a setup counts how often one was made in it from what was sent."""

    class Counted(Setup):  # a class of the test travels with it: the workers need not find this file
        def __setstate__(self, state: dict[str, object]) -> None:
            os.environ["SETUPS_MADE"] = str(int(os.environ.get("SETUPS_MADE", "0")) + 1)
            self.__dict__.update(state)

    def made(held: Setup, rows: np.ndarray) -> np.ndarray:
        sites = held.territory.site_zone.size
        return np.tile([float(os.getpid()), float(os.environ["SETUPS_MADE"]), float(sites)], (len(rows), 1))

    sent = Counted(setup.territory, setup.home, setup.scenario, setup.parameters, setup.laws)
    asked = nothing_gathered(sent, local.values, 3)
    assert list(gather(asked, dask(cluster.scheduler_address, made=made)))[-1] == local.draws  # 12 chunks
    worker, times, sites = asked.found.T
    assert os.getpid() not in worker
    assert len(set(worker)) == 2
    assert set(times) == {1.0}
    assert set(sites) == {float(setup.territory.site_zone.size)}


def test_a_killed_worker_costs_time_not_results(setup: Setup, cluster: LocalCluster, local: Ensemble) -> None:
    """One worker process is killed after the first chunks; Dask runs its chunks again."""
    killed = 0
    for found in stream(blank(setup, local.draws, 1), dask(cluster.scheduler_address), 2):
        if not killed and 0 < found.done.sum() < local.draws:
            killed = next(iter(cluster.workers.values())).pid
            os.kill(killed, signal.SIGKILL)
    assert killed
    assert found.done.all()
    assert found.figures.tobytes() == local.figures.tobytes()


def test_an_address_where_nothing_answers_is_said() -> None:
    with pytest.raises(EnsembleError, match=r"tcp://127\.0\.0\.1:9: no Dask scheduler answers within 1 s"):
        workers_of("tcp://127.0.0.1:9", wait_s=1.0)
