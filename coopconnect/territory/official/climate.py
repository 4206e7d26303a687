"""DRIAS indicators of Météo-France, by département or by commune: hot days today and at each horizon.

One climate model stands behind each workbook, on RCP scenarios; the levers' stops are those of the TRACC, for which the
horizons of RCP8.5 are taken as analogues. The two do not share their reference period: see docs/climate.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from coopconnect.territory.official.codes import CodeMap
from coopconnect.territory.official.readers import column_problems, numbers
from coopconnect.territory.official.reading import Problem, RawTable
from coopconnect.territory.types import CLIMATES

HORIZONS = {"REF": "reference", "H1": "h1", "H2": "h2", "H3": "h3"}
INDICATORS = {"NORTX35": "hot_days", "NORTXHWD": "heat_wave_days"}
"""Days above 35 degrees C, and days in a heat wave, a year; means over thirty years."""
WANTED = {
    "reference": ("reference", "reference"),
    "h1": ("rcp85", "h1"),
    "h2": ("rcp85", "h2"),
    "h3": ("rcp85", "h3"),
}
"""Scenario and horizon that each stop of the lever is made of."""
NEEDED = frozenset(WANTED.values())
TODAY, REFERENCE_MIDDLE, H1_MIDDLE = 2026.0, 1990.5, 2035.5
"""Today stands on a straight line between the middles of the reference (1976-2005) and of H1 (2021-2050)."""


def read(
    raw: RawTable, mapping: Mapping[str, str], codes: CodeMap
) -> tuple[pd.DataFrame, list[Problem], list[tuple[str, str]]]:
    """Rows of the table 'climate': one per area and horizon. The scenario is in the name of the file (2_6, 4_5, 8_5)."""
    found = re.search(r"(?:RCP)?([248])[_.]?([56])(?=\D|$)", raw.file_name.upper().replace("2020_", ""))
    rcp = f"rcp{found[1]}{found[2]}" if found else ""
    area = raw.frame[mapping["area_code"]].str.strip()
    problems: list[Problem] = []
    parts = []
    for suffix, horizon in HORIZONS.items():
        columns = {ours: f"{code}_{suffix}" for code, ours in INDICATORS.items() if f"{code}_{suffix}" in raw.frame}
        if not columns:
            continue
        part = pd.DataFrame(
            {"area_code": area, "horizon": horizon, "scenario": rcp if horizon != "reference" else "reference"}
        )
        for ours, column in columns.items():
            part[ours], wrong = numbers(raw.frame[column])
            problems += column_problems(
                raw.frame[column],
                wrong | (part[ours] < 0),
                column,
                "n'est pas un nombre de jours",
                "is not a number of days",
            )
            part[ours] = part[ours].where(part[ours] >= 0)
        parts.append(part)
    if not parts:
        return pd.DataFrame(), [_no_hot_days()], []
    if mapping["area_code"].lower() == "code_c":
        return pd.DataFrame(), [_postcodes()], []
    frame = pd.concat(parts, ignore_index=True)
    if not rcp and (frame["horizon"] != "reference").any():
        return pd.DataFrame(), [_no_scenario(raw.file_name)], []
    frame = frame[(frame["area_code"] != "") & frame.get("hot_days", pd.Series(np.nan, frame.index)).notna()]
    frame["area_code"] = frame["area_code"].where(frame["area_code"].str.len() <= 3, codes.today(frame["area_code"]))
    return (
        frame[frame["area_code"] != ""].drop_duplicates(["area_code", "scenario", "horizon"]),
        problems,
        lacking(frame),
    )


def lacking(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """What a table lacks to move the lever by itself: it takes the reference and the three horizons of RCP8.5."""
    found = set(zip(frame["scenario"], frame["horizon"], strict=True))
    if not found & NEEDED:
        return [
            (
                "le levier ne lit que RCP8.5 : ce fichier n'y change rien",
                "the lever reads RCP8.5 only: this file leaves it as it is",
            )
        ]
    if found >= NEEDED:
        return []
    return [_waiting("DRIAS_2020_8_5" if ("reference", "reference") in found else "DRIAS_2020_REFERENCE")]


def _waiting(other: str) -> tuple[str, str]:
    return (
        f"les jours chauds livrés restent tant que le classeur {other} n'est pas chargé lui aussi",
        f"the shipped hot days stay as long as the workbook {other} is not loaded too",
    )


def waits(note: str) -> bool:
    """True of a remark on a file that another workbook answers, once it is loaded."""
    return any(note in _waiting(other) for other in ("DRIAS_2020_8_5", "DRIAS_2020_REFERENCE"))


def _no_hot_days() -> Problem:
    return Problem(
        None, "NORTX35", "", "ce fichier n'a pas les jours au-dessus de 35 °C (NORTX35_REF, _H1, _H2, _H3) : les températures "
        "moyennes d'été ne les remplacent pas",
        "this file has no days above 35 °C (NORTX35_REF, _H1, _H2, _H3): mean summer temperatures do not stand in for them",
        fatal=True,
    )  # fmt: skip


def _postcodes() -> Problem:
    return Problem(
        None, "CODE_C", "", "CODE_C est un code postal, pas un code INSEE : les lignes iraient à d'autres communes",
        "CODE_C is a postcode, not an INSEE code: rows would go to other communes", fatal=True,
    )  # fmt: skip


def _no_scenario(name: str) -> Problem:
    return Problem(
        None, "", name, "le scénario (2_6, 4_5 ou 8_5) doit être dans le nom du fichier",
        "the scenario (2_6, 4_5 or 8_5) must be in the name of the file", fatal=True,
    )  # fmt: skip


def hot_days(zones: pd.DataFrame, climate: pd.DataFrame | None, shipped: np.ndarray) -> tuple[np.ndarray, float]:
    """Days above 35 degrees C of each zone at each of `CLIMATES`, and the share of zones that the table covers.

    zones: zone_code, departement. climate: the contract's table; the commune's own row counts before that of its
    département. shipped: (n_zones, len(CLIMATES)), what stands where the table lacks a horizon.
    """
    if climate is None or "hot_days" not in climate:
        return shipped, 0.0
    by_area = {
        name: climate[(climate["scenario"] == rcp) & (climate["horizon"] == horizon)].set_index("area_code")["hot_days"]
        for name, (rcp, horizon) in WANTED.items()
    }
    value = {
        name: zones["zone_code"].map(series).fillna(zones["departement"].map(series)).to_numpy(float)
        for name, series in by_area.items()
    }
    passed = (TODAY - REFERENCE_MIDDLE) / (H1_MIDDLE - REFERENCE_MIDDLE)
    today = value["reference"] + passed * (value["h1"] - value["reference"])
    stops = {"today": today, "tracc_2030": value["h1"], "tracc_2050": value["h2"], "tracc_2100": value["h3"]}
    table = np.column_stack([stops[name] for name in CLIMATES])
    whole = np.isfinite(table).all(axis=1)
    return np.where(whole[:, None], table, shipped).astype(np.float32), float(whole.mean())
