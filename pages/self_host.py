"""Rent GPUs or call an API: which is cheaper for this workload, from which volume, and for whom?"""

from __future__ import annotations

import datetime as dt

import streamlit as st

from core.costs.selfhost import Fleet
from core.workload import Workload
from pages.parts import per_token, self_host_charts, self_host_inputs, self_host_verdict, state, tables, widgets
from pages.parts.self_host_inputs import Choices
from pages.parts.self_host_plan import Plan, make_plan, what_would_fit
from pages.parts.state import catalog, fmt, tr
from pages.parts.workload_bar import workload_bar

TABLE_ROWS = 100


@state.block
def page() -> None:
    workload = workload_bar()
    st.title(tr("self_host.title"))
    sheets = catalog().llm.sheets()
    choices = self_host_inputs.read()
    hosts = self_host_inputs.hosts_of(choices.model_id, sheets)
    values = self_host_verdict.read()
    plan = make_plan(choices, workload, sheets)
    _answer(plan)
    left, right = st.columns([7, 3], gap="large")
    with right:
        self_host_inputs.draw([*hosts, *self_host_inputs.WELL_KNOWN])
    with left:
        if plan.best is None:
            needed = fmt().number(what_would_fit(choices.model_id, choices.precision))
            widgets.show_empty(tr("self_host.none_fits"), tr("self_host.none_fits_body", gb=needed))
        else:
            self_host_charts.volume_chart(plan, workload, _takeaway(plan))
            _why(plan, choices)
            _bill(plan.best.fleet)
    self_host_verdict.draw(self_host_verdict.reasons(plan, choices, workload, values))
    self_host_verdict.draw_thresholds()
    if plan.best is not None:
        self_host_charts.tornado_chart(plan, choices, workload)
        _offers(plan, workload)


def _answer(plan: Plan) -> None:
    show, per_month = fmt(), tr("common.per_month")
    api, fleet = plan.api, plan.best.fleet if plan.best else None
    saving = api.usd_per_month - fleet.tco_usd_per_month if api and fleet else None
    with widgets.cards():
        widgets.card(
            tr("self_host.metric_api"), f"{show.money_short(api.usd_per_month)} {per_month}" if api else "–",
            api.key if api else None,
        )  # fmt: skip
        widgets.card(
            tr("self_host.metric_fleet"), f"{show.money_short(fleet.tco_usd_per_month)} {per_month}" if fleet else "–",
            _fleet_name(plan),
        )  # fmt: skip
        widgets.card(
            tr("self_host.metric_saving"), "–" if saving is None else f"{show.money_short(saving)} {per_month}",
            explained=tr("self_host.metric_saving_help"),
        )  # fmt: skip
        widgets.card(tr("self_host.metric_even"), _even_text(plan), explained=tr("self_host.metric_even_help"))


def _fleet_name(plan: Plan) -> str:
    if plan.best is None:
        return "–"
    return f"{plan.best.fleet.gpu_count} × {plan.best.offer.gpu_model}"


def _even_text(plan: Plan) -> str:
    if plan.even is None:
        return "–"
    if plan.even.always == "rent":
        return tr("self_host.even_always")
    lasting = plan.even.lasting
    return tr("self_host.even_never") if lasting is None else fmt().compact(lasting.requests_per_month)


def _takeaway(plan: Plan) -> str:
    even = plan.even
    if even is None:
        return tr("self_host.takeaway_no_api")
    if even.always:
        return tr(f"self_host.takeaway_{even.always}")
    lasting = even.lasting
    if lasting is None:
        return tr("self_host.takeaway_between")
    show = fmt()
    return tr(
        "self_host.takeaway_above", requests=show.compact(lasting.requests_per_month),
        mtok=show.compact(lasting.mtok_per_month),
    )  # fmt: skip


def _why(plan: Plan, choices: Choices) -> None:
    """What the answer rests on: speed and its band, utilization, the naive figure beside the true one."""
    if plan.best is None or plan.machine is None:
        return
    if plan.api:
        st.caption(tr("self_host.why_api", model=plan.api.key, usd=fmt().money(plan.api.usd_per_request)))
    show, estimate, fleet = fmt(), plan.best.estimate, plan.best.fleet
    is_own = estimate.basis_kind == "own_measurement"
    st.caption(
        tr(
            "self_host.why_speed_own" if is_own else "self_host.why_speed",
            speed=show.number(plan.machine.tokens_per_s_per_replica),
            low=show.number(estimate.low), high=show.number(estimate.high), gpus=str(estimate.gpus_per_replica),
            basis="" if is_own else tr(f"self_host.basis_{estimate.basis_kind}", row=estimate.nearest),
        )
    )  # fmt: skip
    st.caption(
        tr(
            "self_host.why_fleet", replicas=show.number(fleet.replica_count), machines=show.number(fleet.machine_count),
            utilization=show.percent(fleet.utilization), peak=show.number(fleet.peak_tokens_per_s),
        )
    )  # fmt: skip
    lasting = plan.even.lasting if plan.even else None
    if plan.naive_requests and lasting:
        st.caption(
            tr(
                "self_host.why_naive", naive=show.compact(plan.naive_requests),
                true=show.compact(lasting.requests_per_month),
                ratio=show.number(lasting.requests_per_month / plan.naive_requests, 1),
            )
        )  # fmt: skip
    elif plan.naive_requests and plan.even and plan.even.never:
        st.caption(
            tr(
                "self_host.why_never",
                naive=show.compact(plan.naive_requests),
                why=tr(f"self_host.never_{plan.even.never}"),
            )
        )


def _bill(fleet: Fleet) -> None:
    """What the fleet costs a month, line by line."""
    body = st.expander(tr("self_host.bill"), on_change="rerun", key="sh_bill")
    if not body.open:
        return
    total = fleet.tco_usd_per_month
    lines = {tr(f"roi.line_{name}"): usd for name, usd in fleet.lines_usd.items()} | {tr("common.total"): total}
    columns = [
        tables.Column(field="line", label=tr("roi.col_item"), pinned=True),
        tables.Column(field="usd", label=tr("roi.col_amount"), kind="money", unit=tr("common.per_month"), digits=2),
        tables.Column(field="share", label=tr("self_host.bill_share"), kind="share"),
    ]
    rows = [{"line": name, "usd": usd, "share": usd / total if total else None} for name, usd in lines.items()]
    with body:
        tables.table(rows, columns, key="sh_bill_table", alt=tr("self_host.bill"), height="content")


def _offers(plan: Plan, workload: Workload) -> None:
    st.header(tr("self_host.offers_title"))
    today = dt.datetime.now(dt.UTC).date()
    rows, columns = per_token.rows(plan.ranked[:TABLE_ROWS], today), per_token.columns()
    tables.table(rows, columns, key="sh_offers", alt=tr("self_host.offers_title"), height=320)
    left = len(plan.ranked) - TABLE_ROWS
    if left > 0:
        st.caption(tr("self_host.offers_more", count=fmt().number(left)))
    tables.download(
        lambda: per_token.rows(plan.ranked, today), columns, key="sh_csv", file_stem="breakeven-rent-or-call"
    )
    widgets.show_sources([(one.offer.source, one.offer.as_of) for one in plan.ranked[:TABLE_ROWS]], today)


page()
