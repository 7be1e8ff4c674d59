"""What will a workload cost each month on each way of serving it, and how sure is that?

`simulate` gives the deterministic table first (requests x tokens x price per component, fees, VAT), then percentiles of
seeded paths. A path's metered cost is separable: priced requests of the month, shared by all ways, times the cost of
one request. float64 throughout; the same arguments give the same bytes. Amounts are USD.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.costs.monthly_bills import Bill, Note, bill_of
from core.costs.monthly_outlook import (
    MAX_PATHS,
    MAX_REQUESTS_PER_MONTH,
    MIN_PATHS,
    Outlook,
    month_starts,
    plain_requests,
)
from core.costs.monthly_paths import Paths, simulate_paths
from core.costs.monthly_ways import (
    FleetWay,
    Floats,
    MixPart,
    MixWay,
    ModelWay,
    Terms,
    Way,
    WayKind,
    through_gateway,
)
from core.workload import Workload

__all__ = [
    "DEFAULT_SEED",
    "MAX_WAYS",
    "Band",
    "FleetWay",
    "MixPart",
    "MixWay",
    "ModelWay",
    "Note",
    "Outlook",
    "Simulation",
    "Terms",
    "Way",
    "WayKind",
    "WayResult",
    "simulate",
    "through_gateway",
]

MAX_WAYS = 8
DEFAULT_PATHS = 10_000
PathRow = Callable[[int], Floats]

DEFAULT_SEED = 20_261_123
PERCENTILES = (0.10, 0.50, 0.90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """P10, P50 and P90 in USD: per month (arrays) or of a total (arrays of shape ())."""

    p10: Floats
    p50: Floats
    p90: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class WayResult:
    """What one way costs. Months without a price are NaN, and then the totals are None: unknown, never 0.

    `lines_usd` holds the plan by component (input, cache_read, cache_write, output, discount, gateway_fee, fixed_fee,
    vat, fleet) and adds up to `planned_usd`. Shares over budget are None when the workload has no budget.
    """

    name: str
    kind: WayKind
    lines_usd: Mapping[str, Floats]
    planned_usd: Floats
    band: Band
    over_budget_share: Floats | None
    total_usd: float | None
    total_band: Band | None
    total_over_budget_share: float | None
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Months x ways: the plan, its percentiles and, on demand, every path."""

    workload: Workload
    outlook: Outlook
    starts: tuple[dt.date, ...]
    requests: Floats
    seed: int
    path_count: int
    ways: tuple[WayResult, ...]
    notes: tuple[Note, ...]
    _rows: Callable[[], Mapping[str, PathRow]] = field(repr=False, compare=False)
    # Drawn again when asked for (the seed gives the same paths): kept, they would take 3 MB a plan.

    def way(self, name: str) -> WayResult:
        """The result of that name; KeyError when it was not simulated."""
        try:
            return next(way for way in self.ways if way.name == name)
        except StopIteration:
            raise KeyError(name) from None

    def paths_usd(self, name: str) -> Floats:
        """USD of every month and path (months x paths) of one way; path k is the same future for all ways."""
        row = self._rows()[name]
        return np.stack([row(month) for month in range(len(self.starts))])

    def cumulative_band(self, name: str) -> Band:
        """Percentiles of the running total of each month."""
        row, running = self._rows()[name], np.zeros(self.path_count)
        found = []
        for month in range(len(self.starts)):
            running += row(month)
            found.append(_percentiles(np.sort(running)))
        return _band(found)

    @property
    def cheapest(self) -> WayResult | None:
        """The way with the lowest planned total; None when no total is known."""
        known = [way for way in self.ways if way.total_usd is not None]
        return min(known, key=lambda way: way.total_usd or 0.0, default=None)


def simulate(
    workload: Workload,
    ways: Sequence[Way],
    *,
    paths: int = DEFAULT_PATHS,
    seed: int = DEFAULT_SEED,
    start: dt.date | None = None,
    outlook: Outlook | None = None,
) -> Simulation:
    """Projects `workload` on up to 8 `ways`, over its horizon from the calendar month of `start` (None: this one).

    Raises ValueError for more ways, equal names, or a number of paths outside 100 to 50,000. No way at all is fine.
    """
    _check(ways, paths)
    outlook = outlook or Outlook()
    starts = month_starts(start or dt.datetime.now(dt.UTC).date(), workload.horizon_months)
    bills = [bill_of(way, workload, outlook, starts) for way in ways]

    def draw() -> Paths:
        return simulate_paths(workload, outlook, starts, seed=seed, paths=paths)

    drawn = draw()
    rows = _path_rows(bills, drawn)
    return Simulation(
        workload=workload,
        outlook=outlook,
        starts=tuple(starts),
        requests=plain_requests(workload, starts),
        seed=seed,
        path_count=paths,
        ways=tuple(_result(bill, rows[bill.way.name], workload.budget_usd_per_month, paths) for bill in bills),
        notes=_volume_notes(drawn),
        _rows=lambda: _path_rows(bills, draw()),
    )


def _path_rows(bills: Sequence[Bill], drawn: Paths) -> Mapping[str, PathRow]:
    return {bill.way.name: bill.path_rows(drawn) for bill in bills}


def _check(ways: Sequence[Way], paths: int) -> None:
    if len(ways) > MAX_WAYS:
        raise ValueError(f"ways: {len(ways)} were given, at most {MAX_WAYS} can be compared at once.")
    names = [way.name for way in ways]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise ValueError(f"ways: {double!r} is given twice, give each way its own name.")
    if not MIN_PATHS <= paths <= MAX_PATHS:
        raise ValueError(f"paths is {paths!r}: give a number from {MIN_PATHS} to {MAX_PATHS}.")


def _volume_notes(drawn: Paths) -> tuple[Note, ...]:
    is_capped = bool((drawn.requests[-1] >= MAX_REQUESTS_PER_MONTH).any())
    return (Note(kind="volume_capped", subject=f"{MAX_REQUESTS_PER_MONTH:.0e}"),) if is_capped else ()


def _result(bill: Bill, row: Callable[[int], Floats], budget: float | None, paths: int) -> WayResult:
    months = len(bill.planned_usd)
    is_known = not bool(np.isnan(bill.planned_usd).any())
    total = np.zeros(paths)
    found, over = [], np.full(months, np.nan)
    for month in range(months):
        values = row(month)
        total += values
        # Sorting one row in the cache is faster than asking for three percentiles of the whole block.
        values.sort()
        found.append(_percentiles(values))
        if budget is not None:
            over[month] = _share_above(values, budget)
    total.sort()
    return WayResult(
        name=bill.way.name,
        kind=bill.way.kind,
        lines_usd=bill.lines_usd,
        planned_usd=bill.planned_usd,
        band=_band(found),
        over_budget_share=over if budget is not None else None,
        total_usd=float(bill.planned_usd.sum()) if is_known else None,
        total_band=_band([_percentiles(total)], is_scalar=True) if is_known else None,
        total_over_budget_share=_share_above(total, budget * months) if budget is not None and is_known else None,
        notes=bill.notes,
    )


def _percentiles(ordered: Floats) -> tuple[float, float, float]:
    """P10, P50, P90 of sorted values, interpolated between neighbours as numpy does by default."""
    found = []
    for share in PERCENTILES:
        place = share * (ordered.size - 1)
        below = int(place)
        low, high = float(ordered[below]), float(ordered[min(below + 1, ordered.size - 1)])
        found.append(low + (high - low) * (place - below))
    return found[0], found[1], found[2]


def _band(found: Sequence[tuple[float, float, float]], *, is_scalar: bool = False) -> Band:
    columns = np.array(found).T
    p10, p50, p90 = (column[0] for column in columns) if is_scalar else columns
    return Band(p10=np.asarray(p10), p50=np.asarray(p50), p90=np.asarray(p90))


def _share_above(ordered: Floats, limit: float) -> float:
    if np.isnan(ordered[-1]):
        return float("nan")
    return 1.0 - float(np.searchsorted(ordered, limit, side="right")) / ordered.size
