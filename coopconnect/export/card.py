"""The card to take home: one person's three weeks on an A5 page, with a QR code of the link to this calculation."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from typing import Any

from coopconnect import MODEL_VERSION
from coopconnect.export.link import is_local
from coopconnect.export.typeset import typeset
from coopconnect.model.personal import MEASURES, WAYS, Weeks
from coopconnect.show import weeks as words_of
from coopconnect.show.words import say

LONGEST_LINK = 1200
"""Letters beyond which a phone no longer reads the code at the size it is printed."""


@dataclass(frozen=True)
class CardTexts:
    """What the card says around the figures: where from and to, of whom, what it rests on, in which scenario."""

    route: str
    truly: str
    price: str
    reason: str
    notes: tuple[str, ...]
    scenario: str
    link: str


def qr_svg(link: str) -> str:
    """The QR code of a link as an SVG, without a background; '' where the link is too long to be read from paper."""
    if not link or len(link) > LONGEST_LINK:
        return ""
    import segno  # loaded by the first code that is drawn

    out = io.BytesIO()
    code = segno.make(link, error="m", micro=False)
    code.save(out, kind="svg", xmldecl=False, svgns=True, border=2, omitsize=True, dark="#16202a")
    return out.getvalue().decode("utf-8")


def week_card(weeks: Weeks, texts: CardTexts, *, on: date, language: str) -> bytes:
    """The card as an accessible PDF (tagged, fonts embedded). The same arguments give the same bytes.

    A link that only this computer can open gets no code: the card says so. Raises `TypesetError` where the page cannot be set.
    """
    local = is_local(texts.link)
    code = "" if local else qr_svg(texts.link)
    scan = "card_local" if local else "card_scan" if code else "card_long" if texts.link else ""
    data = {
        "title": say("house.card_title", language), "route": texts.route, "truly": texts.truly, "price": texts.price,
        "reason": texts.reason, "notes": list(texts.notes), "scenario": texts.scenario, "qr": bool(code),
        "qr_alt": say("house.qr_alt", language), "scan": say(f"house.{scan}", language) if scan else "",
        "week": _week(weeks, language), "year": _year(weeks, language), "foot": say("house.card_foot", language),
        "stamp": say("house.card_stamp", language, version=MODEL_VERSION),
    }  # fmt: skip
    return typeset("card", data, {"link.svg": code} if code else {}, on=on, language=language)


def _ways(weeks: Weeks) -> list[str]:
    """Ways that have figures: without a hub there are two."""
    return [way for way in WAYS if (way, "hours") in weeks.week]


def _week(weeks: Weeks, language: str) -> dict[str, Any]:
    ways = _ways(weeks)
    by_way = {way: words_of.cells(weeks, way, language) for way in ways}
    rows = [
        {
            "label": by_way[ways[0]][k].label,
            "cells": [{"value": c.week, "between": c.between, "bad": False} for c in (by_way[w][k] for w in ways)],
        }
        for k in range(len(MEASURES))
    ]
    headers = ["", *(words_of.title_of(way, language) for way in ways)]
    return _table("house.card_week", headers, rows, language)


def _year(weeks: Weeks, language: str) -> dict[str, Any]:
    ways = _ways(weeks)[1:]
    by_way = {way: words_of.cells(weeks, way, language) for way in ways}
    rows = [
        {
            "label": by_way[ways[0]][k].label,
            "cells": [
                {
                    "value": words_of.kept_text(weeks.kept[w, c.measure], c.measure, language, "card"),
                    "between": c.kept_between if weeks.days else "",
                    "bad": c.bad,
                }
                for w, c in ((w, by_way[w][k]) for w in ways)
            ],
        }
        for k in range(len(MEASURES))
        if by_way[ways[0]][k].known
    ]
    headers = ["", *(words_of.title_of(way, language) for way in ways)]
    return _table("house.card_year", headers, rows, language)


def _table(key: str, headers: list[str], rows: list[dict[str, Any]], language: str) -> dict[str, Any]:
    return {"title": say(key, language), "headers": headers, "rows": rows}
