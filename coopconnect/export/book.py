"""What every sheet of the workbook shares: formats, safe text, cells with their cached value, page set-up."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from coopconnect.show.colours import GAIN, HEADER, INK, LOSS, MUTED_INK, PALE, PAPER
from coopconnect.show.words import number, say

FRENCH = "[$-40C]"
"""Tells Excel and LibreOffice to write a number the French way, whatever the language of the machine."""

PATTERNS = {
    "whole": "#,##0", "one": "#,##0.0", "two": "#,##0.00", "three": "#,##0.000", "share": "0.0%", "rank": "0;-0;–", "percent": "0%",
    "degrees": "0.0000", "change": "+#,##0;-#,##0;0", "change_one": "+#,##0.0;-#,##0.0;0.0",
    "change_two": "+#,##0.00;-#,##0.00;0.00", "general": "General", "change_general": "+General;-General;General",
    "change_share": "+0.0%;-0.0%;0.0%", "share_fine": "0.00%", "change_share_fine": "+0.00%;-0.00%;0.00%",
}  # fmt: skip

MAX_TEXT = 32_000
"""Excel keeps 32,767 characters in a cell; longer text is cut, not refused."""

_SAME, _THOUSAND = 1e-9, 1000.0

LONGEST_HEADER = 90
LONGEST_LINK = 2_000
"""Excel's limits: 255 characters for a header with its codes, 2,079 for a link."""

_LOOKS_LIKE_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

LOSS_FILL = "#fbe9e2"
INPUT_FILL = "#fff4c2"
A4 = 9


class OldFunctionsSheet(Worksheet):
    """A worksheet whose formulas use functions of Excel 2007 only.

    XlsxWriter looks for some eighty newer functions in each formula, to prefix them: two thirds of the time of a
    workbook of 27,000 formulas. Here there is none to prefix. If the method below disappears from XlsxWriter, the
    workbook is the same and slower.
    """

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
        """The formula without its braces and its equal sign."""
        return formula.removeprefix("{").removeprefix("=").removesuffix("}")


@dataclass(frozen=True, eq=False)
class Book:
    """An open workbook, the language and the date it is written for, and the formats made so far."""

    file: xlsxwriter.Workbook
    language: str
    on: date
    version: str
    territory: str
    formats: dict[tuple[tuple[str, Any], ...], Format] = field(default_factory=dict)


def words(book: Book, key: str, /, **values: object) -> str:
    """Text `export.<key>` in the language of the book."""
    return say(f"export.{key}", book.language, **values)


def ends_words(book: Book, drawn: int) -> str:
    """What lows and highs are: 5 and 95 % of so many draws, or assumptions moved one at a time (0)."""
    return words(book, "say.ends_drawn" if drawn else "say.ends", draws=number(float(drawn), book.language))


def style(book: Book, **properties: Any) -> Format:
    """The format with these properties, made once."""
    key = tuple(sorted(properties.items()))
    if key not in book.formats:
        base = {"font_name": "Calibri", "font_size": 10, "font_color": INK, "valign": "vcenter"}
        book.formats[key] = book.file.add_format({**base, **properties})
    return book.formats[key]


def pattern(book: Book, form: str) -> str:
    """Number format of `PATTERNS[form]`, with French separators when the book is French."""
    parts = PATTERNS[form].split(";")
    return ";".join(parts if book.language == "en" else [FRENCH + part for part in parts])


def form_of(unit: str, *values: float) -> str:
    """Key of `PATTERNS` for values of a parameter: shares as per cent, thousands apart, else with the decimals they have."""
    if unit == "share":
        return "share" if all(abs(round(value, 3) - value) < _SAME for value in values) else "share_fine"
    thousands = max(abs(value) for value in values) >= _THOUSAND
    return "whole" if thousands and all(float(value).is_integer() for value in values) else "general"


def number_style(book: Book, form: str, **properties: Any) -> Format:
    """Format of a number: `form` is a key of `PATTERNS`; French separators when the book is French."""
    return style(book, num_format=pattern(book, form), **properties)


def date_style(book: Book, **properties: Any) -> Format:
    """Format of a date: day first in French."""
    return style(book, num_format="yyyy-mm-dd" if book.language == "en" else "dd/mm/yyyy", align="left", **properties)


def header_style(book: Book) -> Format:
    """Dark band of column headings."""
    return style(
        book, bold=True, font_color=PAPER, bg_color=HEADER, text_wrap=True, align="center", border=1,
        border_color=PAPER,
    )  # fmt: skip


def input_style(book: Book, form: str) -> Format:
    """A cell that the reader may change."""
    return number_style(book, form, bg_color=INPUT_FILL, border=1, border_color=MUTED_INK, bold=True)


def put_text(sheet: Worksheet, row: int, column: int, text: object, book: Book, **properties: Any) -> None:
    """Text, never a formula nor a link. What looks like a formula also keeps its quote when it is edited."""
    shown = str(text)[:MAX_TEXT]
    if shown.startswith(_LOOKS_LIKE_FORMULA):
        properties["quote_prefix"] = True
    sheet.write_string(row, column, shown, style(book, **properties))


def put_link(sheet: Worksheet, row: int, column: int, link: str, book: Book) -> None:
    """The address of the scenario, to click where it is a web address, else as text."""
    text = words(book, "say.link", link=link)
    if link.startswith(("http://", "https://")) and len(link) <= LONGEST_LINK:
        sheet.write_url(row, column, link, style(book, font_color=GAIN, underline=1), text[:LONGEST_LINK])
    else:
        put_text(sheet, row, column, text, book, font_color=GAIN)


def plain_number(value: object) -> float | None:
    """A finite float, or None for what a cell should leave empty."""
    if value is None:
        return None
    number = float(value)  # type: ignore[arg-type]
    return number if math.isfinite(number) else None


def put_column(
    sheet: Worksheet, row: int, column: int, values: list[Any], book: Book, form: str, **props: Any
) -> None:  # fmt: skip
    """Values downward from a cell. Numbers share one format, made once: most of a workbook is such columns."""
    cell_format = number_style(book, form, **props)
    for at, value in enumerate(values, start=row):
        if isinstance(value, (str, bool)):
            put(sheet, at, column, value, book, form, **props)
        elif (number := plain_number(value)) is None:
            sheet.write_blank(at, column, None, cell_format)
        else:
            sheet.write_number(at, column, number, cell_format)


def put_formulas(
    sheet: Worksheet, row: int, column: int, formula: Callable[[int], str], cached: list[Any], book: Book, form: str,
    **props: Any,
) -> None:  # fmt: skip
    """A live column: `formula(row)` for each row, with the value that it has now."""
    text, number = style(book, **props), number_style(book, form, **props)
    for at, value in enumerate(cached, start=row):
        if isinstance(value, str):
            sheet.write_formula(at, column, formula(at), text, value)
        else:
            known = plain_number(value)
            sheet.write_formula(at, column, formula(at), number, "" if known is None else known)


def put(
    sheet: Worksheet, row: int, column: int, value: object, book: Book, form: str = "general", **props: Any
) -> None:
    """A value by its type: flag as yes or no, text, date, number; what is missing stays empty."""
    if isinstance(value, str):
        put_text(sheet, row, column, value, book, **props)
    elif isinstance(value, bool) or type(value).__name__ == "bool":
        put_text(sheet, row, column, words(book, "yes" if value else "no"), book, **{"align": "center", **props})
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)
        sheet.write_datetime(row, column, moment, date_style(book, **props))
    else:
        number = plain_number(value)
        cell_format = number_style(book, form, **props)
        if number is None:
            sheet.write_blank(row, column, None, cell_format)
        else:
            sheet.write_number(row, column, number, cell_format)


def put_formula(
    sheet: Worksheet, row: int, column: int, formula: str, cached: object, book: Book, form: str = "general",
    **props: Any,
) -> None:  # fmt: skip
    """A live formula with the value that it has now, for readers that do not compute."""
    if isinstance(cached, str):
        cell_format, value = style(book, **props), cached[:MAX_TEXT]
    else:
        number = plain_number(cached)
        cell_format, value = number_style(book, form, **props), "" if number is None else number  # type: ignore[assignment]
    sheet.write_formula(row, column, formula, cell_format, value)


def reference(sheet_name: str, row: int, column: int, last_row: int | None = None) -> str:
    """Absolute reference to a cell, or to a column of cells, of a sheet."""
    start = xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True)
    if last_row is None:
        return f"'{sheet_name}'!{start}"
    return f"'{sheet_name}'!{start}:{xl_rowcol_to_cell(last_row, column, row_abs=True, col_abs=True)}"


def local(row: int, column: int) -> str:
    """Reference to a cell of the same row: the column is fixed, the row is not."""
    return xl_rowcol_to_cell(row, column, col_abs=True)


def add_sheet(book: Book, key: str, colour: str = HEADER) -> tuple[Worksheet, str]:
    """A sheet named in the language of the book, with page set-up, header and footer."""
    name = words(book, f"sheet.{key}")
    sheet = book.file.add_worksheet(name, OldFunctionsSheet)
    sheet.set_tab_color(colour)
    sheet.hide_gridlines(2)
    sheet.set_paper(A4)
    sheet.set_landscape()
    sheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.6)
    territory = book.territory[:LONGEST_HEADER].replace("&", "&&")
    stamp = words(book, "say.stamp", version=book.version, date=day(book)).replace("&", "&&")
    sheet.set_header(f"&L&9Coop-connect · {territory}&R&9&A")
    sheet.set_footer(f"&L&8{stamp}&C&8{words(book, 'kind.modelled')}&R&8{words(book, 'say.page')} &P / &N")
    return sheet, name


def day(book: Book) -> str:
    """The date of the book as it is read."""
    return book.on.isoformat() if book.language == "en" else book.on.strftime("%d/%m/%Y")


def put_title(
    sheet: Worksheet, book: Book, title: str, note: str, last_column: int, repeated_columns: int = 0
) -> None:  # fmt: skip
    """Title and note at the top of a sheet; the note is merged over the columns that are printed.

    repeated_columns: columns printed again on each band of pages. The title is then kept within them, whole on every
    band, and the note stands right of them.
    """
    looks: dict[str, Any] = {"bold": True, "font_size": 16, "font_color": HEADER}
    if repeated_columns:
        looks |= {"font_size": 13, "text_wrap": True, "valign": "top"}
        sheet.merge_range(0, 0, 1, repeated_columns - 1, "", style(book, **looks))
    put_text(sheet, 0, 0, title, book, **looks)
    sheet.set_row(0, 24)
    sheet.merge_range(
        1, repeated_columns, 1, last_column, "", style(book, text_wrap=True, valign="top", font_color=MUTED_INK)
    )
    put_text(sheet, 1, repeated_columns, note, book, text_wrap=True, valign="top", font_color=MUTED_INK)
    sheet.set_row(1, 30)


def flag_negative(
    sheet: Worksheet, book: Book, first_row: int, first_column: int, last_row: int, last_column: int
) -> None:
    """Red on pale for what is below zero: a hub that adds travel, cost or CO2."""
    red = book.file.add_format({"font_color": LOSS, "bg_color": LOSS_FILL})
    sheet.conditional_format(
        first_row, first_column, last_row, last_column,
        {"type": "cell", "criteria": "<", "value": 0, "format": red},
    )  # fmt: skip


def kind_band(sheet: Worksheet, book: Book, row: int, column: int, kind: str) -> None:
    """The label 'official', 'modelled' ... above a column."""
    put_text(
        sheet, row, column, words(book, f"kind.{kind}"), book, italic=True, font_size=8, align="center",
        font_color=MUTED_INK, bg_color=PALE,
    )  # fmt: skip


def unit_band(sheet: Worksheet, book: Book, row: int, column: int, unit: str) -> None:
    """The unit above a column."""
    put_text(
        sheet, row, column, unit, book, font_size=8, align="center", font_color=MUTED_INK, bg_color=PALE
    )  # fmt: skip
