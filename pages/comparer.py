"""Comparer: what differs between these futures?"""

from coopconnect.ui.frame import begin_page, guard, mount_frame

page = begin_page("comparer")
with guard(page):
    mount_frame(page)
