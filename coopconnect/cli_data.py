"""`data ...` on the command line: what is loaded, fetch, import, roads, hosts, build."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from coopconnect.cli import DONE, FAILED, WrongInput, say, scenario_of, territories
from coopconnect.parameters import DATA_DIR, Parameters, load_parameters
from coopconnect.scenario import reference_scenario
from coopconnect.show import words
from coopconnect.territory.official.catalogue import Entry, also_feeding, choose, load_catalogue
from coopconnect.territory.official.climate import waits
from coopconnect.territory.official.contract import TABLES
from coopconnect.territory.official.fetch import fetch
from coopconnect.territory.official.fetch_types import FetchError, Progress
from coopconnect.territory.official.kinds import Imported, import_file
from coopconnect.territory.official.reading import ReadingError
from coopconnect.territory.official.status import status_rows
from coopconnect.territory.official.store import Store, StoreError, writing
from coopconnect.territory.provenance import turned

SHOWN_PROBLEMS = 12
HOSTS_HINT = "hosts: `data hosts` counts what the lists became"


def add_arguments(data: argparse.ArgumentParser) -> None:
    """Arguments of `data`."""
    data.add_argument("action", choices=sorted(ACTIONS))
    data.add_argument(
        "file", nargs="?", metavar="FILE", help="import: the file; roads: FILE.osm.pbf; remove, restore: a table"
    )
    data.add_argument("--to", metavar="FOLDER", help="build: where to (data/territory)")
    data.add_argument(
        "--only", metavar="KEY", action="append", help="fetch: a file of the catalogue or a table (repeatable)"
    )
    data.add_argument("--mirror", metavar="ADDRESS", help="fetch: an address or a folder where the files are")
    data.add_argument("--proxy", metavar="ADDRESS", help="fetch, roads --router: a proxy")
    data.add_argument("--as", dest="table", choices=sorted(TABLES), help="import: what the file is")
    data.add_argument(
        "--column", metavar="ours=theirs", action="append", help="import: a column of the file (repeatable)"
    )
    data.add_argument("--source", help="import: where the file comes from")
    data.add_argument("--year", help="import: year of the figures")
    data.add_argument("--dry-run", action="store_true", help="import: read and tell, keep nothing")
    data.add_argument("--limit-min", type=float, default=60.0, help="roads: longest trip kept, minutes")
    data.add_argument("--processes", type=int, default=2, help="roads: how many at a time")
    data.add_argument("--router", metavar="ADDRESS", help="roads: an OSRM or Valhalla server, in place of the file")
    data.add_argument("--table-size", type=int, default=100, help="roads: points in one question to the server")


def run(args: argparse.Namespace) -> int:
    """Run `data ACTION`."""
    return ACTIONS[args.action](args)


def _told(args: argparse.Namespace, document: dict[str, Any], lines: list[str]) -> None:
    print(json.dumps(document, ensure_ascii=False) if args.json else "\n".join(lines))


def _status(args: argparse.Namespace) -> int:
    parameters, store = load_parameters(), Store.default()
    territory, _ = territories(scenario_of(args, parameters), parameters)
    rows = status_rows(territory.provenance, store, load_catalogue(), date.today())
    lines = [f"{r['table']:<12}{r['kind']:<11}{r['year']:<11}{r['source_en']}" + (f" · {r['age_days']} d" if r["age_days"] is not None
             else "") + (f" · better: {r['better']}" if r["better"] else "") for r in rows]  # fmt: skip
    lines += [f"{name}: cannot be read and is ignored; fetch or import it again" for name in store.problems()]
    _told(args, {"territory": territory.code, "tables": rows, "unreadable": store.problems()}, lines)
    return DONE


def _hosts(args: argparse.Namespace) -> int:
    """How the lists of places that are loaded became hosts in the communes of a territory."""
    from coopconnect.territory.hosts import host_counts, hosts_of, lists_of

    parameters = load_parameters()
    territory, _ = territories(scenario_of(args, parameters), parameters)
    found = None if args.shipped else Store.default().load("places")
    places = found[0] if found else None
    zones = territory.zones[territory.zones["in_territory"]]
    hosts = hosts_of(zones, places)
    counts = host_counts(zones, places, hosts)
    kinds, lists = hosts["kind"].value_counts().to_dict(), lists_of(places)
    english = (
        dict(zip(*(found[1].source_in(language).split(" + ") for language in ("fr", "en")), strict=False))
        if found
        else {}
    )
    lists = [{**one, "source_en": english.get(one["source"], one["source"])} for one in lists]
    lines = [
        *(f"{one['source_en']} ({one['year'] or 'year not told'}): {one['rows']} rows" for one in lists),
        f"{counts['rows']} rows in the lists, {counts['moving']} of them services that move",
        f"{counts['town_halls']} town halls and {counts['other_hosts']} other hosts: "
        + ", ".join(f"{name} {count}" for name, count in kinds.items()),
        f"{counts['joined_another']} rows joined another, {counts['joined_a_town_hall']} a town hall; "
        f"{counts['moved']} points out of their commune were not believed",
    ]
    _told(args, {"territory": territory.code, **counts, "kinds": kinds, "lists": lists}, lines)
    return DONE


def _build(args: argparse.Namespace) -> int:
    from coopconnect.territory.build import BuildError, build

    target = Path(args.to) if args.to else DATA_DIR / "territory"
    try:
        build(target, progress=say)
    except BuildError as error:
        say(str(error))
        return FAILED
    _told(args, {"built": str(target)}, ["built"])
    return DONE


def _fetch(args: argparse.Namespace) -> int:
    """Download, import and keep each chosen file; what fails is told and the others go on."""
    parameters, store = load_parameters(), Store.default()
    catalogue = load_catalogue()
    entries = choose(catalogue, args.only or ())
    before = _assessed(args, parameters)
    results: list[dict[str, Any]] = []
    failures: list[dict[str, str]] = []
    for entry in entries:
        try:
            got = fetch(entry, store.downloads, mirror=args.mirror, proxy=args.proxy, progress=_teller())
            label = {
                "kind": "official", "source": entry.source_fr, "year": entry.year,
                "source_en": entry.source_en,
                "licence": entry.licence, "url": got.url,
            }  # fmt: skip
            found = import_file(got.path, entry.file_name, entry.feeds, label=label, member=entry.member or None)
            _keep(found, store)
            results.append({"key": entry.key, "table": found.table, "rows": found.label.rows, "sha256": got.sha256,
                            "placed": found.label.placed, "unplaced": found.label.unplaced,
                            "unchanged": got.unchanged, "notes": list(found.label.notes_en)})  # fmt: skip
        except FetchError as error:
            failures.append({"key": entry.key, "error": error.en})
        except (ReadingError, StoreError) as error:
            failures.append({"key": entry.key, "error": str(error)})
    for r in results:
        r["notes"] = _still_true(r["notes"], store, r["table"])
    changes = _changes(args, parameters, before) if results else {}
    lines = []
    for r in results:
        lines.append(f"{r['key']}: {r['rows']} rows" + _left_out(r["unplaced"], r["table"]))
        lines += [f"  {note}" for note in r["notes"]]
    lines += [f"{f['key']}: FAILED, {f['error']}" for f in failures] + _change_lines(changes)
    if any(r["table"] == "places" for r in results):
        lines.append(HOSTS_HINT)
    also = [_also(entry) for entry in also_feeding(catalogue, args.only or (), entries, store.labels())]
    for one in also:
        size = f", {one['size_mb']:g} MB" if one["size_mb"] else ""
        lines.append(f"{one['table']} is also fed by {one['title_en']}{size}: {one['ask']}")
    _told(args, {"fetched": results, "failed": failures, "changes": changes, "also": also}, lines)
    return DONE if not failures else FAILED


def _also(entry: Entry) -> dict[str, Any]:
    """A file not loaded yet that would add to a table that was asked for, and how to ask for it."""
    ask = f"data fetch --only {entry.key}"
    if not entry.urls:
        ask += f" --mirror FOLDER, once taken from {entry.page}"
    return {
        "table": entry.feeds, "key": entry.key, "title_fr": entry.title_fr, "title_en": entry.title_en,
        "size_mb": entry.size_mb, "ask": ask,
    }  # fmt: skip


def _still_true(notes: Iterable[str], store: Store, table: str) -> list[str]:
    """Notes of a file without those that the rest of the table answers: what one lacked, another may have brought."""
    label = store.label(table)
    return [note for note in notes if not waits(note) or label is None or note in label.notes_en]


def _left_out(unplaced: Any, table: Any) -> str:
    if not unplaced:
        return ""
    if not words.known(f"official.unit.{table}"):  # rows, which may be of no commune
        return f", {unplaced:.0f} rows left out"
    return f", {unplaced:.0f} {words.say(f'official.unit.{table}', 'en')} outside today's communes left out"


def _teller():  # type: ignore[no-untyped-def]
    last = [-1]

    def tell(progress: Progress) -> None:
        tenth = int(10 * (progress.share or 0.0))
        if tenth != last[0]:
            last[0] = tenth
            say(progress.text("en"))

    return tell


def _keep(found: Imported, store: Store) -> None:
    if not found.usable or found.frame is None:
        raise ReadingError(f"aucune ligne utilisable ({_problems(found, 3)})", f"no usable row ({_problems(found, 3)})")
    store.add(found.frame, found.label)


def _problems(found: Imported, count: int) -> str:
    told = [f"{f'line {p.line}' if p.line else 'whole file'}: {p.column} {p.value!r} {p.reason_en}" + (f" ({p.count} lines)" if p.count > 1 else "")
            for p in found.problems[:count]]  # fmt: skip
    more = len(found.problems) - count
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")


def _import(args: argparse.Namespace) -> int:
    """Read a file of one's own, tell everything that is wrong in it, keep it unless --dry-run."""
    if not args.file:
        raise WrongInput("data import: name the file, as `data import flux.csv`")
    path = Path(args.file)
    if not path.is_file():
        raise WrongInput(f"data import {path}: no such file")
    mapping = dict(part.partition("=")[::2] for part in args.column or ())
    label = {"kind": "own", "source": args.source or path.name, "year": args.year or ""}
    parameters, store = load_parameters(), Store.default()
    try:
        found = import_file(path, path.name, args.table, mapping, label)
    except ReadingError as error:
        raise WrongInput(error.message_en) from None
    before = None if args.dry_run else _assessed(args, parameters)
    changes: dict[str, Any] = {}
    if not args.dry_run:
        _keep(found, store)
        changes = _changes(args, parameters, before)
    document = {
        "table": found.table, "kept": not args.dry_run, "label": asdict(found.label),
        "problems": [asdict(p) for p in found.problems], "changes": changes,
    }  # fmt: skip
    notes = found.label.notes_en if args.dry_run else _still_true(found.label.notes_en, store, found.table)
    lines = [f"{path.name}: {found.table}, {found.label.rows} rows" + _left_out(found.label.unplaced, found.table),
             *(f"  {note}" for note in notes)]  # fmt: skip
    if found.problems:
        lines += [f"  {text}" for text in _problems(found, SHOWN_PROBLEMS).split("; ")]
    hint = [HOSTS_HINT] if changes and found.table == "places" else []
    _told(args, document, [*lines, *_change_lines(changes), *hint])
    return DONE


def _table_named(args: argparse.Namespace) -> str:
    if args.file not in TABLES:
        raise WrongInput(f"data {args.action} {args.file or ''}: name one of {', '.join(TABLES)}")
    return str(args.file)


def _remove(args: argparse.Namespace) -> int:
    table = _table_named(args)
    done = Store.default().remove(table)
    _told(
        args,
        {"removed": done, "table": table},
        [f"{table}: " + ("put aside (`data restore` brings it back)" if done else "none")],
    )
    return DONE


def _restore(args: argparse.Namespace) -> int:
    table = _table_named(args)
    done = Store.default().restore(table)
    _told(
        args, {"restored": done, "table": table}, [f"{table}: " + ("the one before is back" if done else "none before")]
    )
    return DONE


def _roads(args: argparse.Namespace) -> int:
    """Minutes and km between communes, from an OpenStreetMap extract or a routing server."""
    from coopconnect.territory.roads import RoadsError, RoadsResult

    if bool(args.file) == bool(args.router):
        raise WrongInput(
            "data roads: name an extract (`data roads provence.osm.pbf`) or a server (`--router http://localhost:5000`)"
        )
    parameters, store = load_parameters(), Store.default()
    territory, _ = territories(scenario_of(args, parameters), parameters)
    try:
        with writing(store.folder):
            result: RoadsResult = _routed(args, territory.zones["zone_code"], parameters, store)
    except (RoadsError, ValueError) as error:
        raise WrongInput(f"data roads: {error}") from None
    before = _assessed(args, parameters)
    if not len(result.table):
        raise WrongInput("data roads: no pair of communes of the territory could be routed on these roads")
    store.add(result.table, result.label, gather=True)  # one territory after another
    changes = _changes(args, parameters, before)
    estimated = result.pairs_asked - result.pairs_routed
    document = {
        "source": result.label.source, "pairs_asked": result.pairs_asked, "pairs_routed": result.pairs_routed,
        "pairs_estimated": estimated, "kept_pairs": len(result.table),
        "unsnapped": result.unsnapped["zone_code"].tolist(), "isolated": list(result.isolated), "changes": changes,
    }  # fmt: skip
    lines = [f"{len(result.table)} trips of {result.pairs_asked} pairs; the estimate fills the {estimated} others",
             f"{len(result.unsnapped)} communes too far from any road of the source"]  # fmt: skip
    _told(args, document, [*lines, *_change_lines(changes)])
    return DONE


def _routed(args: argparse.Namespace, codes: Any, parameters: Parameters, store: Store) -> Any:
    """The trips between the communes of `codes`, by the engine that was asked for."""
    from coopconnect.territory.load import read_communes
    from coopconnect.territory.roads import CarProfile, compute_roads, compute_router

    communes = read_communes(DATA_DIR / "territory")
    rows = communes.index[communes["zone_code"].isin(codes)].to_numpy()
    tell = lambda progress: say(progress.text("en"))  # noqa: E731
    shared = {"rows": rows, "limit_min": args.limit_min, "work_dir": store.folder / "roads", "progress": tell}
    if args.router:
        return compute_router(
            args.router, communes, fastest_kmh=parameters.value("road_limit_motorway_kmh"),
            snap_max_km=parameters.value("road_snap_max_km"), table_size=args.table_size, proxy=args.proxy, **shared,
        )  # fmt: skip
    profile = CarProfile.from_parameters(parameters.values_with({}))
    return compute_roads(Path(args.file), communes, profile=profile, processes=args.processes, **shared)


def _assessed(args: argparse.Namespace, parameters: Parameters) -> Any:
    """The reference assessment of the territory asked and that territory, to say later what changed."""
    from coopconnect.model.assessment import assess

    scenario = reference_scenario(parameters, scenario_of(args, parameters).territory)
    territory, home = territories(scenario, parameters)
    return assess(territory, scenario, parameters, home=home), territory


def _changes(args: argparse.Namespace, parameters: Parameters, before: Any) -> dict[str, Any]:
    from coopconnect.model.compare import compare

    (was, territory_before), (is_now, territory) = before, _assessed(args, parameters)
    found = compare(was, is_now)
    named = ("viable_rural_sites", "median_score", "median_users", "hours_per_participating_household")
    kinds = turned(territory_before.provenance, territory.provenance)
    return {
        "territory": territory.name, "same": found.same,
        "kinds": [{"table": table, "before": old, "after": new} for table, old, new in kinds],
        "rural_joined": found.rural_joined, "rural_left": found.rural_left, "viable_gained": found.gained, "viable_lost": found.lost, "top": found.top, "top_kept": found.top_kept,
        "rank_correlation": None if math.isnan(found.rank_correlation) else found.rank_correlation,
        "totals": {name: {"before": asdict(found.totals[name][0]), "after": asdict(found.totals[name][1])} for name in named},
    }  # fmt: skip


def _figure(value: float) -> str:
    """Two decimals at most: a count has none."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _ranged(found: dict[str, float]) -> str:
    return f"{_figure(found['value'])} ({_figure(found['low'])} to {_figure(found['high'])})"


def _change_lines(changes: dict[str, Any]) -> list[str]:
    if not changes:
        return []
    lines = [f"{one['table']}: {one['before']} before, {one['after']} now" for one in changes["kinds"]]
    if changes["same"]:
        return [*lines, f"{changes['territory']}: no figure changes"]
    lines += [f"{changes['territory']}, reference scenario: best {changes['top']} rural communes: {changes['top_kept']} stay among them; "
             f"{changes['viable_gained']} become viable, {changes['viable_lost']} no longer are"]  # fmt: skip
    if changes["rural_left"] or changes["rural_joined"]:
        lines.append(f"  communes that are no longer rural: {changes['rural_left']}, that become so: {changes['rural_joined']}; "
                     "those two counts are of the communes rural before and after, the totals of those of each side")  # fmt: skip
    return lines + [
        f"  {name}: {_ranged(both['before'])} -> {_ranged(both['after'])}" for name, both in changes["totals"].items()
    ]


ACTIONS = {
    "status": _status, "hosts": _hosts, "build": _build, "fetch": _fetch, "import": _import, "remove": _remove, "restore": _restore,
    "roads": _roads,
}  # fmt: skip
