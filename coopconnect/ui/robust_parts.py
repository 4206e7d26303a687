"""Parts of the page Robustesse: where a place holds, on a map; the ranking while draws come."""

from __future__ import annotations

import html
import itertools

import numpy as np
import streamlit as st

from coopconnect.model.attribution import LARGE_SITES
from coopconnect.show.ground import geometry_of
from coopconnect.show.maps import CLASS_NONE, NO_DATA_COLOUR
from coopconnect.show.static_map import map_svg, svg_image
from coopconnect.show.words import number, percent
from coopconnect.ui.assumptions import table_html
from coopconnect.ui.frame import Page
from coopconnect.uncertainty.results import TOP, Results, available_sites, rank_matrix, viable
from coopconnect.uncertainty.run import Ensemble

BREAKS = (0.2, 0.4, 0.6, 0.8)
COLOURS = ("#eef1f2", "#c9dcec", "#8fb9d9", "#4a88bd", "#0b4f8a")
RING = "#e0880b"
GROWING = 8


def draw_map(page: Page, ensemble: Ensemble, found: Results) -> None:
    """Probability of being viable by commune; a thick line rounds those that are viable in the reference case."""
    territory, language = ensemble.setup.territory, page.language
    st.html(f'<h2 class="title">{html.escape(page.say("robust.map"))}</h2>')
    if territory.site_zone.size > LARGE_SITES:
        st.html(
            f'<p class="hint">{html.escape(page.say("compare.maps_large", count=number(LARGE_SITES, language)))}</p>'
        )
        return
    available = found.sites["available"].to_numpy(bool)
    share = found.sites["p_viable"].to_numpy(float)
    classes = np.where(available, np.digitize(share, BREAKS), CLASS_NONE).astype(np.uint8)
    enough = ensemble.setup.parameters.values_with(dict(ensemble.setup.scenario.changed))["robust_probability_share"]
    holds = found.sites["viable_reference"].to_numpy(bool) & available
    ringed = np.flatnonzero(holds).tolist()  # contours are those of the sites, in their order
    likely = int((share[available] >= enough).sum())
    words = page.say(
        "robust.map_words" if likely else "robust.map_words_none", now=number(len(ringed), language), likely=number(likely, language), share=percent(enough, language)
    )  # fmt: skip
    svg = map_svg(geometry_of(territory), classes, COLOURS, ringed=ringed, ring_colour=RING)
    st.html(
        f'<p>{html.escape(words)}</p><div class="smallmaps"><figure>{svg_image(svg, html.escape(words))}</figure></div>'
        + _legend(page, bool(available.all()))
    )


def _legend(page: Page, all_available: bool) -> str:
    ends = [0.0, *BREAKS, 1.0]
    lines = [
        (
            page.say("robust.map_class", low=percent(low, page.language), high=percent(high, page.language)),
            COLOURS[k],
            "",
        )
        for k, (low, high) in enumerate(itertools.pairwise(ends))
    ]
    if not all_available:
        lines.append((page.say("robust.map_refused"), NO_DATA_COLOUR, ""))
    lines.append((page.say("robust.map_ring"), "transparent", f"border:3px solid {RING}"))
    shown = "".join(
        f'<span><i style="background-color:{colour};{more}"></i>{html.escape(label)}</span>'
        for label, colour, more in lines
    )
    return f'<div class="maplegend"><span><b>{html.escape(page.say("robust.map_legend"))}</b></span>{shown}</div>'


def growing_html(page: Page, ensemble: Ensemble) -> str:
    """The leading sites of the draws so far; '' before the first chunk. Mean ranks only: cheap enough each second."""
    if not ensemble.usable.any():
        return ""
    territory, language = ensemble.setup.territory, page.language
    names = territory.zones["name"].to_numpy(object)[territory.site_zone]
    available = available_sites(ensemble)
    ranks, holds = rank_matrix(ensemble.figure("score"), available), viable(ensemble)
    rows = np.flatnonzero(available)
    best = rows[np.argsort(ranks[:, rows].mean(axis=0), kind="stable")][:GROWING]
    head = tuple(page.say(f"robust.{key}") for key in ("col_name", "col_viable", "col_mean_rank", "col_top"))
    lines = [
        (str(names[k]), percent(float(holds[:, k].mean()), language), number(float(ranks[:, k].mean()), language, 1),
         percent(float((ranks[:, k] <= TOP).mean()), language))
        for k in best
    ]  # fmt: skip
    return table_html(head, lines, numbers=(1, 2, 3))
