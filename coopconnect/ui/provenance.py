"""The page Données: where each table comes from, what is left out, how to bring official data."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import streamlit as st

from coopconnect.parameters import DATA_DIR
from coopconnect.show.words import kept_together, known, number
from coopconnect.territory.official.catalogue import load_catalogue
from coopconnect.territory.official.status import status_rows
from coopconnect.ui import cached
from coopconnect.ui.assumptions import table_html
from coopconnect.ui.frame import Page

LEFT_OUT = ("overseas", "foreign", "hosts")


def draw_title(page: Page) -> None:
    """Title and one sentence."""
    st.title(page.say("data.title"), anchor=False)
    st.html(f'<p class="lead">{html.escape(page.say("data.lead"))}</p>')


def draw_provenance(page: Page) -> None:
    """One row per table: nature, source, year, age, licence, remark, and what would make it better."""
    territory = cached.territory(page.scenario.territory)
    names = ("table", "kind", "source", "year", "age", "licence", "note", "better")
    found = status_rows(territory.provenance, cached.store(), load_catalogue(), date.today())
    french = page.language == "fr"
    rows = [
        tuple(
            kept_together(text, french)
            for text in (
                _table_name(page, row["table"]), page.say(f"kind.{row['kind']}"), row["source" if french else "source_en"], row["year"],
                _age(page, row), row["licence" if french else "licence_en"], note, row[f"better_{page.language}"],
            )
        )
        for row, note in zip(found, notes_once(page, found), strict=True)
    ]  # fmt: skip
    st.subheader(territory.name, anchor=False)
    st.html(table_html(tuple(page.say(f"data.{name}") for name in names), rows, stacked=True))
    for name in cached.unreadable():
        st.warning(page.say("data.unreadable", file=name), icon=None)


def notes_once(page: Page, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The remark of each table; of one that has the remark of a table above: 'as for', and the name of that one."""
    said: dict[str, str] = {}
    notes = []
    for row in rows:
        note, name = str(row[f"note_{page.language}"]), _table_name(page, row["table"])
        notes.append(page.say("data.note_as", table=said[note]) if note in said else note)
        if note:
            said.setdefault(note, name)
    return notes


def _table_name(page: Page, table: str) -> str:
    return page.say(f"table.{table}") if known(f"table.{table}") else table


def _age(page: Page, row: Mapping[str, Any]) -> str:
    """Days since a table was loaded; a mark where a newer edition is likely."""
    if row["age_days"] is None:
        return page.say("data.shipped")
    text = page.say("data.days", days=row["age_days"]) if row["age_days"] else page.say("data.today")
    return f"{text} · {page.say('data.stale')}" if row["stale"] else text


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


def draw_files(page: Page) -> None:
    """Files shipped with the project, with their sizes."""
    unit = "ko" if page.language == "fr" else "kB"
    files = sorted((DATA_DIR / "territory").glob("*.*"))
    rows = [(f.name, f"{number(f.stat().st_size / 1e3, page.language)}\u00a0{unit}") for f in files]
    st.subheader(page.say("data.files"), anchor=False)
    st.html(table_html((page.say("data.file"), page.say("data.size")), rows, numbers=(1,)))
