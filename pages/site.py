"""Fiche site: is this one serious?"""

from coopconnect.ui.frame import begin_page, guard, mount_frame

page = begin_page("site")
with guard(page):
    mount_frame(page)
