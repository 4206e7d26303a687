"""The state of one visitor: one frozen `Session` under one key of Streamlit's session state.

Widgets keep nothing of their own: before they are drawn their value is set from the `Session`, and what the visitor
does comes back through the functions below. The address of the page says the same as the `Session`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from coopconnect.dossier import MOST_NOTES, Dossier, DossierError, SiteNotes, SurveySums
from coopconnect.parameters import Parameters, load_parameters
from coopconnect.problem import Problem, quoted
from coopconnect.question import PlanError, Question, address_of, from_text
from coopconnect.scenario import (
    COMPONENTS,
    Scenario,
    ScenarioError,
    from_query,
    reference_scenario,
    set_value,
    to_query,
    with_host,
)
from coopconnect.show.words import DEFAULT_LANGUAGE, LANGUAGES, say
from coopconnect.territory.types import ACCESS_TABLE_MAX_MIN

KEY = "coopconnect"
HISTORY = 100
"""Scenarios that undo remembers."""

VIEW_NAMES = {
    "lang": "language", "site": "selected", "projector": "projector", "all": "all_communes", "dep": "departement",
    "near": "near", "minutes": "near_min", "viable": "viable_only",
    "home": "home", "work": "work", "mydays": "my_days", "car": "car", "base": "base", "vs": "against",
    "figure": "outcome", "gain": "gain", "truly": "truly", "plan": "plan",
}  # fmt: skip
"""Name in the address of each field of `View`."""

KEPT_NAMES = ("k1", "k2", "k3")
"""Names in the address of the scenarios kept to compare; the one on the screen is the first of at most four."""
_MOST_TITLE = 80
CARS = ("thermal", "electric", "none")
GAINS = ("hours", "eur", "eur_after_price", "kg_co2e")
_ALLOWED = {"language": LANGUAGES, "car": CARS, "gain": GAINS}
"""Fields of `View` that take one of a few words."""
MOST_DAYS = 5


@dataclass(frozen=True)
class View:
    """How one looks at the scenario; nothing here changes a figure.

    selected, near: INSEE codes or ''; near_min: minutes by road; all_communes: urban ones are listed too; search:
    a part of a name, which the address does not carry. home, work, my_days, car: what one person told the calculator
    of the page Ménages (INSEE codes, days a week away from the office, one of `CARS`). gain, truly: what its
    distributions show (one of `GAINS`), and of whom (the average user, or who truly replaces every drive). base,
    against: places ('0' is the one on the screen) of the two scenarios that the page Comparer looks at closely; '' for
    the usual ones. outcome: the figure that it breaks down by lever. plan: what the page Réseau asks, as
    `coopconnect.question.to_text` writes it.
    """

    language: str = DEFAULT_LANGUAGE
    selected: str = ""
    projector: bool = False
    all_communes: bool = False
    departement: str = ""
    near: str = ""
    near_min: int = 20
    viable_only: bool = False
    search: str = ""
    home: str = ""
    work: str = ""
    my_days: int = 2
    car: str = CARS[0]
    base: str = ""
    against: str = ""
    outcome: str = ""
    gain: str = GAINS[0]
    truly: bool = False
    plan: str = ""

    @property
    def question(self) -> Question | None:
        """What the page Réseau asks; None where nothing was asked."""
        return from_text(self.plan) if self.plan else None


@dataclass(frozen=True)
class Kept:
    """A scenario put aside to be compared, under the name it was given.

    dossier: why it was looked at, and the notes of the file it came from; the address does not carry them.
    """

    title: str
    scenario: Scenario
    dossier: Dossier = field(default_factory=Dossier)


Step = tuple[Scenario, Dossier]
Past = tuple[Scenario, Dossier, tuple[Kept, ...]]
"""What one undo takes back."""


@dataclass(frozen=True)
class Session:
    """Scenario, dossier, view, and the way back.

    moved: the lever moved last; gesture: what one undo takes back together; kept: scenarios put aside to compare.
    """

    scenario: Scenario
    view: View = field(default_factory=View)
    past: tuple[Past, ...] = ()
    future: tuple[Past, ...] = ()
    moved: str = "fuel_price_eur_per_l"
    gesture: str = ""
    problems: tuple[str, ...] = ()
    dossier: Dossier = field(default_factory=Dossier)
    kept: tuple[Kept, ...] = ()

    def with_scenario(self, scenario: Scenario, gesture: str = "") -> Session:
        """This session with another scenario; the one before can be had back with `undone`."""
        return self.stepped((scenario, self.dossier), gesture)

    def with_dossier(self, dossier: Dossier, gesture: str = "") -> Session:
        """This session with another dossier; the one before can be had back with `undone`."""
        return self.stepped((self.scenario, dossier), gesture)

    def with_kept(self, kept: tuple[Kept, ...], gesture: str = "") -> Session:
        """This session with other scenarios put aside; those before can be had back with `undone`."""
        return self.stepped((self.scenario, self.dossier), gesture, kept)

    def stepped(self, to: Step, gesture: str = "", kept: tuple[Kept, ...] | None = None) -> Session:
        """This session one step further: another scenario, another dossier, other scenarios put aside."""
        wanted = (*to, self.kept if kept is None else kept)
        if wanted == self.here:
            return self
        same = bool(gesture) and gesture == self.gesture
        past = self.past if same else (*self.past, self.here)[-HISTORY:]
        return replace(self._at(wanted), past=past, future=(), gesture=gesture)

    @property
    def here(self) -> Past:
        """What an undo would bring back later."""
        return (self.scenario, self.dossier, self.kept)

    def _at(self, to: Past) -> Session:
        return replace(self, scenario=to[0], dossier=to[1], kept=to[2])

    def undone(self) -> Session:
        """One step back; itself where there is none."""
        if not self.past:
            return self
        future = (self.here, *self.future)
        return replace(self._at(self.past[-1]), past=self.past[:-1], future=future, gesture="")

    def redone(self) -> Session:
        """One step forward again; itself where there is none."""
        if not self.future:
            return self
        past = (*self.past, self.here)
        return replace(self._at(self.future[0]), past=past, future=self.future[1:], gesture="")


def view_from_query(query: Mapping[str, str]) -> tuple[View, list[Problem]]:
    """What an address says of the view; what it says wrongly is left out and reported."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    kinds = {f.name: type(f.default) for f in fields(View)}
    for short, name in VIEW_NAMES.items():
        if short not in query:
            continue
        text = query[short]
        if kinds[name] is bool:
            values[name] = text == "1"
        elif kinds[name] is int:
            low, high = (0, MOST_DAYS) if name == "my_days" else (1, int(ACCESS_TABLE_MAX_MIN))
            if text.isascii() and text.isdigit() and low <= int(text) <= high:
                values[name] = int(text)
            else:
                problems.append(Problem("whole", short, low=low, high=high, given=quoted(text)))
        elif name in _ALLOWED:
            if text in _ALLOWED[name]:
                values[name] = text
            else:
                problems.append(Problem("choice", short, allowed=", ".join(_ALLOWED[name]), given=quoted(text)))
        elif name == "plan":
            try:
                from_text(text)
                values[name] = text
            except PlanError as error:
                problems += error.problems
        elif text == "" or text.isalnum():
            values[name] = text
        else:
            problems.append(Problem("letters", short, given=quoted(text)))
    return View(**values), problems


def view_to_query(view: View) -> dict[str, str]:
    """The view as parameters of an address: what differs from the first look."""
    usual = View()
    found = {short: getattr(view, name) for short, name in VIEW_NAMES.items()}
    changed = {short: v for short, v in found.items() if v != getattr(usual, VIEW_NAMES[short])}
    return {short: str(int(v)) if isinstance(v, bool) else str(v) for short, v in changed.items()}


def session_from_query(query: Mapping[str, str], parameters: Parameters) -> Session:
    """A new visitor's session, as the address says."""
    view, problems = view_from_query(query)
    own = {*VIEW_NAMES, *KEPT_NAMES}
    rest = {k: v for k, v in query.items() if k not in own and not k.startswith("embed")}
    scenario, more = from_query(rest, parameters)
    kept, wrong = _kept_from_query(query, parameters)
    return Session(scenario, view, problems=tuple(problems + more + wrong), kept=kept)


def _kept_from_query(query: Mapping[str, str], parameters: Parameters) -> tuple[tuple[Kept, ...], list[Problem]]:
    """Scenarios put aside in an address; what is wrong in one is told with its name."""
    kept: list[Kept] = []
    problems: list[Problem] = []
    for name in KEPT_NAMES:
        if name in query:
            values = dict(parse_qsl(query[name]))
            title = values.pop("t", "")[:_MOST_TITLE]
            scenario, wrong = from_query(values, parameters)
            kept.append(Kept(title, scenario))
            problems += [problem.under(name) for problem in wrong]
    return tuple(kept), problems


def _kept_to_query(kept: tuple[Kept, ...], parameters: Parameters) -> dict[str, str]:
    return {
        name: urlencode({"t": item.title, **to_query(item.scenario, parameters)})
        for name, item in zip(KEPT_NAMES, kept, strict=False)
    }


def address(session: Session, parameters: Parameters) -> dict[str, str]:
    """Parameters of the address that gives this session back (without its history)."""
    scenario = to_query(session.scenario, parameters)
    kept = _kept_to_query(session.kept, parameters)
    return {**(scenario if len(scenario) > 1 else {}), **view_to_query(session.view), **kept}


def current() -> Session:
    """The visitor's session, made from the address at the first run."""
    if KEY not in st.session_state:
        st.session_state[KEY] = session_from_query(st.query_params.to_dict(), load_parameters())
    session = st.session_state[KEY]
    assert isinstance(session, Session)
    return session


def keep(session: Session) -> None:
    """Make `session` the visitor's session."""
    st.session_state[KEY] = session


def write_address() -> None:
    """Make the address say what the session says; touches the browser only where it differs."""
    wanted = address(current(), load_parameters())
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def _try(change: Callable[[Session], Session], still_told: bool = False) -> None:
    """Apply a change; what the scenario refuses is told, and nothing is lost.

    still_told: what was told stays on the screen. A note and a photo may come in one run, the photo's problem first.
    """
    session = current()
    try:
        keep(replace(change(session), problems=session.problems if still_told else ()))
    except (ScenarioError, DossierError) as error:
        keep(replace(session, problems=error.problems))


def move(key: str, value: object, gesture: str = "") -> None:
    """Set a lever or an assumption. Weights are rebalanced so that they always sum to 100."""

    def change(session: Session) -> Session:
        parameters = load_parameters()
        if key.startswith("weight_"):
            scenario = rebalanced(session.scenario, key, float(str(value)))
        else:
            scenario = set_value(session.scenario, key, value, parameters)
        return replace(session.with_scenario(scenario, gesture), moved=key)

    _try(change)


def rebalanced(scenario: Scenario, key: str, points: float) -> Scenario:
    """One weight set, the others scaled to leave a sum of 100 (shared evenly where they were all zero)."""
    points = min(max(points, 0.0), 100.0)
    others = [f"weight_{name}" for name in COMPONENTS if f"weight_{name}" != key]
    total = sum(getattr(scenario, name) for name in others)
    left = 100.0 - points
    shares = {n: (getattr(scenario, n) / total if total else 1.0 / len(others)) for n in others}
    values = {n: round(left * share, 1) for n, share in shares.items()}
    largest = max(values, key=lambda n: values[n])
    values[largest] = round(values[largest] + left - sum(values.values()), 6)
    return scenario.with_values(**{key: points}, **values)


def undo() -> None:
    """Back to the scenario before."""
    keep(replace(current().undone(), problems=()))


def redo() -> None:
    """Forward again."""
    keep(replace(current().redone(), problems=()))


def reset() -> None:
    """The reference scenario of the same territory (one undo brings the other back)."""
    _try(lambda s: s.with_scenario(reference_scenario(load_parameters(), s.scenario.territory)))


def start_from(
    scenario: Scenario, near: str = "", dossier: Dossier | None = None, plan: Question | None = None
) -> None:  # fmt: skip
    """Another scenario altogether: a worked example, a file with its dossier and its plan, another territory."""

    def change(session: Session) -> Session:
        found = session.stepped((scenario, session.dossier if dossier is None else dossier), "")
        asked = address_of(plan) if plan else "" if dossier is not None else session.view.plan  # a file holds its own
        return replace(found, view=replace(session.view, selected="", near=near, departement="", plan=asked))

    _try(change)


def write_title(title: str, why: str) -> None:
    """Name the scenario, and say why it is looked at."""
    title, why = title.strip()[:_MOST_TITLE], why.strip()[:MOST_NOTES]
    _try(lambda s: s.with_dossier(replace(s.dossier, title=title, why=why), "title"))


def write_notes(change: Callable[[SiteNotes], SiteNotes], zone_code: str, gesture: str = "") -> None:
    """Change what is known of one site; one undo takes it back."""
    _try(lambda s: s.with_dossier(s.dossier.with_site(change(s.dossier.site(zone_code))), gesture), still_told=True)


def write_survey(sums: SurveySums | None, shares: Mapping[str, float]) -> None:
    """Keep the sums of a survey (or none) in the dossier, and what they teach as assumptions of the scenario."""
    parameters = load_parameters()

    def change(session: Session) -> Session:
        scenario = session.scenario
        for key, value in shares.items():
            scenario = set_value(scenario, key, value, parameters)
        return session.stepped((scenario, replace(session.dossier, survey=sums)))

    _try(change)


def put_aside(title: str, scenario: Scenario, dossier: Dossier | None = None) -> None:
    """Keep a scenario to compare it. Where there are as many as can be compared, that is told and nothing moves."""
    keep_aside((Kept(title.strip()[:_MOST_TITLE], scenario, dossier or Dossier()),))


def keep_aside(added: tuple[Kept, ...], problems: tuple[str, ...] = ()) -> None:
    """Keep some more scenarios to compare, as many as there is room for; what is left out is told.

    problems: what was wrong with others that came with them.
    """
    session = current()
    room = len(KEPT_NAMES) - len(session.kept)
    if len(added) > room:
        titles = ", ".join(
            item.title or say("compare.untitled", session.view.language) for item in added[max(room, 0) :]
        )
        problems = (*problems, say("compare.full", session.view.language, count=len(KEPT_NAMES) + 1, titles=titles))
    keep(replace(session.with_kept((*session.kept, *added[: max(room, 0)])), problems=problems))


def let_go(index: int) -> None:
    """Forget one of the scenarios kept to compare."""
    session = current()
    kept = tuple(item for k, item in enumerate(session.kept) if k != index)
    keep(replace(session.with_kept(kept), problems=(), view=replace(session.view, base="", against="")))


def rename_kept(index: int, title: str) -> None:
    """Give another name to one of the scenarios kept to compare."""
    session = current()
    item = replace(session.kept[index], title=title.strip()[:_MOST_TITLE])
    kept = (*session.kept[:index], item, *session.kept[index + 1 :])
    keep(replace(session.with_kept(kept, f"rename{index}"), problems=()))


def swap_kept(index: int) -> None:
    """Bring one of the scenarios kept to the screen; the one on the screen takes its place.

    Notes of sites stay on the screen, unless the other came with notes of its own: then each keeps its own.
    """
    session = current()
    item, mine = session.kept[index], session.dossier
    own = bool(item.dossier.sites)
    shown = replace(item.dossier if own else mine, title=item.title, why=item.dossier.why)
    left = Kept(mine.title, session.scenario, mine if own else Dossier(mine.title, mine.why))
    kept = (*session.kept[:index], left, *session.kept[index + 1 :])
    keep(replace(session.stepped((item.scenario, shown), "", kept), problems=()))


def look(**changes: Any) -> None:
    """Change the view: selection, language, filters, projector."""
    session = current()
    keep(replace(session, view=replace(session.view, **changes)))


def select(code: str | None) -> None:
    """Select a commune by its INSEE code, or none."""
    look(selected=code or "")


def toggle_projector() -> None:
    """Projector mode on or off."""
    look(projector=not current().view.projector)


def refuse(code: str, refused: bool) -> None:
    """Say that every host of a commune has refused, or no longer."""
    codes = set(current().scenario.refused)
    codes = codes | {code} if refused else codes - {code}
    _try(lambda s: s.with_scenario(s.scenario.with_values(refused=tuple(sorted(codes)))))


def answer(host_ids: tuple[str, ...], status: str) -> None:
    """Write down what the holder of a building answered."""
    _try(lambda s: s.with_scenario(with_host(s.scenario, host_ids, status)))


def tell(*problems: str) -> None:
    """Show problems at the top of the page, once."""
    keep(replace(current(), problems=problems))
