"""Printed pages: accessible, repeatable, and no text of a user is markup."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from coopconnect.export import typeset as module
from coopconnect.export.typeset import TypesetError, typeset

PAGE = """#import "style.typ": sheet
#let d = json("data.json")
#show: sheet.with(d)
= #d.title
#d.text
#image("square.svg", alt: "un carré", width: 2cm)
"""
SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="red"/></svg>'
DATA = {"title": "Apt #titre", "text": "= $x$ #panic() *a* _b_ @ref \\ é", "foot": "pied", "stamp": "modèle"}


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for path in module.TEMPLATES.glob("*.typ"):
        shutil.copy(path, tmp_path)
    (tmp_path / "page.typ").write_text(PAGE, encoding="utf-8")
    monkeypatch.setattr(module, "TEMPLATES", tmp_path)
    return "page"


def test_a_page_is_tagged_and_its_fonts_are_inside(template: str, tmp_path: Path) -> None:
    pdf = typeset(template, DATA, {"square.svg": SQUARE}, on=date(2026, 1, 2), language="fr")
    if shutil.which("pdfinfo") is None:
        pytest.skip("needs poppler-utils")
    path = tmp_path / "page.pdf"
    path.write_bytes(pdf)
    info = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout
    assert "Tagged:          yes" in info and "595.276 x 841.89" in info
    fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    assert fonts and all("SourceSansPro" in line and " yes yes " in line for line in fonts)
    text = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout
    assert "Apt #titre" in text and "= $x$ #panic() *a* _b_ @ref \\ é" in text


def test_the_same_page_twice_is_the_same_file(template: str) -> None:
    made = [typeset(template, DATA, {"square.svg": SQUARE}, on=date(2026, 1, 2), language="fr") for _ in range(2)]
    assert made[0] == made[1]


def test_a_page_that_cannot_be_set_says_which(template: str) -> None:
    with pytest.raises(TypesetError, match=r"page: .*square"):
        typeset(template, DATA, {}, on=date(2026, 1, 2), language="fr")
