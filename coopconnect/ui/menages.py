"""The page Ménages, in the order of the screen: the scenario, my week, what to take home, everyone."""

from __future__ import annotations

import html
from pathlib import Path

import streamlit as st

from coopconnect.model.types import Assessment
from coopconnect.ui import cached, calculator
from coopconnect.ui.frame import Page, mount_frame, scenario_html
from coopconnect.ui.take_home import draw_take_home

_STYLE = f"<style>{(Path(__file__).parent / 'menages.css').read_text(encoding='utf-8')}</style>"


def draw_title(page: Page) -> None:
    """Title, one sentence, the scenario in one line."""
    st.html(_STYLE)
    lead = f'<p class="lead">{html.escape(page.say("house.lead"))}</p>'
    st.html(f'<h1 class="pagetitle">{html.escape(page.say("page.menages"))}</h1>{lead}')
    st.html(scenario_html(page))


def assess(page: Page) -> Assessment:
    """The assessment of the scenario; the first load of a territory says that it takes a moment."""
    code = page.scenario.territory
    if cached.is_loaded(code):
        return cached.assessment(page.scenario)
    with st.spinner(page.say("wait.territory")):
        now = cached.assessment(page.scenario)
    cached.mark_loaded(code)
    return now


def draw_calculator(page: Page, now: Assessment) -> None:
    """The questions, the three weeks, the card."""
    note = html.escape(page.say("house.privacy"))
    st.html(f'<h2 class="title">{html.escape(page.say("house.calculator"))} <small>{note}</small></h2>')
    hub, _ = calculator.draw_questions(page, now)
    found = calculator.calculate(page, hub)
    if found is None:
        mount_frame(page)
        return
    calculator.draw_weeks(page, found)
    draw_take_home(page, found)
