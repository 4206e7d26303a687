"""The sheet Réseau: the sites of a plan in opening order, what a refusal costs, how far from the best, who is left out."""

from __future__ import annotations

import math

from xlsxwriter.worksheet import Worksheet

from coopconnect.export import book as b
from coopconnect.export.book import Book
from coopconnect.export.sheet_sites import HEADER_ROW
from coopconnect.export.sheet_summary import chart_font
from coopconnect.model.types import Range
from coopconnect.show.colours import GAIN, HEADER, MUTED_INK
from coopconnect.show.words import at_most, number, say
from coopconnect.siting.types import LEAST, PROVEN, SitePlan
from coopconnect.uncertainty.plan_futures import PlanFutures

MOST_LEFT_OUT = 5_000
"""Communes left out that the sheet lists, the most populated first."""

CHART_ROWS = 19
_LAST = 8
_HEADS = ("rank", "commune", "adds", "cumulated", "users", "desks_column", "year", "if_refused", "loss")


def write_network(
    book: Book, plan: SitePlan | tuple[str, ...], futures: PlanFutures | None = None
) -> Worksheet:  # fmt: skip
    """Worth and proof, sites with live sums, their ranges over the futures where there are some, curve as a native chart,
    communes left out; of a plan that cannot be, why."""
    sheet, name = b.add_sheet(book, "network", "#4ba3d9")
    b.put_title(sheet, book, b.words(book, "network.title"), b.words(book, "network.note"), _LAST)
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 26)
    sheet.set_column(2, 2, 26)
    sheet.set_column(3, 6, 12)
    sheet.set_column(7, 7, 26)
    sheet.set_column(8, 8, 13)
    if isinstance(plan, tuple):
        return _no_plan(book, sheet, plan)
    row = _worth(book, sheet, plan, HEADER_ROW - 1)
    row = _sites(book, sheet, plan, row + 2)
    if futures is not None:
        row = _futures(book, sheet, plan, futures, row + 2)
        sheet.set_h_pagebreaks([row + 2])
    row = _curve(book, sheet, name, plan, futures, row + 2)
    row = _left_out(book, sheet, plan, row + 2)
    sheet.print_area(0, 0, row, _LAST)
    sheet.fit_to_pages(1, 0)
    return sheet


def _no_plan(book: Book, sheet: Worksheet, problems: tuple[str, ...]) -> Worksheet:
    """What was asked cannot be planned: every problem, and what to do."""
    top = HEADER_ROW - 1
    b.put_text(sheet, top, 0, b.words(book, "network.no_plan"), book, bold=True)
    for row, problem in enumerate(problems, top + 1):
        b.put_text(sheet, row, 0, problem, book)
    sheet.print_area(0, 0, top + len(problems), _LAST)
    sheet.fit_to_pages(1, 0)
    return sheet


def _form(plan: SitePlan) -> str:
    return {"equity": "three", "score": "one"}.get(plan.question.objective, "whole")


def _page(book: Book, key: str, **values: object) -> str:
    """Text of the page Réseau."""
    return say(f"network.{key}", book.language, **values)


def _worth(book: Book, sheet: Worksheet, plan: SitePlan, row: int) -> int:
    """What the plan is worth, the most that any plan can be worth, the distance between them, what refusals cost."""
    unit = _page(book, f"unit_{plan.question.objective}")
    bound = plan.bound if math.isfinite(plan.bound) else None
    gap = at_most(plan.gap, book.language) if math.isfinite(plan.gap) else ""
    proof = (
        _page(book, "proven") if plan.gap <= PROVEN else _page(book, "gap", gap=gap) if bound else _page(book, "no_gap")
    )
    if plan.missing:
        parts = ", ".join(_page(book, f"missing_{part}") for part in plan.missing)
        proof = f"{proof}. {_page(book, 'stopped', parts=parts)}"
    for key, value in (("worth", plan.value), ("bound", bound), ("refusals", plan.refusals_cost)):
        b.put_text(sheet, row, 0, b.words(book, f"network.{key}"), book, bold=key == "worth")
        b.put(sheet, row, 1, value, book, _form(plan), bold=key == "worth", align="right")
        b.put_text(sheet, row, 2, unit, book, indent=1)
        row += 1
    b.flag_negative(sheet, book, row - 3, 1, row - 3, 1)
    b.put_text(sheet, row, 0, b.words(book, "network.gap"), book)
    if bound is not None and plan.value:
        formula = f"=({b.local(row - 2, 1)}-{b.local(row - 3, 1)})/ABS({b.local(row - 3, 1)})"
        b.put_formula(sheet, row, 1, formula, plan.gap, book, "share_fine")
    b.put_text(sheet, row, 2, proof, book, indent=1)
    if plan.neighbours_share:
        row += 1
        users, hours = (number(plan.totals[f"{name}_least"], book.language) for name in LEAST)
        b.put_text(sheet, row, 0, _page(book, "least_sheet", users=users, hours=hours), book, italic=True)
    return row


def _sites(book: Book, sheet: Worksheet, plan: SitePlan, row: int) -> int:
    """Existing sites, then the new ones in opening order; the cumulated worth is a formula."""
    form = _form(plan)
    base = plan.curve[0][1]
    for column, key in enumerate(_HEADS):
        text = b.words(book, "network.cumulated") if key == "cumulated" else _page(book, key)
        sheet.write_string(row, column, text, b.header_style(book))
    sheet.set_row(row, 32)
    first, worth = row + 1, base
    for site in plan.sites:
        row += 1
        other = site.substitute
        b.put(sheet, row, 0, _page(book, "exists") if site.existing else site.rank, book, "rank", align="center")
        b.put_text(sheet, row, 1, site.name, book)
        if not site.existing:
            worth += site.gain
            b.put(sheet, row, 2, site.gain, book, form)
            before = repr(float(base)) if site.rank == 1 else b.local(row - 1, 3)
            b.put_formula(sheet, row, 3, f"={before}+{b.local(row, 2)}", worth, book, form)
            b.put(sheet, row, 6, site.year, book, "rank", align="center")
        b.put(sheet, row, 4, site.users, book, "whole")
        b.put(sheet, row, 5, site.desks, book, "whole")
        if other is not None:
            b.put_text(sheet, row, 7, other.name, book)
            b.put(sheet, row, 8, -other.loss, book, form)
    if plan.sites:
        b.flag_negative(sheet, book, first, 2, row, 3)
        b.flag_negative(sheet, book, first, 8, row, 8)
    return row


_UNITS = {"users": "", "hours_per_year": "h", "kg_co2e_per_year": "kg"}
"""Units of the figures of a plan that are not euros."""


def _futures(book: Book, sheet: Worksheet, plan: SitePlan, futures: PlanFutures, row: int) -> int:
    """The plan's figures, then those of each site: reference case, 5 and 95 % of the futures."""
    draws = number(float(futures.draws), book.language)
    stands = any(site.existing for site in plan.sites)
    title = _page(book, "figures_added" if stands else "figures")
    b.put_text(sheet, row, 0, title, book, bold=True, font_size=12, font_color=HEADER)
    b.put_text(
        sheet,
        row + 1,
        0,
        f"{b.words(book, 'network.futures', draws=draws)} {_page(book, 'drawn_how')}",
        book,
        italic=True,
    )
    row += 2
    for column, key in enumerate(("figure", "reference", "low", "high")):
        sheet.write_string(row, column, _page(book, f"col_{key}"), b.header_style(book))
    sheet.set_row(row, 32)
    first = row + 1
    for name, unit, value, form in _of_plan(book, plan, futures):
        row += 1
        b.put_text(sheet, row, 0, f"{name} ({unit})" if unit else name, book)
        for column, end in enumerate((value.value, value.low, value.high), start=1):
            b.put(sheet, row, column, end, book, form)
    b.flag_negative(sheet, book, first, 1, row, 3)
    for name, share in (("share_gains", futures.p_gains), ("share_over", futures.p_over)):
        if share is not None:
            row += 1
            b.put_text(sheet, row, 0, b.words(book, f"network.{name}"), book)
            b.put(sheet, row, 1, share, book, "percent")
    row += 2
    heads = [_page(book, "rank"), _page(book, "commune"), _page(book, "viable_column")]
    for key in ("adds", "users", "loss"):
        heads += [f"{_page(book, key)}, {_page(book, f'col_{end}')}" for end in ("low", "high")]
    for column, text in enumerate(heads):
        sheet.write_string(row, column, text, b.header_style(book))
    sheet.set_row(row, 46)
    first = row + 1
    for at, site in enumerate(plan.sites):
        row += 1
        b.put(sheet, row, 0, _page(book, "exists") if site.existing else site.rank, book, "rank", align="center")
        b.put_text(sheet, row, 1, site.name, book)
        b.put(sheet, row, 2, futures.viable[at], book, "percent")
        lost = futures.substituted[at]
        effect = None if lost is None else Range(-lost.high, -lost.value, -lost.low)
        columns: tuple[tuple[Range | None, str], ...] = (
            (futures.gains[at], _form(plan)), (futures.sites[at]["users"], "whole"), (effect, _form(plan)),
        )  # fmt: skip
        for place, (ends, form) in enumerate(columns):
            if ends is not None:
                b.put(sheet, row, 3 + 2 * place, ends.low, book, form)
                b.put(sheet, row, 4 + 2 * place, ends.high, book, form)
    b.flag_negative(sheet, book, first, 3, row, 8)
    return row


def _of_plan(book: Book, plan: SitePlan, futures: PlanFutures) -> list[tuple[str, str, Range, str]]:
    """Name, unit, range and form of each figure of the plan; its worth, hubs that exist included, where the draws move it."""
    rows = [
        (_page(book, f"figure_{name}"), _UNITS.get(name, "€"), value, "whole") for name, value in futures.added.items()
    ]
    if futures.worth is None:
        return rows
    key = "worth" if futures.gained is None else "worth_all"
    unit = _page(book, f"unit_{plan.question.objective}")
    return [(b.words(book, f"network.{key}"), unit, futures.worth, _form(plan)), *rows]


def _curve(
    book: Book, sheet: Worksheet, name: str, plan: SitePlan, futures: PlanFutures | None, row: int
) -> int:  # fmt: skip
    """Worth by number of new sites: the table, its ends over the futures, and its chart beside it."""
    unit = _page(book, f"unit_{plan.question.objective}")
    title, top = _page(book, "chart.title"), row
    sheet.write_string(row, 0, _page(book, "chart.x"), b.header_style(book))
    sheet.write_string(row, 1, unit, b.header_style(book))
    ends = futures.curve if futures is not None else ()
    if ends:
        sheet.set_row(row, 32)
        for column, key in enumerate(("low", "high"), start=2):
            sheet.write_string(row, column, _page(book, f"col_{key}"), b.header_style(book))
    for count, worth in plan.curve:
        row += 1
        b.put(sheet, row, 0, count, book, "whole", align="center", bold=count == plan.knee)
        b.put(sheet, row, 1, worth, book, _form(plan), bold=count == plan.knee)
        if ends:
            b.put(sheet, row, 2, ends[count].low, book, _form(plan))
            b.put(sheet, row, 3, ends[count].high, book, _form(plan))
    b.flag_negative(sheet, book, top + 1, 1, row, 3 if ends else 1)
    chart = book.file.add_chart({"type": "scatter", "subtype": "straight_with_markers"})
    chart.add_series({
        "name": _page(book, "col_reference"),
        "categories": [name, top + 1, 0, row, 0], "values": [name, top + 1, 1, row, 1], "line": {"color": GAIN, "width": 2},
        "marker": {"type": "circle", "size": 6, "fill": {"color": GAIN}, "border": {"color": GAIN}},
    })  # fmt: skip
    for column, key in ((2, "low"), (3, "high")) if ends else ():
        chart.add_series({
            "name": _page(book, f"col_{key}"), "categories": [name, top + 1, 0, row, 0],
            "values": [name, top + 1, column, row, column], "marker": {"type": "none"},
            "line": {"color": MUTED_INK, "width": 1.25, "dash_type": "dash"},
        })  # fmt: skip
    chart.set_title({"name": title, "name_font": chart_font(12, bold=True), "overlay": False})
    chart.set_x_axis({"name": _page(book, "chart.x"), "name_font": chart_font(), "num_font": chart_font(), "min": 0, "label_position": "low",
                      "num_format": "0", "major_gridlines": {"visible": False}})  # fmt: skip
    chart.set_y_axis({"name": unit, "name_font": chart_font(), "num_font": chart_font(),
                      "num_format": b.pattern(book, _form(plan)),
                      "major_gridlines": {"visible": True, "line": {"color": "#d9dfe4"}}})  # fmt: skip
    chart.set_legend({"position": "bottom", "font": chart_font()} if ends else {"none": True})
    chart.set_chartarea({"border": {"color": "#d9dfe4"}})
    chart.set_size({"width": 520 if ends else 600, "height": 360})
    sheet.insert_chart(top, 4 if ends else 3, chart, {"object_position": 2, "description": title})
    knee = _page(book, "chart.knee", knee=plan.knee)
    end = max(row, top + CHART_ROWS) + 1
    b.put_text(sheet, end, 0, knee, book, italic=True)
    return end


def _left_out(book: Book, sheet: Worksheet, plan: SitePlan, row: int) -> int:
    """Communes with no open site within reach, the most populated first."""
    title = b.words(book, "network.left_out")
    b.put_text(sheet, row, 0, title, book, bold=True, font_size=12, font_color=HEADER)
    row += 1
    for column, key in enumerate(("commune", "population", "nearest", "nearest_min")):
        sheet.write_string(row, column, _page(book, key), b.header_style(book))
    sheet.set_row(row, 32)
    for line in plan.left_out.head(MOST_LEFT_OUT).to_dict("records"):
        row += 1
        b.put_text(sheet, row, 0, line["name"], book)
        b.put(sheet, row, 1, line["population"], book, "whole")
        b.put_text(sheet, row, 2, line["nearest"], book, indent=1)
        b.put(sheet, row, 3, line["nearest_min"], book, "one")
    return row
