"""`validate flows|travel|jobs|workers|sites --observed FILE`, `validate all`: the built-in models against what was observed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coopconnect.cli import DONE, WrongInput
from coopconnect.parameters import DATA_DIR, load_parameters
from coopconnect.territory.official.reading import ReadingError
from coopconnect.territory.validation import OBSERVED, page_of, result_of, rows_of_checks, run_checks, toml_with

ROOT = DATA_DIR.parent
OBSERVED_DIR = ROOT.parent / "shared" / "data"
WHAT = ("flows", "travel", "jobs", "workers", "sites")


def add_arguments(validate: argparse.ArgumentParser) -> None:
    """Arguments of `validate`."""
    validate.add_argument("what", choices=(*WHAT, "all"))
    validate.add_argument("--observed", metavar="FILE", help="a file of observed figures, as published (not with all)")
    validate.add_argument(
        "--travel", metavar="FILE", help="sites: minutes between the communes of the flows, observed too"
    )
    validate.add_argument(
        "--data", metavar="FOLDER", help="all: folder of the observed files (../shared/data if not given)"
    )
    validate.add_argument(
        "--write", action="store_true", help="all: write data/validation.toml and docs/validation.md again"
    )


def run(args: argparse.Namespace) -> int:
    """Compare and print the figures."""
    if args.what == "all":
        return _run_all(args)
    if args.data or args.write:
        raise WrongInput(f"--data and --write go with `validate all`, not with `validate {args.what}`")
    if args.travel and args.what != "sites":
        raise WrongInput(f"--travel goes with `validate sites`, not with `validate {args.what}`")
    if not args.observed:
        raise WrongInput(f"validate {args.what} needs --observed FILE, a file of observed figures")
    path, routed = Path(args.observed), Path(args.travel) if args.travel else None
    for option, file in (("observed", path), ("travel", routed)):
        if file is not None and not file.is_file():
            raise WrongInput(f"--{option} {file}: no such file")
    try:
        figures = _figures(args.what, path, routed)
    except ReadingError as error:
        raise WrongInput(error.message_en) from None
    if args.json:
        print(json.dumps({"what": args.what, "observed": path.name, **figures}, ensure_ascii=False))
    else:
        print("\n".join(_lines(figures)))
    return DONE


def _run_all(args: argparse.Namespace) -> int:
    """Every check whose file is there; with --write the figures of the page Hypothèses and of the docs."""
    if args.observed or args.travel:
        raise WrongInput("validate all takes a folder (--data FOLDER), not --observed FILE or --travel FILE")
    folder = Path(args.data) if args.data else OBSERVED_DIR
    if not folder.is_dir():
        raise WrongInput(f"--data {folder}: no such folder; it holds {', '.join(sorted(set(OBSERVED.values())))}")
    if args.write and (gone := [name for name in sorted(set(OBSERVED.values())) if not (folder / name).is_file()]):
        raise WrongInput(f"--write needs every observed file; {folder} lacks {', '.join(gone)}. Nothing was written.")
    try:
        found, missing = run_checks(
            folder, DATA_DIR / "territory", load_parameters().values_with({}), _sites,
            lambda what: print(f"{what}: {OBSERVED[what]}", file=sys.stderr),
        )  # fmt: skip
    except ReadingError as error:
        raise WrongInput(error.message_en) from None
    if not found:
        raise WrongInput(f"--data {folder} holds none of {', '.join(sorted(set(OBSERVED.values())))}")
    names = [path.relative_to(folder).as_posix() for path in missing]
    if args.write:
        _write(found)
    if args.json:
        print(json.dumps({"what": "all", "missing": names, "written": args.write, **found}, ensure_ascii=False))
    else:
        lines = [f"{en}: {value}" for _, en, value in rows_of_checks(found)]
        print("\n".join([*lines, *(f"missing: {name}" for name in names)]))
    return DONE


def _write(found: Mapping[str, Mapping[str, Any]]) -> None:
    rows = rows_of_checks(found)
    file = DATA_DIR / "validation.toml"
    file.write_text(toml_with(file.read_text(encoding="utf-8"), rows, result_of(found)), encoding="utf-8", newline="\n")
    (ROOT / "docs" / "validation.md").write_text(page_of(rows), encoding="utf-8", newline="\n")


def _sites(path: Path, routed: Path | None) -> dict[str, Any]:
    from coopconnect.model.validate_sites import validate_sites

    return validate_sites(path, routed, DATA_DIR / "territory", load_parameters())


def _figures(what: str, path: Path, routed: Path | None) -> dict[str, Any]:
    folder = DATA_DIR / "territory"
    if what == "sites":
        return _sites(path, routed)
    if what == "flows":
        from coopconnect.territory.validate_flows import validate_flows

        return dict(validate_flows(path, folder))
    if what == "jobs":
        from coopconnect.territory.validate_jobs import validate_jobs

        return dict(validate_jobs(path, folder))
    if what == "workers":
        from coopconnect.territory.validate_workers import validate_workers

        return dict(validate_workers(path, folder))
    from coopconnect.territory.validate_travel import validate_travel

    return dict(validate_travel(path, folder, load_parameters().values_with({})))


def _lines(figures: Mapping[str, Any], indent: str = "") -> list[str]:
    lines = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{name}", *_lines(value, indent + "  ")]
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            lines += [f"{indent}{name}"] + [
                f"{indent}  " + ", ".join(f"{k} {_short(v)}" for k, v in row.items()) for row in value
            ]
        else:
            lines.append(f"{indent}{name}: {_short(value)}")
    return lines


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
