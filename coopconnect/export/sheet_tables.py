"""The sheets Communes, Ménages, Hypothèses and Sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from xlsxwriter.worksheet import Worksheet

from coopconnect.export import book as b
from coopconnect.export.book import Book
from coopconnect.export.columns import NEGATIVE_FLAGGED, SITE_SHEET_COLUMNS, ZONE_SHEET_COLUMNS, Column
from coopconnect.export.sheet_sites import (
    CENTRED,
    FIRST_ROW,
    HEADER_ROW,
    KIND_ROW,
    add_table,
    column_title,
    unit_of,
    write_header,
)
from coopconnect.export.sheet_summary import LIVE_LEVERS, between, chart_font, define
from coopconnect.model.types import Assessment
from coopconnect.parameters import Parameter, Parameters
from coopconnect.scenario import parameter_values
from coopconnect.show.colours import GAIN, LOSS, MUTED_INK
from coopconnect.show.words import known, say, unit_name
from coopconnect.territory.types import Provenance

ACTING = (
    "anchor_hours_per_1000_eur", "anchor_eur_per_1000_eur", "anchor_co2_kg_per_1000_eur", "anchor_vulnerable_share",
    "anchor_hot_days", "anchor_road_days", "core_users_gate",
)  # fmt: skip
"""Anchors of the score and the core of users: they act in the workbook, since they do not decide who comes."""

NAMED_ONLY = ("value_of_time_eur_per_h",)
"""Read by formulas, but not to be changed here: it also decides who comes."""


# --- Communes -------------------------------------------------------------------------------------------------


def zone_ranges(book: Book, assessment: Assessment) -> dict[str, str]:
    """References to the columns of the sheet Communes, by name, before it is written."""
    last = FIRST_ROW + max(len(assessment.zones), 1) - 1
    name = b.words(book, "sheet.zones")
    return {c.key: b.reference(name, FIRST_ROW, n, last) for n, c in enumerate(ZONE_SHEET_COLUMNS)}


MOST_CLASSES = 28
"""Classes of hours in the sheet Ménages: a page, and a chart that is read."""

_SUMMED = ("population", "households", "workers", "hub_users", "hub_hours_per_year")


def write_zones(book: Book, assessment: Assessment, kinds: Mapping[str, str]) -> Worksheet:
    """Every commune as a place of residence; totals of the visible rows above the table."""
    sheet, _ = b.add_sheet(book, "zones", "#14806a")
    zones = assessment.zones
    b.put_title(sheet, book, b.words(book, "say.zones_title"), b.words(book, "say.zones_note"), 12)
    write_header(book, sheet, ZONE_SHEET_COLUMNS, kinds)
    columns = {c.key: n for n, c in enumerate(ZONE_SHEET_COLUMNS)}
    for number, column in enumerate(ZONE_SHEET_COLUMNS):
        _write_zone_column(book, sheet, assessment, number, column, columns)
        if column.key in NEGATIVE_FLAGGED:
            b.flag_negative(sheet, book, FIRST_ROW, number, FIRST_ROW + max(len(zones), 1) - 1, number)
    add_table(book, sheet, "zones", ZONE_SHEET_COLUMNS, "zone", len(zones))
    _zone_totals(book, sheet, assessment, columns)
    sheet.ignore_errors({"number_stored_as_text": f"A1:M{FIRST_ROW + max(len(zones), 1)}"})
    sheet.freeze_panes(FIRST_ROW, 2)
    sheet.repeat_rows(KIND_ROW, HEADER_ROW)
    sheet.print_area(0, 0, FIRST_ROW + len(zones) + 1, len(columns) - 1)
    sheet.fit_to_pages(1, 0)
    return sheet


def _write_zone_column(
    book: Book, sheet: Worksheet, assessment: Assessment, number: int, column: Column, columns: Mapping[str, int]
) -> None:
    form = "general" if column.form in ("text", "flag") else column.form
    values = assessment.zones[column.key].tolist()
    if column.key == "hub_hours_per_household":

        def per_household(row: int) -> str:
            households, hours = (b.local(row, columns[k]) for k in ("households", "hub_hours_per_year"))
            return f"=IF({households}>0,{hours}/{households},0)"

        b.put_formulas(sheet, FIRST_ROW, number, per_household, values, book, form)
        return
    place = {"align": "center"} if column.key in CENTRED else {}
    b.put_column(sheet, FIRST_ROW, number, values, book, form, **place)


def _zone_totals(book: Book, sheet: Worksheet, assessment: Assessment, columns: Mapping[str, int]) -> None:
    """Sums that follow the filters, under the table."""
    zones = assessment.zones
    row = FIRST_ROW + max(len(zones), 1) + 1
    b.put_text(sheet, row, 1, b.words(book, "say.zones_total"), book, bold=True, top=1)
    ranges = zone_ranges(book, assessment)
    for key in _SUMMED:
        formula = f"=SUBTOTAL(109,{ranges[key].split('!')[1]})"
        b.put_formula(sheet, row, columns[key], formula, float(zones[key].sum()), book, "whole", bold=True, top=1)


# --- Ménages --------------------------------------------------------------------------------------------------


def write_households(book: Book, assessment: Assessment) -> Worksheet:
    """Distribution and deciles of hours kept per participating household, with a native chart."""
    sheet, name = b.add_sheet(book, "households", "#e5a11c")
    b.put_title(sheet, book, b.words(book, "say.households_title"), b.words(book, "say.households_note"), 13)
    sheet.set_column(0, 1, 10)
    sheet.set_column(2, 2, 15)
    sheet.set_column(3, 5, 13)
    sheet.set_column(6, 6, 3)
    sheet.set_column(7, 7, 44)
    sheet.set_column(8, 8, 40)
    last = _distribution(book, sheet, assessment)
    below = _household_figures(book, sheet, name, assessment, last)
    _deciles(book, sheet, assessment, below + 1)
    _household_chart(book, sheet, name, last)
    sheet.freeze_panes(HEADER_ROW + 1, 0)
    sheet.print_area(0, 0, max(last, 42), 15)
    sheet.fit_to_pages(1, 1)
    return sheet


def _distribution(book: Book, sheet: Worksheet, assessment: Assessment) -> int:
    """Classes, shares, and the shares split into those who lose and those who keep time; the last row."""
    heads = ("hours_from", "hours_to", "class", "users_share", "losing", "gaining")
    table = grouped_households(assessment.households)
    for row, (low, high, share) in enumerate(table.itertuples(index=False), start=FIRST_ROW):
        b.put(sheet, row, 0, low, book, "whole")
        b.put(sheet, row, 1, high, book, "whole")
        b.put_text(sheet, row, 2, f"{low:.0f} … {high:.0f}".replace("-", "−"), book, align="center")
        b.put(sheet, row, 3, share, book, "share")
        losing = f"=IF({b.local(row, 1)}<=0,{b.local(row, 3)},0)"
        b.put_formula(sheet, row, 4, losing, share if high <= 0 else 0.0, book, "share", font_color=LOSS)
        b.put_formula(
            sheet, row, 5, f"={b.local(row, 3)}-{b.local(row, 4)}", 0.0 if high <= 0 else share, book, "share"
        )
    for column, kind in enumerate(("chosen", "chosen", "chosen", "modelled", "computed", "computed")):
        b.kind_band(sheet, book, KIND_ROW, column, kind)
    sheet.set_row(HEADER_ROW, 44)
    last = FIRST_ROW + max(len(table), 1) - 1
    sheet.add_table(
        HEADER_ROW, 0, last, 5,
        {
            "name": b.words(book, "table.households"), "style": "Table Style Light 1", "autofilter": False,
            "columns": [
                {"header": b.words(book, f"head.{h}"), "header_format": b.header_style(book)} for h in heads
            ],
        },
    )  # fmt: skip
    return last


def grouped_households(table: pd.DataFrame) -> pd.DataFrame:
    """The distribution in at most `MOST_CLASSES` classes: neighbours added up, zero kept as a limit."""
    edges, shares = table["hours_from"].to_numpy(float), table["users_share"].to_numpy(float)
    zero = int(np.searchsorted(edges, 0.0))
    for size in (1, 2, 5, 10, 20):
        if len(table) <= MOST_CLASSES * size and len(table) % size == 0 and zero % size == 0:
            return pd.DataFrame({
                "hours_from": edges[::size], "hours_to": table["hours_to"].to_numpy(float)[size - 1 :: size],
                "users_share": shares.reshape(-1, size).sum(axis=1),
            })  # fmt: skip
    return table


def _household_figures(book: Book, sheet: Worksheet, name: str, assessment: Assessment, last: int) -> int:
    """Share of losers and of winners and their sum, live; the row under them."""
    table = assessment.households
    losing = float(table.loc[table["hours_to"] <= 0, "users_share"].sum())
    total = float(table["users_share"].sum())
    rows = (("losers", 4, losing), ("winners", 5, total - losing), ("check", 3, total))
    row = HEADER_ROW
    for key, column, value in rows:
        b.put_text(sheet, row, 7, b.words(book, f"say.{key}"), book, bold=key != "check", text_wrap=True)
        cells = b.reference(name, FIRST_ROW, column, last).split("!")[1]
        colour = {"font_color": LOSS} if key == "losers" else {}
        b.put_formula(sheet, row, 8, f"=SUM({cells})", value, book, "share", bold=True, **colour)
        row += 1
    median = float(assessment.deciles.loc[assessment.deciles["decile"] == 50, "hours_rural"].iloc[0])
    b.put_text(sheet, row, 7, b.words(book, "say.median"), book, bold=True)
    b.put(sheet, row, 8, median, book, "one", bold=True)
    return row + 1


def _deciles(book: Book, sheet: Worksheet, assessment: Assessment, row: int) -> None:
    deciles = assessment.deciles
    for offset, (decile, hours) in enumerate(deciles.itertuples(index=False), start=1):
        b.put(sheet, row + offset, 7, decile / 100, book, "percent", align="center")
        b.put(sheet, row + offset, 8, hours, book, "one")
    end = row + max(len(deciles), 1)
    b.flag_negative(sheet, book, row + 1, 8, end, 8)
    sheet.add_table(
        row, 7, end, 8,
        {
            "name": b.words(book, "table.deciles"), "style": "Table Style Light 1", "autofilter": False,
            "columns": [
                {"header": b.words(book, f"head.{h}"), "header_format": b.header_style(book)}
                for h in ("decile", "hours_rural")
            ],
        },
    )  # fmt: skip


def _household_chart(book: Book, sheet: Worksheet, name: str, last: int) -> None:
    chart = book.file.add_chart({"type": "column", "subtype": "stacked"})
    for column, colour in ((4, LOSS), (5, GAIN)):
        chart.add_series({
            "name": [name, HEADER_ROW, column], "categories": [name, FIRST_ROW, 2, last, 2],
            "values": [name, FIRST_ROW, column, last, column], "gap": 6, "fill": {"color": colour},
        })  # fmt: skip
    title = b.words(book, "say.chart_households")
    chart.set_title({"name": title, "name_font": chart_font(12, bold=True)})
    chart.set_x_axis({
        "name": b.words(book, "say.chart_households_x"), "name_font": chart_font(9, bold=False),
        "num_font": chart_font(8, rotation=-45), "label_position": "low",
    })  # fmt: skip
    chart.set_y_axis({
        "num_format": "0%", "num_font": chart_font(), "major_gridlines": {"visible": True, "line": {"color": "#d9dfe4"}},
    })  # fmt: skip
    chart.set_legend({"position": "top", "font": chart_font()})
    chart.set_chartarea({"border": {"color": "#d9dfe4"}})
    chart.set_size({"width": 760, "height": 400})
    sheet.insert_chart(HEADER_ROW + 16, 7, chart, {"object_position": 2, "description": title})


# --- Hypothèses -----------------------------------------------------------------------------------------------

_ASSUMPTION_HEADS = (
    "label", "value", "default", "low", "high", "unit", "changed", "status", "source", "review_by", "valid_from",
    "group", "note", "url", "key",
)  # fmt: skip
_ASSUMPTION_WIDTHS = (48, 11, 11, 10, 10, 14, 10, 20, 46, 12, 12, 18, 50, 40, 30)


def write_assumptions(book: Book, parameters: Parameters, assessment: Assessment) -> Worksheet:
    """Every parameter: value in use, default, range, source, status, dates; and how the choices were calibrated."""
    sheet, name = b.add_sheet(book, "assumptions", "#b5679d")
    b.put_title(sheet, book, b.words(book, "say.assumptions_title"), b.words(book, "say.assumptions_note"), 6)
    for column, width in enumerate(_ASSUMPTION_WIDTHS):
        sheet.set_column(column, column, width)
    b.put(sheet, KIND_ROW, 9, book.on, book, font_color=MUTED_INK)
    define(book, "date", name, KIND_ROW, 9)
    values = parameter_values(assessment.scenario, parameters)
    for row, item in enumerate(parameters.values(), start=FIRST_ROW):
        _assumption_row(book, sheet, name, row, item, values[item.key])
    last = FIRST_ROW + len(parameters) - 1
    sheet.add_table(
        HEADER_ROW, 0, last, len(_ASSUMPTION_HEADS) - 1,
        {
            "name": b.words(book, "table.assumptions"), "style": "Table Style Light 1",
            "columns": [
                {"header": b.words(book, f"head.{h}"), "header_format": b.header_style(book)}
                for h in _ASSUMPTION_HEADS
            ],
        },
    )  # fmt: skip
    sheet.set_row(HEADER_ROW, 32)
    _mark_assumptions(book, sheet, last)
    end = _calibration(book, sheet, parameters, assessment, last + 3)
    sheet.freeze_panes(FIRST_ROW, 1)
    sheet.repeat_rows(HEADER_ROW)
    sheet.print_area(0, 0, end, 9)
    sheet.fit_to_pages(1, 0)
    return sheet


def assumption_cell(book: Book, parameters: Parameters, key: str) -> str:
    """Reference to the value in use of a parameter, in the sheet Hypothèses."""
    return b.reference(b.words(book, "sheet.assumptions"), FIRST_ROW + list(parameters).index(key), 1)


def _assumption_row(book: Book, sheet: Worksheet, name: str, row: int, item: Parameter, value: float) -> None:
    unit, form = unit_name(item.unit, book.language), b.form_of(item.unit, value, item.value, item.low, item.high)
    b.put_text(sheet, row, 0, item.label(book.language), book, text_wrap=True)
    if item.key in ACTING:
        sheet.write_number(row, 1, value, b.input_style(book, form))
        between(book, sheet, row, 1, *item.bounds(), unit)
    elif item.key.startswith("weight_") or item.key in LIVE_LEVERS:
        b.put_formula(sheet, row, 1, f"={b.words(book, f'name.{item.key}')}", value, book, form, bold=True)
    else:
        b.put(sheet, row, 1, value, book, form, bold=True)
    if item.key in ACTING or item.key in NAMED_ONLY:
        define(book, item.key, name, row, 1)
    for column, number in ((2, item.value), (3, item.low), (4, item.high)):
        b.put(sheet, row, column, number, book, form)
    b.put_text(sheet, row, 5, "" if item.unit == "share" else unit, book, font_color=MUTED_INK, indent=1)
    changed = b.words(book, "changed")
    formula = f'=IF(ABS({b.local(row, 1)}-{b.local(row, 2)})>0.000000001,"{changed}","")'
    b.put_formula(sheet, row, 6, formula, changed if abs(value - item.value) > 1e-9 else "", book, align="center")
    b.put_text(sheet, row, 7, b.words(book, f"status.{item.status}"), book)
    b.put_text(sheet, row, 8, item.source_in(book.language), book, text_wrap=True, font_size=9)
    b.put(sheet, row, 9, item.review_by, book)
    b.put(sheet, row, 10, item.valid_from, book)
    group = f"export.group.{item.group}"
    b.put_text(sheet, row, 11, say(group, book.language) if known(group) else item.group, book)
    b.put_text(sheet, row, 12, item.note(book.language), book, text_wrap=True, font_size=9)
    b.put_text(sheet, row, 13, item.url, book, font_size=9)
    b.put_text(sheet, row, 14, item.key, book, font_color=MUTED_INK, font_size=9)
    lines = max(
        _lines(item.label(book.language), _ASSUMPTION_WIDTHS[0]), _lines(item.source_in(book.language), _ASSUMPTION_WIDTHS[8]),
        _lines(item.note(book.language), _ASSUMPTION_WIDTHS[12]),
    )  # fmt: skip
    sheet.set_row(row, 3 + 12.5 * lines)


def _lines(text: str, width: float) -> int:
    """Lines that a text takes in a column of `width` characters, on the safe side."""
    return max(1, -(-len(text) // max(int(width * 1.05), 1)))


def _mark_assumptions(book: Book, sheet: Worksheet, last: int) -> None:
    """Changed values stand out; review dates that have passed are red."""
    changed = book.file.add_format({"bold": True, "bg_color": "#dbe7b8"})
    late = book.file.add_format({"font_color": LOSS, "bold": True})
    sheet.conditional_format(
        FIRST_ROW, 6, last, 6,
        {"type": "formula", "criteria": f'=LEN($G{FIRST_ROW + 1})>0', "format": changed},
    )  # fmt: skip
    sheet.conditional_format(
        FIRST_ROW, 9, last, 9,
        {"type": "formula", "criteria": f"=$J{FIRST_ROW + 1}<{b.words(book, 'name.date')}", "format": late},
    )  # fmt: skip


def _calibration(book: Book, sheet: Worksheet, parameters: Parameters, assessment: Assessment, row: int) -> int:
    """What the calibration was asked and what it reached; its messages. The last row."""
    found = assessment.calibration
    b.put_text(sheet, row, 0, b.words(book, "say.calibration_title"), book, bold=True, font_size=12)
    for column, head in enumerate(("target", "wanted", "reached")):
        sheet.write_string(row + 1, column, b.words(book, f"head.{head}"), b.header_style(book))
    row += 2
    for key, wanted in found.targets.items():
        known_key = key in parameters
        form = b.form_of(parameters[key].unit if known_key else "", wanted)
        b.put_text(sheet, row, 0, parameters[key].label(book.language) if known_key else key, book)
        b.put(sheet, row, 1, wanted, book, form)
        b.put(sheet, row, 2, found.reached.get(key), book, form)
        row += 1
    for message in found.messages_en if book.language == "en" else found.messages_fr:
        b.put_text(sheet, row, 0, message, book, italic=True)
        row += 1
    return row


# --- Sources --------------------------------------------------------------------------------------------------


def write_sources(
    book: Book, provenance: Sequence[Provenance], link: str, kinds: Mapping[str, str] | None = None
) -> Worksheet:
    """Where each table comes from, the address of the scenario, and the meaning of every column.

    kinds: nature of the columns that a loaded table gives, as over the columns themselves.
    """
    sheet, _ = b.add_sheet(book, "sources", MUTED_INK)
    b.put_title(sheet, book, b.words(book, "say.sources_title"), b.words(book, "say.sources_note"), 5)
    widths = (30, 14, 60, 12, 26, 70)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    if link:
        b.put_link(sheet, 2, 0, link, book)
    for row, item in enumerate(provenance, start=FIRST_ROW):
        note = item.note_en if book.language == "en" else item.note_fr
        kind = b.words(book, f"kind.{item.kind}") if known(f"export.kind.{item.kind}") else item.kind
        table = say(f"table.{item.table}", book.language) if known(f"table.{item.table}") else item.table
        texts = (table, kind, item.source_in(book.language), item.year, item.licence_in(book.language), note)
        for column, text in enumerate(texts):
            b.put_text(sheet, row, column, text, book, text_wrap=True, valign="top")
        # a printed row whose height is not told runs over the next where a cell wraps
        most = max(_lines(text, width) for text, width in zip(texts, widths, strict=True))
        sheet.set_row(row, 3 + 12.5 * most)
    last = FIRST_ROW + max(len(provenance), 1) - 1
    _small_table(book, sheet, "sources", HEADER_ROW, 0, last, ("table", "kind", "source", "year", "licence", "note"))
    end = _dictionary(book, sheet, last + 3, kinds or {})
    sheet.repeat_rows(last + 4)  # the headings of the dictionary, on the pages that it runs over
    sheet.ignore_errors({"number_stored_as_text": f"A1:F{end + 1}"})
    sheet.freeze_panes(FIRST_ROW, 0)
    sheet.print_area(0, 0, end, 5)
    sheet.fit_to_pages(1, 0)
    return sheet


def _small_table(
    book: Book, sheet: Worksheet, key: str, row: int, column: int, last_row: int, heads: tuple[str, ...]
) -> None:
    sheet.add_table(
        row, column, last_row, column + len(heads) - 1,
        {
            "name": b.words(book, f"table.{key}"), "style": "Table Style Light 1", "autofilter": False,
            "columns": [
                {"header": b.words(book, f"head.{h}"), "header_format": b.header_style(book)} for h in heads
            ],
        },
    )  # fmt: skip


def _dictionary(book: Book, sheet: Worksheet, row: int, kinds: Mapping[str, str]) -> int:
    """Sheet, heading, unit and nature of every column, with its technical name (that of GIS and CSV files)."""
    b.put_text(sheet, row, 0, b.words(book, "say.columns_title"), book, bold=True, font_size=12)
    first = row + 1
    entries = [("sites", "site", c) for c in SITE_SHEET_COLUMNS] + [("zones", "zone", c) for c in ZONE_SHEET_COLUMNS]
    for at, (sheet_key, family, column) in enumerate(entries, start=first + 1):
        texts = (
            b.words(book, f"sheet.{sheet_key}"), b.words(book, f"kind.{kinds.get(column.key, column.kind)}"), column_title(book, column, family),
            unit_of(book, column), column.name,
        )  # fmt: skip
        for number, text in enumerate(texts):
            b.put_text(sheet, at, number, text, book)
    last = first + len(entries)
    _small_table(book, sheet, "columns", first, 0, last, ("sheet", "kind", "column", "unit", "technical"))
    return last
