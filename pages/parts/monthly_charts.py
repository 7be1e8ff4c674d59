"""How are the projected costs drawn: bands, running totals, components, and what moves them?"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.costs.conventions import Floats
from core.costs.monthly import Simulation, WayResult
from pages.parts import charts, line_ends, widgets
from pages.parts.planning import Plan, changes
from pages.parts.state import fmt, tr

Parts = dict[str, Any]

BANDED_LINES = 4
BAND_OPACITY = 0.14
HEADROOM = 1.05


def colours(simulation: Simulation) -> dict[str, str]:
    """A colour for each way: gateway and rent in their own hue, the first call in that of calls, others beyond."""
    palette, others = charts.palette(), 0
    found: dict[str, str] = {}
    for way in simulation.ways:
        if way.kind != "call":
            found[way.name] = charts.colour(way.kind)
            continue
        found[way.name] = palette[charts.ROLES["call"]] if others == 0 else palette[(2 + others) % len(palette)]
        others += 1
    return found


def band_chart(plan: Plan) -> None:
    """Median and P10 to P90 of each way by month, with the budget and announced price changes."""
    simulation = plan.simulation
    marks, notes = _marks(plan)
    lines = [(way, way.band.p10, way.band.p50, way.band.p90) for way in simulation.ways]
    fig = _lines(simulation, lines, marks, notes)
    unit = tr("monthly_cost.chart_unit", symbol=fmt().symbol, paths=fmt().number(simulation.path_count))
    charts.show(fig, title=takeaway(simulation), unit=unit, key="monthly_cost_chart")


def _marks(plan: Plan) -> tuple[list[Parts], list[Parts]]:
    """Lines across the chart for the budget and for months in which a price changes, and what is written on them."""
    starts = plan.simulation.starts
    marks: list[Parts] = []
    notes: list[Parts] = []
    grey = {"width": 1, "color": "#808080"}
    drawn = {"type": "line", "layer": "above"}
    if plan.workload.budget_usd_per_month is not None:
        budget = fmt().convert(plan.workload.budget_usd_per_month)
        across = {
            "x0": 0,
            "x1": 1,
            "xref": "paper",
            "y0": budget,
            "y1": budget,
            "line": grey | {"dash": "dash", "width": 2},
        }
        marks.append(drawn | across)
        notes.append({
            "x": 0, "xref": "paper", "xanchor": "left", "y": budget, "yanchor": "bottom", "showarrow": False,
            "bgcolor": charts.page_colour(),
            "text": f"{tr('monthly_cost.budget_line')} {fmt().money_short(plan.workload.budget_usd_per_month)}",
        })  # fmt: skip
    for month, names in changes(plan).items():
        place = starts.index(month)
        upright = {"x0": place, "x1": place, "y0": 0, "y1": 1, "yref": "paper", "line": grey | {"dash": "dot"}}
        marks.append(drawn | upright)
        notes.append({
            "x": place, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False, "font": {"size": 11},
            "xanchor": "left" if place < len(starts) // 2 else "right",
            "text": f"{tr('monthly_cost.price_change')}: {', '.join(names)[:40]}",
        })  # fmt: skip
    return marks, notes


def takeaway(simulation: Simulation) -> str:
    """The chart's title: which way is cheapest, and between which totals."""
    best = simulation.cheapest
    if best is None or best.total_band is None:
        return tr("monthly_cost.chart_title_unknown")
    key = "chart_title" if len(simulation.ways) > 1 else "chart_title_one"
    return tr(
        f"monthly_cost.{key}",
        name=best.name,
        low=plain_money(float(best.total_band.p10)),
        high=plain_money(float(best.total_band.p90)),
        months=widgets.months_text(len(simulation.starts)),
    )


def plain_money(usd: float | None) -> str:
    """A short amount that Markdown does not take for a formula."""
    return fmt().money_short(usd).replace("$", r"\$")


def cumulative_chart(plan: Plan) -> None:
    """Running total of each way as planned, with its band."""
    simulation = plan.simulation
    lines = []
    for way in simulation.ways:
        band = simulation.cumulative_band(way.name)
        lines.append((way, band.p10, np.cumsum(way.planned_usd), band.p90))
    fig = _lines(simulation, lines)
    best = simulation.cheapest
    title = tr("monthly_cost.chart_title_unknown")
    if best is not None:
        title = tr(
            "monthly_cost.total_title",
            months=widgets.months_text(len(simulation.starts)),
            name=best.name,
            amount=plain_money(best.total_usd),
        )
    charts.show(
        fig, title=title, unit=tr("monthly_cost.total_unit", symbol=fmt().symbol), key="monthly_cost_total_chart"
    )


def _lines(
    simulation: Simulation,
    lines: Sequence[tuple[WayResult, Floats, Floats, Floats]],
    marks: Sequence[Parts] = (),
    notes: Sequence[Parts] = (),
) -> charts.Figure:
    """Bands first, so that no band hides a line. Months are categories: their names are sent once, not per point."""
    colour_of = colours(simulation)
    months = [month_text(day) for day in simulation.starts]
    xaxis: Parts = {"type": "category", "categoryarray": months, "tickangle": 0}
    xaxis |= _month_ticks(simulation.starts) | {"range": [0, len(months) - 1] if len(months) > 1 else [-0.5, 0.5]}
    top = max(_heights(lines), default=0.0)
    yaxis: Parts = charts.ticks([top]) | (
        {"range": [0, *charts.rounded([top * HEADROOM])]} if 0 < top < math.inf else {}
    )
    # What all lines, bands and labels share is said once.
    style = {"mode": "lines" if len(months) > 1 else "markers", "hovertemplate": "%{x}: %{y:,.4~s}"}
    shared = style | {"x0": months[0], "line": {"width": 2.5}}
    defaults = {"shapedefaults": {"layer": "below", "line": {"width": 0}}}
    data: list[Parts] = [
        {
            "y": charts.amounts(middle), "name": way.name,
            "line": {"color": colour_of[way.name], "dash": charts.DASHES[place % len(charts.DASHES)]},
        }
        for place, (way, _, middle, _) in enumerate(lines)
    ]  # fmt: skip
    bands = _bands(lines, colour_of, top) if len(lines) <= BANDED_LINES else []
    layout: Parts = {
        "template": {"data": {"scatter": [shared]}, "layout": defaults}, "xaxis": xaxis, "yaxis": yaxis,
        "shapes": bands + list(marks), "annotations": list(notes),
    }  # fmt: skip
    if len(lines) <= line_ends.MOST_LINES:
        ends = [(way.name, charts.amounts(middle)[-1], colour_of[way.name]) for way, _, middle, _ in lines]
        data.append(line_ends.labels(months[-1], ends))
        layout["margin"] = line_ends.margin(ends)
    return charts.figure(data, layout, show_legend=len(lines) > line_ends.MOST_LINES)


def _month_ticks(starts: Sequence[dt.date]) -> Parts:
    """Some of the months; the year stands under the first of each."""
    places = list(charts.month_places(len(starts)))
    texts, before = [], ""
    for month, year in (fmt().month(starts[place]) for place in places):
        texts.append(month if year == before else f"{month}<br>{year}")
        before = year
    return {"tickvals": places, "ticktext": texts}


def _heights(lines: Sequence[tuple[WayResult, Floats, Floats, Floats]]) -> list[float]:
    """The amounts that the vertical axis must hold, in the shown currency."""
    per_usd = fmt().per_usd
    return [value * per_usd for _, _, middle, high in lines for part in (middle, high) for value in part.tolist()]


def _bands(
    lines: Sequence[tuple[WayResult, Floats, Floats, Floats]], colour_of: Mapping[str, str], top: float
) -> list[Parts]:
    """A filled area a way. Shapes, not traces: they are drawn in a third of the time."""
    found: list[Parts] = []
    for way, low, _, high in lines:
        fill = charts.see_through(colour_of[way.name], BAND_OPACITY)
        path = charts.area_path(charts.amounts(low), charts.amounts(high), top)
        if path:
            found.append({"type": "path", "path": path, "fillcolor": fill})
    return found


def month_text(day: dt.date) -> str:
    """A month as every table and file writes it."""
    return f"{day:%Y-%m}"
