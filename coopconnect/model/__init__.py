"""Choice, impact, viability, score: `assess(territory, scenario)` gives an `Assessment`."""
