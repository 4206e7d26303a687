"""The official density grid, when the user loads it: it replaces the estimated rural flag."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from coopconnect.territory.types import Provenance, Territory

CODE_COLUMNS = ("CODGEO", "insee_com", "code_commune", "codgeo")
LEVEL_COLUMNS = ("DENS7", "DENS", "DENS_AAV7", "niveau_densite", "TYPO_DENSITE")
LEVELS = {
    "grands centres urbains": 1,
    "centres urbains intermédiaires": 2,
    "petites villes": 3,
    "ceintures urbaines": 4,
    "bourgs ruraux": 5,
    "rural à habitat dispersé": 6,
    "rural à habitat très dispersé": 7,
}
FIRST_RURAL_LEVEL = 5


def read_density_grid(path: Path) -> pd.Series:
    """Level 1 to 7 by commune code, from the table of INSEE or of ANCT (csv, csv.gz or xlsx).

    ValueError says which columns are looked for and which values are not levels.
    """
    reader = pd.read_excel if path.suffix == ".xlsx" else pd.read_csv
    table = reader(path, dtype=str) if path.suffix == ".xlsx" else _read_csv(path)
    code = next((c for c in CODE_COLUMNS if c in table.columns), None)
    level = next((c for c in LEVEL_COLUMNS if c in table.columns), None)
    if code is None or level is None:
        raise ValueError(
            f"{path.name}: columns {', '.join(map(str, table.columns[:8]))}. A commune code ({', '.join(CODE_COLUMNS)}) "
            f"and a density level ({', '.join(LEVEL_COLUMNS)}) are needed."
        )
    text = table[level].str.strip()
    number = pd.to_numeric(text, errors="coerce").fillna(text.str.casefold().map(LEVELS))
    wrong = sorted(set(text[number.isna() | ~number.between(1, 7)].dropna()))
    if wrong:
        raise ValueError(f"{path.name}: column {level} holds {wrong[:3]}; levels are 1 to 7 or their names.")
    grid = pd.Series(number.to_numpy(), index=table[code].str.strip().str.zfill(5)).dropna().astype(int)
    return grid[~grid.index.duplicated()]


def _read_csv(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path, dtype=str, encoding="utf-8-sig")
    return table if table.shape[1] > 1 else pd.read_csv(path, dtype=str, encoding="utf-8-sig", sep=";")


def with_official_density(territory: Territory, grid: pd.Series, data_dir: Path, source: str) -> Territory:
    """The territory with the official rural flag; communes that the grid lacks keep the estimate.

    grid: level by commune code (`read_density_grid`); former codes are brought to the codes of today, the most
    urban level winning. source: name and year of the file, for the provenance.
    """
    former = pq.read_table(data_dir / "former_codes.parquet").to_pandas().set_index("code_2021")["zone_code"]
    today = grid.groupby(grid.index.map(lambda code: former.get(code, code))).min()
    level = territory.zones["zone_code"].map(today)
    zones = territory.zones.assign(
        rural=(level >= FIRST_RURAL_LEVEL).where(level.notna(), territory.zones["rural"]).astype(bool)
    )
    kept = int(level.isna().sum())
    note_fr = f"{kept} communes absentes du fichier gardent l'estimation." if kept else ""
    note_en = f"{kept} communes that the file lacks keep the estimate." if kept else ""
    official = Provenance("rural", "official", source, "", "Licence Ouverte 2.0", note_fr, note_en)
    others = tuple(p for p in territory.provenance if p.table != "rural")
    return replace(territory, zones=zones, provenance=(*others, official))
