"""What does one line of our own price files mean? Corrections, rival prices, the article's figures, aliases, dates."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from core.catalog.feeds.genai_prices import BatchPolicy
from core.catalog.rows import Row, day, one_of, required
from core.costs.tokens import PROCESSINGS, PriceRow
from core.i18n import SaidError, said
from core.money import micro_usd_rounded

WEEKDAYS = {name: 1 << number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
ALL_DAYS = 127

Priced = tuple[str, str, PriceRow]
"""Provider, model and price."""


def price_values(provider_id: str, model_id: str, row: PriceRow, now: dt.datetime) -> dict[str, Any]:
    """A price as the columns of its table."""
    return {
        "provider_id": provider_id,
        "model_id": model_id,
        "component": row.component,
        "processing": row.processing,
        "micro_usd_per_mtok": row.micro_usd_per_mtok,
        "price_text": row.price_text,
        "min_input_tokens": row.min_input_tokens,
        "threshold_op": row.threshold_op,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "window_start_minute": row.window[0] if row.window else None,
        "window_end_minute": row.window[1] if row.window else None,
        "weekdays": row.weekdays,
        "layer": row.layer,
        "source": row.source,
        "as_of": row.as_of,
        "grade": "",
        "note": row.note,
        "created_at": now,
    }


def correction(row: Row) -> Priced:
    """One corrected price; ValueError names the column that is wrong."""
    found = PriceRow(
        component=row["component"],
        processing=one_of(row, "processing", PROCESSINGS),
        micro_usd_per_mtok=micro_usd_rounded(row["usd_per_mtok"]),
        price_text=row["usd_per_mtok"],
        min_input_tokens=int(row["min_input_tokens"] or 0),
        threshold_op=">=" if row["threshold_op"] == ">=" else ">",
        valid_from=moment(row["valid_from"]),
        valid_to=moment(row["valid_to"]),
        window=_window(row["window_utc"]) if row["window_utc"] else None,
        weekdays=_weekdays(row["weekdays"]),
        layer="correction",
        source=row["source"],
        as_of=day(row, "as_of"),
        note=f"grade {row['grade']}",
    )
    return row["provider_id"], row["model_id"], found


def other_source(row: Row) -> Priced:
    """A price that another source gives today; it is shown beside ours and never bills."""
    found = PriceRow(
        component=row["component"],
        processing=row["processing"],
        micro_usd_per_mtok=micro_usd_rounded(row["usd_per_mtok"]),
        price_text=row["usd_per_mtok"],
        min_input_tokens=int(row["min_input_tokens"] or 0),
        layer="other",
        source=row["source"],
        as_of=day(row, "as_of"),
    )
    return row["provider_id"], row["model_id"], found


def article_prices(row: Row) -> list[Priced]:
    """The two figures of one line of the article, labelled as such; they never bill."""
    return [
        (
            row["provider_id"],
            row["model_id"],
            PriceRow(
                component=component,
                micro_usd_per_mtok=micro_usd_rounded(row[f"{component}_usd_per_mtok"]),
                price_text=row[f"{component}_usd_per_mtok"],
                layer="article",
                source=f"article {row['as_of']} ({row['status']})",
                note=f"{row['kind']}: {row['note']}",
            ),
        )
        for component in ("input", "output")
    ]


def alias(row: Row) -> dict[str, Any]:
    """Another id of a model, as the columns of its table."""
    return {
        "provider_id": row["provider_id"],
        "model_id": row["model_id"],
        "kind": "exact",
        "pattern": row["alias"].lower(),
        "rank": 0,
    }


def release(row: Row) -> tuple[tuple[str, str], dt.datetime]:
    """The first day (UTC) a model could be called."""
    return (row["provider_id"], row["model_id"]), _moment_needed(required(row, "released_on") + "T00:00Z")


def policy(row: Row) -> BatchPolicy:
    """Since when a provider bills batches at a share of its standard price."""
    start = _moment_needed(required(row, "valid_from"))
    return BatchPolicy(
        provider_id=row["provider_id"],
        share=Decimal(row["share"]),
        components=frozenset(row["components"].split(";")),
        valid_from=start,
        every_model=re.compile(row["every_model"]) if row["every_model"] else None,
        source=row["source"],
    )


def moment(text: str) -> dt.datetime | None:
    """A moment such as 2025-02-08T16:00Z in UTC, None when empty; ValueError for another shape or without a zone."""
    return _moment_needed(text.strip()) if text.strip() else None


def _moment_needed(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise SaidError(said("catalog.row_no_zone", given=text))
    return found.astimezone(dt.UTC)


def _window(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", text.strip())
    if match is None:
        raise SaidError(said("catalog.row_no_hours", given=text))
    start_hour, start_minute, end_hour, end_minute = map(int, match.groups())
    return start_hour * 60 + start_minute, end_hour * 60 + end_minute


def _weekdays(text: str) -> int:
    if not text.strip():
        return ALL_DAYS
    first, _, last = text.strip().partition("-")
    names = list(WEEKDAYS)
    days = names[names.index(first) : names.index(last or first) + 1]
    return sum(WEEKDAYS[name] for name in days)
