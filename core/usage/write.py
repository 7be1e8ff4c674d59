"""How do entries and their sums reach the database together, or not at all?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.catalog.database import as_problem
from core.usage.entries import Entry
from core.usage.tables import DAYS, DIMENSIONS, HOURS, LOG, MEASURES
from core.usage.tally import Tally, as_rows, days_of, hours_of

_COLUMNS = tuple(field.name for field in fields(Entry))
_LOOK_UP_AT_ONCE = 5_000


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction: all of it or nothing. A failure of the database is raised as DatabaseProblem."""
    try:
        with engine.begin() as connection:
            yield connection
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise as_problem(error) from error


def write(engine: Engine, entries: Sequence[Entry]) -> int:
    """Log entries and add them to both roll-ups in one transaction; returns how many were new.

    An entry whose call and attempt number are logged already is left out, so writing the same batch again after an
    unclear failure counts nothing twice. Raises DatabaseProblem.
    """
    if not entries:
        return 0
    try:
        with transaction(engine) as connection:
            insert(connection, entries)
        return len(entries)
    except IntegrityError:
        return _write_unknown(engine, entries)


def _write_unknown(engine: Engine, entries: Sequence[Entry]) -> int:
    unique = {(entry.call_id, entry.attempt_number): entry for entry in entries}
    with transaction(engine) as connection:
        known = _known(connection, list(unique))
        fresh = [entry for key, entry in unique.items() if key not in known]
        insert(connection, fresh)
    return len(fresh)


def insert(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add entries and their sums inside the caller's transaction; IntegrityError when one is there already."""
    if not entries:
        return
    # The first statement is a write on purpose: SQLite then waits for its turn instead of failing half-way.
    connection.execute(LOG.insert(), [{name: getattr(entry, name) for name in _COLUMNS} for entry in entries])
    add_sums(connection, hours_of(entries))


def add_sums(connection: Connection, hours: Tally) -> None:
    """Add to both roll-ups inside the caller's transaction."""
    for table, tally in ((HOURS, hours), (DAYS, days_of(hours))):
        rows = as_rows(tally)
        if rows:
            connection.execute(_upsert(table, connection.dialect.name), rows)


def remove(connection: Connection, entries: Sequence[Entry]) -> None:
    """Take entries and their sums out again inside the caller's transaction."""
    for start in range(0, len(entries), _LOOK_UP_AT_ONCE):
        ids = {entry.call_id for entry in entries[start : start + _LOOK_UP_AT_ONCE]}
        connection.execute(delete(LOG).where(LOG.c.call_id.in_(ids)))
    add_sums(connection, hours_of(entries, sign=-1))
    for table in (HOURS, DAYS):
        connection.execute(delete(table).where(table.c.request_count == 0))


def as_entry(row: Any) -> Entry:
    """The entry behind a row of the log."""
    return Entry(**{name: getattr(row, name) for name in _COLUMNS})


def _known(connection: Connection, keys: Sequence[tuple[str, int]]) -> set[tuple[str, int]]:
    identity = tuple_(LOG.c.call_id, LOG.c.attempt_number)
    found: set[tuple[str, int]] = set()
    for start in range(0, len(keys), _LOOK_UP_AT_ONCE):
        wanted = keys[start : start + _LOOK_UP_AT_ONCE]
        rows = connection.execute(select(LOG.c.call_id, LOG.c.attempt_number).where(identity.in_(wanted)))
        found |= {(row.call_id, row.attempt_number) for row in rows}
    return found


@cache
def _upsert(table: Table, dialect: str) -> Any:
    """Insert a roll-up row, or add its measures to the row that is there."""
    statement: Any = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    added = {name: table.c[name] + statement.excluded[name] for name in MEASURES}
    return statement.on_conflict_do_update(index_elements=["period_s", *DIMENSIONS], set_=added)
