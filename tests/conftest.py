"""Fixtures shared by all tests. Real data of ../shared are used where they are; a test that needs them says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings
from synthetic import synthetic_territory

from coopconnect.parameters import DATA_DIR, Parameters, load_parameters
from coopconnect.scenario import Scenario, reference_scenario
from coopconnect.territory.types import Territory

settings.register_profile("coopconnect", deadline=None, derandomize=True)  # same cases each time; no timing
settings.load_profile("coopconnect")

LONG_FIRST = ("browser", "test_ensemble_cluster", "test_map_browser", "test_export_more", "test_cli_data")
"""Folders and files whose tests take longest: started first, no worker is left with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first (`--no-loadscope-reorder` keeps this order)."""
    rank = {name: place for place, name in enumerate(LONG_FIRST)}

    def place(item: pytest.Item) -> int:
        return min(rank.get(item.path.parent.name, len(rank)), rank.get(item.path.stem, len(rank)))

    items.sort(key=place)


SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real public files; the test is skipped, saying so, where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the real public files of ../shared/data, which are not on this machine")
    return SHARED_DATA


@pytest.fixture(scope="session")
def parameters() -> Parameters:
    return load_parameters()


@pytest.fixture(scope="session")
def reference(parameters: Parameters) -> Scenario:
    return reference_scenario(parameters)


@pytest.fixture(scope="session")
def small() -> Territory:
    return synthetic_territory()


@pytest.fixture(scope="session")
def paca(parameters: Parameters) -> Territory:
    from coopconnect.territory.load import load_territory

    return load_territory("93", DATA_DIR / "territory", circuity=parameters.value("circuity"))
