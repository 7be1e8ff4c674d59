"""What is the full story of one offer: its bill, its other purchase options, how to pay, how far it is?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import streamlit as st

from core.costs.gpu_bills import MonthlyBill, RentalPlan, monthly_bill, reservation_pays_in_month, siblings
from core.costs.gpu_memory import OVERHEAD_GB_PER_GPU, MemoryNeed, holds
from core.costs.gpu_ranking import Rated
from core.costs.gpus import USABLE_MEMORY_SHARE, GpuOffer
from core.money import MICRO
from pages.parts import state, tables, widgets
from pages.parts.gpu_facts import fact, machine_type
from pages.parts.gpu_fields import draw_need, draw_plan, draw_rtt
from pages.parts.gpu_rows import day_text, purchase, terms, trip, trust
from pages.parts.offer_words import Providers, gpu_text, place_text, provider_name, region_text
from pages.parts.state import fmt, tr

CONFIGURATIONS_SHOWN = 12


def story(
    offer: GpuOffer, offers: Sequence[GpuOffer], plan: RentalPlan, providers: Providers, own_rtt_ms: float | None
) -> None:
    """The monthly bill of the chosen offer with its inputs, then everything known about it."""
    name = f"{provider_name(providers, offer.provider_id)} · {offer.gpu_count} × {gpu_text(offer)}"
    st.header(tr("gpu_clouds.bill_title", offer=widgets.plain(name)))
    left, right = st.columns([7, 3], gap="large")
    with right:
        draw_plan(plan.mode)
    with left:
        bill = monthly_bill(offer, plan, terms(providers, offer.provider_id))
        if offer.region_confirmed == "no":
            st.caption(f":material/warning: {tr('gpu_clouds.bill_not_sold', region=widgets.plain(place_text(offer)))}")
        _bill_table(bill)
        _bill_notes(bill)
        _options(offer, offers, plan, providers)
        _facts(offer, providers, own_rtt_ms)


def _exact(usd: float | None) -> str:
    """A price with the digits it has, to a hundredth of a cent: what stands in a line must multiply out."""
    value = fmt().convert(usd)
    if value is None:
        return fmt().money(None)
    fewest = 0 if fmt().currency == "KRW" else 2
    digits = next(digits for digits in range(fewest, 5) if digits == 4 or round(value, digits) == round(value, 4))
    return fmt().money(usd, digits=digits)


def _bill_table(bill: MonthlyBill) -> None:
    show = fmt()
    lines = []
    for line in bill.lines:
        unit = line.unit_micro_usd
        how = {
            "compute": lambda q, u: f"{show.number(q, 1)} h × {_exact(u)}",
            "storage": lambda q, u: f"{show.number(q)} GB × {_exact(u)}",
            "egress": lambda q, u: f"{show.number(q)} GB × {_exact(u)}",
        }.get(line.kind)
        unit_usd = None if unit is None else unit / MICRO
        how_text = show.percent(line.tax_share, 1) if how is None else how(line.quantity, unit_usd)
        lines.append(
            {
                "line": tr(f"gpu_clouds.line_{line.kind}"),
                "how": how_text,
                "usd": None if line.micro_usd is None else line.micro_usd / MICRO,
            }
        )
    lines.append({"line": tr("common.total"), "how": "", "usd": bill.total_usd})
    tables.table(
        lines,
        [
            tables.Column(field="line", label=tr("gpu_clouds.col_line")),
            tables.Column(field="how", label=tr("gpu_clouds.col_how")),
            tables.Column(field="usd", label=tr("gpu_clouds.col_amount"), kind="money", digits=2),
        ],
        key="gc_bill",
        alt=tr("gpu_clouds.bill_alt", total=show.money(bill.total_usd)),
        height="content",
    )


def _bill_notes(bill: MonthlyBill) -> None:
    unknown = [tr(f"gpu_clouds.line_{line.kind}") for line in bill.lines if line.micro_usd is None]
    if unknown:
        st.caption(tr("gpu_clouds.bill_incomplete", lines=", ".join(unknown)))
    if bill.paid_in_micro_usd > bill.total_micro_usd:
        st.caption(tr("gpu_clouds.bill_topup", paid=fmt().money(bill.paid_in_micro_usd / MICRO)))


def _pays(one: GpuOffer, on_demand: MonthlyBill | None, bill: MonthlyBill) -> str:
    """From which month on a reservation is cheaper, in words; a dash for other options."""
    if one.purchase_option != "reserved" or on_demand is None:
        return "–"
    month = reservation_pays_in_month(
        on_demand.lines[0].micro_usd or 0, bill.lines[0].micro_usd or 0, one.commitment_months
    )
    return tr("gpu_clouds.pays_never") if month is None else tr("gpu_clouds.pays_month", month=str(month))


def _options(offer: GpuOffer, offers: Sequence[GpuOffer], plan: RentalPlan, providers: Providers) -> None:
    """The same machine on demand, as spot and reserved, with the month in which a reservation pays."""
    found = siblings(offer, offers)
    if len(found) < 2:
        st.caption(tr("gpu_clouds.no_other_option"))
        return
    known = terms(providers, offer.provider_id)
    bills = {(one.purchase_option, one.commitment_months): monthly_bill(one, plan, known) for one in found}
    on_demand = bills.get(("on_demand", 0))
    lines = []
    for one in found:
        bill = bills[one.purchase_option, one.commitment_months]
        lines.append(
            {
                "option": purchase(one),
                "hour": one.micro_usd_per_hour / MICRO,
                "month": bill.total_usd,
                "pays": _pays(one, on_demand, bill),
            }
        )
    st.markdown(f"**{tr('gpu_clouds.options_title')}**")
    tables.table(
        lines,
        [
            tables.Column(field="option", label=tr("gpu_clouds.col_option")),
            tables.Column(field="hour", label=tr("gpu_clouds.col_per_hour"), kind="money", unit="/h", digits=3),
            tables.Column(
                field="month", label=tr("gpu_clouds.col_monthly"), kind="money", unit=tr("common.per_month"), digits=2
            ),
            tables.Column(field="pays", label=tr("gpu_clouds.col_pays"), help=tr("gpu_clouds.help_pays")),
        ],
        key="gc_options",
        alt=tr("gpu_clouds.options_title"),
        height="content",
    )


def _facts(offer: GpuOffer, providers: Providers, own_rtt_ms: float | None) -> None:
    body = st.expander(tr("gpu_clouds.story"), on_change="rerun", key="gc_story", icon=":material/info:")
    if not body.open:
        return
    known, unknown, show = providers.get(offer.provider_id, {}), tr("common.unknown"), fmt()
    today = state.today()
    estimate = trip(offer)
    distance = unknown
    if estimate:
        distance = tr(
            "gpu_clouds.trip_text", low=show.number(estimate.low_ms), high=show.number(estimate.high_ms),
            km=show.number(estimate.distance_km),
        )  # fmt: skip
    if own_rtt_ms is not None:
        distance = tr("gpu_clouds.trip_own", ms=show.number(own_rtt_ms), estimate=distance)
    confirmed = tr(f"gpu_clouds.confirmed_{offer.region_confirmed}")
    facts = {
        "instance": machine_type(offer),
        "region": f"{fact(offer.region) if offer.region else unknown} · {confirmed}",
        "age": ", ".join(filter(None, (widgets.age_text(offer.as_of, today), fact(offer.as_of_note)))),
        "basis": fact(offer.basis),
        "source": offer.source,
        "licence": fact(offer.licence) or unknown,
        "trip": distance,
        "payment": fact(known.get("payment") or "") or unknown,
        "topup": _topup(offer, providers),
        "billing": fact(known.get("billing_increment") or "") or unknown,
        "storage": fact(known.get("storage_note") or "") or unknown,
        "egress": fact(known.get("egress_note") or "") or unknown,
        "notes": fact(known.get("notes") or "") or "–",
    }
    with body:
        for name, text in facts.items():
            st.markdown(f"**{tr(f'gpu_clouds.fact_{name}')}** · {widgets.plain(text)}")
        draw_rtt()


def _topup(offer: GpuOffer, providers: Providers) -> str:
    known = providers.get(offer.provider_id, {})
    amount = known.get("min_topup_micro_usd")
    if amount is not None:
        return fmt().money(amount / MICRO)
    return fact(known.get("min_topup_note") or "") or tr("common.unknown")


def fits(rated: Sequence[Rated], need: MemoryNeed, plan: RentalPlan, providers: Providers, today: dt.date) -> None:
    """What memory the model needs, and the cheapest machines that hold it, of any GPU."""
    show = fmt()
    draw_need()
    st.caption(
        tr(
            "gpu_clouds.fit_sum", weights=show.number(need.weights_gb, 1), cache=show.number(need.kv_cache_gb, 1),
            overhead=show.number(OVERHEAD_GB_PER_GPU, 1), total=show.number(need.total_gb(1), 1),
            usable=show.percent(USABLE_MEMORY_SHARE),
        )
    )  # fmt: skip
    found = sorted(
        (one for one in rated if one.ranks and holds(one.offer, need)),
        key=lambda one: (one.offer.as_of is None, one.offer.micro_usd_per_hour),
    )
    if found:
        _configurations(found[:CONFIGURATIONS_SHOWN], plan, providers, today)
    else:
        widgets.show_empty(tr("gpu_clouds.fit_none"), tr("gpu_clouds.fit_none_body"))


def _configurations(found: Sequence[Rated], plan: RentalPlan, providers: Providers, today: dt.date) -> None:
    lines = [
        {
            "provider": provider_name(providers, one.offer.provider_id),
            "gpu": f"{one.offer.gpu_count} × {gpu_text(one.offer)}",
            "memory": one.offer.total_memory_gb,
            "hour": one.offer.micro_usd_per_hour / MICRO,
            "month": monthly_bill(one.offer, plan, terms(providers, one.offer.provider_id)).total_usd,
            "option": purchase(one.offer),
            "region": region_text(one.offer.region),
            "trust": trust(one.offer, today),
            "age": day_text(one.offer),
        }
        for one in found
    ]
    tables.table(
        lines,
        [
            tables.Column(field="provider", label=tr("gpu_clouds.col_provider"), pinned=True),
            tables.Column(field="gpu", label=tr("gpu_clouds.col_gpu")),
            tables.Column(field="memory", label=tr("gpu_clouds.col_memory"), kind="number", unit="GB"),
            tables.Column(field="hour", label=tr("gpu_clouds.col_per_hour"), kind="money", unit="/h", digits=2),
            tables.Column(field="month", label=tr("gpu_clouds.col_monthly"), kind="money", unit=tr("common.per_month")),
            tables.Column(field="option", label=tr("gpu_clouds.col_option")),
            tables.Column(field="region", label=tr("gpu_clouds.col_region")),
            tables.Column(field="trust", label=tr("gpu_clouds.col_trust")),
            tables.Column(field="age", label=tr("gpu_clouds.col_age")),
        ],
        key="gc_fits",
        alt=tr("gpu_clouds.view_fits"),
        height="content",
    )
