"""Fleets are whole, costs are complete, and a crossing really gives equal costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.costs.gpus import GpuOffer, PurchaseOption
from core.costs.model_shapes import model_shape
from core.costs.selfhost import LINES, Machine, Operations, fleet_for, monthly_cost_usd, naive_break_even_requests
from core.costs.selfhost_break_even import break_even
from core.costs.selfhost_ranking import machine_of, rank_offers, replica_estimates
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
