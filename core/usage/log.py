"""How is every call and attempt kept, without ever holding up or failing the call?

`record` puts the finished call or attempt into a bounded queue and returns; one thread per process writes what has
gathered as one transaction (raw rows, hours and days together). A row counts as kept once its batch is committed, at
most about `linger_s` later, or when `flush` has returned True: kill -9 after that loses nothing.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from core.catalog.database import DatabaseProblem
from core.usage.entries import Entry
from core.usage.tables import create_tables
from core.usage.write import write

logger = logging.getLogger(__name__)

MAX_WAITING = 10_000
"""Records kept for retry while the database cannot be written; later ones are counted as dropped."""

BATCH_SIZE = 1_000
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStatus:
    """How the log is doing; `problem` is None while it can write."""

    waiting_count: int
    written_count: int
    dropped_count: int
    refused_count: int
    problem: DatabaseProblem | None


class EntryLog(Generic[Item]):
    """Writes entries behind the caller's back. `to_entries` turns one recorded thing into its rows.

    Its faults never reach the caller of `record`. A database that cannot be written is said once in the program's log
    (and in `status()`), the records wait and are tried again every `retry_after_s`. `linger_s` is how long a batch
    gathers.
    """

    def __init__(
        self,
        engine: Engine,
        to_entries: Callable[[Item], Sequence[Entry]],
        *,
        linger_s: float = 0.1,
        retry_after_s: float = 2.0,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._engine = engine
        self._to_entries = to_entries
        self._linger_s = linger_s
        self._retry_after_s = retry_after_s
        self._max_waiting = max_waiting
        self._waiting: deque[Item] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._is_urgent = False
        self._has_tables = False
        self._written = self._dropped = self._refused = self._in_hand = 0
        self._problem: DatabaseProblem | None = None
        # From now on, not from the first record: whoever starts later and records to the end is ended before.
        self._at_exit = partial(_close, weakref.ref(self))
        atexit.register(self._at_exit)

    def record(self, item: Item) -> None:
        """Keep one finished call or attempt; returns at once and never raises for the log's own troubles."""
        with self._changed:
            if self._is_closed or len(self._waiting) + self._in_hand >= self._max_waiting:
                self._dropped += 1
                return
            self._waiting.append(item)
            if self._thread is None:
                self._start()
            elif len(self._waiting) == 1:
                self._changed.notify_all()

    def status(self) -> LogStatus:
        with self._changed:
            return LogStatus(
                waiting_count=len(self._waiting) + self._in_hand,
                written_count=self._written,
                dropped_count=self._dropped,
                refused_count=self._refused,
                problem=self._problem,
            )

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Wait until everything recorded so far is committed; False when it is not in time."""
        until = time.monotonic() + timeout_s
        with self._changed:
            while self._waiting or self._in_hand:
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._is_urgent = True
                self._changed.notify_all()
                self._changed.wait(left)
        return True

    def close(self, timeout_s: float = 5.0) -> bool:
        """Write what waits and end the thread; False when something could not be written in time."""
        is_done = self.flush(timeout_s)
        with self._changed:
            self._is_closed = True
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None:
            thread.join(timeout_s)
        atexit.unregister(self._at_exit)
        return is_done

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="usage-log", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._is_closed:
                    self._changed.wait()
                if self._is_closed:
                    return
                self._wait(self._linger_s)
                batch = [self._waiting.popleft() for _ in range(min(BATCH_SIZE, len(self._waiting)))]
                self._in_hand = len(batch)
            self._write(batch)

    def _wait(self, seconds: float) -> None:
        """Let records gather, unless somebody waits for them."""
        until = time.monotonic() + seconds
        while not self._is_urgent and not self._is_closed and (left := until - time.monotonic()) > 0:
            self._changed.wait(left)
        self._is_urgent = False

    def _write(self, batch: list[Item]) -> None:
        entries, refused = self._entries(batch)
        try:
            if not self._has_tables:
                create_tables(self._engine)
                self._has_tables = True
            write(self._engine, entries)
        except (DatabaseProblem, SQLAlchemyError) as error:
            self._keep(batch, error)
            return
        with self._changed:
            if self._problem is not None:
                logger.warning("The usage log can be written again.")
            self._problem = None
            self._written += len(entries)
            self._refused += refused
            self._in_hand = 0
            self._changed.notify_all()

    def _keep(self, batch: list[Item], error: Exception) -> None:
        """Put a batch back for the next try, and say once what is wrong."""
        problem = error if isinstance(error, DatabaseProblem) else DatabaseProblem("unreachable", type(error).__name__)
        with self._changed:
            if self._problem is None or self._problem.reason != problem.reason:
                logger.warning("The usage log cannot be written, calls go on and are kept for retry: %s", problem)
            self._problem = problem
            self._waiting.extendleft(reversed(batch))
            self._in_hand = 0
            self._changed.notify_all()
            if not self._is_closed:
                self._changed.wait_for(lambda: self._is_closed, self._retry_after_s)

    def _entries(self, batch: list[Item]) -> tuple[list[Entry], int]:
        """The rows of a batch, and how many records no row could be made of."""
        entries: list[Entry] = []
        refused = 0
        for item in batch:
            try:
                entries.extend(self._to_entries(item))
            except (ValueError, TypeError, AttributeError) as error:
                refused += 1
                logger.warning("A call could not be logged (%s): %s", type(item).__name__, type(error).__name__)
        return entries, refused


def _close(found: weakref.ref[EntryLog[Item]]) -> None:
    log = found()
    if log is not None:
        log.close()
