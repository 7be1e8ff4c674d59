"""How do several processes write one database without harming each other?"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from sqlalchemy import Engine, Table, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from core.catalog.database import DatabaseProblem, as_problem

Value = TypeVar("Value")
ATTEMPTS = 5
LOOKS, LOOK_S = 10, 0.05
# SQLite and PostgreSQL; the latter also trips over its own catalog when two make the same table at once.
_ALREADY = re.compile(r"already exists|pg_type_typname|pg_class_relname")


def lock_for_writing(opened: Session) -> None:
    """Waits until no other process writes, so that two first starts at once fill the database only once."""
    if opened.get_bind().dialect.name == "sqlite":
        opened.execute(text("BEGIN IMMEDIATE"))
    else:
        opened.execute(text("SELECT pg_advisory_xact_lock(4927351)"))


def create_tables(engine: Engine, tables: Iterable[type[SQLModel] | Table]) -> None:
    """Makes the tables that are missing; safe to call by several processes at once. Raises DatabaseProblem."""
    wanted = [one if isinstance(one, Table) else SQLModel.metadata.tables[str(one.__tablename__)] for one in tables]
    for look in range(LOOKS):
        try:
            SQLModel.metadata.create_all(engine, tables=wanted)
            return
        except DBAPIError as error:
            # Another process may have made one between the look and the making: the next look finds it. With many
            # processes that happens once for each table.
            if look + 1 == LOOKS or not (_ALREADY.search(str(error.orig)) or look == 0):
                raise as_problem(error) from error
            time.sleep(random.uniform(0, LOOK_S))  # no secret, only so that they do not meet again


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
