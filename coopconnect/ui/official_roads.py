"""The page Données: minutes and km between communes, asked of a routing server."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from coopconnect.parameters import DATA_DIR
from coopconnect.show.words import number
from coopconnect.territory.official.store import StoreError, writing
from coopconnect.ui import cached
from coopconnect.ui.frame import Page, plain_text
from coopconnect.ui.official import SAID, draw_outcome, on_this_computer, reference_now, remember_change
from coopconnect.ui.official import told as error_words


def draw_roads(page: Page) -> None:
    """Address of a server, one button, how far it is; a press of Stop ends it, what has arrived is kept."""
    if not on_this_computer():
        return
    with st.expander(page.say("official.roads")):
        st.html(f'<p class="hint">{html.escape(page.say("official.roads_how"))}</p>')
        address = st.text_input(
            page.say("official.roads_address"), key="official_router", placeholder="http://localhost:5000",
            help=page.say("official.roads_address_help"),
        ).strip()  # fmt: skip
        proxy = st.text_input(
            page.say("official.roads_proxy"), key="official_router_proxy", help=page.say("official.roads_proxy_help")
        ).strip()
        if st.button(page.say("official.roads_go"), key="roads_go", disabled=not address):
            _ask(page, address, proxy)
    draw_outcome(page, "roads")


def _ask(page: Page, address: str, proxy: str) -> None:
    from coopconnect.territory.load import read_communes
    from coopconnect.territory.roads import RoadsError, compute_router

    before = reference_now(page)
    bar = st.progress(0.0, text="")
    st.button(page.say("official.stop"), key="roads_stop")

    def show(told: Any) -> None:
        bar.progress(told.done / max(told.total, 1), text=told.text(page.language))

    communes = read_communes(DATA_DIR / "territory")
    inside = communes["zone_code"].isin(cached.territory(page.scenario.territory).zones["zone_code"])
    try:
        with writing(cached.store().folder):
            result = compute_router(
                address, communes, rows=communes.index[inside].to_numpy(), work_dir=cached.store().folder / "roads",
                fastest_kmh=page.parameters.value("road_limit_motorway_kmh"),
                snap_max_km=page.parameters.value("road_snap_max_km"), proxy=proxy or None, progress=show,
            )  # fmt: skip
        if not len(result.table):
            st.error(page.say("official.roads_none"), icon=None)
            return
        cached.store().add(result.table, result.label, gather=True)
    except RoadsError as error:
        st.error(plain_text(error.text(page.language)), icon=None)
        return
    except StoreError as error:
        st.error(error_words(error, page.language), icon=None)
        return
    counts = {"kept": len(result.table), "asked": result.pairs_asked, "off": len(result.unsnapped)}
    written = {name: number(float(count), page.language) for name, count in counts.items()}
    st.session_state[SAID] = (
        "roads",
        [("done", page.say("official.roads_done", source=result.label.source_in(page.language), **written))],
    )
    remember_change(page, before, "roads")
    st.rerun()
