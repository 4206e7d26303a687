"""Comparer: what differs between these futures?"""

import streamlit as st

from coopconnect.ui.frame import begin_page, guard, mount_frame

page = begin_page("comparer")
with guard(page):
    mount_frame(page)
    st.html(f"<h1>{page.say('page.comparer')}</h1>")
