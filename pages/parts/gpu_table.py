"""How do offers look as a table, as prices by provider, and as price against speed?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.costs.gpu_bills import MonthlyBill, RentalPlan, Terms, monthly_bill
from core.costs.gpu_places import place_of, round_trip
from core.costs.gpu_ranking import Measure, Rated, cheapest
from core.costs.gpus import GpuOffer, GpuSpec, spec_for
from pages.parts import charts, tables, widgets
from pages.parts.state import catalog, fmt, tr

TABLE_ROWS = 400
SHOWN_PROVIDERS = 25
UNITS: Mapping[str, str] = {
    "gpu_hour": "/GPU-h", "instance_hour": "/h", "memory": "/GB-h", "bf16": "/TFLOP-h", "fp8": "/TFLOP-h",
    "measured": "/TFLOP-h",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A rated offer with its month under the reader's plan."""

    rated: Rated
    bill: MonthlyBill

    @property
    def offer(self) -> GpuOffer:
        return self.rated.offer


def terms_of(provider_id: str, providers: Mapping[str, Mapping[str, Any]]) -> Terms:
    """What a provider charges beside compute, as far as known."""
    known = providers.get(provider_id, {})
    return Terms(
        storage_micro_usd_per_gb_month=known.get("storage_micro_usd_per_gb_month"),
        egress_micro_usd_per_gb=known.get("egress_micro_usd_per_gb"),
        min_topup_micro_usd=known.get("min_topup_micro_usd"),
    )


def listed(rated: Sequence[Rated], plan: RentalPlan, providers: Mapping[str, Mapping[str, Any]]) -> list[Listed]:
    """Each offer with its monthly bill."""
    terms = {one.offer.provider_id: terms_of(one.offer.provider_id, providers) for one in rated}
    return [Listed(rated=one, bill=monthly_bill(one.offer, plan, terms[one.offer.provider_id])) for one in rated]


def columns(measure: Measure) -> list[tables.Column]:
    """The table's columns, units in their headings."""
    column = tables.Column
    found = [
        column(field="provider", label=tr("gpu_clouds.provider"), pinned=True),
        column(field="machine", label=tr("gpu_clouds.col_machine")),
        column(field="gpu", label="GPU"),
        column(field="count", label=tr("gpu_clouds.col_count"), kind="number"),
        column(field="memory", label=tr("gpu_clouds.col_memory"), kind="number", unit="GB"),
        column(field="region", label=tr("gpu_clouds.region")),
        column(field="option", label=tr("gpu_clouds.option")),
        column(field="gpu_hour", label=tr("gpu_clouds.col_gpu_hour"), kind="money", unit="/GPU-h", digits=3),
        column(field="instance_hour", label=tr("gpu_clouds.col_instance_hour"), kind="money", unit="/h", digits=2),
    ]
    if measure not in ("gpu_hour", "instance_hour"):
        label = tr(f"gpu_clouds.measure_{measure}")
        found.append(column(field="value", label=label, kind="money", unit=UNITS[measure], digits=6))
    return [
        *found,
        column(field="month", label=tr("gpu_clouds.col_month"), kind="money", unit=tr("common.per_month")),
        column(field="age", label=tr("gpu_clouds.col_age")),
        column(field="confirmed", label=tr("gpu_clouds.col_confirmed")),
        column(field="rtt", label=tr("gpu_clouds.col_rtt"), kind="number", unit="ms", help=tr("gpu_clouds.rtt_help")),
        column(field="payment", label=tr("gpu_clouds.col_payment")),
        column(field="source", label=tr("gpu_clouds.col_source")),
    ]


def rows(found: Sequence[Listed], providers: Mapping[str, Mapping[str, Any]], today: dt.date) -> list[dict[str, Any]]:
    """Offers as rows; unknown stays empty."""
    return [_row(one, providers.get(one.offer.provider_id, {}), today) for one in found]


def _row(one: Listed, provider: Mapping[str, Any], today: dt.date) -> dict[str, Any]:
    offer = one.offer
    place = place_of(offer.region, offer.country)
    option = tr(f"gpu_clouds.option_{offer.purchase_option}")
    if offer.commitment_months:
        option = tr("gpu_clouds.reserved_for", option=option, months=offer.commitment_months)
    return {
        "provider": provider.get("name") or offer.provider_id,
        "machine": offer.instance_type,
        "gpu": f"{offer.gpu_model} {offer.gpu_form or ''}".strip(),
        "count": offer.gpu_count,
        "memory": offer.total_memory_gb,
        "region": ", ".join(dict.fromkeys(filter(None, (offer.region, offer.country)))) or "–",
        "option": option,
        "gpu_hour": offer.usd_per_gpu_hour,
        "instance_hour": float(offer.usd_per_hour),
        "value": one.rated.value,
        "month": one.bill.total_usd,
        "age": widgets.age_text(offer.as_of, today),
        "confirmed": tr(f"gpu_clouds.confirmed_{offer.region_confirmed}"),
        "rtt": round_trip(place).ms if place else None,
        "payment": provider.get("payment") or tr("common.unknown"),
        "source": offer.source,
    }


def providers_chart(found: Sequence[Listed], measure: Measure) -> None:
    """The cheapest price of each provider that may rank, as bars from 0."""
    best: dict[str, Rated] = {}
    for one in found:
        if one.rated.ranks and one.offer.provider_id not in best:
            best[one.offer.provider_id] = one.rated
    shown = list(best.items())[:SHOWN_PROVIDERS][::-1]
    if not shown:
        widgets.show_empty(tr("gpu_clouds.none_ranks"), tr("gpu_clouds.none_ranks_body"))
        return
    show = fmt()
    values = [(rated.value or 0.0) * show.per_usd for _, rated in shown]
    fig = charts.figure(height_px=80 + 24 * len(shown))
    fig.add_trace(
        go.Bar(
            y=[name for name, _ in shown], x=values, orientation="h", marker={"color": charts.colour("rent")},
            text=[show.money_short(rated.value) for _, rated in shown], textposition="outside", cliponaxis=False,
        )
    )  # fmt: skip
    name, rated = shown[-1]
    title = tr("gpu_clouds.providers_title", provider=name, price=show.money(rated.value), unit=UNITS[measure])
    numbers = pd.DataFrame({tr("gpu_clouds.provider"): [one for one, _ in shown], UNITS[measure]: values})
    charts.show(fig, title=title, unit=f"{show.symbol}{UNITS[measure]}", key="gpu_chart_providers", numbers=numbers)


def speed_chart(found: Sequence[Listed]) -> None:
    """Price of a GPU-hour against its dense BF16 speed, one mark for each GPU and provider."""
    specs = catalog().gpu_specs()
    points = [(one, _tflops(specs, one.offer)) for one in found if one.rated.ranks]
    known = [(one, tflops) for one, tflops in points if tflops is not None]
    if not known:
        widgets.show_empty(tr("gpu_clouds.none_ranks"), tr("gpu_clouds.none_ranks_body"))
        return
    show = fmt()
    models = sorted({one.offer.gpu_model for one, _ in known})
    fig = charts.figure(log_x=True, log_y=True, show_legend=len(models) > 1)
    for place, model in enumerate(models[:20]):
        mine = [(one, tflops) for one, tflops in known if one.offer.gpu_model == model]
        fig.add_trace(
            go.Scatter(
                x=[tflops for _, tflops in mine], y=[one.offer.usd_per_gpu_hour * show.per_usd for one, _ in mine],
                mode="markers", name=model, text=[one.offer.provider_id for one, _ in mine],
                marker={"size": 9, "symbol": charts.SYMBOLS[place % 10], "color": charts.palette()[place % 10]},
            )
        )  # fmt: skip
    best = min(known, key=lambda pair: pair[0].offer.usd_per_gpu_hour / pair[1])[0].offer
    charts.show(
        fig, title=tr("gpu_clouds.speed_title", gpu=best.gpu_model, provider=best.provider_id), key="gpu_chart_speed",
        unit=tr("gpu_clouds.speed_unit", symbol=show.symbol),
    )  # fmt: skip


def _tflops(specs: dict[tuple[str, str], GpuSpec], offer: GpuOffer) -> float | None:
    spec = spec_for(specs, offer.gpu_model, offer.gpu_form)
    return (spec.bf16_dense_tflops or spec.fp16_dense_tflops) if spec else None


def best_of(found: Sequence[Listed]) -> Listed | None:
    """The cheapest offer that may be called so."""
    top = cheapest([one.rated for one in found])
    return next((one for one in found if one.rated is top), None) if top else None
