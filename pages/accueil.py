"""Accueil: where do I start?"""

import streamlit as st

from coopconnect.ui.frame import begin_page, draw_resume, guard, mount_frame
from coopconnect.ui.home import draw_examples, draw_file, draw_start, draw_territory, draw_tour

page = begin_page("accueil")
with guard(page):
    mount_frame(page)
    start, last = st.columns([2, 1], gap="large", vertical_alignment="bottom")
    with start:
        draw_start(page)
    with last:
        draw_resume(page)
with guard(page):
    draw_tour(page)
    draw_examples(page)
with guard(page):
    territory, file = st.columns([3, 2], gap="large")
    with territory:
        draw_territory(page)
    with file:
        draw_file(page)
