"""Is changing the way of serving worth its price? Cash flows in; savings, payback, NPV and rates of return out.

Conventions: `flows_usd[k]` is the net payment at the end of month k (outlays negative), month 0 is today and is not
discounted, the monthly discount rate is (1 + annual)^(1/12) - 1. The investment is the outlay of month 0; payments of
later months, negative ones too, belong to the gain. What has no value is None, with the reason beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal, DecimalException, localcontext
from itertools import islice
from typing import Any

from core.costs.conventions import MONTHS_PER_YEAR
from core.costs.roi_rates import PICO_USD, sign_changes, without_noise, zero_rates
from core.costs.roi_report import Irr, IrrKind, PaybackKind, RoiKind, RoiReport

__all__ = ["MAX_MONTHS", "Irr", "IrrKind", "PaybackKind", "RoiKind", "RoiReport", "evaluate_roi"]

MAX_MONTHS = 12_000
"""A thousand years: beyond any plan, and still computed in well under a second."""

MAX_USD = 1e18
"""A flow beyond it is no plan, and the noise of its float64 (128 USD) would hide real payments. Looser than what a
reader may type (`roi_plan.MAX_USD`): simulated flows are sums of many."""

DIGITS = 50

# Sums are exact here, but each amount is rounded to float64 (1.1e-16 of it): a running sum of a few of these is zero.
SUM_NOISE = Decimal("4e-16")


def evaluate_roi(flows_usd: Iterable[Any], annual_discount_rate: Any) -> RoiReport:
    """The report on net payments of months 0, 1, 2 ... in USD (float, int, Decimal, any sequence or numpy array).

    ROI = (sum of later flows - investment) / investment; annualised (1 + ROI)^(12 / months) - 1. Payback is the last
    time the running sum turns and stays at or above 0; None when it ends below. Raises ValueError naming the field for
    no flows, a flow that is no finite number, more than `MAX_MONTHS` months, or a rate of -100 % a year or less.
    """
    flows = _flows(flows_usd)
    rate = _rate(annual_discount_rate)
    months = len(flows) - 1
    with localcontext() as context:
        context.prec = DIGITS
        discounted = _discounted(flows, rate)
        npv = _float(_clean(sum(discounted, Decimal(0))), "annual_discount_rate")
        investment = max(Decimal(0), -_clean(flows[0]))
        gain = sum(flows[1:], Decimal(0))
        roi = float(_clean(gain - investment) / investment) if investment else None
        payback, payback_kind = _payback(flows)
        discounted_payback, discounted_kind = _payback(discounted)
    annualised, annualised_kind = _annualised(roi, months)
    return RoiReport(
        months=months,
        investment_usd=float(investment),
        gain_usd=float(gain),
        net_usd=float(_clean(gain + flows[0])),
        npv_usd=npv,
        roi_share=roi,
        annualised_roi_share=annualised,
        payback_months=payback,
        discounted_payback_months=discounted_payback,
        roi_kind="no_investment" if roi is None else "known",
        annualised_roi_kind=annualised_kind,
        payback_kind=payback_kind,
        discounted_payback_kind=discounted_kind,
        irr=_irr([float(flow) for flow in flows]),
    )


def _flows(flows_usd: Iterable[Any]) -> list[Decimal]:
    """The flows as exact Decimals; ValueError naming `flows_usd` for what cannot be evaluated."""
    if isinstance(flows_usd, str | bytes) or not isinstance(flows_usd, Iterable):
        raise ValueError("flows_usd is not a list of amounts: give one net payment in USD per month, month 0 first.")
    given = list(islice(flows_usd, MAX_MONTHS + 2))
    if not given:
        raise ValueError("flows_usd is empty: give at least the payment of month 0.")
    if len(given) > MAX_MONTHS + 1:
        raise ValueError(f"flows_usd has more than {MAX_MONTHS} months after month 0: give a shorter horizon.")
    return [_amount(flow, f"flows_usd: the payment of month {month}") for month, flow in enumerate(given)]


def _rate(annual_discount_rate: Any) -> Decimal:
    rate = _amount(annual_discount_rate, "annual_discount_rate")
    if rate <= -1:
        raise ValueError("annual_discount_rate is -100 % or less: give a fraction above -1, such as 0.08 for 8 %.")
    return rate


def _amount(value: Any, what: str) -> Decimal:
    """A number as an exact Decimal; ValueError for text, None, NaN and infinity."""
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        amount = value if isinstance(value, Decimal) else Decimal(float(value))
        is_usable = amount.is_finite() and math.isfinite(float(amount))
    except (TypeError, ValueError, ArithmeticError):
        is_usable = False
    if not is_usable:
        raise ValueError(f"{what} is {value!r}: give a finite number.")
    if abs(amount) > MAX_USD:
        raise ValueError(f"{what} is {value!r}: give a number of at most {MAX_USD:.0e}.")
    return amount


def _clean(amount: Decimal) -> Decimal:
    """An amount below the smallest unit of the program is what float64 inputs left of zero."""
    return amount if abs(amount) >= Decimal(PICO_USD) else Decimal(0)


def _float(amount: Decimal, field: str) -> float:
    try:
        value = float(amount)
    except OverflowError:
        value = math.inf
    if math.isinf(value):
        raise ValueError(f"{field} is so far below 0 that the NPV exceeds every number: give a larger one.")
    return value


def _discounted(flows: Sequence[Decimal], annual_rate: Decimal) -> list[Decimal]:
    """Each flow divided by (1 + annual)^(month / 12), month 0 not at all."""
    if annual_rate == 0:
        return list(flows)
    try:
        step = (1 + annual_rate) ** (Decimal(-1) / MONTHS_PER_YEAR)
        factor, found = Decimal(1), []
        for flow in flows:
            found.append(flow * factor)
            factor *= step
    except DecimalException as error:
        raise ValueError("annual_discount_rate is too close to -100 %: give a larger one.") from error
    return found


def _payback(flows: Sequence[Decimal]) -> tuple[float | None, PaybackKind]:
    """When the running sum turns and stays at or above 0, counted in months, and what kind of answer that is."""
    running = size = Decimal(0)
    sums = []
    for flow in flows:
        running += flow
        size += abs(flow)
        is_zero = abs(running) <= max(Decimal(PICO_USD), SUM_NOISE * size)
        sums.append(Decimal(0) if is_zero else running)
    if sums[-1] < 0:
        was_even = any(one >= 0 for one in sums[1:]) and any(one > 0 for one in flows[1:])
        return None, "lost_again" if was_even or sums[0] > 0 else "never"
    below = [month for month, one in enumerate(sums) if one < 0]
    if not below:
        return (0.0, "at_once") if any(one > 0 for one in sums) else (None, "nothing_saved")
    last = below[-1]
    part = -sums[last] / (sums[last + 1] - sums[last])
    return float(last + part), "paid_back"


def _annualised(roi_share: float | None, months: int) -> tuple[float | None, RoiKind]:
    if roi_share is None:
        return None, "no_investment"
    if months == 0:
        return None, "no_time"
    if roi_share < -1:
        return None, "below_minus_one"
    try:
        return (1 + roi_share) ** (MONTHS_PER_YEAR / months) - 1, "known"
    except OverflowError:
        return None, "too_large"


def _irr(flows_usd: Sequence[float]) -> Irr:
    flows = without_noise(flows_usd)
    rates = zero_rates(flows)
    kind: IrrKind = "one" if len(rates) == 1 else "several" if rates else "none"
    note = _irr_note(kind, flows, rates)
    try:
        yearly = math.expm1(MONTHS_PER_YEAR * math.log1p(rates[0])) if kind == "one" else None
    except OverflowError:
        yearly, note = None, "undefined: the yearly rate exceeds every number"
    except ValueError:
        yearly = -1.0  # closer to -100 % a month than float64 can say
    return Irr(kind=kind, per_year=yearly, rates_per_month=rates, note=note)


def _irr_note(kind: IrrKind, flows: Sequence[float], rates: Sequence[float]) -> str:
    """Why there is no single rate of return, in words; empty when there is one."""
    if kind == "several":
        shown = ", ".join(f"{rate:.4%}" for rate in rates[:4]) + (" ..." if len(rates) > 4 else "")
        return f"several: the NPV is 0 at {len(rates)} monthly rates ({shown}), so no single one is the return"
    if kind == "one":
        return (
            "" if next(filter(None, flows)) < 0 else "the flows begin with an inflow: this is a rate paid, not earned"
        )
    if not any(flows):
        return "undefined: every flow is 0"
    if sign_changes(flows) == 0:
        return "none: there is no inflow" if min(flows) < 0 else "none: there is no outlay"
    return "none: the NPV is not 0 at any rate"
