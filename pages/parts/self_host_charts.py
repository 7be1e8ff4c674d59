"""How do the bills of renting and calling grow with volume, and what moves the answer? The charts of "rent or call"."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np

from core.costs.api_bills import api_bill, api_cost_usd
from core.costs.conventions import Floats
from core.costs.model_shapes import model_shapes
from core.costs.selfhost import Machine
from core.costs.selfhost_ranking import speed_of
from core.costs.selfhost_tornado import Swing, tornado
from core.workload import Workload
from pages.parts import charts, tables
from pages.parts.fleet_inputs import Choices
from pages.parts.self_host_plan import Plan, columns_for
from pages.parts.state import catalog, fmt, tr

POINTS = 300
EVERY_ON_A_STRAIGHT_LINE = 23  # divides 299, so that both ends are drawn
MAX_CROSSINGS = 9
EVERY_ROW = 15
KEPT_SWINGS = 16
ROW_PX, FOOT_PX = 36, 50
NO_WIDTH = 0.005  # of the planned cost: a bar that would not be seen
FREE_USD = 1e-9  # a free model has a bill of 0, which no logarithmic axis shows


def volume_chart(plan: Plan, workload: Workload, title: str) -> None:
    """Monthly cost against requests per month, both logarithmic: the API, and the cheapest fleet of each volume."""
    if plan.best is None or plan.api is None:
        return
    middle = workload.requests_per_month
    volume = np.geomspace(max(100.0, middle / 300), min(1e11, middle * 300), POINTS)
    usd, choices = plan.candidates.cheapest_usd(workload, volume)
    rent, call = charts.amounts(usd), charts.amounts(api_cost_usd(plan.api.usd_per_request, workload, volume))
    lines, notes = _lines(charts.rounded(volume.tolist()), rent, call)
    # Below the lines and beside its own: above, it would lie on the name of the dearer way.
    here = {"x": float(np.log10(middle)), "y": 0, "yref": "y domain", "xanchor": "right", "yanchor": "bottom"}
    band = _band(plan, float(volume[-1]))
    layout = {
        "xaxis": charts.ticks(volume, is_log=True), "yaxis": charts.ticks([*rent, *call], is_log=True),
        "shapes": [*band, charts.line_across(x=middle, dash="dot", color=charts.palette()[9])],
        "annotations": [here | {"showarrow": False, "text": tr("self_host.you_are_here")}, *notes],
    }  # fmt: skip
    fig = charts.figure([*lines, *_crossings(plan, workload)], layout, log_x=True, log_y=True)
    shaded = f" {tr('self_host.chart_shaded')}" if band else ""
    charts.show(
        fig, title=title, unit=tr("self_host.chart_unit", symbol=fmt().symbol) + shaded, key="sh_chart",
        numbers=lambda: _numbers(volume, rent, call, [plan.candidates.machine(choice) for choice in choices]),
    )  # fmt: skip


def _lines(
    places: Sequence[float | None], rent: Sequence[float | None], call: Sequence[float | None]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Both lines, the fleet's with its steps, and their names at their ends."""
    lines: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
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
        # The lower line is named below it, where the lines meet the names would lie upon each other, and far enough
        # below for a steep line on a phone to pass above its name.
        end |= {"yanchor": "bottom"} if values[-1] == top else {"yanchor": "top", "yshift": -20}
        notes.append(end | {"showarrow": False, "text": label, "font": {"color": style["color"]}})
    return lines, notes


def _numbers(
    volume: Floats, rent: Sequence[float | None], call: Sequence[float | None], machines: Sequence[Machine]
) -> charts.Numbers:
    """The lines as a table, with the machine that is the cheapest for each volume."""
    per_month = tr("common.per_month")
    columns = [
        tables.Column(field="requests", label=tr("self_host.requests"), kind="number"),
        tables.amount_column("rent", tr("self_host.line_rent"), per_month),
        tables.amount_column("call", tr("self_host.line_call"), per_month),
        tables.Column(field="machine", label=tr("self_host.col_gpu")),
    ]
    rows = [
        {"requests": requests, "rent": rented, "call": called, "machine": machine_text(machine)}
        for requests, rented, called, machine in zip(volume, rent, call, machines, strict=True)
    ]
    return rows[::EVERY_ROW], columns


def machine_text(machine: Machine) -> str:
    """A machine by its GPUs."""
    return f"{fmt().number(machine.gpu_count)} × {machine.gpu_model}"


def _band(plan: Plan, end: float) -> list[dict[str, Any]]:
    """Where the lasting crossing lies when the throughput is at the ends of its band; open where a slow fleet never
    gets there.
    """
    fast, slow = (even.lasting if even else None for even in (plan.even_low, plan.even_high))
    is_never = slow is None and plan.even_high is not None and plan.even_high.always == "call"
    if fast is None or (slow is None and not is_never):
        return []
    x0, x1 = fast.requests_per_month, end if slow is None else slow.requests_per_month
    if not x0 < min(x1, end):
        return []
    fill = charts.see_through(charts.palette()[0], 0.12)
    return [{
        "type": "rect", "x0": x0, "x1": min(x1, end), "y0": 0, "y1": 1, "yref": "y domain", "fillcolor": fill,
        "line": {"width": 0},
    }]  # fmt: skip


def _crossings(plan: Plan, workload: Workload) -> list[dict[str, Any]]:
    """Diamonds where the cheaper way changes: the first ones, and the one that lasts."""
    if plan.even is None or plan.api is None:
        return []
    lasting = [plan.even.lasting] if plan.even.lasting else []
    places = sorted({one.requests_per_month for one in (*plan.even.crossings[:MAX_CROSSINGS], *lasting)})
    heights = api_cost_usd(plan.api.usd_per_request, workload, np.array(places))
    return [{
        "x": places, "y": charts.amounts(heights), "mode": "markers",
        "marker": {"size": 10, "symbol": "diamond", "color": charts.palette()[3]}, "name": tr("self_host.break_even"),
    }]  # fmt: skip


def tornado_chart(plan: Plan, choices: Choices, workload: Workload) -> None:
    """How far the fleet's monthly cost moves with each input alone."""
    if plan.best is None or plan.api is None:
        return
    show, best = fmt(), plan.best
    base = best.fleet.tco_usd_per_month
    swings = [
        one for one in _swings(plan, choices, workload, with_break_even=False) if _width(one, base) > NO_WIDTH * base
    ]
    if not swings:
        return
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
    fig = charts.figure(bars, layout, height_px=FOOT_PX + ROW_PX * len(swings))
    charts.show(
        fig, title=tr("self_host.tornado_title", name=names[-1]), key="sh_tornado",
        unit=tr("self_host.tornado_unit", symbol=show.symbol),
        numbers=lambda: _swing_table(_swings(plan, choices, workload, with_break_even=True)),
    )  # fmt: skip


@lru_cache(maxsize=KEPT_SWINGS)
def _swings(plan: Plan, choices: Choices, workload: Workload, *, with_break_even: bool) -> Sequence[Swing]:
    if plan.best is None or plan.api is None:
        return ()
    best, now = plan.best, dt.datetime.now(dt.UTC)
    sheet, shape = catalog().llm.sheets()[plan.api.key], model_shapes()[choices.model_id]

    def usd_per_request(other: Workload) -> float | None:
        bill = api_bill(sheet, other, now)
        return bill.usd_per_request if bill else None

    return tornado(
        best.fleet.machine, workload, best.operations, usd_per_request,
        lambda other: speed_of(best, shape, choices.precision, other),
        machines_for=lambda other: columns_for(plan, choices, workload, other), with_break_even=with_break_even,
    )  # fmt: skip


def _width(swing: Swing, base_usd: float) -> float:
    return max(abs(swing.low_usd - base_usd), abs(swing.high_usd - base_usd))


def _swing_table(swings: Sequence[Swing]) -> charts.Numbers:
    per_month, mtok = tr("common.per_month"), tr("self_host.even_mtok")
    columns = [
        tables.Column(field="name", label=tr("self_host.swing")),
        tables.Column(field="low_usd", label=tr("self_host.swing_low"), kind="money", unit=per_month, digits=2),
        tables.Column(field="high_usd", label=tr("self_host.swing_high"), kind="money", unit=per_month, digits=2),
        tables.Column(field="low_break_even_mtok", label=f"{mtok} ↓", kind="number", digits=1),
        tables.Column(field="high_break_even_mtok", label=f"{mtok} ↑", kind="number", digits=1),
    ]
    return [asdict(swing) | {"name": tr(f"self_host.swing_{swing.name}")} for swing in swings], columns
