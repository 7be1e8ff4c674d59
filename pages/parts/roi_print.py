"""How does the case for a switch look on paper? One HTML file that a reader can check without the program."""

from __future__ import annotations

from core.costs.monthly import DEFAULT_SEED
from core.costs.roi_plan import running_sums
from core.workload import Workload
from pages.parts import paper, paper_inputs, planning, roi_charts, state, widgets
from pages.parts.roi_case import Case
from pages.parts.roi_tables import figure_columns, figures, month_columns, months
from pages.parts.state import fmt, tr
from pages.parts.workload_bar import summary


def document(case: Case, workload: Workload, address: str) -> bytes:
    """The report: takeaway, chart, all figures, cash flow, inputs, conventions, prices; `address` reproduces it."""
    switch, today = case.switch, state.today()
    parts = [
        paper.paragraph(f"{summary(workload)} · {widgets.months_text(switch.months)}"),
        paper.paragraph(tr("roi.report_made", day=fmt().date(today))),
        paper.takeaway(roi_charts.cumulative_title(switch)),
        paper.paragraph(roi_charts.cumulative_unit(case)),
        _chart(case),
        paper.heading(tr("roi.figures_title")),
        paper.table(figures(case), figure_columns()),
        paper.heading(roi_charts.waterfall_title(switch)),
        paper.paragraph(roi_charts.waterfall_unit(switch)),
        paper.table(roi_charts.waterfall_rows(switch), roi_charts.waterfall_columns()),
        paper.heading(tr("roi.months_title")),
        paper.table(months(case), month_columns()),
        paper.heading(tr("roi.report_assumptions")),
        *map(paper.paragraph, _assumptions(case, workload)),
        paper.heading(tr("roi.report_conventions")),
        paper.paragraph(tr("roi.how")),
        paper.heading(tr("roi.report_prices")),
        *map(paper.paragraph, _prices(case, workload)),
        paper.link(address),
    ]
    return paper.document(f"{tr('roi.title')} {switch.baseline.name} → {switch.new.name}", parts)


def _chart(case: Case) -> str:
    plain, discounted = running_sums(case.switch)
    payback = case.switch.report.payback_months
    lines = [
        paper.Line(name=tr("roi.running"), usd=plain, band=case.band),
        paper.Line(name=tr("roi.running_discounted"), usd=discounted),
    ]
    last = widgets.months_text(case.switch.months)
    mark = None if payback is None else (payback, roi_charts.payback_text(payback, case.switch))
    return paper.lines_svg(lines, label=roi_charts.cumulative_title(case.switch), ends=("0", last), mark=mark)


def _assumptions(case: Case, workload: Workload) -> list[str]:
    terms, show = case.switch.terms, fmt()
    found = [
        paper_inputs.workload_text(workload),
        *paper_inputs.terms_texts(case.ways),
        *planning.announced(case.ways, case.starts[0]),
        tr(
            "roi.terms",
            migration=show.money(terms.migration_usd),
            fee=show.money(terms.fee_usd_per_month),
            rate=show.percent(terms.annual_discount_rate, 1),
        ),
    ]
    if case.outlook is not None:
        found.append(
            f"{paper_inputs.outlook_text(case.outlook)}. {tr('monthly_cost.assumptions_note', seed=DEFAULT_SEED)}"
        )
    return found


def _prices(case: Case, workload: Workload) -> list[str]:
    if case.outlook is None:
        return [tr("roi.report_own_prices"), paper_inputs.rate_text()]
    prices = paper_inputs.price_lines(
        workload, case.ways, start=case.starts[0], outlook=case.outlook, today=state.today()
    )
    return [*prices, paper_inputs.rate_text()]
