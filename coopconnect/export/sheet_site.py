"""The sheet Fiche: the chosen site in detail, from its score to what is still missing before it opens."""

from __future__ import annotations

import numpy as np
from xlsxwriter.worksheet import Worksheet

from coopconnect.dossier import ASKED_GATES, CHECKLIST, Dossier
from coopconnect.export import book as b
from coopconnect.export.book import Book
from coopconnect.export.sheet_sites import HEADER_ROW, SitesSheet
from coopconnect.export.sheet_summary import chart_font
from coopconnect.export.sheet_tables import assumption_cell
from coopconnect.model.choice import cost_per_km_eur, hub_days_per_user
from coopconnect.model.impact import emission_kg_per_km, hours, vehicle_km
from coopconnect.model.site_sheet import PremisesComparison, home_communes, premises_comparison, travel_of, waterfall
from coopconnect.model.types import Assessment
from coopconnect.parameters import Parameters
from coopconnect.scenario import parameter_values
from coopconnect.show.colours import COMPONENT_COLOURS, HEADER, MUTED_INK
from coopconnect.show.words import say
from coopconnect.territory.types import Territory
from coopconnect.uncertainty.cases import premises_of_draws
from coopconnect.uncertainty.run import Ensemble

LABEL = 0
LAST_COLUMN = 8
WIDTHS = (46, 23, 15, 15, 15, 15)
_KEPT = ("hours_of", "hours_user", "eur", "kg")


def write_site(
    book: Book, layout: SitesSheet, assessment: Assessment, code: str, parameters: Parameters, territory: Territory,
    home: Territory | None, dossier: Dossier, ensemble: Ensemble | None = None,
) -> Worksheet:  # fmt: skip
    """One sheet for the site `code`: score taken apart, premises, homes of the users, gates, remarks and notes.

    ensemble: futures of this scenario, all drawn, for the ranges of the premises.
    """
    sheet, name = b.add_sheet(book, "site", "#0b4f8a")
    site = assessment.site(code)
    assert site is not None
    b.put_title(
        sheet,
        book,
        b.words(book, "say.site_title", name=str(site["name"])),
        b.words(book, "say.site_note"),
        LAST_COLUMN,
    )
    for column, width in enumerate(WIDTHS):
        sheet.set_column(column, column, width)
    row = _score(book, sheet, name, layout, assessment, code, HEADER_ROW - 1)
    premises = premises_comparison(territory, assessment.scenario, parameters, code, home)
    if ensemble is not None:
        premises = premises_of_draws(premises, ensemble, int(np.flatnonzero(assessment.sites["zone_code"] == code)[0]))
    row = _premises(book, sheet, premises, row + 1)
    row = _homes(book, sheet, assessment, territory, code, row + 1)
    row = _travel(book, sheet, assessment, territory, parameters, code, row + 1)
    row = _gates(book, sheet, dossier, code, parameters.value("core_users_gate"), row + 1)
    sheet.freeze_panes(HEADER_ROW - 1, 1)
    sheet.print_area(0, 0, row, LAST_COLUMN + 6)
    sheet.fit_to_pages(1, 1)
    return sheet


def _block(book: Book, sheet: Worksheet, row: int, title: str, heads: tuple[str, ...]) -> int:
    b.put_text(
        sheet, row, LABEL, b.words(book, f"site_sheet.{title}"), book, bold=True, font_size=12, font_color=HEADER
    )
    for column, head in enumerate(heads):
        sheet.write_string(row + 1, column, b.words(book, f"site_sheet.{head}"), b.header_style(book))
    sheet.set_row(row + 1, 32)
    return row + 2


def _score(
    book: Book, sheet: Worksheet, name: str, layout: SitesSheet, assessment: Assessment, code: str, row: int
) -> int:  # fmt: skip
    """Mark, weight and points of each component; the sum is the score, and follows the weights."""
    row = _block(book, sheet, row, "waterfall", ("component", "raw", "weight", "points", "most"))
    first = row
    total = b.words(book, "name.weight_total")
    site = assessment.site(code)
    assert site is not None
    for part in waterfall(site, assessment.scenario):
        key = f"component_{part.component}"
        place = f'MATCH("{code}",{layout.range("zone_code")},0)'
        b.put_text(sheet, row, LABEL, say(f"chart.component.{part.component}", book.language), book)
        b.put_formula(sheet, row, 1, f"=INDEX({layout.range(key)},{place})", part.raw.value, book, "one")
        weight = f"={b.words(book, f'name.weight_{part.component}')}/{total}"
        b.put_formula(sheet, row, 2, weight, part.weight_share, book, "share")
        b.put_formula(sheet, row, 3, f"={b.local(row, 1)}*{b.local(row, 2)}", part.points.value, book, "one", bold=True)
        b.put_formula(sheet, row, 4, f"=100*{b.local(row, 2)}", part.most, book, "one", font_color=MUTED_INK)
        row += 1
    b.put_text(sheet, row, LABEL, b.words(book, "site_sheet.score"), book, bold=True, top=1)
    cells = b.reference(name, first, 3, row - 1).split("!")[1]
    b.put_formula(sheet, row, 3, f"=SUM({cells})", float(site["score"]), book, "one", bold=True, top=1)
    _chart(book, sheet, name, first, row - 1)
    return row + 1


def _chart(book: Book, sheet: Worksheet, name: str, first: int, last: int) -> None:
    """Points of each component beside what it could bring, native."""
    chart = book.file.add_chart({"type": "bar"})
    points = [{"fill": {"color": colour}} for colour in COMPONENT_COLOURS.values()]
    for column, look in ((4, {"fill": {"color": "#e3e8ec"}}), (3, {"points": points})):
        chart.add_series({
            "name": [name, first - 1, column], "categories": [name, first, LABEL, last, LABEL],
            "values": [name, first, column, last, column], "gap": 45, "overlap": 100, **look,
        })  # fmt: skip
    title = b.words(book, "site_sheet.chart")
    chart.set_title({"name": title, "name_font": chart_font(12, bold=True), "overlay": False})
    chart.set_y_axis({"reverse": True, "num_font": chart_font()})
    chart.set_x_axis({
        "min": 0, "num_font": chart_font(), "num_format": b.pattern(book, "whole"),
        "major_gridlines": {"visible": True, "line": {"color": "#d9dfe4"}},
    })  # fmt: skip
    chart.set_legend({"none": True})
    chart.set_chartarea({"border": {"color": "#d9dfe4"}})
    chart.set_size({"width": 520, "height": 300})
    sheet.insert_chart(HEADER_ROW - 1, 6, chart, {"object_position": 2, "description": title})


def _premises(book: Book, sheet: Worksheet, found: PremisesComparison, row: int) -> int:
    """What a shared room costs against own premises, and the difference as formulas."""
    row = _block(book, sheet, row, "premises", ("premises", "shared", "own", "difference"))
    first = row
    cases = (found.shared, found.own)
    lines = [
        ("running", "whole", [c.parts.running_eur for c in cases]),
        ("investment", "whole", [c.parts.investment_eur for c in cases]),
        ("telepresence", "whole", [c.parts.telepresence_eur for c in cases]),
        ("cost", "whole", [c.cost_eur.value for c in cases]),
        ("cost_low", "whole", [c.cost_eur.low for c in cases]),
        ("cost_high", "whole", [c.cost_eur.high for c in cases]),
        ("viability", "two", [c.viability.value for c in cases]),
        ("break_even", "one", [c.break_even_users for c in cases]),
        ("balance", "whole", [c.balance_eur_per_year for c in cases]),
    ]
    for key, form, values in lines:
        b.put_text(sheet, row, LABEL, b.words(book, f"site_sheet.{key}"), book, bold=key == "cost")
        for column, value in enumerate(values, start=1):
            if key == "cost":
                cells = b.reference("", row - 3, column, row - 1).split("!")[1]
                b.put_formula(sheet, row, column, f"=SUM({cells})", value, book, form, bold=True)
            else:
                b.put(sheet, row, column, value, book, form)
        if key not in ("viability", "break_even", "cost_low", "cost_high"):
            formula = f"={b.local(row, 2)}-{b.local(row, 1)}"
            if key == "balance":
                formula = f"={b.local(row, 1)}-{b.local(row, 2)}"
            saved = (values[1] - values[0]) * (-1 if key == "balance" else 1)
            b.put_formula(sheet, row, 3, formula, saved, book, "change")
        row += 1
    b.flag_negative(sheet, book, first, 1, row - 1, 2)
    b.put_text(sheet, row, LABEL, b.ends_words(book, found.drawn), book, font_color=MUTED_INK)
    return row + 1


def _homes(book: Book, sheet: Worksheet, assessment: Assessment, territory: Territory, code: str, row: int) -> int:
    """The communes that most users come from."""
    row = _block(book, sheet, row, "homes", ("commune", "users", "share", "hours"))
    first = row
    for line in home_communes(assessment, territory, code).to_dict("records"):
        b.put_text(sheet, row, LABEL, line["name"], book)
        for column, (key, form) in enumerate(
            (("users", "one"), ("users_share", "share"), ("hours_per_year", "whole")), 1
        ):
            b.put(sheet, row, column, float(line[key]), book, form)
        row += 1
    b.flag_negative(sheet, book, first, 3, max(row - 1, first), 3)
    return row


_TRAVEL = (
    ("days", "whole", ""), ("days_user", "one", "={weeks_per_year}*{telework_days_per_week}"
     "*MIN({hub_days_per_user_per_week}/{telework_days_reference},1)"),
    ("users_of", "one", "=IF({days_user}>0,{days}/{days_user},0)"), ("avoided_days", "whole", ""),
    ("avoided_min", "whole", ""), ("access_min", "whole", ""), ("hours_of", "whole", "=({avoided_min}-{access_min})/60"),
    ("hours_user", "one", "=IF({users_of}>0,{hours_of}/{users_of},0)"), ("avoided_km", "whole", ""),
    ("access_km", "whole", ""), ("vehicle_km", "whole", "={avoided_km}*(1-{rebound_share})-{access_km}"),
    ("km_eur", "three", "=(1-{electric_share_today})*{consumption_l_per_100_km}/100*{fuel_price_eur_per_l}"
     "+{electric_share_today}*{electric_cost_eur_per_km}+{non_fuel_cost_eur_per_km}"),
    ("eur", "whole", "={vehicle_km}*{km_eur}"),
    ("km_kg", "three", "=(1-{electric_share_then})*({fleet_emission_kg_per_km}-{electric_share_today}"
     "*{electric_emission_kg_per_km})/(1-{electric_share_today})+{electric_share_then}*{electric_emission_kg_per_km}"),
    ("kg", "whole", "={vehicle_km}*{km_kg}"),
)  # fmt: skip
"""Steps from days at the hub to hours, euros and kg: key, form, formula over the steps and the sheet Hypothèses ('': the
model's value)."""


def _travel(
    book: Book, sheet: Worksheet, assessment: Assessment, territory: Territory, parameters: Parameters, code: str, row: int
) -> int:  # fmt: skip
    """From days at the hub to hours, euros and kg, step by step: what the model gives, then formulas that close."""
    row = _block(book, sheet, row, "travel", ("step", "a_year", "how"))
    sheet.merge_range(row - 1, 2, row - 1, LAST_COLUMN, b.words(book, "site_sheet.how"), b.header_style(book))
    scenario = assessment.scenario
    values, sums = parameter_values(scenario, parameters), travel_of(assessment, territory, parameters, code)
    days, per_user, kept = float(sums.hub_days[0]), hub_days_per_user(scenario, values), float(hours(sums)[0])
    km, per_km, kg_km = (
        float(vehicle_km(sums, values)[0]),
        cost_per_km_eur(scenario, values),
        emission_kg_per_km(scenario, values),
    )
    users = days / per_user if per_user > 0.0 else 0.0
    now = {
        "days": days, "days_user": per_user, "users_of": users, "avoided_days": float(sums.avoided_days[0]),
        "avoided_min": float(sums.avoided_min[0]), "access_min": float(sums.access_min[0]), "hours_of": kept,
        "hours_user": kept / users if users > 0.0 else 0.0, "avoided_km": float(sums.avoided_km[0]),
        "access_km": float(sums.access_km[0]), "vehicle_km": km, "km_eur": per_km, "eur": km * per_km, "km_kg": kg_km,
        "kg": km * kg_km,
    }  # fmt: skip
    cells = {key: assumption_cell(book, parameters, key) for key in parameters}
    cells["electric_share_then"] = cells[f"electric_share_{scenario.climate.removeprefix('tracc_')}"]
    cells |= {key: b.local(row + at, 1) for at, (key, _, _) in enumerate(_TRAVEL)}
    first = row
    for key, form, formula in _TRAVEL:
        b.put_text(sheet, row, LABEL, b.words(book, f"site_sheet.travel_{key}"), book, bold=key in _KEPT)
        if formula:
            b.put_formula(sheet, row, 1, formula.format(**cells), now[key], book, form, bold=key in _KEPT)
        else:
            b.put(sheet, row, 1, now[key], book, form)
        b.put_text(sheet, row, 2, b.words(book, f"site_sheet.how_{key}"), book, font_color=MUTED_INK, indent=1)
        row += 1
    b.flag_negative(sheet, book, first, 1, row - 1, 1)
    return row


def _gates(book: Book, sheet: Worksheet, dossier: Dossier, code: str, core_users: float, row: int) -> int:
    """Answers, remarks and notes of the project holder: text, whatever it begins with."""
    row = _block(book, sheet, row, "gates", ("question", "answer", "remark"))
    sheet.merge_range(row - 1, 2, row - 1, LAST_COLUMN, b.words(book, "site_sheet.remark"), b.header_style(book))
    notes = dossier.site(code)
    for question in (*ASKED_GATES, *CHECKLIST):
        b.put_text(sheet, row, 0, b.words(book, f"site_sheet.q.{question}"), book, valign="top")
        b.put_text(sheet, row, 1, b.words(book, f"site_sheet.a.{notes.answer(question) or 'none'}"), book, valign="top")
        row = _long_text(book, sheet, row, notes.remark(question))
    named = b.words(book, "site_sheet.named", core=f"{core_users:g}")
    b.put_text(sheet, row, 0, named, book)
    b.put(sheet, row, 1, notes.named_users, book, "whole", align="left")
    row += 1
    if notes.notes:
        b.put_text(sheet, row, 0, b.words(book, "site_sheet.notes"), book, valign="top")
        row = _long_text(book, sheet, row, notes.notes)
    return row


def _long_text(book: Book, sheet: Worksheet, row: int, text: str) -> int:
    """Text over the columns right of the answer, as high as it needs; the row below."""
    if text:
        sheet.merge_range(row, 2, row, LAST_COLUMN, "", b.style(book, text_wrap=True, valign="top"))
        b.put_text(sheet, row, 2, text, book, text_wrap=True, valign="top")
        lines = sum(max(1, -(-len(line) // 90)) for line in text.splitlines())
        sheet.set_row(row, min(400.0, 15.0 * lines))
    return row + 1
