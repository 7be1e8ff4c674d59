"""What does a month and a half of real use look like? An invented log that can be loaded, looked at and removed."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

from sqlalchemy import Engine, select

from core.costs.tokens_mix import cost_pico_usd
from core.usage.entries import THE_CALL, Entry, Outcome
from core.usage.files import SAMPLE_TOOL, register
from core.usage.measure import UnitPrices
from core.usage.rollup import Totals
from core.usage.tables import IMPORTS
from core.usage.tally import DAY_S, HOUR_S
from core.usage.write import insert, transaction

SAMPLE_DAYS = 45
CALLS_PER_WEEKDAY = 90
_SEED = 20_261_123
_CUT_OFF = 0.006
_RATE_LIMITED = 0.015


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One kind of use: its model, tokens, speed and part of all calls."""

    provider_id: str
    model: str
    share: float
    input_tokens: int
    output_tokens: int
    cached_share: float
    ttft_ms: int
    tokens_per_s: int


_JOBS = (
    _Job(provider_id="openai", model="gpt-4.1", share=0.45, input_tokens=2_400, output_tokens=420,
         cached_share=0.35, ttft_ms=520, tokens_per_s=95),
    _Job(provider_id="anthropic", model="claude-sonnet-4-5", share=0.2, input_tokens=6_800, output_tokens=900,
         cached_share=0.6, ttft_ms=900, tokens_per_s=70),
    _Job(provider_id="google", model="gemini-2.5-flash", share=0.35, input_tokens=1_300, output_tokens=260,
         cached_share=0.0, ttft_ms=380, tokens_per_s=210),
)  # fmt: skip
_STAND_IN = _JOBS[2]


def load_sample(engine: Engine, unit_prices: UnitPrices, *, now_s: float) -> int:
    """Write the sample as an import named "sample"; returns its number of calls, 0 when it is loaded already.

    The same figures for the same day; costs are today's list prices from `unit_prices`. Raises DatabaseProblem.
    """
    calls = sample_calls(unit_prices, now_s=now_s)
    times = [call[0].started_ms for call in calls]
    with transaction(engine) as connection:
        import_id = register(connection, SAMPLE_TOOL, SAMPLE_TOOL, int(now_s * 1_000), times)
        others = select(IMPORTS.c.id).where(IMPORTS.c.tool == SAMPLE_TOOL, IMPORTS.c.id != import_id)
        if connection.execute(others).first():
            connection.rollback()
            return 0
        insert(connection, [replace(entry, import_id=import_id) for call in calls for entry in call])
    return len(calls)


def sample_calls(unit_prices: UnitPrices, *, now_s: float) -> list[list[Entry]]:
    """The calls of the sample, each with its attempts: office hours, quieter weekends, slow growth, one outage."""
    rng = random.Random(_SEED)
    today = int(now_s) // DAY_S * DAY_S
    calls: list[list[Entry]] = []
    for age in range(SAMPLE_DAYS, 0, -1):
        day_s = today - age * DAY_S
        is_weekend = (day_s // DAY_S + 3) % 7 >= 5
        busy = CALLS_PER_WEEKDAY * (0.35 if is_weekend else 1.0) * 1.08 ** ((SAMPLE_DAYS - age) / 30)
        for _ in range(round(busy * rng.uniform(0.85, 1.15))):
            moment_s = day_s + _second_of_day(rng)
            is_outage = age == 12 and 4 * HOUR_S <= moment_s - day_s < 7 * HOUR_S
            calls.append(_call(rng, f"sample-{len(calls)}", moment_s * 1_000, is_outage, unit_prices))
    return calls


def _second_of_day(rng: random.Random) -> int:
    """Mostly between 9 and 19 o'clock in Seoul, which is 0 to 10 in UTC."""
    hour = rng.gauss(5, 2.4) if rng.random() < 0.85 else rng.uniform(0, 24)
    return int((hour % 24) * HOUR_S) % DAY_S


def _call(rng: random.Random, call_id: str, started_ms: int, is_outage: bool, prices: UnitPrices) -> list[Entry]:
    """One call with its attempts. While the first provider is down, or refuses for a moment, another model answers."""
    job = rng.choices(_JOBS, [one.share for one in _JOBS])[0]
    attempts: list[Entry] = []
    if is_outage and job is _JOBS[0]:
        attempts.append(_refused(call_id, 1, started_ms, job, "overloaded", 503, 1_500))
    elif rng.random() < _RATE_LIMITED:
        attempts.append(_refused(call_id, 1, started_ms, job, "rate_limited", 429, 180))
    server = _STAND_IN if attempts else job
    waited_ms = sum(one.latency_ms or 0 for one in attempts)
    answer = _answer(rng, call_id, len(attempts) + 1, started_ms + waited_ms, job, server, prices)
    attempts.append(answer)
    call = replace(
        answer,
        attempt_number=THE_CALL,
        started_ms=started_ms,
        model_asked=job.model,
        attempt_count=len(attempts),
        failover_count=int(len(attempts) > 1 and server is not job),
        ttft_ms=(answer.ttft_ms or 0) + waited_ms,
        latency_ms=(answer.latency_ms or 0) + waited_ms,
    )
    return [call, *attempts]


def _refused(call_id: str, number: int, started_ms: int, job: _Job, kind: str, status: int, ms: int) -> Entry:
    return Entry(
        call_id=call_id,
        attempt_number=number,
        started_ms=started_ms,
        outcome="error",
        origin="sample",
        provider_id=job.provider_id,
        endpoint=job.provider_id,
        model_asked=job.model,
        error_kind=kind,
        status_code=status,
        pico_usd=0,
        cost_basis="computed",
        latency_ms=ms,
    )


def _answer(
    rng: random.Random, call_id: str, number: int, started_ms: int, job: _Job, server: _Job, prices: UnitPrices
) -> Entry:
    is_cut = rng.random() < _CUT_OFF
    given = max(20, round(job.input_tokens * rng.lognormvariate(-0.18, 0.6)))
    made = max(5, round(job.output_tokens * rng.lognormvariate(-0.18, 0.6) * (0.4 if is_cut else 1)))
    cached = round(given * server.cached_share * rng.uniform(0.7, 1.2)) if rng.random() < 0.8 else 0
    cached = min(cached, given)
    ttft_ms = round(server.ttft_ms * math.exp(rng.gauss(0, 0.35)))
    outcome: Outcome = "partial" if is_cut else "ok"
    found = prices(f"{server.provider_id}/{server.model}", "standard", given)
    usage = Totals(input_tokens=given, cached_input_tokens=cached, output_tokens=made)
    return Entry(
        call_id=call_id,
        attempt_number=number,
        started_ms=started_ms,
        outcome=outcome,
        origin="sample",
        provider_id=server.provider_id,
        endpoint=server.provider_id,
        model_asked=server.model,
        model_reported=server.model,
        error_kind="connection_lost" if is_cut else "",
        input_tokens=given,
        cached_input_tokens=cached,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        output_tokens=made,
        usage_basis="provider",
        pico_usd=cost_pico_usd(usage, found) if found else None,
        cost_basis="computed" if found else "unknown",
        is_lower_bound=is_cut,
        ttft_ms=ttft_ms,
        latency_ms=ttft_ms + round(made / server.tokens_per_s * 1_000),
    )
