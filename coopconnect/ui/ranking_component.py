"""The ranking on the page: a list that reads well on a projector and works with the keyboard alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from coopconnect.show.maps import CLASS_NONE, SEQUENTIAL_COLOURS, classify
from coopconnect.ui.static_assets import (
    assets_message,
    chosen_callback,
    component_loader,
    keep_status,
    publish_code,
)

MAX_ROWS = 100
_COMPONENT = st.components.v2.component("coopconnect_ranking", js=component_loader(), isolate_styles=True)


@dataclass(frozen=True)
class RankingRow:
    """One line: score 0 to 100 with its range, users, hours a year, viability (revenue / cost).

    tied: assumptions within their ranges cannot tell this rank from its neighbours'. flag: an effect is negative;
    reason: which one, in words. Numbers may be None or NaN where they are unknown.
    """

    code: str
    name: str
    place: str
    rank: int
    score: float
    low: float | None = None
    high: float | None = None
    users: float | None = None
    hours_per_year: float | None = None
    viability: float | None = None
    tied: bool = False
    flag: bool = False
    reason: str = ""


@dataclass(frozen=True)
class RankingEvent:
    """The choice made on the list in this run: an INSEE code, or None when it was cleared."""

    selected: str | None


RANKING_TEXTS: dict[str, dict[str, str]] = {
    "fr": {
        "locale": "fr-FR",
        "label": "Classement des communes",
        "keys": "Flèches : parcourir. Lettres : chercher un nom. Entrée : choisir. Échap : ne plus choisir.",
        "rank": "Rang",
        "name": "Commune",
        "score": "Score sur 100, de bas à haut",
        "users": "usagers",
        "hours": "h/an",
        "viability": "viabilité",
        "tied": "ex æquo",
        "flag": "Effet négatif",
    },
    "en": {
        "locale": "en-GB",
        "label": "Ranking of communes",
        "keys": "Arrows: walk. Letters: find a name. Enter: choose. Escape: clear the choice.",
        "rank": "Rank",
        "name": "Commune",
        "score": "Score out of 100, low to high",
        "users": "users",
        "hours": "h/year",
        "viability": "viability",
        "tied": "tied",
        "flag": "Negative effect",
    },
}


def ranking_texts(language: str) -> dict[str, str]:
    """All the words of the ranking, 'fr' or 'en'; a copy."""
    if language not in RANKING_TEXTS:
        raise ValueError(f"The ranking speaks {', '.join(RANKING_TEXTS)}: not {language!r}.")
    return dict(RANKING_TEXTS[language])


def draw_ranking(
    rows: Sequence[RankingRow],
    selected: str | None,
    texts: Mapping[str, str],
    key: str,
    *,
    on_select: Callable[[str | None], None] | None = None,
    projector: bool = False,
    height_px: int = 560,
) -> RankingEvent | None:
    """Draw the list (its first MAX_ROWS rows); returns the choice made on it since the last run, else None.

    on_select: called with the choice before the page runs again, so that one run is enough.
    """
    message: dict[str, Any] = {
        "key": key,
        "rows": [row_payload(row) for row in rows[:MAX_ROWS]],
        "selected": selected,
        "texts": dict(texts),
        "projector": projector,
        "height": height_px,
        **assets_message({"code": publish_code("ranking")}, key),
    }
    result = _COMPONENT(
        key=key, data=message, on_select_change=chosen_callback(key, on_select), on_status_change=keep_status(key)
    )
    chosen = result.get("select")
    return None if chosen is None or on_select is not None else RankingEvent(str(chosen) or None)


def row_payload(row: RankingRow) -> dict[str, Any]:
    """One row as the browser reads it; unknown numbers are null, the colour is the map's."""
    shade = int(classify(np.array([row.score]))[0])
    return {
        "code": row.code,
        "name": row.name,
        "place": row.place,
        "rank": int(row.rank),
        "tied": bool(row.tied),
        "score": _number(row.score, 1),
        "low": _number(row.low, 1),
        "high": _number(row.high, 1),
        "users": _number(row.users, 1),
        "hours": _number(row.hours_per_year, 1),
        "viability": _number(row.viability, 3),
        "flag": bool(row.flag),
        "reason": row.reason,
        "colour": SEQUENTIAL_COLOURS[min(shade, len(SEQUENTIAL_COLOURS) - 1)] if shade != CLASS_NONE else "",
    }


def _number(value: float | None, decimals: int) -> float | None:
    return None if value is None or not math.isfinite(value) else round(float(value), decimals)
