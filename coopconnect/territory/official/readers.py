"""From a table of text to a table of the contract: commuting flows, workers and jobs, density, travel.

Each reader takes the raw table, the column of the file for each name it knows, and the map of codes. It keeps what is
good, tells all that is not, and counts what could not be placed: nothing is dropped in silence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from coopconnect.territory.official.codes import DISTRICTS, CodeMap, clean
from coopconnect.territory.official.reading import Problem, RawTable

SECONDS_PER_MINUTE = 60.0
MISSING = frozenset({"", "s", "nd", "n/a", "na", "nan", "-", "..", "ns", "null"})
"""How publishers write that a figure is secret or missing."""
COUNTED = {
    "workers": ("actifs", "workers"), "jobs": ("emplois", "jobs"), "population": ("habitants", "inhabitants"),
    "households": ("résidences principales", "main residences"),
}  # fmt: skip
"""What the amounts of a column count, in French and English."""
LEVELS = {
    "grands centres urbains": 1, "centres urbains intermédiaires": 2, "petites villes": 3, "ceintures urbaines": 4,
    "bourgs ruraux": 5, "rural à habitat dispersé": 6, "rural à habitat très dispersé": 7,
}  # fmt: skip
"""Names of the seven levels of INSEE's density grid."""


def _bare(name: str) -> str:
    """A name without case or accents."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().strip().lower()


_BARE_LEVELS = {_bare(name): level for name, level in LEVELS.items()}
LONGEST_MIN = 1500.0
"""No drive between two communes of metropolitan France takes 25 hours: such a time is in seconds."""


@dataclass(frozen=True, eq=False)
class Reading:
    """Rows of a contract table, problems by line, notes (French, English), and amounts placed and left out.

    `breakdown` says where the amounts left out went (abroad, overseas, unknown), in the unit of the table.
    """

    frame: pd.DataFrame
    problems: tuple[Problem, ...]
    notes: tuple[tuple[str, str], ...]
    placed: float
    unplaced: float
    breakdown: Mapping[str, float]


Reader = Callable[[RawTable, Mapping[str, str], CodeMap], Reading]


def numbers(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Numbers written the French or the English way, and where a text is neither a number nor a known blank."""
    value = pd.to_numeric(text, errors="coerce")
    rest = value.isna()
    if rest.any():
        plain = text[rest].str.replace(r"[\s\u00a0\u202f']", "", regex=True).str.replace(",", ".", regex=False)
        value = value.where(~rest, pd.to_numeric(plain, errors="coerce"))
    value = value.where(np.isfinite(value))
    blank = text.str.strip().str.lower().isin(MISSING) if value.isna().any() else value.isna()
    return value, value.isna() & ~blank


def column_problems(
    text: pd.Series, wrong: pd.Series, column: str, reason_fr: str, reason_en: str, distinct: int = 6
) -> list[Problem]:
    """One problem for each distinct wrong value, with its first line and how many lines have it; the rest together."""
    bad = text[wrong]
    if bad.empty:
        return []
    counts = bad.value_counts()
    first = bad.reset_index().drop_duplicates(bad.name if bad.name is not None else 0)
    line_of = dict(zip(first.iloc[:, 1], first.iloc[:, 0], strict=True))
    found = [
        Problem(int(line_of[value]), column, str(value)[:40], reason_fr, reason_en, count=int(count))
        for value, count in counts.head(distinct).items()
    ]
    others = int(counts.iloc[distinct:].sum())
    if others:
        more = f"{len(counts) - distinct}"
        line = min(int(line_of[v]) for v in counts.index[distinct:])
        found.append(
            Problem(
                line, column, "…", f"{reason_fr} ({more} autres valeurs)", f"{reason_en} ({more} other values)",
                count=others,
            )
        )  # fmt: skip
    return sorted(found, key=lambda p: p.line or 0)


def thousands_problem(text: pd.Series, column: str) -> list[Problem]:
    """A warning where every value with a point or a comma has three figures after it: thousands, or decimals?"""
    for part in (text.head(1000), text):  # a large file is settled by its beginning
        cut = part.str.strip()
        cut = cut[cut.str.contains(r"[.,]", regex=True)]
        if not cut.str.fullmatch(r"-?[1-9]\d{0,2}[.,]\d{3}").all():
            return []
    if cut.empty:
        return []
    return [
        Problem(
            int(cut.index[0]), column, str(cut.iloc[0])[:40],
            "lu comme un nombre à trois décimales ; si ce sont des milliers, retirez le séparateur",
            "read as a number with three decimals; if these are thousands, take the separator away",
            count=len(cut),
        )
    ]  # fmt: skip


def read_flows(raw: RawTable, mapping: Mapping[str, str], codes: CodeMap) -> Reading:
    """Commuters by pair of communes. Total read = placed + abroad + overseas + unknown, to the last commuter."""
    home, work = raw.frame[mapping["home_code"]], raw.frame[mapping["work_code"]]
    amount_text = raw.frame[mapping["workers"]]
    amount, wrong = numbers(amount_text)
    negative = amount < 0.0
    blank = int((amount.isna() & ~wrong).sum())
    problems = column_problems(amount_text, wrong, mapping["workers"], "n'est pas un nombre", "is not a number")
    problems += thousands_problem(amount_text, mapping["workers"])
    problems += column_problems(
        amount_text,
        negative,
        mapping["workers"],
        "est négatif : la ligne est laissée",
        "is negative: the line is left out",
    )
    amount = amount.where(~negative).fillna(0.0)
    home_today, work_today = codes.today(home), codes.today(work)
    home_kind, work_kind = codes.kinds(home), codes.kinds(work)
    for text, kind, column in ((home, home_kind, mapping["home_code"]), (work, work_kind, mapping["work_code"])):
        problems += column_problems(
            text, kind == "unknown", column, "code de commune inconnu", "commune code that nobody knows"
        )
    problems += column_problems(
        home,
        home_kind == "abroad",
        mapping["home_code"],
        "domicile à l'étranger : laissé de côté",
        "home abroad: left out",
    )
    elsewhere = home_today == ""
    abroad, overseas = work_kind == "abroad", (work_kind == "overseas") | (home_kind == "overseas")
    split = {
        "overseas": float(amount[overseas].sum()),
        "abroad": float(amount[abroad & ~overseas & ~elsewhere].sum()),
        "unknown": float(amount[~overseas & (elsewhere | ((work_today == "") & ~abroad))].sum()),
    }
    keep = ~elsewhere & ((work_today != "") | abroad) & ~overseas & (amount > 0.0)
    frame = pd.DataFrame({"home_code": home_today[keep], "work_code": work_today[keep], "workers": amount[keep]})
    lines = len(frame)
    frame = frame.groupby(["home_code", "work_code"], sort=True)[["workers"]].sum().reset_index()
    placed = float(frame.loc[frame["work_code"] != "", "workers"].sum())
    notes = [
        _moved_note(home, home_kind, "domiciles", "homes"),
        *split_notes(home_today[keep], amount[keep], codes, COUNTED["workers"]),
    ]
    if lines > len(frame):
        notes.append((f"lignes réunies (communes fusionnées, répétitions) : {lines - len(frame)}",
                      f"lines brought together (merged communes, repeats): {lines - len(frame)}"))  # fmt: skip
    if blank:
        notes.append(
            (f"lignes sans effectif (vide ou secret) : {blank}", f"lines without a figure (empty or secret): {blank}")
        )
    notes += [
        (f"{round(split[key])} actifs {fr}", f"{round(split[key])} workers {en}")
        for key, fr, en in (
            ("abroad", "travaillent à l'étranger : comptés, sans trajet", "work abroad: counted, without a trip"),
            ("overseas", "outre-mer : laissés de côté", "overseas: left out"),
            ("unknown", "sans commune connue : laissés de côté", "without a known commune: left out"),
        )
        if split[key] >= 0.5
    ]
    return Reading(frame, tuple(problems), tuple(n for n in notes if n), placed, sum(split.values()), split)


def _moved_note(text: pd.Series, kind: pd.Series, fr: str, en: str) -> tuple[str, str] | None:
    moved = int(text[kind == "former"].nunique())
    return (f"{moved} anciens codes de {fr} ramenés aux communes d'aujourd'hui",
            f"{moved} former codes of {en} brought to the communes of today") if moved else None  # fmt: skip


def split_notes(
    today: pd.Series, amount: pd.Series | None, codes: CodeMap, counted: tuple[str, str] = ("", "")
) -> list[tuple[str, str]]:
    """What to know of communes that hold those that left them since. today: by line; amount: of what is counted, if so, whose
    name is `counted` (French, English)."""
    notes = []
    for parent, children in codes.left_with(today).items():
        names = ", ".join(children)
        sums = [
            "" if amount is None else f" ({round(float(amount[today == parent].sum()))} {unit})" for unit in counted
        ]
        notes.append((
            f"{names} : sans ligne dans ce fichier, leurs chiffres y sont encore avec {parent}{sums[0]}, quittée depuis ; "
            "elles gardent les chiffres livrés",
            f"{names}: no line in this file, their figures are still with {parent}{sums[1]}, which they have left since; "
            "they keep the shipped figures",
        ))  # fmt: skip
    return notes


def _without_districts(text: pd.Series) -> pd.Series:
    """False for districts of Paris, Lyon, Marseille whose city is in the file too: it would count twice."""
    cleaned = text.map(clean)
    cities = set(cleaned) & set(DISTRICTS.values())
    return ~cleaned.map(lambda code: DISTRICTS.get(code) in cities)


def read_margins(raw: RawTable, mapping: Mapping[str, str], codes: CodeMap) -> Reading:
    """Employed residents (active less unemployed where the file has those), jobs, and what else is there, summed."""
    text = raw.frame[mapping["zone_code"]]
    single = _without_districts(text)
    today, kind = codes.today(text), codes.kinds(text)
    problems = column_problems(
        text, kind.isin(["unknown", "abroad"]), mapping["zone_code"], "code de commune inconnu", "unknown commune code"
    )
    problems += column_problems(
        text,
        text.map(clean).duplicated() & (today != ""),
        mapping["zone_code"],
        "est là plusieurs fois : ses chiffres sont additionnés",
        "is there several times: its figures are added up",
    )
    columns: dict[str, pd.Series] = {}
    for name in ("workers", "active", "unemployed", "jobs", "population", "households"):
        if name in mapping:
            columns[name], wrong = numbers(raw.frame[mapping[name]])
            problems += thousands_problem(raw.frame[mapping[name]], mapping[name])
            wrong |= columns[name] < 0.0
            problems += column_problems(
                raw.frame[mapping[name]],
                wrong,
                mapping[name],
                "n'est pas un nombre positif",
                "is not a positive number",
            )
            columns[name] = columns[name].where(columns[name] >= 0.0)
    if "workers" not in columns and {"active", "unemployed"} <= columns.keys():
        columns["workers"] = (columns["active"] - columns["unemployed"]).clip(lower=0.0)
    kept = [name for name in ("workers", "jobs", "population", "households") if name in columns]
    frame = pd.DataFrame({name: columns[name] for name in kept})
    frame.insert(0, "zone_code", today)
    inside = single & (today != "")
    out = frame.loc[single & (today == ""), kept[0]].sum() if kept else 0.0
    frame, partial = _summed(frame[inside], kept)
    notes = [_moved_note(text, kind, "communes", "communes")]
    notes += split_notes(frame["zone_code"], *((frame[kept[0]], codes, COUNTED[kept[0]]) if kept else (None, codes)))
    if partial:
        notes.append((f"{partial} chiffres laissés vides : une des communes réunies n'en a pas",
                      f"{partial} figures left empty: one of the communes brought together has none"))  # fmt: skip
    dropped = int((~single).sum())
    if dropped:
        notes.append((f"{dropped} arrondissements laissés : leur ville est dans le fichier",
                      f"{dropped} districts left out: their city is in the file"))  # fmt: skip
    overseas = int((single & (kind == "overseas")).sum())
    if overseas:
        notes.append((f"{overseas} communes d'outre-mer laissées de côté", f"{overseas} overseas communes left out"))
    placed = float(frame[kept[0]].sum()) if kept else 0.0
    return Reading(frame, tuple(problems), tuple(n for n in notes if n), placed, float(out), {"overseas": float(out)})


def _summed(frame: pd.DataFrame, kept: Sequence[str]) -> tuple[pd.DataFrame, int]:
    """Sums by commune; missing where a part is missing (a part of a sum is not the sum), and how many are so."""
    groups = frame.groupby("zone_code", sort=True)[list(kept)]
    total, figures = groups.sum(min_count=1), groups.count()
    partial = figures.lt(groups.size(), axis=0) & figures.gt(0)
    return total.mask(partial).reset_index(), int(partial.to_numpy().sum())


def read_density(raw: RawTable, mapping: Mapping[str, str], codes: CodeMap) -> Reading:
    """Level 1 to 7 by commune; the most urban level wins where communes have merged."""
    text, level_text = raw.frame[mapping["zone_code"]], raw.frame[mapping["level"]].str.strip()
    value = pd.to_numeric(level_text, errors="coerce").fillna(level_text.map(_bare).map(_BARE_LEVELS))
    value = value.where(value.isna() | (value % 1 == 0), 0)
    wrong = (value.isna() & ~level_text.str.lower().isin(MISSING)) | (value.notna() & ~value.between(1, 7))
    problems = column_problems(
        level_text,
        wrong,
        mapping["level"],
        "n'est pas un niveau de 1 à 7 ni son nom",
        "is not a level from 1 to 7 or its name",
    )
    rural = float((value >= 3).sum()) > 0.5 * len(value)
    if value.notna().any() and value.max() <= 4 and len(value) > 100 and (value.nunique() == 4 or rural):
        problems.insert(0, Problem(
            None, mapping["level"], "1-4", "grille ancienne à 4 niveaux : il faut celle à 7 niveaux",
            "the old grid with 4 levels: the one with 7 is needed", fatal=True,
        ))  # fmt: skip
    today, kind = codes.today(text), codes.kinds(text)
    problems += column_problems(
        text, kind.isin(["unknown", "abroad"]), mapping["zone_code"], "code de commune inconnu", "unknown commune code"
    )
    good = (today != "") & value.between(1, 7)
    frame = pd.DataFrame({"zone_code": today[good], "level": value[good].astype(int)})
    frame = frame.groupby("zone_code", sort=True)[["level"]].min().reset_index()
    out = int(((today == "") & (kind != "unknown")).sum())
    notes = [_moved_note(text, kind, "communes", "communes"), *split_notes(frame["zone_code"], None, codes)]
    return Reading(frame, tuple(problems), tuple(n for n in notes if n), len(frame), out, {"overseas": out})


def read_travel(raw: RawTable, mapping: Mapping[str, str], codes: CodeMap) -> Reading:
    """Minutes (and km) by pair: a square table of seconds or minutes, or a long list.

    mapping: 'from_code' alone for a square table; with 'to_code' and 'drive_min' or 'drive_s', 'road_km' or 'road_m'
    for a list. A square table whose median is over 200 is taken for seconds. A trip within a commune that a list has at 0,
    or between two communes that are one today, is left to the estimate; so are all those of a square table.
    """
    if "to_code" not in mapping:
        return _read_square(raw, mapping["from_code"], codes)
    origin, target = raw.frame[mapping["from_code"]], raw.frame[mapping["to_code"]]
    minute_column = mapping.get("drive_min") or mapping["drive_s"]
    minutes, wrong = numbers(raw.frame[minute_column])
    if "drive_min" not in mapping:
        minutes = minutes / SECONDS_PER_MINUTE
    problems = column_problems(
        raw.frame[minute_column], wrong | (minutes < 0), minute_column, "n'est pas un temps", "is not a time"
    )
    if "drive_min" in mapping and minutes.notna().any() and minutes.max() > LONGEST_MIN:
        problems.insert(0, Problem(
            int(minutes.index.to_numpy()[int(minutes.argmax())]), minute_column, f"{minutes.max():g}",
            "trop long pour des minutes : si ce sont des secondes, donnez la colonne comme drive_s",
            "too long for minutes: if these are seconds, give the column as drive_s", fatal=True,
        ))  # fmt: skip
    frame = pd.DataFrame({"from_code": codes.today(origin), "to_code": codes.today(target), "drive_min": minutes})
    km_column = mapping.get("road_km") or mapping.get("road_m")
    if km_column:
        km, wrong = numbers(raw.frame[km_column])
        frame["road_km"] = km if "road_km" in mapping else km / 1000.0
        problems += column_problems(
            raw.frame[km_column], wrong, km_column, "n'est pas une distance", "is not a distance"
        )
    for text, column in ((origin, "from_code"), (target, "to_code")):
        problems += column_problems(
            text,
            frame[column] == "",
            mapping[column],
            "commune inconnue ou hors de métropole",
            "unknown or overseas commune",
        )
    within = (frame["from_code"] == frame["to_code"]) & (frame["from_code"] != "")
    no_trip = within & ((frame["drive_min"] == 0) | (origin.str.strip() != target.str.strip()))
    found = _trips(frame[~no_trip], problems)
    if not no_trip.any():
        return found
    count = int(no_trip.sum())
    note = (f"trajets sans temps dans une même commune : {count}, l'estimation est gardée",
            f"trips of no time within one commune: {count}, the estimate is kept")  # fmt: skip
    return replace(found, notes=(note, *found.notes))


def _read_square(raw: RawTable, id_column: str, codes: CodeMap) -> Reading:
    columns = [c for c in raw.frame.columns if c != id_column]
    problems: list[Problem] = []
    cells = []
    for column in columns:
        value, wrong = numbers(raw.frame[column])
        problems += column_problems(
            raw.frame[column], wrong | (value < 0), column, "n'est pas un temps", "is not a time", 1
        )
        cells.append(value.to_numpy(float))
    values = np.column_stack(cells)
    seconds = float(np.nanmedian(values[values > 0])) > 200.0 if (values > 0).any() else True
    origin = codes.today(raw.frame[id_column]).to_numpy(object)
    target = codes.today(pd.Series(columns)).to_numpy(object)
    frame = pd.DataFrame(
        {
            "from_code": np.repeat(origin, len(columns)),
            "to_code": np.tile(target, len(origin)),
            "drive_min": values.ravel() / (SECONDS_PER_MINUTE if seconds else 1.0),
        }
    )
    problems += [
        Problem(raw.first_line, column, column, "commune inconnue", "unknown commune")
        for column, code in zip(columns, target, strict=True)
        if code == ""
    ]
    problems += column_problems(
        raw.frame[id_column],
        pd.Series(origin == "", index=raw.frame.index),
        id_column,
        "commune inconnue",
        "unknown commune",
    )
    unit = ("secondes", "seconds") if seconds else ("minutes", "minutes")
    found = _trips(frame[frame["from_code"] != frame["to_code"]], problems)
    note = (f"tableau carré de {unit[0]} ({len(origin)} x {len(columns)})",
            f"square table of {unit[1]} ({len(origin)} x {len(columns)})")  # fmt: skip
    return Reading(found.frame, found.problems, (note, *found.notes), found.placed, found.unplaced, found.breakdown)


def _trips(frame: pd.DataFrame, problems: list[Problem]) -> Reading:
    good = (frame["from_code"] != "") & (frame["to_code"] != "") & (frame["drive_min"] >= 0)
    out = int((~good).sum())
    kept = frame[good].groupby(["from_code", "to_code"], sort=True, as_index=False).mean(numeric_only=True)
    return Reading(kept, tuple(problems), (), len(kept), out, {"unknown": out})
