"""Which tool wrote this file of usage, and what does it say? Bytes in, typed and rejected rows out; no I/O.

A new export is one file with an `EXPORT` and one line in `EXPORTS`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping

from core.usage.imports import groq, litellm, openai_legacy, openai_usage, openrouter
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
)
MIB = 1024 * 1024
MAX_BYTES = 100 * MIB
_PROGRESS_EVERY = 5_000
_SHOWN_COLUMNS = 6

Progress = Callable[[int], None]


def read_export(data: bytes, on_progress: Progress = lambda _rows: None) -> ParsedExport:
    """The rows of an export; `on_progress` hears the number of rows read so far.

    Raises ExportRefusedError for a file that is too large, no text, broken, of an unknown tool or without any row.
    """
    if len(data) > MAX_BYTES:
        raise ExportRefusedError("too_large", found=f"{len(data) / MIB:.0f}", limit=MAX_BYTES // MIB)
    text = _text(data)
    if text.lstrip()[:1] in {"{", "["}:
        export, records, has_more = _json(text)
    else:
        export, records, has_more = *_csv(text), False
    return _read(export, records, has_more, on_progress)


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
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExportRefusedError("broken") from error
    has_more = isinstance(document, dict) and document.get("has_more") is True
    for export in EXPORTS:
        records = export.records(document)
        if records is not None:
            return export, records, has_more
    raise _unknown(list(document) if isinstance(document, dict) else [type(document).__name__])


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
    return ExportRefusedError("unknown_format", found=shown)


def _read(export: Export, records: Iterable[object], has_more: bool, on_progress: Progress) -> ParsedExport:
    rows: dict[str, ExportRow] = {}
    rejected: list[RejectedRow] = []
    number = 0
    try:
        for number, record in enumerate(records, start=1):
            try:
                row = export.read_row(Fields(_mapping(record), number))
                rows[row.uid] = row
            except BadFieldError as error:
                rejected.append(RejectedRow(row_number=number, kind=error.kind, field=error.field, given=error.given))
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
        raise BadFieldError("not_a_row", "row", record[None])
    return record
