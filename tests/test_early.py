"""What a browser is told to fetch ahead, and the files that it keeps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from coopconnect.ui import early, serve

PAGE = "<html><head><title>é</title></head><body></body></html>"


async def _page(request: Request) -> Response:
    return HTMLResponse(PAGE, headers={"etag": '"of the page alone"'})


async def _text(request: Request) -> Response:
    return PlainTextResponse(PAGE)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8")


class Client:
    """Asks an ASGI application, without a server."""

    def __init__(self, app: Starlette) -> None:
        self.app = app

    def get(self, path: str, accept: str = "*/*", **headers: str) -> Answer:
        asked = {"accept": accept, "accept-encoding": "gzip"} | {k.replace("_", "-"): v for k, v in headers.items()}
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
            "headers": [(k.encode(), v.encode()) for k, v in asked.items()], "http_version": "1.1", "scheme": "http",
            "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))  # type: ignore[arg-type]
        found = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        return Answer(sent[0]["status"], found, b"".join(m.get("body", b"") for m in sent[1:]))


@pytest.fixture
def client(tmp_path: Path) -> Client:
    routes = [early.static_route(tmp_path), Route("/decider", _page), Route("/accueil", _page), Route("/text", _text)]
    middleware = [Middleware(early.EarlyHead, static=tmp_path), Middleware(GZipMiddleware, minimum_size=10)]
    return Client(Starlette(routes=routes, middleware=middleware))


def test_streamlit_has_a_file_for_each_element_of_our_pages() -> None:
    names = early.element_scripts()
    for element in early.ELEMENTS:
        assert any(name.startswith(f"{element}.") for name in names), element
    assert all((early.SCRIPTS / name).is_file() for name in names)


def test_pages_leave_with_what_to_fetch_and_without_the_page_s_own_tag(client: Client) -> None:
    answer = client.get("/decider", accept="text/html", if_none_match='"of the page alone"')
    assert answer.status == 200 and "etag" not in answer.headers
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.text.replace("</head>", "|").startswith(PAGE.partition("</head>")[0])
    assert "BidiComponent." in answer.text and "app/static/map-" in answer.text
    assert "app/static/map-" not in client.get("/accueil", accept="text/html").text


def test_what_is_not_a_page_is_left_alone(client: Client) -> None:
    assert client.get("/text", accept="text/html", accept_encoding="identity").text == PAGE
    assert client.get("/decider", accept_encoding="identity").text == PAGE


def test_published_files_are_kept_a_year_and_nothing_else_is_served(client: Client, tmp_path: Path) -> None:
    (tmp_path / "map-0123456789abcdef.js").write_text("1", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("1", encoding="utf-8")
    answer = client.get("/app/static/map-0123456789abcdef.js")
    assert answer.status == 200 and "immutable" in answer.headers["cache-control"]
    for name in ("secret.txt", "map-0000000000000000.js", "../secret.txt", ".hidden"):
        assert client.get(f"/app/static/{name}").status == 404


def test_options_are_those_of_streamlit() -> None:
    given = ["--server.port", "8502", "--server.headless=true", "--server.address", "127.0.0.1"]
    assert serve.options_of(given) == {"server.port": 8502, "server.headless": True, "server.address": "127.0.0.1"}
    for odd in (["--server.port"], ["8502"], ["port", "8502"]):
        with pytest.raises(SystemExit, match=r"--server\.port 8501"):
            serve.options_of(odd)
