"""How do the bills of renting and calling grow with volume, and what moves the answer? The charts of "rent or call"."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.costs.api_bills import api_bill, api_cost_usd
from core.costs.model_shapes import model_shapes
from core.costs.selfhost import monthly_cost_usd
from core.costs.selfhost_ranking import speed_of
from core.costs.selfhost_tornado import Swing, tornado
from core.workload import Workload
from pages.parts import charts
from pages.parts.self_host_inputs import Choices
from pages.parts.self_host_plan import Plan
from pages.parts.state import catalog, fmt, tr

POINTS = 300
EVERY_ON_A_STRAIGHT_LINE = 23  # divides 299, so that both ends are drawn
MAX_CROSSINGS = 9
FREE_USD = 1e-9  # a free model has a bill of 0, which no logarithmic axis shows


def volume_chart(plan: Plan, workload: Workload, title: str) -> None:
    """Monthly cost against requests per month, both logarithmic, steps drawn as steps."""
    if plan.machine is None or plan.best is None or plan.api is None:
        return
    show = fmt()
    middle = workload.requests_per_month
    volume = np.geomspace(max(100.0, middle / 300), min(1e11, middle * 300), POINTS)
    rent = charts.amounts(monthly_cost_usd(plan.machine, workload, plan.best.operations, volume))
    call = charts.amounts(api_cost_usd(plan.api.usd_per_request, workload, volume))
    lines: list[dict[str, Any]] = []
    places = charts.rounded(volume)
    here = {"x": float(np.log10(middle)), "y": 1, "yref": "y domain", "xanchor": "left", "yanchor": "top"}
    notes = [here | {"showarrow": False, "text": tr("self_host.you_are_here")}]
    top = max(rent[-1] or 0.0, call[-1] or 0.0)
    straight = EVERY_ON_A_STRAIGHT_LINE
    for name, values, shape, dash, every in (
        ("rent", rent, "hv", "solid", 1),
        ("call", call, "linear", "dash", straight),
    ):
        label, style = tr(f"self_host.line_{name}"), {"color": charts.colour(name), "shape": shape, "dash": dash}
        points = {"x": places[::every], "y": values[::every]}
        lines.append(points | {"mode": "lines", "name": label, "line": style | {"width": 2.5}})
        # A text's place on a logarithmic axis is the logarithm, a shape's or point's is the value itself.
        end = {"x": 1, "xref": "x domain", "xanchor": "right", "y": float(np.log10(values[-1] or FREE_USD))}
        # The lower line is named below it: where the lines meet, the names would lie upon each other.
        end |= {"yanchor": "bottom"} if values[-1] == top else {"yanchor": "top", "yshift": -6}
        notes.append(end | {"showarrow": False, "text": label, "font": {"color": style["color"]}})
    layout = {
        "xaxis": charts.ticks(volume, is_log=True), "yaxis": charts.ticks([*rent, *call], is_log=True),
        "shapes": [*_band(plan), charts.line_across(x=middle, dash="dot", color=charts.palette()[9])],
        "annotations": notes,
    }  # fmt: skip
    fig = charts.figure([*lines, *_crossings(plan)], layout, log_x=True, log_y=True)
    charts.show(
        fig, title=title, unit=tr("self_host.chart_unit", symbol=show.symbol), key="sh_chart",
        numbers=lambda: pd.DataFrame({
            tr("self_host.requests"): volume, tr("self_host.line_rent"): rent, tr("self_host.line_call"): call,
        })[::15],
    )  # fmt: skip


def _band(plan: Plan) -> list[dict[str, Any]]:
    """Where the lasting crossing lies when the throughput is at the ends of its band."""
    ends = [even.lasting for even in (plan.even_low, plan.even_high) if even is not None]
    known = [one.requests_per_month for one in ends if one is not None]
    if len(known) != 2 or known[0] == known[1]:
        return []
    fill = charts.see_through(charts.palette()[0], 0.12)
    return [{
        "type": "rect", "x0": min(known), "x1": max(known), "y0": 0, "y1": 1, "yref": "y domain", "fillcolor": fill,
        "line": {"width": 0},
    }]  # fmt: skip


def _crossings(plan: Plan) -> list[dict[str, Any]]:
    if plan.even is None or plan.api is None:
        return []
    usd_per_request = plan.api.usd_per_request
    places = [one.requests_per_month for one in plan.even.crossings[:MAX_CROSSINGS]]
    return [{
        "x": places, "y": [place * usd_per_request * fmt().per_usd for place in places], "mode": "markers",
        "marker": {"size": 10, "symbol": "diamond", "color": charts.palette()[3]}, "name": tr("self_host.break_even"),
    }]  # fmt: skip


def tornado_chart(plan: Plan, choices: Choices, workload: Workload) -> None:
    """How far the fleet's monthly cost moves with each input alone."""
    if plan.machine is None or plan.best is None or plan.api is None:
        return
    show, best, now = fmt(), plan.best, dt.datetime.now(dt.UTC)
    sheet, shape = catalog().llm.sheets()[plan.api.key], model_shapes()[choices.model_id]

    def usd_per_request(other: Workload) -> float | None:
        bill = api_bill(sheet, other, now)
        return bill.usd_per_request if bill else None

    swings = tornado(
        plan.machine, workload, best.operations, usd_per_request,
        lambda other: speed_of(best, shape, choices.precision, other),
    )  # fmt: skip
    base = best.fleet.tco_usd_per_month
    names = [tr(f"self_host.swing_{swing.name}") for swing in swings][::-1]
    bars = [
        {
            "type": "bar", "orientation": "h", "y": names, "base": base * show.per_usd,
            "x": [(getattr(swing, f"{part}_usd") - base) * show.per_usd for swing in swings][::-1],
            "name": tr(f"self_host.swing_{part}"), "marker": {"color": charts.palette()[place]},
        }
        for place, part in ((2, "low"), (0, "high"))
    ]  # fmt: skip
    ends = [usd * show.per_usd for swing in swings for usd in (swing.low_usd, swing.high_usd)]
    layout = {"barmode": "overlay", "xaxis": charts.ticks(ends, from_zero=False)}
    charts.show(
        charts.figure(bars, layout, height_px=300), title=tr("self_host.tornado_title", name=names[-1]),
        unit=tr("self_host.tornado_unit", symbol=show.symbol), key="sh_tornado",
        numbers=lambda: _swing_table(swings),
    )  # fmt: skip


def _swing_table(swings: Sequence[Swing]) -> pd.DataFrame:
    show, mtok = fmt(), tr("self_host.even_mtok")
    return pd.DataFrame(
        {
            tr("self_host.swing"): [tr(f"self_host.swing_{swing.name}") for swing in swings],
            tr("self_host.swing_low"): [show.money(swing.low_usd) for swing in swings],
            tr("self_host.swing_high"): [show.money(swing.high_usd) for swing in swings],
            f"{mtok} ↓": [show.compact(swing.low_break_even_mtok) for swing in swings],
            f"{mtok} ↑": [show.compact(swing.high_break_even_mtok) for swing in swings],
        }
    )
