"""A real HTTP server on loopback that serves a folder, and misbehaves as it is told to."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class Behaviour:
    """What the server does. cuts: bytes after which the next answers are cut (one each). fails: status of the next
    answers. ranges: honours Range. etag: added to the tag, to change it. page: a web page comes in place of files."""

    folder: Path
    cuts: list[int] = field(default_factory=list)
    fails: list[int] = field(default_factory=list)
    ranges: bool = True
    etag: str = ""
    page: bool = False
    redirect: bool = False
    stall_s: float = 0.0
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(path, Range header) of every request."""


class _Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        b, path = self.behaviour, unquote(urlsplit(self.path).path)
        b.asked.append((path, self.headers.get("Range", "")))
        if b.fails:
            return self._bare(b.fails.pop(0))
        if b.redirect and not path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", f"/moved{path}")
            self.end_headers()
            return None
        if b.page:
            return self._send(b"<!DOCTYPE html><html><body>Connectez-vous</body></html>", "", None)
        file = b.folder / path.removeprefix("/moved").lstrip("/")
        if not file.is_file():
            return self._bare(404)
        content = file.read_bytes()
        tag = '"' + hashlib.sha256(content).hexdigest()[:16] + b.etag + '"'
        if self.headers.get("If-None-Match") == tag:
            return self._bare(304)
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(asked[1]) if asked and b.ranges and self.headers.get("If-Range", tag) == tag else None
        return self._send(content, tag, first)

    def _bare(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, content: bytes, tag: str, first: int | None) -> None:
        b = self.behaviour
        body = content[first or 0 :]
        self.send_response(200 if first is None else 206)
        if first is not None:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        if tag:
            self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if b.stall_s:
            threading.Event().wait(b.stall_s)
        cut = b.cuts.pop(0) if b.cuts else None
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, Behaviour]]:
    """Address and behaviour of a server of `folder`, on a free port of loopback."""
    behaviour = Behaviour(folder)
    handler = type("Handler", (_Handler,), {"behaviour": behaviour})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", behaviour
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
