"""Does a stream end with one last event within its time, whoever hangs, floods or forgets it?"""

from __future__ import annotations

import gc
import gzip
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from core.gateway import (
    CallRecord,
    ChatRequest,
    DoneEvent,
    Endpoint,
    FailedEvent,
    Gateway,
    GatewayError,
    Policy,
    Reply,
    SpendingCaps,
    Stream,
    Target,
)
from core.gateway import stream as stream_module
from core.gateway.errors import ClosedError, DeadlineError
from core.gateway.runtime import Runtime
from tests.core.gateway.test_lines import read_request, served
from tests.faults.upstream import KEY, HostileUpstream, Script, delta, drip, http, sse, until_close

ASK = ChatRequest(messages=[{"role": "user", "content": "Are you well?"}])
TARGETS = [Target(endpoint="one", model="m")]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = sse(delta("x"))
PACKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
FLOODS = {
    "blanks": b"1\r\n \r\n" * 20_000,
    "comments": b"1\r\n:\r\n1\r\n\n\r\n" * 10_000,
    "texts": (f"{len(EVENT):x}\r\n".encode() + EVENT + b"\r\n") * 500,
}


def flood(payload: bytes) -> Callable[[socket.socket], None]:
    """Sends one thing for ever, as fast as it is taken."""

    def serve(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(CHUNKED)
        while True:
            conn.sendall(payload)

    return serve


@contextmanager
def gateway(url: str, **policy: float) -> Iterator[Gateway]:
    with Gateway([Endpoint(name="one", base_url=url, api_key="key-12345678")], policy=Policy(**policy)) as one:  # type: ignore[arg-type]
        yield one


@pytest.mark.parametrize("name", list(FLOODS))
def test_a_flood_of_tiny_chunks_keeps_the_deadline_and_the_last_event(name: str) -> None:
    with served(flood(FLOODS[name])) as upstream, gateway(upstream.url + "v1", deadline_s=0.5, max_attempts=1) as one:
        began = time.monotonic()
        events = list(one.stream(ASK, TARGETS))
        seconds = time.monotonic() - began

    assert seconds < 1.0
    assert [event.kind for event in events if event.kind in {"done", "failed"}] == [events[-1].kind]
    last = events[-1]
    error = last.error if isinstance(last, FailedEvent) else last.reply.error if isinstance(last, DoneEvent) else None
    assert isinstance(error, DeadlineError)


def test_a_flood_keeps_the_deadline_of_a_whole_answer() -> None:
    with served(flood(FLOODS["blanks"])) as upstream, gateway(upstream.url + "v1", deadline_s=0.5) as one:
        began = time.monotonic()
        with pytest.raises(GatewayError):
            one.chat(ASK, TARGETS)
        assert time.monotonic() - began < 1.0


def test_a_flood_leaves_room_for_other_calls() -> None:
    with (
        served(flood(FLOODS["comments"])) as upstream,
        HostileUpstream() as other,
        Gateway(
            [
                Endpoint(name="one", base_url=upstream.url + "v1", api_key="key-1-1234"),
                Endpoint(name="two", base_url=other.url("good"), api_key="key-2-1234"),
            ],
            policy=Policy(deadline_s=3),
        ) as both,
        both.stream(ASK, TARGETS),
    ):
        time.sleep(0.2)
        times = []
        for _ in range(5):
            began = time.monotonic()
            both.chat(ASK, [Target(endpoint="two", model="m")])
            times.append(time.monotonic() - began)
        assert statistics.median(times) < 0.2


def test_a_loop_that_hangs_ends_the_stream_once() -> None:
    with HostileUpstream() as upstream, gateway(upstream.url("good")) as one:
        held = threading.Event()
        one.chat(ASK, TARGETS)
        loop = one._runtime._running_loop()
        loop.call_soon_threadsafe(held.wait, 5)
        waiting = Stream(one._runtime, lambda emit: _never(), timeout_s=0.2)
        events = list(waiting)
        held.set()
        one.chat(ASK, TARGETS)

        assert [event.kind for event in events] == ["failed"]
        assert isinstance(waiting.error, DeadlineError)
        assert list(waiting) == []


async def _never() -> Reply:
    raise AssertionError("cancelled before it began")


def test_a_stream_that_is_forgotten_closes_its_connection() -> None:
    left = threading.Event()

    def serve(conn: socket.socket, stop: threading.Event) -> None:
        try:
            drip(until_close(b""), EVENT)(conn, stop)
        except OSError:
            left.set()

    with HostileUpstream({"drip": serve}) as upstream, gateway(upstream.url("drip"), deadline_s=8) as one:
        for _ in one.stream(ASK, TARGETS):
            break
        gc.collect()

        assert left.wait(1.5)


def test_a_stream_cut_by_the_gateway_s_close_says_so() -> None:
    for _ in range(20):
        with HostileUpstream({"drip": drip(until_close(b""), EVENT)}) as upstream:
            one = Gateway([Endpoint(name="one", base_url=upstream.url("drip"))], policy=Policy(deadline_s=30))
            running = one.stream(ASK, TARGETS)
            one.close()
            began = time.monotonic()
            events = list(running)

        assert time.monotonic() - began < 2
        assert [event.kind for event in events] == ["failed"]
        assert isinstance(running.error, ClosedError)


def test_a_fault_of_our_own_ends_the_stream_too() -> None:
    async def nothing() -> None:
        return

    async def broken(_emit: object) -> object:
        raise KeyError("x")

    runtime = Runtime(nothing)
    try:
        events = list(Stream(runtime, broken, timeout_s=5))  # type: ignore[arg-type]  # a fault on purpose
    finally:
        runtime.close()

    assert [event.kind for event in events] == ["failed"]


def test_a_closed_stream_gives_nothing_more() -> None:
    with HostileUpstream({"drip": drip(until_close(b""), EVENT)}) as upstream, gateway(upstream.url("drip")) as one:
        running = one.stream(ASK, TARGETS)
        next(running)
        running.close()
        running.close()

        assert list(running) == []


def test_a_slow_reader_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "MAX_WAITING", 4)
    texts = [str(number) for number in range(40)]
    script = until_close(sse(*[delta(text) for text in texts], delta(finish="stop"), "[DONE]"))
    shown = []
    with HostileUpstream({"many": script}) as upstream, gateway(upstream.url("many")) as one:
        for event in one.stream(ASK, TARGETS):
            time.sleep(0.001)
            if event.kind == "text":
                shown.append(event.text)

    assert shown == texts


def packed(line: bytes, members: int = 1) -> bytes:
    """As many lines as a body may have."""
    return gzip.compress(line * ((8 * 2**20 - 100) // len(line) // members)) * members


@pytest.mark.parametrize(
    "body", [packed(b":\n"), packed(b"\n"), packed(b"data\n\n"), packed(b":\n", 4_000)],
    ids=["comments", "blanks", "empty events", "members"],
)  # fmt: skip
def test_a_packed_flood_of_lines_keeps_the_deadline_and_leaves_room(body: bytes) -> None:
    scripts: dict[str, Script] = {"bomb": PACKED % len(body) + body}
    with (
        HostileUpstream(scripts) as upstream,
        Gateway(
            [Endpoint(name=name, base_url=upstream.url(name), api_key=f"key-{name}-1234") for name in ("bomb", "good")],
            policy=Policy(deadline_s=1, max_attempts=1),
        ) as both,
    ):
        began = time.monotonic()
        with both.stream(ASK, [Target(endpoint="bomb", model="m")]) as flooded:
            both.chat(ASK, [Target(endpoint="good", model="m")])
            seconds = time.monotonic() - began
            assert [event.kind for event in flooded] == ["failed"]

        assert seconds < 0.9
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("where", ["code", "message", "reason"])
def test_an_error_of_megabytes_leaves_room_for_others(where: str) -> None:
    words = "model sk- Bearer x " * (7 * 2**20 // 19)
    error = {"details": [{"reason": words}]} if where == "reason" else {where: words}
    with (
        HostileUpstream({"wordy": http(200, {"error": error})}) as upstream,
        gateway(upstream.url("wordy"), max_attempts=1) as one,
        pytest.raises(GatewayError) as caught,
    ):
        one.chat(ASK, TARGETS)

    assert caught.value.attempts[0].latency_ms < 600
    assert len(str(caught.value)) < 400


THOUGHT = sse({"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]})
HELD = sse(delta("x")) * 3 + sse(delta(KEY[:3]), delta(finish="stop"), "[DONE]")


@pytest.mark.parametrize(
    ("script", "outcomes"),
    [
        # The queue is full of thoughts when the attempt fails, and its reader is told of the switch.
        (THOUGHT * 3, [("partial", ["error", "partial"])]),
        # It is full of text when the end, which looked like a key, is shown.
        (HELD, [("ok", ["ok"])]),
        (HELD.removesuffix(sse(delta(finish="stop"), "[DONE]")), [("partial", ["partial"])]),
    ],
    ids=["switch", "end", "cut"],
)
def test_a_reader_who_stops_reading_holds_nothing_beyond_the_deadline(
    monkeypatch: pytest.MonkeyPatch, script: bytes, outcomes: list[object]
) -> None:
    monkeypatch.setattr(stream_module, "MAX_WAITING", 4)
    caps, calls = SpendingCaps(day_pico_usd=10**15), list[CallRecord]()
    with HostileUpstream({"bad": until_close(script)}) as upstream:
        endpoints = [Endpoint(name=name, base_url=upstream.url(name), api_key=KEY) for name in ("bad", "good")]
        with (
            Gateway(
                endpoints, policy=Policy(deadline_s=0.5), caps=caps, price=lambda *_: 1_000, on_call=calls.append
            ) as one,
            one.stream(ASK, [Target(endpoint=name, model="m") for name in ("bad", "good")]) as unread,
        ):
            time.sleep(0.9)

            assert caps.reserved_pico_usd == 0
            assert [(call.outcome, [one.outcome for one in call.attempts]) for call in calls] == outcomes
            assert [event.kind for event in unread][-1] == "done"
            # It was not the targets that were slow.
            assert {one.breaker_state(Target(endpoint=name, model="m")) for name in ("bad", "good")} == {"closed"}
