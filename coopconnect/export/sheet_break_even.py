"""The sheet Équilibre: the users at which a hub pays for itself, as live formulas, desks counted step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import pdtri
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from coopconnect.export import book as b
from coopconnect.export.book import Book
from coopconnect.export.sheet_summary import between, chart_font, define
from coopconnect.model.choice import hub_days_per_user, telepresence_installed
from coopconnect.model.types import Assessment
from coopconnect.model.viability import MOST_USERS, annuity, desks
from coopconnect.parameters import Parameters
from coopconnect.scenario import parameter_values
from coopconnect.show.colours import GAIN, HEADER, LOSS, MUTED_INK

LABEL, VALUE, UNIT = 0, 1, 2
STEPS_COLUMN, CURVE_COLUMN = 4, 12
INPUT_ROW = 5
HALF = 0.5
"""Users are sought to half a user, as in the model."""

CURVE_USERS = 60
SPARE_DESKS = 60
"""Steps of desks written at least: room for a reader who lets each user come more often."""


@dataclass(frozen=True)
class _Input:
    key: str
    value: float
    unit: str
    form: str
    bounds: tuple[float, float] | None = None
    formula: str = ""


def _inputs(book: Book, assessment: Assessment, parameters: Parameters) -> list[_Input]:
    """What the cost and the income of a hub rest on; those with bounds can be changed."""
    scenario, kind = assessment.scenario, assessment.scenario.premises
    values = parameter_values(scenario, parameters)
    room = 12.0 * scenario.telepresence_price_eur_per_month if telepresence_installed(scenario, values) else 0.0
    opex, capex = f"opex_{kind}_eur_per_year", f"capex_{kind}_eur"

    def free(key: str, name: str, unit: str, form: str = "general") -> _Input:
        return _Input(name, values[key], unit, form, parameters[key].bounds())

    days = hub_days_per_user(scenario, values)
    contribution = "council_contribution_eur_per_year"
    return [
        free("day_price_eur", "day_price", "eur_day"),
        _Input("days_per_user", days, "d_yr", "one", (1.0, 250.0)),
        _Input("contribution", values[contribution], "eur_yr", "whole", None, f"={b.words(book, f'name.{contribution}')}"),
        free(opex, "opex", "eur_yr", "whole"),
        free(capex, "capex", "eur", "whole"),
        free("discount_rate", "rate", "share", "share"),
        free("capex_life_years", "life", "years"),
        _Input("room", room, "eur_yr", "whole", (0.0, 60_000.0)),
        _Input("desks_per_hub", values["desks_per_small_hub"], "desks", "general"),
        _Input("marginal", values["marginal_desk_cost_share"], "share", "share"),
        _Input("working_days", values["weeks_per_year"] * values["working_days_per_week"], "d_yr", "general"),
    ]  # fmt: skip


def write_break_even(book: Book, assessment: Assessment, parameters: Parameters) -> Worksheet:
    """Inputs, the answer, the steps of desks that give it, the curves of cost and income with a native chart."""
    sheet, name = b.add_sheet(book, "break_even", "#14806a")
    b.put_title(sheet, book, b.words(book, "say.break_even_title"), b.words(book, "say.break_even_note"), 14)
    sheet.set_row(1, 62)
    sheet.set_column(LABEL, LABEL, 46)
    sheet.set_column(VALUE, UNIT, 12)
    sheet.set_column(3, 3, 3)
    sheet.set_column(STEPS_COLUMN, CURVE_COLUMN + 4, 11)
    inputs = _inputs(book, assessment, parameters)
    at = _write_inputs(book, sheet, name, inputs)
    values = parameter_values(assessment.scenario, parameters)
    limits = _limits(values, inputs[1].value)
    found = float(assessment.sites["break_even_users"].iloc[0]) if len(assessment.sites) else float("inf")
    last = _write_steps(book, sheet, at, inputs, limits)
    row = INPUT_ROW + len(inputs) + 1
    first_row = INPUT_ROW + 1
    valid = b.reference(name, first_row, STEPS_COLUMN + 5, last).split("!")[1]
    b.put_text(sheet, row, LABEL, b.words(book, "break_even.answer"), book, bold=True, font_size=12, font_color=HEADER)
    b.put_formula(
        sheet, row, VALUE, f'=IF(COUNT({valid})=0,"",MIN({valid}))', found, book, "one", bold=True, font_size=12
    )
    b.put_text(sheet, row, UNIT, b.words(book, "unit.users"), book, font_color=MUTED_INK)
    define(book, "break_even", name, row, VALUE)
    b.put_text(
        sheet,
        row + 1,
        LABEL,
        b.words(book, "break_even.none", most=MOST_USERS),
        book,
        italic=True,
        font_color=MUTED_INK,
    )
    _write_curve(book, sheet, name, at, inputs, limits, (first_row, last))
    _chart(book, sheet, name, row + 3)
    sheet.freeze_panes(INPUT_ROW, 0)
    sheet.print_area(0, 0, max(row + 28, INPUT_ROW + 40), CURVE_COLUMN + 3)
    sheet.fit_to_pages(1, 1)
    return sheet


def _limits(values: dict[str, float], days_per_user: float) -> np.ndarray:
    """Largest mean of daily users that 1, 2, 3 ... desks serve, as many as `MOST_USERS` users could need."""
    needed = int(desks(np.array([MOST_USERS * days_per_user]), values)[0])
    return np.asarray(pdtri(np.arange(1, max(needed, SPARE_DESKS) + 1), values["desk_service_share"]))


def _write_inputs(book: Book, sheet: Worksheet, name: str, inputs: list[_Input]) -> dict[str, str]:
    """One line for each input; the absolute reference of each."""
    for column, head in enumerate(("input", "value", "unit")):
        sheet.write_string(INPUT_ROW, column, b.words(book, f"break_even.{head}"), b.header_style(book))
    found = {}
    for row, item in enumerate(inputs, start=INPUT_ROW + 1):
        b.put_text(sheet, row, LABEL, b.words(book, f"break_even.{item.key}"), book)
        unit = b.words(book, f"unit.{item.unit}")
        if item.bounds is not None:
            sheet.write_number(row, VALUE, item.value, b.input_style(book, item.form))
            between(book, sheet, row, VALUE, *item.bounds, unit)
        elif item.formula:
            b.put_formula(sheet, row, VALUE, item.formula, item.value, book, item.form, bold=True)
        else:
            b.put(sheet, row, VALUE, item.value, book, item.form)
        b.put_text(sheet, row, UNIT, unit, book, font_color=MUTED_INK, indent=1)
        found[item.key] = xl_rowcol_to_cell(row, VALUE, row_abs=True, col_abs=True)
    return found


def _unit_cost(at: dict[str, str]) -> str:
    """Running cost and annuity of a small hub, as a formula."""
    rate, life, capital = at["rate"], at["life"], at["capex"]
    return f"({at['opex']}+IF({rate}=0,{capital}/{life},{capital}*{rate}/(1-(1+{rate})^-{life})))"


def _cost(at: dict[str, str], desk: str) -> str:
    return f"(1+{at['marginal']}*MAX({desk}/{at['desks_per_hub']}-1,0))*{_unit_cost(at)}+{at['room']}"


def _write_steps(book: Book, sheet: Worksheet, at: dict[str, str], inputs: list[_Input], limits: np.ndarray) -> int:
    """For each number of desks: users that it serves, cost, users that pay it, the first of them that it serves."""
    heads = ("desks", "mean", "most", "cost", "paying", "first")
    for offset, head in enumerate(heads):
        sheet.write_string(INPUT_ROW, STEPS_COLUMN + offset, b.words(book, f"break_even.{head}"), b.header_style(book))
    sheet.set_row(INPUT_ROW, 58)
    known = {item.key: item.value for item in inputs}
    before = -HALF
    for k, limit in enumerate(limits.tolist()):
        row = INPUT_ROW + 1 + k
        cells = [xl_rowcol_to_cell(row, STEPS_COLUMN + n, col_abs=True) for n in range(6)]
        step = _step(known, k + 1, limit, before)
        b.put(sheet, row, STEPS_COLUMN, k + 1, book, "rank", align="center")
        b.put(sheet, row, STEPS_COLUMN + 1, limit, book, "three")
        above = f"{xl_rowcol_to_cell(row - 1, STEPS_COLUMN + 2, col_abs=True)}+{HALF}" if k else "0"
        income = f"({at['day_price']}*{at['days_per_user']})"
        gap = f"({cells[3]}-{at['contribution']})"
        formulas = (
            f"=FLOOR(ROUND({cells[1]}*{at['working_days']}/MAX({at['days_per_user']},0.000001),9),{HALF})",
            f"={_cost(at, cells[0])}",
            f'=IF({gap}<=0,0,IF({income}>0,CEILING(ROUND({gap}/{income},9),{HALF}),""))',
            f'=IF({cells[4]}="","",IF(AND(MAX({cells[4]},{above})<={cells[2]},MAX({cells[4]},{above})<={MOST_USERS}),'
            f'MAX({cells[4]},{above}),""))',
        )  # fmt: skip
        for offset, (formula, value, form) in enumerate(
            zip(formulas, step, ("one", "whole", "one", "one"), strict=True)
        ):
            b.put_formula(sheet, row, STEPS_COLUMN + 2 + offset, formula, value, book, form)
        before = step[0]
    return INPUT_ROW + len(limits)


def _annual(known: dict[str, float], desk: float) -> float:
    unit = known["opex"] + annuity(known["capex"], known["rate"], known["life"])
    return (1.0 + known["marginal"] * max(desk / known["desks_per_hub"] - 1.0, 0.0)) * unit + known["room"]


def _step(known: dict[str, float], desk: int, limit: float, before: float) -> tuple[float, Any, Any, Any]:
    """What the formulas of one step give now."""
    most = np.floor(round(limit * known["working_days"] / max(known["days_per_user"], 1e-6), 9) / HALF) * HALF
    cost = _annual(known, desk)
    gap, income = cost - known["contribution"], known["day_price"] * known["days_per_user"]
    paying: float | str = 0.0
    if gap > 0:
        paying = float(np.ceil(round(gap / income, 9) / HALF) * HALF) if income > 0 else ""
    first: float | str = "" if paying == "" else max(float(paying), before + HALF)
    if first != "" and not float(first) <= min(most, MOST_USERS):
        first = ""
    return float(most), cost, paying, first


def _write_curve(
    book: Book, sheet: Worksheet, name: str, at: dict[str, str], inputs: list[_Input], limits: np.ndarray,
    rows: tuple[int, int],
) -> None:  # fmt: skip
    """Cost and income for 0 to `CURVE_USERS` users: what the chart shows."""
    for offset, head in enumerate(("users", "desks", "cost_curve", "income")):
        sheet.write_string(INPUT_ROW, CURVE_COLUMN + offset, b.words(book, f"break_even.{head}"), b.header_style(book))
    known = {item.key: item.value for item in inputs}
    means = b.reference(name, rows[0], STEPS_COLUMN + 1, rows[1]).split("!")[1]
    for users in range(CURVE_USERS + 1):
        row = INPUT_ROW + 1 + users
        cells = [xl_rowcol_to_cell(row, CURVE_COLUMN + n, col_abs=True) for n in range(2)]
        mean = users * known["days_per_user"] / known["working_days"]
        desk = int((limits < mean).sum()) + 1 if users else 0
        b.put(sheet, row, CURVE_COLUMN, users, book, "whole", align="center")
        formulas = (
            f"=IF({cells[0]}=0,0,SUMPRODUCT(({means}<{cells[0]}*{at['days_per_user']}/{at['working_days']})*1)+1)",
            f"={_cost(at, cells[1])}",
            f"={at['contribution']}+{cells[0]}*{at['days_per_user']}*{at['day_price']}",
        )
        income = known["contribution"] + users * known["days_per_user"] * known["day_price"]
        for offset, (formula, value) in enumerate(zip(formulas, (desk, _annual(known, desk), income), strict=True), 1):
            b.put_formula(sheet, row, CURVE_COLUMN + offset, formula, value, book, "whole")


def _chart(book: Book, sheet: Worksheet, name: str, row: int) -> None:
    """Cost and income against users, native."""
    chart = book.file.add_chart({"type": "scatter", "subtype": "straight"})
    last = INPUT_ROW + 1 + CURVE_USERS
    for column, colour in ((CURVE_COLUMN + 2, LOSS), (CURVE_COLUMN + 3, GAIN)):
        chart.add_series({
            "name": [name, INPUT_ROW, column], "categories": [name, INPUT_ROW + 1, CURVE_COLUMN, last, CURVE_COLUMN],
            "values": [name, INPUT_ROW + 1, column, last, column], "line": {"color": colour, "width": 2.25},
        })  # fmt: skip
    title = b.words(book, "say.chart_break_even")
    chart.set_title({"name": title, "name_font": chart_font(12, bold=True), "overlay": False})
    chart.set_x_axis({
        "name": b.words(book, "break_even.users"), "min": 0, "max": CURVE_USERS, "num_font": chart_font(),
        "name_font": chart_font(9, bold=False), "major_gridlines": {"visible": False},
    })  # fmt: skip
    chart.set_y_axis({
        "name": b.words(book, "unit.eur_yr"), "min": 0, "num_font": chart_font(), "name_font": chart_font(9, bold=False),
        "num_format": b.pattern(book, "whole"), "major_gridlines": {"visible": True, "line": {"color": "#d9dfe4"}},
    })  # fmt: skip
    chart.set_legend({"position": "top", "font": chart_font()})
    chart.set_chartarea({"border": {"color": "#d9dfe4"}})
    chart.set_size({"width": 500, "height": 380})
    sheet.insert_chart(row, LABEL, chart, {"object_position": 2, "description": title})
