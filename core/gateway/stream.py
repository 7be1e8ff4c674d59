"""How does a thread read a stream that runs on the gateway's loop, and stop it at any moment?"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from core.gateway.chat import DoneEvent, FailedEvent, Reply, StreamEvent
from core.gateway.errors import ClosedError, GatewayError
from core.gateway.runtime import Runtime, Task

MAX_WAITING = 256
"""Events kept for a slow reader; after that the upstream has to wait."""


class Stream(Iterator[StreamEvent]):
    """Events of one call: text, reasoning, switched, and at the end done or failed.

    `close()` stops the call and its connection within a second, from any thread; leaving a `with` does the same.
    Afterwards `reply` or `error` is set, unless it was closed before.
    """

    def __init__(
        self,
        runtime: Runtime,
        start: Callable[[Callable[[StreamEvent], Any]], Coroutine[Any, Any, Reply]],
        timeout_s: float,
    ) -> None:
        self.reply: Reply | None = None
        self.error: GatewayError | None = None
        self._timeout_s = timeout_s
        self._changed = threading.Condition()
        self._waiting: deque[StreamEvent] = deque()
        self._is_over = self._is_closed = False
        self._room: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: Task[None] = runtime.submit(self._run(start))

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> StreamEvent:
        with self._changed:
            while not self._waiting:
                if self._is_over or self._is_closed:
                    raise StopIteration
                if not self._changed.wait(self._timeout_s):
                    self._is_over = True
            event = self._waiting.popleft()
            if self._room is not None and self._loop is not None and len(self._waiting) < MAX_WAITING // 2:
                # A loop that has just been closed needs no telling.
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._room.set)
                self._room = None
        if isinstance(event, DoneEvent):
            self.reply = event.reply
        elif isinstance(event, FailedEvent):
            self.error = event.error
        return event

    def close(self) -> None:
        """Stop the call; nothing more is given. May be called again."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            is_over = self._is_over
            self._changed.notify_all()
        if not is_over:
            with contextlib.suppress(RuntimeError):
                self._task.cancel()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_task"):
            self.close()

    async def _run(self, start: Callable[[Callable[[StreamEvent], Any]], Coroutine[Any, Any, Reply]]) -> None:
        try:
            try:
                reply = await start(self._put)
                await self._put(DoneEvent(reply=reply))
            except GatewayError as error:
                await self._put(FailedEvent(error=error.with_traceback(None)))
            except asyncio.CancelledError:
                if not self._is_closed:
                    with self._changed:
                        self._waiting.append(FailedEvent(error=ClosedError("The gateway was closed.")))
                raise
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    async def _put(self, event: StreamEvent) -> None:
        with self._changed:
            self._waiting.append(event)
            self._changed.notify()
            is_full = len(self._waiting) >= MAX_WAITING
            if is_full:
                self._loop = asyncio.get_running_loop()
                self._room = room = asyncio.Event()
        if is_full:
            await room.wait()
