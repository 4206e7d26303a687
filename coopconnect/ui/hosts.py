"""The buildings of the selected commune: who could lend a room, what each answered, what a refusal costs."""

from __future__ import annotations

import html
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from coopconnect.model.site_sheet import refusal_cost
from coopconnect.model.types import Assessment
from coopconnect.scenario import HOST_STATUSES, host_status
from coopconnect.show.words import number, say
from coopconnect.territory.hosts import existing_nearby, refused_communes, unknown_hosts
from coopconnect.territory.official.contract import Label
from coopconnect.territory.types import Territory
from coopconnect.ui import cached, state
from coopconnect.ui.frame import Page, plain_text
from coopconnect.ui.widget_key import key_for

SHOWN = 12
"""Hosts listed at once; the others are counted, and listed when asked for."""


def draw_hosts(page: Page, site: pd.Series, now: Assessment) -> None:
    """Hosts with their status, hubs that exist nearby, and the next best commune where all refuse."""
    code = str(site["zone_code"])
    territory = cached.territory(page.scenario.territory)
    with st.spinner(page.say("hosts.wait")):  # over a second the first time, where lists are loaded
        hosts = cached.hosts(page.scenario.territory)
    mine = hosts[hosts["zone_code"] == code]
    st.html(f'<h3 class="title">{html.escape(page.say("hosts.title", name=str(site["name"])))}</h3>')
    mine = in_order(mine, code)
    for row in mine.head(SHOWN).to_dict("records"):
        _host_row(page, row)
    if len(mine) > SHOWN and st.toggle(page.say("hosts.more", count=len(mine) - SHOWN), key=f"hosts_more_{code}"):
        for row in mine.iloc[SHOWN:].to_dict("records"):
            _host_row(page, row)
    st.caption(plain_text(lists_line(cached.store().label("places"), page.language)))
    lost = unknown_hosts(page.scenario, hosts)
    if lost:
        st.caption(page.say("hosts.unknown", count=len(lost)))
    _existing(page, territory, hosts, code)
    if code in refused_communes(page.scenario, mine):
        _cost_of_refusal(page, now, code)


def lists_line(label: Label | None, language: str) -> str:
    """What the hosts come from: nature, years and titles of the lists that are loaded; how to have some where none is."""
    if label is None:
        return say("hosts.only_town_hall", language)
    facts = {"kind": say(f"kind.{label.kind}", language), "year": label.year or "–", "lists": label.source_in(language)}
    return say("hosts.lists", language, **facts)


def in_order(hosts: pd.DataFrame, code: str) -> pd.DataFrame:
    """Hosts of one commune as they are listed: its town hall first, then hubs that exist, then the others as they come."""
    worth = np.select([hosts["host_id"] == f"m{code}", hosts["kind"] == "tiers_lieu"], [0, 1], 2)
    return hosts.iloc[np.argsort(worth, kind="stable")]


def _host_row(page: Page, host: Mapping[Hashable, Any]) -> None:
    """One building: what it is, and its status to choose."""
    sources: tuple[str, ...] = tuple(host["sources"])
    status = host_status(page.scenario, sources)
    key = key_for(f"host_{host['host_id']}", status)
    name, choice = st.columns([1, 2], vertical_alignment="center")
    facts = [page.say(f"hosts.kind.{host['kind']}"), str(host["address"] or "")]
    if not host["precise"]:
        facts.append(page.say("hosts.at_commune"))
    told = " · ".join(fact for fact in facts if fact)
    name.html(f"<p>{html.escape(str(host['name']))}<br><small>{html.escape(told)}</small></p>")
    choice.segmented_control(
        page.say("hosts.answer_of", name=str(host["name"])), HOST_STATUSES, default=status, required=True, wrap=True,
        key=key, label_visibility="collapsed", format_func=lambda value: page.say(f"hosts.status.{value}"),
        on_change=_answered, args=(key, sources),
    )  # fmt: skip


def _answered(key: str, sources: tuple[str, ...]) -> None:
    """A status was chosen."""
    state.answer(sources, str(st.session_state[key]))


def _existing(page: Page, territory: Territory, hosts: pd.DataFrame, code: str) -> None:
    """Hubs that exist within the access limit: reinforce one, or open another?"""
    found = existing_nearby(territory, hosts, code, page.scenario.access_max_min)
    if len(found):
        nearest = found.iloc[0]
        minutes = number(float(nearest["drive_min"]), page.language)
        st.info(page.say("hosts.existing", count=len(found), name=str(nearest["name"]), minutes=minutes), icon=None)


def _cost_of_refusal(page: Page, now: Assessment, code: str) -> None:
    """The best available commune that shares homes with this one, and what is lost by going there."""
    lost = refusal_cost(now, code)
    if lost is None:
        st.warning(page.say("hosts.refusal_none"), icon=None)
        return
    st.warning(
        page.say(
            "hosts.refusal", name=lost.substitute_name,
            hours=number(lost.hours_lost_per_year, page.language, signed=True),
            points=number(lost.score_lost, page.language, signed=True),
        ),
        icon=None,
    )  # fmt: skip
