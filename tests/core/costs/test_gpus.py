"""GPU arithmetic: bills, reservations, memory, distance, ranking and disagreements, with their laws."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.costs.gpu_bills import RentalPlan, Terms, monthly_bill, paid_in, reservation_pays_in_month, siblings
from core.costs.gpu_memory import MemoryNeed, holds, kv_numbers_per_token
from core.costs.gpu_places import country_of, distance_km, place_of, round_trip
from core.costs.gpu_ranking import MEASURES, OfferFilter, cheapest, disagreements, newest, rate, usd_per, vendor_of
from core.costs.gpu_specs import gpu_specs
from core.costs.gpus import GpuOffer, spec_for

TODAY = dt.date(2026, 11, 23)
SPECS = gpu_specs()
PRICES = st.integers(20_000, 25_000_000)


def offer(**changes: Any) -> GpuOffer:
    plain = GpuOffer(
        provider_id="acme", instance_type="one", gpu_model="H100-80GB", gpu_form="SXM", gpu_count=1, gpu_memory_gb=80.0,
        region="us-east-1", country="US", purchase_option="on_demand", commitment_months=0,
        micro_usd_per_hour=2_000_000, as_of=TODAY, as_of_note="", region_confirmed="yes", basis="", source="list",
        licence="",
    )  # fmt: skip
    return replace(plain, **changes)


def test_a_bill_by_hand() -> None:
    # 730 h x 2 x $2 = 2,920; 500 GB x $0.10 = 50; 1,000 GB x $0.09 = 90; 10 % of 3,060 = 306.
    plan = RentalPlan(machine_count=2, storage_gb=500, egress_gb=1_000, egress_usd_per_gb=0.09, tax_share=0.1)

    bill = monthly_bill(offer(), plan, Terms(storage_micro_usd_per_gb_month=100_000, min_topup_micro_usd=100_000_000))

    assert [line.micro_usd for line in bill.lines] == [2_920_000_000, 50_000_000, 90_000_000, 306_000_000]
    assert bill.total_micro_usd == 3_366_000_000
    assert bill.paid_in_micro_usd == 3_400_000_000
    assert bill.is_complete


def test_an_unknown_price_is_no_zero() -> None:
    bill = monthly_bill(offer(), RentalPlan(storage_gb=1), Terms())

    assert bill.lines[1].micro_usd is None
    assert not bill.is_complete


def test_hours_of_each_mode_and_a_reservation_is_paid_around_the_clock() -> None:
    office = RentalPlan(mode="schedule", hours_per_day=10, days_per_week=5)

    assert office.hours_per_month == pytest.approx(50 * 365 / 7 / 12)
    assert RentalPlan(mode="schedule", hours_per_day=24, days_per_week=7).hours_per_month == pytest.approx(730)
    assert RentalPlan(mode="utilization", utilization=0.25).hours_per_month == 182.5
    reserved = offer(purchase_option="reserved", commitment_months=12)
    assert monthly_bill(reserved, office, Terms()).total_micro_usd == 730 * 2_000_000


@pytest.mark.parametrize("field", ["hours_per_day", "utilization", "tax_share", "storage_gb", "egress_usd_per_gb"])
@pytest.mark.parametrize("value", [-1, 1e12, float("nan"), float("inf")])
def test_a_plan_out_of_range_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        RentalPlan(**{field: value})  # type: ignore[arg-type]  # one field at a time


@given(PRICES, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=80)
def test_more_hours_or_tax_never_cost_less(price: int, low: float, high: float, tax: float) -> None:
    low, high = sorted((low, high))
    one = offer(micro_usd_per_hour=price)

    def total(share: float, tax_share: float) -> int:
        plan = RentalPlan(mode="utilization", utilization=share, tax_share=tax_share)
        return monthly_bill(one, plan, Terms()).total_micro_usd

    assert total(low, 0) <= total(high, 0) <= total(high, tax)


@given(st.integers(0, 10**12), st.integers(1, 10**9))
def test_whole_topups_cover_the_total_by_less_than_one_more(total: int, topup: int) -> None:
    paid = paid_in(total, topup)

    assert paid % topup == 0
    assert 0 <= paid - total < topup


def test_a_reservation_by_hand() -> None:
    # 12 months at $600 owe $7,200; on demand at $1,000 a month has cost that in month 8 (8,000), not 7.
    assert reservation_pays_in_month(1_000, 600, 12) == 8
    assert reservation_pays_in_month(1_000, 1_000, 12) == 12
    assert reservation_pays_in_month(1_000, 1_001, 12) is None
    assert reservation_pays_in_month(0, 600, 12) is None


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.sampled_from([12, 36]))
def test_the_month_a_reservation_pays_is_the_first(on_demand: int, reserved: int, months: int) -> None:
    month = reservation_pays_in_month(on_demand, reserved, months)

    if month is None:
        assert on_demand * months < reserved * months
    else:
        assert on_demand * month >= reserved * months
        assert month == 1 or on_demand * (month - 1) < reserved * months


def test_siblings_are_the_same_machine_of_the_same_source() -> None:
    spot = offer(purchase_option="spot", micro_usd_per_hour=1)
    others = [offer(region="eu-west-1"), offer(source="other", purchase_option="spot"), offer(gpu_count=8)]

    assert siblings(offer(), [*others, spot, offer()]) == [offer(), spot]


def test_70b_at_fp8_with_8k_context_by_hand() -> None:
    need = MemoryNeed(parameters_billions=70.6, precision="fp8", context_tokens=8_192)

    # 163,840 numbers a token x 2 bytes x 8,192 tokens = 2.684 GB.
    assert need.weights_gb == pytest.approx(70.6)
    assert need.kv_cache_gb == pytest.approx(2.684, abs=0.001)
    assert need.total_gb(2) == pytest.approx(76.284, abs=0.001)
    assert not holds(offer(), need)
    assert holds(offer(gpu_count=2), need)
    assert not holds(offer(gpu_memory_gb=None), need)


@given(st.floats(0.02, 9_000), st.floats(1, 1.2))
def test_a_larger_model_never_needs_less(size: float, factor: float) -> None:
    assert kv_numbers_per_token(size * factor) >= kv_numbers_per_token(size) * 0.999_999


@pytest.mark.parametrize("changes", [{"parameters_billions": 0}, {"context_tokens": 0}, {"sequence_count": 10**9}])
def test_a_need_out_of_range_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        MemoryNeed(**({"parameters_billions": 7} | changes))


@pytest.mark.parametrize(
    ("region", "country"),
    [("ap-northeast-2", "KR"), ("Texas, US, NA", "US"), ("FIN-03", "FI"), ("IN2", "IN"), (", CN, AS", "CN"),
     ("JP", "JP"), ("US-1", "US"), ("moon", None), (None, None), ("", None)],
)  # fmt: skip
def test_a_region_names_its_country_or_nothing(region: str | None, country: str | None) -> None:
    assert country_of(region) == country


def test_distances_and_round_trips_are_plausible_and_ordered() -> None:
    seoul, tokyo, virginia = (place_of(one, None) for one in ("ap-northeast-2", "asia-northeast1", "us-east-1"))

    assert seoul is not None
    assert tokyo is not None
    assert virginia is not None
    assert distance_km((37.57, 126.98), (35.7, 139.7)) == pytest.approx(1_160, rel=0.02)
    assert round_trip(seoul).likely_ms == pytest.approx(4)
    assert 15 < round_trip(tokyo).likely_ms < 40
    assert 150 < round_trip(virginia).likely_ms < 230
    assert round_trip(virginia).low_ms < round_trip(virginia).likely_ms < round_trip(virginia).high_ms
    assert place_of("nowhere", None) is None
    assert place_of("nowhere", "KR") is not None


def test_prices_per_unit_by_hand_and_unknown_stays_unknown() -> None:
    spec = spec_for(dict(SPECS), "H100-80GB", "SXM")

    assert usd_per(offer(gpu_count=2), "gpu_hour", spec) == 1.0
    assert usd_per(offer(gpu_count=2), "instance_hour", spec) == 2.0
    assert usd_per(offer(), "memory", spec) == pytest.approx(2 / 80)
    assert usd_per(offer(), "bf16", spec) == pytest.approx(2 / 989)
    assert usd_per(offer(), "fp8", spec) == pytest.approx(2 / 1978)
    assert usd_per(offer(), "measured", spec) == pytest.approx(2 / 794.5)
    assert usd_per(offer(gpu_memory_gb=None), "memory", spec) is None
    assert usd_per(offer(), "bf16", None) is None


def test_the_order_is_ranking_dated_undated_then_what_never_ranks() -> None:
    dated, undated = offer(micro_usd_per_hour=3_000_000), offer(as_of=None, micro_usd_per_hour=1_000_000)
    stale = offer(as_of=TODAY - dt.timedelta(days=91), micro_usd_per_hour=500_000)
    not_sold = offer(region_confirmed="no", micro_usd_per_hour=100_000)

    rated = rate([not_sold, stale, undated, dated], OfferFilter(), specs=SPECS, today=TODAY)

    assert [one.offer for one in rated] == [dated, undated, not_sold, stale]
    assert [one.ranks for one in rated] == [True, True, False, False]
    with_stale = rate([not_sold, stale, dated], OfferFilter(), specs=SPECS, today=TODAY, with_stale=True)
    assert with_stale[0].offer == stale
    assert cheapest(rate([not_sold], OfferFilter(), specs=SPECS, today=TODAY, with_stale=True)) is None


@given(st.lists(st.tuples(PRICES, st.sampled_from(["yes", "no", "list"]), st.integers(0, 200)), max_size=12),
       st.sampled_from(MEASURES))  # fmt: skip
@settings(max_examples=80)
def test_the_cheapest_is_cheapest_among_those_that_may_rank(rows: list[tuple[int, Any, int]], measure: Any) -> None:
    offers = [
        offer(micro_usd_per_hour=price, region_confirmed=sold, as_of=TODAY - dt.timedelta(days=age))
        for price, sold, age in rows
    ]

    best = cheapest(rate(offers, OfferFilter(), specs=SPECS, today=TODAY, measure=measure))

    allowed = [price for price, sold, age in rows if sold != "no" and age <= 90]
    assert (best.offer.micro_usd_per_hour if best else None) == min(allowed, default=None)


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (OfferFilter(gpu_models=["L4"]), False), (OfferFilter(gpu_models=["H100-80GB"]), True),
        (OfferFilter(vendors=["AMD"]), False), (OfferFilter(vendors=["NVIDIA"]), True),
        (OfferFilter(gpu_forms=["PCIe"]), False), (OfferFilter(providers=["acme"]), True),
        (OfferFilter(countries=["KR"]), False), (OfferFilter(regions=["us-east-1"]), True),
        (OfferFilter(purchase_options=["spot"]), False), (OfferFilter(min_gpu_count=2), False),
        (OfferFilter(max_gpu_count=1), True), (OfferFilter(min_memory_gb=81), False),
        (OfferFilter(confirmed_only=True), True),
    ],
)  # fmt: skip
def test_each_filter_asks_what_it_says(wanted: OfferFilter, matches: bool) -> None:
    assert wanted.matches(offer()) is matches


def test_of_equal_prices_per_gpu_the_machine_with_fewer_gpus_comes_first() -> None:
    eight = offer(gpu_count=8, micro_usd_per_hour=68_800_000)
    one = offer(gpu_count=1, micro_usd_per_hour=8_600_001)

    rated = rate([eight, one], OfferFilter(), specs=gpu_specs(), today=TODAY)
    assert [found.offer.gpu_count for found in rated] == [1, 8]


def test_newest_keeps_the_latest_source_of_the_same_thing() -> None:
    old, new = offer(as_of=TODAY - dt.timedelta(days=300)), offer(source="b")

    assert newest([old, new, offer(as_of=None)]) == [new]


def test_sources_disagree_beyond_two_percent_only() -> None:
    near = [offer(), offer(source="b", micro_usd_per_hour=2_039_000)]
    far = [offer(gpu_model="L4"), offer(gpu_model="L4", source="b", micro_usd_per_hour=2_200_000)]

    (found,) = disagreements([*near, *far])

    assert found.share == pytest.approx(0.1)
    assert [one.source for one in found.offers] == ["list", "b"]


def test_makers_are_told_by_name() -> None:
    assert [vendor_of(name) for name in ("MI300X", "H100-80GB", "Gaudi 3")] == ["AMD", "NVIDIA", "Intel"]
