"""The page Données: download from publishers, load one's own file, what is loaded, what it changed."""

from __future__ import annotations

import hashlib
import html
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from coopconnect.model.compare import Difference, compare
from coopconnect.model.types import Assessment, Range
from coopconnect.show.describe import colon
from coopconnect.show.words import kept_together, known, number, with_range
from coopconnect.territory.hosts import main_halls
from coopconnect.territory.official.catalogue import Entry, load_catalogue
from coopconnect.territory.official.fetch import fetch
from coopconnect.territory.official.fetch_types import FetchError, Progress
from coopconnect.territory.official.kinds import (
    KINDS,
    Guess,
    Imported,
    columns_of,
    guess,
    import_file,
    lacking,
    read_table,
)
from coopconnect.territory.official.reading import RawTable, ReadingError, preview
from coopconnect.territory.official.store import StoreError
from coopconnect.territory.provenance import turned
from coopconnect.territory.types import Provenance
from coopconnect.ui import cached
from coopconnect.ui.assumptions import table_html
from coopconnect.ui.frame import Page, plain_text

ENDINGS = ["csv", "txt", "tsv", "gz", "zip", "xlsx", "parquet"]
PREVIEW_ROWS = 8
SHOWN_PROBLEMS = 200
MOVERS = 4
COLUMNS_A_ROW = 3
"""Columns to confirm, side by side; one below the other, in the same order, on a phone."""
_BRING = st.components.v2.component("coopconnect_bring", js=(Path(__file__).parent / "bring.js").read_text("utf-8"))
_TURNS = itertools.count(1)
"""Each change has its number, so that the page moves once for each."""
_TOTALS = {"viable_rural_sites": 0, "median_score": 1, "median_users": 1, "hours_per_participating_household": 1}
"""Totals shown before and after, with their decimals."""
_CHANGE, SAID, _FILE = "official_change", "official_said", "official_given"


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
    here = st.container()  # under the button: where one looks after a click
    with here:
        draw_outcome(page, "fetch")
    for entry in first:
        wanted += _entry_row(page, entry)
    with st.expander(page.say("official.others")):
        for entry in entries:
            if not entry.default:
                wanted += _entry_row(page, entry)
    if wanted:
        with here:
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
    pressed = right.button(_button(page, "one", title), key=f"fetch_{entry.key}", width="stretch")
    return [entry] if pressed else []


def _button(page: Page, act: str, of: str) -> str:
    """Label of a button of a row: the act for the eye; for who hears the page, also what it acts on (frame.css hides that)."""
    return f"{page.say(f'official.{act}')} :small[{plain_text(of)}]"


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
                progress=lambda progress: _show(bar, progress, page.language),
            )  # fmt: skip
            bar.progress(1.0, text=page.say("official.wait", title=title))
            label = {
                "kind": "official", "source": entry.source_fr, "year": entry.year,
                "source_en": entry.source_en,
                "licence": entry.licence, "url": got.url,
            }  # fmt: skip
            found = import_file(got.path, entry.file_name, entry.feeds, label=label, member=entry.member or None)
            said.append(_keep(page, found, title))
            kept += 1
        except FetchError as error:
            said.append(
                ("error", kept_together(error.en, False) if page.language == "en" else kept_together(error.fr, True))
            )
        except (ReadingError, StoreError) as error:
            said.append(("error", told(error, page.language)))
    st.session_state[SAID] = ("fetch", said)
    if kept:
        remember_change(page, before, "fetch")
    st.rerun()


def _show(bar: Any, progress: Progress, language: str) -> None:
    bar.progress(progress.share or 0.0, text=progress.text(language))


def told(error: ReadingError | StoreError, language: str) -> str:
    """What an error of a file or of the folder of tables says, in the language."""
    return kept_together(error.message_en, False) if language == "en" else kept_together(error.message_fr, True)


def _keep(page: Page, found: Imported, title: str) -> tuple[str, str]:
    """Put an imported table in the store; what to say of it."""
    if not found.usable or found.frame is None:
        return "error", f"{title}{colon(page.language)}{page.say('official.nothing_usable')}"
    cached.store().add(found.frame, found.label)
    text = page.say("official.done", title=title, rows=number(float(found.label.rows), page.language))
    if found.label.unplaced >= 1:
        words = {"count": number(found.label.unplaced, page.language)}
        unit = _unit(page, found.table)
        text += " " + (
            page.say("official.left_out", unit=unit, **words) if unit else page.say("official.rows_out", **words)
        )
    if found.table == "places":
        cached.follow_store()
        count = int((~main_halls(cached.hosts(page.scenario.territory))).sum())
        place = cached.territory(page.scenario.territory).name
        text += " " + page.say("official.hosts_here", territory=place, count=number(float(count), page.language))
    return "done", text


def draw_import(page: Page) -> None:
    """One's own file: what it is, its columns, a preview, all that is wrong in it, then the button."""
    st.subheader(page.say("official.import"), anchor=False)
    st.html(f'<p class="hint">{html.escape(page.say("official.import_how"))}</p>')
    if on_this_computer():
        _import_form(page)
        draw_outcome(page, "import")


def _import_form(page: Page) -> None:
    file = _file_of(page)
    if file is None:
        return
    kind_key = f"official_is_{file.key}"
    try:
        raw = _raw(file.content, file.name, st.session_state.get(kind_key) or file.choices.get("table"))
    except ReadingError as error:
        st.error(told(error, page.language), icon=None)
        return
    separator = {";": ";", ",": ",", "\t": "tab"}.get(raw.separator, raw.sheet or "parquet")
    with st.expander(
        page.say("official.preview", rows=number(float(len(raw.frame)), page.language), separator=separator)
    ):
        st.dataframe(preview(raw, PREVIEW_ROWS))
    table, mapping = _confirm(page, file, raw, guess(raw))
    wide, narrow = st.columns([3, 1])
    source = wide.text_input(
        page.say("official.source"), value=file.choices.get("source", file.name), key=f"official_source_{file.key}"
    )
    year = narrow.text_input(
        page.say("official.year"), value=file.choices.get("year", ""), key=f"official_year_{file.key}"
    ).strip()
    file.choices |= {"source": source, "year": year}
    missing = lacking(KINDS[table], mapping) if mapping else ()
    if missing:
        st.info(page.say("official.missing", names=", ".join(_field(page, name) for name in missing)), icon=None)
        return
    try:
        found = import_file(file.content, file.name, table, mapping, {"kind": "own", "source": source, "year": year})
    except ReadingError as error:
        st.error(told(error, page.language), icon=None)
        return
    _tell(page, found)
    ready = found.usable
    if not ready:
        st.warning(page.say("official.nothing_usable"), icon=None)
    if st.button(page.say("official.keep"), key="official_keep", type="primary", disabled=not ready):
        before = reference_now(page)
        try:
            st.session_state[SAID] = ("import", [_keep(page, found, file.name)])
        except StoreError as error:
            st.error(told(error, page.language), icon=None)
            return
        remember_change(page, before, "import")
        st.rerun()


@dataclass(eq=False)
class UploadedFile:
    """A file that was given, and what was chosen for it: both outlive a look at another page."""

    name: str
    content: bytes
    key: str
    choices: dict[str, str] = field(default_factory=dict)


def _file_of(page: Page) -> UploadedFile | None:
    """The file given on this visit. The browser's own field is empty after another page has been looked at."""
    given = st.file_uploader(page.say("official.file"), type=ENDINGS, key="official_file", on_change=_forget_file)
    kept: UploadedFile | None = st.session_state.get(_FILE)
    if given is not None and kept is None:
        content = given.getvalue()
        kept = UploadedFile(given.name, content, hashlib.sha256(content).hexdigest()[:8])
        st.session_state[_FILE] = kept
    if given is None and kept is not None:
        line, away = st.columns([3, 1], vertical_alignment="center")
        line.html(f"<p>{html.escape(page.say('official.file_kept', name=kept.name))}</p>")
        if away.button(page.say("official.remove"), key="official_file_away", width="stretch"):
            _forget_file()
            st.rerun()
    return kept


def _forget_file() -> None:
    st.session_state.pop(_FILE, None)


@st.cache_resource(max_entries=2, show_spinner=False)
def _raw(content: bytes, name: str, table: str | None) -> RawTable:
    """The file as text, read once while its columns are being chosen."""
    return read_table(content, name, table=table)


def _confirm(page: Page, file: UploadedFile, raw: RawTable, found: Guess) -> tuple[str, dict[str, str]]:
    """What the file is and which column is which: guessed, to confirm. A column that is not to be read is ''."""
    tables = list(KINDS)
    names = {k.table: (k.name_en if page.language == "en" else k.name_fr) for k in KINDS.values()}
    likely = file.choices.get("table") or found.table or tables[0]
    table = st.selectbox(
        page.say("official.is"), tables, index=tables.index(likely),
        format_func=lambda key: names[key], key=f"official_is_{file.key}",
    )  # fmt: skip
    file.choices["table"] = table
    columns = [str(c) for c in raw.frame.columns]
    guessed = dict(found.mapping) if found.table == table else columns_of(KINDS[table], columns)[0]
    if table == "travel" and found.table == "travel" and "to_code" not in guessed:
        return table, {}
    needed = {c for alternative in KINDS[table].needed for c in alternative}
    shown = sorted(
        (c for c in KINDS[table].columns if known(f"official.field.{c}")), key=lambda c: (c not in needed, c)
    )
    options = ["", *columns]
    mapping: dict[str, str] = {}
    rows = [st.columns(COLUMNS_A_ROW, vertical_alignment="bottom") for _ in shown[::COLUMNS_A_ROW]]
    for name, cell in zip(shown, itertools.chain.from_iterable(rows), strict=False):
        likely = file.choices.get(f"{table}.{name}", guessed.get(name, ""))
        picked = cell.selectbox(
            page.say("official.column", name=_field(page, name)),
            options,
            index=options.index(likely) if likely in options else 0,
            format_func=lambda column: column or page.say("official.none"),
            key=f"official_{table}_{name}_{file.key}",
        )
        mapping[name] = file.choices[f"{table}.{name}"] = picked
    return table, mapping


def _field(page: Page, name: str) -> str:
    """A column of ours, in words."""
    return page.say(f"official.field.{name}") if known(f"official.field.{name}") else name


def _unit(page: Page, table: str) -> str:
    """What the amounts of a table count (see `Label`); '' where they are rows, which may be of no commune."""
    return page.say(f"official.unit.{table}") if known(f"official.unit.{table}") else ""


def _tell(page: Page, found: Imported) -> None:
    """What was read, and everything that is wrong, by line."""
    label = found.label
    figures = {name: number(float(getattr(label, name)), page.language) for name in ("rows", "placed", "unplaced")}
    unit = _unit(page, found.table)
    st.write(page.say("official.read", unit=unit, **figures) if unit else page.say("official.read_rows", **figures))
    for note in label.notes_en if page.language == "en" else label.notes_fr:
        st.caption(plain_text(kept_together(note, page.language == "fr")))
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
        name = _table(page, table)
        text = page.say("official.loaded_line", table=name, source=label.source_in(page.language), year=label.year or "–",
                        rows=number(float(label.rows), page.language))  # fmt: skip
        line.html(f"<p>{html.escape(text)}</p>")
        if (
            on_this_computer()
            and store.can_restore(table)
            and back.button(_button(page, "restore", name), key=f"restore_{table}", width="stretch")
        ):
            _change_with(page, lambda table=table: store.restore(table))  # type: ignore[misc]
        if on_this_computer() and away.button(_button(page, "remove", name), key=f"remove_{table}", width="stretch"):
            _change_with(page, lambda table=table: store.remove(table))  # type: ignore[misc]
    for table in (t for t in KINDS if t not in labels and store.can_restore(t)):
        name = _table(page, table)
        if on_this_computer() and st.button(
            f"{page.say('official.restore')}{colon(page.language)}{name}", key=f"restore_{table}"
        ):
            _change_with(page, lambda table=table: store.restore(table))  # type: ignore[misc]
    draw_outcome(page, "loaded")


def _change_with(page: Page, act: Any) -> None:
    before = reference_now(page)
    try:
        act()
    except StoreError as error:
        st.error(told(error, page.language), icon=None)
        return
    remember_change(page, before, "loaded")
    st.rerun()


@dataclass(frozen=True, eq=False)
class Loaded:
    """The reference scenario assessed with what was loaded at a time, and what each table then was."""

    assessment: Assessment
    provenance: tuple[Provenance, ...]


def reference_now(page: Page) -> Loaded:
    """The reference scenario assessed with what is loaded now."""
    code = page.scenario.territory
    return Loaded(cached.reference_assessment(code), cached.territory(code).provenance)


def remember_change(page: Page, before: Loaded, where: str) -> None:
    """Assess again with what is loaded now, and keep the difference for the part of the page where it was asked."""
    cached.follow_store()
    after = reference_now(page)
    found = compare(before.assessment, after.assessment), turned(before.provenance, after.provenance)
    st.session_state[_CHANGE] = (where, found, next(_TURNS))


def draw_outcome(page: Page, where: str) -> None:
    """What came of the last action of this part of the page, brought into the window: what failed and what was done (once),
    what changed (until it has been seen)."""
    place, said = st.session_state.get(SAID, ("", []))
    asked, found, turn = st.session_state.get(_CHANGE, ("", None, 0))
    if place == where:
        del st.session_state[SAID]
    else:
        said = []
    for text in (text for level, text in said if level == "error"):
        st.error(text, icon=None)
    if asked == where and found is not None:
        _BRING(key="official_brought", data={"token": turn})
        _draw_change(page, *found)
    for text in (text for level, text in said if level != "error"):
        st.success(text, icon=None)


def _draw_change(page: Page, found: Difference, kinds: tuple[tuple[str, str, str], ...]) -> None:
    """What was modelled and is official (or the other way), and the figures before and after."""
    territory = cached.territory(page.scenario.territory)
    with st.container(border=True, key="official_changed"):
        st.subheader(page.say("official.changed", territory=territory.name), anchor=False)
        for (was, is_now), tables in itertools.groupby(sorted(kinds, key=lambda k: k[1:]), key=lambda k: k[1:]):
            names = ", ".join(_table(page, table) for table, _, _ in tables)
            st.write(
                page.say(
                    "official.changed_kind",
                    names=names,
                    before=page.say(f"kind.{was}"),
                    after=page.say(f"kind.{is_now}"),
                )
            )
        if found.same:
            st.write(page.say("official.changed_nothing"))
        else:
            _draw_figures(page, found)
        if st.button(page.say("official.close"), key="official_seen"):
            del st.session_state[_CHANGE]
            st.rerun()


def _draw_figures(page: Page, found: Difference) -> None:
    counts = {"kept": found.top_kept, "top": found.top, "gained": found.gained, "lost": found.lost}
    st.write(page.say("official.changed_top", **counts))
    if found.rural_left or found.rural_joined:
        st.write(page.say("official.changed_rural", left=found.rural_left, joined=found.rural_joined))
    rows = [
        (
            page.say(f"official.total.{name}"),
            *(_ranged(r, page.language, decimals) for r in found.totals[name]),
        )
        for name, decimals in _TOTALS.items()
    ]
    st.html(table_html(("", page.say("official.before"), page.say("official.after")), rows, numbers=(1, 2)))
    st.write(page.say("official.changed_movers", names=_movers(found.movers(MOVERS), page.language)))


def _table(page: Page, table: str) -> str:
    return page.say(f"table.{table}") if known(f"table.{table}") else table


def _ranged(found: Range, language: str, decimals: int) -> str:
    return with_range(found.low, found.value, found.high, lambda value: number(value, language, decimals))


def _movers(sites: pd.DataFrame, language: str) -> str:
    """'Gargas 54 → 61, ...'"""
    return ", ".join(
        f"{row['name']} {number(row['score_before'], language)} → {number(row['score_after'], language)}"
        for row in sites.to_dict("records")
    )
