"""How do the bills of renting and calling grow with volume, and what moves the answer? The charts of "rent or call"."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.costs.selfhost import monthly_cost_usd
from core.costs.selfhost_break_even import tornado
from core.workload import Workload
from pages.parts import charts
from pages.parts.self_host_inputs import Choices
from pages.parts.self_host_plan import Plan
from pages.parts.state import fmt, tr

POINTS = 300


def volume_chart(plan: Plan, choices: Choices, workload: Workload, title: str) -> None:
    """Monthly cost against requests per month, both logarithmic, steps drawn as steps."""
    if plan.machine is None or plan.api is None:
        return
    show = fmt()
    middle = workload.requests_per_month
    volume = np.geomspace(max(100.0, middle / 300), min(1e11, middle * 300), POINTS)
    rent = monthly_cost_usd(plan.machine, workload, choices.operations, volume) * show.per_usd
    call = volume * (1 + workload.retry_share) * plan.api.usd_per_request * show.per_usd
    axes = {
        "xaxis": charts.ticks(volume, is_log=True),
        "yaxis": charts.ticks([*rent, *call], is_log=True),
    }
    fig = charts.figure(layout=axes, log_x=True, log_y=True)
    _band(fig, plan)
    for name, values, shape, dash in (("rent", rent, "hv", "solid"), ("call", call, "linear", "dash")):
        fig.add_trace(
            go.Scatter(
                x=volume, y=values, mode="lines+text", name=tr(f"self_host.line_{name}"), textposition="top left",
                text=[""] * (POINTS - 1) + [tr(f"self_host.line_{name}")], cliponaxis=False,
                line={"color": charts.colour(name), "shape": shape, "dash": dash, "width": 2.5},
            )
        )  # fmt: skip
    fig.add_vline(
        x=middle,
        line={"dash": "dot", "width": 1, "color": charts.palette()[9]},
        annotation_text=tr("self_host.you_are_here"),
    )
    _mark_crossings(fig, plan)
    numbers = pd.DataFrame({tr("self_host.requests"): volume, "rent": rent, "call": call})[::15]
    charts.show(fig, title=title, unit=tr("self_host.chart_unit", symbol=show.symbol), key="sh_chart", numbers=numbers)


def _band(fig: go.Figure, plan: Plan) -> None:
    """Where the lasting crossing lies when the throughput is at the ends of its band."""
    ends = [even.lasting for even in (plan.even_low, plan.even_high) if even is not None]
    known = [one.requests_per_month for one in ends if one is not None]
    if len(known) == 2 and known[0] != known[1]:
        fig.add_vrect(
            x0=min(known), x1=max(known), line_width=0, fillcolor=charts.see_through(charts.palette()[0], 0.12)
        )


def _mark_crossings(fig: go.Figure, plan: Plan) -> None:
    if plan.even is None or plan.api is None:
        return
    show = fmt()
    crossings = plan.even.crossings[:9]
    fig.add_trace(
        go.Scatter(
            x=[one.requests_per_month for one in crossings],
            y=[one.requests_per_month * plan.api.usd_per_request * show.per_usd for one in crossings],
            mode="markers",
            marker={"size": 10, "symbol": "diamond", "color": charts.palette()[3]},
            name=tr("self_host.break_even"),
        )
    )


def tornado_chart(plan: Plan, choices: Choices, workload: Workload) -> None:
    """How far the fleet's monthly cost moves with each input alone."""
    if plan.machine is None or plan.api is None:
        return
    show = fmt()
    swings = tornado(plan.machine, workload, choices.operations, plan.api.usd_per_request)
    base = plan.best.fleet.tco_usd_per_month if plan.best else 0.0
    names = [tr(f"self_host.swing_{swing.name}") for swing in swings][::-1]
    fig = charts.figure(height_px=300)
    for place, part in ((2, "low"), (0, "high")):
        values = [(getattr(swing, f"{part}_usd") - base) * show.per_usd for swing in swings][::-1]
        fig.add_trace(
            go.Bar(
                y=names, x=values, base=base * show.per_usd, orientation="h", name=tr(f"self_host.swing_{part}"),
                marker={"color": charts.palette()[place]},
            )
        )  # fmt: skip
    ends = [usd * show.per_usd for swing in swings for usd in (swing.low_usd, swing.high_usd)]
    fig.update_layout(barmode="overlay", xaxis=charts.ticks(ends, from_zero=False))
    mtok = tr("self_host.even_mtok")
    numbers = pd.DataFrame(
        {
            tr("self_host.swing"): [tr(f"self_host.swing_{swing.name}") for swing in swings],
            tr("self_host.swing_low"): [show.money(swing.low_usd) for swing in swings],
            tr("self_host.swing_high"): [show.money(swing.high_usd) for swing in swings],
            f"{mtok} ↓": [show.compact(swing.low_break_even_mtok) for swing in swings],
            f"{mtok} ↑": [show.compact(swing.high_break_even_mtok) for swing in swings],
        }
    )
    charts.show(
        fig, title=tr("self_host.tornado_title", name=names[-1]), unit=tr("self_host.tornado_unit", symbol=show.symbol),
        key="sh_tornado", numbers=numbers,
    )  # fmt: skip
