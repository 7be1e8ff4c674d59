"""Does the return on an investment follow its conventions, and does it say in words what has no value?"""

from __future__ import annotations

import math
import random
from decimal import Decimal, localcontext
from itertools import pairwise

import numpy as np
import numpy_financial as npf
import pytest
import pyxirr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.costs.roi import MAX_MONTHS, evaluate_roi
from core.costs.roi_plan import payback_months

AMOUNTS = st.integers(-1_000_000, 1_000_000).map(lambda cents: cents / 100)
FLOWS = st.lists(AMOUNTS, min_size=1, max_size=40)
RATES = st.floats(-0.5, 2.0)


def with_rates(*monthly_rates: float) -> list[float]:
    """Flows whose NPV is 0 at exactly these monthly rates: the product of (y - (1 + rate)), first flow -1."""
    flows = np.array([-1.0])
    for rate in monthly_rates:
        flows = np.convolve(flows, [1.0, -(1.0 + rate)])
    return [float(flow) for flow in flows]


# --- golden figures by hand -------------------------------------------------------------------------------------------


def test_a_plain_investment_has_all_figures() -> None:
    """1,200 out, 12 x 150 back at 12 % a year: 1,800 - 1,200 = 600, 600 / 1,200 = 50 % in exactly one year."""
    report = evaluate_roi([-1_200] + [150] * 12, 0.12)

    monthly = 1.12 ** (1 / 12) - 1
    annuity = (1 - (1 + monthly) ** -12) / monthly
    assert report.npv_usd == pytest.approx(-1_200 + 150 * annuity, abs=1e-9)
    assert report.roi_share == pytest.approx(0.5)
    assert report.annualised_roi_share == pytest.approx(0.5)
    assert report.payback_months == pytest.approx(8.0)
    assert report.discounted_payback_months is not None
    assert 8.0 < report.discounted_payback_months < 9.0
    assert report.irr_note == report.roi_note == report.payback_note == ""


def test_roi_over_two_years_is_annualised_by_the_square_root() -> None:
    report = evaluate_roi([-100] + [6] * 24, 0)

    assert report.roi_share == pytest.approx(0.44)
    assert report.annualised_roi_share == pytest.approx(0.2)


def test_payback_is_interpolated_within_the_month() -> None:
    assert evaluate_roi([-100, 60, 80], 0).payback_months == pytest.approx(1.5)


def test_payback_that_is_lost_again_counts_from_the_last_turn() -> None:
    """Running sums -100, 50, -50, 10: it is positive in month 1, lost in month 2 and regained 50 / 60 into month 3."""
    assert evaluate_roi([-100, 150, -100, 60], 0).payback_months == pytest.approx(2 + 50 / 60)


def test_payback_lost_for_good_is_none_in_words() -> None:
    report = evaluate_roi([-100, 150, -100], 0.1)

    assert report.payback_months is None
    assert report.payback_kind == "lost_again"
    assert "below it again" in report.payback_note


def test_a_running_sum_that_only_touches_zero_is_paid_back_there() -> None:
    assert evaluate_roi([-100, 100, 0, 5], 0).payback_months == pytest.approx(1.0)


def test_discounting_can_take_the_payback_away() -> None:
    report = evaluate_roi([-100, 50, 51], 0.5)

    assert report.payback_months is not None
    assert report.discounted_payback_months is None
    assert report.discounted_payback_note.startswith("none")


def test_without_an_investment_roi_is_undefined_and_payback_at_once() -> None:
    report = evaluate_roi([0, 3_721, 3_721], 0.08)

    assert report.roi_share is None
    assert report.annualised_roi_share is None
    assert "undefined" in report.roi_note
    assert report.payback_months == 0
    assert report.irr_per_year is None
    assert report.irr_note.startswith("none")


def test_without_investment_and_savings_nothing_is_paid_back() -> None:
    report = evaluate_roi([0, 0, 0], 0.1)

    assert report.payback_months is None
    assert report.npv_usd == 0
    assert report.irr_note.startswith("undefined")


def test_negative_savings_are_never_paid_back() -> None:
    report = evaluate_roi([-100, -10, -10], 0.1)

    assert report.payback_months is None
    assert report.payback_kind == "never"
    assert report.roi_share == pytest.approx(-1.2)
    assert report.annualised_roi_share is None
    assert "undefined" in report.annualised_roi_note
    assert report.irr_note == "none: there is no inflow"


def test_a_rounding_error_counts_as_zero() -> None:
    assert evaluate_roi([-1e-16, 5], 0).roi_share is None
    assert evaluate_roi([-100, 230, -1e-16], 0).irr_per_month == pytest.approx(1.3)
    report = evaluate_roi([-0.9, 0.3, 0.3, 0.3], 0)
    assert report.net_usd == report.npv_usd == report.roi_share == 0
    assert report.payback_months == pytest.approx(3)


def test_a_single_month_has_no_yearly_return() -> None:
    report = evaluate_roi([-100], 0.1)

    assert (report.npv_usd, report.roi_share, report.annualised_roi_share) == (-100, -1, None)


def test_a_zero_rate_adds_up() -> None:
    assert evaluate_roi([-100, 30, 30, 30], 0).npv_usd == -10


def test_npv_of_a_long_horizon_is_exact() -> None:
    """A hundred years of the same saving, against the closed form of an annuity in 60 digits."""
    report = evaluate_roi([-1_000_000] + [9_000] * 1_200, 0.1)

    with localcontext() as context:
        context.prec = 60
        step = 1 + Decimal.from_float(0.1)
        closed = -1_000_000 + 9_000 * (1 - step**-100) / ((step.ln() / 12).exp() - 1)
    assert report.npv_usd == float(closed)


# --- rates of return --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flows", "rates"),
    [
        pytest.param([-100, 230, -132], (0.1, 0.2), id="two"),
        pytest.param(with_rates(0.1, 0.2, 0.3), (0.1, 0.2, 0.3), id="three"),
        pytest.param(with_rates(-0.5, 0.5), (-0.5, 0.5), id="one below zero"),
        pytest.param(with_rates(0.1, 0.101), (0.1, 0.101), id="close neighbours"),
        pytest.param(with_rates(0.01, 0.02, 0.02), (0.01, 0.02), id="one crosses and one touches"),
    ],
)
def test_several_rates_are_all_found_and_none_is_shown(flows: list[float], rates: tuple[float, ...]) -> None:
    report = evaluate_roi(flows, 0.1)

    assert report.irr.rates_per_month == pytest.approx(rates, abs=1e-9)
    assert report.irr_per_year is None
    assert report.irr_note.startswith("several")


def test_a_rate_at_which_npv_only_touches_zero_is_one_rate() -> None:
    report = evaluate_roi([100, -220, 121], 0.1)

    assert report.irr_per_month == pytest.approx(0.1, abs=1e-12)


def test_flows_that_never_balance_have_no_rate() -> None:
    report = evaluate_roi([-100, 150, -100], 0)

    assert report.irr_per_year is None
    assert report.irr_note.startswith("none: the NPV is not 0")


def test_a_rate_of_zero_is_a_rate() -> None:
    assert evaluate_roi([-100, 50, 50], 0.1).irr_per_year == 0


def test_a_threefold_rate_is_one_rate() -> None:
    assert evaluate_roi(with_rates(0.1, 0.1, 0.1), 0).irr.rates_per_month == pytest.approx([0.1], abs=1e-4)


def test_a_rate_paid_is_told_from_a_rate_earned() -> None:
    assert "paid" in evaluate_roi([100, -110], 0).irr_note


def test_a_yearly_return_beyond_every_number_is_undefined() -> None:
    report = evaluate_roi([-1e-11, 1e17], 0)

    assert report.annualised_roi_share is None
    assert "exceeds every number" in report.annualised_roi_note


@pytest.mark.parametrize("months", [12, 120, 1_200])
@pytest.mark.parametrize("saving", [1.0, 900.0, 40_000.0])
def test_conventional_flows_agree_with_the_library(saving: float, months: int) -> None:
    flows = [-100_000.0] + [saving] * months
    expected = pyxirr.irr(flows)

    assert expected is not None
    assert evaluate_roi(flows, 0.1).irr_per_year == pytest.approx((1 + expected) ** 12 - 1, rel=1e-9, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.floats(100, 1e6), st.lists(st.floats(1, 1e5), min_size=2, max_size=30), RATES)
def test_two_libraries_and_this_one_agree_on_investments(outlay: float, savings: list[float], rate: float) -> None:
    flows = [-outlay, *savings]
    report = evaluate_roi(flows, rate)
    monthly = (1 + rate) ** (1 / 12) - 1
    first, second = pyxirr.irr(flows, silent=True), float(npf.irr(flows))

    scale = sum(abs(flow) * (1 + monthly) ** -month for month, flow in enumerate(flows))
    assert report.npv_usd == pytest.approx(float(npf.npv(monthly, flows)), abs=1e-11 * scale)
    assume(first is not None and abs(first - second) < 1e-9)
    assert report.irr_per_month == pytest.approx(second, abs=1e-8)


# --- laws -------------------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(FLOWS)
def test_a_found_rate_makes_the_npv_zero(flows: list[float]) -> None:
    for monthly in evaluate_roi(flows, 0).irr.rates_per_month:
        assume(monthly > -0.99)
        terms = [flow * (1 + monthly) ** -month for month, flow in enumerate(flows)]
        assert abs(math.fsum(terms)) <= 1e-9 * sum(map(abs, terms))


@settings(max_examples=100, deadline=None)
@given(FLOWS)
def test_rates_are_as_many_as_the_signs_of_the_npv_demand(flows: list[float]) -> None:
    """NPV at a very small and at a very large discount factor: opposite signs need a rate, and it is not missed."""
    assume(abs(flows[0]) >= 0.01 and abs(flows[-1]) >= 0.01)
    rates = evaluate_roi(flows, 0).irr.rates_per_month

    if flows[0] * flows[-1] < 0:
        assert rates
    changes = [flow > 0 for flow in flows if flow]
    assert len(rates) <= sum(a != b for a, b in pairwise(changes))


def test_the_rates_are_those_of_the_eigenvalues() -> None:
    """Random short flows against the real roots of the NPV polynomial as numpy finds them, by another method."""
    source = random.Random(5)
    for _ in range(400):
        flows = [round(source.gauss(0, 100), 2) for _ in range(source.randint(2, 18))]
        roots = [complex(root) for root in np.roots(flows)]
        expected = sorted(root.real - 1 for root in roots if abs(root.imag) < 1e-9 * abs(root) and root.real > 1e-9)

        assert evaluate_roi(flows, 0).irr.rates_per_month == pytest.approx(expected, rel=1e-6, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-0.6, 1.5).map(lambda rate: round(rate, 2)), min_size=1, max_size=4, unique=True))
def test_flows_built_from_rates_give_these_rates_back(rates: list[float]) -> None:
    found = evaluate_roi(with_rates(*rates), 0).irr.rates_per_month

    assert found == pytest.approx(sorted(rates), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-500, 500), min_size=1, max_size=36), st.floats(1, 5_000), st.floats(0, 200))
def test_more_savings_never_delay_payback_and_never_lower_the_npv(
    savings: list[float], outlay: float, more: float
) -> None:
    before = evaluate_roi([-outlay, *savings], 0.1)
    after = evaluate_roi([-outlay, *(saving + more for saving in savings)], 0.1)

    assert after.npv_usd >= before.npv_usd - 1e-9
    if before.payback_months is not None:
        assert after.payback_months is not None
        assert after.payback_months <= before.payback_months + 1e-9


@settings(max_examples=60, deadline=None)
@given(FLOWS, RATES, st.integers(1, 1_000))
def test_another_currency_changes_amounts_but_no_ratio(flows: list[float], rate: float, factor: int) -> None:
    one, other = evaluate_roi(flows, rate), evaluate_roi([flow * factor for flow in flows], rate)

    assert other.npv_usd == pytest.approx(one.npv_usd * factor, rel=1e-9, abs=1e-6)
    assert other.roi_share == pytest.approx(one.roi_share, abs=1e-9)
    assert other.payback_months == pytest.approx(one.payback_months, abs=1e-6)
    assert other.irr.rates_per_month == pytest.approx(one.irr.rates_per_month, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(FLOWS, RATES)
def test_every_kind_of_sequence_gives_the_same_report(flows: list[float], rate: float) -> None:
    expected = evaluate_roi(flows, rate)

    for given_flows in (tuple(flows), np.array(flows), (flow for flow in flows), [Decimal(flow) for flow in flows]):
        assert evaluate_roi(given_flows, Decimal(rate)) == expected


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flows", "rate", "field"),
    [
        pytest.param([], 0.1, "flows_usd", id="empty"),
        pytest.param([-1, math.nan], 0.1, "flows_usd", id="nan"),
        pytest.param([-1, math.inf], 0.1, "flows_usd", id="infinite"),
        pytest.param([-1, None], 0.1, "flows_usd", id="nothing"),
        pytest.param([-1, "5"], 0.1, "flows_usd", id="text in the list"),
        pytest.param("12", 0.1, "flows_usd", id="text"),
        pytest.param(None, 0.1, "flows_usd", id="no list"),
        pytest.param([[-1, 2], [3, 4]], 0.1, "flows_usd", id="two dimensions"),
        pytest.param([-1, Decimal("sNaN")], 0.1, "flows_usd", id="signalling nan"),
        pytest.param([-1, 10**400], 0.1, "flows_usd", id="beyond a float"),
        pytest.param([-1, 1e19], 0.1, "flows_usd", id="more money than there is"),
        pytest.param(range(1_000_000), 0.1, "flows_usd", id="a million months"),
        pytest.param([-1] * (MAX_MONTHS + 2), 0.1, "flows_usd", id="one month too many"),
        pytest.param([-1, 2], -1, "annual_discount_rate", id="minus 100 percent"),
        pytest.param([-1, 2], -3.5, "annual_discount_rate", id="below minus 100 percent"),
        pytest.param([-1, 2], math.nan, "annual_discount_rate", id="rate is nan"),
        pytest.param([-1, 2], None, "annual_discount_rate", id="no rate"),
        pytest.param([-1, 2] * 600, -0.999999999, "annual_discount_rate", id="the npv exceeds every number"),
    ],
)
def test_bad_input_is_one_sentence_that_names_the_field(flows: object, rate: object, field: str) -> None:
    with pytest.raises(ValueError, match=field) as caught:
        evaluate_roi(flows, rate)  # type: ignore[arg-type] # wrong on purpose

    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text


def test_the_longest_horizon_is_accepted() -> None:
    assert evaluate_roi([-1.0] + [0.001] * MAX_MONTHS, 0.05).months == MAX_MONTHS


@pytest.mark.parametrize("many", [4, 5, 6, 20])
def test_a_rate_of_any_multiplicity_is_exact(many: int) -> None:
    # (y - 1)^n: the NPV touches 0 at a rate of 0 and nowhere else.
    found = evaluate_roi([(-1) ** place * math.comb(many, place) for place in range(many + 1)], 0.0)

    assert found.irr.kind == "one"
    assert found.irr.per_year == pytest.approx(0, abs=1e-12)


def test_a_fourfold_rate_between_float64_flows_is_exact_to_a_millionth() -> None:
    assert evaluate_roi(with_rates(0.1, 0.1, 0.1, 0.1), 0.0).irr.rates_per_month == pytest.approx((0.1,), abs=1e-7)


def test_a_small_payment_beside_a_large_one_is_real() -> None:
    # 1e-3 back of 1e12: the rate is 1e-15 - 1 a month.
    found = evaluate_roi([-1e12, 0.001], 0.0).irr

    assert found.kind == "one"
    assert found.rates_per_month == pytest.approx((1e-15 - 1,), abs=1e-16)
    assert found.per_year == pytest.approx(-1)


def test_a_cent_missing_of_a_trillion_is_no_payback() -> None:
    # -1e12 + (1e12 - 0.05) + 0.04 = -0.01.
    found = evaluate_roi([-1e12, 1e12 - 0.05, 0.04], 0.0)

    assert found.payback_months is None
    assert np.isnan(payback_months(np.array([[1e12 - 0.05], [0.04]]), 1e12)).all()


def test_a_rate_beyond_every_number_is_said_in_words() -> None:
    found = evaluate_roi([-1e-12, 1e18], 0.0).irr

    assert (found.kind, found.per_year) == ("one", None)
    assert "exceeds every number" in found.note
