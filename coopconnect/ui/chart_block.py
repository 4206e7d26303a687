"""One chart on a page, with its title as text above it."""

from __future__ import annotations

import html
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from coopconnect.show import charts


def draw_chart(figure: go.Figure, key: str, config: dict[str, Any], subtitle: str | None = None) -> None:
    """One chart; title above and source below are text, which wraps on a phone and is read aloud.

    subtitle: the line under the title, if not what the chart's summary says after it.
    """
    words = figure.layout.meta or {}
    title, summary = str(words.get("title", "")), str(words.get("summary", ""))
    if subtitle is None:
        subtitle = str(words.get("subtitle", summary.removeprefix(f"{title}.").strip()))
    st.html(f'<div class="chart"><h3>{_text(title)}</h3><p>{_text(subtitle)}</p></div>')
    st.plotly_chart(charts.without_heading(figure), key=key, theme=None, config=config, alt=html.unescape(summary))
    if note := str(words.get("note", "")):
        st.html(f'<p class="chartnote">{_text(note)}</p>')


def _text(markup: str) -> str:
    """Words of a chart as safe HTML: the charts escape names for Plotly already."""
    return html.escape(html.unescape(markup))
