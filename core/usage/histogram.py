"""How slow were most calls, told from counts per bucket instead of every single latency?"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

BUCKET_COUNT = 36
_FIRST_BOUND_MS = 5.0
_RATIO = math.sqrt(2)

UPPER_BOUNDS_MS: tuple[float, ...] = tuple(_FIRST_BOUND_MS * _RATIO**step for step in range(BUCKET_COUNT - 1))
"""A bucket holds latencies up to its bound; each is sqrt(2) times the one before (5 ms to 655 s), the last is open.

A percentile read from the buckets is off by less than that ratio, and by a few percent on smooth data, because it is
interpolated on the logarithm inside its bucket.
"""


def bucket_of(milliseconds: float) -> int:
    """Index of the bucket that holds a latency."""
    return bisect_left(UPPER_BOUNDS_MS, milliseconds)


def percentile_ms(counts: Sequence[int], share: float) -> float | None:
    """The latency in milliseconds that `share` (0 to 1) of the counted ones do not exceed; None without any."""
    total = sum(counts)
    if total == 0:
        return None
    wanted = min(max(share, 0.0), 1.0) * total
    seen = 0
    for index, count in enumerate(counts):
        if count and seen + count >= wanted:
            return _inside(index, (wanted - seen) / count)
        seen += count
    raise AssertionError("the buckets add up to their total")


def _inside(index: int, position: float) -> float:
    """The latency at `position` (0 to 1) of a bucket: linear below the first bound, geometric above."""
    if index == 0:
        return _FIRST_BOUND_MS * position
    # The open last bucket has no upper bound: its lower one is the honest "at least".
    low = UPPER_BOUNDS_MS[index - 1]
    return min(low * _RATIO**position, UPPER_BOUNDS_MS[index]) if index < len(UPPER_BOUNDS_MS) else low
