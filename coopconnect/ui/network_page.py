"""The page Réseau: a plan asked in plain words, its map, its order, what a refusal costs, how far from the best."""

from __future__ import annotations

import html
import math
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from coopconnect.model.types import Range
from coopconnect.problem import Problem
from coopconnect.question import OBJECTIVES, PlanError, Question, address_of, to_text
from coopconnect.scenario import Scenario
from coopconnect.show import charts
from coopconnect.show.maps import CLASS_NONE, NO_DATA_COLOUR, HoverRow, Legend, LegendEntry, MapSpec, Sites, map_texts
from coopconnect.show.problem_words import told
from coopconnect.show.words import at_most, between, euros, known, number, percent
from coopconnect.siting.types import PROVEN, PlannedSite, SitePlan
from coopconnect.territory.hosts import assessed_scenario
from coopconnect.ui import cached, plan_jobs, state
from coopconnect.ui.chart_block import draw_chart
from coopconnect.ui.decide import excel, map_height_px, page_link, saved
from coopconnect.ui.frame import Page, mount_frame, scenario_html
from coopconnect.ui.map_component import draw_map
from coopconnect.ui.network_futures import Write, draw_figures, draw_state, spread, states_words
from coopconnect.ui.network_search import draw_search
from coopconnect.ui.widget_key import key_for

if TYPE_CHECKING:
    from coopconnect.uncertainty.plan_futures import PlanFutures

MOST_SITES = 300
MOST_LEFT_OUT = 1000
USUAL_S = 1.0
ROUNDED = "network_rounded"
"""Where a session keeps which field was rounded and its words, until the question changes again."""

SERVED, LEFT_OUT = "#4ba3d9", "#e9d8b8"


def question_of(page: Page) -> Question:
    """What the address asks; the usual question, in rural communes, where it asks none.

    One that cannot be read was told, and left out, when the address was read (`state.view_from_query`).
    """
    return page.view.question or Question(rural=True)


def _ask(**changes: Any) -> None:
    """Change the question; it goes to the address."""
    st.session_state.pop(ROUNDED, None)
    question = state.current().view.question or Question(rural=True)
    state.look(plan=address_of(replace(question, **changes)))


def _asked(name: str, key: str, number_kind: type | None = None) -> None:
    value = st.session_state[key]
    _ask(**{name: tuple(value) if isinstance(value, list) else number_kind(value) if number_kind else value})


def draw_head(page: Page) -> None:
    """Title, lead, the link; the scenario in one line."""
    with st.container(key="scenariobar", horizontal=True, vertical_alignment="center"):
        lead = html.escape(page.say("network.lead"))
        st.html(f"<div class='network_head'><h1>{page.say('page.reseau')}</h1><p class='lead'>{lead}</p></div>")
        mount_frame(page, remember=True, copy=True)
    st.html(scenario_html(page))


def draw_question(page: Page) -> None:
    """Number or budget, objective, constraints."""
    q = question_of(page)
    _number(page, "sites", q.sites, 0, MOST_SITES, 1, int)
    _number(page, "budget_eur", q.budget_eur, 0, 100_000_000, 10_000, float)
    _choice(page, q)
    if q.objective == "equity":
        key = key_for("network_equity", q.equity)
        st.slider(
            page.say("network.equity"), 0.0, 1.0, value=q.equity, step=0.05, key=key, help=page.say("network.equity_help"),
            on_change=_asked, args=("equity", key, float),
        )  # fmt: skip
    _flag(page, q)
    for name in ("existing", "forced", "forbidden"):
        _places(page, name, getattr(q, name))
    with st.expander(page.say("network.more"), expanded=bool(q.apart_min or q.desks or q.openings_per_year)):
        _number(page, "apart_min", q.apart_min, 0, 30, 1, float)
        _number(page, "desks", q.desks, 0, 200, 1, int)
        _number(page, "openings_per_year", q.openings_per_year, 0, MOST_SITES, 1, int)
        _number(page, "years", q.years, 1, 30, 1, int)


def _number(page: Page, name: str, value: float, low: float, high: float, step: float, kind: type) -> None:
    """A field of the kind that the question keeps: a budget takes cents, a number of sites does not. A part typed in a whole
    number is rounded with a word: a field for whole numbers would cut it in silence."""
    key = key_for(f"network_{name}", value)
    st.number_input(
        page.say(f"network.{name}"), float(low), float(high), value=float(min(max(value, low), high)), step=float(step),
        key=key, format="%g", help=page.say(f"network.{name}_help"),
        on_change=_whole if kind is int else _asked, args=(page, name, key) if kind is int else (name, key, kind),
    )  # fmt: skip
    rounded, told = st.session_state.get(ROUNDED, ("", ""))
    if rounded == name:
        st.warning(told, icon=None)


def _whole(page: Page, name: str, key: str) -> None:
    """Change a whole number of the question; one with a part is rounded, and said."""
    given = float(st.session_state[key])
    used = math.floor(given + 0.5)
    if used != given:
        st.session_state[key] = float(used)
    _ask(**{name: used})
    if used != given:
        decimals = 1 if round(given, 1) == given else 2
        words = {"given": number(given, page.language, decimals), "used": used}
        st.session_state[ROUNDED] = name, page.say("network.whole", **words)


def _choice(page: Page, q: Question) -> None:
    key = key_for("network_objective", q.objective)
    at = OBJECTIVES.index(q.objective) if q.objective in OBJECTIVES else 0
    st.selectbox(
        page.say("network.objective"), OBJECTIVES, index=at, key=key, on_change=_asked, args=("objective", key),
        format_func=lambda name: page.say(f"network.objective_{name}"),
    )  # fmt: skip


def _flag(page: Page, q: Question) -> None:
    key = key_for("network_rural", q.rural)
    st.checkbox(page.say("network.rural"), value=q.rural, key=key, on_change=_asked, args=("rural", key))


def _places(page: Page, name: str, codes: tuple[str, ...]) -> None:
    """Communes picked by name."""
    territory = cached.territory(page.scenario.territory)
    zones = territory.zones.iloc[territory.site_zone]
    names = dict(zip(zones["zone_code"], zones["name"], strict=True))
    key = key_for(f"network_{name}", codes)
    st.multiselect(
        page.say(f"network.{name}"), sorted(names, key=lambda c: str(names[c])), default=[c for c in codes if c in names],
        key=key, format_func=lambda code: f"{names[code]} ({code})", help=page.say(f"network.{name}_help"),
        placeholder=page.say("network.pick"), on_change=_asked, args=(name, key),
    )  # fmt: skip


def plan_of(page: Page) -> SitePlan | tuple[str, ...]:
    """The plan that the address asks, for a file; why there is none where it cannot be; () where it asks none."""
    if not page.view.plan:
        return ()
    try:
        return _found(page, question_of(page))
    except PlanError as error:
        return _wrong(page, error)


def _found(page: Page, question: Question) -> SitePlan:
    """The usual plan, or what a longer search has made of it."""
    key = _key(page, question)
    plan, job = _plan(*key, USUAL_S), plan_jobs.find(key)
    return plan if job is None or job.plan is None else plan_jobs.better(plan, job.plan)


def plan_under(page: Page, scenario: Scenario) -> SitePlan:
    """The usual plan that answers the question of the page under a scenario. Raises `PlanError` where it cannot be."""
    return _plan(_assessed(scenario), question_of(page), USUAL_S)


def _key(page: Page, question: Question) -> plan_jobs.Key:
    return _assessed(page.scenario), question


def gather(page: Page) -> SitePlan | None:
    """The plan of the question; what is wrong with the question is told."""
    try:
        with st.spinner(page.say("network.wait")):
            plan = _found(page, question_of(page))
    except PlanError as error:
        st.error("\n".join(f"- {html.escape(line)}" for line in _wrong(page, error)), icon=None)
        return None
    cached.mark_loaded(page.scenario.territory)
    return plan


def _wrong(page: Page, error: PlanError) -> tuple[str, ...]:
    """What is wrong with a question, in the language of the page."""
    return tuple(told(_named(page, one).under("plan"), page.parameters, page.language) for one in error.problems)


def _named(page: Page, problem: Problem) -> Problem:
    """The problem with the names of the communes that it gives by code."""
    zones = cached.territory(page.scenario.territory).zones
    given = zones["zone_code"].isin(str(problem.values.get("given", "")).split(", "))
    if not given.any() or problem.key not in ("forced", "forbidden", "existing"):
        return problem
    names = dict(zip(zones["zone_code"][given], zones["name"][given], strict=True))
    named = ", ".join(
        f"{names[code]} ({code})" if code in names else code for code in problem.values["given"].split(", ")
    )
    return Problem(problem.code, problem.key, problem.line, **{**problem.values, "given": named})


def _assessed(scenario: Scenario) -> Scenario:
    """The scenario as the model reads it: communes of which every host has refused."""
    return assessed_scenario(scenario, cached.hosts(scenario.territory)) if scenario.hosts else scenario


@st.cache_resource(max_entries=12, show_spinner=False)
def _plan(scenario: Scenario, question: Question, seconds: float) -> SitePlan:
    from coopconnect.siting.plan import site_plan  # HiGHS and the kernels load with the first plan only

    code = scenario.territory
    return site_plan(
        cached.territory(code), scenario, cached.parameters(), question, cached.home_territory(code), seconds
    )


def draw_answer(page: Page, plan: SitePlan | None, aside: DeltaGenerator) -> None:
    """Headline, map with the opening order, table, curve, near-equal plans, who is left out, files.

    In a hall the headline and the order go `aside`, beside the map, so that one screen holds all three.
    """
    if plan is None:
        return
    new = [s for s in plan.sites if not s.existing]
    opened = len(new)
    with aside if page.view.projector else nullcontext():
        answer = st.container()
        futures = draw_state(page, plan)
        with answer:
            _headline(page, plan, futures)
        if len(new) > 1:
            opened = st.slider(
                page.say("network.order"), 1, len(new), len(new), key=key_for("network_order", to_text(plan.question))
            )
    territory = cached.territory(page.scenario.territory)
    rows = [s.row for s in plan.sites if s.existing or s.rank <= opened]
    geometry = cached.geometry(page.scenario.territory)
    draw_map(_map(page, plan, rows, territory, futures), geometry, "network_map", on_select=state.select)
    st.html(f'<h2 class="title">{html.escape(page.say("network.table"))}</h2>')
    wide = {page.say("network.commune"): st.column_config.TextColumn(width="medium")}
    st.dataframe(
        _table(page, plan, futures), hide_index=True, key="network_table", height="content", column_config=wide
    )
    if any(site.forced and site.substitute and site.substitute.loss < 0.0 for site in plan.sites):
        st.caption(page.say("network.forced_note"))
    if futures is not None:
        draw_figures(page, plan, futures)
    draw_chart(_curve(page, plan, futures), "network_curve", charts.chart_config(page.language))
    _alternatives(page, plan, futures)
    _left_out(page, plan)
    _files(page, plan, futures)


def _amount(page: Page, value: float, objective: str, ends: Range | None = None) -> str:
    """A worth with its unit, and its range where futures give one; few points with a decimal, one point in the singular."""
    few = objective == "score" and abs(value) < 10.0
    places = 3 if objective == "equity" else int(few)
    amount = number(value, page.language, places)
    key = f"network.amount_{objective}"
    told = page.say(key, amount=amount) if known(key) else f"{amount} {page.say(f'network.unit_{objective}')}"
    if ends is None:
        return told
    low, high = (number(v, page.language, places) for v in (ends.low, ends.high))
    return f"{told} ({between(low, high)})"


def _headline(page: Page, plan: SitePlan, futures: PlanFutures | None) -> None:
    language, objective = page.language, plan.question.objective
    worth = _amount(page, plan.value, objective, futures.worth if futures else None)
    if plan.gap <= PROVEN:
        proof = page.say("network.proven")
    elif np.isfinite(plan.gap):
        proof = page.say("network.gap", gap=at_most(plan.gap, language))
    else:
        proof = page.say("network.no_gap")
    red = ' class="flag"' if plan.value < 0 else ""
    lines = [f"<b{red}>{html.escape(worth)}</b> · {html.escape(proof)}"]
    ends = futures.total if futures else {}
    users, opening, yearly = (
        spread(ends.get(name), partial(write, language=language), plan.totals[name])
        for name, write in (("users", number), ("opening_eur", euros), ("yearly_cost_eur", euros))
    )
    few = number(plan.totals["users_least"], language) if plan.neighbours_share else ""
    least = f" ({page.say('network.least', users=few)})" if few else ""
    lines.append(html.escape(page.say(
        "network.totals", users=users, least=least, people=number(plan.totals["people_covered"], language),
        out=number(plan.totals["people_left_out"], language), opening=opening, yearly=yearly,
    )))  # fmt: skip
    if plan.kept_value is not None:
        both = (futures.kept, futures.gained) if futures else (None, None)
        kept, added = (
            _amount(page, v, objective, of)
            for v, of in zip((plan.kept_value, plan.value - plan.kept_value), both, strict=True)
        )
        lines.append(html.escape(page.say("network.kept", kept=kept, added=added)))
    if not any(not s.existing for s in plan.sites):
        lines.append(html.escape(_why_none(page, plan)))
    if plan.refusals_cost > 0:
        lines.append(html.escape(page.say("network.refusals", cost=_amount(page, plan.refusals_cost, objective))))
    told = f"{page.say('network.average')} {page.say('network.modelled')} {states_words(page, plan, futures)}"
    lines.append(f"<small>{html.escape(told)}</small>")
    st.html("<div class='network_answer'>" + "".join(f"<p>{line}</p>" for line in lines) + "</div>")
    draw_search(page, _key(page, plan.question), plan)


def _why_none(page: Page, plan: SitePlan) -> str:
    """Why a plan opens no site."""
    least = plan.totals.get("least_price_eur", 0.0)
    if least > plan.question.budget_eur > 0.0:
        years = plan.question.years
        return page.say("network.nothing_affordable", price=euros(least, page.language), years=years)
    return page.say("network.nothing_opens")


def _map(
    page: Page, plan: SitePlan, rows: list[int], territory: Any, futures: PlanFutures | None
) -> MapSpec:  # fmt: skip
    """Communes with an open site within the access limit, those without, sites as discs: new ones by their rank, those
    that exist by a letter."""
    n = territory.site_zone.size
    site = np.repeat(np.arange(n), np.diff(territory.access_start))
    near = np.isin(site, rows) & (territory.access_drive_min <= page.scenario.access_max_min)
    served = np.zeros(len(territory.zones), bool)
    served[territory.access_zone[near]] = True
    rank, users, low, high = np.full(n, np.nan), np.zeros(n), np.full(n, np.nan), np.full(n, np.nan)
    labels, notes = [""] * n, {}
    for at, one in enumerate(plan.sites):
        if one.row not in rows:
            continue
        users[one.row] = one.users
        if futures is not None:
            low[one.row], high[one.row] = (getattr(futures.sites[at]["users"], end) for end in ("low", "high"))
        if one.existing:
            labels[one.row], notes[one.row] = page.say("network.map_exists"), page.say("network.map_exists_note")
        else:
            rank[one.row], labels[one.row] = one.rank, str(one.rank)
    entries = (
        LegendEntry(page.say("network.served"), SERVED), LegendEntry(page.say("network.not_served"), LEFT_OUT),
        LegendEntry(map_texts(page.language)["none"], NO_DATA_COLOUR, "none"),
    )  # fmt: skip
    zone_class = np.where(served[territory.site_zone], 0, 1).astype(np.uint8)
    assert CLASS_NONE > 1
    discs = page.say("network.map_discs_existing" if notes else "network.map_discs")
    return MapSpec(
        zone_class=zone_class, colours=(SERVED, LEFT_OUT),
        legend=Legend(page.say("network.legend"), "", entries, f"{discs} · {page.say('kind.modelled')}"),
        hover=(HoverRow(page.say("network.rank"), rank), HoverRow(page.say("network.users"), users, low, high)),
        zone_note=notes,
        sites=Sites(np.asarray(rows, dtype=np.int64), users[rows], tuple(labels[row] for row in rows)),
        texts=map_texts(page.language),
        projector=page.view.projector, height_px=map_height_px(page),
    )  # fmt: skip


def _table(page: Page, plan: SitePlan, futures: PlanFutures | None = None, apart: bool = False) -> pd.DataFrame:
    """Sites in opening order with what happens if the mayor says no. Ranges of the futures stand in the cells of their
    figure or, `apart`, in columns of their own."""
    language = page.language
    places = 3 if plan.question.objective == "equity" else 0
    finer = places + (plan.question.objective == "score")
    rows = []
    for at, site in enumerate(plan.sites):
        other = site.substitute
        row: dict[str, str] = {page.say("network.rank"): _rank_text(page, site), page.say("network.commune"): site.name}

        def put(
            name: str, value: float | None, ends: Range | None, write: Write, row: dict[str, str] = row
        ) -> None:  # fmt: skip
            name = page.say(f"network.{name}")
            row[name] = "" if value is None else write(value) if apart else spread(ends, write, value, wraps=False)
            if apart and futures is not None:
                for key in ("low", "high"):
                    row[f"{name}, {page.say(f'network.col_{key}')}"] = "" if ends is None else write(getattr(ends, key))

        signed = partial(number, language=language, decimals=places, signed=True)
        whole = partial(number, language=language)
        of = futures.sites[at] if futures else {}
        put("adds", None if site.existing else site.gain, futures.gains[at] if futures else None, signed)
        put("users", site.users, of.get("users"), whole)
        put("desks_column", site.desks, of.get("desks"), whole)
        if futures is not None:
            row[page.say("network.viable_column")] = percent(futures.viable[at], language)
        row[page.say("network.year")] = "" if site.existing else str(site.year)
        row[page.say("network.if_refused")] = other.name if other else ""
        lost = futures.substituted[at] if futures else None
        ends = None if lost is None else Range(-lost.high, -lost.value, -lost.low)
        put(
            "loss",
            -other.loss if other else None,
            ends,
            partial(number, language=language, decimals=finer, signed=True),
        )
        rows.append(row)
    return pd.DataFrame(rows)


def _rank_text(page: Page, site: PlannedSite) -> str:
    if site.existing:
        return page.say("network.exists")
    return page.say("network.rank_forced", rank=site.rank) if site.forced else str(site.rank)


def _curve(page: Page, plan: SitePlan, futures: PlanFutures | None) -> Any:
    from coopconnect.show.network_charts import worth_curve

    return worth_curve(plan, page.language, page.view.projector, futures)


def _alternatives(page: Page, plan: SitePlan, futures: PlanFutures | None) -> None:
    if "substitutes" in plan.missing:
        return
    st.html(f'<h2 class="title">{html.escape(page.say("network.alternatives"))}</h2>')
    if not plan.alternatives:
        st.caption(page.say("network.no_alternative"))
        return
    lines = []
    for at, a in enumerate(plan.alternatives):
        ends, better = futures.alternatives[at] if futures and futures.alternatives else (None, 0.0)
        loss = _amount(page, a.loss, plan.question.objective, ends)
        told = page.say("network.alternative", other=a.in_name, site=a.out_name, loss=loss)
        if ends is not None:
            told += f" ; {page.say('network.alternative_better', share=percent(better, page.language))}"
        lines.append(told)
    st.html("<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in lines) + "</ul>")


def _left_out(page: Page, plan: SitePlan) -> None:
    count = number(float(len(plan.left_out)), page.language)
    with st.expander(
        page.say("network.left_out", count=count, people=number(plan.totals["people_left_out"], page.language))
    ):
        names = {"name": "commune", "population": "population", "nearest": "nearest", "nearest_min": "nearest_min"}
        shown = plan.left_out[list(names)].head(MOST_LEFT_OUT).round(1)
        st.dataframe(shown.rename(columns={k: page.say(f"network.{v}") for k, v in names.items()}), hide_index=True)
        if len(plan.left_out) > MOST_LEFT_OUT:
            st.caption(page.say("network.most_left_out", count=number(float(MOST_LEFT_OUT), page.language)))


def _files(page: Page, plan: SitePlan, futures: PlanFutures | None) -> None:
    """The plan on the screen as files, asked in the address or not."""
    asked = replace(page, session=replace(page.session, view=replace(page.view, plan=address_of(plan.question))))
    link = page_link(page)
    with st.container(horizontal=True, key="network_files"):
        st.download_button(
            page.say("network.xlsx"), data=lambda: excel(asked, link), key="network_xlsx", on_click="ignore",
            file_name="reseau.xlsx", mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        )  # fmt: skip
        st.download_button(
            page.say("network.csv"), data=lambda: _csv(page, plan, futures), file_name="reseau.csv", mime="text/csv", key="network_csv",
            on_click="ignore",
        )  # fmt: skip
        st.download_button(
            page.say("network.gpkg"), data=lambda: _geopackage(page, plan, futures), file_name="reseau.gpkg", key="network_gpkg",
            mime="application/geopackage+sqlite3", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            page.say("network.save"), data=lambda: saved(asked), file_name="scenario.toml", key="network_save",
            mime="application/toml", on_click="ignore",
        )  # fmt: skip


def _geopackage(page: Page, plan: SitePlan, futures: PlanFutures | None) -> bytes:
    from coopconnect.export.files import plan_gpkg_bytes

    return plan_gpkg_bytes(
        plan, cached.territory(page.scenario.territory), page.language, date.today(), futures
    )  # fmt: skip


def _csv(page: Page, plan: SitePlan, futures: PlanFutures | None) -> bytes:
    from coopconnect.export.tables import csv_bytes

    return csv_bytes(_table(page, plan, futures, apart=True))
