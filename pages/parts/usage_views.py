"""How is spend drawn: by day, model, provider or outcome, what was wasted, and what another model would have cost?"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.gateway.diagnosis import topic_of
from core.usage.measure import what_if
from core.usage.rollup import Filters, Totals
from pages.parts import charts, tables, widgets
from pages.parts.state import catalog, fmt, tr
from pages.parts.tables import Column
from pages.parts.usage_data import Report, engine, prices_of

RIVALS = (
    "openai/gpt-4.1", "openai/gpt-4.1-mini", "openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5",
    "google/gemini-2.5-flash", "google/gemini-2.5-pro", "deepseek/deepseek-chat",
)  # fmt: skip
BARS = 12
DAY_TICKS = 5
DAY_MS = 86_400_000
WHAT_IF_MODELS = "usage_what_if"


def day_chart(report: Report) -> None:
    """Cost per day; the dearest day is the takeaway."""
    show = fmt()
    days = [row.day for row in report.days]
    costs = [show.convert(row.cost_usd) for row in report.days]
    dearest = max(report.days, key=lambda row: row.pico_usd)
    bars = {
        "type": "bar", "x": [day.isoformat() for day in days], "y": costs, "width": 0.8 * DAY_MS,
        "marker": {"color": charts.colour("gateway")}, "hovertemplate": "%{x|%Y-%m-%d}<br>%{y:,.4~g}",
    }  # fmt: skip
    layout = {"xaxis": _day_axis(days[0], days[-1]), "yaxis": {"rangemode": "tozero"} | charts.ticks(costs)}
    fig = charts.figure([bars], layout)
    title = tr("usage.day_title", day=show.date(dearest.day), cost=show.money_short(dearest.cost_usd))
    charts.show(fig, title=title, unit=tr("usage.day_unit", symbol=show.symbol), key="usage_day_chart")


def _day_axis(first: dt.date, last: dt.date) -> dict[str, Any]:
    """Every day has its place, some their name: Plotly would name hours between one or two days, in English."""
    count = (last - first).days + 1
    named = [first + dt.timedelta(days=place) for place in range(0, count, math.ceil(count / DAY_TICKS))]
    half = dt.timedelta(hours=12)
    ends = [dt.datetime.combine(first, dt.time()) - half, dt.datetime.combine(last, dt.time()) + half]
    return {
        "type": "date", "range": [end.isoformat() for end in ends], "tickangle": 0,
        "tickvals": [day.isoformat() for day in named], "ticktext": _day_names(named),
    }  # fmt: skip


def _day_names(days: Sequence[dt.date]) -> list[str]:
    """Month and day as the reader writes them; the year stands under the first of each."""
    names, before = [], 0
    for day in days:
        text = fmt().month_day(day)
        names.append(text if day.year == before else f"{text}<br>{day.year}")
        before = day.year
    return names


def group_chart(rows: Sequence[Totals], name: str) -> None:
    """Cost per model or provider, calls per outcome; the largest part is the takeaway."""
    show = fmt()
    is_count = name == "outcome"
    ranked = sorted(rows, key=lambda row: -(row.request_count if is_count else row.pico_usd))[:BARS]
    values = [row.request_count if is_count else show.convert(row.cost_usd) for row in ranked]
    labels = [label_of(row, name) for row in ranked]
    whole = sum(row.request_count if is_count else row.pico_usd for row in rows)
    first = ranked[0].request_count if is_count else ranked[0].pico_usd
    title = tr(f"usage.{name}_title", name=labels[0], share=show.percent(first / whole if whole else None))
    texts = [show.compact(row.request_count) if is_count else show.money_short(row.cost_usd) for row in ranked]
    bars = {
        "type": "bar", "x": values[::-1], "y": labels[::-1], "orientation": "h", "text": texts[::-1],
        "textposition": "outside", "cliponaxis": False, "marker": {"color": charts.colour("gateway")},
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }  # fmt: skip
    # Room for the longest bar's label.
    end = max((value or 0 for value in values), default=0) * 1.15 or 1
    fig = charts.figure([bars], {"xaxis": {"range": [0, end]} | charts.ticks([end])}, height_px=90 + 38 * len(ranked))
    unit = tr("usage.calls_unit") if is_count else tr("usage.group_unit", symbol=show.symbol)
    charts.show(fig, title=title, unit=unit, key=f"usage_{name}_chart")


def label_of(row: Totals, name: str) -> str:
    """What a group is called in the reader's language."""
    key = str(row.key[0])
    if name == "outcome":
        return tr(f"usage.outcome_{key}")
    return key or tr("usage.not_named")


def rows_of(rows: Sequence[Totals], name: str) -> list[dict[str, Any]]:
    """The groups as table rows, the dearest first (days in order)."""
    ranked = rows if name == "day" else sorted(rows, key=lambda row: -row.pico_usd)
    return [
        {
            "group": row.day if name == "day" else label_of(row, name),
            "cost": row.cost_usd,
            "known": tr("usage.cost_at_least" if row.is_lower_bound else "usage.cost_whole"),
            "calls": row.request_count,
            "input": row.input_tokens,
            "cached": row.cached_input_tokens / row.input_tokens if row.input_tokens else None,
            "output": row.output_tokens,
            "failovers": row.failover_count,
            "p50": row.latency_ms(0.5),
            "p95": row.latency_ms(0.95),
            "ttft": row.ttft_ms(0.5),
        }
        for row in ranked
    ]


def columns_of(name: str) -> list[Column]:
    """Columns of a grouped table. Groups by model and provider count attempts: each is billed where it was sent."""
    counted = "usage.attempts" if name in {"model", "provider"} else "usage.calls"
    columns = [
        Column(field="group", label=tr(f"usage.{name}"), kind="date" if name == "day" else "text", pinned=True),
        Column(field="cost", label=tr("usage.cost"), kind="money", digits=4),
        Column(field="known", label=tr("usage.at_least"), help=tr("usage.at_least_help")),
        Column(field="calls", label=tr(counted), kind="number"),
        Column(field="input", label=tr("usage.input_tokens"), kind="number"),
        Column(field="cached", label=tr("usage.cached"), kind="share"),
        Column(field="output", label=tr("usage.output_tokens"), kind="number"),
        Column(field="p50", label=tr("usage.latency_p50"), kind="number", unit="ms", help=tr("usage.latency_help")),
        Column(field="p95", label=tr("usage.latency_p95"), kind="number", unit="ms", help=tr("usage.latency_help")),
        Column(field="ttft", label=tr("usage.ttft_p50"), kind="number", unit="ms"),
    ]
    if counted == "usage.calls":
        columns.insert(4, Column(field="failovers", label=tr("usage.failovers"), kind="number"))
    return columns


def show_waste(report: Report) -> None:
    """Attempts that gave no whole answer: how many, why, and what they cost."""
    if not report.wasted:
        widgets.show_empty(tr("usage.no_waste"), tr("usage.no_waste_body"))
        return
    rows = [
        {
            "outcome": tr(f"usage.outcome_{row.key[0]}"),
            "error": tr(f"diagnosis.{topic_of(str(row.key[1]))}_title") if row.key[1] else "–",
            "model": str(row.key[2]) or tr("usage.not_named"),
            "attempts": row.request_count,
            "cost": row.cost_usd,
            "unknown": row.cost_unknown_count,
        }
        for row in sorted(report.wasted, key=lambda row: (-row.pico_usd, -row.request_count))
    ]
    columns = [
        Column(field="outcome", label=tr("usage.outcome")),
        Column(field="error", label=tr("usage.error")),
        Column(field="model", label=tr("usage.model")),
        Column(field="attempts", label=tr("usage.attempts"), kind="number"),
        Column(field="cost", label=tr("usage.cost"), kind="money", digits=4),
        Column(field="unknown", label=tr("usage.cost_unknown"), kind="number", help=tr("usage.cost_unknown_help")),
    ]
    st.caption(tr("usage.waste_help"))
    tables.table(rows, columns, key="usage_waste", alt=tr("usage.view_waste"), height="content")


def show_what_if(report: Report, filters: Filters) -> None:
    """The same tokens at the list prices of other models, cheapest first."""
    shelf = catalog()
    known = sorted(shelf.llm.sheets())
    chosen = st.multiselect(
        tr("usage.what_if_models"), known, default=[one for one in RIVALS if one in known], key=WHAT_IF_MODELS,
        max_selections=20,
    )  # fmt: skip
    paid = report.total.cost_usd
    found = what_if(engine(), chosen, lambda model, kind, size: prices_of(shelf, model, kind, size), filters)
    rows: list[dict[str, Any]] = [
        {
            "model": one.model,
            "cost": one.cost_usd,
            "change": float(one.cost_usd / paid) - 1 if one.cost_usd is not None and paid else None,
        }
        for one in sorted(found, key=lambda one: (one.cost_usd is None, one.cost_usd or 0))
    ]
    columns = [
        Column(field="model", label=tr("usage.model"), pinned=True),
        Column(field="cost", label=tr("usage.what_if_cost"), kind="money", digits=4),
        Column(field="change", label=tr("usage.what_if_change"), kind="share", digits=1),
    ]
    st.caption(tr("usage.what_if_help", paid=fmt().money(paid)))
    if rows:
        tables.table(rows, columns, key="usage_what_if_table", alt=tr("usage.view_what_if"), height="content")
