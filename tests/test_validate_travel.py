"""The built-in driving times against the real OSRM table of Isère, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coopconnect.cli import main


def test_the_estimate_against_osrm(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = shared_data / "travel_time" / "isere_512_communes_osrm_car_seconds.csv"
    assert main(["validate", "travel", "--observed", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pairs"] > 250_000
    errors = [band["median_error"] for band in found["bands"][:4]]
    assert errors == sorted(errors, reverse=True)  # short trips are the hard ones
    assert errors[0] < 0.215
    assert errors[1] < 0.15
    assert errors[2] < 0.12
    assert errors[3] < 0.09
    assert all(abs(band["bias_estimated"]) < 0.03 for band in found["bands"][:4])
    assert abs(found["bias"]) < 0.03


def test_a_short_list_of_trips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "trips.csv"
    file.write_text("from;to;minutes\n84003;84035;32\n84003;00000;5\n84035;84003;33\n", encoding="utf-8")
    assert main(["validate", "travel", "--observed", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["pairs"], found["codes_not_placed"]) == (2, 1)
    assert found["bands"][0] == {
        "from_min": 3, "to_min": 10, "pairs": 0, "median_error": None, "p90_error": None, "bias": None, "bias_estimated": None
    }  # fmt: skip
    assert main(["validate", "travel", "--observed", str(tmp_path / "none.csv")]) == 2
