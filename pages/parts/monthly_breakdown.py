"""What is the cost of one way made of, and which uncertain input moves it most?"""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.costs.monthly import WayResult
from core.costs.monthly_tornado import Swing, tornado
from pages.parts import charts
from pages.parts.monthly_charts import plain_money
from pages.parts.planning import Plan
from pages.parts.state import fmt, tr
from pages.parts.widgets import months_text

PATTERNS = ("", "/", "\\", "x", ".", "-", "|", "+")
"""So that components are told apart without colour."""


def parts_chart(plan: Plan, way: WayResult) -> None:
    """Stacked components of one way by month, as planned."""
    palette = charts.palette()
    days = [day.isoformat() for day in plan.simulation.starts]
    drawn = [(name, values) for name, values in way.lines_usd.items() if np.nansum(np.abs(values))]
    bars = [
        {
            "type": "bar", "x": days, "y": charts.amounts(values), "name": tr(f"monthly_cost.component_{name}"),
            "marker": {"color": palette[place % 10], "pattern": {"shape": PATTERNS[place % len(PATTERNS)]}},
        }
        for place, (name, values) in enumerate(drawn)
    ]  # fmt: skip
    stacked = np.nansum([values for _, values in drawn], axis=0) * fmt().per_usd
    layout = {
        "barmode": "relative", "xaxis": {"tickformat": "%Y-%m", "dtick": "M1" if len(days) < 7 else None},
        "yaxis": charts.ticks(np.atleast_1d(stacked)),
    }  # fmt: skip
    fig = charts.figure(bars, layout, show_legend=True)
    sums = {name: float(np.nansum(values)) for name, values in way.lines_usd.items()}
    largest = max(sums, key=sums.__getitem__)
    share = sums[largest] / max(sum(usd for usd in sums.values() if usd > 0), 1e-300)
    title = tr(
        "monthly_cost.parts_title_discount" if min(sums.values()) < 0 else "monthly_cost.parts_title",
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
    names = [tr(f"monthly_cost.input_{swing.input}") for swing in swings][::-1]
    base = swings[0].planned_usd
    bars = []
    for key, place, pick in (("at_p10", 1, _low), ("at_p90", 0, _high)):
        ends = [pick(swing) for swing in swings][::-1]
        bars.append({
            "type": "bar", "orientation": "h", "y": names, "base": [base * fmt().per_usd] * len(names),
            "x": [(end - base) * fmt().per_usd for end in ends], "name": tr(f"monthly_cost.{key}"),
            "marker": {"color": charts.palette()[place]}, "customdata": [fmt().money_short(end) for end in ends],
            "hovertemplate": "%{y}: %{customdata}<extra></extra>",
        })  # fmt: skip
    ends = [end * fmt().per_usd for swing in swings for end in (swing.at_p10_usd, swing.at_p90_usd)]
    layout = {
        "barmode": "overlay", "xaxis": charts.ticks(ends, from_zero=False),
        "shapes": [charts.line_across(x=base * fmt().per_usd)],
    }  # fmt: skip
    fig = charts.figure(bars, layout, height_px=120 + 34 * len(swings), show_legend=True)
    widest = swings[0]
    low, high = sorted((widest.at_p10_usd, widest.at_p90_usd))
    title = tr(
        "monthly_cost.moves_title",
        input=tr(f"monthly_cost.input_{widest.input}"),
        name=way.name,
        low=plain_money(low),
        high=plain_money(high),
    )
    unit = tr("monthly_cost.moves_unit", symbol=fmt().symbol, months=months_text(len(plan.simulation.starts)))
    charts.show(fig, title=title, unit=unit, key="monthly_cost_moves_chart")


def _low(swing: Swing) -> float:
    return swing.at_p10_usd


def _high(swing: Swing) -> float:
    return swing.at_p90_usd
