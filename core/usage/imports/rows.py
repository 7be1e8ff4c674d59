"""What does one row of a usage export say, and why could a row not be taken?"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, Literal

from core.i18n import SaidError, said
from core.money import PICO_PER_USD
from core.usage.entries import MAX_INT, Outcome

RejectKind = Literal[
    "missing", "not_a_number", "negative", "too_large", "not_a_date", "in_future", "parts_exceed_whole", "not_a_row"
]
RefusalKind = Literal["empty", "too_large", "not_text", "broken", "broken_line", "unknown_format", "no_rows"]

EARLIEST = dt.datetime(2015, 1, 1, tzinfo=dt.UTC)
LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
SHOWN_CHARS = 60
ID_MAX_CHARS = 120
SECONDS_DIGITS = 9  # 20261101 is a day
_MAX_DIGITS = 30


class ExportRefusedError(SaidError):
    """A file that cannot be imported at all; `kind` says why, and fills the sentence with what was seen of it."""

    def __init__(self, kind: RefusalKind, **seen: object) -> None:
        super().__init__(said(f"usage.refused_{kind}", **seen))
        self.kind: RefusalKind = kind


class BadFieldError(ValueError):
    """A field of a row that cannot be read; becomes a `RejectedRow`."""

    def __init__(self, kind: RejectKind, field: str, given: object) -> None:
        shown = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, default=str)
        self.kind: RejectKind = kind
        self.field = field
        self.given = shown[:SHOWN_CHARS]
        super().__init__(f"{field}: {self.given!r} ({kind.replace('_', ' ')})")


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that is left out: its number, the field and what stood there.

    Rows are numbered as a spreadsheet does: the heading of a CSV is row 1. Entries of a JSON are counted from 1.
    """

    row_number: int
    kind: RejectKind
    field: str
    given: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRow:
    """One row of an export, in the log's terms (see `Entry`); BadFieldError when parts of the input exceed it.

    `uid` is the same for the same row in every export, so that importing twice counts once. `model` is the name as
    exported ("" when the export does not say). `pico_usd` is what the seller billed, None when the export is silent.
    """

    uid: str
    started_ms: int
    model: str
    provider_id: str = ""
    processing: str = "standard"
    outcome: Outcome = "ok"
    request_count: int = 1
    input_tokens: int
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int
    reasoning_tokens: int | None = None
    pico_usd: int | None = None
    ttft_ms: int | None = None
    latency_ms: int | None = None

    def __post_init__(self) -> None:
        if self.cached_input_tokens + self.cache_write_tokens > self.input_tokens:
            raise BadFieldError("parts_exceed_whole", "cached_input_tokens", self.cached_input_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedExport:
    """A whole file: usable rows, rejected ones, how many it repeats, and whether it says that more pages exist."""

    tool: str
    rows: tuple[ExportRow, ...]
    rejected: tuple[RejectedRow, ...]
    repeated_count: int = 0
    has_more_pages: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One kind of export. `columns` must all be in a CSV's heading; None for tools that export JSON only.

    `records` finds the rows in a JSON document, or returns None when the document is not this tool's.
    """

    tool: str
    read_row: Callable[[Fields], ExportRow]
    columns: frozenset[str] | None = None
    records: Callable[[object], Iterable[object] | None] = lambda _document: None


class Fields:
    """Typed reading of one row; every getter raises BadFieldError naming the field. Moments lie before `before`."""

    __slots__ = ("_before", "_values")

    def __init__(self, values: Mapping[str, object], before: dt.datetime = LATEST) -> None:
        self._values = values
        self._before = before

    def raw(self, name: str) -> object:
        """The value as it stands; None for a missing or empty one."""
        value = self._values.get(name)
        return None if value == "" else value

    def text(self, name: str, default: str | None = None) -> str:
        """A text without blanks around it. Without a default the field is required: else BadFieldError `missing`."""
        value = self.raw(name)
        text = "" if value is None else str(value).strip()
        if not text and default is None:
            raise BadFieldError("missing", name, "")
        return text or default or ""

    def identity(self, name: str) -> str:
        """A required id, shortened to a digest when it is longer than the log keeps."""
        text = self.text(name)
        return text if len(text) <= ID_MAX_CHARS else stable_id(text)

    def count(self, name: str, default: int | None = None) -> int:
        """A whole number from 0; `12.0` counts as 12. BadFieldError for any other, and `missing` without a default."""
        found = self.count_or_none(name)
        found = default if found is None else found
        if found is None:
            raise BadFieldError("missing", name, "")
        return found

    def count_or_none(self, name: str) -> int | None:
        """A whole number from 0, None for a missing one; BadFieldError for anything else."""
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, bool):
            raise BadFieldError("not_a_number", name, value)
        try:
            number = int(value) if isinstance(value, int | str) else _whole(value)
        except ValueError:
            number = _whole_text(name, value)
        return _in_range(name, value, number)

    def pico_usd(self, name: str) -> int | None:
        """USD, to the nearest pico-USD (`6e-06` is exact); None when missing, BadFieldError for no amount from 0."""
        value = self.raw(name)
        if value is None:
            return None
        try:
            amount = Decimal(str(value).strip())
            pico = int((amount * PICO_PER_USD).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
        except (InvalidOperation, ValueError, OverflowError) as error:
            kind: RejectKind = "too_large" if _is_finite(value) else "not_a_number"
            raise BadFieldError(kind, name, value) from error
        return _in_range(name, value, pico)

    def moment_ms(self, name: str) -> int:
        """UTC milliseconds of an ISO date and time, or of seconds since 1970 (as text with 9 digits or more); without a
        zone it is UTC. BadFieldError when it is missing, no date, or not before the limit."""
        value = self.raw(name)
        if isinstance(value, str) and len(value) >= SECONDS_DIGITS and value.isdecimal():
            value = int(value)
        if value is None:
            raise BadFieldError("missing", name, "")
        try:
            if isinstance(value, int | float):
                moment = dt.datetime.fromtimestamp(value, tz=dt.UTC)
            else:
                moment = dt.datetime.fromisoformat(str(value).strip())
        except (ValueError, OverflowError, OSError) as error:
            raise BadFieldError("not_a_date", name, value) from error
        moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment
        if not EARLIEST <= moment < LATEST:
            raise BadFieldError("not_a_date", name, value)
        if moment >= self._before:
            raise BadFieldError("in_future", name, value)
        return int(moment.timestamp() * 1_000)

    def flag(self, name: str) -> bool:
        """True, true, 1 or yes; anything else, and nothing, is False."""
        return str(self._values.get(name)).strip().lower() in {"true", "1", "yes", "t"}


def listed(columns: frozenset[str]) -> Callable[[object], Iterable[object] | None]:
    """`Export.records` of a JSON that is a list of rows, bare or under `data`, the first of which holds `columns`."""

    def records(document: object) -> Iterable[object] | None:
        rows: Any = document.get("data") if isinstance(document, dict) else document
        first = rows[0] if isinstance(rows, list) and rows else None
        return rows if isinstance(first, dict) and first.keys() >= columns else None

    return records


def stable_id(*parts: object) -> str:
    """A short text that is the same for the same parts in every run."""
    joined = "\x1f".join(str(part) for part in parts)
    return hashlib.blake2b(joined.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _whole(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise ValueError(value)


def _whole_text(name: str, value: object) -> int:
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise BadFieldError("not_a_number", name, value) from error
    if amount.is_finite() and amount.adjusted() > _MAX_DIGITS:  # never build the number behind 1e999999999
        raise BadFieldError("too_large", name, value)
    if not amount.is_finite() or amount != int(amount):
        raise BadFieldError("not_a_number", name, value)
    return int(amount)


def _is_finite(value: object) -> bool:
    try:
        return Decimal(str(value).strip()).is_finite()
    except InvalidOperation:
        return False


def _in_range(name: str, value: object, number: int) -> int:
    if number < 0:
        raise BadFieldError("negative", name, value)
    if number > MAX_INT:
        raise BadFieldError("too_large", name, value)
    return number
