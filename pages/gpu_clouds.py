"""Who rents this GPU, where, at what real monthly price, and can I pay for it from Korea?"""

from __future__ import annotations

import datetime as dt
from typing import Any

import streamlit as st

from core.costs.gpu_memory import holds
from core.costs.gpu_ranking import rate
from core.costs.gpus import GpuOffer
from core.costs.selfhost_ranking import rank_offers
from core.workload import Workload
from pages.parts import gpu_detail, gpu_inputs, gpu_table, state, tables, widgets
from pages.parts.gpu_inputs import VIEWS, Wish
from pages.parts.gpu_table import TABLE_ROWS, Listed
from pages.parts.self_host_inputs import read as read_self_host
from pages.parts.state import catalog, fmt, tr
from pages.parts.workload_bar import workload_bar


@state.block
def page() -> None:
    workload = workload_bar()
    st.title(tr("gpu_clouds.title"))
    offers, today = catalog().gpu_offers(), dt.datetime.now(dt.UTC).date()
    if not offers:
        widgets.show_empty(tr("gpu_clouds.empty"), tr("gpu_clouds.empty_body"))
        return
    values, problems, options = gpu_inputs.bind(offers)
    widgets.show_problems(problems, {one.field: tr(f"gpu_clouds.{one.field.removeprefix('gpu_')}") for one in problems})
    wish = gpu_inputs.wish(values)
    providers = catalog().providers()
    rated = rate(
        offers, wish.wanted, specs=catalog().gpu_specs(), today=today, measure=values["gpu_sort"],
        with_stale=values["gpu_stale"],
    )  # fmt: skip
    if wish.need is not None:
        need = wish.need
        rated = [one for one in rated if holds(one.offer, need)]
    found = gpu_table.listed(rated, wish.plan, providers)
    answer(found, wish)
    gpu_inputs.draw(options, values)
    if not found:
        widgets.show_empty(tr("gpu_clouds.none"), tr("gpu_clouds.none_body"))
    st.segmented_control(
        tr("gpu_clouds.view"), VIEWS, key="gpu_view", format_func=lambda view: tr(f"gpu_clouds.view_{view}"),
        label_visibility="collapsed", required=True,
    )  # fmt: skip
    show(str(values["gpu_view"]), found, values, wish, offers, workload)
    widgets.show_sources([(one.offer.source, one.offer.as_of) for one in found[:TABLE_ROWS]], today)
    for row in catalog().refused[:20]:
        st.caption(tr("gpu_clouds.refused", row=str(row)))


def answer(found: list[Listed], wish: Wish) -> None:
    """The cheapest that may be called so, its month, and how much there was to choose from."""
    show, best = fmt(), gpu_table.best_of(found)
    cells = st.columns(4)
    name = best.offer.provider_id if best else "–"
    cells[0].metric(
        tr("gpu_clouds.metric_cheapest"), show.money(best.offer.usd_per_gpu_hour if best else None), name,
        delta_color="off", delta_arrow="off", border=True, height="stretch", help=tr("gpu_clouds.metric_cheapest_help"),
    )  # fmt: skip
    machine = f"{best.offer.gpu_count} × {best.offer.gpu_model}" if best else "–"
    cells[1].metric(
        tr("gpu_clouds.metric_month"), show.money_short(best.bill.total_usd if best else None), machine,
        delta_color="off", delta_arrow="off", border=True, height="stretch",
        help=tr("gpu_clouds.metric_month_help", hours=show.number(wish.plan.hours_per_month)),
    )  # fmt: skip
    ranking = [one for one in found if one.rated.ranks]
    cells[2].metric(
        tr("gpu_clouds.metric_offers"), show.number(len(found)),
        tr("gpu_clouds.metric_ranking", count=show.number(len(ranking))), delta_color="off", delta_arrow="off",
        border=True, height="stretch", help=tr("gpu_clouds.metric_offers_help"),
    )  # fmt: skip
    near = gpu_table.best_of([one for one in found if one.offer.country == "KR"])
    cells[3].metric(
        tr("gpu_clouds.metric_korea"), show.money(near.offer.usd_per_gpu_hour if near else None),
        near.offer.provider_id if near else tr("gpu_clouds.none_in_korea"), delta_color="off", delta_arrow="off",
        border=True, height="stretch",
    )  # fmt: skip
    if wish.need is not None and best is not None:
        gpu_detail.show_memory(wish.need, best.offer.gpu_count)


def show(
    view: str, found: list[Listed], values: dict[str, Any], wish: Wish, offers: list[GpuOffer], workload: Workload
) -> None:
    """One of the views: table with detail, charts, useful tokens, disagreements, the article's table."""
    today = dt.datetime.now(dt.UTC).date()
    if view == "providers":
        gpu_table.providers_chart(found, values["gpu_sort"])
    elif view == "speed":
        gpu_table.speed_chart(found)
    elif view == "tokens":
        tokens([one.offer for one in found], workload, offers)
    elif view == "disagree":
        gpu_detail.show_disagreements([one.offer for one in found], today)
    elif view == "article":
        gpu_detail.show_article()
    elif found:
        _table(found, values, wish, offers, today)


def _table(found: list[Listed], values: dict[str, Any], wish: Wish, offers: list[GpuOffer], today: dt.date) -> None:
    providers, columns = catalog().providers(), gpu_table.columns(values["gpu_sort"])
    event = tables.table(
        gpu_table.rows(found[:TABLE_ROWS], providers, today), columns, key="gpu_table", alt=tr("gpu_clouds.title"),
        height=420, on_select="rerun",
    )  # fmt: skip
    if len(found) > TABLE_ROWS:
        st.caption(tr("gpu_clouds.more_rows", shown=TABLE_ROWS, all=len(found)))
    tables.download(
        gpu_table.rows(found, providers, today), columns, key="gpu_csv", file_stem=f"breakeven-gpu-offers-{today}"
    )
    chosen = event.selection.rows[0] if event.selection.rows else 0
    if not event.selection.rows:
        st.caption(tr("gpu_clouds.click"))
    gpu_detail.show_detail(found[min(chosen, len(found) - 1)], wish.plan, offers, providers, today)


def tokens(chosen: list[GpuOffer], workload: Workload, offers: list[GpuOffer]) -> None:
    """The offers in sight by cost per token served, for the model of Rent or call."""
    countries = sorted({one.country for one in offers if one.country})
    choices = read_self_host([], countries)
    ranked = rank_offers(
        chosen, choices.model_id, workload, choices.operations, precision=choices.precision,
        today=dt.datetime.now(dt.UTC).date(),
    )  # fmt: skip
    st.caption(tr("gpu_clouds.tokens_note", model=choices.model_id, precision=choices.precision))
    columns = [
        tables.Column(field="provider", label=tr("gpu_clouds.provider")),
        tables.Column(field="machine", label=tr("gpu_clouds.col_machine")),
        tables.Column(field="gpus", label=tr("gpu_clouds.col_count"), kind="number"),
        tables.Column(field="mtok", label=tr("gpu_clouds.col_mtok"), kind="money", unit="/Mtok", digits=3),
        tables.Column(field="month", label=tr("gpu_clouds.col_month"), kind="money", unit=tr("common.per_month")),
        tables.Column(field="speed", label=tr("gpu_clouds.col_speed"), kind="number", unit="tok/s"),
    ]
    rows = [
        {
            "provider": one.offer.provider_id,
            "machine": f"{one.offer.gpu_count} × {one.offer.gpu_model} {one.offer.gpu_form or ''}".strip(),
            "gpus": one.fleet.gpu_count,
            "mtok": one.fleet.usd_per_mtok,
            "month": one.fleet.tco_usd_per_month,
            "speed": one.estimate.output_tokens_per_s,
        }
        for one in ranked[:TABLE_ROWS]
    ]
    tables.table(rows, columns, key="gpu_tokens", alt=tr("gpu_clouds.view_tokens"), height=420)


page()
