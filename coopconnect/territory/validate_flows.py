"""Modelled commuting flows against a file of observed ones: `python -m coopconnect validate flows`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from coopconnect.parameters import DATA_DIR
from coopconnect.territory import gravity, travel
from coopconnect.territory.build import flows as build_flows
from coopconnect.territory.build.models import plane_km
from coopconnect.territory.fitted import fitted_values
from coopconnect.territory.paths import Paths
from coopconnect.territory.validate_margins import codes_not_placed, read_observed


def validate_flows(observed: Path, data_dir: Path = DATA_DIR / "territory") -> dict[str, float | int]:
    """Shipped flows against a file (CODGEO, DCLT, NBFLUX_C##_ACTOCC15P), on the pairs home x work that it covers.

    A pair is covered when its home is among the homes of the file and its work among its workplaces. Keys:
    cpc (shipped flows as they are), cpc_scaled (the same total as the file), cpc_file_margins (the model run on the
    communes of the file, with its own margins), total_ratio (shipped / observed), mean_km_observed, mean_km_model,
    mean_km_error (crow-fly km, all trips; relative), stay_observed, stay_model (share who work in their commune),
    n_pairs (observed above zero), workers_observed, workers_not_placed, codes_not_placed (lines).
    OSError, ReadingError (both languages).
    """
    imported, frame = read_observed(observed, "flows", data_dir)
    frame = frame[frame["work_code"] != ""]
    zones = pq.read_table(data_dir / "communes.parquet").to_pandas()
    row = pd.Series(np.arange(len(zones)), index=zones["zone_code"])
    home, work = row[frame["home_code"]].to_numpy(), row[frame["work_code"]].to_numpy()
    seen = frame["workers"].to_numpy(float)
    model_home, model_work, model = _shipped(data_dir, row, home, work)
    km_seen, km_model = _crow_km(zones, home, work), _crow_km(zones, model_home, model_work)
    mean_seen = float(np.average(km_seen, weights=seen))
    mean_model = float(np.average(km_model, weights=model)) if model.sum() > 0 else float("nan")
    key, model_key = _key(home, work, len(zones)), _key(model_home, model_work, len(zones))
    run_home, run_work, run = _with_file_margins(zones, home, work, seen, data_dir)
    ratio = model.sum() / seen.sum()
    return {
        "cpc": _cpc(model_key, model, key, seen),
        "cpc_scaled": _cpc(model_key, model / ratio, key, seen) if ratio > 0 else float("nan"),
        "cpc_file_margins": _cpc(_key(run_home, run_work, len(zones)), run, key, seen),
        "total_ratio": float(ratio),
        "mean_km_observed": mean_seen,
        "mean_km_model": mean_model,
        "mean_km_error": mean_model / mean_seen - 1,
        "stay_observed": float(seen[home == work].sum() / seen.sum()),
        "stay_model": float(model[model_home == model_work].sum() / max(model.sum(), 1e-9)),
        "n_pairs": len(seen),
        "workers_observed": float(seen.sum()),
        "workers_not_placed": imported.label.unplaced,
        "codes_not_placed": codes_not_placed(imported),
    }


def _key(home: np.ndarray, work: np.ndarray, n: int) -> np.ndarray:
    return home.astype(np.int64) * n + work


def _cpc(model_key: np.ndarray, model: np.ndarray, key: np.ndarray, seen: np.ndarray) -> float:
    """CPC of two sparse tables; a pair that one lacks is zero there."""
    _, left, right = np.intersect1d(model_key, key, assume_unique=True, return_indices=True)
    return 2 * float(np.minimum(model[left], seen[right]).sum()) / float(model.sum() + seen.sum())


def _shipped(
    data_dir: Path, row: pd.Series, home: np.ndarray, work: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shipped pairs that the file covers: home row, work row, commuters."""
    table = pq.read_table(data_dir / "flows.parquet", read_dictionary=["home_code", "work_code"])
    ends = []
    for column in ("home_code", "work_code"):
        chunk = pa.chunked_array(table[column]).unify_dictionaries().combine_chunks()
        chunk = chunk.chunk(0) if isinstance(chunk, pa.ChunkedArray) else chunk
        rows = row[chunk.dictionary.to_pylist()].to_numpy()
        ends.append(rows[chunk.indices.to_numpy(zero_copy_only=False)])
    covered = _flags(home, len(row))[ends[0]] & _flags(work, len(row))[ends[1]]
    tenths = table["workers_tenths"].to_numpy()
    return ends[0][covered], ends[1][covered], tenths[covered] / build_flows.TENTHS


def _flags(rows: np.ndarray, n: int) -> np.ndarray:
    flags = np.zeros(n, dtype=bool)
    flags[rows] = True
    return flags


def _crow_km(zones: pd.DataFrame, home: np.ndarray, work: np.ndarray) -> np.ndarray:
    lon, lat = zones["lon"].to_numpy(), zones["lat"].to_numpy()
    crow = travel.crow_km(lon[home], lat[home], lon[work], lat[work])
    own = travel.own_crow_km(zones["area_km2"].to_numpy(), travel.TravelLaw.from_parameters(fitted_values()))
    return np.where(home == work, own[home], crow)


def _with_file_margins(
    zones: pd.DataFrame, home: np.ndarray, work: np.ndarray, seen: np.ndarray, data_dir: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The model run on the communes of the file alone, with the workers and jobs of the file."""
    rows = np.union1d(home, work)
    workers = np.bincount(home, seen, len(zones))[rows]
    jobs = np.bincount(work, seen, len(zones))[rows]
    origin, target, flow = model_flows(zones, rows, workers, jobs, data_dir)
    kept = flow > 0
    return origin[kept], target[kept], flow[kept]


def model_flows(
    zones: pd.DataFrame, rows: np.ndarray, workers: np.ndarray, jobs: np.ndarray, data_dir: Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The flow model run on some communes alone: home row, work row, commuters of each pair.

    zones: the table of communes. rows: those that send and receive. workers, jobs: of each of `rows`; the balance meets
    the jobs in proportion, at the total of the workers.
    """
    values = fitted_values()
    part = zones.iloc[rows].reset_index(drop=True).assign(workers=workers, jobs=jobs)
    x_km, y_km = plane_km(zones)
    start, column = gravity.pairs_within(x_km[rows], y_km[rows], travel.COMMUTE_LIMIT_KM)
    law, deterrence = travel.TravelLaw.from_parameters(values), gravity.Deterrence.from_parameters(values)
    kernel = build_flows.pair_kernel(part, start, column, law, deterrence, Paths.load(data_dir, len(zones)), rows)
    a, b, _ = gravity.balance(
        start, column, kernel, workers, jobs * (workers.sum() / jobs.sum()), build_flows.ITERATIONS
    )
    origin = np.repeat(np.arange(len(rows)), np.diff(start))
    return rows[origin], rows[column], a[origin] * kernel * b[column]
