"""Fiche site: is this one serious?"""

from coopconnect.ui.decide import assess_page, draw_banner, draw_bar
from coopconnect.ui.frame import begin_page, guard
from coopconnect.ui.site_around import draw_existing, draw_homes, draw_telepresence
from coopconnect.ui.site_dossier import draw_checklist, draw_gates, draw_notes
from coopconnect.ui.site_page import chosen_site, draw_balance, draw_header, draw_menu, draw_score, runs_of

page = begin_page("site")
with guard(page):
    draw_bar(page)
    decision = assess_page(page)
    site = chosen_site(page, decision)
    if site is not None:
        draw_header(page, decision, site)
        draw_banner(page, decision)
        draw_menu(page)
        existing, runs = runs_of(page, decision, site)
        with guard(page):
            draw_score(page, decision, site)
            draw_balance(page, decision, site, runs)
        with guard(page):
            draw_gates(page, decision, site)
            draw_checklist(page, site)
            draw_notes(page, site)
        with guard(page):
            draw_telepresence(page, decision, site, runs)
            draw_existing(page, site, existing, runs)
            draw_homes(page, decision, site)
