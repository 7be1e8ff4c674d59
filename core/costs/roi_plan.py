"""What does moving from one way of serving to another pay, month by month?

Turns two monthly bills, a migration cost and a fee into cash flows and what follows from them: savings, total cost of
ownership (TCO) of both, a waterfall between them and a sensitivity grid. Amounts are USD in float64.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.costs.conventions import MONTHS_PER_YEAR, Floats
from core.costs.limits import require_within
from core.costs.roi import MAX_MONTHS, evaluate_roi
from core.costs.roi_rates import PICO_USD
from core.costs.roi_report import RoiReport

MAX_USD = 1e12
"""The largest amount one may state, as for a workload's budget; flows that follow may reach `roi.MAX_USD`."""

MAX_RATE_PER_YEAR = 10.0

# As in `evaluate_roi`, a running sum this small beside what was added up to it is zero; float64 sums need more room.
SUM_NOISE_SHARE = 2e-15

MIGRATION, FEE = "migration", "monthly_fee"
"""Components of the new way that stand on no provider's bill."""

SAVING_FACTORS = (0.5, 0.75, 1.0, 1.25, 1.5)
MIGRATION_FACTORS = (0.5, 1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchTerms:
    """What the switch itself costs: once in month 0, and per month beside the bill of the new way.

    `annual_discount_rate` is a fraction above -1. Raises ValueError naming the field.
    """

    migration_usd: float = 0.0
    fee_usd_per_month: float = 0.0
    annual_discount_rate: float = 0.08

    def __post_init__(self) -> None:
        for field in ("migration_usd", "fee_usd_per_month"):
            require_within(field, getattr(self, field), 0, MAX_USD)
        rate = self.annual_discount_rate
        if not isinstance(rate, int | float) or not -1 < rate <= MAX_RATE_PER_YEAR:
            raise ValueError(
                f"annual_discount_rate is {self.annual_discount_rate!r}: "
                f"give a fraction above -1 and at most {MAX_RATE_PER_YEAR:g}, such as 0.08 for 8 %."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingCost:
    """The monthly bill of one way by component (each an array over the months). NaN is an unknown price."""

    name: str
    kind: str
    lines_usd: Mapping[str, Floats]

    @property
    def monthly_usd(self) -> Floats:
        total: Floats = np.sum(list(self.lines_usd.values()), axis=0)
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One bar of the waterfall: by how much a component changes the cost over the horizon (negative saves)."""

    component: str
    change_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """The move from `baseline` to `new`: flows (month 0 first), what they are worth, and both TCO over the horizon.

    `savings_usd` are per month after the fee, `savings_share` is over the horizon and excludes the migration; it is
    None when today's bill is 0.
    """

    baseline: ServingCost
    new: ServingCost
    terms: SwitchTerms
    flows_usd: Floats
    savings_usd: Floats
    report: RoiReport
    baseline_tco_usd: float
    new_tco_usd: float
    savings_usd_per_month: float
    savings_share: float | None
    steps: tuple[Step, ...]

    @property
    def months(self) -> int:
        return len(self.savings_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """NPV (USD) and payback (months, NaN: never) if savings (rows) and migration cost (columns) come out otherwise."""

    saving_factors: tuple[float, ...]
    migration_factors: tuple[float, ...]
    npv_usd: Floats
    payback_months: Floats


def plan_switch(baseline: ServingCost, new: ServingCost, terms: SwitchTerms) -> Switch:
    """Evaluates the switch over the months of the two bills.

    Raises ValueError when the bills cover no month, too many or different numbers of months, or hold a month without
    a price.
    """
    before, after = baseline.monthly_usd, new.monthly_usd
    if before.ndim != 1 or before.shape != after.shape or not 1 <= len(before) <= MAX_MONTHS:
        raise ValueError(f"horizon_months: both bills must cover the same 1 to {MAX_MONTHS} months.")
    for cost, total in ((baseline, before), (new, after)):
        if not np.isfinite(total).all():
            raise ValueError(f"{cost.name} has a month without a price: choose another way or a shorter horizon.")
    savings = before - after - terms.fee_usd_per_month
    flows = np.concatenate(([-terms.migration_usd], savings))
    spent = float(before.sum())
    return Switch(
        baseline=baseline,
        new=new,
        terms=terms,
        flows_usd=flows,
        savings_usd=savings,
        report=evaluate_roi(flows, terms.annual_discount_rate),
        baseline_tco_usd=spent,
        new_tco_usd=float(after.sum()) + terms.fee_usd_per_month * len(after) + terms.migration_usd,
        savings_usd_per_month=float(savings.mean()),
        savings_share=float(savings.sum()) / spent if spent > PICO_USD else None,
        steps=_steps(baseline, new, terms),
    )


def _steps(baseline: ServingCost, new: ServingCost, terms: SwitchTerms) -> tuple[Step, ...]:
    """Changes by component over the horizon; together they lead exactly from one TCO to the other."""
    months = len(new.monthly_usd)
    changes = {
        name: float(np.sum(new.lines_usd.get(name, 0.0)) - np.sum(baseline.lines_usd.get(name, 0.0)))
        for name in dict.fromkeys((*baseline.lines_usd, *new.lines_usd))
    }
    changes[FEE] = terms.fee_usd_per_month * months
    changes[MIGRATION] = terms.migration_usd
    return tuple(Step(component=name, change_usd=change) for name, change in changes.items() if abs(change) > PICO_USD)


def discount_factors(months: int, annual_discount_rate: float) -> Floats:
    """(1 + annual)^(-k / 12) for months 1 to `months`."""
    factors: Floats = (1.0 + annual_discount_rate) ** (-np.arange(1, months + 1) / MONTHS_PER_YEAR)
    return factors


def running_sums(switch: Switch) -> tuple[Floats, Floats]:
    """USD summed up to each month, from month 0: of the flows as they are, and discounted to today."""
    factors = np.concatenate(([1.0], discount_factors(switch.months, switch.terms.annual_discount_rate)))
    return np.cumsum(switch.flows_usd), np.cumsum(switch.flows_usd * factors)


def payback_months(savings_usd: Floats, migration_usd: Floats | float) -> Floats:
    """Payback of many plans at once: `savings_usd` is months x plans; NaN where the migration is not paid back.

    The same convention as `evaluate_roi`: the last time the running sum turns to 0 or more, within the month. Row by
    row, so that every step works on numbers that are still in the processor's cache.
    """
    running = np.broadcast_to(-np.asarray(migration_usd, dtype=np.float64), savings_usd.shape[1:]).copy()
    size = np.abs(running)
    found = np.where(running < -PICO_USD, np.nan, 0.0)
    is_below = running < -PICO_USD
    for month, row in enumerate(savings_usd):
        before = running.copy()
        running += row
        size += np.abs(row)
        was_below, is_below = is_below, running < -np.maximum(PICO_USD, SUM_NOISE_SHARE * size)
        turned = was_below & ~is_below
        if turned.any():
            found[turned] = month + np.minimum(1.0, -before[turned] / row[turned])
    found[is_below | (size <= PICO_USD)] = np.nan
    return found


def sensitivity(
    switch: Switch,
    saving_factors: Sequence[float] = SAVING_FACTORS,
    migration_factors: Sequence[float] = MIGRATION_FACTORS,
) -> Grid:
    """NPV and payback if the difference of the two bills and the migration cost are multiplied by these factors.

    The monthly fee is a promise and stays as it is. Without a migration cost there is one column.
    """
    columns = tuple(migration_factors) if switch.terms.migration_usd > 0 else (1.0,)
    gross = switch.savings_usd + switch.terms.fee_usd_per_month
    fee, migration = switch.terms.fee_usd_per_month, switch.terms.migration_usd * np.asarray(columns)
    savings = gross[:, None] * np.asarray(saving_factors)[None, :] - fee
    factors = discount_factors(switch.months, switch.terms.annual_discount_rate)
    plans = np.repeat(savings, len(columns), axis=1)
    outlays = np.tile(migration, len(saving_factors))
    shape = (len(saving_factors), len(columns))
    return Grid(
        saving_factors=tuple(saving_factors),
        migration_factors=columns,
        npv_usd=(factors @ plans - outlays).reshape(shape),
        payback_months=payback_months(plans, outlays).reshape(shape),
    )
