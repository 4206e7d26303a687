"""What is computed once and kept: territories, contours, assessments.

Everything here is frozen or never changed, so it is kept as it is (`cache_resource`), without a copy at each run.
After each load the objects are put out of the garbage collector's way: Streamlit collects after every run, and
walking through loaded tables would cost more than the model itself.
"""

from __future__ import annotations

import ctypes
import gc
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
import streamlit as st

from coopconnect.model.assessment import assess, response
from coopconnect.model.types import Assessment
from coopconnect.parameters import DATA_DIR, Parameters, load_parameters
from coopconnect.scenario import DEFAULT_TERRITORY, Scenario, reference_scenario
from coopconnect.show.geometry import Geometry, ZoneLabels, pack_contours
from coopconnect.territory.types import Territory
from coopconnect.ui.places import departement_names, load_place

CONTOURS_FILE = DATA_DIR / "territory" / "contours.parquet"
LARGE_SITES = 5_000
OUTLINES_FILE = DATA_DIR / "territory" / "outlines.parquet"


def parameters() -> Parameters:
    """The project's parameters."""
    return load_parameters()


@st.cache_resource(max_entries=4, show_spinner=False)
def territory(code: str) -> Territory:
    """A territory by its code, read once. Errors of `load_place` pass through."""
    loaded = load_place(code, parameters())
    settle()
    return loaded


def home_territory(code: str) -> Territory | None:
    """The territory on which behaviour is calibrated, for any other than itself."""
    return None if code == DEFAULT_TERRITORY else territory(DEFAULT_TERRITORY)


def assessment(scenario: Scenario) -> Assessment:
    """Every commune as the place of one hub. The scenario is the whole key: it names the territory."""
    large = len(territory(scenario.territory).site_zone) > LARGE_SITES
    return _large_assessment(scenario) if large else _assessment(scenario)


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
    return assess(territory(code), scenario, parameters(), home_territory(code))


def reference_assessment(code: str) -> Assessment:
    """The same territory in the reference scenario."""
    return assessment(reference_scenario(parameters(), code))


@st.cache_resource(max_entries=48, show_spinner=False)
def site_response(scenario: Scenario, site_code: str, lever: str, values: tuple[float, ...]):  # type: ignore[no-untyped-def]
    """Figures of one site along one lever: see `coopconnect.model.assessment.response`."""
    code = scenario.territory
    return response(territory(code), scenario, parameters(), site_code, lever, list(values))


@st.cache_resource(max_entries=4, show_spinner=False)
def geometry(code: str) -> Geometry:
    """Contours of the communes of a territory, in the order of its sites, with the lines of the départements."""
    t = territory(code)
    zones = t.zones.iloc[t.site_zone]
    codes = zones["zone_code"].tolist()
    shapes = contours(codes)
    departements = zones["departement"].tolist()
    labels = ZoneLabels(
        codes, zones["name"].tolist(), departements,
        zones["lon"].to_numpy(float), zones["lat"].to_numpy(float), zones["population"].to_numpy(float),
        {d: departement_names().get(d, d) for d in sorted(set(departements))},
    )  # fmt: skip
    packed = pack_contours(shapes, labels, outlines(code, set(departements), shapes))
    settle()
    return packed


def outlines(code: str, departements: set[str], shapes: np.ndarray) -> np.ndarray:
    """Lines of the départements of a territory; of a smaller territory (an EPCI, a list), its own outline."""
    if code != "FR" and len(code) > len("d2A"):
        return np.array([shapely.union_all(shapes)], dtype=object)
    table = pq.read_table(OUTLINES_FILE)
    sides = zip(table["left"].to_pylist(), table["right"].to_pylist(), strict=True)
    inside = np.array([left in departements or right in departements for left, right in sides])
    return np.asarray(shapely.from_wkb(table["geometry"].to_numpy()[inside]), dtype=object)


def contours(codes: list[str]) -> np.ndarray:
    """Shipped contours of communes, (n,) of shapely geometries, in the order asked. Unknown codes: KeyError."""
    table = pq.read_table(CONTOURS_FILE)
    wanted = pc.index_in(np.array(codes, dtype=object), value_set=table["zone_code"])
    if wanted.null_count:
        raise KeyError(f"{CONTOURS_FILE.name}: no contour for {wanted.null_count} communes; rebuild the data")
    return np.asarray(shapely.from_wkb(table["geometry"].take(wanted).to_numpy()), dtype=object)


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


_SEEN: set[str] = set()

_few_arenas()
