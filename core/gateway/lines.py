"""How is a connection to an upstream opened, used again and left? The only file that knows httpcore."""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import httpcore

from core.gateway.wire import Address, Response

KEEPALIVE_S = 30.0
FAULTS = (
    httpcore.ConnectionNotAvailable,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    OSError,
    ValueError,
)


class Lines:
    """Connections that are kept and used again, a stack for each origin; belongs to one event loop.

    The library's pool is left out: it looks at every idle connection with every request, which costs more than the
    request when fifty threads have been at work.
    """

    def __init__(self, ssl_context: Callable[[], ssl.SSLContext]) -> None:
        self._ssl_context = ssl_context
        self._idle: dict[tuple[object, ...], deque[httpcore.AsyncHTTPConnection]] = {}

    async def send(
        self, method: str, address: Address, headers: Mapping[str, str], body: bytes, extensions: dict[str, Any]
    ) -> Response:
        """Sends a request and waits for the headers. Raises FAULTS."""
        url, origin = _url(address)
        framing = {"host": address.authority.decode("ascii")}
        if body:
            framing["content-length"] = str(len(body))
        named = framing | {name.lower(): value for name, value in headers.items()}
        sent = [(name.encode("ascii"), value.encode("ascii")) for name, value in named.items()]
        lane = (address.scheme, address.host, address.port, extensions.get("sni_hostname"))
        idle = self._idle.setdefault(lane, deque())
        connection = await self._connection(idle, origin)
        request = httpcore.Request(method, url, headers=sent, content=body, extensions=extensions)
        answer = await connection.handle_async_request(request)

        async def release(is_sound: bool) -> None:
            await answer.aclose()
            # An upstream that fails often hangs up after its answer, and the next request would run into that.
            if is_sound and connection.is_available():
                idle.append(connection)
            else:
                await connection.aclose()

        return Response(answer.status, answer.headers, answer.aiter_stream(), FAULTS, release)

    async def close(self) -> None:
        """Close every connection that is not in use."""
        idle = [connection for lane in self._idle.values() for connection in lane]
        self._idle.clear()
        for connection in idle:
            await connection.aclose()

    async def _connection(
        self, idle: deque[httpcore.AsyncHTTPConnection], origin: httpcore.Origin
    ) -> httpcore.AsyncHTTPConnection:
        # The one that has waited longest is looked at with each call, so that none is kept for ever.
        if len(idle) > 1 and idle[0].has_expired():
            await idle.popleft().aclose()
        while idle:
            connection = idle.pop()
            if connection.is_available() and not connection.has_expired():
                return connection
            await connection.aclose()
        context = self._ssl_context() if origin.scheme == b"https" else None
        return httpcore.AsyncHTTPConnection(origin, ssl_context=context, keepalive_expiry=KEEPALIVE_S)


@lru_cache(maxsize=256)
def _url(address: Address) -> tuple[httpcore.URL, httpcore.Origin]:
    """The same few addresses come again and again."""
    url = httpcore.URL(scheme=address.scheme, host=address.host, port=address.port, target=address.target)
    return url, url.origin
