"""How does each model's bill move when a request's tokens are divided otherwise, and from where is another cheapest?"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.costs.api_bills import api_bill
from core.costs.tokens import PriceSheet
from core.workload import LIMITS, Workload

STEPS = 40
"""Parts that the axis of output shares is divided into; a crossing between two points is looked for by halving."""

TIE_SHARE = 1e-9
"""Bills that differ by less than this are equal: the order of a float sum decides nothing."""

Usd = Callable[[int], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCurves:
    """Monthly bills (USD) of several models by output share (0 to 1) at as many tokens a request; both ascending.

    `cheapest` is the cheapest model at the workload's own share, `other` the one that is cheaper from the share `until`
    on; both None when `cheapest` stays so at every higher share.
    """

    shares: tuple[float, ...]
    usd_per_month: Mapping[str, tuple[float, ...]]
    cheapest: str
    other: str | None
    until: float | None


def share_curves(sheets: Sequence[PriceSheet], workload: Workload, at: dt.datetime) -> ShareCurves | None:
    """The curves at the prices of a moment (UTC): each point is the bill of a workload that could be given as such.

    Models without a price for some of it are left out; None when none is left.
    """
    counts = output_counts(workload)
    costs = {sheet.key: _bill(sheet, workload, at, (counts[0], counts[-1])) for sheet in sheets}
    lines = {key: tuple(map(cost, counts)) for key, cost in sorted(costs.items())}
    lines = {key: line for key, line in lines.items() if math.inf not in line}
    if not lines:
        return None
    total = workload.input_tokens + workload.output_tokens
    mine = min(lines, key=lambda key: (costs[key](workload.output_tokens), key))
    later = [count for count in counts if count >= workload.output_tokens]
    other, crossing = _crossing({key: costs[key] for key in lines}, mine, later)
    return ShareCurves(
        shares=tuple(count / total for count in counts),
        usd_per_month=lines,
        cheapest=mine,
        other=other,
        until=None if crossing is None else crossing / total,
    )


def output_counts(workload: Workload) -> list[int]:
    """Output tokens of a request at every step, within what a workload may have, its own among them; ascending."""
    total = workload.input_tokens + workload.output_tokens
    low = max(0, total - int(LIMITS["input_tokens"].high))
    high = min(total - int(LIMITS["input_tokens"].low), int(LIMITS["output_tokens"].high))
    steps = (round(total * step / STEPS) for step in range(STEPS + 1))
    return sorted({workload.output_tokens, *(min(max(step, low), high) for step in steps)})


def _bill(sheet: PriceSheet, workload: Workload, at: dt.datetime, ends: tuple[int, int]) -> Usd:
    """The monthly bill by output tokens of a request, infinite where the model has no price."""
    total = workload.input_tokens + workload.output_tokens

    def usd(output_tokens: int) -> float:
        divided = replace(workload, input_tokens=total - output_tokens, output_tokens=output_tokens)
        bill = api_bill(sheet, divided, at)
        return math.inf if bill is None else bill.usd_per_month

    low, high = ends
    if low == high or any(row.min_input_tokens for row in sheet.rows):
        return usd
    # Without context tiers the bill is linear in the division of the tokens, so its two ends say everything.
    first, last = usd(low), usd(high)
    if math.inf in (first, last):
        return lambda _: math.inf
    return lambda output_tokens: first + (last - first) * ((output_tokens - low) / (high - low))


def _crossing(costs: Mapping[str, Usd], mine: str, counts: Sequence[int]) -> tuple[str | None, float | None]:
    """Which model is cheaper than `mine` first, from the first of `counts` on, and at how many output tokens."""

    def best(count: int) -> str:
        found = min(costs, key=lambda key: (costs[key](count), key))
        return found if costs[found](count) < costs[mine](count) * (1 - TIE_SHARE) else mine

    place = next((place for place, count in enumerate(counts) if best(count) != mine), 0)
    if place == 0:
        return None, None
    low, high = counts[place - 1], counts[place]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if best(middle) == mine else (low, middle)
    other = best(high)
    # Half a token is no request, but two bills may be equal between two whole numbers.
    before, after = (costs[other](count) - costs[mine](count) for count in (low, high))
    return other, low + max(before, 0.0) / (max(before, 0.0) - after)
