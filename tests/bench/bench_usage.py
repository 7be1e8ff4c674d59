"""Spend from roll-ups against a scan of the raw log, the cost of logging a call, and the speed of an import."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from core.catalog.database import open_engine
from core.gateway.chat import Attempt, CallRecord, ChatRequest, Usage
from core.usage.importing import import_export
from core.usage.imports import read_export
from core.usage.recorder import UsageLog
from core.usage.rollup import total
from core.usage.tables import DAYS, DIMENSIONS, MEASURES, create_tables
from tests.bench import Row, interleaved

LOGGED_ROWS = int(os.environ.get("BREAKEVEN_BENCH_LOG_ROWS", "10000000"))
LOGGED_CALLS = 10_000
IMPORTED_ROWS = 100_000
IMPORT_GOAL_S = 10
# A call to a server on the same machine takes longer than this; 10 % of it is what logging may add.
CALL_S = 0.001
ROUNDS = 4
GROUPS = "started_ms / 86400000 * 86400, model_reported, provider_id, outcome"

RAW = """
CREATE TABLE raw AS
WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < 9999)
SELECT 'call-' || (a.x * 1000 + b.x) call_id, 1 attempt_number,
  1760000000000 + ((a.x * 1000 + b.x) % 365) * 86400000 + (a.x % 24) * 3600000 started_ms,
  CASE (a.x + b.x) % 50 WHEN 0 THEN 'error' WHEN 1 THEN 'partial' ELSE 'ok' END outcome,
  'gateway' origin, 0 import_id, 'provider-' || (b.x % 3) provider_id, 'endpoint-' || (b.x % 3) endpoint,
  'model-' || (b.x % 6) model_asked, 'model-' || (b.x % 6) model_reported, 'standard' processing, '' error_kind,
  200 status_code, 1 request_count, 1 attempt_count, 0 failover_count,
  1000 + (a.x * 7919 + b.x) % 2000 input_tokens, 100 cached_input_tokens, 0 cache_write_5m_tokens,
  0 cache_write_1h_tokens, 500 output_tokens, NULL reasoning_tokens, 'provider' usage_basis,
  6000000000 + b.x pico_usd, 'computed' cost_basis, 0 is_lower_bound, 300 ttft_ms,
  200 + (a.x * 31 + b.x * 7) % 8000 latency_ms, NULL prompt_text
FROM n a, (SELECT x FROM n WHERE x < 1000) b WHERE a.x < ?
"""
SCAN = f"""
SELECT {GROUPS}, count(*), sum(pico_usd), sum(input_tokens), sum(output_tokens), sum(latency_ms)
FROM raw GROUP BY 1, 2, 3, 4
"""


def rows() -> list[Row]:
    """All benchmarks of the usage log."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_spend_page(Path(folder)), _logging(Path(folder)), _import(Path(folder))]


def _spend_page(folder: Path) -> list[Row]:
    from pages.parts.usage_data import read_report

    raw = sqlite3.connect(folder / "raw.db")
    raw.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
    raw.execute(RAW, (max(1, LOGGED_ROWS // 1000),))
    raw.commit()
    start = time.perf_counter()
    groups = raw.execute(SCAN).fetchall()
    scan_s = time.perf_counter() - start
    raw.close()
    count = sum(group[4] for group in groups)
    engine = _rolled_up(folder, groups)
    assert total(engine).request_count == count

    last = dt.datetime.fromtimestamp(max(group[0] for group in groups), tz=dt.UTC).date()
    month_start = last - dt.timedelta(days=29)
    ours = interleaved(
        {
            "year": lambda: read_report(engine, None, last),
            "month": lambda: read_report(engine, month_start, last),
        }
    )
    engine.dispose()
    note = f"{count:,} rows; one pass over the raw rows"
    return [
        Row(what="spend page, 30 days", ours=scan_s, peer=ours["month"], unit="s (scan / ours)", goal=100,
            note=note, higher_is_better=True),
        Row(what="spend page, a year", ours=scan_s, peer=ours["year"], unit="s (scan / ours)", goal=100,
            note=note, higher_is_better=True),
    ]  # fmt: skip


def _rolled_up(folder: Path, groups: list[tuple[object, ...]]) -> Engine:
    """The roll-up rows that the log would have written for the raw rows, calls and attempts."""
    engine = open_engine(f"sqlite:///{folder / 'rollups.db'}")
    create_tables(engine)
    values = []
    for period_s, model, provider, outcome, requests, pico, given, made, latency_ms in groups:
        requests = int(str(requests))
        figures: dict[str, object] = dict.fromkeys(MEASURES, 0)
        figures |= {
            "request_count": requests, "attempt_count": requests, "input_tokens": given, "output_tokens": made,
            "micro_usd": int(str(pico)) // 10**6, "pico_usd_rest": int(str(pico)) % 10**6, "latency_count": requests,
            "latency_ms_sum": latency_ms, "ttft_count": requests, "single_count": requests,
        }  # fmt: skip
        for bucket in range(10, 22):
            figures[f"latency_bucket_{bucket:02d}"] = figures[f"ttft_bucket_{bucket:02d}"] = requests // 12
        names = ("call", "gateway", 0, provider, "endpoint", model, model, "standard", outcome, "")
        for level in ("call", "attempt"):
            values.append(
                {"period_s": period_s, **dict(zip(DIMENSIONS, names, strict=True)), "level": level, **figures}
            )
    with engine.begin() as connection:
        connection.execute(DAYS.insert(), values)
    return engine


def _logging(folder: Path) -> Row:
    """A loop of calls of a known length, with and without handing each to the log."""
    engine = open_engine(f"sqlite:///{folder / 'log.db'}")
    create_tables(engine)
    log = UsageLog(engine)
    with_log: list[float] = []
    without: list[float] = []
    for _ in range(ROUNDS):
        with_log.append(_time_of_calls(log.record))
        without.append(_time_of_calls(lambda _: None))
    is_whole = log.close(60)
    assert is_whole
    assert log.status().written_count == 2 * LOGGED_CALLS
    engine.dispose()
    return Row(
        what=f"{LOGGED_CALLS:,} logged calls", ours=sum(with_log), peer=sum(without),
        unit="s", goal=1.1, note=f"calls of {CALL_S * 1000:g} ms of work; call and attempt recorded",
    )  # fmt: skip


def _time_of_calls(record: Callable[[Attempt | CallRecord], None]) -> float:
    """Seconds of a round of calls that compute for `CALL_S` each: the log's thread competes for the processor."""
    calls = [_record(number) for number in range(LOGGED_CALLS // ROUNDS)]
    start = time.perf_counter()
    for call in calls:
        until = time.thread_time() + CALL_S
        while time.thread_time() < until:
            pass
        record(call.attempts[0])
        record(call)
    return time.perf_counter() - start


def _record(number: int) -> CallRecord:
    moment = dt.datetime.now(dt.UTC)
    call_id = f"{time.perf_counter_ns()}-{number}"
    attempt = Attempt(
        call_id=call_id, attempt_number=1, started_at=moment, endpoint="holysheep", provider_id="openai",
        model_asked="gpt-4.1", model_reported="gpt-4.1", outcome="ok", pico_usd=6_000_000_000, ttft_ms=300.0,
        latency_ms=2_000.0, usage=Usage(input_tokens=1_000, output_tokens=500),
    )  # fmt: skip
    request = ChatRequest(messages=[{"role": "user", "content": "Hello"}])
    return CallRecord(
        call_id=call_id, started_at=moment, outcome="ok", attempts=(attempt,), request=request,
        pico_usd=attempt.pico_usd, latency_ms=2_000.0,
    )  # fmt: skip


def _import(folder: Path) -> Row:
    """An OpenRouter export read and written, against the ten seconds allowed."""
    heading = (
        "generation_id,created_at,cost_total,cost_web_search,cost_cache,cost_file_processing,byok_usage_inference,"
        "tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,model_permaslug,provider_name,variant,cancelled,"
        "streamed,user,finish_reason_raw,finish_reason_normalized,generation_time_ms,time_to_first_token_ms,"
        "api_key_disabled,api_key_name,app_name"
    )
    lines = [
        f"gen-{n},2026-06-{1 + n % 28:02d} {n % 24:02d}:46:57.713,0.006,0,0,0,0,{1_000 + n % 77},500,0,{n % 300},"
        f"openai/gpt-4.1-2025-04-14,OpenAI,standard,false,true,,stop,stop,{2_310 + n % 300},410,false,k1,demo"
        for n in range(IMPORTED_ROWS)
    ]
    data = "\n".join([heading, *lines]).encode()
    engine = open_engine(f"sqlite:///{folder / 'import.db'}")
    create_tables(engine)
    start = time.perf_counter()
    parsed = read_export(data)
    written = import_export(engine, parsed, "bench.csv")
    took_s = time.perf_counter() - start
    engine.dispose()
    assert written == IMPORTED_ROWS
    return Row(
        what=f"import of {IMPORTED_ROWS:,} rows", ours=took_s, peer=IMPORT_GOAL_S, unit="s", goal=1,
        note="OpenRouter CSV, read and committed with roll-ups; peer is the limit",
    )  # fmt: skip
