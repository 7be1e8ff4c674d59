"""Do two monthly bills become the cash flows, totals and chances that they imply?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.costs.article import roi_example
from core.costs.roi import evaluate_roi
from core.costs.roi_paths import path_outcomes
from core.costs.roi_plan import ServingCost, Switch, SwitchTerms, payback_months, plan_switch, running_sums, sensitivity

SAVINGS = st.lists(st.integers(-50_000, 50_000).map(lambda cents: cents / 100), min_size=1, max_size=36)
OUTLAYS = st.integers(0, 500_000).map(lambda cents: cents / 100)


def bill(name: str, *months: float, **lines: float) -> ServingCost:
    """A bill with one line `output` over these months, and further constant lines."""
    count = len(months)
    return ServingCost(
        name=name,
        kind="call",
        lines_usd={"output": np.array(months, dtype=float)} | {key: np.full(count, usd) for key, usd in lines.items()},
    )


def article(migration_usd: float = 0.0) -> Switch:
    return plan_switch(
        bill("today", *[4_500.0] * 12),
        bill("gateway", *[750.0] * 12),
        SwitchTerms(migration_usd=migration_usd, fee_usd_per_month=29, annual_discount_rate=0),
    )


def test_the_article_s_inputs_give_its_printed_figures() -> None:
    switch, printed = article(), roi_example()

    assert switch.baseline_tco_usd / 12 == 4_500 == printed.current_usd
    assert switch.new_tco_usd / 12 == 779 == printed.gateway_total_usd
    assert switch.savings_usd_per_month == 3_721 == printed.saving_usd_per_month
    assert switch.savings_usd.sum() == 44_652 == printed.saving_usd_per_year
    assert printed.printed_roi_percent == 153_972
    assert f"{printed.printed_saving_share:.1%}" == "83.3%"


def test_beside_them_stands_what_each_should_say() -> None:
    switch, printed = article(), roi_example()

    assert switch.savings_share == pytest.approx(float(printed.saving_share_after_fee))
    assert f"{switch.savings_share:.1%}" == "82.7%"
    assert round(printed.roi_share_on_year_of_fees * 100) == 12_831
    assert f"{printed.roi_share_on_gateway_spend:.1%}" == "477.7%"
    assert switch.report.roi_share is None
    assert "undefined" in switch.report.roi_note
    assert switch.report.payback_months == 0


def test_a_migration_worked_by_hand() -> None:
    """7,442 up front is exactly two months of savings; over the year 44,652 - 7,442 = 37,210, five times the outlay."""
    switch = article(migration_usd=7_442)

    assert switch.report.payback_months == pytest.approx(2)
    assert switch.report.roi_share == pytest.approx(5)
    assert switch.new_tco_usd == pytest.approx(779 * 12 + 7_442)


def test_running_sums_begin_with_the_migration_and_end_at_net_and_npv() -> None:
    switch = plan_switch(bill("a", *[200.0] * 3), bill("b", *[100.0] * 3), SwitchTerms(migration_usd=150))

    plain, discounted = running_sums(switch)

    assert plain.tolist() == [-150, -50, 50, 150]
    assert discounted[0] == -150
    assert plain[-1] == pytest.approx(switch.report.net_usd)
    assert discounted[-1] == pytest.approx(switch.report.npv_usd)


def test_the_waterfall_leads_exactly_from_one_total_to_the_other() -> None:
    switch = plan_switch(
        bill("a", 100, 200, input=40, vat=14),
        ServingCost(name="b", kind="rent", lines_usd={"fleet": np.array([90.0, 90.0])}),
        SwitchTerms(migration_usd=50, fee_usd_per_month=5),
    )

    assert {step.component for step in switch.steps} == {"output", "input", "vat", "fleet", "monthly_fee", "migration"}
    assert switch.baseline_tco_usd + sum(step.change_usd for step in switch.steps) == pytest.approx(switch.new_tco_usd)


@settings(max_examples=100, deadline=None)
@given(SAVINGS, OUTLAYS)
def test_many_paybacks_at_once_equal_the_single_one(savings: list[float], outlay: float) -> None:
    expected = evaluate_roi([-outlay, *savings], 0).payback_months
    found = float(payback_months(np.array(savings)[:, None], outlay)[0])

    assert found == pytest.approx(math.nan if expected is None else expected, nan_ok=True, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(SAVINGS, OUTLAYS, st.floats(-0.5, 2))
def test_the_grid_holds_the_plan_itself(savings: list[float], outlay: float, rate: float) -> None:
    count = len(savings)
    switch = plan_switch(
        bill("a", *[saving + 600 for saving in savings]),
        bill("b", *[500.0] * count),
        SwitchTerms(migration_usd=outlay, fee_usd_per_month=100, annual_discount_rate=rate),
    )
    grid = sensitivity(switch)
    row, column = grid.saving_factors.index(1.0), grid.migration_factors.index(1.0)

    assert grid.npv_usd[row, column] == pytest.approx(switch.report.npv_usd, rel=1e-9, abs=1e-6)
    expected = switch.report.payback_months
    assert grid.payback_months[row, column] == pytest.approx(math.nan if expected is None else expected, nan_ok=True)
    assert (np.diff(grid.npv_usd, axis=1) <= 0).all()


def test_chances_count_the_paths() -> None:
    """Ten paths save 0, 10, ..., 90 a month over ten months; 450 is paid back by those that save 45 or more."""
    new = np.tile(100.0 - np.arange(0.0, 100.0, 10.0), (10, 1))
    found = path_outcomes(np.full((10, 10), 100.0), new, SwitchTerms(migration_usd=450, annual_discount_rate=0))

    assert found.paid_back_share == 0.5
    assert found.npv_positive_share == 0.5
    assert found.payback_p10_months == pytest.approx(5.0)
    assert found.payback_p50_months == pytest.approx(9.0)
    assert found.payback_p90_months is None
    assert found.npv_p50_usd == pytest.approx(0.0)


def test_a_fee_lowers_every_path() -> None:
    generator = np.random.default_rng(1)
    before, after = generator.lognormal(5, 1, (12, 500)), generator.lognormal(4, 1, (12, 500))
    free, paid = (
        path_outcomes(before, after, SwitchTerms(migration_usd=500, fee_usd_per_month=fee)) for fee in (0, 50)
    )

    assert paid.paid_back_share <= free.paid_back_share
    assert paid.npv_p50_usd < free.npv_p50_usd


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"migration_usd": -1.0}, "migration_usd"),
        ({"migration_usd": math.nan}, "migration_usd"),
        ({"fee_usd_per_month": 1e13}, "fee_usd_per_month"),
        ({"annual_discount_rate": -1.0}, "annual_discount_rate"),
        ({"annual_discount_rate": math.inf}, "annual_discount_rate"),
        ({"annual_discount_rate": None}, "annual_discount_rate"),
        ({"migration_usd": "5"}, "migration_usd"),
    ],
)
def test_bad_terms_are_refused_by_name(values: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=field):
        SwitchTerms(**values)


def test_bills_that_cannot_be_compared_are_refused_by_name() -> None:
    good = bill("good", 1.0, 2.0)
    with pytest.raises(ValueError, match="horizon_months"):
        plan_switch(good, bill("short", 1.0), SwitchTerms())
    with pytest.raises(ValueError, match="horizon_months"):
        plan_switch(bill("none"), bill("none"), SwitchTerms())
    with pytest.raises(ValueError, match="unpriced"):
        plan_switch(good, bill("unpriced", 1.0, math.nan), SwitchTerms())
    with pytest.raises(ValueError, match="same simulation"):
        path_outcomes(np.ones((2, 3)), np.ones((2, 4)), SwitchTerms())
    with pytest.raises(ValueError, match="without a price"):
        path_outcomes(np.ones((2, 3)), np.full((2, 3), math.nan), SwitchTerms())
