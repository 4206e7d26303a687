"""The page Données: one's own file, from its columns to what it changed, and what the disk refuses."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from spaces import plain
from streamlit.testing.v1 import AppTest

from coopconnect.territory.official.catalogue import load_catalogue
from coopconnect.territory.official.store import Store

PAGE = Path(__file__).parents[1] / "pages" / "donnees.py"
FLOWS = b"De;Vers;Effectif;Note\n38001;38012;55;a\n38012;38001;4,5;b\n38013;abc;3;c\n38013;38012;-1;d\n"


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("COOPCONNECT_OFFICIAL", str(tmp_path / "official"))
    for module in ("official", "official_roads"):  # a test has no address
        monkeypatch.setattr(f"coopconnect.ui.{module}.on_this_computer", lambda: True)
    found = AppTest.from_file(PAGE, default_timeout=120)
    found.query_params["territory"] = "200018166"  # Le Grésivaudan
    return found.run()


def box(page: AppTest, name: str):  # type: ignore[no-untyped-def]
    return next(found for found in page.selectbox if name in (found.key or ""))


def texts(page: AppTest) -> str:
    kinds = (page.markdown, page.caption, page.info, page.error, page.success)
    said = [str(element.value) for kind in kinds for element in kind]
    return plain(" ".join([*said, *(element.proto.body for element in page.get("html"))]))


def test_columns_said_by_hand_outlive_a_look_elsewhere_and_are_loaded(page: AppTest, tmp_path: Path) -> None:
    page.file_uploader(key="official_file").upload("flux.csv", FLOWS).run()
    assert "Dites quelle colonne du fichier est : commune de résidence, commune de travail, actifs occupés." in texts(
        page
    )
    for name, column in (("home_code", "De"), ("work_code", "Vers"), ("workers", "Effectif")):
        box(page, name).set_value(column)
    next(field for field in page.text_input if "official_year" in (field.key or "")).set_value("2025")
    page.run()
    again = AppTest.from_file(PAGE, default_timeout=120)  # another page leaves the session and empties the field
    again.query_params["territory"] = "200018166"
    again.session_state["official_given"] = page.session_state["official_given"]
    again.run()
    assert "Toujours là : flux.csv." in texts(again)
    assert [box(again, name).value for name in ("home_code", "work_code", "workers")] == ["De", "Vers", "Effectif"]
    said = texts(again)
    for line in ("4 Vers abc", "5 Effectif -1"):
        assert all(word in said for word in line.split())
    (tmp_path / "official").write_text("a file where the folder should be")
    again.button(key="official_keep").click().run()
    assert "Rien n'a changé" in again.error[0].value and not again.exception
    (tmp_path / "official").unlink()
    again.button(key="official_keep").click().run()
    assert not again.error and not again.exception
    label = Store.default().labels()["flows"]
    assert (label.rows, label.year, label.source) == (2, "2025", "flux.csv")
    shown = texts(again)
    assert "des 10 meilleures communes rurales restent parmi les 10 meilleures" in shown
    again.button(key="official_file_away").click().run()
    assert "Toujours là" not in texts(again)


def test_a_column_that_is_not_to_be_read_is_left(page: AppTest) -> None:
    page.file_uploader(key="official_file").upload(
        "m.csv", b"code;emplois;actifs_occupes\n38001;9;8\n38012;7;6\n"
    ).run()
    assert [box(page, name).value for name in ("zone_code", "jobs", "workers")] == ["code", "emplois", "actifs_occupes"]
    box(page, "workers").set_value("").run()
    page.button(key="official_keep").click().run()
    frame, _ = Store.default().load("margins")  # type: ignore[misc]
    assert frame["jobs"].tolist() == [9.0, 7.0]
    assert "workers" not in frame or frame["workers"].isna().all()


def test_one_click_says_under_the_button_what_it_changed(page: AppTest, shared_data: Path, tmp_path: Path) -> None:
    """From a stick: what is there is loaded, what is not is told; the table of figures says official at once."""
    stick = tmp_path / "stick"
    stick.mkdir()
    shutil.copy(shared_data / "insee" / "base_cc_comparateur_csv.zip", stick)
    page.text_input(key="official_mirror").set_value(str(stick)).run()
    page.button(key="fetch_all").click().run()
    assert not page.exception
    assert [success.value for success in page.success if "Comparateur" in success.value]
    assert len(page.error) == sum(entry.default for entry in load_catalogue().values()) - 1
    said = texts(page)
    assert "restent parmi les" in said
    assert "Actifs occupés, Emplois : modélisé avant, officiel maintenant." in said
    assert re.search(
        r"Score médian .*\d \(-?[\d,]+ – [\d,]+\)", re.sub(r"<[^>]+>", " ", said)
    )  # a figure has its range
    assert "INSEE, Comparateur de territoires" in said
    rows = [b.label for b in page.button if re.match("(fetch|remove|restore)_(?!all|stop)", b.key or "")]
    assert len(rows) == len(set(rows)) == len(load_catalogue()) + 1  # each says what it acts on
    assert "Retirer :small[Actifs et emplois]" in [plain(label) for label in rows]
    page.button(key="official_seen").click().run()
    (stick / "liste-fs-20240801.csv").write_bytes((shared_data / "places" / "liste-fs-20240801.csv").read_bytes())
    page.button(key="fetch_france_services").click().run()
    assert "Aucun chiffre ne change ici." in texts(page) and "maintenant" not in texts(page)
    assert re.search(r"CC Le Grésivaudan : [1-9]\d* lieux connus en plus des mairies\.", texts(page)), texts(page)
    page.button(key="official_seen").click().run()
    assert "restent parmi les" not in texts(page)
