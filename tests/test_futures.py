"""Finished draws on the pages: the map of probabilities, quantiles as ranges, how often a rank is held."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pandas.testing import assert_frame_equal
from spaces import plain
from test_robust_page import ROOT, _opened, _texts

from coopconnect import cli
from coopconnect.model.assessment import assess
from coopconnect.model.types import RANGED
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.territory.types import Territory
from coopconnect.uncertainty import bands
from coopconnect.uncertainty.bands import with_quantiles
from coopconnect.uncertainty.engine import Setup
from coopconnect.uncertainty.laws import laws_of
from coopconnect.uncertainty.results import results
from coopconnect.uncertainty.run import run


def test_finished_draws_are_on_the_pages() -> None:
    from streamlit.testing.v1 import AppTest

    robust = _opened()
    assert [e.value for e in (*robust.error, *robust.warning)] == []
    shown = _texts(robust)
    assert "Viable dans cette part des futurs" in shown
    assert "data:image/svg+xml;base64," in shown
    site = AppTest.from_file(str(ROOT / "pages" / "site.py"), default_timeout=120)
    site.query_params["territory"], site.query_params["site"] = "d04", "04112"
    told = plain(_texts(site.run()))
    assert "Sur 200 futurs tirés : rang entre" in told
    assert told.count("dans 90 % de 200 tirages") == 5  # the score and the four headline figures


def test_more_draws_or_workers_change_no_draw(small: Territory, reference: Scenario, parameters: Parameters) -> None:
    setup = Setup(small, small, reference, parameters, laws_of(reference, parameters))
    one, two, three = (run(setup, 50, 3, workers) for workers in (1, 2, 3))
    assert one.figures.tobytes() == two.figures.tobytes() == three.figures.tobytes()
    assert one.figures.shape == (50, 9, small.site_zone.size)
    assert np.isfinite(one.figures[one.usable]).all()
    assert (two.done.all(), two.workers, two.seconds > 0.0) == (True, 2, True)


def test_quantiles_of_the_draws_take_the_place_of_ranges(
    small: Territory, reference: Scenario, parameters: Parameters
) -> None:
    now = assess(small, reference, parameters)
    ensemble = run(Setup(small, small, reference, parameters, laws_of(reference, parameters)), 80, 4, 2)
    drawn = with_quantiles(now, ensemble)
    assert (now.drawn, drawn.drawn) == (0, int(ensemble.usable.sum()))
    moved = [f"{name}{end}" for name in RANGED for end in ("_low", "_high")] + [
        "rank_low",
        "rank_high",
        "tie_group",
        "tied",
    ]
    assert_frame_equal(drawn.sites.drop(columns=moved), now.sites.drop(columns=moved))
    assert list(drawn.sites.dtypes) == list(now.sites.dtypes)
    found = results(ensemble)
    assert found is not None and drawn.sites["tie_group"].tolist() == found.sites["tie_group"].tolist()
    for _, group in drawn.sites[drawn.sites["available"]].groupby("tie_group"):
        assert set(group["tied"]) == {len(group) > 1}
    for site in (0, 11, 29):
        users = ensemble.figure("users")[:, site]
        low, high = np.percentile(users, [5, 95])
        row, central = drawn.sites.iloc[site], now.sites.iloc[site]
        assert row["users_low"] == pytest.approx(min(low, central["users"]))
        assert row["users_high"] == pytest.approx(max(high, central["users"]))
    rural = small.zones["rural"].to_numpy(bool)[small.site_zone]
    hours, users = ensemble.figure("hours_per_year")[:, rural], ensemble.figure("users")[:, rural]
    mean = hours.sum(axis=1) / users.sum(axis=1)
    total = drawn.totals["hours_per_participating_household"]
    assert (total.low, total.high) == pytest.approx((np.percentile(mean, 5), np.percentile(mean, 95)))
    assert all(t.low <= t.value <= t.high for t in drawn.totals.values())


def test_what_follows_from_the_draws_is_what_the_engine_would_say(
    small: Territory, reference: Scenario, parameters: Parameters
) -> None:
    """With every law at its value, what is derived (days, desks, points, benefit over cost) is the assessment."""
    laws = laws_of(reference, parameters)
    row = np.array([[law.value for law in laws]])
    setup = Setup(small, small, reference, parameters, laws)
    central = run(setup, 1, 0, 1, values=row)
    now = assess(small, reference, parameters)
    found = dict(bands._site_figures(central))
    assert set(found) == set(RANGED)
    for name, values in found.items():
        assert values[0] == pytest.approx(now.sites[name].to_numpy(float), rel=1e-4, abs=2e-3), name


def test_files_of_the_command_line_hold_quantiles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "site.geojson"
    args = ["export", "--territory", "d04", "--site", "04112", "--draws", "60", "--to", str(file)]
    assert cli.main(args) == 0, capsys.readouterr().err
    layer = json.loads(file.read_text(encoding="utf-8"))
    assert "5 et 95 % de 60 futurs tirés" in layer["fields"]["users_low"]["description"].replace("\u202f", " ")
    assert "p_viable" in layer["fields"]
