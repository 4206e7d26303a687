"""Réseau: which sites together, and in which order?"""

import streamlit as st

from coopconnect.ui.frame import begin_page, guard
from coopconnect.ui.network_page import draw_answer, draw_head, draw_question, gather

page = begin_page("reseau")
with guard(page):
    draw_head(page)
    asked, answered = st.columns([1, 2.4], gap="large")
    with asked:
        aside = st.container()
        draw_question(page)
    with answered, guard(page):
        draw_answer(page, gather(page), aside)
