"""What entries add to hours and days is exact, and can be taken away again."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.usage.entries import MAX_INT, NAME_MAX_CHARS, Entry
from core.usage.tables import MEASURES
from core.usage.tally import DAY_S, HOUR_S, as_rows, days_of, hours_of
from tests.core.usage.helpers import NOON_MS, entry_of

AT = {name: index for index, name in enumerate(MEASURES)}
known = st.none() | st.integers(min_value=0, max_value=10**6)
entries = st.builds(
    entry_of,
    call_id=st.uuids().map(str),
    attempt_number=st.integers(min_value=0, max_value=2),
    started_ms=st.integers(min_value=NOON_MS, max_value=NOON_MS + 3 * 86_400_000),
    outcome=st.sampled_from(["ok", "partial", "error", "cancelled"]),
    model_reported=st.sampled_from(["", "gpt-4.1", "gemini-2.5-flash"]),
    input_tokens=known,
    output_tokens=known,
    pico_usd=st.none() | st.integers(min_value=0, max_value=10**15),
    latency_ms=known,
    ttft_ms=known,
    request_count=st.integers(min_value=1, max_value=5),
)


def test_an_hour_row_holds_what_its_entries_say() -> None:
    tally = hours_of([entry_of("a"), entry_of("b", pico_usd=None, output_tokens=None, usage_basis="unknown")])

    (row,) = tally.values()
    assert row[AT["request_count"]] == 2
    assert row[AT["input_tokens"]] == 2_000
    assert row[AT["cost_unknown_count"]] == 1
    assert row[AT["usage_unknown_count"]] == 1
    assert row[AT["single_count"]] == 1
    assert row[AT["micro_usd"]] * 10**6 + row[AT["pico_usd_rest"]] == 6_000_000_000


def test_unknown_figures_are_not_counted_as_zero() -> None:
    (row,) = hours_of([entry_of(latency_ms=None, ttft_ms=None)]).values()

    assert row[AT["latency_count"]] == 0
    assert row[AT["ttft_count"]] == 0


def test_buckets_of_an_export_tell_no_spread() -> None:
    (row,) = hours_of([entry_of(request_count=40)]).values()

    assert row[AT["single_count"]] == 0
    assert row[AT["request_count"]] == 40


@given(st.lists(entries, max_size=20), st.randoms())
def test_order_never_matters(logged: list[Entry], rng: random.Random) -> None:
    shuffled = list(logged)
    rng.shuffle(shuffled)

    assert hours_of(logged) == hours_of(shuffled)


@given(st.lists(entries, max_size=20))
def test_days_are_the_sum_of_their_hours(logged: list[Entry]) -> None:
    hours, days = hours_of(logged), days_of(hours_of(logged))

    for measure in ("request_count", "micro_usd", "pico_usd_rest", "latency_count"):
        assert sum(row[AT[measure]] for row in hours.values()) == sum(row[AT[measure]] for row in days.values())
    assert all(int(key[0]) % DAY_S == 0 for key in days)
    assert all(int(key[0]) % HOUR_S == 0 for key in hours)


@given(st.lists(entries, min_size=1, max_size=10))
def test_taking_away_what_was_added_leaves_nothing(logged: list[Entry]) -> None:
    added, taken = hours_of(logged), hours_of(logged, sign=-1)

    assert all(a + b == 0 for key in added for a, b in zip(added[key], taken[key], strict=True))


def test_rows_come_in_one_order_so_that_writers_never_deadlock() -> None:
    logged = [entry_of(str(n), model_asked=f"m{9 - n}", started_ms=NOON_MS - n * 3_600_000) for n in range(5)]

    rows = as_rows(hours_of(logged))
    assert [row["period_s"] for row in rows] == sorted(row["period_s"] for row in rows)


@pytest.mark.parametrize("field", ["input_tokens", "pico_usd", "latency_ms", "request_count"])
@pytest.mark.parametrize("value", [-1, MAX_INT + 1])
def test_impossible_figures_cannot_be_logged(field: str, value: int) -> None:
    with pytest.raises(ValueError, match=field):
        entry_of(**{field: value})


def test_names_an_upstream_made_up_are_cut_and_made_storable() -> None:
    entry = entry_of(model_reported="x\x00\ud800" + "y" * 5_000)

    assert entry.model_reported.startswith("x??y")
    assert len(entry.model_reported) == NAME_MAX_CHARS
