"""What is computed once and kept: territories, contours, assessments.

Everything here is frozen or never changed, so it is kept as it is (`cache_resource`), without a copy at each run.
The default territory in the reference scenario comes from disk where an earlier start left it (`coopconnect.show.kept`);
the engine (numba, scipy: a second of imports) then loads when something else is asked for.
After each load the objects are put out of the garbage collector's way: Streamlit collects after every run, and
walking through loaded tables would cost more than the model itself.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import streamlit as st

from coopconnect.model.types import Assessment
from coopconnect.parameters import Parameters, load_parameters
from coopconnect.scenario import COMPONENTS, DEFAULT_TERRITORY, Scenario, reference_scenario
from coopconnect.show import kept
from coopconnect.show.geometry import Geometry
from coopconnect.territory.anywhere import Anywhere, load_anywhere
from coopconnect.territory.hosts import assessed_scenario, hosts_of
from coopconnect.territory.official.fuel import History, history_of, shipped_history
from coopconnect.territory.official.store import Stamp, Store
from coopconnect.territory.types import Territory
from coopconnect.ui.places import TERRITORY_DIR, load_place

if TYPE_CHECKING:
    from coopconnect.model.attribution import Central
    from coopconnect.model.household_groups import HouseholdGroups
    from coopconnect.model.site_sheet import SheetRuns

LARGE_SITES = 5_000
VISITOR_WAIT_S = 4.0
"""How long the engine waits for a first visitor before it loads."""
DRAWING_S = 1.5
"""How long a browser on the same machine is left alone to draw its first picture."""


def parameters() -> Parameters:
    """The project's parameters."""
    return load_parameters()


@st.cache_resource(max_entries=4, show_spinner=False)
def territory(code: str) -> Territory:
    """A territory by its code, read once. Errors of `load_place` pass through."""
    if (start := kept_start(code)) is not None:
        return start.territory
    loaded = load_place(code, parameters(), store().official())
    settle()
    return loaded


def kept_start(code: str) -> kept.Start | None:
    """What an earlier start left on disk of this territory, as the official tables are now; None where nothing did."""
    return _kept_start(store().stamp()) if code == DEFAULT_TERRITORY else None


@st.cache_resource(max_entries=1, show_spinner=False)
def _kept_start(stamp: Stamp) -> kept.Start | None:
    return kept.read(stamp)


def load_start() -> None:
    """Load what the first picture shows: read where an earlier start left it, worked out and left for the next otherwise."""
    code = DEFAULT_TERRITORY
    found = kept.Start(territory(code), geometry(code), reference_assessment(code))
    settle()
    if kept_start(code) is None:
        kept.write(found, store().stamp())


def load_engine() -> None:
    """Run the model once, when the first picture has been drawn: what the first lever moved will need is then loaded."""
    if _FIRST_RUN.wait(VISITOR_WAIT_S):
        time.sleep(DRAWING_S)
    run_model(reference_scenario(parameters(), DEFAULT_TERRITORY))
    settle()


def store() -> Store:
    """Where the official tables are."""
    return Store.default()


def unreadable() -> list[str]:
    """Files of official tables that are there and cannot be read; looked at again when the store changes."""
    return _unreadable(store().stamp())


@st.cache_resource(max_entries=2, show_spinner=False)
def _unreadable(stamp: Stamp) -> list[str]:
    return store().problems()


def follow_store() -> bool:
    """Forget territories and assessments where the official tables have changed (here, or by the command line).

    True where they had. One look at a folder: cheap enough for every run.
    """
    stamp = store().stamp()
    if _STAMP.get("seen", stamp) == stamp:
        _STAMP["seen"] = stamp
        return False
    _STAMP["seen"] = stamp
    for function in (
        territory, _assessment, _large_assessment, _central, site_response, sheet, geometry, hosts, fuel_history,
        _households, anywhere,
    ):  # fmt: skip
        function.clear()
    _SEEN.clear()
    _PACKED.clear()
    return True


@st.cache_resource(max_entries=4, show_spinner=False)
def hosts(code: str) -> pd.DataFrame:
    """Buildings of a territory that could lend a room, from the lists that are loaded."""
    place = territory(code)
    found = store().load("places")
    return hosts_of(place.zones[place.zones["in_territory"]], found[0] if found else None)


@st.cache_resource(max_entries=1, show_spinner=False)
def fuel_history() -> History:
    """Past fuel prices: the weekly table if one is loaded, else the yearly means that are shipped."""
    found = store().load("fuel")
    return history_of(found[0]) if found else shipped_history()


def home_territory(code: str) -> Territory | None:
    """The territory on which behaviour is calibrated, for any other than itself."""
    return None if code == DEFAULT_TERRITORY else territory(DEFAULT_TERRITORY)


def assessment(scenario: Scenario) -> Assessment:
    """Every commune as the place of one hub. The scenario is the whole key: it names the territory.

    Of the answers of hosts only refusals count: who was asked or agreed changes no figure.
    """
    scenario = _as_assessed(scenario)
    large = len(territory(scenario.territory).site_zone) > LARGE_SITES
    return _large_assessment(scenario) if large else _assessment(scenario)


def _as_assessed(scenario: Scenario) -> Scenario:
    if not scenario.hosts:
        return scenario
    refused = any(status == "refused" for _, status in scenario.hosts)
    return assessed_scenario(scenario, hosts(scenario.territory)) if refused else scenario.with_values(hosts=())


def central_results(scenario: Scenario) -> Central:
    """Central figures of a scenario without their ranges, for breakdowns that look at many scenarios."""
    return _central(_as_assessed(scenario))


@st.cache_resource(max_entries=600, show_spinner=False)
def _central(scenario: Scenario) -> Central:
    from coopconnect.model.attribution import central

    code = scenario.territory
    return central(territory(code), scenario, parameters(), home_territory(code))


class _Held:
    """One result of `households`, None until it is made; the lock keeps a second visitor from making it again."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.groups: HouseholdGroups | None = None


def households(
    scenario: Scenario, site_code: str = "", tell: Callable[[int, int], None] = lambda done, total: None,
    first: Callable[[HouseholdGroups], None] | None = None,
) -> HouseholdGroups:  # fmt: skip
    """Who gains and who loses, for one site or the rural sites: see `coopconnect.model.household_groups`.

    Kept on what changes it: not the weights of the score. tell: hears of the passes, and may draw them.
    first: hears of the central figures of a large territory, whose ranges take minutes.
    """
    reference = reference_scenario(parameters(), scenario.territory)
    weights = {f"weight_{name}": getattr(reference, f"weight_{name}") for name in COMPONENTS}
    usual = _as_assessed(scenario).with_values(**weights)
    held = _households(usual, site_code)
    with held.lock:
        if held.groups is None:
            from coopconnect.model.household_groups import household_groups

            code, home = scenario.territory, home_territory(scenario.territory)
            large = not site_code and len(territory(code).site_zone) > LARGE_SITES
            held.groups = household_groups(
                territory(code), usual, parameters(), site_code, home, tell, first if large else None
            )
        return held.groups


@st.cache_resource(max_entries=16, show_spinner=False)
def _households(scenario: Scenario, site_code: str) -> _Held:
    """Where the result is kept. It is not made here: what draws its progress cannot stand in a kept function."""
    return _Held()


@st.cache_resource(max_entries=1, show_spinner=False)
def anywhere() -> Anywhere:
    """What times a trip between any two communes of metropolitan France."""
    assumed = parameters()
    loaded = load_anywhere(
        TERRITORY_DIR, assumed.value("circuity"), assumed.values_with({}), store().official(("travel",))
    )
    settle()
    return loaded


@st.cache_resource(max_entries=12, show_spinner=False)
def _assessment(scenario: Scenario) -> Assessment:
    """The last twelve, some two megabytes each."""
    return _assess(scenario)


@st.cache_resource(max_entries=3, show_spinner=False)
def _large_assessment(scenario: Scenario) -> Assessment:
    """Of a large territory only the reference, the present one and the one before: some 100 megabytes each."""
    return _assess(scenario)


def _assess(scenario: Scenario) -> Assessment:
    code = scenario.territory
    start = kept_start(code)
    if start is not None and start.assessment.scenario == scenario:
        return start.assessment
    return run_model(scenario)


def run_model(scenario: Scenario) -> Assessment:
    """The model itself, whatever is kept."""
    from coopconnect.model.assessment import assess

    code = scenario.territory
    return assess(territory(code), scenario, parameters(), home_territory(code))


def reference_assessment(code: str) -> Assessment:
    """The same territory in the reference scenario."""
    return assessment(reference_scenario(parameters(), code))


@st.cache_resource(max_entries=48, show_spinner=False)
def site_response(scenario: Scenario, site_code: str, lever: str, values: tuple[float, ...]):  # type: ignore[no-untyped-def]
    """Figures of one site along one lever: see `coopconnect.model.assessment.response`."""
    from coopconnect.model.assessment import response

    code = scenario.territory
    return response(territory(code), scenario, parameters(), site_code, lever, list(values))


def site_sheet(scenario: Scenario, site_code: str, existing_codes: tuple[str, ...]) -> SheetRuns:
    """The runs of one site's sheet. Answers of hosts and refusals move none of its figures."""
    return sheet(scenario.with_values(hosts=(), refused=()), site_code, existing_codes)


@st.cache_resource(max_entries=24, show_spinner=False)
def sheet(scenario: Scenario, site_code: str, existing_codes: tuple[str, ...]) -> SheetRuns:
    """See `coopconnect.model.site_sheet.sheet_runs`."""
    from coopconnect.model.site_sheet import sheet_runs

    code = scenario.territory
    return sheet_runs(territory(code), scenario, parameters(), site_code, existing_codes, home_territory(code))


@st.cache_resource(max_entries=4, show_spinner=False)
def geometry(code: str) -> Geometry:
    """Contours of the communes of a territory, in the order of its sites, with the lines of the départements."""
    start = kept_start(code)
    if start is None:
        from coopconnect.show.ground import geometry_of

        packed = geometry_of(territory(code))
        settle()
    else:
        packed = start.geometry
    _PACKED[code] = packed
    return packed


def geometry_at_hand(code: str) -> Geometry | None:
    """The contours if an earlier run (or the warm-up) has made them: never waits."""
    return _PACKED.get(code)


def settle() -> None:
    """Collect once, give back what loading took for a moment, keep what is loaded out of later collections."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    _trim_heap()
    gc.freeze()


def _few_arenas() -> None:
    """Two heaps for all threads instead of eight per core: some 40 MB less, at no cost measured."""
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)
        if set_option is not None:
            set_option(_M_ARENA_MAX, 2)


_M_ARENA_MAX = -8  # glibc's number for the option; other C libraries ignore it


def _trim_heap() -> None:
    """Let glibc return freed pages to the system (some 100 MB after a load); other C libraries do it themselves."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def is_loaded(code: str) -> bool:
    """True where the territory has been loaded by an earlier run (a fresh one deserves a word of patience)."""
    return code in _SEEN


def mark_loaded(code: str) -> None:
    """Remember that the territory is loaded."""
    _SEEN.add(code)
    _FIRST_RUN.set()


_SEEN: set[str] = set()
_FIRST_RUN = threading.Event()
_STAMP: dict[str, Stamp] = {}
_PACKED: dict[str, Geometry] = {}

_few_arenas()
