"""Chart of the page Réseau: what each further site adds, with the knee."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from coopconnect.show.charts import _layout, _rule
from coopconnect.show.colours import GAIN, MUTED_INK, PALE
from coopconnect.show.words import number, say
from coopconnect.siting.types import SitePlan

if TYPE_CHECKING:
    from coopconnect.uncertainty.plan_futures import PlanFutures


def worth_curve(
    plan: SitePlan, language: str = "fr", projector: bool = False, futures: PlanFutures | None = None
) -> go.Figure:  # fmt: skip
    """Worth of the plan by number of new sites: its own as filled marks, what further ones would add as hollow ones; around
    them, from 5 to 95 % of the futures where there are some."""
    own = sum(not s.existing for s in plan.sites)
    x, y = [n for n, _ in plan.curve], [w for _, w in plan.curve]
    unit = say(f"network.unit_{plan.question.objective}", language)
    drawn = futures is not None and bool(futures.curve)
    origin = (
        say("network.chart.ends", language, draws=number(float(futures.draws), language))
        if futures is not None and drawn
        else say("network.chart.origin", language)
    )
    layout = _layout(
        say("network.chart.title", language), say("network.chart.knee", language, knee=plan.knee),
        say("chart.source", language, origin=origin, version=plan.model_version),
        language, projector, x=say("network.chart.x", language), y=unit,
    )  # fmt: skip
    layout["shapes"] = [_rule(float(plan.knee), MUTED_INK, dash="dot")]
    layout["xaxis"] |= {"tickformat": ",d", "showgrid": False}
    layout["yaxis"] |= {"tickformat": ",.4~r" if plan.question.objective == "equity" else ",.0f", "rangemode": "tozero"}
    places = 3 if plan.question.objective == "equity" else 0
    texts = [f"{n} : {number(w, language, places)} {unit}" for n, w in plan.curve]
    marks = {
        "size": 9, "color": [GAIN if n <= own else "#ffffff" for n in x], "line": {"color": GAIN, "width": 2},
    }  # fmt: skip
    line = go.Scatter(x=x, y=y, mode="lines+markers", line={"color": GAIN}, marker=marks, text=texts, hoverinfo="text")
    if futures is None or not drawn:
        return go.Figure(data=[line], layout=layout)
    ends = futures.curve
    line["text"] = [
        say(
            "network.chart.between", language, text=text, low=number(v.low, language, places),
            high=number(v.high, language, places),
        )
        for text, v in zip(texts, ends, strict=True)
    ]  # fmt: skip
    band = go.Scatter(
        x=[*x, *x[::-1]], y=[*(v.low for v in ends), *(v.high for v in reversed(ends))], fill="toself", fillcolor=PALE,
        mode="lines", line={"width": 0}, hoverinfo="skip",
    )  # fmt: skip
    return go.Figure(data=[band, line], layout={**layout, "showlegend": False})
