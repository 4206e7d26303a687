"""data/SOURCES.md: origin, version, licence, checksum and rows of what was read and of what is shipped."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow.parquet as pq

from coopconnect.territory.build.inputs import INPUTS

CONTENT = {
    "communes.parquet": "une ligne par commune : codes, recensement, actifs et emplois modélisés, point (GeoParquet)",
    "contours.parquet": "contours simplifiés, bords partagés (GeoParquet, WGS84)",
    "outlines.parquet": "limites de départements et de régions, frontière et côte (GeoParquet)",
    "neighbours.parquet": "graphe des communes voisines et coût de chaque arête (temps de route **estimés**)",
    "near.parquet": "communes à moins de 33 min l'une de l'autre et chemin entre elles (**estimés**)",
    "flows.parquet": "flux domicile-travail **modélisés**, en dixièmes d'actif, paires d'au moins un actif",
    "remainders.parquet": "actifs hors de ces paires, par commune de domicile et tranche de distance (**modélisés**)",
    "former_codes.parquet": "code de 2021 (ou ancien) -> code de commune d'aujourd'hui",
    "postcodes.parquet": "codes postaux et noms d'adresse des communes (écrit par scripts/derive_postcodes.py)",
    "areas.csv": "régions, départements et EPCI que l'on peut charger",
    "fuel_years.csv": "prix des carburants par année (écrit par scripts/derive_fuel.py)",
    "climate.csv": "jours par an au-dessus de 35 °C par département (écrit par scripts/derive_climate.py)",
}
CLIMATE_NOTE = """\
## Climat

`climate.csv` : Météo-France, DRIAS-2020, indicateur NORTX35 (jours par an au-dessus de 35 °C) par département,
licence Etalab. `today` = interpolation à 2026 entre la référence (1976-2005) et H1 ; `tracc_2030`, `tracc_2050`, `tracc_2100` = horizons H1
(2021-2050), H2 (2041-2070), H3 (2071-2100) du scénario RCP8.5, pris comme **analogues** de la trajectoire TRACC.
Un seul modèle de climat est derrière ces classeurs ; DRIAS et TRACC n'ont pas la même période de référence.
C'est un ordre de grandeur, pas une prévision. La moyenne d'un département cache ses vallées et ses montagnes.
"""


SHIPPED = "## Ce qui est livré"


def shipped_lines(destination: Path, rows: dict[str, int] | None = None) -> list[str]:
    """The table of shipped files: content, rows, bytes, checksum. rows: those known; counted where not given."""
    lines = ["| fichier | contenu | lignes | octets | sha256 |", "|---|---|---|---|---|"]
    for name, content in CONTENT.items():
        path = destination / name
        if path.exists():
            data = path.read_bytes()
            count = (rows or {}).get(name) or _count(path, data)
            lines.append(f"| {name} | {content} | {count} | {len(data)} | `{hashlib.sha256(data).hexdigest()}` |")
    return lines


def _count(path: Path, data: bytes) -> int:
    return int(pq.read_metadata(path).num_rows) if path.suffix == ".parquet" else data.count(b"\n") - 1


def refresh(page: Path, destination: Path) -> None:
    """Write the table of shipped files again in `page`, after a script has derived one of them."""
    text = page.read_text(encoding="utf-8")
    start = text.index("|", text.index(SHIPPED))
    end = text.index("\n\n", start)
    page.write_text(text[:start] + "\n".join(shipped_lines(destination)) + text[end:], encoding="utf-8")


def sources_page(destination: Path, rows: dict[str, int], source_rows: dict[str, int], notes: list[str]) -> str:
    """Text of data/SOURCES.md. rows: rows of each shipped file; notes: what the build decided."""
    lines = [
        "# Sources des données livrées",
        "",
        "Écrit par `python -m coopconnect data build`. France métropolitaine, Corse comprise ; **l'outre-mer n'y est"
        " pas**. Rien n'est téléchargé quand l'application tourne.",
        "",
        "## Ce qui est lu",
        "",
        "| paquet | version | contenu | origine | date | licence des données | sha256 | lignes lues |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {item.name} ({item.registry}) | {item.version} | {item.content_fr} | {item.origin} | {item.published}"
        f" | {item.data_licence} | `{item.sha256}` | {source_rows[item.name]} |"
        for item in INPUTS
    ]
    lines += [
        "",
        SHIPPED,
        "",
        *shipped_lines(destination, rows),
    ]
    lines += [
        "",
        "Officiel : codes, noms, EPCI, population, résidences principales, contours. **Modélisé** : actifs occupés,"
        " emplois, flux. **Estimé** : classe de densité (rural), temps et km de route. Méthode et erreurs mesurées :"
        " `docs/territory.md`.",
        "",
        CLIMATE_NOTE,
        "## Ce que la construction a décidé",
        "",
        *(f"- {note}" for note in notes),
        "",
    ]
    return "\n".join(lines)
