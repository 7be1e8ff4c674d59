"""From which volume is renting cheaper than calling, and where does that end?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.costs.conventions import Floats
from core.costs.limits import require_within
from core.costs.selfhost import Columns, Machine, Operations, columns_of, monthly_cost_usd, total_usd
from core.money import TOKENS_PER_MTOK
from core.workload import Workload

SCAN_LOW, SCAN_HIGH = 1e3, 1e10
POINTS_PER_DECADE = 50
MAX_USD = 1e9
EXACT = 1e-10

# Steps examined on both sides: all of them where there are fewer, else those around the first and the last crossing.
MAX_STEPS = 8_000
# Beyond so many replicas the rounding to whole ones no longer shows in the cost per request.
FAR = 1e9
# Within so many steps every phase of replicas against machines has come up.
PERIOD = 256
JUST_ABOVE = 1e-6

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

    Steps may cross a line several times: both sides of each step below the last possible crossing are looked at, so
    that no pair of crossings is missed (of more than `MAX_STEPS`, those around the first and the last). Each crossing
    is within one part in 10^9. ValueError naming `api_usd_per_request` for what is no amount from 0 on.
    """
    require_within("api_usd_per_request", api_usd_per_request, 0, MAX_USD)
    columns = columns_of([machine], operations)
    per_request = api_usd_per_request * (1 + workload.retry_share)

    def cost(volume: Floats) -> Floats:
        return total_usd(columns, workload, operations, volume)

    def gap(volume: Floats) -> Floats:
        return cost(volume) - per_request * volume

    even = np.geomspace(low, high, int(np.log10(high / low) * POINTS_PER_DECADE) + 1)
    steps = _steps(cost, columns, workload, operations, per_request, high)
    grid = np.union1d(even, steps[(steps > low) & (steps < high)])
    rents = gap(grid) <= 0
    places = np.flatnonzero(rents[1:] != rents[:-1])
    if places.size:
        volumes = _located(gap, grid[places], grid[places + 1])
        return BreakEven(crossings=_crossings(volumes, rents[places + 1], workload), always="", never="")
    if rents[0]:
        return BreakEven(crossings=(), always="rent", never="")
    return BreakEven(crossings=(), always="call", never=_why(machine, workload, operations, per_request, high))


def _crossings(volumes: Floats, rents: NDArray[np.bool_], workload: Workload) -> tuple[Crossing, ...]:
    """Crossings at these volumes, to renting where `rents` says so."""
    mtok = (workload.input_tokens + workload.output_tokens) / TOKENS_PER_MTOK
    return tuple(
        Crossing(requests_per_month=volume, mtok_per_month=volume * mtok, to="rent" if is_rent else "call")
        for volume, is_rent in zip(volumes.tolist(), rents.tolist(), strict=True)
    )


def _steps(
    cost: Callable[[Floats], Floats],
    columns: Columns,
    workload: Workload,
    operations: Operations,
    per_request: float,
    high: float,
) -> Floats:
    """Volumes just below and just above each step at which cost and bill can still cross.

    Cost is at most its mean slope times the volume plus `height`, so above `height` / (price - slope) renting stays
    cheaper; with a slope above the price it never is.
    """
    requests_per_replica = _requests_per_replica(columns, workload, operations)
    width = requests_per_replica / workload.peak_to_average
    above = (np.arange(PERIOD) + JUST_ABOVE) * width
    *costs, far, farther = cost(np.append(above, [FAR * width, 2 * FAR * width])).tolist()
    slope = (farther - far) / (FAR * width)
    if per_request <= slope:
        return np.empty(0)
    height = float(np.max(np.array(costs) - slope * above))
    if operations.autoscale_share and workload.peak_to_average % 1:
        # Steps of the peak and of the mean need may meet later than within the period.
        height += float(np.diff(costs).max())
    last = min(high, height / (per_request - slope))
    places = [_places(last / width) * width]
    if operations.autoscale_share:
        places.append(_places(last / requests_per_replica) * requests_per_replica)
    return np.concatenate(places)


def _requests_per_replica(columns: Columns, workload: Workload, operations: Operations) -> float:
    """Requests a month that one replica serves when they come evenly."""
    tokens = (1 + workload.retry_share) * max(1, workload.output_tokens)
    seconds = operations.hours_per_month * 3600
    return float(columns.tokens_per_s_per_replica[0]) * operations.load_factor * seconds / tokens


def _places(count: float) -> Floats:
    """Both sides of steps 1 to `count`, in steps; of too many, those of the first and the last half of the limit."""
    last = int(count) + 1
    half = MAX_STEPS // 2
    whole = np.arange(1, last + 1) if last <= MAX_STEPS else np.r_[1 : half + 1, last - half + 1 : last + 1]
    return np.concatenate([whole, whole + JUST_ABOVE])


def _located(gap: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """The upper end of an interval around each change of sign, narrowed to `EXACT` of the volume.

    Between two steps the gap is a straight line, which one interpolation solves; a step itself is halved.
    """
    first, last = gap(low), gap(high)
    guess = low + (high - low) * first / (first - last)
    below, above = np.maximum(low, guess * (1 - EXACT)), np.minimum(high, guess * (1 + EXACT))
    rents = first <= 0
    is_found = ((gap(below) <= 0) == rents) & ((gap(above) <= 0) != rents)
    low, high = np.where(is_found, below, low), np.where(is_found, above, high)
    width = float(np.max((high - low) / high))
    for _ in range(math.ceil(math.log2(max(1.0, width / (2 * EXACT))))):
        middle = (low + high) / 2
        same = (gap(middle) <= 0) == rents
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return high


def _why(machine: Machine, workload: Workload, operations: Operations, per_request: float, high: float) -> Never:
    if per_request <= 0:
        return "api_is_free"
    volume = np.array([high, high * 2])
    fleet = monthly_cost_usd(machine, workload, operations, volume)
    marginal = (fleet[1] - fleet[0]) / high
    return "machines_cost_more_per_request" if marginal >= per_request else "beyond_scan"
