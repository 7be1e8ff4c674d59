"""How is the database opened, and what does a reader hear when that fails?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from sqlalchemy import Connection, event
from sqlalchemy import Engine as Engine  # for pages, which import no SQL
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, create_engine

BUSY_TIMEOUT_S = 10

Reason = Literal["read_only", "corrupt", "locked", "full", "unreachable"]


class DatabaseProblem(Exception):  # noqa: N818 - a state of the world the page explains, not a fault of the program
    """The database cannot be used; `reason` says why, the text what to do. Nothing has been deleted."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason: Reason = reason


# What SQLite says, in its own words, and the reason that stands for it; the first match counts.
_SIGNS: tuple[tuple[str, Reason], ...] = (
    ("readonly", "read_only"),
    ("read-only", "read_only"),
    ("not a database", "corrupt"),
    ("malformed", "corrupt"),
    ("locked", "locked"),
    ("busy", "locked"),
    ("disk is full", "full"),
    ("disk i/o error", "full"),
)
_REMEDIES: dict[Reason, str] = {
    "read_only": "The database file is read-only: allow writing to it and its folder, or set another DATABASE_URL.",
    "corrupt": "The database file is damaged or no SQLite file: move it away, a new one is made at the next start.",
    "locked": "The database is locked by another program: end that program or wait, then reload.",
    "full": "The disk of the database is full or failing: free some space, then reload.",
    "unreachable": "The database cannot be reached: check DATABASE_URL and that its folder or server exists.",
}


def as_problem(error: BaseException) -> DatabaseProblem:
    """The problem behind a driver's error."""
    words = str(error).lower()
    reason: Reason = next((reason for sign, reason in _SIGNS if sign in words), "unreachable")
    return DatabaseProblem(reason, _REMEDIES[reason])


def open_engine(url: str) -> Engine:
    """An engine for `url` that has answered once; SQLite in WAL mode. Raises DatabaseProblem."""
    is_sqlite = url.startswith("sqlite")
    options: dict[str, Any] = (
        {"connect_args": {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}} if is_sqlite else {}
    )
    try:
        engine = create_engine(url, **options)
        if is_sqlite:
            event.listen(engine, "connect", _set_pragmas)
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master" if is_sqlite else "SELECT 1")
    except (DBAPIError, sqlite3.Error, OSError) as error:
        raise as_problem(error) from error
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    # A reader never waits for the writer under WAL, and NORMAL loses no committed row when the process is killed.
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
    except sqlite3.OperationalError as error:
        # A read-only file still opens for reading; writing to it fails later with its own reason.
        if "readonly" not in str(error):
            raise
    finally:
        cursor.close()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for one short question, a third of a session's price. Its errors become DatabaseProblem."""
    try:
        with engine.connect() as opened:
            yield opened
    except DBAPIError as error:
        raise as_problem(error) from error


@contextmanager
def session(engine: Engine) -> Iterator[Session]:
    """A short session in one transaction: committed at the end, rolled back on any error.

    The database's own errors become DatabaseProblem, all others are raised as they are.
    """
    with Session(engine, expire_on_commit=False) as opened:
        try:
            yield opened
            opened.commit()
        except DBAPIError as error:
            opened.rollback()
            raise as_problem(error) from error
        except BaseException:
            opened.rollback()
            raise
