"""The table of communes: one vintage of codes, populations that sum, a point that lies where it should."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from coopconnect.territory.build.contours import to_degrees, to_lambert
from coopconnect.territory.build.inputs import Sources

TOWN_HALL_TOLERANCE_M = 1000.0
TWIN_HALLS_M = 300.0
PARTS_OF_A_CITY = {"751": "75056", "6938": "69123", "132": "13055"}
"""First figures of the codes of the districts of Paris, Lyon and Marseille, and the commune they make."""
IRIS_SUMS = {
    "pop": "population",
    "pop_0_19": "pop_0_19",
    "pop_20_64": "pop_20_64",
    "pop_65p": "pop_65p",
    "res_principales": "households",
    "res_secondaires": "second_homes",
    "logements": "dwellings",
    "logements_vacants": "vacant_dwellings",
    "appartements": "flats",
    "rp_en_appartement": "home_flats",
}
SPLIT_EXCESS_SHARE = 0.15
"""A commune whose census is this much above its official population may hold one that split from it."""
COLUMNS = (
    "zone_code",
    "name",
    "departement",
    "region",
    "epci_code",
    "epci_name",
    "chef_lieu_rank",
    "population",
    "pop_0_19",
    "pop_20_64",
    "pop_65p",
    "households",
    "second_homes",
    "dwellings",
    "vacant_dwellings",
    "flats",
    "home_flats",
    "activity_iris",
    "area_km2",
    "lon",
    "lat",
    "point_source",
)


@dataclass(frozen=True)
class Vintage:
    """How the codes of the census of 2021 become those of today.

    current: code of 2021 -> code of today (communes unchanged included). shared: parent of 2021 -> its share
    by commune of today, for those that have split. merged_back: communes that cannot be told from their
    parent (no contour), counted with it. unplaced: codes that found no place.
    """

    current: dict[str, str]
    shared: dict[str, dict[str, float]]
    merged_back: dict[str, str]
    unplaced: list[str]


def former_to_current(sources: Sources) -> dict[str, str]:
    """Code of each former commune, associated commune and city district -> code of its commune of today."""
    code_of = sources.units.set_index("id")["code"]
    parts = sources.units[sources.units["type"].isin(["COMD", "COMA", "ARM"])]
    current = dict(zip(parts["code"], parts["commune_parent_id"].map(code_of), strict=True))
    today = sources.communes[sources.communes["type"] == "commune-actuelle"]
    for code, former in zip(today["code"], today["anciensCodes"], strict=True):
        if isinstance(former, list):
            for old in former:
                current.setdefault(old, code)
    return {**current, **{code: code for code in today["code"]}}


def absorbed_since(sources: Sources, current: dict[str, str]) -> dict[str, list[str]]:
    """For each commune of today, the communes of the 2021 census that have joined it since (districts aside)."""
    absorbed: dict[str, list[str]] = {}
    for code in sorted(sources.iris["com"].unique()):
        now = current.get(code)
        if now is not None and now != code and now not in PARTS_OF_A_CITY.values():
            absorbed.setdefault(now, []).append(code)
    return absorbed


def match_vintages(sources: Sources, contours: pd.Series, neighbours: dict[str, set[str]]) -> Vintage:
    """Bring the census of 2021 to the codes of today.

    A commune of today without census split from a neighbour after 2021: the neighbour is the one whose census
    most exceeds its official population. Their census is shared by official population; where the source has
    no contour for the newcomer, it is left within its parent.
    """
    current = former_to_current(sources)
    official = sources.communes.query("type == 'commune-actuelle'").set_index("code")["population"]
    census = sources.iris.groupby("com")["pop"].sum()
    unplaced = sorted(set(census.index) - set(current))
    held = census.rename(index=current).groupby(level=0).sum()
    excess = (held - official.reindex(held.index)).sort_values()
    newcomers = sorted(set(official.index) - set(held.index))
    parents: dict[str, list[str]] = {}
    for code in newcomers:
        ring = neighbours.get(code) or set(held.index[held.index.str[:2] == code[:2]])
        near = ring.union(*(neighbours.get(n, set()) for n in ring))
        best = str(excess.reindex(sorted(near & set(held.index))).idxmax())
        if excess[best] < SPLIT_EXCESS_SHARE * official[best]:
            unplaced.append(code)
        else:
            parents.setdefault(best, []).append(code)
    merged_back, shared = {}, {}
    for parent, children in parents.items():
        without = [c for c in children if c not in contours.index]
        merged_back.update(dict.fromkeys(without, parent))
        kept = [c for c in children if c not in without]
        if kept:
            inhabitants = official[[parent, *kept]].astype(float)
            inhabitants[parent] += official[without].sum()
            portion = (inhabitants / inhabitants.sum()).to_numpy()
            shared[parent] = dict(zip([parent, *kept], portion.tolist(), strict=True))
    return Vintage(current, shared, merged_back, unplaced)


def census_by_commune(sources: Sources, vintage: Vintage) -> pd.DataFrame:
    """Census sums on the codes of today (whole numbers; shares of a split are rounded so that they still sum)."""
    iris = sources.iris.assign(activity_iris=(sources.iris["typ_iris"] == "A").astype(int))
    iris["zone_code"] = iris["com"].map(vintage.current)
    sums = iris.groupby("zone_code")[[*IRIS_SUMS, "activity_iris"]].sum().rename(columns=IRIS_SUMS)
    for parent, shares in vintage.shared.items():
        whole = sums.loc[parent]
        for column in sums.columns:
            cuts = np.round(np.cumsum(list(shares.values())) * whole[column]).astype(int)
            for code, amount in zip(shares, np.diff(cuts, prepend=0), strict=True):
                sums.loc[code, column] = amount
    return sums.astype(int).sort_index()


def official_names(sources: Sources) -> pd.DataFrame:
    """Index zone_code: name, departement, region, epci_code, epci_name, chef_lieu_rank (0 none to 3 region)."""
    today = sources.communes.query("type == 'commune-actuelle'").set_index("code")
    table = today[["nom", "departement", "region"]].rename(columns={"nom": "name"})
    members = {m["code"]: (e["code"], e["nom"]) for e in sources.epci for m in e["membres"]}
    table["epci_code"] = [members.get(code, ("", ""))[0] for code in table.index]
    table["epci_name"] = [members.get(code, ("", ""))[1] for code in table.index]
    rank = pd.Series(0, index=table.index)
    for level, list_ in enumerate((sources.districts, sources.departements, sources.regions), start=1):
        rank[rank.index.isin(list_["chefLieu"])] = level
    table["chef_lieu_rank"] = rank
    return table


def points_of(sources: Sources, codes: np.ndarray, polygons: np.ndarray) -> pd.DataFrame:
    """One point per commune, in degrees: its town hall if within 1 km of its contour, else a point inside.

    Where two town halls are nearer than `TWIN_HALLS_M`, one that is not in its own contour is not believed.
    polygons: contours in Lambert-93, in the order of `codes`. Returns lon, lat, point_source
    ('town_hall' or 'inside').
    """
    halls = sources.units[sources.units["type"] == "COM"].set_index("code")["mairie_localisation"].reindex(codes)
    hall = to_lambert(shapely.from_wkb([h if isinstance(h, str) and h else None for h in halls]))
    hall[shapely.is_empty(hall)] = None
    distance = shapely.distance(hall, polygons)
    good = np.isfinite(distance) & (distance <= TOWN_HALL_TOLERANCE_M)
    good &= ~((distance > 0) & _has_a_near_twin(hall))
    point = to_degrees(np.where(good, hall, shapely.point_on_surface(polygons)))
    return pd.DataFrame(
        {
            "lon": np.round(shapely.get_x(point), 6),
            "lat": np.round(shapely.get_y(point), 6),
            "point_source": np.where(good, "town_hall", "inside"),
        },
        index=pd.Index(codes, name="zone_code"),
    )


def _has_a_near_twin(hall: np.ndarray) -> np.ndarray:
    """True where another town hall lies within `TWIN_HALLS_M` (missing ones have none)."""
    known = np.flatnonzero(~shapely.is_missing(hall))
    tree = cKDTree(shapely.get_coordinates(hall[known]))
    twin = np.zeros(len(hall), dtype=bool)
    twin[known[np.unique(tree.query_pairs(TWIN_HALLS_M, output_type="ndarray"))]] = True
    return twin


def communes_table(sources: Sources, vintage: Vintage, codes: np.ndarray, polygons: np.ndarray) -> pd.DataFrame:
    """The table of communes before what is modelled: columns `COLUMNS`, sorted by code."""
    table = official_names(sources).reindex(codes)
    table = table.join(census_by_commune(sources, vintage)).join(points_of(sources, codes, polygons))
    table["area_km2"] = np.round(shapely.area(polygons) / 1e6, 3)
    table.index.name = "zone_code"
    return table.reset_index()[list(COLUMNS)].sort_values("zone_code").reset_index(drop=True)


def areas_table(sources: Sources, zones: pd.DataFrame) -> pd.DataFrame:
    """Regions, départements and EPCI that hold communes of `zones`: code, kind, name, communes (their number).

    Codes as `load_territory` takes them: '93' a region, 'd04' a département, nine figures an EPCI.
    """
    rows = [("FR", "country", "France métropolitaine", len(zones))]
    for kind, column, prefix, names in (
        ("region", "region", "", sources.regions),
        ("departement", "departement", "d", sources.departements),
    ):
        count = zones[column].value_counts()
        name = names.set_index("code")["nom"]
        rows += [(prefix + code, kind, name[code], int(count[code])) for code in sorted(count.index)]
    grouped = zones[zones["epci_code"] != ""].groupby(["epci_code", "epci_name"]).size().reset_index(name="n")
    rows += [(str(code), "epci", str(name), int(n)) for code, name, n in grouped.itertuples(index=False)]
    return pd.DataFrame(rows, columns=["code", "kind", "name", "communes"])
