"""What does a usage cost on a model at a moment? Exact integers inside, each line of the quote named.

One token at one micro-USD per Mtok costs one pico-USD, so a quote is a sum of integer products.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from core.costs.tokens_hours import hour_extremes
from core.costs.tokens_prices import (
    CACHE_READ,
    CACHE_WRITE_1H,
    CACHE_WRITE_5M,
    COMPONENTS,
    INPUT,
    LAYERS,
    OUTPUT,
    PROCESSINGS,
    NoPriceError,
    PriceError,
    PriceRow,
    PriceSheet,
    TokenUsage,
    as_utc,
    find_row,
)
from core.money import usd_from_pico

__all__ = [
    "COMPONENTS", "LAYERS", "PROCESSINGS", "CostQuote", "NoPriceError", "PriceError", "PriceRow", "PriceSheet",
    "QuoteLine", "TokenUsage", "UnitPrices", "as_utc", "billed_row", "cache_row", "find_row", "hour_extremes", "quote",
    "tier_thresholds", "unit_prices",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteLine:
    """One line of a quote: tokens of a component times the price of a row."""

    component: str
    tokens: int
    micro_usd_per_mtok: int
    row: PriceRow

    @property
    def pico_usd(self) -> int:
        """Pico-USD, exact: one token at one micro-USD per Mtok."""
        return self.tokens * self.micro_usd_per_mtok

    @property
    def cost_usd(self) -> Decimal:
        """USD, exact."""
        return usd_from_pico(self.pico_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostQuote:
    """What one usage costs: exact USD, line by line, with the source and date of its prices.

    `warnings` are codes a page has sentences for: retired, no_cache_read_price, no_cache_write_price,
    standard_cache_price, price_unconfirmed.
    """

    model: str
    at: dt.datetime
    processing: str
    lines: tuple[QuoteLine, ...]
    warnings: tuple[str, ...] = ()

    @property
    def pico_usd(self) -> int:
        """Pico-USD of all lines, exact."""
        return sum(line.pico_usd for line in self.lines)

    @property
    def cost_usd(self) -> Decimal:
        """USD, exact."""
        return usd_from_pico(self.pico_usd)

    @property
    def source(self) -> str:
        """Sources of its prices, each once."""
        return "; ".join(dict.fromkeys(line.row.source for line in self.lines))

    @property
    def as_of(self) -> dt.date | None:
        """Date of its oldest price, None when any is undated."""
        days = [line.row.as_of for line in self.lines]
        return min((day for day in days if day is not None), default=None) if None not in days else None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrices:
    """micro-USD per Mtok of each component for one prompt length at one moment; None where there is no such price."""

    input: int | None
    cache_read: int | None
    cache_write_5m: int | None
    cache_write_1h: int | None
    output: int | None


def quote(
    sheet: PriceSheet, usage: TokenUsage, at: dt.datetime | None = None, processing: str = "standard"
) -> CostQuote:
    """The exact cost of one request at a moment (UTC; None is now, a naive time is taken as UTC).

    `processing` is standard, batch, flex or priority. The context tier is that of `usage.input_tokens` and prices the
    whole request. Without a price for cached or cache-written tokens they cost what `cache_row` says, else what input
    costs, and the quote warns. NoPriceError when the model has no price for a part of the usage: a missing price is
    never 0. ValueError for another processing, or for what is no TokenUsage or no datetime.
    """
    if processing not in PROCESSINGS:
        raise ValueError(f"processing is {processing!r}: give one of {', '.join(PROCESSINGS)}.")
    if not isinstance(usage, TokenUsage):
        raise ValueError(f"usage is {usage!r}: give a TokenUsage, such as TokenUsage(input_tokens=1000).")
    moment = as_utc(at)
    warnings: list[str] = ["retired"] if sheet.is_retired else []
    parts = (
        (INPUT, usage.plain_input_tokens),
        (CACHE_READ, usage.cached_input_tokens),
        (CACHE_WRITE_5M, usage.cache_write_5m_tokens),
        (CACHE_WRITE_1H, usage.cache_write_1h_tokens),
        (OUTPUT, usage.output_tokens),
    )
    lines = []
    for component, tokens in parts:
        if tokens or component in (INPUT, OUTPUT):
            row = billed_row(sheet, component, processing, moment, usage.input_tokens)
            if row is None:
                if tokens == 0:
                    continue
                raise _no_price(sheet, component, processing, moment)
            warnings += _stand_in(component, processing, row)
            lines.append(
                QuoteLine(component=component, tokens=tokens, micro_usd_per_mtok=row.micro_usd_per_mtok, row=row)
            )
    if not lines:
        raise _no_price(sheet, INPUT, processing, moment)
    return CostQuote(
        model=sheet.key, at=moment, processing=processing, lines=tuple(lines), warnings=tuple(dict.fromkeys(warnings))
    )


def billed_row(
    sheet: PriceSheet, component: str, processing: str, at: dt.datetime, input_tokens: int
) -> PriceRow | None:
    """The row that bills a component at a moment (UTC) for a prompt of that length; None when its price is unknown.

    Cached and cache-written tokens cost what `cache_row` says, else what plain input costs.
    """
    if component in (INPUT, OUTPUT):
        return find_row(sheet, component, processing, at, input_tokens)
    row = cache_row(sheet, component, processing, at, input_tokens)
    if row is not None:
        return row
    if component == CACHE_WRITE_1H and find_row(sheet, CACHE_WRITE_5M, processing, at, input_tokens) is not None:
        return None  # the provider charges for writes, so the price of this one is unknown, not that of input
    return find_row(sheet, INPUT, processing, at, input_tokens)


def _stand_in(component: str, processing: str, row: PriceRow) -> list[str]:
    """The warning about a row that is not the component's own for that processing, if there is one."""
    if row.component != component:
        return ["no_cache_read_price" if component == CACHE_READ else "no_cache_write_price"]
    return [] if row.processing == processing else ["standard_cache_price"]


def cache_row(
    sheet: PriceSheet, component: str, processing: str, at: dt.datetime, input_tokens: int
) -> PriceRow | None:
    """The price of cached or cache-written tokens at a moment (UTC); None when they cost what plain input costs.

    A processing without one of its own leaves the standard one in force (OpenAI's batch tables publish no cache price,
    read 2026-10-14), unless reading from the cache would then cost more than plain input.
    """
    own = find_row(sheet, component, processing, at, input_tokens)
    if own is not None or processing == "standard":
        return own
    standard = find_row(sheet, component, "standard", at, input_tokens)
    if standard is None or component != CACHE_READ:
        return standard
    plain = find_row(sheet, INPUT, processing, at, input_tokens)
    return standard if plain is None or standard.micro_usd_per_mtok <= plain.micro_usd_per_mtok else None


def _no_price(sheet: PriceSheet, component: str, processing: str, at: dt.datetime) -> NoPriceError:
    kind = component.replace("_", " ") if processing == "standard" else f"{processing} {component.replace('_', ' ')}"
    first = sheet.first_moment(processing)
    if first is not None and at < first:
        which = "" if processing == "standard" else f" for {processing} processing"
        return NoPriceError(f"{sheet.key} has no price before {first:%Y-%m-%d %H:%M} UTC{which}.")
    return NoPriceError(f"{sheet.key} has no price for {kind} at {at:%Y-%m-%d %H:%M} UTC.")


def unit_prices(
    sheet: PriceSheet, at: dt.datetime | None = None, processing: str = "standard", input_tokens: int = 0
) -> UnitPrices:
    """Price of each component (micro-USD per Mtok) for a prompt of `input_tokens` at a moment (UTC; None is now).

    None where the model has no price of its own for that processing; nothing is replaced as in a quote, nothing raised
    for an unknown processing.
    """
    moment = as_utc(at)

    def price(component: str) -> int | None:
        row = find_row(sheet, component, processing, moment, input_tokens)
        return None if row is None else row.micro_usd_per_mtok

    return UnitPrices(
        input=price(INPUT),
        cache_read=price(CACHE_READ),
        cache_write_5m=price(CACHE_WRITE_5M),
        cache_write_1h=price(CACHE_WRITE_1H),
        output=price(OUTPUT),
    )


def tier_thresholds(sheet: PriceSheet, at: dt.datetime | None = None, processing: str = "standard") -> tuple[int, ...]:
    """Longest prompts (input tokens) of each context tier but the last, ascending; empty without tiers.

    One token more is the next tier, whether a row counts its threshold in (`>=`) or not (`>`). All components and
    layers that hold at the moment (UTC; None is now) count, so two tiers may have the same price.
    """
    moment = as_utc(at)
    found = {
        row.min_input_tokens - (row.threshold_op == ">=")
        for (_, kind), rows in sheet.by_part.items()
        if kind == processing
        for row in rows
        if row.min_input_tokens and row.holds_at(moment)
    }
    return tuple(sorted(found))
