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
_LOW = (_LITTLE - {"s"}) | frozenset([
    "dans", "ou", "par", "pour", "chez", "qu", "communal", "communale", "departemental", "departementale",
    "intercommunal", "intercommunale", "municipal", "municipale", "numerique", "publique", "scolaire",
])  # fmt: skip
"""Words of a name that have no capital unless they begin it."""
_INITIALS = frozenset([
    "adil", "admr", "afpa", "apf", "ccas", "cias", "cidff", "csapa", "ehpad", "epn", "esat", "msap", "pimms", "pmi", "sos",
    "udaf",
])  # fmt: skip
"""Initials usual in names of public places that could be read as a word; other initials that hold a vowel are taken for one."""
_LONE_INITIALS = 5
"""A name of one word of so many letters or fewer is left as it is: initials, as likely as not."""
_ROMAN = re.compile(r"X{0,3}(?:IX|IV|V?I{0,3})")
_DISTRICT = re.compile(r"\b(\d{1,2})\s*(?:er|e|eme|ere)?\s*arrondissement\b|\bcedex\b(?:\s*\d+)?")


@lru_cache(maxsize=65536)
def plain(text: str) -> str:
    """Lower case, without accents or punctuation, usual short forms written out: 'St-Étienne' is 'saint etienne'."""
    low = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "oe")).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", " ", low.lower()).split()
    return " ".join(_SHORT.get(word, word) for word in words)


def ordinary_case(name: str) -> str:
    """A name that its publisher wrote in capitals, as one writes it: 'MEDIATHEQUE DE L'ILE' is 'Mediatheque de l'Ile'.

    Only case changes, no letter (accents are not invented); initials and Roman numbers stay. A name that has any small letter is kept.
    """
    if name != name.upper() or not any(letter.isalpha() for letter in name):
        return name
    words = re.findall(r"[^\W_]+", name)
    if len(words) == 1 and len(words[0]) <= _LONE_INITIALS:
        return name
    parts = re.split(r"([^\W_]+)", name)  # what is between words, and words, in turn
    for n in range(1, len(parts), 2):
        begins = n == 1 or bool(re.search(r"[(\"«:/]|\s[-–]\s", parts[n - 1]))
        parts[n] = _word_case(parts[n], begins)
    return "".join(parts)


def _word_case(word: str, begins: bool) -> str:
    known = plain(word)
    if known in _LOW:
        return word.capitalize() if begins else word.lower()
    vowels = re.search(r"[aeiouy]", known)
    if known in _INITIALS or (len(word) > 1 and (not vowels or _ROMAN.fullmatch(word))):
        return word
    return word[:1] + word[1:].lower()


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
