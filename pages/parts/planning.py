"""What does the monthly cost page simulate? Its own inputs in the address, and the simulation of this run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.costs.conventions import next_month
from core.costs.monthly import FleetWay, Outlook, Simulation, Way, WayResult, simulate
from core.costs.monthly_outlook import LIMITS
from core.costs.tokens_history import price_changes
from core.workload import Problem, Workload
from pages.parts import address, state, ways

PREFIX = "monthly_cost_"
VIEWS = ("months", "total", "parts", "moves", "why", "saved", "article")
VIEW, BASELINE, START = f"{PREFIX}view", f"{PREFIX}baseline", f"{PREFIX}start"
EARLIEST, LATEST = dt.date(2025, 1, 1), dt.date(2035, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything one drawing of the page needs."""

    workload: Workload
    ways: Sequence[Way]
    outlook: Outlook
    start: dt.date
    simulation: Simulation
    baseline: WayResult | None
    refused: Sequence[str]
    """Sentences about ways that could not be used."""

    def way(self, name: str) -> Way:
        """The way of that name."""
        return next(way for way in self.ways if way.name == name)


def first_full_month() -> dt.date:
    """The month after this one: the first that can still be planned as a whole."""
    return next_month(state.today())


def fields() -> tuple[address.Field, ...]:
    """The page's own inputs; spreads are in percent."""
    plain = Outlook()
    spreads = tuple(
        address.Field(
            key=f"{PREFIX}{name}",
            kind="float",
            default=round(getattr(plain, name) * 100, 6),
            low=low * 100,
            high=high * 100,
        )
        for name, (low, high) in LIMITS.items()
    )
    return (
        address.Field(key=VIEW, kind="choice", default=None, options=VIEWS),
        address.Field(key=BASELINE, kind="text", default="openai/gpt-4.1"),
        address.Field(key=START, kind="date", default=first_full_month()),
        *spreads,
    )


def take() -> list[Problem]:
    """Takes the page's inputs and the ways from the address; what had to be corrected."""
    _, problems = address.bind(fields())
    return problems + ways.take()


def labels() -> dict[str, str]:
    """The name of each field of `take`, for the sentence about one that was corrected."""
    names = {
        VIEW: "view", BASELINE: "baseline", START: "field_start", ways.MODELS: "models", ways.GATEWAY: "gateway",
        ways.FEE: "fee", ways.SHARE: "fee_share", ways.DISCOUNT: "discount", ways.VAT: "vat", ways.MIX: "mix",
        ways.RENT: "rent", **{f"{PREFIX}{name}": f"field_{name}" for name in LIMITS},
    }  # fmt: skip
    return {key: state.tr(f"monthly_cost.{name}") for key, name in names.items()}


def outlook() -> Outlook:
    """The uncertainty in force."""
    return outlook_of(st.session_state)


def outlook_of(values: Mapping[Any, Any]) -> Outlook:
    """The uncertainty that field values (percent, by parameter name) describe; unusable ones keep their default."""
    found = {}
    for name, (low, high) in LIMITS.items():
        value = values.get(f"{PREFIX}{name}")
        try:
            share = float(value) / 100  # type: ignore[arg-type]  # None raises TypeError, which is handled
        except (TypeError, ValueError):
            continue
        found[name] = min(max(share, low), high) if share == share else low
    return Outlook(**found)


def start() -> dt.date:
    """The first planned month, within what prices are known for."""
    chosen = st.session_state.get(START)
    day = chosen if isinstance(chosen, dt.date) else first_full_month()
    return min(max(day, EARLIEST), LATEST).replace(day=1)


def chosen_ways() -> tuple[list[Way], list[str]]:
    """The ways in force, each name once, and one sentence for each that could not be used."""
    found, refused = ways.current()
    unique = {way.name: way for way in reversed(found)}
    return [unique[name] for name in dict.fromkeys(way.name for way in found)], refused


def plan() -> Plan:
    """The plan of this run, simulated."""
    workload, start_day, unsure = state.workload(), start(), outlook()
    kept, refused = chosen_ways()
    simulation = simulate(workload, kept, start=start_day, outlook=unsure)
    return Plan(
        workload=workload, ways=kept, start=start_day, outlook=unsure, simulation=simulation,
        baseline=baseline_of(kept, simulation), refused=refused,
    )  # fmt: skip


def baseline_of(kept: Sequence[Way], simulation: Simulation) -> WayResult | None:
    """The result of `baseline_way`."""
    way = baseline_way(kept, {way.name: way.total_usd for way in simulation.ways})
    return simulation.way(way.name) if way else None


def baseline_way(kept: Sequence[Way], totals_usd: Mapping[str, float | None]) -> Way | None:
    """The way among these that savings are measured against: the chosen one, else the dearest by its planned total."""
    wanted = st.session_state.get(BASELINE)
    chosen = next((way for way in kept if ways.way_id(way) == wanted), None)
    known = [way for way in kept if totals_usd[way.name] is not None]
    return chosen or max(known, key=lambda way: totals_usd[way.name] or 0.0, default=None)


def parameters() -> dict[str, str]:
    """What a saved plan needs beyond the workload: ways, uncertainty, first month."""
    found = ways.parameters()
    for field in fields():
        value = st.session_state.get(field.key, field.default)
        if field.key != VIEW and value is not None and value != field.default:
            found[field.key] = value.isoformat() if isinstance(value, dt.date) else str(value)
    return found


def set_parameters(saved: Mapping[str, str]) -> None:
    """Puts a saved plan's parameters in force; call it in a callback."""
    problems: list[Problem] = []
    for field in fields():
        if field.key == VIEW:
            continue
        given = saved.get(field.key)
        address.set_value(field.key, field.default if given is None else address.parse(field, [given], problems))
    ways.set_parameters(saved)


def simulate_saved(workload: Workload, saved: Mapping[str, str], horizon_months: int | None = None) -> Simulation:
    """A saved plan simulated with its own ways and uncertainty, from its own first month."""
    found, _ = ways.from_parameters(saved, workload)
    try:
        begin = dt.date.fromisoformat(saved.get(START, ""))
    except ValueError:
        begin = first_full_month()
    unique = {way.name: way for way in found}
    changed = workload if horizon_months is None else replace(workload, horizon_months=horizon_months)
    return simulate(changed, list(unique.values()), start=begin, outlook=outlook_of(saved))


def sources(found: Sequence[Way], start_day: dt.date) -> list[tuple[str, dt.date | None]]:
    """Source and date of every price the ways use."""
    at = dt.datetime(start_day.year, start_day.month, 1, tzinfo=dt.UTC)
    rows = {
        (row.source, row.as_of)
        for sheet in ways.sheets_of(found)
        for row in sheet.rows
        if row.holds_at(at) and row.component in {"input", "output", "cache_read", "cache_write_5m"}
    }
    rows |= {source for way in found if isinstance(way, FleetWay) for source in way.sources}
    return sorted(rows, key=lambda row: (row[0], row[1] or dt.date.min))


def changes(plan_: Plan) -> dict[dt.date, list[str]]:
    """Price changes that the plan's months go by: month -> names of the models that change.

    One that is announced and begins with the first month or before it is counted there: today's bill is another.
    """
    starts, today = plan_.simulation.starts, state.today()
    found: dict[dt.date, list[str]] = {}
    for change in reversed(price_changes(ways.sheets_of(plan_.ways), EARLIEST)):
        month = change.day.replace(day=1)
        if starts[0] < month <= starts[-1] or (change.day > today and month <= starts[0]):
            found.setdefault(max(month, starts[0]), []).append(ways.label_of(change.model))
    return {month: list(dict.fromkeys(names)) for month, names in sorted(found.items())}


def announced(found: Sequence[Way], start_day: dt.date) -> list[str]:
    """A sentence for each model whose price changes between today and the end of the first month of a plan."""
    today, end = state.today(), next_month(start_day)
    soon = {(one.model, one.day) for one in price_changes(ways.sheets_of(found), today) if today < one.day < end}
    return [
        state.tr("monthly_cost.announced", model=ways.label_of(model), day=state.fmt().date(day))
        for model, day in sorted(soon)
    ]
