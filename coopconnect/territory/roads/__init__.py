"""Minutes and km between communes by road, from an OpenStreetMap extract."""

from coopconnect.territory.roads.compute import RoadsResult, compute_roads
from coopconnect.territory.roads.profile import CarProfile
from coopconnect.territory.roads.store import RoadsError, RoadsProgress

__all__ = ["CarProfile", "RoadsError", "RoadsProgress", "RoadsResult", "compute_roads"]
