"""The sheet Robustesse: how often each site is viable over the futures drawn, its ranks, what drives the doubt."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from coopconnect import MODEL_VERSION
from coopconnect.export import book as b
from coopconnect.export.book import Book
from coopconnect.export.sheet_summary import chart_font
from coopconnect.show.colours import GAIN, HEADER, INK, MUTED_INK
from coopconnect.show.robust_words import candidate_name, failing_sentence, headline, label_of, learn_sentence
from coopconnect.uncertainty.drivers import Driver
from coopconnect.uncertainty.plans import CandidateFutures, Further
from coopconnect.uncertainty.results import Results, results
from coopconnect.uncertainty.run import Ensemble
from coopconnect.uncertainty.site import SiteFutures, site_futures

MOST_ROWS = 2_000
"""Sites listed, best mean rank first: a whole country would make a file that no one opens."""
TOLD = 5
CHARTED = 15
CHART_ROWS = 26
"""Rows kept for the chart beside the drivers."""
DRIVERS = 10
_SPREAD = ("score", "users", "hours_per_year", "eur_per_year", "kg_co2e_per_year", "viability")
_FORMS = {"score": "one", "users": "one", "viability": "two"}
_ENDS = ("p05", "p50", "p95")
_LAST_TEXT = 13
"""Last column that is printed: that of the reference case."""
_WIDTHS = (38, 10, 9, 9, 10, 9, 9, 9, 9, 8, 8, 8, 9, 9)
_NAME, _CODE, _VIABLE, _TOP, _ROBUST = 0, 1, 5, 7, 8
_PLAN_FORMS = ("whole", "whole", "percent", "percent", "whole", "whole", "whole")
_LABEL_CHARACTERS, _LINE_CHARACTERS, _WIDE_CHARACTERS, _LINE_POINTS = 46, 118, 165, 13

NOTHING_FURTHER = Further()

FIELDS = ("p_viable", "p_first", "p_top10", "robust", "rank_p05", "rank_p50", "rank_p95", "tied_in_futures")
"""What maps for GIS hold of the futures, beside the results of the scenario."""


def futures_table(found: Results) -> pd.DataFrame:
    """Available sites, best mean rank first: the columns of the sheet with their technical names."""
    table = found.sites.iloc[found.order].rename(columns={"tied": "tied_in_futures"})
    columns = [
        "name", "zone_code", "departement", "rural", "tie_group", "p_viable", "p_first", "p_top10", "robust",
        *(f"rank_{end}" for end in _ENDS), "rank_reference", "viable_reference",
        *(f"{key}_{end}" for key in _SPREAD for end in _ENDS), "regret_eur_per_year",
        "tied_in_futures",
    ]  # fmt: skip
    return table[columns].reset_index(drop=True)


def futures_fields(found: Results) -> pd.DataFrame:
    """`FIELDS` of every site by its code, for a GIS layer; a site that was refused has no rank and is not robust."""
    table = found.sites.rename(columns={"tied": "tied_in_futures"})
    return table.set_index("zone_code")[list(FIELDS)]


_SCALE = 66
"""Per cent at which the printed columns fill the width of a page."""


def robust_workbook(
    ensemble: Ensemble, language: str, on: date, code: str = "", further: Further = NOTHING_FURTHER
) -> bytes:
    """A workbook of this sheet alone. ValueError where no draw has a solution."""
    if results(ensemble) is None:
        raise ValueError("no draw has a solution: the assumptions of the scenario do not hold together")
    out = io.BytesIO()
    file = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book = Book(file, language, on, MODEL_VERSION, ensemble.setup.territory.name)
    file.set_properties(
        {"title": b.words(book, "robust.title"), "author": "Coop-connect", "created": pd.Timestamp(on).to_pydatetime()}
    )
    write_robust(book, ensemble, code, further)
    file.close()
    return out.getvalue()


def write_robust(
    book: Book, ensemble: Ensemble, code: str = "", further: Further = NOTHING_FURTHER
) -> Worksheet | None:
    """Method, sentences, plans, drivers of the site `code` (the first where it is ''), chart, all sites.

    None, and no sheet, where no draw has a solution.
    """
    found = results(ensemble)
    if found is None:
        return None
    sheet, name = b.add_sheet(book, "robust", "#0b4f8a")
    b.put_title(sheet, book, b.words(book, "robust.title"), b.words(book, "robust.note"), _LAST_TEXT)
    sheet.set_row(1, 44)
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    sheet.set_column(_LAST_TEXT + 1, _LAST_TEXT + 3 * len(_SPREAD) + 1, 12)
    table = futures_table(found).head(MOST_ROWS)
    told = _told_sites(ensemble, found, code)
    about = told[0]
    method = 3
    sentences = method + 10
    plans = sentences + len(told) + 2
    drivers = plans + (len(further.plans) + 3 if further.plans else 0)
    first = drivers + max(DRIVERS + 4, CHART_ROWS)
    limit = b.reference(name, method + 4, 1)
    _method(book, sheet, name, ensemble, found, (first, first + len(table) - 1), method)
    _sentences(book, sheet, told, ensemble, sentences)
    _plans(book, sheet, further.plans, plans)
    total = {d.key: d for d in further.sobol} if further.code == about.code else {}
    _drivers(book, sheet, about, ensemble, drivers, total, further.runs)
    _sites(book, sheet, table, limit, first)
    _chart(book, sheet, name, table.head(CHARTED), first, drivers)
    sheet.freeze_panes(0, 1)
    sheet.set_h_pagebreaks([drivers, first - 1])  # neither the chart nor the table is cut by the end of a page
    sheet.print_area(0, 0, first + len(table) - 1, _LAST_TEXT)
    sheet.repeat_rows(first - 1)
    sheet.set_print_scale(_SCALE)  # not fitted to a page's width: Excel would pass over the breaks
    return sheet


def _told_sites(ensemble: Ensemble, found: Results, code: str) -> list[SiteFutures]:
    """The site of the file, then the first of the ranking."""
    codes = [str(c) for c in found.sites["zone_code"].to_numpy(object)[found.order[:TOLD]]]
    about = code if code and found.row(code) is not None else codes[0]
    listed = [about, *(c for c in codes if c != about)]
    told = [site_futures(ensemble, found, c) for c in listed]
    return [one for one in told if one is not None]


def _section(book: Book, sheet: Worksheet, row: int, text: str) -> None:
    b.put_text(sheet, row, _NAME, text, book, bold=True, font_size=12, font_color=HEADER)


def _label(book: Book, sheet: Worksheet, row: int, text: str) -> None:
    """A label of the first column, on as many lines as it takes."""
    b.put_text(sheet, row, _NAME, text, book, text_wrap=True)
    sheet.set_row(row, _LINE_POINTS * (1 + len(text) // _LABEL_CHARACTERS))


def _method(
    book: Book, sheet: Worksheet, name: str, ensemble: Ensemble, found: Results, rows: tuple[int, int], row: int
) -> None:
    setup = ensemble.setup
    _section(book, sheet, row, b.words(book, "robust.method"))
    values = setup.parameters.values_with(dict(setup.scenario.changed))
    for offset, (key, value) in enumerate(
        (("draws", ensemble.draws), ("usable", found.usable), ("seed", ensemble.seed)), start=1
    ):
        _label(book, sheet, row + offset, b.words(book, f"robust.{key}"))
        b.put(sheet, row + offset, _CODE, value, book, "whole")
    _label(book, sheet, row + 4, b.words(book, "robust.limit"))
    sheet.write_number(row + 4, _CODE, values["robust_probability_share"], b.input_style(book, "percent"))
    table = found.sites.iloc[found.order[:MOST_ROWS]]
    counted = (
        ("likely", _VIABLE, '">=0.5"', int((table["p_viable"] >= 0.5).sum())),
        ("robust_sites", _ROBUST, f'"{b.words(book, "yes")}"', int(table["robust"].sum())),
    )
    for offset, (key, column, wanted, now) in enumerate(counted, start=5):
        cells = b.reference(name, rows[0], column, rows[1])
        _label(book, sheet, row + offset, b.words(book, f"robust.{key}"))
        b.put_formula(sheet, row + offset, _CODE, f"=COUNTIF({cells},{wanted})", now, book, "whole")
    drawn = [label_of(law.key, setup.parameters, book.language) + (" *" if law.assumed else "") for law in setup.laws]
    text = b.words(book, "robust.drawn", names=" ; ".join(drawn))
    at = row + 8
    sheet.merge_range(at, _NAME, at, _LAST_TEXT, "", b.style(book, text_wrap=True, valign="top"))
    b.put_text(sheet, at, _NAME, text, book, text_wrap=True, valign="top")
    sheet.set_row(at, _LINE_POINTS * (1 + len(text) // _WIDE_CHARACTERS))


def _sentences(book: Book, sheet: Worksheet, told: Sequence[SiteFutures], ensemble: Ensemble, row: int) -> None:
    _section(book, sheet, row, b.words(book, "robust.told"))
    parameters = ensemble.setup.parameters
    for at, site in enumerate(told, start=row + 1):
        words = (
            headline(site, book.language), failing_sentence(site, parameters, book.language),
            learn_sentence(site, parameters, book.language),
        )  # fmt: skip
        text = " ".join(words)
        b.put_text(sheet, at, _NAME, site.name, book, bold=True, valign="top")
        sheet.merge_range(at, _CODE, at, _LAST_TEXT, "", b.style(book, text_wrap=True, valign="top"))
        b.put_text(sheet, at, _CODE, text, book, text_wrap=True, valign="top")
        sheet.set_row(at, _LINE_POINTS * (1 + len(text) // _LINE_CHARACTERS))


def _plans(book: Book, sheet: Worksheet, plans: Sequence[CandidateFutures], row: int) -> None:
    """What is regretted of each plan, euros of net benefit a year; nothing where none was compared."""
    if not plans:
        return
    _section(book, sheet, row, b.words(book, "robust.plans"))
    keys = ("plan", "plan_sites", "plan_worth", "plan_gains", "plan_best", "plan_regret", "plan_p95", "plan_worst")
    for column, key in enumerate(keys):
        sheet.write_string(row + 1, column, b.words(book, f"robust.{key}"), b.header_style(book))
    sheet.set_row(row + 1, 44)
    for at, plan in enumerate(plans, start=row + 2):
        b.put_text(sheet, at, 0, candidate_name(plan.name, book.language), book)
        figures = (plan.sites, plan.worth_eur, plan.p_gains, plan.p_best, plan.regret_eur, plan.regret_p95_eur,
                   plan.regret_worst_eur)  # fmt: skip
        for column, (value, form) in enumerate(zip(figures, _PLAN_FORMS, strict=True), start=1):
            b.put(sheet, at, column, value, book, form)
    b.flag_negative(sheet, book, row + 2, 2, row + 1 + len(plans), 2)


def _drivers(
    book: Book,
    sheet: Worksheet,
    site: SiteFutures,
    ensemble: Ensemble,
    row: int,
    total: Mapping[str, Driver],
    runs: int,
) -> None:
    _section(book, sheet, row, b.words(book, "robust.drivers", name=site.name))
    heads = [b.words(book, f"robust.{key}") for key in ("quantity", "share", "within", "known")]
    if total:
        heads.append(b.words(book, "robust.total", runs=runs))
    for column, text in enumerate(heads):
        sheet.write_string(row + 1, column, text, b.header_style(book))
    sheet.set_row(row + 1, 44)
    for at, driver in enumerate(site.drivers[:DRIVERS], start=row + 2):
        label = label_of(driver.key, ensemble.setup.parameters, book.language)
        _label(book, sheet, at, label)
        b.put(sheet, at, 1, min(max(driver.first, 0.0), 1.0), book, "percent")
        b.put(sheet, at, 2, driver.first_half_width, book, "percent")
        b.put_text(sheet, at, 3, b.words(book, f"robust.status.{_status(driver)}"), book, align="center")
        if driver.key in total:
            b.put(sheet, at, 4, total[driver.key].total or 0.0, book, "percent")


def _status(driver: Driver) -> str:
    return "assumed" if driver.status in ("assumption", "memory") else "lever" if driver.status == "choice" else "read"


def _sites(book: Book, sheet: Worksheet, table: pd.DataFrame, limit: str, first: int) -> None:
    ends = [b.words(book, f"robust.{end}") for end in _ENDS]
    heads = [b.words(book, f"robust.{key}") for key in (
        "name", "code", "departement", "rural", "group", "p_viable", "p_first", "p_top10", "robust",
    )]  # fmt: skip
    heads += [f"{b.words(book, 'robust.rank')}, {end}" for end in ends]
    heads += [b.words(book, f"robust.{key}") for key in ("rank_reference", "viable_reference")]
    heads += [f"{b.words(book, f'robust.{key}')}, {end}" for key in _SPREAD for end in ends]
    heads.append(b.words(book, "robust.regret"))
    for column, text in enumerate(heads):
        sheet.write_string(first - 1, column, text, b.header_style(book))
    sheet.set_row(first - 1, 58)
    forms = ["general"] * 4 + ["rank"] + ["percent"] * 3 + ["general"] + ["whole"] * 3 + ["rank", "general"]
    forms += [_FORMS.get(key, "whole") for key in _SPREAD for _ in _ENDS] + ["whole"]
    for column, (key, form) in enumerate(zip(table.columns, forms, strict=False)):
        if column != _ROBUST:
            b.put_column(sheet, first, column, table[key].tolist(), book, form)
    yes, no = b.words(book, "yes"), b.words(book, "no")
    b.put_formulas(
        sheet, first, _ROBUST,
        lambda row: f'=IF(AND({b.local(row, _VIABLE)}>={limit},{b.local(row, _TOP)}>={limit}),"{yes}","{no}")',
        [yes if flag else no for flag in table["robust"]], book, "general", align="center",
    )  # fmt: skip
    last = first + len(table) - 1
    scale = {"type": "2_color_scale", "min_type": "num", "min_value": 0, "max_type": "num", "max_value": 1,
             "min_color": "#ffffff", "max_color": "#9cc6e4"}  # fmt: skip
    sheet.conditional_format(first, _VIABLE, last, _TOP, scale)
    b.flag_negative(sheet, book, first, _LAST_TEXT + 1, last, len(heads) - 2)
    sheet.autofilter(first - 1, 0, last, len(heads) - 1)


def _chart(book: Book, sheet: Worksheet, name: str, table: pd.DataFrame, first: int, row: int) -> None:
    """How often the leading sites are viable, and in the first ten; each is named with its place in the reference case.

    The names of the bars stand in cells right of the table, out of the print area.
    """
    count, beside = len(table), _LAST_TEXT + 3 * len(_SPREAD) + 3
    holds = {True: b.words(book, "robust.holds"), False: b.words(book, "robust.fails")}
    for at, (_, site) in enumerate(table.iterrows(), start=first):
        text = b.words(
            book, "robust.bar", name=site["name"], rank=int(site["rank_reference"]),
            viable=holds[bool(site["viable_reference"])],
        )  # fmt: skip
        b.put_text(sheet, at, beside, text, book, font_color=MUTED_INK)
    chart = book.file.add_chart({"type": "bar"})
    for column, colour in ((_VIABLE, GAIN), (_TOP, "#e5a11c")):
        chart.add_series({
            "name": [name, first - 1, column], "values": [name, first, column, first + count - 1, column],
            "categories": [name, first, beside, first + count - 1, beside], "fill": {"color": colour}, "gap": 40,
        })  # fmt: skip
    title = b.words(book, "robust.chart")
    chart.set_title({"name": title, "name_font": chart_font(12, bold=True), "overlay": False})
    chart.set_x_axis({
        "min": 0, "max": 1, "num_font": chart_font(), "num_format": b.pattern(book, "percent"),
        "major_gridlines": {"visible": True, "line": {"color": "#d9dfe4"}},
    })  # fmt: skip
    chart.set_y_axis({"reverse": True, "num_font": chart_font(8), "line": {"color": INK}, "interval_unit": 1})
    chart.set_legend({"position": "bottom", "font": chart_font()})
    chart.set_chartarea({"border": {"color": "#d9dfe4"}})
    chart.set_size({"width": 560, "height": 480})
    sheet.insert_chart(row, 5, chart, {"object_position": 2, "description": title})
