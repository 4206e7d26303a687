"""Running everything compiled once, on something tiny, so that the first plan of a machine is as quick as the next."""

from __future__ import annotations

import highspy
import numpy as np

from coopconnect.parameters import Parameters
from coopconnect.question import Question
from coopconnect.scenario import Scenario
from coopconnect.siting.locate.read import matrix_from
from coopconnect.siting.locate.solve import locate
from coopconnect.siting.network import network_of
from coopconnect.siting.plan import setting_of, site_plan
from coopconnect.siting.stretch import Stretches
from coopconnect.territory.types import Territory


def warm(territory: Territory, scenario: Scenario, parameters: Parameters) -> str:
    """Compile the loops of the location models and of the plans; returns the version of HiGHS."""
    for objective in ("hours", "people", "equity", "score"):
        site_plan(territory, scenario, parameters, Question(sites=3, objective=objective), seconds=1.0)
    site_plan(territory, scenario, parameters, Question(sites=3, desks=1), seconds=1.0)
    problem = setting_of(network_of(territory, scenario, parameters), Question(sites=3)).problem
    Stretches(problem, problem.fixed, problem.allowed).round(1.0, True)
    rng = np.random.default_rng(0)
    parts = {
        "cost": rng.uniform(0.0, 9.0, (30, 20)), "weight": rng.uniform(1.0, 2.0, 30),
        "demand": rng.integers(1, 4, 30).astype(float), "capacity": np.full(20, 30.0),
    }  # fmt: skip
    matrix = matrix_from(parts, "cost")
    locate(matrix, "p-median", 4, seconds=2.0)
    locate(matrix, "maximal-covering", 4, 2.0, seconds=2.0)
    locate(matrix, "p-center", 4, seconds=2.0)
    for split in (False, True):
        locate(matrix, "p-median", 4, capacity=True, split=split, seconds=5.0)
    return str(highspy.Highs().version())
