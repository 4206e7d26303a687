"""What a car may do on each kind of OpenStreetMap road, and how fast without traffic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_SPEED_KMH: dict[str, float] = {
    "motorway": 90.0,
    "motorway_link": 45.0,
    "trunk": 85.0,
    "trunk_link": 40.0,
    "primary": 65.0,
    "primary_link": 30.0,
    "secondary": 55.0,
    "secondary_link": 25.0,
    "tertiary": 40.0,
    "tertiary_link": 20.0,
    "unclassified": 25.0,
    "residential": 25.0,
    "living_street": 10.0,
    "service": 15.0,
}
NAMED_LIMIT_KMH = {
    "none": 130.0,
    "walk": 7.0,
    "FR:motorway": 130.0,
    "FR:rural": 80.0,
    "FR:urban": 50.0,
    "FR:zone30": 30.0,
    "FR:living_street": 20.0,
    "FR:zone20": 20.0,
}
KMH_PER_MPH = 1.609344
CLOSED = frozenset(
    {"no", "private", "agricultural", "forestry", "emergency", "psv", "bus", "delivery", "customers", "military"}
)
BLOCKING = frozenset({"bollard", "block", "jersey_barrier", "cycle_barrier", "log", "debris", "chain", "planter"})
UNUSED_SERVICE = frozenset({"parking_aisle", "driveway", "drive-through", "emergency_access"})
ACCESS_KEYS = ("motorcar", "motor_vehicle", "vehicle", "access")


@dataclass(frozen=True)
class CarProfile:
    """Speeds of a car in free flow; every number is an assumption (`docs/roads.md`).

    speed_kmh: by class of road, where no limit is tagged. limit_share: speed driven over a tagged limit. turn_s:
    seconds lost in a turn of 135 degrees or more at a crossing; none below 45, linear between. signal_s: seconds lost
    at a traffic light. u_turn_s: seconds to turn round at a dead end. off_road_kmh: speed between a point and the
    road it stands off.
    """

    speed_kmh: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_SPEED_KMH))
    limit_share: float = 0.8
    turn_s: float = 7.5
    signal_s: float = 2.0
    u_turn_s: float = 20.0
    off_road_kmh: float = 20.0

    def key(self) -> str:
        """Text that changes when any number changes."""
        speeds = ",".join(f"{name}={self.speed_kmh[name]}" for name in sorted(self.speed_kmh))
        return f"{speeds};{self.limit_share};{self.turn_s};{self.signal_s};{self.u_turn_s}"

    def speeds(self, tags: Mapping[str, str]) -> tuple[float, float]:
        """km/h along the way and against it; 0 where a car may not go."""
        kind = tags.get("highway", "")
        base = self.speed_kmh.get(kind, 0.0)
        if not base or not car_allowed(tags) or tags.get("service") in UNUSED_SERVICE or tags.get("area") == "yes":
            return 0.0, 0.0
        both = limit_kmh(tags.get("maxspeed", ""))
        ahead = limit_kmh(tags.get("maxspeed:forward", "")) or both
        back = limit_kmh(tags.get("maxspeed:backward", "")) or both
        ahead_kmh = ahead * self.limit_share if ahead else base
        back_kmh = back * self.limit_share if back else base
        way = direction(tags)
        return (0.0 if way < 0 else ahead_kmh), (0.0 if way > 0 else back_kmh)


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


def limit_kmh(text: str) -> float:
    """The tagged limit in km/h ('50', '30 mph', 'FR:rural'); 0 where there is none or it is not understood."""
    text = text.split(";")[0].strip()
    if text in NAMED_LIMIT_KMH:
        return NAMED_LIMIT_KMH[text]
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(mph|km/h|kmh|kph)?", text)
    if not found:
        return 0.0
    return float(found[1]) * (KMH_PER_MPH if found[2] == "mph" else 1.0)


def blocks_cars(tags: Mapping[str, str]) -> bool:
    """Whether a barrier on the road stops cars."""
    if "barrier" not in tags:
        return False
    if any(key in tags for key in ACCESS_KEYS):
        return not car_allowed(tags)
    return tags["barrier"] in BLOCKING and tags.get("bollard") != "rising"
