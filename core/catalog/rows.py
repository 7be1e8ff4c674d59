"""How is a CSV file of ours read row by row? Typed cells, and a sentence for each row that cannot be used."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from core.i18n import DEFAULT_LANGUAGE, Said, SaidError, said, t


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row of a file that was left out, and why; row 0 stands for the whole file.

    Feeds, whose rows only commands count, may say the reason in English alone.
    """

    file: str
    row: int
    reason: Said | str

    def text(self, lang: str) -> str:
        """The row and its reason as a sentence of a language."""
        place = "catalog.refused_row" if self.row else "catalog.refused_file"
        return t(place, lang, file=self.file, row=self.row, reason=self.reason)

    def __str__(self) -> str:
        return self.text(DEFAULT_LANGUAGE)


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
        why = said("catalog.file_unreadable", error=type(error).__name__)
        refused.append(RefusedRow(file=path.name, row=0, reason=why))


def _sentence(error: Exception) -> Said:
    if isinstance(error, SaidError):
        return error.said
    if isinstance(error, KeyError):
        return said("catalog.row_missing", column=error.args[0])
    return said("catalog.row_unusable", detail=error)


def number(row: Row, column: str, *, low: float = 0) -> float:
    """A finite number above `low`; SaidError names the column."""
    text = row[column]
    try:
        value = float(text)
    except (TypeError, ValueError) as error:
        raise SaidError(said("catalog.row_no_number", column=column, given=text)) from error
    if not low < value < float("inf"):
        raise SaidError(said("catalog.row_not_above", column=column, given=text, low=f"{low:g}"))
    return value


def optional(row: Row, column: str) -> float | None:
    """As `number`, None for an empty cell."""
    return number(row, column) if row[column].strip() else None


def words(row: Row, column: str) -> str | None:
    """Text of a cell, None when empty."""
    return row[column].strip() or None


def day(row: Row, column: str) -> dt.date | None:
    """A day such as 2026-10-01, None when empty; SaidError for another shape or a day in the future."""
    text = row[column].strip()
    if not text:
        return None
    try:
        value = dt.date.fromisoformat(text)
    except ValueError as error:
        raise SaidError(said("catalog.row_no_day", column=column, given=text)) from error
    if value > dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1):
        raise SaidError(said("catalog.row_future_day", column=column, given=text))
    return value


def one_of(row: Row, column: str, allowed: tuple[str, ...]) -> Any:
    """Text of a cell; SaidError names the column and what it may hold."""
    if row[column] not in allowed:
        raise SaidError(said("catalog.row_no_choice", column=column, given=row[column], allowed=", ".join(allowed)))
    return row[column]


def required(row: Row, column: str) -> str:
    """Text of a cell without blanks around it; SaidError names a column that is empty."""
    text = row[column].strip()
    if not text:
        raise SaidError(said("catalog.row_empty", column=column))
    return text
