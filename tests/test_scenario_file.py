"""The scenario file with its dossier: it comes back whole, an old one is migrated, a wrong one explained."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from coopconnect.dossier import (
    ASKED_GATES,
    CHECKLIST,
    PHOTO_MAX_PX,
    Dossier,
    DossierError,
    SiteNotes,
    gate_states,
    shrunk_photo,
)
from coopconnect.parameters import Parameters, load_parameters
from coopconnect.question import OBJECTIVES, PlanError, Question, address_of, from_text
from coopconnect.scenario import Scenario, ScenarioError, reference_scenario
from coopconnect.scenario_file import FILE_VERSION, from_toml, to_toml
from coopconnect.show.problem_words import told


def picture(width: int = 40, height: int = 30, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, kind)
    return out.getvalue()


def notes() -> st.SearchStrategy[SiteNotes]:
    answers = st.dictionaries(st.sampled_from((*ASKED_GATES, *CHECKLIST)), st.sampled_from(("yes", "partly", "no")))
    return st.builds(
        SiteNotes,
        zone_code=st.sampled_from(("84003", "2A004", "05061")),
        answers=answers.map(lambda d: tuple(sorted(d.items()))),
        named_users=st.integers(0, 50),
        notes=st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60),
    )


@given(st.lists(notes(), max_size=3), st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_a_dossier_comes_back_from_its_file(sites: list[SiteNotes], title: str) -> None:
    parameters = load_parameters()
    dossier = Dossier(title)
    for site in sites:
        dossier = dossier.with_site(site)
    scenario = reference_scenario(parameters).with_values(fuel_price_eur_per_l=2.25)
    found = from_toml(to_toml(scenario, parameters, dossier), parameters)
    assert (found.scenario, found.dossier.sites, found.migrated_from) == (scenario, dossier.sites, "")


def test_photos_come_back_without_what_they_hide(parameters: Parameters, reference: Scenario) -> None:
    large = Image.new("RGB", (4000, 2000), "navy")
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    out = io.BytesIO()
    large.save(out, "JPEG", exif=exif)
    photo = shrunk_photo("salle.jpg", out.getvalue(), "La salle")
    assert b"SecretCamera" in out.getvalue() and b"SecretCamera" not in photo.content
    assert max(Image.open(io.BytesIO(photo.content)).size) == PHOTO_MAX_PX
    dossier = Dossier().with_site(SiteNotes("84003", photos=(photo,)))
    assert from_toml(to_toml(reference, parameters, dossier), parameters).dossier == dossier


def test_an_old_file_is_migrated(parameters: Parameters) -> None:
    text = 'title = "Avant"\nversion = "1"\n[differences]\nfuel_price_eur_per_l = 2.0\n'
    found = from_toml(text, parameters)
    assert (found.migrated_from, found.dossier.title, found.scenario.fuel_price_eur_per_l) == ("1", "Avant", 2.0)
    assert f'version = "{FILE_VERSION}"' in to_toml(found.scenario, parameters, found.dossier)


@given(
    st.builds(
        Question, sites=st.integers(1, 300), budget_eur=st.floats(0.0, 1e8), years=st.integers(1, 30),
        objective=st.sampled_from(OBJECTIVES), equity=st.floats(0.0, 1.0), forced=st.sampled_from([(), ("04070",)]),
        forbidden=st.sampled_from([(), ("04088", "2A004")]), existing=st.sampled_from([(), ("04112",)]),
        apart_min=st.floats(0.0, 30.0), desks=st.integers(0, 200), openings_per_year=st.integers(0, 9),
        rural=st.booleans(),
    )
)  # fmt: skip
def test_a_plan_comes_back_from_its_file_and_its_address(question: Question) -> None:
    parameters = load_parameters()
    text = to_toml(reference_scenario(parameters), parameters, plan=question)
    assert from_toml(text, parameters).plan == question
    assert from_text(address_of(question)) == question


def test_a_file_without_a_plan_asks_none(parameters: Parameters, reference: Scenario) -> None:
    assert from_toml(to_toml(reference, parameters), parameters).plan is None
    assert from_toml('version = "1"\n[differences]\n', parameters).plan is None
    assert "[plan]\nsites = 10" in to_toml(reference, parameters, plan=Question())


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_wrong_plan_is_told_all_that_is_wrong(parameters: Parameters, language: str) -> None:
    text = """version = "2"
[plan]
sites = "many"
forced = ["Forcalquier"]
rural = 3
colour = 1
desks = 2.5
"""
    with pytest.raises(ScenarioError) as caught:
        from_toml(text, parameters)
    lines = [told(problem, parameters, language) for problem in caught.value.problems]
    assert [p.key for p in caught.value.problems] == [
        "plan.colour", "plan.sites", "plan.forced", "plan.desks", "plan.rural",
    ]  # fmt: skip
    assert [p.line for p in caught.value.problems] == [6, 3, 4, 7, 5]
    assert all(word in " ".join(lines) for word in ("many", "Forcalquier", "2.5"))
    with pytest.raises(ScenarioError) as again:
        from_toml("[plan]\nsites = 1\nobjective = 'joy'\nequity = 3\nforced = ['04070', '04112']\n", parameters)
    assert {p.key for p in again.value.problems} == {"plan.objective", "plan.equity", "plan.forced"}
    with pytest.raises(ScenarioError, match="plan: should be a table"):
        from_toml("plan = 4", parameters)
    with pytest.raises(PlanError) as address:
        from_text("z9~nx~yq")
    assert len(address.value.problems) == 3


def test_a_wrong_file_is_told_all_that_is_wrong(parameters: Parameters) -> None:
    text = """colour = 1
version = "2"
[differences]
fuel_price_eur_per_l = 99
[sites.nowhere]
notes = "x"
[sites.84003]
named_users = -1
smell = "good"
answers = { fibre = "maybe", steering = "yes" }
photos = [{ name = "a", jpeg = "????" }, { name = "b", jpeg = "aGVsbG8=" }]
"""
    with pytest.raises(ScenarioError) as caught:
        from_toml(text, parameters)
    told = str(caught.value)
    for part in ("colour", "fuel_price", "nowhere", "named_users", "smell", "maybe", "not base64", "b: not a picture"):
        assert part in told, part
    with pytest.raises(ScenarioError, match="a newer Coop-connect"):
        from_toml('version = "99"', parameters)


def test_gates_say_passed_missing_or_unknown() -> None:
    empty = gate_states(SiteNotes("84003"), None, 8)
    assert empty == {"fibre": None, "host": None, "users": False, "lead": None}
    full = SiteNotes("84003", named_users=8).with_answer("fibre", "yes").with_answer("lead", "no")
    assert gate_states(full, True, 8) == {"fibre": True, "host": True, "users": True, "lead": False}
    assert full.with_answer("fibre", "").with_answer("lead", "") == SiteNotes("84003", named_users=8)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(DossierError, match=r"x\.pdf"):
        shrunk_photo("x.pdf", b"%PDF-1.7")
    assert shrunk_photo("x.png", picture()).content[:2] == b"\xff\xd8"


def test_a_code_in_other_digits_is_no_commune(parameters: Parameters) -> None:
    """What looks like digits elsewhere would pass unseen into an address and find no commune."""
    for text in ('[plan]\nsites = 3\nforced = ["٠٤٠٧٠"]\n', '[sites."٠٤٠٧٠"]\nnotes = "x"\n'):
        with pytest.raises(ScenarioError):
            from_toml(text, parameters)
