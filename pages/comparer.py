"""Comparer: what differs between these futures?"""

import html

import streamlit as st

from coopconnect.ui.compare_page import draw_add, draw_cards, draw_comparison, draw_head, gather
from coopconnect.ui.frame import begin_page, guard

page = begin_page("comparer")
with guard(page):
    draw_head(page)
    futures = gather(page)
    if futures:
        draw_cards(page, futures)
    alone = len(futures) < 2
    if alone:
        st.html(f'<p class="hint">{html.escape(page.say("compare.alone"))}</p>')
    draw_add(page, opened=alone or not page.session.kept)
    if not alone:
        draw_comparison(page, futures)
