"""Further runs beside the draws, in the background: total Sobol indices of a site and the regret of plans, each asked by
a button on Robustesse; what the draws say of households, on Ménages.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
import streamlit as st

from coopconnect.model.attribution import LARGE_SITES
from coopconnect.model.household_groups import HouseholdGroups
from coopconnect.question import PlanError
from coopconnect.show import charts, robust_charts
from coopconnect.show.problem_words import told
from coopconnect.show.robust_words import candidate_name, plans_sentence
from coopconnect.show.words import euros, number, percent
from coopconnect.siting.types import SitePlan
from coopconnect.ui import network_page
from coopconnect.ui.assumptions import table_html
from coopconnect.ui.chart_block import draw_chart
from coopconnect.ui.frame import Page
from coopconnect.ui.jobs import Job, Shelf
from coopconnect.ui.robust_jobs import SEED
from coopconnect.uncertainty import drivers
from coopconnect.uncertainty.cases import group_rows, groups_of_draws, household_layout, household_values
from coopconnect.uncertainty.drivers import Driver
from coopconnect.uncertainty.plan_futures import PlanFutures, case_of, plan_figure_rows, plan_futures
from coopconnect.uncertainty.plans import Candidate, CandidateFutures, Further, compared, plan_rows
from coopconnect.uncertainty.results import results
from coopconnect.uncertainty.run import Backend, Ensemble, Gathered, cores, gather, nothing_gathered, threads
from coopconnect.uncertainty.site import SiteFutures, around, margin_rows

SOBOL_BASE = 256
"""Points of Saltelli's design, a power of two: it takes that many runs for each quantity drawn, and two more."""

LARGE_DRAWS = 200
"""Draws of a plan on a territory of more than `LARGE_SITES` sites, where each takes long: the first of the design,
whose rows are paired at random."""

MOST_JOBS = 12
POLL_S = 1.0


@dataclass(eq=False)
class Runs(Job):
    """Further runs that fill. plans: what they compare, where they do; households, network: with their ranges, once all is
    there."""

    runs: Gathered
    backend: Backend
    plans: tuple[Candidate, ...] = ()
    households: HouseholdGroups | None = None
    network: PlanFutures | None = None

    @property
    def complete(self) -> bool:
        """True where nothing is left to run."""
        return bool(self.runs.done.all())


@st.cache_resource(show_spinner=False)
def _jobs() -> Shelf[Hashable, Runs]:
    """Further runs of this server."""
    return Shelf(MOST_JOBS)


def _start(job: Runs) -> None:
    """Go on, in a thread of its own; nothing where it runs or is complete."""
    if not job.complete:
        job.begin(lambda: _work(job), "further")


def _work(job: Runs) -> None:
    for _ in job.steps(gather(job.runs, job.backend)):
        pass  # it fills in place


def _watch(page: Page, key: Hashable, name: str) -> None:
    """Progress and a way to stop while it runs; a way to go on where it was stopped."""

    @st.fragment(run_every=POLL_S)
    def shown() -> None:
        job = _jobs().find(key)
        if job is None or job.complete or not job.running:
            st.rerun()
        done = number(float(job.runs.done.sum()), page.language)
        with st.container(horizontal=True, vertical_alignment="center", key=f"{name}_running"):
            whole = number(float(job.runs.done.size), page.language)
            st.progress(job.runs.share, page.say("further.progress", done=done, runs=whole))
            st.button(page.say("robust.stop"), key=f"{name}_stop", on_click=job.stop.set)

    shown()


def _asked(
    page: Page, key: Hashable, name: str, make: Callable[[], Runs], label: str, at_once: bool = False
) -> Runs | None:
    """The finished runs of a key; else the button that starts them, or how far they are.

    at_once: they start by themselves the first time; stopped, they wait for the button.
    """
    job = _jobs().find(key)
    if job is None and at_once:
        _start(job := _jobs().take(key, make))
    if job is not None and job.complete:
        return job
    if job is not None and job.running:
        _watch(page, key, name)
        return None
    if job is not None and job.error:
        st.error(page.say("robust.failed", reason=job.error), icon=None)
    if st.button(page.say("robust.resume") if job is not None else label, key=f"{name}_start"):
        with st.spinner(page.say("network.wait"), show_time=False):
            _start(_jobs().take(key, make))
        st.rerun()
    return None


def groups_in_draws(page: Page, ensemble: Ensemble, groups: HouseholdGroups) -> HouseholdGroups:
    """The households with 5 and 95 % of the draws as their ranges; as they are, with how far it is, while draws run."""
    setup, code = ensemble.setup, groups.site_code

    def make() -> Runs:
        place = around(setup, code) if code else setup  # no weights are drawn there: the design has the same columns
        more, values = household_values(ensemble)
        layout = household_layout(groups, place, ensemble.draws)
        work = threads(cores(), partial(group_rows, layout, more, code))
        return Runs(nothing_gathered(place, values, layout.columns, np.float32), work)

    job = _asked(
        page, _households_key(ensemble, code), "house_draws", make,
        page.say("house.draw", draws=number(ensemble.draws, page.language)),
        at_once=bool(code) or setup.territory.site_zone.size <= LARGE_SITES,
    )  # fmt: skip
    if job is None:
        return groups
    if job.households is None:
        job.households = groups_of_draws(
            groups, household_layout(groups, job.runs.setup, ensemble.draws), job.runs.found
        )
    return job.households


def _households_key(ensemble: Ensemble, code: str) -> Hashable:
    s = ensemble.setup
    return "households", s.scenario, s.laws, ensemble.draws, code


def plan_in_draws(page: Page, ensemble: Ensemble, plan: SitePlan, ask: bool = True) -> PlanFutures | None:
    """The plan over the draws; None, with how far it is, while they run. ask: False to take what is there and start nothing.

    Up to 5,000 sites they run by themselves; above, where a draw takes long, the first `LARGE_DRAWS` of them by a button.
    """
    setup = ensemble.setup
    small = setup.territory.site_zone.size <= LARGE_SITES
    values = ensemble.values if small else ensemble.values[:LARGE_DRAWS]
    case = case_of(plan, setup)
    key = "network", setup.scenario, setup.laws, ensemble.draws, case

    def make() -> Runs:
        work = threads(cores(), partial(plan_figure_rows, case))
        return Runs(nothing_gathered(setup, values, case.columns), work)

    if ask:
        label = page.say("network.draw_plan", draws=number(float(len(values)), page.language))
        job = _asked(page, key, "network_draws", make, label, at_once=small)
    else:
        job = _jobs().find(key)
    if job is None or not job.complete:
        return None
    if job.network is None:
        job.network = plan_futures(plan, setup, job.runs.found)
    return job.network


def draw_sobol(page: Page, ensemble: Ensemble, site: SiteFutures) -> None:
    """Total indices of the doubt about a site: a button, then the bars with their interactions."""
    setup = ensemble.setup
    laws = sum(law.kind != "weight" for law in setup.laws)
    runs = SOBOL_BASE * (laws + 2)

    def make() -> Runs:
        alone = around(setup, site.code)
        values = drivers.saltelli(alone, SOBOL_BASE, SEED)
        return Runs(nothing_gathered(alone, values, 1), threads(cores(), margin_rows))

    job = _asked(
        page, _sobol_key(ensemble, site.code), "robust_sobol", make,
        page.say("further.sobol", runs=number(float(runs), page.language)),
    )  # fmt: skip
    if job is None:
        st.caption(page.say("further.sobol_why"))
        return
    found = _sobol(job)
    if found:
        figure = robust_charts.driver_bars(
            found, reference_values(ensemble), page.parameters, len(job.runs.values), page.language,
            page.view.projector,
        )  # fmt: skip
        draw_chart(figure, "robust_sobol", charts.chart_config(page.language))


def reference_values(ensemble: Ensemble) -> dict[str, float]:
    """What each quantity that is drawn is worth in the reference case, by key."""
    return {law.key: law.value for law in ensemble.setup.laws}


def _sobol_key(ensemble: Ensemble, code: str) -> Hashable:
    s = ensemble.setup
    return "sobol", s.scenario, s.laws, code


@lru_cache(maxsize=12)
def _sobol(job: Runs) -> tuple[Driver, ...]:
    return drivers.sobol(job.runs.setup.laws, job.runs.values, job.runs.found[:, 0], SEED)


def draw_plans(page: Page, ensemble: Ensemble) -> None:
    """What is regretted of each plan: that of Réseau, its beginnings, nothing, and those of scenarios put aside."""
    st.html(
        f'<h2 class="title">{html.escape(page.say("plans.title"))}</h2><p>{html.escape(page.say("plans.lead"))}</p>'
    )

    def make() -> Runs:
        plans = _candidates(page)
        work = threads(cores(), partial(plan_rows, plans))
        return Runs(nothing_gathered(ensemble.setup, ensemble.values, len(plans)), work, plans)

    try:
        job = _asked(page, _plans_key(page, ensemble), "robust_plans", make, page.say("plans.compare"))
    except PlanError as error:
        st.error(
            "\n".join(f"- {html.escape(told(p, page.parameters, page.language))}" for p in error.problems), icon=None
        )
        return
    found = () if job is None else _compared(job)
    if not found:
        return
    language = page.language
    head = tuple(
        page.say(f"plans.col_{key}") for key in ("name", "sites", "worth", "gains", "best", "regret", "p95", "worst")
    )
    rows = [
        (candidate_name(p.name, language), number(float(p.sites), language), euros(p.worth_eur, language),
         percent(p.p_gains, language), percent(p.p_best, language), euros(p.regret_eur, language),
         euros(p.regret_p95_eur, language), euros(p.regret_worst_eur, language))
        for p in found
    ]  # fmt: skip
    st.html(
        f'<p class="say">{html.escape(plans_sentence(found, language))}</p>'
        + table_html(head, rows, numbers=(1, 2, 3, 4, 5, 6, 7), red=True, stacked=True)
        + f'<p class="hint">{html.escape(page.say("plans.note"))}</p>'
    )


def _plans_key(page: Page, ensemble: Ensemble) -> Hashable:
    s = ensemble.setup
    others = tuple((item.title, item.scenario) for item in page.session.kept)
    return "plans", s.scenario, s.laws, ensemble.draws, network_page.question_of(page), others


@lru_cache(maxsize=12)
def _compared(job: Runs) -> tuple[CandidateFutures, ...]:
    return compared(job.plans, job.runs.found)


def _candidates(page: Page) -> tuple[Candidate, ...]:
    """Nothing; the plan of Réseau, its first site and its first half; what the other scenarios would plan."""
    plan = network_page.plan_under(page, page.scenario)
    rows, existing = plan.rows_of(existing=False), plan.rows_of(existing=True)
    desks = plan.question.desks
    found = [Candidate("nothing", ())]
    if len(rows) > 1:
        found.append(Candidate("first", rows[:1], desks, existing))
    if len(rows) > 3:
        found.append(Candidate("half", rows[: len(rows) // 2], desks, existing))
    found.append(Candidate("network", rows, desks, existing))
    for item in page.session.kept:
        if item.scenario.territory == page.scenario.territory:
            other = network_page.plan_under(page, item.scenario)
            title = item.title or page.say("compare.untitled")
            found.append(Candidate(title, other.rows_of(existing=False), desks, existing))
    return tuple(found)


def further_of(page: Page, ensemble: Ensemble, code: str, plan: SitePlan | None = None) -> Further:
    """What further runs have found for the scenario on the screen and its plan, for a file; nothing is started."""
    found = results(ensemble)
    if not code and found is not None:  # the page tells the first of the ranking where no village is selected
        code = str(found.sites["zone_code"].iloc[found.order[0]])
    sobol, plans = (_jobs().find(key) for key in (_sobol_key(ensemble, code), _plans_key(page, ensemble)))
    everyone = _jobs().find(_households_key(ensemble, ""))
    whole = sobol is not None and sobol.complete
    return replace(
        Further(code), sobol=_sobol(sobol) if sobol is not None and whole else (),
        runs=len(sobol.runs.values) if sobol is not None and whole else 0,
        plans=_compared(plans) if plans is not None and plans.complete else (),
        households=everyone.runs if everyone is not None and everyone.complete else None,
        network=None if plan is None else plan_in_draws(page, ensemble, plan, ask=False),
    )  # fmt: skip
