"""`validate sites`: what the modelled data do to the result, against files whose answer is known."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from coopconnect.cli import main
from coopconnect.model.validate_sites import _modelled, validate_sites
from coopconnect.parameters import DATA_DIR, Parameters
from coopconnect.territory.official.reading import ReadingError

FOLDER = DATA_DIR / "territory"
CORSICA = ("2A", "2B")


@pytest.fixture(scope="module")
def of_the_model() -> pd.DataFrame:
    """What the model says of Corsica, which has no neighbour within reach."""
    communes = pq.read_table(FOLDER / "communes.parquet").to_pandas()
    codes = communes.loc[communes["departement"].isin(CORSICA), "zone_code"]
    everyone = pd.DataFrame({"home_code": codes, "work_code": codes, "workers": 1.0})
    return _modelled(everyone, communes, FOLDER)


def written(flows: pd.DataFrame, path: Path) -> Path:
    flows.set_axis(["CODGEO", "DCLT", "NBFLUX_C17_ACTOCC15P"], axis=1).to_csv(path, sep=";", index=False)
    return path


def test_observed_flows_that_are_those_of_the_model_change_nothing(
    of_the_model: pd.DataFrame, tmp_path: Path, parameters: Parameters
) -> None:
    found = validate_sites(written(of_the_model, tmp_path / "same.csv"), None, FOLDER, parameters, "d2A")
    assert found["territory"] == "d2A"
    assert found["workers_ratio"] == pytest.approx(1.0, rel=1e-5)
    gaps = found["flows"]
    assert isinstance(gaps, dict)
    for name in ("users_total", "hours_total", "users_median_error", "hours_median_error", "score_median_gap"):
        assert gaps[name] == pytest.approx(0.0, abs=1e-3), name
    assert gaps["top_kept"] == gaps["top"]
    assert gaps["rank_correlation"] == pytest.approx(1.0, abs=1e-4)
    assert "both" not in found


def test_homes_with_more_workers_than_the_model_have_more_users(
    of_the_model: pd.DataFrame, tmp_path: Path, parameters: Parameters, capsys: pytest.CaptureFixture[str]
) -> None:
    more = of_the_model.assign(workers=of_the_model["workers"] * 1.25)
    file = written(more, tmp_path / "more.csv")
    assert main(["validate", "sites", "--observed", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["territory"] in ("d2A", "d2B")  # where most of them live
    assert found["workers_ratio"] == pytest.approx(0.8, rel=1e-3)
    assert found["flows"]["users_total"] == pytest.approx(-0.2, abs=0.005)


def test_a_file_of_elsewhere_and_an_option_out_of_place_are_refused(
    of_the_model: pd.DataFrame, tmp_path: Path, parameters: Parameters, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(of_the_model, tmp_path / "same.csv")
    with pytest.raises(ReadingError, match="d04"):
        validate_sites(file, None, FOLDER, parameters, "d04")
    assert main(["validate", "flows", "--observed", str(file), "--travel", str(file)]) == 2
    assert "--travel goes with `validate sites`" in capsys.readouterr().err
    assert main(["validate", "sites", "--observed", str(file), "--travel", str(tmp_path / "none.csv")]) == 2
    assert "--travel" in capsys.readouterr().err
