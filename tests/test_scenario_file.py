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
from coopconnect.scenario import Scenario, ScenarioError, reference_scenario
from coopconnect.scenario_file import FILE_VERSION, from_toml, to_toml


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
