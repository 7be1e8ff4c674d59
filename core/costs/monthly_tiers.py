"""Which share of requests lies in a context tier, and which price period holds in which month?

Prompt lengths are lognormal: shares of requests and of tokens are its distribution and its partial expectation.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

from core.costs.conventions import midnight, next_month
from core.costs.monthly_outlook import log_deviation
from core.costs.tokens import PriceSheet


@dataclass(frozen=True, slots=True, kw_only=True)
class TierShares:
    """Shares of requests and of input tokens whose prompt lies in each tier, cheapest context first."""

    requests: tuple[float, ...]
    tokens: tuple[float, ...]


def tier_shares(mean_tokens: float, spread: float, thresholds: Sequence[float]) -> TierShares:
    """Shares by tier for lognormal lengths whose mean is `mean_tokens` and coefficient of variation `spread` (> 0).

    Requests above t: Phi((mu - ln t) / s); their part of all tokens: Phi((mu + s^2 - ln t) / s), the lognormal's
    partial expectation, with s^2 = ln(1 + spread^2) and mu = ln(mean) - s^2 / 2.
    """
    deviation = log_deviation(spread)
    centre = math.log(mean_tokens) - deviation**2 / 2
    cdf = NormalDist().cdf
    above_requests = [cdf((centre - math.log(t)) / deviation) for t in thresholds]
    above_tokens = [cdf((centre + deviation**2 - math.log(t)) / deviation) for t in thresholds]
    return TierShares(requests=_between(above_requests), tokens=_between(above_tokens))


def _between(above: Sequence[float]) -> tuple[float, ...]:
    edges = (1.0, *above, 0.0)
    return tuple(low - high for low, high in pairwise(edges))


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A stretch of the horizon in which a sheet's prices do not change, and its share of each month's days."""

    at: dt.datetime
    month_shares: tuple[float, ...]


def price_periods(sheet: PriceSheet, starts: Sequence[dt.date]) -> list[Period]:
    """The horizon cut where a row of the sheet begins or ends; `starts` are first days of consecutive months."""
    edges = [midnight(day) for day in starts] + [midnight(next_month(starts[-1]))]
    changes = {moment for row in sheet.rows for moment in (row.valid_from, row.valid_to) if moment is not None}
    cuts = [edges[0], *sorted(moment for moment in changes if edges[0] < moment < edges[-1]), edges[-1]]
    return [
        Period(
            at=begin,
            month_shares=tuple(
                max(0.0, (min(end, high) - max(begin, low)) / (high - low)) for low, high in pairwise(edges)
            ),
        )
        for begin, end in pairwise(cuts)
    ]
