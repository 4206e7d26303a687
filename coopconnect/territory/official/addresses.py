"""Names and addresses as people write them, brought to a form that can be compared; communes found by postcode."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow.parquet as pq

from coopconnect.parameters import DATA_DIR

_SHORT = {
    "st": "saint", "ste": "sainte", "av": "avenue", "ave": "avenue", "bd": "boulevard", "bld": "boulevard",
    "blvd": "boulevard", "bvd": "boulevard", "pl": "place", "chem": "chemin", "che": "chemin", "rte": "route",
    "imp": "impasse", "all": "allee", "fg": "faubourg", "sq": "square", "crs": "cours", "rur": "rue", "dr": "docteur",
    "gal": "general", "mal": "marechal", "zac": "za", "mediateque": "mediatheque", "bibliotheques": "bibliotheque",
}  # fmt: skip
_LITTLE = frozenset(["d", "de", "des", "du", "la", "le", "les", "l", "a", "au", "aux", "et", "en", "sur", "sous", "s"])
_DISTRICT = re.compile(r"\b(\d{1,2})\s*(?:er|e|eme|ere)?\s*arrondissement\b|\bcedex\b(?:\s*\d+)?")


@lru_cache(maxsize=65536)
def plain(text: str) -> str:
    """Lower case, without accents or punctuation, usual short forms written out: 'St-Étienne' is 'saint etienne'."""
    low = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "oe")).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", " ", low.lower()).split()
    return " ".join(_SHORT.get(word, word) for word in words)


def commune_name(text: str) -> str:
    """Name of a commune as it is compared: plain, without its articles, its district and 'cedex'."""
    words = _DISTRICT.sub(" ", plain(text)).split()
    kept = [word for word in words if word not in _LITTLE]
    return " ".join(kept or words)


def street(text: str) -> str:
    """An address as it is compared: number and street; '' where it has no number or no street."""
    found = re.search(r"\b(\d{1,4})(?: ?(bis|ter|quater|[a-d]))?\b(.*)", plain(text))
    if not found:
        return ""
    words = [word for word in found[3].split() if word not in _LITTLE and not re.fullmatch(r"\d{5}", word)]
    return f"{found[1]}{(found[2] or '')[:1]} {' '.join(words)}" if words else ""


class Problem(NamedTuple):
    """What is wrong on a line of a file, in both languages."""

    line: int
    message_fr: str
    message_en: str


class Communes:
    """Communes by postcode and name. `find` gives the code of today's commune, '' where it cannot be told."""

    def __init__(self, postcodes: pd.DataFrame) -> None:
        self._of_postcode: dict[str, set[str]] = defaultdict(set)
        self._of_name: dict[tuple[str, str], set[str]] = defaultdict(set)
        for postcode, code, name in postcodes[["postcode", "zone_code", "name"]].itertuples(index=False):
            self._of_postcode[postcode].add(code)
            self._of_name[commune_name(name), postcode].add(code)
            self._of_name[commune_name(name), code[:2]].add(code)

    def find(self, name: str, postcode: str) -> str:
        """By name and postcode, else by name in the département, else by a postcode that is one commune's alone."""
        name, postcode = commune_name(name), postcode.strip().zfill(5) if postcode.strip() else ""
        corsica = postcode[:2] == "20"
        areas = [postcode, *(("2A", "2B") if corsica else (postcode[:2],))]
        candidates = [self._of_name.get((name, area), set()) for area in areas if name and area]
        candidates.append(self._of_postcode.get(postcode, set()))
        return next((min(found) for found in candidates if len(found) == 1), "")


@lru_cache(maxsize=2)
def shipped_communes(folder: Path = DATA_DIR / "territory") -> Communes:
    """Communes by postcode and name, from what is shipped."""
    table = pq.read_table(folder / "postcodes.parquet").to_pandas()
    own = pq.read_table(folder / "communes.parquet", columns=["zone_code", "name"]).to_pandas()
    names = table["zone_code"].map(dict(zip(own["zone_code"], own["name"], strict=True)))
    return Communes(table.assign(name=table["name"].where(table["name"].ne(""), names)))
