"""Ménages: what does my household gain?"""

import streamlit as st

from coopconnect.ui.frame import begin_page, guard
from coopconnect.ui.households import draw_everyone
from coopconnect.ui.levers import draw_levers
from coopconnect.ui.menages import assess, draw_calculator, draw_title

page = begin_page("menages")
with guard(page):
    draw_title(page)
    now = assess(page)
    mine, levers = st.columns([3.2, 0.9], gap="medium")
    with mine, guard(page):
        draw_calculator(page, now)
    with levers, st.container(key="leverpanel"):
        draw_levers(page)
    with guard(page):
        draw_everyone(page)
