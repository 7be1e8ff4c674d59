"""A maker of entries, and the judge of whether log and roll-ups agree."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select

from core.usage.entries import Entry
from core.usage.tables import DAYS, DIMENSIONS, HOURS, LOG, MEASURES
from core.usage.tally import Tally, days_of, hours_of
from core.usage.write import as_entry

NOON_MS = 1_790_000_000_000 // 86_400_000 * 86_400_000 + 43_200_000


def entry_of(call_id: str = "call-1", attempt_number: int = 0, **changes: Any) -> Entry:
    """A good call of 1,000 + 500 tokens for 0.006 USD at noon, changed as wished."""
    plain: dict[str, Any] = {
        "call_id": call_id,
        "attempt_number": attempt_number,
        "started_ms": NOON_MS,
        "outcome": "ok",
        "provider_id": "openai",
        "endpoint": "holysheep",
        "model_asked": "gpt-4.1",
        "model_reported": "gpt-4.1",
        "input_tokens": 1_000,
        "cached_input_tokens": 200,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 0,
        "output_tokens": 500,
        "usage_basis": "provider",
        "pico_usd": 6_000_000_000,
        "cost_basis": "computed",
        "ttft_ms": 300,
        "latency_ms": 2_000,
    }
    return Entry(**(plain | changes))


def rollup_of(engine: Engine, table: Any) -> Tally:
    with engine.connect() as connection:
        rows = connection.execute(select(table)).all()
    names = ("period_s", *DIMENSIONS)
    return {
        tuple(getattr(row, name) for name in names): [getattr(row, measure) for measure in MEASURES] for row in rows
    }


def logged(engine: Engine) -> list[Entry]:
    with engine.connect() as connection:
        return [as_entry(row) for row in connection.execute(select(LOG)).all()]


def assert_log_and_rollups_agree(engine: Engine) -> int:
    """Recompute both roll-ups from the raw rows; returns how many rows there are."""
    entries = logged(engine)
    hours = hours_of(entries)
    assert rollup_of(engine, HOURS) == hours
    assert rollup_of(engine, DAYS) == days_of(hours)
    return len(entries)
