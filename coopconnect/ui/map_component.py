"""The map on the page: a Components v2 component that draws with deck.gl, and what stands in without WebGL.

The browser loads three files once (deck.gl, our code, the contours); each run then sends one byte per zone and
the few numbers of the hover. Without WebGL, a plain Plotly picture takes its place and says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from coopconnect.show.geometry import Geometry, unpack_contours
from coopconnect.show.maps import (
    FALLBACK_MAX_ZONES,
    FALLBACK_TOP,
    MapSpec,
    fallback_figure,
    map_texts,
    payload,
)
from coopconnect.ui.static_assets import (
    Asset,
    assets_message,
    chosen_callback,
    component_loader,
    keep_status,
    publish,
    publish_code,
    publish_deck,
    status_key,
)

_COMPONENT = st.components.v2.component("coopconnect_map", js=component_loader(), isolate_styles=True)


@dataclass(frozen=True)
class MapEvent:
    """What the user did on the map in this run: chose a commune (its INSEE code) or cleared the choice (None)."""

    selected: str | None


def prepare_map(key: str, geometry: Geometry | None = None) -> None:
    """Send the browser for deck.gl, and the contours if known, before there is anything to draw. Call before assessing.

    key: that of the `draw_map` to come. Where the files have no address nothing is sent: they come with the map.
    """
    assets = _libraries() | ({"geometry": _contour_file(geometry)} if geometry else {})
    if all(asset.url for asset in assets.values()):
        with st.container(key="early"):
            _COMPONENT(key=f"{key}_early", data={"early": key, **assets_message(assets, f"{key}_early")}, height=1)


def draw_map(
    spec: MapSpec, geometry: Geometry, key: str, on_select: Callable[[str | None], None] | None = None
) -> MapEvent | None:
    """Draw the map; returns the choice made on it since the last run, None where there is none.

    spec: see `coopconnect.show.maps.score_map`. geometry: the contours of the same zones in the same order.
    key: unique on the page, and the same on every run. on_select: called with the choice (None: cleared) before
    the page runs again, so that one run is enough; nothing is returned then. Raises ValueError where the two do not match.
    """
    if len(spec.zone_class) != len(geometry.codes):
        raise ValueError(
            f"The map has {len(geometry.codes)} contours and {len(spec.zone_class)} classes: "
            "give the geometry of the same zones, in the same order."
        )
    status = st.session_state.get(status_key(key), {})
    if status.get("webgl") is False or status.get("failed"):
        return _draw_fallback(spec, geometry, key, status, on_select)
    result = _COMPONENT(
        key=key,
        data=_message(spec, geometry, key),
        on_select_change=chosen_callback(key, on_select),
        on_status_change=keep_status(key),
    )
    if (result.get("status") or {}).get("webgl") is False:
        return _draw_fallback(spec, geometry, key, {"webgl": False}, on_select)
    chosen = result.get("select")
    return None if chosen is None or on_select is not None else MapEvent(str(chosen) or None)


def _libraries() -> dict[str, Asset]:
    return {"code": publish_code("map"), "deck": publish_deck()}


def _contour_file(geometry: Geometry) -> Asset:
    return publish("contours", ".bin", geometry.data, geometry.digest)


def _message(spec: MapSpec, geometry: Geometry, key: str) -> dict[str, Any]:
    """What one run sends: where the three files are, and the payload."""
    assets = _libraries() | {"geometry": _contour_file(geometry)}
    return {"key": key, "spec": payload(spec), **assets_message(assets, key)}


def _draw_fallback(
    spec: MapSpec,
    geometry: Geometry,
    key: str,
    status: dict[str, Any],
    on_select: Callable[[str | None], None] | None,
) -> MapEvent | None:
    """The simplified picture and the reason for it; its marks select like the map does."""
    words = {**map_texts("fr"), **spec.texts}
    failed = status.get("failed")
    st.info(words["no_map"].format(reason=f"{failed}.") if failed else words["no_webgl"])
    if len(spec.zone_class) > FALLBACK_MAX_ZONES:
        st.caption(words["fallback_top"].format(count=FALLBACK_TOP))
    figure = fallback_figure(spec, _contours(geometry.digest, geometry), top=FALLBACK_TOP)
    widget = f"{key}_fallback"

    def tell() -> None:
        if on_select is not None:
            on_select(_picked(st.session_state[widget]))

    chosen = st.plotly_chart(
        figure, key=widget, on_select=tell if on_select else "rerun", selection_mode="points", theme=None
    )
    before = st.session_state.get(f"{widget}_code")
    code = st.session_state[f"{widget}_code"] = _picked(chosen)
    return None if on_select is not None or code == before else MapEvent(code)


def _picked(state: Any) -> str | None:
    """INSEE code of the first mark picked in the Plotly picture."""
    for point in state["selection"]["points"]:
        code = point.get("customdata")
        if code:
            return str(code[0] if isinstance(code, list | tuple) else code)
    return None


@st.cache_resource(max_entries=4, show_spinner=False)
def _contours(digest: str, _geometry: Geometry) -> Any:
    """Contours of the fallback, decoded once per geometry."""
    return unpack_contours(_geometry.data)
