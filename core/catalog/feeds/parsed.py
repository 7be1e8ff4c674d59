"""What do parsers of feeds hand back, and what must every price of a GPU satisfy, whoever states it?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from core.catalog.rows import RefusedRow
from core.costs.gpus import GpuOffer
from core.costs.tokens import PriceRow
from core.i18n import SaidError, said
from core.money import micro_usd_rounded

LOW_USD_PER_GPU_HOUR, HIGH_USD_PER_GPU_HOUR = 0.02, 25.0
"""No GPU is let for less or more: beyond these a unit was mistaken, or a sentinel such as 700 stands for "not sold"."""


class FeedError(SaidError):
    """A feed as a whole that cannot be used; `said` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """Offers with the raw text of their price, rows refused with their reason, and the day the feed names, if any."""

    source: str
    offers: list[tuple[GpuOffer, str]] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    source_date: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FedModel:
    """One model of a feed and its prices on the day it was read."""

    provider_id: str
    model_id: str
    context_window_tokens: int | None
    rows: tuple[PriceRow, ...]

    @property
    def key(self) -> str:
        """`provider/model`."""
        return f"{self.provider_id}/{self.model_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedModels:
    """Models of a feed of model prices, entries refused with their reason, and the day the prices are said to hold."""

    source: str
    source_date: dt.date
    models: list[FedModel] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)


Found = TypeVar("Found")


def read_feed(parse: Callable[[bytes, dt.date], Found], content: bytes, day: dt.date) -> Found:
    """The feed as its parser reads it; FeedError also where the parser trips over a shape it does not know."""
    try:
        return parse(content, day)
    except FeedError:
        raise
    except SaidError as error:
        raise FeedError(error.said) from error
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        raise FeedError(said("catalog.feed_unread", error=type(error).__name__)) from error


def decoded(content: bytes) -> str:
    """The text of a feed; FeedError when it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FeedError(said("catalog.feed_not_text")) from error


def checked_price(text: str, gpu_count: int) -> int:
    """Micro-USD per hour of a whole instance from USD per hour.

    SaidError for text that is no amount, and outside `LOW_USD_PER_GPU_HOUR` to `HIGH_USD_PER_GPU_HOUR` for one GPU.
    """
    micro = micro_usd_rounded(text)
    per_gpu = micro / gpu_count / 1e6
    if not LOW_USD_PER_GPU_HOUR <= per_gpu <= HIGH_USD_PER_GPU_HOUR:
        limits = {"low": f"{LOW_USD_PER_GPU_HOUR:g}", "high": f"{HIGH_USD_PER_GPU_HOUR:g}"}
        raise SaidError(said("catalog.price_out_of_range", given=text, per_gpu=f"{per_gpu:.4g}", **limits))
    return micro
