"""How much does a batch of entries add to each hour and each day?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.usage.entries import COUNTS, TOKENS, Entry
from core.usage.histogram import bucket_of
from core.usage.tables import DIMENSIONS, LATENCY_BUCKETS, MEASURES, SQUARES, TTFT_BUCKETS

HOUR_S = 3_600
DAY_S = 86_400
PICO_PER_MICRO = 10**6

Key = tuple[int | str, ...]
"""Period start in UTC seconds, then the dimensions in the order of `DIMENSIONS`."""
Tally = dict[Key, list[int | float]]

_AT: Mapping[str, int] = {name: index for index, name in enumerate(MEASURES)}
_FIRST_LATENCY = _AT[LATENCY_BUCKETS[0]]
_FIRST_TTFT = _AT[TTFT_BUCKETS[0]]
_ZERO: tuple[int | float, ...] = tuple(0.0 if name in SQUARES else 0 for name in MEASURES)
_SUMMED = (*COUNTS, *TOKENS)


def hours_of(entries: Iterable[Entry], sign: int = 1) -> Tally:
    """The sums that entries add to their hours; `sign` -1 takes them away again."""
    tally: Tally = {}
    for entry in entries:
        key = key_of(entry, HOUR_S)
        row = tally.get(key)
        if row is None:
            row = tally[key] = list(_ZERO)
        _add(row, entry, sign)
    return tally


def days_of(hours: Tally) -> Tally:
    """The same sums by day."""
    days: Tally = {}
    for key, added in hours.items():
        day: Key = (int(key[0]) // DAY_S * DAY_S, *key[1:])
        row = days.get(day)
        days[day] = list(added) if row is None else [a + b for a, b in zip(row, added, strict=True)]
    return days


def key_of(entry: Entry, period_s: int) -> Key:
    """Where an entry is counted."""
    return (
        entry.started_ms // 1_000 // period_s * period_s,
        "call" if entry.is_call else "attempt",
        entry.origin,
        entry.import_id,
        entry.provider_id,
        entry.endpoint,
        entry.model_asked,
        entry.model_reported,
        entry.processing,
        entry.outcome,
        entry.error_kind,
    )


def as_rows(tally: Tally) -> list[dict[str, int | float | str]]:
    """Rows for the roll-up tables, in one order for all writers so that two of them never wait for each other."""
    columns = ("period_s", *DIMENSIONS, *MEASURES)
    return [dict(zip(columns, (*key, *tally[key]), strict=True)) for key in sorted(tally)]


def _add(row: list[int | float], entry: Entry, sign: int) -> None:
    for name in _SUMMED:
        value = getattr(entry, name)
        if value:
            row[_AT[name]] += sign * value
    _add_cost(row, entry, sign)
    _add_spread(row, entry, sign)
    _add_time(row, entry, sign)


def _add_cost(row: list[int | float], entry: Entry, sign: int) -> None:
    requests = entry.request_count
    if entry.pico_usd is None:
        row[_AT["cost_unknown_count"]] += sign * requests
    else:
        micro, rest = divmod(entry.pico_usd, PICO_PER_MICRO)
        row[_AT["micro_usd"]] += sign * micro
        row[_AT["pico_usd_rest"]] += sign * rest
    if entry.cost_basis == "computed":
        row[_AT["cost_computed_count"]] += sign * requests
    if entry.is_lower_bound:
        row[_AT["lower_bound_count"]] += sign * requests


def _add_spread(row: list[int | float], entry: Entry, sign: int) -> None:
    given, made = entry.input_tokens, entry.output_tokens
    if given is None or made is None:
        row[_AT["usage_unknown_count"]] += sign * entry.request_count
    elif entry.request_count == 1:
        row[_AT["single_count"]] += sign
        row[_AT["single_input_tokens"]] += sign * given
        row[_AT["single_output_tokens"]] += sign * made
        row[_AT["single_input_squares"]] += sign * float(given) ** 2
        row[_AT["single_output_squares"]] += sign * float(made) ** 2


def _add_time(row: list[int | float], entry: Entry, sign: int) -> None:
    if entry.latency_ms is not None:
        row[_AT["latency_count"]] += sign
        row[_AT["latency_ms_sum"]] += sign * entry.latency_ms
        row[_FIRST_LATENCY + bucket_of(entry.latency_ms)] += sign
    if entry.ttft_ms is not None:
        row[_AT["ttft_count"]] += sign
        row[_AT["ttft_ms_sum"]] += sign * entry.ttft_ms
        row[_FIRST_TTFT + bucket_of(entry.ttft_ms)] += sign
