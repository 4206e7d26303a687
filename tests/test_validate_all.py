"""`validate all`: the shipped figures are those that the command computes; what is missing is said."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from coopconnect import cli_validate
from coopconnect.cli import main
from coopconnect.parameters import DATA_DIR, load_parameters
from coopconnect.territory.validation import MARK, page_of, result_of, rows_of_checks, run_checks, toml_with

ROOT = Path(__file__).resolve().parents[1]
MARGIN = {"median_error": 0.061, "weighted_error": 0.075}
TOLERANCE = 0.2  # per cent; CPC 0.002: figures are rounded, libraries differ in the last digit
OF_RANKS = 1.0  # a correlation is written to the hundredth


def _number(value: str) -> float:
    """In per cent; a share without its sign (CPC, correlation) too; points and counts as they are."""
    number = float(value.split()[0].replace("−", "-"))
    return number / (0.01 if value == value.split()[0] and "." in value else 1.0)


def test_shipped_figures_are_those_of_the_observed_files(shared_data: Path) -> None:
    found, missing = run_checks(
        shared_data, DATA_DIR / "territory", load_parameters().values_with({}), cli_validate._sites
    )
    assert missing == []
    file = tomllib.loads((DATA_DIR / "validation.toml").read_text(encoding="utf-8"))
    shipped, rows = file["shipped"], rows_of_checks(found)
    assert {key: _number(value) for key, value in file["result"].items()} == pytest.approx(
        {key: _number(value) for key, value in result_of(found).items()}, abs=TOLERANCE
    )
    assert [(r["what_fr"], r["what_en"]) for r in shipped] == [(fr, en) for fr, en, _ in rows]
    for entry, (_, what, value) in zip(shipped, rows, strict=True):
        within = OF_RANKS if "ranks" in what else TOLERANCE
        assert _number(entry["value"]) == pytest.approx(_number(value), abs=within), f"{what}: validate all --write"


def test_the_page_of_the_docs_holds_the_figures_of_the_screen() -> None:
    shipped = tomllib.loads((DATA_DIR / "validation.toml").read_text(encoding="utf-8"))["shipped"]
    rows = [(r["what_fr"], r["what_en"], r["value"]) for r in shipped]
    assert (ROOT / "docs" / "validation.md").read_text(encoding="utf-8") == page_of(rows)


def test_writing_keeps_what_stands_above_and_renews_what_stands_below() -> None:
    first = toml_with('# head\n\n[[figure]]\nvalue = "1"\n', [("a", "b", "1 %")], {"score": "4.0 points"})
    again = toml_with(first, [("a", "b", "2 %")], {"score": "3.0 points"})
    assert again.count(MARK) == 1
    read = tomllib.loads(again)
    assert read["figure"] == [{"value": "1"}]
    assert read["result"] == {"score": "3.0 points"}
    assert read["shipped"] == [{"what_fr": "a", "what_en": "b", "value": "2 %"}]


def test_a_missing_file_is_said_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        cli_validate, "run_checks", lambda folder, *_: ({"workers": MARGIN}, [folder / "insee" / "gone.csv"])
    )
    assert main(["validate", "all", "--data", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["missing"] == ["insee/gone.csv"]
    assert told["workers"] == MARGIN
    assert told["written"] is False
    before = (DATA_DIR / "validation.toml").read_bytes()
    assert main(["validate", "all", "--data", str(tmp_path), "--write"]) == 2
    assert "base_cc_comparateur_csv.zip" in capsys.readouterr().err
    assert (DATA_DIR / "validation.toml").read_bytes() == before


@pytest.mark.parametrize(
    "words", [["all", "--observed", "x.csv"], ["all", "--data", "no-such-folder"], ["jobs", "--write"], ["jobs"]]
)
def test_wrong_words_are_refused_in_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", *words]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_an_empty_folder_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "all", "--data", str(tmp_path)]) == 2
    assert "holds none of" in capsys.readouterr().err
