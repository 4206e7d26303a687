"""`validate flows|travel|jobs|workers --observed FILE`: how far the built-in models are from what was observed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coopconnect.cli import DONE, WrongInput
from coopconnect.parameters import DATA_DIR, load_parameters
from coopconnect.territory.official.reading import ReadingError

WHAT = ("flows", "travel", "jobs", "workers")


def add_arguments(validate: argparse.ArgumentParser) -> None:
    """Arguments of `validate`."""
    validate.add_argument("what", choices=WHAT)
    validate.add_argument("--observed", required=True, metavar="FILE", help="a file of observed figures, as published")


def run(args: argparse.Namespace) -> int:
    """Compare and print the figures."""
    path = Path(args.observed)
    if not path.is_file():
        raise WrongInput(f"--observed {path}: no such file")
    try:
        figures = _figures(args.what, path)
    except ReadingError as error:
        raise WrongInput(error.message_en) from None
    if args.json:
        print(json.dumps({"what": args.what, "observed": path.name, **figures}, ensure_ascii=False))
    else:
        print("\n".join(_lines(figures)))
    return DONE


def _figures(what: str, path: Path) -> dict[str, Any]:
    folder = DATA_DIR / "territory"
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
