"""Places that could share a room: France Services, libraries, public digital places with tiers-lieux, or one's own list.

`read` turns a list as its publisher gives it into rows of the contract's table 'places'. Nothing is merged here: the
same place may come from several lists, and `coopconnect.territory.hosts` brings them together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from coopconnect.territory.official.addresses import Communes, Problem, plain, shipped_communes
from coopconnect.territory.official.bpe import LIBRARY
from coopconnect.territory.official.contract import TABLES

if TYPE_CHECKING:
    from coopconnect.territory.official.codes import CodeMap
    from coopconnect.territory.official.reading import RawTable

KINDS = ("town_hall", "france_services", "tiers_lieu", "library", "post_office", "school", "other")
KNOWN_COLUMNS: dict[str, tuple[str, ...]] = {
    "place_id": ("id_fs", "id_unique", "id", "place_id", "identifiant"),
    "zone_code": ("insee_com", "zone_code", "code_insee", "insee", "code_commune", "citycode", "depcom"),
    "name": ("lib_fs", "nom", "name", "libelle", "nomrs"),
    "commune": ("lib_com", "libcom", "commune", "ville", "city"),
    "postcode": ("code_postal", "codpost", "codpos", "cp", "postcode"),
    "address": ("adresse", "address", "rue"),
    "lon": ("longitude", "lon", "x_lon", "lng"),
    "lat": ("latitude", "lat", "y_lat"),
    "kind": ("kind", "type", "categorie"),
    "publisher": ("source",),
    "format": ("format_fs", "format"),
    "carrier": ("nom_strc_port",),
    "facility": ("typequ",),
    "moves": ("itinerance",),
}
"""Columns understood, with the names publishers give them (compared without case or accents)."""

_KIND_WORDS = (
    ("france_services", r"\b(france|maison|espace) services?\b|\bfs\b|\bmsap\b"),
    ("tiers_lieu", r"\btiers? lieux?\b|\bcoworking\b|\bfab ?lab\b"),
    ("library", r"\b(bibliotheque|mediatheque|ludotheque)\b"),
    ("post_office", r"\b(la poste|bureau (de )?poste|agence postale)\b"),
    ("school", r"\b(ecole|college|lycee)\b"),
    ("town_hall", r"\b(mairie|hotel de ville|maison communale)\b|^commune d"),
)
_MOVES = re.compile(r"\b(biblio|media|ludo)?bus\b|\bitinerante?s?\b|\bcamion\b|\bmobile\b|\bvan\b")
_OWN_NUMBER = re.compile(r"^mediation-numerique-(?P<publisher>[a-z0-9-]+?)-(?P<number>[0-9a-f]{24}|\d+)$")
_SHORT_PUBLISHER = {"france-services": "fs", "france-tiers-lieux": "tl", "conseiller-numerique": "cn"}


_COLUMNS = [name for name in TABLES["places"].columns if not name.startswith("list_")]
"""What a row says; the store adds the list."""


def guess(columns: list[str]) -> dict[str, str]:
    """Column of a file for each column understood here, where the name says it."""
    by_name = {plain(column).replace(" ", "_"): column for column in columns}
    found = {}
    for ours, names in KNOWN_COLUMNS.items():
        column = next((by_name[name] for name in names if name in by_name), None)
        if column is not None:
            found[ours] = column
    return found


def read(
    raw: RawTable, mapping: Mapping[str, str], codes: CodeMap, communes: Communes | None = None
) -> tuple[pd.DataFrame, list[Problem], list[tuple[str, str]]]:
    """Rows of the table 'places', the problems by line, and notes (French, English).

    raw.frame: text, index = line in the file. mapping: column of the file for each column of `KNOWN_COLUMNS`; those
    it lacks are guessed. codes: brings commune codes to today's. A row without a commune and without coordinates is
    left out and told; a row with coordinates keeps zone_code '' for `hosts_of` to place.
    """
    chosen = {**guess(list(raw.frame.columns)), **{k: v for k, v in mapping.items() if v}}
    text = pd.DataFrame(
        {k: raw.frame[v].fillna("").astype(str).str.strip() for k, v in chosen.items()}, index=raw.frame.index
    ).reindex(columns=list(KNOWN_COLUMNS), fill_value="")
    if "name" not in chosen:
        wanted = ", ".join(KNOWN_COLUMNS["name"])
        return _empty(), [Problem(1, f"aucune colonne de nom ({wanted})", f"no column with a name ({wanted})")], []
    frame = pd.DataFrame(index=text.index)
    frame["place_id"] = _ids(text)
    frame["zone_code"] = _zone_codes(text, codes, communes or shipped_communes())
    frame["name"] = text["name"].str.replace(r"\s+", " ", regex=True)
    frame["kind"] = [_kind(*row) for row in text[["kind", "publisher", "place_id", "name"]].itertuples(index=False)]
    frame.loc[text["format"].ne("") & text["kind"].eq(""), "kind"] = "france_services"
    if "carrier" in chosen:  # the column of the body behind a place: the census of tiers-lieux
        frame.loc[frame["kind"].eq("other"), "kind"] = "tiers_lieu"
    frame.loc[text["facility"].eq(LIBRARY), "kind"] = "library"
    frame["lon"], frame["lat"], wrong = _points(text)
    frame["address"] = text["address"]
    frame["itinerant"] = text["format"].map(plain).str.contains("bus|itinerante", regex=True) | text["name"].map(
        lambda name: bool(_MOVES.search(plain(name)))
    )
    frame["itinerant"] |= text["moves"].eq("1")
    problems = [
        Problem(int(line), f"coordonnées illisibles ({lon}, {lat})", f"coordinates cannot be read ({lon}, {lat})")
        for line, lon, lat in zip(text.index[wrong], text.loc[wrong, "lon"], text.loc[wrong, "lat"], strict=True)
    ]  # fmt: skip
    return _kept(frame, text, problems, codes.kinds(text["zone_code"].str.upper()).eq("overseas"))


def _empty() -> pd.DataFrame:
    return pd.DataFrame(columns=_COLUMNS)


def _kept(
    frame: pd.DataFrame, text: pd.DataFrame, problems: list[Problem], overseas: pd.Series
) -> tuple[pd.DataFrame, list[Problem], list[tuple[str, str]]]:
    """The rows that can be placed; the others as problems; what a reader should know."""
    nameless = frame["name"].eq("")
    nowhere = frame["zone_code"].eq("") & frame["lon"].isna() & ~nameless & ~overseas
    problems += [Problem(line, "lieu sans nom", "place without a name") for line in frame.index[nameless]]
    for line in frame.index[nowhere]:
        where = " ".join(str(text.at[line, column]) for column in ("commune", "postcode")).strip()
        problems.append(
            Problem(line, f"commune introuvable : « {where} »", f"commune not found: “{where}”")
        )  # fmt: skip
    overseas |= frame["zone_code"].eq("") & ~(frame["lon"].between(-6, 11) & frame["lat"].between(41, 52)) & ~nowhere
    kept = frame[~(nameless | nowhere | overseas)]
    twice = kept["place_id"].duplicated()
    kept = kept[~twice].reset_index(drop=True)
    counts = {
        "at": int(kept["lon"].isna().sum()), "bus": int(kept["itinerant"].sum()), "twice": int(twice.sum()),
        "by": int(kept["zone_code"].eq("").sum()), "overseas": int(overseas.sum()),
    }  # fmt: skip
    notes = [
        (fr.format(n=counts[key]), en.format(n=counts[key]))
        for key, fr, en in (
            ("at", "{n} lieux sans coordonnées, placés à leur commune", "{n} places without a point, put at their commune"),
            ("bus", "{n} services itinérants : pas un bâtiment", "{n} services that move: not a building"),
            ("by", "{n} lieux rattachés à leur commune par leur point", "{n} places assigned to a commune by their point"),
            ("overseas", "{n} lieux hors de métropole, laissés de côté", "{n} places out of metropolitan France, left out"),
            ("twice", "{n} identifiants répétés", "{n} ids repeated"),
        )
        if counts[key]
    ]  # fmt: skip
    return kept[_COLUMNS], problems, notes


def _ids(text: pd.DataFrame) -> list[str]:
    """Ids that an address can carry; the same place of the same publisher has the same one in every list.

    A place of one's own list is known by its name, commune and address (and its number there): another list that counts
    from 1 too is not taken for the same, and a list given again in another order keeps the statuses of its places. So is a facility
    of INSEE's base; those that share all of that are told apart by their point.
    """
    found = []
    told = text[["name", "zone_code", "commune", "postcode", "address"]].map(plain).agg("|".join, axis=1)
    told = told.where(
        ~(told.duplicated(keep=False) & text["facility"].ne("")), told + "|" + text["lon"] + "|" + text["lat"]
    )
    columns = (text["place_id"], text["publisher"], text["format"], text["carrier"], text["facility"], told)
    for place, publisher, form, carrier, facility, words in zip(*columns, strict=True):
        if facility:  # INSEE gives no number that lasts from an edition to the next
            found.append(f"bpe-{hashlib.sha256(words.encode('utf-8')).hexdigest()[:12]}")
            continue
        own = _OWN_NUMBER.match(place)
        if own:
            found.append(f"{_SHORT_PUBLISHER.get(own['publisher'], own['publisher'])}-{own['number']}")
        elif place.isdigit() and form:
            found.append(f"fs-{place}")
        else:
            given = re.sub(r"[^A-Za-z0-9_-]", "-", place).strip("-_")[:50]
            mark = hashlib.sha256(words.encode("utf-8")).hexdigest()[:8]
            if carrier and given:
                found.append(f"tl-{given}")
            elif publisher or "-" in given:
                found.append(given or mark)
            else:
                found.append(f"own-{given}-{mark}" if given else f"own-{mark}")
    return found


def _zone_codes(text: pd.DataFrame, codes: CodeMap, communes: Communes) -> pd.Series:
    """Today's commune of each row: by its code, else by its name and postcode; '' where neither says."""
    found = pd.Series(codes.today(text["zone_code"].str.upper()), index=text.index).fillna("").astype(str)
    for line in text.index[found.eq("")]:
        found.at[line] = communes.find(str(text.at[line, "commune"]), str(text.at[line, "postcode"]))
    return found


def _kind(given: str, publisher: str, place: str, name: str) -> str:
    if given in KINDS:
        return given
    if "tiers-lieux" in publisher or "tiers-lieux" in place:
        return "tiers_lieu"
    if publisher == "france-services":
        return "france_services"
    words = plain(f"{name} {given}")
    return next((kind for kind, pattern in _KIND_WORDS if re.search(pattern, words)), "other")


def _points(text: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Longitude, latitude (missing where unknown) and which rows give something that is not a point."""
    lon, lat = (pd.to_numeric(text[c].str.replace(",", "."), errors="coerce") for c in ("lon", "lat"))
    swapped = lon.between(41, 52) & lat.between(-6, 11)
    lon, lat = lon.where(~swapped, lat), lat.where(~swapped, lon)
    bad = ~(lon.between(-180, 180) & lat.between(-90, 90)) | ((lon == 0) & (lat == 0))
    given = text["lon"].ne("") | text["lat"].ne("")
    return lon.where(~bad, np.nan), lat.where(~bad, np.nan), bad & given
