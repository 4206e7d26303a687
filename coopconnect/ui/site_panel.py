"""The panel of the selected commune: what a hub there would be, in a dozen lines, and what is still missing."""

from __future__ import annotations

import html

import pandas as pd
import streamlit as st

from coopconnect.model.types import Assessment
from coopconnect.scenario import COMPONENTS
from coopconnect.show.words import euros, hours, number, percent, with_range
from coopconnect.ui import state
from coopconnect.ui.frame import Page, link_to
from coopconnect.ui.gates import gates_html
from coopconnect.ui.hosts import draw_hosts
from coopconnect.ui.widget_key import key_for

Row = tuple[str, str]


def draw_site_panel(page: Page, site: pd.Series, sites: int, now: Assessment) -> None:
    """Title, figures by theme, gates, hosts, and the switch that says that every host has refused."""
    code = str(site["zone_code"])
    st.html(site_html(page, site, sites))
    refused = code in page.scenario.refused
    key = key_for(f"refused_{code}", refused)
    with st.container(horizontal=True, vertical_alignment="center", key="site_actions"):
        st.toggle(
            page.say("site.refused"),
            refused,
            key=key,
            help=page.say("site.refused_help"),
            on_change=_refuse,
            args=(code, key),
        )
        link_to(page, "site", page.say("sheet.open"))
        st.button(page.say("site.clear"), key="site_clear", on_click=state.select, args=(None,))
    with st.container(key="hosts"):
        draw_hosts(page, site, now)
        st.html(f'<section class="site">{gates_html(page, code)}</section>')


def _refuse(code: str, key: str) -> None:
    state.refuse(code, bool(st.session_state[key]))


def site_html(page: Page, site: pd.Series, sites: int) -> str:
    """The panel as HTML; every text is escaped."""
    groups = [
        (page.say("site.use"), use_rows(page, site)),
        (page.say("site.change"), _change(page, site)),
        (page.say("site.money"), money_rows(page, site)),
        (page.say("site.score"), _score(page, site)),
    ]
    columns = "".join(group_html(title, rows) for title, rows in groups)
    name = html.escape(str(site["name"]))
    where = ", ".join(html.escape(str(v)) for v in (site["epci_name"], site["departement"]) if str(v))
    flag = f'<p class="flag">{html.escape(page.say("site.red_flag"))}</p>' if site["red_flag"] else ""
    return (
        f'<section class="site"><header><h2>{name}</h2><p>{where} · {_rank(page, site, sites)} '
        f'<span class="tag">{html.escape(page.say("kind.modelled"))}</span></p></header>{flag}'
        f'<div class="groups">{columns}</div></section>'
    )


def group_html(title: str, rows: list[Row]) -> str:
    """Rows under a title; every text is escaped."""
    lines = "".join(f"<dt>{html.escape(k)}</dt><dd>{_value(v)}</dd>" for k, v in rows)
    return f"<div><h3>{html.escape(title)}</h3><dl>{lines}</dl></div>"


def _value(text: str) -> str:
    """A value, its range smaller under it."""
    value, cut, between = text.partition(" (")
    small = f"<small>{html.escape(between.rstrip(')'))}</small>" if cut else ""
    return f"{html.escape(value)}{small}"


def _rank(page: Page, site: pd.Series, sites: int) -> str:
    if not site["available"]:
        return html.escape(page.say("site.unavailable"))
    low, high = int(site["rank_low"]), int(site["rank_high"])
    text = page.say("site.rank", rank=int(site["rank"]), sites=sites, low=low, high=high)
    return html.escape(text)


def _ranged(page: Page, site: pd.Series, name: str, unit: str = "", decimals: int = 0) -> str:
    def shown(value: float | None) -> str:
        return number(value, page.language, decimals)

    text = with_range(float(site[f"{name}_low"]), float(site[name]), float(site[f"{name}_high"]), shown)
    value, cut, between = text.partition(" (")
    return f"{value}\u00a0{unit}".rstrip("\u00a0") + cut + between


def use_rows(page: Page, site: pd.Series) -> list[Row]:
    """Who comes and how often."""
    language = page.language
    reach = number(float(site["workers_within_reach"]), language)
    return [
        (page.say("site.users"), _ranged(page, site, "users")),
        (page.say("site.users_of"), page.say("site.users_of_value", share=percent(float(site["users_share"]), language, 1), workers=reach)),
        (page.say("site.days"), _ranged(page, site, "hub_days_per_year")),
        (page.say("site.desks"), _ranged(page, site, "desks")),
        (page.say("site.substitution"), percent(float(site["substitution_share"]), language)),
    ]  # fmt: skip


def _change(page: Page, site: pd.Series) -> list[Row]:
    language = page.language
    deciles = " · ".join(hours(float(site[f"hours_d{n}"]), language) for n in (1, 5, 9))
    return [
        (page.say("site.hours"), _ranged(page, site, "hours_per_year", "h/an" if language == "fr" else "h/yr")),
        (page.say("site.hours_average"), hours(float(site["hours_per_participating_household"]), language)),
        (page.say("site.hours_replaced"), hours(float(site["hours_if_all_replaced"]), language)),
        (page.say("site.deciles"), deciles),
        (page.say("site.losing"), percent(float(site["losing_share"]), language)),
        (page.say("site.eur"), _ranged(page, site, "eur_per_year", "€")),
        (page.say("site.kg"), _ranged(page, site, "kg_co2e_per_year", "kg")),
    ]


def money_rows(page: Page, site: pd.Series) -> list[Row]:
    """Cost, income, balance."""
    language = page.language
    return [
        (page.say("site.cost"), _ranged(page, site, "yearly_cost_eur", "€")),
        (page.say("site.revenue"), euros(float(site["revenue_eur_per_year"]), language)),
        (page.say("site.contribution"), euros(float(site["contribution_eur_per_year"]), language)),
        (page.say("site.viability"), percent(float(site["viability"]), language)),
        (page.say("site.break_even"), page.say("site.break_even_value", users=number(float(site["break_even_users"]), language))),
        (page.say("site.benefit_cost"), number(float(site["benefit_cost"]), language, 2)),
        (page.say("site.public_cost"), euros(float(site["net_public_cost_per_day_eur"]), language)),
    ]  # fmt: skip


def _score(page: Page, site: pd.Series) -> list[Row]:
    rows = [(page.say("site.total"), _ranged(page, site, "score"))]
    rows += [(page.say(f"component.{name}"), _ranged(page, site, f"component_{name}")) for name in COMPONENTS]
    return rows
