"""Coop-connect: where a shared workplace (tiers-lieu) is worth opening, and the time each household keeps."""

MODEL_VERSION = "0.1.0"
