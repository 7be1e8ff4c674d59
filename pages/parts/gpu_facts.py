"""How do the facts that sources state about an offer or a seller read? Their English in the reader's language.

A text that is not known here (a feed's new wording) is shown as its source wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.costs.gpus import GpuOffer
from pages.parts.state import tr

# What a source wrote, and the name of its text.
_WORDS: Mapping[str, str] = {
    "instance price": "instance_price",
    "on_demand per GPU": "per_gpu",
    "cheapest on-demand per GPU (may come from a multi-GPU config)": "cheapest_per_gpu",
    "median of the hosts of this shape, not the cheapest": "median",
    "list price": "list_price",
    "the feed names every region, not real stock": "every_region",
    "the catalog lists every region x type, not real stock": "every_region",
    "priced, but the zone list has no such machine there": "not_in_zone",
    "undated snapshot": "undated",
    "undated snapshot (stored copy)": "undated_copy",
    "after p6-b300 launch, before 2026-10": "after_p6_b300",
    "none stated (facts only)": "no_licence",
    "catalog repo licence not seen": "licence_not_seen",
    "Apache-2.0 (skypilot repo)": "licence_skypilot",
    "per minute": "per_minute",
    "per second (active rental)": "per_second_rented",
    "per second (computespec.pages.dev)": "per_second_computespec",
    "100+ according to the article, unverified": "topup_article",
    "needs at least one hour of runtime in the balance": "topup_hour",
    "card via Stripe (USD only)": "pay_stripe_usd",
    "credit card via Stripe": "pay_stripe",
    "crypto (Crypto.com, Coinbase)": "pay_crypto",
    "card / corporate according to the article, unverified": "pay_article",
    "card, corporate billing": "pay_corporate",
    "card only": "pay_card",
    "foreign card required": "pay_foreign",
    "Korean bank account or card": "pay_korean",
    "0.10 running / 0.20 stopped pod disk; network volume 0.07 below 1 TB, 0.05 above": "storage_runpod",
    "host-set (charged while stopped)": "storage_host",
    "internet egress USD/GB 0-1TB: us-central1 0.12, asia-northeast3 0.15 in pricing.yml": "egress_gcp",
    "host-set $/GB both ways": "egress_host",
    "Seoul: p5 in one AZ, no spot price shown; p4de not offered in ap-northeast-2": "notes_aws",
    "on-demand and 12-month reserved cards (contact sales)": "notes_digitalocean",
    "tier order for asia-northeast3 looks swapped in that file (0-1: 0.15; 1-10: 0.19)": "notes_gcp",
    "prices exclude sales tax; every SkyPilot row is listed for all 17 regions, not real stock": "notes_lambda",
    "credits non-refundable; pods stopped at 0": "notes_runpod",
    "Korean provider; A100-80GB x1 3.74 USD/h in KOREA-WEST-1 (old snapshot)": "notes_samsung",
    "API returns EUR without saying so; convert at ECB rate": "notes_scaleway",
    "balance 0 stops instances, storage still billed": "notes_vast",
    "US (list)": "region_us_list",
    "global": "region_global",
    "various": "region_various",
    "optimised global route": "region_optimised",
    "US": "region_us",
    "Asia": "region_asia",
    "Seoul": "region_seoul",
    "GPU rental service (generic)": "generic_service",
}
# Purchase options a price file holds, joined by +.
_OPTIONS: Mapping[str, str] = {
    "on_demand": "option_on_demand", "spot": "option_spot", "spot(min AZ)": "option_spot_zone", "CUD": "option_cud",
    "6mo": "option_6", "12mo": "option_12", "36mo": "option_36",
}  # fmt: skip
_MADE_TYPES = {"cheapest": "type_cheapest", "list": "type_list"}


def fact(text: str) -> str:
    """A stated fact in the reader's language, clause by clause where the whole is not known."""
    if text in _WORDS:
        return tr(f"gpu_facts.{_WORDS[text]}")
    return "; ".join(_clause(one) for one in text.split("; "))


def _clause(text: str) -> str:
    if text in _WORDS:
        return tr(f"gpu_facts.{_WORDS[text]}")
    options = text.split("+")
    if all(one in _OPTIONS for one in options):
        return ", ".join(tr(f"gpu_facts.{_OPTIONS[one]}") for one in options)
    return text


def machine_type(offer: GpuOffer) -> str:
    """The machine's type, for a price without one what the price is of (`cheapest:H100 80GB SXM`)."""
    kind, colon, name = offer.instance_type.partition(":")
    return tr(f"gpu_facts.{_MADE_TYPES[kind]}", name=name) if colon and kind in _MADE_TYPES else offer.instance_type
