"""Colours of charts and workbooks, told apart by colour-blind people and in grey print (after Okabe and Ito)."""

from __future__ import annotations

COMPONENT_COLOURS: dict[str, str] = {
    "viability": "#0b4f8a",
    "time": "#4ba3d9",
    "money": "#e5a11c",
    "co2": "#14806a",
    "resilience": "#b5679d",
}
"""One colour for each component of the score; neighbours in a stack differ in lightness too."""

GAIN = "#2c6a9b"
LOSS = "#c8441b"
INK = "#1c2730"
MUTED_INK = "#56636e"
GRID = "#d9dfe4"
PAPER = "#ffffff"
PALE = "#eef3f7"
HEADER = "#1f3f5b"

SCENARIO_COLOURS = ("#0b4f8a", "#d98e04", "#b5679d", "#14806a")
SCENARIO_DASHES = ("solid", "dash", "dot", "dashdot")
"""Line of each scenario that is compared, in their order: told apart without colour by the dashes."""
