"""What will it cost each month, on each way of serving it, and how sure is that?"""

from __future__ import annotations

import streamlit as st

from core.costs.conventions import MONTHS_PER_YEAR
from core.costs.monthly import Band, WayResult
from pages.parts import monthly_tables, planning, state, tables, widgets
from pages.parts.monthly_article import show_article
from pages.parts.monthly_breakdown import parts_chart, tornado_chart
from pages.parts.monthly_charts import band_chart, cumulative_chart
from pages.parts.monthly_inputs import show_inputs, show_ways
from pages.parts.monthly_report import report
from pages.parts.monthly_saved import show_saved
from pages.parts.plan_cards import budget_card, month_value
from pages.parts.planning import PREFIX, VIEW, VIEWS, Plan
from pages.parts.state import fmt, tr
from pages.parts.workload_bar import workload_bar


@state.block
def page() -> None:
    problems = planning.take()
    workload_bar(has_editor=False)
    st.title(tr("monthly_cost.title"))
    widgets.show_problems(problems, planning.labels())
    plan = planning.plan()
    if not plan.ways:
        widgets.show_empty(tr("monthly_cost.empty_title"), tr("monthly_cost.empty_body"))
        show_ways(plan)
        return
    with widgets.cards(4 if plan.workload.budget_usd_per_month is None else 5):
        answer(plan)
    left, right = st.columns([2, 1], gap="medium")
    with left:
        band_chart(plan)
        table(plan)
        download_report(plan)
    with right:
        show_inputs(plan)
    st.segmented_control(
        tr("monthly_cost.view"), VIEWS, key=VIEW, format_func=lambda view: tr(f"monthly_cost.view_{view}"),
    )  # fmt: skip
    detail(plan, st.session_state.get(VIEW))


def table(plan: Plan) -> None:
    """One row per way with the age of its prices, and what has to be said about them."""
    rows = monthly_tables.summary_rows(plan.simulation, plan.baseline)
    columns = monthly_tables.summary_columns(rows, plan.workload.budget_usd_per_month is not None)
    sources = widgets.sources_line(planning.sources(plan.ways, plan.start), state.today())
    tables.small_table(
        rows,
        columns,
        note=sources,
        explained=tr("monthly_cost.table_help"),
    )
    monthly_tables.show_notes(plan.simulation, [*plan.refused, *planning.announced(plan.ways, plan.start)])


def answer(plan: Plan) -> None:
    """The cheapest way, the baseline, what is saved, the likely total, and with a budget how likely it is exceeded."""
    best, baseline, months = plan.simulation.cheapest, plan.baseline, len(plan.simulation.starts)
    if best is not None:
        _cost_metric(plan, tr("monthly_cost.cheapest", name=best.name), best)
    if baseline is not None:
        _cost_metric(plan, baseline.name, baseline)
    if best is not None and baseline is not None and best.total_usd is not None and baseline.total_usd:
        saved = baseline.total_usd - best.total_usd
        share = fmt().percent(saved / baseline.total_usd)
        note = tr("monthly_cost.saving_of", share=share) if saved > 0 else tr("monthly_cost.no_saving")
        widgets.card(
            tr("monthly_cost.saving", months=widgets.months_text(months)),
            fmt().money_short(saved),
            note,
            is_good=saved > 0,
        )
    if best is not None and best.total_band is not None:
        _range_metric(plan, best.total_band)
    if best is not None:
        budget_card(plan.simulation, best)


def _cost_metric(plan: Plan, label: str, way: WayResult) -> None:
    months = len(plan.simulation.starts)
    year = min(months, MONTHS_PER_YEAR)
    total = float(way.planned_usd[:year].sum())
    note = tr("monthly_cost.per_year" if year == MONTHS_PER_YEAR else "monthly_cost.in_months",
              amount=fmt().money_short(total), months=widgets.months_text(year))  # fmt: skip
    value, when = month_value(way, plan.simulation)
    if way.total_usd is None:
        note = tr("monthly_cost.unknown_total")
    widgets.card(label, value, f"{when} · {note}" if when else note)


def _range_metric(plan: Plan, band: Band) -> None:
    low, middle, high = (fmt().money_short(float(end)) for end in (band.p10, band.p50, band.p90))
    paths = tr("monthly_cost.range_help", paths=fmt().number(plan.simulation.path_count))
    widgets.card(tr("monthly_cost.range"), middle, f"{low} – {high}", explained=paths)


def download_report(plan: Plan) -> None:
    """The plan as a page to print; made when asked for, not with every move of a slider."""
    state.publish()  # the report carries the address, which must be that of this run
    address = state.share_address()
    st.download_button(
        tr("monthly_cost.report"), data=state.later(lambda: report(plan, address)),
        file_name=f"monthly-cost-{plan.start:%Y-%m}.html", mime="text/html", key=f"{PREFIX}report",
        on_click="ignore", icon=":material/print:",
    )  # fmt: skip


def months_table(plan: Plan) -> None:
    """Every month of every way, and the same with percentiles as a file."""
    columns = monthly_tables.month_columns(plan.simulation)
    tables.table(
        monthly_tables.month_rows(plan.simulation), columns, key=f"{PREFIX}months", alt=tr("monthly_cost.months_alt")
    )
    tables.download(
        lambda: monthly_tables.month_rows(plan.simulation, with_percentiles=True),
        monthly_tables.month_columns(plan.simulation, with_percentiles=True),
        key=f"{PREFIX}csv", file_stem=f"monthly-cost-{plan.start:%Y-%m}",
    )  # fmt: skip


def detail(plan: Plan, view: str | None) -> None:
    """The one chosen view; the others do not run."""
    if view in {"parts", "moves"}:
        chosen = monthly_tables.pick_way(plan, key=f"{PREFIX}way")
        (parts_chart if view == "parts" else tornado_chart)(plan, plan.simulation.way(chosen))
    elif view == "total":
        cumulative_chart(plan)
    elif view == "why":
        monthly_tables.show_why(plan)
    elif view == "saved":
        show_saved()
    elif view == "article":
        show_article()
    elif view == "months":
        months_table(plan)


page()
