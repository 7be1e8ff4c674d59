"""How may the months ahead differ from the plan? Volumes and price levels of many seeded paths.

Every spread keeps its mean, so the mean of the paths is the deterministic plan: a factor is exp(s z - s^2 / 2), never
exp(s z), and a share moves symmetrically within its bounds. Each random input takes every one of equally likely
normal scores once (a Latin hypercube), which makes percentiles steadier between seeds than independent draws. float64.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from core.costs.conventions import MONTHS_PER_YEAR, Floats
from core.costs.limits import require_within
from core.workload import Workload

MIN_PATHS, MAX_PATHS = 100, 50_000
KEPT_NOISE_ROWS = 60

SEASON_PEAK_MONTH = 12
"""The busiest calendar month of the yearly wave; half a year later is the quietest."""

MAX_REQUESTS_PER_MONTH = 1e15
"""More than 100,000 requests a month for every person alive: growth beyond it is cut off there and reported."""

LIMITS: Mapping[str, tuple[float, float]] = {
    "price_decline_per_year": (0.0, 0.9),
    "requests_spread": (0.0, 1.0),
    "growth_spread_per_month": (0.0, 0.1),
    "monthly_noise": (0.0, 1.0),
    "tokens_spread": (0.0, 1.0),
    "cached_spread": (0.0, 0.5),
    "retry_spread": (0.0, 1.0),
    "seasonality_spread": (0.0, 1.0),
    "price_spread_per_year": (0.0, 0.5),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is not known about the months ahead; the defaults are planning assumptions of this program.

    `price_decline_per_year` is the expected fall of list prices (0.2: 20 % a year), the rest are spreads:
    `requests_spread`, `monthly_noise` and `tokens_spread` the relative standard deviation of the level of requests, of
    a single month and of the mean prompt and reply; `growth_spread_per_month` and `price_spread_per_year` that of the
    log growth and the log price; `cached_spread` in points of share, `retry_spread` and `seasonality_spread` relative
    to the workload's value, all three the largest deviation. With `monthly_noise` 0, months are not off plan by the
    chance of finitely many requests either. ValueError outside `LIMITS`.
    """

    price_decline_per_year: float = 0.0
    requests_spread: float = 0.10
    growth_spread_per_month: float = 0.01
    monthly_noise: float = 0.05
    tokens_spread: float = 0.10
    cached_spread: float = 0.10
    retry_spread: float = 0.5
    seasonality_spread: float = 0.5
    price_spread_per_year: float = 0.05

    def __post_init__(self) -> None:
        for field, (low, high) in LIMITS.items():
            require_within(field, getattr(self, field), low, high)


CERTAIN = Outlook(
    requests_spread=0,
    growth_spread_per_month=0,
    monthly_noise=0,
    tokens_spread=0,
    cached_spread=0,
    retry_spread=0,
    seasonality_spread=0,
    price_spread_per_year=0,
)
"""Everything happens as planned."""

P90_SCORE = NormalDist().inv_cdf(0.9)
SPEED_STREAM = 1_000_000
"""Beyond the number of any month, which name the streams of `month_noise`."""

INPUTS = ("requests", "growth", "input_tokens", "output_tokens", "cached", "retry", "seasonality", "price")
"""What varies from path to path, in the order of the draws."""


@lru_cache(maxsize=2)
def _scores(paths: int) -> Floats:
    """Equally likely standard normal scores, symmetric around 0."""
    half = [NormalDist().inv_cdf((rank + 0.5) / paths) for rank in range(paths // 2)]
    middle = [0.0] if paths % 2 else []
    return np.array([*half, *middle, *(-score for score in reversed(half))])


@lru_cache(maxsize=4)
def input_scores(seed: int, paths: int) -> Mapping[str, Floats]:
    """Standard normal scores of each input (paths); read-only."""
    ranks = _spread_ranks(np.random.Generator(np.random.PCG64(seed)), paths)
    found = {name: _scores(paths)[places] for name, places in zip(INPUTS, ranks, strict=True)}
    for array in found.values():
        array.setflags(write=False)
    return found


@lru_cache(maxsize=KEPT_NOISE_ROWS)
def month_noise(seed: int, paths: int, month: int) -> Floats:
    """Standard normal scores of one month (paths); read-only. A month has the same ones whatever the horizon."""
    found: Floats = np.random.Generator(np.random.PCG64([seed, month])).permutation(_scores(paths))
    found.setflags(write=False)
    return found


@lru_cache(maxsize=4)
def speed_scores(seed: int, paths: int) -> Floats:
    """Standard normal scores of how fast machines are (paths), of a stream of their own: the other inputs keep their
    paths. Read-only.
    """
    found: Floats = np.random.Generator(np.random.PCG64([seed, SPEED_STREAM])).permutation(_scores(paths))
    found.setflags(write=False)
    return found


def _spread_ranks(generator: np.random.Generator, paths: int) -> list[NDArray[np.intp]]:
    """For each input a permutation of ranks, such that all inputs together fill their space evenly.

    A randomly shifted Kronecker sequence with the powers of the root of x^(d+1) = x + 1 as steps (Roberts' R sequence),
    reduced to ranks. Percentiles of the paths vary less than half as much between seeds as with shuffled ranks.
    """
    root = 1.0
    for _ in range(64):
        root = (1 + root) ** (1 / (len(INPUTS) + 1))
    steps = root ** -np.arange(1, len(INPUTS) + 1)
    points = (generator.random(len(INPUTS)) + np.multiply.outer(np.arange(paths), steps)) % 1.0
    return [np.argsort(np.argsort(column, kind="stable"), kind="stable") for column in points.T]


def month_starts(start: dt.date, months: int) -> list[dt.date]:
    """First days of `months` calendar months, the one of `start` first."""
    first = start.year * 12 + start.month - 1
    return [dt.date((first + k) // 12, (first + k) % 12 + 1, 1) for k in range(months)]


def bounded(mean: float, largest: float, low: float, high: float, scores: Floats | float) -> Floats:
    """Values around `mean` that keep it and stay in `low` to `high`: at most `largest` away, tanh of the scores."""
    reach = max(0.0, min(largest, mean - low, high - mean))
    found: Floats = mean + reach * np.tanh(np.asarray(scores))
    return found


def within_band(low: float, high: float, scores: Floats) -> Floats:
    """Lognormal factors with a median of 1 and a band's ends as P10 and P90, each side with a spread of its own."""
    sides = np.where(scores < 0, -math.log(low), math.log(high))
    return np.exp(sides / P90_SCORE * scores)


def mean_one(spread: float | Floats, scores: Floats | float) -> Floats:
    """Lognormal factors of log-deviation `spread` whose mean is 1."""
    return np.exp(spread * np.asarray(scores) - np.square(spread) / 2)


def log_deviation(relative: float) -> float:
    """Standard deviation of the log of a lognormal whose standard deviation is `relative` times its mean."""
    return math.sqrt(math.log1p(relative * relative))


def season(amplitude: Floats | float, starts: list[dt.date]) -> Floats:
    """Factor of each month (months x paths), yearly mean 1: a cosine that peaks in `SEASON_PEAK_MONTH`."""
    angles = np.array([season_angle(day) for day in starts])
    wave: Floats = 1 + np.multiply.outer(np.cos(angles), np.asarray(amplitude))
    return wave


def season_angle(day: dt.date) -> float:
    """Where the month of `day` stands in the yearly wave, in radians from its peak."""
    return 2 * math.pi * (day.month - SEASON_PEAK_MONTH) / MONTHS_PER_YEAR


def grown_requests(workload: Workload) -> Floats:
    """Requests of each month by growth alone, before season and retries; without a limit."""
    months = np.arange(workload.horizon_months, dtype=np.float64)
    return workload.requests_per_month * (1 + workload.growth_per_month) ** months


def plain_requests(workload: Workload, starts: list[dt.date]) -> Floats:
    """Billed requests of each month as planned: growth, season and retries; cut at `MAX_REQUESTS_PER_MONTH`."""
    grown = grown_requests(workload)
    return np.minimum(grown * season(workload.seasonality, starts) * (1 + workload.retry_share), MAX_REQUESTS_PER_MONTH)


def price_level(outlook: Outlook, months: int) -> Floats:
    """Expected list price of each month relative to the first."""
    level: Floats = (1 - outlook.price_decline_per_year) ** (np.arange(months) / MONTHS_PER_YEAR)
    return level


def counting_deviation(workload: Workload, requests: Floats) -> Floats:
    """Log-deviation of a month's tokens because a month is a finite sample of requests: sqrt((1 + cv^2) / n)."""
    spread = max(workload.input_spread, workload.output_spread)
    return np.sqrt(np.log1p((1 + spread * spread) / np.maximum(requests, 1)))
