"""Which target comes next, and which is left out? Against an upstream that really fails."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.gateway import ChatRequest, Endpoint, Gateway, GatewayError, Policy, SwitchedEvent, Target
from core.gateway.errors import TargetClosedError
from tests.faults.upstream import KEY, HostileUpstream, completion, http, then_hang

ASK = ChatRequest(messages=[{"role": "user", "content": "Are you well?"}])
FAST = Policy(deadline_s=5, backoff_base_s=0.0)


class Flaky:
    """Answers 500 until `is_well`; counts its requests and how many it had at once."""

    def __init__(self) -> None:
        self.is_well = False
        self.pause_s = 0.0
        self.count = self.most_at_once = self._now = 0
        self._lock = threading.Lock()

    def __call__(self, conn: socket.socket, _stop: threading.Event) -> None:
        with self._lock:
            self.count += 1
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        time.sleep(self.pause_s)
        conn.sendall(http(200, completion("Back")) if self.is_well else http(500, "no"))
        with self._lock:
            self._now -= 1


@pytest.fixture
def flaky() -> Flaky:
    return Flaky()


@pytest.fixture
def upstream(flaky: Flaky) -> Iterator[HostileUpstream]:
    refused = http(401, {"error": {"message": "no"}})
    scripts = {"s500": http(500, "no"), "s404": http(404, {}), "s401": refused, "flaky": flaky}
    scripts["slow401"] = then_hang(b"HTTP/1.1 401 X\r\nContent-Length: 99\r\n\r\n")
    with HostileUpstream(scripts) as server:
        yield server


def endpoints(upstream: HostileUpstream, *names: str, key: str = KEY) -> list[Endpoint]:
    return [Endpoint(name=name, base_url=upstream.url(name), api_key=key) for name in names]


def targets(found: list[Endpoint]) -> list[Target]:
    return [Target(endpoint=one.name, model="m-1") for one in found]


def tried(found: list[Endpoint], policy: Policy = FAST) -> list[str]:
    """Endpoints in the order they were tried."""
    with Gateway(found, policy=policy) as gateway:
        try:
            return [one.endpoint for one in gateway.chat(ASK, targets(found)).attempts]
        except GatewayError as error:
            return [one.endpoint for one in error.attempts]


@pytest.mark.parametrize("key", [KEY, ""])
@pytest.mark.parametrize("script", ["s500", "s404"])
def test_another_path_of_the_same_origin_is_another_target(upstream: HostileUpstream, script: str, key: str) -> None:
    assert tried(endpoints(upstream, script, "good", key=key)) == [script, "good"]


def test_another_dialect_at_the_same_address_is_another_target(upstream: HostileUpstream) -> None:
    base = upstream.url("good")
    found = [
        Endpoint(name="odd", base_url=base, api_key=KEY, dialect="anthropic"),
        Endpoint(name="good", base_url=base, api_key=KEY),
    ]

    assert tried(found) == ["odd", "good"]


def test_failures_of_one_path_do_not_close_another(upstream: HostileUpstream) -> None:
    found = endpoints(upstream, "s500", "good")
    with Gateway(found, policy=FAST) as gateway:
        for _ in range(3):
            gateway.chat(ASK, targets(found))
        states = [gateway.breaker_state(target) for target in targets(found)]

        assert states == ["open", "closed"]
        assert [one.endpoint for one in gateway.chat(ASK, targets(found)).attempts] == ["good"]


@pytest.mark.parametrize("key", [KEY, ""])
@pytest.mark.parametrize("script", ["s401", "slow401"])
def test_a_refused_key_rules_out_its_other_targets(upstream: HostileUpstream, script: str, key: str) -> None:
    found = [*endpoints(upstream, script, "good", key=key), *endpoints(upstream, "good2", key="sk-other-key-1")]

    assert tried(found) == [script, "good2"]


def test_a_refused_header_says_nothing_about_another_one(upstream: HostileUpstream) -> None:
    found = [
        Endpoint(name=name, base_url=upstream.url(name), headers={"Authorization": f"Bearer {name}-12345"})
        for name in ("s401", "good")
    ]

    assert tried(found) == ["s401", "good"]


def test_a_refusal_is_known_even_when_its_text_runs_into_the_deadline(upstream: HostileUpstream) -> None:
    found = endpoints(upstream, "slow401")
    with Gateway(found, policy=Policy(deadline_s=0.5)) as gateway, pytest.raises(GatewayError) as caught:
        gateway.chat(ASK, targets(found))

    assert caught.value.kind == "auth"
    assert [(one.error_kind, one.status_code) for one in caught.value.attempts] == [("auth", 401)]


def test_an_only_target_is_tried_to_the_end(upstream: HostileUpstream, flaky: Flaky) -> None:
    found = endpoints(upstream, "flaky")
    with Gateway(found, policy=FAST) as gateway:
        with pytest.raises(GatewayError) as caught:
            gateway.chat(ASK, targets(found))
        assert flaky.count == len(caught.value.attempts) == FAST.max_attempts
        assert gateway.breaker_state(targets(found)[0]) == "open"
        # Others are told at once, and when.
        with pytest.raises(TargetClosedError) as refused:
            gateway.chat(ASK, targets(found))

    assert flaky.count == FAST.max_attempts
    assert caught.value.retry_after_s == pytest.approx(FAST.breaker_open_s, abs=1)
    assert refused.value.retry_after_s == pytest.approx(FAST.breaker_open_s, abs=1)


def test_an_only_target_that_comes_back_within_the_call_answers(upstream: HostileUpstream, flaky: Flaky) -> None:
    found = endpoints(upstream, "flaky")

    def heal(attempt: object) -> None:
        flaky.is_well = flaky.count >= 4

    with Gateway(found, policy=FAST, on_attempt=heal) as gateway:
        assert len(gateway.chat(ASK, targets(found)).attempts) == 5
        assert gateway.breaker_state(targets(found)[0]) == "closed"


def test_calls_that_did_not_open_it_fail_fast_meanwhile(upstream: HostileUpstream, flaky: Flaky) -> None:
    flaky.pause_s = 0.15
    found = endpoints(upstream, "flaky")
    with Gateway(found, policy=FAST) as gateway, ThreadPoolExecutor(1) as pool:
        pool.submit(_failure, gateway, targets(found))
        while gateway.breaker_state(targets(found)[0]) != "open":
            time.sleep(0.01)
        began = time.monotonic()

        assert _failure(gateway, targets(found)) == ("target_closed", pytest.approx(FAST.breaker_open_s, abs=2))
        assert time.monotonic() - began < 0.1


def _failure(gateway: Gateway, chain: list[Target]) -> tuple[str, float | None]:
    """ "" for an answer, else the error's kind, and its time."""
    try:
        gateway.chat(ASK, chain)
    except GatewayError as error:
        return error.kind, error.retry_after_s
    return "", None


def _opened(found: list[Endpoint], wait_s: float) -> Gateway:
    """A gateway whose only target is half-open."""
    policy = Policy(breaker_open_s=0.3, breaker_wait_max_s=wait_s, deadline_s=5, backoff_base_s=0)
    gateway = Gateway(found, policy=policy)
    _failure(gateway, targets(found))
    time.sleep(0.4)
    return gateway


@pytest.mark.parametrize(("is_well", "pause_s"), [(True, 0.2), (False, 0.02)])
def test_calls_beyond_the_probe_wait_for_it(
    upstream: HostileUpstream, flaky: Flaky, is_well: bool, pause_s: float
) -> None:
    found = endpoints(upstream, "flaky")
    with _opened(found, 0.25) as gateway, ThreadPoolExecutor(12) as pool:
        flaky.is_well, flaky.pause_s, flaky.most_at_once, before = is_well, pause_s, 0, flaky.count
        outcomes = list(pool.map(lambda _: _failure(gateway, targets(found)), range(12)))

    if is_well:
        assert outcomes == [("", None)] * 12
    else:
        assert flaky.most_at_once == 1
        assert flaky.count - before < 12
        assert {kind for kind, _ in outcomes} <= {"upstream_error", "target_closed"}
        assert all(seconds is not None for _, seconds in outcomes)


def test_a_probe_that_takes_too_long_is_not_waited_for(upstream: HostileUpstream, flaky: Flaky) -> None:
    found = endpoints(upstream, "flaky")
    with _opened(found, 0.1) as gateway, ThreadPoolExecutor(2) as pool:
        flaky.is_well, flaky.pause_s = True, 0.6
        began = time.monotonic()
        outcomes = sorted(pool.map(lambda _: (_failure(gateway, targets(found)), time.monotonic() - began), range(2)))

    (answered, _), (refused, seconds) = outcomes
    assert answered == ("", None)
    assert refused == ("target_closed", 0.3)
    assert seconds < 0.4


@pytest.mark.parametrize("show", ["attempts", "switched", "error"])
def test_errors_that_are_kept_hold_no_frames(upstream: HostileUpstream, show: str) -> None:
    found = endpoints(upstream, "s500", "s404")
    kept: dict[str, list[GatewayError | None]] = {"switched": []}
    with Gateway(found, policy=FAST) as gateway:
        for event in gateway.stream(ASK, targets(found)):
            if isinstance(event, SwitchedEvent):
                kept["switched"].append(event.failed.error)
            elif event.kind == "failed":
                kept["error"] = [event.error]
                kept["attempts"] = [one.error for one in event.error.attempts]

    for error in kept[show]:
        assert error is not None
        assert (error.__traceback__, error.__context__, error.__cause__) == (None, None, None)


def test_a_tls_server_that_hangs_up_is_a_tls_error(upstream: HostileUpstream) -> None:
    base = upstream.url("good").replace("http:", "https:")

    with Gateway([Endpoint(name="one", base_url=base, api_key=KEY)], policy=FAST) as gateway:
        with pytest.raises(GatewayError) as caught:
            gateway.chat(ASK, [Target(endpoint="one", model="m")])
        # It may have been restarting, so it is tried again.
        assert [one.error_kind for one in caught.value.attempts] == ["tls"] * FAST.max_attempts
        stop = gateway.check("one", "m").stop
    assert stop is not None
    assert stop.name == "tls"
