"""`plan` and `locate` on the command line."""

from __future__ import annotations

import argparse
import json
import math
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from coopconnect import MODEL_VERSION
from coopconnect.cli import DONE, FAILED, WrongInput, _target, _with_refusals, read_scenario, say, territories
from coopconnect.cli import _positive as _draws
from coopconnect.model.types import Range
from coopconnect.parameters import load_parameters
from coopconnect.question import OBJECTIVES, Question
from coopconnect.siting.locate.types import MODELS
from coopconnect.siting.types import LEAST, PROVEN, SitePlan
from coopconnect.territory.types import Territory
from coopconnect.uncertainty.engine import Setup
from coopconnect.uncertainty.laws import design, laws_of
from coopconnect.uncertainty.plan_futures import PlanFutures, case_of, plan_figure_rows, plan_futures
from coopconnect.uncertainty.run import cores, gather, local, nothing_gathered
from coopconnect.uncertainty.survey import learned

ENDINGS = (".xlsx", ".csv", ".gpkg", ".geojson")
"""As in `coopconnect.export.plan_files`, whose libraries are not loaded to say so."""


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
    try:
        matrix = read_matrix(path, "benefit" if args.model == "max-benefit" else "cost")
        answer = locate(
            matrix, args.model, args.sites, args.radius, args.capacity, args.split, args.seconds, abs(args.seed)
        )  # fmt: skip
    except OutOfTime as late:
        say(f"coopconnect: {late}")
        return FAILED
    except MemoryError:
        say(f"coopconnect: --matrix {path}: too large for the memory of this machine; leave out pairs, rows or columns")
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


def _codes(given: list[str] | None) -> tuple[str, ...] | None:
    """INSEE codes from repeated options, each of which may hold several, with commas; None where none was given."""
    if given is None:
        return None
    return tuple(sorted({code.strip().upper() for text in given for code in text.split(",") if code.strip()}))


def _question(args: argparse.Namespace, asked: Question | None) -> Question:
    """What is planned: the plan of the scenario file (`asked`), then the options given. A number or a budget given alone
    takes the place of both."""
    given = {
        "sites": args.sites, "budget_eur": args.budget, "years": args.years, "objective": args.objective,
        "equity": args.equity, "forced": _codes(args.force), "forbidden": _codes(args.forbid),
        "existing": _codes(args.existing), "apart_min": args.apart, "desks": args.desks,
        "openings_per_year": args.per_year, "rural": args.rural,
    }  # fmt: skip
    base = asked or Question(sites=0)
    if args.sites is not None or args.budget is not None:
        base = replace(base, sites=0, budget_eur=0.0)
    return replace(base, **{name: value for name, value in given.items() if value is not None})


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Arguments of `plan`."""
    parser.add_argument("--sites", type=_count, metavar="P", help="how many new sites at most")
    parser.add_argument("--budget", type=_positive, metavar="EUR", help="for opening and running them")
    parser.add_argument("--years", type=_count, help="years of running that the budget pays (5)")
    parser.add_argument("--objective", choices=OBJECTIVES, help="what the plan makes the most of (hours)")
    parser.add_argument("--equity", type=_number, help="with --objective equity: 0 hours, 1 the worst served (0.5)")
    parser.add_argument("--force", action="append", metavar="CODE", help="this commune must be one (repeatable)")
    parser.add_argument("--forbid", action="append", metavar="CODE", help="this commune may not (repeatable)")
    parser.add_argument("--existing", action="append", metavar="CODE", help="a hub that exists and stays (repeatable)")
    parser.add_argument("--apart", type=_number, metavar="MIN", help="no two within so many minutes (0)")
    parser.add_argument("--desks", type=_count, help="a site serves what so many desks can (0: any number)")
    parser.add_argument("--per-year", type=_count, help="openings a year; all in the first if not given")
    parser.add_argument("--rural", action="store_true", default=None, help="new sites in rural communes only")
    parser.add_argument("--seconds", type=_positive, default=10.0, help="time for the search and the proof (10)")
    parser.add_argument("--seed", type=_count, default=0)
    parser.add_argument("--draws", type=_draws, metavar="N", help="also the plan's figures over so many futures")
    parser.add_argument("--workers", type=_draws, metavar="W", help="with --draws: cores of this machine to use (all)")
    parser.add_argument("--to", metavar="FILE", help=f"also write {', '.join(ENDINGS)}")
    parser.add_argument("--language", choices=("fr", "en"), default="fr", help="language of the file (fr)")


def _written(
    target: Path, plan: SitePlan, territory: Territory, language: str, futures: PlanFutures | None = None
) -> None:  # fmt: skip
    """The file of `--to`; export libraries load here only."""
    from datetime import date

    from coopconnect.export.files import site_codes
    from coopconnect.export.plan_files import write_plan
    from coopconnect.show.ground import contours_of

    mapped = target.suffix.lower() in (".gpkg", ".geojson")
    contours = contours_of(site_codes(territory)) if mapped else None
    write_plan(target, plan, territory, contours, language, date.today(), futures)
    say(f"{target}: {target.stat().st_size} bytes")


@contextmanager
def interrupted() -> Iterator[threading.Event]:
    """Set once Ctrl-C is pressed, in place of ending the command; pressed again, it ends it."""
    stop = threading.Event()

    def pressed(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, pressed)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def run_plan(args: argparse.Namespace) -> int:
    """`plan`: which sites together, in which order, with a proven bound."""
    from coopconnect.siting.plan import site_plan

    target = _target(args.to, ENDINGS) if args.to else None
    parameters = load_parameters()
    read = read_scenario(args, parameters)
    question = _question(args, read.plan)
    territory, home = territories(read.scenario, parameters, args.shipped)
    scenario = _with_refusals(read.scenario, territory, args.shipped)
    with interrupted() as stop:
        plan = site_plan(
            territory, scenario, parameters, question, home, args.seconds, abs(args.seed),
            watch=lambda value, bound: not stop.is_set(),
        )  # fmt: skip
    if stop.is_set():
        lacks = f"; not measured: {', '.join(plan.missing)}" if plan.missing else ""
        say(f"coopconnect: stopped; this is the best plan so far{lacks}")
    futures = None
    if args.draws:
        laws = laws_of(scenario, parameters, posterior=learned(read.dossier.survey, parameters))
        futures = _futures(plan, Setup(territory, home, scenario, parameters, laws), args)
    if target is not None:
        _written(target, plan, territory, args.language, futures)
    document = plan_document(plan)
    if futures is not None:
        document["futures"] = {"draws": args.draws, "seed": abs(args.seed), **futures_document(plan, futures)}
    if args.json:
        print(json.dumps(document, ensure_ascii=False))
        return DONE
    known = (
        f"at most {100.0 * plan.gap:.2f} % from the best possible" if math.isfinite(plan.gap) else "nothing proven yet"
    )
    proven = "proven best" if plan.gap <= PROVEN else known

    def written(amount: float, sign: str = "") -> str:
        return format(amount, f"{sign},.{3 if question.objective == 'equity' else 1}f")

    print(
        f"{plan.territory_name} · {question.objective}: {written(plan.value)} {plan.unit} ({proven}) · {plan.seconds:.2f} s"
    )
    if plan.neighbours_share:
        users, kept = (plan.totals[f"{name}_least"] for name in LEAST)
        print(
            f"{plan.totals['users']:,.0f} users, each neighbouring site with its own; {users:,.0f} users and {kept:,.0f} h/yr if neighbours share those of the best one"
        )
    if plan.kept_value is not None:
        print(
            f"of which {written(plan.kept_value)} with the existing sites alone, {written(plan.value - plan.kept_value, '+')} with the new ones"
        )
    if plan.refusals_cost > 0.0:
        print(f"the refusals cost {written(plan.refusals_cost)} {plan.unit}")
    if futures is not None:
        _say_futures(plan, futures, args.draws, written)
    for site in plan.sites:
        other = f"if refused: {site.substitute.name}, {written(-site.substitute.loss, '+')}" if site.substitute else ""
        if site.substitute and site.forced and site.substitute.loss < 0.0:
            other += " (it must open; this one would bring more)"
        print(
            f"{site.rank or '-':>4} {site.code:<6}{site.name[:29]:<30}{written(site.gain):>14}{site.users:>8.0f} users  {other}"
        )
    return DONE


def _futures(plan: SitePlan, setup: Setup, args: argparse.Namespace) -> PlanFutures:
    """What the futures say of the plan; `WrongInput` where none of them has a solution."""
    case, workers = case_of(plan, setup), args.workers or cores()
    runs = nothing_gathered(setup, design(setup.laws, args.draws, abs(args.seed)), case.columns)
    for done in gather(runs, local(workers, partial(plan_figure_rows, case))):
        say(f"{done}/{args.draws} draws")
    found = plan_futures(plan, setup, runs.found)
    if found is None:
        raise WrongInput("no draw has a solution: the assumptions of the scenario do not hold together")
    return found


def _say_futures(plan: SitePlan, futures: PlanFutures, draws: int, written: Callable[..., str]) -> None:
    """The plan's ranges in a few lines; `written` writes an amount of the objective."""
    print(
        f"5 to 95 % of {futures.draws} futures with a solution, of {draws}; the same hubs in each, every commuter chooses anew:"
    )
    if futures.worth is not None:
        print(f"  {plan.question.objective} {written(futures.worth.low)} to {written(futures.worth.high)} {plan.unit}")
    if futures.gained is not None:
        print(f"  added by the new ones {written(futures.gained.low)} to {written(futures.gained.high)} {plan.unit}")
    for name, value in futures.added.items():
        print(f"  {name:<26}{value.value:>14,.0f}  ({value.low:,.0f} to {value.high:,.0f})")
    over = "" if futures.p_over is None else f"; over the budget in {futures.p_over:.0%}"
    print(f"  net benefit above 0 in {futures.p_gains:.0%}{over}")


def futures_document(plan: SitePlan, futures: PlanFutures) -> dict[str, Any]:
    """The JSON of a plan's futures: 5 %, reference case and 95 % of each figure."""

    def ends(value: Range | None) -> dict[str, float | None] | None:
        if value is None:
            return None
        return {"low": finite(value.low), "reference": finite(value.value), "high": finite(value.high)}

    def named(values: Mapping[str, Range]) -> dict[str, Any]:
        return {name: ends(value) for name, value in values.items()}

    return {
        "usable": futures.draws, "objective": ends(futures.worth), "objective_existing": ends(futures.kept),
        "objective_added": ends(futures.gained), "totals": named(futures.total), "added": named(futures.added),
        "p_net_benefit_above_0": round(futures.p_gains, 4),
        "p_over_budget": None if futures.p_over is None else round(futures.p_over, 4),
        "curve": [{"sites": n, **(ends(value) or {})} for n, value in enumerate(futures.curve)],
        "sites": [
            {
                "code": site.code, "p_viable": round(viable, 4), "gain": ends(gain), "lost_if_refused": ends(lost),
                "substitute_loss": ends(other), **named(figures),
            }
            for site, viable, gain, lost, other, figures in zip(
                plan.sites, futures.viable, futures.gains, futures.lost, futures.substituted, futures.sites, strict=True
            )
        ],
        "alternatives": [
            {"out_code": a.out_code, "in_code": a.in_code, "p_better": round(better, 4), "loss": ends(loss)}
            for a, (loss, better) in zip(plan.alternatives, futures.alternatives, strict=bool(futures.alternatives))
        ],
    }  # fmt: skip


def plan_document(plan: SitePlan) -> dict[str, Any]:
    """The JSON of a plan."""
    sites = []
    for site in plan.sites:
        row = {k: v for k, v in asdict(site).items() if k not in ("row", "substitute")}
        sites.append({k: finite(v) if isinstance(v, float) else v for k, v in row.items()})
    substitutes = {
        s.code: {"code": s.substitute.code, "name": s.substitute.name, "loss": s.substitute.loss} if s.substitute else None
        for s in plan.sites if not s.existing
    }  # fmt: skip
    left_out = plan.left_out.astype(object).where(plan.left_out.notna(), None).to_dict("records")
    return {
        "model_version": MODEL_VERSION, "territory": plan.territory_code, "territory_name": plan.territory_name,
        "question": asdict(plan.question), "unit": plan.unit,
        "sites": [s for s in sites if not s["existing"]], "existing": [s for s in sites if s["existing"]],
        "objective": plan.value, "bound": finite(plan.bound), "gap": finite(plan.gap), "proof": plan.proof,
        "substitutes": substitutes, "alternatives": [asdict(a) for a in plan.alternatives],
        "curve": [list(point) for point in plan.curve], "knee": plan.knee, "refusals_cost": plan.refusals_cost,
        "totals": plan.totals, "left_out": left_out, "missing": list(plan.missing),
        "seconds": round(plan.seconds, 4),
    }  # fmt: skip


def finite(value: float) -> float | None:
    """The number, or None where JSON has no word for it."""
    return value if math.isfinite(value) else None
