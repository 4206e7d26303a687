"""The sheet Gagnants: winners and losers in hours, euros and kg, by distance and home, beside the sheet Ménages."""

from __future__ import annotations

import math

import pandas as pd
from xlsxwriter.worksheet import Worksheet

from coopconnect.export import book as b
from coopconnect.export.book import Book
from coopconnect.export.sheet_sites import HEADER_ROW
from coopconnect.model.household_groups import MEASURES, GroupEnds, HouseholdGroups
from coopconnect.show.colours import HEADER, MUTED_INK

_KINDS = (("average", ""), ("replaced", "_if_replaced"))
_LABEL, _FIRST = 0, 1

_FORMS = {"hours": "one", "eur": "whole", "eur_after_price": "whole", "kg_co2e": "whole"}


def write_groups(book: Book, groups: HouseholdGroups) -> Worksheet:
    """Both readings of the users, by distance and by home, and the deciles of each measure."""
    sheet, _ = b.add_sheet(book, "groups", "#e5a11c")
    b.put_title(
        sheet,
        book,
        b.words(book, "groups.title"),
        f"{b.words(book, 'groups.note')} {b.ends_words(book, groups.drawn)}",
        8,
    )
    sheet.set_row(1, 72)
    sheet.set_column(_LABEL, _LABEL, 44)
    sheet.set_column(_FIRST, _FIRST + 8, 15)
    row = _totals(book, sheet, groups, HEADER_ROW - 1)
    row = _by_group(book, sheet, groups, row + 2)
    row = _deciles(book, sheet, groups, row + 2)
    sheet.freeze_panes(HEADER_ROW - 1, 1)
    sheet.print_area(0, 0, row, _FIRST + 7)
    sheet.fit_to_pages(1, 1)
    if groups.ends is not None:  # twice as many tables, one below the other
        sheet.set_portrait()
    return sheet


def _heads(book: Book, sheet: Worksheet, row: int, heads: list[str]) -> None:
    for column, text in enumerate(heads, start=_LABEL):
        sheet.write_string(row, column, text, b.header_style(book))
    sheet.set_row(row, 44)


def _totals(book: Book, sheet: Worksheet, groups: HouseholdGroups, row: int) -> int:
    """Mean with its range, who gains and who loses, per household of the catchment; both readings."""
    low, high = (b.words(book, f"comparison.{end}") for end in ("low", "high"))
    for kind, suffix in _KINDS:
        name = b.words(book, f"groups.{kind}")
        heads = [
            b.words(book, "groups.measure"), name, f"{name}, {low}", f"{name}, {high}",
            *(b.words(book, f"groups.{key}") for key in ("up", "down", "up_share", "per_household")),
        ]  # fmt: skip
        _heads(book, sheet, row, heads)
        first = row + 1
        for measure in MEASURES:
            row += 1
            b.put_text(sheet, row, _LABEL, b.words(book, f"groups.{measure}"), book)
            mean = groups.totals[f"{measure}{suffix}_per_user"]
            for column, value in enumerate((mean.value, mean.low, mean.high), start=_FIRST):
                b.put(sheet, row, column, value, book, _FORMS[measure], bold=column == _FIRST)
            up, down = (groups.totals[f"{measure}{suffix}_{end}_users"].value for end in ("up", "down"))
            b.put(sheet, row, _FIRST + 3, up, book, "whole")
            b.put(sheet, row, _FIRST + 4, down, book, "whole")
            pair = b.local(row, _FIRST + 3), b.local(row, _FIRST + 4)
            share = up / (up + down) if up + down else 0.0
            formula = f"=IF({pair[0]}+{pair[1]}>0,{pair[0]}/({pair[0]}+{pair[1]}),0)"
            b.put_formula(sheet, row, _FIRST + 5, formula, share, book, "share")
            b.put(sheet, row, _FIRST + 6, groups.totals[f"{measure}{suffix}_per_household"].value, book, "two")
        b.flag_negative(sheet, book, first, _FIRST, row, _FIRST + 2)
        b.flag_negative(sheet, book, first, _FIRST + 6, row, _FIRST + 6)
        row += 2
    return row - 2


def _by_group(book: Book, sheet: Worksheet, groups: HouseholdGroups, row: int) -> int:
    """The average user by distance band, then by kind of home; means are formulas. Then low and high, once drawn."""
    heads = ["", b.words(book, "groups.users"), *(b.words(book, f"groups.{m}") for m in MEASURES)]
    heads += [b.words(book, "groups.up"), b.words(book, "groups.down")]
    row = _block(book, sheet, row, b.words(book, "groups.reference", what=b.words(book, "groups.bands")), heads)
    first = row + 1
    labels = [_band(book, *pair) for pair in zip(groups.bands["km_from"], groups.bands["km_to"], strict=True)]
    labels += [b.words(book, "groups.rural" if rural else "groups.urban") for rural in groups.density["rural"]]
    shared = [c for c in groups.bands.columns if c in groups.density.columns]
    table = pd.concat([groups.bands[shared], groups.density[shared]], ignore_index=True)
    for label, line in zip(labels, table.to_dict("records"), strict=True):
        row += 1
        b.put_text(sheet, row, _LABEL, label, book)
        users = float(line["users"])
        b.put(sheet, row, _FIRST, users, book, "whole")
        for column, measure in enumerate(MEASURES, start=_FIRST + 1):
            total = float(line[f"{measure}_per_year"])
            formula = f"=IF({b.local(row, _FIRST)}>0,{total!r}/{b.local(row, _FIRST)},0)"
            b.put_formula(sheet, row, column, formula, total / users if users else 0.0, book, _FORMS[measure])
        for column, end in ((_FIRST + 5, "up"), (_FIRST + 6, "down")):
            b.put(sheet, row, column, float(line[f"hours_{end}_users"]), book, "whole")
    b.flag_negative(sheet, book, first, _FIRST + 1, row, _FIRST + 4)
    names = ("users", *(f"{measure}_per_user" for measure in MEASURES), "hours_up_users", "hours_down_users")
    forms = ("whole", *(_FORMS[measure] for measure in MEASURES), "whole", "whole")
    for end, found in _ends(groups):
        row = _block(book, sheet, row + 2, _end_title(book, "groups.bands", end), heads)
        first, told = row + 1, pd.concat([found.bands, found.density], ignore_index=True)
        for label, line in zip(labels, told.to_dict("records"), strict=True):
            row += 1
            b.put_text(sheet, row, _LABEL, label, book)
            for column, (name, form) in enumerate(zip(names, forms, strict=True), start=_FIRST):
                b.put(sheet, row, column, float(line[name]), book, form, font_color=MUTED_INK)
        b.flag_negative(sheet, book, first, _FIRST + 1, row, _FIRST + 4)
    return row


def _ends(groups: HouseholdGroups) -> list[tuple[str, GroupEnds]]:
    """'low' and 'high' of the tables; none where no futures are drawn."""
    return [] if groups.ends is None else list(zip(("low", "high"), groups.ends, strict=True))


def _end_title(book: Book, key: str, end: str) -> str:
    return f"{b.words(book, key)}, {b.words(book, f'comparison.{end}')}"


def _block(book: Book, sheet: Worksheet, row: int, title: str, heads: list[str]) -> int:
    """A title and heads; the row of the heads."""
    b.put_text(sheet, row, _LABEL, title, book, bold=True, font_size=12, font_color=HEADER)
    _heads(book, sheet, row + 1, heads)
    return row + 1


def _band(book: Book, low: float, high: float) -> str:
    if math.isinf(high):
        return b.words(book, "groups.band_last", low=f"{low:g}")
    return b.words(book, "groups.band", low=f"{low:g}", high=f"{high:g}")


def _deciles(book: Book, sheet: Worksheet, groups: HouseholdGroups, row: int) -> int:
    """The reference case, then low and high once drawn."""
    names = [(f"{m}{suffix}", m, kind) for kind, suffix in _KINDS for m in MEASURES]
    heads = [f"{b.words(book, f'groups.{m}')}, {b.words(book, f'groups.{kind}').lower()}" for _, m, kind in names]
    titles = [b.words(book, "groups.reference", what=b.words(book, "groups.deciles"))]
    titles += [_end_title(book, "groups.deciles", end) for end, _ in _ends(groups)]
    tables = [groups.deciles, *(found.deciles for _, found in _ends(groups))]
    for title, table in zip(titles, tables, strict=True):
        row = _block(book, sheet, row, title, [b.words(book, "groups.decile"), *heads])
        sheet.set_row(row, 72)
        look = {} if table is groups.deciles else {"font_color": MUTED_INK}
        first = row + 1
        for level, line in zip(groups.deciles["decile"], table.to_dict("records"), strict=True):
            row += 1
            b.put(sheet, row, _LABEL, float(level) / 100, book, "percent", align="center")
            for column, (key, measure, _) in enumerate(names, start=_FIRST):
                b.put(sheet, row, column, float(line[key]), book, _FORMS[measure], **look)
        b.flag_negative(sheet, book, first, _FIRST, row, _FIRST + 7)
        row += 2
    return row - 2
