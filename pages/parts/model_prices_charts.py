"""How does a model's cost depend on the output share, and how did its price move? The page's two charts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.costs.api_bills import billed_mtok
from core.costs.monthly_outlook import month_starts
from core.costs.tokens_history import price_steps
from core.costs.tokens_shares import ShareCurves
from core.money import MICRO, TOKENS_PER_MTOK
from core.workload import Workload
from pages.parts import charts, line_ends, tables
from pages.parts.model_prices_bills import Bill, curves, now, sheets
from pages.parts.model_prices_data import COMPONENTS
from pages.parts.state import fmt, tr
from pages.parts.tables import Column

HISTORY_START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def output_share_chart(chosen: Sequence[Bill], workload: Workload) -> None:
    """Monthly bills of the shortlist when the same tokens are divided otherwise into input and output."""
    found = curves(workload, [one.key for one in chosen])
    if found is None:
        return
    lines = {key: [usd * fmt().per_usd for usd in line] for key, line in found.usd_per_month.items()}
    own = workload.output_tokens / (workload.input_tokens + workload.output_tokens)
    keys, amount = list(lines), "%{y:,.0f}" if fmt().currency == "KRW" else "%{y:,.2f}"
    data = [
        {
            "x": [share * 100 for share in found.shares], "y": lines[key], "name": _short(key), "mode": "lines",
            "line": _line(keys, number), "hovertemplate": f"%{{x:.1f}}%: {amount}<extra>{_short(key)}</extra>",
        }
        for number, key in enumerate(keys)
    ]  # fmt: skip
    heights = charts.ticks([value for line in lines.values() for value in line])
    layout = {
        "xaxis": {"ticksuffix": "%", "range": [0, 100]}, "yaxis": {"rangemode": "tozero"} | heights,
        "shapes": [charts.line_across(x=own * 100, dash="dot")],
    }  # fmt: skip
    tokens = fmt().compact(billed_mtok(workload) * TOKENS_PER_MTOK)
    charts.show(
        _named(data, layout, found.shares[-1] * 100),
        title=_takeaway(found, own),
        unit=tr("model_prices.share_unit", symbol=fmt().symbol, mtok=tokens),
        key="mp_share_chart",
        numbers=lambda: _numbers(found.shares, lines),
    )


def _numbers(shares: Sequence[float], lines: Mapping[str, Sequence[float]]) -> charts.Numbers:
    columns = [tables.Column(field="share", label=tr("model_prices.col_output_share"), kind="share", digits=1)]
    columns += [tables.amount_column(key, _short(key)) for key in lines]
    rows = [{"share": share} | {key: line[place] for key, line in lines.items()} for place, share in enumerate(shares)]
    return rows, columns


def _line(keys: Sequence[str], number: int) -> dict[str, Any]:
    """Colour and dashes of one model among those shown."""
    dash = charts.DASHES[number % len(charts.DASHES)]
    return {"color": charts.colour(keys[number], keys), "dash": dash, "width": 2}


def _named(data: list[dict[str, Any]], layout: dict[str, Any], end: Any) -> charts.Figure:
    """The lines with their names at `end`, or with a legend where there are too many."""
    if len(data) > line_ends.MOST_LINES:
        return charts.figure(data, layout, show_legend=True)
    ends = [(str(one["name"]), float(one["y"][-1]), str(one["line"]["color"])) for one in data]
    return charts.figure([*data, line_ends.labels(end, ends)], layout | {"margin": line_ends.margin(ends)})


def _months(begin: dt.date) -> dict[str, Any]:
    """Some of the months since then as the reader writes them; the year stands under the first of each."""
    last = now().date()
    count = (last.year - begin.year) * 12 + last.month - begin.month + 1
    inside = month_starts(begin.replace(day=1), count)[begin.day > 1 :]
    months = [inside[place] for place in charts.month_places(len(inside))]
    named, before = [], ""
    for month, year in map(fmt().month, months):
        named.append(month if year == before else f"{month}<br>{year}")
        before = year
    return {"tickvals": [month.isoformat() for month in months], "ticktext": named, "tickangle": 0}


def _takeaway(found: ShareCurves, own: float) -> str:
    name, share = _short(found.cheapest), _percent(own)
    if found.other is None or found.until is None:
        return tr("model_prices.share_title", name=name, share=share)
    until = _percent(found.until)
    return tr("model_prices.share_title_until", name=name, share=share, other=_short(found.other), until=until)


def _percent(share: float) -> str:
    """With a decimal, unless it is 0."""
    return fmt().percent(share, 0 if round(share * 1_000) % 10 == 0 else 1)


def history(chosen: Sequence[Bill]) -> None:
    """Steps of the shortlist's list prices since 2024, with their sources."""
    st.segmented_control(
        tr("model_prices.component"), COMPONENTS, key="mp_component", required=True,
        format_func=lambda name: tr(f"model_prices.component_{name}"),
    )  # fmt: skip
    component = str(st.session_state["mp_component"])
    data, rows = _price_steps(sorted(one.key for one in chosen), component)
    if not rows:
        st.caption(tr("model_prices.no_history"))
        return
    changes = len(rows) - len({row["name"] for row in rows})
    begin = min(line["x"][0] for line in data)
    layout = {
        "xaxis": _months(begin.date()) | {"range": [begin.isoformat(), now().isoformat()]},
        "yaxis": {"rangemode": "tozero"},
    }
    charts.show(
        _named(data, layout, now()),
        title=tr("model_prices.history_title", count=changes) if changes else tr("model_prices.history_none"),
        unit=tr("model_prices.history_unit", symbol=fmt().symbol),
        key="mp_history_chart",
    )
    columns = [
        Column(field="name", label=tr("model_prices.model"), pinned=True),
        Column(field="since", label=tr("model_prices.since"), kind="date"),
        Column(field="price", label=tr("model_prices.price"), kind="money", unit="/Mtok", digits=4),
        Column(field="layer", label=tr("model_prices.layer"), help=tr("model_prices.layer_help")),
        Column(field="source", label=tr("model_prices.source"), width="large"),
    ]
    tables.table(rows, columns, key="mp_history_table", alt=tr("model_prices.view_history"))


def _price_steps(keys: Sequence[str], component: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """One step line a model, and the same prices as rows with their layer and source."""
    data: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for number, key in enumerate(keys):
        steps = price_steps(sheets()[key], component, HISTORY_START, now())
        known = [(step.since, step.row) for step in steps if step.row is not None]
        rows += [
            {
                "name": _short(key),
                "since": since.date(),
                "price": row.micro_usd_per_mtok / MICRO,
                "layer": tr(f"model_prices.layer_{row.layer}"),
                "source": row.source,
            }
            for since, row in known
        ]
        if known:
            days = [since for since, _ in known] + [now()]
            prices = [row.micro_usd_per_mtok / MICRO * fmt().per_usd for _, row in known]
            data.append({
                "x": days, "y": [*prices, prices[-1]], "name": _short(key), "mode": "lines",
                "line": _line(keys, number) | {"shape": "hv"},
            })  # fmt: skip
    return data, rows


def _short(key: str) -> str:
    sheet = sheets().get(key)
    return key if sheet is None else sheet.name or sheet.model_id
