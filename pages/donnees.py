"""Données: whose numbers are these?"""

import streamlit as st

from coopconnect.ui.frame import begin_page, guard, mount_frame
from coopconnect.ui.official import draw_fetch, draw_import, draw_loaded
from coopconnect.ui.official_roads import draw_roads
from coopconnect.ui.provenance import draw_files, draw_left_out, draw_provenance, draw_sizes, draw_title

page = begin_page("donnees")
with guard(page):
    mount_frame(page)
    draw_title(page)
    draw_provenance(page)
with guard(page):
    fetch, own = st.columns(2, gap="large")
    with fetch:
        draw_fetch(page)
    with own:
        draw_import(page)
        draw_roads(page)
    draw_loaded(page)
with guard(page):
    sizes, files = st.columns(2, gap="large")
    with sizes:
        draw_sizes(page)
    with files:
        draw_files(page)
    draw_left_out(page)
