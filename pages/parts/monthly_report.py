"""What does a printed page say about a plan? One HTML file with its charts inside, readable without a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.costs.conventions import Floats
from core.costs.monthly import Simulation, WayResult
from pages.parts import monthly_tables, paper, paper_inputs, planning, state, widgets
from pages.parts.monthly_charts import BANDED_LINES, month_text
from pages.parts.planning import Plan
from pages.parts.state import fmt, tr
from pages.parts.tables import Column
from pages.parts.workload_bar import summary


def report(plan: Plan, address: str) -> bytes:
    """The report as a file: answer, charts, tables, inputs and prices of this plan; `address` reproduces it."""
    simulation, best = plan.simulation, plan.simulation.cheapest
    title, day = tr("monthly_cost.report_title"), fmt().date(state.today())
    rows = monthly_tables.summary_rows(simulation, plan.baseline)
    months = [(way.name, way.band.p50, way.band) for way in simulation.ways]
    parts = [paper.paragraph(summary(plan.workload))]
    if best is not None and best.total_band is not None:
        parts.append(paper.takeaway(_takeaway(simulation, best)))
    parts += [
        paper.paragraph(tr("monthly_cost.report_made", day=day)),
        *_chart(simulation, tr("monthly_cost.view_months"), _unit(simulation), months),
        *_chart(
            simulation,
            tr("monthly_cost.view_total"),
            tr("monthly_cost.total_unit", symbol=fmt().symbol),
            _running(simulation),
        ),
        paper.table(rows, monthly_tables.summary_columns(rows, plan.workload.budget_usd_per_month is not None)),
        paper.heading(tr("monthly_cost.view_months")),
        paper.table(monthly_tables.month_rows(simulation), _plan_columns(simulation)),
        paper.heading(tr("monthly_cost.report_assumptions")),
        *map(paper.paragraph, _assumptions(plan)),
        *(paper.paragraph(monthly_tables.note_text(note)) for way in simulation.ways for note in way.notes),
        *map(paper.paragraph, planning.announced(plan.ways, plan.start)),
        paper.heading(tr("monthly_cost.report_prices")),
        *map(paper.paragraph, _prices(plan)),
        paper.link(address),
    ]
    return paper.document(title, parts)


def _takeaway(simulation: Simulation, best: WayResult) -> str:
    band = best.total_band
    assert band is not None  # noqa: S101 - the caller asks only for ways with a total
    return tr(
        "monthly_cost.chart_title",
        name=best.name,
        low=fmt().money_short(float(band.p10)),
        high=fmt().money_short(float(band.p90)),
        months=widgets.months_text(len(simulation.starts)),
    )


def _running(simulation: Simulation) -> list[tuple[str, Floats, Any]]:
    return [(way.name, np.cumsum(way.planned_usd), simulation.cumulative_band(way.name)) for way in simulation.ways]


def _unit(simulation: Simulation) -> str:
    return tr("monthly_cost.chart_unit", symbol=fmt().symbol, paths=fmt().number(simulation.path_count))


def _chart(
    simulation: Simulation, title: str, unit: str, found: Sequence[tuple[str, Floats, Any]]
) -> tuple[str, str, str]:
    """A section with a line for each way, and its band where no more than four would lie upon each other."""
    lines = [
        paper.Line(
            name=name,
            usd=middle,
            band=None if len(found) > BANDED_LINES or np.isnan(band.p10).any() else (band.p10, band.p90),
        )
        for name, middle, band in found
    ]
    ends = month_text(simulation.starts[0]), month_text(simulation.starts[-1])
    return paper.heading(title), paper.paragraph(unit), paper.lines_svg(lines, label=title, ends=ends)


def _plan_columns(simulation: Simulation) -> list[Column]:
    """Month, requests and the plan of each way; more would not fit on paper."""
    return [c for c in monthly_tables.month_columns(simulation) if c.field != "cheapest"]


def _assumptions(plan: Plan) -> list[str]:
    note = tr("monthly_cost.assumptions_note", seed=plan.simulation.seed)
    compared = f"{tr('monthly_cost.baseline')}: {plan.baseline.name}" if plan.baseline else ""
    first = f"{tr('monthly_cost.field_start')}: {month_text(plan.start)}"
    return [
        paper_inputs.workload_text(plan.workload),
        " · ".join(filter(None, (first, compared))),
        *paper_inputs.terms_texts(plan.ways),
        f"{paper_inputs.outlook_text(plan.outlook)} · {paper_inputs.rate_text()}. {note}",
    ]


def _prices(plan: Plan) -> list[str]:
    return paper_inputs.price_lines(
        plan.workload, plan.ways, start=plan.start, outlook=plan.outlook, today=state.today()
    )
