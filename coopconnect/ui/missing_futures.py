"""Futures that a page lacks, drawn from there by a button: progress of all together and a way to stop."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from coopconnect.dossier import SurveySums
from coopconnect.scenario import Scenario
from coopconnect.show.words import number
from coopconnect.ui.frame import Page
from coopconnect.ui.futures import JOBS

if TYPE_CHECKING:
    from coopconnect.ui.robust_jobs import Job

POLL_S = 1.0

Missing = tuple[Scenario, SurveySums | None]
"""A scenario whose futures are not drawn, and what its survey has taught."""


def draw_missing(page: Page, missing: Sequence[Missing], name: str, label: str) -> None:
    """The button that draws the futures of these scenarios, or how far they are; its keys start with `name`."""
    jobs = [job for one in missing if (job := _begun(page, one)) is not None]
    for error in {job.error for job in jobs if job.error}:
        st.error(page.say("robust.failed", reason=error), icon=None)
    if any(job.running for job in jobs):
        _watch(page, missing, name)
    elif missing:
        label = page.say("robust.resume") if any(job.done for job in jobs) else label
        st.button(label, key=f"{name}_draw", on_click=_start, args=(page, tuple(missing)))


def _begun(page: Page, missing: Missing) -> Job | None:
    """The job of a scenario where one was begun; the libraries of the draws are not loaded for it."""
    if JOBS not in sys.modules:
        return None
    from coopconnect.ui import robust_jobs

    return robust_jobs.begun_of(*missing, page.parameters)


def _start(page: Page, missing: Sequence[Missing]) -> None:
    from coopconnect.ui import robust_jobs

    for one in missing:
        robust_jobs.start(robust_jobs.asked_of(*one, page.parameters))


def _watch(page: Page, missing: Sequence[Missing], name: str) -> None:
    """Progress of all together and a way to stop; the whole page runs again once all have ended."""

    @st.fragment(run_every=POLL_S)
    def shown() -> None:
        jobs = [job for one in missing if (job := _begun(page, one)) is not None]
        if not any(job.running for job in jobs):
            st.rerun()
        done, draws = sum(job.done for job in jobs), sum(job.ensemble.draws for job in jobs)
        with st.container(horizontal=True, vertical_alignment="center", key=f"{name}_drawing"):
            words = {"done": number(done, page.language), "draws": number(draws, page.language)}
            st.progress(done / draws, page.say("robust.progress", **words))
            st.button(page.say("robust.stop"), key=f"{name}_stop_draws", on_click=_stop, args=(jobs,))

    shown()


def _stop(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.stop.set()
