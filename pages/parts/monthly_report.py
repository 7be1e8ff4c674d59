"""What does a printed page say about a plan? One HTML file with its charts inside, readable without a network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from core.costs.conventions import Floats
from core.costs.monthly import Simulation, WayResult
from core.costs.monthly_outlook import LIMITS
from core.costs.monthly_reasons import why
from pages.parts import monthly_data, monthly_tables, tables
from pages.parts.monthly_charts import month_text
from pages.parts.monthly_data import Plan
from pages.parts.state import fmt, lang, tr
from pages.parts.tables import Column
from pages.parts.workload_bar import summary

# Colours of the light theme: paper is white.
COLOURS = ("#0B5FA5", "#B35900", "#00796B", "#8E3B8A", "#6B6F1D", "#C2185B", "#3F51B5", "#5D4037")
DASHES = ("", "7 4", "2 3", "8 3 2 3", "12 4", "12 4 2 4", "4 4", "1 4")
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 230, 64, 150, 14, 28

STYLE = """
:root{color-scheme:light}
body{font:13px/1.45 system-ui,"Noto Sans KR","Malgun Gothic",sans-serif;color:#1b2430;max-width:760px;
margin:24px auto;padding:0 12px}
h1{font-size:20px;margin:0 0 4px}h2{font-size:14px;margin:16px 0 4px}p{margin:4px 0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:11px}
th,td{padding:2px 6px;border-bottom:1px solid #d9dee6;text-align:right;white-space:nowrap}
th:first-child,td:first-child,.t{text-align:left}.scroll{overflow-x:auto}
svg{width:100%;height:auto}.small{color:#56606e;font-size:11px}
@page{size:A4;margin:12mm}@media print{body{margin:0;max-width:none}h2{break-after:avoid}svg,table{break-inside:avoid}}
"""


def report(plan: Plan) -> bytes:
    """The report as a file: answer, charts, tables, assumptions and prices of this plan."""
    simulation = plan.simulation
    best = simulation.cheapest
    title = tr("monthly_cost.report_title")
    head = [f"<h1>{escape(title)}</h1>", _paragraph(summary(plan.workload))]
    if best is not None and best.total_band is not None:
        head.append(f"<p><strong>{escape(_takeaway(simulation, best))}</strong></p>")
    day = fmt().date(monthly_data.today())
    head.append(f'<p class="small">{escape(tr("monthly_cost.report_made", day=day))}</p>')
    medians = [(way.name, way.band.p50, way.band) for way in simulation.ways]
    body = [
        _section(tr("monthly_cost.view_months"), _unit(simulation), lines_svg(simulation, medians, title)),
        _section(
            tr("monthly_cost.view_total"),
            tr("monthly_cost.total_unit", symbol=fmt().symbol),
            lines_svg(simulation, _running(simulation), tr("monthly_cost.view_total")),
        ),
        _table(
            monthly_tables.summary_rows(simulation, plan.baseline),
            monthly_tables.summary_columns(plan.workload.budget_usd_per_month is not None),
        ),
        f"<h2>{escape(tr('monthly_cost.view_months'))}</h2>",
        _table(monthly_tables.month_rows(simulation), _plan_columns(simulation)),
        f"<h2>{escape(tr('monthly_cost.report_assumptions'))}</h2>",
        _paragraph(_assumptions(plan)),
        *(_paragraph(monthly_tables.note_text(note)) for way in simulation.ways for note in way.notes),
        f"<h2>{escape(tr('monthly_cost.report_prices'))}</h2>",
        *(_paragraph(line) for line in _prices(plan)),
    ]
    html = (
        f'<!DOCTYPE html><html lang="{lang()}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main>{''.join(head)}{''.join(body)}</main></body></html>"
    )
    return html.encode("utf-8")


def _takeaway(simulation: Simulation, best: WayResult) -> str:
    band = best.total_band
    assert band is not None  # noqa: S101 - the caller asks only for ways with a total
    return tr(
        "monthly_cost.chart_title",
        name=best.name,
        low=fmt().money_short(float(band.p10)),
        high=fmt().money_short(float(band.p90)),
        months=len(simulation.starts),
    )


def _running(simulation: Simulation) -> list[tuple[str, Floats, Any]]:
    return [(way.name, np.cumsum(way.planned_usd), simulation.cumulative_band(way.name)) for way in simulation.ways]


def _unit(simulation: Simulation) -> str:
    return tr("monthly_cost.chart_unit", symbol=fmt().symbol, paths=fmt().number(simulation.path_count))


def _paragraph(text: str) -> str:
    return f'<p class="small">{escape(text)}</p>'


def _section(title: str, unit: str, svg: str) -> str:
    return f'<h2>{escape(title)}</h2><p class="small">{escape(unit)}</p>{svg}'


def _plan_columns(simulation: Simulation) -> list[Column]:
    """Month, requests and the plan of each way; more would not fit on paper."""
    return [c for c in monthly_tables.month_columns(simulation) if c.field != "cheapest"]


def _assumptions(plan: Plan) -> str:
    found = [
        f"{tr(f'monthly_cost.field_{name}')}: {fmt().number(getattr(plan.outlook, name) * 100, 1)}" for name in LIMITS
    ]
    note = tr("monthly_cost.assumptions_note", seed=plan.simulation.seed)
    rate = fmt()
    dated = rate.date(rate.fx_date) if rate.fx_date else tr("common.fx_own")
    found.append(f"1 USD = {rate.number(rate.krw_per_usd)} KRW ({dated})")
    return f"{' · '.join(found)}. {note}"


def _prices(plan: Plan) -> list[str]:
    found = []
    for way in plan.ways:
        found_why = why(plan.workload, way, 0, start=plan.start, outlook=plan.outlook)
        for one in found_why.reasons:
            part = tr(f"monthly_cost.component_{one.component}")
            price = fmt().money(one.usd_per_mtok)
            found.append(f"{one.model} ({one.processing}), {part}: {price}/Mtok, {one.source}, {_day(one.as_of)}")
    return list(dict.fromkeys(found))


def _day(day: dt.date | None) -> str:
    return day.isoformat() if day else tr("common.undated")


def _table(rows: Sequence[dict[str, Any]], columns: Sequence[Column]) -> str:
    shown = tables.frame(rows, columns)
    head = "".join(f"<th>{escape(tables.heading(column))}</th>" for column in columns)
    lines = []
    for values in shown.itertuples(index=False):
        cells = "".join(
            f"<td>{escape(_cell(value, column))}</td>" for value, column in zip(values, columns, strict=True)
        )
        lines.append(f"<tr>{cells}</tr>")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def _cell(value: Any, column: Column) -> str:
    if value is None or value != value:
        return "–"
    if isinstance(value, float):
        is_won = column.kind == "money" and fmt().currency == "KRW"
        return fmt().number(value, 0 if is_won else column.digits)
    return str(value)


def lines_svg(simulation: Simulation, lines: Sequence[tuple[str, Floats, Any]], label: str) -> str:
    """A line chart with bands and names at the line ends, as inline SVG."""
    factor = fmt().per_usd
    tops = [
        float(np.nanmax(values))
        for _, middle, band in lines
        for values in (middle, band.p90)
        if not np.isnan(values).all()
    ]
    top = max(tops, default=0.0) * factor or 1.0
    count = len(simulation.starts)

    def x(place: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (place / (count - 1) if count > 1 else 0.5)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value * factor / top)

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label, quote=True)}">']
    parts += _grid(top, simulation)
    ends: list[tuple[float, str, str]] = []
    for place, (name, middle, band) in enumerate(lines):
        colour = COLOURS[place % len(COLOURS)]
        if not np.isnan(band.p10).any() and len(lines) <= 4:
            ring = [(x(k), y(v)) for k, v in enumerate(band.p10)] + [
                (x(k), y(v)) for k, v in reversed(list(enumerate(band.p90)))
            ]
            parts.append(f'<polygon points="{_points(ring)}" fill="{colour}" fill-opacity="0.12"/>')
        known = [(x(k), y(float(v))) for k, v in enumerate(middle) if not np.isnan(v)]
        parts.append(
            f'<polyline points="{_points(known)}" fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="{DASHES[place % len(DASHES)]}"/>'
        )
        if known:
            ends.append((known[-1][1], name, colour))
    return "".join([*parts, *_names(ends), "</svg>"])


def _names(ends: list[tuple[float, str, str]]) -> list[str]:
    found, previous = [], float("-inf")
    for height, name, colour in sorted(ends):
        place = max(height, previous + 13)
        previous = place
        found.append(
            f'<text x="{WIDTH - RIGHT + 6}" y="{place + 4:.1f}" font-size="11" fill="{colour}">'
            f"{escape(name[:26])}</text>"
        )
    return found


def _grid(top: float, simulation: Simulation) -> list[str]:
    found = []
    for share in (0.0, 0.5, 1.0):
        height = TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)
        amount = fmt().money_short(top * share / fmt().per_usd)
        found.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height:.1f}" y2="{height:.1f}" stroke="#d9dee6"/>')
        found.append(
            f'<text x="{LEFT - 6}" y="{height + 4:.1f}" font-size="11" text-anchor="end">{escape(amount)}</text>'
        )
    for place, anchor in ((0, "start"), (-1, "end")):
        across = LEFT if place == 0 else WIDTH - RIGHT
        month = month_text(simulation.starts[place])
        found.append(f'<text x="{across}" y="{HEIGHT - 8}" font-size="11" text-anchor="{anchor}">{month}</text>')
    return found


def _points(pairs: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{across:.1f},{down:.1f}" for across, down in pairs)
