"""The page Fiche site: telepresence, hubs that exist nearby, who comes from where."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd
import streamlit as st

from coopconnect.model.site_sheet import SheetRuns, TelepresenceTrigger, advice, home_communes
from coopconnect.show import charts, site_charts
from coopconnect.show.words import euros, hours, number, percent
from coopconnect.ui import cached, state
from coopconnect.ui.assumptions import step_of, table_html
from coopconnect.ui.chart_block import draw_chart
from coopconnect.ui.decide import Decision
from coopconnect.ui.frame import Page, link_to
from coopconnect.ui.gates import core_users
from coopconnect.ui.sight import in_sight
from coopconnect.ui.widget_key import key_for

CHART_HEIGHT_PX = 480
HOMES = 10
PRICE, THRESHOLD = "telepresence_price_eur_per_month", "telepresence_threshold_eur_per_month"


# --- telepresence -------------------------------------------------------------------------------------------------


def draw_telepresence(page: Page, decision: Decision, site: pd.Series, runs: SheetRuns) -> None:
    """The trigger in a sentence, its price and its threshold to move, the answer of the site."""
    st.html(f'<h2 class="part" id="telepresence">{html.escape(page.say("sheet.tele"))}</h2>')
    trigger = runs.telepresence
    left, right = st.columns([1, 1.35], gap="large")
    with left:
        st.html("".join(f"<p>{html.escape(line)}</p>" for line in trigger_lines(page, trigger)))
        for key, now in ((PRICE, getattr(page.scenario, PRICE)), (THRESHOLD, trigger.threshold_eur_per_month)):
            _draw_slider(page, key, float(now))
        rows = [_trigger_row(page, trigger, name) for name in ("permission_share", "users", "viability")]
        head = ("", page.say("sheet.tele_without"), page.say("sheet.tele_with"))
        st.html(table_html(head, rows, numbers=(1, 2)))
    with right:
        if in_sight("sheet_tele", page.say("wait.charts"), CHART_HEIGHT_PX):
            figure = site_charts.telepresence_price(
                trigger, getattr(page.scenario, PRICE), str(site["name"]), decision.now, page.language,
                page.view.projector,
            )  # fmt: skip
            draw_chart(figure, "sheet_telepresence", charts.chart_config(page.language, "telepresence"))


def trigger_lines(page: Page, trigger: TelepresenceTrigger) -> list[str]:
    """At which price employers' permission changes, where the scenario stands, whether the room pays."""
    language = page.language
    before, after = (float(row["permission_share"]) for row in (trigger.without, trigger.with_room))
    price, threshold = float(getattr(page.scenario, PRICE)), trigger.threshold_eur_per_month
    first = page.say(
        "sheet.tele_threshold", threshold=euros(threshold, language), before=percent(before, language, 1),
        after=percent(after, language, 1),
    )  # fmt: skip
    key = "sheet.tele_installed" if trigger.installed else "sheet.tele_too_dear"
    second = page.say(key, price=euros(price, language), gap=euros(abs(price - threshold), language))
    pays = trigger.extra_balance_eur_per_year
    key = "sheet.tele_pays" if pays >= 0.0 else "sheet.tele_costs"
    users = number(float(trigger.with_room["users"] - trigger.without["users"]), language, 1, signed=True)
    return [first, second, page.say(key, users=users, eur=euros(abs(pays), language))]


def _trigger_row(page: Page, trigger: TelepresenceTrigger, name: str) -> tuple[str, str, str]:
    def shown(row: pd.Series) -> str:
        value = float(row[name])
        return number(value, page.language, 1) if name == "users" else percent(value, page.language, 1)

    return page.say(f"sheet.tele_row.{name}"), shown(trigger.without), shown(trigger.with_room)


def _draw_slider(page: Page, key: str, now: float) -> None:
    """One price to move; it goes into the scenario."""
    low, high = page.parameters[key].bounds()
    widget = key_for(f"sheet_{key}", now)
    label = page.say(f"sheet.{'tele_price' if key == PRICE else 'tele_limit'}")
    st.slider(
        label, float(low), float(high), value=now, step=step_of(page.parameters[key]), key=widget, format="%d €",
        on_change=_moved, args=(key, widget),
    )  # fmt: skip


def _moved(key: str, widget: str) -> None:
    state.move(key, st.session_state[widget])


# --- hubs that exist ----------------------------------------------------------------------------------------------


def draw_existing(page: Page, site: pd.Series, existing: pd.DataFrame, runs: SheetRuns) -> None:
    """Reinforce what exists, or open here?"""
    st.html(f'<h2 class="part" id="existing">{html.escape(page.say("sheet.existing"))}</h2>')
    minutes = number(page.scenario.access_max_min, page.language)
    if cached.store().label("places") is None:
        st.html(f'<p class="hint">{html.escape(page.say("sheet.existing_unknown"))}</p>')
        link_to(page, "donnees", page.say("sheet.existing_load"))
        return
    if runs.beside is None:
        st.html(f'<p class="hint">{html.escape(page.say("sheet.existing_none", minutes=minutes))}</p>')
        return
    left, right = st.columns([1, 1.35], gap="large")
    with left:
        rows = [
            (str(row["name"]), f"{number(float(row['drive_min']), page.language)}\u00a0min")
            for row in existing.to_dict("records")
        ]
        st.html(table_html((page.say("sheet.existing_name"), page.say("sheet.existing_minutes")), rows, numbers=(1,)))
    with right:
        found = runs.beside
        said = advice(found, core_users(page))
        st.html(
            f'<div class="verdict {"yes" if said == "open" else "fragile" if said in ("depends", "reinforce") else "no"}">'
            f"<p><b>{html.escape(page.say(f'sheet.advice.{said}'))}</b></p></div>"
        )
        lines = (
            page.say(
                "sheet.beside", alone=number(found.alone_users, page.language, 1),
                beside=number(found.beside_users, page.language, 1), taken=number(found.taken_users, page.language, 1),
                share=percent(found.taken_share, page.language),
            ),
            page.say(
                "sheet.beside_added", users=number(found.added_users, page.language, 1, signed=True),
                hours=number(found.added_hours_per_year, page.language, signed=True),
                alone=number(found.alone_hours_per_year, page.language, signed=True),
                ratio=percent(found.viability_beside, page.language),
            ),
            page.say(
                "sheet.beside_shared", shared=number(found.shared_users, page.language, 1),
                ratio=percent(found.viability_shared, page.language),
            ),
            page.say("sheet.beside_how"),
        )  # fmt: skip
        st.html("".join(f"<p>{html.escape(line)}</p>" for line in lines))


# --- who comes ----------------------------------------------------------------------------------------------------


def draw_homes(page: Page, decision: Decision, site: pd.Series) -> None:
    """The communes whose residents would come, with their users, minutes and hours."""
    code, language = str(site["zone_code"]), page.language
    st.html(f'<h2 class="part" id="homes">{html.escape(page.say("sheet.homes"))}</h2>')
    table = home_communes(decision.now, decision.territory, code, HOMES)
    if not table["users"].sum() > 0.0:
        st.html(f'<p class="hint">{html.escape(page.say("chart.nothing.no_users"))}</p>')
        return
    rows = [
        (
            str(row["name"]), f"{number(float(row['drive_min']), language)}\u00a0min",
            number(float(row["users"]), language, 1), percent(float(row["users_share"]), language),
            hours(float(row["hours_per_year"]), language),
        )
        for row in table.to_dict("records")
    ]  # fmt: skip
    head = tuple(page.say(f"sheet.homes_{name}") for name in ("name", "minutes", "users", "share", "hours"))
    st.html(table_html(head, rows, numbers=(1, 2, 3, 4), red=True))
    far = float(np.average(table["drive_min"], weights=table["users"]))
    st.caption(page.say("sheet.homes_mean", minutes=number(far, language)))
