"""What the page Comparer says: sentences, tables, small maps, as HTML on one scale; every text is escaped."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from coopconnect.dossier import SurveySums
from coopconnect.model.compare import Difference, compare
from coopconnect.model.types import Assessment, Range
from coopconnect.scenario import Scenario
from coopconnect.show.colours import GAIN, LOSS, SCENARIO_COLOURS
from coopconnect.show.compare_charts import LETTERS
from coopconnect.show.compare_words import Formatter, change_text, differing_keys, formatter_of, lever_text, name_of_key
from coopconnect.show.describe import scenario_line
from coopconnect.show.geometry import Geometry
from coopconnect.show.maps import (
    CLASS_NONE,
    NO_DATA_COLOUR,
    SCORE_BREAKS,
    SEQUENTIAL_COLOURS,
    Legend,
    LegendEntry,
    classify,
    map_texts,
    score_legend,
)
from coopconnect.show.static_map import map_svg, svg_image
from coopconnect.show.words import hours, number
from coopconnect.ui.frame import Page
from coopconnect.ui.futures import differences_in_draws

if TYPE_CHECKING:
    from coopconnect.uncertainty.run import Ensemble

ON_SCREEN, IMPLICIT = -1, -2
NAMED = 12
"""Communes named in a list; the number of the rest is said."""

RANK_BREAKS = (-99.5, -29.5, -4.5, 4.5, 29.5, 99.5)
RANK_COLOURS = (LOSS, "#e58f6f", "#f6d3c5", "#eef1f2", "#c7dbe8", "#7fb0d0", GAIN)
VIABLE_COLOURS = ("#eef1f2", "#b9c7cf", GAIN, "#f6d3c5")
LOST = 3
"""Class of the sites that no longer break even: hatched."""


@dataclass(frozen=True, eq=False)
class Future:
    """One column of the page. place: among those put aside, `ON_SCREEN`, or `IMPLICIT` (the reference, by default).

    survey: what its futures are drawn with. The ranges of the assessment are those of its futures once drawn (`drawn`).
    """

    at: int
    place: int
    title: str
    why: str
    scenario: Scenario
    assessment: Assessment
    survey: SurveySums | None = None
    drawn: Ensemble | None = None

    @property
    def letter(self) -> str:
        """'A' for the first."""
        return LETTERS[self.at]


# --- what differs ---------------------------------------------------------------------------------------------------


def levers_html(page: Page, futures: Sequence[Future], base: Future) -> str:
    """Table of the levers and assumptions that differ: a line for each, a column for each scenario."""
    keys = differing_keys([f.scenario for f in futures])
    if not keys:
        return f'<p class="hint">{html.escape(page.say("compare.levers_none"))}</p>'
    rows = []
    for key in keys:
        usual = lever_text(key, base.scenario, page.parameters, page.language)
        cells = "".join(
            _lever_cell(lever_text(key, f.scenario, page.parameters, page.language), usual) for f in futures
        )
        source = page.parameters[key].source_in(page.language) if key in page.parameters else ""
        rows.append(
            f'<tr><th scope="row" title="{html.escape(source)}">{html.escape(name_of_key(key, page.parameters, page.language))}</th>{cells}</tr>'
        )
    head = _head(page.say("compare.lever"), futures)
    return f'<div class="scroll"><table class="plain compared of{len(futures)}"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div>'


def _lever_cell(text: str, usual: str) -> str:
    shown = html.escape(text)
    return f'<td class="num">{shown if text == usual else f"<b>{shown}</b>"}</td>'


def _head(first: str, futures: Sequence[Future]) -> str:
    heads = "".join(f'<th scope="col" class="num">{badge(f)} {html.escape(f.title)}</th>' for f in futures)
    return f'<tr><th scope="col">{html.escape(first)}</th>{heads}</tr>'


def badge(future: Future) -> str:
    """The letter of a scenario on its colour."""
    return f'<span class="letter" style="background:{SCENARIO_COLOURS[future.at]}">{future.letter}</span>'


def _named(future: Future) -> str:
    return f"{badge(future)} {html.escape(future.title)}"


# --- a sentence for each pair ---------------------------------------------------------------------------------------


def pair_html(page: Page, before: Future, after: Future) -> str:
    """What changes from one scenario to another, and what it does, in two sentences."""
    keys = [k for k in differing_keys([before.scenario, after.scenario]) if k != "territory"]
    weights = [k for k in keys if k.startswith("weight_")]
    if len(weights) > 2:
        keys = [k for k in keys if k not in weights] + ["weights"]
    parts = [change_text(key, before.scenario, after.scenario, page.parameters, page.language) for key in keys]
    changes = " ; ".join(parts) if parts else page.say("compare.no_change")
    effect = _effect(page, before, after) if parts or before.scenario.territory != after.scenario.territory else ""
    lines = f"<p><b>{html.escape(page.say('compare.changes_are'))}</b> {html.escape(changes)}.</p>"
    if effect:
        lines += f"<p><b>{html.escape(page.say('compare.effect'))}</b> {html.escape(effect)}</p>"
    return f'<div class="pair"><h3>{_named(before)} → {_named(after)}</h3>{lines}</div>'


def _effect(page: Page, before: Future, after: Future) -> str:
    """The headline changes in one sentence."""
    name = "hours_per_participating_household"
    was, now = (f.assessment.totals[name].value for f in (before, after))
    kept = page.say("compare.hours_to", before=hours(was, page.language), after=hours(now, page.language))
    if before.scenario.territory != after.scenario.territory:
        names = [f.assessment.territory_name for f in (before, after)]
        return f"{kept}. {page.say('compare.other_place', before=names[0], after=names[1])}"
    difference = between(page, before, after)
    return f"{'; '.join(_pieces(page, difference, kept))}.".replace("; ", " ; " if page.language == "fr" else "; ")


def _pieces(page: Page, difference: Difference, kept: str) -> list[str]:
    was, now = (one.value for one in difference.totals["viable_rural_sites"])
    count = abs(round(now - was))
    key = "same" if not count else "more" if now > was else "less"
    shown = {"before": number(was, page.language), "after": number(now, page.language)}
    first = page.say(f"compare.viable_{key}", count=number(count, page.language), **shown)
    if difference.gained and difference.lost:
        first += f" ({page.say('compare.swapped', gained=difference.gained, lost=difference.lost)})"
    return [first, kept, _climb(page, difference)]


def _climb(page: Page, difference: Difference) -> str:
    climber = difference.climber()
    if climber is None:
        return page.say("compare.same_top")
    was, now = (ordinal(int(climber[f"rank_{end}"]), page.language) for end in ("before", "after"))
    key = "leads" if climber["rank_after"] == 1 else "climbs"
    unsure = "" if climber["sure"] else f" ({page.say('compare.unsure')})"
    return page.say(f"compare.{key}", name=climber["name"], before=was, after=now) + unsure


def ordinal(n: int, language: str) -> str:
    """'1re', '2e' of a place in French; '1st', '2nd', '3rd', '11th' in English."""
    if language != "en":
        return f"{number(n, language)}{'re' if n == 1 else 'e'}"
    end = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{number(n, language)}{end}"


def between(page: Page, before: Future, after: Future) -> Difference:
    """The two side by side, rural communes only unless the visitor looks at all."""
    return compare(before.assessment, after.assessment, rural_only=not page.view.all_communes)


# --- headline figures -----------------------------------------------------------------------------------------------


FIGURES = (
    "viable_rural_sites", "viable_share", "median_score", "hours_per_participating_household",
    "eur_per_participating_household", "kg_co2e_per_participating_household", "median_users", "median_hours_per_year",
)  # fmt: skip
COUNTS = ("viable_rural_sites",)
"""Figures that two territories do not share."""


def figure_of(assessment: Assessment, name: str) -> Range:
    """One of `FIGURES` with its range."""
    if name != "viable_share":
        return assessment.totals[name]
    sites = assessment.sites
    pool = max(int((sites["rural"] & sites["available"]).sum()), 1)
    found = assessment.totals["viable_rural_sites"]
    return Range(found.low / pool, found.value / pool, found.high / pool)


def figures_html(page: Page, futures: Sequence[Future], base: Future) -> str:
    """Headline figures: a line for each, the ranges drawn on one scale."""
    same_place = len({f.scenario.territory for f in futures}) == 1
    shown = [name for name in FIGURES if name != ("viable_share" if same_place else "viable_rural_sites")]
    rows = "".join(_figure_row(page, name, futures, base) for name in shown)
    head = _head(page.say("compare.figure"), futures)
    return f'<div class="scroll"><table class="plain compared of{len(futures)}"><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _figure_row(page: Page, name: str, futures: Sequence[Future], base: Future) -> str:
    ranges = [figure_of(f.assessment, name) for f in futures]
    low = min(0.0, *(r.low for r in ranges))
    high = max(0.0, *(r.high for r in ranges))
    write = formatter_of(name, page.language)
    usual = figure_of(base.assessment, name).value
    same_place = len({f.scenario.territory for f in futures}) == 1
    cells = []
    for future, found in zip(futures, ranges, strict=True):
        change = "" if future is base else write(found.value - usual, signed=True)
        same = change == write(0.0, signed=True)
        told = (
            page.say("compare.alike" if same else "compare.delta", change=change, letter=base.letter) if change else ""
        )
        ends = differences_in_draws(base.drawn, future.drawn).get(name) if same_place else None
        between = _difference_html(page, found.value - usual, ends, write) if ends else ""
        cells.append(
            f'<td class="num{" bad" if found.value < 0 else ""}"><b>{html.escape(write(found.value))}</b>'
            f"{_bar(found, low, high, SCENARIO_COLOURS[future.at])}"
            f"<small>{html.escape(_between_text(page, found, write, future.assessment.drawn))}</small>"
            f"<small>{html.escape(told)}</small>{between if change else ''}</td>"
        )
    label = html.escape(page.say(f"compare.total.{name}"))
    return f'<tr><th scope="row">{label}</th>{"".join(cells)}</tr>'


def _difference_html(page: Page, middle: float, ends: tuple[float, float], write: Formatter) -> str:
    """5 and 95 % of the difference, widened to hold that of the reference case."""
    low, high = (write(end, signed=True) for end in (min(ends[0], middle), max(ends[1], middle)))
    return f"<small>{html.escape(page.say('compare.delta_drawn', low=low, high=high))}</small>"


def _between_text(page: Page, found: Range, write: Formatter, drawn: int) -> str:
    """The range in words; drawn: as in the assessment."""
    if found.low == found.high:
        return ""
    key, draws = "figure.between_drawn" if drawn else "figure.between", number(drawn, page.language)
    return page.say(key, low=write(found.low), high=write(found.high), draws=draws)


def _bar(found: Range, low: float, high: float, colour: str) -> str:
    """The range as a line and the central value as a mark, on the scale of the whole line of the table."""
    span = max(high - low, 1e-9)
    a, m, b = (100.0 * (value - low) / span for value in (found.low, found.value, found.high))
    zero = 100.0 * (0.0 - low) / span
    return (
        f'<span class="range" aria-hidden="true"><i style="left:{zero:.1f}%" class="zero"></i>'
        f'<i style="left:{a:.1f}%;width:{max(b - a, 0.5):.1f}%;background:{colour}" class="span"></i>'
        f'<i style="left:{m:.1f}%;background:{colour}" class="mark"></i></span>'
    )


# --- maps -----------------------------------------------------------------------------------------------------------


def legend_html(legend: Legend) -> str:
    """A legend once for several maps."""
    lines = "".join(
        f'<span><i class="{html.escape(e.kind)}" style="background-color:{e.colour}"></i>{html.escape(e.label)}</span>'
        for e in legend.entries
    )
    unit = f" ({html.escape(legend.unit)})" if legend.unit else ""
    return f'<div class="maplegend"><span><b>{html.escape(legend.title)}</b>{unit}</span>{lines}</div>'


def shown_sites(page: Page, assessment: Assessment) -> np.ndarray:
    """Sites that the maps show: available, and rural unless the visitor looks at all."""
    sites = assessment.sites
    keep = sites["available"].to_numpy(bool)
    return keep if page.view.all_communes else keep & sites["rural"].to_numpy(bool)


def score_map_html(page: Page, future: Future, geometry: Geometry) -> str:
    """The small map of the scores of one scenario."""
    sites = future.assessment.sites
    keep = shown_sites(page, future.assessment)
    flagged = sites["red_flag"].to_numpy(bool) & keep
    classes = classify(sites["score"].to_numpy(float), SCORE_BREAKS, flagged, ~keep)
    words = html.escape(page.say("compare.map_alt", letter=future.letter, title=future.title))
    picture = svg_image(map_svg(geometry, classes, SEQUENTIAL_COLOURS), words)
    line = html.escape(scenario_line(future.scenario, page.parameters, page.language))
    place = html.escape(future.assessment.territory_name)
    return f"<figure><figcaption>{badge(future)} {html.escape(future.title)}<small>{place} · {line}</small></figcaption>{picture}</figure>"


def score_maps_legend(page: Page) -> str:
    """The legend of the small maps of scores, the one of the page Décider."""
    texts = map_texts(page.language)
    return legend_html(score_legend(texts | {"none": page.say("map.not_listed")}))


def difference_maps_html(page: Page, before: Future, after: Future, difference: Difference, geometry: Geometry) -> str:
    """Two maps of what changes: break-even gained or lost, and places gained or lost."""
    codes = after.assessment.sites["zone_code"]
    by_code = difference.sites.set_index("zone_code").reindex(codes)
    missing = by_code["name"].isna().to_numpy() | ~shown_sites(page, after.assessment)
    was, now = (by_code[f"viable_{end}"].fillna(False).to_numpy(bool) for end in ("before", "after"))
    viable = np.where(now, np.where(was, 1, 2), np.where(was, LOST, 0)).astype(np.uint8)
    viable[missing] = CLASS_NONE
    moved = (by_code["rank_before"] - by_code["rank_after"]).to_numpy(float)
    ranks = classify(moved, RANK_BREAKS, missing=missing)
    pictures = (
        ("viable", map_svg(geometry, viable, VIABLE_COLOURS, (LOST,)), _viable_legend(page)),
        ("rank", map_svg(geometry, ranks, RANK_COLOURS), _rank_legend(page)),
    )
    counts = {"gained": difference.gained, "lost": difference.lost}
    shown = ""
    for key, svg, legend in pictures:
        words = html.escape(page.say(f"compare.map_{key}_alt", **counts))
        title = html.escape(page.say(f"compare.map_{key}"))
        shown += f"<figure><figcaption>{badge(before)} → {badge(after)} {title}</figcaption>{svg_image(svg, words)}{legend}</figure>"
    return f'<div class="smallmaps">{shown}</div>'


def _viable_legend(page: Page) -> str:
    order = (("gained", 2, "class"), ("lost", LOST, "flag"), ("both", 1, "class"), ("neither", 0, "class"))
    entries = [LegendEntry(page.say(f"compare.class.{key}"), VIABLE_COLOURS[at], kind) for key, at, kind in order]
    entries.append(LegendEntry(page.say("compare.class.none"), NO_DATA_COLOUR, "none"))
    return legend_html(Legend(page.say("compare.map_viable"), "", tuple(entries)))


def _rank_legend(page: Page) -> str:
    words = (
        page.say("compare.class.down", low=100), page.say("compare.class.down_between", low=30, high=99),
        page.say("compare.class.down_between", low=5, high=29), page.say("compare.class.stays", high=4),
        page.say("compare.class.up_between", low=5, high=29), page.say("compare.class.up_between", low=30, high=99),
        page.say("compare.class.up", low=100),
    )  # fmt: skip
    entries = [LegendEntry(text, colour) for text, colour in zip(words, RANK_COLOURS, strict=True)][::-1]
    entries.append(LegendEntry(page.say("compare.class.none"), NO_DATA_COLOUR, "none"))
    return legend_html(Legend(page.say("compare.map_rank"), "", tuple(entries)))


# --- ranking --------------------------------------------------------------------------------------------------------


def crossings_html(page: Page, difference: Difference) -> str:
    """Who breaks even now, and who no longer does."""
    gained, lost = difference.gained_sites(), difference.lost_sites()
    return (
        f'<div class="crossings"><div><h4>{html.escape(page.say("compare.gained", count=len(gained)))}</h4>'
        f"<p>{_names(page, gained)}</p></div>"
        f'<div class="down"><h4>{html.escape(page.say("compare.lost", count=len(lost)))}</h4><p>{_names(page, lost)}</p></div></div>'
    )


def _names(page: Page, sites: pd.DataFrame) -> str:
    if sites.empty:
        return html.escape(page.say("compare.none"))
    names = ", ".join(str(name) for name in sites["name"][:NAMED])
    rest = len(sites) - NAMED
    return html.escape(f"{names} {page.say('compare.and_more', count=rest)}" if rest > 0 else names)


def moves_html(page: Page, before: Future, after: Future, difference: Difference) -> str:
    """The best of either with their moves, and how much of the top stays."""
    heads = [
        page.say("compare.commune"), page.say("compare.rank_in", letter=before.letter),
        page.say("compare.rank_in", letter=after.letter), page.say("compare.move"),
        page.say("compare.score_in", letter=before.letter), page.say("compare.score_in", letter=after.letter),
    ]  # fmt: skip
    head = "".join(
        f'<th scope="col"{" class=num" if k else ""}>{html.escape(text)}</th>' for k, text in enumerate(heads)
    )
    rows = "".join(_move_row(page, row) for row in difference.leaders().to_dict("records"))
    kept = page.say(
        "compare.correlation", kept=difference.top_kept, top=difference.top,
        value=number(difference.rank_correlation, page.language, 2),
    )  # fmt: skip
    return (
        f'<div class="scroll"><table class="plain compared of2"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="banner">{html.escape(kept)} {html.escape(page.say("compare.moves_note"))}</p>'
    )


def _move_row(page: Page, row: dict[str, object]) -> str:
    """One commune; where every host has refused it has no place, and the move is no number."""
    was, now = int(str(row["rank_before"])), int(str(row["rank_after"]))
    open_ = {end: bool(row[f"available_{end}"]) for end in ("before", "after")}
    arrow, colour = ("▲", "up") if now < was else ("▼", "down") if now > was else ("=", "")
    both = all(open_.values())
    moved = "" if not both else arrow if now == was else f"{arrow} {number(abs(now - was), page.language)}"
    unsure = "" if row["sure"] or now == was or not both else " ≈"
    refused = html.escape(page.say("export.comparison.refused"))
    first, second = (str(n) if open_[end] else refused for n, end in ((was, "before"), (now, "after")))
    scores = "".join(
        f'<td class="num">{number(float(str(row[k])), page.language, 1)}</td>' for k in ("score_before", "score_after")
    )
    return (
        f'<tr><th scope="row">{html.escape(str(row["name"]))}</th><td class="num">{first}</td><td class="num"><b>{second}</b></td>'
        f'<td class="num {colour}">{moved}{unsure}</td>{scores}</tr>'
    )


# --- breakdown ------------------------------------------------------------------------------------------------------

OUTCOME_OF = {
    "viable": "viable_rural_sites", "score": "median_score", "hours": "median_hours_per_year", "users": "median_users",
    "household": "hours_per_participating_household", "site": "site_score",
}  # fmt: skip
"""Figures that can be broken down, by their name in the address."""
