"""Every check of the built-in models on the observed files: `python -m coopconnect validate all`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

OBSERVED = {
    "flows": "insee/flux_domicile_travail_isere_2017.csv",
    "travel": "travel_time/isere_512_communes_osrm_car_seconds.csv",
    "jobs": "insee/base_cc_comparateur_csv.zip",
    "workers": "insee/base_cc_comparateur_csv.zip",
    "sites": "insee/flux_domicile_travail_isere_2017.csv",
}
"""The observed file of each check, in the folder of observed files."""
MARK = "# Written by `python -m coopconnect validate all --write`; do not edit below.\n"

Row = tuple[str, str, str]
"""What in French, what in English, the value as it is written."""


def run_checks(
    folder: Path,
    data_dir: Path,
    values: Mapping[str, float],
    sites: Callable[[Path, Path | None], Mapping[str, Any]],
    told: Callable[[str], None] = lambda _: None,
) -> tuple[dict[str, dict[str, Any]], list[Path]]:
    """Figures of each check whose file is in `folder`, and the files that are missing.

    values: the parameters. sites: `model.validate_sites` of a file of flows and one of minutes. told: gets the name of each check as it begins. ReadingError, OSError.
    """
    from coopconnect.territory.validate_flows import validate_flows
    from coopconnect.territory.validate_jobs import validate_jobs
    from coopconnect.territory.validate_travel import validate_travel
    from coopconnect.territory.validate_workers import validate_workers

    checks: dict[str, Callable[[Path], Mapping[str, Any]]] = {
        "flows": lambda path: validate_flows(path, data_dir),
        "travel": lambda path: validate_travel(path, data_dir, values),
        "jobs": lambda path: validate_jobs(path, data_dir),
        "workers": lambda path: validate_workers(path, data_dir),
        "sites": lambda path: sites(path, routed if routed.is_file() else None),
    }
    routed = folder / OBSERVED["travel"]
    found: dict[str, dict[str, Any]] = {}
    missing = []
    for what, name in OBSERVED.items():
        path = folder / name
        if path.is_file():
            told(what)
            found[what] = dict(checks[what](path))
        elif path not in missing:
            missing.append(path)
    return found, missing


def rows_of_checks(found: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """The figures worth a line on the page, of the checks that were run."""
    rows: list[Row] = _rows_of_sites(found["sites"]) if "both" in found.get("sites", {}) else []
    if flows := found.get("flows"):
        rows += [
            ("Flux livrés, Isère 2017 : part commune des trajets (CPC)",
             "Shipped flows, Isère 2017: common part of commuters (CPC)", f"{flows['cpc']:.3f}"),
            ("Modèle de flux avec les actifs et les emplois observés : part commune (CPC)",
             "Flow model with observed workers and jobs: common part (CPC)", f"{flows['cpc_file_margins']:.3f}"),
            ("Flux livrés, Isère : écart de la distance moyenne",
             "Shipped flows, Isère: gap in mean distance", _signed(flows["mean_km_error"])),
            ("Flux observés, Isère : part qui travaille dans sa commune",
             "Observed flows, Isère: share working in their commune", _share(flows["stay_observed"])),
            ("Flux livrés, Isère : la même part, modélisée",
             "Shipped flows, Isère: the same share, modelled", _share(flows["stay_model"])),
        ]  # fmt: skip
    for what, fr, en in (("workers", "Actifs occupés", "Employed residents"), ("jobs", "Emplois", "Jobs")):
        if margin := found.get(what):
            rows += [
                (f"{fr} livrés, France 2018 : erreur médiane par commune",
                 f"{en} as shipped, France 2018: median error by commune", _share(margin["median_error"])),
                (f"{fr} livrés, France 2018 : erreur pondérée",
                 f"{en} as shipped, France 2018: weighted error", _share(margin["weighted_error"])),
            ]  # fmt: skip
    if travel := found.get("travel"):
        for band in travel["bands"]:
            if band["pairs"]:
                low, high = band["from_min"], band["to_min"]
                rows += [
                    (f"Trajets de {low} à {high} min, Isère : erreur médiane",
                     f"Drives of {low} to {high} min, Isère: median error", _share(band["median_error"])),
                    (f"Trajets estimés de {low} à {high} min, Isère : biais",
                     f"Drives estimated at {low} to {high} min, Isère: bias", _signed(band["bias_estimated"])),
                ]  # fmt: skip
    return rows


def _rows_of_sites(sites: Mapping[str, Any]) -> list[Row]:
    """What the modelled data do to the result: hours by part, the rest for all of it."""
    flows, minutes, both = (sites[part] for part in ("flows", "travel", "both"))
    fr, en = "Sites ruraux d'Isère", "Rural sites of Isère"
    return [
        (f"{fr}, heures : flux modélisés au lieu d'observés",
         f"{en}, hours: modelled flows in place of observed ones", _signed(flows["hours_total"])),
        (f"{fr}, heures : temps estimés au lieu de calculés sur les routes",
         f"{en}, hours: estimated minutes in place of those computed on roads", _signed(minutes["hours_total"])),
        (f"{fr}, heures : les deux", f"{en}, hours: both", _signed(both["hours_total"])),
        (f"{fr}, les deux : écart médian des heures d'un site",
         f"{en}, both: median gap in the hours of a site", _share(both["hours_median_error"])),
        (f"{fr}, les deux : écart médian des usagers d'un site",
         f"{en}, both: median gap in the users of a site", _share(both["users_median_error"])),
        (f"{fr}, les deux : écart médian du score",
         f"{en}, both: median gap in the score", f"{both['score_median_gap']:.1f} points"),
        (f"{fr}, les deux : des dix premiers, restent parmi eux",
         f"{en}, both: of the ten best, stay among them", f"{both['top_kept']}"),
        (f"{fr}, les deux : corrélation des rangs", f"{en}, both: correlation of ranks", f"{both['rank_correlation']:.2f}"),
    ]  # fmt: skip


def result_of(found: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What the page says in a sentence of `sites`, both flows and minutes modelled; nothing where it was not run."""
    both = found.get("sites", {}).get("both")
    if both is None:
        return {}
    return {
        "site_hours": _share(both["hours_median_error"]),
        "score": f"{both['score_median_gap']:.1f} points",
        "top_kept": f"{both['top_kept']}",
    }


def toml_with(text: str, rows: list[Row], result: Mapping[str, str]) -> str:
    """`data/validation.toml` with its part below `MARK` written again; what stands above is kept."""
    above = text.partition(MARK)[0].rstrip("\n")
    blocks = [f'[[shipped]]\nwhat_fr = "{fr}"\nwhat_en = "{en}"\nvalue = "{value}"\n' for fr, en, value in rows]
    if result:
        blocks.append("[result]\n" + "".join(f'{key} = "{value}"\n' for key, value in result.items()))
    return f"{above}\n\n{MARK}\n" + "\n".join(blocks)


def page_of(rows: list[Row]) -> str:
    """`docs/validation.md`."""
    files = "\n".join(f"- `{what}`: `{name}`" for what, name in OBSERVED.items())
    table = "\n".join(f"| {en} | {value} |" for _, en, value in rows)
    return (
        "# Shipped data against what was observed\n\n"
        "Written by `python -m coopconnect validate all --write` (`make validation`): do not edit. The page Hypothèses\n"
        "shows the same figures, from `data/validation.toml`. They are those of the data as shipped. The fits have seen\n"
        "these files in part: figures on data held out of the fit are in territory.md, flows.md and travel.md.\n\n"
        f"Observed files, in the folder given with `--data`:\n{files}\n\n"
        f"| what | figure |\n|---|---|\n{table}\n\n"
        "Error: gap to the observed figure, without sign. Bias: median ratio of estimated to observed, less one, of the\n"
        "pairs whose estimate is in the band. CPC: docs/flows.md. Sites: reference scenario, the same pairs home x work on both\n"
        "sides, those that the file covers; both laws were fitted on Isère, elsewhere the gaps are rather larger.\n"
    )


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _signed(value: float) -> str:
    return f"{100 * value:+.1f} %".replace("-", "−")
