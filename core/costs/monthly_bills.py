"""How is each way billed, month by month: the planned bill by component, and the bill on every simulated path?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from core.costs.conventions import Floats
from core.costs.monthly_outlook import Outlook, plain_requests, price_level, within_band
from core.costs.monthly_paths import Paths
from core.costs.monthly_prices import (
    COMPONENTS,
    Lengths,
    PriceGap,
    RequestCost,
    plan_lengths,
    request_cost,
)
from core.costs.monthly_tiers import Period, price_periods
from core.costs.monthly_ways import FleetWay, MixPart, MixWay, ModelWay, Terms, Way, parts_of
from core.workload import Workload

NoteKind = Literal["no_price", "no_batch_price", "no_cache_read_price", "no_cache_write_price", "volume_capped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something a reader must know about a figure: what, about which model or way, in which months (from, to)."""

    kind: NoteKind
    subject: str
    months: tuple[dt.date, dt.date] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """USD that one priced request costs on each path, before fixed fees; units of equal `key` are equal."""

    usd: Floats
    key: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PathBill:
    """USD of each path in a month. A metered bill is priced requests times `unit(month)` plus `fixed_usd` a month."""

    row: Callable[[int], Floats]
    unit: Callable[[int], Unit] | None = None
    fixed_usd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """The planned bill of a way (months) and the function that gives its bill on simulated paths."""

    way: Way
    lines_usd: Mapping[str, Floats]
    planned_usd: Floats
    notes: tuple[Note, ...]
    on_paths: Callable[[Paths], PathBill]


def bill_of(way: Way, workload: Workload, outlook: Outlook, starts: Sequence[dt.date]) -> Bill:
    """The bill of any way over the months that begin on `starts`."""
    if isinstance(way, FleetWay):
        return _fleet_bill(way, plain_requests(workload, list(starts)))
    return _metered_bill(way, workload, outlook, list(starts))


def _fleet_bill(way: FleetWay, requests: Floats) -> Bill:
    planned = np.asarray(way.monthly_cost_usd(requests), dtype=np.float64)
    return Bill(
        way=way,
        lines_usd={"fleet": planned} if way.monthly_lines_usd is None else way.monthly_lines_usd(requests),
        planned_usd=planned,
        notes=(),
        on_paths=lambda paths: _fleet_paths(way, paths),
    )


def _fleet_paths(way: FleetWay, paths: Paths) -> PathBill:
    """A fleet's bill on each path, at the speed its machines have there."""
    cost_usd, at_speed_usd = way.monthly_cost_usd, way.cost_at_speed_usd
    if at_speed_usd is None or way.speed_band == (1.0, 1.0):
        return PathBill(row=lambda month: np.array(cost_usd(paths.requests(month)), dtype=np.float64))
    speed = within_band(*way.speed_band, paths.speed_scores)
    return PathBill(row=lambda month: np.array(at_speed_usd(paths.requests(month), speed), dtype=np.float64))


@dataclass(frozen=True, slots=True, kw_only=True)
class _PricedPart:
    """A model of a bill: its share of requests and the cost of a request in each period, None without a price."""

    model: ModelWay
    share: float
    periods: tuple[Period, ...]
    plan: tuple[RequestCost | None, ...]


def _metered_bill(way: ModelWay | MixWay, workload: Workload, outlook: Outlook, starts: list[dt.date]) -> Bill:
    notes: list[Note] = []
    parts = [_priced(part, workload, starts, notes) for part in parts_of(way)]
    priced_requests = plain_requests(workload, starts) * price_level(outlook, len(starts))
    metered = {name: priced_requests * _plan_line(parts, name, len(starts)) for name in COMPONENTS}
    lines = with_terms(metered, way.terms)
    return Bill(
        way=way,
        lines_usd=lines,
        planned_usd=np.sum(list(lines.values()), axis=0),
        notes=tuple(dict.fromkeys(notes)),
        on_paths=lambda paths: _metered_paths(way.terms, parts, workload, paths),
    )


def _priced(part: MixPart, workload: Workload, starts: list[dt.date], notes: list[Note]) -> _PricedPart:
    periods = price_periods(part.model.sheet, starts)
    plan: list[RequestCost | None] = []
    for period in periods:
        try:
            cost, fallbacks = request_cost(part.model, workload, plan_lengths(workload), period.at)
        except PriceGap:
            held = [day for day, share in zip(starts, period.month_shares, strict=True) if share > 0]
            notes.append(Note(kind="no_price", subject=part.model.name, months=(held[0], held[-1])))
            plan.append(None)
        else:
            notes.extend(Note(kind=kind, subject=part.model.name) for kind in fallbacks)
            plan.append(cost)
    return _PricedPart(model=part.model, share=part.share, periods=tuple(periods), plan=tuple(plan))


def _plan_line(parts: Sequence[_PricedPart], component: str, months: int) -> Floats:
    """USD per billed request of one component in each month, over all models; NaN where a price is missing."""
    found = np.zeros(months)
    for part in parts:
        for period, cost in zip(part.periods, part.plan, strict=True):
            held = np.array(period.month_shares)
            unit = np.nan if cost is None else float(getattr(cost, component))
            found[held > 0] += part.share * unit * held[held > 0]
    return found


def with_terms(metered: Mapping[str, Floats], terms: Terms) -> dict[str, Floats]:
    """Metered lines plus the lines of `terms`; lines that are zero by the terms are left out."""
    used: Floats = np.sum(list(metered.values()), axis=0)
    lines = dict(metered)
    if terms.discount_share:
        lines["discount"] = -terms.discount_share * used
    if terms.fee_share:
        lines["gateway_fee"] = terms.fee_share * (1 - terms.discount_share) * used
    if terms.fee_usd_per_month:
        lines["fixed_fee"] = np.full_like(used, terms.fee_usd_per_month)
    if terms.vat_share:
        lines["vat"] = terms.vat_share * np.sum(list(lines.values()), axis=0)
    return lines


def _metered_paths(terms: Terms, parts: Sequence[_PricedPart], workload: Workload, paths: Paths) -> PathBill:
    """Bill of each path. Cost per request is computed once per mix of price periods, not per month."""
    lengths = Lengths(
        input_factor=paths.input_factor, output_factor=paths.output_factor, cached_share=paths.cached_share
    )
    factor = (1 - terms.discount_share) * (1 + terms.fee_share) * (1 + terms.vat_share)
    fixed = terms.fee_usd_per_month * (1 + terms.vat_share)

    @cache
    def period_unit(part: int, period: int) -> Floats | float:
        if parts[part].plan[period] is None:
            return np.nan
        cost, _ = request_cost(parts[part].model, workload, lengths, parts[part].periods[period].at)
        return cost.total * (parts[part].share * factor)

    @cache
    def unit(weights: tuple[tuple[float, ...], ...]) -> Unit:
        held = [
            (period_unit(p, k), weight) for p, row in enumerate(weights) for k, weight in enumerate(row) if weight > 0
        ]
        usd = np.broadcast_to(sum((value * weight for value, weight in held), 0.0), paths.input_factor.shape)
        return Unit(usd=usd, key=hash(usd.tobytes()))

    @cache
    def unit_of(month: int) -> Unit:
        return unit(tuple(tuple(period.month_shares[month] for period in part.periods) for part in parts))

    def row(month: int) -> Floats:
        bill: Floats = paths.row(month).factors * unit_of(month).usd * paths.scale[month]
        return bill + fixed

    return PathBill(row=row, unit=unit_of, fixed_usd=fixed)
