"""Host buildings: one row per place whatever the lists, statuses kept with the scenario, refusals by commune."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spaces import plain

from coopconnect.dossier import Dossier
from coopconnect.parameters import DATA_DIR, Parameters
from coopconnect.scenario import (
    Scenario,
    ScenarioError,
    from_query,
    host_status,
    to_query,
    with_host,
)
from coopconnect.scenario_file import from_toml, to_toml
from coopconnect.territory.hosts import (
    Host,
    assessed_scenario,
    deduplicated,
    host_counts,
    hosts_of,
    refused_communes,
    unknown_hosts,
)
from coopconnect.territory.official.addresses import ordinary_case
from coopconnect.territory.official.codes import CodeMap
from coopconnect.territory.official.kinds import import_file
from coopconnect.territory.official.store import Store
from coopconnect.territory.types import Territory
from coopconnect.ui.hosts import in_order, lists_line

CODES = CodeMap.load(DATA_DIR / "territory")


@pytest.fixture(scope="module")
def places(shared_data: Path) -> pd.DataFrame:
    names = ("liste-fs-20240801.csv", "lieux_mediation_numerique_sud_20230516.csv")
    frames = [import_file(shared_data / "places" / name, name, codes=CODES).frame for name in names]
    return pd.concat([f for f in frames if f is not None], ignore_index=True)


@pytest.fixture(scope="module")
def zones(paca: Territory) -> pd.DataFrame:
    return paca.zones[paca.zones["in_territory"]]


def test_a_town_hall_in_every_commune_without_any_list(zones: pd.DataFrame) -> None:
    hosts = hosts_of(zones)
    assert len(hosts) == 946
    assert set(hosts["kind"]) == {"town_hall"}
    assert hosts["host_id"].is_unique


def test_lists_are_brought_together(zones: pd.DataFrame, places: pd.DataFrame) -> None:
    hosts = hosts_of(zones, places)
    assert hosts["host_id"].is_unique
    halls = hosts["sources"].map(
        lambda sources: sum(s == f"m{s[1:]}" and s[1:].isalnum() and len(s) == 6 for s in sources)
    )
    assert halls.sum() == 946  # the main town hall of each commune, once; its annexes are places of their own
    listed = places[~places["itinerant"].astype(bool)]
    kept = {s for sources in hosts["sources"] for s in sources if not s.startswith("m")}
    assert kept <= set(listed["place_id"])
    assert 60 < (hosts["kind"] == "tiers_lieu").sum() < 80
    grasse = hosts[hosts["zone_code"] == "06069"]
    hub = grasse[grasse["name"].str.contains("Sainte-Marthe")]
    assert len(hub) == 1  # the list has it four times
    assert len(hub["sources"].iloc[0]) == 4
    counts = host_counts(zones, places, hosts)
    assert (counts["rows"], counts["moving"], counts["town_halls"]) == (3518, 183, 946)
    assert counts["other_hosts"] == len(hosts) - 946
    ids = {s for sources in hosts["sources"] for s in sources} - {f"m{code}" for code in zones["zone_code"]}
    assert counts["other_hosts"] + counts["joined_another"] + counts["joined_a_town_hall"] == len(ids)


@pytest.mark.parametrize(
    ("published", "shown"),
    [
        ("MEDIATHEQUE MUNICIPALE", "Mediatheque municipale"),
        ("MÉDIATHÈQUE D'ÉVRY", "Médiathèque d'Évry"),
        ("LE TIERS LIEU DE CARPENTRAS", "Le Tiers Lieu de Carpentras"),
        ("MAIRIE DE LA ROQUETTE-SUR-SIAGNE", "Mairie de la Roquette-sur-Siagne"),
        ("BIBLIOTHEQUE JEAN XXIII - LA HALLE", "Bibliotheque Jean XXIII - La Halle"),
        ("MTP/CS BONNEVEINE (GROUPE SOS)", "MTP/CS Bonneveine (Groupe SOS)"),
        ("CCAS", "CCAS"),
        ("Bibliothèque de VISAN", "Bibliothèque de VISAN"),
        ("13/14", "13/14"),
    ],
)
def test_a_name_in_capitals_is_shown_in_ordinary_case(published: str, shown: str) -> None:
    assert ordinary_case(published) == shown
    assert shown.upper() == published.upper()  # no letter is invented


def test_capitals_of_a_publisher_move_no_id_and_no_merger(
    zones: pd.DataFrame, places: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    around = zones[zones["departement"].eq("84")]
    shown = hosts_of(around, places)
    monkeypatch.setattr("coopconnect.territory.hosts.ordinary_case", lambda name: name)
    published = hosts_of(around, places)
    pd.testing.assert_frame_equal(shown.drop(columns="name"), published.drop(columns="name"))
    changed = published.loc[published["name"] != shown["name"], "name"]
    assert len(changed) > 5 and (changed == changed.str.upper()).all()


def test_the_town_hall_and_existing_hubs_are_listed_first(zones: pd.DataFrame, places: pd.DataFrame) -> None:
    marseille = hosts_of(zones[zones["zone_code"] == "13055"], places)
    listed = in_order(marseille, "13055")
    assert listed["host_id"].iloc[0] == "m13055"
    assert sorted(listed["host_id"]) == sorted(marseille["host_id"])
    hubs = listed["kind"].eq("tiers_lieu").to_numpy()[1:]
    assert hubs[0] and not np.diff(hubs.astype(int)).max() > 0  # hubs together, before the others


def test_own_lists_that_count_from_one_add_up(tmp_path: Path) -> None:
    """A list without numbers, one with, and the first given again in another order: nothing lost, nothing twice."""
    first = "nom;commune;code_postal\nSalle des fêtes;Banon;04150\nAncienne école;Simiane-la-Rotonde;04150\n"
    second = "id;nom;commune;code_postal\n1;Café du Cours;Forcalquier;04300\n2;La Fruitière;Mane;04300\n"
    again = "\n".join(first.splitlines()[k] for k in (0, 2, 1)) + "\n"
    store = Store(tmp_path)
    for text in (first, second, second.replace("Café du Cours", "Salle Pierre Michel"), again):
        found = import_file(text.encode(), "liste.csv", codes=CODES)
        assert found.frame is not None and found.table == "places"
        store.add(found.frame, found.label)
    kept, _ = store.load("places")  # type: ignore[misc]
    assert sorted(kept["name"]) == [
        "Ancienne école",
        "Café du Cours",
        "La Fruitière",
        "Salle Pierre Michel",
        "Salle des fêtes",
    ]
    assert kept["place_id"].str.fullmatch(r"own-([12]-)?[0-9a-f]{8}").all()


def test_the_page_says_which_lists_its_hosts_come_from(tmp_path: Path) -> None:
    assert "bibliothèques" in lists_line(None, "fr")
    store = Store(tmp_path)
    official = {"kind": "official", "source": "INSEE, Bibliothèques", "source_en": "INSEE, Libraries", "year": "2025"}
    for label in (official, {"kind": "own", "source": "salles.csv", "year": ""}):
        found = import_file(b"nom;commune;code_postal\nSalle;Banon;04150\n", "salles.csv", codes=CODES, label=label)
        assert found.frame is not None
        store.add(found.frame, found.label)
        told = [plain(lists_line(store.label("places"), language)) for language in ("fr", "en")]
        if label is official:
            assert told[0] == "Sources : les mairies ; INSEE, Bibliothèques (officiel, 2025)."
    assert told[1] == "Sources: town halls; INSEE, Libraries + salles.csv (partly official, 2025)."


def test_a_neighbour_is_not_its_town_hall(zones: pd.DataFrame, places: pd.DataFrame) -> None:
    """A library 60 m from the town hall of Caumont-sur-Durance shares 'sur' with it, and no more."""
    hosts = hosts_of(zones, places)
    mine = hosts[hosts["zone_code"] == "84034"]
    library = mine[mine["name"].str.contains("Pierre Vouland")]
    assert len(library) == 1
    assert "m84034" not in library["sources"].iloc[0]


def test_order_of_the_lists_never_matters(zones: pd.DataFrame, places: pd.DataFrame) -> None:
    some = zones[zones["departement"] == "84"]
    there = places[places["zone_code"].isin(some["zone_code"])]
    first = hosts_of(some, there)
    second = hosts_of(some, there.sample(frac=1.0, random_state=7))
    pd.testing.assert_frame_equal(first, second)


def host(number: int, name: str, lon: float, address: str = "") -> Host:
    return Host(f"x-{number}", "84003", name, "library", lon, 43.87, True, (f"x-{number}",), (name,), address)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["Médiathèque", "Mediatheque", "Fablab du Calavon", "École"]), st.integers(0, 30)),
        max_size=9,
    ),
    st.randoms(use_true_random=False),
)
def test_bringing_together_is_stable(drawn: list[tuple[str, int]], random) -> None:  # type: ignore[no-untyped-def]
    hosts = [host(k, name, 5.4 + step / 4000.0) for k, (name, step) in enumerate(drawn)]
    once = deduplicated(hosts)
    assert deduplicated(once) == once
    shuffled = list(hosts)
    random.shuffle(shuffled)
    assert deduplicated(shuffled) == once
    assert sorted(s for h in once for s in h.sources) == sorted(s for h in hosts for s in h.sources)


# ---- statuses ----


def test_a_status_travels_in_the_address_and_in_the_file(reference: Scenario, parameters: Parameters) -> None:
    scenario = with_host(with_host(reference, ("fs-12", "cn-3"), "agreed"), ("m84003",), "refused")
    assert scenario.hosts == (("fs-12", "agreed"), ("m84003", "refused"))
    back, problems = from_query(to_query(scenario, parameters), parameters)
    assert (back, problems) == (scenario, [])
    text = to_toml(scenario, parameters, Dossier("Apt", "essai"))
    assert 'refused = [\n    "m84003",\n]' in text
    assert from_toml(text, parameters).scenario == scenario
    assert host_status(scenario, ("cn-3", "fs-12")) == "agreed"
    assert with_host(scenario, ("fs-12",), "unknown").hosts == (("m84003", "refused"),)


def test_old_addresses_and_files_stay_valid(parameters: Parameters) -> None:
    scenario, problems = from_query({"v": "1", "refused": "84003,84035"}, parameters)
    assert scenario.refused == ("84003", "84035")
    assert problems == []


@pytest.mark.parametrize("wrong", ["y", "q.m84003", "y.m84003~n.m84003", "y.a b", "n." + "x" * 80])
def test_a_wrong_status_is_told_and_the_rest_kept(wrong: str, parameters: Parameters) -> None:
    scenario, problems = from_query({"v": "1", "hosts": wrong, "fuel_price_eur_per_l": "2.25"}, parameters)
    assert scenario.hosts == ()
    assert scenario.fuel_price_eur_per_l == 2.25
    assert len(problems) == 1
    with pytest.raises(ScenarioError):
        with_host(scenario, ("m84003",), "maybe")


def test_a_commune_is_out_when_all_its_hosts_have_refused(
    zones: pd.DataFrame, places: pd.DataFrame, reference: Scenario
) -> None:
    hosts = hosts_of(zones, places)
    apt = hosts[hosts["zone_code"] == "84003"]
    assert len(apt) > 1
    scenario = reference
    for n, sources in enumerate(apt["sources"], start=1):
        scenario = with_host(scenario, sources, "refused")
        assert refused_communes(scenario, hosts) == (("84003",) if n == len(apt) else ())
    assert assessed_scenario(scenario, hosts) == reference.with_values(refused=("84003",))
    asked = with_host(scenario, apt["sources"].iloc[0], "asked")
    assert assessed_scenario(asked, hosts) == reference
    assert unknown_hosts(replace(asked, hosts=(("fs-999999", "asked"),)), hosts) == ("fs-999999",)
