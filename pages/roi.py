"""Does switching pay off: what is saved, when is it paid back, and how sure is that?"""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.costs.monthly import DEFAULT_PATHS
from core.workload import Workload
from pages.parts import planning, roi_charts, roi_inputs, roi_print, roi_tables, state, tables, ways, widgets
from pages.parts.roi_case import Case, labels, own_case, planned_ids, simulated_case
from pages.parts.state import fmt, tr
from pages.parts.workload_bar import workload_bar


@state.block
def page() -> None:
    workload = workload_bar()
    with st.container(horizontal=True, vertical_alignment="center", key="roi_head"):
        st.title(tr("roi.title"), width="content")
        roi_inputs.draw_article_button()
    widgets.show_problems(planning.take(), planning.labels())
    found, refused = ways.current()
    names = labels(found)
    inputs = roi_inputs.read(names, *planned_ids(found, workload))
    for sentence in refused:
        st.warning(widgets.plain(sentence), icon=":material/info:")
    if inputs.source == "own":
        case: Case | str = own_case(inputs, workload)
    else:
        case = simulated_case(inputs, workload, found)
    is_article = roi_inputs.is_article(inputs)
    if not isinstance(case, str):
        _answer(case)
        for sentence in planning.announced(case.ways, case.starts[0]):
            st.caption(sentence)
    if is_article:
        st.header(tr("roi.article_title"))
        roi_tables.article()
    left, right = st.columns([7, 3], gap="large")
    with right:
        roi_inputs.draw(names, inputs)
    with left:
        if isinstance(case, str):
            widgets.show_empty(tr("roi.no_answer"), case)
        else:
            roi_charts.cumulative(case)
    if not isinstance(case, str):
        _details(case, workload)
    if not is_article:
        with st.expander(tr("roi.article_title"), icon=":material/article:", key="roi_article_box"):
            roi_tables.article()


def _answer(case: Case) -> None:
    show, switch, report, outcomes = fmt(), case.switch, case.switch.report, case.outcomes
    months = widgets.months_text(switch.months)
    paths = show.number(outcomes.path_count if outcomes else DEFAULT_PATHS)
    with widgets.cards():
        widgets.card(
            tr("roi.metric_saving"), show.money_short(switch.savings_usd_per_month),
            roi_charts.percent(switch.savings_share), explained=tr("roi.metric_saving_help"),
        )  # fmt: skip
        widgets.card(
            tr("roi.metric_payback"), roi_charts.payback_text(report.payback_months, switch),
            roi_tables.payback_reason(switch) or None, explained=tr("roi.metric_payback_help"),
        )  # fmt: skip
        widgets.card(
            tr("roi.metric_npv", months=months), show.money_short(report.npv_usd),
            None if report.irr_per_year is None else tr("roi.metric_irr", irr=roi_charts.irr_text(report)),
            explained=tr("roi.metric_npv_help"),
        )  # fmt: skip
        widgets.card(
            tr("roi.metric_chance"), widgets.share_text(outcomes.paid_back_share if outcomes else None),
            tr("roi.simulated") if outcomes else tr("roi.chance_none"),
            explained=tr("roi.metric_chance_help", paths=paths, months=months),
        )  # fmt: skip


def _details(case: Case, workload: Workload) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        roi_charts.waterfall(case.switch)
    with right:
        roi_charts.grid(case.switch)
    st.header(tr("roi.figures_title"))
    tables.small_table(roi_tables.figures(case), roi_tables.figure_columns())
    columns = roi_tables.month_columns()
    flows = st.expander(tr("roi.months_title"), on_change="rerun", key="roi_flows")
    if flows.open:
        with flows:
            tables.table(roi_tables.months(case), columns, key="roi_months", alt=tr("roi.months_title"), height=320)
    state.publish()  # the report carries the address, which must be that of this run
    with st.container(horizontal=True, key="roi_downloads"):
        tables.download(partial(roi_tables.months, case), columns, key="roi_csv", file_stem="breakeven-roi")
        report = state.later(partial(roi_print.document, case, workload, state.share_address()))
        st.download_button(
            tr("roi.print"), data=report, file_name="breakeven-roi.html", mime="text/html", key="roi_print",
            on_click="ignore", icon=":material/print:", help=tr("roi.print_help"),
        )  # fmt: skip
    if case.sources:
        widgets.show_sources(case.sources, state.today())
    st.caption(tr("roi.how"))


page()
