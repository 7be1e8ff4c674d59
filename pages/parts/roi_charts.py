"""How do the running sum, the waterfall and the sensitivity grid of a switch look?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.costs.roi_plan import Switch, running_sums, sensitivity
from pages.parts import charts
from pages.parts.roi_case import Case
from pages.parts.state import fmt, tr

# Savings and overspending, each readable on its theme's background; the sign in the label says the same.
_SAVE = {"light": "#1B7F3B", "dark": "#7BD88F"}
_SPEND = {"light": "#B3261E", "dark": "#FF9E93"}

_TEXT = {"light": "#1B2430", "dark": "#E6EAF0"}
_EDGE = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
HUGE_SHARE = 10_000.0
SUM_DIGITS = 7  # what a point says when pointed at


def _theme() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"


def payback_text(months: float | None) -> str:
    """`5.7 months`, `at once`, or `never`."""
    if months is None or np.isnan(months):
        return tr("roi.never")
    if months == 0:
        return tr("roi.at_once")
    return tr("roi.months", count=fmt().number(months, 1) if months >= 0.1 else "<0.1")


def percent(share: float | None) -> str:
    """A return in percent; one beyond `HUGE_SHARE` in words, since its digits would say nothing."""
    if share is not None and abs(share) > HUGE_SHARE:
        return tr("roi.beyond", limit=fmt().percent(HUGE_SHARE))
    return fmt().percent(share, 1)


def cumulative(case: Case) -> None:
    """The running sum with its band and the month of payback marked."""
    switch, show = case.switch, fmt()
    plain, discounted = running_sums(switch)
    months = list(range(switch.months + 1))
    named = list(charts.month_places(len(months)))
    colour, other = charts.palette()[2], charts.palette()[1]
    data: list[dict[str, Any]] = []
    if case.band is not None:
        low, high = ({"x": months, "y": charts.amounts(values, SUM_DIGITS)} | _EDGE for values in case.band)
        data = [low, high | {"fill": "tonexty", "fillcolor": charts.see_through(colour, 0.15)}]
    for values, name, dash, shade in (
        (plain, tr("roi.running"), "solid", colour),
        (discounted, tr("roi.running_discounted"), "dash", other),
    ):
        data.append({
            "x": months, "y": charts.amounts(values, SUM_DIGITS), "mode": "lines", "name": name,
            "line": {"dash": dash, "color": shade}, "hovertemplate": f"{name}: {show.symbol}%{{y:,.0f}}<extra></extra>",
        })  # fmt: skip
    marks, notes = _payback_mark(switch.report.payback_months, colour)
    reached = np.concatenate([plain, discounted, *(case.band or ())]) * show.per_usd
    layout = {
        "hovermode": "x unified", "shapes": [charts.line_across(y=0)], "annotations": notes,
        "xaxis": {
            "title": {"text": tr("roi.axis_month")}, "range": [-0.2, switch.months + 0.2],
            "tickvals": named, "ticktext": [str(month) for month in named],
        },
        "yaxis": charts.ticks(reached),
    }  # fmt: skip
    fig = charts.figure([*data, *marks], layout, show_legend=True)
    unit = tr("roi.cumulative_unit" if case.band is None else "roi.cumulative_unit_band", unit=show.symbol)
    charts.show(fig, title=cumulative_title(switch), unit=unit, key="roi_cumulative")


def _payback_mark(months: float | None, colour: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The point on the line of zero and what is written over it."""
    if months is None:
        return [], []
    mark = {
        "x": [months], "y": [0], "mode": "markers", "showlegend": False, "hoverinfo": "skip",
        "marker": {"symbol": "diamond", "size": 12, "color": colour},
    }  # fmt: skip
    note = {"x": months, "y": 0, "text": payback_text(months), "showarrow": True, "ax": 0, "ay": -28}
    return [mark], [note]


def cumulative_title(switch: Switch) -> str:
    """The takeaway of the running sum in one sentence."""
    months, show = switch.report.payback_months, fmt()
    left = show.money_short(abs(switch.report.net_usd))
    if months is None:
        return tr("roi.title_never", months=switch.months, left=left)
    if months < 1:
        key = "roi.title_at_once" if months == 0 else "roi.title_first_month"
        return tr(key, months=switch.months, left=left)
    return tr("roi.title_payback", payback=show.number(months, 1), months=switch.months, left=left)


def waterfall(switch: Switch) -> None:
    """From today's cost over the horizon to the new one, component by component."""
    show, mode = fmt(), _theme()
    steps = sorted(switch.steps, key=lambda step: step.change_usd)
    names = [switch.baseline.name, *(tr(f"roi.line_{step.component}") for step in steps), switch.new.name]
    changes = [step.change_usd for step in steps]
    values = [switch.baseline_tco_usd, *changes, switch.new_tco_usd]
    signed = [("+" if usd > 0 else "") + show.money_short(usd) for usd in changes]
    labels = [show.money_short(switch.baseline_tco_usd), *signed, show.money_short(switch.new_tco_usd)]
    bars = {
        "type": "waterfall", "orientation": "h", "y": [_short(name, place) for place, name in enumerate(names)],
        "x": charts.amounts(values), "measure": ["absolute", *["relative"] * len(steps), "total"],
        "text": labels, "textposition": "outside", "cliponaxis": False, "hoverinfo": "text",
        "increasing": {"marker": {"color": _SPEND[mode]}}, "decreasing": {"marker": {"color": _SAVE[mode]}},
        "totals": {"marker": {"color": charts.palette()[9]}}, "connector": {"line": {"color": "gray", "width": 1}},
    }  # fmt: skip
    # Room for the labels that stand outside the longest bar.
    running = np.cumsum([switch.baseline_tco_usd, *changes])
    widest = max(float(running.max()), 1e-9)
    start = min(0.0, float(running.min()) - 0.25 * widest)
    ends = (start * show.per_usd, 1.25 * widest * show.per_usd)
    layout = {"xaxis": {"range": ends} | charts.ticks(ends), "yaxis": {"autorange": "reversed"}}
    fig = charts.figure([bars], layout, height_px=80 + 44 * len(names))
    saved = switch.baseline_tco_usd - switch.new_tco_usd
    title = tr("roi.waterfall_saves" if saved >= 0 else "roi.waterfall_costs", amount=show.money_short(abs(saved)))
    charts.show(
        fig, title=title, unit=tr("roi.waterfall_unit", months=switch.months, unit=show.symbol), key="roi_waterfall",
        numbers=lambda: pd.DataFrame({tr("roi.col_item"): names, f"{tr('roi.col_amount')} ({show.symbol})": [
            value * show.per_usd for value in values]}),
    )  # fmt: skip


def _short(name: str, place: int) -> str:
    """A label that leaves room for the bars on a phone; its place keeps two equal ones apart."""
    shown = name if len(name) <= 18 else f"{name[:17]}…"
    return shown + "\u200b" * place


def grid(switch: Switch) -> None:
    """NPV and payback if savings and migration cost come out otherwise."""
    show, mode = fmt(), _theme()
    found = sensitivity(switch)
    texts = [
        [f"{show.money_short(npv)}<br>{_payback_short(payback)}" for npv, payback in zip(npvs, paybacks, strict=True)]
        for npvs, paybacks in zip(found.npv_usd.tolist(), found.payback_months.tolist(), strict=True)
    ]
    shades = [charts.see_through(_SPEND[mode], 0.25), charts.see_through(_SAVE[mode], 0.25)]
    rows = [show.percent(factor) for factor in found.saving_factors]
    columns = [f"×{factor:g}" for factor in found.migration_factors]
    cells = {
        "type": "heatmap", "z": np.where(found.npv_usd > 0, 1, 0), "zmin": 0, "zmax": 1, "x": columns, "y": rows,
        "text": texts, "texttemplate": "%{text}", "textfont": {"color": _TEXT[mode]}, "showscale": False, "xgap": 2,
        "ygap": 2, "colorscale": [[0, shades[0]], [0.5, shades[0]], [0.5, shades[1]], [1, shades[1]]],
        "hoverinfo": "skip",
    }  # fmt: skip
    axes = {
        f"{axis}axis": {"title": {"text": tr(f"roi.grid_{name}")}, "type": "category", "showgrid": False}
        for axis, name in (("x", "migration"), ("y", "savings"))
    }
    fig = charts.figure([cells], axes, height_px=110 + 46 * len(rows))
    good = int((found.npv_usd > 0).sum())
    charts.show(
        fig, title=tr("roi.grid_title", good=good, all=found.npv_usd.size), unit=tr("roi.grid_unit"), key="roi_grid"
    )


def _payback_short(months: float) -> str:
    if np.isnan(months):
        return tr("roi.never")
    if months == 0:
        return tr("roi.at_once")
    return tr("roi.months_short", count=fmt().number(months, 1) if months >= 0.1 else "<0.1")
