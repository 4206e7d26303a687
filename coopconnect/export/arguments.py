"""The three arguments, one A4 page each: for the elected, for employers, for State services; from the live scenario.

Everything on a page is read from the assessment, the parameters and the dossier: value, range, official or modelled.
The page is set by Typst (tagged PDF, embedded typeface) and its drawings are vectors.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd

from coopconnect.dossier import Dossier
from coopconnect.export.argument_contents import Content, elected, employers, state
from coopconnect.export.argument_facts import Facts, facts_of, scenario_words, source_lines
from coopconnect.export.link import is_local
from coopconnect.export.typeset import typeset
from coopconnect.model.types import Assessment
from coopconnect.parameters import Parameters
from coopconnect.show.words import number
from coopconnect.territory.hosts import hosts_of
from coopconnect.territory.types import Territory

KINDS: dict[str, Callable[[Facts], Content]] = {"elected": elected, "employers": employers, "state": state}
"""The three arguments, by name, in the order in which they are offered."""

SHOWN_LINK = 68
"""Letters of the link that are printed; the whole of it is in the code beside and in the link itself."""


def argument_pdf(
    kind: str, assessment: Assessment, reference: Assessment, territory: Territory, parameters: Parameters,
    site_code: str, dossier: Dossier, language: str, link: str, on: date, hosts: pd.DataFrame | None = None,
    home: Territory | None = None,
) -> bytes:  # fmt: skip
    """One argument as a PDF of one A4 page.

    kind: 'elected', 'employers' or 'state'. reference: the same territory in the reference scenario. link: full
    address of the scenario ('' where there is none: no code is drawn). on: date of issue. hosts: as `hosts_of` gives
    them (the town halls alone otherwise). home: the territory on which the choice is calibrated, where it is another. The same arguments give the same bytes. Raises ValueError for another kind,
    KeyError for a site that the territory has not.
    """
    if kind not in KINDS:
        raise ValueError(f"argument: allowed {', '.join(KINDS)}; not {kind!r}")
    if hosts is None:
        zones = territory.zones
        hosts = hosts_of(zones[zones["zone_code"] == site_code])
    facts = facts_of(assessment, reference, territory, parameters, site_code, dossier, hosts, language, home)
    data, files = page_data(kind, facts, link, on)
    return typeset("argument", data, files, on=on, language=language)


def page_data(kind: str, f: Facts, link: str, on: date) -> tuple[dict[str, Any], dict[str, str | bytes]]:
    """What the template `argument.typ` reads, and its pictures."""
    content = KINDS[kind](f)
    name = str(f.site["name"])
    where = [str(f.site["epci_name"]), f.say("argument.departement", code=str(f.site["departement"]))]
    population = f.say("argument.population", count=number(f["population"], f.language))
    address = link if link.startswith(("http://", "https://")) else ""  # only an address is worth a code
    local = is_local(address)
    code = link_code(address) if address and not local else ""
    shown = shown_link(link) + (f" ({f.say('argument.local')})" if local else "")
    stamp = f.say("argument.stamp", version=f.assessment.model_version, date=day_words(on, f.language))
    draws = f.assessment.drawn
    foot = f.say(f"argument.foot{'_drawn' if draws else ''}", draws=number(float(draws), f.language))
    data = {
        "title": f.say(f"argument.title.{kind}", name=name), "description": f.say("argument.description"), "kicker": f.say(f"argument.kicker.{kind}"),
        "name": name, "question": f.say(f"argument.question.{kind}"),
        "where": " · ".join(part for part in (*where, population) if part.strip()),
        "message": content["message"], "bad": content["bad"], "weak_title": f.say("argument.weak.title"), "weak": content["weak"],
        "cards": content["cards"], "blocks": content["blocks"],
        "plots": [plot for plot in content["plots"] if plot is not None],
        "actions": content["actions"], "notes": content["notes"],
        "columns": [f.say("argument.column.figure"), f.say("argument.column.value"), f.say("argument.column.range"), f.say("argument.column.origin")],
        "scenario_lead": f.say("argument.scenario_lead"), "scenario": scenario_words(f.scenario, f.language),
        "sources_lead": f.say("argument.sources_lead"), "sources": source_lines(f, content["sources"]),
        "foot": foot, "stamp": stamp, "link": address, "shown_link": shown, "code": bool(code),
        "code_caption": f.say("argument.code_caption"), "code_alt": f.say("argument.code_alt"),
    }  # fmt: skip
    return data, {"code.svg": code} if code else {}


def shown_link(link: str) -> str:
    """The link as it is printed: without its scheme, cut where it is long."""
    bare = link.partition("://")[2] or link
    return bare if len(bare) <= SHOWN_LINK else f"{bare[: SHOWN_LINK - 1]}…"


def link_code(link: str) -> str:
    """A QR code of the link, as SVG."""
    import segno

    out = io.BytesIO()
    segno.make(link, error="l", micro=False).save(out, kind="svg", border=1, xmldecl=False, dark="#16202a")
    return out.getvalue().decode("utf-8")


def day_words(on: date, language: str) -> str:
    """A date in full: '25 novembre 2026'."""
    from babel.dates import format_date

    return format_date(on, "long", locale="en_GB" if language == "en" else "fr")
