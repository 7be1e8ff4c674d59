"""How are the projected costs drawn: bands, running totals, components, and what moves them?"""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.costs.monthly import Simulation, WayResult
from core.costs.monthly_tornado import Swing, tornado
from core.costs.monthly_ways import Floats
from pages.parts import charts
from pages.parts.monthly_data import Plan, changes
from pages.parts.state import fmt, tr

LABELLED_LINES = 5
BANDED_LINES = 4
LABEL_GAP = 0.07
LABEL_LINE_CHARS = 18
BAND_OPACITY = 0.14
MAX_TICKS = 7


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


def shown(values: Floats) -> list[float | None]:
    """USD amounts in the reader's currency, four significant digits, gaps where unknown."""
    factor = fmt().per_usd
    return [None if np.isnan(value) else float(f"{value * factor:.4g}") for value in np.atleast_1d(values)]


def band_chart(plan: Plan) -> None:
    """Median and P10 to P90 of each way by month, with the budget and announced price changes."""
    simulation = plan.simulation
    fig = charts.figure(show_legend=len(simulation.ways) > LABELLED_LINES)
    lines = [(way, way.band.p10, way.band.p50, way.band.p90) for way in simulation.ways]
    _lines(fig, simulation, lines)
    if plan.workload.budget_usd_per_month is not None:
        fig.add_hline(
            y=fmt().convert(plan.workload.budget_usd_per_month),
            line={"dash": "dash", "width": 1, "color": "#808080"},
            annotation_text=tr("monthly_cost.budget_line"),
            annotation_position="top left",
        )
    middle_month = simulation.starts[len(simulation.starts) // 2]
    for month, names in changes(plan).items():
        place = simulation.starts.index(month)
        fig.add_vline(x=place, line={"dash": "dot", "width": 1, "color": "#808080"})
        fig.add_annotation(
            x=place, y=1, yref="paper", yanchor="bottom", showarrow=False,
            xanchor="left" if month < middle_month else "right", font={"size": 11},
            text=f"{tr('monthly_cost.price_change')}: {', '.join(names)[:40]}",
        )  # fmt: skip
    unit = tr("monthly_cost.chart_unit", symbol=fmt().symbol, paths=fmt().number(simulation.path_count))
    charts.show(fig, title=takeaway(simulation), unit=unit, key="monthly_cost_chart")


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
        months=len(simulation.starts),
    )


def plain_money(usd: float | None) -> str:
    """A short amount that Markdown does not take for a formula."""
    return fmt().money_short(usd).replace("$", r"\$")


def cumulative_chart(plan: Plan) -> None:
    """Running total of each way as planned, with its band."""
    simulation = plan.simulation
    fig = charts.figure(show_legend=len(simulation.ways) > LABELLED_LINES)
    lines = []
    for way in simulation.ways:
        band = simulation.cumulative_band(way.name)
        lines.append((way, band.p10, np.cumsum(way.planned_usd), band.p90))
    _lines(fig, simulation, lines)
    best = simulation.cheapest
    title = tr("monthly_cost.chart_title_unknown")
    if best is not None:
        title = tr(
            "monthly_cost.total_title",
            months=len(simulation.starts),
            name=best.name,
            amount=plain_money(best.total_usd),
        )
    charts.show(
        fig, title=title, unit=tr("monthly_cost.total_unit", symbol=fmt().symbol), key="monthly_cost_total_chart"
    )


def _lines(fig: go.Figure, simulation: Simulation, lines: Sequence[tuple[WayResult, Floats, Floats, Floats]]) -> None:
    """Bands first, so that no band hides a line. Months are categories: their names are sent once, not per point."""
    colour_of = colours(simulation)
    months = [month_text(day) for day in simulation.starts]
    traces: list[dict[str, object]] = []
    if len(lines) <= BANDED_LINES:
        for way, low, _, high in lines:
            ends: dict[str, object] = {"type": "scatter", "x0": months[0], "mode": "lines", "line": {"width": 0}}
            ends |= {"hoverinfo": "skip", "showlegend": False}
            fill = charts.see_through(colour_of[way.name], BAND_OPACITY)
            traces += [
                {**ends, "y": shown(low)},
                {**ends, "y": shown(high), "fill": "tonexty", "fillcolor": fill},
            ]
    for place, (way, _, middle, _) in enumerate(lines):
        line = {"color": colour_of[way.name], "dash": charts.DASHES[place % len(charts.DASHES)], "width": 2.5}
        traces.append(
            {
                "type": "scatter",
                "x0": months[0],
                "y": shown(middle),
                "name": way.name,
                "mode": "lines" if len(months) > 1 else "markers",
                "line": line,
                "hovertemplate": "%{x}: %{y:,.4~s}",
            }
        )
    fig.add_traces(traces)
    fig.update_layout(
        xaxis={"type": "category", "categoryarray": months, "categoryorder": "array", "nticks": MAX_TICKS},
        yaxis={"rangemode": "tozero", "tickformat": "~s"},
    )
    if len(months) > 1:
        fig.update_layout(xaxis_range=[0, len(months) - 1])
    if len(lines) <= LABELLED_LINES:
        _label_ends(fig, [(way.name, shown(middle)[-1], colour_of[way.name]) for way, _, middle, _ in lines])


def _label_ends(fig: go.Figure, ends: Sequence[tuple[str, float | None, str]]) -> None:
    """Names at the ends of lines, in the margin, moved apart where lines end close together."""
    known = sorted(((value, name, colour) for name, value, colour in ends if value is not None), reverse=True)
    gap, previous = max((value for value, _, _ in known), default=1.0) * LABEL_GAP, float("inf")
    notes = []
    for value, name, colour in known:
        previous = min(value, previous - gap)
        notes.append(
            {
                "x": 1, "xref": "paper", "y": previous, "text": "<br>".join(_wrapped(name)), "showarrow": False,
                "xanchor": "left", "xshift": 6, "font": {"color": colour, "size": 12}, "align": "left",
            }
        )  # fmt: skip
    longest = max((len(line) for _, name, _ in known for line in _wrapped(name)), default=0)
    fig.update_layout(
        margin={"l": 8, "r": 12 + 7 * longest, "t": 24, "b": 8},
        annotations=[*fig.layout.annotations, *notes],
    )


def _wrapped(name: str) -> list[str]:
    """A name in at most two lines, so that it fits beside the chart of a phone."""
    return textwrap.wrap(name, LABEL_LINE_CHARS, max_lines=2, placeholder="…") or [""]


def parts_chart(plan: Plan, way: WayResult) -> None:
    """Stacked components of one way by month, as planned."""
    fig = charts.figure(show_legend=True)
    palette = charts.palette()
    days = [day.isoformat() for day in plan.simulation.starts]
    drawn = [(name, values) for name, values in way.lines_usd.items() if np.nansum(np.abs(values))]
    for place, (name, values) in enumerate(drawn):
        fig.add_bar(
            x=days, y=shown(values), name=tr(f"monthly_cost.component_{name}"), marker_color=palette[place % 10],
            marker_pattern_shape=["", "/", "\\", "x", ".", "-", "|", "+"][place % 8],
        )  # fmt: skip
    fig.update_layout(barmode="relative")
    fig.update_xaxes(tickformat="%Y-%m", dtick="M1" if len(days) < 7 else None)
    fig.update_yaxes(tickformat="~s")
    largest = max(way.lines_usd, key=lambda name: float(np.nansum(way.lines_usd[name])))
    share = float(np.nansum(way.lines_usd[largest])) / max(float(np.nansum(way.planned_usd)), 1e-300)
    title = tr(
        "monthly_cost.parts_title",
        name=way.name,
        share=fmt().percent(share),
        part=tr(f"monthly_cost.component_{largest}"),
    )
    charts.show(
        fig, title=title, unit=tr("monthly_cost.parts_unit", symbol=fmt().symbol), key="monthly_cost_parts_chart"
    )


def tornado_chart(plan: Plan, way: WayResult) -> None:
    """How far each uncertain input moves the total of one way."""
    swings = tornado(plan.workload, plan.way(way.name), start=plan.start, outlook=plan.outlook)
    if not swings:
        st.info(tr("monthly_cost.moves_title_none", name=way.name))
        return
    fig = charts.figure(height_px=120 + 34 * len(swings), show_legend=True)
    names = [tr(f"monthly_cost.input_{swing.input}") for swing in swings][::-1]
    for key, place, pick in (("at_p10", 1, _low), ("at_p90", 0, _high)):
        ends = [pick(swing) for swing in swings][::-1]
        base = swings[0].planned_usd
        fig.add_bar(
            orientation="h", y=names, base=[base * fmt().per_usd] * len(names),
            x=[(end - base) * fmt().per_usd for end in ends], name=tr(f"monthly_cost.{key}"),
            marker_color=charts.palette()[place], customdata=[fmt().money_short(end) for end in ends],
            hovertemplate="%{y}: %{customdata}<extra></extra>",
        )  # fmt: skip
    fig.add_vline(x=fmt().convert(swings[0].planned_usd), line={"width": 1, "color": "#808080"})
    fig.update_layout(barmode="overlay")
    fig.update_xaxes(tickformat="~s")
    widest = swings[0]
    low, high = sorted((widest.at_p10_usd, widest.at_p90_usd))
    title = tr(
        "monthly_cost.moves_title",
        input=tr(f"monthly_cost.input_{widest.input}"),
        name=way.name,
        low=plain_money(low),
        high=plain_money(high),
    )
    unit = tr("monthly_cost.moves_unit", symbol=fmt().symbol, months=len(plan.simulation.starts))
    charts.show(fig, title=title, unit=unit, key="monthly_cost_moves_chart")


def _low(swing: Swing) -> float:
    return swing.at_p10_usd


def _high(swing: Swing) -> float:
    return swing.at_p90_usd


def month_text(day: dt.date) -> str:
    """A month as every table and file writes it."""
    return f"{day:%Y-%m}"
