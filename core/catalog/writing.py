"""How do several processes write one database without harming each other?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from core.catalog.database import DatabaseProblem, as_problem

Value = TypeVar("Value")
ATTEMPTS = 5


def lock_for_writing(opened: Session) -> None:
    """Waits until no other process writes, so that two first starts at once fill the database only once."""
    if opened.get_bind().dialect.name == "sqlite":
        opened.execute(text("BEGIN IMMEDIATE"))
    else:
        opened.execute(text("SELECT pg_advisory_xact_lock(4927351)"))


def create_tables(engine: Engine, tables: Iterable[type[SQLModel]]) -> None:
    """Makes the tables that are missing. Raises DatabaseProblem."""
    wanted = [SQLModel.metadata.tables[str(table.__tablename__)] for table in tables]
    for attempt in range(ATTEMPTS):
        try:
            SQLModel.metadata.create_all(engine, tables=wanted)
            return
        except DBAPIError as error:
            # Between looking and making, another first start may have made the table: then look again.
            if "already exists" not in str(error) or attempt == ATTEMPTS - 1:
                raise as_problem(error) from error


def patiently(action: Callable[[], Value]) -> Value:
    """Repeats what met a lock that SQLite does not wait for (two processes that switch a new file to WAL at once).

    Each attempt waits up to the busy timeout by itself, so nothing sleeps here. Raises DatabaseProblem.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return action()
        except DatabaseProblem as problem:
            if problem.reason != "locked":
                raise
    return action()
