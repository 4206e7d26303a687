"""Talking to a routing server: OSRM (`/table/v1`) or Valhalla (`/locate`, `/sources_to_targets`).

Every failure is a `RoadsError` of one sentence with what to do; short cuts of the line are tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import requests

from coopconnect.territory.official.fetch_types import PROXY_EN, PROXY_FR, is_proxy_silent
from coopconnect.territory.roads.store import RoadsError
from coopconnect.territory.travel import crow_km

AGAIN = (408, 429, 500, 502, 503, 504)
LONGEST_WAIT_S = 30.0
OSRM_TOO_LARGE, OSRM_NO_ROAD = ("TooBig",), ("NoSegment", "NoTable", "NoRoute")
VALHALLA_TOO_LARGE, VALHALLA_NO_ROAD = (150,), (170, 171, 442)


class TooLargeError(Exception):
    """The server takes fewer points at a time."""


class NoRoadError(Exception):
    """The server refuses a whole block because one of its points is on no road."""


@dataclass(frozen=True)
class Patience:
    """How long to wait: seconds to connect and to read, tries, and what sleeps between them (1, 2, 4 s ...)."""

    connect_s: float = 10.0
    read_s: float = 120.0
    tries: int = 4
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Server:
    """A server that answered. kind: 'osrm' or 'valhalla'. data: date or version of its roads, '' where it says none."""

    url: str
    kind: str
    data: str
    session: requests.Session
    patience: Patience

    @property
    def name(self) -> str:
        """'OSRM' or 'Valhalla'."""
        return "OSRM" if self.kind == "osrm" else "Valhalla"

    @property
    def shown_url(self) -> str:
        """Its address, without a password."""
        return shown(self.url)


def shown(url: str) -> str:
    """An address without user, password nor query."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def find_server(url: str, lon: float, lat: float, proxy: str | None = None, patience: Patience | None = None) -> Server:
    """Which of the two protocols the address speaks, asked with one point. RoadsError when it is neither."""
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise RoadsError(
            f"{url} : ce n'est pas une adresse de serveur ; donnez par exemple http://localhost:5000.",
            f"{url}: not the address of a server; give for example http://localhost:5000.",
        )
    session = requests.Session()
    if proxy:
        session.proxies.update({"http": proxy, "https": proxy})
        session.trust_env = False
    waiting = patience or Patience()
    draft = Server(url, "osrm", "", session, waiting)
    answer = _ask(draft, "GET", f"/table/v1/driving/{_pairs(np.array([lon]), np.array([lat]))}", any_body=True)
    if "code" in answer:
        return Server(url, "osrm", str(answer.get("data_version", "")), session, waiting)
    draft = Server(url, "valhalla", "", session, waiting)
    answer = _ask(draft, "GET", "/status", any_body=True)
    if "tileset_last_modified" in answer or "available_actions" in answer:
        built = answer.get("tileset_last_modified")
        day = datetime.fromtimestamp(built, UTC).date().isoformat() if isinstance(built, int) and built > 0 else ""
        return Server(url, "valhalla", day, session, waiting)
    raise RoadsError(
        f"{shown(url)} : ce n'est ni un serveur OSRM ni un serveur Valhalla ; vérifiez l'adresse et le port.",
        f"{shown(url)}: neither an OSRM nor a Valhalla server; check the address and the port.",
    )


def off_road_km(server: Server, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """km from each point to the road where the server puts it; infinite where it puts it nowhere.

    Asked because a server takes a point from the other end of its map to the nearest road it knows.
    """
    if server.kind == "valhalla":
        body = {"locations": _places(lon, lat), "costing": "auto"}
        answer = _ask(server, "POST", "/locate", body)
        found = [_first_edge(place) for place in _list(server, answer.get("items"), len(lon))]
    else:
        answer = _ask(server, "GET", f"/table/v1/driving/{_pairs(lon, lat)}?sources=0")
        found = [
            place.get("location") if place else None for place in _list(server, answer.get("destinations"), len(lon))
        ]
    at = np.array([(np.nan, np.nan) if place is None else place for place in found], dtype=float).reshape(-1, 2)
    return np.where(np.isfinite(at[:, 0]), crow_km(lon, lat, at[:, 0], at[:, 1]), np.inf)


def block_of_trips(
    server: Server, origin: tuple[np.ndarray, np.ndarray], target: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Minutes and km one way from each origin to each target (lon, lat of both), NaN where there is no way or no km."""
    shape = (len(origin[0]), len(target[0]))
    if server.kind == "valhalla":
        return _valhalla_block(server, origin, target, shape)
    n, m = shape
    places = _pairs(np.concatenate([origin[0], target[0]]), np.concatenate([origin[1], target[1]]))
    sources, targets = ";".join(map(str, range(n))), ";".join(map(str, range(n, n + m)))
    query = f"?sources={sources}&destinations={targets}&annotations=duration,distance"
    answer = _ask(server, "GET", f"/table/v1/driving/{places}{query}")
    minutes = _square(server, answer.get("durations"), shape) / 60.0
    metres = answer.get("distances")
    return minutes, np.full(shape, np.nan) if metres is None else _square(server, metres, shape) / 1000.0


def _valhalla_block(
    server: Server, origin: tuple[np.ndarray, np.ndarray], target: tuple[np.ndarray, np.ndarray], shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    body = {"sources": _places(*origin), "targets": _places(*target), "costing": "auto", "units": "kilometers"}
    table = _ask(server, "POST", "/sources_to_targets", {**body, "verbose": False}).get("sources_to_targets")
    if isinstance(table, dict):
        minutes, km = _square(server, table.get("durations"), shape), _square(server, table.get("distances"), shape)
        return minutes / 60.0, km
    rows = [[cell if isinstance(cell, dict) else {} for cell in row] for row in _list(server, table, shape[0])]
    minutes = _square(server, [[cell.get("time") for cell in row] for row in rows], shape)
    return minutes / 60.0, _square(server, [[cell.get("distance") for cell in row] for row in rows], shape)


def _ask(
    server: Server, method: str, path: str, body: dict[str, Any] | None = None, *, any_body: bool = False
) -> dict[str, Any]:
    """The JSON of an answer, tried again while the line or the server fails.

    any_body: whatever comes back is of use (`{}` where it is not JSON). Else a refusal raises TooLargeError,
    NoRoadError, or RoadsError with the server's own words.
    """
    patience, proxy_silent = server.patience, False
    for attempt in range(1, patience.tries + 1):
        wait_s = float(2 ** (attempt - 1))
        try:
            got = server.session.request(
                method, server.url + path, json=body, timeout=(patience.connect_s, patience.read_s)
            )
            if got.status_code not in AGAIN:
                answer = _json(got)
                return answer if any_body else _accepted(server, got.status_code, answer)
            why, proxy_silent = f"HTTP {got.status_code}", False
            wait_s = max(wait_s, _asked_wait_s(got))
        except requests.RequestException as error:
            why, proxy_silent = type(error).__name__, is_proxy_silent(error)
        if attempt < patience.tries:
            patience.sleep(min(wait_s, LONGEST_WAIT_S))
    fr = f"pas de réponse ({why}) après {patience.tries} essais. Vérifiez que le serveur tourne"
    en = f"no answer ({why}) after {patience.tries} tries. Check that the server runs"
    raise RoadsError(
        f"{server.shown_url} : {PROXY_FR if proxy_silent else fr} et recommencez : ce qui est arrivé est gardé.",
        f"{server.shown_url}: {PROXY_EN if proxy_silent else en} and try again: what has arrived is kept.",
    )


def _json(got: requests.Response) -> dict[str, Any]:
    """The body as an object; a list comes under 'items', anything else is {}."""
    try:
        answer = got.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {"items": answer}


def _asked_wait_s(got: requests.Response) -> float:
    text = got.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else 0.0


def _accepted(server: Server, status: int, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, unless the server refused."""
    code = answer.get("code" if server.kind == "osrm" else "error_code")
    osrm = server.kind == "osrm"
    if status == 413 or status == 414 or code in (OSRM_TOO_LARGE if osrm else VALHALLA_TOO_LARGE):
        raise TooLargeError
    if code in (OSRM_NO_ROAD if osrm else VALHALLA_NO_ROAD):
        raise NoRoadError
    if status == 200 and (code == "Ok" if osrm else code is None):
        return answer
    said = str(answer.get("message") or answer.get("error") or f"HTTP {status}")[:200]
    raise RoadsError(
        f"{server.shown_url} : le serveur {server.name} refuse ({said}) ; voyez ses réglages ou essayez-en un autre.",
        f"{server.shown_url}: the {server.name} server refuses ({said}); see its settings or try another one.",
    )


def _list(server: Server, value: Any, length: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != length:
        raise _unreadable(server)
    return value


def _square(server: Server, value: Any, shape: tuple[int, int]) -> np.ndarray:
    """A table of numbers and nulls of that shape."""
    try:
        table = np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise _unreadable(server) from None
    if table.shape != shape:
        raise _unreadable(server)
    return np.where(np.isfinite(table) & (table >= 0.0), table, np.nan)


def _unreadable(server: Server) -> RoadsError:
    return RoadsError(
        f"{server.shown_url} : réponse illisible du serveur {server.name} ; mettez-le à jour ou essayez-en un autre.",
        f"{server.shown_url}: the answer of the {server.name} server cannot be read; update it or try another one.",
    )


def _first_edge(place: Any) -> tuple[float, float] | None:
    edges = place.get("edges") if isinstance(place, dict) else None
    return (edges[0]["correlated_lon"], edges[0]["correlated_lat"]) if edges else None


def _pairs(lon: np.ndarray, lat: np.ndarray) -> str:
    return ";".join(f"{x:.6f},{y:.6f}" for x, y in zip(lon, lat, strict=True))


def _places(lon: np.ndarray, lat: np.ndarray) -> list[dict[str, float]]:
    return [{"lon": round(float(x), 6), "lat": round(float(y), 6)} for x, y in zip(lon, lat, strict=True)]
