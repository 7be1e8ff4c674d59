"""How is a connection to an upstream opened, used again and left? The only file that knows h11."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress

import h11

from core.gateway import errors as e
from core.gateway.dial import Dialer
from core.gateway.wire import TLS_FAILED, Address, Response

KEEPALIVE_S = 30.0
HEAD_BYTES = 100 * 1024
"""How long the headers of a response, or one line of a chunked body's framing, may be."""
UNREAD_BYTES = 256 * 1024
"""So much of a body waits for a slow reader; then the upstream waits."""
STALE_S = 0.5
"""A kept connection that ends so soon after a request, without a byte of an answer, was ended before it was read."""
EVENTS_AT_ONCE = 4
"""So many events are taken from what has come before other calls and the clocks get their turn."""
FAULTS = (e.GatewayError, h11.ProtocolError, OSError, ValueError)


class Lines:
    """Connections that are kept and used again, a stack for each origin; belongs to one event loop.

    One write and one wake-up make a call: the libraries' connections take a third of its time for locks, scopes and
    traces that nothing here needs. What HTTP says is h11's to know.
    """

    def __init__(self, ssl_context: Callable[[], ssl.SSLContext], dialer: Dialer, connect_timeout_s: float) -> None:
        self._dialer = dialer
        self._ssl_context = ssl_context
        self._connect_timeout_s = connect_timeout_s
        self._idle: dict[tuple[object, ...], deque[_Line]] = {}
        self._open: set[_Line] = set()

    async def send(
        self,
        method: str,
        address: Address,
        headers: Mapping[str, str],
        body: bytes,
        is_guarded: bool,
        on_sending: Callable[[], None],
    ) -> Response:
        """Sends a request and waits for the headers. `is_guarded`: a connection is only made where it may lead.
        `on_sending` is called once the connection stands. An upstream may hang up on a kept connection while the
        request is on its way: then it is sent once more, on a new one. Raises FAULTS.
        """
        framing = {"host": address.authority.decode("ascii")}
        if body:
            framing["content-length"] = str(len(body))
        named = framing | {name.lower(): value for name, value in headers.items()}
        request = h11.Request(method=method, target=address.target, headers=list(named.items()))
        lane = (address.scheme, address.host, address.port, is_guarded)
        idle = self._idle.setdefault(lane, deque())
        answer: h11.Response | None = None
        line = self._kept(idle)
        if line is not None:
            on_sending()
            with suppress(_StaleError):
                answer = await line.ask(request, body, is_kept=True)
        if line is None or answer is None:
            line = await self._opened(address, is_guarded)
            on_sending()
            answer = await line.ask(request, body)
        return self._response(line, idle, answer)

    def _response(self, line: _Line, idle: deque[_Line], answer: h11.Response) -> Response:
        async def release(is_sound: bool) -> None:
            # An upstream that fails often hangs up after its answer, and the next request would run into that.
            if is_sound and line.rest():
                idle.append(line)
            else:
                line.abort()

        return Response(answer.status_code, answer.headers, line.body(), FAULTS, release)

    async def close(self) -> None:
        """Close every connection."""
        self._idle.clear()
        for line in self._open:
            line.abort()
        while self._open:
            await asyncio.sleep(0)

    def _kept(self, idle: deque[_Line]) -> _Line | None:
        # The one that has waited longest is looked at with each call, so that none is kept for ever.
        if len(idle) > 1 and idle[0].has_expired():
            idle.popleft().abort()
        while idle:
            line = idle.pop()
            if line.is_silent() and not line.has_expired():
                return line
            line.abort()
        return None

    async def _opened(self, address: Address, is_guarded: bool) -> _Line:
        is_secret = address.scheme == b"https"
        host = address.host.decode("ascii")
        port = address.port or (443 if is_secret else 80)
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                places = await self._dialer.find(host, port, is_guarded=is_guarded)
                _, line = await asyncio.get_running_loop().create_connection(
                    lambda: _Line(self._open), sock=await self._dialer.connect(places),
                    ssl=self._ssl_context() if is_secret else None, server_hostname=host if is_secret else None,
                )  # fmt: skip
        except TimeoutError:
            raise e.ConnectTimeoutError("No connection came about in time.") from None
        except ssl.SSLError:
            raise
        except (ConnectionResetError, ConnectionAbortedError, BrokenPipeError):
            # A port where nobody listens refuses: who hangs up later did not like the greeting.
            raise (
                e.TlsInterruptedError(TLS_FAILED) if is_secret else e.ConnectError("The connection broke.")
            ) from None
        except OSError:
            raise e.ConnectError("The connection was refused.") from None
        return line


class _StaleError(Exception):
    """The other side had hung up before the request came."""


class _Line(asyncio.Protocol):
    """One connection; it takes itself out of `registry` when it is lost. One request at a time."""

    def __init__(self, registry: set[_Line]) -> None:
        self._registry = registry
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._news: asyncio.Future[None] | None = None
        self._unread = 0
        self._is_ended = False
        self._error: Exception | None = None
        self._rested_at = 0.0
        self._taken = 0
        self._has_heard = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # what create_connection makes
        self._transport = transport
        self._registry.add(self)

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        self._has_heard = True
        self._unread += len(data)
        if self._unread > UNREAD_BYTES:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._is_ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._registry.discard(self)
        self._error = exc
        self._is_ended = True
        self._wake()

    async def ask(self, request: h11.Request, body: bytes, *, is_kept: bool = False) -> h11.Response:
        """Sends the request and waits for the headers. Raises FAULTS, or _StaleError for a kept line, and closes it."""
        self._has_heard = False
        asked_at = self._loop.time()
        try:
            return await self._ask(request, body)
        except BaseException as error:
            self.abort()
            is_end = self._is_ended and not self._has_heard and self._loop.time() - asked_at < STALE_S
            if is_kept and is_end and isinstance(error, Exception):
                raise _StaleError from None
            raise

    async def _ask(self, request: h11.Request, body: bytes) -> h11.Response:
        http = self._http
        sent = [http.send(request), http.send(h11.Data(data=body)) if body else b"", http.send(h11.EndOfMessage())]
        # Not waited for: an upstream may answer, with a refusal for one, before it has taken all.
        self._transport.write(b"".join(part for part in sent if part))
        while isinstance(event := await self._event(), h11.InformationalResponse):
            pass
        if not isinstance(event, h11.Response):
            raise e.ProtocolError("The answer is not valid HTTP.")
        return event

    async def body(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises FAULTS."""
        while isinstance(event := await self._event(), h11.Data):
            yield bytes(event.data)

    def rest(self) -> bool:
        """Make ready for another request; False when that cannot be."""
        http = self._http
        is_done = http.our_state is h11.DONE and http.their_state is h11.DONE
        if self._is_ended or not is_done or http.trailing_data[0]:
            return False
        http.start_next_cycle()
        self._listen()
        self._rested_at = self._loop.time()
        return True

    def has_expired(self) -> bool:
        return self._loop.time() - self._rested_at > KEEPALIVE_S

    def is_silent(self) -> bool:
        """Whether the upstream has neither hung up nor spoken unasked since the last answer."""
        return not self._is_ended and not self._http.trailing_data[0]

    def abort(self) -> None:
        self._transport.abort()

    async def _event(self) -> object:
        """What h11 makes of the next bytes. Raises FAULTS."""
        self._taken += 1
        if self._taken % EVENTS_AT_ONCE == 0:
            await asyncio.sleep(0)
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._error is not None:
                raise self._error
            if not self._is_ended:
                self._listen()
                self._news = self._loop.create_future()
                await self._news
            elif self._http.their_state is h11.SEND_RESPONSE:
                raise e.ConnectionLostError("The connection ended before an answer came.")
            else:
                self._http.receive_data(b"")
        return event

    def _listen(self) -> None:
        self._unread = 0
        self._transport.resume_reading()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
