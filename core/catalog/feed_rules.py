"""When may a feed not be taken in? The rules for feeds of GPU offers and of model prices alike."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from core.i18n import Said, said

MIN_ROWS_SHARE = 0.8
"""A feed with fewer rows than this share of those known is half a feed: a parser or a page of it has failed."""

LIST_MOVE = 2.0
"""A list price that moves by more than this factor is held for a person to look at, upwards and downwards."""


def is_large_move(before: int, after: int, limit: float = LIST_MOVE) -> bool:
    """Whether a price (any unit, `before` above 0) moved by more than the factor `limit`."""
    return not 1 / limit <= after / before <= limit


def refusal(
    kind: Literal["offers", "prices"],
    *,
    found: int,
    known: int,
    feed_date: dt.date | None = None,
    held_date: dt.date | None = None,
) -> Said | None:
    """The sentence that refuses a feed whole, None when it may be taken; `kind` is what it counts.

    Refused: a feed older than what is held, one without rows, and one with fewer than `MIN_ROWS_SHARE` of the rows.
    """
    if feed_date and held_date and feed_date < held_date:
        return said("catalog.feed_older", feed_date=feed_date, held_date=held_date)
    if not found:
        return said(f"catalog.feed_empty_{kind}")
    if found < MIN_ROWS_SHARE * known:
        return said(f"catalog.feed_thin_{kind}", found=found, known=known, percent=f"{MIN_ROWS_SHARE * 100:g}")
    return None
