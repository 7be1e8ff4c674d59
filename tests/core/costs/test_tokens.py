"""Does a quote follow its price sheet, whatever the tier, hour, layer or processing?"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.costs.tokens import (
    NoPriceError,
    PriceRow,
    PriceSheet,
    TokenUsage,
    hour_extremes,
    quote,
    tier_thresholds,
    unit_prices,
)
from core.costs.tokens_mix import blended_usd_per_mtok

NOON = dt.datetime(2026, 6, 3, 12, tzinfo=dt.UTC)  # a Wednesday


def row(component: str, usd: str, **more: Any) -> PriceRow:
    return PriceRow(component=component, micro_usd_per_mtok=int(Decimal(usd) * 1_000_000), **more)


def sheet(*rows: PriceRow) -> PriceSheet:
    return PriceSheet(provider_id="maker", model_id="model", rows=rows)


PLAIN = sheet(row("input", "2"), row("cache_read", "0.5"), row("cache_write_5m", "2.5"), row("output", "8"))
TIERED = sheet(
    row("input", "1.25"), row("input", "2.5", min_input_tokens=200_000),
    row("cache_read", "0.125"), row("cache_read", "0.25", min_input_tokens=200_000),
    row("output", "10"), row("output", "15", min_input_tokens=200_000),
)  # fmt: skip


def usd(found: PriceSheet, at: dt.datetime = NOON, processing: str = "standard", **usage: int) -> Decimal:
    return quote(found, TokenUsage(**usage), at, processing).cost_usd


def test_cached_and_written_tokens_are_inside_the_input_and_billed_once() -> None:
    cost = usd(PLAIN, input_tokens=1_000, cached_input_tokens=400, cache_write_5m_tokens=100, output_tokens=10)
    # 500 x 2 + 400 x 0.5 + 100 x 2.5 + 10 x 8 = 1,530 micro-USD
    assert cost == Decimal("0.00153")


def test_one_token_is_exact_to_the_pico_dollar() -> None:
    assert usd(PLAIN, input_tokens=1) == Decimal("0.000002")
    assert usd(sheet(row("input", "0.005")), input_tokens=1) == Decimal("0.000000005")


def test_a_tier_begins_above_its_threshold_and_reprices_the_whole_request() -> None:
    assert usd(TIERED, input_tokens=200_000, output_tokens=1_000) == Decimal("0.26")
    assert usd(TIERED, input_tokens=200_001, output_tokens=1_000) == Decimal("0.5000025") + Decimal("0.015")
    assert tier_thresholds(TIERED, NOON) == (200_000,)


def test_a_tier_that_includes_its_threshold_begins_there() -> None:
    found = sheet(row("input", "1"), row("input", "2", min_input_tokens=128_000, threshold_op=">="))
    assert usd(found, input_tokens=127_999) == Decimal("0.127999")
    assert usd(found, input_tokens=128_000) == Decimal("0.256")
    assert tier_thresholds(found, NOON) == (127_999,)


def test_cached_tokens_count_towards_the_tier() -> None:
    cost = usd(TIERED, input_tokens=300_000, cached_input_tokens=100_000, output_tokens=1_000)
    assert cost == Decimal("0.5") + Decimal("0.025") + Decimal("0.015")


def test_a_price_holds_from_its_first_moment_to_just_before_its_last() -> None:
    switch = dt.datetime(2025, 9, 5, 16, tzinfo=dt.UTC)
    found = sheet(row("input", "0.27", valid_to=switch), row("input", "0.56", valid_from=switch))
    assert usd(found, switch - dt.timedelta(seconds=1), input_tokens=1_000_000) == Decimal("0.27")
    assert usd(found, switch, input_tokens=1_000_000) == Decimal("0.56")


def test_moments_in_other_zones_are_the_same_moment() -> None:
    switch = dt.datetime(2025, 9, 5, 16, tzinfo=dt.UTC)
    found = sheet(row("input", "0.27", valid_to=switch), row("input", "0.56", valid_from=switch))
    seoul = dt.timezone(dt.timedelta(hours=9))
    assert usd(found, dt.datetime(2025, 9, 6, 0, 59, tzinfo=seoul), input_tokens=1_000_000) == Decimal("0.27")
    assert usd(found, dt.datetime(2025, 9, 6, 1, 0, tzinfo=seoul), input_tokens=1_000_000) == Decimal("0.56")


@pytest.mark.parametrize(
    ("hour", "minute", "expected"), [(16, 29, "2"), (16, 30, "1"), (23, 59, "1"), (0, 29, "1"), (0, 30, "2")]
)
def test_a_window_that_wraps_midnight_includes_its_start_and_not_its_end(hour: int, minute: int, expected: str) -> None:
    found = sheet(row("input", "2"), row("input", "1", window=(16 * 60 + 30, 30)))
    assert usd(found, NOON.replace(hour=hour, minute=minute), input_tokens=1_000_000) == Decimal(expected)


def test_a_peak_on_weekdays_spares_saturday() -> None:
    found = sheet(row("input", "1"), row("input", "2", window=(360, 600), weekdays=0b0011111))
    friday = dt.datetime(2026, 10, 2, 7, tzinfo=dt.UTC)
    assert usd(found, friday, input_tokens=1_000_000) == 2
    assert usd(found, friday + dt.timedelta(days=1), input_tokens=1_000_000) == 1
    cheap, dear = hour_extremes(found, friday)
    assert usd(found, cheap, input_tokens=1_000_000) == 1
    assert usd(found, dear, input_tokens=1_000_000) == 2


def test_a_batch_above_a_tier_has_its_own_price() -> None:
    found = sheet(
        *TIERED.rows, row("input", "0.625", processing="batch"),
        row("input", "1.25", processing="batch", min_input_tokens=200_000), row("output", "5", processing="batch"),
        row("output", "7.5", processing="batch", min_input_tokens=200_000),
    )  # fmt: skip
    cost = usd(found, processing="batch", input_tokens=200_001, output_tokens=1_000)
    assert cost == Decimal("0.25000125") + Decimal("0.0075")


def test_a_batch_without_a_cache_price_leaves_the_standard_one_in_force() -> None:
    found = sheet(*PLAIN.rows, row("input", "1", processing="batch"), row("output", "4", processing="batch"))
    done = quote(found, TokenUsage(input_tokens=1_000, cached_input_tokens=400), NOON, "batch")
    assert done.cost_usd == Decimal("0.0008")
    assert "standard_cache_price" in done.warnings


def test_a_model_without_a_batch_price_has_none_rather_than_a_guess() -> None:
    with pytest.raises(NoPriceError, match="no price for batch input"):
        usd(PLAIN, processing="batch", input_tokens=1)


def test_cached_tokens_without_a_cache_price_cost_what_input_costs_and_the_quote_says_so() -> None:
    done = quote(
        sheet(row("input", "3"), row("output", "9")), TokenUsage(input_tokens=10, cached_input_tokens=10), NOON
    )
    assert done.cost_usd == Decimal("0.00003")
    assert done.warnings == ("no_cache_read_price",)


def test_a_missing_price_is_no_price_and_never_zero() -> None:
    with pytest.raises(NoPriceError, match="no price for output"):
        usd(sheet(row("input", "1")), input_tokens=1, output_tokens=1)
    assert usd(sheet(row("input", "1")), input_tokens=1) == Decimal("0.000001")


def test_before_the_first_price_there_is_no_price() -> None:
    first = dt.datetime(2025, 4, 14, tzinfo=dt.UTC)
    with pytest.raises(NoPriceError, match="no price before 2025-04-14"):
        usd(sheet(row("input", "1", valid_from=first)), dt.datetime(2024, 1, 1, tzinfo=dt.UTC), input_tokens=1)


def test_the_higher_layer_decides_and_hides_what_it_leaves_out() -> None:
    bundle = [row("input", "2"), row("cache_read", "0.2"), row("output", "6")]
    found = sheet(*bundle, row("input", "1", layer="correction"), row("output", "3", layer="correction"))
    prices = unit_prices(found, NOON)
    assert (prices.input, prices.output, prices.cache_read) == (1_000_000, 3_000_000, None)


def test_an_override_of_one_component_leaves_the_others_in_force() -> None:
    found = sheet(*PLAIN.rows, row("input", "1", layer="user"))
    assert usd(found, input_tokens=1_000, cached_input_tokens=500) == Decimal("0.00075")


def test_a_correction_decides_only_in_the_period_it_covers() -> None:
    start = dt.datetime(2025, 12, 2, tzinfo=dt.UTC)
    found = sheet(row("input", "2"), row("input", "0.5", layer="correction", valid_from=start))
    assert usd(found, start - dt.timedelta(days=1), input_tokens=1_000_000) == 2
    assert usd(found, start, input_tokens=1_000_000) == Decimal("0.5")


def test_prices_that_are_only_shown_never_bill() -> None:
    found = PriceSheet(
        provider_id="m", model_id="m", rows=PLAIN.rows, shown_rows=(row("input", "99", layer="article"),)
    )
    assert usd(found, input_tokens=1_000_000) == 2


def test_a_retired_model_keeps_its_last_price_with_a_warning() -> None:
    found = PriceSheet(provider_id="m", model_id="m", rows=PLAIN.rows, is_retired=True)
    assert quote(found, TokenUsage(input_tokens=1), NOON).warnings == ("retired",)


def test_a_blend_weighs_the_prices_by_their_shares() -> None:
    assert blended_usd_per_mtok(PLAIN, {"input": 0.5, "cache_read": 0.25, "output": 0.25}, NOON) == pytest.approx(3.125)
    assert blended_usd_per_mtok(sheet(row("input", "1")), {"input": 0.5, "output": 0.5}, NOON) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input_tokens", -1),
        ("input_tokens", 1.5),
        ("output_tokens", "7"),
        ("input_tokens", True),
        ("output_tokens", 10**16),
    ],
)
def test_a_count_that_is_no_whole_number_names_its_field(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        TokenUsage(**{field: value})


def test_more_cached_than_input_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match="more than input_tokens"):
        TokenUsage(input_tokens=10, cached_input_tokens=6, cache_write_1h_tokens=5)
    with pytest.raises(ValueError, match="reasoning_tokens"):
        TokenUsage(output_tokens=10, reasoning_tokens=11)


@pytest.mark.parametrize("at", ["2025-06-10", dt.date(2025, 6, 10), 1_749_500_000])
def test_a_moment_that_is_no_datetime_is_refused(at: Any) -> None:
    with pytest.raises(ValueError, match="give a datetime"):
        quote(PLAIN, TokenUsage(input_tokens=1), at)


def test_an_unknown_processing_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="standard, batch, flex, priority"):
        usd(PLAIN, processing="turbo", input_tokens=1)


TOKENS = st.integers(min_value=0, max_value=2_000_000)


@settings(max_examples=100)
@given(TOKENS, TOKENS, TOKENS, TOKENS)
def test_below_a_threshold_costs_add_up(a: int, b: int, c: int, d: int) -> None:
    one, two = usd(PLAIN, input_tokens=a, output_tokens=b), usd(PLAIN, input_tokens=c, output_tokens=d)
    assert usd(PLAIN, input_tokens=a + c, output_tokens=b + d) == one + two


@settings(max_examples=100)
@given(TOKENS, TOKENS, TOKENS)
def test_more_tokens_never_cost_less(tokens: int, more: int, output: int) -> None:
    less = usd(TIERED, input_tokens=tokens, output_tokens=output)
    assert usd(TIERED, input_tokens=tokens + more, output_tokens=output) >= less


@settings(max_examples=100)
@given(TOKENS, st.floats(min_value=0, max_value=1))
def test_caching_never_makes_a_request_dearer_where_reading_is_cheaper(tokens: int, share: float) -> None:
    cached = int(tokens * share)
    assert usd(TIERED, input_tokens=tokens, cached_input_tokens=cached) <= usd(TIERED, input_tokens=tokens)
