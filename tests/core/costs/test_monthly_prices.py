"""List prices become a cost per request: tiers, batch, peak hours, announced changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.costs.monthly import ModelWay, simulate
from core.costs.monthly_outlook import CERTAIN, input_scores, mean_one, month_starts
from core.costs.monthly_reasons import why
from core.costs.monthly_tiers import price_periods, tier_shares
from core.costs.monthly_tornado import tornado
from core.workload import Workload
from tests.core.costs.monthly_helpers import START, plain, row, sheet, utc, way

SURE = Workload(input_spread=0, output_spread=0)
TIERED = sheet(
    row("input", 2), row("output", 10), row("input", 4, min_input_tokens=200_000),
    row("output", 20, min_input_tokens=200_000),
)  # fmt: skip


def first_month(workload: Workload, one: ModelWay) -> float:
    return float(simulate(workload, [one], paths=100, start=START).ways[0].planned_usd[0])


@given(st.floats(10, 1e6), st.floats(0.05, 4), st.lists(st.integers(2, 10**6), min_size=1, max_size=3, unique=True))
def test_tier_shares_add_up_to_one(mean: float, spread: float, edges: list[int]) -> None:
    shares = tier_shares(mean, spread, sorted(edges))

    assert sum(shares.requests) == pytest.approx(1)
    assert sum(shares.tokens) == pytest.approx(1)
    assert min(shares.requests + shares.tokens) >= -1e-12


def test_tier_shares_agree_with_sampled_prompts() -> None:
    generator, mean, spread = np.random.default_rng(1), 100_000.0, 0.8
    deviation = np.sqrt(np.log1p(spread**2))
    lengths = generator.lognormal(np.log(mean) - deviation**2 / 2, deviation, 1_000_000)
    above = lengths > 200_000

    shares = tier_shares(mean, spread, [200_000])

    assert shares.requests[1] == pytest.approx(above.mean(), abs=0.002)
    assert shares.tokens[1] == pytest.approx(lengths[above].sum() / lengths.sum(), abs=0.004)


def test_the_tier_is_chosen_by_each_prompt_and_not_by_the_mean() -> None:
    workload = Workload(requests_per_month=1_000, input_tokens=100_000, output_tokens=1_000, input_spread=0.8)

    by_mean = first_month(replace(workload, input_spread=0), way(TIERED))
    by_prompt = first_month(workload, way(TIERED))

    # All prompts of the mean length stay below the edge; the distribution puts a third of the tokens above it.
    assert by_mean == pytest.approx(1_000 * (100_000 * 2 + 1_000 * 10) / 1e6)
    assert by_prompt > 1.2 * by_mean


@pytest.mark.parametrize(("operator", "tokens", "price"), [(">", 200_000, 2), (">", 200_001, 4), (">=", 200_000, 4)])
def test_without_spread_the_edge_of_a_tier_is_exact(operator: str, tokens: int, price: float) -> None:
    edge = {"min_input_tokens": 200_000, "threshold_op": operator}
    found = sheet(row("input", 2), row("output", 10), row("input", 4, **edge))
    workload = replace(SURE, input_tokens=tokens, output_tokens=0)

    assert first_month(workload, way(found)) == pytest.approx(50_000 * tokens * price / 1e6)


@pytest.mark.parametrize("spread", [0.0, 0.6])
def test_paths_of_a_tiered_model_follow_its_plan(spread: float) -> None:
    workload = Workload(requests_per_month=10**9, input_tokens=150_000, input_spread=spread, output_spread=0)
    simulation = simulate(workload, [way(TIERED)], start=START, outlook=CERTAIN)

    assert simulation.paths_usd("way").mean(axis=1) == pytest.approx(simulation.ways[0].planned_usd, rel=2e-3)


def test_batched_requests_pay_the_batch_price() -> None:
    found = sheet(
        row("input", 2), row("output", 8), row("input", 1, processing="batch"), row("output", 4, processing="batch")
    )
    workload = replace(SURE, batch_share=0.5)

    assert first_month(workload, way(found)) == pytest.approx(350 * 0.75)
    assert first_month(workload, way(found, batch_share=1.0)) == pytest.approx(175)


def test_without_a_batch_price_batched_requests_pay_the_normal_one_and_that_is_said() -> None:
    result = simulate(replace(SURE, batch_share=1.0), [way()], start=START).ways[0]

    assert result.planned_usd[0] == pytest.approx(350)
    assert [note.kind for note in result.notes] == ["no_batch_price"]


def test_without_cache_prices_cached_tokens_pay_the_input_price_and_that_is_said() -> None:
    workload = replace(SURE, cached_share=0.5, cache_write_share=0.2)
    result = simulate(workload, [way()], start=START).ways[0]

    assert result.planned_usd[0] == pytest.approx(350)
    assert [note.kind for note in result.notes] == ["no_cache_read_price", "no_cache_write_price"]


def test_peak_hours_are_paid_by_their_share_of_requests() -> None:
    cheap = {"window": (16 * 60 + 30, 30)}
    found = sheet(row("input", 2), row("output", 8), row("input", 1, **cheap), row("output", 4, **cheap))

    assert first_month(replace(SURE, peak_hour_share=1.0), way(found)) == pytest.approx(350)
    assert first_month(replace(SURE, peak_hour_share=0.0), way(found)) == pytest.approx(175)
    assert first_month(replace(SURE, peak_hour_share=0.4), way(found)) == pytest.approx(0.4 * 350 + 0.6 * 175)


def test_an_announced_price_takes_effect_in_its_month() -> None:
    found = sheet(
        row("input", 2, valid_to=utc(2027, 2)), row("output", 8, valid_to=utc(2027, 2)),
        row("input", 4, valid_from=utc(2027, 2)), row("output", 16, valid_from=utc(2027, 2)),
    )  # fmt: skip
    simulation = simulate(SURE, [way(found)], start=START, outlook=CERTAIN)

    assert simulation.ways[0].planned_usd[:4] == pytest.approx([350, 350, 700, 700])
    assert simulation.paths_usd("way").mean(axis=1)[:4] == pytest.approx([350, 350, 700, 700], rel=1e-3)


def test_a_price_that_changes_within_a_month_counts_for_its_days() -> None:
    # 2027-02-15 leaves 14 of 28 days at the old price.
    change = utc(2027, 2, 15)
    found = sheet(
        row("input", 2, valid_to=change), row("output", 8, valid_to=change),
        row("input", 4, valid_from=change), row("output", 16, valid_from=change),
    )  # fmt: skip

    planned = simulate(SURE, [way(found)], start=START).ways[0].planned_usd

    assert planned[2] == pytest.approx((350 + 700) / 2)


def test_periods_cover_every_month_exactly_once() -> None:
    found = sheet(
        row("input", 2, valid_to=utc(2027, 2, 11)), row("output", 8), row("input", 3, valid_from=utc(2027, 5))
    )
    periods = price_periods(found, month_starts(START, 12))

    assert np.array([period.month_shares for period in periods]).sum(axis=0) == pytest.approx(np.ones(12))


def test_months_run_over_the_turn_of_the_year() -> None:
    assert [f"{day:%Y-%m}" for day in month_starts(START, 3)] == ["2026-12", "2027-01", "2027-02"]


@given(st.floats(0, 1))
def test_a_spread_keeps_its_mean(spread: float) -> None:
    scores = input_scores(1, 10_000)

    assert mean_one(spread, scores["requests"]).mean() == pytest.approx(1, rel=0.01)


def test_a_tornado_names_the_inputs_that_move_the_total_widest_first() -> None:
    workload = Workload(growth_per_month=0.05, horizon_months=24, cached_share=0.5, retry_share=0.1, seasonality=0.2)
    found = sheet(row("input", 2), row("cache_read", 0.2), row("output", 8))

    swings = tornado(workload, way(found), start=START)
    widths = [swing.width_usd for swing in swings]
    ends = {swing.input: (swing.at_p10_usd, swing.at_p90_usd) for swing in swings}

    assert widths == sorted(widths, reverse=True)
    assert ends["growth"][0] < swings[0].planned_usd < ends["growth"][1]
    assert ends["cached"][0] > ends["cached"][1]


def test_nothing_moves_a_total_whose_spreads_are_zero() -> None:
    assert tornado(Workload(), way(), start=START, outlook=CERTAIN) == ()
    assert tornado(Workload(), way(sheet(row("input", 1))), start=START) == ()


@pytest.mark.parametrize("month", [0, 5, 11])
def test_the_reasons_of_a_month_add_up_to_its_cost(month: int) -> None:
    workload = Workload(
        growth_per_month=0.05,
        seasonality=0.2,
        retry_share=0.1,
        cached_share=0.3,
        cache_write_share=0.1,
        batch_share=0.4,
    )
    found = sheet(
        row("input", 2), row("cache_read", 0.5), row("output", 8), row("input", 4, min_input_tokens=2_000),
        row("input", 1, processing="batch"), row("output", 4, processing="batch"),
    )  # fmt: skip
    one = way(found)

    reason = why(workload, one, month, start=START)
    planned = simulate(workload, [one], paths=100, start=START).ways[0].planned_usd[month]

    assert sum(line.usd for line in reason.reasons) == pytest.approx(planned)
    assert reason.total_usd == pytest.approx(planned)
    assert all(line.usd == pytest.approx(line.mtok * line.usd_per_mtok) for line in reason.reasons)
    assert reason.requests == pytest.approx(
        reason.requests_first_month * reason.growth_factor * reason.season_factor * reason.retry_factor
    )


def test_a_month_without_a_price_has_no_total() -> None:
    assert why(Workload(), way(sheet(row("input", 1))), 0, start=START).total_usd is None
    assert why(Workload(), way(plain()), 0, start=START).total_usd is not None
