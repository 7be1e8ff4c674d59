"""How do one or several answers appear while they are written, and what ends them?

A thread per answer feeds one queue; the page draws from it and looks up at least every `TICK_S`, so that Stop, a rerun
or a closed tab is noticed even while an upstream is silent. Whatever ends the drawing closes the connections.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.gateway import (
    Attempt,
    DoneEvent,
    FailedEvent,
    GatewayError,
    ReasoningEvent,
    Reply,
    Stream,
    StreamEvent,
    SwitchedEvent,
    TextEvent,
)

TICK_S = 0.1
PAINT_EVERY_S = 0.05
TICK_AT_LEAST_S = 1.0

Ending = Literal["running", "ok", "partial", "error", "cancelled"]


@dataclass(eq=False)
class Turn:
    """One turn of a conversation. An answer grows while it is written; what had come when it was stopped stays."""

    role: Literal["user", "assistant"]
    text: str = ""
    chain: tuple[str, ...] = ()
    model: str = ""
    ending: Ending = "ok"
    attempts: list[Attempt] = field(default_factory=list)
    reply: Reply | None = None
    error: GatewayError | None = None
    is_thinking: bool = False
    stream: Stream | None = None
    began: float = 0.0
    ttft_ms: float | None = None
    painted: float = 0.0
    thread: threading.Thread | None = None
    release: Callable[[], None] | None = None

    def take(self, event: StreamEvent) -> None:
        """Learns what an event says."""
        if isinstance(event, TextEvent):
            if self.ttft_ms is None:
                self.ttft_ms = (time.perf_counter() - self.began) * 1000
            self.text += event.text
        elif isinstance(event, ReasoningEvent):
            self.is_thinking = True
        elif isinstance(event, SwitchedEvent):
            self.attempts.append(event.failed)
            self.model = event.model
        elif isinstance(event, DoneEvent):
            self.reply, self.error = event.reply, event.reply.error
            self.text, self.attempts = event.reply.text, list(event.reply.attempts)
            self.model = event.reply.model_reported or event.reply.model_asked
            self.ending = event.reply.outcome
        elif isinstance(event, FailedEvent):
            self.error, self.attempts = event.error, list(event.error.attempts)
            self.ending = "error"

    def stop(self) -> None:
        """Closes the connection and gives back what was set aside; an answer under way is marked as stopped."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None
        if self.release is not None:
            self.release()
            self.release = None
        if self.ending == "running":
            self.ending = "cancelled"


Sink = queue.Queue[tuple[Turn, StreamEvent | None]]


def _pump(turn: Turn, stream: Stream, sink: Sink) -> None:
    try:
        for event in stream:
            sink.put((turn, event))
    finally:
        sink.put((turn, None))


def follow(turns: Sequence[Turn], paint: Callable[[Turn], Any], *, tick: Callable[[], Any]) -> None:
    """Draws the answers until all have ended: `paint(turn)` when one has something new, `tick()` while all are silent
    and at least every `TICK_AT_LEAST_S`.

    Both may be interrupted by Streamlit; then every connection is closed and the turns are marked as stopped.
    """
    sink: Sink = queue.Queue()
    try:
        for turn in turns:
            if turn.stream is not None:
                turn.thread = threading.Thread(target=_pump, args=(turn, turn.stream, sink), daemon=True)
                turn.thread.start()
        left = {turn for turn in turns if turn.stream is not None}
        changed: set[Turn] = set()
        ticked = time.perf_counter()
        while left:
            changed |= _wait(sink, left, TICK_S if not changed else PAINT_EVERY_S)
            now = time.perf_counter()
            if not changed or now - ticked >= TICK_AT_LEAST_S:
                ticked = now
                tick()
            for turn in [one for one in changed if one not in left or now - one.painted >= PAINT_EVERY_S]:
                turn.painted = now
                changed.discard(turn)
                paint(turn)
    finally:
        for turn in turns:
            turn.stop()


def _wait(sink: Sink, left: set[Turn], timeout_s: float) -> set[Turn]:
    """Takes everything that waits; returns the turns that changed and drops those that ended from `left`."""
    changed: set[Turn] = set()
    try:
        turn, event = sink.get(timeout=timeout_s)
        while True:
            if event is None:
                left.discard(turn)
            else:
                turn.take(event)
            changed.add(turn)
            turn, event = sink.get_nowait()
    except queue.Empty:
        return changed
