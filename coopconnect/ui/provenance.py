"""The page Données: where each table comes from, what is left out, how to bring official data."""

from __future__ import annotations

import html

import streamlit as st

from coopconnect.parameters import DATA_DIR
from coopconnect.show.words import known, number
from coopconnect.ui import cached
from coopconnect.ui.assumptions import table_html
from coopconnect.ui.frame import Page

LEFT_OUT = ("overseas", "foreign", "hosts")


def draw_title(page: Page) -> None:
    """Title and one sentence."""
    st.title(page.say("data.title"), anchor=False)
    st.html(f'<p class="lead">{html.escape(page.say("data.lead"))}</p>')


def draw_provenance(page: Page) -> None:
    """One row per table of the territory: nature, source, year, licence, remark."""
    territory = cached.territory(page.scenario.territory)
    names = ("table", "kind", "source", "year", "licence", "note")
    rows = [
        (
            page.say(f"table.{p.table}") if known(f"table.{p.table}") else p.table, page.say(f"kind.{p.kind}"),
            p.source, p.year, p.licence, p.note_en if page.language == "en" else p.note_fr,
        )
        for p in territory.provenance
    ]  # fmt: skip
    st.subheader(territory.name, anchor=False)
    st.html(table_html(tuple(page.say(f"data.{name}") for name in names), rows))


def draw_sizes(page: Page) -> None:
    """How large the territory is."""
    territory = cached.territory(page.scenario.territory)
    inside = territory.zones[territory.zones["in_territory"]]
    counts = {
        "communes": len(territory.site_zone),
        "neighbours": len(territory.zones) - len(inside),
        **{name: inside[name].sum() for name in ("population", "households", "workers", "jobs")},
        "flows": len(territory.flow_work),
        "access": len(territory.access_zone),
    }
    rows = [(page.say(f"data.{name}"), number(float(count), page.language)) for name, count in counts.items()]
    st.subheader(page.say("data.sizes"), anchor=False)
    st.html(table_html(("", ""), rows, numbers=(1,)))


def draw_left_out(page: Page) -> None:
    """What no figure here counts."""
    st.subheader(page.say("data.left_out"), anchor=False)
    items = "".join(f"<li>{html.escape(page.say(f'data.left_{name}'))}</li>" for name in LEFT_OUT)
    st.html(f"<ul>{items}</ul>")


def draw_official(page: Page) -> None:
    """How official data will come in."""
    st.subheader(page.say("data.official"), anchor=False)
    st.html(f"<p>{html.escape(page.say('data.official_how'))}</p>")


def draw_files(page: Page) -> None:
    """Files shipped with the project, with their sizes."""
    unit = "ko" if page.language == "fr" else "kB"
    files = sorted((DATA_DIR / "territory").glob("*.*"))
    rows = [(f.name, f"{number(f.stat().st_size / 1e3, page.language)}\u00a0{unit}") for f in files]
    st.subheader(page.say("data.files"), anchor=False)
    st.html(table_html((page.say("data.file"), page.say("data.size")), rows, numbers=(1,)))
