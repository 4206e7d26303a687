"""What one start leaves for the next: the same figures, a new name when anything changes, nothing from a damaged file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from coopconnect.parameters import load_parameters
from coopconnect.scenario import DEFAULT_TERRITORY, reference_scenario
from coopconnect.show import kept
from coopconnect.ui import cached


@pytest.fixture(scope="module")
def start() -> kept.Start:
    scenario = reference_scenario(load_parameters())
    place = cached.territory(DEFAULT_TERRITORY)
    return kept.Start(place, cached.geometry(DEFAULT_TERRITORY), cached.run_model(scenario))


def test_what_is_read_is_what_the_model_says(start: kept.Start, tmp_path: Path) -> None:
    assert kept.write(start, (), tmp_path)
    found = kept.read((), tmp_path)
    assert found is not None
    pd.testing.assert_frame_equal(found.assessment.sites, start.assessment.sites)
    pd.testing.assert_frame_equal(found.assessment.zones, start.assessment.zones)
    assert found.assessment.totals == start.assessment.totals
    assert found.assessment.scenario == start.assessment.scenario
    assert found.geometry.data == start.geometry.data and found.geometry.codes == start.geometry.codes
    np.testing.assert_array_equal(found.territory.flow_workers, start.territory.flow_workers)
    again = cached.run_model(start.assessment.scenario)
    pd.testing.assert_frame_equal(again.sites, found.assessment.sites)


def test_other_official_tables_are_another_start(start: kept.Start, tmp_path: Path) -> None:
    assert kept.write(start, (), tmp_path)
    assert kept.read((("flows.parquet", 12, 34),), tmp_path) is None
    assert kept.write(start, (("flows.parquet", 12, 34),), tmp_path)
    assert kept.read((), tmp_path) is None, "only the last one is kept"


def test_a_change_of_the_code_or_the_data_is_another_start(
    start: kept.Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    (data / "territory").mkdir(parents=True)
    parameters = data / "parameters.toml"
    parameters.write_text("a = 1", encoding="utf-8")
    monkeypatch.setattr(kept, "DATA_DIR", data)
    names = set()
    for text in ("a = 1", "a = 2"):
        parameters.write_text(text, encoding="utf-8")
        kept._project_digest.cache_clear()
        names.add(kept.digest(()))
    monkeypatch.setattr(kept, "SOURCES", ("model/*.py",))
    kept._project_digest.cache_clear()
    names.add(kept.digest(()))
    kept._project_digest.cache_clear()
    assert len(names) == 3


def test_a_damaged_file_counts_as_none_and_goes(start: kept.Start, tmp_path: Path) -> None:
    assert kept.write(start, (), tmp_path)
    (path,) = tmp_path.glob("start-*")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert kept.read((), tmp_path) is None
    assert not path.exists()


def test_a_disk_that_cannot_be_written_is_no_error(start: kept.Start, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    assert not kept.write(start, (), blocked / "folder")


def test_the_model_is_not_loaded_to_show_what_is_kept() -> None:
    """The first picture does without the engine's imports: a second of a processor."""
    import subprocess
    import sys

    code = (
        "import sys, coopconnect.ui.decide, coopconnect.ui.levers, coopconnect.ui.filters;"
        "print([m for m in ('numba', 'scipy.optimize', 'scipy.spatial', 'geopandas', 'openpyxl') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
