"""The command line: stable names, JSON on demand, clear errors, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from coopconnect.cli import main

ROOT = Path(__file__).resolve().parents[1]
SITE_KEYS = {
    "code", "name", "rural", "score", "components", "users", "hub_days_per_year", "desks", "hours_per_year",
    "eur_per_year", "kg_co2e_per_year", "hours_per_participating_household", "viability", "low", "high",
}  # fmt: skip


def test_assess_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [
        "assess",
        "--json",
        "--top",
        "5",
        "--set",
        "fuel_price_eur_per_l=2,25",
        "--set",
        "telework_days_per_week=2",
    ]
    assert main(asked) == 0
    out = capsys.readouterr()
    document = json.loads(out.out)
    assert {"model_version", "territory", "scenario", "seconds", "totals", "sites"} <= set(document)
    assert document["territory"] == "93"
    assert document["scenario"]["fuel_price_eur_per_l"] == 2.25
    assert len(document["sites"]) == 5
    assert set(document["sites"][0]) >= SITE_KEYS
    assert set(document["sites"][0]["components"]) == {"viability", "time", "money", "co2", "resilience"}
    scores = [site["score"] for site in document["sites"]]
    assert scores == sorted(scores, reverse=True)
    for site in document["sites"]:
        assert site["low"]["score"] <= site["score"] <= site["high"]["score"]


def test_assess_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["assess", "--top", "3", "--territory", "d84", "--rural"]) == 0
    out = capsys.readouterr().out
    assert "Vaucluse" in out
    assert "modelled" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["assess", "--set", "fuel_price_eur_per_l=9"], "allowed from 1.15 to 3"),
        (["assess", "--set", "fuel=2"], "fuel: unknown"),
        (["assess", "--set", "fuel"], "should be key=value"),
        (["assess", "--territory", "d99"], "d99"),
        (["assess", "--scenario", "nowhere.toml"], "no such file"),
        (["assess", "--top", "-5"], "whole number from 1"),
        (["asess"], "invalid choice"),
        (["assess", "--set", "travel_constant=1.9"], "fitted on data"),
        (["table", "zones", "--to", "zones.docx"], "allowed endings .parquet, .csv"),
        (["table", "zones", "--to", "nowhere/zones.csv"], "does not exist"),
    ],
)
def test_wrong_input_is_one_clear_line(capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert main(words) == 2
    out = capsys.readouterr()
    assert message in out.err
    assert len(out.err.strip().splitlines()) == 1
    assert out.out == ""


@pytest.mark.parametrize("name", ["zones", "flows", "access", "sites"])
def test_tables(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {
        "zones": ["zone_code", "name", "population", "households", "workers", "jobs", "rural", "lon", "lat"],
        "flows": ["home_code", "work_code", "workers", "road_km", "drive_min", "source"],
        "access": ["zone_code", "site_code", "road_km", "drive_min"],
        "sites": ["zone_code", "score", "users"],
    }[name]
    target = tmp_path / f"{name}.parquet"
    assert main(["table", name, "--to", str(target), "--territory", "d05", "--json"]) == 0
    frame = pd.read_parquet(target)
    assert json.loads(capsys.readouterr().out)["rows"] == len(frame) > 0
    assert set(wanted) <= set(frame.columns)
    assert main(["table", name, "--to", str(tmp_path / f"{name}.csv"), "--territory", "d05"]) == 0


@pytest.mark.parametrize("ending", ["xlsx", "html", "geojson", "gpkg", "csv"])
def test_exports(tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / f"out.{ending}"
    assert main(["export", "--to", str(target), "--territory", "d05", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bytes"] == target.stat().st_size > 1000


def test_scenario_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "crisis.toml"
    file.write_text('title = "Crise"\n[differences]\nfuel_price_eur_per_l = 3.0\n', encoding="utf-8")
    assert main(["assess", "--json", "--top", "1", "--scenario", str(file), "--territory", "d05"]) == 0
    assert json.loads(capsys.readouterr().out)["scenario"]["fuel_price_eur_per_l"] == 3.0


def test_data_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "status", "--json"]) == 0
    tables = json.loads(capsys.readouterr().out)["tables"]
    assert any(t["table"] == "flows" and t["kind"] == "modelled" for t in tables)


def test_doctor_as_a_process() -> None:
    """The real command, in a process of its own: standard output is one JSON document and nothing else."""
    done = subprocess.run(
        [sys.executable, "-m", "coopconnect", "doctor", "--json"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["sound"] is True
