"""Rules between renting, calling and a gateway: each turns at its threshold and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.costs.selfhost_verdict import Situation, Thresholds, rules, saving_share

PLAIN = Thresholds()
SETTLED = {"staff_fte": 1.0}


def kinds(thresholds: Thresholds = PLAIN, **situation: object) -> list[str]:
    return [one.kind for one in rules(Situation(**(SETTLED | situation)), thresholds)]  # type: ignore[arg-type]  # free keywords


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
    assert kinds(staff_fte=0.4) == ["staff"]
    assert kinds(utilization=0.29) == ["util_low"]
    assert kinds(utilization=0.3) == ["util_high"]
    assert kinds(Thresholds(utilization=0.5), utilization=0.3) == ["util_low"]


def test_wishes_and_batches_come_last() -> None:
    found = rules(
        Situation(
            rent_usd_per_month=1.0, call_usd_per_month=2.0, utilization=0.9, batch_share=0.5, needs_residency=True,
            needs_korean_payment=True, needs_failover=True,
        ),
        PLAIN,
    )  # fmt: skip

    assert [one.kind for one in found] == [
        "rent_clear", "staff", "util_high", "residency", "korean_pay", "failover", "batch",
    ]  # fmt: skip
    assert [one.side for one in found] == ["rent", "call", "rent", "rent", "gateway", "gateway", "call"]


@given(st.floats(0, 1e12), st.floats(0, 1e12))
def test_a_saving_is_a_share_whichever_way_is_named_first(one: float, other: float) -> None:
    assert 0 <= saving_share(one, other) == saving_share(other, one) <= 1
