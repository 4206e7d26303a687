"""`plan` and `locate` on the command line."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

from coopconnect.cli import DONE, FAILED, WrongInput, say
from coopconnect.siting.locate.types import MODELS


def _positive(text: str) -> float:
    try:
        value = float(text.replace(",", ".")) if text.isascii() else math.nan
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0.0):
        raise argparse.ArgumentTypeError(f"should be a number above 0, not {text!r}")
    return value


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise argparse.ArgumentTypeError(f"should be a number, not {text!r}") from None


def _count(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"should be a whole number, not {text!r}") from None


def add_locate(parser: argparse.ArgumentParser) -> None:
    """Arguments of `locate`."""
    parser.add_argument("--model", required=True, choices=MODELS)
    parser.add_argument("--matrix", required=True, metavar="FILE.npz", help="cost or benefit (demand x sites), weight")
    parser.add_argument("--sites", required=True, type=_count, metavar="P", help="how many sites")
    parser.add_argument("--radius", type=_number, help="cost within which a demand is covered")
    parser.add_argument("--capacity", action="store_true", help="a site serves at most its `capacity` of `demand`")
    parser.add_argument("--split", action="store_true", help="with --capacity: a demand may go to several sites")
    parser.add_argument("--seconds", type=_positive, default=60.0, help="stop after so long (60)")
    parser.add_argument("--seed", type=_count, default=0)


def run_locate(args: argparse.Namespace) -> int:
    """`locate`: a classical location model on a matrix."""
    from coopconnect.siting.locate.read import read_matrix
    from coopconnect.siting.locate.solve import OutOfTime, locate

    path = Path(args.matrix)
    if not path.is_file():
        raise WrongInput(f"--matrix {path}: no such file")
    matrix = read_matrix(path, "benefit" if args.model == "max-benefit" else "cost")
    try:
        answer = locate(
            matrix, args.model, args.sites, args.radius, args.capacity, args.split, args.seconds, abs(args.seed)
        )  # fmt: skip
    except OutOfTime as late:
        say(f"coopconnect: {late}")
        return FAILED
    document = {
        "model": answer.model, "objective": answer.objective, "bound": finite(answer.bound),
        "gap": finite(answer.gap), "sites": list(answer.sites), "seconds": round(answer.seconds, 4),
    }  # fmt: skip
    if args.json:
        print(json.dumps(document))
        return DONE
    proven = "proven best" if answer.gap == 0.0 else f"bound {answer.bound:.10g}, gap {100.0 * answer.gap:.3f} %"
    print(f"{answer.model}: {answer.objective:.10g} ({proven}) in {answer.seconds:.2f} s")
    print("sites " + " ".join(str(k) for k in answer.sites))
    return DONE


def finite(value: float) -> float | None:
    """The number, or None where JSON has no word for it."""
    return value if math.isfinite(value) else None
