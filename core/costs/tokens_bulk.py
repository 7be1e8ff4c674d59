"""What do a million usages cost? The prices of `quote` for a table of usage rows, in numpy, still exact integers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.costs.tokens import NoPriceError, PriceSheet, TokenUsage, as_utc, quote, tier_thresholds
from core.costs.tokens_prices import MAX_TOKENS
from core.money import PICO_PER_USD

Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]

PARTS = ("cached_input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens")
CHUNK = 1 << 13
"""Rows handled at once: their columns stay in the processor's cache, which is worth more than long loops here."""

MAX_PICO_USD = 2**62
"""Dearest row: half of what int64 holds, so that nothing within a row can overflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """Prices of several (model, moment, processing) for `bulk_pico_usd`; a usage row names its place in `keys`.

    `prices[part]` is micro-USD per Mtok, one column per context tier of each key. For the cache parts it is what a
    token of that kind costs more (or, negative, less) than plain input, so that plain tokens need no column.
    """

    keys: tuple[tuple[str, dt.datetime, str], ...]
    bounds: Ints
    prices: dict[str, Ints]
    missing: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, wanted: Sequence[tuple[PriceSheet, dt.datetime | None, str]]) -> PriceTable:
        """The table of these; a part without a price is `missing` and refused only when a row uses it."""
        keyed = [(sheet, as_utc(at), processing) for sheet, at, processing in wanted]
        edges = [tier_thresholds(*one) for one in keyed]
        width = max((len(found) for found in edges), default=0) + 1
        # A prompt longer than bounds[tier] is in a higher tier; unused bounds are out of reach.
        bounds = np.full((width - 1, len(keyed)), np.iinfo(np.int64).max, dtype=np.int64)
        prices = {part: np.zeros((len(keyed), width), dtype=np.int64) for part in ("input_tokens", *PARTS)}
        missing: dict[tuple[str, str], None] = {}
        for number, (one, found) in enumerate(zip(keyed, edges, strict=True)):
            bounds[: len(found), number] = found
            for tier in range(width):
                _fill(prices, (number, tier), one, (0, *found)[min(tier, len(found))] + bool(tier), missing)
        keys = tuple((sheet.key, at, processing) for sheet, at, processing in keyed)
        return cls(
            keys=keys,
            bounds=bounds,
            prices={part: np.ascontiguousarray(found.ravel()) for part, found in prices.items()},
            missing=tuple(missing),
        )


def _fill(
    prices: dict[str, Ints],
    place: tuple[int, int],
    one: tuple[PriceSheet, dt.datetime, str],
    input_tokens: int,
    missing: dict[tuple[str, str], None],
) -> None:
    sheet, at, processing = one
    length = max(input_tokens, 1)
    plain = _price(one, TokenUsage(input_tokens=length), "input")
    for part, found in prices.items():
        if part == "input_tokens":
            price = plain
        elif part == "output_tokens":
            price = _price(one, TokenUsage(input_tokens=length, output_tokens=1), "output")
        else:
            usage = TokenUsage(**{"input_tokens": length, part: 1})
            price = _price(one, usage, part.removesuffix("_tokens").replace("cached_input", "cache_read"))
            price = None if price is None or plain is None else price - plain
        if price is None:
            missing[(f"{sheet.key} {processing} {at:%Y-%m-%d %H:%M}", part)] = None
        found[place] = 0 if price is None else price


def _price(one: tuple[PriceSheet, dt.datetime, str], usage: TokenUsage, component: str) -> int | None:
    sheet, at, processing = one
    try:
        lines = quote(sheet, usage, at, processing).lines
    except NoPriceError:
        return None
    return next((line.micro_usd_per_mtok for line in reversed(lines) if line.component == component), None)


def bulk_pico_usd(table: PriceTable, place: Places, **tokens: Any) -> Ints:
    """pico-USD of each usage row, exact: `place` is its key in the table, `tokens` are columns named as in TokenUsage.

    Columns left out are zero. NoPriceError when a row uses a part without a price; ValueError for negative tokens,
    parts above the whole, or a row that might cost more than `MAX_PICO_USD`. Add the rows up with `total_pico_usd`.
    """
    columns = {name: np.ascontiguousarray(column, dtype=np.int64) for name, column in tokens.items()}
    columns.setdefault("input_tokens", np.zeros(len(place), dtype=np.int64))
    _check(table, place, columns)
    inputs = columns["input_tokens"]
    caches = [columns[name] for name in PARTS[:-1] if name in columns]
    parts = [(column, table.prices[name]) for name, column in columns.items()]
    total = np.empty(len(place), dtype=np.int64)
    price, product = np.empty(CHUNK, dtype=np.int64), np.empty(CHUNK, dtype=np.int64)
    for start in range(0, len(place), CHUNK):
        rows = slice(start, min(start + CHUNK, len(place)))
        into = total[rows]
        one, many = price[: len(into)], product[: len(into)]
        cells = _cells(table, place[rows], inputs[rows])
        into.fill(0)
        for column, prices in parts:
            # The places have been checked, so the quicker mode is safe.
            prices.take(cells, out=one, mode="clip")
            np.multiply(column[rows], one, out=many)
            into += many
        _check_parts(inputs[rows], [column[rows] for column in caches], many)
    return total


def _cells(table: PriceTable, place: Places, input_tokens: Ints) -> Places:
    """Where in the flat price columns each row's key and context tier lie."""
    cells = place * (len(table.bounds) + 1)
    for bound in table.bounds:
        cells += input_tokens > bound.take(place, mode="clip")
    return cells


def _check_parts(inputs: Ints, caches: Sequence[Ints], scratch: Ints) -> None:
    """ValueError when cached and cache-written tokens exceed the input that includes them."""
    if caches:
        np.subtract(inputs, caches[0], out=scratch)
        for more in caches[1:]:
            np.subtract(scratch, more, out=scratch)
        if int(scratch.min()) < 0:
            raise ValueError("Cached and cache-written tokens exceed input_tokens, which includes them.")


def total_pico_usd(pico_usd: Ints) -> int:
    """Sum of pico-USD as a Python integer: the largest int64 is 9.2 million USD, which a column may add up to."""
    low = int((pico_usd & 0xFFFFFFFF).sum())
    return (int((pico_usd >> 32).sum()) << 32) + low


def _check(table: PriceTable, place: Places, columns: dict[str, Ints]) -> None:
    unknown = columns.keys() - table.prices.keys()
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: give columns named {', '.join(table.prices)}.")
    highest = 0
    for name, column in columns.items():
        if len(column) != len(place):
            raise ValueError(f"{name} has {len(column)} rows: give {len(place)}, one per usage.")
        tokens = _largest(column)
        if tokens > MAX_TOKENS:
            raise ValueError(f"{name} has a count outside 0 to {MAX_TOKENS}: give whole numbers of tokens.")
        highest += tokens * int(np.abs(table.prices[name]).max(initial=0))
    if len(place) and _largest(place) >= len(table.keys):
        raise ValueError(f"place is outside the table: give 0 to {len(table.keys) - 1}.")
    if highest > MAX_PICO_USD:
        raise ValueError(f"A row may cost more than {MAX_PICO_USD // PICO_PER_USD:,} USD: split it into smaller ones.")
    _check_priced(table, place, columns)


def _largest(column: Ints | Places) -> int:
    """The largest count; a negative one, seen as unsigned, is larger than any: one look finds both."""
    return int(column.view(np.uint64).max(initial=0))


def _check_priced(table: PriceTable, place: Places, columns: dict[str, Ints]) -> None:
    labels = [f"{key} {processing} {at:%Y-%m-%d %H:%M}" for key, at, processing in table.keys]
    for label, part in table.missing:
        if part in columns:
            number = labels.index(label)
            if bool(columns[part][place == number].any()):
                raise NoPriceError(f"{label} has no price for {part}.")
