"""What a file is: its kind guessed from its columns, and `import_file`, from a file to a checked table with its label."""

from __future__ import annotations

import importlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from coopconnect.parameters import DATA_DIR
from coopconnect.territory.official import bpe, readers
from coopconnect.territory.official.codes import CodeMap, clean
from coopconnect.territory.official.contract import Label
from coopconnect.territory.official.readers import Reading
from coopconnect.territory.official.reading import Problem, RawTable, ReadingError, read_raw
from coopconnect.territory.travel import COMMUTE_LIMIT_KM, crow_km

SHOWN_LEFT = 4
ENOUGH_WORKERS = 0.9
"""Share of the shipped workers of their communes under which flows are taken for a part of them (the shipped total is within
a few percent of the census)."""
_CODE = r"codgeo|insee_com|code_insee|code_commune|codecommune|citycode|zone_code|com|depcom|code|insee|id_commune"


@dataclass(frozen=True)
class Kind:
    """A kind of file: names, the pattern of each column (on names without case or accents), those that must be there.

    needed: alternatives, each a set of columns that suffices. where: what to look for, for a file that is not it.
    """

    table: str
    name_fr: str
    name_en: str
    columns: Mapping[str, str]
    needed: tuple[tuple[str, ...], ...]
    reader: str = ""


KINDS: dict[str, Kind] = {
    kind.table: kind
    for kind in (
        Kind(
            "flows", "flux domicile-travail", "commuting flows",
            {
                "home_code": r"codgeo|home_code|commune_residence|residence|domicile|origine|origin|code_domicile|com_res",
                "work_code": r"dclt|work_code|commune_travail|travail|lieu_travail|destination|dest|code_travail|com_trav",
                "workers": r"nbflux_c(\d\d)_actocc15p|workers|actifs|actifs_occupes|nbflux|flux|flow|nb|ipondi",
            },
            (("home_code", "work_code", "workers"),),
        ),
        Kind(
            "margins", "actifs et emplois par commune", "workers and jobs by commune",
            {
                "zone_code": _CODE,
                "active": r"p(\d\d)_act1564|actifs_1564", "unemployed": r"p(\d\d)_chom1564|chomeurs_1564|chomeurs",
                "workers": r"p(\d\d)_actocc15p|p(\d\d)_actocc1564|p(\d\d)_actocc|workers|actifs_occupes|actifs_ayant_un_emploi",
                "jobs": r"p(\d\d)_emplt|jobs|emplois|emplois_au_lieu_de_travail|emploi",
                "population": r"p(\d\d)_pop|population|pop", "households": r"p(\d\d)_rp|residences_principales|households",
            },
            (("zone_code", "workers"), ("zone_code", "jobs"), ("zone_code", "active", "unemployed")),
        ),
        Kind(
            "density", "grille de densité", "density grid",
            {"zone_code": _CODE, "level": r"dens7?|dens_aav7|niveau_densite|typo_densite|level|degre_densite|densite"},
            (("zone_code", "level"),),
        ),
        Kind(
            "travel", "temps de trajet", "travel times",
            {
                "from_code": r"from_code|from|origine|origin|depart|id|ido", "to_code": r"to_code|to|destination|arrivee|idd",
                "drive_min": r"drive_min|minutes|min|temps_min|duree_min|tps_min|temps", "drive_s": r"seconds|secondes|duree_s|duration|temps_s",
                "road_km": r"road_km|km|distance_km|dist_km|distance", "road_m": r"distance_m|metres|meters",
            },
            (("from_code", "to_code", "drive_min"), ("from_code", "to_code", "drive_s")),
        ),
        Kind(
            "places", "lieux d'accueil possibles", "places that could host",
            {"name": r"nom|name|lib_fs|libelle|nomrs", "lon": r"longitude|lon|x_lon|lng", "lat": r"latitude|lat|y_lat",
             "zone_code": r"insee_com|code_insee|insee|code_commune|zone_code|depcom", "postcode": r"code_postal|codpost|codpos|cp|postcode",
             "commune": r"lib_com|libcom|commune|ville|city", "address": r"adresse|address|rue"},
            (("name", "lat", "lon"), ("name", "commune", "postcode"), ("name", "zone_code")),
            "coopconnect.territory.official.places",
        ),
        Kind(
            "fuel", "prix hebdomadaires des carburants", "weekly fuel prices",
            {"week": r"date|week|semaine|consumer_prices_of_petroleum_products.*", "petrol_eur_per_l": r"fr_price_with_tax_euro95|euro95|sp95|sp95_e10|petrol_eur_per_l|essence|euro_super_95",
             "diesel_eur_per_l": r"fr_price_with_tax_diesel|diesel|gazole|diesel_eur_per_l|gasoil"},
            (("week", "petrol_eur_per_l"), ("week", "diesel_eur_per_l")),
            "coopconnect.territory.official.fuel",
        ),
        Kind(
            "climate", "indicateurs climatiques DRIAS", "DRIAS climate indicators",
            {"area_code": r"insee_dep|code_c|area_code", "hot_days": r"nortx35_\w+|norta?tx35\w*|hot_days", "any": r"nor\w+_ref|nor\w+_h[123]"},
            (("area_code", "hot_days"), ("area_code", "any")),
            "coopconnect.territory.official.climate",
        ),
    )
}  # fmt: skip
_READERS = {
    "flows": readers.read_flows,
    "margins": readers.read_margins,
    "density": readers.read_density,
    "travel": readers.read_travel,
}


@dataclass(frozen=True)
class Guess:
    """The kind a file seems to be ('' where none fits), its columns, the share of what it needs that was found."""

    table: str
    mapping: Mapping[str, str]
    confidence: float
    year: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Imported:
    """A table ready for the store, with its label and what was wrong in the file; None where nothing is usable."""

    table: str
    frame: pd.DataFrame | None
    label: Label
    problems: tuple[Problem, ...]

    @property
    def usable(self) -> bool:
        """True where there are rows and nothing fatal."""
        return self.frame is not None and len(self.frame) > 0 and not any(p.fatal for p in self.problems)


def plain(name: str) -> str:
    """A column name without case, accents or punctuation."""
    low = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", low).strip("_")


def columns_of(kind: Kind, names: list[str]) -> tuple[dict[str, str], str]:
    """Column of the file for each name of a kind, and the year that the names carry.

    Years are never mixed: the newest one that has all that the kind needs.
    """
    for year in sorted({y for name in names for y in _years_of(kind, name)}, reverse=True):
        same = [name for name in names if _years_of(kind, name) <= {year}]
        found, known = _matched(kind, same)
        if known and any(all(c in found for c in needed) for needed in kind.needed):
            return found, known
    return _matched(kind, names)


def _years_of(kind: Kind, name: str) -> set[str]:
    """Years (two figures) that a name carries for a kind: one, or none."""
    matches = (re.fullmatch(pattern, plain(name)) for pattern in kind.columns.values())
    return {group for match in matches if match for group in match.groups() if group}


def _matched(kind: Kind, names: list[str]) -> tuple[dict[str, str], str]:
    """Best column of the file for each name of a kind, and the newest year among them."""
    found: dict[str, str] = {}
    years: dict[str, str] = {}
    for ours, pattern in kind.columns.items():
        options = re.compile(pattern)
        best: tuple[int, int, str] | None = None
        for name in names:
            match = options.fullmatch(plain(name))
            if match is None:
                continue
            year = next((g for g in match.groups() if g), "") if match.groups() else ""
            order = (int(year) if year else -1, -_rank(pattern, plain(name)), name)
            if name not in found.values() and (best is None or order[:2] > best[:2]):
                best = order
                years[ours] = year
        if best is not None:
            found[ours] = best[2]
    known = {y for k, y in years.items() if y and k in found}
    return found, f"20{max(known)}" if known else ""


def _rank(pattern: str, name: str) -> int:
    """How far down the alternatives of a pattern a name is: the first named is the best."""
    return next((k for k, part in enumerate(pattern.split("|")) if re.fullmatch(part, name)), 99)


def guess(raw: RawTable) -> Guess:
    """The kind whose needs the columns meet best; a square travel table is known by its codes."""
    names = [str(c) for c in raw.frame.columns]
    if _is_square(raw.frame, names):
        return Guess("travel", {"from_code": names[0]}, 1.0, "")
    scored = []
    for order, kind in enumerate(KINDS.values()):
        mapping, year = columns_of(kind, names)
        share = max(sum(c in mapping for c in needed) / len(needed) for needed in kind.needed)
        rare = sum(1 for c in mapping if c not in ("zone_code", "commune", "postcode"))
        scored.append((share == 1.0, share, rare + 2 * bool(year), -order, kind.table, mapping, year))
    scored.sort(key=lambda s: s[:4], reverse=True)
    best = scored[0]
    others = tuple(s[4] for s in scored[1:] if s[0])
    return Guess(best[4] if best[0] else "", best[5], best[1], best[6], others)


def _is_square(frame: pd.DataFrame, names: list[str]) -> bool:
    """Codes across and the same codes down: a table of times. Columns of years are not codes of the first column."""
    if len(names) < 3 or _share_of_codes(names[1:]) <= 0.8:
        return False
    down = set(frame[names[0]].map(clean))
    return sum(clean(name) in down for name in names[1:]) > 0.5 * (len(names) - 1)


def _share_of_codes(names: list[str]) -> float:
    codes = sum(bool(re.fullmatch(r"(\d[\dAB]?\d{3}|\d{4})", name)) for name in names)
    return codes / max(len(names), 1)


def read_table(
    source: Path | bytes,
    file_name: str,
    member: str | None = None,
    table: str | None = None,
    mapping: Mapping[str, str] | None = None,
) -> RawTable:
    """`read_raw`, which of several members or sheets takes one that is of the kind `table` (any kind where not given) or
    has the columns of `mapping`. Of the permanent facilities base, its libraries (`bpe`)."""
    if table in (None, "", "places") and (found := bpe.libraries(source, file_name)) is not None:
        return found
    wanted = {column for column in (mapping or {}).values() if column}

    def fits(raw: RawTable) -> bool:
        if wanted:
            return wanted <= set(raw.frame.columns)
        return _is_kind(table, raw) if table in KINDS else bool(guess(raw).table)

    return read_raw(source, file_name, member, fits)


def _is_kind(table: str | None, raw: RawTable) -> bool:
    found = guess(raw)
    return table in (found.table, *found.others)


def _read_inside(raw: RawTable) -> tuple[tuple[str, str], ...]:
    """What was read of a file that holds several tables, and what was not."""
    if not raw.left:
        return ()
    read = raw.sheet or raw.inside
    rest = ", ".join(raw.left[:SHOWN_LEFT]) + (", …" if len(raw.left) > SHOWN_LEFT else "")
    return ((f"lu : « {read} » ; le reste du fichier ne l'est pas : {rest}",
             f"read: “{read}”; the rest of the file is not: {rest}"),)  # fmt: skip


def _few_workers(flows: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    """A warning where flows hold far fewer workers than their communes of residence have in the shipped tables.

    A file cut at a border (a département alone) lacks the trips that cross it, and the communes near it would look idle.
    """
    shipped = _shipped_communes()["workers"]
    homes = shipped.index.intersection(flows["home_code"].unique()) if len(flows) else shipped.index[:0]
    there = float(shipped[homes].sum())
    share = float(flows["workers"].sum()) / there if there > 0.0 else 1.0
    if share >= ENOUGH_WORKERS:
        return ()
    percent = round(100.0 * share)
    return ((
        f"ces flux ne comptent que {percent} % des actifs de leurs communes : si le fichier s'arrête à une limite (un "
        "département), les trajets qui la passent manquent",
        f"these flows hold only {percent}% of the workers of their communes: if the file stops at a border (one "
        "département), the trips that cross it are missing",
    ),)  # fmt: skip


def _of_flows(table: str, frame: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    """What is told of flows besides their rows."""
    return (*_few_workers(frame), *_far_workers(frame)) if table == "flows" else ()


def _far_workers(flows: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    """Who works further off than anybody is taken to drive each day (`travel.COMMUTE_LIMIT_KM`): they are left out, and told."""
    points = _shipped_communes()[["lon", "lat"]]
    home, work = (points.reindex(flows[end]).to_numpy(float) for end in ("home_code", "work_code"))
    far = crow_km(home[:, 0], home[:, 1], work[:, 0], work[:, 1]) > COMMUTE_LIMIT_KM
    amount, total = float(flows["workers"].to_numpy(float)[far].sum()), float(flows["workers"].sum())
    if amount <= 0.0:
        return ()
    share, limit = f"{100.0 * amount / total:.1f}", f"{COMMUTE_LIMIT_KM:.0f}"
    return ((
        f"{amount:.0f} actifs ({share.replace('.', ',')} %) travaillent à plus de {limit} km à vol d'oiseau : ce n'est pas un trajet "
        "quotidien, le calcul les laisse de côté",
        f"{amount:.0f} workers ({share}%) work more than {limit} km away as the crow flies: no daily trip, the computation leaves "
        "them out",
    ),)  # fmt: skip


@lru_cache(maxsize=1)
def _shipped_communes() -> pd.DataFrame:
    columns = ["zone_code", "workers", "lon", "lat"]
    table = pq.read_table(DATA_DIR / "territory" / "communes.parquet", columns=columns).to_pandas()
    return table.set_index("zone_code").astype(float)


def import_file(
    source: Path | bytes,
    file_name: str,
    table: str | None = None,
    mapping: Mapping[str, str] | None = None,
    label: Mapping[str, str] | None = None,
    codes: CodeMap | None = None,
    member: str | None = None,
    today: date | None = None,
) -> Imported:
    """Read a file into a table of the contract.

    table, mapping: what the user confirmed ('' for a column that is not to be read); guessed where not given. label: source, year, licence, url and kind for
    the label. codes: the shipped ones if not given. today: date of the label. ReadingError where it is no table;
    what is wrong inside is in `problems`, sorted by line, all at once.
    """
    raw = read_table(source, file_name, member, table, mapping)
    found = guess(raw)
    table = table or found.table
    if not table:
        raise ReadingError(*_unknown(file_name, raw))
    wrong = _not_there(table, mapping or {}, raw)
    if wrong:
        raise ReadingError(*wrong)
    kind = KINDS[table]
    columns, year = columns_of(kind, [str(c) for c in raw.frame.columns])
    if table == "travel" and found.table == "travel" and "to_code" not in found.mapping:
        columns, year = dict(found.mapping), ""
    year = year or raw.year
    columns = {k: v for k, v in {**columns, **(mapping or {})}.items() if v}
    missing = _missing(kind, columns)
    if missing and not (table == "travel" and set(columns) == {"from_code"}):
        raise ReadingError(*missing)
    reading = _read(kind, raw, columns, codes or CodeMap.load(DATA_DIR / "territory"))
    if table == "fuel" and len(reading.frame):  # the weeks themselves say it
        weeks = pd.to_datetime(reading.frame["week"])
        year = f"{weeks.min().year}-{weeks.max().year}"
    notes = (*_read_inside(raw), *raw.notes, *_of_flows(table, reading.frame), *reading.notes)
    problems = tuple(sorted((*raw.problems, *reading.problems), key=lambda p: (p.line or 0, p.column)))
    told = dict(label or {})
    made = Label(
        table=table,
        kind=told.get("kind", "own"),
        source=told.get("source", file_name),
        source_en=told.get("source_en", ""),
        year=(told.get("year", "") if told.get("kind", "own") == "own" else "") or year or told.get("year", ""),
        licence=told.get("licence", ""),
        url=told.get("url", ""),
        loaded_on=(today or date.today()).isoformat(),
        file_name=file_name,
        file_sha256=raw.sha256,
        rows=len(reading.frame),
        placed=float(reading.placed),
        unplaced=float(reading.unplaced),
        notes_fr=tuple(fr for fr, _ in notes),
        notes_en=tuple(en for _, en in notes),
    )
    return Imported(table, reading.frame.reset_index(drop=True), made, problems)


def _read(kind: Kind, raw: RawTable, columns: Mapping[str, str], codes: CodeMap) -> Reading:
    if not kind.reader:
        return _READERS[kind.table](raw, columns, codes)
    module: Any = importlib.import_module(kind.reader)
    frame, problems, notes = module.read(raw, columns, codes)
    told = tuple(
        p if isinstance(p, Problem) else Problem(p.line, "", "", p.reason_fr, p.reason_en) for p in problems
    )  # fmt: skip
    return Reading(frame, told, tuple(notes), len(frame), max(len(raw.frame) - len(frame), 0), {})


def _not_there(table: str, mapping: Mapping[str, str], raw: RawTable) -> tuple[str, str] | None:
    """What to say of a kind or of a column that does not exist."""
    if table not in KINDS:
        names = ", ".join(KINDS)
        return f"« {table} » n'est pas une sorte de table : {names}.", f"“{table}” is not a kind of table: {names}."
    ours = ", ".join(KINDS[table].columns)
    for name, column in mapping.items():
        if name not in KINDS[table].columns:
            return (f"« {name} » n'est pas une colonne de « {KINDS[table].name_fr} » : {ours}.",
                    f"“{name}” is not a column of “{KINDS[table].name_en}”: {ours}.")  # fmt: skip
        if column and column not in raw.frame.columns:
            have = ", ".join(str(c) for c in raw.frame.columns[:12])
            return (f"{raw.file_name} n'a pas de colonne « {column} ». Colonnes : {have}.",
                    f"{raw.file_name} has no column “{column}”. Columns: {have}.")  # fmt: skip
    return None


def lacking(kind: Kind, columns: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the columns that a kind still needs, by the alternative that lacks least; () where it has all."""
    return min((tuple(c for c in needed if not columns.get(c)) for needed in kind.needed), key=len)


def _missing(kind: Kind, columns: Mapping[str, str]) -> tuple[str, str] | None:
    names = ", ".join(lacking(kind, columns))
    if not names:
        return None
    return (
        f"Pour « {kind.name_fr} », il manque : {names}. Indiquez la colonne du fichier pour chacune.",
        f"For “{kind.name_en}”, {names} missing. Say which column of the file each is.",
    )


def _unknown(file_name: str, raw: RawTable) -> tuple[str, str]:
    have = ", ".join(str(c) for c in raw.frame.columns[:8])
    fr = "; ".join(f"{k.name_fr} ({', '.join(k.needed[0])})" for k in KINDS.values())
    en = "; ".join(f"{k.name_en} ({', '.join(k.needed[0])})" for k in KINDS.values())
    return (
        f"{file_name} : colonnes {have}. Aucune sorte de table reconnue. Lues : {fr}.",
        f"{file_name}: columns {have}. No kind of table recognised. Read: {en}.",
    )
