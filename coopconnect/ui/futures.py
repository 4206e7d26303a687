"""What finished draws give to the other pages: quantiles as ranges of every figure, and how often a rank is held."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from coopconnect.dossier import SurveySums
from coopconnect.model.types import Assessment
from coopconnect.scenario import Scenario
from coopconnect.show.words import number, percent
from coopconnect.ui.frame import Page

if TYPE_CHECKING:
    from coopconnect.model.household_groups import HouseholdGroups
    from coopconnect.model.personal import Person, Weeks
    from coopconnect.model.site_sheet import PremisesComparison
    from coopconnect.siting.types import SitePlan
    from coopconnect.uncertainty.plan_futures import PlanFutures
    from coopconnect.uncertainty.plans import Further
    from coopconnect.uncertainty.run import Ensemble

JOBS = "coopconnect.ui.robust_jobs"
"""Not loaded before somebody asks for draws."""


def drawn_for(page: Page) -> Ensemble | None:
    """The largest complete ensemble of the scenario on the screen, None where none was drawn here."""
    return drawn_of(page, page.scenario, page.session.dossier.survey)


def drawn_of(page: Page, scenario: Scenario, survey: SurveySums | None) -> Ensemble | None:
    """The same of any scenario, with what its survey has taught.

    Nothing is loaded where nothing was ever drawn: the libraries of the draws take a second that Décider must not wait.
    """
    if JOBS not in sys.modules:
        return None
    from coopconnect.ui import robust_jobs

    return robust_jobs.drawn_of(scenario, survey, page.parameters)


def further_for(
    page: Page, ensemble: Ensemble | None, code: str, plan: SitePlan | None = None
) -> Further | None:  # fmt: skip
    """What was asked beside these draws (total indices of the site, plans, the plan of Réseau), for a file."""
    if ensemble is None:
        return None
    from coopconnect.ui.robust_further import further_of

    return further_of(page, ensemble, code, plan)


def with_quantiles(page: Page, now: Assessment) -> Assessment:
    """The assessment of the scenario on the screen with 5 and 95 % of its draws as lows and highs, and their ties.

    As it is where there is no finished ensemble.
    """
    return with_draws(now, drawn_for(page))


def with_draws(now: Assessment, ensemble: Ensemble | None) -> Assessment:
    """The same of any assessment and the draws of its scenario, if there are any."""
    if ensemble is None:
        return now
    from coopconnect.uncertainty import bands

    return bands.with_quantiles(now, ensemble)


def differences_in_draws(before: Ensemble | None, after: Ensemble | None) -> dict[str, tuple[float, float]]:
    """5 and 95 % of the difference of each figure between two scenarios, future by future; {} where they share no draws."""
    if before is None or after is None:
        return {}
    from coopconnect.uncertainty.bands import difference_bands

    return difference_bands(before, after)


def groups_in_draws(page: Page, groups: HouseholdGroups) -> HouseholdGroups:
    """The households with 5 and 95 % of the draws of the scenario on the screen, once worked out in the background."""
    ensemble = drawn_for(page)
    if ensemble is None:
        return groups
    from coopconnect.ui import robust_further

    return robust_further.groups_in_draws(page, ensemble, groups)


def plan_in_draws(page: Page, plan: SitePlan, ask: bool = True) -> PlanFutures | None:
    """The plan with 5 and 95 % of the draws of the scenario on the screen, once worked out in the background; None before.

    ask: False to take what is there and start nothing.
    """
    ensemble = drawn_for(page)
    if ensemble is None:
        return None
    from coopconnect.ui import robust_further

    return robust_further.plan_in_draws(page, ensemble, plan, ask)


def weeks_in_draws(page: Page, person: Person, weeks: Weeks) -> Weeks:
    """One person's weeks with 5 and 95 % of the draws of the scenario on the screen, if there are any."""
    ensemble = drawn_for(page)
    if ensemble is None or not ensemble.usable.any():
        return weeks
    from coopconnect.uncertainty.cases import weeks_of_draws

    return weeks_of_draws(person, ensemble)


def premises_in_draws(page: Page, found: PremisesComparison, code: str) -> PremisesComparison:
    """Both kinds of premises of a site with 5 and 95 % of the draws of the scenario on the screen, if there are any."""
    ensemble = drawn_for(page)
    if ensemble is None:
        return found
    from coopconnect.uncertainty.cases import premises_of_draws

    territory = ensemble.setup.territory
    rows = (territory.zones["zone_code"].to_numpy(object)[territory.site_zone] == code).nonzero()[0]
    return premises_of_draws(found, ensemble, int(rows[0])) if rows.size else found


def ranges_words(page: Page, drawn: int) -> str:
    """What the ranges beside are: 5 and 95 % of so many futures, or assumptions moved one at a time (0)."""
    return page.say("ranges.drawn" if drawn else "ranges.moved", draws=number(drawn, page.language))


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
