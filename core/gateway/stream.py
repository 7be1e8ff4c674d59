"""How does a thread read a stream that runs on the gateway's loop, and stop it at any moment?"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from core.gateway.chat import DoneEvent, FailedEvent, Reply, StreamEvent, SwitchedEvent
from core.gateway.errors import ClosedError, DeadlineError, GatewayError
from core.gateway.runtime import Runtime, Task

Start = Callable[[Callable[[StreamEvent], Any]], Coroutine[Any, Any, Reply]]
MAX_WAITING = 256
"""Events kept for a slow reader; after that the upstream has to wait."""


class _Waiting:
    """The events between the loop that makes them and the thread that takes them; knows nothing of the handle."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.events: deque[StreamEvent] = deque()
        self.is_over = self.is_closed = False
        self._room: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, start: Start) -> None:
        """The whole call, to its last event."""
        try:
            reply = await start(self._put)
            self.end(DoneEvent(reply=reply))
        except GatewayError as error:
            self.end(FailedEvent(error=error.bare()))
        except asyncio.CancelledError:
            self.abandon()
            raise
        except Exception:
            self.end(FailedEvent(error=GatewayError("The call ended by a fault of the gateway itself.")))
            raise

    def abandon(self) -> None:
        """For a call that ended without a word, perhaps before it began."""
        self.end(FailedEvent(error=ClosedError("The gateway was closed.")))

    async def _put(self, event: StreamEvent) -> None:
        """Gives an event, then waits until the reader has room for another. Not after a switch: whoever switches
        holds the next target, and there are no more switches than attempts.
        """
        with self.changed:
            if self.is_over or self.is_closed:
                return
            self.events.append(event)
            self.changed.notify()
            is_full = len(self.events) >= MAX_WAITING and not isinstance(event, SwitchedEvent)
            if is_full:
                self._loop = asyncio.get_running_loop()
                self._room = room = asyncio.Event()
        if is_full:
            await room.wait()

    def end(self, event: DoneEvent | FailedEvent) -> None:
        """The last event; those after it are not given."""
        with self.changed:
            if not self.is_over and not self.is_closed:
                self.events.append(event)
            self.is_over = True
            self.changed.notify_all()

    def take(self, timeout_s: float) -> StreamEvent | None:
        """The next event, None after the last. Raises TimeoutError."""
        with self.changed:
            while not self.events:
                if self.is_over or self.is_closed:
                    return None
                if not self.changed.wait(timeout_s):
                    raise TimeoutError
            event = self.events.popleft()
            if self._room is not None and self._loop is not None and len(self.events) < MAX_WAITING // 2:
                # A loop that has just been closed needs no telling.
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._room.set)
                self._room = None
        return event

    def close(self) -> bool:
        """Give nothing more; True when the call was still under way."""
        with self.changed:
            self.is_closed = True
            self.events.clear()
            self.changed.notify_all()
            return not self.is_over


class Stream(Iterator[StreamEvent]):
    """Events of one call: text, reasoning, switched, and at the end exactly one done or failed.

    `close()` stops the call and its connection within a second, from any thread; leaving a `with` does the same, and
    so does forgetting the stream. Afterwards `reply` or `error` is set, unless it was closed before.
    """

    def __init__(self, runtime: Runtime, start: Start, timeout_s: float) -> None:
        self.reply: Reply | None = None
        self.error: GatewayError | None = None
        self._timeout_s = timeout_s
        self._waiting = _Waiting()
        self._task: Task[None] = runtime.submit(self._waiting.run(start), on_end=self._waiting.abandon)
        self._finalizer = weakref.finalize(self, _stop, self._waiting, self._task)

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> StreamEvent:
        try:
            event = self._waiting.take(self._timeout_s)
        except TimeoutError:
            # The loop hangs or is gone, or the call would have ended itself.
            self._waiting.end(FailedEvent(error=DeadlineError("The call ran into its deadline.")))
            _cancel(self._task)
            event = self._waiting.take(self._timeout_s)
        if event is None:
            raise StopIteration
        if isinstance(event, DoneEvent):
            self.reply = event.reply
        elif isinstance(event, FailedEvent):
            self.error = event.error
        return event

    def close(self) -> None:
        """Stop the call; nothing more is given. May be called again."""
        self._finalizer()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _stop(waiting: _Waiting, task: Task[None]) -> None:
    if waiting.close():
        _cancel(task)


def _cancel(task: Task[None]) -> None:
    with contextlib.suppress(RuntimeError):
        task.cancel()
