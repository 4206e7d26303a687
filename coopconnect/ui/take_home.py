"""What one takes home from the calculator: a card as a PDF, and the link of this very calculation with its QR code."""

from __future__ import annotations

import html
from dataclasses import replace
from datetime import date

import streamlit as st

from coopconnect.export.link import is_local
from coopconnect.show import weeks as words_of
from coopconnect.show.describe import changes, colon, scenario_line
from coopconnect.show.static_map import svg_image
from coopconnect.ui import cached, calculator
from coopconnect.ui.calculator import Calculation, Reach
from coopconnect.ui.frame import Page, mount_frame, query_of
from coopconnect.ui.state import Session, View


def draw_take_home(page: Page, found: Calculation) -> None:
    """The card, the link, its code."""
    link = link_of(page, found)
    local = is_local(link)
    with st.container(key="take", horizontal=True, vertical_alignment="center"):
        more = f" {page.say('house.link_local')}" if local else ""
        text = html.escape(page.say("house.link_content") + more)
        st.html(f'<div class="take"><h3>{html.escape(page.say("house.take"))}</h3><p>{text}</p></div>', width="stretch")
        _draw_code(page, "" if local else link)
        mount_frame(page, copy=True, link_query=query_of(own_session(page, found.hub)))
        st.download_button(
            page.say("house.card_button"), data=lambda: card(page, found, link), key="card", type="primary",
            file_name=f"coop-connect-{found.home.code}-{found.work.code}.pdf", mime="application/pdf", on_click="ignore",
            help=page.say("house.card_help"),
        )  # fmt: skip


def _draw_code(page: Page, link: str) -> None:
    from coopconnect.export.card import qr_svg  # the typesetter's module loads with the first calculation

    code = qr_svg(link)
    if code:
        st.html(f'<div class="qr">{svg_image(code, html.escape(page.say("house.qr_alt")))}</div>', width="content")


def own_session(page: Page, hub: Reach | None) -> Session:
    """The session that the link gives back: this calculation, with its hub named, and its scenario; nothing that was
    written or kept.
    """
    v = page.view
    view = View(
        language=v.language,
        selected=hub.code if hub else v.selected,
        home=v.home,
        work=v.work,
        my_days=v.my_days,
        car=v.car,
    )
    return Session(replace(page.scenario, hosts=()), view)


def link_of(page: Page, found: Calculation) -> str:
    """The full address of this calculation, '' where the server does not know its own."""
    here = (st.context.url or "").partition("?")[0]
    return f"{here}?{query_of(own_session(page, found.hub))}" if here else ""


def card(page: Page, found: Calculation, link: str) -> bytes:
    """The card as a PDF, made when it is asked for."""
    from coopconnect.export.card import CardTexts, week_card

    hub = found.hub.name if found.hub else page.say("house.card_no_hub")
    weeks, days = found.weeks, str(found.weeks.days)
    route = page.say(
        "house.card_route", home=found.home.label, work=found.work.label, hub=hub, days=days,
        car=page.say(f"house.car_{found.person.car}").lower(),
    )  # fmt: skip
    names = ", ".join(f"{name} {value}" for name, value, _ in changes(page.scenario, page.parameters, page.language))
    line = scenario_line(page.scenario, page.parameters, page.language)
    changed = page.say("house.card_changed", names=names) if names else page.say("bar.same") + "."
    told = words_of.paid(weeks, page.scenario, page.language)
    far = found.hub and words_of.is_loss(weeks.kept["hub", "hours"], "hours")
    reason = calculator.reason(page, found) if far else told.reason if told else ""
    pairs = () if told is None else (("house.price", told.price), ("house.left", told.left))
    price = " ".join(f"{page.say(key)}{colon(page.language)}{value}." for key, value in pairs if value)
    texts = CardTexts(
        route, _truly(page, found), price, reason, tuple(calculator.notes(page, found)),
        page.say("house.card_scenario", line=line, changed=changed), link,
    )  # fmt: skip
    return week_card(weeks, texts, on=date.today(), language=page.language)


def _truly(page: Page, found: Calculation) -> str:
    days = str(found.weeks.days)
    if found.hub is None:
        return page.say("house.card_truly_alone", days=days)
    totals = cached.households(page.scenario, found.hub.code).totals
    if totals["users"].value <= 0.0:
        return page.say("house.card_truly_alone", days=days)
    kept = {
        name: words_of.writer(measure, page.language)(totals[f"{measure}_per_user"].value)
        for name, measure in (("hours", "hours"), ("euros", "eur"))
    }
    return page.say("house.card_truly", days=days, average=page.say("house.card_average", **kept))
