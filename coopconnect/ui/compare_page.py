"""The page Comparer: two to four scenarios side by side, what differs, what each lever does in the difference."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import plotly.graph_objects as go
import streamlit as st

from coopconnect.dossier import Dossier
from coopconnect.model.attribution import (
    LARGE_SITES,
    SITE,
    Attribution,
    as_table,
    attribute,
    differing,
    most_exact,
    runs_needed,
)
from coopconnect.parameters import Parameters
from coopconnect.scenario import DEFAULT_TERRITORY, Scenario, ScenarioError, reference_scenario
from coopconnect.scenario_file import to_toml
from coopconnect.show import charts
from coopconnect.show.compare_charts import Shown, hours_overlaid, lever_shares
from coopconnect.show.compare_words import Formatter, change_text, formatter_of
from coopconnect.show.describe import changes, colon, scenario_line
from coopconnect.show.problem_words import told
from coopconnect.show.words import say
from coopconnect.ui import cached, state
from coopconnect.ui import compare_parts as parts
from coopconnect.ui.chart_block import draw_chart
from coopconnect.ui.compare_futures import draw_ranges
from coopconnect.ui.compare_parts import IMPLICIT, ON_SCREEN, Future
from coopconnect.ui.frame import Page, guard, mount_frame, reason_of
from coopconnect.ui.futures import drawn_of, with_draws
from coopconnect.ui.home import examples, read_file
from coopconnect.ui.state import KEPT_NAMES, Kept
from coopconnect.ui.widget_key import key_for

DECIDE = "pages/decider.py"
_ROUND = "compare_round"


# --- the scenarios --------------------------------------------------------------------------------------------------


def gather(page: Page) -> list[Future]:
    """The scenarios of the page, assessed: the one on the screen, those put aside, else the reference.

    One whose territory cannot be read is told and left out; it stays in the address.
    """
    session = page.session
    mine = session.dossier
    wanted = [(ON_SCREEN, mine.title or page.say("compare.on_screen"), mine, page.scenario)]
    wanted += [
        (k, item.title or page.say("compare.untitled"), item.dossier, item.scenario)
        for k, item in enumerate(session.kept)
    ]
    usual = reference_scenario(page.parameters, page.scenario.territory)
    if not session.kept and page.scenario != usual:
        wanted.append((IMPLICIT, page.say("compare.reference"), Dossier(), usual))
    found: list[Future] = []
    loaded = all(cached.is_loaded(scenario.territory) for *_, scenario in wanted)
    with st.empty() if loaded else st.spinner(page.say("compare.wait")):
        for place, title, dossier, scenario in wanted:
            future = _future(page, len(found), place, title, dossier, scenario)
            if future is not None:
                found.append(future)
    return found


def _future(page: Page, at: int, place: int, title: str, dossier: Dossier, scenario: Scenario) -> Future | None:
    try:
        drawn = drawn_of(page, scenario, dossier.survey)
        assessment = with_draws(cached.assessment(scenario), drawn)
    except (ValueError, KeyError, FileNotFoundError) as error:
        st.error(page.say("compare.place_bad", title=title, reason=reason_of(error)), icon=None)
        if place >= 0:
            st.button(page.say("compare.remove"), key=f"drop_broken_{place}", on_click=state.let_go, args=(place,))
        return None
    cached.mark_loaded(scenario.territory)
    return Future(at, place, title, dossier.why, scenario, assessment, dossier.survey, drawn)


def draw_head(page: Page) -> None:
    """Title, lead, undo and redo, the link."""
    with st.container(key="scenariobar", horizontal=True, vertical_alignment="center"):
        st.html(f"<h1>{page.say('page.comparer')}</h1><p class='lead'>{html.escape(page.say('compare.lead'))}</p>")
        past, future = page.session.past, page.session.future
        st.button(
            page.say("bar.undo"), key="undo", shortcut="u", disabled=not past, on_click=state.undo,
            help=page.say("bar.undo_help"),
        )  # fmt: skip
        st.button(
            page.say("bar.redo"), key="redo", shortcut="y", disabled=not future, on_click=state.redo,
            help=page.say("bar.redo_help"),
        )  # fmt: skip
        mount_frame(page, remember=True, copy=True)


def draw_cards(page: Page, futures: Sequence[Future]) -> None:
    """One card for each scenario: letter, title that can be changed, what it holds, what one does with it."""
    for column, future in zip(st.columns(len(futures), gap="medium"), futures, strict=True):
        with column, st.container(key=f"future_{future.letter}", border=True):
            _card(page, future)


def _card(page: Page, future: Future) -> None:
    st.html(_card_html(page, future))
    if future.place == IMPLICIT:
        st.caption(page.say("compare.implicit"))
        return
    with st.container(horizontal=True, key=f"actions_{future.letter}"):
        if future.place == ON_SCREEN:
            full = len(page.session.kept) >= len(KEPT_NAMES)
            st.button(
                page.say("compare.put_aside"), key="put_aside", on_click=_put_screen_aside, disabled=full,
                help=page.say("compare.full_hint" if full else "compare.put_aside_help"),
            )  # fmt: skip
            if st.button(page.say("compare.decide"), key="to_decide"):
                st.switch_page(DECIDE)
        else:
            st.button(
                page.say("compare.to_screen"), key=f"swap_{future.place}", on_click=state.swap_kept,
                args=(future.place,), help=page.say("compare.to_screen_help"),
            )  # fmt: skip
            st.button(
                page.say("compare.remove"), key=f"drop_{future.place}", on_click=state.let_go, args=(future.place,)
            )
        with st.popover(page.say("compare.rename"), key=f"rename_{future.place}"):
            _title_box(page, future)
        st.download_button(
            page.say("compare.save"), data=lambda: _file_of(page, future), file_name=file_name(future.title),
            mime="application/toml", key=f"save_{future.place}", on_click="ignore", help=page.say("bar.save_help"),
        )  # fmt: skip


def _card_html(page: Page, future: Future) -> str:
    line = html.escape(scenario_line(future.scenario, page.parameters, page.language))
    found = changes(future.scenario, page.parameters, page.language)
    chips = (
        "".join(
            f'<span class="chip" title="{html.escape(page.say("bar.before", value=before))}">{html.escape(name)}'
            f"{colon(page.language)}<b>{html.escape(value)}</b></span>"
            for name, value, before in found
        )
        or f'<span class="same">{html.escape(page.say("bar.same"))}</span>'
    )
    on_screen = page.say("compare.on_screen")
    tagged = future.place == ON_SCREEN and future.title != on_screen
    tag = f'<span class="tag">{html.escape(on_screen)}</span>' if tagged else ""
    place = html.escape(future.assessment.territory_name)
    why = f'<p class="why">{html.escape(future.why)}</p>' if future.why else ""
    return (
        f'<div class="future"><h2>{parts.badge(future)} {html.escape(future.title)} {tag}</h2>'
        f'<div class="scenario"><div class="line">{line}</div><p class="place">{place}</p><div class="chips">{chips}</div></div>{why}</div>'
    )


def _title_box(page: Page, future: Future) -> None:
    """The title, to be changed; that of the screen is the title of its dossier, with its why."""
    held = page.session.dossier.title if future.place == ON_SCREEN else page.session.kept[future.place].title
    why = page.session.dossier.why
    key, why_key = key_for(f"title_{future.place}", held), key_for("why", why)
    asked = (future.place, key, why_key)
    st.text_input(
        page.say("compare.title_label", letter=future.letter), held, key=key, max_chars=80,
        placeholder=page.say("compare.title_hint"), on_change=_rename, args=asked,
    )  # fmt: skip
    if future.place == ON_SCREEN:
        st.text_input(page.say("compare.why_label"), why, key=why_key, max_chars=500, on_change=_rename, args=asked)


def _rename(place: int, key: str, why_key: str) -> None:
    title = str(st.session_state[key])
    if place == ON_SCREEN:
        state.write_title(title, str(st.session_state[why_key]))
    else:
        state.rename_kept(place, title)


def _put_screen_aside() -> None:
    session = state.current()
    title = session.dossier.title or say("compare.on_screen", session.view.language)
    state.put_aside(title, session.scenario, Dossier(title, session.dossier.why))


def file_name(title: str) -> str:
    """'crise-3-le-litre.toml': letters and digits of the title, of any alphabet."""
    name = re.sub(r"\W+", "-", title.casefold()).strip("-")[:60]
    return f"{name or 'scenario'}.toml"


def _file_of(page: Page, future: Future) -> bytes:
    session = page.session
    if future.place == ON_SCREEN:
        dossier = session.dossier
    else:
        item = session.kept[future.place]
        dossier = replace(item.dossier, title=item.title)
    return to_toml(future.scenario, page.parameters, dossier).encode("utf-8")


# --- adding one -----------------------------------------------------------------------------------------------------


def draw_add(page: Page, opened: bool) -> None:
    """Add a scenario by name, by link, by file."""
    room = len(KEPT_NAMES) - len(page.session.kept)
    with st.expander(page.say("compare.add"), expanded=opened, key="add_scenario"):
        if room <= 0:
            st.html(f'<p class="hint">{html.escape(page.say("compare.full_hint"))}</p>')
            return
        st.caption(page.say("compare.add_named"))
        with st.container(horizontal=True):
            for key, title, scenario, why in _ready_made(page):
                st.button(
                    title, key=f"add_{key}", on_click=state.put_aside, args=(title, scenario, Dossier(title, why)),
                    help=why or None,
                )  # fmt: skip
        link, files = st.columns(2, gap="large")
        with link:
            st.text_input(page.say("compare.link"), key="link", placeholder=page.say("compare.link_example"))
            st.button(page.say("compare.link_add"), key="link_add", on_click=_add_link)
        with files:
            number = int(st.session_state.get(_ROUND, 0))
            st.file_uploader(
                page.say("compare.files"), type=["toml"], accept_multiple_files=True, key=f"files_{number}",
                on_change=_add_files, args=(page, number), max_upload_size=10,
            )  # fmt: skip


def _ready_made(page: Page) -> list[tuple[str, str, Scenario, str]]:
    """The reference and the worked scenarios, on the territory of the screen: key, title, scenario, why."""
    code = page.scenario.territory
    found = [("reference", page.say("compare.reference"), reference_scenario(page.parameters, code), "")]
    for example in examples():
        scenario = example.scenario
        if scenario.territory == DEFAULT_TERRITORY != code:
            scenario = scenario.with_values(territory=code, refused=(), hosts=())
        found.append((example.key, example.title[page.language], scenario, example.why[page.language]))
    return found


def scenario_of_link(text: str, parameters: Parameters) -> tuple[Scenario, str, list[str]]:
    """Scenario and title of a pasted address, and every problem; the address may be its end only ('v=1&…')."""
    text = text.strip()
    query = urlsplit(text).query or text.lstrip("?")
    values = {k: v for k, v in dict(parse_qsl(query)).items() if "://" not in k}
    title = values.pop("t", "")
    found = state.session_from_query(values, parameters)
    if not values:
        return found.scenario, title, ["compare.link_none"]
    return found.scenario, title, list(found.problems)


def _add_link() -> None:
    """Put aside the scenario of the link; a wrong link is explained and stays where it was typed."""
    session, parameters = state.current(), cached.parameters()
    language = session.view.language
    scenario, title, problems = scenario_of_link(str(st.session_state.get("link", "")), parameters)
    if problems:
        state.tell(*(say(p, language) if p == "compare.link_none" else p for p in problems))
        return
    name = title or say("compare.link_title", language)
    state.put_aside(name, scenario, Dossier(name))
    st.session_state["link"] = ""


def _add_files(page: Page, number: int) -> None:
    """Put aside the scenarios of the files that were dropped; wrong ones are explained, all at once."""
    added: list[Kept] = []
    problems: list[str] = []
    for given in st.session_state.get(f"files_{number}") or ():
        try:
            read = read_file(given.getvalue(), page)
        except ScenarioError as error:
            problems += [
                page.say("compare.file_bad", name=given.name, problem=told(p, page.parameters, page.language))
                for p in error.problems[:20]
            ]
            continue
        title = read.dossier.title or re.sub(r"\.toml$", "", given.name)
        added.append(Kept(title[:80], read.scenario, read.dossier))
        if read.migrated_from:
            problems.append(page.say("compare.file_migrated", name=given.name, version=read.migrated_from))
    state.keep_aside(tuple(added), tuple(problems))
    st.session_state[_ROUND] = number + 1  # a new, empty box: the same files can be dropped again


# --- what differs ---------------------------------------------------------------------------------------------------


def pair_of(page: Page, futures: Sequence[Future]) -> tuple[Future, Future]:
    """The point of comparison and the scenario looked at closely, as the address says, else the usual ones.

    Usual: from the first one put aside (or the reference) to the one on the screen.
    """

    def wanted(text: str, usual: int) -> int:
        return int(text) if text.isascii() and text.isdigit() and int(text) < len(futures) else usual

    base = wanted(page.view.base, 1)
    usual = 0 if base != 0 else 1
    after = wanted(page.view.against, usual)
    return futures[base], futures[after if after != base else usual]


def draw_differences(page: Page, futures: Sequence[Future]) -> None:
    """Sentences, figures and levers: each scenario against the point of comparison."""
    base, _ = pair_of(page, futures)
    st.html(f'<h2 class="section">{html.escape(page.say("compare.changes"))}</h2>')
    if len(futures) > 2:
        _choice(page, futures, "base", page.say("compare.base"), base)
    st.html("".join(parts.pair_html(page, base, other) for other in futures if other is not base))
    levers = (
        f'<h2 class="section">{html.escape(page.say("compare.levers"))}</h2>{parts.levers_html(page, futures, base)}'
    )
    figures = (
        f'<h2 class="section">{html.escape(page.say("compare.figures"))}</h2>{parts.figures_html(page, futures, base)}'
        f'<p class="banner"><b>{html.escape(page.say("kind.modelled"))}</b> {html.escape(page.say("compare.figures_note"))}</p>'
    )
    if len(futures) > 2:
        st.html(levers + figures)
    else:
        left, right = st.columns([2, 3], gap="large")
        left.html(levers)
        right.html(figures)
    with guard(page):
        draw_ranges(page, futures)


def _choice(page: Page, futures: Sequence[Future], field: str, label: str, chosen: Future) -> None:
    """Choose a scenario by its letter; what is chosen goes to the address."""
    key = key_for(f"compare_{field}", chosen.letter)
    titles = {f.letter: f"{f.letter} · {f.title}" for f in futures}
    st.segmented_control(
        label, list(titles), default=chosen.letter, key=key, required=True,
        format_func=lambda letter: titles.get(letter, letter),
        on_change=_look_at, args=(field, key), wrap=True,
    )  # fmt: skip


def _look_at(field: str, key: str) -> None:
    letter = str(st.session_state.get(key) or "")
    if letter:
        state.look(**{field: str(parts.LETTERS.index(letter))})


def draw_maps(page: Page, futures: Sequence[Future]) -> None:
    """A small map for each scenario under one legend."""
    st.html(f'<h2 class="section">{html.escape(page.say("compare.maps"))}</h2>')
    if any(len(f.assessment.sites) > LARGE_SITES for f in futures):
        st.html(f'<p class="hint">{html.escape(page.say("compare.maps_large", count=LARGE_SITES))}</p>')
        return
    maps = "".join(parts.score_map_html(page, f, cached.geometry(f.scenario.territory)) for f in futures)
    st.html(f'<div class="smallmaps of{len(futures)}">{maps}</div>{parts.score_maps_legend(page)}')


def draw_close(page: Page, futures: Sequence[Future]) -> None:
    """Two scenarios closely: maps of the differences, ranking and its moves, breakdown by lever."""
    base, after = pair_of(page, futures)
    titles = {"before": f"{base.letter} · {base.title}", "after": f"{after.letter} · {after.title}"}
    st.html(f'<h2 class="section">{html.escape(page.say("compare.close", **titles))}</h2>')
    if len(futures) > 2:
        _choice(page, [f for f in futures if f is not base], "against", page.say("compare.against"), after)
    with guard(page):
        _draw_pair(page, base, after)
    with guard(page):
        _draw_breakdown(page, base, after)


def _draw_pair(page: Page, base: Future, after: Future) -> None:
    difference = parts.between(page, base, after)
    same = base.scenario.territory == after.scenario.territory
    if not same:
        names = {"before": base.assessment.territory_name, "after": after.assessment.territory_name}
        told = page.say("compare.other_place", **names)
        if len(difference.sites):
            told = f"{told} {page.say('compare.other_place_common', count=len(difference.sites))}"
        st.html(f'<p class="hint">{html.escape(told)}</p>')
    if difference.sites.empty:
        return
    if same and len(after.assessment.sites) <= LARGE_SITES:
        geometry = cached.geometry(after.scenario.territory)
        st.html(parts.difference_maps_html(page, base, after, difference, geometry))
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.html(parts.crossings_html(page, difference))
    with right:
        title = html.escape(page.say("compare.moves"))
        st.html(f'<h3 class="section">{title}</h3>{parts.moves_html(page, base, after, difference)}')


# --- breakdown ------------------------------------------------------------------------------------------------------


def _draw_breakdown(page: Page, base: Future, after: Future) -> None:
    st.html(f'<h3 class="section">{html.escape(page.say("compare.breakdown"))}</h3>')
    if base.scenario.territory != after.scenario.territory:
        st.html(f'<p class="hint">{html.escape(page.say("compare.no_breakdown"))}</p>')
        return
    keys = differing(base.scenario, after.scenario)
    if not keys:
        st.html(f'<p class="hint">{html.escape(page.say("compare.waterfall_none"))}</p>')
        return
    outcome = _outcome(page, after)
    name, code = parts.OUTCOME_OF[outcome], _site_code(page, after)
    found = _attribution(page, base, after, name, code)
    site = after.assessment.site(code)
    names = [change_text(key, base.scenario, after.scenario, page.parameters, page.language) for key in found.keys]
    before, now = (Shown(f.letter, f.title, replace(f.assessment, scenario=f.scenario)) for f in (base, after))
    figure = lever_shares(
        found, name, before, now, page.parameters, page.language, page.view.projector,
        "" if site is None else str(site["name"]),
    )  # fmt: skip
    left, right = st.columns([3, 2], gap="large")
    with left:
        _draw_chart(page, figure, "chart_waterfall")
    with right:
        st.html(_breakdown_html(page, found, names))


def _outcome(page: Page, after: Future) -> str:
    """The figure to break down; that of a site only where one is known."""
    outcomes = [key for key in parts.OUTCOME_OF if key != "site" or _site_code(page, after)]
    chosen = page.view.outcome if page.view.outcome in outcomes else outcomes[0]
    site = after.assessment.site(_site_code(page, after))
    name = "" if site is None else str(site["name"])
    key = key_for("outcome", chosen)
    labels = {key: page.say(f"compare.total.{parts.OUTCOME_OF[key]}", name=name) for key in outcomes}
    st.segmented_control(
        page.say("compare.outcome"), outcomes, default=chosen, key=key, format_func=lambda key: labels.get(key, key),
        required=True, on_change=lambda: state.look(outcome=str(st.session_state[key] or "")), wrap=True,
    )  # fmt: skip
    return chosen


def _site_code(page: Page, after: Future) -> str:
    """The selected commune, else the best one of the second scenario."""
    if page.view.selected and after.assessment.site(page.view.selected) is not None:
        return page.view.selected
    sites = after.assessment.sites
    best = sites.loc[parts.shown_sites(page, after.assessment)].nlargest(1, "score")
    return "" if best.empty else str(best["zone_code"].iloc[0])


def _attribution(page: Page, base: Future, after: Future, name: str, code: str) -> Attribution:
    """The breakdown; each scenario it looks at is kept, so that another figure of the same pair costs nothing."""
    most = most_exact(len(after.assessment.sites))
    place = st.empty()

    def tell(done: int, total: int) -> None:
        if done % 8 == 0 and done < total:
            place.progress(done / total, page.say("compare.working", done=done, total=total))

    found = attribute(
        base.scenario, after.scenario, lambda s: cached.central_results(s).outcome(name, code if name == SITE else ""),
        most, tell,
    )  # fmt: skip
    place.empty()
    return found


def _breakdown_html(page: Page, found: Attribution, names: Sequence[str]) -> str:
    """How the shares were made, the table of shares, what levers do together."""
    outcome = parts.OUTCOME_OF.get(page.view.outcome, "viable_rural_sites")
    write = formatter_of(outcome, page.language)
    if len(found.keys) == 1:
        return f'<p class="hint">{html.escape(page.say("compare.one_lever"))}</p>'
    runs = runs_needed(found.keys, len(found.keys) if found.exact else 0)
    how = page.say(
        "compare.breakdown_exact" if found.exact else "compare.breakdown_orders", runs=runs, count=len(found.keys)
    )
    heads = ("lever", "share", "alone_head", "last_head")
    head = "".join(
        f'<th scope="col"{" class=num" if k else ""}>{html.escape(page.say(f"compare.{h}"))}</th>'
        for k, h in enumerate(heads)
    )
    text = dict(zip(found.keys, names, strict=True))
    rows = "".join(
        f'<tr><th scope="row">{html.escape(text[str(row["key"])])}</th>'
        + "".join(
            f'<td class="num">{html.escape(_fine(write, float(row[c])))}</td>' for c in ("effect", "alone", "last")
        )
        + "</tr>"
        for row in as_table(found).to_dict("records")
    )
    together = page.say("compare.no_interaction")
    if write(found.interaction, signed=True) != write(0.0, signed=True):
        together = page.say(
            "compare.interaction", alone=write(float(found.alone.sum()), signed=True),
            total=write(found.after - found.before, signed=True), interaction=write(found.interaction, signed=True),
        )  # fmt: skip
    return (
        f'<div class="scroll"><table class="plain compared"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="banner">{html.escape(how)}</p><p class="banner">{html.escape(together)}</p>'
    )


def _fine(write: Formatter, value: float) -> str:
    return write(value, signed=True)


def draw_spread(page: Page, futures: Sequence[Future]) -> None:
    """Distributions of hours kept, one line for each scenario, on one axis."""
    st.html(f'<h2 class="section">{html.escape(page.say("compare.spread"))}</h2>')
    shown = [Shown(f.letter, f.title, f.assessment) for f in futures]
    _draw_chart(page, hours_overlaid(shown, page.language, page.view.projector), "chart_spread")


def _draw_chart(page: Page, figure: go.Figure, key: str) -> None:
    draw_chart(figure, key, charts.chart_config(page.language, key), None if key == "chart_spread" else "")


def draw_comparison(page: Page, futures: Sequence[Future]) -> None:
    """All that compares, top to bottom: what is quick first."""
    with guard(page):
        draw_differences(page, futures)
    with guard(page):
        draw_maps(page, futures)
    with st.container(key="below"), guard(page):
        draw_close(page, futures)
    with guard(page):
        draw_spread(page, futures)
