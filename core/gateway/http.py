"""How do bytes go out and come back? The only file of the gateway that knows the HTTP library."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.gateway import errors as e
from core.gateway.decoding import ACCEPT_ENCODING
from core.gateway.dialects.shape import Outgoing
from core.gateway.endpoints import is_forbidden_address

KEEPALIVE_S = 30.0

_HEADERS = {
    "accept": "*/*",
    "accept-encoding": ACCEPT_ENCODING,
    "content-type": "application/json",
    "user-agent": "breakeven",
}
_FAULTS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError)
Transport = httpx.AsyncBaseTransport


class Response:
    """A response whose body has not been read. Close it always."""

    def __init__(self, response: httpx.Response, on_close: Callable[[], None]) -> None:
        self._response = response
        self._on_close = on_close
        self.status_code = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it came, still packed. Raises ConnectionLostError, TruncatedError or ProtocolError."""
        fault: e.GatewayError
        try:
            async for chunk in self._response.stream:  # type: ignore[union-attr]  # always asynchronous here
                yield chunk
            return
        except _FAULTS as error:
            fault = _fault(error)
        raise fault

    async def close(self) -> None:
        """Give the connection back, or close it when the body has not ended."""
        try:
            await self._response.aclose()
        except _FAULTS:
            return
        finally:
            self._on_close()


class Http:
    """Connections that are kept and used again; belongs to one event loop.

    Follows no redirect and reads no environment unless asked. One pool per connection, taken from a stack: the
    library's own pool looks at every idle connection with every request, which costs more than the request when
    fifty threads have been at work.
    """

    def __init__(self, *, connect_timeout_s: float, trust_env: bool, transport: Transport | None) -> None:
        self._timeouts = {"connect": connect_timeout_s, "read": None, "write": None, "pool": None}
        self.trust_env = trust_env
        self._given = transport
        self._ssl: ssl.SSLContext | None = None
        self._idle: dict[str, list[Transport]] = {}

    async def send(self, method: str, call: Outgoing, *, is_guarded: bool = False) -> Response:
        """Send and wait for the headers. `is_guarded`: refuse names that lead to forbidden addresses.

        Raises DnsError, TlsError, ConnectError, ConnectTimeoutError, ConnectionLostError or ProtocolError. The
        caller bounds the time.
        """
        fault: e.GatewayError
        try:
            url = call.url
            extra: dict[str, str] = {}
            extensions: dict[str, Any] = {"timeout": self._timeouts}
            if is_guarded:
                url, extra, guarded = await _pinned(call.url)
                extensions |= guarded
            headers = {**_HEADERS, **call.headers, **extra}
            request = httpx.Request(method, _parsed(url), headers=headers, content=call.body, extensions=extensions)
            return await self._exchange(request)
        except _FAULTS as error:
            fault = _fault(error)
        # Raised here, so that the library's exception (it holds the headers, and with them the key) is not its context.
        raise fault

    async def _exchange(self, request: httpx.Request) -> Response:
        lane = f"{request.url.scheme}://{request.url.netloc.decode()}{request.extensions.get('sni_hostname', '')}"
        idle = self._idle.setdefault(lane, [])
        transport = idle.pop() if idle else self._new_transport()
        try:
            response = await transport.handle_async_request(request)
        except BaseException:
            self._put_back(lane, transport)
            raise
        return Response(response, lambda: self._put_back(lane, transport))

    def _put_back(self, lane: str, transport: Transport) -> None:
        idle = self._idle.setdefault(lane, [])
        idle.append(transport)

    async def close(self) -> None:
        """Close every connection."""
        given, idle = self._given, [t for lane in self._idle.values() for t in lane]
        self._idle.clear()
        for transport in idle if given is None else [given]:
            await transport.aclose()

    def _new_transport(self) -> Transport:
        if self._given is not None:
            return self._given
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEPALIVE_S)
        if self.trust_env:
            return _Proxied(httpx.AsyncClient(verify=self.ssl_context(), limits=limits, trust_env=True))
        return httpx.AsyncHTTPTransport(verify=self.ssl_context(), trust_env=False, limits=limits)

    def ssl_context(self) -> ssl.SSLContext:
        """The certificates and versions that every connection accepts; made when first needed."""
        if self._ssl is None:
            self._ssl = httpx.create_ssl_context(trust_env=self.trust_env)
        return self._ssl


class _Proxied(httpx.AsyncBaseTransport):
    """A client that goes through the proxies of the environment."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True, auth=None, follow_redirects=False)

    async def aclose(self) -> None:
        await self._client.aclose()


@lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    """The same few addresses come again and again, and parsing one takes a tenth of a call."""
    return httpx.URL(url)


async def _pinned(url: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """The URL with its name resolved and checked, so that the name cannot lead elsewhere a moment later."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or any(is_forbidden_address(address) for address in addresses):
        raise e.BaseUrlError("base_url: this address belongs to the machine's own network and is not allowed.")
    shown = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    pinned = parts._replace(netloc=f"{shown}:{port}").geturl()
    return pinned, {"host": parts.netloc}, {"sni_hostname": host} if parts.scheme == "https" else {}


def _fault(error: Exception) -> e.GatewayError:
    """Our error for one of the library's; texts of ours only, since theirs may hold a URL or a header."""
    if isinstance(error, e.GatewayError):
        return error
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return e.ConnectTimeoutError("No connection came about in time.")
    chain = list(_chain(error))
    if any(isinstance(cause, ssl.SSLError) for cause in chain):
        return e.TlsError("The encrypted connection could not be set up (certificate or TLS version).")
    if any(isinstance(cause, socket.gaierror) for cause in chain):
        return e.DnsError("The host name is not known.")
    if isinstance(error, httpx.ConnectError):
        return e.ConnectError("The connection was refused.")
    if isinstance(error, httpx.RemoteProtocolError):
        text = str(error)
        if "incomplete" in text or "peer closed" in text:
            return e.TruncatedError("The answer ends too early.")
        if "without sending" in text:
            return e.ConnectionLostError("The connection ended before an answer came.")
        return e.ProtocolError("The answer is not valid HTTP.")
    if isinstance(error, httpx.NetworkError | OSError):
        return e.ConnectionLostError("The connection broke.")
    return e.ProtocolError("The answer is not valid HTTP, or the address cannot be used.")


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
