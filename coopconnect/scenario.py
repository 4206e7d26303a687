"""What we choose: the `Scenario`, its address, and what differs from the reference (its file: `scenario_file`).

A scenario holds scalars only, so that it can be a cache key, a web address and a small file. Its default values
are those of the parameters: `reference_scenario(parameters)`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from coopconnect.parameters import Parameters
from coopconnect.problem import Problem, ProblemsError, quoted

LINK_VERSION = "1"
"""Version written in addresses; raised when a key changes its meaning."""

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

HOST_STATUSES = ("unknown", "asked", "agreed", "refused")
"""What the holder of a building answered; 'unknown' is never stored."""

_STATUS_LETTERS = {"a": "asked", "y": "agreed", "n": "refused"}
_HOST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
COMMUNE_CODE = re.compile(r"(\d{2}|2[AB])\d{3}", re.ASCII)
"""INSEE code of a commune."""


@dataclass(frozen=True)
class Scenario:
    """Levers, changed assumptions, hosts and refusals. Units are in the names.

    hosts: (id of the host, status) sorted by id; a host that is not there is 'unknown'. refused: communes of which
    every host has refused, known here or not. Weights are points: the score takes them in proportion to their sum; the screen keeps that sum at 100.
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
    hosts: tuple[tuple[str, str], ...] = ()

    def with_values(self, **values: Any) -> Scenario:
        """A copy with some fields changed."""
        return replace(self, **values)

    def weights(self) -> tuple[float, ...]:
        """Weights of the five components, in the order of `COMPONENTS`."""
        return tuple(float(getattr(self, f"weight_{name}")) for name in COMPONENTS)


class ScenarioError(ProblemsError):
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
    allowed: dict[str, Any] = {
        "low": float(low),
        "high": float(high),
        "unit": parameters[key].unit,
        "given": quoted(text),
    }
    try:
        if not str(text).isascii():
            raise ValueError
        value = float(str(text).replace(",", "."))
    except ValueError:
        raise ScenarioError(Problem("number", key, **allowed)) from None
    if not math.isfinite(value) or not low <= value <= high:
        raise ScenarioError(Problem("outside", key, **allowed))
    return value


def _choice(key: str, text: object, allowed: tuple[str, ...]) -> str:
    if str(text) not in allowed:
        raise ScenarioError(Problem("choice", key, allowed=", ".join(allowed), given=quoted(text)))
    return str(text)


def _flag(key: str, text: object) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if str(text).lower() not in words:
        raise ScenarioError(Problem("flag", key, given=quoted(text)))
    return words[str(text).lower()]


def _codes(text: object) -> tuple[str, ...]:
    parts = text if isinstance(text, (list, tuple)) else str(text).split(",")
    found = {str(p).strip().upper() for p in parts if str(p).strip()}
    wrong = sorted(code for code in found if not COMMUNE_CODE.fullmatch(code))
    if wrong:
        raise ScenarioError(Problem("communes", "refused", given=quoted(", ".join(wrong))))
    return tuple(sorted(found))


def _hosts(given: object) -> tuple[tuple[str, str], ...]:
    """Statuses by host, sorted by id, from a file's table, the pairs of a scenario or the text of an address."""
    try:
        pairs = _host_pairs(given)
    except (TypeError, ValueError):
        raise ScenarioError(Problem("hosts", "hosts", given=quoted(given))) from None
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for host, status in pairs:
        if status not in HOST_STATUSES:
            problems.append(Problem("choice", "hosts", allowed=", ".join(HOST_STATUSES), given=quoted(status)))
        elif not _HOST_ID.fullmatch(host):
            problems.append(Problem("host_id", "hosts", given=quoted(host)))
        elif found.setdefault(host, status) != status:
            problems.append(Problem("host_twice", "hosts", host=host, first=found[host], second=status))
    if problems:
        raise ScenarioError(*dict.fromkeys(problems))
    return tuple(sorted((host, status) for host, status in found.items() if status != "unknown"))


def _host_pairs(given: object) -> list[tuple[str, str]]:
    if isinstance(given, Mapping):
        wrong = [v for v in given.values() if not isinstance(v, (list, tuple))]
        if wrong:
            raise TypeError(wrong)
        return [(str(host), str(status)) for status, hosts in given.items() for host in hosts]
    if isinstance(given, (list, tuple)):
        return [(str(host), str(status)) for host, status in given]
    groups = [group.split(".") for group in str(given).split("~") if group]
    if any(len(group) < 2 for group in groups):
        raise ValueError(given)
    return [(host, _STATUS_LETTERS.get(letter, letter)) for letter, *hosts in groups for host in hosts]


def hosts_by_status(hosts: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    """Ids by status, as a file holds them."""
    return {
        status: [host for host, its in hosts if its == status]
        for status in HOST_STATUSES
        if any(its == status for _, its in hosts)
    }


def host_status(scenario: Scenario, host_ids: Iterable[str]) -> str:
    """Status of a host known under these ids. Where they differ, a room agreed counts first, then one asked for."""
    known = dict(scenario.hosts)
    found = {known.get(host, "unknown") for host in host_ids}
    return next(status for status in ("agreed", "asked", "refused", "unknown") if status in found | {"unknown"})


def with_host(scenario: Scenario, host_ids: Sequence[str], status: str) -> Scenario:
    """The scenario with the status of one host set; it is stored under the first of its ids.

    Raises `ScenarioError` for an unknown status or an id that an address cannot carry.
    """
    kept = tuple(pair for pair in scenario.hosts if pair[0] not in host_ids)
    return replace(scenario, hosts=_hosts((*kept, (host_ids[0], status))))


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
    if key == "hosts":
        return replace(scenario, hosts=_hosts(text))
    if key == "territory":
        return replace(scenario, territory=str(text))
    if key in parameters and parameters[key].status == "fitted":
        raise ScenarioError(Problem("fitted", key))
    if key in parameters:
        others = {k: v for k, v in scenario.changed if k != key}
        value = _number(key, text, parameters)
        if value != parameters.value(key):
            others[key] = value
        return replace(scenario, changed=tuple(sorted(others.items())))
    known = ", ".join(f.name for f in fields(Scenario) if f.name != "changed")
    raise ScenarioError(Problem("unknown_key", key, allowed=known))


def set_all(scenario: Scenario, values: Mapping[str, object], parameters: Parameters) -> Scenario:
    """Apply every key, then report all problems together."""
    result, problems = apply_known(scenario, values, parameters)
    if problems:
        raise ScenarioError(*problems)
    return result


def apply_known(
    scenario: Scenario, values: Mapping[str, object], parameters: Parameters
) -> tuple[Scenario, list[Problem]]:
    """Apply what can be applied; return the scenario and the problems of the rest."""
    problems: list[Problem] = []
    for key, text in values.items():
        try:
            scenario = set_value(scenario, key, text, parameters)
        except ScenarioError as error:
            problems += error.problems
    total = sum(scenario.weights())
    if total <= 0:
        problems.append(Problem("no_weight", "weights"))
        defaults = {f"weight_{name}": parameters.value(f"weight_{name}") for name in COMPONENTS}
        scenario = replace(scenario, **defaults)  # type: ignore[arg-type]
    return scenario, problems


def differences(scenario: Scenario, reference: Scenario) -> dict[str, Any]:
    """Fields and parameters in which the scenario differs from the reference, by key."""
    mine, theirs = asdict(scenario), asdict(reference)
    found = {k: mine[k] for k in mine if k not in ("changed", "refused", "hosts") and mine[k] != theirs[k]}
    if scenario.refused != reference.refused:
        found["refused"] = scenario.refused
    if scenario.hosts != reference.hosts:
        found["hosts"] = scenario.hosts
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
    found = differences(scenario, reference_scenario(parameters))
    if "hosts" in found:
        letters = {status: letter for letter, status in _STATUS_LETTERS.items()}
        groups = hosts_by_status(scenario.hosts)
        found["hosts"] = "~".join(".".join((letters[status], *hosts)) for status, hosts in groups.items())
    return {"v": LINK_VERSION, **{k: _plain(v) for k, v in found.items()}}


def from_query(query: Mapping[str, str], parameters: Parameters) -> tuple[Scenario, list[Problem]]:
    """Scenario of an address. What cannot be read is left at the reference and reported."""
    values = {k: v for k, v in query.items() if k != "v"}
    scenario, problems = apply_known(reference_scenario(parameters), values, parameters)
    if values and query.get("v", LINK_VERSION) != LINK_VERSION:
        problems.insert(0, Problem("link_version", "v", version=LINK_VERSION, given=quoted(query["v"])))
    return scenario, problems
