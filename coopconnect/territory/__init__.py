"""Zones, travel, flows, access and climate: read, checked, built. Nothing here knows of a scenario."""
