"""What happens on each simulated path: requests, price level, token lengths and cache hits."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.costs.monthly_outlook import (
    MAX_REQUESTS_PER_MONTH,
    Outlook,
    bounded,
    counting_deviation,
    draws,
    log_deviation,
    mean_one,
    plain_requests,
    price_level,
    season,
)
from core.costs.monthly_ways import Floats
from core.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Billed requests (months x paths, retries included), and what a path multiplies a request's price by.

    `priced_requests` is `requests` times the price level of the month: the one array every metered way shares, so that
    its cost is this array times a cost per request. `input_factor` and `output_factor` scale the mean lengths,
    `cached_share` is absolute; all three hold for a whole path.
    """

    requests: Floats
    priced_requests: Floats
    input_factor: Floats
    output_factor: Floats
    cached_share: Floats


def simulate_paths(workload: Workload, outlook: Outlook, starts: list[dt.date], *, seed: int, paths: int) -> Paths:
    """The paths of a workload; the same arguments give the same bytes."""
    scores, noise = draws(seed, paths, len(starts))
    return paths_of(workload, outlook, starts, scores, noise)


def paths_of(
    workload: Workload, outlook: Outlook, starts: list[dt.date], scores: Mapping[str, Floats], noise: Floats | None
) -> Paths:
    """Paths for given normal scores of each input and month; without `noise`, months differ from plan in nothing."""
    requests, priced = _volumes(workload, outlook, starts, scores, noise)
    token_spread = log_deviation(outlook.tokens_spread)
    return Paths(
        requests=requests,
        priced_requests=priced,
        input_factor=mean_one(token_spread, scores["input_tokens"]),
        output_factor=mean_one(token_spread, scores["output_tokens"]),
        cached_share=bounded(
            workload.cached_share,
            outlook.cached_spread,
            0.0,
            1.0 - workload.cache_write_share,
            scores["cached"],
        ),
    )


def _volumes(
    workload: Workload, outlook: Outlook, starts: list[dt.date], scores: Mapping[str, Floats], noise: Floats | None
) -> tuple[Floats, Floats]:
    """Requests, and requests times the price level (months x paths).

    Month by month, so that a row stays in the processor's cache. Growth and price are off by a factor to the power of
    the month, hence by one more factor each month: the exponential of a whole path is taken once. Each lognormal is
    divided by its mean, so that the mean of the paths is the plan.
    """
    by_chance = np.zeros(len(starts))
    if noise is not None:
        counted = counting_deviation(workload, plain_requests(workload, starts))
        by_chance = np.hypot(log_deviation(outlook.monthly_noise), counted)
    growth_spread, price_spread = outlook.growth_spread_per_month, outlook.price_spread_per_year / 12
    grown, dearer = np.exp(growth_spread * scores["growth"]), np.exp(price_spread * scores["price"])
    level = mean_one(log_deviation(outlook.requests_spread), scores["requests"])
    price = np.ones_like(level)
    requests = np.empty((len(starts), level.size))
    priced = np.empty_like(requests)
    planned, prices = _per_path(workload, outlook, starts, scores), price_level(outlook, len(starts))
    for month, row in enumerate(requests):
        row[:] = 0.0 if noise is None else noise[month]
        row *= by_chance[month]
        row -= (by_chance[month] ** 2 + (growth_spread * month) ** 2) / 2
        np.exp(row, out=row)
        row *= level
        row *= planned[month]
        np.minimum(row, MAX_REQUESTS_PER_MONTH, out=row)
        np.multiply(row, price, out=priced[month])
        priced[month] *= prices[month] * math.exp(-((price_spread * month) ** 2) / 2)
        level *= grown
        price *= dearer
    return requests, priced


def _per_path(workload: Workload, outlook: Outlook, starts: list[dt.date], scores: Mapping[str, Floats]) -> Floats:
    """Planned growth, the path's season and its retries (months x paths or months x 1)."""
    months = np.arange(len(starts))
    grown = workload.requests_per_month * (1 + workload.growth_per_month) ** months
    factor: Floats = np.asarray(grown, dtype=np.float64)[:, None]
    if workload.seasonality:
        amplitude = bounded(
            workload.seasonality,
            outlook.seasonality_spread * workload.seasonality,
            0.0,
            1.0,
            scores["seasonality"],
        )
        factor = factor * season(amplitude, starts)
    if workload.retry_share:
        retries = bounded(workload.retry_share, outlook.retry_spread * workload.retry_share, 0.0, 1.0, scores["retry"])
        factor = factor * (1 + retries)
    return factor
