"""When in a week is a model cheapest, and when dearest?"""

from __future__ import annotations

import datetime as dt

from core.costs.tokens_prices import INPUT, OUTPUT, PriceSheet, as_utc, find_row


def hour_extremes(
    sheet: PriceSheet, at: dt.datetime | None = None, processing: str = "standard"
) -> tuple[dt.datetime, dt.datetime]:
    """The cheapest and the dearest moment (UTC) of a week with the prices that are valid at `at` (UTC; None is now).

    By input plus output price of short prompts, looked at every half hour; the first from `at` on of equal ones. Where
    a price changes within a week, moments of the days since the last change count too, never those after the next.
    Both are `at` when the model has no peak hours or no price.
    """
    moment = as_utc(at)
    if not any(row.is_special for row in sheet.rows if row.holds_at(moment)):
        return moment, moment
    priced = []
    for one in _half_hours(sheet, moment, processing):
        rows = [find_row(sheet, component, processing, one, 0) for component in (INPUT, OUTPUT)]
        known = [row.micro_usd_per_mtok for row in rows if row is not None]
        if known:
            priced.append((sum(known), one))
    if not priced:
        return moment, moment
    return min(priced, key=lambda pair: pair[0])[1], max(priced, key=lambda pair: pair[0])[1]


def _half_hours(sheet: PriceSheet, at: dt.datetime, processing: str) -> list[dt.datetime]:
    """Every half hour of a week from `at` on, then of the week before it, in which no price of the model changes."""
    kinds = {processing, "standard"}
    edges = [edge for row in sheet.rows if row.processing in kinds for edge in (row.valid_from, row.valid_to) if edge]
    start = max((edge for edge in edges if edge <= at), default=None)
    end = min((edge for edge in edges if edge > at), default=None)
    first = at.replace(minute=0, second=0, microsecond=0)
    steps = [dt.timedelta(minutes=30 * step) for step in range(2 * 24 * 7)]
    later = [first + step for step in steps]
    earlier = [first - step for step in steps[1:]]
    usable = [one for one in (at, *later, *earlier) if (start is None or one >= start) and (end is None or one < end)]
    return [one for one in usable if one >= at] + [one for one in usable if one < at]
