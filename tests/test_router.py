"""Trips from a routing server: both protocols over real HTTP on loopback, with OSRM's own seconds for Isère."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from router_server import Router, routing
from streamlit.testing.v1 import AppTest

from coopconnect.__main__ import main
from coopconnect.parameters import DATA_DIR
from coopconnect.territory.official.kinds import import_file
from coopconnect.territory.official.store import Store
from coopconnect.territory.roads import RoadsError, RoadsResult, compute_router
from coopconnect.territory.roads.router import blocks_of
from coopconnect.territory.roads.server import Patience
from coopconnect.territory.travel import crow_km

QUICK = Patience(connect_s=5.0, read_s=20.0, tries=3, sleep=lambda seconds: None)


def points_of(codes: list[str]) -> pd.DataFrame:
    communes = pd.read_parquet(DATA_DIR / "territory" / "communes.parquet", columns=["zone_code", "lon", "lat"])
    return communes.set_index("zone_code").loc[codes].reset_index()


@pytest.fixture(scope="module")
def isere(shared_data: Path) -> Router:
    """Real OSRM seconds of 512 communes; no km were published, so those are 1.4 times the crow's."""
    file = shared_data / "travel_time" / "isere_512_communes_osrm_car_seconds.csv"
    table = pd.read_csv(file, dtype={"id": str}).set_index("id")
    known = set(pd.read_parquet(DATA_DIR / "territory" / "communes.parquet", columns=["zone_code"])["zone_code"])
    codes = [code for code in table.index if code in known]
    points = points_of(codes)
    lon, lat = points["lon"].to_numpy(), points["lat"].to_numpy()
    metres = 1400.0 * crow_km(lon[:, None], lat[:, None], lon[None], lat[None])
    return Router("osrm", points, table.loc[codes, codes].to_numpy(float), metres)


def some(router: Router, count: int, **changes: object) -> Router:
    """The first `count` points of a router, with other manners."""
    part = router.points.head(count)
    metres = None if router.metres is None else router.metres[:count, :count]
    return replace(router, points=part, seconds=router.seconds[:count, :count], metres=metres, fails=[], **changes)  # type: ignore[arg-type]


def ask(url: str, router: Router, folder: Path, **changes: object) -> RoadsResult:
    options: dict[str, object] = {"fastest_kmh": 130.0, "snap_max_km": 2.0, "patience": QUICK, **changes}
    return compute_router(url, router.points, work_dir=folder, **options)  # type: ignore[arg-type]


def square(result: RoadsResult, router: Router, column: str) -> np.ndarray:
    codes = router.points["zone_code"]
    found = result.table.pivot_table(index="from_code", columns="to_code", values=column)
    return found.reindex(index=codes, columns=codes).to_numpy()


@pytest.mark.parametrize("kind", ["osrm", "valhalla"])
def test_the_seconds_of_isere_come_back_as_they_were(isere: Router, tmp_path: Path, kind: str) -> None:
    server = some(isere, len(isere.points), kind=kind)
    with routing(server) as url:
        found = ask(url, server, tmp_path)
    expected = server.seconds / 60.0
    np.fill_diagonal(expected, np.nan)
    expected[expected > 60.0] = np.nan
    assert np.isfinite(expected).sum() > 100_000
    np.testing.assert_allclose(square(found, server, "drive_min"), expected, atol=2e-3)
    assert found.pairs_routed == np.isfinite(expected).sum()
    assert found.label.unplaced == found.pairs_asked - found.pairs_routed > 0
    assert ("OSRM" if kind == "osrm" else "Valhalla") in found.label.source
    assert found.label.year == ("2026" if kind == "osrm" else "2023")
    Store(tmp_path / "store").save(found.table, found.label)


def test_far_blocks_are_not_asked_and_nothing_within_the_limit_is_missed(isere: Router, tmp_path: Path) -> None:
    server = some(isere, len(isere.points))
    with routing(server) as url:
        found = ask(url, server, tmp_path, limit_min=15.0, table_size=40)
    expected = server.seconds / 60.0
    np.fill_diagonal(expected, np.nan)
    assert found.pairs_routed == (expected <= 15.0).sum()
    assert server.cells < 0.75 * len(server.points) ** 2


def test_blocks_hold_each_point_once() -> None:
    rng = np.random.default_rng(3)
    blocks = blocks_of(rng.uniform(4, 7, 101), rng.uniform(43, 45, 101), 8)
    assert sorted(np.concatenate(blocks)) == list(range(101))
    assert max(map(len, blocks)) <= 8


@pytest.mark.parametrize("kind", ["osrm", "valhalla"])
def test_a_smaller_table_size_gives_the_same(isere: Router, tmp_path: Path, kind: str) -> None:
    server = some(isere, 60, kind=kind, largest=9)
    with routing(server) as url:
        small = ask(url, server, tmp_path / "a", table_size=100)
    assert server.tables > 20  # halved until the server took it
    server = some(isere, 60, kind=kind)
    with routing(server) as url:
        pd.testing.assert_frame_equal(small.table, ask(url, server, tmp_path / "b").table, check_exact=True)


@pytest.mark.parametrize("kind", ["osrm", "valhalla"])
def test_points_off_the_map_are_told_and_never_routed(isere: Router, tmp_path: Path, kind: str) -> None:
    server = some(isere, 40, kind=kind, off_map=frozenset({3, 17}), island=frozenset({5} if kind == "valhalla" else ()))
    with routing(server) as url:
        found = ask(url, server, tmp_path, table_size=16)
    off = server.points["zone_code"].to_numpy()[[3, 17]].tolist()
    assert found.unsnapped["zone_code"].tolist() == off
    met = {*found.table["from_code"], *found.table["to_code"]}
    assert not met & set(off)
    assert len(met) == (37 if kind == "valhalla" else 38)
    if kind == "valhalla":
        assert found.isolated == (server.points["zone_code"].iloc[5],)


def test_holes_and_missing_km_are_left_to_the_estimate(isere: Router, tmp_path: Path) -> None:
    seconds = isere.seconds[:20, :20].copy()
    seconds[2, 7] = seconds[7, 2] = np.nan
    server = replace(some(isere, 20), seconds=seconds, metres=None)
    with routing(server) as url:
        found = ask(url, server, tmp_path)
    assert found.pairs_asked - found.pairs_routed >= 2
    assert np.isnan(square(found, server, "drive_min")[2, 7])
    assert found.table["road_km"].isna().all()


def test_old_long_answers_of_valhalla_are_read(isere: Router, tmp_path: Path) -> None:
    tables = []
    for verbose in (False, True):
        server = some(isere, 20, kind="valhalla", verbose=verbose)
        with routing(server) as url:
            tables.append(ask(url, server, tmp_path / str(verbose)).table)
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_a_stopped_run_goes_on(isere: Router, tmp_path: Path) -> None:
    whole = some(isere, 60)
    with routing(whole) as url:
        expected = ask(url, whole, tmp_path / "whole", table_size=20).table
    server = some(isere, 60, cut_after=30)
    told: list[str] = []
    with routing(server) as url:
        with pytest.raises(RoadsError, match="kept"):
            ask(url, server, tmp_path / "cut", table_size=20)
        server.cut_after = None
        again = ask(url, server, tmp_path / "cut", table_size=20, progress=lambda p: told.append(p.text("fr")))
    pd.testing.assert_frame_equal(again.table, expected, check_exact=True)
    assert server.tables < 1.3 * whole.tables  # what had arrived was not asked again
    assert told[0] != "serveur, blocs : 0/64" and told[-1].startswith("serveur, blocs : ")


def test_short_failures_are_tried_again(isere: Router, tmp_path: Path) -> None:
    server = some(isere, 20)
    server.fails = [503, 429]
    waits: list[float] = []
    with routing(server) as url:
        found = ask(url, server, tmp_path, patience=replace(QUICK, sleep=waits.append))
    assert found.pairs_routed > 0
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (b"<html>hello</html>", "neither an OSRM nor a Valhalla"),
        (b"[1, 2]", "neither an OSRM nor a Valhalla"),
        (b'{"code": "Ok"}', "cannot be read"),
        (b'{"code": "Ok", "destinations": [{}], "durations": "none"}', "no commune within 2 km"),
        (b'{"code": "InvalidOptions", "message": "No such profile"}', "refuses .No such profile."),
    ],
)
def test_what_is_not_a_router_gets_one_sentence(isere: Router, tmp_path: Path, words: bytes, said: str) -> None:
    server = some(isere, 1, words=words)
    with routing(server) as url, pytest.raises(RoadsError, match=said) as caught:
        ask(url, server, tmp_path)
    for language in ("fr", "en"):
        text = caught.value.text(language)
        assert "\n" not in text and text.endswith((".", "?"))
    assert caught.value.fr != caught.value.en


@pytest.mark.parametrize("address", ["localhost:5000", "ftp://here", "http://", "http://here:port"])
def test_a_wrong_address_is_told(isere: Router, tmp_path: Path, address: str) -> None:
    with pytest.raises(RoadsError, match="not the address of a server"):
        ask(address, some(isere, 3), tmp_path)


def test_no_server_and_no_password_in_the_words(isere: Router, tmp_path: Path) -> None:
    with routing(some(isere, 3)) as url:
        pass  # closed again: nobody listens there
    with pytest.raises(RoadsError, match="no answer") as caught:
        ask(url.replace("//", "//me:secret@"), some(isere, 3), tmp_path)
    assert "secret" not in caught.value.fr + caught.value.en


def test_a_proxy_that_does_not_answer_is_told_as_for_a_download(isere: Router, tmp_path: Path) -> None:
    with pytest.raises(RoadsError) as caught:
        ask("http://router.invalid", some(isere, 3), tmp_path, proxy="http://127.0.0.1:9")
    assert "le proxy ne répond pas. Vérifiez son adresse" in caught.value.fr
    assert "the proxy does not answer. Check its address" in caught.value.en


def test_the_command_line(
    isere: Router, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOPCONNECT_OFFICIAL", str(tmp_path / "official"))
    area = tmp_path / "area.txt"
    area.write_text("\n".join(isere.points["zone_code"].head(30)) + "\n", encoding="utf-8")
    server = some(isere, len(isere.points))
    elsewhere = import_file(b"from;to;minutes\n84003;84007;12\n", "vaucluse.csv")
    assert elsewhere.frame is not None
    Store.default().save(elsewhere.frame, elsewhere.label)
    with routing(server) as url:
        assert main(["data", "roads", "--router", url, "--territory", str(area), "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["pairs_routed"] + found["pairs_estimated"] == found["pairs_asked"]
    assert found["pairs_routed"] > 0
    assert "server, blocks" in printed.err
    kept, label = Store.default().load("travel")  # type: ignore[misc]
    assert (
        label.source.startswith("vaucluse.csv + Serveur de trajets OSRM") and "OSRM routing server" in label.source_en
    )
    assert "maps" not in label.licence and "that of the server's maps (OpenStreetMap: ODbL)" in label.licence_in("en")
    assert (kept["from_code"] == "84003").sum() == 1  # one territory after another: the first is not lost
    for words in (["--router", "nowhere"], ["x.osm.pbf", "--router", "http://localhost:1"], []):
        assert main(["data", "roads", *words, "--territory", str(area)]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_the_page_asks_a_server_and_says_what_fails(
    isere: Router, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOPCONNECT_OFFICIAL", str(tmp_path / "official"))
    for module in ("official", "official_roads"):  # a test has no address
        monkeypatch.setattr(f"coopconnect.ui.{module}.on_this_computer", lambda: True)
    page = AppTest.from_file(Path(__file__).parents[1] / "pages" / "donnees.py", default_timeout=120)
    page.query_params["territory"] = "200018166"  # Le Grésivaudan
    page.run()
    page.text_input(key="official_router").set_value("nowhere").run()
    page.button(key="roads_go").click().run()
    assert "http" in "".join(found.value for found in page.error), [page.error, page.exception, page.main]
    with routing(isere) as url:  # it stands as the proxy, and gets the full address of the server
        page.text_input(key="official_router").set_value("http://router.invalid")
        page.text_input(key="official_router_proxy").set_value(url).run()
        page.button(key="roads_go").click().run()
    assert not page.exception and not page.error
    assert any("OSRM" in found.value for found in page.success)
    assert Store.default().labels()["travel"].rows > 500
