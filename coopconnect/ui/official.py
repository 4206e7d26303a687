"""The page Données: download from publishers, load one's own file, what is loaded, what it changed."""

from __future__ import annotations

import html
from typing import Any

import pandas as pd
import streamlit as st

from coopconnect.model.compare import Difference, compare
from coopconnect.model.types import Assessment
from coopconnect.show.words import known, number
from coopconnect.territory.official.catalogue import Entry, load_catalogue
from coopconnect.territory.official.fetch import fetch
from coopconnect.territory.official.fetch_types import FetchError, Progress
from coopconnect.territory.official.kinds import KINDS, Guess, Imported, columns_of, guess, import_file, read_table
from coopconnect.territory.official.reading import RawTable, ReadingError, preview
from coopconnect.territory.official.store import StoreError
from coopconnect.ui import cached
from coopconnect.ui.assumptions import table_html
from coopconnect.ui.frame import Page

ENDINGS = ["csv", "txt", "tsv", "gz", "zip", "xlsx", "parquet"]
PREVIEW_ROWS = 8
SHOWN_PROBLEMS = 200
MOVERS = 4
_TOTALS = {"viable_rural_sites": 0, "median_score": 1, "median_users": 1, "hours_per_participating_household": 1}
"""Totals shown before and after, with their decimals."""
_CHANGE, SAID = "official_change", "official_said"


def draw_fetch(page: Page) -> None:
    """What publishers give: one button for all that counts, one for each file."""
    st.subheader(page.say("official.fetch"), anchor=False)
    st.html(f'<p class="hint">{html.escape(page.say("data.official_how"))}</p>')
    if not on_this_computer():
        st.info(page.say("official.local_only"), icon=None)
        return
    entries = list(load_catalogue().values())
    first = [entry for entry in entries if entry.default]
    with st.expander(page.say("official.more")):
        mirror = st.text_input(
            page.say("official.mirror"), key="official_mirror", help=page.say("official.mirror_help")
        )
        proxy = st.text_input(page.say("official.proxy"), key="official_proxy")
    wanted: list[Entry] = []
    if st.button(page.say("official.all"), key="fetch_all", type="primary", help=page.say("official.all_help")):
        wanted = first
    for entry in first:
        wanted += _entry_row(page, entry)
    with st.expander(page.say("official.others")):
        for entry in entries:
            if not entry.default:
                wanted += _entry_row(page, entry)
    for level, text in st.session_state.pop(SAID, []):
        (st.error if level == "error" else st.success)(text, icon=None)
    if wanted:
        _fetch_all(page, wanted, mirror.strip(), proxy.strip())


def on_this_computer() -> bool:
    """True for a visitor on the computer that runs the app: others in the room look, they do not change the data."""
    return st.context.ip_address in (None, "127.0.0.1", "::1")


def _entry_row(page: Page, entry: Entry) -> list[Entry]:
    """A file of the catalogue with its button; the entry where the button was pressed."""
    title = entry.title_en if page.language == "en" else entry.title_fr
    size = number(entry.size_mb, page.language)
    facts = [
        page.say("official.size", size=size) if entry.size_mb else page.say("official.size_unknown"),
        entry.publisher,
    ]
    if entry.checked == "not checked" or not entry.urls:
        facts.append(
            page.say("official.by_hand", page=entry.page) if not entry.urls else page.say("official.not_checked")
        )
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.html(f"<p>{html.escape(title)}<br><small>{html.escape(' · '.join(facts))}</small></p>")
    pressed = right.button(page.say("official.one"), key=f"fetch_{entry.key}", width="stretch")
    return [entry] if pressed else []


def _fetch_all(page: Page, entries: list[Entry], mirror: str, proxy: str) -> None:
    """Download, read and keep each; what fails is told and the others go on. A press of Stop ends the run there."""
    before = reference_now(page)
    said: list[tuple[str, str]] = []
    bar = st.progress(0.0, text="")
    st.button(page.say("official.stop"), key="fetch_stop")
    kept = 0
    for entry in entries:
        title = entry.title_en if page.language == "en" else entry.title_fr
        try:
            got = fetch(
                entry, cached.store().downloads, mirror=mirror or None, proxy=proxy or None,
                progress=lambda told: _show(bar, told, page.language),
            )  # fmt: skip
            bar.progress(1.0, text=page.say("official.wait", title=title))
            label = {
                "kind": "official", "source": f"{entry.publisher}, {entry.title_fr}", "year": entry.year,
                "licence": entry.licence, "url": got.url,
            }  # fmt: skip
            found = import_file(got.path, entry.file_name, entry.feeds, label=label, member=entry.member or None)
            said.append(_keep(page, found, title))
            kept += 1
        except FetchError as error:
            said.append(("error", error.en if page.language == "en" else error.fr))
        except ReadingError as error:
            said.append(("error", error.message_en if page.language == "en" else error.message_fr))
        except StoreError as error:
            said.append(("error", str(error)))
    st.session_state[SAID] = said
    if kept:
        remember_change(page, before)
    st.rerun()


def _show(bar: Any, told: Progress, language: str) -> None:
    bar.progress(told.share or 0.0, text=told.text(language))


def _keep(page: Page, found: Imported, title: str) -> tuple[str, str]:
    """Put an imported table in the store; what to say of it."""
    if not found.usable or found.frame is None:
        return "error", f"{title} : {page.say('official.nothing_usable')}"
    cached.store().add(found.frame, found.label)
    text = page.say("official.done", title=title, rows=number(float(found.label.rows), page.language))
    if found.label.unplaced >= 1:
        text += " " + page.say(
            "official.left_out", count=number(found.label.unplaced, page.language), unit=_unit(page, found.table)
        )
    return "done", text


def draw_import(page: Page) -> None:
    """One's own file: what it is, its columns, a preview, all that is wrong in it, then the button."""
    st.subheader(page.say("official.import"), anchor=False)
    st.html(f'<p class="hint">{html.escape(page.say("official.import_how"))}</p>')
    if not on_this_computer():
        return
    uploaded = st.file_uploader(page.say("official.file"), type=ENDINGS, key="official_file")
    if uploaded is None:
        return
    content = uploaded.getvalue()
    try:
        raw = _raw(content, uploaded.name)
    except ReadingError as error:
        st.error(error.message_en if page.language == "en" else error.message_fr, icon=None)
        return
    separator = {";": ";", ",": ",", "\t": "tab"}.get(raw.separator, raw.sheet or "parquet")
    with st.expander(
        page.say("official.preview", rows=number(float(len(raw.frame)), page.language), separator=separator)
    ):
        st.dataframe(preview(raw, PREVIEW_ROWS))
    table, mapping = _confirm(page, raw, guess(raw))
    source = st.text_input(page.say("official.source"), value=uploaded.name, key="official_source")
    try:
        found = import_file(content, uploaded.name, table, mapping, {"kind": "own", "source": source})
    except ReadingError as error:
        st.error(error.message_en if page.language == "en" else error.message_fr, icon=None)
        return
    _tell(page, found)
    ready = found.usable
    if not ready:
        st.warning(page.say("official.nothing_usable"), icon=None)
    if st.button(page.say("official.keep"), key="official_keep", type="primary", disabled=not ready):
        before = reference_now(page)
        try:
            st.session_state[SAID] = [_keep(page, found, uploaded.name)]
        except StoreError as error:
            st.error(str(error), icon=None)
            return
        remember_change(page, before)
        st.rerun()


@st.cache_resource(max_entries=2, show_spinner=False)
def _raw(content: bytes, name: str) -> RawTable:
    """The file as text, read once while its columns are being chosen."""
    return read_table(content, name)


def _confirm(page: Page, raw: RawTable, found: Guess) -> tuple[str, dict[str, str]]:
    """What the file is and which column is which: guessed, to confirm."""
    tables = list(KINDS)
    names = {k.table: (k.name_en if page.language == "en" else k.name_fr) for k in KINDS.values()}
    table = st.selectbox(
        page.say("official.is"), tables, index=tables.index(found.table) if found.table else 0,
        format_func=lambda key: names[key], key=f"official_is_{raw.sha256[:8]}",
    )  # fmt: skip
    columns = [str(c) for c in raw.frame.columns]
    guessed = dict(found.mapping) if found.table == table else columns_of(KINDS[table], columns)[0]
    none = page.say("official.none")
    mapping: dict[str, str] = {}
    if table == "travel" and found.table == "travel" and "to_code" not in guessed:
        return table, {}
    shown = sorted({c for needed in KINDS[table].needed for c in needed} & KINDS[table].columns.keys())
    for name, cell in zip(shown, st.columns(min(len(shown), 3)) * len(shown), strict=False):
        options = [none, *columns]
        index = options.index(guessed[name]) if guessed.get(name) in options else 0
        label = page.say(f"official.field.{name}") if known(f"official.field.{name}") else name
        picked = cell.selectbox(
            page.say("official.column", name=label),
            options,
            index=index,
            key=f"official_{table}_{name}_{raw.sha256[:8]}",
        )
        if picked != none:
            mapping[name] = picked
    return table, mapping


def _unit(page: Page, table: str) -> str:
    """What the amounts of a table count (see `Label`)."""
    return page.say(f"official.unit.{table if known(f'official.unit.{table}') else 'other'}")


def _tell(page: Page, found: Imported) -> None:
    """What was read, and everything that is wrong, by line."""
    label = found.label
    figures = {name: number(float(getattr(label, name)), page.language) for name in ("rows", "placed", "unplaced")}
    st.write(page.say("official.read", unit=_unit(page, found.table), **figures))
    for note in label.notes_en if page.language == "en" else label.notes_fr:
        st.caption(html.escape(note))
    if not found.problems:
        st.success(page.say("official.no_problem"), icon=None)
        return
    heads = ("line", "column", "value", "reason", "count")
    rows = [
        (
            "" if p.line is None else str(p.line), p.column, p.value,
            p.reason_en if page.language == "en" else p.reason_fr, str(p.count),
        )
        for p in found.problems[:SHOWN_PROBLEMS]
    ]  # fmt: skip
    total = sum(p.count for p in found.problems)
    with st.expander(
        page.say("official.problems", count=number(float(total), page.language)), expanded=len(rows) <= 12
    ):
        st.html(table_html(tuple(page.say(f"official.problem_{h}") for h in heads), rows, numbers=(0, 4)))


def draw_loaded(page: Page) -> None:
    """The tables that are loaded, with the way back."""
    st.subheader(page.say("official.loaded"), anchor=False)
    store, labels = cached.store(), cached.store().labels()
    if not labels:
        st.html(f'<p class="hint">{html.escape(page.say("official.none_loaded"))}</p>')
    for table, label in labels.items():
        line, back, away = st.columns([4, 1.4, 1], vertical_alignment="center")
        name = page.say(f"table.{table}") if known(f"table.{table}") else table
        text = page.say("official.loaded_line", table=name, source=label.source, year=label.year or "–",
                        rows=number(float(label.rows), page.language))  # fmt: skip
        line.html(f"<p>{html.escape(text)}</p>")
        if (
            on_this_computer()
            and store.can_restore(table)
            and back.button(page.say("official.restore"), key=f"restore_{table}", width="stretch")
        ):
            _change_with(page, lambda table=table: store.restore(table))  # type: ignore[misc]
        if on_this_computer() and away.button(page.say("official.remove"), key=f"remove_{table}", width="stretch"):
            _change_with(page, lambda table=table: store.remove(table))  # type: ignore[misc]
    for table in (t for t in KINDS if t not in labels and store.can_restore(t)):
        name = page.say(f"table.{table}") if known(f"table.{table}") else table
        if on_this_computer() and st.button(f"{page.say('official.restore')} : {name}", key=f"restore_{table}"):
            _change_with(page, lambda table=table: store.restore(table))  # type: ignore[misc]


def _change_with(page: Page, act: Any) -> None:
    before = reference_now(page)
    act()
    remember_change(page, before)
    st.rerun()


def reference_now(page: Page) -> Assessment:
    """The reference scenario assessed with what is loaded now."""
    return cached.reference_assessment(page.scenario.territory)


def remember_change(page: Page, before: Assessment) -> None:
    """Assess again with what is loaded now, and keep the difference for the screen."""
    cached.follow_store()
    st.session_state[_CHANGE] = compare(before, reference_now(page))


def draw_change(page: Page) -> None:
    """What the data loaded last have changed, until it has been seen."""
    found: Difference | None = st.session_state.get(_CHANGE)
    if found is None:
        return
    territory = cached.territory(page.scenario.territory)
    with st.container(border=True, key="official_changed"):
        st.subheader(page.say("official.changed", territory=territory.name), anchor=False)
        counts = {"kept": found.top_kept, "top": found.top, "gained": found.gained, "lost": found.lost}
        st.write(page.say("official.changed_top", **counts))
        rows = [
            (
                page.say(f"official.total.{name}"),
                *(number(r.value, page.language, decimals) for r in found.totals[name]),
            )
            for name, decimals in _TOTALS.items()
        ]
        st.html(table_html(("", page.say("official.before"), page.say("official.after")), rows, numbers=(1, 2)))
        st.write(page.say("official.changed_movers", names=_movers(found.movers(MOVERS), page.language)))
        if st.button(page.say("official.close"), key="official_seen"):
            del st.session_state[_CHANGE]
            st.rerun()


def _movers(sites: pd.DataFrame, language: str) -> str:
    """'Gargas 54 → 61, ...'"""
    return ", ".join(
        f"{row['name']} {number(row['score_before'], language)} → {number(row['score_after'], language)}"
        for row in sites.to_dict("records")
    )
