"""Fleets are whole, costs are complete, and a crossing really gives equal costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.costs.selfhost import LINES, Machine, Operations, fleet_for, monthly_cost_usd, naive_break_even_requests
from core.costs.selfhost_break_even import break_even, tornado
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
    assert fleet.utilization == pytest.approx(500 / 2_000)


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
    operations = Operations(reserved_share=0.5, spot_share=0.25, interruption_share=0.1)

    assert machine.usd_per_hour(operations) == pytest.approx(0.25 * 20 + 0.5 * 12 + 0.25 * 10)


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
