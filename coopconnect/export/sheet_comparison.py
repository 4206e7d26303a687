"""The sheet Comparaison: the scenario of the workbook beside those put aside, with what each lever does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
from xlsxwriter.worksheet import Worksheet

from coopconnect.export import book as b
from coopconnect.export.book import Book
from coopconnect.export.sheet_sites import HEADER_ROW
from coopconnect.export.sheet_summary import CHANGE_FORMS, TOTAL_FORMS, chart_font
from coopconnect.model.attribution import Central, as_table, attribute, central
from coopconnect.model.compare import compare
from coopconnect.model.types import TOTALS, Assessment
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.show.colours import HEADER, INK, MUTED_INK, SCENARIO_COLOURS
from coopconnect.show.compare_words import differing_keys, value_in
from coopconnect.show.words import known, say, unit_name
from coopconnect.territory.types import Territory
from coopconnect.uncertainty.bands import difference_bands
from coopconnect.uncertainty.run import Ensemble

MOST_EXACT = 4
"""Levers up to which a workbook averages all orders: it must be ready in three seconds."""

BROKEN_DOWN = ("viable_rural_sites", "median_score", "hours_per_participating_household")
CHART_ROWS = 21
"""Rows that the chart takes beside the ranks."""

_FIRST = 1
"""Column of the first scenario."""


@dataclass(frozen=True, eq=False)
class Compared:
    """A scenario put aside: its name, its results, and its futures once drawn."""

    title: str
    assessment: Assessment
    ensemble: Ensemble | None = None


def write_comparison(
    book: Book, assessment: Assessment, compared: Sequence[Compared], parameters: Parameters,
    territory: Territory | None, home: Territory | None, ensemble: Ensemble | None = None,
) -> Worksheet:  # fmt: skip
    """Levers that differ, headline figures with ranges and live changes, ranks, and shares by lever.

    ensemble: futures of the workbook's scenario; with those of a scenario put aside, their differences have ranges.
    """
    sheet, name = b.add_sheet(book, "comparison", "#d98e04")
    every = [Compared(b.words(book, "comparison.this"), assessment, ensemble), *compared]
    last = _FIRST + 3 * len(every) + len(compared) - 1
    b.put_title(sheet, book, b.words(book, "say.comparison_title"), b.words(book, "say.comparison_note"), min(last, 9))
    sheet.set_column(0, 0, 46)
    sheet.set_column(1, last, 12)
    row = _levers(book, sheet, every, parameters, HEADER_ROW - 1)
    heads = row + 2
    row, viable = _totals(book, sheet, every, row + 1)
    row = _differences(book, sheet, every, heads, row + 1)
    _chart(book, sheet, name, every, heads, viable, row + 1)
    same = [one for one in compared if one.assessment.territory_code == assessment.territory_code]
    for other in compared:
        if other not in same:
            text = b.words(book, "say.other_territory", name=other.assessment.territory_name)
            b.put_text(sheet, row, 0, f"{other.title} : {text}", book, italic=True, font_color=MUTED_INK)
            row += 1
    row = max(_ranks(book, sheet, assessment, same, row + 1), row + CHART_ROWS)
    if territory is not None:
        row = _shares(book, sheet, assessment, same, parameters, territory, home, row + 1)
    sheet.freeze_panes(HEADER_ROW - 1, 1)
    sheet.print_area(0, 0, row, max(last, 2 * len(every) + 10))  # the chart's last column
    sheet.fit_to_pages(1, 1)
    return sheet


def _title(book: Book, sheet: Worksheet, row: int, key: str, **values: object) -> int:
    b.put_text(sheet, row, 0, b.words(book, f"say.{key}", **values), book, bold=True, font_size=12, font_color=HEADER)
    return row + 1


def _heads(book: Book, sheet: Worksheet, row: int, first: str, names: Sequence[str], column: int = _FIRST) -> None:
    sheet.write_string(row, 0, first, b.header_style(book))
    for offset, text in enumerate(names):
        b.put_text(
            sheet, row, column + offset, text, book, bold=True, font_color="#ffffff", bg_color=HEADER, text_wrap=True,
            align="center",
        )  # fmt: skip
    sheet.set_row(row, 32)


# --- levers ---------------------------------------------------------------------------------------------------------


def lever_name(book: Book, key: str, parameters: Parameters) -> str:
    """Name of a lever, of an assumption, of what a breakdown gathers."""
    if key in ("weights", "hosts"):
        return b.words(book, f"comparison.{key}")
    if key in parameters:
        item = parameters[key]
        unit = unit_name(item.unit, book.language)
        return item.label(book.language) if item.unit == "share" else f"{item.label(book.language)} ({unit})"
    for known_key in (f"lever.{key}", f"export.say.{key}"):
        if known(known_key):
            return say(known_key, book.language)
    return key


def _value(book: Book, scenario: Scenario, key: str, parameters: Parameters) -> object:
    value = value_in(scenario, key, parameters)
    if isinstance(value, tuple):
        return len(value)
    choice = f"choice.{key}.{value}"
    return b.words(book, choice) if isinstance(value, str) and known(f"export.{choice}") else value


def _levers(book: Book, sheet: Worksheet, every: Sequence[Compared], parameters: Parameters, row: int) -> int:
    row = _title(book, sheet, row, "comparison_levers")
    _heads(book, sheet, row, b.words(book, "comparison.lever"), [one.title for one in every])
    scenarios = [one.assessment.scenario for one in every]
    for key in differing_keys(scenarios):
        row += 1
        b.put_text(sheet, row, 0, lever_name(book, key, parameters), book, text_wrap=True)
        shown = [_value(book, s, key, parameters) for s in scenarios]
        unit = parameters[key].unit if key in parameters else ""
        for offset, value in enumerate(shown):
            form = b.form_of(unit, value) if isinstance(value, float) else "general"
            b.put(sheet, row, _FIRST + offset, value, book, form, align="right", bold=value != shown[0])
    return row + 1


# --- headline figures -----------------------------------------------------------------------------------------------


def _totals(book: Book, sheet: Worksheet, every: Sequence[Compared], row: int) -> tuple[int, int]:
    """Central, low and high of each scenario, then the change of the first from each; the row below, that of `viable`."""
    row = _title(book, sheet, row, "comparison_totals")
    ends = [b.words(book, f"comparison.{end}") for end in ("low", "high")]
    names = [text for one in every for text in (one.title, *(f"{one.title}, {end}" for end in ends))]
    names += [b.words(book, "comparison.change", title=one.title) for one in every[1:]]
    _heads(book, sheet, row, b.words(book, "comparison.scenario"), names)
    sheet.set_row(row, 58)
    viable = row
    for key in TOTALS:
        row += 1
        form = TOTAL_FORMS[key][0]
        b.put_text(sheet, row, 0, _total_label(book, key), book, text_wrap=True)
        viable = row if key == "viable_rural_sites" else viable
        for at, one in enumerate(every):
            found = one.assessment.totals[key]
            for offset, value in enumerate((found.value, found.low, found.high)):
                look = {"bold": True} if not offset else {"font_color": MUTED_INK}
                b.put(sheet, row, _FIRST + 3 * at + offset, value, book, form, **look)
        first = every[0].assessment.totals[key].value
        for at, one in enumerate(every[1:], start=1):
            formula = f"={b.local(row, _FIRST)}-{b.local(row, _FIRST + 3 * at)}"
            value = first - one.assessment.totals[key].value
            b.put_formula(sheet, row, _FIRST + 3 * len(every) + at - 1, formula, value, book, CHANGE_FORMS[form])
    b.flag_negative(sheet, book, viable, _FIRST, row, _FIRST + 3 * len(every) - 1)
    row += 1
    b.put_text(sheet, row, 0, b.words(book, "comparison.ranges"), book, text_wrap=True, font_color=MUTED_INK)
    for at, one in enumerate(every):
        text = b.ends_words(book, one.assessment.drawn)
        place = _FIRST + 3 * at
        sheet.merge_range(row, place, row, place + 2, "", b.style(book, text_wrap=True, valign="top"))
        b.put_text(sheet, row, place, text, book, text_wrap=True, valign="top", font_color=MUTED_INK)
    sheet.set_row(row, 32)
    return row + 1, viable


def _total_label(book: Book, key: str) -> str:
    return f"{b.words(book, f'total.{key}')} ({b.words(book, f'unit.{TOTAL_FORMS[key][1]}')})"


def difference_ends(before: Compared, after: Compared) -> dict[str, tuple[float, float]]:
    """5 and 95 % of what each headline figure gains from one to the other, future by future, as on Comparer.

    Widened to hold the gain of the reference case; {} without the same draws on the same territory.
    """
    elsewhere = before.assessment.territory_code != after.assessment.territory_code
    if before.ensemble is None or after.ensemble is None or elsewhere:
        return {}
    was, now = before.assessment.totals, after.assessment.totals
    found = difference_bands(before.ensemble, after.ensemble)
    gains = {key: now[key].value - was[key].value for key in TOTALS}
    return {key: (min(found[key][0], gains[key]), max(found[key][1], gains[key])) for key in TOTALS if key in found}


def _differences(book: Book, sheet: Worksheet, every: Sequence[Compared], heads: int, row: int) -> int:
    """What changes from each other to the first, with 5 and 95 % counted future by future; the row below.

    Nothing where futures are not all drawn. heads: row of the heads of the headline figures, which hold the changes.
    """
    first, others = every[0], every[1:]
    drawn = [one for one in every if one.ensemble is not None]
    if first.ensemble is None or len(drawn) < 2:
        return row - 1
    ends = [difference_ends(one, first) for one in others]
    row = _title(book, sheet, row, "comparison_differences")
    note = say("compare.ranges_paired" if all(ends) else "compare.ranges_unpaired", book.language)
    b.put_text(sheet, row, 0, note, book, italic=True, font_color=MUTED_INK)
    if not any(ends):
        return row + 1
    row += 1
    names = []
    for one, found in zip(others, ends, strict=True):
        change = b.words(book, "comparison.change", title=one.title)
        names += [change, *(f"{change}, {b.words(book, f'comparison.{e}')}" for e in ("low", "high"))] if found else []
    _heads(book, sheet, row, b.words(book, "comparison.scenario"), names)
    sheet.set_row(row, 58)
    told = next(found for found in ends if found)
    for at, key in enumerate(TOTALS, start=1):
        if key not in told:  # the draws do not hold it, or nothing moves it
            continue
        row += 1
        form = TOTAL_FORMS[key][0]
        b.put_formula(sheet, row, 0, f"={b.local(heads + at, 0)}", _total_label(book, key), book, text_wrap=True)
        column = _FIRST
        for place, (one, found) in enumerate(zip(others, ends, strict=True)):
            if not found:
                continue
            value = first.assessment.totals[key].value - one.assessment.totals[key].value
            source = f"={b.local(heads + at, _FIRST + 3 * len(every) + place)}"
            b.put_formula(sheet, row, column, source, value, book, CHANGE_FORMS[form], bold=True)
            for offset, end in enumerate(found[key], start=1):
                b.put(sheet, row, column + offset, end, book, CHANGE_FORMS[form], font_color=MUTED_INK)
            column += 3
    return row + 2


def _chart(
    book: Book, sheet: Worksheet, name: str, every: Sequence[Compared], heads: int, row: int, at_row: int
) -> None:
    """Communes that break even in each scenario, with the range as error bars; native.

    Lengths of the bars stand in cells out of the print area: LibreOffice draws no others.
    """
    chart = book.file.add_chart({"type": "column"})
    beside = max(_FIRST + 4 * len(every), 2 * len(every) + 12)
    for at, one in enumerate(every):
        found = one.assessment.totals["viable_rural_sites"]
        place, ends = _FIRST + 3 * at, []
        for offset, (one_end, other) in enumerate(((2, 0), (0, 1))):
            column = beside + 2 * at + offset
            formula = f"={b.local(row, place + one_end)}-{b.local(row, place + other)}"
            length = (found.high - found.value, found.value - found.low)[offset]
            b.put_formula(sheet, row, column, formula, length, book, "one", font_color=MUTED_INK)
            ends.append(f"={b.reference(name, row, column)}")
        chart.add_series({
            "name": [name, heads, place], "values": [name, row, place, row, place],
            "categories": [name, row, 0, row, 0], "gap": 80, "overlap": -20, "fill": {"color": SCENARIO_COLOURS[at]},
            "y_error_bars": {
                "type": "custom", "plus_values": ends[0], "minus_values": ends[1],
                "line": {"color": INK, "width": 1.25},
            },
        })  # fmt: skip
    title = b.words(book, "say.comparison_chart")
    chart.set_title({"name": title, "name_font": chart_font(12, bold=True), "overlay": False})
    chart.set_x_axis({"visible": False})
    chart.set_y_axis({
        "min": 0, "max": _above(max(one.assessment.totals["viable_rural_sites"].high for one in every)), "num_font": chart_font(), "num_format": b.pattern(book, "whole"),
        "major_gridlines": {"visible": True, "line": {"color": "#d9dfe4"}},
    })  # fmt: skip
    chart.set_legend({"position": "bottom", "font": chart_font()})
    chart.set_chartarea({"border": {"color": "#d9dfe4"}})
    chart.set_size({"width": 620, "height": 380})
    sheet.insert_chart(at_row, 2 * len(every) + 2, chart, {"object_position": 2, "description": title})


def _above(most: float) -> float:
    """The end of an axis that shows error bars up to `most`: LibreOffice sets its own by the bars, and cuts them."""
    step = 10.0 ** math.floor(math.log10(max(most, 1.0))) / 2.0
    return float(step * math.ceil(max(most, 1.0) / step))


# --- ranks ----------------------------------------------------------------------------------------------------------


def _ranks(book: Book, sheet: Worksheet, assessment: Assessment, same: Sequence[Compared], row: int) -> int:
    if not same:
        return row
    row = _title(book, sheet, row, "comparison_ranks")
    found = [compare(one.assessment, assessment) for one in same]
    wanted: list[str] = []
    for difference in found:
        wanted += [code for code in difference.leaders()["zone_code"] if code not in wanted]
    heads = [b.words(book, "comparison.this")]
    for one in same:
        heads += [one.title, b.words(book, "comparison.places", title=one.title)]
    _heads(book, sheet, row, b.words(book, "head.name"), heads)
    sheet.set_row(row, 58)
    tables = [difference.sites.set_index("zone_code") for difference in found]
    for code in sorted(wanted, key=lambda c: int(tables[0].loc[c, "rank_after"])):
        row += 1
        _rank_row(book, sheet, row, code, tables)
    return row + 1


def _rank_row(book: Book, sheet: Worksheet, row: int, code: str, tables: Sequence[pd.DataFrame]) -> None:
    """A commune of which every host has refused has no place: said so, and no move is counted."""
    mine = tables[0].loc[code]
    refused = b.words(book, "comparison.refused")
    now = int(mine["rank_after"]) if mine["available_after"] else refused
    b.put_text(sheet, row, 0, mine["name"], book)
    b.put(sheet, row, _FIRST, now, book, "rank", bold=True, align="center")
    for at, table in enumerate(tables):
        column = _FIRST + 1 + 2 * at
        was = int(table.loc[code, "rank_before"]) if table.loc[code, "available_before"] else refused
        b.put(sheet, row, column, was, book, "rank", align="center")
        if isinstance(was, int) and isinstance(now, int):
            formula = f"={b.local(row, column)}-{b.local(row, _FIRST)}"
            b.put_formula(sheet, row, column + 1, formula, was - now, book, "change", align="center")


# --- shares by lever ------------------------------------------------------------------------------------------------


def _remembered(territory: Territory, parameters: Parameters, home: Territory | None) -> Callable[[Scenario], Central]:
    seen: dict[Scenario, Central] = {}

    def look(scenario: Scenario) -> Central:
        if scenario not in seen:
            seen[scenario] = central(territory, scenario, parameters, home)
        return seen[scenario]

    return look


def _shares(
    book: Book, sheet: Worksheet, assessment: Assessment, same: Sequence[Compared], parameters: Parameters,
    territory: Territory, home: Territory | None, row: int,
) -> int:  # fmt: skip
    """For each scenario put aside: the share of each lever, which sum to the difference, as a formula says."""
    look = _remembered(territory, parameters, home)
    for one in same:
        before = one.assessment.scenario
        found = {
            key: attribute(before, assessment.scenario, lambda s, key=key: look(s).totals[key], MOST_EXACT)  # type: ignore[misc]
            for key in BROKEN_DOWN
        }
        keys = found[BROKEN_DOWN[0]].keys
        if not keys:
            continue
        row = _title(book, sheet, row, "comparison_shares", before=one.title)
        note = b.words(book, "say.comparison_shares_note", most=MOST_EXACT)
        b.put_text(sheet, row, 0, note, book, italic=True, font_color=MUTED_INK)
        row += 1
        names = [
            f"{b.words(book, f'comparison.{k}')} ({b.words(book, f'unit.{TOTAL_FORMS[k][1]}')})" for k in BROKEN_DOWN
        ]
        _heads(book, sheet, row, b.words(book, "comparison.lever"), names)
        sheet.set_row(row, 58)
        order = as_table(found[BROKEN_DOWN[0]])["key"].tolist()
        first = row + 1
        for key in order:
            row += 1
            b.put_text(sheet, row, 0, lever_name(book, key, parameters), book, text_wrap=True)
            for offset, outcome in enumerate(BROKEN_DOWN):
                share = float(found[outcome].effects[keys.index(key)])
                b.put(sheet, row, _FIRST + offset, share, book, "change_two")
        row += 1
        b.put_text(sheet, row, 0, b.words(book, "comparison.total"), book, bold=True, top=1)
        for offset, outcome in enumerate(BROKEN_DOWN):
            cells = b.reference("", first, _FIRST + offset, row - 1).split("!")[1]
            value = found[outcome].after - found[outcome].before
            b.put_formula(sheet, row, _FIRST + offset, f"=SUM({cells})", value, book, "change_two", bold=True, top=1)
        row += 2
    return row
