"""Is this installation sound? Each check says what it looked at; none needs a network."""

from __future__ import annotations

import importlib.metadata
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from coopconnect.parameters import DATA_DIR, load_parameters, overdue
from coopconnect.scenario import DEFAULT_TERRITORY, reference_scenario

PACKAGES = (
    "streamlit",
    "pandas",
    "plotly",
    "geopandas",
    "pydeck",
    "openpyxl",
    "XlsxWriter",
    "numba",
    "scipy",
    "Babel",
)


@dataclass(frozen=True)
class Check:
    """Result of one check."""

    name: str
    ok: bool
    detail: str


def _python() -> str:
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise RuntimeError(f"Python {sys.version.split()[0]}; 3.11 to 3.13 are supported")
    return sys.version.split()[0]


def _packages() -> str:
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)


def _parameters() -> str:
    parameters = load_parameters()
    late = overdue(parameters, date.today())
    note = f"; to review: {', '.join(p.key for p in late)}" if late else ""
    return f"{len(parameters)} parameters{note}"


def _territory() -> str:
    from coopconnect.territory.load import check_territory, load_territory

    started = time.perf_counter()
    territory = load_territory(DEFAULT_TERRITORY, DATA_DIR / "territory", circuity=load_parameters().value("circuity"))
    problems = check_territory(territory)
    if problems:
        raise RuntimeError("; ".join(problems))
    return f"{territory.name}: {territory.site_zone.size} communes in {time.perf_counter() - started:.1f} s"


def _engine() -> str:
    from coopconnect.model.assessment import assess
    from coopconnect.model.household_groups import household_groups
    from coopconnect.show import kept
    from coopconnect.show.ground import geometry_of
    from coopconnect.territory.load import load_territory
    from coopconnect.territory.official.store import Store

    parameters, store = load_parameters(), Store.default()
    territory = load_territory(
        DEFAULT_TERRITORY, DATA_DIR / "territory", parameters.value("circuity"), parameters.values_with({}), store.official()
    )  # fmt: skip
    first = assess(territory, reference_scenario(parameters), parameters)
    again = assess(territory, reference_scenario(parameters), parameters).seconds
    household_groups(territory, reference_scenario(parameters), parameters)
    left = kept.write(kept.Start(territory, geometry_of(territory), first), store.stamp())
    note = "; kept for the next start" if left else "; nothing kept: the folder .cache cannot be written"
    return f"first run {first.seconds:.2f} s, then {1000 * again:.0f} ms{note}"


def _siting() -> str:
    from coopconnect.siting.warm import warm
    from coopconnect.territory.anywhere import load_anywhere
    from coopconnect.territory.fitted import fitted_values
    from coopconnect.territory.load import load_territory

    parameters = load_parameters()
    territory = load_territory(DEFAULT_TERRITORY, DATA_DIR / "territory", circuity=parameters.value("circuity"))
    anywhere = load_anywhere(DATA_DIR / "territory", parameters.value("circuity"), fitted_values())
    anywhere.drive(*territory.zones["zone_code"].iloc[:2])  # the way between two communes
    return f"plans and location models compiled, HiGHS {warm(territory, reference_scenario(parameters), parameters)}"


def _map_bundle() -> str:
    from pathlib import Path

    import pydeck

    bundle = Path(pydeck.__file__).parent / "nbextension" / "static" / "index.js"
    if not bundle.is_file():
        raise RuntimeError("pydeck's bundle is missing; install pydeck 0.9 again")
    return f"deck.gl in pydeck {importlib.metadata.version('pydeck')}, {bundle.stat().st_size / 1e6:.1f} MB"


def checks(warm: bool = False) -> list[Check]:
    """Run every check; `warm` also runs the engine, which compiles its kernels."""
    todo: list[tuple[str, Callable[[], str]]] = [
        ("python", _python), ("packages", _packages), ("parameters", _parameters), ("map", _map_bundle),
        ("territory", _territory),
    ]  # fmt: skip
    if warm:
        todo += [("engine", _engine), ("siting", _siting)]
    results = []
    for name, run in todo:
        try:
            results.append(Check(name, True, run()))
        except Exception as error:  # a check reports whatever goes wrong; it never ends the doctor
            results.append(Check(name, False, f"{type(error).__name__}: {error}"))
    return results
