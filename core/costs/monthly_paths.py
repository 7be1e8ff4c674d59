"""What happens on each simulated path: requests, price level, token lengths and cache hits.

Months are off plan by factors that do not depend on the planned volume (but for chance in a finite number of requests,
see `CHANCE_STEP`). They are kept, so that a plan with other volumes multiplies them by its own and draws nothing anew.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

import numpy as np

from core.costs.conventions import MONTHS_PER_YEAR, Floats
from core.costs.monthly_outlook import (
    MAX_REQUESTS_PER_MONTH,
    Outlook,
    bounded,
    counting_deviation,
    grown_requests,
    input_scores,
    log_deviation,
    mean_one,
    month_noise,
    plain_requests,
    price_level,
    season_angle,
    speed_scores,
)
from core.workload import Workload

CHANCE_STEP = 0.01
"""The deviation of a single month is taken in steps of 1 %: it is an assumption, and its rows can be used again."""

LEAST_PLANNED, MOST_PLANNED = 1e-30, 1e30
KEPT_PATHS, KEPT_ROWS = 10_000, 240
"""Rows of so many paths at most are kept, and so many of them: 19 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffPlan:
    """What decides by which factor the months of a path are off plan; spreads as in `Outlook`."""

    requests_spread: float
    growth_spread_per_month: float
    price_spread_per_year: float
    seasonality: float
    seasonality_spread: float
    retry_share: float
    retry_spread: float

    def priced_row(self, scores: Mapping[str, Floats], noise: Floats | float, place: Place, cap: float) -> Floats:
        """Factor of each path in a month: requests (season and retries included, at most `cap`) times price level.

        Every lognormal is divided by its mean, so that the mean of the paths is the plan.
        """
        log_price, per_month = self._log_price(scores, place), self._log_requests(scores, noise, place)
        if math.isinf(cap):
            factors: Floats = np.exp(per_month + log_price) * self._season_and_retries(scores, place)
            return factors
        return self._capped(per_month, scores, place, cap) * np.exp(log_price)

    def request_row(self, scores: Mapping[str, Floats], noise: Floats | float, place: Place, cap: float) -> Floats:
        """As `priced_row`, without the price level."""
        return self._capped(self._log_requests(scores, noise, place), scores, place, cap)

    def reach(self, place: Place, score: float) -> float:
        """No path with scores up to `score` is above plan by more than this factor; inf when beyond any number."""
        deviations = (place.by_chance, self.growth_spread_per_month * place.month, log_deviation(self.requests_spread))
        log = score * sum(deviations) + math.log(4.0)  # season and retries double the requests at most
        return math.exp(log) if log < 700 else math.inf

    def _capped(self, log_requests: Floats, scores: Mapping[str, Floats], place: Place, cap: float) -> Floats:
        return np.minimum(np.exp(log_requests) * self._season_and_retries(scores, place), cap)

    def _log_requests(self, scores: Mapping[str, Floats], noise: Floats | float, place: Place) -> Floats:
        by_month, level = self.growth_spread_per_month * place.month, log_deviation(self.requests_spread)
        found: Floats = scores["growth"] * by_month
        found += scores["requests"] * level
        found += noise * np.float64(place.by_chance)
        found -= (place.by_chance**2 + by_month**2 + level**2) / 2
        return found

    def _log_price(self, scores: Mapping[str, Floats], place: Place) -> Floats:
        by_month = self.price_spread_per_year / MONTHS_PER_YEAR * place.month
        return scores["price"] * by_month - by_month**2 / 2

    def _season_and_retries(self, scores: Mapping[str, Floats], place: Place) -> Floats | float:
        factor: Floats | float = 1.0
        if self.seasonality:
            largest = self.seasonality_spread * self.seasonality
            amplitude = bounded(self.seasonality, largest, 0.0, 1.0, scores["seasonality"])
            factor = 1 + math.cos(place.angle) * amplitude
        if self.retry_share:
            largest = self.retry_spread * self.retry_share
            factor = factor * (1 + bounded(self.retry_share, largest, 0.0, 1.0, scores["retry"]))
        return factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A month of the plan: its number from 0, its angle in the yearly wave, its own log-deviation."""

    month: int
    angle: float
    by_chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Factors of all paths in a month, read-only; a row that is kept has a `key` of its own, else None."""

    factors: Floats
    key: object | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The paths of a plan. A path's priced requests of a month are `scale[month]` times its factor in `row(month)`.

    `priced` requests are billed requests (retries included) times the price level of the month: what every metered way
    shares, so that its cost is this times a cost per request. `requests(month)` are the billed requests themselves.
    `input_factor` and `output_factor` scale the mean lengths, `cached_share` is absolute, `speed_scores` say how fast
    machines are; all four hold for a path.
    """

    scale: Floats
    row: Callable[[int], Row]
    requests: Callable[[int], Floats]
    input_factor: Floats
    output_factor: Floats
    cached_share: Floats
    speed_scores: Floats
    _sums: dict[tuple[int, ...], Floats] = field(default_factory=dict, repr=False, compare=False)

    def summed(self, months: Sequence[int]) -> Floats:
        """Priced requests of each path over some months together; do not change it."""
        wanted = tuple(months)
        if wanted not in self._sums:
            found = np.zeros_like(self.input_factor)
            for month in wanted:
                found += self.row(month).factors * self.scale[month]
            self._sums[wanted] = found
        return self._sums[wanted]


def simulate_paths(workload: Workload, outlook: Outlook, starts: list[dt.date], *, seed: int, paths: int) -> Paths:
    """The paths of a workload; the same arguments give the same bytes."""
    by_chance = np.zeros(len(starts))
    if outlook.monthly_noise:
        counted = counting_deviation(workload, plain_requests(workload, starts))
        by_chance = np.hypot(log_deviation(outlook.monthly_noise), counted)
    off, scores = _off_plan(workload, outlook), input_scores(seed, paths)
    planned = _planned(workload)
    places = [_place(month, day, float(by_chance[month])) for month, day in enumerate(starts)]

    top_score = float(scores["growth"].max())

    def cap(month: int) -> float:
        """Largest factor of requests in the month, inf when no path comes near it."""
        largest = MAX_REQUESTS_PER_MONTH / float(planned[month])
        return largest if off.reach(places[month], top_score) > largest else math.inf

    @cache
    def row(month: int) -> Row:
        largest = cap(month)
        if paths <= KEPT_PATHS and math.isinf(largest):
            return _kept_row(off, seed, paths, places[month])
        noise = month_noise(seed, paths, month)
        return Row(factors=off.priced_row(scores, noise, places[month], largest), key=None)

    def requests(month: int) -> Floats:
        found = off.request_row(scores, month_noise(seed, paths, month), places[month], cap(month))
        found *= planned[month]
        return found

    return _paths(workload, outlook, planned, scores, row, requests, speed_scores(seed, paths))


def paths_of(workload: Workload, outlook: Outlook, starts: list[dt.date], scores: Mapping[str, Floats]) -> Paths:
    """Paths for given normal scores of each input; single months differ from plan in nothing."""
    off, planned = _off_plan(workload, outlook), _planned(workload)
    places = [_place(month, day, 0.0) for month, day in enumerate(starts)]

    def requests(month: int) -> Floats:
        found = off.request_row(scores, 0.0, places[month], MAX_REQUESTS_PER_MONTH / planned[month])
        found *= planned[month]
        return found

    def row(month: int) -> Row:
        factors = off.priced_row(scores, 0.0, places[month], MAX_REQUESTS_PER_MONTH / planned[month])
        return Row(factors=factors, key=None)

    return _paths(workload, outlook, planned, scores, row, requests, np.zeros_like(scores["requests"]))


def _paths(
    workload: Workload,
    outlook: Outlook,
    planned: Floats,
    scores: Mapping[str, Floats],
    row: Callable[[int], Row],
    requests: Callable[[int], Floats],
    speeds: Floats,
) -> Paths:
    spread = log_deviation(outlook.tokens_spread)
    most = 1.0 - workload.cache_write_share
    return Paths(
        scale=planned * price_level(outlook, len(planned)),
        row=row,
        requests=requests,
        input_factor=mean_one(spread, scores["input_tokens"]),
        output_factor=mean_one(spread, scores["output_tokens"]),
        cached_share=bounded(workload.cached_share, outlook.cached_spread, 0.0, most, scores["cached"]),
        speed_scores=speeds,
    )


@lru_cache(maxsize=KEPT_ROWS)
def _kept_row(off: OffPlan, seed: int, paths: int, place: Place) -> Row:
    found = off.priced_row(input_scores(seed, paths), month_noise(seed, paths, place.month), place, math.inf)
    found.setflags(write=False)
    return Row(factors=found, key=object())


def _off_plan(workload: Workload, outlook: Outlook) -> OffPlan:
    return OffPlan(
        requests_spread=outlook.requests_spread,
        growth_spread_per_month=outlook.growth_spread_per_month,
        price_spread_per_year=outlook.price_spread_per_year,
        seasonality=workload.seasonality,
        seasonality_spread=outlook.seasonality_spread,
        retry_share=workload.retry_share,
        retry_spread=outlook.retry_spread,
    )


def _planned(workload: Workload) -> Floats:
    """Requests of each month before season and retries, within what can still be divided by and multiplied."""
    return np.clip(grown_requests(workload), LEAST_PLANNED, MOST_PLANNED)


def _place(month: int, day: dt.date, by_chance: float) -> Place:
    if by_chance > 0:
        by_chance = math.exp(round(math.log(by_chance) / CHANCE_STEP) * CHANCE_STEP)
    return Place(month=month, angle=season_angle(day), by_chance=by_chance)
