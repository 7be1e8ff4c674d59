"""What does renting an offer cost in a month, line by line, and in which month does a reservation pay?

Amounts are integers of micro-USD. A line whose price nobody states has no amount, and the total says it is incomplete.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from core.costs.conventions import HOURS_PER_MONTH
from core.costs.gpus import GpuOffer
from core.costs.limits import require_within
from core.money import MICRO

WEEKS_PER_MONTH = 365 / 7 / 12
HoursMode = Literal["always", "schedule", "utilization"]
LineKind = Literal["compute", "storage", "egress", "tax"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RentalPlan:
    """How a machine is used. `utilization` is the share (0 to 1) of the month it runs; sizes are GB and GB per month.

    `storage_usd_per_gb_month` and `egress_usd_per_gb` are the reader's own prices, None to take the provider's.
    `tax_share` (0 to 1) is added to everything. Raises ValueError naming the field.
    """

    mode: HoursMode = "always"
    hours_per_day: float = 10
    days_per_week: float = 5
    utilization: float = 0.5
    machine_count: int = 1
    storage_gb: float = 0
    storage_usd_per_gb_month: float | None = None
    egress_gb: float = 0
    egress_usd_per_gb: float | None = None
    tax_share: float = 0

    def __post_init__(self) -> None:
        limits = {
            "hours_per_day": 24, "days_per_week": 7, "utilization": 1, "machine_count": 10_000, "storage_gb": 1e9,
            "egress_gb": 1e9, "tax_share": 1, "storage_usd_per_gb_month": 100, "egress_usd_per_gb": 100,
        }  # fmt: skip
        for name, high in limits.items():
            value = getattr(self, name)
            if value is not None:
                require_within(name, value, 0, high)

    @property
    def hours_per_month(self) -> float:
        """Hours a machine runs in a month of `HOURS_PER_MONTH`."""
        if self.mode == "schedule":
            return min(self.hours_per_day * self.days_per_week * WEEKS_PER_MONTH, HOURS_PER_MONTH)
        return HOURS_PER_MONTH * (self.utilization if self.mode == "utilization" else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a provider charges beside compute and how it wants to be paid; None is unknown."""

    storage_micro_usd_per_gb_month: int | None = None
    egress_micro_usd_per_gb: int | None = None
    min_topup_micro_usd: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One line: a quantity (hours, GB, or micro-USD taxed), its price per unit and the amount, both None when unknown.

    Tax has no price per unit: it is `tax_share` (0 to 1) of its quantity.
    """

    kind: LineKind
    quantity: float
    unit_micro_usd: float | None
    micro_usd: int | None
    tax_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyBill:
    """A month of one offer. `paid_in_micro_usd` is what must be paid in when only whole top-ups are taken."""

    lines: tuple[BillLine, ...]
    total_micro_usd: int
    paid_in_micro_usd: int
    is_complete: bool

    @property
    def total_usd(self) -> float:
        return self.total_micro_usd / MICRO


def paid_hours(offer: GpuOffer, plan: RentalPlan) -> float:
    """Hours paid per machine: a reservation is paid around the clock, used or not."""
    return HOURS_PER_MONTH if offer.purchase_option == "reserved" else plan.hours_per_month


def monthly_bill(offer: GpuOffer, plan: RentalPlan, terms: Terms) -> MonthlyBill:
    """Compute + storage + egress, then tax on all of them; the payment is rounded up to whole top-ups."""
    hours = paid_hours(offer, plan) * plan.machine_count
    lines = [
        BillLine(
            kind="compute",
            quantity=hours,
            unit_micro_usd=offer.micro_usd_per_hour,
            micro_usd=round(hours * offer.micro_usd_per_hour),
        ),
        _line("storage", plan.storage_gb, plan.storage_usd_per_gb_month, terms.storage_micro_usd_per_gb_month),
        _line("egress", plan.egress_gb, plan.egress_usd_per_gb, terms.egress_micro_usd_per_gb),
    ]
    subtotal = sum(line.micro_usd or 0 for line in lines)
    tax = round(subtotal * plan.tax_share)
    lines.append(BillLine(kind="tax", quantity=subtotal, unit_micro_usd=None, micro_usd=tax, tax_share=plan.tax_share))
    total = subtotal + tax
    return MonthlyBill(
        lines=tuple(lines),
        total_micro_usd=total,
        paid_in_micro_usd=paid_in(total, terms.min_topup_micro_usd),
        is_complete=all(line.micro_usd is not None for line in lines),
    )


def _line(kind: LineKind, quantity: float, own_usd: float | None, provider_micro: int | None) -> BillLine:
    unit = provider_micro if own_usd is None else own_usd * MICRO
    amount = 0 if quantity == 0 else None if unit is None else round(quantity * unit)
    return BillLine(kind=kind, quantity=quantity, unit_micro_usd=unit, micro_usd=amount)


def paid_in(total_micro_usd: int, min_topup_micro_usd: int | None) -> int:
    """The total rounded up to whole minimum top-ups; the total itself where there is none or it is not known."""
    if not min_topup_micro_usd:
        return total_micro_usd
    return math.ceil(total_micro_usd / min_topup_micro_usd) * min_topup_micro_usd


def reservation_pays_in_month(
    on_demand_micro_usd_per_month: int, reserved_micro_usd_per_month: int, commitment_months: int
) -> int | None:
    """First month by whose end the whole commitment costs no more than on demand would have so far; None for never.

    A commitment is owed in full even when one stops, so it has paid once on-demand months add up to all of it:
    the smallest m with m * on_demand >= commitment_months * reserved, if m is within the commitment.
    """
    if on_demand_micro_usd_per_month <= 0:
        return None
    month = max(1, -(-commitment_months * reserved_micro_usd_per_month // on_demand_micro_usd_per_month))
    return month if month <= commitment_months else None


def siblings(offer: GpuOffer, offers: Iterable[GpuOffer]) -> list[GpuOffer]:
    """The same machine in the same region from the same source under every purchase option, cheapest of each."""
    found: dict[tuple[str, int], GpuOffer] = {}
    for one in offers:
        if _machine(one) == _machine(offer):
            key = (one.purchase_option, one.commitment_months)
            if key not in found or one.micro_usd_per_hour < found[key].micro_usd_per_hour:
                found[key] = one
    found[offer.purchase_option, offer.commitment_months] = offer
    return [found[key] for key in sorted(found)]


def _machine(offer: GpuOffer) -> tuple[object, ...]:
    return (
        offer.provider_id, offer.instance_type, offer.gpu_model, offer.gpu_form, offer.gpu_count, offer.region,
        offer.source,
    )  # fmt: skip
