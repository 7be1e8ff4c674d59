"""What workload was measured, and what would the same usage have cost on another model?"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from statistics import fmean

from sqlalchemy import Engine

from core.costs.tokens_mix import cost_pico_usd
from core.money import usd_from_pico
from core.usage.rollup import Filters, Totals, covered_days, total, totals
from core.usage.tally import DAY_S, HOUR_S
from core.workload import LIMITS, Workload

DAYS_PER_MONTH = 365 / 12
ANSWERED = ("ok", "partial")

# Weeks differ from each other by more than a month grows: shorter times tell no growth.
GROWTH_DAYS_AT_LEAST = 28

UnitPrices = Callable[[str, str, int], Mapping[str, int] | None]
"""`prices(model, processing, input_tokens_per_request)`: micro-USD per Mtok by component (input, cache_read,
cache_write_5m, cache_write_1h, output); None when the model has no price. That of a component not named is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredWorkload:
    """A workload made of logged calls: `call_count` they are, on `days_covered` days from `first` to `last`.

    `is_spread_measured` is False when only sums per day were known, `is_growth_measured` when there was no month
    before to compare with; the base workload's values stand there then.
    """

    workload: Workload
    first: dt.date
    last: dt.date
    days_covered: int
    call_count: int
    is_spread_measured: bool
    is_growth_measured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The same usage at the list prices of `model`; None when it has no price for some of it."""

    model: str
    cost_usd: Decimal | None


def success_share(counts: Sequence[tuple[int, int]]) -> float | None:
    """Share of attempts that succeeded, of (succeeded, sent) for each of some groups; None where nothing was sent."""
    sent = sum(all_of_them for _, all_of_them in counts)
    return sum(succeeded for succeeded, _ in counts) / sent if sent else None


def to_workload(engine: Engine, *, base: Workload, filters: Filters | None = None) -> MeasuredWorkload | None:
    """The calls that the filters let through as a workload, or None when nothing answered among them.

    Requests are scaled to a month of 365/12 days from the days that the calls cover (see `covered_days`): a bill of
    October gives October's rate whenever it is read, and days before its first and after its last call count neither
    here nor for the peak. A day counts whole, today as well. Tokens per request are means over answered attempts, so
    retries are counted once, in `retry_share`. What a log cannot tell (horizon, budget, season) is taken from `base`.
    Raises DatabaseProblem.
    """
    chosen = filters or Filters()
    answered = total(engine, replace(chosen, outcomes=ANSWERED), level="attempt")
    calls = total(engine, chosen)
    days = covered_days(engine, chosen)
    known = answered.request_count - answered.usage_unknown_count
    if not days or known <= 0 or not calls.request_count:
        return None
    growth = _growth(engine, chosen, days, calls.request_count)
    found = asdict(base) | {
        "requests_per_month": round(calls.request_count / len(days) * DAYS_PER_MONTH),
        "input_tokens": round(answered.input_tokens / known),
        "output_tokens": round(answered.output_tokens / known),
        "input_spread": _spread(answered, "input", base.input_spread),
        "output_spread": _spread(answered, "output", base.output_spread),
        "cached_share": _share(answered.cached_input_tokens, answered.input_tokens),
        "cache_write_share": _share(_cache_writes(answered), answered.input_tokens),
        "batch_share": _batch_share(engine, chosen, calls.request_count),
        "retry_share": _share(calls.attempt_count - calls.request_count, calls.request_count),
        "peak_to_average": _peak_to_average(engine, chosen, len(days)) or base.peak_to_average,
        "growth_per_month": base.growth_per_month if growth is None else growth,
    }
    workload, _ = Workload.from_mapping(found)
    return MeasuredWorkload(
        workload=replace(workload, name=base.name),
        first=days[0],
        last=days[-1],
        days_covered=len(days),
        call_count=calls.request_count,
        is_spread_measured=answered.single_count > 1,
        is_growth_measured=growth is not None,
    )


def _cache_writes(answered: Totals) -> int:
    return answered.cache_write_5m_tokens + answered.cache_write_1h_tokens


def _share(part: int, whole: int) -> float:
    return round(min(max(part / whole, 0.0), 1.0), 4) if whole else 0.0


def _spread(sums: Totals, kind: str, otherwise: float) -> float:
    """Coefficient of variation of the tokens of single requests: sqrt(mean of squares - mean^2) / mean."""
    count = sums.single_count
    tokens: int = getattr(sums, f"single_{kind}_tokens")
    if count < 2 or not tokens:
        return otherwise
    mean = tokens / count
    variance = max(0.0, getattr(sums, f"single_{kind}_squares") / count - mean * mean)
    return round(min(math.sqrt(variance) / mean, LIMITS[f"{kind}_spread"].high), 3)


def _batch_share(engine: Engine, chosen: Filters, call_count: int) -> float:
    by = {row.key[0]: row.request_count for row in totals(engine, chosen, by=["processing"])}
    return _share(by.get("batch", 0), call_count)


def _peak_to_average(engine: Engine, chosen: Filters, days_covered: int) -> float | None:
    """The busiest hour over the mean hour, from calls logged one by one: sums of a day tell no hour.

    Neither do calls that all stand in the first hour of their days: only their dates were known.
    """
    counts = {row.key[0]: row.single_count for row in totals(engine, chosen, by=["hour"]) if row.single_count}
    if all(hour % DAY_S == 0 for hour in counts):
        return None
    mean = sum(counts.values()) / (days_covered * DAY_S / HOUR_S)
    return round(min(max(max(counts.values()) / mean, 1.0), LIMITS["peak_to_average"].high), 1)


def _growth(engine: Engine, chosen: Filters, days: Sequence[dt.date], call_count: int) -> float | None:
    """Growth per month against as many days before: calls a day of the covered days of both, from middle to middle.

    None when either covers less than `GROWTH_DAYS_AT_LEAST` days.
    """
    width = dt.timedelta(days=(days[-1] - days[0]).days + 1)
    before = replace(chosen, since=days[0] - width, until=days[0] - dt.timedelta(days=1))
    earlier_days = covered_days(engine, before)
    earlier = total(engine, before).request_count
    if not earlier or min(len(days), len(earlier_days)) < GROWTH_DAYS_AT_LEAST:
        return None
    ratio = (call_count / len(days)) / (earlier / len(earlier_days))
    apart = fmean(day.toordinal() for day in days) - fmean(day.toordinal() for day in earlier_days)
    limit = LIMITS["growth_per_month"]
    return round(min(max(math.pow(ratio, DAYS_PER_MONTH / apart) - 1, limit.low), limit.high), 3)


def what_if(
    engine: Engine, models: Sequence[str], unit_prices: UnitPrices, filters: Filters | None = None
) -> list[WhatIf]:
    """What the logged tokens would have cost on each model, in the order given.

    Every attempt with known usage counts, at the price level of its group's mean prompt length; failed attempts
    without usage cost nothing here. Sums in whole pico-USD. Raises DatabaseProblem.
    """
    groups = totals(engine, filters, by=["model", "processing"], level="attempt")
    return [WhatIf(model=model, cost_usd=_cost(model, groups, unit_prices)) for model in models]


def _cost(model: str, groups: Sequence[Totals], unit_prices: UnitPrices) -> Decimal | None:
    pico = 0
    for group in groups:
        known = group.request_count - group.usage_unknown_count
        if known <= 0 or not group.total_tokens:
            continue
        processing = str(group.key[1])
        mean_input = round(group.input_tokens / known)
        prices = unit_prices(model, processing, mean_input) or unit_prices(model, "standard", mean_input)
        cost = None if prices is None else cost_pico_usd(group, prices)
        if cost is None:
            return None
        pico += cost
    return usd_from_pico(pico)
