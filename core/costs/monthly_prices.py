"""What does one request of a workload cost on a model in a given month? List prices turned into cost per request.

Context tiers are chosen by each request's prompt length: lengths are lognormal with the workload's mean and spread, and
the share of requests and of tokens in each tier is that distribution's (partial) expectation. A price that changes
within a month counts for the days it holds. One token at one micro-USD per Mtok costs one pico-USD. float64.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.costs.conventions import Floats
from core.costs.monthly_tiers import tier_shares
from core.costs.monthly_ways import ModelWay
from core.costs.tokens import PriceRow, PriceSheet, cache_row, find_row, hour_extremes, tier_thresholds
from core.costs.tokens_prices import CACHE_READ, CACHE_WRITE_5M, INPUT, OUTPUT
from core.money import PICO_PER_USD
from core.workload import Workload

COMPONENTS = ("input", "cache_read", "cache_write", "output")
"""Metered parts of a request's cost, in the order they are shown."""

PRICED_AS = {"input": INPUT, "cache_read": CACHE_READ, "cache_write": CACHE_WRITE_5M, "output": OUTPUT}
STANDARD, BATCH = "standard", "batch"
Fallback = Literal["no_batch_price", "no_cache_read_price", "no_cache_write_price"]

# Prompt lengths around the mean at which tiered prices are computed; paths in between are interpolated.
TIER_GRID = np.geomspace(1 / 64, 64, 97)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCost:
    """USD per billed request by component, before terms; `Floats` per path or of shape () for the plan."""

    input: Floats
    cache_read: Floats
    cache_write: Floats
    output: Floats

    @property
    def total(self) -> Floats:
        return self.input + self.cache_read + self.cache_write + self.output


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Mean lengths and cached share of a path (or of the plan): factors of the workload's means, absolute share."""

    input_factor: Floats
    output_factor: Floats
    cached_share: Floats


def plan_lengths(workload: Workload) -> Lengths:
    """Lengths and cached share exactly as the workload states them."""
    return Lengths(
        input_factor=np.array(1.0), output_factor=np.array(1.0), cached_share=np.array(workload.cached_share)
    )


class PriceGap(Exception):  # noqa: N818 - a fact about the catalog the bill reports, not a fault
    """A sheet without an input or output price at a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """micro-USD per Mtok by component: per path, or of shape ()."""

    input: Floats
    cache_read: Floats
    cache_write: Floats
    output: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """A part of a model's requests billed alike: how they are processed, at which hours, and how many of them."""

    processing: str
    at: dt.datetime
    share: float


def request_cost(
    way: ModelWay, workload: Workload, lengths: Lengths, at: dt.datetime
) -> tuple[RequestCost, tuple[Fallback, ...]]:
    """Mean cost of one request at the prices of `at`, and which missing prices were replaced by dearer ones.

    A model without a batch price bills batched requests at the way's processing; one without a cache price bills
    cached tokens as input. Raises PriceGap without an input or output price.
    """
    found = [
        _cost(rates(way.sheet, portion, workload, lengths), workload, lengths, portion.share)
        for portion in portions(way, workload, at)
    ]
    cost = found[0]
    for other in found[1:]:
        cost = RequestCost(**{name: getattr(cost, name) + getattr(other, name) for name in COMPONENTS})
    return cost, _fallbacks(way, workload, at)


def portions(way: ModelWay, workload: Workload, at: dt.datetime) -> list[Portion]:
    """How a model's requests split between its processing and batch, and between dear and cheap hours."""
    batch_share = workload.batch_share if way.batch_share is None else way.batch_share
    if batch_share and _rows(way.sheet, OUTPUT, BATCH, at) == []:
        batch_share = 0.0
    found = []
    for processing, share in ((way.processing, 1 - batch_share), (BATCH, batch_share)):
        if share <= 0:
            continue
        cheap, dear = hour_extremes(way.sheet, at, processing)
        if cheap == dear:
            found.append(Portion(processing=processing, at=at, share=share))
            continue
        for moment, part in ((dear, workload.peak_hour_share), (cheap, 1 - workload.peak_hour_share)):
            if part > 0:
                found.append(Portion(processing=processing, at=moment, share=share * part))
    return found


def rates(sheet: PriceSheet, portion: Portion, workload: Workload, lengths: Lengths) -> Rates:
    """Effective rates of a portion: token-weighted over the context tiers for input, request-weighted for output.

    Raises PriceGap without an input or output price.
    """
    edges = tier_thresholds(sheet, portion.at, portion.processing)
    if not edges:
        return _rates(tier_rates(sheet, portion, workload.input_tokens))
    if lengths.input_factor.ndim == 0 and not workload.input_spread:
        return _rates(tier_rates(sheet, portion, round(workload.input_tokens * float(lengths.input_factor))))
    tiers = np.array([tier_rates(sheet, portion, tokens) for tokens in (0, *(edge + 1 for edge in edges))])
    if lengths.input_factor.ndim == 0:
        return _rates(_weighted(tiers, workload.input_tokens, workload.input_spread, edges))
    if not workload.input_spread:
        # The first tier begins above its edge, so a prompt of exactly the edge stays below.
        place = np.searchsorted(np.array(edges), workload.input_tokens * lengths.input_factor, side="left")
        return _rates(tiers[place].T)
    grid = np.array(
        [_weighted(tiers, workload.input_tokens * factor, workload.input_spread, edges) for factor in TIER_GRID]
    )
    return _rates([np.interp(lengths.input_factor, TIER_GRID, column) for column in grid.T])


def tier_rates(sheet: PriceSheet, portion: Portion, input_tokens: int) -> tuple[float, float, float, float]:
    """micro-USD per Mtok of input, cache read, cache write and output for a prompt length. Raises PriceGap."""
    rows = component_rows(sheet, portion, input_tokens)
    read, write = rows["cache_read"] or rows["input"], rows["cache_write"] or rows["input"]
    plain, output = rows["input"], rows["output"]
    if plain is None or output is None or read is None or write is None:
        raise PriceGap(sheet.key)
    return (
        float(plain.micro_usd_per_mtok),
        float(read.micro_usd_per_mtok),
        float(write.micro_usd_per_mtok),
        float(output.micro_usd_per_mtok),
    )


def component_rows(sheet: PriceSheet, portion: Portion, input_tokens: int) -> dict[str, PriceRow | None]:
    """The price row behind each component, None without one; cache prices as in a quote."""
    found = {}
    for name, component in PRICED_AS.items():
        find = cache_row if name.startswith("cache") else find_row
        found[name] = find(sheet, component, portion.processing, portion.at, input_tokens)
    return found


def _weighted(
    tiers: Floats, mean_tokens: float, spread: float, edges: Sequence[int]
) -> tuple[float, float, float, float]:
    shares = tier_shares(mean_tokens, spread, edges)
    by_tokens, by_requests = np.array(shares.tokens) @ tiers, np.array(shares.requests) @ tiers
    return float(by_tokens[0]), float(by_tokens[1]), float(by_tokens[2]), float(by_requests[3])


def _rates(columns: Sequence[Floats | float] | Floats) -> Rates:
    plain, read, write, output = (np.asarray(column, dtype=np.float64) for column in columns)
    return Rates(input=plain, cache_read=read, cache_write=write, output=output)


def _cost(found: Rates, workload: Workload, lengths: Lengths, share: float) -> RequestCost:
    per_input = workload.input_tokens * share / PICO_PER_USD * lengths.input_factor
    per_output = workload.output_tokens * share / PICO_PER_USD * lengths.output_factor
    # Rounding of shares that add up to 1 must not make a component negative.
    fresh = np.maximum(1 - workload.cache_write_share - lengths.cached_share, 0.0)
    return RequestCost(
        input=per_input * fresh * found.input,
        cache_read=per_input * lengths.cached_share * found.cache_read,
        cache_write=per_input * workload.cache_write_share * found.cache_write,
        output=per_output * found.output,
    )


def _rows(sheet: PriceSheet, component: str, processing: str, at: dt.datetime) -> list[PriceRow]:
    return [row for row in sheet.by_part.get((component, processing), ()) if row.holds_at(at)]


def _fallbacks(way: ModelWay, workload: Workload, at: dt.datetime) -> tuple[Fallback, ...]:
    """Which prices the workload asks for and the sheet does not have."""
    found: list[Fallback] = []
    batch_share = workload.batch_share if way.batch_share is None else way.batch_share
    if batch_share and not _rows(way.sheet, OUTPUT, BATCH, at):
        found.append("no_batch_price")
    has = {name: bool(_rows(way.sheet, name, STANDARD, at)) for name in (CACHE_READ, CACHE_WRITE_5M)}
    if workload.cached_share and not has[CACHE_READ]:
        found.append("no_cache_read_price")
    if workload.cache_write_share and not has[CACHE_WRITE_5M]:
        found.append("no_cache_write_price")
    return tuple(found)
