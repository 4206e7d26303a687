"""Searching a plan further while one looks at it: the button, the gap as it closes, and a way to stop."""

from __future__ import annotations

import math

import streamlit as st

from coopconnect.show.words import at_most
from coopconnect.siting.types import BY_SITE, PROVEN, SitePlan
from coopconnect.ui import plan_jobs
from coopconnect.ui.frame import Page
from coopconnect.ui.plan_jobs import Key

POLL_S = 1.0


def draw_search(page: Page, key: Key, plan: SitePlan) -> None:
    """The button where the plan is not proven; progress and stop while the search goes on."""
    job = plan_jobs.find(key)
    running = job is not None and job.running
    if not running:
        if job is not None and job.error:
            st.error(page.say("network.search_failed", reason=job.error), icon=None)
        if plan.missing:
            parts = ", ".join(page.say(f"network.missing_{part}") for part in plan.missing)
            st.caption(page.say("network.stopped", parts=parts))
            st.button(
                page.say("network.complete"), key="network_complete", on_click=plan_jobs.complete, args=(key, plan)
            )
        if plan.gap > PROVEN and plan.proof == BY_SITE:
            st.caption(page.say("network.loose"))
        if plan.gap > PROVEN and job is not None and job.ended:
            st.caption(page.say("network.search_ended"))
        elif plan.gap > PROVEN:
            st.button(page.say("network.better"), key="network_better", on_click=plan_jobs.start, args=(key, plan))
        return

    @st.fragment(run_every=POLL_S)
    def shown() -> None:
        now = plan_jobs.find(key)
        if now is None or not now.running:
            st.rerun()  # the plan on the page has changed
        if now.measuring:
            told = page.say("network.completing")
        elif math.isinf(now.gap):
            told = page.say("network.searching_no_gap")
        else:
            told = page.say("network.searching", gap=at_most(now.gap, page.language))
        with st.container(horizontal=True, vertical_alignment="center", key="network_searching"):
            st.progress(now.share, told)
            st.button(page.say("network.stop"), key="network_stop", on_click=now.stop.set)

    shown()
