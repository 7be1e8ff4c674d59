"""Why is this number what it is? The arithmetic of one month of one way, line by line, with sources and dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.costs.conventions import Floats
from core.costs.monthly_bills import Bill, bill_of
from core.costs.monthly_outlook import Outlook, month_starts, plain_requests, price_level, season
from core.costs.monthly_prices import (
    COMPONENTS,
    Portion,
    PriceGap,
    component_rows,
    plan_lengths,
    portions,
    rates,
)
from core.costs.monthly_tiers import price_periods
from core.costs.monthly_ways import FleetWay, MixPart, MixWay, ModelWay, Way, parts_of
from core.money import PICO_PER_USD
from core.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One metered line: tokens (Mtok) x effective price (USD per Mtok) = USD, for one model and processing.

    The price is the mean over context tiers, and includes the expected price decline by that month. `is_dear_hour`
    marks the requests of a provider's peak hours.
    """

    model: str
    processing: str
    component: str
    mtok: float
    usd_per_mtok: float
    usd: float
    source: str
    as_of: dt.date | None
    is_dear_hour: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """How a month's planned cost comes about: requests factor by factor, metered lines, then the lines of the terms."""

    month: dt.date
    requests_first_month: float
    growth_factor: float
    season_factor: float
    retry_factor: float
    requests: float
    price_level: float
    reasons: tuple[Reason, ...]
    other_lines_usd: Mapping[str, float]
    total_usd: float | None


def why(workload: Workload, way: Way, month: int, *, start: dt.date, outlook: Outlook | None = None) -> Why:
    """The arithmetic of `month` (0 is the first); IndexError outside the horizon."""
    outlook = outlook or Outlook()
    starts = month_starts(start, workload.horizon_months)
    day = starts[month]
    requests = float(plain_requests(workload, starts)[month])
    level = float(price_level(outlook, len(starts))[month])
    bill = bill_of(way, workload, outlook, starts)
    total = float(bill.planned_usd[month])
    return Why(
        month=day,
        requests_first_month=float(workload.requests_per_month),
        growth_factor=(1 + workload.growth_per_month) ** month,
        season_factor=float(season(workload.seasonality, [day])[0]),
        retry_factor=1 + workload.retry_share,
        requests=requests,
        price_level=level,
        reasons=() if isinstance(way, FleetWay) else _reasons(way, workload, starts, month, requests, level),
        other_lines_usd=_others(bill, month),
        total_usd=total if np.isfinite(total) else None,
    )


def _others(bill: Bill, month: int) -> dict[str, float]:
    return {name: float(line[month]) for name, line in bill.lines_usd.items() if name not in COMPONENTS}


def _reasons(
    way: ModelWay | MixWay, workload: Workload, starts: list[dt.date], month: int, requests: float, level: float
) -> tuple[Reason, ...]:
    found: list[Reason] = []
    for part in parts_of(way):
        for period in price_periods(part.model.sheet, starts):
            held = period.month_shares[month] * part.share
            if held <= 0:
                continue
            split = portions(part.model, workload, period.at)
            for portion in split:
                count = requests * held * portion.share
                try:
                    found += _lines(part, portion, workload, count, level, is_dear=_is_dear(portion, split))
                except PriceGap:
                    continue
    return tuple(reason for reason in found if reason.mtok > 0)


def _is_dear(portion: Portion, split: list[Portion]) -> bool:
    same = [other for other in split if other.processing == portion.processing]
    return len(same) > 1 and same[0] is portion


def _lines(
    part: MixPart, portion: Portion, workload: Workload, count: float, level: float, *, is_dear: bool
) -> list[Reason]:
    sheet, lengths = part.model.sheet, plan_lengths(workload)
    prices = rates(sheet, portion, workload, lengths)
    rows = component_rows(sheet, portion, workload.input_tokens)
    fresh = max(0.0, 1 - workload.cached_share - workload.cache_write_share)
    per_request: dict[str, float] = {
        "input": workload.input_tokens * fresh,
        "cache_read": workload.input_tokens * workload.cached_share,
        "cache_write": workload.input_tokens * workload.cache_write_share,
        "output": float(workload.output_tokens),
    }
    found = []
    for name, tokens in per_request.items():
        rate: Floats = getattr(prices, name)
        row = rows[name] or rows["input"]
        micro = float(rate) * level
        found.append(
            Reason(
                model=part.model.sheet.key,
                processing=portion.processing,
                component=name,
                mtok=count * tokens / 1e6,
                usd_per_mtok=micro / 1e6,
                usd=count * tokens * micro / PICO_PER_USD,
                source=row.source if row else "",
                as_of=row.as_of if row else None,
                is_dear_hour=is_dear,
            )
        )
    return found
