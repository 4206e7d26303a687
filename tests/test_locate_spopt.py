"""The same instances to spopt, in small: never a worse answer than the field's own library."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))


@pytest.mark.parametrize("model", ["p-median", "maximal-covering", "p-center"])
@pytest.mark.filterwarnings("ignore")
def test_as_good_as_spopt(model: str) -> None:
    pytest.importorskip("spopt", reason="needs spopt, of requirements-dev.txt")
    from siting import race

    found = race(model, 40, 4, 20.0, 20.0, radius=40.0)
    assert found.spopt_objective is not None
    assert found.objective == pytest.approx(found.spopt_objective, rel=1e-6)
    assert found.gap == 0.0
