"""Lines of INSEE's permanent facilities base in the columns of its detail file."""

from __future__ import annotations

BPE_2025 = (
    "AN;APET;NOMRS;CNOMRS;NUMVOIE;INDREP;TYPVOIE;LIBVOIE;CADR;CODPOS;DEPCOM;DEP;REG;LIBCOM;DOM;SDOM;TYPEQU;SIRET;STATUT_DIFFUSION;"
    "ITINERANCE;LAMBERT_X;LAMBERT_Y;LONGITUDE;LATITUDE;QUALITE_XY;EPSG;QUALITE_GEOLOC;TR_DIST_PRECISION;DCIRIS;DENS3;DENS7"
)
"""Header of the detail file of 2025: the columns of every edition since 2024 that matter here, and some that do not."""


def facility(
    name: str, code: str, typequ: str = "F307", lon: str = "5.39660", lat: str = "43.87680", **more: str
) -> str:
    """One line of the base. Each value is quoted, as INSEE does."""
    told = {"AN": "2025", "NOMRS": name, "DEPCOM": code, "TYPEQU": typequ, "LONGITUDE": lon, "LATITUDE": lat,
            "QUALITE_XY": "B", "EPSG": "2154", "QUALITE_GEOLOC": "11", "ITINERANCE": "_Z", "DENS7": "5", **more}  # fmt: skip
    return ";".join(
        f'"{told.get(column, "_Z" if column in ("SIRET", "CNOMRS") else "")}"' for column in BPE_2025.split(";")
    )
