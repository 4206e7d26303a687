"""`ensemble` on the command line: one JSON document, the same whoever works, one clear line where it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest

from coopconnect import cli, cli_ensemble

SMALL = ["--territory", "d04"]


def _run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = cli.main(["ensemble", *SMALL, *args])
    out, err = capsys.readouterr()
    return code, out, err


def test_json_of_an_ensemble(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = _run(capsys, "--draws", "60", "--seed", "2", "--json", "--resume", str(tmp_path), "--workers", "1")
    assert code == 0, err
    found = json.loads(out)
    assert (found["draws"], found["usable"], found["workers"]) == (60, 60, 1)
    assert found["sites"][0].keys() >= {"code", "p_viable", "rank_p05", "rank_p50", "rank_p95", "p_top10"}
    assert all(0.0 <= s["p_viable"] <= 1.0 and s["rank_p05"] <= s["rank_p50"] <= s["rank_p95"] for s in found["sites"])
    assert found["drivers"][0]["first"] >= found["drivers"][-1]["first"]
    assert found["failing"][0]["sentence_fr"].startswith("Il ")
    assert "60/60 draws" in err
    code, again, _ = _run(capsys, "--draws", "60", "--seed", "2", "--json", "--resume", str(tmp_path), "--workers", "2")
    assert json.loads(again)["sites"] == found["sites"]  # read back, not run


def test_plans_and_total_indices(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_ensemble, "LEAST_BASE", 2)
    file = tmp_path / "futures.xlsx"
    code, out, err = _run(
        capsys, "--draws", "60", "--plan", "n3~r1", "--plan", "n1", "--sobol", "2", "--site", "04112", "--to", str(file), "--json"
    )  # fmt: skip
    assert code == 0, err
    found = json.loads(out)
    assert [p["plan"] for p in found["plans"]] == ["nothing", "n3~r1", "n1"]
    assert [len(p["sites"]) for p in found["plans"]] == [0, 3, 1]
    assert min(p["regret_eur_per_year"] for p in found["plans"]) >= 0.0
    assert sum(p["p_best"] for p in found["plans"]) == pytest.approx(1.0)
    assert found["plans"][0]["net_benefit_eur_per_year"] == 0.0
    assert (found["drivers_method"], found["runs_of_drivers"]) == ("sobol", 2 * (len(found["quantities"]) + 2))
    told = {item["code"]: item for item in found["failing"]}["04112"]
    assert (told["drivers_method"], told["drivers"][0]["total"] is None) == ("sobol", False)
    text = " ".join(str(c.value) for row in openpyxl.load_workbook(file)["Robustesse"].iter_rows() for c in row)
    assert "Ce qu'on regretterait de chaque plan" in text
    assert "n3~r1" in text
    assert "Sobol total" in text


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--draws", "0"), "whole number from 1"),
        (("--draws", "20", "--site", "99999"), "no commune of"),
        (("--draws", "20", "--sobol", "100"), "power of two"),
        (("--draws", "20", "--plan", "n3~w2"), "w2"),
        (("--draws", "20", "--plan", "n3~f99999"), "99999"),
        (("--draws", "5", "--scheduler", "tcp://127.0.0.1:9", "--wait", "1"), "no Dask scheduler answers within 1 s"),
    ],
)
def test_wrong_words_get_one_line(args: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, *args)
    assert code == 2
    assert out == ""
    assert words in err.splitlines()[-1]
    assert "Traceback" not in err
