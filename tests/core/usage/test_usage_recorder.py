"""What the gateway hands over becomes rows that say neither more nor less."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from core.gateway.chat import Attempt, CallRecord, ChatRequest, Usage
from core.gateway.demo import ENDPOINT_PREFIX
from core.gateway.errors import AuthError, OverloadedError
from core.usage.recorder import DEMO_PREFIX, UsageLog, attempt_entry, call_entry
from core.usage.rollup import total, totals, wasted
from tests.core.usage.helpers import NOON_MS, assert_log_and_rollups_agree, logged

ROOT = Path(__file__).resolve().parents[3]
NOON = dt.datetime.fromtimestamp(NOON_MS / 1_000, tz=dt.UTC)
SECRET = "sk-live-1234567890abcdef"  # invented for this test


def attempt_of(number: int = 1, **changes: Any) -> Attempt:
    plain: dict[str, Any] = {
        "call_id": "c1",
        "attempt_number": number,
        "started_at": NOON,
        "endpoint": "holysheep",
        "provider_id": "openai",
        "model_asked": "gpt-4.1",
        "model_reported": "gpt-4.1-2025-04-14",
        "outcome": "ok",
        "usage": Usage(input_tokens=100, cached_input_tokens=40, output_tokens=50),
        "pico_usd": 600_000_000,
        "ttft_ms": 310.4,
        "latency_ms": 1_999.6,
        "credential": "salted",
    }
    return Attempt(**(plain | changes))


def call_of(*attempts: Attempt, **changes: Any) -> CallRecord:
    plain: dict[str, Any] = {
        "call_id": "c1",
        "started_at": NOON,
        "outcome": "ok",
        "attempts": attempts,
        "request": ChatRequest(messages=[{"role": "user", "content": "the secret plan"}]),
        "pico_usd": sum(one.pico_usd or 0 for one in attempts),
        "latency_ms": 2_500.0,
    }
    return CallRecord(**(plain | changes))


FAILED = attempt_of(
    1,
    endpoint="first",
    outcome="error",
    error=OverloadedError(f"key {SECRET}", upstream_text=SECRET),
    status_code=529,
    usage=None,
    model_reported=None,
    pico_usd=0,
)


def test_an_attempt_is_kept_with_what_is_known_of_it() -> None:
    entry = attempt_entry(attempt_of())

    assert (entry.input_tokens, entry.cached_input_tokens, entry.output_tokens) == (100, 40, 50)
    assert entry.cache_write_5m_tokens is None
    assert (entry.ttft_ms, entry.latency_ms) == (310, 2_000)
    assert entry.started_ms == NOON_MS
    assert (entry.origin, entry.usage_basis, entry.cost_basis) == ("gateway", "provider", "computed")


def test_missing_usage_stays_unknown() -> None:
    entry = attempt_entry(attempt_of(usage=None, pico_usd=None))

    assert (entry.input_tokens, entry.pico_usd) == (None, None)
    assert (entry.usage_basis, entry.cost_basis) == ("unknown", "unknown")


def test_a_call_sums_its_attempts_and_counts_its_failovers() -> None:
    partial = attempt_of(2, endpoint="second", outcome="partial", pico_usd=5)
    entry = call_entry(call_of(FAILED, partial, attempt_of(3, endpoint="second"), pico_usd=600_000_005))

    assert (entry.attempt_count, entry.failover_count) == (3, 1)
    assert (entry.input_tokens, entry.pico_usd) == (200, 600_000_005)
    assert entry.endpoint == "second"


def test_a_call_that_never_left_has_no_attempts() -> None:
    entry = call_entry(call_of(outcome="error", error=AuthError("no key"), pico_usd=None))

    assert (entry.attempt_count, entry.error_kind, entry.input_tokens) == (0, "auth", None)


def test_calls_to_the_demo_upstream_are_kept_apart() -> None:
    assert attempt_entry(attempt_of(endpoint="demo-openai")).origin == "demo"
    assert call_entry(call_of(attempt_of(endpoint="demo-openai"))).origin == "demo"
    assert attempt_entry(attempt_of(endpoint="demolition")).origin == "gateway"
    assert ENDPOINT_PREFIX == DEMO_PREFIX


def test_attempts_and_their_call_are_logged_once_each(engine: Engine) -> None:
    log = UsageLog(engine, linger_s=0.0)
    log.record(FAILED)
    log.record(attempt_of(2))
    log.record(call_of(FAILED, attempt_of(2)))

    assert log.close()
    assert assert_log_and_rollups_agree(engine) == 3
    assert total(engine).failover_count == 1
    assert [row.key for row in wasted(engine, by=["error"])] == [("overloaded",)]


def test_a_call_alone_brings_its_attempts_along(engine: Engine) -> None:
    log = UsageLog(engine, linger_s=0.0)
    log.record(call_of(FAILED, attempt_of(2)))

    assert log.close()
    assert total(engine, level="attempt").request_count == 2
    assert [row.key for row in totals(engine, by=["endpoint"], level="attempt")] == [("first",), ("holysheep",)]


def test_the_prompt_is_kept_only_when_asked_for(engine: Engine) -> None:
    assert call_entry(call_of(attempt_of())).prompt_text is None
    assert call_entry(call_of(attempt_of()), keep_prompt=True).prompt_text == "user: the secret plan"


def test_no_key_and_no_prompt_reach_the_database(engine: Engine, url: str) -> None:
    log = UsageLog(engine, linger_s=0.0)
    log.record(call_of(FAILED, attempt_of(2)))
    assert log.close()

    everything = repr(logged(engine))
    assert SECRET not in everything
    assert "secret plan" not in everything
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    with open(url.removeprefix("sqlite:///"), "rb") as file:
        content = file.read()
    assert SECRET.encode() not in content
    assert b"secret plan" not in content


# A program that ends while a stream runs and closes nothing.
LEAVER = """
    import sys
    from core.catalog.database import open_engine
    from core.gateway import ChatRequest, Endpoint, Gateway, Target
    from core.usage.recorder import UsageLog
    from tests.faults.upstream import HostileUpstream, delta, drip, sse, until_close

    begun = until_close(sse(delta("x", usage={"prompt_tokens": 1000, "completion_tokens": 1})))
    server = HostileUpstream({"drip": drip(begun, sse(delta("x")))}).__enter__()
    log = UsageLog(open_engine(sys.argv[1]))
    endpoints = [Endpoint(name=name, base_url=server.url(name)) for name in ("drip", "good")]
    gateway = Gateway(endpoints, on_attempt=log.record, on_call=log.record)
    ask = ChatRequest(messages=[{"role": "user", "content": "hi"}])
    if sys.argv[2] == "after others":
        gateway.chat(ask, [Target(endpoint="good", model="m")])
    running = gateway.stream(ask, [Target(endpoint="drip", model="m")])
    print(next(running).kind)
"""


@pytest.mark.parametrize("mode", ["first", "after others"])
def test_a_call_that_runs_when_the_program_ends_is_in_the_log(url: str, engine: Engine, mode: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(LEAVER), url, mode]
    environment = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=True)

    assert ended.stdout.split() == ["text"]
    rows = [(row.attempt_number, row.outcome, row.input_tokens) for row in logged(engine)]
    assert [row for row in rows if row[1] != "ok"] == [(1, "cancelled", 1000), (0, "cancelled", 1000)]
    assert len(rows) == (2 if mode == "first" else 4)
