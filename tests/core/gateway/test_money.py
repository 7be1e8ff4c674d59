"""Do caps and limits hold when calls come at once, upstreams ignore limits and minutes change?"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.gateway import (
    CallRecord,
    ChatRequest,
    Endpoint,
    Gateway,
    GatewayError,
    Message,
    Policy,
    SpendingCaps,
    Target,
    Usage,
)
from core.gateway.errors import SpendingCapError
from core.gateway.estimate import DEFAULT_OUTPUT_TOKENS, REASONING_OUTPUT_TOKENS, estimate_usage
from core.gateway.limits import RateLimits, _Counters
from core.gateway.routes import Route, Router
from tests.faults.upstream import HostileUpstream, completion, hang, http

PICO = 1_000
HI = [Message(role="user", content="Hi")]
ASK = ChatRequest(messages=HI, session_id="one")
TARGET = Target(endpoint="one", model="m")


def price(_endpoint: Endpoint, _model: str, usage: Usage, _at: object) -> int:
    return ((usage.input_tokens or 0) + (usage.output_tokens or 0)) * PICO


class Writer:
    """Writes as much as it is allowed, or `always`; keeps the requests."""

    def __init__(self) -> None:
        self.always: int | None = None
        self.bodies: list[dict[str, object]] = []

    def __call__(self, conn: socket.socket, stop: threading.Event) -> None:
        stop.wait(0.05)
        written = self.always or int(str(self.bodies[-1].get("max_tokens") or 50_000))
        conn.sendall(http(200, completion(usage={"prompt_tokens": 10, "completion_tokens": written})))


class Upstream(HostileUpstream):
    """Shows the writer what was asked."""

    def _answer(self, conn: socket.socket, raw: bytes) -> None:
        writer = self.scripts["writer"]
        assert isinstance(writer, Writer)
        writer.bodies.append(json.loads(raw.partition(b"\r\n\r\n")[2]))
        super()._answer(conn, raw)


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def upstream(writer: Writer) -> Iterator[HostileUpstream]:
    with Upstream({"writer": writer, "hang": hang}) as server:
        yield server


def outcome(gateway: Gateway, ask: ChatRequest = ASK, target: Target = TARGET) -> str:
    try:
        return gateway.chat(ask, [target]).outcome
    except GatewayError as error:
        return error.kind


def test_fifty_calls_without_a_limit_of_output_keep_the_cap(upstream: HostileUpstream) -> None:
    cap = 20 * DEFAULT_OUTPUT_TOKENS * PICO
    caps = SpendingCaps(session_pico_usd=cap)
    endpoint = Endpoint(name="one", base_url=upstream.url("writer"), api_key="key-12345678")
    with Gateway([endpoint], price=price, caps=caps) as gateway, ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(lambda _: outcome(gateway), range(50)))

    assert caps.spent(session_id="one")["session"] <= cap
    assert caps.reserved_pico_usd == 0
    assert set(outcomes) == {"ok", "spending_cap"}


@pytest.mark.parametrize("limit", [None, 20])
def test_an_upstream_that_ignores_the_limit_exceeds_the_cap_once(
    upstream: HostileUpstream, writer: Writer, limit: int | None
) -> None:
    writer.always = 50_000
    cap = 120_000 * PICO
    caps = SpendingCaps(session_pico_usd=cap)
    endpoint = Endpoint(name="one", base_url=upstream.url("writer"), api_key="key-12345678")
    ask = ChatRequest(messages=HI, max_output_tokens=limit, session_id="one")
    with Gateway([endpoint], price=price, caps=caps) as gateway:
        outcomes = [outcome(gateway, ask) for _ in range(6)]

    # From the first answer on as much is set aside as it took.
    assert outcomes == ["ok", "ok"] + ["spending_cap"] * 4
    assert caps.spent(session_id="one")["session"] <= cap


def test_what_is_in_flight_is_all_that_can_exceed_the_cap(upstream: HostileUpstream, writer: Writer) -> None:
    writer.always = 50_000
    caps = SpendingCaps(session_pico_usd=300_000 * PICO)
    endpoint = Endpoint(name="one", base_url=upstream.url("writer"), api_key="key-12345678")
    with Gateway([endpoint], price=price, caps=caps) as gateway:
        with ThreadPoolExecutor(50) as pool:
            in_flight = list(pool.map(lambda _: outcome(gateway), range(50))).count("ok")
        assert [outcome(gateway) for _ in range(5)] == ["spending_cap"] * 5

    assert caps.spent(session_id="one")["session"] == in_flight * 50_010 * PICO


def test_a_dearer_model_than_asked_for_is_learned_too(upstream: HostileUpstream, writer: Writer) -> None:
    def dear(endpoint: Endpoint, model: str, usage: Usage, at: object) -> int:
        return price(endpoint, model, usage, at) * (30 if model == "m-1" else 1)

    writer.always = 20
    caps = SpendingCaps(session_pico_usd=2_000 * PICO)
    endpoint = Endpoint(name="one", base_url=upstream.url("writer"), api_key="key-12345678")
    ask = ChatRequest(messages=HI, max_output_tokens=20, session_id="one")
    with Gateway([endpoint], price=dear, caps=caps) as gateway:
        outcomes = [outcome(gateway, ask) for _ in range(6)]

    assert outcomes.count("ok") == 2
    assert caps.spent(session_id="one")["session"] <= 2_000 * PICO


def _sent_limit(body: dict[str, object]) -> object:
    options = body.get("generationConfig")
    inner = options.get("maxOutputTokens") if isinstance(options, dict) else None
    return body.get("max_tokens") or body.get("max_completion_tokens") or inner


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini", "article_gemini"])
@pytest.mark.parametrize(
    ("model", "wanted"), [("m", DEFAULT_OUTPUT_TOKENS), ("o3", REASONING_OUTPUT_TOKENS)], ids=["plain", "reasoning"]
)
def test_under_a_cap_the_limit_that_was_set_aside_is_sent(
    upstream: HostileUpstream, writer: Writer, dialect: str, model: str, wanted: int
) -> None:
    endpoint = Endpoint(name="one", base_url=upstream.url("writer"), dialect=dialect, api_key="key-12345678")
    with Gateway([endpoint], price=price, caps=SpendingCaps(), policy=Policy(max_attempts=1)) as gateway:
        outcome(gateway, target=Target(endpoint="one", model=model))

    assert _sent_limit(writer.bodies[0]) == wanted


def test_without_a_cap_nothing_is_added_to_the_request(upstream: HostileUpstream, writer: Writer) -> None:
    endpoint = Endpoint(name="one", base_url=upstream.url("writer"), api_key="key-12345678")
    with Gateway([endpoint], price=price) as gateway:
        outcome(gateway)

    assert _sent_limit(writer.bodies[0]) is None


def test_half_a_usage_settles_the_whole_reservation(upstream: HostileUpstream) -> None:
    caps = SpendingCaps(session_pico_usd=10**9)
    half = http(200, completion(usage={"prompt_tokens": 10}))
    with HostileUpstream({"half": half}) as server:
        endpoint = Endpoint(name="one", base_url=server.url("half"), api_key="key-12345678")
        ask = ChatRequest(messages=HI, max_output_tokens=20, session_id="one")
        with Gateway([endpoint], price=price, caps=caps) as gateway:
            reply = gateway.chat(ask, [TARGET])

    set_aside = estimate_usage(ask)
    assert (reply.pico_usd, reply.is_lower_bound) == (10 * PICO, True)
    assert caps.spent(session_id="one")["session"] == price(endpoint, "m", set_aside, None)


def test_a_call_cancelled_before_its_connection_stands_costs_nothing() -> None:
    records: list[CallRecord] = []
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        time.sleep(0.05)
        endpoint = Endpoint(name="one", base_url=f"http://127.0.0.1:{full.getsockname()[1]}/v1", api_key="key-12345678")
        with Gateway([endpoint], price=price, on_call=records.append) as gateway:
            stream = gateway.stream(ASK, [TARGET])
            time.sleep(0.1)
            stream.close()
            time.sleep(0.1)
        for one in waiting:
            one.close()

    assert [(one.outcome, one.pico_usd, one.is_lower_bound) for one in records] == [("cancelled", 0, False)]


def test_a_call_cancelled_after_it_was_sent_may_cost_something(upstream: HostileUpstream) -> None:
    records: list[CallRecord] = []
    endpoint = Endpoint(name="one", base_url=upstream.url("hang"), api_key="key-12345678")
    with Gateway([endpoint], price=price, on_call=records.append) as gateway:
        stream = gateway.stream(ASK, [TARGET])
        while not upstream.count("hang"):
            time.sleep(0.01)
        stream.close()
        time.sleep(0.1)

    assert [(one.outcome, one.pico_usd, one.is_lower_bound) for one in records] == [("cancelled", None, True)]


@pytest.fixture
def route() -> Route:
    endpoint = Endpoint(name="one", base_url="http://127.0.0.1:9/v1", tokens_per_min=1_000)
    return Router([endpoint], draw=lambda: 0.5).route(TARGET)


def _admitted(counters: _Counters, route: Route) -> int:
    total = 0
    while counters.take(route, 100) is None:
        total += 100
    return total


def test_tokens_of_a_minute_that_is_over_are_not_given_back(route: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    limits, now = RateLimits(), [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    assert limits._local.take(route, 900) is None
    now[0] += 61
    limits.settle(route, 900, 10, taken_at=1_000_000.0)

    assert _admitted(limits._local, route) == 1_000


def test_tokens_are_not_given_back_to_the_minute_after(route: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    limits, now = RateLimits(), [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    assert limits._local.take(route, 900) is None
    now[0] += 61
    assert limits._local.take(route, 500) is None
    limits.settle(route, 900, 10, taken_at=1_000_000.0)

    assert _admitted(limits._local, route) == 500


def test_tokens_are_given_back_within_the_minute(route: Route) -> None:
    limits = RateLimits()
    taken_at = time.time()
    assert limits._local.take(route, 900) is None
    limits.settle(route, 900, 100, taken_at)

    assert _admitted(limits._local, route) == 900


def test_a_request_larger_than_the_limit_gives_back_no_more_than_it_took(route: Route) -> None:
    limits = RateLimits()
    taken_at = time.time()
    assert limits._local.take(route, 5_000) is None
    limits.settle(route, 5_000, 200, taken_at)

    assert _admitted(limits._local, route) == 800


@pytest.mark.parametrize("limit", ["tokens_per_min", "requests_per_min"])
def test_a_limit_of_zero_lets_nothing_through(upstream: HostileUpstream, limit: str) -> None:
    endpoint = Endpoint(name="one", base_url=upstream.url("good"), **{limit: 0})  # type: ignore[arg-type]
    with Gateway([endpoint], policy=Policy(deadline_s=1)) as gateway:
        assert [outcome(gateway) for _ in range(3)] == ["client_limit"] * 3
    assert upstream.count("good") == 0


@pytest.mark.parametrize(
    ("caps", "wanted"),
    [
        (SpendingCaps(), "ok"),
        (SpendingCaps(user_day_pico_usd=10**12), "ok"),
        (SpendingCaps(session_pico_usd=10**12), "spending_cap"),
        (SpendingCaps(day_pico_usd=10**12), "spending_cap"),
    ],
    ids=["none", "another's", "session", "day"],
)
def test_a_model_without_a_price_is_refused_only_under_a_cap_of_its_call(caps: SpendingCaps, wanted: str) -> None:
    with HostileUpstream() as server:
        endpoint = Endpoint(name="one", base_url=server.url("good"), api_key="key-12345678")
        with Gateway([endpoint], caps=caps) as gateway:
            assert outcome(gateway) == wanted
    assert caps.reserved_pico_usd == 0


def test_a_cap_that_moves_keeps_what_is_set_aside_and_spent() -> None:
    caps = SpendingCaps(session_pico_usd=100)
    open_one = caps.reserve(80, session_id="one")
    caps.limit_session(101)
    with pytest.raises(SpendingCapError):
        caps.reserve(80, session_id="one")
    caps.settle(open_one, 50)
    caps.limit_session(None)
    caps.settle(caps.reserve(10**6, session_id="one"), 0)
    caps.limit_session(60)

    assert caps.spent(session_id="one")["session"] == 50
    with pytest.raises(SpendingCapError):
        caps.reserve(11, session_id="one")
    with pytest.raises(ValueError, match="pico_usd"):
        caps.limit_session(-1)
