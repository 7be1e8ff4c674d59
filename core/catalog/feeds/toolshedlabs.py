"""What does toolshedlabs' price history say? The cheapest on-demand price per provider and GPU, one line a day.

Prices are USD per GPU-hour and may come from a multi-GPU machine, so no region and no instance is known.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from core.catalog.feeds.gpu_names import read_name
from core.catalog.feeds.parsed import FeedError, Parsed, checked_price, decoded
from core.catalog.rows import RefusedRow
from core.costs.gpus import CHEAPEST_PER_GPU, GpuOffer
from core.i18n import said

SCHEMA_VERSION = 2
PROVIDERS = {"datacrunch": "verda", "lambdalabs": "lambda", "vastai": "vast"}
LICENCE = "none stated (facts only)"
BASIS = "cheapest on-demand per GPU (may come from a multi-GPU config)"


def source_of(month: str) -> str:
    """The name under which a month's rows are kept (`2026-10`); shipped rows of the same file bear it too."""
    return f"toolshedlabs-hash/gpu-price-feed data/history/v2/{month}.jsonl"


def parse(content: bytes) -> Parsed:
    """The newest line of a month's file. FeedError for another shape or schema version."""
    lines = [line for line in decoded(content).splitlines() if line.strip()]
    if not lines:
        raise FeedError(said("catalog.feed_blank"))
    newest = max((_day(line) for line in lines), key=lambda one: str(one["collected_at"]))
    try:
        collected_on = dt.datetime.fromisoformat(newest["collected_at"]).date()
    except (TypeError, ValueError) as error:
        raise FeedError(said("catalog.feed_no_time", column="collected_at", given=newest["collected_at"])) from error
    parsed = Parsed(source=source_of(f"{collected_on:%Y-%m}"), source_date=collected_on)
    for number, (provider, gpu, price) in enumerate(_prices(newest), start=1):
        try:
            parsed.offers.append((_offer(provider, gpu, price, parsed.source, collected_on), str(price)))
        except ValueError as error:
            parsed.refused.append(RefusedRow(file="toolshedlabs", row=number, reason=f"{provider}: {error}"))
    return parsed


def _day(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FeedError(said("catalog.feed_line_not_json")) from error
    if not isinstance(found, dict) or not isinstance(found.get("cheapest"), dict) or "collected_at" not in found:
        raise FeedError(said("catalog.feed_other_shape", columns="cheapest, collected_at"))
    if found.get("schema_version") != SCHEMA_VERSION:
        raise FeedError(said("catalog.feed_other_version", given=found.get("schema_version"), known=SCHEMA_VERSION))
    return found


def _prices(day: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for provider, prices in day["cheapest"].items():
        if isinstance(prices, dict):
            for gpu, price in prices.items():
                yield provider, gpu, price


def _offer(provider: str, gpu: str, price: Any, source: str, collected_on: dt.date) -> GpuOffer:
    named = read_name(gpu)
    if isinstance(price, bool) or not isinstance(price, int | float):
        raise ValueError(f"the price of {gpu} is {price!r}: a number is needed")
    return GpuOffer(
        provider_id=PROVIDERS.get(provider, provider),
        instance_type=f"{CHEAPEST_PER_GPU}:{gpu}",
        gpu_model=named.gpu_model,
        gpu_form=named.gpu_form,
        gpu_count=1,
        gpu_memory_gb=named.memory_gb,
        region=None,
        country=None,
        purchase_option="on_demand",
        commitment_months=0,
        micro_usd_per_hour=checked_price(str(price), 1),
        as_of=collected_on,
        as_of_note="",
        region_confirmed="list",
        basis=BASIS,
        source=source,
        licence=LICENCE,
        layer="feed",
    )
