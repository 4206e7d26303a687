"""A territory with official tables: real flows, workers, jobs, density and travel times of Isère take the place of
modelled ones, and every table says what it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from coopconnect.model.assessment import assess
from coopconnect.model.compare import compare
from coopconnect.parameters import DATA_DIR, Parameters
from coopconnect.scenario import reference_scenario
from coopconnect.territory.check import check_territory
from coopconnect.territory.load import load_territory
from coopconnect.territory.official.codes import CodeMap
from coopconnect.territory.official.kinds import import_file
from coopconnect.territory.official.store import Store
from coopconnect.territory.official.tables import Official
from coopconnect.territory.types import Territory
from coopconnect.ui.figures import MADE_OF, tables_behind

FOLDER = DATA_DIR / "territory"
FILES = {
    "flows": "insee/flux_domicile_travail_isere_2017.csv",
    "margins": "insee/base_cc_comparateur_csv.zip",
    "density": "anct/densite.csv.gz",
    "travel": "travel_time/isere_512_communes_osrm_car_seconds.csv",
}


@pytest.fixture(scope="module")
def store(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The real files, imported once."""
    store = Store(tmp_path_factory.mktemp("official"))
    codes = CodeMap.load(FOLDER)
    for name in FILES.values():
        label = {"kind": "official", "source": f"INSEE, {name}", "licence": "Licence Ouverte 2.0"}
        found = import_file(
            shared_data / name, name.rsplit("/", 1)[-1], codes=codes, label=label, today=date(2026, 11, 23)
        )
        assert found.frame is not None
        store.save(found.frame, found.label)
    return store


@pytest.fixture(scope="module")
def isere(parameters: Parameters) -> Territory:
    return load_territory("d38", FOLDER, parameters.value("circuity"))


def loaded(store: Store, parameters: Parameters, *names: str) -> Territory:
    return load_territory("d38", FOLDER, parameters.value("circuity"), official=store.official(names))


def kinds(territory: Territory) -> dict[str, str]:
    return {p.table: p.kind for p in territory.provenance}


def test_official_flows_are_the_flows(store: Store, parameters: Parameters) -> None:
    territory = loaded(store, parameters, "flows")
    assert check_territory(territory) == []
    zones = territory.zones
    inside = zones["departement"].to_numpy() == "38"
    first, last = territory.flow_start[:-1][inside], territory.flow_start[1:][inside]
    total = sum(float(territory.flow_workers[a:b].sum()) for a, b in zip(first, last, strict=True))
    assert total == pytest.approx(444_656, abs=20)  # a commune split off since 2017 keeps its modelled dozen
    assert zones["workers"][inside].sum() == pytest.approx(444_656, abs=20)
    outside = zones[~inside]
    assert (outside["workers"] > 0).all()  # the neighbours keep their modelled flows
    assert kinds(territory)["flows"] == "partly"
    flows = next(p for p in territory.provenance if p.table == "flows")
    assert "reste estimé" in flows.note_fr  # the neighbours'
    assert flows.year == "2017"
    assert flows.source_in("en") == flows.source_in("fr") == flows.source  # not the English of the shipped one


def test_official_margins_move_modelled_flows(store: Store, parameters: Parameters, isere: Territory) -> None:
    territory = loaded(store, parameters, "margins")
    assert check_territory(territory) == []
    found = store.load("margins")
    assert found is not None
    official = found[0].set_index("zone_code")["workers"]
    workers = territory.zones.set_index("zone_code")["workers"]
    common = workers.index.intersection(official.index)
    assert workers[common].to_numpy() == pytest.approx(official[common].to_numpy(), abs=0.01)
    assert kinds(territory)["workers"] == "official"
    assert kinds(territory)["flows"] == "modelled"
    assert not np.array_equal(territory.flow_workers, isere.flow_workers)


def test_official_density_changes_the_rural_flag_only(store: Store, parameters: Parameters, isere: Territory) -> None:
    territory = loaded(store, parameters, "density")
    changed = (territory.zones["rural"] != isere.zones["rural"]).mean()
    assert 0.0 < changed < 0.15
    pd.testing.assert_frame_equal(territory.zones.drop(columns="rural"), isere.zones.drop(columns="rural"))
    assert kinds(territory)["rural"] == "official"


def test_a_routed_table_replaces_the_estimate_pair_by_pair(
    store: Store, parameters: Parameters, isere: Territory
) -> None:
    territory = loaded(store, parameters, "travel")
    assert check_territory(territory) == []
    found = store.load("travel")
    assert found is not None
    minutes = found[0].set_index(["from_code", "to_code"])["drive_min"]
    codes = territory.zones["zone_code"].to_numpy()
    site = np.repeat(codes[territory.site_zone], np.diff(territory.access_start))
    pairs = pd.MultiIndex.from_arrays([codes[territory.access_zone], site])
    known = pairs.isin(minutes.index)
    assert known.mean() > 0.7
    assert territory.access_drive_min[known] == pytest.approx(minutes[pairs[known]].to_numpy(), rel=1e-5)
    assert kinds(territory)["travel"] == "partly"
    wanted = minutes[(minutes <= 30.0) & minutes.index.get_level_values(1).isin(codes[territory.site_zone])]
    assert wanted.index.isin(pairs).all()  # what the estimate puts too far is there too


def test_the_model_runs_on_official_tables_and_says_so(store: Store, parameters: Parameters, isere: Territory) -> None:
    territory = loaded(store, parameters, *FILES)
    scenario = reference_scenario(parameters, "d38")
    before, after = assess(isere, scenario, parameters), assess(territory, scenario, parameters)
    assert set(after.modelled) < set(before.modelled)
    workers = next(p for p in territory.provenance if p.table == "workers")
    assert workers.kind == "official"  # the flows of the département, the comparator for its neighbours: both are named
    assert workers.source.count(" + ") == 1 and workers.year == "2017, 2018"
    was, now = (side.sites.set_index("zone_code")["rural"].astype(bool) for side in (before, after))
    found = compare(before, after)
    assert (found.rural_joined, found.rural_left) == (int((now & ~was).sum()), int((was & ~now).sum()))
    assert found.rural_joined + found.rural_left > 0
    assert (after.sites["users"] > 0).any()
    assert not np.allclose(before.sites["score"], after.sites["score"])


def test_nothing_official_gives_what_is_shipped(tmp_path: Path, parameters: Parameters, isere: Territory) -> None:
    territory = load_territory("d38", FOLDER, parameters.value("circuity"), official=Store(tmp_path).official())
    assert np.array_equal(territory.flow_workers, isere.flow_workers)
    assert territory.provenance == isere.provenance


# ---- what a figure is made of ----

PLACE = "200018166"
"""Le Grésivaudan: small enough to be assessed many times."""


def figures(territory: Territory, parameters: Parameters) -> dict[str, np.ndarray]:
    """The figures of the screen by kind, over the sites (the count of viable communes is of `viability`)."""
    sites = assess(territory, reference_scenario(parameters, PLACE), parameters).sites
    each = "_per_participating_household"
    columns = {"viable": "viability", "viability": "viability", "hours": "hours", "eur": "eur", "kg": "kg_co2e"}
    return {kind: sites[name if name == "viability" else name + each].to_numpy(float) for kind, name in columns.items()}


def placed(parameters: Parameters, official: Official) -> Territory:
    return load_territory(PLACE, FOLDER, parameters.value("circuity"), official=official)


def with_other_jobs(official: Official) -> Official:
    margins = official.tables["margins"]
    uneven = np.random.default_rng(8).uniform(0.5, 1.5, len(margins))
    return replace(official, tables={**official.tables, "margins": margins.assign(jobs=margins["jobs"] * uneven)})


def test_a_figure_names_the_tables_that_move_it_and_no_other(store: Store, parameters: Parameters) -> None:
    """Each table is changed: the figures that name it move, the others stay to the last digit."""
    rng = np.random.default_rng(7)
    official = store.official(["margins"])
    t = placed(parameters, official)
    n = len(t.zones)

    def zones(**columns: np.ndarray) -> Territory:
        return replace(t, zones=t.zones.assign(**columns))

    uneven = rng.uniform(0.5, 1.5, n)
    other = {
        "workers": zones(workers=t.zones["workers"].to_numpy() * uneven),
        "jobs": placed(parameters, with_other_jobs(official)),  # they enter where the flows are built
        "flows": replace(t, flow_workers=t.flow_workers * rng.uniform(0.5, 1.5, t.flow_workers.size).astype(np.float32)),
        "rural": zones(rural=rng.permutation(t.zones["rural"].to_numpy())),
        "travel": replace(t, access_drive_min=t.access_drive_min * np.float32(1.2)),
        "climate": replace(t, hot_days=t.hot_days * np.float32(2.0) + np.float32(1.0)),
        "population": zones(population=t.zones["population"] * uneven, households=t.zones["households"] * uneven),
        "contours": zones(area_km2=t.zones["area_km2"] * uneven),
        "communes": zones(name=np.full(n, "?"), epci_code=np.full(n, "")),
    }  # fmt: skip
    assert other.keys() == {p.table for p in t.provenance}  # a table that joins the territory is tried here too
    before = figures(t, parameters)
    assert before.keys() == MADE_OF.keys()
    for table, changed in other.items():
        after = figures(changed, parameters)
        for kind, tables in MADE_OF.items():
            stays = np.array_equal(before[kind], after[kind], equal_nan=True)
            assert stays == (table not in tables), (table, kind)


def test_with_observed_flows_no_figure_is_made_of_jobs(store: Store, parameters: Parameters) -> None:
    """Jobs build the modelled flows: where every home has observed ones, nothing reads them."""
    partly = placed(parameters, store.official(["flows", "margins"]))
    assert kinds(partly)["flows"] == "partly"  # neighbours out of Isère
    assert "jobs" in [p.table for p in tables_behind("hours", partly)]
    official = store.official(["flows", "margins"])
    own = partly.zones["zone_code"]
    missing = own[~own.isin(official.tables["flows"]["home_code"])]
    rest = pd.DataFrame({"home_code": missing, "work_code": missing, "workers": 100.0})
    whole = replace(official, tables={**official.tables, "flows": pd.concat([official.tables["flows"], rest])})
    territory = placed(parameters, whole)
    assert [p.table for p in tables_behind("hours", territory)] == ["workers", "flows", "rural", "travel", "climate"]
    before, after = (figures(t, parameters) for t in (territory, placed(parameters, with_other_jobs(whole))))
    assert all(np.array_equal(before[kind], after[kind], equal_nan=True) for kind in MADE_OF)
