"""Where a decision tips: the value of each lever, or of each assumption, at which a site becomes viable or ceases to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from coopconnect.model.assessment import around_site, response
from coopconnect.parameters import Parameters
from coopconnect.scenario import Scenario, parameter_values
from coopconnect.territory.types import Territory
from coopconnect.uncertainty.engine import KEPT, Setup, run_draw
from coopconnect.uncertainty.laws import LEVERS, laws_of

LEVELS = 21
_HALVINGS = 12


@dataclass(frozen=True, eq=False)
class Tipping:
    """How the viability of one site answers one quantity. margin: the lesser of viability - 1 and users / core - 1,
    so that the site is viable where it is at least 0; points: where it crosses 0; now: the value in use."""

    key: str
    status: str
    levels: np.ndarray
    viability: np.ndarray
    margin: np.ndarray
    now: float
    points: tuple[float, ...]

    @property
    def nearest(self) -> float | None:
        """The tipping point nearest to the value in use."""
        return min(self.points, key=lambda p: abs(p - self.now)) if self.points else None


Figures = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Levels in, viability and users out."""


def _tipping(key: str, status: str, low: float, high: float, now: float, core: float, figures: Figures) -> Tipping:
    def margin(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        viability, users = figures(levels)
        return viability, np.minimum(viability - 1.0, users / core - 1.0)

    levels = np.linspace(low, high, LEVELS)
    viability, found = margin(levels)
    points = []
    for k in np.flatnonzero((found[:-1] >= 0.0) != (found[1:] >= 0.0)):
        left, right, on_left = levels[k], levels[k + 1], found[k] >= 0.0
        for _ in range(_HALVINGS):
            middle = 0.5 * (left + right)
            same = (margin(np.array([middle]))[1][0] >= 0.0) == on_left
            left, right = (middle, right) if same else (left, middle)
        points.append(0.5 * (left + right))
    return Tipping(key, status, levels, viability, found, now, tuple(float(p) for p in points))


def lever_tipping(
    territory: Territory, scenario: Scenario, parameters: Parameters, site_code: str, home: Territory | None = None
) -> tuple[Tipping, ...]:
    """Tipping points of every numeric lever of the scenario for one site, over the bounds of its slider."""
    core = parameter_values(scenario, parameters)["core_users_gate"]

    def figures_of(lever: str) -> Figures:
        def figures(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            table = response(territory, scenario, parameters, site_code, lever, levels, home)
            return table["viability"].to_numpy(float), table["users"].to_numpy(float)

        return figures

    return tuple(
        _tipping(lever, "choice", *parameters[lever].bounds(), float(getattr(scenario, lever)), core, figures_of(lever))
        for lever in LEVERS
        if lever != "carbon_value_eur_per_t"  # in no account of the place
    )


def assumption_tipping(setup: Setup, site_code: str, keys: tuple[str, ...]) -> tuple[Tipping, ...]:
    """Tipping points of assumptions, each over its range, all others at their value; one calibration a level."""
    cut = around_site(setup.territory, site_code)
    laws = laws_of(setup.scenario, setup.parameters)
    alone = replace(setup, territory=cut, laws=laws, within={})
    core = parameter_values(setup.scenario, setup.parameters)["core_users_gate"]
    central = np.array([law.value for law in laws])
    found = []
    for k, law in enumerate(laws):
        if law.key not in keys:
            continue

        def figures(levels: np.ndarray, k: int = k) -> tuple[np.ndarray, np.ndarray]:
            rows = np.repeat(central[None, :], levels.size, axis=0)
            rows[:, k] = levels
            runs = np.stack([run_draw(alone, row)[:, 0] for row in rows]).astype(float)
            return runs[:, KEPT.index("viability")], runs[:, KEPT.index("users")]

        found.append(_tipping(law.key, law.status, law.low, law.high, law.value, core, figures))
    return tuple(found)
