"""Time and memory of the road engine on a larger graph: the real extract laid side by side, k x k times (synthetic).

python benchmarks/roads.py FILE.osm.pbf [--side 8]
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from coopconnect.parameters import load_parameters
from coopconnect.territory.roads import CarProfile
from coopconnect.territory.roads.graph import build_graph
from coopconnect.territory.roads.osm import Roads, read_roads
from coopconnect.territory.roads.route import join, matrix_of, one_origin
from coopconnect.territory.roads.snap import Snapped, snap

NEXT_ID = 1 << 40
"""What is added to the ids of each copy: above those of OpenStreetMap."""
LINKS, LINK_KMH = 8, 80.0
POINTS, ORIGINS = 40, 8


def main() -> None:
    """Read, lay side by side, build, route; one line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extract", type=Path)
    parser.add_argument("--side", type=int, default=8, help="copies along each side")
    options = parser.parse_args()
    profile = CarProfile.from_parameters(load_parameters().values_with({}))
    clock = time.process_time()
    one = read_roads(options.extract, profile)
    told("read", clock, f"{len(one.ref)} positions, {options.extract.stat().st_size / 1e6:.2f} MB")
    wide, high = float(np.ptp(one.lon)), float(np.ptp(one.lat))
    roads = side_by_side(one, options.side, wide, high)
    clock = time.process_time()
    graph = build_graph(roads, profile)
    told("build", clock, f"{options.side**2} copies, {len(graph.km)} states, {len(graph.turn_from)} turns")
    rng = np.random.default_rng(1)
    lon = one.lon.min() + rng.uniform(0, wide * options.side, POINTS)
    lat = one.lat.min() + rng.uniform(0, high * options.side, POINTS)
    clock = time.process_time()
    at = snap(graph, lon, lat, profile.snap_max_km)
    told(f"{POINTS} points onto roads", clock)
    on = at.state >= 0
    clock = time.process_time()
    network = join(graph, Snapped(at.state[on], at.share[on], at.off_km[on]))
    matrix = matrix_of(network)
    told("points joined", clock)
    for limit_min in (20.0, 60.0):
        clock = time.process_time()
        for origin in range(min(ORIGINS, int(on.sum()))):
            one_origin(network, matrix, origin, limit_min)
        told(f"{ORIGINS} origins within {limit_min:.0f} min", clock)


def told(what: str, since: float, more: str = "") -> None:
    """Seconds of CPU since `since` and the peak of memory."""
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {time.process_time() - since:.2f} s of CPU, peak {peak_mb:.0f} MB {more}", flush=True)


def side_by_side(one: Roads, side: int, wide: float, high: float) -> Roads:
    """side x side copies of the roads, each joined to its neighbours east and north by `LINKS` two-way roads."""
    copies = np.arange(side * side)
    shift = np.repeat(copies, len(one.ref))
    nodes, count = np.unique(one.ref, return_counts=True)
    crossing = np.random.default_rng(0).choice(nodes[count > 2], LINKS, replace=False)
    east, north = copies[copies % side < side - 1], copies[copies // side < side - 1]
    a, b = np.concatenate([east, north]), np.concatenate([east + 1, north + side])
    end = np.stack([np.repeat(a, LINKS), np.repeat(b, LINKS)], 1).ravel()
    node = np.repeat(np.tile(crossing, len(a)), 2)
    place = {int(ref): k for k, ref in enumerate(one.ref)}
    at = np.array([place[int(ref)] for ref in node], dtype=np.int64)
    links = len(end) // 2
    first = np.concatenate([[0], *(one.start[1:] + len(one.ref) * t for t in copies)])
    return replace(
        one,
        ref=np.concatenate([np.tile(one.ref, len(copies)) + NEXT_ID * shift, node + NEXT_ID * end]),
        lon=np.concatenate([np.tile(one.lon, len(copies)) + wide * (shift % side), one.lon[at] + wide * (end % side)]),
        lat=np.concatenate(
            [np.tile(one.lat, len(copies)) + high * (shift // side), one.lat[at] + high * (end // side)]
        ),
        start=np.concatenate([first, first[-1] + 2 * np.arange(1, links + 1)]).astype(np.int64),
        way_id=np.concatenate([*(one.way_id + NEXT_ID * t for t in copies), -1 - np.arange(links)]),
        ahead_kmh=np.concatenate([np.tile(one.ahead_kmh, len(copies)), np.full(links, LINK_KMH)]),
        back_kmh=np.concatenate([np.tile(one.back_kmh, len(copies)), np.full(links, LINK_KMH)]),
        stop=np.concatenate([np.tile(one.stop, len(copies)), np.ones(links, bool)]),
        signals=np.concatenate([one.signals + NEXT_ID * t for t in copies]),
        blocked=np.concatenate([one.blocked + NEXT_ID * t for t in copies]),
        turns=[
            (start + NEXT_ID * t, via + NEXT_ID * t, end_ + NEXT_ID * t, only)
            for t in copies.tolist()
            for start, via, end_, only in one.turns
        ],
    )


if __name__ == "__main__":
    main()
