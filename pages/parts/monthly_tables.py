"""What do the tables of the monthly cost page hold: one row per way, one per month, one per line of arithmetic?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.costs.monthly import Note, Simulation, WayResult
from core.costs.monthly_reasons import Reason, Why, why
from core.money import significant_decimals
from pages.parts import tables, widgets
from pages.parts.monthly_charts import month_text
from pages.parts.planning import Plan
from pages.parts.state import fmt, tr
from pages.parts.tables import Column

Rows = list[dict[str, Any]]
SMALL_USD = 10.0
"""Amounts below it need more decimals than a table has otherwise."""


def known(value: float | None) -> float | None:
    """None for what is not a number."""
    return None if value is None or not np.isfinite(value) else float(value)


def money_digits(amounts_usd: Iterable[float | None], *, least: int) -> int:
    """Decimals that leave three significant digits of the smallest amount, as cards do; `least` or more."""
    sizes = [abs(usd) for usd in amounts_usd if usd is not None and np.isfinite(usd) and usd]
    return max(least, significant_decimals(min(sizes))) if sizes and min(sizes) < SMALL_USD else least


def summary_columns(rows: Rows, has_budget: bool) -> list[Column]:
    """Columns of the table of ways, for its rows."""
    plans = money_digits((row[name] for row in rows for name in ("first", "last", "total")), least=2)
    bands = money_digits((row[name] for row in rows for name in ("p10", "p90")), least=0)
    columns = [
        Column(field="way", label=tr("monthly_cost.way"), width="medium"),
        Column(field="first", label=tr("monthly_cost.first_month"), kind="money", digits=plans),
        Column(field="last", label=tr("monthly_cost.last_month"), kind="money", digits=plans),
        Column(field="total", label=tr("common.total"), kind="money", digits=plans),
        Column(field="p10", label=tr("monthly_cost.p10"), kind="money", digits=bands),
        Column(field="p90", label=tr("monthly_cost.p90"), kind="money", digits=bands),
        Column(field="saving", label=tr("monthly_cost.vs_baseline"), kind="share", digits=1),
    ]
    if has_budget:
        columns.append(Column(field="over", label=tr("monthly_cost.over_budget"), kind="share", digits=0))
    return columns


def summary_rows(simulation: Simulation, baseline: WayResult | None) -> Rows:
    """One row per way, the cheapest first; unknown totals last."""
    ordered = sorted(simulation.ways, key=lambda way: (way.total_usd is None, way.total_usd or 0.0))
    return [
        {
            "way": way.name,
            "first": known(way.planned_usd[0]),
            "last": known(way.planned_usd[-1]),
            "total": way.total_usd,
            "p10": None if way.total_band is None else three_digits(float(way.total_band.p10)),
            "p90": None if way.total_band is None else three_digits(float(way.total_band.p90)),
            "saving": saving_share(way, baseline),
            "over": way.total_over_budget_share,
        }
        for way in ordered
    ]


def three_digits(usd: float) -> float:
    """In the reader's currency; percentiles move by a percent between seeds, so more digits would not be true."""
    per_usd = fmt().per_usd
    return float(f"{usd * per_usd:.3g}") / per_usd


def saving_share(way: WayResult, baseline: WayResult | None) -> float | None:
    """Part of the baseline's total that this way saves; negative when it is dearer."""
    if way.total_usd is None or baseline is None or not baseline.total_usd:
        return None
    return 1 - way.total_usd / baseline.total_usd


def month_columns(simulation: Simulation, *, with_percentiles: bool = False) -> list[Column]:
    """Columns of the table of months: the plan of each way, and for the file its P10 and P90."""
    columns = [
        Column(field="month", label=tr("common.month"), pinned=True, width="small"),
        Column(field="requests", label=tr("monthly_cost.requests"), kind="number"),
    ]
    digits = money_digits((usd for way in simulation.ways for usd in way.planned_usd.tolist()), least=2)
    for place, way in enumerate(simulation.ways):
        columns.append(Column(field=f"plan{place}", label=way.name, kind="money", digits=digits))
    for place, way in enumerate(simulation.ways if with_percentiles else ()):
        columns.append(Column(field=f"low{place}", label=f"{way.name} {tr('monthly_cost.p10')}", kind="money"))
        columns.append(Column(field=f"high{place}", label=f"{way.name} {tr('monthly_cost.p90')}", kind="money"))
    columns.insert(2, Column(field="cheapest", label=tr("monthly_cost.cheapest_way"), width="medium"))
    return columns


def month_rows(simulation: Simulation, *, with_percentiles: bool = False) -> Rows:
    """One row per month, for `month_columns`."""
    rows: Rows = []
    for month, day in enumerate(simulation.starts):
        row: dict[str, Any] = {"month": month_text(day), "requests": float(simulation.requests[month])}
        priced = [
            (way.planned_usd[month], way.name) for way in simulation.ways if known(way.planned_usd[month]) is not None
        ]
        row["cheapest"] = min(priced)[1] if priced else None
        for place, way in enumerate(simulation.ways):
            row[f"plan{place}"] = known(way.planned_usd[month])
            if with_percentiles:
                row[f"low{place}"] = _rounded(way.band.p10[month])
                row[f"high{place}"] = _rounded(way.band.p90[month])
        rows.append(row)
    return rows


def _rounded(value: float) -> float | None:
    return None if known(value) is None else three_digits(float(value))


def note_text(note: Note) -> str:
    """One sentence about a figure's limits."""
    first, last = (month_text(day) for day in note.months) if note.months else ("", "")
    subject = fmt().compact(float(note.subject)) if note.kind == "volume_capped" else note.subject
    return tr(f"monthly_cost.note_{note.kind}", subject=subject, first=first, last=last)


def show_notes(simulation: Simulation, refused: Sequence[str]) -> None:
    """Everything a reader must know about the figures, in one quiet box."""
    notes = [*simulation.notes, *(note for way in simulation.ways for note in way.notes)]
    sentences = dict.fromkeys([*refused, *(note_text(note) for note in notes)])
    if sentences:
        st.caption("  \n".join(f":material/info: {widgets.plain(sentence)}" for sentence in sentences))


def pick_way(plan: Plan, *, key: str) -> str:
    """The name of the way to look at closely; the cheapest one until another is chosen."""
    names, best = [way.name for way in plan.ways], plan.simulation.cheapest
    first = names.index(best.name) if best is not None else 0
    chosen = st.selectbox(tr("monthly_cost.pick_way"), names, index=first, key=key)
    return chosen if chosen in names else names[first]


def show_why(plan: Plan) -> None:
    """The arithmetic of one month of one way."""
    left, right = st.columns(2)
    with left:
        name = pick_way(plan, key="monthly_cost_why_way")
    starts = plan.simulation.starts
    month = right.selectbox(
        tr("monthly_cost.pick_month"), range(len(starts)), key="monthly_cost_why_month",
        format_func=lambda place: month_text(starts[place]),
    )  # fmt: skip
    if not isinstance(month, int) or month >= len(starts):
        return
    found = why(plan.workload, plan.way(name), month, start=plan.start, outlook=plan.outlook)
    show = fmt()
    st.markdown(
        tr(
            "monthly_cost.why_requests",
            month=month_text(found.month),
            first=show.number(found.requests_first_month),
            growth=show.number(found.growth_factor, 4),
            season=show.number(found.season_factor, 4),
            retry=show.number(found.retry_factor, 4),
            requests=show.number(found.requests, 1),
        )
    )
    if found.price_level != 1:
        st.markdown(tr("monthly_cost.why_level", level=show.percent(found.price_level, 1)))
    tables.table(
        why_rows(found), why_columns(), key="monthly_cost_why_table", alt=tr("monthly_cost.why_alt"), height="content"
    )
    if found.total_usd is None:
        st.warning(tr("monthly_cost.why_unknown", month=month_text(found.month)))
    else:
        st.markdown(tr("monthly_cost.why_total", amount=show.money(found.total_usd).replace("$", r"\$")))


def why_columns() -> list[Column]:
    """Columns of the arithmetic."""
    return [
        Column(field="part", label=tr("monthly_cost.part")),
        Column(field="model", label=tr("monthly_cost.model")),
        Column(field="processing", label=tr("monthly_cost.processing")),
        Column(field="mtok", label=tr("monthly_cost.mtok"), kind="number", digits=4),
        Column(field="price", label=tr("monthly_cost.price"), kind="money", unit="/Mtok", digits=4),
        Column(field="amount", label=tr("monthly_cost.amount"), kind="money", digits=4),
        Column(field="source", label=tr("monthly_cost.source")),
        Column(field="as_of", label=tr("monthly_cost.as_of"), kind="date"),
    ]


def processing_text(one: Reason) -> str:
    """How a line is processed, and whether at the dearer hours."""
    name = widgets.processing_text(one.processing)
    return f"{name}, {tr('monthly_cost.why_dear')}" if one.is_dear_hour else name


def why_rows(found: Why) -> Rows:
    """Metered lines, then the lines of the terms."""
    rows: Rows = [
        {
            "part": tr(f"monthly_cost.component_{one.component}"),
            "model": one.model,
            "processing": processing_text(one),
            "mtok": one.mtok,
            "price": one.usd_per_mtok,
            "amount": one.usd,
            "source": one.source,
            "as_of": one.as_of,
        }
        for one in found.reasons
    ]
    empty = {"model": None, "processing": None, "mtok": None, "price": None, "source": None, "as_of": None}
    for name, usd in found.other_lines_usd.items():
        rows.append({"part": tr(f"monthly_cost.component_{name}"), "amount": known(usd), **empty})
    return rows
