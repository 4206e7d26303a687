"""The scenario as a small TOML file: title, why, differences from the reference, and what is known of its sites."""

from __future__ import annotations

import base64
import binascii
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import tomli_w

from coopconnect.dossier import (
    MOST_NOTES,
    MOST_PHOTOS,
    Dossier,
    DossierError,
    Photo,
    SiteNotes,
    SurveySums,
    shrunk_photo,
)
from coopconnect.parameters import Parameters
from coopconnect.problem import Problem, quoted
from coopconnect.question import Question, from_table, to_table
from coopconnect.scenario import (
    COMMUNE_CODE,
    Scenario,
    ScenarioError,
    apply_known,
    differences,
    hosts_by_status,
    reference_scenario,
)

FILE_VERSION = "2"
"""Version written in files; each version before has its migration in `_MIGRATIONS`."""

_KEYS = ("title", "why", "title_en", "why_en", "version", "differences", "plan", "sites", "survey")
_SITE_KEYS = ("answers", "remarks", "named_users", "notes", "photos")
_PHOTO_KEYS = ("name", "caption", "jpeg")


@dataclass(frozen=True)
class ScenarioFile:
    """What a file says. plan: what the page Réseau was asked, None where nothing was. migrated_from: the older version it
    was written in, '' for the present one."""

    scenario: Scenario
    dossier: Dossier
    title_en: str = ""
    why_en: str = ""
    migrated_from: str = ""
    plan: Question | None = None


def to_toml(
    scenario: Scenario, parameters: Parameters, dossier: Dossier | None = None, plan: Question | None = None
) -> str:  # fmt: skip
    """The scenario, its plan and its dossier as text; only what differs from the reference is written."""
    dossier = dossier or Dossier()
    found = differences(scenario, reference_scenario(parameters))
    if "hosts" in found:
        found["hosts"] = hosts_by_status(scenario.hosts)
    raw: dict[str, Any] = {"title": dossier.title, "why": dossier.why, "version": FILE_VERSION, "differences": found}
    if plan is not None:
        raw["plan"] = to_table(plan)
    if dossier.sites:
        raw["sites"] = {notes.zone_code: _site_table(notes) for notes in dossier.sites}
    if dossier.survey:
        raw["survey"] = asdict(dossier.survey)
    return tomli_w.dumps(raw)


def _site_table(notes: SiteNotes) -> dict[str, Any]:
    photos = [
        {"name": p.name, "caption": p.caption, "jpeg": base64.b64encode(p.content).decode("ascii")}
        for p in notes.photos
    ]
    table = {
        "answers": dict(notes.answers), "remarks": dict(notes.remarks), "named_users": notes.named_users,
        "notes": notes.notes, "photos": photos,
    }  # fmt: skip
    return {key: value for key, value in table.items() if value}


def from_toml(text: str, parameters: Parameters) -> ScenarioFile:
    """What a file says. Raises `ScenarioError` with every problem; an older version is migrated first."""
    raw = _parsed(text)
    version = str(raw.get("version", "1"))
    migrated = "" if version == FILE_VERSION else version
    problems: list[Problem] = []
    while version != FILE_VERSION:
        if version not in _MIGRATIONS:
            known = ", ".join([*_MIGRATIONS, FILE_VERSION])
            raise ScenarioError(Problem("file_version", "version", allowed=known, given=quoted(version)))
        version, raw = _MIGRATIONS[version](raw)
    problems += [Problem("unknown", key, allowed=", ".join(_KEYS)) for key in raw if key not in _KEYS]
    found = raw.get("differences", {})
    if not isinstance(found, dict):
        problems.append(Problem("differences", "differences"))
        found = {}
    scenario, more = apply_known(reference_scenario(parameters), found, parameters)
    sites, wrong = _sites(raw.get("sites", {}))
    survey, amiss = _survey(raw.get("survey"))
    plan, unplanned = from_table(raw["plan"]) if "plan" in raw else (None, [])
    problems += [*more, *unplanned, *wrong, *amiss]
    if problems:
        raise ScenarioError(*(problem.in_text(text) for problem in problems))
    words = {key: str(raw.get(key, ""))[:MOST_NOTES] for key in ("title", "why", "title_en", "why_en")}
    dossier = Dossier(words["title"], words["why"], sites, survey)
    return ScenarioFile(scenario, dossier, words["title_en"], words["why_en"], migrated, plan)


def _survey(raw: object) -> tuple[SurveySums | None, list[Problem]]:
    """The sums of a survey, and what is wrong with them."""
    if raw is None:
        return None, []
    keys = [f.name for f in fields(SurveySums)]
    if not isinstance(raw, dict) or set(raw) - set(keys):
        return None, [Problem("table_of", "survey", allowed=", ".join(keys))]
    try:
        found = SurveySums(**raw)
    except TypeError:
        return None, [Problem("table_of", "survey", allowed=", ".join(keys))]
    problem = found.problem()
    return (None, [problem.under("survey")]) if problem else (found, [])


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        if where is None:
            raise ScenarioError(Problem("not_toml_end", detail=str(error))) from None
        detail = str(error)[: where.start()].strip()
        raise ScenarioError(Problem("not_toml", detail=detail, row=where[1], column=where[2])) from None
    except RecursionError:
        raise ScenarioError(Problem("too_deep")) from None


def _from_version_1(raw: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Version 1 had no sites; all else reads the same."""
    found = {**raw, "version": "2"}
    return "2", found


_MIGRATIONS: dict[str, Callable[[Mapping[str, Any]], tuple[str, dict[str, Any]]]] = {"1": _from_version_1}


def _sites(raw: object) -> tuple[tuple[SiteNotes, ...], list[Problem]]:
    """Notes by site, and every problem found."""
    if not isinstance(raw, dict):
        return (), [Problem("sites", "sites")]
    found: list[SiteNotes] = []
    problems: list[Problem] = []
    for code, table in raw.items():
        if not COMMUNE_CODE.fullmatch(code):
            problems.append(Problem("communes", "sites", given=quoted(code)))
        elif not isinstance(table, dict):
            problems.append(Problem("table", f"sites.{code}"))
        else:
            notes, wrong = _notes(code, table)
            found.append(notes)
            problems += [problem.under("sites", code) for problem in wrong]
    return tuple(sorted((n for n in found if not n.empty), key=lambda n: n.zone_code)), problems


def _notes(code: str, table: Mapping[str, Any]) -> tuple[SiteNotes, list[Problem]]:
    problems = [Problem("unknown", key, allowed=", ".join(_SITE_KEYS)) for key in table if key not in _SITE_KEYS]
    notes = SiteNotes(code)
    for key, put in (("answers", SiteNotes.with_answer), ("remarks", SiteNotes.with_remark)):
        pairs = table.get(key, {})
        if not isinstance(pairs, dict):
            problems.append(Problem("questions", key))
            continue
        for question, text in pairs.items():
            try:
                notes = put(notes, question, str(text))
            except DossierError as error:
                problems += error.problems
    named = table.get("named_users", 0)
    if isinstance(named, bool) or not isinstance(named, int) or not 0 <= named <= 999:
        problems.append(Problem("whole", "named_users", low=0, high=999, given=quoted(named)))
        named = 0
    photos, wrong = _photos(table.get("photos", []))
    text = str(table.get("notes", ""))[:MOST_NOTES]
    return SiteNotes(code, notes.answers, notes.remarks, named, text, photos), [*problems, *wrong]


def _photos(raw: object) -> tuple[tuple[Photo, ...], list[Problem]]:
    """Photos of a file: read again as pictures, so that nothing else can hide in one."""
    if not isinstance(raw, list) or len(raw) > MOST_PHOTOS:
        return (), [Problem("photos", "photos", count=MOST_PHOTOS)]
    photos: list[Photo] = []
    problems: list[Problem] = []
    for k, item in enumerate(raw, 1):
        if not isinstance(item, dict) or set(item) - set(_PHOTO_KEYS) or not isinstance(item.get("jpeg"), str):
            problems.append(Problem("photo_keys", "photos", count=k, allowed=", ".join(_PHOTO_KEYS)))
            continue
        try:
            content = base64.b64decode(item["jpeg"], validate=True)
            kept = shrunk_photo(str(item.get("name", k)), content)
            photos.append(
                Photo(kept.name, content if content[:2] == b"\xff\xd8" else kept.content, str(item.get("caption", "")))
            )
        except binascii.Error:
            problems.append(Problem("photo_base64", "photos", count=k))
        except DossierError as error:
            problems += [problem.under("photos") for problem in error.problems]
    return tuple(photos), problems
