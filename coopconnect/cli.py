"""The same engine without a screen. `docs/cli.md` has every command; names and JSON fields are stable.

Exit codes: 0 done, 1 failed, 2 wrong input (one clear line on standard error, no traceback).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NoReturn

from coopconnect import MODEL_VERSION
from coopconnect.dossier import Dossier
from coopconnect.parameters import DATA_DIR, ParameterError, Parameters, load_parameters
from coopconnect.scenario import (
    DEFAULT_TERRITORY,
    Scenario,
    ScenarioError,
    reference_scenario,
    set_all,
    to_query,
)
from coopconnect.scenario_file import ScenarioFile, from_toml

DONE, FAILED, WRONG_INPUT = 0, 1, 2

ARGUMENTS = ("elected", "employers", "state")
CHARTS = (
    "map", "hours", "components", "response", "waterfall", "users", "price", "telepresence", "gains", "gains_eur", "bands",
    "density",
)  # fmt: skip
"""What `export` may be asked for: as in `coopconnect.export.files`, whose libraries are not loaded to say so."""

SITE_FIELDS = (
    "users", "hub_days_per_year", "desks", "hours_per_year", "eur_per_year", "kg_co2e_per_year",
    "hours_per_participating_household", "viability",
)  # fmt: skip


class WrongInput(ValueError):
    """The user's words cannot be used; the message says what, what is allowed and what to do."""


def say(text: str) -> None:
    """Progress and remarks go to standard error, so that standard output stays one JSON document."""
    print(text, file=sys.stderr, flush=True)


def scenario_of(args: argparse.Namespace, parameters: Parameters) -> Scenario:
    """Scenario of the command: the reference, then the file, then each --set, then --territory."""
    return read_scenario(args, parameters).scenario


def read_scenario(args: argparse.Namespace, parameters: Parameters) -> ScenarioFile:
    """The scenario of the command, with the dossier and the plan of its file (empty, None without one)."""
    read = ScenarioFile(reference_scenario(parameters), Dossier())
    if args.scenario:
        path = Path(args.scenario)
        if not path.is_file():
            raise WrongInput(f"--scenario {path}: no such file")
        try:
            read = from_toml(path.read_text(encoding="utf-8"), parameters)
        except UnicodeDecodeError:
            raise WrongInput(f"--scenario {path}: not a text file in UTF-8") from None
    pairs: dict[str, object] = {}
    for text in args.set or ():
        key, equal, value = text.partition("=")
        if not equal:
            raise WrongInput(f"--set {text}: should be key=value")
        pairs[key.strip()] = value.strip()
    scenario = set_all(read.scenario, pairs, parameters)
    return replace(read, scenario=scenario.with_values(territory=args.territory) if args.territory else scenario)


def territories(scenario: Scenario, parameters: Parameters, shipped: bool = False) -> tuple[Any, Any]:
    """The territory of the scenario, and the one on which the choice is calibrated.

    With the official tables of the store, unless `shipped`.
    """
    from coopconnect.territory.load import load_territory
    from coopconnect.territory.official.store import Store
    from coopconnect.territory.official.tables import NOTHING

    circuity, folder = parameters.value("circuity"), DATA_DIR / "territory"
    official = NOTHING if shipped else Store.default().official()
    territory = load_territory(scenario.territory, folder, circuity=circuity, official=official)
    if scenario.territory == DEFAULT_TERRITORY:
        return territory, territory
    return territory, load_territory(DEFAULT_TERRITORY, folder, circuity=circuity, official=official)


def _assess(scenario: Scenario, parameters: Parameters, shipped: bool = False) -> tuple[Any, Any]:
    from coopconnect.model.assessment import assess

    territory, home = territories(scenario, parameters, shipped)
    scenario = _with_refusals(scenario, territory, shipped)
    return territory, assess(territory, scenario, parameters, home=home)


def _with_refusals(scenario: Scenario, territory: Any, shipped: bool) -> Scenario:
    """The scenario as the model reads it: communes of which every host has refused."""
    if not scenario.hosts:
        return scenario
    from coopconnect.territory.hosts import assessed_scenario

    return assessed_scenario(scenario, _hosts(territory, shipped))


def _hosts(territory: Any, shipped: bool) -> Any:
    """Buildings of the territory that could lend a room."""
    from coopconnect.territory.hosts import hosts_of
    from coopconnect.territory.official.store import Store

    found = None if shipped else Store.default().load("places")
    return hosts_of(territory.zones[territory.zones["in_territory"]], found[0] if found else None)


def _finite(value: Any) -> Any:
    """A plain number for JSON; None where it is not finite."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _site(row: Any) -> dict[str, Any]:
    """One site of the JSON of `assess`."""
    from coopconnect.scenario import COMPONENTS

    bounds = {end: {name: _finite(row[f"{name}_{end}"]) for name in ("score", *SITE_FIELDS)} for end in ("low", "high")}
    return {
        "code": row["zone_code"], "name": row["name"], "rural": bool(row["rural"]), "rank": int(row["rank"]),
        "score": _finite(row["score"]),
        "components": {name: _finite(row[f"component_{name}"]) for name in COMPONENTS},
        **{name: _finite(row[name]) for name in SITE_FIELDS},
        "red_flag": bool(row["red_flag"]), "available": bool(row["available"]),
        **bounds,
    }  # fmt: skip


def run_assess(args: argparse.Namespace) -> int:
    """`assess`: every commune as the place of one hub, best first."""
    parameters = load_parameters()
    scenario = scenario_of(args, parameters)
    territory, result = _assess(scenario, parameters, args.shipped)
    sites = result.sites.sort_values(["available", "rank"], ascending=[False, True])
    if args.rural:
        sites = sites[sites["rural"]]
    if args.top is not None:
        sites = sites.head(args.top)
    totals = {name: {k: _finite(v) for k, v in asdict(r).items()} for name, r in result.totals.items()}
    document = {
        "model_version": MODEL_VERSION,
        "territory": territory.code,
        "territory_name": territory.name,
        "scenario": {**asdict(scenario), "changed": dict(scenario.changed)},
        "modelled": list(result.modelled),
        "calibration": {"targets": result.calibration.targets, "reached": result.calibration.reached,
                        "messages": list(result.calibration.messages_en)},
        "seconds": round(result.seconds, 4),
        "totals": totals,
        "sites": [_site(row) for _, row in sites.iterrows()],
    }  # fmt: skip
    if args.json:
        print(json.dumps(document, ensure_ascii=False))
        return DONE
    print(f"{territory.name} · {len(result.sites)} communes · model {MODEL_VERSION} · " + ", ".join(
        f"{p.table}: {p.kind}" for p in territory.provenance))  # fmt: skip
    print(
        f"{'rank':>5} {'code':<6}{'commune':<30}{'score':>6} {'(range)':<12}{'users':>7}{'hours/yr':>10}{'viability':>10}"
    )
    for site in document["sites"][: args.top or 20]:
        spread = f"({site['low']['score']:.0f}-{site['high']['score']:.0f})"
        print(f"{site['rank']:>5} {site['code']:<6}{site['name'][:29]:<30}{site['score']:>6.1f} {spread:<12}"
              f"{site['users']:>7.1f}{site['hours_per_year']:>10.0f}{site['viability']:>10.2f}")  # fmt: skip
    return DONE


def run_table(args: argparse.Namespace) -> int:
    """`table NAME --to FILE`: zones, flows, access or sites, as parquet or CSV."""
    from coopconnect.export import tables

    parameters = load_parameters()
    scenario = scenario_of(args, parameters)
    target = _target(args.to, (".parquet", ".csv"))
    if args.name == "sites":
        _, result = _assess(scenario, parameters, args.shipped)
        frame = tables.sites_table(result)
    else:
        territory, _ = territories(scenario, parameters, args.shipped)
        frame = getattr(tables, f"{args.name}_table")(territory)
    rows = tables.write_table(frame, target)
    _done(args, {"table": args.name, "rows": rows, "file": str(target)}, f"{target}: {rows} rows")
    return DONE


def _target(text: str, allowed: tuple[str, ...]) -> Path:
    path = Path(text)
    if path.suffix.lower() not in allowed:
        raise WrongInput(f"--to {text}: allowed endings {', '.join(allowed)}")
    if not path.parent.is_dir():
        raise WrongInput(f"--to {text}: the folder {path.parent} does not exist")
    return path


def _done(args: argparse.Namespace, document: dict[str, Any], line: str) -> None:
    print(json.dumps(document, ensure_ascii=False) if args.json else line)


def _futures(args: argparse.Namespace, result: Any, dossier: Dossier, places: tuple[Any, Any], parameters: Any) -> Any:
    """The draws of `export --draws` for the scenario of `result`; their libraries load here only."""
    from coopconnect.uncertainty.engine import Setup
    from coopconnect.uncertainty.laws import laws_of
    from coopconnect.uncertainty.run import run
    from coopconnect.uncertainty.survey import learned

    laws = laws_of(result.scenario, parameters, posterior=learned(dossier.survey, parameters))
    return run(Setup(*places, result.scenario, parameters, laws), args.draws)


def run_export(args: argparse.Namespace) -> int:
    """`export --to FILE`: the workbook, an argument, a map, a chart, GIS files, the council kit."""
    from dataclasses import replace
    from datetime import date

    from coopconnect.export.files import ENDINGS, Taken, export_file
    from coopconnect.territory.official.status import beside
    from coopconnect.territory.official.store import Store

    parameters = load_parameters()
    read = read_scenario(args, parameters)
    scenario, dossier = read.scenario, read.dossier
    target = _target(args.to, ENDINGS)
    territory, home = territories(scenario, parameters, args.shipped)
    _, result = _assess(scenario, parameters, args.shipped)
    _, before = _assess(reference_scenario(parameters, scenario.territory), parameters, args.shipped)
    link = "?" + "&".join(f"{k}={v}" for k, v in to_query(scenario, parameters).items())
    futures = _futures(args, result, dossier, (territory, home), parameters) if args.draws else None
    if futures is not None:
        from coopconnect.uncertainty.bands import with_quantiles

        result = with_quantiles(result, futures)
    taken = Taken(
        territory, replace(result, scenario=scenario), before, parameters, args.language, date.today(), args.link or link,
        args.site or "", dossier, hosts=_hosts(territory, args.shipped), home=home, ensemble=futures,
        beside=beside({} if args.shipped else Store.default().labels()),
    )  # fmt: skip
    export_file(target, taken, args.argument, args.chart)
    _done(
        args,
        {"files": [str(target)], "bytes": target.stat().st_size},
        f"{target}: {target.stat().st_size} bytes",
    )
    return DONE


def run_doctor(args: argparse.Namespace) -> int:
    """`doctor`: is this installation sound? Prints one line a check; exit 1 where one fails."""
    from coopconnect.doctor import checks

    results = checks(warm=args.warm)
    if args.json:
        print(json.dumps({"checks": [asdict(r) for r in results], "sound": all(r.ok for r in results)}))
    else:
        for r in results:
            print(f"{'ok  ' if r.ok else 'FAIL'} {r.name}: {r.detail}")
    return DONE if all(r.ok for r in results) else FAILED


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--territory", default=None, help="region 93, departement d04, EPCI SIREN, file of communes, FR"
    )
    parser.add_argument("--scenario", metavar="FILE.toml", help="a scenario file")
    parser.add_argument("--set", metavar="key=value", action="append", help="a lever or a parameter (repeatable)")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--shipped", action="store_true", help="leave aside the official tables that are loaded")


def _positive(text: str) -> int:
    value = int(text) if text.isascii() and text.isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"should be a whole number from 1, not {text!r}")
    return value


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, like all others."""

    def error(self, message: str) -> NoReturn:
        raise WrongInput(f"{message} (try {self.prog} --help)")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    from coopconnect import cli_data, cli_ensemble, cli_siting, cli_validate  # they use what stands above

    top = _Parser(prog="coopconnect", description="Where is a shared workplace worth opening?")
    top.add_argument("--version", action="version", version=MODEL_VERSION)
    commands = top.add_subparsers(dest="command", required=True, metavar="command")

    def add(name: str, help_text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text, description=help_text)
        _common(sub)
        sub.set_defaults(run=run)
        return sub

    assess = add("assess", "every commune as the place of one hub, best first", run_assess)
    assess.add_argument("--top", type=_positive, help="only the N best")
    assess.add_argument("--rural", action="store_true", help="rural communes only")
    table = add("table", "a table as parquet or CSV", run_table)
    table.add_argument("name", choices=("zones", "flows", "access", "sites"))
    table.add_argument("--to", required=True, metavar="FILE", help="FILE.parquet or FILE.csv")
    export = add("export", "what the app exports", run_export)
    export.add_argument(
        "--to", required=True, metavar="FILE", help=".xlsx .pdf .html .png .svg .geojson .gpkg .csv .zip"
    )
    export.add_argument(
        "--site", metavar="CODE", help="commune of the argument and of the charts (the best by default)"
    )
    export.add_argument("--argument", choices=ARGUMENTS, default="elected", help="which PDF")
    export.add_argument("--chart", choices=CHARTS, default="map", help="which picture")
    export.add_argument(
        "--draws",
        type=_positive,
        metavar="N",
        help="draw N futures: ranges are their 5 and 95 %% (docs/uncertainty.md)",
    )
    export.add_argument("--link", metavar="ADDRESS", help="address printed in the files, with its code")
    export.add_argument("--language", choices=("fr", "en"), default="fr")
    plan = add("plan", "which sites together, in which order, with a proven bound", cli_siting.run_plan)
    cli_siting.add_plan(plan)
    locate = add("locate", "a classical location model on a matrix, with its bound", cli_siting.run_locate)
    cli_siting.add_locate(locate)
    data = add("data", "the data: status, fetch, import, roads, hosts, remove, restore, build", cli_data.run)
    cli_data.add_arguments(data)
    validate = add("validate", "the built-in models against observed figures", cli_validate.run)
    cli_validate.add_arguments(validate)
    ensemble = add("ensemble", "many futures: would we still decide so?", cli_ensemble.run_ensemble)
    cli_ensemble.add_arguments(ensemble)
    doctor = add("doctor", "is this installation sound?", run_doctor)
    doctor.add_argument(
        "--warm", action="store_true", help="also compile the kernels, so that the first start is quick"
    )
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; wrong input gives one clear line and exit code 2."""
    try:
        args = parser().parse_args(argv)
        return int(args.run(args))
    except SystemExit as stop:  # --help and --version
        return int(stop.code or 0)
    except (WrongInput, ScenarioError, ParameterError, ValueError) as error:
        say("coopconnect: " + " · ".join(str(error).splitlines()))
        return WRONG_INPUT
    except BrokenPipeError:
        return FAILED
    except OSError as error:
        say(f"coopconnect: {error}")
        return FAILED
