"""What moves the total most? Each uncertain input at its 10th and 90th percentile, everything else as planned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.costs.conventions import Floats
from core.costs.monthly_bills import bill_of
from core.costs.monthly_outlook import CERTAIN, INPUTS, P90_SCORE, Outlook, month_starts
from core.costs.monthly_paths import paths_of
from core.costs.monthly_ways import Way
from core.workload import Workload

# The spread of the outlook that drives each input.
SPREADS: Mapping[str, str] = {
    "requests": "requests_spread",
    "growth": "growth_spread_per_month",
    "input_tokens": "tokens_spread",
    "output_tokens": "tokens_spread",
    "cached": "cached_spread",
    "retry": "retry_spread",
    "seasonality": "seasonality_spread",
    "price": "price_spread_per_year",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """Total USD over the horizon with one input at its P10 and at its P90, beside the planned total."""

    input: str
    at_p10_usd: float
    at_p90_usd: float
    planned_usd: float

    @property
    def width_usd(self) -> float:
        return abs(self.at_p90_usd - self.at_p10_usd)


def tornado(workload: Workload, way: Way, *, start: dt.date, outlook: Outlook | None = None) -> tuple[Swing, ...]:
    """Swings of the inputs that move this way's total, the widest first; empty when a price is missing."""
    outlook = outlook or Outlook()
    starts = month_starts(start, workload.horizon_months)
    bill = bill_of(way, workload, outlook, starts)
    planned = float(bill.planned_usd.sum())
    if not np.isfinite(planned):
        return ()
    swings = []
    for name in INPUTS:
        ends = _scores(name)
        alone = replace(
            CERTAIN,
            price_decline_per_year=outlook.price_decline_per_year,
            **{SPREADS[name]: getattr(outlook, SPREADS[name])},
        )
        row = bill.on_paths(paths_of(workload, alone, starts, ends)).row
        low, high = np.sum([row(month) for month in range(len(starts))], axis=0)
        swings.append(Swing(input=name, at_p10_usd=float(low), at_p90_usd=float(high), planned_usd=planned))
    moving = [swing for swing in swings if swing.width_usd > 1e-9 * max(abs(planned), 1e-9)]
    return tuple(sorted(moving, key=lambda swing: -swing.width_usd))


def _scores(moved: str) -> dict[str, Floats]:
    ends = np.array([-P90_SCORE, P90_SCORE])
    return {name: ends if name == moved else np.zeros(2) for name in INPUTS}
