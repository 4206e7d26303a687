"""What a car may do on each kind of OpenStreetMap road, and how fast without traffic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

KINDS = (
    "motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary", "secondary_link",
    "tertiary", "tertiary_link", "unclassified", "residential", "living_street", "service",
)  # fmt: skip
"""Classes of OpenStreetMap roads that cars take."""
NAMED_LIMITS = {
    "none": "motorway",
    "walk": "walk",
    "FR:motorway": "motorway",
    "FR:rural": "rural",
    "FR:urban": "urban",
    "FR:zone30": "zone_30",
    "FR:30": "zone_30",
    "FR:living_street": "living_street",
    "FR:zone20": "living_street",
}
"""Limits tagged by a name, and the parameter `road_limit_*_kmh` that says what they are."""
KMH_PER_MPH = 1.609344
CLOSED = frozenset(
    {"no", "private", "agricultural", "forestry", "emergency", "psv", "bus", "delivery", "customers", "military"}
)
BLOCKING = frozenset({"bollard", "block", "jersey_barrier", "cycle_barrier", "log", "debris", "chain", "planter"})
UNUSED_SERVICE = frozenset({"parking_aisle", "driveway", "drive-through", "emergency_access"})
ACCESS_KEYS = ("motorcar", "motor_vehicle", "vehicle", "access")


@dataclass(frozen=True)
class CarProfile:
    """Speeds of a car in free flow, from the parameters `road_*` (`docs/roads.md`).

    speed_kmh: by class of road, where no limit is tagged. limit_share: speed driven over a tagged limit. limit_kmh: of
    limits tagged by a name. turn_s: seconds lost in a turn of 135 degrees or more at a crossing; none below 45, linear
    between. signal_s: seconds lost at a traffic light. u_turn_s: seconds to turn round at a dead end. off_road_kmh:
    speed between a point and the road it stands off. snap_max_km: beyond it a point is on no road.
    """

    speed_kmh: Mapping[str, float]
    limit_kmh: Mapping[str, float]
    limit_share: float
    turn_s: float
    signal_s: float
    u_turn_s: float
    off_road_kmh: float
    snap_max_km: float

    @classmethod
    def from_parameters(cls, values: Mapping[str, float]) -> CarProfile:
        """Read the profile from parameter values (keys `road_*`); KeyError names a missing one."""
        return cls(
            speed_kmh={kind: values[f"road_speed_{kind}_kmh"] for kind in KINDS},
            limit_kmh={name: values[f"road_limit_{key}_kmh"] for name, key in NAMED_LIMITS.items()},
            limit_share=values["road_limit_share"],
            turn_s=values["road_turn_s"],
            signal_s=values["road_signal_s"],
            u_turn_s=values["road_u_turn_s"],
            off_road_kmh=values["road_off_kmh"],
            snap_max_km=values["road_snap_max_km"],
        )

    def key(self) -> str:
        """Text that changes when a number that the graph rests on changes."""
        speeds = ",".join(f"{name}={kmh}" for name, kmh in sorted({**self.speed_kmh, **self.limit_kmh}.items()))
        return f"{speeds};{self.limit_share};{self.turn_s};{self.signal_s};{self.u_turn_s};{self.snap_max_km}"

    def speeds(self, tags: Mapping[str, str]) -> tuple[float, float]:
        """km/h along the way and against it; 0 where a car may not go."""
        kind = tags.get("highway", "")
        base = self.speed_kmh.get(kind, 0.0)
        if not base or not car_allowed(tags) or tags.get("service") in UNUSED_SERVICE or tags.get("area") == "yes":
            return 0.0, 0.0
        both = self.limit(tags.get("maxspeed", ""))
        ahead = self.limit(tags.get("maxspeed:forward", "")) or both
        back = self.limit(tags.get("maxspeed:backward", "")) or both
        ahead_kmh = ahead * self.limit_share if ahead else base
        back_kmh = back * self.limit_share if back else base
        way = direction(tags)
        return (0.0 if way < 0 else ahead_kmh), (0.0 if way > 0 else back_kmh)

    def limit(self, text: str) -> float:
        """The tagged limit in km/h ('50', '30 mph', 'FR:rural'); 0 where there is none or it is not understood."""
        text = text.split(";")[0].strip()
        if text in self.limit_kmh:
            return self.limit_kmh[text]
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(mph|km/h|kmh|kph)?", text)
        if not found:
            return 0.0
        return float(found[1]) * (KMH_PER_MPH if found[2] == "mph" else 1.0)


def car_allowed(tags: Mapping[str, str]) -> bool:
    """Whether the most precise access tag lets a private car through (yes without any tag)."""
    value = next((tags[key] for key in ACCESS_KEYS if key in tags), "yes")
    return value not in CLOSED


def direction(tags: Mapping[str, str]) -> int:
    """1 one-way along the way, -1 against it, 0 both ways."""
    value = tags.get("oneway", "")
    if value in ("-1", "reverse"):
        return -1
    if value in ("yes", "true", "1"):
        return 1
    if value in ("no", "false", "0"):
        return 0
    return int(tags.get("junction") in ("roundabout", "circular") or tags.get("highway") == "motorway")


def blocks_cars(tags: Mapping[str, str]) -> bool:
    """Whether a barrier on the road stops cars."""
    if "barrier" not in tags:
        return False
    if any(key in tags for key in ACCESS_KEYS):
        return not car_allowed(tags)
    return tags["barrier"] in BLOCKING and tags.get("bollard") != "rising"
