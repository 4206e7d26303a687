"""Charts and maps as PNG, SVG and PDF: faithful to the figures of the screen, repeatable, no browser, no network."""

from __future__ import annotations

import io
import re
import socket
import sys
import xml.etree.ElementTree as ET

import numpy as np
import plotly.graph_objects as go
import pytest
from fixtures_assessment import synthetic_assessment, synthetic_response
from PIL import Image

from coopconnect.export import images
from coopconnect.export.images import ImageError, chart_image, draw_chart, drawing, number_writer, rich_lines
from coopconnect.export.map_image import map_image
from coopconnect.parameters import load_parameters
from coopconnect.show import charts
from coopconnect.show.colours import COMPONENT_COLOURS, LOSS

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def assessment():
    return synthetic_assessment()


def every_chart(assessment, language: str, projector: bool = False) -> dict[str, go.Figure]:
    lever = load_parameters()["fuel_price_eur_per_l"]
    code = str(assessment.sites["zone_code"].iloc[5])
    return {
        "hours": charts.household_hours(assessment, language, projector),
        "hours_site": charts.household_hours(assessment, language, projector, site_code=code),
        "components": charts.score_components(assessment, language, projector, selected_code=code),
        "response": charts.lever_response(
            synthetic_response(), lever, "Apt", assessment, language, projector, current=2.25, reference=1.75,
            measure="hours_per_year",
        ),
        "nothing": charts.nothing("no_users", language, projector),
    }  # fmt: skip


@pytest.mark.parametrize("kind", images.FORMATS)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_chart_of_the_app_is_an_image(assessment, kind, language, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a picture asked for the network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    for name, figure in every_chart(assessment, language).items():
        content = chart_image(figure, kind)
        starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[kind]
        assert content.startswith(starts) and len(content) > 5_000, name


def test_a_png_has_the_shape_and_the_colours_of_the_figure(assessment):
    figure = every_chart(assessment, "fr")["components"]
    picture = Image.open(io.BytesIO(chart_image(figure, "png"))).convert("RGB")
    scale = images.PNG_DPI / images.PX_PER_INCH
    assert picture.size == (int(images.CHART_WIDTH_PX * scale), int(figure.layout.height * scale))
    found = {colour for _, colour in picture.getcolors(1_000_000)}
    for wanted in COMPONENT_COLOURS.values():
        assert tuple(int(wanted[k : k + 2], 16) for k in (1, 3, 5)) in found


def test_an_svg_is_vector_and_asks_nobody(assessment):
    text = chart_image(every_chart(assessment, "fr")["hours"], "svg").decode()
    root = ET.fromstring(text)
    assert not list(root.iter(f"{SVG}image")) and len(list(root.iter(f"{SVG}path"))) > 50
    assert LOSS in text
    for href in re.findall(r'href="([^"]+)"', text):
        assert href.startswith("#"), href


def test_text_stays_text_for_a_typesetter(assessment):
    with drawing(text_as_text=True):
        drawn = draw_chart(every_chart(assessment, "fr")["hours"], 800)
        text = images.rendered(drawn, "svg").decode()
    words = "".join("".join(t.itertext()) for t in ET.fromstring(text).iter(f"{SVG}text"))
    assert "médiane" in words and "Source Sans Pro" in text


def test_the_same_chart_twice_is_the_same_file(assessment):
    for kind in images.FORMATS:
        figure = every_chart(assessment, "fr")["response"]
        assert chart_image(figure, kind) == chart_image(figure, kind), kind


def test_positions_are_those_of_the_figure():
    """Bars, errors, axes and shapes stand where Plotly puts them."""
    figure = go.Figure(
        data=[
            {"type": "bar", "x": [1, 2], "y": [3.0, -2.0], "marker": {"color": ["#112233", "rgba(255,0,0,0.5)"]}},
            {"type": "scatter", "x": [1, 2], "y": [1, 4], "mode": "lines", "line": {"dash": "dot", "color": "#00ff00"}},
        ],
        layout={
            "width": 400, "height": 300, "margin": {"l": 50, "r": 50, "t": 60, "b": 40}, "xaxis": {"range": [0, 3]},
            "yaxis": {"range": [-5, 5]}, "template": None,
            "shapes": [{"type": "line", "x0": 1.5, "x1": 1.5, "xref": "x", "y0": 0, "y1": 1, "yref": "paper"}],
        },
    )  # fmt: skip
    with drawing():
        drawn = draw_chart(figure, 400)
        axes = drawn.axes[0]
        box = axes.get_position()
        assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((50 / 400, 40 / 300, 350 / 400, 240 / 300))
        assert axes.get_xlim() == (0, 3) and axes.get_ylim() == (-5, 5)
        bars = [(p.get_x() + p.get_width() / 2, p.get_height()) for p in axes.patches]
        assert np.allclose(bars, [(1, 3.0), (2, -2.0)])
        assert axes.patches[1].get_facecolor() == pytest.approx((1, 0, 0, 0.5))
        rule = next(line for line in axes.lines if line.get_transform() is drawn.transFigure)
        assert rule.get_xdata() == pytest.approx([0.5, 0.5])
        assert sorted(rule.get_ydata()) == pytest.approx([40 / 300, 240 / 300])


def test_stacks_share_a_base_and_negatives_go_below():
    figure = go.Figure(
        data=[{"type": "bar", "x": [0, 1], "y": [2.0, -1.0]}, {"type": "bar", "x": [0, 1], "y": [3.0, -4.0]}],
        layout={"barmode": "relative"},
    )
    with drawing():
        patches = draw_chart(figure, 300).axes[0].patches
    assert [(p.get_y(), p.get_height()) for p in patches] == [(0, 2), (0, -1), (2, 3), (-1, -4)]


def test_ticks_are_never_rounded_away_and_stairs_are_stairs():
    figure = go.Figure(
        data=[{"type": "scatter", "x": [0, 1, 2], "y": [5, 6, 9], "mode": "lines", "line": {"shape": "hv"}}],
        layout={"xaxis": {"range": [0, 2], "tickformat": ",.0f"}, "yaxis": {"rangemode": "tozero"}, "template": None},
    )
    with drawing():
        axes = draw_chart(figure, 600).axes[0]
        assert all(float(tick).is_integer() for tick in axes.get_xticks())
        assert axes.lines[0].get_drawstyle() == "steps-post"
        assert axes.get_ylim()[0] == 0.0


def test_texts_at_points_have_their_own_side_and_weight():
    trace = {"type": "scatter", "mode": "text", "x": [0, 1], "y": [0, 1], "text": ["<b>a</b>", "b"],
             "textposition": ["middle right", "top left"]}  # fmt: skip
    with drawing():
        one, two = draw_chart(go.Figure(data=[trace]), 300).axes[0].texts
    assert (one.get_text(), one.get_fontweight(), one.get_ha(), one.get_va()) == ("a", "bold", "left", "center")
    assert (two.get_text(), two.get_fontweight(), two.get_ha(), two.get_va()) == ("b", "normal", "right", "bottom")


def test_packed_arrays_are_read():
    figure = go.Figure(data=[go.Bar(x=np.arange(3.0), y=np.array([1.0, 2.0, 4.0]))])
    with drawing():
        assert [p.get_height() for p in draw_chart(figure, 300).axes[0].patches] == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("pattern", "separators", "value", "text"),
    [
        (",.0f", ",\u202f", 12345.6, "12\u202f346"), (",.1~f", ",\u202f", 2.50, "2,5"), (",.2~f", ".,", -1234.5, "−1,234.5"),
        ("", ".,", 0.25, "0.25"), (".0%", ",\u202f", 0.12, "12\u202f%"), (",.2~f", ",\u202f", -0.001, "0"),
        ("+.1f", ".,", 2.0, "+2.0"), (",.3~r", ",\u202f", 24_960.0, "25\u202f000"), (",.4~r", ".,", 0.0471234, "0.04712"),
        ("", ",\u202f", 15_000.0, "15\u202f000"),
    ],
)  # fmt: skip
def test_numbers_of_the_axes(pattern, separators, value, text):
    assert number_writer(pattern, separators)(value) == text


def test_tags_become_style_and_escaped_text_stays_text():
    lines = rich_lines("a <b>b &lt;i&gt;</b><br><span style='font-size:10px;color:#123456'>c</span>", 20, "#000000")
    flat = [(text, style["weight"], style["color"]) for line in lines for text, style in line]
    assert [(t, w) for t, w, _ in flat] == [("a ", "normal"), ("b <i>", "bold"), ("c", "normal")]
    assert flat[2][2] == "#123456" and len(lines) == 2


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (go.Figure(go.Pie(values=[1, 2])), r"allowed traces bar, scatter.*pie"),
        (
            go.Figure(layout={"shapes": [{"type": "circle", "x0": 0, "x1": 1, "y0": 0, "y1": 1}]}),
            "allowed shapes.*circle",
        ),
        (go.Figure(go.Bar(x=[1], y=[1]), layout={"yaxis": {"tickformat": "%Y"}}), "number format '%Y'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(figure, message):
    with pytest.raises(ImageError, match=message):
        chart_image(figure, "png")
    with pytest.raises(ImageError, match="allowed png, svg, pdf"):
        chart_image(go.Figure(), "gif")


@pytest.fixture(scope="module")
def map_of_paca(request):
    from coopconnect.export.files import map_of
    from coopconnect.show.ground import geometry_of

    territory = request.getfixturevalue("paca")
    assessment = synthetic_assessment(territory=territory)
    return map_of(assessment, "fr"), geometry_of(territory)


@pytest.mark.parametrize("kind", images.FORMATS)
def test_the_map_has_legend_scale_names_and_source(map_of_paca, kind):
    spec, geometry = map_of_paca
    words = {"title": "Où <ouvrir> & $pourquoi$ ?", "subtitle": "1,75 €/L", "note": "Contours IGN\nmodélisé"}
    content = map_image(spec, geometry, kind, **words)
    assert content == map_image(spec, geometry, kind, **words)
    assert len(content) < 4_000_000
    if kind == "png":
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        assert picture.width > 1_900 and len(picture.getcolors(2_000_000)) > 50


def test_texts_of_the_map_are_in_it(map_of_paca, monkeypatch):
    from coopconnect.export import map_image as module
    from coopconnect.show.geometry import unpack_contours

    spec, geometry = map_of_paca
    with drawing(text_as_text=True):
        drawn = module.draw_map(spec, unpack_contours(geometry.data), "Titre", "sous-titre", "Contours IGN")
        text = images.rendered(drawn, "svg").decode()
    words = "".join("".join(t.itertext()) + "\n" for t in ET.fromstring(text).iter(f"{SVG}text"))
    for wanted in ("Titre", "sous-titre", "Contours IGN", " km", "Score", "≥ 85", "usagers"):
        assert wanted in words, wanted


def test_matplotlib_waits_for_the_first_image():
    """The app and the command line start without it."""
    import subprocess

    code = (
        "import sys, coopconnect.export.images, coopconnect.export.map_image, coopconnect.export.files; "
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
