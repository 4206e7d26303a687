"""What the map shows: class limits, bytes of a move, words in both languages, the picture without WebGL."""

from __future__ import annotations

import base64
import itertools
import json

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coopconnect.export.html_map import describe_deck, map_html
from coopconnect.show import maps
from coopconnect.show.geometry import Geometry, ZoneLabels, pack_contours, unpack_contours
from coopconnect.show.maps import (
    CLASS_FLAG,
    CLASS_NONE,
    MAP_TEXTS,
    SCORE_BREAKS,
    SEQUENTIAL_COLOURS,
    MapSpec,
    classify,
    fallback_figure,
    hover_lines,
    map_texts,
    pack_numbers,
    payload,
    score_map,
    top_arcs,
    unpack_numbers,
)


def grid(side: int, name: str = "Évry") -> tuple[Geometry, ZoneLabels]:
    cells = [
        shapely.box(5 + i * 0.1, 44 + j * 0.1, 5.1 + i * 0.1, 44.1 + j * 0.1) for j in range(side) for i in range(side)
    ]
    count = side * side
    codes = [f"{84000 + k:05d}" for k in range(count)]
    points = shapely.get_coordinates(shapely.centroid(np.array(cells)))
    labels = ZoneLabels(codes, [name] * count, ["84"] * count, points[:, 0], points[:, 1], np.arange(count))
    return pack_contours(np.array(cells, dtype=object), labels, np.array([shapely.box(5, 44, 6, 45)])), labels


def spec_of(score: np.ndarray, language: str = "fr", **more: object) -> MapSpec:
    return score_map(score, texts=map_texts(language), **more)  # type: ignore[arg-type]


def test_a_value_on_a_limit_belongs_to_the_class_above() -> None:
    values = np.array([-5.0, 0.0, 9.999, 10.0, 10.001, 59.999, 60.0, 100.0])
    assert classify(values, breaks=(10, 20, 30, 40, 50, 60)).tolist() == [0, 0, 0, 1, 1, 5, 6, 6]
    assert len(SEQUENTIAL_COLOURS) == len(SCORE_BREAKS) + 1


def test_flags_and_gaps_stand_outside_the_scale() -> None:
    values = np.array([np.nan, np.inf, 50.0, 50.0, 50.0])
    flagged = np.array([True, False, True, False, True])
    missing = np.array([False, False, False, False, True])
    assert classify(values, flagged=flagged, missing=missing).tolist() == [
        CLASS_NONE, CLASS_NONE, CLASS_FLAG, 3, CLASS_NONE,
    ]  # fmt: skip


@given(hnp.arrays(np.float64, st.integers(0, 60), elements=st.floats(-20, 120)))
def test_classes_follow_the_order_of_values(values: np.ndarray) -> None:
    order = np.argsort(values, kind="stable")
    assert np.all(np.diff(classify(values)[order].astype(int)) >= 0)


def test_wrong_limits_are_refused() -> None:
    with pytest.raises(ValueError, match="must rise"):
        classify(np.array([1.0]), breaks=(10, 10))
    with pytest.raises(ValueError, match="fit in a byte"):
        classify(np.array([1.0]), breaks=tuple(range(300)))


@given(
    hnp.arrays(np.float64, st.integers(0, 40), elements=st.floats(-200_000, 200_000) | st.just(np.nan)),
    st.integers(0, 3),
)
def test_numbers_come_back_rounded(values: np.ndarray, decimals: int) -> None:
    back = unpack_numbers(pack_numbers(values, decimals))
    assert np.array_equal(np.isnan(back), np.isnan(values))
    assert np.allclose(back, values, atol=0.5 / 10**decimals + 1e-9, equal_nan=True)


@pytest.mark.parametrize(("largest", "bits"), [(0, 8), (127, 8), (128, 16), (32_767, 16), (32_768, 32), (1e12, 32)])
def test_numbers_take_the_fewest_bytes(largest: float, bits: int) -> None:
    packed = pack_numbers(np.array([largest, -largest]))
    assert packed["bits"] == bits
    assert len(base64.b64decode(packed["data"])) == 2 * bits // 8


def test_a_move_of_paca_is_small() -> None:
    count = 946
    score = np.linspace(0, 100, count)
    spec = spec_of(score, score_low=score * 0.8, score_high=score, users=score / 3, hours_per_year=score * 90)
    message = payload(spec)
    assert len(base64.b64decode(message["classes"])) == count  # one byte per commune
    assert len(json.dumps(message)) < 16_000
    assert payload(spec)["picture"] == message["picture"]
    assert payload(spec_of(score[::-1]))["picture"] != message["picture"]


def test_a_large_territory_sends_no_ranges() -> None:
    score = np.linspace(0, 100, 6_000)
    rows = payload(spec_of(score, score_low=score, score_high=score))["hover"]
    assert "low" not in rows[0]


def test_the_largest_arcs_are_kept_and_drawn_last() -> None:
    arcs = top_arcs(np.array([1.0, 2, 3, np.nan]), np.zeros(4), np.array([5.0, 0, 9, 7]), limit=2)
    assert arcs.people.tolist() == [5.0, 9.0]
    assert arcs.lon.tolist() == [1.0, 3.0]


def test_both_languages_say_everything() -> None:
    assert set(MAP_TEXTS["fr"]) == set(MAP_TEXTS["en"])
    assert all(text.strip() for words in MAP_TEXTS.values() for text in words.values())
    with pytest.raises(ValueError, match="fr, en"):
        map_texts("de")


def test_hover_lines_write_numbers_as_the_language_does() -> None:
    geometry, _ = grid(2)
    header = unpack_contours(geometry.data).header
    score = np.array([12.0, 20, 30, np.nan])
    french = spec_of(
        score, score_low=score - 2, score_high=score + 3, hours_per_year=score * 1000, zone_note={0: "Trajets en plus."}
    )
    assert hover_lines(french, header, 0) == [
        "Évry (84)", "Score : 12 / 100 (10 – 15)", "Heures gardées : 12\u202f000 h/an", "Trajets en plus.",
    ]  # fmt: skip
    assert hover_lines(french, header, 3) == ["Évry (84)", "non évaluée"]
    assert "12,000 h/year" in hover_lines(spec_of(score, "en", hours_per_year=score * 1000), header, 0)[-1]


def test_the_picture_without_webgl_has_every_zone_and_escapes_names() -> None:
    geometry, _ = grid(5, name="<script>Évry & Cie</script>")
    score = np.linspace(0, 90, 25)
    spec = spec_of(score, flagged=score < 5, missing=np.arange(25) == 7, selected=3)
    figure = fallback_figure(spec, unpack_contours(geometry.data))
    marks = figure.data[-1]
    assert len(marks.customdata) == 25
    assert "<script>" not in "".join(marks.text)
    names = [trace.name for trace in figure.data if trace.showlegend]
    assert spec.texts["flag"] in names and spec.texts["none"] in names
    assert {trace.type for trace in figure.data} == {"scatter"}  # no WebGL, no topojson
    filled = [trace for trace in figure.data if trace.fill == "toself"]
    assert sum(int(np.isnan(np.asarray(trace.x, dtype=float)).sum()) for trace in filled) == 25


def test_a_large_territory_without_webgl_shows_its_best_as_points() -> None:
    geometry, _ = grid(75)
    spec = spec_of(np.linspace(0, 100, 75 * 75))
    figure = fallback_figure(spec, unpack_contours(geometry.data), top=100)
    assert len(figure.data[-1].customdata) == 100
    assert figure.data[-1].customdata[0] == f"{84000 + 75 * 75 - 1:05d}"


def test_the_html_page_holds_everything_and_asks_nobody() -> None:
    geometry, _ = grid(4, name="</script><img src=x onerror=alert(1)>")
    score = np.linspace(0, 90, 16)
    arcs = top_arcs(np.array([5.2, 5.3]), np.array([44.1, 44.2]), np.array([3.0, 8.0]))
    spec = spec_of(score, flagged=score < 10, users=score, site_zone=np.arange(4), selected=2, arcs=arcs)
    page = map_html(spec, geometry, "Où <b>?</b>", "1,75 €/L").decode("utf-8")
    assert "</script><img" not in page
    assert "<b>?</b>" not in page
    assert "Content-Security-Policy" in page
    own = page[: page.index("<script>")] + page[page.rindex("<script>") :]
    assert "http://" not in own and "https://" not in own and "<script src" not in page
    assert '"mapProvider":"' not in own and "mapStyle" not in own
    names = next(
        x
        for x in json.loads(describe_deck(spec, unpack_contours(geometry.data)).to_json())["layers"]
        if x["id"] == "names"
    )
    assert len(names["data"]) == 16  # every town, the page leaves out what does not fit
    with pytest.raises(ValueError, match="16 contours and 4 classes"):
        map_html(spec_of(score[:4]), geometry, "x")


def test_colours_darken_evenly_for_everyone() -> None:
    """CIE lightness falls by 9 to 16 points from class to class: the order needs no hue."""
    shades = []
    for colour in SEQUENTIAL_COLOURS:
        parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        shades.append(116 * float(linear @ [0.2126, 0.7152, 0.0722]) ** (1 / 3) - 16)
    assert all(9 <= paler - darker <= 16 for paler, darker in itertools.pairwise(shades))


def test_the_part_that_filters_keep_is_sent_for_the_view() -> None:
    score = np.array([20.0, 50.0, 90.0])
    assert payload(score_map(score, texts=map_texts("fr")))["focus"] == []
    assert payload(score_map(score, texts=map_texts("fr"), focus=np.array([0, 2])))["focus"] == [0, 2]


def test_discs_carry_their_labels_only_where_they_have_some() -> None:
    zone, users = np.array([1, 4]), np.array([2.0, 3.0])
    assert maps._sites_payload(maps.Sites(zone, users, ("1", "")))["labels"] == ["1", ""]
    assert "labels" not in maps._sites_payload(maps.Sites(zone, users))
