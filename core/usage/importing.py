"""How does an export become part of the log: as a whole, once, and removable?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, delete, func, select
from sqlalchemy.exc import IntegrityError

from core.usage.entries import THE_CALL, Entry
from core.usage.files import SAMPLE_TOOL, register
from core.usage.imports import ExportRow, ParsedExport
from core.usage.tables import HOURS, IMPORTS, LOG
from core.usage.write import as_entry, insert, remove, transaction

Price = Callable[[str, ExportRow], int | None]
"""Cost in pico-USD of an exported row on a catalog model; None when the catalog has no price."""

Progress = Callable[[int, int], None]
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """One exported model name and how much of the file it is."""

    model: str
    provider_id: str
    request_count: int
    total_tokens: int
    unpriced_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What importing would do. `overlap_count` is calls the gateway logged itself in the same hours: if they went
    through the same tool they would be counted twice."""

    new_count: int
    same_count: int
    changed_count: int
    overlap_count: int
    models: tuple[ModelUse, ...]


def preview(engine: Engine, parsed: ParsedExport) -> Preview:
    """Compare a file with the log, writing nothing. Raises DatabaseProblem."""
    with transaction(engine) as connection:
        fresh, replaced = _sort(connection, parsed)
        overlap = _overlap(connection, parsed.rows)
    return Preview(
        new_count=len(fresh) - len(replaced),
        changed_count=len(replaced),
        same_count=len(parsed.rows) - len(fresh),
        overlap_count=overlap,
        models=_model_uses(parsed.rows),
    )


def import_export(
    engine: Engine,
    parsed: ParsedExport,
    file_name: str,
    *,
    models: Mapping[str, str] | None = None,
    price: Price | None = None,
    on_progress: Progress = lambda _done, _total: None,
    now_s: Callable[[], float] = time.time,
) -> int:
    """Add a file's rows in one transaction: all or nothing. Returns how many were new or changed.

    Rows already in the log are left alone; a row whose figures have changed since (a day exported before it was
    over) replaces the old one. `models` maps exported names to "provider/model" of the catalog; `price` prices rows
    that carry no cost. Raises DatabaseProblem, after which nothing has changed.
    """

    def once() -> int:
        return _import(engine, parsed, file_name, models or {}, price, on_progress, int(now_s() * 1_000))

    try:
        return once()
    except IntegrityError:
        # Another process imported the same rows meanwhile: the second look finds them there.
        return once()


def _import(
    engine: Engine,
    parsed: ParsedExport,
    file_name: str,
    models: Mapping[str, str],
    price: Price | None,
    on_progress: Progress,
    now_ms: int,
) -> int:
    with transaction(engine) as connection:
        import_id = _register(connection, parsed, file_name, now_ms)
        fresh, replaced = _sort(connection, parsed)
        for start in range(0, len(replaced), _AT_ONCE):
            remove(connection, _with_attempts(connection, replaced[start : start + _AT_ONCE]))
        for start in range(0, len(fresh), _AT_ONCE):
            chunk = fresh[start : start + _AT_ONCE]
            entries = [e for row in chunk for e in _entries(row, parsed.tool, import_id, models, price)]
            insert(connection, entries)
            on_progress(start + len(chunk), len(fresh))
        if not fresh:
            connection.execute(delete(IMPORTS).where(IMPORTS.c.id == import_id))
        else:
            connection.execute(IMPORTS.update().where(IMPORTS.c.id == import_id).values(row_count=len(fresh)))
    return len(fresh)


def _register(connection: Connection, parsed: ParsedExport, file_name: str, now_ms: int) -> int:
    # Writing first takes SQLite's write lock before anything is compared, so no other import can come between.
    return register(connection, parsed.tool, file_name, now_ms, [row.started_ms for row in parsed.rows])


def _call_id(tool: str, row: ExportRow) -> str:
    return f"{tool}:{row.uid}"


def _sort(connection: Connection, parsed: ParsedExport) -> tuple[list[ExportRow], list[Entry]]:
    """Rows to write, and the logged entries that changed ones replace."""
    logged: dict[str, Entry] = {}
    ids = [_call_id(parsed.tool, row) for row in parsed.rows]
    for start in range(0, len(ids), _AT_ONCE):
        wanted = LOG.c.call_id.in_(ids[start : start + _AT_ONCE])
        found = connection.execute(select(LOG).where(wanted, LOG.c.attempt_number == THE_CALL))
        logged |= {row.call_id: as_entry(row) for row in found}
    fresh: list[ExportRow] = []
    replaced: list[Entry] = []
    for row in parsed.rows:
        before = logged.get(_call_id(parsed.tool, row))
        if before is None:
            fresh.append(row)
        elif _differs(row, before):
            fresh.append(row)
            replaced.append(before)
    return fresh, replaced


def _differs(row: ExportRow, logged: Entry) -> bool:
    figures = (row.started_ms, row.outcome, row.request_count, row.input_tokens, row.output_tokens)
    kept = (logged.started_ms, logged.outcome, logged.request_count, logged.input_tokens, logged.output_tokens)
    return (
        figures != kept
        or row.cached_input_tokens != logged.cached_input_tokens
        or (row.pico_usd is not None and row.pico_usd != logged.pico_usd)
    )


def _with_attempts(connection: Connection, calls: Sequence[Entry]) -> list[Entry]:
    found = connection.execute(select(LOG).where(LOG.c.call_id.in_([call.call_id for call in calls])))
    return [as_entry(row) for row in found]


def _entries(
    row: ExportRow, tool: str, import_id: int, models: Mapping[str, str], price: Price | None
) -> tuple[Entry, Entry]:
    """The call and its one attempt that an exported row stands for."""
    model = models.get(row.model, "")
    computed = price(model, row) if row.pico_usd is None and price is not None and model else None
    call = Entry(
        call_id=_call_id(tool, row),
        attempt_number=THE_CALL,
        started_ms=row.started_ms,
        outcome=row.outcome,
        origin="import" if tool != SAMPLE_TOOL else "sample",
        import_id=import_id,
        provider_id=row.provider_id,
        endpoint=tool,
        model_asked=row.model,
        model_reported=model,
        processing=row.processing,
        request_count=row.request_count,
        attempt_count=row.request_count,
        input_tokens=row.input_tokens,
        cached_input_tokens=row.cached_input_tokens,
        cache_write_5m_tokens=row.cache_write_tokens,
        cache_write_1h_tokens=0,
        output_tokens=row.output_tokens,
        reasoning_tokens=row.reasoning_tokens,
        usage_basis="provider",
        pico_usd=row.pico_usd if row.pico_usd is not None else computed,
        cost_basis="billed" if row.pico_usd is not None else ("unknown" if computed is None else "computed"),
        ttft_ms=row.ttft_ms,
        latency_ms=row.latency_ms,
    )
    return call, replace(call, attempt_number=1)


def _overlap(connection: Connection, rows: Sequence[ExportRow]) -> int:
    """Calls the gateway logged between the first and the last row."""
    if not rows:
        return 0
    first, last = min(row.started_ms for row in rows) // 1_000, max(row.started_ms for row in rows) // 1_000
    wanted = (HOURS.c.level == "call") & (HOURS.c.origin == "gateway")
    within = (HOURS.c.period_s >= first - first % 3_600) & (HOURS.c.period_s <= last)
    return int(connection.execute(select(func.sum(HOURS.c.request_count)).where(wanted, within)).scalar() or 0)


def _model_uses(rows: Sequence[ExportRow]) -> tuple[ModelUse, ...]:
    sums: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        found = sums.setdefault((row.model, row.provider_id), [0, 0, 0])
        found[0] += row.request_count
        found[1] += row.input_tokens + row.output_tokens
        found[2] += 0 if row.pico_usd is not None else 1
    uses = [
        ModelUse(model=model, provider_id=provider, request_count=n, total_tokens=tokens, unpriced_count=unpriced)
        for (model, provider), (n, tokens, unpriced) in sums.items()
    ]
    return tuple(sorted(uses, key=lambda use: -use.total_tokens))
