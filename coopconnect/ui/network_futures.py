"""The plan of Réseau over the futures drawn: what stands for its ranges, and the table of its figures."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from coopconnect.model.types import Range
from coopconnect.show.words import euros, number, percent, with_range, with_unit
from coopconnect.siting.types import SitePlan
from coopconnect.ui.assumptions import table_html
from coopconnect.ui.frame import Page
from coopconnect.ui.futures import drawn_for, plan_in_draws
from coopconnect.ui.missing_futures import draw_missing

if TYPE_CHECKING:
    from coopconnect.uncertainty.plan_futures import PlanFutures  # the libraries of the draws load with the first draws

Write = Callable[[float | None], str]

FIGURES = (
    "users", "hours_per_year", "eur_per_year", "kg_co2e_per_year", "opening_eur", "yearly_cost_eur",
    "net_benefit_eur_per_year",
)  # fmt: skip
"""Figures of the plan, in the order of the table."""


def draw_state(page: Page, plan: SitePlan) -> PlanFutures | None:
    """The plan over its futures; None, with the button that draws them or how far they are, before they are there."""
    if drawn_for(page) is None:
        draw_missing(page, [(page.scenario, page.session.dossier.survey)], "network", page.say("network.draw"))
        return None
    return plan_in_draws(page, plan)


def spread(found: Range | None, write: Write, value: float, wraps: bool = True) -> str:
    """The value at the reference case, with its range where futures give one: '12 (7 – 18)'. wraps: as in `between`."""
    return write(value) if found is None else with_range(found.low, found.value, found.high, write, wraps)


def states_words(page: Page, plan: SitePlan, futures: PlanFutures | None) -> str:
    """What the figures are: the reference case alone, or with 5 to 95 % of so many futures and what these hold."""
    if futures is None:
        return page.say("network.reference_only")
    told = [page.say("network.drawn", draws=number(float(futures.draws), page.language))]
    ensemble = drawn_for(page)
    if ensemble is not None and futures.draws < (usable := int(ensemble.usable.sum())):
        told.append(page.say("network.drawn_fewer", draws=number(float(usable), page.language)))
    if futures.worth is None:
        told.append(page.say(f"network.drawn_{plan.question.objective}"))
    return " ".join(told)


def _how_words(page: Page, futures: PlanFutures) -> str:
    """What a future holds; in how many the new hubs are worth what they cost, and in how many they pass the budget."""
    gains = page.say("network.p_gains", share=percent(futures.p_gains, page.language))
    told = [page.say("network.drawn_how"), gains]
    if futures.p_over is not None:
        told.append(page.say("network.p_over", share=percent(futures.p_over, page.language)))
    return " ".join(told)


def draw_figures(page: Page, plan: SitePlan, futures: PlanFutures) -> None:
    """Users, hours, money and CO2 of what opens: reference case, 5 and 95 %."""
    language = page.language
    stands = any(site.existing for site in plan.sites)
    writes: dict[str, Write] = {
        "users": lambda v: number(v, language), "hours_per_year": lambda v: with_unit(v, "h", language),
        "kg_co2e_per_year": lambda v: with_unit(v, "kg", language),
    }  # fmt: skip
    rows = []
    for name in FIGURES:
        found, write = futures.added[name], writes.get(name, lambda v: euros(v, language))
        rows.append((page.say(f"network.figure_{name}"), write(found.value), write(found.low), write(found.high)))
    head = tuple(page.say(f"network.col_{key}") for key in ("figure", "reference", "low", "high"))
    title = page.say("network.figures_added" if stands else "network.figures")
    table = table_html(head, rows, numbers=(1, 2, 3), red=True, stacked=True)
    st.html(f'<h2 class="title">{html.escape(title)}</h2>{table}')
    st.caption(_how_words(page, futures))
