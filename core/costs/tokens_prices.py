"""Which price holds for a part of a request? Usages, price rows with their dates, hours and tiers, and the look-up.

The highest layer that has a price for a component, processing and moment decides it.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Processing = Literal["standard", "batch", "flex", "priority"]
PROCESSINGS: tuple[Processing, ...] = ("standard", "batch", "flex", "priority")

INPUT, CACHE_READ, CACHE_WRITE_5M, CACHE_WRITE_1H, OUTPUT = (
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",
)
COMPONENTS = (INPUT, CACHE_READ, CACHE_WRITE_5M, CACHE_WRITE_1H, OUTPUT)
"""Components a quote is made of. Others (audio, images, searches) are kept as data."""

LAYERS = ("user", "correction", "feed", "bundle")
"""Where a price that bills comes from, the most trusted first."""

WHOLE_LAYERS = ("correction", "feed")
"""Layers that describe a model's price list whole: where one states input or output, lower layers add nothing."""

MAX_TOKENS = 10**15
ALL_WEEKDAYS = 0b1111111


class PriceError(ValueError):
    """A usage that cannot be priced; the text says why and what to do."""


class NoPriceError(PriceError):
    """The model is known but has no price for this component, processing or moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """Tokens of one request. `input_tokens` includes the cached and cache-written ones; `output_tokens` reasoning.

    ValueError names the field for anything negative, fractional or above `MAX_TOKENS`, or parts above the whole.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError(f"{name} is {value!r}: give a whole number of tokens.")
            if not 0 <= value <= MAX_TOKENS:
                raise ValueError(f"{name} is {value}: give 0 to {MAX_TOKENS} tokens.")
        parts = self.cached_input_tokens + self.cache_write_5m_tokens + self.cache_write_1h_tokens
        if parts > self.input_tokens:
            raise ValueError(
                f"cached_input_tokens and cache writes add up to {parts}, more than input_tokens "
                f"({self.input_tokens}), which includes them."
            )
        if self.reasoning_tokens > self.output_tokens:
            raise ValueError(
                f"reasoning_tokens ({self.reasoning_tokens}) exceeds output_tokens ({self.output_tokens}), "
                "which includes them."
            )

    @property
    def plain_input_tokens(self) -> int:
        """Input tokens that are neither read from nor written to a cache."""
        return self.input_tokens - self.cached_input_tokens - self.cache_write_5m_tokens - self.cache_write_1h_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """One price: micro-USD per Mtok of a component, for a processing, above a prompt length, in a stretch of time.

    Times are UTC; None is open. `window` is minutes of the day from (inclusive) to (exclusive), may wrap midnight;
    `weekdays` has bit 0 for Monday. `min_input_tokens` with `threshold_op` ">" or ">=" is the context tier, 0 none.
    """

    component: str
    micro_usd_per_mtok: int
    processing: str = "standard"
    min_input_tokens: int = 0
    threshold_op: Literal[">", ">="] = ">"
    valid_from: dt.datetime | None = None
    valid_to: dt.datetime | None = None
    window: tuple[int, int] | None = None
    weekdays: int = ALL_WEEKDAYS
    layer: str = "bundle"
    source: str = ""
    as_of: dt.date | None = None
    price_text: str = ""
    note: str = ""

    def holds_at(self, at: dt.datetime) -> bool:
        """Whether the row is valid at that moment, hours and weekdays aside."""
        return (self.valid_from is None or self.valid_from <= at) and (self.valid_to is None or at < self.valid_to)

    def in_window(self, at: dt.datetime) -> bool:
        """Whether that moment lies in the row's hours and weekdays."""
        if not self.weekdays >> at.weekday() & 1:
            return False
        if self.window is None:
            return True
        minute, (start, end) = at.hour * 60 + at.minute, self.window
        return start <= minute < end if start < end else minute >= start or minute < end

    def reaches(self, input_tokens: int) -> bool:
        """Whether a prompt of that length is in this row's context tier."""
        if self.min_input_tokens == 0:
            return True
        if self.threshold_op == ">=":
            return input_tokens >= self.min_input_tokens
        return input_tokens > self.min_input_tokens

    @property
    def is_special(self) -> bool:
        """Whether it holds only at some hours or weekdays."""
        return self.window is not None or self.weekdays != ALL_WEEKDAYS


@dataclass(frozen=True, kw_only=True)
class PriceSheet:
    """Every price of one model, from all layers and times.

    `shown_rows` are of layers beyond `LAYERS` (rival sources, figures of the article): shown beside, never billed.
    """

    provider_id: str
    model_id: str
    name: str = ""
    rows: tuple[PriceRow, ...] = ()
    shown_rows: tuple[PriceRow, ...] = ()
    context_window_tokens: int | None = None
    is_retired: bool = False
    modalities: tuple[str, ...] = field(default=("text",))

    @property
    def key(self) -> str:
        """`provider/model`."""
        return f"{self.provider_id}/{self.model_id}"

    @cached_property
    def by_part(self) -> Mapping[tuple[str, str], tuple[PriceRow, ...]]:
        """Rows by (component, processing)."""
        found: dict[tuple[str, str], list[PriceRow]] = {}
        for row in self.rows:
            found.setdefault((row.component, row.processing), []).append(row)
        return {part: tuple(rows) for part, rows in found.items()}

    @cached_property
    def eras(self) -> Mapping[tuple[str, str], Eras]:
        """For each (component, processing): the stretches of time and the rows that may decide in each."""
        return {part: _eras(self, part) for part in self.by_part}

    def first_moment(self, processing: str = "standard") -> dt.datetime | None:
        """Start of the first price for input or output; None when it is open or there is no price."""
        starts = [row.valid_from for part in (INPUT, OUTPUT) for row in self.by_part.get((part, processing), ())]
        known = [start for start in starts if start is not None]
        return min(known) if known and len(known) == len(starts) else None


@dataclass(frozen=True, slots=True)
class Eras:
    """Stretches of time between price changes: `rows[i]`, best first, may decide from `starts[i]` on."""

    starts: tuple[dt.datetime, ...]
    rows: tuple[tuple[PriceRow, ...], ...]

    def at(self, moment: dt.datetime) -> tuple[PriceRow, ...]:
        """Rows that may decide at a moment (UTC), best first."""
        return self.rows[bisect_right(self.starts, moment) - 1]


def _eras(sheet: PriceSheet, part: tuple[str, str]) -> Eras:
    component, processing = part
    deciding = [row for name in (INPUT, OUTPUT) for row in sheet.by_part.get((name, processing), ())]
    own = sheet.by_part[part]
    edges = {edge for row in (*own, *deciding) for edge in (row.valid_from, row.valid_to) if edge is not None}
    starts = (dt.datetime.min.replace(tzinfo=dt.UTC), *sorted(edges))
    found = []
    for start in starts:
        rows = [row for row in own if row.holds_at(start)]
        if component in COMPONENTS:
            whole = min(
                (_place(row) for row in deciding if row.layer in WHOLE_LAYERS and row.holds_at(start)), default=9
            )
            rows = [row for row in rows if _place(row) <= whole]
        found.append(tuple(sorted(rows, key=_preference)))
    return Eras(starts, tuple(found))


def _place(row: PriceRow) -> int:
    return LAYERS.index(row.layer)


def _preference(row: PriceRow) -> tuple[int, bool, int, float]:
    start = row.valid_from.timestamp() if row.valid_from else float("-inf")
    return _place(row), not row.is_special, -row.min_input_tokens, -start


def as_utc(at: dt.datetime | None) -> dt.datetime:
    """A moment in UTC: None is now, a naive time is taken as UTC; ValueError for anything but a datetime."""
    if at is None:
        return dt.datetime.now(dt.UTC)
    if not isinstance(at, dt.datetime):
        raise ValueError(f"at is {at!r}: give a datetime, such as datetime(2025, 6, 10, 12, tzinfo=UTC).")
    return at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at.astimezone(dt.UTC)


def find_row(sheet: PriceSheet, component: str, processing: str, at: dt.datetime, input_tokens: int) -> PriceRow | None:
    """The price of a component at a moment (UTC) for a prompt of that length, None when there is none.

    Layer first, then rows of special hours before all-day ones, then the highest context tier reached, then the
    latest start. A tier reprices the whole request, not only the tokens above it.
    """
    eras = sheet.eras.get((component, processing))
    if eras is None:
        return None
    for row in eras.at(at):
        if row.reaches(input_tokens) and row.in_window(at):
            return row
    return None
