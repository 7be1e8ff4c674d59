"""Which files were imported, and how is one taken out again?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, select

from core.usage.entries import NAME_MAX_CHARS
from core.usage.tables import DAYS, HOURS, IMPORTS, LOG
from core.usage.write import transaction

SAMPLE_TOOL = "sample"
"""The tool of the invented log that comes with the program."""

_FILE_FIELDS = ("tool", "file_name", "imported_ms", "row_count", "first_ms", "last_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """An import in the log; times in UTC milliseconds."""

    import_id: int
    tool: str
    file_name: str
    imported_ms: int
    row_count: int
    first_ms: int
    last_ms: int


def imported_files(engine: Engine) -> list[ImportedFile]:
    """Every import, newest first. Raises DatabaseProblem."""
    with transaction(engine) as connection:
        rows = connection.execute(select(IMPORTS).order_by(IMPORTS.c.id.desc())).all()
    return [ImportedFile(import_id=row.id, **{k: getattr(row, k) for k in _FILE_FIELDS}) for row in rows]


def remove_import(engine: Engine, import_id: int) -> None:
    """Take an import out of the log and the roll-ups, in one transaction; nothing happens for an unknown one.

    Raises ValueError for 0, the gateway's own log, and below, and DatabaseProblem.
    """
    if import_id <= 0:
        raise ValueError("import_id 0 is the gateway's own log: it is not an import and cannot be removed as one.")
    with transaction(engine) as connection:
        connection.execute(delete(IMPORTS).where(IMPORTS.c.id == import_id))
        for table in (LOG, HOURS, DAYS):
            connection.execute(delete(table).where(table.c.import_id == import_id))


def register(connection: Connection, tool: str, file_name: str, now_ms: int, entries_ms: Sequence[int]) -> int:
    """A new import's number; `entries_ms` are the times of its rows."""
    # The log refuses what no database can store; the name of a file may hold anything.
    safe_name = "".join(sign for sign in file_name if sign.isprintable())[:NAME_MAX_CHARS]
    values = {
        "tool": tool,
        "file_name": safe_name,
        "imported_ms": now_ms,
        "row_count": len(entries_ms),
        "first_ms": min(entries_ms, default=now_ms),
        "last_ms": max(entries_ms, default=now_ms),
    }
    key = connection.execute(IMPORTS.insert().values(values)).inserted_primary_key
    return int(key[0]) if key else 0
