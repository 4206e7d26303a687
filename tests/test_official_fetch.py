"""Downloads from a real server on loopback: cut, resumed, altered, moved; a good file is never lost."""

from __future__ import annotations

import errno
import shutil
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from local_server import serving

from coopconnect.territory.official.catalogue import Entry, also_feeding, choose, load_catalogue
from coopconnect.territory.official.contract import Label
from coopconnect.territory.official.fetch import downloaded, fetch
from coopconnect.territory.official.fetch_types import FetchError, Progress

DAY = date(2026, 11, 23)
QUICK = (2.0, 1.0)
CHUNK = 1 << 14
"""Bytes of a block: what arrives is kept by whole blocks."""


def no_sleep(_seconds: float) -> None:
    """Tries follow one another at once."""


@pytest.fixture
def published(tmp_path: Path, shared_data: Path) -> Path:
    """A folder with the real comparator of INSEE under the name that the catalogue gives it."""
    folder = tmp_path / "published"
    folder.mkdir()
    shutil.copy(shared_data / "insee" / "base_cc_comparateur_csv.zip", folder / "base_cc_comparateur_csv.zip")
    return folder


@pytest.fixture
def entry() -> Entry:
    return replace(load_catalogue()["insee_comparateur"], columns=(), member="base_cc_comparateur*.csv")


def test_the_catalogue_names_every_file_of_the_issue() -> None:
    catalogue = load_catalogue()
    assert {"insee_flows_2022", "insee_flows_2021", "insee_flows_2020", "insee_comparateur"} <= catalogue.keys()
    assert {e.feeds for e in catalogue.values()} >= {
        "flows",
        "margins",
        "density",
        "places",
        "fuel",
        "climate",
    }
    assert [e.key for e in choose(catalogue, ["flows"])] == ["insee_flows_2022"]
    assert [e.key for e in choose(catalogue, ["climate"])] == [
        "drias_departements",
        "drias_reference",
    ]  # one alone moves nothing
    assert all(e.page.startswith("http") for e in catalogue.values())
    asked = choose(catalogue, ["places"])
    others = [e.key for e in also_feeding(catalogue, ["places"], asked, {})]
    assert others == ["france_services", "mediation_numerique", "insee_bpe"]  # not the census of 2023, which is over
    loaded = Label("places", "official", f"x + {catalogue['insee_bpe'].source_fr}", "2025", "", "", "", "", "", 1, 1, 0)
    assert [e.key for e in also_feeding(catalogue, ["places"], asked, {"places": loaded})] == others[:2]
    assert also_feeding(catalogue, ["insee_bpe", "flows"], choose(catalogue, ["insee_bpe", "flows"]), {}) == []


def test_an_unknown_name_is_told_with_what_is_near() -> None:
    with pytest.raises(ValueError, match="insee_flows_2022"):
        choose(load_catalogue(), ["insee_flow_2022"])


def test_a_wrong_catalogue_tells_all_its_problems(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.toml"
    path.write_text('[a]\nfeeds = "nothing"\nurll = "x"\n\n[b]\nformat = 3\n', encoding="utf-8")
    with pytest.raises(ValueError) as caught:
        load_catalogue(path)
    assert "entry a" in str(caught.value)
    assert "entry b" in str(caught.value)
    assert "urll" in str(caught.value)


def test_a_whole_download(published: Path, entry: Entry, tmp_path: Path) -> None:
    told: list[Progress] = []
    with serving(published) as (address, _):
        found = fetch(entry, tmp_path / "d", mirror=address, progress=told.append, sleep=no_sleep, today=DAY)
    source = (published / entry.file_name).read_bytes()
    assert found.path.read_bytes() == source
    assert found.fetched_on == "2026-11-23"
    assert told[-1].done_bytes == told[-1].total_bytes == len(source)
    assert "100 %" in told[-1].text("fr")
    assert downloaded(entry, tmp_path / "d") == found.path
    assert not list((tmp_path / "d").glob("*.part*"))


@pytest.mark.parametrize("cut", [1, 1000, CHUNK, 40_000, 2_000_000, -1])
def test_wherever_it_is_cut_the_end_equals_the_source(published: Path, entry: Entry, tmp_path: Path, cut: int) -> None:
    size = (published / entry.file_name).stat().st_size
    cut = cut if cut > 0 else size - 1
    with serving(published) as (address, server):
        cut = min(cut, size - 1)
        server.cuts = [cut]
        found = fetch(entry, tmp_path / "d", mirror=address, sleep=no_sleep, timeout_s=QUICK)
        assert found.path.read_bytes() == (published / entry.file_name).read_bytes()
        kept = cut // CHUNK * CHUNK  # what had arrived, in whole blocks
        assert server.asked[1][1] == (f"bytes={kept}-" if kept else "")
        assert found.resumed_from_bytes == kept


def test_a_cut_program_resumes_at_the_next_start(published: Path, entry: Entry, tmp_path: Path) -> None:
    with serving(published) as (address, server):
        server.cuts = [300_000]
        with pytest.raises(FetchError) as caught:
            fetch(entry, tmp_path / "d", mirror=address, tries=1, timeout_s=QUICK)
        assert caught.value.reason == "network"
        assert downloaded(entry, tmp_path / "d") is None
        found = fetch(entry, tmp_path / "d", mirror=address, tries=1)
    assert found.resumed_from_bytes == 300_000 // CHUNK * CHUNK
    assert found.path.read_bytes() == (published / entry.file_name).read_bytes()


def test_a_server_without_ranges_starts_again(published: Path, entry: Entry, tmp_path: Path) -> None:
    with serving(published) as (address, server):
        server.ranges, server.cuts = False, [5000]
        found = fetch(entry, tmp_path / "d", mirror=address, sleep=no_sleep, timeout_s=QUICK)
    assert found.resumed_from_bytes == 0
    assert found.path.read_bytes() == (published / entry.file_name).read_bytes()


def test_a_file_that_changed_between_cut_and_resumption_is_taken_from_its_start(
    published: Path, entry: Entry, tmp_path: Path
) -> None:
    with serving(published) as (address, server):
        server.cuts = [5000]
        with pytest.raises(FetchError):
            fetch(entry, tmp_path / "d", mirror=address, tries=1, timeout_s=QUICK)
        server.etag = "-second"
        found = fetch(entry, tmp_path / "d", mirror=address, tries=1)
    assert found.resumed_from_bytes == 0


@pytest.mark.parametrize("what", ["altered", "page", "checksum", "gone", "down", "empty"])
def test_a_good_file_stays_whatever_comes(published: Path, entry: Entry, tmp_path: Path, what: str) -> None:
    folder = tmp_path / "d"
    with serving(published) as (address, server):
        good = fetch(entry, folder, mirror=address).path.read_bytes()
        source = published / entry.file_name
        wanted, reason = entry, "altered"
        if what == "altered":
            source.write_bytes(good[:1000] + bytes(5000) + good[6000:])
        elif what == "checksum":
            source.write_bytes(good + b"\0")
            wanted = replace(entry, sha256="0" * 64)
        elif what == "page":
            server.page, reason = True, "login_page"
        elif what == "gone":
            source.unlink()
            reason = "mirror"
        elif what == "down":
            server.fails, reason = [503] * 9, "server"
        else:
            source.write_bytes(b"")
        with pytest.raises(FetchError) as caught:
            fetch(wanted, folder, mirror=address, sleep=no_sleep, timeout_s=QUICK)
    assert caught.value.reason == reason
    assert reason != "mirror" or f"{entry.file_name} is not in {address}" in caught.value.en
    assert caught.value.fr != caught.value.en
    assert "http" in caught.value.en
    kept = downloaded(entry, folder)
    assert kept is not None
    assert kept.read_bytes() == good


def test_a_server_that_fails_twice_is_asked_again(published: Path, entry: Entry, tmp_path: Path) -> None:
    waits: list[float] = []
    with serving(published) as (address, server):
        server.fails = [500, 503]
        fetch(entry, tmp_path / "d", mirror=address, sleep=waits.append)
        assert len(server.asked) == 3
    assert waits == [1.0, 2.0]


def test_what_has_not_changed_is_not_sent_again(published: Path, entry: Entry, tmp_path: Path) -> None:
    with serving(published) as (address, _):
        fetch(entry, tmp_path / "d", mirror=address, today=DAY)
        again = fetch(entry, tmp_path / "d", mirror=address)
    assert again.unchanged
    assert again.fetched_on == "2026-11-23"


def test_a_file_altered_on_the_disk_is_fetched_again(published: Path, entry: Entry, tmp_path: Path) -> None:
    with serving(published) as (address, _):
        good = fetch(entry, tmp_path / "d", mirror=address)
        content = good.path.read_bytes()
        good.path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        again = fetch(entry, tmp_path / "d", mirror=address)
    assert not again.unchanged
    assert again.path.read_bytes() == content


def test_a_new_edition_is_taken_and_said(published: Path, entry: Entry, tmp_path: Path, shared_data: Path) -> None:
    import zipfile

    with serving(published) as (address, _):
        fetch(entry, tmp_path / "d", mirror=address, today=DAY)
        with zipfile.ZipFile(published / entry.file_name, "w") as archive:
            archive.writestr("base_cc_comparateur_2.csv", "CODGEO;P22_EMPLT\n01001;12\n")
        again = fetch(entry, tmp_path / "d", mirror=address)
    assert again.changed_since == "2026-11-23"
    assert not again.unchanged


def test_redirects_are_followed(published: Path, entry: Entry, tmp_path: Path) -> None:
    with serving(published) as (address, server):
        server.redirect = True
        assert fetch(entry, tmp_path / "d", mirror=address).size_bytes > 1_000_000


def test_a_server_that_says_nothing_is_given_up(published: Path, entry: Entry, tmp_path: Path) -> None:
    with serving(published) as (address, server):
        server.stall_s = 1.5
        with pytest.raises(FetchError) as caught:
            fetch(entry, tmp_path / "d", mirror=address, tries=1, timeout_s=(1.0, 0.2))
    assert caught.value.reason == "network"


def test_an_address_of_the_publisher_that_has_moved_says_where_to_look(entry: Entry, tmp_path: Path) -> None:
    with serving(tmp_path) as (address, _), pytest.raises(FetchError) as caught:
        fetch(replace(entry, url=f"{address}/gone.zip"), tmp_path / "d", sleep=no_sleep, timeout_s=QUICK)
    assert caught.value.reason == "moved"
    assert entry.page in caught.value.fr and entry.file_name in caught.value.fr and "--" not in caught.value.fr


def test_a_proxy_that_does_not_answer_is_told_as_such(entry: Entry, tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught:
        fetch(entry, tmp_path / "d", proxy="http://127.0.0.1:9", tries=1, sleep=no_sleep, timeout_s=QUICK)
    assert "le proxy ne répond pas" in caught.value.fr and "the proxy does not answer" in caught.value.en


def test_no_server_at_all(entry: Entry, tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught:
        fetch(entry, tmp_path / "d", mirror="http://127.0.0.1:9", tries=2, sleep=no_sleep, timeout_s=QUICK)
    assert caught.value.reason == "network"


def test_a_stop_keeps_what_has_arrived(published: Path, entry: Entry, tmp_path: Path) -> None:
    stop = threading.Event()
    with serving(published) as (address, _):
        stop.set()
        with pytest.raises(FetchError) as caught:
            fetch(entry, tmp_path / "d", mirror=address, cancel=stop)
        assert caught.value.reason == "cancelled"
        found = fetch(entry, tmp_path / "d", mirror=address)
    assert found.resumed_from_bytes > 0
    assert found.path.read_bytes() == (published / entry.file_name).read_bytes()


def test_a_usb_stick_is_a_mirror(published: Path, entry: Entry, tmp_path: Path) -> None:
    by_path = fetch(entry, tmp_path / "a", mirror=str(published))
    by_address = fetch(entry, tmp_path / "b", mirror=published.as_uri())
    assert by_path.sha256 == by_address.sha256
    with pytest.raises(FetchError, match="is not in"):
        fetch(replace(entry, file_name="other.zip"), tmp_path / "a", mirror=str(published))


def test_what_the_disk_refuses_is_told_and_a_copy_leaves_nothing(
    published: Path, entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    with pytest.raises(FetchError, match="cannot write"):
        fetch(entry, tmp_path / "taken" / "downloads", mirror=str(published))

    def full(_from: Path, to: Path) -> None:
        to.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("coopconnect.territory.official.fetch.shutil.copyfile", full)
    with pytest.raises(FetchError, match="the disk is full"):
        fetch(entry, tmp_path / "downloads", mirror=str(published))
    assert list((tmp_path / "downloads").iterdir()) == []


def test_the_mirror_of_the_environment(
    published: Path, entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOPCONNECT_MIRROR", str(published))
    assert fetch(entry, tmp_path / "d").size_bytes > 1_000_000


def test_a_proxy_is_asked_in_place_of_the_publisher(published: Path, entry: Entry, tmp_path: Path) -> None:
    """The local server stands as the proxy: it gets the full address of the publisher."""
    with serving(published) as (address, server):
        found = fetch(entry, tmp_path / "d", mirror="http://publisher.invalid", proxy=address)
        assert server.asked[0][0] == f"/{entry.file_name}"
    assert found.url.startswith("http://publisher.invalid")


def test_a_file_without_an_address_is_asked_for_by_hand(entry: Entry, tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught:
        fetch(replace(entry, url="", alternatives=()), tmp_path / "d")
    assert caught.value.reason == "by_hand"
    assert entry.page in caught.value.fr
    assert caught.value.fr.startswith(f"{entry.title_fr} ({entry.key}) : ")  # by its name, not by its key alone
    assert caught.value.en.startswith(f"{entry.title_en} ({entry.key}): ")
