"""Finished draws on the pages: the map of probabilities, quantiles as ranges, how often a rank is held."""

from __future__ import annotations

import io
import json
import time
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from pandas.testing import assert_frame_equal
from spaces import plain
from test_robust_page import ROOT, _opened, _texts

from coopconnect import cli
from coopconnect.export.sheet_comparison import Compared
from coopconnect.export.workbook import Included, workbook
from coopconnect.model.assessment import assess
from coopconnect.model.household_groups import HouseholdGroups, bars_of, household_groups, rural_pool, told_of
from coopconnect.model.personal import Person, weeks_of
from coopconnect.model.site_sheet import premises_comparison
from coopconnect.model.types import RANGED
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.show.words import say
from coopconnect.territory.anywhere import Drive
from coopconnect.territory.types import Territory
from coopconnect.ui import robust_further
from coopconnect.uncertainty import bands
from coopconnect.uncertainty.bands import with_quantiles
from coopconnect.uncertainty.cases import (
    COMMUNE_ROWS_MOST,
    further_values,
    group_rows,
    groups_of_draws,
    household_layout,
    household_values,
    premises_of_draws,
    weeks_of_draws,
)
from coopconnect.uncertainty.engine import KEPT, Setup
from coopconnect.uncertainty.laws import laws_of
from coopconnect.uncertainty.results import results
from coopconnect.uncertainty.run import Ensemble, run
from coopconnect.uncertainty.site import around


def test_finished_draws_are_on_the_pages() -> None:
    """Robustesse, then Fiche site, then Ménages."""
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
    assert "Fourchettes : 5 et 95 % de 200 futurs tirés." in told  # of the two kinds of premises
    house = AppTest.from_file(str(ROOT / "pages" / "menages.py"), default_timeout=120)
    query = {"territory": "d04", "site": "04112", "home": "04112", "work": "04070"}
    for key, value in query.items():
        house.query_params[key] = value
    house.session_state["everyone"] = {"near": True}
    house.run()
    for _ in range(200):
        if not any(job.running for job in robust_further._jobs().jobs.values()):
            break
        time.sleep(0.1)
    told = plain(_texts(house.run()))
    assert told.count("Fourchettes : 5 et 95 % de 200 futurs tirés.") == 3  # my weeks, everyone, the deciles
    assert told.count("dans 90 % de 200 tirages") == 4  # the four cards of the households
    assert "De, à : 5 et 95 % de 200 futurs tirés" in told


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


@pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
def test_the_difference_of_two_scenarios_is_counted_future_by_future(
    small: Territory, reference: Scenario, parameters: Parameters
) -> None:
    def ensemble(scenario: Scenario, seed: int = 4) -> Ensemble:
        return run(Setup(small, small, scenario, parameters, laws_of(scenario, parameters)), 80, seed, 2)

    usual, dear = ensemble(reference), ensemble(reference.with_values(fuel_price_eur_per_l=2.5))
    gained = bands.difference_bands(usual, dear)["hours_per_participating_household"]
    rural = small.zones["rural"].to_numpy(bool)[small.site_zone]
    both = usual.usable & dear.usable
    assert both.sum() > 70
    mean = [
        (e.figures[both, KEPT.index("hours_per_year")][:, rural].astype(float).sum(axis=1)
         / e.figures[both, KEPT.index("users")][:, rural].astype(float).sum(axis=1)) for e in (usual, dear)
    ]  # fmt: skip
    assert gained == pytest.approx(tuple(np.percentile(mean[1] - mean[0], [5, 95])))
    apart = [np.percentile(one, 95) - np.percentile(one, 5) for one in mean]
    assert gained[1] - gained[0] < 0.5 * min(apart)  # what both scenarios do not know cancels out
    assert set(bands.difference_bands(usual, usual).values()) == {(0.0, 0.0)}
    own = ensemble(reference.with_values(premises="own"))  # draws other quantities
    assert bands.difference_bands(usual, own) == bands.difference_bands(usual, ensemble(reference, 5)) == {}

    def compared(title: str, drawn: Ensemble) -> Compared:
        return Compared(title, with_quantiles(assess(small, drawn.setup.scenario, parameters), drawn), drawn)

    now, put_aside = compared("", dear), (compared("Usuel", usual), compared("Ailleurs", own))
    content = workbook(
        now.assessment, now.assessment, parameters, (), "fr", on=date(2026, 11, 25),
        included=Included(compared=put_aside, ensemble=dear),
    )  # fmt: skip
    sheet = openpyxl.load_workbook(io.BytesIO(content), data_only=True)["Comparaison"]
    head = next(c.row for c in sheet["A"] if plain(str(c.value)).startswith("Écarts des chiffres de tête : de bas"))
    assert plain(sheet.cell(head + 1, 1).value) == plain(say("compare.ranges_unpaired", "fr"))  # own premises
    heads = [plain(sheet.cell(head + 2, column).value or "") for column in (2, 3, 4, 5)]
    assert heads == ["Écart avec Usuel", "Écart avec Usuel, bas", "Écart avec Usuel, haut", ""]
    row = next(r for r in sheet.iter_rows(head + 3, values_only=True) if str(r[0]).startswith("Temps gardé par ménage"))
    assert row[2:4] == pytest.approx(gained) and row[2] <= row[1] <= row[3]


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


@pytest.fixture(scope="module")
def drawn(small: Territory, reference: Scenario, parameters: Parameters) -> Ensemble:
    return run(Setup(small, small, reference, parameters, laws_of(reference, parameters)), 80, 4, 2)


def test_the_draws_go_through_one_persons_week(drawn: Ensemble, reference: Scenario, parameters: Parameters) -> None:
    """Hours of today's week, by hand: 5 * 2 * 35 min, the peak of each draw, and the time of a trip that is estimated."""
    person = Person(Drive(30.0, 35.0, True), Drive(5.0, 8.0, True), 2, "thermal")
    found, before = weeks_of_draws(person, drawn), weeks_of(person, reference, parameters)
    assert (found.drawn, before.drawn, found.days) == (int(drawn.usable.sum()), 0, 2)
    keys = [law.key for law in drawn.setup.laws]
    peak = drawn.drawn()[:, keys.index("commute_peak_factor")]
    assert found.week["today", "hours"].low == pytest.approx(np.quantile(5 * 2 * 35 * peak / 60, 0.05))
    assert found.week["today", "hours"].value == before.week["today", "hours"].value
    weeks = drawn.drawn()[:, keys.index("weeks_per_year")]
    kept = weeks * (2 * 2 * 35 * peak - 2 * 2 * 8) / 60  # within each draw, not quantile by quantile
    assert found.kept["hub", "hours"].high == pytest.approx(np.quantile(kept, 0.95))
    estimated = weeks_of_draws(Person(Drive(30.0, 35.0, False), None, 2, "none"), drawn)
    assert estimated.week["today", "hours"].low < found.week["today", "hours"].low
    assert "employer_paid_share" not in keys and found.price_year is not None
    assert found.price_year.low < found.price_year.value  # drawn beside the ensemble: it moves no figure of a site
    again = further_values(drawn, ("employer_paid_share",))
    assert (again == further_values(drawn, ("employer_paid_share",))).all() and len(set(again[:, 0])) == len(again)


def test_the_draws_go_through_both_premises(
    drawn: Ensemble, small: Territory, reference: Scenario, parameters: Parameters
) -> None:
    code, own = str(small.zones["zone_code"].iloc[small.site_zone[3]]), parameters["opex_own_eur_per_year"]
    before = premises_comparison(small, reference, parameters, code)
    found, bands_of = premises_of_draws(before, drawn, 3), bands.site_bands(drawn)
    assert found.drawn == int(drawn.usable.sum()) and before.drawn == 0
    for name, span in (("yearly_cost_eur", found.shared.cost_eur), ("viability", found.shared.viability)):
        low, high = (float(end[3]) for end in bands_of[name])  # those of the assessment, which is of the shared room
        assert (span.low, span.high) == pytest.approx((min(low, span.value), max(high, span.value)), rel=1e-5)
    assert found.own.cost_eur.value == before.own.cost_eur.value
    assert own.low < found.own.cost_eur.low < found.own.cost_eur.high < before.own.cost_eur.high


@pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
def test_the_draws_go_through_the_households(
    drawn: Ensemble, small: Territory, reference: Scenario, parameters: Parameters
) -> None:
    """Users and hours of the pool are those of the ensemble; with every law at its value, the central figures."""
    groups = household_groups(small, reference, parameters)
    layout, (more, values) = household_layout(groups, drawn.setup, 40), household_values(drawn)
    names = layout.names
    rows = group_rows(layout, more, "", drawn.setup, values[:40])
    pool = rural_pool(small, reference)
    usable = drawn.usable[:40]
    for name, figure in (("users", "users"), ("hours_per_year", "hours_per_year")):
        expected = drawn.figures[:40][usable][:, KEPT.index(figure)][:, pool].astype(float).sum(axis=1)
        assert rows[usable, names.index(name)] == pytest.approx(expected, rel=1e-4, abs=1e-2)
    found = groups_of_draws(groups, layout, rows)
    assert (found.drawn, groups.drawn) == (int(usable.sum()), 0)
    assert all(r.low <= r.value <= r.high for r in found.totals.values())
    assert found.totals["hours_up_users"].low == pytest.approx(
        np.quantile(rows[usable, names.index("hours_up_users")], 0.05)
    )
    _check_ends(groups, found)
    content = workbook(
        assess(small, reference, parameters), assess(small, reference, parameters), parameters, (), "fr", on=date(2026, 11, 25),
        included=Included(groups=found),
    )  # fmt: skip
    sheet = openpyxl.load_workbook(io.BytesIO(content), data_only=True)["Gagnants"]
    at = {str(cell.value): cell.row for cell in sheet["A"]}
    assert found.ends is not None and sheet.page_setup.orientation == "portrait"
    for title, table in (("bas", found.ends[0].deciles), ("haut", found.ends[1].deciles)):
        row = at[f"Déciles, par ménage participant, {title}"] + 2
        told = [sheet.cell(row + k, 3).value for k in range(9)]  # euros, average user
        assert told == pytest.approx(table["eur"].tolist())
    assert at["Déciles, par ménage participant (cas de référence)"] < at["Déciles, par ménage participant, bas"]
    assert sheet.cell(at["Selon la distance du domicile au travail, haut"] + 2, 2).value == pytest.approx(
        float(found.ends[1].bands["users"].iloc[0])
    )
    assert more == ("employer_paid_share",)  # who pays for the day: nothing else of a household is left out
    keys, some = [law.key for law in drawn.setup.laws], values[:40][usable]
    of_allowed = some[:, keys.index("hub_days_per_user_per_week")] / some[:, keys.index("telework_days_reference")]
    assert (of_allowed > 1.0).any()  # nobody comes on more days than are allowed
    days = np.minimum(of_allowed, 1.0) * some[:, keys.index("weeks_per_year")] * reference.telework_days_per_week
    kept = {
        name: rows[usable, names.index(name)].astype(float)
        for name in ("users", "eur_per_year", "eur_after_price_per_year")
    }
    paid = (kept["eur_per_year"] - kept["eur_after_price_per_year"]) / kept["users"]
    assert paid == pytest.approx(days * reference.day_price_eur * (1.0 - some[:, -1]), rel=1e-3, abs=0.1)
    beside = [parameters.values_with({})[key] for key in more]
    middle = np.array([[*(law.value for law in drawn.setup.laws), *beside]])
    code = str(small.zones["zone_code"].iloc[small.site_zone[3]])
    alone = household_groups(small, reference, parameters, code)
    place = around(drawn.setup, code)
    around_it = household_layout(alone, place, 1)
    central = around_it.parts(group_rows(around_it, more, code, place, middle)[0])
    assert central["totals"] == pytest.approx([alone.totals[name].value for name in names], rel=1e-6)
    assert central["deciles"] == pytest.approx(alone.deciles.drop(columns="decile").to_numpy(float), rel=1e-5, abs=1e-4)
    for name, table in (("bands", alone.bands), ("density", alone.density)):
        assert central[name] == pytest.approx(told_of(table), rel=1e-5, abs=1e-4)
    communes = alone.communes
    assert central["communes"][:, 0] == pytest.approx(communes["users"].to_numpy(float), rel=1e-5, abs=1e-6)
    bars = np.concatenate([bars_of(alone, *name)[1] for name in around_it.edges])
    assert central["bars"] == pytest.approx(bars, rel=1e-3, abs=1e-4)


def _check_ends(groups: HouseholdGroups, found: HouseholdGroups) -> None:
    """Lows and highs hold the reference case in every table and chart; what a worker pays is drawn too."""
    assert groups.ends is None and found.ends is not None
    low, high = found.ends
    for name in ("bands", "density"):
        now = told_of(getattr(groups, name))
        lows, highs = getattr(low, name), getattr(high, name)
        assert (lows.to_numpy() <= now + 1e-3).all() and (now <= highs.to_numpy() + 1e-3).all()
        assert (lows["users"] < highs["users"]).all()
    assert low.communes is not None and len(low.communes) == len(groups.communes)
    deciles = groups.deciles["eur_after_price"]
    assert (low.deciles["eur_after_price"] <= deciles).all() and (deciles <= high.deciles["eur_after_price"]).all()
    for name, users in high.bars.items():
        assert users.sum() > bars_of(groups, *name)[1].sum() >= low.bars[name].sum()


def test_communes_too_many_to_be_kept_in_every_draw(
    drawn: Ensemble, small: Territory, reference: Scenario, parameters: Parameters
) -> None:
    groups = household_groups(small, reference, parameters)
    layout, (more, values) = household_layout(groups, drawn.setup, COMMUNE_ROWS_MOST), household_values(drawn)
    found = groups_of_draws(groups, layout, group_rows(layout, more, "", drawn.setup, values[:5]))
    assert found.ends is not None and found.ends[0].communes is None and layout.zones.size == 0


def test_files_of_the_command_line_hold_quantiles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "site.geojson"
    args = ["export", "--territory", "d04", "--site", "04112", "--draws", "60", "--to", str(file)]
    assert cli.main(args) == 0, capsys.readouterr().err
    layer = json.loads(file.read_text(encoding="utf-8"))
    assert "5 et 95 % de 60 futurs tirés" in layer["fields"]["users_low"]["description"].replace("\u202f", " ")
    assert "p_viable" in layer["fields"]
