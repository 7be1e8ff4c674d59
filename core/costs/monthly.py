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

from core.costs.conventions import Floats
from core.costs.monthly_bands import Band, month_percentiles, path_totals, percentiles, share_above
from core.costs.monthly_bills import Bill, Note, PathBill, bill_of
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
    "planned_totals",
    "simulate",
    "through_gateway",
]

MAX_WAYS = 8
DEFAULT_PATHS = 10_000
DEFAULT_SEED = 20_261_123


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
    _on_paths: Callable[[], Mapping[str, PathBill]] = field(repr=False, compare=False)
    # Drawn again when asked for (the seed gives the same paths): kept, they would take 3 MB a plan.

    def way(self, name: str) -> WayResult:
        """The result of that name; KeyError when it was not simulated."""
        try:
            return next(way for way in self.ways if way.name == name)
        except StopIteration:
            raise KeyError(name) from None

    def paths_usd(self, name: str) -> Floats:
        """USD of every month and path (months x paths) of one way; path k is the same future for all ways."""
        row = self._on_paths()[name].row
        return np.stack([row(month) for month in range(len(self.starts))])

    def cumulative_band(self, name: str) -> Band:
        """Percentiles of the running total of each month."""
        row, running = self._on_paths()[name].row, np.zeros(self.path_count)
        found = []
        for month in range(len(self.starts)):
            running += row(month)
            found.append(percentiles(np.sort(running)))
        return Band.of(found)

    @property
    def cheapest(self) -> WayResult | None:
        """The way with the lowest planned total; None when no total is known."""
        return self.cheapest_of()

    def cheapest_of(self, kind: WayKind | None = None) -> WayResult | None:
        """The same among the ways of a kind."""
        known = [way for way in self.ways if way.total_usd is not None and kind in {None, way.kind}]
        return min(known, key=lambda way: way.total_usd or 0.0, default=None)


def planned_totals(
    workload: Workload, ways: Sequence[Way], *, start: dt.date, outlook: Outlook
) -> dict[str, float | None]:
    """USD of each way over the horizon by its name, as `simulate` plans it, without its paths; None is unknown."""
    starts = month_starts(start, workload.horizon_months)
    totals = {way.name: float(bill_of(way, workload, outlook, starts).planned_usd.sum()) for way in ways}
    return {name: None if np.isnan(total) else total for name, total in totals.items()}


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
    on_paths = _on_paths(bills, drawn)
    return Simulation(
        workload=workload,
        outlook=outlook,
        starts=tuple(starts),
        requests=plain_requests(workload, starts),
        seed=seed,
        path_count=paths,
        ways=tuple(_result(bill, on_paths[bill.way.name], drawn, workload.budget_usd_per_month) for bill in bills),
        notes=_volume_notes(drawn, len(starts) - 1),
        _on_paths=lambda: _on_paths(bills, draw()),
    )


def _on_paths(bills: Sequence[Bill], drawn: Paths) -> Mapping[str, PathBill]:
    return {bill.way.name: bill.on_paths(drawn) for bill in bills}


def _check(ways: Sequence[Way], paths: int) -> None:
    if len(ways) > MAX_WAYS:
        raise ValueError(f"ways: {len(ways)} were given, at most {MAX_WAYS} can be compared at once.")
    names = [way.name for way in ways]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise ValueError(f"ways: {double!r} is given twice, give each way its own name.")
    if not MIN_PATHS <= paths <= MAX_PATHS:
        raise ValueError(f"paths is {paths!r}: give a number from {MIN_PATHS} to {MAX_PATHS}.")


def _volume_notes(drawn: Paths, last_month: int) -> tuple[Note, ...]:
    is_capped = bool((drawn.requests(last_month) >= MAX_REQUESTS_PER_MONTH * (1 - 1e-9)).any())
    return (Note(kind="volume_capped", subject=f"{MAX_REQUESTS_PER_MONTH:.0e}"),) if is_capped else ()


def _result(bill: Bill, on_paths: PathBill, drawn: Paths, budget: float | None) -> WayResult:
    months = range(len(bill.planned_usd))
    is_known = not bool(np.isnan(bill.planned_usd).any())
    total = np.sort(path_totals(on_paths, drawn, len(months))) if is_known else None
    over = None if budget is None else np.array([share_above(on_paths.row(month), budget) for month in months])
    return WayResult(
        name=bill.way.name,
        kind=bill.way.kind,
        lines_usd=bill.lines_usd,
        planned_usd=bill.planned_usd,
        band=Band.of([month_percentiles(on_paths, drawn, month) for month in months]),
        over_budget_share=over,
        total_usd=None if total is None else float(bill.planned_usd.sum()),
        total_band=None if total is None else Band.of(percentiles(total)),
        total_over_budget_share=None if total is None or budget is None else share_above(total, budget * len(months)),
        notes=bill.notes,
    )
