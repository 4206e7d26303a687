"""What finished draws give to the other pages: ranges of figures as quantiles, how often a rank is held."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from coopconnect.model.types import Range
from coopconnect.show.words import number, percent
from coopconnect.ui.figures import Figure
from coopconnect.ui.frame import Page

if TYPE_CHECKING:
    from coopconnect.uncertainty.plans import Further
    from coopconnect.uncertainty.run import Ensemble

_JOBS = "coopconnect.ui.robust_jobs"
_OF_SITE = {"hours": "hours_per_year", "eur": "eur_per_year", "kg": "kg_co2e_per_year"}
_ENDS = (0.05, 0.95)


def drawn_for(page: Page) -> Ensemble | None:
    """The largest complete ensemble of the scenario on the screen, None where none was drawn here.

    Nothing is loaded where nothing was ever drawn: the libraries of the draws take a second that Décider must not wait.
    """
    if _JOBS not in sys.modules:
        return None
    from coopconnect.ui import robust_jobs

    return robust_jobs.drawn_for(page)


def further_for(page: Page, ensemble: Ensemble | None, code: str) -> Further | None:
    """What was asked beside these draws on Robustesse (total indices of the site, plans), for a file."""
    if ensemble is None:
        return None
    from coopconnect.ui.robust_further import further_of

    return further_of(page, ensemble, code)


def with_quantiles(page: Page, figures: list[Figure], code: str = "") -> list[Figure]:
    """The figures of the site `code`, or of the territory where it is '', with 5 and 95 % of the draws as their range.

    A figure that the draws do not hold keeps its range; all do where there is no finished ensemble.
    """
    ensemble = drawn_for(page)
    return figures if ensemble is None else [_drawn(ensemble, figure, code) for figure in figures]


def _drawn(ensemble: Ensemble, figure: Figure, code: str) -> Figure:
    values = _site_values(ensemble, figure.kind, code) if code else _territory_values(ensemble, figure.kind)
    if values is None or not values.size:
        return figure
    low, high = np.quantile(values, _ENDS)
    return replace(figure, range=Range(float(low), figure.range.value, float(high)), drawn=int(values.size))


def _site_values(ensemble: Ensemble, kind: str, code: str) -> np.ndarray | None:
    """Values of a figure of one site over the usable draws; hours, euros and kg are those of a participating household."""
    from coopconnect.uncertainty.engine import KEPT

    territory = ensemble.setup.territory
    row = np.flatnonzero(territory.zones["zone_code"].to_numpy(object)[territory.site_zone] == code)
    if not row.size:
        return None

    def column(name: str) -> np.ndarray:
        return ensemble.figures[ensemble.usable, KEPT.index(name), row[0]].astype(float)

    if kind == "viability":
        return column("viability")
    if kind not in _OF_SITE:
        return None
    users = column("users")
    return column(_OF_SITE[kind])[users > 0.0] / users[users > 0.0]


def _territory_values(ensemble: Ensemble, kind: str) -> np.ndarray | None:
    return _viable_counts(ensemble) if kind == "viable" else None


@lru_cache(maxsize=4)
def _viable_counts(ensemble: Ensemble) -> np.ndarray:
    """Viable rural sites in each usable draw."""
    from coopconnect.uncertainty.results import available_sites, viable

    territory = ensemble.setup.territory
    rural = territory.zones["rural"].to_numpy(bool)[territory.site_zone]
    return np.asarray(viable(ensemble)[:, rural & available_sites(ensemble)].sum(axis=1))


def rank_words(page: Page, code: str) -> str:
    """How often the site is viable, first and among the first ten, and between which ranks; '' without draws."""
    ensemble = drawn_for(page)
    if ensemble is None:
        return ""
    from coopconnect.uncertainty.results import results

    found = results(ensemble)
    row = None if found is None else found.row(code)
    if found is None or row is None or not found.sites["available"].iloc[row]:
        return ""
    site, language = found.sites.iloc[row], page.language
    shares = {key: percent(float(site[f"p_{key}"]), language) for key in ("viable", "first", "top10")}
    ranks = {end: number(float(site[f"rank_{end}"]), language) for end in ("p05", "p95")}
    return page.say("futures.rank", draws=number(found.usable, language), **shares, **ranks)
