"""Hypothèses: on what does it rest?"""

import streamlit as st

from coopconnect.ui.assumptions import (
    draw_all,
    draw_calibration,
    draw_changed,
    draw_four,
    draw_title,
    draw_validation,
)
from coopconnect.ui.frame import begin_page, guard, mount_frame

page = begin_page("hypotheses")
with guard(page):
    mount_frame(page, remember=True)
    draw_title(page)
    draw_four(page)
with guard(page):
    changed, calibration = st.columns(2, gap="large")
    with changed:
        draw_changed(page)
    with calibration, guard(page):
        draw_calibration(page)
with guard(page):
    draw_all(page)
    draw_validation(page)
