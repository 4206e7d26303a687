"""Files that the browser loads once: names, whole writes, disks that cannot be written; rows of the ranking."""

from __future__ import annotations

from pathlib import Path

import pytest

from coopconnect.files import write_once
from coopconnect.ui.ranking_component import RANKING_TEXTS, RankingRow, ranking_texts, row_payload
from coopconnect.ui.static_assets import component_loader, deck_bundle, publish

UI = Path(__file__).resolve().parents[1] / "coopconnect" / "ui"


def test_a_file_is_named_after_its_content_and_written_once(tmp_path: Path) -> None:
    first = publish("map", ".js", b"one", root=tmp_path)
    again = publish("map", ".js", b"one", root=tmp_path)
    other = publish("map", ".js", b"two", root=tmp_path)
    assert first == again and first.name != other.name
    assert first.url == f"app/static/{first.name}"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([first.name, other.name])
    assert (tmp_path / first.name).read_bytes() == b"one"


def test_a_file_cut_short_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "contours.bin"
    path.write_bytes(b"ha")
    assert write_once(path, b"half")
    assert path.read_bytes() == b"half"


def test_where_nothing_can_be_written_the_content_has_no_address(tmp_path: Path) -> None:
    blocked = tmp_path / "a file, not a folder"
    blocked.write_bytes(b"")
    asset = publish("map", ".js", b"one", root=blocked)
    assert asset.url is None and asset.content == b"one"


def test_outside_of_an_app_there_is_no_address() -> None:
    assert publish("map", ".js", b"one").url is None


def test_deck_gl_comes_from_the_installed_pydeck() -> None:
    assert b"SolidPolygonLayer" in deck_bundle()
    assert b"globalThis.deck" in deck_bundle()


def test_our_browser_code_is_ours_small_and_asks_nobody() -> None:
    scripts = [*(UI / "map").glob("*"), *(UI / "ranking").glob("*")]
    assert scripts
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        assert len(text) < 30_000, f"{path.name} is too large to be our own code"
        assert "http://" not in text and "https://" not in text, path.name
        assert "innerHTML" not in text, f"{path.name}: text goes in as text, never as HTML"
    assert len(component_loader()) < 3_000  # sent with every run


def test_a_row_of_the_ranking_as_the_browser_reads_it() -> None:
    row = RankingRow("84003", "Apt", "Vaucluse", 1, 62.34, 50.0, float("nan"), 12.0, None, 0.8, tied=True)
    sent = row_payload(row)
    assert sent["score"] == 62.3 and sent["high"] is None and sent["hours"] is None and sent["tied"] is True
    assert sent["colour"].startswith("#")
    assert row_payload(RankingRow("84003", "Apt", "84", 1, float("nan")))["score"] is None


def test_the_ranking_speaks_both_languages() -> None:
    assert set(RANKING_TEXTS["fr"]) == set(RANKING_TEXTS["en"])
    with pytest.raises(ValueError, match="fr, en"):
        ranking_texts("de")


def test_the_page_runs_without_a_browser() -> None:
    """AppTest executes no JavaScript: the page must run, and a choice must not be invented."""
    from streamlit.testing.v1 import AppTest

    page = AppTest.from_file(str(Path(__file__).parent / "browser" / "map_page.py"), default_timeout=60).run()
    assert not page.exception
    assert page.markdown[-1].value == "Choisie : None"
