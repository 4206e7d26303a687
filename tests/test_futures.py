"""Finished draws on the pages: the map of probabilities, quantiles as ranges, how often a rank is held."""

from __future__ import annotations

import numpy as np
from test_robust_page import ROOT, _opened, _texts

from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.territory.types import Territory
from coopconnect.uncertainty.engine import Setup
from coopconnect.uncertainty.laws import laws_of
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
    told = _texts(site.run())
    assert "Sur 200 futurs tirés : rang entre" in told
    assert "dans 90 % de 200 tirages" in told.replace("\u00a0", " ").replace("\u202f", " ")


def test_more_draws_or_workers_change_no_draw(small: Territory, reference: Scenario, parameters: Parameters) -> None:
    setup = Setup(small, small, reference, parameters, laws_of(reference, parameters))
    one, two, three = (run(setup, 50, 3, workers) for workers in (1, 2, 3))
    assert one.figures.tobytes() == two.figures.tobytes() == three.figures.tobytes()
    assert one.figures.shape == (50, 9, small.site_zone.size)
    assert np.isfinite(one.figures[one.usable]).all()
    assert (two.done.all(), two.workers, two.seconds > 0.0) == (True, 2, True)
