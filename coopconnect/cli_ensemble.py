"""`ensemble` on the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from coopconnect import MODEL_VERSION
from coopconnect.cli import DONE, _positive, _target, _with_refusals, read_scenario, say, territories
from coopconnect.model.assessment import assess
from coopconnect.parameters import load_parameters
from coopconnect.question import Question, from_text, to_text
from coopconnect.show.robust_words import failing_sentence, label_of, learn_sentence
from coopconnect.siting.plan import site_plan
from coopconnect.siting.question import check
from coopconnect.uncertainty import cluster, drivers
from coopconnect.uncertainty.drivers import Driver
from coopconnect.uncertainty.engine import KEPT, Setup, run_rows
from coopconnect.uncertainty.laws import laws_of
from coopconnect.uncertainty.plans import Candidate, CandidateFutures, Further, compared, plan_rows
from coopconnect.uncertainty.results import Results, available_sites, results, viable
from coopconnect.uncertainty.run import (
    Backend,
    Ensemble,
    EnsembleError,
    Gathered,
    RowsWork,
    cores,
    gather,
    local,
    nothing_gathered,
    run,
)
from coopconnect.uncertainty.site import SiteFutures, counted, margins, site_futures
from coopconnect.uncertainty.survey import learned

ENDINGS = (".xlsx", ".csv", ".gpkg", ".geojson")
LEAST_BASE = 64
"""Fewest points of Saltelli's design: under it the intervals say nothing."""

SITES_TOLD = 5
"""Sites of which the failing futures are told: the first by rank."""


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"should be a whole number from 0, not {text!r}")
    return int(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `ensemble`."""
    parser.add_argument("--draws", type=_positive, required=True, metavar="N", help="how many futures")
    parser.add_argument("--seed", type=_seed, default=0, metavar="K", help="same seed, same draws (0)")
    parser.add_argument("--workers", type=_positive, metavar="W", help="cores of this machine to use (all)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, tcp://host:8786")
    parser.add_argument(
        "--wait", type=_positive, default=10, metavar="S", help="seconds that the scheduler has to answer (10)"
    )
    parser.add_argument("--levers", action="store_true", help="draw the levers and the climate too")
    parser.add_argument("--weights", action="store_true", help="draw the weights of the score too")
    parser.add_argument("--resume", metavar="FOLDER", help="keep finished chunks there, and go on from them")
    parser.add_argument(
        "--sobol", type=_positive, metavar="BASE",
        help="also BASE x (quantities + 2) runs for total Sobol indices; a power of two, 64 or more",
    )  # fmt: skip
    parser.add_argument(
        "--plan", action="append", default=[], metavar="QUESTION",
        help="also the regret of the plan that answers this, as in the address of Réseau: n10~r1 (repeatable; that of the file without one)",
    )  # fmt: skip
    parser.add_argument("--site", metavar="CODE", help="also tell the futures of this commune")
    parser.add_argument("--to", metavar="FILE", help=f"also write {', '.join(ENDINGS)}")
    parser.add_argument("--language", choices=("fr", "en"), default="fr", help="language of the file (fr)")


def _written(target: Path, args: argparse.Namespace, ensemble: Ensemble, found: Results, further: Further) -> None:
    """The file of `--to`; export libraries load here only."""
    from datetime import date

    from coopconnect.export import gis, sheet_robust, tables
    from coopconnect.show.ground import contours_of

    if target.suffix.lower() == ".csv":
        tables.write_table(sheet_robust.futures_table(found), target)
    elif target.suffix.lower() == ".xlsx":
        target.write_bytes(sheet_robust.robust_workbook(ensemble, args.language, date.today(), further.code, further))
    else:
        s = ensemble.setup
        now = assess(s.territory, s.scenario, s.parameters, home=s.home)
        codes = now.sites["zone_code"].tolist()
        fields = sheet_robust.futures_fields(found)
        gis.write_gis(target, now, codes, contours_of(codes), args.language, date.today(), fields)


def _told(driver: Driver, parameters: Any) -> dict[str, Any]:
    def plain(value: float | None) -> float | None:
        return None if value is None or not np.isfinite(value) else round(float(value), 4)

    return {
        "key": driver.key, "label_fr": label_of(driver.key, parameters, "fr"),
        "label_en": label_of(driver.key, parameters, "en"), "status": driver.status, "sign": plain(driver.sign),
        "first": plain(driver.first), "first_half_width": plain(driver.first_half_width),
        "total": plain(driver.total), "total_half_width": plain(driver.total_half_width),
    }  # fmt: skip


def _failing(site: SiteFutures, parameters: Any, total: tuple[Driver, ...]) -> dict[str, Any]:
    box = site.box
    limits = [] if box is None else [
        {"key": site.laws[limit.column].key, "low": limit.low, "high": limit.high, "p": limit.p} for limit in box.limits
    ]  # fmt: skip
    return {
        "code": site.code, "name": site.name, "p_viable": round(site.p_viable, 4), "limits": limits,
        "coverage": None if box is None else round(box.coverage, 4),
        "density": None if box is None else round(box.density, 4),
        **{f"sentence_{lang}": failing_sentence(site, parameters, lang) for lang in ("fr", "en")},
        **{f"learn_{lang}": learn_sentence(site, parameters, lang) for lang in ("fr", "en")},
        "drivers": [_told(d, parameters) for d in (total or site.drivers)[:5]],
        "drivers_method": "sobol" if total else "rbd_fast",
    }  # fmt: skip


def _territory_figure(ensemble: Ensemble) -> tuple[str, np.ndarray]:
    """What the drivers of a territory explain: its number of viable sites; its mean score where that never moves."""
    count = viable(ensemble)[:, available_sites(ensemble)].sum(axis=1).astype(float)
    if np.ptp(count) > 0.0:
        return "viable_sites", count
    return "mean_score", ensemble.figure("score")[:, available_sites(ensemble)].mean(axis=1)


def _filled(runs: Gathered, backend: Backend) -> np.ndarray:
    """What is made of every run of a design, with progress."""
    for done in gather(runs, backend):
        _progress(done, len(runs.values))
    return runs.found


def _explained(
    counts: bool, available: np.ndarray, sites: tuple[int, ...], setup: Setup, rows: np.ndarray
) -> np.ndarray:
    """The territory's figure, then the margin of each of `sites`, in each row of a design; made where the draws are run,
    so that only these figures travel and stay in memory. counts: viable sites, else the mean score."""
    figures = run_rows(setup, rows)
    margin = margins(setup, figures)
    score = figures[:, KEPT.index("score")][:, available].mean(axis=1)
    whole = (margin[:, available] >= 0.0).sum(axis=1) if counts else score
    return np.where(np.isfinite(margin[:, :1]), np.column_stack([whole, margin[:, sites]]), np.nan)


def _sobol(
    args: argparse.Namespace,
    ensemble: Ensemble,
    backend: Callable[[RowsWork], Backend],
    found: Results,
    codes: list[str],
) -> tuple[tuple[Driver, ...], dict[str, tuple[Driver, ...]], int]:
    """Total indices of the territory's figure and of the margin of each told site, and the number of runs."""
    setup = ensemble.setup
    rows = tuple(row for code in codes if (row := found.row(code)) is not None)
    values = drivers.saltelli(setup, args.sobol, args.seed)
    say(f"Sobol: {len(values)} more runs")
    made = partial(_explained, _territory_figure(ensemble)[0] == "viable_sites", available_sites(ensemble), rows)
    y = _filled(nothing_gathered(setup, values, 1 + len(rows)), backend(made))
    each = [drivers.sobol(setup.laws, values, y[:, k], args.seed) for k in range(y.shape[1])]
    return each[0], dict(zip(codes, each[1:], strict=True)), len(values)


def _plans(ensemble: Ensemble, questions: dict[str, Question]) -> tuple[Candidate, ...]:
    """Nothing, and the plan that answers each `--plan`; a hub that exists for one of them exists for all."""
    s = ensemble.setup
    found, made = [Candidate("nothing", ())], {}
    for text, question in questions.items():
        made[text] = site_plan(s.territory, s.scenario, s.parameters, question, s.home)
        say(f"plan {text}: {', '.join(site.code for site in made[text].sites)}")
    existing = tuple(sorted({row for plan in made.values() for row in plan.rows_of(existing=True)}))
    for text, plan in made.items():
        rows = tuple(row for row in plan.rows_of(existing=False) if row not in existing)
        found.append(Candidate(text, rows, plan.question.desks, existing))
    return tuple(found)


def _regretted(plan: CandidateFutures, codes: list[str]) -> dict[str, Any]:
    return {
        "plan": plan.name, "sites": codes, "net_benefit_eur_per_year": round(plan.worth_eur, 1),
        "p_gains": round(plan.p_gains, 4), "p_best": round(plan.p_best, 4),
        "regret_eur_per_year": round(plan.regret_eur, 1), "regret_p95_eur_per_year": round(plan.regret_p95_eur, 1),
        "regret_worst_eur_per_year": round(plan.regret_worst_eur, 1),
    }  # fmt: skip


def _progress(done: int, draws: int) -> None:
    say(f"{done}/{draws} draws")


def _code(ensemble: Ensemble, row: int) -> str:
    territory = ensemble.setup.territory
    return str(territory.zones["zone_code"].iloc[int(territory.site_zone[row])])


def _sites(found: Results) -> list[dict[str, Any]]:
    table = found.sites.iloc[[*found.order, *np.flatnonzero(~found.sites["available"].to_numpy(bool))]]
    return [
        {
            "code": row.zone_code, "name": row.name_, "p_viable": round(float(row.p_viable), 4),
            "rank_p05": round(float(row.rank_p05), 1), "rank_p50": round(float(row.rank_p50), 1),
            "rank_p95": round(float(row.rank_p95), 1), "p_top10": round(float(row.p_top10), 4),
            "p_first": round(float(row.p_first), 4), "tie_group": int(row.tie_group), "robust": bool(row.robust),
            "score": [round(float(v), 2) for v in (row.score_p05, row.score_p50, row.score_p95)],
            "users": [round(float(v), 2) for v in (row.users_p05, row.users_p50, row.users_p95)],
            "regret_eur_per_year": round(float(row.regret_eur_per_year), 1), "available": bool(row.available),
        }
        for row in table.rename(columns={"name": "name_"}).itertuples()
    ]  # fmt: skip


def run_ensemble(args: argparse.Namespace) -> int:
    """`ensemble`: many futures, on this machine or on a Dask cluster."""
    target = _target(args.to, ENDINGS) if args.to else None
    parameters = load_parameters()
    read = read_scenario(args, parameters)
    scenario = read.scenario
    territory, home = territories(scenario, parameters, args.shipped)
    scenario = _with_refusals(scenario, territory, args.shipped)
    if args.sobol and (args.sobol < LEAST_BASE or args.sobol & (args.sobol - 1)):
        raise EnsembleError(f"--sobol {args.sobol}: should be a power of two from {LEAST_BASE} (64, 128, 256 ...)")
    asked = args.plan or ([to_text(read.plan)] if read.plan else [])
    questions = {text: from_text(text) for text in asked}
    for question in questions.values():
        check(question, territory)
    known = learned(read.dossier.survey, parameters)
    laws = laws_of(scenario, parameters, args.levers, args.weights, known)
    setup = Setup(territory, home, scenario, parameters, laws)
    workers = cluster.workers_of(args.scheduler, args.wait) if args.scheduler else args.workers or cores()

    def backend(made: RowsWork = run_rows) -> Backend:
        return cluster.dask(args.scheduler, args.wait, made) if args.scheduler else local(workers, made)

    folder = Path(args.resume) if args.resume else None
    ensemble = run(setup, args.draws, args.seed, workers, backend(), folder, _progress)
    found = results(ensemble)
    if found is None:
        raise EnsembleError("no draw has a solution: the assumptions of the scenario do not hold together")
    codes = [str(code) for code in found.sites["zone_code"].to_numpy(object)[found.order[:SITES_TOLD]]]
    if args.site and args.site not in codes:
        codes.append(args.site)
    told = [site_futures(ensemble, found, code) for code in codes]
    if None in told:
        raise EnsembleError(f"--site {args.site}: no commune of {territory.name} has this code")
    figure, y = _territory_figure(ensemble)
    columns = counted(setup.laws)
    main = drivers.from_draws(tuple(setup.laws[k] for k in columns), ensemble.drawn()[:, columns], y, args.seed)
    totals: dict[str, tuple[Driver, ...]] = {}
    plans: tuple[Candidate, ...] = ()
    regretted: tuple[CandidateFutures, ...] = ()
    runs = 0
    if args.sobol:
        main, totals, runs = _sobol(args, ensemble, backend, found, codes)
    if questions:
        plans = _plans(ensemble, questions)
        worth = nothing_gathered(setup, ensemble.values, len(plans))
        regretted = compared(plans, _filled(worth, backend(partial(plan_rows, plans))))
    if target is not None:
        about = args.site or codes[0]
        _written(target, args, ensemble, found, Further(about, totals.get(about, ()), runs, regretted))
    document = {
        "model_version": MODEL_VERSION, "territory": territory.code, "territory_name": territory.name,
        "draws": ensemble.draws, "usable": found.usable, "seed": args.seed, "seconds": round(ensemble.seconds, 3),
        "workers": workers, "quantities": [law.key for law in setup.laws], "sites": _sites(found),
        "drivers_of": figure, "drivers_method": "sobol" if args.sobol else "rbd_fast",
        "drivers": [_told(d, parameters) for d in main],
        "runs_of_drivers": runs or found.usable,
        "failing": [_failing(site, parameters, totals.get(site.code, ())) for site in told if site is not None],
        "plans": [
            _regretted(said, [_code(ensemble, row) for row in plan.rows])
            for plan, said in zip(plans, regretted, strict=bool(regretted))
        ],
    }  # fmt: skip
    if args.json:
        print(json.dumps(document, ensure_ascii=False, allow_nan=False))
        return DONE
    print(f"{territory.name} · {found.usable} of {ensemble.draws} draws · {ensemble.seconds:.1f} s · {workers} workers")
    print(f"{'code':<7}{'commune':<30}{'viable':>8}{'ranks (5-50-95 %)':>22}{'top 10':>8}{'first':>8}  group")
    for site in document["sites"][:20]:
        ranks = f"{site['rank_p05']:.0f} - {site['rank_p50']:.0f} - {site['rank_p95']:.0f}"
        print(f"{site['code']:<7}{site['name'][:29]:<30}{site['p_viable']:>8.0%}{ranks:>22}"
              f"{site['p_top10']:>8.0%}{site['p_first']:>8.0%}  {site['tie_group']}{' robust' if site['robust'] else ''}")  # fmt: skip
    for plan in document["plans"]:
        print(f"plan {plan['plan']}: best in {plan['p_best']:.0%}, regret {plan['regret_eur_per_year']:,.0f} EUR a year "
              f"(95 %: {plan['regret_p95_eur_per_year']:,.0f}, worst: {plan['regret_worst_eur_per_year']:,.0f})")  # fmt: skip
    for item in document["failing"]:
        print(f"{item['name']}: {item['sentence_en']} {item['learn_en']}")
    return DONE
