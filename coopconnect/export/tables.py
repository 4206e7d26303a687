"""Tables of a territory and of an assessment, as CSV that opens in French Excel, or parquet.

Columns keep their English technical names (those of `docs/cli.md`), so that scripts do not depend on the language.
"""

from __future__ import annotations

import html
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coopconnect.model.types import RANGED, SITE_COLUMNS, Assessment
from coopconnect.show.words import say
from coopconnect.territory.types import Territory

TABLES = ("zones", "flows", "access", "sites")
"""Names of the command `table`."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def zones_table(territory: Territory) -> pd.DataFrame:
    """Communes of the territory: zone_code, name, population, households, workers, jobs, rural, lon, lat."""
    columns = ["zone_code", "name", "population", "households", "workers", "jobs", "rural", "lon", "lat"]
    inside = territory.zones["in_territory"].to_numpy(bool)
    return territory.zones.loc[inside, columns].reset_index(drop=True)


def flows_table(territory: Territory) -> pd.DataFrame:
    """Commuting flows of the residents: home_code, work_code, workers, road_km, drive_min (one way), source.

    work_code is empty for the remainder of a commune: all its pairs too small to be shipped, as a row for each band of distance with their
    mean distance, so that workers add up. source: 'official', 'modelled' or 'estimated', from the provenance.
    """
    home = np.repeat(np.arange(len(territory.zones)), np.diff(territory.flow_start))
    inside = territory.zones["in_territory"].to_numpy(bool)[home]
    codes = territory.zones["zone_code"].to_numpy(object)
    places = np.append(territory.places["zone_code"].to_numpy(object), "")  # row -1: the remainder
    return pd.DataFrame({
        "home_code": codes[home[inside]], "work_code": places[territory.flow_work[inside]],
        "workers": territory.flow_workers[inside].astype(float),
        "road_km": territory.flow_road_km[inside].astype(float),
        "drive_min": territory.flow_drive_min[inside].astype(float), "source": _kind_of(territory, "flows"),
    })  # fmt: skip


def access_table(territory: Territory) -> pd.DataFrame:
    """Communes within reach of each site: zone_code, site_code, road_km, drive_min (one way, free flow)."""
    site = np.repeat(np.arange(territory.site_zone.size), np.diff(territory.access_start))
    codes = territory.zones["zone_code"].to_numpy(object)
    return pd.DataFrame({
        "zone_code": codes[territory.access_zone], "site_code": codes[territory.site_zone[site]],
        "road_km": territory.access_road_km.astype(float), "drive_min": territory.access_drive_min.astype(float),
    })  # fmt: skip


def sites_table(assessment: Assessment) -> pd.DataFrame:
    """Results by site: `SITE_COLUMNS`, then low and high of the `RANGED` ones; best first, refused last."""
    columns = [*SITE_COLUMNS, *(f"{name}_{end}" for name in RANGED for end in ("low", "high"))]
    sites = assessment.sites[columns]
    rank = sites["rank"].to_numpy()
    order = np.lexsort((np.arange(len(sites)), np.where(rank > 0, rank, len(sites) + 1)))
    return sites.iloc[order].reset_index(drop=True)


def _kind_of(territory: Territory, table: str) -> str:
    """'official', 'modelled' or 'estimated' for a table of the territory; 'unknown' where nothing says."""
    return next((item.kind for item in territory.provenance if item.table == table), "unknown")


def chart_table(figure: go.Figure, language: str) -> pd.DataFrame:
    """What a chart draws, a line for each point: series, the two coordinates under their axes' titles, what it reads as.

    A coordinate that an axis writes as a word is that word.
    """
    titles = [_axis_title(figure, name) or name for name in "xy"]
    rows = [row for trace in figure.data for row in _points(figure, trace)]
    return pd.DataFrame(rows, columns=[say("take.csv_series", language), *titles, say("take.csv_reading", language)])


def _points(figure: go.Figure, trace: Any) -> list[tuple[Any, ...]]:
    axes = [[] if trace[name] is None else list(trace[name]) for name in "xy"]
    words = [_axis_words(figure, name) for name in "xy"]
    count = max(map(len, axes))
    told = trace.hovertext
    texts = [told or ""] * count if told is None or isinstance(told, str) else list(told)

    def shown(axis: int, at: int) -> Any:
        values = axes[axis]
        return words[axis].get(values[at], values[at]) if at < len(values) else ""

    return [(_plain_text(trace.name or ""), shown(0, k), shown(1, k), _plain_text(texts[k])) for k in range(count)]


def _axis_title(figure: go.Figure, name: str) -> str:
    title = figure.layout[f"{name}axis"].title.text
    return _plain_text(title or "")


def _axis_words(figure: go.Figure, name: str) -> dict[Any, str]:
    axis = figure.layout[f"{name}axis"]
    if axis.tickvals is None or axis.ticktext is None:
        return {}
    return {at: _plain_text(text) for at, text in zip(axis.tickvals, axis.ticktext, strict=False)}


def _plain_text(markup: str) -> str:
    """Words of a chart without the tags that Plotly reads."""
    return html.unescape(re.sub(r"<[^>]+>", " ", str(markup))).strip()


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """CSV for French Excel: semicolons, decimal comma, UTF-8 with its mark (BOM), CRLF; flags as 1 and 0.

    Text that a spreadsheet would read as a formula gets an apostrophe before it. What is infinite stays empty.
    """
    shown = frame.replace([np.inf, -np.inf], np.nan)
    for name in shown.columns:
        if shown[name].dtype == bool:
            shown[name] = shown[name].astype(int)
        elif not pd.api.types.is_numeric_dtype(shown[name]):
            shown[name] = [_safe(value) for value in shown[name]]
    out = io.StringIO()
    shown.to_csv(out, sep=";", decimal=",", index=False, lineterminator="\r\n", float_format="%.6g")
    return out.getvalue().encode("utf-8-sig")


def _safe(value: object) -> str:
    text = "" if value is None or value != value else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def write_table(frame: pd.DataFrame, path: Path) -> int:
    """Write a table by the ending of `path`, .csv or .parquet; return its rows.

    Raises ValueError for another ending, and OSError where the place cannot be written.
    """
    ending = path.suffix.lower()
    if ending == ".csv":
        path.write_bytes(csv_bytes(frame))
    elif ending == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        raise ValueError(f"{path.name}: allowed endings .csv, .parquet; give the file one of them")
    return len(frame)
