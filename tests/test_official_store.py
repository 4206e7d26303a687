"""The store: a table and its label swap together, breaches are told at once, the one before can come back."""

from __future__ import annotations

import errno
import multiprocessing
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from coopconnect.territory.official.contract import Label
from coopconnect.territory.official.store import Store, StoreError

LABEL = Label(
    "flows", "official", "INSEE", "2022", "LO", "", "2026-11-23", "f.zip", "0" * 64, 2, 12.0, 1.0, ("n",), ("n",)
)


def flows(amount: float = 5.0) -> pd.DataFrame:
    return pd.DataFrame({"home_code": ["84003", "2A004"], "work_code": ["84003", ""], "workers": [amount, 7.0]})


def test_what_is_kept_comes_back_with_its_label(tmp_path: Path) -> None:
    store = Store(tmp_path / "official")
    store.save(flows(), LABEL)
    found = store.load("flows")
    assert found is not None
    pd.testing.assert_frame_equal(found[0].astype({"workers": float}), flows(), check_dtype=False)
    assert found[1] == LABEL
    assert store.official().labels["flows"] == LABEL
    assert store.load("density") is None
    assert store.labels() == {"flows": LABEL}


def test_all_breaches_at_once_and_nothing_is_replaced(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(flows(), LABEL)
    wrong = pd.DataFrame(
        {"home_code": ["1001", "84003", "84003"], "work_code": ["84003"] * 3, "workers": [1.0, -2.0, 3.0]}
    )
    with pytest.raises(StoreError) as caught:
        store.save(wrong, LABEL)
    for word in ("home_code", "negative", "same home_code, work_code"):
        assert word in str(caught.value)
    with pytest.raises(StoreError, match="workers is missing"):
        store.save(flows().drop(columns="workers"), LABEL)
    with pytest.raises(StoreError, match="no row"):
        store.save(flows().head(0), LABEL)
    kept = store.load("flows")
    assert kept is not None
    assert len(kept[0]) == 2
    assert not list(tmp_path.glob("*.part"))


def test_the_table_before_comes_back_and_goes_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert not store.restore("flows")
    store.save(flows(5.0), LABEL)
    store.save(flows(6.0), replace(LABEL, year="2021"))
    assert store.restore("flows")
    assert store.labels()["flows"].year == "2022"
    assert store.restore("flows")
    assert store.labels()["flows"].year == "2021"
    assert store.remove("flows")
    assert store.labels() == {}
    assert store.can_restore("flows")
    assert store.restore("flows")
    assert store.labels()["flows"].year == "2021"
    assert [e["what"] for e in store.log()] == ["loaded", "loaded", "restored", "restored", "removed", "restored"]


def test_a_damaged_file_is_told_and_ignored(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(flows(), LABEL)
    content = store.path("flows").read_bytes()
    for damaged in (b"", content[: len(content) // 2], b"PAR1 and nothing else"):
        store.path("flows").write_bytes(damaged)
        assert store.load("flows") is None
        assert store.problems() == ["flows.parquet"]
        assert store.official().tables == {}


def test_the_stamp_changes_with_the_tables_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "none")
    assert store.stamp() == ()
    store.save(flows(), LABEL)
    first = store.stamp()
    store.downloads.mkdir()
    (store.downloads / "x.zip").write_bytes(b"x")
    assert store.stamp() == first
    store.save(flows(8.0), LABEL)
    assert store.stamp() != first


def _save(folder: Path, amount: float) -> None:
    for _ in range(10):
        Store(folder).save(flows(amount), LABEL)


def test_two_programs_may_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_save, args=(tmp_path, amount)) for amount in (1.0, 2.0)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    found = Store(tmp_path).load("flows")
    assert found is not None
    assert found[0]["workers"].iloc[0] in (1.0, 2.0)


def test_one_wrong_byte_is_never_read_as_a_number(tmp_path: Path) -> None:
    """Pages carry checksums: a table altered on the disk is told, not used."""
    store = Store(tmp_path)
    many = pd.DataFrame(
        {
            "home_code": [f"{10000 + k}" for k in range(500)],
            "work_code": "84003",
            "workers": [k + 0.5 for k in range(500)],
        }
    )
    store.save(many, LABEL)
    good = store.path("flows").read_bytes()
    footer = len(good) - 8 - int.from_bytes(good[-8:-4], "little")  # names and label, which no page holds
    for at in [*range(8, len(good) - 8, len(good) // 40), *range(footer, len(good) - 8, 23)]:
        store.path("flows").write_bytes(good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1 :])
        found = store.load("flows")
        if found is None:
            assert store.problems() == ["flows.parquet"]
        else:
            pd.testing.assert_frame_equal(found[0], many, check_dtype=False)
            assert found[1] == LABEL


def test_a_torn_line_of_the_log_is_left_out(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(flows(), LABEL)
    with (tmp_path / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"what": "loa\n')
    assert [entry["what"] for entry in store.log()] == ["loaded"]


def test_a_reader_never_finds_the_table_gone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(flows(), LABEL)
    writer = multiprocessing.get_context("spawn").Process(target=_save, args=(tmp_path, 3.0))
    writer.start()
    reads = 0
    while writer.is_alive() or reads < 50:
        assert store.load("flows") is not None
        reads += 1
    writer.join(60)
    assert writer.exitcode == 0


def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"Nothing has changed.*COOPCONNECT_OFFICIAL") as found:
        Store(tmp_path / "taken" / "official").save(flows(), LABEL)
    assert "Rien n'a changé" in found.value.message_fr
    store = Store(tmp_path / "official")
    store.save(flows(), LABEL)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("coopconnect.territory.official.store.pq.write_table", full)
    with pytest.raises(StoreError, match="the disk is full"):
        store.save(flows(), LABEL)
    assert store.load("flows") is not None
    assert [p.name for p in store.folder.iterdir() if p.suffix == ".part"] == []
