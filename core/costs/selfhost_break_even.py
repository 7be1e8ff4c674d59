"""From which volume is renting cheaper than calling, where does that end, and what moves it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from core.costs.selfhost import Floats, Machine, Operations, monthly_cost_usd
from core.money import TOKENS_PER_MTOK
from core.workload import Workload

SCAN_LOW, SCAN_HIGH = 1e3, 1e10
POINTS_PER_DECADE = 400
BISECTIONS = 40

Never = Literal["", "api_is_free", "machines_cost_more_per_request", "beyond_scan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A volume at which the cheaper way changes; `to` is the cheaper one above it."""

    requests_per_month: float
    mtok_per_month: float
    to: Literal["rent", "call"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """Every crossing in the scanned range; without one, who is cheaper everywhere and why renting never is."""

    crossings: tuple[Crossing, ...]
    always: Literal["", "rent", "call"]
    never: Never

    @property
    def lasting(self) -> Crossing | None:
        """The volume above which renting stays cheaper as far as scanned; None when there is none."""
        return self.crossings[-1] if self.crossings and self.crossings[-1].to == "rent" else None


ApiCost = Callable[[Floats], Floats]


def break_even(
    machine: Machine,
    workload: Workload,
    operations: Operations,
    api_usd_per_request: float,
    *,
    low: float = SCAN_LOW,
    high: float = SCAN_HIGH,
) -> BreakEven:
    """Scans requests per month from `low` to `high` (log scale) against an API that bills by the request.

    Steps may cross a line several times: all crossings are listed, each within one part in 10^9.
    """
    decades = np.log10(high / low)
    grid = np.geomspace(low, high, int(decades * POINTS_PER_DECADE) + 1)
    per_request = api_usd_per_request * (1 + workload.retry_share)

    def gap(volume: Floats) -> Floats:
        found: Floats = monthly_cost_usd(machine, workload, operations, volume) - per_request * volume
        return found

    sign = gap(grid) <= 0
    changes = np.flatnonzero(sign[1:] != sign[:-1])
    tokens = workload.input_tokens + workload.output_tokens
    crossings = []
    for place, volume in zip(changes, _bisect(gap, grid[changes], grid[changes + 1]), strict=True):
        crossings.append(
            Crossing(
                requests_per_month=float(volume),
                mtok_per_month=float(volume) * tokens / TOKENS_PER_MTOK,
                to="rent" if sign[place + 1] else "call",
            )
        )
    if crossings:
        return BreakEven(crossings=tuple(crossings), always="", never="")
    if sign[0]:
        return BreakEven(crossings=(), always="rent", never="")
    return BreakEven(crossings=(), always="call", never=_why(machine, workload, operations, per_request, high))


def _bisect(gap: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """The upper end of an interval around each change of sign, halved until it is exact to the eye."""
    low, high = low.copy(), high.copy()
    if not low.size:
        return high
    below = gap(low) <= 0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        same = (gap(middle) <= 0) == below
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return high


def _why(machine: Machine, workload: Workload, operations: Operations, per_request: float, high: float) -> Never:
    if per_request <= 0:
        return "api_is_free"
    volume = np.array([high, high * 2])
    fleet = monthly_cost_usd(machine, workload, operations, volume)
    marginal = (fleet[1] - fleet[0]) / high
    return "machines_cost_more_per_request" if marginal >= per_request else "beyond_scan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """How the monthly cost and the lasting break-even move when one input goes to its low and high value."""

    name: str
    low_usd: float
    high_usd: float
    low_break_even_mtok: float | None
    high_break_even_mtok: float | None


def tornado(machine: Machine, workload: Workload, operations: Operations, api_usd_per_request: float) -> list[Swing]:
    """The inputs that move the answer, the widest first: each alone, down and up, all else as planned."""
    cases = _cases(machine, workload, operations)

    def outcome(case: tuple[Machine, Workload, Operations]) -> tuple[float, float | None]:
        cost = float(monthly_cost_usd(*case, np.array([float(case[1].requests_per_month)]))[0])
        factor = (case[1].input_tokens + case[1].output_tokens) / (workload.input_tokens + workload.output_tokens)
        lasting = break_even(*case, api_usd_per_request * factor).lasting
        return cost, lasting.mtok_per_month if lasting else None

    swings = []
    for name, (down, up) in cases.items():
        (low_usd, low_mtok), (high_usd, high_mtok) = outcome(down), outcome(up)
        swings.append(
            Swing(
                name=name, low_usd=low_usd, high_usd=high_usd, low_break_even_mtok=low_mtok,
                high_break_even_mtok=high_mtok,
            )
        )  # fmt: skip
    return sorted(swings, key=lambda swing: -abs(swing.high_usd - swing.low_usd))


Case = tuple[Machine, Workload, Operations]


def _cases(machine: Machine, workload: Workload, operations: Operations) -> Mapping[str, tuple[Case, Case]]:
    speed, price = machine.tokens_per_s_per_replica, machine.on_demand_usd_per_hour
    return {
        "throughput": (
            (replace(machine, tokens_per_s_per_replica=speed * 1.3), workload, operations),
            (replace(machine, tokens_per_s_per_replica=speed * 0.65), workload, operations),
        ),
        "gpu_price": (
            (replace(machine, on_demand_usd_per_hour=price * 0.7), workload, operations),
            (replace(machine, on_demand_usd_per_hour=price * 1.3), workload, operations),
        ),
        "staff": (
            (machine, workload, replace(operations, staff_fte=operations.staff_fte / 2)),
            (machine, workload, replace(operations, staff_fte=operations.staff_fte * 2)),
        ),
        "peak_to_average": (
            (machine, replace(workload, peak_to_average=max(1.0, workload.peak_to_average / 2)), operations),
            (machine, replace(workload, peak_to_average=min(100.0, workload.peak_to_average * 2)), operations),
        ),
        "output_length": (
            (machine, replace(workload, output_tokens=max(1, workload.output_tokens // 2)), operations),
            (machine, replace(workload, output_tokens=min(1_000_000, workload.output_tokens * 2)), operations),
        ),
        "redundancy": (
            (machine, workload, replace(operations, redundancy=max(0, operations.redundancy - 1)))
            if operations.spot_share < 1
            else (machine, workload, operations),
            (machine, workload, replace(operations, redundancy=operations.redundancy + 1)),
        ),
    }
