"""Fiche site: is this one serious?"""

import streamlit as st

from coopconnect.ui.frame import begin_page, guard, mount_frame

page = begin_page("site")
with guard(page):
    mount_frame(page)
    st.html(f"<h1>{page.say('page.site')}</h1>")
