"""Décider: where would a tiers-lieu work, and what does it change?"""

import streamlit as st

from coopconnect.ui.decide import (
    assess_and_map,
    draw_banner,
    draw_bar,
    draw_charts,
    draw_figures,
    draw_ranking_of,
    draw_selected,
)
from coopconnect.ui.filters import draw_filters
from coopconnect.ui.frame import begin_page, draw_top_bar, guard
from coopconnect.ui.levers import draw_levers

page = begin_page("decider", bar_later=True)
with guard(page):
    bar = st.container()
    levers, centre, right = st.columns([0.9, 2.1, 1.2], gap="medium")
    with centre:
        decision = assess_and_map(page)  # first: it is what one waits for when a lever moves
    draw_top_bar(page)
    with bar:
        draw_bar(page)
    with levers, st.container(key="leverpanel"):
        draw_levers(page)
    if decision is not None:
        with centre, guard(page):
            draw_filters(page, decision.territory)
            draw_banner(page, decision)
        with right, guard(page):
            draw_figures(page, decision)
            draw_ranking_of(page, decision)
        with st.container(key="below"), guard(page):
            draw_selected(page, decision)
            draw_charts(page, decision)
