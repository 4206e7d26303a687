"""What we choose: the `Scenario`, its address, its file, and what differs from the reference.

A scenario holds scalars only, so that it can be a cache key, a web address and a small file. Its default values
are those of the parameters: `reference_scenario(parameters)`.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import tomli_w

from coopconnect.parameters import Parameters

LINK_VERSION = "1"
"""Version written in addresses and files; raised when a key changes its meaning."""

CLIMATES = ("today", "tracc_2030", "tracc_2050", "tracc_2100")
PREMISES = ("shared", "own")
COMPONENTS = ("viability", "time", "money", "co2", "resilience")
NUMERIC_LEVERS = (
    "fuel_price_eur_per_l", "telework_days_per_week", "access_max_min", "telepresence_price_eur_per_month",
    "day_price_eur", "council_contribution_eur_per_year", "carbon_value_eur_per_t",
    "weight_viability", "weight_time", "weight_money", "weight_co2", "weight_resilience",
)  # fmt: skip
"""Scenario fields that are parameters with a lever: bounds, step, label and help come from parameters.toml."""

DEFAULT_TERRITORY = "93"


@dataclass(frozen=True)
class Scenario:
    """Levers, changed assumptions and refusals. Units are in the names.

    Weights are points: the score takes them in proportion to their sum; the screen keeps that sum at 100.
    """

    territory: str
    fuel_price_eur_per_l: float
    telework_days_per_week: float
    access_max_min: float
    telepresence_price_eur_per_month: float
    day_price_eur: float
    council_contribution_eur_per_year: float
    carbon_value_eur_per_t: float
    weight_viability: float
    weight_time: float
    weight_money: float
    weight_co2: float
    weight_resilience: float
    climate: str = "today"
    premises: str = "shared"
    hub_cooled: bool = True
    changed: tuple[tuple[str, float], ...] = ()
    refused: tuple[str, ...] = ()

    def with_values(self, **values: Any) -> Scenario:
        """A copy with some fields changed."""
        return replace(self, **values)

    def weights(self) -> tuple[float, ...]:
        """Weights of the five components, in the order of `COMPONENTS`."""
        return tuple(float(getattr(self, f"weight_{name}")) for name in COMPONENTS)


class ScenarioError(ValueError):
    """Something in an address, a file or a command is not a scenario; the message lists every problem."""


def reference_scenario(parameters: Parameters, territory: str = DEFAULT_TERRITORY) -> Scenario:
    """The scenario in which every lever stands at its parameter's central value."""
    levers: dict[str, Any] = {key: parameters.value(key) for key in NUMERIC_LEVERS}
    return Scenario(territory=territory, **levers)


def parameter_values(scenario: Scenario, parameters: Parameters) -> dict[str, float]:
    """Central values of all parameters, with the scenario's changed assumptions and levers put over them.

    The reference levers stay what the parameters say: the calibration reads them from `Parameters`.
    """
    values = parameters.values_with(dict(scenario.changed))
    values.update({key: float(getattr(scenario, key)) for key in NUMERIC_LEVERS})
    return values


def _number(key: str, text: object, parameters: Parameters) -> float:
    low, high = parameters[key].bounds()
    unit = parameters[key].unit
    allowed = f"{key}: allowed from {low:g} to {high:g} {unit}"
    try:
        if not str(text).isascii():
            raise ValueError
        value = float(str(text).replace(",", "."))
    except ValueError:
        raise ScenarioError(f"{allowed}; {text!r} is not a number") from None
    if not math.isfinite(value) or not low <= value <= high:
        raise ScenarioError(f"{allowed}; {text!r} is outside")
    return value


def _choice(key: str, text: object, allowed: tuple[str, ...]) -> str:
    if str(text) not in allowed:
        raise ScenarioError(f"{key}: allowed {', '.join(allowed)}; not {text!r}")
    return str(text)


def _flag(key: str, text: object) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if str(text).lower() not in words:
        raise ScenarioError(f"{key}: allowed true or false; not {text!r}")
    return words[str(text).lower()]


def _codes(text: object) -> tuple[str, ...]:
    parts = text if isinstance(text, (list, tuple)) else str(text).split(",")
    return tuple(sorted({str(p).strip() for p in parts if str(p).strip()}))


def set_value(scenario: Scenario, key: str, text: object, parameters: Parameters) -> Scenario:
    """The scenario with `key` (a field, or the key of a parameter) set from a text or a value.

    Raises `ScenarioError` naming the key, what is allowed and what was given.
    """
    if key in NUMERIC_LEVERS:
        return replace(scenario, **{key: _number(key, text, parameters)})  # type: ignore[arg-type]
    if key == "climate":
        return replace(scenario, climate=_choice(key, text, CLIMATES))
    if key == "premises":
        return replace(scenario, premises=_choice(key, text, PREMISES))
    if key == "hub_cooled":
        return replace(scenario, hub_cooled=_flag(key, text))
    if key == "refused":
        return replace(scenario, refused=_codes(text))
    if key == "territory":
        return replace(scenario, territory=str(text))
    if key in parameters and parameters[key].status == "fitted":
        raise ScenarioError(f"{key}: fitted on data and built into the shipped tables; rebuild them to change it")
    if key in parameters:
        others = {k: v for k, v in scenario.changed if k != key}
        value = _number(key, text, parameters)
        if value != parameters.value(key):
            others[key] = value
        return replace(scenario, changed=tuple(sorted(others.items())))
    known = ", ".join([*(f.name for f in fields(Scenario) if f.name != "changed"), "or the key of a parameter"])
    raise ScenarioError(f"{key}: unknown; allowed: {known}")


def set_all(scenario: Scenario, values: Mapping[str, object], parameters: Parameters) -> Scenario:
    """Apply every key, then report all problems together."""
    result, problems = apply_known(scenario, values, parameters)
    if problems:
        raise ScenarioError("\n".join(problems))
    return result


def apply_known(scenario: Scenario, values: Mapping[str, object], parameters: Parameters) -> tuple[Scenario, list[str]]:
    """Apply what can be applied; return the scenario and the problems of the rest."""
    problems: list[str] = []
    for key, text in values.items():
        try:
            scenario = set_value(scenario, key, text, parameters)
        except ScenarioError as error:
            problems.append(str(error))
    total = sum(scenario.weights())
    if total <= 0:
        problems.append("weights: at least one of the five must be above 0")
        defaults = {f"weight_{name}": parameters.value(f"weight_{name}") for name in COMPONENTS}
        scenario = replace(scenario, **defaults)  # type: ignore[arg-type]
    return scenario, problems


def differences(scenario: Scenario, reference: Scenario) -> dict[str, Any]:
    """Fields and parameters in which the scenario differs from the reference, by key."""
    mine, theirs = asdict(scenario), asdict(reference)
    found = {k: mine[k] for k in mine if k not in ("changed", "refused") and mine[k] != theirs[k]}
    if scenario.refused != reference.refused:
        found["refused"] = scenario.refused
    before = dict(reference.changed)
    found.update({k: v for k, v in scenario.changed if before.get(k) != v})
    return found


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def to_query(scenario: Scenario, parameters: Parameters) -> dict[str, str]:
    """The scenario as the parameters of a web address: differences from the reference, and the link version."""
    reference = reference_scenario(parameters)
    return {"v": LINK_VERSION, **{k: _plain(v) for k, v in differences(scenario, reference).items()}}


def from_query(query: Mapping[str, str], parameters: Parameters) -> tuple[Scenario, list[str]]:
    """Scenario of an address. What cannot be read is left at the reference and reported."""
    values = {k: v for k, v in query.items() if k != "v"}
    scenario, problems = apply_known(reference_scenario(parameters), values, parameters)
    if values and query.get("v", LINK_VERSION) != LINK_VERSION:
        problems.insert(0, f"v: this version reads links of version {LINK_VERSION}, not {query['v']!r}")
    return scenario, problems


def to_toml(scenario: Scenario, parameters: Parameters, title: str = "", why: str = "") -> str:
    """The scenario as a small file: title, why, and the differences from the reference."""
    found = differences(scenario, reference_scenario(parameters))
    return tomli_w.dumps({"title": title, "why": why, "version": LINK_VERSION, "differences": found})


def from_toml(text: str, parameters: Parameters) -> tuple[Scenario, str, str]:
    """Scenario, title and why of a file. Raises `ScenarioError` with every problem."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"not a scenario file (TOML): {error}") from None
    except RecursionError:
        raise ScenarioError("not a scenario file: brackets within brackets without end") from None
    allowed = ("title", "why", "title_en", "why_en", "version", "differences")
    problems = [f"{k}: unknown; allowed: {', '.join(allowed)}" for k in raw if k not in allowed]
    if str(raw.get("version", LINK_VERSION)) != LINK_VERSION:
        problems.append(f"version: this version reads files of version {LINK_VERSION}, not {raw['version']!r}")
    found = raw.get("differences", {})
    if not isinstance(found, dict):
        raise ScenarioError("\n".join([*problems, "differences: should be a table [differences]"]))
    scenario, more = apply_known(reference_scenario(parameters), found, parameters)
    if problems or more:
        raise ScenarioError("\n".join([*problems, *more]))
    return scenario, str(raw.get("title", "")), str(raw.get("why", ""))
