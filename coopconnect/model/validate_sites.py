"""What the modelled data do to the result: sites worked out with them and with observed ones (`validate sites`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy.spatial import cKDTree

from coopconnect.model.assessment import assess
from coopconnect.model.compare import compare
from coopconnect.model.types import Assessment
from coopconnect.parameters import Parameters
from coopconnect.scenario import DEFAULT_TERRITORY, reference_scenario
from coopconnect.territory import travel
from coopconnect.territory.build.models import plane_km
from coopconnect.territory.load import load_territory, select_communes
from coopconnect.territory.official.codes import CodeMap
from coopconnect.territory.official.kinds import import_file
from coopconnect.territory.official.reading import ReadingError
from coopconnect.territory.official.tables import Official
from coopconnect.territory.validate_flows import model_flows
from coopconnect.territory.validate_margins import read_observed

FLOW_COLUMNS = ("home_code", "work_code", "workers")


def validate_sites(
    observed: Path, routed: Path | None, data_dir: Path, parameters: Parameters, territory: str = ""
) -> dict[str, object]:
    """Rural sites of a territory in the reference scenario, with the data of a file and with the modelled ones instead.

    observed: flows by commune (CODGEO, DCLT, NBFLUX ...). routed: minutes between its communes, if there is a file.
    territory: the département where most of the workers of the file live, if not given. Both sides hold the pairs
    home x work that the file covers and no other commuters of these homes. The model is run again on the communes within
    `travel.COMMUTE_LIMIT_KM` of the homes: the small flows that are not shipped pair by pair count too. Keys: territory,
    sites (rural), workers_ratio (modelled / observed, covered pairs), then `flows`, `travel`, `both` (the last two with `routed`),
    each with users, hours, euros of all sites modelled / observed less 1 (`users_total` ...), the median gap of a site without sign
    (`users_median_error` ..., shares), `score_median_gap` (points), `top`, `top_kept`, `rank_correlation`, `viable_gained`,
    `viable_lost`. ReadingError, OSError; ValueError for an unknown territory.
    """
    _, frame = read_observed(observed, "flows", data_dir)
    seen = frame[frame["work_code"] != ""][list(FLOW_COLUMNS)]
    communes = pq.read_table(data_dir / "communes.parquet").to_pandas()
    territory = territory or _home_of(seen, communes)
    _, inside = select_communes(territory, communes, data_dir)
    if not communes["zone_code"].iloc[inside].isin(seen["home_code"]).any():
        raise ReadingError(
            f"{observed.name} : aucun flux au départ du territoire {territory}.",
            f"{observed.name}: no flow leaves a commune of the territory {territory}.",
        )
    modelled = _modelled(seen, communes, data_dir)
    circuity = parameters.value("circuity")
    home = load_territory(DEFAULT_TERRITORY, data_dir, circuity)
    minutes = None if routed is None else import_file(routed, routed.name, "travel", codes=CodeMap.load(data_dir)).frame

    def worked_out(flows: pd.DataFrame, travel_table: pd.DataFrame | None = None) -> Assessment:
        tables = {"flows": flows} | ({} if travel_table is None else {"travel": travel_table})
        loaded = load_territory(territory, data_dir, circuity, official=Official(tables))
        return assess(loaded, reference_scenario(parameters, territory), parameters, home=home)

    with_seen, with_model = worked_out(seen), worked_out(modelled)
    result: dict[str, object] = {
        "territory": territory,
        "sites": int(with_seen.sites["rural"].sum()),
        "workers_ratio": float(modelled["workers"].sum() / seen["workers"].sum()),
        "flows": _gaps(with_seen, with_model),
    }
    if minutes is not None:
        all_seen = worked_out(seen, minutes)
        result |= {"travel": _gaps(all_seen, with_seen), "both": _gaps(all_seen, with_model)}
    return result


def _home_of(seen: pd.DataFrame, communes: pd.DataFrame) -> str:
    departement = communes.set_index("zone_code")["departement"].reindex(seen["home_code"]).to_numpy()
    return f"d{seen['workers'].groupby(departement).sum().idxmax()}"


def _modelled(seen: pd.DataFrame, communes: pd.DataFrame, data_dir: Path) -> pd.DataFrame:
    """The flow model with modelled workers and jobs, on the pairs home x work that `seen` covers."""
    codes = communes["zone_code"].to_numpy()
    home, work = (np.isin(codes, seen[end].unique()) for end in ("home_code", "work_code"))
    xy = np.column_stack(plane_km(communes))
    near, _ = cKDTree(xy[home]).query(xy, distance_upper_bound=travel.COMMUTE_LIMIT_KM)
    rows = np.flatnonzero(np.isfinite(near))
    workers, jobs = (communes[margin].to_numpy(float)[rows] for margin in ("workers", "jobs"))
    origin, target, flow = model_flows(communes, rows, workers, jobs, data_dir)
    keep = home[origin] & work[target]
    return pd.DataFrame({"home_code": codes[origin[keep]], "work_code": codes[target[keep]], "workers": flow[keep]})


def _gaps(observed: Assessment, modelled: Assessment) -> dict[str, float | int]:
    """What the rural sites of one side have more than those of the other."""
    left = observed.sites[observed.sites["rural"]].set_index("zone_code")
    right = modelled.sites.set_index("zone_code").loc[left.index]
    found: dict[str, float | int] = {}
    for name, column in (("users", "users"), ("hours", "hours_per_year"), ("eur", "eur_per_year")):
        seen, guess = left[column].to_numpy(float), right[column].to_numpy(float)
        some = np.abs(seen) > 0.0
        found[f"{name}_total"] = float(guess.sum() / seen.sum() - 1.0)
        found[f"{name}_median_error"] = float(np.median(np.abs(guess[some] / seen[some] - 1.0)))
    found["score_median_gap"] = float(np.median(np.abs(right["score"] - left["score"])))
    difference = compare(observed, modelled)
    return found | {
        "top": difference.top, "top_kept": difference.top_kept, "rank_correlation": difference.rank_correlation,
        "viable_gained": difference.gained, "viable_lost": difference.lost,
    }  # fmt: skip
