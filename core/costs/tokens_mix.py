"""What do tokens of several kinds cost together? One price for a mix, and exact sums at given unit prices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Protocol

from core.costs.tokens import billed_row, unit_prices
from core.costs.tokens_prices import (
    CACHE_READ,
    CACHE_WRITE_1H,
    CACHE_WRITE_5M,
    COMPONENTS,
    INPUT,
    OUTPUT,
    PriceSheet,
    as_utc,
)
from core.money import usd_from_micro
from core.workload import Workload


class TokenCounts(Protocol):
    """Tokens of one or many requests; `input_tokens` includes the cached and cache-written ones."""

    @property
    def input_tokens(self) -> int: ...
    @property
    def cached_input_tokens(self) -> int: ...
    @property
    def cache_write_5m_tokens(self) -> int: ...
    @property
    def cache_write_1h_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...


def mix_of(workload: Workload) -> Mapping[str, float]:
    """Shares of a workload's tokens by component, adding up to 1."""
    output = workload.output_tokens / (workload.input_tokens + workload.output_tokens)
    plain = max(1 - workload.cached_share - workload.cache_write_share, 0.0)
    return {
        INPUT: (1 - output) * plain,
        CACHE_READ: (1 - output) * workload.cached_share,
        CACHE_WRITE_5M: (1 - output) * workload.cache_write_share,
        OUTPUT: output,
    }


def blended_usd_per_mtok(
    sheet: PriceSheet, mix: Mapping[str, float], at: dt.datetime | None = None, processing: str = "standard"
) -> float | None:
    """One price (USD per Mtok) for a mix at a moment (UTC; None is now); None without a price for a part of it.

    `mix` is shares of all tokens by component, adding up to 1. Cached and cache-written tokens cost what input costs
    where the model has no own price for them. Prices are those of short prompts.
    """
    prices = unit_prices(sheet, at, processing)
    total = 0.0
    for component, share in mix.items():
        price = getattr(prices, component)
        if price is None and component in (CACHE_READ, CACHE_WRITE_5M):
            price = prices.input
        if price is None:
            if share:
                return None
            continue
        total += share * float(usd_from_micro(price))
    return total


def billed_prices(
    sheet: PriceSheet, at: dt.datetime | None = None, processing: str = "standard", input_tokens: int = 0
) -> Mapping[str, int]:
    """micro-USD per Mtok of each component as a quote bills it: a missing cache price is replaced as there.

    For a prompt of `input_tokens` at a moment (UTC; None is now). A component whose price is unknown is not named.
    """
    moment = as_utc(at)
    rows = {name: billed_row(sheet, name, processing, moment, input_tokens) for name in COMPONENTS}
    return {name: row.micro_usd_per_mtok for name, row in rows.items() if row is not None}


def cost_pico_usd(usage: TokenCounts, prices: Mapping[str, int]) -> int | None:
    """Tokens times price (micro-USD per Mtok by component) in whole pico-USD, exact.

    None when a part of the usage has no price in `prices`: a missing price is never 0.
    """
    parts = {
        CACHE_READ: usage.cached_input_tokens,
        CACHE_WRITE_5M: usage.cache_write_5m_tokens,
        CACHE_WRITE_1H: usage.cache_write_1h_tokens,
    }
    # Sums of what several tools reported may hold more cached tokens than input.
    plain = max(0, usage.input_tokens - sum(parts.values()))
    used = {name: tokens for name, tokens in (parts | {INPUT: plain, OUTPUT: usage.output_tokens}).items() if tokens}
    return sum(tokens * prices[name] for name, tokens in used.items()) if used.keys() <= prices.keys() else None
