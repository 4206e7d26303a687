"""What each table is, how old, and what would make it better: for `data status` and the page Données."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from coopconnect.territory.official.catalogue import Entry
from coopconnect.territory.official.contract import Label
from coopconnect.territory.official.fuel import shipped_history
from coopconnect.territory.official.store import Store
from coopconnect.territory.provenance import FEEDS
from coopconnect.territory.types import Provenance

FED_BY = {"flows": "flows", "workers": "flows", "jobs": "flows", "rural": "density", "climate": "climate"}
"""Table of the store that would make each table of a territory official."""
ROADS = "data roads FILE.osm.pbf"
ROADS_FR = "calculer par les routes d'OpenStreetMap : data roads FICHIER.osm.pbf, ou un serveur de routes, plus bas"
ROADS_EN = "compute on OpenStreetMap roads: data roads FILE.osm.pbf, or a routing server, below"


HOT_DAYS = "data import FILE (hot days by commune)"
HOT_DAYS_FR = "des jours chauds par commune : un export DRIAS (drias-climat.fr), à charger comme votre fichier"
HOT_DAYS_EN = "hot days by commune: an export of DRIAS (drias-climat.fr), loaded as your own file"


def shipped_beside() -> tuple[Provenance, ...]:
    """Where what is shipped beside a territory comes from: the prices behind the fuel lever, the hosts."""
    record = shipped_history()
    return (
        Provenance(
            "fuel", "official", "Commission européenne, bulletin pétrolier hebdomadaire, moyennes par an",
            f"{record.first[:4]}-{record.last[:4]}", "CC BY 4.0", "Repères du levier carburant.", "Marks of the fuel lever.",
            "European Commission, Weekly Oil Bulletin, yearly means",
        ),
        Provenance(
            "places", "estimated", "Mairies, une par commune", "2025", "Licence Ouverte 2.0",
            "Aucune liste de lieux n'est livrée : seules les mairies sont proposées.",
            "No list of places is shipped: town halls only.", "Town halls, one per commune",
        ),
    )  # fmt: skip


def beside(labels: Mapping[str, Label]) -> tuple[Provenance, ...]:
    """Where what stands beside a territory comes from: fuel prices and hosts, loaded (`labels` of the store) or shipped."""
    return tuple(_told(p.table, labels[p.table]) if p.table in labels else p for p in shipped_beside())


def _told(table: str, label: Label) -> Provenance:
    return Provenance(
        table, label.kind, label.source, label.year, label.licence, " ; ".join(label.notes_fr), "; ".join(label.notes_en),
        label.source_en, label.licence_en,
    )  # fmt: skip


def status_rows(
    provenance: Iterable[Provenance], store: Store, catalogue: Mapping[str, Entry], today: date
) -> list[dict[str, Any]]:
    """One row per table of a territory, then fuel prices and places.

    Keys: table, kind, source, source_en, year, licence, licence_en, note_fr, note_en, age_days (since it was loaded, None where shipped),
    better (the command that would improve it, '' where nothing would), better_fr, better_en (the same in words), stale
    (a newer edition is likely).
    """
    labels = store.labels()
    return [_row(p, labels, catalogue, today) for p in (*provenance, *beside(labels))]


def _row(p: Provenance, labels: Mapping[str, Label], catalogue: Mapping[str, Entry], today: date) -> dict[str, Any]:
    fed = FED_BY.get(p.table, p.table)
    behind = [
        labels[name] for name in FEEDS.get(p.table, (p.table,)) if name in labels and labels[name].source in p.source
    ]
    ages = [age for label in behind if (age := _age(label.loaded_on, today)) is not None]
    age = max(ages, default=None)
    better = better_fr = better_en = ""
    apart = p.table in ("fuel", "places")  # the shipped prices are official and end with a year, the weeks do not
    if not behind if apart else p.kind not in ("official", "own"):
        if p.table == "travel":
            better, better_fr, better_en = ROADS, ROADS_FR, ROADS_EN
        elif p.table == "climate":
            better, better_fr, better_en = HOT_DAYS, HOT_DAYS_FR, HOT_DAYS_EN
        elif entry := next((e for e in catalogue.values() if e.feeds == fed and e.urls), None):
            better = f"data fetch --only {entry.key}"
            better_fr, better_en = f"télécharger : {entry.title_fr}", f"download: {entry.title_en}"
    return {
        "table": p.table, "kind": p.kind, "source": p.source, "source_en": p.source_in("en"), "year": p.year, "licence": p.licence, "licence_en": p.licence_in("en"),
        "note_fr": p.note_fr, "note_en": p.note_en, "age_days": age, "better": better, "better_fr": better_fr, "better_en": better_en,
        "stale": _stale(fed, age, catalogue),
    }  # fmt: skip


def _age(loaded_on: str, today: date) -> int | None:
    try:
        return max((today - date.fromisoformat(loaded_on)).days, 0)
    except ValueError:
        return None


def _stale(table: str, age: int | None, catalogue: Mapping[str, Entry]) -> bool:
    days = [e.refresh_days for e in catalogue.values() if e.feeds == table and e.default and e.refresh_days]
    return age is not None and bool(days) and age > min(days)
