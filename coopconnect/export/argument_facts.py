"""What the three arguments know and how they say it: one site of an assessment, its words, numbers, kinds and sources."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from coopconnect.dossier import ASKED_GATES, CHECKLIST, Dossier, SiteNotes, gate_states
from coopconnect.model.choice import hub_days_per_user
from coopconnect.model.types import Assessment
from coopconnect.parameters import Parameter, Parameters
from coopconnect.scenario import Scenario, host_status, parameter_values
from coopconnect.show.words import NOTHING, euros, hours, known, number, percent, say
from coopconnect.territory.types import Territory

Write = Callable[[float], str]
SUBSTITUTES = 3

_KG_PER_T = 1000.0
_WHOLE_FROM_T = 10.0


@dataclass(frozen=True, eq=False)
class Facts:
    """One site, ready to be argued: the row of the assessment, assumptions of the scenario, notes, hosts, language."""

    site: pd.Series
    assessment: Assessment
    reference: Assessment
    territory: Territory
    parameters: Parameters
    values: Mapping[str, float]
    notes: SiteNotes
    hosts: pd.DataFrame
    language: str
    home: Territory | None = None

    @property
    def scenario(self) -> Scenario:
        """The scenario of the assessment."""
        return self.assessment.scenario

    def say(self, key: str, **values: object) -> str:
        """A text of the arguments."""
        return say(key, self.language, **values)

    def __getitem__(self, name: str) -> float:
        """A central figure of the site."""
        return float(self.site[name])

    def low(self, name: str) -> float:
        """The low of a ranged figure."""
        return float(self.site[f"{name}_low"])

    def high(self, name: str) -> float:
        """The high of a ranged figure."""
        return float(self.site[f"{name}_high"])

    @property
    def occupied(self) -> bool:
        """True where anybody would use the place."""
        return self["users"] > 0.0


def facts_of(
    assessment: Assessment, reference: Assessment, territory: Territory, parameters: Parameters, site_code: str,
    dossier: Dossier, hosts: pd.DataFrame, language: str, home: Territory | None = None,
) -> Facts:  # fmt: skip
    """Facts of a site. Raises KeyError where the territory has none of this code."""
    site = assessment.site(site_code)
    if site is None:
        raise KeyError(f"no site {site_code!r} in territory {assessment.territory_code}")
    return Facts(
        site, assessment, reference, territory, parameters, parameter_values(assessment.scenario, parameters),
        dossier.site(site_code), hosts[hosts["zone_code"] == site_code], language, home,
    )  # fmt: skip


# --- how figures are written ----------------------------------------------------------------------------------------


def count(f: Facts, decimals: int = 0) -> Write:
    """Writes plain numbers."""
    return lambda v: number(v, f.language, decimals)


def money(f: Facts, decimals: int = 0) -> Write:
    """Writes euros."""
    return lambda v: euros(v, f.language, decimals)


def time(f: Facts) -> Write:
    """Writes hours."""
    return lambda v: hours(v, f.language)


def share(f: Facts, decimals: int = 0) -> Write:
    """Writes per cent."""
    return lambda v: percent(v, f.language, decimals)


def tonnes(f: Facts) -> Write:
    """Writes kg as tonnes of CO2e."""
    return lambda v: f"{number(v / _KG_PER_T, f.language, 0 if abs(v) >= _WHOLE_FROM_T * _KG_PER_T else 1)}\u00a0t"


def between(f: Facts, low: float, high: float, write: Write) -> str:
    """'de 3 à 8', '' where both are written alike."""
    a, b = write(low), write(high)
    return "" if a == b else f.say("argument.between", low=a, high=b)


def row(
    f: Facts, key: str, value: str, source: str, between: str = "", bad: bool = False, **words: object
) -> dict[str, Any]:
    """One line of a table: label, value, range, where it comes from."""
    return {"label": f.say(f"argument.{key}", **words), "value": value, "range": between, "source": source, "bad": bad}


def ranged(f: Facts, key: str, name: str, write: Write) -> dict[str, Any]:
    """A line for a ranged figure of the site; red where its central value is negative, empty where nobody comes."""
    if not f.occupied and "per_participating" in name:
        return row(f, key, NOTHING, f.say("argument.modelled"))
    return row(
        f, key, write(f[name]), f.say("argument.modelled"), between(f, f.low(name), f.high(name), write), f[name] < 0
    )


def assumed(f: Facts, name: str, key: str, write: Write) -> dict[str, Any]:
    """A line for an assumption, with its range and its source."""
    item = f.parameters[name]
    return row(f, key, write(f.values[name]), origin(f, item), between(f, item.low, item.high, write))


def origin(f: Facts, item: Parameter) -> str:
    """Where a parameter comes from, in two or three words."""
    if f.values[item.key] != item.value:
        return f.say("argument.own_choice")
    named = f"argument.source.{item.key}"
    if item.status != "assumption" and known(named):
        return say(named, f.language)
    return say(f"status.{item.status}", f.language)


def card(f: Facts, key: str, value: str, between: str, bad: bool = False) -> dict[str, Any]:
    """One of the four figures that are read from afar."""
    return {"value": value, "range": between, "label": f.say(f"argument.{key}"), "bad": bad}


def table_kind(f: Facts, *tables: str) -> str:
    """Kind and year of what rests on these tables: official where all are, else told as estimated."""
    found = [p for p in f.territory.provenance if p.table in tables]
    if found and all(p.kind == "official" for p in found):
        return f.say("argument.official", year=found[0].year)
    first = next((p for p in found if p.table == tables[0]), None)
    if first is not None and first.kind == "official" and len(tables) > 1:
        return f.say("argument.official_over_estimated", year=first.year)
    return f.say("argument.modelled")


# --- what follows from the site -------------------------------------------------------------------------------------


def contribution(f: Facts) -> float:
    """Euros a year that the council gives in the scenario."""
    return f["contribution_eur_per_year"]


def capex(f: Facts) -> Parameter:
    """The investment of the premises of the scenario."""
    return f.parameters["capex_own_eur" if f.scenario.premises == "own" else "capex_shared_eur"]


def user_days(f: Facts, per_week: float | None = None) -> float:
    """Days a year of one regular user at the allowed days of the scenario; `per_week`: of another value of the assumption."""
    moved = {} if per_week is None else {"hub_days_per_user_per_week": per_week}
    return hub_days_per_user(f.scenario, {**f.values, **moved})


def user_price(f: Facts) -> float:
    """Euros a year for the days of one regular user, whoever pays."""
    return user_days(f) * f.scenario.day_price_eur


def per_public_euro(f: Facts, name: str, scale: float = 1.0) -> tuple[float, float, float]:
    """Public euros for one unit of what the site changes, (low, central, high); infinite where nothing is gained.

    contribution / (figure / scale), the cheap end at the high of the figure. Unit: € per unit of `scale`.
    """
    given = contribution(f)
    gains = (f.high(name), f[name], f.low(name))
    low, middle, high = (given * scale / g if g > 0.0 else float("inf") for g in gains)
    return low, middle, high


def host_list(f: Facts) -> dict[str, list[str]]:
    """Names of the hosts of the commune by what they answered."""
    found: dict[str, list[str]] = {"agreed": [], "asked": [], "refused": [], "unknown": []}
    for name, sources in zip(f.hosts["name"], f.hosts["sources"], strict=True):
        found[host_status(f.scenario, sources)].append(str(name))
    return found


def gates(f: Facts) -> dict[str, bool | None]:
    """Each gate: passed, not passed, not known."""
    answers = host_list(f)
    refused = str(f.site["zone_code"]) in f.scenario.refused or (
        bool(answers["refused"]) and not (answers["asked"] or answers["unknown"] or answers["agreed"])
    )
    agreed = True if answers["agreed"] else False if refused else None
    return gate_states(f.notes, agreed, f.values["core_users_gate"])


def open_questions(f: Facts) -> list[str]:
    """Parts of the human checklist that are not answered 'yes'."""
    return [q for q in CHECKLIST if q not in ASKED_GATES and f.notes.answer(q) != "yes"]


def substitutes(f: Facts) -> list[tuple[str, float, float]]:
    """The best sites near this one: name, score, minutes by road; those within the access limit, best first."""
    t, codes = f.territory, f.assessment.sites["zone_code"].to_numpy(object)
    here = int(np.flatnonzero(codes == f.site["zone_code"])[0])
    span = slice(int(t.access_start[here]), int(t.access_start[here + 1]))
    minutes = dict(zip(t.access_zone[span].tolist(), t.access_drive_min[span].tolist(), strict=True))
    sites = f.assessment.sites
    near = [
        (str(sites["name"].iloc[n]), float(sites["score"].iloc[n]), float(minutes[zone]))
        for n, zone in enumerate(t.site_zone.tolist())
        if zone in minutes and n != here and sites["available"].iloc[n] and minutes[zone] <= f.scenario.access_max_min
    ]
    return sorted(near, key=lambda item: -item[1])[:SUBSTITUTES]


def scenario_words(scenario: Scenario, language: str) -> str:
    """The scenario in one line: fuel, climate, days, price, contribution, premises, access."""
    s = scenario
    return say(
        "argument.scenario", language, fuel=number(s.fuel_price_eur_per_l, language, 2),
        climate=say(f"climate.{s.climate}", language), days=number(s.telework_days_per_week, language, 1),
        price=euros(s.day_price_eur, language), contribution=euros(s.council_contribution_eur_per_year, language),
        premises=say(f"argument.premises.{s.premises}", language), access=number(s.access_max_min, language),
    )  # fmt: skip


def source_lines(f: Facts, keys: Sequence[str]) -> list[str]:
    """What the page rests on: tables of the territory with kind, source and year, then the published figures used."""
    language = f.language
    wanted = ("population", "workers", "flows", "travel", "climate")
    tables = [
        f"{say(f'table.{p.table}', language)} ({say(f'kind.{p.kind}', language)}, {p.source_in(language)}, {p.year})"
        for p in f.territory.provenance
        if p.table in wanted
    ]
    figures = [
        f"{f.parameters[k].label(language)} ({_short_source(f.parameters[k], language)}, {say(f'status.{f.parameters[k].status}', language)})"
        for k in keys
    ]
    return [
        f.say("argument.sources_tables", tables=f.say("argument.and").join(tables)),
        f.say("argument.sources_figures", figures=f.say("argument.and").join(figures)),
    ]


def _short_source(item: Parameter, language: str) -> str:
    """The first source of a parameter; all of them are on the page Hypothèses and in the workbook."""
    return re.split(r"\s*[;:]\s", item.source_in(language))[0].strip()
