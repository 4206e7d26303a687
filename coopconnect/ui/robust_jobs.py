"""Ensembles in the background: one thread a job, results that the page reads as they come.

A job belongs to a scenario, a number of draws and what is drawn: moving a lever starts another and loses none.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from coopconnect.dossier import SurveySums
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.territory.hosts import assessed_scenario
from coopconnect.ui import cached
from coopconnect.ui.jobs import Job as BackgroundJob
from coopconnect.ui.jobs import Shelf
from coopconnect.uncertainty.bands import site_bands
from coopconnect.uncertainty.engine import Setup
from coopconnect.uncertainty.laws import laws_of
from coopconnect.uncertainty.run import Ensemble, blank, cores, stream, threads
from coopconnect.uncertainty.survey import learned

Key = tuple[Scenario, int, bool, bool, tuple[tuple[str, float, float], ...]]
"""Scenario, draws, levers, weights, what a survey has taught."""

DRAWS = (200, 1000, 4000)
MOST_JOBS = 6
SEED = 0


@dataclass(eq=False)
class Job(BackgroundJob):
    """An ensemble that fills."""

    ensemble: Ensemble

    @property
    def done(self) -> int:
        """Draws that are there."""
        return int(self.ensemble.done.sum())

    @property
    def complete(self) -> bool:
        """True where nothing is left to draw."""
        return bool(self.ensemble.done.all())


@st.cache_resource(show_spinner=False)
def _jobs() -> Shelf[Key, Job]:
    """Ensembles of this server."""
    return Shelf(MOST_JOBS)


def key_of(
    scenario: Scenario, draws: int, levers: bool, weights: bool, learned: tuple[tuple[str, float, float], ...]
) -> Key:
    """What a job is kept under; of the hosts' answers only refusals count."""
    if scenario.hosts:
        scenario = assessed_scenario(scenario, cached.hosts(scenario.territory)).with_values(hosts=())
    return scenario, draws, levers, weights, learned


def job_of(key: Key) -> Job:
    """The job of a key, as far as it is; not started where it is new."""
    return _jobs().take(key, lambda: _new(key))


def _new(key: Key) -> Job:
    scenario, draws, levers, weights, learned = key
    territory = cached.territory(scenario.territory)
    home = cached.home_territory(scenario.territory) or territory
    parameters = cached.parameters()
    laws = laws_of(scenario, parameters, levers, weights, learned)
    return Job(blank(Setup(territory, home, scenario, parameters, laws), draws, SEED))


def start(job: Job) -> None:
    """Go on drawing, in a thread of its own; nothing where it runs or is complete."""
    if not job.complete:
        job.begin(lambda: _work(job), "ensemble")


def _work(job: Job) -> None:
    """Draw until all is done or the job is told to stop; what has come stays."""
    workers = cores()
    for found in job.steps(stream(job.ensemble, threads(workers), workers)):
        job.ensemble = found
    if job.complete:  # what other pages read of it, so that none waits
        site_bands(job.ensemble)


def finished(key: Key) -> Ensemble | None:
    """A complete ensemble of this key if there is one, without starting anything."""
    job = _jobs().find(key)
    return job.ensemble if job is not None and job.complete else None


def drawn_of(scenario: Scenario, survey: SurveySums | None, parameters: Parameters) -> Ensemble | None:
    """The largest complete ensemble of a scenario, its levers and weights as they are set."""
    known = learned(survey, parameters)
    return next((e for n in reversed(DRAWS) if (e := finished(key_of(scenario, n, False, False, known)))), None)


def asked_of(scenario: Scenario, survey: SurveySums | None, parameters: Parameters) -> Job:
    """The job of the fewest draws of a scenario, made where it is new, not started."""
    return job_of(key_of(scenario, DRAWS[0], False, False, learned(survey, parameters)))


def begun_of(scenario: Scenario, survey: SurveySums | None, parameters: Parameters) -> Job | None:
    """The same job where there is one; nothing is made."""
    return _jobs().find(key_of(scenario, DRAWS[0], False, False, learned(survey, parameters)))
