"""Every parameter has its unit, bounds, source and review date; a wrong file is refused with the line."""

from __future__ import annotations

import re
from datetime import date

import pytest

from coopconnect.parameters import (
    PARAMETERS_FILE,
    STATUSES,
    ParameterError,
    Parameters,
    overdue,
    read_parameters,
)
from coopconnect.scenario import COMPONENTS, NUMERIC_LEVERS

GOOD = """
[circuity]
label_fr = "Détour"
label_en = "Detour"
unit = "ratio"
value = 1.36
low = 1.2
high = 1.6
source = "somewhere"
url = ""
status = "retrieved"
valid_from = 2016-01-01
review_by = 2027-11-30
group = "travel"
"""


def test_the_file_holds_what_the_evidence_calls_strongest(parameters: Parameters) -> None:
    assert len(parameters) >= 40
    for key in (
        "hub_share_reference",
        "substitution_reference",
        "home_unsuitable_share",
        "fuel_price_elasticity",
    ):
        assert parameters[key].low < parameters[key].value < parameters[key].high


def test_every_parameter_is_complete(parameters: Parameters) -> None:
    for item in parameters.values():
        assert item.unit and item.source and item.label_fr and item.label_en, item.key
        assert item.low <= item.value <= item.high, item.key
        assert item.status in STATUSES, item.key


def test_none_is_past_its_review_date(parameters: Parameters) -> None:
    assert [p.key for p in overdue(parameters, date.today())] == []


def test_levers_hold_their_value_and_weights_sum_to_100(parameters: Parameters) -> None:
    for key in NUMERIC_LEVERS:
        low, high = parameters[key].bounds()
        assert parameters[key].lever is not None and low <= parameters[key].value <= high
    assert sum(parameters.value(f"weight_{c}") for c in COMPONENTS) == 100


def test_a_good_table_is_read() -> None:
    assert read_parameters(GOOD).value("circuity") == 1.36


@pytest.mark.parametrize("field", ["unit", "source", "low", "high", "status", "review_by"])
def test_a_missing_field_is_named_with_its_line(field: str) -> None:
    text = re.sub(rf"(?m)^{field} = .*\n", "", GOOD)
    with pytest.raises(ParameterError, match=rf"line 2: \[circuity\] lacks {field}"):
        read_parameters(text)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('unit = "ratio"', 'unit = ""', r"line 5: \[circuity\] unit is empty"),
        ('status = "retrieved"', 'status = "sure"', r"line 11: .*'sure' is not one of"),
        ("value = 1.36", "value = 2.0", r"line 6: .*not between low 1.2 and high 1.6"),
        ("value = 1.36", 'value = "much"', r"line 6: .*should be a float"),
        ("review_by = 2027-11-30", "review_by = 2015-01-01", r"line 13: .*not after valid_from"),
        ('group = "travel"', 'group = "travel"\ncolour = "red"', r"line 15: .*unknown field colour"),
        ("[circuity]", "[circuity", "not valid TOML"),
    ],
)
def test_a_wrong_table_is_explained(before: str, after: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        read_parameters(GOOD.replace(before, after))


def test_all_problems_come_at_once() -> None:
    two = GOOD.replace('unit = "ratio"', 'unit = ""') + GOOD.replace("circuity", "other").replace("low = 1.2\n", "")
    with pytest.raises(ParameterError) as error:
        read_parameters(two)
    assert len(str(error.value).splitlines()) == 2


def test_no_parameter_is_unused(parameters: Parameters) -> None:
    """A number that nothing reads is a number that nobody checks."""
    package = PARAMETERS_FILE.parents[1] / "coopconnect"
    code = "\n".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    families = ("weight_", "electric_share_", "warming_", "opex_", "capex_", "road_speed_", "road_limit_")
    unused = [
        key for key, item in parameters.items()
        if f'"{key}"' not in code and not key.startswith(families) and item.status != "fitted"
    ]  # fmt: skip
    assert unused == []
