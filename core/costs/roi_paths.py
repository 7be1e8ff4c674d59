"""How likely does a switch pay back within the horizon, over all simulated paths?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.costs.conventions import Floats
from core.costs.roi_plan import SwitchTerms, discount_factors, payback_months
from core.costs.roi_rates import PICO_USD


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Over all paths: shares that pay back and that have an NPV above 0, percentiles of NPV and payback.

    A payback percentile is None when that part of the paths never pays back within the horizon: P90 of 9 months means
    that nine of ten paths have paid back by then.
    """

    path_count: int
    paid_back_share: float
    npv_positive_share: float
    npv_p10_usd: float
    npv_p50_usd: float
    npv_p90_usd: float
    payback_p10_months: float | None
    payback_p50_months: float | None
    payback_p90_months: float | None


def path_outcomes(baseline_usd: Floats, new_usd: Floats, terms: SwitchTerms) -> Outcomes:
    """Outcomes of the switch on paths given as USD per month and path (months x paths, the same path in a column).

    Raises ValueError for arrays of different shapes, without a path, or with unknown costs.
    """
    if baseline_usd.ndim != 2 or baseline_usd.shape != new_usd.shape or baseline_usd.size == 0:
        raise ValueError("baseline_usd and new_usd must be months x paths of the same simulation.")
    savings = baseline_usd - new_usd
    if terms.fee_usd_per_month:
        savings -= terms.fee_usd_per_month
    npv = discount_factors(len(savings), terms.annual_discount_rate) @ savings
    npv -= terms.migration_usd
    if not np.isfinite(npv).all():
        raise ValueError("baseline_usd or new_usd holds a month without a price: choose another way.")
    payback = np.sort(payback_months(savings, terms.migration_usd))  # NaN, never, comes last
    low, middle, high = (float(value) for value in np.quantile(npv, (0.1, 0.5, 0.9)))
    return Outcomes(
        path_count=savings.shape[1],
        paid_back_share=float(np.mean(~np.isnan(payback))),
        npv_positive_share=float(np.mean(npv > PICO_USD)),
        npv_p10_usd=low,
        npv_p50_usd=middle,
        npv_p90_usd=high,
        payback_p10_months=_percentile(payback, 0.1),
        payback_p50_months=_percentile(payback, 0.5),
        payback_p90_months=_percentile(payback, 0.9),
    )


def _percentile(ordered: Floats, share: float) -> float | None:
    """The month by which this share of the paths has paid back; None when so many never do."""
    value = float(ordered[int(np.ceil(share * len(ordered))) - 1])
    return None if np.isnan(value) else value


def running_band(baseline_usd: Floats, new_usd: Floats, terms: SwitchTerms) -> tuple[Floats, Floats]:
    """P10 and P90 of the running sum after months 0 to the last, in USD; shapes and errors as in `path_outcomes`."""
    savings = baseline_usd - new_usd - terms.fee_usd_per_month
    running = np.cumsum(savings, axis=0, out=savings)
    running -= terms.migration_usd
    running.sort(axis=1)
    ends = (round(0.1 * (running.shape[1] - 1)), round(0.9 * (running.shape[1] - 1)))
    low, high = (np.concatenate(([-terms.migration_usd], running[:, end])) for end in ends)
    return low, high
