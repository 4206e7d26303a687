"""Robustesse: would we still decide so if we are wrong?"""

from coopconnect.ui.decide import draw_bar
from coopconnect.ui.frame import begin_page, guard
from coopconnect.ui.robust_page import draw_futures

page = begin_page("robustesse")
with guard(page):
    draw_bar(page)
with guard(page):
    draw_futures(page)
