"""Rent GPUs or call an API: which is cheaper for this workload, from which volume, and for whom?"""

from __future__ import annotations

import streamlit as st

from core.costs.selfhost import Fleet
from pages.parts import (
    fleet,
    fleet_inputs,
    fleet_measured,
    per_token,
    self_host_charts,
    self_host_verdict,
    self_host_why,
    state,
    tables,
    ways,
    widgets,
)
from pages.parts.fleet_inputs import Choices
from pages.parts.offer_words import provider_name
from pages.parts.self_host_plan import Plan, make_plan
from pages.parts.state import catalog, fmt, tr
from pages.parts.workload_bar import workload_bar

TABLE_ROWS = 100
HOSTS_SHOWN = 20


@state.block
def page() -> None:
    workload = workload_bar()
    st.title(tr("self_host.title"))
    choices = fleet_inputs.read()
    values = self_host_verdict.read()
    plan = make_plan(choices, workload)
    fleet_measured.remember_winner(plan.best)
    _answer(plan)
    found = self_host_verdict.verdict(plan, choices, workload, values)
    self_host_why.under_the_cards(plan, choices, workload, found.conclusion)
    left, right = st.columns([7, 3], gap="large")
    with right:
        hosts = [one.key for one in plan.hosts[:HOSTS_SHOWN]]
        fleet_inputs.draw([*hosts, *fleet_inputs.WELL_KNOWN], has_hosts=bool(hosts))
    with left:
        if plan.best is None:
            widgets.show_empty(tr("self_host.none_fits"), fleet.why_none(choices, workload))
        else:
            self_host_charts.volume_chart(plan, workload, _takeaway(plan))
            self_host_why.why(plan, choices, workload)
            _bill(plan.best.fleet)
    self_host_verdict.draw(found)
    self_host_verdict.draw_thresholds()
    if plan.best is not None:
        self_host_charts.tornado_chart(plan, choices, workload)
        _offers(plan, choices)


def _answer(plan: Plan) -> None:
    show, per_month = fmt(), tr("common.per_month")
    api, fleet = plan.api, plan.best.fleet if plan.best else None
    saving = api.usd_per_month - fleet.tco_usd_per_month if api and fleet else None
    with widgets.cards():
        widgets.card(
            tr("self_host.metric_api"), f"{show.money_short(api.usd_per_month)} {per_month}" if api else "–",
            ways.label_of(api.key) if api else None,
        )  # fmt: skip
        widgets.card(
            tr("self_host.metric_fleet"), f"{show.money_short(fleet.tco_usd_per_month)} {per_month}" if fleet else "–",
            _fleet_name(plan), explained=tr("self_host.metric_fleet_help"),
        )  # fmt: skip
        widgets.card(
            tr("self_host.metric_saving" if saving is None or saving >= 0 else "self_host.metric_costs_more"),
            "–" if saving is None else f"{show.money_short(abs(saving))} {per_month}",
            explained=tr("self_host.metric_saving_help"),
        )  # fmt: skip
        widgets.card(
            tr("self_host.metric_even"), _even_text(plan),
            self_host_charts.machine_text(plan.winner) if plan.winner else None,
            explained=tr("self_host.metric_even_help"),
        )  # fmt: skip


def _fleet_name(plan: Plan) -> str:
    if plan.best is None:
        return "–"
    offer, count = plan.best.offer, fmt().number(plan.best.fleet.gpu_count)
    undated = "" if plan.best.is_dated else f" · {tr('common.undated')}"
    return f"{count} × {offer.gpu_model} · {provider_name(catalog().providers(), offer.provider_id)}{undated}"


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
        undated = "_undated" if even.always == "call" and plan.best and not plan.best.is_dated else ""
        return tr(f"self_host.takeaway_{even.always}{undated}")
    lasting = even.lasting
    if lasting is None or plan.winner is None:
        return tr("self_host.takeaway_between")
    show = fmt()
    return tr(
        "self_host.takeaway_above", requests=show.compact(lasting.requests_per_month),
        mtok=show.compact(lasting.mtok_per_month), machine=self_host_charts.machine_text(plan.winner),
    )  # fmt: skip


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


def _offers(plan: Plan, choices: Choices) -> None:
    st.header(tr("self_host.offers_title"))
    today = state.today()
    st.caption(per_token.order(plan.ranked))
    rows, columns = per_token.rows(plan.ranked[:TABLE_ROWS], today, choices.precision), per_token.columns()
    tables.table(rows, columns, key="sh_offers", alt=tr("self_host.offers_title"), height=320)
    tables.download(
        lambda: per_token.rows(plan.ranked, today, choices.precision), columns, key="sh_csv",
        file_stem="breakeven-rent-or-call",
    )  # fmt: skip
    left = len(plan.ranked) - TABLE_ROWS
    more = f"{tr('self_host.offers_more', count=fmt().number(left))}  \n" if left > 0 else ""
    shown = [(one.offer.source, one.offer.as_of) for one in plan.ranked[:TABLE_ROWS]]
    st.caption(f"{more}{widgets.sources_line(shown, today)}")


page()
