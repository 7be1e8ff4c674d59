"""Rules between renting, calling and a gateway: each turns at its threshold and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.costs.selfhost_terms import Operations
from core.costs.selfhost_verdict import Rule, Situation, Thresholds, conclusion, rules, saving_share

PLAIN = Thresholds()
SETTLED = {"staff_fte": 1.0}


def kinds(thresholds: Thresholds = PLAIN, **situation: object) -> list[str]:
    """The rules but for those about sellers, of which there is always one."""
    found = rules(Situation(**(SETTLED | situation)), thresholds)  # type: ignore[arg-type]  # free keywords
    return [one.kind for one in found if not one.kind.startswith("hosts_")]


def decided(thresholds: Thresholds = PLAIN, **situation: object) -> tuple[str, ...] | None:
    found = conclusion(rules(Situation(**(SETTLED | situation)), thresholds))  # type: ignore[arg-type]  # free keywords
    return None if found is None else (found.outcome, *(one.kind for one in found.because))


@pytest.mark.parametrize(
    ("rent", "call", "kind"),
    [
        (700, 1_000, "rent_clear"), (850, 1_000, "rent_close"), (1_000, 700, "call_clear"), (1_000, 850, "call_close"),
        (1_000, 1_000, "call_close"), (0, 0, "call_close"), (0, 1_000, "rent_clear"),
    ],
)  # fmt: skip
def test_the_cheaper_way_is_named_and_whether_it_is_clear(rent: float, call: float, kind: str) -> None:
    assert kinds(rent_usd_per_month=rent, call_usd_per_month=call) == [kind]


def test_without_both_bills_cost_says_nothing() -> None:
    assert kinds(rent_usd_per_month=1_000.0) == kinds(call_usd_per_month=1_000.0) == []


def test_too_few_people_and_an_idle_fleet_speak_for_calling() -> None:
    assert kinds(staff_fte=0.24) == ["staff"]
    assert kinds(utilization=0.29) == ["util_low"]
    assert kinds(utilization=0.3) == ["util_high"]
    assert kinds(Thresholds(utilization=0.5), utilization=0.3) == ["util_low"]
    # A peak of three times the mean leaves 23 % of the time at 70 % load: a fleet at 20 % is as busy as it can be.
    assert kinds(utilization=0.2, most_utilization=0.7 / 3) == ["util_high"]
    assert kinds(utilization=0.18, most_utilization=0.7 / 3) == ["util_low"]


def test_the_people_a_fleet_is_reckoned_with_are_enough() -> None:
    assert kinds(staff_fte=Operations().staff_fte) == []


def test_wishes_batches_and_sellers_come_last() -> None:
    found = rules(
        Situation(
            rent_usd_per_month=1.0, call_usd_per_month=2.0, utilization=0.9, batch_share=0.5, needs_residency=True,
            needs_korean_payment=True, needs_failover=True, place="region", host_count=3,
        ),
        PLAIN,
    )  # fmt: skip

    assert [one.kind for one in found] == [
        "rent_clear", "staff", "util_high", "residency_region", "residency_call", "korean_pay", "failover", "batch",
        "hosts_many",
    ]  # fmt: skip
    assert [one.side for one in found] == [
        "rent", "call", "rent", "rent", "open", "gateway", "gateway", "call", "gateway",
    ]  # fmt: skip


@pytest.mark.parametrize("place", ["market", "no_region", "none"])
def test_machines_of_others_or_of_nowhere_keep_no_data_and_settle_nothing(place: str) -> None:
    assert kinds(needs_residency=True, place=place) == [f"residency_{place}", "residency_call"]
    assert decided(needs_residency=True, place=place, rent_usd_per_month=1.0, call_usd_per_month=2.0) == (
        "open",
        f"residency_{place}",
    )
    # A provider's own machines in a stated region are there, only dearer.
    stays = decided(needs_residency=True, place=place, has_own_machines=True, call_usd_per_month=2.0)
    assert stays == ("open" if place == "none" else "rent", f"residency_{place}")


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        ({}, None), ({"first_token_s": 0.5}, "latency_ok"), ({"first_token_s": 0.49}, "latency_slow"),
        ({"stream_tokens_per_s": 30}, "latency_ok"), ({"stream_tokens_per_s": 30.1}, "latency_slow"),
        ({"first_token_s": 1, "stream_tokens_per_s": 31}, "latency_slow"),
    ],
)  # fmt: skip
def test_a_limit_of_latency_counts_where_one_is_set(limits: dict[str, float], kind: str | None) -> None:
    found = kinds(Thresholds(**limits), first_token_s=0.5, stream_tokens_per_s=30)

    assert found == ([kind] if kind else [])
    assert kinds(Thresholds(first_token_s=0.1)) == []  # nothing is known of the fleet


@pytest.mark.parametrize(
    ("count", "kind"), [(None, "hosts_other"), (0, "hosts_none"), (1, "hosts_one"), (2, "hosts_many")]
)
def test_a_gateway_is_told_what_it_could_choose_from(count: int | None, kind: str) -> None:
    assert rules(Situation(host_count=count, staff_fte=1), PLAIN) == [Rule(kind=kind, side="gateway")]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        ({}, None),
        ({"rent_usd_per_month": 700.0}, ("rent", "rent_clear")),
        ({"rent_usd_per_month": 950.0}, ("call", "rent_close")),
        ({"rent_usd_per_month": 1_500.0}, ("call", "call_clear")),
        ({"rent_usd_per_month": 700.0, "staff_fte": 0.1}, ("call", "staff")),
        ({"rent_usd_per_month": 700.0, "needs_failover": True}, ("rent_gateway", "rent_clear", "failover")),
        ({"rent_usd_per_month": 700.0, "needs_korean_payment": True}, ("gateway", "korean_pay")),
        ({"rent_usd_per_month": 700.0, "staff_fte": 0.1, "needs_failover": True}, ("gateway", "staff", "failover")),
        ({"rent_usd_per_month": 1_500.0, "needs_failover": True}, ("gateway", "call_clear", "failover")),
        ({"rent_usd_per_month": 1_500.0, "needs_korean_payment": True}, ("gateway", "call_clear", "korean_pay")),
        ({"rent_usd_per_month": 1_500.0, "needs_residency": True, "place": "region"}, ("rent", "residency_region")),
    ],
)
def test_one_rule_decides(situation: dict[str, object], expected: tuple[str, ...] | None) -> None:
    call = {"call_usd_per_month": 1_000.0} if situation else {}

    assert decided(**(call | situation)) == expected


def test_users_who_would_wait_too_long_decide_against_a_cheaper_fleet() -> None:
    slow = {"first_token_s": 2.0, "stream_tokens_per_s": 30.0, "rent_usd_per_month": 1.0, "call_usd_per_month": 9.0}

    assert decided(Thresholds(first_token_s=1.0), **slow) == ("call", "latency_slow")


@given(st.floats(0, 1e12), st.floats(0, 1e12))
def test_a_saving_is_a_share_whichever_way_is_named_first(one: float, other: float) -> None:
    assert 0 <= saving_share(one, other) == saving_share(other, one) <= 1
