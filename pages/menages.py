"""Ménages: what does my household gain?"""

import streamlit as st

from coopconnect.ui.frame import begin_page, guard, mount_frame

page = begin_page("menages")
with guard(page):
    mount_frame(page)
    st.html(f"<h1>{page.say('page.menages')}</h1>")
