"""Comparer: which ranges its figures show, and the futures of the compared scenarios, drawn by a button."""

from __future__ import annotations

import html
import itertools
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from coopconnect.show.words import number
from coopconnect.ui.compare_parts import Future
from coopconnect.ui.frame import Page
from coopconnect.ui.futures import JOBS, differences_in_draws

if TYPE_CHECKING:
    from coopconnect.ui.robust_jobs import Job

POLL_S = 1.0


def draw_ranges(page: Page, futures: Sequence[Future]) -> None:
    """Which range each scenario shows; the button that draws the missing futures, or how far they are."""
    st.html(f'<p class="banner">{html.escape(ranges_words(page, futures))}</p>')
    missing = [f for f in futures if not f.assessment.drawn]
    jobs = [job for f in missing if (job := _begun(page, f)) is not None]
    for error in {job.error for job in jobs if job.error}:
        st.error(page.say("robust.failed", reason=error), icon=None)
    if any(job.running for job in jobs):
        _watch(page, missing)
    elif missing:
        label = "robust.resume" if any(job.done for job in jobs) else "compare.draw"
        st.button(page.say(label), key="compare_draw", on_click=_start, args=(page, tuple(missing)))


def ranges_words(page: Page, futures: Sequence[Future]) -> str:
    """'Fourchettes de A et B : 5 et 95 % de 200 futurs tirés. De C : hypothèses bougées une à la fois.'"""
    kinds: dict[int, list[str]] = {}
    for future in futures:
        kinds.setdefault(future.assessment.drawn, []).append(future.letter)
    told = []
    for drawn, letters in kinds.items():
        key = "compare.ranges_drawn" if drawn else "compare.ranges_moved"
        told.append(page.say(key, letters=", ".join(letters), draws=number(drawn, page.language)))
    if len(kinds) > 1 and 0 in kinds:
        told.append(page.say("compare.ranges_mixed"))
    if all(f.assessment.drawn for f in futures) and len({f.scenario.territory for f in futures}) == 1:
        paired = all(differences_in_draws(a.drawn, b.drawn) for a, b in itertools.combinations(futures, 2))
        told.append(page.say("compare.ranges_paired" if paired else "compare.ranges_unpaired"))
    return " ".join(told)


def _begun(page: Page, future: Future) -> Job | None:
    """The job of a scenario where one was begun; the libraries of the draws are not loaded for it."""
    if JOBS not in sys.modules:
        return None
    from coopconnect.ui import robust_jobs

    return robust_jobs.begun_of(future.scenario, future.survey, page.parameters)


def _start(page: Page, missing: Sequence[Future]) -> None:
    from coopconnect.ui import robust_jobs

    for future in missing:
        robust_jobs.start(robust_jobs.asked_of(future.scenario, future.survey, page.parameters))


def _watch(page: Page, missing: Sequence[Future]) -> None:
    """Progress of all together and a way to stop; the whole page runs again once all have ended."""

    @st.fragment(run_every=POLL_S)
    def shown() -> None:
        jobs = [job for future in missing if (job := _begun(page, future)) is not None]
        if not any(job.running for job in jobs):
            st.rerun()
        done, draws = sum(job.done for job in jobs), sum(job.ensemble.draws for job in jobs)
        with st.container(horizontal=True, vertical_alignment="center", key="compare_drawing"):
            words = {"done": number(done, page.language), "draws": number(draws, page.language)}
            st.progress(done / draws, page.say("robust.progress", **words))
            st.button(page.say("robust.stop"), key="compare_stop", on_click=_stop, args=(jobs,))

    shown()


def _stop(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.stop.set()
