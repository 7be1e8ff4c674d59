"""Who should rent, who should call, who should go through a gateway? Which rules apply, by the reader's thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Side = Literal["rent", "call", "gateway"]
RuleKind = Literal[
    "rent_clear", "rent_close", "call_clear", "call_close", "staff", "util_low", "util_high", "residency",
    "korean_pay", "failover", "batch",
]  # fmt: skip

MUCH_BATCH_SHARE = 0.5
"""From this share of requests that can wait on, batch prices (about half) decide more than machines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where rules turn: people that running GPUs takes, and shares (0 to 1) of paid time used and of cost saved."""

    staff_fte: float = 0.5
    utilization: float = 0.3
    saving_share: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the rules look at. USD per month of both ways and the fleet's utilization, None where there is none.

    The last three are wishes: data on machines of one's own, paying with a Korean card, moving on when a vendor fails.
    """

    rent_usd_per_month: float | None = None
    call_usd_per_month: float | None = None
    utilization: float | None = None
    staff_fte: float = 0.0
    batch_share: float = 0.0
    needs_residency: bool = False
    needs_korean_payment: bool = False
    needs_failover: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that applies, and the side it speaks for."""

    kind: RuleKind
    side: Side


def saving_share(one_usd: float, other_usd: float) -> float:
    """What the cheaper of two bills saves of the dearer one (0 to 1); 0 when both are free."""
    dearer = max(one_usd, other_usd)
    return 1 - min(one_usd, other_usd) / dearer if dearer > 0 else 0.0


def rules(situation: Situation, thresholds: Thresholds) -> list[Rule]:
    """Every rule that applies, the decisive ones (cost, then operation) first."""
    return [*_cost(situation, thresholds), *_operation(situation, thresholds), *_wishes(situation)]


def _cost(situation: Situation, thresholds: Thresholds) -> Iterator[Rule]:
    rent, call = situation.rent_usd_per_month, situation.call_usd_per_month
    if rent is None or call is None:
        return
    is_clear = saving_share(rent, call) >= thresholds.saving_share
    if rent < call:
        yield Rule(kind="rent_clear" if is_clear else "rent_close", side="rent")
    else:
        yield Rule(kind="call_clear" if is_clear else "call_close", side="call")


def _operation(situation: Situation, thresholds: Thresholds) -> Iterator[Rule]:
    if situation.staff_fte < thresholds.staff_fte:
        yield Rule(kind="staff", side="call")
    if situation.utilization is not None:
        is_low = situation.utilization < thresholds.utilization
        yield Rule(kind="util_low", side="call") if is_low else Rule(kind="util_high", side="rent")


def _wishes(situation: Situation) -> Iterator[Rule]:
    if situation.needs_residency:
        yield Rule(kind="residency", side="rent")
    if situation.needs_korean_payment:
        yield Rule(kind="korean_pay", side="gateway")
    if situation.needs_failover:
        yield Rule(kind="failover", side="gateway")
    if situation.batch_share >= MUCH_BATCH_SHARE:
        yield Rule(kind="batch", side="call")
