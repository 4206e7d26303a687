"""The sheet Synthèse: headline figures, weights that can be changed, levers, one site in detail, the ten best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from xlsxwriter.worksheet import Worksheet

from coopconnect.export import book as b
from coopconnect.export.book import Book
from coopconnect.export.columns import PAID
from coopconnect.export.sheet_sites import SitesSheet
from coopconnect.model.types import RANGED, TOTALS, Assessment
from coopconnect.parameters import Parameters
from coopconnect.scenario import COMPONENTS, NUMERIC_LEVERS, Scenario, parameter_values
from coopconnect.show.colours import COMPONENT_COLOURS, GAIN, HEADER, INK, LOSS, MUTED_INK, PALE
from coopconnect.show.words import say, unit_name

TOP = 10
LABEL, CENTRAL, LOW, HIGH, UNIT, REFERENCE, CHANGE = range(7)
"""Columns of the blocks on the left."""

LAST_COLUMN = 17
CHART_COLUMN = 8

_KM = ("substitution_reference", "rebound_share")
RESTS_ON: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("viable_sites", "viable_rural_sites"),
        ("hub_share_reference", "hub_days_per_user_per_week", "core_users_gate", "opex_{premises}_eur_per_year",
         "capex_{premises}_eur"),
    ),
    **dict.fromkeys(("median_users", "users_share"), ("hub_share_reference", "hub_days_per_user_per_week")),
    **dict.fromkeys(
        ("median_hours_per_year", "hours_per_participating_household"),
        ("substitution_reference", "hub_share_reference", "home_unsuitable_share", "commute_peak_factor"),
    ),
    "eur_per_participating_household": (*_KM, "consumption_l_per_100_km", "non_fuel_cost_eur_per_km"),
    "kg_co2e_per_participating_household": (*_KM, "fleet_emission_kg_per_km", "occupancy_commute"),
    "substitution_share": ("substitution_reference",),
}  # fmt: skip
"""Assumptions named in the note on a headline figure: those that move it most."""

NAMES_SHOWN = 12
"""Refused communes that are named; the sheet Sites has them all."""

LIVE_LEVERS = ("council_contribution_eur_per_year", "carbon_value_eur_per_t")
"""Levers that act in the workbook beside the weights: they change neither who comes nor how far one drives."""

TOTAL_FORMS = {
    "sites": ("whole", "sites"), "viable_sites": ("whole", "sites"), "viable_rural_sites": ("whole", "sites"),
    "median_score": ("one", "points"), "median_users": ("one", "users"), "median_hours_per_year": ("whole", "h_yr"),
    "hours_per_participating_household": ("one", "h_yr"),
    "eur_per_participating_household": ("whole", "eur_yr"), "kg_co2e_per_participating_household": ("whole", "kg_yr"),
    "users_share": ("share_fine", "share"), "substitution_share": ("share", "share"),
    "remote_hours_per_worker": ("one", "h_yr"),
}  # fmt: skip

_SITE_FIGURES = {
    "rank": "rank", "score": "one", "users": "one", "hours_per_year": "whole", "eur_per_year": "whole",
    "kg_co2e_per_year": "whole", "viability": "two", "hours_per_participating_household": "one",
    **dict.fromkeys(PAID, "whole"),
}  # fmt: skip

_SITE_UNITS = {
    "rank": "rank", "score": "points", "users": "users", "hours_per_year": "h_yr", "eur_per_year": "eur_yr",
    "kg_co2e_per_year": "kg_yr", "viability": "ratio", "hours_per_participating_household": "h_yr",
    **dict.fromkeys(PAID, "eur_yr"),
}  # fmt: skip

CHANGE_FORMS = {"whole": "change", "rank": "change", "one": "change_one", "two": "change_two", "share": "change_share",
           "share_fine": "change_share_fine"}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Summary:
    """What the sheet Synthèse shows and where."""

    assessment: Assessment
    reference: Assessment
    parameters: Parameters
    sites: SitesSheet
    zones: Mapping[str, str]
    """Ranges of the sheet Communes, by column."""
    selected_code: str | None
    rural_only: bool
    title: str
    link: str


def write_summary(book: Book, sheet: Worksheet, name: str, summary: Summary) -> None:
    """Fill the sheet, top to bottom; return nothing. Defined names are made where their cells are."""
    sheet.set_column(LABEL, LABEL, 44)
    sheet.set_column(CENTRAL, LAST_COLUMN, 10.5)
    row = _heading(book, sheet, summary)
    row = _totals(book, sheet, summary, row)
    row = _weights(book, sheet, name, summary, row)
    row = _levers(book, sheet, summary, row)
    row = _one_site(book, sheet, name, summary, row)
    top = _top(book, sheet, name, summary, row + 1)
    _charts(book, sheet, name, summary, top)
    sheet.ignore_errors({"number_stored_as_text": f"A1:R{top + TOP}"})
    sheet.freeze_panes(4, 0)
    sheet.print_area(0, 0, top + TOP, LAST_COLUMN)
    sheet.fit_to_pages(1, 1)
    sheet.set_first_sheet()
    sheet.activate()


def _heading(book: Book, sheet: Worksheet, summary: Summary) -> int:
    title = b.words(book, "say.title", territory=book.territory)
    b.put_text(sheet, 0, 0, title, book, bold=True, font_size=18, font_color=HEADER)
    sheet.set_row(0, 27)
    shown = summary.title.strip() or b.words(book, "say.scenario_untitled")
    b.put_text(sheet, 1, 0, shown, book, bold=True, font_size=12)
    stamp = b.words(book, "say.stamp", version=book.version, date=b.day(book))
    b.put_text(sheet, 2, 0, f"{stamp} · {b.words(book, 'say.modelled')}", book, font_color=MUTED_INK)
    b.put_text(sheet, 3, 0, b.words(book, "say.how"), book, font_color=MUTED_INK, italic=True)
    if summary.link:
        b.put_link(sheet, 4, 0, summary.link, book)
    return 6


def _block(book: Book, sheet: Worksheet, row: int, title: str, heads: tuple[str, ...]) -> int:
    """Title of a block and its headings; the row under them."""
    b.put_text(sheet, row, 0, title, book, bold=True, font_size=12, font_color=HEADER)
    for column, head in enumerate(heads):
        text = b.words(book, f"head.{head}") if head else ""
        sheet.write_string(row + 1, column, text, b.header_style(book))
    return row + 2


# --- headline figures -----------------------------------------------------------------------------------------


def _total_formulas(book: Book, summary: Summary) -> dict[str, dict[str, str]]:
    """Live formulas of the totals, by name, each for '', '_low' and '_high'. Arrays are in braces."""
    at, yes = summary.sites.range, b.words(book, "yes")
    pool = f'({at("counted")}="{yes}")'
    users = f'SUMIFS({at("users")},{at("counted")},"{yes}")'

    def viable(end: str, *more: str) -> str:
        extra = "".join(f',{at(key)},"{yes}"' for key in more)
        core = f'{at("users" + end)},">="&{b.words(book, "name.core_users_gate")}'
        return f'=COUNTIFS({at("viability" + end)},">=1",{core},{at("available")},"{yes}"{extra})'

    def per_user(key: str, end: str) -> str:
        return f"=SUMPRODUCT({pool}*{at(key + end)}*{at('users')})/MAX({users},0.000001)"

    zones = summary.zones
    found: dict[str, dict[str, str]] = {
        "sites": {"": f'=COUNTIFS({at("available")},"{yes}")'},
        "users_share": {
            end: f'=SUMIFS({at("users" + end)},{at("counted")},"{yes}")'
            f'/MAX(SUMIFS({at("workers_within_reach")},{at("counted")},"{yes}"),0.000001)'
            for end in ("", "_low", "_high")
        },
        "substitution_share": {
            "": f"=SUMPRODUCT({pool}*{at('substitution_share')}*{at('hub_days_per_year')})"
            f'/MAX(SUMIFS({at("hub_days_per_year")},{at("counted")},"{yes}"),0.000001)'
        },
        "remote_hours_per_worker": {
            "": f"=SUMPRODUCT({zones['remote_hours_per_worker']},{zones['workers']})/MAX(SUM({zones['workers']}),0.000001)"
        },
    }
    for end in ("", "_low", "_high"):
        found.setdefault("viable_sites", {})[end] = viable(end)
        found.setdefault("viable_rural_sites", {})[end] = viable(end, "rural")
        for key in ("score", "users", "hours_per_year"):
            middle = f"{{=IFERROR(MEDIAN(IF({pool},{at(key + end)})),0)}}"
            found.setdefault(f"median_{key}", {})[end] = middle
        for key in ("hours", "eur", "kg_co2e"):
            column = f"{key}_per_participating_household"
            found.setdefault(column, {})[end] = per_user(column, end)
    return found


def _totals(book: Book, sheet: Worksheet, summary: Summary, row: int) -> int:
    heads = ("figure", "central", "low", "high", "unit", "reference", "change")
    row = _block(book, sheet, row, b.words(book, "say.block_totals"), heads)
    first, formulas = row, _total_formulas(book, summary) if summary.sites.complete else {}
    for key in TOTALS:
        form, unit = TOTAL_FORMS[key]
        total, usual = summary.assessment.totals[key], summary.reference.totals[key]
        b.put_text(
            sheet, row, LABEL, b.words(book, f"total.{key}"), book, indent=2 if key == "viable_rural_sites" else 0
        )
        for column, end, value in ((CENTRAL, "", total.value), (LOW, "_low", total.low), (HIGH, "_high", total.high)):
            bold = {"bold": True} if not end else {"font_color": MUTED_INK}
            live = "" if end and summary.assessment.drawn else formulas.get(key, {}).get(end, "")
            _live(sheet, row, column, live, value, book, form, **bold)  # a quantile of totals is no total of quantiles
        _note(book, sheet, summary, row, key)
        b.put_text(sheet, row, UNIT, b.words(book, f"unit.{unit}"), book, font_color=MUTED_INK, indent=1)
        b.put(sheet, row, REFERENCE, usual.value, book, form)
        _difference(sheet, row, total.value - usual.value, book, form)
        row += 1
        if key == "eur_per_participating_household":
            _after_price(book, sheet, summary, row)
            row += 1
    b.flag_negative(sheet, book, first, CENTRAL, row - 1, REFERENCE)
    return row + 1


def _note(book: Book, sheet: Worksheet, summary: Summary, row: int, key: str) -> None:
    """A note on a headline figure: the assumptions that move it most, with source and status."""
    keys = RESTS_ON.get(key)
    if keys is None:
        return
    scenario = summary.assessment.scenario
    values = parameter_values(scenario, summary.parameters)
    lines = [b.words(book, "say.note_rests")]
    for pattern in keys:
        item = summary.parameters[pattern.format(premises=scenario.premises)]
        unit, status = unit_name(item.unit, book.language), b.words(book, f"status.{item.status}")
        source = item.source_in(book.language)
        lines.append(f"• {item.label(book.language)} : {values[item.key]:g} {unit} — {source} ({status})")
    lines.append(b.words(book, "say.note_formula"))
    sheet.write_comment(
        row, CENTRAL, "\n".join(lines),
        {"author": "Coop-connect", "x_scale": 3.4, "y_scale": 1.6 + 0.28 * len(lines), "font_size": 9, "color": PALE},
    )  # fmt: skip


def _after_price(book: Book, sheet: Worksheet, summary: Summary, row: int) -> None:
    """Under the EUR kept per user: what is left once the hub is paid (its price is the same at every site)."""
    price = "price_paid_per_participating_household_eur"
    total = summary.assessment.totals["eur_per_participating_household"]
    usual = summary.reference.totals["eur_per_participating_household"].value
    paid, was_paid = (
        float(a.sites[price].max()) if len(a.sites) else 0.0 for a in (summary.assessment, summary.reference)
    )
    b.put_text(sheet, row, LABEL, b.words(book, "total.eur_after_price"), book, indent=2)
    for column, value in ((CENTRAL, total.value), (LOW, total.low), (HIGH, total.high)):
        formula = f"={b.local(row - 1, column)}-MAX({summary.sites.range(price)})"
        look = {"bold": True} if column == CENTRAL else {"font_color": MUTED_INK}
        b.put_formula(sheet, row, column, formula, value - paid, book, "whole", **look)
    b.put_text(sheet, row, UNIT, b.words(book, "unit.eur_yr"), book, font_color=MUTED_INK, indent=1)
    b.put(sheet, row, REFERENCE, usual - was_paid, book, "whole")
    _difference(sheet, row, (total.value - paid) - (usual - was_paid), book, "whole")


def _live(
    sheet: Worksheet, row: int, column: int, formula: str, cached: float, book: Book, form: str, **props: Any
) -> None:
    """A formula where there is one (an array formula in braces), else the value."""
    if not formula:
        b.put(sheet, row, column, cached, book, form, **props)
    elif formula.startswith("{"):
        number = b.plain_number(cached)
        cell_format = b.number_style(book, form, **props)
        sheet.write_array_formula(row, column, row, column, formula, cell_format, 0 if number is None else number)
    else:
        b.put_formula(sheet, row, column, formula, cached, book, form, **props)


def _difference(sheet: Worksheet, row: int, cached: float, book: Book, form: str) -> None:
    formula = f"={b.local(row, CENTRAL)}-{b.local(row, REFERENCE)}"
    b.put_formula(sheet, row, CHANGE, formula, cached, book, CHANGE_FORMS[form])


# --- what can be changed here ---------------------------------------------------------------------------------


def define(book: Book, key: str, sheet_name: str, row: int, column: int) -> None:
    """Give a cell the name `export.name.<key>`."""
    book.file.define_name(b.words(book, f"name.{key}"), f"={b.reference(sheet_name, row, column)}")


def between(book: Book, sheet: Worksheet, row: int, column: int, low: float, high: float, unit: str) -> None:
    """Allow a number between two bounds, and say so."""
    message = b.words(book, "say.tip_bounds", low=f"{low:g}", high=f"{high:g}", unit=unit)
    sheet.data_validation(
        row, column, row, column,
        {
            "validate": "decimal", "criteria": "between", "minimum": low, "maximum": high,
            "input_message": message, "error_title": b.words(book, "say.tip_error_title"), "error_message": message,
        },
    )  # fmt: skip


def _weights(book: Book, sheet: Worksheet, name: str, summary: Summary, row: int) -> int:
    heads = ("component", "weight", "weight_share", "", "unit", "usual", "change")
    row = _block(book, sheet, row, b.words(book, "say.block_weights"), heads)
    scenario, usual = summary.assessment.scenario, summary.reference.scenario
    first, total = row, sum(scenario.weights())
    for component, weight, was in zip(COMPONENTS, scenario.weights(), usual.weights(), strict=True):
        key = f"weight_{component}"
        _colour_chip(book, sheet, row, say(f"chart.component.{component}", book.language), COMPONENT_COLOURS[component])
        sheet.write_number(row, CENTRAL, weight, b.input_style(book, "general"))
        define(book, key, name, row, CENTRAL)
        between(book, sheet, row, CENTRAL, *summary.parameters[key].bounds(), b.words(book, "unit.points"))
        share = f"={b.local(row, CENTRAL)}/{b.words(book, 'name.weight_total')}"
        b.put_formula(sheet, row, LOW, share, weight / total, book, "share")
        b.put_text(sheet, row, UNIT, b.words(book, "unit.points"), book, font_color=MUTED_INK, indent=1)
        b.put(sheet, row, REFERENCE, was, book)
        b.put_formula(
            sheet,
            row,
            CHANGE,
            f"={b.local(row, CENTRAL)}-{b.local(row, REFERENCE)}",
            weight - was,
            book,
            "change_general",
        )
        row += 1
    _weight_total(book, sheet, name, row, first, total)
    row += 1
    for key in LIVE_LEVERS:
        item = summary.parameters[key]
        value, was = float(getattr(scenario, key)), float(getattr(usual, key))
        b.put_text(sheet, row, LABEL, item.label(book.language), book)
        sheet.write_number(row, CENTRAL, value, b.input_style(book, "whole"))
        define(book, key, name, row, CENTRAL)
        unit = unit_name(item.unit, book.language)
        between(book, sheet, row, CENTRAL, *item.bounds(), unit)
        b.put_text(sheet, row, UNIT, unit, book, font_color=MUTED_INK, indent=1)
        b.put(sheet, row, REFERENCE, was, book, "whole")
        _difference(sheet, row, value - was, book, "whole")
        row += 1
    return row + 1


def _colour_chip(book: Book, sheet: Worksheet, row: int, text: str, colour: str) -> None:
    """A label with a band of the component's colour at its left."""
    b.put_text(sheet, row, LABEL, text, book, left=5, left_color=colour, indent=1, bold=True)


def _weight_total(book: Book, sheet: Worksheet, name: str, row: int, first: int, total: float) -> None:
    b.put_text(sheet, row, LABEL, b.words(book, "say.weight_total"), book, italic=True, top=1)
    cells = b.reference(name, first, CENTRAL, row - 1).split("!")[1]
    b.put_formula(sheet, row, CENTRAL, f"=SUM({cells})", total, book, bold=True, top=1)
    define(book, "weight_total", name, row, CENTRAL)
    good, wrong = b.words(book, "say.weights_ok"), b.words(book, "say.weights_wrong")
    check = f'=IF(ABS({b.local(row, CENTRAL)}-100)<0.001,"{good}","{wrong}")'
    b.put_formula(sheet, row, LOW, check, good if abs(total - 100) < 0.001 else wrong, book, italic=True, indent=1)


# --- levers ---------------------------------------------------------------------------------------------------


def _levers(book: Book, sheet: Worksheet, summary: Summary, row: int) -> int:
    heads = ("lever", "value", "", "", "unit", "reference", "change")
    row = _block(book, sheet, row, b.words(book, "say.block_levers"), heads)
    scenario, usual = summary.assessment.scenario, summary.reference.scenario
    for key in NUMERIC_LEVERS:
        if key.startswith("weight_") or key in LIVE_LEVERS:
            continue
        item = summary.parameters[key]
        value, was = float(getattr(scenario, key)), float(getattr(usual, key))
        b.put_text(sheet, row, LABEL, item.label(book.language), book)
        b.put(sheet, row, CENTRAL, value, book, "two" if "€/L" in item.unit else "general", bold=value != was)
        b.put_text(sheet, row, UNIT, unit_name(item.unit, book.language), book, font_color=MUTED_INK, indent=1)
        b.put(sheet, row, REFERENCE, was, book, "two" if "€/L" in item.unit else "general")
        formula = f"={b.local(row, CENTRAL)}-{b.local(row, REFERENCE)}"
        b.put_formula(sheet, row, CHANGE, formula, value - was, book, "change_general")
        row += 1
    for label, mine, theirs in _choices(book, scenario, usual):
        b.put_text(sheet, row, LABEL, label, book)
        b.put_text(sheet, row, CENTRAL, mine, book, bold=mine != theirs, align="right")
        b.put_text(sheet, row, REFERENCE, theirs, book, align="right")
        row += 1
    refused = _names_of(summary.sites.table, scenario.refused)
    b.put_text(sheet, row, LABEL, b.words(book, "say.refused"), book)
    b.put(sheet, row, CENTRAL, len(scenario.refused), book, "whole", bold=scenario.refused != usual.refused)
    b.put(sheet, row, REFERENCE, len(usual.refused), book, "whole")
    _difference(sheet, row, len(scenario.refused) - len(usual.refused), book, "whole")
    row += 1
    if refused:
        b.put_text(sheet, row, LABEL, refused, book, font_color=MUTED_INK, italic=True, indent=2)
        row += 1
    return row + 1


def _choices(book: Book, scenario: Scenario, usual: Scenario) -> list[tuple[str, str, str]]:
    """Levers that are not numbers: label, value, reference."""
    found = []
    for key in ("climate", "premises"):
        mine, theirs = (b.words(book, f"choice.{key}.{getattr(s, key)}") for s in (scenario, usual))
        found.append((b.words(book, f"say.{key}"), mine, theirs))
    mine, theirs = (b.words(book, "yes" if s.hub_cooled else "no") for s in (scenario, usual))
    found.append((b.words(book, "say.hub_cooled"), mine, theirs))
    return found


def _names_of(table: pd.DataFrame, codes: tuple[str, ...]) -> str:
    """Names of some sites in one line, the first ones where they are many."""
    names = dict(zip(table["zone_code"], table["name"], strict=True))
    found = [str(names.get(code, code)) for code in codes[:NAMES_SHOWN]]
    return ", ".join(found) + (" …" if len(codes) > NAMES_SHOWN else "")


# --- one site, and the ten best -------------------------------------------------------------------------------


def _site_row(summary: Summary) -> int:
    """Row (from 0) of the chosen site in the sheet's table: the selected one, else the best that is shown."""
    table = summary.sites.table
    if summary.selected_code is not None:
        found = table.index[table["zone_code"] == summary.selected_code]
        if len(found):
            return int(found[0])
    shown = table.index[table["shown_rank"] == 1]
    return int(shown[0]) if len(shown) else 0


def _one_site(book: Book, sheet: Worksheet, name: str, summary: Summary, row: int) -> int:
    heads = ("figure", "central", "low", "high", "unit", "reference", "change")
    row = _block(book, sheet, row, b.words(book, "say.block_site"), heads)
    table = summary.sites.table
    if table.empty:
        return row
    index = _site_row(summary)
    site, at = table.iloc[index], summary.sites.range
    b.put_text(sheet, row, LABEL, b.words(book, "say.site_code"), book)
    input_format = b.style(book, bg_color=b.INPUT_FILL, border=1, border_color=MUTED_INK, bold=True, num_format="@")
    sheet.write_string(row, CENTRAL, str(site["zone_code"]), input_format)
    codes = f"={at('zone_code')}"
    sheet.data_validation(
        row, CENTRAL, row, CENTRAL,
        {"validate": "list", "source": codes, "input_message": b.words(book, "say.tip_list")},
    )  # fmt: skip
    define(book, "site", name, row, CENTRAL)
    place = f"MATCH({b.words(book, 'name.site')},{at('zone_code')},0)"
    b.put_formula(sheet, row, LOW, f"=INDEX({at('name')},{place})", str(site["name"]), book, bold=True, indent=1)
    row += 1
    first = row
    for key, form in _SITE_FIGURES.items():
        b.put_text(sheet, row, LABEL, b.words(book, f"site.{key}"), book)
        ranged = ((LOW, "_low"), (HIGH, "_high")) if key in (*RANGED, "rank") else ()
        for column, end in ((CENTRAL, ""), *ranged, (REFERENCE, "_reference")):
            cached = site[f"{key}{end}"]
            bold = {"bold": True} if not end else {}
            b.put_formula(sheet, row, column, f"=INDEX({at(key + end)},{place})", cached, book, form, **bold)
        b.put_text(sheet, row, UNIT, b.words(book, f"unit.{_SITE_UNITS[key]}"), book, font_color=MUTED_INK, indent=1)
        if key == "rank":  # no place, hence no move, where every host has refused
            both = f"AND({b.local(row, CENTRAL)}>0,{b.local(row, REFERENCE)}>0)"
            moved = f'=IF({both},{b.local(row, CENTRAL)}-{b.local(row, REFERENCE)},"")'
            known = site["rank"] > 0 and site["rank_reference"] > 0
            b.put_formula(
                sheet, row, CHANGE, moved, float(site["rank_change"]) if known else "", book, CHANGE_FORMS[form]
            )
        else:
            _difference(sheet, row, float(site[f"{key}_change"]), book, form)
        row += 1
    b.flag_negative(sheet, book, first, CENTRAL, row - 1, REFERENCE)
    return row


def _top_columns() -> list[tuple[str, str]]:
    """Columns of the table of the ten best after rank and name: name of the column in Sites, form."""
    return [
        ("departement", "text"), ("score", "one"), ("score_low", "one"), ("score_high", "one"),
        *((f"component_{c}", "one") for c in COMPONENTS), ("users", "one"), ("hours_per_year", "whole"),
        ("hours_per_year_low", "whole"), ("hours_per_year_high", "whole"), ("score_reference", "one"),
        ("score_change", "change_one"),
    ]  # fmt: skip


def _top_heads(book: Book) -> list[str]:
    site = {key: b.words(book, f"site.{key}") for key in ("rank", "departement", "score", "users", "hours_per_year")}
    components = [say(f"chart.component.{c}", book.language) for c in COMPONENTS]

    def low_high(key: str) -> list[str]:
        return [site[key], *(b.words(book, end, name=site[key]) for end in ("low", "high"))]

    usual = b.words(book, "reference_of", name=site["score"])
    change = b.words(book, "change_of", name=site["score"])
    return [
        b.words(book, "head.name"), site["rank"], site["departement"], *low_high("score"), *components, site["users"],
        *low_high("hours_per_year"), usual, change, b.words(book, "head.position"),
    ]  # fmt: skip


def _top(book: Book, sheet: Worksheet, name: str, summary: Summary, row: int) -> int:
    """The ten best among the sites shown; the first row of the table."""
    b.put_text(sheet, row, 0, b.words(book, "say.block_top"), book, bold=True, font_size=12, font_color=HEADER)
    b.put_text(sheet, row, 3, b.words(book, "say.rural_only"), book, align="left")
    value = b.words(book, "yes" if summary.rural_only else "no")
    sheet.write_string(row, 8, value, b.style(book, bg_color=b.INPUT_FILL, border=1, bold=True, align="center"))
    choices = [b.words(book, "yes"), b.words(book, "no")]
    sheet.data_validation(row, 8, row, 8, {"validate": "list", "source": choices})
    define(book, "rural_only", name, row, 8)
    for column, head in enumerate(_top_heads(book)):
        sheet.write_string(row + 1, column, head, b.header_style(book))
    sheet.set_row(row + 1, 44)
    first = row + 2
    best = best_sites(summary)
    for offset in range(TOP):
        site = best.iloc[offset] if offset < len(best) else None
        _top_row(book, sheet, summary, first + offset, offset + 1, site)
    b.flag_negative(sheet, book, first, 12, first + TOP - 1, 14)
    return first


def _top_row(book: Book, sheet: Worksheet, summary: Summary, row: int, rank: int, site: pd.Series | None) -> None:
    """One row: its place in Sites by rank, then everything by that place. Components are points brought to the score."""
    at = summary.sites.range
    place = b.local(row, LAST_COLUMN)
    muted = {"font_color": MUTED_INK}
    position = "" if site is None else float(site.name) + 1  # type: ignore[arg-type]
    b.put_formula(
        sheet, row, LAST_COLUMN, f'=IFERROR(MATCH({rank},{at("shown_rank")},0),"")', position, book, "rank", **muted
    )

    def look(column: int, key: str, form: str, factor: str = "", share: float = 1.0, /, **props: Any) -> None:
        cached = "" if site is None else site[key] * share if factor else site[key]
        formula = f'=IFERROR(INDEX({at(key)},{place}){factor},"")'
        b.put_formula(sheet, row, column, formula, cached, book, form, **props)

    look(0, "name", "general", bold=True)
    look(1, "rank", "rank", align="center")
    scenario = summary.assessment.scenario
    weights = dict(zip(COMPONENTS, scenario.weights(), strict=True))
    total = sum(weights.values())
    for column, (key, form) in enumerate(_top_columns(), start=2):
        component = key.removeprefix("component_") if key.startswith("component_") else ""
        if component:
            names = b.words(book, f"name.weight_{component}"), b.words(book, "name.weight_total")
            look(column, key, form, f"*{names[0]}/{names[1]}", weights[component] / total, bg_color=PALE)
        else:
            centre = {"align": "center"} if form == "text" else {}
            look(column, key, "general" if form == "text" else form, bold=key == "score", **centre)


# --- charts ---------------------------------------------------------------------------------------------------


def chart_font(size: float = 9, **more: Any) -> dict[str, Any]:
    """Type of the charts."""
    return {"name": "Calibri", "size": size, "color": INK, **more}


def _charts(book: Book, sheet: Worksheet, name: str, summary: Summary, first: int) -> None:
    """Two native charts beside the blocks: what makes the ten scores, and hours kept with their range."""
    last = first + TOP - 1
    stack = book.file.add_chart({"type": "bar", "subtype": "stacked"})
    for offset, component in enumerate(COMPONENTS):
        column = 6 + offset
        stack.add_series({
            "name": [name, first - 1, column], "categories": [name, first, 0, last, 0],
            "values": [name, first, column, last, column], "gap": 45,
            "fill": {"color": COMPONENT_COLOURS[component]}, "border": {"color": "#ffffff", "width": 0.5},
        })  # fmt: skip
    _chart_frame(stack, b.words(book, "say.chart_top"))
    stack.set_y_axis({"reverse": True, "num_font": chart_font(), "line": {"color": MUTED_INK}})
    stack.set_x_axis(_value_axis(book, b.words(book, "say.chart_points"), min=0, max=100, label_position="high"))
    stack.set_legend({"position": "top", "font": chart_font()})
    stack.set_size({"width": 775, "height": 430})
    sheet.insert_chart(6, CHART_COLUMN, stack, {"object_position": 2, "description": b.words(book, "say.chart_top")})
    hours = book.file.add_chart({"type": "bar"})
    plus, minus = _error_columns(book, sheet, summary, first)
    hours.add_series({
        "name": b.words(book, "site.hours_per_year"), "categories": [name, first, 0, last, 0],
        "values": [name, first, 12, last, 12], "gap": 60, "overlap": 100, "fill": {"color": GAIN},
        "invert_if_negative": True, "invert_if_negative_color": LOSS,
        "x_error_bars": {
            "type": "custom", "plus_values": b.reference(name, first, plus, last).join(("=", "")),
            "minus_values": b.reference(name, first, minus, last).join(("=", "")),
            "line": {"color": INK, "width": 1.25},
        },
    })  # fmt: skip
    for column in (13, 14):  # unseen bars as long as the range: the axis then leaves room for the error bars
        hours.add_series({
            "name": [name, first - 1, column], "categories": [name, first, 0, last, 0],
            "values": [name, first, column, last, column], "overlap": 100, "gap": 60,
            "fill": {"none": True}, "border": {"none": True},
        })  # fmt: skip
    _chart_frame(hours, b.words(book, "say.chart_hours"))
    hours.set_y_axis({"reverse": True, "num_font": chart_font(), "label_position": "low", "line": {"color": MUTED_INK}})
    hours.set_x_axis(_value_axis(book, b.words(book, "say.chart_hours_y"), label_position="high"))
    hours.set_legend({"none": True})
    hours.set_size({"width": 775, "height": 400})
    sheet.insert_chart(29, CHART_COLUMN, hours, {"object_position": 2, "description": b.words(book, "say.chart_hours")})


def _chart_frame(chart: Any, title: str) -> None:
    chart.set_title({"name": title, "name_font": chart_font(12, bold=True), "overlay": False})
    chart.set_chartarea({"border": {"color": "#d9dfe4"}})


def _value_axis(book: Book, title: str, **more: Any) -> dict[str, Any]:
    return {
        "name": title, "name_font": chart_font(9, bold=False), "num_font": chart_font(), "num_format": b.pattern(book, "whole"),
        "major_gridlines": {"visible": True, "line": {"color": "#d9dfe4"}}, **more,
    }  # fmt: skip


def _error_columns(book: Book, sheet: Worksheet, summary: Summary, first: int) -> tuple[int, int]:
    """Lengths of the error bars right of the page: high less central, central less low."""
    plus, minus = LAST_COLUMN + 2, LAST_COLUMN + 3
    best = best_sites(summary)
    for column, end, above, below in ((plus, "high", 14, 12), (minus, "low", 12, 13)):
        name = b.words(book, "site.hours_per_year")
        head = f"{b.words(book, end, name=name)} − {name}"
        b.put_text(sheet, first - 1, column, head, book, font_color=MUTED_INK, font_size=8, text_wrap=True)
        lengths = (best[f"hours_per_year_{end}"] - best["hours_per_year"]).abs().tolist()
        for offset in range(TOP):
            row = first + offset
            formula = f'=IFERROR({b.local(row, above)}-{b.local(row, below)},"")'
            cached = lengths[offset] if offset < len(lengths) else ""
            b.put_formula(sheet, row, column, formula, cached, book, "whole", font_color=MUTED_INK)
    return plus, minus


def best_sites(summary: Summary) -> pd.DataFrame:
    """The ten best rows of the sheet Sites among those shown, best first."""
    table = summary.sites.table
    return table[table["shown_rank"].between(1, TOP)].sort_values("shown_rank")
