"""What the parameters say of themselves: names without raw keys, sources in the reader's language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coopconnect.parameters import ParameterError, load_parameters, read_parameters
from coopconnect.show.words import say

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
ENGLISH = re.compile(
    r"\b(assumption|derived|idem|via|the|of|with|from|and|for|would|between|about|mean|low|high)\b", re.I
)
FRENCH = re.compile(r"\b(hypothèse|selon|cité|calculé|profil|entreprises|d'après|relayée?|idem)\b", re.I)
GOOD = """
[circuity]
label_fr = "Sinuosité"
label_en = "Circuity"
unit = "ratio"
value = 1.3
low = 1.2
high = 1.4
source = "assumption: roads bend"
source_fr = "hypothèse : les routes tournent"
url = ""
status = "assumption"
valid_from = 2026-01-01
review_by = 2027-01-01
group = "travel"
"""


def test_french_pages_name_sources_in_french_and_english_pages_in_english() -> None:
    parameters = load_parameters().values()
    assert {p.key: p.source_in("fr") for p in parameters if ENGLISH.search(p.source_in("fr"))} == {}
    assert {p.key: p.source_in("en") for p in parameters if FRENCH.search(p.source_in("en"))} == {}


def test_premises_have_one_name_each() -> None:
    """On a chart (the label), in the sentence of a village and in what is to be found out."""
    parameters = load_parameters()
    for language, names in (
        ("fr", ("local partagé", "local propre")),
        ("en", ("shared premises", "premises of its own")),
    ):
        for kind, name in zip(("shared", "own"), names, strict=True):
            for key in (f"opex_{kind}_eur_per_year", f"capex_{kind}_eur"):
                texts = [say(f"fails.{key}.{side}", language, value="") for side in ("below", "above")]
                texts += [say(f"learn.what.{key}", language), parameters[key].label(language)]
                assert [text for text in texts if name not in text] == [], (key, language)
    assert not any("mutualis" in item.label_fr.lower() for item in parameters.values())


def test_a_source_may_be_told_in_french_too() -> None:
    item = read_parameters(GOOD)["circuity"]
    assert item.source_in("fr") == "hypothèse : les routes tournent"
    assert item.source_in("en") == "assumption: roads bend"
    alone = read_parameters("".join(x for x in GOOD.splitlines(True) if not x.startswith("source_fr")))["circuity"]
    assert alone.source_in("fr") == alone.source_in("en") == "assumption: roads bend"


@pytest.mark.parametrize(
    ("written", "told"), [('""', "line 10: [circuity] source_fr is empty"), ("3", "line 10: [circuity] source_fr should be a str")]
)  # fmt: skip
def test_a_wrong_french_source_is_refused_with_its_line(written: str, told: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(told)):
        read_parameters(GOOD.replace('"hypothèse : les routes tournent"', written))


def test_fitted_coefficients_bear_the_names_that_the_fit_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from fitting.labels import labels_of

    fitted = [p for p in load_parameters().values() if p.status == "fitted"]
    assert len(fitted) > 40
    assert {p.key: (p.label_fr, p.label_en) for p in fitted} == {p.key: labels_of(p.key) for p in fitted}
    assert len({p.label_fr for p in fitted}) == len({p.label_en for p in fitted}) == len(fitted)
