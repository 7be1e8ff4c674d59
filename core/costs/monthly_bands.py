"""Between which amounts do four of five simulated futures lie, and how many exceed a budget?

A metered way costs a path its priced requests times the path's cost per request. Percentiles of that product do not
change with the planned volume, which only scales them: they are kept, and a plan with other volumes scales them anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.costs.conventions import Floats
from core.costs.monthly_bills import PathBill
from core.costs.monthly_paths import Paths, Row

PERCENTILES = (0.10, 0.50, 0.90)
KEPT = 20_000
"""Percentiles of so many rows are kept, some 6 MB; then all are dropped and a few found again."""

Three = tuple[float, float, float]
_kept: dict[tuple[object, int], Three] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """P10, P50 and P90 in USD: per month (arrays) or of a total (arrays of shape ())."""

    p10: Floats
    p50: Floats
    p90: Floats

    @classmethod
    def of(cls, found: Sequence[Three] | Three) -> Band:
        """Of one row's percentiles, or of those of several months."""
        columns = np.array(found).T
        return cls(p10=np.asarray(columns[0]), p50=np.asarray(columns[1]), p90=np.asarray(columns[2]))


def percentiles(ordered: Floats) -> Three:
    """P10, P50, P90 of sorted values, interpolated between neighbours as numpy does by default."""
    found = []
    for share in PERCENTILES:
        place = share * (ordered.size - 1)
        below = int(place)
        low, high = float(ordered[below]), float(ordered[min(below + 1, ordered.size - 1)])
        found.append(low + (high - low) * (place - below))
    return found[0], found[1], found[2]


def share_above(values: Floats, limit: float) -> float:
    """Share of values above a limit; NaN where they are unknown."""
    return float("nan") if np.isnan(values[0]) else float(np.count_nonzero(values > limit)) / values.size


def month_percentiles(bill: PathBill, drawn: Paths, month: int) -> Three:
    """P10, P50, P90 of a bill in a month, in USD."""
    if bill.unit is None:
        return percentiles(np.sort(bill.row(month)))
    unit, row, scale = bill.unit(month), drawn.row(month), drawn.scale[month]
    low, middle, high = _unit_percentiles(row, unit.usd, unit.key)
    return low * scale + bill.fixed_usd, middle * scale + bill.fixed_usd, high * scale + bill.fixed_usd


def _unit_percentiles(row: Row, unit_usd: Floats, unit_key: int) -> Three:
    key = (row.key, unit_key)
    known = None if row.key is None else _kept.get(key)
    if known is not None:
        return known
    # Sorting one row in the cache is faster than asking for three percentiles of the whole block.
    values = row.factors * unit_usd
    values.sort()
    found = percentiles(values)
    if row.key is not None:
        if len(_kept) >= KEPT:
            _kept.clear()
        _kept[key] = found
    return found


def path_totals(bill: PathBill, drawn: Paths, months: int) -> Floats:
    """USD of each path over all months."""
    total = np.zeros_like(drawn.input_factor)
    if bill.unit is None:
        for month in range(months):
            total += bill.row(month)
        return total
    by_unit: dict[int, list[int]] = {}
    for month in range(months):
        by_unit.setdefault(bill.unit(month).key, []).append(month)
    for held in by_unit.values():
        total += drawn.summed(held) * bill.unit(held[0]).usd
    return total + bill.fixed_usd * months
