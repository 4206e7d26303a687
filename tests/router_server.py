"""A real HTTP server on loopback that speaks OSRM or Valhalla and serves given seconds, and misbehaves as told."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd


@dataclass
class Router:
    """What the server knows and does. seconds, metres: square tables of the points; metres None: durations only.

    off_map: rows of points that it moves far away (OSRM) or finds on no road (Valhalla). island: rows that make
    Valhalla refuse a whole question. largest: points by side of a question. fails: status of the next answers; cut_after:
    answers after which all fail with 503. verbose: Valhalla before 3.4, which knows only the long answer.
    """

    kind: str
    points: pd.DataFrame
    seconds: np.ndarray
    metres: np.ndarray | None
    off_map: frozenset[int] = frozenset()
    island: frozenset[int] = frozenset()
    largest: int = 1000
    fails: list[int] = field(default_factory=list)
    cut_after: int | None = None
    verbose: bool = False
    words: bytes | None = None
    tables: int = 0
    cells: int = 0

    def rows(self, places: list[tuple[float, float]]) -> list[int]:
        """Which known point each place is."""
        known = self.points[["lon", "lat"]].to_numpy()
        return [int(np.abs(known - place).sum(axis=1).argmin()) for place in places]

    def table(self, rows: list[int], columns: list[int], of: np.ndarray) -> list[list[float | None]]:
        part = of[np.ix_(rows, columns)]
        return [[None if np.isnan(value) else float(value) for value in line] for line in part]


class _Handler(BaseHTTPRequestHandler):
    router: Router

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        r = self.router
        if r.fails:
            return self._send(r.fails.pop(0), {})
        if r.cut_after is not None and r.tables >= r.cut_after:
            return self._send(503, {})
        if r.words is not None:
            return self._send(200, r.words)
        parts = urlsplit(self.path)  # a full address where it stands as the proxy
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return self._send(*(_osrm(r, path) if r.kind == "osrm" else _valhalla(r, path, body)))

    def _send(self, status: int, answer: Any) -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _osrm(r: Router, path: str) -> tuple[int, Any]:
    asked = re.fullmatch(r"/table/v1/driving/([-0-9.,;]+)(?:\?(.*))?", path)
    if not asked:
        return 400, {"code": "InvalidUrl", "message": "URL string malformed"}
    places = [(float(x), float(y)) for x, y in (pair.split(",") for pair in asked[1].split(";"))]
    options = dict(part.split("=") for part in (asked[2] or "").split("&") if part)
    every = list(range(len(places)))
    sources = [int(k) for k in options["sources"].split(";")] if "sources" in options else every
    targets = [int(k) for k in options["destinations"].split(";")] if "destinations" in options else every
    if len(sources) * len(targets) > r.largest**2:
        return 400, {"code": "TooBig", "message": "Too many table coordinates"}
    rows = r.rows(places)
    answer = {
        "code": "Ok", "data_version": "2026-05-01T00:00:00Z",
        "durations": r.table([rows[k] for k in sources], [rows[k] for k in targets], r.seconds),
        "destinations": [
            {"location": [places[k][0] + (1.5 if rows[k] in r.off_map else 0.001), places[k][1]]} for k in targets
        ],
    }  # fmt: skip
    if "annotations" in options:
        r.tables, r.cells = r.tables + 1, r.cells + len(sources) * len(targets)
        if r.metres is not None:
            answer["distances"] = r.table([rows[k] for k in sources], [rows[k] for k in targets], r.metres)
    return 200, answer


def _valhalla(r: Router, path: str, body: Any) -> tuple[int, Any]:
    if path == "/status":
        return 200, {"version": "3.5.1", "tileset_last_modified": 1_700_000_000}
    if body is None or path not in ("/locate", "/sources_to_targets"):
        return 404, {"error_code": 106, "error": "Try any of: '/locate' '/sources_to_targets'", "status_code": 404}
    of = {
        name: r.rows([(p["lon"], p["lat"]) for p in places])
        for name, places in body.items()
        if isinstance(places, list)
    }
    if path == "/locate":
        return 200, [
            {"edges": [] if row in r.off_map else [{"correlated_lon": p["lon"] + 0.001, "correlated_lat": p["lat"]}]}
            for row, p in zip(of["locations"], body["locations"], strict=True)
        ]
    rows, columns = of["sources"], of["targets"]
    if len(rows) * len(columns) > r.largest**2:
        return 400, {"error_code": 150, "error": "Exceeded max locations: 2500", "status_code": 400}
    if r.island & {*rows, *columns}:
        return 400, {"error_code": 170, "error": "Locations are in unconnected regions.", "status_code": 400}
    r.tables, r.cells = r.tables + 1, r.cells + len(rows) * len(columns)
    assert r.metres is not None
    times, km = r.table(rows, columns, r.seconds), r.table(rows, columns, r.metres / 1000.0)
    if not r.verbose:
        return 200, {"sources_to_targets": {"durations": times, "distances": km}}
    return 200, {
        "sources_to_targets": [
            [{"time": t, "distance": d} for t, d in zip(*line, strict=True)] for line in zip(times, km, strict=True)
        ]
    }


@contextmanager
def routing(router: Router) -> Iterator[str]:
    """The address of a server of `router`, on a free port of loopback."""
    handler = type("Handler", (_Handler,), {"router": router})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
