"""How is a CSV file of ours read row by row? Typed cells, and a sentence for each row that cannot be used."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row of a file that was left out, and why."""

    file: str
    row: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}: {self.reason}"


Row = Mapping[str, str]
Value = TypeVar("Value")


def read_rows(path: Path, build: Callable[[Row], Value], refused: list[RefusedRow]) -> Iterator[Value]:
    """Builds a value of every row of a CSV file; a row that cannot be used goes to `refused` and the rest goes on."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                try:
                    yield build(row)
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    refused.append(RefusedRow(file=path.name, row=number, reason=_sentence(error)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        refused.append(RefusedRow(file=path.name, row=0, reason=f"the file cannot be read ({type(error).__name__})"))


def _sentence(error: Exception) -> str:
    return f"the column {error} is missing" if isinstance(error, KeyError) else str(error)


def number(row: Row, column: str, *, low: float = 0) -> float:
    """A finite number above `low`; ValueError names the column."""
    text = row[column]
    try:
        value = float(text)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{column} is {text!r}: a number is needed") from error
    if not low < value < float("inf"):
        raise ValueError(f"{column} is {text!r}: it must be above {low:g}")
    return value


def optional(row: Row, column: str) -> float | None:
    """As `number`, None for an empty cell."""
    return number(row, column) if row[column].strip() else None


def words(row: Row, column: str) -> str | None:
    """Text of a cell, None when empty."""
    return row[column].strip() or None


def day(row: Row, column: str) -> dt.date | None:
    """A day such as 2026-10-01, None when empty; ValueError for another shape or a day in the future."""
    text = row[column].strip()
    if not text:
        return None
    try:
        value = dt.date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{column} is {text!r}: a day such as 2026-10-01 is needed") from error
    if value > dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1):
        raise ValueError(f"{column} is {text!r}: a day in the future")
    return value


def one_of(row: Row, column: str, allowed: tuple[str, ...]) -> Any:
    """Text of a cell; ValueError names the column and what it may hold."""
    if row[column] not in allowed:
        raise ValueError(f"{column} is {row[column]!r}: one of {', '.join(allowed)} is needed")
    return row[column]


def required(row: Row, column: str) -> str:
    """Text of a cell without blanks around it; ValueError names a column that is empty."""
    text = row[column].strip()
    if not text:
        raise ValueError(f"{column} is empty")
    return text
