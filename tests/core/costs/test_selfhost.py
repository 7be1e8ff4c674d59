"""Fleets are whole, costs are complete, and a crossing really gives equal costs."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.costs.gpu_specs import gpu_spec
from core.costs.gpus import GpuOffer, PurchaseOption
from core.costs.model_shapes import model_shape
from core.costs.selfhost import (
    LINES,
    Machine,
    Operations,
    columns_of,
    fleet_for,
    monthly_cost_usd,
    naive_break_even_requests,
)
from core.costs.selfhost_break_even import break_even, cheapest_break_even, cheapest_usd, frontier
from core.costs.selfhost_options import fleet_options
from core.costs.selfhost_ranking import cheapest_dated, machine_of, rank_offers, replica_estimates, undated_below
from core.costs.selfhost_replicas import OwnSpeed, gpus_to_hold, largest_replica
from core.costs.selfhost_terms import SpotAloneError
from core.costs.selfhost_tornado import tornado
from core.workload import Workload

MACHINE = Machine(
    name="8 x H100", gpu_model="H100-80GB", gpu_count=8, on_demand_usd_per_hour=20.0, gpus_per_replica=2,
    tokens_per_s_per_replica=1_000.0,
)  # fmt: skip
BARE = Operations(
    load_factor=0.5, redundancy=0, storage_gb=0, egress_kb_per_request=0, observability_usd_per_month=0, staff_fte=0,
    cold_starts_per_month=0,
)  # fmt: skip
LOAD = Workload(requests_per_month=2_628_000, input_tokens=500, output_tokens=500, peak_to_average=2.0)


def test_a_fleet_worked_out_by_hand() -> None:
    # 2,628,000 requests x 500 tokens / (730 x 3600 s) = 500 tokens/s, peak 1,000; a replica gives 1,000 x 0.5 = 500.
    # 2 replicas x 2 GPUs fit one machine of 8: 730 h x 20 USD = 14,600 USD; 2,628 Mtok -> 5.5556 USD per Mtok.
    fleet = fleet_for(MACHINE, LOAD, BARE)

    assert (fleet.replica_count, fleet.machine_count, fleet.gpu_count) == (2, 1, 8)
    assert fleet.peak_tokens_per_s == pytest.approx(1_000)
    assert fleet.tco_usd_per_month == pytest.approx(14_600)
    assert fleet.usd_per_mtok == pytest.approx(14_600 / 2_628)
    # Half a replica of 2 GPUs is busy, of 8 GPUs that are paid for.
    assert fleet.utilization == pytest.approx(0.125)


def test_utilization_counts_every_paid_hour() -> None:
    # Half a replica (1 GPU) is busy in 365 scheduled hours; half of 1 machine of 8 GPUs is reserved for all 730 hours,
    # half is paid 365: 365 / (8 x (365 + 182.5)) = 0.0833.
    machine = replace(MACHINE, reserved_usd_per_hour=10.0)
    run = replace(BARE, hours_per_month=365, reserved_share=0.5)
    fleet = fleet_for(machine, replace(LOAD, requests_per_month=1_314_000), run)

    assert fleet.utilization == pytest.approx(365 / (8 * 547.5))


def test_a_reservation_is_paid_all_hours_and_not_switched_off() -> None:
    # Peak 4 x 500 tokens/s: 4 replicas of a machine each, the mean needs 1. A schedule of 365 hours, autoscaled in
    # full: 1 machine runs. Half of the 4 machines is reserved: 2 x 730 h x 10 USD = 14,600, and no other is needed.
    machine = replace(MACHINE, gpu_count=2, reserved_usd_per_hour=10.0)
    load = replace(LOAD, requests_per_month=1_314_000, peak_to_average=4.0)
    run = replace(BARE, hours_per_month=365, autoscale_share=1.0)

    def gpus(operations: Operations) -> float:
        return fleet_for(machine, load, operations).lines_usd["gpus"]

    assert gpus(run) == pytest.approx(1 * 365 * 20)
    assert gpus(replace(run, reserved_share=0.5)) == pytest.approx(2 * 730 * 10)
    assert gpus(replace(run, reserved_share=1.0)) == pytest.approx(4 * 730 * 10)


def test_prompts_without_a_reply_take_capacity_too() -> None:
    # 2,628,000,000 requests of one token at least: 1,000 tokens/s on average, peak 2,000, 500 a replica: 4 replicas.
    fleet = fleet_for(MACHINE, replace(LOAD, requests_per_month=2_628_000_000, output_tokens=0), BARE)

    assert fleet.replica_count == 4


def offer(option: PurchaseOption = "on_demand", usd: float = 20.0, gpu: str = "H100-80GB", gpus: int = 8) -> GpuOffer:
    return GpuOffer(
        provider_id="p", instance_type=f"{gpus}x", gpu_model=gpu, gpu_form="SXM", gpu_count=gpus, gpu_memory_gb=None,
        region=None, country=None, purchase_option=option, commitment_months=0, micro_usd_per_hour=round(usd * 1e6),
        as_of=None, as_of_note="", region_confirmed="unknown", basis="", source="", licence="",
    )  # fmt: skip


BUSY = Workload(requests_per_month=5_000_000)


@pytest.mark.parametrize("model", ["llama-3.3-70b", "qwen3-235b-a22b", "llama-3.1-8b", "gpt-oss-120b"])
@pytest.mark.parametrize("gpu", ["H100-80GB", "A100-80GB", "H200"])
def test_an_offer_is_ranked_with_the_replicas_that_cost_least(model: str, gpu: str) -> None:
    found = rank_offers([offer(gpu=gpu)], model, BUSY, Operations())[0]
    sizes = replica_estimates(model_shape(model), gpu, "SXM", 8, "fp8", BUSY.input_tokens, BUSY.output_tokens)
    costs = [fleet_for(machine_of(offer(gpu=gpu), one), BUSY, Operations()).tco_usd_per_month for one in sizes]

    assert len(sizes) > 1
    assert found.fleet.tco_usd_per_month == pytest.approx(min(costs))


def test_a_spot_offer_pays_for_interruptions_and_needs_a_spare_replica() -> None:
    plain, spot = (rank_offers([offer(one)], "llama-3.1-8b", BUSY, Operations())[0] for one in ("on_demand", "spot"))

    # A tenth of the work is repeated: the same hours cost 1 / 0.9.
    assert spot.fleet.lines_usd["gpus"] == pytest.approx(plain.fleet.lines_usd["gpus"] / 0.9)
    with pytest.raises(SpotAloneError, match=r"redundancy is 0 with spot only: .*, give at least 1"):
        rank_offers([offer("spot")], "llama-3.1-8b", BUSY, Operations(redundancy=0))
    left = rank_offers([offer("spot"), offer()], "llama-3.1-8b", BUSY, Operations(redundancy=0))
    assert [one.offer.purchase_option for one in left] == ["on_demand"]


def test_a_reserved_offer_is_paid_all_hours() -> None:
    found = rank_offers([offer("reserved")], "llama-3.1-8b", BUSY, Operations(hours_per_month=100))[0]

    assert found.fleet.lines_usd["gpus"] == pytest.approx(found.fleet.machine_count * 730 * 20)


def test_a_mix_takes_the_prices_of_the_same_machine() -> None:
    others = [offer("reserved", 12.0), offer("spot", 9.0), offer("spot", 1.0, gpus=4)]
    mix = Operations(reserved_share=0.5, spot_share=0.25)
    found = rank_offers([offer()], "llama-3.1-8b", BUSY, mix, siblings=others)[0]

    mean = 0.25 * 20 + 0.5 * 12 + 0.25 * 9 / 0.9
    assert found.fleet.lines_usd["gpus"] == pytest.approx(found.fleet.machine_count * 730 * mean)


def test_every_line_of_the_monthly_cost_by_hand() -> None:
    operations = Operations(
        load_factor=0.5, redundancy=1, storage_gb=100, storage_usd_per_gb_month=0.1, egress_kb_per_request=10,
        egress_usd_per_gb=0.1, observability_usd_per_month=50, staff_fte=0.5, salary_usd_per_year=120_000,
        cold_starts_per_month=6, cold_start_minutes=10,
    )  # fmt: skip
    lines = fleet_for(MACHINE, LOAD, operations).lines_usd

    assert tuple(lines) == LINES
    assert lines["gpus"] == pytest.approx(14_600)
    assert lines["cold_starts"] == pytest.approx(20)  # one hour of one machine
    assert lines["storage"] == pytest.approx(10)
    assert lines["egress"] == pytest.approx(2.628)  # 26.28 GB
    assert lines["observability"] == 50
    assert lines["staff"] == pytest.approx(5_000)


def test_a_retried_request_costs_what_another_request_costs() -> None:
    volume, operations = np.array([40_000.0, 4e6]), Operations(egress_kb_per_request=10_000)
    retried = monthly_cost_usd(MACHINE, replace(LOAD, retry_share=0.5), operations, volume)

    assert retried == pytest.approx(monthly_cost_usd(MACHINE, LOAD, operations, volume * 1.5))
    found = break_even(MACHINE, replace(LOAD, retry_share=0.5), operations, api_usd_per_request=0.02).lasting
    plain = break_even(MACHINE, LOAD, operations, api_usd_per_request=0.02).lasting
    assert found
    assert plain
    assert found.requests_per_month * 1.5 == pytest.approx(plain.requests_per_month)


def test_a_replica_larger_than_a_machine_takes_whole_machines() -> None:
    machine = replace(MACHINE, gpu_count=8, gpus_per_replica=12)

    assert machine.machines_per_replica == 2
    assert fleet_for(machine, LOAD, BARE).machine_count == 4


def test_the_purchase_mix_is_a_weighted_price_and_spot_pays_for_repeated_work() -> None:
    machine = replace(MACHINE, reserved_usd_per_hour=12.0, spot_usd_per_hour=9.0)
    mix = replace(BARE, redundancy=1, reserved_share=0.5, spot_share=0.25, interruption_share=0.1)
    fleet = fleet_for(machine, LOAD, mix)

    assert fleet.machine_count == 1
    assert fleet.lines_usd["gpus"] == pytest.approx(730 * (0.25 * 20 + 0.5 * 12 + 0.25 * 10))


def test_a_share_without_an_offer_is_paid_on_demand() -> None:
    mix = replace(BARE, redundancy=1, reserved_share=0.5, spot_share=0.25)

    assert fleet_for(MACHINE, LOAD, mix).lines_usd["gpus"] == pytest.approx(14_600)


def test_the_crossing_gives_equal_costs_within_one_step() -> None:
    found = break_even(MACHINE, LOAD, Operations(), api_usd_per_request=0.01)

    assert found.crossings
    for crossing in found.crossings:
        volume = np.array([crossing.requests_per_month * (1 - 1e-9), crossing.requests_per_month])
        gap = monthly_cost_usd(MACHINE, LOAD, Operations(), volume) - 0.01 * volume
        assert gap[1] <= 0 if crossing.to == "rent" else gap[1] > 0
        assert gap[0] >= -1e-6 if crossing.to == "rent" else gap[0] <= 1e-6


def test_steps_can_cross_a_line_more_than_once() -> None:
    # A machine of one replica costs 14,600 a month and holds 1,314,000 requests at 500 tokens/s peak 2 x mean 250.
    machine = replace(MACHINE, gpu_count=2)
    found = break_even(machine, LOAD, BARE, api_usd_per_request=14_600 / 1_314_000 * 1.2)

    assert [crossing.to for crossing in found.crossings[:3]] == ["rent", "call", "rent"]
    assert found.lasting is not None


@pytest.mark.parametrize("ratio", [1.01, 1.05, 1.2, 2.0, 5.0])
@pytest.mark.parametrize("autoscale_share", [0.0, 0.5])
@pytest.mark.parametrize("gpus", [2, 8])
def test_no_pair_of_crossings_is_missed(ratio: float, autoscale_share: float, gpus: int) -> None:
    machine, run = replace(MACHINE, gpu_count=gpus), replace(Operations(), autoscale_share=autoscale_share)
    far = monthly_cost_usd(machine, LOAD, run, np.array([1e12, 2e12]))
    price = float(far[1] - far[0]) / 1e12 * ratio
    found = break_even(machine, LOAD, run, price)
    # Between steps cost rises by the traffic alone, so both sides of every step say all. A replica holds 500 tokens/s
    # at 0.7 load and peak 2: 1,839,600 requests a month for the peak, twice that for the mean.
    step = 1_000 * 0.7 * 730 * 3600 / (500 * 2)
    edges = np.arange(1, 5_000) * step
    sides = np.sort(np.concatenate([[1e3], edges * (1 - 1e-9), edges * (1 + 1e-6)]))
    rents = monthly_cost_usd(machine, LOAD, run, sides) <= price * sides
    changes = np.flatnonzero(rents[1:] != rents[:-1])

    assert [one.to for one in found.crossings] == ["rent" if rents[place + 1] else "call" for place in changes]
    for one, place in zip(found.crossings, changes, strict=True):
        assert sides[place] * (1 - 1e-6) <= one.requests_per_month <= sides[place + 1] * (1 + 1e-6)
    assert found.lasting is not None


@pytest.mark.parametrize("price", [-1.0, float("nan"), float("inf"), None, "1"])
def test_a_price_that_is_none_is_refused_by_name(price: Any) -> None:
    with pytest.raises(ValueError, match="api_usd_per_request is"):
        break_even(MACHINE, LOAD, Operations(), price)


def test_against_a_cheap_api_renting_never_pays_and_says_why() -> None:
    found = break_even(MACHINE, LOAD, Operations(), api_usd_per_request=1e-6)

    assert (found.always, found.never) == ("call", "machines_cost_more_per_request")
    assert naive_break_even_requests(MACHINE, LOAD, 1e-6) == pytest.approx(3.65e9)


def test_counting_everything_breaks_even_three_to_four_times_later_than_the_naive_division() -> None:
    machine = Machine(
        name="2 x H100", gpu_model="H100-80GB", gpu_count=2, on_demand_usd_per_hour=6.0, gpus_per_replica=2,
        tokens_per_s_per_replica=1_500.0,
    )  # fmt: skip
    workload = Workload(input_tokens=1_500, output_tokens=500)
    naive = naive_break_even_requests(machine, workload, 0.007)
    true = break_even(machine, workload, Operations(staff_fte=0.5), 0.007).lasting

    assert naive is not None
    assert true is not None
    assert 2.5 <= true.requests_per_month / naive <= 4.5


@settings(max_examples=60)
@given(st.floats(0.1, 100), st.floats(1.01, 3), st.integers(1_000, 10**9))
def test_a_cheaper_machine_never_raises_the_cost(usd_per_hour: float, factor: float, requests: int) -> None:
    volume = np.array([float(requests)])
    cheap = replace(MACHINE, on_demand_usd_per_hour=usd_per_hour)
    dear = replace(MACHINE, on_demand_usd_per_hour=usd_per_hour * factor)

    assert monthly_cost_usd(cheap, LOAD, BARE, volume)[0] <= monthly_cost_usd(dear, LOAD, BARE, volume)[0]


@settings(max_examples=60)
@given(st.lists(st.floats(1e3, 1e10), min_size=2, max_size=20))
def test_more_requests_never_cost_less(volumes: list[float]) -> None:
    cost = monthly_cost_usd(MACHINE, LOAD, Operations(), np.array(sorted(volumes)))

    assert (np.diff(cost) >= -1e-6).all()


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("load_factor", {"load_factor": 0}),
        ("redundancy", {"redundancy": 0, "spot_share": 1.0}),
        ("redundancy", {"redundancy": 0.5}),
        ("load_factor", {"load_factor": None}),
        ("reserved_share", {"reserved_share": 0.8, "spot_share": 0.5}),
        ("hours_per_month", {"hours_per_month": 800}),
        ("staff_fte", {"staff_fte": -1}),
    ],
)
def test_an_impossible_plan_is_refused_by_name(field: str, values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=field):
        Operations(**values)  # type: ignore[arg-type]


def test_the_tornado_is_sorted_by_how_far_the_cost_moves() -> None:
    swings = tornado(MACHINE, LOAD, Operations(), 0.01)
    widths = [abs(swing.high_usd - swing.low_usd) for swing in swings]

    assert widths == sorted(widths, reverse=True)
    assert {"staff", "gpu_price", "throughput", "output_length"} <= {swing.name for swing in swings}


def test_other_lengths_are_billed_and_served_as_they_are() -> None:
    # Input costs 10 and output 40 micro-USD a token; prompts twice as long make the machine a fifth slower.
    def price(load: Workload) -> float:
        return (load.input_tokens + 4 * load.output_tokens) / 1e5

    def speed(load: Workload) -> float:
        return 80.0 if load.input_tokens > LOAD.input_tokens else 100.0

    swings = {one.name: one for one in tornado(MACHINE, LOAD, BARE, price, speed)}
    longer = replace(LOAD, input_tokens=1_000)
    slower = replace(MACHINE, tokens_per_s_per_replica=800.0)
    lasting = break_even(slower, longer, BARE, price(longer)).lasting

    assert lasting is not None
    assert swings["input_length"].high_break_even_mtok == pytest.approx(lasting.mtok_per_month)
    assert (
        swings["output_length"].high_usd
        == fleet_for(MACHINE, replace(LOAD, output_tokens=1_000), BARE).tco_usd_per_month
    )


def test_the_swing_of_the_gpu_price_moves_reserved_and_spot_prices_too() -> None:
    machine = replace(MACHINE, reserved_usd_per_hour=10.0)
    swing = next(
        one for one in tornado(machine, LOAD, replace(BARE, reserved_share=1.0), 0.01) if one.name == "gpu_price"
    )

    assert (swing.low_usd, swing.high_usd) == (pytest.approx(730 * 7), pytest.approx(730 * 13))


def test_an_input_that_does_not_fit_when_doubled_is_left_out_of_the_tornado() -> None:
    swings = tornado(MACHINE, LOAD, BARE, 0.01, lambda load: None if load.input_tokens > 500 else 1.0)

    assert "input_length" not in {one.name for one in swings}


SMALL = replace(MACHINE, name="small", gpu_count=1, gpus_per_replica=1, on_demand_usd_per_hour=0.5,
                tokens_per_s_per_replica=20.0)  # fmt: skip


def test_the_break_even_is_that_of_the_cheapest_machine_at_each_volume() -> None:
    # A request costs 500 tokens. Peak is twice the mean: a small machine (20 tokens/s at 0.5 load) holds 26,280
    # requests for 365 USD a month, 0.01389 each; the large one 2,628,000 for 14,600, 0.00556 each.
    columns = columns_of([SMALL, replace(MACHINE, gpus_per_replica=4, tokens_per_s_per_replica=1_000.0)], BARE)
    alone = break_even(SMALL, LOAD, BARE, 0.008)
    found = cheapest_break_even(columns, LOAD, BARE, 0.008)

    assert alone.never == "machines_cost_more_per_request"
    first = found.crossings[0]
    assert (first.to, first.choice) == ("rent", 1)
    assert first.requests_per_month == pytest.approx(14_600 / 0.008)
    assert found.lasting is not None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.1, 50), st.floats(5, 5_000), st.sampled_from([1, 2, 4, 8]), st.sampled_from([1, 2, 4])),
        min_size=1, max_size=6,
    ),
    st.floats(0.0005, 0.05), st.sampled_from([0.0, 0.5]), st.sampled_from([0, 1]),
)  # fmt: skip
def test_crossings_of_many_machines_are_those_of_their_lower_envelope(
    rows: list[tuple[float, float, int, int]], price: float, autoscale_share: float, redundancy: int
) -> None:
    machines = [
        replace(
            MACHINE, on_demand_usd_per_hour=usd, tokens_per_s_per_replica=speed, gpu_count=max(gpus, size),
            gpus_per_replica=size,
        )
        for usd, speed, gpus, size in rows
    ]  # fmt: skip
    run = replace(BARE, autoscale_share=autoscale_share, redundancy=redundancy, staff_fte=0.1)
    found = cheapest_break_even(columns_of(machines, run), LOAD, run, price)
    volume = np.geomspace(1e3, 1e10, 1_500)
    envelope = np.min([monthly_cost_usd(one, LOAD, run, volume) for one in machines], axis=0)
    edges = [one.requests_per_month for one in found.crossings]
    is_far = np.array([all(abs(each / edge - 1) > 1e-6 for edge in edges) for each in volume])
    counted = np.searchsorted(edges, volume)
    first = found.crossings[0].to == "call" if found.crossings else found.always == "rent"

    assert ((envelope <= price * volume) == (first ^ (counted % 2 == 1)))[is_far].all()


def test_no_machine_that_can_be_the_cheapest_is_left_out() -> None:
    draw = np.random.default_rng(3)
    machines = [
        replace(
            MACHINE, on_demand_usd_per_hour=float(usd), tokens_per_s_per_replica=float(speed), gpu_count=int(gpus),
            gpus_per_replica=1,
        )
        for usd, speed, gpus in zip(
            draw.uniform(1, 9, 60).round(1), draw.uniform(100, 900, 60).round(-1), draw.integers(1, 9, 60), strict=True
        )
    ]  # fmt: skip
    columns, volume = columns_of(machines, Operations()), np.geomspace(1e4, 1e9, 400)
    every = np.min([monthly_cost_usd(one, LOAD, Operations(), volume) for one in machines], axis=0)
    usd, choices = cheapest_usd(columns, LOAD, Operations(), volume)

    assert len(frontier(columns)) < 30
    assert usd == pytest.approx(every)
    at = np.array([volume[200]])
    assert monthly_cost_usd(machines[choices[200]], LOAD, Operations(), at)[0] == pytest.approx(every[200])


def per_gpu(usd: float, gpu: str = "H100-80GB") -> GpuOffer:
    return replace(offer(usd=usd, gpu=gpu, gpus=1), instance_type=f"cheapest:{gpu}")


def test_a_price_per_gpu_buys_a_machine_as_large_as_the_replica() -> None:
    # One H100 holds the model badly: pairs cost a quarter at this volume, and a stated pair at the price of two shows
    # the same bill.
    single = rank_offers([offer(usd=1.9, gpus=1)], "llama-3.3-70b", BUSY, Operations())[0]
    found = rank_offers([per_gpu(1.9)], "llama-3.3-70b", BUSY, Operations())[0]
    pair = rank_offers([offer(usd=3.8, gpus=2)], "llama-3.3-70b", BUSY, Operations())[0]

    assert found.fleet.machine.gpu_count == 2
    assert found.fleet.machine.on_demand_usd_per_hour == pytest.approx(3.8)
    assert found.fleet.tco_usd_per_month == pytest.approx(pair.fleet.tco_usd_per_month)
    assert found.fleet.tco_usd_per_month < single.fleet.tco_usd_per_month / 3
    sizes = set(fleet_options([per_gpu(1.9)], "llama-3.1-8b", BUSY, Operations()).columns.gpus.tolist())
    assert sizes == {1.0, 2.0, 4.0, 8.0}


def test_offers_are_sorted_by_cost_and_the_cheapest_is_dated() -> None:
    day = dt.date(2026, 11, 1)
    cheap, dear = offer(usd=10.0), replace(offer(usd=20.0), as_of=day)
    found = rank_offers([dear, cheap], "llama-3.3-70b", BUSY, Operations(), today=day)
    best = cheapest_dated(found)

    assert [one.offer for one in found] == [cheap, dear]
    assert best is not None
    assert best.offer == dear
    assert [one.offer for one in undated_below(found)] == [cheap]
    assert cheapest_dated(found[:1]) == found[0]
    assert undated_below(found[:1]) == []


def test_a_measurement_is_every_replica_of_its_gpu_and_of_no_other() -> None:
    own = OwnSpeed(gpu_model="H100-80GB", gpus_per_replica=2, tokens_per_s=100.0)
    offers = [offer(usd=2.5, gpus=1), offer(usd=5.0, gpus=2), offer(usd=20.0), per_gpu(2.5), offer(usd=9, gpu="H200")]
    plain = rank_offers(offers, "llama-3.3-70b", BUSY, Operations())
    found = rank_offers(offers, "llama-3.3-70b", BUSY, Operations(), own=own)
    measured = [one for one in found if one.offer.gpu_model == "H100-80GB"]

    assert len(measured) == 3  # one GPU is too few for what was measured
    assert {(one.estimate.output_tokens_per_s, one.estimate.gpus_per_replica) for one in measured} == {(100.0, 2)}
    others = [[one for one in each if one.offer.gpu_model == "H200"] for each in (plain, found)]
    assert others[0] == others[1]


@pytest.mark.parametrize(
    ("gpu", "form", "count", "most"),
    [("RTX 5090", "PCIe", 16, 8), ("A100-40GB", "SXM", 16, 16), ("MI300X", "OAM", 8, 8), ("A40", "PCIe", 10, 8)],
)
def test_a_replica_takes_more_than_eight_gpus_only_over_a_fabric(gpu: str, form: str, count: int, most: int) -> None:
    assert largest_replica(gpu_spec(gpu, form), count) == most
    sizes = replica_estimates(model_shape("llama-3.1-8b"), gpu, form, count, "fp8", 1_000, 500)
    assert max(one.gpus_per_replica for one in sizes) == most


def test_a_gpu_that_runs_no_fp8_is_not_offered_for_it() -> None:
    volta, ampere = (offer(gpu=gpu) for gpu in ("V100-32GB", "A100-80GB"))

    assert rank_offers([volta], "llama-3.1-8b", BUSY, Operations(), precision="fp8") == []
    assert rank_offers([volta], "llama-3.1-8b", BUSY, Operations(), precision="fp16")
    assert rank_offers([ampere], "llama-3.1-8b", BUSY, Operations())[0].estimate.computed_in == "fp16"


def test_what_would_hold_a_model_is_a_number_of_gpus() -> None:
    # 1,026 GB of weights: 8 x 180 GB x 0.9 = 1,296 hold them, 4 do not; 8 x H200 hold 1,015.
    kimi = model_shape("kimi-k2")

    assert gpus_to_hold(kimi, "B200", "fp8", 1_500, 500) == 8
    assert gpus_to_hold(kimi, "H200", "fp8", 1_500, 500) == 16
    assert gpus_to_hold(kimi, "RTX 5090", "fp8", 1_500, 500) is None
    assert gpus_to_hold(kimi, "V100-32GB", "fp8", 1_500, 500) is None


def test_the_tornado_takes_its_break_evens_from_the_cheapest_machines_or_leaves_them_out() -> None:
    plain = tornado(MACHINE, LOAD, BARE, 0.01, with_break_even=False)
    cheap = replace(MACHINE, on_demand_usd_per_hour=10.0)
    found = tornado(MACHINE, LOAD, BARE, 0.01, machines_for=lambda _: columns_of([MACHINE, cheap], BARE))
    price = next(one for one in found if one.name == "gpu_price")
    lasting = break_even(cheap.at_prices_times(0.7), LOAD, BARE, 0.01).lasting

    assert all(one.low_break_even_mtok is None for one in plain)
    assert lasting is not None
    assert price.low_break_even_mtok == pytest.approx(lasting.mtok_per_month)
    assert price.low_usd == pytest.approx(14_600 * 0.7)
