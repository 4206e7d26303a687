"""Host buildings: places that could share a room, one row each, assigned to a commune.

The town hall of each commune is always one; the others come from the table 'places' (official lists or the user's
own). The same place listed several times becomes one host that remembers every id under which it was listed; the
result does not depend on the order of the rows, and doing it twice changes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from coopconnect.parameters import DATA_DIR
from coopconnect.scenario import Scenario, host_status
from coopconnect.territory.official.addresses import ordinary_case, plain, street
from coopconnect.territory.travel import crow_km
from coopconnect.territory.types import Territory

SAME_NAME_KM = 0.5
"""Two places of one commune with the same name and points this close are one place."""

SAME_SPOT_KM = 0.06
"""Two places this close are one where one's name says no more than the other's."""

CONTOUR_TOLERANCE_KM = 1.0
"""A point this far out of its commune is believed (contours are simplified); farther, it is put at the commune."""

_GENERIC = frozenset(
    [
        "france",
        "services",
        "service",
        "bus",
        "maison",
        "espace",
        "mairie",
        "hotel",
        "ville",
        "bibliotheque",
        "mediatheque",
        "tiers",
        "lieu",
        "lieux",
        "poste",
        "la",
        "municipale",
        "municipal",
        "intercommunale",
        "de",
        "du",
        "des",
        "d",
        "le",
        "les",
        "l",
        "et",
        "a",
        "au",
        "aux",
        "en",
        "antenne",
        "point",
        "numerique",
        "lecture",
        "msap",
        "fs",
        "commune",
        "communale",
    ]
)
_KIND_ORDER = ("town_hall", "tiers_lieu", "library", "france_services", "school", "post_office", "other")


@dataclass(frozen=True, order=True)
class Host:
    """One building. precise: its own point, not that of the commune; moved: its published point was not believed.

    sources: every id under which it is listed, sorted; host_id is one of them ('m84003' for a town hall). names:
    every name under which it is listed, the one shown first. commune: name of its commune. lon, lat: degrees WGS84, missing until it is placed.
    """

    host_id: str
    zone_code: str
    name: str
    kind: str
    lon: float
    lat: float
    precise: bool
    sources: tuple[str, ...]
    names: tuple[str, ...] = ()
    address: str = ""
    moved: bool = False
    commune: str = ""


COLUMNS = tuple(field.name for field in fields(Host))


def hosts_of(zones: pd.DataFrame, places: pd.DataFrame | None = None, data_dir: Path | None = None) -> pd.DataFrame:
    """Hosts of the communes of `zones` (zone_code, name, lon, lat), one row each, sorted by commune then id.

    places: the table 'places' of the contract, or none: then only the town halls. data_dir: the folder
    data/territory, for the contours. Services that move (buses) are no host. A place whose point is more than 1 km
    out of its commune is put at the commune's point and flagged; one without a commune gets that which holds it. `name`
    is what is shown, without a publisher's capitals; `names` are as published.
    """
    folder = data_dir or DATA_DIR / "territory"
    guessed = _guessed_points(folder)
    rows = zip(*(zones[c] for c in ("zone_code", "name", "lon", "lat")), strict=True)
    halls = [_town_hall(code, name, lon, lat, precise=code not in guessed) for code, name, lon, lat in rows]
    found = _read_places(places, zones, folder) if places is not None else []
    one_each = deduplicated([*halls, *found])
    return pd.DataFrame([{**vars(host), "name": ordinary_case(host.name)} for host in one_each], columns=list(COLUMNS))


def main_halls(hosts: pd.DataFrame) -> pd.Series:
    """True for the town hall of each commune, which is a host without any list."""
    return hosts["host_id"].eq("m" + hosts["zone_code"]) & hosts["kind"].eq("town_hall")


def host_counts(zones: pd.DataFrame, places: pd.DataFrame | None, hosts: pd.DataFrame) -> dict[str, int]:
    """How lists became hosts: rows of the lists, services that move among them, hosts besides the main town halls of the
    communes of `zones`, rows that joined another row or a town hall, and points that were not believed."""
    main = main_halls(hosts)
    listed = hosts["sources"].map(
        lambda sources: sum(source != f"m{source[1:]}" or len(source) != 6 for source in sources)
    )
    others = int((~main).sum())
    return {
        "rows": 0 if places is None else len(places),
        "moving": 0 if places is None else int(places["itinerant"].astype(bool).sum()),
        "town_halls": int(main.sum()),
        "other_hosts": others,
        "joined_another": int((listed[~main] - 1).sum()),
        "joined_a_town_hall": int(listed[main].sum()),
        "moved": int(hosts["moved"].astype(bool).sum()),
    }


def lists_of(places: pd.DataFrame | None) -> list[dict[str, str | int]]:
    """The lists that places were last read in: `source`, `year` ('' where it is not told) and `rows`, the longest first."""
    if places is None or "list_source" not in places:
        return []
    counts = places.groupby(["list_source", "list_year"], sort=True).size().sort_values(ascending=False, kind="stable")
    return [{"source": source, "year": year, "rows": int(rows)} for (source, year), rows in counts.items()]


@lru_cache(maxsize=2)
def _guessed_points(data_dir: Path) -> frozenset[str]:
    """Communes whose point is not their town hall (missing or misplaced in the source) but a point inside."""
    table = pq.read_table(data_dir / "communes.parquet", columns=["zone_code", "point_source"]).to_pandas()
    return frozenset(table.loc[table["point_source"] != "town_hall", "zone_code"])


def _town_hall(code: str, commune: str, lon: float, lat: float, precise: bool) -> Host:
    name = f"Mairie ({commune})"
    return Host(
        f"m{code}", code, name, "town_hall", float(lon), float(lat), precise, (f"m{code}",), (name,), commune=commune
    )


def _read_places(places: pd.DataFrame, zones: pd.DataFrame, data_dir: Path) -> list[Host]:
    point_of = {row[0]: row[1:3] for row in zones[["zone_code", "lon", "lat"]].itertuples(index=False)}
    commune_of = dict(zip(zones["zone_code"], zones["name"], strict=True))
    fixed = places[~places["itinerant"].astype(bool)]
    near = fixed[fixed["zone_code"].isin(list(point_of)) | (fixed["zone_code"].eq("") & _around(fixed, zones))]
    codes, believed = _placed(near, zones, data_dir)
    hosts = []
    columns = ["place_id", "name", "kind", "lon", "lat", "address"]
    for row, code, sure in zip(near[columns].itertuples(index=False), codes, believed, strict=True):
        if code not in point_of:
            continue
        has_point = bool(np.isfinite(row[3]) and np.isfinite(row[4]))
        lon, lat = (row[3], row[4]) if sure else point_of[code]
        hosts.append(
            Host(row[0], code, row[1], row[2], float(lon), float(lat), bool(sure), (row[0],), (row[1],), row[5],
                 has_point and not sure, commune_of[code])
        )  # fmt: skip
    return hosts


def _around(places: pd.DataFrame, zones: pd.DataFrame) -> np.ndarray:
    margin = 0.5
    inside = places["lon"].between(zones["lon"].min() - margin, zones["lon"].max() + margin)
    return (inside & places["lat"].between(zones["lat"].min() - margin, zones["lat"].max() + margin)).to_numpy(bool)


def _placed(places: pd.DataFrame, zones: pd.DataFrame, data_dir: Path) -> tuple[np.ndarray, np.ndarray]:
    """Commune of each place ('' where no contour holds it), and whether its own point is believed."""
    import shapely

    from coopconnect.territory.load import contours_for

    codes = places["zone_code"].to_numpy(object).copy()
    lon, lat = places["lon"].to_numpy(float), places["lat"].to_numpy(float)
    known = np.isfinite(lon) & np.isfinite(lat)
    wanted = list(zones["zone_code"]) if (codes == "").any() else sorted(set(codes))
    names, shapes = contours_for(wanted, data_dir)
    contours = shapely.from_wkb(shapes)
    points = shapely.points(np.where(known, lon, 0.0), np.where(known, lat, 0.0))
    lost = np.flatnonzero((codes == "") & known)
    if lost.size:
        tree = shapely.STRtree(contours)
        held, contour = tree.query(points[lost], predicate="intersects")
        for n, row in sorted(zip(held, contour, strict=True), key=lambda pair: names[pair[1]], reverse=True):
            codes[lost[n]] = names[row]
    row_of = {code: n for n, code in enumerate(names)}
    rows = np.array([row_of.get(code, -1) for code in codes], dtype=int)
    believed = known & (rows >= 0)
    at = np.flatnonzero(believed)
    believed[at] = _km_out(contours[rows[at]], points[at]) <= CONTOUR_TOLERANCE_KM
    return codes, believed


def _km_out(contours: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Km by which each point lies out of its contour, 0 inside. Degrees are stretched to km at the point."""
    import shapely

    lines = shapely.shortest_line(contours, points)
    ends = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    return crow_km(ends[:, 0, 0], ends[:, 0, 1], ends[:, 1, 0], ends[:, 1, 1])


def deduplicated(hosts: Iterable[Host]) -> list[Host]:
    """One host per place, sorted. In any order the same result; applied again it changes nothing.

    Two hosts are one place when they share an id, or when they are of one commune and: have the same name within
    500 m (no two addresses) or 60 m; or the same address, or points within 60 m, and names that agree; or both are its
    own town hall; or one's address is the town hall. Names agree when what is left without generic words and the
    commune's name says no more on one side than on the other, or nothing on one side with the same kind. Two services
    of different kinds side by side stay two hosts: asking twice costs less than taking one's refusal for the other's.
    """
    before: list[Host] = sorted(hosts)
    while True:
        after = sorted(_merged([before[n] for n in group]) for group in _groups(before))
        if len(after) == len(before):
            return after
        before = after


def _groups(hosts: Sequence[Host]) -> list[list[int]]:
    """Rows that are one place: connected parts of `is_same`, within a commune."""
    parent = list(range(len(hosts)))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    by_commune = defaultdict(list)
    for n, host in enumerate(hosts):
        by_commune[host.zone_code].append(n)
    for rows in by_commune.values():
        for i, a in enumerate(rows):
            for b in rows[i + 1 :]:
                if root(a) != root(b) and is_same(hosts[a], hosts[b]):
                    parent[root(b)] = root(a)
    groups = defaultdict(list)
    for n in range(len(hosts)):
        groups[root(n)].append(n)
    return list(groups.values())


def is_same(a: Host, b: Host) -> bool:
    """True where two hosts are the same place (see `deduplicated`); symmetric."""
    if set(a.sources) & set(b.sources):
        return True
    if a.zone_code != b.zone_code:
        return False
    if (_is_main_hall(a) and _is_main_hall(b)) or _in_hall(a, b) or _in_hall(b, a):
        return True
    both = a.precise and b.precise
    ends = (np.array([v]) for v in (a.lon, a.lat, b.lon, b.lat))
    km = float(crow_km(*ends)[0]) if both else 0.0
    here, there = street(a.address), street(b.address)
    close = both and km <= SAME_SPOT_KM
    if km <= SAME_NAME_KM and {plain(name) for name in a.names} & {plain(name) for name in b.names}:
        return close or not (here and there and here != there)
    return _agree(a, b) and (close or (bool(here) and here == there and km <= SAME_NAME_KM))


@lru_cache(maxsize=65536)
def _own_words(name: str, commune: str) -> frozenset[str]:
    return frozenset(plain(name).split()) - _GENERIC - frozenset(plain(commune).split())


def _agree(a: Host, b: Host) -> bool:
    """Names that say the same once generic words and the commune are out, or one that says nothing, of one kind."""
    for one in a.names:
        for other in b.names:
            mine, theirs = _own_words(one, a.commune), _own_words(other, b.commune)
            if mine and theirs and (mine <= theirs or theirs <= mine):
                return True
            if a.kind == b.kind != "other" and not (mine and theirs):
                return True
    return False


def _is_main_hall(host: Host) -> bool:
    """The commune's own town hall: not an annexe, nor that of a district or of a commune it absorbed."""
    return host.kind == "town_hall" and any(not _own_words(name, host.commune) for name in host.names)


def _in_hall(hall: Host, other: Host) -> bool:
    """A service whose address is the town hall itself."""
    inside = plain(other.address).startswith(("mairie", "hotel de ville"))
    words = plain(other.address).split()
    return inside and _is_main_hall(hall) and not {"annexe", "ancienne", "quartier"} & set(words)


def _merged(group: Sequence[Host]) -> Host:
    """One host from several: the best known member, with every id, name and what the others know more."""
    if len(group) == 1:
        return group[0]
    best = min(group, key=_worth)
    precise = [host for host in sorted(group, key=_worth) if host.precise]
    at = precise[0] if precise else best
    names = Counter(name for host in group for name in host.names)
    address = best.address or min((h.address for h in group if h.address), default="", key=lambda t: (-len(t), t))
    return replace(
        best, lon=at.lon, lat=at.lat, precise=at.precise, moved=at.moved, address=address,
        sources=tuple(sorted({source for host in group for source in host.sources})),
        names=(best.name, *sorted(set(names) - {best.name})),
    )  # fmt: skip


def _worth(host: Host) -> tuple[object, ...]:
    """Smallest for the member that names the host: town hall first, then by kind, own point, id."""
    hall = host.host_id != f"m{host.zone_code}"
    return (hall, _KIND_ORDER.index(host.kind), not host.precise, host.host_id)


def refused_communes(scenario: Scenario, hosts: pd.DataFrame) -> tuple[str, ...]:
    """Communes that are no site: those the scenario says so of, and those of which every known host has refused."""
    refused = set(scenario.refused)
    if any(status == "refused" for _, status in scenario.hosts):
        known = dict(scenario.hosts)
        touched = {
            row[0] for row in zip(hosts["zone_code"], hosts["sources"], strict=True) if known.keys() & set(row[1])
        }
        for code, rows in hosts[hosts["zone_code"].isin(list(touched))].groupby("zone_code"):
            if all(host_status(scenario, sources) == "refused" for sources in rows["sources"]):
                refused.add(str(code))
    return tuple(sorted(refused))


def assessed_scenario(scenario: Scenario, hosts: pd.DataFrame) -> Scenario:
    """The scenario as the model reads it: refusals by commune; who was asked or agreed changes no figure."""
    return scenario.with_values(refused=refused_communes(scenario, hosts), hosts=())


def host_agreed(scenario: Scenario, hosts: pd.DataFrame) -> bool | None:
    """Of the hosts of one commune: True where one agreed, False where all have refused, None where it is open."""
    found = {host_status(scenario, sources) for sources in hosts["sources"]}
    return True if "agreed" in found else False if found == {"refused"} else None


def existing_nearby(territory: Territory, hosts: pd.DataFrame, site_code: str, access_max_min: float) -> pd.DataFrame:
    """Hubs that exist within so many minutes of a site, nearest first: `host_id`, `name`, `zone_code`, `drive_min`.

    Minutes are one way, between the two communes. A hub of the site's own commune is there too. KeyError where the
    territory has no such site.
    """
    codes = territory.zones["zone_code"].to_numpy(object)
    site = np.flatnonzero(codes[territory.site_zone] == site_code)
    if not site.size:
        raise KeyError(f"no site {site_code!r} in territory {territory.code}")
    span = slice(int(territory.access_start[site[0]]), int(territory.access_start[site[0] + 1]))
    near = pd.Series(territory.access_drive_min[span].astype(float), index=codes[territory.access_zone[span]])
    there = hosts.loc[hosts["kind"] == "tiers_lieu", ["host_id", "name", "zone_code"]]
    there = there.assign(drive_min=there["zone_code"].map(near))
    found = there[there["drive_min"] <= access_max_min].sort_values(["drive_min", "name"], kind="stable")
    return found.reset_index(drop=True)


def unknown_hosts(scenario: Scenario, hosts: pd.DataFrame) -> tuple[str, ...]:
    """Ids of the scenario that no known host has: their list is not loaded here, or the id is wrong."""
    known = {source for sources in hosts["sources"] for source in sources}
    return tuple(host for host, _ in scenario.hosts if host not in known)
