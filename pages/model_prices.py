"""What does each model's API cost for this workload, how did its price move, and who says so?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.costs.tokens import PriceSheet
from core.workload import Workload
from pages.parts import (
    model_prices_article,
    model_prices_charts,
    model_prices_compare,
    model_prices_data,
    model_prices_feed,
    model_prices_own,
    number_field,
    state,
    tables,
    widgets,
)
from pages.parts.model_prices_bills import Bill, as_row, bills, now, sheets
from pages.parts.model_prices_data import (
    CONTEXTS,
    MAX_SHORTLIST,
    MODALITIES,
    SCOPES,
    STATUSES,
    VIEWS,
    labels,
)
from pages.parts.state import fmt, tr
from pages.parts.tables import Column
from pages.parts.workload_bar import workload_bar


@state.block
def page() -> None:
    known = sheets()
    problems = model_prices_data.take(known)
    model_prices_article.take_tasks()
    workload = workload_bar()
    st.title(tr("model_prices.title"))
    widgets.show_problems(problems, model_prices_data.field_labels())
    shown = model_prices_data.under_cap(bills(workload, model_prices_data.passing(known)))
    chosen = model_prices_data.shortlist(workload)
    with widgets.cards():
        answer(shown, chosen)
    if workload.seasonality:
        st.caption(tr("workload.no_season"))
    picture, inputs = st.columns([5, 2], gap="large")
    with picture:
        if chosen:
            model_prices_charts.output_share_chart(chosen, workload)
        else:
            widgets.show_empty(tr("model_prices.no_shortlist"), tr("model_prices.no_shortlist_body"))
    with inputs:
        controls(known)
    bills_table(shown)
    st.segmented_control(
        tr("model_prices.view"), VIEWS, key="mp_view", format_func=lambda view: tr(f"model_prices.view_{view}"),
        label_visibility="collapsed", required=True,
    )  # fmt: skip
    detail(str(st.session_state["mp_view"]), chosen, workload)
    widgets.show_sources([pair for one in chosen or shown for pair in one.sources], now().date())


def answer(shown: Sequence[Bill], chosen: Sequence[Bill]) -> None:
    """The cheapest and dearest of the shortlist, what lies between, and the cheapest of all that pass the filters."""
    if chosen:
        best, worst = chosen[0], chosen[-1]
        saved = worst.usd_per_month - best.usd_per_month
        widgets.card(tr("model_prices.cheapest_chosen"), _monthly(best.usd_per_month), best.name)
        widgets.card(tr("model_prices.dearest_chosen"), _monthly(worst.usd_per_month), worst.name)
        share = fmt().percent(saved / worst.usd_per_month) if worst.usd_per_month else "0%"
        widgets.card(tr("model_prices.spread"), _monthly(saved), share)
    if shown:
        label = tr("model_prices.cheapest_of", count=fmt().number(len(shown)))
        widgets.card(label, _monthly(shown[0].usd_per_month), f"{shown[0].name} · {shown[0].provider_id}")


def _monthly(usd: float) -> str:
    return f"{fmt().money_short(usd)} {tr('common.per_month')}"


def controls(known: Mapping[str, PriceSheet]) -> None:
    """The shortlist, and the filters of the table."""
    st.multiselect(
        tr("model_prices.shortlist"), model_prices_data.selectable(known), key="mp_compare",
        format_func=labels().__getitem__, max_selections=MAX_SHORTLIST, wrap=True,
    )  # fmt: skip
    st.segmented_control(
        tr("model_prices.scope"), SCOPES, key="mp_scope", required=True,
        format_func=lambda one: tr(f"model_prices.scope_{one}"), help=tr("model_prices.scope_help"),
    )  # fmt: skip
    st.segmented_control(
        tr("model_prices.status"), STATUSES, key="mp_status", required=True,
        format_func=lambda one: tr(f"model_prices.status_{one}"), help=tr("model_prices.status_help"),
    )  # fmt: skip
    with st.expander(tr("model_prices.more_filters"), key="mp_more"):
        providers = sorted({one.provider_id for one in known.values()})
        st.multiselect(tr("model_prices.providers"), providers, key="mp_providers")
        st.selectbox(
            tr("model_prices.context_least"), CONTEXTS, key="mp_context",
            format_func=model_prices_data.context_text, help=tr("model_prices.context_help"),
        )  # fmt: skip
        st.selectbox(
            tr("model_prices.modality"), MODALITIES, key="mp_modality",
            format_func=lambda one: tr(f"model_prices.modality_{one}"), help=tr("model_prices.modality_help"),
        )  # fmt: skip
        number_field.number_field(
            tr("model_prices.cap"), 0, 1e12, key="mp_cap", placeholder=tr("model_prices.no_cap"), is_usd=True,
            help=tr("model_prices.cap_help"),
        )  # fmt: skip


def bills_table(shown: Sequence[Bill]) -> None:
    """Every model that passes the filters, the cheapest first."""
    if not shown:
        widgets.show_empty(tr("model_prices.nothing"), tr("model_prices.nothing_body"))
        return
    columns = [
        Column(field="name", label=tr("model_prices.model"), pinned=True),
        Column(field="provider", label=tr("model_prices.provider")),
        Column(field="usd_per_month", label=tr("model_prices.bill"), kind="money", digits=2),
        Column(
            field="blended", label=tr("model_prices.blended"), kind="money", unit="/Mtok", digits=4,
            help=tr("model_prices.blended_help"),
        ),
        *(
            Column(
                field=field, label=tr(f"model_prices.component_{name}"), kind="money", unit="/Mtok", digits=4,
                help=tr("model_prices.list_price_help"),
            )
            for field, name in (("input", "input"), ("cached", "cache_read"), ("output", "output"))
        ),
        Column(field="context", label=tr("model_prices.context"), kind="number"),
        Column(field="age", label=tr("model_prices.age")),
        Column(field="layer", label=tr("model_prices.layer"), help=tr("model_prices.layer_help")),
        Column(field="rivals", label=tr("model_prices.rivals"), help=tr("model_prices.rivals_help")),
        Column(field="status", label=tr("model_prices.status")),
        Column(field="notes", label=tr("model_prices.notes")),
    ]  # fmt: skip
    rows = [as_row(one) for one in shown]
    event = tables.table(rows, columns, key="mp_bills", alt=tr("model_prices.title"), on_select="rerun")
    tables.download(rows, columns, key="mp_csv", file_stem=f"breakeven-models-{now():%Y-%m-%d}")
    # A choice outlives a change of the filters, and may then lie beyond the last row.
    for place in event.selection.rows:
        if place < len(shown):
            model_prices_compare.provenance([shown[place]], key="mp_picked_rivals")


def detail(view: str, chosen: Sequence[Bill], workload: Workload) -> None:
    """The opened view below the table."""
    if view == "article":
        model_prices_article.discounts(workload)
    elif view == "tasks":
        model_prices_article.tasks(workload)
    elif view == "own":
        model_prices_own.own_prices()
    elif view == "feed":
        model_prices_feed.feed()
    elif not chosen:
        st.caption(tr("model_prices.no_shortlist_body"))
    elif view == "history":
        model_prices_charts.history(chosen)
    else:
        model_prices_compare.side_by_side(chosen)


page()
