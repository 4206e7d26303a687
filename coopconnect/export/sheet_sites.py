"""The sheet Sites: every commune as the place of a hub, with live score, rank, viability and differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from coopconnect.export import book as b
from coopconnect.export.book import Book
from coopconnect.export.columns import (
    COMPARED,
    HELPERS,
    NEGATIVE_FLAGGED,
    PRINTED_SITE_COLUMNS,
    SITE_SHEET_COLUMNS,
    Column,
)
from coopconnect.model.types import Assessment
from coopconnect.scenario import COMPONENTS
from coopconnect.show.colours import GAIN
from coopconnect.show.words import number

KIND_ROW, UNIT_ROW, HEADER_ROW, FIRST_ROW = 2, 3, 4, 5
FROZEN_COLUMNS = 3
CENTRED = ("zone_code", "departement", "best_site_code")
MOST_SITES = 6_000
"""Rows of the sheet Sites. Every region fits; all of France would be 4 million cells, which no office opens gladly."""

TIE_STEP = 1e-9
"""Score taken off for each row down, so that equal scores keep the order of the rows."""


@dataclass(frozen=True, eq=False)
class SitesSheet:
    """Where things are in the sheet Sites, for the formulas of other sheets. `table` is in the order of the rows.

    of: sites of the territory; more than the rows where only the best `MOST_SITES` are written. drawn: as in the
    assessment. cooled: the hubs of the scenario are cooled, so that hot days count for them.
    """

    name: str
    table: pd.DataFrame
    columns: dict[str, int]
    of: int
    drawn: int = 0
    cooled: bool = True

    @property
    def complete(self) -> bool:
        """True where every site of the territory has its row."""
        return len(self.table) == self.of

    @property
    def last_row(self) -> int:
        """Last row of data, from 0; the first where there is none."""
        return FIRST_ROW + max(len(self.table), 1) - 1

    def range(self, column: str) -> str:
        """Absolute reference to all rows of a column."""
        return b.reference(self.name, FIRST_ROW, self.columns[column], self.last_row)


def ordered_sites(assessment: Assessment, reference: Assessment, rural_only: bool) -> pd.DataFrame:
    """The rows of the sheet: best first, refused last, with the reference, the totals' pool and the helpers."""
    sites = assessment.sites
    rank = sites["rank"].to_numpy(int)
    order = np.lexsort((np.arange(len(sites)), np.where(rank > 0, rank, np.iinfo(np.int64).max)))
    table = sites.iloc[order].reset_index(drop=True)
    usual = reference.sites.set_index("zone_code").reindex(table["zone_code"])
    extra: dict[str, np.ndarray] = {}
    for key in COMPARED:
        extra[f"{key}_reference"] = usual[key].to_numpy(float)
        extra[f"{key}_change"] = table[key].to_numpy(float) - extra[f"{key}_reference"]
    available, rural = table["available"].to_numpy(bool), table["rural"].to_numpy(bool)
    extra["counted"] = available & rural if (available & rural).any() else available
    rows = np.arange(FIRST_ROW + 1, FIRST_ROW + 1 + len(table))
    extra["sort_key"] = np.where(available, table["score"].to_numpy(float) - TIE_STEP * rows, np.nan)
    shown = available & (rural | (not rural_only))
    extra["shown_rank"] = np.where(shown, np.cumsum(shown), 0)
    return pd.concat([table, pd.DataFrame(extra)], axis=1)


def sites_layout(book: Book, assessment: Assessment, reference: Assessment, rural_only: bool) -> SitesSheet:
    """The rows and the place of each column, before anything is written."""
    table = ordered_sites(assessment, reference, rural_only).head(MOST_SITES)
    columns = {c.name: n for n, c in enumerate(SITE_SHEET_COLUMNS)}
    return SitesSheet(
        b.words(book, "sheet.sites"),
        table,
        columns,
        len(assessment.sites),
        assessment.drawn,
        assessment.scenario.hub_cooled,
    )


def column_title(book: Book, column: Column, family: str = "site") -> str:
    """Heading of a column: unique in its table."""
    name = b.words(book, f"{family}.{column.key}")
    ends = {"_low": "low", "_high": "high", "_reference": "reference_of", "_change": "change_of"}
    return b.words(book, ends[column.end], name=name) if column.end else name


def unit_of(book: Book, column: Column) -> str:
    """Unit of a column in the language of the book; empty for names and flags."""
    return b.words(book, f"unit.{column.unit}") if column.unit else ""


RowFormula = Callable[[int], str]


def row_formulas(book: Book, layout: SitesSheet) -> dict[str, RowFormula]:
    """The live columns, by name: a formula for each row (from 0)."""
    yes, names = b.words(book, "yes"), _names(book)

    def at(key: str) -> Callable[[int], str]:
        return lambda row: b.local(row, layout.columns[key])

    def points(key: str, anchor: str) -> RowFormula:
        return lambda r: f"=MAX(0,MIN(100,100*1000*{at(key)(r)}/{at('yearly_cost_eur')(r)}/{names[anchor]}))"

    def per(total: str, count: str) -> RowFormula:
        return lambda r: f"=IF({at(count)(r)}>0,{at(total)(r)}/{at(count)(r)},0)"

    def score(r: int) -> str:
        parts = "+".join(f"{at(f'component_{c}')(r)}*{names[f'weight_{c}']}" for c in COMPONENTS)
        return f"=({parts})/{names['weight_total']}"

    def share_of(key: str, anchor: str) -> RowFormula:
        return lambda r: f"MAX(0,MIN(100,100*{at(key)(r)}/{names[anchor]}))"

    vulnerable, hot = share_of("vulnerable_share", "anchor_vulnerable_share"), share_of("hot_days", "anchor_hot_days")
    roads = share_of("road_disruption_days", "anchor_road_days")

    def helper_range(key: str) -> str:
        return layout.range(key).split("!")[1]

    found: dict[str, RowFormula] = {
        "score": score,
        "component_viability": lambda r: f"=MAX(0,MIN(100,100*{at('viability')(r)}))*MAX(0,MIN(1,"
        f"{at('users')(r)}/{names['core_users_gate']}))",
        "enough_users": lambda r: f'=IF({at("users")(r)}>={names["core_users_gate"]},"{yes}","{b.words(book, "no")}")',
        "component_time": points("hours_per_year", "anchor_hours_per_1000_eur"),
        "component_money": points("eur_per_year", "anchor_eur_per_1000_eur"),
        "component_co2": points("kg_co2e_per_year", "anchor_co2_kg_per_1000_eur"),
        "component_resilience": lambda r: f"=({vulnerable(r)}+{hot(r) if layout.cooled else '0'}+{roads(r)})/3",
        "rank": lambda r: f'=IF({at("available")(r)}="{yes}",RANK({at("sort_key")(r)},{helper_range("sort_key")}),0)',
        "sort_key": lambda r: f'=IF({at("available")(r)}="{yes}",{at("score")(r)}-{TIE_STEP:.9f}*ROW(),"")',
        "shown_rank": lambda r: _shown_rank(layout, at, r, yes, names["rural_only"]),
        "viability": lambda r: f"=({at('revenue_eur_per_year')(r)}+{at('contribution_eur_per_year')(r)})"
        f"/{at('yearly_cost_eur')(r)}",
        "contribution_eur_per_year": lambda r: f"={names['council_contribution_eur_per_year']}",
        "break_even_users": lambda r: f"={names['break_even']}",
        "benefit_cost": lambda r: f"=({at('eur_per_year')(r)}+{at('hours_per_year')(r)}*"
        f"{names['value_of_time_eur_per_h']}+{at('kg_co2e_per_year')(r)}/1000*{names['carbon_value_eur_per_t']})"
        f"/{at('yearly_cost_eur')(r)}",
        "net_public_cost_per_day_eur": lambda r: f"=IF({at('hub_days_per_year')(r)}>0,({at('yearly_cost_eur')(r)}-"
        f"{at('revenue_eur_per_year')(r)})/{at('hub_days_per_year')(r)},0)",
        "red_flag": lambda r: f'=IF(MIN({at("hours_per_year")(r)},{at("eur_per_year")(r)},'
        f'{at("kg_co2e_per_year")(r)})<0,"{yes}","{b.words(book, "no")}")',
        "users_share": per("users", "workers_within_reach"),
        "hours_per_participating_household": per("hours_per_year", "users"),
        "eur_per_participating_household": per("eur_per_year", "users"),
        "eur_after_price_per_participating_household": lambda r: f"={at('eur_per_participating_household')(r)}-"
        f"{at('price_paid_per_participating_household_eur')(r)}",
        "kg_co2e_per_participating_household": per("kg_co2e_per_year", "users"),
        "hours_per_catchment_household": per("hours_per_year", "households_within_reach"),
    }  # fmt: skip
    for key in COMPARED:
        found[f"{key}_change"] = lambda r, key=key: f"={at(key)(r)}-{at(f'{key}_reference')(r)}"  # type: ignore[misc]
    return found


def _shown_rank(layout: SitesSheet, at: Callable[[str], RowFormula], row: int, yes: str, rural_only: str) -> str:
    """1 plus the shown sites with a better key; 0 for a site that the summary leaves out.

    Rank among all sites, less the sites above it that are not rural when only rural communes are wanted.
    """
    ranks, rural = layout.range("rank").split("!")[1], layout.range("rural").split("!")[1]
    mine = at("rank")(row)
    above = f'COUNTIFS({ranks},">0",{ranks},"<"&{mine},{rural},"{yes}")+1'
    return f'=IF({mine}=0,0,IF({rural_only}="{yes}",IF({at("rural")(row)}="{yes}",{above},0),{mine}))'


def _names(book: Book) -> Mapping[str, str]:
    """Defined names used by the formulas, by parameter."""
    keys = (
        *(f"weight_{c}" for c in COMPONENTS), "weight_total", "anchor_hours_per_1000_eur", "anchor_eur_per_1000_eur",
        "anchor_co2_kg_per_1000_eur", "anchor_vulnerable_share", "anchor_hot_days", "anchor_road_days", "council_contribution_eur_per_year", "carbon_value_eur_per_t",
        "value_of_time_eur_per_h", "core_users_gate", "rural_only", "break_even",
    )  # fmt: skip
    return {key: b.words(book, f"name.{key}") for key in keys}


def write_sites(book: Book, layout: SitesSheet, kinds: Mapping[str, str]) -> Worksheet:
    """Write the sheet Sites: bands of nature and unit, an Excel table with live columns, filters, frozen panes."""
    sheet, _ = b.add_sheet(book, "sites", GAIN)
    printed = len(PRINTED_SITE_COLUMNS) - 1
    note = b.words(book, "say.sites_note", ends=b.ends_words(book, layout.drawn))
    if not layout.complete:
        kept, every = (number(n, book.language) for n in (len(layout.table), layout.of))
        note = f"{b.words(book, 'say.sites_cut', kept=kept, all=every)} {note}"
    b.put_title(sheet, book, b.words(book, "say.sites_title"), note, 13, FROZEN_COLUMNS)
    write_header(book, sheet, SITE_SHEET_COLUMNS, kinds)
    formulas = row_formulas(book, layout)
    for place, column in enumerate(SITE_SHEET_COLUMNS):
        _write_column(book, sheet, layout, place, column, formulas.get(column.name))
    add_table(book, sheet, "sites", SITE_SHEET_COLUMNS, "site", len(layout.table))
    _dress(book, sheet, layout)
    sheet.ignore_errors({"number_stored_as_text": f"A1:D{layout.last_row + 1}"})
    sheet.freeze_panes(FIRST_ROW, FROZEN_COLUMNS)
    sheet.print_area(0, 0, layout.last_row, printed)
    sheet.repeat_rows(KIND_ROW, HEADER_ROW)
    sheet.repeat_columns(0, FROZEN_COLUMNS - 1)
    sheet.fit_to_pages(2, 0)
    return sheet


def _write_column(
    book: Book, sheet: Worksheet, layout: SitesSheet, number: int, column: Column, formula: RowFormula | None
) -> None:
    values = layout.table[column.name].tolist()
    form = "general" if column.form in ("text", "flag") else column.form
    place = {"align": "center"} if column.form in ("flag", "rank") or column.key in CENTRED else {}
    if formula is None:
        b.put_column(sheet, FIRST_ROW, number, values, book, form, **place)
        return
    if column.form == "flag":
        values = [b.words(book, "yes" if value else "no") for value in values]
    b.put_formulas(sheet, FIRST_ROW, number, formula, values, book, form, **place)


def write_header(book: Book, sheet: Worksheet, columns: tuple[Column, ...], kinds: Mapping[str, str]) -> None:
    """Nature, unit and heading of each column, and its width. Headings are written by the table."""
    for at, column in enumerate(columns):
        kind = kinds.get(column.key, column.kind)
        b.kind_band(sheet, book, KIND_ROW, at, kind)
        b.unit_band(sheet, book, UNIT_ROW, at, unit_of(book, column))
        before = columns[at - 1] if at else column
        options: dict[str, Any] = {"collapsed": True} if _folded(before) and not _folded(column) else {}
        if _folded(column):
            options = {"level": 1, "hidden": True}
        if column in HELPERS:
            options = {"hidden": True}
        sheet.set_column(at, at, column.width, None, options)
    sheet.set_row(HEADER_ROW, 58)


def _folded(column: Column) -> bool:
    """True for the low and high of a column whose range is folded away."""
    return column.folded_range and column.end in ("_low", "_high")


def add_table(book: Book, sheet: Worksheet, key: str, columns: tuple[Column, ...], family: str, rows: int) -> None:
    """Make the written cells an Excel table, with filters."""
    heads = [
        {"header": column_title(book, column, family), "header_format": b.header_style(book)} for column in columns
    ]
    sheet.add_table(
        HEADER_ROW, 0, HEADER_ROW + max(rows, 1), len(columns) - 1,
        {"name": b.words(book, f"table.{key}"), "columns": heads, "style": "Table Style Light 1"},
    )  # fmt: skip


def _dress(book: Book, sheet: Worksheet, layout: SitesSheet) -> None:
    """Bars behind the scores, red for what is negative."""
    last = layout.last_row
    at = layout.columns["score"]
    bars = {
        "type": "data_bar", "bar_solid": True, "bar_color": "#a9cfe3", "min_type": "num", "max_type": "num",
        "min_value": 0, "max_value": 100,
    }  # fmt: skip
    sheet.conditional_format(FIRST_ROW, at, last, at, bars)
    for name, column in layout.columns.items():
        key = next((k for k in NEGATIVE_FLAGGED if name in (k, f"{k}_low", f"{k}_high", f"{k}_reference")), None)
        if key is not None:
            b.flag_negative(sheet, book, FIRST_ROW, column, last, column)
    flag = xl_col_to_name(layout.columns["red_flag"], True)
    warn = book.file.add_format({"font_color": "#c8441b", "bold": True})
    sheet.conditional_format(
        FIRST_ROW, layout.columns["red_flag"], last, layout.columns["red_flag"],
        {"type": "formula", "criteria": f'={flag}{FIRST_ROW + 1}="{b.words(book, "yes")}"', "format": warn},
    )  # fmt: skip
