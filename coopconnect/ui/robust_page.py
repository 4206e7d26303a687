"""The page Robustesse: would we still decide so if we are wrong?"""

from __future__ import annotations

import html
from datetime import date
from functools import lru_cache

import numpy as np
import streamlit as st

from coopconnect.dossier import ASKED_OF
from coopconnect.problem import Problem
from coopconnect.show import charts, robust_charts
from coopconnect.show.robust_words import (
    failing_sentence,
    headline,
    label_of,
    learn_sentence,
    tipping_note,
    value_of,
    worth_sentence,
)
from coopconnect.show.words import euros, number, percent
from coopconnect.ui import cached, robust_jobs, state
from coopconnect.ui.assumptions import table_html
from coopconnect.ui.chart_block import draw_chart
from coopconnect.ui.filters import find_commune
from coopconnect.ui.frame import Page, guard
from coopconnect.ui.robust_further import draw_plans, draw_sobol, further_of, reference_values
from coopconnect.ui.robust_jobs import DRAWS
from coopconnect.ui.robust_parts import draw_map, growing_html
from coopconnect.ui.survey_form import Sent, cells_of, draw_fields, draw_problems
from coopconnect.ui.survey_host import draw_room, holds_room
from coopconnect.uncertainty import survey, tipping
from coopconnect.uncertainty.engine import KEPT
from coopconnect.uncertainty.results import Results, central_figures, results, viable
from coopconnect.uncertainty.run import Ensemble
from coopconnect.uncertainty.site import SiteFutures, site_futures

LISTED = 12
POLL_S = 1.0
TOLD_ASSUMPTIONS = (survey.USE, survey.REPLACE)
MOST_UPLOAD = 2_000_000
TYPED = "survey_typed"
"""Name of the form where answers are typed one at a time, in the keys of its fields."""


def draw_futures(page: Page) -> None:
    """Title, what to draw, progress, and all that the draws say."""
    st.html(
        f'<h1>{html.escape(page.say("page.robustesse"))}</h1><p class="lead">{html.escape(page.say("robust.lead"))}</p>'
    )
    with st.container(horizontal=True, vertical_alignment="bottom", key="robust_ask"):
        draws = st.segmented_control(
            page.say("robust.draws"), DRAWS, default=DRAWS[0], key="robust_draws", required=True,
            format_func=lambda n: number(n, page.language),
        )  # fmt: skip
        levers = st.toggle(page.say("robust.levers"), key="robust_levers", help=page.say("robust.levers_help"))
        weights = st.toggle(page.say("robust.weights"), key="robust_weights", help=page.say("robust.weights_help"))
    known = survey.learned(page.session.dossier.survey, page.parameters)
    with st.spinner(page.say("wait.territory"), show_time=False):
        key = robust_jobs.key_of(page.scenario, int(draws or DRAWS[0]), bool(levers), bool(weights), known)
        job = robust_jobs.job_of(key)
    if job.done == 0 and job.ensemble.draws == DRAWS[0] and not job.stop.is_set():
        robust_jobs.start(job)  # a link opened cold shows something; more draws wait for the button
    # Each in its place: draws that begin again would move the survey, and close what is open in it.
    with st.container():
        _progress(page, key)
    with st.container():
        if job.complete:
            with guard(page):
                _draw_results(page, job.ensemble)
    with st.container(), guard(page):
        draw_survey(page, job.ensemble if job.complete else None)


def _progress(page: Page, key: robust_jobs.Key) -> None:
    """Progress, stop and resume, read again each second while draws come."""
    running = robust_jobs.job_of(key).running

    @st.fragment(run_every=POLL_S if running else None)
    def shown() -> None:
        job = robust_jobs.job_of(key)
        if running != job.running:  # started by the button below, or ended: the whole page has changed
            st.rerun()
        if job.error:
            st.error(page.say("robust.failed", reason=job.error), icon=None)
        if not job.complete:
            st.progress(
                job.done / job.ensemble.draws,
                page.say("robust.progress", done=number(job.done, page.language), draws=number(job.ensemble.draws, page.language)),
            )  # fmt: skip
            with st.container(horizontal=True):
                if job.running:
                    st.button(page.say("robust.stop"), key="robust_stop", on_click=job.stop.set)
                else:
                    label = "robust.resume" if job.done else "robust.start"
                    st.button(
                        page.say(label), key="robust_start", type="primary", on_click=robust_jobs.start, args=(job,)
                    )
            _partial(page, job.ensemble)

    shown()


def _partial(page: Page, ensemble: Ensemble) -> None:
    """What the draws so far say of the selected village, and of the first of the ranking."""
    site = np.flatnonzero(_codes(ensemble) == page.view.selected)
    if site.size and ensemble.usable.any():
        share = float(viable(ensemble)[:, site[0]].mean())
        st.html(f'<p class="banner">{html.escape(page.say("robust.so_far", share=percent(share, page.language)))}</p>')
    table = growing_html(page, ensemble)
    if table:
        st.html(table)


def _codes(ensemble: Ensemble) -> np.ndarray:
    territory = ensemble.setup.territory
    return territory.zones["zone_code"].to_numpy(object)[territory.site_zone]


@lru_cache(maxsize=12)
def _site(ensemble: Ensemble, code: str) -> SiteFutures | None:
    found = results(ensemble)
    return None if found is None else site_futures(ensemble, found, code)


@lru_cache(maxsize=12)
def _tippings(ensemble: Ensemble, code: str) -> tuple[tipping.Tipping, ...]:
    """Of each lever, of the two pivotal shares, and of what is worth finding out first."""
    s, site = ensemble.setup, _site(ensemble, code)
    first = (site.learn.key,) if site is not None and site.learn is not None else ()
    home = s.home if s.home is not s.territory else None
    return (
        *tipping.lever_tipping(s.territory, s.scenario, s.parameters, code, home),
        *tipping.assumption_tipping(s, code, (*TOLD_ASSUMPTIONS, *first)),
    )


def _shown_code(page: Page, found: Results) -> str:
    """The selected village, else the first of the ranking."""
    return page.view.selected or str(found.sites["zone_code"].iloc[found.order[0]])


def _draw_results(page: Page, ensemble: Ensemble) -> None:
    found = results(ensemble)
    if found is None:
        st.warning(page.say("robust.no_solution"), icon=None)
        return
    config = charts.chart_config(page.language)
    code = _shown_code(page, found)
    site = _site(ensemble, code)
    if site is None:
        st.warning(page.say("sheet.unknown", code=code, name=ensemble.setup.territory.name), icon=None)
        return
    _sentence(page, ensemble, found, site)
    central = central_figures(ensemble)
    row = found.row(code) or 0
    ranks = found.sites["rank_reference"].to_numpy()
    left, right = st.columns(2, gap="medium")
    with left:
        ratio, now = ensemble.figure("viability")[:, row], float(central[KEPT.index("viability"), row])
        draw_chart(
            robust_charts.viability_spread(ratio, now, site.name, page.language, page.view.projector),
            "robust_spread", config,
        )  # fmt: skip
    with right:
        draw_chart(robust_charts.rank_heatmap(found, ranks, page.language, page.view.projector), "robust_ranks", config)
    if site.drivers:
        columns = {law.key: ensemble.drawn()[:, k] for k, law in enumerate(ensemble.setup.laws)}
        ok = bool(found.sites["viable_reference"].iloc[row])
        with left:
            figure = robust_charts.tornado(
                site.drivers, columns, viable(ensemble)[:, row], page.parameters, ok, page.language, page.view.projector
            )
            draw_chart(figure, "robust_tornado", config)
        with right:
            figure = robust_charts.driver_bars(
                site.drivers, reference_values(ensemble), page.parameters, found.usable, page.language,
                page.view.projector,
            )  # fmt: skip
            draw_chart(figure, "robust_drivers", config)
            with guard(page):
                draw_sobol(page, ensemble, site)
    with guard(page):
        _draw_tipping(page, ensemble, site)
    with guard(page):
        draw_map(page, ensemble, found)
    with guard(page):
        draw_plans(page, ensemble)
    with guard(page):
        _table(page, found)
        _take(page, ensemble, found, code)


def _sentence(page: Page, ensemble: Ensemble, found: Results, site: SiteFutures) -> None:
    """The answer in words, and how to ask of another village."""
    language = page.language
    low, mid, high = (number(r, language) for r in site.ranks)
    badge = "robust.badge" if site.robust else "robust.no_badge"
    enough = percent(page.parameters.values_with(dict(page.scenario.changed))["robust_probability_share"], language)
    lines = [
        f'<p class="say"><b>{html.escape(headline(site, language))}</b> '
        f"{html.escape(failing_sentence(site, page.parameters, language))} "
        f"{html.escape(learn_sentence(site, page.parameters, language))}</p>",
        f"<p>{html.escape(page.say('robust.rank', low=low, mid=mid, high=high))} "
        f"{html.escape(page.say('robust.tied')) if site.tied else ''} "
        f"{html.escape(page.say('robust.regret', eur=euros(_regret(found, site.code), language)))}</p>",
        f'<p><span class="tag">{html.escape(page.say(badge))}</span> '
        f"{html.escape(page.say(badge + '_why', share=enough))}</p>",
    ]
    lost = ensemble.draws - found.usable
    if lost:
        lines.append(f"<p>{html.escape(page.say('robust.lost', count=number(lost, language)))}</p>")
    st.html(
        f'<section class="site robust"><header><h2>{html.escape(site.name)}</h2>'
        f'<p><span class="tag">{html.escape(page.say("kind.modelled"))}</span></p></header>{"".join(lines)}</section>'
    )
    st.text_input(
        page.say("sheet.search"), key="robust_search", width=320, placeholder=page.say("filter.near_example"),
        on_change=_search, args=(page, ensemble),
    )  # fmt: skip


def _regret(found: Results, code: str) -> float:
    row = found.row(code)
    return float("nan") if row is None else float(found.sites["regret_eur_per_year"].iloc[row])


def _search(page: Page, ensemble: Ensemble) -> None:
    text = str(st.session_state["robust_search"]).strip()
    code = find_commune(text, ensemble.setup.territory)
    if code and code in set(_codes(ensemble)):
        st.session_state["robust_search"] = ""
        state.select(code)
    elif text:
        state.tell(page.say("filter.near_unknown", text=text[:60], name=ensemble.setup.territory.name))


def _draw_tipping(page: Page, ensemble: Ensemble, site: SiteFutures) -> None:
    st.html(f'<h2 class="title">{html.escape(page.say("robust.tipping"))}</h2>')
    curves = {t.key: t for t in _tippings(ensemble, site.code)}
    left, right = st.columns([1, 1], gap="medium")
    with left:
        head = tuple(page.say(f"robust.tip_{name}") for name in ("what", "now", "tips"))
        rows = []
        for key, curve in curves.items():
            near = curve.nearest
            tips = value_of(key, near, page.parameters, page.language) if near is not None else page.say(
                "robust.tip_always" if curve.margin[0] >= 0.0 else "robust.tip_never"
            )  # fmt: skip
            star = " *" if curve.status in ("assumption", "memory") else ""
            rows.append((label_of(key, page.parameters, page.language) + star,
                         value_of(key, curve.now, page.parameters, page.language), tips))  # fmt: skip
        st.html(table_html(head, rows, numbers=(1, 2)))
        points = {key: near for key, curve in curves.items() if (near := curve.nearest) is not None}
        st.caption(tipping_note(site, points, page.parameters, page.language))
    with right:
        told = [k for k, c in curves.items() if c.points] or list(curves)
        learn = site.learn.key if site.learn is not None else ""
        first = learn if learn in told else told[0]
        chosen = st.selectbox(
            page.say("robust.tip_pick"), list(curves), index=list(curves).index(first), key="robust_tip",
            format_func=lambda k: label_of(k, page.parameters, page.language),
        )  # fmt: skip
        figure = robust_charts.tipping_curve(
            curves[str(chosen)], site.name, page.parameters, page.language, page.view.projector
        )
        draw_chart(figure, "robust_tipping", charts.chart_config(page.language))


def _table(page: Page, found: Results) -> None:
    """The leading sites: how often viable, ranks, ties as one."""
    st.html(f'<h2 class="title">{html.escape(page.say("robust.table"))}</h2>')
    head = tuple(
        page.say(f"robust.col_{name}") for name in ("name", "group", "viable", "ranks", "top", "score", "badge")
    )
    rows = []
    for _, row in found.sites.iloc[found.order[:LISTED]].iterrows():
        score = " – ".join(number(float(row[f"score_{q}"]), page.language) for q in ("p05", "p50", "p95"))
        ranks = " – ".join(number(float(row[f"rank_{q}"]), page.language) for q in ("p05", "p50", "p95"))
        rows.append(
            (str(row["name"]), number(int(row["tie_group"]), page.language), percent(float(row["p_viable"]), page.language),
             ranks, percent(float(row["p_top10"]), page.language), score, page.say("robust.badge") if row["robust"] else "")
        )  # fmt: skip
    st.html(table_html(head, rows, numbers=(1, 2, 3, 4, 5), stacked=True))


def _take(page: Page, ensemble: Ensemble, found: Results, code: str) -> None:
    """What the futures say, as a workbook and as a table; each made when it is asked for."""
    from coopconnect.export.sheet_robust import futures_table, robust_workbook  # its libraries load on the first one
    from coopconnect.export.tables import csv_bytes

    day = date.today()
    name = f"coop-connect-robustesse-{day.isoformat()}"
    with st.container(horizontal=True):
        st.download_button(
            page.say("robust.take_xlsx"),
            data=lambda: robust_workbook(ensemble, page.language, day, code, further_of(page, ensemble, code)),
            file_name=f"{name}.xlsx", mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            key="robust_xlsx", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            page.say("robust.take_csv"), data=lambda: csv_bytes(futures_table(found)), file_name=f"{name}.csv",
            mime="text/csv", key="robust_csv", on_click="ignore",
        )  # fmt: skip


def draw_survey(page: Page, ensemble: Ensemble | None) -> None:
    """The five questions: import, what they teach, what ten more are worth."""
    sums, language = page.session.dossier.survey, page.language
    st.html(
        f'<h2 class="title">{html.escape(page.say("survey.title"))}</h2>'
        f'<p class="lead">{html.escape(page.say("survey.lead"))}</p>'
    )
    with st.container():
        if ensemble is not None:
            _worth(page, ensemble)
    left, right = st.columns(2, gap="medium")
    config = charts.chart_config(language)
    for column, key in ((left, survey.REPLACE), (right, survey.USE)):
        with column:
            before = survey.prior(key, page.parameters)
            taught = sums is not None and survey.counts(sums, key)[1] > 0.0
            after = survey.posterior(key, sums, page.parameters) if sums is not None and taught else None
            figure = robust_charts.before_after(before, after, page.parameters, language, page.view.projector)
            draw_chart(figure, f"survey_{key}", config)
            st.caption(_needed(page, before, after))
    with st.container():
        if sums is not None:
            said = page.say(
                f"survey.kept_{sums.asked}", answers=number(sums.answers, language), users=number(sums.users, language),
                effective=number(survey.effective_answers(sums), language, 1),
            )  # fmt: skip
            st.html(f'<p class="hint">{html.escape(said)}</p>')
            st.button(page.say("survey.forget"), key="survey_forget", on_click=_forget)
    _ask(page)


def _needed(page: Page, before: survey.Belief, after: survey.Belief | None) -> str:
    """How many answers were counted and what they did; how many more would halve the doubt."""
    language = page.language
    now = after or before
    more = page.say("survey.halving", more=number(now.halving, language))
    if after is None:
        return page.say("survey.prior_worth", answers=number(before.a + before.b, language)) + " " + more
    (a, b), (c, d) = before.interval(), after.interval()
    counted = after.a + after.b - before.a - before.b
    ends = (percent(v, language, 1) for v in (a, b, c, d))
    words = dict(zip(("low", "high", "low_now", "high_now"), ends, strict=True))
    return page.say("survey.learned", answers=number(counted, language), **words) + " " + more


def _worth(page: Page, ensemble: Ensemble) -> None:
    """What the next ten answers on either share are worth for opening here, for the place's accounts and for society."""
    language = page.language
    columns = {law.key: k for k, law in enumerate(ensemble.setup.laws)}
    found = results(ensemble)
    if found is None:
        return
    code = _shown_code(page, found)
    site, row = _site(ensemble, code), found.row(code)
    if site is None or row is None:
        return
    worths = {
        (key, name): survey.worth_of_answers(ensemble.figure(name)[:, row], ensemble.drawn()[:, columns[key]])
        for key in TOLD_ASSUMPTIONS if key in columns for name in ("net_benefit_eur_per_year", "surplus_eur_per_year")
    }  # fmt: skip
    head = tuple(page.say(f"survey.worth_{name}") for name in ("what", "whose", "now", "ten", "share", "all", "enough"))
    rows = []
    for (key, name), worth in worths.items():
        enough = page.say("survey.none_enough") if worth.enough is None else number(worth.enough, language)
        rows.append(
            (page.say(f"survey.about_{key}"), page.say(f"survey.{name}"),
             page.say("survey.opens" if worth.opens else "survey.waits"), euros(worth.of(10), language),
             euros(worth.one_share, language), euros(worth.everything, language),
             page.say("survey.no_need") if worth.one_share <= 0.0 else enough)
        )  # fmt: skip
    hour = page.parameters.values_with(dict(page.scenario.changed))["value_of_time_eur_per_h"]
    st.html(
        f"<p>{html.escape(page.say('survey.worth', name=site.name))}</p>"
        f'<p class="say">{html.escape(worth_sentence(worths, hour, language))}</p>'
        + table_html(head, rows, numbers=(3, 4, 5, 6), stacked=True)
    )


def _ask(page: Page) -> None:
    with st.expander(page.say("survey.add"), expanded=holds_room()):
        asked = st.radio(
            page.say("survey.asked"), ASKED_OF, key="survey_asked", format_func=lambda a: page.say(f"survey.{a}")
        )
        st.caption(page.say("survey.wishes"))
        draw_room(page, str(asked), _keep)
        given = st.file_uploader(
            page.say("survey.file"), type=["csv", "xlsx"], key="survey_file", help=page.say("survey.file_help")
        )
        if given is not None:
            st.button(
                page.say("survey.count"), key="survey_count", type="primary", on_click=_count, args=(given, str(asked))
            )
        typed = _typed_so_far()
        with st.form("survey_form", border=False, enter_to_submit=False):
            st.html(f"<p><b>{html.escape(page.say('survey.type'))}</b></p>")
            draw_fields(page, TYPED, typed.times)
            draw_problems(page, typed.problems, page.say("survey.wrong"))
            st.form_submit_button(page.say("survey.one_more"), on_click=_typed, args=(str(asked), typed.times))


def _typed_so_far() -> Sent:
    found = st.session_state.setdefault(TYPED, Sent())
    assert isinstance(found, Sent)
    return found


def _count(given: object, asked: str) -> None:
    """Make sums of a file and forget it."""
    content = given.getvalue()  # type: ignore[attr-defined]
    try:
        if len(content) > MOST_UPLOAD:
            raise survey.SurveyError(Problem("survey_large", count=MOST_UPLOAD // 1_000_000))
        _keep(survey.sums_of(survey.read_answers(str(given.name), content), asked))  # type: ignore[attr-defined]
    except survey.SurveyError as error:
        state.tell(*error.problems[:20])


def _typed(asked: str, n: int) -> None:
    """Count the answer that was typed; what is wrong is told in the form and all stays in its field."""
    answer, problems = survey.answer_of(cells_of(TYPED, n))
    if answer is not None:
        try:
            _keep(survey.sums_of([answer], asked))
        except survey.SurveyError as error:
            problems = list(error.problems)
    st.session_state[TYPED] = Sent(n, problems=tuple(problems)) if problems else Sent(n + 1)


def _keep(more: survey.SurveySums) -> None:
    """Add to the survey of the scenario; the two shares become what it teaches."""
    sums = survey.added(state.current().dossier.survey, more)
    state.write_survey(sums, survey.changed_values(sums, cached.parameters()))


def _forget() -> None:
    state.write_survey(None, {key: cached.parameters().value(key) for key in (survey.USE, survey.REPLACE)})
