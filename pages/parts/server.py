"""What does the web server add to Streamlit: safe headers, compressed static files, no garbage collection pauses?"""

from __future__ import annotations

import ctypes
import gc
import gzip
import importlib
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime.pages_manager import PagesManager

from pages.parts.browser import BrowserScript
from pages.parts.burst import OneBurst

# Streamlit's front end needs inline styles, evaluated chart code and blob workers; nothing may come from or go to
# another host, so a model's answer cannot load a remote picture either.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss: data: blob:; "
    "worker-src 'self' blob:; frame-src 'self' blob: data:; object-src 'none'; base-uri 'self'; frame-ancestors 'self'"
)
HEADERS: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

M_ARENA_MAX = -8
"""The option of glibc's mallopt that bounds the number of heaps (malloc.h)."""

# Everything a page needs, imported before the first visit and then left out of garbage collection for good.
WARM_MODULES = ("pandas", "plotly.graph_objects", "plotly.io", "pyarrow", "sqlmodel", "babel.numbers", "numpy")


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[dict[str, Any]]:
    """Imports what pages need and freezes it, so that a rerun never walks those objects again."""
    # With a folder named `pages`, Streamlit would run a deep link's file without the shell on a fresh server.
    PagesManager.uses_pages_directory = False
    gc.disable()  # a third of the time of the imports; they leave next to nothing behind
    for name in WARM_MODULES:
        importlib.import_module(name)
    send_at_once()
    share_memory()
    gc.freeze()
    gc.enable()
    yield {}


def send_at_once() -> None:
    """Turns Nagle's algorithm off for what the listening sockets accept.

    Streamlit makes its socket without naming the protocol, so asyncio does not do it, and the second message of every
    rerun waited 40 ms for the browser to acknowledge the first.
    """
    for one in gc.get_objects():
        if isinstance(one, socket.socket) and one.fileno() >= 0 and _is_listening(one):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def share_memory() -> None:
    """One heap for all threads: glibc would give every visitor's its own, and each keeps what it once took."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)


def _is_listening(one: socket.socket) -> bool:
    is_internet = one.family in (socket.AF_INET, socket.AF_INET6)
    return is_internet and one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) != 0


class SafeHeaders:
    """Adds the headers of `HEADERS` to every HTTP answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class CompressedStatic:
    """Sends the front end's scripts and styles compressed: 7.4 MB become about a third on a first visit.

    Streamlit leaves this to a proxy because it would compress at every request; the files' names carry their hash, so
    here each is compressed once and kept.
    """

    TYPES = ("text/javascript", "application/javascript", "text/css")

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.kept: dict[str, tuple[list[tuple[bytes, bytes]], bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._applies(scope):
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path not in self.kept:
            start, body = await self._fetch(scope, receive)
            if start["status"] != 200 or not Headers(raw=start["headers"]).get("content-type", "").startswith(
                self.TYPES
            ):
                await send(start)
                await send({"type": "http.response.body", "body": body})
                return
            packed = await run_in_threadpool(gzip.compress, body, 6)
            headers = MutableHeaders(raw=list(start["headers"]))
            headers["content-encoding"] = "gzip"
            headers["content-length"] = str(len(packed))
            headers.add_vary_header("Accept-Encoding")
            self.kept[path] = (headers.raw, packed)
        raw, packed = self.kept[path]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await send({"type": "http.response.body", "body": packed})

    @staticmethod
    def _applies(scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith("/static/"):
            return False
        headers = Headers(scope=scope)
        return "gzip" in headers.get("accept-encoding", "") and "range" not in headers

    async def _fetch(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        start: Message = {}
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self.app(scope, receive, collect)
        return start, b"".join(parts)


MIDDLEWARE = [
    Middleware(SafeHeaders),
    Middleware(BrowserScript),
    Middleware(OneBurst),
    Middleware(CompressedStatic),
]
