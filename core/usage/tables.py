"""Where are calls, attempts, roll-ups and imports kept?"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Engine, Integer, String, Table
from sqlmodel import Field, SQLModel

from core.catalog import writing
from core.usage.histogram import BUCKET_COUNT

DIMENSIONS: tuple[str, ...] = (
    "level",
    "origin",
    "import_id",
    "provider_id",
    "endpoint",
    "model_asked",
    "model_reported",
    "processing",
    "outcome",
    "error_kind",
)
"""What a roll-up row is about, beside its hour or day; `level` is "call" or "attempt"."""

COUNTERS: tuple[str, ...] = (
    "request_count",
    "attempt_count",
    "failover_count",
    "usage_unknown_count",
    "input_tokens",
    "cached_input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_unknown_count",
    "cost_computed_count",
    "lower_bound_count",
    "micro_usd",
    "pico_usd_rest",
    "latency_count",
    "latency_ms_sum",
    "ttft_count",
    "ttft_ms_sum",
    "single_count",
    "single_input_tokens",
    "single_output_tokens",
)
"""Whole numbers that add up. A cost is `micro_usd` * 1,000,000 + `pico_usd_rest` pico-USD: int64 pico-USD alone would
overflow at 9.2 million USD, the pair holds 9.2 trillion USD and stays exact. `single_*` counts the rows of one request
with known usage, the only ones that tell a spread."""

SQUARES: tuple[str, ...] = ("single_input_squares", "single_output_squares")
"""Sums of squared token counts of the single rows: a statistic, so a float (they outgrow int64)."""

LATENCY_BUCKETS: tuple[str, ...] = tuple(f"latency_bucket_{index:02d}" for index in range(BUCKET_COUNT))
TTFT_BUCKETS: tuple[str, ...] = tuple(f"ttft_bucket_{index:02d}" for index in range(BUCKET_COUNT))
MEASURES: tuple[str, ...] = (*COUNTERS, *SQUARES, *LATENCY_BUCKETS, *TTFT_BUCKETS)


class LogRow(SQLModel, table=True):
    """One `Entry`; the raw log. Times in UTC milliseconds, cost in pico-USD, unknown is NULL."""

    __tablename__ = "usage_log"

    call_id: str = Field(primary_key=True)
    attempt_number: int = Field(primary_key=True)
    started_ms: int = Field(sa_type=BigInteger, index=True)
    outcome: str
    origin: str
    import_id: int = Field(index=True)
    provider_id: str
    endpoint: str
    model_asked: str
    model_reported: str
    processing: str
    error_kind: str
    status_code: int | None = None
    request_count: int = Field(sa_type=BigInteger)
    attempt_count: int = Field(sa_type=BigInteger)
    failover_count: int = Field(sa_type=BigInteger)
    input_tokens: int | None = Field(default=None, sa_type=BigInteger)
    cached_input_tokens: int | None = Field(default=None, sa_type=BigInteger)
    cache_write_5m_tokens: int | None = Field(default=None, sa_type=BigInteger)
    cache_write_1h_tokens: int | None = Field(default=None, sa_type=BigInteger)
    output_tokens: int | None = Field(default=None, sa_type=BigInteger)
    reasoning_tokens: int | None = Field(default=None, sa_type=BigInteger)
    usage_basis: str
    pico_usd: int | None = Field(default=None, sa_type=BigInteger)
    cost_basis: str
    is_lower_bound: bool
    ttft_ms: int | None = Field(default=None, sa_type=BigInteger)
    latency_ms: int | None = Field(default=None, sa_type=BigInteger)
    prompt_text: str | None = None


class ImportRow(SQLModel, table=True):
    """One imported file (or the sample), so that it can be listed and removed as a whole."""

    __tablename__ = "usage_import"

    id: int | None = Field(default=None, primary_key=True)
    tool: str
    file_name: str
    imported_ms: int = Field(sa_type=BigInteger)
    row_count: int
    first_ms: int = Field(sa_type=BigInteger)
    last_ms: int = Field(sa_type=BigInteger)


def _rollup(name: str) -> Table:
    """Sums per period start (UTC seconds since 1970) and dimension. Texts are "" where a log row has none."""
    kinds = {"import_id": Integer}
    return Table(
        name,
        SQLModel.metadata,
        Column("period_s", BigInteger, primary_key=True, autoincrement=False),
        *(Column(column, kinds.get(column, String), primary_key=True, autoincrement=False) for column in DIMENSIONS),
        *(Column(column, Double if column in SQUARES else BigInteger, nullable=False) for column in MEASURES),
    )


HOURS = _rollup("usage_hour")
DAYS = _rollup("usage_day")
LOG: Table = SQLModel.metadata.tables["usage_log"]
IMPORTS: Table = SQLModel.metadata.tables["usage_import"]


def create_tables(engine: Engine) -> None:
    """Makes the log's tables that are missing; safe to call by several processes at once. Raises DatabaseProblem."""
    writing.create_tables(engine, [LOG, IMPORTS, HOURS, DAYS])
