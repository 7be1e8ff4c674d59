"""The simulation: closed forms, laws, and steadiness."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.costs.monthly import (
    FleetWay,
    MixPart,
    MixWay,
    ModelWay,
    Outlook,
    Terms,
    simulate,
    through_gateway,
)
from core.costs.monthly_outlook import CERTAIN
from core.costs.tokens import TokenUsage, quote
from core.workload import Workload
from tests.core.costs.monthly_helpers import START, plain, row, sheet, utc, way

SURE = Workload(input_spread=0, output_spread=0)
workloads = st.builds(
    Workload,
    requests_per_month=st.integers(1, 10**9),
    input_tokens=st.integers(1, 100_000),
    output_tokens=st.integers(0, 20_000),
    input_spread=st.floats(0, 3),
    cached_share=st.floats(0, 0.6),
    cache_write_share=st.floats(0, 0.4),
    batch_share=st.floats(0, 1),
    peak_hour_share=st.floats(0, 1),
    growth_per_month=st.floats(-0.3, 0.5),
    seasonality=st.floats(0, 1),
    retry_share=st.floats(0, 1),
    horizon_months=st.integers(1, 24),
)


def total(workload: Workload, one: ModelWay | None = None) -> float:
    found = simulate(workload, [one or way()], paths=100, start=START, outlook=CERTAIN).ways[0].total_usd
    assert found is not None
    return found


def test_a_month_costs_requests_times_tokens_times_price() -> None:
    # 50,000 x (1,500 x 2 + 500 x 8) / 1e6 = 150 + 200.
    result = simulate(SURE, [way()], start=START).ways[0]

    assert result.planned_usd == pytest.approx([350.0] * 12, rel=1e-12)
    assert result.lines_usd["input"][0] == pytest.approx(150.0)
    assert result.lines_usd["output"][0] == pytest.approx(200.0)
    assert result.total_usd == pytest.approx(4_200.0)


def test_a_plan_agrees_with_the_exact_quote_of_each_request() -> None:
    found = sheet(row("input", 3), row("cache_read", 0.3), row("cache_write_5m", 3.75), row("output", 15))
    workload = replace(SURE, input_tokens=2_000, output_tokens=300, cached_share=0.5, cache_write_share=0.25)
    usage = TokenUsage(input_tokens=2_000, cached_input_tokens=1_000, cache_write_5m_tokens=500, output_tokens=300)

    exact = float(quote(found, usage, utc(2026, 12)).cost_usd) * workload.requests_per_month

    assert simulate(workload, [way(found)], start=START).ways[0].planned_usd[0] == pytest.approx(exact, rel=1e-12)


def test_certain_paths_equal_the_plan() -> None:
    workload = Workload(
        requests_per_month=100, growth_per_month=0.05, seasonality=0.3, retry_share=0.1, cached_share=0.4
    )
    simulation = simulate(workload, [way()], start=START, outlook=CERTAIN)

    paths = simulation.paths_usd("way")

    assert paths.shape == (12, 10_000)
    assert paths == pytest.approx(np.repeat(simulation.ways[0].planned_usd[:, None], 10_000, axis=1), rel=1e-9)


def test_the_mean_of_the_paths_converges_to_the_plan() -> None:
    workload = Workload(growth_per_month=0.04, seasonality=0.4, retry_share=0.2, cached_share=0.5, horizon_months=24)
    found = sheet(row("input", 2), row("cache_read", 0.2), row("output", 8))
    simulation = simulate(workload, [way(found)], start=START, outlook=Outlook(price_decline_per_year=0.2))

    means = simulation.paths_usd("way").mean(axis=1)

    assert means == pytest.approx(simulation.ways[0].planned_usd, rel=0.01)


def test_percentiles_are_numpys() -> None:
    simulation = simulate(Workload(growth_per_month=0.1), [way()], paths=1_001, start=START)
    result, paths = simulation.ways[0], simulation.paths_usd("way")

    assert result.band.p10 == pytest.approx(np.percentile(paths, 10, axis=1))
    assert result.band.p90 == pytest.approx(np.percentile(paths, 90, axis=1))
    assert result.total_band is not None
    assert float(result.total_band.p50) == pytest.approx(np.percentile(paths.sum(axis=0), 50))
    assert simulation.cumulative_band("way").p90[-1] == pytest.approx(float(result.total_band.p90))


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    workload = Workload(growth_per_month=0.05, seasonality=0.2, retry_share=0.1, cached_share=0.3)

    first, again = (simulate(workload, [way()], start=START, seed=7).paths_usd("way") for _ in range(2))
    other = simulate(workload, [way()], start=START, seed=8).paths_usd("way")

    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@pytest.mark.parametrize("months", [12, 36, 60])
def test_p90_moves_at_most_one_and_a_half_percent_between_seeds(months: int) -> None:
    workload = Workload(
        growth_per_month=0.05, seasonality=0.3, retry_share=0.1, cached_share=0.5, horizon_months=months
    )
    found = sheet(row("input", 2), row("cache_read", 0.2), row("output", 8))
    results = [simulate(workload, [way(found)], start=START, seed=seed).ways[0] for seed in range(8)]

    totals = np.array([float(result.total_band.p90) for result in results if result.total_band])
    monthly = np.array([result.band.p90 for result in results])

    assert np.ptp(totals) / totals.mean() <= 0.015
    if months <= 36:  # single months five years ahead, spread over a factor of five, move up to 2 %
        assert (np.ptp(monthly, axis=0) / monthly.mean(axis=0)).max() <= 0.015


def test_a_shorter_horizon_is_the_beginning_of_a_longer_one() -> None:
    short = simulate(Workload(horizon_months=6), [way()], start=START).paths_usd("way")
    long = simulate(Workload(horizon_months=12), [way()], start=START).paths_usd("way")

    assert short == pytest.approx(long[:6])


def test_the_chance_over_budget_is_the_share_of_paths_above_it() -> None:
    workload = Workload(budget_usd_per_month=350.0, growth_per_month=0.02)
    simulation = simulate(workload, [way()], start=START)
    result, paths = simulation.ways[0], simulation.paths_usd("way")

    assert result.over_budget_share == pytest.approx((paths > 350.0).mean(axis=1))
    assert result.total_over_budget_share == pytest.approx((paths.sum(axis=0) > 350.0 * 12).mean())


def test_without_a_budget_there_is_no_chance_to_tell() -> None:
    result = simulate(Workload(), [way()], start=START).ways[0]

    assert result.over_budget_share is None
    assert result.total_over_budget_share is None


def test_growth_compounds() -> None:
    planned = simulate(replace(SURE, growth_per_month=0.1), [way()], start=START).ways[0].planned_usd

    assert planned == pytest.approx([350.0 * 1.1**month for month in range(12)])


def test_a_yearly_season_peaks_in_december_and_keeps_the_year() -> None:
    planned = simulate(replace(SURE, seasonality=0.5), [way()], start=START).ways[0].planned_usd

    assert planned[0] == pytest.approx(350 * 1.5)
    assert planned[6] == pytest.approx(350 * 0.5)
    assert planned.sum() == pytest.approx(350 * 12)


def test_list_prices_decline_by_the_stated_share_in_a_year() -> None:
    outlook = Outlook(price_decline_per_year=0.2)
    planned = simulate(replace(SURE, horizon_months=13), [way()], start=START, outlook=outlook).ways[0].planned_usd

    assert planned[12] == pytest.approx(350 * 0.8)


@settings(max_examples=40, deadline=None)
@given(workloads, st.sampled_from(["input_tokens", "output_tokens", "requests_per_month"]))
def test_more_is_never_cheaper(workload: Workload, field: str) -> None:
    more = replace(workload, **{field: getattr(workload, field) + 1_000})

    assert total(more) >= total(workload) * (1 - 1e-12)


@settings(max_examples=40, deadline=None)
@given(workloads)
def test_doubling_requests_doubles_the_metered_cost(workload: Workload) -> None:
    doubled = replace(workload, requests_per_month=workload.requests_per_month * 2)

    assert total(doubled) == pytest.approx(2 * total(workload), rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(workloads)
def test_components_add_up_to_the_plan(workload: Workload) -> None:
    terms = Terms(discount_share=0.1, fee_share=0.05, fee_usd_per_month=29, vat_share=0.1)
    one = through_gateway(way(), name="gw", terms=terms)
    result = simulate(workload, [one], paths=100, start=START).ways[0]

    assert sum(result.lines_usd.values()) == pytest.approx(result.planned_usd, rel=1e-9)
    assert result.kind == "gateway"


@settings(max_examples=30, deadline=None)
@given(workloads)
def test_a_mix_lies_between_its_models_and_equal_shares_are_their_mean(workload: Workload) -> None:
    cheap, dear = way(plain(1, 2), "cheap"), way(plain(3, 9), "dear")
    mix = MixWay(name="mix", parts=(MixPart(model=cheap, share=0.5), MixPart(model=dear, share=0.5)))

    found = simulate(workload, [cheap, dear, mix], paths=100, start=START)
    low, high, mean = (one.total_usd or 0.0 for one in found.ways)

    assert mean == pytest.approx((low + high) / 2, rel=1e-9)


def test_terms_are_applied_in_their_stated_order() -> None:
    terms = Terms(discount_share=0.2, fee_share=0.1, fee_usd_per_month=29, vat_share=0.1)
    one = through_gateway(way(), name="gw", terms=terms)
    simulation = simulate(replace(SURE, requests_per_month=50_000), [one], start=START, outlook=CERTAIN)

    assert simulation.ways[0].planned_usd[0] == pytest.approx((350 * 0.8 * 1.1 + 29) * 1.1)
    assert simulation.paths_usd("gw").mean() == pytest.approx((350 * 0.8 * 1.1 + 29) * 1.1, rel=1e-3)


def test_a_fleet_is_billed_by_its_function_of_billed_requests() -> None:
    fleet = FleetWay(name="fleet", monthly_cost_usd=lambda requests: 1_000.0 * np.ceil(requests / 60_000))
    workload = replace(SURE, retry_share=0.2, growth_per_month=0.05)
    simulation = simulate(workload, [fleet], start=START)

    # 50,000 x 1.2 = 60,000 still fits one machine, a month later it does not.
    assert simulation.ways[0].planned_usd[:2] == pytest.approx([1_000.0, 2_000.0])
    assert simulation.ways[0].kind == "rent"
    assert set(np.unique(simulation.paths_usd("fleet")) % 1_000) == {0.0}


def fleet_at_speed(band: tuple[float, float]) -> FleetWay:
    """A dollar a thousand requests, in inverse proportion to the speed."""
    return FleetWay(
        name="fleet", monthly_cost_usd=lambda requests: requests / 1_000,
        cost_at_speed_usd=lambda requests, speed: requests / 1_000 / speed, speed_band=band,
    )  # fmt: skip


def test_the_speed_of_machines_is_one_draw_a_path_within_its_band() -> None:
    sure = replace(SURE, requests_per_month=1_000_000)
    one, again, other = (
        simulate(sure, [fleet_at_speed((0.5, 1.25))], start=START, outlook=CERTAIN, seed=seed) for seed in (1, 1, 2)
    )
    paths = one.paths_usd("fleet")

    # Nothing else varies by more than a thousandth: cost is 1,000 / speed, so its P10 and P90 are the band's ends.
    assert np.quantile(paths[0], (0.1, 0.5, 0.9)) == pytest.approx((800, 1_000, 2_000), rel=0.01)
    assert np.corrcoef(paths[0], paths[5])[0, 1] > 0.99
    assert one.ways[0].planned_usd == pytest.approx(np.full(len(paths), 1_000.0))
    assert paths.tobytes() == again.paths_usd("fleet").tobytes()
    assert paths.tobytes() != other.paths_usd("fleet").tobytes()


def test_the_speed_of_machines_changes_no_other_way_and_may_be_certain() -> None:
    both = simulate(Workload(), [way(plain(), "a"), fleet_at_speed((0.5, 1.25))], start=START)
    alone = simulate(Workload(), [way(plain(), "a"), fleet_at_speed((1.0, 1.0))], start=START)

    assert both.paths_usd("a").tobytes() == alone.paths_usd("a").tobytes()
    assert alone.paths_usd("fleet").std() < both.paths_usd("fleet").std()


@pytest.mark.parametrize("band", [(0.0, 1.0), (1.2, 1.5), (0.5, 0.9), (float("nan"), 1.0)])
def test_a_band_that_is_none_is_refused_by_name(band: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="speed_band"):
        fleet_at_speed(band)


def test_all_ways_see_the_same_futures() -> None:
    simulation = simulate(Workload(growth_per_month=0.1), [way(plain(1, 4), "a"), way(plain(2, 8), "b")], start=START)

    assert simulation.paths_usd("b") == pytest.approx(2 * simulation.paths_usd("a"))


def test_the_cheapest_way_is_the_one_with_the_lowest_known_total() -> None:
    gone = sheet(row("input", 0.1, valid_to=utc(2027, 3)), row("output", 0.1, valid_to=utc(2027, 3)))
    simulation = simulate(SURE, [way(plain(), "a"), way(plain(1, 4), "b"), way(gone, "gone")], start=START)

    assert simulation.cheapest is not None
    assert simulation.cheapest.name == "b"
    assert simulate(SURE, [], start=START).cheapest is None


def test_a_price_that_ends_within_the_horizon_leaves_unknown_months_and_says_so() -> None:
    gone = sheet(row("input", 2, valid_to=utc(2027, 3)), row("output", 8, valid_to=utc(2027, 3)))
    result = simulate(replace(SURE, budget_usd_per_month=1.0), [way(gone)], start=START).ways[0]

    assert np.isnan(result.planned_usd).tolist() == [False] * 3 + [True] * 9
    assert result.total_usd is None
    assert result.total_band is None
    assert result.total_over_budget_share is None
    assert result.notes[0].kind == "no_price"
    assert result.notes[0].months == (dt.date(2027, 3, 1), dt.date(2027, 11, 1))


def test_a_model_without_any_price_is_unknown_in_every_month() -> None:
    result = simulate(SURE, [way(sheet(row("input", 2)))], start=START).ways[0]

    assert np.isnan(result.planned_usd).all()
    assert result.total_usd is None


@pytest.mark.parametrize(
    ("given_ways", "named"),
    [
        ([way(name=f"w{k}") for k in range(9)], "at most 8"),
        ([way(), way()], "twice"),
    ],
    ids=["nine ways", "equal names"],
)
def test_ways_that_cannot_be_compared_are_refused_by_name(given_ways: list[ModelWay], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        simulate(SURE, given_ways, start=START)


@pytest.mark.parametrize("paths", [0, 99, 50_001])
def test_a_number_of_paths_outside_its_limits_is_refused(paths: int) -> None:
    with pytest.raises(ValueError, match="paths"):
        simulate(SURE, [way()], paths=paths, start=START)


def test_extreme_growth_stays_finite_and_is_reported() -> None:
    workload = Workload(
        requests_per_month=10**11,
        input_tokens=10**7,
        output_tokens=10**6,
        growth_per_month=1.0,
        horizon_months=60,
        seasonality=1.0,
        retry_share=1.0,
        input_spread=5,
        output_spread=5,
        budget_usd_per_month=1e12,
    )
    outlook = Outlook(growth_spread_per_month=0.1, requests_spread=1, monthly_noise=1, tokens_spread=1)

    simulation = simulate(workload, [way()], paths=500, start=START, outlook=outlook)

    assert np.isfinite(simulation.paths_usd("way")).all()
    assert simulation.ways[0].total_usd is not None
    assert simulation.notes[0].kind == "volume_capped"


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (Terms, "vat_share", 1.5),
        (Terms, "discount_share", -0.1),
        (Terms, "fee_usd_per_month", float("nan")),
        (Outlook, "growth_spread_per_month", 0.5),
        (Outlook, "price_decline_per_year", float("inf")),
    ],
)
def test_terms_and_outlooks_outside_their_limits_name_the_field(kind: type, field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        kind(**{field: value})


def test_shares_of_a_mix_must_add_up_to_one() -> None:
    with pytest.raises(ValueError, match=r"add up to 0\.9"):
        MixWay(name="mix", parts=(MixPart(model=way(), share=0.9),))


def test_an_unknown_way_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="nobody"):
        simulate(SURE, [way()], start=START).way("nobody")
