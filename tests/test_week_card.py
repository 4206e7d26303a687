"""The card to take home: three columns, ranges, the link as a code; accessible, repeatable, nobody's text is markup."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from coopconnect.export.card import LONGEST_LINK, CardTexts, qr_svg, week_card
from coopconnect.model.personal import Person, Weeks, weeks_of
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario
from coopconnect.territory.anywhere import Drive

LINK = "http://exemple.fr/menages?v=1&home=84047&work=84007"
FAR, NEAR = Drive(30.0, 35.0, False), Drive(5.0, 8.0, False)
ON = date(2026, 1, 2)


def texts(**changed: object) -> CardTexts:
    given: dict[str, object] = {
        "route": "De L'Île-aux-Œufs #1 à Avignon", "truly": "Pour quelqu'un *qui* remplace", "price": "", "reason": "",
        "notes": ("Note $une$", "Note deux"), "scenario": "Scénario : 1,75 €/L", "link": LINK,
    }  # fmt: skip
    return CardTexts(**{**given, **changed})  # type: ignore[arg-type]


@pytest.fixture
def weeks(reference: Scenario, parameters: Parameters) -> Weeks:
    return weeks_of(Person(FAR, NEAR, 2, "thermal"), reference, parameters)


def _told(pdf: bytes, folder: Path, tool: str = "pdftotext") -> str:
    if shutil.which(tool) is None:
        pytest.skip("needs poppler-utils")
    path = folder / "card.pdf"
    path.write_bytes(pdf)
    command = [tool, path, *(["-"] if tool == "pdftotext" else [])]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_card_is_one_accessible_a5_page(weeks: Weeks, tmp_path: Path, language: str) -> None:
    pdf = week_card(weeks, texts(), on=ON, language=language)
    info = _told(pdf, tmp_path, "pdfinfo")
    assert re.search(r"Tagged:\s+yes", info) and re.search(r"Pages:\s+1\n", info)
    assert re.search(r"Page size:\s+419\.5\d+ x 595\.2\d+", info)
    fonts = _told(pdf, tmp_path, "pdffonts").splitlines()[2:]
    assert fonts and all("SourceSansPro" in line and " yes yes " in line for line in fonts)


def test_the_card_holds_the_figures_of_the_page(weeks: Weeks, tmp_path: Path) -> None:
    told = (
        _told(week_card(weeks, texts(), on=ON, language="fr"), tmp_path).replace("\u00a0", " ").replace("\u202f", " ")
    )
    for wanted in (
        "7 h 00",
        "4 h 44",
        "4 h 12",
        "300 km",
        "200 km",
        "180 km",
        "975 € de moins",
        "104 h de moins",
    ):
        assert wanted in told, wanted
    assert "De L'Île-aux-Œufs #1 à Avignon" in told and "*qui*" in told and "Note $une$" in told
    assert "Rouvrir ce calcul" in told


def test_a_loss_is_told_and_its_reason(reference: Scenario, parameters: Parameters, tmp_path: Path) -> None:
    lost = weeks_of(Person(NEAR, FAR, 2, "thermal"), reference, parameters)
    pdf = week_card(lost, texts(reason="plus loin que votre bureau"), on=ON, language="fr")
    told = _told(pdf, tmp_path).replace("\u00a0", " ")
    assert "de plus" in told and "plus loin que votre bureau" in told


@pytest.mark.parametrize(
    ("hub", "car", "link"), [(None, "thermal", ""), (NEAR, "none", LINK), (None, "none", "x" * 5000)]
)
def test_what_is_unknown_leaves_no_hole(
    reference: Scenario, parameters: Parameters, tmp_path: Path, hub: Drive | None, car: str, link: str
) -> None:
    found = weeks_of(Person(FAR, hub, 2, car), reference, parameters)
    told = _told(week_card(found, texts(link=link), on=ON, language="fr"), tmp_path)
    assert ("Avec un tiers-lieu" in told) == (hub is not None)
    assert ("non calculé" in told) == (car == "none")
    assert ("trop long" in told) == (len(link) > LONGEST_LINK)


def test_the_same_card_twice_is_the_same_file(weeks: Weeks) -> None:
    assert week_card(weeks, texts(), on=ON, language="fr") == week_card(weeks, texts(), on=ON, language="fr")


def test_a_link_of_this_computer_gets_no_code_and_the_card_says_so(weeks: Weeks, tmp_path: Path) -> None:
    local = replace(texts(), link="http://localhost:8501/menages?v=1")
    told = _told(week_card(weeks, local, on=ON, language="fr"), tmp_path)
    assert "Pas de code QR" in told and "Rouvrir ce calcul" not in told


def test_a_code_is_a_vector_and_only_for_a_link_that_fits() -> None:
    code = qr_svg(LINK)
    assert code.startswith("<svg") and "http://www.w3.org/2000/svg" in code and "<path" in code
    assert qr_svg("") == qr_svg("x" * (LONGEST_LINK + 1)) == ""
