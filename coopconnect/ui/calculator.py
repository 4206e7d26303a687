"""The calculator of the page Ménages: where I live, where I work, how many days, what car; my three weeks."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
import streamlit as st

from coopconnect.model.personal import WAYS, Person, Weeks, weeks_of
from coopconnect.model.types import Assessment, Range
from coopconnect.scenario import parameter_values
from coopconnect.show import weeks as words_of
from coopconnect.show.words import hours, number
from coopconnect.territory.anywhere import LONGEST_KM, Drive
from coopconnect.ui import cached, communes, state
from coopconnect.ui.figures import parameter_row
from coopconnect.ui.frame import Page
from coopconnect.ui.futures import ranges_words, weeks_in_draws, with_quantiles
from coopconnect.ui.widget_key import key_for

DAYS = tuple(range(state.MOST_DAYS + 1))
EXAMPLE = ("84047", "84007")
"""Gargas and Avignon: shown where the territory holds them."""

RESTS_ON = {
    "km": ("circuity", "weeks_per_year"),
    "hours": ("commute_peak_factor", "trip_time_error", "weeks_per_year"),
    "eur": ("fuel_price_eur_per_l", "consumption_l_per_100_km", "non_fuel_cost_eur_per_km", "electric_cost_eur_per_km"),
    "kg_co2e": ("fleet_emission_kg_per_km", "electric_emission_kg_per_km", "circuity"),
}
"""Parameters named under each figure."""


@dataclass(frozen=True)
class Reach:
    """A possible hub for a home: code, name, minutes from home, score, and whether the access limit admits it."""

    code: str
    name: str
    minutes: float
    score: float
    near: bool


@dataclass(frozen=True, eq=False)
class Calculation:
    """What was asked and what came out; hub None where none is within reach."""

    home: communes.Commune
    work: communes.Commune
    hub: Reach | None
    person: Person
    weeks: Weeks


def draw_questions(page: Page, now: Assessment) -> tuple[Reach | None, list[Reach]]:
    """The row of questions; returns the hub to reckon with and those within reach."""
    view = page.view
    with st.container(key="questions"):
        first, second = st.columns(2, gap="small")
        with first:
            _commune_field(page, "home")
        with second:
            _commune_field(page, "work")
        days, car, hub_place = st.columns([1.15, 1.15, 1.4], gap="small")
        with days:
            key = key_for("my_days", view.my_days)
            st.segmented_control(
                page.say("house.days"), DAYS, default=view.my_days, key=key, required=True, wrap=True,
                help=page.say("house.days_help"), on_change=_write, args=("my_days", key),
            )  # fmt: skip
        with car:
            key = key_for(f"car_{page.language}", view.car)
            st.segmented_control(
                page.say("house.car"), state.CARS, default=view.car, key=key, required=True, on_change=_write, args=("car", key), wrap=True,
                format_func=lambda name: page.say(f"house.car_{name}"),
            )  # fmt: skip
        with hub_place:
            return _hub_field(page, now)


def _write(field: str, key: str) -> None:
    value = st.session_state[key]
    if value is not None:
        state.look(**{field: value})


def _commune_field(page: Page, field: str) -> None:
    """A commune by its name: what is typed is searched when it is entered, other communes of the name one click away."""
    code = getattr(page.view, field)
    found = communes.commune(code)
    typed = str(st.session_state.get(f"{field}_typed", ""))
    shown = typed if found is None else found.label
    key = key_for(f"{field}_text", shown)
    st.text_input(
        page.say(f"house.{field}"), shown, key=key, placeholder=page.say("house.commune_example"), on_change=_searched,
        args=(field, key),
    )  # fmt: skip
    if code and found is None:
        st.html(f'<p class="hint bad">{html.escape(page.say("house.not_france", code=code))}</p>')
    elif found is None and typed:
        names = ", ".join(communes.near(typed))
        near = page.say("house.near_names", names=names) if names else ""
        st.html(f'<p class="hint bad">{html.escape(page.say("house.unknown", text=typed[:60], near=near))}</p>')
    elif typed:
        _draw_others(page, field, code, typed)


def _draw_others(page: Page, field: str, code: str, typed: str) -> None:
    others = [item for item in communes.find(typed) if item.code != code][:4]
    if others:
        with st.container(key=f"{field}_others", horizontal=True, vertical_alignment="center"):
            st.html(f"<small>{html.escape(page.say('house.or_else'))}</small>", width="content")
            for item in others:
                st.button(
                    item.label, key=f"{field}_{item.code}", type="tertiary", on_click=_picked, args=(field, item.code)
                )


def _searched(field: str, key: str) -> None:
    text = str(st.session_state[key])
    found = communes.find(text)
    st.session_state[f"{field}_typed"] = text.strip()
    state.look(**{field: found[0].code if found else ""})


def _picked(field: str, code: str) -> None:
    state.look(**{field: code})


def hubs_within_reach(page: Page, now: Assessment) -> list[Reach]:
    """Possible hubs for the home, by score: those that the access limit admits; the selected one wherever it is."""
    view, home = page.view, page.view.home
    sites = now.sites
    territory = cached.territory(page.scenario.territory)
    zone = np.flatnonzero((territory.zones["zone_code"] == home).to_numpy())
    rows = now.access_site[now.access_zone == zone[0]] if zone.size else np.array([], dtype=int)
    rows = rows[sites["available"].to_numpy(bool)[rows]]
    rows = rows[np.argsort(-sites["score"].to_numpy(float)[rows], kind="stable")]
    found = [
        _reach(page, str(sites["zone_code"].iloc[r]), str(sites["name"].iloc[r]), float(sites["score"].iloc[r]), True)
        for r in rows
    ]
    chosen = now.site(view.selected)
    if chosen is not None and view.selected not in {item.code for item in found} and communes.commune(home):
        found.append(_reach(page, view.selected, str(chosen["name"]), float(chosen["score"]), False))
    return found


def _reach(page: Page, code: str, name: str, score: float, near: bool) -> Reach:
    return Reach(code, name, cached.anywhere().drive(page.view.home, code).drive_min, score, near)


def best_hub(page: Page, found: list[Reach], now: Assessment) -> Reach | None:
    """The best scored of those within reach: rural, not where one works, and nearer than the office, as far as one can."""
    near = [item for item in found if item.near]
    rural = set(now.sites.loc[now.sites["rural"].to_numpy(bool), "zone_code"])
    work = communes.commune(page.view.work)
    office = cached.anywhere().drive(page.view.home, work.code).drive_min if work else float("inf")
    tests = (
        lambda item: item.code in rural and item.minutes < office and item.code != page.view.work,
        lambda item: item.minutes < office and item.code != page.view.work,
        lambda item: True,
    )
    return next((item for test in tests for item in near if test(item)), None)


def _hub_field(page: Page, now: Assessment) -> tuple[Reach | None, list[Reach]]:
    known = communes.commune(page.view.home) is not None
    found = hubs_within_reach(page, now) if known else []
    best = best_hub(page, found, now) if known else None
    by_code = {item.code: item for item in found}
    chosen = by_code.get(page.view.selected, best)
    options, picked = ["", *by_code], page.view.selected if page.view.selected in by_code else ""
    key = key_for(f"hub_{page.language}", (page.view.home, picked))

    def label(code: str) -> str:
        if not code:
            return page.say("house.hub_best", name=best.name) if best else page.say("house.hub_nowhere")
        item = by_code[code]
        minutes = number(item.minutes, page.language)
        if not item.near:
            return page.say("house.hub_option_far", name=item.name, minutes=minutes)
        return page.say("house.hub_option", name=item.name, minutes=minutes, score=number(item.score, page.language))

    st.selectbox(
        page.say("house.hub"), options, options.index(picked), key=key, format_func=label, on_change=_hub_picked,
        args=(key,), disabled=not found,
    )  # fmt: skip
    return chosen, found


def _hub_picked(key: str) -> None:
    state.select(str(st.session_state[key] or ""))


def calculate(page: Page, hub: Reach | None) -> Calculation | None:
    """The three weeks of what was asked; None where something is missing or too far, which is told."""
    home, work = communes.commune(page.view.home), communes.commune(page.view.work)
    if home is None or work is None:
        key = "start" if home is work else "missing_home" if home is None else "missing_work"
        st.html(f'<p class="hint">{html.escape(page.say(f"house.{key}"))}</p>')
        if home is work:
            _draw_example(page)
        return None
    commute = cached.anywhere().drive(home.code, work.code)
    if commute.road_km > LONGEST_KM:
        values = {
            "home": home.name,
            "work": work.name,
            "km": number(commute.road_km, page.language),
            "most": f"{LONGEST_KM:.0f}",
        }
        st.html(f'<p class="hint bad">{html.escape(page.say("house.too_far", **values))}</p>')
        return None
    drive = cached.anywhere().drive(home.code, hub.code) if hub else None
    person = Person(commute, drive, page.view.my_days, page.view.car)
    weeks = weeks_in_draws(page, person, weeks_of(person, page.scenario, page.parameters))
    return Calculation(home, work, hub, person, weeks)


def _draw_example(page: Page) -> None:
    zones = cached.territory(page.scenario.territory).zones["zone_code"]
    if set(EXAMPLE) <= set(zones):
        home, work = (communes.commune(code) for code in EXAMPLE)
        if home and work:
            label = page.say("house.example", home=home.name, work=work.name)
            st.button(label, key="example", on_click=state.look, kwargs={"home": home.code, "work": work.code})


def draw_weeks(page: Page, found: Calculation) -> None:
    """The verdict, then three columns, then what one should know."""
    columns = "".join(_column(page, found, way) for way in WAYS)
    st.html(f'{_verdict(page, found)}<div class="weeks">{columns}</div>{_notes(page, found)}')


def _text(text: str) -> str:
    return html.escape(text)


def _verdict(page: Page, found: Calculation) -> str:
    """What the person keeps, beside what the average user of the model keeps."""
    mine = f"<b>{_text(page.say('house.you'))}</b>{_text(verdict(page, found))}"
    bad = found.hub is not None and found.weeks.days > 0 and words_of.is_loss(found.weeks.kept["hub", "hours"], "hours")
    html_text = f'<p class="{"bad" if bad else ""}">{mine}</p>'
    average = average_line(page, found)
    if average:
        html_text += f"<p><b>{_text(page.say('house.average'))}</b>{_text(average)}</p>"
    return f'<div class="verdict">{html_text}</div>'


def verdict(page: Page, found: Calculation) -> str:
    """The person's year in a sentence, with its range."""
    weeks, language = found.weeks, page.language
    if weeks.days == 0:
        return page.say("house.verdict_none")
    days = str(weeks.days)
    if found.hub is None:
        return page.say("house.verdict_home", days=days, hours=_kept(weeks, "home", "hours", language))
    kept = weeks.kept["hub", "hours"]
    if words_of.is_loss(kept, "hours"):
        lost = hours(-kept.value, language)
        return page.say("house.verdict_loss", days=days, hours=lost, hub=found.hub.name)
    time = _kept(weeks, "hub", "hours", language)
    if ("hub", "eur") not in weeks.kept:
        return page.say("house.verdict_time", days=days, hours=time, hub=found.hub.name)
    money = _kept(weeks, "hub", "eur", language)
    return page.say("house.verdict", days=days, hours=time, euros=money, hub=found.hub.name)


def _kept(weeks: Weeks, way: str, measure: str, language: str) -> str:
    """A yearly difference with its range: '92 h (de 60 h à 110 h)'."""
    kept, write = weeks.kept[way, measure], words_of.writer(measure, language)
    between = words_of.range_text(kept, write, language)
    return f"{write(kept.value)} ({between})" if between else write(kept.value)


def average_line(page: Page, found: Calculation) -> str:
    """What the average user of the hub keeps by the model, '' where there is no user."""
    if found.hub is None:
        return ""
    totals = cached.households(page.scenario, found.hub.code).totals
    if totals["users"].value <= 0.0:
        return ""
    site = with_quantiles(page, cached.assessment(page.scenario)).site(found.hub.code)
    parts = {}
    for name, measure in (("hours", "hours"), ("euros", "eur"), ("kg", "kg_co2e")):
        kept, write = totals[f"{measure}_per_user"], words_of.writer(measure, page.language)
        if site is not None and found.weeks.drawn:  # the same figure, with the ranges of the draws
            column = f"{measure}_per_participating_household"
            kept = Range(float(site[f"{column}_low"]), kept.value, float(site[f"{column}_high"]))
        between = words_of.range_text(kept, write, page.language)
        parts[name] = f"{write(kept.value)} ({between})"
    return page.say("house.average_line", hub=found.hub.name, **parts)


def _column(page: Page, found: Calculation, way: str) -> str:
    values = parameter_values(page.scenario, page.parameters)
    language, title = page.language, words_of.title_of(way, page.language)
    if way == "hub" and found.hub is None:
        territory = cached.territory(page.scenario.territory).name
        minutes = number(page.scenario.access_max_min, language)
        why = page.say("house.no_hub", territory=territory, minutes=minutes, home=found.home.name)
        return f'<section class="week empty"><h3>{_text(title)}</h3><p>{_text(why)}</p></section>'
    hub = found.hub.name if found.hub else ""
    days = words_of.days_line(way, found.weeks, values, found.work.name, hub, language)
    rows = "".join(_row(page, found, way, cell, values) for cell in words_of.cells(found.weeks, way, language))
    tail = _price(page, found) if way == "hub" else ""
    if way == "home":
        tail = f'<p class="aside">{_text(page.say("house.home_cost"))}</p>'
    return f'<section class="week {way}"><h3>{_text(title)}</h3><p class="days">{_text(days)}</p>{rows}{tail}</section>'


def _row(page: Page, found: Calculation, way: str, cell: words_of.Cell, values: dict[str, float]) -> str:
    if not cell.known:
        return f'<div class="row"><span class="label">{_text(cell.label)}</span><span class="between">{_text(cell.between)}</span></div>'
    kept = ""
    if cell.kept:
        between = f" <small>({_text(cell.kept_between)})</small>" if cell.kept_between and found.weeks.days else ""
        kept = f'<span class="kept{" bad" if cell.bad else ""}">{_text(cell.kept)}{between}</span>'
        if cell.bad and way == "hub" and cell.measure == "hours":
            kept += f'<span class="reason">{_text(reason(page, found))}</span>'
    formula = words_of.formula(cell.measure, way, found.person, found.weeks, page.scenario, values, page.language)
    keys = [key for key in RESTS_ON[cell.measure] if _counts(key, found.person)]
    rows = "".join(parameter_row(page, page.parameters[key], values[key]) for key in keys)
    year = page.say("house.formula.year", weeks=number(values["weeks_per_year"], page.language))
    return (
        f'<details class="row" name="week"><summary><span class="label">{_text(cell.label)}</span>'
        f'<span class="number">{_text(cell.week)} <small>{_text(page.say("house.per_week"))}</small></span>'
        f'<span class="between"><span>{_text(cell.between)}</span> <span>{_text(page.say("house.per_year", value=cell.year))}</span></span>'
        f"{kept}</summary>"
        f'<div class="why"><p>{_text(formula)}. {_text(year)}</p><ul>{rows}</ul></div></details>'
    )  # fmt: skip


def _counts(key: str, person: Person) -> bool:
    """Whether a parameter enters this person's figures."""
    if key in ("circuity", "trip_time_error"):
        return not (person.commute.routed and (person.hub is None or person.hub.routed))
    if key in ("fuel_price_eur_per_l", "consumption_l_per_100_km", "fleet_emission_kg_per_km"):
        return person.car == "thermal"
    return key not in ("electric_cost_eur_per_km",) or person.car == "electric"


def reason(page: Page, found: Calculation) -> str:
    """Why the hub takes time from this person."""
    hub, office = _minutes(page, found)
    return page.say("house.reason_far", hub=hub, office=office)


def _minutes(page: Page, found: Calculation) -> tuple[str, str]:
    """Minutes to the hub, and to the office at peak time."""
    values = parameter_values(page.scenario, page.parameters)
    hub = found.person.hub.drive_min if found.person.hub else 0.0
    return number(hub, page.language), number(
        found.person.commute.drive_min * values["commute_peak_factor"], page.language
    )


def _price(page: Page, found: Calculation) -> str:
    """The price of the hub, apart, and what is left of the euros once it is paid."""
    told = words_of.paid(found.weeks, page.scenario, page.language)
    if told is None:
        return ""
    parts = f'<span class="label">{_text(page.say("house.price"))}</span><span class="number small">{_text(told.price)}</span>'
    if told.left:
        parts += (
            f'<span class="label">{_text(page.say("house.left"))}</span>'
            f'<span class="kept{" bad" if told.bad else ""}">{_text(told.left)} <small>({_text(told.between)})</small></span>'
        )
    if told.reason:
        parts += f'<span class="reason">{_text(told.reason)}</span>'
    return f'<div class="row price">{parts}</div>'


def _notes(page: Page, found: Calculation) -> str:
    return '<ul class="notes">' + "".join(f"<li>{_text(note)}</li>" for note in notes(page, found)) + "</ul>"


def notes(page: Page, found: Calculation) -> list[str]:
    """What one should know of this calculation."""
    person, language = found.person, page.language
    territory = cached.territory(page.scenario.territory)
    hub_min, office_min = _minutes(page, found)
    trips = {"office_km": number(person.commute.road_km, language), "office_min": office_min}
    if person.hub is not None:
        told = [page.say("house.trip", **trips, hub_km=number(person.hub.road_km, language), hub_min=hub_min)]
    else:
        told = [page.say("house.trip_office", **trips)]
    drives: list[Drive] = [drive for drive in (person.commute, person.hub) if drive is not None]
    told.append(page.say("house.note_routed" if all(d.routed for d in drives) else "house.note_estimated"))
    if found.home.code == found.work.code:
        told.append(page.say("house.note_same"))
    inside = set(territory.zones["zone_code"])
    for place in dict.fromkeys((found.home, found.work)):
        if place.code not in inside:
            told.append(page.say("house.note_outside", name=place.name, territory=territory.name))
    if found.hub is not None and not found.hub.near:
        most = number(page.scenario.access_max_min, language)
        told.append(page.say("house.note_far_hub", hub=found.hub.name, minutes=hub_min, most=most))
    told.append(page.say("house.note_no_car" if person.car == "none" else "house.note_car"))
    told.append(ranges_words(page, found.weeks.drawn))
    return told
