"""What goes to a connection, what comes back, and which error of ours stands for one of the HTTP libraries'?"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from typing import NamedTuple

from core.gateway import errors as e
from core.gateway.decoding import BodyDecoder

TLS_FAILED = "The encrypted connection could not be set up (certificate or TLS version)."


class Address(NamedTuple):
    """The parts of a URL as bytes; `port` None is the scheme's own, `authority` is what the Host header says."""

    scheme: bytes
    host: bytes
    port: int | None
    target: bytes
    authority: bytes


class Response:
    """A response whose body has not been read. Close it always. `faults` are what its connection may raise.

    `headers` have lower-case names; one that comes twice has both values, with a comma between them.
    """

    def __init__(
        self,
        status_code: int,
        headers: Sequence[tuple[bytes, bytes]],
        stream: AsyncIterable[bytes],
        faults: tuple[type[Exception], ...],
        release: Callable[[bool], Awaitable[None]],
    ) -> None:
        self.status_code = status_code
        self.headers: dict[str, str] = {}
        for raw_name, raw_value in headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        self._stream = stream
        self._faults = faults
        self._release = release

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it came, still packed. Raises ConnectionLostError, TruncatedError or ProtocolError."""
        fault: e.GatewayError
        try:
            async for chunk in self._stream:
                yield chunk
            return
        except self._faults as error:
            fault = fault_of(error)
        raise fault

    async def pieces(self, max_bytes: int) -> AsyncGenerator[bytes, None]:
        """The body unpacked. Raises besides ReplyTooLargeError, and BadReplyError for a packing that is wrong."""
        decoder = BodyDecoder(self.headers.get("content-encoding", ""), max_bytes)
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                for number, piece in enumerate(decoder.feed(chunk)):
                    if number:
                        # Much may be packed into one chunk: other calls and the clocks get their turn in between.
                        await asyncio.sleep(0)
                    yield piece
        decoder.close()

    async def close(self, *, is_sound: bool = True) -> None:
        """Give the connection back; close it when the body has not ended or the answer was not sound."""
        with suppress(*self._faults):
            await self._release(is_sound)


def fault_of(error: Exception) -> e.GatewayError:
    """Our error for one of httpx, h11 or the system; texts of ours only, since theirs may hold a URL or a header.

    The two libraries give the same names to their errors, without a base they share: the names are compared.
    """
    if isinstance(error, e.GatewayError):
        return error
    chain = list(_chain(error))
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"ConnectTimeout", "PoolTimeout"}:
        return e.ConnectTimeoutError("No connection came about in time.")
    if any(isinstance(cause, ssl.SSLError) for cause in chain):
        return e.TlsError(TLS_FAILED)
    if any(isinstance(cause, socket.gaierror) for cause in chain):
        return e.DnsError("The host name is not known.")
    if "ConnectError" in names:
        return e.ConnectError("The connection was refused.")
    if "RemoteProtocolError" in names:
        text = str(error)
        if "incomplete" in text or "peer closed" in text:
            return e.TruncatedError("The answer ends too early.")
        if "without sending" in text:
            return e.ConnectionLostError("The connection ended before an answer came.")
        return e.ProtocolError("The answer is not valid HTTP.")
    if names & {"NetworkError", "OSError"}:
        return e.ConnectionLostError("The connection broke.")
    return e.ProtocolError("The answer is not valid HTTP, or the address cannot be used.")


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
