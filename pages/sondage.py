"""Sondage: five questions on a phone, opened from the QR code of the page Robustesse."""

from coopconnect.ui.frame import PHONE_PAGE, begin_light, guard
from coopconnect.ui.survey_phone import draw_questions

page = begin_light(PHONE_PAGE)
with guard(page):
    draw_questions(page)
