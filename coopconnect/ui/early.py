"""What a browser will need, told in the head of the page, and files that it keeps.

Streamlit's page asks for the code of an element when the element arrives, then for what that code imports: rounds of
small files while the first picture waits. Named in the head, they come with Streamlit's own. Where a version of
Streamlit names its files otherwise, fewer are named and nothing breaks.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from pathlib import Path

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coopconnect.ui.static_assets import STATIC_ROUTE, publish_code

ELEMENTS = (
    "BidiComponent", "Button", "Checkbox", "DownloadButton", "Html", "PageLink", "Selectbox", "Spinner", "TextInput",
)  # fmt: skip
"""Streamlit's files for the elements of our pages."""
SCRIPTS = Path(streamlit.__file__).parent / "static" / "static" / "js"
MAP_PAGE = "/decider"
KEPT_A_YEAR = "public, immutable, max-age=31536000"
_IMPORT = re.compile(r"""(?:from|import)\s*["']\./([\w.-]+\.js)["']""")
_NOT_ASKED = (b"accept-encoding", b"if-none-match", b"if-modified-since")
"""So that the page comes whole and readable."""
_NAME = re.compile(r"[a-z]+-[0-9a-f]{16}\.(?:js|bin)")


@lru_cache(maxsize=1)
def element_scripts(folder: Path = SCRIPTS) -> tuple[str, ...]:
    """Names of the files that `ELEMENTS` need, with all they import."""
    todo = [path.name for name in ELEMENTS for path in sorted(folder.glob(f"{name}.*.js"))]
    found: dict[str, None] = {}
    while todo:
        name = todo.pop()
        path = folder / name
        if name not in found and path.is_file():
            found[name] = None
            todo += _IMPORT.findall(path.read_text(encoding="utf-8"))
    return tuple(found)


def head_of(page: str, path: str, static: Path) -> str:
    """The page with what the browser should fetch at once in its head. path: of the page; static: the app's folder."""
    wanted = [f"./static/js/{name}" for name in element_scripts() if name not in page]
    if path.endswith(MAP_PAGE):
        published = (publish_code(name, static) for name in ("map", "ranking"))
        wanted += [f"./{asset.url}" for asset in published if asset.url]
    tags = "".join(f'<link rel="modulepreload" crossorigin href="{escape(address)}">' for address in wanted)
    return page.replace("</head>", f"{tags}</head>", 1)


class EarlyHead:
    """Middleware: pages leave with `head_of`, everything else as it is."""

    def __init__(self, app: ASGIApp, static: Path) -> None:
        self.app = app
        self.static = static

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        is_page = scope["type"] == "http" and scope["method"] == "GET" and "." not in scope["path"].rsplit("/", 1)[-1]
        if not is_page or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self.app(scope, receive, send)
            return
        started: list[Message] = []
        body = bytearray()

        async def gather(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                await self._send(scope["path"], started[0], bytes(body), send)

        asked = [(name, value) for name, value in scope["headers"] if name not in _NOT_ASKED]
        await self.app({**scope, "headers": asked}, receive, gather)

    async def _send(self, path: str, start: Message, body: bytes, send: Send) -> None:
        headers = MutableHeaders(scope=start)
        if start["status"] == 200 and headers.get("content-type", "").startswith("text/html"):
            body = head_of(body.decode("utf-8"), path, self.static).encode("utf-8")
            headers["content-length"] = str(len(body))
            for validator in ("etag", "last-modified"):  # those of the page without our head
                if validator in headers:
                    del headers[validator]
        await send(start)
        await send({"type": "http.response.body", "body": body})


def static_route(static: Path) -> Route:
    """Our published files, which carry a hash of their content in their name: a browser keeps them for a year."""

    async def serve(request: Request) -> Response:
        name = request.path_params["name"]
        path = static / name
        if not _NAME.fullmatch(name) or not path.is_file():
            return PlainTextResponse("not found", status_code=404)
        return FileResponse(path, headers={"Cache-Control": KEPT_A_YEAR, "X-Content-Type-Options": "nosniff"})

    return Route(f"/{STATIC_ROUTE}/{{name}}", serve, methods=["GET"])
