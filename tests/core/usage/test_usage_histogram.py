"""Percentiles from buckets stay near those of the values themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.usage.histogram import BUCKET_COUNT, UPPER_BOUNDS_MS, bucket_of, percentile_ms


def counts_of(values: list[int]) -> list[int]:
    counts = [0] * BUCKET_COUNT
    for value in values:
        counts[bucket_of(value)] += 1
    return counts


def test_nothing_counted_has_no_percentile() -> None:
    assert percentile_ms([0] * BUCKET_COUNT, 0.5) is None


def test_the_last_bucket_says_at_least() -> None:
    counts = counts_of([10_000_000])

    assert percentile_ms(counts, 0.5) == UPPER_BOUNDS_MS[-1]


@given(st.integers(min_value=0, max_value=10**9))
def test_every_latency_has_one_bucket_that_holds_it(latency_ms: int) -> None:
    index = bucket_of(latency_ms)

    assert 0 <= index < BUCKET_COUNT
    assert index == BUCKET_COUNT - 1 or latency_ms <= UPPER_BOUNDS_MS[index]
    assert index == 0 or latency_ms > UPPER_BOUNDS_MS[index - 1]


@given(
    st.lists(st.integers(min_value=6, max_value=600_000), min_size=1, max_size=200),
    st.floats(min_value=0.01, max_value=1),
)
def test_a_percentile_is_never_off_by_more_than_one_bucket(values: list[int], share: float) -> None:
    exact = sorted(values)[math.ceil(share * len(values)) - 1]
    found = percentile_ms(counts_of(values), share)

    assert found is not None
    assert exact / math.sqrt(2) * 0.999 <= found <= exact * math.sqrt(2) * 1.001


@given(st.lists(st.integers(min_value=0, max_value=2_000_000), min_size=1, max_size=50))
def test_a_higher_percentile_is_never_faster(values: list[int]) -> None:
    counts = counts_of(values)
    found = [percentile_ms(counts, share / 20) or 0.0 for share in range(1, 21)]

    assert found == sorted(found)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_smooth_latencies_are_read_within_a_few_percent(share: float) -> None:
    values = np.random.default_rng(5).lognormal(math.log(1_200), 0.8, 20_000).astype(int).tolist()

    assert percentile_ms(counts_of(values), share) == pytest.approx(float(np.quantile(values, share)), rel=0.06)
