"""How do the running sum, the waterfall and the sensitivity grid of a switch look?"""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import streamlit as st

from core.costs.roi_plan import Grid, Switch, running_sums, sensitivity
from core.costs.roi_report import RoiReport
from pages.parts import charts, tables
from pages.parts.roi_case import Case
from pages.parts.state import fmt, tr
from pages.parts.widgets import months_text, plain

# Savings and overspending, each readable on its theme's background; the sign in the label says the same.
_SAVE = {"light": "#1B7F3B", "dark": "#7BD88F"}
_SPEND = {"light": "#B3261E", "dark": "#FF9E93"}

_EDGE = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
HUGE_SHARE = 10_000.0
ALL_LOST = -0.9995
"""A yearly rate below it would be written as -100.0 %, which no rate of return can be."""
LABEL_PX = 104
"""Room beside the running sums for their names."""
NAME_CHARS = 18
LABEL_ROOM = 1.45
"""How much longer the axis of the waterfall is than its bars, for the amounts beside them on a phone."""
SUM_DIGITS = 7  # what a point says when pointed at


def _theme() -> str:
    return "dark" if st.context.theme.type == "dark" else "light"


def payback_text(months: float | None, switch: Switch, *, saving_factor: float = 1.0, is_short: bool = False) -> str:
    """`5.7 months`, `at once`, and where it is not within the horizon `> 12 months`, or `never` where nothing is saved.

    None and NaN are not within the horizon. With another `saving_factor` the difference of the bills is that many times
    the planned one, and the fee stays.
    """
    if months is None or np.isnan(months):
        fee = switch.terms.fee_usd_per_month
        is_saving = (switch.savings_usd[-1] + fee) * saving_factor - fee > 0 if switch.months else False
        return f"> {months_text(switch.months)}" if is_saving else tr("roi.never")
    if months == 0:
        return tr("roi.at_once")
    count = fmt().number(months, 1) if months >= 0.1 else "<0.1"
    return tr("roi.months_short" if is_short else "roi.months", count=count)


def percent(share: float | None) -> str:
    """A return in percent; one beyond `HUGE_SHARE` either way in words, since its digits would say nothing."""
    if share is not None and abs(share) > HUGE_SHARE:
        key, limit = ("roi.beyond", HUGE_SHARE) if share > 0 else ("roi.under", -HUGE_SHARE)
        return tr(key, limit=fmt().percent(limit))
    return fmt().percent(share, 1)


def irr_text(report: RoiReport) -> str:
    """The rate of return a year; a dash when there is none or more than one."""
    rate = report.irr_per_year
    return tr("roi.under", limit=fmt().percent(-0.999, 1)) if rate is not None and rate < ALL_LOST else percent(rate)


def cumulative(case: Case) -> None:
    """The running sum with its band and the month of payback marked."""
    switch, show = case.switch, fmt()
    plain, discounted = running_sums(switch)
    months = list(range(switch.months + 1))
    named = list(charts.month_places(len(months)))
    colour, other = charts.palette()[2], charts.palette()[1]
    data: list[dict[str, Any]] = []
    marks, notes = _payback_mark(switch, colour)
    if case.band is not None:
        low, high = ({"x": months, "y": charts.amounts(values, SUM_DIGITS)} | _EDGE for values in case.band)
        data = [low, high | {"fill": "tonexty", "fillcolor": charts.see_through(colour, 0.15)}]
    is_above = plain[-1] >= discounted[-1]
    for values, name, dash, shade, side in (
        (plain, tr("roi.running"), "solid", colour, "bottom" if is_above else "top"),
        (discounted, tr("roi.running_discounted"), "dash", other, "top" if is_above else "bottom"),
    ):
        data.append({
            "x": months, "y": charts.amounts(values, SUM_DIGITS), "mode": "lines", "name": name,
            "line": {"dash": dash, "color": shade}, "hovertemplate": f"{name}: {show.symbol}%{{y:,.0f}}<extra></extra>",
        })  # fmt: skip
        notes.append({
            "x": 1, "xref": "paper", "xanchor": "left", "xshift": 6, "y": data[-1]["y"][-1], "yanchor": side,
            "text": name, "showarrow": False, "font": {"color": shade, "size": 12},
        })  # fmt: skip
    reached = np.concatenate([plain, discounted, *(case.band or ())]) * show.per_usd
    layout = {
        "hovermode": "x unified", "shapes": [charts.line_across(y=0)], "annotations": notes,
        "xaxis": {
            "title": {"text": tr("roi.axis_month")}, "range": [-0.2, switch.months + 0.2],
            "tickvals": named, "ticktext": [str(month) for month in named],
        },
        "yaxis": charts.ticks(reached), "margin": {"r": LABEL_PX},
    }  # fmt: skip
    fig = charts.figure([*data, *marks], layout)
    charts.show(fig, title=cumulative_title(switch), unit=cumulative_unit(case), key="roi_cumulative")


def cumulative_unit(case: Case) -> str:
    """What the running sums are, in which currency, and what their band is."""
    return tr("roi.cumulative_unit" if case.band is None else "roi.cumulative_unit_band", unit=fmt().symbol)


def _payback_mark(switch: Switch, colour: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The point on the line of zero and what is written over it, to the left of the rising line where there is room."""
    months = switch.report.payback_months
    if months is None:
        return [], []
    mark = {
        "x": [months], "y": [0], "mode": "markers", "showlegend": False, "hoverinfo": "skip",
        "marker": {"symbol": "diamond", "size": 12, "color": colour},
    }  # fmt: skip
    note = {"x": months, "y": 0, "text": payback_text(months, switch), "showarrow": True, "ay": -28}
    note["ax"] = -28 if months > switch.months / 4 else 0
    return [mark], [note]


def cumulative_title(switch: Switch) -> str:
    """The takeaway of the running sum in one sentence."""
    months, horizon = switch.report.payback_months, months_text(switch.months)
    left = fmt().money_short(abs(switch.report.net_usd))
    if switch.report.payback_kind == "nothing_saved":
        return tr("roi.title_nothing")
    if months is None:
        return tr("roi.title_never", months=horizon, left=left)
    if months < 1:
        key = "roi.title_at_once" if months == 0 else "roi.title_first_month"
        return tr(key, months=horizon, left=left)
    return tr("roi.title_payback", payback=payback_text(months, switch), months=horizon, left=left)


def waterfall(switch: Switch) -> None:
    """From today's cost over the horizon to the new one, component by component."""
    show, mode = fmt(), _theme()
    rows, columns = waterfall_rows(switch), waterfall_columns()
    names, values = [row["item"] for row in rows], [row["usd"] for row in rows]
    changes = values[1:-1]
    signed = [("+" if usd > 0 else "") + show.money_short(usd) for usd in changes]
    labels = [show.money_short(switch.baseline_tco_usd), *signed, show.money_short(switch.new_tco_usd)]
    bars = {
        "type": "waterfall", "orientation": "h", "y": [_wrapped(name, place) for place, name in enumerate(names)],
        "x": charts.amounts(values), "measure": ["absolute", *["relative"] * len(changes), "total"],
        "text": labels, "textposition": "outside", "cliponaxis": False, "hoverinfo": "text",
        "increasing": {"marker": {"color": _SPEND[mode]}}, "decreasing": {"marker": {"color": _SAVE[mode]}},
        "totals": {"marker": {"color": charts.palette()[9]}}, "connector": {"line": {"color": "gray", "width": 1}},
    }  # fmt: skip
    # Room for the labels that stand outside the longest bar.
    running = np.cumsum(values[:-1])
    widest = max(float(running.max()), 1e-9)
    start = min(0.0, float(running.min()) - 0.25 * widest)
    ends = (start * show.per_usd, LABEL_ROOM * widest * show.per_usd)
    layout = {"xaxis": {"range": ends} | charts.ticks(ends), "yaxis": {"autorange": "reversed"}}
    fig = charts.figure([bars], layout, height_px=80 + 44 * len(names))
    charts.show(
        fig, title=waterfall_title(switch), unit=waterfall_unit(switch), key="roi_waterfall",
        numbers=lambda: (rows, columns),
    )  # fmt: skip


def waterfall_title(switch: Switch) -> str:
    """What switching saves or costs over the horizon."""
    saved = switch.baseline_tco_usd - switch.new_tco_usd
    return tr("roi.waterfall_saves" if saved >= 0 else "roi.waterfall_costs", amount=fmt().money_short(abs(saved)))


def waterfall_unit(switch: Switch) -> str:
    """Over which months and in which currency the costs are."""
    return tr("roi.waterfall_unit", months=months_text(switch.months), unit=fmt().symbol)


def waterfall_rows(switch: Switch) -> list[dict[str, Any]]:
    """Today's cost, what each component changes (the largest saving first), the new cost; USD over the horizon."""
    steps = sorted(switch.steps, key=lambda step: step.change_usd)
    return [
        {"item": switch.baseline.name, "usd": switch.baseline_tco_usd},
        *({"item": tr(f"roi.line_{step.component}"), "usd": step.change_usd} for step in steps),
        {"item": switch.new.name, "usd": switch.new_tco_usd},
    ]


def waterfall_columns() -> list[tables.Column]:
    """Columns for `waterfall_rows`."""
    return [
        tables.Column(field="item", label=tr("roi.col_item")),
        tables.Column(field="usd", label=tr("roi.col_amount"), kind="money", digits=2),
    ]


def _wrapped(name: str, place: int) -> str:
    """A label in lines that leave room for the bars on a phone; its place keeps two equal ones apart."""
    return "<br>".join(textwrap.wrap(name, NAME_CHARS)) + "\u200b" * place


def grid(switch: Switch) -> None:
    """NPV and payback if savings and migration cost come out otherwise: a table, green where the NPV is above 0."""
    show, found = fmt(), sensitivity(switch)
    lines = [[tr("roi.grid_corner"), *map(show.percent, found.migration_factors)]]
    for factor, npvs, paybacks in zip(
        found.saving_factors, found.npv_usd.tolist(), found.payback_months.tolist(), strict=True
    ):
        cells = [
            f":{'green' if npv > 0 else 'red'}-background[{plain(show.money_short(npv))}] "
            + plain(payback_text(payback, switch, saving_factor=factor, is_short=True))
            for npv, payback in zip(npvs, paybacks, strict=True)
        ]
        lines.append([f"**{show.percent(factor)}**", *cells])
    st.markdown(f"**{grid_title(found)}**  \n:gray[:small[{tr('roi.grid_unit')}]]")
    st.markdown(tables.markdown_table(lines, [False, *(True for _ in found.migration_factors)]))


def grid_title(found: Grid) -> str:
    """In how many cases of the grid the switch is worth it."""
    good, cases = int((found.npv_usd > 0).sum()), found.npv_usd.size
    if good in {0, cases}:
        return tr("roi.grid_title_all" if good else "roi.grid_title_none", all=cases)
    return tr("roi.grid_title", good=good, all=cases)
