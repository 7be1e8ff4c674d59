"""Who should rent, who should call, who should go through a gateway? Which rules apply, by the reader's thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from core.costs.selfhost_terms import Operations

Side = Literal["rent", "call", "gateway", "open"]
"""`open` is what a wish leaves unsettled whichever side is taken."""

FleetPlace = Literal["region", "market", "no_region", "none"]
"""Where the cheapest fleet stands: in a stated region of its provider, at a marketplace of other people's machines, at
a provider that names no region, or there is no fleet."""

RuleKind = Literal[
    "rent_clear", "rent_close", "call_clear", "call_close", "staff", "util_low", "util_high", "latency_ok",
    "latency_slow", "residency_region", "residency_market", "residency_no_region", "residency_none", "residency_call",
    "korean_pay", "failover", "hosts_many", "hosts_one", "hosts_none", "hosts_other", "batch",
]  # fmt: skip

NEARLY_ALL = 0.8
"""Whole replicas and a spare one leave this part of what a peak allows, at best."""

MUCH_BATCH_SHARE = 0.5
"""From this share of requests that can wait on, batch prices (about half) decide more than machines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where rules turn: people that running GPUs takes, and shares (0 to 1) of paid time used and of cost saved.

    `first_token_s` is the longest wait for a first token and `stream_tokens_per_s` the slowest stream that one user
    may see, None where it does not matter. The people are by default as many as a fleet is reckoned with.
    """

    staff_fte: float = Operations().staff_fte
    utilization: float = 0.3
    saving_share: float = 0.2
    first_token_s: float | None = None
    stream_tokens_per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the rules look at. USD per month of both ways and the fleet's utilization, None where there is none.

    `first_token_s` and `stream_tokens_per_s` are what one user of the fleet sees at the peak, None where unknown.
    `host_count` is how many providers sell the model that is compared with, None where another model is.
    `most_utilization` is what the peak and the planned load leave of the paid time; `has_own_machines` says whether
    some fleet stands on a provider's own machines in a stated region. The last three are wishes: data on machines one
    controls, paying with a Korean card, moving on when a vendor fails.
    """

    rent_usd_per_month: float | None = None
    call_usd_per_month: float | None = None
    utilization: float | None = None
    staff_fte: float = 0.0
    batch_share: float = 0.0
    place: FleetPlace = "none"
    first_token_s: float | None = None
    stream_tokens_per_s: float | None = None
    host_count: int | None = None
    most_utilization: float = 1.0
    has_own_machines: bool = False
    needs_residency: bool = False
    needs_korean_payment: bool = False
    needs_failover: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that applies, and the side it speaks for."""

    kind: RuleKind
    side: Side


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What to do, and the rules that decide it. `rent_gateway` is renting with an API behind a gateway in reserve."""

    outcome: Literal["rent", "rent_gateway", "call", "gateway", "open"]
    because: tuple[Rule, ...]


def saving_share(one_usd: float, other_usd: float) -> float:
    """What the cheaper of two bills saves of the dearer one (0 to 1); 0 when both are free."""
    dearer = max(one_usd, other_usd)
    return 1 - min(one_usd, other_usd) / dearer if dearer > 0 else 0.0


def rules(situation: Situation, thresholds: Thresholds) -> list[Rule]:
    """Every rule that applies, the decisive ones (cost, then operation) first."""
    return [
        *_cost(situation, thresholds),
        *_operation(situation, thresholds),
        *_latency(situation, thresholds),
        *_wishes(situation),
        *_sellers(situation),
    ]


def conclusion(found: Sequence[Rule]) -> Conclusion | None:
    """What to do, and the rules that decide it; None when neither way has a bill.

    Where the data must stay decides before anything else, then whether a Korean card must do, then whether users wait
    too long, then money, where too few people speak against renting and so does a saving within what estimates can be
    wrong by. Calling becomes calling through a gateway where a wish asks for one; renting keeps one in reserve where
    answers must go on when one vendor fails.
    """
    by_kind = {one.kind: one for one in found}
    residency = [one for one in found if one.kind.startswith("residency_") and one.kind != "residency_call"]
    if residency:
        return Conclusion(outcome="rent" if residency[0].side == "rent" else "open", because=(residency[0],))
    cost = next((one for one in found if one.kind in ("rent_clear", "rent_close", "call_clear", "call_close")), None)
    if cost is None:
        return None
    against: tuple[RuleKind, ...] = ("latency_slow", "staff")
    decisive = next((by_kind[kind] for kind in against if kind in by_kind), cost) if cost.side == "rent" else cost
    pay, failover = by_kind.get("korean_pay"), by_kind.get("failover")
    if decisive.kind == "rent_clear":
        if pay:
            return Conclusion(outcome="gateway", because=(pay,))
        return Conclusion(outcome="rent_gateway", because=(cost, failover)) if failover else Conclusion("rent", (cost,))
    wishes = tuple(one for one in (pay, failover) if one)
    return Conclusion(outcome="gateway" if wishes else "call", because=(decisive, *wishes))


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
        # No fleet that meets the peak can be busier than its peak leaves.
        is_low = situation.utilization < min(thresholds.utilization, NEARLY_ALL * situation.most_utilization)
        yield Rule(kind="util_low", side="call") if is_low else Rule(kind="util_high", side="rent")


def _latency(situation: Situation, thresholds: Thresholds) -> Iterator[Rule]:
    """Nothing where no limit is set or nothing is known. How fast an API answers is not known here."""
    wait, stream = thresholds.first_token_s, thresholds.stream_tokens_per_s
    if (wait is None and stream is None) or situation.first_token_s is None or situation.stream_tokens_per_s is None:
        return
    is_late = wait is not None and situation.first_token_s > wait
    is_slow = stream is not None and situation.stream_tokens_per_s < stream
    yield Rule(kind="latency_slow", side="call") if is_late or is_slow else Rule(kind="latency_ok", side="rent")


def _wishes(situation: Situation) -> Iterator[Rule]:
    if situation.needs_residency:
        kinds: dict[FleetPlace, RuleKind] = {
            "region": "residency_region", "market": "residency_market", "no_region": "residency_no_region",
            "none": "residency_none",
        }  # fmt: skip
        stays = situation.place == "region" or (situation.place != "none" and situation.has_own_machines)
        yield Rule(kind=kinds[situation.place], side="rent" if stays else "open")
        yield Rule(kind="residency_call", side="open")
    if situation.needs_korean_payment:
        yield Rule(kind="korean_pay", side="gateway")
    if situation.needs_failover:
        yield Rule(kind="failover", side="gateway")
    if situation.batch_share >= MUCH_BATCH_SHARE:
        yield Rule(kind="batch", side="call")


def _sellers(situation: Situation) -> Iterator[Rule]:
    """What a gateway could choose from."""
    count = situation.host_count
    kind: RuleKind = "hosts_other"
    if count is not None:
        kind = "hosts_many" if count > 1 else "hosts_one" if count else "hosts_none"
    yield Rule(kind=kind, side="gateway")
