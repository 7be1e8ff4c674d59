"""Mixes of tokens: their shares, and exact sums at given prices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.costs.tokens import NoPriceError, TokenUsage, quote
from core.costs.tokens_mix import billed_prices, cost_pico_usd, mix_of
from core.workload import Workload
from tests.core.costs.test_tokens import NOON, PLAIN, row, sheet

PRICES = {"input": 2_000_000, "cache_read": 500_000, "cache_write_5m": 2_500_000, "output": 8_000_000}
TOKENS = st.integers(0, 10**12)


def test_a_mix_by_hand() -> None:
    mix = mix_of(Workload(input_tokens=900, output_tokens=100, cached_share=0.5, cache_write_share=0.1))

    assert mix == pytest.approx({"input": 0.36, "cache_read": 0.45, "cache_write_5m": 0.09, "output": 0.1})


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 10**6))
def test_shares_of_a_mix_add_up_to_one(cached: float, written: float, output: int) -> None:
    mix = mix_of(Workload(cached_share=cached, cache_write_share=min(written, 1 - cached), output_tokens=output))

    assert sum(mix.values()) == pytest.approx(1)
    assert min(mix.values()) >= 0


@given(TOKENS, TOKENS, TOKENS, TOKENS)
def test_a_sum_at_given_prices_is_the_quote_of_the_same_tokens(plain: int, read: int, written: int, made: int) -> None:
    usage = TokenUsage(
        input_tokens=plain + read + written, cached_input_tokens=read, cache_write_5m_tokens=written, output_tokens=made
    )

    assert cost_pico_usd(usage, PRICES) == quote(PLAIN, usage, NOON).pico_usd


def test_a_component_without_a_price_has_no_sum_and_never_costs_nothing() -> None:
    usage = TokenUsage(input_tokens=10, cached_input_tokens=4, cache_write_1h_tokens=6)

    assert cost_pico_usd(usage, {"cache_read": 2, "cache_write_1h": 3}) == 26
    assert cost_pico_usd(usage, {"input": 3, "output": 1}) is None


@given(st.sampled_from(["standard", "batch"]), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_prices_for_sums_are_those_of_a_quote(processing: str, read: int, short: int, long: int) -> None:
    batch = [row("input", "1", processing="batch"), row("output", "4", processing="batch")]
    found = sheet(row("input", "2"), row("cache_read", "0.5"), row("cache_write_5m", "3"), row("output", "8"), *batch)
    usage = TokenUsage(
        input_tokens=40, cached_input_tokens=read, cache_write_5m_tokens=short, cache_write_1h_tokens=long,
        output_tokens=5,
    )  # fmt: skip
    try:
        quoted = quote(found, usage, NOON, processing).pico_usd
    except NoPriceError:
        quoted = None

    assert cost_pico_usd(usage, billed_prices(found, NOON, processing, 40)) == quoted
