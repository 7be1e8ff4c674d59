"""How does one request to one target go, from sending to the last byte, within its limits?"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress

from core.gateway import errors as e
from core.gateway.chat import ChatRequest
from core.gateway.classify import error_body, error_type, error_words
from core.gateway.dialects.shape import Piece, load
from core.gateway.hearing import Hearing
from core.gateway.http import Http
from core.gateway.policy import Policy
from core.gateway.retry_after import retry_after_s
from core.gateway.routes import Route
from core.gateway.sse import SseEvent, SseParser
from core.gateway.wire import Response

ERROR_BODY_BYTES = 256 * 1024
ERROR_BODY_S = 1.0
"""How long the text of a refusal may take: its status and headers alone say enough to go on."""

DRAIN_S = 0.05
"""How long the end of a stream may take after its last event, so that the connection can be used again."""

EVENTS_AT_ONCE = 64
BYTES_AT_ONCE = 2 * 1024
"""So many events, or bytes without one, are read from one chunk before other calls and the clocks get their turn."""

FAIR_SHARE = 0.9
"""An attempt that the call's deadline ends speaks against its target if it had this share of the time it may take."""

_BLANK = b"\xef\xbb\xbf \t\r\n"  # with the byte order mark
_SSE_FIRST = b"deir:"  # data, event, id, retry, or a comment
_NOT_SSE_FIRST = b'{["<'


class Sending:
    """One request. `run` returns when the answer is whole and raises a GatewayError else; `hearing` has what came.

    Times are those of the event loop; `until` is the deadline of the whole call. `on_token` is called at the first
    token. `had_its_time` says whether a target that a DeadlineError cut had the time it may take.
    """

    def __init__(
        self, *, http: Http, route: Route, request: ChatRequest, policy: Policy, hearing: Hearing, until: float,
        on_token: Callable[[], None],
    ) -> None:  # fmt: skip
        self.hearing = hearing
        self.status_code: int | None = None
        self.first_token_at: float | None = None
        self.is_sent = False
        self.had_its_time = False
        self._on_token = on_token
        self._event_count = 0
        self._http = http
        self._route = route
        self._request = request
        self._policy = policy
        self._until = until
        self._is_streamed = hearing.emit is not None and route.dialect.can_stream
        self._loop = asyncio.get_running_loop()
        self._whole_at = 0.0
        self._stage: type[e.GatewayError] = e.HeadersTimeoutError
        self._started_at = self._since = self._loop.time()
        self._limit_s = 0.0
        self._token_limit_s = policy.token_timeout_s(is_reasoning=route.is_reasoning)

    @property
    def ttft_ms(self) -> float | None:
        return None if self.first_token_at is None else (self.first_token_at - self._started_at) * 1000

    async def run(self) -> None:
        """Raises TargetError, CredentialError, RequestError or DeadlineError."""
        error: e.GatewayError | None = None
        try:
            async with asyncio.timeout_at(self._until) as self._timer:
                await self._exchange()
        except TimeoutError:
            error = None if self.hearing.is_whole else self._late()
        except e.GatewayError as problem:
            error = problem
        if error is None or self.hearing.has_shown:
            # A reader who has stopped reading is not waited for: he finds the text whenever he comes.
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._until):
                    await self.hearing.finish_text()
        if error is not None:
            raise error
        self.hearing.check_whole()

    async def _exchange(self) -> None:
        limit_s = self._policy.header_timeout_s(is_streamed=self._is_streamed, is_reasoning=self._route.is_reasoning)
        self._enter(e.HeadersTimeoutError, self._started_at, limit_s)
        route = self._route
        call = route.dialect.build(route.endpoint, route.model, self._request, self._is_streamed)
        guarded = route.endpoint.is_user_typed
        response = await self._http.send("POST", call, is_guarded=guarded, on_sending=self._note_sending)
        try:
            self.status_code = response.status_code
            if not 200 <= response.status_code < 300:
                raise await self._refusal(response)
            self._enter(e.FirstTokenTimeoutError, self._started_at, self._token_limit_s)
            await self._hear(response)
        finally:
            await response.close(is_sound=self.hearing.is_whole and self.hearing.has_text)

    def _note_sending(self) -> None:
        self.is_sent = True

    def _enter(self, stage: type[e.GatewayError], since: float, limit_s: float) -> None:
        """From now on this stage's limit runs, never beyond the deadline."""
        self._stage, self._since, self._limit_s = stage, since, limit_s
        self._timer.reschedule(min(since + limit_s, self._until))

    def _late(self) -> e.GatewayError:
        now = self._loop.time()
        if now >= self._until:
            whole_s = self._policy.deadline_s
            is_full = now - self._started_at >= FAIR_SHARE * whole_s
            is_full = is_full or now - self._since >= FAIR_SHARE * min(self._limit_s, whole_s)
            # In this stage it is the reader who takes his time.
            self.had_its_time = is_full and self._stage is not e.DeadlineError
            return e.DeadlineError("The call ran into its deadline.", status_code=self.status_code)
        texts: dict[type[e.GatewayError], str] = {
            e.HeadersTimeoutError: "The upstream did not begin to answer in time.",
            e.FirstTokenTimeoutError: "The first token did not come in time.",
        }
        text = texts.get(self._stage, "The answer stopped coming.")
        return self._stage(text, status_code=self.status_code)

    async def _refusal(self, response: Response) -> e.GatewayError:
        """The error for a status other than 2xx. Its text is waited for a moment, and never beyond the deadline."""
        body = bytearray()
        # The refusal stands, whenever its text comes: no other clock may take its place.
        self._timer.reschedule(None)
        with suppress(e.GatewayError, TimeoutError):
            async with asyncio.timeout_at(min(self._until, self._loop.time() + ERROR_BODY_S)):
                async with aclosing(response.pieces(ERROR_BODY_BYTES)) as pieces:
                    async for piece in pieces:
                        body += piece
        data = error_body(bytes(body))
        kind = error_type(response.status_code, data)
        # What an upstream says about a key may show parts of it: nothing of that is passed on.
        is_about_key = issubclass(kind, e.CredentialError)
        message = "" if is_about_key else self.hearing.redactor.hide(error_words(data)[1])
        return kind(
            f"The upstream answered with status {response.status_code}" + (f": {message}" if message else "."),
            status_code=response.status_code,
            retry_after_s=retry_after_s(response.headers, data, dt.datetime.now(dt.UTC)),
            upstream_text=message,
        )

    async def _hear(self, response: Response) -> None:
        """Read events or one JSON value, whichever came: the content type is believed only where both could be."""
        head = bytearray()
        is_named_events = "event-stream" in response.headers.get("content-type", "")
        async with aclosing(response.pieces(self._policy.max_body_bytes)) as pieces:
            async for piece in pieces:
                head += piece
                if first := piece.lstrip(_BLANK)[:1]:
                    is_events = first in _SSE_FIRST or (is_named_events and first not in _NOT_SSE_FIRST)
                    await (self._hear_stream if is_events else self._hear_whole)(bytes(head), pieces)
                    return
        raise e.BadReplyError("The answer is empty.", status_code=self.status_code)

    async def _hear_whole(self, head: bytes, pieces: AsyncIterator[bytes]) -> None:
        body = bytearray(head)
        async for piece in pieces:
            body += piece
        data = load(bytes(body))
        if isinstance(data, list) and len(data) == 1 and isinstance(data[0], dict) and data[0].get("error"):
            data = data[0]  # Gemini wraps its errors in a list now and then
        await self._take(self._route.dialect.read_reply(data))

    async def _hear_stream(self, head: bytes, pieces: AsyncIterator[bytes]) -> None:
        parser = SseParser(self._policy.max_event_bytes)
        try:
            await self._hear_events(parser, head)
            while not self.hearing.is_end and (piece := await anext(pieces, None)) is not None:
                await self._hear_events(parser, piece)
            if not self.hearing.is_end:
                await self._hear_rest(parser)
        except e.GatewayError:
            # Once the answer is whole, whatever happens to the connection takes nothing away.
            if not self.hearing.is_whole:
                raise
        if self.hearing.is_end:
            with suppress(e.GatewayError, TimeoutError):
                async with asyncio.timeout(DRAIN_S):
                    while await anext(pieces, None) is not None:
                        pass

    async def _hear_events(self, parser: SseParser, chunk: bytes) -> None:
        for place in range(0, len(chunk), BYTES_AT_ONCE):
            if place:
                await asyncio.sleep(0)
            for event in parser.feed(chunk[place : place + BYTES_AT_ONCE]):
                await self._hear_event(event)
                if self.hearing.is_end:
                    return

    async def _hear_rest(self, parser: SseParser) -> None:
        """An event without its blank line counts if it can be read; else the stream was cut inside it."""
        try:
            for event in parser.close():
                await self._hear_event(event)
        except e.BadReplyError:
            raise e.TruncatedError("The answer ends in the middle of an event.") from None

    async def _hear_event(self, event: SseEvent) -> None:
        self._event_count += 1
        if self._event_count % EVENTS_AT_ONCE == 0:
            await asyncio.sleep(0)
        piece = self._route.dialect.read_event(event.name, event.data)
        # A reader who is slow to take the text must not look like an upstream that is slow to send it.
        self._enter(e.DeadlineError, self._started_at, math.inf)
        await self._take(piece)
        now = self._loop.time()
        if self.hearing.is_whole:
            self._whole_at = self._whole_at or now
            self._enter(e.TruncatedError, self._whole_at, self._policy.tail_timeout_s)
        elif self.hearing.has_token:
            self._enter(e.IdleTimeoutError, now, self._policy.idle_timeout_s)
        else:
            self._enter(e.FirstTokenTimeoutError, self._started_at, self._token_limit_s)

    async def _take(self, piece: Piece) -> None:
        if self.first_token_at is None and (piece.text.strip() or piece.reasoning):
            self.first_token_at = self._loop.time()
            self._on_token()
        await self.hearing.take(piece)
