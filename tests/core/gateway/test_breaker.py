"""Who may try a target again, when, and whose fault was it? The rules alone, and over a real upstream."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.gateway import ChatRequest, Endpoint, Gateway, GatewayError, Policy, Target
from core.gateway.breaker import Breakers
from tests.faults.upstream import HostileUpstream, Script, delta, drip, hang, http, sse, until_close

KEY = "target"
ASK = ChatRequest(messages=[{"role": "user", "content": "Are you well?"}])
END = sse(delta(" End.", "stop"), "[DONE]")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breakers(clock: Clock) -> Breakers:
    return Breakers(failures=3, open_s=30, clock=clock)


def fail(breakers: Breakers, times: int) -> None:
    leaves = [breakers.enter(KEY) for _ in range(times)]
    for leave in leaves:
        assert leave is not None
        breakers.settle(leave, "failure")


@pytest.mark.parametrize("seconds", [0.0, 5.0])
def test_a_target_that_asked_for_time_is_closed_again_after_it(
    breakers: Breakers, clock: Clock, seconds: float
) -> None:
    leave = breakers.enter(KEY)
    assert leave is not None
    has_opened = breakers.settle(leave, "neutral", closed_for_s=seconds)
    assert has_opened is (seconds > 0)
    clock.now += seconds

    assert breakers.state(KEY) == "closed"
    assert None not in [breakers.enter(KEY) for _ in range(12)]


def test_a_broken_target_that_asked_for_time_is_probed_after_it(breakers: Breakers, clock: Clock) -> None:
    leave = breakers.enter(KEY)
    fail(breakers, 3)
    assert leave is not None
    breakers.settle(leave, "neutral", closed_for_s=60)
    clock.now += 59
    assert breakers.state(KEY) == "open"
    clock.now += 1

    assert breakers.state(KEY) == "half_open"
    assert [breakers.enter(KEY) is None for _ in range(3)] == [False, True, True]


def test_an_answer_that_begins_ends_the_probing(breakers: Breakers, clock: Clock) -> None:
    fail(breakers, 3)
    clock.now += 30
    probe = breakers.enter(KEY)
    assert probe is not None
    assert breakers.enter(KEY) is None
    breakers.prove(probe)

    assert breakers.state(KEY) == "closed"
    assert breakers.enter(KEY) is not None


@pytest.mark.parametrize(("verdict", "failures", "state"), [("failure", 0, "open"), ("success", 2, "closed")])
def test_an_answer_that_begins_and_breaks_opens_at_once(
    breakers: Breakers, clock: Clock, verdict: str, failures: int, state: str
) -> None:
    fail(breakers, 3)
    clock.now += 30
    probe = breakers.enter(KEY)
    assert probe is not None
    breakers.prove(probe)
    breakers.settle(probe, verdict)  # type: ignore[arg-type]  # one of the parameters
    fail(breakers, failures)

    assert breakers.state(KEY) == state


def test_only_the_probe_proves(breakers: Breakers, clock: Clock) -> None:
    early = breakers.enter(KEY)
    fail(breakers, 3)
    clock.now += 30
    assert breakers.enter(KEY) is not None
    assert early is not None
    breakers.prove(early)

    assert breakers.state(KEY) == "half_open"


def test_a_success_forgets_the_time_that_was_asked_for(breakers: Breakers) -> None:
    late = breakers.enter(KEY)
    fail(breakers, 3)
    probe = breakers.enter(KEY, is_early=True)
    assert late is not None
    assert probe is not None
    breakers.settle(late, "neutral", closed_for_s=600)
    breakers.settle(probe, "success")
    fail(breakers, 3)

    assert breakers.wait_s(KEY) == 30


def test_a_success_of_another_call_does_not_end_the_time_that_was_asked_for(breakers: Breakers) -> None:
    one, two = breakers.enter(KEY), breakers.enter(KEY)
    assert one is not None
    assert two is not None
    breakers.settle(one, "neutral", closed_for_s=600)
    breakers.settle(two, "success")

    assert breakers.wait_s(KEY) == 600


class Upstream:
    """Answers the first `bad` requests with `refusal`, the others with a stream that takes `seconds`."""

    def __init__(self, refusal: bytes, seconds: float, bad: int = 1) -> None:
        self.refusal, self.seconds, self.bad, self.count = refusal, seconds, bad, 0
        self._lock = threading.Lock()

    def __call__(self, conn: socket.socket, stop: threading.Event) -> None:
        with self._lock:
            self.count += 1
            is_bad = self.count <= self.bad
        if is_bad:
            conn.sendall(self.refusal)
            return
        conn.sendall(until_close(sse(delta("Begun."))))
        stop.wait(self.seconds)
        conn.sendall(END)


def outcome(gateway: Gateway, *names: str) -> str:
    """ "ok", "partial" or the kind of the error."""
    last = list(gateway.stream(ASK, [Target(endpoint=name, model="m") for name in names]))[-1]
    return last.reply.outcome if last.kind == "done" else last.error.kind if last.kind == "failed" else ""


def gateway_of(server: HostileUpstream, *names: str, **policy: float) -> Gateway:
    endpoints = [Endpoint(name=name, base_url=server.url(name), api_key=f"key-of-{name}-1234") for name in names]
    return Gateway(endpoints, policy=Policy(backoff_base_s=0.01, **policy))  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", ["0", "0.3", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_one_request_to_wait_makes_nobody_wait_for_another_answer(seconds: str) -> None:
    script = Upstream(http(429, {"error": {"message": "slow down"}}, Retry_After=seconds), 0.8)
    with (
        HostileUpstream({"busy": script}) as server,
        gateway_of(server, "busy", breaker_wait_max_s=0.2) as gateway,
        ThreadPoolExecutor(6) as pool,
    ):
        began = time.monotonic()
        first = pool.submit(outcome, gateway, "busy")
        while script.count == 0:
            time.sleep(0.005)
        others = [pool.submit(outcome, gateway, "busy") for _ in range(5)]

        assert [one.result() for one in (first, *others)] == ["ok"] * 6
        assert time.monotonic() - began < 2.2  # one after the other they would take 4.8


def test_a_long_answer_of_a_probe_holds_nobody_up() -> None:
    script = Upstream(http(500, "no"), 1.0)
    policy = {"breaker_failures": 1, "breaker_open_s": 0.2, "breaker_wait_max_s": 0.4, "max_attempts": 1}
    with (
        HostileUpstream({"back": script}) as server,
        gateway_of(server, "back", **policy) as gateway,
        ThreadPoolExecutor(4) as pool,
    ):
        assert outcome(gateway, "back") == "upstream_error"
        time.sleep(0.25)

        assert list(pool.map(lambda _: outcome(gateway, "back"), range(4))) == ["ok"] * 4


def test_a_fallback_is_not_blamed_for_the_time_the_first_target_took() -> None:
    def slow(conn: socket.socket, stop: threading.Event) -> None:
        stop.wait(0.4)
        conn.sendall(until_close(sse(delta("Fine.", "stop"), "[DONE]")))

    with (
        HostileUpstream({"hang": hang, "slow": slow}) as server,
        gateway_of(server, "hang", "slow", deadline_s=0.7, first_token_timeout_s=0.5) as gateway,
    ):
        assert [outcome(gateway, "hang", "slow") for _ in range(3)] == ["deadline"] * 3
        assert gateway.breaker_state(Target(endpoint="slow", model="m")) == "closed"
        assert outcome(gateway, "slow") == "ok"


@pytest.mark.parametrize(
    ("script", "wanted"),
    [(hang, "deadline"), (drip(until_close(sse(delta("x"))), sse(delta("x"))), "partial")],
    ids=["silent", "without end"],
)
def test_a_target_that_had_the_whole_deadline_for_itself_is_blamed(script: Script, wanted: str) -> None:
    with HostileUpstream({"bad": script}) as server, gateway_of(server, "bad", deadline_s=0.3) as gateway:
        assert [outcome(gateway, "bad") for _ in range(3)] == [wanted] * 3
        assert gateway.breaker_state(Target(endpoint="bad", model="m")) == "open"


def test_a_target_can_be_opened_again_whatever_it_asked_for() -> None:
    script = Upstream(http(429, {"error": {"message": "later"}}, Retry_After="1795612800"), 0.0)
    with HostileUpstream({"later": script}) as server, gateway_of(server, "later", deadline_s=1) as gateway:
        target = Target(endpoint="later", model="m")
        assert [outcome(gateway, "later") for _ in range(2)] == ["rate_limited", "target_closed"]
        gateway.reopen(target)

        assert gateway.breaker_state(target) == "closed"
        assert outcome(gateway, "later") == "ok"
        with pytest.raises(GatewayError):
            gateway.reopen(Target(endpoint="nobody", model="m"))
