"""Ménages: what does my household gain?"""

from coopconnect.ui.frame import begin_page, guard, mount_frame

page = begin_page("menages")
with guard(page):
    mount_frame(page)
