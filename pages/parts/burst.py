"""How does what a rerun sends reach the browser at once? Held until the run has ended or a moment has passed."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

HOLD_S = 0.05
"""The longest wait. Most reruns end within it; what a longer one (a stream, an import) sends later is not held."""

FIRST_HOLD_S = 0.5
"""The same for the first run of a visit, whose page would move under the reader's eyes as its parts come."""

LARGEST_MARK_BYTES = 16_384
"""The messages that begin and end a run are smaller; larger ones are not even read."""


class OneBurst:
    """Sends the messages of a short rerun together.

    Streamlit 1.67 draws its whole page anew after each group of messages that arrives while the browser is idle. The
    30 messages of a moved slider came in four or five groups; in one, half as many components are drawn.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        line = _Line(send)
        try:
            await self.app(scope, receive, line.send)
        finally:
            line.stop_waiting()


class _Line:
    """One connection: passes messages on in their order, holding those of a run's first moment."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: list[Message] = []
        self._timer: asyncio.TimerHandle | None = None
        self._release: asyncio.Task[None] | None = None
        self._order = asyncio.Lock()
        self._hold_s = FIRST_HOLD_S

    async def send(self, message: Message) -> None:
        mark = _mark(message)
        if mark == "new_session" and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._hold_s, self._moment_passed)
            self._hold_s = HOLD_S
        self._held.append(message)
        if self._timer is None or mark == "script_finished" or message["type"] != "websocket.send":
            await self._pass_on()

    async def _pass_on(self) -> None:
        self.stop_waiting()
        async with self._order:
            while self._held:
                await self._send(self._held.pop(0))

    def stop_waiting(self) -> None:
        """Forgets the moment that was waited for."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _moment_passed(self) -> None:
        self._timer = None
        self._release = asyncio.get_running_loop().create_task(self._release_held())

    async def _release_held(self) -> None:
        # A connection that broke meanwhile; Streamlit learns of it from its own end.
        with suppress(OSError, RuntimeError):
            await self._pass_on()


def _mark(message: Message) -> str | None:
    """The type of a message that may begin or end a run."""
    data = message.get("bytes") or b""
    if not 0 < len(data) < LARGEST_MARK_BYTES:
        return None
    try:
        found: str | None = ForwardMsg.FromString(data).WhichOneof("type")
    except DecodeError:
        return None
    return found
