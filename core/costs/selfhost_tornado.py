"""What moves the cost of renting and the volume from which it pays, and by how much?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.costs.selfhost import Columns, Machine, Operations, columns_of, monthly_cost_usd
from core.costs.selfhost_break_even import cheapest_break_even
from core.workload import LIMITS, Workload

# Factors of the good and of the bad case. Throughput: about the band of the estimates (`band` in
# data/throughput_fit.json). The others are planning assumptions of this program.
FAST, SLOW = 1.3, 0.65
CHEAP, DEAR = 0.7, 1.3
HALF_OR_DOUBLE = 2
"""Staff, peaks and lengths of prompts and replies are known to a factor of two before a service runs."""

MAX_SPARE = 100
MOSTLY = 0.999  # spot alone needs a spare replica

Case = tuple[Machine, Workload, Operations]
OfWorkload = Callable[[Workload], float | None]
Lasting = Callable[[Case, float], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """How the monthly cost and the lasting break-even move when one input goes to its low and high value.

    Break-evens are None where there is none, and where they were not asked for.
    """

    name: str
    low_usd: float
    high_usd: float
    low_break_even_mtok: float | None
    high_break_even_mtok: float | None


def tornado(
    machine: Machine,
    workload: Workload,
    operations: Operations,
    api_usd_per_request: float | OfWorkload,
    speed_of: OfWorkload | None = None,
    *,
    machines_for: Callable[[Workload], Columns] | None = None,
    with_break_even: bool = True,
) -> list[Swing]:
    """The inputs that move the answer, the widest first: each alone, down and up, all else as planned.

    The cost is that of `machine`. The break-even is its own too, or that of the cheapest of `machines_for` a workload
    (bought as `operations` says); without `with_break_even` it is not looked for.

    Other lengths of prompts and replies change the API's bill and the machine's speed. `api_usd_per_request` as a
    function gives the bill of one request of a workload (a number is taken in proportion to the tokens), `speed_of`
    tokens/s (only the ratio counts; None leaves the speed as it is). An input is left out where either has no answer
    for its low or high value (None).
    """
    api, speeds = _api(api_usd_per_request, workload), speed_of or (lambda _: 1.0)
    planned = api(workload), speeds(workload)

    lasting: Lasting = _break_evens(machine, workload, machines_for) if with_break_even else lambda *_: None
    swings = []
    for name, cases in _cases(machine, workload, operations).items():
        low, high = (_outcome(case, workload, api, speeds, planned, lasting) for case in cases)
        if low is not None and high is not None:
            swings.append(
                Swing(
                    name=name, low_usd=low[0], high_usd=high[0], low_break_even_mtok=low[1],
                    high_break_even_mtok=high[1],
                )
            )  # fmt: skip
    return sorted(swings, key=lambda swing: -abs(swing.high_usd - swing.low_usd))


def _break_evens(machine: Machine, workload: Workload, machines_for: Callable[[Workload], Columns] | None) -> Lasting:
    """The lasting break-even (Mtok) of a case at an API's USD per request."""

    def lasting(case: Case, usd: float) -> float | None:
        one, load, operations = case
        if machines_for is None:
            columns = columns_of([one], operations)
        else:
            # For other lengths the machines come with their speeds.
            is_other = load is not workload
            speed = 1.0 if is_other else one.tokens_per_s_per_replica / machine.tokens_per_s_per_replica
            price = machine.on_demand_usd_per_hour and one.on_demand_usd_per_hour / machine.on_demand_usd_per_hour
            columns = machines_for(load).times(speed=speed, price=price)
        found = cheapest_break_even(columns, load, operations, usd).lasting
        return found.mtok_per_month if found else None

    return lasting


def _api(api_usd_per_request: float | OfWorkload, workload: Workload) -> OfWorkload:
    if callable(api_usd_per_request):
        return api_usd_per_request
    usd, tokens = api_usd_per_request, workload.input_tokens + workload.output_tokens
    return lambda other: usd * (other.input_tokens + other.output_tokens) / tokens


def _outcome(
    case: Case,
    workload: Workload,
    api: OfWorkload,
    speeds: OfWorkload,
    planned: tuple[float | None, float | None],
    lasting: Lasting,
) -> tuple[float, float | None] | None:
    """Monthly cost and lasting break-even (Mtok) of a case; None where its bill or its speed is unknown."""
    machine, own, operations = case
    usd, speed = planned
    if (own.input_tokens, own.output_tokens) != (workload.input_tokens, workload.output_tokens):
        usd, speed = api(own), speeds(own)
    if usd is None or not speed or not planned[1]:
        return None
    machine = replace(machine, tokens_per_s_per_replica=machine.tokens_per_s_per_replica * speed / planned[1])
    cost = float(monthly_cost_usd(machine, own, operations, np.array([float(own.requests_per_month)]))[0])
    return cost, lasting((machine, own, operations), usd)


def _cases(machine: Machine, workload: Workload, operations: Operations) -> Mapping[str, tuple[Case, Case]]:
    """The low and the high case of each input."""

    def fast(factor: float) -> Case:
        speed = machine.tokens_per_s_per_replica * factor
        return replace(machine, tokens_per_s_per_replica=speed), workload, operations

    def load(**changes: Any) -> Case:
        return machine, replace(workload, **changes), operations

    def run(**changes: Any) -> Case:
        return machine, workload, replace(operations, **changes)

    def scaled(field: str, factor: float) -> Case:
        limit, value = LIMITS[field], getattr(workload, field) * factor
        value = min(limit.high, max(limit.low, 1, value))
        return load(**{field: int(value) if limit.is_integer else value})

    half, double = 1 / HALF_OR_DOUBLE, float(HALF_OR_DOUBLE)
    fewest_spare = 1 if operations.spot_share > MOSTLY else 0
    spare, staff = operations.redundancy, operations.staff_fte
    return {
        "throughput": (fast(FAST), fast(SLOW)),
        "gpu_price": (
            (machine.at_prices_times(CHEAP), workload, operations),
            (machine.at_prices_times(DEAR), workload, operations),
        ),
        "staff": (run(staff_fte=staff * half), run(staff_fte=staff * double)),
        "peak_to_average": (scaled("peak_to_average", half), scaled("peak_to_average", double)),
        "input_length": (scaled("input_tokens", half), scaled("input_tokens", double)),
        "output_length": (scaled("output_tokens", half), scaled("output_tokens", double)),
        "redundancy": (run(redundancy=max(fewest_spare, spare - 1)), run(redundancy=min(MAX_SPARE, spare + 1))),
    }
