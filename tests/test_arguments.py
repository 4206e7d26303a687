"""The three arguments: one tagged A4 page each, whatever the commune and the language; figures are the assessment's."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from coopconnect.dossier import Dossier, SiteNotes
from coopconnect.export import argument_contents, arguments
from coopconnect.export.argument_facts import facts_of, per_public_euro, substitutes, user_days, user_price
from coopconnect.export.arguments import KINDS, argument_pdf, link_code, page_data
from coopconnect.model.assessment import assess
from coopconnect.model.types import Assessment
from coopconnect.parameters import DATA_DIR, Parameters
from coopconnect.scenario import Scenario, reference_scenario, with_host
from coopconnect.show.words import euros, hours, number, percent
from coopconnect.territory.hosts import hosts_of
from coopconnect.territory.load import load_territory
from coopconnect.territory.types import Territory

ON = date(2026, 11, 25)
LINK = "https://coop-connect.example/decider?v=1&fuel_price_eur_per_l=2.25&site=84003"
LANGUAGES = ("fr", "en")
needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler-utils")


@pytest.fixture(scope="module")
def found(paca: Territory, reference: Scenario, parameters: Parameters) -> Assessment:
    return assess(paca, reference, parameters)


@pytest.fixture(scope="module")
def communes(found: Assessment) -> dict[str, str]:
    """Communes that try the page: best, median, worst, a city, a mountain, one out of reach of all, the longest names."""
    ranked = found.sites[found.sites["rank"] > 0].sort_values("rank")
    codes = ranked["zone_code"].tolist()
    longest = found.sites["name"].str.len() + found.sites["epci_name"].str.len()
    flagged = ranked.sort_values("kg_co2e_per_year")["zone_code"].tolist()
    return {
        "best": codes[0], "median": codes[len(codes) // 2], "worst": codes[-1], "city": "13055", "mountain": "05023",
        "alone": "13096", "longest_name": found.sites.loc[found.sites["name"].str.len().idxmax(), "zone_code"],
        "longest_line": found.sites.loc[longest.idxmax(), "zone_code"], "flagged": flagged[0],
    }  # fmt: skip


def pdf_text(pdf: bytes, folder: Path) -> str:
    path = folder / "page.pdf"
    path.write_bytes(pdf)
    out = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    return " ".join(out.split())


def plain(text: str) -> str:
    """Spaces of any kind as one, as pdftotext writes them."""
    return " ".join(text.split())


@needs_poppler
@pytest.mark.parametrize(("kind", "language"), list(itertools.product(KINDS, LANGUAGES)))
def test_every_commune_has_one_tagged_page(
    kind: str, language: str, communes: dict[str, str], found: Assessment, paca: Territory, parameters: Parameters,
    tmp_path: Path,
) -> None:  # fmt: skip
    for name, code in communes.items():
        pdf = argument_pdf(kind, found, found, paca, parameters, code, Dossier(), language, LINK, ON)
        path = tmp_path / "page.pdf"
        path.write_bytes(pdf)
        info = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout
        assert re.search(r"Pages:\s+1\n", info), (name, code)
        assert re.search(r"Tagged:\s+yes", info) and "595.276 x 841.89" in info, name
        assert b"pdfuaid" in pdf or b"pdfuaid:part" in pdf, name
        fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
        assert fonts and all("SourceSansPro" in line and " yes yes " in line for line in fonts), name
        assert len(pdf) < 200_000, name


@needs_poppler
@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_on_the_page_are_those_of_the_assessment(
    language: str, communes: dict[str, str], found: Assessment, paca: Territory, parameters: Parameters, tmp_path: Path
) -> None:
    code = communes["best"]
    site = found.site(code)
    assert site is not None

    def page(kind: str) -> str:
        return pdf_text(
            argument_pdf(kind, found, found, paca, parameters, code, Dossier(), language, LINK, ON), tmp_path
        )

    tonnes = site["kg_co2e_per_year"] / 1000
    wanted = {
        "elected": [
            number(site["population_within_reach"], language), number(site["users"], language),
            percent(site["viability"], language), percent(site["viability_low"], language),
            hours(site["hours_per_participating_household"], language), euros(site["yearly_cost_eur"], language),
            euros(site["yearly_cost_eur_high"], language), percent(site["losing_share"], language),
        ],
        "employers": [
            euros(8 * 1.9 * 46, language), euros(8 * 5 * 46, language), percent(0.38 * 0.18, language, 1),
            euros(8 * 5 * 46 / site["substitution_share"], language), hours(site["hours_if_all_replaced"], language),
        ],
        "state": [
            number(tonnes, language, 0 if abs(tonnes) >= 10 else 1), number(site["benefit_cost"], language, 2),
            euros(10_000 / tonnes, language), number(site["vulnerable_share"] * site["households_within_reach"], language),
            euros(tonnes * 300, language),
        ],
    }  # fmt: skip
    for kind, texts in wanted.items():
        text = page(kind)
        for figure in texts:
            assert plain(figure) in text, (kind, figure)
        assert found.model_version in text and plain("1,75" if language == "fr" else "1.75") in text
        assert "25 novembre 2026" in text or "25 November 2026" in text


def content(
    kind: str, code: str, found: Assessment, paca: Territory, parameters: Parameters, **changes: object
) -> dict:
    dossier = changes.pop("dossier", Dossier())
    hosts = hosts_of(paca.zones[paca.zones["zone_code"] == code])
    facts = facts_of(found, found, paca, parameters, code, dossier, hosts, str(changes.pop("language", "fr")))
    return page_data(kind, facts, LINK, ON)[0]


def test_what_is_negative_is_said_and_red(communes, found, paca, parameters) -> None:
    code = communes["flagged"]
    page = content("state", code, found, paca, parameters)
    assert page["bad"] and "ajoute" in page["message"] and page["weak"][0].startswith("Effet négatif")
    assert page["cards"][0]["bad"] and page["cards"][0]["value"].startswith("−")
    assert any(r["style"] == "loss" for r in page["plots"][0]["rects"])
    assert content("elected", code, found, paca, parameters)["message"].startswith("Pas en l'état")


def test_public_euros_per_tonne_by_hand(communes, found, paca, parameters) -> None:
    code = communes["best"]
    hosts = hosts_of(paca.zones[paca.zones["zone_code"] == code])
    facts = facts_of(found, found, paca, parameters, code, Dossier(), hosts, "fr")
    low, middle, high = per_public_euro(facts, "kg_co2e_per_year", 1000)
    site = found.site(code)
    assert middle == pytest.approx(10_000 / (site["kg_co2e_per_year"] / 1000))
    assert low == pytest.approx(10_000 / (site["kg_co2e_per_year_high"] / 1000))
    assert high == float("inf") and site["kg_co2e_per_year_low"] < 0


def test_the_break_even_of_an_office_desk_by_hand(communes, found, paca, parameters) -> None:
    code = communes["best"]
    hosts = hosts_of(paca.zones[paca.zones["zone_code"] == code])
    facts = facts_of(found, found, paca, parameters, code, Dossier(), hosts, "fr")
    assert argument_contents.full_desk_price(facts) == pytest.approx(8.0 * 5 * 46)
    assert argument_contents.break_even_desk(facts, 0.5) == pytest.approx(2 * 8.0 * 5 * 46)
    assert argument_contents.break_even_desk(facts, 0.0) == float("inf")


def test_an_employer_reads_the_days_of_the_scenario(communes, found, paca, parameters) -> None:
    """1.9 days a week at 1.9 allowed days: half as many days, and half the price, where 0.95 are allowed."""
    code = communes["best"]
    half = replace(found, scenario=found.scenario.with_values(telework_days_per_week=0.95))
    hosts = hosts_of(paca.zones[paca.zones["zone_code"] == code])
    now, less = (facts_of(a, found, paca, parameters, code, Dossier(), hosts, "fr") for a in (found, half))
    assert user_days(now) == pytest.approx(1.9 * 46)
    assert user_days(less) == pytest.approx(0.95 * 46)
    assert user_days(now, 1.0) == pytest.approx(46)
    assert user_price(less) == pytest.approx(0.95 * 46 * found.scenario.day_price_eur)


def test_the_council_decides_on_what_is_missing(communes, found, paca, parameters) -> None:
    code = communes["best"]
    empty = content("elected", code, found, paca, parameters)
    assert not any(item["done"] for item in empty["actions"]["items"])
    assert any("la fibre vérifiée" in text for text in empty["weak"])
    notes = SiteNotes(code, named_users=9).with_answer("fibre", "yes").with_answer("lead", "yes")
    for question in ("steering", "support", "welcome", "offer", "communication"):
        notes = notes.with_answer(question, "yes")
    agreed = with_host(found.scenario, [f"m{code}"], "agreed")
    from dataclasses import replace

    ready = replace(found, scenario=agreed)
    page = content("elected", code, ready, paca, parameters, dossier=Dossier(sites=(notes,)))
    done = [item["text"] for item in page["actions"]["items"] if item["done"]]
    assert len(done) == 4 and any(text.startswith("Salle accordée") for text in done)
    assert not any(text.startswith("Pas prêt") for text in page["weak"])
    assert any("enquête" in item["text"] for item in page["actions"]["items"])


def test_substitutes_are_near_available_and_best_first(communes, found, paca, parameters) -> None:
    code = communes["best"]
    hosts = hosts_of(paca.zones[paca.zones["zone_code"] == code])
    facts = facts_of(found, found, paca, parameters, code, Dossier(), hosts, "fr")
    near = substitutes(facts)
    assert near and [score for _, score, _ in near] == sorted((s for _, s, _ in near), reverse=True)
    assert all(0 < minutes <= 15 for _, _, minutes in near)
    assert facts.site["name"] not in [name for name, _, _ in near]


def test_user_text_is_never_markup(communes, found, paca, parameters) -> None:
    from dataclasses import replace

    sites = found.sites.copy()
    sites.loc[sites["zone_code"] == communes["best"], "name"] = "= #panic() $x$ *a*"
    hostile = replace(found, sites=sites)
    pdf = argument_pdf("elected", hostile, hostile, paca, parameters, communes["best"], Dossier(), "fr", "", ON)
    assert pdf.startswith(b"%PDF")


def test_the_same_page_twice_is_the_same_file_and_wrong_calls_are_told(communes, found, paca, parameters) -> None:
    made = [
        argument_pdf("state", found, found, paca, parameters, communes["best"], Dossier(), "fr", LINK, ON)
        for _ in range(2)
    ]
    assert made[0] == made[1]
    with pytest.raises(ValueError, match="allowed elected, employers, state; not 'mayor'"):
        argument_pdf("mayor", found, found, paca, parameters, communes["best"], Dossier(), "fr", LINK, ON)
    with pytest.raises(KeyError, match="99999"):
        argument_pdf("state", found, found, paca, parameters, "99999", Dossier(), "fr", LINK, ON)


def test_the_code_holds_the_whole_link() -> None:
    import segno

    assert segno.make(LINK, error="l", micro=False).version <= 6
    assert link_code(LINK).count("<path") == 1 and "http" not in link_code(LINK).replace("http://www.w3.org", "")
    assert len(arguments.shown_link(LINK * 4)) == arguments.SHOWN_LINK


def test_official_tables_are_told_as_official(communes, found, paca, parameters) -> None:
    from dataclasses import replace

    official = replace(paca, provenance=tuple(replace(p, kind="official") for p in paca.provenance))
    page = content("elected", communes["best"], replace(found, modelled=()), official, parameters)
    assert page["blocks"][0]["rows"][0]["source"] == "officiel 2021"
    assert not any("modélisés, pas observés" in text for text in page["weak"])


CORNERS: dict[str, dict[str, object]] = {
    "free": {"day_price_eur": 0.0}, "nothing given": {"council_contribution_eur_per_year": 0.0},
    "no remote work": {"telework_days_per_week": 0.0}, "five days": {"telework_days_per_week": 5.0},
    "own premises": {"premises": "own", "hub_cooled": False}, "hot": {"climate": "tracc_2100"},
    "dear": {"fuel_price_eur_per_l": 3.0, "day_price_eur": 20.0, "telepresence_price_eur_per_month": 0.0},
    "own assumptions": {"changed": (("firm_allow_elsewhere_share", 0.29), ("substitution_reference", 0.25))},
    "refused": {"refused": ("84003",)},
}  # fmt: skip


@needs_poppler
@pytest.mark.parametrize("corner", CORNERS)
def test_every_corner_of_the_levers_is_one_page_that_tells_it(
    corner: str, paca: Territory, parameters: Parameters, tmp_path: Path
) -> None:
    territory = load_territory("200040624", DATA_DIR / "territory", circuity=parameters.value("circuity"))
    scenario = reference_scenario(parameters, territory.code).with_values(**CORNERS[corner])
    found = assess(territory, scenario, parameters, home=paca)
    for kind in KINDS:
        pdf = argument_pdf(
            kind, found, found, territory, parameters, "84003", Dossier(), "fr", LINK, ON, home=paca
        )  # fmt: skip
        text = pdf_text(pdf, tmp_path)
        info = subprocess.run(["pdfinfo", tmp_path / "page.pdf"], capture_output=True, text=True, check=True).stdout
        assert re.search(r"Pages:\s+1\n", info), kind
        assert not re.search(r"\b(nan|inf|None)\b", text), kind
    told = {"no remote work": "personne n'utiliserait", "refused": "Tous les hôtes ont refusé"}
    page = content("elected", "84003", found, territory, parameters)
    assert told.get(corner, "") in page["message"]
    if corner == "own assumptions":
        rows = content("employers", "84003", found, territory, parameters)["blocks"][0]["rows"]
        assert [row["source"] for row in rows if row["value"] == percent(0.29, "fr")] == ["votre hypothèse"]
