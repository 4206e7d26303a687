"""`data ...` and `validate ...` on real files: what is loaded, kept, told, and undone."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from bpe_lines import BPE_2025, facility
from local_server import serving

from coopconnect.cli import main
from coopconnect.cli_data import HOSTS_HINT


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of its own for each test."""
    monkeypatch.setenv("COOPCONNECT_OFFICIAL", str(tmp_path / "official"))
    monkeypatch.delenv("COOPCONNECT_MIRROR", raising=False)
    return tmp_path / "official"


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict:  # type: ignore[type-arg]
    assert main([*words, "--json"]) == code
    return dict(json.loads(capsys.readouterr().out))


def test_one_command_turns_a_modelled_departement_into_an_official_one(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = tmp_path / "published"
    published.mkdir()
    shutil.copy(shared_data / "insee" / "base_cc_comparateur_csv.zip", published)
    before = {row["table"]: row for row in told(capsys, "data", "status", "--territory", "d38")["tables"]}
    assert before["workers"]["kind"] == "modelled"
    assert before["workers"]["better"].startswith("data fetch --only")
    assert all(row["better"] for row in before.values() if row["kind"] in ("modelled", "estimated"))
    assert before["fuel"]["year"] == "2005-2025" and before["places"]["better"].startswith("data fetch --only")
    with serving(published) as (address, _):
        found = told(capsys, "data", "fetch", "--only", "insee_comparateur", "--mirror", address, "--territory", "d38")
    assert [f["table"] for f in found["fetched"]] == ["margins"]
    assert found["failed"] == []
    assert found["changes"]["top"] == 10 and not found["changes"]["same"]
    assert {"table": "jobs", "before": "modelled", "after": "official"} in found["changes"]["kinds"]
    assert set(found["changes"]["totals"]) >= {"viable_rural_sites", "median_score"}
    after = {row["table"]: row for row in told(capsys, "data", "status", "--territory", "d38")["tables"]}
    assert after["workers"]["kind"] == after["jobs"]["kind"] == "official"
    assert after["workers"]["year"] == "2018"
    assert "brought to the workers and jobs of: INSEE, Territory comparator" in after["flows"]["note_en"]
    assert after["workers"]["age_days"] == 0
    assert after["workers"]["source_en"].startswith("INSEE, Territory comparator")
    flows = str(shared_data / "insee" / "flux_domicile_travail_isere_2017.csv")
    told(
        capsys, "data", "import", flows
    )  # these do not reach the Vaucluse: its workers are still those of the comparator
    elsewhere = {row["table"]: row for row in told(capsys, "data", "status", "--territory", "d84")["tables"]}
    assert elsewhere["workers"]["kind"] == "official" and elsewhere["workers"]["age_days"] == 0
    told(capsys, "data", "remove", "flows")
    modelled = told(capsys, "assess", "--territory", "d38", "--top", "1")["modelled"]
    assert "workers" not in modelled
    assert "workers" in told(capsys, "assess", "--territory", "d38", "--top", "1", "--shipped")["modelled"]


def test_what_fails_is_told_and_the_exit_code_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = ("--only", "flows", "--only", "places")
    found = told(capsys, "data", "fetch", *both, "--mirror", str(tmp_path), "--territory", "d38", code=1)
    assert found["fetched"] == []
    assert "insee.fr" in found["failed"][0]["error"]
    asks = {one["key"]: one["ask"] for one in found["also"]}  # what else feeds the places, and how to have it
    assert asks["insee_bpe"] == "data fetch --only insee_bpe"
    assert "--mirror FOLDER, once taken from https://www.data.gouv.fr" in asks["france_services"]
    assert main(["data", "fetch", "--only", "flow"]) == 2
    assert "flows" in capsys.readouterr().err


def test_both_climate_workbooks_are_fetched_and_what_one_lacked_is_not_told(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(
        capsys, "data", "fetch", "--only", "climate", "--mirror", str(shared_data / "climate"), "--territory", "d04"
    )
    assert [(f["key"], f["notes"]) for f in found["fetched"]] == [("drias_departements", []), ("drias_reference", [])]
    status = {row["table"]: row for row in told(capsys, "data", "status", "--territory", "d04")["tables"]}
    assert status["climate"]["kind"] == "official" and status["climate"]["note_en"] == ""
    assert (
        main(
            ["data", "import", str(shared_data / "climate" / "DRIAS_2020_2_6_DEPARTEMENTS.xlsx"), "--territory", "d04"]
        )
        == 0
    )
    assert "the lever reads RCP8.5 only" in capsys.readouterr().out


def test_import_dry_run_remove_and_restore(shared_data: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(shared_data / "anct" / "densite.csv.gz")
    dry = told(capsys, "data", "import", file, "--dry-run", "--territory", "d38")
    assert (dry["table"], dry["kept"]) == ("density", False)
    assert not (folder / "density.parquet").exists()
    kept = told(capsys, "data", "import", file, "--source", "ANCT", "--year", "2024", "--territory", "d38")
    assert kept["label"]["source"] == "ANCT"
    assert kept["label"]["year"] == "2024"
    assert told(capsys, "data", "remove", "density")["removed"]
    assert told(capsys, "data", "restore", "density")["restored"]
    assert (folder / "density.parquet").exists()


def test_what_is_wrong_with_a_whole_file_has_no_line(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "import", str(shared_data / "climate" / "DRIAS_ETE_8_5_COMMUNES.xlsx"), "--dry-run"]) == 0
    told_by_line = capsys.readouterr().out
    assert "whole file: NORTX35" in told_by_line
    assert "None" not in told_by_line


def test_columns_can_be_named_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("lieu;qui\n84003;1200\n84035;x\n", encoding="utf-8")
    assert main(["data", "import", str(file), "--territory", "d84"]) == 2
    assert "No kind of table recognised" in capsys.readouterr().err
    found = told(capsys, "data", "import", str(file), "--as", "margins", "--column", "zone_code=lieu",
                 "--column", "jobs=qui", "--territory", "d84")  # fmt: skip
    assert found["label"]["rows"] == 2
    assert [(p["line"], p["value"]) for p in found["problems"]] == [(3, "x")]


def test_hosts_are_counted(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    found = told(capsys, "data", "hosts", "--territory", "d04")
    assert (found["rows"], found["other_hosts"]) == (0, 0)
    assert found["town_halls"] == found["kinds"]["town_hall"] > 150


def test_libraries_of_the_facilities_base_are_hosts_once(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """Fetched from a server: a library that another list has is one host, a new edition takes away what has closed."""
    own = "lieux_mediation_numerique_sud_20230516.csv"
    told(
        capsys, "data", "import", str(shared_data / "places" / own), "--source", "Médiation numérique", "--year", "2023"
    )
    before = told(capsys, "data", "hosts", "--territory", "d84")
    lines = (
        facility("MEDIATHEQUE", "84035", lon="5.04191", lat="43.83333", NUMVOIE="60", TYPVOIE="RUE", LIBVOIE="VERAN ROUSSET", LIBCOM="Cavaillon"),
        facility("BIBLIOTHEQUE MARY GLASGOW", "84044", lon="5.13832", lat="44.21742", LIBCOM="Entrechaux"),
        facility("LA DURANCE", "84035", lon="5.0500", lat="43.8300", LIBCOM="Cavaillon"),
        facility("POSTE", "84035", "A206"),
    )  # fmt: skip
    published = tmp_path / "published"
    published.mkdir()

    def publish(edition: tuple[str, ...]) -> None:
        with zipfile.ZipFile(published / "BPE25.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("BPE25.csv", "\n".join([BPE_2025, *edition]))

    with serving(published) as (address, _):
        publish(lines)
        found = told(capsys, "data", "fetch", "--only", "insee_bpe", "--mirror", address, "--territory", "d84")
        assert [(f["table"], f["rows"]) for f in found["fetched"]] == [("places", 3)] and found["failed"] == []
        after = told(capsys, "data", "hosts", "--territory", "d84")
        assert after["other_hosts"] == before["other_hosts"] + 1  # two of the three were known
        assert after["joined_another"] == before["joined_another"] + 2
        titles = (
            "INSEE, Bibliothèques (base permanente des équipements)",
            "INSEE, Libraries (permanent facilities base)",
        )
        assert (*titles, "2025", 3) in [
            (one["source"], one["source_en"], one["year"], one["rows"]) for one in after["lists"]
        ]
        row = next(r for r in told(capsys, "data", "status", "--territory", "d84")["tables"] if r["table"] == "places")
        assert (row["kind"], row["year"]) == ("partly", "2023, 2025") and "INSEE, Libraries" in row["source_en"]
        assert found["changes"]["same"] and found["changes"]["kinds"] == []  # hosts move no figure
        publish(lines[:2])
        told(capsys, "data", "fetch", "--only", "insee_bpe", "--mirror", address, "--territory", "d84")
    assert told(capsys, "data", "hosts", "--territory", "d84")["other_hosts"] == before["other_hosts"]
    assert main(["data", "import", str(shared_data / "places" / own), "--territory", "d84"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["Vaucluse: no figure changes", HOSTS_HINT]


def test_wrong_words_get_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for words in (
        ["data", "import"], ["data", "import", str(tmp_path / "none.csv")], ["data", "remove", "everything"],
        ["data", "roads"], ["data", "nothing"], ["validate", "flows", "--observed", str(tmp_path / "none.csv")],
    ):  # fmt: skip
        assert main(words) == 2, words
        err = capsys.readouterr().err
        assert len(err.strip().splitlines()) == 1, err
        assert "Traceback" not in err


def test_roads_from_an_extract(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("osmium", reason="needs osmium (requirements-roads.txt)")
    area = tmp_path / "area.txt"
    area.write_text("06012\n06023\n06104\n06150\n", encoding="utf-8")  # communes round Monaco
    extract = str(shared_data / "roads" / "monaco.osm.pbf")
    found = told(capsys, "data", "roads", extract, "--territory", str(area), "--processes", "1")
    assert found["kept_pairs"] > 0
    assert len(found["unsnapped"]) > 10  # the neighbours are out of the extract
    rows = {row["table"]: row for row in told(capsys, "data", "status", "--territory", str(area))["tables"]}
    assert rows["travel"]["kind"] == "partly"
    assert "OpenStreetMap" in rows["travel"]["source"]
    (tmp_path / "taken").write_text("a file where the folder should be")
    monkeypatch.setenv("COOPCONNECT_OFFICIAL", str(tmp_path / "taken" / "official"))
    assert main(["data", "roads", extract, "--territory", str(area), "--processes", "1"]) == 2
    assert "name another folder (COOPCONNECT_OFFICIAL)" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["jobs", "workers", "flows"])
def test_the_models_against_what_was_observed(shared_data: Path, capsys: pytest.CaptureFixture[str], what: str) -> None:
    name = "flux_domicile_travail_isere_2017.csv" if what == "flows" else "base_cc_comparateur_csv.zip"
    found = told(capsys, "validate", what, "--observed", str(shared_data / "insee" / name))
    assert found["what"] == what
    if what == "flows":
        assert 0.70 < found["cpc"] < 0.90
        assert found["workers_observed"] == pytest.approx(444_656)
    else:
        assert found["n"] > 34_000
        assert found["log_r2"] > 0.85
