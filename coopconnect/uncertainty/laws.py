"""From what law each uncertain quantity is drawn, and the design of the draws.

Every assumption on which the ribbons of the model stand (`model/ranges.py`) is drawn between its low and its high, its
value being the most likely: a PERT law, a Beta stretched over the range. Its peak (lambda) is `ensemble_peak_known`
for what was seen in a public text and `ensemble_peak_assumed`, flatter, hence wider, for what is assumed or
remembered. On whichever scale, natural or logarithmic, the value stands nearer to the middle of the range.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.stats import beta, qmc

from coopconnect.model.ranges import BEHAVIOUR_RANGES, PHYSICAL_RANGES
from coopconnect.parameters import Parameter, Parameters
from coopconnect.scenario import CLIMATES, COMPONENTS, Scenario

ASSUMED = ("assumption", "memory")
"""Statuses drawn wider."""

ALSO_DRAWN = (
    "reference_commute_km", "reference_commute_min", "telework_days_reference", "telework_regular_share",
    "office_day_share_reference", "cost_damping_from_km", "circuity", "car_share_rural",
    "car_share_under_5_km", "car_share_5_to_15_km", "car_share_over_15_km", "occupancy_commute",
    "electric_cost_eur_per_km", "electric_share_today", "electric_emission_kg_per_km", "home_cooled_share",
    "heat_discomfort_eur_per_day", "road_disruption_days", "road_disruption_cost_eur_per_day", "discount_rate",
    "capex_life_years", "living_standard_median_eur", "consumption_units_per_household", "effort_log_spread",
    "working_days_per_year",
)  # fmt: skip
"""Assumptions that the engine reads and that the ribbons, moved one at a time, leave where they are."""

PRICE_DRAWN = "employer_paid_share"
"""Drawn where the day price is not that of the reference: there the calibration undoes who pays it, to the bit."""

ROOM_DRAWN = ("teleworkable_share", "telepresence_threshold_eur_per_month", "telepresence_permission_uplift")
"""Drawn where a telepresence room may be cheap enough: elsewhere they move nothing."""

WARMER_DRAWN = ("extreme_rain_per_degree", "warming_today_c")
"""Drawn where the climate is not that of today, with what that climate has of its own (cars, warming)."""

LEVERS = (
    "fuel_price_eur_per_l", "telework_days_per_week", "access_max_min", "telepresence_price_eur_per_month",
    "day_price_eur", "council_contribution_eur_per_year", "carbon_value_eur_per_t",
)  # fmt: skip
"""Levers drawn where asked; the climate is drawn with them, each stop as likely as the others."""

WHOLE = ("access_max_min",)
"""Levers drawn in whole steps, so that the homes within reach are sought once a step."""

CLIMATE = "climate"


@dataclass(frozen=True)
class Law:
    """How one quantity is drawn. `key` is that of a parameter, 'climate' or 'weight_<component>'.

    kind: 'pert' on [low, high] with its mode at `value` and its peak; 'beta' with `shape` (a, b), cut at low and high
    (what a survey leaves of a share); 'choice' among `high` + 1 stops; 'weight', exponential, so that the weights
    together are uniform over all splits of 100 points. logarithmic: the PERT law is that of the logarithm.
    status: that of the parameter; 'choice' for levers and weights.
    """

    key: str
    low: float
    value: float
    high: float
    status: str
    kind: str = "pert"
    peak: float = 4.0
    logarithmic: bool = False
    shape: tuple[float, float] = (0.0, 0.0)

    @property
    def assumed(self) -> bool:
        """True for what is assumed or remembered: drawn wider, and marked."""
        return self.status in ASSUMED


def middle_distance(low: float, value: float, high: float) -> float:
    """How far from the middle of its range a value stands, 0 (middle) to 0.5 (an end)."""
    return abs((value - low) / (high - low) - 0.5)


def in_logarithms(low: float, value: float, high: float) -> bool:
    """True where the range is positive and the value is nearer to its middle in logarithms."""
    if low <= 0.0 or high <= low:
        return False
    return bool(middle_distance(*np.log([low, value, high])) < middle_distance(low, value, high))


def pert_shape(low: float, value: float, high: float, peak: float) -> tuple[float, float]:
    """a and b of the Beta law of (x - low) / (high - low): 1 + peak * (mode - low) / width, 1 + the rest of the peak.

    Vose's modified PERT; a peak of 4 is the classic one, 0 the uniform law.
    """
    share = (value - low) / (high - low)
    return 1.0 + peak * share, 1.0 + peak * (1.0 - share)


def _pert(law: Law, u: np.ndarray) -> np.ndarray:
    ends = np.array([law.low, law.value, law.high])
    low, value, high = np.log(ends) if law.logarithmic else ends
    x = low + (high - low) * beta.ppf(u, *pert_shape(low, value, high, law.peak))
    return np.clip(np.exp(x) if law.logarithmic else x, law.low, law.high)


def quantile(law: Law, u: np.ndarray) -> np.ndarray:
    """Values of the law at probabilities `u`, (n,)."""
    u = np.asarray(u, dtype=float)
    if law.kind == "choice":
        return np.minimum(np.floor(u * (law.high + 1.0)), law.high)
    if law.kind == "weight":
        return -np.log1p(-np.clip(u, 0.0, 1.0 - 1e-15))
    if law.kind == "beta":
        first, last = beta.cdf([law.low, law.high], *law.shape)
        return np.clip(beta.ppf(first + u * (last - first), *law.shape), law.low, law.high)
    x = _pert(law, u)
    return np.round(x) if law.key in WHOLE else x


def law_of(item: Parameter, value: float, peaks: tuple[float, float]) -> Law:
    """PERT law of one parameter around the value in use; its range is widened to hold that value.

    peaks: for a figure seen in a public text, for one assumed or remembered.
    """
    low, high = min(item.low, value), max(item.high, value)
    peak = peaks[item.status in ASSUMED]
    return Law(item.key, low, value, high, item.status, "pert", peak, in_logarithms(low, value, high))


def drawn_keys(scenario: Scenario, parameters: Parameters, levers: bool = False) -> tuple[str, ...]:
    """Assumptions drawn for a scenario: those the engine reads and that can move a result under its levers.

    `levers`: the price of the room and the climate are drawn too, so that all of them can.
    """
    keys = [key.format(premises=scenario.premises) for key in (*BEHAVIOUR_RANGES, *PHYSICAL_RANGES)] + [*ALSO_DRAWN]
    if levers or scenario.day_price_eur != parameters.value("day_price_eur"):
        keys.append(PRICE_DRAWN)
    if levers or scenario.telepresence_price_eur_per_month < parameters["telepresence_threshold_eur_per_month"].high:
        keys += ROOM_DRAWN
    climates = [c for c in (CLIMATES if levers else (scenario.climate,)) if c != CLIMATES[0]]
    if climates:
        keys += WARMER_DRAWN
    keys += [key for c in climates for key in (f"electric_share_{c.removeprefix('tracc_')}", f"warming_{c}_c")]
    return tuple(keys)


def laws_of(
    scenario: Scenario, parameters: Parameters, levers: bool = False, weights: bool = False,
    posterior: tuple[tuple[str, float, float], ...] = (),
) -> tuple[Law, ...]:  # fmt: skip
    """What is drawn for a scenario, in the order of the columns of a design.

    posterior: (key, a, b) of the shares that a survey has updated; they are drawn from that Beta law, cut to the range.
    """
    used = parameters.values_with(dict(scenario.changed))
    peaks = used["ensemble_peak_known"], used["ensemble_peak_assumed"]
    found = [law_of(parameters[key], used[key], peaks) for key in drawn_keys(scenario, parameters, levers)]
    known = {key: (a, b) for key, a, b in posterior}
    found = [replace(law, kind="beta", shape=known[law.key]) if law.key in known else law for law in found]
    if levers:
        for key in LEVERS:
            law = law_of(parameters[key], float(getattr(scenario, key)), peaks)
            found.append(replace(law, status="choice", peak=peaks[True]))
        stop = float(CLIMATES.index(scenario.climate))
        found.append(Law(CLIMATE, 0.0, stop, len(CLIMATES) - 1.0, "choice", "choice"))
    if weights:
        values = zip(COMPONENTS, scenario.weights(), strict=True)
        found += [Law(f"weight_{name}", 0.0, value, 100.0, "choice", "weight") for name, value in values]
    return tuple(law for law in found if law.high > law.low)


def latin_hypercube(n_laws: int, draws: int, seed: int) -> np.ndarray:
    """Probabilities, (draws, n_laws): each column has one point in each of `draws` equal slices."""
    return np.asarray(qmc.LatinHypercube(d=n_laws, rng=np.random.default_rng(seed)).random(draws))


@lru_cache(maxsize=4)
def design(laws: tuple[Law, ...], draws: int, seed: int) -> np.ndarray:
    """Values drawn, (draws, laws): the same for the same laws, number and seed. Read only."""
    return values_at(laws, latin_hypercube(len(laws), draws, seed))


def values_at(laws: tuple[Law, ...], u: np.ndarray) -> np.ndarray:
    """Values at the probabilities `u`, (draws, laws). Read only."""
    found = np.column_stack([quantile(law, u[:, k]) for k, law in enumerate(laws)])
    found.flags.writeable = False
    return found
