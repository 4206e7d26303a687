"""Charts: the message, the units, the signs, both languages, and that they are quick."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace

import numpy as np
import pytest
from fixtures_assessment import synthetic_assessment, synthetic_response
from spaces import plain

from coopconnect.parameters import load_parameters
from coopconnect.scenario import NUMERIC_LEVERS
from coopconnect.show import charts
from coopconnect.show.colours import LOSS
from coopconnect.show.words import say

BUDGET_S = 0.15
"""Generous: a chart takes about 10 ms; the machines of the tests are slow and shared."""


@pytest.fixture(scope="module")
def assessment():
    return synthetic_assessment()


def texts(figure) -> str:
    return json.dumps(figure.to_plotly_json(), default=str, ensure_ascii=False)


def test_hours_show_losers_below_zero_in_the_warning_colour(assessment):
    bars = charts.household_hours(assessment).data[0]
    assert sum(bars.y) == pytest.approx(100.0)
    for x, colour in zip(bars.x, bars.marker.color, strict=True):
        assert (colour == LOSS) == (x < 0)


def test_hours_title_and_notes_give_median_and_losers(assessment):
    figure = charts.household_hours(assessment, "fr")
    table = assessment.households
    losers = table.loc[table["hours_to"] <= 0, "users_share"].sum()
    seen = texts(figure)
    assert "par ménage participant" in seen.lower()
    assert "médiane 18\u00a0h" in seen
    assert f"{round(100 * losers)}\u202f% perdent du temps" in seen
    assert "modélisé" in seen.lower()


def test_hours_quantiles_follow_the_deciles(assessment):
    table = assessment.households
    edges = np.append(table["hours_from"], table["hours_to"].iloc[-1])
    for decile, hours in assessment.deciles.itertuples(index=False):
        assert charts.quantile(edges, table["users_share"], decile / 100) == pytest.approx(hours)
        assert charts.share_below(edges, table["users_share"], hours) == pytest.approx(decile / 100)


def test_hours_of_one_site_and_of_a_site_without_users(assessment):
    sites = assessment.sites
    used = sites.loc[sites["users"] > 0, "zone_code"].iloc[0]
    assert sum(charts.household_hours(assessment, site_code=used).data[0].y) == pytest.approx(100.0)
    unused = sites.loc[sites["users"] == 0, "zone_code"].iloc[0]
    assert not charts.household_hours(assessment, site_code=unused).data
    with pytest.raises(KeyError, match="no site"):
        charts.household_hours(assessment, site_code="00000")


def test_a_mostly_losing_territory_says_so(assessment):
    table = assessment.households.assign(users_share=np.linspace(1, 0, len(assessment.households)) ** 3)
    table["users_share"] /= table["users_share"].sum()
    figure = charts.household_hours(replace(assessment, households=table), "en")
    edges, shares = np.append(table["hours_from"], table["hours_to"].iloc[-1]), table["users_share"].to_numpy()
    losing = shares[: np.searchsorted(edges, 0.0)].sum()
    assert figure.layout.meta["title"].startswith(f"{round(100 * losing)}% of participating households lose time; half")
    assert charts.share_below(edges, shares, charts.kept_by_winners(edges, shares)) == pytest.approx((1 + losing) / 2)
    assert "median −" in texts(figure) and f"{round(100 - 100 * losing)}% keep time" in texts(figure)


def test_a_territory_where_all_lose_says_so(assessment):
    table = assessment.households.assign(users_share=0.0)
    table.loc[0, "users_share"] = 1.0
    figure = charts.household_hours(replace(assessment, households=table), "en")
    assert "More than half" in figure.layout.meta["title"] and "−" in figure.layout.meta["title"]
    assert "keep time" not in texts(figure)


def test_bars_of_components_add_up_to_the_score(assessment):
    figure = charts.score_components(assessment)
    best = assessment.sites[assessment.sites["rank"] > 0].nsmallest(10, "rank")
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert len(bars) == 5
    assert np.sum([bar.x for bar in bars], axis=0) == pytest.approx(best["score"].to_numpy())
    whisker = figure.data[-1]
    assert whisker.x + whisker.error_x.array == pytest.approx(best["score_high"].to_numpy())
    assert whisker.x - whisker.error_x.arrayminus == pytest.approx(best["score_low"].to_numpy())


def test_the_title_says_how_many_share_the_first_place(assessment):
    def title(group):
        sites = assessment.sites.assign(tie_group=group)
        return charts.score_components(replace(assessment, sites=sites), "en").layout.meta["title"]

    rank = assessment.sites["rank"]
    assert "tied with 3 other sites" in charts.score_components(assessment, "en").layout.meta["title"]
    assert "one other site" in title((rank - 1).clip(1))
    assert "comes first" in title(rank)


def test_a_whisker_says_what_it_goes_over(assessment):
    for drawn, words in ((0, "hypothèses bougées une à la fois"), (200, "5 à 95 % de 200 futurs tirés")):
        figure = charts.score_components(replace(assessment, drawn=drawn))
        assert f"trait noir : {words}" in plain(figure.layout.meta["summary"])
        assert all(f"({words})" in plain(text) for text in figure.data[-1].hovertext)


def test_components_keep_to_the_filter_and_add_the_selected_site(assessment):
    rural = assessment.sites.loc[assessment.sites["rural"], "zone_code"]
    last = assessment.sites.nlargest(1, "rank")["zone_code"].iloc[0]
    labels = charts.score_components(assessment, codes=rural, selected_code=last, top=3).layout.yaxis.ticktext
    assert len(labels) == 4
    assert labels[-1].startswith("<b>") and "◄" in labels[-1]
    assert not charts.score_components(assessment, codes=[]).data


def test_names_are_shown_as_they_are(assessment):
    sites = assessment.sites.copy()
    sites["name"] = "<a href='javascript:x'>x</a>"
    assert "<a href" not in texts(charts.score_components(replace(assessment, sites=sites)))


@pytest.mark.parametrize("measure", charts.MEASURES)
def test_response_shows_current_and_reference(assessment, measure):
    lever = load_parameters()["fuel_price_eur_per_l"]
    table = synthetic_response()
    figure = charts.lever_response(table, lever, "Apt", assessment, current=2.25, reference=1.75, measure=measure)
    assert sorted(shape.x0 for shape in figure.layout.shapes) == [1.75, 2.25]
    seen = texts(figure)
    assert "ici\u00a0: 2,25\u00a0€/L" in seen and "référence" in seen
    assert "Prix du carburant (€/L)" in seen
    line = next(t for t in figure.data if t.mode == "lines+markers")
    assert list(line.y) == pytest.approx(list(table[measure]))
    assert any(t.fill == "tozeroy" for t in figure.data) == bool((table[measure] < 0).any())


def test_negative_area_ends_where_the_line_crosses_zero():
    trace = charts._negative_fill(np.array([0.0, 1.0, 2.0]), np.array([-1.0, 1.0, 1.0]))
    assert list(trace["x"]) == [0.0, 0.5, 1.0, 2.0]
    assert list(trace["y"]) == [-1.0, 0.0, 0.0, 0.0]


def test_response_titles_do_not_dramatise(assessment):
    lever = load_parameters()["fuel_price_eur_per_l"]
    table = synthetic_response()

    def title(score) -> str:
        shown = charts.lever_response(table.assign(score=score), lever, "Apt", assessment, "en")
        return shown.layout.meta["title"]

    assert "almost nothing" in title(40 + 0.5 * np.linspace(0, 1, len(table)))
    assert "gains 9.0 points" in title(40 + 9 * np.linspace(0, 1, len(table)))
    assert "loses 9.0 points" in title(40 - 9 * np.linspace(0, 1, len(table)))
    assert "highest at 2.0" in title(40 - 9 * np.abs(np.linspace(-1, 1, len(table))))


def test_response_refuses_an_unknown_measure(assessment):
    lever = load_parameters()["fuel_price_eur_per_l"]
    with pytest.raises(ValueError, match="allowed score"):
        charts.lever_response(synthetic_response(), lever, "Apt", assessment, measure="profit")


def test_every_lever_has_its_chart(assessment):
    parameters = load_parameters()
    for key in NUMERIC_LEVERS:
        shown = charts.lever_response(synthetic_response(key), parameters[key], "Apt", assessment, "en")
        assert parameters[key].label_en in shown.layout.xaxis.title.text.replace("<br>", " ")


def _all(assessment, language, projector):
    lever = load_parameters()["fuel_price_eur_per_l"]
    return [
        charts.household_hours(assessment, language, projector),
        charts.score_components(assessment, language, projector),
        charts.lever_response(synthetic_response(), lever, "Apt", assessment, language, projector, current=2.0),
        charts.nothing("no_sites", language, projector),
    ]


def test_languages_and_projector(assessment):
    for french, english in zip(_all(assessment, "fr", False), _all(assessment, "en", True), strict=True):
        assert french.layout.separators == ",\u202f"
        assert english.layout.separators == ".,"
        for axis in (french.layout.xaxis, french.layout.yaxis):
            assert axis.visible is False or (axis.exponentformat, axis.separatethousands) == (
                "none",
                True,
            )  # 5 000, never 5k
            assert not re.search(r"[sge]$", axis.tickformat or "")  # d3's 5k, 3e+4
        assert english.layout.font.size >= 1.5 * french.layout.font.size
        assert french.layout.meta["summary"] != english.layout.meta["summary"]
    assert charts.chart_config("fr")["locales"]["fr"]["format"]["decimal"] == ","
    assert "locale" not in charts.chart_config("en")


def test_a_page_may_write_the_heading_itself(assessment):
    whole = charts.household_hours(assessment)
    bare = charts.without_heading(whole)
    assert [n.name for n in whole.layout.annotations if n.name] == ["heading", "source"]
    assert [n.name for n in bare.layout.annotations if n.name] == []
    assert bare.layout.meta["note"] == charts.source_note(assessment, "fr")
    for language, words in (("fr", "cas de référence"), ("en", "reference case")):
        for modelled in ((), assessment.modelled):
            assert words in plain(say("network.chart.origin", language))  # the curve of a plan
            assert words in plain(charts.source_note(replace(assessment, modelled=modelled), language))
    shorter = whole.layout.margin.t - bare.layout.margin.t
    lower = whole.layout.margin.b - bare.layout.margin.b
    assert whole.layout.height - bare.layout.height == pytest.approx(shorter + lower)
    assert lower > 0
    assert shorter > 2 * whole.layout.font.size
    assert len(bare.data) == len(whole.data)


def test_charts_are_quick():
    large = synthetic_assessment(946)
    seconds = []
    for _ in range(3):  # time of this process alone: the machines of the tests are shared
        started = time.process_time()
        figures = _all(large, "fr", False)
        seconds.append(time.process_time() - started)
    assert min(seconds) < BUDGET_S * len(figures)
    assert all(len(figure.to_json()) < 30_000 for figure in figures)


def test_axis_titles_wrap_to_the_width_of_a_phone(assessment):
    title = charts.household_hours(assessment, "fr").layout.xaxis.title.text
    assert max(len(line) for line in title.split("<br>")) <= charts.AXIS_TITLE_LETTERS < len(title)


def test_words_of_the_legend_stand_apart(assessment):
    figure = charts.score_components(assessment, "fr")
    longest = max(len(trace.name) for trace in figure.data if trace.type == "bar")
    assert figure.layout.legend.entrywidth >= 0.5 * figure.layout.font.size * longest
