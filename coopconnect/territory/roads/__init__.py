"""Minutes and km between communes by road, from an OpenStreetMap extract or a routing server."""

from coopconnect.territory.roads.compute import compute_roads
from coopconnect.territory.roads.profile import CarProfile
from coopconnect.territory.roads.result import RoadsResult
from coopconnect.territory.roads.router import compute_router
from coopconnect.territory.roads.store import RoadsError, RoadsProgress

__all__ = ["CarProfile", "RoadsError", "RoadsProgress", "RoadsResult", "compute_roads", "compute_router"]
