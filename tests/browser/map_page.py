"""A page with nothing but the map and the ranking, for the browser tests (invented communes, no data files)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import shapely
import streamlit as st

sys.path.insert(0, str(Path(__file__).parents[2]))

from coopconnect.show.geometry import ZoneLabels, pack_contours
from coopconnect.show.maps import map_texts, score_map, top_arcs
from coopconnect.ui.map_component import draw_map
from coopconnect.ui.ranking_component import RankingRow, draw_ranking, ranking_texts

SIDE = 14


@st.cache_resource(show_spinner=False)
def invented():
    """A grid of communes; one has a lake (hole), one is made of two islands."""
    size = 0.08
    cells, names = [], []
    for row in range(SIDE):
        for column in range(SIDE):
            west, south = 5.0 + column * size, 43.5 + row * size
            cells.append(shapely.box(west, south, west + size, south + size))
            names.append(f"Évry-{row}-{column}" if (row + column) % 2 else f"L'Île-{row}-{column}")
    lake = shapely.box(5.02, 43.52, 5.06, 43.56)
    cells[0] = cells[0].difference(lake)
    cells[1] = shapely.union_all([shapely.box(5.08, 43.5, 5.1, 43.58), shapely.box(5.13, 43.5, 5.16, 43.58)])
    contours = np.array(cells, dtype=object)
    points = shapely.get_coordinates(shapely.point_on_surface(contours))
    count = len(cells)
    codes = [f"{84000 + k:05d}" for k in range(count)]
    departements = ["84" if k < count // 2 else "04" for k in range(count)]
    labels = ZoneLabels(
        codes,
        names,
        departements,
        points[:, 0],
        points[:, 1],
        np.arange(count) * 50,
        {"04": "Alpes-de-Haute-Provence", "84": "Vaucluse"},
    )
    outlines = np.array([shapely.union_all(contours[: count // 2]), shapely.union_all(contours[count // 2 :])])
    return pack_contours(contours, labels, outlines), labels


def choose(code: str | None) -> None:
    st.session_state["chosen"] = code


def main() -> None:
    st.set_page_config(layout="wide")
    geometry, labels = invented()
    count = len(labels.codes)
    price = st.slider("Prix", 1.0, 3.0, 1.75, 0.05, key="price")
    projector = st.query_params.get("projector") == "1"
    language = st.query_params.get("lang", "fr")
    chosen = st.session_state.setdefault("chosen", None)
    row = labels.codes.index(chosen) if chosen else None
    rng = np.random.default_rng(7)
    score = np.clip(rng.uniform(0, 95, count) * price / 1.75, 0, 100)
    arcs = None
    if row is not None:
        near = np.arange(max(0, row - 12), min(count, row + 12))
        arcs = top_arcs(labels.lon[near], labels.lat[near], np.linspace(1, 20, len(near)))
    flagged = score < 5
    missing = np.arange(count) % 17 == 3
    low, high = score * 0.8, np.minimum(score * 1.3, 100)
    users, hours = np.rint(score / 2), np.rint(score * 120 - 300)
    spec = score_map(
        score,
        texts=map_texts(language),
        score_low=low,
        score_high=high,
        users=users,
        hours_per_year=hours,
        flagged=flagged,
        missing=missing,
        site_zone=np.argsort(-score)[:20],
        arcs=arcs,
        selected=row,
        zone_note={int(k): "Ce lieu ajoute des trajets." for k in np.flatnonzero(flagged)},
        legend_note="Flux modélisés.",
        projector=projector,
    )
    left, right = st.columns([3, 2])
    with left:
        draw_map(spec, geometry, "map", choose)
    best = np.argsort(np.where(missing, 1, -score), kind="stable")[:100]
    rows = [
        RankingRow(
            labels.codes[k], labels.names[k], labels.departements[k], place + 1, score[k], low[k], high[k],
            users[k], hours[k], score[k] / 75, tied=place % 3 == 1, flag=bool(flagged[k] or place == 4),
            reason="Ce lieu ajoute des trajets" if place == 4 else "",
        )
        for place, k in enumerate(best)
    ]  # fmt: skip
    with right:
        draw_ranking(rows, chosen, ranking_texts(language), "ranking", on_select=choose, projector=projector)
    st.write(f"Choisie : {chosen}")


main()
