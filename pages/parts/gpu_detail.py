"""What is the full story of one offer? Its month line by line, other ways to buy it, the provider, and its source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.costs.gpu_bills import RentalPlan, monthly_bill, reservation_pays_in_month, siblings
from core.costs.gpu_memory import OVERHEAD_GB_PER_GPU, USABLE_SHARE, MemoryNeed
from core.costs.gpu_places import place_of, round_trip
from core.costs.gpu_ranking import disagreements
from core.costs.gpus import GpuOffer
from core.money import usd_from_micro
from pages.parts import tables, widgets
from pages.parts.gpu_table import Listed, terms_of
from pages.parts.state import catalog, fmt, tr

Providers = Mapping[str, Mapping[str, Any]]


def show_detail(
    one: Listed, plan: RentalPlan, offers: Sequence[GpuOffer], providers: Providers, today: dt.date
) -> None:
    """One offer: bill, purchase options, provider, distance."""
    offer, provider = one.offer, providers.get(one.offer.provider_id, {})
    name = provider.get("name") or offer.provider_id
    st.subheader(f"{name} · {offer.gpu_count} × {offer.gpu_model} · {offer.region or offer.country or '–'}")
    st.markdown(f"{widgets.age_badge(offer.as_of, today)} {widgets.plain(offer.as_of_note or offer.basis)}")
    left, right = st.columns(2, gap="large")
    with left:
        _bill(one)
    with right:
        _options(offer, plan, offers, providers)
    _provider(offer, provider)
    st.caption(tr("gpu_clouds.source_of", source=offer.source, licence=offer.licence))


def _bill(one: Listed) -> None:
    rows = [
        {
            "line": tr(f"gpu_clouds.line_{line.kind}"),
            "quantity": line.quantity if line.kind != "tax" else None,
            "unit": None if line.unit_micro_usd is None or line.kind == "tax" else line.unit_micro_usd / 1e6,
            "amount": None if line.micro_usd is None else float(usd_from_micro(line.micro_usd)),
        }
        for line in one.bill.lines
    ]
    rows.append({"line": tr("common.total"), "quantity": None, "unit": None, "amount": one.bill.total_usd})
    columns = [
        tables.Column(field="line", label=tr("gpu_clouds.col_line")),
        tables.Column(field="quantity", label=tr("gpu_clouds.col_quantity"), kind="number", digits=1, unit="h, GB"),
        tables.Column(field="unit", label=tr("gpu_clouds.col_unit"), kind="money", digits=4),
        tables.Column(field="amount", label=tr("gpu_clouds.col_amount"), kind="money", digits=2),
    ]
    st.markdown(f"**{tr('gpu_clouds.month_title')}**")
    tables.table(rows, columns, key="gpu_bill", alt=tr("gpu_clouds.month_title"))
    won = float(one.bill.total_usd) * fmt().krw_per_usd
    st.caption(tr("gpu_clouds.both_currencies", usd=f"${one.bill.total_usd:,.2f}", krw=f"₩{won:,.0f}"))
    if not one.bill.is_complete:
        st.caption(tr("gpu_clouds.incomplete"))
    if one.bill.paid_in_micro_usd != one.bill.total_micro_usd:
        paid = fmt().money(usd_from_micro(one.bill.paid_in_micro_usd))
        st.caption(tr("gpu_clouds.paid_in", amount=paid))


def _options(offer: GpuOffer, plan: RentalPlan, offers: Sequence[GpuOffer], providers: Providers) -> None:
    terms = terms_of(offer.provider_id, providers)
    same = siblings(offer, offers)
    bills = {id(one): monthly_bill(one, plan, terms).total_micro_usd for one in same}
    on_demand = next((one for one in same if one.purchase_option == "on_demand"), None)
    rows = []
    for one in same:
        pays = None
        if on_demand is not None and one.purchase_option == "reserved":
            month = reservation_pays_in_month(bills[id(on_demand)], bills[id(one)], one.commitment_months)
            pays = tr("gpu_clouds.pays_never") if month is None else tr("gpu_clouds.pays_in", month=month)
        label = tr(f"gpu_clouds.option_{one.purchase_option}")
        if one.commitment_months:
            label = tr("gpu_clouds.reserved_for", option=label, months=one.commitment_months)
        rows.append(
            {"option": label, "hour": float(one.usd_per_hour), "month": bills[id(one)] / 1e6, "pays": pays or "–"}
        )
    columns = [
        tables.Column(field="option", label=tr("gpu_clouds.option")),
        tables.Column(field="hour", label=tr("gpu_clouds.col_instance_hour"), kind="money", unit="/h", digits=3),
        tables.Column(field="month", label=tr("gpu_clouds.col_month"), kind="money", unit=tr("common.per_month")),
        tables.Column(field="pays", label=tr("gpu_clouds.col_pays"), help=tr("gpu_clouds.pays_help")),
    ]
    st.markdown(f"**{tr('gpu_clouds.options_title')}**")
    tables.table(rows, columns, key="gpu_options", alt=tr("gpu_clouds.options_title"))


def _provider(offer: GpuOffer, provider: Mapping[str, Any]) -> None:
    unknown = tr("common.unknown")
    place = place_of(offer.region, offer.country)
    trip = round_trip(place) if place else None
    own = st.session_state.get("gpu_rtt")
    estimate = tr("gpu_clouds.rtt_text", ms=fmt().number(trip.ms), low=fmt().number(trip.low_ms),
                  high=fmt().number(trip.high_ms), city=place.city) if trip and place else unknown  # fmt: skip
    top_up = provider.get("min_topup_micro_usd")
    lines = {
        "rtt": tr("gpu_clouds.rtt_own", ms=fmt().number(own)) if own is not None else estimate,
        "payment": provider.get("payment") or unknown,
        "topup": fmt().money(usd_from_micro(top_up)) if top_up else provider.get("min_topup_note") or unknown,
        "billing": provider.get("billing_increment") or unknown,
        "notes": provider.get("notes") or "–",
    }
    st.markdown(
        "\n".join(f"- **{tr(f'gpu_clouds.fact_{key}')}**: {widgets.plain(text)}" for key, text in lines.items())
    )
    st.number_input(
        tr("gpu_clouds.rtt_field"), 0.0, 10_000.0, key="gpu_rtt", placeholder="–", format="%.4g", width=280,
        help=tr("gpu_clouds.rtt_field_help"),
    )  # fmt: skip


def show_memory(need: MemoryNeed, smallest: int) -> None:
    """The memory arithmetic of what must fit, written out."""
    number = fmt().number
    st.caption(
        tr(
            "gpu_clouds.memory_sum", weights=number(need.weights_gb, 1), cache=number(need.kv_cache_gb, 1),
            overhead=number(OVERHEAD_GB_PER_GPU, 1), gpus=smallest, total=number(need.total_gb(smallest), 1),
            usable=fmt().percent(USABLE_SHARE),
        )
    )  # fmt: skip


def show_disagreements(offers: Sequence[GpuOffer], today: dt.date) -> None:
    """Sources that price the same thing differently by more than 2 %, side by side."""
    found = disagreements(offers)
    if not found:
        st.caption(tr("gpu_clouds.no_disagreement"))
        return
    columns = [
        tables.Column(field="what", label=tr("gpu_clouds.col_machine"), width="medium"),
        tables.Column(field="share", label=tr("gpu_clouds.col_differs"), kind="share"),
        tables.Column(field="low", label=tr("gpu_clouds.col_low"), kind="money", unit="/GPU-h", digits=3),
        tables.Column(field="low_source", label=tr("gpu_clouds.col_source")),
        tables.Column(field="high", label=tr("gpu_clouds.col_high"), kind="money", unit="/GPU-h", digits=3),
        tables.Column(field="high_source", label=tr("gpu_clouds.col_source")),
    ]
    rows = []
    for one in found[:200]:
        low, high = one.offers[0], one.offers[-1]
        option = tr(f"gpu_clouds.option_{low.purchase_option}")
        rows.append(
            {
                "what": f"{low.provider_id} {low.gpu_count} × {low.gpu_model} {low.country or ''} {option}",
                "share": one.share,
                "low": low.usd_per_gpu_hour,
                "low_source": f"{widgets.age_text(low.as_of, today)} · {low.source}",
                "high": high.usd_per_gpu_hour,
                "high_source": f"{widgets.age_text(high.as_of, today)} · {high.source}",
            }
        )
    tables.table(rows, columns, key="gpu_disagree", alt=tr("gpu_clouds.view_disagree"), height=420)


def show_article() -> None:
    """The article's provider table as it stands: an example, dated and unverified."""
    st.warning(tr("gpu_clouds.article_label"), icon=":material/history:")
    columns = [
        tables.Column(field="name", label=tr("gpu_clouds.provider")),
        tables.Column(field="a100", label=f"A100 80GB ({fmt().symbol}/GPU-h)"),
        tables.Column(field="h100", label=f"H100 ({fmt().symbol}/GPU-h)"),
        tables.Column(field="region", label=tr("gpu_clouds.region")),
        tables.Column(field="rtt", label=tr("gpu_clouds.col_rtt_claimed")),
        tables.Column(field="topup", label=tr("gpu_clouds.fact_topup")),
        tables.Column(field="payment", label=tr("gpu_clouds.col_payment")),
        tables.Column(field="as_of", label=tr("gpu_clouds.col_age")),
    ]
    rows = [
        {
            "name": one.name,
            "a100": _range(one.a100_80gb_usd_per_gpu_hour),
            "h100": _range(one.h100_usd_per_gpu_hour),
            "region": one.region or "–",
            "rtt": "–" if one.rtt_korea_ms is None else f"{one.rtt_korea_ms[0]:g}–{one.rtt_korea_ms[1]:g} ms",
            "topup": one.min_topup_note or "–",
            "payment": one.payment or tr("common.unknown"),
            "as_of": f"{one.as_of} · {tr('gpu_clouds.unverified')}",
        }
        for one in catalog().article_gpu_rows()
    ]
    tables.table(rows, columns, key="gpu_article", alt=tr("gpu_clouds.view_article"))
    st.caption(tr("gpu_clouds.article_note"))


def _range(ends: tuple[float, float] | None) -> str:
    if ends is None:
        return "–"
    low, high = (fmt().money(end) for end in ends)
    return low if low == high else f"{low}–{high}"
