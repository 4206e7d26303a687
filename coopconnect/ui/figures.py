"""The figures of the screen: value, range, difference from the reference, and what each rests on.

A figure is a card that opens (a native `<details>`: no round trip, works from the keyboard) on its formula, its
parameters with source and status, and the data behind it, official or modelled.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from coopconnect.model.types import Assessment, Range
from coopconnect.parameters import Parameter
from coopconnect.scenario import parameter_values
from coopconnect.show.describe import colon, with_parameter_unit
from coopconnect.show.words import euros, hours, number, percent, say
from coopconnect.territory.types import Provenance, Territory
from coopconnect.ui.frame import Page

Formatter = Callable[..., str]

RESTS_ON: dict[str, tuple[str, ...]] = {
    "viable": (
        "hub_share_reference", "hub_days_per_user_per_week", "day_price_eur", "council_contribution_eur_per_year",
        "opex_{premises}_eur_per_year", "capex_{premises}_eur",
    ),
    "hours": ("substitution_reference", "hub_share_reference", "home_unsuitable_share", "commute_peak_factor"),
    "eur": ("substitution_reference", "fuel_price_eur_per_l", "consumption_l_per_100_km", "rebound_share"),
    "kg": ("substitution_reference", "fleet_emission_kg_per_km", "rebound_share", "occupancy_commute"),
    "viability": (
        "hub_share_reference", "day_price_eur", "council_contribution_eur_per_year",
        "opex_{premises}_eur_per_year", "capex_{premises}_eur",
    ),
}  # fmt: skip
"""Parameters named under each figure: the ones that move it most."""

_READ_BY_THE_MODEL = ("workers", "jobs", "flows", "rural", "travel", "climate")
MADE_OF: dict[str, tuple[str, ...]] = dict.fromkeys(RESTS_ON, _READ_BY_THE_MODEL)
"""Tables that each figure is made of, in the order of the provenance: one that changes moves it, and no other does. They are the
same for all five: each goes through who chooses the hub, which reads them all. Jobs count through the modelled flows only."""


@dataclass(frozen=True)
class Figure:
    """One figure: `kind` names its formula and parameters, `before` is its central value in the reference.

    drawn: draws whose 5 and 95 % the range is; 0 where it is the range of assumptions moved one at a time.
    """

    kind: str
    label: str
    range: Range
    before: float | None
    formatter: Formatter
    note: str = ""
    bad: bool = False
    drawn: int = 0


def territory_figures(page: Page, now: Assessment, reference: Assessment) -> list[Figure]:
    """The four headline figures of the whole territory: viable rural communes; hours, euros, kg a household."""
    language = page.language

    def total(kind: str, name: str, formatter: Formatter, note: str = "") -> Figure:
        value = now.totals[name]
        label = page.say(f"figure.{kind}")
        return Figure(kind, label, value, reference.totals[name].value, formatter, note, value.value < 0, now.drawn)

    replaced = hours(mean_if_replaced(now), language)
    lost = float(now.households.loc[now.households["hours_to"] <= 0.0, "users_share"].sum())
    middle = float(now.deciles.loc[now.deciles["decile"] == 50, "hours_rural"].iloc[0])
    after = now.totals["eur_per_participating_household"].value - float(
        now.sites["price_paid_per_participating_household_eur"].iloc[0]
    )
    return [
        total("viable", "viable_rural_sites", _count(language), page.say("figure.viable_note", sites=_rural(page, now))),
        total(
            "hours", "hours_per_participating_household", _hours(language),
            page.say("figure.hours_note", hours=replaced, median=hours(middle, language), losing=percent(lost, language)),
        ),
        total(
            "eur", "eur_per_participating_household", _euros(language),
            page.say("figure.eur_note", after=euros(after, language)),
        ),
        total("kg", "kg_co2e_per_participating_household", _kilos(language)),
    ]  # fmt: skip


def site_figures(page: Page, now: pd.Series, reference: pd.Series | None, drawn: int = 0) -> list[Figure]:
    """The four headline figures of one site; drawn: as in its assessment."""
    language = page.language

    def column(kind: str, name: str, formatter: Formatter, note: str) -> Figure:
        value = Range(float(now[f"{name}_low"]), float(now[name]), float(now[f"{name}_high"]))
        before = None if reference is None else float(reference[name])
        bad = value.value < (1.0 if name == "viability" else 0.0)
        return Figure(kind, page.say(f"figure.{kind}"), value, before, formatter, note, bad, drawn)

    replaced = hours(float(now["hours_if_all_replaced"]), language)
    users = number(float(now["users"]), language)
    even = number(float(now["break_even_users"]), language)
    household = "_per_participating_household"
    return [
        column("viability", "viability", _ratio(language), page.say("figure.viability_note", users=users, even=even)),
        column(
            "hours",
            f"hours{household}",
            _hours(language),
            page.say(
                "figure.hours_note",
                hours=replaced,
                median=hours(float(now["hours_d5"]), language),
                losing=percent(float(now["losing_share"]), language),
            ),
        ),
        column(
            "eur",
            f"eur{household}",
            _euros(language),
            page.say(
                "figure.eur_note", after=euros(float(now["eur_after_price_per_participating_household"]), language)
            ),
        ),
        column("kg", f"kg_co2e{household}", _kilos(language), ""),
    ]


def mean_if_replaced(assessment: Assessment) -> float:
    """Hours a year of a user whose every hub day replaces a drive: mean over rural sites, weighted by users."""
    sites = assessment.sites
    pool = (sites["rural"] & sites["available"]).to_numpy(bool)
    pool = pool if pool.any() else sites["available"].to_numpy(bool)
    users = sites["users"].to_numpy(float)[pool]
    values = sites["hours_if_all_replaced"].to_numpy(float)[pool]
    total = float(users.sum())
    return float(np.nansum(users * values) / total) if total > 0.0 else 0.0


def figures_html(page: Page, figures: list[Figure], territory: Territory) -> str:
    """All cards as one piece of HTML; every text is escaped."""
    cards = "".join(_card(page, figure, territory) for figure in figures)
    return f'<div class="figures">{cards}</div>'


def _card(page: Page, figure: Figure, territory: Territory) -> str:
    f = figure.formatter
    value = html.escape(f(figure.range.value))
    key = "figure.between_drawn" if figure.drawn else "figure.between"
    draws = number(figure.drawn, page.language)
    between = page.say(key, low=f(figure.range.low), high=f(figure.range.high), draws=draws)
    flat = figure.range.low == figure.range.high
    lines = [
        f'<span class="label">{html.escape(figure.label)}</span>',
        f'<span class="number">{value}</span>',
        "" if flat else f'<span class="between">{html.escape(between)}</span>',
        f'<span class="delta{" same" if _delta(page, figure) == page.say("figure.same") else ""}">'
        f"{html.escape(_delta(page, figure))}</span>",
        f'<span class="note">{html.escape(figure.note)}</span>' if figure.note else "",
    ]
    bad = " bad" if figure.bad else ""
    return (
        f'<details class="figure{bad}" name="figure"><summary>{"".join(lines)}</summary>'
        f'<div class="why">{_why(page, figure, territory)}</div></details>'
    )


def _delta(page: Page, figure: Figure) -> str:
    if figure.before is None:
        return ""
    change = figure.formatter(figure.range.value - figure.before, signed=True)
    if change == figure.formatter(0.0, signed=True):
        return page.say("figure.same")
    return page.say("figure.delta", change=change)


def _why(page: Page, figure: Figure, territory: Territory) -> str:
    values = parameter_values(page.scenario, page.parameters)
    keys = [key.format(premises=page.scenario.premises) for key in RESTS_ON[figure.kind]]
    rows = "".join(parameter_row(page, page.parameters[key], values[key]) for key in keys if key in page.parameters)
    data = "".join(
        f"<li>{html.escape(say(f'table.{p.table}', page.language) if _named(p.table) else p.table)}{colon(page.language)}"
        f"<b>{html.escape(page.say(f'kind.{p.kind}'))}</b>, {html.escape(p.source_in(page.language))} ({html.escape(p.year)})</li>"
        for p in tables_behind(figure.kind, territory)
    )
    remark = page.say("figure.kg_note") if figure.kind == "kg" else ""
    return (
        f"<p>{html.escape(page.say(f'formula.{figure.kind}'))} {html.escape(remark)}</p>"
        f"<h4>{html.escape(page.say('figure.parameters'))}</h4><ul>{rows}</ul>"
        f"<h4>{html.escape(page.say('figure.data'))}</h4><ul>{data}</ul>"
    )


def tables_behind(kind: str, territory: Territory) -> tuple[Provenance, ...]:
    """Provenance of the tables that a figure of this kind is made of. Where all flows were observed, none is built from jobs."""
    observed = any(p.table == "flows" and p.kind in ("official", "own") for p in territory.provenance)
    return tuple(p for p in territory.provenance if p.table in MADE_OF[kind] and not (observed and p.table == "jobs"))


def _named(table: str) -> bool:
    from coopconnect.show.words import known

    return known(f"table.{table}")


def parameter_row(page: Page, item: Parameter, value: float) -> str:
    """One parameter as a line of HTML: its value, source, year and status."""
    shown = with_parameter_unit(value, item.key, page.parameters, page.language)
    status = page.say(f"status.{item.status}")
    year = str(item.valid_from.year)
    return (
        f"<li>{html.escape(item.label(page.language))}{colon(page.language)}<b>{html.escape(shown)}</b> "
        f"<small>{html.escape(item.source_in(page.language))} ({year}), {html.escape(status)}</small></li>"
    )


def _rural(page: Page, assessment: Assessment) -> str:
    sites = assessment.sites
    return number(float((sites["rural"] & sites["available"]).sum()), page.language)


def _count(language: str) -> Formatter:
    return lambda value, signed=False: number(value, language, signed=signed)


def _hours(language: str) -> Formatter:
    return lambda value, signed=False: hours(value, language, signed=signed)


def _euros(language: str) -> Formatter:
    return lambda value, signed=False: euros(value, language, signed=signed)


def _kilos(language: str) -> Formatter:
    return lambda value, signed=False: f"{number(value, language, signed=signed)}\u00a0kg"


def _ratio(language: str) -> Formatter:
    def write(value: float | None, signed: bool = False) -> str:
        if signed and value is not None:  # a change of a percentage is in points
            return f"{number(value * 100, language, signed=True)}\u00a0pts"
        return percent(value, language)

    return write
