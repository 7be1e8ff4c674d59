"""What was spent, by day, hour, model, provider, endpoint or outcome? Answered from the roll-ups alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, get_args

from sqlalchemy import Engine, Select, Table, func, literal_column, select

from core.costs.conventions import midnight
from core.money import usd_from_pico
from core.usage.entries import WASTED
from core.usage.histogram import BUCKET_COUNT, percentile_ms
from core.usage.tables import COUNTERS, DAYS, HOURS, MEASURES, SQUARES
from core.usage.tally import DAY_S, PICO_PER_MICRO
from core.usage.write import transaction

Level = Literal["call", "attempt"]
By = Literal["day", "hour", "origin", "provider", "endpoint", "model", "model_asked", "processing", "outcome", "error"]

_COLUMNS: dict[str, str] = {
    "origin": "origin",
    "provider": "provider_id",
    "endpoint": "endpoint",
    "model_asked": "model_asked",
    "processing": "processing",
    "outcome": "outcome",
    "error": "error_kind",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which rows count: whole days in UTC, both ends included; an empty tuple lets everything through.

    `models` compares with the model that answered, or the one asked for when none did.
    """

    since: dt.date | None = None
    until: dt.date | None = None
    origins: tuple[str, ...] = ()
    provider_ids: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums of one group. `key` holds its values in the order asked for; days and hours are UTC seconds since 1970.

    `request_count` is calls (or attempts, by the level asked for), `attempt_count` what was sent for them. Tokens are
    those that are known (`usage_unknown_count` requests lack some); `input_tokens` includes the cached and
    cache-written ones. The known cost is `micro_usd` plus the `pico_usd_rest` below it: `cost_unknown_count` requests
    have none, `cost_computed_count` one that was computed here. `single_*` are sums over rows of exactly one request,
    which alone tell a spread; `*_ms_sum` are milliseconds, and the buckets those of `histogram.UPPER_BOUNDS_MS`.
    """

    key: tuple[Any, ...] = ()
    request_count: int = 0
    attempt_count: int = 0
    failover_count: int = 0
    usage_unknown_count: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_unknown_count: int = 0
    cost_computed_count: int = 0
    lower_bound_count: int = 0
    micro_usd: int = 0
    pico_usd_rest: int = 0
    latency_count: int = 0
    latency_ms_sum: int = 0
    ttft_count: int = 0
    ttft_ms_sum: int = 0
    single_count: int = 0
    single_input_tokens: int = 0
    single_output_tokens: int = 0
    single_input_squares: float = 0.0
    single_output_squares: float = 0.0
    latency_buckets: tuple[int, ...] = (0,) * BUCKET_COUNT
    ttft_buckets: tuple[int, ...] = (0,) * BUCKET_COUNT

    @property
    def pico_usd(self) -> int:
        """The known cost in pico-USD, exact."""
        return self.micro_usd * PICO_PER_MICRO + self.pico_usd_rest

    @property
    def cost_usd(self) -> Decimal | None:
        """Exact sum of the known costs; None when there were requests and not one cost is known."""
        if self.request_count and self.cost_unknown_count >= self.request_count:
            return None
        return usd_from_pico(self.pico_usd)

    @property
    def is_lower_bound(self) -> bool:
        """Whether some of the cost is unknown or may have been higher."""
        return self.cost_unknown_count > 0 or self.lower_bound_count > 0

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def latency_ms(self, share: float) -> float | None:
        """Percentile (`share` 0 to 1) in ms of the time from request to last token; None when none was timed."""
        return percentile_ms(self.latency_buckets, share)

    def ttft_ms(self, share: float) -> float | None:
        """Percentile (`share` 0 to 1) in ms of the time to the first token; None when none was timed."""
        return percentile_ms(self.ttft_buckets, share)

    @property
    def day(self) -> dt.date:
        """The day of a group whose first key is a day or an hour."""
        return dt.datetime.fromtimestamp(int(self.key[0]), tz=dt.UTC).date()


def totals(
    engine: Engine, filters: Filters | None = None, *, by: Sequence[By] = (), level: Level = "call"
) -> list[Totals]:
    """Sums per group, ordered by key; without `by` one group (or none when nothing was logged).

    Level "call" counts what users asked for, "attempt" what was sent: costs belong to the model and endpoint of each
    attempt. Raises DatabaseProblem.
    """
    for name in by:
        if name not in get_args(By):
            raise ValueError(f"by is {name!r}: choose from {', '.join(get_args(By))}.")
    table = HOURS if "hour" in by else DAYS
    keys = [_key(table, name).label(f"key_{index}") for index, name in enumerate(by)]
    sums = [func.sum(table.c[name]).label(name) for name in MEASURES]
    statement = _where(select(*keys, *sums), table, filters or Filters()).where(table.c.level == level)
    if keys:
        statement = statement.group_by(*keys).order_by(*keys)
    with transaction(engine) as connection:
        rows = connection.execute(statement).all()
    return [_totals(row, len(keys)) for row in rows if row.request_count]


def total(engine: Engine, filters: Filters | None = None, *, level: Level = "call") -> Totals:
    """Sums of everything the filters let through; all zero when that is nothing."""
    return next(iter(totals(engine, filters, level=level)), Totals())


def fold(rows: Iterable[Totals], *places: int) -> list[Totals]:
    """The rows summed by the named places of their key, ordered by that; without places all into one."""
    groups: dict[tuple[Any, ...], list[Totals]] = {}
    for row in rows:
        groups.setdefault(tuple(row.key[place] for place in places), []).append(row)
    return [_sum(key, groups[key]) for key in sorted(groups)]


def _sum(key: tuple[Any, ...], rows: Sequence[Totals]) -> Totals:
    if len(rows) == 1:
        return replace(rows[0], key=key)
    figures: dict[str, Any] = {name: sum(getattr(row, name) for row in rows) for name in (*COUNTERS, *SQUARES)}
    return Totals(
        key=key,
        latency_buckets=tuple(map(sum, zip(*(row.latency_buckets for row in rows), strict=True))),
        ttft_buckets=tuple(map(sum, zip(*(row.ttft_buckets for row in rows), strict=True))),
        **figures,
    )


def wasted(engine: Engine, filters: Filters | None = None, *, by: Sequence[By] = ("outcome",)) -> list[Totals]:
    """Attempts that were paid for (or may have been) and gave no whole answer."""
    chosen = filters or Filters()
    outcomes = tuple(name for name in WASTED if not chosen.outcomes or name in chosen.outcomes)
    return totals(engine, replace(chosen, outcomes=outcomes), by=by, level="attempt") if outcomes else []


def choices(engine: Engine) -> dict[str, list[str]]:
    """Every origin, provider, endpoint, model and outcome that occurs, for the filters of a page."""
    found: dict[str, list[str]] = {}
    with transaction(engine) as connection:
        for name in ("origin", "provider", "endpoint", "model", "outcome"):
            key = _key(DAYS, name)
            rows = connection.execute(select(key).where(DAYS.c.level == "attempt").distinct().order_by(key))
            found[name] = [row[0] for row in rows if row[0]]
    return found


def covered_days(engine: Engine, filters: Filters | None = None) -> list[dt.date]:
    """The days that the log speaks of, in order: from the first to the last day with a call of each source.

    A source is one import, or what the gateway logged of its own calls: between its calls a day was quiet, between two
    sources nothing is known.
    """
    sources = (DAYS.c.origin, DAYS.c.import_id)
    ends = select(func.min(DAYS.c.period_s), func.max(DAYS.c.period_s))
    with transaction(engine) as connection:
        spans = connection.execute(_where(ends, DAYS, filters or Filters()).group_by(*sources)).all()
    moments = {second for first, last in spans for second in range(first, last + 1, DAY_S)}
    return [dt.datetime.fromtimestamp(second, tz=dt.UTC).date() for second in sorted(moments)]


def _seconds(day: dt.date) -> int:
    return int(midnight(day).timestamp())


def _key(table: Table, name: str) -> Any:
    if name in {"day", "hour"}:
        return table.c.period_s
    if name == "model":
        # A literal, not a parameter: PostgreSQL must see the same expression in SELECT and GROUP BY.
        return func.coalesce(func.nullif(table.c.model_reported, literal_column("''")), table.c.model_asked)
    return table.c[_COLUMNS[name]]


def _where(statement: Select[Any], table: Table, filters: Filters) -> Select[Any]:
    if filters.since is not None:
        statement = statement.where(table.c.period_s >= _seconds(filters.since))
    if filters.until is not None:
        statement = statement.where(table.c.period_s < _seconds(filters.until) + DAY_S)
    for name, wanted in (
        ("origin", filters.origins),
        ("provider", filters.provider_ids),
        ("endpoint", filters.endpoints),
        ("model", filters.models),
        ("outcome", filters.outcomes),
    ):
        if wanted:
            statement = statement.where(_key(table, name).in_(wanted))
    return statement


def _totals(row: Any, key_count: int) -> Totals:
    # PostgreSQL sums bigints as numeric: every figure is made a plain int again.
    values = tuple(row)
    counters = key_count + len(COUNTERS)
    squares = counters + len(SQUARES)
    buckets = tuple(map(int, values[squares:]))
    figures: dict[str, Any] = dict(zip(COUNTERS, map(int, values[key_count:counters]), strict=True))
    figures |= dict(zip(SQUARES, map(float, values[counters:squares]), strict=True))
    return Totals(
        key=values[:key_count], latency_buckets=buckets[:BUCKET_COUNT], ttft_buckets=buckets[BUCKET_COUNT:], **figures
    )
