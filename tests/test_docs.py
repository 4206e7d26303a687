"""Docs that must follow the code: commands, levers, pages, files, links, checksums; and what must not be said."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from coopconnect.cli import parser
from coopconnect.scenario import NUMERIC_LEVERS

ROOT = Path(__file__).resolve().parents[1]


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_command_is_documented() -> None:
    text = _text("docs/cli.md")
    actions = next(a for a in parser()._actions if a.dest == "command")
    for command in actions.choices:  # type: ignore[union-attr]
        assert f"`{command}" in text, command


def test_every_lever_and_page_is_documented() -> None:
    text = _text("docs/interface.md")
    for key in NUMERIC_LEVERS:
        assert f"`{key}`" in text, key
    for page in (ROOT / "pages").glob("*.py"):
        assert f"pages/{page.name}" in text, page.name


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_of_the_docs_exist(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", _text(name)):
        assert target.startswith("http") or (ROOT / target).exists(), f"{name}: {target}"


def test_shipped_files_have_their_checksum_in_the_sources() -> None:
    sources = _text("data/SOURCES.md")
    for path in sorted((ROOT / "data" / "territory").iterdir()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert f"| {path.name} |" in sources, path.name
        assert digest in sources, f"{path.name} is not the file that data/SOURCES.md describes: build again"


def test_architecture_names_every_package() -> None:
    text = _text("ARCHITECTURE.md")
    for package in (ROOT / "coopconnect").iterdir():
        if package.is_dir() and (package / "__init__.py").exists():
            assert f"{package.name}/" in text, package.name


def test_no_machine_path_is_tracked() -> None:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git checkout: nothing is tracked here")
    paths = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/\w")
    for name in done.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.suffix in {".py", ".md", ".toml", ".js", ".css", ".html", ".yml", ""} and path.is_file():
            found = paths.search(path.read_text(encoding="utf-8", errors="ignore"))
            assert found is None, f"{name}: {found}"
