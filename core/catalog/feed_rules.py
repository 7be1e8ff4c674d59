"""When may a feed not be taken in? The rules for feeds of GPU offers and of model prices alike."""

from __future__ import annotations

import datetime as dt

MIN_ROWS_SHARE = 0.8
"""A feed with fewer rows than this share of those known is half a feed: a parser or a page of it has failed."""

LIST_MOVE = 2.0
"""A list price that moves by more than this factor is held for a person to look at, upwards and downwards."""


def is_large_move(before: int, after: int, limit: float = LIST_MOVE) -> bool:
    """Whether a price (any unit, `before` above 0) moved by more than the factor `limit`."""
    return not 1 / limit <= after / before <= limit


def refusal(
    kind: str, *, found: int, known: int, feed_date: dt.date | None = None, held_date: dt.date | None = None
) -> str | None:
    """The sentence that refuses a feed whole, None when it may be taken; `kind` ("offers", "prices") is what it counts.

    Refused: a feed older than what is held, one without rows, and one with fewer than `MIN_ROWS_SHARE` of the rows.
    """
    if feed_date and held_date and feed_date < held_date:
        return f"The feed of {feed_date} is older than the prices held, of {held_date}; those stay."
    if not found:
        return f"The feed holds no usable {kind}; the last prices stay."
    if found < MIN_ROWS_SHARE * known:
        return (
            f"The feed holds {found} {kind} where {known} are known, fewer than {MIN_ROWS_SHARE * 100:g} %; "
            "the last prices stay."
        )
    return None
