"""Who rents which GPU, where, at what real monthly price, and can it be trusted?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from core.costs.gpu_bills import monthly_bill
from core.costs.gpu_places import NEAR_KOREA
from core.costs.gpu_ranking import Rated, cheapest, rate
from core.costs.gpu_specs import gpu_specs
from core.costs.gpus import GpuOffer
from pages.parts import address, gpu_fields, gpu_inputs, gpu_rows, gpu_story, gpu_views, state, tables, widgets
from pages.parts.gpu_inputs import Choices
from pages.parts.offer_words import Providers, provider_name
from pages.parts.state import catalog, fmt, lang, tr
from pages.parts.workload_bar import workload_bar

REFUSED_SHOWN = 5
TABLE = "gc_table"


@state.block
def page() -> None:
    workload_bar()
    st.title(tr("gpu_clouds.title"))
    _refused()
    offers, providers = catalog().gpu_offers(), catalog().providers()
    if not offers:
        widgets.show_empty(tr("gpu_clouds.no_offers"), tr("gpu_clouds.no_offers_body"))
        return
    today = state.today()
    options = gpu_inputs.options_of(offers)
    choices, problems = gpu_inputs.read(options)
    widgets.show_problems(problems, gpu_inputs.labels())
    rated = _rate(offers, choices, today)
    _answer(rated, offers, choices, providers, today)
    left, right = st.columns([7, 3], gap="large")
    with right:
        gpu_fields.draw_filters(options)
    with left:
        _view(rated, offers, choices, providers, today)
    if rated:
        chosen = _table(rated, choices, providers, today)
        gpu_story.story(chosen, offers, choices.plan, providers, choices.own_rtt_ms)
    gpu_views.rivals([one.offer for one in rated], providers)
    gpu_views.article(catalog().article_gpu_rows())
    widgets.show_sources(gpu_views.source_days(rated), today)


def _refused() -> None:
    refused = catalog().refused
    if refused:
        shown = "\n\n".join(widgets.plain(row.text(lang())) for row in refused[:REFUSED_SHOWN])
        st.warning(f"{tr('gpu_clouds.refused', count=str(len(refused)))}\n\n{shown}", icon=":material/rule:")


def _rate(offers: Sequence[GpuOffer], choices: Choices, today: dt.date) -> list[Rated]:
    return rate(
        offers, choices.wanted, specs=gpu_specs(), today=today, measure=choices.measure, with_stale=choices.with_stale
    )


def _answer(
    rated: list[Rated], offers: Sequence[GpuOffer], choices: Choices, providers: Providers, today: dt.date
) -> None:
    """The cheapest that can be trusted, its month, the cheapest near Korea, and how much was compared."""
    show = fmt()
    best = cheapest(rated)
    if choices.wanted.countries:
        nearby = _rate(offers, replace(choices, wanted=replace(choices.wanted, countries=NEAR_KOREA)), today)
    else:
        nearby = [one for one in rated if one.offer.country in NEAR_KOREA]
    near = cheapest(nearby)
    month = None
    if best:
        month = monthly_bill(best.offer, choices.plan, gpu_rows.terms(providers, best.offer.provider_id)).total_usd
    with widgets.cards():
        widgets.card(
            tr("gpu_clouds.metric_cheapest"), show.money_short(best.offer.usd_per_gpu_hour if best else None),
            _name(best, providers, today),
            explained=tr("gpu_clouds.metric_cheapest_help" + ("_stale" if choices.with_stale else "")),
        )  # fmt: skip
        count = best.offer.gpu_count if best else 0
        widgets.card(
            tr("gpu_clouds.metric_month"), show.money_short(month), tr("gpu_clouds.metric_month_note", count=count)
        )
        widgets.card(
            tr("gpu_clouds.metric_near"), show.money_short(near.offer.usd_per_gpu_hour if near else None),
            _name(near, providers, today), explained=tr("gpu_clouds.metric_near_help"),
        )  # fmt: skip
        widgets.card(
            tr("gpu_clouds.metric_count"), show.number(sum(one.ranks for one in rated)),
            tr("gpu_clouds.metric_count_note", count=show.number(len(rated))),
            explained=tr("gpu_clouds.metric_count_help"),
        )  # fmt: skip


def _name(one: Rated | None, providers: Providers, today: dt.date) -> str:
    """Who asks this price, and a mark where its day is not known or long past."""
    if one is None:
        return "–"
    name, age = provider_name(providers, one.offer.provider_id), widgets.age_of(one.offer.as_of, today)
    return f"{name} · {tr(f'gpu_clouds.trust_{age}')}" if age in {"undated", "stale"} else name


def _view(
    rated: list[Rated], offers: Sequence[GpuOffer], choices: Choices, providers: Providers, today: dt.date
) -> None:
    """The one chosen way to look at the offers; the others do not run. Two of them (performance, what fits) ask across
    all GPUs.
    """
    names = {one: tr(f"gpu_clouds.view_{one}") for one in gpu_inputs.VIEWS}
    st.segmented_control(
        tr("gpu_clouds.field_view"), gpu_inputs.VIEWS, key="gc_view", required=True, label_visibility="collapsed",
        format_func=names.__getitem__,
    )  # fmt: skip
    if choices.view == "provider" and cheapest(rated):
        gpu_views.by_provider(rated, providers, choices.measure)
    elif choices.view == "provider":
        widgets.show_empty(tr("gpu_clouds.none"), tr("gpu_clouds.none_body"))
    elif choices.view == "tokens":
        gpu_views.by_token([one.offer for one in rated if one.ranks], today)
    else:
        others = _rate(offers, replace(choices, wanted=choices.fit_filter), today)
        if choices.view == "performance":
            gpu_views.against_speed(others, gpu_specs())
        else:
            gpu_story.fits(others, choices.need, choices.plan, providers, today)


def _table(rated: list[Rated], choices: Choices, providers: Providers, today: dt.date) -> GpuOffer:
    """All matching offers; gives the one whose row was chosen, here or in the address, else the first."""
    st.header(tr("gpu_clouds.table_title"))
    st.caption(tr("gpu_clouds.table_help"))
    columns = gpu_rows.columns(choices.measure)
    rows = gpu_rows.rows(rated, choices.plan, providers, today)
    tables.table(
        rows, columns, key=TABLE, alt=tr("gpu_clouds.table_title"), height=380, on_select=partial(_take_row, rated),
        selection_mode="single-cell",
    )  # fmt: skip
    tables.download(rows, columns, key="gc_csv", file_stem=f"gpu-offers-{today.isoformat()}")
    chosen = next((one for one in rated if choices.offer and gpu_rows.reference(one.offer) == choices.offer), None)
    if choices.offer and chosen is None:
        st.caption(tr("gpu_clouds.offer_left"))
    return (chosen or rated[0]).offer


def _take_row(rated: Sequence[Rated]) -> None:
    """Callback: the offer of the cell that was pressed."""
    cells = st.session_state[TABLE]["selection"]["cells"]
    if cells and cells[0][0] < len(rated):
        address.set_value(gpu_inputs.OFFER, gpu_rows.reference(rated[cells[0][0]].offer))


page()
