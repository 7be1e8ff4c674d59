"""Which conventions do all costs share? The billed month, the year, days in UTC, arrays of numbers."""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Providers bill 730 hours a month (365 * 24 / 12); a calendar month differs by up to 8 percent.
HOURS_PER_MONTH = 730
MONTHS_PER_YEAR = 12


def midnight(day: dt.date) -> dt.datetime:
    """The moment a day begins in UTC: prices without a time hold from then on."""
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


def next_month(day: dt.date) -> dt.date:
    """The first day of the month after that of `day`."""
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
