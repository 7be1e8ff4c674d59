"""How did a list price move? Its steps over time, each with its source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from core.costs.tokens_prices import CACHE_READ, CACHE_WRITE_5M, INPUT, OUTPUT, PriceRow, PriceSheet, as_utc
from core.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From this moment (UTC) on, this row gave the price; None is no price."""

    since: dt.datetime
    row: PriceRow | None


def price_steps(
    sheet: PriceSheet, component: str, since: dt.datetime, until: dt.datetime, processing: str = "standard"
) -> list[Step]:
    """Steps of a component's all-day price for short prompts between two moments (UTC); equal neighbours are joined."""
    eras = sheet.eras.get((component, processing))
    if eras is None:
        return []
    found: list[Step] = []
    for start in (as_utc(since), *(one for one in eras.starts if since < one <= until)):
        row = next((one for one in eras.at(start) if not one.is_special and one.reaches(0)), None)
        before = found[-1].row if found else None
        price = None if row is None else row.micro_usd_per_mtok
        if not found or price != (None if before is None else before.micro_usd_per_mtok):
            found.append(Step(since=start, row=row))
    return found


def mix_of(workload: Workload, output_share: float | None = None) -> Mapping[str, float]:
    """Shares of a workload's tokens by component; `output_share` (0 to 1) takes the place of its own."""
    total = workload.input_tokens + workload.output_tokens
    output = workload.output_tokens / total if output_share is None else output_share
    plain = max(1 - workload.cached_share - workload.cache_write_share, 0.0)
    return {
        INPUT: (1 - output) * plain,
        CACHE_READ: (1 - output) * workload.cached_share,
        CACHE_WRITE_5M: (1 - output) * workload.cache_write_share,
        OUTPUT: output,
    }
