"""On which loop do calls run, and how do threads hand them over and get them back?"""

from __future__ import annotations

import asyncio
import atexit
import copy
import os
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from core.gateway.errors import ClosedError, DeadlineError, GatewayError
from core.gateway.redact import Hasher
from core.gateway.routes import Router

if TYPE_CHECKING:
    from core.gateway.chat import Attempt, CallRecord
    from core.gateway.client import Gateway
    from core.gateway.endpoints import Endpoint, Target

T = TypeVar("T")
CLOSE_S = 2.0
# One for all branches: the same key has the same name in each of them, so that they share its breakers.
_HASHER = Hasher()


class Task(Generic[T]):
    """One coroutine on the loop, seen from another thread."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T], on_end: Callable[[], object] | None = None
    ) -> None:
        self._loop = loop
        self._on_end = on_end
        self._work = work
        self._done = threading.Lock()
        self._done.acquire()
        self._task: asyncio.Task[None] | None = None
        self._is_cancelled = False
        self._is_ended = False
        self.result: T | None = None
        self.error: BaseException | None = None

    def start(self) -> None:
        """Runs on the loop."""
        if self._is_cancelled:
            self._work.close()
            self._end(ClosedError("The call was cancelled before it began."))
            return
        self._task = self._loop.create_task(self._run())
        self._task.add_done_callback(self._finish)

    def cancel(self) -> None:
        """May be called from any thread, any number of times."""
        self._is_cancelled = True
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel)

    def wait(self, timeout_s: float = -1) -> bool:
        """Whether it ended in time; an interrupt (Ctrl-C) cancels the call."""
        try:
            is_done = self._done.acquire(timeout=timeout_s)
        except BaseException:
            self.cancel()
            raise
        if is_done:
            self._done.release()
        return is_done

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        # Ends from within: the callback of the task comes one turn of the loop later.
        try:
            self.result = await self._work
        except asyncio.CancelledError:
            self._end(ClosedError("The call was cancelled."))
            raise
        except Exception as error:  # noqa: BLE001  # handed to the thread that waits
            self._end(error)
        else:
            self._end(None)

    def _finish(self, task: asyncio.Task[None]) -> None:
        """For a task that was cancelled before its first step, or ended by more than an Exception."""
        if self._is_ended:
            return
        self._work.close()
        self._end(ClosedError("The call was cancelled.") if task.cancelled() else task.exception())

    def _end(self, error: BaseException | None) -> None:
        self._is_ended = True
        self.error = error
        self._done.release()
        if self._on_end is not None:
            self._on_end()


class Runtime:
    """A thread with an event loop, started by the first call and again after a fork. `close` ends it.

    `on_stop` is awaited on the loop at the end.
    """

    def __init__(self, on_stop: Callable[[], Awaitable[None]]) -> None:
        self._on_stop = on_stop
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._is_closed = False

    def submit(self, work: Coroutine[Any, Any, T], *, on_end: Callable[[], object] | None = None) -> Task[T]:
        """Start a coroutine on the loop; `on_end` is called there however it ends. ClosedError after `close`."""
        try:
            loop = self._running_loop()
        except ClosedError:
            work.close()
            raise
        task = Task(loop, work, on_end)
        try:
            loop.call_soon_threadsafe(task.start)
        except RuntimeError:
            # Closed by another thread in this very moment.
            work.close()
            raise ClosedError("The gateway is closed.") from None
        return task

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """Wait for a coroutine and give its result or raise its error.

        The time is a last resort against a loop that hangs, since the work bounds itself: then DeadlineError. Also
        raises ClosedError after `close` or a cancellation, and RuntimeError on the loop's own thread.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("A callback of the gateway must not call the gateway and wait.")
        task = self.submit(work)
        if not task.wait(timeout_s):
            task.cancel()
            raise DeadlineError("The call ran into its deadline.")
        if task.error is not None:
            # Without its traceback: frames of the loop hold headers, and thus the key.
            raise task.error.bare() if isinstance(task.error, GatewayError) else task.error.with_traceback(None)
        return task.result  # type: ignore[return-value]  # set whenever there is no error

    def close(self) -> None:
        """Cancel what runs and end the thread, within a few seconds. May be called again."""
        with self._lock:
            self._is_closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        atexit.unregister(self.close)
        if loop is None or thread is None or self._pid != os.getpid() or loop.is_closed():
            return
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(CLOSE_S + 1)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._pid != os.getpid() and self._pid:
            # A forked child has neither the thread nor, perhaps, a free lock.
            self._lock, self._loop, self._thread = threading.Lock(), None, None
        with self._lock:
            if self._is_closed:
                raise ClosedError("The gateway is closed.")
            if self._loop is None:
                self._pid = os.getpid()
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop, self._on_stop), name="gateway", daemon=True
                )
                self._thread.start()
                # What callbacks write to, such as a log, began before the first call, so it ends after this.
                atexit.register(self.close)
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop, on_stop: Callable[[], Awaitable[None]]) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(_wind_up(on_stop))
        asyncio.set_event_loop(None)
        loop.close()


async def _wind_up(on_stop: Callable[[], Awaitable[None]]) -> None:
    """Cancel every call under way, give them a moment, close the connections."""
    try:
        async with asyncio.timeout(CLOSE_S):
            # A call that was handed over a moment before begins only now.
            await asyncio.sleep(0)
            while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            await on_stop()
            # Sockets of calls that were cut while they connected are closed one turn of the loop later.
            await asyncio.sleep(0)
            await asyncio.get_running_loop().shutdown_asyncgens()
    except TimeoutError:
        return


def branch(
    trunk: Gateway,
    endpoints: Iterable[Endpoint],
    *,
    on_attempt: Callable[[Attempt], object] | None = None,
    on_call: Callable[[CallRecord], object] | None = None,
) -> Gateway:
    """A gateway with endpoints (and thus keys) of its own on the loop, connections, breakers, limits and caps of
    `trunk`, which must outlive it.

    Breakers are shared between branches where address, model and key are the same. Closing a branch does nothing.
    """
    desk = trunk._desk
    router = Router(endpoints, draw=desk.draw)
    secrets = {one.name: "\n".join((one.api_key, *one.headers.values())) for one in router.endpoints.values()}
    router._credentials = {name: _HASHER.name(found.strip("\n")) for name, found in secrets.items()}
    found = copy.copy(trunk)
    found._desk = replace(
        desk, router=router, gate=replace(desk.gate, router=router), on_attempt=on_attempt, on_call=on_call
    )
    found._finalizer = weakref.finalize(found, lambda: None)
    return found


def next_try_s(gateway: Gateway, target: Target) -> float | None:
    """Seconds until a target that is left alone may be tried: 0 now, None while another call tries it."""
    desk = gateway._desk
    return desk.gate.breakers.wait_s(desk.router.route(target).key)
