"""What must be mended in the browser itself? browser.js and browser.css, put into the page that Streamlit serves."""

from __future__ import annotations

import json
from functools import cache

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.i18n import LANGUAGES
from core.settings import PROJECT
from pages.parts.address import MARKER, RETURNED

# The page must come whole and as text: neither compressed nor "not modified".
LEFT_OUT = {b"accept-encoding", b"if-none-match", b"if-modified-since", b"range"}


@cache
def head_elements() -> bytes:
    """The script and the style as elements of the page's head."""
    script, style = (
        (PROJECT / "pages" / "parts" / f"browser.{kind}").read_text(encoding="utf-8") for kind in ("js", "css")
    )
    script = script.replace("__LANGUAGES__", json.dumps(list(LANGUAGES)))
    script = script.replace("__MARKER__", MARKER).replace("__RETURNED__", RETURNED)
    return f"<script>{script}</script><style>{style}</style>".encode()


class BrowserScript:
    """Adds the script and the style to every page of HTML that the program serves."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self.app(scope, receive, send)
            return
        start: Message = {}
        parts: list[bytes] = []

        async def add_elements(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            headers, body = MutableHeaders(raw=list(start["headers"])), b"".join(parts)
            if headers.get("content-type", "").startswith("text/html") and b"</head>" in body:
                body = body.replace(b"</head>", head_elements() + b"</head>", 1)
                headers["content-length"] = str(len(body))
                del headers["etag"]
            await send({**start, "headers": headers.raw})
            await send({"type": "http.response.body", "body": body})

        kept = [(name, value) for name, value in scope["headers"] if name not in LEFT_OUT]
        await self.app({**scope, "headers": kept}, receive, add_elements)
