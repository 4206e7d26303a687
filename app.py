"""Coop-connect: titles and order of the screens. Each page sets itself up (see `coopconnect.ui.frame.begin_page`)."""

import streamlit as st

from coopconnect.show.words import say
from coopconnect.ui.frame import PAGES, PHONE_PAGE
from coopconnect.ui.state import current

language = current().view.language
pages = [
    st.Page(f"pages/{key}.py", title=say(f"page.{key}", language), default=key == PAGES[0], url_path=key)
    for key in (*PAGES, PHONE_PAGE)
]
st.navigation(pages, position="hidden").run()
