"""How does an offer read in a table or a sentence? Names, age, trust, round trip, and the bill of each row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from zlib import crc32

from core.costs.gpu_bills import RentalPlan, Terms, monthly_bill
from core.costs.gpu_places import RoundTrip, place_of, round_trip
from core.costs.gpu_ranking import Measure, Rated
from core.costs.gpus import GpuOffer
from pages.parts import widgets
from pages.parts.gpu_facts import machine_type
from pages.parts.gpu_inputs import option_name
from pages.parts.offer_words import Providers, gpu_text, provider_name, region_text
from pages.parts.state import fmt, tr
from pages.parts.tables import Column


def terms(providers: Providers, provider_id: str) -> Terms:
    """What the provider charges beside compute, as far as known."""
    known = providers.get(provider_id, {})
    return Terms(
        storage_micro_usd_per_gb_month=known.get("storage_micro_usd_per_gb_month"),
        egress_micro_usd_per_gb=known.get("egress_micro_usd_per_gb"),
        min_topup_micro_usd=known.get("min_topup_micro_usd"),
    )


def reference(offer: GpuOffer) -> str:
    """What names an offer in an address, whatever row it stands in: a short checksum of its key."""
    return f"{crc32('|'.join(map(str, offer.key)).encode()):08x}"


def trip(offer: GpuOffer) -> RoundTrip | None:
    """Estimated round trip from Seoul, None where the place is not known."""
    place = place_of(offer.region, offer.country)
    return round_trip(place) if place else None


def purchase(offer: GpuOffer) -> str:
    """The purchase option with its commitment."""
    if offer.purchase_option == "reserved":
        return tr("gpu_clouds.reserved_months", months=str(offer.commitment_months))
    return option_name(offer.purchase_option)


def trust(offer: GpuOffer, today: dt.date) -> str:
    """Why a price can or cannot be relied on, in a word."""
    if offer.region_confirmed == "no":
        return tr("gpu_clouds.trust_no")
    age = widgets.age_of(offer.as_of, today)
    if age in {"undated", "stale"}:
        return tr(f"gpu_clouds.trust_{age}")
    return tr(f"gpu_clouds.trust_{offer.region_confirmed}")


def columns(measure: Measure) -> list[Column]:
    """The columns of the offers' table."""
    found = [
        Column(field="provider", label=tr("gpu_clouds.col_provider"), pinned=True),
        Column(field="gpu", label=tr("gpu_clouds.col_gpu")),
        Column(field="count", label=tr("gpu_clouds.col_count"), kind="number"),
        Column(field="per_gpu", label=tr("gpu_clouds.col_per_gpu"), kind="money", unit="/h", digits=3),
        Column(field="per_hour", label=tr("gpu_clouds.col_per_hour"), kind="money", unit="/h", digits=2),
        Column(field="monthly", label=tr("gpu_clouds.col_monthly"), kind="money", unit=tr("common.per_month")),
        Column(field="region", label=tr("gpu_clouds.col_region")),
        Column(field="option", label=tr("gpu_clouds.col_option")),
        Column(field="trust", label=tr("gpu_clouds.col_trust")),
        Column(field="age", label=tr("gpu_clouds.col_age")),
        Column(field="memory", label=tr("gpu_clouds.col_memory"), kind="number", unit="GB"),
        Column(
            field="trip", label=tr("gpu_clouds.col_trip"), kind="number", unit="ms", help=tr("gpu_clouds.help_trip")
        ),
        Column(field="instance", label=tr("gpu_clouds.col_instance")),
        Column(field="source", label=tr("gpu_clouds.col_source")),
    ]
    if measure not in {"gpu_hour", "instance_hour"}:
        value = Column(
            field="value", label=tr(f"gpu_clouds.sort_{measure}"), kind="money", unit=tr("gpu_clouds.per_1000_hours")
        )
        found.insert(3, value)
    return found


def rows(rated: Sequence[Rated], plan: RentalPlan, providers: Providers, today: dt.date) -> list[dict[str, Any]]:
    """One row per offer, in order."""
    names = {one.offer.provider_id: provider_name(providers, one.offer.provider_id) for one in rated}
    known = {provider_id: terms(providers, provider_id) for provider_id in names}
    places = {(one.offer.region, one.offer.country): trip(one.offer) for one in rated}
    regions = {region: region_text(region) for region in {one.offer.region for one in rated}}
    found = []
    for one in rated:
        offer = one.offer
        estimate = places[offer.region, offer.country]
        found.append(
            {
                "provider": names[offer.provider_id],
                "gpu": gpu_text(offer),
                "count": offer.gpu_count,
                "value": None if one.value is None else one.value * 1_000,
                "per_gpu": offer.usd_per_gpu_hour,
                "per_hour": offer.micro_usd_per_hour / 1e6,
                "monthly": monthly_bill(offer, plan, known[offer.provider_id]).total_usd,
                "region": regions[offer.region],
                "option": purchase(offer),
                "trust": trust(offer, today),
                "age": day_text(offer),
                "memory": offer.total_memory_gb,
                "trip": estimate.likely_ms if estimate else None,
                "instance": machine_type(offer),
                "source": offer.source,
            }
        )
    return found


def day_text(offer: GpuOffer) -> str:
    """The day a price was seen, or that nobody knows it."""
    return fmt().date(offer.as_of) if offer.as_of else tr("common.undated")
