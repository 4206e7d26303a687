"""Pages to print: a Typst template and data in, an accessible PDF out (tagged, PDF/UA-1, fonts embedded).

Typst comes as one wheel for every system; nothing is fetched, no browser is needed. Data reach a template as JSON, so
that no text of a user is ever markup.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).parent / "typst"


class TypesetError(RuntimeError):
    """A page could not be set: the template and the reason."""


def typeset(
    template: str, data: Mapping[str, Any], files: Mapping[str, str | bytes], *, on: date, language: str
) -> bytes:
    """A template of `coopconnect/export/typst` set with `data` and pictures, as a PDF.

    template: name without its ending. data: JSON; the template reads it with `json("data.json")`; `date` (day, month,
    year) and `lang` are added. files: SVG (text) or JPEG (bytes) by the name that the template gives to `image`.
    The same arguments give the same bytes. Raises `TypesetError`.
    """
    import typst  # 35 MB: loaded by the first page that is printed

    told = {**data, "date": {"day": on.day, "month": on.month, "year": on.year}, "lang": language}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for source in TEMPLATES.glob("*.typ"):
            (root / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
        for name, content in files.items():
            (root / name).write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        (root / "data.json").write_text(json.dumps(told, ensure_ascii=False, allow_nan=False), encoding="utf-8")
        try:
            pdf = typst.compile(
                root / f"{template}.typ", root=root, font_paths=[_fonts()], ignore_system_fonts=True,
                pdf_standards="ua-1",
                timestamp=datetime(on.year, on.month, on.day, tzinfo=UTC),
            )  # fmt: skip
        except RuntimeError as error:
            raise TypesetError(f"{template}: {str(error).splitlines()[0]}") from error
    assert isinstance(pdf, bytes)
    return pdf


def _fonts() -> Path:
    """Folder of the typeface: Source Sans Pro, that of the screen."""
    import font_source_sans_pro

    return Path(font_source_sans_pro.__file__).parent / "files"
