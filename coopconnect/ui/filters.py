"""Which communes are listed: rural ones, a département, near a commune, viable ones, by name."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np
import streamlit as st

from coopconnect.model.types import Assessment
from coopconnect.show.words import say
from coopconnect.territory.types import Territory
from coopconnect.ui import state
from coopconnect.ui.frame import Page
from coopconnect.ui.places import departement_names
from coopconnect.ui.state import View
from coopconnect.ui.widget_key import key_for

MINUTES = (10, 15, 20, 30)
"""Choices of 'within N minutes'; the access table holds nothing beyond 30."""


@dataclass(frozen=True, eq=False)
class Listed:
    """The sites that pass the filters: mask over `Assessment.sites`, in words; the commune nearby, if known.

    place: mask of the sites within the département and the minutes asked for; None for the whole territory.
    left_out: names that hold the text searched for, but that the other filters leave out, the shortest first.
    """

    mask: np.ndarray
    words: str
    near_name: str = ""
    near_missing: bool = False
    place: np.ndarray | None = None
    left_out: tuple[str, ...] = ()


def plain(text: str) -> str:
    """A name without accents, capitals, hyphens and apostrophes, to be compared."""
    flat = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe"))
    letters = "".join(c if c.isalnum() else " " for c in flat if not unicodedata.combining(c))
    return " ".join(letters.split())


def find_commune(text: str, territory: Territory) -> str:
    """Code of the commune that a text names: its code, its name, the start of its name; the largest one wins."""
    wanted = plain(text)
    if not wanted:
        return ""
    zones = territory.zones
    codes = zones["zone_code"].to_numpy(object)
    if text.strip().upper() in set(codes):
        return text.strip().upper()
    names = [plain(name) for name in zones["name"]]
    population = zones["population"].to_numpy(float)
    tests = (str.__eq__, str.startswith, str.__contains__)
    for test in tests:
        rows = [n for n, name in enumerate(names) if test(name, wanted)]
        if rows:
            return str(codes[max(rows, key=lambda n: population[n])])
    return ""


def minutes_to(territory: Territory, code: str) -> np.ndarray:
    """Free-flow minutes between each site and a commune, (n_sites,); infinite beyond the access table."""
    found = np.full(len(territory.site_zone), np.inf)
    zone = np.flatnonzero((territory.zones["zone_code"] == code).to_numpy())
    if zone.size:
        rows = np.flatnonzero(territory.access_zone == zone[0])
        sites = np.searchsorted(territory.access_start, rows, side="right") - 1
        found[sites] = territory.access_drive_min[rows]
    return found


def listed(assessment: Assessment, territory: Territory, view: View) -> Listed:
    """Apply the filters of a view."""
    sites = assessment.sites
    mask = np.ones(len(sites), dtype=bool)
    words: list[str] = []
    place: np.ndarray | None = None
    if not view.all_communes:
        mask &= sites["rural"].to_numpy(bool)
        words.append(say("filter.word_rural", view.language))
    if view.departement:
        place = (sites["departement"] == view.departement).to_numpy(bool)
        words.append(say("filter.word_departement", view.language, code=view.departement))
    if view.viable_only:
        mask &= sites["viability"].to_numpy(float) >= 1.0
        words.append(say("filter.word_viable", view.language))
    near_name, missing = "", False
    left_out: tuple[str, ...] = ()
    if view.near:
        row = territory.zones.index[territory.zones["zone_code"] == view.near]
        missing = row.empty
        if not missing:
            near_name = str(territory.zones.at[row[0], "name"])
            close = minutes_to(territory, view.near) <= view.near_min
            place = close if place is None else place & close
            words.append(say("filter.word_near", view.language, name=near_name, minutes=view.near_min))
    if place is not None:
        mask &= place
    if view.search:
        part = plain(view.search)
        holds = np.array([part in plain(name) for name in sites["name"]], dtype=bool)
        left_out = tuple(sorted(sites["name"][holds & ~mask], key=lambda name: (len(name), name)))
        mask &= holds
        words.append(say("filter.word_search", view.language, text=view.search))
    return Listed(mask, ", ".join(words), near_name, missing, place, left_out)


def draw_filters(page: Page, territory: Territory) -> None:
    """The row of filters. Each widget takes its value from the view and writes back to it."""
    view = page.view
    departements = ["", *sorted(set(territory.zones.loc[territory.zones["in_territory"], "departement"]))]
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        for name, on in (("rural_only", not view.all_communes), ("viable_only", view.viable_only)):
            key = key_for(name, on)
            st.toggle(
                page.say("filter.rural" if name == "rural_only" else "filter.viable"),
                value=on,
                key=key,
                on_change=_write,
                args=(name, key),
            )
        if len(departements) > 2:
            chosen = view.departement if view.departement in departements else ""
            key = key_for(f"departement_{page.language}", chosen)  # Streamlit keeps a list's words as long as its key
            st.selectbox(
                page.say("filter.departement"), departements, departements.index(chosen), key=key, width=190, on_change=_write,
                args=("departement", key), format_func=lambda code: f"{code} {departement_names().get(code, '')}" if code else page.say("filter.all"),
            )  # fmt: skip
        near = _name_of(territory, view.near)
        key = key_for("near", near)
        st.text_input(
            page.say("filter.near"), near, key=key, width=150, placeholder=page.say("filter.near_example"),
            on_change=_write_near, args=(territory, page.language, key),
        )  # fmt: skip
        if view.near:
            allowed, key = sorted({*MINUTES, view.near_min}), key_for("near_min", view.near_min)
            st.selectbox(
                page.say("filter.minutes"), allowed, allowed.index(view.near_min), key=key, width=110,
                on_change=_write, args=("near_min", key), format_func=lambda m: f"{m} min",
            )  # fmt: skip
        key = key_for("search", view.search)
        st.text_input(
            page.say("filter.search"), view.search, key=key, width=150, placeholder=page.say("filter.search_example"),
            on_change=_write, args=("search", key),
        )  # fmt: skip


def _write(name: str, key: str) -> None:
    value = st.session_state[key]
    state.look(**({"all_communes": not value} if name == "rural_only" else {name: value}))


def _write_near(territory: Territory, language: str, key: str) -> None:
    text = str(st.session_state[key])
    code = find_commune(text, territory)
    state.look(near=code)
    if text.strip() and not code:
        state.tell(say("filter.near_unknown", language, text=text.strip()[:60], name=territory.name))


def _name_of(territory: Territory, code: str) -> str:
    if not code:
        return ""
    names = territory.zones.loc[territory.zones["zone_code"] == code, "name"]
    return code if names.empty else str(names.iloc[0])
