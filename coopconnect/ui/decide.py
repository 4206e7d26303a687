"""The page Décider: levers, map, ranking, headline figures, charts, the selected site."""

from __future__ import annotations

import html
import time
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import streamlit as st

from coopconnect.model.types import Assessment
from coopconnect.scenario import NUMERIC_LEVERS, reference_scenario
from coopconnect.scenario_file import to_toml
from coopconnect.show import charts
from coopconnect.show.maps import Arcs, MapSpec, map_texts, score_map, top_arcs
from coopconnect.show.words import number
from coopconnect.territory.types import Territory
from coopconnect.ui import cached, state
from coopconnect.ui.chart_block import draw_chart
from coopconnect.ui.figures import figures_html, site_figures, territory_figures
from coopconnect.ui.filters import Listed, listed
from coopconnect.ui.frame import Page, guard, mount_frame, query_of, scenario_html, screen_height_px
from coopconnect.ui.futures import with_quantiles
from coopconnect.ui.map_component import draw_map, prepare_map
from coopconnect.ui.put_aside import draw_put_aside
from coopconnect.ui.ranking_component import RankingRow, draw_ranking, ranking_texts
from coopconnect.ui.sight import in_sight
from coopconnect.ui.takeaway import draw_takeaway, taken_with_more

RESPONSE_POINTS = 9
MAP_KEY = "map"
MAP_HEIGHT_PX = 540
HEAD_START_S = 0.03
"""The browser draws in one go what arrives within some 10 ms: this lets it draw the map before the rest comes."""
PROJECTOR_MAP_SHARE = 0.66
"""Part of the hall's screen that the map takes in height: the scenario stays above it, the legend below."""
DISCS = 40
RANKING_ROWS = 40
LEFT_OUT_NAMES = 4
CHARTS_HEIGHT_PX = 900
RANKING_HEIGHT_PX = 420
"""Best listed sites drawn as discs on the map."""

_RANKING_COLUMNS = [
    "zone_code", "name", "departement", "epci_name", "rank", "tied", "red_flag", "score", "score_low", "score_high",
    "users", "hours_per_year", "viability",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Decision:
    """What the page shows: the assessment, that of the reference, and the sites that pass the filters."""

    territory: Territory
    now: Assessment
    reference: Assessment
    listed: Listed


def assess_page(page: Page) -> Decision:
    """Load the territory and assess the scenario; what takes more than a second says so."""
    code = page.scenario.territory
    if cached.is_loaded(code):
        return _decision(page)
    with st.spinner(page.say("wait.territory")):
        decision = _decision(page)
    cached.mark_loaded(code)
    return decision


def _decision(page: Page) -> Decision:
    territory = cached.territory(page.scenario.territory)
    now = with_quantiles(page, cached.assessment(page.scenario))
    reference = cached.reference_assessment(page.scenario.territory)
    return Decision(territory, now, reference, listed(now, territory, page.view))


def draw_bar(page: Page) -> None:
    """The scenario in one line, and what one does with it."""
    session, link = page.session, page_link(page)
    with st.container(key="scenariobar", horizontal=True, vertical_alignment="center"):
        st.html(scenario_html(page), width="stretch")
        st.button(
            page.say("bar.undo"), key="undo", shortcut="u", disabled=not session.past, on_click=state.undo,
            help=page.say("bar.undo_help"),
        )  # fmt: skip
        st.button(
            page.say("bar.redo"), key="redo", shortcut="y", disabled=not session.future, on_click=state.redo,
            help=page.say("bar.redo_help"),
        )  # fmt: skip
        unchanged = page.scenario == reference_scenario(page.parameters, page.scenario.territory)
        st.button(page.say("bar.reset"), key="reset", disabled=unchanged, on_click=state.reset)
        draw_put_aside(page)
        mount_frame(page, remember=True, copy=True)
        st.download_button(
            page.say("bar.save"), data=lambda: saved(page),
            file_name="scenario.toml", mime="application/toml", key="save", on_click="ignore",
            help=page.say("bar.save_help"),
        )  # fmt: skip
        st.download_button(
            page.say("bar.excel"), data=lambda: excel(page, link),
            file_name=f"coop-connect-{date.today().isoformat()}.xlsx",
            mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", key="excel",
            on_click="ignore", help=page.say("bar.excel_help"),
        )  # fmt: skip
        draw_takeaway(page, page.view.selected)


def saved(page: Page) -> bytes:
    """The scenario as a file, with its dossier and what the page Réseau was asked."""
    return to_toml(page.scenario, page.parameters, page.session.dossier, page.view.question).encode("utf-8")


def excel(page: Page, link: str) -> bytes:
    """The workbook of what is on the screen, made when it is asked for."""
    from coopconnect.export.files import workbook_bytes  # its libraries load on the first export only

    known = cached.assessment(page.scenario).site(page.view.selected) is not None
    return workbook_bytes(taken_with_more(page, page.view.selected if known else "", link))


def page_link(page: Page) -> str:
    """The full address of what is on the screen, '' where the server does not know its own."""
    here = (st.context.url or "").partition("?")[0]
    return f"{here}?{query_of(page.session)}" if here else ""


def draw_banner(page: Page, decision: Decision) -> None:
    """Honest words where the results rest on modelled data."""
    modelled = [p for p in decision.territory.provenance if p.kind not in ("official", "own")]
    if modelled:
        names = ", ".join(page.say(f"table.{p.table}").lower() for p in modelled)
        note = html.escape(page.say("banner.modelled", tables=names))
        st.html(f'<p class="banner"><b>{html.escape(page.say("kind.modelled"))}</b> {note}</p>')


def assess_and_map(page: Page) -> Decision | None:
    """Assess the scenario and draw the map before anything else; None where that failed, which is told."""
    decision = None
    with guard(page):
        prepare_map(MAP_KEY, cached.geometry_at_hand(page.scenario.territory))
        decision = assess_page(page)
        draw_decision_map(page, decision)
        time.sleep(HEAD_START_S)
    return decision


def draw_decision_map(page: Page, decision: Decision) -> None:
    """The map of scores; a click selects."""
    draw_map(map_spec(page, decision), cached.geometry(page.scenario.territory), MAP_KEY, on_select=state.select)


def map_spec(page: Page, decision: Decision) -> MapSpec:
    """What the map shows: scores by class, listed sites as discs, where the users of the selected one come from."""
    sites = decision.now.sites
    texts = map_texts(page.language) | {"none": page.say("map.not_listed")}
    mask = decision.listed.mask & sites["available"].to_numpy(bool)
    score = sites["score"].to_numpy(float)
    best = np.flatnonzero(mask)
    best = best[np.argsort(-score[best], kind="stable")][:DISCS]
    flagged = sites["red_flag"].to_numpy(bool)
    row = np.flatnonzero((sites["zone_code"] == page.view.selected).to_numpy())
    selected = int(row[0]) if row.size else None
    return score_map(
        score, texts=texts, score_low=sites["score_low"].to_numpy(float), score_high=sites["score_high"].to_numpy(float),
        users=sites["users"].to_numpy(float), hours_per_year=sites["hours_per_year"].to_numpy(float),
        flagged=flagged & mask, missing=~mask, site_zone=best,
        arcs=None if selected is None else _arcs(decision, selected), selected=selected,
        legend_note=page.say("kind.modelled"), projector=page.view.projector,
        height_px=map_height_px(page),
        focus=None if decision.listed.place is None else np.flatnonzero(decision.listed.place),
    )  # fmt: skip


def map_height_px(page: Page) -> int:
    """Height of the map: fixed on a desk, a part of the screen in a hall."""
    return round(screen_height_px() * PROJECTOR_MAP_SHARE) if page.view.projector else MAP_HEIGHT_PX


def _arcs(decision: Decision, site: int) -> Arcs:
    now, zones = decision.now, decision.territory.zones
    rows = np.flatnonzero(now.access_site == site)
    homes = now.access_zone[rows]
    lon, lat = zones["lon"].to_numpy(float)[homes], zones["lat"].to_numpy(float)[homes]
    return top_arcs(lon, lat, now.pair_users[rows])


def draw_figures(page: Page, decision: Decision) -> None:
    """The four headline figures: of the selected site, else of the territory."""
    site = decision.now.site(page.view.selected) if page.view.selected else None
    if site is None:
        title = page.say("figure.title_territory", name=decision.territory.name)
        figures = territory_figures(page, decision.now, decision.reference)
    else:
        title = page.say("figure.title_site", name=str(site["name"]))
        figures = site_figures(page, site, decision.reference.site(page.view.selected), decision.now.drawn)
    per = html.escape(page.say("figure.per"))
    heading = f'<h2 class="title">{html.escape(title)} <small>{per}</small></h2>'
    st.html(heading + figures_html(page, figures, decision.territory))


def draw_ranking_of(page: Page, decision: Decision) -> None:
    """The listed sites, best first; a click selects, or clears the choice."""
    keep = decision.listed.mask
    if not keep.any():
        st.info(page.say("ranking.empty", filters=decision.listed.words), icon=None)
        _tell_left_out(page, decision.listed.left_out)
        return
    count = number(float(keep.sum()), page.language)
    title = page.say("ranking.title", count=count, filters=decision.listed.words).rstrip(" ·")
    st.html(f'<h2 class="title">{html.escape(title)}</h2>')
    _tell_left_out(page, decision.listed.left_out)
    draw_ranking(
        ranking_rows(page, decision), page.view.selected or None, _texts_of(page, decision), "ranking",
        on_select=state.select, projector=page.view.projector, height_px=RANKING_HEIGHT_PX,
    )  # fmt: skip


def _texts_of(page: Page, decision: Decision) -> dict[str, str]:
    """Words of the list; where futures are drawn, ties are theirs and say so."""
    texts, drawn = dict(ranking_texts(page.language)), decision.now.drawn
    return texts | {"tied": page.say("ranking.tied_drawn", draws=number(drawn, page.language))} if drawn else texts


def _tell_left_out(page: Page, names: tuple[str, ...]) -> None:
    """Communes of the name searched for that another filter hides: Apt is not rural, and one would look for it in vain."""
    if names:
        more = " …" if len(names) > LEFT_OUT_NAMES else ""
        told = page.say("ranking.left_out", names=", ".join(names[:LEFT_OUT_NAMES]) + more)
        st.html(f'<p class="hint">{html.escape(told)}</p>')


def ranking_rows(page: Page, decision: Decision) -> list[RankingRow]:
    """The best listed sites as rows, the selected one last where it is not among them."""
    sites = decision.now.sites
    rank = sites["rank"].to_numpy()
    rows = np.flatnonzero(decision.listed.mask & (rank > 0))
    rows = rows[np.argsort(rank[rows], kind="stable")][:RANKING_ROWS]
    chosen = np.flatnonzero((sites["zone_code"] == page.view.selected).to_numpy())
    rows = np.concatenate([rows, chosen[~np.isin(chosen, rows)]])
    found = sites.iloc[rows][_RANKING_COLUMNS].to_dict("records")
    reason = page.say("ranking.reason")
    return [
        RankingRow(
            row["zone_code"], row["name"], row["epci_name"] or row["departement"], row["rank"], row["score"],
            row["score_low"], row["score_high"], row["users"], row["hours_per_year"], row["viability"], row["tied"],
            row["red_flag"], reason if row["red_flag"] else "",
        )
        for row in found
    ]  # fmt: skip


def draw_charts(page: Page, decision: Decision) -> None:
    """Three charts, once in sight: hours per household, what makes the best scores, one site's answer to a lever."""
    if not in_sight("charts", page.say("wait.charts"), CHARTS_HEIGHT_PX):
        return
    view, now = page.view, decision.now
    code = view.selected if now.site(view.selected) is not None else None
    config = charts.chart_config(page.language)
    listed_codes = now.sites.loc[decision.listed.mask, "zone_code"].tolist()
    left, right = st.columns(2, gap="medium")
    with left:
        figure = charts.household_hours(now, page.language, view.projector, site_code=code)
        draw_chart(figure, "chart_hours", config)
        _draw_response(page, decision, code, config)
    with right:
        figure = charts.score_components(now, page.language, view.projector, codes=listed_codes, selected_code=code)
        draw_chart(figure, "chart_components", config)


def _draw_response(page: Page, decision: Decision, code: str | None, config: dict[str, Any]) -> None:
    """Answer of the selected site (else of the best listed one) to the numeric lever moved last."""
    lever = page.session.moved if page.session.moved in NUMERIC_LEVERS else "fuel_price_eur_per_l"
    code = code or best_code(decision)
    site = decision.now.site(code) if code else None
    bounds = page.parameters[lever].lever
    if site is None or bounds is None or lever.startswith("weight_"):
        lever, bounds = "fuel_price_eur_per_l", page.parameters["fuel_price_eur_per_l"].lever
    if site is None or bounds is None:
        return
    values = tuple(np.round(np.linspace(bounds.minimum, bounds.maximum, RESPONSE_POINTS), 4).tolist())
    base = page.scenario.with_values(**{lever: page.parameters.value(lever)})  # one key while this lever moves
    table = cached.site_response(base, str(site["zone_code"]), lever, values)
    figure = charts.lever_response(
        table, page.parameters[lever], str(site["name"]), decision.now, page.language, page.view.projector,
        current=getattr(page.scenario, lever), reference=page.parameters.value(lever),
    )  # fmt: skip
    draw_chart(figure, "chart_response", config)


def best_code(decision: Decision) -> str:
    """Code of the best listed site, '' where none is listed."""
    sites = decision.now.sites
    rows = np.flatnonzero(decision.listed.mask & sites["available"].to_numpy(bool))
    if not rows.size:
        return ""
    return str(sites["zone_code"].iloc[rows[np.argmax(sites["score"].to_numpy(float)[rows])]])


def draw_selected(page: Page, decision: Decision) -> None:
    """The panel of the selected site, or how to select one."""
    site = decision.now.site(page.view.selected) if page.view.selected else None
    if site is None:
        st.html(f'<p class="hint">{html.escape(page.say("site.none"))}</p>')
        return
    from coopconnect.ui.site_panel import draw_site_panel  # needs the engine, which the first picture does without

    draw_site_panel(page, site, int((decision.now.sites["rank"] > 0).sum()), decision.now)
