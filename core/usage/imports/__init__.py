"""Which tool wrote this file of usage, and what does it say? Bytes in, typed and rejected rows out; no I/O.

A new export is one file with an `EXPORT` and one line in `EXPORTS`.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import time
from collections.abc import Callable, Iterable, Mapping

from core.i18n import said
from core.usage.imports import groq, litellm, openai_legacy, openai_usage, openrouter, own
from core.usage.imports.rows import (
    BadFieldError,
    Export,
    ExportRefusedError,
    ExportRow,
    Fields,
    ParsedExport,
    RejectedRow,
)

__all__ = ["EXPORTS", "MAX_BYTES", "ExportRefusedError", "ExportRow", "ParsedExport", "RejectedRow", "read_export"]

EXPORTS: tuple[Export, ...] = (
    openrouter.EXPORT,
    openai_usage.EXPORT,
    openai_legacy.EXPORT,
    litellm.EXPORT,
    groq.EXPORT,
    own.EXPORT,
)
MIB = 1024 * 1024
MAX_BYTES = 100 * MIB
_PROGRESS_EVERY = 5_000
_SHOWN_COLUMNS = 12

Progress = Callable[[int], None]


def read_export(
    data: bytes, on_progress: Progress = lambda _rows: None, *, now_s: Callable[[], float] = time.time
) -> ParsedExport:
    """The rows of an export; `on_progress` hears the number of rows read so far. A row after today (UTC) is rejected.

    Raises ExportRefusedError for a file that is too large, no text, broken, of an unknown tool or without any row.
    """
    if len(data) > MAX_BYTES:
        raise ExportRefusedError("too_large", found=f"{len(data) / MIB:.0f}", limit=MAX_BYTES // MIB)
    text = _text(data)
    if text.lstrip()[:1] in {"{", "["}:
        export, records, has_more = _json(text)
    else:
        export, records, has_more = *_csv(text), False
    today = dt.datetime.fromtimestamp(now_s(), tz=dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return _read(export, records, has_more, today + dt.timedelta(days=1), on_progress)


def _text(data: bytes) -> str:
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ExportRefusedError("not_text") from error
    if not text.strip():
        raise ExportRefusedError("empty")
    if "\x00" in text:
        raise ExportRefusedError("not_text")
    return text


def _json(text: str) -> tuple[Export, Iterable[object], bool]:
    document = _document(text)
    has_more = isinstance(document, dict) and document.get("has_more") is True
    # A file of one line may be one row.
    for found in (document, [document]):
        for export in EXPORTS:
            records = export.records(found)
            if records is not None:
                return export, records, has_more
    raise _unknown(_names(document))


def _document(text: str) -> object:
    """The whole text as JSON, or its lines, each an object (JSON Lines), as a list."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    try:
        return json.loads(text)
    except RecursionError as error:
        raise _broken() from error
    except json.JSONDecodeError as error:
        if not _is_json(lines[0][1]):
            raise _broken(error.lineno if len(lines) > 1 else None) from error
    bad = next((number for number, line in lines if not _is_json(line)), None)
    if bad is not None:
        raise _broken(bad)
    return [json.loads(line) for _, line in lines]


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _broken(line: int | None = None) -> ExportRefusedError:
    return ExportRefusedError("broken") if line is None else ExportRefusedError("broken_line", found=line)


def _names(document: object) -> list[str]:
    """What the first record calls its fields."""
    rows = document.get("data") if isinstance(document, dict) else document
    first = rows[0] if isinstance(rows, list) and rows else document
    return list(first) if isinstance(first, dict) else []


def _csv(text: str) -> tuple[Export, Iterable[object]]:
    # A spend log may hold a whole request in one field; the file's size is bounded already.
    csv.field_size_limit(MAX_BYTES)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = [str(name).strip() for name in reader.fieldnames or []]
    reader.fieldnames = columns
    for export in EXPORTS:
        if export.columns is not None and export.columns <= set(columns):
            return export, reader
    raise _unknown(columns)


def _unknown(found: list[str]) -> ExportRefusedError:
    shown = ", ".join(name[:40] for name in found[:_SHOWN_COLUMNS]) + (", ..." if len(found) > _SHOWN_COLUMNS else "")
    wanted = {export.tool: export.columns for export in EXPORTS if export.columns}
    # One's own table asks for the fewest columns: it stands for whatever is like nothing.
    nearest = max(reversed(wanted), key=lambda tool: len(wanted[tool] & set(found)) / len(wanted[tool]))
    missing = ", ".join(sorted(wanted[nearest] - set(found)))
    return ExportRefusedError(
        "unknown_format", found=shown or "–", tool=said(f"usage.tool_{nearest}"), missing=missing or "–"
    )


def _read(
    export: Export, records: Iterable[object], has_more: bool, before: dt.datetime, on_progress: Progress
) -> ParsedExport:
    rows: dict[str, ExportRow] = {}
    rejected: list[RejectedRow] = []
    number, headings = 0, int(isinstance(records, csv.DictReader))
    try:
        for number, record in enumerate(records, start=1):
            place = number + headings
            try:
                row = export.read_row(Fields(_mapping(record), before))
                rows[row.uid] = row
            except BadFieldError as error:
                rejected.append(RejectedRow(row_number=place, kind=error.kind, field=error.field, given=error.given))
            if number % _PROGRESS_EVERY == 0:
                on_progress(number)
    except csv.Error as error:
        raise ExportRefusedError("broken") from error
    if not number:
        raise ExportRefusedError("no_rows")
    repeated = number - len(rejected) - len(rows)
    return ParsedExport(
        tool=export.tool,
        rows=tuple(rows.values()),
        rejected=tuple(rejected),
        repeated_count=repeated,
        has_more_pages=has_more,
    )


def _mapping(record: object) -> Mapping[str, object]:
    if not isinstance(record, Mapping):
        raise BadFieldError("not_a_row", "row", record)
    if None in record:
        # More fields than headings: an unquoted comma has shifted the figures.
        surplus = record[None]
        raise BadFieldError("not_a_row", "row", ", ".join(surplus) if isinstance(surplus, list) else surplus)
    return record
