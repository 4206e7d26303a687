"""What each of the three arguments says: for the elected, for employers, for State services. Weak points come first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from coopconnect.export import argument_facts as say_of
from coopconnect.export.argument_facts import (
    Facts,
    assumed,
    between,
    card,
    count,
    money,
    ranged,
    row,
    share,
    table_kind,
    time,
    tonnes,
)
from coopconnect.export.argument_plots import Plot, hours_bars, ladder, range_strip
from coopconnect.model.site_sheet import premises_comparison, refusal_cost, verdict
from coopconnect.show.charts import share_below
from coopconnect.show.words import NOTHING, percent

Content = dict[str, Any]

_KG_PER_T = 1000.0
CLOSE_MARKS = 0.4
"""Two marks of a drawing nearer than this part of its width share one label."""


# --- for the elected ------------------------------------------------------------------------------------------------


def elected(f: Facts) -> Content:
    """For a council: does it hold, what it costs the commune, whom it serves, what to decide next."""
    even = f["break_even_users"]
    return {
        "message": _verdict(f),
        "bad": verdict(f.site, f.values["core_users_gate"]).level == "no",
        "weak": _weak_elected(f),
        "cards": [
            card(f, "card.users", count(f)(f["users"]), _range(f, "users", count(f)), not f.site["enough_users"]),
            card(f, "card.viability", share(f)(f["viability"]), _range(f, "viability", share(f)), f["viability"] < 1),
            _hours_card(f),
            card(f, "card.per_inhabitant", money(f, 2)(say_of.contribution(f) / max(f["population"], 1.0)),
                 f.say("argument.card.per_inhabitant_note", contribution=money(f)(say_of.contribution(f)))),
        ],
        "blocks": [
            {"title": f.say("argument.block.who"), "rows": _who(f)},
            {"title": f.say("argument.block.change"), "rows": _change(f)},
            {"title": f.say("argument.block.cost"), "rows": _cost(f, even)},
        ],
        "plots": [_users_strip(f, even), _viability_strip(f), _hours_plot(f)],
        "actions": {"title": f.say("argument.council.title"), "items": _council(f)},
        "notes": [_substitutes(f), _shops(f)],
        "sources": ("hub_share_reference", "substitution_reference", "local_spending_claim_eur_per_year"),
    }  # fmt: skip


def _hours_card(f: Facts) -> dict[str, Any]:
    name = "hours_per_participating_household"
    if not f.occupied:
        return card(f, "card.hours", NOTHING, "")
    return card(f, "card.hours", time(f)(f[name]), _range(f, name, time(f)), f[name] < 0)


def _range(f: Facts, name: str, write: say_of.Write) -> str:
    return between(f, f.low(name), f.high(name), write)


def _verdict(f: Facts) -> str:
    """The answer in one sentence: what stops the project first, else how well it holds."""
    core, write = f.values["core_users_gate"], share(f)
    words = {
        "value": write(f["viability"]), "low": write(f.low("viability")), "high": write(f.high("viability")),
        "users": count(f, 1)(f["users"]), "most": count(f)(f.high("users")), "core": count(f)(core),
        "even": count(f)(f["break_even_users"]),
    }  # fmt: skip
    found = verdict(f.site, core)
    if "refused" in found.weak:
        key = "refused"
    elif not f.occupied:
        key = "nobody"
    elif "adds_driving" in found.weak:
        key = "adds_driving"
    elif "users" in found.weak:
        key = "few_hope" if f.high("users") >= core else "few"
    elif "viability" in found.weak:
        key = "hope" if f.high("viability") >= 1.0 else "no"
    else:
        key = "middle" if "viability_low" in found.weak else "holds"
    return f.say(f"argument.verdict.{key}", **words)


def _weak_elected(f: Facts) -> list[str]:
    found = [_red_flag(f)] if f.site["red_flag"] else []
    missing = [f.say(f"argument.gate.{name}") for name, passed in say_of.gates(f).items() if not passed]
    if missing:
        found.append(f.say("argument.weak.not_ready", names=", ".join(missing)))
    item = f.parameters["hub_share_reference"]
    found.append(
        f.say(
            "argument.weak.users",
            share=percent(f.values["hub_share_reference"], f.language, 1),
            low=percent(item.low, f.language, 1),
            high=percent(item.high, f.language, 1),
        )
    )
    if f.occupied:
        found += [_losing(f), _after_price(f)]
    found.append(f.say("argument.weak.modelled" if f.assessment.modelled else "argument.weak.reopen"))
    return found


def _after_price(f: Facts) -> str:
    saved = f["eur_per_participating_household"]
    key = "weak.after_price" if saved >= 0.0 else "weak.after_price_more"
    return f.say(
        f"argument.{key}", price=money(f)(f["price_paid_per_participating_household_eur"]), saved=money(f)(abs(saved))
    )


def _red_flag(f: Facts) -> str:
    return f.say("argument.weak.red_flag", hours=count(f)(f["hours_per_year"]), kg=tonnes(f)(f["kg_co2e_per_year"]))


def _losing(f: Facts) -> str:
    return f.say("argument.weak.losing", share=share(f)(f["losing_share"]))


def _who(f: Facts) -> list[dict[str, Any]]:
    near = table_kind(f, "population", "travel")
    access = count(f)(f.scenario.access_max_min)
    return [
        row(f, "row.residents", count(f)(f["population_within_reach"]), near, minutes=access),
        row(f, "row.households", count(f)(f["households_within_reach"]), near),
        row(f, "row.workers", count(f)(f["workers_within_reach"]), table_kind(f, "workers", "travel")),
        ranged(f, "row.users", "users", count(f)),
    ]


def _change(f: Facts) -> list[dict[str, Any]]:
    spread = f.say("argument.spread", d1=count(f)(f["hours_d1"]), d9=count(f)(f["hours_d9"])) if f.occupied else ""
    return [
        ranged(f, "row.hours_household", "hours_per_participating_household", time(f)),
        row(
            f,
            "row.hours_median",
            _or_nothing(f, time(f)(f["hours_d5"])),
            f.say("argument.modelled"),
            spread,
            f["hours_d5"] < 0,
        ),
        row(f, "row.hours_replaced", _or_nothing(f, time(f)(f["hours_if_all_replaced"])), f.say("argument.modelled")),
        ranged(f, "row.eur_household", "eur_per_participating_household", money(f)),
    ]


def _cost(f: Facts, even: float) -> list[dict[str, Any]]:
    capex = say_of.capex(f)
    inhabitants = max(f["population_within_reach"], 1.0)
    given = say_of.contribution(f)
    near = (
        f.say("argument.near_inhabitant", value=money(f, 2)(given / inhabitants))
        if f["population_within_reach"] > 0
        else ""
    )
    return [
        ranged(f, "row.cost", "yearly_cost_eur", money(f)),
        row(f, "row.contribution", money(f)(given), f.say("argument.your_choice"), near),
        row(f, "row.day", _or_nothing(f, money(f, 2)(f["net_public_cost_per_day_eur"])), f.say("argument.modelled")),
        row(f, "row.capex", money(f)(f.values[capex.key]), say_of.origin(f, capex), between(f, capex.low, capex.high, money(f))),
        _premises(f),
        row(f, "row.even", count(f)(even) if math.isfinite(even) else f.say("argument.never"), f.say("argument.modelled")),
    ]  # fmt: skip


def _premises(f: Facts) -> dict[str, Any]:
    """What premises of its own would cost more, a year: the price of a room refused."""
    found = premises_comparison(f.territory, f.scenario, f.parameters, str(f.site["zone_code"]), f.home)
    return row(f, "row.premises", money(f)(found.saving_eur_per_year), f.say("argument.modelled"))


def _or_nothing(f: Facts, text: str) -> str:
    return text if f.occupied else NOTHING


def _users_strip(f: Facts, even: float) -> Plot:
    core = f.values["core_users_gate"]
    marks = [(core, f.say("argument.plot.core", core=count(f)(core)))]
    if math.isfinite(even) and abs(even - core) > CLOSE_MARKS * max(f.high("users"), even, core):
        marks.append((even, f.say("argument.plot.even", even=count(f)(even))))
    elif math.isfinite(even):
        marks = [(even, f.say("argument.plot.core_even", core=count(f)(core), even=count(f)(even)))]
    alt = f.say(
        "argument.plot.users_alt",
        low=count(f)(f.low("users")),
        value=count(f)(f["users"]),
        high=count(f)(f.high("users")),
    )
    return range_strip(
        f.say("argument.plot.users"), f.low("users"), f["users"], f.high("users"), count(f), alt, marks=marks
    )


def _viability_strip(f: Facts) -> Plot:
    low, value, high = f.low("viability"), f["viability"], f.high("viability")
    alt = f.say("argument.plot.viability_alt", low=share(f)(low), value=share(f)(value), high=share(f)(high))
    return range_strip(
        f.say("argument.plot.viability"), low, value, high, share(f), alt, marks=[(1.0, f.say("argument.plot.balance"))]
    )


def _hours_plot(f: Facts) -> Plot | None:
    """Who keeps time and who loses some; None where nobody would come."""
    counts = f.assessment.histogram[int(np.flatnonzero(f.assessment.sites["zone_code"] == f.site["zone_code"])[0])]
    total = float(counts.sum())
    if total <= 0.0:
        return None
    shares = counts / total
    edges = np.asarray(f.assessment.histogram_edges, float)
    losing = share_below(edges, shares, 0.0)
    words = {"losing": share(f)(losing), "keeping": share(f)(1.0 - losing)}
    return hours_bars(
        f.say("argument.plot.hours"), edges, shares, f.say("argument.plot.hours_alt", **words),
        f.say("argument.plot.losing", **words), f.say("argument.plot.keeping", **words), lambda v: f"{count(f)(v)}\u00a0h",
    )  # fmt: skip


def _council(f: Facts) -> list[dict[str, Any]]:
    """What the next council can decide: gates first, in the order in which they stop a project."""
    state, hosts = say_of.gates(f), say_of.host_list(f)
    core = count(f)(f.values["core_users_gate"])
    items = [
        _host_item(f, hosts, state["host"]),
        _item(f, "council.fibre_done" if state["fibre"] else "council.fibre_no" if state["fibre"] is False else "council.fibre", state["fibre"]),
        _item(f, "council.users", state["users"], named=count(f)(f.notes.named_users), core=core),
        _item(f, "council.lead_done" if state["lead"] else "council.lead", state["lead"]),
        _item(f, "council.money", None, contribution=money(f)(say_of.contribution(f))),
    ]  # fmt: skip
    left = say_of.open_questions(f)
    if left:
        names = ", ".join(f.say(f"argument.human.{q}") for q in left)
        items.append(_item(f, "council.human", None, names=names))
    else:
        items.append(_item(f, "council.survey", None))
    return items


def _item(f: Facts, key: str, done: bool | None, **words: object) -> dict[str, Any]:
    return {"text": f.say(f"argument.{key}", **words), "done": bool(done)}


def _host_item(f: Facts, hosts: dict[str, list[str]], state: bool | None) -> dict[str, Any]:
    if state:
        return _item(f, "council.host_done", True, name=_shortened(hosts["agreed"]))
    if state is False:
        return _item(f, "council.host_refused", False)
    if hosts["asked"]:
        return _item(f, "council.host_asked", False, name=_shortened(hosts["asked"]))
    return _item(f, "council.host", False, names=_shortened(hosts["unknown"]))


_MOST_NAMES = 2
_MOST_LETTERS = 44


def _shortened(names: Sequence[str]) -> str:
    """The first two names, each at most 44 letters, and how many more."""
    shown = [n if len(n) <= _MOST_LETTERS else f"{n[: _MOST_LETTERS - 1].rstrip()}…" for n in names[:_MOST_NAMES]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" (+{more})" if more > 0 else "")


def _substitutes(f: Facts) -> dict[str, str]:
    found = say_of.substitutes(f)
    listed = f.say("argument.and").join(
        f.say("argument.note.substitute", name=name, score=count(f)(score), minutes=count(f)(minutes))
        for name, score, minutes in found
    )
    text = f.say("argument.note.substitutes", listed=listed) if found else f.say("argument.note.no_substitute")
    lost = refusal_cost(f.assessment, str(f.site["zone_code"]))
    if lost is not None and lost.hours_lost_per_year > 0.0:
        text += " " + f.say(
            "argument.note.refusal", name=lost.substitute_name, hours=count(f)(lost.hours_lost_per_year)
        )
    return {"lead": f.say("argument.note.elsewhere"), "text": text}


def _shops(f: Facts) -> dict[str, str]:
    item = f.parameters["local_spending_claim_eur_per_year"]
    return {"lead": f.say("argument.note.shops"), "text": f.say("argument.note.shops_text", value=money(f)(item.value))}


# --- for employers --------------------------------------------------------------------------------------------------


def employers(f: Facts) -> Content:
    """For an employer: what staff keep, what a day costs against a desk of one's own, what an agreement must say."""
    price = say_of.user_price(f)
    desk = full_desk_price(f)
    yearly = say_of.user_days(f)
    return {
        "message": f.say(
            "argument.employer.message", price=money(f)(price), days=count(f)(yearly), hours=time(f)(f["hours_if_all_replaced"])
        ) if f.occupied else f.say("argument.verdict.nobody"),
        "bad": not f.occupied,
        "weak": _weak_employers(f),
        "cards": [
            card(f, "card.price", money(f)(price), f.say("argument.card.price_note", day=money(f)(f.scenario.day_price_eur))),
            card(f, "card.desk", money(f)(desk), f.say("argument.card.desk_note")),
            card(f, "card.allowed", share(f, 1)(_allowed(f)), f.say("argument.card.allowed_note")),
            _hours_card(f),
        ],
        "blocks": [
            {"title": f.say("argument.block.staff"), "rows": _staff(f, yearly)},
            {"title": f.say("argument.block.time"), "rows": [*_change(f)[:3], assumed(f, "trial_retention_share", "row.retention", share(f))]},
            {"title": f.say("argument.block.desk"), "rows": _desk(f, desk)},
        ],
        "plots": [_permission_plot(f), _desk_plot(f, desk), _hours_plot(f)],
        "actions": {"title": f.say("argument.accord.title"), "items": [
            {"text": f.say(f"argument.accord.{n}", days=count(f, 1)(yearly / f.values["weeks_per_year"]), day=money(f)(f.scenario.day_price_eur)), "done": False}
            for n in ("place", "price", "safety", "data", "voluntary", "review")
        ]},
        "notes": [{"lead": f.say("argument.note.productivity"), "text": _productivity(f)},
                  {"lead": f.say("argument.note.telepresence"), "text": _telepresence(f)}],
        "sources": ("firm_allow_telework_share", "firm_allow_elsewhere_share", "trial_retention_share",
                    "productivity_claim_share", "substitution_reference", "day_price_eur"),
    }  # fmt: skip


def full_desk_price(f: Facts) -> float:
    """Euros a year for a hub desk taken every working day: day price * days a week * weeks a year."""
    return f.scenario.day_price_eur * f.values["working_days_per_week"] * f.values["weeks_per_year"]


def break_even_desk(f: Facts, substitution: float) -> float:
    """The yearly cost of an office desk above which the hub is cheaper: full desk price / share of hub days that free it.

    A hub day spent instead of a day at home frees no desk. Infinite where none replaces the office.
    """
    return full_desk_price(f) / substitution if substitution > 0.0 else float("inf")


def _allowed(f: Facts) -> float:
    return f.values["firm_allow_telework_share"] * f.values["firm_allow_elsewhere_share"]


def _weak_employers(f: Facts) -> list[str]:
    retention = f.parameters["trial_retention_share"]
    found = [
        f.say("argument.weak.allowed", share=share(f)(f.values["firm_allow_elsewhere_share"])),
        f.say("argument.weak.retention", share=share(f)(retention.value), low=share(f)(retention.low)),
        f.say("argument.weak.desk"),
    ]
    if f.occupied:
        found.insert(1, _losing(f))
    return found


def _staff(f: Facts, yearly: float) -> list[dict[str, Any]]:
    days = f.parameters["hub_days_per_user_per_week"]
    return [
        row(f, "row.workers", count(f)(f["workers_within_reach"]), table_kind(f, "workers", "travel")),
        ranged(f, "row.users", "users", count(f)),
        row(f, "row.days", count(f)(yearly), say_of.origin(f, days),
            between(f, say_of.user_days(f, days.low), say_of.user_days(f, days.high), count(f))),
        assumed(f, "firm_allow_telework_share", "row.allow", share(f)),
        assumed(f, "firm_allow_elsewhere_share", "row.elsewhere", share(f)),
    ]  # fmt: skip


def _substitution_range(f: Facts) -> tuple[float, float]:
    item = f.parameters["substitution_reference"]
    return item.low, item.high


def _desk(f: Facts, desk: float) -> list[dict[str, Any]]:
    low, high = _substitution_range(f)
    even = break_even_desk(f, f["substitution_share"])
    span = between(f, break_even_desk(f, high), break_even_desk(f, low), money(f))
    found = f.occupied and math.isfinite(even)
    return [
        row(f, "row.desk_price", money(f)(desk), f.say("argument.your_price")),
        row(
            f,
            "row.desk_cost",
            money(f)(f["yearly_cost_eur"] / f["desks"]) if f["desks"] > 0 else NOTHING,
            f.say("argument.modelled"),
        ),
        row(
            f, "row.even_some", money(f)(even) if found else NOTHING, f.say("argument.modelled"), span if found else ""
        ),
        row(f, "row.office_desk", f.say("argument.yours"), f.say("argument.not_found")),
    ]


def _permission_plot(f: Facts) -> Plot:
    allow, elsewhere = f.values["firm_allow_telework_share"], _allowed(f)
    steps = [
        (f.say("argument.plot.firms"), 1.0, share(f)(1.0)),
        (f.say("argument.plot.allow"), allow, share(f)(allow)),
        (f.say("argument.plot.elsewhere"), elsewhere, share(f, 1)(elsewhere)),
    ]
    return ladder(
        f.say("argument.plot.permission"),
        steps,
        f.say("argument.plot.permission_alt", allow=share(f)(allow), elsewhere=share(f, 1)(elsewhere)),
    )


def _desk_plot(f: Facts, desk: float) -> Plot:
    low, high = (break_even_desk(f, s) for s in reversed(_substitution_range(f)))
    value = break_even_desk(f, f["substitution_share"]) if f.occupied else (low + high) / 2
    value = min(max(value, low), high)
    alt = f.say("argument.plot.desk_alt", low=money(f)(low), value=money(f)(value), high=money(f)(high))
    return range_strip(
        f.say("argument.plot.desk"), low, value, high, money(f), alt, marks=[(desk, f.say("argument.plot.desk_all"))]
    )


def _productivity(f: Facts) -> str:
    item = f.parameters["productivity_claim_share"]
    return f.say("argument.note.productivity_text", value=share(f)(item.value), high=share(f)(item.high))


def _telepresence(f: Facts) -> str:
    price = f.scenario.telepresence_price_eur_per_month
    limit = f.values["telepresence_threshold_eur_per_month"]
    key = "note.telepresence_on" if price <= limit else "note.telepresence_off"
    uplift = share(f)(f.values["telepresence_permission_uplift"])
    return f.say(f"argument.{key}", price=money(f)(price), limit=money(f)(limit), uplift=uplift)


# --- for State services ---------------------------------------------------------------------------------------------


def state(f: Facts) -> Content:
    """For State services: carbon with its range, fuel-vulnerable households, hard days, what a public euro brings."""
    per_hour = say_of.per_public_euro(f, "hours_per_year")
    per_tonne = say_of.per_public_euro(f, "kg_co2e_per_year", _KG_PER_T)
    vulnerable = f["vulnerable_share"] * f["households_within_reach"]
    return {
        "message": _carbon_verdict(f),
        "bad": not f.occupied or f["kg_co2e_per_year"] < 0.0,
        "weak": _weak_state(f),
        "cards": [
            card(f, "card.co2", tonnes(f)(f["kg_co2e_per_year"]), _range(f, "kg_co2e_per_year", tonnes(f)), f["kg_co2e_per_year"] < 0),
            card(f, "card.per_tonne", _public(f, per_tonne[1]), _public_range(f, per_tonne), not math.isfinite(per_tonne[1])),
            card(f, "card.benefit", count(f, 2)(f["benefit_cost"]), _range(f, "benefit_cost", count(f, 2)), f["benefit_cost"] < 1),
            card(f, "card.vulnerable", count(f)(vulnerable), f.say("argument.card.vulnerable_note", share=_small_share(f, f["vulnerable_share"]))),
        ],
        "blocks": [
            {"title": f.say("argument.block.climate"), "rows": _climate(f)},
            {"title": f.say("argument.block.leverage"), "rows": _leverage(f, per_hour, per_tonne)},
            {"title": f.say("argument.block.resilience"), "rows": _resilience(f, vulnerable)},
        ],
        "plots": [_co2_strip(f), _benefit_strip(f), _resilience_plot(f)],
        "actions": {"title": f.say("argument.follow.title"), "items": [
            {"text": f.say(f"argument.follow.{n}"), "done": False} for n in ("days", "replaced", "km", "vulnerable", "heat", "money")
        ]},
        "notes": [_state_money(f), {"lead": f.say("argument.note.method"), "text": f.say("argument.note.method_text")}],
        "sources": ("substitution_reference", "rebound_share", "fleet_emission_kg_per_km", "carbon_value_eur_per_t",
                    "vulnerability_threshold_share", "state_budget_line_eur_per_year", "regional_aid_eur"),
    }  # fmt: skip


def _small_share(f: Facts, value: float) -> str:
    return share(f, 1 if 0.0 < value < 0.01 else 0)(value)


def _carbon_verdict(f: Facts) -> str:
    if not f.occupied:
        return f.say("argument.verdict.nobody")
    low, value, high = (v for v in (f.low("kg_co2e_per_year"), f["kg_co2e_per_year"], f.high("kg_co2e_per_year")))
    write = tonnes(f)
    if value < 0.0:
        return f.say("argument.carbon.adds", value=write(-value))
    key = "carbon.avoids_unsure" if low < 0.0 else "carbon.avoids"
    return f.say(f"argument.{key}", value=write(value), low=write(low), high=write(high))


def _weak_state(f: Facts) -> list[str]:
    item = f.parameters["substitution_reference"]
    worth = f["kg_co2e_per_year"] / _KG_PER_T * f.scenario.carbon_value_eur_per_t
    line = f.parameters["state_budget_line_eur_per_year"]
    found = [_red_flag(f)] if f.site["red_flag"] else []
    found.append(
        f.say(
            "argument.weak.substitution", value=share(f)(f.values["substitution_reference"]), low=share(f)(item.low),
            high=share(f)(item.high),
        )
    )  # fmt: skip
    if worth > 0.0:
        found.append(
            f.say(
                "argument.weak.carbon_pays", worth=money(f)(worth), carbon=money(f)(f.scenario.carbon_value_eur_per_t),
                cost=money(f)(f["yearly_cost_eur"]),
            )
        )  # fmt: skip
    found.append(f.say("argument.weak.state_line", before=_millions(f, line.high), now=_millions(f, line.value)))
    found.append(f.say("argument.weak.vulnerable"))
    return found[:4]


def _millions(f: Facts, value: float) -> str:
    text = count(f, 0 if value >= 1e6 and value % 1e6 == 0 else 1)(value / 1e6)
    return f"€{text}m" if f.language == "en" else f"{text}\u00a0M€"


def _public(f: Facts, value: float) -> str:
    return money(f, 2 if value < 100 else 0)(value) if math.isfinite(value) else f.say("argument.no_gain")


def _public_range(f: Facts, found: tuple[float, float, float]) -> str:
    return between(f, found[0], found[2], lambda v: _public(f, v))


def _climate(f: Facts) -> list[dict[str, Any]]:
    kilos, name = _kilos(f), "kg_co2e_per_year"
    carbon = f.scenario.carbon_value_eur_per_t
    low, worth, high = (kg / _KG_PER_T * carbon for kg in (f.low(name), f[name], f.high(name)))
    span = between(f, low, high, money(f))
    return [
        ranged(f, "row.co2", "kg_co2e_per_year", tonnes(f)),
        ranged(f, "row.co2_user", "kg_co2e_per_participating_household", kilos),
        row(f, "row.km", count(f)(f["vehicle_km_per_year"]), f.say("argument.modelled"), bad=f["vehicle_km_per_year"] < 0),
        row(f, "row.worth", money(f)(worth), f.say("argument.modelled"), span, worth < 0, carbon=money(f)(carbon)),
    ]  # fmt: skip


def _kilos(f: Facts) -> say_of.Write:
    return lambda v: f"{count(f)(v)}\u00a0kg"


def _leverage(
    f: Facts, per_hour: tuple[float, float, float], per_tonne: tuple[float, float, float]
) -> list[dict[str, Any]]:
    return [
        row(f, "row.contribution", money(f)(say_of.contribution(f)), f.say("argument.choice_of_council")),
        row(f, "row.per_hour", _public(f, per_hour[1]), f.say("argument.modelled"), _public_range(f, per_hour), not math.isfinite(per_hour[1])),
        row(f, "row.per_tonne", _public(f, per_tonne[1]), f.say("argument.modelled"), _public_range(f, per_tonne), not math.isfinite(per_tonne[1])),
        ranged(f, "row.benefit", "benefit_cost", count(f, 2)),
        row(f, "row.day", _or_nothing(f, money(f, 2)(f["net_public_cost_per_day_eur"])), f.say("argument.modelled")),
    ]  # fmt: skip


def _resilience(f: Facts, vulnerable: float) -> list[dict[str, Any]]:
    road = f.parameters["road_disruption_days"]
    return [
        row(f, "row.vulnerable", count(f)(vulnerable), f.say("argument.modelled"), f.say("argument.of_households", share=_small_share(f, f["vulnerable_share"]))),
        row(f, "row.hot", count(f, 1)(f["hot_days"]), table_kind(f, "climate"),
            f.say("argument.cooled" if f.scenario.hub_cooled else "argument.not_cooled")),
        row(f, "row.road", count(f, 1)(f["road_disruption_days"]), say_of.origin(f, road), between(f, road.low, road.high, count(f))),
    ]  # fmt: skip


def _co2_strip(f: Facts) -> Plot:
    low, value, high = f.low("kg_co2e_per_year"), f["kg_co2e_per_year"], f.high("kg_co2e_per_year")
    alt = f.say("argument.plot.co2_alt", low=tonnes(f)(low), value=tonnes(f)(value), high=tonnes(f)(high))
    marks = [(0.0, f.say("argument.plot.nothing"))]
    return range_strip(f.say("argument.plot.co2"), low, value, high, tonnes(f), alt, marks=marks)


def _benefit_strip(f: Facts) -> Plot:
    low, value, high = f.low("benefit_cost"), f["benefit_cost"], f.high("benefit_cost")
    alt = f.say("argument.plot.benefit_alt", low=count(f, 2)(low), value=count(f, 2)(value), high=count(f, 2)(high))
    marks = [(1.0, f.say("argument.plot.benefit_one"))]
    return range_strip(f.say("argument.plot.benefit"), low, value, high, count(f, 2), alt, marks=marks)


def _resilience_plot(f: Facts) -> Plot:
    """How far each part of resilience is from its anchor (100 points)."""
    parts = [
        ("vulnerable", f["vulnerable_share"], f.values["anchor_vulnerable_share"], share(f)),
        ("hot", f["hot_days"] if f.scenario.hub_cooled else 0.0, f.values["anchor_hot_days"], count(f)),
        ("road", f["road_disruption_days"], f.values["anchor_road_days"], count(f)),
    ]
    steps = [
        (f.say(f"argument.plot.part_{name}", anchor=write(anchor)), min(value / anchor, 1.0), write(value))
        for name, value, anchor, write in parts
    ]
    value = count(f)(f["component_resilience"])
    return ladder(
        f.say("argument.plot.resilience", value=value), steps, f.say("argument.plot.resilience_alt", value=value)
    )


def _state_money(f: Facts) -> dict[str, str]:
    region = f.parameters["regional_aid_eur"]
    return {
        "lead": f.say("argument.note.aid"),
        "text": f.say("argument.note.aid_text", region=money(f)(region.value), low=money(f)(region.low), high=money(f)(region.high)),
    }  # fmt: skip
