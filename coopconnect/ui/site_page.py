"""The page Fiche site: is this one serious? Which commune, what is said of it first, its score and its balance."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from coopconnect.model.site_sheet import (
    PremisesCase,
    PremisesComparison,
    SheetRuns,
    Verdict,
    break_even_by_users,
    span,
    standing,
    verdict,
    waterfall,
)
from coopconnect.show import charts, site_charts
from coopconnect.show.words import euros, number, percent, with_range
from coopconnect.territory.hosts import existing_nearby
from coopconnect.ui import cached, futures, state
from coopconnect.ui.chart_block import draw_chart
from coopconnect.ui.decide import Decision
from coopconnect.ui.figures import figures_html, site_figures
from coopconnect.ui.filters import find_commune
from coopconnect.ui.frame import Page
from coopconnect.ui.gates import core_users
from coopconnect.ui.sight import in_sight
from coopconnect.ui.site_panel import group_html, money_rows, use_rows

_STYLE = f"<style>{(Path(__file__).parent / 'site.css').read_text(encoding='utf-8')}</style>"
BEST_LISTED = 5
CHART_HEIGHT_PX = 480
NOWHERE = "–"


def chosen_site(page: Page, decision: Decision) -> pd.Series | None:
    """The selected site; without one, the way to choose one is drawn."""
    st.html(_STYLE)
    code = page.view.selected
    site = decision.now.site(code) if code else None
    if site is None:
        st.html(
            f'<h1>{html.escape(page.say("page.site"))}</h1><p class="lead">{html.escape(page.say("sheet.lead"))}</p>'
        )
        if code:
            st.warning(page.say("sheet.unknown", code=code, name=decision.territory.name), icon=None)
        _draw_search(page, decision)
        _draw_best(page, decision)
    return site


def _draw_search(page: Page, decision: Decision) -> None:
    st.text_input(
        page.say("sheet.search"), key="sheet_search", width=320, placeholder=page.say("filter.near_example"),
        on_change=_found, args=(page, decision),
    )  # fmt: skip


def _found(page: Page, decision: Decision) -> None:
    """Select the commune that was typed, or tell that there is none."""
    text = str(st.session_state["sheet_search"]).strip()
    code = find_commune(text, decision.territory)
    if code and decision.now.site(code) is not None:
        st.session_state["sheet_search"] = ""
        state.select(code)
    elif text:
        state.tell(page.say("filter.near_unknown", text=text[:60], name=decision.territory.name))


def _draw_best(page: Page, decision: Decision) -> None:
    """The best of the sites that Décider lists, one button each."""
    sites = decision.now.sites
    rows = np.flatnonzero(decision.listed.mask & (sites["rank"].to_numpy() > 0))
    rows = rows[np.argsort(sites["rank"].to_numpy()[rows], kind="stable")][:BEST_LISTED]
    words = f" ({decision.listed.words})" if decision.listed.words else ""
    st.html(f'<h2 class="title">{html.escape(page.say("sheet.best"))}{html.escape(words)}</h2>')
    for _, site in sites.iloc[rows].iterrows():
        score, rank = number(float(site["score"]), page.language), int(site["rank"])
        label = page.say("sheet.best_label", name=str(site["name"]), departement=str(site["departement"]), score=score, rank=rank)  # fmt: skip
        code = str(site["zone_code"])
        st.button(label, key=f"best_{code}", on_click=state.select, args=(code,))


def draw_header(page: Page, decision: Decision, site: pd.Series) -> None:
    """Name, verdict, score with its ribbon, rank in words; neighbours in the ranking and another commune."""
    place = standing(decision.now, str(site["zone_code"]))
    left, right = st.columns([2.2, 1], gap="large")
    with left:
        st.html(header_html(page, site))
    with right:
        st.html(score_html(page, site, rank_words(page, decision, site), decision.now.drawn))
    with st.container(horizontal=True, vertical_alignment="bottom", key="sheet_moves"):
        for code, key in ((place.before, "before"), (place.after, "after")):
            other = decision.now.site(code) if code else None
            name = str(other["name"]) if other is not None else NOWHERE
            st.button(
                page.say(f"sheet.{key}", name=name), key=f"sheet_{key}", disabled=not code,
                on_click=state.select, args=(code,),
            )  # fmt: skip
        _draw_search(page, decision)


PARTS = ("balance", "ready", "people", "notes", "telepresence", "existing", "homes")
"""Parts of the page, in its order: the ids of their headings."""


def draw_menu(page: Page) -> None:
    """Links to the parts of the page, which is long; none in projector mode, where one scrolls with everybody."""
    if page.view.projector:
        return
    links = "".join(
        f'<a href="#{part}" target="_self">{html.escape(page.say(f"sheet.part.{part}"))}</a>' for part in PARTS
    )
    with st.container(key="parts"):
        st.html(f'<nav class="parts" aria-label="{html.escape(page.say("sheet.parts"))}">{links}</nav>')


def header_html(page: Page, site: pd.Series) -> str:
    """Name, place, verdict; every text is escaped."""
    judged = verdict(site, core_users(page))
    where = ", ".join(html.escape(str(v)) for v in (site["epci_name"], site["departement"]) if str(v))
    first, *rest = verdict_lines(page, site, judged)
    more = "".join(f"<li>{html.escape(line)}</li>" for line in rest)
    return (
        f'<header class="sheet"><h1>{html.escape(str(site["name"]))}</h1><p>{where} '
        f'<span class="tag">{html.escape(page.say("kind.modelled"))}</span></p>'
        f'<div class="verdict {judged.level}"><p><b>{html.escape(page.say(f"sheet.verdict.{judged.level}"))}</b> '
        f"{html.escape(first)}</p><ul>{more}</ul></div></header>"
    )


def verdict_lines(page: Page, site: pd.Series, judged: Verdict) -> list[str]:
    """Weak points first, then what holds, one sentence each."""
    language = page.language
    words = {
        "users": number(float(site["users"]), language, 1 if float(site["users"]) < 10 else 0),
        "users_low": number(float(site["users_low"]), language, 1 if float(site["users_low"]) < 10 else 0),
        "core": number(core_users(page), language),
        "ratio": percent(float(site["viability"]), language),
        "ratio_low": percent(float(site["viability_low"]), language),
        "missing": euros(judged.missing_eur_per_year, language),
        "hours_low": number(float(site["hours_per_year_low"]), language),
    }
    weak = [page.say(f"sheet.weak.{name}", **words) for name in judged.weak]
    strong = [page.say(f"sheet.strong.{name}", **words) for name in judged.strong]
    return [*weak, *strong] or [page.say("sheet.weak.none")]


def rank_words(page: Page, decision: Decision, site: pd.Series) -> str:
    """Rank, between which ranks, tied with how many, and how often over the draws where there are some."""
    place_code = str(site["zone_code"])
    place = standing(decision.now, place_code)
    if not place.rank:
        return page.say("site.unavailable")
    asked = "sheet.rank_drawn" if decision.now.drawn else "sheet.rank"
    rank = page.say(asked, rank=place.rank, sites=number(place.sites, page.language), low=place.best, high=place.worst)  # fmt: skip
    key = "sheet.tied_none" if not place.tied_with else "sheet.tied_one" if place.tied_with == 1 else "sheet.tied"
    words = [rank, page.say(key, count=number(place.tied_with, page.language)), futures.rank_words(page, place_code)]
    return " ".join(word for word in words if word)


def score_html(page: Page, site: pd.Series, rank: str, drawn: int = 0) -> str:
    """The score, its ribbon from low to high on a scale of 100, the rank in words; drawn: as in the assessment."""
    score = span(site, "score")
    low, value, high = (number(v, page.language) for v in (score.low, score.value, score.high))
    ribbon = page.say("sheet.ribbon", score=value, low=low, high=high)
    key = "figure.between_drawn" if drawn else "sheet.between"
    between = page.say(key, low=low, high=high, draws=number(drawn, page.language))
    return (
        f'<div class="scorebox"><p class="number">{value}<small> / 100</small></p>'
        f'<div class="ribbon" role="img" aria-label="{html.escape(ribbon)}">'
        f'<i style="left:{score.low:.1f}%;width:{max(score.high - score.low, 0.5):.1f}%"></i>'
        f'<b style="left:{score.value:.1f}%"></b></div>'
        f"<p>{html.escape(between)}</p><p>{html.escape(rank)}</p></div>"
    )


def runs_of(page: Page, decision: Decision, site: pd.Series) -> tuple[pd.DataFrame, SheetRuns]:
    """Hubs that exist within reach, and the runs of this site beside them."""
    code = str(site["zone_code"])
    with st.spinner(page.say("hosts.wait")):  # over a second the first time, where lists are loaded
        hosts = cached.hosts(page.scenario.territory)
    existing = existing_nearby(decision.territory, hosts, code, page.scenario.access_max_min)
    return existing, cached.site_sheet(page.scenario, code, tuple(dict.fromkeys(existing["zone_code"])))


def draw_score(page: Page, decision: Decision, site: pd.Series) -> None:
    """What the score is made of, beside the four headline figures of the site."""
    left, right = st.columns([1.35, 1], gap="large")
    with left:
        parts = waterfall(site, page.scenario)
        figure = site_charts.score_waterfall(
            parts, span(site, "score"), str(site["name"]), decision.now, page.language, page.view.projector
        )
        draw_chart(figure, "sheet_waterfall", charts.chart_config(page.language, "score"))
    with right:
        before = decision.reference.site(str(site["zone_code"]))
        heading = f'<h2 class="title">{html.escape(page.say("sheet.changes"))} <small>{html.escape(page.say("figure.per"))}</small></h2>'  # fmt: skip
        figures = site_figures(page, site, before, decision.now.drawn)
        st.html(heading + figures_html(page, figures, decision.territory))


def draw_balance(page: Page, decision: Decision, site: pd.Series, runs: SheetRuns) -> None:
    """Use and money in figures, the two curves of income and cost, a shared room against premises of one's own."""
    st.html(f'<h2 class="part" id="balance">{html.escape(page.say("sheet.balance"))}</h2>')
    groups = [(page.say("site.use"), use_rows(page, site)), (page.say("site.money"), money_rows(page, site))]
    st.html(
        f'<section class="site"><div class="groups">{"".join(group_html(title, rows) for title, rows in groups)}</div></section>'
    )
    if in_sight("sheet_curves", page.say("wait.charts"), CHART_HEIGHT_PX):
        name, language, projector = str(site["name"]), page.language, page.view.projector
        config = charts.chart_config(language, "equilibre")
        left, right = st.columns(2, gap="large")
        with left:
            curve = break_even_by_users(site, page.scenario, page.parameters)
            figure = site_charts.break_even_users(curve, name, decision.now, language, projector)
            draw_chart(figure, "sheet_users", config)
        with right:
            figure = site_charts.break_even_price(runs.by_price, name, decision.now, language, projector)
            draw_chart(figure, "sheet_price", config)
    st.html(premises_html(page, futures.premises_in_draws(page, runs.premises, str(site["zone_code"]))))


def premises_html(page: Page, found: PremisesComparison) -> str:
    """Both kinds of premises side by side, and what sharing saves; which ranges these are stands under the table."""
    language = page.language

    def row(key: str, cells: tuple[str, str], strong: bool = False) -> str:
        tag = "b" if strong else "span"
        inside = "".join(
            f'<td class="num{" bad" if cell.startswith("−") else ""}"><{tag}>{html.escape(cell)}</{tag}></td>'
            for cell in cells
        )
        return f"<tr><th>{html.escape(page.say(f'sheet.premises.{key}'))}</th>{inside}</tr>"

    def both(write: Callable[[PremisesCase], str]) -> tuple[str, str]:
        return write(found.shared), write(found.own)

    def euro(value: float | None) -> str:
        return euros(value, language)

    def cost(case: PremisesCase) -> str:
        return with_range(case.cost_eur.low, case.cost_eur.value, case.cost_eur.high, euro)

    def covered(case: PremisesCase) -> str:
        ratio = case.viability
        return with_range(ratio.low, ratio.value, ratio.high, lambda value: percent(value, language))

    def even(case: PremisesCase) -> str:
        if not np.isfinite(case.break_even_users):
            return page.say("sheet.premises.never")
        return page.say("site.break_even_value", users=number(case.break_even_users, language))

    rows = [
        row("running", both(lambda case: euro(case.parts.running_eur))),
        row("investment", both(lambda case: euro(case.parts.investment_eur))),
        row("telepresence", both(lambda case: euro(case.parts.telepresence_eur))),
        row("cost", both(cost), strong=True),
        row("viability", both(covered), strong=True),
        row("break_even", both(even)),
        row("balance", both(lambda case: euros(case.balance_eur_per_year, language, signed=True))),
    ]
    heads = "".join(
        f'<th class="num">{html.escape(page.say(f"choice.premises.{case.premises}"))}'
        f"{html.escape(page.say('sheet.premises.here')) if case.premises == page.scenario.premises else ''}</th>"
        for case in (found.shared, found.own)
    )
    saved = page.say("sheet.premises.saved", saving=euro(found.saving_eur_per_year))
    return (
        f'<div class="chart"><h3>{html.escape(page.say("sheet.premises.title"))}</h3><p>{html.escape(saved)}</p></div>'
        f'<div class="scroll"><table class="plain sheet"><thead><tr><th></th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        f'<p class="banner">{html.escape(futures.ranges_words(page, found.drawn))}</p>'
    )
