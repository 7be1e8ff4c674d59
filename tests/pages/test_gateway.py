"""All visits share one loop, its breakers, limits and caps; keys and endpoints stay with the visit that typed them."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
import streamlit as st

from core.catalog.database import open_engine
from core.gateway import ChatRequest, Endpoint, Gateway, GatewayError, Message, Target, estimate_usage
from core.gateway.demo import DemoControl, DemoServer
from core.gateway.errors import SpendingCapError
from core.gateway.runtime import next_try_s
from core.usage.entries import Entry
from core.usage.tables import create_tables
from core.usage.write import write
from pages.parts import gateway, gateway_money, gateway_places
from pages.parts.gateway_places import RefusedError, typed_endpoint
from pages.parts.state import today
from pages.parts.visit import Allowance, Visit
from tests.faults.upstream import HostileUpstream, Script, delta, http, sse, then_hang, until_close

KEY = "zz-typed-0123456789"  # invented for this test
MODEL = "gpt-4.1"
As = Callable[[Visit], Gateway]


@pytest.fixture(scope="module")
def upstream() -> Iterator[DemoServer]:
    """An OpenAI-compatible server that is none of the program's own."""
    with DemoServer(DemoControl(speed=500)) as server:
        yield server


@pytest.fixture
def as_visit(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[As]:
    """The gateway as a visit gets it; from then on the pages' functions take that visit for the present one."""
    monkeypatch.setenv("BREAKEVEN_DATABASE_URL", database_url)
    monkeypatch.setenv("BREAKEVEN_DEMO_SPEED", "500")
    st.cache_resource.clear()

    def gateway_of(who: Visit) -> Gateway:
        for module in ("gateway", "gateway_places", "gateway_money"):
            monkeypatch.setattr(f"pages.parts.{module}.visit", lambda: who)
        return gateway.gateway()

    yield gateway_of
    st.cache_resource.clear()


def ask(prompt: str = "Hello", **labels: str) -> ChatRequest:
    return ChatRequest(messages=[Message(role="user", content=prompt)], max_output_tokens=20, **labels)


def operator_endpoint(upstream: DemoServer, monkeypatch: pytest.MonkeyPatch) -> Target:
    """The operator gives an address and a key, by settings alone."""
    monkeypatch.setenv("BREAKEVEN_BASE_URL_PROXY", f"{upstream.origin}/openai/v1")
    monkeypatch.setenv("PROXY_API_KEY", "zz-server-0123456789")
    return Target(endpoint="proxy", model=MODEL)


def test_visits_share_a_loop_and_the_breakers_of_the_servers_keys(
    as_visit: As, upstream: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = operator_endpoint(upstream, monkeypatch)
    one, two = as_visit(Visit()), as_visit(Visit())
    upstream.control.set_fault(MODEL, "server_error", key="zz-server-0123456789")
    try:
        with pytest.raises(GatewayError):
            one.chat(ask(), [target])
    finally:
        upstream.control.heal(key="zz-server-0123456789")

    assert one is not two
    assert two.breaker_state(target) == "open"
    assert 0 < (next_try_s(two, target) or 0) <= 30
    two.chat(ask(), [Target(endpoint="demo-openai", model=MODEL)])
    assert sum(thread.name == "gateway" for thread in threading.enumerate()) == 1


def test_a_typed_key_has_breakers_of_its_own_and_serves_nobody_else(
    as_visit: As, upstream: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = operator_endpoint(upstream, monkeypatch)
    mine = as_visit(Visit(keys={"proxy": KEY}))
    other = as_visit(Visit())
    upstream.control.set_fault(MODEL, "server_error", key=KEY)
    try:
        with pytest.raises(GatewayError):
            mine.chat(ask(), [target])
        assert other.chat(ask(), [target]).outcome == "ok"
    finally:
        upstream.control.heal(key=KEY)

    assert {one.api_key for one in mine.endpoints if one.name == "proxy"} == {KEY}
    assert KEY not in {one.api_key for one in other.endpoints}
    assert (mine.breaker_state(target), other.breaker_state(target)) == ("open", "closed")


def test_closing_what_a_visit_holds_ends_nobody_elses_calls(as_visit: As) -> None:
    as_visit(Visit()).close()

    assert as_visit(Visit()).chat(ask(), [Target(endpoint="demo-openai", model=MODEL)]).outcome == "ok"


def test_a_healed_model_is_tried_at_once_and_others_stay_broken(as_visit: As) -> None:
    who = Visit()
    as_visit(who)
    gateway.set_fault(MODEL, "server_error")
    gateway.set_fault("claude-sonnet-4-5", "overloaded")
    target = Target(endpoint="demo-openai", model=MODEL)
    with pytest.raises(GatewayError):
        gateway.gateway().chat(ask(), [target])
    assert gateway.gateway().breaker_state(target) == "open"
    gateway.set_fault(MODEL, "none")

    assert gateway.gateway().chat(ask(), [target]).outcome == "ok"
    assert gateway.demo().control.faults(key=who.demo_key) == {"claude-sonnet-4-5": "overloaded"}


def test_the_operators_limits_hold_for_all_visits_together(
    as_visit: As, upstream: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = operator_endpoint(upstream, monkeypatch)
    monkeypatch.setenv("PROXY_REQUESTS_PER_MIN", "2")
    monkeypatch.setenv("BREAKEVEN_TOKENS_PER_MIN", "1000000")
    one, two = as_visit(Visit()), as_visit(Visit())
    proxy = next(endpoint for endpoint in two.endpoints if endpoint.name == "proxy")
    assert (proxy.requests_per_min, proxy.tokens_per_min) == (2, 1_000_000)
    one.chat(ask(), [target])
    two.chat(ask(), [target])

    replies = one.stream(ask(), [target, Target(endpoint="demo-openai", model=MODEL)])
    assert [event.reply.endpoint for event in replies if event.kind == "done"] == ["demo-openai"]


def spend(database_url: str, origin: str, usd: int) -> None:
    engine = open_engine(database_url)
    create_tables(engine)
    midnight = dt.datetime.combine(today(), dt.time(), dt.UTC)
    entry = Entry(
        call_id=f"{origin}-1",
        attempt_number=1,
        started_ms=int(midnight.timestamp() * 1_000),
        outcome="ok",
        provider_id="openai",
        endpoint=origin,
        origin=origin,  # type: ignore[arg-type]
        pico_usd=usd * 10**12,
        cost_basis="computed",
    )
    write(engine, [entry])
    engine.dispose()


def test_a_cap_of_the_day_counts_what_the_log_knows_and_stops_all_visits(
    as_visit: As, upstream: DemoServer, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    target = operator_endpoint(upstream, monkeypatch)
    monkeypatch.setenv("BREAKEVEN_CAP_USD_PER_DAY", "5")
    spend(database_url, "gateway", 5)
    who = Visit()
    found = as_visit(who)

    with pytest.raises(SpendingCapError):
        found.chat(ask(session_id=who.name, user_id="me"), [target])
    # What is simulated costs nobody anything.
    assert found.chat(ask(session_id=who.name), [Target(endpoint="demo-openai", model=MODEL)]).pico_usd
    monkeypatch.setattr("pages.parts.gateway_money.user_id", lambda: "me")
    assert [(one.about, one.spent_pico_usd, one.cap_usd) for one in gateway_money.cap_states()] == [
        ("day", 5 * 10**12, Decimal(5))
    ]


def test_simulated_and_earlier_spending_does_not_count(
    as_visit: As, upstream: DemoServer, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    target = operator_endpoint(upstream, monkeypatch)
    monkeypatch.setenv("BREAKEVEN_CAP_USD_PER_DAY", "5")
    spend(database_url, "demo", 50)
    reply = as_visit(Visit()).chat(ask(), [target])

    caps = gateway_money.caps()
    assert caps is not None
    assert caps.spent()["day"] == reply.pico_usd
    assert caps.reserved_pico_usd == 0


def test_caps_of_session_and_user_are_kept_apart(
    as_visit: As, upstream: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = operator_endpoint(upstream, monkeypatch)
    monkeypatch.setenv("BREAKEVEN_CAP_USD_PER_SESSION", "0.0004")
    monkeypatch.setenv("BREAKEVEN_CAP_USD_PER_USER", "0.0008")
    found = as_visit(Visit())

    def is_let_through(session: str, user: str) -> bool:
        try:
            return found.chat(ask(session_id=session, user_id=user), [target]).outcome == "ok"
        except SpendingCapError:
            return False

    for session in ("a", "b", "c"):
        while is_let_through(session, "me"):
            pass
    caps = gateway_money.caps()
    assert caps is not None
    assert 0 < caps.spent(session_id="a")["session"] <= 4 * 10**8
    assert caps.spent(user_id="me")["user"] <= 8 * 10**8
    assert is_let_through("d", "you")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "address"),
        ("example.com/v1", "address"),
        ("https://me:secret@example.com", "address"),
        ("https://example.com/v1?x=1", "address"),
        ("http://example.com/v1", "plain"),
        ("http://10.0.0.5:8000/v1", "plain"),
        ("http://169.254.169.254/latest", "forbidden"),
        ("https://169.254.169.254/latest", "forbidden"),
        ("https://2852039166/", "forbidden"),
        ("https://[fd00:ec2::254]/", "forbidden"),
        ("https://metadata.google.internal/v1", "forbidden"),
        ("https://0.0.0.0/v1", "forbidden"),
    ],
)
def test_a_typed_address_that_may_not_be_called_is_refused(url: str, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        typed_endpoint(url, "", (), is_allowed=True)

    assert refused.value.reason == reason


@pytest.mark.parametrize("url", ["https://llm.example.com/v1", "http://127.0.0.1:8001/v1", "http://localhost:8001/v1"])
def test_a_typed_address_is_taken_when_the_operator_allows_it(url: str) -> None:
    found = typed_endpoint(url, KEY, ["m"], is_allowed=True)

    assert (found.base_url, found.api_key, found.models, found.is_user_typed) == (url, KEY, ("m",), True)
    assert found.name.startswith("own-")
    assert KEY not in repr(found)
    with pytest.raises(RefusedError):
        typed_endpoint(url, "", (), is_allowed=False)


def test_an_own_endpoint_can_be_called_and_goes_when_it_is_no_longer_allowed(
    as_visit: As, upstream: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BREAKEVEN_ALLOW_CUSTOM_BASE_URL", "1")
    as_visit(Visit())
    added = gateway_places.add_own(f"{upstream.origin}/openai/v1", KEY)
    models = gateway.models_of(added)

    assert MODEL in models
    assert gateway.gateway().chat(ask(), [Target(endpoint=added.name, model=MODEL)]).outcome == "ok"
    monkeypatch.setenv("BREAKEVEN_ALLOW_CUSTOM_BASE_URL", "0")
    assert added.name not in {one.name for one in gateway.gateway().endpoints}


def test_a_visit_adds_only_so_many_endpoints(as_visit: As, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BREAKEVEN_ALLOW_CUSTOM_BASE_URL", "1")
    as_visit(Visit())
    for number in range(gateway_places.MAX_OWN):
        gateway_places.add_own(f"https://llm{number}.example.com/v1", "")

    with pytest.raises(RefusedError, match="too_many"):
        gateway_places.add_own("https://one-more.example.com/v1", "")


def test_a_known_seller_may_have_another_address(as_visit: As, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BREAKEVEN_BASE_URL_OLLAMA", "http://gpu-box:11434/v1")
    monkeypatch.setenv("BREAKEVEN_MODELS_OLLAMA", "llama3.3,qwen3")
    as_visit(Visit())
    found: dict[str, Endpoint] = {one.name: one for one in gateway.real_endpoints()}

    assert found["ollama"].base_url == "http://gpu-box:11434/v1"
    assert gateway.models_of(found["ollama"]) == ["llama3.3", "qwen3"]
    assert "vllm" not in found


def test_an_allowance_sets_aside_counts_and_can_be_changed() -> None:
    purse = Allowance()
    purse.limit(100)
    release = purse.reserve(60)
    with pytest.raises(SpendingCapError):
        purse.reserve(60)
    assert purse.reserved_pico_usd == 60
    purse.count(30)
    release()
    purse.limit(50)

    assert (purse.spent_pico_usd, purse.reserved_pico_usd) == (30, 0)
    with pytest.raises(SpendingCapError):
        purse.reserve(21)
    purse.reserve(20)()


def test_an_allowance_that_moves_keeps_what_is_set_aside() -> None:
    purse = Allowance()
    purse.limit(100)
    release = purse.reserve(80)
    purse.limit(101)
    with pytest.raises(SpendingCapError):
        purse.reserve(80)
    release()

    assert purse.reserved_pico_usd == 0
    purse.reserve(101)()


@pytest.mark.parametrize(
    ("ip", "url", "is_here"),
    [
        (None, "http://localhost:8501/connections", True),
        (None, "http://127.0.0.1:8501/", True),
        (None, "https://breakeven.example.com/connections", False),
        (None, None, False),
        ("10.0.0.7", "http://localhost:8501/", False),
    ],
)
def test_only_who_sits_at_the_machine_is_here(
    monkeypatch: pytest.MonkeyPatch, ip: str | None, url: str | None, is_here: bool
) -> None:
    monkeypatch.setattr(st, "context", SimpleNamespace(ip_address=ip, url=url))

    assert gateway_places.is_visitor_here() is is_here


CUT = until_close(sse(delta("Half an answer")))
HALF_PRICED = {"prompt_tokens": 100, "completion_tokens": 1}
SLOW = then_hang(until_close(sse(delta("Half", usage=HALF_PRICED))))


@pytest.mark.parametrize(
    ("script", "is_stopped"), [(CUT, False), (SLOW, True), (http(500, "no"), False)], ids=["cut", "stopped", "broken"]
)
def test_what_may_have_been_billed_counts_in_the_visitors_cap(
    as_visit: As, monkeypatch: pytest.MonkeyPatch, script: Script, is_stopped: bool
) -> None:
    who, asked = Visit(), ask()
    with HostileUpstream({"bad": script}) as server:
        monkeypatch.setenv("BREAKEVEN_BASE_URL_OPENAI", server.url("bad"))
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        with as_visit(who).stream(asked, [Target(endpoint="openai", model=MODEL)]) as events:
            for _ in events:
                if is_stopped:
                    break
        until = time.monotonic() + 5
        while not who.allowance.spent_pico_usd and time.monotonic() < until:
            time.sleep(0.01)
        (endpoint,) = [one for one in gateway.endpoints() if one.name == "openai"]

    guess = replace(estimate_usage(asked), source="unknown")
    most = gateway_money.pricer()(endpoint, MODEL, guess, dt.datetime.now(dt.UTC))
    assert most
    attempts = 6 if script == http(500, "no") else 1
    # The part that is known shows as spent, the whole is taken off the cap.
    assert who.spent_pico_usd < most
    assert who.allowance.spent_pico_usd == attempts * most


def test_what_surely_cost_nothing_does_not_count(as_visit: As, monkeypatch: pytest.MonkeyPatch) -> None:
    who = Visit()
    with HostileUpstream({"bad": http(401, {"error": {"message": "no"}})}) as server:
        monkeypatch.setenv("BREAKEVEN_BASE_URL_OPENAI", server.url("bad"))
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        with pytest.raises(GatewayError):
            as_visit(who).chat(ask(), [Target(endpoint="openai", model=MODEL)])
    reply = as_visit(who).chat(ask(), [Target(endpoint="demo-openai", model=MODEL)])

    assert who.allowance.spent_pico_usd == reply.pico_usd
