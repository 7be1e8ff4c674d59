"""From which volume is renting cheaper than calling, and where does that end?

Renting means the cheapest of the machines that are compared, at each volume anew: no single one is cheapest at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.costs.conventions import Floats
from core.costs.limits import require_within
from core.costs.selfhost import Columns, Machine, Operations, columns_of, total_usd
from core.money import TOKENS_PER_MTOK
from core.workload import LIMITS, Workload

SCAN_LOW, SCAN_HIGH = 1.0, float(LIMITS["requests_per_month"].high)
MAX_USD = 1e9

# Steps of a machine that are looked at: all of them where there are fewer, else the first, the last and some between.
MAX_STEPS = 8_000
# Beyond so many replicas the rounding to whole ones no longer shows in the cost per request.
FAR = 1e9
# Within so many steps every phase of replicas against machines has come up.
PERIOD = 256
JUST_ABOVE = 1e-6
# The next machine is taken this part of a replica late (see `counts`); what is on a crossing lies beyond it.
LATE, BEYOND = 1e-9, 1e-12

Never = Literal["", "api_is_free", "machines_cost_more_per_request", "beyond_scan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A volume at which the cheaper way changes; `to` is the cheaper one above it.

    `choice` is the place, among the machines compared, of the one that makes the change.
    """

    requests_per_month: float
    mtok_per_month: float
    to: Literal["rent", "call"]
    choice: int = 0


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
    """As `cheapest_break_even`, with one machine to choose from."""
    columns = columns_of([machine], operations)
    return cheapest_break_even(columns, workload, operations, api_usd_per_request, low=low, high=high)


def cheapest_break_even(
    columns: Columns,
    workload: Workload,
    operations: Operations,
    api_usd_per_request: float,
    *,
    low: float = SCAN_LOW,
    high: float = SCAN_HIGH,
) -> BreakEven:
    """Where the cheapest of some machines crosses an API that bills by the request, from `low` to `high` requests a
    month.

    Between two steps a fleet costs the same but for the traffic, so that the volumes at which it is cheaper are found
    exactly, step by step and machine by machine; what all machines leave open is the API's. Steps may cross a line
    several times, and all are found (of a machine with more than `MAX_STEPS`, those between the first and the last
    thousands to 0.5 %).
    ValueError naming `api_usd_per_request` for what is no amount from 0 on.
    """
    require_within("api_usd_per_request", api_usd_per_request, 0, MAX_USD)
    per_request = api_usd_per_request * (1 + workload.retry_share)
    places = frontier(columns)
    slopes, lasts = _from_where_always(columns.taken(places), workload, operations, per_request)
    can = slopes < per_request
    if not can.any():
        never: Never = "machines_cost_more_per_request" if per_request > 0 else "api_is_free"
        return BreakEven(crossings=(), always="call", never=never)
    places, lasts = places[can], lasts[can]
    starts, ends, owners = _cheaper(columns.taken(places), workload, operations, per_request, min(high, lasts.min()))
    starts, ends = np.append(starts, lasts.min()), np.append(ends, np.inf)
    owners = np.append(owners, np.argmin(lasts))
    is_inside = (starts < high) & (ends > low)
    if not is_inside.any():
        return BreakEven(crossings=(), always="call", never="beyond_scan")
    crossings = _crossings(starts[is_inside], ends[is_inside], places[owners[is_inside]], workload, low, high)
    return BreakEven(crossings=crossings, always="" if crossings else "rent", never="")


def frontier(columns: Columns) -> NDArray[np.intp]:
    """Places of the machines that can be the cheapest at some volume: no other is as fast, as divisible and as cheap.

    A mix of reserved and other machines is compared only between equal machines: there, more of them may cost less.
    """
    prices = columns.prices
    keys = (
        prices.flexible_usd, prices.reserved_usd, prices.reserved_share, columns.machines_per_replica,
        columns.tokens_per_s_per_replica,
    )  # fmt: skip
    order = np.lexsort(keys)
    others = np.stack(keys[1:])[:, order]
    is_first = np.append(True, (others[:, 1:] != others[:, :-1]).any(axis=0))
    places: NDArray[np.intp] = order[is_first]
    usd, reserved, share, per_replica, speed = (key[places] for key in keys)
    if ((share > 0) & (share < 1)).any():
        return places
    better = (speed[:, None] >= speed) & (per_replica[:, None] <= per_replica) & (usd[:, None] <= usd)
    better &= (reserved[:, None] <= reserved) & (share[:, None] == share)
    # Of two that are better than each other, which are equal, the first stays.
    better &= ~better.T | np.triu(np.ones_like(better), 1)
    places = places[~better.any(axis=0)]
    return places


def cheapest_usd(
    columns: Columns, workload: Workload, operations: Operations, requests_per_month: Floats
) -> tuple[Floats, NDArray[np.intp]]:
    """Monthly USD of the cheapest machine for each volume, and its place among them."""
    places, volumes = frontier(columns), len(requests_per_month)
    spread = columns.taken(np.repeat(places, volumes))
    usd = total_usd(spread, workload, operations, np.tile(requests_per_month, len(places))).reshape(-1, volumes)
    best = usd.argmin(axis=0)
    return usd[best, np.arange(volumes)], places[best]


def _from_where_always(
    columns: Columns, workload: Workload, operations: Operations, per_request: float
) -> tuple[Floats, Floats]:
    """Each machine's mean cost of a further request, and the volume above which it is cheaper than the API for good.

    Cost is at most its mean slope times the volume plus a height, so that is height / (price - slope); with a slope
    above the price the machine never is cheaper.
    """
    width, count = _requests_per_replica(columns, workload, operations) / workload.peak_to_average, len(columns)
    at = np.append(np.arange(PERIOD) + JUST_ABOVE, [FAR, 2 * FAR])
    volume = np.multiply.outer(width, at)
    spread = columns.taken(np.repeat(np.arange(count), len(at)))
    costs = total_usd(spread, workload, operations, volume.ravel()).reshape(volume.shape)
    slopes = (costs[:, -1] - costs[:, -2]) / (FAR * width)
    near = costs[:, :-2]
    heights = (near - slopes[:, None] * volume[:, :-2]).max(axis=1)
    if operations.autoscale_share and workload.peak_to_average % 1:
        # Steps of the peak and of the mean need may meet later than within the period.
        heights += np.diff(near, axis=1).max(axis=1)
    room = per_request - slopes
    return slopes, np.where(room > 0, heights / np.where(room > 0, room, 1.0), np.inf)


def _cheaper(
    columns: Columns, workload: Workload, operations: Operations, per_request: float, last: float
) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """From where to where each machine is cheaper than the API within each of its steps, and which machine it is."""
    per_replica = _requests_per_replica(columns, workload, operations)
    edges = [
        _edges(float(each), float(each) / workload.peak_to_average, last, is_scaled=operations.autoscale_share > 0)
        for each in per_replica
    ]
    owners = np.repeat(np.arange(len(columns)), [len(each) - 1 for each in edges])
    froms, tos = (np.concatenate([each[part] for each in edges]) for part in (slice(None, -1), slice(1, None)))
    middle = (froms + tos) / 2
    traffic = (1 + workload.retry_share) * operations.egress_kb_per_request / 1e6 * operations.egress_usd_per_gb
    steady = total_usd(columns.taken(owners), workload, operations, middle) - traffic * middle
    starts = np.maximum(froms, steady / (per_request - traffic) * (1 + BEYOND))
    is_some = starts < tos
    return starts[is_some], tos[is_some], owners[is_some]


def _edges(per_replica: float, width: float, last: float, *, is_scaled: bool) -> Floats:
    """Volumes from 0 at which a fleet grows by a replica, up to the first beyond `last`."""
    found = _steps(last / width) * width
    if is_scaled:
        found = np.union1d(found, _steps(last / per_replica) * per_replica)
    return np.append(0.0, found * (1 + BEYOND))


def _steps(count: float) -> Floats:
    """Steps 1 to `count` and the next; of too many, a quarter of the limit at both ends and as many between."""
    last, quarter = int(count) + 1, MAX_STEPS // 4
    if last <= MAX_STEPS:
        return LATE + np.arange(1, last + 1, dtype=np.float64)
    between = np.unique(np.geomspace(quarter, last - quarter, quarter).round())
    return LATE + np.concatenate([np.arange(1, quarter), between, np.arange(last - quarter + 1, last + 1)])


def _requests_per_replica(columns: Columns, workload: Workload, operations: Operations) -> Floats:
    """Requests a month that one replica of each machine serves when they come evenly."""
    tokens = (1 + workload.retry_share) * max(1, workload.output_tokens)
    seconds = operations.hours_per_month * 3600
    return columns.tokens_per_s_per_replica * operations.load_factor * seconds / tokens


def _crossings(
    starts: Floats, ends: Floats, choices: NDArray[np.intp], workload: Workload, low: float, high: float
) -> tuple[Crossing, ...]:
    """The ends of what these stretches cover together, within `low` to `high`."""
    order = np.argsort(starts, kind="stable")
    starts, ends, choices = starts[order], ends[order], choices[order]
    reach = np.maximum.accumulate(ends)
    first = np.flatnonzero(np.append(True, starts[1:] > reach[:-1]))
    final = np.append(first[1:] - 1, len(starts) - 1)
    mtok = (workload.input_tokens + workload.output_tokens) / TOKENS_PER_MTOK
    found = []
    for one, other in zip(first.tolist(), final.tolist(), strict=True):
        for volume, to in ((float(starts[one]), "rent"), (float(reach[other]), "call")):
            if low < volume < high:
                found.append(
                    Crossing(
                        requests_per_month=volume, mtok_per_month=volume * mtok, to="rent" if to == "rent" else "call",
                        choice=int(choices[one]),
                    )
                )  # fmt: skip
    return tuple(found)
