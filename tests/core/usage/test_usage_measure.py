"""Measured usage becomes a workload, and is priced on other models exactly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from core.costs.tokens_mix import cost_pico_usd
from core.usage.files import imported_files, remove_import
from core.usage.measure import success_share, to_workload, what_if
from core.usage.rollup import Filters, Totals, total, totals, wasted
from core.usage.sample import load_sample, sample_calls
from core.usage.write import write
from core.workload import Workload
from tests.core.usage.helpers import NOON_MS, assert_log_and_rollups_agree, entry_of

NOON = dt.datetime.fromtimestamp(NOON_MS / 1_000, tz=dt.UTC).date()
DAY_MS = 86_400_000
PRICES = {"input": 2_000_000, "cache_read": 500_000, "output": 8_000_000}


def prices_of(model: str, processing: str, _input_tokens: int) -> Mapping[str, int] | None:
    return PRICES if model != "nobody/x" and processing == "standard" else None


def log_calls(engine: Engine, count: int, *, day: int = 0, prefix: str = "", **changes: object) -> None:
    for number in range(count):
        moment = NOON_MS - day * DAY_MS
        for attempt in (0, 1):
            write(engine, [entry_of(f"{prefix}{day}-{number}", attempt, started_ms=moment, **changes)])


def test_an_empty_log_is_no_workload(engine: Engine) -> None:
    assert to_workload(engine, base=Workload()) is None


def test_calls_are_scaled_to_a_month_by_the_days_the_log_covers(engine: Engine) -> None:
    for day in range(10):
        log_calls(engine, 6, day=day)

    found = to_workload(engine, base=Workload(name="kept", budget_usd_per_month=9.0))
    assert found is not None
    assert (found.days_covered, found.call_count) == (10, 60)
    # 60 calls in 10 days are 6 a day, 365 / 12 days a month: 182.5, rounded half to even.
    assert found.workload.requests_per_month == 182
    assert (found.workload.input_tokens, found.workload.output_tokens) == (1_000, 500)
    assert found.workload.cached_share == 0.2
    assert (found.workload.name, found.workload.budget_usd_per_month) == ("kept", 9.0)
    # All six calls of a day fall into one hour of 24.
    assert found.workload.peak_to_average == 24.0
    assert not found.is_growth_measured


def test_the_spread_is_that_of_the_single_calls(engine: Engine) -> None:
    tokens = [100, 900, 2_000, 300, 1_500]
    for number, count in enumerate(tokens):
        write(engine, [entry_of(f"s{number}", 1, input_tokens=count), entry_of(f"s{number}", 0, input_tokens=count)])

    found = to_workload(engine, base=Workload())
    assert found is not None
    assert found.workload.input_spread == pytest.approx(np.std(tokens) / np.mean(tokens), abs=0.001)
    assert found.workload.output_spread == 0.0
    assert found.is_spread_measured


def test_daily_sums_tell_no_spread_and_no_peak(engine: Engine) -> None:
    log_calls(engine, 1, request_count=500, input_tokens=500_000, output_tokens=1_000)

    found = to_workload(engine, base=Workload(input_spread=0.77, peak_to_average=5))
    assert found is not None
    assert (found.workload.input_tokens, found.workload.output_tokens) == (1_000, 2)
    assert (found.workload.input_spread, found.workload.peak_to_average) == (0.77, 5)
    assert not found.is_spread_measured


def test_calls_of_which_only_the_dates_are_known_tell_no_peak(engine: Engine) -> None:
    for day in range(3):
        midnight = NOON_MS - 43_200_000 - day * DAY_MS
        for attempt in (0, 1):
            write(engine, [entry_of(f"{day}", attempt, started_ms=midnight)])

    found = to_workload(engine, base=Workload(peak_to_average=5))
    assert found is not None
    assert found.workload.peak_to_average == 5


def test_retries_are_counted_beside_the_requests_not_in_them(engine: Engine) -> None:
    write(engine, [entry_of("a", 0, attempt_count=2), entry_of("a", 1, outcome="error", input_tokens=None)])
    write(engine, [entry_of("a", 2), entry_of("b", 0), entry_of("b", 1)])

    found = to_workload(engine, base=Workload())
    assert found is not None
    assert found.call_count == 2
    assert found.workload.retry_share == 0.5
    assert found.workload.input_tokens == 1_000


def test_growth_is_measured_against_the_month_before(engine: Engine) -> None:
    for day in range(60):
        log_calls(engine, 2 if day < 30 else 1, day=day)

    found = to_workload(engine, base=Workload(), filters=Filters(since=NOON - dt.timedelta(days=29), until=NOON))
    assert found is not None
    assert found.is_growth_measured
    # From 1 to 2 a day in 30 days: 2 ** (365 / 12 / 30) - 1.
    assert found.workload.growth_per_month == pytest.approx(1.0, abs=0.03)


def test_a_week_tells_no_growth(engine: Engine) -> None:
    for day in range(14):
        log_calls(engine, 2 if day < 7 else 1, day=day)

    found = to_workload(engine, base=Workload(), filters=Filters(since=NOON - dt.timedelta(days=6), until=NOON))
    assert found is not None
    assert found.workload.requests_per_month == 61
    assert not found.is_growth_measured


def test_a_bill_of_october_gives_octobers_rate_whenever_it_is_read(engine: Engine) -> None:
    # 31 days of 4 calls at noon and 2 an hour later, the last of them 28 days before the period ends.
    for day in range(28, 59):
        for number, hour in enumerate((0, 0, 0, 0, 1, 1)):
            moment = NOON_MS - day * DAY_MS + hour * 3_600_000
            for attempt in (0, 1):
                changes = {"started_ms": moment, "origin": "import", "import_id": 1}
                write(engine, [entry_of(f"{day}-{number}", attempt, **changes)])

    for since in (None, NOON - dt.timedelta(days=89), NOON - dt.timedelta(days=29)):
        found = to_workload(engine, base=Workload(), filters=Filters(since=since, until=NOON))
        assert found is not None
        # 6 a day x 365 / 12 = 182.5, rounded half to even; the last period holds two of the days.
        assert found.workload.requests_per_month == 182
        # The busiest hour has 4 calls, the mean one 6 / 24.
        assert found.workload.peak_to_average == 16.0
        assert found.days_covered == (2 if since == NOON - dt.timedelta(days=29) else 31)
        assert found.last == NOON - dt.timedelta(days=28)


def test_days_between_a_bill_and_the_gateways_calls_are_not_measured(engine: Engine) -> None:
    for day in (0, 1, *range(28, 38)):
        own = {"origin": "gateway"} if day < 2 else {"origin": "import", "import_id": 1}
        log_calls(engine, 3, day=day, **own)

    found = to_workload(engine, base=Workload())
    assert found is not None
    assert (found.days_covered, found.call_count) == (12, 36)
    # 3 a day x 365 / 12 = 91.25
    assert found.workload.requests_per_month == 91


def test_what_if_prices_each_component(engine: Engine) -> None:
    log_calls(engine, 3)

    (found, unknown) = what_if(engine, ["openai/gpt-4.1", "nobody/x"], prices_of)
    # 3 x (800 x 2 + 200 x 0.5 + 500 x 8) USD per million tokens
    assert found.cost_usd == Decimal("0.0171")
    assert unknown.cost_usd is None


def test_what_if_falls_back_to_the_standard_price(engine: Engine) -> None:
    log_calls(engine, 1, processing="batch")

    assert what_if(engine, ["openai/gpt-4.1"], prices_of)[0].cost_usd == Decimal("0.0057")


def test_what_if_of_nothing_costs_nothing(engine: Engine) -> None:
    assert what_if(engine, ["openai/gpt-4.1"], prices_of)[0].cost_usd == 0


@given(
    st.integers(min_value=0, max_value=10**9),
    st.floats(min_value=0, max_value=1),
    st.integers(min_value=0, max_value=10**9),
)
def test_more_cached_tokens_never_cost_more(given_tokens: int, cached: float, made: int) -> None:
    plain = Totals(input_tokens=given_tokens, output_tokens=made)
    hit = Totals(input_tokens=given_tokens, cached_input_tokens=int(given_tokens * cached), output_tokens=made)

    cost, at_most = cost_pico_usd(hit, PRICES), cost_pico_usd(plain, PRICES)
    assert cost is not None
    assert at_most is not None
    assert 0 <= cost <= at_most


NOW_S = NOON_MS / 1_000 + 86_400


def test_the_sample_is_loaded_once_and_removed_whole(engine: Engine) -> None:
    write(engine, [entry_of("own")])

    count = load_sample(engine, prices_of, now_s=NOW_S)
    assert count > 2_000
    assert load_sample(engine, prices_of, now_s=NOW_S) == 0
    assert_log_and_rollups_agree(engine)
    (file,) = imported_files(engine)
    assert (file.tool, file.row_count) == ("sample", count)
    remove_import(engine, file.import_id)
    assert assert_log_and_rollups_agree(engine) == 1


def test_the_sample_shows_everything_a_log_can_show(engine: Engine) -> None:
    load_sample(engine, prices_of, now_s=NOW_S)

    assert total(engine).failover_count > 5
    assert {row.key[0] for row in wasted(engine)} == {"error", "partial"}
    assert total(engine, Filters(origins=("gateway",))).request_count == 0
    assert total(engine).pico_usd == total(engine, level="attempt").pico_usd
    assert len(totals(engine, by=["model"])) == 3
    found = to_workload(engine, base=Workload(), filters=Filters(since=NOON - dt.timedelta(days=29), until=NOON))
    assert found is not None
    assert found.days_covered == 30
    assert found.workload.peak_to_average > 1.5


def test_the_sample_is_the_same_on_the_same_day() -> None:
    assert sample_calls(prices_of, now_s=NOW_S) == sample_calls(prices_of, now_s=NOW_S + 60)


def test_each_attempt_weighs_the_same_in_the_share_that_succeeded() -> None:
    assert success_share([(1, 1), (0, 3), (0, 0)]) == 0.25
    assert success_share([(0, 0)]) is None
    assert success_share([]) is None
