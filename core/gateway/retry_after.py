"""How long does the upstream ask to be left alone?"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER_S = 30 * 24 * 3600.0
"""Longer waits are cut to this: a month is as good as for ever, and dates stay within range."""


def retry_after_s(headers: Mapping[str, str], body: object, now: dt.datetime) -> float | None:
    """Seconds to wait from `now` (UTC), None when nothing usable is said.

    Looks at `retry-after-ms`, `Retry-After` (float seconds or an HTTP date) and Gemini's `retryDelay` in the body, in
    this order. Negative, infinite and unreadable values count as not said; a date that has passed is 0 seconds.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return min(milliseconds / 1000, MAX_RETRY_AFTER_S)
    text = headers.get("retry-after")
    for found in (_number(text), _until(text, now), _gemini_delay(body)):
        if found is not None:
            return min(found, MAX_RETRY_AFTER_S)
    return None


def _number(text: str | None) -> float | None:
    # float() also takes underscores, which no header has.
    if not text or "_" in text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _until(text: str | None, now: dt.datetime) -> float | None:
    if not text or not any(sign.isalpha() for sign in text):
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=dt.UTC)
    return max(0.0, (date - now).total_seconds())


def _gemini_delay(body: object) -> float | None:
    error = body.get("error") if isinstance(body, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else []:
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str) and delay.endswith("s"):
            return _number(delay[:-1])
    return None
