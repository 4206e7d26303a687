"""What stands behind the climate and fuel levers: DRIAS and pump prices, as published and as shipped."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from coopconnect.parameters import DATA_DIR, Parameters
from coopconnect.territory.load import load_territory
from coopconnect.territory.official.climate import hot_days
from coopconnect.territory.official.fuel import History, history_of, shipped_history
from coopconnect.territory.official.kinds import import_file
from coopconnect.territory.official.store import Store
from coopconnect.territory.types import Territory

DRIAS = (
    "DRIAS_2020_REFERENCE_DEPARTEMENTS.xlsx",
    "DRIAS_2020_8_5_DEPARTEMENTS.xlsx",
    "DRIAS_2020_2_6_DEPARTEMENTS.xlsx",
)


@pytest.fixture(scope="module")
def store(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("official"))
    for name in DRIAS:
        found = import_file(shared_data / "climate" / name, name, today=date(2026, 11, 23))
        assert found.frame is not None
        store.add(found.frame, found.label)
    return store


def test_three_workbooks_make_one_table(store: Store) -> None:
    found = store.load("climate")
    assert found is not None
    frame, label = found
    assert set(zip(frame["scenario"], frame["horizon"], strict=True)) == {
        ("reference", "reference"), *((rcp, h) for rcp in ("rcp26", "rcp85") for h in ("h1", "h2", "h3")),
    }  # fmt: skip
    assert len(frame) == 96 * 7
    assert label.source == " + ".join(DRIAS)
    assert label.notes_en == ()  # together they have all that the lever takes


def test_loaded_drias_gives_what_is_shipped(store: Store, parameters: Parameters, paca: Territory) -> None:
    """The shipped table was derived from these workbooks: loading them changes the label, not the figures."""
    territory = load_territory("93", DATA_DIR / "territory", parameters.value("circuity"), official=store.official())
    assert territory.hot_days == pytest.approx(paca.hot_days, abs=0.01)
    climate = next(p for p in territory.provenance if p.table == "climate")
    assert climate.kind == "own"


def test_a_workbook_that_moves_nothing_by_itself_says_what_lacks(shared_data: Path, paca: Territory) -> None:
    zones, shipped = paca.zones, paca.hot_days
    for name, lacking in zip(DRIAS, ("DRIAS_2020_8_5", "DRIAS_2020_REFERENCE", "RCP8.5"), strict=True):
        found = import_file(shared_data / "climate" / name, name)
        assert hot_days(zones, found.frame, shipped)[1] == 0.0
        assert [lacking in note for note in found.label.notes_fr] == [True]


def test_a_commune_counts_before_its_departement() -> None:
    zones = pd.DataFrame({"zone_code": ["84003", "84035", "05061"], "departement": ["84", "84", "05"]})
    rows = [("84", 10.0), ("84003", 20.0)]
    climate = pd.DataFrame(
        [
            {
                "area_code": area,
                "scenario": "reference" if h == "reference" else "rcp85",
                "horizon": h,
                "hot_days": days,
            }
            for area, days in rows
            for h in ("reference", "h1", "h2", "h3")
        ]
    )
    found, share = hot_days(zones, climate, np.full((3, 4), -1.0, np.float32))
    assert found[:, 0].tolist() == [20.0, 10.0, -1.0]
    assert share == pytest.approx(2 / 3)


def test_summer_means_are_refused_as_hot_days(shared_data: Path) -> None:
    name = "DRIAS_ETE_8_5_COMMUNES.xlsx"
    found = import_file(shared_data / "climate" / name, name)
    assert not found.usable
    assert "35" in found.problems[0].reason_fr


def test_the_shipped_record_is_that_of_the_bulletin(shared_data: Path) -> None:
    name = "france_weekly_prices_2005_2025.csv"
    found = import_file(shared_data / "fuel" / name, name)
    assert found.frame is not None
    weekly = history_of(found.frame)
    shipped = shipped_history()
    assert (weekly.first, weekly.last) == ("2005-01-03", "2025-11-10") and found.label.year == "2005-2025"
    assert (shipped.first, shipped.last, len(shipped.prices)) == ("2005", "2025-11-10", 21)
    by_year = found.frame.set_index("week").groupby(lambda day: day.year).mean().mean(axis=1)
    assert np.array(shipped.prices) == pytest.approx(by_year.to_numpy(), abs=1e-3)
    assert weekly.share_below(1.75) == pytest.approx(shipped.share_below(1.75), abs=0.1)


def test_prices_per_thousand_litres_and_french_dates() -> None:
    text = "date;euro95;diesel\n05/01/2026;1 650,5;1600\n12/01/2026;1,7;x\n;1650;1600\n"
    found = import_file(text.encode(), "prix.csv")
    assert found.frame is not None
    assert found.frame["petrol_eur_per_l"].tolist()[0] == pytest.approx(1.6505)
    assert {(p.line, p.value) for p in found.problems} == {(3, "1,7"), (3, "x")}
    assert "lines with a price and no date, left out: 1" in found.label.notes_en


@pytest.mark.parametrize("dated", [True, False])
def test_the_bulletin_as_the_commission_lays_it_out(dated: bool) -> None:
    """Codes, product names, units, then weeks, newest first; a sheet without taxes as large; days as dates or as numbers."""
    weeks = [date(2026, 1, 12), date(2026, 1, 5)]
    days = weeks if dated else [(week - date(1899, 12, 30)).days for week in weeks]
    out = io.BytesIO()
    with pd.ExcelWriter(out) as book:
        for sheet, what, price in (("Prices wo taxes", "wo_tax", 700.0), ("Prices with taxes", "with_tax", 1650.5)):
            codes = ["CTR", f"AT_price_{what}_euro95", "CTR", f"FR_price_{what}_euro95", f"FR_price_{what}_diesel"]
            rows = [["Consumer prices of petroleum products inclusive of duties and taxes", *codes],
                    ["", "", "Euro-super 95", "", "Euro-super 95", "Gas oil"], ["Date", "", "1000 l", "", "1000 l", "1000 l"],
                    *[[day, "AT", price, "FR", price, price - 50.0] for day in days]]  # fmt: skip
            pd.DataFrame(rows).to_excel(book, sheet_name=sheet, index=False, header=False)
    found = import_file(out.getvalue(), "bulletin.xlsx")
    assert found.frame is not None and found.problems == ()
    assert found.frame["week"].dt.date.tolist() == weeks[::-1]
    assert found.frame["petrol_eur_per_l"].tolist() == pytest.approx([1.6505] * 2)
    assert found.frame["diesel_eur_per_l"].tolist() == pytest.approx([1.6005] * 2)


def test_share_below_counts_the_record() -> None:
    record = History((1.0, 1.2, 1.4, 1.6), "2005", "2008", False)
    assert record.share_below(1.3) == 0.5
    assert History((), "", "", False).share_below(1.0) == 0.0
