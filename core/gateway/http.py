"""How do bytes go out and come back? The only file of the gateway that knows httpx."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from core.gateway import errors as e
from core.gateway.decoding import ACCEPT_ENCODING
from core.gateway.dial import Dialer
from core.gateway.dialects.shape import Outgoing
from core.gateway.wire import Address, Response, fault_of

if TYPE_CHECKING:
    from core.gateway.lines import Lines

_HEADERS = {
    "accept": "*/*",
    "accept-encoding": ACCEPT_ENCODING,
    "content-type": "application/json",
    "user-agent": "breakeven",
}
_FAULTS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError)
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None)
Transport = httpx.AsyncBaseTransport


def _nothing() -> None:
    """Nobody wants to know."""


class Http:
    """Sends requests over connections that are kept; belongs to one event loop.

    Follows no redirect and reads no environment unless asked. A request goes straight to a connection, since all that
    httpx does beside takes a third of a call's time. A transport of the caller's, or the proxies of the environment,
    get it through httpx.
    """

    def __init__(self, *, connect_timeout_s: float, trust_env: bool, transport: Transport | None) -> None:
        self._connect_timeout_s = connect_timeout_s
        self.trust_env = trust_env
        self._transport = transport
        self.dialer = Dialer()
        self._lines: Lines | None = None
        self._ssl: ssl.SSLContext | None = None

    async def send(
        self, method: str, call: Outgoing, *, is_guarded: bool = False, on_sending: Callable[[], None] = _nothing
    ) -> Response:
        """Send and wait for the headers. `is_guarded`: refuse names that lead to forbidden addresses. `on_sending` is
        called before the first byte of the request goes out: whatever ends before that has cost nothing.

        Raises DnsError, TlsError, ConnectError, ConnectTimeoutError, ConnectionLostError or ProtocolError. The
        caller bounds the time.
        """
        # Loaded by the first call: a program that only imports the gateway does not wait for it.
        from core.gateway.lines import FAULTS, Lines

        fault: e.GatewayError
        try:
            headers = {**_HEADERS, **call.headers}
            if self._transport is None and not self.trust_env:
                self._lines = self._lines or Lines(self.ssl_context, self.dialer, self._connect_timeout_s)
                return await self._lines.send(method, _address(call.url), headers, call.body, is_guarded, on_sending)
            url, extra, server_name = await self._pinned(call.url) if is_guarded else (call.url, {}, None)
            extensions: dict[str, Any] = {"timeout": {"connect": self._connect_timeout_s}}
            if server_name:
                extensions["sni_hostname"] = server_name
            request = httpx.Request(method, url, headers=headers | extra, content=call.body, extensions=extensions)
            on_sending()
            return await self._send_through(request)
        except (*_FAULTS, *FAULTS) as error:
            fault = fault_of(error)
        # Raised here, so that the library's exception (it holds the headers, and with them the key) is not its context.
        raise fault

    async def close(self) -> None:
        """Close every connection."""
        if self._lines is not None:
            await self._lines.close()
        if self._transport is not None:
            await self._transport.aclose()

    def ssl_context(self) -> ssl.SSLContext:
        """The certificates and versions that every connection accepts; made when first needed."""
        if self._ssl is None:
            self._ssl = httpx.create_ssl_context(trust_env=self.trust_env)
            self._ssl.set_alpn_protocols(["http/1.1"])
        return self._ssl

    async def _pinned(self, url: str) -> tuple[str, dict[str, str], str | None]:
        """For httpx, which looks names up itself: the URL with its name resolved and checked, so that the name cannot
        lead elsewhere a moment later. With it the header that says the name, and the name for TLS.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = await self.dialer.find(host, port, is_guarded=True)
        address = str(found[0][4][0])
        shown = f"[{address}]" if ":" in address else address
        pinned = parts._replace(netloc=f"{shown}:{port}").geturl()
        return pinned, {"host": parts.netloc}, host if parts.scheme == "https" else None

    async def _send_through(self, request: httpx.Request) -> Response:
        if self._transport is None:
            self._transport = _Proxied(httpx.AsyncClient(verify=self.ssl_context(), limits=_LIMITS, trust_env=True))
        answer = await self._transport.handle_async_request(request)
        assert isinstance(answer.stream, httpx.AsyncByteStream)  # noqa: S101  # what an async transport gives

        async def release(_is_sound: bool) -> None:
            await answer.aclose()

        return Response(answer.status_code, answer.headers.raw, answer.stream, _FAULTS, release)


class _Proxied(httpx.AsyncBaseTransport):
    """A client that goes through the proxies of the environment."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True, auth=None, follow_redirects=False)

    async def aclose(self) -> None:
        await self._client.aclose()


@lru_cache(maxsize=256)
def _address(url: str) -> Address:
    """The same few addresses come again and again, and parsing one takes a tenth of a call."""
    parsed = httpx.URL(url)
    return Address(parsed.raw_scheme, parsed.raw_host, parsed.port, parsed.raw_path, parsed.netloc)
