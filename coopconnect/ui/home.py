"""The page Accueil: worked scenarios, territory, last scenario, scenario file, tour."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from coopconnect.parameters import DATA_DIR
from coopconnect.problem import Problem
from coopconnect.scenario import Scenario, ScenarioError
from coopconnect.scenario_file import ScenarioFile, from_toml
from coopconnect.show.describe import scenario_line
from coopconnect.show.problem_words import told
from coopconnect.show.static_map import svg_image
from coopconnect.show.words import say
from coopconnect.ui import places, state
from coopconnect.ui.frame import Page

SCENARIOS_DIR = DATA_DIR / "scenarios"
DECIDE = "pages/decider.py"
LARGEST_FILE_BYTES = 10_000_000
TOUR_STEPS = 5
NEAR = {"1_apt_225": "84003"}
"""Commune around which a worked scenario is looked at, by its key."""

PICTURES = {
    1: '<line x1="12" y1="30" x2="148" y2="30" stroke="#b7c6cb" stroke-width="6" stroke-linecap="round"/>'
       '<line x1="12" y1="30" x2="86" y2="30" stroke="#12607a" stroke-width="6" stroke-linecap="round"/>'
       '<circle cx="86" cy="30" r="10" fill="#fff" stroke="#12607a" stroke-width="5"/>'
       '<line x1="12" y1="66" x2="148" y2="66" stroke="#b7c6cb" stroke-width="6" stroke-linecap="round"/>'
       '<circle cx="48" cy="66" r="10" fill="#fff" stroke="#12607a" stroke-width="5"/>',
    2: '<path d="M14 60 48 16 78 30 70 70 30 82Z" fill="#dbe7b8" stroke="#fff" stroke-width="2"/>'
       '<path d="M78 30 112 14 120 56 70 70Z" fill="#68b6b0" stroke="#fff" stroke-width="2"/>'
       '<path d="M112 14 150 30 146 70 120 56Z" fill="#26407a" stroke="#fff" stroke-width="2"/>'
       '<path d="M70 70 120 56 146 70 104 86Z" fill="#3d92ac" stroke="#fff" stroke-width="2"/>',
    3: '<text x="12" y="52" font-size="34" font-weight="700" fill="#17242c">h / an</text>'
       '<line x1="14" y1="72" x2="146" y2="72" stroke="#b7c6cb" stroke-width="8" stroke-linecap="round"/>'
       '<line x1="40" y1="72" x2="104" y2="72" stroke="#12607a" stroke-width="8" stroke-linecap="round"/>'
       '<circle cx="66" cy="72" r="7" fill="#fff" stroke="#12607a" stroke-width="4"/>',
    4: '<path d="M30 64 62 20 104 28 128 62 80 82Z" fill="#a6d3b0" stroke="#17242c" stroke-width="4"/>'
       '<path d="M80 50Q40 10 20 36M80 50Q110 4 142 30M80 50Q100 80 138 78" fill="none" stroke="#d98e04" stroke-width="3"/>'
       '<circle cx="80" cy="50" r="9" fill="#12607a"/>',
    5: '<rect x="16" y="18" width="60" height="60" rx="6" fill="#fff" stroke="#12607a" stroke-width="4"/>'
       '<path d="M16 38H76M16 58H76M36 18V78M56 18V78" stroke="#12607a" stroke-width="2"/>'
       '<rect x="96" y="34" width="48" height="28" rx="14" fill="none" stroke="#d98e04" stroke-width="5"/>'
       '<path d="M108 48H132" stroke="#d98e04" stroke-width="5"/>',
}  # fmt: skip
"""Drawings of the tour: no files, no network."""


@dataclass(frozen=True)
class Example:
    """A worked scenario of `data/scenarios`: its name in a link, title and why in both languages."""

    key: str
    title: dict[str, str]
    why: dict[str, str]
    scenario: Scenario


@lru_cache(maxsize=1)
def examples() -> tuple[Example, ...]:
    """Worked scenarios in the order of their file names. A wrong file is an error of ours: it is raised."""
    from coopconnect.parameters import load_parameters

    found = []
    for path in sorted(SCENARIOS_DIR.glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        read = from_toml(text, load_parameters())
        titles = {"fr": read.dossier.title, "en": read.title_en or read.dossier.title}
        whys = {"fr": read.dossier.why, "en": read.why_en or read.dossier.why}
        found.append(Example(re.sub(r"\W", "_", path.stem), titles, whys, read.scenario))
    return tuple(found)


def draw_examples(page: Page) -> None:
    """Cards of the worked scenarios; each opens on Décider."""
    st.subheader(page.say("home.examples"), anchor=False)
    for column, example in zip(st.columns(len(examples()), gap="medium"), examples(), strict=True):
        title, why = example.title[page.language], example.why[page.language]
        line = scenario_line(example.scenario, page.parameters, page.language)
        with column:
            st.html(
                f'<div class="card"><h3>{html.escape(title)}</h3><p>{html.escape(why)}</p>'
                f"<b>{html.escape(line)}</b></div>"
            )
            if st.button(page.say("home.open_example", title=title), key=f"example_{example.key}"):
                state.start_from(example.scenario, near=NEAR.get(example.key, ""))
                st.switch_page(DECIDE)


def draw_start(page: Page) -> None:
    """Title, one sentence, the way to the map."""
    st.title(page.say("home.title"), anchor=False)
    st.html(f'<p class="lead">{html.escape(page.say("home.lead"))}</p>')
    if st.button(page.say("home.start"), type="primary", key="start"):
        st.switch_page(DECIDE)


def draw_territory(page: Page) -> None:
    """Choose a territory: région, département, EPCI, communes by code, or all of France."""
    st.subheader(page.say("home.territory"), anchor=False)
    kinds = ("region", "departement", "epci", "communes", "france")
    kind = st.segmented_control(
        page.say("home.territory_kind"), kinds, default="region", required=True, key="territory_kind",
        format_func=lambda k: page.say(f"home.kind.{k}"), label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    code = _picked(page, str(kind))
    if st.button(page.say("home.use_territory"), key="use_territory", disabled=not code):
        _work_on(page, code)


def _picked(page: Page, kind: str) -> str:
    """Code of the territory picked, '' while there is none."""
    if kind == "france":
        st.caption(page.say("home.france_heavy"))
        return "FR"
    if kind == "communes":
        text = st.text_area(
            page.say("home.communes_label"), key="communes", placeholder=page.say("home.communes_example"), height=90
        )
        return places.communes_code(text)
    options = places.choices(kind)
    usual = page.scenario.territory
    codes = list(options)
    index = codes.index(usual) if usual in codes else None
    chosen = st.selectbox(
        page.say(f"home.kind.{kind}"), codes, index=index, format_func=lambda c: options[c], key=f"pick_{kind}",
        placeholder=page.say("home.pick"),
    )  # fmt: skip
    return str(chosen or "")


def _work_on(page: Page, code: str) -> None:
    """Load the territory, tell what is wrong with it, or go to Décider with it."""
    from coopconnect.ui import cached

    with st.spinner(page.say("wait.territory")):
        try:
            cached.territory(code)
        except (ValueError, KeyError, FileNotFoundError) as error:
            st.error(str(error.args[0] if error.args else error), icon=None)
            return
    state.start_from(page.scenario.with_values(territory=code, refused=(), hosts=()))
    st.switch_page(DECIDE)


def draw_file(page: Page) -> None:
    """Open a scenario file; its problems are explained and nothing is lost."""
    st.subheader(page.say("home.file"), anchor=False)
    given = st.file_uploader(page.say("home.file_label"), type=["toml"], key="file", max_upload_size=10)
    if given is None:
        return
    try:
        read = read_file(given.getvalue(), page)
    except ScenarioError as error:
        st.error(page.say("home.file_bad"), icon=None)
        st.code(
            "\n".join(told(problem, page.parameters, page.language) for problem in error.problems[:20]),
            language=None,
            wrap_lines=True,
        )
        return
    shown = html.escape(read.dossier.title or page.say("home.file_untitled"))
    line = html.escape(scenario_line(read.scenario, page.parameters, page.language))
    st.html(f'<div class="card"><h3>{shown}</h3><p>{html.escape(read.dossier.why)}</p><b>{line}</b></div>')
    if read.migrated_from:
        st.caption(page.say("home.file_migrated", version=read.migrated_from))
    if st.button(page.say("home.open"), key="file_open"):
        state.start_from(read.scenario, dossier=read.dossier, plan=read.plan)
        st.switch_page(DECIDE)


def read_file(content: bytes, page: Page) -> ScenarioFile:
    """What a file given by a visitor says. Raises `ScenarioError` with every problem."""
    if len(content) > LARGEST_FILE_BYTES:
        raise ScenarioError(Problem("too_large", count=LARGEST_FILE_BYTES // 1_000_000))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ScenarioError(Problem("not_utf8")) from None
    return from_toml(text, page.parameters)


def draw_tour(page: Page) -> None:
    """Five steps, a drawing and a sentence each."""
    with st.expander(page.say("home.tour"), key="tour"):
        st.html(f'<div class="tour">{"".join(_step(page.language, n) for n in range(1, TOUR_STEPS + 1))}</div>')


def _step(language: str, n: int) -> str:
    title, text = (html.escape(say(f"tour.{n}.{part}", language)) for part in ("title", "text"))
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 96" font-family="sans-serif">{PICTURES[n]}</svg>'
    )
    return f'<div class="step">{svg_image(drawing, "")}<h3>{title}</h3><p>{text}</p></div>'
