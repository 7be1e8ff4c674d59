"""Over any schedule of faults a call ends in time, every attempt is accounted for and no money stays reserved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.gateway import (
    Attempt,
    CallRecord,
    ChatRequest,
    DoneEvent,
    Endpoint,
    FailedEvent,
    Gateway,
    GatewayError,
    Message,
    Policy,
    SpendingCaps,
    Target,
    Usage,
)
from tests.faults.upstream import (
    HostileUpstream,
    Script,
    completion,
    delta,
    hang,
    http,
    reset,
    sse,
    then_hang,
    then_reset,
    until_close,
)

DEADLINE_S = 1.5
POLICY = Policy(
    deadline_s=DEADLINE_S, connect_timeout_s=0.2, headers_timeout_s=0.2, first_token_timeout_s=0.25,
    reasoning_first_token_timeout_s=0.25, idle_timeout_s=0.2, tail_timeout_s=0.05, backoff_base_s=0.01,
    breaker_open_s=0.1, breaker_wait_max_s=0.1,
)  # fmt: skip
HALF = until_close(sse(delta("Half an ans")))
SCRIPTS: dict[str, Script] = {
    "s429": http(429, {"error": {"message": "slow down"}}, Retry_After="0.05"),
    "s429later": http(429, {"error": {"message": "slow down"}}, Retry_After="60"),
    "s500": http(500, "no"),
    "s503": http(503, {"error": {"message": "overloaded"}}),
    "s401": http(401, {"error": {"message": "no key"}}),
    "s400": http(400, {"error": {"message": "bad request"}}),
    "html": http(200, "<html>", kind="text/html"),
    "empty": http(200, b""),
    "half": HALF,
    "cut": then_reset(HALF),
    "silent": then_hang(HALF),
    "hang": hang,
    "reset": reset,
    "usage": http(200, completion(usage={"prompt_tokens": "many", "completion_tokens": -1})),
}
NAMES = (*SCRIPTS, "good")
PICO_PER_TOKEN = 1_000


@pytest.fixture(scope="module")
def upstream() -> Iterator[HostileUpstream]:
    with HostileUpstream(dict(SCRIPTS)) as server:
        yield server


def price(_endpoint: Endpoint, _model: str, usage: Usage, _at: object) -> int:
    return ((usage.input_tokens or 0) + (usage.output_tokens or 0)) * PICO_PER_TOKEN


def call(gateway: Gateway, targets: list[Target], *, is_streamed: bool) -> str:
    """The outcome of one call."""
    ask = ChatRequest(messages=[Message(role="user", content="Are you well?")], max_output_tokens=20)
    if not is_streamed:
        try:
            return gateway.chat(ask, targets).outcome
        except GatewayError:
            return "error"
    last = None
    with gateway.stream(ask, targets) as events:
        for event in events:
            last = event
    if isinstance(last, DoneEvent):
        return last.reply.outcome
    assert isinstance(last, FailedEvent)
    return "error"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chain=st.lists(st.sampled_from(NAMES), min_size=1, max_size=5),
    is_streamed=st.booleans(),
    has_one_key=st.booleans(),
    calls=st.integers(1, 3),
)
def test_any_schedule_ends_in_time_and_adds_up(
    upstream: HostileUpstream, chain: list[str], is_streamed: bool, has_one_key: bool, calls: int
) -> None:
    endpoints = [
        Endpoint(name=f"{place}", base_url=upstream.url(name), api_key="k" if has_one_key else f"k{place}")
        for place, name in enumerate(chain)
    ]
    targets = [Target(endpoint=one.name, model="m-1") for one in endpoints]
    attempts: list[Attempt] = []
    records: list[CallRecord] = []
    caps = SpendingCaps(day_pico_usd=10**15)
    with Gateway(
        endpoints, policy=POLICY, price=price, caps=caps, on_attempt=attempts.append, on_call=records.append
    ) as gateway:
        for _ in range(calls):
            began = time.monotonic()
            outcome = call(gateway, targets, is_streamed=is_streamed)
            assert time.monotonic() - began < DEADLINE_S + 1
            assert outcome in {"ok", "partial", "error"}
            assert records[-1].outcome == outcome
        assert caps.reserved_pico_usd == 0
    assert len(records) == calls
    assert [one for record in records for one in record.attempts] == attempts
    for record in records:
        known = sum(one.pico_usd or 0 for one in record.attempts)
        is_known = all(one.pico_usd is not None for one in record.attempts)
        # "At least nothing" says nothing: that is unknown.
        assert record.pico_usd == (known if is_known or known else None)
        assert record.is_lower_bound or is_known
        assert sum(one.outcome == "ok" for one in record.attempts) == (record.outcome == "ok")


def test_fifty_calls_at_once_never_exceed_the_cap(upstream: HostileUpstream) -> None:
    # Each good answer costs 15 tokens; what is reserved is more.
    caps = SpendingCaps(session_pico_usd=400 * PICO_PER_TOKEN)
    endpoint = Endpoint(name="good", base_url=upstream.url("good"), api_key="k")
    ask = ChatRequest(messages=[Message(role="user", content="Hi")], max_output_tokens=20, session_id="one")
    with Gateway([endpoint], policy=Policy(), price=price, caps=caps) as gateway:

        def one(_: int) -> str:
            try:
                return gateway.chat(ask, [Target(endpoint="good", model="m-1")]).outcome
            except GatewayError as error:
                return error.kind

        with ThreadPoolExecutor(50) as pool:
            outcomes = list(pool.map(one, range(50)))
        assert caps.reserved_pico_usd == 0
        assert caps.spent(session_id="one")["session"] <= 400 * PICO_PER_TOKEN
    assert set(outcomes) <= {"ok", "spending_cap"}
    assert "ok" in outcomes
    assert "spending_cap" in outcomes
