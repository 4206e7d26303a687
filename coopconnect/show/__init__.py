"""Data in, objects out: maps, charts, numbers and words. No screen, no network."""
