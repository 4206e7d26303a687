"""Comparer: which ranges its figures show, and the futures of the compared scenarios, drawn by a button."""

from __future__ import annotations

import html
import itertools
from collections.abc import Sequence

import streamlit as st

from coopconnect.show.words import number
from coopconnect.ui.compare_parts import Future
from coopconnect.ui.frame import Page
from coopconnect.ui.futures import differences_in_draws
from coopconnect.ui.missing_futures import draw_missing


def draw_ranges(page: Page, futures: Sequence[Future]) -> None:
    """Which range each scenario shows; the button that draws the missing futures, or how far they are."""
    st.html(f'<p class="banner">{html.escape(ranges_words(page, futures))}</p>')
    missing = [(f.scenario, f.survey) for f in futures if not f.assessment.drawn]
    draw_missing(page, missing, "compare", page.say("compare.draw"))


def ranges_words(page: Page, futures: Sequence[Future]) -> str:
    """'Fourchettes de A et B : 5 et 95 % de 200 futurs tirés. De C : hypothèses bougées une à la fois.'"""
    kinds: dict[int, list[str]] = {}
    for future in futures:
        kinds.setdefault(future.assessment.drawn, []).append(future.letter)
    told = []
    for drawn, letters in kinds.items():
        key = "compare.ranges_drawn" if drawn else "compare.ranges_moved"
        told.append(page.say(key, letters=", ".join(letters), draws=number(drawn, page.language)))
    if len(kinds) > 1 and 0 in kinds:
        told.append(page.say("compare.ranges_mixed"))
    if all(f.assessment.drawn for f in futures) and len({f.scenario.territory for f in futures}) == 1:
        paired = all(differences_in_draws(a.drawn, b.drawn) for a, b in itertools.combinations(futures, 2))
        told.append(page.say("compare.ranges_paired" if paired else "compare.ranges_unpaired"))
    return " ".join(told)
