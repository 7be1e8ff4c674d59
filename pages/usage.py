"""What was really spent, on what, and how much of it was wasted?"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.money import usd_from_pico
from core.usage.measure import MeasuredWorkload, to_workload
from core.usage.rollup import Filters
from core.usage.rollup import choices as choices_of
from core.workload import Workload
from pages.parts import (
    address,
    state,
    tables,
    usage_export,
    usage_files,
    usage_import,
    usage_inputs,
    usage_views,
    widgets,
)
from pages.parts.state import fmt, tr
from pages.parts.usage_data import Report, engine, read_report
from pages.parts.workload_bar import summary, workload_bar

TAKEN = "_usage_taken"


@state.block
def page() -> None:
    choices = choices_of(engine())
    for key, value in st.session_state.pop(usage_import.SHOW_NEXT, {}).items():
        address.set_value(key, value)
    problems = usage_inputs.take(choices)
    workload_bar()
    st.title(tr("usage.title"))
    widgets.show_problems(problems, usage_inputs.labels())
    has_told = usage_import.tell()
    if not choices["origin"]:
        empty()
        return
    usage_inputs.draw(choices)
    since, until = usage_inputs.period()
    filters = usage_inputs.filters()
    report = read_report(engine(), since, until, filters)
    notes(choices)
    if not report.total.request_count:
        widgets.show_empty(tr("usage.none_title"), tr("usage.none_body"))
    else:
        answer(report)
        take_workload(replace(filters, since=since, until=until, outcomes=()))
        views(report)
        with st.container(horizontal=True):
            usage_export.buttons(since, until, filters)
    with _import_box(is_open=has_told):
        usage_import.show_import()
        usage_files.show_files()
        if "sample" not in choices["origin"]:
            usage_files.sample_button()
    st.caption(tr("usage.sources"))


def empty() -> None:
    """A new log: what fills it, and an example to look at."""
    widgets.show_empty(tr("usage.empty_title"), tr("usage.empty_body"))
    with st.container(horizontal=True, vertical_alignment="center"):
        usage_files.sample_button()
        st.page_link("pages/playground.py", label=tr("usage.to_playground"), icon=":material/chat:")
    # Closed: Streamlit's field for files, opened at once, would be what a screen reader cannot name (axe).
    with _import_box():
        usage_import.show_import()


def _import_box(*, is_open: bool = False) -> DeltaGenerator:
    """Open while it holds a file: told otherwise by a later run, it would close."""
    is_open = is_open or usage_import.has_file()
    return st.expander(tr("usage.import_title"), icon=":material/upload:", expanded=is_open)


def notes(choices: dict[str, list[str]]) -> None:
    """What kind of figures these are, when they are not (only) real ones."""
    source = st.session_state.get(usage_inputs.SOURCE)
    if source in {"demo", "sample"} & set(choices["origin"]):
        st.info(tr(f"usage.note_{source}"), icon=":material/science:")
    elif source == "all" and {"demo", "sample"} & set(choices["origin"]):
        st.info(tr("usage.note_all"), icon=":material/science:")


def answer(report: Report) -> None:
    """Spent, calls, speed, wasted."""
    show, whole = fmt(), report.total
    at_least = "≥ " if whole.is_lower_bound and whole.cost_usd is not None else ""
    good = sum(row.request_count for row in report.outcomes if row.key[0] == "ok")
    per_call = float(whole.cost_usd) / whole.request_count if whole.cost_usd is not None else None
    wasted_share = report.wasted_pico_usd / whole.pico_usd if whole.pico_usd else None
    p50, p95 = whole.latency_ms(0.5), whole.latency_ms(0.95)
    within = tr("usage.latency_note", p95=seconds(p95)) if p95 is not None else tr("usage.latency_none")
    metrics = (
        (tr("usage.spent"), at_least + show.money_short(whole.cost_usd),
         tr("usage.spent_note", cost=show.money(per_call)), tr("usage.spent_help")),
        (tr("usage.calls"), show.compact(whole.request_count),
         tr("usage.calls_note", share=show.percent(good / whole.request_count, 1),
            failovers=show.compact(whole.failover_count)), None),
        (tr("usage.latency"), seconds(p50), within, tr("usage.latency_help")),
        (tr("usage.wasted"), show.money_short(sum_usd(report)),
         tr("usage.wasted_note", share=show.percent(wasted_share, 1)), tr("usage.waste_help")),
    )  # fmt: skip
    with widgets.cards():
        for label, value, note, explained in metrics:
            widgets.card(label, value, note, explained=explained)


def seconds(milliseconds: float | None) -> str:
    return tr("usage.seconds", value=fmt().number(milliseconds / 1_000, 1)) if milliseconds is not None else "–"


def sum_usd(report: Report) -> float:
    return float(usd_from_pico(report.wasted_pico_usd))


def take_workload(filters: Filters) -> None:
    """One click makes the usage of the chosen period and filters the workload of every page."""
    base = replace(state.workload(), name=tr("usage.workload_name"))
    found = to_workload(engine(), base=base, filters=filters)
    if found is None:
        st.caption(tr("usage.no_workload"))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            tr("usage.take_workload"), key="usage_take_workload", icon=":material/tune:", type="primary",
            on_click=taken, args=(found.workload,),
        )  # fmt: skip
        explained = tr(
            "usage.take_workload_help", span=usage_inputs.span_text(found.first, found.last),
            days=fmt().number(found.days_covered), workload=summary(found.workload).replace("$", r"\$"),
        )  # fmt: skip
        st.caption(f"{explained} {_unmeasured(found)}".rstrip(), width="stretch")
    if st.session_state.pop(TAKEN, False):
        st.success(tr("usage.workload_taken"), icon=":material/check:")
        st.page_link("pages/monthly_cost.py", label=tr("usage.to_monthly_cost"), icon=":material/calendar_month:")


def _unmeasured(found: MeasuredWorkload) -> str:
    """Which values the log could not tell, in a sentence; empty when it told all of them."""
    measured = {"growth": found.is_growth_measured, "spread": found.is_spread_measured}
    parts = [tr(f"usage.unmeasured_{name}") for name, is_measured in measured.items() if not is_measured]
    return tr("usage.unmeasured", parts=", ".join(parts)) if parts else ""


def taken(workload: Workload) -> None:
    state.set_workload(workload)
    st.session_state[TAKEN] = True


def views(report: Report) -> None:
    """One chosen view with its chart and its table; the others do not run."""
    st.segmented_control(
        tr("usage.view"), usage_inputs.VIEWS, key=usage_inputs.VIEW, required=True, label_visibility="collapsed",
        format_func=lambda view: tr(f"usage.view_{view}"),
    )  # fmt: skip
    view = str(st.session_state.get(usage_inputs.VIEW) or "day")
    if view == "waste":
        usage_views.show_waste(report)
        return
    if view == "what_if":
        since, until = usage_inputs.period()
        usage_views.show_what_if(report, replace(usage_inputs.filters(), since=since, until=until))
        return
    groups = {"day": report.days, "model": report.models, "provider": report.providers, "outcome": report.outcomes}
    if view == "day":
        usage_views.day_chart(report)
    else:
        usage_views.group_chart(groups[view], view)
    tables.table(
        usage_views.rows_of(groups[view], view), usage_views.columns_of(view), key=f"usage_{view}_table",
        alt=tr(f"usage.view_{view}"),
    )  # fmt: skip


page()
