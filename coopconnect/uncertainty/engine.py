"""One draw: calibrate with the drawn values, run the kernel, make yearly figures of every site."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from coopconnect.model.calibration import CalibrationError, calibrate
from coopconnect.model.choice import Prepared, day_costs, keep_access, prepare
from coopconnect.model.runs import site_results, site_sums_of, surroundings
from coopconnect.model.types import Calibration
from coopconnect.parameters import Parameters
from coopconnect.scenario import CLIMATES, COMPONENTS, NUMERIC_LEVERS, Scenario, parameter_values
from coopconnect.territory.types import Territory
from coopconnect.uncertainty.laws import CLIMATE, Law

KEPT = (
    "score", "users", "hours_per_year", "eur_per_year", "kg_co2e_per_year", "viability", "yearly_cost_eur",
    "surplus_eur_per_year", "net_benefit_eur_per_year",
)  # fmt: skip
"""Figures kept of each site in each draw. surplus: revenue and contribution less cost, what the place's accounts say.
net_benefit: euros, hours at the value of time and tonnes at the value of carbon, less the cost: what society says."""


@dataclass(frozen=True, eq=False)
class Setup:
    """What all draws share, sent once to each worker. Laws name the columns of a design."""

    territory: Territory
    home: Territory
    scenario: Scenario
    parameters: Parameters
    laws: tuple[Law, ...]
    within: dict[float, Prepared] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, object]:
        """Without what each worker works out for itself."""
        return {**self.__dict__, "within": {}}

    def reach(self, access_max_min: float) -> Prepared:
        """The territory within an access limit, kept for the next draw."""
        if access_max_min not in self.within:
            keep = self.territory.access_drive_min <= access_max_min
            self.within[access_max_min] = prepare(keep_access(self.territory, keep))
        return self.within[access_max_min]


def drawn_scenario(setup: Setup, row: np.ndarray) -> tuple[Scenario, dict[str, float]]:
    """The scenario of one draw (levers, climate and weights as drawn) and the drawn values of parameters."""
    fields: dict[str, float] = {}
    drawn: dict[str, float] = {}
    climate = setup.scenario.climate
    for law, value in zip(setup.laws, row, strict=True):
        if law.key == CLIMATE:
            climate = CLIMATES[int(value)]
        elif law.key in NUMERIC_LEVERS:
            fields[law.key] = float(value)
        else:
            drawn[law.key] = float(value)
    weights = [fields[key] for key in fields if key.startswith("weight_")]
    if weights:
        total = sum(weights)
        fields.update({f"weight_{name}": 100.0 * fields[f"weight_{name}"] / total for name in COMPONENTS})
    return setup.scenario.with_values(**fields, climate=climate), drawn


def drawn_calibration(setup: Setup, scenario: Scenario, drawn: dict[str, float]) -> Calibration | None:
    """The choice calibrated with the drawn targets; None where they leave no constants."""
    targets = setup.parameters.values_with({**dict(scenario.changed), **drawn})
    try:
        return calibrate(setup.home, setup.parameters, targets, report=False)
    except CalibrationError:
        return None


def net_benefit_eur(found: dict[str, np.ndarray]) -> np.ndarray:
    """Euros, hours at the value of time and tonnes at the value of carbon a year, less the yearly cost."""
    return (found["benefit_cost"] - 1.0) * found["yearly_cost_eur"]


def run_draw(setup: Setup, row: np.ndarray) -> np.ndarray:
    """Figures of every site in one future, (len(KEPT), n_sites) in single precision.

    NaN everywhere where the drawn targets leave no constants of the choice.
    """
    scenario, drawn = drawn_scenario(setup, row)
    calibration = drawn_calibration(setup, scenario, drawn)
    if calibration is None:
        return np.full((len(KEPT), setup.territory.site_zone.size), np.nan, dtype=np.float32)
    values = {**parameter_values(scenario, setup.parameters), **drawn}
    prepared = setup.reach(scenario.access_max_min)
    costs = day_costs(prepared, scenario, values)
    sums = site_sums_of(prepared, scenario, calibration, values, costs)
    found = site_results(sums, surroundings(prepared, scenario, values), scenario, values)
    cost = found["yearly_cost_eur"]
    found["surplus_eur_per_year"] = found["revenue_eur_per_year"] + found["contribution_eur_per_year"] - cost
    found["net_benefit_eur_per_year"] = net_benefit_eur(found)
    return np.stack([found[name] for name in KEPT]).astype(np.float32)


def run_rows(setup: Setup, rows: np.ndarray, threads: int = 1) -> np.ndarray:
    """`run_draw` of each row of a design, (rows, len(KEPT), n_sites). Each draw stands alone: order does not matter."""
    if threads == 1:
        return np.stack([run_draw(setup, row) for row in rows])
    with ThreadPoolExecutor(threads) as pool:
        return np.stack(list(pool.map(lambda row: run_draw(setup, row), rows)))
